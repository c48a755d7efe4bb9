/*
 * store_loss.c - what a restored server was given back (P-200..P-209), and
 * what was erased (P-190..P-199).
 */
#include "server/store/sqlite/store_int.h"

#include <stdlib.h>
#include <string.h>

static void
take_id(sat_id *id, sat_span s)
{
	memset(id, 0, sizeof *id);
	if (s.n == sizeof id->b)
		memcpy(id->b, s.p, s.n);
}

static void
bind_id(sat_stmt *q, int i, const sat_id *id)
{
	sat_bind_blob(q, i, sat_span_of(id->b, sizeof id->b));
}

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

static sat_rc
seed_put(void *u, uint64_t lsn, const sat_id *id, uint64_t upto, uint32_t dev,
    sat_span state, sat_err *e)
{
	sat_sqlite_store *s = u;
	sat_stmt *q;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, SQL_SEED_PUT, e)) != SAT_OK)
		return rc;
	sat_bind_int(q, 1, (int64_t)lsn);
	bind_id(q, 2, id);
	sat_bind_int(q, 3, (int64_t)upto);
	sat_bind_int(q, 4, dev);
	sat_bind_int(q, 5, sat_wall_ms(&s->clock));
	sat_bind_blob(q, 6, state);
	return sat_run(q, e);
}

static sat_rc
place_put(void *u, const sat_place *p, uint64_t lsn, sat_err *e)
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
	return sat_run(q, e);
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
places(void *u, uint64_t lsn, bool (*cb)(void *cu, const sat_place *p),
    void *cu, sat_err *e)
{
	sat_stmt *q;
	sat_rc rc;

	if ((rc = store_stmt(&q, ((sat_sqlite_store *)u)->db, SQL_PLACES,
	    e)) != SAT_OK)
		return rc;
	sat_bind_int(q, 1, (int64_t)lsn);
	return list_places(q, cb, cu, e);
}

static sat_rc
places_in(void *u, uint64_t from, uint64_t upto, bool (*cb)(void *cu,
    const sat_place *p), void *cu, sat_err *e)
{
	sat_stmt *q;
	sat_rc rc;

	if ((rc = store_stmt(&q, ((sat_sqlite_store *)u)->db, SQL_PLACES_IN,
	    e)) != SAT_OK)
		return rc;
	sat_bind_int(q, 1, (int64_t)from);
	sat_bind_int(q, 2, (int64_t)upto);
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
refused_of(void *u, uint32_t dev, uint32_t inc, uint64_t first, uint64_t last,
    bool (*cb)(void *cu, uint64_t cseq), void *cu, sat_err *e)
{
	sat_sqlite_store *s = u;
	sat_stmt *q;
	bool row;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, SQL_REFUSED_OF, e)) != SAT_OK)
		return rc;
	sat_bind_int(q, 1, dev);
	sat_bind_int(q, 2, inc);
	sat_bind_int(q, 3, (int64_t)first);
	sat_bind_int(q, 4, (int64_t)last);
	while ((rc = sat_step(&row, q, e)) == SAT_OK && row)
		if (!cb(cu, (uint64_t)sat_col_int(q, 0)))
			break;
	sat_stmt_reset(q);
	return rc;
}

static sat_rc
seed_get(sat_id *id, sat_span *state, sat_arena *a, void *u, uint64_t lsn,
    sat_err *e)
{
	sat_sqlite_store *s = u;
	sat_stmt *q;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, SQL_SEED_GET, e)) != SAT_OK)
		return rc;
	sat_bind_int(q, 1, (int64_t)lsn);
	if ((rc = store_step_one(q, "state", e)) != SAT_OK)
		return rc;
	take_id(id, sat_col_blob(q, 0));
	*state = store_copy(a, sat_col_blob(q, 1));
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
	bind_id(q, 1, winner);
	sat_bind_int(q, 2, eid);
	return sat_run(q, e);
}

static sat_rc
astray(void *u, const sat_id *winner, bool (*cb)(void *cu, uint32_t eid),
    void *cu, sat_err *e)
{
	sat_sqlite_store *s = u;
	sat_stmt *q;
	bool row;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, SQL_ASTRAY, e)) != SAT_OK)
		return rc;
	bind_id(q, 1, winner);
	while ((rc = sat_step(&row, q, e)) == SAT_OK && row)
		if (!cb(cu, (uint32_t)sat_col_int(q, 0)))
			break;
	sat_stmt_reset(q);
	return rc;
}

static sat_rc
astray_del(void *u, const sat_id *winner, sat_err *e)
{
	sat_sqlite_store *s = u;
	sat_stmt *q;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, SQL_ASTRAY_DEL, e)) != SAT_OK)
		return rc;
	bind_id(q, 1, winner);
	return sat_run(q, e);
}

static sat_rc
recovered_put(void *u, uint64_t lsn, const sat_recovered *r, sat_err *e)
{
	sat_sqlite_store *s = u;
	sat_buf old = { 0 };
	sat_stmt *q;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, SQL_RECOVERED_PUT, e)) != SAT_OK)
		return rc;
	for (size_t i = 0; i < r->old.n; i++)
		sat_write_uint(&old, r->old.at[i]);
	sat_bind_int(q, 1, (int64_t)lsn);
	sat_bind_blob(q, 2, sat_buf_span(&old));
	sat_bind_blob(q, 3, r->held);
	rc = sat_run(q, e);
	sat_buf_fini(&old);
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
		r->held = store_copy(a, sat_col_blob(q, 1));
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

/* ---- the ledger ------------------------------------------------------------------- */

static sat_rc
ledger_put(void *u, const sat_erasure *x, sat_err *e)
{
	sat_sqlite_store *s = u;
	sat_stmt *q;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, SQL_LEDGER_PUT, e)) != SAT_OK)
		return rc;
	sat_bind_int(q, 1, (int64_t)x->rev);
	bind_id(q, 2, &x->subject);
	sat_bind_int(q, 3, (int64_t)x->lsn);
	sat_bind_int(q, 4, x->at_ms);
	sat_bind_int(q, 5, x->by);
	sat_bind_int(q, 6, x->second);
	sat_bind_text(q, 7, x->reason);
	sat_bind_blob(q, 8, sat_span_of(x->sig, sizeof x->sig));
	return sat_run(q, e);
}

static sat_rc
ledger_after(void *u, uint64_t after, bool (*cb)(void *cu,
    const sat_erasure *x), void *cu, sat_err *e)
{
	sat_sqlite_store *s = u;
	sat_erasure x;
	sat_stmt *q;
	bool row;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, SQL_LEDGER_AFTER, e)) != SAT_OK)
		return rc;
	sat_bind_int(q, 1, (int64_t)after);
	while ((rc = sat_step(&row, q, e)) == SAT_OK && row) {
		x = (sat_erasure){ .rev = (uint64_t)sat_col_int(q, 0),
			.lsn = (uint64_t)sat_col_int(q, 2),
			.at_ms = sat_col_int(q, 3),
			.by = (uint32_t)sat_col_int(q, 4),
			.second = (uint32_t)sat_col_int(q, 5),
			.reason = sat_col_text(q, 6) };
		take_id(&x.subject, sat_col_blob(q, 1));
		if (sat_col_blob(q, 7).n == sizeof x.sig)
			memcpy(x.sig, sat_col_blob(q, 7).p, sizeof x.sig);
		if (!cb(cu, &x))
			break;
	}
	sat_stmt_reset(q);
	return rc;
}

static sat_rc
ledger_of(uint64_t *rev, void *u, const sat_id *subject, sat_err *e)
{
	sat_sqlite_store *s = u;
	sat_stmt *q;
	bool row;
	sat_rc rc;

	*rev = 0;
	if ((rc = store_stmt(&q, s->db, SQL_LEDGER_OF, e)) != SAT_OK)
		return rc;
	bind_id(q, 1, subject);
	if ((rc = sat_step(&row, q, e)) == SAT_OK && row)
		*rev = (uint64_t)sat_col_int(q, 0);
	sat_stmt_reset(q);
	return rc;
}

static sat_rc
ask_put(void *u, const sat_erasure *x, sat_err *e)
{
	sat_sqlite_store *s = u;
	sat_stmt *q;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, SQL_ASK_PUT, e)) != SAT_OK)
		return rc;
	bind_id(q, 1, &x->subject);
	sat_bind_int(q, 2, x->at_ms);
	sat_bind_int(q, 3, x->by);
	sat_bind_text(q, 4, x->reason);
	return sat_run(q, e);
}

static sat_rc
ask_get(sat_erasure *x, sat_arena *a, void *u, const sat_id *subject,
    sat_err *e)
{
	sat_sqlite_store *s = u;
	sat_stmt *q;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, SQL_ASK_GET, e)) != SAT_OK)
		return rc;
	bind_id(q, 1, subject);
	if ((rc = store_step_one(q, "request", e)) != SAT_OK)
		return rc;
	*x = (sat_erasure){ .subject = *subject, .at_ms = sat_col_int(q, 0),
		.by = (uint32_t)sat_col_int(q, 1),
		.reason = store_copy(a, sat_col_text(q, 2)) };
	sat_stmt_reset(q);
	return SAT_OK;
}

static sat_rc
ask_del(void *u, const sat_id *subject, sat_err *e)
{
	sat_sqlite_store *s = u;
	sat_stmt *q;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, SQL_ASK_DEL, e)) != SAT_OK)
		return rc;
	bind_id(q, 1, subject);
	return sat_run(q, e);
}

static sat_rc
asks(void *u, bool (*cb)(void *cu, const sat_erasure *x), void *cu, sat_err *e)
{
	sat_sqlite_store *s = u;
	sat_erasure x;
	sat_stmt *q;
	bool row;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, SQL_ASKS, e)) != SAT_OK)
		return rc;
	while ((rc = sat_step(&row, q, e)) == SAT_OK && row) {
		x = (sat_erasure){ .at_ms = sat_col_int(q, 1),
			.by = (uint32_t)sat_col_int(q, 2),
			.reason = sat_col_text(q, 3) };
		take_id(&x.subject, sat_col_blob(q, 0));
		if (!cb(cu, &x))
			break;
	}
	sat_stmt_reset(q);
	return rc;
}

/* ---- what is erased --------------------------------------------------------------- */

static sat_rc
erased_get(sat_erased_row *out, void *u, const sat_id *id, uint32_t eid,
    sat_err *e)
{
	sat_sqlite_store *s = u;
	sat_stmt *q;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, id != NULL ? SQL_ERASED_BY_ID :
	    SQL_ERASED_BY_EID, e)) != SAT_OK)
		return rc;
	if (id != NULL)
		bind_id(q, 1, id);
	else
		sat_bind_int(q, 1, eid);
	if ((rc = store_step_one(q, "erased record", e)) != SAT_OK)
		return rc;
	out->eid = (uint32_t)sat_col_int(q, 0);
	take_id(&out->id, sat_col_blob(q, 1));
	out->root = (uint32_t)sat_col_int(q, 2);
	out->rev = (uint64_t)sat_col_int(q, 3);
	sat_stmt_reset(q);
	return SAT_OK;
}

static sat_rc
run_int(sat_sqlite_store *s, int sql, int64_t v, sat_err *e)
{
	sat_stmt *q;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, sql, e)) != SAT_OK)
		return rc;
	sat_bind_int(q, 1, v);
	return sat_run(q, e);
}

static sat_rc
rec_erase(void *u, const sat_erased_row *row, sat_err *e)
{
	sat_sqlite_store *s = u;
	sat_stmt *q;
	sat_rc rc;

	if ((rc = store_log_flush(s, e)) != SAT_OK ||
	    (rc = store_scope_flush(s, e)) != SAT_OK ||
	    (rc = store_stmt(&q, s->db, SQL_ERASED_PUT, e)) != SAT_OK)
		return rc;
	sat_bind_int(q, 1, row->eid);
	bind_id(q, 2, &row->id);
	sat_bind_int(q, 3, row->root);
	sat_bind_int(q, 4, (int64_t)row->rev);
	if ((rc = sat_run(q, e)) != SAT_OK ||
	    (rc = store_stmt(&q, s->db, SQL_SEED_ERASE, e)) != SAT_OK)
		return rc;
	bind_id(q, 1, &row->id);
	if ((rc = sat_run(q, e)) != SAT_OK ||
	    (rc = run_int(s, SQL_REC_DEL, row->eid, e)) != SAT_OK ||
	    (rc = run_int(s, SQL_MATCH_ERASE, row->eid, e)) != SAT_OK ||
	    (rc = run_int(s, SQL_OWNER_LEFT_DEL, row->eid, e)) != SAT_OK)
		return rc;
	if (row->root != row->eid)
		return SAT_OK;
	if ((rc = run_int(s, SQL_MEMBER_DEL, row->eid, e)) != SAT_OK)
		return rc;
	return run_int(s, SQL_SCOPE_DEL, row->eid, e);
}

typedef struct victims {
	int64_t *at;
	size_t n, cap;
} victims;

static void
victim(victims *v, int64_t at)
{
	if (v->n == v->cap) {
		v->cap = v->cap == 0 ? 64 : v->cap * 2;
		v->at = sat_xrealloc(v->at, v->cap * sizeof *v->at);
	}
	v->at[v->n++] = at;
}

/* Collected first: the table is not written under a running query. */
static sat_rc
erase_from(uint64_t *n, sat_sqlite_store *s, int scan, int sql,
    bool (*cb)(void *cu, sat_span header, sat_span payload), void *cu,
    sat_err *e)
{
	victims v = { 0 };
	sat_stmt *q;
	bool row;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, scan, e)) != SAT_OK)
		return rc;
	while ((rc = sat_step(&row, q, e)) == SAT_OK && row)
		if (cb(cu, sat_col_blob(q, 1), sat_col_blob(q, 2)))
			victim(&v, sat_col_int(q, 0));
	for (size_t i = 0; i < v.n && rc == SAT_OK; i++)
		rc = run_int(s, sql, v.at[i], e);
	*n += v.n;
	free(v.at);
	return rc;
}

typedef struct by_header_ctx {
	bool (*cb)(void *cu, sat_span header, sat_span payload);
	void *cu;
} by_header_ctx;

/* In a segment the header alone decides: its subject is the customer. */
static bool
by_header(void *u, sat_span header)
{
	by_header_ctx *h = u;

	return h->cb(h->cu, header, (sat_span){ NULL, 0 });
}

static sat_rc
payloads_erase(uint64_t *n, void *u, bool (*cb)(void *cu, sat_span header,
    sat_span payload), void *cu, sat_err *e)
{
	by_header_ctx h = { cb, cu };
	uint64_t moved = 0;
	sat_rc rc;

	*n = 0;
	if ((rc = store_log_flush(u, e)) != SAT_OK ||
	    (rc = erase_from(n, u, SQL_LOG_ALL_BYTES, SQL_LOG_ERASE, cb, cu,
	    e)) != SAT_OK)
		return rc;
	if ((rc = erase_from(n, u, SQL_REFUSED_ALL_BYTES, SQL_REFUSED_ERASE,
	    cb, cu, e)) != SAT_OK)
		return rc;
	rc = sat_sqlite_segments_erase(&moved, u, by_header, &h, e);
	*n += moved;
	return rc;
}

static sat_rc
receipt_put(void *u, uint32_t dev, uint64_t rev,
    const uint8_t sig[SAT_SIG_BYTES], int64_t now_ms, sat_err *e)
{
	sat_sqlite_store *s = u;
	sat_stmt *q;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, SQL_RECEIPT_PUT, e)) != SAT_OK)
		return rc;
	sat_bind_int(q, 1, dev);
	sat_bind_int(q, 2, (int64_t)rev);
	sat_bind_int(q, 3, now_ms);
	sat_bind_blob(q, 4, sat_span_of(sig, SAT_SIG_BYTES));
	return sat_run(q, e);
}

static sat_rc
receipts(void *u, bool (*cb)(void *cu, uint32_t dev, int64_t seen_ms,
    uint64_t rev), void *cu, sat_err *e)
{
	sat_sqlite_store *s = u;
	sat_stmt *q;
	bool row;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, SQL_RECEIPTS, e)) != SAT_OK)
		return rc;
	while ((rc = sat_step(&row, q, e)) == SAT_OK && row)
		if (!cb(cu, (uint32_t)sat_col_int(q, 0), sat_col_int(q, 3),
		    (uint64_t)sat_col_int(q, 4)))
			break;
	sat_stmt_reset(q);
	return rc;
}

/* SQLite zeroes what it deletes (secure_delete); the log is the place where
 * it stands otherwise. */
static sat_rc
scrub(void *u, sat_err *e)
{
	return sat_db_checkpoint(((sat_sqlite_store *)u)->db, e);
}

void
store_loss_ops(sat_store *o)
{
	o->epochs = epochs;
	o->seed_put = seed_put;
	o->place_put = place_put;
	o->places = places;
	o->places_in = places_in;
	o->place_has = place_has;
	o->heads = heads;
	o->refused_of = refused_of;
	o->seed_get = seed_get;
	o->astray_put = astray_put;
	o->astray = astray;
	o->astray_del = astray_del;
	o->recovered_put = recovered_put;
	o->recovered_get = recovered_get;
	o->gap_put = gap_put;
	o->gaps = gaps;
	o->known_put = known_put;
	o->ledger_put = ledger_put;
	o->ledger_after = ledger_after;
	o->ledger_of = ledger_of;
	o->ask_put = ask_put;
	o->ask_get = ask_get;
	o->ask_del = ask_del;
	o->asks = asks;
	o->erased_get = erased_get;
	o->rec_erase = rec_erase;
	o->payloads_erase = payloads_erase;
	o->receipt_put = receipt_put;
	o->receipts = receipts;
	o->scrub = scrub;
}
