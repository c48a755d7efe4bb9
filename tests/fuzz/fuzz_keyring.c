/*
 * The parser of a keyring file. Two ways in: the bytes as they are, and the
 * same with a right checksum, else the first check would hide the rest. What
 * parses must come back byte for byte from the writer, but for the MAC (K1).
 */
#include <stdlib.h>
#include <string.h>

#include "common/crypto/keyring_int.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

#define TAIL 48 /* MAC 32, checksum 16 */

static void
one(sat_span file)
{
	static const uint8_t mk[SAT_KEY_BYTES];
	sat_buf again = { 0 };
	sat_err err = { 0 };
	sat_ring r;

	if (sat_keyring_parse(file, &err) != SAT_OK) {
		if (err.text[0] == '\0')
			abort();
		return;
	}
	if (sat_ring_read(&r, file, &err) != SAT_OK)
		abort();
	sat_ring_write(&again, &r, mk);
	if (again.n != file.n || memcmp(again.p, file.p, file.n - TAIL) != 0)
		abort();
	if (!sat_ring_mac_ok(&r, sat_buf_span(&again), mk))
		abort();
	sat_buf_fini(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static bool started;
	uint8_t sum[SAT_HASH_BYTES];
	uint8_t *copy;

	if (!started) {
		sat_crypto_init();
		started = true;
	}
	one(sat_span_of(p, n));
	if (n < 16 || n > SAT_KEYRING_MAX_BYTES + 16)
		return 0;
	copy = malloc(n); /* exact size: a byte too far is seen */
	if (copy == NULL)
		return 0;
	memcpy(copy, p, n);
	sat_hash(sum, sat_span_of(copy, n - 16));
	memcpy(copy + n - 16, sum, 16);
	one(sat_span_of(copy, n));
	free(copy);
	return 0;
}
