/*
 * The log, read a second time: each new commit is compared with what was
 * written, and kept for the model (model.c). What the server decided itself must
 * follow from what people did.
 */
#include "tests/sim/sim.h"

#include <stdlib.h>
#include <string.h>

static void
add_op(world *w, uint64_t lsn, const sat_op *op, int rec)
{
	mrec *r = &w->recs[rec];

	if (w->nlops == w->lops_cap) {
		w->lops_cap = w->lops_cap * 2 + 512;
		w->lops = sat_xrealloc(w->lops,
		    (size_t)w->lops_cap * sizeof *w->lops);
	}
	if (r->nops == r->cap) {
		r->cap = r->cap * 2 + 16;
		r->ops = sat_xrealloc(r->ops, (size_t)r->cap * sizeof *r->ops);
	}
	w->lops[w->nlops] = (lop){ lsn, op, rec };
	r->ops[r->nops++] = w->nlops++;
}

/* The log holds what the person wrote, bit for bit. */
static void
same_as_written(world *w, const sat_commit *c, const entry *e)
{
	bool same = c->nops == e->nops;

	for (size_t i = 0; same && i < c->nops; i++)
		same = c->ops[i].kind == e->ops[i].kind &&
		    c->ops[i].field == e->ops[i].field &&
		    sat_id_eq(&c->ops[i].rec, &e->ops[i].rec) &&
		    sat_value_eq(c->ops[i].value, e->ops[i].value);
	if (!same)
		sim_fail(w, "property 6: commit %llu of d%d is in the log with "
		    "another content", (unsigned long long)c->cseq, e->dev + 1);
}

bool
sim_author_saw(const world *w, const lop *later, const lop *cur)
{
	const lcommit *c = &w->log[later->lsn];

	/* what was parked knows what its author saw then (P-325) */
	return cur->lsn <= sat_op_seen(&c->c, later->op) || ((c->c.flags & SAT_CF_MOVED) == 0 &&
	    w->log[cur->lsn].c.device == c->c.device);
}

static uint16_t
parent_field(uint16_t kind)
{
	return kind == K_ACCOUNT ? 0 : 1;
}

/* Where a new record stands, and its number: in the order of the log. */
static void
born(world *w, int rec, const sat_commit *c)
{
	mrec *r = &w->recs[rec];

	if (r->eid != 0) { /* made by two devices out of the same facts (P-281) */
		HIT(reborn);
		return;
	}
	r->eid = ++w->next_eid;
	r->root = rec;
	for (size_t i = 0; i < c->nops; i++) {
		const sat_op *op = &c->ops[i];
		sat_id id;

		if (!sat_id_eq(&op->rec, &r->id) || op->field == 0 ||
		    op->field != parent_field(r->kind) ||
		    op->value.type != SAT_V_BYTES)
			continue;
		memcpy(id.b, op->value.s.p, sizeof id.b);
		r->root = sim_rec_find(w, &id);
		if (r->root < 0)
			sim_fail(w, "a record below one nobody made is in the log");
	}
}

/* Deleted or not, merged or not, is the server's word here; the values are
 * not. */
static void
flags(world *w, int rec)
{
	mrec *r = &w->recs[rec];
	holding h = sim_holding(w, r, -1);
	sat_record state;
	sat_rec_row row;
	sat_id to;
	sat_err e = { 0 };

	if (r->erased)
		return;
	if (w->ops.rec_by_id(&row, &w->tmp, w->ops.u, &r->id, &e) != SAT_OK ||
	    sat_record_read(&state, &w->tmp, row.state, &e) != SAT_OK)
		sim_fail(w, "a record of the log is not stored: %s", e.text);
	if (row.eid != r->eid)
		sim_fail(w, "record %d has number %u, by the log %u", rec,
		    row.eid, r->eid);
	if (state.with_edits && !r->with_edits)
		HIT(with_edits);
	r->redirect = sat_record_redirect(&to, &state) ?
	    sim_rec_find(w, &to) : -1;
	r->deleted = state.deleted;
	r->with_edits = state.with_edits;
	r->owner = h.owner;
	r->pooled = h.pooled;
	if (h.pooled != (sat_record_value(&state, SAT_SYS_POOL).type ==
	    SAT_V_TEXT))
		sim_fail(w, "property 13: record %d is %s the pool, by the log "
		    "it is%s", rec, h.pooled ? "not in" : "in",
		    h.pooled ? "" : " not");
}

/* Who suggests, and what: h and part, which live in w->mem. */
static void
read_hand(sat_handed *h, sat_commit *part, world *w, const sat_op *op)
{
	sat_err e = { 0 };

	*part = (sat_commit){ .subject = op->rec };
	if (op->kind != SAT_OP_HAND ||
	    sat_handed_read(h, op->value.s, &e) != SAT_OK ||
	    sat_commit_read_payload(part, &w->mem, h->ops, &e) != SAT_OK)
		sim_fail(w, "the server's own commit is no suggestion: %s",
		    e.text);
}

static bool
same_op(const sat_op *a, const sat_op *b)
{
	return a->kind == b->kind && a->field == b->field &&
	    sat_id_eq(&a->rec, &b->rec) && sat_value_eq(a->value, b->value);
}

/* Of its device, with its stamp, and nothing that is not in it. */
static bool
may_be_of(const world *w, const sat_handed *h, const sat_commit *part,
    const entry *en)
{
	if (w->dev[en->dev].ord != h->dev || en->hlc != h->hlc)
		return false;
	for (size_t k = 0; k < part->nops; k++) {
		size_t j = 0;

		while (j < en->nops && !same_op(&en->ops[j], &part->ops[k]))
			j++;
		if (j == en->nops)
			return false;
	}
	return true;
}

/* A suggestion is of work somebody did, which is not merged, and not of more
 * than he did. It does not name its commit: one of the device's life before a
 * backup came back may have the same stamp, and more operations, with these
 * among them. So what is counted here says of no commit that it is suggested. */
static void
take_hand(world *w, const sat_op *op)
{
	sat_commit part;
	sat_handed h;

	read_hand(&h, &part, w, op);
	for (int i = 0; i < w->nentries; i++) {
		entry *en = &w->entries[i];

		if (en->lsn == 0 && en->handed < en->nops &&
		    may_be_of(w, &h, &part, en)) {
			en->handed += part.nops;
			return;
		}
	}
	sim_fail(w, "a suggestion of work nobody did");
}

/* How many operations of the commit does this suggestion add to those there? */
static size_t
take_part(bool *there, const entry *en, const sat_commit *part)
{
	size_t n = 0;

	for (size_t k = 0; k < part->nops; k++)
		for (size_t j = 0; j < en->nops; j++)
			if (!there[j] && same_op(&en->ops[j], &part->ops[k])) {
				there[j] = true;
				n++;
				break;
			}
	return n;
}

size_t
sim_suggested(world *w, const entry *en)
{
	bool *there = sat_arena_alloc(&w->tmp, en->nops + 1);
	sat_commit part;
	sat_handed h;
	size_t n = 0;

	memset(there, 0, en->nops + 1);
	for (uint64_t lsn = 1; lsn <= w->head; lsn++) {
		const lcommit *l = &w->log[lsn];

		for (size_t i = 0; l->entry < 0 && i < l->c.nops; i++) {
			if (l->c.ops[i].kind != SAT_OP_HAND)
				continue;
			read_hand(&h, &part, w, &l->c.ops[i]);
			if (may_be_of(w, &h, &part, en))
				n += take_part(there, en, &part);
		}
	}
	return n;
}

/* P-144: right behind the commit that gave another one, to the record itself
 * or to one that leads to it. */
static void
take_number(world *w, const lcommit *l, const sat_op *op)
{
	const sat_commit *before = &w->log[l->c.lsn - 1].c;
	int rec = sim_rec_find(w, &op->rec);
	bool asked = false;

	for (size_t i = 0; i < before->nops; i++)
		asked |= before->ops[i].field == op->field &&
		    (sat_id_eq(&before->ops[i].rec, &op->rec) ||
		    (rec >= 0 && w->recs[rec].mixed));
	if (rec < 0 || !asked)
		sim_fail(w, "the server numbered a record nobody numbered");
	if ((l - 1)->entry >= 0) {
		const entry *e = &w->entries[(l - 1)->entry];

		/* P-144: it was final when it was given */
		if (e->leased && e->rec[0] == rec && e->inc == before->incarnation &&
		    !w->dev[e->dev].was_restored)
			sim_fail(w, "property 14: record %d had a number of a "
			    "live lease, and gets another", rec);
	}
	sim_number_final(w, rec, op->value);
	w->recs[rec].number = op->value;
	HIT(renumbered);
}

/* P-176: of a pair of customers that are there, and of the owner no more than
 * the key. */
static void
take_told(world *w, const sat_op *op)
{
	int rec = sim_rec_find(w, &op->rec);
	char tag[17];

	for (int i = 0; rec >= 0 && i < w->nrecs; i++) {
		sat_pair_tag(tag, &op->rec, &w->recs[i].id);
		if (i != rec && op->value.s.n > 16 &&
		    memcmp(tag, op->value.s.p, 16) == 0) {
			HIT(told);
			return;
		}
	}
	sim_fail(w, "an owner is told of a customer that is not there");
}

/* P-255: right behind the deletion of a customer, or a new record below one. */
static void
take_orphan(world *w, const lcommit *l, const sat_op *op)
{
	const lcommit *before = l - 1;
	int rec = sim_rec_find(w, &op->rec);
	bool hit = false;

	while (before->c.lsn > 1 && before->entry < 0)
		before--;
	for (size_t i = 0; rec >= 0 && i < before->c.nops; i++) {
		const sat_op *b = &before->c.ops[i];
		int at = sim_rec_find(w, &b->rec);

		hit |= b->kind == SAT_OP_DEL ? at == rec :
		    b->kind == SAT_OP_NEW && at >= 0 &&
		    w->recs[at].parent == rec;
	}
	if (!hit)
		sim_fail(w, "the server deletes what nobody deleted");
	HIT(orphans);
}

/* P-157: what nobody followed up. */
static void
take_back(world *w, const lcommit *l, const sat_op *op)
{
	int rec = sim_rec_find(w, &op->rec);

	if (rec < 0)
		sim_fail(w, "the server releases what nobody made");
	sim_pool_reclaimed(w, l, op, rec);
	add_op(w, l->c.lsn, op, rec);
}

static void
take_own(world *w, lcommit *l)
{
	l->entry = -1;
	for (size_t i = 0; i < l->c.nops; i++)
		if (l->c.ops[i].kind == SAT_OP_DEL)
			take_orphan(w, l, &l->c.ops[i]);
		else if (l->c.ops[i].kind == SAT_OP_NUMBER)
			take_number(w, l, &l->c.ops[i]);
		else if (l->c.ops[i].field == SAT_SYS_CANDIDATES)
			take_told(w, &l->c.ops[i]);
		else if (l->c.ops[i].kind == SAT_OP_ERASE)
			sim_erased(w, &l->c.ops[i]);
		else if (l->c.ops[i].kind == SAT_OP_RELEASE)
			take_back(w, l, &l->c.ops[i]);
		else
			take_hand(w, &l->c.ops[i]);
	HIT(logged);
	w->head = l->c.lsn;
}

/* Work of somebody who had not heard that it was merged (P-171). */
static void
note_merged(world *w, const sat_op *op, int rec)
{
	sat_id id;
	int to;

	for (int i = rec; op->kind == SAT_OP_UNMERGE && i >= 0 &&
	    !w->recs[i].tangled; i = w->recs[i].led_to)
		w->recs[i].tangled = true;
	if (op->kind == SAT_OP_MERGE && op->field == SAT_SYS_REDIRECT) {
		memcpy(id.b, op->value.s.p, sizeof id.b);
		if ((to = sim_rec_find(w, &id)) < 0)
			sim_fail(w, "merged into a record nobody made");
		w->recs[to].mixed = true;
		w->recs[rec].led_to = to;
	} else if (op->kind == SAT_OP_NEW && w->recs[rec].root >= 0 &&
	    w->recs[w->recs[rec].root].redirect >= 0) {
		HIT(below_loser);
	} else if (op->kind != SAT_OP_UNMERGE && w->recs[rec].redirect >= 0) {
		HIT(late_loser);
	}
}

/* What a device had sent before its folder was put back to older keys may still
 * arrive, and is signed by those in force; what the old folder writes may not. */
static bool
is_shut_out(const world *w, const entry *en)
{
	const device *d = &w->dev[en->dev];

	return sim_shut_out(d) && (d->revoked || w->users[d->user].disabled ||
	    en - w->entries >= d->outdated_at);
}

static void
take_commit(world *w, uint64_t lsn)
{
	lcommit *l = &w->log[lsn];
	sat_log_row row;
	sat_err e = { 0 };
	entry *en;

	if (lsn >= LSN_MAX)
		sim_fail(w, "harness: more than %d commits", LSN_MAX);
	if (w->ops.log_get(&row, &w->mem, w->ops.u, lsn, &e) != SAT_OK ||
	    sat_commit_read(&l->c, &w->mem, row.header, row.payload, &e) !=
	    SAT_OK)
		sim_fail(w, "log position %llu: %s", (unsigned long long)lsn,
		    e.text);
	l->c.lsn = lsn;
	l->c.eff = row.eff;
	l->received_ms = row.received_ms;
	if (l->c.eff < l->c.hlc)
		HIT(clamped);
	if (l->c.flags & SAT_CF_CLOCK_SUSPECT)
		HIT(suspect);
	if (sim_template_version(l->c.template_oid) < w->tip)
		HIT(old_template);
	if (sim_template_version(l->c.template_oid) + 2 == w->tip)
		HIT(older_still);
	if (l->c.device == SAT_DEV_SERVER) {
		take_own(w, l);
		return;
	}
	en = sim_entry_find(w, l->c.payload_hash);
	if (en == NULL || w->dev[en->dev].ord != l->c.device)
		sim_fail(w, "the log has a commit nobody wrote: device %u "
		    "incarnation %u number %llu", l->c.device,
		    l->c.incarnation, (unsigned long long)l->c.cseq);
	if (is_shut_out(w, en))
		sim_fail(w, "property 16: commit %llu of d%d is in the log, "
		    "whose user or device was shut out before",
		    (unsigned long long)l->c.cseq, en->dev + 1);
	if (en->lsn != 0)
		sim_fail(w, "property 3: one commit is in the log twice");
	same_as_written(w, &l->c, en);
	for (size_t i = 0; i < en->nops; i++)
		if (sim_rec_erased(w, en->rec[i]))
			sim_fail(w, "property 22: work on record %d is merged, "
			    "which was erased", en->rec[i]);
	en->lsn = lsn;
	en->fate = FATE_SAVED; /* also when its disk is gone since */
	l->entry = en->index;
	HIT(logged);
	for (size_t i = 0; i < l->c.nops; i++) {
		if (l->c.ops[i].kind == SAT_OP_NEW)
			born(w, en->rec[i], &l->c);
		if (l->c.ops[i].kind == SAT_OP_REASSIGN) {
			HIT(reassigned);
			w->recs[en->rec[i]].held_by = -1; /* P-154 */
		}
		if (l->c.ops[i].kind == SAT_OP_RELEASE)
			HIT(releases);
		if (l->c.ops[i].kind == SAT_OP_CLAIM)
			sim_pool_claimed(w, l, &l->c.ops[i], en->rec[i]);
		note_merged(w, &l->c.ops[i], en->rec[i]);
		add_op(w, lsn, &l->c.ops[i], en->rec[i]);
	}
	w->head = lsn;
}

/* The record an operation names, and all it leads to. Of the server's own only
 * a release, or what an erasure took from others (P-395), changes what is kept
 * here. */
static void
flags_of(world *w, uint64_t lsn, size_t i)
{
	const lcommit *l = &w->log[lsn];
	int rec = l->entry >= 0 ? w->entries[l->entry].rec[i] :
	    l->c.ops[i].kind == SAT_OP_RELEASE ||
	    l->c.ops[i].kind == SAT_OP_ERASE ?
	    sim_rec_find(w, &l->c.ops[i].rec) : -1;

	for (int n = 0; rec >= 0; rec = w->recs[rec].redirect) {
		flags(w, rec);
		if (n++ > w->nrecs)
			sim_fail(w, "property 15: record %d leads to itself",
			    rec);
	}
}

void
sim_mirror(world *w)
{
	uint64_t head, from = w->head;
	sat_err e = { 0 };

	if (w->ops.counter_get(&head, w->ops.u, SAT_N_LSN, &e) != SAT_OK)
		sim_fail(w, "the log's head cannot be read: %s", e.text);
	if (head < w->head)
		sim_fail(w, "property 6: the log went back from %llu to %llu",
		    (unsigned long long)w->head, (unsigned long long)head);
	w->mirror_many = head > from + 1;
	for (uint64_t lsn = from + 1; lsn <= head; lsn++)
		take_commit(w, lsn);
	for (uint64_t lsn = from + 1; lsn <= head; lsn++)
		sim_numbers_of(w, lsn, head);
	if (head > from && w->log[head].entry >= 0)
		sim_whole_note(w, head);
	for (uint64_t lsn = from + 1; lsn <= head; lsn++)
		for (size_t i = 0; i < w->log[lsn].c.nops; i++)
			flags_of(w, lsn, i);
}
