/*
 * store_wipe.c - devices that were ordered to destroy what they hold.
 */
#include "server/store/sqlite/store_int.h"

#include <string.h>

static sat_rc
wipe_get(sat_wipe_row *w, void *u, uint32_t ord, sat_err *e)
{
	sat_sqlite_store *s = u;
	sat_stmt *q;
	bool row;
	sat_rc rc;

	*w = (sat_wipe_row){ 0 };
	if ((rc = store_stmt(&q, s->db, SQL_WIPE_GET, e)) != SAT_OK)
		return rc;
	sat_bind_int(q, 1, ord);
	if ((rc = sat_step(&row, q, e)) == SAT_OK && row) {
		sat_span nonce = sat_col_blob(q, 0);

		if (nonce.n == sizeof w->nonce)
			memcpy(w->nonce, nonce.p, nonce.n);
		w->at_ms = sat_col_int(q, 1);
		w->push_first = sat_col_int(q, 2) != 0;
		w->told_ms = sat_col_int(q, 3);
		w->done_ms = sat_col_int(q, 4);
	}
	sat_stmt_reset(q);
	return rc != SAT_OK || row ? rc : sat_fail(e, SAT_ENOTFOUND,
	    "no order to wipe device %u", ord);
}

static sat_rc
wipe_told(void *u, uint32_t ord, int64_t now_ms, sat_err *e)
{
	sat_sqlite_store *s = u;
	sat_stmt *q;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, SQL_WIPE_TOLD, e)) != SAT_OK)
		return rc;
	sat_bind_int(q, 1, now_ms);
	sat_bind_int(q, 2, ord);
	return sat_run(q, e);
}

static sat_rc
wipe_done(void *u, const sat_wiped *w, int64_t now_ms, sat_err *e)
{
	sat_sqlite_store *s = u;
	sat_buf receipt = { 0 };
	sat_stmt *q;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, SQL_WIPE_DONE, e)) != SAT_OK)
		return rc;
	sat_wiped_write(&receipt, w);
	sat_bind_int(q, 1, now_ms);
	sat_bind_blob(q, 2, sat_buf_span(&receipt));
	sat_bind_int(q, 3, (int64_t)w->cseq);
	sat_bind_int(q, 4, w->device);
	sat_bind_int(q, 5, w->incarnation);
	rc = sat_run(q, e);
	sat_buf_fini(&receipt);
	return rc;
}

void
store_wipe_ops(sat_store *o)
{
	o->wipe_get = wipe_get;
	o->wipe_told = wipe_told;
	o->wipe_done = wipe_done;
}

static sat_rc
order(sat_sqlite_store *s, uint32_t ord,
    const uint8_t nonce[SAT_WIPE_NONCE_BYTES], int64_t at_ms, bool push_first,
    sat_err *e)
{
	sat_stmt *q;
	sat_rc rc;

	if ((rc = store_revoke(s, ord, e)) != SAT_OK ||
	    (rc = store_stmt(&q, s->db, SQL_WIPE_ORDER, e)) != SAT_OK)
		return rc;
	sat_bind_int(q, 1, ord);
	sat_bind_blob(q, 2, sat_span_of(nonce, SAT_WIPE_NONCE_BYTES));
	sat_bind_int(q, 3, at_ms);
	sat_bind_int(q, 4, push_first);
	return sat_run(q, e);
}

sat_rc
sat_sqlite_device_wipe(sat_sqlite_store *s, uint32_t ord,
    const uint8_t nonce[SAT_WIPE_NONCE_BYTES], int64_t at_ms, bool push_first,
    sat_err *e)
{
	sat_rc rc = sat_db_begin(s->db, e);

	if (rc != SAT_OK)
		return rc;
	rc = order(s, ord, nonce, at_ms, push_first, e);
	if (rc == SAT_OK)
		rc = store_registry_bump(s, e);
	return store_end(s, rc, e);
}
