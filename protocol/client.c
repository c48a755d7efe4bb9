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
#include "protocol/client.h"
#include "protocol/sealed.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* A busy server may always be ahead: then the next session compares. */
#define OVERTAKEN_MAX 3

typedef enum cs_state {
	S_HELLO, S_LEDGER, S_REGISTRY, S_SEED, S_TEMPLATE, S_PUSH, S_ERASED,
	S_NUMBERS, S_SNAP, S_PULL, S_DIGEST, S_REFETCH, S_DONE,
} cs_state;

/* What a PUSH took along. */
typedef struct cs_pushed {
	uint32_t inc;
	uint64_t first, last;    /* cseq */
	sat_hlc *sent;           /* stamps */
} cs_pushed;

struct sat_cs {
	sat_client_ops ops;
	sat_clock clock;
	unsigned flags;
	cs_state state;
	bool asked;              /* request holds the question of `state` */
	bool registry_wanted;
	sat_buf request;
	sat_arena mem;           /* of the answer or the outbox being handled */
	int64_t sent_ms;
	sat_welcome welcome;
	uint8_t template_oid[SAT_TEMPLATE_OID_BYTES]; /* what the device has */
	uint8_t tip[SAT_TEMPLATE_OID_BYTES]; /* what WELCOME named */
	uint32_t device;
	/* push */
	uint64_t from_cseq;      /* 0 = wherever the outbox starts */
	cs_pushed pushed;
	bool resent;             /* from_cseq was asked for by the server */
	/* the one behind it; tried: looked for since the last question */
	cs_pushed behind;
	sat_buf behind_request;  /* empty: there is none */
	bool behind_tried;
	/* pull */
	bool pull_once;          /* something was merged: the cursor must pass it */
	bool asked_accepted;     /* by an earlier session, too: asked once */
	bool full_own;
	bool unparked;           /* asked once */
	bool template_wanted;    /* records came that need a newer one */
	bool template_again;     /* asked for again, once a session */
	uint64_t scope_head, cursor;
	uint64_t after;
	sat_coverage told;       /* by WELCOME, until the pull has caught up */
	/* repair */
	sat_digest digest;       /* sums asked for: those after it */
	sat_refetch range;
	unsigned overtaken;      /* times the server went on meanwhile */
	sat_cs_stats stats;
};

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

static void
go(sat_cs *s, cs_state next)
{
	s->state = next;
	s->asked = false;
}

static void
ask(sat_cs *s, const sat_msg *m)
{
	sat_buf_reset(&s->request);
	sat_msg_write(&s->request, m);
	s->asked = true;
	s->sent_ms = sat_wall_ms(&s->clock);
}

/* ---- questions -------------------------------------------------------------- */

static sat_rc
ask_hello(sat_cs *s, sat_err *e)
{
	sat_msg m = { .type = SAT_MSG_HELLO };
	sat_rc rc;

	if ((rc = s->ops.hello(s->ops.u, &m.u.hello, e)) != SAT_OK)
		return rc;
	memcpy(s->template_oid, m.u.hello.template_oid, SAT_TEMPLATE_OID_BYTES);
	s->device = m.u.hello.device;
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
		go(s, S_ERASED);
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
		go(s, s->flags & SAT_CS_PUSH_ONLY ? S_DONE : S_SNAP);
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
		go(s, S_PULL);
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
	if (n > 0)
		go(s, S_PUSH);
	else
		go(s, s->ops.differs != NULL && s->overtaken < OVERTAKEN_MAX ?
		    S_DIGEST : S_DONE);
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
		go(s, S_REGISTRY);
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
		go(s, S_TEMPLATE);
	return SAT_OK;
}

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
	else
		go(s, S_NUMBERS);
	return SAT_OK;
}

static void
ask_registry(sat_cs *s)
{
	sat_msg m = { .type = SAT_MSG_REGISTRY };

	if (s->registry_wanted)
		ask(s, &m);
	else
		go(s, S_SEED);
}

static void
ask_template(sat_cs *s)
{
	sat_msg m = { .type = SAT_MSG_TEMPLATE };

	if (!s->template_wanted && memcmp(s->welcome.template_oid,
	    s->template_oid, SAT_TEMPLATE_OID_BYTES) == 0) {
		go(s, S_PUSH);
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
		go(s, S_DONE);
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
		go(s, S_DONE);
		return SAT_OK;
	}
	m.u.refetch = s->range;
	ask(s, &m);
	return SAT_OK;
}

/* Build the question of the current state; a state that has none moves on. */
static sat_rc
build(sat_cs *s, sat_err *e)
{
	switch (s->state) {
	case S_HELLO: return ask_hello(s, e);
	case S_LEDGER: return ask_ledger(s, e);
	case S_REGISTRY: ask_registry(s); return SAT_OK;
	case S_SEED: return ask_seed(s, e);
	case S_TEMPLATE: ask_template(s); return SAT_OK;
	case S_PUSH:
		if (!(s->flags & SAT_CS_PULL_ONLY))
			return ask_push(s, e);
		go(s, S_ERASED);
		return SAT_OK;
	case S_ERASED: return ask_erased(s, e);
	case S_NUMBERS: return ask_numbers(s, e);
	case S_SNAP: return ask_snap(s, e);
	case S_PULL: return ask_pull(s, e);
	case S_DIGEST: return ask_digest(s, e);
	case S_REFETCH: return ask_refetch(s, e);
	case S_DONE: break;
	}
	return SAT_OK;
}

sat_rc
sat_cs_next(sat_cs *s, sat_buf *out, bool *done, sat_err *e)
{
	sat_rc rc;

	*done = false;
	while (!s->asked && s->state != S_DONE)
		if ((rc = build(s, e)) != SAT_OK)
			return rc;
	if (s->state == S_DONE) {
		*done = true;
		return SAT_OK;
	}
	sat_buf_add(out, s->request.p, s->request.n);
	return SAT_OK;
}

/* ---- answers ------------------------------------------------------------------ */

static sat_rc
on_welcome(sat_cs *s, sat_welcome *w, sat_err *e)
{
	uint64_t had = s->welcome.registry_rev;
	sat_reported *had_rows = s->told.row;
	sat_rc rc;

	if (w->proto < SAT_PROTO_MIN || w->proto > SAT_PROTO_VERSION)
		return sat_fail(e, SAT_EVERSION,
		    "server speaks protocol %u, this program %u to %u",
		    w->proto, SAT_PROTO_MIN, SAT_PROTO_VERSION);
	if (w->template_same)
		memcpy(w->template_oid, s->template_oid,
		    SAT_TEMPLATE_OID_BYTES);
	memcpy(s->tip, w->template_oid, sizeof s->tip);
	if ((rc = s->ops.welcome(s->ops.u, w, s->sent_ms, e)) != SAT_OK)
		return rc;
	s->welcome = *w;
	s->welcome.certs = NULL; /* they lived in the frame */
	s->told = w->coverage;
	s->told.row = sat_xrealloc(had_rows, (w->coverage.n + 1) *
	    sizeof *s->told.row);
	memcpy(s->told.row, w->coverage.row, w->coverage.n *
	    sizeof *s->told.row);
	s->scope_head = w->scope_head;
	s->stats.new_epoch = w->ncerts > 0;
	/* A restored server may count to the same revision with another
	 * content. */
	s->registry_wanted = w->registry_rev != had || w->ncerts > 0;
	go(s, S_LEDGER);
	return SAT_OK;
}

static sat_rc
on_registry(sat_cs *s, sat_span registry, sat_err *e)
{
	sat_rc rc = s->ops.registry(s->ops.u, registry, e);

	if (rc != SAT_OK)
		return rc;
	s->stats.registry_changed = true;
	s->registry_wanted = false;
	go(s, S_SEED);
	return SAT_OK;
}

static sat_rc
on_ledger(sat_cs *s, const sat_ledger *l, sat_err *e)
{
	sat_rc rc = s->ops.ledger_is(s->ops.u, l, e);

	if (rc != SAT_OK)
		return rc;
	s->stats.erased += l->n;
	go(s, S_REGISTRY);
	return SAT_OK;
}

static sat_rc
on_seeded(sat_cs *s, const sat_seeded *in, sat_err *e)
{
	sat_rc rc = s->ops.seeded(s->ops.u, in, e);

	if (rc != SAT_OK)
		return rc;
	s->stats.seeded += in->taken;
	memcpy(s->welcome.template_oid, in->template_oid,
	    SAT_TEMPLATE_OID_BYTES);
	go(s, S_SEED);
	return SAT_OK;
}

static sat_rc
on_erased_ok(sat_cs *s, sat_err *e)
{
	sat_rc rc = s->ops.erased_ok(s->ops.u, e);

	if (rc == SAT_OK)
		go(s, S_ERASED);
	return rc;
}

static sat_rc
on_template(sat_cs *s, const sat_msg *m, sat_err *e)
{
	sat_rc rc;

	if (m->u.template_is.bundle.n != 0) {
		if ((rc = s->ops.template_(s->ops.u, m->u.template_is.tip,
		    m->u.template_is.bundle, e)) != SAT_OK)
			return rc;
		s->stats.template_changed = true;
		memcpy(s->template_oid, m->u.template_is.tip,
		    SAT_TEMPLATE_OID_BYTES);
	}
	s->template_wanted = false;
	go(s, S_PUSH);
	return SAT_OK;
}

/* A template was published while this session ran, and others use it already:
 * it is asked for, then the same page again (P-169). */
static bool
needs_template(sat_cs *s, sat_rc rc)
{
	if (rc != SAT_EVERSION || s->template_again)
		return false;
	s->template_wanted = s->template_again = true;
	go(s, S_TEMPLATE);
	return true;
}

/* The verdicts must answer what was sent: ascending, inside the batch. Those
 * without a stamp have the one that was sent. */
static sat_rc
check_verdicts(const sat_cs *s, sat_verdicts *v, sat_err *e)
{
	uint64_t next = s->pushed.first;

	for (size_t i = 0; i < v->n; i++) {
		if (v->v[i].cseq < next || v->v[i].cseq > s->pushed.last)
			return sat_fail(e, SAT_EPROTO,
			    "verdict of a commit that was not sent");
		next = v->v[i].cseq + 1;
		if (v->v[i].eff == 0 && v->v[i].lsn != 0)
			v->v[i].eff = s->pushed.sent[v->v[i].cseq -
			    s->pushed.first];
	}
	return SAT_OK;
}

static void
count_verdicts(sat_cs *s, const sat_verdicts *v)
{
	s->stats.pushed += v->n;
	for (size_t i = 0; i < v->n; i++) {
		switch (v->v[i].code) {
		case SAT_VD_OK: s->stats.accepted++; break;
		case SAT_VD_OK_LATE: s->stats.late++; break;
		case SAT_VD_CONFLICT: s->stats.conflicts++; break;
		case SAT_VD_REJECTED:
		case SAT_VD_PARKED: s->stats.rejected++; break;
		case SAT_VD_HANDOVER: s->stats.handed++; break;
		}
		if (v->v[i].lsn != 0)
			s->pull_once = true;
	}
}

static sat_rc
on_verdicts(sat_cs *s, sat_verdicts *v, sat_err *e)
{
	uint64_t from = 0;
	sat_rc rc;

	if (v->fork && (rc = s->ops.verdicts(s->ops.u, s->pushed.inc, v, e)) !=
	    SAT_OK)
		return rc; /* the device notes what the server does not take */
	if (v->fork)
		return sat_fail_code(e, SAT_ECONFLICT, "fork",
		    "this folder is a copy or an old backup of a device that "
		    "went on elsewhere: start it as a new incarnation "
		    "(restore), its unsent work is kept",
		    "the server knows other commits under the same numbers");
	if ((rc = check_verdicts(s, v, e)) != SAT_OK ||
	    (rc = s->ops.verdicts(s->ops.u, s->pushed.inc, v, e)) != SAT_OK)
		return rc;
	count_verdicts(s, v);
	if (v->need_cseq != 0) {
		/* Once is a server restored from a backup; the same question
		 * again means the commit it needs is gone here. */
		if (v->need_cseq >= s->pushed.first ||
		    (s->resent && v->need_cseq <= s->from_cseq))
			return sat_fail_code(e, SAT_ECONFLICT, "gap", NULL,
			    "the server needs commit %llu, which this device "
			    "does not have any more",
			    (unsigned long long)v->need_cseq);
		from = v->need_cseq;
	} else if (v->n == 0) {
		return sat_fail(e, SAT_EPROTO, "verdicts without a verdict");
	} else if (s->resent) {
		from = s->pushed.last + 1; /* on through what it had lost */
	}
	s->resent = from != 0;
	s->from_cseq = from;
	if (s->resent)
		sat_buf_reset(&s->behind_request);
	go(s, S_PUSH);
	return SAT_OK;
}

/* Asked once a session: what is still missing is asked for the next time. */
static sat_rc
on_numbers(sat_cs *s, const sat_numbers *given, sat_err *e)
{
	sat_rc rc = s->ops.numbers(s->ops.u, given, e);

	if (rc == SAT_OK)
		go(s, s->flags & SAT_CS_PUSH_ONLY ? S_DONE : S_SNAP);
	return rc;
}

static sat_rc
on_chunk(sat_cs *s, sat_chunk *c, sat_err *e)
{
	uint8_t hash[SAT_HASH_BYTES];
	sat_rc rc;

	sat_hash(hash, c->records);
	if (memcmp(hash, c->hash, sizeof hash) != 0) /* P-093 */
		return sat_fail(e, SAT_EINTEGRITY, "snapshot chunk hash differs");
	if (!c->done && c->next == s->after)
		return sat_fail(e, SAT_EPROTO, "snapshot does not move on");
	if (c->records.n != 0 && (rc = sat_records_read(&c->recs, &c->nrecs,
	    &s->mem, c->records, e)) != SAT_OK)
		return rc;
	c->decoded = true;
	if ((rc = s->ops.chunk(s->ops.u, c, e)) != SAT_OK)
		return needs_template(s, rc) ? SAT_OK : rc;
	s->stats.records += c->nrecs;
	go(s, c->done ? S_PULL : S_SNAP);
	if (c->done)
		s->pull_once = true; /* what happened while it was read */
	return SAT_OK;
}

static bool
oid_zero(const uint8_t oid[SAT_TEMPLATE_OID_BYTES])
{
	static const uint8_t zero[SAT_TEMPLATE_OID_BYTES];

	return memcmp(oid, zero, sizeof zero) == 0;
}

static sat_rc
on_delta(sat_cs *s, sat_delta *d, sat_err *e)
{
	sat_hlc in_batch = 0;
	sat_rc rc;

	if (d->upto < s->cursor ||
	    (d->upto == s->cursor && d->upto < d->scope_head))
		return sat_fail(e, SAT_EPROTO, "pull does not move on");
	if ((d->batch.n != 0 && (rc = sat_batch_read(&d->commits,
	    &d->ncommits, &s->mem, SAT_BATCH_PULL, d->batch, e)) != SAT_OK) ||
	    (d->records.n != 0 && (rc = sat_records_read(&d->recs, &d->nrecs,
	    &s->mem, d->records, e)) != SAT_OK))
		return rc;
	for (size_t i = 0; d->max_eff == 0 && i < d->ncommits; i++)
		if (d->commits[i].eff > in_batch)
			in_batch = d->commits[i].eff;
	d->max_eff = d->max_eff == 0 ? in_batch : d->max_eff;
	for (size_t i = 0; i < d->ncommits; i++) /* P-069 */
		if (oid_zero(d->commits[i].template_oid))
			memcpy(d->commits[i].template_oid, s->tip,
			    sizeof s->tip);
	d->decoded = true;
	rc = s->ops.delta(s->ops.u, d, e);
	if (rc == SAT_ENOTFOUND && !s->full_own) {
		s->full_own = true; /* an own commit left the outbox */
		go(s, S_PULL);
		return SAT_OK;
	}
	if (rc != SAT_OK)
		return needs_template(s, rc) ? SAT_OK : rc;
	s->full_own = false;
	s->pull_once = false;
	s->scope_head = d->scope_head;
	s->stats.pulled_commits += d->ncommits;
	s->stats.records += d->nrecs;
	s->stats.rescopes += d->nrescopes;
	go(s, S_PULL);
	return SAT_OK;
}

static sat_rc
on_digest(sat_cs *s, const sat_digest_is *d, sat_err *e)
{
	sat_digest asked = s->digest;
	sat_rc rc;

	if (!d->done && (d->n == 0 || d->sums[d->n - 1].kind < asked.kind ||
	    (d->sums[d->n - 1].kind == asked.kind &&
	    d->sums[d->n - 1].bucket <= asked.bucket)))
		return sat_fail(e, SAT_EPROTO, "sums do not move on");
	rc = s->ops.digest(s->ops.u, &asked, d, e);
	if (rc == SAT_EFALSE) { /* what came since goes first */
		s->overtaken++;
		s->scope_head = d->scope_head;
		s->pull_once = true;
		go(s, S_PULL);
		return SAT_OK;
	}
	if (rc != SAT_OK)
		return rc;
	if (d->done) {
		go(s, S_REFETCH);
		return SAT_OK;
	}
	s->digest = (sat_digest){ d->sums[d->n - 1].kind,
		d->sums[d->n - 1].bucket };
	go(s, S_DIGEST);
	return SAT_OK;
}

static sat_rc
on_refetch(sat_cs *s, sat_refetch_is *d, sat_err *e)
{
	sat_rc rc;

	if (d->next_eid <= s->range.after_eid || d->next_eid > s->range.to_eid)
		return sat_fail(e, SAT_EPROTO, "a range does not move on");
	if (d->records.n != 0 && (rc = sat_records_read(&d->recs, &d->nrecs,
	    &s->mem, d->records, e)) != SAT_OK)
		return rc;
	d->decoded = true;
	if ((rc = s->ops.refetch(s->ops.u, &s->range, d, e)) != SAT_OK)
		return rc;
	s->stats.refetched++;
	s->stats.records += d->nrecs;
	go(s, S_REFETCH);
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
	go(s, S_ERASED);
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

bool
sat_cs_ahead(sat_cs *s, sat_span reply, sat_buf *out)
{
	sat_msg in, next = { .type = SAT_MSG_PULL };
	bool more = false;

	if (!s->asked || (s->state != S_SNAP && s->state != S_PULL &&
	    (s->state != S_PUSH || s->behind_request.n == 0)))
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
	if (in.type == SAT_MSG_CHUNK) {
		more = !in.u.chunk.done;
		next.type = SAT_MSG_SNAP;
		next.u.snap.after = in.u.chunk.next;
	} else {
		more = in.u.delta.upto < in.u.delta.scope_head;
		next.u.pull.cursor = in.u.delta.upto;
	}
	if (more)
		sat_msg_write(out, &next);
	return more;
}

sat_rc
sat_cs_reply(sat_cs *s, sat_span frame, sat_err *e)
{
	sat_msg m;
	sat_rc rc;

	if (!s->asked || s->state == S_DONE)
		return sat_fail(e, SAT_EPROTO, "reply without a question");
	sat_arena_reset(&s->mem);
	if ((rc = sat_msg_read(&m, &s->mem, frame, e)) != SAT_OK)
		return rc;
	s->stats.round_trips++;
	if (m.type == SAT_MSG_ERROR && s->state == S_PUSH &&
	    over_quota(s, &m.u.error))
		return SAT_OK;
	if (m.type == SAT_MSG_ERROR)
		return sat_msg_to_err(&m.u.error, e);
	if (m.type != answer_of[s->state])
		return sat_fail(e, SAT_EPROTO, "reply %d does not fit state %d",
		    (int)m.type, (int)s->state);
	switch (s->state) {
	case S_HELLO: return on_welcome(s, &m.u.welcome, e);
	case S_LEDGER: return on_ledger(s, &m.u.ledger, e);
	case S_SEED: return on_seeded(s, &m.u.seeded, e);
	case S_ERASED: return on_erased_ok(s, e);
	case S_REGISTRY: return on_registry(s, m.u.registry, e);
	case S_TEMPLATE: return on_template(s, &m, e);
	case S_PUSH: return on_verdicts(s, &m.u.verdicts, e);
	case S_NUMBERS: return on_numbers(s, &m.u.numbers, e);
	case S_SNAP: return on_chunk(s, &m.u.chunk, e);
	case S_PULL: return on_delta(s, &m.u.delta, e);
	case S_DIGEST: return on_digest(s, &m.u.digest_is, e);
	case S_REFETCH: return on_refetch(s, &m.u.refetch_is, e);
	case S_DONE: break;
	}
	return SAT_OK;
}
