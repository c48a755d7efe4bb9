/*
 * client_answer.c - what a device does with the answers (client.c).
 */
#include "protocol/client_int.h"

#include <string.h>

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
	cs_go(s, S_LEDGER);
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
	cs_go(s, S_SEED);
	return SAT_OK;
}

static sat_rc
on_ledger(sat_cs *s, const sat_ledger *l, sat_err *e)
{
	sat_rc rc = s->ops.ledger_is(s->ops.u, l, e);

	if (rc != SAT_OK)
		return rc;
	s->stats.erased += l->n;
	cs_go(s, S_REGISTRY);
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
	cs_go(s, S_SEED);
	return SAT_OK;
}

static sat_rc
on_erased_ok(sat_cs *s, sat_err *e)
{
	sat_rc rc = s->ops.erased_ok(s->ops.u, e);

	if (rc == SAT_OK)
		cs_go(s, S_ERASED);
	return rc;
}

/* A template only a newer program can read: what was written by the one that is
 * here goes to the server all the same, nothing comes back (P-452). */
static bool
sends_only(sat_cs *s, sat_rc rc, const sat_err *e)
{
	if (rc != SAT_EVERSION || s->template_again ||
	    cs_oid_zero(s->template_oid))
		return false;
	s->outdated = true;
	if (e != NULL)
		s->outdated_why = *e;
	cs_go(s, S_PUSH);
	return true;
}

static sat_rc
on_template(sat_cs *s, const sat_msg *m, sat_err *e)
{
	bool moved;
	sat_rc rc;

	if (m->u.template_is.bundle.n != 0) {
		moved = memcmp(s->template_oid, m->u.template_is.tip,
		    SAT_TEMPLATE_OID_BYTES) != 0;
		if ((rc = s->ops.template_(s->ops.u, m->u.template_is.tip,
		    m->u.template_is.bundle, e)) != SAT_OK)
			return sends_only(s, rc, e) ? SAT_OK : rc;
		s->stats.template_changed = true;
		memcpy(s->template_oid, m->u.template_is.tip,
		    SAT_TEMPLATE_OID_BYTES);
		/* A part (P-451), or what was published since. */
		if (!cs_is_due(s, m->u.template_is.tip)) {
			if (!moved)
				return sat_fail(e, SAT_EPROTO,
				    "template does not move on");
			s->template_wanted = true;
			cs_go(s, S_TEMPLATE);
			return SAT_OK;
		}
	}
	s->template_wanted = false;
	cs_go(s, S_PUSH);
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
	cs_go(s, S_TEMPLATE);
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
	cs_go(s, S_PUSH);
	return SAT_OK;
}

/* Asked once a session: what is still missing is asked for the next time. */
static sat_rc
on_numbers(sat_cs *s, const sat_numbers *given, sat_err *e)
{
	sat_rc rc = s->ops.numbers(s->ops.u, given, e);

	if (rc == SAT_OK)
		cs_go(s, s->flags & SAT_CS_PUSH_ONLY ? S_FILES : S_SNAP);
	return rc;
}

static sat_rc
on_chunk(sat_cs *s, sat_chunk *c, sat_err *e)
{
	sat_rc rc;

	if (!c->done && c->next == s->after)
		return sat_fail(e, SAT_EPROTO, "snapshot does not move on");
	if ((rc = s->ops.chunk(s->ops.u, c, e)) != SAT_OK)
		return needs_template(s, rc) ? SAT_OK : rc;
	s->stats.records += c->nrecs;
	cs_go(s, c->done ? S_PULL : S_SNAP);
	if (c->done)
		s->pull_once = true; /* what happened while it was read */
	return SAT_OK;
}

static sat_rc
on_delta(sat_cs *s, sat_delta *d, sat_err *e)
{
	sat_hlc in_batch = 0;
	sat_rc rc;

	if (d->upto < s->cursor ||
	    (d->upto == s->cursor && d->upto < d->scope_head))
		return sat_fail(e, SAT_EPROTO, "pull does not move on");
	for (size_t i = 0; d->max_eff == 0 && i < d->ncommits; i++)
		if (d->commits[i].eff > in_batch)
			in_batch = d->commits[i].eff;
	d->max_eff = d->max_eff == 0 ? in_batch : d->max_eff;
	for (size_t i = 0; i < d->ncommits; i++) /* P-069 */
		if (cs_oid_zero(d->commits[i].template_oid))
			memcpy(d->commits[i].template_oid, s->tip,
			    sizeof s->tip);
	rc = s->ops.delta(s->ops.u, d, e);
	if (rc == SAT_ENOTFOUND && !s->full_own) {
		s->full_own = true; /* an own commit left the outbox */
		cs_go(s, S_PULL);
		return SAT_OK;
	}
	if (rc != SAT_OK)
		return needs_template(s, rc) ? SAT_OK : rc;
	s->full_own = false;
	s->pull_once = cs_asks_again(d);
	s->scope_head = d->scope_head;
	s->stats.pulled_commits += d->ncommits;
	s->stats.records += d->nrecs;
	s->stats.rescopes += d->nrescopes;
	cs_go(s, S_PULL);
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
		cs_go(s, S_PULL);
		return SAT_OK;
	}
	if (rc != SAT_OK)
		return rc;
	if (d->done) {
		cs_go(s, S_REFETCH);
		return SAT_OK;
	}
	s->digest = (sat_digest){ d->sums[d->n - 1].kind,
		d->sums[d->n - 1].bucket };
	cs_go(s, S_DIGEST);
	return SAT_OK;
}

static sat_rc
on_refetch(sat_cs *s, sat_refetch_is *d, sat_err *e)
{
	sat_rc rc;

	if (d->next_eid <= s->range.after_eid || d->next_eid > s->range.to_eid)
		return sat_fail(e, SAT_EPROTO, "a range does not move on");
	if ((rc = s->ops.refetch(s->ops.u, &s->range, d, e)) != SAT_OK)
		return rc;
	s->stats.refetched++;
	s->stats.records += d->nrecs;
	cs_go(s, S_REFETCH);
	return SAT_OK;
}

static sat_rc
on_file_taken(sat_cs *s, const sat_file_taken *in, sat_err *e)
{
	sat_rc rc = s->ops.file_taken(s->ops.u, in, e);

	s->stats.files += rc == SAT_OK && in->fate == SAT_FILE_KEPT;
	if (rc == SAT_OK)
		cs_go(s, S_FILES);
	return rc;
}

sat_rc
sat_cs_answered(sat_cs *s, sat_msg *m, sat_err *e)
{
	switch (s->state) {
	case S_HELLO: return on_welcome(s, &m->u.welcome, e);
	case S_LEDGER: return on_ledger(s, &m->u.ledger, e);
	case S_SEED: return on_seeded(s, &m->u.seeded, e);
	case S_ERASED: return on_erased_ok(s, e);
	case S_REGISTRY: return on_registry(s, m->u.registry, e);
	case S_TEMPLATE: return on_template(s, m, e);
	case S_PUSH: return on_verdicts(s, &m->u.verdicts, e);
	case S_NUMBERS: return on_numbers(s, &m->u.numbers, e);
	case S_SNAP: return on_chunk(s, &m->u.chunk, e);
	case S_PULL: return on_delta(s, &m->u.delta, e);
	case S_DIGEST: return on_digest(s, &m->u.digest_is, e);
	case S_REFETCH: return on_refetch(s, &m->u.refetch_is, e);
	case S_FILES: return on_file_taken(s, &m->u.file_taken, e);
	case S_DONE: break;
	}
	return SAT_OK;
}
