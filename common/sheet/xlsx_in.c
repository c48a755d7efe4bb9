/*
 * xlsx_in.c - rows out of a book (ECMA-376 part 1, §18). expat does the XML:
 * pieces of a part go in, finished rows come out of the callbacks and wait in
 * a queue until they are asked for.
 *
 * Invariants, named in the tests:
 *   X1  a row's cells stand in the columns their references name, whatever
 *       is left out between them.
 *   X2  what is handed out is valid UTF-8 and at most SAT_CSV_FIELD_MAX long.
 *   X3  a document type, deep nesting or a part too large ends the reading
 *       with an error: entities are never expanded.
 */
#include "common/sheet/sheet_int.h"

#include "common/base/mem.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <expat.h>

#define PIECE 16384
#define DEPTH_MAX 64
#define STYLES_MAX 65536

typedef enum cell_type { T_NUMBER, T_SHARED, T_TEXT, T_BOOL, T_ERROR } cell_type;

typedef struct queued { /* cells' ends in `text` of the row */
	uint64_t line;
	size_t from, n; /* into xlsx.spans */
	const char *fault;
} queued;

struct xlsx {
	xlsx_zip *zip;
	XML_Parser parser;
	/* the book */
	bool since_1904;
	char target[256];       /* part of the wanted sheet */
	unsigned want, seen_sheets;
	char rid[64];
	/* shared texts: offsets into `shared` */
	sat_buf shared;
	size_t *shared_at, nshared, shared_cap;
	/* cell formats that show a date or time: bit 0 date, bit 1 time */
	uint8_t *style;
	size_t nstyles;
	struct { unsigned id; uint8_t what; } custom[1024];
	size_t ncustom;
	/* where the parser is */
	int depth;
	bool in_text, in_value, in_inline, in_cell_formats, phonetic, stop_doctype,
	    too_deep;
	/* the row and the cell at hand */
	sat_buf text;           /* of all queued rows */
	struct { size_t at, n; } *spans; /* of all cells of queued rows */
	size_t nspans, spans_cap;
	queued *rows;
	size_t nrows, rows_cap, next_row;
	uint64_t line, last_line;
	size_t column, ncells;  /* of the row */
	size_t row_from;
	const char *fault;
	cell_type type;
	unsigned cell_style;
	sat_buf value;
	bool in_row, in_cell;
	/* the header */
	char **columns;
	size_t ncolumns;
	uint64_t number, size, done;
	bool end;
	sat_span fields[SAT_CSV_COLUMNS_MAX];
	sat_sheet_row row;
};

static const char error_value[] = "a cell holds an error value";
static const char long_cell[] = "a cell is longer than 65536 bytes";
static const char many_cells[] = "more cells than the header has columns";

/* ---- XML in general --------------------------------------------------------------- */

static const char *
local(const char *name)
{
	const char *colon = strrchr(name, ':');

	return colon != NULL ? colon + 1 : name;
}

static const char *
attr(const char **a, const char *name)
{
	for (; a[0] != NULL; a += 2)
		if (strcmp(a[0], name) == 0)
			return a[1];
	return NULL;
}

static void XMLCALL
on_doctype(void *u, const char *name, const char *sys, const char *pub, int internal)
{
	xlsx *x = u;

	(void)name, (void)sys, (void)pub, (void)internal;
	x->stop_doctype = true;
	(void)XML_StopParser(x->parser, XML_FALSE);
}

/* One step deeper; false stops (X3). */
static bool
deeper(xlsx *x)
{
	if (++x->depth <= DEPTH_MAX)
		return true;
	x->too_deep = true;
	(void)XML_StopParser(x->parser, XML_FALSE);
	return false;
}

static void
parser_new(xlsx *x, XML_StartElementHandler start, XML_EndElementHandler end,
    XML_CharacterDataHandler text)
{
	if (x->parser != NULL)
		XML_ParserFree(x->parser);
	x->parser = XML_ParserCreate(NULL);
	if (x->parser == NULL)
		abort(); /* as every allocation that fails */
	XML_SetUserData(x->parser, x);
	XML_SetElementHandler(x->parser, start, end);
	XML_SetCharacterDataHandler(x->parser, text);
	XML_SetStartDoctypeDeclHandler(x->parser, on_doctype);
	x->depth = 0;
}

static sat_rc
parse_failed(const xlsx *x, sat_err *e)
{
	if (x->stop_doctype)
		return sat_fail_code(e, SAT_EINVALID, "sheet.refused", NULL,
		    "xlsx: a document type declaration is not accepted");
	if (x->too_deep)
		return sat_fail_code(e, SAT_EINVALID, "sheet.refused", NULL,
		    "xlsx: elements are nested too deep");
	return sat_fail_code(e, SAT_EINVALID, "sheet.broken", NULL,
	    "xlsx: the XML is damaged: %s",
	    XML_ErrorString(XML_GetErrorCode(x->parser)));
}

/* The next piece of the open part; *more false when it was the last. */
static sat_rc
parse_piece(bool *more, xlsx *x, sat_err *e)
{
	void *p = XML_GetBuffer(x->parser, PIECE);
	size_t n;
	sat_rc rc;

	if (p == NULL)
		abort();
	if ((rc = sat_xlsx_part_read(&n, x->zip, p, PIECE, e)) != SAT_OK)
		return rc;
	x->done += n;
	*more = n > 0;
	if (XML_ParseBuffer(x->parser, (int)n, n == 0) != XML_STATUS_OK)
		return parse_failed(x, e);
	return SAT_OK;
}

static sat_rc
parse_part(xlsx *x, const char *name, bool needed, sat_err *e)
{
	uint64_t size;
	bool more = true;
	sat_rc rc = sat_xlsx_part_open(x->zip, name, &size, e);

	if (rc == SAT_ENOTFOUND && !needed)
		return SAT_OK;
	if (rc == SAT_ENOTFOUND)
		return sat_fail_code(e, SAT_EINVALID, "sheet.broken", NULL,
		    "xlsx: the book has no %.80s", name);
	while (rc == SAT_OK && more)
		rc = parse_piece(&more, x, e);
	sat_xlsx_part_close(x->zip);
	return rc;
}

/* ---- the book: which part is the sheet ---------------------------------------------- */

static void XMLCALL
book_start(void *u, const char *name, const char **a)
{
	xlsx *x = u;
	const char *v;

	if (!deeper(x))
		return;
	name = local(name);
	if (strcmp(name, "workbookPr") == 0 &&
	    (v = attr(a, "date1904")) != NULL)
		x->since_1904 = strcmp(v, "1") == 0 || strcmp(v, "true") == 0;
	if (strcmp(name, "sheet") != 0 || ++x->seen_sheets != x->want)
		return;
	for (; a[0] != NULL; a += 2)
		if (strcmp(local(a[0]), "id") == 0 && strchr(a[0], ':') != NULL)
			(void)snprintf(x->rid, sizeof x->rid, "%s", a[1]);
}

static void XMLCALL
rels_start(void *u, const char *name, const char **a)
{
	xlsx *x = u;
	const char *id = attr(a, "Id"), *target = attr(a, "Target");

	if (!deeper(x) || strcmp(local(name), "Relationship") != 0 ||
	    id == NULL || target == NULL || strcmp(id, x->rid) != 0)
		return;
	(void)snprintf(x->target, sizeof x->target, "%s%s",
	    target[0] == '/' ? "" : "xl/", target);
}

static void XMLCALL
any_end(void *u, const char *name)
{
	(void)name;
	((xlsx *)u)->depth--;
}

static sat_rc
read_book(xlsx *x, sat_err *e)
{
	sat_rc rc;

	parser_new(x, book_start, any_end, NULL);
	if ((rc = parse_part(x, "xl/workbook.xml", true, e)) != SAT_OK)
		return rc;
	if (x->rid[0] == '\0')
		return sat_fail_code(e, SAT_EINVALID, "sheet.unknown", NULL,
		    "xlsx: the book has %u sheets, there is no sheet %u",
		    x->seen_sheets, x->want);
	parser_new(x, rels_start, any_end, NULL);
	if ((rc = parse_part(x, "xl/_rels/workbook.xml.rels", true, e)) !=
	    SAT_OK)
		return rc;
	return x->target[0] != '\0' ? SAT_OK
	    : sat_fail_code(e, SAT_EINVALID, "sheet.broken", NULL,
	          "xlsx: the book does not say where its sheet is");
}

/* ---- shared texts ----------------------------------------------------------------------- */

static void XMLCALL
texts_start(void *u, const char *name, const char **a)
{
	xlsx *x = u;

	(void)a;
	if (!deeper(x))
		return;
	name = local(name);
	if (strcmp(name, "si") == 0) {
		if (x->nshared == x->shared_cap) {
			x->shared_cap = x->shared_cap == 0 ? 1024
			                                   : x->shared_cap * 2;
			x->shared_at = sat_xrealloc(x->shared_at,
			    (x->shared_cap + 1) * sizeof *x->shared_at);
		}
		x->shared_at[x->nshared] = x->shared.n;
	} else if (strcmp(name, "rPh") == 0) {
		x->phonetic = true; /* how to read it aloud: not the text */
	} else if (strcmp(name, "t") == 0) {
		x->in_text = !x->phonetic;
	}
}

static void XMLCALL
texts_end(void *u, const char *name)
{
	xlsx *x = u;

	x->depth--;
	name = local(name);
	if (strcmp(name, "t") == 0)
		x->in_text = false;
	else if (strcmp(name, "rPh") == 0)
		x->phonetic = false;
	else if (strcmp(name, "si") == 0)
		x->shared_at[++x->nshared] = x->shared.n;
}

static void XMLCALL
texts_text(void *u, const char *s, int n)
{
	xlsx *x = u;

	if (!x->in_text || x->shared.n + (size_t)n > SAT_XLSX_TEXTS_MAX) {
		if (x->in_text)
			(void)XML_StopParser(x->parser, XML_FALSE);
		return;
	}
	sat_buf_add(&x->shared, s, (size_t)n);
}

/* ---- formats: which numbers are dates ------------------------------------------------------ */

/* A format code outside quotes and brackets: bit 0 has y or d, bit 1 h or s. */
static uint8_t
what_of_code(const char *code)
{
	uint8_t what = 0;

	for (const char *p = code; *p != '\0'; p++) {
		if (*p == '"') {
			for (p++; *p != '\0' && *p != '"'; p++)
				;
			if (*p == '\0')
				break;
		} else if (*p == '[') {
			/* [h]:mm counts hours; [Red], [$-804] are none */
			if (p[1] == 'h' || p[1] == 'H' || p[1] == 's' ||
			    p[1] == 'm')
				what |= 2;
			while (p[1] != '\0' && *p != ']')
				p++;
		} else if (*p == '\\' && p[1] != '\0') {
			p++;
		} else if (strchr("yYdD", *p) != NULL) {
			what |= 1;
		} else if (strchr("hHsS", *p) != NULL) {
			what |= 2;
		}
	}
	return what;
}

static uint8_t
what_of_id(const xlsx *x, unsigned id)
{
	if ((id >= 14 && id <= 17) || (id >= 27 && id <= 31) || id == 36 ||
	    (id >= 50 && id <= 54) || id == 57 || id == 58)
		return 1;
	if ((id >= 18 && id <= 21) || (id >= 32 && id <= 35) ||
	    (id >= 45 && id <= 47) || id == 55 || id == 56)
		return 2;
	if (id == 22)
		return 3;
	for (size_t i = 0; i < x->ncustom; i++)
		if (x->custom[i].id == id)
			return x->custom[i].what;
	return 0;
}

static unsigned
number_of(const char *s)
{
	unsigned long v = s != NULL ? strtoul(s, NULL, 10) : 0;

	return v > STYLES_MAX * 16u ? 0 : (unsigned)v;
}

static void XMLCALL
styles_start(void *u, const char *name, const char **a)
{
	xlsx *x = u;
	const char *code;

	if (!deeper(x))
		return;
	name = local(name);
	if (strcmp(name, "numFmt") == 0 &&
	    (code = attr(a, "formatCode")) != NULL && x->ncustom < 1024) {
		x->custom[x->ncustom].id = number_of(attr(a, "numFmtId"));
		x->custom[x->ncustom++].what = what_of_code(code);
	} else if (strcmp(name, "cellXfs") == 0) {
		x->in_cell_formats = true;
	} else if (x->in_cell_formats && strcmp(name, "xf") == 0 &&
	    x->nstyles < STYLES_MAX) {
		if ((x->nstyles & (x->nstyles - 1)) == 0)
			x->style = sat_xrealloc(x->style,
			    x->nstyles == 0 ? 1 : x->nstyles * 2);
		x->style[x->nstyles++] = what_of_id(x,
		    number_of(attr(a, "numFmtId")));
	}
}

static void XMLCALL
styles_end(void *u, const char *name)
{
	xlsx *x = u;

	x->depth--;
	if (strcmp(local(name), "cellXfs") == 0)
		x->in_cell_formats = false;
}

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

	if (*s == '\0' || *end != '\0' || i >= x->nshared) {
		x->fault = "a cell names a text the book does not have";
		return;
	}
	sat_buf_add(&x->text, x->shared.p + x->shared_at[i],
	    x->shared_at[i + 1] - x->shared_at[i]);
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
			x->fault = many_cells;
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
	if (x->text.n - at > SAT_CSV_FIELD_MAX) {
		x->fault = long_cell;
		x->text.n = at;
	}
	cell_add(x, at, x->text.n - at);
}

static void
cell_start(xlsx *x, const char **a)
{
	const char *r = attr(a, "r"), *t = attr(a, "t");

	x->in_cell = true;
	x->column = r != NULL ? column_of(r) : x->ncells;
	x->cell_style = number_of(attr(a, "s"));
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

static void XMLCALL
sheet_start(void *u, const char *name, const char **a)
{
	xlsx *x = u;

	if (!deeper(x))
		return;
	name = local(name);
	if (strcmp(name, "row") == 0) {
		const char *r = attr(a, "r");

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

static void XMLCALL
sheet_end(void *u, const char *name)
{
	xlsx *x = u;

	x->depth--;
	name = local(name);
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

static void XMLCALL
sheet_text(void *u, const char *s, int n)
{
	xlsx *x = u;

	if ((x->in_value || x->in_text) &&
	    x->value.n <= SAT_CSV_FIELD_MAX)
		sat_buf_add(&x->value, s, (size_t)n);
}

/* ---- rows -------------------------------------------------------------------------------------------- */

/* Forget the rows that were handed out; half a row at the end of the last
 * piece moves to the front. */
static void
rewind_queue(xlsx *x)
{
	size_t from = x->in_row ? x->row_from : x->nspans;
	size_t text = from < x->nspans ? x->spans[from].at : x->text.n;

	x->nrows = x->next_row = 0;
	x->nspans -= from;
	memmove(x->spans, x->spans + from, x->nspans * sizeof *x->spans);
	for (size_t i = 0; i < x->nspans; i++)
		x->spans[i].at -= text;
	if (x->text.n > text)
		memmove(x->text.p, x->text.p + text, x->text.n - text);
	x->text.n -= text;
	x->row_from = 0;
}

/* The next queued row, parsing on as long as there is none; NULL at the end. */
static sat_rc
take(const queued **q, xlsx *x, sat_err *e)
{
	bool more;
	sat_rc rc;

	*q = NULL;
	while (x->next_row == x->nrows) {
		if (x->end)
			return SAT_OK;
		if (x->spans != NULL)
			rewind_queue(x);
		if ((rc = parse_piece(&more, x, e)) != SAT_OK)
			return rc;
		x->end = !more;
	}
	*q = &x->rows[x->next_row++];
	return SAT_OK;
}

static bool
is_blank(const xlsx *x, const queued *q)
{
	for (size_t i = 0; i < q->n; i++)
		if (x->spans[q->from + i].n > 0)
			return false;
	return q->fault == NULL;
}

static sat_span
cell(const xlsx *x, const queued *q, size_t i)
{
	return sat_span_of(x->text.p + x->spans[q->from + i].at,
	    x->spans[q->from + i].n);
}

static sat_rc
read_header(xlsx *x, const sat_sheet_opts *o, sat_err *e)
{
	const queued *q;
	size_t n = 0;
	sat_rc rc;

	do {
		if ((rc = take(&q, x, e)) != SAT_OK)
			return rc;
	} while (q != NULL && (o->header_row > 0 ? q->line < o->header_row
	                                         : is_blank(x, q)));
	if (q == NULL || is_blank(x, q) ||
	    (o->header_row > 0 && q->line != o->header_row))
		return sat_fail_code(e, SAT_EINVALID, "sheet.empty", NULL,
		    "xlsx: the sheet has no header row");
	for (size_t i = 0; i < q->n; i++)
		if (x->spans[q->from + i].n > 0)
			n = i + 1;
	x->columns = sat_xcalloc(n, sizeof *x->columns);
	for (; x->ncolumns < n; x->ncolumns++) {
		sat_span s = cell(x, q, x->ncolumns);

		x->columns[x->ncolumns] = sat_xasprintf("%.*s", (int)s.n,
		    s.n > 0 ? (const char *)s.p : "");
		for (size_t k = 0; s.n > 0 && k < x->ncolumns; k++)
			if (strcmp(x->columns[k],
			        x->columns[x->ncolumns]) == 0) {
				x->ncolumns++;
				return sat_fail_code(e, SAT_EINVALID,
				    "sheet.columns", NULL, "xlsx: two columns "
				    "are called %.60s", x->columns[k]);
			}
	}
	return SAT_OK;
}

sat_rc
sat_xlsx_next(const sat_sheet_row **row, xlsx *x, sat_err *e)
{
	const queued *q;
	sat_rc rc;

	*row = NULL;
	do {
		if ((rc = take(&q, x, e)) != SAT_OK || q == NULL)
			return rc;
	} while (is_blank(x, q));
	x->row = (sat_sheet_row){ .line = q->line, .number = ++x->number,
		.fields = x->fields, .fault = q->fault };
	for (size_t i = 0; i < q->n; i++) {
		sat_span s = cell(x, q, i);

		if (i < x->ncolumns)
			x->fields[x->row.n++] = s;
		else if (s.n > 0 && x->row.fault == NULL)
			x->row.fault = many_cells;
	}
	if (q->fault == many_cells || x->row.fault == many_cells)
		x->row.n = 0;
	*row = &x->row;
	return SAT_OK;
}

/* ---- opening ------------------------------------------------------------------------------------------- */

static sat_rc
open_all(xlsx *x, const char *path, const sat_sheet_opts *o, sat_err *e)
{
	sat_rc rc;

	if ((rc = sat_xlsx_zip_open(&x->zip, path, e)) != SAT_OK ||
	    (rc = read_book(x, e)) != SAT_OK)
		return rc;
	parser_new(x, texts_start, texts_end, texts_text);
	if ((rc = parse_part(x, "xl/sharedStrings.xml", false, e)) != SAT_OK)
		return rc;
	parser_new(x, styles_start, styles_end, NULL);
	if ((rc = parse_part(x, "xl/styles.xml", false, e)) != SAT_OK)
		return rc;
	x->in_text = x->phonetic = false;
	parser_new(x, sheet_start, sheet_end, sheet_text);
	x->done = 0;
	if ((rc = sat_xlsx_part_open(x->zip, x->target, &x->size, e)) != SAT_OK)
		return rc == SAT_ENOTFOUND ? sat_fail_code(e, SAT_EINVALID,
		    "sheet.broken", NULL, "xlsx: the sheet's part is missing")
		    : rc;
	return read_header(x, o, e);
}

sat_rc
sat_xlsx_open(xlsx **out, const char *path, const sat_sheet_opts *o, sat_err *e)
{
	xlsx *x = sat_xcalloc(1, sizeof *x);
	sat_rc rc;

	x->want = o->sheet > 0 ? o->sheet : 1;
	rc = open_all(x, path, o, e);
	if (rc != SAT_OK) {
		sat_xlsx_close(x);
		x = NULL;
	}
	*out = x;
	return rc;
}

void
sat_xlsx_close(xlsx *x)
{
	if (x == NULL)
		return;
	if (x->parser != NULL)
		XML_ParserFree(x->parser);
	sat_xlsx_zip_close(x->zip);
	for (size_t i = 0; i < x->ncolumns; i++)
		free(x->columns[i]);
	free(x->columns);
	free(x->shared_at);
	free(x->style);
	free(x->spans);
	free(x->rows);
	sat_buf_fini(&x->shared);
	sat_buf_fini(&x->text);
	sat_buf_fini(&x->value);
	free(x);
}

size_t
sat_xlsx_columns(const xlsx *x)
{
	return x->ncolumns;
}

const char *
sat_xlsx_column(const xlsx *x, size_t i)
{
	return x->columns[i];
}

void
sat_xlsx_progress(const xlsx *x, uint64_t *done, uint64_t *total)
{
	*done = x->done;
	*total = x->size;
}
