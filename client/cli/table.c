/*
 * How answers look. A terminal gets an aligned table that fits its width, a
 * pipe the same columns tab-separated, --json the document itself.
 */
#include "client/cli/cli_int.h"

#include "common/sheet/csv.h"

#include <stdlib.h>
#include <string.h>

#define GAP 2
#define COLUMN_MIN 10  /* a column is not cut below this */
#define FIRST_MIN 18   /* the first text, mostly a name */
#define ID_SHOWN 18    /* of 26 characters: time, device, 24 random bits */

cli_format
cli_format_of(const cli *c)
{
	if (c->format != FMT_AUTO)
		return c->format;
	return c->tty_out ? FMT_TABLE : FMT_TSV;
}

bool
cli_is_json(const cli *c)
{
	return c->format == FMT_JSON || c->format == FMT_JSONL;
}

void
cli_print_json(cli *c, const sat_json *doc)
{
	sat_json_write(&c->out, doc, c->format != FMT_JSONL);
	if (c->format == FMT_JSONL)
		sat_buf_str(&c->out, "\n");
}

/* ---- cells ------------------------------------------------------------------ */

/* A key may hold dots itself ("account.sector"), so it is tried whole first. */
static const sat_json *
member(const sat_json *row, const char *path)
{
	const sat_json *whole = sat_json_get(row, path);
	char key[64];
	size_t n;

	if (whole != NULL)
		return whole;
	while (row != NULL && (n = strcspn(path, ".")) != strlen(path)) {
		(void)snprintf(key, sizeof key, "%.*s", (int)n, path);
		row = sat_json_get(row, key);
		path += n + 1;
	}
	return sat_json_get(row, path);
}

/* Bytes of a character that moves columns or the terminal's cursor, or makes text
 * read in another order than it is written in: control characters of both sorts
 * (U+009B begins an escape sequence), ends of lines, U+202E and its like, by which
 * a name shows as another one. 0: it is none. */
static size_t
mover(const unsigned char *p)
{
	if (p[0] < 0x20 || p[0] == 0x7f)
		return 1;
	if (p[0] == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0)
		return 2;
	if (p[0] == 0xe2 && ((p[1] == 0x80 && p[2] >= 0xa8 && p[2] <= 0xae) ||
	    (p[1] == 0x81 && p[2] >= 0xa6 && p[2] <= 0xa9)))
		return 3;
	return 0;
}

static void
put_text(sat_buf *b, const char *s)
{
	while (*s != '\0') {
		size_t n = mover((const unsigned char *)s);

		sat_write_u8(b, n > 0 ? (uint8_t)' ' : (uint8_t)*s);
		s += n > 0 ? n : 1;
	}
}

/* In a person's table what is not so is blank; a program is told. */
static void
put_value(sat_buf *b, const sat_json *v, bool pretty)
{
	switch (sat_json_type(v)) {
	case SAT_J_INT:
		sat_buf_fmt(b, "%lld", (long long)sat_json_int(v, 0));
		return;
	case SAT_J_REAL:
		sat_buf_fmt(b, "%.2f", sat_json_real(v, 0));
		return;
	case SAT_J_BOOL:
		if (pretty)
			sat_buf_str(b, sat_json_bool(v, false) ? _("yes") : "");
		else
			sat_buf_str(b, sat_json_bool(v, false) ? "yes" : "no");
		return;
	case SAT_J_STR:
		put_text(b, sat_json_str(v, ""));
		return;
	case SAT_J_ARR:
		for (const sat_json *x = sat_json_first(v); x != NULL;
		     x = sat_json_next(x)) {
			if (x != sat_json_first(v))
				sat_buf_str(b, ", ");
			put_value(b, x, pretty);
		}
		return;
	default:
		return;
	}
}

void
cli_time_text(sat_buf *out, const cli *c, const char *rfc3339)
{
	const sat_template *t = cli_template(c);
	int tz = t != NULL ? sat_template_tz_min(t) : 0;
	char text[32];
	int64_t ms;

	if (strchr(rfc3339, 'T') == NULL || !sat_time_parse(&ms, rfc3339, tz)) {
		put_text(out, rfc3339);
		return;
	}
	sat_time_rfc3339(text, ms + (int64_t)tz * 60000);
	text[10] = ' ';
	sat_buf_add(out, text, 16);
}

void
cli_money_text(sat_buf *out, int64_t fen)
{
	char text[32];
	const char *p = text;
	size_t whole;

	sat_money_text(text, fen);
	if (*p == '-')
		sat_write_u8(out, (uint8_t)*p++);
	whole = strcspn(p, ".");
	for (size_t i = 0; i < whole; i++) {
		if (i > 0 && (whole - i) % 3 == 0)
			sat_buf_str(out, ",");
		sat_write_u8(out, (uint8_t)p[i]);
	}
	sat_buf_str(out, p + whole);
}

/* What people call the value of a key: "label": { key }, or "key_label". */
static const sat_json *
label_of(const sat_json *row, const char *key)
{
	const sat_json *label = sat_json_get(sat_json_get(row, "label"), key);
	char beside[64];

	if (label != NULL)
		return label;
	(void)snprintf(beside, sizeof beside, "%s_label", key);
	return sat_json_get(row, beside);
}

/* The name people gave to what the template knows by this key; NULL: it has
 * none. */
static const char *
name_of(const cli *c, const sat_json *row, const sat_json *v, cli_cell as)
{
	const sat_template *t = cli_template(c);
	const char *key = sat_json_str(v, NULL);
	const sat_kind *k;
	const sat_field *f;
	const sat_option *o;
	bool zh = c->lang[0] == 'z';

	if (t == NULL || key == NULL)
		return NULL;
	k = sat_template_kind(t, as == CELL_KIND ? key : sat_json_get_str(row,
	    "kind", sat_json_get_str(row, "type", "")));
	if (k == NULL || as == CELL_KIND)
		return k == NULL ? NULL : zh ? k->zh : k->en;
	if (as == CELL_FIELD) {
		f = sat_kind_field(k, key);
		return f == NULL ? NULL : zh ? f->zh : f->en;
	}
	o = k->stage == NULL || k->stage->dict == NULL ? NULL :
	    sat_dict_option(k->stage->dict, key, strlen(key));
	return o == NULL ? NULL : zh ? o->zh : o->en;
}

/* Beside the title of a task that does not hold it: whom it is about. */
static void
put_subject(sat_buf *b, const cli *c, const sat_json *row)
{
	const char *whom = sat_json_get_str(row, "subject_title", NULL);

	if (whom == NULL)
		return;
	sat_buf_str(b, c->lang[0] == 'z' ? "（" : " (");
	put_text(b, whom);
	sat_buf_str(b, c->lang[0] == 'z' ? "）" : ")");
}

static void
put_cell(sat_buf *b, const cli *c, const sat_json *row, const cli_column *col,
    bool pretty)
{
	const sat_json *v = member(row, col->key), *label;
	const char *name;

	if (!pretty) {
		put_value(b, v, false);
		return;
	}
	label = col->as == CELL_LABEL ? label_of(row, col->key) : NULL;
	if (label != NULL && sat_json_type(label) != SAT_J_NULL)
		put_value(b, label, true);
	else if (col->as == CELL_TIME && sat_json_type(v) == SAT_J_STR)
		cli_time_text(b, c, sat_json_str(v, ""));
	else if (col->as == CELL_MONEY && sat_json_type(v) == SAT_J_INT)
		cli_money_text(b, sat_json_int(v, 0));
	else if (col->as == CELL_ID && sat_json_type(v) == SAT_J_STR)
		sat_buf_fmt(b, "%.*s", ID_SHOWN, sat_json_str(v, ""));
	else if ((col->as == CELL_KIND || col->as == CELL_FIELD ||
	    col->as == CELL_STAGE) &&
	    (name = name_of(c, row, v, col->as)) != NULL)
		put_text(b, name);
	else if (col->as == CELL_SAID && sat_json_type(v) == SAT_J_STR)
		sat_text_message(b, sat_json_str(v, ""));
	else
		put_value(b, v, true);
}

void
cli_cell_text(sat_buf *b, const cli *c, const sat_json *row, const cli_column *col,
    bool pretty)
{
	sat_buf_reset(b);
	(void)sat_buf_room(b, 1);
	put_cell(b, c, row, col, pretty);
	if (strcmp(col->key, "title") == 0)
		put_subject(b, c, row);
}

/* ---- tables ------------------------------------------------------------------ */

static bool
is_right(const cli_column *col)
{
	return col->as == CELL_MONEY || col->as == CELL_NUMBER ||
	    col->as == CELL_TEXT_RIGHT;
}

static bool
may_cut(const cli_column *col)
{
	return col->as == CELL_PLAIN || col->as == CELL_LABEL ||
	    col->as == CELL_SAID || col->as == CELL_STAGE;
}

static size_t
total_of(const size_t *width, size_t n)
{
	size_t sum = n > 0 ? (n - 1) * GAP : 0;

	for (size_t i = 0; i < n; i++)
		sum += width[i];
	return sum;
}

/*
 * Fit the terminal: cut the widest texts, and when all are short already leave
 * out columns on the right (never an id, number or time cut in half: half a
 * number is a wrong number). Returns the columns that are shown.
 */
static size_t
fit(size_t *width, const cli_column *cols, size_t n, size_t room)
{
	while (room > 0 && total_of(width, n) > room) {
		size_t widest = n, texts = 0;

		for (size_t i = 0; i < n; i++) {
			size_t least = texts == 0 ? FIRST_MIN : COLUMN_MIN;

			if (!may_cut(&cols[i]))
				continue;
			texts++;
			if (width[i] > least &&
			    (widest == n || width[i] > width[widest]))
				widest = i;
		}
		if (widest < n)
			width[widest]--;
		else if (n > 1)
			n--;
		else
			break;
	}
	return n;
}

/* Left-out columns leave room: the cut ones grow back into it. */
static void
grow(size_t *width, const size_t *want, size_t n, size_t room)
{
	bool grew = room > 0;

	while (grew && total_of(width, n) < room) {
		grew = false;
		for (size_t i = 0; i < n && total_of(width, n) < room; i++)
			if (width[i] < want[i]) {
				width[i]++;
				grew = true;
			}
	}
}

static void
put_row(cli *c, const sat_json *row, const cli_column *cols, const size_t *width,
    size_t n, sat_buf *b)
{
	size_t used = c->out.n;

	for (size_t i = 0; i < n; i++) {
		const char *text = sat_text(cols[i].title);

		if (row != NULL) {
			cli_cell_text(b, c, row, &cols[i], true);
			text = sat_buf_cstr(b);
		}
		cli_pad(&c->out, text, width[i], is_right(&cols[i]));
		if (i + 1 < n)
			sat_buf_str(&c->out, "  ");
	}
	while (c->out.n > used && c->out.p[c->out.n - 1] == ' ')
		c->out.n--;
}

/* Widths of the columns' texts. Returns how many hold anything at all. */
static size_t
measure(size_t *want, bool *used, const cli *c, const sat_json *rows,
    const cli_column *cols, size_t n)
{
	size_t filled = 0;
	sat_buf b = { 0 };

	for (size_t i = 0; i < n; i++) {
		want[i] = cli_width(sat_text(cols[i].title));
		used[i] = false;
		for (const sat_json *r = sat_json_first(rows); r != NULL;
		     r = sat_json_next(r)) {
			size_t w;

			cli_cell_text(&b, c, r, &cols[i], true);
			w = cli_width(sat_buf_cstr(&b));
			want[i] = w > want[i] ? w : want[i];
			used[i] = used[i] || w > 0;
		}
		filled += used[i];
	}
	sat_buf_fini(&b);
	return filled;
}

static void
put_rows(cli *c, const sat_json *rows, const cli_column *cols,
    const size_t *width, size_t n)
{
	sat_buf b = { 0 };

	if (c->color)
		sat_buf_str(&c->out, "\033[1m");
	put_row(c, NULL, cols, width, n, &b);
	sat_buf_str(&c->out, c->color ? "\033[0m\n" : "\n");
	for (const sat_json *r = sat_json_first(rows); r != NULL;
	     r = sat_json_next(r)) {
		put_row(c, r, cols, width, n, &b);
		sat_buf_str(&c->out, "\n");
	}
	sat_buf_fini(&b);
}

/* Too wide: columns without any text go first. */
static void
print_table(cli *c, const sat_json *rows, const cli_column *cols, size_t n)
{
	size_t *want = sat_xcalloc(n + 1, sizeof *want), shown = 0;
	size_t *width = sat_xcalloc(n + 1, sizeof *width);
	bool *used = sat_xcalloc(n + 1, sizeof *used);
	cli_column *kept = sat_xcalloc(n + 1, sizeof *kept);
	size_t filled = measure(want, used, c, rows, cols, n);
	bool wide = c->term_width > 0 && total_of(want, n) > c->term_width;

	for (size_t i = 0; i < n; i++) {
		if (wide && filled > 0 && !used[i])
			continue;
		kept[shown] = cols[i];
		want[shown++] = want[i];
	}
	memcpy(width, want, shown * sizeof *width);
	shown = fit(width, kept, shown, c->term_width);
	grow(width, want, shown, c->term_width);
	put_rows(c, rows, kept, width, shown);
	if (shown < filled)
		cli_say(c, "%zu of %zu columns fit; --fields A,B chooses others\n",
		    shown, filled);
	free(kept);
	free(used);
	free(want);
	free(width);
}

/* ---- separated ------------------------------------------------------------------ */

/* -1,234.50 */
static bool
is_number(const sat_buf *b)
{
	size_t i = b->n > 0 && b->p[0] == '-';

	if (i == b->n)
		return false;
	while (i < b->n && (b->p[i] == ',' || b->p[i] == '.' ||
	    (b->p[i] >= '0' && b->p[i] <= '9')))
		i++;
	return i == b->n;
}

/* A spreadsheet runs no name of a customer (T20). */
static void
csv_cell(sat_buf *out, const sat_buf *b)
{
	sat_span v = sat_buf_span(b);
	bool quote = b->n > 0 && (memchr(b->p, ',', b->n) != NULL ||
	    memchr(b->p, '"', b->n) != NULL);

	if (quote)
		sat_buf_str(out, "\"");
	if (sat_csv_is_formula(v) && !is_number(b))
		sat_buf_str(out, "'");
	for (size_t i = 0; i < v.n; i++) {
		if (v.p[i] == '"')
			sat_buf_str(out, "\"");
		sat_write_u8(out, v.p[i]);
	}
	if (quote)
		sat_buf_str(out, "\"");
}

static void
print_separated(cli *c, const sat_json *rows, const cli_column *cols, size_t n,
    bool csv)
{
	bool nul = !csv && sat_args_has(&c->args, "null");
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
			cli_cell_text(&b, c, r, &cols[i], false);
			if (csv)
				csv_cell(&c->out, &b);
			else
				sat_buf_add(&c->out, b.p, b.n);
		}
		sat_write_u8(&c->out, nul ? 0 : '\n');
	}
	sat_buf_fini(&b);
}

void
cli_print_rows(cli *c, const sat_json *doc, const cli_column *cols, size_t n)
{
	const sat_json *rows = sat_json_get(doc, "data");

	switch (cli_format_of(c)) {
	case FMT_JSON:
		cli_print_json(c, doc);
		break;
	case FMT_JSONL:
		for (const sat_json *r = sat_json_first(rows); r != NULL;
		     r = sat_json_next(r))
			cli_print_json(c, r);
		break;
	case FMT_TABLE:
		print_table(c, rows, cols, n);
		break;
	default:
		print_separated(c, rows, cols, n, c->format == FMT_CSV);
		break;
	}
}

/* ---- one object ------------------------------------------------------------------ */

static void
print_members(cli *c, const sat_json *obj, const char *prefix)
{
	bool table = cli_format_of(c) == FMT_TABLE;
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
		put_value(&b, m, false);
		if (table) {
			size_t w = cli_width(full);

			cli_pad(&c->out, full, w > 20 ? w : 20, false);
			sat_buf_fmt(&c->out, "  %s\n", sat_buf_cstr(&b));
		} else if (c->format == FMT_CSV) {
			sat_buf_fmt(&c->out, "%s,", full);
			csv_cell(&c->out, &b);
			sat_buf_str(&c->out, "\n");
		} else {
			sat_buf_fmt(&c->out, "%s\t%s\n", full, sat_buf_cstr(&b));
		}
	}
	sat_buf_fini(&b);
}

void
cli_print_object(cli *c, const sat_json *obj)
{
	if (cli_is_json(c))
		cli_print_json(c, obj);
	else if (c->format == FMT_CSV)
		sat_buf_str(&c->out, "key,value\n");
	if (!cli_is_json(c))
		print_members(c, obj, "");
}

void
cli_print_relayed(cli *c, const sat_json *doc)
{
	sat_json *rest = sat_json_dup(doc);

	sat_json_del(rest, "noun");
	sat_json_del(rest, "verb");
	sat_json_del(rest, "of");
	cli_print_object(c, cli_is_json(c) ? doc : rest);
	sat_json_free(rest);
}

void
cli_print_or_none(cli *c, const sat_json *doc, const cli_column *cols, size_t n,
    const char *none)
{
	if (cli_format_of(c) == FMT_TABLE &&
	    sat_json_count(sat_json_get(doc, "data")) == 0)
		cli_say(c, "%s\n", sat_text(none));
	else
		cli_print_rows(c, doc, cols, n);
}

sat_rc
cli_ask_list(cli *c, const char *path, const cli_column *cols, size_t n,
    const char *none, sat_err *e)
{
	sat_json *doc = NULL;
	sat_rc rc = cli_ask(&doc, c, "GET", path, NULL, NULL, e);

	if (rc == SAT_OK && none != NULL)
		cli_print_or_none(c, doc, cols, n, none);
	else if (rc == SAT_OK)
		cli_print_rows(c, doc, cols, n);
	sat_json_free(doc);
	return rc;
}
