/* Writing, and reading what was written. */
#include "tests/lib/unit.h"

#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/sheet/csv.h"
#include "tests/unit/common/sheet/rows.h"

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
without_a_standard_output_a_table_needs_a_file(void **state)
{
	sat_csv_out_opts o = { .fd = -1 };
	sat_csv_out *c;
	sat_err err;

	(void)state;
	assert_rc(SAT_EUSAGE, sat_csv_out_open(&c, NULL, &o, &err));
	assert_rc(SAT_EUSAGE, sat_csv_out_open(&c, "-", &o, &err));
	assert_null(c);
	assert_ok(sat_csv_out_open(&c, path, &o, &err));
	assert_ok(sat_csv_out_close(c, false, &err));
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
	assert_rc(SAT_EUSAGE, sat_csv_out_open(&c, path, &odd, &err));
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
	sat_test_save(path, "old", 3);
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
	(void)snprintf(tmp, sizeof tmp, "%s/no/such/x.csv", sat_test_here);
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

				/* a row of spaces would be none */
				p = stpcpy(p, k == 0 ? "a" : "");
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
		cmocka_unit_test(without_a_standard_output_a_table_needs_a_file),
		cmocka_unit_test(text_that_would_be_a_formula_is_guarded),
		cmocka_unit_test(encodings_and_line_ends_are_as_asked),
		cmocka_unit_test(an_export_that_fails_leaves_the_old_file),
		cmocka_unit_test(any_text_survives_the_way_out_and_in),
		cmocka_unit_test(
		    a_hundred_thousand_rows_are_read_quickly_in_constant_memory),
	};

	return cmocka_run_group_tests(tests, setup, sat_test_dir_teardown);
}
