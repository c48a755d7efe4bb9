/*
 * The encrypting file layer, called as SQLite would not call it: the guards
 * behind the guards.
 */
#include "tests/unit/common/db/vfs_fixture.h"

static sqlite3_file *
file_of(sqlite3 *h, int op)
{
	sqlite3_file *file = NULL;

	assert_int_equal(SQLITE_OK, sqlite3_file_control(h, "main", op, &file));
	assert_non_null(file);
	return file;
}

static int
write_at(sqlite3_file *file, const void *p, int n, int64_t at)
{
	return file->pMethods->xWrite(file, p, n, at);
}

static void
the_reserved_bytes_are_zeros_on_write_and_on_read(void **state) /* V2 */
{
	fixture *f = *state;
	sqlite3_file *main_file;
	uint8_t page[PAGE];

	fill(f, 3);
	assert_rc(SAT_OK, sat_db_checkpoint(f->db, NULL));
	main_file = file_of(sat_db_raw(f->db), SQLITE_FCNTL_FILE_POINTER);
	assert_int_equal(SQLITE_OK,
	    main_file->pMethods->xRead(main_file, page, PAGE, PAGE));
	assert_int_equal(0, page[4056] | page[4079] | page[4080] | page[4095]);
	page[4095] = 1;
	assert_int_equal(SQLITE_IOERR_WRITE,
	    write_at(main_file, page, PAGE, PAGE));
	assert_string_equal("reserve", fault_of(f).kind);
	page[4095] = 0;
	assert_int_equal(SQLITE_OK, write_at(main_file, page, PAGE, PAGE));
	/* page 1 says how many bytes are reserved */
	assert_int_equal(SQLITE_OK,
	    main_file->pMethods->xRead(main_file, page, PAGE, 0));
	assert_int_equal(40, page[20]);
	page[20] = 0;
	assert_int_equal(SQLITE_IOERR_WRITE,
	    write_at(main_file, page, PAGE, 0));
}

/* F1: what the reserved bytes were at commit, they are at recovery. */
static void
a_commit_survives_an_attempt_to_use_the_reserved_bytes(void **state)
{
	fixture *f = *state;
	sqlite3_file *main_file;
	uint8_t page[PAGE];

	fill(f, 2);
	main_file = file_of(sat_db_raw(f->db), SQLITE_FCNTL_FILE_POINTER);
	memset(page, 0x5a, PAGE);
	assert_int_equal(SQLITE_IOERR_WRITE,
	    write_at(main_file, page, PAGE, PAGE));
	run(f, "INSERT INTO t(n) VALUES(9)");
	die(f);
	simfs_crash(f->fs);
	open_it(f);
	assert_int_equal(3, count(f));
}

static void
only_whole_aligned_pages_are_written(void **state)
{
	static const struct {
		int n;
		int64_t at;
	} bad[] = { { 100, 0 }, { PAGE, 512 }, { 2 * PAGE, 0 }, { 512, PAGE },
		{ 8192, PAGE } };
	static const uint8_t zeros[2 * PAGE];
	fixture *f = *state;
	sqlite3_file *m, *w;
	size_t i;

	run(f, "INSERT INTO t(n) VALUES(9)");
	m = file_of(sat_db_raw(f->db), SQLITE_FCNTL_FILE_POINTER);
	w = file_of(sat_db_raw(f->db), SQLITE_FCNTL_JOURNAL_POINTER);
	for (i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		assert_int_equal(SQLITE_IOERR_WRITE,
		    write_at(m, zeros, bad[i].n, bad[i].at));
		assert_string_equal("write-size", fault_of(f).kind);
		assert_int_equal(SQLITE_IOERR_WRITE,
		    write_at(w, zeros, bad[i].n, bad[i].at + 33));
	}
	assert_int_equal(SQLITE_IOERR_TRUNCATE,
	    m->pMethods->xTruncate(m, 5000));
	assert_int_equal(SQLITE_IOERR_READ,
	    m->pMethods->xRead(m, (void *)(uintptr_t)zeros, PAGE, 100));
}

static void
parts_of_pages_read_as_the_whole_does(void **state)
{
	static const struct {
		int n;
		int64_t at;
	} parts[] = { { 16, 24 }, { 100, 0 }, { 4, PAGE }, { 500, PAGE + 3596 },
		{ 40, PAGE + 4056 }, { PAGE - 1, 2 * PAGE + 1 } };
	fixture *f = *state;
	uint8_t whole[PAGE], part[PAGE];
	sqlite3_file *m;
	size_t i;

	fill(f, 5);
	assert_rc(SAT_OK, sat_db_checkpoint(f->db, NULL));
	m = file_of(sat_db_raw(f->db), SQLITE_FCNTL_FILE_POINTER);
	for (i = 0; i < sizeof parts / sizeof parts[0]; i++) {
		int64_t in = parts[i].at % PAGE;

		assert_int_equal(SQLITE_OK, m->pMethods->xRead(
		    m, whole, PAGE, parts[i].at - in));
		assert_int_equal(SQLITE_OK, m->pMethods->xRead(
		    m, part, parts[i].n, parts[i].at));
		assert_memory_equal(whole + in, part, (size_t)parts[i].n);
	}
	/* behind the end: zeros, and said so */
	assert_int_equal(SQLITE_IOERR_SHORT_READ,
	    m->pMethods->xRead(m, part, PAGE, 1000 * PAGE));
	memset(whole, 0, PAGE);
	assert_memory_equal(whole, part, PAGE);
}

static void
a_checkpoint_moves_the_sealed_page_as_it_is(void **state)
{
	fixture *f = *state;
	uint8_t sealed[PAGE];
	const uint8_t *p;
	size_t n;

	fill(f, 3);
	assert_rc(SAT_OK, sat_db_checkpoint(f->db, NULL));
	run(f, "UPDATE t SET n = 5 WHERE id = 3");
	p = simfs_bytes(&n, f->fs, WAL);
	assert_int_equal(32 + FRAME, n);
	memcpy(sealed, p + 32 + 24, PAGE);
	assert_rc(SAT_OK, sat_db_checkpoint(f->db, NULL));
	p = simfs_bytes(&n, f->fs, MAIN);
	assert_non_null(memmem(p, n, sealed, PAGE));
}

/* V3: even when the layer believes that a checkpoint is on its way. */
static void
cleartext_is_never_taken_for_a_page_of_a_checkpoint(void **state)
{
	fixture *f = *state;
	uint8_t page[PAGE], clear[PAGE];
	sqlite3_file *m, *w;
	const uint8_t *p;
	size_t n;

	fill(f, 3);
	run(f, "UPDATE t SET n = 1");
	m = file_of(sat_db_raw(f->db), SQLITE_FCNTL_FILE_POINTER);
	w = file_of(sat_db_raw(f->db), SQLITE_FCNTL_JOURNAL_POINTER);
	memset(clear, 'M', PAGE);
	memset(clear + 4056, 0, 40);
	assert_int_equal(SQLITE_NOTFOUND,
	    m->pMethods->xFileControl(m, SQLITE_FCNTL_CKPT_START, NULL));
	/* the last frame: lent as it is on disk, then cleartext comes */
	assert_int_equal(SQLITE_OK, w->pMethods->xRead(
	    w, page, PAGE, 32 + FRAME + 24));
	for (n = 2; n <= 6; n++)
		assert_int_equal(SQLITE_OK,
		    write_at(m, clear, PAGE, (int64_t)(n - 1) * PAGE));
	(void)m->pMethods->xFileControl(m, SQLITE_FCNTL_CKPT_DONE, NULL);
	p = simfs_bytes(&n, f->fs, MAIN);
	assert_null(memmem(p, n, "MMMMMMMM", 8));
}

static void
after_a_failed_sync_the_layer_itself_writes_nothing(void **state) /* V6 */
{
	fixture *f = *state;
	sqlite3_file *m, *w;
	sqlite3 *h;
	uint8_t page[PAGE];
	simfs_counts before, after;

	close_it(f);
	h = raw_open(f, MAIN);
	assert_int_equal(SQLITE_OK, raw_run(h, "PRAGMA temp_store = MEMORY;"
	    "PRAGMA synchronous = FULL; INSERT INTO t(n) VALUES(1)"));
	simfs_fail(f->fs, SIMFS_SYNC, SIMFS_IOERR, 1, false);
	assert_int_equal(SQLITE_IOERR_FSYNC,
	    raw_run(h, "INSERT INTO t(n) VALUES(2)"));
	before = simfs_counts_get(f->fs);
	assert_int_equal(SQLITE_IOERR_FSYNC,
	    raw_run(h, "INSERT INTO t(n) VALUES(3)"));
	m = file_of(h, SQLITE_FCNTL_FILE_POINTER);
	w = file_of(h, SQLITE_FCNTL_JOURNAL_POINTER);
	assert_int_equal(SQLITE_OK, m->pMethods->xRead(m, page, PAGE, 0));
	assert_int_equal(SQLITE_IOERR_FSYNC, write_at(m, page, PAGE, 0));
	assert_int_equal(SQLITE_IOERR_FSYNC, m->pMethods->xTruncate(m, PAGE));
	assert_int_equal(SQLITE_IOERR_FSYNC, w->pMethods->xSync(w, 2));
	assert_int_equal(SQLITE_IOERR_FSYNC, m->pMethods->xSync(m, 2));
	after = simfs_counts_get(f->fs);
	assert_true(before.calls[SIMFS_WRITE] == after.calls[SIMFS_WRITE]);
	assert_true(before.calls[SIMFS_SYNC] == after.calls[SIMFS_SYNC]);
	raw_close(h);
}

static void
a_second_connection_of_the_process_sees_a_restarted_log(void **state)
{
	fixture *f = *state;
	sat_db *reader;
	sat_err err;
	int64_t n;
	int i;

	assert_ok(open_named(&reader, f, MAIN, &err));
	for (i = 0; i < 5; i++) {
		fill(f, 4);
		assert_rc(SAT_OK, ask(&n, reader, "SELECT count(*) FROM t"));
		assert_int_equal(4 * (i + 1), n);
		assert_ok(sat_db_checkpoint(f->db, &err)); /* new salts */
		run(f, "UPDATE t SET n = n + 1");
		assert_rc(SAT_OK, ask(&n, reader, "SELECT sum(n) FROM t"));
	}
	sat_db_close(reader);
}

/* It read no page of that log, so nothing it read told it of the new salts. */
static void
a_connection_writes_into_a_log_that_another_began(void **state)
{
	fixture *f = *state;
	sat_db *other;
	int64_t n;
	sat_err err;

	run(f, "CREATE TABLE u(a TEXT)");
	assert_ok(open_named(&other, f, MAIN, &err));
	for (int i = 1; i <= 3; i++) {
		run(f, "INSERT INTO t(a) VALUES('mine')");
		assert_ok(sat_db_checkpoint(other, &err));
		assert_ok(sat_db_exec(other, "INSERT INTO u VALUES('theirs')",
		    &err));
		run(f, "INSERT INTO t(a) VALUES('mine')");
		assert_rc(SAT_OK, ask(&n, other, "SELECT count(*) FROM t"));
		assert_int_equal(2 * i, n);
	}
	sat_db_abandon(other);
	die(f);
	simfs_crash(f->fs);
	open_it(f);
	assert_int_equal(6, count(f));
	assert_rc(SAT_OK, ask(&n, f->db, "SELECT count(*) FROM u"));
	assert_int_equal(3, n);
}

/* A wrong bit on the way from the log to the main file would stay. */
static void
a_checkpoint_notices_a_bit_that_flips_on_the_way(void **state)
{
	fixture *f = *state;
	unsigned noticed = 0;
	uint64_t nth;
	sat_err err;

	for (nth = 1; nth < 30; nth++) {
		fill(f, 3);
		simfs_fail(f->fs, SIMFS_READ, SIMFS_FLIP, nth, false);
		noticed += sat_db_checkpoint(f->db, &err) != SAT_OK;
		simfs_fail(f->fs, SIMFS_READ, SIMFS_NEVER, 1, false);
		close_it(f);
		open_it(f);
		assert_ok(sat_db_check(f->db, false, &err));
	}
	assert_in_range(noticed, 3, 29);
}

/* A failed read makes SQLite roll back by itself; what comes next is not a
 * transaction of its own. */
static void
a_transaction_that_was_undone_takes_nothing_more(void **state)
{
	fixture *f = *state;
	sat_err err = { 0 };
	int64_t n;

	fill(f, 50);
	assert_ok(sat_db_checkpoint(f->db, &err));
	close_it(f);
	open_it(f);
	assert_ok(sat_db_begin(f->db, &err));
	run(f, "INSERT INTO t(n) VALUES(-1)");
	simfs_fail(f->fs, SIMFS_READ, SIMFS_IOERR, 1, false);
	assert_rc(SAT_EIO, ask(&n, f->db, "SELECT sum(length(a)) FROM t"));
	assert_false(sat_db_in_txn(f->db));
	assert_rc(SAT_EIO, sat_db_exec(f->db, "INSERT INTO t(n) VALUES(-2)",
	    &err));
	assert_string_equal("db.undone", err.code);
	assert_rc(SAT_EIO, sat_db_commit(f->db, &err));
	assert_int_equal(50, count(f));
	assert_ok(sat_db_begin(f->db, &err));
	run(f, "INSERT INTO t(n) VALUES(-3)");
	assert_ok(sat_db_commit(f->db, &err));
	assert_int_equal(51, count(f));
}

/* The answer "wal" comes before the file says so. */
static void
a_file_that_was_made_is_in_write_ahead_mode(void **state)
{
	static const simfs_op ops[] = { SIMFS_READ, SIMFS_WRITE, SIMFS_DELETE };
	fixture *f = *state;
	unsigned tried = 0;
	sat_err err;

	for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++)
		for (uint64_t nth = 1; nth < 12; nth++) {
			close_it(f);
			simfs_wipe(f->fs);
			simfs_fail(f->fs, ops[i], SIMFS_IOERR, nth, false);
			if (open_named(&f->db, f, MAIN, &err) != SAT_OK ||
			    sat_db_exec(f->db, "CREATE TABLE t(n)", &err) !=
			    SAT_OK)
				tried++;
			simfs_fail(f->fs, ops[i], SIMFS_NEVER, 1, false);
			close_it(f);
			open_it(f);
		}
	assert_true(tried > 0);
}

static void
a_name_is_registered_once_and_needs_a_layer_below(void **state)
{
	fixture *f = *state;
	sat_err err = { 0 };

	assert_ok(sat_vfs_register("twice", NULL, f->keyring, &err));
	assert_rc(SAT_ECONFLICT,
	    sat_vfs_register("twice", NULL, f->keyring, &err));
	assert_rc(SAT_EFAIL, sat_vfs_register(
	    "above-nothing", "no-such-layer", f->keyring, &err));
	sat_vfs_unregister("twice");
	sat_vfs_unregister("twice");
	sat_vfs_unregister("never");
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(the_reserved_bytes_are_zeros_on_write_and_on_read),
		T(a_commit_survives_an_attempt_to_use_the_reserved_bytes),
		T(only_whole_aligned_pages_are_written),
		T(parts_of_pages_read_as_the_whole_does),
		T(a_checkpoint_moves_the_sealed_page_as_it_is),
		T(cleartext_is_never_taken_for_a_page_of_a_checkpoint),
		T(after_a_failed_sync_the_layer_itself_writes_nothing),
		T(a_second_connection_of_the_process_sees_a_restarted_log),
		T(a_connection_writes_into_a_log_that_another_began),
		T(a_checkpoint_notices_a_bit_that_flips_on_the_way),
		T(a_transaction_that_was_undone_takes_nothing_more),
		T(a_file_that_was_made_is_in_write_ahead_mode),
		T(a_name_is_registered_once_and_needs_a_layer_below),
	};

	sat_crypto_init();
	sat_log_level(SAT_ERROR + 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
