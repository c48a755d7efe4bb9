/* What indicators are computed with: periods before, working time, fractions,
 * medians, formulas. */
#include "tests/lib/unit.h"

#include "common/base/clock.h"
#include "common/model/calendar.h"
#include "common/model/fraction.h"
#include "common/model/report.h"

#define CHINA 480
#define HOUR ((int64_t)3600000)

static int64_t
at(const char *text)
{
	int64_t ms;

	assert_true(sat_time_parse(&ms, text, CHINA));
	return ms;
}

static void
a_period_knows_the_one_before_and_a_year_ago(void **state)
{
	static const struct {
		const char *now, *prev, *year;
	} rows[] = {
		{ "2024-05", "2024-04", "2023-05" },
		{ "2024-01", "2023-12", "2023-01" },
		{ "2024-Q1", "2023-Q4", "2023-Q1" },
		{ "2024-Q3", "2024-Q2", "2023-Q3" },
		{ "2024", "2023", "2023" },
		{ "2024-W18", "2024-W17", "2023-W18" },
		/* 2024-12-30 is in 2025-W01; 2026 has 53 weeks */
		{ "2025-W01", "2024-W52", "2024-W01" },
		{ "2027-W01", "2026-W53", "2026-W01" },
		{ "2026-W53", "2026-W52", "2025-W52" },
		{ "2024-03-01", "2024-02-29", "2023-03-01" },
		{ "2024-02-29", "2024-02-28", "2023-02-28" },
		{ "2024-05-01..2024-05-10", "2024-04-21..2024-04-30",
		    "2023-05-01..2023-05-10" },
		{ "1900", NULL, NULL },
		{ "all", NULL, NULL },
	};
	sat_period p, q;
	sat_err err;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		assert_ok(sat_period_parse(&p, rows[i].now, CHINA, &err));
		assert_int_equal(rows[i].prev != NULL,
		    sat_period_prev(&q, &p, CHINA));
		if (rows[i].prev != NULL) {
			assert_string_equal(rows[i].prev, q.label);
			assert_true(q.to_ms == p.from_ms);
		}
		assert_int_equal(rows[i].year != NULL,
		    sat_period_year_ago(&q, &p, CHINA));
		if (rows[i].year != NULL)
			assert_string_equal(rows[i].year, q.label);
	}
}

static void
iso_weeks_belong_to_the_year_of_their_thursday(void **state)
{
	sat_period p;
	sat_err err;

	(void)state;
	assert_ok(sat_period_parse(&p, "2025-W01", CHINA, &err));
	assert_true(sat_period_has(&p, at("2024-12-30")));
	assert_false(sat_period_has(&p, at("2024-12-30") - 1));
	assert_ok(sat_period_parse(&p, "2026-W53", CHINA, &err));
	assert_true(sat_period_has(&p, at("2027-01-03")));
	assert_false(sat_period_has(&p, at("2027-01-04")));
	assert_rc(SAT_EUSAGE, sat_period_parse(&p, "2025-W53", CHINA, &err));
}

static void
only_working_hours_count(void **state)
{
	const sat_calendar c = sat_calendar_plain(CHINA);
	static const struct {
		const char *from, *to;
		int64_t minutes;
	} rows[] = {
		{ "2024-05-02 09:00+08:00", "2024-05-02 11:00+08:00", 120 },
		{ "2024-05-08 10:00+08:00", "2024-05-08 18:00+08:00", 480 },
		{ "2024-05-20 10:00+08:00", "2024-05-21 12:00+08:00", 660 },
		{ "2024-05-01 00:10+08:00", "2024-05-01 08:10+08:00", 0 },
		/* Friday evening to Monday morning */
		{ "2024-05-03 17:30+08:00", "2024-05-06 09:15+08:00", 45 },
		{ "2024-05-04 10:00+08:00", "2024-05-05 20:00+08:00", 0 },
		/* a year: 262 working days of 2024 */
		{ "2024-01-01 00:00+08:00", "2025-01-01 00:00+08:00", 262 * 540 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		int64_t from = at(rows[i].from), to = at(rows[i].to);

		assert_int_equal(rows[i].minutes * 60000,
		    sat_calendar_work_ms(&c, from, to));
		assert_int_equal(-rows[i].minutes * 60000,
		    sat_calendar_work_ms(&c, to, from));
	}
}

/* Against the plain way of going day by day. */
static void
holidays_and_worked_weekends_are_counted(void **state)
{
	int64_t may = sat_days_of(2024, 5, 1), holidays[5], extra[2];
	sat_calendar c = sat_calendar_plain(CHINA);
	int64_t n = 0;

	(void)state;
	for (int i = 0; i < 5; i++)
		holidays[i] = may + i; /* two of them a weekend */
	extra[0] = sat_days_of(2024, 4, 28);
	extra[1] = sat_days_of(2024, 5, 11);
	c.holidays = holidays;
	c.nholidays = 5;
	c.extra = extra;
	c.nextra = 2;
	assert_false(sat_calendar_works(&c, may));
	assert_true(sat_calendar_works(&c, extra[1]));
	for (int64_t d = may - 40; d < may + 40; d++) {
		n += sat_calendar_works(&c, d);
		assert_int_equal(n, sat_calendar_workdays(&c, may - 40, d + 1));
	}
	/* 23 weekdays of May, 3 of them holidays, one Saturday worked */
	assert_int_equal(21, sat_calendar_workdays(&c, may,
	    sat_days_of(2024, 6, 1)));
}

static void
fractions_are_exact_and_know_when_there_is_nothing(void **state)
{
	sat_fraction a = sat_fraction_of(1, 3), b = sat_fraction_of(1, 6);
	int64_t n, d;

	(void)state;
	sat_fraction_out(&n, &d, sat_fraction_do('+', a, b));
	assert_true(n == 1 && d == 2);
	sat_fraction_out(&n, &d, sat_fraction_do('-', b, a));
	assert_true(n == -1 && d == 6);
	sat_fraction_out(&n, &d, sat_fraction_do('/', a, sat_fraction_of(-2, 1)));
	assert_true(n == -1 && d == 6);
	sat_fraction_out(&n, &d, sat_fraction_do('<', a, b));
	assert_true(n == 1 && d == 6);
	sat_fraction_out(&n, &d, sat_fraction_do('>', a, b));
	assert_true(n == 1 && d == 3);
	sat_fraction_out(&n, &d, sat_fraction_do('/', a, sat_fraction_of(0, 1)));
	assert_true(d == 0);
	sat_fraction_out(&n, &d, sat_fraction_do('+', a,
	    sat_fraction_none()));
	assert_true(d == 0);
}

static void
a_fraction_too_large_is_rounded_or_nothing(void **state)
{
	sat_fraction big = sat_fraction_of(INT64_MAX, 7), p = big;
	int64_t n, d;
	double v;

	(void)state;
	p = sat_fraction_do('*', big, sat_fraction_of(5, INT64_MAX - 1));
	sat_fraction_out(&n, &d, p);
	v = (double)n / (double)d;
	assert_true(v > 0.714285 && v < 0.714286);
	for (int i = 0; i < 8; i++)
		p = sat_fraction_do('*', p, big);
	sat_fraction_out(&n, &d, p);
	assert_true(d == 0);
	sat_fraction_out(&n, &d, sat_fraction_do('*', sat_fraction_of(INT64_MAX,
	    1), sat_fraction_of(INT64_MAX, 1)));
	assert_true(d == 1 && n == (int64_t)1 << 62);
}

static size_t
group(sat_tally *t, int64_t v)
{
	sat_value dim = sat_v_int(v);

	return sat_tally_group(t, &dim);
}

static void
medians_are_the_middle_of_each_group_and_of_all(void **state)
{
	static const sat_agg aggs[] = { SAT_AGG_MEDIAN, SAT_AGG_MEAN };
	static const int64_t one[] = { 8, 2, 26, 8 }, two[] = { 5, 1, 3 };
	sat_tally *t = sat_tally_new(1, 2, aggs);
	sat_tally_row r;

	(void)state;
	for (int i = 0; i < 4; i++) {
		sat_tally_sample(t, group(t, 1), 0, one[i]);
		sat_tally_ratio(t, group(t, 1), 1, one[i], 1);
	}
	for (int i = 0; i < 3; i++)
		sat_tally_sample(t, group(t, 2), 0, two[i]);
	(void)group(t, 3);
	sat_tally_finish(t, -1, false);
	r = sat_tally_row_at(t, 0);
	assert_true(r.n[0] == 16 && r.den[0] == 2);
	assert_true(r.n[1] == 44 && r.den[1] == 4);
	r = sat_tally_row_at(t, 1);
	assert_true(r.n[0] == 3 && r.den[0] == 1);
	r = sat_tally_row_at(t, 2);
	assert_int_equal(0, r.den[0]);
	r = sat_tally_total(t); /* 1 2 3 5 8 8 26 */
	assert_true(r.n[0] == 5 && r.den[0] == 1);
	sat_tally_free(t);
}

static void
half_of_the_other(void *u, size_t measure, const int64_t *n, const int64_t *den,
    int64_t *num_out, int64_t *den_out)
{
	(void)den;
	assert_int_equal(1, measure);
	assert_ptr_equal(u, half_of_the_other);
	*num_out = n[0];
	*den_out = n[0] < 0 ? 0 : 2;
}

static void
formulas_are_computed_before_rows_are_sorted(void **state)
{
	static const sat_agg aggs[] = { SAT_AGG_SUM, SAT_AGG_FORMULA };
	sat_tally *t = sat_tally_new(1, 2, aggs);
	union {
		void (*f)(void *, size_t, const int64_t *, const int64_t *,
		    int64_t *, int64_t *);
		void *p;
	} u = { half_of_the_other };

	(void)state;
	sat_tally_formulas(t, half_of_the_other, u.p);
	sat_tally_add(t, group(t, 1), 0, -4);
	sat_tally_add(t, group(t, 2), 0, 6);
	sat_tally_add(t, group(t, 3), 0, 9);
	sat_tally_finish(t, 1, true);
	assert_int_equal(3, sat_tally_row_at(t, 0).dims[0].i);
	assert_int_equal(2, sat_tally_row_at(t, 1).dims[0].i);
	assert_int_equal(1, sat_tally_row_at(t, 2).dims[0].i); /* no value last */
	assert_int_equal(11, sat_tally_total(t).n[1]); /* of the total, not summed */
	sat_tally_free(t);
}

static void
a_negative_denominator_turns_the_order_round(void **state)
{
	static const sat_agg aggs[] = { SAT_AGG_RATIO };
	static const int64_t num[] = { 1, 1, -1 }, den[] = { -2, 3, -4 };
	static const int64_t want[] = { 1, 2, 0 }; /* 1/3, 1/4, -1/2 */
	sat_tally *t = sat_tally_new(1, 1, aggs);

	(void)state;
	for (int i = 0; i < 3; i++)
		sat_tally_ratio(t, group(t, i), 0, num[i], den[i]);
	sat_tally_finish(t, 0, false);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(want[i], sat_tally_row_at(t, i).dims[0].i);
	sat_tally_free(t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_period_knows_the_one_before_and_a_year_ago),
		cmocka_unit_test(iso_weeks_belong_to_the_year_of_their_thursday),
		cmocka_unit_test(only_working_hours_count),
		cmocka_unit_test(holidays_and_worked_weekends_are_counted),
		cmocka_unit_test(fractions_are_exact_and_know_when_there_is_nothing),
		cmocka_unit_test(a_fraction_too_large_is_rounded_or_nothing),
		cmocka_unit_test(medians_are_the_middle_of_each_group_and_of_all),
		cmocka_unit_test(formulas_are_computed_before_rows_are_sorted),
		cmocka_unit_test(a_negative_denominator_turns_the_order_round),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
