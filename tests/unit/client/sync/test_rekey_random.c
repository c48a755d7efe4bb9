/* A device changes its keys in a random history: whatever breaks off (P-386). */
#include "tests/lib/unit.h"

#include "tests/unit/client/sync/rekey_fixture.h"

#include <stdio.h>

#define HISTORIES 12
#define STEPS 60

static struct {
	unsigned drawn, said, told, found, behind, shut_out, died;
} hit;

/* As client/sync/rekey.c does before it opens a link: the new ones first. */
static void
bring_to_its_end(void)
{
	sat_server_session x = link_with(others().channel_pk);
	sat_err err = { 0 };
	sat_rekey k;
	uint64_t lsn;
	sat_rc rc;

	if (sat_replica_rekey_state(NULL, NULL, c->r[li]) != SAT_REKEY_NEXT)
		return;
	if (greet(&x, &err) == SAT_OK) {
		hit.found++;
		assert_ok(sat_replica_rekeyed(c->r[li], 0, &err));
		return;
	}
	assert_string_equal("device.unknown", err.code);
	assert_ok(sat_replica_rekey_say(&k, c->r[li], &err));
	if ((rc = say(&k, &lsn, &err)) == SAT_OK) {
		assert_ok(sat_replica_rekeyed(c->r[li], lsn, &err));
		hit.told++;
	} else { /* a push whose verdicts were lost */
		assert_string_equal(SAT_CODE_REKEY_BEHIND, err.code);
		hit.behind++;
	}
}

/* The server takes a push, and the device never hears its verdicts. */
static void
lose_verdicts(void)
{
	sat_client_ops ops = sat_replica_session(c->r[li]);
	sat_server_session x = link_with(keys().channel_pk);
	sat_clock clock = c_clock(c);
	sat_cs *cs = sat_cs_new(&ops, &clock, 0);
	sat_buf request = { 0 }, reply = { 0 };
	bool done = false, pushed = false;
	sat_err err = { 0 };

	while (!pushed && sat_cs_next(cs, &request, &done, &err) == SAT_OK &&
	    !done) {
		assert_ok(sat_server_handle(c->server, &x, &reply,
		    sat_buf_span(&request), &err));
		pushed = request.p[0] == SAT_MSG_PUSH;
		if (!pushed && sat_cs_reply(cs, sat_buf_span(&reply), &err) !=
		    SAT_OK)
			break;
		sat_buf_reset(&request);
		sat_buf_reset(&reply);
	}
	sat_cs_free(cs);
	sat_buf_fini(&request);
	sat_buf_fini(&reply);
}

static void
one_step(uint64_t *rand, unsigned n, uint8_t old[32])
{
	sat_server_session x;
	char text[16];
	sat_err err = { 0 };
	sat_rekey k;
	uint64_t lsn;

	switch (sat_test_rand(rand) % 8) {
	case 0:
		memcpy(old, keys().channel_pk, 32);
		(void)statement();
		hit.drawn++;
		break;
	case 1: /* the answer is lost */
		k = statement();
		memcpy(old, keys().channel_pk, 32);
		x = link_with(keys().channel_pk);
		if (greet(&x, &err) == SAT_OK)
			hit.said += say(&k, &lsn, &err) == SAT_OK;
		break;
	case 2:
		company_reopen(c, li);
		hit.died++;
		break;
	case 3: /* a sync that breaks off anywhere */
		if (sat_test_rand(rand) % 2 == 0) {
			lose_verdicts();
			break;
		}
		bring_to_its_end();
		c->stop_after = 1 + sat_test_rand(rand) % 4;
		(void)(company_try_sync(c, li, &err) == SAT_OK);
		c->stop_after = 0;
		break;
	case 4:
		bring_to_its_end();
		company_sync(c, li);
		if (memcmp(old, keys().channel_pk, 32) == 0 || old[0] == 0)
			break;
		x = link_with(old);
		if (sat_replica_rekey_state(NULL, NULL, c->r[li]) ==
		    SAT_REKEY_BEFORE && memcmp(old, others().channel_pk, 32) ==
		    0) {
			assert_int_equal(SAT_EREVOKED, greet(&x, &err));
			hit.shut_out++;
		}
		break;
	default:
		(void)snprintf(text, sizeof text, "v%u", n);
		company_set(c, li, firm, n % 2 == 0 ? A_REMARK : A_CITY, text);
		break;
	}
}

static void
whatever_breaks_off_nothing_is_lost_and_all_is_proven(void **state)
{
	uint64_t rand = sat_test_seed(4711), commits;
	sat_err err = { 0 };

	for (int h = 0; h < HISTORIES; h++) {
		uint8_t old[32] = { 0 };

		(void)setup(state);
		for (unsigned n = 0; n < STEPS; n++)
			one_step(&rand, n, old);
		for (int i = 0; i < 2; i++) {
			bring_to_its_end();
			company_sync(c, li);
		}
		assert_int_not_equal(SAT_REKEY_NEXT, sat_replica_rekey_state(
		    NULL, NULL, c->r[li]));
		assert_int_equal(0, company_status(c, li).pending_commits);
		assert_same(c, li);
		assert_int_equal(SAT_OK, verify());
		assert_ok(sat_replica_verify_chain(c->r[li], 0, &commits,
		    &err));
		(void)company_end(state);
	}
	print_message("drawn %u said %u told %u found %u behind %u shut out %u "
	    "died %u\n", hit.drawn, hit.said, hit.told, hit.found, hit.behind,
	    hit.shut_out, hit.died);
	assert_true(hit.drawn > 20 && hit.said > 20 && hit.told > 10 &&
	    hit.found > 10 && hit.behind > 2 && hit.shut_out > 5 &&
	    hit.died > 20);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whatever_breaks_off_nothing_is_lost_and_all_is_proven),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
