/*
 * Pages that became free go back to the disk, on encrypted and plain files,
 * and what is left is whole. And how much of a file memory holds.
 */
#include "tests/unit/common/db/file_fixture.h"

#include <sys/stat.h>

static db_file
begin(bool encrypted, bool shrinks)
{
	return file_begin(encrypted, shrinks, "CREATE TABLE t(id INTEGER "
	    "PRIMARY KEY, b BLOB); CREATE TABLE kept(id INTEGER PRIMARY KEY, "
	    "b BLOB);");
}

/* 4 MiB that go and 2 MiB behind them that stay. */
static void
fill_and_empty(db_file *f)
{
	sat_err err;

	assert_ok(sat_db_exec(f->db, "WITH RECURSIVE n(i) AS (SELECT 1 UNION "
	    "ALL SELECT i + 1 FROM n WHERE i < 2000) INSERT INTO t SELECT i, "
	    "zeroblob(2000) FROM n; "
	    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
	    "WHERE i < 1000) INSERT INTO kept SELECT i, zeroblob(2000 + i % 7) "
	    "FROM n; DELETE FROM t;", &err));
}

static void
fill_and_empty_again(db_file *f)
{
	sat_err err;

	assert_ok(sat_db_exec(f->db, "DELETE FROM t; WITH RECURSIVE n(i) AS "
	    "(SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000) INSERT "
	    "INTO t SELECT i, zeroblob(2000) FROM n; DELETE FROM t", &err));
}

/* Into the file; those of the log are counted by themselves. */
static uint64_t
pages_written(db_file *f)
{
	sat_db_counts c;

	sat_db_counts_get(&c, f->db);
	return c.page_writes;
}

static void
a_long_log_goes_into_the_file_while_nobody_waits(void **state)
{
	(void)state;
	for (int encrypted = 0; encrypted < 2; encrypted++) {
		db_file f = begin(encrypted, false);
		uint64_t before = pages_written(&f);
		sat_err err;

		assert_ok(sat_db_tidy(f.db, &err)); /* it is short */
		assert_int_equal(before, pages_written(&f));
		fill_and_empty(&f);
		assert_ok(sat_db_begin(f.db, &err));
		assert_ok(sat_db_tidy(f.db, &err)); /* not now */
		sat_db_rollback(f.db);
		assert_int_equal(before, pages_written(&f));
		assert_ok(sat_db_tidy(f.db, &err));
		assert_true(pages_written(&f) > before + 500);
		before = pages_written(&f);
		assert_ok(sat_db_tidy(f.db, &err)); /* nothing is left */
		assert_int_equal(before, pages_written(&f));
		file_open(&f, false);
		assert_ok(sat_db_check(f.db, false, &err));
		file_end(&f);
	}
}

static int64_t
bytes_of(db_file *f, bool shrinks)
{
	struct stat st;

	file_open(f, shrinks); /* closing checkpoints */
	assert_int_equal(0, stat(f->path, &st));
	return st.st_size;
}

static void
assert_kept(db_file *f)
{
	sat_stmt *s;
	sat_err err;
	bool row;

	assert_ok(sat_db_check(f->db, false, &err));
	assert_ok(sat_db_stmt_text(&s, f->db,
	    "SELECT count(*), sum(length(b)) FROM kept", &err));
	assert_ok(sat_step(&row, s, &err));
	assert_int_equal(1000, sat_col_int(s, 0));
	assert_int_equal(2003003, sat_col_int(s, 1));
	sat_stmt_reset(s);
}

static void
unused_pages_go_back_to_the_disk(void **state)
{
	(void)state;
	for (int encrypted = 0; encrypted < 2; encrypted++) {
		db_file f = begin(encrypted != 0, true);
		int64_t before;
		sat_err err;

		fill_and_empty(&f);
		before = bytes_of(&f, true);
		assert_true(before > 6 * 1000 * 1000);
		assert_ok(sat_db_shrink(f.db, &err));
		assert_true(bytes_of(&f, true) < before / 2);
		assert_kept(&f);
		file_end(&f);
	}
}

static void
a_few_unused_pages_stay(void **state)
{
	db_file f = begin(true, true);
	int64_t before;
	sat_err err;

	(void)state;
	fill_and_empty(&f);
	assert_ok(sat_db_exec(f.db, "WITH RECURSIVE n(i) AS (SELECT 1 UNION "
	    "ALL SELECT i + 1 FROM n WHERE i < 1600) INSERT INTO t SELECT i, "
	    "zeroblob(2000) FROM n", &err));
	before = bytes_of(&f, true);
	assert_ok(sat_db_shrink(f.db, &err));
	assert_int_equal(before, bytes_of(&f, true));
	file_end(&f);
}

static void
a_file_made_without_the_map_stays_as_it_is(void **state)
{
	db_file f = begin(true, false);
	int64_t before;
	sat_err err;

	(void)state;
	fill_and_empty(&f);
	before = bytes_of(&f, true);
	assert_ok(sat_db_shrink(f.db, &err));
	assert_int_equal(before, bytes_of(&f, true));
	assert_kept(&f);
	file_end(&f);
}

/* An old file must not leave write-ahead logging because it is asked for. */
static void
a_file_that_is_there_is_opened_as_ever(void **state)
{
	db_file f = begin(true, true);
	sat_db_counts c;
	sat_err err;

	(void)state;
	fill_and_empty(&f);
	file_open(&f, true);
	sat_db_counts_get(&c, f.db);
	assert_int_equal(0, c.page_writes + c.wal_frames);
	assert_ok(sat_db_exec(f.db, "DELETE FROM t", &err));
	assert_kept(&f);
	file_end(&f);
}

static void
a_file_is_written_anew_with_full_pages(void **state)
{
	(void)state;
	for (int encrypted = 0; encrypted < 2; encrypted++) {
		db_file f = begin(encrypted != 0, true);
		int64_t before, after, was;
		sat_stmt *s;
		sat_err err;
		bool row;

		fill_and_empty(&f);
		was = bytes_of(&f, true);
		assert_ok(sat_db_begin(f.db, &err));
		assert_rc(SAT_EBUSY, sat_db_compact(&before, &after, f.db,
		    &err));
		sat_db_rollback(f.db);
		assert_ok(sat_db_stmt_text(&s, f.db, "SELECT id FROM kept",
		    &err));
		assert_ok(sat_step(&row, s, &err));
		assert_rc(SAT_EBUSY, sat_db_compact(&before, &after, f.db,
		    &err));
		sat_stmt_reset(s);
		assert_ok(sat_db_compact(&before, &after, f.db, &err));
		assert_true(before <= was && before > was * 9 / 10);
		assert_true(after < was / 2);
		assert_kept(&f);
		assert_ok(sat_db_exec(f.db, "INSERT INTO t VALUES(1, x'00')",
		    &err));
		assert_true(bytes_of(&f, true) < was / 2);
		assert_kept(&f);
		/* and is still one that shrinks */
		fill_and_empty_again(&f);
		was = bytes_of(&f, true);
		assert_ok(sat_db_shrink(f.db, &err));
		assert_true(bytes_of(&f, true) < was / 2);
		file_end(&f);
	}
}

/* The copy of a file that shrinks is one, too. */
static void
a_copy_shrinks_like_its_original(void **state)
{
	db_file f = begin(true, true), g;
	int64_t before;
	sat_err err;

	(void)state;
	fill_and_empty(&f);
	assert_ok(sat_db_exec(f.db, "WITH RECURSIVE n(i) AS (SELECT 1 UNION "
	    "ALL SELECT i + 1 FROM n WHERE i < 2000) INSERT INTO t SELECT i, "
	    "zeroblob(2000) FROM n", &err));
	g = f;
	g.path = sat_xasprintf("%s/copy.db", f.dir);
	g.db = NULL;
	assert_ok(sat_db_copy(f.db, g.path, &err));
	file_open(&g, true);
	assert_ok(sat_db_exec(g.db, "DELETE FROM t", &err));
	before = bytes_of(&g, true);
	assert_ok(sat_db_shrink(g.db, &err));
	assert_true(bytes_of(&g, true) < before / 2);
	assert_kept(&g);
	sat_db_close(g.db);
	free(g.path);
	file_end(&f);
}

static int64_t
cache_of(sat_db *db)
{
	sat_stmt *s;
	int64_t n;
	sat_err err;
	bool row;

	assert_ok(sat_db_stmt_text(&s, db, "PRAGMA cache_size", &err));
	assert_ok(sat_step(&row, s, &err));
	n = sat_col_int(s, 0);
	sat_stmt_reset(s);
	return n;
}

static void
a_smaller_cache_lasts_until_the_usual_one_is_asked_for(void **state)
{
	db_file f = begin(true, true);
	int64_t usual = cache_of(f.db);
	sat_err err;

	(void)state;
	assert_ok(sat_db_cache(f.db, 1024, &err));
	assert_int_equal(-1024, cache_of(f.db));
	assert_ok(sat_db_cache(f.db, 0, &err));
	assert_int_equal(usual, cache_of(f.db));
	file_end(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_long_log_goes_into_the_file_while_nobody_waits),
		cmocka_unit_test(unused_pages_go_back_to_the_disk),
		cmocka_unit_test(a_few_unused_pages_stay),
		cmocka_unit_test(a_file_made_without_the_map_stays_as_it_is),
		cmocka_unit_test(a_file_that_is_there_is_opened_as_ever),
		cmocka_unit_test(a_file_is_written_anew_with_full_pages),
		cmocka_unit_test(a_copy_shrinks_like_its_original),
		cmocka_unit_test(a_smaller_cache_lasts_until_the_usual_one_is_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
