/*
 * Rules that make tasks, on one device (client/crm/rules.c: Y1 to Y3), how long
 * records stay in a stage, and who went the way of the flow.
 */
#include "tests/lib/unit.h"

#include "tests/unit/client/crm/crm_fixture.h"

#define DAY ((int64_t)24 * 3600 * 1000)

static sat_rule_item *
run(size_t *n, fixture *f, int64_t days, bool dry, const char *only)
{
	sat_crm c = crm_of(f);
	sat_rules_opts o = { .as_of_ms = f->now_ms + days * DAY, .dry_run = dry,
		.only = only };
	sat_rule_item *v = NULL;
	sat_err err = { 0 };

	if (sat_crm_rules(&v, n, &f->a, &c, &o, &err) != SAT_OK)
		fail_msg("%s", err.text);
	return v;
}

static int64_t
tasks(fixture *f)
{
	return count_of(f, kind(f, "task"));
}

static void
a_second_run_does_nothing(void **state) /* Y1, Y2 */
{
	fixture *f = *state;
	sat_rule_item *one, *two;
	size_t n, m;

	(void)customer(f, "River Works", "13812345678");
	one = run(&n, f, 3, true, "follow_due");
	assert_int_equal(1, n);
	assert_int_equal(0, tasks(f)); /* dry */
	two = run(&m, f, 3, false, "follow_due");
	assert_int_equal(1, m);
	assert_int_equal(SAT_RULE_MAKES, two[0].what);
	assert_true(sat_id_eq(&one[0].task, &two[0].task));
	assert_string_equal(one[0].period, two[0].period);
	(void)run(&n, f, 3, false, "follow_due");
	assert_int_equal(0, n);
	(void)run(&n, f, 4, false, "follow_due"); /* nor a day later */
	assert_int_equal(0, n);
	assert_int_equal(1, tasks(f));
}

static void
what_is_done_or_deleted_is_not_made_again(void **state) /* Y3 */
{
	fixture *f = *state;
	sat_crm c = crm_of(f);
	sat_rule_item *v;
	size_t n, changed;
	sat_err err = { 0 };

	(void)customer(f, "River Works", "13812345678");
	v = run(&n, f, 3, false, "follow_due");
	assert_int_equal(1, n);
	assert_ok(try_edit(&changed, f, kind(f, "task"), v[0].task,
	    LIST("state=done"), &err));
	(void)run(&n, f, 3, false, "follow_due");
	assert_int_equal(0, n);
	assert_ok(sat_crm_delete(&c, kind(f, "task"), &v[0].task, false, &err));
	(void)run(&n, f, 3, false, "follow_due");
	assert_int_equal(0, n);
}

static void
what_is_long_past_is_not_made(void **state)
{
	fixture *f = *state;
	size_t n;

	(void)customer(f, "River Works", "13812345678");
	(void)run(&n, f, 40, false, "follow_due");
	assert_int_equal(0, n);
}

static void
a_lost_customer_s_tasks_are_cancelled(void **state)
{
	fixture *f = *state;
	sat_rule_item *v;
	size_t n, changed;
	sat_err err = { 0 };
	sat_id id = customer(f, "River Works", "13812345678");

	(void)run(&n, f, 3, false, "follow_due");
	assert_ok(try_edit(&changed, f, f->account, id, LIST("status=lost",
	    "lost_reason=budget"), &err));
	v = run(&n, f, 3, false, "follow_due");
	assert_int_equal(1, n);
	assert_int_equal(SAT_RULE_CANCELS, v[0].what);
	(void)run(&n, f, 3, false, "follow_due");
	assert_int_equal(0, n);
}

static sat_id
deal(fixture *f, sat_id account, const char *name)
{
	char is[64];

	(void)snprintf(is, sizeof is, "name=%s", name);
	return child(f, "opportunity", account, LIST(is));
}

static void
move(fixture *f, sat_id id, const char *stage, int64_t after_days)
{
	sat_crm c = crm_of(f);
	sat_err err = { 0 };

	passes(f, after_days * DAY);
	if (sat_crm_stage(&c, kind(f, "opportunity"), &id, stage, NULL, &err) !=
	    SAT_OK)
		fail_msg("%s", err.text);
}

static void
stuck_is_twice_the_median_of_those_that_passed(void **state)
{
	fixture *f = *state;
	sat_crm c = crm_of(f);
	sat_id acc = customer(f, "River Works", "13812345678"), slow;
	sat_stuck_opts o = { .factor = 200 };
	sat_stuck *v;
	size_t n;
	sat_err err = { 0 };

	for (int64_t days = 1; days <= 3; days++) /* 1, 2 and 3 days: median 2 */
		move(f, deal(f, acc, "deal"), "need_confirmed", days);
	slow = deal(f, acc, "slow");
	o.now_ms = f->now_ms + 4 * DAY;
	assert_ok(sat_crm_stuck(&v, &n, &f->a, &c, kind(f, "opportunity"), &o,
	    &err));
	for (size_t i = 0; i < n; i++)
		assert_false(sat_id_eq(&v[i].id, &slow));
	o.now_ms += 1;
	assert_ok(sat_crm_stuck(&v, &n, &f->a, &c, kind(f, "opportunity"), &o,
	    &err));
	for (size_t i = 0; i < n; i++)
		if (sat_id_eq(&v[i].id, &slow)) {
			assert_int_equal(2 * DAY, v[i].median_ms);
					return;
		}
	fail_msg("the slow one is not stuck");
}

static void
a_skipped_step_is_told(void **state)
{
	fixture *f = *state;
	sat_crm c = crm_of(f);
	const sat_flow *flow = sat_flow_of(sat_replica_template(f->r),
	    kind(f, "opportunity"));
	sat_id acc = customer(f, "River Works", "13812345678");
	sat_conform *v;
	size_t n;
	sat_err err = { 0 };

	move(f, deal(f, acc, "short"), "negotiation", 1);
	assert_ok(sat_crm_conform(&v, &n, &f->a, &c, flow, 0, INT64_MAX, &err));
	assert_int_equal(1, n);
	assert_false(v[0].conform);
	assert_string_equal("need_confirmed", v[0].skipped->key);
}

/* Tasks of the rule that a run in so many days makes. */
static size_t
makes(fixture *f, int64_t days, const char *rule)
{
	size_t n, found = 0;
	sat_rule_item *v = run(&n, f, days, false, NULL);

	for (size_t i = 0; i < n; i++)
		found += v[i].what == SAT_RULE_MAKES &&
		    strcmp(v[i].rule, rule) == 0;
	return found;
}

static void
without_pools_the_other_rules_go_on(void **state)
{
	fixture *f = *state;

	give_base(f, "policy/pool.json", "{\"pools\": []}");
	(void)customer(f, "River Works", "13812345678");
	assert_int_equal(1, makes(f, 3, "follow_due"));
}

static void
rights(fixture *f, sat_id account, const char *note)
{
	(void)child(f, "rights_request", account, LIST(note,
	    "asks_for=access", "due_at=2023-11-22"));
}

/* A title that a task takes: whole characters, at most two hundred. */
static void
a_long_title_is_cut_to_what_a_task_takes(void **state)
{
	static const char *const notes[] = { "x", "\xe9\x98\xbf", "a  " };
	fixture *f = *state;
	sat_id acc = customer(f, "River Works", "13812345678");
	char note[1200];

	for (size_t i = 0; i < 3; i++) {
		(void)snprintf(note, sizeof note, "note=1");
		while (strlen(note) + strlen(notes[i]) < 320)
			(void)strncat(note, notes[i], 4);
		note[strlen(note) - 1] = note[strlen(note) - 1] == ' ' ? 'y' :
		    note[strlen(note) - 1];
		rights(f, acc, note);
	}
	assert_int_equal(3, makes(f, 3, "rights_due"));
}

static void
what_is_refused_is_told_and_passed_over(void **state)
{
	fixture *f = *state;
	sat_rule_item *v;
	size_t n, fine;

	give_edited(f, "fields/task.json", "\"key\": \"title\", ",
	    "\"key\": \"title\", \"min_len\": 20, ");
	(void)customer(f, "River Works", "13812345678");
	(void)customer(f, "River Works of the Far North", "13812345679");
	v = run(&n, f, 3, false, "follow_due");
	assert_int_equal(2, n);
	fine = v[0].what == SAT_RULE_MAKES ? 0 : 1;
	assert_int_equal(SAT_RULE_MAKES, v[fine].what);
	assert_int_equal(SAT_RULE_FAILS, v[1 - fine].what);
	assert_non_null(strstr(v[1 - fine].why, "title length"));
	assert_int_equal(1, tasks(f));
}

/* He still sees what he gave away: whether a task is his is asked of the rule. */
static void
what_was_given_away_is_not_his_task(void **state)
{
	fixture *f = *state;
	sat_crm c = crm_of(f);
	sat_id acc = customer(f, "River Works", "13812345678");
	sat_rule_item *v;
	size_t n;
	sat_err err = { 0 };

	rights(f, acc, "note=all of it");
	v = run(&n, f, 3, false, "rights_due");
	assert_int_equal(1, n);
	(void)run(&n, f, 4, false, "rights_due");
	assert_int_equal(0, n); /* his */
	assert_ok(sat_crm_assign(&c, f->account, &acc, "u1", &err));
	v = run(&n, f, 4, false, "rights_due");
	assert_int_equal(1, n);
	assert_int_equal(SAT_RULE_CANCELS, v[0].what);
}

/* me is a rep whose proposals u1, a manager, agrees to. */
static void
with_a_manager(fixture *f)
{
	sat_user users[2] = { { 1, "me", "Me Myself", "rep", 1, false },
		{ 2, "u1", "Ada One", "manager", 1, false } };

	staff(f, users, 2);
}

/* One Latin digit and then Chinese: no number of bytes ends with a character. */
static void
an_approval_of_a_long_title_is_asked_for(void **state)
{
	fixture *f = *state;
	sat_crm c = crm_of(f);
	char title[620] = "title=1";
	sat_approval_is is;
	sat_err err = { 0 };
	sat_id p;

	with_a_manager(f);
	for (size_t i = 0; i < 70; i++)
		(void)strncat(title, "\xe6\x96\xb9", 4);
	p = child(f, "proposal", customer(f, "River Works", "13812345678"),
	    LIST(title, "proposal_kind=custom"));
	if (sat_crm_submit(&is, &f->a, &c, kind(f, "proposal"), &p, NULL, &err) !=
	    SAT_OK)
		fail_msg("%s", err.text);
	assert_int_equal(1, is.nasked);
	assert_string_equal("u1", is.asked[0].user);
	assert_int_equal(1, tasks(f));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_second_run_does_nothing,
		    setup_rep, teardown),
		cmocka_unit_test_setup_teardown(
		    what_is_done_or_deleted_is_not_made_again, setup_hq,
		    teardown),
		cmocka_unit_test_setup_teardown(what_is_long_past_is_not_made,
		    setup_rep, teardown),
		cmocka_unit_test_setup_teardown(
		    a_lost_customer_s_tasks_are_cancelled, setup_rep, teardown),
		cmocka_unit_test_setup_teardown(
		    stuck_is_twice_the_median_of_those_that_passed, setup_rep,
		    teardown),
		REP(without_pools_the_other_rules_go_on),
		REP(a_long_title_is_cut_to_what_a_task_takes),
		HQ(what_was_given_away_is_not_his_task),
		REP(an_approval_of_a_long_title_is_asked_for),
		REP(what_is_refused_is_told_and_passed_over),
		cmocka_unit_test_setup_teardown(a_skipped_step_is_told,
		    setup_rep, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
