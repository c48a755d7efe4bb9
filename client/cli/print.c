/*
 * How answers look. A terminal gets an aligned table (Chinese counts two
 * columns), a pipe the same columns tab-separated, --json the document itself.
 */
#include "client/cli/cli_int.h"

#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define CELL_WIDTH_MAX 48

size_t
cli_width(const char *s)
{
	size_t w = 0;

	for (const unsigned char *p = (const unsigned char *)s; *p != 0; p++) {
		if ((*p & 0xc0) == 0x80)
			continue;
		/* CJK and full-width forms: three-byte lead bytes e1-ef from
		 * U+1100 on that are wide, and all four-byte ones */
		if (*p >= 0xf0 || (*p >= 0xe2 && *p <= 0xef &&
		        !(*p == 0xe2 && p[1] < 0xba)))
			w += 2;
		else
			w += 1;
	}
	return w;
}

static const sat_json *
member(const sat_json *row, const char *path)
{
	char key[64];
	size_t n;

	while (row != NULL && (n = strcspn(path, ".")) != strlen(path)) {
		(void)snprintf(key, sizeof key, "%.*s", (int)n, path);
		row = sat_json_get(row, key);
		path += n + 1;
	}
	return sat_json_get(row, path);
}

/* One cell as text; tabs and line ends become spaces. */
static void
cell_text(sat_buf *b, const sat_json *v)
{
	const char *s;

	switch (sat_json_type(v)) {
	case SAT_J_INT:
		sat_buf_fmt(b, "%lld", (long long)sat_json_int(v, 0));
		return;
	case SAT_J_REAL:
		sat_buf_fmt(b, "%.2f", sat_json_real(v, 0));
		return;
	case SAT_J_BOOL:
		sat_buf_str(b, sat_json_bool(v, false) ? "yes" : "");
		return;
	case SAT_J_STR:
		for (s = sat_json_str(v, ""); *s != '\0'; s++)
			sat_write_u8(b, strchr("\t\r\n", *s) != NULL
			        ? (uint8_t)' '
			        : (uint8_t)*s);
		return;
	case SAT_J_ARR:
		for (const sat_json *x = sat_json_first(v); x != NULL;
		     x = sat_json_next(x)) {
			if (x != sat_json_first(v))
				sat_buf_str(b, ", ");
			cell_text(b, x);
		}
		return;
	default:
		return;
	}
}

static void
pad(sat_buf *b, const char *s, size_t width, bool last)
{
	size_t w = cli_width(s), n = strlen(s);

	while (w > width && n > 0) { /* cut whole characters */
		do
			n--;
		while (n > 0 && ((unsigned char)s[n] & 0xc0) == 0x80);
		w = 0;
		for (size_t i = 0; i < n;) {
			char one[5] = "";
			size_t k = 1;

			while (i + k < n && ((unsigned char)s[i + k] & 0xc0) == 0x80)
				k++;
			memcpy(one, s + i, k < 4 ? k : 4);
			w += cli_width(one);
			i += k;
		}
	}
	sat_buf_add(b, s, n);
	if (!last)
		for (; w < width + 2; w++)
			sat_buf_str(b, " ");
}

static void
print_table(cli *c, const sat_json *rows, const cli_column *cols, size_t n)
{
	size_t *width = sat_xcalloc(n, sizeof *width);
	sat_buf b = { 0 };

	for (size_t i = 0; i < n; i++)
		width[i] = cli_width(cols[i].title);
	for (const sat_json *r = sat_json_first(rows); r != NULL;
	     r = sat_json_next(r))
		for (size_t i = 0; i < n; i++) {
			size_t w;

			sat_buf_reset(&b);
			cell_text(&b, member(r, cols[i].key));
			w = cli_width(sat_buf_cstr(&b));
			if (w > width[i])
				width[i] = w < CELL_WIDTH_MAX ? w : CELL_WIDTH_MAX;
		}
	if (c->color)
		sat_buf_str(&c->out, "\033[1m");
	for (size_t i = 0; i < n; i++)
		pad(&c->out, cols[i].title, width[i], i + 1 == n);
	sat_buf_str(&c->out, c->color ? "\033[0m\n" : "\n");
	for (const sat_json *r = sat_json_first(rows); r != NULL;
	     r = sat_json_next(r)) {
		for (size_t i = 0; i < n; i++) {
			sat_buf_reset(&b);
			cell_text(&b, member(r, cols[i].key));
			pad(&c->out, sat_buf_cstr(&b), width[i], i + 1 == n);
		}
		sat_buf_str(&c->out, "\n");
	}
	sat_buf_fini(&b);
	free(width);
}

static void
csv_cell(sat_buf *out, const sat_buf *b)
{
	bool quote = memchr(b->p, ',', b->n) != NULL ||
	    memchr(b->p, '"', b->n) != NULL;

	if (!quote) {
		sat_buf_add(out, b->p, b->n);
		return;
	}
	sat_buf_str(out, "\"");
	for (size_t i = 0; i < b->n; i++) {
		if (b->p[i] == '"')
			sat_buf_str(out, "\"");
		sat_write_u8(out, b->p[i]);
	}
	sat_buf_str(out, "\"");
}

static void
print_separated(cli *c, const sat_json *rows, const cli_column *cols, size_t n,
    bool csv)
{
	sat_buf b = { 0 };

	for (size_t i = 0; csv && i < n; i++)
		sat_buf_fmt(&c->out, "%s%s", i > 0 ? "," : "", cols[i].key);
	if (csv)
		sat_buf_str(&c->out, "\n");
	for (const sat_json *r = sat_json_first(rows); r != NULL;
	     r = sat_json_next(r)) {
		for (size_t i = 0; i < n; i++) {
			if (i > 0)
				sat_buf_str(&c->out, csv ? "," : "\t");
			sat_buf_reset(&b);
			(void)sat_buf_room(&b, 1);
			cell_text(&b, member(r, cols[i].key));
			if (csv)
				csv_cell(&c->out, &b);
			else
				sat_buf_add(&c->out, b.p, b.n);
		}
		sat_buf_str(&c->out, "\n");
	}
	sat_buf_fini(&b);
}

static cli_format
format_of(const cli *c)
{
	if (c->format != FMT_AUTO)
		return c->format;
	return c->tty_out ? FMT_TABLE : FMT_TSV;
}

void
cli_print_rows(cli *c, const sat_json *doc, const cli_column *cols, size_t n)
{
	const sat_json *rows = sat_json_get(doc, "data");

	switch (format_of(c)) {
	case FMT_JSON:
		sat_json_write(&c->out, doc, true);
		break;
	case FMT_JSONL:
		for (const sat_json *r = sat_json_first(rows); r != NULL;
		     r = sat_json_next(r)) {
			sat_json_write(&c->out, r, false);
			sat_buf_str(&c->out, "\n");
		}
		break;
	case FMT_TABLE:
		print_table(c, rows, cols, n);
		break;
	default:
		print_separated(c, rows, cols, n, c->format == FMT_CSV);
		break;
	}
}

static void
print_members(cli *c, const sat_json *obj, const char *prefix)
{
	sat_buf b = { 0 };

	for (const sat_json *m = sat_json_first(obj); m != NULL;
	     m = sat_json_next(m)) {
		const char *key = sat_json_key(m);
		char full[160];

		if (prefix[0] == '\0' && strcmp(key, "schema") == 0)
			continue;
		(void)snprintf(full, sizeof full, "%s%s%s", prefix,
		    prefix[0] != '\0' ? "." : "", key);
		if (sat_json_type(m) == SAT_J_OBJ) {
			print_members(c, m, strcmp(full, "data") == 0 ? "" : full);
			continue;
		}
		if (sat_json_type(m) == SAT_J_NULL)
			continue;
		sat_buf_reset(&b);
		cell_text(&b, m);
		if (format_of(c) == FMT_TABLE) {
			pad(&c->out, full, 20, false);
			sat_buf_fmt(&c->out, "%s\n", sat_buf_cstr(&b));
		} else {
			sat_buf_fmt(&c->out, "%s\t%s\n", full, sat_buf_cstr(&b));
		}
	}
	sat_buf_fini(&b);
}

void
cli_print_object(cli *c, const sat_json *obj)
{
	cli_format f = format_of(c);

	if (f == FMT_JSON || f == FMT_JSONL)
		sat_json_write(&c->out, obj, f == FMT_JSON);
	else
		print_members(c, obj, "");
	if (f == FMT_JSONL)
		sat_buf_str(&c->out, "\n");
}

/* A cell of a report by its column's unit. */
static void
report_cell(sat_buf *b, const sat_json *v, const char *unit)
{
	char text[32];

	if (sat_json_type(v) == SAT_J_NULL)
		sat_buf_str(b, "—");
	else if (strcmp(unit, "money") == 0 && sat_json_type(v) == SAT_J_INT) {
		sat_money_text(text, sat_json_int(v, 0));
		sat_buf_str(b, text);
	} else if (sat_json_type(v) == SAT_J_OBJ) {
		const char *label = sat_json_get_str(v, "label", NULL);

		cell_text(b, label != NULL ? sat_json_get(v, "label")
		        : sat_json_get(v, "text") != NULL
		        ? sat_json_get(v, "text")
		        : sat_json_get(v, "key"));
		if (sat_json_get(v, "text") != NULL &&
		    strcmp(unit, "percent") == 0 &&
		    sat_json_type(sat_json_get(v, "text")) == SAT_J_STR)
			sat_buf_str(b, "%");
	} else {
		cell_text(b, v);
		if (strcmp(unit, "percent") == 0)
			sat_buf_str(b, "%");
	}
}

/* Report rows are arrays; turn them into objects by column and print those. */
void
cli_print_report(cli *c, const sat_json *doc)
{
	const sat_json *columns = sat_json_get(doc, "columns");
	const sat_json *rows = sat_json_get(doc, "rows");
	size_t n = sat_json_count(columns), i = 0;
	cli_column *cols = sat_xcalloc(n + 1, sizeof *cols);
	const char **units = sat_xcalloc(n + 1, sizeof *units);
	sat_json *flat = sat_json_obj(), *data;
	sat_buf b = { 0 };

	if (format_of(c) == FMT_JSON) {
		sat_json_write(&c->out, doc, true);
		goto out;
	}
	for (const sat_json *k = sat_json_first(columns); k != NULL;
	     k = sat_json_next(k), i++) {
		cols[i].key = sat_json_get_str(k, "key", "?");
		cols[i].title = sat_json_get_str(k, "title", cols[i].key);
		units[i] = sat_json_get_str(k, "unit", "");
	}
	data = sat_json_put_arr(flat, "data");
	for (int pass = 0; pass < 2; pass++) {
		const sat_json *r = pass == 0 ? sat_json_first(rows)
		                              : sat_json_get(doc, "totals");

		for (; r != NULL; r = pass == 0 ? sat_json_next(r) : NULL) {
			sat_json *row = sat_json_add_obj(data);
			const sat_json *v = sat_json_first(r);

			for (i = 0; i < n && v != NULL; i++, v = sat_json_next(v)) {
				sat_buf_reset(&b);
				if (pass == 1 && i == 0 &&
				    sat_json_type(v) == SAT_J_NULL)
					sat_buf_str(&b, c->lang[0] == 'z' ? "合计" : "total");
				else
					report_cell(&b, v, units[i]);
				sat_json_put_str(row, cols[i].key, sat_buf_cstr(&b));
			}
		}
	}
	cli_print_rows(c, flat, cols, n);
	if (c->tty_out && !c->quiet) {
		const sat_json *p = sat_json_get(doc, "period");

		sat_buf_fmt(&c->out, "\n%s · %s · %s\n",
		    sat_json_get_str(sat_json_get(doc, "report"), "title", ""),
		    sat_json_get_str(p, "label", "all"),
		    sat_json_get_str(doc, "as_of", ""));
	}
out:
	sat_buf_fini(&b);
	sat_json_free(flat);
	free(cols);
	free(units);
}

/* ---- stderr ---------------------------------------------------------------------- */

void
cli_say(const cli *c, const char *fmt, ...)
{
	va_list ap;

	if (c->quiet)
		return;
	va_start(ap, fmt);
	(void)vfprintf(stderr, fmt, ap);
	va_end(ap);
}

static void
complain_json(const sat_err *e, sat_rc rc)
{
	sat_json *d = sat_json_obj(), *fields;
	sat_buf b = { 0 };

	sat_json_put_str(d, "type", "error");
	sat_json_put_str(d, "code",
	    e->code[0] != '\0' ? e->code : sat_rc_slug(rc));
	sat_json_put_int(d, "exit", sat_rc_exit(rc));
	sat_json_put_str(d, "title", sat_rc_slug(rc));
	sat_json_put_str(d, "detail", e->text);
	fields = sat_json_put_arr(d, "fields");
	for (unsigned i = 0; i < e->nfields; i++) {
		sat_json *f = sat_json_add_obj(fields);

		sat_json_put_str(f, "path", e->fields[i].path);
		sat_json_put_str(f, "code", e->fields[i].code);
	}
	sat_json_put_str(d, "hint", e->hint);
	sat_json_write(&b, d, false);
	(void)fprintf(stderr, "%s\n", sat_buf_cstr(&b));
	sat_buf_fini(&b);
	sat_json_free(d);
}

int
cli_complain(const cli *c, const sat_err *e, sat_rc rc)
{
	if (c->format == FMT_JSON || c->format == FMT_JSONL) {
		complain_json(e, rc);
		return sat_rc_exit(rc);
	}
	(void)fprintf(stderr, "satchel: %s\n",
	    e->text[0] != '\0' ? e->text : sat_rc_slug(rc));
	for (unsigned i = 0; i < e->nfields; i++)
		(void)fprintf(stderr, "  %s: %s\n", e->fields[i].path,
		    e->fields[i].code);
	if (e->hint[0] != '\0')
		(void)fprintf(stderr, "  %s\n", e->hint);
	return sat_rc_exit(rc);
}

/* ---- long work ----------------------------------------------------------------------- */

static volatile sig_atomic_t caught;

static void
on_signal(int sig)
{
	caught = sig;
}

void
cli_signals(void)
{
	struct sigaction sa = { .sa_handler = on_signal,
		.sa_flags = (int)SA_RESETHAND };

	(void)sigaction(SIGINT, &sa, NULL);
	(void)sigaction(SIGTERM, &sa, NULL);
}

int
cli_signal(void)
{
	return caught;
}

bool
cli_interrupted(void *u)
{
	(void)u;
	return caught != 0;
}

static void
progress_line(cli *c, const sat_json *line, int64_t now)
{
	int64_t rows = sat_json_get_int(line, "rows", -1);
	int64_t done = sat_json_get_int(line, "bytes", 0);
	int64_t total = sat_json_get_int(line, "total_bytes", 0);
	int64_t spent = now - c->started_ms;

	if (rows >= 0 && total > 0 && done > 0) {
		int64_t left = (total - done) * spent / done / 1000;

		(void)fprintf(stderr, "\r%lld rows  %lld%%  %lld/s  %llds left   ",
		    (long long)rows, (long long)(done * 100 / total),
		    (long long)(spent > 0 ? rows * 1000 / spent : 0),
		    (long long)left);
	} else if (rows < 0) {
		(void)fprintf(stderr, "\r%lld sent  %lld records  %lld commits   ",
		    (long long)sat_json_get_int(line, "pushed", 0),
		    (long long)sat_json_get_int(line, "records", 0),
		    (long long)sat_json_get_int(line, "commits", 0));
	}
	(void)fflush(stderr);
}

/* Progress: on a terminal after 400 ms, at most 10 a second; with --json one
 * line each on stdout; in a pipe with -v one line per 10 s. */
void
cli_event(void *u, const sat_json *line)
{
	cli *c = u;
	const char *type = sat_json_get_str(line, "type", "");
	int64_t now = sat_boot_ms(&c->api.crm.clock), gap;

	if (c->started_ms == 0)
		c->started_ms = now;
	if (strcmp(type, "progress") != 0) {
		if (c->format == FMT_JSON || c->format == FMT_JSONL) {
			sat_json_write(&c->out, line, false);
			sat_buf_str(&c->out, "\n");
		} else if (strcmp(type, "derived") == 0) {
			cli_say(c, "%s: %s = %s\n",
			    sat_json_get_str(line, "row", ""),
			    sat_json_get_str(line, "field", ""),
			    sat_json_get_str(line, "value", ""));
		} else {
			cli_say(c, "row %lld: %s: \"%s\" -> \"%s\"\n",
			    (long long)sat_json_get_int(line, "row", 0),
			    sat_json_get_str(line, "field", ""),
			    sat_json_get_str(line, "before", ""),
			    sat_json_get_str(line, "after", ""));
		}
		return;
	}
	gap = c->tty_err ? 100 : 10000;
	if (c->quiet || now - c->last_progress_ms < gap ||
	    now - c->started_ms < 400 || (!c->tty_err && c->verbose == 0))
		return;
	c->last_progress_ms = now;
	progress_line(c, line, now);
	if (!c->tty_err)
		(void)fputc('\n', stderr);
}
