#include "tests/lib/unit.h"

#include "common/crypto/keyring.h"
#include "server/store/sqlite/store.h"
#include "server_store_sqlite_sql.h"
#include "tests/unit/server/store/sqlite/bare.h"

static int64_t
now(void *u)
{
	return ((fixture *)u)->now_ms;
}

void
reopen(fixture *f)
{
	sat_sqlite_store_opts o = { .path = f->path, .create = true,
		.keyring = f->keyring, .clock = { now, now, f } };
	sat_err err = { 0 };

	sat_sqlite_store_close(f->s);
	f->s = NULL;
	assert_ok(sat_sqlite_store_open(&f->s, &o, &err));
	f->o = sat_sqlite_store_ops(f->s);
}

int
setup(void **state)
{
	fixture *f = sat_xcalloc(1, sizeof *f);
	uint8_t mk[32] = { 9 };

	sat_crypto_init();
	f->dir = sat_test_dir();
	f->path = sat_xasprintf("%s/server.db", f->dir);
	f->now_ms = 1000;
	f->keyring = sat_keyring_memory(mk); /* encrypted, as in earnest */
	reopen(f);
	*state = f;
	return 0;
}

int
teardown(void **state)
{
	fixture *f = *state;

	sat_sqlite_store_close(f->s);
	sat_keyring_close(f->keyring);
	sat_arena_fini(&f->a);
	sat_test_rmdir(f->dir);
	free(f->path);
	free(f);
	return 0;
}
