/* The fold of deletions, of what is out of place, and of what still waits. */
#include "tests/lib/unit.h"

#include "protocol/record.h"
#include "tests/unit/protocol/fold.h"
#include "tests/unit/protocol/thing.h"

static void
an_edit_the_deletion_did_not_see_is_for_a_person(void **state) /* P-060 */
{
	world w = fresh();

	(void)state;
	(void)give(&w, SAT_OP_SET, PLAIN, txt("a"), 2000, 2, 2, 1);
	assert_int_equal(SAT_REVIEW, give(&w, SAT_OP_DEL, 0, sat_v_null(), 2100,
	    3, 3, 1));
	assert_true(w.r.deleted && w.r.with_edits && w.last.conflict_opened);
	/* a confirmation that saw the edit */
	assert_int_equal(SAT_APPLIED, give(&w, SAT_OP_DEL, 0, sat_v_null(), 2200,
	    4, 4, 3));
	assert_true(w.r.deleted && !w.r.with_edits && w.last.conflict_closed);
	assert_int_equal(SAT_NOTHING, give(&w, SAT_OP_DEL, 0, sat_v_null(), 2300,
	    5, 5, 1));
	done(&w);
}

static void
an_edit_that_did_not_see_the_deletion_is_for_a_person(void **state) /* P-061 */
{
	world w = fresh();

	(void)state;
	assert_int_equal(SAT_APPLIED, give(&w, SAT_OP_DEL, 0, sat_v_null(), 2000,
	    2, 2, 1));
	assert_int_equal(SAT_REVIEW, give(&w, SAT_OP_SET, PLAIN, txt("a"), 2100,
	    3, 3, 1));
	assert_true(w.r.deleted && w.r.with_edits && w.last.conflict_opened);
	assert_is(&w, PLAIN, "a");
	/* confirmed by somebody who did not see the edit: still open */
	assert_int_equal(SAT_NOTHING, give(&w, SAT_OP_DEL, 0, sat_v_null(), 2200,
	    4, 4, 2));
	assert_true(w.r.with_edits);
	assert_int_equal(SAT_APPLIED, give(&w, SAT_OP_UNDEL, 0, sat_v_null(),
	    2300, 4, 5, 4));
	assert_true(!w.r.deleted && !w.r.with_edits && w.last.conflict_closed);
	done(&w);
	w = fresh(); /* who knew it was deleted leaves it deleted */
	(void)give(&w, SAT_OP_DEL, 0, sat_v_null(), 2000, 2, 2, 1);
	assert_int_equal(SAT_APPLIED, give(&w, SAT_OP_SET, PLAIN, txt("a"), 2100,
	    3, 3, 2));
	assert_false(w.r.with_edits);
	done(&w);
}

static void
an_edit_in_a_set_or_a_candidate_counts_as_an_edit(void **state) /* P-060 */
{
	world w = fresh();

	(void)state;
	(void)give(&w, SAT_OP_SADD, TAGS, txt("a"), 9000, 2, 2, 1);
	(void)give(&w, SAT_OP_SADD, TAGS, txt("b"), 2000, 3, 3, 1);
	assert_int_equal(SAT_REVIEW, give(&w, SAT_OP_DEL, 0, sat_v_null(), 2100,
	    4, 4, 2));
	done(&w);
	w = fresh();
	(void)give(&w, SAT_OP_MVSET, NAME, txt("a"), 9000, 2, 2, 1);
	(void)give(&w, SAT_OP_MVSET, NAME, txt("b"), 2000, 3, 3, 1);
	assert_int_equal(SAT_REVIEW, give(&w, SAT_OP_DEL, 0, sat_v_null(), 2100,
	    4, 4, 2));
	done(&w);
}

static void
who_saw_everything_deletes_quietly(void **state) /* P-062, P-063 */
{
	world w = fresh();

	(void)state;
	(void)give(&w, SAT_OP_SET, PLAIN, txt("a"), 2000, 2, 2, 1);
	assert_int_equal(SAT_APPLIED, give(&w, SAT_OP_DEL, 0, sat_v_null(), 2100,
	    3, 3, 2));
	assert_int_equal(SAT_APPLIED, give(&w, SAT_OP_UNDEL, 0, sat_v_null(),
	    2200, 4, 4, 3));
	assert_int_equal(SAT_NOTHING, give(&w, SAT_OP_UNDEL, 0, sat_v_null(),
	    2200, 5, 5, 3));
	/* deleting again without knowing of the restore */
	assert_int_equal(SAT_REVIEW, give(&w, SAT_OP_DEL, 0, sat_v_null(), 2300,
	    5, 6, 3));
	done(&w);
}

static void
operations_out_of_place_are_refused(void **state) /* P-040 */
{
	world w = fresh();
	sat_record empty = { .eid = 0 };
	sat_op op = { .kind = SAT_OP_SET, .rtype = 1, .field = PLAIN };
	sat_apply_ctx ctx = { { 2000, 2, 2 }, 1, false, NULL };

	(void)state;
	assert_int_equal(SAT_NOTHING, give(&w, SAT_OP_NEW, 0, sat_v_null(), 2000,
	    2, 2, 1));
	assert_true(w.r.born.hlc == BORN);
	assert_rc(SAT_ENOTFOUND, sat_record_apply(&w.last, &empty, &w.a, tmpl,
	    &op, &ctx, NULL));
	op.rtype = 2;
	assert_rc(SAT_EINVALID, sat_record_apply(&w.last, &w.r, &w.a, tmpl, &op,
	    &ctx, NULL));
	/* a verb that does not fit its field changes nothing, and is kept */
	assert_int_equal(SAT_NOTHING, give(&w, SAT_OP_SADD, PLAIN, txt("x"), 2000,
	    2, 2, 1));
	assert_int_equal(SAT_NOTHING, give(&w, SAT_OP_SET, TAGS, txt("y"), 2000,
	    2, 2, 1));
	assert_int_equal(2, w.npast);
	assert_int_equal(0, w.r.ncells);
	done(&w);
}

static void
own_pending_operations_fold_on_top(void **state) /* P-042 */
{
	world w = fresh();

	(void)state;
	(void)give(&w, SAT_OP_SET, PLAIN, txt("server"), 2000, 2, 2, 1);
	assert_int_equal(SAT_APPLIED, give(&w, SAT_OP_SET, PLAIN, txt("mine"),
	    2100, 3, 0, 1));
	/* in one commit: same stamp, the later one counts */
	assert_int_equal(SAT_APPLIED, give(&w, SAT_OP_SET, PLAIN, txt("mine 2"),
	    2100, 3, 0, 1));
	/* and it comes behind what the server has of the same device */
	(void)give(&w, SAT_OP_SET, SOURCE + 100, txt("old"), 2100, 3, 9, 1);
	assert_int_equal(SAT_APPLIED, give(&w, SAT_OP_SET, SOURCE + 100,
	    txt("new"), 2100, 3, 0, 1));
	(void)give(&w, SAT_OP_MVSET, NAME, txt("x"), 2000, 2, 2, 1);
	assert_int_equal(SAT_REVIEW, give(&w, SAT_OP_MVSET, NAME, txt("y"), 2100,
	    3, 0, 1));
	assert_int_equal(SAT_REVIEW, give(&w, SAT_OP_MVSET, NAME, txt("z"), 2200,
	    3, 0, 1));
	assert_int_equal(2, ncandidates(&w, NAME));
	(void)give(&w, SAT_OP_SADD, TAGS, txt("t"), 2300, 3, 0, 1);
	assert_int_equal(SAT_APPLIED, give(&w, SAT_OP_SREM, TAGS, txt("t"), 2400,
	    3, 0, 1));
	assert_int_equal(SAT_V_NULL, sat_record_value(&w.r, TAGS).type);
	done(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_edit_the_deletion_did_not_see_is_for_a_person),
		cmocka_unit_test(an_edit_that_did_not_see_the_deletion_is_for_a_person),
		cmocka_unit_test(an_edit_in_a_set_or_a_candidate_counts_as_an_edit),
		cmocka_unit_test(who_saw_everything_deletes_quietly),
		cmocka_unit_test(operations_out_of_place_are_refused),
		cmocka_unit_test(own_pending_operations_fold_on_top),
	};

	return cmocka_run_group_tests(tests, load_thing, unload_thing);
}
