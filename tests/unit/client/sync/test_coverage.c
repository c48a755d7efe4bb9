/*
 * What a device is told of how far the others have reported (P-220 to P-224).
 */
#include "tests/unit/client/sync/company.h"

enum { ANN, BO, MAX, HQ }; /* ann: team a; bo: team b; max: a's manager */

/* How many of those it knows of have reported at or after `ms`. */
static size_t
reported(company *c, size_t i, sat_grant g, int64_t ms, size_t *active)
{
	sat_reported *at;
	sat_err err = { 0 };
	size_t n = 0;

	assert_ok(sat_replica_coverage(&at, active, &c->a, c->r[i],
	    sat_replica_me(c->r[i]), g, &err));
	for (size_t k = 0; k < *active; k++)
		n += at[k].at_ms >= ms;
	return n;
}

/* Of all, so many. */
static void
is_told(company *c, size_t i, int64_t ms, size_t want)
{
	size_t active;

	assert_int_equal(want, reported(c, i, SAT_GRANT_ALL, ms, &active));
}

/* When reports that come now are new ones. */
static int64_t
company_later(company *c)
{
	company_pass(c, 100000);
	return c->now_ms;
}

/* And the link is gone. */
static void
hello_only(company *c, size_t i)
{
	c->stop_after = 1;
	company_sync(c, i);
	c->stop_after = 0;
}

static void
who_may_report_on_a_device_is_told_how_far_it_is(void **state) /* C2, P-222 */
{
	company *c = company_people(11, "b");
	int64_t t;
	size_t active;

	(void)state;
	t = company_later(c);
	company_sync(c, ANN);
	company_sync(c, BO);
	for (size_t i = ANN; i <= HQ; i++)
		company_sync(c, i);
	assert_int_equal(4, reported(c, HQ, SAT_GRANT_ALL, t, &active));
	assert_int_equal(4, active);
	assert_int_equal(2, reported(c, MAX, SAT_GRANT_TEAM, t, &active));
	assert_int_equal(2, active);
	/* he was never told of bo's, whatever is asked of the file */
	is_told(c, MAX, t, 2);
	is_told(c, ANN, t, 1);
	company_free(c);
}

static void
a_device_with_unsent_work_has_not_reported(void **state) /* C1, P-220 */
{
	company *c = company_people(12, "b");
	int64_t t;

	(void)state;
	t = company_later(c);
	(void)company_account(c, ANN, "Acme", "ann");
	hello_only(c, ANN);
	company_sync(c, HQ);
	is_told(c, HQ, t, 1);
	company_sync(c, ANN);
	company_sync(c, HQ);
	is_told(c, HQ, t, 2);
	company_free(c);
}

/* The verdict was lost: the next hello names what the chain has already. */
static void
a_lost_verdict_does_not_take_the_report_back(void **state) /* P-220 */
{
	company *c = company_people(13, "b");
	int64_t t;

	(void)state;
	t = company_later(c);
	(void)company_account(c, ANN, "Acme", "ann");
	{ /* hello and push, the reply to the push is thrown away */
		sat_client_ops ops = sat_replica_session(c->r[ANN]);
		sat_server_session x = { .device = 0 };
		sat_clock clock = c_clock(c);
		sat_cs *cs = sat_cs_new(&ops, &clock, SAT_CS_PUSH_ONLY);
		sat_buf request = { 0 }, reply = { 0 };
		sat_err err = { 0 };
		bool done;
		sat_rc rc;

		memcpy(x.channel_pk, sat_replica_identity_get(
		    c->r[ANN])->channel_pk, sizeof x.channel_pk);
		assert_true(company_exchange(c, cs, &x, &rc, &err));
		assert_ok(sat_cs_next(cs, &request, &done, &err));
		assert_int_equal(SAT_MSG_PUSH, request.p[0]);
		assert_ok(sat_server_handle(c->server, &x, &reply,
		    sat_buf_span(&request), &err));
		sat_buf_fini(&request);
		sat_buf_fini(&reply);
		sat_cs_free(cs);
	}
	company_sync(c, HQ);
	is_told(c, HQ, t, 2);
	company_free(c);
}

static void
what_is_told_costs_no_question(void **state) /* P-221 */
{
	company *c = company_people(14, "b");
	int64_t t;

	(void)state;
	company_sync(c, HQ);
	t = company_later(c);
	company_sync(c, BO);
	company_sync(c, HQ);
	assert_int_equal(1, c->stats.round_trips);
	is_told(c, HQ, t, 2);
	company_free(c);
}

/* A session that broke off before it had all kept nothing of it. */
static void
what_a_broken_session_was_told_is_told_again(void **state) /* P-223 */
{
	company *c = company_people(18, "b");
	int64_t t;

	(void)state;
	t = company_later(c);
	(void)company_account(c, BO, "Acme", "bo");
	company_sync(c, BO);
	hello_only(c, HQ);
	is_told(c, HQ, t, 1);
	company_sync(c, HQ);
	is_told(c, HQ, t, 2);
	company_free(c);
}

/* What is told is true of what is here: the work that was reported is pulled
 * before the report of it is kept. */
static void
the_work_is_here_before_its_report(void **state) /* P-223 */
{
	company *c = company_people(15, "b");
	sat_client_ops ops = sat_replica_session(c->r[HQ]);
	sat_server_session x = { .device = 0 };
	sat_clock clock = c_clock(c);
	sat_cs *cs = sat_cs_new(&ops, &clock, 0);
	size_t active, n = 0;
	sat_err err = { 0 };
	int64_t t;
	sat_id id;
	sat_rc rc;

	(void)state;
	t = company_later(c);
	id = company_account(c, BO, "Acme", "bo");
	company_sync(c, BO);
	memcpy(x.channel_pk, sat_replica_identity_get(c->r[HQ])->channel_pk,
	    sizeof x.channel_pk);
	assert_true(company_exchange(c, cs, &x, &rc, &err)); /* hello */
	(void)company_account(c, ANN, "Other", "ann");
	company_sync(c, ANN); /* while the session runs: not told of yet */
	while (company_exchange(c, cs, &x, &rc, &err)) {
		assert_ok(rc);
		assert_true(++n < 50);
		if (reported(c, HQ, SAT_GRANT_ALL, t, &active) > 1)
			company_shows(c, HQ, id, A_NAME, "Acme");
	}
	sat_cs_free(cs);
	is_told(c, HQ, t, 2);
	company_shows(c, HQ, id, A_NAME, "Acme");
	company_free(c);
}

static void
a_restarted_server_and_replica_know_it_still(void **state)
{
	company *c = company_people(16, "b");
	int64_t t;

	(void)state;
	t = company_later(c);
	company_sync(c, BO);
	company_sync(c, HQ);
	company_reopen(c, HQ);
	is_told(c, HQ, t, 2);
	company_pass(c, 31000); /* reports wait this long for a transaction */
	company_sync(c, ANN);
	sat_server_free(c->server);
	sat_sqlite_store_close(c->store);
	company_server(c);
	company_sync(c, HQ);
	is_told(c, HQ, t, 3);
	company_free(c);
}

static void
a_new_colleague_is_told_of_from_the_beginning(void **state) /* P-223 */
{
	company *c = company_people(17, "b");
	const bool on = true, off = false;
	sat_err err = { 0 };
	size_t active;

	(void)state;
	company_sync(c, MAX);
	is_told(c, MAX, 1, 2);
	/* disabled: not among the active ones any more */
	assert_ok(sat_sqlite_user_edit(c->store, "ann", NULL, NULL, &on,
	    &err));
	assert_ok(sat_server_reload(c->server, &err));
	company_sync(c, HQ);
	assert_int_equal(3, reported(c, HQ, SAT_GRANT_ALL, 1, &active));
	assert_int_equal(3, active);
	assert_ok(sat_sqlite_user_edit(c->store, "ann", NULL, NULL, &off,
	    &err));
	assert_ok(sat_server_reload(c->server, &err));
	company_sync(c, HQ);
	assert_int_equal(4, reported(c, HQ, SAT_GRANT_ALL, 1, &active));
	assert_int_equal(4, active);
	company_free(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_may_report_on_a_device_is_told_how_far_it_is),
		cmocka_unit_test(a_device_with_unsent_work_has_not_reported),
		cmocka_unit_test(a_lost_verdict_does_not_take_the_report_back),
		cmocka_unit_test(what_is_told_costs_no_question),
		cmocka_unit_test(what_a_broken_session_was_told_is_told_again),
		cmocka_unit_test(the_work_is_here_before_its_report),
		cmocka_unit_test(a_restarted_server_and_replica_know_it_still),
		cmocka_unit_test(a_new_colleague_is_told_of_from_the_beginning),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
