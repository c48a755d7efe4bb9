/*
 * ask.c - one question to the server that is not part of a session: a greeting,
 * the question, its answer. Nothing of the replica changes.
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

sat_rc
sat_sync_directory(sat_directory *out, sat_arena *a, sat_replica *r,
    const sat_sync_opts *o, sat_err *e)
{
	const sat_replica_identity *id = sat_replica_identity_get(r);
	sat_client_ops ops = sat_replica_session(r);
	sat_msg m = { .type = SAT_MSG_HELLO };
	sat_net_client *link = NULL;
	sat_rc rc;

	memset(out, 0, sizeof *out);
	if ((rc = ops.hello(ops.u, &m.u.hello, e)) != SAT_OK ||
	    (rc = sat_sync_dial(&link, id->server, id->server_pk, id, o, e)) !=
	    SAT_OK)
		return rc;
	if ((rc = exchange(&m, a, link, SAT_MSG_WELCOME, e)) == SAT_OK) {
		m = (sat_msg){ .type = SAT_MSG_DIRECTORY };
		rc = exchange(&m, a, link, SAT_MSG_DIRECTORY_IS, e);
	}
	if (rc == SAT_OK)
		*out = m.u.directory;
	sat_net_hangup(link);
	return rc;
}
