/*
 * A value picked from another sheet: who sold most to this customer owns it.
 * The sheet is read once; what stays in memory is one sum per distinct pair of
 * (key, candidate), and then one choice per key.
 */
#include "client/crm/import_int.h"

#include <stdlib.h>
#include <string.h>

#define PAIRS_MAX 1000000
#define SUM_SCALE 10000 /* four decimals */

typedef struct pair {
	sat_span key, pick;
	int64_t sum;
} pair;

typedef struct imp_picks {
	pair *pairs;      /* by key and pick; after loading: best per key */
	uint32_t *slots;  /* index + 1 */
	size_t n, cap, nslots;
	sat_arena mem;
} imp_picks;

static uint64_t
hash_of(sat_span a, sat_span b)
{
	uint64_t h = 14695981039346656037u;

	for (size_t i = 0; i < a.n; i++)
		h = (h ^ a.p[i]) * 1099511628211u;
	h = (h ^ 0xff) * 1099511628211u; /* no text holds this byte */
	for (size_t i = 0; i < b.n; i++)
		h = (h ^ b.p[i]) * 1099511628211u;
	return h ^ (h >> 29);
}

static size_t
slot_of(const imp_picks *p, sat_span key, sat_span pick)
{
	size_t at = (size_t)hash_of(key, pick) & (p->nslots - 1);

	while (p->slots[at] != 0) {
		const pair *x = &p->pairs[p->slots[at] - 1];

		if (sat_span_eq(x->key, key) && sat_span_eq(x->pick, pick))
			break;
		at = (at + 1) & (p->nslots - 1);
	}
	return at;
}

static void
grow(imp_picks *p)
{
	p->cap = p->cap > 0 ? p->cap * 2 : 256;
	p->pairs = sat_xrealloc(p->pairs, p->cap * sizeof *p->pairs);
	free(p->slots);
	p->nslots = p->cap * 2;
	p->slots = sat_xcalloc(p->nslots, sizeof *p->slots);
	for (size_t i = 0; i < p->n; i++)
		p->slots[slot_of(p, p->pairs[i].key, p->pairs[i].pick)] =
		    (uint32_t)i + 1;
}

static sat_span
keep(imp_picks *p, sat_span s)
{
	return sat_span_of(s.n > 0 ? sat_arena_dup(&p->mem, s.p, s.n) : NULL,
	    s.n);
}

static pair *
put(imp_picks *p, sat_span key, sat_span pick)
{
	size_t at;

	if (p->n == p->cap)
		grow(p);
	at = slot_of(p, key, pick);
	if (p->slots[at] == 0) {
		p->pairs[p->n] = (pair){ keep(p, key), keep(p, pick), 0 };
		p->slots[at] = (uint32_t)++p->n;
	}
	return &p->pairs[p->slots[at] - 1];
}

/* "1,054.50" -> 10545000; what is no number adds nothing. */
static int64_t
number_of(sat_span s)
{
	int64_t v = 0, scale = 0;
	bool minus = s.n > 0 && s.p[0] == '-';

	for (size_t i = minus; i < s.n; i++) {
		if (s.p[i] == ',')
			continue;
		if (s.p[i] == '.' && scale == 0) {
			scale = SUM_SCALE;
			continue;
		}
		if (s.p[i] < '0' || s.p[i] > '9' ||
		    v > INT64_MAX / (100 * SUM_SCALE))
			return 0;
		if (scale == 1)
			continue; /* beyond the fourth decimal */
		v = v * 10 + (s.p[i] - '0');
		if (scale > 1)
			scale /= 10;
	}
	v *= scale == 0 ? SUM_SCALE : scale;
	return minus ? -v : v;
}

/* ---- the other sheet ------------------------------------------------------------ */

typedef struct other {
	sat_sheet *sheet;
	size_t theirs[IMP_MATCH_MAX], pick, sum;
	size_t where[IMP_LIST_MAX];
} other;

static sat_rc
column_of(size_t *at, const imp_derive *d, const sat_sheet *sheet,
    const char *name, sat_err *e)
{
	for (*at = 0; *at < sat_sheet_columns(sheet); (*at)++)
		if (strcmp(sat_sheet_column(sheet, *at), name) == 0)
			return SAT_OK;
	return sat_fail_code(e, SAT_EINVALID, "import.column", NULL,
	    "derive of %s: %.80s has no column '%.80s'", d->field->key, d->file,
	    name);
}

static sat_rc
find_columns(other *s, const imp_derive *d, sat_err *e)
{
	sat_rc rc = SAT_OK;

	s->sum = IMP_NONE;
	for (size_t i = 0; i < d->nmatch && rc == SAT_OK; i++)
		rc = column_of(&s->theirs[i], d, s->sheet, d->theirs[i], e);
	if (rc == SAT_OK)
		rc = column_of(&s->pick, d, s->sheet, d->pick, e);
	if (rc == SAT_OK && d->sum != NULL)
		rc = column_of(&s->sum, d, s->sheet, d->sum, e);
	for (size_t i = 0; i < d->nwhere && rc == SAT_OK; i++)
		rc = i < IMP_LIST_MAX ?
		    column_of(&s->where[i], d, s->sheet, d->where[i].name, e) :
		    sat_fail(e, SAT_EINVALID, "derive: too many conditions");
	return rc;
}

static sat_span
cell(const sat_sheet_row *row, size_t at)
{
	return at < row->n ? imp_trim(row->fields[at]) :
	    sat_span_of(NULL, 0);
}

static void
key_add(sat_buf *b, sat_span s)
{
	sat_write_uint(b, s.n);
	sat_buf_add(b, s.p, s.n);
}

static void
add_row(imp_picks *p, const imp_derive *d, const other *s,
    const sat_sheet_row *row, sat_buf *key)
{
	sat_span pick = cell(row, s->pick);
	pair *x;

	for (size_t i = 0; i < d->nwhere; i++)
		if (!imp_cond_holds(&d->where[i], cell(row, s->where[i])))
			return;
	if (pick.n == 0)
		return;
	sat_buf_reset(key);
	for (size_t i = 0; i < d->nmatch; i++)
		key_add(key, cell(row, s->theirs[i]));
	x = put(p, sat_buf_span(key), pick);
	x->sum += s->sum == IMP_NONE ? SUM_SCALE :
	    number_of(cell(row, s->sum));
}

/* Largest total first, then the smallest text. */
static bool
better(const pair *a, const pair *b)
{
	return a->sum != b->sum ? a->sum > b->sum :
	    sat_span_cmp(a->pick, b->pick) < 0;
}

/* One entry per key, found with an empty pick. */
static void
keep_best(imp_picks *p)
{
	imp_picks best = { 0 };

	for (size_t i = 0; i < p->n; i++) {
		static const sat_span none;
		size_t before = best.n;
		pair *x = put(&best, p->pairs[i].key, none);

		if (best.n > before || better(&p->pairs[i],
		    &p->pairs[x->sum])) /* sum: index of the best so far */
			x->sum = (int64_t)i;
	}
	for (size_t i = 0; i < best.n; i++)
		best.pairs[i].pick =
		    keep(&best, p->pairs[best.pairs[i].sum].pick);
	free(p->pairs);
	free(p->slots);
	sat_arena_fini(&p->mem);
	*p = best;
}

static sat_rc
read_sheet(imp_picks *p, const imp_derive *d, const other *s, sat_err *e)
{
	const sat_sheet_row *row;
	sat_buf key = { 0 };
	sat_rc rc;

	while ((rc = sat_sheet_next(&row, s->sheet, e)) == SAT_OK && row != NULL) {
		if (row->fault != NULL)
			rc = sat_fail_code(e, SAT_EINVALID, "import.derive",
			    NULL, "derive of %s: %.80s line %llu: %s",
			    d->field->key, d->file,
			    (unsigned long long)row->line, row->fault);
		else
			add_row(p, d, s, row, &key);
		if (rc == SAT_OK && p->n > PAIRS_MAX)
			rc = sat_fail_code(e, SAT_EINVALID, "import.derive",
			    NULL, "derive of %s: too many different values",
			    d->field->key);
		if (rc != SAT_OK)
			break;
	}
	sat_buf_fini(&key);
	return rc;
}

sat_rc
imp_derive_load(imp_derive *d, const sat_import_opts *o, sat_err *e)
{
	other s = { .sheet = NULL };
	sat_rc rc;

	if (o->open_sheet == NULL)
		return sat_fail(e, SAT_EINVALID,
		    "derive: other sheets cannot be opened here");
	d->picks = sat_xcalloc(1, sizeof *d->picks);
	if ((rc = o->open_sheet(o->u, d->file, &s.sheet, e)) == SAT_OK &&
	    (rc = find_columns(&s, d, e)) == SAT_OK &&
	    (rc = read_sheet(d->picks, d, &s, e)) == SAT_OK)
		keep_best(d->picks);
	sat_sheet_close(s.sheet);
	return rc;
}

void
imp_derive_fini(imp_derive *d)
{
	if (d->picks == NULL)
		return;
	free(d->picks->pairs);
	free(d->picks->slots);
	sat_arena_fini(&d->picks->mem);
	free(d->picks);
	d->picks = NULL;
}

/* The slots hold the index of (key, no pick): see keep_best. */
bool
imp_derive_get(sat_span *pick, const imp_derive *d, const sat_span *text)
{
	const imp_picks *p = d->picks;
	sat_buf key = { 0 };
	size_t at;

	if (p->n == 0)
		return false;
	for (size_t i = 0; i < d->nmatch; i++)
		key_add(&key, text[d->match[i]]);
	at = (size_t)hash_of(sat_buf_span(&key), sat_span_of(NULL, 0)) &
	    (p->nslots - 1);
	while (p->slots[at] != 0 &&
	    !sat_span_eq(p->pairs[p->slots[at] - 1].key, sat_buf_span(&key)))
		at = (at + 1) & (p->nslots - 1);
	sat_buf_fini(&key);
	if (p->slots[at] == 0)
		return false;
	*pick = p->pairs[p->slots[at] - 1].pick;
	return true;
}
