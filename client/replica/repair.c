/*
 * repair.c - what differs is fetched again: the states of a range of records
 * replace what is here, what waits stays on top (P-184, P-185).
 */
#include "client/replica/replica_int.h"

/* A difference that comes back is a defect that fetching does not cure. */
#define STREAK_MAX 3
#define STREAK_PAUSE_MS (6 * 3600 * (int64_t)1000)

/* ---- in vain, or not ------------------------------------------------------------------ */

/*
 * A bucket is whole: when the repair breaks off now it was not in vain, and the
 * next session goes on with fewer. Less than a bucket does not count: what
 * always breaks off there would be fetched for ever. brought() in the transaction,
 * stands() when it is done.
 */
static sat_rc
brought(sat_replica *r, sat_err *e)
{
	return r->in_vain ? replica_meta_int(r, "streak", r->streak - 1, e) :
	    SAT_OK;
}

static void
stands(sat_replica *r)
{
	r->streak -= r->in_vain;
	r->in_vain = false;
}

/* Whether fetching cured it: else it is a defect that goes on. */
static sat_rc
repaired(sat_replica *r, sat_err *e)
{
	sat_rc rc;

	if (!r->differs)
		return SAT_OK;
	if ((rc = replica_compare(r, true, r->theirs, e)) == SAT_OK &&
	    r->differs && !r->in_vain) {
		r->streak++;
		rc = replica_meta_int(r, "streak", r->streak, e);
	}
	r->differs = false; /* not again in this session */
	return rc;
}

sat_rc
replica_differs(void *u, bool *yes, sat_err *e)
{
	sat_replica *r = u;

	(void)e;
	*yes = r->differs && (r->streak < STREAK_MAX ||
	    sat_wall_ms(&r->clock) - r->diverged.at_ms > STREAK_PAUSE_MS);
	return SAT_OK;
}

/* ---- asking --------------------------------------------------------------------------- */

sat_rc
replica_refetch_next(void *u, sat_refetch *ask, sat_err *e)
{
	sat_replica *r = u;

	if (r->nranges == 0) {
		*ask = (sat_refetch){ 0, 0, 0 };
		return repaired(r, e);
	}
	*ask = r->ranges[r->nranges - 1];
	return SAT_OK;
}

/* ---- what is derived from rows ------------------------------------------------------- */

/*
 * A row that was changed or taken away behind our back leaves what was derived
 * from it. So all of the range goes, and what the rows have is written anew.
 * History is found through its row alone and harms nobody; match keys of rows that
 * were not here: replica_match_renew.
 */
static sat_rc
forget_derived(sat_replica *r, const replica_kind *k, int64_t after,
    int64_t to, sat_err *e)
{
	static const int tables[] = { SQL_CONFLICT_DEL_RANGE,
		SQL_HANDED_DEL_RANGE };
	sat_stmt *s;
	sat_rc rc;

	for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
		if ((rc = sat_db_stmt(&s, r->db, tables[i], e)) != SAT_OK)
			return rc;
		sat_bind_int(s, 1, k->kind->id);
		sat_bind_int(s, 2, after);
		sat_bind_int(s, 3, to);
		if ((rc = sat_run(s, e)) != SAT_OK)
			return rc;
	}
	return SAT_OK;
}

/* ---- a range ---------------------------------------------------------------------------- */

/* The row for a state that comes again, whatever is there now. */
static sat_rc
sound_row(replica_row **row, sat_replica *r, const replica_kind *k,
    const sat_record *rec, sat_err *e)
{
	sat_rc rc;

	/* reading removes what cannot be read (page.c) */
	if ((rc = replica_page_get(row, r, k, &rec->id, rec->eid, e)) !=
	    SAT_OK)
		return rc;
	if (*row != NULL && !sat_id_eq(&(*row)->view.id, &rec->id)) {
		/* first what came before it: the page is read anew */
		if ((rc = replica_page_flush(r, e)) != SAT_OK ||
		    (rc = replica_row_remove(r, k, (*row)->stored_rid, e)) !=
		    SAT_OK)
			return rc;
		replica_page_reset(r);
	}
	return replica_page_need(row, r, k, &rec->id, rec->eid, e);
}

static sat_rc
put_again(sat_replica *r, const replica_kind *k, const sat_record *rec,
    sat_err *e)
{
	replica_row *row;
	sat_record *srv;
	sat_rc rc;

	if (sat_id_zero(&rec->id) || rec->born.hlc == 0)
		return sat_fail(e, SAT_EPROTO, "a record's state has no id");
	if ((rc = sound_row(&row, r, k, rec, e)) != SAT_OK)
		return rc;
	replica_sum_out(row);
	replica_row_number(r, row, rec->eid);
	row->leaving = false;
	row->dirty = row->relist = true;
	if ((rc = replica_row_hold_waiting(r, row, e)) != SAT_OK)
		return rc;
	row->rebuild = row->pending;
	srv = replica_row_server(row);
	if ((rc = replica_past_forget(r, row, srv, rec, e)) != SAT_OK)
		return rc;
	replica_record_copy(srv, rec, &r->page.mem);
	srv->eid = rec->eid;
	replica_sum_in(row);
	return SAT_OK;
}

/* Rows of the range the server did not name: they go, or stay for what waits. */
static sat_rc
drop_others(sat_replica *r, const replica_kind *k, const sat_refetch *ask,
    const sat_refetch_is *d, sat_err *e)
{
	sat_arena a = { 0 };
	replica_row *row;
	int64_t *rids;
	size_t n, j = 0;
	sat_rc rc;

	rc = replica_kind_range(&rids, &n, &a, r, k, ask->after_eid,
	    d->next_eid, e);
	for (size_t i = 0; i < n && rc == SAT_OK; i++) {
		while (j < d->nrecs && d->recs[j].eid < rids[i])
			j++;
		if (j < d->nrecs && d->recs[j].eid == rids[i])
			continue;
		if ((rc = replica_page_by_rid(&row, r, k, rids[i], e)) !=
		    SAT_OK || row == NULL)
			continue;
		row->dirty = row->relist = true;
		/* one without a server's state waits for its own commit */
		if (replica_row_server(row)->born.hlc != 0 && !row->leaving)
			rc = replica_row_leave(r, row, e);
	}
	sat_arena_fini(&a);
	return rc;
}

static sat_rc
check_range(const sat_refetch *ask, const sat_refetch_is *d, sat_err *e)
{
	uint32_t last = ask->after_eid;

	for (size_t i = 0; i < d->nrecs; i++) {
		if (d->recs[i].kind != ask->kind || d->recs[i].eid <= last ||
		    d->recs[i].eid > d->next_eid)
			return sat_fail(e, SAT_EPROTO,
			    "a record that was not asked for");
		last = d->recs[i].eid;
	}
	return SAT_OK;
}

static bool
ends_bucket(const sat_refetch *ask, const sat_refetch_is *d)
{
	return d->next_eid == ask->to_eid ||
	    sat_bucket_of(d->next_eid + 1) > sat_bucket_of(ask->after_eid + 1);
}

static sat_rc
put_range(sat_replica *r, const sat_refetch *ask, const sat_refetch_is *d,
    sat_err *e)
{
	const replica_kind *k = replica_kind_by(r->kinds, ask->kind);
	size_t differ = 0, strays;
	sat_rc rc;

	if (k == NULL)
		return sat_fail(e, SAT_EVERSION, "the server sent a kind of "
		    "record this template does not have");
	if ((rc = forget_derived(r, k, ask->after_eid, d->next_eid, e)) !=
	    SAT_OK)
		return rc;
	for (size_t i = 0; i < d->nrecs; i++)
		if ((rc = put_again(r, k, &d->recs[i], e)) != SAT_OK)
			return rc;
	if ((rc = drop_others(r, k, ask, d, e)) != SAT_OK ||
	    (rc = replica_match_renew(r, k, ask->after_eid, d->next_eid,
	    e)) != SAT_OK || (rc = replica_page_flush(r, e)) != SAT_OK ||
	    (rc = replica_alias_tidy(&strays, r, e)) != SAT_OK)
		return rc;
	/* The sums may be what was wrong: of each bucket that is whole now. */
	if ((rc = replica_recount_range(&differ, r, k,
	    sat_bucket_of(ask->after_eid + 1), sat_bucket_of(d->next_eid),
	    e)) != SAT_OK ||
	    (rc = replica_sum_up(r, e)) != SAT_OK)
		return rc;
	if ((rc = replica_place_told(r, d->heads, d->nheads, d->lsn,
	    e)) != SAT_OK ||
	    (rc = replica_place_pass(r, r->cursor, e)) != SAT_OK ||
	    (ends_bucket(ask, d) &&
	    (rc = brought(r, e)) != SAT_OK))
		return rc;
	sat_hlc_learn(&r->hlc, d->max_eff);
	return replica_meta_clock(r, e);
}

sat_rc
replica_refetch(void *u, const sat_refetch *ask, const sat_refetch_is *d,
    sat_err *e)
{
	sat_replica *r = u;
	sat_rc rc;

	if (r->nranges == 0)
		return sat_fail(e, SAT_EPROTO, "nothing was asked for again");
	if ((rc = check_range(ask, d, e)) != SAT_OK ||
	    (rc = replica_pend_load(r, e)) != SAT_OK ||
	    (rc = replica_session_begin(r, e)) != SAT_OK)
		return rc;
	rc = replica_end(r, true, put_range(r, ask, d, e), e);
	replica_page_reset(r);
	if (rc != SAT_OK) {
		replica_pend_drop(r);
		return rc;
	}
	if (ends_bucket(ask, d))
		stands(r);
	if (d->next_eid == ask->to_eid)
		r->nranges--;
	else
		r->ranges[r->nranges - 1].after_eid = d->next_eid;
	return SAT_OK;
}
