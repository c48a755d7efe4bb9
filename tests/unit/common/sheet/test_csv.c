/* Reading: encodings, delimiters, quotes, limits. */
#include "tests/lib/unit.h"

#include <iconv.h>
#include <unistd.h>

#include "common/sheet/csv.h"
#include "tests/unit/common/sheet/rows.h"

static size_t
convert(const char *to, const char *from, const char *text, char *out,
    size_t room)
{
	iconv_t cd = iconv_open(to, from);
	char *in, *start, *o = out;
	size_t left = strlen(text), free_bytes = room;

	assert_true(cd != (iconv_t)-1);
	in = start = strdup(text);
	assert_int_equal(0, iconv(cd, &in, &left, &o, &free_bytes));
	(void)iconv_close(cd);
	free(start);
	return room - free_bytes;
}

#define FFFD "\xef\xbf\xbd"

static void
the_encoding_is_found_from_the_bytes(void **state)
{
	static const char text[] = ZH ",b\r\n1," ZH "\r\n";
	char raw[200];
	size_t n;
	sat_csv *c = reader(text);

	(void)state;
	assert_string_equal("utf-8", sat_csv_encoding(c));
	assert_string_equal(ZH, sat_csv_column(c, 0));
	assert_string_equal("2|1|" ZH, next(c));
	sat_csv_close(c);

	c = reader("\xef\xbb\xbf" "a,b\n1,2");
	assert_string_equal("a", sat_csv_column(c, 0));
	sat_csv_close(c);

	n = convert("GB18030", "UTF-8", text, raw, sizeof raw);
	c = reader_n(raw, n, NULL);
	assert_string_equal("gb18030", sat_csv_encoding(c));
	assert_string_equal(ZH, sat_csv_column(c, 0));
	assert_string_equal("2|1|" ZH, next(c));
	assert_string_equal("end", next(c));
	sat_csv_close(c);

	raw[0] = (char)0xff;
	raw[1] = (char)0xfe;
	n = convert("UTF-16LE", "UTF-8", text, raw + 2, sizeof raw - 2);
	c = reader_n(raw, n + 2, NULL);
	assert_string_equal("utf-16", sat_csv_encoding(c));
	assert_string_equal("2|1|" ZH, next(c));
	sat_csv_close(c);

	raw[0] = (char)0xfe;
	raw[1] = (char)0xff;
	n = convert("UTF-16BE", "UTF-8", text, raw + 2, sizeof raw - 2);
	c = reader_n(raw, n + 2, NULL);
	assert_string_equal(ZH, sat_csv_column(c, 0));
	sat_csv_close(c);
}

/* A character that lies across the border of two chunks, at each offset. */
static void
a_character_across_two_chunks_is_whole(void **state)
{
	(void)state;
	for (size_t pad = 65520; pad < 65540; pad++) {
		for (int gb = 0; gb < 2; gb++) {
			sat_buf b = { 0 };
			char tail[64];
			size_t n = convert(gb ? "GB18030" : "UTF-8", "UTF-8",
			    ZH ZH ZH "\n" ZH "\n", tail, sizeof tail);
			sat_csv *c;

			sat_buf_str(&b, "a\n");
			while (b.n < pad)
				sat_buf_str(&b, b.n % 50 == 49 ? "\n" : "x");
			sat_buf_str(&b, "\n");
			sat_buf_add(&b, tail, n);
			c = reader_n(b.p, b.n, NULL);
			assert_string_equal(gb ? "gb18030" : "utf-8",
			    sat_csv_encoding(c));
			for (const char *r = next(c); *r != 'e'; r = next(c)) {
				assert_null(strchr(r, '!'));
				if (strstr(r, ZH) != NULL)
					n = 0;
			}
			assert_int_equal(0, n);
			sat_csv_close(c);
			sat_buf_fini(&b);
		}
	}
}

static void
one_damaged_byte_does_not_turn_a_utf8_file_into_gb18030(void **state)
{
	sat_buf b = { 0 };
	sat_csv *c;

	(void)state;
	sat_buf_str(&b, "a,b\n1,x\xffy\n");
	for (int i = 0; i < 30; i++)
		sat_buf_str(&b, ZH ",2\n");
	c = reader_n(b.p, b.n, NULL);
	assert_string_equal("utf-8", sat_csv_encoding(c));
	assert_string_equal("!2|1|x" FFFD "y", next(c));
	assert_string_equal("3|" ZH "|2", next(c));
	sat_csv_close(c);
	sat_buf_fini(&b);
}

static void
a_head_in_utf8_says_so_whatever_was_pasted_below_it(void **state)
{
	sat_buf b = { 0 };
	sat_csv *c;

	(void)state;
	sat_buf_str(&b, ZH "," ZH "2\n");
	for (int i = 0; i < 30; i++)
		sat_buf_str(&b, i % 3 ? "\xd6\xd0\xce\xc4,1\n" : ZH ",2\n");
	c = reader_n(b.p, b.n, NULL);
	assert_string_equal("utf-8", sat_csv_encoding(c));
	assert_string_equal("2|" ZH "|2", next(c));
	assert_true(next(c)[0] == '!');
	sat_csv_close(c);
	sat_buf_fini(&b);
}

static void
bytes_unknown_to_the_encoding_are_a_fault_of_their_row(void **state)
{
	sat_csv_opts gb = { .encoding = "gb18030" };
	static const char text[] = "a,b\n1,\x81\n2,\xff\n3,ok\n\xd6\xd0,\x81";
	sat_csv *c = reader_n(text, sizeof text - 1, &gb);

	(void)state;
	assert_string_equal("!2|1|" FFFD, next(c));
	assert_string_equal("!3|2|" FFFD, next(c));
	assert_string_equal("4|3|ok", next(c));
	assert_string_equal("!5|\xe4\xb8\xad|" FFFD, next(c));
	assert_string_equal("end", next(c));
	sat_csv_close(c);
	c = reader_n("a\nx\0y\nz\n", 8, NULL);
	assert_string_equal("!2|x" FFFD "y", next(c));
	assert_string_equal("3|z", next(c));
	sat_csv_close(c);
}

static void
the_delimiter_is_found_outside_quotes(void **state)
{
	sat_csv_opts pipe = { .delimiter = '|' };
	sat_csv *c = reader("\"a,b,c,d\";e\n1;2\n");

	(void)state;
	assert_int_equal(';', sat_csv_delimiter(c));
	assert_string_equal("a,b,c,d", sat_csv_column(c, 0));
	assert_string_equal("2|1|2", next(c));
	sat_csv_close(c);
	c = reader("a\tb,c\td\n1\t2\t3\n");
	assert_int_equal('\t', sat_csv_delimiter(c));
	sat_csv_close(c);
	c = reader("only\nx\n");
	assert_int_equal(',', sat_csv_delimiter(c));
	sat_csv_close(c);
	c = reader("sep=;\r\na;b,\r\n1;2\r\n");
	assert_int_equal(';', sat_csv_delimiter(c));
	assert_string_equal("b,", sat_csv_column(c, 1));
	assert_string_equal("3|1|2", next(c));
	sat_csv_close(c);
	c = reader_n("a|b\n1|2\n", 8, &pipe);
	assert_string_equal("2|1|2", next(c));
	sat_csv_close(c);
}

static void
every_kind_of_line_end_counts_one_line(void **state)
{
	sat_csv *c = reader("a,b\r1,2\r\n\r\n\n3,4\n\r5,\"x\r\ny\rz\n\"\n7,8");

	(void)state;
	assert_string_equal("2|1|2", next(c));
	assert_string_equal("5|3|4", next(c));
	assert_string_equal("7|5|x\r\ny\rz\n", next(c));
	assert_string_equal("11|7|8", next(c));
	assert_string_equal("end", next(c));
	assert_string_equal("end", next(c));
	sat_csv_close(c);
}

static void
quotes_follow_rfc_4180_and_spaces_stay(void **state)
{
	sat_csv *c = reader("a,b,c\n\"x \"\"y\"\", z\", p ,\"\"\n"
	    "55\" TV,a\"b\"c,\"\"\"\"\n,,x\n");

	(void)state;
	assert_string_equal("2|x \"y\", z| p |", next(c));
	assert_string_equal("3|55\" TV|a\"b\"c|\"", next(c));
	assert_string_equal("4|||x", next(c));
	assert_string_equal("end", next(c));
	sat_csv_close(c);
}

static void
what_excel_wraps_around_numbers_is_undone(void **state)
{
	sat_csv *c = reader("a,b,c,d\n=\"00123\",\"=\"\"0755\"\"\",'007,'\n"
	    "=\"\",=1+1,=\"a\"\"b\",=\"\n");

	(void)state;
	assert_string_equal("2|00123|0755|007|'", next(c));
	assert_string_equal("3||=1+1|a\"b|=\"", next(c));
	sat_csv_close(c);
}

static void
a_quote_that_never_closes_costs_one_line(void **state) /* C1 */
{
	sat_csv *c = reader("a,b\n1,2\n\"open,3\n4,5\n6,7\n");

	(void)state;
	assert_string_equal("2|1|2", next(c));
	assert_string_equal("!3", next(c));
	assert_string_equal("4|4|5", next(c));
	assert_string_equal("5|6|7", next(c));
	assert_string_equal("end", next(c));
	sat_csv_close(c);
	/* The quote of a later row must not close it. */
	c = reader("a,b\n\"open,3\n\"x\",\"y\"\n6,7\n");
	assert_string_equal("!2", next(c));
	assert_string_equal("3|x|y", next(c));
	assert_string_equal("4|6|7", next(c));
	assert_string_equal("end", next(c));
	sat_csv_close(c);
	c = reader("a,b\n1,\"2\" 3\n4,5\n6,\"");
	assert_string_equal("!2", next(c));
	assert_string_equal("3|4|5", next(c));
	assert_string_equal("!4", next(c));
	assert_string_equal("end", next(c));
	sat_csv_close(c);
}

/* What a spreadsheet leaves of rows that were emptied. */
static void
rows_of_empty_cells_are_no_rows(void **state)
{
	const sat_csv_row *row;
	sat_csv *c = reader("a,b\n1,2\n,\n\"\", \n,,,,,\n=\"\",'\n3,4\n,");
	sat_err err;

	(void)state;
	assert_string_equal("2|1|2", next(c));
	assert_string_equal("6||'", next(c)); /* a quote alone is one */
	assert_ok(sat_csv_next(&row, c, &err));
	assert_int_equal(7, row->line);
	assert_int_equal(3, row->number);
	assert_string_equal("end", next(c));
	sat_csv_close(c);
}

static void
empty_columns_at_the_end_are_none(void **state)
{
	sat_csv *c = reader("a,,b, ,,\n1,x,2,,,\n3,,4,,5,\n");

	(void)state;
	assert_int_equal(3, sat_csv_columns(c));
	assert_string_equal("", sat_csv_column(c, 1));
	assert_string_equal("2|1|x|2", next(c));
	assert_string_equal("!3|3||4||5", next(c)); /* not lost without a word */
	assert_string_equal("end", next(c));
	sat_csv_close(c);
}

static void
more_cells_than_columns_is_a_fault_unless_they_are_empty(void **state)
{
	sat_csv *c = reader("a,b\n1,2,3\n1,2,,\n1\n4,5, ,\t\n");

	(void)state;
	assert_string_equal("!2|1|2|3", next(c));
	assert_string_equal("3|1|2", next(c));
	assert_string_equal("4|1", next(c));
	assert_string_equal("5|4|5", next(c));
	sat_csv_close(c);
}

static void
rows_are_numbered_without_the_header(void **state)
{
	const sat_csv_row *row;
	sat_csv_opts o = { .header_row = 3 };
	static const char text[] = "title;;;;\n\"\n a , b\n1,2\n\"\n3,4\n";
	sat_csv *c = reader_n(text, sizeof text - 1, &o);
	uint64_t done, total;
	sat_err err;

	(void)state;
	assert_string_equal("a", sat_csv_column(c, 0));
	assert_string_equal("b", sat_csv_column(c, 1));
	assert_null(sat_csv_column(c, 2));
	for (uint64_t i = 1; i <= 3; i++) {
		assert_ok(sat_csv_next(&row, c, &err));
		assert_int_equal(i, row->number);
		assert_int_equal(i + 3, row->line);
		assert_true((row->fault != NULL) == (i == 2));
	}
	sat_csv_progress(c, &done, &total);
	assert_int_equal(total, done);
	sat_csv_close(c);
}

static void
a_file_without_a_usable_header_is_refused(void **state)
{
	sat_csv_opts o = { .header_row = 9 }, odd = { .encoding = "latin1" };
	sat_buf b = { 0 };
	sat_csv *c;
	sat_err err;

	(void)state;
	assert_rc(SAT_EINVALID, opened("", &err));
	assert_rc(SAT_EINVALID, opened("\xef\xbb\xbf", &err));
	assert_rc(SAT_EINVALID, opened("\n\r\n\n", &err));
	assert_rc(SAT_EINVALID, opened(",,\n1,2,3\n", &err));
	assert_rc(SAT_EINVALID, opened("a,b,a\n1,2,3\n", &err));
	assert_rc(SAT_EINVALID, opened("a,\"b\n1,2\n", &err));
	assert_rc(SAT_OK, opened("a,,\n1,2,3\n", &err));
	assert_rc(SAT_EINVALID, sat_csv_open(&c, path, &o, &err));
	assert_rc(SAT_EUSAGE, sat_csv_open(&c, path, &odd, &err));
	for (int i = 0; i < SAT_CSV_COLUMNS_MAX; i++)
		sat_buf_fmt(&b, "%sc%d", i > 0 ? "," : "", i);
	assert_rc(SAT_OK, opened(sat_buf_cstr(&b), &err));
	sat_buf_str(&b, ",one");
	assert_rc(SAT_EINVALID, opened(sat_buf_cstr(&b), &err));
	sat_buf_fini(&b);
	(void)unlink(path);
	assert_rc(SAT_ENOTFOUND, sat_csv_open(&c, path, NULL, &err));
	assert_rc(SAT_EIO, sat_csv_open(&c, sat_test_here, NULL, &err));
}

static void
cells_and_rows_have_limits(void **state)
{
	sat_buf b = { 0 };
	const sat_csv_row *row;
	sat_csv *c;
	sat_err err;

	(void)state;
	sat_buf_str(&b, "a,b\n");
	for (int extra = 0; extra < 2; extra++) {
		for (int i = 0; i < SAT_CSV_FIELD_MAX + extra; i++)
			sat_write_u8(&b, 'x');
		sat_buf_str(&b, ",1\n");
	}
	sat_buf_str(&b, "3,4\n\"");
	for (int i = 0; i < SAT_CSV_FIELD_MAX; i++)
		sat_buf_str(&b, "\n");
	sat_buf_str(&b, "5,6\n");
	for (int i = 0; i < 3 * SAT_CSV_ROW_MAX; i++)
		sat_buf_str(&b, ",");
	sat_buf_str(&b, "\n7,8\n");
	c = reader_n(b.p, b.n, NULL);
	assert_ok(sat_csv_next(&row, c, &err));
	assert_null(row->fault);
	assert_int_equal(SAT_CSV_FIELD_MAX, row->fields[0].n);
	assert_string_equal("!3", next(c));
	assert_string_equal("4|3|4", next(c));
	assert_string_equal("!5", next(c));
	assert_string_equal("65541|5|6", next(c));
	assert_string_equal("!65542", next(c));
	assert_string_equal("65543|7|8", next(c));
	assert_string_equal("end", next(c));
	sat_csv_close(c);
	sat_buf_fini(&b);
}

/* A mail history pasted into a cell: its lines are no customers. */
static void
a_row_that_ends_is_passed_over_whole(void **state) /* C1 */
{
	sat_buf b = { 0 };
	sat_csv *c;

	(void)state;
	sat_buf_str(&b, "a,b\n1,\"");
	for (int i = 0; i < 7000; i++)
		sat_buf_str(&b, "regards,x\n");
	sat_buf_str(&b, "\"\nx,y\n\"p\nq\",");
	for (int i = 0; i < SAT_CSV_COLUMNS_MAX; i++)
		sat_buf_str(&b, "z,");
	sat_buf_str(&b, "\"r\ns\"\nv,w\n");
	c = reader_n(b.p, b.n, NULL);
	assert_string_equal("!2", next(c));
	assert_string_equal("7003|x|y", next(c));
	assert_string_equal("!7004", next(c));
	assert_string_equal("7007|v|w", next(c));
	assert_string_equal("end", next(c));
	sat_csv_close(c);
	sat_buf_fini(&b);
}

static void
a_cell_that_is_too_long_says_so(void **state)
{
	const sat_csv_row *row;
	sat_buf b = { 0 };
	sat_csv *c;
	sat_err err;

	(void)state;
	sat_buf_str(&b, "a\n\"");
	for (int i = 0; i < 7000; i++)
		sat_buf_str(&b, "012345678\n");
	sat_buf_str(&b, "\"\n");
	c = reader_n(b.p, b.n, NULL);
	assert_ok(sat_csv_next(&row, c, &err));
	assert_non_null(strstr(row->fault, "65536"));
	sat_csv_close(c);
	sat_buf_fini(&b);
}

/* Each line and each cell is short enough; the row as a whole is not. */
static void
a_row_over_many_lines_has_a_limit_too(void **state) /* C3 */
{
	const sat_csv_row *row;
	sat_buf b = { 0 };
	sat_csv *c;
	sat_err err;

	(void)state;
	for (int i = 0; i < 20; i++)
		sat_buf_fmt(&b, "%sc%d", i > 0 ? "," : "", i);
	sat_buf_str(&b, "\n\"");
	for (int i = 0; i < 20; i++) {
		for (int k = 0; k < 6000; k++)
			sat_buf_str(&b, "0123456789");
		sat_buf_str(&b, i < 19 ? "\n\",\"" : "\"\n");
	}
	c = reader_n(b.p, b.n, NULL);
	assert_ok(sat_csv_next(&row, c, &err));
	assert_int_equal(2, row->line);
	assert_non_null(strstr(row->fault, "1048576"));
	do
		assert_ok(sat_csv_next(&row, c, &err));
	while (row != NULL);
	sat_csv_close(c);
	sat_buf_fini(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_encoding_is_found_from_the_bytes),
		cmocka_unit_test(a_character_across_two_chunks_is_whole),
		cmocka_unit_test(
		    one_damaged_byte_does_not_turn_a_utf8_file_into_gb18030),
		cmocka_unit_test(
		    a_head_in_utf8_says_so_whatever_was_pasted_below_it),
		cmocka_unit_test(
		    bytes_unknown_to_the_encoding_are_a_fault_of_their_row),
		cmocka_unit_test(the_delimiter_is_found_outside_quotes),
		cmocka_unit_test(every_kind_of_line_end_counts_one_line),
		cmocka_unit_test(quotes_follow_rfc_4180_and_spaces_stay),
		cmocka_unit_test(what_excel_wraps_around_numbers_is_undone),
		cmocka_unit_test(a_quote_that_never_closes_costs_one_line),
		cmocka_unit_test(rows_of_empty_cells_are_no_rows),
		cmocka_unit_test(empty_columns_at_the_end_are_none),
		cmocka_unit_test(
		    more_cells_than_columns_is_a_fault_unless_they_are_empty),
		cmocka_unit_test(rows_are_numbered_without_the_header),
		cmocka_unit_test(a_file_without_a_usable_header_is_refused),
		cmocka_unit_test(cells_and_rows_have_limits),
		cmocka_unit_test(a_row_that_ends_is_passed_over_whole),
		cmocka_unit_test(a_cell_that_is_too_long_says_so),
		cmocka_unit_test(a_row_over_many_lines_has_a_limit_too),
	};

	return cmocka_run_group_tests(tests, setup, sat_test_dir_teardown);
}
