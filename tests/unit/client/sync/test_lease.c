/*
 * How long a device may be used without its server (P-189).
 */
#include "tests/lib/unit.h"

#include "tests/unit/client/sync/company.h"

#define DAY (24 * 3600 * (int64_t)1000)

static company *c;
static size_t li;
static sat_id acc;

static int
setup(void **state)
{
	*state = c = company_new(31);
	sat_server_free(c->server);
	sat_sqlite_store_close(c->store);
	c->permits = true;
	company_server(c);
	li = company_li(&acc, c, "li rep east");
	return 0;
}

static void
assert_locked(const char *code)
{
	sat_err err = { 0 };

	assert_rc(SAT_ELOCKED, sat_replica_permitted(c->r[li], &err));
	assert_string_equal(code, err.code);
}

static void
assert_open(void)
{
	sat_err err = { 0 };

	assert_ok(sat_replica_permitted(c->r[li], &err));
}

static void
it_locks_after_its_time_and_a_sync_opens_it(void **state)
{
	(void)state;
	assert_open();
	company_set(c, li, acc, A_REMARK, "unsent");
	company_pass(c, 14 * DAY - 60000);
	assert_open();
	company_pass(c, 120000);
	assert_locked("lease.over");
	company_reopen(c, li); /* not only in memory */
	assert_locked("lease.over");
	assert_int_equal(1, company_status(c, li).pending_commits);
	company_sync(c, li);
	assert_open();
	assert_int_equal(0, company_status(c, li).pending_commits);
	company_reopen(c, li);
	assert_open();
	company_pass(c, 13 * DAY);
	assert_open();
}

static void
a_clock_turned_back_locks_it_too(void **state)
{
	int64_t noon = c->now_ms;

	(void)state;
	c->now_ms = noon - 23 * 3600 * (int64_t)1000;
	assert_open(); /* a time zone */
	c->now_ms = noon - 25 * 3600 * (int64_t)1000;
	assert_locked("lease.clock");
	company_reopen(c, li);
	assert_locked("lease.clock");
	/* what was told first counts, not what the device thinks */
	c->now_ms = noon + 13 * DAY;
	company_sync(c, li);
	c->now_ms = noon + 11 * DAY;
	assert_locked("lease.clock");
}

static void
an_idle_sync_within_half_a_day_brings_none(void **state)
{
	size_t bytes;

	(void)state;
	company_sync(c, li);
	bytes = c->bytes;
	assert_true(bytes <= 200);
	company_pass(c, DAY);
	company_sync(c, li);
	assert_true(c->bytes > bytes + 100);
	company_sync(c, li);
	assert_true(c->bytes <= 200);
}

static void
the_administrator_shortens_lengthens_or_ends_it(void **state)
{
	uint32_t dev = sat_replica_identity_get(c->r[li])->device;
	sat_err err = { 0 };

	(void)state;
	assert_ok(sat_sqlite_device_permit(c->store, dev, 2, &err));
	company_sync(c, li);
	company_pass(c, 3 * DAY);
	assert_locked("lease.over");
	assert_ok(sat_sqlite_device_permit(c->store, dev, 60, &err));
	company_sync(c, li);
	company_pass(c, 59 * DAY);
	assert_open();
	assert_ok(sat_sqlite_device_permit(c->store, dev, -1, &err));
	company_sync(c, li);
	company_pass(c, 2 * DAY);
	assert_locked("lease.over");
	company_sync(c, li); /* it may send its work, it stays locked */
	assert_locked("lease.over");
	assert_rc(SAT_ENOTFOUND, sat_sqlite_device_permit(c->store, 99, 1,
	    &err));
}

static void
the_published_template_says_how_long(void **state)
{
	(void)company_end(state);
	company_limits = "{\"device\":{\"lease_d\":5}}";
	(void)setup(state);
	company_limits = NULL;
	company_pass(c, 5 * DAY - 60000);
	assert_open();
	company_pass(c, 120000);
	assert_locked("lease.over");
	company_sync(c, li);
	assert_open();
}

static void
only_a_server_the_root_vouches_for_gives_one(void **state)
{
	sat_permit p = { .device = 1, .issued_ms = 1, .until_ms = DAY,
	    .lsn = 3 };
	sat_permit q;
	sat_buf b = { 0 };
	uint8_t copy[400];
	sat_err err = { 0 };

	(void)state;
	memcpy(p.server_pk, c->server_pk, sizeof p.server_pk);
	sat_server_key_bytes(&b, &c->org, c->server_pk);
	sat_sign(p.cert, sat_buf_span(&b), c->root_sk);
	sat_buf_reset(&b);
	sat_permit_sign_bytes(&b, &p, &c->org);
	sat_sign(p.sig, sat_buf_span(&b), c->server_sk);
	assert_true(sat_permit_ok(&p, &c->org, 1, c->root_pk));
	assert_false(sat_permit_ok(&p, &c->org, 2, c->root_pk));
	assert_false(sat_permit_ok(&p, &c->org, 1, c->server_pk));
	sat_buf_reset(&b);
	sat_permit_write(&b, &p);
	assert_true(b.n <= sizeof copy);
	for (size_t i = 0; i < b.n; i++) {
		memcpy(copy, b.p, b.n);
		copy[i] ^= 1;
		if (sat_permit_read(&q, sat_span_of(copy, b.n), &err) ==
		    SAT_OK && sat_permit_ok(&q, &c->org, 1, c->root_pk))
			fail_msg("byte %zu does not matter", i);
	}
	sat_buf_fini(&b);
	/* a whole year and a day is too long to believe */
	p.until_ms = p.issued_ms + 367 * DAY;
	sat_permit_write(&b, &p);
	assert_rc(SAT_EPROTO, sat_permit_read(&q, sat_buf_span(&b), &err));
	sat_buf_fini(&b);
}

static void
a_permit_of_another_root_is_refused_in_the_session(void **state)
{
	sat_err err = { 0 };

	(void)state;
	sat_server_free(c->server);
	sat_sqlite_store_close(c->store);
	c->root_sk[0] ^= 1;
	company_server(c);
	company_pass(c, 10 * DAY);
	assert_rc(SAT_EINTEGRITY, company_try_sync(c, li, &err));
	assert_string_equal("permit.signature", err.code);
	company_pass(c, 5 * DAY);
	assert_locked("lease.over");
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, company_end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(it_locks_after_its_time_and_a_sync_opens_it),
		T(a_clock_turned_back_locks_it_too),
		T(an_idle_sync_within_half_a_day_brings_none),
		T(the_administrator_shortens_lengthens_or_ends_it),
		T(the_published_template_says_how_long),
		T(only_a_server_the_root_vouches_for_gives_one),
		T(a_permit_of_another_root_is_refused_in_the_session),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
