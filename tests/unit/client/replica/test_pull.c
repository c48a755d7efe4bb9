/* Pages of what others did. */
#include "common/db/db.h"
#include "tests/unit/client/replica/fixture.h"

/* ---- pull ---------------------------------------------------------------- */

static void
others_edits_arrive_and_displaced_values_are_history(void **state)
{
	fixture *f = *state;
	sat_id id = new_account(f, "A", "1");
	sat_past *p;
	size_t n;
	sat_err err;

	srv_sync(f);
	srv_foreign_text(f, id, F_CITY, "Wuhu", f->srv.n);
	srv_foreign_text(f, id, F_CITY, "Bengbu", f->srv.n);
	srv_pull(f);
	assert_text(f, id, F_CITY, "Bengbu");
	assert_ok(sat_replica_history(&p, &n, &f->a, f->r, &id, F_CITY, &err));
	assert_int_equal(2, n);
	assert_true(sat_value_eq(text("Wuhu"), p[0].value));
	assert_int_equal(OTHER, p[0].at.dev);
	assert_true(sat_value_eq(text("Hefei"), p[1].value));
	assert_int_equal(DEV, p[1].at.dev);
	assert_settled(f);
}

static void
a_waiting_edit_stays_on_top_of_what_others_did(void **state) /* R1 */
{
	fixture *f = *state;
	sat_id id = new_account(f, "A", "1");

	srv_sync(f);
	set_text(f, id, F_REMARK, "mine");
	srv_foreign_text(f, id, F_CITY, "theirs", 1);
	srv_foreign_text(f, id, F_REMARK, "theirs", 1);
	set_text(f, id, F_CITY, "mine");
	srv_pull(f);
	assert_text(f, id, F_CITY, "mine");
	assert_text(f, id, F_REMARK, "theirs"); /* later: it will win */
	assert_true(view_of(f, id).pending);
	assert_settled(f);
	srv_sync(f);
	assert_text(f, id, F_CITY, "mine");
	assert_text(f, id, F_REMARK, "theirs");
	assert_settled(f);
}

static void
the_clock_goes_past_what_was_pulled(void **state)
{
	fixture *f = *state;
	sat_id id = new_account(f, "A", "1");

	srv_sync(f);
	f->now_ms += 1000000000; /* the other device is days ahead */
	srv_foreign_text(f, id, F_CITY, "theirs", f->srv.n);
	f->now_ms -= 1000000000;
	srv_pull(f);
	reopen(f);
	set_text(f, id, F_CITY, "mine");
	assert_text(f, id, F_CITY, "mine");
	srv_sync(f);
	assert_text(f, id, F_CITY, "mine");
	assert_same_as_server(f);
}

static void
a_concurrent_review_opens_a_conflict_until_it_is_settled(void **state)
{
	fixture *f = *state;
	sat_id id = new_account(f, "A", "1");
	sat_conflict *c;
	sat_dot dots[4];
	sat_op o;
	size_t n;
	sat_err err;

	srv_sync(f);
	srv_foreign_text(f, id, F_NAME, "theirs", 1);
	set_text(f, id, F_NAME, "mine");
	srv_pull(f); /* not pushed yet: nothing the server has to show */
	assert_int_equal(0, status_of(f).conflicts);
	srv_sync(f);
	assert_true(view_of(f, id).conflict);
	assert_int_equal(1, status_of(f).conflicts);
	assert_ok(sat_replica_conflicts(&c, &n, &f->a, f->r, &err));
	assert_int_equal(1, n);
	assert_int_equal(F_NAME, c[0].field->id);
	assert_int_equal(2, c[0].n);
	assert_true(sat_id_eq(&id, &c[0].rec));
	assert_sound(f);
	for (size_t i = 0; i < c[0].n; i++)
		dots[i] = (sat_dot){ c[0].candidates[i].at.dev,
			c[0].candidates[i].at.lsn };
	o = op(f->account, SAT_OP_RESOLVE, id, F_NAME, text("both"));
	o.dots = dots;
	o.ndots = c[0].n;
	write_ops(f, id, &o, 1);
	assert_false(view_of(f, id).conflict);
	assert_int_equal(0, status_of(f).conflicts);
	srv_sync(f);
	assert_text(f, id, F_NAME, "both");
	assert_int_equal(0, status_of(f).conflicts);
	assert_settled(f);
}

static void
deleted_while_edited_is_listed(void **state)
{
	fixture *f = *state;
	sat_id id = new_account(f, "A", "1");
	sat_op del = op(f->account, SAT_OP_DEL, id, 0, sat_v_null());
	sat_op undel = op(f->account, SAT_OP_UNDEL, id, 0, sat_v_null());
	sat_conflict *c;
	size_t n;
	sat_err err;

	srv_sync(f);
	srv_foreign(f, id, &del, 1, 1);
	set_text(f, id, F_CITY, "x");
	srv_sync(f);
	assert_ok(sat_replica_conflicts(&c, &n, &f->a, f->r, &err));
	assert_int_equal(1, n);
	assert_null(c[0].field);
	assert_sound(f);
	write_ops(f, id, &undel, 1);
	srv_sync(f);
	assert_int_equal(0, status_of(f).conflicts);
	assert_text(f, id, F_CITY, "x");
	assert_settled(f);
}

static void
a_page_applied_twice_changes_nothing(void **state)
{
	fixture *f = *state;
	sat_id id = new_account(f, "A", "1");
	sat_op visit = op(f->account, SAT_OP_ADD, id, F_VISITS, sat_v_int(1));
	sat_err err;

	srv_sync(f);
	srv_foreign(f, id, &visit, 1, 1);
	write_ops(f, id, &visit, 1);
	srv_sync(f);
	/* the cursor was lost, the page comes again */
	assert_ok(sat_db_exec(sat_replica_db(f->r),
	    "UPDATE meta SET value = 0 WHERE key = 'cursor'", &err));
	reopen(f);
	srv_pull(f);
	assert_int_equal(2,
	    visits_of(f, id));
	assert_settled(f);
}

static void
a_missing_own_commit_is_asked_for_in_full(void **state) /* P-087 */
{
	fixture *f = *state;
	sat_id id = new_account(f, "A", "1");
	sat_op o = op(f->account, SAT_OP_SET, id, F_CITY, text("x"));
	sat_commit c = { .device = DEV, .incarnation = 1, .cseq = 50,
		.hlc = sat_hlc_of_ms(f->now_ms + 5000), .seen = 1, .actor = 1,
		.subject = id, .nops = 1, .ops = &o };
	sat_err err;

	srv_sync(f);
	(void)srv_accept(f, &c);
	assert_rc(SAT_ENOTFOUND,
	    srv_page(f, f->srv.n, false, NULL, 0, NULL, 0, &err));
	assert_ok(srv_page(f, f->srv.n, true, NULL, 0, NULL, 0, &err));
	assert_same_as_server(f);
}

static void
own_commits_in_full_are_settled_all_the_same(void **state)
{
	fixture *f = *state;
	sat_id id = new_account(f, "A", "1");
	sat_op visit = op(f->account, SAT_OP_ADD, id, F_VISITS, sat_v_int(1));
	sat_err err;

	write_ops(f, id, &visit, 1);
	srv_push(f, true); /* not even the verdicts arrived */
	assert_ok(srv_page(f, f->srv.n, true, NULL, 0, NULL, 0, &err));
	assert_false(view_of(f, id).pending);
	assert_int_equal(1, visits_of(f, id));
	srv_sync(f);
	assert_int_equal(1, view_of(f, id).rec.eid);
	assert_settled(f);
}

/* Two customers; another device merges the second into the first, and here the
 * second gets three visits more. */
static void
visits_of_a_merged_one(fixture *f, sat_id *a, sat_id *b)
{
	sat_op o;

	*a = new_account(f, "Acme", "1");
	*b = new_account(f, "Acme 2", "2");
	srv_sync(f);
	o = op(f->account, SAT_OP_MERGE, *b, SAT_SYS_REDIRECT, sat_v_id(a));
	(void)srv_foreign(f, *a, &o, 1, f->srv.n);
	o = op(f->account, SAT_OP_ADD, *b, F_VISITS, sat_v_int(3));
	(void)write_ops(f, *b, &o, 1);
}

/* Written here about a record that was merged meanwhile: it comes back with what
 * the winner gets, and counts once for each. */
static void
own_work_on_a_merged_record_reaches_the_winner_once(void **state)
{
	fixture *f = *state;
	sat_id a, b;

	visits_of_a_merged_one(f, &a, &b);
	(void)set_text(f, b, F_REMARK, "late");
	assert_int_equal(2, srv_push(f, false));
	assert_int_equal(1, f->srv.log[f->srv.n - 1].nechoes);
	srv_pull(f);
	assert_text(f, a, F_REMARK, "late");
	assert_text(f, b, F_REMARK, "late");
	assert_int_equal(3, visits_of(f, a));
	assert_settled(f);
}

/* The answer to the push was lost, and the pull brings it first. */
static void
an_echo_that_comes_before_its_verdict_counts_once(void **state)
{
	fixture *f = *state;
	sat_id a, b;

	visits_of_a_merged_one(f, &a, &b);
	(void)srv_push(f, true);
	srv_pull(f);
	assert_int_equal(3, visits_of(f, a));
	srv_sync(f);
	assert_int_equal(3, visits_of(f, a));
	assert_settled(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		COMPLETE(others_edits_arrive_and_displaced_values_are_history),
		COMPLETE(a_waiting_edit_stays_on_top_of_what_others_did),
		COMPLETE(the_clock_goes_past_what_was_pulled),
		COMPLETE(a_concurrent_review_opens_a_conflict_until_it_is_settled),
		COMPLETE(deleted_while_edited_is_listed),
		COMPLETE(a_page_applied_twice_changes_nothing),
		COMPLETE(a_missing_own_commit_is_asked_for_in_full),
		COMPLETE(own_commits_in_full_are_settled_all_the_same),
		COMPLETE(own_work_on_a_merged_record_reaches_the_winner_once),
		COMPLETE(an_echo_that_comes_before_its_verdict_counts_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
