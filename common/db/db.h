/*
 * db.h - the only door to SQLite.
 *
 * One connection opens, writes and checkpoints; it belongs to one thread at a
 * time. WAL + synchronous=FULL over unix-excl, through the encrypting VFS
 * unless a plain file is asked for (bench only). After an fsync failure the
 * handle is dead: every call gives SAT_EFSYNC until it is closed and opened
 * again, so nothing is acknowledged on pages the kernel dropped.
 *
 * Mapping of SQLite codes: FULL -> SAT_ENOSPACE; BUSY/LOCKED -> SAT_EBUSY;
 * NOTADB, IOERR_DATA, CORRUPT -> SAT_EINTEGRITY; READONLY, CANTOPEN ->
 * SAT_EIO with the reason; IOERR_FSYNC -> SAT_EFSYNC; CONSTRAINT ->
 * SAT_ECONFLICT; NOMEM -> SAT_ENOMEM.
 */
#ifndef SAT_DB_DB_H
#define SAT_DB_DB_H

#include "common/base/buf.h"
#include "common/base/mem.h"

typedef struct sat_db sat_db;
typedef struct sat_stmt sat_stmt;
struct sat_keyring;

/* A statement of a room's .sql files; the build makes the table
 * (build/gen/<room>_sql.h: enum of SQL_* numbers and `const sat_sql
 * <room>_sql[]`). */
typedef struct sat_sql {
	const char *name, *text;
} sat_sql;

typedef struct sat_db_open {
	const char *path;
	struct sat_keyring *keyring; /* NULL: plain file (bench, export) */
	bool create;                 /* make it when missing */
	const char *vfs_below;       /* NULL = "unix-excl"; tests hand in a simulated file layer */
	const sat_sql *sql;          /* statement table, may be NULL */
	size_t nsql;
	int cache_kib;               /* 0 = 64 MiB */
	bool shrinks;                /* when it is made: sat_db_shrink works on it.
	                                A tenth of a page more per commit. */
	bool bug_sync_normal;        /* planted bug for `make sim-mutants` only */
} sat_db_open_opts;

/*
 * @return also SAT_ENOTFOUND when the file is missing and `create` is false;
 *         SAT_EBUSY when another process has it; SAT_EINTEGRITY with the code
 *         "db.foreign" for a file of another keyring, "db.plain" for one that
 *         is not encrypted.
 */
SAT_CHECK sat_rc sat_db_open(sat_db **db, const sat_db_open_opts *o, sat_err *e);
/* Rolls back an open transaction. Checkpoints (TRUNCATE) when the handle is
 * healthy. NULL is fine. */
void sat_db_close(sat_db *db);
/* Close without checkpoint or any further write: simulated process death. */
void sat_db_abandon(sat_db *db);

/* Transactions. BEGIN IMMEDIATE; ROLLBACK is prepared at open. */
SAT_CHECK sat_rc sat_db_begin(sat_db *db, sat_err *e);
/* When it fails no transaction is open. After SAT_EIO and SAT_EFSYNC the
 * commit may be there all the same: make what you repeat idempotent. */
SAT_CHECK sat_rc sat_db_commit(sat_db *db, sat_err *e);
void sat_db_rollback(sat_db *db); /* fine when none is open; cannot fail */
bool sat_db_in_txn(const sat_db *db);
/* How often sat_db_rollback was called or had to be: while it stays, what was
 * learnt about the tables inside transactions holds. */
uint64_t sat_db_undone(const sat_db *db);

/* A numbered statement, prepared once and kept; reset and unbound on each
 * call. Borrowed from db. */
SAT_CHECK sat_rc sat_db_stmt(sat_stmt **s, sat_db *db, int sql, sat_err *e);
/* A statement from generated text (kinds of the template). Kept in a cache
 * keyed by the text; borrowed from db. The 256 most recently fetched stay: do
 * not hold one across the fetching of as many others. */
SAT_CHECK sat_rc sat_db_stmt_text(
    sat_stmt **s, sat_db *db, const char *sql, sat_err *e);
/* The same of a text that stays where it is, unchanged, until
 * sat_db_texts_moved: found by its address. */
SAT_CHECK sat_rc sat_db_stmt_kept(
    sat_stmt **s, sat_db *db, const char *sql, sat_err *e);
/* Texts given to sat_db_stmt_kept are about to be freed. */
void sat_db_texts_moved(sat_db *db);
/* Run a script without parameters or rows. */
SAT_CHECK sat_rc sat_db_exec(sat_db *db, const char *sql, sat_err *e);

/* Bind by 1-based index. Bytes must stay valid until the next reset. Binding
 * cannot fail short of misuse (asserted). */
void sat_bind_int(sat_stmt *s, int i, int64_t v);
void sat_bind_text(sat_stmt *s, int i, sat_span v);
void sat_bind_blob(sat_stmt *s, int i, sat_span v);
void sat_bind_null(sat_stmt *s, int i);
int sat_bind_index(sat_stmt *s, const char *name); /* 0 = no such */

/* Step: *row is true while there is a row. After the last row, and after an
 * error, the statement is reset; leave a loop early and you reset it, or it
 * keeps its snapshot of the database. */
SAT_CHECK sat_rc sat_step(bool *row, sat_stmt *s, sat_err *e);
/* Step a statement that gives no row; resets it. */
SAT_CHECK sat_rc sat_run(sat_stmt *s, sat_err *e);
/* Columns of the current row; spans are valid until the next step/reset. */
int64_t sat_col_int(sat_stmt *s, int i);
sat_span sat_col_text(sat_stmt *s, int i);
sat_span sat_col_blob(sat_stmt *s, int i);
bool sat_col_null(sat_stmt *s, int i);
int sat_col_type(sat_stmt *s, int i); /* 'i','t','b','n','f' */
/* The type, and the value when it is 'i' (*n), 't' or 'b' (*v): cheaper than
 * asking for both. */
int sat_col_any(int64_t *n, sat_span *v, sat_stmt *s, int i);
int sat_col_count(sat_stmt *s);
const char *sat_col_name(sat_stmt *s, int i);
void sat_stmt_reset(sat_stmt *s); /* NULL is fine */

/*
 * Many rows by one statement, "INSERT OR FAIL INTO t(...) SELECT c0, c1, ...
 * FROM sat_rows": quicker than one each when they come in the table's order.
 * `next` goes to the next row, false when there is none; it runs no statement.
 * `values` are that row's: 'i', 't', 'b', or 0 for NULL; their bytes stay until
 * it is asked for another one. With OR FAIL the rows before the one that failed
 * are in the table, and `next` was not asked again.
 */
#define SAT_DB_ROWS_COLUMNS_MAX 160
typedef struct sat_db_value {
	char type;
	int64_t i;
	sat_span s;
} sat_db_value;
typedef struct sat_db_rows {
	bool (*next)(void *u);
	const sat_db_value *values;
	void *u;
} sat_db_rows;
SAT_CHECK sat_rc sat_db_feed(sat_stmt *s, const sat_db_rows *rows, sat_err *e);

int64_t sat_db_last_rowid(sat_db *db);
int64_t sat_db_changes(sat_db *db);

/*
 * Bring the schema to the newest of `steps` (0001_x.sql, ...), one step per
 * transaction, user_version = step number.
 * @return SAT_EVERSION when the file is newer than this program.
 */
SAT_CHECK sat_rc sat_db_migrate(
    sat_db *db, const sat_sql *steps, size_t nsteps, sat_err *e);

/* PRAGMA integrity_check (or quick_check): SAT_EINTEGRITY with the first
 * finding. */
SAT_CHECK sat_rc sat_db_check(sat_db *db, bool quick, sat_err *e);
/* TRUNCATE. Neither the file nor what is written to it later has a byte of what
 * was deleted until now: secure_delete, and V7 of vfs_int.h. */
SAT_CHECK sat_rc sat_db_checkpoint(sat_db *db, sat_err *e);
/*
 * While nobody waits: a log of 4 MiB and more since the last time goes into the
 * file now, so that no COMMIT has to do it, which happens at 16 MiB. Nothing
 * happens inside a transaction.
 */
SAT_CHECK sat_rc sat_db_tidy(sat_db *db, sat_err *e);
/* How much of the file is kept in memory from now on; 0 = as it was opened. */
SAT_CHECK sat_rc sat_db_cache(sat_db *db, int kib, sat_err *e);
/*
 * Give unused pages back to the disk, down to a sixteenth of the file, when
 * they are more than a quarter of it (and more than 1 MiB), in transactions of
 * 4 MiB each. Nothing happens in a file that was not made with `shrinks`. Not
 * inside a transaction.
 */
SAT_CHECK sat_rc sat_db_shrink(sat_db *db, sat_err *e);
/*
 * Write the whole file anew: full pages in the order of the keys, none unused.
 * What long use leaves (split pages) is about a tenth. *before, *after: bytes.
 * Needs memory of the file's size, nothing of it touches a disk unencrypted,
 * and until the end as much disk once more; what fails leaves the file as it
 * was. SAT_EBUSY inside a transaction or while a statement is being read.
 */
SAT_CHECK sat_rc sat_db_compact(int64_t *before, int64_t *after, sat_db *db,
    sat_err *e);
/*
 * Online copy into another file of the same keyring (a new file id, which is
 * in the file only, not in the keyring) by VACUUM INTO; fsynced, opened,
 * integrity-checked before success. On failure the target is removed; one that
 * existed before is kept and gives SAT_ECONFLICT. Not inside a transaction.
 */
SAT_CHECK sat_rc sat_db_copy(sat_db *db, const char *to_path, sat_err *e);

/* Counters of the file layer since open (performance invariants, bench). */
typedef struct sat_db_counts {
	uint64_t page_reads, page_writes, wal_frames, syncs;
} sat_db_counts;
void sat_db_counts_get(sat_db_counts *out, sat_db *db);
/* The path, for messages. */
const char *sat_db_path(const sat_db *db);
/* Fails with SAT_EFSYNC once the handle is dead. */
bool sat_db_dead(const sat_db *db);

/* The raw sqlite3* for tests of the VFS only. */
void *sat_db_raw(sat_db *db);

#endif
