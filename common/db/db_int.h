/*
 * db_int.h - what the files of this room share.
 */
#ifndef SAT_DB_DB_INT_H
#define SAT_DB_DB_INT_H

#include <sqlite3.h>

#include "common/db/db.h"
#include "common_db_sql.h"

/* Statements of generated text that stay prepared. A template has some tens
 * of kinds with a handful of statements each. */
#define DB_TEXT_CACHE_MAX 256
#define DB_TEXT_BUCKETS 512
#define DB_TEXT_RECENT 64

struct sat_stmt {
	sat_db *db; /* borrowed */
	sqlite3_stmt *s;
	int bind_rc; /* first failed bind; given out by the next step */
	bool done;   /* ran to its end and was reset; holds no row */
	/* the cache of generated texts */
	char *text;
	uint64_t hash;
	sat_stmt *bucket_next;
	sat_stmt *newer, *older;
};

struct sat_db {
	sqlite3 *h;
	char *path;
	char vfs[40]; /* our VFS instance is registered under this name */
	struct vfs_main *file; /* borrowed from the main file's handle */
	const sat_sql *sql;
	size_t nsql;
	sat_stmt **numbered;          /* nsql of them, made on demand */
	sat_stmt *own[common_db_sql_count]; /* this room's, made on demand */
	sat_stmt *buckets[DB_TEXT_BUCKETS];
	sat_stmt *recent[DB_TEXT_RECENT]; /* by where the text stands */
	struct { /* sat_db_stmt_kept */
		const char *at;
		sat_stmt *s;
	} kept[DB_TEXT_RECENT];
	sat_stmt *newest, *oldest;
	size_t ntexts;
	const sat_db_rows *feed; /* while sat_db_feed runs */
	int cache_kib; /* as it was opened */
	bool owns_vfs;
	bool dead;
	bool txn; /* begun, and neither committed nor rolled back by us */
	uint64_t undone; /* calls of sat_db_rollback */
	uint64_t tidied; /* frames written at the last sat_db_tidy that did it */
};

/*
 * What SQLite said, in our words. `what` begins the text ("begin", "write").
 * Marks the handle dead when a sync has failed.
 */
sat_rc sat_db_fail(sat_db *db, int xrc, const char *what, sat_err *e);
/* SAT_EFSYNC when dead; SAT_EIO when SQLite has undone the transaction by
 * itself and nobody has rolled it back yet. */
SAT_CHECK sat_rc sat_db_alive(sat_db *db, sat_err *e);
/* A statement of db.sql. */
SAT_CHECK sat_rc sat_db_own(sat_stmt **s, sat_db *db, int sql, sat_err *e);
/* Run a statement of db.sql to its end; SQL_OPEN_JOURNAL must answer "wal". */
SAT_CHECK sat_rc sat_db_pragma(sat_db *db, int sql, sat_err *e);
/* The integer an own statement answers with. */
SAT_CHECK sat_rc sat_db_number(int64_t *n, sat_db *db, int sql, sat_err *e);
/* Another existing file through the same VFS instance, for copies. Close it
 * before db. */
SAT_CHECK sat_rc sat_db_open_beside(
    sat_db **out, const sat_db *db, const char *path, sat_err *e);
/* Through a VFS; true also when it cannot be told. */
bool sat_db_exists(const char *vfs, const char *path);
/* The table sat_rows. */
SAT_CHECK sat_rc sat_db_feed_ready(sat_db *db, sat_err *e);
/* Finalize everything that is prepared. */
void sat_db_drop_stmts(sat_db *db);

#endif
