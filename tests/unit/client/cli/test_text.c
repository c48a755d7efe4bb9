/* The catalogue inside the program, and messages read backwards. */
#include "tests/lib/unit.h"

#include "client/cli/cli_int.h"

#include <stdlib.h>

static const char *
message(sat_buf *b, const char *english)
{
	sat_buf_reset(b);
	sat_text_message(b, english);
	return sat_buf_cstr(b);
}

static void
english_stays_what_it_is(void **state)
{
	sat_buf b = { 0 };

	(void)state;
	cli_text_use("en");
	assert_string_equal(sat_text("only receive"), "only receive");
	assert_string_equal(message(&b, "there is no replica in /a/b"),
	    "there is no replica in /a/b");
	sat_buf_fini(&b);
}

static void
a_text_without_chinese_stays_english(void **state)
{
	sat_buf b = { 0 };

	(void)state;
	cli_text_use("zh");
	assert_string_equal(sat_text("only receive"), "只接收");
	assert_string_equal(sat_text("no such text 7"), "no such text 7");
	/* the entry of "" is the catalogue's header */
	assert_string_equal(sat_text(""), "");
	assert_string_equal(message(&b, "no such text 7"), "no such text 7");
	assert_string_equal(message(&b, ""), "");
	sat_buf_fini(&b);
}

static void
a_filled_message_keeps_its_values(void **state)
{
	sat_buf b = { 0 };

	(void)state;
	cli_text_use("zh");
	assert_string_equal(message(&b, "there is no replica in /a/b in c"),
	    "/a/b in c 里没有副本");
	/* a conversion may stand for nothing, and for a percent sign */
	assert_string_equal(message(&b, "there is no replica in "),
	    " 里没有副本");
	assert_string_equal(message(&b, "there is no replica in %s%n"),
	    "%s%n 里没有副本");
	/* the end has to be the format's own */
	assert_string_equal(message(&b, "\"a\" is not FIELD=VALU"),
	    "\"a\" is not FIELD=VALU");
	assert_string_equal(message(&b, "\"a\" is not FIELD=VALUE"),
	    "“a”不是 FIELD=VALUE 的形式");
	/* %1$ and %2$: Chinese names the whole before the part */
	assert_string_equal(
	    message(&b, "the server refused 2 of 30 commits; they are kept"),
	    "服务器拒绝了 30 个提交中的 2 个；它们仍保留着");
	assert_string_equal(
	    message(&b, "account: 2 findings, first: name length"),
	    "account：2 处不合要求，首先是 name length");
	assert_string_equal(message(&b, "unknown command account lits"),
	    "未知命令 account lits");
	sat_buf_fini(&b);
}

static void
a_text_inside_of_a_message_is_translated_and_a_word_is_not(void **state)
{
	sat_buf b = { 0 };

	(void)state;
	cli_text_use("zh");
	assert_string_equal(
	    message(&b, "cannot read a.csv: No such file or directory"),
	    "无法读取 a.csv：没有这个文件或目录");
	assert_string_equal(
	    message(&b, "json: unexpected character at line 2 column 7"),
	    "json：字符不合语法，第 2 行第 7 列");
	/* "yes" has Chinese, and here it is a file's name */
	assert_string_equal(sat_text("yes"), "是");
	assert_string_equal(message(&b, "cannot read yes: Is it a file"),
	    "无法读取 yes：Is it a file");
	sat_buf_fini(&b);
}

static void
the_language_is_the_first_that_is_set(void **state)
{
	char *none[] = { (char *)"list" };
	char *flag[] = { (char *)"list", (char *)"--lang", (char *)"en" };
	char *after[] = { (char *)"--", (char *)"--lang=en" };

	(void)state;
	(void)setenv("LANG", "zh_CN.UTF-8", 1);
	(void)unsetenv("LC_ALL");
	(void)unsetenv("LC_MESSAGES");
	(void)unsetenv("SATCHEL_LANG");
	assert_string_equal(sat_text_lang(1, none, NULL), "zh");
	assert_string_equal(sat_text_lang(3, flag, NULL), "en");
	assert_string_equal(sat_text_lang(2, after, NULL), "zh");
	(void)setenv("LC_ALL", "C", 1);
	assert_string_equal(sat_text_lang(1, none, NULL), "en");
	(void)setenv("LC_ALL", "", 1);
	assert_string_equal(sat_text_lang(1, none, NULL), "zh");
	(void)setenv("SATCHEL_LANG", "en", 1);
	assert_string_equal(sat_text_lang(1, none, NULL), "en");
}

static void
help_in_chinese_fits_eighty_columns(void **state)
{
	sat_buf b = { 0 };
	char *line, *rest = NULL;

	(void)state;
	cli_text_use("zh");
	assert_true(cli_help(&b, NULL, NULL));
	assert_non_null(strstr(sat_buf_cstr(&b), "与服务器同步"));
	for (line = strtok_r((char *)b.p, "\n", &rest); line != NULL;
	     line = strtok_r(NULL, "\n", &rest))
		if (cli_width(line) > 80)
			fail_msg("too wide: %s", line);
	sat_buf_fini(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(english_stays_what_it_is),
		cmocka_unit_test(a_text_without_chinese_stays_english),
		cmocka_unit_test(a_filled_message_keeps_its_values),
		cmocka_unit_test(help_in_chinese_fits_eighty_columns),
		cmocka_unit_test(
		    a_text_inside_of_a_message_is_translated_and_a_word_is_not),
		cmocka_unit_test(the_language_is_the_first_that_is_set),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
