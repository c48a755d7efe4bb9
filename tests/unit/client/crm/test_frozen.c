/*
 * Frozen numbers (client/crm/freeze*.c): whose question they answer, what is
 * left of them when their definition is gone, and the records behind them.
 */
#include "tests/lib/unit.h"

#include "client/crm/report.h"
#include "tests/unit/client/crm/report_fixture.h"

/* Of headquarters are user 1, who sits here, and user 5. */
static void
heads(fixture *f, const char *first, const char *fifth)
{
	sat_user users[4] = { { 1, first, first, "hq", 1, false },
		{ 2, "u1", "Ada One", "rep", 1, false },
		{ 3, "u2", "Bob Two", "rep", 2, false },
		{ 5, fifth, fifth, "hq", 1, false } };

	staff(f, users, 4);
}

static int
setup_frozen(void **state)
{
	int rc = setup_complete(state);

	heads(*state, "boss", "second");
	return rc;
}

/* What one of sat_crm_report_run() and sat_crm_freeze() says of May. */
static sat_json *
of_may(sat_rc (*verb)(sat_json **out, sat_crm *c, const char *key,
    const sat_report_opts *o, sat_err *e), fixture *f, const char *key,
    const char *param)
{
	sat_crm c = crm_of(f);
	sat_report_opts o = { .period = MAY, .params = &param,
		.nparams = param != NULL };
	sat_json *doc;
	sat_err err = { 0 };

	assert_ok(verb(&doc, &c, key, &o, &err));
	return doc;
}

static sat_json *
ask(fixture *f, const char *key, const char *param)
{
	return of_may(sat_crm_report_run, f, key, param);
}

static sat_json *
frozen(fixture *f, const char *key, const char *param)
{
	return of_may(sat_crm_freeze, f, key, param);
}

/* The records behind one of its measures, in May. */
static sat_json *
behind(fixture *f, const char *key, const char *measure)
{
	sat_crm c = crm_of(f);
	const sat_report_opts o = { .period = MAY };
	sat_json *doc;
	sat_err err = { 0 };

	assert_ok(sat_crm_report_rows(&doc, &c, key, &o, NULL, measure, 0,
	    &err));
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
	heads(*state, "second", "boss");
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
numbers_outlive_their_definition(void **state)
{
	t1 t;
	sat_crm c = crm_of(*state);
	sat_json *was, *now;
	sat_buf a = { 0 }, b = { 0 };
	sat_err err = { 0 };

	fill(&t, *state);
	was = frozen(*state, "won", NULL);
	give_base(*state, "reports/won.json", NULL);
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
	give_base(*state, "reports/won.json", NULL);
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
	sat_json *was, *doc;
	char late[SAT_ID_TEXT];
	const sat_json *r;
	size_t n = 0;
	sat_id id;

	fill(&t, f);
	was = frozen(f, "won", NULL);
	id = create(f, f->opportunity, LIST("name=late",
	    ref("account", t.c[5]), "amount=50000", "stage=won",
	    "won_at=2024-05-30T02:00:00Z", "owner=u2"));
	sat_id_text(late, &id);
	doc = behind(f, "won", "won_amount");
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

/* A measure of lost ones, put before those that were there. */
#define LOST(more) "\"measures\": [{\"key\": \"lost\", \"label\": {\"zh\": \"x\", " \
	"\"en\": \"x\"}, \"agg\": \"count\", \"period\": \"lost_at\"" more "},"

/* Of all records behind it: as many say that they came late, or did not. */
static void
said(fixture *f, const char *key, const char *measure, size_t late, size_t not)
{
	sat_json *doc = behind(f, key, measure);
	const sat_json *r = sat_json_first(sat_json_get(doc, "data"));
	size_t n[2] = { 0, 0 };

	assert_string_not_equal("", sat_json_get_str(doc, "frozen_id", ""));
	for (; r != NULL; r = sat_json_next(r))
		if (sat_json_get(r, "late") != NULL)
			n[sat_json_get_bool(r, "late", false)]++;
	assert_int_equal(late, n[1]);
	assert_int_equal(not, n[0]);
	sat_json_free(doc);
}

/* Two are won, one is lost: what the number counts did not come late because
 * the definition has another measure before it, and of a measure that was not
 * frozen nothing is said. */
static void
measures_of_another_definition_are_not_mixed_up(void **state)
{
	fixture *f = *state;
	t1 t;

	fill(&t, f);
	sat_json_free(frozen(f, "won", NULL));
	give_edited(f, "reports/won.json", "\"measures\": [", LOST(""));
	find_kinds(f);
	said(f, "won", "won_accounts", 0, 2);
	said(f, "won", "lost", 0, 0);
	said(f, "won", NULL, 0, 2);
	(void)create(f, f->opportunity, LIST("name=late",
	    ref("account", t.c[5]), "amount=50000", "stage=won",
	    "won_at=2024-05-30T02:00:00Z", "owner=u2"));
	said(f, "won", "won_accounts", 1, 2);
}

static void
of_other_rows_nothing_is_said(void **state)
{
	fixture *f = *state;
	t1 t;

	fill(&t, f);
	sat_json_free(frozen(f, "won", NULL));
	give_edited(f, "reports/won.json", "\"measures\": [",
	    "\"dims\": [{\"field\": \"owner\"}], "
	    "\"measures\": [");
	find_kinds(f);
	said(f, "won", "won_count", 0, 0);
}

/* Nobody sees it, and the columns are the same: nothing changed. */
static void
a_hidden_measure_changes_no_frozen_row(void **state)
{
	fixture *f = *state;
	const sat_json *delta;
	sat_json *now;
	t1 t;

	fill(&t, f);
	sat_json_free(frozen(f, "won", NULL));
	give_edited(f, "reports/won.json", "\"measures\": [",
	    LOST(", \"hidden\": true"));
	find_kinds(f);
	now = ask(f, "won", NULL);
	delta = sat_json_get(now, "delta");
	assert_true(sat_json_get_bool(delta, "comparable", false));
	assert_true(sat_json_get_bool(delta, "members_kept", false));
	assert_false(sat_json_get_bool(delta, "changed", true));
	sat_json_free(now);
}

/* Behind a formula are the records of its parts. */
static void
a_formula_has_records_too(void **state)
{
	fixture *f = *state;
	t1 t;
	sat_json *doc;

	fill(&t, f);
	(void)create(f, kind(f, "order"), LIST(ref("account", t.c[5]),
	    "amount=50", "ordered_at=2024-05-20T02:00:00Z"));
	doc = behind(f, "clv", "frequency");
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
		FROZEN(measures_of_another_definition_are_not_mixed_up),
		FROZEN(of_other_rows_nothing_is_said),
		FROZEN(a_hidden_measure_changes_no_frozen_row),
		FROZEN(a_formula_has_records_too),
	};

	(void)stage;
	(void)run;
	(void)cell;
	(void)ratio;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
