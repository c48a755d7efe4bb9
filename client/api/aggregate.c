/*
 * Counting and adding up records by group: what a list's footer or a small
 * chart asks for. Reports (report_def.h) are for what has a name and a meaning;
 * here is arithmetic on what a list would show.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/api/api_int.h"

#define KEYS_MAX 4
#define SUMS_MAX 8
#define GROUPS_MAX 10000

typedef enum { SUM, AVG, MIN, MAX } what;
static const char *const words[] = { "sum", "avg", "min", "max" };

typedef struct tally {
	int64_t n, sum, min, max; /* of rows that have a value */
} tally;

typedef struct group {
	sat_value key[KEYS_MAX]; /* texts in the arena */
	int64_t count;
	tally t[SUMS_MAX];
} group;

typedef struct work {
	sat_api *api;
	api_rows rows;
	const sat_field *key[KEYS_MAX];
	size_t nkeys;
	struct {
		const sat_field *f;
		what w;
	} sum[SUMS_MAX];
	size_t nsums;
	group **g;               /* ascending by key; in the arena */
	size_t n, cap;
	group total;
	sat_arena a;
} work;

/* ---- what is asked for ------------------------------------------------------------- */

static sat_rc
read_key(work *x, const sat_field *f, sat_err *e)
{
	if (x->nkeys == KEYS_MAX)
		return sat_fail(e, SAT_EUSAGE, "at most %d fields to group by",
		    KEYS_MAX);
	if (f->type == SAT_F_TAGS || f->policy == SAT_P_DERIVED)
		return sat_fail_code(e, SAT_EUSAGE, "usage.group", NULL,
		    "nothing is grouped by %s", f->key);
	x->key[x->nkeys++] = f;
	return SAT_OK;
}

static sat_rc
read_sum(work *x, const sat_field *f, what w, sat_err *e)
{
	if (x->nsums == SUMS_MAX)
		return sat_fail(e, SAT_EUSAGE, "at most %d sums", SUMS_MAX);
	if (f->type != SAT_F_INT && f->type != SAT_F_MONEY)
		return sat_fail_code(e, SAT_EUSAGE, "usage.sum",
		    "numbers and amounts of money can be added up",
		    "%s is no number", f->key);
	x->sum[x->nsums].f = f;
	x->sum[x->nsums++].w = w;
	return SAT_OK;
}

/* "a,b": fields to group by (as < 0), or to add up. */
static sat_rc
read_fields(work *x, const char *list, int as, sat_err *e)
{
	const sat_kind *k = x->rows.q.kind;
	sat_rc rc = SAT_OK;

	for (const char *p = list; rc == SAT_OK && p != NULL && *p != '\0';
	     p += strcspn(p, ","), p += *p == ',') {
		const sat_field *f;
		char word[64];

		(void)snprintf(word, sizeof word, "%.*s", (int)strcspn(p, ","),
		    p);
		if ((f = sat_kind_field(k, word)) == NULL)
			return sat_fail_code(e, SAT_EUSAGE, "usage.field",
			    "see: satchel schema KIND",
			    "%s has no field \"%.40s\"", k->key, word);
		if ((rc = sat_crm_may_search(&x->api->crm, f, e)) == SAT_OK)
			rc = as < 0 ? read_key(x, f, e) :
			    read_sum(x, f, (what)as, e);
	}
	return rc;
}

/* ---- adding up ------------------------------------------------------------------------ */

static int
compare_values(sat_value a, sat_value b)
{
	if (a.type != b.type)
		return (int)a.type - (int)b.type;
	if (a.type == SAT_V_NULL)
		return 0;
	return a.type == SAT_V_INT ? (a.i > b.i) - (a.i < b.i) :
	    sat_span_cmp(a.s, b.s);
}

static int
compare(const work *x, const sat_value *a, const sat_value *b)
{
	for (size_t i = 0; i < x->nkeys; i++) {
		int c = compare_values(a[i], b[i]);

		if (c != 0)
			return c;
	}
	return 0;
}

/* The group of these keys; NULL: it would be one too many. */
static group *
group_of(work *x, const sat_value *key)
{
	size_t lo = 0, hi = x->n;
	group *g;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int c = compare(x, x->g[mid]->key, key);

		if (c == 0)
			return x->g[mid];
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (x->n == GROUPS_MAX)
		return NULL;
	if (x->n == x->cap) {
		x->cap = x->cap * 2 + 32;
		x->g = sat_xrealloc(x->g, x->cap * sizeof *x->g);
	}
	memmove(&x->g[lo + 1], &x->g[lo], (x->n - lo) * sizeof *x->g);
	x->n++;
	g = x->g[lo] = sat_arena_alloc(&x->a, sizeof *g);
	memset(g, 0, sizeof *g);
	for (size_t i = 0; i < x->nkeys; i++)
		g->key[i] = sat_value_dup(&x->a, key[i]);
	return g;
}

static bool
add_row(group *g, const work *x, const sat_value *v)
{
	g->count++;
	for (size_t i = 0; i < x->nsums; i++) {
		tally *t = &g->t[i];

		if (v[i].type != SAT_V_INT)
			continue;
		if (__builtin_add_overflow(t->sum, v[i].i, &t->sum))
			return false;
		t->min = t->n == 0 || v[i].i < t->min ? v[i].i : t->min;
		t->max = t->n == 0 || v[i].i > t->max ? v[i].i : t->max;
		t->n++;
	}
	return true;
}

static sat_rc
add_up(work *x, sat_err *e)
{
	uint16_t columns[KEYS_MAX + SUMS_MAX];
	sat_query *q = &x->rows.q;
	const sat_value *v;
	sat_rows *rows;
	sat_rc rc;

	for (size_t i = 0; i < x->nkeys; i++)
		columns[q->ncolumns++] = x->key[i]->id;
	for (size_t i = 0; i < x->nsums; i++)
		columns[q->ncolumns++] = x->sum[i].f->id;
	q->columns = columns;
	q->unordered = true;
	q->nsort = 0;
	q->limit = q->offset = 0;
	if ((rc = sat_replica_query(&rows, x->api->crm.replica, q, e)) !=
	    SAT_OK)
		return rc;
	while ((rc = sat_rows_next(&v, rows, e)) == SAT_OK && v != NULL) {
		group *g = group_of(x, v);

		if (g == NULL)
			rc = sat_fail_code(e, SAT_EUSAGE, "usage.group",
			    "group by a field with fewer values",
			    "there are more than %d groups", GROUPS_MAX);
		else if (!add_row(g, x, v + x->nkeys) ||
		    !add_row(&x->total, x, v + x->nkeys))
			rc = sat_fail(e, SAT_EINVALID, "a sum is too large");
		if (rc != SAT_OK)
			break;
	}
	sat_rows_free(rows);
	return rc;
}

/* ---- the answer ------------------------------------------------------------------------- */

static void
put_number(sat_json *o, const sat_field *f, what w, const tally *t)
{
	if (t->n == 0 && w != SUM)
		sat_json_put_null(o, f->key);
	else if (w == AVG && f->type == SAT_F_MONEY) /* whole fen */
		sat_json_put_int(o, f->key, llround((double)t->sum /
		    (double)t->n));
	else if (w == AVG)
		sat_json_put_real(o, f->key, (double)t->sum / (double)t->n);
	else
		sat_json_put_int(o, f->key, w == SUM ? t->sum :
		    w == MIN ? t->min : t->max);
}

static void
put_group(sat_json *row, const work *x, const group *g)
{
	sat_json_put_int(row, "count", g->count);
	for (int w = SUM; w <= MAX; w++) {
		sat_json *o = NULL;

		for (size_t i = 0; i < x->nsums; i++)
			if ((int)x->sum[i].w == w) {
				if (o == NULL)
					o = sat_json_put_obj(row, words[w]);
				put_number(o, x->sum[i].f, (what)w, &g->t[i]);
			}
	}
}

static void
put_all(sat_json *doc, const work *x)
{
	sat_json *by = sat_json_put_arr(doc, "group_by"), *data, *row;

	for (size_t i = 0; i < x->nkeys; i++)
		sat_json_add_str(by, x->key[i]->key);
	data = sat_json_put_arr(doc, "data");
	for (size_t k = 0; k < x->n; k++) {
		sat_json *by_key = sat_json_put_obj(row = sat_json_add_obj(data),
		    "group");

		for (size_t i = 0; i < x->nkeys; i++)
			api_value_put(by_key, x->key[i]->key, x->api, x->key[i],
			    x->g[k]->key[i]);
		put_group(row, x, x->g[k]);
	}
	put_group(sat_json_put_obj(doc, "total"), x, &x->total);
}

HANDLER(api_aggregate)
{
	work x = { .api = api };
	sat_json *doc, *asked = NULL;
	sat_rc rc = api_kind(&x.rows.q.kind, api, args[0], e);

	if (rc != SAT_OK)
		return rc;
	doc = api_doc("aggregate");
	rc = read_fields(&x, api_q(req, "group_by"), -1, e);
	for (int w = SUM; rc == SAT_OK && w <= MAX; w++)
		rc = read_fields(&x, api_q(req, words[w]), w, e);
	if (rc == SAT_OK && (rc = api_view_apply(&asked, doc, api,
	    x.rows.q.kind, req->query, e)) == SAT_OK &&
	    (rc = api_rows_read(&x.rows, api, asked, e)) == SAT_OK)
		rc = add_up(&x, e);
	sat_json_free(asked);
	sat_json_put_str(doc, "kind", x.rows.q.kind->key);
	put_all(doc, &x);
	free(x.g);
	sat_arena_fini(&x.a);
	sat_arena_fini(&x.rows.a);
	return api_answer(out, doc, rc);
}
