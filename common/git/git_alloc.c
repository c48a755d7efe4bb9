/*
 * git_alloc.c - libgit2's memory. When there is none it does not always say so:
 * git_repository_wrap_odb, for one, then looks into a table it could not make.
 * What is on disk is whole at every moment, so the process stops, as it does for
 * our own (common/base/mem.h). Only for what is large, whose size may come from
 * outside, there is an answer: SAT_ENOMEM.
 */
#include "common/git/git_int.h"

#include "common/base/mem.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <git2/sys/alloc.h>

#define LARGE ((size_t)1024 * 1024)

static void *
get(size_t n, const char *file, int line)
{
	(void)file;
	(void)line;
	return n < LARGE ? sat_xmalloc(n) : malloc(n);
}

static void *
resize(void *old, size_t n, const char *file, int line)
{
	(void)file;
	(void)line;
	return n < LARGE ? sat_xrealloc(old, n) : realloc(old, n);
}

static bool
times(size_t *out, size_t n, size_t size)
{
	return !__builtin_mul_overflow(n, size, out);
}

static void *
get_zeroed(size_t n, size_t size, const char *file, int line)
{
	size_t bytes;

	(void)file;
	(void)line;
	if (!times(&bytes, n, size))
		return NULL;
	return bytes < LARGE ? sat_xcalloc(n, size) : calloc(n, size);
}

static void *
get_array(size_t n, size_t size, const char *file, int line)
{
	size_t bytes;

	return times(&bytes, n, size) ? get(bytes, file, line) : NULL;
}

static void *
resize_array(void *old, size_t n, size_t size, const char *file, int line)
{
	size_t bytes;

	return times(&bytes, n, size) ? resize(old, bytes, file, line) : NULL;
}

static char *
copy_bytes(const char *s, size_t n, const char *file, int line)
{
	char *p = n < SIZE_MAX ? get(n + 1, file, line) : NULL;

	if (p != NULL) {
		memcpy(p, s, n);
		p[n] = '\0';
	}
	return p;
}

static char *
copy_text(const char *s, const char *file, int line)
{
	return copy_bytes(s, strlen(s), file, line);
}

static char *
copy_text_max(const char *s, size_t n, const char *file, int line)
{
	return copy_bytes(s, strnlen(s, n), file, line);
}

void
git_alloc_ready(void)
{
	static git_allocator ours = {
		.gmalloc = get, .gcalloc = get_zeroed, .gstrdup = copy_text,
		.gstrndup = copy_text_max, .gsubstrdup = copy_bytes,
		.grealloc = resize, .greallocarray = resize_array,
		.gmallocarray = get_array, .gfree = free,
	};

	(void)git_libgit2_opts(GIT_OPT_SET_ALLOCATOR, &ours);
}
