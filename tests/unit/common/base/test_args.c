#include "tests/lib/unit.h"

#include "common/base/args.h"

static const sat_opt table[] = {
	{ "json", 0, NULL, "JSON" },
	{ "set", 's', "K=V", "set a field" },
	{ "quiet", 'q', NULL, "less" },
	{ "verbose", 'v', NULL, "more" },
	{ NULL, 0, NULL, NULL },
};

static sat_rc
parse(sat_args *a, const char *const *words, sat_err *err)
{
	char *argv[8];
	int n = 0;

	for (; words[n] != NULL; n++)
		memcpy(&argv[n], &words[n], sizeof argv[n]);
	return sat_args_parse(a, n, argv, table, NULL, err);
}

static void
options_and_arguments_mix(void **state)
{
	const char *words[] = { "a", "--set=x=1", "-s", "y=2", "-qv", "--",
		"--json", NULL };
	sat_args a;
	sat_err err;
	size_t i = 0;

	(void)state;
	assert_ok(parse(&a, words, &err));
	assert_int_equal(2, a.nargs);
	assert_string_equal("--json", a.arg[1]);
	assert_string_equal("x=1", sat_args_next(&a, "set", &i));
	assert_string_equal("y=2", sat_args_next(&a, "set", &i));
	assert_null(sat_args_next(&a, "set", &i));
	assert_true(sat_args_has(&a, "verbose"));
	assert_false(sat_args_has(&a, "json"));
}

static void
a_misspelt_option_is_refused_with_the_nearest(void **state)
{
	const char *words[] = { "--jsno", NULL };
	const char *no_value[] = { "--set", NULL };
	sat_args a;
	sat_err err;

	(void)state;
	assert_rc(SAT_EUSAGE, parse(&a, words, &err));
	assert_string_equal("did you mean --json?", err.hint);
	assert_rc(SAT_EUSAGE, parse(&a, no_value, &err));
}

static void
durations_have_units(void **state)
{
	int64_t ms;

	(void)state;
	assert_true(sat_duration_parse(&ms, "15m"));
	assert_true(ms == 900000);
	assert_false(sat_duration_parse(&ms, "15x"));
	assert_false(sat_duration_parse(&ms, "-1s"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_and_arguments_mix),
		cmocka_unit_test(a_misspelt_option_is_refused_with_the_nearest),
		cmocka_unit_test(durations_have_units),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
