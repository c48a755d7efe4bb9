/*
 * git_mem.c - an object database in memory, as a backend of libgit2.
 *
 * Why not libgit2's own "mempack": in 1.5 it hands out objects without the NUL
 * behind them that the library's readers of commits and signatures count on,
 * so reading a signed commit reads past the end of the memory.
 */
#include "common/git/git_int.h"

#include "common/base/mem.h"

#include <stdlib.h>
#include <string.h>

#include <git2/sys/odb_backend.h>

typedef struct mem_object {
	git_oid oid;
	git_object_t type;
	size_t n;
	uint8_t data[];
} mem_object;

typedef struct mem_backend {
	git_odb_backend parent; /* first: libgit2 hands this back to us */
	mem_object **slots;     /* open addressing */
	size_t n, cap;
} mem_backend;

static mem_object **
find(mem_object **slots, size_t cap, const git_oid *oid)
{
	uint64_t h;
	size_t i;

	memcpy(&h, oid->id, sizeof h);
	for (i = (size_t)h & (cap - 1); slots[i] != NULL &&
	    !git_oid_equal(&slots[i]->oid, oid); i = (i + 1) & (cap - 1))
		;
	return &slots[i];
}

static mem_object *
lookup(git_odb_backend *backend, const git_oid *oid)
{
	mem_backend *b = (mem_backend *)backend;

	return *find(b->slots, b->cap, oid);
}

static int
mem_read(void **data, size_t *n, git_object_t *type, git_odb_backend *backend,
    const git_oid *oid)
{
	const mem_object *o = lookup(backend, oid);
	uint8_t *copy;

	if (o == NULL)
		return GIT_ENOTFOUND;
	copy = git_odb_backend_data_alloc(backend, o->n + 1);
	if (copy == NULL)
		return GIT_ERROR;
	memcpy(copy, o->data, o->n);
	copy[o->n] = 0;
	*data = copy;
	*n = o->n;
	*type = o->type;
	return 0;
}

static int
mem_read_header(size_t *n, git_object_t *type, git_odb_backend *backend,
    const git_oid *oid)
{
	const mem_object *o = lookup(backend, oid);

	if (o == NULL)
		return GIT_ENOTFOUND;
	*n = o->n;
	*type = o->type;
	return 0;
}

static int
mem_exists(git_odb_backend *backend, const git_oid *oid)
{
	return lookup(backend, oid) != NULL;
}

static void
grow(mem_backend *b)
{
	size_t cap = b->cap * 2;
	mem_object **slots = sat_xcalloc(cap, sizeof *slots);

	for (size_t i = 0; i < b->cap; i++)
		if (b->slots[i] != NULL)
			*find(slots, cap, &b->slots[i]->oid) = b->slots[i];
	free(b->slots);
	b->slots = slots;
	b->cap = cap;
}

static int
mem_write(git_odb_backend *backend, const git_oid *oid, const void *data,
    size_t n, git_object_t type)
{
	mem_backend *b = (mem_backend *)backend;
	mem_object *o;

	if (lookup(backend, oid) != NULL)
		return 0;
	if (b->n * 2 >= b->cap)
		grow(b);
	o = malloc(sizeof *o + n); /* the size came from outside */
	if (o == NULL)
		return GIT_ERROR;
	o->oid = *oid;
	o->type = type;
	o->n = n;
	memcpy(o->data, data, n);
	*find(b->slots, b->cap, oid) = o;
	b->n++;
	return 0;
}

static void
mem_free(git_odb_backend *backend)
{
	mem_backend *b = (mem_backend *)backend;

	for (size_t i = 0; i < b->cap; i++)
		free(b->slots[i]);
	free(b->slots);
	free(b);
}

git_odb_backend *
sat_git_mem_backend(void)
{
	mem_backend *b = sat_xcalloc(1, sizeof *b);

	(void)git_odb_init_backend(&b->parent, GIT_ODB_BACKEND_VERSION);
	b->parent.read = mem_read;
	b->parent.read_header = mem_read_header;
	b->parent.exists = mem_exists;
	b->parent.write = mem_write;
	b->parent.free = mem_free;
	b->cap = 256;
	b->slots = sat_xcalloc(b->cap, sizeof *b->slots);
	return &b->parent;
}
