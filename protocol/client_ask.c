/*
 * client_ask.c - what a device asks, state by state (client.c).
 */
#include "protocol/client_int.h"
#include "protocol/sealed.h"

#include <string.h>

/* A busy server may always be ahead: then the next session compares. */
#define OVERTAKEN_MAX 3

static void
ask(sat_cs *s, const sat_msg *m)
{
	sat_buf_reset(&s->request);
	sat_msg_write(&s->request, m);
	s->asked = true;
	s->sent_ms = sat_wall_ms(&s->clock);
}

static sat_rc
ask_hello(sat_cs *s, sat_err *e)
{
	sat_msg m = { .type = SAT_MSG_HELLO };
	sat_rc rc;

	if ((rc = s->ops.hello(s->ops.u, &m.u.hello, e)) != SAT_OK)
		return rc;
	memcpy(s->template_oid, m.u.hello.template_oid, SAT_TEMPLATE_OID_BYTES);
	s->device = m.u.hello.device;
	s->is_empty = cs_oid_zero(s->template_oid) &&
	    m.u.hello.unsent_cseq == 0;
	s->welcome.registry_rev = m.u.hello.registry_rev; /* until answered */
	ask(s, &m);
	return SAT_OK;
}

/* Written to out; what it takes along is noted in x. */
static sat_rc
write_push(sat_buf *out, cs_pushed *x, sat_push *push, const sat_commit *c,
    size_t n, sat_err *e)
{
	sat_msg m = { .type = SAT_MSG_PUSH };
	sat_buf batch = { 0 };
	sat_rc rc = SAT_OK;

	if (push->sealed)
		sat_sealed_write(&batch, c, n);
	else
		rc = sat_batch_write(&batch, SAT_BATCH_PUSH, c, n, e);
	if (rc == SAT_OK) {
		m.u.push = *push;
		m.u.push.batch = sat_buf_span(&batch);
		sat_msg_write(out, &m);
		x->inc = push->incarnation;
		x->first = push->first_cseq;
		x->last = push->first_cseq + n - 1;
		x->sent = sat_xrealloc(x->sent, n * sizeof *x->sent);
		for (size_t i = 0; i < n; i++)
			x->sent[i] = c[i].hlc;
	}
	sat_buf_fini(&batch);
	return rc;
}

static void
asked_push(sat_cs *s)
{
	s->asked = true;
	s->behind_tried = false;
	s->sent_ms = sat_wall_ms(&s->clock);
}

/* What was prepared while the verdicts before it were under way (P-310). */
static void
ask_behind(sat_cs *s)
{
	cs_pushed done = s->pushed;
	sat_buf was = s->request;

	s->pushed = s->behind;
	s->behind = done; /* for its memory */
	s->request = s->behind_request;
	s->behind_request = was;
	sat_buf_reset(&s->behind_request);
	asked_push(s);
}

static sat_rc
ask_push(sat_cs *s, sat_err *e)
{
	sat_push push = { 0 };
	sat_commit *c = NULL;
	size_t n = 0;
	sat_rc rc;

	if (s->behind_request.n > 0) {
		ask_behind(s);
		return SAT_OK;
	}
	sat_arena_reset(&s->mem);
	if ((rc = s->ops.outbox(s->ops.u, &s->mem, &push, &c, &n,
	    s->from_cseq, e)) != SAT_OK)
		return rc;
	if (n == 0 && s->from_cseq != 0) {
		s->from_cseq = 0; /* what was lost is there: the rest */
		s->resent = false;
		return SAT_OK;
	}
	if (n == 0) {
		cs_go(s, S_ERASED);
		return SAT_OK;
	}
	if (!s->resent && push.first_cseq == s->pushed.first &&
	    push.incarnation == s->pushed.inc)
		return sat_fail(e, SAT_EPROTO,
		    "the outbox did not shrink after its verdicts");
	sat_buf_reset(&s->request);
	if ((rc = write_push(&s->request, &s->pushed, &push, c, n, e)) ==
	    SAT_OK)
		asked_push(s);
	return rc;
}

void
sat_cs_prepare(sat_cs *s)
{
	sat_push push = { 0 };
	sat_commit *c = NULL;
	size_t n = 0;

	if (s->state != S_PUSH || !s->asked || s->behind_tried || s->resent ||
	    s->ops.outbox_behind == NULL)
		return;
	s->behind_tried = true;
	sat_arena_reset(&s->mem);
	if (s->ops.outbox_behind(s->ops.u, &s->mem, &push, &c, &n, NULL) !=
	    SAT_OK || n == 0)
		return;
	if (write_push(&s->behind_request, &s->behind, &push, c, n, NULL) !=
	    SAT_OK)
		sat_buf_reset(&s->behind_request);
}

/* Behind the push, so that the server knows which were used (P-141). */
static sat_rc
ask_numbers(sat_cs *s, sat_err *e)
{
	sat_msg m = { .type = SAT_MSG_NUMBERS };
	sat_rc rc;

	sat_arena_reset(&s->mem);
	if (s->ops.numbers_want != NULL && (rc = s->ops.numbers_want(s->ops.u,
	    &s->mem, &m.u.numbers, e)) != SAT_OK)
		return rc;
	if (m.u.numbers.n > 0)
		ask(s, &m);
	else
		cs_go(s, s->flags & SAT_CS_PUSH_ONLY ? S_FILES : S_SNAP);
	return SAT_OK;
}

static sat_rc
ask_snap(sat_cs *s, sat_err *e)
{
	sat_msg m = { .type = SAT_MSG_SNAP };
	bool wanted;
	sat_rc rc;

	if ((rc = s->ops.snap_state(s->ops.u, &wanted, &s->after, e)) !=
	    SAT_OK)
		return rc;
	if (!wanted) {
		cs_go(s, S_PULL);
		return SAT_OK;
	}
	m.u.snap.after = s->after;
	ask(s, &m);
	return SAT_OK;
}

/* P-223: behind the pull, so that what was told is true of what is here. */
static sat_rc
keep_coverage(sat_cs *s, sat_err *e)
{
	sat_rc rc = SAT_OK;

	if (s->told.n > 0 && s->ops.coverage != NULL)
		rc = s->ops.coverage(s->ops.u, &s->told,
		    s->welcome.registry_rev, e);
	s->told.n = 0;
	return rc;
}

/* Up to date. What was parked for a record that is here now is pushed. */
static sat_rc
pulled(sat_cs *s, sat_err *e)
{
	uint64_t n = 0;
	sat_rc rc;

	if ((rc = keep_coverage(s, e)) != SAT_OK)
		return rc;
	if (s->ops.unpark != NULL && !s->unparked &&
	    s->stats.retry_after_s == 0 && !(s->flags & SAT_CS_PULL_ONLY)) {
		s->unparked = true;
		if ((rc = s->ops.unpark(s->ops.u, &n, e)) != SAT_OK)
			return rc;
	}
	s->stats.complete = n == 0;
	s->digest = (sat_digest){ 0, 0 };
	cs_go(s, n > 0 ? S_PUSH : S_ERASED);
	return SAT_OK;
}

static sat_rc
ask_pull(sat_cs *s, sat_err *e)
{
	sat_msg m = { .type = SAT_MSG_PULL };
	sat_rc rc;

	if ((rc = s->ops.cursor(s->ops.u, &s->cursor, e)) != SAT_OK)
		return rc;
	/* What an earlier session was told of may concern nothing this device
	 * holds any more, so that no later change moves the cursor past it; or a
	 * snapshot took the cursor past it before it was told. */
	if (!s->asked_accepted && s->ops.accepted != NULL) {
		uint64_t lsn = 0;

		if ((rc = s->ops.accepted(s->ops.u, &lsn, e)) != SAT_OK)
			return rc;
		s->asked_accepted = true;
		s->pull_once = s->pull_once || lsn != 0;
	}
	if (s->cursor >= s->scope_head && !s->pull_once)
		return pulled(s, e);
	m.u.pull.cursor = s->cursor;
	m.u.pull.flags = s->full_own ? SAT_PULL_FULL_OWN : 0;
	ask(s, &m);
	return SAT_OK;
}

/* ---- erasures, and what a restored server lacks ---------------------------------- */

static sat_rc
ask_ledger(sat_cs *s, sat_err *e)
{
	sat_msg m = { .type = SAT_MSG_LEDGER };
	bool wanted = false;
	sat_rc rc;

	sat_arena_reset(&s->mem);
	if (s->ops.ledger != NULL && (rc = s->ops.ledger(s->ops.u, &s->mem,
	    &m.u.ledger, &wanted, e)) != SAT_OK)
		return rc;
	if (wanted)
		ask(s, &m);
	else
		cs_go(s, S_REGISTRY);
	return SAT_OK;
}

static sat_rc
ask_seed(sat_cs *s, sat_err *e)
{
	sat_msg m = { .type = SAT_MSG_SEED };
	bool wanted = false;
	sat_rc rc;

	sat_arena_reset(&s->mem);
	if (s->ops.seed != NULL && (rc = s->ops.seed(s->ops.u, &s->mem,
	    &m.u.seed, &wanted, e)) != SAT_OK)
		return rc;
	if (wanted)
		ask(s, &m);
	else
		cs_go(s, S_TEMPLATE);
	return SAT_OK;
}

/* Behind the push, and again behind the pull, which may bring what others had of
 * somebody erased (P-398). */
static sat_rc
ask_erased(sat_cs *s, sat_err *e)
{
	sat_msg m = { .type = SAT_MSG_ERASED };
	bool wanted = false;
	sat_rc rc;

	if (s->ops.erased != NULL && (rc = s->ops.erased(s->ops.u,
	    &m.u.erased, &wanted, e)) != SAT_OK)
		return rc;
	if (wanted)
		ask(s, &m);
	else if (!s->stats.complete)
		cs_go(s, S_NUMBERS);
	else
		cs_go(s, s->ops.differs != NULL && s->overtaken < OVERTAKEN_MAX ?
		    S_DIGEST : S_FILES);
	return SAT_OK;
}

static void
ask_registry(sat_cs *s)
{
	sat_msg m = { .type = SAT_MSG_REGISTRY };

	if (s->registry_wanted)
		ask(s, &m);
	else
		cs_go(s, S_SEED);
}

static void
ask_template(sat_cs *s)
{
	sat_msg m = { .type = SAT_MSG_TEMPLATE };

	if (!s->template_wanted && memcmp(s->welcome.template_oid,
	    s->template_oid, SAT_TEMPLATE_OID_BYTES) == 0) {
		cs_go(s, S_PUSH);
		return;
	}
	memcpy(m.u.template_have, s->template_oid, SAT_TEMPLATE_OID_BYTES);
	ask(s, &m);
}

/* P-183: sums are compared at one position. */
static sat_rc
ask_digest(sat_cs *s, sat_err *e)
{
	sat_msg m = { .type = SAT_MSG_DIGEST };
	bool yes = false;
	sat_rc rc;

	if ((rc = s->ops.differs(s->ops.u, &yes, e)) != SAT_OK)
		return rc;
	if (!yes) {
		cs_go(s, S_FILES);
		return SAT_OK;
	}
	m.u.digest = s->digest;
	ask(s, &m);
	return SAT_OK;
}

static sat_rc
ask_refetch(sat_cs *s, sat_err *e)
{
	sat_msg m = { .type = SAT_MSG_REFETCH };
	sat_rc rc;

	if ((rc = s->ops.refetch_next(s->ops.u, &s->range, e)) != SAT_OK)
		return rc;
	if (s->range.to_eid == 0) {
		cs_go(s, S_FILES);
		return SAT_OK;
	}
	m.u.refetch = s->range;
	ask(s, &m);
	return SAT_OK;
}

/* P-440: last, for records are small and people wait for them. */
static sat_rc
ask_files(sat_cs *s, sat_err *e)
{
	sat_msg m = { .type = SAT_MSG_FILE_PUT };
	bool wanted = false;
	sat_rc rc;

	sat_arena_reset(&s->mem);
	if (s->ops.file_next != NULL && !(s->flags & SAT_CS_PULL_ONLY) &&
	    (rc = s->ops.file_next(s->ops.u, &s->mem, &m.u.file_put, &wanted,
	    e)) != SAT_OK)
		return rc;
	if (wanted)
		ask(s, &m);
	else
		cs_go(s, S_DONE);
	return SAT_OK;
}

/* Build the question of the current state; a state that has none moves on. */
sat_rc
sat_cs_build(sat_cs *s, sat_err *e)
{
	switch (s->state) {
	case S_HELLO: return ask_hello(s, e);
	case S_LEDGER: return ask_ledger(s, e);
	case S_REGISTRY: ask_registry(s); return SAT_OK;
	case S_SEED: return ask_seed(s, e);
	case S_TEMPLATE: ask_template(s); return SAT_OK;
	case S_PUSH:
		if (!(s->flags & SAT_CS_PULL_ONLY) || s->leaving)
			return ask_push(s, e);
		cs_go(s, S_ERASED);
		return SAT_OK;
	case S_ERASED: return ask_erased(s, e);
	case S_NUMBERS: return ask_numbers(s, e);
	case S_SNAP:
		if (!s->outdated)
			return ask_snap(s, e);
		cs_go(s, S_FILES);
		return SAT_OK;
	case S_PULL: return ask_pull(s, e);
	case S_DIGEST: return ask_digest(s, e);
	case S_REFETCH: return ask_refetch(s, e);
	case S_FILES: return ask_files(s, e);
	case S_DONE: break;
	}
	return SAT_OK;
}
