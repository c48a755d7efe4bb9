/*
 * Records that several devices make out of the same facts (P-280 to P-283).
 */
#include "tests/lib/unit.h"

#include "protocol/derived.h"
#include "tests/unit/client/sync/company.h"

enum { T_ACCOUNT = 1, T_TITLE = 2, T_DUE = 3, T_ASSIGNEE = 4, T_STATE = 5,
	T_TEXT = 6 };

static company *c;
static size_t laptop, kiosk, boss, other;
static sat_id acc;

static int
setup(void **state)
{
	*state = c = company_new(47);
	company_staff(c, "li rep east, wang manager east, zhao rep west");
	laptop = company_device(c, "li");
	kiosk = company_device(c, "li");
	boss = company_device(c, "wang");
	other = company_device(c, "zhao");
	company_sync(c, laptop);
	acc = company_account(c, laptop, "Firm", "li");
	company_sync_all(c);
	return 0;
}

/* What a rule writes, on device i; `due` stands for what may differ. */
static void
task(size_t i, sat_id id, sat_id account, int64_t due, const char *assignee)
{
	const sat_kind *k = kind_of(c, i, "task");
	sat_op ops[] = {
		c_op(k, SAT_OP_NEW, id, 0, sat_v_null()),
		c_op(k, SAT_OP_SET, id, T_ACCOUNT, sat_v_id(&account)),
		c_op(k, SAT_OP_SET, id, T_TITLE, c_text("call")),
		c_op(k, SAT_OP_SET, id, T_DUE, sat_v_int(due)),
		c_op(k, SAT_OP_SET, id, T_ASSIGNEE, c_text(assignee)),
		c_op(k, SAT_OP_SET, id, T_STATE, c_text("open")),
	};

	company_write(c, i, account, ops, sizeof ops / sizeof ops[0]);
}

static void
finish(size_t i, sat_id id)
{
	sat_op o = c_op(kind_of(c, i, "task"), SAT_OP_STAGE, id, T_STATE,
	    c_text("done"));

	company_write(c, i, acc, &o, 1);
}

static void
everybody_agrees(void)
{
	for (int round = 0; round < 2; round++)
		for (size_t i = 0; i < c->n; i++)
			company_sync(c, i);
	for (size_t i = 0; i < c->n; i++)
		assert_same(c, i);
}

static void
assert_refused(size_t i, const char *slug)
{
	sat_quarantined *q;
	sat_err err = { 0 };
	size_t n;

	assert_ok(sat_replica_quarantine(&q, &n, &c->a, c->r[i], &err));
	assert_int_equal(1, n);
	assert_string_equal(slug, q[0].slug);
}

static void
the_id_is_the_same_everywhere_and_tells_what_it_is(void **state)
{
	sat_id zero = { { 0 } };
	sat_id a = sat_id_derive("sla_due", &acc, "2026-11-22");
	sat_id b = sat_id_derive("sla_due", &acc, "2026-11-23");
	sat_id x = sat_id_derive("sla_duea", &zero, "");
	char hex[SAT_ID_TEXT];

	(void)state;
	assert_true(sat_id_is_derived(&a));
	assert_false(sat_id_is_derived(&acc));
	assert_false(sat_id_eq(&a, &b));
	b = sat_id_derive("sla_due", &acc, "2026-11-22");
	assert_true(sat_id_eq(&a, &b));
	/* on the wire for ever */
	sat_id_text(hex, &x);
	assert_string_equal("4m8mb06wgazzzyrd3rjdrt5qby", hex);
}

static void
two_devices_that_make_it_offline_have_one(void **state) /* P-281 */
{
	sat_id id = sat_id_derive("sla_due", &acc, "1");
	sat_replica_status s;
	sat_err err = { 0 };

	(void)state;
	task(laptop, id, acc, 1000, "li");
	finish(laptop, id);
	task(kiosk, id, acc, 2000, "li");
	task(boss, id, acc, 3000, "li");
	everybody_agrees();
	for (size_t i = 0; i < 3; i++) {
		company_shows(c, i, id, T_STATE, "done");
		company_shows(c, i, id, T_ASSIGNEE, "li");
		assert_ok(sat_replica_status_get(&s, c->r[i], &err));
		assert_int_equal(0, s.quarantined);
		assert_int_equal(0, s.pending_commits);
		assert_int_equal(0, s.conflicts);
	}
}

/* One commit about both: what it takes off the customer was seen, though nothing
 * was of a task that another device made too. */
static void
an_edit_beside_it_knows_what_its_author_saw(void **state) /* P-027, P-281 */
{
	sat_id id = sat_id_derive("sla_due", &acc, "1");
	const sat_kind *account = kind_of(c, laptop, "account"),
	    *tk = kind_of(c, laptop, "task");
	sat_op tag = c_op(account, SAT_OP_SADD, acc, A_TAGS, c_text("vip"));
	sat_op shut = c_op(tk, SAT_OP_DEL, id, 0, sat_v_null());
	sat_op both[] = {
		c_op(account, SAT_OP_SREM, acc, A_TAGS, c_text("vip")),
		c_op(tk, SAT_OP_SET, id, T_TEXT, c_text("mind the dog")),
	};
	sat_err err = { 0 };
	sat_element *el;
	sat_view v;

	(void)state;
	company_write(c, boss, acc, &tag, 1);
	company_sync(c, boss);
	company_sync(c, laptop);
	task(laptop, id, acc, 1000, "li");
	company_write(c, laptop, acc, both, 2);
	task(boss, id, acc, 1000, "li");
	company_write(c, boss, acc, &shut, 1);
	company_sync(c, boss);
	for (int round = 0; round < 2; round++) {
		assert_ok(sat_replica_get(&v, &c->a, c->r[laptop],
		    account, &acc, &err));
		assert_int_equal(0, sat_cell_elements(&el, &c->a,
		    sat_record_cell(&v.rec, A_TAGS)));
		everybody_agrees();
	}
	/* the boss's deletion was not: a person decides */
	assert_ok(sat_replica_get(&v, &c->a, c->r[boss], tk, &id, &err));
	assert_true(v.rec.with_edits);
	company_shows(c, boss, id, T_TEXT, "mind the dog");
}

static void
a_later_birth_takes_nothing_over(void **state) /* P-281, P-282 */
{
	sat_id id = sat_id_derive("sla_due", &acc, "1");

	(void)state;
	task(laptop, id, acc, 1000, "li");
	task(boss, id, acc, 1000, "wang");
	everybody_agrees();
	company_shows(c, boss, id, T_ASSIGNEE, "li");
}

static void
work_on_it_before_the_first_sync_goes_on(void **state)
{
	sat_id id = sat_id_derive("sla_due", &acc, "1");
	sat_op o = c_op(kind_of(c, boss, "task"), SAT_OP_SET, id, T_TEXT,
	    c_text("mind the dog"));

	(void)state;
	task(laptop, id, acc, 1000, "li");
	task(boss, id, acc, 1000, "li");
	company_write(c, boss, acc, &o, 1);
	finish(boss, id);
	everybody_agrees();
	company_shows(c, laptop, id, T_TEXT, "mind the dog");
	company_shows(c, kiosk, id, T_STATE, "done");
}

static void
another_kind_of_id_is_made_once(void **state) /* P-280 */
{
	sat_id id = sat_replica_new_id(c->r[laptop]);

	(void)state;
	task(laptop, id, acc, 1000, "li");
	task(kiosk, id, acc, 1000, "li");
	company_sync(c, laptop);
	company_sync(c, kiosk);
	assert_refused(kiosk, "record.exists");
	everybody_agrees();
}

static void
who_may_not_see_it_cannot_be_born_into_it(void **state) /* P-282 */
{
	sat_id id = sat_id_derive("sla_due", &acc, "1"), mine;

	(void)state;
	mine = company_account(c, other, "Shop", "zhao");
	task(laptop, id, acc, 1000, "li");
	company_sync(c, laptop);
	task(other, id, mine, 5000, "zhao");
	company_sync(c, other);
	assert_refused(other, "denied");
	everybody_agrees();
	company_shows(c, laptop, id, T_ASSIGNEE, "li");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    the_id_is_the_same_everywhere_and_tells_what_it_is, setup,
		    company_end),
		cmocka_unit_test_setup_teardown(
		    two_devices_that_make_it_offline_have_one, setup, company_end),
		cmocka_unit_test_setup_teardown(
		    an_edit_beside_it_knows_what_its_author_saw, setup, company_end),
		cmocka_unit_test_setup_teardown(
		    a_later_birth_takes_nothing_over, setup, company_end),
		cmocka_unit_test_setup_teardown(
		    work_on_it_before_the_first_sync_goes_on, setup, company_end),
		cmocka_unit_test_setup_teardown(
		    another_kind_of_id_is_made_once, setup, company_end),
		cmocka_unit_test_setup_teardown(
		    who_may_not_see_it_cannot_be_born_into_it, setup, company_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
