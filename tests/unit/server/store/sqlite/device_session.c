/* A device in a session: what the machine asks of it, and single questions. */
#include "tests/lib/unit.h"

#include "protocol/client.h"
#include "protocol/server.h"
#include "server/store/sqlite/store.h"
#include "tests/unit/server/store/sqlite/device.h"

/* ---- what the session asks ----------------------------------------------- */

static sat_rc
op_hello(void *u, sat_hello *out, sat_err *e)
{
	device *d = u;

	(void)e;
	*out = (sat_hello){ .proto_min = SAT_PROTO_MIN,
		.proto_max = SAT_PROTO_VERSION,
		.device = d->ord, .incarnation = d->incarnation,
		.cursor = d->cursor, .epoch = d->epoch,
		.registry_rev = d->registry_rev, .answered = d->answered,
		.wall_ms = d->w->now_ms + d->skew_ms };
	memcpy(out->template_oid, d->w->oid, sizeof d->w->oid);
	return SAT_OK;
}

static sat_rc
op_welcome(void *u, const sat_welcome *w, int64_t sent, sat_err *e)
{
	device *d = u;
	bool waits = false;

	(void)sent;
	(void)e;
	for (size_t i = 0; i < d->nout; i++)
		waits |= d->out[i].state == 1;
	if (d->complete && !waits && d->cursor >= w->scope_head &&
	    d->cursor >= w->truncated && d->cursor != 0)
		d->cursor = w->head; /* as the replica does (P-187) */
	for (size_t i = 0; i < w->nanswers; i++) {
		assert_true(w->answers[i].lsn > d->answered);
		assert_true(d->nanswers < 8);
		d->answers[d->nanswers++] = w->answers[i];
	}
	if (w->nanswers > 0)
		d->answered = w->answers[w->nanswers - 1].lsn;
	return SAT_OK;
}

static sat_rc
op_registry(void *u, sat_span registry, sat_err *e)
{
	sat_registry r = { 0 };
	device *d = u;
	sat_rc rc = sat_registry_read(&r, registry, e);

	if (rc == SAT_OK)
		d->registry_rev = r.rev;
	sat_registry_fini(&r);
	return rc;
}

static sat_rc
op_template(void *u, const uint8_t *tip, sat_span bundle, sat_err *e)
{
	(void)u;
	(void)tip;
	(void)bundle;
	return sat_fail(e, SAT_EFAIL, "no template was asked for");
}

/* The box of a commit; of the spoilt one, what nobody opens. */
static sat_span
device_box(device *d, const sat_commit *c, sat_arena *a)
{
	sat_buf payload = { 0 }, box = { 0 };
	uint8_t pk[SAT_BOX_PK_BYTES];
	sat_span s;

	sat_box_keys(pk, d->w->box_sk);
	sat_commit_write_payload(&payload, c);
	assert_true(sat_box_seal(&box, sat_buf_span(&payload), pk));
	if (c->cseq == d->spoilt)
		box.p[box.n / 2] ^= 1;
	s = sat_span_of(sat_arena_dup(a, box.p, box.n), box.n);
	sat_buf_fini(&payload);
	sat_buf_fini(&box);
	return s;
}

sat_rc
op_outbox(void *u, sat_arena *a, sat_push *push, sat_commit **c, size_t *n,
    uint64_t from, sat_err *e)
{
	device *d = u;
	size_t i = 0;
	sat_buf b = { 0 };
	uint8_t head[SAT_HASH_BYTES];

	(void)e;
	*n = 0;
	while (i < d->nout && (from != 0 ? d->out[i].c.cseq < from :
	    d->out[i].state != 0))
		i++;
	if (i == d->nout)
		return SAT_OK;
	*c = sat_arena_alloc(a, (d->nout - i) * sizeof **c);
	push->incarnation = d->out[i].c.incarnation;
	push->first_cseq = d->out[i].c.cseq;
	memcpy(push->prev, d->out[i].c.prev, SAT_HASH_BYTES);
	for (; i < d->nout && (d->batch_max == 0 || *n < d->batch_max); i++) {
		if (d->out[i].c.incarnation != push->incarnation)
			break;
		(*c)[(*n)++] = d->out[i].c;
	}
	if (from != 0 && push->first_cseq > from)
		push->gap = SAT_GAP_GONE;
	push->sealed = d->seals;
	for (size_t k = 0; d->seals && k < *n; k++) {
		sat_commit sealed = (*c)[k];

		sat_commit_seal(&sealed, head);
		memcpy((*c)[k].payload_hash, sealed.payload_hash, sizeof
		    sealed.payload_hash);
		(*c)[k].box = device_box(d, &(*c)[k], a);
	}
	push->old = sat_arena_alloc(a, *n * sizeof *push->old);
	for (size_t k = 0; k < *n; k++) {
		const own *o = &d->out[i - *n + k];

		push->old[k] = (sat_old){ .n = o->old != 0, .at = { o->old },
			.nwas = o->was.cseq != 0, .was = { o->was } };
		if (push->old[k].n + push->old[k].nwas != 0)
			push->nold = *n;
	}
	{
		sat_commit last = (*c)[*n - 1];

		sat_commit_seal(&last, head);
	}
	sat_batch_sign_bytes(&b, &d->w->org, d->ord, push->incarnation,
	    push->first_cseq, push->first_cseq + *n - 1, head);
	sat_sign(push->sig, sat_buf_span(&b), d->sign_sk);
	sat_buf_fini(&b);
	return SAT_OK;
}

static own *
device_own(device *d, uint32_t inc, uint64_t cseq)
{
	for (size_t i = 0; i < d->nout; i++)
		if (d->out[i].c.incarnation == inc && d->out[i].c.cseq == cseq)
			return &d->out[i];
	return NULL;
}

static sat_rc
op_verdicts(void *u, uint32_t inc, const sat_verdicts *v, sat_err *e)
{
	device *d = u;

	(void)e;
	for (size_t i = 0; i < v->n; i++) {
		own *o = device_own(d, inc, v->v[i].cseq);

		assert_non_null(o);
		o->code = v->v[i].code;
		if (v->v[i].lsn == 0) {
			if (o->state == 0)
				o->state = 2;
			(void)snprintf(o->slug, sizeof o->slug, "%.*s",
			    (int)v->v[i].slug.n, (const char *)v->v[i].slug.p);
			continue;
		}
		/* a verdict is for ever */
		if (o->lsn != 0) {
			assert_int_equal(o->lsn, v->v[i].lsn);
			assert_int_equal(o->eff, v->v[i].eff);
			assert_true(sat_span_eq(sat_span_str(o->hint),
			    v->v[i].hint));
			continue;
		}
		if (o->state == 0)
			o->state = 1;
		o->lsn = v->v[i].lsn;
		o->eff = v->v[i].eff;
		(void)snprintf(o->hint, sizeof o->hint, "%.*s",
		    (int)v->v[i].hint.n, (const char *)v->v[i].hint.p);
		o->hint_op = v->v[i].op;
		sat_hlc_learn(&d->hlc, o->eff);
	}
	for (size_t i = 0; i < v->neids; i++) {
		d->eids = sat_xrealloc(d->eids,
		    (d->neids + 1) * sizeof *d->eids);
		d->eids[d->neids++] = v->eids[i];
	}
	return SAT_OK;
}

static sat_rc
op_snap_state(void *u, bool *wanted, uint64_t *after, sat_err *e)
{
	device *d = u;

	(void)e;
	*wanted = !d->complete;
	*after = d->after;
	return SAT_OK;
}

static void
device_put_all(device *d, sat_span records)
{
	sat_arena a = { 0 };
	sat_record *r;
	sat_err err = { 0 };
	size_t n;

	if (records.n == 0)
		return;
	assert_ok(sat_records_read(&r, &n, &a, records, &err));
	for (size_t i = 0; i < n; i++) {
		assert_true(r[i].eid != 0);
		device_put(d, &r[i]);
	}
	sat_arena_fini(&a);
}

static sat_rc
op_chunk(void *u, const sat_chunk *c, sat_err *e)
{
	device *d = u;

	(void)e;
	if (!d->snapping)
		d->first_lsn = c->lsn;
	d->snapping = true;
	d->after = c->next;
	device_put_all(d, c->records);
	sat_hlc_learn(&d->hlc, c->max_eff);
	if (c->done) {
		d->complete = true;
		d->cursor = d->first_lsn;
	}
	return SAT_OK;
}

static sat_rc
op_cursor(void *u, uint64_t *cursor, sat_err *e)
{
	device *d = u;

	(void)e;
	*cursor = d->cursor;
	return SAT_OK;
}

sat_id
device_canon(device *d, sat_id id)
{
	sat_arena a = { 0 };
	sat_record r;
	sat_err err = { 0 };
	held *h;
	bool more;

	do {
		h = device_find(d, &id, 0);
		more = h != NULL && h->state.n > 0;
		if (more) {
			assert_ok(sat_record_read(&r, &a,
			    sat_buf_span(&h->state), &err));
			more = sat_record_redirect(&id, &r);
		}
	} while (more);
	sat_arena_fini(&a);
	return id;
}

static void
device_rescope(device *d, const sat_rescope *s)
{
	bool *below = sat_xcalloc(d->nrec + 1, sizeof *below);

	/* all of them first: what goes leads nowhere any more */
	for (size_t i = 0; i < d->nrec; i++) {
		sat_id root = device_canon(d, d->rec[i].root);

		below[i] = d->rec[i].used &&
		    (sat_id_eq(&d->rec[i].root, &s->root) ||
		    sat_id_eq(&root, &s->root));
	}
	for (size_t i = 0; i < d->nrec; i++) {
		held *h = &d->rec[i];
		bool keep = false;

		if (!below[i])
			continue;
		for (size_t k = 0; k < s->nheld && !keep; k++)
			keep = sat_id_eq(&h->id, &s->held[k]);
		h->used = keep;
	}
	free(below);
	if (s->nheld == 0)
		d->left++;
}

static sat_rc
op_delta(void *u, const sat_delta *m, sat_err *e)
{
	device *d = u;
	sat_arena a = { 0 };
	sat_commit *c = NULL;
	size_t n = 0;

	if (m->batch.n != 0 && sat_batch_read(&c, &n, &a, SAT_BATCH_PULL,
	    m->batch, e) != SAT_OK)
		return SAT_EPROTO;
	for (size_t i = 0; i < n; i++)
		if (c[i].own && device_own(d, d->incarnation, c[i].cseq) == NULL) {
			sat_arena_fini(&a);
			return sat_fail(e, SAT_ENOTFOUND, "own commit is gone");
		}
	device_put_all(d, m->records); /* they tell what stands below a root */
	for (size_t i = 0; i < m->nrescopes; i++)
		device_rescope(d, &m->rescopes[i]);
	for (size_t i = 0; i < n; i++) {
		const sat_commit *what = &c[i];

		assert_true(c[i].lsn > d->cursor && c[i].lsn <= m->upto);
		if (c[i].own) {
			what = &device_own(d, d->incarnation, c[i].cseq)->c;
			assert_int_equal(c[i].lsn, device_own(d, d->incarnation,
			    c[i].cseq)->lsn);
		}
		device_fold(d, what, c[i].lsn, c[i].eff,
		    c[i].own ? d->ord : c[i].device);
	}
	sat_hlc_learn(&d->hlc, m->max_eff);
	d->cursor = m->upto;
	for (size_t i = 0; i < d->nout; i++)
		if (d->out[i].state == 1 && d->out[i].lsn <= d->cursor)
			d->out[i].state = 3;
	sat_arena_fini(&a);
	return SAT_OK;
}

sat_client_ops
device_ops(device *d)
{
	return (sat_client_ops){ .u = d, .hello = op_hello,
		.welcome = op_welcome, .registry = op_registry,
		.template_ = op_template, .outbox = op_outbox,
		.verdicts = op_verdicts, .snap_state = op_snap_state,
		.chunk = op_chunk, .cursor = op_cursor, .delta = op_delta };
}

/* ---- life ---------------------------------------------------------------- */

sat_rc
device_enrol(device *d, const uint8_t token[16], sat_err *e)
{
	sat_msg m = { .type = SAT_MSG_ENROL };
	sat_buf q = { 0 }, reply = { 0 };
	sat_arena a = { 0 };
	sat_rc rc;

	m.u.enrol = (sat_enrol){ .proto_min = SAT_PROTO_MIN,
		.proto_max = SAT_PROTO_VERSION, .org = d->w->org,
		.name = sat_span_str("laptop"), .wall_ms = d->w->now_ms };
	memcpy(m.u.enrol.token, token, 16);
	memcpy(m.u.enrol.sign_pk, d->sign_pk, sizeof d->sign_pk);
	sat_msg_write(&q, &m);
	rc = sat_server_handle(d->w->server, &d->link, &reply,
	    sat_buf_span(&q), e);
	if (rc == SAT_OK && (rc = sat_msg_read(&m, &a, sat_buf_span(&reply),
	    e)) == SAT_OK) {
		if (m.type == SAT_MSG_ERROR) {
			rc = sat_msg_to_err(&m.u.error, e);
		} else {
			assert_int_equal(SAT_MSG_ENROLLED, m.type);
			d->ord = m.u.enrolled.device;
			d->user = m.u.enrolled.user;
		}
	}
	sat_arena_fini(&a);
	sat_buf_fini(&q);
	sat_buf_fini(&reply);
	return rc;
}

/* The machine never asks for small pages; a person of the tests does. */
static void
small_pages(device *d, sat_buf *q)
{
	sat_arena a = { 0 };
	sat_err err = { 0 };
	sat_msg m;

	if (d->page_bytes == 0 || q->p[0] != SAT_MSG_PULL)
		return;
	assert_ok(sat_msg_read(&m, &a, sat_buf_span(q), &err));
	m.u.pull.max_bytes = d->page_bytes;
	sat_buf_reset(q);
	sat_msg_write(q, &m);
	sat_arena_fini(&a);
}

sat_rc
device_sync_flags(device *d, unsigned flags, sat_err *e)
{
	sat_client_ops ops = device_ops(d);
	sat_clock clock = { world_now, world_now, d->w };
	sat_cs *cs = sat_cs_new(&ops, &clock, flags);
	sat_buf q = { 0 }, reply = { 0 };
	bool done = false;
	sat_rc rc;

	d->link.greeted = false;
	for (;;) {
		sat_buf_reset(&q);
		sat_buf_reset(&reply);
		if ((rc = sat_cs_next(cs, &q, &done, e)) != SAT_OK || done)
			break;
		small_pages(d, &q);
		if ((rc = sat_server_handle(d->w->server, &d->link, &reply,
		    sat_buf_span(&q), e)) != SAT_OK)
			break;
		assert_true(reply.n > 0 && reply.n <= SAT_FRAME_MAX);
		d->w->frames++;
		if ((rc = sat_cs_reply(cs, sat_buf_span(&reply), e)) != SAT_OK)
			break;
	}
	d->stats = *sat_cs_stats_get(cs);
	sat_cs_free(cs);
	sat_buf_fini(&q);
	sat_buf_fini(&reply);
	return rc;
}

void
device_sync(device *d)
{
	sat_err err = { 0 };

	assert_ok(device_sync_flags(d, 0, &err));
}

void
device_each(void (*what)(device *), device *const *d)
{
	for (; *d != NULL; d++)
		what(*d);
}

/* ---- single questions ---------------------------------------------------- */

void
device_frame(device *d, sat_buf *out, unsigned spoil)
{
	sat_msg m = { .type = SAT_MSG_PUSH };
	sat_buf batch = { 0 };
	sat_arena a = { 0 };
	sat_commit *c;
	sat_err err = { 0 };
	size_t n;

	assert_ok(op_outbox(d, &a, &m.u.push, &c, &n, 1, &err));
	if (spoil == 1)
		m.u.push.sig[3] ^= 1;
	if (spoil == 2)
		c[0].salt[0] ^= 1;
	if (spoil == 3)
		m.u.push.prev[0] ^= 1;
	assert_ok(sat_batch_write(&batch, SAT_BATCH_PUSH, c, n, &err));
	m.u.push.batch = sat_buf_span(&batch);
	sat_msg_write(out, &m);
	sat_buf_fini(&batch);
	sat_arena_fini(&a);
}

sat_rc
device_ask(device *d, sat_span frame, sat_buf *reply, sat_msg *m, sat_arena *a,
    sat_err *e)
{
	sat_rc rc;

	sat_buf_reset(reply);
	if ((rc = sat_server_handle(d->w->server, &d->link, reply, frame, e)) !=
	    SAT_OK || (rc = sat_msg_read(m, a, sat_buf_span(reply), e)) !=
	    SAT_OK)
		return rc;
	return m->type == SAT_MSG_ERROR ? sat_msg_to_err(&m->u.error, e) :
	    SAT_OK;
}

sat_rc
device_say(sat_msg *m, sat_arena *a, device *d, sat_err *e)
{
	sat_buf q = { 0 }, reply = { 0 };
	sat_span bytes;
	sat_rc rc;

	memset(e, 0, sizeof *e);
	sat_msg_write(&q, m);
	rc = device_ask(d, sat_buf_span(&q), &reply, m, a, e);
	if (rc == SAT_OK) { /* the reply goes */
		bytes = sat_span_of(sat_arena_dup(a, reply.p, reply.n),
		    reply.n);
		rc = sat_msg_read(m, a, bytes, e);
	}
	sat_buf_fini(&q);
	sat_buf_fini(&reply);
	return rc;
}

uint64_t
world_head(world *w)
{
	sat_sqlite_status s;
	sat_err err = { 0 };

	assert_ok(sat_sqlite_status_get(&s, w->store, &err));
	return s.lsn;
}
