/*
 * keyring_int.h - inside the crypto room: a keyring as a value, and its file.
 *
 * ring_*: bytes <-> value, pure (keyring_form.c). store_*: the file system
 * (keyring_store.c). Secrets and slots: keyring.c. Nothing in sat_ring is
 * secret: the master key is in it only wrapped.
 */
#ifndef SAT_CRYPTO_KEYRING_INT_H
#define SAT_CRYPTO_KEYRING_INT_H

#include "common/crypto/keyring.h"

#define SAT_RING_NAME_MAX 64
#define SAT_RING_PARAMS_MAX 32
#define SAT_RING_WRAP_MAX 104
#define SAT_RING_PAGE_BYTES 4096
#define SAT_RING_SUITE 1 /* XChaCha20-Poly1305-IETF pages */
#define SAT_RING_ID_BYTES 16

/* What Argon2id may cost; the same caps as sat_kdf_passphrase. */
#define SAT_RING_OPS_MAX 10
#define SAT_RING_MEM_MIN ((uint64_t)8 << 20)
#define SAT_RING_MEM_MAX ((uint64_t)1 << 30)

typedef struct sat_ring_file {
	char name[SAT_RING_NAME_MAX + 1]; /* base name */
	uint8_t id[SAT_FILE_ID_BYTES];
	uint32_t page_bytes;
	uint8_t suite;
} sat_ring_file;

typedef struct sat_ring_slot {
	uint8_t type; /* sat_slot_type */
	uint8_t nparams, nwrap;
	uint8_t params[SAT_RING_PARAMS_MAX]; /* salt and cost, or public key */
	uint8_t wrap[SAT_RING_WRAP_MAX];     /* the wrapped master key */
} sat_ring_slot;

typedef struct sat_ring {
	uint8_t id[SAT_RING_ID_BYTES];
	uint64_t generation; /* of the file; +1 with every rewrite */
	unsigned nfiles, nslots;
	sat_ring_file files[SAT_KEYRING_FILES_MAX];
	sat_ring_slot slots[SAT_KEYRING_SLOTS_MAX];
} sat_ring;

struct sat_keyring { /* lives in sat_secret memory */
	uint8_t mk[SAT_KEY_BYTES];
	sat_ring ring;
	char *path; /* NULL: in memory only */
	int lock_fd; /* -1: none */
};

/* The whole file: value, MAC keyed from mk, checksum. */
void sat_ring_write(sat_buf *out, const sat_ring *r,
    const uint8_t mk[SAT_KEY_BYTES]);
/*
 * Structure and checksum of a whole file; the MAC is left for the caller.
 * @return SAT_EINTEGRITY torn or malformed, SAT_EVERSION unknown version.
 */
SAT_CHECK sat_rc sat_ring_read(sat_ring *r, sat_span file, sat_err *e);
/* Is the MAC inside `file` (which sat_ring_read accepted) made with mk? */
SAT_CHECK bool sat_ring_mac_ok(const sat_ring *r, sat_span file,
    const uint8_t mk[SAT_KEY_BYTES]);

/* BLAKE2b-256(key = mk, label | context). */
void sat_ring_subkey(uint8_t out[SAT_KEY_BYTES],
    const uint8_t mk[SAT_KEY_BYTES], const char *label, sat_span context);

/* Is there a keyring (or its previous file) at path? */
bool sat_store_exists(const char *path);
/* Takes "<path>.lock". SAT_EBUSY when another holder has it. */
SAT_CHECK sat_rc sat_store_lock(int *fd, const char *path, sat_err *e);
/* Reads path whole. SAT_ENOTFOUND, SAT_EINTEGRITY (too long), SAT_EIO. */
SAT_CHECK sat_rc sat_store_read(sat_buf *out, const char *path, sat_err *e);
/*
 * Replaces path by these bytes, all or nothing, durable on SAT_OK. With
 * keep_previous the old file stays as "<path>.1". SAT_EFSYNC: the new file
 * is in place, but may not survive a power cut.
 */
SAT_CHECK sat_rc sat_store_write(const char *path, sat_span bytes,
    bool keep_previous, sat_err *e);
/* "<path>.1" is no longer needed. */
void sat_store_drop_previous(const char *path);
char *sat_store_previous(const char *path); /* the name; caller frees */

#endif
