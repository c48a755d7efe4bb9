/*
 * file_fixture.h - a database in a folder of its own, plain or encrypted.
 */
#ifndef SAT_TESTS_COMMON_DB_FILE_FIXTURE_H
#define SAT_TESTS_COMMON_DB_FILE_FIXTURE_H

#include "tests/lib/unit.h"

#include "common/crypto/crypto.h"
#include "common/crypto/keyring.h"
#include "common/db/db.h"

typedef struct db_file {
	char *dir, *path;
	sat_keyring *keyring; /* NULL: plain */
	sat_db *db;
} db_file;

static void
file_open(db_file *f, bool shrinks)
{
	sat_db_open_opts o = { .path = f->path, .keyring = f->keyring,
		.create = true, .shrinks = shrinks };
	sat_err err;

	sat_db_close(f->db);
	f->db = NULL;
	assert_ok(sat_db_open(&f->db, &o, &err));
}

/* tables: SQL that makes them. */
static db_file
file_begin(bool encrypted, bool shrinks, const char *tables)
{
	db_file f = { .dir = sat_test_dir() };
	sat_err err;

	sat_crypto_init();
	f.path = sat_xasprintf("%s/t.db", f.dir);
	f.keyring = encrypted ? sat_keyring_memory(NULL) : NULL;
	file_open(&f, shrinks);
	assert_ok(sat_db_exec(f.db, tables, &err));
	return f;
}

static void
file_end(db_file *f)
{
	sat_db_close(f->db);
	sat_keyring_close(f->keyring);
	free(f->path);
	sat_test_rmdir(f->dir);
}

#endif
