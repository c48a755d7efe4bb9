/* Who decides a conflict and until when; what is kept of past ones. */
#include "tests/lib/unit.h"

#include "tests/unit/client/crm/crm_fixture.h"

#define DAY ((int64_t)24 * 3600 * 1000)

static sat_user crew[] = {
	{ 1, "li", "Li", "rep", 1, false },
	{ 2, "gone", "Gone", "rep", 1, true },
	{ 3, "boss", "Boss", "manager", 1, false },
	{ 4, "other", "Other", "manager", 2, false },
	{ 5, "lone", "Lone", "rep", 3, false },
	{ 6, "hq", "Head", "hq", 0, false },
};
static sat_registry reg = { .users = crew, .nusers = 6 };

static sat_duty
duty(fixture *f, const char *owner, int64_t after_days)
{
	sat_duty d;

	sat_duty_of(&d, sat_replica_template(f->r), &reg,
	    owner != NULL ? sat_v_text(sat_span_str(owner)) : sat_v_null(),
	    1000, 1000 + after_days * DAY);
	return d;
}

static void
the_owner_decides_until_the_template_s_days_are_over(void **state)
{
	sat_duty d = duty(*state, "li", 3);

	assert_string_equal("li", d.assignee);
	assert_false(d.overdue);
	assert_false(d.escalated);
	assert_int_equal(1000 + 3 * DAY, d.due_ms);
}

static void
after_that_the_manager_of_the_owner_s_team(void **state)
{
	sat_duty d = duty(*state, "li", 4);

	assert_string_equal("boss", d.assignee);
	assert_true(d.overdue);
	assert_true(d.escalated);
}

static void
a_team_without_a_manager_goes_to_headquarters(void **state)
{
	assert_string_equal("hq", duty(*state, "lone", 4).assignee);
}

static void
a_disabled_or_unknown_owner_decides_nothing(void **state)
{
	sat_duty d = duty(*state, "gone", 0);

	assert_string_equal("boss", d.assignee);
	assert_true(d.escalated);
	assert_false(d.overdue);
	assert_string_equal("hq", duty(*state, NULL, 0).assignee);
	assert_string_equal("hq", duty(*state, "nobody", 0).assignee);
}

static void
nobody_above_leaves_it_with_the_owner(void **state)
{
	sat_user one[] = { { 1, "li", "Li", "rep", 1, false } };
	sat_registry small = { .users = one, .nusers = 1 };
	fixture *f = *state;
	sat_duty d;

	sat_duty_of(&d, sat_replica_template(f->r), &small,
	    sat_v_text(sat_span_str("li")), 0, 10 * DAY);
	assert_string_equal("li", d.assignee);
	assert_true(d.overdue);
	assert_false(d.escalated);
}

typedef struct tally {
	int n[4];
	uint16_t field;
	uint32_t device;
} tally;

static void
count_event(void *u, const sat_conflict_event *ev)
{
	tally *t = u;

	t->n[ev->what]++;
	t->field = ev->field != NULL ? ev->field->id : 0;
	t->device = ev->device;
}

static tally
tally_of(fixture *f)
{
	tally t = { { 0 }, 0, 0 };
	sat_err err;

	assert_ok(sat_replica_conflict_log(f->r, count_event, &t, &err));
	return t;
}

static void
what_happened_to_conflicts_is_kept(void **state)
{
	fixture *f = *state;
	sat_id id = customer(f, "Acme", "13900000000");
	sat_crm c = crm_of(f);
	sat_conflict *all;
	sat_duty d;
	uint64_t seen;
	size_t n, changed;
	sat_err err;
	tally t;

	srv_sync(f);
	assert_int_equal(0, tally_of(f).n[SAT_CONFLICT_OPENED]);
	seen = f->srv.n;
	srv_foreign_text(f, id, F_PHONE, "+8613900000002", seen);
	assert_ok(try_edit(&changed, f, f->account, id,
	    LIST("phone_main=13900000001"), &err));
	srv_sync(f);
	t = tally_of(f);
	assert_int_equal(1, t.n[SAT_CONFLICT_OPENED]);
	assert_int_equal(0, t.n[SAT_CONFLICT_SETTLED]);
	assert_int_equal(F_PHONE, t.field);
	assert_int_equal(DEV, t.device); /* the second one opens it */
	assert_ok(sat_replica_conflicts(&all, &n, &f->a, f->r, &err));
	assert_int_equal(1, n);
	assert_true(all[0].opened_ms > 0);
	assert_ok(sat_crm_duty(&d, &c, &all[0], &err));
	assert_string_equal("me", d.assignee);
	assert_ok(sat_crm_resolve(&c, all[0].key, "mine", sat_span_str(""),
	    &err));
	srv_sync(f);
	t = tally_of(f);
	assert_int_equal(1, t.n[SAT_CONFLICT_OPENED]);
	assert_int_equal(1, t.n[SAT_CONFLICT_SETTLED]);
	assert_sound(f);
}

static void
what_reads_alike_is_dismissed_and_counted(void **state)
{
	fixture *f = *state;
	sat_id id = customer(f, "Acme", "13900000000");
	size_t changed;
	uint64_t seen;
	sat_err err;
	tally t;

	srv_sync(f);
	seen = f->srv.n;
	srv_foreign_text(f, id, F_NAME, "上海云帆（集团）有限公司", seen);
	assert_ok(try_edit(&changed, f, f->account, id,
	    LIST("name=上海云帆(集团)"), &err));
	srv_sync(f);
	t = tally_of(f);
	assert_int_equal(0, t.n[SAT_CONFLICT_OPENED]);
	assert_int_equal(1, t.n[SAT_CONFLICT_DISMISSED]);
	assert_int_equal(F_NAME, t.field);
}


int
main(void)
{
	const struct CMUnitTest tests[] = {
		REP(the_owner_decides_until_the_template_s_days_are_over),
		REP(after_that_the_manager_of_the_owner_s_team),
		REP(a_team_without_a_manager_goes_to_headquarters),
		REP(a_disabled_or_unknown_owner_decides_nothing),
		REP(nobody_above_leaves_it_with_the_owner),
		REP(what_happened_to_conflicts_is_kept),
		REP(what_reads_alike_is_dismissed_and_counted),
	};

	sat_crypto_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
