/*
 * vfs_run.c - frames of the log that wait to be written.
 *
 * Frames that follow each other wait in memory and go out many to one write:
 * for a large transaction that is half of what the system charges. All of them
 * are written with the frame that commits, before its call returns; what still
 * waits when the write lock is given up was undone, and is forgotten. One that
 * could not be written is not lost in silence: SQLite gives up a transaction of
 * which a write failed, whatever is asked of it next.
 */
#include "common/db/vfs_int.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Less than the 131,071 bytes that SQLite's file layer takes at a time: of a longer
 * write it takes so many and says that the disk is full. */
#define RUN_BYTES ((size_t)16 * VFS_FRAME)
/* The disk is told of so many bytes at a time. */
#define EARLY_BYTES ((int64_t)512 * 1024)

/* A frame that waits, or NULL. */
static uint8_t *
waiting(const vfs_file *f, int64_t at)
{
	const vfs_run *run = &f->wal.run;

	return at >= run->at && at < run->at + (int64_t)run->n ?
	    run->p + (at - run->at) : NULL;
}

int
vfs_run_read(vfs_file *f, void *out, int n, int64_t at)
{
	const uint8_t *p = waiting(f, at);

	if (p == NULL)
		return f->low->pMethods->xRead(f->low, out, n, at);
	memcpy(out, p, (size_t)n); /* a frame at most */
	return SQLITE_OK;
}

int
vfs_run_write(vfs_file *f, const uint8_t *p, int n, int64_t at)
{
	uint8_t *to = waiting(f, at);

	if (to == NULL)
		return f->low->pMethods->xWrite(f->low, p, n, at);
	if (to != p)
		memcpy(to, p, (size_t)n);
	return SQLITE_OK;
}

static int
open_again(const vfs_main *db)
{
	char *path = sqlite3_mprintf("%s-wal", db->path);
	int fd = path == NULL ? -1 : open(path, O_WRONLY | O_CLOEXEC);

	sqlite3_free(path);
	return fd;
}

/*
 * The disk begins with the frames of a large transaction while the next are
 * sealed: else it stands idle until the sync, which then waits for all of them.
 * It is a hint, on a descriptor of its own (SQLite does not lend its own, and
 * locks nothing on this file), so what becomes of it does not matter: the sync
 * of SQLite's descriptor waits for these pages too, and tells when one of them
 * could not be written.
 */
static void
write_early(vfs_file *f, int64_t end)
{
	vfs_early *w = &f->wal.early;

	if (w->from == 0)
		w->from = f->wal.run.at;
	end -= end % VFS_PAGE; /* the system's last page is written to again */
	if (end - w->from < EARLY_BYTES || !f->db->inst->real)
		return;
	if (!w->open)
		w->fd = open_again(f->db);
	w->open = true;
	if (w->fd >= 0)
		(void)sync_file_range(w->fd, w->from, end - w->from,
		    SYNC_FILE_RANGE_WRITE);
	w->from = end;
}

void
vfs_run_end(vfs_file *f)
{
	vfs_early *w = &f->wal.early;

	f->wal.run.n = 0;
	if (w->open && w->fd >= 0)
		(void)close(w->fd);
	*w = (vfs_early){ .fd = -1 };
}

int
vfs_run_flush(vfs_file *f)
{
	vfs_run *run = &f->wal.run;
	size_t n = run->n;
	int rc;

	if (n == 0)
		return SQLITE_OK;
	run->n = 0;
	if ((rc = vfs_may_write(f->db, SQLITE_IOERR_WRITE)) == SQLITE_OK)
		rc = f->low->pMethods->xWrite(f->low, run->p, (int)n, run->at);
	if (rc == SQLITE_OK)
		write_early(f, run->at + (int64_t)n);
	return rc;
}

int
vfs_run_slot(uint8_t **slot, vfs_file *f, int64_t at)
{
	vfs_run *run = &f->wal.run;
	int rc;

	if (run->p == NULL)
		run->p = sat_xmalloc(RUN_BYTES);
	if (at < run->at + (int64_t)run->n)
		run->n = at > run->at ? (size_t)(at - run->at) : 0;
	if ((run->n == RUN_BYTES || at != run->at + (int64_t)run->n) &&
	    (rc = vfs_run_flush(f)) != SQLITE_OK)
		return rc;
	if (run->n == 0)
		run->at = at;
	*slot = run->p + run->n;
	return SQLITE_OK;
}

void
vfs_run_close(vfs_file *f)
{
	vfs_run_end(f);
	free(f->wal.run.p);
	f->wal.run.p = NULL;
}
