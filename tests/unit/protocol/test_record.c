/* The fold: every policy as a table (P-040..P-069). */
#include "tests/lib/unit.h"

#include "protocol/record.h"
#include "tests/unit/protocol/fold.h"
#include "tests/unit/protocol/thing.h"

static void
of_two_plain_values_the_later_stamp_stays(void **state) /* P-044 */
{
	static const move m[] = {
		{ SAT_OP_SET, "a", 0, 2000, 1, 1, SAT_APPLIED, "a", 0, 0 },
		{ SAT_OP_SET, "b", 0, 3000, 2, 1, SAT_APPLIED, "b", 1, 0 },
		{ SAT_OP_SET, "c", 0, 2500, 3, 1, SAT_LOST, "b", 1, 0 },
		/* equal stamps: the larger device */
		{ SAT_OP_SET, "d", 0, 3000, 1, 1, SAT_LOST, "b", 1, 0 },
		{ SAT_OP_SET, "e", 0, 3000, 4, 1, SAT_APPLIED, "e", 1, 0 },
		/* the same value again leaves no history */
		{ SAT_OP_SET, "e", 0, 4000, 4, 6, SAT_APPLIED, "e", 0, 0 },
		{ SAT_OP_SET, "e", 0, 3900, 5, 1, SAT_NOTHING, "e", 0, 0 },
	};

	(void)state;
	PLAY(PLAIN, m);
	PLAY(UNKNOWN, m); /* a field of a newer template */
}

static void
a_value_given_once_stays(void **state) /* P-045 */
{
	static const move m[] = {
		{ SAT_OP_SET, "a", 0, 2000, 1, 1, SAT_APPLIED, "a", 0, 0 },
		{ SAT_OP_SET, "b", 0, 9000, 2, 9, SAT_NOTHING, "a", 1, 0 },
	};

	(void)state;
	PLAY(SOURCE, m);
}

static void
the_largest_and_the_smallest_value_stay(void **state) /* P-046 */
{
	static const move hi[] = {
		{ SAT_OP_SET, NULL, 5, 2000, 1, 1, SAT_APPLIED, NULL, 0, 0 },
		{ SAT_OP_SET, NULL, 3, 9000, 2, 9, SAT_LOST, NULL, 1, 0 },
		{ SAT_OP_SET, NULL, 7, 1500, 2, 1, SAT_APPLIED, NULL, 1, 0 },
		{ SAT_OP_SET, NULL, 7, 1400, 3, 1, SAT_NOTHING, NULL, 0, 0 },
		{ SAT_OP_SET, NULL, 7, 1600, 3, 1, SAT_APPLIED, NULL, 0, 0 },
	};
	static const move lo[] = {
		{ SAT_OP_SET, NULL, 5, 2000, 1, 1, SAT_APPLIED, NULL, 0, 0 },
		{ SAT_OP_SET, NULL, 7, 9000, 2, 9, SAT_LOST, NULL, 1, 0 },
		{ SAT_OP_SET, NULL, 3, 1500, 2, 1, SAT_APPLIED, NULL, 1, 0 },
	};

	(void)state;
	PLAY(LATEST, hi);
	PLAY(BEST, lo);
}

static void
an_empty_value_is_no_extreme(void **state) /* P-046 */
{
	world w = fresh();

	(void)state;
	(void)give(&w, SAT_OP_SET, BEST, sat_v_int(5), 2000, 1, 2, 1);
	assert_int_equal(SAT_NOTHING, give(&w, SAT_OP_SET, BEST, sat_v_null(),
	    9000, 2, 3, 2));
	assert_int_equal(5, sat_record_value(&w.r, BEST).i);
	done(&w);
}

static void
a_counter_adds_up_and_stops_at_its_end(void **state) /* P-047 */
{
	world w = fresh();

	(void)state;
	(void)give(&w, SAT_OP_ADD, VISITS, sat_v_int(2), 3000, 1, 2, 1);
	(void)give(&w, SAT_OP_ADD, VISITS, sat_v_int(5), 2000, 2, 3, 1);
	assert_int_equal(7, sat_record_value(&w.r, VISITS).i);
	assert_true(sat_record_cell(&w.r, VISITS)->at.hlc == 3000);
	(void)give(&w, SAT_OP_ADD, VISITS, sat_v_int(INT64_MAX), 4000, 2, 4, 1);
	assert_true(sat_record_value(&w.r, VISITS).i == INT64_MAX);
	done(&w);
}

static void
an_owner_changes_only_by_who_saw_the_owner(void **state) /* P-048 */
{
	static const move m[] = {
		{ SAT_OP_REASSIGN, "ann", 0, 2000, 1, 1, SAT_APPLIED, "ann", 0, 0 },
		{ SAT_OP_REASSIGN, "bob", 0, 1900, 2, 2, SAT_APPLIED, "bob", 1, 0 },
		/* a clock set ahead wins nothing */
		{ SAT_OP_REASSIGN, "eve", 0, 9000, 3, 2, SAT_NOTHING, "bob", 0, 0 },
		{ SAT_OP_REASSIGN, "cid", 0, 2100, 2, 2, SAT_APPLIED, "cid", 1, 0 },
	};

	(void)state;
	PLAY(OWNER, m);
}

static void
a_reviewed_field_keeps_concurrent_values_for_a_person(void **state) /* P-050..P-054, P-041 */
{
	static const move m[] = {
		{ SAT_OP_MVSET, "111", 0, 2000, 1, 1, SAT_APPLIED, "111", 0, 0 },
		{ SAT_OP_MVSET, "222", 0, 2100, 2, 2, SAT_APPLIED, "222", 1, 0 },
		/* has not seen LSN 3 */
		{ SAT_OP_MVSET, "333", 0, 2200, 3, 2, SAT_REVIEW, "333", 0, 1 },
		{ SAT_OP_MVSET, "444", 0, 2050, 4, 2, SAT_REVIEW, "333", 0, 0 },
		/* device 2 goes on from its own value: only that one goes */
		{ SAT_OP_MVSET, "555", 0, 2300, 2, 2, SAT_REVIEW, "555", 1, 0 },
		/* who saw all settles all */
		{ SAT_OP_MVSET, "666", 0, 2250, 5, 6, SAT_APPLIED, "666", 3, -1 },
	};

	(void)state;
	PLAY(NAME, m);
}

static void
values_that_read_the_same_are_no_conflict(void **state) /* P-052 */
{
	static const move m[] = {
		{ SAT_OP_MVSET, "138 1234 5678", 0, 2000, 1, 1, SAT_APPLIED, NULL, 0, 0 },
		/* equal with a later stamp: the other spelling is history */
		{ SAT_OP_MVSET, "+86 13812345678", 0, 2100, 2, 1, SAT_APPLIED,
		    "+86 13812345678", 1, 0 },
		{ SAT_OP_MVSET, "13812345678", 0, 1900, 3, 1, SAT_LOST,
		    "+86 13812345678", 1, 0 },
		/* nothing to be seen of it, but it is remembered */
		{ SAT_OP_MVSET, "+86 13812345678", 0, 1800, 4, 1, SAT_LOST,
		    "+86 13812345678", 0, 0 },
		{ SAT_OP_MVSET, "13900000000", 0, 1950, 5, 1, SAT_REVIEW,
		    "+86 13812345678", 0, 1 },
		/* a candidate that becomes equal closes the conflict */
		{ SAT_OP_MVSET, "13812345678", 0, 2500, 5, 1, SAT_APPLIED,
		    "13812345678", 2, -1 },
	};

	(void)state;
	PLAY(PHONE, m);
}

static void
an_equal_value_stays_when_the_other_author_moves_on(void **state) /* P-052 */
{
	static const move m[] = {
		{ SAT_OP_MVSET, "138 1234 5678", 0, 2000, 1, 1, SAT_APPLIED, NULL, 0, 0 },
		/* device 3 writes the same, later, and then something else */
		{ SAT_OP_MVSET, "13812345678", 0, 2100, 3, 1, SAT_APPLIED,
		    "13812345678", 1, 0 },
		{ SAT_OP_MVSET, "13900000000", 0, 2200, 3, 1, SAT_REVIEW,
		    "13900000000", 1, 1 },
		/* and back: one value again */
		{ SAT_OP_MVSET, "13812345678", 0, 2300, 3, 1, SAT_APPLIED,
		    "13812345678", 2, -1 },
		/* who saw it all has the word; nothing is left behind */
		{ SAT_OP_MVSET, "13900000000", 0, 2400, 4, 5, SAT_APPLIED,
		    "13900000000", 1, 0 },
		{ SAT_OP_MVSET, "13911111111", 0, 2500, 3, 6, SAT_APPLIED,
		    "13911111111", 1, 0 },
	};

	(void)state;
	PLAY(PHONE, m);
}

static void
a_deletion_that_did_not_see_an_equal_value_asks(void **state) /* P-060 */
{
	world w = fresh();

	(void)state;
	(void)give(&w, SAT_OP_MVSET, PHONE, txt("13812345678"), 2000, 2, 2, 1);
	(void)give(&w, SAT_OP_MVSET, PHONE, txt("13812345678"), 2100, 3, 3, 1);
	assert_int_equal(SAT_REVIEW, give(&w, SAT_OP_DEL, 0, sat_v_null(), 2200,
	    3, 4, 1));
	assert_true(w.r.with_edits);
	done(&w);
}

static void
two_resolutions_meet_only_each_other(void **state) /* P-053 */
{
	static const sat_dot dots[] = { { 2, 2 }, { 3, 3 } };
	world w = fresh();

	(void)state;
	(void)give(&w, SAT_OP_MVSET, NAME, txt("x"), 2000, 2, 2, 1);
	(void)give(&w, SAT_OP_MVSET, NAME, txt("y"), 2100, 3, 3, 1);
	assert_int_equal(2, ncandidates(&w, NAME));
	assert_int_equal(SAT_APPLIED, resolve(&w, NAME, "x", 3000, 4, 4, 3, dots,
	    2));
	assert_true(w.last.conflict_closed);
	assert_int_equal(1, w.last.ndisplaced); /* y; x is the winner again */
	/* somebody else resolved the same way meanwhile */
	assert_int_equal(SAT_APPLIED, resolve(&w, NAME, "x", 3100, 5, 5, 3, dots,
	    2));
	/* and a third one otherwise */
	assert_int_equal(SAT_REVIEW, resolve(&w, NAME, "y", 3050, 6, 6, 3, dots,
	    2));
	assert_int_equal(2, ncandidates(&w, NAME));
	done(&w);
}

static void
dots_settle_what_the_position_does_not_cover(void **state) /* P-053 */
{
	static const sat_dot dots[] = { { 2, 2 } };
	world w = fresh();

	(void)state;
	(void)give(&w, SAT_OP_MVSET, NAME, txt("x"), 2000, 2, 2, 1);
	(void)give(&w, SAT_OP_MVSET, NAME, txt("y"), 2100, 3, 3, 1);
	assert_int_equal(SAT_REVIEW, resolve(&w, NAME, "z", 3000, 4, 4, 1, dots,
	    1));
	assert_int_equal(2, ncandidates(&w, NAME)); /* z and y */
	done(&w);
}

static void
the_conflict_remembers_what_opened_it(void **state) /* P-051 */
{
	world w = fresh();
	sat_candidate *c;
	uint64_t opened;

	(void)state;
	for (uint32_t i = 2; i < 6; i++)
		(void)give(&w, SAT_OP_MVSET, NAME, sat_v_int(i), 2000 + i, i, i,
		    1);
	assert_int_equal(4, sat_cell_candidates(&c, &opened, &w.a, SAT_P_REVIEW,
	    sat_record_cell(&w.r, NAME)));
	assert_int_equal(3, opened);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(5 - i, c[i].value.i); /* descending */
	done(&w);
}

static void
too_many_candidates_push_the_oldest_into_history(void **state) /* P-054 */
{
	world w = fresh();
	sat_candidate *c;

	(void)state;
	for (uint32_t i = 0; i < SAT_CANDIDATES_MAX + 5; i++)
		(void)give(&w, SAT_OP_MVSET, NAME, sat_v_int(i), 2000 + i, i + 2,
		    i + 2, 1);
	assert_int_equal(SAT_CANDIDATES_MAX, candidates(&w, NAME, &c));
	assert_int_equal(5, w.npast);
	assert_int_equal(0, w.past[0].value.i);
	for (uint32_t i = 0; i < SAT_CANDIDATES_MAX + 5; i++)
		assert_true(kept_somewhere(&w, NAME, sat_v_int(i)));
	done(&w);
}

static void
a_concurrent_add_survives_a_removal(void **state) /* P-055, P-056 */
{
	static const move m[] = {
		{ SAT_OP_SADD, "vip", 0, 2000, 1, 1, SAT_APPLIED, "vip", 0, 0 },
		{ SAT_OP_SADD, "old", 0, 2100, 2, 1, SAT_APPLIED, "old\nvip", 0, 0 },
		{ SAT_OP_SADD, "vip", 0, 2200, 3, 1, SAT_APPLIED, "old\nvip", 0, 0 },
		/* saw LSN 2, not 4 */
		{ SAT_OP_SREM, "vip", 0, 2300, 4, 2, SAT_APPLIED, "old\nvip", 0, 0 },
		{ SAT_OP_SREM, "vip", 0, 2300, 4, 3, SAT_NOTHING, "old\nvip", 0, 0 },
		/* its own add */
		{ SAT_OP_SREM, "vip", 0, 2300, 3, 1, SAT_APPLIED, "old", 0, 0 },
		{ SAT_OP_SREM, "none", 0, 2300, 3, 9, SAT_NOTHING, "old", 0, 0 },
	};

	(void)state;
	PLAY(TAGS, m);
}

static void
an_emptied_set_is_null_and_a_full_one_takes_no_more(void **state) /* P-057 */
{
	world w = fresh();
	char s[16];

	(void)state;
	(void)give(&w, SAT_OP_SADD, TAGS, txt("a"), 2000, 1, 2, 1);
	(void)give(&w, SAT_OP_SREM, TAGS, txt("a"), 2100, 1, 3, 1);
	assert_int_equal(SAT_V_NULL, sat_record_value(&w.r, TAGS).type);
	assert_int_equal(0, sat_record_cell(&w.r, TAGS)->ext.n);
	for (uint64_t i = 0; i < SAT_SET_MAX; i++) {
		(void)snprintf(s, sizeof s, "t%04u", (unsigned)i);
		assert_int_equal(SAT_APPLIED, give(&w, SAT_OP_SADD, TAGS, txt(s),
		    3000 + i, 1, 4 + i, 3));
	}
	assert_int_equal(SAT_NOTHING, give(&w, SAT_OP_SADD, TAGS, txt("more"),
	    9000, 1, 9000, 3));
	assert_int_equal(1, w.last.ndisplaced);
	done(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(of_two_plain_values_the_later_stamp_stays),
		cmocka_unit_test(a_value_given_once_stays),
		cmocka_unit_test(the_largest_and_the_smallest_value_stay),
		cmocka_unit_test(an_empty_value_is_no_extreme),
		cmocka_unit_test(a_counter_adds_up_and_stops_at_its_end),
		cmocka_unit_test(an_owner_changes_only_by_who_saw_the_owner),
		cmocka_unit_test(a_reviewed_field_keeps_concurrent_values_for_a_person),
		cmocka_unit_test(values_that_read_the_same_are_no_conflict),
		cmocka_unit_test(an_equal_value_stays_when_the_other_author_moves_on),
		cmocka_unit_test(a_deletion_that_did_not_see_an_equal_value_asks),
		cmocka_unit_test(two_resolutions_meet_only_each_other),
		cmocka_unit_test(dots_settle_what_the_position_does_not_cover),
		cmocka_unit_test(the_conflict_remembers_what_opened_it),
		cmocka_unit_test(too_many_candidates_push_the_oldest_into_history),
		cmocka_unit_test(a_concurrent_add_survives_a_removal),
		cmocka_unit_test(an_emptied_set_is_null_and_a_full_one_takes_no_more),
	};

	return cmocka_run_group_tests(tests, load_thing, unload_thing);
}
