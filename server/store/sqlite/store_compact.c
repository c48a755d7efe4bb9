/*
 * store_compact.c - log rows move out into segment files (P-188).
 *
 * A file is complete and durable before the transaction that takes its rows
 * out of the database; one that was written and not used is written again.
 *
 * Invariants, named in the tests:
 *   T1  a commit is in the log or in one segment, never in neither.
 *   T2  nothing that a live device or a missing backup may still need moves.
 */
#include "server/store/sqlite/store_int.h"

#include <stdlib.h>
#include <string.h>

/* ---- what may move ------------------------------------------------------------------------ */

static sat_rc
one_number(int64_t *v, bool *found, sat_sqlite_store *s, int sql, int64_t a,
    int64_t b, int nargs, sat_err *e)
{
	sat_stmt *q;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, sql, e)) != SAT_OK)
		return rc;
	if (nargs > 0)
		sat_bind_int(q, 1, a);
	if (nargs > 1)
		sat_bind_int(q, 2, b);
	if ((rc = sat_step(found, q, e)) == SAT_OK && *found)
		*v = sat_col_int(q, 0);
	sat_stmt_reset(q);
	return rc;
}

sat_rc
sat_sqlite_compact_limit(uint64_t *upto, sat_sqlite_store *s,
    int64_t lease_ms, int64_t keep_ms, sat_err *e)
{
	int64_t now = sat_wall_ms(&s->clock), v = 0;
	uint64_t durable, from;
	bool found;
	sat_rc rc;

	*upto = 0;
	if ((rc = store_counter_get(&durable, s, SAT_N_DURABLE, e)) != SAT_OK ||
	    (rc = store_counter_get(&from, s, SAT_N_TRUNCATED, e)) != SAT_OK ||
	    (rc = one_number(&v, &found, s, SQL_LIVE_CURSOR, now - lease_ms, 0,
	    1, e)) != SAT_OK)
		return rc;
	*upto = durable;
	if (v >= 0 && (uint64_t)v < *upto)
		*upto = (uint64_t)v;
	if ((rc = one_number(&v, &found, s, SQL_LOG_RECEIVED_BEFORE,
	    (int64_t)from, now - keep_ms, 2, e)) != SAT_OK)
		return rc;
	if (found && (uint64_t)v <= *upto)
		*upto = (uint64_t)v - 1;
	return SAT_OK;
}

/* ---- moving ---------------------------------------------------------------------------------- */

typedef struct moving {
	sat_sqlite_store *s;
	sat_arena mem;
	sat_segment_row *rows;
	size_t n, cap, bytes;
	uint64_t number, first;
	uint8_t prev[SAT_HASH_BYTES], hash[SAT_HASH_BYTES], sig[SAT_SIG_BYTES];
	sat_buf file;
} moving;

static bool
add_row(void *u, const sat_segment_row *from)
{
	moving *m = u;
	sat_segment_row *r;

	if (m->n == m->cap) {
		m->cap = m->cap == 0 ? 256 : m->cap * 2;
		m->rows = sat_xrealloc(m->rows, m->cap * sizeof *m->rows);
	}
	r = &m->rows[m->n++];
	*r = *from;
	r->row.header = store_copy(&m->mem, from->row.header);
	r->row.payload = store_copy(&m->mem, from->row.payload);
	r->row.echoes = r->row.rest = (sat_span){ NULL, 0 };
	m->bytes += r->row.header.n + r->row.payload.n + 32;
	return m->bytes < SAT_SEGMENT_BYTES &&
	    m->n <= SAT_SEGMENT_ROWS_MAX - LOG_PACK_MAX;
}

static sat_rc
last_segment(moving *m, sat_err *e)
{
	sat_stmt *q;
	bool row;
	sat_rc rc;

	m->number = 1;
	if ((rc = store_stmt(&q, m->s->db, SQL_SEGMENT_LAST, e)) != SAT_OK ||
	    (rc = sat_step(&row, q, e)) != SAT_OK)
		return rc;
	if (row && sat_col_blob(q, 3).n == sizeof m->prev) {
		m->number = (uint64_t)sat_col_int(q, 2) + 1;
		memcpy(m->prev, sat_col_blob(q, 3).p, sizeof m->prev);
	}
	sat_stmt_reset(q);
	return SAT_OK;
}

static sat_rc
put_chain(moving *m, size_t i, uint64_t last, sat_err *e)
{
	sat_stmt *q;
	sat_rc rc;

	if ((rc = store_stmt(&q, m->s->db, SQL_SEGMENT_CHAIN_PUT, e)) !=
	    SAT_OK)
		return rc;
	sat_bind_int(q, 1, m->rows[i].dev);
	sat_bind_int(q, 2, m->rows[i].inc);
	sat_bind_int(q, 3, (int64_t)m->rows[i].cseq);
	sat_bind_int(q, 4, (int64_t)last);
	sat_bind_int(q, 5, (int64_t)m->first);
	return sat_run(q, e);
}

static int
by_chain(const void *a, const void *b)
{
	const sat_segment_row *x = a, *y = b;

	if (x->dev != y->dev)
		return x->dev < y->dev ? -1 : 1;
	if (x->inc != y->inc)
		return x->inc < y->inc ? -1 : 1;
	return x->cseq < y->cseq ? -1 : x->cseq > y->cseq;
}

/* Sorted by chain: the rows are packed already. */
static sat_rc
put_chains(moving *m, sat_err *e)
{
	sat_rc rc;

	qsort(m->rows, m->n, sizeof *m->rows, by_chain);
	for (size_t i = 0, k; i < m->n; i = k) {
		for (k = i + 1; k < m->n && m->rows[k].dev == m->rows[i].dev &&
		    m->rows[k].inc == m->rows[i].inc; k++)
			;
		if ((rc = put_chain(m, i, m->rows[k - 1].cseq, e)) != SAT_OK)
			return rc;
	}
	return SAT_OK;
}

static sat_rc
put_segment(moving *m, uint64_t last, sat_err *e)
{
	sat_stmt *q;
	sat_rc rc;

	if ((rc = store_stmt(&q, m->s->db, SQL_SEGMENT_PUT, e)) != SAT_OK)
		return rc;
	sat_bind_int(q, 1, (int64_t)m->first);
	sat_bind_int(q, 2, (int64_t)last);
	sat_bind_int(q, 3, (int64_t)m->number);
	sat_bind_int(q, 4, (int64_t)m->n);
	sat_bind_int(q, 5, (int64_t)m->file.n);
	sat_bind_blob(q, 6, sat_span_of(m->hash, sizeof m->hash));
	sat_bind_blob(q, 7, sat_span_of(m->sig, sizeof m->sig));
	return sat_run(q, e);
}

static sat_rc
of_key_upto(sat_sqlite_store *s, int sql, int64_t key, uint64_t upto,
    sat_err *e)
{
	sat_stmt *q;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, sql, e)) != SAT_OK)
		return rc;
	sat_bind_int(q, sat_bind_index(q, "@key"), key);
	sat_bind_int(q, sat_bind_index(q, "@upto"), (int64_t)upto);
	return sat_run(q, e);
}

/* What the statements do to each key that the first one lists. */
static sat_rc
of_keys_upto(sat_sqlite_store *s, int list, const int *sql, size_t nsql,
    uint64_t upto, sat_err *e)
{
	int64_t *keys = NULL;
	size_t n = 0, cap = 0;
	sat_stmt *q;
	bool row;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, list, e)) != SAT_OK)
		return rc;
	while ((rc = sat_step(&row, q, e)) == SAT_OK && row) {
		if (n == cap) {
			cap = cap == 0 ? 64 : cap * 2;
			keys = sat_xrealloc(keys, cap * sizeof *keys);
		}
		keys[n++] = sat_col_int(q, 0);
	}
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < nsql && rc == SAT_OK; k++)
			rc = of_key_upto(s, sql[k], keys[i], upto, e);
	free(keys);
	return rc;
}

static sat_rc
drop_scope(sat_sqlite_store *s, uint64_t upto, sat_err *e)
{
	static const int rescopes[] = { SQL_SCOPE_OLD_DEL };
	static const int runs[] = { SQL_SCOPE_RUN_CUT, SQL_SCOPE_RUN_OLD_DEL };
	sat_rc rc = of_keys_upto(s, SQL_SCOPE_KEYS, rescopes, 1, upto, e);

	return rc != SAT_OK ? rc : of_keys_upto(s, SQL_SCOPE_RUN_KEYS, runs, 2,
	    upto, e);
}

/* T1: the rows leave the log in the transaction that knows the file. */
static sat_rc
take_out(moving *m, sat_err *e)
{
	sat_sqlite_store *s = m->s;
	uint64_t last = m->rows[m->n - 1].row.lsn;
	sat_stmt *q;
	sat_rc rc;

	if ((rc = sat_db_begin(s->db, e)) != SAT_OK)
		return rc;
	if ((rc = put_segment(m, last, e)) == SAT_OK &&
	    (rc = put_chains(m, e)) == SAT_OK &&
	    (rc = store_stmt(&q, s->db, SQL_LOG_OLD_DEL, e)) == SAT_OK) {
		sat_bind_int(q, 1, (int64_t)last);
		rc = sat_run(q, e);
	}
	if (rc == SAT_OK && (rc = drop_scope(s, last, e)) == SAT_OK &&
	    (rc = store_counter_put(s, SAT_N_TRUNCATED, last, e)) == SAT_OK &&
	    (rc = sat_db_commit(s->db, e)) == SAT_OK)
		return SAT_OK;
	sat_db_rollback(s->db);
	return rc;
}

static sat_rc
one_segment(moving *m, const sat_sqlite_signing *sign, uint64_t after,
    uint64_t upto, sat_err *e)
{
	sat_buf b = { 0 };
	sat_rc rc;

	m->n = m->bytes = 0;
	sat_arena_reset(&m->mem);
	sat_buf_reset(&m->file);
	if ((rc = last_segment(m, e)) != SAT_OK ||
	    (rc = store_log_rows(m->s, after, upto, add_row, m, e)) != SAT_OK ||
	    m->n == 0)
		return rc;
	m->first = m->rows[0].row.lsn;
	sat_segment_hash(m->hash, m->prev, m->rows, m->n);
	sat_segment_sign_bytes(&b, &sign->org, m->number, m->hash);
	rc = sign->sign(sign->u, m->sig, sat_buf_span(&b), e);
	sat_buf_fini(&b);
	if (rc != SAT_OK)
		return rc;
	if ((rc = store_segment_put(&m->file, m->s, m->number, m->rows, m->n,
	    e)) != SAT_OK)
		return rc;
	return take_out(m, e);
}

sat_rc
sat_sqlite_compact(sat_sqlite_compacted *out, sat_sqlite_store *s,
    uint64_t upto, const sat_sqlite_signing *sign, sat_err *e)
{
	moving m = { .s = s };
	uint64_t after, folded;
	sat_rc rc;

	memset(out, 0, sizeof *out);
	if (s->segments == NULL)
		return sat_fail(e, SAT_EINVALID,
		    "this store has no folder for segments");
	/* What rows may lack stays in the log. */
	if ((rc = store_settle(s, e)) != SAT_OK ||
	    (rc = store_counter_get(&folded, s, SAT_N_FOLDED, e)) != SAT_OK)
		return rc;
	if (upto > folded)
		upto = folded;
	if ((rc = sat_db_begin(s->db, e)) != SAT_OK ||
	    (rc = store_end(s, store_log_cut(s, upto, e), e)) != SAT_OK)
		return rc;
	rc = store_counter_get(&after, s, SAT_N_TRUNCATED, e);
	while (rc == SAT_OK && after < upto &&
	    (rc = one_segment(&m, sign, after, upto, e)) == SAT_OK &&
	    m.n > 0) {
		out->segments++;
		out->commits += m.n;
		out->bytes += m.file.n;
		rc = store_counter_get(&after, s, SAT_N_TRUNCATED, e);
	}
	out->upto = after;
	sat_arena_fini(&m.mem);
	sat_buf_fini(&m.file);
	free(m.rows);
	return rc;
}
