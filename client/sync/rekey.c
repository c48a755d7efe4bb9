/*
 * rekey.c - which keys a link is opened with, and how others come into force.
 *
 * A device that was killed while it changed its keys has both pairs and does not
 * know which the server has. It tries the new ones first: the old ones, once they
 * are given up, are a sign that somebody else has a copy of this folder (P-388).
 * On the daemon's second thread: everything of the replica through o->call.
 */
#include "client/sync/sync_int.h"

#include <string.h>

/* What is needed of the replica, in guarded memory. */
typedef struct keyed {
	sat_replica *r;
	sat_replica_identity id;
	sat_key_pairs other;
	sat_rekey_state state;
	sat_hello hello;
	sat_rekey said;      /* state NEXT */
	uint64_t lsn;
	sat_rc rc;
	sat_err err;
} keyed;

static void
on_replica(keyed *x, void (*fn)(void *arg), const sat_sync_opts *o)
{
	if (o->call != NULL)
		o->call(o->cu, fn, x);
	else
		fn(x);
}

static void
look(void *arg)
{
	keyed *x = arg;
	sat_client_ops ops = sat_replica_session(x->r);

	x->id = *sat_replica_identity_get(x->r);
	x->state = sat_replica_rekey_state(&x->other, NULL, x->r);
	x->rc = SAT_OK;
	if (x->state == SAT_REKEY_NEXT && (x->rc = ops.hello(ops.u, &x->hello,
	    &x->err)) == SAT_OK)
		x->rc = sat_replica_rekey_say(&x->said, x->r, &x->err);
}

static void
take_over(void *arg)
{
	keyed *x = arg;

	x->rc = sat_replica_rekeyed(x->r, x->lsn, &x->err);
}

static void
go_back(void *arg)
{
	keyed *x = arg;

	x->rc = sat_replica_rekey_back(x->r, &x->err);
}

void
sat_sync_wear(sat_replica_identity *id, const sat_key_pairs *p)
{
	memcpy(id->sign_sk, p->sign_sk, sizeof id->sign_sk);
	memcpy(id->sign_pk, p->sign_pk, sizeof id->sign_pk);
	memcpy(id->channel_sk, p->channel_sk, sizeof id->channel_sk);
	memcpy(id->channel_pk, p->channel_pk, sizeof id->channel_pk);
}

/* ---- a change that broke off -------------------------------------------------------- */

/* One request of a link; a refusal is a failure. */
static sat_rc
ask(sat_msg *m, sat_arena *a, sat_net_client *link, sat_err *e)
{
	sat_buf out = { 0 }, in = { 0 };
	sat_rc rc;

	sat_msg_write(&out, m);
	if ((rc = sat_net_request(link, &in, sat_buf_span(&out), e)) == SAT_OK &&
	    (rc = sat_msg_read(m, a, sat_span_of(sat_arena_dup(a, in.p, in.n),
	    in.n), e)) == SAT_OK && m->type == SAT_MSG_ERROR)
		rc = sat_msg_to_err(&m->u.error, e);
	sat_buf_fini(&out);
	sat_buf_fini(&in);
	return rc;
}

/* Greet with these keys; then say the change, if that is wanted. */
static sat_rc
call_with(keyed *x, const sat_replica_identity *id, bool say,
    const sat_sync_opts *o, sat_err *e)
{
	sat_msg m = { .type = SAT_MSG_HELLO, .u.hello = x->hello };
	sat_net_client *link = NULL;
	sat_arena a = { 0 };
	sat_rc rc;

	if ((rc = sat_sync_dial(&link, sat_sync_address(id, o), id->server_pk,
	    id, o, e)) == SAT_OK)
		rc = ask(&m, &a, link, e);
	if (rc == SAT_OK && say) {
		m = (sat_msg){ .type = SAT_MSG_REKEY, .u.rekey = x->said };
		if ((rc = ask(&m, &a, link, e)) == SAT_OK &&
		    m.type != SAT_MSG_REKEYED)
			rc = sat_fail(e, SAT_EPROTO, "answer %d does not fit",
			    (int)m.type);
		if (rc == SAT_OK)
			x->lsn = m.u.rekeyed.lsn;
	}
	sat_net_hangup(link);
	sat_arena_fini(&a);
	return rc;
}

static bool
is_unknown(sat_rc rc, const sat_err *e)
{
	return rc == SAT_ELOCKED && strcmp(e->code, "device.unknown") == 0;
}

/*
 * Bring a change that waits to its end: the new keys, if the server has them, else
 * it is told again. What it does not take now waits for the next time, and
 * keeps nothing else from being exchanged.
 */
static sat_rc
settle(keyed *x, const sat_sync_opts *o, sat_err *e)
{
	sat_replica_identity *as;
	sat_err why = { 0 };
	sat_rc rc;

	on_replica(x, look, o);
	if (x->rc != SAT_OK || x->state != SAT_REKEY_NEXT)
		return x->rc != SAT_OK && e != NULL ? (*e = x->err, x->rc) :
		    x->rc;
	as = sat_secret_new(sizeof *as);
	*as = x->id;
	sat_sync_wear(as, &x->other);
	x->lsn = 0;
	rc = call_with(x, as, false, o, &why);
	if (is_unknown(rc, &why))
		rc = call_with(x, &x->id, true, o, &why);
	sat_secret_free(as);
	if (rc == SAT_OK) {
		on_replica(x, take_over, o);
		if ((rc = x->rc) != SAT_OK)
			why = x->err;
	} else if (rc != SAT_EUNREACHABLE) {
		return SAT_OK;
	}
	if (rc != SAT_OK && e != NULL)
		*e = why;
	return rc;
}

sat_rc
sat_sync_open(sat_net_client **link, uint8_t channel_pk[SAT_BOX_PK_BYTES],
    sat_replica *r, const sat_sync_opts *o, sat_err *e)
{
	keyed *x = sat_secret_new(sizeof *x);
	sat_rc rc = SAT_OK;

	x->r = r;
	on_replica(x, look, o);
	if (x->rc == SAT_OK && x->state == SAT_REKEY_NEXT) {
		sat_sync_turn(o, true);
		rc = settle(x, o, e);
		sat_sync_turn(o, false);
		on_replica(x, look, o);
	}
	memcpy(channel_pk, x->id.channel_pk, SAT_BOX_PK_BYTES);
	if (rc == SAT_OK)
		rc = sat_sync_dial(link, sat_sync_address(&x->id, o),
		    x->id.server_pk, &x->id, o, e);
	sat_secret_free(x);
	return rc;
}

bool
sat_sync_other_keys(sat_replica *r, const uint8_t used[SAT_BOX_PK_BYTES],
    sat_rc rc, const sat_err *why, const sat_sync_opts *o)
{
	bool lost = rc == SAT_EREVOKED &&
	    strcmp(why->code, SAT_CODE_REKEYED) == 0;
	keyed *x;
	bool other;

	if (!lost && !is_unknown(rc, why))
		return false;
	x = sat_secret_new(sizeof *x);
	x->r = r;
	if (lost) {
		sat_sync_turn(o, true);
		(void)(settle(x, o, NULL) == SAT_OK);
		sat_sync_turn(o, false);
	} else {
		on_replica(x, go_back, o);
	}
	on_replica(x, look, o);
	other = memcmp(x->id.channel_pk, used, SAT_BOX_PK_BYTES) != 0;
	sat_secret_free(x);
	return other;
}

/* ---- a change somebody asks for ------------------------------------------------------- */

/* Has the server the new keys already? Any harmless question tells. */
static sat_rc
by_new(sat_replica *r, const sat_sync_opts *o, sat_err *e)
{
	sat_key_pairs *other = sat_secret_new(sizeof *other);
	sat_msg m = { .type = SAT_MSG_REGISTRY };
	sat_arena a = { 0 };
	sat_rc rc;

	(void)sat_replica_rekey_state(other, NULL, r);
	rc = sat_sync_question_as(&m, &a, r, SAT_MSG_REGISTRY_IS, other, o, e);
	if (rc == SAT_OK)
		rc = sat_replica_rekeyed(r, 0, e);
	sat_arena_fini(&a);
	sat_secret_free(other);
	return rc;
}

static sat_rc
by_old(sat_replica *r, const sat_sync_opts *o, sat_err *e)
{
	sat_msg m = { .type = SAT_MSG_REKEY };
	sat_arena a = { 0 };
	sat_rc rc = sat_replica_rekey_say(&m.u.rekey, r, e);

	if (rc == SAT_OK && (rc = sat_sync_question(&m, &a, r, SAT_MSG_REKEYED,
	    o, e)) == SAT_OK)
		rc = sat_replica_rekeyed(r, m.u.rekeyed.lsn, e);
	sat_arena_fini(&a);
	return rc;
}

sat_rc
sat_sync_rekey(sat_replica *r, const sat_sync_opts *o, sat_err *e)
{
	sat_rc rc = sat_sync_has_server(sat_replica_identity_get(r), e);
	sat_err why = { 0 };
	bool unsaid;

	if (rc != SAT_OK || (rc = sat_replica_rekey_begin(r, e)) != SAT_OK)
		return rc;
	for (int tries = 0; tries < 3; tries++) {
		if (sat_replica_rekey_state(NULL, &unsaid, r) !=
		    SAT_REKEY_NEXT)
			return SAT_OK; /* a sync has brought it to its end */
		rc = unsaid ? by_old(r, o, &why) : by_new(r, o, &why);
		if (rc == SAT_EREVOKED && unsaid && strcmp(why.code,
		    SAT_CODE_REKEYED) == 0)
			sat_replica_rekey_unsaid(r, false);
		else if (is_unknown(rc, &why) && !unsaid)
			sat_replica_rekey_unsaid(r, true);
		else
			break;
	}
	if (rc == SAT_EUNREACHABLE) /* it may have come there */
		sat_replica_rekey_unsaid(r, false);
	if (rc != SAT_OK && e != NULL)
		*e = why;
	return rc;
}
