/*
 * worklist.c - who has to be in touch, and who is told when nobody was.
 */
#include "client/crm/crm_int.h"

#include <stdlib.h>
#include <string.h>

#define DAY_MS ((int64_t)24 * 3600 * 1000)

/* All of them in the index of covered columns: every customer is looked at. With
 * a limit only the first ones, which decide, are read of every customer. */
enum { C_ID, C_CREATED, C_GRADE, C_UNTIL, C_STATUS, C_LAST, C_NEXT, C_TITLE,
	C_NUMBER, C_OWNER, C_REASON, C_COUNT, C_DECIDING = C_TITLE };

static uint16_t
column(bool *has, const sat_kind *k, const char *key)
{
	const sat_field *f = sat_kind_field(k, key);

	/* One that a template does not have reads like the creation time and
	 * is not looked at. */
	*has = f != NULL;
	return f != NULL ? f->id : SAT_Q_CREATED;
}

static bool
is_quiet(const sat_standard *s, sat_value status)
{
	for (size_t i = 0; status.type == SAT_V_TEXT && i < s->nquiet; i++)
		if (sat_span_eq(status.s, sat_span_str(s->quiet[i])))
			return true;
	return false;
}

static int64_t
end_of_day(int64_t ms, int tz_min)
{
	int64_t local = ms + tz_min * (int64_t)60000;

	return (local / DAY_MS + 1) * DAY_MS - tz_min * (int64_t)60000;
}

/* Whoever is above the owner when nobody reacted; else the owner. */
static const char *
told(const sat_registry *reg, const char *owner, sat_sla_state st)
{
	const sat_user *u = owner != NULL
	    ? sat_registry_user(reg, sat_span_str(owner)) : NULL, *above;

	if (st != SAT_SLA_ESCALATED && u != NULL && !u->disabled)
		return u->key;
	above = sat_duty_above(reg, u);
	return above != NULL ? above->key : owner;
}

/* What does not change from one customer to the next. */
typedef struct judging {
	const sat_due_opts *o;
	const sat_template *t;
	const sat_standard *s;
	const sat_registry *reg;
	sat_grading *g;
	int64_t day_end;
	bool grade, until, reason, status, last, next, number; /* fields the template has */
} judging;

static bool
judge(sat_due *d, const judging *j, const sat_value *v)
{
	sat_value until = j->until ? v[C_UNTIL] : sat_v_null();
	sat_value typed = j->grade ? sat_grade_typed(v[C_GRADE], until,
	    j->o->now_ms) : sat_v_null();

	memcpy(d->id.b, v[C_ID].s.p, sizeof d->id.b);
	d->grade = sat_grading_of(j->g, j->t, &d->id, typed, &d->amount);
	d->typed = typed.type == SAT_V_TEXT;
	d->until_ms = d->typed ? crm_time(until) : 0;
	d->last_ms = j->last ? crm_time(v[C_LAST]) : 0;
	d->state = sat_sla_judge(&d->due_ms, sat_standard_sla(j->s, d->grade),
	    v[C_CREATED].i, d->last_ms, j->next ? crm_time(v[C_NEXT]) : 0,
	    j->o->now_ms, j->day_end);
	if (j->status && is_quiet(j->s, v[C_STATUS]))
		d->state = SAT_SLA_NONE;
	return d->state >= j->o->from && d->state <= j->o->to;
}

/* With a limit a heap, the last one that is due at its root: of most customers
 * nothing but that they are due later is ever kept. */
typedef struct collect {
	sat_due *v;
	size_t n, cap, limit;
	int64_t total;
} collect;

static int
by_due(const void *a, const void *b)
{
	const sat_due *x = a, *y = b;

	if (x->due_ms != y->due_ms)
		return x->due_ms < y->due_ms ? -1 : 1;
	return memcmp(x->id.b, y->id.b, 16);
}

static void
swap(sat_due *a, sat_due *b)
{
	sat_due t = *a;

	*a = *b;
	*b = t;
}

static void
rise(sat_due *v, size_t i)
{
	for (; i > 0 && by_due(&v[(i - 1) / 2], &v[i]) < 0; i = (i - 1) / 2)
		swap(&v[i], &v[(i - 1) / 2]);
}

static void
sink(sat_due *v, size_t n)
{
	for (size_t i = 0, child; (child = 2 * i + 1) < n; i = child) {
		if (child + 1 < n && by_due(&v[child], &v[child + 1]) < 0)
			child++;
		if (by_due(&v[i], &v[child]) >= 0)
			return;
		swap(&v[i], &v[child]);
	}
}

static void
put_names(sat_due *d, sat_arena *a, const judging *j, const sat_value *v)
{
	d->title = crm_keep_text(a, v[C_TITLE]);
	d->number = j->number ? crm_keep_text(a, v[C_NUMBER]) : NULL;
	d->owner = crm_keep_text(a, v[C_OWNER]);
	d->reason = j->reason && d->typed ? crm_keep_text(a, v[C_REASON]) : NULL;
	d->told = told(j->reg, d->owner, d->state);
}

static void
take(collect *l, sat_arena *a, const judging *j, const sat_due *d,
    const sat_value *v)
{
	bool full = l->limit > 0 && l->n == l->limit;
	sat_due one = *d;

	l->total++;
	if (full && by_due(d, &l->v[0]) >= 0)
		return;
	if (l->n == l->cap) {
		l->cap = l->cap == 0 ? 64 : l->cap * 2;
		l->v = sat_xrealloc(l->v, l->cap * sizeof *l->v);
	}
	if (l->limit == 0)
		put_names(&one, a, j, v);
	if (full) {
		l->v[0] = one;
		sink(l->v, l->n);
	} else {
		l->v[l->n++] = one;
		if (l->limit > 0)
			rise(l->v, l->n - 1);
	}
}

static void
find_columns(uint16_t columns[C_COUNT], judging *j, const sat_kind *k)
{
	columns[C_ID] = SAT_Q_ID;
	columns[C_CREATED] = SAT_Q_CREATED;
	columns[C_GRADE] = column(&j->grade, k, "grade");
	columns[C_UNTIL] = column(&j->until, k, "grade_until");
	columns[C_STATUS] = column(&j->status, k, "status");
	columns[C_LAST] = column(&j->last, k, "last_follow_at");
	columns[C_NEXT] = column(&j->next, k, "next_follow_at");
	columns[C_TITLE] = k->title->id;
	columns[C_NUMBER] = column(&j->number, k, "number");
	columns[C_OWNER] = k->owner->id;
	columns[C_REASON] = column(&j->reason, k, "grade_reason");
}

/* Of the few that are given: what has not been read of all. */
static sat_rc
name_all(collect *l, sat_arena *a, sat_crm *c, const judging *j,
    const sat_kind *k, const uint16_t *columns, sat_err *e)
{
	sat_value id;
	sat_filter f = { SAT_Q_ID, SAT_CMP_EQ, &id, 1 };
	sat_query q = { .kind = k, .filters = &f, .nfilters = 1,
		.columns = columns, .ncolumns = C_COUNT, .unordered = true };
	const sat_value *v;
	sat_rows *rows;
	sat_rc rc = SAT_OK;

	for (size_t i = 0; i < l->n && rc == SAT_OK; i++) {
		id = sat_v_id(&l->v[i].id);
		if ((rc = sat_replica_query(&rows, c->replica, &q, e)) !=
		    SAT_OK)
			return rc;
		rc = sat_rows_next(&v, rows, e);
		if (rc == SAT_OK && v != NULL)
			put_names(&l->v[i], a, j, v);
		sat_rows_free(rows);
	}
	return rc;
}

static sat_rc
collect_due(collect *l, sat_arena *a, sat_crm *c, judging *j,
    const sat_kind *k, sat_err *e)
{
	const sat_due_opts *o = j->o;
	sat_value owner = sat_v_text(sat_span_str(o->owner != NULL ? o->owner
	                                                           : ""));
	sat_value only = o->only != NULL ? sat_v_id(o->only) : sat_v_null();
	uint16_t columns[C_COUNT];
	sat_filter f[2];
	sat_query q = { .kind = k, .filters = f, .columns = columns,
		.ncolumns = l->limit > 0 ? C_DECIDING : C_COUNT,
		.unordered = true };
	const sat_value *v;
	sat_rows *rows;
	sat_due d = { 0 };
	sat_rc rc;

	find_columns(columns, j, k);
	if (o->owner != NULL)
		f[q.nfilters++] = (sat_filter){ k->owner->id, SAT_CMP_EQ,
			&owner, 1 };
	if (o->only != NULL)
		f[q.nfilters++] = (sat_filter){ SAT_Q_ID, SAT_CMP_EQ, &only,
			1 };
	if ((rc = sat_replica_query(&rows, c->replica, &q, e)) != SAT_OK)
		return rc;
	while ((rc = sat_rows_next(&v, rows, e)) == SAT_OK && v != NULL)
		if (judge(&d, j, v))
			take(l, a, j, &d, v);
	sat_rows_free(rows);
	return rc == SAT_OK && l->limit > 0 ?
	    name_all(l, a, c, j, k, columns, e) : rc;
}

sat_rc
sat_crm_due(sat_due **out, size_t *n, sat_arena *a, sat_crm *c,
    const sat_due_opts *o, sat_err *e)
{
	const sat_template *t = sat_replica_template(c->replica);
	const sat_kind *k = sat_template_kind(t, "account");
	judging j = { .o = o, .t = t, .s = sat_template_standard(t),
		.reg = sat_replica_registry(c->replica),
		.day_end = end_of_day(o->now_ms, sat_template_tz_min(t)) };
	collect l = { .limit = o->limit };
	sat_rc rc;

	*out = NULL;
	*n = 0;
	if (o->total != NULL)
		*o->total = 0;
	if (k == NULL || k->owner == NULL || k->title == NULL)
		return SAT_OK;
	if ((rc = sat_crm_grading(&j.g, c, o->now_ms, e)) == SAT_OK)
		rc = collect_due(&l, a, c, &j, k, e);
	sat_grading_free(j.g);
	if (rc == SAT_OK && l.n > 0) {
		qsort(l.v, l.n, sizeof *l.v, by_due);
		*out = sat_arena_dup(a, l.v, l.n * sizeof *l.v);
		*n = l.n;
	}
	if (rc == SAT_OK && o->total != NULL)
		*o->total = l.total;
	free(l.v);
	return rc;
}
