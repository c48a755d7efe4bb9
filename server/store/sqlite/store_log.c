/*
 * store_log.c - chains, the log, verdicts.
 */
#include "server/store/sqlite/store_int.h"

#include <string.h>

/* Rows that do not concern a page are stepped over, if they are few. */
#define AHEAD_GAP_MAX 8

static void
read_chain(sat_chain *c, sat_stmt *q, int i)
{
	sat_span head = sat_col_blob(q, i + 1);

	memset(c, 0, sizeof *c);
	c->last_cseq = (uint64_t)sat_col_int(q, i);
	if (head.n == sizeof c->head)
		memcpy(c->head, head.p, head.n);
	c->prev_eff = (sat_hlc)sat_col_int(q, i + 2);
	c->lsn = (uint64_t)sat_col_int(q, i + 3);
}

static sat_rc
chain_get(sat_chain *c, void *u, uint32_t dev, uint32_t inc, sat_err *e)
{
	sat_sqlite_store *s = u;
	sat_stmt *q;
	bool row;
	sat_rc rc;

	memset(c, 0, sizeof *c);
	if ((rc = store_stmt(&q, s->db, SQL_CHAIN_GET, e)) != SAT_OK)
		return rc;
	sat_bind_int(q, 1, dev);
	sat_bind_int(q, 2, inc);
	if ((rc = sat_step(&row, q, e)) == SAT_OK && row)
		read_chain(c, q, 0);
	sat_stmt_reset(q);
	return rc;
}

static sat_rc
chain_put(void *u, uint32_t dev, uint32_t inc, const sat_chain *c, sat_err *e)
{
	sat_sqlite_store *s = u;
	sat_stmt *q;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, SQL_CHAIN_PUT, e)) != SAT_OK)
		return rc;
	sat_bind_int(q, 1, dev);
	sat_bind_int(q, 2, inc);
	sat_bind_int(q, 3, (int64_t)c->last_cseq);
	sat_bind_blob(q, 4, sat_span_of(c->head, sizeof c->head));
	sat_bind_int(q, 5, (int64_t)c->prev_eff);
	sat_bind_int(q, 6, (int64_t)c->lsn);
	return sat_run(q, e);
}

static sat_rc
chains(void *u, bool (*cb)(void *cu, uint32_t dev, uint32_t inc,
    const sat_chain *c), void *cu, sat_err *e)
{
	sat_sqlite_store *s = u;
	sat_chain c;
	sat_stmt *q;
	bool row;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, SQL_CHAINS, e)) != SAT_OK)
		return rc;
	while ((rc = sat_step(&row, q, e)) == SAT_OK && row) {
		read_chain(&c, q, 2);
		if (!cb(cu, (uint32_t)sat_col_int(q, 0),
		    (uint32_t)sat_col_int(q, 1), &c))
			break;
	}
	sat_stmt_reset(q);
	return rc;
}

static sat_rc
batch_sig_put(void *u, uint32_t dev, uint32_t inc, uint64_t first,
    uint64_t last, const uint8_t sig[SAT_SIG_BYTES], sat_err *e)
{
	sat_sqlite_store *s = u;
	sat_stmt *q;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, SQL_BATCH_SIG_PUT, e)) != SAT_OK)
		return rc;
	sat_bind_int(q, 1, dev);
	sat_bind_int(q, 2, inc);
	sat_bind_int(q, 3, (int64_t)last);
	sat_bind_int(q, 4, (int64_t)first);
	sat_bind_blob(q, 5, sat_span_of(sig, SAT_SIG_BYTES));
	return sat_run(q, e);
}

static sat_rc
batch_sigs(void *u, uint32_t dev, uint32_t inc, bool (*cb)(void *cu,
    uint64_t first, uint64_t last, const uint8_t sig[SAT_SIG_BYTES]), void *cu,
    sat_err *e)
{
	sat_sqlite_store *s = u;
	sat_stmt *q;
	bool row;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, SQL_BATCH_SIGS, e)) != SAT_OK)
		return rc;
	sat_bind_int(q, 1, dev);
	sat_bind_int(q, 2, inc);
	while ((rc = sat_step(&row, q, e)) == SAT_OK && row) {
		sat_span sig = sat_col_blob(q, 2);

		if (sig.n != SAT_SIG_BYTES) {
			rc = sat_fail(e, SAT_EINTEGRITY,
			    "a stored signature has %zu bytes", sig.n);
			break;
		}
		if (!cb(cu, (uint64_t)sat_col_int(q, 0),
		    (uint64_t)sat_col_int(q, 1), sig.p))
			break;
	}
	sat_stmt_reset(q);
	return rc;
}

/* ---- the log --------------------------------------------------------------------- */

static void
bind_payload(sat_stmt *q, int i, sat_span payload)
{
	if (payload.n == 0)
		sat_bind_null(q, i);
	else
		sat_bind_blob(q, i, payload);
}

sat_rc
store_log_flush(sat_sqlite_store *s, sat_err *e)
{
	return store_pack_put(s, &s->pack, e);
}

static sat_rc
log_put(void *u, const sat_log_row *row, uint32_t dev, uint32_t inc,
    uint64_t cseq, sat_err *e)
{
	const sat_segment_row r = { *row, dev, inc, cseq };
	sat_sqlite_store *s = u;
	sat_rc rc;

	store_late_logged(s, row->lsn);
	if (store_pack_add(&s->pack, &r))
		return SAT_OK;
	if ((rc = store_log_flush(s, e)) == SAT_OK)
		(void)store_pack_add(&s->pack, &r);
	return rc;
}

/* Of a row in a segment, whose file may still have what was erased. */
sat_rc
store_log_aside(sat_log_row *out, sat_arena *a, sat_sqlite_store *s, uint64_t lsn,
    sat_err *e)
{
	sat_stmt *q;
	bool row;
	sat_rc rc;

	out->echoes = out->rest = (sat_span){ NULL, 0 };
	if ((rc = store_stmt(&q, s->db, SQL_ASIDE_GET, e)) != SAT_OK)
		return rc;
	sat_bind_int(q, 1, (int64_t)lsn);
	while ((rc = sat_step(&row, q, e)) == SAT_OK && row) {
		sat_span bytes = store_copy(a, sat_col_blob(q, 1));

		if (sat_col_int(q, 0) == 0) {
			out->echoes = bytes;
			continue;
		}
		out->payload = (sat_span){ NULL, 0 };
		out->rest = bytes;
	}
	return rc;
}

void
store_log_end_read(sat_sqlite_store *s)
{
	sat_stmt_reset(s->ahead);
	s->ahead = NULL;
	s->read.n = 0;
}

static bool
has(const log_read *p, uint64_t lsn)
{
	return p->n > 0 && lsn >= p->lsn && lsn < p->lsn + p->n;
}

/* A page's rows one behind the other: a statement that goes on costs a third of
 * one that is begun for each. What is read then may lie behind the position. */
static sat_rc
read_on(sat_sqlite_store *s, uint64_t lsn, sat_err *e)
{
	uint64_t end = s->read.lsn + s->read.n;
	bool row;
	sat_rc rc;

	if (s->read.n == 0 || lsn < end || lsn >= end + AHEAD_GAP_MAX) {
		store_log_end_read(s);
		return SAT_OK;
	}
	if (s->ahead == NULL) {
		if ((rc = store_stmt(&s->ahead, s->db, SQL_LOG_AHEAD, e)) !=
		    SAT_OK)
			return rc;
		sat_bind_int(s->ahead, 1, (int64_t)end);
	}
	do {
		if ((rc = sat_step(&row, s->ahead, e)) != SAT_OK || !row ||
		    (rc = store_pack_read(&s->read, s->ahead, e)) != SAT_OK) {
			store_log_end_read(s);
			return rc;
		}
	} while (s->read.lsn + s->read.n <= lsn);
	return SAT_OK;
}

/* The row with a position is the one read last. SAT_ENOTFOUND */
static sat_rc
find_row(sat_sqlite_store *s, uint64_t lsn, sat_err *e)
{
	sat_rc rc;

	if ((rc = store_log_flush(s, e)) != SAT_OK)
		return rc;
	if (!sat_db_in_txn(s->db))
		store_log_end_read(s);
	if (has(&s->read, lsn))
		return SAT_OK;
	if ((rc = read_on(s, lsn, e)) != SAT_OK || has(&s->read, lsn))
		return rc;
	store_log_end_read(s);
	return store_pack_of(&s->read, s, lsn, e);
}

static sat_rc
log_get(sat_log_row *out, sat_arena *a, void *u, uint64_t lsn, sat_err *e)
{
	const sat_segment_row *old;
	sat_sqlite_store *s = u;
	sat_segment_row r;
	sat_rc rc;

	if ((rc = find_row(s, lsn, e)) == SAT_OK) {
		rc = store_pack_whole(&r, a, s, &s->read,
		    (size_t)(lsn - s->read.lsn), e);
		*out = r.row;
		return rc;
	}
	if (rc != SAT_ENOTFOUND ||
	    (rc = store_segment_by_lsn(&old, s, lsn, e)) != SAT_OK)
		return rc;
	*out = old->row;
	out->header = store_copy(a, old->row.header);
	out->payload = store_copy(a, old->row.payload);
	return store_log_aside(out, a, s, lsn, e);
}

static sat_rc
echo_put(void *u, uint64_t lsn, sat_span echoes, sat_err *e)
{
	sat_sqlite_store *s = u;
	sat_stmt *q;
	sat_rc rc;

	store_log_end_read(s);
	if ((rc = store_stmt(&q, s->db, SQL_ECHO_PUT, e)) != SAT_OK)
		return rc;
	sat_bind_int(q, 1, (int64_t)lsn);
	sat_bind_blob(q, 2, echoes);
	return sat_run(q, e);
}

static sat_rc
by_cseq(sat_stmt **q, sat_sqlite_store *s, int sql, uint32_t dev, uint32_t inc,
    uint64_t cseq, sat_err *e)
{
	sat_rc rc;

	if ((rc = store_stmt(q, s->db, sql, e)) != SAT_OK)
		return rc;
	sat_bind_int(*q, 1, dev);
	sat_bind_int(*q, 2, inc);
	sat_bind_int(*q, 3, (int64_t)cseq);
	return store_step_one(*q, "commit", e);
}

/* Commits sent again are looked for one after the other. */
static bool
has_cseq(const log_read *p, uint32_t dev, uint32_t inc, uint64_t cseq)
{
	return p->n > 0 && p->dev == dev && p->inc == inc && cseq >= p->cseq &&
	    cseq < p->cseq + p->n;
}

/* In the log, or borrowed from a segment in *old; else it is NULL, and `i` in
 * the row read last. */
static sat_rc
find_cseq(size_t *i, const sat_segment_row **old, sat_sqlite_store *s,
    uint32_t dev, uint32_t inc, uint64_t cseq, sat_err *e)
{
	sat_stmt *q;
	sat_rc rc;

	*old = NULL;
	if ((rc = store_log_flush(s, e)) != SAT_OK)
		return rc;
	if (!sat_db_in_txn(s->db) || !has_cseq(&s->read, dev, inc, cseq)) {
		store_log_end_read(s);
		if ((rc = by_cseq(&q, s, SQL_LOG_OF_CHAIN, dev, inc, cseq,
		    e)) == SAT_OK) {
			rc = store_pack_read(&s->read, q, e);
			sat_stmt_reset(q);
		}
	}
	*i = (size_t)(cseq - s->read.cseq);
	if (rc == SAT_ENOTFOUND ||
	    (rc == SAT_OK && !has_cseq(&s->read, dev, inc, cseq)))
		rc = store_segment_by_cseq(old, s, dev, inc, cseq, e);
	return rc;
}

static sat_rc
log_find(uint64_t *lsn, sat_hlc *eff, void *u, uint32_t dev, uint32_t inc,
    uint64_t cseq, sat_err *e)
{
	const sat_segment_row *old;
	sat_sqlite_store *s = u;
	size_t i;
	sat_rc rc;

	*lsn = 0;
	if ((rc = find_cseq(&i, &old, s, dev, inc, cseq, e)) != SAT_OK)
		return rc;
	*lsn = old != NULL ? old->row.lsn : s->read.lsn + i;
	*eff = old != NULL ? old->row.eff : s->read.at[i].eff;
	return SAT_OK;
}

static sat_rc
commit_get(sat_span *header, sat_span *payload, sat_arena *a, void *u,
    uint32_t dev, uint32_t inc, uint64_t cseq, sat_err *e)
{
	const sat_segment_row *old;
	sat_sqlite_store *s = u;
	sat_segment_row r;
	sat_stmt *q;
	size_t i;
	sat_rc rc;

	rc = find_cseq(&i, &old, s, dev, inc, cseq, e);
	if (rc == SAT_OK && old != NULL) {
		*header = store_copy(a, old->row.header);
		*payload = store_copy(a, old->row.payload);
	} else if (rc == SAT_OK) {
		store_pack_row(&r, a, &s->read, i);
		*header = r.row.header;
		*payload = r.row.payload;
	} else if (rc == SAT_ENOTFOUND && (rc = by_cseq(&q, s,
	    SQL_REFUSED_BYTES, dev, inc, cseq, e)) == SAT_OK) {
		*header = store_copy(a, sat_col_blob(q, 0));
		*payload = store_copy(a, sat_col_blob(q, 1));
		sat_stmt_reset(q);
	}
	return rc;
}

static sat_rc
refused_put(void *u, uint32_t dev, uint32_t inc, const sat_verdict *v,
    sat_span header, sat_span payload, sat_err *e)
{
	sat_sqlite_store *s = u;
	sat_stmt *q;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, SQL_REFUSED_PUT, e)) != SAT_OK)
		return rc;
	sat_bind_int(q, 1, dev);
	sat_bind_int(q, 2, inc);
	sat_bind_int(q, 3, (int64_t)v->cseq);
	sat_bind_int(q, 4, v->code);
	sat_bind_int(q, 5, v->op);
	sat_bind_text(q, 6, v->slug);
	sat_bind_text(q, 7, v->hint);
	sat_bind_int(q, 8, sat_wall_ms(&s->clock));
	sat_bind_blob(q, 9, header);
	bind_payload(q, 10, payload);
	sat_bind_int(q, 11, (int64_t)v->lsn);
	sat_bind_int(q, 12, (int64_t)v->eff);
	return sat_run(q, e);
}

static sat_rc
refused_get(sat_verdict *v, sat_arena *a, void *u, uint32_t dev, uint32_t inc,
    uint64_t cseq, sat_err *e)
{
	sat_stmt *q;
	sat_rc rc;

	if ((rc = by_cseq(&q, u, SQL_REFUSED_GET, dev, inc, cseq, e)) != SAT_OK)
		return rc;
	*v = (sat_verdict){ .cseq = cseq,
		.code = (sat_verdict_code)sat_col_int(q, 0),
		.op = (uint32_t)sat_col_int(q, 1),
		.slug = store_copy(a, sat_col_text(q, 2)),
		.hint = store_copy(a, sat_col_text(q, 3)),
		.lsn = (uint64_t)sat_col_int(q, 4),
		.eff = (sat_hlc)sat_col_int(q, 5) };
	sat_stmt_reset(q);
	return SAT_OK;
}

static sat_rc
moved_put(void *u, uint32_t dev, const uint8_t payload_hash[SAT_HASH_BYTES],
    uint64_t lsn, sat_err *e)
{
	sat_sqlite_store *s = u;
	sat_stmt *q;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, SQL_MOVED_PUT, e)) != SAT_OK)
		return rc;
	sat_bind_int(q, 1, dev);
	sat_bind_blob(q, 2, sat_span_of(payload_hash, SAT_HASH_BYTES));
	sat_bind_int(q, 3, (int64_t)lsn);
	return sat_run(q, e);
}

static sat_rc
moved_get(uint64_t *lsn, void *u, uint32_t dev,
    const uint8_t payload_hash[SAT_HASH_BYTES], sat_err *e)
{
	sat_sqlite_store *s = u;
	sat_stmt *q;
	bool row;
	sat_rc rc;

	*lsn = 0;
	if ((rc = store_stmt(&q, s->db, SQL_MOVED_GET, e)) != SAT_OK)
		return rc;
	sat_bind_int(q, 1, dev);
	sat_bind_blob(q, 2, sat_span_of(payload_hash, SAT_HASH_BYTES));
	if ((rc = sat_step(&row, q, e)) == SAT_OK && row)
		*lsn = (uint64_t)sat_col_int(q, 0);
	sat_stmt_reset(q);
	return rc;
}

static sat_rc
verdict_put(void *u, uint64_t lsn, sat_verdict_code code, sat_err *e)
{
	sat_sqlite_store *s = u;
	sat_stmt *q;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, SQL_VERDICT_PUT, e)) != SAT_OK)
		return rc;
	sat_bind_int(q, 1, (int64_t)lsn);
	sat_bind_int(q, 2, code);
	return sat_run(q, e);
}

static sat_rc
verdict_get(sat_verdict_code *code, void *u, uint64_t lsn, sat_err *e)
{
	sat_sqlite_store *s = u;
	sat_stmt *q;
	bool row;
	sat_rc rc;

	*code = SAT_VD_OK;
	if ((rc = store_stmt(&q, s->db, SQL_VERDICT_GET, e)) != SAT_OK)
		return rc;
	sat_bind_int(q, 1, (int64_t)lsn);
	if ((rc = sat_step(&row, q, e)) == SAT_OK && row)
		*code = (sat_verdict_code)sat_col_int(q, 0);
	sat_stmt_reset(q);
	return rc;
}

void
store_log_ops(sat_store *o)
{
	o->chain_get = chain_get;
	o->chain_put = chain_put;
	o->chains = chains;
	o->batch_sig_put = batch_sig_put;
	o->batch_sigs = batch_sigs;
	o->log_put = log_put;
	o->log_get = log_get;
	o->echo_put = echo_put;
	o->log_find = log_find;
	o->commit_get = commit_get;
	o->refused_put = refused_put;
	o->refused_get = refused_get;
	o->moved_put = moved_put;
	o->moved_get = moved_get;
	o->verdict_put = verdict_put;
	o->verdict_get = verdict_get;
}
