/* vCards as rows: what phones and mail programs write, and what nobody should. */
#include "tests/lib/unit.h"

#include "common/base/mem.h"
#include "common/sheet/sheet.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { ID, NAME, ACCOUNT, TITLE, DEPT, PHONE, EMAIL, WECHAT, REMARK };

static char path[] = "/tmp/sat-vcard-XXXXXX";
static sat_sheet *sheet;
static const sat_sheet_row *row;

static void
open_cards(const void *p, size_t n)
{
	sat_err err = { 0 };
	FILE *f = fopen(path, "wb");

	assert_non_null(f);
	assert_int_equal(n, fwrite(p, 1, n, f));
	assert_int_equal(0, fclose(f));
	sat_sheet_close(sheet);
	assert_ok(sat_sheet_open(&sheet, path, NULL, &err));
	assert_string_equal("vcard", sat_sheet_format(sheet));
}

static void
next(void)
{
	sat_err err = { 0 };

	assert_ok(sat_sheet_next(&row, sheet, &err));
}

static void
is(size_t column, const char *want)
{
	assert_true(column < row->n);
	assert_int_equal(strlen(want), row->fields[column].n);
	assert_memory_equal(want, row->fields[column].p, strlen(want));
}
#define CARDS(s) open_cards(s, sizeof(s) - 1)

static void
a_card_of_version_4_becomes_a_contact(void **state)
{
	(void)state;
	CARDS("\xef\xbb\xbf" "BEGIN:VCARD\r\nVERSION:4.0\r\n"
	    "UID:urn:satchel:01m80xb56q00159ptgwyxgvhd0\r\nFN:王强\r\n"
	    "ORG:远洋科技有限公司;采购部\r\nTITLE:经理\r\n"
	    "PHOTO;ENCODING=b:QUJD\r\n QUJD\r\n"
	    "TEL;TYPE=fax:010-1\r\nTEL;TYPE=work:010-65550000\r\n"
	    "item1.TEL;TYPE=\"cell:x\",voice:tel:+86 139 1111 2222\r\n"
	    "EMAIL:w@example.com\r\nX-WECHAT:wq\r\nNOTE:one\\, two\\nthree\r\n"
	    "END:VCARD\r\n");
	assert_int_equal(9, sat_sheet_columns(sheet));
	assert_string_equal("account", sat_sheet_column(sheet, ACCOUNT));
	next();
	assert_non_null(row);
	assert_null(row->fault);
	is(ID, "01m80xb56q00159ptgwyxgvhd0");
	is(NAME, "王强");
	is(ACCOUNT, "远洋科技有限公司");
	is(DEPT, "采购部");
	is(TITLE, "经理");
	is(PHONE, "+86 139 1111 2222");
	is(EMAIL, "w@example.com");
	is(WECHAT, "wq");
	is(REMARK, "one, two\nthree");
	next();
	assert_null(row);
}

static void
folded_and_quoted_printable_lines_are_joined(void **state)
{
	(void)state;
	CARDS("BEGIN:VCARD\r\nFN:Ada\r\n  Lovelace\r\nEND:VCARD\r\n"
	    "begin:vcard\nN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:=E7=8E=8B;="
	    "E5=BC=\n=BA;;;\nend:vcard\n"
	    "BEGIN:VCARD\nN;CHARSET=GBK;QUOTED-PRINTABLE:=CD=F5;=C7=BF\n"
	    "END:VCARD\nBEGIN:VCARD\nN:Lovelace;Ada;;;\nEND:VCARD\n");
	next();
	is(NAME, "Ada Lovelace");
	next();
	is(NAME, "王强");
	next();
	is(NAME, "王强"); /* what old phones write */
	next();
	is(NAME, "Ada Lovelace");
}

static void
spaces_behind_the_name_of_a_card_are_none_of_it(void **state)
{
	(void)state;
	CARDS("BEGIN:VCARD \r\nFN:Ada\r\nEND:VCARD \r\n"
	    "BEGIN: VCARD\t\r\nFN:Grace\r\nEND:VCARD\t\r\n");
	next();
	assert_null(row->fault);
	is(NAME, "Ada");
	next();
	assert_null(row->fault);
	is(NAME, "Grace");
	next();
	assert_null(row);
}

static void
a_file_in_gb18030_is_read(void **state)
{
	(void)state;
	CARDS("BEGIN:VCARD\nFN:\xcd\xf5\xc7\xbf\nORG:\xd4\xb6\xd1\xf3\nEND:VCARD\n");
	next();
	is(NAME, "王强");
	is(ACCOUNT, "远洋");
}

/* What Windows saves as "Unicode". */
static void
a_file_in_utf16_is_read(void **state)
{
	static const char text[] = "\r\nBEGIN:VCARD\r\nFN:Ada\r\nEND:VCARD\r\n";
	char wide[2 * sizeof text];

	(void)state;
	for (size_t little = 0; little < 2; little++) {
		memset(wide, 0, sizeof wide);
		memcpy(wide, little ? "\xff\xfe" : "\xfe\xff", 2);
		for (size_t i = 0; i + 1 < sizeof text; i++)
			wide[2 + 2 * i + !little] = text[i];
		open_cards(wide, sizeof wide);
		next();
		assert_non_null(row);
		assert_null(row->fault);
		is(NAME, "Ada");
		next();
		assert_null(row);
	}
}

static void
a_bad_card_is_a_faulty_row_and_the_next_one_is_read(void **state) /* V1 */
{
	char *big = sat_xmalloc(200000);
	int n = snprintf(big, 200000, "BEGIN:VCARD\nFN:a\nNOTE:%0*d\nEND:VCARD\n"
	    "BEGIN:VCARD\nFN:b\nPHOTO:%0*d\nEND:VCARD\n"
	    "BEGIN:VCARD\nFN:outer\nAGENT:\nBEGIN:VCARD\nFN:inner\nEND:VCARD\n"
	    "END:VCARD\nBEGIN:VCARD\nFN:c", 70000, 0, 70000, 0);

	(void)state;
	open_cards(big, (size_t)n);
	free(big);
	next();
	assert_non_null(row->fault);
	assert_int_equal(1, row->line);
	next();
	assert_null(row->fault); /* what is dropped may be long */
	is(NAME, "b");
	assert_int_equal(5, row->line);
	next();
	is(NAME, "outer");
	next();
	assert_non_null(row->fault);
	next();
	assert_null(row);
}

static void
is_at_fault(uint64_t line, const char *why)
{
	next();
	assert_non_null(row);
	assert_non_null(row->fault);
	assert_string_equal(why, row->fault);
	assert_int_equal(line, row->line);
	assert_int_equal(0, row->n);
}

static void
is_card(const char *name)
{
	next();
	assert_non_null(row);
	assert_null(row->fault);
	is(NAME, name);
}

/* A cut copy, two files put together. */
static void
a_card_whose_end_is_lost_does_not_take_the_next_ones(void **state) /* V1 */
{
	(void)state;
	CARDS("BEGIN:VCARD\nFN:a\nBEGIN:VCARD\nFN:b\nEND:VCARD\n"
	    "BEGIN:VCARD\nFN:c\nEND:VCARD\n"
	    "BEGIN:VCARD\nFN:d\nX.AGENT;TYPE=x: \n\nBEGIN:VCARD\nFN:inner\n"
	    "END:VCARD\nBEGIN:VCARD\nFN:e\nEND:VCARD\n"
	    "BEGIN:VCARD\nFN:f\nAGENT:\nBEGIN:VCARD\nFN:inner\nEND:VCARD\n"
	    "BEGIN:VCARD\nFN:g\nEND:VCARD\n");
	is_at_fault(1, "the card does not end");
	is_card("b");
	assert_int_equal(3, row->line);
	is_card("c");
	is_at_fault(9, "the card does not end");
	is_card("e");
	is_at_fault(19, "the card does not end");
	is_card("g");
	next();
	assert_null(row);
}

static void
a_card_whose_beginning_is_lost_is_a_faulty_row(void **state) /* V1 */
{
	(void)state;
	CARDS("BEGIN:VCARD\nFN:a\nEND:VCARD\nEND:VCARD\nBEGIN:VCALENDAR\n"
	    "UID:1\nEND:VCALENDAR\n\nVERSION:3.0\nFN:b\nTEL:1\nEND:VCARD\n"
	    "N:c;;;\nBEGIN:VCARD\nFN:d\nEND:VCARD\nTEL:13800138000\n");
	is_card("a");
	is_at_fault(10, "the card has no BEGIN:VCARD");
	is_at_fault(13, "the card has no BEGIN:VCARD");
	is_card("d");
	is_at_fault(17, "the card has no BEGIN:VCARD");
	next();
	assert_null(row);
}

static void
a_hostile_file_of_100_mb_takes_no_memory(void **state) /* V3 */
{
	static char block[1 << 20];
	struct rusage before, after;
	sat_err err = { 0 };
	FILE *f = fopen(path, "wb");

	(void)state;
	memset(block, 'A', sizeof block);
	assert_non_null(f);
	(void)fprintf(f, "BEGIN:VCARD\nFN:a\nPHOTO;ENCODING=b:");
	for (int i = 0; i < 60; i++) /* one line */
		assert_int_equal(1, fwrite(block, sizeof block, 1, f));
	for (size_t i = 75; i < sizeof block; i += 76)
		memcpy(block + i - 1, "\n ", 2);
	for (int i = 0; i < 40; i++) /* many folded ones */
		assert_int_equal(1, fwrite(block, sizeof block, 1, f));
	(void)fprintf(f, "\nEND:VCARD\nBEGIN:VCARD\nFN:b\nEND:VCARD\n");
	assert_int_equal(0, fclose(f));
	(void)getrusage(RUSAGE_SELF, &before);
	sat_sheet_close(sheet);
	assert_ok(sat_sheet_open(&sheet, path, NULL, &err));
	next();
	is(NAME, "a");
	next();
	is(NAME, "b");
	next();
	assert_null(row);
	(void)getrusage(RUSAGE_SELF, &after);
	assert_true(after.ru_maxrss - before.ru_maxrss < 16 * 1024);
	assert_int_equal(0, truncate(path, 0));
}

static int
make_path(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	if (fd >= 0)
		(void)close(fd);
	return fd >= 0 ? 0 : -1;
}

static int
remove_path(void **state)
{
	(void)state;
	sat_sheet_close(sheet);
	return unlink(path);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_card_of_version_4_becomes_a_contact),
		cmocka_unit_test(folded_and_quoted_printable_lines_are_joined),
		cmocka_unit_test(
		    spaces_behind_the_name_of_a_card_are_none_of_it),
		cmocka_unit_test(a_file_in_gb18030_is_read),
		cmocka_unit_test(a_file_in_utf16_is_read),
		cmocka_unit_test(a_bad_card_is_a_faulty_row_and_the_next_one_is_read),
		cmocka_unit_test(a_card_whose_end_is_lost_does_not_take_the_next_ones),
		cmocka_unit_test(a_card_whose_beginning_is_lost_is_a_faulty_row),
		cmocka_unit_test(a_hostile_file_of_100_mb_takes_no_memory),
	};

	return cmocka_run_group_tests(tests, make_path, remove_path);
}
