/*
 * random.h - ids, values and operations at random, from one printed seed.
 */
#ifndef SAT_TESTS_PROTOCOL_RANDOM_H
#define SAT_TESTS_PROTOCOL_RANDOM_H

#include "tests/lib/unit.h"

#include "protocol/commit.h"

#define NOON ((int64_t)1795262400000)

extern uint64_t seed;

uint64_t rnd(uint64_t n);
sat_id random_id(int64_t ms, uint32_t dev);
sat_value random_value(sat_arena *a, sat_op_kind k);

/*
 * A kind at random. @return true when the operation is whole with it: one
 * without a field, or one of the system.
 */
bool random_kind(sat_op *op, sat_arena *a);

#endif
