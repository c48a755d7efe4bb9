/*
 * ask.c - one question to the server that is not part of a session: a greeting,
 * the question, its answer. Nothing of the replica changes; what was decided
 * reaches this device with the next sync.
 */
#include "client/sync/sync_int.h"

#include <string.h>

static sat_rc
exchange(sat_msg *m, sat_arena *a, sat_net_client *link, sat_msg_type want,
    sat_err *e)
{
	sat_buf request = { 0 }, reply = { 0 };
	sat_rc rc;

	sat_msg_write(&request, m);
	if ((rc = sat_net_request(link, &reply, sat_buf_span(&request), e)) ==
	    SAT_OK)
		rc = sat_msg_read(m, a, sat_span_of(sat_arena_dup(a, reply.p,
		    reply.n), reply.n), e);
	if (rc == SAT_OK && m->type == SAT_MSG_ERROR)
		rc = sat_msg_to_err(&m->u.error, e);
	else if (rc == SAT_OK && m->type != want)
		rc = sat_fail(e, SAT_EPROTO, "answer %d does not fit",
		    (int)m->type);
	sat_buf_fini(&request);
	sat_buf_fini(&reply);
	return rc;
}

/* *m is the question and becomes the answer, in `a`. */
static sat_rc
ask(sat_msg *m, sat_arena *a, sat_replica *r, sat_net_client *link,
    sat_msg_type want, sat_err *e)
{
	sat_client_ops ops = sat_replica_session(r);
	sat_msg hello = { .type = SAT_MSG_HELLO };
	uint64_t epoch;
	sat_rc rc;

	if ((rc = ops.hello(ops.u, &hello.u.hello, e)) != SAT_OK)
		return rc;
	epoch = hello.u.hello.epoch;
	if ((rc = exchange(&hello, a, link, SAT_MSG_WELCOME, e)) != SAT_OK)
		return rc;
	if (hello.u.welcome.epoch != epoch)
		return sat_fail_code(e, SAT_ECONFLICT, "epoch", "run: satchel sync",
		    "the server was restored since the last sync");
	return exchange(m, a, link, want, e);
}

static sat_rc
one_question(sat_msg *m, sat_arena *a, sat_replica *r, sat_msg_type want,
    const sat_sync_opts *o, sat_err *e)
{
	const sat_replica_identity *id = sat_replica_identity_get(r);
	sat_net_client *link = NULL;
	sat_rc rc;

	if ((rc = sat_sync_has_server(id, e)) != SAT_OK)
		return rc;
	rc = sat_sync_dial(&link, id->server, id->server_pk, id, o, e);
	if (rc == SAT_OK)
		rc = ask(m, a, r, link, want, e);
	sat_net_hangup(link);
	return rc;
}

sat_rc
sat_sync_privacy(sat_privacy_is *out, sat_arena *a, sat_replica *r,
    const sat_privacy *in, const sat_sync_opts *o, sat_err *e)
{
	sat_msg m = { .type = SAT_MSG_PRIVACY };
	sat_rc rc;

	memset(out, 0, sizeof *out);
	m.u.privacy = *in;
	if ((rc = one_question(&m, a, r, SAT_MSG_PRIVACY_IS, o, e)) == SAT_OK)
		*out = m.u.privacy_is;
	return rc;
}

sat_rc
sat_sync_hold(sat_held *out, sat_arena *a, sat_replica *r, uint64_t count,
    const sat_sync_opts *o, sat_err *e)
{
	sat_msg m = { .type = SAT_MSG_HOLD };
	sat_rc rc;

	memset(out, 0, sizeof *out);
	m.u.hold = count;
	if ((rc = one_question(&m, a, r, SAT_MSG_HELD, o, e)) == SAT_OK)
		*out = m.u.held;
	return rc;
}

sat_rc
sat_sync_directory(sat_directory *out, sat_arena *a, sat_replica *r,
    const sat_sync_opts *o, sat_err *e)
{
	sat_msg m = { .type = SAT_MSG_DIRECTORY };
	sat_rc rc;

	memset(out, 0, sizeof *out);
	if ((rc = one_question(&m, a, r, SAT_MSG_DIRECTORY_IS, o, e)) == SAT_OK)
		*out = m.u.directory;
	return rc;
}
