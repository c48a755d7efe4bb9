/* Disks that fail, fill up and flip bits. */
#include "tests/unit/common/db/vfs_fixture.h"

static void
a_failed_sync_kills_the_handle_and_reopening_heals(void **state) /* D2, V6 */
{
	fixture *f = *state;
	sat_db_counts counts;
	sat_stmt *s;
	sat_err err = { 0 };
	bool row;

	run(f, "INSERT INTO t(n) VALUES(1)");
	simfs_fail(f->fs, SIMFS_SYNC, SIMFS_DROP, 1, false);
	assert_rc(SAT_EFSYNC,
	    sat_db_exec(f->db, "INSERT INTO t(n) VALUES(2)", &err));
	assert_true(sat_db_dead(f->db));
	assert_string_equal("db.fsync", err.code);
	assert_rc(SAT_EFSYNC, sat_db_begin(f->db, &err));
	assert_rc(SAT_EFSYNC, sat_db_stmt_text(&s, f->db, "SELECT 1", &err));
	assert_rc(SAT_EFSYNC, sat_db_checkpoint(f->db, &err));
	assert_rc(SAT_EFSYNC, sat_db_check(f->db, true, &err));
	sat_db_counts_get(&counts, f->db);
	close_it(f);
	/* the second row may be there or not; what follows must stay */
	assert_true(simfs_exists(f->fs, MAIN "-again"));
	open_it(f);
	assert_false(simfs_exists(f->fs, MAIN "-again"));
	run(f, "INSERT INTO t(n) VALUES(3)");
	die(f);
	simfs_crash(f->fs);
	open_it(f);
	assert_ok(sat_db_stmt_text(
	    &s, f->db, "SELECT n FROM t WHERE n <> 2 ORDER BY n", &err));
	assert_ok(sat_step(&row, s, &err));
	assert_true(row && sat_col_int(s, 0) == 1);
	assert_ok(sat_step(&row, s, &err));
	assert_true(row && sat_col_int(s, 0) == 3);
	sat_stmt_reset(s);
}

/* What could not be made durable at creation is not relied on either. */
static void
a_sync_that_fails_at_creation_is_healed_too(void **state)
{
	fixture *f = *state;
	sat_err err;
	uint64_t nth;
	bool made = false;

	close_it(f);
	for (nth = 1; !made; nth++) {
		assert_in_range(nth, 1, 20);
		simfs_wipe(f->fs);
		simfs_fail(f->fs, SIMFS_SYNC, SIMFS_DROP, nth, false);
		made = open_named(&f->db, f, MAIN, &err) == SAT_OK;
		if (made)
			die(f);
		simfs_fail(f->fs, SIMFS_SYNC, SIMFS_NEVER, 1, false);
		open_it(f);
		run(f, "CREATE TABLE t(n); INSERT INTO t VALUES(1)");
		die(f);
		simfs_crash(f->fs);
		open_it(f);
		assert_int_equal(1, count(f));
		die(f);
	}
	assert_true(nth > 2);
}

/* The log must be written again, but there is no room for even that. */
static void
a_full_disk_after_a_failed_sync_can_be_read_not_written(void **state)
{
	fixture *f = *state;
	sat_err err = { 0 };
	int64_t n;

	run(f, "INSERT INTO t(n) VALUES(1)");
	simfs_fail(f->fs, SIMFS_SYNC, SIMFS_DROP, 1, false);
	assert_rc(SAT_EFSYNC,
	    sat_db_exec(f->db, "INSERT INTO t(n) VALUES(2)", &err));
	die(f);
	simfs_fail(f->fs, SIMFS_WRITE, SIMFS_FULL, 1, true);
	open_it(f);
	assert_in_range(count(f), 1, 2);
	simfs_fail(f->fs, SIMFS_WRITE, SIMFS_FULL, 1, false);
	assert_rc(SAT_ENOSPACE,
	    sat_db_exec(f->db, "INSERT INTO t(n) VALUES(3)", &err));
	run(f, "INSERT INTO t(n) VALUES(4)");
	n = count(f);
	die(f);
	simfs_crash(f->fs);
	open_it(f);
	assert_int_equal(n, count(f));
}

static void
a_full_disk_stays_readable_and_usable_after(void **state) /* D4 */
{
	fixture *f = *state;
	size_t n, w;
	sat_err err = { 0 };
	int64_t v;

	fill(f, 20);
	(void)simfs_bytes(&n, f->fs, MAIN);
	(void)simfs_bytes(&w, f->fs, WAL);
	simfs_quota(f->fs, n + w + 100);
	assert_rc(SAT_ENOSPACE, sat_db_exec(f->db,
	    "INSERT INTO t(a) SELECT a FROM t", &err));
	assert_non_null(strstr(err.text, "disk is full"));
	assert_non_null(strstr(err.hint, "free space"));
	assert_false(sat_db_in_txn(f->db));
	assert_int_equal(20, count(f));
	die(f);
	open_it(f); /* recovery writes nothing */
	assert_int_equal(20, count(f));
	assert_rc(SAT_ENOSPACE, sat_db_exec(f->db,
	    "INSERT INTO t(a) SELECT a FROM t", &err));
	assert_rc(SAT_OK, ask(&v, f->db, "SELECT max(n) FROM t"));
	simfs_quota(f->fs, 0);
	run(f, "INSERT INTO t(a) SELECT a FROM t");
	assert_int_equal(40, count(f));
}

/* Every write, read and sync once: an error is told, nothing is lost, nothing
 * is left open. */
static void
each_call_may_fail_once(void **state)
{
	static const simfs_op ops[] = { SIMFS_READ, SIMFS_WRITE, SIMFS_SYNC,
		SIMFS_OPEN, SIMFS_TRUNCATE, SIMFS_DELETE };
	fixture *f = *state;
	int64_t v, want = 0;
	unsigned tried = 0;
	sat_err err;
	uint64_t nth;
	size_t i;

	die(f);
	for (i = 0; i < sizeof ops / sizeof ops[0]; i++)
		for (nth = 1; nth < 60; nth++) {
			simfs_fail(f->fs, ops[i], SIMFS_IOERR, nth, false);
			if (open_named(&f->db, f, MAIN, NULL) == SAT_OK) {
				if (sat_db_exec(f->db, "INSERT INTO t(a, n) "
				    "VALUES(hex(zeroblob(5000)), 1)", NULL) ==
				    SAT_OK)
					want++;
				if (sat_db_checkpoint(f->db, NULL) != SAT_OK)
					tried++;
				close_it(f);
			}
			f->db = NULL;
			simfs_fail(f->fs, ops[i], SIMFS_NEVER, 1, false);
			open_it(f);
			assert_rc(SAT_OK,
			    ask(&v, f->db, "SELECT count(*) FROM t"));
			/* a commit that failed may be there all the same */
			assert_in_range(v, want, want + 1);
			want = v;
			assert_ok(sat_db_check(f->db, true, &err));
			die(f);
		}
	assert_true(tried > 0);
}

/* A bit that is wrong only on the way: an error, and right the next time. */
static void
a_bit_that_flips_on_the_way_is_noticed(void **state)
{
	fixture *f = *state;
	int64_t sum, v;
	uint64_t nth;

	fill(f, 20);
	assert_rc(SAT_OK, ask(&sum, f->db, "SELECT sum(n * length(a)) FROM t"));
	close_it(f);
	for (nth = 1; nth < 40; nth++) {
		sat_rc rc;

		simfs_fail(f->fs, SIMFS_READ, SIMFS_FLIP, nth, false);
		rc = open_named(&f->db, f, MAIN, NULL);
		if (rc == SAT_OK)
			rc = ask(&v, f->db, "SELECT sum(n * length(a)) FROM t");
		if (rc == SAT_OK)
			assert_int_equal(sum, v);
		else
			assert_rc(SAT_EINTEGRITY, rc);
		die(f);
		simfs_fail(f->fs, SIMFS_READ, SIMFS_NEVER, 1, false);
	}
	open_it(f);
	assert_int_equal(20, count(f));
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(a_failed_sync_kills_the_handle_and_reopening_heals),
		T(a_sync_that_fails_at_creation_is_healed_too),
		T(a_full_disk_after_a_failed_sync_can_be_read_not_written),
		T(a_full_disk_stays_readable_and_usable_after),
		T(each_call_may_fail_once),
		T(a_bit_that_flips_on_the_way_is_noticed),
	};

	sat_crypto_init();
	sat_log_level(SAT_ERROR + 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
