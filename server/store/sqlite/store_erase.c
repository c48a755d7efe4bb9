/*
 * store_erase.c - what was erased, and who has carried it out (P-190..P-197).
 */
#include "server/store/sqlite/store_int.h"

#include "common/base/file.h"

#include <stdlib.h>
#include <string.h>

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
	store_bind_id(q, 2, &x->subject);
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
		store_take_id(&x.subject, sat_col_blob(q, 1));
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
	store_bind_id(q, 1, subject);
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
	store_bind_id(q, 1, &x->subject);
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
	store_bind_id(q, 1, subject);
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
	store_bind_id(q, 1, subject);
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
		store_take_id(&x.subject, sat_col_blob(q, 0));
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
		store_bind_id(q, 1, id);
	else
		sat_bind_int(q, 1, eid);
	if ((rc = store_step_one(q, "erased record", e)) != SAT_OK)
		return rc;
	out->eid = (uint32_t)sat_col_int(q, 0);
	store_take_id(&out->id, sat_col_blob(q, 1));
	out->root = (uint32_t)sat_col_int(q, 2);
	out->rev = (uint64_t)sat_col_int(q, 3);
	sat_stmt_reset(q);
	return SAT_OK;
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
	store_bind_id(q, 2, &row->id);
	sat_bind_int(q, 3, row->root);
	sat_bind_int(q, 4, (int64_t)row->rev);
	if ((rc = sat_run(q, e)) != SAT_OK ||
	    (rc = store_stmt(&q, s->db, SQL_SEED_ERASE, e)) != SAT_OK)
		return rc;
	store_bind_id(q, 1, &row->id);
	if ((rc = sat_run(q, e)) != SAT_OK ||
	    (rc = store_stmt(&q, s->db, SQL_HOOK_ERASE, e)) != SAT_OK)
		return rc;
	store_bind_id(q, 1, &row->id);
	if ((rc = sat_run(q, e)) != SAT_OK ||
	    (rc = store_run_int(s, SQL_REC_DEL, row->eid, e)) != SAT_OK ||
	    (rc = store_run_int(s, SQL_MATCH_ERASE, row->eid, e)) != SAT_OK ||
	    (rc = store_run_int(s, SQL_OWNER_LEFT_DEL, row->eid, e)) != SAT_OK ||
	    (rc = store_file_erase(s, row->eid, e)) != SAT_OK)
		return rc;
	store_late_erase(s, row->eid);
	if (row->root != row->eid)
		return SAT_OK;
	if ((rc = store_run_int(s, SQL_MEMBER_DEL, row->eid, e)) != SAT_OK)
		return rc;
	return store_run_int(s, SQL_SCOPE_DEL, row->eid, e);
}

typedef struct victim {
	int64_t at;           /* lsn; of a refused one the rowid */
	size_t from, n;       /* what is left of it */
} victim;

typedef struct victims {
	sat_sqlite_store *s;
	bool (*cb)(void *cu, const sat_log_row *row, sat_buf *rest);
	void *cu;
	victim *v;
	size_t n, cap;
	sat_buf rest;
	sat_arena mem;
	sat_err *e;
	sat_rc rc;
} victims;

static void
ask_about(victims *v, int64_t at, const sat_log_row *row)
{
	size_t from = v->rest.n;

	if (!v->cb(v->cu, row, &v->rest))
		return;
	if (v->n == v->cap) {
		v->cap = v->cap == 0 ? 64 : v->cap * 2;
		v->v = sat_xrealloc(v->v, v->cap * sizeof *v->v);
	}
	v->v[v->n++] = (victim){ at, from, v->rest.n - from };
}

static bool
on_segment_row(void *u, const sat_segment_row *row)
{
	sat_log_row l = row->row;
	victims *v = u;

	sat_arena_reset(&v->mem);
	if ((v->rc = store_log_aside(&l, &v->mem, v->s, l.lsn, v->e)) !=
	    SAT_OK)
		return false;
	if (l.payload.n > 0 || l.rest.n > 0)
		ask_about(v, (int64_t)l.lsn, &l);
	return true;
}

static bool
on_log_row(void *u, const sat_segment_row *row)
{
	if (row->row.payload.n > 0 || row->row.rest.n > 0)
		ask_about(u, (int64_t)row->row.lsn, &row->row);
	return true;
}

/* Collected first: the table is not written under a running query. */
static sat_rc
ask_refused(victims *v, sat_err *e)
{
	sat_stmt *q;
	bool row;
	sat_rc rc;

	if ((rc = store_stmt(&q, v->s->db, SQL_REFUSED_ALL_BYTES, e)) != SAT_OK)
		return rc;
	while ((rc = sat_step(&row, q, e)) == SAT_OK && row)
		ask_about(v, sat_col_int(q, 0), &(sat_log_row){
		    .header = sat_col_blob(q, 1),
		    .payload = sat_col_blob(q, 2) });
	return rc;
}

/* `segment`: its file is not written anew before this is certain, and until
 * then the row tells that nothing of it counts. */
static sat_rc
put_rest(victims *v, const victim *x, bool segment, sat_err *e)
{
	sat_stmt *q;
	sat_rc rc;

	if (x->n == 0 && !segment)
		return store_run_int(v->s, SQL_REST_DEL, x->at, e);
	if ((rc = store_stmt(&q, v->s->db, SQL_REST_PUT, e)) != SAT_OK)
		return rc;
	sat_bind_int(q, 1, x->at);
	if (x->n == 0)
		sat_bind_null(q, 2);
	else
		sat_bind_blob(q, 2, sat_span_of(v->rest.p + x->from, x->n));
	return sat_run(q, e);
}

static sat_rc
erase_logged(victims *v, sat_err *e)
{
	size_t moved;
	sat_rc rc;

	if ((rc = store_segment_rows(v->s, on_segment_row, v, e)) != SAT_OK ||
	    (rc = v->rc) != SAT_OK)
		return rc;
	moved = v->n;
	rc = store_log_rows(v->s, 0, INT64_MAX, on_log_row, v, e);
	for (size_t i = 0; i < v->n && rc == SAT_OK; i++)
		if (i < moved || (rc = store_log_drop_payload(v->s,
		    (uint64_t)v->v[i].at, e)) == SAT_OK)
			rc = put_rest(v, &v->v[i], i < moved, e);
	return rc;
}

static sat_rc
erase_refused(victims *v, sat_err *e)
{
	size_t before = v->n;
	sat_rc rc = ask_refused(v, e);

	for (size_t i = before; i < v->n && rc == SAT_OK; i++)
		rc = store_run_int(v->s, SQL_REFUSED_ERASE, v->v[i].at, e);
	return rc;
}

static sat_rc
payloads_erase(uint64_t *n, void *u, bool (*cb)(void *cu,
    const sat_log_row *row, sat_buf *rest), void *cu, sat_err *e)
{
	victims v = { .s = u, .cb = cb, .cu = cu, .e = e };
	sat_rc rc;

	/* What the log loses no row may need any more. */
	if ((rc = store_late_settle(u, e)) == SAT_OK &&
	    (rc = store_log_flush(u, e)) == SAT_OK &&
	    (rc = erase_logged(&v, e)) == SAT_OK)
		rc = erase_refused(&v, e);
	*n = v.n;
	sat_wipe(v.rest.p, v.rest.n);
	sat_buf_fini(&v.rest);
	sat_arena_fini(&v.mem);
	free(v.v);
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
typedef struct of_erased {
	sat_sqlite_store *s;
	sat_arena mem;
	sat_err *e;
	sat_rc rc;
} of_erased;

static bool
is_erased(void *u, const sat_segment_row *row)
{
	of_erased *x = u;
	sat_log_row l = row->row;

	sat_arena_reset(&x->mem);
	if (x->rc == SAT_OK)
		x->rc = store_log_aside(&l, &x->mem, x->s, l.lsn, x->e);
	return x->rc == SAT_OK && l.payload.n == 0;
}

/* The log is emptied before it is said, and again of having said so. */
static sat_rc
owed_no_more(sat_sqlite_store *s, sat_err *e)
{
	sat_rc rc;

	if ((rc = sat_db_checkpoint(s->db, e)) != SAT_OK ||
	    (rc = sat_db_begin(s->db, e)) != SAT_OK ||
	    (rc = store_end(s, store_counter_put(s, SAT_N_SCRUB, 0, e),
	    e)) != SAT_OK)
		return rc;
	return sat_db_checkpoint(s->db, e);
}

/* Files do not come back with a transaction that fails: what the segments hold
 * goes once it is certain that the records went; and so do segments that were
 * written and never counted, and the copies of the store that lie beside it,
 * whole. */
static sat_rc
scrub(void *u, sat_err *e)
{
	of_erased x = { .s = u, .e = e };
	uint64_t moved;
	sat_rc rc;

	if ((rc = sat_sqlite_segments_erase(&moved, u, is_erased, &x, e)) ==
	    SAT_OK)
		rc = x.rc;
	sat_arena_fini(&x.mem);
	if (rc != SAT_OK || (rc = store_segment_strays(u, e)) != SAT_OK ||
	    (x.s->snapshots != NULL &&
	    (rc = sat_folder_clear(x.s->snapshots, e)) != SAT_OK))
		return rc;
	return owed_no_more(u, e);
}

void
store_erase_ops(sat_store *o)
{
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
