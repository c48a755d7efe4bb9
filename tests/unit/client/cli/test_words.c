/* How many words a verb takes is read from its usage. */
#include "tests/lib/unit.h"

#include "client/cli/cli_int.h"

static void
a_usage_says_how_many_words_it_has_places_for(void **state)
{
	(void)state;
	assert_int_equal(2, sat_usage_words("account list [OPTIONS]"));
	assert_int_equal(3, sat_usage_words("account show ID"));
	assert_int_equal(4, sat_usage_words("account stage ID STAGE [--reason R]"));
	assert_int_equal(3, sat_usage_words("contact add ACCOUNT --set K=V..."));
	assert_int_equal(2, sat_usage_words("import FILE --type KIND [--map FILE]"));
	assert_int_equal(3, sat_usage_words("report made [KEY [--period P]]"));
	assert_int_equal(3,
	    sat_usage_words("device revoke NUMBER [--wipe [--push-first]]"));
	assert_int_equal(3,
	    sat_usage_words("opportunity close ID --won | --lost REASON"));
	assert_int_equal(3,
	    sat_usage_words("conflict resolve KEY --mine|--theirs|--set F=V"));
	assert_int_equal(1, sat_usage_words("init --invite CODE [--server URL] | --demo N"));
}

static void
some_verbs_take_any_number(void **state)
{
	(void)state;
	assert_int_equal(SAT_ARGS_MAX, sat_usage_words("pool claim ID...|-"));
	assert_int_equal(SAT_ARGS_MAX, sat_usage_words("account tag ID +NEW -OLD"));
	assert_int_equal(SAT_ARGS_MAX, sat_usage_words("report assess [KEY...] [-o FILE]"));
	/* the dots belong to an option */
	assert_int_equal(3, sat_usage_words("lead convert ID [--set K=V]..."));
	assert_int_equal(3, sat_usage_words("import audit ID [--sample N] "
	    "[--pass ROW|--fail ROW]..."));
}

/* A verb that needs a word must have a place for it. */
static void
every_verb_has_a_place_for_its_own_words(void **state)
{
	(void)state;
	for (size_t t = 0; t < cli_ntables; t++)
		for (size_t i = 0; i < *cli_tables[t].n; i++) {
			const cli_verb *v = &cli_tables[t].verbs[i];
			size_t own = v->verb != NULL ? 2 : 1;
			size_t max = sat_usage_words(v->usage);

			if (max < own || (max > own + 2 && max != SAT_ARGS_MAX))
				fail_msg("%s: %zu words", v->usage, max);
		}
}

static void
a_word_too_many_and_an_empty_one_are_refused(void **state)
{
	static const cli_verb show = { .noun = "account", .verb = "show",
		.usage = "account show ID" };
	static const cli_verb set = { .noun = "config", .verb = "set",
		.usage = "config set KEY VALUE" };
	static cli c;

	(void)state;
	c.args.arg[0] = "account";
	c.args.arg[1] = "show";
	c.args.arg[2] = "C202605001";
	c.args.arg[3] = "C202605002";
	c.args.nargs = 3;
	assert_rc(SAT_OK, cli_words_fit(&c, &show, NULL));
	c.args.nargs = 4;
	assert_rc(SAT_EUSAGE, cli_words_fit(&c, &show, NULL));
	c.args.arg[2] = "";
	c.args.nargs = 3;
	assert_rc(SAT_EUSAGE, cli_words_fit(&c, &show, NULL));
	c.args.arg[2] = "core.pager"; /* an empty setting means something */
	c.args.arg[3] = "";
	c.args.nargs = 4;
	assert_rc(SAT_OK, cli_words_fit(&c, &set, NULL));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_usage_says_how_many_words_it_has_places_for),
		cmocka_unit_test(some_verbs_take_any_number),
		cmocka_unit_test(every_verb_has_a_place_for_its_own_words),
		cmocka_unit_test(a_word_too_many_and_an_empty_one_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
