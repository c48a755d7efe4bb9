#include "common/crypto/keyring_int.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/base/mem.h"

/*
 * Slots, the file table, subkeys. The invariants of the file are in
 * keyring_form.c; those of an open keyring:
 *   K4  a keyring opens only if a slot unwraps *and* the MAC over the whole
 *       file is made with the key that came out.
 *   K5  the value in memory is what the file says: a rewrite that fails
 *       before its rename leaves both as they were.
 *   K6  what was derived from a secret is wiped on every way out.
 */

#define DEFAULT_OPS 3
#define DEFAULT_MEM ((uint64_t)64 << 20)
#define PASSPHRASE_MIN 8
#define PASSPHRASE_MAX 1024
#define SALT_BYTES 16
#define ESCROW_BYTES (SAT_KEY_BYTES + SAT_RING_ID_BYTES + 8)

_Static_assert(ESCROW_BYTES + crypto_box_SEALBYTES == SAT_RING_WRAP_MAX,
    "an escrow fits a slot");

/* ---- one slot ------------------------------------------------------------- */

/* What a wrapped key is bound to: this ring, this slot, this price. */
static void
slot_ad(sat_buf *out, const sat_ring *r, const sat_ring_slot *s)
{
	sat_buf_str(out, "satchel slot v1");
	sat_buf_add(out, r->id, sizeof(r->id));
	sat_write_u8(out, s->type);
	sat_buf_add(out, s->params, s->nparams);
}

/* The key-encryption key of a passphrase or key file slot. */
static sat_rc
slot_kek(uint8_t kek[SAT_KEY_BYTES], const sat_ring *r,
    const sat_ring_slot *s, sat_span secret, sat_err *e)
{
	sat_hasher h;
	sat_reader in = sat_reader_of(sat_span_of(s->params, s->nparams));
	sat_span salt = sat_read_raw(&in, SALT_BYTES);
	uint32_t ops;
	uint64_t mem;

	if (s->type == SAT_SLOT_PASSPHRASE) {
		ops = sat_read_be32(&in);
		mem = sat_read_be64(&in);
		return sat_kdf_passphrase(kek, secret, salt.p, ops, mem, e);
	}
	/* 32 random bytes need no stretching. */
	sat_hasher_init(&h, secret);
	sat_hasher_add(&h, sat_span_str("satchel keyfile v1"));
	sat_hasher_add(&h, sat_span_of(r->id, sizeof(r->id)));
	sat_hasher_add(&h, salt);
	sat_hasher_done(&h, kek);
	return SAT_OK;
}

static void
slot_wrap(sat_ring_slot *s, const sat_ring *r,
    const uint8_t mk[SAT_KEY_BYTES], const uint8_t kek[SAT_KEY_BYTES])
{
	sat_buf ad = { 0 };

	slot_ad(&ad, r, s);
	sat_random(s->wrap, SAT_XAEAD_NONCE_BYTES);
	sat_xaead_seal(s->wrap + SAT_XAEAD_NONCE_BYTES,
	    sat_span_of(mk, SAT_KEY_BYTES), sat_buf_span(&ad), s->wrap, kek);
	s->nwrap = SAT_XAEAD_NONCE_BYTES + SAT_KEY_BYTES + SAT_AEAD_TAG_BYTES;
	sat_buf_fini(&ad);
}

/* The organisation's slot: only the holder of the other half opens it. */
static void
slot_escrow(sat_ring_slot *s, const sat_ring *r,
    const uint8_t mk[SAT_KEY_BYTES], sat_span org_pk)
{
	uint8_t msg[ESCROW_BYTES];
	unsigned i;
	int rc;

	memcpy(s->params, org_pk.p, SAT_BOX_PK_BYTES);
	s->nparams = SAT_BOX_PK_BYTES;
	memcpy(msg, mk, SAT_KEY_BYTES);
	memcpy(msg + SAT_KEY_BYTES, r->id, SAT_RING_ID_BYTES);
	for (i = 0; i < 8; i++)
		msg[SAT_KEY_BYTES + SAT_RING_ID_BYTES + i] =
		    (uint8_t)(r->generation >> (56 - 8 * i));
	rc = crypto_box_seal(s->wrap, msg, sizeof(msg), s->params);
	assert(rc == 0); /* slot_make tried the key */
	(void)rc;
	s->nwrap = SAT_RING_WRAP_MAX;
	sat_wipe(msg, sizeof(msg));
}

/* A secret that may make a slot. */
static sat_rc
secret_fit(const sat_secret_in *secret, sat_err *e)
{
	switch (secret->type) {
	case SAT_SLOT_PASSPHRASE:
		if (secret->bytes.n < PASSPHRASE_MIN)
			return sat_fail_code(e, SAT_EINVALID,
			    "keyring.passphrase_short", "take four words",
			    "passphrase has fewer than %d bytes",
			    PASSPHRASE_MIN);
		if (secret->bytes.n > PASSPHRASE_MAX)
			return sat_fail(e, SAT_EINVALID,
			    "passphrase has more than %d bytes",
			    PASSPHRASE_MAX);
		return SAT_OK;
	case SAT_SLOT_KEYFILE:
		if (secret->bytes.n != SAT_KEY_BYTES)
			return sat_fail(e, SAT_EINVALID,
			    "key file does not hold %d bytes", SAT_KEY_BYTES);
		return SAT_OK;
	case SAT_SLOT_RECOVERY:
		if (secret->bytes.n != SAT_BOX_PK_BYTES)
			return sat_fail(e, SAT_EINVALID,
			    "recovery key does not have %d bytes",
			    SAT_BOX_PK_BYTES);
		return SAT_OK;
	}
	return sat_fail(e, SAT_EINVALID, "unknown type of secret %d",
	    (int)secret->type);
}

static sat_rc
slot_make(sat_ring_slot *s, const sat_ring *r,
    const uint8_t mk[SAT_KEY_BYTES], const sat_secret_in *secret, sat_err *e)
{
	sat_buf params = { 0 };
	uint8_t salt[SALT_BYTES], kek[SAT_KEY_BYTES], one[32] = { 1 };
	sat_rc rc;

	memset(s, 0, sizeof(*s));
	s->type = (uint8_t)secret->type;
	if ((rc = secret_fit(secret, e)) != SAT_OK)
		return rc;
	if (secret->type == SAT_SLOT_RECOVERY) {
		if (!sat_dh(kek, one, secret->bytes.p))
			return sat_fail(e, SAT_EINVALID,
			    "recovery key is not a public key");
		slot_escrow(s, r, mk, secret->bytes);
		return SAT_OK;
	}
	sat_random(salt, sizeof(salt));
	sat_buf_add(&params, salt, sizeof(salt));
	if (secret->type == SAT_SLOT_PASSPHRASE) {
		sat_write_be32(&params,
		    secret->cost.ops != 0 ? secret->cost.ops : DEFAULT_OPS);
		sat_write_be64(&params, secret->cost.mem_bytes != 0 ?
		    secret->cost.mem_bytes : DEFAULT_MEM);
	}
	memcpy(s->params, params.p, params.n);
	s->nparams = (uint8_t)params.n;
	sat_buf_fini(&params);
	if ((rc = slot_kek(kek, r, s, secret->bytes, e)) == SAT_OK)
		slot_wrap(s, r, mk, kek);
	sat_wipe(kek, sizeof(kek)); /* K6 */
	return rc;
}

static bool
slot_open_escrow(uint8_t mk[SAT_KEY_BYTES], const sat_ring *r,
    const sat_ring_slot *s, sat_span sk)
{
	uint8_t pk[SAT_BOX_PK_BYTES], msg[ESCROW_BYTES];
	bool ok;

	if (sk.n != SAT_BOX_SK_BYTES)
		return false;
	sat_box_keys(pk, sk.p);
	ok = sat_mem_eq(pk, s->params, sizeof(pk)) &&
	    crypto_box_seal_open(msg, s->wrap, s->nwrap, pk, sk.p) == 0 &&
	    sat_mem_eq(msg + SAT_KEY_BYTES, r->id, SAT_RING_ID_BYTES);
	if (ok)
		memcpy(mk, msg, SAT_KEY_BYTES);
	sat_wipe(msg, sizeof(msg));
	return ok;
}

/* SAT_ELOCKED when this secret is not the slot's. */
static sat_rc
slot_open(uint8_t mk[SAT_KEY_BYTES], const sat_ring *r,
    const sat_ring_slot *s, sat_span secret, sat_err *e)
{
	uint8_t kek[SAT_KEY_BYTES];
	sat_buf ad = { 0 };
	bool ok = false;
	sat_rc rc;

	if (s->type == SAT_SLOT_RECOVERY) {
		ok = slot_open_escrow(mk, r, s, secret);
		goto out;
	}
	if (secret.n > PASSPHRASE_MAX ||
	    (s->type == SAT_SLOT_KEYFILE && secret.n != SAT_KEY_BYTES))
		goto out;
	if ((rc = slot_kek(kek, r, s, secret, e)) != SAT_OK)
		return rc;
	slot_ad(&ad, r, s);
	ok = sat_xaead_open(mk,
	    sat_span_of(s->wrap + SAT_XAEAD_NONCE_BYTES,
	    s->nwrap - (size_t)SAT_XAEAD_NONCE_BYTES), sat_buf_span(&ad),
	    s->wrap, kek);
	sat_wipe(kek, sizeof(kek)); /* K6 */
out:
	sat_buf_fini(&ad);
	if (!ok)
		return sat_fail_code(e, SAT_ELOCKED, "keyring.locked", NULL,
		    "secret does not open this replica");
	return SAT_OK;
}

/* Puts a slot in the place of the one of its type, or at the end. */
static void
slot_put(sat_ring *r, const sat_ring_slot *s)
{
	unsigned i;

	for (i = 0; i < r->nslots && r->slots[i].type != s->type; i++)
		;
	assert(i < SAT_KEYRING_SLOTS_MAX); /* three types, eight places */
	r->slots[i] = *s;
	if (i == r->nslots)
		r->nslots++;
}

/* ---- the ring in its file --------------------------------------------------- */

static sat_keyring *
keyring_alloc(const char *path)
{
	sat_keyring *k = sat_secret_new(sizeof(*k));

	k->lock_fd = -1;
	k->path = path != NULL ? sat_xstrdup(path) : NULL;
	return k;
}

/* Makes `next` the ring of k, on disk first (K5). */
static sat_rc
keyring_become(sat_keyring *k, const sat_ring *next, bool keep_previous,
    sat_err *e)
{
	sat_buf file = { 0 };
	sat_rc rc = SAT_OK;

	if (k->path != NULL) {
		sat_ring_write(&file, next, k->mk);
		rc = sat_store_write(k->path, sat_buf_span(&file),
		    keep_previous, e);
		sat_buf_fini(&file);
	}
	if (rc == SAT_OK || rc == SAT_EFSYNC)
		k->ring = *next;
	return rc;
}

/* Unlocks the bytes of one file into k (K4). */
static sat_rc
keyring_unlock(sat_keyring *k, sat_span file, const sat_secret_in *secret,
    sat_err *e)
{
	unsigned i;
	sat_rc rc;

	if ((rc = sat_ring_read(&k->ring, file, e)) != SAT_OK)
		return rc;
	for (i = 0; i < k->ring.nslots; i++)
		if (k->ring.slots[i].type == (uint8_t)secret->type)
			break;
	if (i == k->ring.nslots)
		return sat_fail_code(e, SAT_ELOCKED, "keyring.locked", NULL,
		    "replica has no slot for this kind of secret");
	if ((rc = slot_open(k->mk, &k->ring, &k->ring.slots[i],
	    secret->bytes, e)) != SAT_OK)
		return rc;
	if (!sat_ring_mac_ok(&k->ring, file, k->mk)) {
		sat_wipe(k->mk, sizeof(k->mk));
		return sat_fail(e, SAT_EINTEGRITY, "keyring was altered: mac");
	}
	return SAT_OK;
}

static sat_rc
keyring_load(sat_keyring *k, const char *path, const sat_secret_in *secret,
    sat_err *e)
{
	sat_buf file = { 0 };
	sat_rc rc;

	rc = sat_store_read(&file, path, e);
	if (rc == SAT_OK)
		rc = keyring_unlock(k, sat_buf_span(&file), secret, e);
	sat_buf_fini(&file);
	return rc;
}

/*
 * The file is torn or gone: the previous one may open. If it does, it takes
 * the place of the bad one at once, and stays itself until the next opening.
 */
static sat_rc
keyring_load_previous(sat_keyring *k, const sat_secret_in *secret, sat_rc why,
    sat_err *e)
{
	char *previous = sat_store_previous(k->path);
	sat_err local = { 0 };
	sat_ring next;
	sat_rc rc;

	rc = keyring_load(k, previous, secret, &local);
	free(previous);
	if (rc == SAT_ELOCKED) { /* sound, but not with this secret */
		if (e != NULL)
			*e = local;
		return rc;
	}
	if (rc != SAT_OK)
		return why; /* e still tells what is wrong with the file */
	sat_log(SAT_WARN, "KEYRING-PREVIOUS", "generation=%llu",
	    (unsigned long long)k->ring.generation);
	next = k->ring;
	next.generation++;
	return keyring_become(k, &next, false, e);
}

/* ---- the contract -------------------------------------------------------------- */

sat_keyring *
sat_keyring_memory(const uint8_t mk[SAT_KEY_BYTES])
{
	sat_keyring *k = keyring_alloc(NULL);

	if (mk != NULL)
		memcpy(k->mk, mk, SAT_KEY_BYTES);
	else
		sat_random(k->mk, SAT_KEY_BYTES);
	sat_random(k->ring.id, sizeof(k->ring.id));
	k->ring.generation = 1;
	return k;
}

void
sat_keyring_close(sat_keyring *k)
{
	if (k == NULL)
		return;
	if (k->lock_fd >= 0)
		(void)close(k->lock_fd); /* and with it the flock */
	free(k->path);
	sat_secret_free(k);
}

sat_rc
sat_keyring_create(sat_keyring **out, const char *path,
    const sat_secret_in *secret, sat_err *e)
{
	sat_keyring *k;
	sat_ring_slot slot;
	sat_ring next = { 0 };
	sat_rc rc;

	*out = NULL;
	if (secret->type == SAT_SLOT_RECOVERY)
		return sat_fail(e, SAT_EINVALID,
		    "a keyring starts with a passphrase or a key file");
	if ((rc = secret_fit(secret, e)) != SAT_OK)
		return rc;
	k = keyring_alloc(path);
	if ((rc = sat_store_lock(&k->lock_fd, path, e)) != SAT_OK)
		goto out;
	if (sat_store_exists(path)) {
		rc = sat_fail(e, SAT_ECONFLICT, "keyring exists already");
		goto out;
	}
	sat_random(k->mk, sizeof(k->mk));
	sat_random(next.id, sizeof(next.id));
	next.generation = 1;
	if ((rc = slot_make(&slot, &next, k->mk, secret, e)) != SAT_OK)
		goto out;
	slot_put(&next, &slot);
	rc = keyring_become(k, &next, false, e);
out:
	if (rc == SAT_OK)
		*out = k;
	else
		sat_keyring_close(k);
	return rc;
}

sat_rc
sat_keyring_open(sat_keyring **out, const char *path,
    const sat_secret_in *secret, sat_err *e)
{
	sat_keyring *k;
	sat_rc rc;

	*out = NULL;
	if (!sat_store_exists(path)) /* before a lock file is made */
		return sat_fail(e, SAT_ENOREPLICA, "no keyring here");
	k = keyring_alloc(path);
	if ((rc = sat_store_lock(&k->lock_fd, path, e)) != SAT_OK)
		goto out;
	rc = keyring_load(k, path, secret, e);
	if (rc == SAT_OK)
		sat_store_drop_previous(path);
	else if (rc == SAT_EINTEGRITY || rc == SAT_ENOTFOUND)
		rc = keyring_load_previous(k, secret, rc, e);
	if (rc == SAT_ENOTFOUND) /* both went away since we looked */
		rc = sat_fail(e, SAT_ENOREPLICA, "no keyring here");
out:
	if (rc == SAT_OK)
		*out = k;
	else
		sat_keyring_close(k);
	return rc;
}

sat_rc
sat_keyring_set_slot(sat_keyring *k, const sat_secret_in *secret, sat_err *e)
{
	sat_ring next = k->ring;
	sat_ring_slot slot;
	sat_rc rc;

	next.generation++;
	if ((rc = slot_make(&slot, &next, k->mk, secret, e)) != SAT_OK)
		return rc;
	slot_put(&next, &slot);
	return keyring_become(k, &next, true, e);
}

void
sat_keyring_look(sat_keyring_facts *f, const sat_keyring *k)
{
	*f = (sat_keyring_facts){ .generation = k->ring.generation };
	memcpy(f->id, k->ring.id, sizeof f->id);
	for (unsigned i = 0; i < k->ring.nslots; i++) {
		const sat_ring_slot *s = &k->ring.slots[i];

		f->passphrase = f->passphrase || s->type == SAT_SLOT_PASSPHRASE;
		f->keyfile = f->keyfile || s->type == SAT_SLOT_KEYFILE;
		if (s->type == SAT_SLOT_RECOVERY) {
			f->recovery = true;
			memcpy(f->recovery_pk, s->params,
			    sizeof f->recovery_pk);
		}
	}
}

/*
 * The id doubles as the first 16 bytes of its database file: a magic and the
 * suite make such a file recognisable, eleven random bytes make it unique.
 */
static void
file_id_make(uint8_t id[SAT_FILE_ID_BYTES])
{
	sat_random(id, SAT_FILE_ID_BYTES);
	memcpy(id, "SEF1", 4);
	id[4] = SAT_RING_SUITE;
}

sat_rc
sat_keyring_file_id(uint8_t id[SAT_FILE_ID_BYTES], sat_keyring *k,
    const char *base_name, bool create, sat_err *e)
{
	size_t n = strlen(base_name);
	sat_ring next;
	sat_ring_file *f;
	unsigned i;
	sat_rc rc;

	for (i = 0; i < k->ring.nfiles; i++)
		if (strcmp(k->ring.files[i].name, base_name) == 0) {
			memcpy(id, k->ring.files[i].id, SAT_FILE_ID_BYTES);
			return SAT_OK;
		}
	if (!create)
		return sat_fail(e, SAT_ENOTFOUND,
		    "keyring knows no such file");
	if (n == 0 || n > SAT_RING_NAME_MAX || strchr(base_name, '/') != NULL)
		return sat_fail(e, SAT_EINVALID, "not a base name");
	if (k->ring.nfiles == SAT_KEYRING_FILES_MAX)
		return sat_fail(e, SAT_EINVALID, "keyring has %d files already",
		    SAT_KEYRING_FILES_MAX);
	next = k->ring;
	next.generation++;
	f = &next.files[next.nfiles++];
	memcpy(f->name, base_name, n + 1);
	file_id_make(f->id);
	f->page_bytes = SAT_RING_PAGE_BYTES;
	f->suite = SAT_RING_SUITE;
	if ((rc = keyring_become(k, &next, true, e)) == SAT_OK)
		memcpy(id, f->id, SAT_FILE_ID_BYTES);
	return rc;
}

void
sat_keyring_subkey(uint8_t out[SAT_KEY_BYTES], const sat_keyring *k,
    const char *label, sat_span context)
{
	sat_ring_subkey(out, k->mk, label, context);
}

void
sat_keyring_seal(sat_buf *out, const sat_keyring *k, const char *label,
    sat_span msg)
{
	size_t n = SAT_XAEAD_NONCE_BYTES + msg.n + SAT_AEAD_TAG_BYTES;
	uint8_t key[SAT_KEY_BYTES];
	uint8_t *at = sat_buf_room(out, n);

	/* A key of its own: `label` may also be the label of a subkey. */
	sat_keyring_subkey(key, k, "satchel seal v1", sat_span_str(label));
	sat_random(at, SAT_XAEAD_NONCE_BYTES);
	sat_xaead_seal(at + SAT_XAEAD_NONCE_BYTES, msg,
	    (sat_span){ NULL, 0 }, at, key);
	out->n += n;
	sat_wipe(key, sizeof(key));
}

sat_rc
sat_keyring_unseal(sat_buf *out, const sat_keyring *k, const char *label,
    sat_span sealed, sat_err *e)
{
	const size_t extra = SAT_XAEAD_NONCE_BYTES + SAT_AEAD_TAG_BYTES;
	uint8_t key[SAT_KEY_BYTES];
	bool ok = false;

	if (sealed.n >= extra) {
		sat_keyring_subkey(key, k, "satchel seal v1",
		    sat_span_str(label));
		ok = sat_xaead_open(sat_buf_room(out, sealed.n - extra),
		    sat_span_of(sealed.p + SAT_XAEAD_NONCE_BYTES,
		    sealed.n - SAT_XAEAD_NONCE_BYTES), (sat_span){ NULL, 0 },
		    sealed.p, key);
		sat_wipe(key, sizeof(key));
	}
	if (!ok)
		return sat_fail(e, SAT_EINTEGRITY,
		    "sealed bytes were altered or belong to another keyring");
	out->n += sealed.n - extra;
	return SAT_OK;
}
