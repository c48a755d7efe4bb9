/*
 * mem.h - memory of sizes we chose, and arenas for decoded messages.
 */
#ifndef SAT_BASE_MEM_H
#define SAT_BASE_MEM_H

#include "common/base/err.h"

#include <string.h>

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

/*
 * Room for one more element at the end of a list in an arena. When all of `cap`
 * are used the list moves to where twice as many and 16 find room; the caller
 * writes list[n++]. NULL, 0, 0 is an empty list. What is new is not zeroed.
 * The list's old places stay taken until the arena is reset: about as much
 * again as the list has.
 *
 * @param list  pointer to its elements; assigned
 * @param n     elements used
 * @param cap   elements there is room for; assigned
 * @param a     sat_arena *, the same all along
 *
 * All but `a` are evaluated more than once. Cannot fail: out of memory stops
 * the program (sat_arena_alloc), so a length that comes from outside is held
 * against its limit first.
 */
#define SAT_ARENA_GROW(list, n, cap, a)                                       \
	do {                                                                  \
		if ((n) == (cap)) {                                           \
			void *more_ = sat_arena_alloc((a),                    \
			    ((cap) * 2 + 16) * sizeof *(list));               \
			if ((n) > 0)                                          \
				memcpy(more_, (list), (n) * sizeof *(list));  \
			(list) = more_;                                       \
			(cap) = (cap) * 2 + 16;                               \
		}                                                             \
	} while (0)

#endif
