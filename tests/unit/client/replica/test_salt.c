/* Salts that come from a seed and need not be sent (P-068). */
#include "tests/unit/client/replica/fixture.h"

#include "common/db/db.h"

static int64_t
seeds_kept(fixture *f)
{
	sat_stmt *s;
	int64_t n;
	bool row;
	sat_err err;

	assert_ok(sat_db_stmt_text(&s, sat_replica_db(f->r),
	    "SELECT count(*) FROM salt_seed", &err));
	assert_ok(sat_step(&row, s, &err));
	n = sat_col_int(s, 0);
	sat_stmt_reset(s);
	return n;
}

/* What waits, as a batch; the commits in *c. */
static size_t
batch_of(fixture *f, sat_arena *a, sat_buf *b, sat_commit **c)
{
	sat_push push = { 0 };
	size_t n;
	sat_err err;

	assert_ok(f->ops.outbox(f->ops.u, a, &push, c, &n, 0, &err));
	sat_buf_reset(b);
	assert_ok(sat_batch_write(b, SAT_BATCH_PUSH, *c, n, &err));
	return n;
}

static void
commits_pushed_together_share_one_seed(void **state)
{
	fixture *f = *state;
	sat_arena a = { 0 };
	sat_buf b = { 0 };
	sat_commit *c, *got;
	sat_id id = new_account(f, "A", "1");
	size_t n, m;
	sat_err err;

	for (int i = 0; i < 20; i++)
		(void)set_text(f, id, F_NAME, i % 2 ? "x" : "y");
	n = batch_of(f, &a, &b, &c);
	assert_int_equal(21, n);
	for (size_t i = 0; i < n; i++) {
		assert_non_null(c[i].seed);
		assert_int_equal(i, c[i].seed_at);
	}
	/* what the server reads has the same salts, each another */
	assert_ok(sat_batch_read(&got, &m, &a, SAT_BATCH_PUSH,
	    sat_buf_span(&b), &err));
	assert_int_equal(n, m);
	for (size_t i = 0; i < n; i++) {
		assert_memory_equal(c[i].salt, got[i].salt, SAT_SALT_BYTES);
		assert_true(i == 0 || memcmp(got[i].salt, got[i - 1].salt,
		    SAT_SALT_BYTES) != 0);
	}
	assert_true(b.n < 21 * SAT_SALT_BYTES);
	sat_buf_fini(&b);
	sat_arena_fini(&a);
}

static void
a_seed_is_forgotten_with_its_verdicts(void **state)
{
	fixture *f = *state;
	sat_arena a = { 0 };
	sat_buf b = { 0 };
	uint8_t first[SAT_SALT_BYTES];
	sat_commit *c;
	sat_id id = new_account(f, "A", "1");

	(void)batch_of(f, &a, &b, &c);
	memcpy(first, c[0].seed, sizeof first);
	assert_int_equal(1, seeds_kept(f));
	srv_sync(f);
	assert_int_equal(0, seeds_kept(f));
	(void)set_text(f, id, F_NAME, "B");
	assert_int_equal(1, (int)batch_of(f, &a, &b, &c));
	assert_memory_not_equal(first, c[0].seed, sizeof first);
	assert_int_equal(0, c[0].seed_at);
	sat_buf_fini(&b);
	sat_arena_fini(&a);
}

static void
a_seed_goes_on_over_a_restart(void **state)
{
	fixture *f = *state;
	sat_arena a = { 0 };
	sat_buf b = { 0 };
	sat_commit *c;
	sat_id id = new_account(f, "A", "1");

	reopen(f);
	(void)set_text(f, id, F_NAME, "B");
	assert_int_equal(2, (int)batch_of(f, &a, &b, &c));
	assert_int_equal(1, seeds_kept(f));
	assert_int_equal(1, c[1].seed_at);
	srv_sync(f);
	assert_same_as_server(f);
	sat_buf_fini(&b);
	sat_arena_fini(&a);
}

static void
without_its_seed_a_commit_carries_its_salt(void **state)
{
	fixture *f = *state;
	sat_arena a = { 0 };
	sat_buf b = { 0 };
	sat_commit *c, *got;
	sat_id id = new_account(f, "A", "1");
	size_t m;
	sat_err err;

	(void)set_text(f, id, F_NAME, "B");
	assert_ok(sat_db_exec(sat_replica_db(f->r), "DELETE FROM salt_seed",
	    &err));
	reopen(f);
	(void)set_text(f, id, F_NAME, "C"); /* of another seed */
	assert_int_equal(3, (int)batch_of(f, &a, &b, &c));
	assert_null(c[0].seed);
	assert_null(c[1].seed);
	assert_non_null(c[2].seed);
	assert_ok(sat_batch_read(&got, &m, &a, SAT_BATCH_PUSH,
	    sat_buf_span(&b), &err));
	for (size_t i = 0; i < m; i++)
		assert_memory_equal(c[i].salt, got[i].salt, SAT_SALT_BYTES);
	srv_sync(f);
	assert_settled(f);
	sat_buf_fini(&b);
	sat_arena_fini(&a);
}

static void
a_group_that_is_undone_leaves_no_seed(void **state)
{
	fixture *f = *state;
	sat_arena a = { 0 };
	sat_buf b = { 0 };
	sat_commit *c;
	sat_id id;
	sat_err err;

	assert_ok(sat_replica_group_begin(f->r, &err));
	(void)new_account(f, "A", "1");
	sat_replica_group_rollback(f->r);
	assert_int_equal(0, seeds_kept(f));
	id = new_account(f, "B", "2");
	(void)set_text(f, id, F_NAME, "C");
	assert_int_equal(2, (int)batch_of(f, &a, &b, &c));
	assert_int_equal(0, c[0].seed_at);
	assert_int_equal(1, seeds_kept(f));
	sat_buf_fini(&b);
	sat_arena_fini(&a);
}

/* Else the salt of what was dropped could be made again from the seed. */
static void
an_erasure_forgets_the_seeds(void **state)
{
	fixture *f = *state;
	sat_id gone = new_account(f, "A", "1"), stays;
	sat_erasure x = { .rev = 1, .subject = gone, .at_ms = 5, .by = 1,
		.second = 2, .reason = sat_span_str("request 12") };
	sat_ledger l = { .rev = 1, .e = &x, .n = 1 };
	sat_arena a = { 0 };
	sat_buf b = { 0 };
	sat_commit *c;
	sat_err err = { 0 };

	srv_sync(f);
	stays = new_account(f, "B", "2");
	assert_int_equal(1, seeds_kept(f));
	assert_ok(f->ops.ledger_is(f->ops.u, &l, &err));
	assert_int_equal(0, seeds_kept(f));
	(void)set_text(f, stays, F_NAME, "C");
	assert_int_equal(2, (int)batch_of(f, &a, &b, &c));
	assert_null(c[0].seed);
	assert_non_null(c[1].seed);
	sat_buf_fini(&b);
	sat_arena_fini(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		COMPLETE(commits_pushed_together_share_one_seed),
		COMPLETE(a_seed_is_forgotten_with_its_verdicts),
		COMPLETE(a_seed_goes_on_over_a_restart),
		COMPLETE(without_its_seed_a_commit_carries_its_salt),
		COMPLETE(a_group_that_is_undone_leaves_no_seed),
		COMPLETE(an_erasure_forgets_the_seeds),
	};

	sat_crypto_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
