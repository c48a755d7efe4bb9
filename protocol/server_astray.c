/*
 * server_astray.c - customers that come back merged (P-173, P-254).
 *
 * A state says into which record it was merged, but not where it hung: it comes
 * as a root of its own, before or after its winner. Whichever is the second of
 * the two to be here brings the loser, and all below it, under the winner.
 */
#include "protocol/server_int.h"

#include <string.h>

/* It is touched alone, as if it had been merged now. */
sat_rc
sat_srv_lead_on(sat_server *s, wrec *w, uint64_t lsn, sat_err *e)
{
	const sat_store *st = &s->env.store;
	sat_id to;
	wrec *winner;
	sat_rc rc;

	if (!w->exists)
		return SAT_OK;
	if ((rc = sat_set_decode(w, s, e)) != SAT_OK ||
	    !sat_record_redirect(&to, &w->r))
		return rc;
	if ((rc = sat_set_by_id(&winner, s, &to, e)) != SAT_OK)
		return rc;
	if (!winner->exists)
		return winner->erased ? SAT_OK :
		    st->astray_put(st->u, &to, w->eid, e);
	s->serial++;
	w->touch = s->serial;
	w->next_touched = NULL;
	w->fresh = false;
	w->before.gone = sat_rec_gone(&w->r);
	w->before.owner = w->owner;
	w->before.pool = sat_record_value(&w->r, SAT_SYS_POOL);
	memset(&w->before.redirect, 0, sizeof w->before.redirect);
	return sat_srv_rescope(s, w, lsn, e);
}

typedef struct losers {
	sat_server *s;
	uint32_t *eid;
	size_t n, cap;
} losers;

/* Collected first: the store is not changed under a running query. */
static bool
on_loser(void *u, uint32_t eid)
{
	losers *l = u;

	SAT_ARENA_GROW(l->eid, l->n, l->cap, &l->s->txn);
	l->eid[l->n++] = eid;
	return true;
}

sat_rc
sat_srv_gather(sat_server *s, const wrec *w, uint64_t lsn, sat_err *e)
{
	const sat_store *st = &s->env.store;
	losers l = { .s = s };
	wrec *loser;
	sat_rc rc;

	if ((rc = st->astray(st->u, &w->id, on_loser, &l, e)) != SAT_OK ||
	    l.n == 0)
		return rc;
	if ((rc = st->astray_del(st->u, &w->id, e)) != SAT_OK)
		return rc;
	for (size_t i = 0; i < l.n; i++) {
		rc = sat_set_by_eid(&loser, s, l.eid[i], e);
		if (rc == SAT_ENOTFOUND) /* erased meanwhile */
			continue;
		if (rc != SAT_OK || (rc = sat_srv_lead_on(s, loser, lsn, e)) !=
		    SAT_OK)
			return rc;
	}
	return SAT_OK;
}
