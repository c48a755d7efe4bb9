/*
 * A report on the terminal. A row of the answer is an array in the order of the
 * columns (rank, dimensions, measures); a total holds the measures alone, so it
 * stands under the last columns and the word for it under the first dimension.
 * A pipe gets the rows without the total: who adds up a column must not add the
 * sum too.
 */
#include "client/cli/cli_int.h"
#include "common/base/file.h"
#include "common/sheet/sheet.h"

#include <stdlib.h>
#include <string.h>

/* A comparison has, behind the measures, four columns for each. */
#define CHANGES 4
#define BASE_MAX (1 + SAT_REPORT_DIMS_MAX + SAT_REPORT_MEASURES_MAX)
#define COLUMNS_MAX (BASE_MAX + CHANGES * SAT_REPORT_MEASURES_MAX)

typedef struct sheet {
	cli *c;
	cli_column cols[COLUMNS_MAX];
	const char *unit[COLUMNS_MAX];
	size_t n, measures; /* columns; the first measure's place */
	size_t base;        /* columns of the answer itself */
	char *names[2 * CHANGES * SAT_REPORT_MEASURES_MAX];
	size_t nnames;
	bool pretty;
} sheet;

static bool
is_measure(const char *unit)
{
	return strcmp(unit, "rank") != 0 && strcmp(unit, "key") != 0;
}

static void
read_columns(sheet *s, const sat_json *columns)
{
	for (const sat_json *k = sat_json_first(columns);
	     k != NULL && s->n < BASE_MAX; k = sat_json_next(k)) {
		size_t i = s->n++;

		s->unit[i] = sat_json_get_str(k, "unit", "");
		s->cols[i] = (cli_column){ sat_json_get_str(k, "key", "?"),
			sat_json_get_str(k, "title", "?"),
			strcmp(s->unit[i], "key") == 0 ? CELL_PLAIN
			                               : CELL_TEXT_RIGHT };
		if (!is_measure(s->unit[i]))
			s->measures = s->n;
	}
	s->base = s->n;
}

static const char *
named(sheet *s, char *name)
{
	s->names[s->nnames++] = name;
	return name;
}

/* before, change, relative, good: of each measure. */
static void
add_changes(sheet *s)
{
	static const char *const key[] = { "before", "change", "relative",
		"good" };
	static const char *const words[] = { N_("before"), N_("change"), "%",
		N_("better") };

	for (size_t m = s->measures; m < s->base; m++)
		for (size_t i = 0; i < CHANGES; i++, s->n++) {
			s->unit[s->n] = i == 0 ? s->unit[m] : "text";
			s->cols[s->n] = (cli_column){
				named(s, sat_xasprintf("%s_%s", s->cols[m].key,
				    key[i])),
				named(s, sat_xasprintf("%s %s",
				    s->cols[m].title, sat_text(words[i]))),
				CELL_TEXT_RIGHT };
		}
}

static void
sheet_fini(sheet *s)
{
	for (size_t i = 0; i < s->nnames; i++)
		free(s->names[i]);
	s->nnames = 0;
}

/* A dimension: what a person reads, else its key. */
static void
dimension_text(sat_buf *b, const sat_json *v)
{
	const char *label = sat_json_get_str(v, "label", "");
	const sat_json *key = sat_json_get(v, "key");

	if (label[0] != '\0')
		sat_buf_str(b, label);
	else if (sat_json_type(key) == SAT_J_STR)
		sat_buf_str(b, sat_json_str(key, ""));
	else if (sat_json_type(key) == SAT_J_INT)
		sat_buf_fmt(b, "%lld", (long long)sat_json_int(key, 0));
	if (b->n == 0)
		sat_buf_str(b, "—");
}

static void
measure_text(sat_buf *b, const sheet *s, const sat_json *v, const char *unit)
{
	char text[32];

	if (sat_json_type(v) == SAT_J_OBJ) { /* a ratio */
		const char *t = sat_json_get_str(v, "text", NULL);

		sat_buf_str(b, t != NULL ? t : "—");
		if (t != NULL && strcmp(unit, "percent") == 0)
			sat_buf_str(b, "%");
	} else if (sat_json_type(v) != SAT_J_INT) {
		sat_buf_str(b, "—");
	} else if (strcmp(unit, "money") != 0) {
		sat_buf_fmt(b, "%lld", (long long)sat_json_int(v, 0));
	} else if (s->pretty) {
		cli_money_text(b, sat_json_int(v, 0));
	} else {
		sat_money_text(text, sat_json_int(v, 0));
		sat_buf_str(b, text);
	}
}

static void
put_cells(sat_json *row, const sheet *s, const sat_json *from, size_t first)
{
	const sat_json *v = sat_json_first(from);
	sat_buf b = { 0 };

	for (size_t i = first; i < s->base && v != NULL;
	     i++, v = sat_json_next(v)) {
		sat_buf_reset(&b);
		if (strcmp(s->unit[i], "key") == 0)
			dimension_text(&b, v);
		else
			measure_text(&b, s, v, s->unit[i]);
		sat_json_put_str(row, s->cols[i].key, sat_buf_cstr(&b));
	}
	sat_buf_fini(&b);
}

/* What the comparison says of the measures of one row. */
static void
put_changes(sat_json *row, const sheet *s, const sat_json *changes)
{
	const sat_json *v = sat_json_first(changes), *good;
	sat_buf b = { 0 };

	for (size_t i = s->base; i + CHANGES <= s->n && v != NULL;
	     i += CHANGES, v = sat_json_next(v)) {
		good = sat_json_get(v, "good");
		sat_buf_reset(&b);
		measure_text(&b, s, sat_json_get(v, "before"), s->unit[i]);
		sat_json_put_str(row, s->cols[i].key, sat_buf_cstr(&b));
		sat_json_put_str(row, s->cols[i + 1].key,
		    sat_json_get_str(v, "absolute", "—"));
		sat_json_put_str(row, s->cols[i + 2].key,
		    sat_json_get_str(v, "relative", "—"));
		sat_json_put_str(row, s->cols[i + 3].key,
		    sat_json_type(good) != SAT_J_BOOL ? "—" :
		    sat_json_bool(good, false) ? _("yes") : _("no"));
	}
	sat_buf_fini(&b);
}

/* Nothing to add up: one line that says the same as the total. */
static bool
has_total(const sheet *s, const sat_json *doc)
{
	return s->pretty && s->measures > 0 &&
	    sat_json_count(sat_json_get(doc, "rows")) > 1;
}

static sat_json *
put_total(sat_json *data, const sheet *s, const sat_json *totals)
{
	sat_json *row = sat_json_add_obj(data);
	bool ranked = strcmp(s->unit[0], "rank") == 0 && s->measures > 1;

	sat_json_put_str(row, s->cols[ranked ? 1 : 0].key,
	    s->c->lang[0] == 'z' ? "合计" : "total");
	put_cells(row, s, totals, s->measures);
	return row;
}

static void
head(cli *c, const sat_json *doc)
{
	const sat_json *p = sat_json_get(doc, "period");
	const sat_json *d = sat_json_get(doc, "data");
	const char *label = sat_json_get_str(p, "label", "all");
	sat_buf *b = &c->out;

	sat_buf_fmt(b, "%s%s%s (%s)\n", c->color ? "\033[1m" : "",
	    sat_json_get_str(sat_json_get(doc, "report"), "title", ""),
	    c->color ? "\033[0m" : "", sat_json_get_str(sat_json_get(doc,
	    "report"), "key", ""));
	sat_buf_fmt(b, _("period %s · as of "),
	    strcmp(label, "all") == 0 ? _("all") : label);
	cli_time_text(b, c, sat_json_get_str(doc, "as_of", ""));
	sat_buf_fmt(b, _(" %s · template %.7s\n"),
	    sat_json_get_str(doc, "tz", ""),
	    sat_json_get_str(doc, "template", ""));
	cli_coverage_text(b, c, doc);
	sat_buf_str(b, "\n");
	sat_buf_fmt(b, _("this device: log position %lld, %lld not sent%s\n\n"),
	    (long long)sat_json_get_int(d, "cursor", 0),
	    (long long)sat_json_get_int(d, "pending_commits", 0),
	    sat_json_get_bool(d, "complete", true) ? ""
	        : _(", first sync unfinished"));
}

/* Lines for programs: the cells as they are, by column. */
static void
print_jsonl(cli *c, const sheet *s, const sat_json *rows)
{
	for (const sat_json *r = sat_json_first(rows); r != NULL;
	     r = sat_json_next(r)) {
		sat_json *row = sat_json_obj();
		const sat_json *v = sat_json_first(r);

		for (size_t i = 0; i < s->n && v != NULL;
		     i++, v = sat_json_next(v))
			sat_json_put(row, s->cols[i].key, sat_json_dup(v));
		cli_print_json(c, row);
		sat_json_free(row);
	}
}

/* The rows as texts by column, the total last when there is one. */
static sat_json *
flatten(sheet *s, const sat_json *doc)
{
	sat_json *flat = sat_json_obj(), *data = sat_json_put_arr(flat, "data");
	const sat_json *r = sat_json_first(sat_json_get(doc, "rows"));

	const sat_json *with = sat_json_get(doc, "compare");
	const sat_json *x = sat_json_first(sat_json_get(with, "rows"));
	sat_json *row;

	read_columns(s, sat_json_get(doc, "columns"));
	if (with != NULL)
		add_changes(s);
	for (; r != NULL; r = sat_json_next(r)) {
		row = sat_json_add_obj(data);
		put_cells(row, s, r, 0);
		if (x != NULL) {
			put_changes(row, s, x);
			x = sat_json_next(x);
		}
	}
	if (has_total(s, doc)) {
		row = put_total(data, s, sat_json_get(doc, "totals"));
		put_changes(row, s, sat_json_get(with, "totals"));
	}
	return flat;
}

/* ---- files ---- */

static void
escape(sat_buf *b, const char *text)
{
	for (; *text != '\0'; text++)
		switch (*text) {
		case '&': sat_buf_str(b, "&amp;"); break;
		case '<': sat_buf_str(b, "&lt;"); break;
		case '>': sat_buf_str(b, "&gt;"); break;
		case '"': sat_buf_str(b, "&quot;"); break;
		default: sat_write_u8(b, (uint8_t)*text);
		}
}

static void
html_row(sat_buf *b, const sheet *s, const sat_json *row, const char *class)
{
	sat_buf_fmt(b, "<tr%s>", class);
	for (size_t i = 0; i < s->n; i++) {
		sat_buf_str(b, i < s->measures &&
		        strcmp(s->unit[i], "key") == 0 ? "<td>"
		    : "<td class=\"n\">");
		escape(b, sat_json_get_str(row, s->cols[i].key, ""));
		sat_buf_str(b, "</td>");
	}
	sat_buf_str(b, "</tr>\n");
}

/* One page that needs nothing else: to be printed or sent. */
static void
html_begin(sat_buf *b, const cli *c, const char *title)
{
	sat_buf_fmt(b, "<!doctype html>\n<html lang=\"%s\">\n<meta charset="
	    "\"utf-8\">\n<title>", c->lang[0] == 'z' ? "zh" : "en");
	escape(b, title);
	sat_buf_str(b, "</title>\n<style>body{font-family:sans-serif;margin:2em}"
	    "table{border-collapse:collapse}td,th{border:1px solid #999;"
	    "padding:.3em .7em;text-align:left}.n{text-align:right}"
	    ".total{font-weight:bold}</style>\n");
}

/* One report under a heading of this level. */
static void
html_section(sat_buf *b, cli *c, sheet *s, const sat_json *doc, int level)
{
	sat_json *flat = flatten(s, doc);
	const sat_json *r = sat_json_first(sat_json_get(flat, "data"));
	size_t left = sat_json_count(sat_json_get(flat, "data"));
	sat_buf line = { 0 };

	sat_buf_fmt(b, "<h%d>", level);
	escape(b, sat_json_get_str(sat_json_get(doc, "report"), "title", ""));
	sat_buf_fmt(b, "</h%d>\n", level);
	for (int i = 0; cli_origin_text(&line, c, doc, i); i++) {
		sat_buf_str(b, "<p>");
		escape(b, sat_buf_cstr(&line));
		sat_buf_str(b, "</p>\n");
		sat_buf_reset(&line);
	}
	sat_buf_fini(&line);
	sat_buf_str(b, "<table>\n<tr>");
	for (size_t i = 0; i < s->n; i++) {
		sat_buf_str(b, "<th>");
		escape(b, s->cols[i].title);
		sat_buf_str(b, "</th>");
	}
	sat_buf_str(b, "</tr>\n");
	for (; r != NULL; r = sat_json_next(r))
		html_row(b, s, r, --left == 0 && has_total(s, doc)
		    ? " class=\"total\"" : "");
	sat_buf_str(b, "</table>\n");
	sat_json_free(flat);
	sheet_fini(s);
}

static void
html(sat_buf *b, cli *c, sheet *s, const sat_json *doc)
{
	html_begin(b, c, sat_json_get_str(sat_json_get(doc, "report"), "title",
	    ""));
	html_section(b, c, s, doc, 1);
	sat_buf_str(b, "</html>\n");
}

/* Below the rows, so that the first row stays the header. */
static sat_rc
book_origin(sat_sheet_out *out, const sheet *s, const sat_json *doc, sat_err *e)
{
	sat_buf line = { 0 };
	sat_rc rc = sat_sheet_out_endrow(out, e);

	for (int i = 0; rc == SAT_OK && cli_origin_text(&line, s->c, doc, i);
	     i++) {
		sat_sheet_out_text(out, sat_buf_span(&line));
		rc = sat_sheet_out_endrow(out, e);
		sat_buf_reset(&line);
	}
	sat_buf_fini(&line);
	return rc;
}

static sat_rc
write_book(const char *to, sheet *s, const sat_json *doc, sat_err *e)
{
	sat_sheet_out_opts o = { .format = "xlsx",
		.title = sat_json_get_str(sat_json_get(doc, "report"), "title",
		    "") };
	sat_json *flat;
	const sat_json *r;
	sat_sheet_out *out;
	sat_rc rc = sat_sheet_out_open(&out, to, &o, e), closed;

	if (rc != SAT_OK)
		return rc;
	flat = flatten(s, doc);
	for (size_t i = 0; i < s->n; i++)
		sat_sheet_out_plain(out, sat_span_str(s->cols[i].title));
	rc = sat_sheet_out_endrow(out, e);
	r = sat_json_first(sat_json_get(flat, "data"));
	for (; r != NULL && rc == SAT_OK; r = sat_json_next(r)) {
		for (size_t i = 0; i < s->n; i++) {
			sat_span v = sat_span_str(sat_json_get_str(r,
			    s->cols[i].key, ""));

			if (strcmp(s->unit[i], "key") == 0)
				sat_sheet_out_text(out, v);
			else
				sat_sheet_out_plain(out, v);
		}
		rc = sat_sheet_out_endrow(out, e);
	}
	if (rc == SAT_OK)
		rc = book_origin(out, s, doc, e);
	sat_json_free(flat);
	sheet_fini(s);
	closed = sat_sheet_out_close(out, rc == SAT_OK, rc == SAT_OK ? e : NULL);
	return rc == SAT_OK ? closed : rc;
}

bool
cli_report_is_file(const char *format)
{
	return format != NULL && (strcmp(format, "html") == 0 ||
	    strcmp(format, "xlsx") == 0);
}

sat_rc
cli_report_file(cli *c, const sat_json *doc, const char *format, const char *to,
    sat_err *e)
{
	bool std = to == NULL || strcmp(to, "-") == 0;
	sheet s = { .c = c, .pretty = strcmp(format, "html") == 0 };
	sat_buf b = { 0 };
	sat_rc rc = SAT_OK;

	if (!s.pretty)
		return write_book(std ? "-" : to, &s, doc, e);
	html(std ? &c->out : &b, c, &s, doc);
	if (!std)
		rc = sat_file_write(to, sat_buf_span(&b), 0600, e);
	sat_buf_fini(&b);
	return rc;
}

sat_rc
cli_assessment_file(cli *c, const sat_json *doc, const char *title,
    const char *to, sat_err *e)
{
	const sat_json *r = sat_json_first(sat_json_get(doc, "data"));
	sat_buf b = { 0 };
	sat_rc rc = SAT_OK;

	html_begin(&b, c, title);
	sat_buf_str(&b, "<h1>");
	escape(&b, title);
	sat_buf_str(&b, "</h1>\n");
	for (; r != NULL; r = sat_json_next(r)) {
		sheet s = { .c = c, .pretty = true };

		html_section(&b, c, &s, r, 2);
	}
	sat_buf_str(&b, "</html>\n");
	if (to == NULL || strcmp(to, "-") == 0)
		sat_buf_add(&c->out, b.p, b.n);
	else
		rc = sat_file_write(to, sat_buf_span(&b), 0600, e);
	sat_buf_fini(&b);
	return rc;
}

void
cli_print_report(cli *c, const sat_json *doc)
{
	const sat_json *rows = sat_json_get(doc, "rows");
	sheet s = { .c = c, .pretty = cli_format_of(c) == FMT_TABLE };
	sat_json *flat;

	if (c->format == FMT_JSON) {
		cli_print_json(c, doc);
		return;
	}
	if (c->format == FMT_JSONL) {
		read_columns(&s, sat_json_get(doc, "columns"));
		print_jsonl(c, &s, rows);
		return;
	}
	flat = flatten(&s, doc);
	if (s.pretty && c->tty_out && !c->quiet)
		head(c, doc);
	cli_print_rows(c, flat, s.cols, s.n);
	if (s.pretty)
		cli_report_list(c, doc);
	if (s.pretty && !c->quiet) {
		cli_delta_text(&c->out, c, doc);
	} else { /* a pipe gets rows, the person is told */
		sat_buf said = { 0 };

		cli_delta_text(&said, c, doc);
		if (said.n > 0)
			cli_say(c, "%s", sat_buf_cstr(&said));
		sat_buf_fini(&said);
	}
	sat_json_free(flat);
	sheet_fini(&s);
}

sat_rc
cli_report_text(cli *c, const sat_json *doc, sat_err *e)
{
	const char *to = sat_args_get(&c->args, "output");
	bool file = to != NULL && strcmp(to, "-") != 0;
	sat_rc rc = SAT_OK;

	c->paging = c->paging || file; /* kept whole: it goes elsewhere */
	cli_print_report(c, doc);
	if (file) {
		rc = sat_file_write(to, sat_buf_span(&c->out), 0600, e);
		sat_buf_reset(&c->out);
		c->paging = false;
	}
	return rc;
}
