/*
 * Rules that make tasks, on one device (client/crm/rules.c: Y1 to Y3), how long
 * records stay in a stage, and who went the way of the flow.
 */
#include "tests/lib/unit.h"

#include "tests/unit/client/crm/crm_fixture.h"

#define DAY ((int64_t)24 * 3600 * 1000)

static sat_rule_item *
run(size_t *n, fixture *f, sat_arena *a, int64_t days, bool dry, const char *only)
{
	sat_crm c = crm_of(f);
	sat_rules_opts o = { .as_of_ms = f->now_ms + days * DAY, .dry_run = dry,
		.only = only };
	sat_rule_item *v = NULL;
	sat_err err = { 0 };

	if (sat_crm_rules(&v, n, a, &c, &o, &err) != SAT_OK)
		fail_msg("%s", err.text);
	return v;
}

static const sat_kind *
kind(fixture *f, const char *key)
{
	return sat_template_kind(sat_replica_template(f->r), key);
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
	sat_arena a = { 0 };
	sat_rule_item *one, *two;
	size_t n, m;

	(void)customer(f, "River Works", "13812345678");
	one = run(&n, f, &a, 3, true, "follow_due");
	assert_int_equal(1, n);
	assert_int_equal(0, tasks(f)); /* dry */
	two = run(&m, f, &a, 3, false, "follow_due");
	assert_int_equal(1, m);
	assert_int_equal(SAT_RULE_MAKES, two[0].what);
	assert_true(sat_id_eq(&one[0].task, &two[0].task));
	assert_string_equal(one[0].period, two[0].period);
	(void)run(&n, f, &a, 3, false, "follow_due");
	assert_int_equal(0, n);
	(void)run(&n, f, &a, 4, false, "follow_due"); /* nor a day later */
	assert_int_equal(0, n);
	assert_int_equal(1, tasks(f));
	sat_arena_fini(&a);
}

static void
what_is_done_or_deleted_is_not_made_again(void **state) /* Y3 */
{
	fixture *f = *state;
	sat_crm c = crm_of(f);
	sat_arena a = { 0 };
	sat_rule_item *v;
	size_t n, changed;
	sat_err err = { 0 };

	(void)customer(f, "River Works", "13812345678");
	v = run(&n, f, &a, 3, false, "follow_due");
	assert_int_equal(1, n);
	assert_ok(try_edit(&changed, f, kind(f, "task"), v[0].task,
	    LIST("state=done"), &err));
	(void)run(&n, f, &a, 3, false, "follow_due");
	assert_int_equal(0, n);
	assert_ok(sat_crm_delete(&c, kind(f, "task"), &v[0].task, false, &err));
	(void)run(&n, f, &a, 3, false, "follow_due");
	assert_int_equal(0, n);
	sat_arena_fini(&a);
}

static void
what_is_long_past_is_not_made(void **state)
{
	fixture *f = *state;
	sat_arena a = { 0 };
	size_t n;

	(void)customer(f, "River Works", "13812345678");
	(void)run(&n, f, &a, 40, false, "follow_due");
	assert_int_equal(0, n);
	sat_arena_fini(&a);
}

static void
a_lost_customer_s_tasks_are_cancelled(void **state)
{
	fixture *f = *state;
	sat_arena a = { 0 };
	sat_rule_item *v;
	size_t n, changed;
	sat_err err = { 0 };
	sat_id id = customer(f, "River Works", "13812345678");

	(void)run(&n, f, &a, 3, false, "follow_due");
	assert_ok(try_edit(&changed, f, f->account, id, LIST("status=lost",
	    "lost_reason=budget"), &err));
	v = run(&n, f, &a, 3, false, "follow_due");
	assert_int_equal(1, n);
	assert_int_equal(SAT_RULE_CANCELS, v[0].what);
	(void)run(&n, f, &a, 3, false, "follow_due");
	assert_int_equal(0, n);
	sat_arena_fini(&a);
}

static sat_id
deal(fixture *f, sat_id account, const char *name)
{
	char id[SAT_ID_TEXT], of[40], is[64];

	sat_id_text(id, &account);
	(void)snprintf(of, sizeof of, "account=%s", id);
	(void)snprintf(is, sizeof is, "name=%s", name);
	return made(f, kind(f, "opportunity"), LIST(of, is));
}

static void
move(fixture *f, sat_id id, const char *stage, int64_t after_days)
{
	sat_crm c = crm_of(f);
	sat_err err = { 0 };

	f->now_ms += after_days * DAY;
	f->boot_ms += after_days * DAY;
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
	sat_arena a = { 0 };
	sat_stuck *v;
	size_t n;
	sat_err err = { 0 };

	for (int64_t days = 1; days <= 3; days++) /* 1, 2 and 3 days: median 2 */
		move(f, deal(f, acc, "deal"), "need_confirmed", days);
	slow = deal(f, acc, "slow");
	o.now_ms = f->now_ms + 4 * DAY;
	assert_ok(sat_crm_stuck(&v, &n, &a, &c, kind(f, "opportunity"), &o,
	    &err));
	for (size_t i = 0; i < n; i++)
		assert_false(sat_id_eq(&v[i].id, &slow));
	o.now_ms += 1;
	assert_ok(sat_crm_stuck(&v, &n, &a, &c, kind(f, "opportunity"), &o,
	    &err));
	for (size_t i = 0; i < n; i++)
		if (sat_id_eq(&v[i].id, &slow)) {
			assert_int_equal(2 * DAY, v[i].median_ms);
			sat_arena_fini(&a);
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
	sat_arena a = { 0 };
	sat_conform *v;
	size_t n;
	sat_err err = { 0 };

	move(f, deal(f, acc, "short"), "negotiation", 1);
	assert_ok(sat_crm_conform(&v, &n, &a, &c, flow, 0, INT64_MAX, &err));
	assert_int_equal(1, n);
	assert_false(v[0].conform);
	assert_string_equal("need_confirmed", v[0].skipped->key);
	sat_arena_fini(&a);
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
		cmocka_unit_test_setup_teardown(a_skipped_step_is_told,
		    setup_rep, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
