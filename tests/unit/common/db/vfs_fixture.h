/*
 * vfs_fixture.h - a database on a simulated disk, every byte of which can be
 * touched; shared by the tests of the encrypting layer.
 */
#ifndef TESTS_DB_VFS_FIXTURE_H
#define TESTS_DB_VFS_FIXTURE_H

#include "tests/lib/unit.h"

#include <sqlite3.h>

#include "common/base/log.h"
#include "common/crypto/keyring.h"
#include "common/db/db.h"
#include "common/db/vfs.h"
#include "tests/lib/simfs.h"

#define MAIN "dev/a.db"
#define WAL "dev/a.db-wal"
#define PAGE 4096
#define FRAME (24 + PAGE)
#define MARKER "customer Zhang Wei 13800138000"

typedef struct fixture {
	simfs *fs;
	sat_keyring *keyring;
	sat_db *db;
} fixture;

__attribute__((unused)) static const uint8_t key_a[SAT_KEY_BYTES] = { 1 };
__attribute__((unused)) static const uint8_t key_b[SAT_KEY_BYTES] = { 2 };

__attribute__((unused)) static sat_rc
open_named(sat_db **db, fixture *f, const char *name, sat_err *e)
{
	sat_db_open_opts o = { .path = name, .keyring = f->keyring,
		.create = true, .vfs_below = simfs_name(f->fs) };

	return sat_db_open(db, &o, e);
}

__attribute__((unused)) static void
open_it(fixture *f)
{
	sat_err err;

	assert_null(f->db);
	assert_ok(open_named(&f->db, f, MAIN, &err));
}

__attribute__((unused)) static void
close_it(fixture *f)
{
	sat_db_close(f->db);
	f->db = NULL;
}

/* Process death and power cut in one: everything was synced. */
__attribute__((unused)) static void
die(fixture *f)
{
	sat_db_abandon(f->db);
	f->db = NULL;
}

__attribute__((unused)) static void
run(fixture *f, const char *sql)
{
	sat_err err;

	assert_ok(sat_db_exec(f->db, sql, &err));
}

__attribute__((unused)) static int
setup(void **state)
{
	fixture *f = sat_xcalloc(1, sizeof *f);

	f->fs = simfs_new("vfs-test-disk", 1);
	f->keyring = sat_keyring_memory(key_a);
	open_it(f);
	run(f, "CREATE TABLE t(id INTEGER PRIMARY KEY, a TEXT, n INTEGER)");
	*state = f;
	return 0;
}

__attribute__((unused)) static int
teardown(void **state)
{
	fixture *f = *state;

	sat_db_abandon(f->db);
	simfs_free(f->fs);
	sat_keyring_close(f->keyring);
	free(f);
	return 0;
}

__attribute__((unused)) static sat_rc
ask(int64_t *v, sat_db *db, const char *sql)
{
	sat_stmt *s;
	bool row;
	sat_rc rc;

	*v = -1;
	if ((rc = sat_db_stmt_text(&s, db, sql, NULL)) != SAT_OK ||
	    (rc = sat_step(&row, s, NULL)) != SAT_OK)
		return rc;
	*v = row ? sat_col_int(s, 0) : -1;
	sat_stmt_reset(s);
	return SAT_OK;
}

__attribute__((unused)) static int64_t
count(fixture *f)
{
	int64_t n;

	assert_rc(SAT_OK, ask(&n, f->db, "SELECT count(*) FROM t"));
	return n;
}

/* n rows, each of about one page. */
__attribute__((unused)) static void
fill(fixture *f, int n)
{
	char sql[200];

	(void)snprintf(sql, sizeof sql, "WITH RECURSIVE r(i) AS (SELECT 1 "
	    "UNION ALL SELECT i + 1 FROM r WHERE i < %d) INSERT INTO t(a, n) "
	    "SELECT hex(zeroblob(1800)), i * 7 FROM r", n);
	run(f, sql);
}

__attribute__((unused)) static sat_vfs_fault
fault_of(fixture *f)
{
	sat_vfs_fault fault;

	assert_int_equal(SQLITE_OK, sqlite3_file_control(
	    sat_db_raw(f->db), "main", SAT_FCNTL_FAULT, &fault));
	return fault;
}

__attribute__((unused)) static void
flip(fixture *f, const char *name, size_t at)
{
	size_t n;
	const uint8_t *p = simfs_bytes(&n, f->fs, name);
	uint8_t b;

	assert_true(at < n);
	b = p[at] ^ 0x10;
	simfs_poke(f->fs, name, at, &b, 1);
}

/* A connection that does not follow the rules, straight on the layer. */
__attribute__((unused)) static sqlite3 *
raw_open(fixture *f, const char *name)
{
	sqlite3 *h = NULL;
	sat_err err;

	assert_ok(sat_vfs_register(
	    "raw-satchel", simfs_name(f->fs), f->keyring, &err));
	assert_int_equal(SQLITE_OK, sqlite3_open_v2(name, &h,
	    SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE |
	    SQLITE_OPEN_EXRESCODE, "raw-satchel"));
	return h;
}

__attribute__((unused)) static void
raw_close(sqlite3 *h)
{
	assert_int_equal(SQLITE_OK, sqlite3_close(h));
	sat_vfs_unregister("raw-satchel");
}

__attribute__((unused)) static int
raw_run(sqlite3 *h, const char *sql)
{
	return sqlite3_exec(h, sql, NULL, NULL, NULL);
}

#endif
