/*
 * db.c - open, close, transactions, and what SQLite's codes mean to us.
 *
 * Why one connection: SQLite 3.7.0 to 3.51.2 can corrupt a WAL database when
 * two connections write or checkpoint at the same moment. Why the handle dies
 * with the first failed fsync: the kernel drops the pages it could not write
 * and says so once; what is acknowledged after that rests on nothing.
 *
 * Invariants, named in the tests:
 *   D1  a commit that gave SAT_OK is still there after power loss.
 *   D2  after a failed sync every call gives SAT_EFSYNC.
 *   D3  after sat_db_commit() failed no transaction is open.
 *   D4  a full disk leaves the database readable and usable once there is
 *       room again.
 */
#include "common/db/db_int.h"
#include "common/db/vfs_int.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"

#define DB_CACHE_KIB (64 * 1024)

/* The statements of db.sql that prepare a connection, in their order. */
static const int open_steps[] = {
	SQL_OPEN_TEMP_STORE, SQL_OPEN_JOURNAL, SQL_OPEN_SYNC,
	SQL_OPEN_AUTOCHECKPOINT, SQL_OPEN_CELL_CHECK, SQL_OPEN_SCHEMA_TRUST,
	SQL_OPEN_FOREIGN_KEYS,
};

static sat_rc
rc_of(int xrc)
{
	switch (xrc) {
	case SQLITE_IOERR_DATA:
	case SQLITE_IOERR_CORRUPTFS:
	case SQLITE_IOERR_AUTH:
		return SAT_EINTEGRITY;
	case SQLITE_IOERR_FSYNC:
	case SQLITE_IOERR_DIR_FSYNC:
		return SAT_EFSYNC;
	case SQLITE_IOERR_NOMEM:
		return SAT_ENOMEM;
	default:
		break;
	}
	switch (xrc & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE:
		return SAT_OK;
	case SQLITE_FULL:
		return SAT_ENOSPACE;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return SAT_EBUSY;
	case SQLITE_NOTADB:
	case SQLITE_CORRUPT:
		return SAT_EINTEGRITY;
	case SQLITE_IOERR:
	case SQLITE_READONLY:
	case SQLITE_CANTOPEN:
	case SQLITE_PERM:
		return SAT_EIO;
	case SQLITE_CONSTRAINT:
		return SAT_ECONFLICT;
	case SQLITE_NOMEM:
		return SAT_ENOMEM;
	default:
		return SAT_EFAIL;
	}
}

static sat_rc
fail_dead(sat_db *db, sat_err *e)
{
	return sat_fail_code(e, SAT_EFSYNC, "db.fsync",
	    "close the database and open it again; nothing that was "
	    "acknowledged before is lost",
	    "%s: the disk failed to make a write durable", db->path);
}

/* The texts of the codes that need more than SQLite's own words. */
static sat_rc
fail_known(sat_db *db, sat_rc rc, const char *what, sat_err *e)
{
	switch (rc) {
	case SAT_ENOSPACE:
		return sat_fail_code(e, rc, "db.full",
		    "free space on this disk and repeat; reading goes on",
		    "%s: %s: the disk is full; this was not written", db->path,
		    what);
	case SAT_EBUSY:
		return sat_fail_code(e, rc, "db.busy",
		    "end the other program, then repeat",
		    "%s: %s: another program holds this database", db->path,
		    what);
	default:
		return sat_fail_code(e, SAT_ENOMEM, "db.memory",
		    "close other programs and repeat",
		    "%s: %s: out of memory; this was not written", db->path,
		    what);
	}
}

/* SQLite only says "disk I/O error"; our layer remembers which page. */
static sat_rc
fail_integrity(sat_db *db, int xrc, const char *what, sat_err *e)
{
	const sat_vfs_fault *f = db->file != NULL ? &db->file->fault : NULL;
	const char *kind = f != NULL ? f->kind : "";

	if (strcmp(kind, "plain-file") == 0)
		return sat_fail_code(e, SAT_EINTEGRITY, "db.plain",
		    "this is an ordinary SQLite file; import it instead",
		    "%s: %s: the file is not encrypted", db->path, what);
	if (strcmp(kind, "foreign") == 0)
		return sat_fail_code(e, SAT_EINTEGRITY, "db.foreign",
		    "use the keyring this file was made with, or restore a "
		    "backup", "%s: %s: the file does not belong to this "
		    "keyring, or its first page is damaged", db->path, what);
	if (kind[0] != '\0')
		return sat_fail_code(e, SAT_EINTEGRITY, "db.integrity",
		    "keep the file for diagnosis; restore a backup or fetch "
		    "the data from the server again",
		    "%s: %s: damaged: %s, page %u, offset %lld", db->path,
		    what, kind, f->page, (long long)f->offset);
	return sat_fail_code(e, SAT_EINTEGRITY, "db.integrity",
	    "keep the file for diagnosis; restore a backup or fetch the data "
	    "from the server again", "%s: %s: the file is damaged (code %d)",
	    db->path, what, xrc);
}

sat_rc
sat_db_fail(sat_db *db, int xrc, const char *what, sat_err *e)
{
	sat_rc rc = rc_of(xrc);

	assert(rc != SAT_OK);
	if (sat_db_dead(db))
		rc = SAT_EFSYNC;
	else if (rc == SAT_EFSYNC && db->file != NULL)
		rc = SAT_EIO; /* another file than ours: a copy */
	if (rc == SAT_EFSYNC && !db->dead) {
		db->dead = true;
		sat_log(SAT_ERROR, "DB-FSYNC", "path=%s during=%s", db->path,
		    what);
	}
	switch (rc) {
	case SAT_EFSYNC:
		return fail_dead(db, e);
	case SAT_ENOSPACE:
	case SAT_EBUSY:
	case SAT_ENOMEM:
		return fail_known(db, rc, what, e);
	case SAT_EINTEGRITY:
		return fail_integrity(db, xrc, what, e);
	case SAT_EIO:
		return sat_fail_code(e, rc, "db.io",
		    "check the disk, the directory and its permissions",
		    "%s: %s: %s (code %d)", db->path, what,
		    sqlite3_errstr(xrc), xrc);
	default:
		return sat_fail(e, rc, "%s: %s (code %d)", what,
		    db->h != NULL ? sqlite3_errmsg(db->h) :
		                    sqlite3_errstr(xrc), xrc);
	}
}

bool
sat_db_dead(const sat_db *db)
{
	return db->dead || (db->file != NULL && db->file->dead);
}

sat_rc
sat_db_alive(sat_db *db, sat_err *e)
{
	if (sat_db_dead(db))
		return fail_dead(db, e);
	/* After a failed read or write SQLite may roll back by itself. What
	 * came next would be a transaction of its own, statement by statement,
	 * whoever asked for it did not hear of the failure. */
	if (db->txn && !sat_db_in_txn(db))
		return sat_fail_code(e, SAT_EIO, "db.undone", NULL,
		    "%s: a failure of the disk has undone the transaction",
		    db->path);
	return SAT_OK;
}

const char *
sat_db_path(const sat_db *db)
{
	return db->path;
}

void *
sat_db_raw(sat_db *db)
{
	return db->h;
}

/* journal_mode answers with the mode in force instead of an error. */
static sat_rc
require_wal(sat_db *db, sat_stmt *s, sat_err *e)
{
	sat_span mode;
	bool row, wal;
	sat_rc rc;

	if ((rc = sat_step(&row, s, e)) != SAT_OK)
		return rc;
	mode = row ? sat_col_text(s, 0) : sat_span_str("");
	wal = sat_span_eq(mode, sat_span_str("wal"));
	/* The answer comes before the file says so: that is written when the
	 * statement ends, and may fail. */
	while (rc == SAT_OK && row)
		rc = sat_step(&row, s, e);
	if (rc != SAT_OK)
		return rc;
	if (!wal)
		return sat_fail(e, SAT_EIO,
		    "%s: cannot switch to write-ahead logging", db->path);
	return SAT_OK;
}

sat_rc
sat_db_pragma(sat_db *db, int sql, sat_err *e)
{
	sat_stmt *s;
	bool row;
	sat_rc rc;

	if ((rc = sat_db_own(&s, db, sql, e)) != SAT_OK)
		return rc;
	if (sql == SQL_OPEN_JOURNAL)
		return require_wal(db, s, e);
	do {
		if ((rc = sat_step(&row, s, e)) != SAT_OK)
			return rc;
	} while (row);
	return SAT_OK;
}

sat_rc
sat_db_number(int64_t *n, sat_db *db, int sql, sat_err *e)
{
	sat_stmt *s;
	bool row;
	sat_rc rc;

	*n = 0;
	if ((rc = sat_db_own(&s, db, sql, e)) != SAT_OK ||
	    (rc = sat_step(&row, s, e)) != SAT_OK)
		return rc;
	*n = row ? sat_col_int(s, 0) : 0;
	sat_stmt_reset(s);
	return SAT_OK;
}

/* A file with room for the map of its pages is first written in rollback mode:
 * in memory, as with a copy, because a journal file is refused. */
static sat_rc
prepare_shrinking(sat_db *db, sat_err *e)
{
	int64_t pages;
	sat_rc rc;

	if ((rc = sat_db_number(&pages, db, SQL_OPEN_PAGES, e)) != SAT_OK ||
	    pages > 0)
		return rc;
	if ((rc = sat_db_pragma(db, SQL_COPY_JOURNAL_MEMORY, e)) != SAT_OK)
		return rc;
	return sat_db_pragma(db, SQL_OPEN_SHRINKS, e);
}

/* Not a numbered statement: it takes effect when it is compiled. */
sat_rc
sat_db_cache(sat_db *db, int kib, sat_err *e)
{
	char cache[48];

	(void)snprintf(cache, sizeof cache, "PRAGMA cache_size = -%d",
	    kib > 0 ? kib : db->cache_kib);
	return sat_db_exec(db, cache, e);
}

static sat_rc
prepare_connection(sat_db *db, const sat_db_open_opts *o, sat_err *e)
{
	sat_stmt *s;
	sat_rc rc;
	size_t i;

	for (i = 0; i < sizeof open_steps / sizeof open_steps[0]; i++) {
		if (open_steps[i] == SQL_OPEN_JOURNAL && o->shrinks &&
		    (rc = prepare_shrinking(db, e)) != SAT_OK)
			return rc;
		if ((rc = sat_db_pragma(db, open_steps[i], e)) != SAT_OK)
			return rc;
	}
#ifdef SAT_BUGS
	if (o->bug_sync_normal &&
	    (rc = sat_db_pragma(db, SQL_OPEN_SYNC_BUG, e)) != SAT_OK)
		return rc;
#endif
	db->cache_kib = o->cache_kib > 0 ? o->cache_kib : DB_CACHE_KIB;
	if ((rc = sat_db_cache(db, 0, e)) != SAT_OK)
		return rc;
	if ((rc = sat_db_own(&s, db, SQL_ROLLBACK, e)) != SAT_OK ||
	    (rc = sat_db_own(&s, db, SQL_BEGIN, e)) != SAT_OK)
		return rc;
	return sat_db_own(&s, db, SQL_COMMIT, e);
}

/* A VFS instance of its own: the keyring is not found by a global name. */
static sat_rc
make_vfs(sat_db *db, const sat_db_open_opts *o, sat_err *e)
{
	static _Atomic unsigned long number;
	const char *below = o->vfs_below != NULL ? o->vfs_below : "unix-excl";
	char name[sizeof db->vfs];
	sat_rc rc;

	(void)snprintf(name, sizeof name, "satchel-%lu", ++number);
	if ((rc = sat_vfs_register(name, below, o->keyring, e)) != SAT_OK)
		return rc;
	memcpy(db->vfs, name, sizeof name);
	db->owns_vfs = true;
	vfs_find(name)->sole = true;
	vfs_find(name)->real = strncmp(below, "unix", 4) == 0;
	return SAT_OK;
}

/* sqlite3_open_v2 with what our layer knows of the reasons. */
static sat_rc
open_sqlite(sat_db *db, int flags, sat_err *e)
{
	vfs_inst *v = vfs_find(db->vfs);
	vfs_file *f = NULL;
	int xrc;

	memset(&v->open_err, 0, sizeof v->open_err);
	xrc = sqlite3_open_v2(db->path, &db->h, flags | SQLITE_OPEN_READWRITE |
	    SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, db->vfs);
	if (xrc != SQLITE_OK && v->open_err.rc != SAT_OK) {
		if (e != NULL)
			*e = v->open_err;
		return v->open_err.rc;
	}
	if (xrc == SQLITE_OK)
		xrc = sqlite3_file_control(db->h, "main", VFS_FCNTL_SELF, &f);
	if (xrc != SQLITE_OK)
		return sat_db_fail(db, xrc, "open", e);
	db->file = f->db;
	return SAT_OK;
}

static sat_rc
open_handle(sat_db *db, const sat_db_open_opts *o, sat_err *e)
{
	int xrc, reserve = VFS_TRAILER;
	sat_rc rc;

	if ((rc = make_vfs(db, o, e)) != SAT_OK)
		return rc;
	if (!o->create && !sat_db_exists(db->vfs, o->path))
		return sat_fail(e, SAT_ENOTFOUND, "%s: no such file", o->path);
	rc = open_sqlite(db, o->create ? SQLITE_OPEN_CREATE : 0, e);
	if (rc != SAT_OK)
		return rc;
	/* Before the first write; it can never be added later. */
	if (o->keyring != NULL && (xrc = sqlite3_file_control(db->h, "main",
	    SQLITE_FCNTL_RESERVE_BYTES, &reserve)) != SQLITE_OK)
		return sat_db_fail(db, xrc, "reserve bytes", e);
	(void)sqlite3_db_config(db->h, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	if ((rc = sat_db_feed_ready(db, e)) != SAT_OK)
		return rc;
	return prepare_connection(db, o, e);
}

/* Everything of the handle except the question whether to checkpoint. */
static void
free_handle(sat_db *db, bool checkpoint)
{
	sqlite3_stmt *left;

	sat_db_drop_stmts(db);
	if (db->h != NULL) {
		if (!checkpoint)
			(void)sqlite3_db_config(db->h,
			    SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
		while ((left = sqlite3_next_stmt(db->h, NULL)) != NULL)
			(void)sqlite3_finalize(left);
		(void)sqlite3_close(db->h);
	}
	if (db->owns_vfs)
		sat_vfs_unregister(db->vfs);
	free(db->numbered);
	free(db->path);
	free(db);
}

static sat_db *
new_handle(const char *path, const sat_sql *sql, size_t nsql)
{
	sat_db *db = sat_xcalloc(1, sizeof *db);

	db->path = sat_xstrdup(path);
	db->sql = sql;
	db->nsql = sql != NULL ? nsql : 0;
	db->numbered = sat_xcalloc(db->nsql + 1, sizeof(sat_stmt *));
	return db;
}

sat_rc
sat_db_open_beside(sat_db **out, const sat_db *db, const char *path,
    sat_err *e)
{
	sat_db *b = new_handle(path, NULL, 0);
	sat_rc rc;

	*out = NULL;
	memcpy(b->vfs, db->vfs, sizeof b->vfs);
	if ((rc = open_sqlite(b, 0, e)) != SAT_OK) {
		free_handle(b, false);
		return rc;
	}
	*out = b;
	return SAT_OK;
}

sat_rc
sat_db_open(sat_db **out, const sat_db_open_opts *o, sat_err *e)
{
	sat_db *db;
	sat_rc rc;

	assert(o->path != NULL);
	*out = NULL;
	db = new_handle(o->path, o->sql, o->nsql);
	if ((rc = open_handle(db, o, e)) != SAT_OK) {
		free_handle(db, false);
		return rc;
	}
	*out = db;
	return SAT_OK;
}

void
sat_db_close(sat_db *db)
{
	int xrc;

	if (db == NULL)
		return;
	sat_db_rollback(db);
	if (!sat_db_dead(db)) {
		xrc = sqlite3_wal_checkpoint_v2(db->h, "main",
		    SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
		if (xrc != SQLITE_OK)
			sat_log(SAT_WARN, "DB-CLOSE-CHECKPOINT",
			    "path=%s code=%d", db->path, xrc);
	}
	free_handle(db, !sat_db_dead(db));
}

void
sat_db_abandon(sat_db *db)
{
	if (db == NULL)
		return;
	vfs_find(db->vfs)->frozen = true;
	free_handle(db, false);
}

bool
sat_db_in_txn(const sat_db *db)
{
	return sqlite3_get_autocommit(db->h) == 0;
}

sat_rc
sat_db_begin(sat_db *db, sat_err *e)
{
	sat_stmt *s;
	sat_rc rc;

	assert(!sat_db_in_txn(db));
	if ((rc = sat_db_own(&s, db, SQL_BEGIN, e)) != SAT_OK)
		return rc;
	rc = sat_run(s, e);
	db->txn = rc == SAT_OK;
	return rc;
}

sat_rc
sat_db_commit(sat_db *db, sat_err *e)
{
	sat_stmt *s;
	sat_rc rc;

	if ((rc = sat_db_own(&s, db, SQL_COMMIT, e)) == SAT_OK)
		rc = sat_run(s, e);
	if (rc != SAT_OK)
		sat_db_rollback(db); /* D3 */
	db->txn = false;
	return rc;
}

uint64_t
sat_db_undone(const sat_db *db)
{
	return db->undone;
}

void
sat_db_rollback(sat_db *db)
{
	sqlite3_stmt *s;
	int xrc;

	db->txn = false;
	db->undone++;
	/* SQLite may have rolled back by itself (disk full, I/O error). */
	if (db->h == NULL || !sat_db_in_txn(db))
		return;
	assert(db->own[SQL_ROLLBACK] != NULL);
	s = db->own[SQL_ROLLBACK]->s; /* even when dead: it only reads */
	xrc = sqlite3_step(s);
	(void)sqlite3_reset(s);
	if (sat_db_in_txn(db)) {
		sat_log(SAT_ERROR, "DB-ROLLBACK", "path=%s code=%d", db->path,
		    xrc);
		db->dead = true; /* nothing may be committed with it */
	}
}

int64_t
sat_db_last_rowid(sat_db *db)
{
	return sqlite3_last_insert_rowid(db->h);
}

int64_t
sat_db_changes(sat_db *db)
{
	return sqlite3_changes64(db->h);
}

void
sat_db_counts_get(sat_db_counts *out, sat_db *db)
{
	*out = db->file->counts;
}
