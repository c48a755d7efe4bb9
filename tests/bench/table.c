/*
 * table.c - the rows of DATA.
 *
 * The first line names the columns. Names of ours are taken as they are; in a
 * file from elsewhere a column finds its place by what it holds: dates are
 * dates, the amount is the column named so or else the one of decimal numbers,
 * the rest are the texts in their order. An id that is no record id of ours
 * (26 characters of base32) is hashed to one.
 */
#include "tests/bench/bench.h"

#include <ctype.h>
#include <sys/stat.h>

#include "common/crypto/crypto.h"

#define COLUMNS_MAX 64

const char *const bench_fields[BENCH_FIELDS] = { "name", "contact", "phone",
	"email", "province", "city", "address", "industry", "source", "grade",
	"remark", "amount", "created_on", "visited_on", "follow_on" };

typedef struct tsv {
	char *bytes, *at;
	char *cell[COLUMNS_MAX];
	size_t n;
} tsv;

static bool
tsv_open(tsv *t, const char *dir, const char *what, size_t n)
{
	char *path = sat_xasprintf("%s/%s-%zu.tsv", dir, what, n);
	FILE *f = fopen(path, "re");
	struct stat st;
	size_t got;

	*t = (tsv){ 0 };
	free(path);
	if (f == NULL)
		return false;
	if (fstat(fileno(f), &st) != 0)
		bench_die("cannot read %s", what);
	t->bytes = t->at = sat_xmalloc((size_t)st.st_size + 1);
	got = fread(t->bytes, 1, (size_t)st.st_size, f);
	t->bytes[got] = '\0';
	(void)fclose(f);
	return true;
}

/* The next line's cells; false at the end. */
static bool
tsv_next(tsv *t)
{
	char *p = t->at;

	t->n = 0;
	if (*p == '\0')
		return false;
	t->cell[t->n++] = p;
	for (; *p != '\0' && *p != '\n'; p++)
		if (*p == '\t') {
			*p = '\0';
			if (t->n < COLUMNS_MAX)
				t->cell[t->n++] = p + 1;
		}
	if (p > t->at && p[-1] == '\r')
		p[-1] = '\0';
	if (*p == '\n')
		*p++ = '\0';
	t->at = p;
	return true;
}

/* ---- which column is what ------------------------------------------------- */

static bool
is_date(const char *s)
{
	return strlen(s) >= 8 && isdigit((unsigned char)s[0]) &&
	    isdigit((unsigned char)s[3]) && (s[4] == '-' || s[4] == '/');
}

static bool
is_decimal(const char *s)
{
	size_t digits = 0, points = 0;

	for (s += *s == '-'; *s != '\0'; s++) {
		if (*s != '.' && !isdigit((unsigned char)*s))
			return false;
		*(*s == '.' ? &points : &digits) += 1;
	}
	return digits > 0 && points == 1;
}

static bool
named(const char *name, const char *const *hints)
{
	for (; *hints != NULL; hints++)
		if (strstr(name, *hints) != NULL)
			return true;
	return false;
}

typedef struct layout {
	char *name[COLUMNS_MAX];
	int place[COLUMNS_MAX]; /* field of a column; -1 = id, -2 = unused */
	size_t n;
} layout;

static bool
all_known(const layout *l)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->place[i] == -2)
			return false;
	return true;
}

/* By the first row: dates, then the amount, then texts in their order. */
static void
place_by_content(layout *l, const tsv *row)
{
	static const char *const sums[] = { "amount", "amt", "money", "price",
		"revenue", "金额", NULL };
	int text = 0, date = BENCH_AMOUNT + 1, amount = -1;

	for (size_t i = 1; i < l->n && amount < 0; i++)
		if (named(l->name[i], sums))
			amount = (int)i;
	for (size_t i = 1; i < l->n && amount < 0; i++)
		if (is_decimal(row->cell[i]))
			amount = (int)i;
	l->place[0] = -1;
	for (size_t i = 1; i < l->n; i++) {
		if ((int)i == amount)
			l->place[i] = BENCH_AMOUNT;
		else if (is_date(row->cell[i]) && date < BENCH_FIELDS)
			l->place[i] = date++;
		else if (text < BENCH_AMOUNT)
			l->place[i] = text++;
		else
			l->place[i] = -2;
	}
}

static void
read_layout(layout *l, const tsv *head)
{
	l->n = head->n;
	for (size_t i = 0; i < head->n; i++) {
		l->name[i] = head->cell[i];
		l->place[i] = i == 0 ? -1 : -2;
		for (int f = 0; i > 0 && f < BENCH_FIELDS; f++)
			if (strcmp(head->cell[i], bench_fields[f]) == 0)
				l->place[i] = f;
	}
}

static sat_id
id_of(const char *s)
{
	uint8_t hash[SAT_HASH_BYTES];
	sat_id id;

	if (strlen(s) == 26 && sat_id_parse(&id, s))
		return id;
	sat_hash(hash, sat_span_str(s));
	memcpy(id.b, hash, sizeof id.b);
	return id;
}

/* Numbers that stand for instants are written as such. */
static const char *
cell_text(bench_data *d, int field, const char *s)
{
	char when[32];
	int64_t ms;

	if (field <= BENCH_AMOUNT || s[0] == '\0' ||
	    strspn(s, "0123456789") != strlen(s))
		return sat_arena_str(&d->mem, s, strlen(s));
	ms = strtoll(s, NULL, 10);
	sat_time_rfc3339(when, strlen(s) > 11 ? ms : ms * 1000);
	return sat_arena_str(&d->mem, when, strlen(when));
}

static void
read_row(bench_data *d, const layout *l, const tsv *t, size_t row)
{
	const char **cells = d->cells + row * BENCH_FIELDS;

	for (size_t f = 0; f < BENCH_FIELDS; f++)
		cells[f] = "";
	for (size_t i = 0; i < t->n && i < l->n; i++)
		if (l->place[i] >= 0)
			cells[l->place[i]] = cell_text(d, l->place[i],
			    t->cell[i]);
	d->id[row] = id_of(t->cell[0]);
	sat_id_text(d->id_text[row], &d->id[row]);
}

/* ---- edits --------------------------------------------------------------------- */

typedef struct row_index {
	size_t *slot; /* row + 1; 0 = empty */
	size_t mask;
} row_index;

static size_t
slot_of(const row_index *x, const sat_id *id)
{
	uint64_t h;

	memcpy(&h, id->b + 8, 8);
	return (size_t)(h * 0x9e3779b97f4a7c15ull >> 20) & x->mask;
}

static void
index_rows(row_index *x, const bench_data *d)
{
	x->mask = 255;
	while (x->mask < d->n * 2)
		x->mask = x->mask * 2 + 1;
	x->slot = sat_xcalloc(x->mask + 1, sizeof *x->slot);
	for (size_t i = 0; i < d->n; i++) {
		size_t s = slot_of(x, &d->id[i]);

		while (x->slot[s] != 0)
			s = (s + 1) & x->mask;
		x->slot[s] = i + 1;
	}
}

static size_t
find_row(const row_index *x, const bench_data *d, const sat_id *id)
{
	size_t s = slot_of(x, id);

	while (x->slot[s] != 0 && !sat_id_eq(&d->id[x->slot[s] - 1], id))
		s = (s + 1) & x->mask;
	return x->slot[s];
}

/* A field by the name of its column, or by its number from 1. */
static int
field_of(const layout *l, const char *s)
{
	for (size_t i = 0; i < l->n; i++)
		if (strcmp(l->name[i], s) == 0)
			return l->place[i];
	if (strspn(s, "0123456789") == strlen(s) && s[0] != '\0') {
		unsigned long k = strtoul(s, NULL, 10);

		return k < l->n ? l->place[k] : -2;
	}
	return -2;
}

static bench_edit *
read_edits(size_t *n, bench_data *d, const char *dir, const char *what,
    const layout *l, const row_index *x)
{
	bench_edit *list = NULL;
	size_t cap = 0;
	tsv t;

	*n = 0;
	if (!tsv_open(&t, dir, what, d->n))
		return NULL;
	while (tsv_next(&t)) {
		sat_id id = id_of(t.cell[0]);
		size_t row = t.n >= 3 ? find_row(x, d, &id) : 0;
		int f = row != 0 ? field_of(l, t.cell[1]) : -2;

		if (row == 0 || f < 0)
			continue; /* the line that names the columns */
		if (*n == cap) {
			cap = cap * 2 + 1024;
			list = sat_xrealloc(list, cap * sizeof *list);
		}
		list[(*n)++] = (bench_edit){ id, row - 1, bench_fields[f],
			cell_text(d, f, t.cell[2]) };
	}
	free(t.bytes);
	return list;
}

void
bench_read(bench_data *d, const char *dir, size_t n)
{
	row_index x;
	layout l = { 0 };
	tsv t;
	bool more;

	*d = (bench_data){ .n = 0 };
	if (!tsv_open(&t, dir, "customers", n) || !tsv_next(&t))
		bench_die("no customers-%zu.tsv in %s (satchel-bench gen %s "
		    "%zu)", n, dir, dir, n);
	read_layout(&l, &t);
	d->id = sat_xcalloc(n, sizeof *d->id);
	d->id_text = sat_xcalloc(n, sizeof *d->id_text);
	d->cells = sat_xcalloc(n * BENCH_FIELDS, sizeof *d->cells);
	/* without a head the first line is a row */
	more = (strlen(t.cell[0]) == 26) || tsv_next(&t);
	if (more && !all_known(&l))
		place_by_content(&l, &t);
	for (; more && d->n < n; more = tsv_next(&t))
		read_row(d, &l, &t, d->n++);
	if (d->n != n)
		bench_die("customers-%zu.tsv has %zu rows", n, d->n);
	index_rows(&x, d);
	d->edits = read_edits(&d->nedits, d, dir, "edits", &l, &x);
	d->edits2 = read_edits(&d->nedits2, d, dir, "edits2", &l, &x);
	free(x.slot);
	free(t.bytes);
}

void
bench_data_fini(bench_data *d)
{
	free(d->id);
	free(d->id_text);
	free(d->cells);
	free(d->edits);
	free(d->edits2);
	sat_arena_fini(&d->mem);
	*d = (bench_data){ .n = 0 };
}

void
bench_values_of(bench_values *v, const bench_data *d, const sat_template *t)
{
	const sat_kind *k = sat_template_kind(t, BENCH_KIND);
	const sat_field *f[BENCH_FIELDS];
	sat_err err = { 0 };

	*v = (bench_values){ .v = NULL };
	v->v = sat_xcalloc(d->n * BENCH_FIELDS, sizeof *v->v);
	for (size_t i = 0; i < BENCH_FIELDS; i++)
		if ((f[i] = sat_kind_field(k, bench_fields[i])) == NULL)
			bench_die("the template has no field %s",
			    bench_fields[i]);
	for (size_t i = 0; i < d->n * BENCH_FIELDS; i++)
		bench_must(sat_field_parse(&v->v[i], &v->mem, t,
		    f[i % BENCH_FIELDS], sat_span_str(d->cells[i]), &err));
}
