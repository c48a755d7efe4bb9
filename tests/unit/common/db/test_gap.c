/*
 * What was deleted is in no page: also not in the copies SQLite leaves in the
 * unused middle of a page whose cells moved to another one (V7).
 */
#include "tests/unit/common/db/file_fixture.h"

#include <sqlite3.h>
#include <string.h>

#define PAGE 4096
#define KEYS 400
#define WORD "Zhang Wei;"

typedef struct fixture {
	db_file file;
	uint64_t seed;
	size_t bytes[KEYS]; /* of the row; 0: none */
} fixture;

static fixture
begin(bool encrypted, bool shrinks, uint64_t seed)
{
	return (fixture){ .file = file_begin(encrypted, shrinks, "CREATE TABLE "
	    "t(id INTEGER PRIMARY KEY, b BLOB); CREATE INDEX byb ON t(b)"),
		.seed = seed };
}

/* Rows of 10 to 900 bytes, now and then one of some pages; every tenth is a
 * person's. */
static void
put(fixture *f)
{
	static uint8_t row[20000];
	size_t k = sat_test_rand(&f->seed) % KEYS, n;
	sat_stmt *s;
	sat_err err;

	n = 10 + sat_test_rand(&f->seed) %
	    (sat_test_rand(&f->seed) % 50 == 0 ? sizeof row - 10 : 890);
	memset(row, 'x', n);
	row[0] = (uint8_t)k;
	row[1] = (uint8_t)(k >> 8);
	if (k % 10 == 0)
		for (size_t i = 2; i + strlen(WORD) <= n; i += strlen(WORD))
			memcpy(row + i, WORD, strlen(WORD));
	assert_ok(sat_db_stmt_text(&s, f->file.db, "INSERT OR REPLACE INTO t "
	    "VALUES(?,?)", &err));
	sat_bind_int(s, 1, (int64_t)k + 1);
	sat_bind_blob(s, 2, sat_span_of(row, n));
	assert_ok(sat_run(s, &err));
	f->bytes[k] = n;
}

/* Some at a time: a commit waits for the disk. */
static void
put_many(fixture *f, int n)
{
	sat_err err;

	for (int i = 0; i < n; i++) {
		if (i % 50 == 0)
			assert_ok(sat_db_begin(f->file.db, &err));
		put(f);
		if (i % 50 == 49)
			assert_ok(sat_db_commit(f->file.db, &err));
	}
}

/* A transaction too large for a small cache, so that frames of it are written. */
static void
undo(fixture *f)
{
	sat_err err;

	assert_ok(sat_db_exec(f->file.db, "PRAGMA cache_size = 10; BEGIN; "
	    "UPDATE t SET b = zeroblob(length(b)); ROLLBACK", &err));
}

static void
forget(fixture *f)
{
	sat_err err;

	assert_ok(sat_db_exec(f->file.db, "DELETE FROM t WHERE (id - 1) % 10 = 0",
	    &err));
	for (size_t k = 0; k < KEYS; k += 10)
		f->bytes[k] = 0;
}

/* All rows there, and SQLite finds nothing wrong with the pages. */
static void
assert_whole(fixture *f)
{
	sat_stmt *s;
	bool row;
	size_t n = 0;
	sat_err err;

	assert_ok(sat_db_check(f->file.db, false, &err));
	assert_ok(sat_db_stmt_text(&s, f->file.db, "SELECT id - 1, b FROM t", &err));
	for (; assert_rc(SAT_OK, sat_step(&row, s, &err)), row; n++) {
		size_t k = (size_t)sat_col_int(s, 0);
		sat_span b = sat_col_blob(s, 1);

		assert_int_equal(f->bytes[k], b.n);
		assert_int_equal(k, b.p[0] | b.p[1] << 8);
	}
	for (size_t k = 0; k < KEYS; k++)
		n -= f->bytes[k] != 0;
	assert_int_equal(0, n);
}

/* Pages of the main file, as the program reads them, of which that holds. */
static size_t
pages(fixture *f, bool (*holds)(const uint8_t *page, bool first))
{
	sqlite3_file *file = NULL;
	sqlite3_int64 size;
	uint8_t page[PAGE];
	size_t hits = 0;

	assert_int_equal(SQLITE_OK, sqlite3_file_control(sat_db_raw(f->file.db),
	    "main", SQLITE_FCNTL_FILE_POINTER, &file));
	assert_int_equal(SQLITE_OK, file->pMethods->xFileSize(file, &size));
	for (sqlite3_int64 at = 0; at < size; at += PAGE) {
		assert_int_equal(SQLITE_OK, file->pMethods->xRead(file, page,
		    PAGE, at));
		hits += holds(page, at == 0);
	}
	return hits;
}

static bool
has_word(const uint8_t *page, bool first)
{
	(void)first;
	return memmem(page, PAGE, WORD, strlen(WORD)) != NULL;
}

static size_t
words(fixture *f)
{
	return pages(f, has_word);
}

/* Of a file without a map, where a first byte tells a page of a b-tree. */
static bool
has_middle(const uint8_t *page, bool first)
{
	const uint8_t *head = page + (first ? 100 : 0);
	bool leaf = head[0] == 10 || head[0] == 13;
	size_t from = (size_t)(head - page) + (leaf ? 8 : 12) +
	    2 * ((size_t)head[3] << 8 | head[4]);
	size_t to = (size_t)head[5] << 8 | head[6];

	for (; (leaf || head[0] == 2 || head[0] == 5) && from < to; from++)
		if (page[from] != 0)
			return true;
	return false;
}

static size_t
words_in(const char *path, const char *tail)
{
	char *name = sat_xasprintf("%s%s", path, tail);
	FILE *in = fopen(name, "rb");
	uint8_t page[PAGE];
	size_t n, hits = 0;

	while (in != NULL && (n = fread(page, 1, sizeof page, in)) > 0)
		hits += memmem(page, n, WORD, strlen(WORD)) != NULL;
	if (in != NULL)
		(void)fclose(in);
	free(name);
	return hits;
}

static void
one_life(bool encrypted, bool shrinks, uint64_t seed)
{
	fixture f = begin(encrypted, shrinks, seed);
	sat_err err;

	for (int i = 0; i < 10; i++) {
		put_many(&f, 50);
		if (sat_test_rand(&f.seed) % 2 == 0)
			assert_ok(sat_db_checkpoint(f.file.db, &err));
		if (sat_test_rand(&f.seed) % 4 == 0)
			file_open(&f.file, shrinks);
	}
	assert_ok(sat_db_checkpoint(f.file.db, &err));
	assert_true(words(&f) > 0);
	forget(&f);
	assert_ok(sat_db_checkpoint(f.file.db, &err));
	if (words(&f) != 0)
		fail_msg("seed %llu: a deleted row is in %zu pages",
		    (unsigned long long)seed, words(&f));
	assert_whole(&f);
	/* what is written later brings nothing back, into the log neither */
	assert_ok(sat_db_exec(f.file.db, "UPDATE t SET b = substr(b, 1, length(b) "
	    "- 1) || x'01'", &err));
	if (!encrypted)
		assert_int_equal(0, words_in(f.file.path, "-wal"));
	assert_ok(sat_db_shrink(f.file.db, &err));
	assert_ok(sat_db_checkpoint(f.file.db, &err));
	assert_int_equal(0, words(&f));
	if (!encrypted)
		assert_int_equal(0, words_in(f.file.path, ""));
	file_open(&f.file, shrinks);
	assert_whole(&f);
	file_end(&f.file);
}

static void
a_deleted_row_is_in_no_page_of_an_encrypted_file(void **state) /* V7 */
{
	(void)state;
	for (uint64_t i = 0; i < 8; i++)
		one_life(true, i % 2 == 1, sat_test_seed(100 + i));
}

static void
a_deleted_row_is_in_no_page_of_a_plain_file(void **state) /* V7 */
{
	(void)state;
	for (uint64_t i = 0; i < 8; i++)
		one_life(false, i % 2 == 1, sat_test_seed(208 + i));
}

/* A connection that did not write the log moves it: after a power cut. */
static void
a_log_of_somebody_else_is_moved_without_deleted_rows_too(void **state) /* V7 */
{
	(void)state;
	for (uint64_t i = 0; i < 8; i++) {
		fixture f = begin(true, i % 2 == 1, sat_test_seed(300 + i));
		sat_err err;

		put_many(&f, 500);
		forget(&f);
		sat_db_abandon(f.file.db);
		f.file.db = NULL;
		file_open(&f.file, i % 2 == 1);
		assert_ok(sat_db_checkpoint(f.file.db, &err));
		assert_int_equal(0, words(&f));
		assert_whole(&f);
		file_end(&f.file);
	}
}

/* Each writes where the other wrote before: into a log that it began anew, or
 * over frames that were undone. Either moves what both wrote. */
static void
two_connections_move_each_others_pages_without_their_middle(
    void **state) /* V7 */
{
	fixture f = begin(true, false, sat_test_seed(400));
	sat_db *a = f.file.db, *b;
	sat_err err;

	(void)state;
	f.file.db = NULL;
	file_open(&f.file, false);
	b = f.file.db;
	for (int n = 0; n < 40; n++) {
		f.file.db = a;
		put_many(&f, 50);
		if (n % 2 == 0)
			assert_ok(sat_db_checkpoint(b, &err));
		if (n % 4 == 1)
			undo(&f);
		f.file.db = b;
		put_many(&f, 50);
		assert_ok(sat_db_checkpoint(n % 8 < 6 ? a : b, &err));
		assert_int_equal(0, pages(&f, has_middle));
	}
	assert_whole(&f);
	sat_db_close(a);
	file_end(&f.file);
}

/* More than one page of the map (812 pages each), and free pages among them. */
static void
a_large_file_that_shrinks_stays_whole(void **state) /* V7 */
{
	fixture f = begin(true, true, sat_test_seed(7));
	sat_err err;

	(void)state;
	put_many(&f, 400);
	assert_ok(sat_db_exec(f.file.db, "CREATE TABLE big(id INTEGER PRIMARY KEY, "
	    "b BLOB); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 "
	    "FROM n WHERE i < 2500) INSERT INTO big SELECT i, "
	    "randomblob(1000 + i % 900) FROM n; DELETE FROM big WHERE "
	    "id % 3 > 0 AND id < 1500", &err));
	assert_ok(sat_db_checkpoint(f.file.db, &err));
	assert_whole(&f);
	assert_ok(sat_db_exec(f.file.db, "UPDATE big SET b = randomblob(600 + id % "
	    "1900); DELETE FROM big WHERE id % 5 > 0", &err));
	assert_ok(sat_db_checkpoint(f.file.db, &err));
	assert_ok(sat_db_shrink(f.file.db, &err));
	assert_ok(sat_db_checkpoint(f.file.db, &err));
	file_open(&f.file, true);
	assert_whole(&f);
	file_end(&f.file);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_deleted_row_is_in_no_page_of_an_encrypted_file),
		cmocka_unit_test(a_deleted_row_is_in_no_page_of_a_plain_file),
		cmocka_unit_test(
		    a_log_of_somebody_else_is_moved_without_deleted_rows_too),
		cmocka_unit_test(
		    two_connections_move_each_others_pages_without_their_middle),
		cmocka_unit_test(a_large_file_that_shrinks_stays_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
