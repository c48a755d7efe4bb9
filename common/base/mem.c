#include "common/base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * There is no way on from a failed allocation of a size we chose: the state
 * on disk is consistent at every moment, so stopping is the safe answer.
 */
static void
out_of_memory(size_t n)
{
	(void)fprintf(stderr, "fatal: MEM-OUT bytes=%zu\n", n);
	abort();
}

void *
sat_xmalloc(size_t n)
{
	void *p = malloc(n > 0 ? n : 1);

	if (p == NULL)
		out_of_memory(n);
	return p;
}

void *
sat_xcalloc(size_t n, size_t size)
{
	void *p = calloc(n > 0 ? n : 1, size > 0 ? size : 1);

	if (p == NULL)
		out_of_memory(n);
	return p;
}

void *
sat_xrealloc(void *old, size_t n)
{
	void *p = realloc(old, n > 0 ? n : 1);

	if (p == NULL)
		out_of_memory(n);
	return p;
}

char *
sat_xstrdup(const char *s)
{
	size_t n = strlen(s) + 1;

	return memcpy(sat_xmalloc(n), s, n);
}

char *
sat_xasprintf(const char *fmt, ...)
{
	va_list ap;
	char *s = NULL;

	va_start(ap, fmt);
	if (vasprintf(&s, fmt, ap) < 0)
		out_of_memory(0);
	va_end(ap);
	return s;
}

struct sat_arena_block {
	struct sat_arena_block *next;
	size_t used, size;
	size_t older;        /* bytes of the blocks behind it */
	_Alignas(16) unsigned char data[];
};

#define ARENA_BLOCK 4096

size_t
sat_arena_bytes(const sat_arena *a)
{
	return a->head == NULL ? 0 : a->head->older + a->head->size;
}

void *
sat_arena_alloc(sat_arena *a, size_t n)
{
	struct sat_arena_block *b = a->head;
	size_t need = (n + 15) & ~(size_t)15, size;
	void *p;

	if (b == NULL || b->size - b->used < need) {
		size = b == NULL ? ARENA_BLOCK : b->size * 2;
		if (size > (1u << 20))
			size = 1u << 20;
		if (size < need)
			size = need;
		b = sat_xmalloc(sizeof *b + size);
		b->used = 0;
		b->size = size;
		b->older = sat_arena_bytes(a);
		b->next = a->head;
		a->head = b;
	}
	p = b->data + b->used;
	b->used += need;
	return p;
}

void *
sat_arena_dup(sat_arena *a, const void *p, size_t n)
{
	void *d = sat_arena_alloc(a, n);

	if (n > 0)
		memcpy(d, p, n);
	return d;
}

char *
sat_arena_str(sat_arena *a, const void *p, size_t n)
{
	char *d = sat_arena_alloc(a, n + 1);

	if (n > 0)
		memcpy(d, p, n);
	d[n] = '\0';
	return d;
}

void
sat_arena_reset(sat_arena *a)
{
	struct sat_arena_block *b = a->head, *next;

	if (b == NULL)
		return;
	for (next = b->next; next != NULL; next = b->next) {
		b->next = next->next;
		free(next);
	}
	b->used = b->older = 0;
}

void
sat_arena_fini(sat_arena *a)
{
	struct sat_arena_block *b = a->head, *next;

	for (; b != NULL; b = next) {
		next = b->next;
		free(b);
	}
	a->head = NULL;
}
