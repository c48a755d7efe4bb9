/* What verdicts do: accepted, refused, of a later release, derived. */
#include "protocol/derived.h"
#include "tests/unit/client/replica/fixture.h"

/* ---- verdicts ------------------------------------------------------------ */

static void
an_accepted_commit_waits_until_the_cursor_reaches_it(void **state)
{
	fixture *f = *state;
	sat_id id = new_account(f, "A", "1");

	srv_push(f, false);
	assert_true(view_of(f, id).pending);
	assert_int_equal(1, status_of(f).pending_commits);
	assert_sound(f);
	srv_pull(f);
	assert_false(view_of(f, id).pending);
	assert_int_equal(1, view_of(f, id).rec.rlsn);
	assert_int_equal(0, status_of(f).pending_commits);
	assert_settled(f);
}

static uint64_t
accepted(fixture *f)
{
	uint64_t lsn;
	sat_err err;

	assert_ok(f->ops.accepted(f->ops.u, &lsn, &err));
	return lsn;
}

static void
what_the_cursor_has_not_reached_is_known_after_a_restart(void **state)
{
	fixture *f = *state;
	sat_id id = new_account(f, "A", "1");

	assert_int_equal(0, accepted(f));
	set_text(f, id, F_CITY, "x");
	srv_push(f, false);
	reopen(f);
	assert_int_equal(2, accepted(f));
	srv_sync(f);
	assert_int_equal(0, accepted(f));
}

static void
a_refused_edit_shows_the_server_s_value_and_stays_in_quarantine(void **state)
{
	fixture *f = *state;
	sat_id id = new_account(f, "A", "1");
	sat_quarantined *q;
	size_t n;
	sat_err err;

	srv_sync(f);
	set_text(f, id, F_CITY, "good");
	set_text(f, id, F_CITY, "bad");
	set_text(f, id, F_REMARK, "kept");
	f->srv.refuse = refuse_bad;
	srv_push(f, false);
	assert_text(f, id, F_CITY, "good");
	assert_text(f, id, F_REMARK, "kept");
	assert_sound(f);
	srv_pull(f);
	assert_same_as_server(f);
	assert_ok(sat_replica_quarantine(&q, &n, &f->a, f->r, &err));
	assert_int_equal(1, n);
	assert_string_equal("denied", q[0].slug);
	assert_string_equal("ASK_MANAGER", q[0].hint);
	assert_int_equal(3, q[0].cseq);
	assert_true(sat_value_eq(text("bad"), q[0].commit.ops[0].value));
	reopen(f);
	assert_sound(f);
	assert_ok(sat_replica_discard(f->r, q[0].id, "mistake", &err));
	assert_int_equal(0, status_of(f).quarantined);
	assert_rc(SAT_ENOTFOUND,
	    sat_replica_discard(f->r, q[0].id, "mistake", &err));
	assert_sound(f);
}

static void
a_refused_newest_commit_still_carries_the_chain(void **state)
{
	fixture *f = *state;
	sat_id id = new_account(f, "A", "1");

	srv_sync(f);
	set_text(f, id, F_CITY, "bad");
	f->srv.refuse = refuse_bad;
	srv_push(f, false);
	reopen(f);
	assert_int_equal(3, set_text(f, id, F_CITY, "good"));
	srv_sync(f);
	assert_text(f, id, F_CITY, "good");
	assert_settled(f);
}

static void
a_record_whose_creation_was_refused_goes_with_its_edits(void **state)
{
	fixture *f = *state;
	sat_id id = new_account(f, "bad", "1"), found;
	sat_err err;

	set_text(f, id, F_CITY, "x");
	f->srv.refuse = refuse_all;
	srv_push(f, false);
	assert_gone(f, id);
	assert_int_equal(2, status_of(f).quarantined);
	assert_int_equal(0, status_of(f).pending_records);
	assert_rc(SAT_ENOTFOUND,
	    sat_replica_resolve(&found, f->r, NULL, "bad", &err));
	assert_sound(f);
	reopen(f);
	(void)new_account(f, "B", "2");
	f->srv.refuse = NULL;
	srv_sync(f);
	assert_settled(f);
}

static void
edits_behind_a_refused_creation_wait_for_their_own_verdict(void **state)
{
	fixture *f = *state;
	sat_id id = new_account(f, "A", "1");
	sat_verdict v = { .cseq = 1, .code = SAT_VD_REJECTED,
		.slug = sat_span_str("denied") };
	sat_verdicts vs = { .v = &v, .n = 1 };
	sat_err err;

	set_text(f, id, F_CITY, "x");
	assert_ok(f->ops.verdicts(f->ops.u, 1, &vs, &err));
	assert_gone(f, id);
	assert_sound(f);
	reopen(f);
	assert_sound(f);
	assert_int_equal(1, status_of(f).pending_commits);
	v.cseq = 2;
	v.code = SAT_VD_PARKED;
	assert_ok(f->ops.verdicts(f->ops.u, 1, &vs, &err));
	assert_ok(f->ops.verdicts(f->ops.u, 1, &vs, &err)); /* twice */
	assert_int_equal(2, status_of(f).quarantined);
	assert_sound(f);
}

static void
a_record_made_anew_counts_what_waits_from_its_first_life(void **state) /* R1 */
{
	fixture *f = *state;
	sat_id id = new_account(f, "A", "1");
	sat_op birth = op(f->account, SAT_OP_NEW, id, 0, sat_v_null());
	sat_verdict v = { .cseq = 1, .code = SAT_VD_REJECTED,
		.slug = sat_span_str("denied") };
	sat_verdicts vs = { .v = &v, .n = 1 };
	sat_err err;

	set_text(f, id, F_CITY, "x");
	assert_ok(f->ops.verdicts(f->ops.u, 1, &vs, &err));
	assert_gone(f, id);
	reopen(f);
	(void)write_ops(f, id, &birth, 1);
	set_text(f, id, F_REMARK, "again");
	assert_sound(f);
	v.cseq = 2;
	v.code = SAT_VD_PARKED;
	assert_ok(f->ops.verdicts(f->ops.u, 1, &vs, &err));
	assert_text(f, id, F_REMARK, "again");
	assert_sound(f);
}

/* ---- later releases ------------------------------------------------------ */

static void
operations_of_a_later_release_are_kept_with_the_record(void **state) /* P-169 */
{
	fixture *f = *state;
	sat_id id = new_account(f, "A", "1");
	sat_op x = op(f->account, (sat_op_kind)40, id, F_CITY, text("later"));
	sat_later *l;
	sat_view v;

	srv_sync(f);
	srv_foreign(f, id, &x, 1, f->srv.n);
	set_text(f, id, F_REMARK, "own work waits");
	srv_pull(f);
	assert_text(f, id, F_CITY, "Hefei");
	assert_text(f, id, F_REMARK, "own work waits");
	v = view_of(f, id);
	assert_int_equal(1, sat_record_later(&l, &f->a, &v.rec));
	assert_int_equal(40, l[0].op.kind);
	assert_sound(f);
	reopen(f);
	assert_sound(f);
	set_text(f, id, F_CITY, "Hefei 2"); /* edits go on beside it */
	srv_sync(f);
	assert_same_as_server(f);
	v = view_of(f, id);
	assert_int_equal(1, sat_record_later(&l, &f->a, &v.rec));
	assert_sound(f);
}

/* It is in the view, and not in what counts as the server's. */
static void
an_own_operation_of_a_later_release_waits_like_any_other(void **state) /* P-169 */
{
	fixture *f = *state;
	sat_id id = new_account(f, "A", "1");
	sat_op x = op(f->account, (sat_op_kind)40, id, 0, text("later"));
	sat_later *l;
	sat_view v;

	srv_sync(f);
	write_ops(f, id, &x, 1);
	reopen(f);
	v = view_of(f, id);
	assert_int_equal(1, sat_record_later(&l, &f->a, &v.rec));
	assert_same_as_server(f); /* which has not heard of it */
	assert_sound(f);
	srv_sync(f);
	v = view_of(f, id);
	assert_int_equal(1, sat_record_later(&l, &f->a, &v.rec));
	assert_settled(f);
}

/* ---- records several devices make ---------------------------------------- */

/* What the newest commit says was seen of the record of its operation. */
static uint64_t
seen_of(fixture *f, size_t at)
{
	sat_commit *log;
	size_t n;
	sat_err err = { 0 };

	assert_ok(sat_replica_log(&log, &n, &f->a, f->r, 1, &err));
	assert_int_equal(1, n);
	assert_int_equal(f->srv.n, log[0].seen);
	assert_true(at < log[0].nops);
	return sat_op_seen(&log[0], &log[0].ops[at]);
}

static void
of_a_derived_record_nothing_was_seen_before_the_server_shows_it(void **state)
{ /* P-027 */
	fixture *f = *state;
	sat_id a = new_account(f, "A", "1"), id = sat_id_derive("lead", &a, "");
	sat_op birth = op(f->account, SAT_OP_NEW, id, 0, sat_v_null());
	sat_op both[] = {
		op(f->account, SAT_OP_SET, id, F_CITY, text("Wuhu")),
		op(f->account, SAT_OP_SET, a, F_CITY, text("Wuhan")),
		op(f->account, SAT_OP_SET, id, F_CITY, text("Hefei")),
	};

	srv_sync(f);
	(void)write_ops(f, id, &birth, 1);
	assert_int_equal(f->srv.n, seen_of(f, 0));
	(void)set_text(f, id, F_CITY, "Wuhu");
	assert_int_equal(0, seen_of(f, 0));
	(void)write_ops(f, id, both, 3); /* of each record what it was */
	assert_int_equal(0, seen_of(f, 0));
	assert_int_equal(f->srv.n, seen_of(f, 1));
	assert_int_equal(0, seen_of(f, 2));
	srv_sync(f);
	assert_true(f->srv.n > 0);
	(void)write_ops(f, id, both, 3);
	assert_int_equal(f->srv.n, seen_of(f, 0));
	assert_int_equal(f->srv.n, seen_of(f, 1));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		COMPLETE(an_accepted_commit_waits_until_the_cursor_reaches_it),
		COMPLETE(what_the_cursor_has_not_reached_is_known_after_a_restart),
		COMPLETE(a_refused_edit_shows_the_server_s_value_and_stays_in_quarantine),
		COMPLETE(operations_of_a_later_release_are_kept_with_the_record),
		COMPLETE(an_own_operation_of_a_later_release_waits_like_any_other),
		COMPLETE(of_a_derived_record_nothing_was_seen_before_the_server_shows_it),
		COMPLETE(a_refused_newest_commit_still_carries_the_chain),
		COMPLETE(a_record_whose_creation_was_refused_goes_with_its_edits),
		COMPLETE(edits_behind_a_refused_creation_wait_for_their_own_verdict),
		COMPLETE(a_record_made_anew_counts_what_waits_from_its_first_life),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
