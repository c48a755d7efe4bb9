/*
 * server_hold.c - customers of a pool kept for somebody who goes where there is
 * no network: his claim inside that time is accepted (P-154).
 *
 * The limits are counted here, for a claim that was promised must not fail
 * later. Asking again gives the same customers: HOLD says how many one wants to
 * have, not how many more.
 */
#include "protocol/server_int.h"

#include <string.h>

#define HOUR_MS 3600000ll
/* Customers looked at for one request. */
#define LOOKED_MAX 4096

typedef struct holding {
	sat_server *s;
	const sat_user *me;
	int64_t now;
	sat_held out;
	size_t want;
	uint32_t had[SAT_HOLDS_MAX];
	int64_t until[SAT_HOLDS_MAX];
	size_t nhad;
	uint32_t roots[LOOKED_MAX];
	size_t nroots;
} holding;

static bool
on_hold(void *u, uint32_t eid, int64_t until_ms)
{
	holding *h = u;

	h->had[h->nhad] = eid;
	h->until[h->nhad++] = until_ms;
	return h->nhad < SAT_HOLDS_MAX;
}

static bool
on_root(void *u, uint32_t root)
{
	holding *h = u;

	h->roots[h->nroots++] = root;
	return h->nroots < LOOKED_MAX;
}

static void
tell(holding *h, const wrec *w, int64_t until_ms)
{
	h->out.h[h->out.n++] = (sat_hold){ w->id, until_ms };
}

/* Deleted, merged or taken out of the pool since: nobody claims it. */
static sat_rc
is_offered(bool *yes, holding *h, wrec *w, sat_err *e)
{
	sat_rc rc = w->exists ? sat_set_decode(w, h->s, e) : SAT_OK;

	*yes = rc == SAT_OK && w->exists && w->root == w->eid &&
	    w->owner.type == SAT_V_NULL && !w->r.deleted &&
	    sat_record_value(&w->r, SAT_SYS_POOL).type == SAT_V_TEXT;
	return rc;
}

/* Those that were promised before and are still to be had. */
static sat_rc
tell_old(holding *h, sat_err *e)
{
	const sat_store *st = &h->s->env.store;
	bool yes;
	wrec *w;
	sat_rc rc;

	if ((rc = st->holds_of(st->u, h->me->ord, h->now, on_hold, h, e)) !=
	    SAT_OK)
		return rc;
	for (size_t i = 0; i < h->nhad; i++) {
		if ((rc = sat_set_by_eid(&w, h->s, h->had[i], e)) != SAT_OK ||
		    (rc = is_offered(&yes, h, w, e)) != SAT_OK)
			return rc;
		if (yes)
			tell(h, w, h->until[i]);
	}
	return SAT_OK;
}

static sat_rc
try_one(holding *h, const sat_pool *p, uint32_t eid, bool *put, sat_err *e)
{
	const sat_store *st = &h->s->env.store;
	int64_t until = h->now + p->lease_hours * HOUR_MS, held, when;
	const char *slug;
	uint32_t user;
	bool yes;
	wrec *w;
	sat_rc rc;

	if ((rc = sat_set_by_eid(&w, h->s, eid, e)) != SAT_OK ||
	    (rc = is_offered(&yes, h, w, e)) != SAT_OK ||
	    (rc = st->hold_get(&user, &held, st->u, eid, e)) != SAT_OK)
		return rc;
	if ((user != 0 && held > h->now) || !yes)
		return SAT_OK;
	if ((rc = sat_srv_pool_limits(&slug, &when, h->s, h->me, p, w, e)) !=
	    SAT_OK || slug != NULL)
		return rc;
	tell(h, w, until);
	*put = true;
	return st->hold_put(st->u, eid, h->me->ord, until, e);
}

/* What is promised counts for the day and in all as if it were claimed. */
static sat_rc
fill_up(holding *h, const sat_pool *p, bool *put, sat_err *e)
{
	const sat_store *st = &h->s->env.store;
	size_t most = (size_t)p->lease_max;
	uint64_t n;
	sat_rc rc;

	if (p->daily_claim > 0 && most > (size_t)p->daily_claim)
		most = (size_t)p->daily_claim;
	if (p->hold_limit > 0) {
		if ((rc = sat_set_roots_count(&n, h->s,
		    sat_key_user(h->me->ord), e)) != SAT_OK)
			return rc;
		if (n + most > (uint64_t)p->hold_limit)
			most = n < (uint64_t)p->hold_limit ?
			    (size_t)((uint64_t)p->hold_limit - n) : 0;
	}
	if (most > h->want)
		most = h->want;
	h->nroots = 0;
	if (h->out.n >= most)
		return SAT_OK;
	if ((rc = st->roots_of_key(st->u, sat_key_pool(sat_span_str(p->key)),
	    0, on_root, h, e)) != SAT_OK)
		return rc;
	for (size_t i = 0; i < h->nroots && h->out.n < most; i++)
		if ((rc = try_one(h, p, h->roots[i], put, e)) != SAT_OK)
			return rc;
	return SAT_OK;
}

sat_rc
sat_srv_hold(sat_server *s, const sat_user *user, uint64_t count,
    sat_buf *reply, sat_err *e)
{
	sat_msg m = { .type = SAT_MSG_HELD };
	holding *h = sat_arena_alloc(&s->txn, sizeof *h);
	bool put = false;
	sat_rc rc;

	memset(h, 0, sizeof *h);
	h->s = s;
	h->me = user;
	h->now = sat_wall_ms(&s->env.clock);
	h->want = (size_t)count;
	h->out.h = sat_arena_alloc(&s->txn,
	    2 * SAT_HOLDS_MAX * sizeof *h->out.h);
	if (s->tip == NULL ||
	    sat_acl(s->tip, user->role, "pool.claim") == SAT_GRANT_NO)
		return sat_fail_code(e, SAT_EDENIED, "denied", NULL,
		    "the role %s may not claim", user->role);
	if ((rc = tell_old(h, e)) != SAT_OK)
		return rc;
	for (size_t i = 0; i < sat_pools(s->tip); i++) {
		const sat_pool *p = sat_pool_at(s->tip, i);

		if (sat_scope_pool_member(&s->reg, user, p) &&
		    (rc = fill_up(h, p, &put, e)) != SAT_OK)
			return rc;
	}
	m.u.held = h->out;
	sat_msg_write(reply, &m);
	if (put && ((rc = sat_srv_commit(s, e)) != SAT_OK ||
	    (rc = sat_srv_begin(s, e)) != SAT_OK))
		return rc;
	return SAT_OK;
}
