/*
 * device.h - a device in memory for tests of the server: it writes commits,
 * runs the real client session machine against a server core, and keeps the
 * server's states of what it holds. No view, no SQL, no files.
 */
#ifndef SAT_TESTS_DEVICE_H
#define SAT_TESTS_DEVICE_H

#include "tests/lib/unit.h"

#include "common/template/gate.h"
#include "protocol/client.h"
#include "protocol/server.h"
#include "server/store/sqlite/store.h"

/* no test uses all of it */
#pragma GCC diagnostic ignored "-Wunused-function"

/* ids of the base template */
enum {
	K_ACCOUNT = 1, K_CONTACT = 2, K_ACTIVITY = 3, K_OPP = 4,
	A_NUMBER = 1, A_NAME = 2, A_SECTOR = 6, A_PHONE = 9, A_STAGE = 17, A_TAGS = 21,
	A_REMARK = 22, A_VISITS = 25, A_OWNER = 28, A_AMOUNT = 26,
	C_ACCOUNT = 1, C_NAME = 2, C_TITLE = 3,
	T_ACCOUNT = 1, T_POINTS = 8,
	O_ACCOUNT = 1, O_NAME = 2, O_AMOUNT = 3, O_OWNER = 5, O_REMARK = 15,
};

/* ---- the world: one server over one file ----------------------------------------- */

typedef struct world {
	char *dir, *path;
	sat_sqlite_store *store;
	sat_server *server;
	uint8_t server_sk[SAT_SIGN_SK_BYTES], box_sk[SAT_BOX_SK_BYTES];
	sat_template *t;
	int64_t now_ms;
	sat_id org;
	uint8_t oid[SAT_TEMPLATE_OID_BYTES];
	uint64_t rand;
	uint8_t next_token;
	/* a store that fails on purpose */
	sat_store real;
	sat_rc fail_commit;
	unsigned long frames;
} world;

static int64_t
world_now(void *u)
{
	return ((world *)u)->now_ms;
}

static const sat_template *
world_template_at(void *u, const uint8_t oid[SAT_TEMPLATE_OID_BYTES])
{
	world *w = u;

	return memcmp(oid, w->oid, sizeof w->oid) == 0 ? w->t : NULL;
}

static void
world_tip(void *u, uint8_t oid[SAT_TEMPLATE_OID_BYTES])
{
	memcpy(oid, ((world *)u)->oid, SAT_TEMPLATE_OID_BYTES);
}

static sat_rc
world_bundle(void *u, sat_buf *out, const uint8_t *tip, const uint8_t *have,
    sat_err *e)
{
	(void)tip;
	(void)u;
	(void)have;
	(void)e;
	sat_buf_str(out, "bundle");
	return SAT_OK;
}

static sat_rc
world_commit(void *u, sat_err *e)
{
	world *w = u;

	if (w->fail_commit != SAT_OK) {
		w->real.rollback(w->real.u);
		return sat_fail(e, w->fail_commit, "planned failure");
	}
	return w->real.commit(w->real.u, e);
}

static sat_rc
world_begin(void *u, sat_err *e)
{
	world *w = u;

	return w->real.begin(w->real.u, e);
}

static void
world_rollback(void *u)
{
	world *w = u;

	w->real.rollback(w->real.u);
}

/* begin, commit and rollback go through the world, the rest straight: the
 * store's `u` is swapped in by these three only, so the table keeps the
 * store's own and we find the world in a static. */
static world *the_world;
static sat_rc
hook_begin(void *u, sat_err *e)
{
	(void)u;
	return world_begin(the_world, e);
}
static sat_rc
hook_commit(void *u, sat_err *e)
{
	(void)u;
	return world_commit(the_world, e);
}
static void
hook_rollback(void *u)
{
	(void)u;
	world_rollback(the_world);
}

static sat_rc
world_sign(void *u, uint8_t sig[SAT_SIG_BYTES], sat_span bytes, sat_err *e)
{
	const world *w = u;

	(void)e;
	sat_sign(sig, bytes, w->server_sk);
	return SAT_OK;
}

static bool
world_unseal(void *u, sat_buf *out, sat_span box)
{
	return sat_box_open(out, box, ((world *)u)->box_sk);
}

static void
world_start(world *w)
{
	sat_sqlite_store_opts o = { .path = w->path, .create = true,
		.rec_window = 8,
		.clock = { world_now, world_now, w } };
	sat_server_env env = { .clock = o.clock, .org = w->org,
		.org_name = "Test", .template_at = world_template_at,
		.template_tip = world_tip, .template_bundle = world_bundle,
		.sign = world_sign, .unseal = world_unseal, .rand = sat_rand_os(), .u = w };
	uint8_t seed[32];
	sat_err err = { 0 };

	memset(seed, 9, sizeof seed);
	memset(w->box_sk, 4, sizeof w->box_sk);
	sat_sign_keys(env.server_pk, w->server_sk, seed);

	assert_ok(sat_sqlite_store_open(&w->store, &o, &err));
	w->real = sat_sqlite_store_ops(w->store);
	env.store = w->real;
	env.store.begin = hook_begin;
	env.store.commit = hook_commit;
	env.store.rollback = hook_rollback;
	assert_ok(sat_server_new(&w->server, &env, &err));
}

static void
world_stop(world *w)
{
	sat_server_free(w->server);
	sat_sqlite_store_close(w->store);
	w->server = NULL;
	w->store = NULL;
}

static world *
world_new(uint64_t seed)
{
	world *w = sat_xcalloc(1, sizeof *w);
	const sat_template_file *files;
	sat_err err = { 0 };
	size_t n;

	sat_crypto_init();
	the_world = w;
	w->rand = seed;
	w->now_ms = 1800000000000;
	w->org = sat_id_make(1, 0, (const uint8_t *)"orgorgor");
	memset(w->oid, 7, sizeof w->oid);
	files = sat_template_base(&n);
	assert_ok(sat_template_load(&w->t, files, n, &err));
	w->dir = sat_test_dir();
	w->path = sat_xasprintf("%s/server.db", w->dir);
	world_start(w);
	return w;
}

static void
world_free(world *w)
{
	world_stop(w);
	sat_template_free(w->t);
	sat_test_rmdir(w->dir);
	free(w->path);
	free(w);
}

static void
world_user(world *w, const char *key, const char *role, const char *team)
{
	sat_err err = { 0 };
	uint32_t ord;

	assert_ok(sat_sqlite_user_add(&ord, w->store, key, key, role, team,
	    &err));
	assert_ok(sat_server_reload(w->server, &err));
}

static void
world_team(world *w, const char *key)
{
	sat_err err = { 0 };
	uint32_t ord;

	assert_ok(sat_sqlite_team_add(&ord, w->store, key, key, NULL, &err));
	assert_ok(sat_server_reload(w->server, &err));
}

/* Two teams with a manager each, headquarters, an administrator. */
static world *
world_company(uint64_t seed)
{
	world *w = world_new(seed);

	world_team(w, "north");
	world_team(w, "south");
	world_user(w, "ann", "rep", "north");
	world_user(w, "bob", "rep", "north");
	world_user(w, "sue", "rep", "south");
	world_user(w, "max", "manager", "north");
	world_user(w, "mia", "manager", "south");
	world_user(w, "hq", "hq", NULL);
	world_user(w, "root", "admin", NULL);
	return w;
}

/* ---- a device ----------------------------------------------------------------------- */

typedef struct held {
	sat_id id, root;
	uint32_t eid;
	sat_buf state;
	bool used;
	uint64_t mark; /* the commit that touches it now */
	bool skip;     /* the state came with that commit in it already */
} held;

typedef struct own {
	sat_commit c;
	int state;  /* 0 waits, 1 accepted, 2 refused, 3 done */
	uint64_t lsn;
	sat_hlc eff;
	sat_verdict_code code;
	char slug[40], hint[60];
	uint32_t hint_op; /* of an accepted one */
	uint64_t old; /* its LSN on a server that was lost */
} own;

typedef struct device {
	world *w;
	sat_server_session link;
	uint8_t sign_sk[SAT_SIGN_SK_BYTES], sign_pk[SAT_SIGN_PK_BYTES];
	char user_key[65];
	uint32_t ord, user, incarnation;
	sat_arena mem;
	own *out;
	size_t nout, cap;
	uint8_t head[SAT_HASH_BYTES]; /* after out[nout-1] */
	sat_hlc_state hlc;
	int64_t skew_ms;
	held *rec;
	size_t nrec, rec_cap;
	uint64_t cursor, registry_rev, first_lsn, epoch;
	bool complete, snapping;
	uint64_t after;
	uint64_t seen_eff;
	size_t batch_max; /* commits per push; 0 = all */
	uint32_t page_bytes; /* asked for in PULL; 0 = the usual */
	sat_eid_pair *eids; /* told by verdicts, for own commits that come back */
	size_t neids;
	bool seals;       /* pushes boxes, as a kiosk does (P-361) */
	uint64_t spoilt;  /* the cseq whose box arrives broken; 0 = none */
	uint64_t left;    /* rescopes that took a root away */
	uint64_t answered; /* what WELCOMEs said of suggestions (P-323) */
	sat_answer answers[8];
	size_t nanswers;
	sat_cs_stats stats;
} device;

static held *
device_find(device *d, const sat_id *id, uint32_t eid)
{
	for (size_t i = 0; i < d->nrec; i++)
		if (d->rec[i].used && (eid != 0 ? d->rec[i].eid == eid :
		    sat_id_eq(&d->rec[i].id, id)))
			return &d->rec[i];
	return NULL;
}

static held *
device_add(device *d, const sat_id *id)
{
	held *h = NULL;

	for (size_t i = 0; i < d->nrec && h == NULL; i++)
		if (!d->rec[i].used)
			h = &d->rec[i];
	if (h == NULL) {
		if (d->nrec == d->rec_cap) {
			d->rec_cap = d->rec_cap == 0 ? 64 : d->rec_cap * 2;
			d->rec = sat_xrealloc(d->rec, d->rec_cap * sizeof *d->rec);
		}
		h = &d->rec[d->nrec++];
		memset(h, 0, sizeof *h);
	}
	h->used = true;
	h->id = *id;
	h->root = *id;
	h->eid = 0;
	sat_buf_reset(&h->state);
	return h;
}

static void
device_put(device *d, const sat_record *r)
{
	held *h = device_find(d, &r->id, 0);
	sat_value parent = sat_v_null();

	if (h == NULL)
		h = device_add(d, &r->id);
	if (r->eid != 0)
		h->eid = r->eid;
	if (r->kind != K_ACCOUNT)
		parent = sat_record_value(r, 1); /* the parent of all kinds */
	if (parent.type == SAT_V_BYTES)
		memcpy(h->root.b, parent.s.p, 16);
	sat_buf_reset(&h->state);
	sat_record_write(&h->state, r);
}


static void
device_fold_op(device *d, const sat_op *op, uint64_t seen, uint64_t lsn,
    sat_hlc eff, uint32_t dev, bool moved, sat_arena *a)
{
	sat_apply_ctx ctx = { { eff, dev, lsn }, seen, moved };
	held *h = NULL;
	sat_record r = { 0 };
	sat_applied out;
	sat_op fixed = *op;
	sat_err err = { 0 };

	if (op->eid != 0)
		h = device_find(d, NULL, op->eid);
	if (h == NULL && !sat_id_zero(&op->rec))
		h = device_find(d, &op->rec, 0);
	if (h == NULL && op->kind != SAT_OP_NEW)
		return; /* comes whole with a later rescope */
	if (h == NULL) {
		h = device_add(d, &op->rec);
		for (size_t i = 0; i < d->neids; i++)
			if (sat_id_eq(&d->eids[i].id, &op->rec))
				h->eid = d->eids[i].eid;
		h->mark = lsn;
		h->skip = false;
	} else {
		assert_ok(sat_record_read(&r, a, sat_span_of(sat_arena_dup(a,
		    h->state.p, h->state.n), h->state.n), &err));
		if (h->mark != lsn) {
			h->mark = lsn;
			h->skip = r.rlsn >= lsn;
		}
		if (h->skip)
			return;
	}
	fixed.rec = h->id;
	r.eid = op->eid != 0 ? op->eid : h->eid;
	assert_ok(sat_record_apply(&out, &r, a, d->w->t, &fixed, &ctx, &err));
	sat_record_applied(&r, out.outcome, lsn);
	device_put(d, &r);
}

static void
device_fold(device *d, const sat_commit *c, uint64_t lsn, sat_hlc eff,
    uint32_t dev)
{
	sat_arena a = { 0 };

	for (size_t i = 0; i < c->nops; i++)
		device_fold_op(d, &c->ops[i], i < c->nops - c->nechoes ?
		    c->seen : 0, lsn, eff, dev, i < c->nops - c->nechoes &&
		    (c->flags & SAT_CF_MOVED) != 0, &a);
	sat_arena_fini(&a);
}

/* ---- what the session asks ------------------------------------------------------------ */

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

static sat_rc
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
		push->old[k].at[0] = d->out[i - *n + k].old;
		push->old[k].n = push->old[k].at[0] != 0;
		if (push->old[k].n != 0)
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

/* Where a record leads by the states the device holds. */
static sat_id
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

static sat_client_ops
device_ops(device *d)
{
	return (sat_client_ops){ .u = d, .hello = op_hello,
		.welcome = op_welcome, .registry = op_registry,
		.template_ = op_template, .outbox = op_outbox,
		.verdicts = op_verdicts, .snap_state = op_snap_state,
		.chunk = op_chunk, .cursor = op_cursor, .delta = op_delta };
}

/* ---- life --------------------------------------------------------------------------------- */

static sat_rc
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

static device *
device_new(world *w, const char *user)
{
	device *d = sat_xcalloc(1, sizeof *d);
	uint8_t token[16] = { 0 }, seed[32];
	sat_err err = { 0 };

	d->w = w;
	d->incarnation = 1;
	token[0] = ++w->next_token;
	memset(seed, token[0], sizeof seed);
	sat_sign_keys(d->sign_pk, d->sign_sk, seed);
	memset(d->link.channel_pk, token[0], 32);
	(void)snprintf(d->user_key, sizeof d->user_key, "%s", user);
	assert_ok(sat_sqlite_invite_add(w->store, token, user,
	    w->now_ms + 60000, &err));
	assert_ok(device_enrol(d, token, &err));
	return d;
}

static void
device_free(device *d)
{
	for (size_t i = 0; i < d->rec_cap && i < d->nrec; i++)
		sat_buf_fini(&d->rec[i].state);
	free(d->rec);
	free(d->out);
	free(d->eids);
	sat_arena_fini(&d->mem);
	free(d);
}

static sat_id
device_id(device *d)
{
	uint64_t r = sat_test_rand(&d->w->rand);

	return sat_id_make(d->w->now_ms, d->ord, (const uint8_t *)&r);
}

/* Write one commit into the outbox; ops are copied. */
static own *
device_commit(device *d, const sat_id *subject, const sat_op *ops, size_t n)
{
	sat_commit c = { .org = d->w->org, .device = d->ord,
		.incarnation = d->incarnation, .actor = d->user,
		.subject = *subject, .seen = d->cursor, .nops = n };
	uint64_t salt[2] = { sat_test_rand(&d->w->rand), 1 };

	for (size_t i = 0; i < d->nout; i++)
		if (d->out[i].c.incarnation == d->incarnation)
			c.cseq = d->out[i].c.cseq;
	c.cseq++;
	c.hlc = sat_hlc_tick(&d->hlc, d->w->now_ms + d->skew_ms, d->w->now_ms);
	memcpy(c.template_oid, d->w->oid, sizeof c.template_oid);
	memcpy(c.prev, d->head, sizeof c.prev);
	memcpy(c.salt, salt, sizeof c.salt);
	c.ops = sat_arena_alloc(&d->mem, n * sizeof *c.ops);
	for (size_t i = 0; i < n; i++) {
		held *h = device_find(d, &ops[i].rec, 0);

		c.ops[i] = ops[i];
		c.ops[i].value = sat_value_dup(&d->mem, ops[i].value);
		if (h != NULL)
			c.ops[i].eid = h->eid; /* as the replica will */
	}
	sat_commit_seal(&c, d->head);
	if (d->nout == d->cap) {
		d->cap = d->cap == 0 ? 64 : d->cap * 2;
		d->out = sat_xrealloc(d->out, d->cap * sizeof *d->out);
	}
	memset(&d->out[d->nout], 0, sizeof *d->out);
	d->out[d->nout].c = c;
	return &d->out[d->nout++];
}

/* What waits goes on under another incarnation: same payload and stamp, as the
 * replica moves it after a fork. */
static void
device_move(device *d, uint32_t incarnation)
{
	uint64_t cseq = 0;

	d->incarnation = incarnation;
	memset(d->head, 0, sizeof d->head);
	for (size_t i = 0; i < d->nout; i++) {
		sat_commit *c = &d->out[i].c;

		if (d->out[i].state != 0)
			continue;
		c->incarnation = incarnation;
		c->cseq = ++cseq;
		memcpy(c->prev, d->head, sizeof c->prev);
		sat_commit_seal(c, d->head);
	}
}

static sat_op
op_set(const sat_id *rec, uint16_t kind, sat_op_kind op, uint16_t field,
    sat_value v)
{
	return (sat_op){ .kind = op, .rtype = kind, .field = field,
		.rec = *rec, .value = v };
}

static sat_value
txt(const char *s)
{
	return sat_v_text(sat_span_str(s));
}

static sat_id
device_account(device *d, const char *name, const char *owner)
{
	sat_id id = device_id(d);
	sat_op ops[] = {
		op_set(&id, K_ACCOUNT, SAT_OP_NEW, 0, sat_v_null()),
		op_set(&id, K_ACCOUNT, SAT_OP_MVSET, A_NAME, txt(name)),
		op_set(&id, K_ACCOUNT, SAT_OP_SET, A_OWNER, txt(owner)),
	};

	(void)device_commit(d, &id, ops, 3);
	return id;
}

static sat_id
device_opp(device *d, const sat_id *account, const char *name,
    const char *owner)
{
	sat_id id = device_id(d);
	sat_op ops[] = {
		op_set(&id, K_OPP, SAT_OP_NEW, 0, sat_v_null()),
		op_set(&id, K_OPP, SAT_OP_SET, O_ACCOUNT, sat_v_id(account)),
		op_set(&id, K_OPP, SAT_OP_SET, O_NAME, txt(name)),
		op_set(&id, K_OPP, SAT_OP_SET, O_OWNER, txt(owner)),
	};

	(void)device_commit(d, account, ops, 4);
	return id;
}

static sat_id
device_activity(device *d, const sat_id *account, const char *points)
{
	sat_id id = device_id(d);
	sat_op ops[] = {
		op_set(&id, K_ACTIVITY, SAT_OP_NEW, 0, sat_v_null()),
		op_set(&id, K_ACTIVITY, SAT_OP_SET, T_ACCOUNT, sat_v_id(account)),
		op_set(&id, K_ACTIVITY, SAT_OP_SET, T_POINTS, txt(points)),
	};

	(void)device_commit(d, account, ops, 3);
	return id;
}

static own *
device_edit(device *d, const sat_id *subject, const sat_id *rec, uint16_t kind,
    sat_op_kind op, uint16_t field, sat_value v)
{
	sat_op o = op_set(rec, kind, op, field, v);

	return device_commit(d, subject, &o, 1);
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

/* One session, straight through. */
static sat_rc
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

static void
device_sync(device *d)
{
	sat_err err = { 0 };

	assert_ok(device_sync_flags(d, 0, &err));
}

/* ---- comparison ------------------------------------------------------------------------------ */

typedef struct dump {
	device *d;
	size_t n;
} dump;

static void
show(const char *who, sat_span state)
{
	sat_arena a = { 0 };
	sat_record r;
	sat_err err = { 0 };

	assert_ok(sat_record_read(&r, &a, state, &err));
	printf("%s: kind %u born %llx.%u.%llu rlsn %llu del %d%d %llx.%u.%llu seen %llu\n",
	    who, r.kind, (unsigned long long)r.born.hlc, r.born.dev,
	    (unsigned long long)r.born.lsn, (unsigned long long)r.rlsn,
	    r.deleted, r.with_edits, (unsigned long long)r.del_at.hlc,
	    r.del_at.dev, (unsigned long long)r.del_at.lsn,
	    (unsigned long long)r.del_seen);
	for (size_t i = 0; i < r.ncells; i++) {
		const sat_cell *c = &r.cells[i];

		printf("  %u = %d %lld %.*s at %llx.%u.%llu ext %zu\n",
		    c->field, c->value.type, (long long)c->value.i,
		    c->value.type == SAT_V_TEXT ? (int)c->value.s.n : 0,
		    (const char *)c->value.s.p, (unsigned long long)c->at.hlc,
		    c->at.dev, (unsigned long long)c->at.lsn, c->ext.n);
	}
	sat_arena_fini(&a);
}

static void
dump_cb(void *u, const sat_id *id, sat_span state)
{
	dump *p = u;
	held *h = device_find(p->d, id, 0);
	char text[SAT_ID_TEXT];

	p->n++;
	sat_id_text(text, id);
	if (h == NULL)
		fail_msg("%s lacks %s", p->d->user_key, text);
	if (!sat_span_eq(sat_buf_span(&h->state), state)) {
		show("device", sat_buf_span(&h->state));
		show("server", state);
	}
	if (!sat_span_eq(sat_buf_span(&h->state), state))
		fail_msg("%s has another state of %s", p->d->user_key, text);
}

/* The device holds exactly what its user may see, byte for byte. */
static void
device_check(device *d)
{
	const sat_registry *r = sat_server_registry(d->w->server);
	dump p = { d, 0 };
	size_t have = 0;
	sat_err err = { 0 };

	assert_ok(sat_server_dump(d->w->server, sat_registry_user(r,
	    sat_span_str(d->user_key)), dump_cb, &p, &err));
	for (size_t i = 0; i < d->nrec; i++)
		have += d->rec[i].used;
	if (have != p.n)
		fail_msg("%s holds %zu records, may see %zu", d->user_key,
		    have, p.n);
}

static void
world_verify(world *w)
{
	uint64_t commits, records;
	sat_err err = { 0 };

	assert_ok(sat_server_verify(w->server, &commits, &records, &err));
	assert_ok(sat_sqlite_store_check(w->store, false, &err));
}

#endif
