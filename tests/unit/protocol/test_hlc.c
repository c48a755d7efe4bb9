/* The clock: H1..H4 of protocol/hlc.h under clocks that go wrong (P-010..016). */
#include "tests/lib/unit.h"

#include "protocol/hlc.h"
#include "protocol/limits.h"

#define NOON ((int64_t)1795262400000) /* 2026-11-21 */
#define YEAR_MS ((int64_t)365 * 86400000)

static void
stamps_of_one_millisecond_count_up_and_carry_over(void **state) /* H1, P-010 */
{
	sat_hlc_state s = { .boot_ms = -1 };
	sat_hlc h = sat_hlc_tick(&s, NOON, 5), next;

	(void)state;
	assert_true(h == sat_hlc_of_ms(NOON));
	for (int i = 1; i < 65536; i++)
		h = sat_hlc_tick(&s, NOON, 5);
	assert_int_equal(sat_hlc_ms(h), NOON);
	next = sat_hlc_tick(&s, NOON, 5);
	assert_true(next == h + 1);
	assert_int_equal(sat_hlc_ms(next), NOON + 1);
}

static void
a_learnt_stamp_is_below_the_next_own_one(void **state) /* H2 */
{
	sat_hlc_state s = { .boot_ms = -1 };
	sat_hlc far = sat_hlc_of_ms(NOON + YEAR_MS) + 7;

	(void)state;
	sat_hlc_learn(&s, far);
	assert_true(sat_hlc_tick(&s, NOON, 0) == far + 1);
	sat_hlc_learn(&s, 5); /* an old one changes nothing */
	assert_true(sat_hlc_tick(&s, NOON, 0) == far + 2);
}

static void
a_clock_set_back_is_carried_on_by_the_boot_clock(void **state) /* P-012 */
{
	sat_hlc_state s = { .boot_ms = -1 };

	(void)state;
	(void)sat_hlc_tick(&s, NOON, 1000);
	assert_int_equal(sat_hlc_ms(sat_hlc_tick(&s, NOON - 2000, 1500)), NOON);
	assert_false(s.suspect); /* two seconds are a correction */
	(void)sat_hlc_tick(&s, NOON, 2000);
	assert_int_equal(sat_hlc_ms(sat_hlc_tick(&s, NOON - 10 * YEAR_MS,
	    9000)), NOON + 7000);
	assert_true(s.suspect);
	/* restart: nothing to carry on with, but no stamp goes back */
	s.boot_ms = -1;
	assert_int_equal(sat_hlc_ms(sat_hlc_tick(&s, NOON - 10 * YEAR_MS, 3)),
	    NOON + 7000);
	assert_true(s.suspect);
	assert_int_equal(sat_hlc_ms(sat_hlc_tick(&s, NOON + 8000, 50)),
	    NOON + 8000);
	assert_false(s.suspect);
}

static void
the_offset_comes_from_the_fastest_of_five_samples(void **state) /* P-011 */
{
	sat_hlc_state s = { .boot_ms = -1 };
	sat_hlc_offset o = { .n = 0 };

	(void)state;
	sat_hlc_sample(&s, &o, NOON, NOON + 400, NOON + 5000);
	assert_int_equal(s.offset_ms, 4800);
	sat_hlc_sample(&s, &o, NOON, NOON + 20, NOON + 5010);
	assert_int_equal(s.offset_ms, 5000);
	sat_hlc_sample(&s, &o, NOON, NOON + 900, NOON + 7000);
	assert_int_equal(s.offset_ms, 5000);
	sat_hlc_sample(&s, &o, NOON, NOON - 1, NOON + 99999); /* set meanwhile */
	assert_int_equal(s.offset_ms, 5000);
	for (int i = 0; i < 5; i++) /* the fast one is forgotten */
		sat_hlc_sample(&s, &o, NOON, NOON + 100, NOON + 1050);
	assert_int_equal(s.offset_ms, 1000);
	for (int i = 0; i < 100; i++)
		sat_hlc_sample(&s, &o, NOON, NOON + 100, NOON + 2050);
	assert_int_equal(s.offset_ms, 2000);
	assert_int_equal(sat_hlc_ms(sat_hlc_tick(&s, NOON + 200, 9)),
	    NOON + 2200);
}

static void
a_sample_ends_the_distrust_of_the_wall_clock(void **state) /* P-012 */
{
	sat_hlc_state s = { .boot_ms = -1 };
	sat_hlc_offset o = { .n = 0 };
	int64_t old = NOON - 14 * YEAR_MS;

	(void)state;
	(void)sat_hlc_tick(&s, NOON, 0);
	(void)sat_hlc_tick(&s, old, 1000);
	assert_true(s.suspect);
	sat_hlc_sample(&s, &o, old, old, NOON + 1000);
	assert_false(s.suspect);
	assert_int_equal(sat_hlc_ms(sat_hlc_tick(&s, old + 5, 1005)),
	    NOON + 1005);
	assert_false(s.suspect);
	/* the boot clock at the sample is not known: nothing is carried on */
	assert_int_equal(sat_hlc_ms(sat_hlc_tick(&s, old + 10, 1010)),
	    NOON + 1010);
	sat_hlc_sample(&s, &o, old + 10, old + 10, NOON + 1010);
	assert_int_equal(sat_hlc_ms(sat_hlc_tick(&s, old - YEAR_MS, 99010)),
	    NOON + 1010);
	assert_true(s.suspect);
}

static void
senseless_clocks_cannot_overflow_a_stamp(void **state) /* P-010 */
{
	sat_hlc_state s = { .boot_ms = -1, .offset_ms = INT64_MAX };
	sat_hlc h = sat_hlc_tick(&s, INT64_MAX, INT64_MAX), prev;

	(void)state;
	assert_true(h < (sat_hlc)INT64_MAX);
	s.offset_ms = INT64_MIN;
	prev = h;
	h = sat_hlc_tick(&s, INT64_MIN, INT64_MIN);
	assert_true(h > prev && h < (sat_hlc)INT64_MAX);
	sat_hlc_learn(&s, UINT64_MAX); /* damaged bytes, not a clock */
	assert_true(sat_hlc_tick(&s, NOON, 0) < (sat_hlc)INT64_MAX);
	sat_hlc_learn(&s, (sat_hlc)INT64_MAX - 1); /* nobody's either */
	assert_true(sat_hlc_tick(&s, NOON, 0) < SAT_HLC_TOLD_MAX);
	sat_hlc_learn(&s, SAT_HLC_TOLD_MAX); /* the last one that is believed */
	assert_int_equal(SAT_HLC_TOLD_MAX + 1, sat_hlc_tick(&s, NOON, 0));
}

static void
a_stamp_ahead_is_cut_to_the_limit_and_an_honest_one_kept(void **state) /* P-013 */
{
	sat_hlc_clamp c = { 0 };
	bool cut;
	sat_hlc limit = sat_hlc_of_ms(NOON + SAT_CLAMP_MS), eff;

	(void)state;
	eff = sat_hlc_admit(&c, NOON, sat_hlc_of_ms(NOON + 59999), 0, &cut);
	assert_true(!cut && eff == sat_hlc_of_ms(NOON + 59999));
	eff = sat_hlc_admit(&c, NOON, sat_hlc_of_ms(NOON + YEAR_MS), 0, &cut);
	assert_true(cut && eff == limit);
	/* another device that saw it is cut above it, in the same millisecond */
	eff = sat_hlc_admit(&c, NOON, sat_hlc_of_ms(NOON + YEAR_MS) + 1, 0, &cut);
	assert_true(cut && eff == limit + 1);
	/* the server's own clock going back moves no limit back */
	c = (sat_hlc_clamp){ 0 };
	(void)sat_hlc_admit(&c, NOON, sat_hlc_of_ms(NOON - 5), 0, &cut);
	eff = sat_hlc_admit(&c, NOON - YEAR_MS, sat_hlc_of_ms(NOON), 0, &cut);
	assert_true(!cut && eff == sat_hlc_of_ms(NOON));
}

static void
a_stamp_at_the_limit_itself_pushes_the_limit(void **state) /* H4, P-013 */
{
	sat_hlc_clamp c = { 0 };
	sat_hlc limit = sat_hlc_of_ms(NOON + SAT_CLAMP_MS), a, b;
	bool cut;

	(void)state;
	a = sat_hlc_admit(&c, NOON, limit, 0, &cut);
	assert_true(!cut && a == limit);
	b = sat_hlc_admit(&c, NOON, a + 1, 0, &cut); /* saw a */
	assert_true(b > a);
}

static void
stamps_of_one_device_rise_even_when_it_forgot(void **state) /* H3 */
{
	sat_hlc_clamp c = { 0 };
	sat_hlc a, b;
	bool cut;

	(void)state;
	a = sat_hlc_admit(&c, NOON, sat_hlc_of_ms(NOON), 0, &cut);
	b = sat_hlc_admit(&c, NOON, sat_hlc_of_ms(NOON - 9), a, &cut);
	assert_true(b == a + 1);
}

/*
 * Devices with clocks up to ten years off, that see each other's clamped
 * stamps at random: H1..H4 hold for every stamp. `seen` is the largest clamped
 * stamp a device knew when it wrote.
 */
#define DEVICES 6
static void
whoever_saw_a_stamp_is_ordered_behind_it(void **state) /* H1..H4, P-014 */
{
	uint64_t seed = sat_test_seed(11);

	(void)state;
	for (int round = 0; round < 60; round++) {
		sat_hlc_state dev[DEVICES];
		sat_hlc last[DEVICES] = { 0 }, eff[DEVICES] = { 0 };
		int64_t skew[DEVICES], now = NOON;
		sat_hlc_clamp c = { 0 };
		sat_hlc max_eff = 0;

		for (int d = 0; d < DEVICES; d++) {
			dev[d] = (sat_hlc_state){ .boot_ms = -1 };
			skew[d] = (int64_t)(sat_test_rand(&seed) %
			    (uint64_t)(20 * YEAR_MS)) - 10 * YEAR_MS;
		}
		for (int i = 0; i < 500; i++) {
			int d = (int)(sat_test_rand(&seed) % DEVICES);
			sat_hlc seen = 0, h;
			bool cut;

			now += (int64_t)(sat_test_rand(&seed) % 40000);
			if (sat_test_rand(&seed) % 50 == 0)
				skew[d] = -skew[d];
			if (sat_test_rand(&seed) % 2 == 0) {
				seen = max_eff;
				sat_hlc_learn(&dev[d], seen);
			}
			h = sat_hlc_tick(&dev[d], now + skew[d], now - NOON);
			assert_true(h > last[d]); /* H1 */
			assert_true(h > seen);    /* H2 */
			last[d] = h;
			h = sat_hlc_admit(&c, now + (int64_t)(sat_test_rand(
			    &seed) % 3000) - 1500, h, eff[d], &cut);
			assert_true(h > eff[d]);  /* H3 */
			assert_true(h > seen);    /* H4 */
			eff[d] = h;
			if (sat_test_rand(&seed) % 2 == 0)
				sat_hlc_learn(&dev[d], h);
			if (h > max_eff)
				max_eff = h;
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stamps_of_one_millisecond_count_up_and_carry_over),
		cmocka_unit_test(a_learnt_stamp_is_below_the_next_own_one),
		cmocka_unit_test(a_clock_set_back_is_carried_on_by_the_boot_clock),
		cmocka_unit_test(the_offset_comes_from_the_fastest_of_five_samples),
		cmocka_unit_test(a_sample_ends_the_distrust_of_the_wall_clock),
		cmocka_unit_test(senseless_clocks_cannot_overflow_a_stamp),
		cmocka_unit_test(a_stamp_ahead_is_cut_to_the_limit_and_an_honest_one_kept),
		cmocka_unit_test(a_stamp_at_the_limit_itself_pushes_the_limit),
		cmocka_unit_test(stamps_of_one_device_rise_even_when_it_forgot),
		cmocka_unit_test(whoever_saw_a_stamp_is_ordered_behind_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
