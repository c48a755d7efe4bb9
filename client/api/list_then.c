/*
 * A list as it was: every record of the kind is turned back to the instant,
 * then judged by the same filters and put in the same order. Nothing is stored
 * for it, so it reads all of them: some 20 us each.
 *
 * A record that was merged since counts as the one it leads to.
 */
#include <stdlib.h>
#include <string.h>

#include "client/api/api_int.h"

typedef struct row {
	sat_id id;
	sat_value key[4];
} row;

typedef struct then {
	sat_api *api;
	const sat_query *q;
	int64_t at_ms;
	row *rows;
	size_t n, cap;
	sat_arena keys;
} then;

/* ---- filters, on a record --------------------------------------------------------- */

static bool
same_record(const then *x, sat_span a, sat_span b)
{
	sat_id ia, ib;

	if (a.n != sizeof ia.b || b.n != sizeof ib.b)
		return false;
	memcpy(ia.b, a.p, sizeof ia.b);
	memcpy(ib.b, b.p, sizeof ib.b);
	return sat_replica_canon(&ia, x->api->crm.replica, &ia, NULL) ==
	    SAT_OK && sat_replica_canon(&ib, x->api->crm.replica, &ib, NULL) ==
	    SAT_OK && sat_id_eq(&ia, &ib);
}

/* As SQLite orders: null, numbers, the rest. */
static int
compare(sat_value a, sat_value b)
{
	int x = a.type == SAT_V_NULL ? 0 : a.type == SAT_V_INT ? 1 : 2;
	int y = b.type == SAT_V_NULL ? 0 : b.type == SAT_V_INT ? 1 : 2;

	if (x != y || x == 0)
		return x - y;
	return x == 1 ? (a.i > b.i) - (a.i < b.i) : sat_span_cmp(a.s, b.s);
}

static bool
equal(const then *x, sat_value a, sat_value b)
{
	if (a.type == SAT_V_BYTES && b.type == SAT_V_BYTES)
		return sat_span_eq(a.s, b.s) || same_record(x, a.s, b.s);
	return compare(a, b) == 0;
}

static uint8_t
folded(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}

static bool
contains(sat_value v, sat_span part)
{
	for (size_t i = 0; v.type == SAT_V_TEXT && i + part.n <= v.s.n; i++) {
		size_t k = 0;

		while (k < part.n && folded(v.s.p[i + k]) == folded(part.p[k]))
			k++;
		if (k == part.n)
			return true;
	}
	return false;
}

/* Elements of a set are joined by LF. */
static bool
has(sat_value v, sat_span element)
{
	size_t from = 0;

	while (v.type == SAT_V_TEXT && from <= v.s.n) {
		const uint8_t *at = v.s.p + from;
		const uint8_t *lf = from < v.s.n ? memchr(at, '\n',
		    v.s.n - from) : NULL;
		size_t n = lf != NULL ? (size_t)(lf - at) : v.s.n - from;

		if (sat_span_eq(sat_span_of(at, n), element))
			return true;
		from += n + 1;
	}
	return false;
}

static sat_value
value_of(const sat_view *v, uint16_t field)
{
	if (field == SAT_Q_ID)
		return sat_v_id(&v->rec.id);
	if (field == SAT_Q_CREATED)
		return sat_v_int(v->created_ms);
	return sat_record_value(&v->rec, field);
}

static bool
holds(const then *x, const sat_view *view, const sat_filter *f)
{
	sat_value v = value_of(view, f->field);
	int c = f->n > 0 && v.type != SAT_V_NULL ? compare(v, f->values[0]) : 0;

	switch (f->cmp) {
	case SAT_CMP_NULL:
		return v.type == SAT_V_NULL;
	case SAT_CMP_NOT_NULL:
		return v.type != SAT_V_NULL;
	case SAT_CMP_EQ:
		return equal(x, v, f->values[0]);
	case SAT_CMP_NE:
		return !equal(x, v, f->values[0]);
	case SAT_CMP_IN:
		for (size_t i = 0; i < f->n; i++)
			if (equal(x, v, f->values[i]))
				return true;
		return false;
	case SAT_CMP_LIKE:
		return contains(v, f->values[0].s);
	case SAT_CMP_HAS:
		return has(v, f->values[0].s);
	default:
		break;
	}
	if (v.type == SAT_V_NULL)
		return false;
	return f->cmp == SAT_CMP_LT ? c < 0 : f->cmp == SAT_CMP_LE ? c <= 0 :
	    f->cmp == SAT_CMP_GT ? c > 0 : c >= 0;
}

/* What is a state of now (waits, is in conflict, was found by the index) is
 * not kept of then. */
static sat_rc
can_tell(const sat_query *q, sat_err *e)
{
	for (size_t i = 0; i < q->nfilters; i++)
		if (q->filters[i].field >= SAT_Q_ID &&
		    q->filters[i].field != SAT_Q_ID &&
		    q->filters[i].field != SAT_Q_CREATED)
			return sat_fail_code(e, SAT_EUSAGE, "usage.option",
			    "filter by fields of the record",
			    "--as-of knows no such filter of the past");
	return SAT_OK;
}

/* ---- the rows ------------------------------------------------------------------------ */

static void
keep(then *x, const sat_view *v)
{
	row *r;

	for (size_t i = 0; i < x->q->nfilters; i++)
		if (!holds(x, v, &x->q->filters[i]))
			return;
	if (x->n == x->cap) {
		x->cap = x->cap * 2 + 64;
		x->rows = sat_xrealloc(x->rows, x->cap * sizeof *x->rows);
	}
	r = &x->rows[x->n++];
	r->id = v->rec.id;
	for (size_t i = 0; i < x->q->nsort; i++)
		r->key[i] = sat_value_dup(&x->keys, value_of(v,
		    x->q->sort[i].field));
}

/* Those that are there, or those that were deleted since. */
static sat_rc
collect(then *x, sat_json *unknown, bool deleted, sat_err *e)
{
	static const uint16_t id_column[] = { SAT_Q_ID };
	sat_value one = sat_v_int(1);
	sat_filter f = { SAT_Q_DELETED, SAT_CMP_EQ, &one, 1 };
	sat_query all = { .kind = x->q->kind, .columns = id_column,
		.ncolumns = 1, .filters = deleted ? &f : NULL,
		.nfilters = deleted };
	sat_arena mem = { 0 }, a = { 0 };
	int64_t total;
	sat_id *ids;
	size_t n;
	sat_rc rc = sat_replica_list(&ids, &n, &total, &mem,
	    x->api->crm.replica, &all, e);

	for (size_t i = 0; rc == SAT_OK && i < n; i++) {
		bool there = false;
		sat_view v;

		sat_arena_reset(&a);
		rc = api_view_then(&v, &there, unknown, &a, x->api, x->q->kind,
		    &ids[i], x->at_ms, e);
		if (rc == SAT_OK && there)
			keep(x, &v);
	}
	sat_arena_fini(&a);
	sat_arena_fini(&mem);
	return rc;
}

static int
by_keys(const then *x, const sat_value *ka, const sat_id *a,
    const sat_value *kb, const sat_id *b)
{
	for (size_t i = 0; i < x->q->nsort; i++) {
		int c = compare(ka[i], kb[i]);

		if (c != 0)
			return x->q->sort[i].desc ? -c : c;
	}
	return memcmp(a->b, b->b, sizeof a->b);
}

static int
by_order(const void *pa, const void *pb, void *u)
{
	const row *a = pa, *b = pb;

	return by_keys(u, a->key, &a->id, b->key, &b->id);
}

/* The rows of the page: [*lo, *hi). */
static void
cut(const then *x, api_page *p, size_t *lo, size_t *hi)
{
	const sat_query *q = x->q;
	size_t max = q->limit > 0 ? (size_t)q->limit : x->n, at = 0;

	/* rows that are not behind the place, or, backwards, before it */
	while (q->from != NULL && at < x->n && by_keys(x, x->rows[at].key,
	    &x->rows[at].id, q->from->key, &q->from->id) < (q->back ? 0 : 1))
		at++;
	if (q->back) {
		*hi = q->from != NULL ? at : x->n;
		*lo = *hi > max ? *hi - max : 0;
	} else {
		*lo = q->from != NULL ? at : (size_t)q->offset;
		*lo = *lo < x->n ? *lo : x->n;
		*hi = x->n - *lo > max ? *lo + max : x->n;
	}
	p->n = *hi - *lo;
	p->before = *lo > 0;
	p->after = *hi < x->n;
}

static void
edge_of(sat_edge *out, sat_arena *a, const then *x, const row *r)
{
	for (size_t i = 0; i < x->q->nsort; i++)
		out->key[i] = sat_value_dup(a, r->key[i]);
	out->id = r->id;
}

static sat_rc
put_row(sat_json *data, const then *x, const sat_id *id, const api_look *how,
    sat_err *e)
{
	sat_json *unknown = sat_json_arr(), *json;
	sat_arena a = { 0 };
	bool there;
	sat_view v;
	sat_rc rc = api_view_then(&v, &there, unknown, &a, x->api, x->q->kind,
	    id, x->at_ms, e);

	if (rc == SAT_OK) {
		v.rec.deleted = false; /* it was not, then */
		json = api_record_json(x->api, &v, how->labels);
		if (how->fields != NULL)
			api_keep_fields(json, x->q->kind, how->fields);
		sat_json_add(data, json);
	}
	sat_json_free(unknown);
	sat_arena_fini(&a);
	return rc;
}

sat_rc
api_list_then(sat_json *doc, sat_json *data, api_page *p, sat_api *api,
    const sat_query *q, const char *as_of, const api_look *how, sat_err *e)
{
	then x = { .api = api, .q = q };
	sat_json *unknown = sat_json_arr();
	size_t lo = 0, hi = 0;
	sat_rc rc;

	if ((rc = can_tell(q, e)) == SAT_OK &&
	    (rc = api_since(&x.at_ms, api, as_of, e)) == SAT_OK &&
	    (rc = collect(&x, unknown, false, e)) == SAT_OK)
		rc = collect(&x, unknown, true, e);
	if (rc == SAT_OK) {
		if (x.n > 1)
			qsort_r(x.rows, x.n, sizeof *x.rows, by_order, &x);
		p->total = (int64_t)x.n;
		cut(&x, p, &lo, &hi);
		sat_json_put_time(doc, "as_of", x.at_ms);
		sat_json_put(doc, "unknown", sat_json_dup(unknown));
	}
	for (size_t i = lo; rc == SAT_OK && i < hi; i++)
		rc = put_row(data, &x, &x.rows[i].id, how, e);
	if (rc == SAT_OK && hi > lo) {
		edge_of(&p->first, &p->mem, &x, &x.rows[lo]);
		edge_of(&p->last, &p->mem, &x, &x.rows[hi - 1]);
	}
	free(x.rows);
	sat_arena_fini(&x.keys);
	sat_json_free(unknown);
	return rc;
}
