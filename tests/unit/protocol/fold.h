/*
 * fold.h - a record of thing.h, its history, and moves played upon it.
 */
#ifndef SAT_TESTS_PROTOCOL_FOLD_H
#define SAT_TESTS_PROTOCOL_FOLD_H

#include "tests/lib/unit.h"

#include "protocol/record.h"

/* ---- a record and its history -------------------------------------------- */

typedef struct world {
	sat_arena a;
	sat_record r;
	sat_displaced *past;
	size_t npast, cap;
	sat_applied last;
} world;

#define BORN 1000

sat_outcome give(world *w, sat_op_kind kind, uint16_t field, sat_value v,
    sat_hlc hlc, uint32_t dev, uint64_t lsn, uint64_t seen);
sat_value txt(const char *s);

/* Born at LSN 1 by device 1. */
world fresh(void);

void done(world *w);
void assert_is(const world *w, uint16_t field, const char *want);
size_t candidates(world *w, uint16_t field, sat_candidate **out);
size_t ncandidates(world *w, uint16_t field);
bool kept_somewhere(world *w, uint16_t field, sat_value v);

/* ---- each policy, as a table --------------------------------------------- */

typedef struct move {
	sat_op_kind kind;
	const char *text; /* NULL: n */
	int64_t n;
	sat_hlc hlc;
	uint32_t dev;
	uint64_t seen;
	sat_outcome want;
	const char *value; /* after it; NULL: not checked */
	int past;          /* how many values went into the history */
	int conflict;      /* 1 opened, -1 closed */
} move;

void play(uint16_t field, const move *m, size_t n);

#define PLAY(field, moves) play(field, moves, sizeof(moves) / sizeof *(moves))

sat_outcome resolve(world *w, uint16_t field, const char *v, sat_hlc hlc,
    uint32_t dev, uint64_t lsn, uint64_t seen, const sat_dot *dots, size_t n);

#endif
