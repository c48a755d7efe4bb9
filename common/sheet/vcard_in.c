/*
 * vcard_in.c - vCards (2.1, 3.0, 4.0) as rows of a sheet, one card a row.
 *
 * A line is unfolded into at most SAT_CSV_FIELD_MAX bytes; what is longer and
 * not wanted (photos, sounds, keys) is read and forgotten, so memory is bounded
 * whatever the file holds. The columns are the fields of a contact, so a file
 * of cards needs no mapping.
 *
 * Invariants, named in the tests:
 *   V1  a bad card is a faulty row; the next card is read.
 *   V2  a field that is handed out is valid UTF-8 without control characters,
 *       but for line feeds in a remark.
 *   V3  memory is bounded by SAT_CSV_FIELD_MAX a column, not by the file.
 */
#include "common/sheet/csv_int.h"
#include "common/sheet/sheet_int.h"

#include "common/base/mem.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { C_ID, C_NAME, C_ACCOUNT, C_TITLE, C_DEPT, C_PHONE, C_EMAIL, C_WECHAT,
	C_REMARK, NCOLUMNS };
static const char *const columns[NCOLUMNS] = { "id", "name", "account",
	"title", "dept", "phone", "email", "wechat", "remark" };

/* Of a line that is too long even to hold: enough for its name. */
#define CUT_HEAD 256

static const char no_end[] = "the card does not end";
static const char no_begin[] = "the card has no BEGIN:VCARD";
static const char long_value[] = "a value is longer than 65536 bytes";
static const char bad_bytes[] = "bytes that the encoding does not know";

struct vcard {
	csv_source src;
	sat_buf line, next;      /* a property; the line after it */
	bool has_next, too_long, next_cut;
	uint64_t line_no, next_no;
	sat_buf value, decoded;
	sat_buf cells[NCOLUMNS];
	bool mobile;             /* the phone that is held is one */
	bool agent;              /* the property before was one without a value */
	bool again;              /* the property at hand was not taken yet */
	unsigned depth;
	uint64_t lost;           /* line where a card without a beginning is */
	const char *fault;
	sat_span fields[NCOLUMNS];
	sat_csv_row row;
	uint64_t number;
};

/* ---- lines --------------------------------------------------------------------- */

static void
fetch(sat_rc *rc, vcard *v, sat_err *e)
{
	sat_span s;

	v->src.keep = v->src.at;
	v->next_no = v->src.line;
	sat_buf_reset(&v->next);
	*rc = sat_csv_source_line(&s, &v->next_cut, &v->src, e);
	v->has_next = *rc == SAT_OK && (v->next_cut || s.n > 0);
	if (*rc == SAT_OK && v->next_cut) {
		sat_buf_add(&v->next, v->src.text.p + v->src.at, CUT_HEAD);
		*rc = sat_csv_source_skip(&v->src, e);
		return;
	}
	while (s.n > 0 && (s.p[s.n - 1] == '\n' || s.p[s.n - 1] == '\r'))
		s.n--;
	sat_buf_add(&v->next, s.p, s.n);
}

static void
append(vcard *v, const uint8_t *p, size_t n)
{
	size_t room = SAT_CSV_FIELD_MAX - v->line.n;

	if (v->next_cut || n > room)
		v->too_long = true;
	sat_buf_add(&v->line, p, n < room ? n : room); /* its name is read */
}

static bool
has_word(sat_span s, const char *word)
{
	size_t n = strlen(word);

	for (size_t i = 0; i + n <= s.n; i++)
		if (strncasecmp((const char *)s.p + i, word, n) == 0)
			return true;
	return false;
}

/* Name and parameters, up to the colon outside quotes. */
static sat_span
head_of(sat_span line)
{
	bool quoted = false;

	for (size_t i = 0; i < line.n; i++) {
		if (line.p[i] == '"')
			quoted = !quoted;
		else if (line.p[i] == ':' && !quoted)
			return sat_span_of(line.p, i);
	}
	return sat_span_of(line.p, 0);
}

static bool
goes_on(const vcard *v)
{
	const sat_buf *l = &v->line;

	return l->n > 0 && l->p[l->n - 1] == '=' &&
	    has_word(head_of(sat_buf_span(l)), "QUOTED-PRINTABLE");
}

/* The next property, unfolded; false at the end of the file. */
static sat_rc
next_property(bool *got, vcard *v, sat_err *e)
{
	sat_rc rc = SAT_OK;

	if (!v->has_next)
		fetch(&rc, v, e);
	*got = v->has_next;
	if (rc != SAT_OK || !v->has_next)
		return rc;
	sat_buf_reset(&v->line);
	v->too_long = false;
	v->line_no = v->next_no;
	append(v, v->next.p, v->next.n);
	for (;;) {
		fetch(&rc, v, e);
		if (rc != SAT_OK || !v->has_next)
			return rc;
		if (v->next.n > 0 &&
		    (v->next.p[0] == ' ' || v->next.p[0] == '\t')) {
			append(v, v->next.p + 1, v->next.n - 1);
		} else if (goes_on(v)) {
			v->line.n--;
			append(v, v->next.p, v->next.n);
		} else {
			return SAT_OK;
		}
	}
}

/* ---- values ------------------------------------------------------------------------ */

static int
hex(uint8_t c)
{
	return c >= '0' && c <= '9' ? c - '0'
	    : c >= 'A' && c <= 'F'  ? c - 'A' + 10
	    : c >= 'a' && c <= 'f'  ? c - 'a' + 10
	                            : -1;
}

static void
undo_printable(sat_buf *out, sat_span s)
{
	for (size_t i = 0; i < s.n; i++) {
		int hi = s.p[i] == '=' && i + 2 < s.n ? hex(s.p[i + 1]) : -1;
		int lo = hi >= 0 ? hex(s.p[i + 2]) : -1;

		if (lo >= 0)
			i += 2;
		sat_write_u8(out, lo >= 0 ? (uint8_t)(hi * 16 + lo) : s.p[i]);
	}
}

/* Bytes of a quoted-printable value that are no UTF-8 are what phones in China
 * write, whatever CHARSET says. */
static void
to_utf8(sat_buf *out, const sat_buf *in)
{
	iconv_t cd = sat_utf8_ok(in->p, in->n) ? (iconv_t)-1 :
	    iconv_open("UTF-8", "GB18030");
	size_t left = in->n, room = in->n * 2 + 16, had = room;
	char *from = (char *)in->p, *to;

	if (cd == (iconv_t)-1) {
		sat_csv_repair(out, sat_span_of(in->p, in->n));
		return;
	}
	to = (char *)sat_buf_room(out, room);
	if (iconv(cd, &from, &left, &to, &room) == (size_t)-1) {
		(void)iconv_close(cd);
		sat_csv_repair(out, sat_span_of(in->p, in->n));
		return;
	}
	out->n += had - room;
	(void)iconv_close(cd);
}

/* The value as UTF-8, its backslashes still in it. */
static sat_span
decode_value(vcard *v, sat_span head, sat_span s)
{
	sat_buf_reset(&v->value);
	sat_buf_reset(&v->decoded);
	if (has_word(head, "QUOTED-PRINTABLE")) {
		undo_printable(&v->value, s);
		to_utf8(&v->decoded, &v->value);
	} else {
		if (!sat_utf8_ok(s.p, s.n))
			v->fault = bad_bytes;
		sat_csv_repair(&v->decoded, s);
	}
	return sat_buf_span(&v->decoded);
}

/* One component up to `;` (0: all), without backslashes; returns what it read. */
static size_t
component(sat_buf *out, sat_span s, char end, bool lines)
{
	size_t i;

	for (i = 0; i < s.n && (end == 0 || s.p[i] != (uint8_t)end); i++) {
		uint8_t c = s.p[i];

		if (c == '\\' && i + 1 < s.n) {
			c = s.p[++i];
			if (c == 'n' || c == 'N')
				c = '\n';
		}
		if (c == '\n' && !lines)
			c = ' ';
		if (c >= ' ' || c == '\n')
			sat_write_u8(out, c == 0x7f ? ' ' : c);
	}
	return i;
}

/* The first one counts. */
static void
put(vcard *v, int column, sat_span s)
{
	sat_buf *cell = &v->cells[column];

	if (cell->n == 0 && s.n > 0)
		(void)component(cell, s, 0, column == C_REMARK);
}

/* Family and given name: together in Chinese, given first elsewhere. */
static void
put_name(vcard *v, sat_span s)
{
	sat_buf family = { 0 }, given = { 0 }, *cell = &v->cells[C_NAME];
	size_t n = component(&family, s, ';', false);

	if (n < s.n)
		(void)component(&given, sat_span_of(s.p + n + 1, s.n - n - 1),
		    ';', false);
	if (family.n > 0 && family.p[0] >= 0x80) {
		sat_buf_add(cell, family.p, family.n);
		sat_buf_add(cell, given.p, given.n);
	} else {
		sat_buf_add(cell, given.p, given.n);
		if (family.n > 0 && given.n > 0)
			sat_buf_str(cell, " ");
		sat_buf_add(cell, family.p, family.n);
	}
	sat_buf_fini(&family);
	sat_buf_fini(&given);
}

static void
put_org(vcard *v, sat_span s)
{
	size_t n;

	if (v->cells[C_ACCOUNT].n > 0)
		return;
	n = component(&v->cells[C_ACCOUNT], s, ';', false);
	if (n < s.n && v->cells[C_DEPT].n == 0)
		(void)component(&v->cells[C_DEPT], sat_span_of(s.p + n + 1,
		    s.n - n - 1), ';', false);
}

/* The first mobile phone, else the first one that is no fax. */
static void
put_phone(vcard *v, sat_span head, sat_span s)
{
	bool mobile = has_word(head, "CELL");

	if (has_word(head, "FAX") ||
	    (v->cells[C_PHONE].n > 0 && (v->mobile || !mobile)))
		return;
	if (s.n > 4 && strncasecmp((const char *)s.p, "tel:", 4) == 0)
		s = sat_span_of(s.p + 4, s.n - 4);
	sat_buf_reset(&v->cells[C_PHONE]);
	v->mobile = mobile;
	put(v, C_PHONE, s);
}

/* An id of our own export finds its record again; others' mean nothing here. */
static void
put_id(vcard *v, sat_span s)
{
	static const char ours[] = "urn:satchel:";
	size_t n = sizeof ours - 1;

	if (s.n > n && memcmp(s.p, ours, n) == 0)
		put(v, C_ID, sat_span_of(s.p + n, s.n - n));
}

/* ---- properties -------------------------------------------------------------------- */

/* "item1.TEL;TYPE=cell" -> "TEL" */
static sat_span
name_of(sat_span head)
{
	size_t from = 0, to = 0;

	while (to < head.n && head.p[to] != ';')
		to++;
	for (size_t i = 0; i < to; i++)
		if (head.p[i] == '.')
			from = i + 1;
	return sat_span_of(head.p + from, to - from);
}

static bool
is(sat_span s, const char *word)
{
	return s.n == strlen(word) &&
	    strncasecmp((const char *)s.p, word, s.n) == 0;
}

static const struct {
	const char *name;
	int column;
} wanted[] = { { "UID", C_ID }, { "FN", C_NAME }, { "N", NCOLUMNS },
	{ "ORG", C_ACCOUNT }, { "TITLE", C_TITLE }, { "TEL", C_PHONE },
	{ "EMAIL", C_EMAIL }, { "X-WECHAT", C_WECHAT },
	{ "X-WEIXIN", C_WECHAT }, { "NOTE", C_REMARK } };

static void
take(vcard *v, int column, sat_span head, sat_span s)
{
	switch (column) {
	case NCOLUMNS: /* N; FN counts more and comes in any order */
		if (v->cells[C_NAME].n == 0)
			put_name(v, s);
		break;
	case C_NAME:
		if (s.n > 0)
			sat_buf_reset(&v->cells[C_NAME]);
		put(v, C_NAME, s);
		break;
	case C_ACCOUNT: put_org(v, s); break;
	case C_PHONE: put_phone(v, head, s); break;
	case C_ID: put_id(v, s); break;
	default: put(v, column, s); break;
	}
}

static void
property(vcard *v, sat_span head, sat_span s)
{
	sat_span name = name_of(head);
	size_t i = 0;

	while (i < sizeof wanted / sizeof wanted[0] &&
	    !is(name, wanted[i].name))
		i++;
	if (i == sizeof wanted / sizeof wanted[0])
		return;
	if (v->too_long)
		v->fault = long_value;
	else if (!has_word(head, "BASE64") && !has_word(head, "ENCODING=B"))
		take(v, wanted[i].column, head, decode_value(v, head, s));
}

static void
begin_card(vcard *v)
{
	for (size_t i = 0; i < NCOLUMNS; i++)
		sat_buf_reset(&v->cells[i]);
	v->fault = NULL;
	v->mobile = false;
	v->row.line = v->line_no;
	v->depth = 1;
}

/* What was read so far is a faulty card. */
static bool
broken(vcard *v, const char *fault)
{
	if (fault == no_begin)
		v->row.line = v->lost;
	v->fault = fault;
	v->depth = 0;
	v->lost = 0;
	return true;
}

/* What tells that there is a person; a calendar between cards is none. */
static bool
is_of_a_card(sat_span name)
{
	return is(name, "FN") || is(name, "N") || is(name, "TEL");
}

static bool
is_blank(sat_span s)
{
	while (s.n > 0 && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
		s.n--;
	return s.n == 0;
}

/* One property; *done: a card is whole, or at fault. A card inside another one
 * is not ours to read, and only an agent's stands there: any other begins where
 * the end of the one before it was lost (V1). */
static void
one(bool *done, vcard *v)
{
	sat_span line = sat_buf_span(&v->line), head = head_of(line);
	sat_span s = head.n < line.n ? sat_span_of(line.p + head.n + 1,
	    line.n - head.n - 1) : sat_span_of(NULL, 0);
	bool agent = v->agent, card = is(sat_sheet_trimmed(s), "VCARD");

	*done = false;
	if (is_blank(line))
		return;
	v->agent = is(name_of(head), "AGENT") && is_blank(s);
	if (is(head, "BEGIN") && card) {
		if (v->depth > 0 && agent)
			v->depth++;
		else if (v->depth > 0 || v->lost > 0)
			*done = v->again = broken(v,
			    v->depth > 0 ? no_end : no_begin);
		else
			begin_card(v);
	} else if (is(head, "END") && card) {
		*done = v->depth == 1 || (v->lost > 0 && broken(v, no_begin));
		v->depth -= v->depth > 0;
	} else if (v->depth == 0 && v->lost == 0 &&
	    is_of_a_card(name_of(head))) {
		v->lost = v->line_no;
	} else if (v->depth == 1 && head.n > 0) {
		property(v, head, s);
	}
}

static void
finish_row(vcard *v)
{
	for (size_t i = 0; i < NCOLUMNS; i++) {
		v->fields[i] = sat_buf_span(&v->cells[i]);
		if (v->cells[i].n > SAT_CSV_FIELD_MAX)
			v->fault = long_value;
	}
	v->row.number = ++v->number;
	v->row.fields = v->fields;
	v->row.fault = v->fault;
	v->row.n = v->fault == NULL || v->fault == bad_bytes ? NCOLUMNS : 0;
}

/* ---- the sheet --------------------------------------------------------------------- */

sat_rc
sat_vcard_open(vcard **out, const char *path, const sat_sheet_opts *o,
    sat_err *e)
{
	vcard *v = sat_xcalloc(1, sizeof *v);
	sat_rc rc = sat_csv_source_open(&v->src, path, o->encoding, e);

	if (rc != SAT_OK) {
		free(v);
		v = NULL;
	}
	*out = v;
	return rc;
}

size_t
sat_vcard_columns(void)
{
	return NCOLUMNS;
}

const char *
sat_vcard_column(size_t i)
{
	return columns[i];
}

void
sat_vcard_progress(const vcard *v, uint64_t *done, uint64_t *total)
{
	*done = v->src.done < v->src.total ? v->src.done : v->src.total;
	*total = v->src.total;
}

sat_rc
sat_vcard_next(const sat_sheet_row **row, vcard *v, sat_err *e)
{
	bool got = true, done = false;
	sat_rc rc = SAT_OK;

	*row = NULL;
	while (!done && got) {
		if (!v->again && (rc = next_property(&got, v, e)) != SAT_OK)
			return rc;
		v->again = false;
		if (got)
			one(&done, v);
	}
	if (!done && v->depth == 0 && v->lost == 0)
		return SAT_OK;
	if (!done)
		(void)broken(v, v->depth > 0 ? no_end : no_begin);
	finish_row(v);
	*row = &v->row;
	return SAT_OK;
}

void
sat_vcard_close(vcard *v)
{
	if (v == NULL)
		return;
	sat_csv_source_close(&v->src);
	sat_buf_fini(&v->line);
	sat_buf_fini(&v->next);
	sat_buf_fini(&v->value);
	sat_buf_fini(&v->decoded);
	for (size_t i = 0; i < NCOLUMNS; i++)
		sat_buf_fini(&v->cells[i]);
	free(v);
}
