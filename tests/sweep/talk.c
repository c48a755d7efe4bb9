/*
 * talk.c - a session between a device and the server, one exchange at a time,
 * so that each step of it can be an operation of its own.
 */
#include "tests/sweep/sweep.h"

#include <string.h>

#define EXCHANGES_MAX 60

void
talk_begin(lab *L, lab_dev *d)
{
	sat_clock clock = lab_clock(&d->m);

	talk_end(L);
	L->t.d = d;
	L->t.cs = sat_cs_new(&d->ops, &clock, 0);
	memcpy(L->t.x.channel_pk, d->id.channel_pk, sizeof d->id.channel_pk);
}

void
talk_end(lab *L)
{
	if (L->t.cs != NULL)
		sat_cs_free(L->t.cs);
	sat_buf_fini(&L->t.request);
	sat_buf_fini(&L->t.reply);
	memset(&L->t, 0, sizeof L->t);
}

sat_rc
talk_request(lab *L, sat_err *e)
{
	sat_buf_reset(&L->t.request);
	return sat_cs_next(L->t.cs, &L->t.request, &L->t.done, e);
}

/* An ERROR frame is a failure like any other. */
static sat_rc
rc_of_reply(lab *L, sat_err *e)
{
	sat_msg m;
	sat_rc rc;

	if ((rc = sat_msg_read(&m, &L->a, sat_buf_span(&L->t.reply), e)) !=
	    SAT_OK)
		return rc;
	return m.type == SAT_MSG_ERROR ? sat_msg_to_err(&m.u.error, e) :
	    SAT_OK;
}

sat_rc
talk_serve(lab *L, sat_err *e)
{
	sat_rc rc;

	sat_buf_reset(&L->t.reply);
	rc = sat_server_handle(L->server, &L->t.x, &L->t.reply,
	    sat_buf_span(&L->t.request), e);
	return rc == SAT_OK ? rc_of_reply(L, e) : rc;
}

sat_rc
talk_reply(lab *L, sat_err *e)
{
	return sat_cs_reply(L->t.cs, sat_buf_span(&L->t.reply), e);
}

static sat_rc
exchange(lab *L, sat_err *e)
{
	sat_rc rc;

	if ((rc = talk_request(L, e)) != SAT_OK || L->t.done ||
	    (rc = talk_serve(L, e)) != SAT_OK)
		return rc;
	return talk_reply(L, e);
}

bool
talk_go(lab *L, int n)
{
	sat_err e = { 0 };

	for (int i = 0; i < n && !L->t.done; i++)
		lab_must(exchange(L, &e), &e, "exchange");
	return !L->t.done;
}

sat_rc
talk_whole(lab *L, lab_dev *d, sat_err *e)
{
	sat_rc rc = SAT_OK;

	talk_begin(L, d);
	for (int i = 0; rc == SAT_OK && !L->t.done; i++)
		rc = i < EXCHANGES_MAX ? exchange(L, e) :
		    sat_fail(e, SAT_EFAIL, "the session does not end");
	talk_end(L);
	return rc;
}

sat_rc
talk_enrol(lab *L, lab_dev *d, sat_enrolled *out, sat_err *e)
{
	sat_server_session x = { 0 };
	sat_msg m = { .type = SAT_MSG_ENROL };
	sat_buf frame = { 0 }, reply = { 0 };
	sat_span kept;
	sat_rc rc;

	memcpy(x.channel_pk, d->id.channel_pk, sizeof x.channel_pk);
	m.u.enrol.proto_min = SAT_PROTO_MIN;
	m.u.enrol.proto_max = SAT_PROTO_VERSION;
	m.u.enrol.org = L->org;
	memcpy(m.u.enrol.token, d->token, sizeof d->token);
	memcpy(m.u.enrol.sign_pk, d->id.sign_pk, sizeof d->id.sign_pk);
	m.u.enrol.name = sat_span_str(d->m.name);
	sat_msg_write(&frame, &m);
	rc = sat_server_handle(L->server, &x, &reply, sat_buf_span(&frame), e);
	if (rc == SAT_OK) {
		kept = sat_span_of(sat_arena_dup(&L->a, reply.p, reply.n),
		    reply.n);
		rc = sat_msg_read(&m, &L->a, kept, e);
	}
	if (rc == SAT_OK && m.type == SAT_MSG_ERROR)
		rc = sat_msg_to_err(&m.u.error, e);
	if (rc == SAT_OK)
		*out = m.u.enrolled;
	sat_buf_fini(&frame);
	sat_buf_fini(&reply);
	return rc;
}
