/*
 * golden.h - replays the vectors of tests/golden/NAME.txt.
 *
 * A test gives one `say` per file: it decodes the words of a vector and
 * either appends what it found to `out` or fails with `e` filled. Lines:
 * tests/golden/README.md.
 */
#ifndef SAT_TESTS_GOLDEN_H
#define SAT_TESTS_GOLDEN_H

#include "common/base/buf.h"

#define GOLDEN_WORDS 24

typedef struct golden_word {
	const char *text;
	sat_span bytes; /* {NULL,0} when it is no hex; exact allocation */
} golden_word;

typedef sat_rc golden_say(sat_buf *out, const golden_word *w, size_t n,
    sat_err *e);

/* One file. Fails the running test when a vector is answered otherwise than it
 * says, or when there are fewer than `least`. After golden_filling(argv)
 * writes the answers of vectors that have "?" instead. */
void golden_replay(const char *name, size_t least, golden_say *say);
void golden_filling(int argc, char **argv);

/* The word as a number; fails the test when it is none. */
uint64_t golden_u64(const golden_word *w);
int64_t golden_i64(const golden_word *w);
/* Appends. */
void golden_hex(sat_buf *out, sat_span b);
void golden_text(sat_buf *out, sat_span s); /* a JSON string */

#endif
