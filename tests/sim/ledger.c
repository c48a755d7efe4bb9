/*
 * The ledger: every commit a person was told is saved, with what his device
 * had shown him of the record until then.
 *
 * What was seen is kept outside the system, from the replies a device took in:
 * a full vector clock per record, so that the engine's own test of
 * concurrency, one number per commit, can be judged (property 4).
 */
#include "tests/sim/sim.h"

#include <stdlib.h>
#include <string.h>

/* ---- records ----------------------------------------------------------------------- */

int
sim_rec_find(const world *w, const sat_id *id)
{
	for (int i = 0; i < w->nrecs; i++)
		if (sat_id_eq(&w->recs[i].id, id))
			return i;
	return -1;
}

int
sim_rec_by_eid(const world *w, uint32_t eid)
{
	for (int i = 0; eid != 0 && i < w->nrecs; i++)
		if (w->recs[i].eid == eid)
			return i;
	return -1;
}

int
sim_rec_new(world *w, const sat_id *id, uint16_t kind, int parent, int dev)
{
	mrec *r = &w->recs[w->nrecs];

	if (w->nrecs == RECS_MAX)
		sim_fail(w, "harness: more than %d records", RECS_MAX);
	*r = (mrec){ .id = *id, .kind = kind, .parent = parent, .maker = dev,
		.root = w->nrecs, .owner = -1, .redirect = -1, .held_by = -1,
		.led_to = -1 };
	return w->nrecs++;
}

/* ---- what was written --------------------------------------------------------------- */

static void
keep_ops(world *w, entry *e, const sat_draft *draft)
{
	e->nops = draft->nops;
	e->ops = sat_arena_dup(&w->mem, draft->ops,
	    draft->nops * sizeof *draft->ops);
	e->rec = sat_arena_alloc(&w->mem, e->nops * sizeof *e->rec);
	e->saw = sat_arena_alloc(&w->mem, e->nops * sizeof *e->saw);
	for (size_t i = 0; i < e->nops; i++) {
		sat_op *op = &e->ops[i];

		op->value = sat_value_dup(&w->mem, op->value);
		if (op->ndots > 0)
			op->dots = sat_arena_dup(&w->mem, op->dots,
			    op->ndots * sizeof *op->dots);
		e->rec[i] = sim_rec_find(w, &op->rec);
		e->saw[i] = i > 0 && e->rec[i] == e->rec[i - 1] ?
		    e->saw[i - 1] : e->rec[i] < 0 ? NULL :
		    sat_arena_dup(&w->mem, w->shadow[e->dev][e->rec[i]],
		    sizeof w->shadow[0][0]);
	}
}

entry *
sim_entry_add(device *d, const sat_draft *draft, uint64_t cseq, fate f)
{
	world *w = d->n.w;
	entry *e;

	if (w->nentries == w->entries_cap) {
		w->entries_cap = w->entries_cap * 2 + 256;
		w->entries = sat_xrealloc(w->entries,
		    (size_t)w->entries_cap * sizeof *w->entries);
	}
	if (d->nown == d->own_cap) {
		d->own_cap = d->own_cap * 2 + 64;
		d->own = sat_xrealloc(d->own, d->own_cap * sizeof *d->own);
	}
	e = &w->entries[w->nentries];
	memset(e, 0, sizeof *e);
	e->dev = d->index;
	e->index = w->nentries;
	e->inc = sat_replica_identity_get(d->r)->incarnation;
	e->cseq = cseq;
	e->fate = f;
	keep_ops(w, e, draft);
	d->own[d->nown++] = w->nentries++;
	if (f == FATE_SAVED)
		HIT(commits);
	return e;
}

entry *
sim_entry_find(const world *w, const uint8_t hash[SAT_HASH_BYTES])
{
	for (int i = w->nentries; i > 0; i--) {
		entry *e = &w->entries[i - 1];

		if (e->hashed && memcmp(e->hash, hash, sizeof e->hash) == 0)
			return e;
	}
	return NULL;
}

/* ---- what was shown ----------------------------------------------------------------- */

static void
see(world *w, int dev, int rec, uint64_t lsn)
{
	if (rec >= 0 && lsn < LSN_MAX)
		w->shadow[dev][rec][lsn / 64] |= (uint64_t)1 << lsn % 64;
}

/* A state as a whole shows all that led to it. */
static void
see_state(world *w, int dev, int rec, uint64_t upto)
{
	const mrec *r;

	if (rec < 0)
		sim_fail(w, "property 11: a state of a record nobody made");
	r = &w->recs[rec];
	for (int i = 0; i < r->nops; i++)
		if (w->lops[r->ops[i]].lsn <= upto)
			see(w, dev, rec, w->lops[r->ops[i]].lsn);
}

static void
see_states(device *d, sat_span records, uint64_t upto)
{
	world *w = d->n.w;
	sat_record *r;
	size_t n;
	sat_err e;

	if (records.n == 0)
		return;
	if (sat_records_read(&r, &n, &w->tmp, records, &e) != SAT_OK)
		sim_fail(w, "a device took in what cannot be read: %s", e.text);
	for (size_t i = 0; i < n; i++) {
		int k = sim_rec_find(w, &r[i].id);

		see_state(w, d->index, k, upto);
		sim_expect_forget(d, k);
		w->recs[k].parting[d->index] = false; /* held again */
		w->recs[k].named[d->index] = true;
	}
}

/* What no chunk of a snapshot names is not held any more, also of a customer that
 * is: an opportunity whose owner is another one now (P-081). It may be made here
 * again, and then nothing of it was seen. What was named does not go back. */
static void
see_chunk(device *d, const sat_chunk *c)
{
	world *w = d->n.w;
	int self = d->index;

	for (int i = 0; d->unsure_first && i < w->nrecs; i++)
		w->recs[i].named[self] = false;
	see_states(d, c->records, c->lsn);
	if (!c->done)
		return;
	sim_expect_forget(d, -1);
	for (int i = 0; i < w->nrecs; i++)
		if (!w->recs[i].named[self] && w->recs[i].shown[self] > 0) {
			HIT(snap_out);
			w->recs[i].shown[self] = 0;
		}
}

static bool
is_held(const sat_rescope *s, const sat_id *id)
{
	for (size_t i = 0; i < s->nheld; i++)
		if (sat_id_eq(&s->held[i], id))
			return true;
	return false;
}

/* Does the device itself still wait for the answer? The server may have given
 * one that its own crash ate; the device then learns of it by the log. */
static bool
waits_for(device *d, const entry *e)
{
	sat_commit *log;
	sat_err err = { 0 };
	size_t n;

	if (sat_replica_log(&log, &n, &d->n.w->tmp, d->r, 0, &err) != SAT_OK)
		return true;
	for (size_t i = 0; i < n; i++)
		if (log[i].incarnation == e->inc && log[i].cseq == e->cseq)
			return log[i].lsn == 0;
	return false;
}

/* Property 12: who left with unsent work stays until that is answered. A row
 * that cannot be read is gone, and none comes for it: its work waits unseen. */
static void
check_unsent(device *d, int root)
{
	world *w = d->n.w;
	const sat_template *t = sat_replica_template(d->r);

	for (size_t i = 0; i < d->nown; i++) {
		const entry *e = &w->entries[d->own[i]];

		for (size_t k = 0; k < e->nops; k++) {
			const mrec *r = &w->recs[e->rec[k] < 0 ? 0 : e->rec[k]];
			sat_view v;
			sat_err err = { 0 };

			if (e->fate != FATE_SAVED || e->answered ||
			    e->rec[k] < 0 || r->eid == 0 || r->erased ||
			    r->root != root ||
			    r->eid == d->spoiled)
				continue;
			if (sat_replica_get(&v, &w->tmp, d->r,
			    sat_template_kind_id(t, r->kind), &r->id, &err) ==
			    SAT_ENOTFOUND && waits_for(d, e))
				sim_fail(w, "property 12: record %d leaves %s "
				    "with unsent work", e->rec[k], d->n.name);
		}
	}
}

static bool
has_unsent(const device *d, int root)
{
	const world *w = d->n.w;

	for (size_t i = 0; i < d->nown; i++) {
		const entry *e = &w->entries[d->own[i]];

		if (e->fate == FATE_SAVED && !e->answered && e->nops > 0 &&
		    e->rec[0] >= 0 && w->recs[e->rec[0]].root == root)
			return true;
	}
	return false;
}

/* Does work on the record wait on this device; of `birth` the one that makes it? */
static bool
has_unsent_of(device *d, int rec, bool birth)
{
	for (size_t i = 0; i < d->nown; i++) {
		const entry *e = &d->n.w->entries[d->own[i]];

		for (size_t k = 0; k < e->nops; k++)
			if (e->rec[k] == rec && e->fate == FATE_SAVED &&
			    (!birth || e->ops[k].kind == SAT_OP_NEW) &&
			    !e->answered && waits_for(d, e))
				return true;
	}
	return false;
}

/* What was made below a customer that goes, and the log has not yet: where it was
 * made it is shown with all that was written until that is answered, and then it
 * goes too (P-085). */
static void
see_parting(device *d, const sat_rescope *s, int root, int rec)
{
	world *w = d->n.w;
	mrec *r = &w->recs[rec];
	const mrec *up = r->parent >= 0 ? &w->recs[r->parent] : NULL;
	sat_view v;
	sat_err e = { 0 };

	if (up == NULL || (up->root != root && !w->merges) ||
	    is_held(s, &up->id))
		return;
	r->parting[d->index] = true;
	/* below an erased customer it goes at once: the payload stays to be
	 * pushed, and nobody may see it (P-194, P-195) */
	if (sim_rec_erased(w, rec) || !has_unsent_of(d, rec, true))
		return;
	if (up->root == root)
		HIT(leave_unmade);
	if (sat_replica_get(&v, &w->tmp, d->r, sat_template_kind_id(
	    sat_replica_template(d->r), r->kind), &r->id, &e) == SAT_ENOTFOUND)
		sim_fail(w, "property 12: record %d, made here, leaves %s with "
		    "unsent work", rec, d->n.name);
}

/* What is not held any more is gone from the device, or frozen there. */
static void
see_rescope(device *d, const sat_rescope *s)
{
	world *w = d->n.w;
	int root = sim_rec_find(w, &s->root);

	if (s->nheld == 0)
		HIT(rescope_out);
	else
		HIT(rescope_in);
	if (s->nheld == 0 && has_unsent(d, root)) {
		HIT(leave_pending);
		check_unsent(d, root);
	}
	for (int i = 0; i < w->nrecs; i++) {
		if (w->recs[i].eid == 0)
			see_parting(d, s, root, i);
		/* who led to the root then the log may say otherwise by now */
		if ((w->recs[i].root != root && !w->merges) ||
		    w->recs[i].eid == 0 || is_held(s, &w->recs[i].id))
			continue;
		w->recs[i].shown[d->index] = 0;
		sim_expect_forget(d, i);
	}
}

/* Own work comes back while older work of the same device has no verdict that
 * it heard of (a session that only pulls, after one that broke): until the next
 * push the older work is shown on top of the newer. */
static bool
overtakes(const device *d, const sat_commit *c)
{
	const world *w = d->n.w;

	for (size_t i = 0; i < d->nown; i++) {
		const entry *e = &w->entries[d->own[i]];

		if (e->fate == FATE_SAVED && !e->heard &&
		    e->lsn == 0 && e->inc == c->incarnation && e->cseq < c->cseq)
			return true;
	}
	return false;
}

/* Own work under a number it was not written under: it was parked, its record is
 * there now (P-209), and it stands behind what the person did since. */
static bool
comes_late(const device *d, const sat_commit *c)
{
	const world *w = d->n.w;

	for (size_t i = 0; i < d->nown; i++) {
		const entry *e = &w->entries[d->own[i]];

		if (e->inc == c->incarnation && e->cseq == c->cseq &&
		    e->fate == FATE_SAVED)
			return false;
	}
	return true;
}

static void
see_commits(device *d, sat_span batch)
{
	world *w = d->n.w;
	sat_commit *c;
	size_t n;
	sat_err e;

	if (batch.n == 0)
		return;
	if (sat_batch_read(&c, &n, &w->tmp, SAT_BATCH_PULL, batch, &e) !=
	    SAT_OK)
		sim_fail(w, "a device took in what cannot be read: %s", e.text);
	for (size_t i = 0; i < n; i++) {
		if (c[i].own && (overtakes(d, &c[i]) || comes_late(d, &c[i])))
			sim_expect_forget(d, -1);
		for (size_t k = 0; k < c[i].nops; k++) {
			const sat_op *op = &c[i].ops[k];
			int rec = op->eid != 0 ? sim_rec_by_eid(w, op->eid) :
			    sim_rec_find(w, &op->rec);

			see(w, d->index, rec, c[i].lsn);
			sim_expect_forget(d, rec);
			if (rec >= 0)
				w->recs[rec].parting[d->index] = false;
		}
	}
}

static void
see_verdicts(device *d, const sat_verdicts *v)
{
	world *w = d->n.w;
	bool refused = false;

	for (size_t i = 0; i < v->n; i++) {
		refused = refused || v->v[i].lsn == 0;
		for (size_t k = 0; k < d->nown; k++)
			w->entries[d->own[k]].heard |=
			    w->entries[d->own[k]].cseq == v->v[i].cseq;
	}
	if (refused)
		sim_expect_forget(d, -1);
}

void
sim_shadow_learn(device *d, sat_span frame)
{
	world *w = d->n.w;
	sat_msg m;
	sat_err e;

	if (sat_msg_read(&m, &w->tmp, frame, &e) != SAT_OK)
		sim_fail(w, "a device took in what cannot be read: %s", e.text);
	if (m.type == SAT_MSG_DELTA) {
		for (size_t i = 0; i < m.u.delta.nrescopes; i++)
			see_rescope(d, &m.u.delta.rescopes[i]);
		see_states(d, m.u.delta.records, m.u.delta.head);
		see_commits(d, m.u.delta.batch);
	} else if (m.type == SAT_MSG_CHUNK) {
		see_chunk(d, &m.u.chunk);
	} else if (m.type == SAT_MSG_LEDGER_IS) {
		d->ledger = m.u.ledger.rev;
		sim_expect_forget(d, -1);
	} else if (m.type == SAT_MSG_VERDICTS) {
		see_verdicts(d, &m.u.verdicts);
	}
}

/* ---- what must be shown -------------------------------------------------------------- */

void
sim_expect_forget(device *d, int rec)
{
	size_t n = 0;

	for (size_t i = 0; i < d->nexpect; i++)
		if (rec >= 0 && d->expect[i].rec != rec)
			d->expect[n++] = d->expect[i];
	d->nexpect = n;
}

void
sim_expect_add(device *d, int rec, const sat_op *op, sat_value v)
{
	world *w = d->n.w;
	size_t n = 0;

	/* The newest write of a field says what it shows; of a set there may be
	 * several elements. */
	for (size_t i = 0; i < d->nexpect; i++) {
		const expect *x = &d->expect[i];
		bool set = op->kind == SAT_OP_SADD || op->kind == SAT_OP_SREM;

		if (x->rec == rec && x->field == op->field &&
		    (!set || sat_value_eq(x->v, op->value)))
			continue;
		d->expect[n++] = *x;
	}
	if (n == EXPECT_MAX) {
		memmove(d->expect, d->expect + 1, (n - 1) * sizeof *d->expect);
		n--;
	}
	d->expect[n++] = (expect){ rec, op->field, op->kind,
		sat_value_dup(&w->mem, v) };
	d->nexpect = n;
}

static bool
shows(const expect *x, const sat_view *v, sat_arena *a)
{
	const sat_cell *c = sat_record_cell(&v->rec, x->field);
	sat_element *el;
	size_t n;

	switch (x->kind) {
	case SAT_OP_DEL:
		return v->rec.deleted;
	case SAT_OP_UNDEL:
		return !v->rec.deleted;
	case SAT_OP_SADD:
	case SAT_OP_SREM:
		n = c != NULL ? sat_cell_elements(&el, a, c) : 0;
		for (size_t i = 0; i < n; i++)
			if (sat_span_eq(el[i].text, x->v.s))
				return x->kind == SAT_OP_SADD;
		return x->kind == SAT_OP_SREM;
	default:
		return sat_value_eq(sat_record_value(&v->rec, x->field), x->v);
	}
}

void
sim_expect_check(device *d, size_t most)
{
	world *w = d->n.w;
	const sat_template *t = sat_replica_template(d->r);

	for (size_t i = 0; i < most && d->nexpect > 0; i++) {
		const expect *x = &d->expect[sim_below(w, d->nexpect)];
		mrec *r = &w->recs[x->rec];
		sat_err e = { 0 };
		sat_view v;
		sat_rc rc;

		if (sim_rec_erased(w, x->rec))
			continue; /* it may be gone before its ledger tells */
		rc = sat_replica_get(&v, &w->tmp, d->r,
		    sat_template_kind_id(t, r->kind), &r->id, &e);
		if (!sim_device_after(d, rc))
			return;
		if (rc == SAT_EIO)
			continue;
		if (rc == SAT_ENOTFOUND && r->parting[d->index] &&
		    !has_unsent_of(d, x->rec, false)) {
			sim_expect_forget(d, x->rec);
			continue;
		}
		if (rc != SAT_OK)
			sim_fail(w, "property 9: %s does not find record %d "
			    "it wrote to: %s", d->n.name, x->rec, e.text);
		if (!shows(x, &v, &w->tmp))
			sim_fail(w, "property 9: %s does not show its own "
			    "write of record %d field %u: op %d, %lld wanted, "
			    "%lld there", d->n.name, x->rec, x->field,
			    (int)x->kind, (long long)x->v.i,
			    (long long)sat_record_value(&v.rec, x->field).i);
		if (v.rec.rlsn < r->shown[d->index])
			sim_fail(w, "property 9: record %d goes back on %s",
			    x->rec, d->n.name);
		r->shown[d->index] = v.rec.rlsn;
		HIT(reads);
	}
}
