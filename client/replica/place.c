/*
 * place.c - where commits of others stand in the server's order (P-250).
 *
 * Kept for the day the server is lost: a state this device gives back then is
 * the fold up to a position, and its giver must be able to say which commits
 * that means. Their authors may not know that they were accepted.
 *
 * Commits a page brings are met one by one; what a state holds that came as a
 * whole is told with it. At the cursor all runs are one list (upto 0); what was
 * told of a position ahead of it waits until the cursor has reached it.
 */
#include "client/replica/replica_int.h"

#include <string.h>

static uint64_t
order_begin(const sat_replica *r)
{
	return r->cert.epoch != 0 ? r->cert.first_lsn - 1 : 0;
}

static sat_rc
put(sat_replica *r, int sql, const sat_place *p, uint64_t lsn, bool where,
    sat_err *e)
{
	sat_stmt *s;
	sat_rc rc;

	if ((rc = sat_db_stmt(&s, r->db, sql, e)) != SAT_OK)
		return rc;
	sat_bind_int(s, 1, p->device);
	sat_bind_int(s, 2, p->incarnation);
	sat_bind_int(s, 3, (int64_t)p->first);
	sat_bind_int(s, 4, (int64_t)p->last);
	sat_bind_int(s, 5, (int64_t)lsn);
	if (where)
		sat_bind_int(s, 6, (int64_t)p->upto);
	return sat_run(s, e);
}

sat_rc
replica_place_met(sat_replica *r, const sat_place *p, uint64_t lsn, sat_err *e)
{
	sat_rc rc = put(r, SQL_PLACE_GROW, p, lsn, false, e);

	return rc != SAT_OK ? rc : put(r, SQL_PLACE_PUT, p, lsn, true, e);
}

sat_rc
replica_place_told(sat_replica *r, const sat_place *list, size_t n,
    uint64_t at, sat_err *e)
{
	sat_rc rc = SAT_OK;

	for (size_t i = 0; i < n && rc == SAT_OK; i++)
		rc = put(r, SQL_PLACE_PUT, &list[i], at, true, e);
	r->told_ahead = r->told_ahead || n > 0;
	return rc;
}

static sat_rc
run(sat_replica *r, int sql, uint64_t x, uint64_t y, bool two, sat_err *e)
{
	sat_stmt *s;
	sat_rc rc;

	if ((rc = sat_db_stmt(&s, r->db, sql, e)) != SAT_OK)
		return rc;
	sat_bind_int(s, 1, (int64_t)x);
	if (two)
		sat_bind_int(s, 2, (int64_t)y);
	return sat_run(s, e);
}

sat_rc
replica_place_pass(sat_replica *r, uint64_t cursor, sat_err *e)
{
	sat_stmt *s;
	sat_rc rc;

	if (!r->told_ahead)
		return SAT_OK;
	if ((rc = run(r, SQL_PLACE_PASS, cursor, order_begin(r), true, e)) !=
	    SAT_OK ||
	    (rc = sat_db_stmt(&s, r->db, SQL_PLACE_MERGE, e)) != SAT_OK ||
	    (rc = sat_run(s, e)) != SAT_OK ||
	    (rc = sat_db_stmt(&s, r->db, SQL_PLACE_AHEAD, e)) != SAT_OK)
		return rc;
	sat_bind_int(s, 1, (int64_t)order_begin(r));
	rc = sat_step(&r->told_ahead, s, e);
	sat_stmt_reset(s);
	return rc;
}

/* Its answers are forgotten, but the states here hold it; and the backup that has
 * it may be one nobody can read on the day it is needed (P-324). */
sat_rc
replica_place_let_go(sat_replica *r, uint64_t durable, sat_err *e)
{
	sat_arena a = { 0 };
	struct met {
		sat_place p;
		uint64_t lsn;
	} *list = NULL;
	size_t n = 0, cap = 0;
	sat_stmt *s;
	bool row;
	sat_rc rc;

	if ((rc = sat_db_stmt(&s, r->db, SQL_PLACE_LET_GO, e)) != SAT_OK)
		return rc;
	sat_bind_int(s, 1, (int64_t)durable);
	sat_bind_int(s, 2, r->chain.newest);
	while ((rc = sat_step(&row, s, e)) == SAT_OK && row) {
		int64_t seq = sat_col_int(s, 0);
		struct met *m = n > 0 ? &list[n - 1] : NULL;

		if (m == NULL || m->p.incarnation != replica_seq_inc(seq) ||
		    m->p.last + 1 != replica_seq_cseq(seq)) {
			SAT_ARENA_GROW(list, n, cap, &a);
			m = &list[n++];
			*m = (struct met){ .p = { 0, r->id->device,
				replica_seq_inc(seq), replica_seq_cseq(seq),
				0 } };
		}
		m->p.last = replica_seq_cseq(seq);
		m->lsn = (uint64_t)sat_col_int(s, 1);
	}
	for (size_t i = 0; i < n && rc == SAT_OK; i++)
		rc = replica_place_met(r, &list[i].p, list[i].lsn, e);
	sat_arena_fini(&a);
	return rc;
}

sat_rc
replica_place_truncate(sat_replica *r, uint64_t durable, sat_err *e)
{
	sat_stmt *s;
	sat_rc rc = run(r, SQL_PLACE_TRUNCATE, durable, 0, false, e);

	if (rc != SAT_OK || !r->recovering ||
	    (rc = sat_db_stmt(&s, r->db, SQL_FORMER_TRUNCATE, e)) != SAT_OK)
		return rc;
	return sat_run(s, e);
}

/* Runs of own commits that the states here hold. */
static sat_rc
own_runs(sat_place **out, size_t *n, sat_arena *a, sat_replica *r,
    uint64_t cursor, sat_err *e)
{
	sat_place *list = NULL;
	size_t cap = 0;
	sat_stmt *s;
	bool row;
	sat_rc rc;

	*n = 0;
	if ((rc = sat_db_stmt(&s, r->db, SQL_PLACE_OWN, e)) != SAT_OK)
		return rc;
	sat_bind_int(s, 1, (int64_t)cursor);
	while ((rc = sat_step(&row, s, e)) == SAT_OK && row) {
		int64_t seq = sat_col_int(s, 0);
		sat_place *last = *n > 0 ? &list[*n - 1] : NULL;

		if (last != NULL && last->incarnation == replica_seq_inc(seq) &&
		    last->last + 1 == replica_seq_cseq(seq)) {
			last->last++;
			continue;
		}
		SAT_ARENA_GROW(list, *n, cap, a);
		list[(*n)++] = (sat_place){ cursor, r->id->device,
			replica_seq_inc(seq), replica_seq_cseq(seq),
			replica_seq_cseq(seq) };
	}
	*out = list;
	return rc;
}

sat_rc
replica_place_lost(sat_replica *r, sat_err *e)
{
	sat_arena a = { 0 };
	sat_place *own = NULL;
	size_t n = 0;
	sat_rc rc;

	if (r->cursor == 0) /* nothing was met yet */
		return run(r, SQL_PLACE_LOST, 1, 0, false, e);
	if ((rc = own_runs(&own, &n, &a, r, r->cursor, e)) == SAT_OK)
		rc = run(r, SQL_PLACE_LOST, r->cursor, 0, false, e);
	for (size_t i = 0; i < n && rc == SAT_OK; i++)
		rc = put(r, SQL_PLACE_PUT, &own[i], INT64_MAX, true, e);
	sat_arena_fini(&a);
	return rc;
}

sat_rc
replica_place_kept(sat_replica *r, uint64_t lsn, sat_err *e)
{
	return run(r, SQL_PLACE_KEPT, order_begin(r), lsn, true, e);
}

static sat_rc
place_of(uint64_t *at, sat_replica *r, int64_t seq, uint64_t from,
    uint64_t upto, sat_err *e)
{
	sat_stmt *s;
	bool row;
	sat_rc rc;

	*at = 0;
	if ((rc = sat_db_stmt(&s, r->db, SQL_PLACE_OF, e)) != SAT_OK)
		return rc;
	sat_bind_int(s, 1, r->id->device);
	sat_bind_int(s, 2, replica_seq_inc(seq));
	sat_bind_int(s, 3, (int64_t)replica_seq_cseq(seq));
	sat_bind_int(s, 4, (int64_t)from);
	sat_bind_int(s, 5, (int64_t)upto);
	if ((rc = sat_step(&row, s, e)) == SAT_OK && row && !sat_col_null(s, 0))
		*at = (uint64_t)sat_col_int(s, 0);
	sat_stmt_reset(s);
	return rc;
}

/* Its places go by its number, and it may never have been heard of: those that are
 * known here become positions of its own. */
static sat_rc
inherit(sat_replica *r, int64_t seq, int64_t heir, sat_err *e)
{
	uint64_t from = 0, at;
	sat_stmt *s;
	sat_rc rc;

	for (size_t i = 0; i < r->ncerts; i++) {
		uint64_t next = r->certs[i].first_lsn - 1;

		if ((rc = place_of(&at, r, seq, from, next - 1, e)) != SAT_OK)
			return rc;
		from = next;
		if (!replica_lost(r, at))
			continue;
		if ((rc = sat_db_stmt(&s, r->db, SQL_RECOVERED_PUT, e)) !=
		    SAT_OK)
			return rc;
		sat_bind_int(s, 1, heir);
		sat_bind_int(s, 2, (int64_t)at);
		if ((rc = sat_run(s, e)) != SAT_OK)
			return rc;
	}
	return SAT_OK;
}

static sat_rc
two_seqs(sat_replica *r, int sql, int64_t x, int64_t y, sat_err *e)
{
	return run(r, sql, (uint64_t)x, (uint64_t)y, true, e);
}

/* A server that was lost had taken it in, perhaps: a state that holds it may be
 * here, or come to the next server from others. */
sat_rc
replica_place_hand_on(sat_replica *r, int64_t seq, int64_t heir, bool parked,
    sat_err *e)
{
	sat_rc rc;

	if (r->recovering && ((rc = two_seqs(r, SQL_RECOVERED_MOVE, seq, heir,
	    e)) != SAT_OK ||
	    (rc = two_seqs(r, SQL_FORMER_MOVE, seq, heir, e)) != SAT_OK))
		return rc;
	/* after a fork another commit has the old number too */
	if (!parked || r->ncerts == 0)
		return SAT_OK;
	r->recovering = true;
	if ((rc = two_seqs(r, SQL_FORMER_PUT, heir, seq, e)) != SAT_OK)
		return rc;
	return inherit(r, seq, heir, e);
}

sat_rc
replica_place_all(sat_seed *out, sat_arena *a, sat_replica *r, sat_err *e)
{
	size_t cap = 0;
	sat_stmt *s;
	bool row;
	sat_rc rc;

	if ((rc = sat_db_stmt(&s, r->db, SQL_PLACE_ALL, e)) != SAT_OK)
		return rc;
	sat_bind_int(s, 1, (int64_t)order_begin(r));
	sat_bind_int(s, 2, SAT_SEED_PLACES_MAX);
	while ((rc = sat_step(&row, s, e)) == SAT_OK && row) {
		SAT_ARENA_GROW(out->places, out->nplaces, cap, a);
		out->places[out->nplaces++] = (sat_place){
			(uint64_t)sat_col_int(s, 0),
			(uint32_t)sat_col_int(s, 1),
			(uint32_t)sat_col_int(s, 2),
			(uint64_t)sat_col_int(s, 3),
			(uint64_t)sat_col_int(s, 4) };
	}
	return rc;
}
