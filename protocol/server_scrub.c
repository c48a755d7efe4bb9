/*
 * server_scrub.c - the end of an erasure, behind its COMMIT: what the files
 * still hold of it goes (X1).
 *
 * Files do not come back with a transaction that fails, so they are written
 * anew when it is certain; and between the two the power may go, or the disk be
 * full. That it is owed is said by the erasure's own transaction and taken back
 * by the store behind the last file: it is done at every start, from time to
 * time, before a copy of the store is made, and before a ledger told again is
 * answered.
 */
#include "protocol/server_int.h"
#include "protocol/bugs.h"

/* Between two tries: each reads all segments. */
#define RETRY_MS (3600 * (int64_t)1000)

sat_rc
sat_srv_scrub_owe(sat_server *s, sat_err *e)
{
	const sat_store *st = &s->env.store;

	return st->counter_put(st->u, SAT_N_SCRUB, 1, e);
}

sat_rc
sat_srv_scrub_owed(bool *yes, sat_server *s, sat_err *e)
{
	const sat_store *st = &s->env.store;
	uint64_t v = 0;
	sat_rc rc = st->counter_get(&v, st->u, SAT_N_SCRUB, e);

	*yes = v != 0;
	return rc;
}

sat_rc
sat_srv_scrub(sat_server *s, sat_err *e)
{
	const sat_store *st = &s->env.store;

	return SAT_BUG(SAT_BUG_ERASED_IN_LOG) ? SAT_OK : st->scrub(st->u, e);
}

sat_rc
sat_server_scrub(sat_server *s, sat_err *e)
{
	bool yes = false;
	sat_rc rc;

	if ((rc = sat_srv_begin(s, e)) == SAT_OK)
		rc = sat_srv_scrub_owed(&yes, s, e);
	sat_srv_end_read(s);
	return rc != SAT_OK || !yes ? rc : sat_srv_scrub(s, e);
}

sat_rc
sat_srv_scrub_tick(sat_server *s, int64_t now_ms, sat_err *e)
{
	if (s->scrub_ms != 0 && now_ms - s->scrub_ms < RETRY_MS &&
	    now_ms >= s->scrub_ms)
		return SAT_OK;
	s->scrub_ms = now_ms;
	return sat_server_scrub(s, e);
}
