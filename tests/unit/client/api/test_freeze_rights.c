/* Who may see what of a report, and how complete it is. */
#include <stdio.h>

#include "client/crm/report.h"
#include "tests/unit/client/api/frozen.h"
#include "tests/unit/client/sync/company.h"

/* ---- frozen -------------------------------------------------------------- */

/* The month-end freshness: frozen with the customers it lists, signed, and when a
 * customer is erased nothing of him is left in it. */
static void
names_are_not_frozen_with_the_numbers(void **state)
{
	company *c = company_people(43, "a");
	sat_json *doc;
	const sat_json *rows;
	sat_crm x = crm(c, MAX);
	sat_err err = { 0 };
	sat_value body;
	sat_view v;
	sat_id id;

	(void)state;
	(void)customer(c, ANN, "13800000001"); /* its name too */
	company_sync(c, ANN);
	company_sync(c, MAX);
	doc = freeze(c, MAX, "data-freshness");
	rows = sat_json_get(sat_json_get(doc, "list"), "rows");
	assert_int_equal(1, sat_json_count(rows));
	{
		sat_buf b = { 0 };

		sat_json_write(&b, rows, false);
		assert_non_null(strstr(sat_buf_cstr(&b), "13800000001"));
		sat_buf_fini(&b);
	}
	assert_ok(sat_replica_resolve(&id, c->r[MAX], kind_of(c, MAX,
	    "frozen_report"), sat_json_get_str(sat_json_get(doc, "frozen"),
	    "id", ""), &err));
	assert_ok(sat_replica_get(&v, &c->a, c->r[MAX], NULL, &id, &err));
	body = sat_record_value(&v.rec, sat_kind_field(v.kind, "body1")->id);
	assert_true(body.s.n > 100);
	assert_null(memmem(body.s.p, body.s.n, "13800000001", 11));
	sat_json_free(doc);
	{
		char text[SAT_ID_TEXT];

		sat_id_text(text, &id);
		assert_ok(sat_crm_sign(&doc, &x, text, "looked at", NULL,
		    &err));
		assert_int_equal(1, sat_json_count(sat_json_get(sat_json_get(
		    doc, "frozen"), "signed")));
		sat_json_free(doc);
		assert_rc(SAT_ECONFLICT, sat_crm_sign(&doc, &x, text, NULL,
		    NULL, &err));
	}
	company_free(c);
}

/* ---- who may ------------------------------------------------------------- */

static void
roles_of_a_definition_hold_at_every_door(void **state)
{
	company *c = company_people(37, "a");
	const sat_report_opts o = { .period = MONTH };
	sat_crm rep = crm(c, ANN);
	sat_err err = { 0 };
	sat_json *doc = NULL;

	(void)state;
	assert_rc(SAT_EDENIED, sat_crm_freeze(&doc, &rep, "won", &o, &err));
	/* won is for rep, manager, hq; an admin is none of them */
	assert_ok(sat_sqlite_user_edit(c->store, "ann", NULL, "admin", NULL,
	    &err));
	assert_ok(sat_server_reload(c->server, &err));
	company_sync(c, ANN);
	assert_rc(SAT_EDENIED, sat_crm_report_run(&doc, &rep, "won", &o, &err));
	assert_rc(SAT_EDENIED, sat_crm_report_rows(&doc, &rep, "won", &o, NULL,
	    NULL, 0, &err));
	assert_rc(SAT_EDENIED, sat_crm_freeze(&doc, &rep, "won", &o, &err));
	assert_ok(sat_crm_reports_due(&doc, &rep, true, &err));
	assert_int_equal(0, sat_json_count(sat_json_get(doc, "data")));
	sat_json_free(doc);
	company_free(c);
}

static void
the_records_behind_a_number_are_as_many_as_it_says(void **state)
{
	company *c = company_people(38, "a");
	const sat_report_opts o = { .period = MONTH };
	sat_crm x = crm(c, MAX), ann = crm(c, ANN);
	sat_err err = { 0 };
	sat_json *doc;

	(void)state;
	for (int i = 0; i < 5; i++) {
		char phone[16];
		size_t who = i % 2 == 0 ? ANN : BO;

		(void)snprintf(phone, sizeof phone, "1380000000%d", i);
		(void)deal(c, who, customer(c, who, phone), "100",
		    i < 4 ? "2026-12-10T02:00:00Z" : "2027-01-02T02:00:00Z");
	}
	company_sync(c, ANN);
	company_sync(c, BO);
	company_sync(c, MAX);
	assert_ok(sat_crm_report_rows(&doc, &x, "won", &o, NULL, "won_count", 3,
	    &err));
	assert_int_equal(4, sat_json_get_int(doc, "total", 0));
	assert_int_equal(3, sat_json_count(sat_json_get(doc, "data")));
	sat_json_free(doc);
	assert_ok(sat_crm_report_rows(&doc, &x, "ranking-by-rep", &o, "bo",
	    NULL, 0, &err));
	assert_int_equal(2, sat_json_get_int(doc, "total", 0));
	sat_json_free(doc);
	assert_ok(sat_crm_report_rows(&doc, &ann, "won", &o, NULL, NULL, 0,
	    &err));
	assert_int_equal(2, sat_json_get_int(doc, "total", 0)); /* her own */
	sat_json_free(doc);
	assert_rc(SAT_EUSAGE, sat_crm_report_rows(&doc, &x, "won", &o, NULL,
	    "wom_count", 0, &err));
	assert_rc(SAT_ENOTFOUND, sat_crm_report_rows(&doc, &x, "won", &o,
	    "nobody", NULL, 0, &err));
	company_free(c);
}

/* ---- how complete -------------------------------------------------------- */

static void
a_period_is_provisional_until_all_reported_or_it_is_frozen(void **state)
{
	company *c = company_people(39, "a");
	const sat_json *cover;
	sat_json *doc;
	int64_t feb;

	(void)state;
	assert_true(sat_time_parse(&feb, "2027-01-31T16:00:00Z", 0));
	company_pass(c, feb - c->now_ms + 1000);
	{
		const sat_report_opts o = { .period = "2027-01" };
		sat_crm x = crm(c, HQ);
		sat_err err = { 0 };

		company_sync(c, ANN);
		company_sync(c, MAX);
		company_sync(c, HQ);
		assert_ok(sat_crm_report_run(&doc, &x, "won", &o, &err));
		cover = sat_json_get(doc, "coverage");
		assert_int_equal(3, sat_json_get_int(cover, "reported", 0));
		assert_int_equal(4, sat_json_get_int(cover, "active", 0));
		assert_string_equal("75.00", sat_json_get_str(cover, "percent",
		    ""));
		assert_true(sat_json_get_bool(doc, "provisional", false));
		sat_json_free(doc);
		company_sync(c, BO);
		company_sync(c, HQ);
		assert_ok(sat_crm_report_run(&doc, &x, "won", &o, &err));
		assert_false(sat_json_get_bool(doc, "provisional", true));
		sat_json_free(doc);
	}
	company_pass(c, 40 * 24 * 3600 * (int64_t)1000);
	{
		const sat_report_opts o = { .period = "2027-02" };
		sat_crm x = crm(c, HQ);
		sat_err err = { 0 };

		assert_ok(sat_crm_report_run(&doc, &x, "won", &o, &err));
		assert_true(sat_json_get_bool(doc, "provisional", false));
		sat_json_free(doc);
		assert_ok(sat_crm_freeze(&doc, &x, "won", &o, &err));
		assert_false(sat_json_get_bool(doc, "provisional", true));
		assert_string_equal("1/4", sat_json_get_str(sat_json_get(doc,
		    "frozen"), "coverage", ""));
		sat_json_free(doc);
	}
	company_free(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_not_frozen_with_the_numbers),
		cmocka_unit_test(roles_of_a_definition_hold_at_every_door),
		cmocka_unit_test(the_records_behind_a_number_are_as_many_as_it_says),
		cmocka_unit_test(a_period_is_provisional_until_all_reported_or_it_is_frozen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
