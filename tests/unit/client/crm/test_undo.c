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

	f->now_ms += 10;
	f->boot_ms += 10;
	assert_ok(sat_crm_undo(&u, &n, &cseq, &f->a, &c, of, &err));
	for (size_t i = 0; i < n; i++)
		at += (size_t)snprintf(said + at, sizeof said - at, "%s%s",
		    at > 0 ? " " : "", u[i].left != NULL ? u[i].left : "-");
	if (cseq == 0)
		(void)snprintf(said + at, sizeof said - at, " none");
	return said;
}

static void
edited(fixture *f, const sat_kind *k, sat_id id, const char *const *list)
{
	size_t changed;
	sat_err err;

	assert_ok(try_edit(&changed, f, k, id, list, &err));
	assert_true(changed > 0);
}

/* ---- once ------------------------------------------------------------------- */

static void
a_counter_goes_back_once(void **state)
{
	fixture *f = *state;
	sat_id a = customer(f, "Acme", "13812345678");
	sat_commit c, u;

	edited(f, f->account, a, LIST("visit_count=10", "remark=x"));
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
	sat_id a = customer(f, "Acme", "13812345678"), b;
	sat_op ops[2];
	sat_commit c;
	sat_crm x = crm_of(f);
	sat_err err;

	b = customer(f, "Bolt", "13912345678");
	ops[0] = op(f->account, SAT_OP_ADD, a, F_VISITS, sat_v_int(3));
	ops[1] = op(f->account, SAT_OP_ADD, b, F_VISITS, sat_v_int(4));
	(void)write_ops(f, a, ops, 2);
	c = own_commit(f, 0);
	f->now_ms += 10;
	assert_ok(sat_crm_delete(&x, f->account, &b, false, &err));
	assert_string_equal("- deleted", undone(f, &c));
	f->now_ms += 10;
	assert_ok(sat_crm_delete(&x, f->account, &b, true, &err));
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

	edited(f, f->account, a, LIST("tags=vip,fair"));
	edited(f, f->account, a, LIST("tags=vip"));
	c = own_commit(f, 0);
	assert_string_equal("-", undone(f, &c));
	assert_non_null(strstr(value_of(f, f->account, a, "tags"), "fair"));
	edited(f, f->account, a, LIST("tags=vip")); /* out, on purpose */
	assert_string_equal("undone none", undone(f, &c));
	assert_string_equal("vip", value_of(f, f->account, a, "tags"));
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
	edited(f, f->opportunity, o, LIST("stage=won", "name=big deal"));
	of = own_commit(f, 0);
	assert_null(strstr(undone(f, &of), "none"));
	assert_string_equal("deal", value_of(f, f->opportunity, o, "name"));
	assert_string_not_equal("", value_of(f, f->opportunity, o, "won_at"));
	/* a way that is open takes everything back */
	edited(f, f->opportunity, deal_of(f, a, "300"), LIST("stage=need_confirmed"));
	of = own_commit(f, 0);
	assert_string_equal("- - -", undone(f, &of));
	assert_string_equal("", value_of(f, f->opportunity, of.ops[0].rec,
	    "path"));
}

static sat_id
second(fixture *f, const char *const *list)
{
	sat_crm c = crm_of(f);
	sat_write_opts why = { .duplicate_reason = "test" };
	sat_duplicate dup[SAT_DUPLICATES_MAX];
	sat_err err;
	sat_id id;
	pairs p;
	size_t n;

	f->now_ms += 10;
	f->boot_ms += 10;
	read_pairs(&p, list);
	assert_ok(sat_crm_create(&id, &c, f->account, p.in, p.n, &why, dup, &n,
	    &err));
	return id;
}

static void
a_merge_is_taken_apart_and_not_undone_by_half(void **state)
{
	fixture *f = *state;
	sat_crm c = crm_of(f);
	sat_id a = customer(f, "Acme", "13812345678"), b;
	sat_commit of;
	int64_t kept;
	sat_err err;

	b = second(f, LIST("name=Acme Two", "phone_main=13900000001",
	    "industry=C35", "contact_name=Wang", "need_type=product",
	    "tags=vip", "visit_count=2", "city=Shanghai"));
	srv_sync(f);
	f->now_ms += 10;
	assert_ok(sat_crm_merge(&c, f->account, &b, &a, NULL, 0, &err));
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
	sat_crm c = crm_of(f);
	sat_id a = customer(f, "Acme", "13812345678");
	sat_commit made_it, of;
	sat_op o;
	sat_err err;

	srv_sync(f);
	made_it = own_commit(f, 0);
	f->now_ms += 10;
	assert_ok(sat_crm_delete(&c, f->account, &a, false, &err));
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
	const sat_kind *contract = sat_template_kind(sat_replica_template(f->r),
	    "contract");
	sat_crm c = crm_of(f);
	sat_id a = customer(f, "Acme", "13812345678"), b, o;
	char id[SAT_ID_TEXT], acc[60], deal[60];
	sat_commit of;
	sat_err err;

	o = deal_of(f, a, "100");
	of = own_commit(f, 0);
	sat_id_text(id, &a);
	(void)snprintf(acc, sizeof acc, "account=%s", id);
	sat_id_text(id, &o);
	(void)snprintf(deal, sizeof deal, "opportunity=%s", id);
	(void)made(f, contract, LIST(acc, deal, "number=K-1",
	    "amount=100"));
	assert_string_equal("records none", undone(f, &of));
	assert_false(view_of(f, o).rec.deleted);
	/* who was merged into it is found only there */
	b = customer(f, "Bolt", "13912345678");
	of = own_commit(f, 0);
	f->now_ms += 10;
	assert_ok(sat_crm_merge(&c, f->account, &a, &b, NULL, 0, &err));
	assert_string_equal("records none", undone(f, &of));
}

static void
what_leads_to_another_is_left(void **state)
{
	fixture *f = *state;
	sat_crm c = crm_of(f);
	sat_id a = customer(f, "Acme", "13812345678");
	sat_id b = customer(f, "Bolt", "13912345678");
	sat_commit of;
	sat_err err;

	edited(f, f->account, a, LIST("remark=x", "visit_count=2"));
	of = own_commit(f, 0);
	f->now_ms += 10;
	assert_ok(sat_crm_merge(&c, f->account, &a, &b, NULL, 0, &err));
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
		HQ(what_a_stage_brought_stays_with_it),
		HQ(a_merge_is_taken_apart_and_not_undone_by_half),
		HQ(what_others_deleted_or_restored_stays),
		HQ(what_others_point_to_is_not_taken_away),
		HQ(what_leads_to_another_is_left),
		HQ(nothing_goes_back_to_who_has_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
