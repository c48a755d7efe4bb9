#include "tests/lib/unit.h"

#include "common/model/attachment.h"

#include <string.h>

static const uint8_t hash[SAT_ATTACHMENT_HASH] = { 0xab, 1, 2, 3 };

static bool
reads(sat_attachment *out, const char *text)
{
	return sat_attachment_read(out, sat_span_str(text));
}

static void
what_is_written_is_read(void **state)
{
	sat_buf b = { 0 };
	sat_attachment a;

	(void)state;
	sat_attachment_write(&b, hash, 12345, sat_span_str("报价 1.PDF"));
	assert_true(sat_attachment_read(&a, sat_buf_span(&b)));
	assert_memory_equal(hash, a.hash, sizeof hash);
	assert_int_equal(12345, a.bytes);
	assert_true(sat_span_eq(sat_span_str("application/pdf"), a.type));
	assert_true(sat_span_eq(sat_span_str("报价 1.PDF"), a.name));
	sat_buf_fini(&b);
}

static void
another_way_of_writing_it_is_none(void **state)
{
	static const char hex[] = "ab01020300000000000000000000000000000000000000000000000000000000";
	static const char *const bad[] = {
		"%s", "%s 1", "%s 1 text/plain", "%s 1 text/plain ",
		"%s 0 text/plain a", "%s 01 text/plain a", "%s -1 text/plain a",
		"%s 20971521 text/plain a", "%s 99999999999 text/plain a",
		"%s 1 text a", "%s 1 Text/plain a", "%s 1 a/b/c a",
		"%s 1 text/plain .a", "%s 1 text/plain a/b",
		"%s 1 text/plain a\\b", "%s 1 text/plain a\x1b[2J",
		"%s 1 text/plain a\"b", "%s  1 text/plain a",
		"%s 1 text/plain a\xe2\x80\xae" "fdp.exe", "x%s 1 text/plain a" };
	char text[300];
	sat_attachment a;

	(void)state;
	(void)snprintf(text, sizeof text, "%s 20971520 text/plain a", hex);
	assert_true(reads(&a, text));
	text[0] = 'A';
	assert_false(reads(&a, text));
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		const char *at = strstr(bad[i], "%s");

		(void)snprintf(text, sizeof text, "%.*s%s%s", (int)(at - bad[i]),
		    bad[i], hex, at + 2);
		if (reads(&a, text))
			fail_msg("taken: %s", text);
	}
}

static void
is_called(const char *want, const char *name, size_t max)
{
	sat_buf b = { 0 };

	sat_attachment_name(&b, sat_span_str(name), max);
	assert_string_equal(want, sat_buf_cstr(&b));
	sat_buf_fini(&b);
}

static void
a_name_has_no_folders_and_steers_nothing(void **state)
{
	(void)state;
	is_called("passwd", "../../etc/passwd", 100);
	is_called("a.txt", "C:\\Users\\me\\a.txt", 100);
	is_called("bashrc", "...bashrc", 100);
	is_called("[2Jx", "\x1b[2J\nx", 100);
	is_called("afdp.exe", "a\xe2\x80\xae" "fdp.exe", 100);
	is_called("file", "", 100);
	is_called("file", "..", 100);
	is_called("file", "\xff\xfe", 100);
	is_called("a b", " a b . ", 100);
}

static void
a_long_name_keeps_its_ending_and_whole_characters(void **state)
{
	char name[1000] = "";
	sat_attachment a;
	sat_buf b = { 0 };

	(void)state;
	for (int i = 0; i < 300; i++)
		(void)strcat(name, "合");
	(void)strcat(name, ".docx");
	is_called("合合.docx", name, 13);
	sat_attachment_write(&b, hash, 20971520, sat_span_str(name));
	assert_true(b.n <= SAT_ATTACHMENT_TEXT_MAX);
	assert_true(sat_attachment_read(&a, sat_buf_span(&b)));
	assert_memory_equal(".docx", a.name.p + a.name.n - 5, 5);
	sat_buf_fini(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read),
		cmocka_unit_test(another_way_of_writing_it_is_none),
		cmocka_unit_test(a_name_has_no_folders_and_steers_nothing),
		cmocka_unit_test(a_long_name_keeps_its_ending_and_whole_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
