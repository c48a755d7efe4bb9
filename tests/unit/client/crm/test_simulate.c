/*
 * What a draft of the template would change here (client/crm/simulate.c): said
 * before it is signed, and nothing is written.
 */
#include "tests/lib/unit.h"

#include "tests/unit/client/crm/crm_fixture.h"

#include "common/template/layers.h"

#define DAY ((int64_t)24 * 3600 * 1000)

typedef struct told {
	size_t n[SAT_SIM_N];
	sat_simulated last[SAT_SIM_N];
	char before[SAT_SIM_N][40], after[SAT_SIM_N][40];
} told;

static sat_rc
tell(void *u, const sat_simulated *s, sat_err *e)
{
	told *t = u;

	(void)e;
	t->n[s->what]++;
	t->last[s->what] = *s;
	(void)snprintf(t->before[s->what], sizeof t->before[0], "%s",
	    s->before != NULL ? s->before : "-");
	(void)snprintf(t->after[s->what], sizeof t->after[0], "%s",
	    s->after != NULL ? s->after : "-");
	return SAT_OK;
}

/* The base template with one document laid over. */
static told
with(fixture *f, const char *path, const char *text)
{
	sat_template_file one = { path, sat_span_str(text) };
	sat_layer base, over = { &one, 1 }, out;
	sat_crm c = crm_of(f);
	sat_arena a = { 0 };
	sat_template *draft;
	told t = { .n = { 0 } };
	sat_err err = { 0 };

	base.files = sat_template_base(&base.n);
	assert_ok(sat_layer_overlay(&out, &a, &base, &over, &err));
	assert_ok(sat_template_load(&draft, out.files, out.n, &err));
	assert_ok(sat_crm_simulate(&c, draft, tell, &t, &err));
	sat_template_free(draft);
	sat_arena_fini(&a);
	return t;
}

static size_t
all(const told *t)
{
	size_t n = 0;

	for (size_t i = 0; i < SAT_SIM_N; i++)
		n += t->n[i];
	return n;
}

static void
the_template_in_force_changes_nothing(void **state)
{
	fixture *f = *state;
	told t;

	(void)customer(f, "River Works", "13812345678");
	t = with(f, "template.json", "{\"version\": \"9.9.9\"}");
	assert_int_equal(0, all(&t));
}

/* Neither the rules in force nor the draft's need a pool. */
static void
a_company_without_a_pool_simulates(void **state)
{
	fixture *f = *state;
	told t;

	(void)customer(f, "River Works", "13812345678");
	give_base(f, "policy/pool.json", "{\"pools\": []}");
	find_kinds(f);
	t = with(f, "template.json", "{\"version\": \"9.9.9\"}");
	assert_int_equal(0, all(&t));
}

static void
a_rule_that_asks_for_more_names_what_would_lack_it(void **state)
{
	static const char *const rule = "{\"fields\": [{\"key\": \"sector\", "
	    "\"purpose\": \"x\", \"required_when\": \"source=fair\"}]}";
	fixture *f = *state;
	sat_id a = customer(f, "River Works", "13812345678");
	sat_id b = customer(f, "Hill Mills", "13912345678");
	size_t changed;
	sat_err err = { 0 };
	told t;

	assert_ok(try_edit(&changed, f, f->account, b, LIST("sector=steel"),
	    &err));
	t = with(f, "fields/account.json", rule);
	assert_int_equal(1, all(&t));
	assert_int_equal(1, t.n[SAT_SIM_INCOMPLETE]);
	assert_true(sat_id_eq(&a, &t.last[SAT_SIM_INCOMPLETE].id));
	assert_string_equal("sector", t.after[SAT_SIM_INCOMPLETE]);
	/* looking wrote nothing */
	t = with(f, "fields/account.json", rule);
	assert_int_equal(1, all(&t));
}

static void
other_thresholds_move_grades_but_not_those_a_person_typed(void **state)
{
	static const char *const lower = "{\"thresholds\": [{\"grade\": "
	    "\"strategic\", \"min\": 1}]}";
	fixture *f = *state;
	const sat_kind *order = sat_template_kind(sat_replica_template(f->r),
	    "order");
	sat_id a = customer(f, "River Works", "13812345678");
	sat_id b = customer(f, "Hill Mills", "13912345678");
	char on[2][80], id[SAT_ID_TEXT];
	size_t changed;
	sat_err err = { 0 };
	told t;

	sat_id_text(id, &a);
	(void)snprintf(on[0], sizeof on[0], "account=%s", id);
	sat_id_text(id, &b);
	(void)snprintf(on[1], sizeof on[1], "account=%s", id);
	(void)made(f, order, LIST(on[0], "amount=2000"));
	(void)made(f, order, LIST(on[1], "amount=2000"));
	assert_ok(try_edit(&changed, f, f->account, b, LIST("grade=key",
	    "grade_reason=new plant"), &err));
	t = with(f, "policy/grading.json", lower);
	assert_int_equal(1, t.n[SAT_SIM_GRADE]);
	assert_int_equal(1, all(&t));
	assert_true(sat_id_eq(&a, &t.last[SAT_SIM_GRADE].id));
	assert_string_equal("normal", t.before[SAT_SIM_GRADE]);
	assert_string_equal("strategic", t.after[SAT_SIM_GRADE]);
}

static void
a_shorter_patience_names_the_customers_the_pool_would_take(void **state)
{
	static const char *const shorter = "{\"pools\": [{\"key\": \"public\", "
	    "\"reclaim\": [{\"no_follow_d\": 10, \"warn_before_d\": 1}]}]}";
	static const char *const longer = "{\"pools\": [{\"key\": \"public\", "
	    "\"reclaim\": [{\"no_follow_d\": 300, \"warn_before_d\": 1}]}]}";
	fixture *f = *state;
	sat_id a = customer(f, "River Works", "13812345678");
	told t;

	f->now_ms += 9 * DAY;
	t = with(f, "policy/pool.json", shorter);
	assert_int_equal(0, all(&t)); /* a warning takes nothing */
	f->now_ms += 2 * DAY;
	t = with(f, "policy/pool.json", shorter);
	assert_int_equal(1, all(&t));
	assert_int_equal(1, t.n[SAT_SIM_POOL]);
	assert_true(sat_id_eq(&a, &t.last[SAT_SIM_POOL].id));
	assert_string_equal("public", t.after[SAT_SIM_POOL]);
	f->now_ms += 60 * DAY;
	t = with(f, "policy/pool.json", longer);
	assert_int_equal(1, t.n[SAT_SIM_KEPT]);
	assert_int_equal(1, all(&t));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		HQ(a_company_without_a_pool_simulates),
		cmocka_unit_test_setup_teardown(
		    the_template_in_force_changes_nothing, setup_hq, teardown),
		cmocka_unit_test_setup_teardown(
		    a_rule_that_asks_for_more_names_what_would_lack_it, setup_hq,
		    teardown),
		cmocka_unit_test_setup_teardown(
		    other_thresholds_move_grades_but_not_those_a_person_typed,
		    setup_hq, teardown),
		cmocka_unit_test_setup_teardown(
		    a_shorter_patience_names_the_customers_the_pool_would_take,
		    setup_hq, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
