#include "tests/lib/unit.h"

#include "common/base/clock.h"
#include "common/model/report.h"

#define TZ 480

static int64_t
utc(const char *text)
{
	int64_t ms;

	assert_true(sat_time_parse(&ms, text, 0));
	return ms;
}

static sat_value
txt(const char *s)
{
	return sat_v_text(sat_span_str(s));
}

static void
assert_period(const char *text, const char *from, const char *to)
{
	sat_period p;
	sat_err err;
	int64_t a, b;

	assert_ok(sat_period_parse(&p, text, TZ, &err));
	assert_true(sat_time_parse(&a, from, TZ));
	assert_true(sat_time_parse(&b, to, TZ));
	if (p.from_ms != a || p.to_ms != b)
		fail_msg("%s: not %s up to %s", text, from, to);
	assert_string_equal(text, p.label);
}

static void
periods_are_half_open_local_days(void **state)
{
	sat_period p;
	sat_err err;

	(void)state;
	assert_period("2026-11", "2026-11-01", "2026-12-01");
	assert_period("2026-12", "2026-12-01", "2027-01-01");
	assert_period("2024-02", "2024-02-01", "2024-03-01");
	assert_period("2026-Q4", "2026-10-01", "2027-01-01");
	assert_period("2026-Q1", "2026-01-01", "2026-04-01");
	assert_period("2026", "2026-01-01", "2027-01-01");
	assert_period("2026-11-21", "2026-11-21", "2026-11-22");
	assert_period("2024-02-29", "2024-02-29", "2024-03-01");
	assert_period("2017-01-01..2017-06-30", "2017-01-01", "2017-07-01");
	assert_ok(sat_period_parse(&p, "2024-05", TZ, &err));
	assert_true(sat_period_has(&p, utc("2024-04-30T16:00:00Z")));
	assert_false(sat_period_has(&p, utc("2024-04-30T15:59:59Z")));
	assert_false(sat_period_has(&p, utc("2024-05-31T16:00:00Z")));
	assert_ok(sat_period_parse(&p, "all", TZ, &err));
	assert_true(p.all && sat_period_has(&p, INT64_MIN));
	assert_true(sat_period_has(&p, INT64_MAX));
}

static void
weeks_are_iso_weeks(void **state)
{
	sat_period p;
	sat_err err;

	(void)state;
	assert_period("2024-W18", "2024-04-29", "2024-05-06");
	assert_period("2025-W01", "2024-12-30", "2025-01-06"); /* has 2024-12-30 */
	assert_period("2026-W53", "2026-12-28", "2027-01-04"); /* has 2027-01-03 */
	assert_period("2027-W01", "2027-01-04", "2027-01-11");
	assert_rc(SAT_EUSAGE, sat_period_parse(&p, "2025-W53", TZ, &err));
	assert_rc(SAT_EUSAGE, sat_period_parse(&p, "2025-W00", TZ, &err));
}

static void
weeks_tile_the_calendar(void **state)
{
	int64_t last = 0;
	char text[16];

	(void)state;
	for (int y = 1971; y < 2100; y++)
		for (int w = 1; w <= 53; w++) {
			sat_period p;
			sat_err err;

			(void)snprintf(text, sizeof text, "%d-W%02d", y, w);
			if (sat_period_parse(&p, text, 0, &err) != SAT_OK) {
				assert_int_equal(53, w);
				continue;
			}
			assert_true(last == 0 || last == p.from_ms);
			assert_true(p.to_ms - p.from_ms == 7 * 86400000LL);
			last = p.to_ms;
		}
}

static void
what_is_no_period_is_refused(void **state)
{
	static const char *const bad[] = { "", "2026-", "2026-13", "2026-1",
		"2026-Q5", "2026-Q0", "2026-W", "2026-02-30", "26-01", "ALL",
		"2026-01-02..2026-01-01", "2026-01-01..", "2026-01-01..2026-02",
		"2026-11-21x", "2026x", "1800", "2026-11 ", "99999" };

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		sat_period p;
		sat_err err;

		if (sat_period_parse(&p, bad[i], TZ, &err) != SAT_EUSAGE)
			fail_msg("'%s' was read as a period", bad[i]);
	}
}

static void
ratios_print_half_up_with_two_decimals(void **state)
{
	static const struct {
		int64_t num, den;
		bool percent;
		const char *want;
	} rows[] = {
		{ 4238, 6711, true, "63.15" }, { 2, 3, true, "66.67" },
		{ 420, 500, true, "84.00" }, { 0, 3, true, "0.00" },
		{ 0, 0, true, "—" }, { 5, 0, true, "—" },
		{ 11, 12, true, "91.67" }, { 1, 80000, true, "0.00" },
		{ 1, 20000, true, "0.01" }, /* exactly half */
		{ 1, 8, false, "0.13" }, { 44, 4, false, "11.00" },
		{ -40, 48, true, "-83.33" }, { 1, -3, false, "-0.33" },
		{ INT64_MAX, 1, true, "922337203685477580700.00" },
		{ INT64_MIN, INT64_MIN, true, "100.00" },
	};
	char out[32];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		sat_ratio_text(out, rows[i].num, rows[i].den, rows[i].percent);
		assert_string_equal(rows[i].want, out);
	}
	sat_money_text(out, 100055340);
	assert_string_equal("1000553.40", out);
	sat_money_text(out, -5);
	assert_string_equal("-0.05", out);
	sat_money_text(out, INT64_MIN);
	assert_string_equal("-92233720368547758.08", out);
}

/* Requirements §5, fixture T1: opportunities with their closing. */
static const struct deal {
	const char *owner, *account, *industry, *won, *lost;
	int64_t fen;
} deals[] = {
	{ "u1", "c1", "C34", "2024-05-15T02:00:00Z", NULL, 12000000 },
	{ "u2", "c2", "I65", NULL, "2024-05-20T02:00:00Z", 8000000 },
	{ "u1", "c3", "C34", "2024-05-31T15:59:59Z", NULL, 30000000 },
	{ "u1", "c4", "I65", NULL, NULL, 5000000 },
	{ "u2", "c5", "C34", NULL, NULL, 6000000 },
	{ "u2", "c7", "I65", "2024-05-31T16:00:00Z", NULL, 4000000 },
};

enum { WON, AMOUNT, ACCOUNTS, RATE, RATE_AMOUNT, MEASURES };

static sat_tally *
t1_tally(bool by_owner, bool backwards)
{
	static const sat_agg aggs[] = { SAT_AGG_COUNT, SAT_AGG_SUM,
		SAT_AGG_DISTINCT, SAT_AGG_RATIO, SAT_AGG_RATIO };
	sat_tally *t = sat_tally_new(1, MEASURES, aggs);
	size_t n = sizeof deals / sizeof deals[0];
	sat_period may;
	sat_err err;

	assert_ok(sat_period_parse(&may, "2024-05", TZ, &err));
	for (size_t k = 0; k < n; k++) {
		const struct deal *d = &deals[backwards ? n - 1 - k : k];
		sat_value dim = txt(by_owner ? d->owner : d->industry);
		size_t g = sat_tally_group(t, &dim);
		bool won = d->won != NULL && sat_period_has(&may, utc(d->won));
		bool lost = d->lost != NULL && sat_period_has(&may, utc(d->lost));

		if (won) {
			sat_tally_add(t, g, WON, 1);
			sat_tally_add(t, g, AMOUNT, d->fen);
			sat_tally_distinct(t, g, ACCOUNTS,
			    sat_span_str(d->account));
		}
		if (won || lost) {
			sat_tally_ratio(t, g, RATE, won, 1);
			sat_tally_ratio(t, g, RATE_AMOUNT, won ? d->fen : 0,
			    d->fen);
		}
	}
	sat_tally_finish(t, AMOUNT, true);
	return t;
}

static void
fixture_t1_gives_the_numbers_of_the_requirements(void **state)
{
	sat_tally *t = t1_tally(true, false);
	sat_tally_row all = sat_tally_total(t), row;
	char out[32];

	(void)state;
	assert_int_equal(2, all.n[WON]);
	assert_int_equal(42000000, all.n[AMOUNT]);
	assert_int_equal(2, all.n[ACCOUNTS]);
	sat_ratio_text(out, all.n[RATE], all.den[RATE], true);
	assert_string_equal("66.67", out);
	sat_ratio_text(out, all.n[RATE_AMOUNT], all.den[RATE_AMOUNT], true);
	assert_string_equal("84.00", out);
	assert_int_equal(2, sat_tally_rows(t));
	row = sat_tally_row_at(t, 0);
	assert_true(sat_value_eq(txt("u1"), row.dims[0]));
	assert_int_equal(1, row.rank);
	assert_int_equal(42000000, row.n[AMOUNT]);
	row = sat_tally_row_at(t, 1);
	assert_true(sat_value_eq(txt("u2"), row.dims[0]));
	assert_int_equal(2, row.rank);
	assert_int_equal(0, row.n[AMOUNT]);
	sat_tally_free(t);

	t = t1_tally(false, false);
	row = sat_tally_row_at(t, 0);
	assert_true(sat_value_eq(txt("C34"), row.dims[0]));
	assert_int_equal(42000000, row.n[AMOUNT]);
	row = sat_tally_row_at(t, 1);
	assert_true(sat_value_eq(txt("I65"), row.dims[0]));
	assert_int_equal(0, row.n[AMOUNT]);
	sat_tally_free(t);
}

static void
feeding_order_does_not_show(void **state) /* R1 */
{
	sat_tally *a = t1_tally(true, false), *b = t1_tally(true, true);

	(void)state;
	assert_int_equal(sat_tally_rows(a), sat_tally_rows(b));
	for (size_t i = 0; i < sat_tally_rows(a); i++) {
		sat_tally_row x = sat_tally_row_at(a, i);
		sat_tally_row y = sat_tally_row_at(b, i);

		assert_true(sat_value_eq(x.dims[0], y.dims[0]));
		assert_memory_equal(x.n, y.n, MEASURES * sizeof x.n[0]);
		assert_memory_equal(x.den, y.den, MEASURES * sizeof x.den[0]);
		assert_int_equal(x.rank, y.rank);
	}
	sat_tally_free(a);
	sat_tally_free(b);
}

static void
equal_results_share_a_rank_and_the_next_is_skipped(void **state)
{
	static const sat_agg aggs[] = { SAT_AGG_SUM };
	static const char *const who[] = { "d", "a", "c", "b" };
	static const int64_t much[] = { 5, 9, 9, 7 };
	static const struct { const char *who; uint32_t rank; } want[] = {
		{ "a", 1 }, { "c", 1 }, { "b", 3 }, { "d", 4 } };
	sat_tally *t = sat_tally_new(1, 1, aggs);

	(void)state;
	for (int i = 0; i < 4; i++) {
		sat_value dim = txt(who[i]);

		sat_tally_add(t, sat_tally_group(t, &dim), 0, much[i]);
	}
	sat_tally_finish(t, 0, true);
	for (size_t i = 0; i < 4; i++) {
		sat_tally_row r = sat_tally_row_at(t, i);

		assert_true(sat_value_eq(txt(want[i].who), r.dims[0]));
		assert_int_equal(want[i].rank, r.rank);
	}
	sat_tally_free(t);
}

static void
ratios_sort_by_value_and_empty_ones_last(void **state)
{
	static const sat_agg aggs[] = { SAT_AGG_RATIO };
	static const int64_t num[] = { 1, 0, 2, 999999999999 };
	static const int64_t den[] = { 3, 0, 4, 1000000000000 };
	static const int64_t want[] = { 3, 2, 0, 1 };
	sat_tally *t = sat_tally_new(1, 1, aggs);

	(void)state;
	for (int i = 0; i < 4; i++) {
		sat_value dim = sat_v_int(i);

		sat_tally_ratio(t, sat_tally_group(t, &dim), 0, num[i], den[i]);
	}
	sat_tally_finish(t, 0, false);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(want[i], sat_tally_row_at(t, i).dims[0].i);
	sat_tally_free(t);
}

static int
backwards(void *u, sat_value a, sat_value b)
{
	(void)u;
	return sat_value_cmp(b, a);
}

static void
dimensions_may_have_their_own_order(void **state)
{
	static const sat_agg aggs[] = { SAT_AGG_COUNT };
	sat_tally *t = sat_tally_new(2, 1, aggs);

	(void)state;
	for (int i = 0; i < 4; i++) {
		sat_value dims[2] = { sat_v_int(i / 2), sat_v_int(i % 2) };

		(void)sat_tally_group(t, dims);
	}
	sat_tally_order(t, 0, backwards, NULL);
	sat_tally_finish(t, -1, false);
	assert_int_equal(1, sat_tally_row_at(t, 0).dims[0].i);
	assert_int_equal(0, sat_tally_row_at(t, 0).dims[1].i);
	assert_int_equal(0, sat_tally_row_at(t, 0).rank);
	assert_int_equal(1, sat_tally_row_at(t, 3).dims[1].i);
	sat_tally_free(t);
}

static void
many_groups_and_ids_are_counted_once(void **state)
{
	static const sat_agg aggs[] = { SAT_AGG_DISTINCT, SAT_AGG_COUNT };
	uint64_t seed = sat_test_seed(41);
	sat_tally *t = sat_tally_new(1, 2, aggs);
	static bool seen[50][1000], any[1000];
	size_t distinct[50] = { 0 }, total = 0;

	(void)state;
	for (int i = 0; i < 30000; i++) {
		uint32_t g = (uint32_t)(sat_test_rand(&seed) % 50);
		uint32_t id = (uint32_t)(sat_test_rand(&seed) % 1000);
		sat_value dim = sat_v_int(g);
		size_t at = sat_tally_group(t, &dim);

		distinct[g] += !seen[g][id];
		total += !any[id];
		seen[g][id] = any[id] = true;
		sat_tally_distinct(t, at, 0, sat_span_of(&id, sizeof id));
		sat_tally_add(t, at, 1, 1);
	}
	sat_tally_finish(t, -1, false);
	assert_int_equal(50, sat_tally_rows(t));
	for (size_t i = 0; i < 50; i++) {
		sat_tally_row r = sat_tally_row_at(t, i);

		assert_int_equal((int64_t)i, r.dims[0].i);
		assert_int_equal(distinct[i], r.n[0]);
	}
	assert_int_equal(total, sat_tally_total(t).n[0]);
	assert_int_equal(30000, sat_tally_total(t).n[1]);
	sat_tally_free(t);
}

static void
a_sum_stops_at_its_limit_instead_of_wrapping(void **state)
{
	static const sat_agg aggs[] = { SAT_AGG_SUM };
	sat_tally *t = sat_tally_new(0, 1, aggs);
	size_t g = sat_tally_group(t, NULL);

	(void)state;
	sat_tally_add(t, g, 0, INT64_MAX);
	sat_tally_add(t, g, 0, 1);
	sat_tally_finish(t, 0, true);
	assert_true(sat_tally_row_at(t, 0).n[0] == INT64_MAX);
	sat_tally_free(t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(periods_are_half_open_local_days),
		cmocka_unit_test(weeks_are_iso_weeks),
		cmocka_unit_test(weeks_tile_the_calendar),
		cmocka_unit_test(what_is_no_period_is_refused),
		cmocka_unit_test(ratios_print_half_up_with_two_decimals),
		cmocka_unit_test(fixture_t1_gives_the_numbers_of_the_requirements),
		cmocka_unit_test(feeding_order_does_not_show),
		cmocka_unit_test(equal_results_share_a_rank_and_the_next_is_skipped),
		cmocka_unit_test(ratios_sort_by_value_and_empty_ones_last),
		cmocka_unit_test(dimensions_may_have_their_own_order),
		cmocka_unit_test(many_groups_and_ids_are_counted_once),
		cmocka_unit_test(a_sum_stops_at_its_limit_instead_of_wrapping),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
