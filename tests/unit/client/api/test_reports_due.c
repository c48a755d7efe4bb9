/* Reports that make themselves when their period has ended. */
#include <stdio.h>

#include "client/crm/report.h"
#include "tests/unit/client/api/frozen.h"
#include "tests/unit/client/sync/company.h"

static size_t
made(company *c, size_t i, const char *report, const char *period)
{
	sat_crm x = crm(c, i);
	sat_err err = { 0 };
	sat_json *doc;
	size_t n = 0;

	assert_ok(sat_crm_reports_due(&doc, &x, true, &err));
	for (const sat_json *r = sat_json_first(sat_json_get(doc, "data"));
	     r != NULL; r = sat_json_next(r))
		n += strcmp(sat_json_get_str(r, "report", ""), report) == 0 &&
		    strcmp(sat_json_get_str(r, "period", ""), period) == 0;
	sat_json_free(doc);
	return n;
}

static void
a_report_is_made_once_when_its_period_ended(void **state)
{
	company *c = company_people(40, "a");
	int64_t feb;

	(void)state;
	assert_int_equal(1, made(c, ANN, "won", "2026-12"));
	assert_int_equal(0, made(c, ANN, "won", "2026-12"));
	/* the last moment of January in Shanghai, and the first of February */
	assert_true(sat_time_parse(&feb, "2027-01-31T16:00:00Z", 0));
	company_pass(c, feb - c->now_ms - 1);
	assert_int_equal(0, made(c, ANN, "won", "2027-01"));
	company_pass(c, 1);
	assert_int_equal(1, made(c, ANN, "won", "2027-01"));
	company_reopen(c, ANN);
	assert_int_equal(0, made(c, ANN, "won", "2027-01"));
	assert_int_equal(1, made(c, BO, "won", "2027-01")); /* another device */
	company_free(c);
}

static void
what_was_missed_is_made_up_for_oldest_first(void **state)
{
	company *c = company_people(41, "a");
	sat_crm x = crm(c, HQ);
	sat_err err = { 0 };
	sat_json *doc;
	char months[200] = "";
	size_t days = 0;

	(void)state;
	assert_int_equal(1, made(c, HQ, "won", "2026-12"));
	company_pass(c, 100 * 24 * 3600 * (int64_t)1000); /* 2027-04-25 */
	assert_ok(sat_crm_reports_due(&doc, &x, true, &err));
	for (const sat_json *r = sat_json_first(sat_json_get(doc, "data"));
	     r != NULL; r = sat_json_next(r)) {
		const char *period = sat_json_get_str(r, "period", "");

		if (strcmp(sat_json_get_str(r, "report", ""), "won") != 0)
			continue;
		days += strlen(period) == 10;
		if (strlen(period) == 7 && period[5] != 'W')
			(void)snprintf(months + strlen(months),
			    sizeof months - strlen(months), "%s ", period);
	}
	assert_string_equal("2027-01 2027-02 2027-03 ", months);
	assert_int_equal(12, days);
	sat_json_free(doc);
	company_free(c);
}

static void
nothing_is_made_before_the_first_sync_is_finished(void **state)
{
	company *c = company_people(42, "a");
	sat_err err = { 0 };
	sat_json *doc;
	sat_crm x;

	(void)state;
	sql(c, ANN, "UPDATE meta SET value = 0 WHERE key = 'complete'");
	company_reopen(c, ANN);
	x = crm(c, ANN);
	assert_ok(sat_crm_reports_due(&doc, &x, true, &err));
	assert_int_equal(0, sat_json_count(sat_json_get(doc, "data")));
	sat_json_free(doc);
	company_free(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_report_is_made_once_when_its_period_ended),
		cmocka_unit_test(what_was_missed_is_made_up_for_oldest_first),
		cmocka_unit_test(nothing_is_made_before_the_first_sync_is_finished),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
