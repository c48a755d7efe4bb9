/*
 * Who may see what and what the fields hold, by the log alone (mirror.c) and by
 * other code. Written from the policies in words (docs/protocol.md), slow and
 * plain, with nothing of the fold in it.
 */
#include "tests/sim/sim.h"

#include <stdlib.h>

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

	return r->eid != 0 && !r->erased && sim_top(w, rec) == top &&
	    (rec == top ||
	    r->kind == K_ACCOUNT ||
	    (r->kind == K_OPP && !(r->deleted && !r->with_edits)));
}

/* Held for a reason other than the pool. */
static bool
sees_whole(const world *w, int user, int rec)
{
	const mrec *r = &w->recs[rec];
	bool held = false;
	int top;

	if (r->eid == 0 || r->erased)
		return false;
	if (w->users[user].role >= HQ)
		return true;
	top = sim_top(w, rec);
	for (int i = 0; i < w->nrecs && !held; i++)
		held = reason(w, user, w->recs[i].owner) && holds(w, i, top);
	if (!held || r->kind != K_OPP || rec == top)
		return held;
	return reason(w, user, r->owner) ||
	    reason(w, user, w->recs[top].owner);
}

bool
sim_masked(const world *w, int user, int rec)
{
	const mrec *r = &w->recs[rec];

	return r->eid != 0 && r->pooled && sim_top(w, rec) == rec &&
	    !w->users[user].disabled && !sees_whole(w, user, rec);
}

bool
sim_visible(const world *w, int user, int rec)
{
	return sees_whole(w, user, rec) || sim_masked(w, user, rec);
}

int
sim_owned_roots(const world *w, int user)
{
	int n = 0;

	for (int top = 0; top < w->nrecs; top++) {
		bool held = false;

		for (int i = 0; i < w->nrecs && !held; i++)
			held = w->recs[i].owner == user && holds(w, i, top);
		n += held;
	}
	return n;
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
	return sim_author_saw(w, later, earlier);
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

static bool
is_moved_own(const world *w, const lop *p, const lop *other)
{
	const sat_commit *c = &w->log[p->lsn].c;

	return (c->flags & SAT_CF_MOVED) != 0 &&
	    w->log[other->lsn].c.device == c->device;
}

/* P-325: of one author the value he wrote later, whatever came in later. */
static bool
is_outdated(const world *w, const lop *p, const lop *const *open, int n)
{
	for (int k = 0; k < n; k++)
		if (is_moved_own(w, p, open[k]) && stamp_cmp(w, p, open[k]) < 0)
			return true;
	return false;
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

		if (is_outdated(w, f->p[i], open, m))
			continue;
		for (int k = 0; k < m; k++)
			if (!knew(w, f->p[i], open[k]) &&
			    !is_moved_own(w, f->p[i], open[k]) &&
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

/* P-169: what nobody knows yet is kept, all of it and in its order. */
static void
check_later(world *w, int rec, const sat_record *state)
{
	const mrec *r = &w->recs[rec];
	sat_later *l;
	size_t n = sat_record_later(&l, &w->tmp, state), at = 0;

	for (int i = 0; i < r->nops; i++) {
		const lop *p = &w->lops[r->ops[i]];

		if (!sat_op_kind_is_later(p->op->kind))
			continue;
		if (at >= n || l[at].at.lsn != p->lsn)
			sim_fail(w, "property 18: record %d does not keep the "
			    "operation at %llu", rec,
			    (unsigned long long)p->lsn);
		at++;
		HIT(later);
	}
	if (at != n)
		sim_fail(w, "property 18: record %d keeps %zu operations, "
		    "the log has %zu", rec, n, at);
}

static void
check_record(world *w, int rec, field_ops *f)
{
	const mrec *r = &w->recs[rec];
	const sat_kind *k = sat_template_kind_id(sim_template(SIM_TIP), r->kind);
	sat_record state;
	sat_rec_row row;
	sat_err e = { 0 };

	if (w->ops.rec_by_id(&row, &w->tmp, w->ops.u, &r->id, &e) != SAT_OK ||
	    sat_record_read(&state, &w->tmp, row.state, &e) != SAT_OK)
		sim_fail(w, "a record of the log is not stored: %s", e.text);
	check_later(w, rec, &state);
	for (size_t i = 0; i < k->nfields; i++) {
		f->n = 0;
		for (int j = 0; j < r->nops; j++)
			if (w->lops[r->ops[j]].op->field == k->fields[i].id)
				f->p[f->n++] = &w->lops[r->ops[j]];
		if (f->n > 0)
			check_field(w, rec, &state, &k->fields[i], f);
	}
}

/* Property 14: no number of two records, whatever was copied, restored or
 * erased. */
void
sim_number_final(world *w, int rec, sat_value text)
{
	for (int i = 0; i < w->nnumbers; i++)
		if (w->numbers[i].rec != rec &&
		    sat_value_eq(w->numbers[i].text, text))
			sim_fail(w, "property 14: records %d and %d have one "
			    "number, %.*s", w->numbers[i].rec, rec,
			    (int)text.s.n, (const char *)text.s.p);
	w->numbers[w->nnumbers].rec = rec;
	w->numbers[w->nnumbers++].text = text;
}

static bool
renumbered(const world *w, uint64_t lsn, uint64_t head, int rec)
{
	for (; lsn < head && w->log[lsn + 1].entry < 0; lsn++)
		for (size_t i = 0; i < w->log[lsn + 1].c.nops; i++)
			if (w->log[lsn + 1].c.ops[i].kind == SAT_OP_NUMBER &&
			    sim_rec_find(w, &w->log[lsn + 1].c.ops[i].rec) ==
			    rec)
				return true;
	return false;
}

void
sim_numbers_of(world *w, uint64_t lsn, uint64_t head)
{
	const lcommit *l = &w->log[lsn];

	for (size_t i = 0; l->entry >= 0 && i < l->c.nops; i++) {
		const sat_op *op = &l->c.ops[i];
		const entry *e = &w->entries[l->entry];
		int rec = e->rec[i];
		bool first = true;

		if (op->kind != SAT_OP_SET || op->field != A_NUMBER ||
		    w->recs[rec].kind != K_ACCOUNT || w->recs[rec].redirect >= 0 ||
		    renumbered(w, lsn, head, rec))
			continue;
		for (int k = 0; k < w->recs[rec].nops; k++) {
			const lop *p = &w->lops[w->recs[rec].ops[k]];

			first = first && (p->op == op || p->lsn > lsn ||
			    p->op->field != A_NUMBER);
		}
		if (!first)
			continue; /* it has one: P-045 */
		if (e->leased)
			HIT(leased_kept);
		sim_number_final(w, rec, op->value);
	}
}

void
sim_model_check(world *w)
{
	field_ops *f = sat_xmalloc(sizeof *f);

	for (int i = 0; i < w->nrecs; i++) {
		sat_arena_reset(&w->tmp);
		/* what came from others is judged by the log's own replay */
		if (w->recs[i].eid != 0 && !w->recs[i].mixed &&
		    !w->recs[i].erased)
			check_record(w, i, f);
	}
	free(f);
}

/* ---- what was concurrent --------------------------------------------------------------------- */

/* May it do nothing (a RELEASE into the pool it is in already, a CLAIM of what is
 * the claimer's), and leave no mark that the record was changed? Then a state
 * shows it without saying so, and nothing later can meet it. */
static bool
may_leave_nothing(const lop *p, sat_policy policy)
{
	return p->op->kind == SAT_OP_SREM ||
	    p->op->kind == SAT_OP_RELEASE ||
	    p->op->kind == SAT_OP_CLAIM || policy == SAT_P_ONCE ||
	    policy == SAT_P_MAX || policy == SAT_P_MIN;
}

/* A value that was there already, by a later stamp that the log has before it:
 * nothing is displaced, and the record's position stays (P-044). */
static bool
repeats(const world *w, const lop *p)
{
	const mrec *m = &w->recs[p->rec];

	for (int k = 0; k < m->nops; k++) {
		const lop *r = &w->lops[m->ops[k]];

		if (r->lsn < p->lsn && r->op->field == p->op->field &&
		    r->op->kind == p->op->kind &&
		    sat_value_eq(r->op->value, p->op->value) &&
		    w->log[r->lsn].c.eff > w->log[p->lsn].c.eff)
			return true;
	}
	return false;
}

static void
check_pair(world *w, const lop *p, const lop *q, const entry *e, size_t at,
    sat_policy policy)
{
	const lcommit *c = &w->log[q->lsn], *b = &w->log[p->lsn];
	bool told = p->lsn <= sat_op_seen(&c->c, q->op);
	bool seen = (e->saw[at][p->lsn / 64] >> p->lsn % 64 & 1) != 0;

	if (b->c.device == c->c.device || p->op->kind == SAT_OP_MERGE ||
	    q->op->kind == SAT_OP_MERGE)
		return;
	if (told && !seen)
		sim_fail(w, "property 4: commit %llu (d%d) counts as having "
		    "seen %llu on record %d field %u, and had not",
		    (unsigned long long)q->lsn, e->dev + 1,
		    (unsigned long long)p->lsn, q->rec, q->op->field);
	/* 0: it was made here, and what had been seen of another's birth of it
	 * had left this device again (P-027, P-281) */
	if (!told && seen && sat_op_seen(&c->c, q->op) != 0 &&
	    !may_leave_nothing(p, policy) &&
	    !(policy == SAT_P_LWW && repeats(w, p)))
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
		const entry *e = &w->entries[w->log[q->lsn].entry < 0 ? 0 :
		    w->log[q->lsn].entry];
		const sat_field *fd = sat_kind_field_id(sat_template_kind_id(
		    sim_template(SIM_TIP), r->kind), q->op->field);
		size_t at = 0;

		if (q->op->field == 0 || fd == NULL ||
		    w->log[q->lsn].entry < 0)
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
