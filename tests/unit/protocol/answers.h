/*
 * answers.h - what was read of a golden vector, as text.
 */
#ifndef SAT_TESTS_PROTOCOL_ANSWERS_H
#define SAT_TESTS_PROTOCOL_ANSWERS_H

#include "tests/lib/unit.h"

#include "common/base/mem.h"
#include "common/model/value.h"
#include "protocol/commit.h"
#include "tests/lib/golden.h"

extern sat_arena mem;

/* ---- answers ------------------------------------------------------------- */

void put_hex(sat_buf *out, const char *key, const void *p, size_t n);
void put_text(sat_buf *out, const char *key, sat_span s);
void put_u64(sat_buf *out, const char *key, uint64_t v);
void put_value(sat_buf *out, sat_value v);

/* What a header and a batch have in common. */
void put_commit(sat_buf *out, const sat_commit *c);

/* ---- messages ------------------------------------------------------------ */

sat_rc say_message(sat_buf *out, const golden_word *w, size_t n, sat_err *e);

#endif
