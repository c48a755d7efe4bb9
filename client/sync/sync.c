/*
 * Why a retry starts a whole new session: everything a session does is
 * idempotent by (device, incarnation, cseq) and by the cursor, so beginning
 * again costs one hello and can lose nothing. What was exchanged stays.
 */
#include "client/sync/sync_int.h"

#include <string.h>
#include <time.h>

#define RETRY_BASE_MS 200
#define RETRY_CAP_MS 5000
#define SLICE_MS 100

void
sat_sync_prologue(sat_buf *out, const sat_id *org)
{
	sat_buf_str(out, "satchel/1");
	sat_buf_add(out, org->b, sizeof org->b);
}

sat_rc
sat_sync_has_server(const sat_replica_identity *id, sat_err *e)
{
	if (id->device == 0)
		return sat_fail_code(e, SAT_ENOREPLICA, "not_enrolled",
		    "finish with: satchel init --invite ...",
		    "this device was never enrolled");
	if (id->server[0] == '\0')
		return sat_fail_code(e, SAT_EDENIED, "demo",
		    "satchel demo reset, then satchel init --invite ...",
		    "this is demonstration data: it has no server and is never "
		    "exchanged");
	return SAT_OK;
}

sat_rc
sat_sync_dial(sat_net_client **c, const char *address,
    const uint8_t server_pk[32], const sat_replica_identity *id,
    const sat_sync_opts *o, sat_err *e)
{
	sat_net_client_opts n = { .dial = address,
		.timeout_ms = o->timeout_ms, .interrupted = o->interrupted,
		.u = o->u };
	sat_buf prologue = { 0 };
	sat_rc rc;

	memcpy(n.keys.sk, id->channel_sk, sizeof n.keys.sk);
	memcpy(n.keys.pk, id->channel_pk, sizeof n.keys.pk);
	memcpy(n.server_pk, server_pk, sizeof n.server_pk);
	sat_sync_prologue(&prologue, &id->org);
	n.prologue = sat_buf_span(&prologue);
	rc = sat_net_dial(c, &n, e);
	sat_wipe(&n.keys, sizeof n.keys);
	sat_buf_fini(&prologue);
	return rc;
}

/*
 * While a page is taken in the server is at the next one already: it was asked
 * for as soon as the page was here, and is received and read meanwhile (ahead.c).
 * So is a push: it was built while the server was at the one before (P-310). What
 * is then asked for may be something else (P-290); the answer to the guess is
 * received all the same, for the link's sake, and where the session says so it is
 * kept until it is asked for.
 */
typedef struct talk {
	sat_net_client *link;
	sat_cs *cs;
	sat_buf request, guess;
	sat_cs_answer answer;
	sat_ahead *ahead;
} talk;

static void
guess(talk *t)
{
	sat_buf_reset(&t->guess);
	if (!sat_ahead_has(t->ahead) && sat_cs_ahead(t->cs,
	    sat_buf_span(&t->answer.frame), &t->guess))
		sat_ahead_go(t->ahead, sat_buf_span(&t->guess));
}

/* Something else is asked than was guessed, or nothing was. */
static sat_rc
ask(talk *t, sat_err *e)
{
	sat_rc rc = sat_cs_keeps(t->cs) ? sat_ahead_rest(t->ahead, e) :
	    sat_ahead_drop(t->ahead, e);

	if (rc == SAT_OK)
		rc = sat_net_send(t->link, sat_buf_span(&t->request), e);
	if (rc != SAT_OK)
		return rc;
	sat_cs_prepare(t->cs); /* the server is at work meanwhile */
	return sat_net_receive(t->link, &t->answer.frame, 0, e);
}

static sat_rc
request(talk *t, sat_err *e)
{
	bool read = sat_ahead_is(t->ahead, sat_buf_span(&t->request));
	sat_rc rc;

	if (read) {
		sat_cs_prepare(t->cs);
		rc = sat_ahead_take(&t->answer, t->ahead, e);
	} else {
		rc = ask(t, e);
	}
	if (rc == SAT_OK)
		guess(t);
	if (rc == SAT_OK && !read)
		sat_cs_read(&t->answer);
	return rc;
}

static sat_rc
exchange(talk *t, const sat_sync_opts *o, sat_err *e)
{
	bool done = false;
	sat_rc rc;

	for (;;) {
		sat_buf_reset(&t->request);
		if ((rc = sat_cs_next(t->cs, &t->request, &done, e)) !=
		    SAT_OK || done ||
		    (rc = request(t, e)) != SAT_OK ||
		    (rc = sat_cs_take(t->cs, &t->answer, e)) != SAT_OK)
			break;
		if (o->progress != NULL)
			o->progress(o->u, sat_cs_stats_get(t->cs));
	}
	/* The link may be used again; that of a session that failed is not. */
	return rc == SAT_OK ? sat_ahead_drop(t->ahead, e) : rc;
}

sat_rc
sat_sync_session(sat_sync_result *out, sat_net_client *link,
    const sat_client_ops *ops, const sat_sync_opts *o, sat_err *e)
{
	talk t = { .link = link, .cs = sat_cs_new(ops, &o->clock, o->flags),
		.ahead = sat_ahead_new(link) };
	uint64_t sent0, got0, sent, got;
	sat_rc rc;

	sat_net_client_bytes(link, &sent0, &got0);
	rc = exchange(&t, o, e);
	sat_ahead_free(t.ahead);
	out->stats = *sat_cs_stats_get(t.cs);
	sat_net_client_bytes(link, &sent, &got);
	out->bytes_out += sent - sent0;
	out->bytes_in += got - got0;
	sat_cs_free(t.cs);
	sat_buf_fini(&t.request);
	sat_buf_fini(&t.guess);
	sat_cs_answer_fini(&t.answer);
	return rc;
}

/* One session over a link of its own. */
static sat_rc
session_once(sat_sync_result *out, uint8_t channel_pk[SAT_BOX_PK_BYTES],
    sat_replica *r, const sat_sync_opts *o, sat_err *e)
{
	sat_net_client *link = NULL;
	sat_carry carry;
	sat_client_ops ops = sat_carry_ops(&carry, r, o);
	sat_rc rc = sat_sync_open(&link, channel_pk, r, o, e);

	if (rc == SAT_OK) {
		sat_sync_turn(o, true);
		rc = sat_sync_session(out, link, &ops, o, e);
		sat_sync_turn(o, false);
	}
	sat_net_hangup(link);
	return rc;
}

/* Once more with the keys that are in force by now, if they are others. */
static sat_rc
session(sat_sync_result *out, sat_replica *r, const sat_sync_opts *o,
    sat_err *e)
{
	uint8_t used[SAT_BOX_PK_BYTES];
	sat_err why = { 0 };
	sat_rc rc = session_once(out, used, r, o, &why);

	if (rc != SAT_OK && sat_sync_other_keys(r, used, rc, &why, o)) {
		memset(&why, 0, sizeof why);
		rc = session_once(out, used, r, o, &why);
	}
	if (rc != SAT_OK && e != NULL)
		*e = why;
	return rc;
}

int64_t
sat_sync_jitter(int attempt, int64_t cap_ms, const sat_sync_opts *o)
{
	int64_t cap = RETRY_BASE_MS << (attempt < 12 ? attempt : 12);
	uint32_t x = 0;

	o->rand.bytes(o->rand.u, &x, sizeof x);
	return (int64_t)x % ((cap < cap_ms ? cap : cap_ms) + 1);
}

static bool
is_interrupted(const sat_sync_opts *o)
{
	return o->interrupted != NULL && o->interrupted(o->u);
}

static void
pause_before(int attempt, const sat_sync_opts *o)
{
	int64_t left = sat_sync_jitter(attempt, RETRY_CAP_MS, o);

	while (left > 0 && !is_interrupted(o)) {
		int64_t ms = left < SLICE_MS ? left : SLICE_MS;
		struct timespec ts = { 0, ms * 1000000 };

		(void)nanosleep(&ts, NULL);
		left -= ms;
	}
}

sat_rc
sat_sync_run(sat_sync_result *out, sat_replica *r, const sat_sync_opts *o,
    sat_err *e)
{
	const sat_replica_identity *id = sat_replica_identity_get(r);
	int64_t start = sat_boot_ms(&o->clock);
	sat_rc rc;

	memset(out, 0, sizeof *out);
	if ((rc = sat_sync_has_server(id, e)) != SAT_OK)
		return rc;
	for (int attempt = 0;; attempt++) {
		rc = session(out, r, o, e);
		if (rc != SAT_EUNREACHABLE || attempt >= o->retries ||
		    is_interrupted(o))
			break;
		pause_before(attempt, o);
	}
	out->ms = sat_boot_ms(&o->clock) - start;
	if (rc == SAT_OK && out->stats.rejected > 0)
		return sat_fail_code(e, SAT_EPARTLY, "sync.refused",
		    "see: satchel sync pending",
		    "the server refused %llu of %llu commits; they are kept",
		    (unsigned long long)out->stats.rejected,
		    (unsigned long long)out->stats.pushed);
	if (rc == SAT_OK && out->stats.retry_after_s > 0)
		return sat_fail_code(e, SAT_EPARTLY, "quota",
		    "the rest goes with a later sync; it is kept here",
		    "the server takes no more from this device for %llu s",
		    (unsigned long long)out->stats.retry_after_s);
	return rc;
}

/* The one request of an enrolment; idempotent for the same keys and token. */
static sat_rc
enrol_request(sat_replica *r, sat_net_client *link, const sat_invite *inv,
    const char *device_name, const sat_sync_opts *o, sat_err *e)
{
	const sat_replica_identity *id = sat_replica_identity_get(r);
	sat_buf request = { 0 }, reply = { 0 };
	sat_arena a = { 0 };
	sat_msg m = { .type = SAT_MSG_ENROL };
	sat_rc rc;

	m.u.enrol.proto_min = SAT_PROTO_MIN;
	m.u.enrol.proto_max = SAT_PROTO_VERSION;
	m.u.enrol.org = inv->org;
	memcpy(m.u.enrol.token, inv->token, sizeof inv->token);
	memcpy(m.u.enrol.sign_pk, id->sign_pk, sizeof id->sign_pk);
	m.u.enrol.name = sat_span_str(device_name);
	m.u.enrol.wall_ms = sat_wall_ms(&o->clock);
	sat_msg_write(&request, &m);
	if ((rc = sat_net_request(link, &reply, sat_buf_span(&request), e)) !=
	        SAT_OK ||
	    (rc = sat_msg_read(&m, &a, sat_buf_span(&reply), e)) != SAT_OK)
		goto out;
	if (m.type == SAT_MSG_ERROR)
		rc = sat_msg_to_err(&m.u.error, e);
	else if (m.type != SAT_MSG_ENROLLED)
		rc = sat_fail(e, SAT_EPROTO, "the server gave no enrolment");
	else
		rc = sat_replica_enrolled(r, &m.u.enrolled, e);
out:
	sat_arena_fini(&a);
	sat_buf_fini(&request);
	sat_buf_fini(&reply);
	return rc;
}

sat_rc
sat_sync_enrol(sat_replica *r, const sat_invite *inv, const char *device_name,
    const sat_sync_opts *o, sat_err *e)
{
	const sat_replica_identity *id = sat_replica_identity_get(r);
	sat_net_client *link = NULL;
	sat_rc rc;

	if (id->device != 0)
		return sat_fail_code(e, SAT_ECONFLICT, "enrolled", NULL,
		    "this device is enrolled already");
	rc = sat_sync_dial(&link, inv->address, inv->server_pk, id, o, e);
	if (rc == SAT_OK)
		rc = enrol_request(r, link, inv, device_name, o, e);
	sat_net_hangup(link);
	return rc;
}
