/*
 * sheet.c - one front for all formats. Which one it is, the first bytes say:
 * a book is a zip, cards begin with BEGIN:VCARD, the rest is CSV.
 */
#include "common/sheet/sheet_int.h"

#include "common/base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct sat_sheet {
	sat_csv *csv; /* one of the three */
	xlsx *x;
	vcard *cards;
};

typedef enum { IS_CSV, IS_BOOK, IS_CARDS } format;

/* The Latin letters of UTF-16 behind its mark, as far as there are such. */
static void
narrow(char *head, size_t n)
{
	size_t low = memcmp(head, "\xff\xfe", 2) == 0 ? 0 : 1, to = 0;

	for (size_t i = 2; i + 1 < n && head[i + 1 - low] == '\0'; i += 2)
		head[to++] = head[i + low];
	head[to] = '\0';
}

static format
format_of(const char *path)
{
	static const char begin[] = "BEGIN:VCARD";
	FILE *f = fopen(path, "rb");
	char head[64] = "", *p = head;
	size_t n = f != NULL ? fread(head, 1, sizeof head - 1, f) : 0;

	if (f != NULL)
		(void)fclose(f);
	if (n >= 4 && memcmp(head, "PK\3\4", 4) == 0)
		return IS_BOOK;
	if (n >= 3 && memcmp(head, "\xef\xbb\xbf", 3) == 0)
		p += 3;
	else if (n >= 2 && (memcmp(head, "\xff\xfe", 2) == 0 ||
	    memcmp(head, "\xfe\xff", 2) == 0))
		narrow(head, n);
	p += strspn(p, " \t\r\n");
	return strncasecmp(p, begin, sizeof begin - 1) == 0 ? IS_CARDS : IS_CSV;
}

sat_rc
sat_sheet_open(sat_sheet **out, const char *path, const sat_sheet_opts *o,
    sat_err *e)
{
	static const sat_sheet_opts none = { 0 };
	sat_sheet *s = sat_xcalloc(1, sizeof *s);
	sat_csv_opts co;
	sat_rc rc;

	if (o == NULL)
		o = &none;
	co = (sat_csv_opts){ o->encoding, o->delimiter, o->header_row };
	switch (format_of(path)) {
	case IS_BOOK: rc = sat_xlsx_open(&s->x, path, o, e); break;
	case IS_CARDS: rc = sat_vcard_open(&s->cards, path, o, e); break;
	default: rc = sat_csv_open(&s->csv, path, &co, e); break;
	}
	if (rc != SAT_OK) {
		free(s);
		s = NULL;
	}
	*out = s;
	return rc;
}

size_t
sat_sheet_columns(const sat_sheet *s)
{
	if (s->cards != NULL)
		return sat_vcard_columns();
	return s->x != NULL ? sat_xlsx_columns(s->x) : sat_csv_columns(s->csv);
}

const char *
sat_sheet_column(const sat_sheet *s, size_t i)
{
	if (s->cards != NULL)
		return sat_vcard_column(i);
	return s->x != NULL ? sat_xlsx_column(s->x, i)
	                    : sat_csv_column(s->csv, i);
}

const char *
sat_sheet_format(const sat_sheet *s)
{
	return s->cards != NULL ? "vcard" : s->x != NULL ? "xlsx" : sat_csv_encoding(s->csv);
}

void
sat_sheet_progress(const sat_sheet *s, uint64_t *done, uint64_t *total)
{
	if (s->cards != NULL)
		sat_vcard_progress(s->cards, done, total);
	else if (s->x != NULL)
		sat_xlsx_progress(s->x, done, total);
	else
		sat_csv_progress(s->csv, done, total);
}

sat_rc
sat_sheet_next(const sat_sheet_row **row, sat_sheet *s, sat_err *e)
{
	if (s->cards != NULL)
		return sat_vcard_next(row, s->cards, e);
	return s->x != NULL ? sat_xlsx_next(row, s->x, e)
	                    : sat_csv_next(row, s->csv, e);
}

void
sat_sheet_close(sat_sheet *s)
{
	if (s == NULL)
		return;
	sat_xlsx_close(s->x);
	sat_csv_close(s->csv);
	sat_vcard_close(s->cards);
	free(s);
}

/* ---- writing ------------------------------------------------------------------- */

struct sat_sheet_out {
	sat_csv_out *csv; /* one of the two */
	xlsx_out *x;
};

sat_rc
sat_sheet_out_open(sat_sheet_out **out, const char *path,
    const sat_sheet_out_opts *o, sat_err *e)
{
	static const sat_sheet_out_opts none;
	sat_sheet_out *s = sat_xcalloc(1, sizeof *s);
	sat_csv_out_opts co = { 0 };
	sat_rc rc;

	if (o == NULL)
		o = &none;
	co.encoding = o->encoding;
	co.fd = o->fd;
	co.raw = o->raw;
	if (o->format != NULL && strcmp(o->format, "xlsx") == 0)
		rc = path == NULL || strcmp(path, "-") == 0
		    ? sat_fail_code(e, SAT_EUSAGE, "usage.format",
		          "name a file: -o FILE.xlsx",
		          "a book cannot be written to standard output")
		    : sat_xlsx_out_open(&s->x, path, o->title, e);
	else
		rc = sat_csv_out_open(&s->csv, path, &co, e);
	if (rc != SAT_OK) {
		free(s);
		s = NULL;
	}
	*out = s;
	return rc;
}

void
sat_sheet_out_text(sat_sheet_out *s, sat_span v)
{
	if (s->x != NULL)
		sat_xlsx_out_cell(s->x, v, false);
	else
		sat_csv_out_text(s->csv, v);
}

void
sat_sheet_out_plain(sat_sheet_out *s, sat_span v)
{
	if (s->x != NULL)
		sat_xlsx_out_cell(s->x, v, true);
	else
		sat_csv_out_plain(s->csv, v);
}

sat_rc
sat_sheet_out_endrow(sat_sheet_out *s, sat_err *e)
{
	if (s->x == NULL)
		return sat_csv_out_endrow(s->csv, e);
	sat_xlsx_out_endrow(s->x);
	return SAT_OK;
}

void
sat_sheet_out_about(sat_sheet_out *s, const char *title, const char *what,
    const char *is)
{
	if (s->x != NULL)
		sat_xlsx_out_about(s->x, title, what, is);
}

sat_rc
sat_sheet_out_close(sat_sheet_out *s, bool keep, sat_err *e)
{
	sat_rc rc = s->x != NULL ? sat_xlsx_out_close(s->x, keep, e)
	                         : sat_csv_out_close(s->csv, keep, e);

	free(s);
	return rc;
}
