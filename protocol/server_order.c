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
 * Invariant, named in the tests:
 *   O1  of two commits of a device the one it wrote later has the larger stamp.
 */
#include "protocol/server_int.h"

/* Its author may have gone on for a while before he had the new template. */
#define BACK_MAX 65536

static sat_rc
header_of(sat_commit *own, sat_server *s, const sat_commit *c, uint64_t cseq,
    sat_err *e)
{
	const sat_store *st = &s->env.store;
	sat_span header, payload;
	sat_rc rc = st->commit_get(&header, &payload, &s->txn, st->u,
	    c->device, c->incarnation, cseq, NULL);

	if (rc != SAT_OK && rc != SAT_ENOTFOUND)
		return sat_fail(e, rc, "the log cannot be read");
	return rc != SAT_OK ? rc : sat_commit_read(own, &s->txn, header,
	    (sat_span){ NULL, 0 }, e);
}

/* O1. Back through its own chain to what it wrote before. */
sat_rc
sat_srv_own_order(sat_hlc *since, sat_server *s, const sat_commit *c,
    sat_err *e)
{
	const sat_store *st = &s->env.store;
	uint64_t cseq = c->cseq, lsn;
	sat_commit own;
	sat_hlc eff;
	sat_rc rc;

	*since = 0;
	if ((c->flags & SAT_CF_MOVED) == 0)
		return SAT_OK;
	for (size_t i = 0; i < BACK_MAX && --cseq > 0; i++) {
		rc = header_of(&own, s, c, cseq, e);
		if (rc == SAT_ENOTFOUND)
			return SAT_OK; /* a gap: gone with a server (P-203) */
		if (rc != SAT_OK)
			return rc;
		if (own.hlc < c->hlc && (own.flags & SAT_CF_MOVED) == 0)
			return SAT_OK;
		if (own.hlc <= c->hlc)
			continue; /* moved as well */
		rc = st->log_find(&lsn, &eff, st->u, c->device,
		    c->incarnation, cseq, NULL);
		if (rc == SAT_OK && (*since == 0 || eff < *since))
			*since = eff;
		if (rc != SAT_OK && rc != SAT_ENOTFOUND)
			return sat_fail(e, rc, "the log cannot be read");
	}
	return SAT_OK;
}
