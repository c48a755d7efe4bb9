/*
 * The tally. Groups and distinct ids live in one hash table of byte strings
 * each; the order of rows comes only from the sort in sat_tally_finish, so that
 * the order of feeding never shows (R1), and sums stay integers (R2).
 */
#include "common/model/report.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* ---- a table of byte strings -------------------------------------------------- */

typedef struct bytes_table {
	sat_arena arena;
	sat_span *keys;
	size_t n, cap;
	uint32_t *slots; /* index + 1; 0 = free */
	size_t nslots;   /* power of two */
} bytes_table;

/* FNV-1a: short keys, no enemy (ids are random, the table is the reader's own). */
static uint64_t
hash_of(sat_span s)
{
	uint64_t h = 14695981039346656037u;

	for (size_t i = 0; i < s.n; i++)
		h = (h ^ s.p[i]) * 1099511628211u;
	return h ^ (h >> 29);
}

static size_t
slot_of(const bytes_table *t, sat_span key)
{
	size_t mask = t->nslots - 1, at = (size_t)hash_of(key) & mask;

	while (t->slots[at] != 0 &&
	    !sat_span_eq(t->keys[t->slots[at] - 1], key))
		at = (at + 1) & mask;
	return at;
}

static void
grow(bytes_table *t)
{
	t->cap = t->cap > 0 ? t->cap * 2 : 32;
	t->keys = sat_xrealloc(t->keys, t->cap * sizeof *t->keys);
	free(t->slots);
	t->nslots = t->cap * 2;
	t->slots = sat_xcalloc(t->nslots, sizeof *t->slots);
	for (size_t i = 0; i < t->n; i++)
		t->slots[slot_of(t, t->keys[i])] = (uint32_t)i + 1;
}

/* Index of the key; *added when it is new. */
static size_t
put(bytes_table *t, sat_span key, bool *added)
{
	size_t at;

	if (t->n == t->cap)
		grow(t);
	at = slot_of(t, key);
	*added = t->slots[at] == 0;
	if (*added) {
		t->keys[t->n] = sat_span_of(
		    sat_arena_dup(&t->arena, key.p, key.n), key.n);
		t->slots[at] = (uint32_t)++t->n;
	}
	return t->slots[at] - 1;
}

static void
table_fini(bytes_table *t)
{
	sat_arena_fini(&t->arena);
	free(t->keys);
	free(t->slots);
}

/* ---- the tally ---------------------------------------------------------------- */

typedef struct group {
	sat_value dims[SAT_REPORT_DIMS_MAX];
	int64_t n[SAT_REPORT_MEASURES_MAX], den[SAT_REPORT_MEASURES_MAX];
	uint32_t rank;
} group;

typedef struct order {
	int (*cmp)(void *u, sat_value a, sat_value b);
	void *u;
} order;

typedef struct sample {
	int64_t v;
	uint32_t group, measure;
} sample;

struct sat_tally {
	size_t ndims, nmeasures;
	sat_agg aggs[SAT_REPORT_MEASURES_MAX];
	order orders[SAT_REPORT_DIMS_MAX];
	bytes_table names;    /* canonical dims -> group */
	bytes_table distinct; /* measure, group (or ALL_GROUPS), id */
	sat_arena arena;      /* copied dims */
	group *groups;
	size_t cap;
	size_t *sorted;       /* after finish */
	int sort;
	group total;
	sat_buf key;          /* scratch */
	sample *samples;      /* values of medians */
	size_t nsamples, sample_cap;
	void (*formula)(void *u, size_t measure, const int64_t *n,
	    const int64_t *den, int64_t *num_out, int64_t *den_out);
	void *formula_u;
};

#define ALL_GROUPS UINT32_MAX

sat_tally *
sat_tally_new(size_t ndims, size_t nmeasures, const sat_agg *aggs)
{
	sat_tally *t = sat_xcalloc(1, sizeof *t);

	assert(ndims <= SAT_REPORT_DIMS_MAX);
	assert(nmeasures <= SAT_REPORT_MEASURES_MAX);
	t->ndims = ndims;
	t->nmeasures = nmeasures;
	for (size_t i = 0; i < nmeasures; i++)
		t->aggs[i] = aggs[i];
	t->sort = -1;
	return t;
}

void
sat_tally_free(sat_tally *t)
{
	if (t == NULL)
		return;
	table_fini(&t->names);
	table_fini(&t->distinct);
	sat_arena_fini(&t->arena);
	sat_buf_fini(&t->key);
	free(t->groups);
	free(t->sorted);
	free(t->samples);
	free(t);
}

size_t
sat_tally_group(sat_tally *t, const sat_value *dims)
{
	bool added;
	size_t at;

	sat_buf_reset(&t->key);
	for (size_t i = 0; i < t->ndims; i++)
		sat_value_write(&t->key, dims[i]);
	at = put(&t->names, sat_buf_span(&t->key), &added);
	if (!added)
		return at;
	if (at == t->cap) {
		t->cap = t->cap > 0 ? t->cap * 2 : 16;
		t->groups = sat_xrealloc(t->groups, t->cap * sizeof(group));
	}
	memset(&t->groups[at], 0, sizeof(group));
	for (size_t i = 0; i < t->ndims; i++)
		t->groups[at].dims[i] = sat_value_dup(&t->arena, dims[i]);
	return at;
}

/* Sums of money stay far below; a hostile file must not wrap around. */
static void
add(int64_t *to, int64_t n)
{
	if (__builtin_add_overflow(*to, n, to))
		*to = n > 0 ? INT64_MAX : INT64_MIN;
}

void
sat_tally_add(sat_tally *t, size_t at, size_t measure, int64_t n)
{
	assert(at < t->names.n && measure < t->nmeasures);
	add(&t->groups[at].n[measure], n);
}

/* True when this id was not yet counted there. */
static bool
first_time(sat_tally *t, uint32_t at, size_t measure, sat_span id)
{
	bool added;

	sat_buf_reset(&t->key);
	sat_write_u8(&t->key, (uint8_t)measure);
	sat_write_be32(&t->key, at);
	sat_buf_add(&t->key, id.p, id.n);
	(void)put(&t->distinct, sat_buf_span(&t->key), &added);
	return added;
}

void
sat_tally_distinct(sat_tally *t, size_t at, size_t measure, sat_span id)
{
	assert(at < t->names.n && measure < t->nmeasures);
	if (first_time(t, (uint32_t)at, measure, id))
		t->groups[at].n[measure]++;
	/* The total counts an id once however many groups it is in. */
	if (first_time(t, ALL_GROUPS, measure, id))
		t->total.n[measure]++;
}

void
sat_tally_ratio(sat_tally *t, size_t at, size_t measure, int64_t num,
    int64_t den)
{
	assert(at < t->names.n && measure < t->nmeasures);
	add(&t->groups[at].n[measure], num);
	add(&t->groups[at].den[measure], den);
}

void
sat_tally_sample(sat_tally *t, size_t at, size_t measure, int64_t v)
{
	assert(at < t->names.n && measure < t->nmeasures);
	if (t->nsamples == t->sample_cap) {
		t->sample_cap = t->sample_cap > 0 ? t->sample_cap * 2 : 256;
		t->samples = sat_xrealloc(t->samples,
		    t->sample_cap * sizeof *t->samples);
	}
	t->samples[t->nsamples++] = (sample){ v, (uint32_t)at,
		(uint32_t)measure };
}

void
sat_tally_formulas(sat_tally *t, void (*f)(void *u, size_t measure,
    const int64_t *n, const int64_t *den, int64_t *num_out, int64_t *den_out),
    void *u)
{
	t->formula = f;
	t->formula_u = u;
}

/* ---- what is known at the end ---------------------------------------------------- */

static int
by_value(const void *pa, const void *pb)
{
	const sample *a = pa, *b = pb;

	if (a->measure != b->measure)
		return a->measure < b->measure ? -1 : 1;
	return (a->v > b->v) - (a->v < b->v);
}

static int
by_group(const void *pa, const void *pb)
{
	const sample *a = pa, *b = pb;

	if (a->group != b->group)
		return a->group < b->group ? -1 : 1;
	return by_value(pa, pb);
}

/* The middle of a sorted run; of an even one half of the middle two. */
static void
middle(group *g, size_t m, const sample *run, size_t n)
{
	g->den[m] = n % 2 == 0 ? 2 : 1;
	g->n[m] = run[n / 2].v;
	if (n % 2 == 0)
		add(&g->n[m], run[n / 2 - 1].v);
}

static size_t
run_of(const sat_tally *t, size_t from, bool all)
{
	size_t to = from;

	while (to < t->nsamples &&
	    t->samples[to].measure == t->samples[from].measure &&
	    (all || t->samples[to].group == t->samples[from].group))
		to++;
	return to;
}

static void
medians(sat_tally *t)
{
	if (t->nsamples == 0)
		return;
	qsort(t->samples, t->nsamples, sizeof *t->samples, by_group);
	for (size_t i = 0, to; i < t->nsamples; i = to) {
		to = run_of(t, i, false);
		middle(&t->groups[t->samples[i].group], t->samples[i].measure,
		    &t->samples[i], to - i);
	}
	qsort(t->samples, t->nsamples, sizeof *t->samples, by_value);
	for (size_t i = 0, to; i < t->nsamples; i = to) {
		to = run_of(t, i, true);
		middle(&t->total, t->samples[i].measure, &t->samples[i],
		    to - i);
	}
}

static void
formulas(sat_tally *t, group *g)
{
	for (size_t m = 0; m < t->nmeasures; m++)
		if (t->aggs[m] == SAT_AGG_FORMULA && t->formula != NULL)
			t->formula(t->formula_u, m, g->n, g->den, &g->n[m],
			    &g->den[m]);
}

/* ---- order and rank ------------------------------------------------------------- */

void
sat_tally_order(sat_tally *t, size_t dim,
    int (*cmp)(void *u, sat_value a, sat_value b), void *u)
{
	assert(dim < t->ndims);
	t->orders[dim] = (order){ cmp, u };
}

/* Larger first. Fractions are compared exactly; without denominator last. */
static int
by_measure(const sat_tally *t, const group *a, const group *b)
{
	size_t m = (size_t)t->sort;
	__extension__ __int128 x = a->n[m], y = b->n[m];

	if (sat_agg_divides(t->aggs[m])) {
		if (a->den[m] == 0 || b->den[m] == 0)
			return (a->den[m] == 0) - (b->den[m] == 0);
		x *= b->den[m];
		y *= a->den[m];
		if ((a->den[m] < 0) != (b->den[m] < 0))
			return (x > y) - (x < y); /* the sign turned round */
	}
	return (x < y) - (x > y);
}

static int
by_sort(const void *pa, const void *pb, void *u)
{
	const sat_tally *t = u;
	const group *a = &t->groups[*(const size_t *)pa];
	const group *b = &t->groups[*(const size_t *)pb];
	int c = t->sort >= 0 ? by_measure(t, a, b) : 0;

	for (size_t i = 0; c == 0 && i < t->ndims; i++)
		if (t->orders[i].cmp != NULL)
			c = t->orders[i].cmp(t->orders[i].u, a->dims[i],
			    b->dims[i]);
	for (size_t i = 0; c == 0 && i < t->ndims; i++)
		c = sat_value_cmp(a->dims[i], b->dims[i]);
	return c;
}

static void
sum_up(sat_tally *t)
{
	for (size_t m = 0; m < t->nmeasures; m++) {
		if (t->aggs[m] == SAT_AGG_DISTINCT ||
		    t->aggs[m] == SAT_AGG_MEDIAN ||
		    t->aggs[m] == SAT_AGG_FORMULA)
			continue;
		t->total.n[m] = t->total.den[m] = 0;
		for (size_t i = 0; i < t->names.n; i++) {
			add(&t->total.n[m], t->groups[i].n[m]);
			add(&t->total.den[m], t->groups[i].den[m]);
		}
	}
	formulas(t, &t->total);
}

void
sat_tally_finish(sat_tally *t, int sort_measure, bool rank)
{
	size_t n = t->names.n;

	assert(sort_measure < (int)t->nmeasures);
	medians(t);
	for (size_t i = 0; i < n; i++)
		formulas(t, &t->groups[i]);
	t->sort = sort_measure;
	t->sorted = sat_xrealloc(t->sorted, (n + 1) * sizeof *t->sorted);
	for (size_t i = 0; i < n; i++)
		t->sorted[i] = i;
	if (n > 1)
		qsort_r(t->sorted, n, sizeof *t->sorted, by_sort, t);
	for (size_t i = 0; i < n; i++) {
		group *g = &t->groups[t->sorted[i]];
		const group *before = i > 0 ? &t->groups[t->sorted[i - 1]] : NULL;

		if (!rank || sort_measure < 0)
			g->rank = 0;
		else if (before != NULL && by_measure(t, before, g) == 0)
			g->rank = before->rank; /* 1-1-3 */
		else
			g->rank = (uint32_t)i + 1;
	}
	sum_up(t);
}

size_t
sat_tally_rows(const sat_tally *t)
{
	return t->names.n;
}

sat_tally_row
sat_tally_row_at(const sat_tally *t, size_t i)
{
	const group *g;

	assert(t->sorted != NULL && i < t->names.n);
	g = &t->groups[t->sorted[i]];
	return (sat_tally_row){ g->dims, g->n, g->den, g->rank, t->sorted[i] };
}

sat_tally_row
sat_tally_total(sat_tally *t)
{
	sum_up(t);
	return (sat_tally_row){ NULL, t->total.n, t->total.den, 0, 0 };
}
