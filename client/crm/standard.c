/*
 * The company's standard on this device: which grade a customer has, when
 * somebody has to be in touch, and who is told when nobody was. Everything is
 * derived from what the replica holds; nothing of it is stored or sent.
 */
#include "client/crm/crm_int.h"

#include <stdlib.h>
#include <string.h>

#define DAY_MS ((int64_t)24 * 3600 * 1000)

/* ---- what was bought ---------------------------------------------------------------- */

typedef struct bought { /* open addressing by the customer's id */
	sat_id id;
	int64_t amount;
	char abc;
	bool used;
} bought;

struct sat_grading {
	bought *v;
	size_t n, mask;
};

static bought *
slot(const sat_grading *g, const uint8_t id[16])
{
	uint64_t h;
	size_t i;

	memcpy(&h, id + 8, sizeof h); /* the random half */
	for (i = (size_t)h & g->mask; g->v[i].used; i = (i + 1) & g->mask)
		if (memcmp(g->v[i].id.b, id, 16) == 0)
			break;
	return &g->v[i];
}

static void
grow(sat_grading *g)
{
	bought *old = g->v;
	size_t n = g->mask + 1;

	g->mask = g->mask * 2 + 1;
	g->v = sat_xcalloc(g->mask + 1, sizeof *g->v);
	for (size_t i = 0; i < n; i++)
		if (old[i].used)
			*slot(g, old[i].id.b) = old[i];
	free(old);
}

static void
add(sat_grading *g, const uint8_t id[16], int64_t amount)
{
	bought *b = slot(g, id);

	if (!b->used) {
		memcpy(b->id.b, id, 16);
		b->used = true;
		g->n++;
	}
	b->amount += amount;
	if (g->n * 2 > g->mask)
		grow(g);
}

static int
by_amount(const void *a, const void *b)
{
	const bought *x = *(bought *const *)a, *y = *(bought *const *)b;

	if (x->amount != y->amount)
		return x->amount > y->amount ? -1 : 1;
	return memcmp(x->id.b, y->id.b, 16);
}

static void
rank_abc(sat_grading *g, const sat_standard *s)
{
	bought **v = sat_xcalloc(g->n + 1, sizeof *v);
	int64_t *amounts = sat_xcalloc(g->n + 1, sizeof *amounts);
	char *abc = sat_xcalloc(g->n + 1, 1);
	size_t n = 0;

	for (size_t i = 0; i <= g->mask; i++)
		if (g->v[i].used)
			v[n++] = &g->v[i];
	qsort(v, n, sizeof *v, by_amount);
	for (size_t i = 0; i < n; i++)
		amounts[i] = v[i]->amount;
	sat_grade_abc(abc, amounts, n, s->a_pct, s->b_pct);
	for (size_t i = 0; i < n; i++)
		v[i]->abc = abc[i];
	free(v);
	free(amounts);
	free(abc);
}

sat_rc
sat_crm_grading(sat_grading **out, sat_crm *c, int64_t now_ms, sat_err *e)
{
	return crm_grading_by(out, c, sat_replica_template(c->replica), now_ms, e);
}

sat_rc
crm_grading_by(sat_grading **out, sat_crm *c, const sat_template *t,
    int64_t now_ms, sat_err *e)
{
	const sat_standard *s = sat_template_standard(t);
	sat_grading *g = sat_xcalloc(1, sizeof *g);
	sat_value from, to = sat_v_int(now_ms);
	sat_filter f[2];
	uint16_t columns[2];
	sat_query q = { .filters = f, .nfilters = 2, .columns = columns,
		.ncolumns = 2, .unordered = true };
	const sat_value *v;
	sat_rows *rows;
	sat_rc rc;

	*out = g;
	g->mask = 255;
	g->v = sat_xcalloc(g->mask + 1, sizeof *g->v);
	if (s->kind == NULL)
		return SAT_OK;
	from = sat_v_int(now_ms - s->days * DAY_MS);
	f[0] = (sat_filter){ s->time->id, SAT_CMP_GE, &from, 1 };
	f[1] = (sat_filter){ s->time->id, SAT_CMP_LE, &to, 1 };
	/* the rows are those of the template in force; ids never change */
	q.kind = sat_template_kind_id(sat_replica_template(c->replica),
	    s->kind->id);
	if (q.kind == NULL || sat_kind_field_id(q.kind, s->sum->id) == NULL ||
	    sat_kind_field_id(q.kind, s->time->id) == NULL)
		return SAT_OK;
	columns[0] = s->kind->parent->id;
	columns[1] = s->sum->id;
	if ((rc = sat_replica_query(&rows, c->replica, &q, e)) != SAT_OK)
		return rc;
	while ((rc = sat_rows_next(&v, rows, e)) == SAT_OK && v != NULL)
		if (v[0].type == SAT_V_BYTES && v[0].s.n == 16 &&
		    v[1].type == SAT_V_INT)
			add(g, v[0].s.p, v[1].i);
	sat_rows_free(rows);
	if (rc == SAT_OK && s->method_abc)
		rank_abc(g, s);
	return rc;
}

void
sat_grading_free(sat_grading *g)
{
	if (g == NULL)
		return;
	free(g->v);
	free(g);
}

const char *
sat_grading_of(const sat_grading *g, const sat_template *t, const sat_id *id,
    sat_value typed, int64_t *amount)
{
	const sat_standard *s = sat_template_standard(t);
	const sat_dict *d = sat_template_dict(t, "grade");
	const bought *b = slot(g, id->b);
	const sat_option *o;

	*amount = b->used ? b->amount : 0;
	if (typed.type == SAT_V_TEXT && typed.s.n > 0) {
		o = d != NULL ? sat_dict_option(d, (const char *)typed.s.p,
		    typed.s.n) : NULL;
		return o != NULL ? o->key : NULL;
	}
	if (!b->used)
		return NULL;
	if (s->method_abc)
		return s->abc[b->abc - 'A'];
	return sat_grade_of(b->amount, s->steps, s->nsteps);
}

/* ---- who has to be in touch ------------------------------------------------------------ */

/* All of them in the index of covered columns: every customer is looked at. */
enum { C_ID, C_CREATED, C_TITLE, C_NUMBER, C_OWNER, C_GRADE, C_UNTIL, C_REASON,
	C_STATUS, C_LAST, C_NEXT, C_COUNT };

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

static int64_t
time_of(sat_value v)
{
	return v.type == SAT_V_INT ? v.i : 0;
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
	d->until_ms = d->typed ? time_of(until) : 0;
	d->last_ms = j->last ? time_of(v[C_LAST]) : 0;
	d->state = sat_sla_judge(&d->due_ms, sat_standard_sla(j->s, d->grade),
	    v[C_CREATED].i, d->last_ms, j->next ? time_of(v[C_NEXT]) : 0,
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
	one.title = crm_keep_text(a, v[C_TITLE]);
	one.number = j->number ? crm_keep_text(a, v[C_NUMBER]) : NULL;
	one.owner = crm_keep_text(a, v[C_OWNER]);
	one.reason = j->reason && d->typed ? crm_keep_text(a, v[C_REASON]) : NULL;
	one.told = told(j->reg, one.owner, d->state);
	if (full) {
		l->v[0] = one;
		sink(l->v, l->n);
	} else {
		l->v[l->n++] = one;
		if (l->limit > 0)
			rise(l->v, l->n - 1);
	}
}

static sat_rc
collect_due(collect *l, sat_arena *a, sat_crm *c, judging *j,
    const sat_kind *k, sat_err *e)
{
	const sat_due_opts *o = j->o;
	sat_value owner = sat_v_text(sat_span_str(o->owner != NULL ? o->owner
	                                                           : ""));
	sat_value only = o->only != NULL ? sat_v_id(o->only) : sat_v_null();
	uint16_t columns[C_COUNT] = { [C_ID] = SAT_Q_ID,
		[C_CREATED] = SAT_Q_CREATED, [C_TITLE] = k->title->id,
		[C_NUMBER] = column(&j->number, k, "number"),
		[C_OWNER] = k->owner->id,
		[C_GRADE] = column(&j->grade, k, "grade"),
		[C_UNTIL] = column(&j->until, k, "grade_until"),
		[C_REASON] = column(&j->reason, k, "grade_reason"),
		[C_STATUS] = column(&j->status, k, "status"),
		[C_LAST] = column(&j->last, k, "last_follow_at"),
		[C_NEXT] = column(&j->next, k, "next_follow_at") };
	sat_filter f[2];
	sat_query q = { .kind = k, .filters = f, .columns = columns,
		.ncolumns = C_COUNT, .unordered = true };
	const sat_value *v;
	sat_rows *rows;
	sat_due d;
	sat_rc rc;

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
	return rc;
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

/* ---- where a customer stands ----------------------------------------------------------------- */

sat_rc
sat_crm_lifecycle(const char **word, sat_crm *c, const sat_id *account,
    int64_t now_ms, sat_err *e)
{
	static const char *const words[] = { "potential", "new", "existing",
		"lost" };
	const sat_standard *s = sat_template_standard(
	    sat_replica_template(c->replica));
	sat_value id = sat_v_id(account), now = sat_v_int(now_ms);
	int64_t first = 0, last = 0;
	sat_filter f[2];
	uint16_t column;
	sat_query q = { .filters = f, .nfilters = 2, .columns = &column,
		.ncolumns = 1 };
	const sat_value *v;
	sat_rows *rows;
	sat_rc rc;

	*word = NULL;
	if (s->kind == NULL || s->life_window_d == 0)
		return SAT_OK;
	q.kind = s->kind;
	column = s->time->id;
	f[0] = (sat_filter){ s->kind->parent->id, SAT_CMP_EQ, &id, 1 };
	f[1] = (sat_filter){ s->time->id, SAT_CMP_LE, &now, 1 };
	if ((rc = sat_replica_query(&rows, c->replica, &q, e)) != SAT_OK)
		return rc;
	while ((rc = sat_rows_next(&v, rows, e)) == SAT_OK && v != NULL) {
		int64_t at = time_of(v[0]);

		if (at == 0)
			continue;
		first = first == 0 || at < first ? at : first;
		last = at > last ? at : last;
	}
	sat_rows_free(rows);
	*word = words[sat_lifecycle_of(first, last, now_ms, s->life_new_d,
	    s->life_window_d)];
	return rc;
}

/* ---- who decides at the customer's --------------------------------------------------------------- */

static bool
has_committee(const sat_standard *s, sat_value party_kind)
{
	for (size_t i = 0; i < s->ncommittee_of; i++)
		if (party_kind.type == SAT_V_TEXT && sat_span_eq(party_kind.s,
		    sat_span_str(s->committee_of[i])))
			return true;
	return s->ncommittee_of == 0;
}

/* Does a contact of the customer have the role? */
static sat_rc
fills(bool *yes, sat_crm *c, const sat_kind *k, const sat_field *roles,
    const sat_id *account, const char *role, sat_err *e)
{
	sat_value id = sat_v_id(account), r = sat_v_text(sat_span_str(role));
	sat_filter f[2] = { { k->parent->id, SAT_CMP_EQ, &id, 1 },
		{ roles->id, SAT_CMP_HAS, &r, 1 } };
	uint16_t column = SAT_Q_ID;
	sat_query q = { .kind = k, .filters = f, .nfilters = 2,
		.columns = &column, .ncolumns = 1, .limit = 1 };
	const sat_value *v;
	sat_rows *rows;
	sat_rc rc;

	*yes = false;
	if ((rc = sat_replica_query(&rows, c->replica, &q, e)) != SAT_OK)
		return rc;
	if ((rc = sat_rows_next(&v, rows, e)) == SAT_OK)
		*yes = v != NULL;
	sat_rows_free(rows);
	return rc;
}

sat_rc
sat_crm_committee_gaps(const char *missing[SAT_COMMITTEE_MAX], size_t *n,
    sat_crm *c, const sat_id *account, sat_err *e)
{
	const sat_template *t = sat_replica_template(c->replica);
	const sat_standard *s = sat_template_standard(t);
	const sat_kind *k = sat_template_kind(t, "contact");
	const sat_kind *ak = sat_template_kind(t, "account");
	const sat_field *roles = k != NULL ? sat_kind_field(k, "roles") : NULL;
	const sat_field *party = sat_kind_field(ak, "party_kind");
	sat_arena a = { 0 };
	sat_view v;
	bool yes;
	sat_rc rc;

	*n = 0;
	if (s->ncommittee == 0 || roles == NULL || k->parent == NULL)
		return SAT_OK;
	rc = sat_replica_get(&v, &a, c->replica, ak, account, e);
	yes = rc == SAT_OK && has_committee(s, party != NULL ?
	    sat_record_value(&v.rec, party->id) : sat_v_null());
	sat_arena_fini(&a);
	if (rc != SAT_OK || !yes)
		return rc;
	for (size_t i = 0; i < s->ncommittee && i < SAT_COMMITTEE_MAX &&
	     rc == SAT_OK; i++) {
		rc = fills(&yes, c, k, roles, account, s->committee[i], e);
		if (rc == SAT_OK && !yes)
			missing[(*n)++] = s->committee[i];
	}
	return rc;
}

/* ---- was a colleague there just now? ------------------------------------------------------ */

sat_rc
sat_crm_recent(bool *yes, sat_recent *out, sat_arena *a, sat_crm *c,
    const sat_id *account, int64_t now_ms, sat_err *e)
{
	const sat_template *t = sat_replica_template(c->replica);
	const sat_user *me = sat_replica_me(c->replica);
	const sat_kind *k = sat_template_kind(t, "activity");
	const sat_field *at = k != NULL ? sat_kind_field(k, "occurred_at") : NULL;
	const sat_field *by = k != NULL ? sat_kind_field(k, "author") : NULL;
	int days = sat_template_standard(t)->repeat_contact_d;
	sat_value id = sat_v_id(account), from = sat_v_int(now_ms -
	    days * DAY_MS), mine;
	sat_filter f[3];
	uint16_t columns[2];
	sat_query q = { .kind = k, .filters = f, .nfilters = 3,
		.columns = columns, .ncolumns = 2, .nsort = 1, .limit = 1 };
	const sat_value *v;
	sat_rows *rows;
	sat_rc rc;

	*yes = false;
	if (days == 0 || me == NULL || at == NULL || by == NULL ||
	    k->parent == NULL)
		return SAT_OK;
	mine = sat_v_text(sat_span_str(me->key));
	f[0] = (sat_filter){ k->parent->id, SAT_CMP_EQ, &id, 1 };
	f[1] = (sat_filter){ at->id, SAT_CMP_GE, &from, 1 };
	f[2] = (sat_filter){ by->id, SAT_CMP_NE, &mine, 1 };
	columns[0] = at->id;
	columns[1] = by->id;
	q.sort[0].field = at->id;
	q.sort[0].desc = true;
	if ((rc = sat_replica_query(&rows, c->replica, &q, e)) != SAT_OK)
		return rc;
	if ((rc = sat_rows_next(&v, rows, e)) == SAT_OK && v != NULL &&
	    v[1].type == SAT_V_TEXT) {
		*yes = true;
		out->at_ms = time_of(v[0]);
		out->by = crm_keep_text(a, v[1]);
	}
	sat_rows_free(rows);
	return rc;
}
