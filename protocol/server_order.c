/*
 * server_order.c - the stamp of a commit that was parked and goes on behind
 * what its author wrote since (P-325).
 *
 * Stamps of a device rise with its log positions (P-013), because positions are
 * in the order in which it wrote. What was parked comes later than it was
 * written: raised above its author's newer work it would win over it. So it is
 * put where it was written, right below the first accepted commit that its
 * author stamped later.
 *
 * What was parked for one reason goes on all at once, thousands of commits one
 * behind the other, each of which would look at the same past. So that is read
 * once, and followed while its chain goes on (own_past).
 *
 * Invariants, named in the tests:
 *   O1  of two commits of a device the one it wrote later has the larger stamp.
 *   O2  what was looked at before is not looked at again while no other chain
 *       has parked commits, and the answer is the same.
 */
#include "protocol/server_int.h"

#include <stdlib.h>

/* Its author may have gone on for a while before he had the new template. */
#define BACK_MAX 65536

void
sat_srv_own_forget(sat_server *s)
{
	s->past.dev = 0;
}

/* ---- stamps and what became of them ------------------------------------------ */

/* Both rise along the list: an entry is only there when none that was written
 * later has a smaller effective stamp. */

/* The first entry with `hlc` or a later one. */
static size_t
place_of(const own_past *p, sat_hlc hlc)
{
	size_t lo = 0, hi = p->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (p->v[p->at + mid].hlc < hlc)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* Room for one more at both ends. */
static void
make_room(own_past *p)
{
	size_t cap, at;
	own_stamp *v;

	if (p->at > 0 && p->at + p->n < p->cap)
		return;
	cap = p->n * 3 + 64;
	at = p->n + 32;
	v = sat_xmalloc(cap * sizeof *v);
	if (p->n > 0)
		memcpy(v + at, p->v + p->at, p->n * sizeof *v);
	free(p->v);
	p->v = v;
	p->at = at;
	p->cap = cap;
}

/* One entry in place of those from `from` to before `to`. Going back through a
 * chain they come at one end, going on at the other. */
static void
replace(own_past *p, size_t from, size_t to, own_stamp x)
{
	own_stamp *v;

	if (from == to) {
		make_room(p);
		v = p->v + p->at;
		if (from <= p->n / 2) {
			memmove(v - 1, v, from * sizeof *v);
			p->at--;
		} else {
			memmove(v + from + 1, v + from,
			    (p->n - from) * sizeof *v);
		}
		p->n++;
	} else if (to - from > 1) {
		v = p->v + p->at;
		memmove(v + from + 1, v + to, (p->n - to) * sizeof *v);
		p->n -= to - from - 1;
	}
	p->v[p->at + from] = x;
}

static void
note(own_past *p, sat_hlc hlc, sat_hlc eff)
{
	size_t to = place_of(p, hlc), from;

	if (to < p->n && p->v[p->at + to].eff <= eff)
		return;
	if (to < p->n && p->v[p->at + to].hlc == hlc)
		to++;
	for (from = to; from > 0 && p->v[p->at + from - 1].eff >= eff; from--)
		;
	replace(p, from, to, (own_stamp){ hlc, eff });
}

/* ---- reading a chain ------------------------------------------------------------ */

/* Eff 0: it has no place in the order. */
static void
look(own_past *p, const sat_commit *c, sat_hlc eff)
{
	if ((c->flags & SAT_CF_MOVED) == 0 && c->hlc < p->oldest)
		p->oldest = c->hlc;
	if (eff != 0)
		note(p, c->hlc, eff);
}

/* The one before the first that was read. */
static sat_rc
read_back(own_past *p, sat_server *s, sat_arena *a, sat_err *e)
{
	const sat_store *st = &s->env.store;
	uint64_t cseq = p->first - 1, lsn;
	sat_span header, payload;
	sat_hlc eff = 0;
	sat_commit c;
	sat_rc rc = st->commit_get(&header, &payload, a, st->u, p->dev, p->inc,
	    cseq, NULL);

	if (rc == SAT_ENOTFOUND) {
		p->whole = true; /* a gap: gone with a server (P-203) */
		return SAT_OK;
	}
	if (rc == SAT_OK) {
		if ((rc = sat_commit_read(&c, a, header, (sat_span){ NULL, 0 },
		    e)) != SAT_OK)
			return rc;
		rc = st->log_find(&lsn, &eff, st->u, p->dev, p->inc, cseq,
		    NULL);
	}
	if (rc != SAT_OK && rc != SAT_ENOTFOUND)
		return sat_fail(e, rc, "the log cannot be read");
	look(p, &c, rc == SAT_OK ? eff : 0);
	p->first = cseq;
	return SAT_OK;
}

/* O1. Back through its own chain to what it wrote before. */
sat_rc
sat_srv_own_order(sat_hlc *since, sat_server *s, const sat_commit *c,
    sat_err *e)
{
	own_past *p = &s->past;
	sat_arena a = { 0 };
	size_t i;
	sat_rc rc = SAT_OK;

	*since = 0;
	if ((c->flags & SAT_CF_MOVED) == 0)
		return SAT_OK;
	if (p->dev != c->device || p->inc != c->incarnation ||
	    p->next != c->cseq) {
		p->dev = c->device;
		p->inc = c->incarnation;
		p->first = p->next = c->cseq;
		p->oldest = UINT64_MAX;
		p->whole = false;
		p->n = 0;
	}
	while (rc == SAT_OK && p->oldest >= c->hlc && !p->whole &&
	    p->first > 1 && p->next - p->first < BACK_MAX) {
		sat_arena_reset(&a);
		rc = read_back(p, s, &a, e);
	}
	sat_arena_fini(&a);
	if (rc != SAT_OK)
		sat_srv_own_forget(s);
	else if ((i = place_of(p, c->hlc + 1)) < p->n)
		*since = p->v[p->at + i].eff;
	return rc;
}

/* O2 */
void
sat_srv_own_wrote(sat_server *s, const sat_commit *c, sat_hlc eff)
{
	own_past *p = &s->past;

	if (p->dev != c->device || p->inc != c->incarnation)
		return;
	if (p->next != c->cseq || p->next - p->first > 2 * BACK_MAX) {
		sat_srv_own_forget(s);
		return;
	}
	look(p, c, eff);
	p->next++;
}
