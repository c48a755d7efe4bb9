/*
 * bare.h - the store alone, without a server over it.
 */
#ifndef SAT_TESTS_SERVER_STORE_SQLITE_BARE_H
#define SAT_TESTS_SERVER_STORE_SQLITE_BARE_H

#include "tests/lib/unit.h"

#include "common/crypto/keyring.h"
#include "server/store/sqlite/store.h"
#include "server_store_sqlite_sql.h"

typedef struct fixture {
	char *dir, *path;
	sat_keyring *keyring;
	sat_sqlite_store *s;
	sat_store o;
	sat_arena a;
	int64_t now_ms;
} fixture;

void reopen(fixture *f);
int setup(void **state);
int teardown(void **state);

#endif
