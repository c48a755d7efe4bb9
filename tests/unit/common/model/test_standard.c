/* Grades and follow-up rhythm: the worked examples of the requirements. */
#include "tests/lib/unit.h"

#include "common/model/standard.h"

#define H ((int64_t)3600 * 1000)
#define D (24 * H)

static void
thresholds_are_reached_to_the_fen(void **state)
{
	static const sat_grade_step steps[] = { { "strategic", 50000000 },
		{ "key", 10000000 }, { "normal", 1 } };

	(void)state;
	assert_string_equal("key", sat_grade_of(49999999, steps, 3));
	assert_string_equal("strategic", sat_grade_of(50000000, steps, 3));
	assert_string_equal("key", sat_grade_of(10000000, steps, 3));
	assert_string_equal("normal", sat_grade_of(9999999, steps, 3));
	assert_null(sat_grade_of(0, steps, 3));
	assert_null(sat_grade_of(5, steps, 0));
}

static void
abc_takes_in_who_crosses_the_line(void **state)
{
	static const int64_t v[] = { 500, 260, 120, 60, 30, 20, 10 };
	static const int64_t zero[] = { 0, 0 };
	static const int64_t one[] = { 7 };
	char out[8] = "";

	(void)state;
	sat_grade_abc(out, v, 7, 80, 95);
	assert_memory_equal("AAABBCC", out, 7);
	sat_grade_abc(out, zero, 2, 80, 95);
	assert_memory_equal("CC", out, 2);
	sat_grade_abc(out, one, 1, 80, 95);
	assert_memory_equal("A", out, 1);
}

static void
the_rhythm_of_the_grade_decides_when_to_be_in_touch(void **state)
{
	static const sat_sla s = { "key", 8, 14, 0, 0, 3 };
	static const sat_sla none = { NULL, 8, 7, 14, 30, 7 };
	int64_t due;

	(void)state;
	/* nobody was there yet: hours count from the creation */
	assert_int_equal(SAT_SLA_LATER, sat_sla_judge(&due, &s, 100 * D, 0, 0,
	    100 * D, 100 * D + 5 * H));
	assert_int_equal(100 * D + 8 * H, due);
	assert_int_equal(SAT_SLA_TODAY, sat_sla_judge(&due, &s, 100 * D, 0, 0,
	    100 * D, 100 * D + 9 * H));
	/* then days from the last follow-up */
	assert_int_equal(SAT_SLA_LATER, sat_sla_judge(&due, &s, 100 * D,
	    110 * D, 0, 111 * D, 112 * D));
	assert_int_equal(124 * D, due);
	assert_int_equal(SAT_SLA_OVERDUE, sat_sla_judge(&due, &s, 100 * D,
	    110 * D, 0, 124 * D + 1, 125 * D));
	assert_int_equal(SAT_SLA_ESCALATED, sat_sla_judge(&due, &s, 100 * D,
	    110 * D, 0, 127 * D, 128 * D));
	/* an old acquaintance who never bought: a slower one */
	(void)sat_sla_judge(&due, &none, 100 * D, 120 * D, 0, 121 * D, 122 * D);
	assert_int_equal(127 * D, due);
	(void)sat_sla_judge(&due, &none, 100 * D, 120 * D, 0, 131 * D, 132 * D);
	assert_int_equal(134 * D, due);
}

static void
an_agreed_date_counts_when_it_is_earlier(void **state)
{
	static const sat_sla s = { "key", 8, 14, 0, 0, 3 };
	int64_t due;

	(void)state;
	assert_int_equal(SAT_SLA_OVERDUE, sat_sla_judge(&due, &s, 100 * D,
	    110 * D, 112 * D, 113 * D, 114 * D));
	assert_int_equal(112 * D, due);
	(void)sat_sla_judge(&due, &s, 100 * D, 110 * D, 150 * D, 113 * D,
	    114 * D);
	assert_int_equal(124 * D, due);
	/* one before the last follow-up was kept */
	(void)sat_sla_judge(&due, &s, 100 * D, 110 * D, 109 * D, 113 * D,
	    114 * D);
	assert_int_equal(124 * D, due);
	assert_int_equal(SAT_SLA_TODAY, sat_sla_judge(&due, NULL, 100 * D, 0,
	    113 * D + 5, 113 * D, 114 * D));
	assert_int_equal(SAT_SLA_NONE, sat_sla_judge(&due, NULL, 100 * D, 0, 0,
	    113 * D, 114 * D));
}

static void
a_customer_is_potential_new_existing_or_lost_by_his_orders(void **state)
{
	const int64_t day = (int64_t)24 * 3600 * 1000, now = 1000 * day;

	(void)state;
	assert_int_equal(sat_lifecycle_of(0, 0, now, 90, 365), SAT_LIFE_POTENTIAL);
	assert_int_equal(sat_lifecycle_of(now - 90 * day, now, now, 90, 365), SAT_LIFE_NEW);
	assert_int_equal(sat_lifecycle_of(now - 90 * day - 1, now, now, 90, 365), SAT_LIFE_EXISTING);
	assert_int_equal(sat_lifecycle_of(day, now - 365 * day, now, 90, 365), SAT_LIFE_EXISTING);
	assert_int_equal(sat_lifecycle_of(day, now - 365 * day - 1, now, 90, 365), SAT_LIFE_LOST);
	/* a window shorter than "new" still loses him */
	assert_int_equal(sat_lifecycle_of(now - 61 * day, now - 61 * day, now, 90, 60), SAT_LIFE_LOST);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_customer_is_potential_new_existing_or_lost_by_his_orders),
		cmocka_unit_test(thresholds_are_reached_to_the_fen),
		cmocka_unit_test(abc_takes_in_who_crosses_the_line),
		cmocka_unit_test(the_rhythm_of_the_grade_decides_when_to_be_in_touch),
		cmocka_unit_test(an_agreed_date_counts_when_it_is_earlier),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
