/*
 * copy.c - a copy of a live database that may be relied on.
 *
 * VACUUM INTO reads one snapshot and works from the page cache upwards, so
 * the copy gets its own file id and key. SQLite builds it in rollback mode
 * with synchronous off: it is switched to WAL while nobody uses it, checked,
 * and made durable here before anyone is told that it exists.
 */
#include "common/db/db_int.h"
#include "common/base/file.h"
#include "common/db/vfs_int.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool
sat_db_exists(const char *vfs, const char *path)
{
	sqlite3_vfs *v = sqlite3_vfs_find(vfs);
	int there = 0;

	return v == NULL || v->xAccess(v, path, SQLITE_ACCESS_EXISTS,
	    &there) != SQLITE_OK || there != 0;
}

static void
remove_copy(sqlite3_vfs *vfs, const char *path)
{
	static const char *const tails[] = { "", "-wal", "-journal",
		"-again" };
	char *name;
	size_t i;

	for (i = 0; i < sizeof tails / sizeof tails[0]; i++) {
		name = sat_xasprintf("%s%s", path, tails[i]);
		(void)vfs->xDelete(vfs, name, 0); /* may be missing */
		free(name);
	}
}

static sat_rc
vacuum_into(sat_db *db, const char *to_path, sat_err *e)
{
	vfs_inst *v = vfs_find(db->vfs);
	sat_stmt *s;
	sat_rc rc;

	if ((rc = sat_db_own(&s, db, SQL_COPY_INTO, e)) != SAT_OK)
		return rc;
	sat_bind_text(s, 1, sat_span_str(to_path));
	v->fresh_ids = true;
	rc = sat_run(s, e);
	v->fresh_ids = false;
	return rc;
}

/* The name of a new file is durable once its directory is. Simulated file
 * layers have no directories. */
static sat_rc
sync_directory(const sat_db *db, const char *path, sat_err *e)
{
	return db->file->inst->real ? sat_folder_sync_of(path, e) : SAT_OK;
}

static sat_rc
sync_file(sat_db *copy, sat_err *e)
{
	sqlite3_file *f = NULL;
	int xrc;

	xrc = sqlite3_file_control(
	    copy->h, "main", SQLITE_FCNTL_FILE_POINTER, &f);
	if (xrc == SQLITE_OK && (f == NULL || f->pMethods == NULL))
		xrc = SQLITE_IOERR;
	if (xrc == SQLITE_OK)
		xrc = f->pMethods->xSync(f, SQLITE_SYNC_FULL);
	return xrc == SQLITE_OK ? SAT_OK :
	    sat_db_fail(copy, xrc, "making the copy durable", e);
}

static sat_rc
finish_copy(sat_db *copy, sat_err *e)
{
	static const int steps[] = { SQL_OPEN_TEMP_STORE,
		SQL_COPY_JOURNAL_MEMORY, SQL_OPEN_JOURNAL, SQL_OPEN_SYNC };
	sat_rc rc;
	size_t i;

	for (i = 0; i < sizeof steps / sizeof steps[0]; i++)
		if ((rc = sat_db_pragma(copy, steps[i], e)) != SAT_OK)
			return rc;
	if ((rc = sat_db_check(copy, false, e)) != SAT_OK ||
	    (rc = sat_db_checkpoint(copy, e)) != SAT_OK)
		return rc;
	return sync_file(copy, e);
}

sat_rc
sat_db_copy(sat_db *db, const char *to_path, sat_err *e)
{
	sqlite3_vfs *vfs = sqlite3_vfs_find(db->vfs);
	sat_db *copy;
	sat_rc rc;

	assert(vfs != NULL && !sat_db_in_txn(db));
	if ((rc = sat_db_alive(db, e)) != SAT_OK)
		return rc;
	if (sat_db_exists(db->vfs, to_path))
		return sat_fail(e, SAT_ECONFLICT,
		    "%s: exists already; choose another name for the copy",
		    to_path);
	if ((rc = vacuum_into(db, to_path, e)) != SAT_OK) {
		remove_copy(vfs, to_path);
		return rc;
	}
	if ((rc = sat_db_open_beside(&copy, db, to_path, e)) == SAT_OK) {
		rc = finish_copy(copy, e);
		sat_db_close(copy);
	}
	if (rc == SAT_OK)
		rc = sync_directory(db, to_path, e);
	if (rc == SAT_EFSYNC && !sat_db_dead(db)) /* the copy died, not db */
		rc = sat_fail_code(e, SAT_EIO, "db.copy",
		    "check the disk the copy goes to, then repeat",
		    "%s: the disk failed to make the copy durable", to_path);
	if (rc != SAT_OK)
		remove_copy(vfs, to_path);
	return rc;
}
