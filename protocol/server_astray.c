/*
 * server_astray.c - customers that come back merged (P-173, P-254).
 *
 * A state says into which record it was merged, but not where it hung: it comes
 * as a root of its own, before or after its winner. Whichever is the second of
 * the two to be here brings the loser, and all below it, under the winner.
 *
 * On a backup customers may be one still that were two when the one was erased,
 * and one may come back merged into somebody who is not here. The ledger names all
 * that went; who is merged with one of them and is not named is somebody else.
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

/* Collected first: the store is not changed under a running query. */
typedef struct eids {
	sat_server *s;
	uint32_t *eid;
	size_t n, cap;
} eids;

static bool
add_eid(eids *l, uint32_t eid)
{
	SAT_ARENA_GROW(l->eid, l->n, l->cap, &l->s->txn);
	l->eid[l->n++] = eid;
	return true;
}

static bool
on_astray(void *u, uint32_t eid)
{
	return add_eid(u, eid);
}

static bool
on_record(void *u, const sat_rec_row *row)
{
	return add_eid(u, row->eid);
}

sat_rc
sat_srv_gather(sat_server *s, const wrec *w, uint64_t lsn, sat_err *e)
{
	const sat_store *st = &s->env.store;
	eids l = { .s = s };
	wrec *loser;
	sat_rc rc;

	if ((rc = st->astray(st->u, &w->id, on_astray, &l, e)) != SAT_OK ||
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

/* ---- an erasure is told again (P-197) ------------------------------------------------- */

/* Known to be erased, or told to be. */
static sat_rc
is_named(bool *yes, sat_server *s, const sat_ledger *in, const sat_id *id,
    sat_err *e)
{
	const sat_store *st = &s->env.store;
	uint64_t known;
	sat_rc rc = st->ledger_of(&known, st->u, id, e);

	*yes = rc == SAT_OK && known != 0;
	for (size_t i = 0; i < in->n && !*yes; i++)
		*yes = sat_id_eq(&in->e[i].subject, id);
	return rc;
}

/* It and whom it leads to are not one, when only one of them is named. */
static sat_rc
apart(sat_server *s, uint32_t eid, const sat_ledger *in, sat_err *e)
{
	sat_op op = { .kind = SAT_OP_UNMERGE, .field = SAT_SYS_REDIRECT };
	bool here = false, there = false;
	uint64_t lsn;
	sat_id to;
	wrec *w;
	sat_rc rc = sat_set_by_eid(&w, s, eid, e);

	if (rc == SAT_ENOTFOUND) /* erased meanwhile */
		return SAT_OK;
	if (rc != SAT_OK || (rc = sat_set_decode(w, s, e)) != SAT_OK ||
	    !sat_record_redirect(&to, &w->r) ||
	    (rc = is_named(&here, s, in, &w->id, e)) != SAT_OK ||
	    (rc = is_named(&there, s, in, &to, e)) != SAT_OK || here == there)
		return rc;
	op.rec = w->id;
	op.rtype = w->kind;
	return sat_srv_own(s, &w->id, &op, 1, &lsn, e);
}

sat_rc
sat_srv_take_apart(sat_server *s, const wrec *subject, const sat_ledger *in,
    sat_err *e)
{
	const sat_store *st = &s->env.store;
	eids l = { .s = s };
	sat_rc rc;

	if (subject->exists)
		rc = st->rec_of_root(st->u, subject->root, on_record, &l, e);
	else if ((rc = st->astray(st->u, &subject->id, on_astray, &l, e)) ==
	    SAT_OK && l.n > 0)
		rc = st->astray_del(st->u, &subject->id, e);
	for (size_t i = 0; i < l.n && rc == SAT_OK; i++)
		rc = apart(s, l.eid[i], in, e);
	return rc == SAT_OK ? sat_set_settle(s, e) : rc;
}
