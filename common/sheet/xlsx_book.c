/*
 * xlsx_book.c - the parts of a book around its sheet: which part the sheet
 * is, the shared texts, the formats that make a number a date; and the XML
 * parser all parts go through.
 */
#include "common/sheet/xlsx_in.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PIECE 16384
#define DEPTH_MAX 64
#define STYLES_MAX 65536

/* ---- XML in general --------------------------------------------------------------- */

const char *
xlsx_local(const char *name)
{
	const char *colon = strrchr(name, ':');

	return colon != NULL ? colon + 1 : name;
}

const char *
xlsx_attr(const char **a, const char *name)
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
bool
xlsx_deeper(xlsx *x)
{
	if (++x->depth <= DEPTH_MAX)
		return true;
	x->too_deep = true;
	(void)XML_StopParser(x->parser, XML_FALSE);
	return false;
}

void
xlsx_parser_new(xlsx *x, XML_StartElementHandler start, XML_EndElementHandler end,
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
	if (x->too_many_texts)
		return sat_fail_code(e, SAT_EINVALID, "sheet.refused", NULL,
		    "xlsx: the book has more than %u texts or %u MiB of them",
		    SAT_XLSX_TEXT_COUNT_MAX, SAT_XLSX_TEXTS_MAX >> 20);
	return sat_fail_code(e, SAT_EINVALID, "sheet.broken", NULL,
	    "xlsx: the XML is damaged: %s",
	    XML_ErrorString(XML_GetErrorCode(x->parser)));
}

/* The next piece of the open part; *more false when it was the last. */
sat_rc
xlsx_parse_piece(bool *more, xlsx *x, sat_err *e)
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
		rc = xlsx_parse_piece(&more, x, e);
	sat_xlsx_part_close(x->zip);
	return rc;
}

/* ---- the book: which part is the sheet ---------------------------------------------- */

static void XMLCALL
book_start(void *u, const char *name, const char **a)
{
	xlsx *x = u;
	const char *v;

	if (!xlsx_deeper(x))
		return;
	name = xlsx_local(name);
	if (strcmp(name, "workbookPr") == 0 &&
	    (v = xlsx_attr(a, "date1904")) != NULL)
		x->since_1904 = strcmp(v, "1") == 0 || strcmp(v, "true") == 0;
	if (strcmp(name, "sheet") != 0 || ++x->seen_sheets != x->want)
		return;
	for (; a[0] != NULL; a += 2)
		if (strcmp(xlsx_local(a[0]), "id") == 0 && strchr(a[0], ':') != NULL)
			(void)snprintf(x->rid, sizeof x->rid, "%s", a[1]);
}

static void XMLCALL
rels_start(void *u, const char *name, const char **a)
{
	xlsx *x = u;
	const char *id = xlsx_attr(a, "Id"), *target = xlsx_attr(a, "Target");

	if (!xlsx_deeper(x) || strcmp(xlsx_local(name), "Relationship") != 0 ||
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

	xlsx_parser_new(x, book_start, any_end, NULL);
	if ((rc = parse_part(x, "xl/workbook.xml", true, e)) != SAT_OK)
		return rc;
	if (x->rid[0] == '\0')
		return sat_fail_code(e, SAT_EINVALID, "sheet.unknown", NULL,
		    "xlsx: the book has %u sheets, there is no sheet %u",
		    x->seen_sheets, x->want);
	xlsx_parser_new(x, rels_start, any_end, NULL);
	if ((rc = parse_part(x, "xl/_rels/workbook.xml.rels", true, e)) !=
	    SAT_OK)
		return rc;
	return x->target[0] != '\0' ? SAT_OK
	    : sat_fail_code(e, SAT_EINVALID, "sheet.broken", NULL,
	          "xlsx: the book does not say where its sheet is");
}

/* ---- shared texts ----------------------------------------------------------------------- */

static void
stop_texts(xlsx *x)
{
	x->too_many_texts = true;
	(void)XML_StopParser(x->parser, XML_FALSE);
}

/* The end of one text, where the next one begins. */
static void
mark_text(xlsx *x)
{
	if (x->nshared >= SAT_XLSX_TEXT_COUNT_MAX) {
		stop_texts(x);
		return;
	}
	if (x->nshared + 2 > x->shared_cap) {
		x->shared_cap = x->shared_cap == 0 ? 1024 : x->shared_cap * 2;
		x->shared_at = sat_xrealloc(x->shared_at,
		    x->shared_cap * sizeof *x->shared_at);
		x->shared_at[0] = 0;
	}
	x->shared_at[++x->nshared] = x->shared.n;
}

static void XMLCALL
texts_start(void *u, const char *name, const char **a)
{
	xlsx *x = u;

	(void)a;
	if (!xlsx_deeper(x))
		return;
	name = xlsx_local(name);
	if (strcmp(name, "si") == 0)
		x->in_shared++;
	else if (strcmp(name, "rPh") == 0)
		x->phonetic = true; /* how to read it aloud: not the text */
	else if (strcmp(name, "t") == 0)
		x->in_text = x->in_shared > 0 && !x->phonetic;
}

static void XMLCALL
texts_end(void *u, const char *name)
{
	xlsx *x = u;

	x->depth--;
	name = xlsx_local(name);
	if (strcmp(name, "t") == 0)
		x->in_text = false;
	else if (strcmp(name, "rPh") == 0)
		x->phonetic = false;
	else if (strcmp(name, "si") == 0 && --x->in_shared == 0)
		mark_text(x); /* one in another is no text of its own (X4) */
}

static void XMLCALL
texts_text(void *u, const char *s, int n)
{
	xlsx *x = u;

	if (!x->in_text)
		return;
	if (x->shared.n + (size_t)n > SAT_XLSX_TEXTS_MAX)
		stop_texts(x);
	else
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

unsigned
xlsx_number_of(const char *s)
{
	unsigned long v = s != NULL ? strtoul(s, NULL, 10) : 0;

	return v > STYLES_MAX * 16u ? 0 : (unsigned)v;
}

static void XMLCALL
styles_start(void *u, const char *name, const char **a)
{
	xlsx *x = u;
	const char *code;

	if (!xlsx_deeper(x))
		return;
	name = xlsx_local(name);
	if (strcmp(name, "numFmt") == 0 &&
	    (code = xlsx_attr(a, "formatCode")) != NULL && x->ncustom < 1024) {
		x->custom[x->ncustom].id = xlsx_number_of(xlsx_attr(a, "numFmtId"));
		x->custom[x->ncustom++].what = what_of_code(code);
	} else if (strcmp(name, "cellXfs") == 0) {
		x->in_cell_formats = true;
	} else if (x->in_cell_formats && strcmp(name, "xf") == 0 &&
	    x->nstyles < STYLES_MAX) {
		if ((x->nstyles & (x->nstyles - 1)) == 0)
			x->style = sat_xrealloc(x->style,
			    x->nstyles == 0 ? 1 : x->nstyles * 2);
		x->style[x->nstyles++] = what_of_id(x,
		    xlsx_number_of(xlsx_attr(a, "numFmtId")));
	}
}

static void XMLCALL
styles_end(void *u, const char *name)
{
	xlsx *x = u;

	x->depth--;
	if (strcmp(xlsx_local(name), "cellXfs") == 0)
		x->in_cell_formats = false;
}

/* ---- all of them ------------------------------------------------------------------- */

sat_rc
xlsx_read_parts(xlsx *x, sat_err *e)
{
	sat_rc rc = read_book(x, e);

	if (rc != SAT_OK)
		return rc;
	xlsx_parser_new(x, texts_start, texts_end, texts_text);
	if ((rc = parse_part(x, "xl/sharedStrings.xml", false, e)) != SAT_OK)
		return rc;
	xlsx_parser_new(x, styles_start, styles_end, NULL);
	rc = parse_part(x, "xl/styles.xml", false, e);
	x->in_text = x->phonetic = false;
	return rc;
}
