/*
 * server_push.c - PUSH: chain, signature, verdicts; many pushes in one durable
 * transaction.
 *
 * A push is first checked as a whole without writing anything: whatever is
 * wrong then is an ERROR to that device alone. From its first write on only
 * the store can fail, and then the whole group is rolled back and nobody is
 * told anything was saved (P-072).
 *
 * Invariants, named in the tests:
 *   U1  nothing is merged unless the signature covers the chain that ends in
 *       it and the chain joins the stored one.
 *   U2  a push sent again gets the same verdicts and changes nothing.
 *   U3  a gap or a fork stores nothing.
 */
#include "protocol/sealed.h"
#include "protocol/server_int.h"

#include <assert.h>
#include <string.h>

/* Decoded pushes weigh several times their canonical bytes. */
#define GROUP_BYTES (4 * 1024 * 1024)

typedef struct push {
	sat_server *s;
	sat_server_job *job;
	const sat_user *user;
	sat_push m;
	uint64_t last;       /* cseq of the last commit */
	sat_commit *c;
	size_t n;
	sat_span *header, *payload;
	bool *unread;        /* of a sealed push: no payload could be had */
	uint8_t (*hash)[SAT_HASH_BYTES]; /* of each header */
	wrec **about;        /* a record of each, NULL = named by id */
	chain_slot *chain;   /* until the next push of the group is looked at */
	uint64_t stored;     /* the end of its chain then */
	sat_spent spent;     /* with it */
	sat_used used;       /* what the device has sent with it */
	bool gap;            /* what lies before it is gone (P-203) */
	bool answered;       /* gap, fork: no commit is looked at */
	sat_verdicts out;
	sat_err err;         /* refused as a whole: err.rc != SAT_OK */
} push;

/* ---- before anything is written ------------------------------------------------- */

static sat_span
keep(sat_server *s, const sat_buf *b)
{
	return sat_span_of(sat_arena_dup(&s->push, b->p, b->n), b->n);
}

/* Entities the device named by eid. One we never gave makes the chain
 * unprovable: the device has to send ids. */
static sat_rc
resolve(wrec **about, push *p, sat_commit *c, sat_err *e)
{
	wrec *w = NULL;
	sat_rc rc;

	if (c->subject_eid != 0) {
		rc = sat_set_by_eid(&w, p->s, c->subject_eid, e);
		if (rc != SAT_OK)
			return rc;
		c->subject = w->id;
	}
	for (size_t i = 0; i < c->nops; i++) {
		if (c->ops[i].eid == 0)
			continue;
		rc = sat_set_by_eid(&w, p->s, c->ops[i].eid, e);
		if (rc != SAT_OK)
			return rc;
		c->ops[i].rec = w->id;
	}
	*about = w;
	return SAT_OK;
}

static sat_rc
seal(push *p, size_t i, const uint8_t prev[SAT_HASH_BYTES], sat_err *e)
{
	sat_server *s = p->s;
	sat_commit *c = &p->c[i];
	sat_rc rc;

	if ((rc = resolve(&p->about[i], p, c, e)) != SAT_OK)
		return rc == SAT_ENOTFOUND ? sat_fail_code(e, SAT_EINTEGRITY,
		    "eid.unknown", NULL, "push names an unknown record number")
		    : rc;
	c->device = p->job->session->device;
	c->incarnation = p->m.incarnation;
	c->cseq = p->m.first_cseq + i;
	memcpy(c->prev, prev, SAT_HASH_BYTES);
	/* sat_commit_seal, with the bytes kept for the log. */
	p->payload[i] = (sat_span){ NULL, 0 };
	if (!p->unread[i]) {
		sat_buf_reset(&s->scratch);
		sat_commit_write_payload(&s->scratch, c);
		p->payload[i] = keep(s, &s->scratch);
		sat_hash(c->payload_hash, p->payload[i]);
	}
	sat_buf_reset(&s->scratch);
	sat_commit_write_header(&s->scratch, c);
	p->header[i] = keep(s, &s->scratch);
	sat_hash(p->hash[i], p->header[i]);
	return SAT_OK;
}

static sat_rc
check_signature(push *p, sat_err *e)
{
	sat_server *s = p->s;

	sat_buf_reset(&s->scratch);
	sat_batch_sign_bytes(&s->scratch, &s->env.org,
	    p->job->session->device, p->m.incarnation, p->m.first_cseq,
	    p->last, p->hash[p->n - 1]);
	if (!sat_sign_ok(p->m.sig, sat_buf_span(&s->scratch),
	    p->job->session->sign_pk))
		return sat_fail_code(e, SAT_EINTEGRITY, "signature", NULL,
		    "signature of the push does not fit its commits");
	return SAT_OK;
}

/* Is what was sent of the past the past that is stored? A header covers all
 * before it, so the last one both sides know decides. */
static sat_rc
check_fork(bool *fork, push *p, sat_err *e)
{
	const sat_store *st = &p->s->env.store;
	const sat_chain *c = &p->chain->c;
	uint8_t hash[SAT_HASH_BYTES];
	sat_span header, payload;
	sat_rc rc;

	if (p->m.first_cseq == c->last_cseq + 1) {
		*fork = memcmp(p->m.prev, c->head, SAT_HASH_BYTES) != 0;
		return SAT_OK;
	}
	if (p->last >= c->last_cseq) {
		size_t i = (size_t)(c->last_cseq - p->m.first_cseq);

		*fork = memcmp(p->hash[i], c->head, SAT_HASH_BYTES) != 0;
		return SAT_OK;
	}
	if ((rc = st->commit_get(&header, &payload, &p->s->push, st->u,
	    p->job->session->device, p->m.incarnation, p->last, e)) != SAT_OK)
		return rc;
	sat_hash(hash, header);
	*fork = memcmp(p->hash[p->n - 1], hash, SAT_HASH_BYTES) != 0;
	return SAT_OK;
}

/* The first commit of the push that is stored as another one, so that the
 * device knows what to take along into a new incarnation. */
static sat_rc
find_fork(uint64_t *cseq, push *p, sat_err *e)
{
	const sat_store *st = &p->s->env.store;
	uint8_t hash[SAT_HASH_BYTES];
	sat_span header, payload;
	sat_rc rc;

	*cseq = p->m.first_cseq;
	for (; *cseq < p->last && *cseq <= p->chain->c.last_cseq; ++*cseq) {
		if ((rc = st->commit_get(&header, &payload, &p->s->push, st->u,
		    p->job->session->device, p->m.incarnation, *cseq, e)) !=
		    SAT_OK)
			return rc;
		sat_hash(hash, header);
		if (memcmp(p->hash[*cseq - p->m.first_cseq], hash,
		    sizeof hash) != 0)
			break;
	}
	return SAT_OK;
}

/* A payload that cannot be had, or is not the one the header names, is that
 * commit's trouble: the chain goes on behind it (P-363). */
static sat_rc
unseal(push *p, sat_err *e)
{
	sat_server *s = p->s;
	sat_buf opened = { 0 };
	sat_rc rc;

	if (s->env.unseal == NULL)
		return sat_fail(e, SAT_EVERSION, "this server opens no boxes");
	if ((rc = sat_sealed_read(&p->c, &p->n, &s->push, p->m.batch, e)) !=
	    SAT_OK)
		return rc;
	p->unread = sat_arena_alloc(&s->push, (p->n + 1) * sizeof *p->unread);
	for (size_t i = 0; i < p->n; i++) {
		uint8_t hash[SAT_HASH_BYTES];
		sat_span payload;

		sat_buf_reset(&opened);
		p->unread[i] = !s->env.unseal(s->env.u, &opened, p->c[i].box);
		payload = keep(s, &opened);
		sat_hash(hash, payload);
		p->unread[i] = p->unread[i] || memcmp(hash,
		    p->c[i].payload_hash, sizeof hash) != 0 ||
		    sat_commit_read_payload(&p->c[i], &s->push, payload, NULL) !=
		    SAT_OK;
		if (p->unread[i])
			p->c[i].nops = 0;
	}
	sat_buf_fini(&opened);
	return SAT_OK;
}

static sat_rc
decode_columns(push *p, sat_err *e)
{
	sat_server *s = p->s;
	sat_rc rc = sat_batch_read(&p->c, &p->n, &s->push, SAT_BATCH_PUSH,
	    p->m.batch, e);

	if (rc != SAT_OK)
		return rc;
	p->unread = sat_arena_alloc(&s->push, (p->n + 1) * sizeof *p->unread);
	memset(p->unread, 0, (p->n + 1) * sizeof *p->unread);
	return SAT_OK;
}

static sat_rc
decode(push *p, sat_err *e)
{
	sat_server *s = p->s;
	const uint8_t *prev = p->m.prev;
	sat_rc rc = p->m.sealed ? unseal(p, e) : decode_columns(p, e);

	if (rc != SAT_OK)
		return rc;
	if (p->n == 0)
		return sat_fail(e, SAT_EPROTO, "push without a commit");
	p->last = p->m.first_cseq + (p->n - 1);
	if (p->last > INT64_MAX)
		return sat_fail(e, SAT_EPROTO, "push numbered out of range");
	p->header = sat_arena_alloc(&s->push, p->n * sizeof *p->header);
	p->payload = sat_arena_alloc(&s->push, p->n * sizeof *p->payload);
	p->hash = sat_arena_alloc(&s->push, p->n * sizeof *p->hash);
	p->about = sat_arena_alloc(&s->push, p->n * sizeof *p->about);
	for (size_t i = 0; i < p->n; i++, prev = p->hash[i - 1]) {
		if (i + 8 < p->n)
			s->env.store.rec_soon(s->env.store.u,
			    p->c[i + 8].subject_eid, p->c[i + 4].subject_eid);
		if ((rc = seal(p, i, prev, e)) != SAT_OK)
			return rc;
	}
	return check_signature(p, e);
}

/* Of what is new in the push. What has no operation, or none that could be read,
 * is kept as well. */
static sat_rc
check_quota(push *p, sat_err *e)
{
	sat_spent *x = &p->spent;

	for (size_t i = 0; i < p->n; i++) {
		if (p->c[i].cseq <= p->chain->c.last_cseq)
			continue;
		x->ops += p->c[i].nops > 0 ? p->c[i].nops : 1;
		x->bytes += p->header[i].n + p->payload[i].n;
		x->again = x->again || (p->m.nold != 0 &&
		    p->m.old[i].n != 0);
	}
	x->begins = p->chain->c.last_cseq == 0 &&
	    p->m.incarnation != SAT_INCARNATION_FIRST;
	return x->ops == 0 ? SAT_OK : sat_srv_quota(&p->used, p->s,
	    p->job->session->device, p->user, x, e);
}

/* P-391: only what goes on under another number had one, further up. */
static bool
was_before(const sat_was *w, const sat_commit *c)
{
	return (c->flags & SAT_CF_MOVED) != 0 && w->cseq != 0 &&
	    (w->incarnation < c->incarnation ||
	    (w->incarnation == c->incarnation && w->cseq < c->cseq));
}

/* What a device says of a lost server can only be about lost positions. */
static sat_rc
check_old(const push *p, sat_err *e)
{
	if (p->m.nold != 0 && p->m.nold != p->n)
		return sat_fail(e, SAT_EPROTO, "push with %zu lost positions "
		    "for %zu commits", p->m.nold, p->n);
	for (size_t i = 0; i < p->m.nold; i++) {
		const sat_old *o = &p->m.old[i];

		for (size_t k = 0; k < o->n; k++)
			if (!sat_srv_lost(p->s, o->at[k]))
				return sat_fail_code(e, SAT_ECONFLICT, "epoch",
				    NULL, "push names a position that was not "
				    "lost");
		for (size_t k = 0; k < o->nwas; k++)
			if (!was_before(&o->was[k], &p->c[i]))
				return sat_fail(e, SAT_EPROTO, "push names an "
				    "earlier number of a commit that cannot "
				    "have had it");
	}
	return SAT_OK;
}

static sat_rc
prepare(push *p, sat_err *e)
{
	sat_server *s = p->s;
	sat_server_session *x = p->job->session;
	sat_msg m;
	bool fork = false, gap;
	sat_rc rc;

	if ((rc = x->leaving ? sat_srv_leaver(&p->user, s, x, e) :
	    sat_srv_session_user(&p->user, s, x, e)) != SAT_OK ||
	    (rc = sat_msg_read(&m, &s->push, p->job->frame, e)) != SAT_OK)
		return rc;
	if (m.type != SAT_MSG_PUSH)
		return sat_fail(e, SAT_EPROTO, "not a push");
	p->m = m.u.push;
	if (p->m.first_cseq == 0 || p->m.first_cseq > INT64_MAX)
		return sat_fail(e, SAT_EPROTO, "push numbered out of range");
	if ((rc = sat_srv_chain(&p->chain, s, x->device, p->m.incarnation,
	    e)) != SAT_OK)
		return rc;
	gap = p->m.first_cseq > p->chain->c.last_cseq + 1;
	p->gap = gap && p->m.gap != SAT_GAP_NONE && s->epoch.epoch != 0;
	if (gap && !p->gap && !SAT_BUG(SAT_BUG_ACK_PAST_GAP)) {
		p->answered = true; /* U3 */
		p->out.need_cseq = p->chain->c.last_cseq + 1;
		return SAT_OK;
	}
	if ((rc = decode(p, e)) != SAT_OK ||
	    (rc = check_old(p, e)) != SAT_OK ||
	    (!gap && (rc = check_fork(&fork, p, e)) != SAT_OK))
		return rc;
	if (fork && !SAT_BUG(SAT_BUG_FORK_UNSEEN)) {
		p->answered = p->out.fork = true; /* U3 */
		return find_fork(&p->out.need_cseq, p, e);
	}
	return check_quota(p, e);
}

/* ---- merging ------------------------------------------------------------------------ */

/* U2: what was answered before is answered again. */
static sat_rc
verdict_again(push *p, admission *a, sat_err *e)
{
	const sat_store *st = &p->s->env.store;
	const sat_commit *c = a->c;
	sat_rc rc;

	rc = st->log_find(&a->v->lsn, &a->v->eff, st->u, c->device,
	    c->incarnation, c->cseq, NULL);
	if (rc == SAT_ENOTFOUND)
		rc = st->refused_get(a->v, &p->s->push, st->u, c->device,
		    c->incarnation, c->cseq, e);
	else if (rc == SAT_OK)
		rc = st->verdict_get(&a->v->code, st->u, a->v->lsn, e);
	else
		return sat_fail(e, rc, "the log cannot be read");
	return rc != SAT_OK || a->v->lsn == 0 ? rc :
	    sat_srv_add_born(p->s, a, e);
}

static void
fetch_ahead(const push *p, size_t i)
{
	const wrec *w;

	if (i + 6 < p->n && (w = p->about[i + 6]) != NULL)
		sat_srv_soon(w, sizeof *w);
	if (i + 3 < p->n && (w = p->about[i + 3]) != NULL) {
		sat_srv_soon(w->state.p, w->state.n);
		sat_set_root_soon(p->s, w->root);
	}
}

static sat_span
outlive(push *p, sat_span s)
{
	return s.n == 0 ? s :
	    sat_span_of(sat_arena_dup(&p->s->push, s.p, s.n), s.n);
}

/* What a commit was answered stays until the push is; the records it was
 * merged into need not. */
static sat_rc
let_go(push *p, sat_verdict *v, sat_err *e)
{
	v->slug = outlive(p, v->slug);
	v->hint = outlive(p, v->hint);
	if (!sat_set_full(p->s))
		return SAT_OK;
	memset(p->about, 0, p->n * sizeof(wrec *));
	return sat_set_spill(p->s, e);
}

static sat_rc
merge(push *p, sat_err *e)
{
	const sat_store *st = &p->s->env.store;
	uint64_t known = p->chain->c.last_cseq;
	const int64_t began_ms = sat_boot_ms(&p->s->env.clock);
	const sat_old none = { 0 };
	const sat_keys mine = sat_srv_keys(p->s, p->user);
	admission a = { .s = p->s, .actor = p->user, .chain = p->chain,
		.leaving = p->job->session->leaving,
		.out = &p->out, .mine = &mine };
	sat_rc rc;

	if (p->gap && (rc = st->gap_put(st->u, p->job->session->device,
	    p->m.incarnation, known + 1, p->m.first_cseq - 1, p->m.gap, e)) !=
	    SAT_OK)
		return rc;
	p->out.v = sat_arena_alloc(&p->s->push, p->n * sizeof *p->out.v);
	memset(p->out.v, 0, p->n * sizeof *p->out.v);
	for (size_t i = 0; i < p->n; i++) {
		fetch_ahead(p, i);
		sat_set_near(p->s, p->about[i]);
		a.c = &p->c[i];
		a.v = &p->out.v[p->out.n];
		a.v->cseq = a.c->cseq;
		a.old = p->m.nold != 0 ? &p->m.old[i] : &none;
		a.header = p->header[i];
		a.payload = p->payload[i];
		a.unread = p->unread[i];
		if (a.c->cseq <= known) {
			if (SAT_BUG(SAT_BUG_VERDICT_LOST_ON_RETRY))
				continue;
			rc = verdict_again(p, &a, e);
		} else {
			rc = sat_srv_admit(p->s, &a, e);
		}
		if (rc != SAT_OK || (rc = sat_srv_renumbered(p->s, a.c, a.v,
		    e)) != SAT_OK)
			return rc;
		p->out.n++;
		if ((rc = let_go(p, a.v, e)) != SAT_OK)
			return rc;
	}
	if (p->last <= known)
		return SAT_OK;
	p->chain->c.last_cseq = p->last;
	memcpy(p->chain->c.head, p->hash[p->n - 1], SAT_HASH_BYTES);
	p->chain->dirty = true;
	sat_srv_quota_work(&p->used, p->s, p->user, &p->spent,
	    sat_boot_ms(&p->s->env.clock) - began_ms);
	if ((rc = st->device_used_put(st->u, p->job->session->device, &p->used,
	    e)) != SAT_OK)
		return rc;
	return st->batch_sig_put(st->u, p->job->session->device,
	    p->m.incarnation, p->m.first_cseq, p->last, p->m.sig, e);
}

/* ---- the group --------------------------------------------------------------------------- */

static void
answer(push *p)
{
	sat_msg m = { .type = SAT_MSG_VERDICTS };

	if (p->err.rc != SAT_OK) {
		sat_msg_write_error(p->job->reply, &p->err);
		return;
	}
	m.u.verdicts = p->out;
	for (size_t i = 0; i < m.u.verdicts.n; i++) {
		sat_verdict *v = &m.u.verdicts.v[i];

		/* nearly every stamp: the device knows it */
		if (v->eff == p->c[v->cseq - p->m.first_cseq].hlc)
			v->eff = 0;
	}
	sat_msg_write(p->job->reply, &m);
}

/* As many of the jobs as one transaction should hold. */
static sat_rc
run(sat_server *s, push *p, size_t n, size_t *done, sat_err *e)
{
	size_t bytes = 0;
	sat_rc rc;

	for (*done = 0; *done < n && bytes < GROUP_BYTES; ++*done) {
		push *x = &p[*done];

		/* Nothing was written yet: only this push is refused. A text
		 * left by something that was looked for in vain is none. */
		rc = x->err.rc = prepare(x, &x->err);
		if (rc != SAT_OK)
			continue;
		if (!x->answered && (rc = merge(x, e)) != SAT_OK)
			return rc;
		x->stored = x->chain->c.last_cseq;
		for (size_t i = 0; i < x->n; i++)
			bytes += x->header[i].n + x->payload[i].n;
	}
	return sat_srv_commit(s, e);
}

static sat_rc
group(sat_server *s, sat_server_job *jobs, size_t n, size_t *done, sat_err *e)
{
	push *p;
	sat_rc rc;

	if ((rc = sat_srv_begin(s, e)) != SAT_OK)
		return rc;
	p = sat_arena_alloc(&s->push, n * sizeof *p);
	memset(p, 0, n * sizeof *p);
	for (size_t i = 0; i < n; i++)
		p[i] = (push){ .s = s, .job = &jobs[i] };
	if ((rc = run(s, p, n, done, e)) != SAT_OK) {
		sat_srv_rollback(s);
		return rc;
	}
	for (size_t i = 0; i < *done; i++) {
		if (p[i].err.rc == SAT_OK)
			sat_srv_pushed(s, p[i].job->session,
			    p[i].m.incarnation, p[i].stored);
		answer(&p[i]);
	}
	return SAT_OK;
}

sat_rc
sat_srv_push(sat_server *s, sat_server_job *jobs, size_t n, sat_err *e)
{
	size_t i = 0, done, most = n;
	sat_err why = { 0 };
	sat_rc rc;

	while (i < n) {
		rc = group(s, jobs + i, n - i < most ? n - i : most, &done,
		    &why);
		sat_arena_reset(&s->push); /* all of it is answered */
		if (rc == SAT_EFSYNC) {
			if (e != NULL)
				*e = why;
			return rc;
		}
		if (rc == SAT_OK) {
			i += done;
		} else if (most > 1 && n - i > 1) {
			/* What failed may lie in one of them: each alone. */
			most = 1;
		} else {
			why.rc = rc;
			sat_msg_write_error(jobs[i++].reply, &why);
		}
	}
	return SAT_OK;
}
