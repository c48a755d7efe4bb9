/*
 * simfs_int.h - the disk and its SQLite face.
 */
#ifndef SAT_TESTS_SIMFS_INT_H
#define SAT_TESTS_SIMFS_INT_H

#include <sqlite3.h>

#include "tests/lib/simfs.h"

typedef struct sim_image {
	uint8_t *p;
	size_t n, cap;
} sim_image;

/* A change that is not durable yet. n bytes of data, or a truncation. */
typedef struct sim_change {
	struct sim_change *next;
	bool truncate;
	size_t at, n; /* truncate: `at` is the new size */
	uint8_t data[];
} sim_change;

typedef struct sim_file {
	struct sim_file *next;
	char *name;
	sim_image now, durable;
	sim_change *changes, **last;
	bool linked;         /* has its name; else it lives for its handles */
	bool entry_durable;  /* the name survives a crash */
	bool ghost;          /* deleted; a crash may bring it back */
	unsigned handles;
	struct sim_handle *open;
	void **shm;
	int nshm;
} sim_file;

typedef struct sim_handle {
	sqlite3_file base;
	simfs *fs;
	sim_file *file;
	struct sim_handle *next;
	uint64_t power; /* stale when the disk has been off since */
	int level;
	bool shm;
	unsigned shm_shared, shm_excl; /* lock bits */
	bool temp;     /* deleted with the handle */
	bool dir_sync; /* the next sync also syncs the directory */
} sim_handle;

typedef struct sim_plan {
	simfs_how how;
	uint64_t left;
	bool persistent;
} sim_plan;

struct simfs {
	sqlite3_vfs vfs;
	char *name;
	sim_file *files;
	uint64_t rand, sqlite_rand; /* splitmix64 states */
	uint64_t power;             /* counts crashes */
	bool off, off_planned;
	uint64_t off_left;
	sim_plan plans[SIMFS_OPS];
	uint64_t quota;
	unsigned sector, garbage;
	int traits;
	int64_t wall_ms;
	simfs_counts counts;
};

/* 0 <= result < n; n > 0 */
uint64_t simfs_below(simfs *fs, uint64_t n);
/* It holds these bytes and no others. */
void simfs_image_set(sim_image *m, const void *p, size_t n);
sim_file *simfs_find(const simfs *fs, const char *name);
sim_file *simfs_make(simfs *fs, const char *name);
void simfs_unlink(simfs *fs, sim_file *f, bool durable);
void simfs_drop_if_unused(simfs *fs, sim_file *f);
/* Change the current image and remember it as not durable. */
void simfs_file_write(sim_file *f, size_t at, const void *p, size_t n);
void simfs_file_truncate(sim_file *f, size_t size);
void simfs_file_sync(simfs *fs, sim_file *f);
void simfs_dir_sync(simfs *fs);
void simfs_file_drop_changes(sim_file *f);
uint64_t simfs_used(const simfs *fs);
void simfs_vfs_fill(simfs *fs);
void simfs_shm_free(sim_file *f);

#endif
