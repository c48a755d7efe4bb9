/*
 * The encrypting file layer: what it notices, whose files it opens, what it
 * refuses.
 */
#include "tests/unit/common/db/vfs_fixture.h"

/* ---- altered bytes ------------------------------------------------------- */

/* Whatever happens to one bit: the right content, or an integrity error. */
static void
expect_right_or_refused(fixture *f, int64_t sum, bool must_refuse)
{
	sat_err err = { 0 };
	sat_rc rc;
	int64_t v = -1;

	rc = open_named(&f->db, f, MAIN, &err);
	if (rc == SAT_OK)
		rc = ask(&v, f->db, "SELECT sum(n * length(a)) FROM t");
	if (rc == SAT_OK)
		assert_int_equal(sum, v);
	else
		assert_rc(SAT_EINTEGRITY, rc);
	assert_true(!must_refuse || rc == SAT_EINTEGRITY);
	die(f);
}

static void
a_flipped_bit_in_the_main_file_never_gives_altered_data(void **state) /* V1 */
{
	/* id, mark, clear header bytes, ciphertext, nonce, tag */
	static const struct {
		size_t at;
		bool refuse;
	} spots[] = { { 0, false }, { 4, false }, { 9, false }, { 17, true },
		{ 20, true }, { 24, true }, { 100, true }, { 4055, true },
		{ 4056, true }, { 4080, true }, { 4095, true } };
	fixture *f = *state;
	int64_t sum;
	size_t i, page, n;

	fill(f, 20);
	assert_rc(SAT_OK,
	    ask(&sum, f->db, "SELECT sum(n * length(a)) FROM t"));
	close_it(f);
	assert_non_null(simfs_bytes(&n, f->fs, MAIN));
	assert_true(n > 10 * PAGE);
	for (page = 0; page < 6; page++)
		for (i = 0; i < sizeof spots / sizeof spots[0]; i++) {
			size_t at = page * PAGE + spots[i].at;

			flip(f, MAIN, at);
			expect_right_or_refused(
			    f, sum, page > 0 || spots[i].refuse);
			flip(f, MAIN, at);
		}
	expect_right_or_refused(f, sum, false);
	open_it(f);
	assert_int_equal(20, count(f));
}

static void
a_damaged_page_is_named_and_the_others_stay_readable(void **state)
{
	fixture *f = *state;
	sat_err err = { 0 };
	sat_vfs_fault fault;
	int64_t n;

	run(f, "CREATE TABLE other(a); INSERT INTO other VALUES(5)");
	fill(f, 20);
	close_it(f);
	flip(f, MAIN, 9 * PAGE + 1000); /* page 10 */
	open_it(f);
	assert_rc(SAT_OK, ask(&n, f->db, "SELECT a FROM other"));
	assert_int_equal(5, n);
	assert_rc(SAT_EINTEGRITY,
	    sat_db_exec(f->db, "SELECT sum(length(a)) FROM t", &err));
	assert_non_null(strstr(err.text, "page 10"));
	fault = fault_of(f);
	assert_string_equal("page-auth", fault.kind);
	assert_int_equal(10, fault.page);
	assert_int_equal(9 * PAGE, fault.offset);
	assert_rc(SAT_EINTEGRITY, sat_db_check(f->db, false, &err));
	assert_false(sat_db_dead(f->db));
}

static void
pages_cannot_be_swapped_blanked_or_brought_from_another_file(void **state)
{
	static const uint8_t zeros[PAGE];
	fixture *f = *state;
	uint8_t five[PAGE], six[PAGE];
	const uint8_t *p;
	sat_db *other;
	sat_err err;
	int64_t v;
	size_t n;

	fill(f, 20);
	close_it(f);
	/* the same tables, the same master key, another file */
	assert_ok(open_named(&other, f, "dev/b.db", &err));
	f->db = other;
	run(f, "CREATE TABLE t(id INTEGER PRIMARY KEY, a TEXT, n INTEGER)");
	fill(f, 20);
	close_it(f);

	p = simfs_bytes(&n, f->fs, MAIN);
	memcpy(five, p + 4 * PAGE, PAGE);
	memcpy(six, p + 5 * PAGE, PAGE);
	simfs_poke(f->fs, MAIN, 4 * PAGE, six, PAGE);
	simfs_poke(f->fs, MAIN, 5 * PAGE, five, PAGE);
	open_it(f);
	assert_rc(SAT_EINTEGRITY, ask(&v, f->db, "SELECT sum(n) FROM t"));
	die(f);

	simfs_poke(f->fs, MAIN, 5 * PAGE, six, PAGE);
	p = simfs_bytes(&n, f->fs, "dev/b.db");
	memcpy(six, p + 4 * PAGE, PAGE);
	simfs_poke(f->fs, MAIN, 4 * PAGE, six, PAGE);
	open_it(f);
	assert_rc(SAT_EINTEGRITY, ask(&v, f->db, "SELECT sum(n) FROM t"));
	die(f);

	simfs_poke(f->fs, MAIN, 4 * PAGE, zeros, PAGE);
	open_it(f);
	assert_rc(SAT_EINTEGRITY, ask(&v, f->db, "SELECT sum(n) FROM t"));
	assert_string_equal("zero-page", fault_of(f).kind);
	die(f);

	simfs_poke(f->fs, MAIN, 4 * PAGE, five, PAGE);
	open_it(f);
	assert_rc(SAT_OK, ask(&v, f->db, "SELECT sum(n) FROM t"));
}

static void
a_truncated_file_is_an_integrity_error(void **state)
{
	static const size_t cuts[] = { 3 * PAGE, 5 * PAGE + 100, PAGE, 600,
		16 };
	fixture *f = *state;
	uint8_t *whole;
	const uint8_t *p;
	int64_t v;
	size_t n, i;

	fill(f, 20);
	close_it(f);
	p = simfs_bytes(&n, f->fs, MAIN);
	whole = sat_xmalloc(n);
	memcpy(whole, p, n);
	for (i = 0; i < sizeof cuts / sizeof cuts[0]; i++) {
		sat_err err;
		sat_rc rc;

		simfs_put(f->fs, MAIN, whole, cuts[i]);
		rc = open_named(&f->db, f, MAIN, &err);
		if (rc == SAT_OK)
			rc = ask(&v, f->db, "SELECT sum(n) FROM t");
		assert_rc(SAT_EINTEGRITY, rc);
		die(f);
	}
	free(whole);
}

/* ---- whose file ---------------------------------------------------------- */

static void
another_master_key_is_told_so_and_writes_nothing(void **state)
{
	fixture *f = *state;
	sat_keyring *mine = f->keyring;
	uint8_t before[PAGE];
	sat_err err = { 0 };
	size_t n;

	fill(f, 2);
	close_it(f);
	memcpy(before, simfs_bytes(&n, f->fs, MAIN), PAGE);
	f->keyring = sat_keyring_memory(key_b);
	assert_rc(SAT_EINTEGRITY, open_named(&f->db, f, MAIN, &err));
	assert_string_equal("db.foreign", err.code);
	assert_memory_equal(before, simfs_bytes(&n, f->fs, MAIN), PAGE);
	sat_keyring_close(f->keyring);
	/* a fresh keyring object with the right key: the id is in the file */
	f->keyring = sat_keyring_memory(key_a);
	open_it(f);
	assert_int_equal(2, count(f));
	sat_keyring_close(mine);
}

static void
a_plain_file_and_garbage_are_refused_with_their_names(void **state)
{
	fixture *f = *state;
	sat_db_open_opts o = { .path = "dev/plain.db", .create = true,
		.vfs_below = simfs_name(f->fs) };
	sat_db *db = NULL;
	sat_err err = { 0 };

	assert_ok(sat_db_open(&db, &o, &err));
	assert_ok(sat_db_exec(db, "CREATE TABLE x(a)", &err));
	sat_db_close(db);
	assert_rc(SAT_EINTEGRITY, open_named(&db, f, "dev/plain.db", &err));
	assert_string_equal("db.plain", err.code);
	assert_non_null(strstr(err.text, "not encrypted"));
	simfs_put(f->fs, "dev/junk.db", "hello, this is no database", 26);
	assert_rc(SAT_EINTEGRITY, open_named(&db, f, "dev/junk.db", &err));
	assert_string_equal("db.foreign", err.code);
	/* and the other way: an encrypted file opened as a plain one */
	close_it(f);
	o.path = MAIN;
	assert_rc(SAT_EINTEGRITY, sat_db_open(&db, &o, &err));
}

/* ---- refusals ------------------------------------------------------------ */

static void
pragmas_that_would_leave_cleartext_are_refused(void **state)
{
	fixture *f = *state;
	sat_err err = { 0 };
	int64_t v;
	size_t i;

	assert_rc(SAT_EFAIL,
	    sat_db_exec(f->db, "PRAGMA journal_mode = DELETE", &err));
	assert_non_null(strstr(err.text, "always wal"));
	assert_rc(SAT_EFAIL,
	    sat_db_exec(f->db, "PRAGMA journal_mode = MEMORY", &err));
	assert_rc(SAT_EFAIL,
	    sat_db_exec(f->db, "PRAGMA temp_store = FILE", &err));
	run(f, "PRAGMA page_size = 1024; PRAGMA mmap_size = 100000000");
	assert_rc(SAT_OK, ask(&v, f->db, "PRAGMA page_size"));
	assert_int_equal(PAGE, v);
	/* sorts, savepoints, temporary tables: no file but ours appears */
	fill(f, 300);
	run(f, "BEGIN; CREATE TEMP TABLE x AS SELECT a FROM t ORDER BY a, -n;"
	    "SAVEPOINT s; UPDATE t SET a = 'x' || a; ROLLBACK TO s;"
	    "SELECT DISTINCT a FROM t ORDER BY a DESC; COMMIT");
	for (i = 0; simfs_nth(f->fs, i) != NULL; i++)
		assert_true(strncmp(simfs_nth(f->fs, i), MAIN,
		    strlen(MAIN)) == 0);
}

static void
a_database_without_reserved_bytes_cannot_be_written(void **state) /* V2 */
{
	fixture *f = *state;
	sqlite3 *h = raw_open(f, "dev/raw.db");
	sat_vfs_fault fault;

	assert_int_equal(SQLITE_IOERR_WRITE,
	    raw_run(h, "PRAGMA temp_store = MEMORY; CREATE TABLE t(a)"));
	assert_int_equal(SQLITE_OK,
	    sqlite3_file_control(h, "main", SAT_FCNTL_FAULT, &fault));
	assert_string_equal("reserve", fault.kind);
	raw_close(h);
}

static void
a_rollback_journal_may_exist_but_hold_no_page(void **state) /* V3 */
{
	fixture *f = *state;
	sqlite3 *h = raw_open(f, "dev/raw.db");
	int reserve = 40;

	assert_int_equal(SQLITE_OK, sqlite3_file_control(
	    h, "main", SQLITE_FCNTL_RESERVE_BYTES, &reserve));
	assert_int_equal(SQLITE_OK,
	    raw_run(h, "PRAGMA temp_store = MEMORY; CREATE TABLE t(a)"));
	assert_int_equal(SQLITE_IOERR_WRITE,
	    raw_run(h, "INSERT INTO t VALUES(1)"));
	assert_int_equal(SQLITE_OK, raw_run(h, "PRAGMA journal_mode = MEMORY;"
	    "INSERT INTO t VALUES(1)"));
	assert_int_equal(SQLITE_OK, raw_run(h, "PRAGMA journal_mode = WAL;"
	    "INSERT INTO t VALUES(2)"));
	raw_close(h);
}

static void
temporary_files_on_disk_are_refused(void **state)
{
	fixture *f = *state;
	sqlite3 *h;

	close_it(f);
	h = raw_open(f, MAIN);
	assert_int_not_equal(SQLITE_OK, raw_run(h,
	    "PRAGMA cache_size = 1; CREATE TEMP TABLE x(a);"
	    "WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r "
	    "WHERE i < 20000) INSERT INTO x SELECT hex(randomblob(100)) "
	    "FROM r"));
	raw_close(h);
}

static void
a_disk_without_powersafe_overwrite_is_refused(void **state)
{
	fixture *f = *state;
	sat_err err = { 0 };

	close_it(f);
	simfs_powersafe(f->fs, false);
	assert_rc(SAT_EIO, open_named(&f->db, f, MAIN, &err));
	assert_non_null(strstr(err.text, "powersafe"));
}

static void
the_layer_names_itself_and_counts(void **state)
{
	fixture *f = *state;
	sat_db_counts a, b;
	char *name = NULL;

	assert_int_equal(SQLITE_OK, sqlite3_file_control(
	    sat_db_raw(f->db), "main", SQLITE_FCNTL_VFSNAME, &name));
	assert_non_null(strstr(name, "satchel-"));
	assert_non_null(strstr(name, "vfs-test-disk"));
	sqlite3_free(name);
	sat_db_counts_get(&a, f->db);
	run(f, "INSERT INTO t(n) VALUES(1)");
	sat_db_counts_get(&b, f->db);
	assert_true(b.wal_frames == a.wal_frames + 1);
	assert_true(b.syncs == a.syncs + 1);
	assert_true(b.page_writes == a.page_writes);
	assert_true(b.page_reads == a.page_reads);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(a_flipped_bit_in_the_main_file_never_gives_altered_data),
		T(a_damaged_page_is_named_and_the_others_stay_readable),
		T(pages_cannot_be_swapped_blanked_or_brought_from_another_file),
		T(a_truncated_file_is_an_integrity_error),
		T(another_master_key_is_told_so_and_writes_nothing),
		T(a_plain_file_and_garbage_are_refused_with_their_names),
		T(pragmas_that_would_leave_cleartext_are_refused),
		T(a_database_without_reserved_bytes_cannot_be_written),
		T(a_rollback_journal_may_exist_but_hold_no_page),
		T(temporary_files_on_disk_are_refused),
		T(a_disk_without_powersafe_overwrite_is_refused),
		T(the_layer_names_itself_and_counts),
	};

	sat_crypto_init();
	sat_log_level(SAT_ERROR + 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
