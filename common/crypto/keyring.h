/*
 * keyring.h - the file that turns a secret into the master key.
 *
 * "<name>.keyring" (0600, < 4 KiB): magic, version, keyring id, generation, a
 * file table {base name, file id, page size, suite}, slots, then a MAC keyed
 * from the master key over everything before it, then a checksum without a
 * key that tells a torn file from a wrong secret. A slot wraps the one random
 * 32-byte master key under a key made from a secret. Bytes and reasons:
 * docs/encryption.md, "Keys and keyring".
 * Updates: write temp, fsync, rename, fsync directory; the previous file stays
 * as "<name>.keyring.1" until the next successful open, and is used when the
 * file itself is torn or gone.
 *
 * Thread: one owner (sat_keyring_subkey, _seal and _unseal only read: any
 * thread while nobody writes). An open keyring holds flock(LOCK_EX) on
 * "<name>.keyring.lock" for its lifetime: one process per replica. That file
 * is never replaced and never removed. Whoever wipes a replica removes the
 * keyring, ".1" and ".tmp".
 */
#ifndef SAT_CRYPTO_KEYRING_H
#define SAT_CRYPTO_KEYRING_H

#include "common/crypto/crypto.h"

#define SAT_KEYRING_MAX_BYTES 4096
#define SAT_KEYRING_SLOTS_MAX 8
#define SAT_KEYRING_FILES_MAX 8
#define SAT_FILE_ID_BYTES 16

typedef enum sat_slot_type {
	SAT_SLOT_PASSPHRASE = 1, /* Argon2id */
	SAT_SLOT_KEYFILE = 2,    /* 32 random bytes in a 0400/0600 file */
	/* crypto_box_seal to the organisation's key: the secret is the 32-byte
	 * X25519 public key to write the slot, the private key to open it. */
	SAT_SLOT_RECOVERY = 3,
} sat_slot_type;

/* What Argon2id costs when a slot is written. Zero members = the default
 * (ops 3, 64 MiB). Tests use small ones. */
typedef struct sat_kdf_cost {
	uint32_t ops;
	uint64_t mem_bytes;
} sat_kdf_cost;

typedef struct sat_secret_in {
	sat_slot_type type;
	sat_span bytes; /* passphrase (>= 8 bytes to create), or key file content */
	sat_kdf_cost cost;
} sat_secret_in;

typedef struct sat_keyring sat_keyring;

/*
 * Create path and lock it. Fails with SAT_ECONFLICT when it exists.
 * A passphrase shorter than 8 bytes is SAT_EINVALID.
 */
SAT_CHECK sat_rc sat_keyring_create(sat_keyring **k, const char *path,
    const sat_secret_in *secret, sat_err *e);
/*
 * Open path with a secret.
 * @return SAT_ENOREPLICA no such file; SAT_EBUSY another process holds it;
 *         SAT_ELOCKED the secret opens no slot; SAT_EINTEGRITY the file was
 *         altered; SAT_EVERSION unknown version.
 */
SAT_CHECK sat_rc sat_keyring_open(sat_keyring **k, const char *path,
    const sat_secret_in *secret, sat_err *e);
/* An in-memory keyring with a random (or given) master key: tests, the
 * simulator. Never written. */
sat_keyring *sat_keyring_memory(const uint8_t mk[SAT_KEY_BYTES]);
/* Wipes the keys and lets go of the lock. NULL is fine. */
void sat_keyring_close(sat_keyring *k);

/*
 * Replace the slots of secret->type by this one (passwd). On failure the
 * keyring stays as it was, but for SAT_EFSYNC: the new file is in place and
 * may not survive a power cut.
 */
SAT_CHECK sat_rc sat_keyring_set_slot(
    sat_keyring *k, const sat_secret_in *secret, sat_err *e);

/*
 * Nothing opens it any more: the file, its previous one and a temporary one are
 * overwritten, synced and unlinked, and their folder is synced. The caller holds
 * it, or nobody does. Done again it does no harm. SAT_EIO, SAT_EFSYNC: a slot may
 * still be there.
 */
SAT_CHECK sat_rc sat_keyring_destroy(const char *path, sat_err *e);

/* What is no secret about it. */
typedef struct sat_keyring_facts {
	uint8_t id[SAT_FILE_ID_BYTES]; /* for life */
	uint64_t generation;           /* of the file */
	bool passphrase, keyfile, recovery; /* what opens it */
	uint8_t recovery_pk[SAT_KEY_BYTES]; /* when recovery */
} sat_keyring_facts;
void sat_keyring_look(sat_keyring_facts *f, const sat_keyring *k);

/* The file id of a database file by base name; adds a new one (and rewrites
 * the keyring) when `create`. SAT_ENOTFOUND otherwise. An id is "SEF1", the
 * suite, 11 random bytes: the first 16 bytes of the file it names. */
SAT_CHECK sat_rc sat_keyring_file_id(uint8_t id[SAT_FILE_ID_BYTES],
    sat_keyring *k, const char *base_name, bool create, sat_err *e);

/* A subkey: BLAKE2b-256(key = master key, label | context). Nothing stands
 * between the two, so no label may begin with another one: end it in " v1". */
void sat_keyring_subkey(uint8_t out[SAT_KEY_BYTES], const sat_keyring *k,
    const char *label, sat_span context);

/* Seal/open small secrets under the master key (identity file). out of seal:
 * nonce | ciphertext | tag. Both append; wipe what unseal gave before
 * sat_buf_fini. SAT_EINTEGRITY: altered, other label, other keyring. */
void sat_keyring_seal(sat_buf *out, const sat_keyring *k, const char *label,
    sat_span msg);
SAT_CHECK sat_rc sat_keyring_unseal(sat_buf *out, const sat_keyring *k,
    const char *label, sat_span sealed, sat_err *e);

/* Parse only (fuzz target): structure checks without a secret. */
SAT_CHECK sat_rc sat_keyring_parse(sat_span file, sat_err *e);

#endif
