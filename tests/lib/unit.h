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
#include "tests/lib/rand.h"

#define assert_rc(want, got) assert_int_equal((int)(want), (int)(got))
/* For calls that take `&err`: prints the text when they fail. */
#define assert_ok(call)                                                       \
	do {                                                                  \
		sat_rc rc_ = (call);                                          \
		if (rc_ != SAT_OK)                                            \
			fail_msg("%s: rc %d: %s", #call, (int)rc_, err.text); \
	} while (0)

/* The seed of a property test, printed; SAT_SEED overrides it. */
uint64_t sat_test_seed(uint64_t dflt);
/* A fresh directory under $TMPDIR; removed by sat_test_rmdir. */
char *sat_test_dir(void);
void sat_test_rmdir(char *dir);
/* One for a test or a group: setup and teardown. */
extern char *sat_test_here;
int sat_test_dir_setup(void **state);
int sat_test_dir_teardown(void **state);
/* A path in it, good until 64 more were asked for. */
const char *sat_test_at(const char *name);
/* Descriptors this process has. */
unsigned sat_test_fds(void);
void sat_test_save(const char *path, const void *p, size_t n);

#endif
