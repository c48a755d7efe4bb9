/*
 * How it was: the values a field had before, of all records at once. A value's
 * time is the stamp it was written with; it was taken away when the next one
 * was written. Loaded once per source, sorted by record.
 */
#include "client/crm/report_int.h"

#include <stdlib.h>
#include <string.h>

/* ---- events -------------------------------------------------------------------- */

void
rep_events_add(rep_events *l, const sat_id *id, int64_t at, int64_t n)
{
	if (l->n == l->cap) {
		l->cap = l->cap > 0 ? l->cap * 2 : 256;
		l->v = sat_xrealloc(l->v, l->cap * sizeof *l->v);
	}
	l->v[l->n++] = (rep_event){ *id, at, n };
}

static int
by_id(const void *pa, const void *pb)
{
	const rep_event *a = pa, *b = pb;
	int c = memcmp(a->id.b, b->id.b, sizeof a->id.b);

	if (c != 0)
		return c;
	if (a->at != b->at)
		return a->at < b->at ? -1 : 1;
	return (a->n > b->n) - (a->n < b->n);
}

void
rep_events_sort(rep_events *l)
{
	if (l->n > 1)
		qsort(l->v, l->n, sizeof *l->v, by_id);
}

size_t
rep_events_of(size_t *from, const rep_events *l, const sat_id *id)
{
	size_t lo = 0, hi = l->n, mid;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (memcmp(l->v[mid].id.b, id->b, sizeof id->b) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	*from = lo;
	while (lo < l->n && sat_id_eq(&l->v[lo].id, id))
		lo++;
	return lo;
}

void
rep_events_free(rep_events *l)
{
	free(l->v);
	memset(l, 0, sizeof *l);
}

/* ---- all values of one field ---------------------------------------------------- */

typedef struct reading {
	rep_events *out;
	const sat_field *f; /* NULL: any */
	bool options;       /* n = index of the option; else the value itself */
} reading;

/* n of "no value". */
#define NOTHING INT64_MIN

static int64_t
number_of(const reading *r, sat_value v)
{
	const sat_option *o;

	if (!r->options)
		return v.type == SAT_V_INT ? v.i : NOTHING;
	o = v.type != SAT_V_TEXT ? NULL : sat_dict_option(r->f->dict,
	    (const char *)v.s.p, v.s.n);
	return o != NULL ? o - r->f->dict->options : NOTHING;
}

/* Fields that were written together are one change. */
static void
add_change(rep_events *out, const sat_id *id, int64_t at)
{
	const rep_event *last = out->n > 0 ? &out->v[out->n - 1] : NULL;

	if (last == NULL || last->at != at || !sat_id_eq(&last->id, id))
		rep_events_add(out, id, at, 0);
}

static sat_rc
on_past(void *u, const sat_id *id, const sat_past *p, sat_err *e)
{
	const reading *r = u;

	(void)e;
	if (r->f == NULL)
		add_change(r->out, id, sat_hlc_ms(p->at.hlc));
	else
		rep_events_add(r->out, id, sat_hlc_ms(p->at.hlc),
		    number_of(r, p->value));
	return SAT_OK;
}

static sat_rc
on_cell(void *u, const sat_id *id, const sat_cell *c, sat_err *e)
{
	const reading *r = u;

	(void)e;
	if (r->f == NULL)
		add_change(r->out, id, sat_hlc_ms(c->at.hlc));
	else if (c->field == r->f->id)
		rep_events_add(r->out, id, sat_hlc_ms(c->at.hlc),
		    number_of(r, c->value));
	return SAT_OK;
}

/* Written values, by record and time: at = when, n = the value. */
static sat_rc
load_values(rep_events *out, const rep_source *s, const sat_field *f,
    bool options, sat_err *e)
{
	reading r = { out, f, options };
	sat_rc rc = sat_replica_each_past(s->c->replica, s->kind,
	    f != NULL ? f->id : 0, on_past, &r, e);

	if (rc == SAT_OK)
		rc = sat_replica_each_stamp(s->c->replica, s->kind,
		    f != NULL ? f->id : 0, on_cell, &r, e);
	rep_events_sort(out);
	return rc;
}

/*
 * The past keeps no "nothing": of a value that was cleared and written anew it
 * has the old value and the position that took it away. When that was is told by
 * whatever else the same commit wrote; without such a field the value holds
 * until the next one.
 */
typedef struct ending {
	const rep_events *taken; /* at = position of the log; sorted */
	rep_events *out;
} ending;

static sat_rc
on_taken(void *u, const sat_id *id, const sat_past *p, sat_err *e)
{
	(void)e;
	if (p->by != 0)
		rep_events_add(u, id, (int64_t)p->by, 0);
	return SAT_OK;
}

static void
end_at(const ending *x, const sat_id *id, sat_stamp at)
{
	size_t i, end = rep_events_of(&i, x->taken, id);

	for (; i < end; i++)
		if (x->taken->v[i].at == (int64_t)at.lsn) {
			rep_events_add(x->out, id, sat_hlc_ms(at.hlc), NOTHING);
			return;
		}
}

static sat_rc
on_past_end(void *u, const sat_id *id, const sat_past *p, sat_err *e)
{
	(void)e;
	end_at(u, id, p->at);
	return SAT_OK;
}

static sat_rc
on_cell_end(void *u, const sat_id *id, const sat_cell *c, sat_err *e)
{
	(void)e;
	end_at(u, id, c->at);
	return SAT_OK;
}

static sat_rc
load_ends(rep_events *out, const rep_source *s, const sat_field *f, sat_err *e)
{
	rep_events taken = { 0 };
	ending x = { &taken, out };
	sat_rc rc = sat_replica_each_past(s->c->replica, s->kind, f->id,
	    on_taken, &taken, e);

	rep_events_sort(&taken);
	if (rc == SAT_OK && taken.n > 0 &&
	    (rc = sat_replica_each_past(s->c->replica, s->kind, 0, on_past_end,
	    &x, e)) == SAT_OK)
		rc = sat_replica_each_stamp(s->c->replica, s->kind, 0,
		    on_cell_end, &x, e);
	rep_events_free(&taken);
	rep_events_sort(out);
	return rc;
}

sat_rc
rep_load_spans(rep_events *out, rep_source *s, const sat_field *f, sat_err *e)
{
	rep_events values = { 0 };
	sat_rc rc = load_values(&values, s, f, false, e);

	/* With another value in the place of the old one both end it alike:
	 * nothing comes before a value of the same moment. */
	if (rc == SAT_OK)
		rc = load_ends(&values, s, f, e);
	for (size_t i = 0; i < values.n; i++) {
		const rep_event *v = &values.v[i], *next = v + 1;

		if (v->n != NOTHING)
			rep_events_add(out, &v->id, v->n, i + 1 < values.n &&
			    sat_id_eq(&v->id, &next->id) ? next->at : INT64_MAX);
	}
	rep_events_free(&values);
	rep_events_sort(out);
	return rc;
}

sat_rc
rep_load_changes(rep_events *out, rep_source *s, sat_err *e)
{
	return load_values(out, s, NULL, false, e);
}

/* The ways that records keep of their stages (stuck.c). */
static sat_rc
load_ways(rep_events *out, rep_source *s, const sat_field *path, sat_err *e)
{
	const sat_dict *d = s->kind->stage->dict;
	uint16_t columns[2] = { SAT_Q_ID, path->id };
	sat_filter set = { path->id, SAT_CMP_NOT_NULL, NULL, 0 };
	sat_query q = { .kind = s->kind, .filters = &set, .nfilters = 1,
		.columns = columns, .ncolumns = 2, .unordered = true };
	crm_pass pass[CRM_PASSES_MAX];
	const sat_value *v;
	sat_rows *rows;
	sat_id id;
	sat_rc rc = sat_replica_query(&rows, s->c->replica, &q, e);

	if (rc != SAT_OK)
		return rc;
	while ((rc = sat_rows_next(&v, rows, e)) == SAT_OK && v != NULL) {
		size_t n = crm_passes(pass, d, v[1]);

		memcpy(id.b, v[0].s.p, sizeof id.b);
		for (size_t i = 0; i < n; i++)
			rep_events_add(out, &id, pass[i].at_ms,
			    pass[i].stage - d->options);
	}
	sat_rows_free(rows);
	rep_events_sort(out);
	return rc;
}

/*
 * Of the stage: the way the record keeps, which every device that holds it
 * has, also one that got it as a whole; a record that never changed its stage
 * keeps none, and the stamp of the stage says it all.
 */
sat_rc
rep_load_options(rep_events *out, rep_source *s, const sat_field *f,
    sat_err *e)
{
	const sat_field *path = f == s->kind->stage
	    ? sat_kind_field(s->kind, "path") : NULL;
	rep_events written = { 0 };
	size_t from, kept;
	sat_rc rc;

	if (path == NULL || path->policy != SAT_P_SET)
		return load_values(out, s, f, true, e);
	if ((rc = load_ways(out, s, path, e)) == SAT_OK)
		rc = load_values(&written, s, f, true, e);
	kept = out->n;
	for (size_t i = 0; i < written.n && rc == SAT_OK; i++) {
		rep_events ways = { out->v, kept, kept };

		if (rep_events_of(&from, &ways, &written.v[i].id) == from)
			rep_events_add(out, &written.v[i].id, written.v[i].at,
			    written.v[i].n);
	}
	rep_events_free(&written);
	rep_events_sort(out);
	return rc;
}

/* ---- stage at an instant -------------------------------------------------------------- */

static bool
is_terminal(const sat_field *stage, sat_value v)
{
	const sat_option *o = v.type != SAT_V_TEXT ? NULL :
	    sat_dict_option(stage->dict, (const char *)v.s.p, v.s.n);

	return o == NULL || o->terminal;
}

static bool
before(sat_value v, int64_t t_ms)
{
	return v.type == SAT_V_INT && v.i < t_ms;
}

sat_rc
rep_need_stage(rep_source *s, sat_err *e)
{
	static const char *const keys[] = { "created_at", "started_on",
		"won_at", "lost_at" };
	sat_rc rc = SAT_OK;

	for (size_t i = 0; i < 4 && rc == SAT_OK; i++)
		rc = rep_need_field(s, sat_kind_field(s->kind, keys[i]), e);
	return rc;
}

static const sat_option *
option_at(const rep_source *s, size_t i)
{
	int64_t n = s->stages.v[i].n;

	return n < 0 ? NULL : &s->kind->stage->dict->options[n];
}

/*
 * The last stage event of the record before T: `want` NULL, the last one that
 * is not terminal; else whether that stage is among them. A record that was
 * entered after T with an earlier date has none: then the first one of all that
 * is not terminal, since nothing earlier is known.
 */
static sat_rc
last_event(sat_value *out, rep_source *s, int64_t t_ms, const char *want,
    sat_err *e)
{
	const sat_option *o, *first = NULL;
	sat_id id = rep_id(s);
	size_t from, i;
	sat_rc rc;

	*out = sat_v_null();
	if (!s->stages_loaded) {
		s->stages_loaded = true;
		if ((rc = rep_load_options(&s->stages, s, s->kind->stage, e)) !=
		    SAT_OK)
			return rc;
	}
	for (i = rep_events_of(&from, &s->stages, &id); i > from; i--) {
		if ((o = option_at(s, i - 1)) == NULL || (want != NULL ?
		    strcmp(o->key, want) != 0 : o->terminal))
			continue;
		first = o;
		if (s->stages.v[i - 1].at < t_ms)
			break;
	}
	if (i == from && want != NULL)
		first = NULL;
	if (first != NULL)
		*out = sat_v_text(sat_span_str(first->key));
	return SAT_OK;
}

sat_rc
rep_stage_at(sat_value *stage, bool *counts, rep_source *s, int64_t t_ms,
    sat_err *e)
{
	sat_value now = rep_field(s, s->kind->stage);
	sat_value born = rep_named(s, "started_on");
	sat_rc rc;

	if (born.type == SAT_V_NULL)
		born = rep_named(s, "created_at");
	*counts = born.type == SAT_V_NULL || born.i < t_ms;
	*stage = now;
	if (!*counts || t_ms == INT64_MAX)
		return SAT_OK;
	if (before(rep_named(s, "won_at"), t_ms)) {
		*stage = sat_v_text(sat_span_str("won"));
		if (!crm_says(now, "after_sales"))
			return SAT_OK;
		rc = last_event(&born, s, t_ms, "after_sales", e);
		if (rc == SAT_OK && born.type != SAT_V_NULL)
			*stage = born;
		return rc;
	}
	if (before(rep_named(s, "lost_at"), t_ms)) {
		*stage = sat_v_text(sat_span_str("lost"));
		return SAT_OK;
	}
	/* Everything known happened before now: no need to look it up. */
	if (t_ms > s->who->now_ms && !is_terminal(s->kind->stage, now))
		return SAT_OK;
	if ((rc = last_event(stage, s, t_ms, NULL, e)) != SAT_OK)
		return rc;
	if (stage->type == SAT_V_NULL && !is_terminal(s->kind->stage, now))
		*stage = now;
	return SAT_OK;
}
