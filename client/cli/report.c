/*
 * A report on the terminal. A row of the answer is an array in the order of the
 * columns (rank, dimensions, measures); a total holds the measures alone, so it
 * stands under the last columns and the word for it under the first dimension.
 * A pipe gets the rows without the total: who adds up a column must not add the
 * sum too.
 */
#include "client/cli/cli_int.h"

#include <stdlib.h>
#include <string.h>

#define COLUMNS_MAX (1 + SAT_REPORT_DIMS_MAX + SAT_REPORT_MEASURES_MAX)

typedef struct sheet {
	cli *c;
	cli_column cols[COLUMNS_MAX];
	const char *unit[COLUMNS_MAX];
	size_t n, measures; /* columns; the first measure's place */
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
	     k != NULL && s->n < COLUMNS_MAX; k = sat_json_next(k)) {
		size_t i = s->n++;

		s->unit[i] = sat_json_get_str(k, "unit", "");
		s->cols[i] = (cli_column){ sat_json_get_str(k, "key", "?"),
			sat_json_get_str(k, "title", "?"),
			strcmp(s->unit[i], "key") == 0 ? CELL_PLAIN
			                               : CELL_TEXT_RIGHT };
		if (!is_measure(s->unit[i]))
			s->measures = s->n;
	}
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

	for (size_t i = first; i < s->n && v != NULL; i++, v = sat_json_next(v)) {
		sat_buf_reset(&b);
		if (strcmp(s->unit[i], "key") == 0)
			dimension_text(&b, v);
		else
			measure_text(&b, s, v, s->unit[i]);
		sat_json_put_str(row, s->cols[i].key, sat_buf_cstr(&b));
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

static void
put_total(sat_json *data, const sheet *s, const sat_json *totals)
{
	sat_json *row = sat_json_add_obj(data);
	bool ranked = strcmp(s->unit[0], "rank") == 0 && s->measures > 1;

	sat_json_put_str(row, s->cols[ranked ? 1 : 0].key,
	    s->c->lang[0] == 'z' ? "合计" : "total");
	put_cells(row, s, totals, s->measures);
}

static void
head(cli *c, const sat_json *doc)
{
	const sat_json *p = sat_json_get(doc, "period");
	const sat_json *d = sat_json_get(doc, "data");
	const sat_json *cover = sat_json_get(doc, "coverage");
	bool zh = c->lang[0] == 'z';
	const char *label = sat_json_get_str(p, "label", "all");
	sat_buf *b = &c->out;

	sat_buf_fmt(b, "%s%s%s\n", c->color ? "\033[1m" : "",
	    sat_json_get_str(sat_json_get(doc, "report"), "title", ""),
	    c->color ? "\033[0m" : "");
	sat_buf_fmt(b, zh ? "期间 %s · 截至 " : "period %s · as of ",
	    zh && strcmp(label, "all") == 0 ? "全部" : label);
	cli_time_text(b, c, sat_json_get_str(doc, "as_of", ""));
	sat_buf_fmt(b, zh ? " %s · 模板 %.7s\n" : " %s · template %.7s\n",
	    sat_json_get_str(doc, "tz", ""),
	    sat_json_get_str(doc, "template", ""));
	if (sat_json_type(cover) != SAT_J_OBJ)
		sat_buf_fmt(b, zh ? "覆盖范围：%s\n" : "coverage: %s\n",
		    sat_json_get_str(doc, "coverage_reason", "—"));
	sat_buf_fmt(b, zh ? "本机日志位置 %lld，未上传 %lld%s\n\n"
	                  : "this device: log position %lld, %lld not sent%s\n\n",
	    (long long)sat_json_get_int(d, "cursor", 0),
	    (long long)sat_json_get_int(d, "pending_commits", 0),
	    sat_json_get_bool(d, "complete", true) ? ""
	        : zh                               ? "，首次同步未完成"
	                                           : ", first sync unfinished");
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

void
cli_print_report(cli *c, const sat_json *doc)
{
	const sat_json *rows = sat_json_get(doc, "rows");
	sheet s = { .c = c, .pretty = cli_format_of(c) == FMT_TABLE };
	sat_json *flat, *data;

	if (c->format == FMT_JSON) {
		cli_print_json(c, doc);
		return;
	}
	read_columns(&s, sat_json_get(doc, "columns"));
	if (c->format == FMT_JSONL) {
		print_jsonl(c, &s, rows);
		return;
	}
	flat = sat_json_obj();
	data = sat_json_put_arr(flat, "data");
	for (const sat_json *r = sat_json_first(rows); r != NULL;
	     r = sat_json_next(r))
		put_cells(sat_json_add_obj(data), &s, r, 0);
	if (has_total(&s, doc))
		put_total(data, &s, sat_json_get(doc, "totals"));
	if (s.pretty && c->tty_out && !c->quiet)
		head(c, doc);
	cli_print_rows(c, flat, s.cols, s.n);
	sat_json_free(flat);
}
