/* A device that changes its keys, and links under any of them. */
#ifndef SAT_TESTS_CLIENT_SYNC_REKEY_FIXTURE_H
#define SAT_TESTS_CLIENT_SYNC_REKEY_FIXTURE_H

#include "tests/unit/client/sync/company.h"

static company *c;
static size_t li;
static sat_id firm;

static int
setup(void **state)
{
	*state = c = company_new(47);
	li = company_li(&firm, c, "li rep east, bo rep east");
	return 0;
}

/* ---- links ------------------------------------------------------------------ */

static sat_replica_identity
keys(void)
{
	return *sat_replica_identity_get(c->r[li]);
}

static sat_key_pairs
others(void)
{
	sat_key_pairs p;

	(void)sat_replica_rekey_state(&p, NULL, c->r[li]);
	return p;
}

static sat_server_session
link_with(const uint8_t channel_pk[32])
{
	sat_server_session x = { .device = 0 };

	memcpy(x.channel_pk, channel_pk, sizeof x.channel_pk);
	return x;
}

/* One request; *m becomes the answer. */
static sat_rc
ask(sat_msg *m, sat_server_session *x, sat_err *e)
{
	sat_buf request = { 0 }, reply = { 0 };
	sat_err err = { 0 };
	sat_rc rc = SAT_OK;

	sat_msg_write(&request, m);
	assert_ok(sat_server_handle(c->server, x, &reply,
	    sat_buf_span(&request), &err));
	assert_ok(sat_msg_read(m, &c->a, sat_span_of(sat_arena_dup(&c->a,
	    reply.p, reply.n), reply.n), &err));
	if (m->type == SAT_MSG_ERROR)
		rc = sat_msg_to_err(&m->u.error, e);
	sat_buf_fini(&request);
	sat_buf_fini(&reply);
	return rc;
}

static sat_rc
greet(sat_server_session *x, sat_err *e)
{
	sat_client_ops ops = sat_replica_session(c->r[li]);
	sat_msg m = { .type = SAT_MSG_HELLO };
	sat_err err = { 0 };

	assert_ok(ops.hello(ops.u, &m.u.hello, &err));
	return ask(&m, x, e);
}

static sat_rekey
statement(void)
{
	sat_rekey k;
	sat_err err = { 0 };

	assert_ok(sat_replica_rekey_begin(c->r[li], &err));
	assert_ok(sat_replica_rekey_say(&k, c->r[li], &err));
	return k;
}

/* Greets with the keys in force and says it. */
static sat_rc
say(const sat_rekey *k, uint64_t *lsn, sat_err *e)
{
	sat_server_session x = link_with(keys().channel_pk);
	sat_msg m = { .type = SAT_MSG_REKEY, .u.rekey = *k };
	sat_rc rc;

	assert_int_equal(SAT_OK, greet(&x, e));
	if ((rc = ask(&m, &x, e)) != SAT_OK)
		return rc;
	assert_int_equal(SAT_MSG_REKEYED, m.type);
	assert_memory_equal(k->sign_pk, m.u.rekeyed.sign_pk, 32);
	*lsn = m.u.rekeyed.lsn;
	return SAT_OK;
}

static sat_rc
verify(void)
{
	uint64_t commits, records;
	sat_err err = { 0 };

	return sat_server_verify(c->server, &commits, &records, &err);
}

#endif
