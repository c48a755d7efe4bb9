/*
 * When sums are compared, and when a device leaves off: what a repair rests on
 * (tests/unit/client/sync/test_repair.c: what it brings).
 */
#include "tests/lib/unit.h"

#include "common/base/log.h"
#include "tests/unit/client/sync/company.h"

#define ACCOUNTS 20
#define HOUR_MS (3600 * (int64_t)1000)

static sat_id ids[ACCOUNTS];

static void
quiet(void *u, sat_level level, const char *line)
{
	(void)u;
	(void)level;
	(void)line;
}

static int
setup(void **state)
{
	company *c = company_new(sat_test_seed(51));

	sat_log_sink(quiet, NULL);
	company_staff(c, "li rep east, chen manager east, hq hq, hq2 hq");
	(void)company_device(c, "li");
	(void)company_device(c, "chen");
	(void)company_device(c, "hq");
	(void)company_device(c, "hq2"); /* only gives its word */
	company_firms(c, ids, ACCOUNTS);
	*state = c;
	return 0;
}

static int
teardown(void **state)
{
	sat_log_sink(NULL, NULL);
	company_free(*state);
	return 0;
}

static void
spoil(company *c, size_t i)
{
	sat_err err = { 0 };

	sql(c, i, "UPDATE k_account SET city = 'Nowhere' WHERE _rid = 7");
	company_reopen(c, i);
	assert_rc(SAT_EINTEGRITY, sat_replica_check(c->r[i], false, &err));
}

/* Between the page that told the sum and the question for those of the buckets
 * somebody else's work came in: the answer is of a later position. */
static void
sums_of_another_position_are_not_compared(void **state) /* P-183 */
{
	company *c = *state;
	sat_client_ops ops = sat_replica_session(c->r[2]);
	sat_server_session x = { .device = 0 };
	sat_clock clock = c_clock(c);
	size_t types[64], refetched_at = 0, pulls = 0;
	bool pushed = false;
	sat_cs *cs;
	sat_err err = { 0 };
	sat_rc rc;

	spoil(c, 2);
	ops = sat_replica_session(c->r[2]);
	company_set(c, 0, ids[12], A_CITY, "Wuhu");
	company_set(c, 2, ids[12], A_REMARK, "called"); /* so that it pulls */
	cs = sat_cs_new(&ops, &clock, 0);
	memcpy(x.channel_pk, sat_replica_identity_get(c->r[2])->channel_pk,
	    sizeof x.channel_pk);
	memset(c->types, 0, sizeof c->types);
	while (company_exchange(c, cs, &x, &rc, &err)) {
		if (c->types[SAT_MSG_PULL] == 1 && !pushed) {
			pushed = true;
			memcpy(types, c->types, sizeof types);
			company_sync(c, 0);
			memcpy(c->types, types, sizeof types);
		}
		if (c->types[SAT_MSG_REFETCH] == 1 && refetched_at == 0) {
			refetched_at = 1;
			pulls = c->types[SAT_MSG_PULL];
		}
	}
	assert_ok(rc);
	sat_cs_free(cs);
	assert_true(pushed);
	/* pulled first, and asked for the sums again */
	assert_int_equal(1, refetched_at);
	assert_true(pulls >= 2);
	assert_int_equal(2, c->types[SAT_MSG_DIGEST]);
	assert_int_equal(1, company_status(c, 2).diverged.count);
	company_sync(c, 0);
	company_shows(c, 2, ids[12], A_CITY, "Wuhu");
	for (size_t i = 0; i < 3; i++) {
		company_sync(c, i);
		company_sound(c, i);
	}
	assert_same(c, 2);
}

/* One round trip by hand; again: the same request arrives once more, and its
 * answer comes too late. */
static void
twice(company *c, sat_cs *cs, sat_server_session *x, sat_id erased)
{
	sat_buf request = { 0 }, reply = { 0 };
	sat_err err = { 0 };
	bool done = false;

	assert_ok(sat_cs_next(cs, &request, &done, &err));
	assert_int_equal(SAT_MSG_HELLO, request.p[0]);
	assert_ok(sat_server_handle(c->server, x, &reply,
	    sat_buf_span(&request), &err));
	assert_ok(sat_cs_reply(cs, sat_buf_span(&reply), &err));
	assert_ok(sat_server_erase(c->server, &erased,
	    sat_replica_identity_get(c->r[3])->device,
	    sat_replica_identity_get(c->r[2])->device,
	    sat_span_str("asked for it"), &err));
	sat_buf_reset(&reply);
	assert_ok(sat_server_handle(c->server, x, &reply,
	    sat_buf_span(&request), &err));
	sat_buf_fini(&request);
	sat_buf_fini(&reply);
}

/* The first WELCOME knew of no erasure, so that the device still has what the
 * server's sums leave out; that the server answered a second HELLO means nothing. */
static void
sums_are_not_compared_before_an_erasure_is_carried_out(void **state) /* P-182 */
{
	company *c = *state;
	sat_client_ops ops = sat_replica_session(c->r[2]);
	sat_server_session x = { .device = 0 };
	sat_clock clock = c_clock(c);
	sat_cs *cs = sat_cs_new(&ops, &clock, 0);
	sat_err err = { 0 };
	sat_rc rc;

	company_set(c, 2, ids[12], A_REMARK, "called"); /* so that it pulls */
	memcpy(x.channel_pk, sat_replica_identity_get(c->r[2])->channel_pk,
	    sizeof x.channel_pk);
	memset(c->types, 0, sizeof c->types);
	twice(c, cs, &x, ids[3]);
	while (company_exchange(c, cs, &x, &rc, &err))
		continue;
	assert_ok(rc);
	sat_cs_free(cs);
	assert_true(c->types[SAT_MSG_PULL] > 0);
	assert_int_equal(0, c->types[SAT_MSG_DIGEST]);
	assert_int_equal(0, company_status(c, 2).diverged.count);
	company_sync(c, 2);
	assert_int_equal(0, company_status(c, 2).diverged.count);
	company_sound(c, 2);
}

/* A defect that fetching does not cure: whatever is written to the sums, that of
 * all stays wrong. */
static void
after_three_repairs_in_vain_it_waits_six_hours(void **state) /* P-185 */
{
	static const char *const on[] = { "UPDATE", "INSERT" };
	company *c = *state;

	for (size_t i = 0; i < 2; i++) {
		char text[200];

		(void)snprintf(text, sizeof text, "CREATE TRIGGER t%zu AFTER %s "
		    "ON digest BEGIN UPDATE digest SET sum = zeroblob(16) "
		    "WHERE kind = 0; END", i, on[i]);
		sql(c, 2, text);
	}
	sql(c, 2, "UPDATE digest SET sum = zeroblob(16) WHERE kind = 0");
	company_reopen(c, 2);
	for (int i = 0; i < 3; i++) {
		company_sync(c, 2);
		assert_int_equal(1, c->types[SAT_MSG_DIGEST]);
		assert_int_equal(i + 1, company_status(c, 2).diverged.count);
	}
	for (int i = 0; i < 5; i++) {
		company_pass(c, HOUR_MS);
		company_sync(c, 2);
		assert_int_equal(0, c->types[SAT_MSG_DIGEST]);
		if (i == 2) /* nor after a restart */
			company_reopen(c, 2);
	}
	company_pass(c, HOUR_MS);
	company_sync(c, 2);
	assert_int_equal(1, c->types[SAT_MSG_DIGEST]);
	assert_int_equal(4, company_status(c, 2).diverged.count);
	company_sync(c, 2);
	assert_int_equal(0, c->types[SAT_MSG_DIGEST]);
	/* the defect is mended: cured by the next one, and all begins anew */
	sql(c, 2, "DROP TRIGGER t0");
	sql(c, 2, "DROP TRIGGER t1");
	company_reopen(c, 2);
	company_pass(c, 7 * HOUR_MS);
	company_sync(c, 2);
	assert_int_equal(1, c->types[SAT_MSG_DIGEST]);
	for (int i = 0; i < 2; i++) {
		company_sync(c, 2);
		assert_int_equal(0, c->types[SAT_MSG_DIGEST]);
		sql(c, 2, "UPDATE digest SET sum = zeroblob(16) WHERE kind = 0");
		company_reopen(c, 2);
		company_sync(c, 2);
		assert_int_equal(1, c->types[SAT_MSG_DIGEST]);
	}
	company_sound(c, 2);
	assert_same(c, 2);
}

#define MORE 1200 /* five buckets */

/* However often it breaks off: each time one bucket less differs. */
static void
a_repair_that_breaks_off_is_not_one_in_vain(void **state) /* P-185 */
{
	static sat_id more[MORE];
	company *c = *state;
	sat_err err = { 0 };

	company_firms(c, more, MORE);
	sat_server_free(c->server);
	sat_sqlite_store_close(c->store);
	c->chunk_bytes = 30000; /* more than a bucket */
	company_server(c);
	sql(c, 2, "DELETE FROM k_account");
	company_reopen(c, 2);
	assert_rc(SAT_EINTEGRITY, sat_replica_check(c->r[2], false, &err));
	for (int i = 0; i < 4; i++) {
		c->stop_after = 3; /* HELLO, DIGEST, REFETCH */
		company_sync(c, 2);
		assert_int_equal(1, c->types[SAT_MSG_DIGEST]);
		assert_int_equal(1, c->types[SAT_MSG_REFETCH]);
		if (i == 1)
			company_reopen(c, 2);
	}
	c->stop_after = 0;
	company_sync(c, 2);
	assert_int_equal(1, c->types[SAT_MSG_DIGEST]);
	assert_same(c, 2);
	company_sound(c, 2);
}

/* One that never puts a bucket right may be one that cannot. */
static void
a_repair_that_always_breaks_off_at_once_waits(void **state) /* P-185 */
{
	company *c = *state;

	sat_server_free(c->server);
	sat_sqlite_store_close(c->store);
	c->chunk_bytes = 600; /* a few customers */
	company_server(c);
	spoil(c, 2);
	c->stop_after = 3;
	for (int i = 0; i < 3; i++) {
		company_sync(c, 2);
		assert_int_equal(1, c->types[SAT_MSG_REFETCH]);
	}
	c->stop_after = 0;
	company_sync(c, 2);
	assert_int_equal(0, c->types[SAT_MSG_DIGEST]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    sums_are_not_compared_before_an_erasure_is_carried_out,
		    setup, teardown),
		cmocka_unit_test_setup_teardown(
		    sums_of_another_position_are_not_compared, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(
		    after_three_repairs_in_vain_it_waits_six_hours, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(
		    a_repair_that_breaks_off_is_not_one_in_vain, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(
		    a_repair_that_always_breaks_off_at_once_waits, setup,
		    teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
