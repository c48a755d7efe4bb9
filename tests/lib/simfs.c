/*
 * simfs.c - the disk: images, unsynced changes, and what a crash leaves.
 */
#include "tests/lib/simfs_int.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "tests/lib/rand.h"

uint64_t
simfs_below(simfs *fs, uint64_t n)
{
	return sat_test_rand(&fs->rand) % n;
}

/* ---- images ------------------------------------------------------------------- */

/* Bytes between the old end and the new one are zeros, as in a sparse file. */
static void
image_resize(sim_image *m, size_t n)
{
	if (n > m->cap) { /* the program may die for want of memory here */
		size_t cap = n < 65536 ? n * 2 : n + n / 2;

		m->p = sat_xrealloc(m->p, cap);
		m->cap = cap;
	}
	if (n > m->n)
		memset(m->p + m->n, 0, n - m->n);
	m->n = n;
}

static void
image_write(sim_image *m, size_t at, const void *p, size_t n)
{
	if (at + n > m->n)
		image_resize(m, at + n);
	if (n > 0)
		memcpy(m->p + at, p, n);
}

void
simfs_image_set(sim_image *m, const void *p, size_t n)
{
	image_resize(m, 0);
	image_write(m, 0, p, n);
}

static void
image_free(sim_image *m)
{
	free(m->p);
	*m = (sim_image){ NULL, 0, 0 };
}

/* ---- files -------------------------------------------------------------------- */

sim_file *
simfs_find(const simfs *fs, const char *name)
{
	sim_file *f;

	for (f = fs->files; f != NULL; f = f->next)
		if (f->linked && strcmp(f->name, name) == 0)
			return f;
	return NULL;
}

sim_file *
simfs_make(simfs *fs, const char *name)
{
	sim_file *f = sat_xcalloc(1, sizeof *f), **end;

	f->name = sat_xstrdup(name);
	f->last = &f->changes;
	f->linked = true;
	for (end = &fs->files; *end != NULL; end = &(*end)->next)
		;
	*end = f; /* in the order of creation, which a seed repeats */
	return f;
}

void
simfs_file_drop_changes(sim_file *f)
{
	sim_change *c;

	while ((c = f->changes) != NULL) {
		f->changes = c->next;
		free(c);
	}
	f->last = &f->changes;
}

void
simfs_drop_if_unused(simfs *fs, sim_file *f)
{
	sim_file **p;

	if (f->linked || f->ghost || f->handles > 0)
		return;
	for (p = &fs->files; *p != f; p = &(*p)->next)
		assert(*p != NULL);
	*p = f->next;
	simfs_file_drop_changes(f);
	simfs_shm_free(f);
	image_free(&f->now);
	image_free(&f->durable);
	free(f->name);
	free(f);
}

/* Deleted files of this name cannot come back any more. */
static void
lay_ghosts(simfs *fs, const char *name)
{
	sim_file *g, *next;

	for (g = fs->files; g != NULL; g = next) {
		next = g->next;
		if (g->ghost && strcmp(g->name, name) == 0) {
			g->ghost = false;
			simfs_drop_if_unused(fs, g);
		}
	}
}

void
simfs_unlink(simfs *fs, sim_file *f, bool durable)
{
	if (durable)
		lay_ghosts(fs, f->name);
	f->linked = false;
	f->ghost = !durable && f->entry_durable;
	simfs_drop_if_unused(fs, f);
}

static void
remember(sim_file *f, bool truncate, size_t at, const void *p, size_t n)
{
	sim_change *c = sat_xmalloc(sizeof *c + n);

	c->next = NULL;
	c->truncate = truncate;
	c->at = at;
	c->n = n;
	if (n > 0)
		memcpy(c->data, p, n);
	*f->last = c;
	f->last = &c->next;
}

void
simfs_file_write(sim_file *f, size_t at, const void *p, size_t n)
{
	image_write(&f->now, at, p, n);
	remember(f, false, at, p, n);
}

void
simfs_file_truncate(sim_file *f, size_t size)
{
	image_resize(&f->now, size);
	remember(f, true, size, NULL, 0);
}

void
simfs_dir_sync(simfs *fs)
{
	sim_file *f, *next;

	for (f = fs->files; f != NULL; f = next) {
		next = f->next;
		f->entry_durable = f->linked;
		f->ghost = false;
		simfs_drop_if_unused(fs, f);
	}
}

/* The file and its name become durable; a deleted namesake is gone. */
void
simfs_file_sync(simfs *fs, sim_file *f)
{
	sim_change *c;

	for (c = f->changes; c != NULL; c = c->next)
		if (c->truncate)
			image_resize(&f->durable, c->at);
		else
			image_write(&f->durable, c->at, c->data, c->n);
	simfs_file_drop_changes(f);
	if (!f->linked)
		return;
	f->entry_durable = true;
	lay_ghosts(fs, f->name);
}

uint64_t
simfs_used(const simfs *fs)
{
	const sim_file *f;
	uint64_t n = 0;

	for (f = fs->files; f != NULL; f = f->next)
		if (f->linked || f->handles > 0)
			n += f->now.n;
	return n;
}

/* ---- the crash ------------------------------------------------------------------ */

enum fate { FATE_ALL, FATE_NONE, FATE_PREFIX, FATE_SUBSET };

/* One piece of a write that lies in one sector. */
static void
land_piece(simfs *fs, sim_file *f, size_t at, const uint8_t *p, size_t n)
{
	uint8_t noise[4096];
	size_t i;

	if (fs->garbage > 0 && simfs_below(fs, 1000) < fs->garbage) {
		for (i = 0; i < n; i++)
			noise[i] = (uint8_t)sat_test_rand(&fs->rand);
		p = noise;
	}
	image_write(&f->durable, at, p, n);
}

/* keep: per cent of the pieces that land. */
static void
land_some(simfs *fs, sim_file *f, const sim_change *c, unsigned keep)
{
	size_t done, n;

	for (done = 0; done < c->n; done += n) {
		n = fs->sector - (c->at + done) % fs->sector;
		if (n > c->n - done)
			n = c->n - done;
		if (simfs_below(fs, 100) < keep)
			land_piece(fs, f, c->at + done, c->data + done, n);
		else
			fs->counts.sectors_lost++;
	}
}

static void
land_change(simfs *fs, sim_file *f, const sim_change *c, unsigned keep)
{
	if (!c->truncate)
		land_some(fs, f, c, keep);
	else if (simfs_below(fs, 100) < keep)
		image_resize(&f->durable, c->at);
}

static size_t
count_changes(const sim_file *f)
{
	const sim_change *c;
	size_t n = 0;

	for (c = f->changes; c != NULL; c = c->next)
		n++;
	return n;
}

static void
crash_file(simfs *fs, sim_file *f)
{
	const sim_change *c;
	enum fate fate = (enum fate)simfs_below(fs, 4);
	unsigned share = (unsigned)simfs_below(fs, 101);
	size_t i = 0, n = count_changes(f), whole = 0;

	if (n > 0)
		whole = (size_t)simfs_below(fs, n);
	for (c = f->changes; c != NULL; c = c->next, i++) {
		if (fate == FATE_ALL || (fate == FATE_PREFIX && i < whole))
			land_change(fs, f, c, 100);
		else if (fate == FATE_SUBSET ||
		    (fate == FATE_PREFIX && i == whole))
			land_change(fs, f, c, share);
		else
			fs->counts.sectors_lost += c->n / fs->sector;
	}
	simfs_file_drop_changes(f);
	simfs_image_set(&f->now, f->durable.p, f->durable.n);
}

/* Which of the files of one name is there afterwards: the linked one when its
 * entry is durable; else any of it, a deleted namesake, or none. */
static void
crash_name(simfs *fs, sim_file *f)
{
	sim_file *g = NULL;

	if (f->linked && f->entry_durable)
		return;
	if (f->linked) {
		if (simfs_below(fs, 2) == 0)
			f->linked = false;
		else
			f->entry_durable = true;
	} else if (f->ghost) {
		g = simfs_find(fs, f->name);
		if (g == NULL && simfs_below(fs, 2) == 0)
			f->linked = true;
		f->ghost = false;
	}
}

static void
drop_unused(simfs *fs)
{
	sim_file *f, *next;

	for (f = fs->files; f != NULL; f = next) {
		next = f->next;
		simfs_drop_if_unused(fs, f);
	}
}

/* What is in memory only: shared memory, locks, the handles themselves. */
static void
power_cycle(simfs *fs)
{
	sim_file *f;

	for (f = fs->files; f != NULL; f = f->next)
		simfs_shm_free(f);
	fs->power++;
	fs->off = fs->off_planned = false;
	memset(fs->plans, 0, sizeof fs->plans);
}

void
simfs_kill(simfs *fs)
{
	power_cycle(fs);
}

void
simfs_crash(simfs *fs)
{
	sim_file *f;

	power_cycle(fs);
	fs->counts.crashes++;
	/* New names first: whether a deleted file is back depends on them. */
	for (f = fs->files; f != NULL; f = f->next)
		if (f->linked)
			crash_name(fs, f);
	for (f = fs->files; f != NULL; f = f->next)
		if (!f->linked)
			crash_name(fs, f);
	drop_unused(fs);
	for (f = fs->files; f != NULL; f = f->next)
		crash_file(fs, f);
}

void
simfs_wipe(simfs *fs)
{
	sim_file *f;

	power_cycle(fs);
	fs->counts.touched++;
	for (f = fs->files; f != NULL; f = f->next)
		f->linked = f->ghost = false;
	drop_unused(fs);
	/* What stale handles hold is not read any more. */
	for (f = fs->files; f != NULL; f = f->next) {
		simfs_file_drop_changes(f);
		image_free(&f->now);
		image_free(&f->durable);
	}
}

void
simfs_off_after(simfs *fs, uint64_t n)
{
	fs->off = n == 0;
	fs->off_planned = n > 0;
	fs->off_left = n;
}

bool
simfs_is_off(const simfs *fs)
{
	return fs->off;
}

/* ---- life, failures, properties --------------------------------------------------- */

simfs *
simfs_new(const char *vfs_name, uint64_t seed)
{
	simfs *fs = sat_xcalloc(1, sizeof *fs);

	assert(strncmp(vfs_name, "unix", 4) != 0);
	assert(sqlite3_vfs_find(vfs_name) == NULL);
	fs->name = sat_xstrdup(vfs_name);
	fs->rand = seed;
	fs->sqlite_rand = seed ^ 0x5851f42d4c957f2dull;
	fs->sector = 512;
	fs->traits = SQLITE_IOCAP_POWERSAFE_OVERWRITE;
	fs->wall_ms = 1790000000000; /* 2026-09-21 */
	simfs_vfs_fill(fs);
	if (sqlite3_vfs_register(&fs->vfs, 0) != SQLITE_OK)
		abort();
	return fs;
}

void
simfs_free(simfs *fs)
{
	sim_file *f;

	if (fs == NULL)
		return;
	(void)sqlite3_vfs_unregister(&fs->vfs);
	for (f = fs->files; f != NULL; f = f->next) {
		assert(f->handles == 0);
		f->linked = f->ghost = false;
	}
	drop_unused(fs);
	free(fs->name);
	free(fs);
}

void
simfs_make_default(simfs *fs)
{
	if (sqlite3_vfs_register(&fs->vfs, 1) != SQLITE_OK)
		abort();
	sqlite3_randomness(0, NULL); /* draws a new seed on next use */
}

const char *
simfs_name(const simfs *fs)
{
	return fs->name;
}

void
simfs_fail(
    simfs *fs, simfs_op op, simfs_how how, uint64_t nth, bool persistent)
{
	assert(op < SIMFS_OPS && (nth > 0 || how == SIMFS_NEVER));
	fs->plans[op] = (sim_plan){ how, nth, persistent };
}

void
simfs_quota(simfs *fs, uint64_t bytes)
{
	fs->quota = bytes;
}

void
simfs_sector(simfs *fs, unsigned bytes)
{
	assert(bytes == 512 || bytes == 4096);
	fs->sector = bytes;
}

void
simfs_garbage(simfs *fs, unsigned per_mille)
{
	fs->garbage = per_mille;
}

void
simfs_powersafe(simfs *fs, bool yes)
{
	fs->traits = yes ? SQLITE_IOCAP_POWERSAFE_OVERWRITE : 0;
}

void
simfs_clock(simfs *fs, int64_t wall_ms)
{
	fs->wall_ms = wall_ms;
}
