/*
 * simfs_vfs.c - the disk as SQLite sees it.
 */
#include "tests/lib/simfs_int.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "tests/lib/rand.h"

#define H(f) ((sim_handle *)(f))
#define FS(v) ((simfs *)(v)->pAppData)
#define SHM_LOCKS SQLITE_SHM_NLOCK

/*
 * One call: count it, and say whether it fails and how. A change counts
 * towards the planned power cut; the one that reaches it does not happen.
 */
static simfs_how
begin(simfs *fs, simfs_op op)
{
	sim_plan *p = &fs->plans[op];
	simfs_how how = p->how;

	fs->counts.calls[op]++;
	fs->counts.touched += op != SIMFS_READ;
	if (!fs->off && fs->off_planned && op != SIMFS_READ &&
	    op != SIMFS_OPEN && fs->off_left-- == 0)
		fs->off = true;
	if (fs->off)
		return SIMFS_IOERR;
	if (how == SIMFS_NEVER || --p->left > 0)
		return SIMFS_NEVER;
	if (p->persistent)
		p->left = 1;
	else
		p->how = SIMFS_NEVER;
	return how;
}

/* A handle from before a power cut is good for nothing. */
static bool
stale(const sim_handle *h)
{
	return h->power != h->fs->power;
}

/* ---- files -------------------------------------------------------------------- */

static int
f_close(sqlite3_file *file)
{
	sim_handle *h = H(file), **p;

	for (p = &h->file->open; *p != h; p = &(*p)->next)
		assert(*p != NULL);
	*p = h->next;
	h->file->handles--;
	if (h->temp && h->file->linked)
		simfs_unlink(h->fs, h->file, true);
	else
		simfs_drop_if_unused(h->fs, h->file);
	h->file = NULL;
	return SQLITE_OK;
}

static int
f_read(sqlite3_file *file, void *out, int amt, sqlite3_int64 off)
{
	sim_handle *h = H(file);
	simfs_how how = begin(h->fs, SIMFS_READ);
	size_t at = (size_t)off, n = (size_t)amt, have;

	if (stale(h) || (how != SIMFS_NEVER && how != SIMFS_FLIP))
		return SQLITE_IOERR_READ;
	have = at >= h->file->now.n ? 0 : h->file->now.n - at;
	if (have > n)
		have = n;
	if (have > 0)
		memcpy(out, h->file->now.p + at, have);
	memset((uint8_t *)out + have, 0, n - have);
	if (how == SIMFS_FLIP && have > 0)
		((uint8_t *)out)[simfs_below(h->fs, have)] ^=
		    (uint8_t)(1u << simfs_below(h->fs, 8));
	return have == n ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
}

static bool
over_quota(const simfs *fs, const sim_file *f, size_t end)
{
	return fs->quota > 0 && end > f->now.n &&
	    simfs_used(fs) + (end - f->now.n) > fs->quota;
}

static int
f_write(sqlite3_file *file, const void *p, int amt, sqlite3_int64 off)
{
	sim_handle *h = H(file);
	simfs *fs = h->fs;
	simfs_how how = begin(fs, SIMFS_WRITE);
	size_t n = (size_t)amt;

	if (stale(h) || fs->off)
		return SQLITE_IOERR_WRITE;
	if (how == SIMFS_NEVER && over_quota(fs, h->file, (size_t)off + n))
		how = SIMFS_FULL;
	if (how != SIMFS_NEVER) {
		/* A failed write may leave a part behind, but not a longer
		 * file on a full disk. */
		n = (size_t)simfs_below(fs, n + 1);
		if (!over_quota(fs, h->file, (size_t)off + n) && n > 0)
			simfs_file_write(h->file, (size_t)off, p, n);
		return how == SIMFS_FULL ? SQLITE_FULL : SQLITE_IOERR_WRITE;
	}
	fs->counts.bytes_written += n;
	simfs_file_write(h->file, (size_t)off, p, n);
	return SQLITE_OK;
}

static int
f_truncate(sqlite3_file *file, sqlite3_int64 size)
{
	sim_handle *h = H(file);

	if (begin(h->fs, SIMFS_TRUNCATE) != SIMFS_NEVER || stale(h))
		return SQLITE_IOERR_TRUNCATE;
	simfs_file_truncate(h->file, (size_t)size);
	return SQLITE_OK;
}

static int
f_sync(sqlite3_file *file, int flags)
{
	sim_handle *h = H(file);
	simfs_how how = begin(h->fs, SIMFS_SYNC);

	(void)flags;
	if (stale(h) || h->fs->off)
		return SQLITE_IOERR_FSYNC;
	if (how == SIMFS_DROP)
		simfs_file_drop_changes(h->file);
	if (how != SIMFS_NEVER)
		return SQLITE_IOERR_FSYNC;
	simfs_file_sync(h->fs, h->file);
	if (h->dir_sync)
		simfs_dir_sync(h->fs);
	h->dir_sync = false;
	return SQLITE_OK;
}

static int
f_size(sqlite3_file *file, sqlite3_int64 *size)
{
	sim_handle *h = H(file);

	*size = 0;
	if (stale(h) || h->fs->off)
		return SQLITE_IOERR_FSTAT;
	*size = (sqlite3_int64)h->file->now.n;
	return SQLITE_OK;
}

static int
highest_other(const sim_handle *h)
{
	const sim_handle *o;
	int level = SQLITE_LOCK_NONE;

	for (o = h->file->open; o != NULL; o = o->next)
		if (o != h && !stale(o) && o->level > level)
			level = o->level;
	return level;
}

static int
f_lock(sqlite3_file *file, int level)
{
	sim_handle *h = H(file);
	int other = highest_other(h);

	if (stale(h))
		return SQLITE_IOERR_LOCK;
	if (h->level >= level)
		return SQLITE_OK;
	if ((level == SQLITE_LOCK_SHARED && other >= SQLITE_LOCK_PENDING) ||
	    (level >= SQLITE_LOCK_RESERVED && other >= SQLITE_LOCK_RESERVED))
		return SQLITE_BUSY;
	if (level == SQLITE_LOCK_EXCLUSIVE && other >= SQLITE_LOCK_SHARED) {
		h->level = SQLITE_LOCK_PENDING;
		return SQLITE_BUSY;
	}
	h->level = level;
	return SQLITE_OK;
}

static int
f_unlock(sqlite3_file *file, int level)
{
	if (H(file)->level > level)
		H(file)->level = level;
	return SQLITE_OK;
}

static int
f_reserved(sqlite3_file *file, int *out)
{
	*out = highest_other(H(file)) >= SQLITE_LOCK_RESERVED ||
	    H(file)->level >= SQLITE_LOCK_RESERVED;
	return SQLITE_OK;
}

static int
f_control(sqlite3_file *file, int op, void *arg)
{
	if (op == SQLITE_FCNTL_VFSNAME) {
		*(char **)arg = sqlite3_mprintf("%s", H(file)->fs->name);
		return SQLITE_OK;
	}
	if (op == SQLITE_FCNTL_HAS_MOVED) {
		*(int *)arg = !H(file)->file->linked;
		return SQLITE_OK;
	}
	return SQLITE_NOTFOUND;
}

static int
f_sector(sqlite3_file *file)
{
	return (int)H(file)->fs->sector;
}

static int
f_traits(sqlite3_file *file)
{
	return H(file)->fs->traits;
}

/* ---- shared memory: on the heap, as unix-excl has it ------------------------------ */

void
simfs_shm_free(sim_file *f)
{
	int i;

	for (i = 0; i < f->nshm; i++)
		free(f->shm[i]);
	free(f->shm);
	f->shm = NULL;
	f->nshm = 0;
}

static int
f_shm_map(sqlite3_file *file, int region, int size, int extend,
    void volatile **out)
{
	sim_handle *h = H(file);
	sim_file *f = h->file;

	*out = NULL;
	if (stale(h) || h->fs->off)
		return SQLITE_IOERR_SHMMAP;
	h->shm = true;
	if (region >= f->nshm && !extend)
		return SQLITE_OK;
	while (region >= f->nshm) {
		f->shm = sat_xrealloc(
		    f->shm, ((size_t)f->nshm + 1) * sizeof *f->shm);
		f->shm[f->nshm] = sat_xcalloc(1, (size_t)size);
		f->nshm++;
	}
	*out = f->shm[region];
	return SQLITE_OK;
}

static int
f_shm_lock(sqlite3_file *file, int offset, int n, int flags)
{
	sim_handle *h = H(file);
	const sim_handle *o;
	unsigned bits = ((1u << n) - 1) << offset;

	assert(offset >= 0 && n > 0 && offset + n <= SHM_LOCKS);
	if (stale(h))
		return SQLITE_IOERR_SHMLOCK;
	if ((flags & SQLITE_SHM_UNLOCK) != 0) {
		h->shm_shared &= ~bits;
		h->shm_excl &= ~bits;
		return SQLITE_OK;
	}
	for (o = h->file->open; o != NULL; o = o->next) {
		if (o == h || stale(o))
			continue;
		if ((o->shm_excl & bits) != 0 ||
		    ((flags & SQLITE_SHM_EXCLUSIVE) != 0 &&
		    (o->shm_shared & bits) != 0))
			return SQLITE_BUSY;
	}
	if ((flags & SQLITE_SHM_EXCLUSIVE) != 0)
		h->shm_excl |= bits;
	else
		h->shm_shared |= bits;
	return SQLITE_OK;
}

static void
f_shm_barrier(sqlite3_file *file)
{
	(void)file;
}

static int
f_shm_unmap(sqlite3_file *file, int del)
{
	sim_handle *h = H(file), *o;

	(void)del;
	h->shm = false;
	h->shm_shared = h->shm_excl = 0;
	for (o = h->file->open; o != NULL; o = o->next)
		if (o->shm && !stale(o))
			return SQLITE_OK;
	simfs_shm_free(h->file);
	return SQLITE_OK;
}

static const sqlite3_io_methods methods = {
	.iVersion = 2,
	.xClose = f_close,
	.xRead = f_read,
	.xWrite = f_write,
	.xTruncate = f_truncate,
	.xSync = f_sync,
	.xFileSize = f_size,
	.xLock = f_lock,
	.xUnlock = f_unlock,
	.xCheckReservedLock = f_reserved,
	.xFileControl = f_control,
	.xSectorSize = f_sector,
	.xDeviceCharacteristics = f_traits,
	.xShmMap = f_shm_map,
	.xShmLock = f_shm_lock,
	.xShmBarrier = f_shm_barrier,
	.xShmUnmap = f_shm_unmap,
};

/* ---- the VFS -------------------------------------------------------------------- */

static int
v_open(sqlite3_vfs *v, sqlite3_filename name, sqlite3_file *file, int flags,
    int *out_flags)
{
	simfs *fs = FS(v);
	sim_handle *h = H(file);
	sim_file *f;

	memset(h, 0, sizeof *h);
	if (begin(fs, SIMFS_OPEN) != SIMFS_NEVER)
		return SQLITE_CANTOPEN;
	f = name != NULL ? simfs_find(fs, name) : NULL;
	if (f == NULL && name != NULL && (flags & SQLITE_OPEN_CREATE) == 0)
		return SQLITE_CANTOPEN;
	if (f == NULL)
		f = simfs_make(fs, name != NULL ? name : "(temp)");
	if (name == NULL)
		f->linked = false;
	h->base.pMethods = &methods;
	h->fs = fs;
	h->file = f;
	h->power = fs->power;
	h->temp = (flags & SQLITE_OPEN_DELETEONCLOSE) != 0;
	/* As unix: the first sync of a log or journal includes its directory. */
	h->dir_sync = (flags & SQLITE_OPEN_CREATE) != 0 && (flags &
	    (SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL |
	    SQLITE_OPEN_SUPER_JOURNAL)) != 0;
	h->next = f->open;
	f->open = h;
	f->handles++;
	if (out_flags != NULL)
		*out_flags = flags;
	return SQLITE_OK;
}

static int
v_delete(sqlite3_vfs *v, const char *name, int sync_dir)
{
	sim_file *f = simfs_find(FS(v), name);

	if (begin(FS(v), SIMFS_DELETE) != SIMFS_NEVER)
		return SQLITE_IOERR_DELETE;
	if (f == NULL)
		return SQLITE_IOERR_DELETE_NOENT;
	simfs_unlink(FS(v), f, sync_dir != 0);
	return SQLITE_OK;
}

static int
v_access(sqlite3_vfs *v, const char *name, int flags, int *out)
{
	const sim_file *f = simfs_find(FS(v), name);

	/* As unix: an empty file does not exist. */
	*out = f != NULL && (flags != SQLITE_ACCESS_EXISTS || f->now.n > 0);
	return FS(v)->off ? SQLITE_IOERR_ACCESS : SQLITE_OK;
}

static int
v_full_pathname(sqlite3_vfs *v, const char *name, int n, char *out)
{
	(void)v;
	(void)snprintf(out, (size_t)n, "%s", name);
	return SQLITE_OK;
}

static int
v_randomness(sqlite3_vfs *v, int n, char *out)
{
	int i;

	for (i = 0; i < n; i++)
		out[i] = (char)sat_test_rand(&FS(v)->sqlite_rand);
	return n;
}

static int
v_sleep(sqlite3_vfs *v, int us)
{
	(void)v;
	return us; /* time belongs to the simulator */
}

static int
v_time64(sqlite3_vfs *v, sqlite3_int64 *out)
{
	*out = FS(v)->wall_ms + 210866760000000; /* julian day, ms */
	return SQLITE_OK;
}

static int
v_time(sqlite3_vfs *v, double *out)
{
	sqlite3_int64 ms;

	(void)v_time64(v, &ms);
	*out = (double)ms / 86400000.0;
	return SQLITE_OK;
}

static int
v_last_error(sqlite3_vfs *v, int n, char *out)
{
	(void)v;
	if (n > 0)
		out[0] = '\0';
	return 0;
}

void
simfs_vfs_fill(simfs *fs)
{
	fs->vfs = (sqlite3_vfs){
		.iVersion = 2,
		.szOsFile = (int)sizeof(sim_handle),
		.mxPathname = 512,
		.zName = fs->name,
		.pAppData = fs,
		.xOpen = v_open,
		.xDelete = v_delete,
		.xAccess = v_access,
		.xFullPathname = v_full_pathname,
		.xRandomness = v_randomness,
		.xSleep = v_sleep,
		.xCurrentTime = v_time,
		.xGetLastError = v_last_error,
		.xCurrentTimeInt64 = v_time64,
	};
}
