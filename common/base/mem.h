/*
 * mem.h - memory of sizes we chose, and arenas for decoded messages.
 */
#ifndef SAT_BASE_MEM_H
#define SAT_BASE_MEM_H

#include "common/base/err.h"

/* For sizes we chose. Out of memory stops the program with a log line. */
void *sat_xmalloc(size_t n) __attribute__((malloc, returns_nonnull));
void *sat_xcalloc(size_t n, size_t size) __attribute__((returns_nonnull));
void *sat_xrealloc(void *p, size_t n) __attribute__((returns_nonnull));
char *sat_xstrdup(const char *s) __attribute__((returns_nonnull));
/* printf into a fresh string; the caller frees. */
char *sat_xasprintf(const char *fmt, ...) SAT_PRINTF(1, 2);

/*
 * An arena: many small allocations, freed together. Zero-initialised is
 * empty and valid. Not thread-safe.
 */
typedef struct sat_arena {
	struct sat_arena_block *head;
} sat_arena;

/* 16-byte aligned, never NULL (stops the program like sat_xmalloc). */
void *sat_arena_alloc(sat_arena *a, size_t n) __attribute__((returns_nonnull));
void *sat_arena_dup(sat_arena *a, const void *p, size_t n);
/* Copy n bytes and add a NUL. */
char *sat_arena_str(sat_arena *a, const void *p, size_t n);
/* The memory it has taken, in bytes. */
size_t sat_arena_bytes(const sat_arena *a);
/* Forget all allocations, keep the last block for reuse. */
void sat_arena_reset(sat_arena *a);
/* Free everything; the arena is then empty and valid. */
void sat_arena_fini(sat_arena *a);

#endif
