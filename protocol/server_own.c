/*
 * server_own.c - what the server decides by itself: commits of its own in the
 * log, and the rules that run by time (P-130).
 *
 * Why commits: a number, a handover, a customer taken back must reach every
 * device at one place in the order, be folded alike by all and stay provable.
 * As commits of "device" 0 they do, with the code that is there already.
 *
 * Invariants, named in the tests:
 *   O1  own commits form one chain per epoch, without gaps, signed once per
 *       transaction.
 *   O2  an own commit that cannot be made fails the whole transaction: what it
 *       belongs to is not done either.
 *   O3  its stamp is above every stamp of the records it touches.
 */
#include "protocol/server_file.h"

#include <string.h>

/* ---- the server's own chain ------------------------------------------------------ */

/* Read once per transaction: an administrator may raise the epoch. */
static sat_rc
own_chain(sat_server *s, sat_err *e)
{
	const sat_store *st = &s->env.store;
	own_slot *o = &s->own;
	uint64_t epoch = 0;
	sat_rc rc;

	if (o->loaded)
		return SAT_OK;
	if ((rc = st->counter_get(&epoch, st->u, SAT_N_EPOCH, e)) != SAT_OK)
		return rc;
	*o = (own_slot){ .inc = (uint32_t)epoch + 1 };
	if ((rc = st->chain_get(&o->c, st->u, SAT_DEV_SERVER, o->inc, e)) ==
	    SAT_OK)
		o->loaded = true;
	return rc;
}

/* O1 */
sat_rc
sat_srv_own_flush(sat_server *s, sat_err *e)
{
	const sat_store *st = &s->env.store;
	own_slot *o = &s->own;
	uint8_t sig[SAT_SIG_BYTES];
	sat_rc rc;

	if (o->first == 0)
		return SAT_OK;
	sat_buf_reset(&s->scratch);
	sat_batch_sign_bytes(&s->scratch, &s->env.org, SAT_DEV_SERVER, o->inc,
	    o->first, o->c.last_cseq, o->c.head);
	if ((rc = s->env.sign(s->env.u, sig, sat_buf_span(&s->scratch), e)) !=
	    SAT_OK ||
	    (rc = st->chain_put(st->u, SAT_DEV_SERVER, o->inc, &o->c, e)) !=
	    SAT_OK ||
	    (rc = st->batch_sig_put(st->u, SAT_DEV_SERVER, o->inc, o->first,
	    o->c.last_cseq, sig, e)) != SAT_OK)
		return rc;
	o->first = 0;
	return SAT_OK;
}

/* ---- one commit -------------------------------------------------------------------- */

/* O3 */
static sat_hlc
stamp_above(const merging *m, int64_t now_ms)
{
	sat_hlc h = sat_hlc_of_ms(now_ms > 0 ? now_ms : 1);

	for (const wrec *w = m->touched; w != NULL; w = w->next_touched) {
		if (w->r.born.hlc >= h)
			h = w->r.born.hlc + 1;
		if (w->r.del_at.hlc >= h)
			h = w->r.del_at.hlc + 1;
		for (size_t i = 0; i < w->r.ncells; i++)
			if (w->r.cells[i].at.hlc >= h)
				h = w->r.cells[i].at.hlc + 1;
	}
	return h;
}

/* A record of the server's own making: below the subject, unless it is it. */
static sat_rc
make(merging *m, wrec *w, const sat_op *op, sat_err *e)
{
	wrec *top;
	sat_rc rc;

	if (m->s->eid >= UINT32_MAX)
		return sat_fail(e, SAT_ENOSPACE, "no eid left");
	if ((rc = sat_set_by_id(&top, m->s, &m->c->subject, e)) != SAT_OK)
		return rc;
	sat_set_born(m->s, w, op->rtype);
	if (top != w && top->exists)
		w->root = top->root;
	return SAT_OK;
}

static sat_rc
locate_all(merging *m, sat_err *e)
{
	wrec *w;
	sat_rc rc;

	for (size_t i = 0; i < m->c->nops; i++) {
		const sat_op *op = &m->c->ops[i];

		if ((rc = sat_set_by_id(&w, m->s, &op->rec, e)) != SAT_OK)
			return rc;
		if (!w->exists && !w->erased && op->kind == SAT_OP_NEW &&
		    (rc = make(m, w, op, e)) != SAT_OK)
			return rc;
		if (!w->exists || w->kind != op->rtype)
			return sat_fail(e, SAT_EINTEGRITY,
			    "own commit names no record of kind %u",
			    op->rtype);
		if ((rc = sat_merge_touch(m, w, i, e)) != SAT_OK)
			return rc;
	}
	return SAT_OK;
}

/* P-395: what it was before is noted by now. */
static void
take_anew(merging *m)
{
	for (wrec *w = m->touched; w != NULL; w = w->next_touched)
		if (w->anew != NULL) {
			w->r = *w->anew;
			w->anew = NULL;
			w->parted = true;
		}
}

static sat_span
keep(sat_server *s)
{
	return sat_span_of(sat_arena_dup(&s->txn, s->scratch.p, s->scratch.n),
	    s->scratch.n);
}

static void
seal(merging *m, sat_commit *c, uint8_t hash[SAT_HASH_BYTES])
{
	sat_server *s = m->s;

	sat_buf_reset(&s->scratch);
	sat_commit_write_payload(&s->scratch, c);
	m->payload = keep(s);
	sat_hash(c->payload_hash, m->payload);
	sat_buf_reset(&s->scratch);
	sat_commit_write_header(&s->scratch, c);
	m->header = keep(s);
	sat_hash(hash, m->header);
}

sat_rc
sat_srv_own(sat_server *s, const sat_id *subject, sat_op *ops, size_t nops,
    uint64_t *lsn, sat_err *e)
{
	own_slot *o = &s->own;
	sat_commit c = { .device = SAT_DEV_SERVER, .seen = s->lsn,
		.subject = *subject, .nops = nops, .ops = ops };
	uint8_t hash[SAT_HASH_BYTES];
	sat_applied out;
	merging m;
	sat_rc rc;

	if (s->tip == NULL || s->env.sign == NULL || s->env.rand.bytes == NULL)
		return sat_fail(e, SAT_EINVALID,
		    "the server has no template or no key of its own");
	if ((rc = own_chain(s, e)) != SAT_OK)
		return rc;
	sat_merge_init(&m, s, &c);
	if ((rc = locate_all(&m, e)) != SAT_OK ||
	    (rc = sat_merge_echoes(&m, e)) != SAT_OK)
		return rc;
	take_anew(&m);
	c.incarnation = o->inc;
	c.cseq = o->c.last_cseq + 1;
	memcpy(c.prev, o->c.head, sizeof c.prev);
	memcpy(c.template_oid, s->tip_oid, sizeof c.template_oid);
	s->env.rand.bytes(s->env.rand.u, c.salt, sizeof c.salt);
	c.hlc = stamp_above(&m, sat_wall_ms(&s->env.clock));
	if ((rc = sat_commit_check(&c, e)) != SAT_OK)
		return rc;
	seal(&m, &c, hash);
	sat_merge_place(&m, o->c.prev_eff, 0);
	for (size_t i = 0; i < nops; i++)
		if ((rc = sat_merge_fold(&out, &m, s->tip, i, e)) != SAT_OK)
			return rc;
	if ((rc = sat_merge_fold_echoes(&m, s->tip, e)) != SAT_OK ||
	    (rc = sat_merge_log(&m, SAT_VD_OK, e)) != SAT_OK)
		return rc;
	if (o->first == 0)
		o->first = c.cseq;
	o->c.last_cseq = c.cseq;
	o->c.prev_eff = m.eff;
	memcpy(o->c.head, hash, sizeof o->c.head);
	*lsn = m.lsn;
	return SAT_OK;
}

/* ---- rules that run by time --------------------------------------------------------- */

/* Cursors that no push has taken along: every transaction writes them. */
static sat_rc
cursors(sat_server *s, int64_t now_ms, sat_err *e)
{
	(void)s;
	(void)now_ms;
	(void)e;
	return SAT_OK;
}

/* Each in a transaction of its own, so that one which fails does not hold back
 * the others. */
static const struct rule {
	sat_rc (*run)(sat_server *s, int64_t now_ms, sat_err *e);
} rules[] = {
	{ cursors },
	{ sat_srv_alike_adopt },
	{ sat_srv_reclaim },
	{ sat_srv_clear_desk },
	{ sat_srv_files_tidy },
};

sat_rc
sat_server_tidy(sat_server *s, sat_err *e)
{
	const sat_store *st = &s->env.store;

	return st->tidy(st->u, e);
}

sat_rc
sat_server_tick(sat_server *s, int64_t now_ms, sat_err *e)
{
	sat_err why = { 0 };
	sat_rc rc, first = SAT_OK;

	for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
		if ((rc = sat_srv_begin(s, &why)) == SAT_OK &&
		    (rc = rules[i].run(s, now_ms, &why)) == SAT_OK)
			rc = sat_srv_commit(s, &why);
		if (rc == SAT_OK)
			continue;
		sat_srv_rollback(s);
		if (first == SAT_OK || rc == SAT_EFSYNC) {
			first = rc;
			if (e != NULL)
				*e = why;
		}
		if (rc == SAT_EFSYNC)
			return rc;
	}
	if ((rc = sat_srv_scrub_tick(s, now_ms, &why)) != SAT_OK &&
	    (first == SAT_OK || rc == SAT_EFSYNC)) {
		first = rc;
		if (e != NULL)
			*e = why;
	}
	return first;
}
