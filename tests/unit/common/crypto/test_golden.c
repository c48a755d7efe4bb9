/* The golden vectors of the keyring file and of the channel. */
#include "tests/lib/unit.h"

#include <inttypes.h>

#include "common/crypto/keyring_int.h"
#include "common/crypto/noise.h"
#include "tests/lib/golden.h"

static sat_rc
say_keyring(sat_buf *out, const golden_word *w, size_t n, sat_err *e)
{
	sat_buf again = { 0 };
	sat_ring r;
	sat_rc rc;

	assert_int_equal(2, n);
	assert_int_equal(SAT_KEY_BYTES, w[1].bytes.n);
	if ((rc = sat_ring_read(&r, w[0].bytes, e)) != SAT_OK)
		return rc;
	if (!sat_ring_mac_ok(&r, w[0].bytes, w[1].bytes.p))
		return sat_fail(e, SAT_EINTEGRITY, "mac");
	sat_ring_write(&again, &r, w[1].bytes.p); /* K1 */
	assert_true(sat_span_eq(w[0].bytes, sat_buf_span(&again)));
	sat_buf_fini(&again);
	sat_buf_fmt(out, "{\"generation\":\"%" PRIu64 "\",\"files\":[",
	    r.generation);
	for (unsigned i = 0; i < r.nfiles; i++)
		sat_buf_fmt(out, "%s\"%s\"", i == 0 ? "" : ",", r.files[i].name);
	sat_buf_str(out, "],\"slots\":[");
	for (unsigned i = 0; i < r.nslots; i++)
		sat_buf_fmt(out, "%s%u", i == 0 ? "" : ",", r.slots[i].type);
	sat_buf_str(out, "]}");
	return SAT_OK;
}

static void
take_keys(sat_noise_keys *k, const golden_word *w)
{
	assert_int_equal(sizeof k->sk, w->bytes.n);
	memcpy(k->sk, w->bytes.p, sizeof k->sk);
	sat_box_keys(k->pk, k->sk);
}

static sat_rc
server_reads(sat_buf *out, const golden_word *w, sat_err *e)
{
	static const uint8_t eph[32] = { 9 };
	sat_buf payload = { 0 };
	sat_noise_keys keys;
	sat_noise x;
	sat_rc rc;

	take_keys(&keys, &w[1]);
	sat_noise_init(&x, false, &keys, NULL, eph, w[2].bytes);
	rc = sat_noise_read1(&x, &payload, w[3].bytes, e);
	if (rc == SAT_OK) {
		sat_buf_str(out, "{\"device\":\"");
		golden_hex(out, sat_span_of(x.rs, 32));
		sat_buf_str(out, "\",\"payload\":\"");
		golden_hex(out, sat_buf_span(&payload));
		sat_buf_str(out, "\"}");
	}
	sat_noise_fini(&x);
	sat_buf_fini(&payload);
	return rc;
}

/* Message 2, and what follows it. */
static sat_rc
device_reads(sat_buf *out, const golden_word *w, size_t n, sat_err *e)
{
	sat_buf drop = { 0 }, got = { 0 };
	sat_noise_keys keys;
	sat_noise x;
	sat_rc rc;

	take_keys(&keys, &w[1]);
	assert_true(w[2].bytes.n == 32 && w[3].bytes.n == 32);
	sat_noise_init(&x, true, &keys, w[3].bytes.p, w[2].bytes.p, w[4].bytes);
	assert_rc(SAT_OK, sat_noise_write1(&x, &drop, (sat_span){ NULL, 0 },
	    e));
	rc = sat_noise_read2(&x, &got, w[5].bytes, e);
	if (rc == SAT_OK && n == 6) {
		sat_buf_str(out, "{\"hash\":\"");
		golden_hex(out, sat_span_of(x.h, 32));
		sat_buf_str(out, "\"}");
	}
	for (size_t i = 6; i < n && rc == SAT_OK; i++) {
		sat_buf_reset(&got);
		rc = sat_noise_unseal(&x, &got, w[i].bytes, e);
		sat_buf_str(out, i == 6 ? "[" : ",");
		golden_text(out, sat_buf_span(&got));
	}
	if (n > 6)
		sat_buf_str(out, "]");
	/* what follows a bad message is not opened either */
	if (n > 7 && rc != SAT_OK)
		assert_rc(SAT_EPROTO, sat_noise_unseal(&x, &got, w[7].bytes,
		    e));
	sat_noise_fini(&x);
	sat_buf_fini(&drop);
	sat_buf_fini(&got);
	return rc;
}

static sat_rc
say_noise(sat_buf *out, const golden_word *w, size_t n, sat_err *e)
{
	if (strcmp(w[0].text, "server") == 0) {
		assert_int_equal(4, n);
		return server_reads(out, w, e);
	}
	assert_true(n >= 6);
	return device_reads(out, w, n, e);
}

static void
keyrings_are_read_as_written_down(void **state)
{
	(void)state;
	golden_replay("keyring", 38, say_keyring);
}

static void
handshakes_end_as_written_down(void **state) /* P-110 to P-119 */
{
	(void)state;
	golden_replay("noise", 34, say_noise);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keyrings_are_read_as_written_down),
		cmocka_unit_test(handshakes_end_as_written_down),
	};

	sat_crypto_init();
	golden_filling(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
