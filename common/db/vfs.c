/*
 * vfs.c - registration, opening files, and the calls that only pass through.
 */
#include "common/db/vfs_int.h"

#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"

#define BELOW(v) (((vfs_inst *)(v)->pAppData)->below)
#define KIND_FLAGS                                                            \
	(SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL |   \
	    SQLITE_OPEN_TEMP_DB | SQLITE_OPEN_TRANSIENT_DB |                  \
	    SQLITE_OPEN_TEMP_JOURNAL | SQLITE_OPEN_SUBJOURNAL |               \
	    SQLITE_OPEN_SUPER_JOURNAL)
#define LOW_AT ((sizeof(vfs_file) + 15) & ~(size_t)15)

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static vfs_inst *instances;

/* ---- opening ------------------------------------------------------------------ */

/* The main file a WAL or journal belongs to, under whatever VFS is on top. */
static vfs_main *
main_of(const char *name)
{
	sqlite3_file *top = name != NULL ?
	    sqlite3_database_file_object(name) : NULL;
	vfs_file *f = NULL;

	if (top == NULL || top->pMethods == NULL ||
	    top->pMethods->xFileControl(top, VFS_FCNTL_SELF, &f) != SQLITE_OK)
		return NULL;
	return f->db;
}

static const sqlite3_io_methods *
methods_of(const vfs_file *f)
{
	if (f->db->keys == NULL)
		return &vfs_plain_methods;
	switch (f->kind) {
	case VFS_MAIN:
		return &vfs_main_methods;
	case VFS_WAL:
		return &vfs_wal_methods;
	default:
		return &vfs_journal_methods;
	}
}

/* The parts of a main file that need the file below to be open. */
static int
start_main(vfs_file *f, vfs_inst *v, const char *name)
{
	f->db = &f->own;
	f->own.inst = v;
	f->own.path = name;
	f->own.fork_count = vfs_fork_count();
	if (v->keyring == NULL)
		return SQLITE_OK;
	/* Without it SQLite splits frames at sector boundaries, and a torn
	 * write may destroy a neighbour that was already synced. */
	if ((f->low->pMethods->xDeviceCharacteristics(f->low) &
	    SQLITE_IOCAP_POWERSAFE_OVERWRITE) == 0) {
		(void)sat_fail(&v->open_err, SAT_EIO,
		    "%s: the disk lacks powersafe overwrite", name);
		return SQLITE_CANTOPEN;
	}
	f->own.keys = sat_secret_new(sizeof *f->own.keys);
	return vfs_choose_id(f, name, &v->open_err) == SAT_OK ? SQLITE_OK :
	    SQLITE_CANTOPEN;
}

static int
open_ours(vfs_inst *v, sqlite3_filename name, vfs_file *f, int flags,
    int *out_flags)
{
	int rc;

	memset(f, 0, sizeof *f);
	f->low = (sqlite3_file *)(void *)((char *)f + LOW_AT);
	memset(f->low, 0, (size_t)v->below->szOsFile);
	f->kind = (flags & SQLITE_OPEN_MAIN_DB) != 0 ? VFS_MAIN :
	    (flags & SQLITE_OPEN_WAL) != 0 ? VFS_WAL : VFS_JOURNAL;
	if (f->kind != VFS_MAIN && (f->db = main_of(name)) == NULL) {
		sat_log(SAT_ERROR, "VFS-NO-MAIN", "path=%s", name);
		return SQLITE_CANTOPEN;
	}
	rc = v->below->xOpen(v->below, name, f->low, flags, out_flags);
	if (rc == SQLITE_OK && f->kind == VFS_MAIN)
		rc = start_main(f, v, name);
	if (rc == SQLITE_OK && f->kind == VFS_WAL)
		rc = vfs_log_opened(f);
	if (rc != SQLITE_OK) {
		sat_secret_free(f->own.keys);
		f->own.keys = NULL;
		(void)vfs_low_close(&f->base);
		return rc;
	}
	f->base.pMethods = methods_of(f);
	return SQLITE_OK;
}

static int
x_open(sqlite3_vfs *vfs, sqlite3_filename name, sqlite3_file *file, int flags,
    int *out_flags)
{
	vfs_inst *v = vfs->pAppData;
	int kind = flags & KIND_FLAGS;

	file->pMethods = NULL;
	if (name != NULL && (kind & (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL |
	    SQLITE_OPEN_MAIN_JOURNAL)) != 0)
		return open_ours(v, name, (vfs_file *)file, flags, out_flags);
	if (v->keyring == NULL)
		return v->below->xOpen(v->below, name, file, flags, out_flags);
	/* Sorters, savepoints, temporary tables: in memory or not at all. */
	sat_log(SAT_ERROR, "VFS-TEMP-FILE", "flags=%x", (unsigned)flags);
	return SQLITE_CANTOPEN;
}

/* ---- handed down ---------------------------------------------------------------- */

static int
x_delete(sqlite3_vfs *v, const char *name, int sync_dir)
{
	if (((vfs_inst *)v->pAppData)->frozen)
		return SQLITE_IOERR_DELETE;
	return BELOW(v)->xDelete(BELOW(v), name, sync_dir);
}

static int
x_access(sqlite3_vfs *v, const char *name, int flags, int *out)
{
	return BELOW(v)->xAccess(BELOW(v), name, flags, out);
}

static int
x_full_pathname(sqlite3_vfs *v, const char *name, int n, char *out)
{
	return BELOW(v)->xFullPathname(BELOW(v), name, n, out);
}

static void *
x_dl_open(sqlite3_vfs *v, const char *name)
{
	return BELOW(v)->xDlOpen(BELOW(v), name);
}

static void
x_dl_error(sqlite3_vfs *v, int n, char *out)
{
	BELOW(v)->xDlError(BELOW(v), n, out);
}

static void (*x_dl_sym(sqlite3_vfs *v, void *h, const char *name))(void)
{
	return BELOW(v)->xDlSym(BELOW(v), h, name);
}

static void
x_dl_close(sqlite3_vfs *v, void *h)
{
	BELOW(v)->xDlClose(BELOW(v), h);
}

static int
x_randomness(sqlite3_vfs *v, int n, char *out)
{
	return BELOW(v)->xRandomness(BELOW(v), n, out);
}

static int
x_sleep(sqlite3_vfs *v, int us)
{
	return BELOW(v)->xSleep(BELOW(v), us);
}

static int
x_current_time(sqlite3_vfs *v, double *out)
{
	return BELOW(v)->xCurrentTime(BELOW(v), out);
}

static int
x_last_error(sqlite3_vfs *v, int n, char *out)
{
	return BELOW(v)->xGetLastError(BELOW(v), n, out);
}

static int
x_current_time64(sqlite3_vfs *v, sqlite3_int64 *out)
{
	return BELOW(v)->xCurrentTimeInt64(BELOW(v), out);
}

static int
x_set_call(sqlite3_vfs *v, const char *name, sqlite3_syscall_ptr call)
{
	return BELOW(v)->xSetSystemCall(BELOW(v), name, call);
}

static sqlite3_syscall_ptr
x_get_call(sqlite3_vfs *v, const char *name)
{
	return BELOW(v)->xGetSystemCall(BELOW(v), name);
}

static const char *
x_next_call(sqlite3_vfs *v, const char *name)
{
	return BELOW(v)->xNextSystemCall(BELOW(v), name);
}

static void
fill_vfs(vfs_inst *v)
{
	sqlite3_vfs *b = v->below;

	v->base = (sqlite3_vfs){
		.iVersion = b->iVersion > 3 ? 3 : b->iVersion,
		.szOsFile = (int)LOW_AT + b->szOsFile,
		.mxPathname = b->mxPathname,
		.zName = v->name,
		.pAppData = v,
		.xOpen = x_open,
		.xDelete = x_delete,
		.xAccess = x_access,
		.xFullPathname = x_full_pathname,
		.xDlOpen = b->xDlOpen != NULL ? x_dl_open : NULL,
		.xDlError = b->xDlError != NULL ? x_dl_error : NULL,
		.xDlSym = b->xDlSym != NULL ? x_dl_sym : NULL,
		.xDlClose = b->xDlClose != NULL ? x_dl_close : NULL,
		.xRandomness = x_randomness,
		.xSleep = x_sleep,
		.xCurrentTime = x_current_time,
		.xGetLastError = b->xGetLastError != NULL ? x_last_error : NULL,
	};
	if (b->iVersion >= 2 && b->xCurrentTimeInt64 != NULL)
		v->base.xCurrentTimeInt64 = x_current_time64;
	if (b->iVersion >= 3 && b->xSetSystemCall != NULL) {
		v->base.xSetSystemCall = x_set_call;
		v->base.xGetSystemCall = x_get_call;
		v->base.xNextSystemCall = x_next_call;
	}
}

/* ---- registration ----------------------------------------------------------------- */

vfs_inst *
vfs_find(const char *name)
{
	vfs_inst *v;

	(void)pthread_mutex_lock(&lock);
	for (v = instances; v != NULL && strcmp(v->name, name) != 0;
	     v = v->next)
		;
	(void)pthread_mutex_unlock(&lock);
	return v;
}

static void
configure(void)
{
	(void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

/*
 * Before SQLite is used at all: its count of the memory in use is asked for by
 * nobody, and takes a lock with every allocation. Too late is no fault.
 */
static void
configure_once(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	(void)pthread_once(&once, configure);
}

sat_rc
sat_vfs_register(const char *name, const char *below, sat_keyring *keyring,
    sat_err *e)
{
	sqlite3_vfs *b;
	vfs_inst *v;

	configure_once();
	b = sqlite3_vfs_find(below);
	if (b == NULL)
		return sat_fail(e, SAT_EFAIL, "no file layer named %s",
		    below != NULL ? below : "(default)");
	if (strlen(name) >= sizeof v->name)
		return sat_fail(e, SAT_EFAIL, "file layer name too long");
	if (sqlite3_vfs_find(name) != NULL)
		return sat_fail(e, SAT_ECONFLICT,
		    "a file layer named %s exists", name);
	v = sat_xcalloc(1, sizeof *v);
	v->below = b;
	v->keyring = keyring;
	(void)snprintf(v->name, sizeof v->name, "%s", name);
	fill_vfs(v);
	if (sqlite3_vfs_register(&v->base, 0) != SQLITE_OK) {
		free(v);
		return sat_fail(e, SAT_ENOMEM, "cannot register a file layer");
	}
	(void)pthread_mutex_lock(&lock);
	v->next = instances;
	instances = v;
	(void)pthread_mutex_unlock(&lock);
	return SAT_OK;
}

void
sat_vfs_unregister(const char *name)
{
	vfs_inst **p, *v;

	(void)pthread_mutex_lock(&lock);
	for (p = &instances; *p != NULL && strcmp((*p)->name, name) != 0;
	     p = &(*p)->next)
		;
	v = *p;
	if (v != NULL)
		*p = v->next;
	(void)pthread_mutex_unlock(&lock);
	if (v == NULL)
		return;
	(void)sqlite3_vfs_unregister(&v->base);
	free(v);
}
