/*
 * vfs_pass.c - what is handed down as it is: locks, shared memory, sizes; the
 * files of a database without a keyring, which are only counted; and rollback
 * journals, which may exist as long as no page goes into them.
 */
#include "common/db/vfs_int.h"

#include <assert.h>
#include <string.h>

#include "common/base/log.h"

#define LOW(f) (((vfs_file *)(f))->low)
#define CALL(f, m, ...) LOW(f)->pMethods->m(LOW(f), ##__VA_ARGS__)
/* Anything this long is a page, not a header. */
#define PAGE_LIKE 512
#define PEEK 100

int
vfs_low_close(sqlite3_file *f)
{
	if (((vfs_file *)f)->kind == VFS_WAL)
		vfs_log_closed((vfs_file *)f);
	return LOW(f)->pMethods != NULL ? CALL(f, xClose) : SQLITE_OK;
}

int
vfs_low_truncate(sqlite3_file *f, sqlite3_int64 size)
{
	int rc = vfs_may_write(((vfs_file *)f)->db, SQLITE_IOERR_TRUNCATE);

	return rc == SQLITE_OK ? CALL(f, xTruncate, size) : rc;
}

int
vfs_low_sync(sqlite3_file *f, int flags)
{
	return vfs_sync_low((vfs_file *)f, flags);
}

int
vfs_low_size(sqlite3_file *f, sqlite3_int64 *size)
{
	return CALL(f, xFileSize, size);
}

int
vfs_low_lock(sqlite3_file *f, int level)
{
	return CALL(f, xLock, level);
}

int
vfs_low_unlock(sqlite3_file *f, int level)
{
	return CALL(f, xUnlock, level);
}

int
vfs_low_reserved(sqlite3_file *f, int *out)
{
	return CALL(f, xCheckReservedLock, out);
}

int
vfs_low_control(sqlite3_file *file, int op, void *arg)
{
	vfs_file *f = (vfs_file *)file;
	char *name;
	int rc;

	switch (op) {
	case SAT_FCNTL_FAULT:
		*(sat_vfs_fault *)arg = f->db->fault;
		return SQLITE_OK;
	case SAT_FCNTL_COUNTS:
		*(sat_db_counts *)arg = f->db->counts;
		return SQLITE_OK;
	case VFS_FCNTL_SELF:
		*(vfs_file **)arg = f;
		return SQLITE_OK;
	case SQLITE_FCNTL_CKPT_START:
	case SQLITE_FCNTL_CKPT_DONE:
		f->db->checkpoint = op == SQLITE_FCNTL_CKPT_START;
		break;
	default:
		break;
	}
	rc = CALL(f, xFileControl, op, arg);
	if (op == SQLITE_FCNTL_VFSNAME && rc == SQLITE_OK) {
		name = *(char **)arg;
		*(char **)arg = sqlite3_mprintf(
		    "%s/%s", f->db->inst->name, name);
		sqlite3_free(name);
	}
	return rc;
}

int
vfs_low_sector(sqlite3_file *f)
{
	return CALL(f, xSectorSize);
}

/* Batches of atomic writes and reads of page parts would go round us; nothing
 * is added that the disk does not have. */
int
vfs_low_traits(sqlite3_file *f)
{
	return CALL(f, xDeviceCharacteristics) &
	    ~(SQLITE_IOCAP_BATCH_ATOMIC | 0x8000);
}

int
vfs_low_shm_map(sqlite3_file *f, int region, int size, int extend,
    void volatile **out)
{
	return CALL(f, xShmMap, region, size, extend, out);
}

int
vfs_low_shm_lock(sqlite3_file *f, int offset, int n, int flags)
{
	return CALL(f, xShmLock, offset, n, flags);
}

void
vfs_low_shm_barrier(sqlite3_file *f)
{
	CALL(f, xShmBarrier);
}

int
vfs_low_shm_unmap(sqlite3_file *f, int del)
{
	return CALL(f, xShmUnmap, del);
}

static int
pass_read(sqlite3_file *f, void *out, int amt, sqlite3_int64 off)
{
	return CALL(f, xRead, out, amt, off);
}

/* A new database writes the header of a journal and nothing else; a page
 * record would be cleartext. */
static int
journal_write(sqlite3_file *file, const void *buf, int amt, sqlite3_int64 off)
{
	vfs_main *db = ((vfs_file *)file)->db;
	int rc = vfs_may_write(db, SQLITE_IOERR_WRITE);

	if (rc != SQLITE_OK)
		return rc;
	if (amt >= VFS_PAGE)
		return vfs_fault_note(
		    db, SQLITE_IOERR_WRITE, "journal-page", 0, off);
	return CALL(file, xWrite, buf, amt, off);
}

static int
plain_read(sqlite3_file *file, void *out, int amt, sqlite3_int64 off)
{
	vfs_file *f = (vfs_file *)file;
	vfs_main *db = f->db;
	int rc;

	if (amt >= PAGE_LIKE && !db->checkpoint)
		db->counts.page_reads++;
	rc = CALL(file, xRead, out, amt, off);
	if (rc == SQLITE_OK && f->kind == VFS_MAIN && off == 0 && amt >= PEEK)
		vfs_gap_learn(db, out);
	return rc;
}

static int
plain_write(sqlite3_file *file, const void *buf, int amt, sqlite3_int64 off)
{
	vfs_file *f = (vfs_file *)file;
	int rc = vfs_may_write(f->db, SQLITE_IOERR_WRITE);

	if (rc != SQLITE_OK)
		return rc;
	if (amt >= PAGE_LIKE && f->kind == VFS_MAIN)
		f->db->counts.page_writes++;
	if (f->kind == VFS_MAIN && off == 0 && amt >= PEEK)
		vfs_gap_learn(f->db, buf);
	if (f->kind == VFS_MAIN && amt == VFS_PAGE && off % VFS_PAGE == 0)
		buf = vfs_gap_close(f->clear, buf, f->db,
		    (uint32_t)(off / VFS_PAGE) + 1);
	if (amt >= PAGE_LIKE && f->kind == VFS_WAL)
		f->db->counts.wal_frames++;
	return CALL(f, xWrite, buf, amt, off);
}

const sqlite3_io_methods vfs_journal_methods = {
	.iVersion = 1,
	.xClose = vfs_low_close,
	.xRead = pass_read,
	.xWrite = journal_write,
	.xTruncate = vfs_low_truncate,
	.xSync = vfs_low_sync,
	.xFileSize = vfs_low_size,
	.xLock = vfs_low_lock,
	.xUnlock = vfs_low_unlock,
	.xCheckReservedLock = vfs_low_reserved,
	.xFileControl = vfs_low_control,
	.xSectorSize = vfs_low_sector,
	.xDeviceCharacteristics = vfs_low_traits,
};

const sqlite3_io_methods vfs_plain_methods = {
	.iVersion = 2,
	.xClose = vfs_low_close,
	.xRead = plain_read,
	.xWrite = plain_write,
	.xTruncate = vfs_low_truncate,
	.xSync = vfs_low_sync,
	.xFileSize = vfs_low_size,
	.xLock = vfs_low_lock,
	.xUnlock = vfs_low_unlock,
	.xCheckReservedLock = vfs_low_reserved,
	.xFileControl = vfs_low_control,
	.xSectorSize = vfs_low_sector,
	.xDeviceCharacteristics = vfs_low_traits,
	.xShmMap = vfs_low_shm_map,
	.xShmLock = vfs_low_shm_lock,
	.xShmBarrier = vfs_low_shm_barrier,
	.xShmUnmap = vfs_low_shm_unmap,
};
