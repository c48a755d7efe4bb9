/*
 * The server's core over the SQLite store, with devices that run the real
 * client session machine.
 */
#include "tests/unit/server/store/sqlite/device.h"

#include <unistd.h>

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
	device_sync(hq);
	device_sync(sue);
	device_sync(max);
	device_check(ann);
	device_check(hq);
	device_check(sue);
	device_check(max);
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
	device_free(ann);
	device_free(hq);
	device_free(sue);
	device_free(max);
	world_free(w);
}

static void
nothing_new_costs_one_round_trip(void **state)
{
	world *w = world_company(2);
	device *ann = device_new(w, "ann"), *sue = device_new(w, "sue");

	(void)state;
	(void)device_account(ann, "first", "ann");
	device_sync(ann);
	device_sync(ann);
	assert_int_equal(1, ann->stats.round_trips);
	assert_true(ann->stats.complete);
	device_sync(sue);
	(void)device_account(ann, "second", "ann");
	device_sync(ann);
	/* somebody else's customer is nothing new */
	device_sync(sue);
	assert_int_equal(1, sue->stats.round_trips);
	device_free(ann);
	device_free(sue);
	world_free(w);
}

static void
a_push_sent_again_gets_the_same_bytes_and_changes_nothing(void **state) /* U2 */
{
	world *w = world_company(3);
	device *ann = device_new(w, "ann");
	sat_buf frame = { 0 }, r1 = { 0 }, r2 = { 0 };
	sat_arena a = { 0 };
	sat_msg m;
	sat_err err = { 0 };
	sat_id acc, ghost;

	(void)state;
	device_sync(ann);
	acc = device_account(ann, "first", "ann");
	ghost = device_id(ann);
	(void)device_edit(ann, &acc, &ghost, K_ACCOUNT, SAT_OP_SET, A_SECTOR,
	    txt("x"));
	(void)device_activity(ann, &acc, "called");
	device_frame(ann, &frame, 0);
	assert_ok(device_ask(ann, sat_buf_span(&frame), &r1, &m, &a, &err));
	assert_int_equal(3, m.u.verdicts.n);
	assert_int_equal(2, m.u.verdicts.neids);
	assert_int_equal(SAT_VD_PARKED, m.u.verdicts.v[1].code);
	assert_int_equal(2, world_head(w));
	w->now_ms += 100000;
	assert_ok(device_ask(ann, sat_buf_span(&frame), &r2, &m, &a, &err));
	assert_true(sat_span_eq(sat_buf_span(&r1), sat_buf_span(&r2)));
	assert_int_equal(2, world_head(w));
	/* also after a restart, from the file alone */
	world_stop(w);
	world_start(w);
	assert_ok(device_ask(ann, sat_buf_span(&frame), &r2, &m, &a, &err));
	assert_true(sat_span_eq(sat_buf_span(&r1), sat_buf_span(&r2)));
	world_verify(w);
	sat_arena_fini(&a);
	sat_buf_fini(&frame);
	sat_buf_fini(&r1);
	sat_buf_fini(&r2);
	device_free(ann);
	world_free(w);
}

/* As a device does that was restored from a backup: its past is shorter than
 * what we have, and ends in a commit that was refused. */
static void
a_shorter_past_ending_in_a_refusal_gets_its_verdicts(void **state) /* U2 */
{
	world *w = world_company(3);
	device *ann = device_new(w, "ann");
	sat_buf frame = { 0 }, r = { 0 };
	sat_arena a = { 0 };
	sat_msg m;
	sat_err err = { 0 };
	sat_id acc, ghost;

	(void)state;
	device_sync(ann);
	acc = device_account(ann, "first", "ann");
	ghost = device_id(ann);
	(void)device_edit(ann, &acc, &ghost, K_ACCOUNT, SAT_OP_SET, A_SECTOR,
	    txt("x"));
	device_frame(ann, &frame, 0);
	(void)device_activity(ann, &acc, "called");
	device_sync(ann);
	assert_ok(device_ask(ann, sat_buf_span(&frame), &r, &m, &a, &err));
	assert_int_equal(SAT_MSG_VERDICTS, m.type);
	assert_int_equal(2, m.u.verdicts.n);
	assert_int_equal(SAT_VD_PARKED, m.u.verdicts.v[1].code);
	assert_int_equal(2, world_head(w));
	sat_arena_fini(&a);
	sat_buf_fini(&frame);
	sat_buf_fini(&r);
	device_free(ann);
	world_free(w);
}

static void
a_spoilt_push_stores_nothing(void **state) /* U1 */
{
	world *w = world_company(4);
	device *ann = device_new(w, "ann"), *bob = device_new(w, "bob");
	sat_buf frame = { 0 }, r = { 0 };
	sat_arena a = { 0 };
	sat_msg m;
	sat_err err = { 0 };

	(void)state;
	device_sync(ann);
	device_sync(bob);
	(void)device_account(ann, "first", "ann");
	for (unsigned spoil = 1; spoil <= 3; spoil++) {
		sat_buf_reset(&frame);
		device_frame(ann, &frame, spoil);
		assert_rc(SAT_EINTEGRITY, device_ask(ann, sat_buf_span(&frame), &r, &m,
		    &a, &err));
		assert_string_equal("signature", err.code);
		assert_int_equal(0, world_head(w));
	}
	/* another device's signature */
	sat_buf_reset(&frame);
	device_frame(ann, &frame, 0);
	assert_rc(SAT_EINTEGRITY, device_ask(bob, sat_buf_span(&frame), &r, &m, &a,
	    &err));
	/* before hello */
	ann->link.greeted = false;
	assert_rc(SAT_EPROTO, device_ask(ann, sat_buf_span(&frame), &r, &m, &a, &err));
	assert_int_equal(0, world_head(w));
	world_verify(w);
	sat_arena_fini(&a);
	sat_buf_fini(&frame);
	sat_buf_fini(&r);
	device_free(ann);
	device_free(bob);
	world_free(w);
}

static void
a_gap_is_named_and_filled(void **state) /* U3 */
{
	world *w = world_company(5);
	device *ann = device_new(w, "ann");
	sat_err err = { 0 };
	sat_id acc;

	(void)state;
	acc = device_account(ann, "first", "ann");
	for (int i = 0; i < 5; i++)
		(void)device_activity(ann, &acc, "called");
	/* as after a server's restore: the device thinks two are there */
	ann->out[0].state = ann->out[1].state = 3;
	assert_ok(device_sync_flags(ann, SAT_CS_PUSH_ONLY, &err));
	assert_int_equal(6, world_head(w));
	for (size_t i = 2; i < ann->nout; i++)
		assert_int_equal(1, ann->out[i].state);
	world_verify(w);
	device_free(ann);
	world_free(w);
}

static void
a_copied_folder_is_a_fork(void **state) /* U3 */
{
	world *w = world_company(6);
	device *ann = device_new(w, "ann"), *copy;
	sat_err err = { 0 };
	sat_id acc;

	(void)state;
	acc = device_account(ann, "first", "ann");
	device_sync(ann);
	/* the copy goes on from the same place */
	copy = sat_xcalloc(1, sizeof *copy);
	*copy = *ann;
	copy->rec = NULL;
	copy->eids = NULL;
	copy->neids = 0;
	copy->nrec = copy->rec_cap = 0;
	copy->mem = (sat_arena){ 0 };
	copy->out = sat_xmalloc(ann->cap * sizeof *copy->out);
	memcpy(copy->out, ann->out, ann->nout * sizeof *copy->out);
	(void)device_activity(ann, &acc, "from the original");
	(void)device_activity(copy, &acc, "from the copy");
	device_sync(ann);
	assert_rc(SAT_ECONFLICT, device_sync_flags(copy, 0, &err));
	assert_string_equal("fork", err.code);
	/* the copy is one behind: its whole batch is old, and another */
	(void)device_activity(ann, &acc, "on");
	device_sync(ann);
	assert_rc(SAT_ECONFLICT, device_sync_flags(copy, 0, &err));
	assert_string_equal("fork", err.code);
	assert_int_equal(3, world_head(w));
	/* it believes in a past the server does not know */
	copy->out[1].state = 3;
	(void)device_activity(copy, &acc, "more");
	(void)device_activity(copy, &acc, "and more");
	copy->out[2].state = 3;
	assert_int_equal(4, copy->out[3].c.cseq);
	assert_rc(SAT_ECONFLICT, device_sync_flags(copy, 0, &err));
	assert_string_equal("fork", err.code);
	/* as a new incarnation it goes on */
	copy->nout = 1;
	copy->incarnation = 2;
	copy->complete = false;
	copy->after = 0;
	copy->snapping = false;
	memset(copy->head, 0, sizeof copy->head);
	(void)device_activity(copy, &acc, "from the copy");
	device_sync(copy);
	device_check(copy);
	device_sync(ann);
	device_check(ann);
	assert_int_equal(4, world_head(w));
	world_verify(w);
	device_free(copy);
	device_free(ann);
	world_free(w);
}

static void
work_moved_twice_counts_once(void **state) /* P-074 */
{
	world *w = world_company(24);
	device *ann = device_new(w, "ann"), *hq = device_new(w, "hq");
	sat_id acc, made;
	sat_hlc eff;

	(void)state;
	acc = device_account(ann, "first", "ann");
	device_sync(ann);
	(void)device_edit(ann, &acc, &acc, K_ACCOUNT, SAT_OP_ADD, A_VISITS,
	    sat_v_int(3));
	made = device_account(ann, "second", "ann");
	(void)device_activity(ann, &device_find(ann, &acc, 0)->id, "refused?");
	device_move(ann, 7);
	device_sync(ann);
	assert_int_equal(4, world_head(w));
	eff = ann->out[1].eff;
	/* the folder as it was before, once more */
	for (size_t i = 1; i < ann->nout; i++) {
		ann->out[i].state = 0;
		ann->out[i].lsn = 0;
		ann->out[i].eff = 0;
	}
	ann->neids = 0;
	device_move(ann, 8);
	(void)device_edit(ann, &acc, &acc, K_ACCOUNT, SAT_OP_ADD, A_VISITS,
	    sat_v_int(1));
	device_sync(ann);
	assert_int_equal(5, world_head(w));
	assert_int_equal(2, ann->out[1].lsn);
	assert_true(eff == ann->out[1].eff);
	assert_int_equal(2, ann->neids);
	assert_true(sat_id_eq(&made, &ann->eids[0].id));
	device_sync(ann);
	device_sync(hq);
	device_check(ann);
	device_check(hq);
	{
		held *h = device_find(hq, &acc, 0);
		sat_arena a = { 0 };
		sat_record r;

		assert_rc(SAT_OK, sat_record_read(&r, &a,
		    sat_buf_span(&h->state), NULL));
		assert_int_equal(4, sat_record_value(&r, A_VISITS).i);
		sat_arena_fini(&a);
	}
	world_verify(w);
	device_free(ann);
	device_free(hq);
	world_free(w);
}

static void
a_refused_commit_stops_only_what_depends_on_it(void **state) /* A1 A2 A3 */
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
	device_free(ann);
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
	device_sync(ann);
	device_sync(max);
	device_sync(hq);
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
	device_free(ann);
	device_free(hq);
	device_free(max);
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
	device_sync(ann);
	device_sync(sue);
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
	device_free(ann);
	device_free(sue);
	world_free(w);
}

static void
late_and_conflict_verdicts_are_the_same_when_asked_again(void **state) /* A3 */
{
	world *w = world_company(20);
	device *ann = device_new(w, "ann"), *hq = device_new(w, "hq");
	device *d[2] = { ann, hq };
	sat_buf frame = { 0 }, r1 = { 0 }, r2 = { 0 };
	sat_arena a = { 0 };
	sat_msg m;
	sat_err err = { 0 };
	sat_id acc, gone;

	(void)state;
	acc = device_account(ann, "first", "ann");
	gone = device_account(ann, "second", "ann");
	device_sync(ann);
	device_sync(hq);
	(void)device_edit(hq, &gone, &gone, K_ACCOUNT, SAT_OP_REASSIGN, A_OWNER,
	    txt("bob"));
	(void)device_edit(hq, &acc, &acc, K_ACCOUNT, SAT_OP_MVSET, A_NAME,
	    txt("one name"));
	device_sync(hq);
	(void)device_activity(ann, &gone, "late");
	(void)device_edit(ann, &acc, &acc, K_ACCOUNT, SAT_OP_MVSET, A_NAME,
	    txt("other name"));
	device_frame(ann, &frame, 0);
	assert_ok(device_ask(ann, sat_buf_span(&frame), &r1, &m, &a, &err));
	assert_int_equal(4, m.u.verdicts.n);
	assert_int_equal(SAT_VD_OK_LATE, m.u.verdicts.v[2].code);
	assert_int_equal(SAT_VD_CONFLICT, m.u.verdicts.v[3].code);
	world_stop(w);
	world_start(w);
	assert_ok(device_ask(ann, sat_buf_span(&frame), &r2, &m, &a, &err));
	assert_true(sat_span_eq(sat_buf_span(&r1), sat_buf_span(&r2)));
	for (int i = 0; i < 2; i++) {
		device_sync(d[i]);
		device_check(d[i]);
		device_free(d[i]);
	}
	world_verify(w);
	sat_arena_fini(&a);
	sat_buf_fini(&frame);
	sat_buf_fini(&r1);
	sat_buf_fini(&r2);
	world_free(w);
}

static void
a_commit_over_two_customers_shows_the_other_to_nobody(void **state) /* L1 */
{
	world *w = world_company(25);
	device *ann = device_new(w, "ann"), *hq = device_new(w, "hq");
	sat_id mine, other;
	sat_op ops[2];

	(void)state;
	device_sync(ann);
	mine = device_account(hq, "mine", "ann");
	other = device_account(hq, "other", "sue");
	ops[0] = op_set(&mine, K_ACCOUNT, SAT_OP_SET, A_SECTOR, txt("a"));
	ops[1] = op_set(&other, K_ACCOUNT, SAT_OP_SET, A_SECTOR, txt("b"));
	(void)device_commit(hq, &mine, ops, 2);
	device_sync(hq);
	device_sync(ann);
	assert_int_equal(2, ann->stats.pulled_commits);
	assert_int_equal(0, ann->stats.rescopes);
	assert_int_equal(0, ann->left);
	device_check(ann);
	device_check(hq);
	device_free(ann);
	device_free(hq);
	world_free(w);
}

static void
who_lost_a_customer_cannot_give_it_away(void **state) /* P-086 */
{
	world *w = world_company(21);
	device *ann = device_new(w, "ann"), *hq = device_new(w, "hq");
	device *max = device_new(w, "max");
	sat_id acc;
	sat_op ops[2];

	(void)state;
	acc = device_account(ann, "first", "ann");
	device_sync(ann);
	device_sync(hq);
	device_sync(max);
	(void)device_edit(hq, &acc, &acc, K_ACCOUNT, SAT_OP_REASSIGN, A_OWNER,
	    txt("sue"));
	device_sync(hq);
	ops[0] = op_set(&acc, K_ACCOUNT, SAT_OP_SET, A_SECTOR, txt("late"));
	ops[1] = op_set(&acc, K_ACCOUNT, SAT_OP_REASSIGN, A_OWNER, txt("bob"));
	(void)device_commit(max, &acc, ops, 2);
	(void)device_commit(max, &acc, ops + 1, 1);
	(void)device_commit(max, &acc, ops, 1); /* what he wrote gets in */
	device_sync(max);
	assert_int_equal(2, max->stats.rejected);
	assert_int_equal(1, max->stats.late);
	assert_string_equal("denied", max->out[0].slug);
	assert_string_equal("denied", max->out[1].slug);
	device_check(max);
	world_verify(w);
	device_free(ann);
	device_free(hq);
	device_free(max);
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
	device_free(ann);
	world_free(w);
}

static void
a_manager_of_many_customers_gets_each_once(void **state) /* P-090 */
{
	world *w = world_company(23);
	device *hq = device_new(w, "hq"), *max, *ann;

	(void)state;
	device_sync(hq);
	for (int i = 0; i < 700; i++)
		(void)device_account(hq, "many", i % 5 == 0 || i > 400 ?
		    "max" : i % 5 == 1 ? "sue" : "ann");
	device_sync(hq);
	max = device_new(w, "max");
	ann = device_new(w, "ann");
	device_sync(max);
	device_check(max);
	device_sync(ann);
	device_check(ann);
	device_free(ann);
	device_free(max);
	device_free(hq);
	world_free(w);
}

static void
a_clock_far_ahead_is_cut_and_adopted(void **state)
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
	device_sync(hq);
	device_sync(ann);
	device_check(ann);
	device_check(hq);
	assert_true(hq->out[0].eff > ann->out[1].eff);
	world_verify(w);
	device_free(ann);
	device_free(hq);
	world_free(w);
}

/* Between two pages a person edits what is there; the cursor must not say that
 * they had seen what the first page left out. */
static void
a_page_that_leaves_an_edit_out_says_that_the_customer_left(void **state)
{
	world *w = world_company(9);
	device *ann = device_new(w, "ann"), *max = device_new(w, "max");
	sat_id acc = device_account(ann, "first", "ann");
	sat_msg m = { .type = SAT_MSG_PULL };
	sat_buf q = { 0 }, reply = { 0 };
	sat_arena a = { 0 };
	sat_err err = { 0 };

	(void)state;
	device_sync(ann);
	device_sync(max);
	(void)device_edit(max, &acc, &acc, K_ACCOUNT, SAT_OP_SET, A_SECTOR,
	    txt("glass"));
	(void)device_edit(max, &acc, &acc, K_ACCOUNT, SAT_OP_REASSIGN, A_OWNER,
	    txt("bob"));
	device_sync(max);
	m.u.pull.cursor = ann->cursor;
	m.u.pull.max_bytes = 1;
	sat_msg_write(&q, &m);
	assert_ok(sat_server_handle(w->server, &ann->link, &reply,
	    sat_buf_span(&q), &err));
	assert_ok(sat_msg_read(&m, &a, sat_buf_span(&reply), &err));
	assert_int_equal(SAT_MSG_DELTA, m.type);
	assert_int_equal(ann->cursor + 1, m.u.delta.upto);
	assert_int_equal(0, m.u.delta.batch.n);
	assert_int_equal(1, m.u.delta.nrescopes);
	assert_int_equal(0, m.u.delta.rescopes[0].nheld);
	assert_true(sat_id_eq(&acc, &m.u.delta.rescopes[0].root));
	sat_arena_fini(&a);
	sat_buf_fini(&q);
	sat_buf_fini(&reply);
	ann->page_bytes = 1;
	device_sync(ann);
	assert_null(device_find(ann, &acc, 0));
	world_verify(w);
	device_free(ann);
	device_free(max);
	world_free(w);
}

/* The same of an opportunity, while its customer stays for another one. */
static void
a_page_that_leaves_an_edit_out_says_that_the_opportunity_left(void **state)
{
	world *w = world_company(9);
	device *ann = device_new(w, "ann"), *hq = device_new(w, "hq");
	sat_id acc = device_account(hq, "first", "sue");
	sat_id opp = device_opp(hq, &acc, "goes", "ann");
	sat_msg m = { .type = SAT_MSG_PULL };
	sat_buf q = { 0 }, reply = { 0 };
	sat_arena a = { 0 };
	sat_err err = { 0 };

	(void)state;
	(void)device_opp(hq, &acc, "stays", "ann");
	device_sync(hq);
	device_sync(ann);
	(void)device_edit(hq, &acc, &opp, K_OPP, SAT_OP_SET, O_REMARK,
	    txt("unseen"));
	(void)device_edit(hq, &acc, &opp, K_OPP, SAT_OP_REASSIGN, O_OWNER,
	    txt("bob"));
	device_sync(hq);
	m.u.pull.cursor = ann->cursor;
	m.u.pull.max_bytes = 1;
	sat_msg_write(&q, &m);
	assert_ok(sat_server_handle(w->server, &ann->link, &reply,
	    sat_buf_span(&q), &err));
	assert_ok(sat_msg_read(&m, &a, sat_buf_span(&reply), &err));
	assert_int_equal(ann->cursor + 1, m.u.delta.upto);
	assert_int_equal(0, m.u.delta.batch.n);
	assert_int_equal(1, m.u.delta.nrescopes);
	assert_int_equal(2, m.u.delta.rescopes[0].nheld);
	assert_true(sat_id_eq(&acc, &m.u.delta.rescopes[0].root));
	sat_arena_fini(&a);
	sat_buf_fini(&q);
	sat_buf_fini(&reply);
	ann->page_bytes = 1;
	device_sync(ann);
	assert_null(device_find(ann, &opp, 0));
	assert_non_null(device_find(ann, &acc, 0));
	device_check(ann);
	world_verify(w);
	device_free(ann);
	device_free(hq);
	world_free(w);
}

static void
a_customer_moves_and_late_notes_still_arrive(void **state) /* S3 */
{
	world *w = world_company(9);
	device *ann = device_new(w, "ann"), *bob = device_new(w, "bob");
	device *max = device_new(w, "max"), *sue = device_new(w, "sue");
	device *hq = device_new(w, "hq"), *mia = device_new(w, "mia");
	device *all[] = { ann, bob, max, sue, hq, mia };
	sat_id acc;

	(void)state;
	acc = device_account(ann, "first", "ann");
	(void)device_activity(ann, &acc, "called");
	for (size_t i = 0; i < 6; i++)
		device_sync(all[i]);
	/* offline, ann writes on; meanwhile her manager gives it to bob */
	(void)device_activity(ann, &acc, "wrote");
	(void)device_edit(ann, &acc, &acc, K_ACCOUNT, SAT_OP_SET, A_SECTOR,
	    txt("late"));
	(void)device_edit(max, &acc, &acc, K_ACCOUNT, SAT_OP_REASSIGN, A_OWNER,
	    txt("bob"));
	device_sync(max);
	assert_int_equal(1, max->stats.accepted);
	assert_int_equal(0, max->stats.rescopes); /* his view did not change */
	device_sync(bob);
	assert_int_equal(1, bob->stats.rescopes);
	assert_non_null(device_find(bob, &acc, 0));
	device_sync(ann);
	assert_int_equal(2, ann->stats.late);
	assert_int_equal(1, ann->left);
	/* merged where she does not look any more, and done all the same */
	assert_int_equal(3, ann->out[ann->nout - 1].state);
	assert_null(device_find(ann, &acc, 0));
	device_sync(bob);
	device_check(bob);
	/* now she knows: no more notes */
	(void)device_activity(ann, &acc, "too late");
	device_sync(ann);
	assert_int_equal(1, ann->stats.rejected);
	assert_string_equal("denied", ann->out[ann->nout - 1].slug);
	/* out of the team: both managers' views change */
	device_sync(hq);
	(void)device_edit(hq, &acc, &acc, K_ACCOUNT, SAT_OP_REASSIGN, A_OWNER,
	    txt("sue"));
	for (size_t i = 0; i < 6; i++)
		device_sync(all[i]);
	for (size_t i = 0; i < 6; i++)
		device_sync(all[i]);
	for (size_t i = 0; i < 6; i++)
		device_check(all[i]);
	assert_null(device_find(max, &acc, 0));
	assert_non_null(device_find(mia, &acc, 0));
	/* two at once: the second asks in vain */
	(void)device_edit(mia, &acc, &acc, K_ACCOUNT, SAT_OP_REASSIGN, A_OWNER,
	    txt("mia"));
	(void)device_edit(hq, &acc, &acc, K_ACCOUNT, SAT_OP_REASSIGN, A_OWNER,
	    txt("ann"));
	device_sync(mia);
	device_sync(hq);
	assert_int_equal(1, hq->stats.rejected);
	assert_string_equal("owner.stale", hq->out[hq->nout - 1].slug);
	for (size_t i = 0; i < 6; i++)
		device_sync(all[i]);
	for (size_t i = 0; i < 6; i++) {
		device_check(all[i]);
		device_free(all[i]);
	}
	world_verify(w);
	world_free(w);
}

static void
an_opportunity_opens_its_customer_and_nothing_else(void **state)
{
	world *w = world_company(10);
	device *ann = device_new(w, "ann"), *sue = device_new(w, "sue");
	device *bob = device_new(w, "bob"), *mia = device_new(w, "mia");
	device *hq = device_new(w, "hq");
	device *all[] = { ann, sue, bob, mia, hq };
	sat_id acc, o1, o2, act;

	(void)state;
	for (size_t i = 0; i < 5; i++)
		device_sync(all[i]);
	acc = device_account(ann, "first", "ann");
	act = device_activity(ann, &acc, "called");
	device_sync(ann);
	device_sync(hq);
	o1 = device_opp(hq, &acc, "for sue", "sue");
	o2 = device_opp(hq, &acc, "for bob", "bob");
	device_sync(hq);
	for (size_t i = 0; i < 5; i++)
		device_sync(all[i]);
	/* the customer and its plain children, and one's own opportunity */
	assert_non_null(device_find(sue, &acc, 0));
	assert_non_null(device_find(sue, &act, 0));
	assert_non_null(device_find(sue, &o1, 0));
	assert_null(device_find(sue, &o2, 0));
	assert_null(device_find(bob, &o1, 0));
	assert_non_null(device_find(mia, &o1, 0));
	assert_non_null(device_find(ann, &o1, 0));
	assert_non_null(device_find(ann, &o2, 0));
	/* sue writes down a visit, and may not edit the customer */
	(void)device_activity(sue, &acc, "visited");
	(void)device_edit(sue, &acc, &acc, K_ACCOUNT, SAT_OP_SET, A_SECTOR,
	    txt("mine"));
	device_sync(sue);
	assert_int_equal(1, sue->stats.accepted);
	assert_int_equal(1, sue->stats.rejected);
	/* the opportunity moves from sue to bob; sue loses all of it */
	(void)device_edit(hq, &acc, &o1, K_OPP, SAT_OP_REASSIGN, O_OWNER,
	    txt("bob"));
	device_sync(hq);
	for (size_t i = 0; i < 5; i++)
		device_sync(all[i]);
	assert_null(device_find(sue, &acc, 0));
	assert_null(device_find(mia, &acc, 0));
	assert_non_null(device_find(bob, &o1, 0));
	/* deleted: bob still has another reason, then none */
	(void)device_edit(hq, &acc, &o1, K_OPP, SAT_OP_DEL, 0, sat_v_null());
	device_sync(hq);
	device_sync(bob);
	assert_non_null(device_find(bob, &acc, 0));
	/* deleted while bob edits it: he gets it back, to decide */
	(void)device_edit(hq, &acc, &o2, K_OPP, SAT_OP_DEL, 0, sat_v_null());
	(void)device_edit(bob, &acc, &o2, K_OPP, SAT_OP_SET, O_REMARK,
	    txt("nearly won"));
	device_sync(hq);
	device_sync(bob);
	assert_int_equal(1, bob->stats.late);
	for (size_t i = 0; i < 5; i++)
		device_sync(all[i]);
	assert_non_null(device_find(bob, &o2, 0));
	for (size_t i = 0; i < 5; i++) {
		device_check(all[i]);
		device_free(all[i]);
	}
	world_verify(w);
	world_free(w);
}

static void
a_failed_commit_tells_nobody_it_was_saved(void **state)
{
	world *w = world_company(11);
	device *ann = device_new(w, "ann");
	sat_buf frame = { 0 }, r = { 0 };
	sat_arena a = { 0 };
	sat_msg m;
	sat_err err = { 0 };

	(void)state;
	device_sync(ann);
	(void)device_account(ann, "first", "ann");
	device_frame(ann, &frame, 0);
	w->fail_commit = SAT_ENOSPACE;
	assert_rc(SAT_ENOSPACE, device_ask(ann, sat_buf_span(&frame), &r, &m, &a,
	    &err));
	w->fail_commit = SAT_EFSYNC;
	sat_buf_reset(&r);
	assert_rc(SAT_EFSYNC, sat_server_handle(w->server, &ann->link, &r,
	    sat_buf_span(&frame), &err));
	assert_int_equal(0, r.n);
	w->fail_commit = SAT_OK;
	assert_int_equal(0, world_head(w));
	device_sync(ann);
	assert_int_equal(1, world_head(w));
	assert_int_equal(1, ann->out[0].lsn);
	device_check(ann);
	world_verify(w);
	sat_arena_fini(&a);
	sat_buf_fini(&frame);
	sat_buf_fini(&r);
	device_free(ann);
	world_free(w);
}

static void
one_bad_push_of_a_group_is_refused_alone(void **state)
{
	world *w = world_company(12);
	device *d[4];
	sat_server_job jobs[6];
	sat_buf frame[6] = { { 0 } }, reply[6] = { { 0 } };
	sat_arena a = { 0 };
	sat_err err = { 0 };
	static const char *const who[] = { "ann", "bob", "sue", "max" };

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		d[i] = device_new(w, who[i]);
		device_sync(d[i]);
		(void)device_account(d[i], who[i], who[i]);
		device_frame(d[i], &frame[i], i == 1);
	}
	device_frame(d[0], &frame[4], 0); /* the same again in the same group */
	sat_buf_str(&frame[5], "\x03garbage");
	for (size_t i = 0; i < 6; i++)
		jobs[i] = (sat_server_job){ &d[i % 4]->link,
			sat_buf_span(&frame[i]), &reply[i] };
	assert_ok(sat_server_handle_group(w->server, jobs, 6, &err));
	for (size_t i = 0; i < 6; i++) {
		sat_msg m;

		assert_ok(sat_msg_read(&m, &a, sat_buf_span(&reply[i]), &err));
		assert_int_equal(i == 1 || i == 5 ? SAT_MSG_ERROR :
		    SAT_MSG_VERDICTS, m.type);
		if (i == 4)
			assert_true(sat_span_eq(sat_buf_span(&reply[0]),
			    sat_buf_span(&reply[4])));
	}
	assert_int_equal(3, world_head(w));
	world_verify(w);
	for (size_t i = 0; i < 6; i++) {
		sat_buf_fini(&frame[i]);
		sat_buf_fini(&reply[i]);
	}
	for (size_t i = 0; i < 4; i++)
		device_free(d[i]);
	sat_arena_fini(&a);
	world_free(w);
}

static void
hello_refuses_whom_it_must(void **state)
{
	world *w = world_company(13);
	device *ann = device_new(w, "ann"), *bob = device_new(w, "bob");
	sat_id org = w->org, acc;
	bool yes = true;
	sat_err err = { 0 };

	(void)state;
	device_sync(ann);
	w->org.b[0] ^= 1; /* only what the device says */
	assert_rc(SAT_EDENIED, device_enrol(ann, ann->sign_pk, &err));
	assert_string_equal("org.other", err.code);
	w->org = org;
	ann->ord++;
	assert_rc(SAT_EDENIED, device_sync_flags(ann, 0, &err));
	ann->ord--;
	ann->link.channel_pk[0] ^= 1;
	assert_rc(SAT_ELOCKED, device_sync_flags(ann, 0, &err));
	ann->link.channel_pk[0] ^= 1;
	device_sync(ann);
	/* revoked: nothing is accepted any more, also not on the open link */
	acc = device_account(ann, "after", "ann");
	(void)acc;
	assert_ok(sat_sqlite_device_revoke(w->store, ann->ord, &err));
	assert_ok(sat_server_reload(w->server, &err));
	assert_rc(SAT_EREVOKED, device_sync_flags(ann, 0, &err));
	assert_int_equal(0, world_head(w));
	assert_ok(sat_sqlite_user_edit(w->store, "bob", NULL, NULL, &yes, &err));
	assert_ok(sat_server_reload(w->server, &err));
	assert_rc(SAT_EDENIED, device_sync_flags(bob, 0, &err));
	device_free(ann);
	device_free(bob);
	world_free(w);
}

static void
an_invitation_is_good_once_and_for_a_while(void **state)
{
	world *w = world_company(14);
	device *ann = device_new(w, "ann"), thief;
	uint8_t token[16] = { 0 };
	uint32_t ord = ann->ord;
	sat_err err = { 0 };

	(void)state;
	token[0] = w->next_token;
	/* the answer was lost: the same device asks again */
	assert_ok(device_enrol(ann, token, &err));
	assert_int_equal(ord, ann->ord);
	thief = *ann;
	thief.link.channel_pk[0] ^= 1;
	assert_rc(SAT_ELOCKED, device_enrol(&thief, token, &err));
	assert_string_equal("invite.used", err.code);
	token[5] = 1;
	assert_rc(SAT_ELOCKED, device_enrol(&thief, token, &err));
	assert_string_equal("invite.unknown", err.code);
	assert_ok(sat_sqlite_invite_add(w->store, token, "bob", w->now_ms + 1,
	    &err));
	w->now_ms += 2;
	assert_rc(SAT_ELOCKED, device_enrol(&thief, token, &err));
	assert_string_equal("invite.expired", err.code);
	device_free(ann);
	world_free(w);
}

static void
a_device_that_waits_is_enrolled_and_gets_nothing(void **state) /* P-390 */
{
	world *w = world_company(16);
	device *ann = device_new(w, "ann"), *bob = device_new(w, "bob"), late;
	uint8_t token[16] = { 0x77 };
	sat_err err = { 0 };

	(void)state;
	assert_ok(sat_sqlite_invite_add(w->store, token, "bob",
	    w->now_ms + 1000, &err));
	assert_ok(sat_sqlite_invite_hold(w->store, token, &err));
	late = *bob;
	late.link.channel_pk[0] ^= 1;
	assert_ok(device_enrol(&late, token, &err));
	assert_rc(SAT_ELOCKED, device_sync_flags(&late, 0, &err));
	assert_string_equal("device.waiting", err.code);
	/* what it says again is answered again: the first answer may be lost */
	assert_ok(device_enrol(&late, token, &err));
	assert_rc(SAT_ECONFLICT, sat_sqlite_device_approve(w->store, ann->ord,
	    &err));
	assert_ok(sat_sqlite_device_approve(w->store, late.ord, &err));
	assert_ok(sat_server_reload(w->server, &err));
	assert_ok(device_sync_flags(&late, 0, &err));
	assert_rc(SAT_ENOTFOUND, sat_sqlite_invite_hold(w->store, token, &err));
	*bob = late; /* what it synced */
	device_free(ann);
	device_free(bob);
	world_free(w);
}

static void
a_new_incarnation_gets_the_old_ones_commits_in_full(void **state)
{
	world *w = world_company(15);
	device *ann = device_new(w, "ann");
	sat_id acc;

	(void)state;
	device_sync(ann);
	acc = device_account(ann, "first", "ann");
	(void)device_activity(ann, &acc, "called");
	device_sync(ann);
	/* restored from a backup made before: empty outbox, cursor 0 */
	for (size_t i = 0; i < ann->nrec; i++)
		ann->rec[i].used = false;
	ann->nout = 0;
	ann->cursor = 0;
	ann->incarnation = 2;
	memset(ann->head, 0, sizeof ann->head);
	device_sync(ann);
	device_check(ann);
	assert_int_equal(2, ann->stats.pulled_commits);
	/* the same incarnation without its outbox asks for all of it */
	(void)device_activity(ann, &acc, "again");
	device_sync(ann);
	for (size_t i = 0; i < ann->nrec; i++)
		ann->rec[i].used = false;
	ann->nout = 0;
	ann->cursor = 0;
	device_sync(ann);
	device_check(ann);
	device_free(ann);
	world_free(w);
}

static void
a_page_larger_than_asked_still_moves(void **state) /* L2 */
{
	world *w = world_company(16);
	device *hq = device_new(w, "hq"), *ann = device_new(w, "ann");
	char *long_text = sat_xmalloc(4001);
	sat_id acc, small;

	(void)state;
	memset(long_text, 'x', 4000);
	long_text[4000] = '\0';
	device_sync(ann);
	device_sync(hq);
	acc = device_account(ann, "first", "ann");
	device_sync(ann);
	small = device_account(hq, "small", "bob");
	device_sync(hq);
	for (int i = 0; i < 300; i++)
		(void)device_activity(ann, &acc, long_text);
	device_sync(ann);
	device_sync(hq); /* 1.2 MB in pages of one MiB */
	assert_true(hq->stats.round_trips >= 3);
	device_check(hq);
	/* the whole customer moves: one position of 1.2 MB */
	(void)device_edit(hq, &acc, &acc, K_ACCOUNT, SAT_OP_REASSIGN, A_OWNER,
	    txt("bob"));
	device_sync(hq);
	{
		device *bob = device_new(w, "bob"), *max = device_new(w, "max");

		/* by snapshot, in chunks inside the customer; the small one's
		 * numbers are below the last of those */
		device_sync(bob);
		assert_non_null(device_find(bob, &small, 0));
		assert_true(bob->stats.round_trips >= 4);
		device_check(bob);
		device_sync(max);
		device_check(max);
		(void)device_edit(hq, &acc, &acc, K_ACCOUNT, SAT_OP_REASSIGN,
		    A_OWNER, txt("ann"));
		device_sync(hq);
		device_sync(ann); /* by rescope, in one page */
		device_check(ann);
		device_sync(bob);
		device_check(bob);
		device_free(bob);
		device_free(max);
	}
	world_verify(w);
	free(long_text);
	device_free(ann);
	device_free(hq);
	world_free(w);
}

/* ---- random histories ------------------------------------------------------------------- */

#define DEVICES 8

static sat_id
pick(device *d, uint16_t kind, sat_id *root)
{
	sat_id none = { { 0 } };

	for (int tries = 0; tries < 20 && d->nrec > 0; tries++) {
		held *h = &d->rec[sat_test_rand(&d->w->rand) % d->nrec];
		sat_arena a = { 0 };
		sat_record r;
		uint16_t k = 0;

		if (h->used && sat_record_read(&r, &a, sat_buf_span(&h->state),
		    NULL) == SAT_OK)
			k = r.kind;
		sat_arena_fini(&a);
		if (k == kind) {
			*root = h->root;
			return h->id;
		}
	}
	return none;
}

static void
random_edit(device *d)
{
	static const char *const people[] = { "ann", "bob", "sue", "max", "mia" };
	uint64_t r = sat_test_rand(&d->w->rand);
	const char *who = people[r / 64 % 5];
	char text[32];
	sat_id rec, root;

	(void)snprintf(text, sizeof text, "v%llu",
	    (unsigned long long)(r >> 40));
	if (r % 16 == 0) {
		(void)device_account(d, text, who);
		return;
	}
	rec = pick(d, r % 16 < 4 ? K_OPP : K_ACCOUNT, &root);
	if (sat_id_zero(&rec))
		return;
	switch (r % 16) {
	case 1:
		(void)device_edit(d, &root, &rec, K_OPP, SAT_OP_SET, O_REMARK,
		    txt(text));
		break;
	case 2:
		(void)device_edit(d, &root, &rec, K_OPP, SAT_OP_REASSIGN,
		    O_OWNER, txt(who));
		break;
	case 3:
		(void)device_edit(d, &root, &rec, K_OPP, r / 16 % 3 == 0 ?
		    SAT_OP_UNDEL : SAT_OP_DEL, 0, sat_v_null());
		break;
	case 4:
	case 5:
		(void)device_opp(d, &rec, text, who);
		break;
	case 6:
	case 7:
		(void)device_edit(d, &root, &rec, K_ACCOUNT, SAT_OP_REASSIGN,
		    A_OWNER, txt(who));
		break;
	case 8:
		(void)device_edit(d, &root, &rec, K_ACCOUNT, r / 16 % 2 == 0 ?
		    SAT_OP_UNDEL : SAT_OP_DEL, 0, sat_v_null());
		break;
	case 9:
		(void)device_edit(d, &root, &rec, K_ACCOUNT, SAT_OP_SADD, A_TAGS,
		    txt(text));
		break;
	case 10:
		(void)device_edit(d, &root, &rec, K_ACCOUNT, SAT_OP_ADD,
		    A_VISITS, sat_v_int(1));
		break;
	case 11:
		(void)device_edit(d, &root, &rec, K_ACCOUNT, SAT_OP_MVSET,
		    A_NAME, txt(text));
		break;
	case 12:
	case 13:
		(void)device_activity(d, &rec, text);
		break;
	default:
		(void)device_edit(d, &root, &rec, K_ACCOUNT, SAT_OP_SET,
		    A_SECTOR, txt(text));
		break;
	}
}

static void
random_history(uint64_t seed, int steps)
{
	static const char *const who[DEVICES] = { "ann", "ann", "bob", "sue",
		"max", "mia", "hq", "root" };
	world *w = world_company(seed);
	device *d[DEVICES], *fresh;
	uint64_t late = 0, rejected = 0, conflicts = 0, moved = 0;

	for (size_t i = 0; i < DEVICES; i++) {
		d[i] = device_new(w, who[i]);
		d[i]->batch_max = 1 + (size_t)(sat_test_rand(&w->rand) % 5);
		d[i]->page_bytes = (uint32_t)(i % 3 == 0 ? 0 : i % 3 == 1 ? 1 :
		    400);
		d[i]->skew_ms = (int64_t)(sat_test_rand(&w->rand) % 4) *
		    50000 - 100000;
	}
	for (int step = 0; step < steps; step++) {
		device *x = d[sat_test_rand(&w->rand) % DEVICES];

		w->now_ms += (int64_t)(sat_test_rand(&w->rand) % 5000);
		if (sat_test_rand(&w->rand) % 5 != 0) {
			random_edit(x);
			continue;
		}
		device_sync(x);
		late += x->stats.late;
		rejected += x->stats.rejected;
		conflicts += x->stats.conflicts;
		moved += x->stats.rescopes;
		if (step % 97 == 0) {
			world_stop(w);
			world_start(w);
		}
	}
	for (int round = 0; round < 2; round++)
		for (size_t i = 0; i < DEVICES; i++)
			device_sync(d[i]);
	for (size_t i = 0; i < DEVICES; i++)
		device_check(d[i]);
	for (size_t i = 0; i < DEVICES - 1; i++) {
		fresh = device_new(w, who[i]);
		device_sync(fresh);
		device_check(fresh);
		device_free(fresh);
	}
	world_verify(w);
	if (getenv("SAT_VERBOSE") != NULL)
		printf("seed %llu: head %llu late %llu rejected %llu "
		    "conflicts %llu rescopes %llu frames %lu\n",
		    (unsigned long long)seed, (unsigned long long)world_head(w),
		    (unsigned long long)late, (unsigned long long)rejected,
		    (unsigned long long)conflicts, (unsigned long long)moved,
		    w->frames);
	for (size_t i = 0; i < DEVICES; i++)
		device_free(d[i]);
	world_free(w);
}

static void
random_histories_end_equal_and_proven(void **state)
{
	uint64_t seed = sat_test_seed(20261121);

	(void)state;
	for (uint64_t i = 0; i < 12; i++)
		random_history(seed + i, 400);
}

/* ---- proof ---------------------------------------------------------------------------- */

static void
damage(world *w, const char *sql)
{
	sat_err err = { 0 };

	assert_ok(sat_db_exec(sat_sqlite_store_db(w->store), sql, &err));
}

static void
verify_finds_what_was_changed_behind_its_back(void **state)
{
	static const char *const harm[] = {
		"UPDATE rec SET state = substr(state, 1, length(state) - 1) || x'61' WHERE eid = 1",
		"UPDATE rec SET owner = 'bob' WHERE eid = 1",
		"DELETE FROM rec WHERE eid = 2",
		"UPDATE log SET payload = x'00' WHERE lsn = 2",
		"UPDATE log SET eff = eff + 1 WHERE lsn = 2",
		"UPDATE batch_sig SET sig = zeroblob(64)",
		"DELETE FROM batch_sig",
		"UPDATE chain SET head = zeroblob(32)",
		"UPDATE member SET n = n + 1",
		"INSERT INTO member VALUES(8589934592, 1, 1, 0)",
		"UPDATE device SET sign_pk = zeroblob(32)",
	};
	uint64_t c, r;
	sat_err err = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof harm / sizeof harm[0]; i++) {
		world *w = world_company(17);
		device *ann = device_new(w, "ann");
		sat_id acc = device_account(ann, "first", "ann");

		(void)device_activity(ann, &acc, "called");
		device_sync(ann);
		world_verify(w);
		damage(w, harm[i]);
		if (sat_server_verify(w->server, &c, &r, &err) == SAT_OK)
			fail_msg("not found: %s", harm[i]);
		device_free(ann);
		world_free(w);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_one_device_writes_the_others_of_its_scope_get),
		cmocka_unit_test(nothing_new_costs_one_round_trip),
		cmocka_unit_test(a_push_sent_again_gets_the_same_bytes_and_changes_nothing),
		cmocka_unit_test(a_shorter_past_ending_in_a_refusal_gets_its_verdicts),
		cmocka_unit_test(a_spoilt_push_stores_nothing),
		cmocka_unit_test(a_gap_is_named_and_filled),
		cmocka_unit_test(a_copied_folder_is_a_fork),
		cmocka_unit_test(work_moved_twice_counts_once),
		cmocka_unit_test(a_refused_commit_stops_only_what_depends_on_it),
		cmocka_unit_test(a_refusal_found_while_folding_undoes_what_was_folded),
		cmocka_unit_test(nobody_writes_in_anothers_name_or_behind_a_closed_door),
		cmocka_unit_test(late_and_conflict_verdicts_are_the_same_when_asked_again),
		cmocka_unit_test(a_commit_over_two_customers_shows_the_other_to_nobody),
		cmocka_unit_test(who_lost_a_customer_cannot_give_it_away),
		cmocka_unit_test(a_clock_set_back_still_rises_at_the_server),
		cmocka_unit_test(a_manager_of_many_customers_gets_each_once),
		cmocka_unit_test(a_clock_far_ahead_is_cut_and_adopted),
		cmocka_unit_test(
		    a_page_that_leaves_an_edit_out_says_that_the_customer_left),
		cmocka_unit_test(
		    a_page_that_leaves_an_edit_out_says_that_the_opportunity_left),
		cmocka_unit_test(a_customer_moves_and_late_notes_still_arrive),
		cmocka_unit_test(an_opportunity_opens_its_customer_and_nothing_else),
		cmocka_unit_test(a_failed_commit_tells_nobody_it_was_saved),
		cmocka_unit_test(one_bad_push_of_a_group_is_refused_alone),
		cmocka_unit_test(hello_refuses_whom_it_must),
		cmocka_unit_test(an_invitation_is_good_once_and_for_a_while),
		cmocka_unit_test(a_device_that_waits_is_enrolled_and_gets_nothing),
		cmocka_unit_test(a_new_incarnation_gets_the_old_ones_commits_in_full),
		cmocka_unit_test(a_page_larger_than_asked_still_moves),
		cmocka_unit_test(random_histories_end_equal_and_proven),
		cmocka_unit_test(verify_finds_what_was_changed_behind_its_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
