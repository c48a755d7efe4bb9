/* A company that edited its template for years: no answer carries all of it. */
#include "tests/lib/unit.h"

#include "tests/unit/client/sync/company.h"

enum { LI, SU, REVISIONS = 7, LARGE = 700 * 1024 };

typedef struct files {
	sat_git_file f[256];
	size_t n;
	sat_arena a;
} files;

static int
gather(void *u, const char *path, sat_span bytes)
{
	files *x = u;

	assert_true(x->n < 255);
	if (strcmp(path, "large.md") == 0)
		return 0;
	x->f[x->n].path = sat_arena_str(&x->a, path, strlen(path));
	x->f[x->n++].bytes = sat_span_of(sat_arena_dup(&x->a, bytes.p,
	    bytes.n), bytes.n);
	return 0;
}

/* Seven edits of one large document: 5 MB of history. */
static void
edit_for_years(company *c)
{
	sat_git_author who = { "t", "t@x", c->now_ms, c->tmpl_sk, c->tmpl_pk };
	char *text = sat_xmalloc(LARGE);
	files x = { .n = 0 };
	sat_err err = { 0 };

	assert_ok(sat_git_walk(c->git, &c->tip, gather, &x, &err));
	for (int i = 0; i < REVISIONS; i++) {
		memset(text, 'a' + i, LARGE);
		x.f[x.n] = (sat_git_file){ "large.md",
			sat_span_of((uint8_t *)text, LARGE) };
		who.when_ms += 1000;
		assert_ok(sat_git_commit(&c->tip, c->git,
		    "refs/heads/published", x.f, x.n + 1, &who, "edit", &err));
	}
	sat_arena_fini(&x.a);
	free(text);
}

static int
setup(void **state)
{
	company *c = company_new(61);

	company_staff(c, "li rep east, su service east");
	*state = c;
	return 0;
}

static void
assert_whole(company *c, size_t i)
{
	assert_memory_equal(c->tip.b, sat_replica_template_oid(c->r[i]),
	    sizeof c->tip.b);
	assert_true(c->stats.complete);
	assert_same(c, i);
	company_sound(c, i);
}

static void
a_new_device_has_all_of_it_in_one_session(void **state) /* P-451 */
{
	company *c = *state;

	edit_for_years(c);
	(void)company_device(c, "li");
	company_sync(c, LI);
	assert_int_equal(2, c->types[SAT_MSG_TEMPLATE]);
	assert_whole(c, LI);
	(void)company_account(c, LI, "Firm", "li");
	company_sync(c, LI);
	assert_int_equal(0, c->types[SAT_MSG_TEMPLATE]);
	assert_int_equal(1, c->stats.accepted);
	/* one who is shown less is shown it by the newest */
	(void)company_device(c, "su");
	company_sync(c, SU);
	assert_int_equal(2, c->types[SAT_MSG_TEMPLATE]);
	assert_whole(c, SU);
}

static void
who_was_away_brings_his_work_with_the_same_session(void **state) /* P-451 */
{
	company *c = *state;

	(void)company_device(c, "li");
	company_sync(c, LI);
	(void)company_account(c, LI, "Firm", "li");
	edit_for_years(c);
	company_sync(c, LI);
	assert_int_equal(2, c->types[SAT_MSG_TEMPLATE]);
	assert_int_equal(1, c->stats.pushed);
	assert_whole(c, LI);
}

/* The link is lost behind each answer. */
static void
a_session_that_is_cut_goes_on_with_the_next_part(void **state) /* P-451 */
{
	company *c = *state;
	size_t asked = 0;

	edit_for_years(c);
	(void)company_device(c, "li");
	for (c->stop_after = 1; c->stop_after < 5; c->stop_after++) {
		company_sync(c, LI);
		asked += c->types[SAT_MSG_TEMPLATE];
	}
	c->stop_after = 0;
	company_sync(c, LI);
	assert_int_equal(2, asked + c->types[SAT_MSG_TEMPLATE]);
	assert_whole(c, LI);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    a_new_device_has_all_of_it_in_one_session, setup,
		    company_end),
		cmocka_unit_test_setup_teardown(
		    who_was_away_brings_his_work_with_the_same_session, setup,
		    company_end),
		cmocka_unit_test_setup_teardown(
		    a_session_that_is_cut_goes_on_with_the_next_part, setup,
		    company_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
