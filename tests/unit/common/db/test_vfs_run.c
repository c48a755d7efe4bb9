/*
 * Frames of the log that wait for each other: what a transaction writes, reads
 * again, changes again and loses before any of it is in the file.
 */
#include "tests/unit/common/db/vfs_fixture.h"

#include <stdio.h>

#define ROWS 300

/* A cache of a few pages: a large transaction spills what it changed, reads it
 * back and writes it again, all before it commits. */
static void
open_small(fixture *f)
{
	sat_db_open_opts o = { .path = MAIN, .keyring = f->keyring,
		.create = true, .vfs_below = simfs_name(f->fs),
		.cache_kib = 40 };
	sat_err err;

	close_it(f);
	assert_ok(sat_db_open(&f->db, &o, &err));
}

static uint64_t
writes(fixture *f)
{
	return simfs_counts_get(f->fs).calls[SIMFS_WRITE];
}

static uint64_t
frames(fixture *f)
{
	sat_db_counts c;

	sat_db_counts_get(&c, f->db);
	return c.wal_frames;
}

static void
fill_to(fixture *f, int rows)
{
	char sql[160];

	(void)snprintf(sql, sizeof sql, "WITH RECURSIVE c(x) AS (VALUES(1) "
	    "UNION ALL SELECT x + 1 FROM c WHERE x < %d) INSERT INTO t "
	    "SELECT x, printf('%%01500d', x), 0 FROM c", rows);
	run(f, sql);
}

static void
fill_rows(fixture *f)
{
	fill_to(f, ROWS);
}

/* The rows say what was last committed, on a disk that kept what was synced. */
static void
assert_rows(fixture *f, int64_t rows, int64_t n)
{
	int64_t v;

	assert_rc(SAT_OK, ask(&v, f->db,
	    "SELECT count(*) FROM pragma_integrity_check "
	    "WHERE integrity_check != 'ok'"));
	assert_int_equal(0, v);
	assert_int_equal(rows, count(f));
	assert_rc(SAT_OK, ask(&v, f->db, "SELECT count(*) FROM t WHERE "
	    "length(a) != 1500 OR CAST(a AS INTEGER) != id"));
	assert_int_equal(0, v);
	assert_rc(SAT_OK, ask(&v, f->db, "SELECT coalesce(sum(n), 0) FROM t"));
	assert_int_equal(rows * n, v);
}

static void
frames_of_a_transaction_go_out_many_to_a_write(void **state)
{
	fixture *f = *state;
	uint64_t w = writes(f), n = frames(f);

	fill_rows(f);
	n = frames(f) - n;
	w = writes(f) - w;
	assert_true(n > 100);
	assert_in_range(w, n / 16, n / 16 + 3);
	die(f); /* all of them were there when the call returned */
	simfs_crash(f->fs);
	open_it(f);
	assert_rows(f, ROWS, 0);
}

static void
what_waits_is_read_and_written_again(void **state)
{
	fixture *f = *state;
	uint64_t w;

	open_small(f);
	run(f, "BEGIN");
	fill_rows(f);
	for (int i = 0; i < 3; i++)
		run(f, "UPDATE t SET n = n + 1");
	assert_rows(f, ROWS, 3);
	run(f, "COMMIT");
	assert_rows(f, ROWS, 3);
	run(f, "BEGIN");
	run(f, "UPDATE t SET n = n + 1, a = a || 'x'");
	run(f, "ROLLBACK");
	assert_rows(f, ROWS, 3);
	w = writes(f);
	run(f, "UPDATE t SET n = n + 1 WHERE id <= 5");
	assert_int_equal(1, writes(f) - w); /* nothing of what was undone */
	run(f, "UPDATE t SET n = n + 1 WHERE id > 5");
	die(f);
	simfs_crash(f->fs);
	open_it(f);
	assert_rows(f, ROWS, 4);
}

/* What was acknowledged so far by somebody who goes on after any error: rounds
 * that are committed, and those of an open transaction. */
typedef struct rounds {
	int64_t done, open;
} rounds;

static bool
step(fixture *f, rounds *n, const char *sql)
{
	bool ok = sat_db_exec(f->db, sql, NULL) == SAT_OK;
	bool open = sqlite3_get_autocommit(sat_db_raw(f->db)) == 0;

	if (ok && sql[0] == 'U')
		n->open++;
	if (ok && !open)
		n->done += n->open;
	if (!open) /* an error may undo the transaction by itself */
		n->open = 0;
	return ok;
}

static bool
stubborn(fixture *f, rounds *n)
{
	bool ok;

	(void)step(f, n, "BEGIN");
	for (int i = 0; i < 4; i++)
		(void)step(f, n, "UPDATE t SET n = n + 1");
	ok = step(f, n, "COMMIT");
	(void)step(f, n, "ROLLBACK");
	return ok;
}

/* Each write fails, by an error or a full disk, once or until it is mended. What
 * was acknowledged is there, and nothing else. */
static void
nothing_is_committed_over_frames_that_were_lost(void **state)
{
	fixture *f = *state;
	unsigned failed = 0;
	rounds n = { 0, 0 };

	open_small(f);
	fill_rows(f);
	for (uint64_t nth = 1; nth <= 100; nth++) {
		simfs_fail(f->fs, SIMFS_WRITE, nth % 2 != 0 ? SIMFS_IOERR :
		    SIMFS_FULL, nth / 4 + 1, nth % 4 < 2);
		failed += !stubborn(f, &n);
		simfs_fail(f->fs, SIMFS_WRITE, SIMFS_NEVER, 0, false);
		if (nth % 5 == 0) {
			die(f);
			simfs_crash(f->fs);
			open_it(f);
			open_small(f);
		}
		assert_rows(f, ROWS, n.done);
	}
	printf("%u of 100 failed\n", failed);
	assert_in_range(failed, 20, 100);
	assert_true(stubborn(f, &n));
	assert_rows(f, ROWS, n.done);
}

/* A transaction is undone while frames of it wait, and another connection
 * writes its own to where they would have been. */
static void
what_was_undone_hides_no_frame_of_another_connection(void **state)
{
	fixture *f = *state;
	sat_db *other;
	sat_err err;

	open_small(f);
	fill_rows(f);
	assert_ok(open_named(&other, f, MAIN, &err));
	for (int rows = 1; rows <= ROWS; rows += 37) {
		char sql[80];

		run(f, "BEGIN");
		run(f, "UPDATE t SET n = -7, a = a || 'undone'");
		run(f, "ROLLBACK");
		(void)snprintf(sql, sizeof sql,
		    "UPDATE t SET n = n + 1 WHERE id <= %d", rows);
		assert_ok(sat_db_exec(other, sql, &err));
		(void)snprintf(sql, sizeof sql,
		    "UPDATE t SET n = n + 1 WHERE id > %d", rows);
		assert_ok(sat_db_exec(other, sql, &err));
		assert_rows(f, ROWS, rows / 37 + 1);
	}
	sat_db_close(other);
}

/* On the system's own files the disk begins before a large transaction ends,
 * over a descriptor that is there from its first half megabyte to its end. */
static void
a_large_transaction_lends_a_descriptor_until_its_end(void **state)
{
	char *dir = sat_test_dir(), path[256];
	sat_keyring *keyring = sat_keyring_memory(key_b);
	sat_db_open_opts o = { .path = path, .keyring = keyring,
		.create = true, .cache_kib = 40 };
	fixture f = { .keyring = keyring };
	unsigned before;
	sat_err err;

	(void)state;
	(void)snprintf(path, sizeof path, "%s/large.db", dir);
	assert_ok(sat_db_open(&f.db, &o, &err));
	run(&f, "CREATE TABLE t(id INTEGER PRIMARY KEY, a TEXT, n INTEGER)");
	before = sat_test_fds();
	run(&f, "BEGIN");
	run(&f, "INSERT INTO t VALUES(-1, 'small', 0)");
	run(&f, "ROLLBACK");
	assert_int_equal(before, sat_test_fds());
	for (int round = 0; round < 3; round++) {
		run(&f, "BEGIN");
		fill_to(&f, 800); /* more than the cache, so it is written already */
		assert_int_equal(before + 1, sat_test_fds());
		run(&f, round < 2 ? "ROLLBACK" : "COMMIT");
		assert_int_equal(before, sat_test_fds());
	}
	run(&f, "UPDATE t SET n = n + 1, a = a || 'x'");
	assert_int_equal(before, sat_test_fds());
	run(&f, "UPDATE t SET a = substr(a, 1, 1500)");
	assert_rows(&f, 800, 1);
	sat_db_close(f.db);
	assert_true(sat_test_fds() < before);
	sat_keyring_close(keyring);
	sat_test_rmdir(dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    frames_of_a_transaction_go_out_many_to_a_write, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(
		    what_waits_is_read_and_written_again, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    nothing_is_committed_over_frames_that_were_lost, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(
		    what_was_undone_hides_no_frame_of_another_connection,
		    setup, teardown),
		cmocka_unit_test(
		    a_large_transaction_lends_a_descriptor_until_its_end),
	};

	sat_crypto_init();
	sat_log_level(SAT_ERROR + 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
