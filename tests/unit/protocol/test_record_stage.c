/* The fold of stages: who only got there earlier, and who parted. */
#include "tests/lib/unit.h"

#include "protocol/record.h"
#include "tests/unit/protocol/fold.h"
#include "tests/unit/protocol/thing.h"

static void
a_stage_that_one_side_only_got_to_earlier_is_no_conflict(void **state) /* P-058 */
{
	static const move same_path[] = {
		{ SAT_OP_STAGE, "lead", 0, 2000, 1, 1, SAT_APPLIED, "lead", 0, 0 },
		{ SAT_OP_STAGE, "met", 0, 2100, 2, 2, SAT_APPLIED, "met", 1, 0 },
		{ SAT_OP_STAGE, "offer", 0, 2200, 2, 2, SAT_APPLIED, "offer", 1, 0 },
		/* device 3 was away since LSN 2 and went half as far */
		{ SAT_OP_STAGE, "met", 0, 9000, 3, 2, SAT_LOST, "offer", 1, 0 },
		{ SAT_OP_STAGE, "offer", 0, 9100, 3, 2, SAT_APPLIED, "offer", 0, 0 },
		/* device 2, not having seen any of that, goes on */
		{ SAT_OP_STAGE, "won", 0, 2300, 2, 2, SAT_APPLIED, "won", 1, 0 },
	};
	static const move same_target[] = {
		{ SAT_OP_STAGE, "lead", 0, 2000, 1, 1, SAT_APPLIED, "lead", 0, 0 },
		{ SAT_OP_STAGE, "won", 0, 2100, 2, 2, SAT_APPLIED, "won", 1, 0 },
		{ SAT_OP_STAGE, "met", 0, 2150, 3, 2, SAT_REVIEW, "met", 0, 1 },
		{ SAT_OP_STAGE, "won", 0, 2200, 3, 2, SAT_APPLIED, "won", 1, -1 },
	};

	(void)state;
	PLAY(STAGE, same_path);
	PLAY(STAGE, same_target);
}

static void
stages_that_part_are_for_a_person(void **state) /* P-059 */
{
	static const move m[] = {
		{ SAT_OP_STAGE, "lead", 0, 2000, 1, 1, SAT_APPLIED, "lead", 0, 0 },
		{ SAT_OP_STAGE, "won", 0, 2100, 2, 2, SAT_APPLIED, "won", 1, 0 },
		{ SAT_OP_STAGE, "lost", 0, 2050, 3, 2, SAT_REVIEW, "won", 0, 1 },
		{ SAT_OP_STAGE, "met", 0, 2060, 4, 2, SAT_REVIEW, "won", 0, 0 },
		{ SAT_OP_STAGE, "lost", 0, 2300, 1, 5, SAT_APPLIED, "lost", 2, -1 },
	};
	static const sat_dot dots[] = { { 2, 3 }, { 3, 4 } };
	world w = fresh();

	(void)state;
	PLAY(STAGE, m);
	(void)give(&w, SAT_OP_STAGE, STAGE, txt("lead"), 2000, 1, 2, 1);
	(void)give(&w, SAT_OP_STAGE, STAGE, txt("won"), 2100, 2, 3, 2);
	(void)give(&w, SAT_OP_STAGE, STAGE, txt("lost"), 2200, 3, 4, 2);
	assert_int_equal(2, ncandidates(&w, STAGE));
	assert_int_equal(SAT_APPLIED, resolve(&w, STAGE, "won", 3000, 4, 5, 2,
	    dots, 2));
	assert_is(&w, STAGE, "won");
	assert_int_equal(0, ncandidates(&w, STAGE));
	done(&w);
}

static void
a_stage_given_twice_is_settled_by_its_last_dot(void **state) /* P-059 */
{
	static const sat_dot dots[] = { { 2, 4 }, { 3, 5 } };
	world w = fresh();

	(void)state;
	(void)give(&w, SAT_OP_STAGE, STAGE, txt("lead"), 2000, 1, 2, 1);
	(void)give(&w, SAT_OP_STAGE, STAGE, txt("won"), 2100, 2, 3, 2);
	(void)give(&w, SAT_OP_STAGE, STAGE, txt("won"), 2200, 2, 4, 2);
	(void)give(&w, SAT_OP_STAGE, STAGE, txt("lost"), 2150, 3, 5, 2);
	assert_int_equal(2, ncandidates(&w, STAGE));
	assert_int_equal(SAT_APPLIED, resolve(&w, STAGE, "lost", 3000, 4, 6, 2,
	    dots, 2));
	assert_int_equal(0, ncandidates(&w, STAGE));
	done(&w);
}

/* Two devices walk the same list of stages, any number of steps each, in any
 * mixture of arrivals: never a conflict, and the further one counts. */
static void
the_same_way_walked_twice_is_never_a_conflict(void **state) /* P-058 */
{
	static const char *const way[] = { "s1", "s2", "s3", "s4", "s5" };
	uint64_t seed = sat_test_seed(31);

	(void)state;
	for (int round = 0; round < 2000; round++) {
		world w = fresh();
		size_t steps[2], at[2] = { 0, 0 };
		uint64_t lsn = 2;

		(void)give(&w, SAT_OP_STAGE, STAGE, txt("s0"), 2000, 1, lsn, 1);
		steps[0] = sat_test_rand(&seed) % 6;
		steps[1] = sat_test_rand(&seed) % 6;
		while (at[0] < steps[0] || at[1] < steps[1]) {
			size_t d = sat_test_rand(&seed) % 2;

			if (at[d] == steps[d])
				continue;
			(void)give(&w, SAT_OP_STAGE, STAGE, txt(way[at[d]++]),
			    3000 + sat_test_rand(&seed) % 1000, 2 + (uint32_t)d,
			    ++lsn, 2);
			assert_int_equal(0, ncandidates(&w, STAGE));
		}
		if (steps[0] + steps[1] > 0)
			assert_is(&w, STAGE, way[(steps[0] > steps[1] ?
			    steps[0] : steps[1]) - 1]);
		done(&w);
	}
}

/* Three devices each walk a way of their own, none seeing another; their paths
 * meet, part and meet again. What is shown and what is open is the same in
 * every mixture of arrivals. */
#define WALKERS 3

#define WALK_MAX 4

typedef struct walk {
	size_t n[WALKERS];
	const char *step[WALKERS][WALK_MAX];
	uint64_t at[WALKERS][WALK_MAX];
} walk;

static void
walk_in_some_order(char out[160], const walk *k, uint64_t *seed)
{
	world w = fresh();
	size_t done_[WALKERS] = { 0 }, left = k->n[0] + k->n[1] + k->n[2];
	const sat_cell *c;
	sat_candidate *list;
	uint64_t lsn = 2, opened;
	size_t n;

	(void)give(&w, SAT_OP_STAGE, STAGE, txt("s0"), 2000, 9, lsn, 1);
	while (left > 0) {
		size_t d = sat_test_rand(seed) % WALKERS;

		if (done_[d] == k->n[d])
			continue;
		(void)give(&w, SAT_OP_STAGE, STAGE,
		    txt(k->step[d][done_[d]]), k->at[d][done_[d]],
		    2 + (uint32_t)d, ++lsn, 2);
		done_[d]++;
		left--;
	}
	c = sat_record_cell(&w.r, STAGE);
	n = sat_cell_candidates(&list, &opened, &w.a, SAT_P_STAGE, c);
	out[0] = '\0';
	(void)snprintf(out, 160, "%.*s:", (int)c->value.s.n,
	    (const char *)c->value.s.p);
	for (size_t i = 0; i < n; i++)
		(void)snprintf(out + strlen(out), 160 - strlen(out), " %.*s",
		    (int)list[i].value.s.n,
		    (const char *)list[i].value.s.p);
	assert_true((n > 1) == (opened != 0));
	done(&w);
}

static void
paths_that_meet_on_the_way_show_the_same_in_every_order(void **state) /* P-058 */
{
	static const char *const names[] = { "aa", "bb", "cc" };
	uint64_t seed = sat_test_seed(37);
	size_t open = 0;

	(void)state;
	for (int round = 0; round < 400; round++) {
		char first[160], again[160];
		walk k;

		for (size_t d = 0; d < WALKERS; d++) {
			k.n[d] = 1 + sat_test_rand(&seed) % WALK_MAX;
			for (size_t i = 0; i < k.n[d]; i++) {
				k.step[d][i] = names[sat_test_rand(&seed) % 3];
				k.at[d][i] = 3000 + 100 * i +
				    sat_test_rand(&seed) % 100;
			}
		}
		walk_in_some_order(first, &k, &seed);
		open += strchr(first, ' ') != NULL;
		for (int i = 0; i < 8; i++) {
			walk_in_some_order(again, &k, &seed);
			assert_string_equal(first, again);
		}
	}
	assert_true(open > 50 && open < 390);
}

/* The first is the beginning of the second, the second of the third, and that
 * one arrived where the first is: one of them is shown all the same. */
static void
paths_that_stand_for_each_other_in_a_circle_show_one(void **state) /* P-058 */
{
	static const walk circle = { .n = { 1, 2, 3 },
		.step = { { "zz" }, { "zz", "yy" }, { "zz", "yy", "zz" } },
		.at = { { 3900 }, { 3000, 3100 }, { 3010, 3110, 3210 } } };
	uint64_t seed = sat_test_seed(41);
	char shown[160];

	(void)state;
	for (int i = 0; i < 60; i++) {
		walk_in_some_order(shown, &circle, &seed);
		assert_string_equal("zz:", shown);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_stage_that_one_side_only_got_to_earlier_is_no_conflict),
		cmocka_unit_test(stages_that_part_are_for_a_person),
		cmocka_unit_test(a_stage_given_twice_is_settled_by_its_last_dot),
		cmocka_unit_test(paths_that_stand_for_each_other_in_a_circle_show_one),
		cmocka_unit_test(paths_that_meet_on_the_way_show_the_same_in_every_order),
		cmocka_unit_test(the_same_way_walked_twice_is_never_a_conflict),
	};

	return cmocka_run_group_tests(tests, load_thing, unload_thing);
}
