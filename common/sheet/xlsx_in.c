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
 *   X4  whatever elements stand in whatever others, memory is bounded by the
 *       shared texts and by one piece of the sheet.
 */
#include "common/sheet/xlsx_in.h"

#include "common/sheet/csv_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
	if (x->nspans > 0)
		memmove(x->spans, x->spans + from,
		    x->nspans * sizeof *x->spans);
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
		rewind_queue(x); /* rows without cells take room too (X4) */
		if ((rc = xlsx_parse_piece(&more, x, e)) != SAT_OK)
			return rc;
		x->end = !more;
	}
	*q = &x->rows[x->next_row++];
	return SAT_OK;
}

static sat_span
cell(const xlsx *x, const queued *q, size_t i)
{
	return sat_span_of(x->text.p + x->spans[q->from + i].at,
	    x->spans[q->from + i].n);
}

static bool
is_blank(const xlsx *x, const queued *q)
{
	for (size_t i = 0; i < q->n; i++) {
		sat_span s = cell(x, q, i);

		if (!sat_sheet_no_row(&s, 1))
			return false;
	}
	return q->fault == NULL;
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
		if (sat_sheet_trimmed(cell(x, q, i)).n > 0)
			n = i + 1;
	x->columns = sat_xcalloc(n, sizeof *x->columns);
	for (; x->ncolumns < n; x->ncolumns++) {
		sat_span s = sat_sheet_trimmed(cell(x, q, x->ncolumns));

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
		else if (sat_sheet_trimmed(s).n > 0 && x->row.fault == NULL)
			x->row.fault = xlsx_many_cells;
	}
	if (q->fault == xlsx_many_cells || x->row.fault == xlsx_many_cells)
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
	    (rc = xlsx_read_parts(x, e)) != SAT_OK)
		return rc;
	xlsx_parser_new(x, xlsx_sheet_start, xlsx_sheet_end, xlsx_sheet_text);
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
