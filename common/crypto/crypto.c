#include "common/crypto/crypto.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "common/base/log.h"
#include "common/base/mem.h"

/*
 * Nothing here but the narrow part of libsodium that the house uses, with
 * spans instead of pointer pairs. A primitive that reports failure for any
 * reason but a forged input is our own mistake: assert.
 */

_Static_assert(SAT_HASH_BYTES == crypto_generichash_BYTES, "hash");
_Static_assert(SAT_BOX_SEAL_BYTES == crypto_box_SEALBYTES, "sealed box");
_Static_assert(sizeof(crypto_generichash_state) <= sizeof(sat_hasher),
    "hasher holds the library's state");
_Static_assert(_Alignof(crypto_generichash_state) <= _Alignof(sat_hasher),
    "hasher is aligned like the library's state");
_Static_assert(SAT_SIGN_PK_BYTES == crypto_sign_PUBLICKEYBYTES, "sign pk");
_Static_assert(SAT_SIGN_SK_BYTES == crypto_sign_SECRETKEYBYTES, "sign sk");
_Static_assert(SAT_SIG_BYTES == crypto_sign_BYTES, "signature");
_Static_assert(SAT_BOX_PK_BYTES == crypto_scalarmult_BYTES, "box pk");
_Static_assert(SAT_BOX_SK_BYTES == crypto_scalarmult_SCALARBYTES, "box sk");
_Static_assert(SAT_XAEAD_NONCE_BYTES ==
    crypto_aead_xchacha20poly1305_ietf_NPUBBYTES, "nonce");
_Static_assert(SAT_AEAD_TAG_BYTES ==
    crypto_aead_xchacha20poly1305_ietf_ABYTES, "tag");
_Static_assert(SAT_AEAD_TAG_BYTES ==
    crypto_aead_chacha20poly1305_ietf_ABYTES, "tag");

#define KDF_OPS_MAX 10
#define KDF_MEM_MIN ((uint64_t)8 << 20)
#define KDF_MEM_MAX ((uint64_t)1 << 30)

/* A library that wants a readable address even for zero bytes gets one. */
static const uint8_t nothing[1];

static const uint8_t *
bytes_of(sat_span s)
{
	return s.n == 0 ? nothing : s.p;
}

/* ---- start, randomness, memory ------------------------------------------ */

void
sat_crypto_init(void)
{
	const struct rlimit none = { 0, 0 };

	if (sodium_init() < 0) {
		sat_log(SAT_ERROR, "CRYPTO-INIT", "no randomness");
		abort();
	}
	/* Best effort: a core file would hold keys and customers' pages. */
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	(void)setrlimit(RLIMIT_CORE, &none);
}

static void
os_bytes(void *u, void *out, size_t n)
{
	(void)u;
	randombytes_buf(out, n);
}

sat_rand
sat_rand_os(void)
{
	return (sat_rand){ os_bytes, NULL };
}

void
sat_random(void *out, size_t n)
{
	randombytes_buf(out, n);
}

bool
sat_mem_eq(const void *a, const void *b, size_t n)
{
	return n == 0 || sodium_memcmp(a, b, n) == 0;
}

void
sat_wipe(void *p, size_t n)
{
	if (n > 0)
		sodium_memzero(p, n);
}

void *
sat_secret_new(size_t n)
{
	/*
	 * The library puts the bytes right before a guard page, so the address
	 * is only as aligned as the size: round up, a struct must fit.
	 */
	size_t rounded = n > 0 ? (n + 63) & ~(size_t)63 : 64;
	void *p = sodium_malloc(rounded);

	if (p == NULL) {
		sat_log(SAT_ERROR, "CRYPTO-MEM", "bytes=%zu", n);
		abort();
	}
	memset(p, 0, rounded);
	return p;
}

void
sat_secret_free(void *p)
{
	sodium_free(p); /* wipes; NULL is fine */
}

/* ---- hashes --------------------------------------------------------------- */

void
sat_hash(uint8_t out[SAT_HASH_BYTES], sat_span msg)
{
	sat_hash_keyed(out, (sat_span){ NULL, 0 }, msg);
}

void
sat_hash_keyed(uint8_t out[SAT_HASH_BYTES], sat_span key, sat_span msg)
{
	int rc;

	assert(key.n == 0 || (key.n >= 16 && key.n <= 64));
	rc = crypto_generichash(out, SAT_HASH_BYTES, bytes_of(msg), msg.n,
	    key.n > 0 ? key.p : NULL, key.n);
	assert(rc == 0);
	(void)rc;
}

void
sat_hasher_init(sat_hasher *h, sat_span key)
{
	int rc;

	assert(key.n == 0 || (key.n >= 16 && key.n <= 64));
	rc = crypto_generichash_init((crypto_generichash_state *)(void *)h,
	    key.n > 0 ? key.p : NULL, key.n, SAT_HASH_BYTES);
	assert(rc == 0);
	(void)rc;
}

void
sat_hasher_add(sat_hasher *h, sat_span part)
{
	int rc = crypto_generichash_update((crypto_generichash_state *)(void *)h,
	    bytes_of(part), part.n);

	assert(rc == 0);
	(void)rc;
}

void
sat_hasher_done(sat_hasher *h, uint8_t out[SAT_HASH_BYTES])
{
	int rc = crypto_generichash_final((crypto_generichash_state *)(void *)h,
	    out, SAT_HASH_BYTES);

	assert(rc == 0); /* a second done is our mistake */
	(void)rc;
	sodium_memzero(h, sizeof(*h)); /* it knew the key */
}

void
sat_sha256(uint8_t out[32], sat_span msg)
{
	(void)crypto_hash_sha256(out, bytes_of(msg), msg.n);
}

void
sat_sha512(uint8_t out[64], sat_span msg)
{
	(void)crypto_hash_sha512(out, bytes_of(msg), msg.n);
}

void
sat_hmac_sha256(uint8_t out[32], sat_span key, sat_span msg)
{
	crypto_auth_hmacsha256_state st;

	(void)crypto_auth_hmacsha256_init(&st, bytes_of(key), key.n);
	(void)crypto_auth_hmacsha256_update(&st, bytes_of(msg), msg.n);
	(void)crypto_auth_hmacsha256_final(&st, out);
	sodium_memzero(&st, sizeof(st));
}

void
sat_base64_add(sat_buf *out, sat_span in)
{
	size_t n = sodium_base64_encoded_len(in.n,
	    sodium_base64_VARIANT_ORIGINAL); /* with the final NUL */

	(void)sodium_bin2base64((char *)sat_buf_room(out, n), n, bytes_of(in),
	    in.n, sodium_base64_VARIANT_ORIGINAL);
	out->n += n - 1;
}

uint64_t
sat_siphash24(const uint8_t key[16], sat_span msg)
{
	uint8_t out[8];
	uint64_t v = 0;
	unsigned i;

	(void)crypto_shorthash_siphash24(out, bytes_of(msg), msg.n, key);
	for (i = 0; i < 8; i++) /* little endian, as SipHash defines it */
		v |= (uint64_t)out[i] << (8 * i);
	return v;
}

void
sat_siphashx24(uint8_t out[16], const uint8_t key[16], sat_span msg)
{
	(void)crypto_shorthash_siphashx24(out, bytes_of(msg), msg.n, key);
}

void
sat_prf16(uint8_t out[16], const uint8_t key[16], const uint8_t in[16])
{
	static const char constants[] = "expand 16-byte k";
	uint8_t k[crypto_core_hchacha20_KEYBYTES];
	uint8_t all[crypto_core_hchacha20_OUTPUTBYTES];

	memcpy(k, key, 16);
	memcpy(k + 16, key, 16);
	(void)crypto_core_hchacha20(all, in, k,
	    (const unsigned char *)constants);
	memcpy(out, all, 16);
}

/* ---- sealing ---------------------------------------------------------------- */

void
sat_xaead_seal_detached(uint8_t *out, uint8_t tag[SAT_AEAD_TAG_BYTES],
    sat_span msg, sat_span ad, const uint8_t nonce[SAT_XAEAD_NONCE_BYTES],
    const uint8_t key[SAT_KEY_BYTES])
{
	(void)crypto_aead_xchacha20poly1305_ietf_encrypt_detached(out, tag,
	    NULL, bytes_of(msg), msg.n, bytes_of(ad), ad.n, NULL, nonce, key);
}

bool
sat_xaead_check_detached(sat_span cipher,
    const uint8_t tag[SAT_AEAD_TAG_BYTES], sat_span ad,
    const uint8_t nonce[SAT_XAEAD_NONCE_BYTES],
    const uint8_t key[SAT_KEY_BYTES])
{
	/* without a place for the message libsodium checks the tag alone */
	return crypto_aead_xchacha20poly1305_ietf_decrypt_detached(NULL, NULL,
	    bytes_of(cipher), cipher.n, tag, bytes_of(ad), ad.n, nonce,
	    key) == 0;
}

bool
sat_xaead_open_detached(uint8_t *out, sat_span cipher,
    const uint8_t tag[SAT_AEAD_TAG_BYTES], sat_span ad,
    const uint8_t nonce[SAT_XAEAD_NONCE_BYTES],
    const uint8_t key[SAT_KEY_BYTES])
{
	return crypto_aead_xchacha20poly1305_ietf_decrypt_detached(out, NULL,
	    bytes_of(cipher), cipher.n, tag, bytes_of(ad), ad.n, nonce,
	    key) == 0;
}

void
sat_xaead_seal(uint8_t *out, sat_span msg, sat_span ad,
    const uint8_t nonce[SAT_XAEAD_NONCE_BYTES],
    const uint8_t key[SAT_KEY_BYTES])
{
	sat_xaead_seal_detached(out, out + msg.n, msg, ad, nonce, key);
}

bool
sat_xaead_open(uint8_t *out, sat_span sealed, sat_span ad,
    const uint8_t nonce[SAT_XAEAD_NONCE_BYTES],
    const uint8_t key[SAT_KEY_BYTES])
{
	size_t n;

	if (sealed.n < SAT_AEAD_TAG_BYTES)
		return false;
	n = sealed.n - SAT_AEAD_TAG_BYTES;
	return sat_xaead_open_detached(out, sat_span_of(sealed.p, n),
	    sealed.p + n, ad, nonce, key);
}

/* Noise, ChaChaPoly: 32 zero bits, then the counter in little endian. */
static void
counter_nonce(uint8_t nonce[12], uint64_t counter)
{
	unsigned i;

	memset(nonce, 0, 4);
	for (i = 0; i < 8; i++)
		nonce[4 + i] = (uint8_t)(counter >> (8 * i));
}

void
sat_aead_seal(uint8_t *out, sat_span msg, sat_span ad, uint64_t counter,
    const uint8_t key[SAT_KEY_BYTES])
{
	uint8_t nonce[12];

	counter_nonce(nonce, counter);
	(void)crypto_aead_chacha20poly1305_ietf_encrypt(out, NULL,
	    bytes_of(msg), msg.n, bytes_of(ad), ad.n, NULL, nonce, key);
}

bool
sat_aead_open(uint8_t *out, sat_span sealed, sat_span ad, uint64_t counter,
    const uint8_t key[SAT_KEY_BYTES])
{
	uint8_t nonce[12];

	if (sealed.n < SAT_AEAD_TAG_BYTES)
		return false;
	counter_nonce(nonce, counter);
	return crypto_aead_chacha20poly1305_ietf_decrypt(out, NULL, NULL,
	    sealed.p, sealed.n, bytes_of(ad), ad.n, nonce, key) == 0;
}

/* ---- keys of people and devices ---------------------------------------------- */

void
sat_sign_keys(uint8_t pk[SAT_SIGN_PK_BYTES], uint8_t sk[SAT_SIGN_SK_BYTES],
    const uint8_t seed[32])
{
	(void)crypto_sign_seed_keypair(pk, sk, seed);
}

void
sat_sign(uint8_t sig[SAT_SIG_BYTES], sat_span msg,
    const uint8_t sk[SAT_SIGN_SK_BYTES])
{
	(void)crypto_sign_detached(sig, NULL, bytes_of(msg), msg.n, sk);
}

bool
sat_sign_ok(const uint8_t sig[SAT_SIG_BYTES], sat_span msg,
    const uint8_t pk[SAT_SIGN_PK_BYTES])
{
	return crypto_sign_verify_detached(sig, bytes_of(msg), msg.n, pk) == 0;
}

void
sat_box_keys(uint8_t pk[SAT_BOX_PK_BYTES], const uint8_t sk[SAT_BOX_SK_BYTES])
{
	(void)crypto_scalarmult_base(pk, sk);
}

bool
sat_dh(uint8_t out[32], const uint8_t sk[SAT_BOX_SK_BYTES],
    const uint8_t pk[SAT_BOX_PK_BYTES])
{
	return crypto_scalarmult(out, sk, pk) == 0;
}

bool
sat_box_seal(sat_buf *out, sat_span msg, const uint8_t pk[SAT_BOX_PK_BYTES])
{
	uint8_t *to = sat_buf_room(out, msg.n + SAT_BOX_SEAL_BYTES);

	if (crypto_box_seal(to, bytes_of(msg), msg.n, pk) != 0)
		return false;
	out->n += msg.n + SAT_BOX_SEAL_BYTES;
	return true;
}

bool
sat_box_open(sat_buf *out, sat_span box, const uint8_t sk[SAT_BOX_SK_BYTES])
{
	uint8_t pk[SAT_BOX_PK_BYTES], *to;

	if (box.n < SAT_BOX_SEAL_BYTES)
		return false;
	sat_box_keys(pk, sk);
	to = sat_buf_room(out, box.n - SAT_BOX_SEAL_BYTES + 1);
	if (crypto_box_seal_open(to, box.p, box.n, pk, sk) != 0)
		return false;
	out->n += box.n - SAT_BOX_SEAL_BYTES;
	return true;
}

sat_rc
sat_kdf_passphrase(uint8_t out[SAT_KEY_BYTES], sat_span passphrase,
    const uint8_t salt[16], uint32_t ops, uint64_t mem_bytes, sat_err *e)
{
	/* The numbers may come from a doctored file: look before allocating. */
	if (ops < 1 || ops > KDF_OPS_MAX)
		return sat_fail(e, SAT_EINVALID,
		    "argon2id ops %u is not in 1..%d", ops, KDF_OPS_MAX);
	if (mem_bytes < KDF_MEM_MIN || mem_bytes > KDF_MEM_MAX)
		return sat_fail(e, SAT_EINVALID,
		    "argon2id memory is not in 8 MiB..1 GiB");
	if (crypto_pwhash(out, SAT_KEY_BYTES,
	    (const char *)bytes_of(passphrase), passphrase.n, salt, ops,
	    (size_t)mem_bytes, crypto_pwhash_ALG_ARGON2ID13) != 0)
		return sat_fail(e, SAT_ENOMEM, "argon2id needs %llu MiB",
		    (unsigned long long)(mem_bytes >> 20));
	return SAT_OK;
}
