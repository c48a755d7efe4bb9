/*
 * Customers that are one, device and server together: who may hold what
 * afterwards (P-171 to P-173), told by the sums of the same session.
 */
#include "tests/lib/unit.h"

#include "tests/unit/client/sync/company.h"

enum { O_ACCOUNT = 1, O_NAME = 2, O_STAGE = 4, O_OWNER = 5 };
enum { LI, CHEN, HQ }; /* devices */

static int
setup(void **state)
{
	company *c = company_new(23);

	company_staff(c, "li rep east, wang rep east, zhao rep west, "
	    "chen manager east, hq hq, hq2 hq");
	(void)company_device(c, "li");
	(void)company_device(c, "chen");
	(void)company_device(c, "hq");
	company_sync_all(c);
	*state = c;
	return 0;
}

static int
teardown(void **state)
{
	company_free(*state);
	return 0;
}

static sat_id
opportunity(company *c, size_t i, sat_id below, const char *owner)
{
	const sat_kind *k = kind_of(c, i, "opportunity");
	sat_id id = sat_replica_new_id(c->r[i]);
	sat_op ops[] = {
		c_op(k, SAT_OP_NEW, id, 0, sat_v_null()),
		c_op(k, SAT_OP_SET, id, O_ACCOUNT, sat_v_id(&below)),
		c_op(k, SAT_OP_SET, id, O_NAME, c_text("Pump station")),
		c_op(k, SAT_OP_SET, id, O_OWNER, c_text(owner)),
		c_op(k, SAT_OP_STAGE, id, O_STAGE, c_text("first_contact")),
	};

	company_write(c, i, below, ops, sizeof ops / sizeof ops[0]);
	return id;
}

static void
merge(company *c, size_t i, sat_id loser, sat_id winner)
{
	sat_op o = c_op(kind_of(c, i, "account"), SAT_OP_MERGE, loser,
	    SAT_SYS_REDIRECT, sat_v_id(&winner));

	company_write(c, i, winner, &o, 1);
}

static void
take_apart(company *c, size_t i, sat_id loser)
{
	sat_op o = c_op(kind_of(c, i, "account"), SAT_OP_UNMERGE, loser,
	    SAT_SYS_REDIRECT, sat_v_null());

	company_write(c, i, loser, &o, 1);
}

static bool
holds(company *c, size_t i, sat_id id)
{
	sat_view v;
	sat_err err = { 0 };
	sat_rc rc = sat_replica_get(&v, &c->a, c->r[i], NULL, &id, &err);

	if (rc != SAT_ENOTFOUND)
		assert_ok(rc);
	return rc == SAT_OK;
}

static uint32_t
ord_of(company *c, const char *user)
{
	return sat_registry_user(sat_server_registry(c->server),
	    sat_span_str(user))->ord;
}

/* It holds what it may, found by the page itself and not by the sums. */
static void
assert_right(company *c, size_t i)
{
	assert_int_equal(0, c->stats.refetched);
	assert_int_equal(0, company_status(c, i).diverged.count);
	assert_same(c, i);
	company_sound(c, i);
}

/* The winner comes with the page that takes away what hung on the loser. */
static void
a_deal_of_another_leaves_with_the_merge_that_brings_the_winner(void **state)
{
	company *c = *state;
	sat_id loser, deal, winner;

	loser = company_account(c, LI, "Harbour", "li");
	deal = opportunity(c, LI, loser, "wang");
	company_sync(c, LI);
	winner = company_account(c, HQ, "Harbour Ltd", "zhao");
	company_sync(c, HQ);
	assert_false(holds(c, LI, winner));
	merge(c, HQ, loser, winner);
	company_sync(c, HQ);

	company_sync(c, LI);
	assert_true(holds(c, LI, winner));
	assert_true(holds(c, LI, loser));
	assert_false(holds(c, LI, deal)); /* neither his nor his customer's */
	assert_right(c, LI);
}

/* What its own waiting work shows says nothing about what leaves. */
static void
who_takes_apart_what_is_not_his_gives_it_away(void **state)
{
	company *c = *state;
	sat_id loser, winner;

	winner = company_account(c, CHEN, "Quarry", "li");
	company_sync(c, CHEN);
	loser = company_account(c, HQ, "Quarry Co", "zhao");
	company_sync(c, HQ);
	merge(c, HQ, loser, winner);
	company_sync(c, HQ);
	company_sync(c, CHEN);
	assert_true(holds(c, CHEN, loser));
	take_apart(c, CHEN, loser);

	company_sync(c, CHEN);
	assert_true(holds(c, CHEN, winner));
	assert_false(holds(c, CHEN, loser));
	assert_right(c, CHEN);
}

/* Merged there, led elsewhere by what waits here: both are listed. */
static void
a_merge_that_waits_hides_no_merge_of_the_server(void **state)
{
	company *c = *state;
	sat_id loser, winner, other, at;
	sat_err err = { 0 };

	winner = company_account(c, CHEN, "Ferry", "li");
	other = company_account(c, CHEN, "Ferries", "li");
	company_sync(c, CHEN);
	loser = company_account(c, HQ, "Ferry Co", "zhao");
	company_sync(c, HQ);
	merge(c, HQ, loser, winner);
	company_sync(c, HQ);
	company_sync(c, CHEN);
	take_apart(c, CHEN, loser);
	merge(c, CHEN, loser, other);
	assert_ok(sat_replica_canon(&at, c->r[CHEN], &loser, &err));
	assert_true(sat_id_eq(&other, &at));
	company_sound(c, CHEN);
	company_reopen(c, CHEN);
	company_sound(c, CHEN);

	company_sync(c, CHEN);
	assert_right(c, CHEN);
}

/* An own merge that the server has not heard of makes nobody the same person. */
static void
an_erasure_spares_what_only_a_waiting_merge_leads_there(void **state)
{
	company *c = *state;
	sat_id erased, merged, spared;
	sat_err err = { 0 };

	erased = company_account(c, CHEN, "Wu", "li");
	merged = company_account(c, CHEN, "Wu again", "li");
	spared = company_account(c, CHEN, "Another Wu", "li");
	company_sync(c, CHEN);
	merge(c, CHEN, merged, erased);
	company_sync(c, CHEN);
	merge(c, CHEN, spared, erased);
	assert_ok(sat_server_erase(c->server, &erased, ord_of(c, "hq"),
	    ord_of(c, "hq2"), sat_span_str("request 7"), &err));

	company_sync(c, CHEN);
	assert_false(holds(c, CHEN, erased));
	assert_false(holds(c, CHEN, merged));
	assert_true(holds(c, CHEN, spared));
	assert_right(c, CHEN);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(a_deal_of_another_leaves_with_the_merge_that_brings_the_winner),
		T(who_takes_apart_what_is_not_his_gives_it_away),
		T(a_merge_that_waits_hides_no_merge_of_the_server),
		T(an_erasure_spares_what_only_a_waiting_merge_leads_there),
	};
#undef T

	return cmocka_run_group_tests(tests, NULL, NULL);
}
