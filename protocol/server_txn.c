/*
 * server_txn.c - transactions, and what is remembered from one to the next.
 *
 * Why counters and chains are kept in memory: they are read with every commit
 * and written once per transaction. After a rollback all of it is forgotten
 * and read again, so that memory never knows more than the file.
 */
#include "protocol/server_int.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Reports of cursors kept for the next push. */
#define SEEN_MAX 256
/* Chains remembered from one transaction to the next; searched one by one. */
#define CHAINS_MAX 256

static void
forget(sat_server *s)
{
	s->loaded = false;
	s->dirty = false;
	s->nchains = 0;
	sat_srv_own_forget(s);
	sat_set_forget(s);
}

static sat_rc
load(sat_server *s, sat_err *e)
{
	const sat_store *st = &s->env.store;
	uint64_t now_ms = 0, last = 0;
	sat_rc rc;

	if ((rc = st->counter_get(&s->lsn, st->u, SAT_N_LSN, e)) != SAT_OK ||
	    (rc = st->counter_get(&s->eid, st->u, SAT_N_EID, e)) != SAT_OK ||
	    (rc = st->counter_get(&now_ms, st->u, SAT_N_CLAMP_NOW, e)) !=
	    SAT_OK || (rc = st->counter_get(&last, st->u, SAT_N_CLAMP_LAST,
	    e)) != SAT_OK)
		return rc;
	s->clamp = (sat_hlc_clamp){ (int64_t)now_ms, last };
	if ((rc = st->counter_get(&s->ledger_rev, st->u, SAT_N_LEDGER_REV,
	    e)) != SAT_OK || (rc = sat_srv_epoch_load(s, e)) != SAT_OK)
		return rc;
	s->loaded = true;
	return SAT_OK;
}

void
sat_srv_find_tip(sat_server *s)
{
	uint8_t oid[SAT_TEMPLATE_OID_BYTES] = { 0 };

	s->env.template_tip(s->env.u, oid);
	memcpy(s->tip_oid, oid, sizeof oid);
	s->tip = sat_srv_oid_zero(oid) ? NULL : s->env.template_at(s->env.u, oid);
	s->last = NULL; /* others may have been asked for since */
}

sat_rc
sat_srv_template_stands(const sat_template *t,
    const uint8_t oid[SAT_TEMPLATE_OID_BYTES], sat_err *e)
{
	return t != NULL || sat_srv_oid_zero(oid) ? SAT_OK : sat_fail_code(e, SAT_EINTEGRITY, "template", "satcheld doctor",
	    "the published template cannot be loaded");
}

/* Once per opened store. A transaction of its own: the one that is asked for
 * may only read, and be rolled back. */
static sat_rc
catch_up(sat_server *s, sat_err *e)
{
	const sat_store *st = &s->env.store;
	uint64_t after;
	bool yes;
	sat_rc rc;

	if ((rc = st->rec_behind(&yes, &after, st->u, e)) != SAT_OK || !yes)
		return rc;
	if ((rc = sat_srv_refold(s, after, e)) != SAT_OK)
		return rc;
	s->in_txn = false;
	if ((rc = st->commit(st->u, e)) != SAT_OK)
		return rc;
	st->rec_whole(st->u);
	if ((rc = st->begin(st->u, e)) == SAT_OK)
		s->in_txn = true;
	return rc;
}

sat_rc
sat_srv_begin(sat_server *s, sat_err *e)
{
	const sat_store *st = &s->env.store;
	sat_rc rc;

	assert(!s->in_txn);
	if (s->unacked) { /* SAT_BUG_ACK_BEFORE_COMMIT */
		s->unacked = false;
		if ((rc = st->commit(st->u, e)) != SAT_OK) {
			forget(s);
			return rc;
		}
	}
	sat_set_reset(s);
	s->own.loaded = false;
	s->own.first = 0;
	if (s->nchains > CHAINS_MAX)
		s->nchains = 0; /* none is dirty between transactions */
	if ((rc = st->begin(st->u, e)) != SAT_OK)
		return rc;
	s->in_txn = true;
	sat_srv_find_tip(s);
	if (!s->loaded && ((rc = load(s, e)) != SAT_OK ||
	    (rc = catch_up(s, e)) != SAT_OK)) {
		sat_srv_rollback(s);
		return rc;
	}
	s->txn_lsn = s->lsn;
	return SAT_OK;
}

static sat_rc
flush(sat_server *s, sat_err *e)
{
	const sat_store *st = &s->env.store;
	sat_rc rc;

	if ((rc = sat_srv_alike_flush(s, e)) != SAT_OK ||
	    (rc = sat_set_flush(s, e)) != SAT_OK)
		return rc;
	if (s->dirty && ((rc = st->counter_put(st->u, SAT_N_LSN, s->lsn, e)) !=
	    SAT_OK || (rc = st->counter_put(st->u, SAT_N_EID, s->eid, e)) !=
	    SAT_OK || (rc = st->counter_put(st->u, SAT_N_CLAMP_NOW,
	    (uint64_t)s->clamp.now_ms, e)) != SAT_OK ||
	    (rc = st->counter_put(st->u, SAT_N_CLAMP_LAST,
	    s->clamp.last_clamped, e)) != SAT_OK))
		return rc;
	if ((rc = sat_srv_own_flush(s, e)) != SAT_OK)
		return rc;
	for (size_t i = 0; i < s->nchains; i++) {
		chain_slot *c = &s->chains[i];

		if (c->dirty && (rc = st->chain_put(st->u, c->dev, c->inc,
		    &c->c, e)) != SAT_OK)
			return rc;
		c->dirty = false;
	}
	for (size_t i = 0; i < s->nseen; i++)
		if ((rc = st->device_seen(st->u, s->seen[i].dev,
		    s->seen[i].cursor, s->seen[i].told ?
		    s->seen[i].template_oid : NULL, s->seen[i].ms, e)) != SAT_OK)
			return rc;
	for (size_t i = 0; i < s->ndiverged; i++) {
		const diverged_slot *d = &s->diverged[i];

		if ((rc = st->diverged_put(st->u, d->dev, d->kind, d->bucket,
		    d->lsn, d->ms, e)) != SAT_OK)
			return rc;
	}
	if ((rc = sat_srv_reported_flush(s, e)) != SAT_OK)
		return rc;
	s->seen_flushed_ms = sat_boot_ms(&s->env.clock);
	s->nseen = s->ndiverged = 0;
	s->dirty = false;
	return SAT_OK;
}

sat_rc
sat_srv_commit(sat_server *s, sat_err *e)
{
	const sat_store *st = &s->env.store;
	sat_rc rc;

	assert(s->in_txn);
	if ((rc = flush(s, e)) != SAT_OK)
		return rc; /* the caller rolls back */
	if (SAT_BUG(SAT_BUG_ACK_BEFORE_COMMIT)) {
		s->unacked = true;
		s->in_txn = false;
		return SAT_OK;
	}
	if ((rc = st->commit(st->u, e)) != SAT_OK)
		return rc;
	s->in_txn = false;
	sat_srv_reported_clean(s);
	return SAT_OK;
}

void
sat_srv_rollback(sat_server *s)
{
	const sat_store *st = &s->env.store;

	if (s->in_txn)
		st->rollback(st->u);
	s->in_txn = false;
	forget(s);
}

/* The end of a request that only read: nothing in memory is newer than the
 * file, so nothing has to be forgotten. */
void
sat_srv_end_read(sat_server *s)
{
	const sat_store *st = &s->env.store;

	if (s->in_txn)
		st->rollback(st->u);
	s->in_txn = false;
}

sat_rc
sat_srv_chain(chain_slot **out, sat_server *s, uint32_t dev, uint32_t inc,
    sat_err *e)
{
	const sat_store *st = &s->env.store;
	chain_slot c = { .dev = dev, .inc = inc };
	sat_rc rc;

	for (size_t i = 0; i < s->nchains; i++)
		if (s->chains[i].dev == dev && s->chains[i].inc == inc) {
			*out = &s->chains[i];
			return SAT_OK;
		}
	if ((rc = st->chain_get(&c.c, st->u, dev, inc, e)) != SAT_OK)
		return rc;
	if (s->nchains == s->chains_cap) {
		s->chains_cap = s->chains_cap == 0 ? 64 : s->chains_cap * 2;
		s->chains = sat_xrealloc(s->chains,
		    s->chains_cap * sizeof *s->chains);
	}
	s->chains[s->nchains] = c;
	*out = &s->chains[s->nchains++];
	return SAT_OK;
}

void
sat_srv_seen(sat_server *s, uint32_t dev, uint64_t cursor,
    const uint8_t *template_oid)
{
	seen_slot *x = NULL;

	for (size_t i = 0; i < s->nseen && x == NULL; i++)
		if (s->seen[i].dev == dev)
			x = &s->seen[i];
	if (x == NULL && s->nseen == SEEN_MAX)
		return; /* it will report again */
	if (x == NULL) {
		if (s->nseen == s->seen_cap) {
			s->seen_cap = s->seen_cap == 0 ? 16 : s->seen_cap * 2;
			s->seen = sat_xrealloc(s->seen,
			    s->seen_cap * sizeof *s->seen);
		}
		x = &s->seen[s->nseen++];
		x->told = false;
	}
	x->dev = dev;
	x->cursor = cursor;
	x->ms = sat_wall_ms(&s->env.clock);
	if (template_oid != NULL) {
		x->told = true;
		memcpy(x->template_oid, template_oid, sizeof x->template_oid);
	}
}

void
sat_srv_due(uint8_t oid[SAT_TEMPLATE_OID_BYTES], sat_server *s, uint32_t dev,
    const sat_user *user, const uint8_t have[SAT_TEMPLATE_OID_BYTES])
{
	if (s->env.template_due == NULL)
		memcpy(oid, s->tip_oid, sizeof s->tip_oid);
	else
		s->env.template_due(s->env.u, oid, dev, user->team, have);
}

const sat_template *
sat_srv_template(sat_server *s, const uint8_t oid[SAT_TEMPLATE_OID_BYTES])
{
	if (memcmp(oid, s->tip_oid, SAT_TEMPLATE_OID_BYTES) == 0)
		return s->tip; /* one answer for the whole transaction */
	if (s->last == NULL ||
	    memcmp(oid, s->last_oid, SAT_TEMPLATE_OID_BYTES) != 0) {
		memcpy(s->last_oid, oid, SAT_TEMPLATE_OID_BYTES);
		s->last = s->env.template_at(s->env.u, oid);
	}
	return s->last;
}

const sat_kind *
sat_srv_kind(const sat_server *s, uint16_t kind)
{
	const sat_kind *k = NULL;

	if (s->tip != NULL)
		k = sat_template_kind_id(s->tip, kind);
	if (k == NULL && s->last != NULL)
		k = sat_template_kind_id(s->last, kind);
	return k;
}
