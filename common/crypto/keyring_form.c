#include "common/crypto/keyring_int.h"

#include <assert.h>
#include <string.h>

/*
 * The bytes of a keyring file, version 1:
 *
 *   "SATKEYRG" | u8 version | keyring id 16 | be64 generation
 *   u8 files | { span name | file id 16 | be32 page size | u8 suite } ...
 *   u8 slots | { u8 type | span params | span wrapped key } ...
 *   MAC 32      BLAKE2b keyed from the master key over all the above
 *   checksum 16 BLAKE2b of all the above, without a key
 *
 * Why a checksum beside a MAC: only the right secret can judge the MAC. A
 * torn slot would look like a wrong passphrase, and the way back to the
 * previous file would never be taken. The checksum tells a torn file from a
 * wrong secret; who alters a file on purpose can redo it, and then meets
 * the MAC.
 *
 * Invariants, named in the tests:
 *   K1  what sat_ring_read accepts, sat_ring_write gives back byte for byte
 *       (but for the MAC, which needs the key).
 *   K2  no number from the file is used before it was held against a limit.
 *   K3  a type of slot occurs once, so a doctored file costs one Argon2id.
 */

#define MAGIC "SATKEYRG"
#define MAGIC_BYTES 8
#define VERSION 1
#define MAC_BYTES 32
#define SUM_BYTES 16
#define TAIL_BYTES (MAC_BYTES + SUM_BYTES)

#define PASS_PARAMS 28 /* salt 16, ops be32, mem be64 */
#define KEYFILE_PARAMS 16
#define RECOVERY_PARAMS SAT_BOX_PK_BYTES
#define WRAP_BYTES (SAT_XAEAD_NONCE_BYTES + SAT_KEY_BYTES + SAT_AEAD_TAG_BYTES)

void
sat_ring_subkey(uint8_t out[SAT_KEY_BYTES], const uint8_t mk[SAT_KEY_BYTES],
    const char *label, sat_span context)
{
	sat_hasher h;

	sat_hasher_init(&h, sat_span_of(mk, SAT_KEY_BYTES));
	sat_hasher_add(&h, sat_span_str(label));
	sat_hasher_add(&h, context);
	sat_hasher_done(&h, out);
}

static void
ring_mac(uint8_t out[MAC_BYTES], const sat_ring *r,
    const uint8_t mk[SAT_KEY_BYTES], sat_span body)
{
	uint8_t key[SAT_KEY_BYTES];

	sat_ring_subkey(key, mk, "satchel keyring mac v1",
	    sat_span_of(r->id, sizeof(r->id)));
	sat_hash_keyed(out, sat_span_of(key, sizeof(key)), body);
	sat_wipe(key, sizeof(key));
}

static void
ring_sum(uint8_t out[SUM_BYTES], sat_span body)
{
	uint8_t h[SAT_HASH_BYTES];

	sat_hash(h, body);
	memcpy(out, h, SUM_BYTES);
}

void
sat_ring_write(sat_buf *out, const sat_ring *r,
    const uint8_t mk[SAT_KEY_BYTES])
{
	uint8_t mac[MAC_BYTES], sum[SUM_BYTES];
	unsigned i;

	assert(out->n == 0);
	sat_buf_add(out, MAGIC, MAGIC_BYTES);
	sat_write_u8(out, VERSION);
	sat_buf_add(out, r->id, sizeof(r->id));
	sat_write_be64(out, r->generation);
	sat_write_u8(out, (uint8_t)r->nfiles);
	for (i = 0; i < r->nfiles; i++) {
		sat_write_span(out, sat_span_str(r->files[i].name));
		sat_buf_add(out, r->files[i].id, SAT_FILE_ID_BYTES);
		sat_write_be32(out, r->files[i].page_bytes);
		sat_write_u8(out, r->files[i].suite);
	}
	sat_write_u8(out, (uint8_t)r->nslots);
	for (i = 0; i < r->nslots; i++) {
		sat_write_u8(out, r->slots[i].type);
		sat_write_span(out,
		    sat_span_of(r->slots[i].params, r->slots[i].nparams));
		sat_write_span(out,
		    sat_span_of(r->slots[i].wrap, r->slots[i].nwrap));
	}
	ring_mac(mac, r, mk, sat_buf_span(out));
	sat_buf_add(out, mac, sizeof(mac));
	ring_sum(sum, sat_buf_span(out));
	sat_buf_add(out, sum, sizeof(sum));
	assert(out->n <= SAT_KEYRING_MAX_BYTES);
}

bool
sat_ring_mac_ok(const sat_ring *r, sat_span file,
    const uint8_t mk[SAT_KEY_BYTES])
{
	uint8_t mac[MAC_BYTES];
	size_t body;

	assert(file.n > TAIL_BYTES);
	body = file.n - TAIL_BYTES;
	ring_mac(mac, r, mk, sat_span_of(file.p, body));
	return sat_mem_eq(mac, file.p + body, MAC_BYTES);
}

static void
read_file(sat_ring *r, sat_reader *in)
{
	sat_ring_file *f = &r->files[r->nfiles];
	sat_span name = sat_read_span(in, SAT_RING_NAME_MAX);
	sat_span id = sat_read_raw(in, SAT_FILE_ID_BYTES);
	unsigned i;

	f->page_bytes = sat_read_be32(in);
	f->suite = sat_read_u8(in);
	if (in->fault != NULL)
		return;
	if (name.n == 0 || memchr(name.p, '\0', name.n) != NULL ||
	    memchr(name.p, '/', name.n) != NULL)
		sat_read_bad(in, "file name");
	if (f->page_bytes != SAT_RING_PAGE_BYTES || f->suite != SAT_RING_SUITE)
		sat_read_bad(in, "page size or suite");
	if (in->fault != NULL)
		return;
	memcpy(f->name, name.p, name.n);
	f->name[name.n] = '\0';
	memcpy(f->id, id.p, id.n);
	for (i = 0; i < r->nfiles; i++)
		if (strcmp(r->files[i].name, f->name) == 0)
			sat_read_bad(in, "file named twice");
	r->nfiles++;
}

static uint64_t
be64_at(const uint8_t *p)
{
	uint64_t v = 0;
	unsigned i;

	for (i = 0; i < 8; i++)
		v = v << 8 | p[i];
	return v;
}

/* Argon2id's numbers are in range before anybody allocates by them (K2). */
static bool
cost_ok(const uint8_t *params)
{
	uint64_t ops = be64_at(params + 16) >> 32; /* be32 */
	uint64_t mem = be64_at(params + 20);

	return ops >= 1 && ops <= SAT_RING_OPS_MAX &&
	    mem >= SAT_RING_MEM_MIN && mem <= SAT_RING_MEM_MAX;
}

static bool
slot_sizes_ok(uint8_t type, size_t nparams, size_t nwrap)
{
	switch (type) {
	case SAT_SLOT_PASSPHRASE:
		return nparams == PASS_PARAMS && nwrap == WRAP_BYTES;
	case SAT_SLOT_KEYFILE:
		return nparams == KEYFILE_PARAMS && nwrap == WRAP_BYTES;
	case SAT_SLOT_RECOVERY:
		return nparams == RECOVERY_PARAMS &&
		    nwrap == SAT_RING_WRAP_MAX;
	default:
		return false;
	}
}

static void
read_slot(sat_ring *r, sat_reader *in)
{
	sat_ring_slot *s = &r->slots[r->nslots];
	uint8_t type = sat_read_u8(in);
	sat_span params = sat_read_span(in, SAT_RING_PARAMS_MAX);
	sat_span wrap = sat_read_span(in, SAT_RING_WRAP_MAX);
	unsigned i;

	if (in->fault == NULL && !slot_sizes_ok(type, params.n, wrap.n))
		sat_read_bad(in, "slot");
	if (in->fault == NULL && type == SAT_SLOT_PASSPHRASE &&
	    !cost_ok(params.p))
		sat_read_bad(in, "cost of the passphrase slot");
	for (i = 0; i < r->nslots; i++) /* K3 */
		if (r->slots[i].type == type)
			sat_read_bad(in, "slot type twice");
	if (in->fault != NULL)
		return;
	s->type = type;
	s->nparams = (uint8_t)params.n;
	s->nwrap = (uint8_t)wrap.n;
	memcpy(s->params, params.p, params.n);
	memcpy(s->wrap, wrap.p, wrap.n);
	r->nslots++;
}

static void
read_body(sat_ring *r, sat_reader *in)
{
	sat_span id = sat_read_raw(in, SAT_RING_ID_BYTES);
	uint64_t nfiles, nslots;

	if (in->fault == NULL)
		memcpy(r->id, id.p, id.n);
	r->generation = sat_read_be64(in);
	if (r->generation == 0 || r->generation >= UINT64_MAX / 2)
		sat_read_bad(in, "generation");
	nfiles = sat_read_u8(in);
	if (nfiles > SAT_KEYRING_FILES_MAX)
		sat_read_bad(in, "number of files");
	while (in->fault == NULL && r->nfiles < nfiles)
		read_file(r, in);
	nslots = sat_read_u8(in);
	if (nslots < 1 || nslots > SAT_KEYRING_SLOTS_MAX)
		sat_read_bad(in, "number of slots");
	while (in->fault == NULL && r->nslots < nslots)
		read_slot(r, in);
}

sat_rc
sat_ring_read(sat_ring *r, sat_span file, sat_err *e)
{
	sat_reader in;
	uint8_t sum[SUM_BYTES];
	uint8_t version;

	memset(r, 0, sizeof(*r));
	if (file.n < MAGIC_BYTES + 1 + TAIL_BYTES ||
	    file.n > SAT_KEYRING_MAX_BYTES)
		return sat_fail(e, SAT_EINTEGRITY,
		    "keyring has %zu bytes", file.n);
	if (memcmp(file.p, MAGIC, MAGIC_BYTES) != 0)
		return sat_fail(e, SAT_EINTEGRITY, "not a keyring");
	ring_sum(sum, sat_span_of(file.p, file.n - SUM_BYTES));
	if (memcmp(sum, file.p + file.n - SUM_BYTES, SUM_BYTES) != 0)
		return sat_fail(e, SAT_EINTEGRITY,
		    "keyring is torn or altered: checksum");
	in = sat_reader_of(sat_span_of(file.p + MAGIC_BYTES,
	    file.n - MAGIC_BYTES - TAIL_BYTES));
	version = sat_read_u8(&in);
	if (version != VERSION)
		return sat_fail(e, SAT_EVERSION,
		    "keyring has version %u, this program knows %d",
		    version, VERSION);
	read_body(r, &in);
	if (in.fault == NULL && in.left > 0)
		sat_read_bad(&in, "bytes left over");
	if (in.fault != NULL)
		return sat_fail(e, SAT_EINTEGRITY, "keyring: %s", in.fault);
	return SAT_OK;
}

sat_rc
sat_keyring_parse(sat_span file, sat_err *e)
{
	sat_ring r;

	return sat_ring_read(&r, file, e);
}
