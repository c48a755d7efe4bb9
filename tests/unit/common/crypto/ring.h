/*
 * ring.h - a keyring in a directory of its own, made and opened cheaply.
 */
#ifndef SAT_TESTS_COMMON_CRYPTO_RING_H
#define SAT_TESTS_COMMON_CRYPTO_RING_H

#include "tests/lib/unit.h"

#include "common/crypto/keyring_int.h"

extern const sat_secret_in words;
extern const sat_secret_in wrong;
extern const sat_secret_in key_file;
extern char path[300], previous[310], temp[310], lock_path[310];

int setup(void **state);
void slurp(sat_buf *out, const char *name);
void spill(const char *name, sat_span bytes);
sat_rc try_open(const sat_secret_in *secret);
sat_keyring *created(const sat_secret_in *secret);
sat_keyring *opened(const sat_secret_in *secret);

#define T(f) cmocka_unit_test_setup_teardown(f, setup, sat_test_dir_teardown)

#endif
