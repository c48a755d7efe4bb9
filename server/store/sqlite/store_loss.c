/*
 * store_loss.c - what a restored server was given back (P-200..P-209).
 */
#include "server/store/sqlite/store_int.h"

#include <string.h>

/* ---- a new epoch ------------------------------------------------------------------ */

static sat_rc
epochs(void *u, uint64_t after, bool (*cb)(void *cu, sat_span cert), void *cu,
    sat_err *e)
{
	sat_sqlite_store *s = u;
	sat_stmt *q;
	bool row;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, SQL_EPOCHS, e)) != SAT_OK)
		return rc;
	sat_bind_int(q, 1, (int64_t)after);
	while ((rc = sat_step(&row, q, e)) == SAT_OK && row)
		if (!cb(cu, sat_col_blob(q, 0)))
			break;
	sat_stmt_reset(q);
	return rc;
}

static void
blob_or_null(sat_stmt *q, int i, sat_span v)
{
	if (v.n > 0)
		sat_bind_blob(q, i, v);
	else
		sat_bind_null(q, i);
}

static sat_rc
seed_put(void *u, const sat_seed_row *row, sat_err *e)
{
	sat_sqlite_store *s = u;
	sat_stmt *q;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, SQL_SEED_PUT, e)) != SAT_OK)
		return rc;
	sat_bind_int(q, 1, (int64_t)row->lsn);
	store_bind_id(q, 2, &row->id);
	sat_bind_int(q, 3, (int64_t)row->upto);
	sat_bind_int(q, 4, row->device);
	sat_bind_int(q, 5, sat_wall_ms(&s->clock));
	sat_bind_blob(q, 6, row->state);
	blob_or_null(q, 7, row->given);
	blob_or_null(q, 8, row->since);
	return sat_run(q, e);
}

static sat_rc
seed_set(void *u, uint64_t lsn, sat_span state, sat_err *e)
{
	sat_sqlite_store *s = u;
	sat_stmt *q;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, SQL_SEED_SET, e)) != SAT_OK)
		return rc;
	sat_bind_blob(q, 1, state);
	sat_bind_int(q, 2, (int64_t)lsn);
	return sat_run(q, e);
}

static sat_rc
place_put(bool *anew, void *u, const sat_place *p, uint64_t lsn, sat_err *e)
{
	sat_sqlite_store *s = u;
	sat_stmt *q;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, SQL_PLACE_PUT, e)) != SAT_OK)
		return rc;
	sat_bind_int(q, 1, p->device);
	sat_bind_int(q, 2, p->incarnation);
	sat_bind_int(q, 3, (int64_t)p->first);
	sat_bind_int(q, 4, (int64_t)p->last);
	sat_bind_int(q, 5, (int64_t)p->upto);
	sat_bind_int(q, 6, (int64_t)lsn);
	rc = sat_run(q, e);
	*anew = rc == SAT_OK && sat_db_changes(s->db) > 0;
	return rc;
}

static sat_rc
list_places(sat_stmt *q, bool (*cb)(void *cu, const sat_place *p), void *cu,
    sat_err *e)
{
	bool row;
	sat_rc rc;

	while ((rc = sat_step(&row, q, e)) == SAT_OK && row) {
		sat_place p = { (uint64_t)sat_col_int(q, 4),
			(uint32_t)sat_col_int(q, 0),
			(uint32_t)sat_col_int(q, 1),
			(uint64_t)sat_col_int(q, 2),
			(uint64_t)sat_col_int(q, 3) };

		if (!cb(cu, &p))
			break;
	}
	sat_stmt_reset(q);
	return rc;
}

static sat_rc
places(void *u, uint64_t lsn, uint32_t dev, bool (*cb)(void *cu, const sat_place *p),
    void *cu, sat_err *e)
{
	sat_stmt *q;
	sat_rc rc;

	if ((rc = store_stmt(&q, ((sat_sqlite_store *)u)->db, SQL_PLACES,
	    e)) != SAT_OK)
		return rc;
	sat_bind_int(q, 1, (int64_t)lsn);
	sat_bind_int(q, 2, dev);
	return list_places(q, cb, cu, e);
}

static sat_rc
places_all(void *u, bool (*cb)(void *cu, const sat_place *p), void *cu,
    sat_err *e)
{
	sat_stmt *q;
	sat_rc rc;

	if ((rc = store_stmt(&q, ((sat_sqlite_store *)u)->db, SQL_PLACES_ALL,
	    e)) != SAT_OK)
		return rc;
	return list_places(q, cb, cu, e);
}

static sat_rc
place_has(bool *yes, void *u, uint32_t dev, uint32_t inc, uint64_t cseq,
    uint64_t from, uint64_t upto, sat_err *e)
{
	sat_sqlite_store *s = u;
	sat_stmt *q;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, SQL_PLACE_HAS, e)) != SAT_OK)
		return rc;
	sat_bind_int(q, 1, dev);
	sat_bind_int(q, 2, inc);
	sat_bind_int(q, 3, (int64_t)cseq);
	sat_bind_int(q, 4, (int64_t)from);
	sat_bind_int(q, 5, (int64_t)upto);
	rc = sat_step(yes, q, e);
	sat_stmt_reset(q);
	return rc;
}

static sat_rc
heads(void *u, uint64_t lsn, bool (*cb)(void *cu, uint32_t dev, uint32_t inc,
    uint64_t last), void *cu, sat_err *e)
{
	sat_sqlite_store *s = u;
	sat_stmt *q;
	bool row;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, SQL_HEADS, e)) != SAT_OK)
		return rc;
	sat_bind_int(q, 1, (int64_t)lsn);
	while ((rc = sat_step(&row, q, e)) == SAT_OK && row)
		if (!cb(cu, (uint32_t)sat_col_int(q, 0),
		    (uint32_t)sat_col_int(q, 1), (uint64_t)sat_col_int(q, 2)))
			break;
	sat_stmt_reset(q);
	return rc;
}

static sat_rc
absent(void *u, uint32_t dev, uint32_t inc, uint64_t first, uint64_t last,
    bool (*cb)(void *cu, uint64_t from, uint64_t to), void *cu, sat_err *e)
{
	sat_sqlite_store *s = u;
	sat_stmt *q;
	bool row;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, SQL_ABSENT, e)) != SAT_OK)
		return rc;
	sat_bind_int(q, 1, dev);
	sat_bind_int(q, 2, inc);
	sat_bind_int(q, 3, (int64_t)first);
	sat_bind_int(q, 4, (int64_t)last);
	while ((rc = sat_step(&row, q, e)) == SAT_OK && row)
		if (!cb(cu, (uint64_t)sat_col_int(q, 0),
		    (uint64_t)sat_col_int(q, 1)))
			break;
	sat_stmt_reset(q);
	return rc;
}

static sat_rc
seed_get(sat_seed_row *row, sat_arena *a, void *u, uint64_t lsn, sat_err *e)
{
	sat_sqlite_store *s = u;
	sat_stmt *q;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, SQL_SEED_GET, e)) != SAT_OK)
		return rc;
	sat_bind_int(q, 1, (int64_t)lsn);
	if ((rc = store_step_one(q, "state", e)) != SAT_OK)
		return rc;
	*row = (sat_seed_row){ .lsn = lsn };
	store_take_id(&row->id, sat_col_blob(q, 0));
	row->state = store_copy(a, sat_col_blob(q, 1));
	row->given = store_copy(a, sat_col_blob(q, 2));
	row->since = store_copy(a, sat_col_blob(q, 3));
	sat_stmt_reset(q);
	return SAT_OK;
}

static sat_rc
astray_put(void *u, const sat_id *winner, uint32_t eid, sat_err *e)
{
	sat_sqlite_store *s = u;
	sat_stmt *q;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, SQL_ASTRAY_PUT, e)) != SAT_OK)
		return rc;
	store_bind_id(q, 1, winner);
	sat_bind_int(q, 2, eid);
	return sat_run(q, e);
}

static sat_rc
astray(void *u, const sat_id *winner, bool (*cb)(void *cu, uint32_t eid),
    void *cu, sat_err *e)
{
	sat_sqlite_store *s = u;
	sat_stmt *q;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, SQL_ASTRAY, e)) != SAT_OK)
		return rc;
	store_bind_id(q, 1, winner);
	return store_each(q, cb, cu, e);
}

static sat_rc
astray_del(void *u, const sat_id *winner, sat_err *e)
{
	sat_sqlite_store *s = u;
	sat_stmt *q;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, SQL_ASTRAY_DEL, e)) != SAT_OK)
		return rc;
	store_bind_id(q, 1, winner);
	return sat_run(q, e);
}

static sat_rc
recovered_put(void *u, uint64_t lsn, const sat_recovered *r, sat_err *e)
{
	sat_sqlite_store *s = u;
	sat_buf old = { 0 }, was = { 0 };
	sat_stmt *q;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, SQL_RECOVERED_PUT, e)) != SAT_OK)
		return rc;
	for (size_t i = 0; i < r->old.n; i++)
		sat_write_uint(&old, r->old.at[i]);
	for (size_t i = 0; i < r->old.nwas; i++) {
		sat_write_uint(&was, r->old.was[i].incarnation);
		sat_write_uint(&was, r->old.was[i].cseq);
	}
	sat_bind_int(q, 1, (int64_t)lsn);
	sat_bind_blob(q, 2, sat_buf_span(&old));
	sat_bind_blob(q, 3, sat_buf_span(&was));
	sat_bind_blob(q, 4, r->held);
	rc = sat_run(q, e);
	sat_buf_fini(&old);
	sat_buf_fini(&was);
	return rc;
}

static sat_rc
recovered_get(sat_recovered *r, sat_arena *a, void *u, uint64_t lsn,
    sat_err *e)
{
	sat_sqlite_store *s = u;
	sat_reader rd;
	sat_stmt *q;
	bool row;
	sat_rc rc;

	memset(r, 0, sizeof *r);
	if ((rc = store_stmt(&q, s->db, SQL_RECOVERED_GET, e)) != SAT_OK)
		return rc;
	sat_bind_int(q, 1, (int64_t)lsn);
	if ((rc = sat_step(&row, q, e)) == SAT_OK && row) {
		rd = sat_reader_of(sat_col_blob(q, 0));
		while (rd.left > 0 && r->old.n < SAT_OLD_MAX)
			r->old.at[r->old.n++] = sat_read_uint(&rd);
		rd = sat_reader_of(sat_col_blob(q, 1));
		while (rd.left > 0 && r->old.nwas < SAT_WAS_MAX) {
			sat_was *w = &r->old.was[r->old.nwas++];

			w->incarnation = (uint32_t)sat_read_uint_max(&rd,
			    UINT32_MAX);
			w->cseq = sat_read_uint(&rd);
		}
		r->held = store_copy(a, sat_col_blob(q, 2));
	}
	sat_stmt_reset(q);
	return rc;
}

static sat_rc
gap_put(void *u, uint32_t dev, uint32_t inc, uint64_t first, uint64_t last,
    sat_gap why, sat_err *e)
{
	sat_sqlite_store *s = u;
	sat_stmt *q;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, SQL_GAP_PUT, e)) != SAT_OK)
		return rc;
	sat_bind_int(q, 1, dev);
	sat_bind_int(q, 2, inc);
	sat_bind_int(q, 3, (int64_t)first);
	sat_bind_int(q, 4, (int64_t)last);
	sat_bind_int(q, 5, why);
	return sat_run(q, e);
}

static sat_rc
gaps(void *u, uint32_t dev, uint32_t inc, bool (*cb)(void *cu, uint64_t first,
    uint64_t last, sat_gap why), void *cu, sat_err *e)
{
	sat_sqlite_store *s = u;
	sat_stmt *q;
	bool row;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, SQL_GAPS, e)) != SAT_OK)
		return rc;
	sat_bind_int(q, 1, dev);
	sat_bind_int(q, 2, inc);
	while ((rc = sat_step(&row, q, e)) == SAT_OK && row)
		if (!cb(cu, (uint64_t)sat_col_int(q, 0),
		    (uint64_t)sat_col_int(q, 1), (sat_gap)sat_col_int(q, 2)))
			break;
	sat_stmt_reset(q);
	return rc;
}

static sat_rc
known_put(void *u, uint32_t dev, uint64_t cseq, uint32_t by, sat_err *e)
{
	sat_sqlite_store *s = u;
	sat_stmt *q;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, SQL_KNOWN_PUT, e)) != SAT_OK)
		return rc;
	sat_bind_int(q, 1, dev);
	sat_bind_int(q, 2, (int64_t)cseq);
	sat_bind_int(q, 3, by);
	return sat_run(q, e);
}

static sat_rc
let_go_put(void *u, uint32_t dev, uint64_t cseq, sat_err *e)
{
	sat_sqlite_store *s = u;
	sat_stmt *q;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, SQL_LET_GO_PUT, e)) != SAT_OK)
		return rc;
	sat_bind_int(q, 1, dev);
	sat_bind_int(q, 2, (int64_t)cseq);
	return sat_run(q, e);
}

/* 0: nothing is known of the device. */
static sat_rc
number_of(uint64_t *n, sat_sqlite_store *s, int sql, uint32_t dev, sat_err *e)
{
	sat_stmt *q;
	bool row;
	sat_rc rc;

	*n = 0;
	if ((rc = store_stmt(&q, s->db, sql, e)) != SAT_OK)
		return rc;
	sat_bind_int(q, 1, dev);
	if ((rc = sat_step(&row, q, e)) == SAT_OK && row)
		*n = (uint64_t)sat_col_int(q, 0);
	sat_stmt_reset(q);
	return rc;
}

static sat_rc
let_go(uint64_t *cseq, void *u, uint32_t dev, sat_err *e)
{
	return number_of(cseq, u, SQL_LET_GO, dev, e);
}

static sat_rc
told_get(uint64_t *n, void *u, uint32_t dev, sat_err *e)
{
	return number_of(n, u, SQL_TOLD_GET, dev, e);
}

static sat_rc
told_put(void *u, uint32_t dev, uint64_t n, sat_err *e)
{
	sat_stmt *q;
	sat_rc rc;

	if ((rc = store_stmt(&q, ((sat_sqlite_store *)u)->db, SQL_TOLD_PUT,
	    e)) != SAT_OK)
		return rc;
	sat_bind_int(q, 1, (int64_t)n);
	sat_bind_int(q, 2, dev);
	return sat_run(q, e);
}

void
store_loss_ops(sat_store *o)
{
	o->epochs = epochs;
	o->seed_put = seed_put;
	o->seed_set = seed_set;
	o->place_put = place_put;
	o->places = places;
	o->told_get = told_get;
	o->told_put = told_put;
	o->places_all = places_all;
	o->place_has = place_has;
	o->heads = heads;
	o->absent = absent;
	o->seed_get = seed_get;
	o->astray_put = astray_put;
	o->astray = astray;
	o->astray_del = astray_del;
	o->recovered_put = recovered_put;
	o->recovered_get = recovered_get;
	o->gap_put = gap_put;
	o->gaps = gaps;
	o->known_put = known_put;
	o->let_go_put = let_go_put;
	o->let_go = let_go;
}
