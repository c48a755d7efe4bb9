/*
 * Rows that no document declares: the people of the registry, customers that
 * changed hands (what people wrote: report_writes.c). Made once when the source is opened; the fields
 * are those of sat_report_virtual, in their order.
 *
 * Who was at work when stands in the kind staff (user, number, starts, ends,
 * percent); a template without it has nobody leave or join.
 */
#include "client/crm/report_int.h"

#include <stdlib.h>
#include <string.h>

#define FIELDS_MAX 6 /* id and those of a virtual kind */

typedef struct made_row {
	sat_value v[FIELDS_MAX];
} made_row;

typedef struct rep_made {
	made_row *rows;
	size_t n, cap, next;
	sat_value *shown; /* columns asked for */
} rep_made;

static made_row *
add_row(rep_made *m)
{
	if (m->n == m->cap) {
		m->cap = m->cap > 0 ? m->cap * 2 : 64;
		m->rows = sat_xrealloc(m->rows, m->cap * sizeof *m->rows);
	}
	memset(&m->rows[m->n], 0, sizeof m->rows[m->n]);
	return &m->rows[m->n++];
}

bool
rep_made_next(rep_source *s)
{
	rep_made *m = s->made;
	const made_row *r;

	s->row = NULL;
	if (m->next == m->n)
		return false;
	r = &m->rows[m->next++];
	for (size_t i = 0; i < s->ncolumns; i++)
		m->shown[i] = r->v[s->columns[i] == SAT_Q_ID ? 0 :
		    s->columns[i]]; /* ids of the fields count from 1 */
	s->row = m->shown;
	return true;
}

void
rep_made_free(rep_made *m)
{
	if (m == NULL)
		return;
	free(m->rows);
	free(m->shown);
	free(m);
}

/* ---- who was at work --------------------------------------------------------------- */

typedef struct stint {
	sat_span user, number;
	int64_t from, to, percent;
} stint;

struct rep_people {
	const sat_registry *reg;
	stint *v;
	size_t n, cap;
};

static void
add_stint(rep_people *p, sat_arena *a, const sat_value *v)
{
	if (v[0].type != SAT_V_TEXT)
		return;
	if (p->n == p->cap) {
		p->cap = p->cap > 0 ? p->cap * 2 : 32;
		p->v = sat_xrealloc(p->v, p->cap * sizeof *p->v);
	}
	p->v[p->n++] = (stint){ sat_value_dup(a, v[0]).s,
		v[1].type == SAT_V_TEXT ? sat_value_dup(a, v[1]).s :
		sat_span_of(NULL, 0),
		v[2].type == SAT_V_INT ? v[2].i : INT64_MIN,
		v[3].type == SAT_V_INT ? v[3].i + 86400000 : INT64_MAX,
		v[4].type == SAT_V_INT ? v[4].i : 100 };
}

sat_rc
rep_people_load(rep_people **out, sat_crm *c, const crm_actor *who,
    sat_arena *a, sat_err *e)
{
	static const char *const keys[] = { "user", "number", "starts", "ends",
		"percent" };
	uint16_t columns[5];
	sat_query q = { .kind = sat_template_kind(who->t, "staff"),
		.columns = columns, .ncolumns = 5 };
	const sat_value *v;
	sat_rows *rows;
	sat_rc rc;

	*out = sat_xcalloc(1, sizeof **out);
	(*out)->reg = who->reg;
	for (size_t i = 0; q.kind != NULL && i < 5; i++) {
		const sat_field *f = sat_kind_field(q.kind, keys[i]);

		if (f == NULL)
			return SAT_OK;
		columns[i] = f->id;
	}
	if (q.kind == NULL)
		return SAT_OK;
	if ((rc = sat_replica_query(&rows, c->replica, &q, e)) != SAT_OK)
		return rc;
	while ((rc = sat_rows_next(&v, rows, e)) == SAT_OK && v != NULL)
		add_stint(*out, a, v);
	sat_rows_free(rows);
	return rc;
}

void
rep_people_free(rep_people *p)
{
	if (p == NULL)
		return;
	free(p->v);
	free(p);
}

/* Days of [from, to) at work, times the percent of full time. */
static int64_t
days_at_work(const rep_people *p, const sat_user *u, const rep_when *w)
{
	int64_t days = 0, from, to;
	bool any = false;

	if (w->period.all)
		return 0;
	for (size_t i = 0; i < p->n; i++) {
		const stint *s = &p->v[i];

		if (!sat_span_eq(s->user, sat_span_str(u->key)))
			continue;
		any = true;
		from = s->from > w->period.from_ms ? s->from :
		    w->period.from_ms;
		to = s->to < w->period.to_ms ? s->to : w->period.to_ms;
		if (from < to)
			days += (sat_calendar_day(&w->calendar, to - 1) -
			    sat_calendar_day(&w->calendar, from) + 1) *
			    s->percent;
	}
	if (any || u->disabled)
		return days;
	return 100 * (sat_calendar_day(&w->calendar, w->period.to_ms - 1) -
	    sat_calendar_day(&w->calendar, w->period.from_ms) + 1);
}

static sat_span
number_of(const rep_people *p, sat_value user)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->v[i].number.n > 0 && sat_span_eq(p->v[i].user, user.s))
			return p->v[i].number;
	return sat_span_of(NULL, 0);
}

/* "9" before "10": a shorter text is a smaller number. */
static int
number_cmp(sat_span a, sat_span b)
{
	if (a.n != b.n)
		return a.n < b.n ? -1 : 1;
	return a.n == 0 ? 0 : memcmp(a.p, b.p, a.n);
}

int
rep_people_cmp(void *people, sat_value a, sat_value b)
{
	const rep_people *p = people;
	const sat_user *x, *y;
	sat_span m, n;

	if (a.type != SAT_V_TEXT || b.type != SAT_V_TEXT)
		return (a.type > b.type) - (a.type < b.type);
	m = number_of(p, a);
	n = number_of(p, b);
	if (m.n > 0 && n.n > 0)
		return number_cmp(m, n);
	if (m.n != n.n)
		return m.n > 0 ? -1 : 1;
	x = sat_registry_user(p->reg, a.s);
	y = sat_registry_user(p->reg, b.s);
	if (x == NULL || y == NULL)
		return (x == NULL) - (y == NULL);
	return (x->ord > y->ord) - (x->ord < y->ord);
}

static sat_rc
make_users(rep_source *s, sat_err *e)
{
	const sat_registry *reg = s->who->reg;
	rep_people *people;
	sat_rc rc = rep_people_load(&people, s->c, s->who, s->a, e);

	for (size_t i = 0; i < reg->nusers && rc == SAT_OK; i++) {
		const sat_user *u = &reg->users[i];
		const sat_team *t = u->team != 0 ?
		    sat_registry_team_ord(reg, u->team) : NULL;
		made_row *r = add_row(s->made);

		r->v[1] = sat_v_text(sat_span_str(u->key));
		if (t != NULL)
			r->v[2] = sat_v_text(sat_span_str(t->key));
		r->v[3] = sat_v_text(sat_span_str(u->role));
		r->v[4] = sat_v_int(!u->disabled);
		r->v[5] = sat_v_int(days_at_work(people, u, s->when));
	}
	rep_people_free(people);
	return rc;
}

/* ---- customers that changed hands ------------------------------------------------------ */

typedef struct owned {
	sat_id id;
	int64_t at;
	sat_value owner;
} owned;

typedef struct owners {
	owned *v;
	size_t n, cap;
	uint16_t field;
	sat_arena *a;
	sat_value last; /* owners repeat */
} owners;

static void
add_owner(owners *o, const sat_id *id, int64_t at, sat_value owner)
{
	if (o->n == o->cap) {
		o->cap = o->cap > 0 ? o->cap * 2 : 256;
		o->v = sat_xrealloc(o->v, o->cap * sizeof *o->v);
	}
	if (!sat_value_eq(o->last, owner))
		o->last = sat_value_dup(o->a, owner);
	o->v[o->n++] = (owned){ *id, at, o->last };
}

/*
 * An owner from when it was written; nobody from when a pool was. That a value
 * was missing is not kept in the history, that a pool offered the customer is.
 */
static void
on_owner(owners *o, const sat_id *id, uint16_t field, sat_value v,
    const sat_stamp *at)
{
	if (field == o->field)
		add_owner(o, id, sat_hlc_ms(at->hlc), v);
	else if (field == SAT_SYS_POOL && v.type != SAT_V_NULL)
		add_owner(o, id, sat_hlc_ms(at->hlc), sat_v_null());
}

static sat_rc
past_owner(void *u, const sat_id *id, const sat_past *p, sat_err *e)
{
	(void)e;
	on_owner(u, id, p->field, p->value, &p->at);
	return SAT_OK;
}

static sat_rc
present_owner(void *u, const sat_id *id, const sat_cell *c, sat_err *e)
{
	(void)e;
	on_owner(u, id, c->field, c->value, &c->at);
	return SAT_OK;
}

static int
by_record(const void *pa, const void *pb)
{
	const owned *a = pa, *b = pb;
	int c = memcmp(a->id.b, b->id.b, sizeof a->id.b);

	return c != 0 ? c : (a->at > b->at) - (a->at < b->at);
}

/* A customer's first owner got it from nobody, and that is no change. */
static sat_rc
make_moves(rep_source *s, sat_err *e)
{
	const sat_kind *k = sat_template_kind(s->who->t, "account");
	owners o = { .a = s->a };
	sat_rc rc;

	if (k == NULL || k->owner == NULL)
		return SAT_OK;
	o.field = k->owner->id;
	if ((rc = sat_replica_each_past(s->c->replica, k, o.field, past_owner,
	    &o, e)) == SAT_OK &&
	    (rc = sat_replica_each_past(s->c->replica, k, SAT_SYS_POOL,
	    past_owner, &o, e)) == SAT_OK)
		rc = sat_replica_each_stamp(s->c->replica, k, o.field,
		    present_owner, &o, e);
	if (o.n > 1)
		qsort(o.v, o.n, sizeof *o.v, by_record);
	for (size_t i = 1; i < o.n && rc == SAT_OK; i++) {
		const owned *was = &o.v[i - 1], *is = &o.v[i];
		made_row *r;

		if (!sat_id_eq(&was->id, &is->id) ||
		    sat_value_eq(was->owner, is->owner))
			continue;
		r = add_row(s->made);
		r->v[1] = sat_value_dup(s->a, sat_v_id(&is->id));
		r->v[2] = is->owner.type != SAT_V_NULL ? is->owner : was->owner;
		r->v[3] = was->owner;
		r->v[4] = is->owner;
		r->v[5] = sat_v_int(is->at);
	}
	free(o.v);
	return rc;
}

/* ---- stages that opportunities came to --------------------------------------------------- */

static void
take_stages(rep_source *s, const rep_source *of, const rep_events *ev,
    const sat_field *account)
{
	const sat_dict *d = of->kind->stage->dict;
	sat_value owner = sat_value_dup(s->a, rep_field(of, of->kind->owner));
	sat_value parent = sat_value_dup(s->a, rep_field(of, account));
	sat_id id = rep_id(of);
	size_t from, to = rep_events_of(&from, ev, &id);

	for (size_t i = from; i < to; i++) {
		made_row *r;

		if (ev->v[i].n < 0 || (i > from && ev->v[i - 1].n == ev->v[i].n))
			continue;
		r = add_row(s->made);
		r->v[1] = sat_value_dup(s->a, sat_v_id(&id));
		r->v[2] = parent;
		r->v[3] = owner;
		r->v[4] = sat_v_text(sat_span_str(d->options[ev->v[i].n].key));
		r->v[5] = sat_v_int(ev->v[i].at);
	}
}

static sat_rc
make_stages(rep_source *s, sat_err *e)
{
	const sat_kind *k = sat_template_kind(s->who->t, "opportunity");
	rep_events ev = { 0 };
	rep_source of;
	bool more;
	sat_rc rc;

	if (k == NULL || k->stage == NULL || k->owner == NULL)
		return SAT_OK;
	rep_begin(&of, s->c, s->who, s->a, k, s->when, s->grant);
	if ((rc = rep_need_field(&of, k->owner, e)) == SAT_OK &&
	    (rc = rep_need_field(&of, k->parent, e)) == SAT_OK &&
	    (rc = rep_load_options(&ev, &of, k->stage, e)) == SAT_OK &&
	    (rc = rep_open(&of, e)) == SAT_OK)
		while ((rc = rep_next(&of, &more, e)) == SAT_OK && more)
			take_stages(s, &of, &ev, k->parent);
	rep_close(&of);
	rep_events_free(&ev);
	return rc;
}

sat_rc
rep_make_rows(rep_source *s, sat_err *e)
{
	if (s->kind->id == SAT_VIRTUAL_WRITES)
		return rep_make_writes(s, e);
	s->made = sat_xcalloc(1, sizeof *s->made);
	s->made->shown = sat_xcalloc(s->ncolumns + 1, sizeof *s->made->shown);
	switch (s->kind->id) {
	case SAT_VIRTUAL_USERS:
		return make_users(s, e);
	case SAT_VIRTUAL_STAGES:
		return make_stages(s, e);
	default:
		return make_moves(s, e);
	}
}
