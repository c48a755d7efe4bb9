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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    what_was_written_since_is_shown_and_stays, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    what_nothing_came_after_is_shown_again, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
