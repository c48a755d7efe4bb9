/*
 * The tally. Groups and distinct ids live in one hash table of byte strings
 * each; the order of rows comes only from the sort in sat_tally_finish, so that
 * the order of feeding never shows (R1), and sums stay integers (R2).
 */
#include "common/model/report.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"

#define DAY_MS ((int64_t)86400000)

/* ---- periods --------------------------------------------------------------- */

/* n digits at *s, or -1; moves on. */
static int
take_digits(const char **s, int n)
{
	int v = 0;

	for (int i = 0; i < n; i++) {
		if (**s < '0' || **s > '9')
			return -1;
		v = v * 10 + (*(*s)++ - '0');
	}
	return v;
}

static int
days_in_month(int y, int m)
{
	return (int)(sat_days_of(m == 12 ? y + 1 : y, m == 12 ? 1 : m + 1, 1) -
	    sat_days_of(y, m, 1));
}

/* Monday is 0; 1970-01-01 was a Thursday. */
static int
weekday(int64_t days)
{
	int64_t w = (days + 3) % 7;

	return (int)(w < 0 ? w + 7 : w);
}

/* Monday of ISO week 1: the week that holds 4 January. */
static int64_t
week_one(int y)
{
	int64_t jan4 = sat_days_of(y, 1, 4);

	return jan4 - weekday(jan4);
}

static bool
take_date(const char **s, int64_t *day)
{
	int y = take_digits(s, 4), m, d;

	if (y < 1900 || *(*s)++ != '-')
		return false;
	m = take_digits(s, 2);
	if (m < 1 || m > 12 || *(*s)++ != '-')
		return false;
	d = take_digits(s, 2);
	if (d < 1 || d > days_in_month(y, m))
		return false;
	*day = sat_days_of(y, m, d);
	return true;
}

/* What follows the year: a quarter, a week, a month, a month and a day. */
static bool
take_rest(const char *s, int y, int64_t *from, int64_t *to, char label[40])
{
	int v;

	if (*s == '\0') {
		*from = sat_days_of(y, 1, 1);
		*to = sat_days_of(y + 1, 1, 1);
		(void)snprintf(label, 40, "%04d", y);
		return true;
	}
	if (*s++ != '-')
		return false;
	if (*s == 'Q' || *s == 'q') {
		s++;
		v = take_digits(&s, 1);
		*from = sat_days_of(y, 3 * v - 2, 1);
		*to = v == 4 ? sat_days_of(y + 1, 1, 1) :
		    sat_days_of(y, 3 * v + 1, 1);
		(void)snprintf(label, 40, "%04d-Q%d", y, v);
		return v >= 1 && v <= 4 && *s == '\0';
	}
	if (*s == 'W' || *s == 'w') {
		s++;
		v = take_digits(&s, 2);
		*from = week_one(y) + 7 * (v - 1);
		*to = *from + 7;
		(void)snprintf(label, 40, "%04d-W%02d", y, v);
		return v >= 1 && *from < week_one(y + 1) && *s == '\0';
	}
	v = take_digits(&s, 2);
	if (v < 1 || v > 12 || *s != '\0')
		return false;
	*from = sat_days_of(y, v, 1);
	*to = *from + days_in_month(y, v);
	(void)snprintf(label, 40, "%04d-%02d", y, v);
	return true;
}

static bool
parse_days(const char *text, int64_t *from, int64_t *to, char label[40])
{
	const char *s = text;
	int64_t last;
	int y;

	if (take_date(&s, from)) {
		last = *from;
		if (s[0] == '.' && s[1] == '.') {
			s += 2;
			if (!take_date(&s, &last))
				return false;
		}
		(void)snprintf(label, 40, "%.30s", text);
		*to = last + 1;
		return *s == '\0' && last >= *from;
	}
	s = text;
	y = take_digits(&s, 4);
	return y >= 1900 && take_rest(s, y, from, to, label);
}

sat_rc
sat_period_parse(sat_period *p, const char *text, int tz_min, sat_err *e)
{
	int64_t from, to, zone = (int64_t)tz_min * 60000;

	memset(p, 0, sizeof *p);
	if (strcmp(text, "all") == 0) {
		p->from_ms = INT64_MIN;
		p->to_ms = INT64_MAX;
		p->all = true;
		(void)snprintf(p->label, sizeof p->label, "all");
		return SAT_OK;
	}
	if (!parse_days(text, &from, &to, p->label)) {
		memset(p, 0, sizeof *p);
		return sat_fail_code(e, SAT_EUSAGE, "report.period",
		    "2026-11, 2026-Q4, 2026, 2026-W18, 2026-11-21, "
		    "2026-01-01..2026-06-30 or all", "not a period");
	}
	p->from_ms = from * DAY_MS - zone;
	p->to_ms = to * DAY_MS - zone;
	return SAT_OK;
}

bool
sat_period_has(const sat_period *p, int64_t ms)
{
	return p->all || (ms >= p->from_ms && ms < p->to_ms);
}

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

	if (t->aggs[m] == SAT_AGG_RATIO) {
		if (a->den[m] == 0 || b->den[m] == 0)
			return (a->den[m] == 0) - (b->den[m] == 0);
		x *= b->den[m];
		y *= a->den[m];
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
		if (t->aggs[m] == SAT_AGG_DISTINCT)
			continue;
		t->total.n[m] = t->total.den[m] = 0;
		for (size_t i = 0; i < t->names.n; i++) {
			add(&t->total.n[m], t->groups[i].n[m]);
			add(&t->total.den[m], t->groups[i].den[m]);
		}
	}
}

void
sat_tally_finish(sat_tally *t, int sort_measure, bool rank)
{
	size_t n = t->names.n;

	assert(sort_measure < (int)t->nmeasures);
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

/* ---- printing -------------------------------------------------------------------- */

/* Hundredths -> "-12.34". 128 bits: num x 10000 must not wrap. */
static void
hundredths_text(char out[32], bool minus, unsigned __int128 v)
{
	char digits[32];
	size_t n = 0;

	do {
		digits[n++] = (char)('0' + (int)(v % 10));
		v /= 10;
	} while (v > 0 || n < 3);
	if (minus)
		*out++ = '-';
	while (n > 0) {
		if (n == 2)
			*out++ = '.';
		*out++ = digits[--n];
	}
	*out = '\0';
}

static unsigned __int128
magnitude(int64_t v)
{
	return v < 0 ? (unsigned __int128)0 - (unsigned __int128)(__int128)v :
	    (unsigned __int128)v;
}

void
sat_ratio_text(char out[32], int64_t num, int64_t den, bool percent)
{
	unsigned __int128 scaled, d = magnitude(den);

	if (den == 0) {
		(void)snprintf(out, 32, "—");
		return;
	}
	scaled = magnitude(num) * (percent ? 10000u : 100u);
	scaled = (2 * scaled + d) / (2 * d); /* half-up, away from zero */
	hundredths_text(out, scaled > 0 && (num < 0) != (den < 0), scaled);
}

void
sat_money_text(char out[32], int64_t fen)
{
	hundredths_text(out, fen < 0, magnitude(fen));
}
