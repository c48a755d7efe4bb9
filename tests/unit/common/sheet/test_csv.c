#include "tests/lib/unit.h"

#include "common/sheet/csv.h"

#include <iconv.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static char *dir;
static char path[300];

static int
setup(void **state)
{
	(void)state;
	dir = sat_test_dir();
	(void)snprintf(path, sizeof path, "%s/t.csv", dir);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	sat_test_rmdir(dir);
	return 0;
}

static void
save(const void *p, size_t n)
{
	FILE *f = fopen(path, "wb");

	assert_non_null(f);
	assert_int_equal(n, fwrite(p, 1, n, f));
	assert_int_equal(0, fclose(f));
}

/* Open a text; every later check works on the one open file. */
static sat_csv *
reader_n(const void *p, size_t n, const sat_csv_opts *o)
{
	sat_csv *c;
	sat_err err;

	save(p, n);
	assert_ok(sat_csv_open(&c, path, o, &err));
	return c;
}

static sat_csv *
reader(const char *text)
{
	return reader_n(text, strlen(text), NULL);
}

static sat_rc
opened(const char *text, sat_err *e)
{
	sat_csv *c;
	sat_rc rc;

	save(text, strlen(text));
	rc = sat_csv_open(&c, path, NULL, e);
	assert_true((rc == SAT_OK) == (c != NULL));
	sat_csv_close(c);
	return rc;
}

/* The next row as "line|cell|cell"; "!" before the line marks a fault; "end". */
static const char *
next(sat_csv *c)
{
	static sat_buf b;
	const sat_csv_row *row;
	sat_err err;

	sat_buf_reset(&b);
	assert_ok(sat_csv_next(&row, c, &err));
	if (row == NULL)
		return "end";
	sat_buf_fmt(&b, "%s%llu", row->fault != NULL ? "!" : "",
	    (unsigned long long)row->line);
	for (size_t i = 0; i < row->n; i++) {
		assert_true(sat_utf8_ok(row->fields[i].p, row->fields[i].n));
		sat_buf_str(&b, "|");
		sat_buf_add(&b, row->fields[i].p, row->fields[i].n);
	}
	return sat_buf_cstr(&b);
}

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

#define ZH "\xe5\xae\xa2\xe6\x88\xb7"       /* two characters */
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
	    "55\" TV,a\"b\"c,\"\"\"\"\n,,\n");

	(void)state;
	assert_string_equal("2|x \"y\", z| p |", next(c));
	assert_string_equal("3|55\" TV|a\"b\"c|\"", next(c));
	assert_string_equal("4|||", next(c));
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

static void
more_cells_than_columns_is_a_fault_unless_they_are_empty(void **state)
{
	sat_csv *c = reader("a,b\n1,2,3\n1,2,,\n1\n4,5\n");

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
	assert_rc(SAT_EINVALID, sat_csv_open(&c, path, &odd, &err));
	for (int i = 0; i < SAT_CSV_COLUMNS_MAX; i++)
		sat_buf_fmt(&b, "%sc%d", i > 0 ? "," : "", i);
	assert_rc(SAT_OK, opened(sat_buf_cstr(&b), &err));
	sat_buf_str(&b, ",one");
	assert_rc(SAT_EINVALID, opened(sat_buf_cstr(&b), &err));
	sat_buf_fini(&b);
	(void)unlink(path);
	assert_rc(SAT_ENOTFOUND, sat_csv_open(&c, path, NULL, &err));
	assert_rc(SAT_EIO, sat_csv_open(&c, dir, NULL, &err));
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

/* ---- writing ----------------------------------------------------------------- */

static char *
load(const char *name, size_t *n)
{
	static char buf[1 << 16];
	FILE *f = fopen(name, "rb");

	assert_non_null(f);
	*n = fread(buf, 1, sizeof buf - 1, f);
	buf[*n] = '\0';
	assert_int_equal(0, fclose(f));
	return buf;
}

static const char *
written(const char *cell, const sat_csv_out_opts *o)
{
	sat_csv_out *c;
	sat_err err;
	size_t n;

	assert_ok(sat_csv_out_open(&c, path, o, &err));
	sat_csv_out_text(c, sat_span_str(cell));
	assert_ok(sat_csv_out_endrow(c, &err));
	assert_ok(sat_csv_out_close(c, true, &err));
	return load(path, &n);
}

static void
text_that_would_be_a_formula_is_guarded(void **state) /* T20 */
{
	static const char *const guarded[] = { "=1+1", "+1", "-1", "@SUM(A1)",
		"\xef\xbc\x9d" "1", "\xef\xbc\x8b" "1", "\xef\xbc\x8d" "1",
		"\xef\xbc\xa0" "1", "+12345", "+1234567890123456", "+86 139",
		"'x" };
	static const char *const plain[] = { "+8613800000000", "+123456", "1-1",
		"a=b", "", ZH };
	sat_csv_out_opts raw = { .raw = true, .lf = true }, lf = { .lf = true };

	(void)state;
	for (size_t i = 0; i < sizeof guarded / sizeof guarded[0]; i++) {
		char want[64];

		(void)snprintf(want, sizeof want, "'%s\n", guarded[i]);
		assert_string_equal(want, written(guarded[i], &lf));
		assert_string_equal(want + 1, written(guarded[i], &raw));
	}
	for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++) {
		char want[64];

		(void)snprintf(want, sizeof want, "%s\n",
		    plain[i][0] != '\0' ? plain[i] : "\"\"");
		assert_string_equal(want, written(plain[i], &lf));
	}
	assert_string_equal("\"'\t=1\"\r\n", written("\t=1", NULL));
	assert_string_equal("\"'\r=1\"\r\n", written("\r=1", NULL));
	assert_string_equal("\"'=1,\"\"2\"\"\"\r\n", written("=1,\"2\"", NULL));
}

static void
encodings_and_line_ends_are_as_asked(void **state)
{
	sat_csv_out_opts bom = { .encoding = "utf-8-bom" };
	sat_csv_out_opts gb = { .encoding = "gb18030", .lf = true };
	sat_csv_out_opts odd = { .encoding = "latin1" };
	sat_csv_out *c;
	sat_err err;

	(void)state;
	assert_string_equal("\xef\xbb\xbf" ZH "\r\n", written(ZH, &bom));
	assert_string_equal("\xef\xbb\xbf" "\"\"\r\n", written("", &bom));
	assert_string_equal("\xbf\xcd\xbb\xa7\n", written(ZH, &gb));
	assert_string_equal("a\x84\x31\xa4\x37" "b\n", written("a\xff" "b", &gb));
	assert_rc(SAT_EINVALID, sat_csv_out_open(&c, path, &odd, &err));
}

static void
an_export_that_fails_leaves_the_old_file(void **state)
{
	char tmp[320];
	struct stat st;
	sat_csv_out *c;
	sat_err err;
	size_t n;

	(void)state;
	(void)snprintf(tmp, sizeof tmp, "%s.tmp", path);
	save("old", 3);
	assert_ok(sat_csv_out_open(&c, path, NULL, &err));
	sat_csv_out_plain(c, sat_span_str("new"));
	assert_ok(sat_csv_out_endrow(c, &err));
	assert_ok(sat_csv_out_close(c, false, &err));
	assert_string_equal("old", load(path, &n));
	assert_int_not_equal(0, access(tmp, F_OK));
	/* A disk that is full says so, at the latest when closing. */
	assert_ok(sat_csv_out_open(&c, "/dev/full", NULL, &err));
	sat_csv_out_plain(c, sat_span_str("new"));
	assert_ok(sat_csv_out_endrow(c, &err));
	assert_rc(SAT_ENOSPACE, sat_csv_out_close(c, true, &err));
	assert_int_equal(0, access("/dev/full", F_OK));
	assert_string_equal("new\r\n", written("new", NULL));
	assert_int_equal(0, stat(path, &st));
	assert_int_equal(0600, st.st_mode & 0777);
	(void)snprintf(tmp, sizeof tmp, "%s/no/such/x.csv", dir);
	assert_rc(SAT_ENOTFOUND, sat_csv_out_open(&c, tmp, NULL, &err));
}

/* What goes out comes back, whatever the text is. */
static void
any_text_survives_the_way_out_and_in(void **state)
{
	static const char *const bits[] = { "=", "+", "-", "@", "'", "\"", ",",
		"\n", "\r", ";", "\t", " ", "a", "1", ZH, "\xef\xbc\x9d",
		"\xf0\x9f\x98\x80" };
	uint64_t seed = sat_test_seed(5);

	(void)state;
	for (int round = 0; round < 60; round++) {
		char text[40][3][64];
		sat_csv_out_opts o = { .encoding = round % 2 ? "gb18030" :
		    "utf-8-bom" };
		sat_csv_opts in = { .encoding = round % 2 ? "gb18030" : NULL };
		sat_csv_out *out;
		sat_csv *c;
		const sat_csv_row *row;
		sat_err err;

		assert_ok(sat_csv_out_open(&out, path, &o, &err));
		for (int k = 0; k < 3; k++)
			sat_csv_out_plain(out, sat_span_of("abc" + k, 1));
		assert_ok(sat_csv_out_endrow(out, &err));
		for (int r = 0; r < 40; r++) {
			for (int k = 0; k < 3; k++) {
				size_t left = sat_test_rand(&seed) % 12;
				char *p = text[r][k];

				*p = '\0';
				for (size_t i = 0; i < left; i++)
					p = stpcpy(p, bits[sat_test_rand(&seed) %
					    (sizeof bits / sizeof bits[0])]);
				sat_csv_out_text(out, sat_span_str(text[r][k]));
			}
			assert_ok(sat_csv_out_endrow(out, &err));
		}
		assert_ok(sat_csv_out_close(out, true, &err));
		assert_ok(sat_csv_open(&c, path, &in, &err));
		for (int r = 0; r < 40; r++) {
			assert_ok(sat_csv_next(&row, c, &err));
			assert_non_null(row);
			assert_null(row->fault);
			assert_int_equal(3, row->n);
			for (int k = 0; k < 3; k++)
				if (!sat_span_eq(row->fields[k],
				    sat_span_str(text[r][k])))
					fail_msg("%s became %.*s", text[r][k],
					    (int)row->fields[k].n,
					    (const char *)row->fields[k].p);
		}
		assert_string_equal("end", next(c));
		sat_csv_close(c);
	}
}

/* The promise of the interfaces design: 100,000 rows are no matter. */
static void
a_hundred_thousand_rows_are_read_quickly_in_constant_memory(void **state)
{
	sat_csv_out_opts o = { .encoding = "gb18030" };
	struct timespec a, b;
	struct rusage ru0, ru1;
	const sat_csv_row *row;
	sat_csv_out *out;
	sat_csv *c;
	sat_err err;
	size_t rows = 0;
	double took;

	(void)state;
	assert_ok(sat_csv_out_open(&out, path, &o, &err));
	for (int r = 0; r <= 100000; r++) {
		char cell[64];

		for (int k = 0; k < 10; k++) {
			(void)snprintf(cell, sizeof cell, ZH ZH ZH "%d-%d", k,
			    r);
			sat_csv_out_text(out, sat_span_str(cell));
		}
		assert_ok(sat_csv_out_endrow(out, &err));
	}
	assert_ok(sat_csv_out_close(out, true, &err));
	(void)getrusage(RUSAGE_SELF, &ru0);
	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a);
	assert_ok(sat_csv_open(&c, path, NULL, &err));
	for (;;) {
		assert_ok(sat_csv_next(&row, c, &err));
		if (row == NULL)
			break;
		assert_null(row->fault);
		assert_int_equal(10, row->n);
		rows++;
	}
	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &b);
	(void)getrusage(RUSAGE_SELF, &ru1);
	assert_string_equal("gb18030", sat_csv_encoding(c));
	sat_csv_close(c);
	assert_int_equal(100000, rows);
	took = (double)(b.tv_sec - a.tv_sec) +
	    (double)(b.tv_nsec - a.tv_nsec) / 1e9;
	printf("100000 rows x 10: %.3f s, memory +%ld KiB\n", took,
	    ru1.ru_maxrss - ru0.ru_maxrss);
#ifndef __SANITIZE_ADDRESS__
	assert_true(took < 1.0);
	assert_true(ru1.ru_maxrss - ru0.ru_maxrss < 4096);
#endif
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
		    bytes_unknown_to_the_encoding_are_a_fault_of_their_row),
		cmocka_unit_test(the_delimiter_is_found_outside_quotes),
		cmocka_unit_test(every_kind_of_line_end_counts_one_line),
		cmocka_unit_test(quotes_follow_rfc_4180_and_spaces_stay),
		cmocka_unit_test(what_excel_wraps_around_numbers_is_undone),
		cmocka_unit_test(a_quote_that_never_closes_costs_one_line),
		cmocka_unit_test(
		    more_cells_than_columns_is_a_fault_unless_they_are_empty),
		cmocka_unit_test(rows_are_numbered_without_the_header),
		cmocka_unit_test(a_file_without_a_usable_header_is_refused),
		cmocka_unit_test(cells_and_rows_have_limits),
		cmocka_unit_test(a_row_over_many_lines_has_a_limit_too),
		cmocka_unit_test(text_that_would_be_a_formula_is_guarded),
		cmocka_unit_test(encodings_and_line_ends_are_as_asked),
		cmocka_unit_test(an_export_that_fails_leaves_the_old_file),
		cmocka_unit_test(any_text_survives_the_way_out_and_in),
		cmocka_unit_test(
		    a_hundred_thousand_rows_are_read_quickly_in_constant_memory),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
