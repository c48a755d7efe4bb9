/* Frozen numbers stay; what came late is named. */
#include "client/crm/report.h"
#include "tests/unit/client/api/frozen.h"
#include "tests/unit/client/sync/company.h"

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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
