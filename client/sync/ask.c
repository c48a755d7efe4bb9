/*
 * ask.c - one question to the server that is not part of a session: a greeting,
 * the question, its answer. Nothing of the replica changes; what was decided
 * reaches this device with the next sync. The content of a file is asked for in
 * pieces, over as many links as it takes as long as each brings something.
 */
#include "client/sync/sync_int.h"

#include <stdlib.h>
#include <string.h>

/* Two frames and where they go; nothing of the replica. */
struct sat_asking {
	sat_replica_identity *id; /* guarded memory; NULL: nothing was put */
	uint64_t epoch;
	sat_buf hello, question, reply;
	sat_buf content; /* of a file, as far as it came */
	bool asked;
	sat_rc rc;
	sat_err err;
};

sat_asking *
sat_asking_new(void)
{
	return sat_xcalloc(1, sizeof(sat_asking));
}

static void
empty(sat_asking *x)
{
	sat_buf_fini(&x->hello);
	sat_buf_fini(&x->question);
	sat_buf_fini(&x->reply);
	sat_buf_fini(&x->content);
	sat_secret_free(x->id);
	memset(x, 0, sizeof *x);
}

void
sat_asking_free(sat_asking *x)
{
	if (x == NULL)
		return;
	empty(x);
	free(x);
}

bool
sat_asking_waits(const sat_asking *x)
{
	return x->id != NULL && !x->asked;
}

/* An answer of the type, or the failure it tells of. */
static sat_rc
answer(sat_msg *m, sat_arena *a, sat_span reply, sat_msg_type want, sat_err *e)
{
	sat_rc rc = sat_msg_read(m, a, sat_span_of(sat_arena_dup(a, reply.p,
	    reply.n), reply.n), e);

	if (rc == SAT_OK && m->type == SAT_MSG_ERROR)
		return sat_msg_to_err(&m->u.error, e);
	if (rc == SAT_OK && m->type != want)
		return sat_fail(e, SAT_EPROTO, "answer %d does not fit",
		    (int)m->type);
	return rc;
}

/* P-373: a question that changes something at the server and whose answer did
 * not come. Others may be asked again. */
static sat_rc
left_open(const sat_asking *x, sat_rc rc, sat_err *e)
{
	if (rc != SAT_EUNREACHABLE ||
	    sat_buf_span(&x->question).p[0] != SAT_MSG_ADMIN)
		return rc;
	return sat_fail_code(e, rc, "net",
	    "look before you ask for it again",
	    "the link was lost before the answer: it may have been done");
}

static bool
asks_file(const sat_asking *x)
{
	return x->question.n > 0 && x->question.p[0] == SAT_MSG_FILE_GET;
}

/* One piece more; *done with the last, and with an answer that is none. */
static sat_rc
fetch_piece(bool *done, sat_asking *x, sat_net_client *link, sat_arena *a,
    sat_err *e)
{
	sat_buf ask = { 0 };
	sat_msg m;
	sat_rc rc = sat_msg_read(&m, a, sat_buf_span(&x->question), e);

	m.u.file_get.at = x->content.n;
	sat_msg_write(&ask, &m);
	sat_buf_reset(&x->reply);
	if (rc == SAT_OK)
		rc = sat_net_request(link, &x->reply, sat_buf_span(&ask), e);
	sat_buf_fini(&ask);
	if (rc != SAT_OK || x->reply.n == 0 ||
	    x->reply.p[0] != SAT_MSG_FILE_IS) {
		*done = true;
		return rc;
	}
	if ((rc = sat_msg_read(&m, a, sat_buf_span(&x->reply), e)) != SAT_OK)
		return rc;
	if (m.u.file_is.at != x->content.n)
		return sat_fail(e, SAT_EPROTO, "a file does not move on");
	sat_buf_add(&x->content, m.u.file_is.data.p, m.u.file_is.data.n);
	*done = x->content.n >= m.u.file_is.bytes;
	return SAT_OK;
}

static sat_rc
fetch(sat_asking *x, sat_net_client *link, sat_err *e)
{
	sat_arena a = { 0 };
	bool done = false;
	sat_rc rc = SAT_OK;

	while (rc == SAT_OK && !done) {
		sat_arena_reset(&a);
		rc = fetch_piece(&done, x, link, &a, e);
	}
	sat_arena_fini(&a);
	return rc;
}

/* Both exchanges; the second one's reply is left in x, or the first one's when it
 * is an order (P-381). */
static sat_rc
exchange(sat_asking *x, sat_net_client *link, sat_err *e)
{
	sat_arena a = { 0 };
	sat_buf reply = { 0 };
	sat_msg m;
	sat_rc rc;

	if ((rc = sat_net_request(link, &reply, sat_buf_span(&x->hello), e)) ==
	    SAT_OK && reply.n > 0 && reply.p[0] == SAT_MSG_WIPE) {
		sat_buf_add(&x->reply, reply.p, reply.n);
	} else if (rc == SAT_OK && (rc = answer(&m, &a, sat_buf_span(&reply),
	    SAT_MSG_WELCOME, e)) == SAT_OK) {
		if (m.u.welcome.epoch != x->epoch)
			rc = sat_fail_code(e, SAT_ECONFLICT, "epoch",
			    "run: satchel sync",
			    "the server was restored since the last sync");
		else if (asks_file(x))
			rc = fetch(x, link, e);
		else
			rc = left_open(x, sat_net_request(link, &x->reply,
			    sat_buf_span(&x->question), e), e);
	}
	sat_buf_fini(&reply);
	sat_arena_fini(&a);
	return rc;
}

static sat_rc
one_link(sat_asking *x, const sat_sync_opts *o)
{
	sat_net_client *link = NULL;
	sat_rc rc = sat_sync_dial(&link, sat_sync_address(x->id, o),
	    x->id->server_pk, x->id, o, &x->err);

	if (rc == SAT_OK)
		rc = exchange(x, link, &x->err);
	sat_net_hangup(link);
	return rc;
}

void
sat_asking_go(sat_asking *x, const sat_sync_opts *o)
{
	size_t had;

	do {
		had = x->content.n;
		x->rc = one_link(x, o);
	} while (x->rc == SAT_EUNREACHABLE && x->content.n > had);
	x->asked = true;
}

static sat_rc
put_question(sat_asking *x, const sat_msg *m, sat_replica *r,
    const sat_key_pairs *as, sat_err *e)
{
	const sat_replica_identity *id = sat_replica_identity_get(r);
	sat_client_ops ops = sat_replica_session(r);
	sat_msg hello = { .type = SAT_MSG_HELLO };
	sat_rc rc;

	empty(x);
	if ((rc = sat_sync_has_server(id, e)) != SAT_OK ||
	    (rc = ops.hello(ops.u, &hello.u.hello, e)) != SAT_OK)
		return rc;
	x->epoch = hello.u.hello.epoch;
	x->id = sat_secret_new(sizeof *x->id);
	*x->id = *id;
	if (as != NULL)
		sat_sync_wear(x->id, as);
	sat_msg_write(&x->hello, &hello);
	sat_msg_write(&x->question, m);
	return SAT_OK;
}

/* Is this the question that was answered? */
static bool
is_answered(const sat_asking *x, const sat_msg *m)
{
	sat_buf b = { 0 };
	bool same;

	if (x->id == NULL || !x->asked)
		return false;
	sat_msg_write(&b, m);
	same = sat_span_eq(sat_buf_span(&b), sat_buf_span(&x->question));
	sat_buf_fini(&b);
	return same;
}

/* One that lets the outbox be pushed before waits for the next sync. */
static sat_rc
obey(sat_replica *r, sat_span frame, sat_err *e)
{
	sat_client_ops ops = sat_replica_session(r);
	sat_arena a = { 0 };
	bool push_first;
	sat_msg m;
	sat_rc rc = sat_msg_read(&m, &a, frame, e);

	if (rc == SAT_OK)
		rc = ops.wipe(ops.u, m.u.wipe, &push_first, e);
	sat_arena_fini(&a);
	return rc != SAT_OK ? rc : sat_fail_code(e, SAT_EREVOKED,
	    push_first ? "device.revoked" : SAT_CODE_WIPE,
	    "ask the administrator for a new invitation",
	    "this device was revoked");
}

static sat_rc
take_answer(sat_msg *m, sat_arena *a, const sat_asking *x, sat_replica *r,
    sat_msg_type want, sat_err *e)
{
	if (x->rc == SAT_OK && x->reply.n > 0 && x->reply.p[0] == SAT_MSG_WIPE)
		return obey(r, sat_buf_span(&x->reply), e);
	if (x->rc == SAT_OK)
		return answer(m, a, sat_buf_span(&x->reply), want, e);
	if (e != NULL)
		*e = x->err;
	return x->rc;
}

/* content NULL: none is asked for. */
static sat_rc
question(sat_msg *m, sat_buf *content, sat_arena *a, sat_replica *r,
    sat_msg_type want, const sat_key_pairs *as, const sat_sync_opts *o,
    sat_err *e)
{
	sat_asking here = { 0 }, *x = o->asking != NULL ? o->asking : &here;
	bool asked = is_answered(x, m);
	sat_rc rc;

	if (!asked && (rc = put_question(x, m, r, as, e)) != SAT_OK)
		return rc;
	if (!asked && x != &here)
		return sat_fail_code(e, SAT_EBUSY, "asking", NULL,
		    "the server is being asked");
	if (!asked)
		sat_asking_go(x, o);
	rc = take_answer(m, a, x, r, want, e);
	if (rc == SAT_OK && content != NULL)
		sat_buf_add(content, x->content.p, x->content.n);
	if (x == &here)
		empty(x);
	return rc;
}

sat_rc
sat_sync_question_as(sat_msg *m, sat_arena *a, sat_replica *r,
    sat_msg_type want, const sat_key_pairs *as, const sat_sync_opts *o,
    sat_err *e)
{
	return question(m, NULL, a, r, want, as, o, e);
}

sat_rc
sat_sync_file(sat_buf *content, sat_replica *r, const sat_file_ref *ref,
    const sat_sync_opts *o, sat_err *e)
{
	sat_msg m = { .type = SAT_MSG_FILE_GET };
	sat_arena a = { 0 };
	sat_rc rc;

	m.u.file_get.rec = ref->rec;
	memcpy(m.u.file_get.hash, ref->hash, sizeof m.u.file_get.hash);
	rc = question(&m, content, &a, r, SAT_MSG_FILE_IS, NULL, o, e);
	sat_arena_fini(&a);
	return rc;
}

sat_rc
sat_sync_question(sat_msg *m, sat_arena *a, sat_replica *r, sat_msg_type want,
    const sat_sync_opts *o, sat_err *e)
{
	return sat_sync_question_as(m, a, r, want, NULL, o, e);
}

sat_rc
sat_sync_privacy(sat_privacy_is *out, sat_arena *a, sat_replica *r,
    const sat_privacy *in, const sat_sync_opts *o, sat_err *e)
{
	sat_msg m = { .type = SAT_MSG_PRIVACY };
	sat_rc rc;

	memset(out, 0, sizeof *out);
	m.u.privacy = *in;
	if ((rc = sat_sync_question(&m, a, r, SAT_MSG_PRIVACY_IS, o, e)) == SAT_OK)
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
	if ((rc = sat_sync_question(&m, a, r, SAT_MSG_HELD, o, e)) == SAT_OK)
		*out = m.u.held;
	return rc;
}

sat_rc
sat_sync_reveal(sat_revealed *out, sat_arena *a, sat_replica *r,
    const sat_reveal *in, const sat_sync_opts *o, sat_err *e)
{
	sat_msg m = { .type = SAT_MSG_REVEAL };
	sat_rc rc;

	memset(out, 0, sizeof *out);
	m.u.reveal = *in;
	if ((rc = sat_sync_question(&m, a, r, SAT_MSG_REVEALED, o, e)) == SAT_OK)
		*out = m.u.revealed;
	return rc;
}

sat_rc
sat_sync_directory(sat_directory *out, sat_arena *a, sat_replica *r,
    const sat_sync_opts *o, sat_err *e)
{
	sat_msg m = { .type = SAT_MSG_DIRECTORY };
	sat_rc rc;

	memset(out, 0, sizeof *out);
	if ((rc = sat_sync_question(&m, a, r, SAT_MSG_DIRECTORY_IS, o, e)) ==
	    SAT_OK)
		*out = m.u.directory;
	return rc;
}
