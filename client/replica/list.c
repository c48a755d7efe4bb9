/*
 * list.c - one page of a list, and how many rows there are in all.
 *
 * Both come from one pass over what passes the filters, in whatever order is
 * cheapest to read, which is the index a kind's `covers` make: asking SQLite for
 * the page and for the count would be two passes and a sort. The best rows of
 * the page are kept in a heap; nearly all others are out after one comparison.
 * Without filters the count is the rows less the few hidden ones, and the page
 * SQLite's.
 *
 * A page that begins at a place (sat_edge) costs what the first one does,
 * however far in the list it is: the pass leaves out what is not behind the
 * place, and SQLite enters its index there.
 */
#include "client/replica/replica_int.h"

#include <stdlib.h>
#include <string.h>

#define HEAP_MAX 2000 /* deeper pages are sorted by SQLite */
#define KEYS_MAX 5    /* four of the sort, and the id */
#define SHOWN_MAX 8   /* filters that show what is hidden otherwise */

typedef struct entry {
	sat_value key[KEYS_MAX];
	uint8_t *bytes; /* of texts and the id */
} entry;

typedef struct heap {
	entry *e;       /* the worst one is the first */
	size_t n, max, nkeys;
	bool desc[KEYS_MAX];
} heap;

/* As SQLite orders: null, numbers, texts, bytes. */
static int
rank(sat_value v)
{
	switch (v.type) {
	case SAT_V_NULL:
		return 0;
	case SAT_V_INT:
		return 1;
	case SAT_V_TEXT:
		return 2;
	default:
		return 3;
	}
}

static int
compare_values(sat_value a, sat_value b)
{
	int x = rank(a), y = rank(b);

	if (x != y)
		return x - y;
	if (x == 0)
		return 0;
	if (x == 1)
		return (a.i > b.i) - (a.i < b.i);
	return sat_span_cmp(a.s, b.s);
}

static int
compare(const heap *h, const sat_value *a, const sat_value *b)
{
	for (size_t i = 0; i < h->nkeys; i++) {
		int c = compare_values(a[i], b[i]);

		if (c != 0)
			return h->desc[i] ? -c : c;
	}
	return 0;
}

static void
set_entry(entry *e, const sat_value *key, size_t n)
{
	size_t bytes = 0, at = 0;

	for (size_t i = 0; i < n; i++)
		if (rank(key[i]) >= 2)
			bytes += key[i].s.n;
	e->bytes = sat_xrealloc(e->bytes, bytes + 1);
	for (size_t i = 0; i < n; i++) {
		e->key[i] = key[i];
		if (rank(key[i]) < 2)
			continue;
		if (key[i].s.n > 0)
			memcpy(e->bytes + at, key[i].s.p, key[i].s.n);
		e->key[i].s.p = e->bytes + at;
		at += key[i].s.n;
	}
}

static void
swap(entry *a, entry *b)
{
	entry t = *a;

	*a = *b;
	*b = t;
}

static void
sink(heap *h, size_t i, size_t n)
{
	for (size_t child; (child = 2 * i + 1) < n; i = child) {
		if (child + 1 < n && compare(h, h->e[child].key,
		    h->e[child + 1].key) < 0)
			child++;
		if (compare(h, h->e[i].key, h->e[child].key) >= 0)
			return;
		swap(&h->e[i], &h->e[child]);
	}
}

static void
offer(heap *h, const sat_value *key)
{
	if (h->n < h->max) {
		size_t i = h->n++;

		set_entry(&h->e[i], key, h->nkeys);
		while (i > 0 && compare(h, h->e[(i - 1) / 2].key,
		    h->e[i].key) < 0) {
			swap(&h->e[i], &h->e[(i - 1) / 2]);
			i = (i - 1) / 2;
		}
		return;
	}
	if (h->max == 0 || compare(h, key, h->e[0].key) >= 0)
		return;
	set_entry(&h->e[0], key, h->nkeys);
	sink(h, 0, h->n);
}

/* The best one first. */
static void
put_in_order(heap *h)
{
	for (size_t n = h->n; n > 1; n--) {
		swap(&h->e[0], &h->e[n - 1]);
		sink(h, 0, n - 1);
	}
}

static void
heap_fini(heap *h)
{
	for (size_t i = 0; i < h->max && h->e != NULL; i++)
		free(h->e[i].bytes);
	free(h->e);
}

/* Is the row, of `nkeys` values, behind the place the page begins at? */
static bool
is_behind(const heap *h, const sat_value *row, const sat_query *q)
{
	sat_value at[KEYS_MAX];

	if (q->from == NULL)
		return true;
	for (size_t i = 0; i < q->nsort; i++)
		at[i] = q->from->key[i];
	at[q->nsort] = sat_v_id(&q->from->id);
	return compare(h, row, at) > 0;
}

/* What was read from a place backwards, as the list goes. */
static void
turn_round(sat_id *ids, size_t n)
{
	for (size_t i = 0; i < n / 2; i++) {
		sat_id t = ids[i];

		ids[i] = ids[n - 1 - i];
		ids[n - 1 - i] = t;
	}
}

static bool
take_id(sat_id *id, sat_value v)
{
	if (v.type != SAT_V_BYTES || v.s.n != sizeof id->b)
		return false;
	memcpy(id->b, v.s.p, sizeof id->b);
	return true;
}

static sat_rc
one_pass(sat_id **ids, size_t *n, int64_t *total, sat_arena *a,
    sat_replica *r, const sat_query *q, sat_err *e)
{
	heap h = { .max = (size_t)(q->limit + q->offset),
		.nkeys = q->nsort + 1 };
	uint16_t columns[KEYS_MAX];
	sat_query all = *q;
	const sat_value *v;
	sat_rows *rows = NULL;
	sat_rc rc;

	h.e = sat_xcalloc(h.max + 1, sizeof *h.e);
	for (size_t i = 0; i < q->nsort; i++) {
		columns[i] = q->sort[i].field;
		h.desc[i] = q->sort[i].desc != q->back;
	}
	columns[q->nsort] = SAT_Q_ID;
	h.desc[q->nsort] = q->back;
	all.columns = columns;
	all.ncolumns = h.nkeys;
	all.unordered = true;
	all.raw = true; /* as SQLite would put them in order */
	rc = sat_replica_query(&rows, r, &all, e);
	while (rc == SAT_OK && (rc = sat_rows_next(&v, rows, e)) == SAT_OK &&
	    v != NULL) {
		if (total != NULL)
			(*total)++;
		if (is_behind(&h, v, q))
			offer(&h, v);
	}
	sat_rows_free(rows);
	put_in_order(&h);
	*ids = sat_arena_alloc(a, (h.n + 1) * sizeof **ids);
	for (size_t i = (size_t)q->offset; i < h.n && rc == SAT_OK; i++)
		*n += take_id(&(*ids)[*n], h.e[i].key[q->nsort]);
	heap_fini(&h);
	return rc;
}

static sat_rc
count_kind(int64_t *n, sat_replica *r, const replica_kind *k, kind_sql q,
    sat_err *e)
{
	sat_stmt *s;
	bool row;
	sat_rc rc;

	if ((rc = replica_kind_stmt(&s, r, k, q, e)) != SAT_OK ||
	    (rc = sat_step(&row, s, e)) != SAT_OK)
		return rc;
	*n = row ? sat_col_int(s, 0) : 0;
	sat_stmt_reset(s);
	return SAT_OK;
}

static sat_rc
count_visible(int64_t *total, sat_replica *r, const sat_kind *kind, sat_err *e)
{
	const replica_kind *k = replica_kind_by(r->kinds, kind->id);
	int64_t hidden = 0;
	sat_rc rc;

	if (k == NULL)
		return sat_fail(e, SAT_ENOTFOUND, "no such kind here");
	if ((rc = count_kind(total, r, k, KQ_ALL, e)) == SAT_OK)
		rc = count_kind(&hidden, r, k, KQ_HIDDEN, e);
	*total -= hidden;
	return rc;
}

static sat_rc
read_ids(sat_id **ids, size_t *n, size_t *cap, sat_arena *a, sat_replica *r,
    const sat_query *q, sat_err *e)
{
	static const uint16_t column[] = { SAT_Q_ID };
	sat_query page = *q;
	const sat_value *v;
	sat_rows *rows = NULL;
	sat_rc rc;

	page.columns = column;
	page.ncolumns = 1;
	if ((rc = sat_replica_query(&rows, r, &page, e)) != SAT_OK)
		return rc;
	while ((rc = sat_rows_next(&v, rows, e)) == SAT_OK && v != NULL) {
		SAT_ARENA_GROW(*ids, *n, *cap, a);
		*n += take_id(&(*ids)[*n], v[0]);
	}
	sat_rows_free(rows);
	return rc;
}

/* Behind a place of a list that goes down come those without a value last. */
static bool
has_nulls_behind(const sat_query *q)
{
	return q->from != NULL && q->nsort > 0 &&
	    q->sort[0].desc != q->back &&
	    q->sort[0].field != SAT_Q_CREATED && /* all have it */
	    q->from->key[0].type != SAT_V_NULL;
}

static sat_rc
read_nulls(sat_id **ids, size_t *n, size_t *cap, sat_arena *a, sat_replica *r,
    const sat_query *q, sat_err *e)
{
	sat_filter *f = sat_arena_alloc(a, (q->nfilters + 1) * sizeof *f);
	sat_query rest = *q;

	if (q->nfilters > 0)
		memcpy(f, q->filters, q->nfilters * sizeof *f);
	f[q->nfilters] = (sat_filter){ q->sort[0].field, SAT_CMP_NULL, NULL, 0 };
	rest.filters = f;
	rest.nfilters = q->nfilters + 1;
	rest.from = NULL;
	if (q->limit > 0)
		rest.limit = q->limit - (int64_t)*n;
	return read_ids(ids, n, cap, a, r, &rest, e);
}

static sat_rc
two_passes(sat_id **ids, size_t *n, int64_t *total, sat_arena *a,
    sat_replica *r, const sat_query *q, sat_err *e)
{
	sat_query all = *q;
	size_t cap = 0;
	sat_rc rc = SAT_OK;

	all.from = NULL;
	if (total != NULL)
		rc = q->nfilters == 0 ? count_visible(total, r, q->kind, e) :
		    sat_replica_count(total, r, &all, e);
	if (rc == SAT_OK)
		rc = read_ids(ids, n, &cap, a, r, q, e);
	if (rc == SAT_OK && has_nulls_behind(q) &&
	    (q->limit == 0 || (int64_t)*n < q->limit))
		rc = read_nulls(ids, n, &cap, a, r, q, e);
	return rc;
}

/* Offset and limit may be anything a request says. */
static bool
fits_heap(const sat_query *q)
{
	return q->limit > 0 && q->limit <= HEAP_MAX &&
	    q->offset <= HEAP_MAX - q->limit && q->nsort < KEYS_MAX;
}

sat_rc
sat_replica_list(sat_id **ids, size_t *n, int64_t *total, sat_arena *a,
    sat_replica *r, const sat_query *q, sat_err *e)
{
	sat_rc rc;

	*ids = NULL;
	*n = 0;
	if (total != NULL)
		*total = 0;
	if (q->nfilters > 0 && fits_heap(q))
		rc = one_pass(ids, n, total, a, r, q, e);
	else
		rc = two_passes(ids, n, total, a, r, q, e);
	if (rc == SAT_OK && q->back)
		turn_round(*ids, *n);
	return rc;
}

sat_rc
sat_replica_edge(sat_edge *out, sat_arena *a, sat_replica *r,
    const sat_query *q, const sat_id *id, sat_err *e)
{
	sat_filter f[SHOWN_MAX + 1];
	uint16_t columns[KEYS_MAX];
	sat_value v = sat_v_id(id);
	sat_query one = { .kind = q->kind, .columns = columns, .filters = f,
		.ncolumns = q->nsort, .nfilters = 1, .raw = true, .limit = 1 };
	const sat_value *row = NULL;
	sat_rows *rows;
	sat_rc rc;

	f[0] = (sat_filter){ SAT_Q_ID, SAT_CMP_EQ, &v, 1 };
	for (size_t i = 0; i < q->nfilters && one.nfilters <= SHOWN_MAX; i++)
		if (q->filters[i].field == SAT_Q_DELETED ||
		    q->filters[i].field == SAT_Q_MERGED ||
		    q->filters[i].field == SAT_Q_POOL) /* they show what is hidden */
			f[one.nfilters++] = q->filters[i];
	for (size_t i = 0; i < q->nsort; i++)
		columns[i] = q->sort[i].field;
	if ((rc = sat_replica_query(&rows, r, &one, e)) != SAT_OK)
		return rc;
	if ((rc = sat_rows_next(&row, rows, e)) == SAT_OK && row == NULL)
		rc = sat_fail(e, SAT_ENOTFOUND, "no such row in the list");
	for (size_t i = 0; rc == SAT_OK && i < q->nsort; i++)
		out->key[i] = sat_value_dup(a, row[i]);
	out->id = *id;
	sat_rows_free(rows);
	return rc;
}
