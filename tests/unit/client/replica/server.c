/* The server of the fixture: a log, a fold, numbers, pages and snapshots. */
#include "tests/lib/unit.h"

#include "client/replica/replica.h"
#include "common/crypto/crypto.h"
#include "common/git/git.h"
#include "protocol/sealed.h"
#include "tests/unit/client/replica/fixture.h"

sat_record *
srv_find(server *s, const sat_id *id)
{
	for (size_t i = 0; i < s->nrecs; i++)
		if (sat_id_eq(&s->recs[i].id, id))
			return &s->recs[i];
	return NULL;
}

static sat_op *
srv_copy_ops(server *s, const sat_op *ops, size_t n)
{
	sat_op *o = sat_arena_dup(&s->mem, ops, n * sizeof *ops);

	for (size_t i = 0; i < n; i++) {
		o[i].value = sat_value_dup(&s->mem, o[i].value);
		if (o[i].ndots > 0)
			o[i].dots = sat_arena_dup(&s->mem, o[i].dots,
			    o[i].ndots * sizeof *o[i].dots);
	}
	return o;
}

bool
srv_leads(server *s, sat_id from, sat_id to)
{
	sat_record *r = srv_find(s, &from);

	for (int hop = 0; hop < 64 && r != NULL && !sat_id_eq(&r->id, &to);
	    hop++)
		r = sat_record_redirect(&from, r) ? srv_find(s, &from) : NULL;
	return r != NULL;
}

/* What follows redirects, as they are before the commit: appended (P-171). This
 * server merges what it is told; into nothing, or in circles, leads nowhere. */
static void
srv_plan_echoes(server *s, sat_commit *c)
{
	sat_op *ops = sat_arena_alloc(&s->mem, c->nops * 9 * sizeof *ops);
	size_t n = c->nops;

	memcpy(ops, c->ops, n * sizeof *ops);
	for (size_t i = 0; i < c->nops; i++) {
		sat_record *r = srv_find(s, &ops[i].rec);
		sat_id to;

		for (int hop = 0; hop < 8 && r != NULL &&
		    sat_op_is_content(&ops[i]) && sat_record_redirect(&to, r) &&
		    (r = srv_find(s, &to)) != NULL; hop++) {
			ops[n] = ops[i];
			ops[n++].rec = to;
		}
	}
	c->nechoes = n - c->nops;
	c->ops = ops;
	c->nops = n;
}

uint64_t
srv_accept(fixture *f, const sat_commit *in)
{
	server *s = &f->srv;
	sat_commit *c;
	sat_err err;

	if (s->n == s->cap) {
		s->cap = s->cap * 2 + 64;
		s->log = sat_xrealloc(s->log, s->cap * sizeof *s->log);
	}
	c = &s->log[s->n++];
	*c = *in;
	c->ops = srv_copy_ops(s, in->ops, in->nops);
	srv_plan_echoes(s, c);
	c->lsn = s->n;
	assert_in_range(c->device, 1, 15);
	c->eff = in->hlc > s->prev[c->device] ||
	    (in->flags & SAT_CF_MOVED) != 0 ? in->hlc : /* P-325 */
	    s->prev[c->device] + 1;
	if (c->eff > s->prev[c->device])
		s->prev[c->device] = c->eff;
	if (c->eff > s->eff)
		s->eff = c->eff;
	for (size_t i = 0; i < c->nops; i++) {
		sat_apply_ctx ctx = { { c->eff, c->device, c->lsn },
			i < c->nops - c->nechoes ?
			sat_op_seen(c, &c->ops[i]) : 0,
			i < c->nops - c->nechoes &&
			(c->flags & SAT_CF_MOVED) != 0, NULL };
		sat_record *rec = srv_find(s, &c->ops[i].rec);
		sat_applied got;

		if (rec == NULL) {
			assert_int_equal(SAT_OP_NEW, c->ops[i].kind);
			assert_true(s->nrecs < SERVER_RECORDS);
			rec = &s->recs[s->nrecs++];
			memset(rec, 0, sizeof *rec);
			rec->eid = (uint32_t)s->nrecs;
		}
		assert_ok(sat_record_apply(&got, rec, &s->mem,
		    sat_replica_template(f->r), &c->ops[i], &ctx, &err));
		sat_record_applied(rec, got.outcome, c->lsn);
		c->ops[i].eid = rec->eid;
	}
	return c->lsn;
}

uint64_t
srv_foreign(fixture *f, sat_id subject, sat_op *ops, size_t n, uint64_t seen)
{
	static uint64_t cseq;
	sat_commit c = { .device = OTHER, .incarnation = 1, .cseq = ++cseq,
		.seen = seen, .actor = 2, .subject = subject, .nops = n,
		.ops = ops };

	f->now_ms += 1000;
	f->boot_ms += 1000;
	c.hlc = sat_hlc_of_ms(f->now_ms);
	return srv_accept(f, &c);
}

uint64_t
srv_foreign_text(fixture *f, sat_id id, uint16_t field, const char *v,
    uint64_t seen)
{
	sat_op o = op(f->account, field == F_NAME || field == F_PHONE ?
	    SAT_OP_MVSET : SAT_OP_SET, id, field, text(v));

	return srv_foreign(f, id, &o, 1, seen);
}

/* A kiosk's push: every box is opened, and fits its header (P-360, P-361). */
static void
srv_open(fixture *f, sat_commit **got, size_t *m, sat_arena *a,
    const sat_commit *c, size_t n)
{
	sat_buf b = { 0 };
	sat_err err;

	sat_sealed_write(&b, c, n);
	assert_ok(sat_sealed_read(got, m, a, sat_span_of(sat_arena_dup(a, b.p,
	    b.n), b.n), &err));
	for (size_t i = 0; i < *m; i++) {
		sat_commit *x = &(*got)[i];
		uint8_t hash[SAT_HASH_BYTES];
		sat_span payload;

		sat_buf_reset(&b);
		assert_true(sat_box_open(&b, x->box, f->box_sk));
		payload = sat_span_of(sat_arena_dup(a, b.p, b.n), b.n);
		sat_hash(hash, payload);
		assert_memory_equal(hash, x->payload_hash, sizeof hash);
		assert_ok(sat_commit_read_payload(x, a, payload, &err));
		f->boxes++;
	}
	sat_buf_fini(&b);
}

size_t
srv_push(fixture *f, bool lose)
{
	server *s = &f->srv;
	sat_arena a = { 0 };
	sat_push push = { 0 };
	sat_commit *c, *got;
	sat_verdict *v;
	sat_eid_pair *pairs;
	sat_verdicts vs = { 0 };
	sat_buf b = { 0 };
	size_t n, m;
	sat_err err;

	assert_ok(f->ops.outbox(f->ops.u, &a, &push, &c, &n, 0, &err));
	if (n == 0) {
		sat_arena_fini(&a);
		return 0;
	}
	if (push.sealed) {
		srv_open(f, &got, &m, &a, c, n);
	} else {
		assert_ok(sat_batch_write(&b, SAT_BATCH_PUSH, c, n, &err));
		assert_ok(sat_batch_read(&got, &m, &a, SAT_BATCH_PUSH,
		    sat_buf_span(&b), &err));
	}
	assert_int_equal(n, m);
	v = sat_arena_alloc(&a, n * sizeof *v);
	pairs = sat_arena_alloc(&a, SERVER_RECORDS * sizeof *pairs);
	memset(v, 0, n * sizeof *v);
	for (size_t i = 0; i < n; i++) {
		sat_commit *x = &got[i];

		x->device = DEV;
		x->incarnation = push.incarnation;
		x->cseq = push.first_cseq + i;
		v[i].cseq = x->cseq;
		if (sat_id_zero(&x->subject)) {
			assert_in_range(x->subject_eid, 1, s->nrecs);
			x->subject = s->recs[x->subject_eid - 1].id;
		}
		for (size_t j = 0; j < x->nops; j++)
			if (sat_id_zero(&x->ops[j].rec)) {
				assert_in_range(x->ops[j].eid, 1, s->nrecs);
				x->ops[j].rec = s->recs[x->ops[j].eid - 1].id;
			}
		for (size_t j = 0; j < s->n; j++) /* seen before */
			if (s->log[j].device == DEV &&
			    s->log[j].incarnation == push.incarnation &&
			    s->log[j].cseq == x->cseq) {
				v[i].lsn = s->log[j].lsn;
				v[i].eff = s->log[j].eff;
			}
		if (v[i].lsn == 0 && s->refuse != NULL && s->refuse(x)) {
			v[i].code = s->slug != NULL ? SAT_VD_PARKED :
			    SAT_VD_REJECTED;
			v[i].slug = sat_span_str(s->slug != NULL ? s->slug :
			    "denied");
			v[i].hint = sat_span_str("ASK_MANAGER");
			continue;
		}
		if (v[i].lsn == 0) {
			v[i].lsn = srv_accept(f, x);
			v[i].eff = s->log[s->n - 1].eff;
		}
		for (size_t j = 0; j < x->nops; j++)
			if (x->ops[j].kind == SAT_OP_NEW)
				pairs[vs.neids++] = (sat_eid_pair){
					x->ops[j].rec,
					srv_find(s, &x->ops[j].rec)->eid };
	}
	vs.v = v;
	vs.n = n;
	vs.eids = pairs;
	if (!lose)
		assert_ok(f->ops.verdicts(f->ops.u, push.incarnation, &vs,
		    &err));
	sat_buf_fini(&b);
	sat_arena_fini(&a);
	return n;
}

/* The entry without what is said of the customer that is away; @return true:
 * something was. */
static bool
srv_in_part(sat_commit *c, server *s)
{
	sat_op *ops;
	size_t n = 0;

	if (sat_id_zero(&s->away))
		return false;
	ops = sat_arena_alloc(&s->mem, (c->nops + 1) * sizeof *ops);
	for (size_t i = 0; i < c->nops; i++)
		if (!sat_id_eq(&c->ops[i].rec, &s->away))
			ops[n++] = c->ops[i];
	if (n == c->nops)
		return false;
	c->ops = ops;
	c->nops = n;
	return true;
}

sat_rc
srv_page(fixture *f, uint64_t upto, bool full_own, sat_rescope *rs, size_t nrs,
    const sat_record *recs, size_t nrecs, sat_err *e)
{
	server *s = &f->srv;
	sat_commit *list = sat_xcalloc(s->n + 1, sizeof *list);
	sat_buf b = { 0 }, rb = { 0 };
	sat_delta d = { .upto = upto, .head = s->n, .scope_head = s->n,
		.max_eff = s->eff, .rescopes = rs, .nrescopes = nrs };
	uint64_t cursor;
	size_t n = 0;
	sat_rc rc;

	assert_rc(SAT_OK, f->ops.cursor(f->ops.u, &cursor, e));
	for (size_t i = 0; i < s->n; i++) {
		if (s->log[i].lsn <= cursor || s->log[i].lsn > upto ||
		    (!sat_id_zero(&s->away) &&
		    sat_id_eq(&s->log[i].subject, &s->away)))
			continue;
		list[n] = s->log[i];
		list[n].own = !srv_in_part(&list[n], s) &&
		    s->log[i].device == DEV && !full_own &&
		    s->log[i].nechoes == 0 &&
		    s->log[i].incarnation ==
		    sat_replica_identity_get(f->r)->incarnation;
		if (list[n].own)
			list[n].nops = 0;
		n++;
	}
	if (n > 0)
		assert_rc(SAT_OK, sat_batch_write(&b, SAT_BATCH_PULL, list, n,
		    e));
	if (nrecs > 0)
		assert_rc(SAT_OK, sat_records_write(&rb, recs, nrecs, e));
	d.batch = sat_buf_span(&b);
	d.records = sat_buf_span(&rb);
	rc = f->ops.delta(f->ops.u, &d, e);
	sat_buf_fini(&b);
	sat_buf_fini(&rb);
	free(list);
	return rc;
}

void
srv_pull(fixture *f)
{
	sat_err err;

	assert_ok(srv_page(f, f->srv.n, false, NULL, 0, NULL, 0, &err));
}

void
srv_sync(fixture *f)
{
	while (srv_push(f, false) > 0)
		;
	srv_pull(f);
}

void
srv_snapshot(fixture *f, size_t per_chunk)
{
	server *s = &f->srv;
	bool wanted;
	uint64_t after;
	sat_err err;

	for (;;) {
		sat_chunk c = { .lsn = s->n, .max_eff = s->eff,
			.total = s->nrecs };
		sat_buf b = { 0 };
		size_t n;

		assert_ok(f->ops.snap_state(f->ops.u, &wanted, &after, &err));
		if (!wanted)
			return;
		n = s->nrecs - after < per_chunk ? s->nrecs - after : per_chunk;
		if (n > 0)
			assert_ok(sat_records_write(&b, s->recs + after, n,
			    &err));
		c.records = sat_buf_span(&b);
		c.next = after + (uint32_t)n;
		c.done = c.next == s->nrecs;
		sat_hash(c.hash, c.records);
		assert_ok(f->ops.chunk(f->ops.u, &c, &err));
		sat_buf_fini(&b);
	}
}

typedef struct dump_check {
	server *s;
	size_t n;
} dump_check;

static void
check_dumped(void *u, const sat_id *id, sat_span state)
{
	dump_check *d = u;
	sat_record *rec = srv_find(d->s, id);
	sat_buf b = { 0 };

	assert_non_null(rec);
	sat_record_write(&b, rec);
	if (!sat_span_eq(sat_buf_span(&b), state))
		fail_msg("record %u differs from the server's", rec->eid);
	sat_buf_fini(&b);
	d->n++;
}

void
assert_same_as_server(fixture *f)
{
	dump_check d = { &f->srv, 0 };
	sat_err err;

	assert_ok(sat_replica_dump(f->r, check_dumped, &d, &err));
	assert_int_equal(f->srv.nrecs, d.n);
}
