/* Company names that only look alike. */
#include "tests/lib/unit.h"

#include "common/model/alike.h"

static const sat_span none = { NULL, 0 };

static bool
alike(const char *a, const char *b)
{
	return sat_names_alike(sat_span_str(a), sat_span_str(b), none, none);
}

static void
one_character_apart_is_alike(void **state)
{
	(void)state;
	assert_true(alike("上海云帆信息科技", "上海云凡信息科技有限公司"));
	assert_true(alike("Acme Works", "Acme  Work"));
	assert_true(alike("Acme Works", "AcmeXWorks"));
	assert_false(alike("Acme Works", "Amce Works")); /* two are changed */
	assert_false(alike("Acme Works", "Acme Wo"));
	assert_true(alike("Acme Works", "Acme Works Co., Ltd."));
}

static void
short_names_are_two_names(void **state)
{
	(void)state;
	assert_false(alike("云帆", "云凡"));
	assert_false(alike("北京云", "北京风"));
	assert_true(alike("北京云帆", "北京云凡"));
	assert_false(alike("", ""));
}

static void
the_city_in_front_does_not_count_in_that_city(void **state)
{
	sat_span a = sat_span_str("上海云帆"), b = sat_span_str("云帆有限公司");
	sat_span sh = sat_span_str("上海市"), bj = sat_span_str("北京市");

	(void)state;
	assert_true(sat_names_alike(a, b, sh, sh));
	assert_true(sat_names_alike(sat_span_str("上海市云帆"), b, sh, sh));
	assert_false(sat_names_alike(a, b, sh, bj));
	assert_false(sat_names_alike(a, b, none, none));
	assert_false(sat_names_alike(a, sat_span_str("上海"), sh, sh));
}

typedef struct forms {
	char text[64][128];
	size_t n;
} forms;

static void
keep(void *u, sat_span form)
{
	forms *f = u;

	assert_true(f->n < 64 && form.n < 128);
	memcpy(f->text[f->n], form.p, form.n);
	f->text[f->n++][form.n] = '\0';
}

static bool
share(sat_span a, sat_span b, sat_span city)
{
	static forms x, y;

	x.n = y.n = 0;
	sat_name_variants(a, city, keep, &x);
	sat_name_variants(b, city, keep, &y);
	for (size_t i = 0; i < x.n; i++)
		for (size_t k = 0; k < y.n; k++)
			if (strcmp(x.text[i], y.text[k]) == 0)
				return true;
	return false;
}

/* What a scan compares is what shares a form: so alike names must. */
static void
alike_names_share_a_form(void **state)
{
	static const char *const runes[] = { "云", "帆", "科", "a", "b" };
	uint64_t seed = sat_test_seed(5);
	size_t met = 0;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		char name[2][64] = { "", "" };
		size_t n = 3 + sat_test_rand(&seed) % 4;

		for (size_t i = 0; i < n; i++) {
			const char *r = runes[sat_test_rand(&seed) % 5];

			strcat(name[0], r);
			if (sat_test_rand(&seed) % 6 != 0)
				strcat(name[1], r);
			if (sat_test_rand(&seed) % 9 == 0)
				strcat(name[1], runes[sat_test_rand(&seed) % 5]);
		}
		if (!alike(name[0], name[1]))
			continue;
		met++;
		assert_true(share(sat_span_str(name[0]), sat_span_str(name[1]),
		    none));
	}
	assert_true(met > 1000);
	assert_true(share(sat_span_str("上海云帆"), sat_span_str("云帆"),
	    sat_span_str("上海市")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_character_apart_is_alike),
		cmocka_unit_test(short_names_are_two_names),
		cmocka_unit_test(the_city_in_front_does_not_count_in_that_city),
		cmocka_unit_test(alike_names_share_a_form),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
