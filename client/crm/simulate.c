/*
 * simulate.c - what a draft of the template would change here, before anybody
 * signs it: the same judgements over the same rows, by the template in force and
 * by the draft, and the difference told. Nothing is written.
 */
#include "client/crm/crm_int.h"

#include <stdlib.h>
#include <string.h>

typedef struct sim {
	sat_crm *c;
	const sat_template *is, *draft;
	sat_rc (*cb)(void *u, const sat_simulated *s, sat_err *e);
	void *u;
} sim;

/* ---- what is complete ---------------------------------------------------------- */

typedef struct shown_row {
	const uint16_t *columns;
	size_t n;
	const sat_value *v; /* the id first */
} shown_row;

static sat_value
value_of(void *u, const sat_field *f)
{
	const shown_row *r = u;

	for (size_t i = 1; i < r->n; i++)
		if (r->columns[i] == f->id)
			return r->v[i];
	return sat_v_null();
}

/* The first field a record lacks; NULL: none. */
static const char *
lacks(const sat_template *t, const sat_kind *k, shown_row *r)
{
	const char *missing[SAT_FIELDS_MAX];
	size_t n = 0;

	return sat_gate_incomplete(t, k, value_of, r, missing, &n) && n > 0 ?
	    missing[0] : NULL;
}

static sat_rc
compare_row(const sim *s, const sat_kind *k, const sat_kind *dk, shown_row *r,
    sat_err *e)
{
	sat_simulated out = { .kind = k, .before = lacks(s->is, k, r),
		.after = lacks(s->draft, dk, r) };

	if ((out.before == NULL) == (out.after == NULL) ||
	    r->v[0].s.n != sizeof out.id.b)
		return SAT_OK;
	memcpy(out.id.b, r->v[0].s.p, sizeof out.id.b);
	out.what = out.after != NULL ? SAT_SIM_INCOMPLETE : SAT_SIM_COMPLETE;
	return s->cb(s->u, &out, e);
}

static sat_rc
compare_kind(const sim *s, const sat_kind *k, const sat_kind *dk, sat_err *e)
{
	uint16_t columns[SAT_FIELDS_MAX + 1];
	sat_query q = { .kind = k, .columns = columns, .unordered = true };
	shown_row r = { .columns = columns };
	sat_rows *rows;
	sat_rc rc;

	columns[q.ncolumns++] = SAT_Q_ID;
	for (size_t i = 0; i < k->nfields; i++)
		if (k->fields[i].policy != SAT_P_DERIVED)
			columns[q.ncolumns++] = k->fields[i].id;
	r.n = q.ncolumns;
	if ((rc = sat_replica_query(&rows, s->c->replica, &q, e)) != SAT_OK)
		return rc;
	while ((rc = sat_rows_next(&r.v, rows, e)) == SAT_OK && r.v != NULL)
		if ((rc = compare_row(s, k, dk, &r, e)) != SAT_OK)
			break;
	sat_rows_free(rows);
	return rc;
}

/* ---- grades ------------------------------------------------------------------------ */

static bool
same_text(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static sat_rc
compare_grades(const sim *s, const sat_grading *g, const sat_grading *dg,
    const sat_kind *k, int64_t now_ms, sat_err *e)
{
	const sat_field *grade = sat_kind_field(k, "grade");
	const sat_field *until = sat_kind_field(k, "grade_until");
	uint16_t columns[3] = { SAT_Q_ID, grade != NULL ? grade->id :
		SAT_Q_CREATED, until != NULL ? until->id : SAT_Q_CREATED };
	sat_query q = { .kind = k, .columns = columns, .ncolumns = 3,
		.unordered = true };
	const sat_value *v;
	sat_rows *rows;
	int64_t amount;
	sat_rc rc;

	if ((rc = sat_replica_query(&rows, s->c->replica, &q, e)) != SAT_OK)
		return rc;
	while ((rc = sat_rows_next(&v, rows, e)) == SAT_OK && v != NULL) {
		sat_value typed = grade == NULL ? sat_v_null() :
		    sat_grade_typed(v[1], until != NULL ? v[2] :
		    sat_v_null(), now_ms);
		sat_simulated out = { .what = SAT_SIM_GRADE, .kind = k };

		if (v[0].s.n != sizeof out.id.b || (typed.type == SAT_V_TEXT &&
		    typed.s.n > 0))
			continue;
		memcpy(out.id.b, v[0].s.p, sizeof out.id.b);
		out.before = sat_grading_of(g, s->is, &out.id, typed, &amount);
		out.after = sat_grading_of(dg, s->draft, &out.id, typed, &amount);
		if (!same_text(out.before, out.after) &&
		    (rc = s->cb(s->u, &out, e)) != SAT_OK)
			break;
	}
	sat_rows_free(rows);
	return rc;
}

static sat_rc
grades(const sim *s, sat_err *e)
{
	const sat_kind *k = sat_template_kind(s->is, "account");
	int64_t now = sat_wall_ms(&s->c->clock);
	sat_grading *g = NULL, *dg = NULL;
	sat_rc rc;

	if (k == NULL)
		return SAT_OK;
	if ((rc = crm_grading_by(&g, s->c, s->is, now, e)) == SAT_OK &&
	    (rc = crm_grading_by(&dg, s->c, s->draft, now, e)) == SAT_OK)
		rc = compare_grades(s, g, dg, k, now, e);
	sat_grading_free(g);
	sat_grading_free(dg);
	return rc;
}

/* ---- pools --------------------------------------------------------------------------- */

typedef struct back {
	sat_id id;
	const char *pool;
} back;

typedef struct backs {
	back *v;
	size_t n, cap;
} backs;

static sat_rc
note(void *u, const sat_due_back *d, sat_err *e)
{
	backs *b = u;

	(void)e;
	if (!d->due)
		return SAT_OK;
	if (b->n == b->cap) {
		b->cap = b->cap == 0 ? 64 : b->cap * 2;
		b->v = sat_xrealloc(b->v, b->cap * sizeof *b->v);
	}
	b->v[b->n++] = (back){ d->id, d->pool->key };
	return SAT_OK;
}

static int
by_id(const void *a, const void *b)
{
	return memcmp(((const back *)a)->id.b, ((const back *)b)->id.b, 16);
}

/* Those of `a` that `b` has not. */
static sat_rc
only_in(const sim *s, const backs *a, const backs *b, sat_simulated_what what,
    const sat_kind *k, sat_err *e)
{
	sat_rc rc = SAT_OK;

	for (size_t i = 0; i < a->n && rc == SAT_OK; i++) {
		sat_simulated out = { .what = what, .kind = k,
			.id = a->v[i].id };

		if (b->n > 0 && bsearch(&a->v[i], b->v, b->n, sizeof *b->v,
		    by_id) != NULL)
			continue;
		if (what == SAT_SIM_POOL)
			out.after = a->v[i].pool;
		else
			out.before = a->v[i].pool;
		rc = s->cb(s->u, &out, e);
	}
	return rc;
}

/* Without a pool nothing is. */
static sat_rc
taken_back(backs *b, const sim *s, const sat_template *t, sat_err *e)
{
	return sat_pools(t) == 0 ? SAT_OK :
	    crm_pool_preview_by(s->c, t, 0, note, b, e);
}

static sat_rc
pools(const sim *s, sat_err *e)
{
	const sat_kind *k = sat_pool_kind(s->is);
	backs is = { 0 }, then = { 0 };
	sat_rc rc;

	if (k == NULL || sat_pool_kind(s->draft) == NULL)
		return SAT_OK;
	if ((rc = taken_back(&is, s, s->is, e)) == SAT_OK &&
	    (rc = taken_back(&then, s, s->draft, e)) == SAT_OK) {
		if (is.n > 0)
			qsort(is.v, is.n, sizeof *is.v, by_id);
		if (then.n > 0)
			qsort(then.v, then.n, sizeof *then.v, by_id);
		if ((rc = only_in(s, &then, &is, SAT_SIM_POOL, k, e)) == SAT_OK)
			rc = only_in(s, &is, &then, SAT_SIM_KEPT, k, e);
	}
	free(is.v);
	free(then.v);
	return rc;
}

sat_rc
sat_crm_simulate(sat_crm *c, const sat_template *draft,
    sat_rc (*cb)(void *u, const sat_simulated *s, sat_err *e), void *u,
    sat_err *e)
{
	sim s = { c, sat_replica_template(c->replica), draft, cb, u };
	sat_rc rc = SAT_OK;

	if (s.is == NULL)
		return sat_fail_code(e, SAT_ENOREPLICA, "not_synced",
		    "run: satchel sync", "there is no template yet");
	for (size_t i = 0; i < sat_template_kinds(s.is) && rc == SAT_OK; i++) {
		const sat_kind *k = sat_template_kind_at(s.is, i);
		const sat_kind *dk = sat_template_kind_id(draft, k->id);

		if (dk != NULL)
			rc = compare_kind(&s, k, dk, e);
	}
	if (rc == SAT_OK)
		rc = grades(&s, e);
	return rc == SAT_OK ? pools(&s, e) : rc;
}
