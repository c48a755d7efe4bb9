/* Passphrases from files. */
#include "tests/lib/unit.h"

#include "common/crypto/passphrase.h"

/* *code: of the failure, "" when there is none. */
static sat_buf
line_of(const void *p, size_t n, const char **code)
{
	static sat_err err;
	sat_buf out = { 0 };
	sat_rc rc;

	sat_test_save(sat_test_at("phrase"), p, n);
	err = (sat_err){ 0 };
	rc = sat_passphrase_file(&out, sat_test_at("phrase"), &err);
	assert_true(rc == SAT_OK || rc == SAT_ELOCKED);
	assert_true(rc == SAT_OK || out.n == 0);
	*code = rc == SAT_OK ? "" : err.code;
	return out;
}

static void
assert_line(const void *p, size_t n, size_t want)
{
	const char *code;
	sat_buf out = line_of(p, n, &code);

	assert_string_equal("", code);
	assert_int_equal(want, out.n);
	assert_memory_equal(p, out.p, want);
	sat_buf_fini(&out);
}

static void
assert_refused(const void *p, size_t n, const char *want)
{
	const char *code;
	sat_buf out = line_of(p, n, &code);

	assert_string_equal(want, code);
	sat_buf_fini(&out);
}

static void
the_first_line_counts_without_its_end(void **state)
{
	(void)state;
	assert_line("four words", 10, 10);
	assert_line("four words\n", 11, 10);
	assert_line("four words\r\nmore\n", 17, 10);
	assert_refused("", 0, "passphrase.empty");
	assert_refused("\nfour words\n", 12, "passphrase.empty");
}

static void
a_line_is_taken_whole_or_not_at_all(void **state)
{
	char line[3000];

	(void)state;
	memset(line, 'x', sizeof line);
	line[1024] = '\n'; /* the limit itself is allowed */
	assert_line(line, 1024, 1024);
	assert_line(line, 1025, 1024);
	assert_line(line, sizeof line, 1024);
	line[1024] = 'y';
	assert_refused(line, 1025, "passphrase.long");
	assert_refused(line, sizeof line, "passphrase.long");
}

/* Key bytes that were taken for a passphrase would end at the first 0. */
static void
bytes_are_no_passphrase(void **state)
{
	(void)state;
	assert_refused("four\0words", 10, "passphrase.bytes");
	assert_refused("\0four", 5, "passphrase.bytes");
	assert_line("four\n\0", 6, 4);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_line_counts_without_its_end),
		cmocka_unit_test(a_line_is_taken_whole_or_not_at_all),
		cmocka_unit_test(bytes_are_no_passphrase),
	};

	return cmocka_run_group_tests(tests, sat_test_dir_setup,
	    sat_test_dir_teardown);
}
