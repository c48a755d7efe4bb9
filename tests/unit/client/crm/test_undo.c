/* Own commits taken back: once, as a whole where a part means nothing alone,
 * and nothing of what others did since. */
#include "tests/unit/client/crm/crm_fixture.h"

/* The newest own commit; the n-th before it. */
static sat_commit
own_commit(fixture *f, size_t back)
{
	sat_commit *all;
	sat_err err;
	size_t n;

	assert_ok(sat_replica_log(&all, &n, &f->a, f->r, 0, &err));
	assert_true(back < n);
	return all[back];
}

/* Why its operations stay, in their order, "-" for those that went back;
 * "none" when nothing was written. */
static const char *
undone(fixture *f, const sat_commit *of)
{
	static char said[400];
	sat_crm c = crm_of(f);
	sat_undone *u;
	uint64_t cseq;
	size_t n, at = 0;
	sat_err err = { 0 };

	passes(f, 10);
	assert_ok(sat_crm_undo(&u, &n, &cseq, &f->a, &c, of, &err));
	for (size_t i = 0; i < n; i++)
		at += (size_t)snprintf(said + at, sizeof said - at, "%s%s",
		    at > 0 ? " " : "", u[i].left != NULL ? u[i].left : "-");
	if (cseq == 0)
		(void)snprintf(said + at, sizeof said - at, " none");
	return said;
}

static void
put_away(fixture *f, sat_id account, bool restore)
{
	sat_crm c = crm_of(f);
	sat_err err;

	passes(f, 10);
	assert_ok(sat_crm_delete(&c, f->account, &account, restore, &err));
}

static void
merge(fixture *f, sat_id loser, sat_id winner)
{
	sat_err err;

	assert_ok(try_merge(f, loser, winner, NULL, NULL, &err));
}

/* ---- once ------------------------------------------------------------------- */

static void
a_counter_goes_back_once(void **state)
{
	fixture *f = *state;
	sat_id a = customer(f, "Acme", "13812345678");
	sat_commit c, u;

	change(f, f->account, a, LIST("visit_count=10", "remark=x"));
	c = own_commit(f, 0);
	assert_string_equal("- -", undone(f, &c));
	assert_string_equal("0", value_of(f, f->account, a, "visit_count"));
	assert_string_equal("undone changed none", undone(f, &c));
	srv_sync(f); /* also when the server has both */
	u = own_commit(f, 0);
	c = own_commit(f, 1);
	assert_string_equal("undone changed none", undone(f, &c));
	assert_string_equal("0", value_of(f, f->account, a, "visit_count"));
	/* the undo is a commit as any other, and goes back once itself */
	assert_string_equal("- -", undone(f, &u));
	assert_string_equal("10", value_of(f, f->account, a, "visit_count"));
	assert_string_equal("undone changed none", undone(f, &u));
	assert_string_equal("undone changed none", undone(f, &c));
	assert_string_equal("10", value_of(f, f->account, a, "visit_count"));
	srv_sync(f);
	assert_settled(f);
}

static void
of_two_counters_the_one_that_stayed_may_go_back_later(void **state)
{
	fixture *f = *state;
	sat_id a = customer(f, "Acme", "13812345678");
	sat_id b = customer(f, "Bolt", "13912345678");
	sat_op ops[2];
	sat_commit c;

	ops[0] = op(f->account, SAT_OP_ADD, a, F_VISITS, sat_v_int(3));
	ops[1] = op(f->account, SAT_OP_ADD, b, F_VISITS, sat_v_int(4));
	(void)write_ops(f, a, ops, 2);
	c = own_commit(f, 0);
	put_away(f, b, false);
	assert_string_equal("- deleted", undone(f, &c));
	put_away(f, b, true);
	assert_string_equal("undone -", undone(f, &c));
	assert_string_equal("undone undone none", undone(f, &c));
	assert_int_equal(0, visits_of(f, a));
	assert_int_equal(0, visits_of(f, b));
}

static void
an_element_taken_out_comes_back_once(void **state)
{
	fixture *f = *state;
	sat_id a = customer(f, "Acme", "13812345678");
	sat_commit c;

	change(f, f->account, a, LIST("tags=vip,fair"));
	change(f, f->account, a, LIST("tags=vip"));
	c = own_commit(f, 0);
	assert_string_equal("-", undone(f, &c));
	assert_non_null(strstr(value_of(f, f->account, a, "tags"), "fair"));
	change(f, f->account, a, LIST("tags=vip")); /* out, on purpose */
	assert_string_equal("undone none", undone(f, &c));
	assert_string_equal("vip", value_of(f, f->account, a, "tags"));
}

/* The server takes none of what waits; the only one that was refused. */
static sat_quarantined
turned_down(fixture *f)
{
	sat_quarantined *q;
	size_t n;

	f->srv.refuse = refuse_all;
	while (srv_push(f, false) > 0)
		;
	f->srv.refuse = NULL;
	q = open_ones(&n, f);
	assert_int_equal(1, n);
	return q[0];
}

static void
discarded(fixture *f, sat_quarantined q)
{
	sat_crm c = crm_of(f);
	sat_err err;

	assert_ok(sat_crm_drop_refused(&c, q.id, "not needed", &err));
}

static void
an_undo_that_was_refused_and_discarded_never_was(void **state)
{
	fixture *f = *state;
	sat_id a = customer(f, "Acme", "13812345678");
	sat_commit c;

	change(f, f->account, a, LIST("visit_count=10", "tags=vip,fair"));
	change(f, f->account, a, LIST("visit_count=13", "tags=vip"));
	srv_sync(f);
	c = own_commit(f, 0);
	assert_string_equal("- -", undone(f, &c));
	assert_int_equal(10, visits_of(f, a));
	discarded(f, turned_down(f));
	assert_int_equal(13, visits_of(f, a));
	assert_string_equal("- -", undone(f, &c));
	assert_int_equal(10, visits_of(f, a));
	assert_string_equal("fair, vip", value_of(f, f->account, a, "tags"));
	srv_sync(f);
	assert_string_equal("undone undone none", undone(f, &c));
	assert_settled(f);
}

/* Until it is discarded it may go back by another try. */
static void
an_undo_that_is_sent_again_goes_back_once(void **state)
{
	fixture *f = *state;
	sat_crm x = crm_of(f);
	sat_id a = customer(f, "Acme", "13812345678");
	sat_quarantined q;
	sat_retried r;
	sat_commit c;
	int64_t need;
	sat_err err;

	change(f, f->account, a, LIST("visit_count=10"));
	srv_sync(f);
	c = own_commit(f, 0);
	assert_string_equal("-", undone(f, &c));
	for (int i = 0; i < 2; i++) { /* the first is itself one */
		q = turned_down(f);
		assert_string_equal("undone none", undone(f, &c));
		passes(f, 10);
		assert_ok(sat_crm_retry(&r, &need, &x, q.id, NULL, 0, &err));
		assert_int_equal(0, visits_of(f, a));
		assert_string_equal("undone none", undone(f, &c));
	}
	discarded(f, turned_down(f));
	assert_string_equal("-", undone(f, &c));
	srv_sync(f);
	assert_int_equal(0, visits_of(f, a));
	assert_settled(f);
}

/* Those of an earlier undo stay. */
static void
a_discarded_undo_takes_only_its_own_with_it(void **state)
{
	fixture *f = *state;
	sat_id a = customer(f, "Acme", "13812345678"), b;
	sat_op ops[2];
	sat_commit c;

	b = customer(f, "Bolt", "13912345678");
	ops[0] = op(f->account, SAT_OP_ADD, a, F_VISITS, sat_v_int(3));
	ops[1] = op(f->account, SAT_OP_ADD, b, F_VISITS, sat_v_int(4));
	(void)write_ops(f, a, ops, 2);
	c = own_commit(f, 0);
	put_away(f, b, false);
	assert_string_equal("- deleted", undone(f, &c));
	put_away(f, b, true);
	srv_sync(f);
	c = own_commit(f, 3);
	assert_string_equal("undone -", undone(f, &c));
	discarded(f, turned_down(f));
	assert_string_equal("undone -", undone(f, &c));
	assert_int_equal(0, visits_of(f, a));
	assert_int_equal(0, visits_of(f, b));
}

/* ---- as a whole ------------------------------------------------------------- */

/* Won leads nowhere back: what came with it stays with it. */
static void
what_a_stage_brought_stays_with_it(void **state)
{
	fixture *f = *state;
	sat_crm c = crm_of(f);
	sat_id a = customer(f, "Acme", "13812345678");
	sat_id o = deal_of(f, a, "100");
	char won[40], path[200];
	sat_commit of;
	sat_err err;

	f->now_ms += 1000;
	assert_ok(sat_crm_stage(&c, f->opportunity, &o, "won", NULL, &err));
	(void)snprintf(won, sizeof won, "%s", value_of(f, f->opportunity, o,
	    "won_at"));
	(void)snprintf(path, sizeof path, "%s", value_of(f, f->opportunity, o,
	    "path"));
	of = own_commit(f, 0);
	assert_non_null(strstr(undone(f, &of), "none"));
	assert_string_equal("won", value_of(f, f->opportunity, o, "stage"));
	assert_string_equal(won, value_of(f, f->opportunity, o, "won_at"));
	assert_string_equal(path, value_of(f, f->opportunity, o, "path"));
	/* what was typed beside it goes back */
	o = deal_of(f, a, "200");
	change(f, f->opportunity, o, LIST("stage=won", "name=big deal"));
	of = own_commit(f, 0);
	assert_null(strstr(undone(f, &of), "none"));
	assert_string_equal("deal", value_of(f, f->opportunity, o, "name"));
	assert_string_not_equal("", value_of(f, f->opportunity, o, "won_at"));
	/* a way that is open takes everything back */
	change(f, f->opportunity, deal_of(f, a, "300"), LIST("stage=need_confirmed"));
	of = own_commit(f, 0);
	assert_string_equal("- - -", undone(f, &of));
	assert_string_equal("", value_of(f, f->opportunity, of.ops[0].rec,
	    "path"));
}

/* The manager's grade has its own end, but the reason that is there. */
static void
a_grade_that_stays_keeps_its_reason(void **state)
{
	fixture *f = *state;
	sat_id a = customer(f, "Acme", "13812345678");
	sat_commit of;
	sat_op ops[2];

	change(f, f->account, a, LIST("grade=key", "grade_reason=grows"));
	of = own_commit(f, 0);
	assert_string_equal("- - -", undone(f, &of));
	assert_string_equal("", value_of(f, f->account, a, "grade_reason"));
	change(f, f->account, a, LIST("grade=key", "grade_reason=grows"));
	srv_sync(f);
	of = own_commit(f, 0);
	ops[0] = op(f->account, SAT_OP_SET, a, field_of(f->account,
	    "grade")->id, text("normal"));
	ops[1] = op(f->account, SAT_OP_SET, a, field_of(f->account,
	    "grade_until")->id, sat_v_int(f->now_ms + 1000));
	(void)srv_foreign(f, a, ops, 2, f->srv.n);
	srv_sync(f);
	assert_string_equal("changed changed changed none", undone(f, &of));
	assert_string_equal("grows", value_of(f, f->account, a,
	    "grade_reason"));
}

/* Somebody else says so too. */
static void
a_customer_who_stays_lost_keeps_the_day(void **state)
{
	fixture *f = *state;
	sat_id a = customer(f, "Acme", "13812345678");
	sat_commit of;
	sat_op o;

	change(f, f->account, a, LIST("status=lost", "lost_reason=price"));
	srv_sync(f);
	of = own_commit(f, 0);
	o = op(f->account, SAT_OP_SET, a, field_of(f->account, "status")->id,
	    text("lost"));
	(void)srv_foreign(f, a, &o, 1, f->srv.n);
	srv_sync(f);
	assert_string_equal("changed changed changed none", undone(f, &of));
	assert_string_not_equal("", value_of(f, f->account, a, "churned_at"));
	assert_string_equal("price", value_of(f, f->account, a,
	    "lost_reason"));
}

static void
a_merge_is_taken_apart_and_not_undone_by_half(void **state)
{
	fixture *f = *state;
	sat_crm c = crm_of(f);
	sat_id a = customer(f, "Acme", "13812345678"), b = acme_two(f);
	sat_commit of;
	int64_t kept;
	sat_err err;

	srv_sync(f);
	merge(f, b, a);
	srv_sync(f);
	of = own_commit(f, 0);
	assert_non_null(strstr(undone(f, &of), "kind none"));
	assert_string_equal("Shanghai", value_of(f, f->account, a, "city"));
	assert_string_equal("2", value_of(f, f->account, a, "visit_count"));
	/* nor is what took it apart */
	f->now_ms += 10;
	assert_ok(sat_crm_unmerge(&kept, &c, f->account, &b, &err));
	srv_sync(f);
	of = own_commit(f, 0);
	assert_non_null(strstr(undone(f, &of), "kind none"));
	assert_string_equal("0", value_of(f, f->account, a, "visit_count"));
	assert_string_equal("", value_of(f, f->account, a, "city"));
}

/* ---- what others did since ---------------------------------------------------- */

static void
what_others_deleted_or_restored_stays(void **state)
{
	fixture *f = *state;
	sat_id a = customer(f, "Acme", "13812345678");
	sat_commit made_it, of;
	sat_op o;

	srv_sync(f);
	made_it = own_commit(f, 0);
	put_away(f, a, false);
	of = own_commit(f, 0);
	assert_string_equal("-", undone(f, &of));
	assert_false(view_of(f, a).rec.deleted);
	srv_sync(f);
	of = own_commit(f, 1);
	/* somebody else deletes it, on purpose */
	o = op(f->account, SAT_OP_DEL, a, 0, sat_v_null());
	(void)srv_foreign(f, a, &o, 1, f->srv.n);
	srv_sync(f);
	assert_true(view_of(f, a).rec.deleted);
	assert_string_equal("changed none", undone(f, &of));
	/* and restores it: it is not for us to delete by an old undo */
	o = op(f->account, SAT_OP_UNDEL, a, 0, sat_v_null());
	(void)srv_foreign(f, a, &o, 1, f->srv.n);
	srv_sync(f);
	assert_string_equal("changed none", undone(f, &made_it));
	assert_false(view_of(f, a).rec.deleted);
}

static void
what_others_point_to_is_not_taken_away(void **state)
{
	fixture *f = *state;
	sat_id a = customer(f, "Acme", "13812345678"), b, o;
	sat_commit of;

	o = deal_of(f, a, "100");
	of = own_commit(f, 0);
	(void)child(f, "contract", a, LIST(ref("opportunity", o),
	    "number=K-1", "amount=100"));
	assert_string_equal("records none", undone(f, &of));
	assert_false(view_of(f, o).rec.deleted);
	/* who was merged into it is found only there */
	b = customer(f, "Bolt", "13912345678");
	of = own_commit(f, 0);
	merge(f, a, b);
	assert_string_equal("records none", undone(f, &of));
}

/* Of an import, too: test_import_undo.c. */
static void
what_a_rule_or_a_check_notes_holds_nothing(void **state)
{
	fixture *f = *state;
	sat_id a = customer(f, "Acme", "13812345678");
	sat_commit of = own_commit(f, 0);

	(void)child(f, "task", a, LIST("title=follow up", "rule=follow_due",
	    "period=2026-11"));
	(void)child(f, "sample", a, LIST("correct=true"));
	assert_string_equal("-", undone(f, &of));
	assert_true(view_of(f, a).rec.deleted);
	a = customer(f, "Bolt", "13912345678");
	of = own_commit(f, 0);
	(void)child(f, "task", a, LIST("title=send the offer"));
	assert_string_equal("records none", undone(f, &of));
}

static void
what_leads_to_another_is_left(void **state)
{
	fixture *f = *state;
	sat_id a = customer(f, "Acme", "13812345678");
	sat_id b = customer(f, "Bolt", "13912345678");
	sat_commit of;

	change(f, f->account, a, LIST("remark=x", "visit_count=2"));
	of = own_commit(f, 0);
	merge(f, a, b);
	assert_string_equal("merged merged none", undone(f, &of));
	assert_string_equal("x", value_of(f, f->account, b, "remark"));
	assert_string_equal("2", value_of(f, f->account, b, "visit_count"));
}

static void
nothing_goes_back_to_who_has_left(void **state)
{
	fixture *f = *state;
	sat_crm c = crm_of(f);
	sat_id a = customer(f, "Acme", "13812345678");
	sat_op o;
	sat_commit of;
	sat_err err;

	o = op(f->account, SAT_OP_REASSIGN, a, F_OWNER, text("gone"));
	(void)write_ops(f, a, &o, 1);
	f->now_ms += 10;
	assert_ok(sat_crm_assign(&c, f->account, &a, "u1", &err));
	of = own_commit(f, 0);
	assert_string_equal("rule none", undone(f, &of));
	assert_string_equal("u1", value_of(f, f->account, a, "owner"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		HQ(a_counter_goes_back_once),
		HQ(of_two_counters_the_one_that_stayed_may_go_back_later),
		HQ(an_element_taken_out_comes_back_once),
		HQ(an_undo_that_was_refused_and_discarded_never_was),
		HQ(an_undo_that_is_sent_again_goes_back_once),
		HQ(a_discarded_undo_takes_only_its_own_with_it),
		HQ(what_a_stage_brought_stays_with_it),
		HQ(a_grade_that_stays_keeps_its_reason),
		HQ(a_customer_who_stays_lost_keeps_the_day),
		HQ(a_merge_is_taken_apart_and_not_undone_by_half),
		HQ(what_others_deleted_or_restored_stays),
		HQ(what_others_point_to_is_not_taken_away),
		HQ(what_a_rule_or_a_check_notes_holds_nothing),
		HQ(what_leads_to_another_is_left),
		HQ(nothing_goes_back_to_who_has_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
