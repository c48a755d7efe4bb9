#include "tests/lib/unit.h"

#include <sys/prctl.h>
#include <sys/resource.h>

#include "common/crypto/crypto.h"

/* Vectors: RFC 7693 A (by way of b2sum), FIPS 180-4, RFC 4231, RFC 8032,
 * RFC 7748, draft-irtf-cfrg-xchacha, the SipHash paper. */

static void
hex_is(const char *want, const void *got, size_t n)
{
	char hex[513];

	assert_true(n <= 256);
	sat_hex(hex, got, n);
	assert_string_equal(want, hex);
}

static void
from_hex(uint8_t *out, size_t n, const char *hex)
{
	assert_true(sat_unhex(out, n, hex, strlen(hex)));
}

static void
hashes_are_the_published_ones(void **state)
{
	uint8_t out[64], key[20];

	(void)state;
	sat_hash(out, sat_span_str("abc"));
	hex_is("bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319",
	    out, 32);
	sat_hash(out, (sat_span){ NULL, 0 });
	hex_is("0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8",
	    out, 32);
	sat_sha256(out, sat_span_str("abc"));
	hex_is("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
	    out, 32);
	sat_sha512(out, sat_span_str("abc"));
	hex_is("ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
	    "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
	    out, 64);
	memset(key, 0x0b, sizeof(key));
	sat_hmac_sha256(out, sat_span_of(key, sizeof(key)),
	    sat_span_str("Hi There"));
	hex_is("b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
	    out, 32);
}

static void
a_hash_in_pieces_is_the_hash_of_the_whole(void **state)
{
	uint8_t msg[300], key[32], one[32], two[32];
	sat_hasher h;
	size_t cut;

	(void)state;
	sat_random(msg, sizeof(msg));
	sat_random(key, sizeof(key));
	for (cut = 0; cut <= sizeof(msg); cut += 37) {
		sat_hash_keyed(one, sat_span_of(key, 32),
		    sat_span_of(msg, sizeof(msg)));
		sat_hasher_init(&h, sat_span_of(key, 32));
		sat_hasher_add(&h, sat_span_of(msg, cut));
		sat_hasher_add(&h, (sat_span){ NULL, 0 });
		sat_hasher_add(&h, sat_span_of(msg + cut, sizeof(msg) - cut));
		sat_hasher_done(&h, two);
		assert_memory_equal(one, two, 32);
	}
	sat_hash(two, sat_span_of(msg, sizeof(msg)));
	assert_memory_not_equal(one, two, 32);
}

static void
base64_is_that_of_rfc_4648(void **state)
{
	static const char *const vectors[][2] = { { "", "" }, { "f", "Zg==" },
		{ "fo", "Zm8=" }, { "foo", "Zm9v" }, { "foob", "Zm9vYg==" },
		{ "fooba", "Zm9vYmE=" }, { "foobar", "Zm9vYmFy" },
		{ "\xfb\xff\xbf", "+/+/" } };
	sat_buf b = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
		sat_buf_reset(&b);
		sat_buf_str(&b, "> ");
		sat_base64_add(&b, sat_span_str(vectors[i][0]));
		assert_memory_equal("> ", b.p, 2);
		assert_string_equal(vectors[i][1], sat_buf_cstr(&b) + 2);
	}
	sat_buf_fini(&b);
}

static void
siphash_is_the_one_of_the_paper(void **state)
{
	uint8_t key[16], msg[15], out[16];
	unsigned i;

	(void)state;
	for (i = 0; i < 16; i++)
		key[i] = (uint8_t)i;
	for (i = 0; i < 15; i++)
		msg[i] = (uint8_t)i;
	assert_true(sat_siphash24(key, sat_span_of(msg, 15)) ==
	    0xa129ca6149be45e5u);
	sat_siphashx24(out, key, (sat_span){ NULL, 0 });
	hex_is("a3817f04ba25a8e66df67214c7550293", out, 16);
}

/* From a second implementation (tests/golden/make_wire.py), which gives the
 * vector of the draft under its constants and key. */
static void
prf16_is_hchacha20_under_a_short_key(void **state)
{
	uint8_t key[16], in[16], out[16];

	(void)state;
	for (unsigned i = 0; i < 16; i++) {
		key[i] = (uint8_t)i;
		in[i] = (uint8_t)(100 + i);
	}
	sat_prf16(out, key, in);
	hex_is("2fbeca41b4de71d70d0669a43c335622", out, 16);
}

static void
xaead_gives_the_bytes_of_the_draft(void **state)
{
	static const char text[] =
	    "Ladies and Gentlemen of the class of '99: If I could offer you "
	    "only one tip for the future, sunscreen would be it.";
	const size_t n = sizeof(text) - 1;
	uint8_t key[32], nonce[24], ad[12], out[200], back[200];
	unsigned i;

	(void)state;
	for (i = 0; i < 32; i++)
		key[i] = (uint8_t)(0x80 + i);
	for (i = 0; i < 24; i++)
		nonce[i] = (uint8_t)(0x40 + i);
	from_hex(ad, 12, "50515253c0c1c2c3c4c5c6c7");
	sat_xaead_seal(out, sat_span_of(text, n), sat_span_of(ad, 12), nonce,
	    key);
	hex_is("bd6d179d3e83d43b9576579493c0e939", out, 16);
	hex_is("c0875924c1c7987947deafd8780acf49", out + n, 16);
	assert_true(sat_xaead_open(back, sat_span_of(out, n + 16),
	    sat_span_of(ad, 12), nonce, key));
	assert_memory_equal(text, back, n);
}

/* Any bit of key, nonce, associated data, text or tag counts. */
static void
a_sealed_message_with_one_bit_changed_does_not_open(void **state)
{
	uint8_t key[32], nonce[24], ad[9], msg[33], box[49], back[49];
	struct {
		uint8_t *p;
		size_t n;
	} part[] = { { key, 32 }, { nonce, 24 }, { ad, 9 }, { box, 49 } };
	unsigned i;
	size_t at;

	(void)state;
	sat_random(key, 32);
	sat_random(nonce, 24);
	sat_random(ad, 9);
	sat_random(msg, 33);
	sat_xaead_seal(box, sat_span_of(msg, 33), sat_span_of(ad, 9), nonce,
	    key);
	for (i = 0; i < 4; i++)
		for (at = 0; at < part[i].n; at++) {
			part[i].p[at] ^= (uint8_t)(1u << (at % 8));
			assert_false(sat_xaead_open(back, sat_span_of(box, 49),
			    sat_span_of(ad, 9), nonce, key));
			part[i].p[at] ^= (uint8_t)(1u << (at % 8));
		}
	for (at = 0; at < 49; at++)
		assert_false(sat_xaead_open(back, sat_span_of(box, at),
		    sat_span_of(ad, 9), nonce, key));
	assert_true(sat_xaead_open(back, sat_span_of(box, 49),
	    sat_span_of(ad, 9), nonce, key));
}

static void
a_page_is_sealed_and_opened_in_place(void **state)
{
	uint8_t key[32], nonce[24], page[4056], kept[4056], tag[16];
	const sat_span ad = { (const uint8_t *)"page 7", 6 };

	(void)state;
	sat_random(key, 32);
	sat_random(nonce, 24);
	sat_random(page, sizeof(page));
	memcpy(kept, page, sizeof(page));
	sat_xaead_seal_detached(page, tag, sat_span_of(page, sizeof(page)), ad,
	    nonce, key);
	assert_memory_not_equal(kept, page, sizeof(page));
	assert_true(sat_xaead_open_detached(page,
	    sat_span_of(page, sizeof(page)), tag, ad, nonce, key));
	assert_memory_equal(kept, page, sizeof(page));
}

static void
the_counter_of_aead_is_part_of_the_seal(void **state)
{
	uint8_t key[32] = { 1 }, box[19], other[19], back[19];

	(void)state;
	sat_aead_seal(box, sat_span_str("abc"), (sat_span){ NULL, 0 }, 256,
	    key);
	sat_aead_seal(other, sat_span_str("abc"), (sat_span){ NULL, 0 }, 1,
	    key);
	assert_memory_not_equal(box, other, 19);
	sat_aead_seal(other, sat_span_str("abc"), (sat_span){ NULL, 0 }, 0,
	    key);
	assert_memory_not_equal(box, other, 19);
	assert_false(sat_aead_open(back, sat_span_of(box, 19),
	    (sat_span){ NULL, 0 }, 257, key));
	assert_true(sat_aead_open(back, sat_span_of(box, 19),
	    (sat_span){ NULL, 0 }, 256, key));
	assert_memory_equal("abc", back, 3);
	assert_false(sat_aead_open(back, sat_span_of(box, 15),
	    (sat_span){ NULL, 0 }, 256, key));
}

static void
signatures_are_those_of_the_rfc_and_break_with_one_bit(void **state)
{
	uint8_t seed[32], pk[32], sk[64], sig[64], msg[1] = { 0x72 };
	unsigned i;

	(void)state;
	from_hex(seed, 32, "4ccd089b28ff96da9db6c346ec114e0f"
	    "5b8a319f35aba624da8cf6ed4fb8a6fb");
	sat_sign_keys(pk, sk, seed);
	hex_is("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
	    pk, 32);
	sat_sign(sig, sat_span_of(msg, 1), sk);
	hex_is("92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
	    "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
	    sig, 64);
	assert_true(sat_sign_ok(sig, sat_span_of(msg, 1), pk));
	for (i = 0; i < 64; i++) {
		sig[i] ^= 4;
		assert_false(sat_sign_ok(sig, sat_span_of(msg, 1), pk));
		sig[i] ^= 4;
	}
	msg[0] ^= 1;
	assert_false(sat_sign_ok(sig, sat_span_of(msg, 1), pk));
}

static void
two_ends_find_the_shared_secret_of_the_rfc(void **state)
{
	uint8_t a[32], b[32], pa[32], pb[32], one[32], two[32];
	uint8_t small[32] = { 1 };

	(void)state;
	from_hex(a, 32, "77076d0a7318a57d3c16c17251b26645"
	    "df4c2f87ebc0992ab177fba51db92c2a");
	from_hex(b, 32, "5dab087e624a8a4b79e17f8b83800ee6"
	    "6f3bb1292618b6fd1c2f8b27ff88e0eb");
	sat_box_keys(pa, a);
	sat_box_keys(pb, b);
	hex_is("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a",
	    pa, 32);
	hex_is("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f",
	    pb, 32);
	assert_true(sat_dh(one, a, pb));
	assert_true(sat_dh(two, b, pa));
	assert_memory_equal(one, two, 32);
	hex_is("4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742",
	    one, 32);
	assert_false(sat_dh(one, a, small)); /* order 4 */
	small[0] = 0;
	assert_false(sat_dh(one, a, small));
}

static void
argon2id_is_bounded_before_it_allocates(void **state)
{
	uint8_t out[32], other[32], salt[16] = { 1 };
	const sat_span pass = { (const uint8_t *)"correct horse", 13 };
	const uint64_t mib = (uint64_t)1 << 20;
	sat_err err = { 0 };

	(void)state;
	assert_rc(SAT_EINVALID,
	    sat_kdf_passphrase(out, pass, salt, 0, 8 * mib, &err));
	assert_rc(SAT_EINVALID,
	    sat_kdf_passphrase(out, pass, salt, 11, 8 * mib, &err));
	assert_rc(SAT_EINVALID,
	    sat_kdf_passphrase(out, pass, salt, 1, 8 * mib - 1, &err));
	assert_rc(SAT_EINVALID,
	    sat_kdf_passphrase(out, pass, salt, 1, 1024 * mib + 1, &err));
	assert_rc(SAT_EINVALID,
	    sat_kdf_passphrase(out, pass, salt, 1, UINT64_MAX, &err));
	assert_ok(sat_kdf_passphrase(out, pass, salt, 1, 8 * mib, &err));
	assert_ok(sat_kdf_passphrase(other, pass, salt, 1, 8 * mib, &err));
	assert_memory_equal(out, other, 32);
	salt[0] = 2;
	assert_ok(sat_kdf_passphrase(other, pass, salt, 1, 8 * mib, &err));
	assert_memory_not_equal(out, other, 32);
	assert_ok(sat_kdf_passphrase(out, (sat_span){ NULL, 0 }, salt, 1,
	    8 * mib, &err));
}

static void
secret_memory_starts_empty_and_fits_any_struct(void **state)
{
	size_t n;

	(void)state;
	for (n = 0; n < 130; n++) {
		uint8_t *p = sat_secret_new(n);
		size_t i;

		assert_int_equal(0, (uintptr_t)p % 16);
		for (i = 0; i < n; i++)
			assert_int_equal(0, p[i]);
		memset(p, 0xff, n);
		sat_secret_free(p);
	}
	sat_secret_free(NULL);
}

static void
comparing_and_wiping_do_what_they_say(void **state)
{
	uint8_t a[32], b[32];
	static const uint8_t zeros[32];

	(void)state;
	sat_random(a, 32);
	memcpy(b, a, 32);
	assert_true(sat_mem_eq(a, b, 32));
	b[31] ^= 1;
	assert_false(sat_mem_eq(a, b, 32));
	assert_true(sat_mem_eq(a, b, 31));
	assert_true(sat_mem_eq(NULL, NULL, 0));
	sat_wipe(a, 32);
	assert_memory_equal(zeros, a, 32);
}

static void
the_randomness_of_the_kernel_does_not_repeat(void **state)
{
	sat_rand r = sat_rand_os();
	uint8_t a[32], b[32];

	(void)state;
	r.bytes(r.u, a, 32);
	sat_random(b, 32);
	assert_memory_not_equal(a, b, 32);
}

static void
no_core_file_can_hold_the_keys(void **state)
{
	struct rlimit lim;

	(void)state;
	assert_int_equal(0, prctl(PR_GET_DUMPABLE, 0, 0, 0, 0));
	assert_int_equal(0, getrlimit(RLIMIT_CORE, &lim));
	assert_int_equal(0, lim.rlim_cur);
	assert_int_equal(0, lim.rlim_max);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hashes_are_the_published_ones),
		cmocka_unit_test(a_hash_in_pieces_is_the_hash_of_the_whole),
		cmocka_unit_test(base64_is_that_of_rfc_4648),
		cmocka_unit_test(siphash_is_the_one_of_the_paper),
		cmocka_unit_test(prf16_is_hchacha20_under_a_short_key),
		cmocka_unit_test(xaead_gives_the_bytes_of_the_draft),
		cmocka_unit_test(
		    a_sealed_message_with_one_bit_changed_does_not_open),
		cmocka_unit_test(a_page_is_sealed_and_opened_in_place),
		cmocka_unit_test(the_counter_of_aead_is_part_of_the_seal),
		cmocka_unit_test(
		    signatures_are_those_of_the_rfc_and_break_with_one_bit),
		cmocka_unit_test(two_ends_find_the_shared_secret_of_the_rfc),
		cmocka_unit_test(argon2id_is_bounded_before_it_allocates),
		cmocka_unit_test(
		    secret_memory_starts_empty_and_fits_any_struct),
		cmocka_unit_test(comparing_and_wiping_do_what_they_say),
		cmocka_unit_test(
		    the_randomness_of_the_kernel_does_not_repeat),
		cmocka_unit_test(no_core_file_can_hold_the_keys),
	};

	sat_crypto_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
