/*
 * unit.h - what every unit test includes: cmocka and our own assertions.
 */
#ifndef SAT_TESTS_UNIT_H
#define SAT_TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/err.h"

#define assert_rc(want, got) assert_int_equal((int)(want), (int)(got))
/* For calls that take `&err`: prints the text when they fail. */
#define assert_ok(call)                                                       \
	do {                                                                  \
		sat_rc rc_ = (call);                                          \
		if (rc_ != SAT_OK)                                            \
			fail_msg("%s: rc %d: %s", #call, (int)rc_, err.text); \
	} while (0)

/* A seeded generator for property tests (splitmix64). SAT_SEED overrides the
 * seed; sat_test_seed prints it. */
uint64_t sat_test_seed(uint64_t dflt);
uint64_t sat_test_rand(uint64_t *state);
/* A fresh directory under $TMPDIR; removed by sat_test_rmdir. */
char *sat_test_dir(void);
void sat_test_rmdir(char *dir);

#endif
