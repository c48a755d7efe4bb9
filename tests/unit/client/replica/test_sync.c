/*
 * The replica as the session sees it: pushes, verdicts, pages, snapshots,
 * changes of scope - against the fixture's small server, and at random.
 */
#include "protocol/derived.h"
#include "tests/unit/client/replica/fixture.h"

#include "common/db/db.h"
#include "common/json/json.h"

static sat_replica_status
status_of(fixture *f)
{
	sat_replica_status st;
	sat_err err;

	assert_ok(sat_replica_status_get(&st, f->r, &err));
	return st;
}

static int64_t
visits_of(fixture *f, sat_id id)
{
	sat_view v = view_of(f, id);

	return sat_record_value(&v.rec, F_VISITS).i;
}

/* The replica starts empty and complete, as after the first session. */
static int
setup_complete(void **state)
{
	int rc = setup(state);

	srv_snapshot(*state, 100);
	return rc;
}

/* ---- hello, welcome ------------------------------------------------------------- */

static void
hello_says_where_the_device_is(void **state)
{
	fixture *f = *state;
	sat_hello h;
	sat_err err;

	new_account(f, "A", "1");
	srv_sync(f);
	assert_ok(f->ops.hello(f->ops.u, &h, &err));
	assert_int_equal(DEV, h.device);
	assert_int_equal(1, h.incarnation);
	assert_int_equal(1, h.cursor);
	assert_int_equal(1, h.registry_rev);
	assert_memory_equal(sat_replica_template_oid(f->r), h.template_oid,
	    sizeof h.template_oid);
}

static void
the_server_s_clock_is_learnt(void **state)
{
	fixture *f = *state;
	sat_welcome w = { .proto = 1 };
	sat_id id = new_account(f, "A", "1");
	sat_commit *log;
	size_t n;
	sat_err err;

	w.wall_ms = f->now_ms + 3600000 + 10;
	f->now_ms += 20;
	assert_ok(f->ops.welcome(f->ops.u, &w, f->now_ms - 20, &err));
	reopen(f); /* the offset is kept */
	set_text(f, id, F_CITY, "x");
	assert_ok(sat_replica_log(&log, &n, &f->a, f->r, 1, &err));
	assert_int_equal(f->now_ms + 3600000, sat_hlc_ms(log[0].hlc));
}

static bool
told_of_the_clock(fixture *f)
{
	sat_replica_status st;
	sat_err err;

	assert_ok(sat_replica_status_get(&st, f->r, &err));
	return st.clock_suspect;
}

static void
a_wrong_clock_is_told_to_who_only_looks(void **state) /* P-012 */
{
	fixture *f = *state;
	sat_welcome w = { .proto = 1 };
	int64_t now = f->now_ms;
	sat_err err;

	new_account(f, "A", "1");
	assert_false(told_of_the_clock(f));
	f->now_ms = now - 3600000;
	reopen(f);
	assert_true(told_of_the_clock(f));
	f->now_ms = now;
	assert_false(told_of_the_clock(f));
	/* far from the server's; the next sample ends it */
	w.wall_ms = now - 301000;
	assert_ok(f->ops.welcome(f->ops.u, &w, now, &err));
	reopen(f);
	assert_true(told_of_the_clock(f));
	w.wall_ms = now + 299000;
	assert_ok(f->ops.welcome(f->ops.u, &w, now, &err));
	assert_false(told_of_the_clock(f));
}

static void
what_a_backup_of_the_server_holds_leaves_the_outbox(void **state)
{
	fixture *f = *state;
	sat_welcome w = { .proto = 1, .durable = 2, .wall_ms = 1, .head = 3 };
	sat_id id = new_account(f, "A", "1");
	sat_commit *log;
	uint64_t commits;
	size_t n;
	sat_err err;

	set_text(f, id, F_CITY, "x");
	set_text(f, id, F_CITY, "y");
	srv_sync(f);
	set_text(f, id, F_CITY, "z");
	assert_ok(f->ops.welcome(f->ops.u, &w, 0, &err));
	assert_ok(sat_replica_log(&log, &n, &f->a, f->r, 0, &err));
	assert_int_equal(2, n); /* the waiting one, and lsn 3 */
	w.durable = 3;
	assert_ok(f->ops.welcome(f->ops.u, &w, 0, &err));
	assert_ok(sat_replica_log(&log, &n, &f->a, f->r, 0, &err));
	assert_int_equal(1, n);
	srv_sync(f);
	w.durable = w.head = 4;
	assert_ok(f->ops.welcome(f->ops.u, &w, 0, &err));
	assert_ok(sat_replica_log(&log, &n, &f->a, f->r, 0, &err));
	assert_int_equal(1, n); /* the newest carries the chain */
	reopen(f);
	assert_int_equal(5, set_text(f, id, F_CITY, "q"));
	srv_sync(f);
	assert_ok(sat_replica_verify_chain(f->r, &commits, &err));
	assert_sound(f);
	assert_same_as_server(f);
}

/* ---- push ----------------------------------------------------------------------- */

static void
a_batch_is_one_run_of_the_chain_signed_at_its_head(void **state)
{
	fixture *f = *state;
	sat_id id = new_account(f, "A", "1");
	sat_push p, again;
	sat_commit *c;
	uint8_t head[SAT_HASH_BYTES], zero[SAT_HASH_BYTES] = { 0 };
	sat_buf b = { 0 };
	size_t n;
	sat_err err;

	set_text(f, id, F_CITY, "x");
	assert_ok(f->ops.outbox(f->ops.u, &f->a, &p, &c, &n, 0, &err));
	assert_int_equal(2, n);
	assert_int_equal(1, p.first_cseq);
	assert_memory_equal(zero, p.prev, sizeof zero);
	sat_commit_write_header(&b, &c[1]);
	sat_hash(head, sat_buf_span(&b));
	sat_buf_reset(&b);
	sat_batch_sign_bytes(&b, &c[0].org, DEV, 1, 1, 2, head);
	assert_true(sat_sign_ok(p.sig, sat_buf_span(&b),
	    sat_replica_identity_get(f->r)->sign_pk));
	sat_buf_fini(&b);
	/* asked again: the same bytes */
	assert_ok(f->ops.outbox(f->ops.u, &f->a, &again, &c, &n, 0, &err));
	assert_memory_equal(p.sig, again.sig, sizeof p.sig);
	assert_ok(f->ops.outbox(f->ops.u, &f->a, &again, &c, &n, 2, &err));
	assert_int_equal(1, n);
	assert_int_equal(2, again.first_cseq);
}

static void
a_batch_s_signature_is_kept_and_checked(void **state)
{
	fixture *f = *state;
	uint64_t n;
	sat_err err;

	new_account(f, "A", "1");
	new_account(f, "B", "2");
	srv_sync(f);
	assert_ok(sat_replica_verify_chain(f->r, &n, &err));
	assert_int_equal(2, n);
	assert_ok(sat_db_exec(sat_replica_db(f->r), "UPDATE batch_sig SET "
	    "sig = zeroblob(64)", &err));
	assert_rc(SAT_EINTEGRITY, sat_replica_verify_chain(f->r, &n, &err));
	assert_string_equal("replica.chain", err.code);
}

static void
a_lost_answer_costs_nothing(void **state)
{
	fixture *f = *state;
	sat_id id = new_account(f, "A", "1");

	assert_int_equal(1, srv_push(f, true));
	set_text(f, id, F_CITY, "x");
	assert_int_equal(2, srv_push(f, false));
	assert_int_equal(0, srv_push(f, false));
	assert_int_equal(2, f->srv.n);
	srv_pull(f);
	assert_false(view_of(f, id).pending);
	assert_same_as_server(f);
	assert_sound(f);
}

static void
known_records_are_named_by_the_server_s_number(void **state)
{
	fixture *f = *state;
	sat_id id = new_account(f, "A", "1");
	sat_push p;
	sat_commit *c;
	size_t n;
	sat_err err;

	srv_sync(f);
	assert_int_equal(1, view_of(f, id).rec.eid);
	set_text(f, id, F_CITY, "x");
	assert_ok(f->ops.outbox(f->ops.u, &f->a, &p, &c, &n, 0, &err));
	assert_int_equal(1, c[0].ops[0].eid);
	assert_int_equal(1, c[0].subject_eid);
	reopen(f);
	srv_sync(f);
	assert_same_as_server(f);
}

static void
a_server_that_lost_commits_gets_them_again(void **state)
{
	fixture *f = *state;
	sat_id id = new_account(f, "A", "1");
	sat_push p;
	sat_commit *c;
	size_t n;
	sat_err err;

	set_text(f, id, F_CITY, "x");
	set_text(f, id, F_CITY, "y");
	srv_sync(f);
	assert_ok(f->ops.outbox(f->ops.u, &f->a, &p, &c, &n, 0, &err));
	assert_int_equal(0, n);
	assert_ok(f->ops.outbox(f->ops.u, &f->a, &p, &c, &n, 2, &err));
	assert_int_equal(2, n);
	assert_int_equal(2, p.first_cseq);
	assert_int_equal(0, c[0].ops[0].eid); /* its numbers may be lost too */
	assert_ok(f->ops.outbox(f->ops.u, &f->a, &p, &c, &n, 4, &err));
	assert_int_equal(0, n);
}

/* ---- verdicts ---------------------------------------------------------------------- */

static bool
refuse_all(const sat_commit *c)
{
	(void)c;
	return true;
}

static bool
refuse_bad(const sat_commit *c)
{
	for (size_t i = 0; i < c->nops; i++)
		if (sat_value_eq(c->ops[i].value, text("bad")))
			return true;
	return false;
}

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
	assert_same_as_server(f);
	assert_sound(f);
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
	assert_same_as_server(f);
	assert_sound(f);
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
	assert_same_as_server(f);
	assert_sound(f);
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

/* ---- later releases --------------------------------------------------------------- */

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
	assert_same_as_server(f);
	assert_sound(f);
}

/* ---- records several devices make --------------------------------------------------- */

static uint64_t
newest_seen(fixture *f)
{
	sat_commit *log;
	size_t n;
	sat_err err = { 0 };

	assert_ok(sat_replica_log(&log, &n, &f->a, f->r, 1, &err));
	assert_int_equal(1, n);
	return log[0].seen;
}

static void
of_a_derived_record_nothing_was_seen_before_the_server_shows_it(void **state)
{ /* P-027 */
	fixture *f = *state;
	sat_id a = new_account(f, "A", "1"), id = sat_id_derive("lead", &a, "");
	sat_op birth = op(f->account, SAT_OP_NEW, id, 0, sat_v_null());

	srv_sync(f);
	(void)write_ops(f, id, &birth, 1);
	assert_true(newest_seen(f) > 0); /* of the log, at the birth */
	(void)set_text(f, id, F_CITY, "Wuhu");
	assert_int_equal(0, newest_seen(f));
	srv_sync(f);
	(void)set_text(f, id, F_CITY, "Bozhou");
	assert_true(newest_seen(f) > 0);
}

/* ---- pull ---------------------------------------------------------------------------- */

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
	assert_same_as_server(f);
	assert_sound(f);
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
	assert_sound(f);
	assert_same_as_server(f);
	srv_sync(f);
	assert_text(f, id, F_CITY, "mine");
	assert_text(f, id, F_REMARK, "theirs");
	assert_same_as_server(f);
	assert_sound(f);
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
	assert_same_as_server(f);
	assert_sound(f);
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
	assert_same_as_server(f);
	assert_sound(f);
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
	assert_same_as_server(f);
	assert_sound(f);
}

static void
a_missing_own_commit_is_asked_for_in_full(void **state)
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
	assert_int_equal(1,
	    visits_of(f, id));
	srv_sync(f);
	assert_int_equal(1, view_of(f, id).rec.eid);
	assert_same_as_server(f);
	assert_sound(f);
}

/* ---- snapshot ------------------------------------------------------------------------- */

static void
fill_server(fixture *f, size_t n, sat_id *ids)
{
	for (size_t i = 0; i < n; i++) {
		char name[32];
		sat_id id = sat_replica_new_id(f->r);
		/* the name first: its length goes into the operation */
		int n_name = snprintf(name, sizeof name, "Firm %zu", i);
		sat_op ops[] = {
			op(f->account, SAT_OP_NEW, id, 0, sat_v_null()),
			op(f->account, SAT_OP_MVSET, id, F_NAME, text(name)),
			op(f->account, SAT_OP_SET, id, F_CITY, text("Hefei")),
		};

		assert_true(n_name > 0);
		srv_foreign(f, id, ops, 3, f->srv.n);
		ids[i] = id;
	}
}

static void
a_snapshot_fills_the_replica_and_the_tail_follows(void **state)
{
	fixture *f = *state;
	sat_id ids[50], found;
	uint64_t cursor;
	bool wanted;
	uint64_t after;
	sat_err err;

	fill_server(f, 50, ids);
	assert_false(status_of(f).complete);
	srv_snapshot(f, 7);
	assert_true(status_of(f).complete);
	assert_ok(f->ops.cursor(f->ops.u, &cursor, &err));
	assert_int_equal(50, cursor);
	assert_same_as_server(f);
	assert_ok(sat_replica_resolve(&found, f->r, NULL, "firm 31", &err));
	assert_true(sat_id_eq(&ids[31], &found));
	srv_foreign_text(f, ids[3], F_CITY, "Wuhu", f->srv.n);
	srv_pull(f);
	assert_text(f, ids[3], F_CITY, "Wuhu");
	assert_same_as_server(f);
	reopen(f);
	assert_ok(f->ops.snap_state(f->ops.u, &wanted, &after, &err));
	assert_false(wanted);
	assert_sound(f);
}

/* One chunk by hand; the log may grow between two. */
static void
one_chunk(fixture *f, size_t from, size_t n, bool done)
{
	sat_chunk c = { .lsn = f->srv.n, .max_eff = f->srv.eff, .done = done,
		.next = (uint32_t)(from + n) };
	sat_buf b = { 0 };
	sat_err err;

	assert_ok(sat_records_write(&b, f->srv.recs + from, n, &err));
	c.records = sat_buf_span(&b);
	sat_hash(c.hash, c.records);
	assert_ok(f->ops.chunk(f->ops.u, &c, &err));
	sat_buf_fini(&b);
}

static void
an_interrupted_snapshot_goes_on_and_meets_a_moving_log(void **state)
{
	fixture *f = *state;
	sat_id ids[20], mine;
	sat_op visit;
	uint64_t cursor;
	uint64_t after;
	bool wanted;
	sat_err err;

	fill_server(f, 20, ids);
	one_chunk(f, 0, 10, false);
	visit = op(f->account, SAT_OP_ADD, ids[2], F_VISITS, sat_v_int(1));
	srv_foreign(f, ids[2], &visit, 1, 20); /* after its chunk */
	visit.rec = ids[15];
	srv_foreign(f, ids[15], &visit, 1, 20); /* before its chunk */
	mine = new_account(f, "mine", "1"); /* work does not wait */
	set_text(f, ids[4], F_CITY, "edited");
	reopen(f);
	assert_ok(f->ops.snap_state(f->ops.u, &wanted, &after, &err));
	assert_true(wanted);
	assert_int_equal(10, after);
	one_chunk(f, 10, 10, true);
	assert_ok(f->ops.cursor(f->ops.u, &cursor, &err));
	assert_int_equal(20, cursor);
	assert_sound(f);
	srv_sync(f);
	assert_int_equal(1,
	    visits_of(f, ids[2]));
	assert_int_equal(1,
	    visits_of(f, ids[15]));
	assert_text(f, mine, F_NAME, "mine");
	assert_text(f, ids[4], F_CITY, "edited");
	assert_same_as_server(f);
	assert_sound(f);
}

/* The matrix of the base template in which a representative does not see names. */
static void
hide_names(fixture *f)
{
	sat_template_file files[256];
	const sat_template_file *base;
	size_t n;
	sat_json *j = NULL;
	sat_buf out = { 0 };
	sat_err err;

	base = sat_template_base(&n);
	assert_true(n <= 256);
	memcpy(files, base, n * sizeof *base);
	for (size_t i = 0; i < n; i++) {
		if (strcmp(files[i].path, "acl/matrix.json") != 0)
			continue;
		assert_ok(sat_json_parse(&j, files[i].bytes, 1 << 20, &err));
		sat_buf_str(&out, "{\"roles\":");
		sat_json_write(&out, sat_json_get(j, "roles"), false);
		sat_buf_str(&out, ",\"masks\":{\"rep\":[\"account.name\"]},"
		    "\"grants\":");
		sat_json_write(&out, sat_json_get(j, "grants"), false);
		sat_buf_str(&out, "}");
		files[i].bytes = sat_buf_span(&out);
	}
	assert_true(out.n > 0);
	assert_ok(give_template(f, files, n, f->tmpl_sk, f->tmpl_pk, &err));
	sat_json_free(j);
	sat_buf_fini(&out);
}

static void
show_names(fixture *f)
{
	const sat_template_file *base;
	size_t n;
	sat_err err;

	base = sat_template_base(&n);
	assert_ok(give_template(f, base, n, f->tmpl_sk, f->tmpl_pk, &err));
}

/* What came with the first chunks is as the old mask showed it. */
static void
a_first_filling_that_broke_off_begins_anew_with_another_mask(void **state)
{ /* P-244 */
	fixture *f = *state;
	sat_id ids[20];
	uint64_t after;
	bool wanted;
	sat_err err;

	hide_names(f); /* nothing is here yet */
	fill_server(f, 20, ids);
	one_chunk(f, 0, 10, false);
	give_registry(f, 2); /* nothing of it concerns this user */
	assert_ok(f->ops.snap_state(f->ops.u, &wanted, &after, &err));
	assert_int_equal(10, after);
	show_names(f);
	assert_ok(f->ops.snap_state(f->ops.u, &wanted, &after, &err));
	assert_true(wanted);
	assert_int_equal(0, after);
	reopen(f);
	assert_ok(f->ops.snap_state(f->ops.u, &wanted, &after, &err));
	assert_int_equal(0, after);
	one_chunk(f, 0, 20, true);
	srv_sync(f);
	assert_same_as_server(f);
	assert_sound(f);
}

static void
what_the_author_saw_in_a_chunk_is_seen(void **state) /* P-027 */
{
	fixture *f = *state;
	sat_commit *own;
	sat_arena a = { 0 };
	sat_id ids[4];
	size_t n;
	sat_err err;

	fill_server(f, 4, ids);
	one_chunk(f, 0, 2, false); /* the cursor is still 0 */
	set_text(f, ids[1], F_CITY, "edited");
	assert_ok(sat_replica_log(&own, &n, &a, f->r, 1, &err));
	assert_int_equal(1, n);
	assert_true(own[0].seen >= 2); /* the row's own last LSN */
	sat_arena_fini(&a);
}

static void
a_damaged_chunk_changes_nothing(void **state)
{
	fixture *f = *state;
	sat_id ids[3];
	sat_chunk c = { .lsn = 3, .next = 3, .done = true };
	sat_buf b = { 0 };
	sat_err err;

	fill_server(f, 3, ids);
	assert_ok(sat_records_write(&b, f->srv.recs, 3, &err));
	c.records = sat_buf_span(&b);
	assert_rc(SAT_EPROTO, f->ops.chunk(f->ops.u, &c, &err));
	assert_gone(f, ids[0]);
	assert_false(status_of(f).complete);
	sat_buf_fini(&b);
}

static void
own_work_inside_a_snapshot_is_settled_by_it(void **state)
{
	fixture *f = *state;
	sat_id id = new_account(f, "A", "1");

	set_text(f, id, F_CITY, "x");
	while (srv_push(f, false) > 0) /* first session: push, then snapshot */
		;
	assert_true(view_of(f, id).pending);
	srv_snapshot(f, 100);
	assert_false(view_of(f, id).pending);
	assert_int_equal(0, status_of(f).pending_commits);
	assert_same_as_server(f);
	assert_sound(f);
}

/* Made here and given to somebody else before the first snapshot. */
static void
what_was_made_here_and_is_not_in_the_snapshot_goes(void **state)
{
	fixture *f = *state;
	sat_id id = new_account(f, "A", "1"), kept = new_account(f, "B", "2");
	sat_chunk c = { .done = true };
	sat_buf b = { 0 };
	sat_err err;

	set_text(f, id, F_CITY, "x");
	while (srv_push(f, false) > 0)
		;
	c.lsn = f->srv.n;
	/* unsent work keeps the row until its answer */
	set_text(f, id, F_CITY, "not sent");
	assert_ok(sat_records_write(&b, srv_find(&f->srv, &kept), 1, &err));
	c.records = sat_buf_span(&b);
	c.next = 2;
	sat_hash(c.hash, c.records);
	assert_ok(f->ops.chunk(f->ops.u, &c, &err));
	sat_buf_fini(&b);
	assert_text(f, id, F_CITY, "not sent");
	assert_text(f, kept, F_NAME, "B");
	assert_int_equal(1, status_of(f).pending_commits);
	reopen(f);
	assert_sound(f);
	srv_sync(f);
	assert_gone(f, id);
	assert_int_equal(0, status_of(f).pending_commits);
	assert_sound(f);
}

/* ---- changes of scope ---------------------------------------------------------------------- */

static sat_id
new_contact(fixture *f, sat_id root, const char *name)
{
	sat_id id = sat_replica_new_id(f->r);
	sat_op ops[] = {
		op(f->contact, SAT_OP_NEW, id, 0, sat_v_null()),
		op(f->contact, SAT_OP_SET, id, 1, sat_v_id(&root)),
		op(f->contact, SAT_OP_MVSET, id, 2, text(name)),
	};

	write_ops(f, root, ops, 3);
	return id;
}

static void
leave(fixture *f, sat_id root)
{
	sat_rescope rs = { .lsn = f->srv.n, .root = root,
		.to = sat_span_str("Wang") };
	sat_err err;

	assert_ok(srv_page(f, f->srv.n, false, &rs, 1, NULL, 0, &err));
}

static void
a_customer_that_left_is_gone_with_its_children_and_a_stub_stays(void **state)
{
	fixture *f = *state;
	sat_id a = new_account(f, "A", "1"), b = new_account(f, "B", "2");
	sat_id ca = new_contact(f, a, "x"), cb = new_contact(f, b, "y");
	sat_moved *m;
	sat_rescope rs = { .root = a };
	sat_id held[2] = { ca, a };
	sat_record recs[2];
	int64_t left;
	size_t n;
	sat_stmt *s;
	bool row;
	sat_err err;

	srv_sync(f);
	srv_foreign_text(f, a, F_CITY, "away", f->srv.n);
	leave(f, a);
	assert_gone(f, a);
	assert_gone(f, ca);
	assert_text(f, b, F_NAME, "B");
	assert_text(f, cb, 2, "y");
	assert_ok(sat_replica_moved(&m, &n, &f->a, f->r, &err));
	assert_int_equal(1, n);
	assert_string_equal("A", m[0].title);
	assert_string_equal("Wang", m[0].to);
	assert_sound(f);
	/* no byte of it in the tables that hang on rows */
	assert_ok(sat_db_stmt_text(&s, sat_replica_db(f->r), "SELECT "
	    "(SELECT count(*) FROM history WHERE rid NOT IN (SELECT _rid FROM "
	    "k_account UNION SELECT _rid FROM k_contact)) + (SELECT count(*) "
	    "FROM match WHERE rid NOT IN (SELECT _rid FROM k_account UNION "
	    "SELECT _rid FROM k_contact))", &err));
	assert_ok(sat_step(&row, s, &err));
	left = sat_col_int(s, 0);
	sat_stmt_reset(s);
	assert_int_equal(0, left);
	/* and it comes back */
	rs.lsn = f->srv.n;
	rs.held = held;
	rs.nheld = 2;
	recs[0] = *srv_find(&f->srv, &a);
	recs[1] = *srv_find(&f->srv, &ca);
	assert_ok(srv_page(f, f->srv.n, false, &rs, 1, recs, 2, &err));
	assert_text(f, a, F_CITY, "away");
	assert_int_equal(0, status_of(f).moved);
	assert_same_as_server(f);
	assert_sound(f);
}

static void
unsent_work_on_a_customer_that_left_waits_for_its_answer(void **state)
{
	fixture *f = *state;
	sat_id a = new_account(f, "A", "1"), c;
	sat_op edit;
	uint64_t cseq;
	sat_err err;

	srv_sync(f);
	set_text(f, a, F_CITY, "late");
	c = new_contact(f, a, "late too");
	leave(f, a);
	assert_text(f, a, F_CITY, "late"); /* still shown */
	assert_text(f, c, 2, "late too");
	assert_true(view_of(f, a).leaving);
	edit = op(f->account, SAT_OP_SET, a, F_CITY, text("no more"));
	assert_rc(SAT_EDENIED, try_write(f, a, &edit, 1, &cseq, &err));
	assert_int_equal(1, status_of(f).moved);
	reopen(f);
	assert_sound(f);
	srv_sync(f);
	assert_gone(f, a);
	assert_gone(f, c);
	assert_int_equal(0, status_of(f).pending_commits);
	assert_sound(f);
}

static void
a_refusal_after_leaving_takes_the_row_and_keeps_the_work(void **state)
{
	fixture *f = *state;
	sat_id a = new_account(f, "A", "1");

	srv_sync(f);
	set_text(f, a, F_CITY, "late");
	leave(f, a);
	f->srv.refuse = refuse_all;
	srv_push(f, false);
	assert_gone(f, a);
	assert_int_equal(1, status_of(f).quarantined);
	assert_sound(f);
}

static void
a_rescope_that_keeps_the_root_drops_only_what_is_not_held(void **state)
{
	fixture *f = *state;
	sat_id a = new_account(f, "A", "1");
	sat_id c1 = new_contact(f, a, "x"), c2 = new_contact(f, a, "y"), c3;
	sat_id held[2] = { a, c1 };
	sat_rescope rs = { .root = a, .held = held, .nheld = 2 };
	sat_record recs[2];
	sat_err err;

	srv_sync(f);
	set_text(f, a, F_CITY, "mine"); /* waits on top of the new state */
	c3 = new_contact(f, a, "unsent");
	srv_foreign_text(f, a, F_REMARK, "theirs", f->srv.n);
	rs.lsn = f->srv.n;
	recs[0] = *srv_find(&f->srv, &a);
	recs[1] = *srv_find(&f->srv, &c1);
	assert_ok(srv_page(f, f->srv.n, false, &rs, 1, recs, 2, &err));
	assert_text(f, a, F_CITY, "mine");
	assert_text(f, a, F_REMARK, "theirs");
	assert_text(f, c1, 2, "x");
	assert_gone(f, c2);
	assert_text(f, c3, 2, "unsent"); /* the server has not heard of it */
	assert_sound(f);
	srv_sync(f);
	assert_text(f, a, F_CITY, "mine");
	assert_text(f, c3, 2, "unsent");
	assert_sound(f);
}

/* Two devices made the same record (derived ids). This one let go of it, and is
 * shown the other making of it before the whole state comes back, which stands
 * at the same position. */
static void
a_state_is_taken_over_the_second_making_of_its_record(void **state)
{
	fixture *f = *state;
	sat_id a = new_account(f, "A", "1"), c = new_contact(f, a, "x");
	sat_op ops[] = { op(f->contact, SAT_OP_NEW, c, 0, sat_v_null()),
		op(f->contact, SAT_OP_SET, c, 1, sat_v_id(&a)) };
	sat_id held[2] = { a, c };
	sat_rescope rs = { .root = a, .held = held, .nheld = 2 };
	sat_record recs[2];
	sat_err err;

	srv_sync(f);
	leave(f, a);
	assert_gone(f, c);
	(void)srv_foreign(f, a, ops, 2, 0);
	assert_ok(srv_page(f, f->srv.n, false, NULL, 0, NULL, 0, &err));
	srv_foreign_text(f, a, F_CITY, "away", f->srv.n);
	rs.lsn = f->srv.n;
	recs[0] = *srv_find(&f->srv, &a);
	recs[1] = *srv_find(&f->srv, &c);
	assert_ok(srv_page(f, f->srv.n, false, &rs, 1, recs, 2, &err));
	assert_text(f, c, 2, "x");
	assert_same_as_server(f);
	assert_sound(f);
}

/* A customer that comes back in a page that is not the last: its state is the
 * newest, own work included. lose: the answer to that work never arrived;
 * shortened: the server's log begins behind it by now. */
static void
state_ahead(fixture *f, bool lose, bool shortened)
{
	sat_welcome w = { .proto = 1, .wall_ms = 1 };
	sat_id a = new_account(f, "A", "1");
	sat_op visit = op(f->account, SAT_OP_ADD, a, F_VISITS, sat_v_int(1));
	sat_rescope rs = { .root = a, .held = &a, .nheld = 1 };
	sat_err err;

	srv_sync(f);
	srv_foreign_text(f, a, F_REMARK, "theirs", f->srv.n);
	rs.lsn = f->srv.n;
	write_ops(f, a, &visit, 1);
	srv_push(f, lose);
	assert_ok(srv_page(f, rs.lsn, false, &rs, 1, srv_find(&f->srv, &a), 1,
	    &err));
	/* A log that was shortened says nothing of where the scope ends. */
	w.head = f->srv.n;
	if (shortened)
		assert_ok(f->ops.welcome(f->ops.u, &w, 0, &err));
	if (lose)
		srv_push(f, false);
	assert_int_equal(1, visits_of(f, a));
	assert_sound(f);
	write_ops(f, a, &visit, 1);
	assert_int_equal(2, visits_of(f, a));
	srv_sync(f);
	assert_int_equal(2, visits_of(f, a));
	assert_same_as_server(f);
	assert_sound(f);
}

static void
own_work_inside_a_state_ahead_of_the_cursor_counts_once(void **state)
{
	state_ahead(*state, false, false);
	state_ahead(*state, true, false);
	state_ahead(*state, true, true);
}

/* ---- copies and restores ------------------------------------------------------------------------ */

static void
work_restored_from_a_backup_is_not_applied_twice(void **state)
{
	fixture *f = *state;
	char *copy = sat_xasprintf("%s/copy.db", f->dir);
	sat_id id = new_account(f, "A", "1");
	sat_op visit = op(f->account, SAT_OP_ADD, id, F_VISITS, sat_v_int(1));
	sat_err err;

	write_ops(f, id, &visit, 1);
	assert_ok(sat_replica_backup(f->r, copy, &err));
	write_ops(f, id, &visit, 1); /* pushed, and lost here */
	srv_sync(f);
	sat_replica_close(f->r);
	f->r = NULL;
	free(f->path);
	f->path = copy;
	reopen(f);
	write_ops(f, id, &visit, 1);
	srv_sync(f);
	assert_int_equal(3,
	    visits_of(f, id));
	assert_same_as_server(f);
	assert_sound(f);
}

/* A restored backup began a new incarnation while work of the old one waited;
 * then the server knows another commit under the old one's number. */
static void
work_of_a_later_incarnation_stays_behind_what_it_builds_on(void **state)
{
	fixture *f = *state;
	sat_verdicts fork = { .need_cseq = 1, .fork = true };
	sat_id id = new_account(f, "A", "1");
	sat_commit *log, *c;
	uint64_t commits;
	sat_push p;
	size_t n;
	sat_err err;

	assert_ok(sat_replica_new_incarnation(f->r, &err));
	assert_int_equal(1, set_text(f, id, F_CITY, "x"));
	assert_ok(f->ops.outbox(f->ops.u, &f->a, &p, &c, &n, 0, &err));
	assert_int_equal(1, p.incarnation);
	assert_int_equal(1, n);
	assert_ok(f->ops.verdicts(f->ops.u, 1, &fork, &err));
	assert_ok(sat_replica_new_incarnation(f->r, &err));
	assert_ok(sat_replica_log(&log, &n, &f->a, f->r, 0, &err));
	assert_int_equal(2, n); /* newest first */
	assert_int_equal(2, log[0].cseq);
	assert_int_equal(1, log[1].cseq);
	assert_int_equal(log[0].incarnation, log[1].incarnation);
	assert_int_equal(SAT_OP_NEW, log[1].ops[0].kind);
	assert_sound(f);
	reopen(f);
	srv_sync(f);
	assert_text(f, id, F_CITY, "x");
	assert_ok(sat_replica_verify_chain(f->r, &commits, &err));
	assert_same_as_server(f);
	assert_sound(f);
}

/* The same folder twice: both went on under the same numbers. */
static void
work_under_a_number_the_server_knows_goes_on_in_a_new_incarnation(void **state)
{
	fixture *f = *state;
	sat_id id = new_account(f, "A", "1");
	sat_op visit = op(f->account, SAT_OP_ADD, id, F_VISITS, sat_v_int(1));
	sat_op other = op(f->account, SAT_OP_SET, id, F_REMARK, text("copy"));
	sat_commit theirs = { .device = DEV, .incarnation = 1, .cseq = 3,
		.subject = id, .actor = 1, .nops = 1, .ops = &other };
	sat_verdicts fork = { .need_cseq = 3, .fork = true };
	sat_commit *log, *c;
	sat_push p;
	uint64_t commits;
	size_t n;
	sat_err err;

	write_ops(f, id, &visit, 1);
	srv_push(f, true); /* by the original; both have these two */
	theirs.hlc = sat_hlc_of_ms(f->now_ms + 500);
	(void)srv_accept(f, &theirs); /* by the original, after the copy */
	set_text(f, id, F_CITY, "y");
	set_text(f, id, F_REMARK, "z");
	assert_ok(f->ops.outbox(f->ops.u, &f->a, &p, &c, &n, 0, &err));
	assert_int_equal(4, n);
	assert_ok(f->ops.verdicts(f->ops.u, 1, &fork, &err));
	assert_ok(sat_replica_new_incarnation(f->r, &err));
	assert_ok(sat_replica_log(&log, &n, &f->a, f->r, 0, &err));
	assert_int_equal(4, n);
	assert_int_equal(2, log[0].cseq);
	assert_int_equal(log[0].incarnation, log[1].incarnation);
	assert_true(log[0].incarnation > 1);
	assert_int_equal(1, log[2].incarnation);
	assert_sound(f);
	fork.need_cseq = 9; /* never sent */
	assert_rc(SAT_EPROTO, f->ops.verdicts(f->ops.u, 1, &fork, &err));
	reopen(f);
	assert_int_equal(3, set_text(f, id, F_CITY, "q"));
	srv_sync(f);
	assert_text(f, id, F_CITY, "q");
	assert_int_equal(1, visits_of(f, id));
	assert_ok(sat_replica_verify_chain(f->r, &commits, &err));
	assert_same_as_server(f);
	assert_sound(f);
}

static void
another_s_commit_under_our_number_is_not_taken_for_ours(void **state)
{
	fixture *f = *state;
	sat_id id = new_account(f, "A", "1");
	sat_op other = op(f->account, SAT_OP_SET, id, F_REMARK, text("copy"));
	sat_commit theirs = { .device = DEV, .incarnation = 1, .cseq = 2,
		.seen = 1, .subject = id, .actor = 1, .nops = 1,
		.ops = &other };
	sat_err err;

	srv_sync(f);
	theirs.hlc = sat_hlc_of_ms(f->now_ms + 500);
	(void)srv_accept(f, &theirs);
	set_text(f, id, F_CITY, "y"); /* also number 2 */
	assert_rc(SAT_ENOTFOUND,
	    srv_page(f, f->srv.n, false, NULL, 0, NULL, 0, &err));
	assert_ok(srv_page(f, f->srv.n, true, NULL, 0, NULL, 0, &err));
	assert_text(f, id, F_REMARK, "copy");
	assert_text(f, id, F_CITY, "y");
	assert_true(view_of(f, id).pending);
	assert_same_as_server(f);
	assert_sound(f);
}

/* ---- at random -------------------------------------------------------------------------------------- */

#define RANDOM_RECORDS 12

/* Operations on the record as such; their cells have no column (P-130). */
static sat_op
random_system_op(fixture *f, uint64_t x, sat_id id, char *buf, bool theirs)
{
	static const sat_id winner = { { 5 } };
	uint16_t owner = f->account->owner->id;

	switch (x % (theirs ? 6 : 5)) {
	case 0:
		return op(f->account, SAT_OP_CLAIM, id, owner, text("u2"));
	case 1:
		return op(f->account, SAT_OP_RELEASE, id, owner, text(buf));
	case 2:
		return op(f->account, SAT_OP_REASSIGN, id, owner, text(buf));
	case 3:
		return op(f->account, SAT_OP_MERGE, id, SAT_SYS_REDIRECT,
		    sat_v_bytes(sat_span_of(winner.b, sizeof winner.b)));
	case 4:
		return op(f->account, SAT_OP_UNMERGE, id, SAT_SYS_REDIRECT,
		    sat_v_null());
	default:
		return op(f->account, SAT_OP_NUMBER, id,
		    sat_kind_field(f->account, "number")->id, text(buf));
	}
}

static sat_op
random_op(fixture *f, uint64_t *seed, sat_id id, char *buf, bool theirs)
{
	uint64_t x = sat_test_rand(seed);

	(void)snprintf(buf, 32, x % 11 == 0 ? "bad" : "v%llu",
	    (unsigned long long)(x >> 40));
	switch (x >> 8 & 7) {
	case 0:
		return op(f->account, SAT_OP_MVSET, id, F_NAME, text(buf));
	case 1:
		return op(f->account, SAT_OP_SADD, id, F_TAGS, text(buf));
	case 2:
		return op(f->account, SAT_OP_SREM, id, F_TAGS, text("vip"));
	case 3:
		return op(f->account, SAT_OP_ADD, id, F_VISITS, sat_v_int(1));
	case 4:
		return op(f->account, x & 1 ? SAT_OP_DEL : SAT_OP_UNDEL, id, 0,
		    sat_v_null());
	case 5:
		return op(f->account, SAT_OP_STAGE, id, F_STAGE,
		    text(x & 16 ? "needs_confirmed" : "quoted"));
	case 6:
		return random_system_op(f, x >> 12, id, buf, theirs);
	default:
		return op(f->account, SAT_OP_SET, id, F_CITY, text(buf));
	}
}

/* What cannot be taken: a bad value, or a record the server does not have. */
static server *refusing;
static bool
refuse_random(const sat_commit *c)
{
	if (refuse_bad(c))
		return true;
	for (size_t i = 0; i < c->nops; i++)
		if (c->ops[i].kind != SAT_OP_NEW &&
		    (i == 0 || c->ops[0].kind != SAT_OP_NEW) &&
		    srv_find(refusing, &c->ops[i].rec) == NULL)
			return true;
	return false;
}

/* Every commit that was reported as saved is in the server's log or in
 * quarantine, once. */
static void
check_ledger(fixture *f, uint64_t last)
{
	sat_quarantined *q;
	size_t n;
	sat_err err;

	assert_ok(sat_replica_quarantine(&q, &n, &f->a, f->r, &err));
	for (uint64_t cseq = 1; cseq <= last; cseq++) {
		int places = 0;

		for (size_t i = 0; i < n; i++)
			places += q[i].cseq == cseq;
		for (size_t i = 0; i < f->srv.n; i++)
			places += f->srv.log[i].device == DEV &&
			    f->srv.log[i].cseq == cseq;
		assert_int_equal(1, places);
	}
}

/* Somebody merges the record into another one, or takes that apart. */
static void
random_merge(fixture *f, sat_id id, sat_id other)
{
	sat_record *r = srv_find(&f->srv, &id);
	sat_op o = op(f->account, SAT_OP_MERGE, id, SAT_SYS_REDIRECT,
	    sat_v_id(&other));
	sat_id to;

	if (r == NULL || srv_find(&f->srv, &other) == NULL)
		return;
	if (sat_record_redirect(&to, r))
		o = op(f->account, SAT_OP_UNMERGE, id, SAT_SYS_REDIRECT,
		    sat_v_null());
	else if (srv_leads(&f->srv, other, id))
		return; /* the server refuses it */
	srv_foreign(f, id, &o, 1, f->srv.n);
}

static void
random_run(fixture *f, uint64_t seed, int steps)
{
	sat_id ids[RANDOM_RECORDS];
	size_t nids = 0;
	uint64_t cseq = 0, last = 0, upto;
	char buf[32];
	sat_op o;
	sat_err err;

	refusing = &f->srv;
	f->srv.refuse = refuse_random;
	for (int i = 0; i < steps; i++) {
		uint64_t x = sat_test_rand(&seed);
		sat_id id = nids > 0 ? ids[(x >> 16) % nids] : (sat_id){ .b = { 0 } };

		if (nids == 0 || (nids < RANDOM_RECORDS && x % 13 == 0)) {
			ids[nids++] = new_account(f, x & 64 ? "A" : "bad", "1");
			last++;
			continue;
		}
		switch (x % 12) {
		case 0:
			(void)srv_push(f, (x & 256) != 0);
			break;
		case 1:
			upto = f->srv.n;
			assert_ok(f->ops.cursor(f->ops.u, &cseq, &err));
			if (upto > cseq && (x & 256))
				upto = cseq + 1; /* a page cut short */
			if (srv_page(f, upto, (x & 512) != 0, NULL, 0, NULL, 0,
			    &err) == SAT_ENOTFOUND)
				assert_ok(srv_page(f, upto, true, NULL, 0, NULL,
				    0, &err));
			break;
		case 2:
			reopen(f);
			break;
		case 3:
		case 4:
		case 5:
			if (x % 7 == 0) {
				random_merge(f, id, ids[(x >> 24) % nids]);
				break;
			}
			if (srv_find(&f->srv, &id) == NULL)
				break;
			o = random_op(f, &seed, id, buf, true);
			upto = f->srv.n - (x >> 32) % 4;
			srv_foreign(f, id, &o, 1, upto > f->srv.n ? 0 : upto);
			break;
		default:
			o = random_op(f, &seed, id, buf, false);
			if (try_write(f, id, &o, 1, &cseq, &err) == SAT_OK)
				assert_int_equal(++last, cseq);
			break;
		}
		if (x % 17 == 0)
			assert_sound(f);
	}
	srv_sync(f);
	assert_same_as_server(f);
	assert_sound(f);
	assert_int_equal(0, status_of(f).pending_commits);
	assert_int_equal(0, status_of(f).pending_records);
	check_ledger(f, last);
}

/* Written here about a record that was merged meanwhile: it comes back with what
 * the winner gets, and counts once for each. */
static void
own_work_on_a_merged_record_reaches_the_winner_once(void **state)
{
	fixture *f = *state;
	sat_id a = new_account(f, "Acme", "1"), b = new_account(f, "Acme 2", "2");
	sat_view v;
	sat_op o;

	srv_sync(f);
	o = op(f->account, SAT_OP_MERGE, b, SAT_SYS_REDIRECT, sat_v_id(&a));
	(void)srv_foreign(f, a, &o, 1, f->srv.n);
	o = op(f->account, SAT_OP_ADD, b, F_VISITS, sat_v_int(3));
	(void)write_ops(f, b, &o, 1);
	(void)set_text(f, b, F_REMARK, "late");
	assert_int_equal(2, srv_push(f, false));
	assert_int_equal(1, f->srv.log[f->srv.n - 1].nechoes);
	srv_pull(f);
	assert_text(f, a, F_REMARK, "late");
	assert_text(f, b, F_REMARK, "late");
	v = view_of(f, a);
	assert_int_equal(3, sat_record_value(&v.rec, F_VISITS).i);
	assert_sound(f);
	assert_same_as_server(f);
}

/* The answer to the push was lost, and the pull brings it first. */
static void
an_echo_that_comes_before_its_verdict_counts_once(void **state)
{
	fixture *f = *state;
	sat_id a = new_account(f, "Acme", "1"), b = new_account(f, "Acme 2", "2");
	sat_view v;
	sat_op o;

	srv_sync(f);
	o = op(f->account, SAT_OP_MERGE, b, SAT_SYS_REDIRECT, sat_v_id(&a));
	(void)srv_foreign(f, a, &o, 1, f->srv.n);
	o = op(f->account, SAT_OP_ADD, b, F_VISITS, sat_v_int(3));
	(void)write_ops(f, b, &o, 1);
	(void)srv_push(f, true);
	srv_pull(f);
	v = view_of(f, a);
	assert_int_equal(3, sat_record_value(&v.rec, F_VISITS).i);
	srv_sync(f);
	v = view_of(f, a);
	assert_int_equal(3, sat_record_value(&v.rec, F_VISITS).i);
	assert_sound(f);
	assert_same_as_server(f);
}

static void
any_order_of_events_ends_in_the_server_s_state(void **state)
{
	uint64_t seed = sat_test_seed(20240601);

	(void)state;
	for (int run = 0; run < 12; run++) {
		fixture *f;
		void *st;

		setup_complete(&st);
		f = st;
		random_run(f, seed + (uint64_t)run, 250);
		teardown(&st);
	}
}

int
main(void)
{
#define T(t) cmocka_unit_test_setup_teardown(t, setup_complete, teardown)
#define E(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(hello_says_where_the_device_is),
		T(the_server_s_clock_is_learnt),
		T(a_wrong_clock_is_told_to_who_only_looks),
		T(what_a_backup_of_the_server_holds_leaves_the_outbox),
		T(a_batch_is_one_run_of_the_chain_signed_at_its_head),
		T(a_batch_s_signature_is_kept_and_checked),
		T(a_lost_answer_costs_nothing),
		T(known_records_are_named_by_the_server_s_number),
		T(a_server_that_lost_commits_gets_them_again),
		T(an_accepted_commit_waits_until_the_cursor_reaches_it),
		T(what_the_cursor_has_not_reached_is_known_after_a_restart),
		T(a_refused_edit_shows_the_server_s_value_and_stays_in_quarantine),
		T(operations_of_a_later_release_are_kept_with_the_record),
		T(an_own_operation_of_a_later_release_waits_like_any_other),
		T(of_a_derived_record_nothing_was_seen_before_the_server_shows_it),
		T(a_refused_newest_commit_still_carries_the_chain),
		T(a_record_whose_creation_was_refused_goes_with_its_edits),
		T(edits_behind_a_refused_creation_wait_for_their_own_verdict),
		T(a_record_made_anew_counts_what_waits_from_its_first_life),
		T(others_edits_arrive_and_displaced_values_are_history),
		T(a_waiting_edit_stays_on_top_of_what_others_did),
		T(the_clock_goes_past_what_was_pulled),
		T(a_concurrent_review_opens_a_conflict_until_it_is_settled),
		T(deleted_while_edited_is_listed),
		T(a_page_applied_twice_changes_nothing),
		T(a_missing_own_commit_is_asked_for_in_full),
		T(own_commits_in_full_are_settled_all_the_same),
		E(a_snapshot_fills_the_replica_and_the_tail_follows),
		E(an_interrupted_snapshot_goes_on_and_meets_a_moving_log),
		E(a_first_filling_that_broke_off_begins_anew_with_another_mask),
		E(what_the_author_saw_in_a_chunk_is_seen),
		E(a_damaged_chunk_changes_nothing),
		E(what_was_made_here_and_is_not_in_the_snapshot_goes),
		E(own_work_inside_a_snapshot_is_settled_by_it),
		T(own_work_inside_a_state_ahead_of_the_cursor_counts_once),
		T(a_customer_that_left_is_gone_with_its_children_and_a_stub_stays),
		T(unsent_work_on_a_customer_that_left_waits_for_its_answer),
		T(a_refusal_after_leaving_takes_the_row_and_keeps_the_work),
		T(a_rescope_that_keeps_the_root_drops_only_what_is_not_held),
		T(a_state_is_taken_over_the_second_making_of_its_record),
		T(work_restored_from_a_backup_is_not_applied_twice),
		T(work_under_a_number_the_server_knows_goes_on_in_a_new_incarnation),
		T(work_of_a_later_incarnation_stays_behind_what_it_builds_on),
		T(another_s_commit_under_our_number_is_not_taken_for_ours),
		T(own_work_on_a_merged_record_reaches_the_winner_once),
		T(an_echo_that_comes_before_its_verdict_counts_once),
		cmocka_unit_test(any_order_of_events_ends_in_the_server_s_state),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
