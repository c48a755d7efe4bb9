/* Parked work that goes on behind what its author wrote since (P-325). */
#include "tests/unit/client/replica/fixture.h"

static void
park(fixture *f)
{
	f->srv.refuse = refuse_all;
	f->srv.slug = "needs_parent";
	(void)srv_push(f, false);
	f->srv.refuse = NULL;
}

static void
unpark(fixture *f, uint64_t want)
{
	uint64_t n = 0;
	sat_err err;

	assert_ok(f->ops.unpark(f->ops.u, &n, &err));
	assert_int_equal(want, n);
}

static void
what_was_written_since_is_shown_and_stays(void **state) /* O1 */
{
	fixture *f = *state;
	sat_id id = new_account(f, "Mill", "13800000001");

	for (int sync = 0; sync < 2; sync++) { /* what came since waits, or not */
		srv_sync(f);
		(void)set_text(f, id, F_NAME, "Parked Mill");
		(void)set_text(f, id, F_CITY, "Parked");
		park(f);
		if (sync == 0)
			srv_sync(f);
		(void)set_text(f, id, F_NAME, sync == 0 ? "New Mill" :
		    "Newer Mill");
		(void)set_text(f, id, F_CITY, "Wuhu");
		if (sync == 1)
			srv_sync(f);
		unpark(f, 2);
		assert_text(f, id, F_NAME, sync == 0 ? "New Mill" : "Newer Mill");
		assert_text(f, id, F_CITY, "Wuhu");
		reopen(f);
		assert_text(f, id, F_NAME, sync == 0 ? "New Mill" : "Newer Mill");
		assert_sound(f);
		srv_sync(f);
		assert_text(f, id, F_NAME, sync == 0 ? "New Mill" : "Newer Mill");
		assert_text(f, id, F_CITY, "Wuhu");
		assert_settled(f);
	}
}

static void
what_nothing_came_after_is_shown_again(void **state)
{
	fixture *f = *state;
	sat_id id = new_account(f, "Mill", "13800000001");

	srv_sync(f);
	(void)set_text(f, id, F_NAME, "Parked Mill");
	park(f);
	assert_text(f, id, F_NAME, "Mill");
	unpark(f, 1);
	assert_text(f, id, F_NAME, "Parked Mill");
	srv_sync(f);
	assert_text(f, id, F_NAME, "Parked Mill");
	assert_false(view_of(f, id).conflict);
	assert_settled(f);
}

static server *asked;

static bool
refuse_births_and_park_the_rest(const sat_commit *c)
{
	asked->slug = c->ops[0].kind == SAT_OP_NEW ? NULL : "needs_parent";
	return true;
}

static bool
leads(fixture *f, sat_id id)
{
	sat_view v = view_of(f, id);
	sat_id to;

	return sat_record_redirect(&to, &v.rec);
}

static void
a_merge_waits_for_the_customer_it_leads_to(void **state) /* P-209 */
{
	fixture *f = *state;
	sat_id loser = new_account(f, "Mill", "13800000001"), winner;
	sat_op merge, birth;

	srv_sync(f);
	winner = new_account(f, "The Mill", "13800000001");
	merge = op(f->account, SAT_OP_MERGE, loser, SAT_SYS_REDIRECT,
	    sat_v_id(&winner));
	(void)write_ops(f, loser, &merge, 1);
	asked = &f->srv;
	f->srv.refuse = refuse_births_and_park_the_rest;
	(void)srv_push(f, false);
	f->srv.refuse = NULL;
	assert_gone(f, winner);
	for (int session = 0; session < 2; session++) {
		unpark(f, 0);
		assert_false(leads(f, loser));
		assert_int_equal(0, srv_push(f, false));
	}
	birth = op(f->account, SAT_OP_NEW, winner, 0, sat_v_null());
	(void)srv_foreign(f, winner, &birth, 1, 0);
	srv_pull(f);
	unpark(f, 1);
	assert_true(leads(f, loser));
	srv_sync(f);
	assert_true(srv_leads(&f->srv, loser, winner));
	assert_settled(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    what_was_written_since_is_shown_and_stays, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    what_nothing_came_after_is_shown_again, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    a_merge_waits_for_the_customer_it_leads_to, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
