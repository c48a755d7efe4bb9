/*
 * csv_in.c - rows out of lines; libcsv does the quoting.
 *
 * One physical line at a time goes into libcsv, so a row always knows where
 * it began. libcsv is kept strict: text after a closing quote means that some
 * earlier quote was never closed, and two customers would silently become
 * one. Only a quote inside an unquoted cell (a 55" screen, ="00123") is let
 * through by itself.
 *
 * Invariants, named in the tests:
 *   C1  a fault never takes more than its row: one whose quotes close is
 *       passed over whole, after any other the reader comes back to the line
 *       after the one where it began.
 *   C2  a field that is handed out is valid UTF-8.
 *   C3  memory is bounded by SAT_CSV_ROW_MAX, not by the file.
 */
#include "common/sheet/csv_int.h"

#include "common/base/mem.h"

#include <stdlib.h>
#include <string.h>

#include <csv.h>

struct sat_csv {
	csv_source src;
	struct csv_parser parser;
	char delimiter;
	size_t ncolumns;
	char **columns;

	/* The row being read. Ends of the cells in `cells`. */
	sat_buf cells, repaired;
	size_t nends, ends[SAT_CSV_COLUMNS_MAX];
	bool row_done, too_many, too_long;
	sat_span fields[SAT_CSV_COLUMNS_MAX];
	sat_csv_row row;
	uint64_t number;
};

static const char open_quote[] = "a quote is never closed";
static const char after_quote[] = "text after a closing quote";
static const char long_field[] = "a cell is longer than 65536 bytes";
static const char long_row[] = "the row is longer than 1048576 bytes";
static const char many_fields[] = "more cells than the header has columns";
static const char bad_bytes[] = "bytes that the encoding does not know";

static void
on_cell(void *p, size_t n, void *u)
{
	sat_csv *c = u;

	if (n > SAT_CSV_FIELD_MAX) {
		c->too_long = true;
		return;
	}
	if (c->nends == SAT_CSV_COLUMNS_MAX) {
		/* Excel pads rows with empty cells: those may go. */
		c->too_many = c->too_many || n > 0;
		return;
	}
	sat_buf_add(&c->cells, p, n);
	c->ends[c->nends++] = c->cells.n;
}

static void
on_row(int terminator, void *u)
{
	sat_csv *c = u;

	(void)terminator;
	c->row_done = true;
}

/* libcsv drops spaces around cells unless told that nothing is a space. */
static int
never_space(unsigned char c)
{
	(void)c;
	return 0;
}

static void
row_reset(sat_csv *c)
{
	(void)csv_fini(&c->parser, NULL, NULL, NULL);
	sat_buf_reset(&c->cells);
	c->nends = 0;
	c->row_done = c->too_many = c->too_long = false;
}

/* @return why the row cannot be taken apart, NULL while it can. A cell that is
 * too long goes on to its end: behind it is the next row. */
static const char *
feed(sat_csv *c, const uint8_t *p, size_t n)
{
	while (n > 0) {
		size_t k = csv_parse(&c->parser, p, n, on_cell, on_row, c);

		p += k;
		n -= k;
		if (n == 0)
			break;
		if (csv_error(&c->parser) != CSV_EPARSE)
			return long_field; /* libcsv has no memory */
		if (c->parser.quoted)
			return after_quote;
		(void)csv_set_opts(&c->parser, 0);
		(void)csv_parse(&c->parser, p, 1, on_cell, on_row, c);
		(void)csv_set_opts(&c->parser, CSV_STRICT);
		p++;
		n--;
	}
	return NULL;
}

/* What is wrong with a row that was taken apart. */
static const char *
whole_fault(const sat_csv *c)
{
	return c->too_long ? long_field
	    : c->too_many  ? many_fields
	    : c->src.at - c->src.keep > SAT_CSV_ROW_MAX ? long_row
	                                                : NULL;
}

static bool
is_blank(sat_span line)
{
	return line.n > 0 && (line.p[0] == '\r' || line.p[0] == '\n');
}

static bool
has_line_end(sat_span line)
{
	return line.p[line.n - 1] == '\n' || line.p[line.n - 1] == '\r';
}

/* Feed one line, repaired first when it must be. */
static const char *
feed_line(sat_csv *c, sat_span line, const char **soft)
{
	const char *fault;

	if (!sat_utf8_ok(line.p, line.n)) {
		*soft = bad_bytes;
		sat_buf_reset(&c->repaired);
		sat_csv_repair(&c->repaired, line);
		line = sat_buf_span(&c->repaired);
	}
	fault = feed(c, line.p, line.n);
	if (fault == NULL && !c->row_done && !has_line_end(line))
		fault = feed(c, (const uint8_t *)"\n", 1);
	return fault;
}

/* C1: go on behind the row, or with the line after the one where it began. */
static sat_rc
recover(sat_csv *c, size_t first_bytes, sat_err *e)
{
	bool whole = c->row_done;

	row_reset(c);
	if (whole)
		return SAT_OK;
	if (first_bytes == 0)
		return sat_csv_source_skip(&c->src, e);
	c->src.at = c->src.seen = c->src.keep + first_bytes;
	c->src.line = c->row.line + 1;
	return SAT_OK;
}

/*
 * Read the next row into c->cells. *found is false at the end of the file.
 * A hard fault leaves no cells; a soft one (bytes repaired) leaves them.
 */
static sat_rc
read_row(bool *found, sat_csv *c, sat_err *e)
{
	csv_source *s = &c->src;
	const char *hard = NULL, *soft = NULL;
	size_t first_bytes = 0;
	sat_span line;
	bool cut;
	sat_rc rc;

	*found = false;
	row_reset(c);
	do {
		if (first_bytes == 0) {
			s->keep = s->at;
			c->row.line = s->line;
		}
		if ((rc = sat_csv_source_line(&line, &cut, s, e)) != SAT_OK)
			return rc;
		if (cut) {
			hard = first_bytes > 0 && c->parser.quoted ?
			    open_quote : long_row;
		} else if (line.n == 0) {
			if (first_bytes == 0)
				return SAT_OK;
			hard = open_quote; /* the file ended inside it */
		} else if (first_bytes > 0 || !is_blank(line)) {
			if (first_bytes == 0)
				first_bytes = line.n;
			hard = feed_line(c, line, &soft);
			if (hard == NULL && c->row_done)
				hard = whole_fault(c);
			else if (hard == NULL &&
			    s->at - s->keep > SAT_CSV_ROW_MAX)
				hard = c->parser.entry_pos > SAT_CSV_FIELD_MAX
				    ? open_quote : long_row;
		}
	} while (hard == NULL && !c->row_done);
	c->row.fault = hard != NULL ? hard : soft;
	*found = true;
	return hard != NULL ? recover(c, first_bytes, e) : SAT_OK;
}

/* What Excel wraps around text that looks like a number. */
static sat_span
unwrap(uint8_t *p, size_t n)
{
	size_t to = 0;

	if (n >= 2 && p[0] == '\'')
		return sat_span_of(p + 1, n - 1);
	if (n < 3 || p[0] != '=' || p[1] != '"' || p[n - 1] != '"')
		return sat_span_of(p, n);
	for (size_t i = 2; i < n - 1; i++) {
		p[to++] = p[i];
		if (p[i] == '"' && i + 1 < n - 1 && p[i + 1] == '"')
			i++; /* a formula doubles its quotes */
	}
	return sat_span_of(p, to);
}

static void
fill_fields(sat_csv *c)
{
	size_t from = 0;

	for (size_t i = 0; i < c->nends; i++) {
		c->fields[i] = c->ends[i] > from ?
		    unwrap(c->cells.p + from, c->ends[i] - from) :
		    sat_span_of(NULL, 0);
		from = c->ends[i];
	}
	c->row.fields = c->fields;
	c->row.n = c->nends;
}

sat_span
sat_sheet_trimmed(sat_span v)
{
	while (v.n > 0 && strchr(" \t\r\n", v.p[0]) != NULL) {
		v.p++;
		v.n--;
	}
	while (v.n > 0 && strchr(" \t\r\n", v.p[v.n - 1]) != NULL)
		v.n--;
	return v;
}

bool
sat_sheet_no_row(const sat_span *fields, size_t n)
{
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < fields[i].n; k++)
			if (strchr(" \t\r\n", fields[i].p[k]) == NULL)
				return false;
	return true;
}

sat_rc
sat_csv_next(const sat_csv_row **row, sat_csv *c, sat_err *e)
{
	bool found;
	sat_rc rc;

	*row = NULL;
	do {
		if ((rc = read_row(&found, c, e)) != SAT_OK || !found)
			return rc;
		fill_fields(c);
	} while (c->row.fault == NULL && sat_sheet_no_row(c->fields, c->row.n));
	while (c->row.n > c->ncolumns &&
	    sat_sheet_trimmed(c->fields[c->row.n - 1]).n == 0)
		c->row.n--;
	if (c->row.n > c->ncolumns && c->row.fault == NULL)
		c->row.fault = many_fields;
	c->row.number = ++c->number;
	*row = &c->row;
	return SAT_OK;
}

/* ---- opening ---------------------------------------------------------------- */

/* "sep=;" is Excel's own first line. */
static bool
is_sep_line(sat_span line, char *delimiter)
{
	if (line.n < 5 || strncasecmp((const char *)line.p, "sep=", 4) != 0)
		return false;
	if (line.n > 5 && !is_blank(sat_span_of(line.p + 5, line.n - 5)))
		return false;
	*delimiter = (char)line.p[4];
	return true;
}

/* The one of , tab ; that stands most often outside quotes. */
static char
find_delimiter(sat_span line)
{
	static const char marks[] = ",\t;";
	size_t count[3] = { 0 }, best = 0;
	bool quoted = false;

	for (size_t i = 0; i < line.n; i++) {
		const char *hit;

		if (line.p[i] == '"')
			quoted = !quoted;
		if (quoted || line.p[i] == '\0')
			continue;
		hit = strchr(marks, line.p[i]);
		if (hit != NULL)
			count[hit - marks]++;
	}
	for (size_t i = 1; i < 3; i++)
		if (count[i] > count[best])
			best = i;
	return marks[best];
}

static bool
delimiter_ok(char d)
{
	return d != '\0' && d != '"' && d != '\r' && d != '\n' &&
	    (unsigned char)d < 0x80;
}

/* Go to the header line and settle the delimiter. */
static sat_rc
seek_header(sat_csv *c, const sat_csv_opts *o, sat_err *e)
{
	csv_source *s = &c->src;
	uint64_t want = o->header_row > 0 ? o->header_row : 1;
	char sep = 0;
	sat_span line;
	bool cut;
	sat_rc rc;

	for (;;) {
		s->keep = s->at;
		if ((rc = sat_csv_source_line(&line, &cut, s, e)) != SAT_OK)
			return rc;
		if (cut || line.n == 0)
			return sat_fail(e, SAT_EINVALID, "csv: no header at "
			    "line %llu", (unsigned long long)want);
		if (s->line == 2 && is_sep_line(line, &sep)) {
			if (want == 1)
				want = 2;
			continue;
		}
		if (s->line > want && !is_blank(line))
			break;
	}
	c->delimiter = o->delimiter != 0 ? o->delimiter : sep != 0 ? sep :
	    find_delimiter(line);
	if (!delimiter_ok(c->delimiter))
		return sat_fail(e, SAT_EINVALID, "csv: impossible delimiter");
	s->at = s->seen = s->keep; /* once more, as a row */
	s->line--;
	return SAT_OK;
}

static sat_rc
add_column(sat_csv *c, sat_span name, sat_err *e)
{
	char *copy = sat_xmalloc(name.n + 1);

	if (name.n > 0)
		memcpy(copy, name.p, name.n);
	copy[name.n] = '\0';
	c->columns[c->ncolumns++] = copy;
	for (size_t i = 0; name.n > 0 && i + 1 < c->ncolumns; i++)
		if (strcmp(c->columns[i], copy) == 0)
			return sat_fail(e, SAT_EINVALID,
			    "csv: columns %zu and %zu have the same name",
			    i + 1, c->ncolumns);
	return SAT_OK;
}

static sat_rc
read_header(sat_csv *c, sat_err *e)
{
	bool found, named = false;
	sat_rc rc;

	if ((rc = read_row(&found, c, e)) != SAT_OK)
		return rc;
	if (!found)
		return sat_fail(e, SAT_EINVALID, "csv: no header");
	if (c->row.fault == many_fields)
		return sat_fail(e, SAT_EINVALID,
		    "csv: more than %d columns", SAT_CSV_COLUMNS_MAX);
	if (c->row.fault != NULL)
		return sat_fail(e, SAT_EINVALID, "csv: header at line %llu: %s",
		    (unsigned long long)c->row.line, c->row.fault);
	fill_fields(c);
	/* Excel's ghosts: columns that once held something */
	while (c->row.n > 1 && sat_sheet_trimmed(c->fields[c->row.n - 1]).n == 0)
		c->row.n--;
	c->columns = sat_xcalloc(c->row.n, sizeof *c->columns);
	for (size_t i = 0; i < c->row.n; i++) {
		sat_span name = sat_sheet_trimmed(c->fields[i]);

		named = named || name.n > 0;
		if ((rc = add_column(c, name, e)) != SAT_OK)
			return rc;
	}
	if (!named)
		return sat_fail(e, SAT_EINVALID, "csv: the header is empty");
	return SAT_OK;
}

sat_rc
sat_csv_open(sat_csv **out, const char *path, const sat_csv_opts *o, sat_err *e)
{
	static const sat_csv_opts none = { 0 };
	sat_csv *c = sat_xcalloc(1, sizeof *c);
	sat_rc rc;

	*out = NULL;
	if (o == NULL)
		o = &none;
	c->src.fd = -1;
	(void)csv_init(&c->parser, CSV_STRICT);
	csv_set_space_func(&c->parser, never_space);
	csv_set_blk_size(&c->parser, 4096);
	if ((rc = sat_csv_source_open(&c->src, path, o->encoding, e)) !=
	    SAT_OK || (rc = seek_header(c, o, e)) != SAT_OK)
		goto fail;
	csv_set_delim(&c->parser, (unsigned char)c->delimiter);
	if ((rc = read_header(c, e)) != SAT_OK)
		goto fail;
	*out = c;
	return SAT_OK;
fail:
	sat_csv_close(c);
	return rc;
}

void
sat_csv_close(sat_csv *c)
{
	if (c == NULL)
		return;
	csv_free(&c->parser);
	sat_csv_source_close(&c->src);
	for (size_t i = 0; i < c->ncolumns; i++)
		free(c->columns[i]);
	free(c->columns);
	sat_buf_fini(&c->cells);
	sat_buf_fini(&c->repaired);
	free(c);
}

size_t
sat_csv_columns(const sat_csv *c)
{
	return c->ncolumns;
}

const char *
sat_csv_column(const sat_csv *c, size_t i)
{
	return i < c->ncolumns ? c->columns[i] : NULL;
}

const char *
sat_csv_encoding(const sat_csv *c)
{
	return c->src.encoding;
}

char
sat_csv_delimiter(const sat_csv *c)
{
	return c->delimiter;
}

void
sat_csv_progress(const sat_csv *c, uint64_t *done, uint64_t *total)
{
	*done = c->src.done;
	*total = c->src.total;
}
