/*
 * vfs_main.c - the main file: whole pages in, whole or part pages out.
 *
 * SQLite writes the main file in two ways: directly while it is created and
 * copied, and by checkpoints, which move pages from the WAL. Those are already
 * sealed in the form the main file wants, so they are moved as they are; a
 * page is recognised by its number and its 40-byte trailer, never by state
 * alone. Cleartext has a trailer of zeros, so it cannot be taken for one (V3).
 * A page that keeps more than its cells comes in the clear (V7).
 */
#include "common/db/vfs_int.h"

#include <stdio.h>
#include <string.h>

#include "common/base/log.h"

#define PEEK_BYTES 100

static const uint8_t no_trailer[VFS_TRAILER];

/* Log the first faults and then ever fewer: a broken disk has many. */
int
vfs_fault_note(vfs_main *db, int xrc, const char *kind, uint32_t page,
    int64_t offset)
{
	uint64_t n = ++db->fault.count;

	(void)snprintf(db->fault.kind, sizeof db->fault.kind, "%s", kind);
	db->fault.page = page;
	db->fault.offset = offset;
	if (n <= 8 || (n & (n - 1)) == 0)
		sat_log(SAT_ERROR, "VFS-FAULT",
		    "kind=%s path=%s page=%u offset=%lld count=%llu", kind,
		    db->path, page, (long long)offset, (unsigned long long)n);
	return xrc;
}

int
vfs_may_write(vfs_main *db, int xrc)
{
	if (db->dead)
		return SQLITE_IOERR_FSYNC; /* V6 */
	if (db->inst->frozen || db->fork_count != vfs_fork_count())
		return xrc;
	if (db->keys != NULL && !db->ours)
		return vfs_fault_note(db, xrc, "foreign", 0, 0);
	return vfs_again_before_write(db);
}

int
vfs_page_may_seal(
    vfs_main *db, const uint8_t *clear, uint32_t pgno, int64_t offset)
{
	if (memcmp(clear + VFS_BODY, no_trailer, VFS_TRAILER) != 0)
		return vfs_fault_note(
		    db, SQLITE_IOERR_WRITE, "reserve", pgno, offset);
	/* Page 1 says how all others are laid out. */
	if (pgno == 1 && (clear[16] != VFS_PAGE >> 8 || clear[17] != 0 ||
	    clear[20] != VFS_TRAILER))
		return vfs_fault_note(
		    db, SQLITE_IOERR_WRITE, "reserve", pgno, offset);
	return SQLITE_OK;
}

int
vfs_sync_low(vfs_file *f, int flags)
{
	int rc = vfs_may_write(f->db, SQLITE_IOERR_FSYNC);

	if (rc != SQLITE_OK)
		return rc;
	f->db->counts.syncs++;
	rc = f->low->pMethods->xSync(f->low, flags);
	if (rc != SQLITE_OK) {
		f->db->dead = true;
		vfs_again_mark(f->db);
		sat_log(SAT_ERROR, "VFS-SYNC", "path=%s code=%d", f->db->path,
		    rc);
	}
	return rc;
}

/* V5. What every file of ours says there, whatever happened to the page. */
static int
peek_instead(uint8_t *out)
{
	static const uint8_t layout[8] = { VFS_PAGE >> 8, 0, 2, 2,
		VFS_TRAILER, 64, 32, 32 };

	memset(out, 0, PEEK_BYTES);
	memcpy(out, "SQLite format 3", 16);
	memcpy(out + 16, layout, sizeof layout);
	return SQLITE_OK;
}

static int
bad_page(vfs_file *f, uint32_t pgno, const char *kind)
{
	static const uint8_t zeros[64];
	int64_t at = ((int64_t)pgno - 1) * VFS_PAGE;
	vfs_main *db = f->db;

	if (db->plain)
		return vfs_fault_note(
		    db, SQLITE_NOTADB, "plain-file", pgno, at);
	if (!db->ours)
		return vfs_fault_note(db, SQLITE_NOTADB, "foreign", pgno, at);
	/* A page of zeros is not an unused page: the tail of a long text
	 * could be blanked that way. It only has a name of its own. */
	if (kind == NULL)
		kind = memcmp(f->disk, zeros, sizeof zeros) == 0 &&
		    memcmp(f->disk + VFS_BODY, no_trailer, VFS_TRAILER) == 0 ?
		    "zero-page" : "page-auth";
	return vfs_fault_note(db, SQLITE_IOERR_DATA, kind, pgno, at);
}

/* Short is fine only when the whole page lies behind the end. */
static int
short_page(vfs_file *f, void *out, int amt, int64_t at)
{
	sqlite3_int64 size = 0;
	int rc = f->low->pMethods->xFileSize(f->low, &size);

	if (rc != SQLITE_OK)
		return rc;
	if (size > at)
		return bad_page(f, (uint32_t)(at / VFS_PAGE) + 1,
		    "partial-page");
	memset(out, 0, (size_t)amt);
	return SQLITE_IOERR_SHORT_READ;
}

static int
read_page(vfs_file *f, uint8_t *out, int amt, int64_t at, size_t in)
{
	uint32_t pgno = (uint32_t)(at / VFS_PAGE) + 1;
	uint8_t *clear = amt == VFS_PAGE ? out : f->clear;
	int rc;

	rc = f->low->pMethods->xRead(f->low, f->disk, VFS_PAGE, at);
	if (rc == SQLITE_IOERR_SHORT_READ)
		return short_page(f, out, amt, at);
	if (rc != SQLITE_OK)
		return rc;
	f->db->counts.page_reads++;
	if (f->db->plain || !vfs_page_open(clear, f->disk, f->db, pgno))
		return bad_page(f, pgno, NULL);
	if (pgno == 1)
		vfs_gap_learn(f->db, clear);
	if (clear != out)
		memcpy(out, clear + in, (size_t)amt);
	return SQLITE_OK;
}

static int
main_read(sqlite3_file *file, void *out, int amt, sqlite3_int64 off)
{
	vfs_file *f = (vfs_file *)file;
	int64_t in = off % VFS_PAGE;
	sat_vfs_fault kept;
	int rc;

	if (amt < 0 || in + amt > VFS_PAGE)
		return vfs_fault_note(
		    f->db, SQLITE_IOERR_READ, "read-size", 0, off);
	kept = f->db->fault;
	rc = read_page(f, out, amt, off - in, (size_t)in);
	if (off == 0 && amt == PEEK_BYTES && rc != SQLITE_OK &&
	    rc != SQLITE_IOERR_SHORT_READ) {
		f->db->fault = kept;
		return peek_instead(out); /* V5 */
	}
	return rc;
}

static int
write_raw(vfs_file *f, const uint8_t *page, int64_t off)
{
	f->db->raw.set = false;
	f->db->counts.page_writes++;
	return f->low->pMethods->xWrite(f->low, page, VFS_PAGE, off);
}

static int
main_write(sqlite3_file *file, const void *buf, int amt, sqlite3_int64 off)
{
	vfs_file *f = (vfs_file *)file;
	vfs_main *db = f->db;
	const uint8_t *page = buf;
	uint32_t pgno;
	int rc;

	if ((rc = vfs_may_write(db, SQLITE_IOERR_WRITE)) != SQLITE_OK)
		return rc;
	if (amt != VFS_PAGE || off % VFS_PAGE != 0)
		return vfs_fault_note(
		    db, SQLITE_IOERR_WRITE, "write-size", 0, off);
	pgno = (uint32_t)(off / VFS_PAGE) + 1;
	if (db->checkpoint && db->raw.set && db->raw.pgno == pgno &&
	    memcmp(page + VFS_BODY, db->raw.trailer, VFS_TRAILER) == 0)
		return write_raw(f, page, off);
	if ((rc = vfs_page_may_seal(db, page, pgno, off)) != SQLITE_OK)
		return rc;
	if (pgno == 1)
		vfs_gap_learn(db, page);
	vfs_page_seal(f->disk, vfs_gap_close(f->clear, page, db, pgno), db,
	    pgno);
	db->counts.page_writes++;
	return f->low->pMethods->xWrite(f->low, f->disk, VFS_PAGE, off);
}

static int
main_truncate(sqlite3_file *file, sqlite3_int64 size)
{
	vfs_file *f = (vfs_file *)file;
	int rc = vfs_may_write(f->db, SQLITE_IOERR_TRUNCATE);

	if (rc != SQLITE_OK)
		return rc;
	if (size % VFS_PAGE != 0)
		return vfs_fault_note(
		    f->db, SQLITE_IOERR_TRUNCATE, "write-size", 0, size);
	return f->low->pMethods->xTruncate(f->low, size);
}

static int
main_close(sqlite3_file *file)
{
	vfs_file *f = (vfs_file *)file;

	sat_secret_free(f->own.keys);
	f->own.keys = NULL;
	sat_wipe(f->clear, sizeof f->clear);
	return vfs_low_close(file);
}

static bool
one_of(const char *value, const char *a, const char *b)
{
	return sqlite3_stricmp(value, a) == 0 || sqlite3_stricmp(value, b) == 0;
}

static int
refuse_pragma(char **arg, const char *why)
{
	arg[0] = sqlite3_mprintf("%s", why);
	return SQLITE_ERROR;
}

/* SQLITE_NOTFOUND lets SQLite go on with the PRAGMA. */
static int
main_pragma(const vfs_main *db, char **arg)
{
	const char *name = arg[1], *value = arg[2];

	if (name == NULL || value == NULL)
		return SQLITE_NOTFOUND;
	/* Pages of a new size would come before page 1 says so. */
	if (one_of(name, "page_size", "mmap_size"))
		return SQLITE_OK;
	if (sqlite3_stricmp(name, "journal_mode") == 0) {
		if (one_of(value, "wal", "wal") || (db->log == NULL &&
		    sqlite3_stricmp(value, "memory") == 0))
			return SQLITE_NOTFOUND;
		return refuse_pragma(arg, "journal_mode is always wal here: a "
		    "rollback journal holds pages in the clear");
	}
	if (sqlite3_stricmp(name, "temp_store") == 0 &&
	    !one_of(value, "memory", "2"))
		return refuse_pragma(arg, "temp_store is always memory here: "
		    "temporary files would be in the clear");
	return SQLITE_NOTFOUND;
}

static int
main_control(sqlite3_file *file, int op, void *arg)
{
	vfs_file *f = (vfs_file *)file;
	int rc;

	switch (op) {
	case SQLITE_FCNTL_CKPT_START:
	case SQLITE_FCNTL_CKPT_DONE:
		f->db->raw.set = false;
		break;
	case SQLITE_FCNTL_CHUNK_SIZE: /* would make pages nobody sealed */
	case SQLITE_FCNTL_SIZE_HINT:
		return SQLITE_OK;
	case SQLITE_FCNTL_MMAP_SIZE: /* a map would show what is on disk */
		*(sqlite3_int64 *)arg = 0;
		return SQLITE_OK;
	case SQLITE_FCNTL_PRAGMA:
		rc = main_pragma(f->db, arg);
		if (rc != SQLITE_NOTFOUND)
			return rc;
		break;
	case SQLITE_FCNTL_BEGIN_ATOMIC_WRITE:
	case SQLITE_FCNTL_COMMIT_ATOMIC_WRITE:
	case SQLITE_FCNTL_ROLLBACK_ATOMIC_WRITE:
		return SQLITE_NOTFOUND;
	default:
		break;
	}
	return vfs_low_control(file, op, arg);
}

/* With the write lock (0, of SQLite's file format) a transaction gives up what it
 * wrote and did not commit. Another connection may write its frames there now. */
static int
main_shm_lock(sqlite3_file *file, int offset, int n, int flags)
{
	vfs_file *log = ((vfs_file *)file)->db->log;

	if (log != NULL && offset == 0 && (flags & SQLITE_SHM_UNLOCK) != 0)
		vfs_run_end(log);
	return vfs_low_shm_lock(file, offset, n, flags);
}

const sqlite3_io_methods vfs_main_methods = {
	.iVersion = 2, /* no xFetch: a map would show what is on disk */
	.xClose = main_close,
	.xRead = main_read,
	.xWrite = main_write,
	.xTruncate = main_truncate,
	.xSync = vfs_low_sync,
	.xFileSize = vfs_low_size,
	.xLock = vfs_low_lock,
	.xUnlock = vfs_low_unlock,
	.xCheckReservedLock = vfs_low_reserved,
	.xFileControl = main_control,
	.xSectorSize = vfs_low_sector,
	.xDeviceCharacteristics = vfs_low_traits,
	.xShmMap = vfs_low_shm_map,
	.xShmLock = main_shm_lock,
	.xShmBarrier = vfs_low_shm_barrier,
	.xShmUnmap = vfs_low_shm_unmap,
};
