#include "tests/lib/unit.h"

#include "common/crypto/keyring_int.h"
#include "tests/unit/common/crypto/ring.h"

/* The cheapest price the format allows; the default is tried once. */
#define CHEAP { 1, (uint64_t)8 << 20 }

const sat_secret_in words = { SAT_SLOT_PASSPHRASE,
	{ (const uint8_t *)"four words make this", 20 }, CHEAP };

const sat_secret_in wrong = { SAT_SLOT_PASSPHRASE,
	{ (const uint8_t *)"four words make that", 20 }, CHEAP };

static const uint8_t key_bytes[32] = { 1, 2, 3 };

const sat_secret_in key_file = { SAT_SLOT_KEYFILE,
	{ key_bytes, 32 }, { 0, 0 } };

char path[300], previous[310], temp[310], lock_path[310];

int
setup(void **state)
{
	(void)sat_test_dir_setup(state);
	(void)snprintf(path, sizeof(path), "%s", sat_test_at("a.keyring"));
	(void)snprintf(previous, sizeof(previous), "%s.1", path);
	(void)snprintf(temp, sizeof(temp), "%s.tmp", path);
	(void)snprintf(lock_path, sizeof(lock_path), "%s.lock", path);
	return 0;
}

void
slurp(sat_buf *out, const char *name)
{
	sat_err err = { 0 };

	sat_buf_reset(out);
	assert_ok(sat_store_read(out, name, &err));
}

void
spill(const char *name, sat_span bytes)
{
	sat_test_save(name, bytes.p, bytes.n);
}

sat_rc
try_open(const sat_secret_in *secret)
{
	sat_keyring *k = NULL;
	sat_err err = { 0 };
	sat_rc rc = sat_keyring_open(&k, path, secret, &err);

	assert_true((rc == SAT_OK) == (k != NULL));
	if (rc != SAT_OK)
		assert_true(err.text[0] != '\0');
	sat_keyring_close(k);
	return rc;
}

sat_keyring *
created(const sat_secret_in *secret)
{
	sat_keyring *k = NULL;
	sat_err err = { 0 };

	assert_ok(sat_keyring_create(&k, path, secret, &err));
	return k;
}

sat_keyring *
opened(const sat_secret_in *secret)
{
	sat_keyring *k = NULL;
	sat_err err = { 0 };

	assert_ok(sat_keyring_open(&k, path, secret, &err));
	return k;
}
