/*
 * vfs_again.c - after a failed sync, write the log once more.
 *
 * When a sync fails, Linux marks the pages it could not write as clean: they
 * still read back, no later sync writes them, and a power cut takes them. A
 * connection opened after such a failure sees a log that is whole in the page
 * cache and has a hole on disk; whatever it commits behind the hole would be
 * acknowledged and lost (the simulated disk finds this within five
 * histories).
 *
 * So a failed sync leaves a mark, a file "<database>-again". The mark need not
 * be durable: a power cut takes the page cache with it, and then what is on
 * disk is all there is. The next connection that finds the mark writes the
 * bytes of the log over themselves, which makes the pages dirty again, syncs,
 * and removes the mark. The main file needs nothing: until a checkpoint is
 * synced its pages are in the log too, and at creation the rollback journal is
 * there until the first page is synced.
 *
 * Without a mark nothing is written again: what was acknowledged is never
 * overwritten in place when there is no need.
 */
#include "common/db/vfs_int.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"

#define CHUNK (256 * 1024)

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static vfs_file *logs; /* every open log of this process */

static int
write_again(sqlite3_file *low, sqlite3_int64 size)
{
	uint8_t *p = sat_xmalloc(CHUNK);
	sqlite3_int64 at;
	int n, rc = SQLITE_OK;

	for (at = 0; at < size && rc == SQLITE_OK; at += n) {
		n = size - at < CHUNK ? (int)(size - at) : CHUNK;
		rc = low->pMethods->xRead(low, p, n, at);
		if (rc == SQLITE_OK)
			rc = low->pMethods->xWrite(low, p, n, at);
	}
	free(p);
	if (rc == SQLITE_OK)
		rc = low->pMethods->xSync(low, SQLITE_SYNC_NORMAL);
	return rc;
}

static int
again_all(vfs_file *f)
{
	sqlite3_int64 size = 0;
	int rc = f->low->pMethods->xFileSize(f->low, &size);

	if (rc == SQLITE_OK && size > 0)
		rc = write_again(f->low, size);
	if (rc != SQLITE_OK)
		sat_log(SAT_ERROR, "VFS-AGAIN", "path=%s code=%d",
		    f->db->path, rc);
	return rc;
}

static char *
mark_of(const vfs_main *db)
{
	return sat_xasprintf("%s-again", db->path);
}

void
vfs_again_mark(const vfs_main *db)
{
	sqlite3_vfs *below = db->inst->below;
	sqlite3_file *f = sat_xcalloc(1, (size_t)below->szOsFile);
	char *name = mark_of(db);
	int rc;

	rc = below->xOpen(below, name, f, SQLITE_OPEN_READWRITE |
	    SQLITE_OPEN_CREATE | SQLITE_OPEN_MAIN_JOURNAL, NULL);
	if (rc != SQLITE_OK)
		sat_log(SAT_ERROR, "VFS-AGAIN-MARK", "path=%s code=%d", name,
		    rc);
	if (f->pMethods != NULL)
		(void)f->pMethods->xClose(f);
	free(name);
	free(f);
}

static int
again_if_marked(vfs_file *f, const char *name)
{
	sqlite3_vfs *below = f->db->inst->below;
	int rc, there = 0;

	/* READWRITE: for EXISTS the unix layer wants more than 0 bytes. */
	rc = below->xAccess(below, name, SQLITE_ACCESS_READWRITE, &there);
	if (rc == SQLITE_OK && there != 0 &&
	    (rc = again_all(f)) == SQLITE_OK)
		(void)below->xDelete(below, name, 0);
	/* A full disk must stay readable: write again before the first write
	 * instead, when there may be room. */
	f->db->again = rc == SQLITE_FULL;
	return f->db->again ? SQLITE_OK : rc;
}

int
vfs_again_before_write(vfs_main *db)
{
	char *name;
	int rc;

	if (!db->again)
		return SQLITE_OK;
	name = mark_of(db);
	rc = db->log != NULL ? again_if_marked(db->log, name) : SQLITE_OK;
	free(name);
	return rc == SQLITE_OK && db->again ? SQLITE_FULL : rc;
}

int
vfs_log_opened(vfs_file *f)
{
	vfs_inst *v = f->db->inst;
	char *name = mark_of(f->db); /* nothing ends the process in the lock */
	vfs_file *o;
	int rc = SQLITE_OK;

	(void)pthread_mutex_lock(&lock);
	f->wal.shared = !v->sole;
	for (o = logs; o != NULL; o = o->next_log)
		if (o->db->inst->below == v->below &&
		    strcmp(o->db->path, f->db->path) == 0)
			o->wal.shared = f->wal.shared = true;
	/* Another connection of this process may be writing the log. */
	if (!f->wal.shared)
		rc = again_if_marked(f, name);
	if (rc == SQLITE_OK) {
		f->next_log = logs;
		logs = f;
		f->db->log = f;
	}
	(void)pthread_mutex_unlock(&lock);
	free(name);
	return rc;
}

void
vfs_log_closed(vfs_file *f)
{
	vfs_file **p;

	(void)pthread_mutex_lock(&lock);
	for (p = &logs; *p != NULL && *p != f; p = &(*p)->next_log)
		;
	if (*p == f)
		*p = f->next_log;
	(void)pthread_mutex_unlock(&lock);
	f->db->log = NULL;
}
