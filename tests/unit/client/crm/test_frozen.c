/*
 * Frozen numbers (client/crm/freeze*.c): whose question they answer, what is
 * left of them when their definition is gone, and the records behind them.
 */
#include "tests/lib/unit.h"

#include "client/crm/report.h"
#include "tests/unit/client/crm/report_fixture.h"

/* Of headquarters are boss, user 1 or 5, and second; user 1 sits here. */
static void
staff(fixture *f, const char *first, const char *fifth, uint64_t rev)
{
	sat_user users[4] = { { 1, first, first, "hq", 1, false },
		{ 2, "u1", "Ada One", "rep", 1, false },
		{ 3, "u2", "Bob Two", "rep", 2, false },
		{ 5, fifth, fifth, "hq", 1, false } };
	sat_team teams[2] = { { 1, "east", "East", "", false },
		{ 2, "west", "West", "", false } };
	sat_device dev = { DEV, 1, "d", false, false };
	sat_registry reg = { .rev = rev, .users = users, .nusers = 4,
		.teams = teams, .nteams = 2, .devices = &dev, .ndevices = 1 };
	sat_buf b = { 0 };
	sat_err err;

	sat_registry_write(&b, &reg);
	assert_ok(f->ops.registry(f->ops.u, sat_buf_span(&b), &err));
	sat_buf_fini(&b);
}

static int
setup_frozen(void **state)
{
	int rc = setup_complete(state);

	staff(*state, "boss", "second", 100);
	return rc;
}

static sat_json *
ask(fixture *f, const char *key, const char *param)
{
	sat_crm c = crm_of(f);
	sat_report_opts o = { .period = MAY, .params = &param,
		.nparams = param != NULL };
	sat_json *doc;
	sat_err err = { 0 };

	if (sat_crm_report_run(&doc, &c, key, &o, &err) != SAT_OK)
		fail_msg("%s", err.text);
	return doc;
}

static sat_json *
frozen(fixture *f, const char *key, const char *param)
{
	sat_crm c = crm_of(f);
	sat_report_opts o = { .period = MAY, .params = &param,
		.nparams = param != NULL };
	sat_json *doc;
	sat_err err = { 0 };

	if (sat_crm_freeze(&doc, &c, key, &o, &err) != SAT_OK)
		fail_msg("%s", err.text);
	return doc;
}

/* Is the answer a frozen one, and which? */
static const char *
id_of(const sat_json *doc)
{
	return sat_json_get_str(sat_json_get(doc, "frozen"), "id", "");
}

static void
me_is_another_question_of_another_person(void **state)
{
	t1 t;
	sat_json *mine, *doc;

	fill(&t, *state);
	mine = frozen(*state, "won", "owner=me");
	assert_string_not_equal("", id_of(mine));
	doc = ask(*state, "won", "owner=boss");
	assert_string_equal(id_of(mine), id_of(doc));
	sat_json_free(doc);
	staff(*state, "second", "boss", 101);
	doc = ask(*state, "won", "owner=me");
	assert_string_equal("", id_of(doc)); /* which nobody froze */
	sat_json_free(doc);
	doc = ask(*state, "won", "owner=boss");
	assert_string_equal(id_of(mine), id_of(doc));
	assert_false(sat_json_get_bool(sat_json_get(doc, "delta"), "changed",
	    true));
	sat_json_free(doc);
	sat_json_free(mine);
}

static void
a_label_and_its_key_are_one_question(void **state)
{
	t1 t;
	sat_json *was, *doc;
	sat_crm c = crm_of(*state);
	const char *by_key = "source=fair";
	sat_report_opts o = { .period = MAY, .params = &by_key, .nparams = 1 };
	sat_err err = { 0 };

	fill(&t, *state);
	was = frozen(*state, "new-customers", "source=展会");
	doc = ask(*state, "new-customers", by_key);
	assert_string_equal(id_of(was), id_of(doc));
	sat_json_free(doc);
	assert_rc(SAT_ECONFLICT, sat_crm_freeze(&doc, &c, "new-customers", &o,
	    &err));
	sat_json_free(was);
}

static void
without(fixture *f, const char *path)
{
	sat_template_file files[256];
	size_t all, n = 0;
	const sat_template_file *base = sat_template_base(&all);
	sat_err err;

	assert_true(all <= 256);
	for (size_t i = 0; i < all; i++)
		if (strcmp(base[i].path, path) != 0)
			files[n++] = base[i];
	assert_int_equal(all - 1, n);
	f->now_ms += 1000;
	assert_ok(give_template(f, files, n, f->tmpl_sk, f->tmpl_pk, &err));
	find_kinds(f);
}

static void
numbers_outlive_their_definition(void **state)
{
	t1 t;
	sat_crm c = crm_of(*state);
	sat_json *was, *now;
	sat_buf a = { 0 }, b = { 0 };
	sat_err err = { 0 };

	fill(&t, *state);
	was = frozen(*state, "won", NULL);
	without(*state, "reports/won.json");
	if (sat_crm_frozen(&now, &c, id_of(was), &err) != SAT_OK)
		fail_msg("%s", err.text);
	sat_json_write(&a, sat_json_get(was, "totals"), false);
	sat_json_write(&b, sat_json_get(now, "totals"), false);
	assert_string_equal(sat_buf_cstr(&a), sat_buf_cstr(&b));
	sat_buf_reset(&a);
	sat_buf_reset(&b);
	sat_json_write(&a, sat_json_get(was, "columns"), false);
	assert_non_null(strstr(sat_buf_cstr(&a), "Amount"));
	sat_json_write(&b, sat_json_get(now, "columns"), false);
	assert_non_null(strstr(sat_buf_cstr(&b), "Amount")); /* its title */
	assert_int_equal(SAT_J_NULL, sat_json_type(sat_json_get(now, "delta")));
	assert_non_null(sat_json_get_str(now, "delta_reason", NULL));
	assert_true(sat_json_get_bool(sat_json_get(now, "frozen"), "hash_ok",
	    false));
	sat_json_free(now);
	if (sat_crm_sign(&now, &c, id_of(was), "seen", NULL, &err) != SAT_OK)
		fail_msg("%s", err.text);
	sat_json_free(now);
	sat_buf_fini(&a);
	sat_buf_fini(&b);
	sat_json_free(was);
}

static void
what_was_made_outlives_its_definition(void **state)
{
	t1 t;
	sat_crm c = crm_of(*state);
	sat_json *doc, *now;
	sat_err err = { 0 };

	fill(&t, *state);
	assert_ok(sat_crm_reports_due(&doc, &c, true, &err));
	sat_json_free(doc);
	assert_ok(sat_crm_report_made(&doc, &c, "won", "2024-06", &err));
	without(*state, "reports/won.json");
	if (sat_crm_report_made(&now, &c, "won", "2024-06", &err) != SAT_OK)
		fail_msg("%s", err.text);
	assert_int_equal(sat_json_count(sat_json_get(doc, "totals")),
	    sat_json_count(sat_json_get(now, "totals")));
	sat_json_free(doc);
	sat_json_free(now);
}

static void
what_came_later_is_said_of_each_record(void **state)
{
	fixture *f = *state;
	t1 t;
	sat_crm c = crm_of(f);
	const sat_report_opts o = { .period = MAY };
	sat_json *was, *doc;
	char late[SAT_ID_TEXT], acc[SAT_ID_TEXT], of[48];
	const sat_json *r;
	size_t n = 0;
	sat_id id;
	sat_err err = { 0 };

	fill(&t, f);
	was = frozen(f, "won", NULL);
	sat_id_text(acc, &t.c[5]);
	(void)snprintf(of, sizeof of, "account=%s", acc);
	id = create(f, f->opportunity, LIST("name=late", of, "amount=50000",
	    "stage=won", "won_at=2024-05-30T02:00:00Z", "owner=u2"));
	sat_id_text(late, &id);
	assert_ok(sat_crm_report_rows(&doc, &c, "won", &o, NULL, "won_amount", 0,
	    &err));
	assert_string_equal(id_of(was), sat_json_get_str(doc, "frozen_id", ""));
	assert_int_equal(3, sat_json_get_int(doc, "total", 0));
	for (r = sat_json_first(sat_json_get(doc, "data")); r != NULL;
	     r = sat_json_next(r)) {
		bool is = strcmp(sat_json_get_str(r, "id", ""), late) == 0;

		assert_int_equal(is, sat_json_get_bool(r, "late", !is));
		n += is;
	}
	assert_int_equal(1, n);
	sat_json_free(doc);
	sat_json_free(was);
}

/* Behind a formula are the records of its parts. */
static void
a_formula_has_records_too(void **state)
{
	fixture *f = *state;
	t1 t;
	sat_crm c = crm_of(f);
	const sat_report_opts o = { .period = MAY };
	char acc[SAT_ID_TEXT], of[48];
	sat_json *doc;
	sat_err err = { 0 };

	fill(&t, f);
	sat_id_text(acc, &t.c[5]);
	(void)snprintf(of, sizeof of, "account=%s", acc);
	(void)create(f, sat_template_kind(sat_replica_template(f->r), "order"),
	    LIST(of, "amount=50", "ordered_at=2024-05-20T02:00:00Z"));
	assert_ok(sat_crm_report_rows(&doc, &c, "clv", &o, NULL, "frequency", 0,
	    &err));
	assert_int_equal(1, sat_json_get_int(doc, "total", 0));
	sat_json_free(doc);
}

#define FROZEN(t) cmocka_unit_test_setup_teardown(t, setup_frozen, \
	teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		FROZEN(me_is_another_question_of_another_person),
		FROZEN(a_label_and_its_key_are_one_question),
		FROZEN(numbers_outlive_their_definition),
		FROZEN(what_was_made_outlives_its_definition),
		FROZEN(what_came_later_is_said_of_each_record),
		FROZEN(a_formula_has_records_too),
	};

	(void)stage;
	(void)run;
	(void)cell;
	(void)ratio;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
