/*
 * maintain.c - schema steps, checks, checkpoints and copies.
 */
#include "common/db/db_int.h"
#include "common/db/vfs.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHRINK_MIN_PAGES 256
/* Pages that were written twice go into the file once; a quarter of what makes
 * COMMIT do it. */
#define TIDY_MIN_FRAMES 1000

/* One step and its number are one transaction: a crash repeats it whole. */
static sat_rc
run_migration(sat_db *db, const sat_sql *step, size_t number, sat_err *e)
{
	char mark[48];
	sat_rc rc;

	assert(strtoul(step->name, NULL, 10) == number); /* 0001_, 0002_ ... */
	(void)snprintf(
	    mark, sizeof mark, "PRAGMA user_version = %zu", number);
	if ((rc = sat_db_begin(db, e)) != SAT_OK)
		return rc;
	if ((rc = sat_db_exec(db, step->text, e)) != SAT_OK ||
	    (rc = sat_db_exec(db, mark, e)) != SAT_OK) {
		sat_db_rollback(db);
		return rc;
	}
	return sat_db_commit(db, e);
}

sat_rc
sat_db_migrate(sat_db *db, const sat_sql *steps, size_t nsteps, sat_err *e)
{
	int64_t v;
	size_t i;
	sat_rc rc;

	if ((rc = sat_db_number(&v, db, SQL_USER_VERSION, e)) != SAT_OK)
		return rc;
	if (v < 0 || (uint64_t)v > nsteps)
		return sat_fail_code(e, SAT_EVERSION, "db.newer",
		    "install the newer program; this file stays as it is",
		    "%s: schema step %lld, this program knows %zu", db->path,
		    (long long)v, nsteps);
	for (i = (size_t)v; i < nsteps; i++)
		if ((rc = run_migration(db, &steps[i], i + 1, e)) != SAT_OK)
			return rc;
	return SAT_OK;
}

sat_rc
sat_db_check(sat_db *db, bool quick, sat_err *e)
{
	sat_stmt *s;
	sat_span said;
	bool row;
	sat_rc rc;

	if ((rc = sat_db_own(&s, db,
	    quick ? SQL_CHECK_QUICK : SQL_CHECK_FULL, e)) != SAT_OK ||
	    (rc = sat_step(&row, s, e)) != SAT_OK)
		return rc;
	said = row ? sat_col_text(s, 0) : sat_span_str("no answer");
	if (!sat_span_eq(said, sat_span_str("ok")))
		rc = sat_fail_code(e, SAT_EINTEGRITY, "db.integrity",
		    "keep the file for diagnosis; restore a backup or fetch "
		    "the data from the server again",
		    "%s: integrity check: %.*s", db->path, (int)said.n,
		    (const char *)said.p);
	sat_stmt_reset(s);
	return rc;
}

sat_rc
sat_db_checkpoint(sat_db *db, sat_err *e)
{
	sat_rc rc;
	int xrc;

	if ((rc = sat_db_alive(db, e)) != SAT_OK)
		return rc;
	xrc = sqlite3_wal_checkpoint_v2(
	    db->h, "main", SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	if (xrc != SQLITE_OK)
		return sat_db_fail(db, xrc, "checkpoint", e);
	/* What pages in memory keep beside their rows would be written to the
	 * log with their next change; those of the file have it no more. */
	(void)sqlite3_db_release_memory(db->h);
	return SAT_OK;
}

sat_rc
sat_db_tidy(sat_db *db, sat_err *e)
{
	sat_db_counts c;
	sat_rc rc;
	int xrc;

	if ((rc = sat_db_alive(db, e)) != SAT_OK)
		return rc;
	sat_db_counts_get(&c, db);
	if (c.wal_frames - db->tidied < TIDY_MIN_FRAMES || sat_db_in_txn(db))
		return SAT_OK;
	db->tidied = c.wal_frames; /* what fails now would fail again at once */
	xrc = sqlite3_wal_checkpoint_v2(db->h, "main",
	    SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
	return xrc == SQLITE_OK ? SAT_OK :
	    sat_db_fail(db, xrc, "checkpoint", e);
}

/*
 * The pages of a synced outbox are many at once and come back as new rows only
 * slowly. Why not VACUUM: it needs the whole file once more, in memory because
 * there are no temporary files, and writes it all through the log. Some are
 * kept for the next day's work.
 */
sat_rc
sat_db_shrink(sat_db *db, sat_err *e)
{
	int64_t unused, pages, share = 4, before = INT64_MAX;
	sat_rc rc;

	assert(!sat_db_in_txn(db));
	for (;;) {
		if ((rc = sat_db_number(&pages, db, SQL_OPEN_PAGES, e)) !=
		    SAT_OK || (rc = sat_db_number(&unused, db,
		    SQL_SHRINK_FREE, e)) != SAT_OK)
			return rc;
		if (unused < SHRINK_MIN_PAGES || unused < pages / share ||
		    unused >= before) /* made without the map */
			return SAT_OK;
		before = unused;
		share = 16;
		if ((rc = sat_db_pragma(db, SQL_SHRINK_STEP, e)) != SAT_OK)
			return rc;
	}
}

static sat_rc
file_bytes(int64_t *bytes, sat_db *db, sat_err *e)
{
	int64_t pages;
	sat_rc rc = sat_db_number(&pages, db, SQL_OPEN_PAGES, e);

	*bytes = rc == SAT_OK ? pages * SAT_PAGE_BYTES : 0;
	return rc;
}

sat_rc
sat_db_compact(int64_t *before, int64_t *after, sat_db *db, sat_err *e)
{
	sat_stmt *s;
	sat_rc rc;

	*before = *after = 0;
	if ((rc = sat_db_alive(db, e)) != SAT_OK)
		return rc;
	if (sat_db_in_txn(db))
		return sat_fail(e, SAT_EBUSY, "a transaction is open");
	for (sqlite3_stmt *q = sqlite3_next_stmt(db->h, NULL); q != NULL;
	     q = sqlite3_next_stmt(db->h, q))
		if (sqlite3_stmt_busy(q))
			return sat_fail(e, SAT_EBUSY, "rows are being read");
	if ((rc = file_bytes(before, db, e)) != SAT_OK ||
	    (rc = sat_db_own(&s, db, SQL_COMPACT, e)) != SAT_OK ||
	    (rc = sat_run(s, e)) != SAT_OK ||
	    (rc = file_bytes(after, db, e)) != SAT_OK)
		return rc;
	return sat_db_checkpoint(db, e);
}
