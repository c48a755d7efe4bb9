/*
 * A revoked device is ordered to destroy what it holds: what the server says, what
 * it keeps, and whom it believes (P-380, P-381, P-384, P-385).
 */
#include "tests/lib/unit.h"

#include "tests/unit/client/sync/company.h"

static company *c;
static size_t li;
static uint8_t nonce[SAT_WIPE_NONCE_BYTES] = { 7, 7 };

static int
setup(void **state)
{
	sat_id firm;

	*state = c = company_new(41);
	li = company_li(&firm, c, "li rep east");
	return 0;
}

static uint32_t
number(void)
{
	return sat_replica_identity_get(c->r[li])->device;
}

static void
order(bool push_first)
{
	sat_err err = { 0 };

	assert_ok(sat_sqlite_device_wipe(c->store, number(), nonce, c->now_ms,
	    push_first, &err));
	assert_ok(sat_server_reload(c->server, &err));
}

static bool
take_row(void *u, const sat_sqlite_device *d)
{
	if (d->ord == number())
		*(sat_sqlite_device *)u = *d;
	return true;
}

static sat_sqlite_device
row(void)
{
	sat_sqlite_device d = { 0 };
	sat_err err = { 0 };

	assert_ok(sat_sqlite_devices(c->store, take_row, &d, &err));
	return d;
}

/* Over a link of somebody nobody knows. */
static void
bring(sat_msg *m, const sat_wiped *w)
{
	sat_server_session x = { .device = 0 };
	sat_buf request = { 0 }, reply = { 0 };
	sat_err err = { 0 };

	x.channel_pk[0] = 0xee;
	*m = (sat_msg){ .type = SAT_MSG_WIPED };
	m->u.wiped = *w;
	sat_msg_write(&request, m);
	assert_ok(sat_server_handle(c->server, &x, &reply,
	    sat_buf_span(&request), &err));
	assert_ok(sat_msg_read(m, &c->a, sat_span_of(sat_arena_dup(&c->a,
	    reply.p, reply.n), reply.n), &err));
	sat_buf_fini(&request);
	sat_buf_fini(&reply);
}

static void
assert_not_believed(const sat_wiped *w, void *part)
{
	uint8_t *where = part;
	sat_msg m;

	*where ^= 1;
	bring(&m, w);
	*where ^= 1;
	assert_int_equal(SAT_MSG_ERROR, m.type);
	assert_true(sat_span_eq(m.u.error.code, sat_span_str("wipe.receipt")));
	assert_int_equal(0, row().wipe.done_ms);
}

static void
the_order_comes_instead_of_a_greeting(void **state)
{ /* P-380, P-381 */
	sat_err err = { 0 };
	uint32_t none = 99;

	(void)state;
	assert_int_equal(0, row().wipe.at_ms);
	assert_rc(SAT_ENOTFOUND, sat_sqlite_device_wipe(c->store, none, nonce,
	    c->now_ms, false, &err));
	order(false);
	assert_true(row().revoked && row().wipe.at_ms == c->now_ms);
	assert_int_equal(0, row().wipe.told_ms); /* ordered, not heard */
	company_reopen(c, li);
	assert_false(sat_replica_wipe_due(c->r[li]));
	assert_rc(SAT_EREVOKED, company_try_sync(c, li, &err));
	assert_string_equal(SAT_CODE_WIPE, err.code);
	assert_true(sat_replica_wipe_due(c->r[li]));
	assert_int_equal(1, c->types[SAT_MSG_HELLO]); /* within one round trip */
	assert_true(row().wipe.told_ms != 0 && row().wipe.done_ms == 0);
	/* another incarnation of the folder is told so as well */
	assert_ok(sat_replica_new_incarnation(c->r[li], &err));
	assert_rc(SAT_EREVOKED, company_try_sync(c, li, &err));
	assert_string_equal(SAT_CODE_WIPE, err.code);
}

static void
who_is_merely_revoked_hears_no_order(void **state)
{ /* P-381 */
	sat_err err = { 0 };

	(void)state;
	assert_ok(sat_sqlite_device_revoke(c->store, number(), &err));
	assert_ok(sat_server_reload(c->server, &err));
	assert_rc(SAT_EREVOKED, company_try_sync(c, li, &err));
	assert_string_equal("device.revoked", err.code);
	assert_false(sat_replica_wipe_due(c->r[li]));
}

static void
a_device_that_is_revoked_in_a_session_greets_once_more(void **state)
{ /* P-381 */
	sat_client_ops ops = sat_replica_session(c->r[li]);
	sat_server_session x = { .device = 0 };
	sat_clock clock = c_clock(c);
	sat_cs *cs = sat_cs_new(&ops, &clock, 0);
	sat_err err = { 0 };
	sat_rc rc;

	(void)state;
	memcpy(x.channel_pk, sat_replica_identity_get(c->r[li])->channel_pk,
	    sizeof x.channel_pk);
	(void)company_account(c, li, "Other", "li");
	memset(c->types, 0, sizeof c->types);
	assert_true(company_exchange(c, cs, &x, &rc, &err));
	order(false);
	while (company_exchange(c, cs, &x, &rc, &err))
		;
	assert_rc(SAT_EREVOKED, rc);
	assert_string_equal(SAT_CODE_WIPE, err.code);
	assert_int_equal(2, c->types[SAT_MSG_HELLO]);
	assert_true(sat_replica_wipe_due(c->r[li]));
	sat_cs_free(cs);
}

static void
its_receipt_is_believed_from_anybody_and_no_other_is(void **state)
{ /* P-384 */
	sat_err err = { 0 };
	sat_wiped w;
	sat_msg m;

	(void)state;
	(void)company_account(c, li, "Unsent", "li");
	(void)company_account(c, li, "Unsent too", "li");
	order(false);
	assert_rc(SAT_EREVOKED, company_try_sync(c, li, &err));
	sat_replica_wiped(&w, c->r[li]);
	assert_not_believed(&w, &w.nonce[3]); /* of another order */
	assert_not_believed(&w, &w.sig[10]);
	assert_not_believed(&w, &w.head[0]);
	assert_not_believed(&w, &w.cseq);
	assert_not_believed(&w, &w.device);
	bring(&m, &w);
	assert_int_equal(SAT_MSG_WIPED, m.type);
	assert_memory_equal(&w.nonce, &m.u.wiped.nonce, sizeof w.nonce);
	assert_int_equal(c->now_ms, row().wipe.done_ms);
	assert_int_equal(2, row().wipe_lost);
	company_pass(c, 5000);
	bring(&m, &w); /* its answer was lost: nothing changes */
	assert_int_equal(SAT_MSG_WIPED, m.type);
	assert_int_equal(c->now_ms - 5000, row().wipe.done_ms);
}

static void
unsent_work_that_comes_first_is_kept_apart_and_merged_by_nobody(void **state)
{ /* P-385 */
	sat_wiped w;
	sat_msg m;
	sat_err err = { 0 };
	sat_sqlite_status before, after;

	(void)state;
	(void)company_account(c, li, "Unsent", "li");
	assert_ok(sat_sqlite_status_get(&before, c->store, &err));
	order(true);
	assert_rc(SAT_EREVOKED, company_try_sync(c, li, &err));
	assert_string_equal(SAT_CODE_WIPE, err.code);
	assert_true(sat_replica_wipe_due(c->r[li]));
	assert_int_equal(1, c->types[SAT_MSG_PUSH]);
	assert_int_equal(0, c->types[SAT_MSG_PULL]); /* nothing else is done */
	assert_ok(sat_sqlite_status_get(&after, c->store, &err));
	assert_int_equal(before.lsn, after.lsn);
	assert_int_equal(before.refused + 1, after.refused);
	sat_replica_wiped(&w, c->r[li]);
	bring(&m, &w);
	assert_int_equal(SAT_MSG_WIPED, m.type);
	assert_int_equal(0, row().wipe_lost);
}

static void
an_order_to_push_first_can_be_made_one_that_does_not(void **state)
{ /* P-380 */
	sat_wipe_row was;
	sat_err err = { 0 };

	(void)state;
	(void)company_account(c, li, "Unsent", "li");
	order(true);
	was = row().wipe;
	order(false);
	assert_false(row().wipe.push_first);
	assert_true(row().wipe.at_ms > was.at_ms); /* it is the newer one */
	order(true); /* and stays so */
	assert_false(row().wipe.push_first);
	assert_rc(SAT_EREVOKED, company_try_sync(c, li, &err));
	assert_int_equal(0, c->types[SAT_MSG_PUSH]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    the_order_comes_instead_of_a_greeting, setup, company_end),
		cmocka_unit_test_setup_teardown(
		    who_is_merely_revoked_hears_no_order, setup, company_end),
		cmocka_unit_test_setup_teardown(
		    a_device_that_is_revoked_in_a_session_greets_once_more,
		    setup, company_end),
		cmocka_unit_test_setup_teardown(
		    its_receipt_is_believed_from_anybody_and_no_other_is,
		    setup, company_end),
		cmocka_unit_test_setup_teardown(
		    unsent_work_that_comes_first_is_kept_apart_and_merged_by_nobody,
		    setup, company_end),
		cmocka_unit_test_setup_teardown(
		    an_order_to_push_first_can_be_made_one_that_does_not, setup,
		    company_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
