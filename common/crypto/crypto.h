/*
 * crypto.h - the only door to libsodium.
 *
 * Every size is a named constant. Secrets live in guarded, locked memory
 * (sat_secret_*) and are wiped when freed. All functions are thread-safe after
 * sat_crypto_init(). Formats: encryption design §5, docs/protocol.md P-1xx.
 */
#ifndef SAT_CRYPTO_CRYPTO_H
#define SAT_CRYPTO_CRYPTO_H

#include "common/base/buf.h"
#include "common/base/clock.h"

#define SAT_HASH_BYTES 32      /* BLAKE2b-256 */
#define SAT_KEY_BYTES 32       /* every symmetric key */
#define SAT_SIGN_PK_BYTES 32   /* Ed25519 */
#define SAT_SIGN_SK_BYTES 64
#define SAT_SIG_BYTES 64
#define SAT_BOX_PK_BYTES 32    /* X25519 */
#define SAT_BOX_SK_BYTES 32
#define SAT_XAEAD_NONCE_BYTES 24
#define SAT_AEAD_TAG_BYTES 16

/* Once at start, before any thread. Aborts when the machine has no randomness.
 * Also turns core dumps off (PR_SET_DUMPABLE 0, RLIMIT_CORE 0). */
void sat_crypto_init(void);

/* The kernel's randomness as an injected source; and straight. */
sat_rand sat_rand_os(void);
void sat_random(void *out, size_t n);

/* BLAKE2b-256, one shot or in pieces; key may be {NULL,0} or 16..64 bytes. */
void sat_hash(uint8_t out[SAT_HASH_BYTES], sat_span msg);
void sat_hash_keyed(uint8_t out[SAT_HASH_BYTES], sat_span key, sat_span msg);
typedef struct sat_hasher {
	_Alignas(64) uint8_t state[384];
} sat_hasher;
void sat_hasher_init(sat_hasher *h, sat_span key);
void sat_hasher_add(sat_hasher *h, sat_span part);
void sat_hasher_done(sat_hasher *h, uint8_t out[SAT_HASH_BYTES]);
/* SHA-256 and SHA-512 exist for Noise and for git's SSH signatures only. */
void sat_sha256(uint8_t out[32], sat_span msg);
void sat_sha512(uint8_t out[64], sat_span msg);
void sat_hmac_sha256(uint8_t out[32], sat_span key, sat_span msg);
/* Appends the text of RFC 4648 section 4, with "=", on one line. */
void sat_base64_add(sat_buf *out, sat_span in);
uint64_t sat_siphash24(const uint8_t key[16], sat_span msg);
void sat_siphashx24(uint8_t out[16], const uint8_t key[16], sat_span msg);
/* A pseudo-random function of 16 bytes: the first half of HChaCha20 under a
 * 128-bit key (the key twice, constants "expand 16-byte k"). */
void sat_prf16(uint8_t out[16], const uint8_t key[16], const uint8_t in[16]);

bool sat_mem_eq(const void *a, const void *b, size_t n); /* constant time */
void sat_wipe(void *p, size_t n);
/* Guarded, mlocked, excluded from dumps; zeroed on free. Never NULL. */
void *sat_secret_new(size_t n);
void sat_secret_free(void *p);

/* XChaCha20-Poly1305-IETF. out has msg.n + SAT_AEAD_TAG_BYTES bytes.
 * The detached form serves the page cipher (in place allowed). */
void sat_xaead_seal_detached(uint8_t *out, uint8_t tag[SAT_AEAD_TAG_BYTES],
    sat_span msg, sat_span ad, const uint8_t nonce[SAT_XAEAD_NONCE_BYTES],
    const uint8_t key[SAT_KEY_BYTES]);
SAT_CHECK bool sat_xaead_open_detached(uint8_t *out, sat_span cipher,
    const uint8_t tag[SAT_AEAD_TAG_BYTES], sat_span ad,
    const uint8_t nonce[SAT_XAEAD_NONCE_BYTES],
    const uint8_t key[SAT_KEY_BYTES]);
/* Would it open? */
SAT_CHECK bool sat_xaead_check_detached(sat_span cipher,
    const uint8_t tag[SAT_AEAD_TAG_BYTES], sat_span ad,
    const uint8_t nonce[SAT_XAEAD_NONCE_BYTES],
    const uint8_t key[SAT_KEY_BYTES]);
void sat_xaead_seal(uint8_t *out, sat_span msg, sat_span ad,
    const uint8_t nonce[SAT_XAEAD_NONCE_BYTES],
    const uint8_t key[SAT_KEY_BYTES]);
SAT_CHECK bool sat_xaead_open(uint8_t *out, sat_span sealed, sat_span ad,
    const uint8_t nonce[SAT_XAEAD_NONCE_BYTES],
    const uint8_t key[SAT_KEY_BYTES]);
/* ChaCha20-Poly1305-IETF with Noise's 64-bit counter nonce. */
void sat_aead_seal(uint8_t *out, sat_span msg, sat_span ad, uint64_t counter,
    const uint8_t key[SAT_KEY_BYTES]);
SAT_CHECK bool sat_aead_open(uint8_t *out, sat_span sealed, sat_span ad,
    uint64_t counter, const uint8_t key[SAT_KEY_BYTES]);

/* Ed25519. */
void sat_sign_keys(uint8_t pk[SAT_SIGN_PK_BYTES], uint8_t sk[SAT_SIGN_SK_BYTES],
    const uint8_t seed[32]);
void sat_sign(uint8_t sig[SAT_SIG_BYTES], sat_span msg,
    const uint8_t sk[SAT_SIGN_SK_BYTES]);
SAT_CHECK bool sat_sign_ok(const uint8_t sig[SAT_SIG_BYTES], sat_span msg,
    const uint8_t pk[SAT_SIGN_PK_BYTES]);
/* X25519. sat_dh fails (false) on small-order points. */
void sat_box_keys(uint8_t pk[SAT_BOX_PK_BYTES],
    const uint8_t sk[SAT_BOX_SK_BYTES]);
SAT_CHECK bool sat_dh(uint8_t out[32], const uint8_t sk[SAT_BOX_SK_BYTES],
    const uint8_t pk[SAT_BOX_PK_BYTES]);

/* Sealed to a public key by nobody in particular (crypto_box_seal): whoever
 * sealed it cannot open it. Appended to out; false: the key, or the box, is
 * none, and nothing was appended. */
#define SAT_BOX_SEAL_BYTES 48
SAT_CHECK bool sat_box_seal(sat_buf *out, sat_span msg,
    const uint8_t pk[SAT_BOX_PK_BYTES]);
SAT_CHECK bool sat_box_open(sat_buf *out, sat_span box,
    const uint8_t sk[SAT_BOX_SK_BYTES]);

/* Argon2id13 -> 32 bytes. ops 1..10, mem 8 MiB..1 GiB, else SAT_EINVALID. */
SAT_CHECK sat_rc sat_kdf_passphrase(uint8_t out[SAT_KEY_BYTES],
    sat_span passphrase, const uint8_t salt[16], uint32_t ops,
    uint64_t mem_bytes, sat_err *e);

#endif
