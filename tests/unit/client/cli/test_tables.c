/* The tables of verbs, and what is made of them. */
#include "tests/lib/unit.h"

#include "client/cli/cli_int.h"

#include <unistd.h>

#define EACH_VERB(v)                                                      \
	for (size_t t_ = 0; t_ < cli_ntables; t_++)                       \
		for (const cli_verb *v = cli_tables[t_].verbs;            \
		     v < cli_tables[t_].verbs + *cli_tables[t_].n; v++)

static void
no_option_is_named_twice(void **state)
{
	(void)state;
	EACH_VERB(v) {
		for (const sat_opt *a = v->options; a != NULL && a->name != NULL;
		     a++) {
			for (const sat_opt *b = v->options; b != a; b++)
				if (strcmp(a->name, b->name) == 0 ||
				    (a->letter != 0 && a->letter == b->letter))
					fail_msg("%s: --%s twice", v->usage,
					    a->name);
			for (const sat_opt *g = cli_global; g->name != NULL; g++)
				if (strcmp(a->name, g->name) == 0 ||
				    (a->letter != 0 && a->letter == g->letter))
					fail_msg("%s: --%s is a global one",
					    v->usage, a->name);
		}
	}
	for (const sat_opt *a = cli_global; a->name != NULL; a++)
		for (const sat_opt *b = cli_global; b != a; b++)
			assert_true(strcmp(a->name, b->name) != 0 &&
			    (a->letter == 0 || a->letter != b->letter));
}

static void
every_verb_has_usage_help_and_a_place_of_its_own(void **state)
{
	(void)state;
	EACH_VERB(v) {
		char words[80];
		size_t same = 0;

		(void)snprintf(words, sizeof words, "%s%s%s", v->noun,
		    v->verb != NULL ? " " : "", v->verb != NULL ? v->verb : "");
		assert_non_null(v->run);
		assert_true(strlen(v->help) > 2);
		if (strncmp(v->usage, words, strlen(words)) != 0)
			fail_msg("usage of \"%s\" is \"%s\"", words, v->usage);
		assert_true(strlen(v->usage) < 70); /* fits a line */
		assert_true(strlen(words) <= 24);
		for (const sat_opt *o = v->options; o != NULL && o->name != NULL;
		     o++)
			assert_true(strlen(o->help) > 2);
		for (size_t t = 0; t < cli_ntables; t++)
			for (size_t i = 0; i < *cli_tables[t].n; i++) {
				const cli_verb *w = &cli_tables[t].verbs[i];

				same += strcmp(w->noun, v->noun) == 0 &&
				    (w->verb == NULL) == (v->verb == NULL) &&
				    (w->verb == NULL ||
				        strcmp(w->verb, v->verb) == 0);
			}
		assert_int_equal(1, same);
	}
}

static void
help_names_every_verb_and_fits_eighty_columns(void **state)
{
	sat_buf b = { 0 };
	const char *line, *end;

	(void)state;
	assert_true(cli_help(&b, NULL, NULL));
	EACH_VERB(v)
		if (strncmp(v->noun, "__", 2) != 0)
			assert_non_null(strstr(sat_buf_cstr(&b), v->help));
	for (line = sat_buf_cstr(&b); *line != '\0'; line = end + 1) {
		char one[400];

		end = strchr(line, '\n');
		assert_non_null(end);
		(void)snprintf(one, sizeof one, "%.*s", (int)(end - line), line);
		if (cli_width(one) > 80)
			fail_msg("too wide: %s", one);
	}
	assert_null(strstr(sat_buf_cstr(&b), "__"));
	sat_buf_fini(&b);
}

/* The committed page is the one the program prints: after a change:
 * satchel __man PAGE >docs/man/PAGE. */
static void
committed_pages_are_the_generated_ones(void **state)
{
	static const char *const pages[] = { "satchel.1", "satchel-import.1",
		"satchel-config.5", "satchel-exit-codes.7" };

	(void)state;
	for (size_t i = 0; i < sizeof pages / sizeof pages[0]; i++) {
		sat_buf want = { 0 }, got = { 0 };
		char path[80];
		FILE *in;

		(void)snprintf(path, sizeof path, "docs/man/%s", pages[i]);
		assert_true(cli_man(&want, pages[i]));
		in = fopen(path, "rbe");
		if (in == NULL)
			fail_msg("there is no %s", path);
		got.n = fread(sat_buf_room(&got, 1 << 18), 1, 1 << 18, in);
		(void)fclose(in);
		if (!sat_span_eq(sat_buf_span(&want), sat_buf_span(&got)))
			fail_msg("%s is not what satchel __man %s prints", path,
			    pages[i]);
		sat_buf_fini(&want);
		sat_buf_fini(&got);
	}
	assert_false(cli_man(NULL, "nosuch.9"));
}

static void
completions_name_every_verb_and_option(void **state)
{
	static const char *const shells[] = { "bash", "zsh", "fish" };
	cli c = { .args = { .nargs = 2 } };
	sat_err err;

	(void)state;
	c.args.arg[0] = "completion";
	for (size_t i = 0; i < 3; i++) {
		const char *text;

		c.args.arg[1] = shells[i];
		assert_ok(cli_completion(&c, &err));
		text = sat_buf_cstr(&c.out);
		EACH_VERB(v) {
			if (strncmp(v->noun, "__", 2) == 0)
				continue;
			assert_non_null(strstr(text, v->noun));
			if (v->verb != NULL)
				assert_non_null(strstr(text, v->verb));
			for (const sat_opt *o = v->options;
			     o != NULL && o->name != NULL; o++)
				assert_non_null(strstr(text, o->name));
		}
		assert_null(strstr(text, "__man"));
		sat_buf_reset(&c.out);
	}
	c.args.arg[1] = "tcsh";
	assert_rc(SAT_EUSAGE, cli_completion(&c, &err));
	sat_buf_fini(&c.out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_option_is_named_twice),
		cmocka_unit_test(every_verb_has_usage_help_and_a_place_of_its_own),
		cmocka_unit_test(help_names_every_verb_and_fits_eighty_columns),
		cmocka_unit_test(committed_pages_are_the_generated_ones),
		cmocka_unit_test(completions_name_every_verb_and_option),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
