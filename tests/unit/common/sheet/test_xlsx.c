/* Books in and out (sheet.h): what LibreOffice wrote, what we write, and what
 * is refused. The small ones are made here, part by part. */
#include "tests/lib/unit.h"

#include "common/base/buf.h"
#include "common/sheet/sheet.h"
#include "tests/lib/zip.h"

#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define BOOK                                                                  \
	"<workbook xmlns:r=\"x\"><sheets><sheet name=\"a\" sheetId=\"1\" "    \
	"r:id=\"rId1\"/><sheet name=\"b\" sheetId=\"2\" r:id=\"rId2\"/>"      \
	"</sheets></workbook>"
#define RELS                                                                  \
	"<Relationships><Relationship Id=\"rId2\" "                           \
	"Target=\"worksheets/sheet2.xml\"/><Relationship Id=\"rId1\" "        \
	"Target=\"/xl/worksheets/sheet1.xml\"/></Relationships>"
#define STYLES                                                                \
	"<styleSheet><numFmts><numFmt numFmtId=\"170\" "                      \
	"formatCode=\"yyyy&quot;h&quot;\\-mm\"/><numFmt numFmtId=\"171\" "    \
	"formatCode=\"[Red]0.00\"/></numFmts><cellXfs><xf numFmtId=\"0\"/>"   \
	"<xf numFmtId=\"14\"/><xf numFmtId=\"22\"/><xf numFmtId=\"20\"/>"     \
	"<xf numFmtId=\"170\"/><xf numFmtId=\"171\"/></cellXfs></styleSheet>"

/* ---- books ------------------------------------------------------------------------ */

static char path[200];

static int
setup(void **state)
{
	(void)sat_test_dir_setup(state);
	(void)snprintf(path, sizeof path, "%s", sat_test_at("t.xlsx"));
	return 0;
}

static void
part(test_zip *z, const char *name, const char *text)
{
	test_zip_add(z, name, sat_span_str(text));
}

static void
save(test_zip *z)
{
	test_zip_end(z);
	sat_test_save(path, z->all.p, z->all.n);
	sat_buf_fini(&z->all);
}

static void
around_the_sheet(test_zip *z)
{
	part(z, "xl/workbook.xml", BOOK);
	part(z, "xl/_rels/workbook.xml.rels", RELS);
	part(z, "xl/styles.xml", STYLES);
}

static void
book(const char *shared, const char *rows)
{
	char sheet[20000];
	test_zip z = { 0 };

	(void)snprintf(sheet, sizeof sheet, "<worksheet><sheetData>%s"
	    "</sheetData></worksheet>", rows);
	around_the_sheet(&z);
	if (shared != NULL)
		part(&z, "xl/sharedStrings.xml", shared);
	part(&z, "xl/worksheets/sheet1.xml", sheet);
	part(&z, "xl/worksheets/sheet2.xml",
	    "<worksheet><sheetData><row><c t=\"str\"><v>other</v></c></row>"
	    "</sheetData></worksheet>");
	save(&z);
}

/* Header and rows as text: cells parted by |, rows by LF, "!" = fault. */
static char *
all_of(const sat_sheet_opts *o)
{
	static char out[20000];
	const sat_sheet_row *r;
	sat_buf b = { 0 };
	sat_sheet *s;
	sat_err err = { 0 };

	assert_ok(sat_sheet_open(&s, path, o, &err));
	for (size_t i = 0; i < sat_sheet_columns(s); i++)
		sat_buf_fmt(&b, "%s|", sat_sheet_column(s, i));
	for (;;) {
		assert_ok(sat_sheet_next(&r, s, &err));
		if (r == NULL)
			break;
		sat_buf_fmt(&b, "\n%d%s:", (int)r->line,
		    r->fault != NULL ? "!" : "");
		for (size_t i = 0; i < r->n; i++)
			sat_buf_fmt(&b, "%.*s|", (int)r->fields[i].n,
			    r->fields[i].n > 0 ? (const char *)r->fields[i].p
			                       : "");
	}
	sat_sheet_close(s);
	(void)snprintf(out, sizeof out, "%s", sat_buf_cstr(&b));
	sat_buf_fini(&b);
	return out;
}

static void
refused(const char *why)
{
	sat_sheet *s;
	sat_err err = { 0 };

	assert_rc(SAT_EINVALID, sat_sheet_open(&s, path, NULL, &err));
	assert_null(s);
	if (strstr(err.text, why) == NULL)
		fail_msg("'%s' does not say '%s'", err.text, why);
}

/* ---- reading ------------------------------------------------------------------------- */

#define C(ref, v) "<c r=\"" ref "\"><v>" v "</v></c>"
#define S(ref, v) "<c r=\"" ref "\" t=\"s\"><v>" v "</v></c>"
#define D(ref, s, v) "<c r=\"" ref "\" s=\"" s "\"><v>" v "</v></c>"
#define I(ref, v) "<c r=\"" ref "\" t=\"inlineStr\"><is>" v "</is></c>"

static void
cells_stand_where_their_references_say(void **state) /* X1 */
{
	(void)state;
	book("<sst><si><t>name</t></si><si><r><t>a</t></r><r><t>b</t></r>"
	    "<rPh><t>no</t></rPh></si></sst>",
	    "<row r=\"2\">" S("A2", "0") I("C2", "<t>x</t>") "</row>"
	    "<row r=\"4\">" C("C4", "7") "</row>"
	    "<row r=\"9\">" S("A9", "1") "</row>");
	assert_string_equal("name||x|\n4:||7|\n9:ab|", all_of(NULL));
}

static void
numbers_and_dates_read_as_a_person_reads_them(void **state)
{
	(void)state;
	book(NULL, "<row>" I("A1", "<t>h</t>") "</row>"
	    "<row>" C("A2", "0.30000000000000004") "</row>"
	    "<row>" C("A3", "13812345678") "</row>"
	    "<row>" C("A4", "1E5") "</row>"
	    "<row>" D("A5", "1", "46348") "</row>"
	    "<row>" D("A6", "2", "46348.395833333336") "</row>"
	    "<row>" D("A7", "3", "0.75") "</row>"
	    "<row>" D("A8", "4", "61") "</row>"
	    "<row>" D("A9", "1", "59") "</row>"
	    "<row>" D("A10", "5", "1.5") "</row>"
	    "<row><c r=\"A11\" t=\"b\"><v>1</v></c></row>"
	    "<row>" C("A12", "-2.5") "</row>");
	assert_string_equal("h|\n2:0.3|\n3:13812345678|\n4:100000|\n"
	    "5:2026-11-22|\n6:2026-11-22T09:30|\n7:18:00|\n8:1900-03-01|\n"
	    "9:1900-02-28|\n10:1.5|\n11:true|\n12:-2.5|", all_of(NULL));
}

/* Excel's way to keep CR, and a text that looks like it. */
static void
escaped_characters_are_what_they_stand_for(void **state) /* X2 */
{
	(void)state;
	book("<sst><si><t>a_x000D_\nb</t></si><si><t>_x005F_x000D__x4E2d_"
	    "_x00e9_</t></si></sst>", "<row>" I("A1", "<t>h</t>") "</row>"
	    "<row>" S("A2", "0") "</row><row>" S("A3", "1") "</row>"
	    "<row>" I("A4", "<t>_x0000_x_xD800_y_xFFFF_</t>") "</row>"
	    "<row>" I("A5", "<t>_x00_x000G_x000</t>") "</row>"
	    "<row><c t=\"str\"><v>_x0009_z</v></c></row>"
	    "<row><c><v>_x0031_</v></c></row>");
	assert_string_equal("h|\n2:a\r\nb|\n3:_x000D_\xe4\xb8\xad\xc3\xa9|\n"
	    "4: x y |\n5:_x00_x000G_x000|\n6:\tz|\n7:_x0031_|", all_of(NULL));
}

static void
a_fault_takes_one_row(void **state)
{
	(void)state;
	book(NULL, "<row>" I("A1", "<t>a</t>") I("B1", "<t>b</t>") "</row>"
	    "<row>" I("A2", "<t>1</t>") "<c r=\"B2\" t=\"e\"><v>#N/A</v></c></row>"
	    "<row>" I("A3", "<t>2</t>") I("C3", "<t>too far</t>") "</row>"
	    "<row>" S("A4", "99") "</row><row/><row>" I("A6", "<t/>") "</row>"
	    "<row r=\"6\">" I("A6", "<t> </t>") I("C6", "<t>\n</t>") "</row>"
	    "<row>" I("A7", "<t>ok</t>") "</row>");
	assert_string_equal("a|b|\n2!:1||\n3!:\n4!:|\n7:ok|", all_of(NULL));
}

/* What was emptied with the space bar, as csv_in.c reads it. */
static void
spaces_around_a_heading_are_no_part_of_it(void **state)
{
	(void)state;
	book(NULL, "<row>" I("A1", "<t>id </t>") I("C1", "<t> b</t>")
	    I("D1", "<t> </t>") I("E1", "<t> </t>") "</row>"
	    "<row>" I("A2", "<t>1 </t>") I("E2", "<t> </t>") "</row>"
	    "<row>" I("A3", "<t>2</t>") I("D3", "<t>x</t>") "</row>");
	assert_string_equal("id||b|\n2:1 |||\n3!:", all_of(NULL));
	book(NULL, "<row>" I("A1", "<t>id</t>") I("B1", "<t>id </t>")
	    "</row>");
	refused("two columns");
}

static void
another_sheet_and_header_row_can_be_chosen(void **state)
{
	sat_sheet_opts o = { .sheet = 2 };
	sat_sheet *s;
	sat_err err = { 0 };

	(void)state;
	book(NULL, "<row r=\"1\">" I("A1", "<t>title</t>") "</row><row r=\"3\">"
	    I("A3", "<t>h</t>") "</row><row r=\"4\">" I("A4", "<t>v</t>") "</row>");
	assert_string_equal("other|", all_of(&o));
	o = (sat_sheet_opts){ .header_row = 3 };
	assert_string_equal("h|\n4:v|", all_of(&o));
	o = (sat_sheet_opts){ .sheet = 3 };
	assert_rc(SAT_EINVALID, sat_sheet_open(&s, path, &o, &err));
	assert_non_null(strstr(err.text, "2 sheets"));
	o = (sat_sheet_opts){ .header_row = 2 };
	assert_rc(SAT_EINVALID, sat_sheet_open(&s, path, &o, &err));
}

/* Pieces of a part are 16 KiB: rows lie across their ends. */
static void
long_sheets_lose_nothing_at_the_ends_of_pieces(void **state)
{
	static char rows[400000];
	const sat_sheet_row *r;
	sat_sheet *s;
	sat_err err = { 0 };
	size_t n = 0;
	test_zip z = { 0 };

	(void)state;
	n += (size_t)snprintf(rows, sizeof rows, "<worksheet><sheetData><row>"
	    I("A1", "<t>a</t>") I("B1", "<t>b</t>") "</row>");
	for (int i = 2; i < 3000; i++)
		n += (size_t)snprintf(rows + n, sizeof rows - n, "<row><c t=\""
		    "str\"><v>name %d</v></c><c><v>%d</v></c></row>", i, i);
	(void)snprintf(rows + n, sizeof rows - n, "</sheetData></worksheet>");
	around_the_sheet(&z);
	part(&z, "xl/worksheets/sheet1.xml", rows);
	save(&z);
	assert_ok(sat_sheet_open(&s, path, NULL, &err));
	for (int i = 2; i < 3000; i++) {
		char want[20];

		assert_ok(sat_sheet_next(&r, s, &err));
		assert_non_null(r);
		assert_int_equal(2, r->n);
		(void)snprintf(want, sizeof want, "name %d", i);
		assert_int_equal(strlen(want), r->fields[0].n);
		assert_memory_equal(want, r->fields[0].p, r->fields[0].n);
	}
	assert_ok(sat_sheet_next(&r, s, &err));
	assert_null(r);
	sat_sheet_close(s);
}

static void
what_is_no_book_is_refused(void **state)
{
	static char deep[2000];
	test_zip z = { 0 };
	FILE *f;

	(void)state;
	f = fopen(path, "wb");
	(void)fputs("PK\3\4 and then nothing of a zip", f);
	(void)fclose(f);
	refused("not a whole book");
	part(&z, "readme.txt", "hello");
	save(&z);
	refused("no xl/workbook.xml");
	book("<!DOCTYPE x [<!ENTITY e \"boom\">]><sst/>", "");
	refused("document type");
	book("<sst><si>", "");
	refused("damaged");
	for (int i = 0; i < 100; i++)
		(void)strncat(deep, "<a>", sizeof deep - strlen(deep) - 1);
	book(deep, "");
	refused("nested");
	book(NULL, "");
	refused("no header");
	book(NULL, "<row>" I("A1", "<t>a</t>") I("B1", "<t>a</t>") "</row>");
	refused("two columns");
}

/* The list of texts grows at 1,024. */
static void
texts_inside_texts_are_no_texts(void **state) /* X4 */
{
	static char shared[20000];
	size_t n = (size_t)snprintf(shared, sizeof shared, "<sst>");

	(void)state;
	for (int i = 0; i < 1023; i++)
		n += (size_t)snprintf(shared + n, sizeof shared - n, "<si/>");
	for (int i = 0; i < 62; i++)
		n += (size_t)snprintf(shared + n, sizeof shared - n, "<si>");
	n += (size_t)snprintf(shared + n, sizeof shared - n, "<t>in</t>");
	for (int i = 0; i < 62; i++)
		n += (size_t)snprintf(shared + n, sizeof shared - n, "</si>");
	for (int i = 0; i < 10; i++)
		n += (size_t)snprintf(shared + n, sizeof shared - n, "<si/>");
	(void)snprintf(shared + n, sizeof shared - n,
	    "<t>between</t><si><t>last</t></si></sst>");
	book(shared, "<row>" I("A1", "<t>a</t>") I("B1", "<t>b</t>") "</row>"
	    "<row>" S("A2", "1023") S("B2", "1034") "</row>"
	    "<row>" S("A3", "1035") "</row>");
	assert_string_equal("a|b|\n2:in|last|\n3!:|", all_of(NULL));
}

static void
refused_in_16_mib(const char *why)
{
	struct rusage before, after;

	(void)getrusage(RUSAGE_SELF, &before);
	refused(why);
	(void)getrusage(RUSAGE_SELF, &after);
	assert_true(after.ru_maxrss - before.ru_maxrss < 16 * 1024);
}

static void
rows_without_a_header_take_no_memory(void **state) /* X4 */
{
	test_zip z = { 0 };

	(void)state;
	around_the_sheet(&z);
	test_zip_add_many(&z, "xl/worksheets/sheet1.xml",
	    "<worksheet><sheetData>", "<row/>", 4000000,
	    "</sheetData></worksheet>");
	save(&z);
	refused_in_16_mib("no header");
}

static void
empty_texts_are_counted_too(void **state) /* X4 */
{
	test_zip z = { 0 };

	(void)state;
	around_the_sheet(&z);
	test_zip_add_many(&z, "xl/sharedStrings.xml", "<sst>", "<si/>",
	    SAT_XLSX_TEXT_COUNT_MAX + 1, "</sst>");
	save(&z);
	refused("more than 8388608 texts");
}

/* A cell names a text in ten bytes: what is too long is not copied for it. */
static void
a_text_too_long_for_a_cell_takes_one_row(void **state)
{
	test_zip z = { 0 };

	(void)state;
	around_the_sheet(&z);
	test_zip_add_many(&z, "xl/sharedStrings.xml", "<sst><si><t>", "abcdefg",
	    10000, "</t></si><si><t>ok</t></si></sst>");
	part(&z, "xl/worksheets/sheet1.xml", "<worksheet><sheetData><row>"
	    I("A1", "<t>a</t>") "</row><row>" S("A2", "0") "</row><row>"
	    S("A3", "1") "</row></sheetData></worksheet>");
	save(&z);
	assert_string_equal("a|\n2!:|\n3:ok|", all_of(NULL));
}

static void
a_book_of_libreoffice_reads_like_its_csv(void **state)
{
	(void)state;
	(void)snprintf(path, sizeof path, "tests/data/xlsx/libreoffice.xlsx");
	assert_string_equal(
	    "name|industry|contact_name|phone_main|need_type|annual_amount|"
	    "created_at|remark|\n"
	    "2:远洋科技有限公司|I65|李娜|13812345678|solution|500000.5|"
	    "2026-11-03|第一行\n第二行|\n"
	    "3:北方机床|C34|王强|010-62345678|product|1200000|"
	    "2026-10-31T09:30|=1+1|\n"
	    "4: 空格 公司|C34|赵六|400-820-8820|service|0.3|1999-12-31|"
	    "<b>&amp;|", all_of(NULL));
}

/* ---- writing ------------------------------------------------------------------------------ */

static void
what_was_written_reads_back(void **state)
{
	sat_sheet_out_opts o = { .format = "xlsx", .title = "客户[1]" };
	sat_sheet_out *s;
	struct stat st;
	sat_err err = { 0 };

	(void)state;
	assert_ok(sat_sheet_out_open(&s, path, &o, &err));
	sat_sheet_out_plain(s, sat_span_str("名称"));
	sat_sheet_out_plain(s, sat_span_str("金额"));
	assert_ok(sat_sheet_out_endrow(s, &err));
	sat_sheet_out_text(s, sat_span_str("=HYPERLINK(\"x\")"));
	sat_sheet_out_plain(s, sat_span_str("1234.50"));
	assert_ok(sat_sheet_out_endrow(s, &err));
	sat_sheet_out_text(s, sat_span_str("00123_x000D_"));
	sat_sheet_out_plain(s, sat_span_str("0012"));
	assert_ok(sat_sheet_out_endrow(s, &err));
	sat_sheet_out_text(s, sat_span_str("a\001b"));
	sat_sheet_out_plain(s, sat_span_str("2026-11-22"));
	assert_ok(sat_sheet_out_endrow(s, &err));
	assert_int_equal(-1, access(path, F_OK)); /* whole or not at all */
	assert_ok(sat_sheet_out_close(s, true, &err));
	assert_int_equal(0, stat(path, &st));
	assert_int_equal(0600, st.st_mode & 0777);
	assert_string_equal("名称|金额|\n2:=HYPERLINK(\"x\")|1234.5|\n"
	    "3:00123_x000D_|0012|\n4:a b|2026-11-22|", all_of(NULL));
}

static void
a_dropped_book_leaves_nothing(void **state)
{
	sat_sheet_out_opts o = { .format = "xlsx" };
	char tmp[220];
	sat_sheet_out *s;
	sat_err err = { 0 };

	(void)state;
	assert_ok(sat_sheet_out_open(&s, path, &o, &err));
	sat_sheet_out_plain(s, sat_span_str("x"));
	assert_ok(sat_sheet_out_close(s, false, &err));
	(void)snprintf(tmp, sizeof tmp, "%s.tmp", path);
	assert_int_equal(-1, access(path, F_OK));
	assert_int_equal(-1, access(tmp, F_OK));
	assert_rc(SAT_EUSAGE, sat_sheet_out_open(&s, "-", &o, &err));
}

static void
a_form_asks_for_its_columns(void **state)
{
	static const char *const kinds[] = { "企业", "个人" };
	const sat_form_column c[] = {
		{ "客户名称", "必填；2 到 120 个字", NULL, 0, true },
		{ "客户类型", "从列表选择", kinds, 2, false },
	};
	sat_sheet_opts o = { .sheet = 2 };
	sat_err err = { 0 };

	(void)state;
	assert_ok(sat_sheet_form(path, "客户", "填写说明", c, 2, &err));
	assert_string_equal("客户名称|客户类型|", all_of(NULL));
	assert_string_equal("客户名称|必填；2 到 120 个字|\n"
	    "2:客户类型|从列表选择|", all_of(&o));
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, sat_test_dir_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(cells_stand_where_their_references_say),
		T(numbers_and_dates_read_as_a_person_reads_them),
		T(escaped_characters_are_what_they_stand_for),
		T(a_fault_takes_one_row),
		T(spaces_around_a_heading_are_no_part_of_it),
		T(another_sheet_and_header_row_can_be_chosen),
		T(long_sheets_lose_nothing_at_the_ends_of_pieces),
		T(what_is_no_book_is_refused),
		T(texts_inside_texts_are_no_texts),
		T(rows_without_a_header_take_no_memory),
		T(empty_texts_are_counted_too),
		T(a_text_too_long_for_a_cell_takes_one_row),
		T(a_book_of_libreoffice_reads_like_its_csv),
		T(what_was_written_reads_back),
		T(a_dropped_book_leaves_nothing),
		T(a_form_asks_for_its_columns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
