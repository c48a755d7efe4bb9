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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		HQ(a_counter_goes_back_once),
		HQ(of_two_counters_the_one_that_stayed_may_go_back_later),
		HQ(an_element_taken_out_comes_back_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
