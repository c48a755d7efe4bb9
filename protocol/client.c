/*
 * client.c - the device's side of a session, as a table of states.
 *
 * Why push before pull: for whatever leaves this device's scope in the pull,
 * the verdicts of its own edits are already there (sync design B12). Why the
 * request is kept: a request that got no answer is sent again byte for byte,
 * and the server gives the same answer (P-073).
 *
 * A state builds its request, or has nothing to ask and names the next one.
 */
#include "protocol/client_int.h"

#include <stdlib.h>
#include <string.h>

sat_cs *
sat_cs_new(const sat_client_ops *ops, const sat_clock *clock, unsigned flags)
{
	sat_cs *s = sat_xcalloc(1, sizeof *s);

	s->ops = *ops;
	s->clock = *clock;
	s->flags = flags;
	return s;
}

void
sat_cs_free(sat_cs *s)
{
	if (s == NULL)
		return;
	sat_buf_fini(&s->request);
	sat_buf_fini(&s->behind_request);
	sat_arena_fini(&s->mem);
	free(s->pushed.sent);
	free(s->behind.sent);
	free(s->told.row);
	free(s);
}

const sat_cs_stats *
sat_cs_stats_get(const sat_cs *s)
{
	return &s->stats;
}

static sat_rc
wipe_now(sat_err *e)
{
	return sat_fail_code(e, SAT_EREVOKED, SAT_CODE_WIPE,
	    "ask for a new invitation",
	    "this device was revoked, and is to destroy what it holds");
}

/* P-381. */
static sat_rc
on_wipe(sat_cs *s, sat_span order, sat_err *e)
{
	bool push_first = false;
	sat_rc rc;

	if (s->ops.wipe == NULL)
		return sat_fail(e, SAT_EPROTO, "an order to wipe where nothing "
		    "can be wiped");
	if ((rc = s->ops.wipe(s->ops.u, order, &push_first, e)) != SAT_OK)
		return rc;
	if (!push_first || s->leaving)
		return wipe_now(e);
	s->leaving = true;
	cs_go(s, S_PUSH);
	return SAT_OK;
}

/* P-385: the outbox is pushed; or it cannot be, which keeps no device from being
 * wiped. */
static sat_rc
leave(sat_cs *s, sat_rc rc, sat_err *e)
{
	bool none;

	if (!s->leaving || (rc == SAT_OK && s->state == S_PUSH))
		return rc;
	rc = s->ops.wipe(s->ops.u, (sat_span){ NULL, 0 }, &none, e);
	return rc == SAT_OK ? wipe_now(e) : rc;
}

sat_rc
sat_cs_next(sat_cs *s, sat_buf *out, bool *done, sat_err *e)
{
	sat_rc rc;

	*done = false;
	while (!s->asked && s->state != S_DONE)
		if ((rc = leave(s, sat_cs_build(s, e), e)) != SAT_OK)
			return rc;
	if (s->state == S_DONE && s->outdated) {
		if (e != NULL)
			*e = s->outdated_why;
		return SAT_EVERSION;
	}
	if (s->state == S_DONE) {
		*done = true;
		return SAT_OK;
	}
	sat_buf_add(out, s->request.p, s->request.n);
	return SAT_OK;
}

static const sat_msg_type answer_of[] = {
	[S_HELLO] = SAT_MSG_WELCOME,
	[S_LEDGER] = SAT_MSG_LEDGER_IS,
	[S_SEED] = SAT_MSG_SEEDED,
	[S_ERASED] = SAT_MSG_ERASED_OK,
	[S_REGISTRY] = SAT_MSG_REGISTRY_IS,
	[S_TEMPLATE] = SAT_MSG_TEMPLATE_IS,
	[S_PUSH] = SAT_MSG_VERDICTS,
	[S_NUMBERS] = SAT_MSG_NUMBERS_IS,
	[S_SNAP] = SAT_MSG_CHUNK,
	[S_PULL] = SAT_MSG_DELTA,
	[S_DIGEST] = SAT_MSG_DIGEST_IS,
	[S_REFETCH] = SAT_MSG_REFETCH_IS,
	[S_FILES] = SAT_MSG_FILE_TAKEN,
};

/* P-096: the rest waits in the outbox; what others did is pulled all the
 * same. */
static bool
over_quota(sat_cs *s, const sat_msg_error *m)
{
	static const char word[] = "RETRY_AFTER ";
	const size_t n = sizeof word - 1;
	uint64_t wait_s = 0;

	if (!sat_span_eq(m->code, sat_span_str("quota")) || m->hint.n <= n ||
	    memcmp(m->hint.p, word, n) != 0)
		return false;
	for (size_t i = n; i < m->hint.n && i < n + 9 && m->hint.p[i] >= '0' &&
	    m->hint.p[i] <= '9'; i++)
		wait_s = wait_s * 10 + (uint64_t)(m->hint.p[i] - '0');
	s->stats.retry_after_s = wait_s > 0 ? wait_s : 1;
	sat_buf_reset(&s->behind_request);
	cs_go(s, S_ERASED);
	return true;
}

/* Every commit has its verdict: what is behind them can go. */
static bool
all_answered(const sat_cs *s, const sat_verdicts *v)
{
	return !v->fork && v->need_cseq == 0 && v->n > 0 &&
	    v->v[0].cseq == s->pushed.first &&
	    v->v[v->n - 1].cseq == s->pushed.last &&
	    v->n - 1 == s->pushed.last - s->pushed.first;
}

/* Its first template: what is asked for behind it is the first chunk, or before
 * that numbers. */
static bool
fills_next(const sat_cs *s)
{
	return s->state == S_TEMPLATE && s->is_empty &&
	    !(s->flags & SAT_CS_PUSH_ONLY);
}

static bool
can_guess(const sat_cs *s)
{
	return s->asked && (s->state == S_SNAP || s->state == S_PULL ||
	    fills_next(s) ||
	    (s->state == S_PUSH && s->behind_request.n > 0));
}

bool
sat_cs_keeps(const sat_cs *s)
{
	return s->asked && s->state == S_NUMBERS;
}

bool
sat_cs_ahead(sat_cs *s, sat_span reply, sat_buf *out)
{
	sat_msg in, next;
	bool more;

	if (!can_guess(s))
		return false;
	sat_arena_reset(&s->mem);
	if (sat_msg_read(&in, &s->mem, reply, NULL) != SAT_OK ||
	    in.type != answer_of[s->state])
		return false;
	if (in.type == SAT_MSG_VERDICTS) {
		if (!all_answered(s, &in.u.verdicts))
			return false;
		sat_buf_add(out, s->behind_request.p, s->behind_request.n);
		return true;
	}
	more = sat_cs_behind_page(&next, &in);
	if (in.type == SAT_MSG_TEMPLATE_IS) {
		more = in.u.template_is.bundle.n > 0 &&
		    cs_is_due(s, in.u.template_is.tip);
		next = (sat_msg){ .type = SAT_MSG_SNAP };
	} else if (in.type == SAT_MSG_DELTA) {
		more = more || cs_asks_again(&in.u.delta);
	}
	if (more)
		sat_msg_write(out, &next);
	return more;
}

/* Revoked since it greeted: greeting again tells whether that is all. */
static bool
greets_again(sat_cs *s, const sat_msg *m)
{
	if (m->u.error.rc != SAT_EREVOKED || sat_span_eq(m->u.error.code,
	    sat_span_str(SAT_CODE_REKEYED)) || s->state == S_HELLO ||
	    s->regreeted || s->leaving)
		return false;
	s->regreeted = true;
	cs_go(s, S_HELLO);
	return true;
}

static sat_rc
take(sat_cs *s, sat_msg *m, sat_err *e)
{
	s->stats.round_trips++;
	if (m->type == SAT_MSG_WIPE && s->state == S_HELLO)
		return on_wipe(s, m->u.wipe, e);
	if (m->type == SAT_MSG_ERROR && s->state == S_PUSH &&
	    over_quota(s, &m->u.error))
		return leave(s, SAT_OK, e);
	if (m->type == SAT_MSG_ERROR && greets_again(s, m))
		return SAT_OK;
	if (m->type == SAT_MSG_ERROR)
		return leave(s, sat_msg_to_err(&m->u.error, e), e);
	if (m->type != answer_of[s->state])
		return sat_fail(e, SAT_EPROTO, "reply %d does not fit state %d",
		    (int)m->type, (int)s->state);
	return leave(s, sat_cs_answered(s, m, e), e);
}

static sat_rc
was_asked(const sat_cs *s, sat_err *e)
{
	if (!s->asked || s->state == S_DONE)
		return sat_fail(e, SAT_EPROTO, "reply without a question");
	return SAT_OK;
}

sat_rc
sat_cs_reply(sat_cs *s, sat_span frame, sat_err *e)
{
	sat_msg m;
	sat_rc rc;

	if ((rc = was_asked(s, e)) != SAT_OK)
		return rc;
	sat_arena_reset(&s->mem);
	if ((rc = sat_cs_read_frame(&m, &s->mem, frame, e)) != SAT_OK)
		return rc;
	return take(s, &m, e);
}

sat_rc
sat_cs_take(sat_cs *s, sat_cs_answer *a, sat_err *e)
{
	sat_rc rc;

	if ((rc = was_asked(s, e)) != SAT_OK)
		return rc;
	if (a->rc != SAT_OK && e != NULL)
		*e = a->why;
	return a->rc != SAT_OK ? a->rc : take(s, &a->m, e);
}
