/*
 * The reader of books: the bytes are the file, in memory, when they begin as a
 * zip does; else they are what stands in a whole book, an element or a text a
 * byte, so that a search that knows neither deflate nor XML gets inside the
 * parts. Cells are UTF-8 and bounded, a row has no more cells than the header
 * unless it is at fault.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/sheet/sheet.h"
#include "tests/lib/zip.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void
read_all(sat_sheet *s)
{
	const sat_sheet_row *row;

	for (;;) {
		if (sat_sheet_next(&row, s, NULL) != SAT_OK || row == NULL)
			return;
		if (row->n > SAT_CSV_COLUMNS_MAX ||
		    (row->fault == NULL && row->n > sat_sheet_columns(s)))
			abort();
		for (size_t i = 0; i < row->n; i++)
			if (row->fields[i].n > SAT_CSV_FIELD_MAX ||
			    !sat_utf8_ok(row->fields[i].p, row->fields[i].n))
				abort();
	}
}

/* ---- a book of bytes ----------------------------------------------------------- */

#define DEEP 80 /* more than the reader follows */
#define XML_MAX (1u << 20)

static const char *const elements[] = { "si", "row", "t", "rPh", "r", "c", "v",
	"is", "x:si", "c t=\"s\"", "c t=\"inlineStr\"", "c t=\"str\"",
	"c t=\"e\"", "c t=\"b\"", "c r=\"C1\"", "c r=\"SR1\"", "c s=\"1\"",
	"row r=\"7\"", "xf numFmtId=\"14\"", "cellXfs" };
static const char *const texts[] = { "0", "1023", "46348.5", "-1e400", "\xe5\xae\xa2",
	"&#10;a", "1025" };
enum { N_ELEMENTS = sizeof elements / sizeof elements[0],
	N_TEXTS = sizeof texts / sizeof texts[0],
	CLOSE = N_ELEMENTS + N_TEXTS, NEXT_PART, N_BYTES };

static void
close_one(sat_buf *b, const char *const *open, unsigned *depth)
{
	const char *name = open[--*depth];

	sat_buf_fmt(b, "</%.*s>", (int)strcspn(name, " "), name);
}

/* The next part: the lower five bits of a byte say what, the upper three how
 * often, 1 to 128 times. What is open at its end is closed. */
static void
grow_part(sat_buf *b, const char *root, const uint8_t **p, const uint8_t *end)
{
	const char *open[DEEP] = { root };
	unsigned depth = 1, what = 0;

	sat_buf_fmt(b, "<%s xmlns:x=\"x\">", root);
	while (*p < end && b->n < XML_MAX && what != NEXT_PART) {
		what = **p & 31u;
		for (unsigned i = 1u << (**p >> 5); i > 0; i--) {
			if (what < N_ELEMENTS && depth < DEEP) {
				sat_buf_fmt(b, "<%s>", elements[what]);
				open[depth++] = elements[what];
			} else if (what == CLOSE && depth > 1) {
				close_one(b, open, &depth);
			} else if (what >= N_ELEMENTS && what < CLOSE) {
				sat_buf_str(b, texts[what - N_ELEMENTS]);
			} else if (what >= N_BYTES) { /* the first, empty */
				sat_buf_fmt(b, "<%s/>",
				    elements[what - N_BYTES]);
			}
		}
		++*p;
	}
	while (depth > 0)
		close_one(b, open, &depth);
}

static void
grow_book(sat_buf *out, const uint8_t *p, size_t n)
{
	static const struct { const char *name, *root; } parts[] = {
		{ "xl/sharedStrings.xml", "sst" },
		{ "xl/worksheets/s.xml", "worksheet" },
		{ "xl/styles.xml", "styleSheet" } };
	const uint8_t *end = p + n;
	test_zip z = { 0 };
	sat_buf b = { 0 };

	test_zip_add(&z, "xl/workbook.xml", sat_span_str("<w xmlns:r=\"x\">"
	    "<sheet r:id=\"1\"/></w>"));
	test_zip_add(&z, "xl/_rels/workbook.xml.rels", sat_span_str(
	    "<r><Relationship Id=\"1\" Target=\"worksheets/s.xml\"/></r>"));
	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
		sat_buf_reset(&b);
		grow_part(&b, parts[i].root, &p, end);
		test_zip_add(&z, parts[i].name, sat_buf_span(&b));
	}
	test_zip_end(&z);
	sat_buf_fini(&b);
	*out = z.all;
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static int fd = -1;
	static char path[64];
	sat_buf grown = { 0 };
	sat_sheet *s;

	if (n < 4)
		return 0;
	if (memcmp(p, "PK", 2) != 0) {
		grow_book(&grown, p, n);
		p = grown.p;
		n = grown.n;
	} else if (memcmp(p, "PK\3\4", 4) != 0) {
		return 0;
	}
	if (fd < 0) {
		fd = memfd_create("xlsx", 0);
		(void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	}
	if (ftruncate(fd, 0) != 0 || pwrite(fd, p, n, 0) != (ssize_t)n)
		abort();
	sat_buf_fini(&grown);
	if (sat_sheet_open(&s, path, NULL, NULL) == SAT_OK) {
		read_all(s);
		sat_sheet_close(s);
	}
	return 0;
}
