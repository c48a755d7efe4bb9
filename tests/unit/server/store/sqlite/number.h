/*
 * number.h - devices of the server's tests that number their customers.
 */
#ifndef SAT_TESTS_SERVER_STORE_SQLITE_NUMBER_H
#define SAT_TESTS_SERVER_STORE_SQLITE_NUMBER_H

#include "tests/unit/server/store/sqlite/device.h"

#define MONTH "C202701" /* of the world's clock, 2027-01-15 in Shanghai */

/* Ask for a series, when `known` is the last number of it that the device
 * has. @return how many ranges came back; out has room for 8. */
size_t lease(device *d, const char *series, uint64_t known,
    sat_number_range *out);

/* A customer with this number waits to be pushed; flags: of its commit. */
sat_id numbered(device *d, const char *number, uint8_t flags);

/* What the device holds of the record. alias NULL: it never had another. */
void assert_number(device *d, const sat_id *id, const char *want,
    const char *alias);

#endif
