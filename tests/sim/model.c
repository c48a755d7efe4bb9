/*
 * The log, read a second time by other code: who may see what, and what the
 * fields hold. Written from the policies in words (docs/protocol.md), slow and
 * plain, with nothing of the fold in it.
 */
#include "tests/sim/sim.h"

#include <stdlib.h>
#include <string.h>

/* ---- the mirror ---------------------------------------------------------------------- */

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

static bool
seen_by_author(const world *w, const lcommit *c, const lop *cur)
{
	return cur->lsn <= c->c.seen || w->log[cur->lsn].c.device == c->c.device;
}

/* The last effective owner operation before `upto` ops of the record. */
static const lop *
owner_op(const world *w, const mrec *r, uint16_t field)
{
	const lop *cur = NULL;

	for (int i = 0; i < r->nops; i++) {
		const lop *p = &w->lops[r->ops[i]];

		if (p->op->field == field && (cur == NULL ||
		    seen_by_author(w, &w->log[p->lsn], cur)))
			cur = p;
	}
	return cur;
}

static uint16_t
owner_field(uint16_t kind)
{
	return kind == K_ACCOUNT ? A_OWNER : kind == K_OPP ? O_OWNER : 0;
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
	uint16_t owner = owner_field(r->kind);
	sat_record state;
	sat_rec_row row;
	const lop *p;
	sat_id to;
	sat_err e = { 0 };

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
	p = owner == 0 ? NULL : owner_op(w, r, owner);
	r->owner = p == NULL ? -1 : sim_find_user(w, p->op->value);
}

/* Whose work a suggestion is: the commit of that moment, which has all of its
 * operations. */
static void
take_hand(world *w, const sat_op *op)
{
	sat_commit part = { .subject = op->rec };
	sat_handed h;
	sat_err e = { 0 };

	if (op->kind != SAT_OP_HAND || sat_handed_read(&h, op->value.s, &e) !=
	    SAT_OK || sat_commit_read_payload(&part, &w->mem, h.ops, &e) !=
	    SAT_OK)
		sim_fail(w, "the server's own commit is no suggestion: %s",
		    e.text);
	for (int i = 0; i < w->nentries; i++) {
		entry *en = &w->entries[i];
		size_t found = 0;

		for (size_t k = 0; k < part.nops; k++)
			for (size_t j = 0; j < en->nops; j++)
				if (en->ops[j].kind == part.ops[k].kind &&
				    en->ops[j].field == part.ops[k].field &&
				    sat_id_eq(&en->ops[j].rec,
				    &part.ops[k].rec) && sat_value_eq(
				    en->ops[j].value, part.ops[k].value)) {
					found++;
					break;
				}
		if (w->dev[en->dev].ord == h.dev && en->hlc == h.hlc &&
		    found == part.nops && en->handed < en->nops) {
			en->handed += part.nops;
			return;
		}
	}
	sim_fail(w, "a suggestion of work nobody did");
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

	if (op->kind == SAT_OP_MERGE && op->field == SAT_SYS_REDIRECT) {
		memcpy(id.b, op->value.s.p, sizeof id.b);
		if ((to = sim_rec_find(w, &id)) < 0)
			sim_fail(w, "merged into a record nobody made");
		w->recs[to].mixed = true;
	} else if (op->kind == SAT_OP_NEW && w->recs[rec].root >= 0 &&
	    w->recs[w->recs[rec].root].redirect >= 0) {
		HIT(below_loser);
	} else if (op->kind != SAT_OP_UNMERGE && w->recs[rec].redirect >= 0) {
		HIT(late_loser);
	}
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
	if (l->c.eff < l->c.hlc)
		HIT(clamped);
	if (l->c.flags & SAT_CF_CLOCK_SUSPECT)
		HIT(suspect);
	if (sim_template_version(l->c.template_oid) < w->tip)
		HIT(old_template);
	if (l->c.device == SAT_DEV_SERVER) {
		take_own(w, l);
		return;
	}
	en = sim_entry_find(w, l->c.payload_hash);
	if (en == NULL || w->dev[en->dev].ord != l->c.device)
		sim_fail(w, "the log has a commit nobody wrote: device %u "
		    "incarnation %u number %llu", l->c.device,
		    l->c.incarnation, (unsigned long long)l->c.cseq);
	if (sim_shut_out(&w->dev[en->dev]))
		sim_fail(w, "property 16: commit %llu of d%d is in the log, "
		    "whose user or device was shut out before",
		    (unsigned long long)l->c.cseq, en->dev + 1);
	if (en->lsn != 0)
		sim_fail(w, "property 3: one commit is in the log twice");
	same_as_written(w, &l->c, en);
	en->lsn = lsn;
	en->fate = FATE_SAVED; /* also when its disk is gone since */
	l->entry = en->index;
	HIT(logged);
	for (size_t i = 0; i < l->c.nops; i++) {
		if (l->c.ops[i].kind == SAT_OP_NEW)
			born(w, en->rec[i], &l->c);
		if (l->c.ops[i].kind == SAT_OP_REASSIGN)
			HIT(reassigned);
		note_merged(w, &l->c.ops[i], en->rec[i]);
		add_op(w, lsn, &l->c.ops[i], en->rec[i]);
	}
	w->head = lsn;
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
	for (uint64_t lsn = from + 1; lsn <= head; lsn++)
		take_commit(w, lsn);
	for (uint64_t lsn = from + 1; lsn <= head; lsn++)
		for (size_t i = 0; w->log[lsn].entry >= 0 &&
		    i < w->log[lsn].c.nops; i++)
			for (int rec = w->entries[w->log[lsn].entry].rec[i],
			    n = 0; rec >= 0; rec = w->recs[rec].redirect) {
				flags(w, rec);
				if (n++ > w->nrecs)
					sim_fail(w, "property 15: record %d "
					    "leads to itself", rec);
			}
}

/* ---- scope ----------------------------------------------------------------------------- */

/* Is the owner a reason for this user to hold something? */
static bool
reason(const world *w, int user, int owner)
{
	const person *u = &w->users[user];

	return owner >= 0 && (owner == user || (u->role == MANAGER &&
	    u->team != 0 && w->users[owner].team == u->team));
}

int
sim_top(const world *w, int rec)
{
	int top = w->recs[rec].root;

	while (w->recs[top].redirect >= 0)
		top = w->recs[top].redirect;
	return top;
}

/* Whose owner holds the customer: the customers that are one, and what is owned
 * below them. */
static bool
holds(const world *w, int rec, int top)
{
	const mrec *r = &w->recs[rec];

	return r->eid != 0 && sim_top(w, rec) == top && (rec == top ||
	    r->kind == K_ACCOUNT ||
	    (r->kind == K_OPP && !(r->deleted && !r->with_edits)));
}

bool
sim_visible(const world *w, int user, int rec)
{
	const mrec *r = &w->recs[rec];
	bool held = false;
	int top;

	if (r->eid == 0)
		return false;
	if (w->users[user].role == HQ)
		return true;
	top = sim_top(w, rec);
	for (int i = 0; i < w->nrecs && !held; i++)
		held = reason(w, user, w->recs[i].owner) && holds(w, i, top);
	if (!held || r->kind != K_OPP || rec == top)
		return held;
	return reason(w, user, r->owner) ||
	    reason(w, user, w->recs[top].owner);
}

/* ---- values ------------------------------------------------------------------------------ */

typedef struct field_ops { /* of one field, in the order of the log */
	const lop *p[LSN_MAX];
	int n;
} field_ops;

static int
stamp_cmp(const world *w, const lop *a, const lop *b)
{
	const sat_commit *x = &w->log[a->lsn].c, *y = &w->log[b->lsn].c;

	if (x->eff != y->eff)
		return x->eff < y->eff ? -1 : 1;
	if (x->device != y->device) {
		HIT(equal_stamps);
		return x->device < y->device ? -1 : 1;
	}
	/* two operations of one commit: the later one */
	return a->lsn != b->lsn ? (a->lsn < b->lsn ? -1 : 1) : -1;
}

static bool
knew(const world *w, const lop *later, const lop *earlier)
{
	return seen_by_author(w, &w->log[later->lsn], earlier);
}

static sat_value
latest(const world *w, const field_ops *f)
{
	const lop *best = NULL;

	for (int i = 0; i < f->n; i++)
		if (best == NULL || stamp_cmp(w, best, f->p[i]) < 0)
			best = f->p[i];
	return best->op->value;
}

static sat_value
first(const field_ops *f)
{
	for (int i = 0; i < f->n; i++)
		if (f->p[i]->op->value.type != SAT_V_NULL)
			return f->p[i]->op->value;
	return sat_v_null();
}

static sat_value
extreme(const field_ops *f, int sign)
{
	sat_value best = sat_v_null();

	for (int i = 0; i < f->n; i++) {
		sat_value v = f->p[i]->op->value;

		if (v.type != SAT_V_NULL && (best.type == SAT_V_NULL ||
		    sign * sat_value_cmp(v, best) > 0))
			best = v;
	}
	return best;
}

static sat_value
total(const field_ops *f)
{
	int64_t sum = 0;

	for (int i = 0; i < f->n; i++)
		sum += f->p[i]->op->value.i;
	return sat_v_int(sum);
}

/* An add is in the set unless a later operation on the same element by
 * somebody who knew of it took it out or stands for it. */
static bool
in_set(const world *w, const field_ops *f, int i)
{
	if (f->p[i]->op->kind != SAT_OP_SADD)
		return false;
	for (int k = i + 1; k < f->n; k++)
		if (sat_value_eq(f->p[k]->op->value, f->p[i]->op->value) &&
		    knew(w, f->p[k], f->p[i]))
			return false;
	return true;
}

static int
by_text(const void *a, const void *b)
{
	return sat_span_cmp(*(const sat_span *)a, *(const sat_span *)b);
}

static sat_value
set_of(world *w, const field_ops *f)
{
	sat_span *el = sat_arena_alloc(&w->tmp, ((size_t)f->n + 1) * sizeof *el);
	sat_buf b = { 0 };
	sat_value v;
	size_t n = 0;

	for (int i = 0; i < f->n; i++)
		if (in_set(w, f, i))
			el[n++] = f->p[i]->op->value.s;
	if (n == 0)
		return sat_v_null();
	qsort(el, n, sizeof *el, by_text);
	for (size_t i = 0; i < n; i++) {
		if (i > 0 && sat_span_eq(el[i], el[i - 1]))
			continue;
		if (b.n > 0)
			sat_write_u8(&b, '\n');
		sat_buf_add(&b, el[i].p, el[i].n);
	}
	v = sat_value_dup(&w->tmp, sat_v_text(sat_buf_span(&b)));
	sat_buf_fini(&b);
	return v;
}

static bool
resolves(const world *w, const lop *r, const lop *p)
{
	const sat_commit *c = &w->log[p->lsn].c;

	for (size_t i = 0; r->op->kind == SAT_OP_RESOLVE && i < r->op->ndots; i++)
		if (r->op->dots[i].dev == c->device &&
		    r->op->dots[i].lsn == p->lsn)
			return true;
	return false;
}

static bool
read_the_same(const sat_field *fd, sat_value a, sat_value b)
{
	return sat_value_eq(a, b) || (a.type == SAT_V_TEXT &&
	    b.type == SAT_V_TEXT && sat_norm_same(fd->norm, a.s, b.s));
}

/* A value nobody knew of, or settled, who wrote later. Of those that read the
 * same one is shown. *n > 1: a person decides; the latest is shown. */
static sat_value
candidates(const world *w, const field_ops *f, const sat_field *fd, size_t *n)
{
	const lop *open[LSN_MAX];
	const lop *best = NULL;
	int m = 0;

	for (int i = 0; i < f->n; i++) {
		int kept = 0;

		for (int k = 0; k < m; k++)
			if (!knew(w, f->p[i], open[k]) &&
			    !resolves(w, f->p[i], open[k]))
				open[kept++] = open[k];
		m = kept;
		open[m++] = f->p[i];
	}
	*n = 0;
	for (int k = 0; k < m; k++) {
		bool first = true;

		for (int j = 0; j < k; j++)
			first &= !read_the_same(fd, open[j]->op->value,
			    open[k]->op->value);
		*n += first;
		if (best == NULL || stamp_cmp(w, best, open[k]) < 0)
			best = open[k];
	}
	return best->op->value;
}

/* Only a stage everyone saw before going on is judged here. */
static bool
is_chain(const world *w, const field_ops *f)
{
	for (int i = 1; i < f->n; i++)
		for (int k = 0; k < i; k++)
			if (!knew(w, f->p[i], f->p[k]))
				return false;
	return true;
}

static void
check_field(world *w, int rec, const sat_record *state, const sat_field *fd,
    const field_ops *f)
{
	sat_value got = sat_record_value(state, fd->id), want = got;
	const sat_cell *c = sat_record_cell(state, fd->id);
	uint64_t opened;
	sat_candidate *cand;
	size_t n = 0, open;

	switch (fd->policy) {
	case SAT_P_LWW: want = latest(w, f); break;
	case SAT_P_ONCE:
		want = fd->id == A_NUMBER && w->recs[rec].kind == K_ACCOUNT &&
		    w->recs[rec].number.type != SAT_V_NULL ?
		    w->recs[rec].number : first(f);
		break;
	case SAT_P_MAX: want = extreme(f, 1); break;
	case SAT_P_MIN: want = extreme(f, -1); break;
	case SAT_P_COUNTER: want = total(f); break;
	case SAT_P_SET: want = set_of(w, f); break;
	case SAT_P_REVIEW: want = candidates(w, f, fd, &n); break;
	case SAT_P_STAGE:
		if (is_chain(w, f))
			want = f->p[f->n - 1]->op->value;
		break;
	case SAT_P_OWNER:
		want = w->recs[rec].owner < 0 ? got : sat_v_text(sat_span_str(
		    w->users[w->recs[rec].owner].key));
		break;
	case SAT_P_DERIVED: break;
	}
	if (!sat_value_eq(got, want))
		sim_fail(w, "reference fold: record %d field %s (policy %d) "
		    "holds another value than its %d operations give", rec,
		    fd->key, (int)fd->policy, f->n);
	if (fd->policy != SAT_P_REVIEW || c == NULL)
		return;
	open = sat_cell_candidates(&cand, &opened, &w->tmp, fd->policy, c);
	if (open != (n > 1 ? n : 0))
		sim_fail(w, "reference fold: record %d field %s has %zu open "
		    "values, %zu expected", rec, fd->key, open, n > 1 ? n : 0);
}

static void
check_record(world *w, int rec, field_ops *f)
{
	const mrec *r = &w->recs[rec];
	const sat_kind *k = sat_template_kind_id(sim_template(1), r->kind);
	sat_record state;
	sat_rec_row row;
	sat_err e = { 0 };

	if (w->ops.rec_by_id(&row, &w->tmp, w->ops.u, &r->id, &e) != SAT_OK ||
	    sat_record_read(&state, &w->tmp, row.state, &e) != SAT_OK)
		sim_fail(w, "a record of the log is not stored: %s", e.text);
	for (size_t i = 0; i < k->nfields; i++) {
		f->n = 0;
		for (int j = 0; j < r->nops; j++)
			if (w->lops[r->ops[j]].op->field == k->fields[i].id)
				f->p[f->n++] = &w->lops[r->ops[j]];
		if (f->n > 0)
			check_field(w, rec, &state, &k->fields[i], f);
	}
}

/* Property 14: no number twice, whatever was copied or restored. */
static void
check_numbers(world *w)
{
	for (int i = 0; i < w->nrecs; i++)
		for (int k = 0; k < i; k++)
			if (w->recs[i].number.type != SAT_V_NULL &&
			    sat_value_eq(w->recs[i].number, w->recs[k].number))
				sim_fail(w, "property 14: records %d and %d "
				    "have one number", i, k);
}

void
sim_model_check(world *w)
{
	field_ops *f = sat_xmalloc(sizeof *f);

	for (int i = 0; i < w->nrecs; i++) {
		sat_arena_reset(&w->tmp);
		/* what came from others is judged by the log's own replay */
		if (w->recs[i].eid != 0 && !w->recs[i].mixed)
			check_record(w, i, f);
	}
	check_numbers(w);
	free(f);
}

/* ---- what was concurrent --------------------------------------------------------------------- */

/* A commit on several records has one position for all: the least. */
static bool
spans(const entry *e)
{
	for (size_t i = 1; i < e->nops; i++)
		if (e->rec[i] != e->rec[0])
			return true;
	return false;
}

/* May it do nothing, and leave no mark that the record was changed? Then a
 * state shows it without saying so, and nothing later can meet it. */
static bool
may_leave_nothing(const lop *p, sat_policy policy)
{
	return p->op->kind == SAT_OP_SREM || policy == SAT_P_ONCE ||
	    policy == SAT_P_MAX || policy == SAT_P_MIN;
}

static void
check_pair(world *w, const lop *p, const lop *q, const entry *e, size_t at,
    sat_policy policy)
{
	const lcommit *c = &w->log[q->lsn], *b = &w->log[p->lsn];
	bool told = p->lsn <= c->c.seen;
	bool seen = (e->saw[at][p->lsn / 64] >> p->lsn % 64 & 1) != 0;

	if (b->c.device == c->c.device || p->op->kind == SAT_OP_MERGE ||
	    q->op->kind == SAT_OP_MERGE)
		return;
	if (told && !seen)
		sim_fail(w, "property 4: commit %llu (d%d) counts as having "
		    "seen %llu on record %d field %u, and had not",
		    (unsigned long long)q->lsn, e->dev + 1,
		    (unsigned long long)p->lsn, q->rec, q->op->field);
	if (!told && seen && !spans(e) && !may_leave_nothing(p, policy))
		sim_fail(w, "property 4: commit %llu (d%d) counts as not "
		    "having seen %llu on record %d field %u, and had",
		    (unsigned long long)q->lsn, e->dev + 1,
		    (unsigned long long)p->lsn, q->rec, q->op->field);
	if (!told && seen)
		HIT(ahead);
	else if (seen)
		HIT(causal);
	else
		HIT(concurrent);
	if (seen && policy == SAT_P_LWW && c->c.eff <= b->c.eff)
		sim_fail(w, "property 5: commit %llu saw %llu and has no later "
		    "stamp", (unsigned long long)q->lsn,
		    (unsigned long long)p->lsn);
}

void
sim_shadow_check(world *w)
{
	for (int i = 0; i < w->nlops; i++) {
		const lop *q = &w->lops[i];
		const mrec *r = &w->recs[q->rec];
		const entry *e = &w->entries[w->log[q->lsn].entry];
		const sat_field *fd = sat_kind_field_id(sat_template_kind_id(
		    sim_template(1), r->kind), q->op->field);
		size_t at = 0;

		if (q->op->field == 0 || fd == NULL)
			continue;
		while (at < e->nops && (e->rec[at] != q->rec ||
		    e->ops[at].field != q->op->field))
			at++;
		for (int k = 0; k < r->nops; k++) {
			const lop *p = &w->lops[r->ops[k]];

			if (p->lsn < q->lsn && p->op->field == q->op->field)
				check_pair(w, p, q, e, at, fd->policy);
		}
	}
}
