/*
 * An own commit -> one that puts back what it replaced.
 *
 * Nothing is taken out of the log: the earlier values are written anew, by the
 * acting user, now. A field goes back only while it still shows what the commit
 * wrote; whoever changed it since knew better. A counter and an element that was
 * taken out do not show who wrote them: undo_marks.c knows which went back.
 */
#include "client/crm/crm_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* So long a device keeps past values (client/replica/digest.c); what was born
 * before may have lost the one that is looked for. */
#define PAST_MS ((int64_t)400 * 86400000)
#define ROUNDS 4 /* of leaving out what the gate does not let go back */

typedef struct undo {
	crm_again all;
	const sat_commit *of;
	sat_undone *ops;
	sat_op *back;      /* the inverse of each; kind 0 = none */
	size_t n;
	bool *gone;        /* of of->ops: went back before */
	bool joins;        /* it merged two customers, or took them apart */
} undo;

/* The record as it is, looked up once per operation: commits are small. */
typedef struct target {
	sat_view v;
	const sat_kind *k;
	sat_past *past;
	size_t npast;
} target;

static bool
is_ours(const undo *u, sat_stamp at)
{
	const sat_commit *c = u->of;

	if (at.dev != c->device)
		return false;
	return at.lsn != 0 ? at.lsn == c->lsn
	                   : at.hlc == c->hlc || at.hlc == c->eff;
}

/* ---- what went back before -------------------------------------------------- */

static bool
shows_nothing(const sat_op *op)
{
	return op->kind == SAT_OP_ADD || op->kind == SAT_OP_SREM;
}

static bool *
flags(const undo *u)
{
	bool *out = sat_arena_alloc(u->all.a, u->of->nops + 1);

	memset(out, 0, u->of->nops + 1);
	return out;
}

/* Those that go back now. */
static sat_rc
write_mark(const undo *u, sat_err *e)
{
	bool *now = flags(u);

	for (size_t i = 0; i < u->n; i++)
		now[u->ops[i].op - u->of->ops] = u->ops[i].left == NULL &&
		    shows_nothing(u->ops[i].op);
	return crm_undone_put(u->all.c, u->of, u->gone, now, e);
}

/* ---- one operation ----------------------------------------------------------- */

/* What the commit displaced; false: that is not known any more. */
static bool
before(sat_value *out, const undo *u, const target *t, uint16_t field)
{
	int64_t born = sat_hlc_ms(t->v.rec.born.hlc);

	for (size_t i = 0; i < t->npast; i++)
		if (t->past[i].field == field && !is_ours(u, t->past[i].at) &&
		    (t->past[i].by == 0 || t->past[i].by == u->of->lsn)) {
			*out = t->past[i].value;
			return true;
		}
	*out = sat_v_null(); /* there was no such cell */
	return born > u->all.who->now_ms - PAST_MS;
}

static bool
made_here(const undo *u, const sat_id *id)
{
	for (size_t i = 0; i < u->of->nops; i++)
		if (u->of->ops[i].kind == SAT_OP_NEW &&
		    sat_id_eq(&u->of->ops[i].rec, id))
			return true;
	return false;
}

bool
crm_holds(sat_filter *which, size_t *n, const sat_kind *k)
{
	static const char *const books[] = { "import_batch", "import_gate",
		"sample" };
	const sat_field *rule = strcmp(k->key, "task") == 0 ?
	    sat_kind_field(k, "rule") : NULL;

	*n = 0;
	for (size_t i = 0; i < sizeof books / sizeof books[0]; i++)
		if (strcmp(k->key, books[i]) == 0)
			return false;
	if (rule != NULL)
		which[(*n)++] = (sat_filter){ .field = rule->id,
			.cmp = SAT_CMP_NULL };
	return true;
}

/* Does a record that the commit did not make point to it by this field? */
static sat_rc
has_ref(bool *yes, undo *u, const target *t, const sat_kind *k,
    const sat_field *by, sat_err *e)
{
	static const uint16_t column = SAT_Q_ID;
	sat_value v = sat_v_id(&t->v.rec.id);
	sat_filter f[2] = { { by->id, SAT_CMP_EQ, &v, 1 } };
	sat_query q = { .kind = k, .columns = &column, .ncolumns = 1,
		.filters = f, .unordered = true };
	const sat_value *row;
	sat_rows *rows;
	sat_id id;
	sat_rc rc;

	if (!crm_holds(&f[1], &q.nfilters, k))
		return SAT_OK;
	q.nfilters++; /* and the reference itself */
	if ((rc = sat_replica_query(&rows, u->all.c->replica, &q, e)) != SAT_OK)
		return rc;
	while (!*yes && (rc = sat_rows_next(&row, rows, e)) == SAT_OK &&
	    row != NULL) {
		memcpy(id.b, row[0].s.p, sizeof id.b);
		*yes = !made_here(u, &id);
	}
	sat_rows_free(rows);
	return rc;
}

/* Is something below it, does something point to it, was one merged into it? */
static sat_rc
is_needed(bool *yes, undo *u, const target *t, sat_err *e)
{
	const sat_template *tpl = u->all.who->t;
	sat_id *ids;
	size_t n;
	sat_rc rc = sat_replica_merged(&ids, &n, u->all.a, u->all.c->replica,
	    &t->v.rec.id, e);

	*yes = rc == SAT_OK && n > 1;
	for (size_t i = 0; i < sat_template_kinds(tpl); i++) {
		const sat_kind *k = sat_template_kind_at(tpl, i);

		for (size_t j = 0; j < k->nfields && rc == SAT_OK && !*yes; j++)
			if (k->fields[j].type == SAT_F_REF &&
			    strcmp(k->fields[j].ref, t->k->key) == 0)
				rc = has_ref(yes, u, t, k, &k->fields[j], e);
	}
	return rc;
}

static sat_rc
undo_new(sat_undone *o, sat_op *back, undo *u, const target *t, sat_err *e)
{
	bool needed = false;
	sat_rc rc = SAT_OK;

	for (size_t i = 0; i < t->v.rec.ncells && o->left == NULL; i++)
		if (t->v.rec.cells[i].field < SAT_SYS_FIRST &&
		    !is_ours(u, t->v.rec.cells[i].at) &&
		    t->v.rec.cells[i].at.dev != SAT_DEV_SERVER)
			o->left = "changed";
	if (t->v.rec.del_at.hlc != 0) /* it was deleted, and came back */
		o->left = "changed";
	if (t->k->append_only)
		o->left = "append_only";
	if (o->left == NULL)
		rc = is_needed(&needed, u, t, e);
	if (needed)
		o->left = "records";
	back->kind = SAT_OP_DEL;
	return rc;
}

static void
undo_element(sat_undone *o, sat_op *back, undo *u, const target *t)
{
	const sat_cell *cell = sat_record_cell(&t->v.rec, o->op->field);
	sat_element *el;
	size_t n = cell != NULL ? sat_cell_elements(&el, u->all.a, cell) : 0;
	bool there = false, ours = false;

	for (size_t i = 0; i < n; i++)
		if (sat_span_eq(el[i].text, o->op->value.s)) {
			there = true;
			ours = ours || (el[i].dev == u->of->device &&
			    (el[i].lsn == 0 || el[i].lsn == u->of->lsn));
		}
	if (o->op->kind == SAT_OP_SADD ? !ours : there)
		o->left = "changed";
	back->kind = o->op->kind == SAT_OP_SADD ? SAT_OP_SREM : SAT_OP_SADD;
}

/* No more than a verb does it give a customer to who is not there. */
static bool
has_left(const undo *u, sat_value owner)
{
	const sat_user *to = owner.type != SAT_V_TEXT ? NULL :
	    sat_registry_user(u->all.who->reg, owner.s);

	return to != NULL && to->disabled;
}

static void
undo_value(sat_undone *o, sat_op *back, undo *u, const target *t,
    const sat_field *f)
{
	const sat_cell *cell = sat_record_cell(&t->v.rec, f->id);
	sat_candidate *cand;
	uint64_t opened;

	if (f->policy == SAT_P_ONCE || f->policy == SAT_P_MAX ||
	    f->policy == SAT_P_MIN || f->policy == SAT_P_DERIVED)
		o->left = "fixed";
	else if (cell == NULL || !is_ours(u, cell->at) ||
	    sat_cell_candidates(&cand, &opened, u->all.a, f->policy, cell) > 1)
		o->left = "changed";
	else if (!before(&back->value, u, t, f->id))
		o->left = "unknown";
	else if (back->value.type == SAT_V_NULL && f->policy == SAT_P_STAGE)
		o->left = "fixed";
	else if (f->policy == SAT_P_OWNER && has_left(u, back->value))
		o->left = "rule";
	o->value = back->value;
}

static sat_rc
invert(sat_undone *o, sat_op *back, undo *u, const target *t, sat_err *e)
{
	const sat_op *op = o->op;
	const sat_field *f = sat_kind_field_id(t->k, op->field);
	sat_id to;

	if (u->joins || sat_record_redirect(&to, &t->v.rec)) {
		o->left = u->joins ? "kind" : "merged";
		return SAT_OK;
	}
	if (op->kind == SAT_OP_DEL || op->kind == SAT_OP_UNDEL) {
		if (t->v.rec.deleted != (op->kind == SAT_OP_DEL) ||
		    !is_ours(u, t->v.rec.del_at))
			o->left = "changed";
		back->kind = op->kind == SAT_OP_DEL ? SAT_OP_UNDEL : SAT_OP_DEL;
		return SAT_OK;
	}
	if (t->v.rec.deleted)
		o->left = "deleted";
	else if (op->kind == SAT_OP_NEW)
		return undo_new(o, back, u, t, e);
	else if (op->kind >= SAT_OP_RESOLVE)
		o->left = "kind";
	else if (f == NULL)
		o->left = "unknown";
	else if (t->k->append_only)
		o->left = "append_only";
	else if (u->gone[op - u->of->ops])
		o->left = "undone";
	else if (op->kind == SAT_OP_SADD || op->kind == SAT_OP_SREM)
		undo_element(o, back, u, t);
	else if (op->kind == SAT_OP_ADD)
		o->value = back->value = sat_v_int(-op->value.i);
	else
		undo_value(o, back, u, t, f);
	return SAT_OK;
}

/* What a record was born with goes with it. */
static bool
is_made(const undo *u, const sat_op *op)
{
	for (size_t i = 0; i < u->of->nops; i++)
		if (u->of->ops[i].kind == SAT_OP_NEW && &u->of->ops[i] != op &&
		    sat_id_eq(&u->of->ops[i].rec, &op->rec))
			return true;
	return false;
}

static sat_rc
look(undo *u, const sat_op *op, sat_err *e)
{
	sat_undone *o = &u->ops[u->n];
	sat_op *back = &u->back[u->n++];
	target t = { .k = sat_template_kind_id(u->all.who->t, op->rtype) };
	sat_rc rc;

	*o = (sat_undone){ .op = op, .value = op->value };
	*back = *op;
	back->dots = NULL;
	back->ndots = 0;
	if (t.k == NULL) {
		o->left = "unknown";
		return SAT_OK;
	}
	rc = sat_replica_get(&t.v, u->all.a, u->all.c->replica, t.k, &op->rec, e);
	if (rc == SAT_OK)
		rc = sat_replica_history(&t.past, &t.npast, u->all.a,
		    u->all.c->replica, &op->rec, op->field, e);
	if (rc == SAT_ENOTFOUND) {
		o->left = "gone";
		return SAT_OK;
	}
	return rc == SAT_OK ? invert(o, back, u, &t, e) : rc;
}

static const sat_field *
field_of(const undo *u, const sat_op *op)
{
	const sat_kind *k = sat_template_kind_id(u->all.who->t, op->rtype);

	return k != NULL ? sat_kind_field_id(k, op->field) : NULL;
}

/* What stays keeps what it brought: won without the day it was won would be
 * missing in every report. */
static void
keep_together(undo *u)
{
	for (size_t i = 0; i < u->n; i++) {
		const sat_undone *stays = &u->ops[i];
		const sat_field *lead = stays->left == NULL ? NULL :
		    field_of(u, stays->op), *f;

		for (size_t j = 0; lead != NULL && j < u->n; j++)
			if (u->ops[j].left == NULL && sat_id_eq(
			    &u->ops[j].op->rec, &stays->op->rec) &&
			    (f = field_of(u, u->ops[j].op)) != NULL &&
			    crm_comes_with(f, lead))
				u->ops[j].left = stays->left;
	}
}

/* Those the gate named stay as they are; false: it named none of ours. */
static bool
leave_named(undo *u, const sat_err *why)
{
	bool any = false;

	for (size_t i = 0; i < u->n; i++) {
		const sat_field *f = u->ops[i].left == NULL ?
		    field_of(u, u->ops[i].op) : NULL;

		for (unsigned j = 0; f != NULL && j < why->nfields; j++)
			if (strcmp(why->fields[j].path, f->key) == 0) {
				u->ops[i].left = "rule";
				any = true;
			}
	}
	return any;
}

static sat_rc
judge(undo *u, sat_err *e)
{
	sat_rc rc = SAT_OK;

	for (int round = 0; round < ROUNDS; round++) {
		sat_err why = { 0 };

		keep_together(u);
		u->all.first = u->all.last = NULL;
		rc = SAT_OK;
		for (size_t i = 0; rc == SAT_OK && i < u->n; i++)
			if (u->ops[i].left == NULL)
				rc = crm_again_op(&u->all, &u->back[i], &why);
		if (rc == SAT_OK)
			rc = crm_again_judge(&u->all, &why);
		if (rc != SAT_OK && e != NULL)
			*e = why;
		if (rc != SAT_EINVALID || !leave_named(u, &why))
			return rc;
	}
	return rc;
}

static sat_rc
write_back(uint64_t *cseq, undo *u, crm_work *w, sat_err *e)
{
	bool own;
	sat_rc rc;

	if ((rc = crm_all_begin(&own, u->all.c, e)) != SAT_OK)
		return rc;
	if ((rc = crm_write(w, 0, cseq, e)) == SAT_OK)
		rc = write_mark(u, e);
	return crm_all_end(own, u->all.c, rc, e);
}

sat_rc
sat_crm_undo(sat_undone **out, size_t *n, uint64_t *cseq, sat_arena *a,
    sat_crm *c, const sat_commit *of, sat_err *e)
{
	undo u = { .of = of };
	crm_actor who;
	crm_work *w;
	sat_rc rc;

	*cseq = 0;
	if ((rc = crm_actor_get(&who, c, e)) != SAT_OK)
		return rc;
	u.ops = sat_arena_alloc(a, (of->nops + 1) * sizeof *u.ops);
	u.back = sat_arena_alloc(a, (of->nops + 1) * sizeof *u.back);
	for (size_t i = 0; i < of->nops; i++)
		u.joins = u.joins || of->ops[i].field == SAT_SYS_REDIRECT;
	crm_again_begin(&u.all, c, &who, a);
	u.gone = flags(&u);
	rc = crm_undone_get(u.gone, c, of, e);
	for (size_t i = 0; rc == SAT_OK && i < of->nops; i++)
		if (!is_made(&u, &of->ops[i]))
			rc = look(&u, &of->ops[i], e);
	if (rc == SAT_OK)
		rc = judge(&u, e);
	/* the first that changes is the one that was related to its root */
	for (w = u.all.first; w != NULL && w->n == 0;)
		w = w->also;
	if (rc == SAT_OK && w != NULL)
		rc = write_back(cseq, &u, w, e);
	crm_again_end(&u.all);
	*out = u.ops;
	*n = u.n;
	return rc;
}
