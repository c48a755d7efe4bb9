/*
 * heap.c - the program's malloc: counts what is live and fails on demand.
 *
 * It stands before the C library's for every library in the process, so
 * SQLite, libgit2, cJSON and zstd run out of memory like our own code.
 */
#include "tests/sweep/sweep.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>

static uint64_t left;      /* calls until one fails; 0: none */
static bool persistent, fired;
static int64_t live;

void
heap_fail(uint64_t nth, bool all_later)
{
	left = nth;
	persistent = all_later;
	if (nth != 0)
		fired = false;
}

bool
heap_fired(void)
{
	return fired;
}

int64_t
heap_live(void)
{
	return live;
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
bool
heap_works(void)
{
	return false;
}
#else
bool
heap_works(void)
{
	return true;
}

extern void *__libc_malloc(size_t n);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *p, size_t n);
extern void *__libc_memalign(size_t align, size_t n);
extern void __libc_free(void *p);

static bool
fails(void)
{
	if (left == 0 || --left > 0)
		return false;
	fired = true;
	if (persistent)
		left = 1;
	errno = ENOMEM;
	return true;
}

static void *
counted(void *p)
{
	live += p != NULL;
	return p;
}

void *
malloc(size_t n)
{
	return fails() ? NULL : counted(__libc_malloc(n));
}

void *
calloc(size_t n, size_t size)
{
	return fails() ? NULL : counted(__libc_calloc(n, size));
}

void *
realloc(void *old, size_t n)
{
	void *p;

	if (n > 0 && fails())
		return NULL;
	p = __libc_realloc(old, n);
	if (old == NULL)
		return counted(p);
	live -= p == NULL && n == 0;
	return p;
}

void *
memalign(size_t align, size_t n)
{
	return fails() ? NULL : counted(__libc_memalign(align, n));
}

void *
aligned_alloc(size_t align, size_t n)
{
	return memalign(align, n);
}

int
posix_memalign(void **out, size_t align, size_t n)
{
	*out = memalign(align, n);
	return *out != NULL ? 0 : ENOMEM;
}

void
free(void *p)
{
	live -= p != NULL;
	__libc_free(p);
}
#endif
