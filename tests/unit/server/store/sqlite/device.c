/* What a device holds, and what it writes. */
#include "tests/lib/unit.h"

#include "common/template/gate.h"
#include "protocol/server.h"
#include "server/store/sqlite/store.h"
#include "tests/unit/server/store/sqlite/device.h"

/* ---- a device ------------------------------------------------------------ */

held *
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

void
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
	sat_apply_ctx ctx = { { eff, dev, lsn }, seen, moved, NULL };
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

void
device_fold(device *d, const sat_commit *c, uint64_t lsn, sat_hlc eff,
    uint32_t dev)
{
	sat_arena a = { 0 };

	for (size_t i = 0; i < c->nops; i++)
		device_fold_op(d, &c->ops[i], i < c->nops - c->nechoes ?
		    sat_op_seen(c, &c->ops[i]) : 0, lsn, eff, dev, i < c->nops - c->nechoes &&
		    (c->flags & SAT_CF_MOVED) != 0, &a);
	sat_arena_fini(&a);
}

/* ---- life ---------------------------------------------------------------- */

device *
device_new(world *w, const char *user)
{
	device *d = sat_xcalloc(1, sizeof *d);
	uint8_t token[16] = { 0 }, seed[32];
	sat_err err = { 0 };

	d->w = w;
	d->next = w->devices;
	w->devices = d;
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

void
device_free(device *d)
{
	device **at = &d->w->devices;

	while (*at != NULL && *at != d)
		at = &(*at)->next;
	if (*at != NULL)
		*at = d->next;
	for (size_t i = 0; i < d->rec_cap && i < d->nrec; i++)
		sat_buf_fini(&d->rec[i].state);
	free(d->rec);
	free(d->out);
	free(d->eids);
	sat_arena_fini(&d->mem);
	free(d);
}

sat_id
device_id(device *d)
{
	uint64_t r = sat_test_rand(&d->w->rand);

	return sat_id_make(d->w->now_ms, d->ord, (const uint8_t *)&r);
}

own *
device_commit(device *d, const sat_id *subject, const sat_op *ops, size_t n)
{
	sat_commit c = { .device = d->ord,
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

void
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

void
device_go_on(device *d)
{
	own *o = device_last(d);

	o->was = (sat_was){ o->c.incarnation, o->c.cseq };
	o->c.flags |= SAT_CF_MOVED;
	o->c.cseq++;
	memcpy(o->c.prev, d->head, sizeof o->c.prev);
	sat_commit_seal(&o->c, d->head);
}

sat_op
op_set(const sat_id *rec, uint16_t kind, sat_op_kind op, uint16_t field,
    sat_value v)
{
	return (sat_op){ .kind = op, .rtype = kind, .field = field,
		.rec = *rec, .value = v };
}

sat_value
txt(const char *s)
{
	return sat_v_text(sat_span_str(s));
}

sat_id
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

sat_id
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

sat_id
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

own *
device_edit(device *d, const sat_id *subject, const sat_id *rec, uint16_t kind,
    sat_op_kind op, uint16_t field, sat_value v)
{
	sat_op o = op_set(rec, kind, op, field, v);

	return device_commit(d, subject, &o, 1);
}

own *
device_last(device *d)
{
	return &d->out[d->nout - 1];
}
