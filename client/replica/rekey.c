/*
 * rekey.c - other keys for this device, beside those it has (P-386..P-389).
 *
 * Before the server knows of them both pairs are here, and durably so: whatever
 * breaks off, one of the two is the device's, and the server says which. After,
 * the old pair stays until a backup of the server has the change, for a server
 * that comes back from an older one knows the old pair only.
 *
 * Invariants, named in the tests:
 *   K1  at every moment a pair the server takes is stored here
 *   K2  the keys in force change in one transaction with what is kept beside them
 */
#include "client/replica/replica_int.h"

#include "protocol/bugs.h"

#include <string.h>

#define KEYS_VERSION 1

static void
write_pairs(sat_buf *b, const sat_key_pairs *p)
{
	sat_buf_add(b, p->sign_sk, sizeof p->sign_sk);
	sat_buf_add(b, p->sign_pk, sizeof p->sign_pk);
	sat_buf_add(b, p->channel_sk, sizeof p->channel_sk);
	sat_buf_add(b, p->channel_pk, sizeof p->channel_pk);
}

static void
take_pairs(sat_key_pairs *p, sat_reader *r)
{
	sat_read_copy(r, p->sign_sk, sizeof p->sign_sk);
	sat_read_copy(r, p->sign_pk, sizeof p->sign_pk);
	sat_read_copy(r, p->channel_sk, sizeof p->channel_sk);
	sat_read_copy(r, p->channel_pk, sizeof p->channel_pk);
}

sat_rc
replica_keys_load(sat_replica *r, sat_span in, sat_err *e)
{
	sat_reader rd = sat_reader_of(in);
	replica_keys *k = r->keys;
	uint8_t state;

	if (sat_read_u8(&rd) != KEYS_VERSION)
		return sat_fail(e, SAT_EVERSION,
		    "the device's keys were written by another version");
	state = sat_read_u8(&rd);
	if (state > SAT_REKEY_BEFORE)
		sat_read_bad(&rd, "state");
	k->state = (sat_rekey_state)state;
	k->lsn = sat_read_be64(&rd);
	take_pairs(&k->other, &rd);
	k->nformer = (size_t)sat_read_uint_max(&rd, REPLICA_FORMERS_MAX);
	for (size_t i = 0; i < k->nformer; i++)
		sat_read_copy(&rd, k->former[i], sizeof k->former[i]);
	k->unsaid = false;
	return sat_read_end(&rd, "keys", e);
}

static sat_rc
put(sat_replica *r, sat_err *e)
{
	const replica_keys *k = r->keys;
	sat_buf b = { 0 };
	sat_rc rc;

	sat_write_u8(&b, KEYS_VERSION);
	sat_write_u8(&b, (uint8_t)k->state);
	sat_write_be64(&b, k->lsn);
	write_pairs(&b, &k->other);
	sat_write_uint(&b, k->nformer);
	for (size_t i = 0; i < k->nformer; i++)
		sat_buf_add(&b, k->former[i], sizeof k->former[i]);
	rc = replica_meta_blob(r, "keys", sat_buf_span(&b), e);
	sat_wipe(b.p, b.n);
	sat_buf_fini(&b);
	return rc;
}

/* What the device is known by, and what is kept beside it, become others
 * together (K2); as they were when it fails. */
static sat_rc
store(sat_replica *r, const sat_replica_identity *id, const replica_keys *k,
    const char *action, sat_err *e)
{
	struct {
		sat_replica_identity id;
		replica_keys k;
	} *was = sat_secret_new(sizeof *was);
	bool began = false;
	sat_rc rc;

	was->id = *r->id;
	was->k = *r->keys;
	*r->id = *id;
	*r->keys = *k;
	if (r->in_group)
		rc = sat_fail(e, SAT_EBUSY, "a group of writes is open");
	else if ((rc = replica_begin(r, &began, e)) == SAT_OK) {
		if ((rc = replica_identity_put(r, e)) == SAT_OK &&
		    (rc = put(r, e)) == SAT_OK && action != NULL)
			rc = sat_replica_audit(r, action, "", e);
		rc = replica_end(r, began, rc, e);
	}
	if (rc != SAT_OK) {
		*r->id = was->id;
		*r->keys = was->k;
	}
	sat_secret_free(was);
	return rc;
}

/* Both in guarded memory, to be changed and stored. */
typedef struct change {
	sat_replica_identity id;
	replica_keys k;
} change;

static change *
begin_change(const sat_replica *r)
{
	change *c = sat_secret_new(sizeof *c);

	c->id = *r->id;
	c->k = *r->keys;
	return c;
}

static sat_rc
end_change(change *c, sat_replica *r, const char *action, sat_err *e)
{
	sat_rc rc = store(r, &c->id, &c->k, action, e);

	sat_secret_free(c);
	return rc;
}

static void
exchange_pairs(change *c)
{
	sat_key_pairs *p = &c->k.other;
	uint8_t sk[SAT_SIGN_SK_BYTES], key[32];

	memcpy(sk, p->sign_sk, sizeof sk);
	memcpy(p->sign_sk, c->id.sign_sk, sizeof sk);
	memcpy(c->id.sign_sk, sk, sizeof sk);
	memcpy(key, p->sign_pk, sizeof key);
	memcpy(p->sign_pk, c->id.sign_pk, sizeof key);
	memcpy(c->id.sign_pk, key, sizeof key);
	memcpy(key, p->channel_sk, sizeof key);
	memcpy(p->channel_sk, c->id.channel_sk, sizeof key);
	memcpy(c->id.channel_sk, key, sizeof key);
	memcpy(key, p->channel_pk, sizeof key);
	memcpy(p->channel_pk, c->id.channel_pk, sizeof key);
	memcpy(c->id.channel_pk, key, sizeof key);
	sat_wipe(sk, sizeof sk);
	sat_wipe(key, sizeof key);
}

/* What was signed with it can still be looked at (audit verify). */
static void
remember(replica_keys *k, const uint8_t pk[SAT_SIGN_PK_BYTES])
{
	for (size_t i = 0; i < k->nformer; i++)
		if (memcmp(k->former[i], pk, SAT_SIGN_PK_BYTES) == 0)
			return;
	if (k->nformer == REPLICA_FORMERS_MAX)
		memmove(k->former, k->former + 1, --k->nformer *
		    sizeof k->former[0]);
	memcpy(k->former[k->nformer++], pk, SAT_SIGN_PK_BYTES);
}

bool
replica_own_sig(const sat_replica *r, const uint8_t sig[SAT_SIG_BYTES],
    sat_span bytes)
{
	const replica_keys *k = r->keys;
	bool good = sat_sign_ok(sig, bytes, r->id->sign_pk) ||
	    (k->state != SAT_REKEY_NONE &&
	    sat_sign_ok(sig, bytes, k->other.sign_pk));

	for (size_t i = 0; i < k->nformer && !good; i++)
		good = sat_sign_ok(sig, bytes, k->former[i]);
	return good;
}

/* ---- what the owner asks -------------------------------------------------------------- */

sat_rekey_state
sat_replica_rekey_state(sat_key_pairs *other, bool *unsaid,
    const sat_replica *r)
{
	if (other != NULL)
		*other = r->keys->other;
	if (unsaid != NULL)
		*unsaid = r->keys->unsaid;
	return r->keys->state;
}

void
sat_replica_rekey_unsaid(sat_replica *r, bool unsaid)
{
	r->keys->unsaid = unsaid;
}

sat_rc
sat_replica_rekey_begin(sat_replica *r, sat_err *e)
{
	uint8_t seed[32];
	change *c;
	sat_rc rc;

	if (r->id->device == 0)
		return sat_fail(e, SAT_ENOREPLICA,
		    "this device is not enrolled yet");
	if (r->keys->state == SAT_REKEY_NEXT)
		return SAT_OK;
	c = begin_change(r);
	r->rand.bytes(r->rand.u, seed, sizeof seed);
	sat_sign_keys(c->k.other.sign_pk, c->k.other.sign_sk, seed);
	sat_wipe(seed, sizeof seed);
	r->rand.bytes(r->rand.u, c->k.other.channel_sk,
	    sizeof c->k.other.channel_sk);
	sat_box_keys(c->k.other.channel_pk, c->k.other.channel_sk);
	c->k.state = SAT_REKEY_NEXT;
	c->k.lsn = 0;
	c->k.unsaid = true;
	if (SAT_BUG(SAT_BUG_KEYS_UNSAVED)) {
		*r->keys = c->k;
		sat_secret_free(c);
		return SAT_OK;
	}
	rc = end_change(c, r, NULL, e);
	return rc;
}

/* The newest commit the server has, as far as is known here: the one before the
 * first that has no answer. */
static sat_rc
find_place(sat_rekey *k, sat_replica *r, sat_err *e)
{
	sat_arena a = { 0 };
	int64_t seq = 0;
	own_commit o;
	sat_stmt *s;
	bool row;
	sat_rc rc;

	if ((rc = replica_outbox_flush(r, e)) != SAT_OK ||
	    (rc = sat_db_stmt(&s, r->db, SQL_OUTBOX_UNANSWERED, e)) != SAT_OK)
		return rc;
	sat_bind_int(s, 1, r->low);
	if ((rc = sat_step(&row, s, e)) != SAT_OK)
		return rc;
	if (row)
		seq = sat_col_int(s, 0);
	sat_stmt_reset(s);
	if (seq == 0) {
		k->incarnation = r->id->incarnation;
		k->cseq = r->chain.cseq;
		if (k->cseq != 0)
			memcpy(k->head, r->chain.head, sizeof k->head);
		return SAT_OK;
	}
	if ((rc = replica_own_commit(&o, &a, r, seq, e)) == SAT_OK) {
		k->incarnation = o.c.incarnation;
		k->cseq = o.c.cseq - 1;
		memcpy(k->head, o.c.prev, sizeof k->head);
	}
	sat_arena_fini(&a);
	return rc;
}

sat_rc
sat_replica_rekey_say(sat_rekey *out, sat_replica *r, sat_err *e)
{
	const sat_key_pairs *next = &r->keys->other;
	sat_rc rc;

	memset(out, 0, sizeof *out);
	if (r->keys->state != SAT_REKEY_NEXT)
		return sat_fail(e, SAT_ENOTFOUND, "no other keys were drawn");
	if ((rc = find_place(out, r, e)) != SAT_OK)
		return rc;
	memcpy(out->sign_pk, next->sign_pk, sizeof out->sign_pk);
	memcpy(out->channel_pk, next->channel_pk, sizeof out->channel_pk);
	sat_rekey_sign(out, &r->id->org, r->id->device, r->id->sign_pk,
	    r->id->sign_sk, next->sign_sk);
	return SAT_OK;
}

sat_rc
sat_replica_rekeyed(sat_replica *r, uint64_t lsn, sat_err *e)
{
	change *c;

	if (r->keys->state != SAT_REKEY_NEXT)
		return SAT_OK;
	c = begin_change(r);
	remember(&c->k, c->id.sign_pk);
	exchange_pairs(c);
	c->k.state = SAT_REKEY_BEFORE;
	c->k.lsn = lsn;
	c->k.unsaid = false;
	return end_change(c, r, "device.rekeyed", e);
}

sat_rc
sat_replica_rekey_back(sat_replica *r, sat_err *e)
{
	change *c;

	if (r->keys->state != SAT_REKEY_BEFORE)
		return SAT_OK;
	c = begin_change(r);
	remember(&c->k, c->id.sign_pk);
	exchange_pairs(c);
	c->k.state = SAT_REKEY_NEXT;
	c->k.lsn = 0;
	return end_change(c, r, "device.rekey_back", e);
}

/* With a WELCOME: a backup that holds a commit from after the change holds the
 * change too. */
sat_rc
replica_rekey_settle(sat_replica *r, const sat_welcome *w, sat_err *e)
{
	change *c;

	if (r->keys->state != SAT_REKEY_BEFORE || (r->keys->lsn != 0 &&
	    w->durable <= r->keys->lsn))
		return SAT_OK;
	c = begin_change(r);
	if (c->k.lsn == 0) { /* it was found out afterwards */
		c->k.lsn = w->head > 0 ? w->head : 1;
	} else {
		c->k.state = SAT_REKEY_NONE;
		c->k.lsn = 0;
		sat_wipe(&c->k.other, sizeof c->k.other);
	}
	return end_change(c, r, NULL, e);
}
