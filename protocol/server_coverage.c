/*
 * server_coverage.c - how far each device has reported, and who may know
 * (P-220 to P-224).
 *
 * Why not the last contact: a device that says hello with work it has not sent,
 * and then loses its link, was heard of but has not reported. It counts from
 * the greeting on once the last commit it named is in its chain.
 *
 * Why revisions that follow the clock: reports wait in memory for the next
 * transaction, so a crash forgets some. A revision given afterwards must not be
 * one that a device was told before.
 *
 * Invariants, named in the tests:
 *   C1  a device counts as reported at T only when all it had at T is stored.
 *   C2  nobody learns of devices whose customers he may not report on.
 */
#include "protocol/server_int.h"

#include <stdlib.h>
#include <string.h>

#include "common/template/gate.h"

/* Where a device stands among those that ever reported, ascending. */
static size_t
place(const sat_server *s, uint32_t dev)
{
	size_t lo = 0, hi = s->nreported;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (s->reported[mid].dev < dev)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static reported_slot *
slot_of(sat_server *s, uint32_t dev)
{
	size_t at = place(s, dev);

	if (at < s->nreported && s->reported[at].dev == dev)
		return &s->reported[at];
	if (s->nreported == s->reported_cap) {
		s->reported_cap = s->reported_cap == 0 ? 16 :
		    s->reported_cap * 2;
		s->reported = sat_xrealloc(s->reported,
		    s->reported_cap * sizeof *s->reported);
	}
	memmove(&s->reported[at + 1], &s->reported[at],
	    (s->nreported - at) * sizeof *s->reported);
	s->nreported++;
	s->reported[at] = (reported_slot){ .dev = dev };
	return &s->reported[at];
}

static bool
on_reported(void *u, uint32_t ord, int64_t at_ms, uint64_t rev)
{
	sat_server *s = u;
	reported_slot *x = slot_of(s, ord);

	x->at_ms = at_ms;
	x->rev = rev;
	if (rev > s->reported_rev)
		s->reported_rev = rev;
	return true;
}

sat_rc
sat_srv_reported_load(sat_server *s, sat_err *e)
{
	const sat_store *st = &s->env.store;

	return st->reported(st->u, on_reported, s, e);
}

static void
note(sat_server *s, uint32_t dev, int64_t at_ms)
{
	int64_t now = sat_wall_ms(&s->env.clock);
	reported_slot *x = slot_of(s, dev);

	if (at_ms <= x->at_ms)
		return;
	s->reported_rev++;
	if (now > 0 && (uint64_t)now > s->reported_rev)
		s->reported_rev = (uint64_t)now;
	x->at_ms = at_ms;
	x->rev = s->reported_rev;
	x->dirty = s->reported_dirty = true;
}

/* P-220 */
sat_rc
sat_srv_greeted(sat_server *s, sat_server_session *x, const sat_hello *h,
    sat_err *e)
{
	chain_slot *c;
	sat_rc rc;

	x->claim_cseq = 0;
	if (h->unsent_cseq != 0) {
		if ((rc = sat_srv_chain(&c, s, x->device, h->unsent_inc, e)) !=
		    SAT_OK)
			return rc;
		if (c->c.last_cseq < h->unsent_cseq) {
			x->claim_inc = h->unsent_inc;
			x->claim_cseq = h->unsent_cseq;
			x->claim_ms = sat_wall_ms(&s->env.clock);
			return SAT_OK;
		}
	}
	note(s, x->device, sat_wall_ms(&s->env.clock));
	return SAT_OK;
}

/* What was pushed is durable: is it all the device had when it said hello? */
void
sat_srv_pushed(sat_server *s, sat_server_session *x, uint32_t inc,
    uint64_t last_cseq)
{
	if (x->claim_cseq == 0 || x->claim_inc != inc ||
	    last_cseq < x->claim_cseq)
		return; /* C1 */
	x->claim_cseq = 0;
	note(s, x->device, x->claim_ms);
}

/* Within the transaction; clean once it is durable. */
sat_rc
sat_srv_reported_flush(sat_server *s, sat_err *e)
{
	const sat_store *st = &s->env.store;
	sat_rc rc = SAT_OK;

	for (size_t i = 0; s->reported_dirty && i < s->nreported &&
	     rc == SAT_OK; i++) {
		const reported_slot *x = &s->reported[i];

		if (x->dirty)
			rc = st->reported_put(st->u, x->dev, x->at_ms, x->rev,
			    e);
	}
	return rc;
}

void
sat_srv_reported_clean(sat_server *s)
{
	for (size_t i = 0; s->reported_dirty && i < s->nreported; i++)
		s->reported[i].dirty = false;
	s->reported_dirty = false;
}

/* C2: as the reader's reports reach (P-222). */
static bool
may_know(const sat_server *s, const sat_user *me, sat_grant grant, uint32_t dev)
{
	const sat_device *d = sat_registry_device(&s->reg, dev);
	const sat_user *of = d == NULL || d->revoked || d->waiting ? NULL :
	    sat_registry_user_ord(&s->reg, d->user);

	if (of == NULL || of->disabled)
		return false;
	if (grant == SAT_GRANT_ALL || of->ord == me->ord)
		return true;
	return grant == SAT_GRANT_TEAM && of->team != 0 && of->team == me->team;
}

static sat_grant
reach(const sat_server *s, const sat_user *me)
{
	return s->tip == NULL ? SAT_GRANT_NO :
	    sat_acl(s->tip, me->role, "report");
}

/*
 * What is newer than the asker knows. Whose devices he may know of changes with
 * the registry: who has another one than ours is told everything.
 */
void
sat_srv_coverage(sat_server *s, sat_coverage *out, const sat_hello *h,
    uint32_t self, const sat_user *me)
{
	sat_grant grant = reach(s, me);
	uint64_t since = h->registry_rev == s->reg.rev ? h->coverage_rev : 0;

	*out = (sat_coverage){ .row = sat_arena_alloc(&s->txn,
	    (s->nreported + 1) * sizeof *out->row) };
	for (size_t i = 0; grant != SAT_GRANT_NO && i < s->nreported &&
	     out->n < SAT_DIRECTORY_MAX; i++) {
		const reported_slot *r = &s->reported[i];

		if (r->rev <= since || r->dev == self ||
		    !may_know(s, me, grant, r->dev))
			continue;
		out->row[out->n++] = (sat_reported){ r->dev, r->at_ms };
		if (r->rev > out->rev)
			out->rev = r->rev;
	}
}
