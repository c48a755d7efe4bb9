/*
 * The server's core over the SQLite store, with devices that run the real
 * client session machine: who gets what was written, and what is refused.
 */
#include "tests/unit/server/store/sqlite/device.h"

static void
what_one_device_writes_the_others_of_its_scope_get(void **state)
{
	world *w = world_company(1);
	device *ann = device_new(w, "ann"), *hq = device_new(w, "hq");
	device *sue = device_new(w, "sue"), *max = device_new(w, "max");
	sat_id acc = device_account(ann, "first", "ann");

	(void)state;
	(void)device_activity(ann, &acc, "called");
	device_sync(ann);
	assert_int_equal(2, ann->stats.accepted);
	SYNC(hq, sue, max);
	CHECK(ann, hq, sue, max);
	assert_non_null(device_find(hq, &acc, 0));
	assert_non_null(device_find(max, &acc, 0));
	assert_null(device_find(sue, &acc, 0));
	/* on from here by pulls */
	(void)device_edit(hq, &acc, &acc, K_ACCOUNT, SAT_OP_SET, A_SECTOR,
	    txt("retail"));
	device_sync(hq);
	assert_int_equal(1, hq->stats.accepted);
	device_sync(ann);
	assert_int_equal(1, ann->stats.pulled_commits);
	device_check(ann);
	world_verify(w);
	world_free(w);
}

static void
nothing_new_costs_one_round_trip(void **state)
{
	world *w = world_company(2);
	device *ann = device_new(w, "ann"), *sue = device_new(w, "sue");

	(void)state;
	(void)device_account(ann, "first", "ann");
	SYNC(ann, ann);
	assert_int_equal(1, ann->stats.round_trips);
	assert_true(ann->stats.complete);
	device_sync(sue);
	(void)device_account(ann, "second", "ann");
	device_sync(ann);
	/* somebody else's customer is nothing new */
	device_sync(sue);
	assert_int_equal(1, sue->stats.round_trips);
	world_free(w);
}

static void
a_refused_commit_stops_only_what_depends_on_it(void **state) /* A1 A2 A3, P-075 */
{
	world *w = world_company(7);
	device *ann = device_new(w, "ann");
	sat_id acc = device_account(ann, "first", "ann"), bad, mixed;
	sat_id other = device_id(ann);
	sat_op ops[3];

	(void)state;
	bad = device_account(ann, "second", "nobody"); /* refused */
	(void)device_activity(ann, &bad, "called");    /* parked with it */
	/* half good: nothing of it may stay */
	mixed = device_id(ann);
	ops[0] = op_set(&mixed, K_ACCOUNT, SAT_OP_NEW, 0, sat_v_null());
	ops[1] = op_set(&acc, K_ACCOUNT, SAT_OP_SET, A_SECTOR, txt("half"));
	ops[2] = op_set(&other, K_ACCOUNT, SAT_OP_SET, A_SECTOR, txt("x"));
	(void)device_commit(ann, &acc, ops, 3);
	(void)device_activity(ann, &acc, "called");
	/* a wrong value, a wrong right */
	(void)device_edit(ann, &acc, &acc, K_ACCOUNT, SAT_OP_MVSET, A_PHONE,
	    txt("not a phone"));
	(void)device_edit(ann, &acc, &acc, K_ACCOUNT, SAT_OP_REASSIGN, A_OWNER,
	    txt("bob"));
	device_sync(ann);
	assert_int_equal(2, ann->stats.accepted);
	assert_int_equal(5, ann->stats.rejected);
	assert_string_equal("owner.unknown", ann->out[1].slug);
	assert_string_equal("needs_parent", ann->out[2].slug);
	assert_int_equal(SAT_VD_PARKED, ann->out[2].code);
	assert_string_equal("needs_parent", ann->out[3].slug);
	assert_int_equal(0, ann->out[4].code);
	assert_string_equal("validation.pattern", ann->out[5].slug);
	assert_string_equal("denied", ann->out[6].slug);
	assert_int_equal(2, ann->out[4].lsn);
	assert_null(device_find(ann, &mixed, 0));
	device_check(ann);
	world_verify(w);
	world_free(w);
}

static void
a_refusal_found_while_folding_undoes_what_was_folded(void **state) /* A1 */
{
	world *w = world_company(18);
	device *ann = device_new(w, "ann"), *hq = device_new(w, "hq");
	device *max = device_new(w, "max");
	sat_id acc, acc2;
	sat_op ops[2];

	(void)state;
	acc = device_account(ann, "first", "ann");
	acc2 = device_account(ann, "second", "ann");
	SYNC(ann, max, hq);
	(void)device_edit(max, &acc, &acc, K_ACCOUNT, SAT_OP_REASSIGN, A_OWNER,
	    txt("bob"));
	(void)device_edit(max, &acc2, &acc2, K_ACCOUNT, SAT_OP_REASSIGN,
	    A_OWNER, txt("bob"));
	device_sync(max);
	/* one record as the store has it, one changed in this push already */
	(void)device_edit(hq, &acc2, &acc2, K_ACCOUNT, SAT_OP_SET, A_REMARK,
	    txt("stays"));
	for (int i = 0; i < 2; i++) {
		const sat_id *id = i == 0 ? &acc : &acc2;

		ops[0] = op_set(id, K_ACCOUNT, SAT_OP_SET, A_SECTOR, txt("no"));
		ops[1] = op_set(id, K_ACCOUNT, SAT_OP_REASSIGN, A_OWNER,
		    txt("sue"));
		(void)device_commit(hq, id, ops, 2);
	}
	(void)device_edit(hq, &acc, &acc, K_ACCOUNT, SAT_OP_SET, A_REMARK,
	    txt("stays"));
	(void)device_edit(hq, &acc2, &acc2, K_ACCOUNT, SAT_OP_SADD, A_TAGS,
	    txt("stays"));
	device_sync(hq);
	assert_int_equal(3, hq->stats.accepted);
	assert_int_equal(2, hq->stats.rejected);
	assert_string_equal("owner.stale", hq->out[1].slug);
	device_check(hq);
	device_sync(max);
	device_check(max);
	world_verify(w);
	world_free(w);
}

static void
nobody_writes_in_anothers_name_or_behind_a_closed_door(void **state)
{
	world *w = world_company(19);
	device *ann = device_new(w, "ann"), *sue = device_new(w, "sue");
	sat_id acc;
	uint32_t user = ann->user;

	(void)state;
	acc = device_account(ann, "first", "ann");
	SYNC(ann, sue);
	ann->user++; /* bob */
	(void)device_activity(ann, &acc, "as bob");
	ann->user = user;
	device_sync(ann);
	assert_string_equal("actor", ann->out[1].slug);
	/* sue knows the id. An opportunity of her own would open the door. */
	(void)device_opp(sue, &acc, "mine", "sue");
	(void)device_activity(sue, &acc, "hello");
	(void)device_edit(sue, &acc, &acc, K_ACCOUNT, SAT_OP_SET, A_SECTOR,
	    txt("mine"));
	device_sync(sue);
	assert_int_equal(3, sue->stats.rejected);
	for (int i = 0; i < 3; i++)
		assert_string_equal("denied", sue->out[i].slug);
	assert_null(device_find(sue, &acc, 0));
	assert_int_equal(1, world_head(w));
	world_verify(w);
	world_free(w);
}

static void
a_clock_set_back_still_rises_at_the_server(void **state) /* H3 */
{
	world *w = world_company(22);
	device *ann = device_new(w, "ann");
	sat_id acc = device_account(ann, "first", "ann");

	(void)state;
	memset(&ann->hlc, 0, sizeof ann->hlc); /* a device that forgot */
	ann->skew_ms = -100000000;
	(void)device_activity(ann, &acc, "called");
	device_sync(ann);
	assert_true(ann->out[1].c.hlc < ann->out[0].c.hlc);
	assert_true(ann->out[1].eff > ann->out[0].eff);
	world_verify(w);
	world_free(w);
}

static void
a_clock_far_ahead_is_cut_and_adopted(void **state) /* P-015 */
{
	world *w = world_company(8);
	device *ann = device_new(w, "ann"), *hq = device_new(w, "hq");
	sat_id acc;

	(void)state;
	device_sync(hq);
	ann->skew_ms = (int64_t)10 * 365 * 86400 * 1000;
	acc = device_account(ann, "first", "ann");
	(void)device_edit(ann, &acc, &acc, K_ACCOUNT, SAT_OP_SET, A_SECTOR,
	    txt("future"));
	device_sync(ann);
	assert_true(sat_hlc_ms(ann->out[1].eff) <= w->now_ms + 60001);
	assert_true(ann->out[1].eff > ann->out[0].eff);
	device_sync(hq);
	/* who has seen it wins over it, at once */
	(void)device_edit(hq, &acc, &acc, K_ACCOUNT, SAT_OP_SET, A_SECTOR,
	    txt("now"));
	SYNC(hq, ann);
	CHECK(ann, hq);
	assert_true(hq->out[0].eff > ann->out[1].eff);
	world_verify(w);
	world_free(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_one_device_writes_the_others_of_its_scope_get),
		cmocka_unit_test(nothing_new_costs_one_round_trip),
		cmocka_unit_test(a_refused_commit_stops_only_what_depends_on_it),
		cmocka_unit_test(a_refusal_found_while_folding_undoes_what_was_folded),
		cmocka_unit_test(nobody_writes_in_anothers_name_or_behind_a_closed_door),
		cmocka_unit_test(a_clock_set_back_still_rises_at_the_server),
		cmocka_unit_test(a_clock_far_ahead_is_cut_and_adopted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
