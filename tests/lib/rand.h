/*
 * rand.h - numbers from a seed (splitmix64): every test and simulator draws
 * them here, so that a printed seed gives the same run again.
 */
#ifndef SAT_TESTS_RAND_H
#define SAT_TESTS_RAND_H

#include <stdint.h>

uint64_t sat_test_rand(uint64_t *state);

#endif
