/* Stages of a deal: won, lost, reopened. */
#include "tests/lib/unit.h"

#include "tests/unit/client/crm/crm_fixture.h"

static void
winning_dates_the_deal_and_credits_its_owner(void **state)
{
	fixture *f = *state;
	sat_crm c = crm_of(f);
	sat_id o = deal_of(f, customer(f, "Acme", "13812345678"), "12万");
	sat_err err;

	assert_string_equal("120000.00", value_of(f, f->opportunity, o,
	    "amount"));
	assert_ok(sat_crm_stage(&c, f->opportunity, &o, "成交", NULL, &err));
	assert_string_equal("won", value_of(f, f->opportunity, o, "stage"));
	assert_string_not_equal("", value_of(f, f->opportunity, o, "won_at"));
	assert_string_equal("u1", value_of(f, f->opportunity, o,
	    "credit_owner"));
	assert_ok(sat_crm_assign(&c, f->opportunity, &o, "Bob Two", &err));
	assert_string_equal("u2", value_of(f, f->opportunity, o, "owner"));
	assert_string_equal("u1", value_of(f, f->opportunity, o,
	    "credit_owner"));
	/* credit that was given by hand stays */
	o = made(f, f->opportunity, LIST("name=old deal", "account=acme",
	    "owner=u1", "credit_owner=u2", "stage=won"));
	assert_string_equal("u2", value_of(f, f->opportunity, o,
	    "credit_owner"));
	assert_sound(f);
}

static void
losing_needs_a_reason_and_reopening_forgets_it(void **state)
{
	fixture *f = *state;
	sat_crm c = crm_of(f);
	sat_id o = deal_of(f, customer(f, "Acme", "13812345678"), "50000");
	sat_err err;

	assert_rc(SAT_EINVALID, sat_crm_stage(&c, f->opportunity, &o, "lost",
	    NULL, &err));
	assert_true(finds(&err, "lost_reason", "required"));
	assert_rc(SAT_EINVALID, sat_crm_stage(&c, f->opportunity, &o, "lost",
	    "weather", &err));
	assert_true(finds(&err, "lost_reason", "option"));
	assert_ok(sat_crm_stage(&c, f->opportunity, &o, "lost", "price", &err));
	assert_string_not_equal("", value_of(f, f->opportunity, o, "lost_at"));
	assert_ok(sat_crm_stage(&c, f->opportunity, &o, "first_contact", NULL,
	    &err));
	assert_string_equal("", value_of(f, f->opportunity, o, "lost_at"));
	assert_string_equal("", value_of(f, f->opportunity, o, "lost_reason"));
}

static void
a_closed_way_names_the_open_ones(void **state)
{
	fixture *f = *state;
	sat_crm c = crm_of(f);
	sat_id o = deal_of(f, customer(f, "Acme", "13812345678"), "50000");
	sat_err err;

	assert_ok(sat_crm_stage(&c, f->opportunity, &o, "negotiation", NULL,
	    &err));
	assert_rc(SAT_EINVALID, sat_crm_stage(&c, f->opportunity, &o,
	    "first_contact", NULL, &err));
	assert_string_equal("validation.stage", err.code);
	assert_non_null(strstr(err.hint, "proposal, won, lost"));
	/* to where it is: nothing */
	assert_ok(sat_crm_stage(&c, f->opportunity, &o, "negotiation", NULL,
	    &err));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		HQ(winning_dates_the_deal_and_credits_its_owner),
		HQ(losing_needs_a_reason_and_reopening_forgets_it),
		HQ(a_closed_way_names_the_open_ones),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
