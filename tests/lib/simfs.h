/*
 * simfs.h - a disk in memory that forgets what was not synced.
 *
 * Each simfs is one simulated disk of one simulated device: a SQLite VFS of
 * its own name that is handed to sat_db_open as `vfs_below`, so it lies *below*
 * the encrypting layer and torn pages meet the cipher. Any number of them live
 * in one process and know nothing of each other. Everything random comes from
 * the seed (splitmix64): the same calls give the same disk, bit by bit, except
 * for the nonces of the cipher, on which nothing depends.
 *
 * Each file has a durable image, a current image, and the list of writes and
 * truncations since the last sync. SQLite reads and writes the current image.
 *
 *   device runs         sat_db_* on the disk
 *   process is killed   sat_db_abandon(); the current images stay
 *   power is cut        sat_db_abandon(); simfs_crash(); open again
 *
 * What simfs_crash() does to each file, drawn per file:
 *   all, none, a prefix whose last write is torn, or any subset of the
 *   unsynced sectors reaches the disk. Bytes outside a write never change
 *   (powersafe overwrite, which the encrypting layer requires). A file that
 *   was created and never synced may be gone; one that was deleted without a
 *   directory sync may be back.
 *
 * Not thread-safe: a disk belongs to the thread that runs its device. Not
 * modelled: several processes on one disk (locks are those of connections).
 */
#ifndef SAT_TESTS_SIMFS_H
#define SAT_TESTS_SIMFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct simfs simfs;

/* A fresh, empty disk, registered as a SQLite VFS under `vfs_name` (which may
 * not begin with "unix"). */
simfs *simfs_new(const char *vfs_name, uint64_t seed);
/* Unregister and forget. All connections must be closed. NULL is fine. */
void simfs_free(simfs *fs);
const char *simfs_name(const simfs *fs); /* to hand in as vfs_below */

/*
 * SQLite draws its own randomness (WAL salts, random(), randomblob()) from
 * the default VFS, once per process. Make this disk the default one and draw
 * anew: call it at the start of each history that must repeat.
 */
void simfs_make_default(simfs *fs);

/* ---- power -------------------------------------------------------------------- */

/*
 * Cut the power and switch it on again. Handles that are still open give
 * SQLITE_IOERR for ever and may only be closed. Failures planned by
 * simfs_fail are forgotten, quota and sector size stay.
 */
void simfs_crash(simfs *fs);
/*
 * The process is killed, the machine goes on: the current images stay, open
 * handles are stale, planned failures are forgotten. Only needed after
 * simfs_off_after, to die at a chosen change without losing power.
 */
void simfs_kill(simfs *fs);
/*
 * Let `n` further changes (write, sync, truncate, delete) happen, then the
 * power is off: every call fails and changes nothing until simfs_crash() or simfs_kill().
 * Crash points are enumerated with this. n = 0: off now.
 */
void simfs_off_after(simfs *fs, uint64_t n);
bool simfs_is_off(const simfs *fs);
/* The whole disk is lost: no file is left. Open handles as in simfs_crash. */
void simfs_wipe(simfs *fs);

/* ---- failures ------------------------------------------------------------------- */

typedef enum simfs_op {
	SIMFS_READ, SIMFS_WRITE, SIMFS_SYNC, SIMFS_OPEN, SIMFS_TRUNCATE,
	SIMFS_DELETE,
	SIMFS_OPS
} simfs_op;

typedef enum simfs_how {
	SIMFS_NEVER, /* forget the plan for this op */
	SIMFS_IOERR, /* a write may have left a part behind */
	SIMFS_FULL,  /* writes only */
	SIMFS_DROP,  /* syncs only: fails once with IOERR_FSYNC, and what was
	              * not durable never will be, though it still reads back:
	              * what Linux does */
	SIMFS_FLIP,  /* reads only: one bit is wrong, no error is given */
} simfs_how;

/* Fail the nth call from now (1 = the next); `persistent`: and all later. */
void simfs_fail(simfs *fs, simfs_op op, simfs_how how, uint64_t nth,
    bool persistent);
/* SQLITE_FULL when all files together would grow beyond; 0 = no limit. */
void simfs_quota(simfs *fs, uint64_t bytes);

/* ---- properties -------------------------------------------------------------------- */

/* 512 (default) or 4096: what a power cut tears at. */
void simfs_sector(simfs *fs, unsigned bytes);
/* Per mille of the sectors in flight at a crash that become garbage instead
 * of old or new. 0 by default: disks that do this are rare, and the first
 * sector of a *copy* is not covered against it (docs/encryption.md). */
void simfs_garbage(simfs *fs, unsigned per_mille);
/* false: the disk no longer claims powersafe overwrite. */
void simfs_powersafe(simfs *fs, bool yes);
/* What SQLite's date('now') says; fixed until set. ms since 1970. */
void simfs_clock(simfs *fs, int64_t wall_ms);

/* ---- looking and touching ------------------------------------------------------------ */

bool simfs_exists(const simfs *fs, const char *name);
/* The current bytes; valid until the next change of the file. NULL when there
 * is no such file (*n = 0). */
const uint8_t *simfs_bytes(size_t *n, const simfs *fs, const char *name);
/* Bytes of the durable image. */
const uint8_t *simfs_durable(size_t *n, const simfs *fs, const char *name);
/* Make a file of these bytes, durable at once; replaces what was there. Not
 * while it is open. */
void simfs_put(simfs *fs, const char *name, const void *bytes, size_t n);
/* Change bytes in place, durable at once; within the file. */
void simfs_poke(simfs *fs, const char *name, size_t at, const void *bytes,
    size_t n);
/* Cut a file to n bytes, durable at once; also while it is open. */
void simfs_cut(simfs *fs, const char *name, size_t n);
void simfs_remove(simfs *fs, const char *name); /* fine when missing */
/* A backup: the current bytes of a file, durable on the other disk, which may
 * be the same. Other files (-wal) are not copied with it. */
void simfs_copy(simfs *to, const char *to_name, const simfs *from,
    const char *from_name);
/* Rename within the disk, durable at once; replaces the target. */
void simfs_rename(simfs *fs, const char *from, const char *to);
/* The name of the i-th file, NULL behind the last. */
const char *simfs_nth(const simfs *fs, size_t i);

/* Files that are held open, but for what a crash or kill left behind. */
unsigned simfs_handles(const simfs *fs);

typedef struct simfs_counts {
	uint64_t calls[SIMFS_OPS]; /* including failed ones */
	uint64_t bytes_written;
	uint64_t crashes;
	uint64_t touched; /* opens, and whatever may alter a file or a name */
	uint64_t sectors_lost; /* by crashes */
} simfs_counts;
simfs_counts simfs_counts_get(const simfs *fs);

#endif
