/* Customers that move, and who holds what of them. */
#include "tests/unit/server/store/sqlite/device.h"

static void
a_commit_over_two_customers_shows_the_other_to_nobody(void **state)
{ /* L1, P-083 */
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
	SYNC(hq, ann);
	assert_int_equal(2, ann->stats.pulled_commits);
	assert_int_equal(0, ann->stats.rescopes);
	assert_int_equal(0, ann->left);
	CHECK(ann, hq);
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
	SYNC(ann, hq, max);
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
	SETTLE(max, ann);
	world_free(w);
}

/* Their next page, of one byte at most, takes this customer away, but for so
 * many records, and brings no commit. */
static void
next_page_takes_away(device *d, const sat_id *root, size_t nheld)
{
	sat_msg m = { .type = SAT_MSG_PULL };
	sat_arena a = { 0 };
	sat_err err;

	m.u.pull.cursor = d->cursor;
	m.u.pull.max_bytes = 1;
	assert_ok(device_say(&m, &a, d, &err));
	assert_int_equal(SAT_MSG_DELTA, m.type);
	assert_int_equal(d->cursor + 1, m.u.delta.upto);
	assert_int_equal(0, m.u.delta.batch.n);
	assert_int_equal(1, m.u.delta.nrescopes);
	assert_int_equal(nheld, m.u.delta.rescopes[0].nheld);
	assert_true(sat_id_eq(root, &m.u.delta.rescopes[0].root));
	sat_arena_fini(&a);
}

/* Between two pages a person edits what is there; the cursor must not say that
 * they had seen what the first page left out. */
static void
a_page_that_leaves_an_edit_out_says_that_the_customer_left(void **state)
{ /* P-084 */
	world *w = world_company(9);
	device *ann = device_new(w, "ann"), *max = device_new(w, "max");
	sat_id acc = device_account(ann, "first", "ann");

	(void)state;
	SYNC(ann, max);
	(void)device_edit(max, &acc, &acc, K_ACCOUNT, SAT_OP_SET, A_SECTOR,
	    txt("glass"));
	(void)device_edit(max, &acc, &acc, K_ACCOUNT, SAT_OP_REASSIGN, A_OWNER,
	    txt("bob"));
	device_sync(max);
	next_page_takes_away(ann, &acc, 0);
	ann->page_bytes = 1;
	device_sync(ann);
	assert_null(device_find(ann, &acc, 0));
	world_verify(w);
	world_free(w);
}

/* The same of an opportunity, while its customer stays for another one. */
static void
a_page_that_leaves_an_edit_out_says_that_the_opportunity_left(void **state)
{ /* P-084 */
	world *w = world_company(9);
	device *ann = device_new(w, "ann"), *hq = device_new(w, "hq");
	sat_id acc = device_account(hq, "first", "sue");
	sat_id opp = device_opp(hq, &acc, "goes", "ann");

	(void)state;
	(void)device_opp(hq, &acc, "stays", "ann");
	SYNC(hq, ann);
	(void)device_edit(hq, &acc, &opp, K_OPP, SAT_OP_SET, O_REMARK,
	    txt("unseen"));
	(void)device_edit(hq, &acc, &opp, K_OPP, SAT_OP_REASSIGN, O_OWNER,
	    txt("bob"));
	device_sync(hq);
	next_page_takes_away(ann, &acc, 2);
	ann->page_bytes = 1;
	device_sync(ann);
	assert_null(device_find(ann, &opp, 0));
	assert_non_null(device_find(ann, &acc, 0));
	device_check(ann);
	world_verify(w);
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
	SYNC(mia, hq);
	assert_int_equal(1, hq->stats.rejected);
	assert_string_equal("owner.stale", hq->out[hq->nout - 1].slug);
	for (size_t i = 0; i < 6; i++)
		device_sync(all[i]);
	for (size_t i = 0; i < 6; i++)
		device_check(all[i]);
	world_verify(w);
	world_free(w);
}

static void
an_opportunity_opens_its_customer_and_nothing_else(void **state)
{ /* P-081, P-082 */
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
	SYNC(ann, hq);
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
	SYNC(hq, bob);
	assert_non_null(device_find(bob, &acc, 0));
	/* deleted while bob edits it: he gets it back, to decide */
	(void)device_edit(hq, &acc, &o2, K_OPP, SAT_OP_DEL, 0, sat_v_null());
	(void)device_edit(bob, &acc, &o2, K_OPP, SAT_OP_SET, O_REMARK,
	    txt("nearly won"));
	SYNC(hq, bob);
	assert_int_equal(1, bob->stats.late);
	for (size_t i = 0; i < 5; i++)
		device_sync(all[i]);
	assert_non_null(device_find(bob, &o2, 0));
	for (size_t i = 0; i < 5; i++)
		device_check(all[i]);
	world_verify(w);
	world_free(w);
}

static void
a_page_larger_than_asked_still_moves(void **state) /* L2, P-088 */
{
	world *w = world_company(16);
	device *hq = device_new(w, "hq"), *ann = device_new(w, "ann");
	char *long_text = sat_xmalloc(4001);
	sat_id acc, small;

	(void)state;
	memset(long_text, 'x', 4000);
	long_text[4000] = '\0';
	SYNC(ann, hq);
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
	world_free(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_commit_over_two_customers_shows_the_other_to_nobody),
		cmocka_unit_test(who_lost_a_customer_cannot_give_it_away),
		cmocka_unit_test(a_manager_of_many_customers_gets_each_once),
		cmocka_unit_test(
		    a_page_that_leaves_an_edit_out_says_that_the_customer_left),
		cmocka_unit_test(
		    a_page_that_leaves_an_edit_out_says_that_the_opportunity_left),
		cmocka_unit_test(a_customer_moves_and_late_notes_still_arrive),
		cmocka_unit_test(an_opportunity_opens_its_customer_and_nothing_else),
		cmocka_unit_test(a_page_larger_than_asked_still_moves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
