/*
 * snapshot.c - the first filling: states in the order of their numbers.
 *
 * Chunks are read by the server one after the other, at rising positions; the
 * cursor starts at the position of the first, and the pull that follows skips
 * per record what its state already holds. Chunk and place to go on are one
 * transaction: an interrupted snapshot goes on where it was.
 *
 * The keys of `match` are hashes; put in row by row they would write most
 * pages of that table with every chunk. They are made with the last chunk, in
 * their order: until then duplicates and numbers are looked up among the
 * device's own records only.
 */
#include "client/replica/replica_int.h"

#include <string.h>

#define CHUNK_ROWS_MAX 2048
/* Rows come in the order they are stored and are not looked at again: the
 * usual cache would only fill memory with them. */
#define FILL_CACHE_KIB (24 * 1024)

/* The fast way: a row nobody has here. */
static sat_rc
insert_state(sat_replica *r, const replica_kind *k, const sat_record *rec,
    const sat_sum *sum, sat_err *e)
{
	replica_row row = { .k = k, .rid = rec->eid, .view = *rec,
		.no_match = true };

	replica_sum_known(&row, sum);
	return replica_row_write(r, &row, e);
}

static sat_rc
one_record(sat_replica *r, const sat_record *rec, const sat_sum *sum,
    sat_err *e)
{
	const replica_kind *k = replica_kind_by(r->kinds, rec->kind);
	sat_err ignored;
	sat_rc rc;

	if (r->resnap)
		replica_met(r, rec->eid);
	else if (k != NULL && rec->eid != 0 && rec->born.hlc != 0 &&
	    !sat_id_zero(&rec->id)) {
		rc = insert_state(r, k, rec, sum, &ignored);
		if (rc == SAT_OK)
			return SAT_OK;
		if (rc != SAT_ECONFLICT) { /* known: made here, or sent twice */
			if (e != NULL)
				*e = ignored;
			return rc;
		}
	}
	return replica_put_state(r, rec, e);
}

static sat_rc
put_progress(sat_replica *r, const sat_chunk *c, uint64_t first_lsn,
    sat_err *e)
{
	sat_rc rc;

	if ((rc = replica_meta_int(r, "snap_after", (int64_t)c->next, e)) !=
	    SAT_OK ||
	    (rc = replica_meta_int(r, "snap_lsn", (int64_t)first_lsn, e)) !=
	    SAT_OK)
		return rc;
	if (c->done &&
	    ((rc = replica_settle_reached(r, first_lsn, e)) != SAT_OK ||
	    (rc = replica_page_flush(r, e)) != SAT_OK ||
	    (r->resnap && (rc = replica_sweep(r, first_lsn, e)) != SAT_OK) ||
	    (rc = replica_place_pass(r, first_lsn, e)) != SAT_OK ||
	    (rc = replica_match_build(r, e)) != SAT_OK ||
	    (rc = replica_meta_int(r, "cursor", (int64_t)first_lsn, e)) !=
	    SAT_OK ||
	    (rc = replica_meta_int(r, "complete", 1, e)) != SAT_OK ||
	    (rc = replica_meta_int(r, "scrubbed", sat_wall_ms(&r->clock),
	    e)) != SAT_OK))
		return rc;
	sat_hlc_learn(&r->hlc, c->max_eff);
	return replica_meta_clock(r, e);
}

/* The first by itself: what a kind needs before its first row is made with it,
 * and of states that are here already (a chunk that came twice) no more than
 * this one is tried in vain. */
static sat_rc
some_records(size_t *done, sat_replica *r, const sat_record *recs,
    const sat_sum *sums, size_t n, sat_err *e)
{
	const replica_kind *k = replica_kind_by(r->kinds, recs->kind);
	size_t more = 0;
	sat_rc rc;

	*done = 1;
	if ((rc = one_record(r, recs, sums, e)) != SAT_OK || r->resnap || n == 1 ||
	    r->page.nrows > 0 || !replica_fill_fits(k, &recs[1]))
		return rc;
	rc = replica_fill(&more, r, k, recs + 1, sums != NULL ? sums + 1 : NULL,
	    n - 1, e);
	*done += more;
	return rc;
}

/* What was listed of rows that are not there any more: they may come with this
 * chunk, as if for the first time. */
static sat_rc
tidy_before(sat_replica *r, const sat_record *recs, size_t n, sat_err *e)
{
	int64_t after = INT64_MAX, to = 0;
	size_t strays;

	for (size_t i = 0; i < n; i++) {
		if (recs[i].eid <= after)
			after = (int64_t)recs[i].eid - 1;
		if (recs[i].eid > to)
			to = recs[i].eid;
	}
	return replica_lists_tidy(&strays, r, after, to, e);
}

static sat_rc
put_chunk(sat_replica *r, const sat_chunk *c, const sat_record *recs, size_t n,
    uint64_t first_lsn, sat_err *e)
{
	size_t done;
	sat_rc rc;

	if ((rc = tidy_before(r, recs, n, e)) != SAT_OK)
		return rc;
	for (size_t i = 0; i < n; i += done) {
		if ((rc = some_records(&done, r, recs + i, c->sums != NULL ?
		    c->sums + i : NULL, n - i, e)) != SAT_OK)
			return rc;
		if (r->page.nrows >= CHUNK_ROWS_MAX) {
			if ((rc = replica_page_flush(r, e)) != SAT_OK)
				return rc;
			replica_page_reset(r);
		}
	}
	if ((rc = replica_page_flush(r, e)) != SAT_OK ||
	    (rc = replica_place_told(r, c->heads, c->nheads, c->lsn,
	    e)) != SAT_OK)
		return rc;
	return put_progress(r, c, first_lsn, e);
}

static sat_rc
check_chunk(sat_replica *r, const sat_chunk *c, sat_err *e)
{
	uint8_t hash[SAT_HASH_BYTES];

	if (r->kinds == NULL)
		return sat_fail(e, SAT_EVERSION, "no template yet");
	if (r->complete)
		return sat_fail(e, SAT_EPROTO, "the replica is complete");
	if (c->lsn > INT64_MAX)
		return sat_fail(e, SAT_EPROTO, "position out of range");
	if (c->decoded)
		return SAT_OK;
	sat_hash(hash, c->records);
	if (memcmp(hash, c->hash, sizeof hash) != 0)
		return sat_fail(e, SAT_EPROTO, "a chunk does not fit its hash");
	return SAT_OK;
}

sat_rc
replica_chunk(void *u, const sat_chunk *c, sat_err *e)
{
	sat_replica *r = u;
	uint64_t first = r->snap_after == 0 ? c->lsn : r->snap_lsn;
	sat_arena mem = { 0 };
	sat_record *recs = c->recs;
	size_t n = c->nrecs;
	sat_rc rc;

	if ((rc = check_chunk(r, c, e)) != SAT_OK ||
	    (rc = sat_db_cache(r->db, FILL_CACHE_KIB, e)) != SAT_OK)
		return rc;
	if ((!c->decoded && c->records.n > 0 && (rc = sat_records_read(&recs, &n, &mem,
	    c->records, e)) != SAT_OK) ||
	    (rc = replica_session_begin(r, e)) != SAT_OK)
		goto out;
	if ((rc = replica_end(r, true, put_chunk(r, c, recs, n, first, e),
	    e)) != SAT_OK) {
		replica_pend_drop(r);
		goto out;
	}
	r->snap_after = c->next;
	r->snap_lsn = first;
	if (c->done) {
		r->cursor = first;
		r->complete = true;
		r->scrubbed_ms = sat_wall_ms(&r->clock);
		replica_swept(r);
		rc = sat_db_cache(r->db, 0, e);
	}
out:
	replica_page_reset(r);
	sat_arena_fini(&mem);
	return rc;
}
