/*
 * xlsx_cells.c - the sheet's XML into queued rows: positions, kinds of cells,
 * numbers as they are shown.
 */
#include "common/sheet/xlsx_in.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char error_value[] = "a cell holds an error value";
static const char long_cell[] = "a cell is longer than 65536 bytes";
const char xlsx_many_cells[] = "more cells than the header has columns";

/* ---- cells -------------------------------------------------------------------------------------- */

/* "BC12" -> 54; SIZE_MAX when it is no reference. */
static size_t
column_of(const char *ref)
{
	size_t c = 0;
	const char *p = ref;

	for (; *p >= 'A' && *p <= 'Z'; p++)
		if ((c = c * 26 + (size_t)(*p - 'A' + 1)) > 20000)
			return SIZE_MAX;
	return p == ref ? SIZE_MAX : c - 1;
}

/* Days since 1899-12-30 (with Lotus's 1900-02-29 before March 1900), or since
 * 1904-01-01. */
static void
date_text(sat_buf *out, double serial, bool since_1904, uint8_t what)
{
	int64_t s = (int64_t)floor(serial * 86400 + 0.5);
	int64_t day = s / 86400, sec = s % 86400;
	int64_t z, era, doe, yoe, doy, mp, d, m, y;

	if (since_1904)
		day += 1462;
	else if (day < 60)
		day++; /* the 29th of February 1900 never was */
	z = day - 25569 + 719468; /* to 0000-03-01 */
	era = z / 146097;
	doe = z - era * 146097;
	yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	mp = (5 * doy + 2) / 153;
	d = doy - (153 * mp + 2) / 5 + 1;
	m = mp < 10 ? mp + 3 : mp - 9;
	y = yoe + era * 400 + (m <= 2);
	if (what != 2)
		sat_buf_fmt(out, "%04lld-%02lld-%02lld", (long long)y,
		    (long long)m, (long long)d);
	if (what == 3 || (what == 1 && sec != 0))
		sat_buf_str(out, "T");
	if (what != 1 || sec != 0)
		sat_buf_fmt(out, "%02lld:%02lld", (long long)(sec / 3600),
		    (long long)(sec / 60 % 60));
	if ((what != 1 || sec != 0) && sec % 60 != 0)
		sat_buf_fmt(out, ":%02lld", (long long)(sec % 60));
}

static void
number_text(sat_buf *out, double v)
{
	double r = nearbyint(v);

	/* 0.1 + 0.2 is stored as 0.30000000000000004 and shown as 0.3 */
	if (fabs(v) < 1e15 && fabs(v - r) <= 1e-9 * fmax(1, fabs(v)) * 1e-3)
		sat_buf_fmt(out, "%.0f", r);
	else
		sat_buf_fmt(out, "%.15g", v);
}

static void
put_number(xlsx *x, const char *s)
{
	uint8_t what = x->cell_style < x->nstyles ? x->style[x->cell_style] : 0;
	char *end;
	double v = strtod(s, &end);

	if (end == s || *end != '\0' || !isfinite(v))
		sat_buf_str(&x->text, s); /* ISO dates (t="d") and oddities */
	else if (what != 0 && v >= 0 && v < 2958466)
		date_text(&x->text, v, x->since_1904, what);
	else
		number_text(&x->text, v);
}

static void
put_shared(xlsx *x, const char *s)
{
	char *end;
	unsigned long i = strtoul(s, &end, 10);
	size_t n;

	if (*s == '\0' || *end != '\0' || i >= x->nshared) {
		x->fault = "a cell names a text the book does not have";
		return;
	}
	n = x->shared_at[i + 1] - x->shared_at[i];
	if (n > SAT_CSV_FIELD_MAX) /* not copied: it is named as often as one likes */
		x->fault = long_cell;
	else if (n > 0)
		sat_buf_add(&x->text, x->shared.p + x->shared_at[i], n);
}

int
sat_xlsx_escape(const uint8_t *p, size_t n)
{
	int v = 0;

	if (n < 7 || p[0] != '_' || p[1] != 'x' || p[6] != '_')
		return -1;
	for (int i = 2; i < 6; i++) {
		int c = p[i] | 0x20;

		if (p[i] >= '0' && p[i] <= '9')
			v = v * 16 + p[i] - '0';
		else if (c >= 'a' && c <= 'f')
			v = v * 16 + c - 'a' + 10;
		else
			return -1;
	}
	return v;
}

/* UTF-8 of a character of two bytes; what is no text is a space. */
static size_t
put_char(uint8_t *p, int v)
{
	if ((v < ' ' && v != '\t' && v != '\n' && v != '\r') || v == 0x7f ||
	    (v >= 0xd800 && v < 0xe000) || v >= 0xfffe)
		v = ' ';
	if (v < 0x80) {
		p[0] = (uint8_t)v;
		return 1;
	}
	if (v < 0x800) {
		p[0] = (uint8_t)(0xc0 | v >> 6);
		p[1] = (uint8_t)(0x80 | (v & 0x3f));
		return 2;
	}
	p[0] = (uint8_t)(0xe0 | v >> 12);
	p[1] = (uint8_t)(0x80 | (v >> 6 & 0x3f));
	p[2] = (uint8_t)(0x80 | (v & 0x3f));
	return 3;
}

/* What XML cannot hold stands as _xHHHH_ in a text (§22.9.2.19): CR mostly, and
 * the first _ of a text that looks so itself. */
static void
undo_escapes(sat_buf *b, size_t at)
{
	size_t to = at;

	for (size_t i = at; i < b->n; i++) {
		int v = sat_xlsx_escape(b->p + i, b->n - i);

		if (v < 0) {
			b->p[to++] = b->p[i];
		} else {
			to += put_char(b->p + to, v);
			i += 6;
		}
	}
	b->n = to;
}

static void
cell_add(xlsx *x, size_t at, size_t n)
{
	if (x->nspans == x->spans_cap) {
		x->spans_cap = x->spans_cap == 0 ? 1024 : x->spans_cap * 2;
		x->spans = sat_xrealloc(x->spans,
		    x->spans_cap * sizeof *x->spans);
	}
	x->spans[x->nspans].at = at;
	x->spans[x->nspans++].n = n;
	x->ncells++;
}

static void
cell_end(xlsx *x)
{
	const char *v = sat_buf_cstr(&x->value);
	size_t at;

	x->in_cell = false;
	if (x->column >= SAT_CSV_COLUMNS_MAX || x->column < x->ncells) {
		if (x->value.n > 0 && x->fault == NULL)
			x->fault = xlsx_many_cells;
		return;
	}
	while (x->ncells < x->column) /* X1 */
		cell_add(x, x->text.n, 0);
	at = x->text.n;
	if (x->value.n > SAT_CSV_FIELD_MAX)
		x->fault = long_cell;
	else if (x->type == T_SHARED && x->value.n > 0)
		put_shared(x, v);
	else if (x->type == T_NUMBER && x->value.n > 0)
		put_number(x, v);
	else if (x->type == T_BOOL && x->value.n > 0)
		sat_buf_str(&x->text, v[0] == '1' ? "true" : "false");
	else if (x->type == T_ERROR)
		x->fault = error_value;
	else
		sat_buf_add(&x->text, x->value.p, x->value.n);
	if (x->type == T_SHARED || x->type == T_TEXT)
		undo_escapes(&x->text, at);
	if (x->text.n - at > SAT_CSV_FIELD_MAX) {
		x->fault = long_cell;
		x->text.n = at;
	}
	cell_add(x, at, x->text.n - at);
}

static void
cell_start(xlsx *x, const char **a)
{
	const char *r = xlsx_attr(a, "r"), *t = xlsx_attr(a, "t");

	x->in_cell = true;
	x->column = r != NULL ? column_of(r) : x->ncells;
	x->cell_style = xlsx_number_of(xlsx_attr(a, "s"));
	x->type = t == NULL || strcmp(t, "n") == 0 || strcmp(t, "d") == 0
	    ? T_NUMBER : strcmp(t, "s") == 0 ? T_SHARED
	    : strcmp(t, "b") == 0 ? T_BOOL : strcmp(t, "e") == 0 ? T_ERROR
	    : T_TEXT;
	sat_buf_reset(&x->value);
}

static void
row_end(xlsx *x)
{
	queued *q;

	x->in_row = false;
	if (x->nrows == x->rows_cap) {
		x->rows_cap = x->rows_cap == 0 ? 64 : x->rows_cap * 2;
		x->rows = sat_xrealloc(x->rows, x->rows_cap * sizeof *x->rows);
	}
	q = &x->rows[x->nrows++];
	*q = (queued){ x->line, x->row_from, x->ncells, x->fault };
}

void XMLCALL
xlsx_sheet_start(void *u, const char *name, const char **a)
{
	xlsx *x = u;

	if (!xlsx_deeper(x))
		return;
	name = xlsx_local(name);
	if (strcmp(name, "row") == 0) {
		const char *r = xlsx_attr(a, "r");

		x->line = r != NULL ? strtoull(r, NULL, 10) : x->last_line + 1;
		x->last_line = x->line;
		x->in_row = true;
		x->ncells = 0;
		x->row_from = x->nspans;
		x->fault = NULL;
	} else if (x->in_row && strcmp(name, "c") == 0) {
		cell_start(x, a);
	} else if (x->in_cell && strcmp(name, "v") == 0) {
		x->in_value = true;
	} else if (x->in_cell && strcmp(name, "is") == 0) {
		x->in_inline = true;
	} else if (x->in_inline && strcmp(name, "rPh") == 0) {
		x->phonetic = true;
	} else if (x->in_inline && strcmp(name, "t") == 0) {
		x->in_text = !x->phonetic;
	}
}

void XMLCALL
xlsx_sheet_end(void *u, const char *name)
{
	xlsx *x = u;

	x->depth--;
	name = xlsx_local(name);
	if (strcmp(name, "v") == 0)
		x->in_value = false;
	else if (strcmp(name, "t") == 0)
		x->in_text = false;
	else if (strcmp(name, "rPh") == 0)
		x->phonetic = false;
	else if (strcmp(name, "is") == 0)
		x->in_inline = false;
	else if (strcmp(name, "c") == 0 && x->in_cell)
		cell_end(x);
	else if (strcmp(name, "row") == 0 && x->in_row)
		row_end(x);
}

void XMLCALL
xlsx_sheet_text(void *u, const char *s, int n)
{
	xlsx *x = u;

	if ((x->in_value || x->in_text) &&
	    x->value.n <= SAT_CSV_FIELD_MAX)
		sat_buf_add(&x->value, s, (size_t)n);
}
