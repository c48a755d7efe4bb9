/*
 * What surrounds a report, over a server and real replicas: coverage, frozen
 * numbers and what came later, who may, reports that are made by themselves.
 */
#include "tests/unit/client/sync/company.h"

#include "client/crm/report.h"

#include <stdio.h>

enum { ANN, BO, MAX, HQ }; /* ann, bo: team a; max: their manager */
#define MONTH "2026-12"    /* the company's clock begins in January 2027 */

static sat_crm
crm(company *c, size_t i)
{
	return (sat_crm){ c->r[i], c_clock(c), "en" };
}

static sat_id
create(company *c, size_t i, const char *kind, const char *const *list)
{
	sat_crm x = crm(c, i);
	sat_input in[12];
	size_t n = 0;
	sat_err err = { 0 };
	sat_id id;

	company_pass(c, 1000);
	for (; list[n * 2] != NULL; n++)
		in[n] = (sat_input){ '=', list[n * 2],
			sat_span_str(list[n * 2 + 1]) };
	assert_ok(sat_crm_create(&id, &x, kind_of(c, i, kind), in, n, NULL,
	    NULL, NULL, &err));
	return id;
}
#define LIST(...) (const char *const[]) { __VA_ARGS__, NULL }

static sat_id
customer(company *c, size_t i, const char *phone)
{
	return create(c, i, "account", LIST("name", phone, "industry", "I65",
	    "contact_name", "x", "phone_main", phone, "need_type", "product",
	    "created_at", "2026-12-05T02:00:00Z"));
}

static sat_id
deal(company *c, size_t i, sat_id account, const char *amount, const char *won)
{
	char id[SAT_ID_TEXT];

	sat_id_text(id, &account);
	return create(c, i, "opportunity", LIST("account", id, "name", "deal",
	    "amount", amount, "stage", "won", "won_at", won));
}

static sat_json *
run(company *c, size_t i, const char *report)
{
	const sat_report_opts o = { .period = MONTH };
	sat_crm x = crm(c, i);
	sat_err err = { 0 };
	sat_json *doc = NULL;

	assert_ok(sat_crm_report_run(&doc, &x, report, &o, &err));
	return doc;
}

static sat_json *
freeze(company *c, size_t i, const char *report)
{
	const sat_report_opts o = { .period = MONTH };
	sat_crm x = crm(c, i);
	sat_err err = { 0 };
	sat_json *doc = NULL;

	company_pass(c, 1000);
	assert_ok(sat_crm_freeze(&doc, &x, report, &o, &err));
	return doc;
}

static const char *
hash_of(const sat_json *doc)
{
	return sat_json_get_str(sat_json_get(doc, "frozen"), "hash", "none");
}

static const sat_json *
delta_row(const sat_json *doc, const char *group)
{
	const sat_json *r = sat_json_first(sat_json_get(sat_json_get(doc,
	    "delta"), "rows"));

	while (r != NULL && strcmp(sat_json_get_str(r, "group", ""), group) !=
	    0)
		r = sat_json_next(r);
	return r;
}

/* The record of a row's delta, NULL when it is not named. */
static const sat_json *
named(const sat_json *row, sat_id id)
{
	char text[SAT_ID_TEXT];
	const sat_json *r = sat_json_first(sat_json_get(row, "records"));

	sat_id_text(text, &id);
	while (r != NULL && strcmp(sat_json_get_str(r, "id", ""), text) != 0)
		r = sat_json_next(r);
	return r;
}

static void
same_text(const sat_json *a, const sat_json *b)
{
	sat_buf x = { 0 }, y = { 0 };

	sat_json_write(&x, a, false);
	sat_json_write(&y, b, false);
	assert_string_equal(sat_buf_cstr(&x), sat_buf_cstr(&y));
	sat_buf_fini(&x);
	sat_buf_fini(&y);
}

/* ---- frozen ----------------------------------------------------------------------- */

static void
frozen_numbers_stay_and_late_work_is_named(void **state)
{
	company *c = company_people(31, "a");
	sat_json *was, *now;
	sat_id a, late;

	(void)state;
	a = customer(c, ANN, "13800000001");
	(void)deal(c, ANN, a, "1000", "2026-12-10T02:00:00Z");
	company_sync(c, ANN);
	company_sync(c, HQ);
	was = freeze(c, HQ, "ranking-by-rep");
	assert_false(sat_json_get_bool(sat_json_get(was, "delta"), "changed",
	    true));
	late = deal(c, ANN, a, "500", "2026-12-20T02:00:00Z");
	company_sync(c, ANN);
	company_sync(c, HQ);
	now = run(c, HQ, "ranking-by-rep");
	assert_string_equal(hash_of(was), hash_of(now));
	same_text(sat_json_get(was, "rows"), sat_json_get(now, "rows"));
	same_text(sat_json_get(was, "totals"), sat_json_get(now, "totals"));
	assert_non_null(named(delta_row(now, "ann"), late));
	assert_string_equal("entered", sat_json_get_str(named(delta_row(now,
	    "ann"), late), "change", ""));
	assert_null(delta_row(now, "bo"));
	sat_json_free(was);
	sat_json_free(now);
	company_free(c);
}

static void
changes_that_cancel_out_are_seen(void **state)
{
	company *c = company_people(32, "a");
	sat_err err = { 0 };
	sat_json *doc;
	sat_id a, gone, come;
	sat_crm x;

	(void)state;
	a = customer(c, ANN, "13800000001");
	gone = deal(c, ANN, a, "1000", "2026-12-10T02:00:00Z");
	company_sync(c, ANN);
	company_sync(c, HQ);
	sat_json_free(freeze(c, HQ, "won"));
	come = deal(c, ANN, a, "1000", "2026-12-11T02:00:00Z");
	company_sync(c, ANN);
	company_sync(c, HQ);
	x = crm(c, HQ);
	assert_ok(sat_crm_delete(&x, kind_of(c, HQ, "opportunity"), &gone,
	    false, &err));
	doc = run(c, HQ, "won");
	assert_string_equal("records", sat_json_get_str(delta_row(doc, ""),
	    "change", ""));
	assert_string_equal("left", sat_json_get_str(named(delta_row(doc, ""),
	    gone), "change", ""));
	assert_true(sat_json_get_bool(named(delta_row(doc, ""), gone),
	    "deleted", false));
	assert_string_equal("entered", sat_json_get_str(named(delta_row(doc,
	    ""), come), "change", ""));
	sat_json_free(doc);
	company_free(c);
}

/* A customer's industry moves a deal nobody wrote to into another row. */
static void
what_changed_above_a_record_is_named_through_it(void **state)
{
	company *c = company_people(33, "a");
	sat_json *doc;
	const sat_json *row;
	sat_id a, d;

	(void)state;
	a = customer(c, ANN, "13800000001");
	d = deal(c, ANN, a, "1000", "2026-12-10T02:00:00Z");
	company_sync(c, ANN);
	company_sync(c, HQ);
	sat_json_free(freeze(c, HQ, "amount-by-industry"));
	{
		sat_crm x = crm(c, ANN);
		sat_input in = { '=', "industry", sat_span_str("C34") };
		sat_err err = { 0 };

		company_pass(c, 1000);
		assert_ok(sat_crm_edit(NULL, &x, kind_of(c, ANN, "account"), &a,
		    &in, 1, NULL, &err));
	}
	company_sync(c, ANN);
	company_sync(c, HQ);
	doc = run(c, HQ, "amount-by-industry");
	row = delta_row(doc, "C,C34");
	assert_string_equal("new", sat_json_get_str(row, "change", ""));
	assert_string_equal("industry", sat_json_get_str(sat_json_first(
	    sat_json_get(sat_json_get(named(row, d), "through"), "writes")),
	    "field", ""));
	assert_string_equal("left", sat_json_get_str(named(delta_row(doc,
	    "I,I65"), d), "change", ""));
	sat_json_free(doc);
	company_free(c);
}

/* What waited here when it was frozen was in the numbers. */
static void
own_work_that_was_not_sent_yet_is_not_late(void **state)
{
	company *c = company_people(34, "a");
	sat_json *doc;
	sat_id a, d;

	(void)state;
	a = customer(c, MAX, "13800000001");
	d = deal(c, MAX, a, "1000", "2026-12-10T02:00:00Z");
	sat_json_free(freeze(c, MAX, "ranking-by-rep"));
	company_sync(c, MAX);
	company_sync(c, MAX);
	doc = run(c, MAX, "ranking-by-rep");
	assert_false(sat_json_get_bool(sat_json_get(doc, "delta"), "changed",
	    true));
	sat_json_free(doc);
	(void)deal(c, MAX, a, "2000", "2026-12-11T02:00:00Z");
	doc = run(c, MAX, "ranking-by-rep");
	assert_null(named(delta_row(doc, "max"), d)); /* only the new one */
	assert_int_equal(1, sat_json_count(sat_json_get(delta_row(doc, "max"),
	    "records")));
	sat_json_free(doc);
	company_free(c);
}

static void
of_two_that_were_frozen_offline_the_earlier_counts_everywhere(void **state)
{
	company *c = company_people(35, "a");
	sat_json *first, *second, *doc;
	sat_err err = { 0 };
	sat_id a;
	sat_crm x;

	(void)state;
	/* bo becomes a second manager of the team, on his own device */
	assert_ok(sat_sqlite_user_edit(c->store, "bo", NULL, "manager", NULL,
	    &err));
	assert_ok(sat_server_reload(c->server, &err));
	company_sync(c, BO);
	company_sync(c, MAX);
	a = customer(c, ANN, "13800000001");
	(void)deal(c, ANN, a, "1000", "2026-12-10T02:00:00Z");
	company_sync(c, ANN);
	company_sync(c, MAX);
	first = freeze(c, MAX, "won"); /* offline, with the deal */
	second = freeze(c, BO, "won"); /* offline, without */
	assert_string_not_equal(hash_of(first), hash_of(second));
	for (int round = 0; round < 2; round++) {
		company_sync(c, BO);
		company_sync(c, MAX);
	}
	for (size_t i = BO; i <= MAX; i++) {
		doc = run(c, i, "won");
		assert_string_equal(hash_of(first), hash_of(doc));
		sat_json_free(doc);
	}
	x = crm(c, BO);
	assert_ok(sat_crm_frozen_list(&doc, &x, NULL, &err));
	assert_int_equal(2, sat_json_count(sat_json_get(doc, "data")));
	sat_json_free(doc);
	sat_json_free(first);
	sat_json_free(second);
	company_free(c);
}

static void
nobody_writes_other_numbers_into_it(void **state)
{
	company *c = company_people(36, "a");
	sat_json *doc = freeze(c, HQ, "won"), *head;
	const sat_kind *k = kind_of(c, HQ, "frozen_report");
	const char *const fields[] = { "body1", "params", "cursor", "title" };
	sat_crm x = crm(c, HQ);
	sat_err err = { 0 };
	sat_id id;

	(void)state;
	head = sat_json_dup(sat_json_get(doc, "frozen"));
	assert_ok(sat_replica_resolve(&id, c->r[HQ], k, sat_json_get_str(head,
	    "id", ""), &err));
	for (size_t i = 0; i < 4; i++) {
		sat_input in = { '=', fields[i], sat_span_str("77") };

		assert_rc(SAT_EDENIED, sat_crm_edit(NULL, &x, k, &id, &in, 1,
		    NULL, &err));
	}
	assert_rc(SAT_EDENIED, sat_crm_delete(&x, k, &id, false, &err));
	assert_rc(SAT_EDENIED, sat_crm_assign(&x, k, &id, "ann", &err));
	sat_json_free(head);
	sat_json_free(doc);
	company_free(c);
}

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

/* ---- who may ------------------------------------------------------------------------ */

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

/* ---- how complete --------------------------------------------------------------------- */

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

/* ---- made by themselves ----------------------------------------------------------------- */

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
		cmocka_unit_test(frozen_numbers_stay_and_late_work_is_named),
		cmocka_unit_test(changes_that_cancel_out_are_seen),
		cmocka_unit_test(what_changed_above_a_record_is_named_through_it),
		cmocka_unit_test(own_work_that_was_not_sent_yet_is_not_late),
		cmocka_unit_test(of_two_that_were_frozen_offline_the_earlier_counts_everywhere),
		cmocka_unit_test(nobody_writes_other_numbers_into_it),
		cmocka_unit_test(names_are_not_frozen_with_the_numbers),
		cmocka_unit_test(roles_of_a_definition_hold_at_every_door),
		cmocka_unit_test(the_records_behind_a_number_are_as_many_as_it_says),
		cmocka_unit_test(a_period_is_provisional_until_all_reported_or_it_is_frozen),
		cmocka_unit_test(a_report_is_made_once_when_its_period_ended),
		cmocka_unit_test(what_was_missed_is_made_up_for_oldest_first),
		cmocka_unit_test(nothing_is_made_before_the_first_sync_is_finished),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
