/*
 * Customers merged into others on the server, with devices that run the real
 * session machine: who holds what, what follows a redirect (P-170 to P-174).
 */
#include "tests/unit/server/store/sqlite/crew.h"
#include "tests/unit/server/store/sqlite/device.h"

static void
whoever_sees_the_winner_sees_what_stood_below_the_loser(void **state)
{
	crew c = crew_new(1);
	sat_id a = device_account(c.ann, "Acme", "ann");
	sat_id b = device_account(c.sue, "ACME Ltd", "sue"), call, deal;

	(void)state;
	call = device_activity(c.sue, &b, "called");
	deal = device_opp(c.sue, &b, "deal", "sue");
	all_sync(&c);
	assert_null(device_find(c.ann, &b, 0));
	(void)merge(c.hq, b, a);
	all_sync(&c);
	all_agree(&c);
	assert_non_null(device_find(c.ann, &b, 0));
	assert_non_null(device_find(c.ann, &call, 0));
	assert_non_null(device_find(c.ann, &deal, 0)); /* under her customer */
	assert_non_null(device_find(c.max, &call, 0));
	/* until somebody decides about the owner the other one keeps it */
	assert_non_null(device_find(c.sue, &a, 0));
	assert_non_null(device_find(c.mia, &a, 0));
	assert_null(device_find(c.bob, &a, 0));
	/* new work below either is seen by both */
	call = device_activity(c.sue, &b, "late call");
	deal = device_activity(c.ann, &a, "visit");
	all_sync(&c);
	all_agree(&c);
	assert_non_null(device_find(c.ann, &call, 0));
	assert_non_null(device_find(c.sue, &deal, 0));
	crew_free(&c);
}

static void
a_decision_about_the_owner_takes_it_from_the_other(void **state)
{
	crew c = crew_new(2);
	sat_id a = device_account(c.ann, "Acme", "ann");
	sat_id b = device_account(c.sue, "ACME Ltd", "sue");

	(void)state;
	all_sync(&c);
	(void)merge(c.hq, b, a);
	all_sync(&c);
	(void)device_edit(c.hq, &b, &b, K_ACCOUNT, SAT_OP_REASSIGN, A_OWNER,
	    txt("ann"));
	all_sync(&c);
	all_agree(&c);
	assert_null(device_find(c.sue, &a, 0));
	assert_null(device_find(c.sue, &b, 0));
	assert_null(device_find(c.mia, &a, 0));
	assert_non_null(device_find(c.ann, &b, 0));
	crew_free(&c);
}

static void
late_work_on_the_loser_reaches_the_winner_too(void **state)
{
	crew c = crew_new(3);
	sat_id a = device_account(c.ann, "Acme", "ann");
	sat_id b = device_account(c.bob, "ACME Ltd", "bob");

	(void)state;
	(void)device_edit(c.ann, &a, &a, K_ACCOUNT, SAT_OP_MVSET, A_PHONE,
	    txt("+8613800000001"));
	all_sync(&c);
	/* bob, offline, knows of no merge */
	c.w->now_ms += 1000;
	(void)device_edit(c.bob, &b, &b, K_ACCOUNT, SAT_OP_SET, A_SECTOR,
	    txt("retail"));
	(void)device_edit(c.bob, &b, &b, K_ACCOUNT, SAT_OP_MVSET, A_PHONE,
	    txt("+8613800000002"));
	(void)device_edit(c.bob, &b, &b, K_ACCOUNT, SAT_OP_SADD, A_TAGS,
	    txt("vip"));
	(void)device_edit(c.bob, &b, &b, K_ACCOUNT, SAT_OP_ADD, A_VISITS,
	    sat_v_int(2));
	(void)merge(c.max, b, a);
	device_sync(c.max);
	all_sync(&c);
	all_agree(&c);
	assert_string_equal("retail", text_at(c.ann, a, A_SECTOR));
	assert_string_equal("retail", text_at(c.bob, b, A_SECTOR));
	assert_string_equal("vip", text_at(c.bob, a, A_TAGS));
	assert_int_equal(2, value_at(c.hq, a, A_VISITS).i);
	/* he had not seen the winner's phone: a person decides */
	assert_int_equal(2, candidates_at(c.ann, a, A_PHONE, SAT_P_REVIEW));
	/* his next edit of the loser goes on from his own */
	assert_int_equal(0, candidates_at(c.ann, b, A_PHONE, SAT_P_REVIEW));
	crew_free(&c);
}

static void
an_older_late_value_loses_by_its_own_stamp(void **state)
{
	crew c = crew_new(4);
	sat_id a = device_account(c.ann, "Acme", "ann");
	sat_id b = device_account(c.bob, "ACME Ltd", "bob");

	(void)state;
	all_sync(&c);
	(void)device_edit(c.bob, &b, &b, K_ACCOUNT, SAT_OP_SET, A_SECTOR,
	    txt("old"));
	c.w->now_ms += 100000;
	(void)merge(c.max, b, a);
	(void)device_edit(c.ann, &a, &a, K_ACCOUNT, SAT_OP_SET, A_SECTOR,
	    txt("new"));
	SYNC(c.max, c.ann);
	all_sync(&c);
	all_agree(&c);
	assert_string_equal("new", text_at(c.hq, a, A_SECTOR));
	assert_string_equal("old", text_at(c.hq, b, A_SECTOR));
	crew_free(&c);
}

static void
chains_compose_and_a_cycle_is_refused(void **state)
{
	crew c = crew_new(5);
	sat_id x = device_account(c.ann, "Xx", "ann"), y, z;

	(void)state;
	y = device_account(c.bob, "Yy", "bob");
	z = device_account(c.sue, "Zz", "sue");
	all_sync(&c);
	(void)merge(c.max, x, y);      /* offline, each of them */
	(void)merge(c.hq, y, x);
	SYNC(c.max, c.hq);
	assert_int_equal(2, c.hq->out[c.hq->nout - 1].state);
	assert_string_equal("merge.cycle", c.hq->out[c.hq->nout - 1].slug);
	(void)merge(c.hq, y, z);
	all_sync(&c);
	all_agree(&c);
	{
		sat_id to = device_canon(c.ann, x);

		assert_true(sat_id_eq(&to, &z));
	}
	/* late work on the first reaches both above it */
	(void)device_edit(c.ann, &x, &x, K_ACCOUNT, SAT_OP_SET, A_SECTOR,
	    txt("deep"));
	all_sync(&c);
	all_agree(&c);
	assert_string_equal("deep", text_at(c.hq, y, A_SECTOR));
	assert_string_equal("deep", text_at(c.hq, z, A_SECTOR));
	/* a record is merged once, and into something else */
	(void)merge(c.hq, x, z);
	(void)merge(c.hq, z, z);
	all_sync(&c);
	assert_string_equal("merge.stale", c.hq->out[c.hq->nout - 2].slug);
	assert_string_equal("merge.kind", c.hq->out[c.hq->nout - 1].slug);
	crew_free(&c);
}

static void
taking_a_merge_apart_gives_each_its_own_back(void **state)
{
	crew c = crew_new(6);
	sat_id a = device_account(c.ann, "Acme", "ann");
	sat_id b = device_account(c.sue, "ACME Ltd", "sue"), call, late;

	(void)state;
	call = device_activity(c.sue, &b, "called");
	all_sync(&c);
	(void)merge(c.hq, b, a);
	all_sync(&c);
	late = device_activity(c.ann, &b, "by ann, below the loser");
	all_sync(&c);
	(void)unmerge(c.hq, b);
	all_sync(&c);
	all_agree(&c);
	assert_null(device_find(c.ann, &b, 0));
	assert_null(device_find(c.ann, &call, 0));
	assert_null(device_find(c.ann, &late, 0));
	assert_null(device_find(c.sue, &a, 0));
	assert_non_null(device_find(c.sue, &late, 0));
	(void)merge(c.hq, a, b); /* the other way round, now */
	all_sync(&c);
	all_agree(&c);
	assert_non_null(device_find(c.ann, &call, 0));
	crew_free(&c);
}

static void
a_representative_may_not_merge(void **state)
{
	crew c = crew_new(7);
	sat_id a = device_account(c.ann, "Acme", "ann"), b, z;

	(void)state;
	b = device_account(c.ann, "ACME Ltd", "ann");
	z = device_account(c.sue, "Zz", "sue");
	all_sync(&c);
	(void)merge(c.ann, b, a);
	device_sync(c.ann);
	assert_string_equal("denied", c.ann->out[c.ann->nout - 1].slug);
	/* a manager not with what is no business of the team */
	(void)merge(c.max, b, z);
	device_sync(c.max);
	assert_string_equal("denied", c.max->out[c.max->nout - 1].slug);
	all_sync(&c);
	all_agree(&c);
	crew_free(&c);
}

static void
what_the_loser_had_joins_without_replacing(void **state)
{
	crew c = crew_new(8);
	sat_id a = device_account(c.ann, "Acme", "ann"), b;
	sat_op ops[2];

	(void)state;
	b = device_account(c.bob, "Bcme", "bob");
	all_sync(&c);
	ops[0] = op_set(&b, K_ACCOUNT, SAT_OP_MERGE, SAT_SYS_REDIRECT,
	    sat_v_id(&a));
	ops[1] = op_set(&a, K_ACCOUNT, SAT_OP_MERGE, A_NAME, txt("Bcme"));
	(void)device_commit(c.max, &a, ops, 2);
	all_sync(&c);
	all_agree(&c);
	assert_int_equal(2, candidates_at(c.ann, a, A_NAME, SAT_P_REVIEW));
	assert_string_equal("Acme", text_at(c.ann, a, A_NAME)); /* meanwhile */
	crew_free(&c);
}

static void
a_dismissed_duplicate_is_remembered_on_every_device(void **state) /* P-175 */
{
	crew c = crew_new(9);
	sat_id a = device_account(c.ann, "Acme", "ann");

	(void)state;
	all_sync(&c);
	(void)device_edit(c.ann, &a, &a, K_ACCOUNT, SAT_OP_SADD,
	    SAT_SYS_DISMISSED, txt("00ff"));
	(void)device_edit(c.ann, &a, &a, K_ACCOUNT, SAT_OP_SET,
	    SAT_SYS_DISMISSED, txt("00ff"));
	all_sync(&c);
	all_agree(&c);
	assert_string_equal("field.unknown",
	    c.ann->out[c.ann->nout - 1].slug);
	assert_string_equal("00ff", text_at(c.hq, a, SAT_SYS_DISMISSED));
	crew_free(&c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whoever_sees_the_winner_sees_what_stood_below_the_loser),
		cmocka_unit_test(a_decision_about_the_owner_takes_it_from_the_other),
		cmocka_unit_test(late_work_on_the_loser_reaches_the_winner_too),
		cmocka_unit_test(an_older_late_value_loses_by_its_own_stamp),
		cmocka_unit_test(chains_compose_and_a_cycle_is_refused),
		cmocka_unit_test(taking_a_merge_apart_gives_each_its_own_back),
		cmocka_unit_test(a_representative_may_not_merge),
		cmocka_unit_test(what_the_loser_had_joins_without_replacing),
		cmocka_unit_test(a_dismissed_duplicate_is_remembered_on_every_device),
	};

	sat_crypto_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
