/*
 * simfs_look.c - a test's own hands on the disk: looking at files, changing
 * them without a trace in what a crash may undo.
 */
#include "tests/lib/simfs_int.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"

bool
simfs_exists(const simfs *fs, const char *name)
{
	return simfs_find(fs, name) != NULL;
}

const uint8_t *
simfs_bytes(size_t *n, const simfs *fs, const char *name)
{
	const sim_file *f = simfs_find(fs, name);

	*n = f != NULL ? f->now.n : 0;
	return f == NULL ? NULL : f->now.p != NULL ? f->now.p :
	    (const uint8_t *)"";
}

const uint8_t *
simfs_durable(size_t *n, const simfs *fs, const char *name)
{
	const sim_file *f = simfs_find(fs, name);

	*n = f != NULL ? f->durable.n : 0;
	return f == NULL ? NULL : f->durable.p != NULL ? f->durable.p :
	    (const uint8_t *)"";
}

void
simfs_remove(simfs *fs, const char *name)
{
	sim_file *f = simfs_find(fs, name);

	fs->counts.touched++;
	if (f != NULL)
		simfs_unlink(fs, f, true);
}

void
simfs_put(simfs *fs, const char *name, const void *bytes, size_t n)
{
	sim_file *f = simfs_find(fs, name);

	assert(f == NULL || f->handles == 0);
	fs->counts.touched++;
	simfs_remove(fs, name);
	f = simfs_make(fs, name);
	simfs_image_set(&f->now, bytes, n);
	simfs_image_set(&f->durable, bytes, n);
	simfs_file_sync(fs, f);
}

void
simfs_poke(
    simfs *fs, const char *name, size_t at, const void *bytes, size_t n)
{
	sim_file *f = simfs_find(fs, name);

	assert(f != NULL && at + n <= f->now.n);
	fs->counts.touched++;
	simfs_file_write(f, at, bytes, n);
	simfs_file_sync(fs, f);
}

void
simfs_cut(simfs *fs, const char *name, size_t n)
{
	sim_file *f = simfs_find(fs, name);

	assert(f != NULL && n <= f->now.n);
	fs->counts.touched++;
	simfs_file_truncate(f, n);
	simfs_file_sync(fs, f);
}

void
simfs_copy(simfs *to, const char *to_name, const simfs *from,
    const char *from_name)
{
	size_t n;
	const uint8_t *p = simfs_bytes(&n, from, from_name);
	uint8_t *kept = sat_xmalloc(n);

	assert(p != NULL);
	memcpy(kept, p, n);
	simfs_put(to, to_name, kept, n);
	free(kept);
}

void
simfs_rename(simfs *fs, const char *from, const char *to)
{
	sim_file *f = simfs_find(fs, from);

	assert(f != NULL && strcmp(from, to) != 0);
	simfs_remove(fs, to);
	free(f->name);
	f->name = sat_xstrdup(to);
	f->entry_durable = true;
}

const char *
simfs_nth(const simfs *fs, size_t i)
{
	const sim_file *f;

	for (f = fs->files; f != NULL; f = f->next)
		if (f->linked && i-- == 0)
			return f->name;
	return NULL;
}

unsigned
simfs_handles(const simfs *fs)
{
	const sim_handle *h;
	const sim_file *f;
	unsigned n = 0;

	for (f = fs->files; f != NULL; f = f->next)
		for (h = f->open; h != NULL; h = h->next)
			n += h->power == fs->power;
	return n;
}

simfs_counts
simfs_counts_get(const simfs *fs)
{
	return fs->counts;
}
