/*
 * store_digest.c - the sums of what each key sees.
 */
#include "server/store/sqlite/store_int.h"

static sat_rc
read_sum(sat_sum *sum, sat_stmt *q, int col, sat_err *e)
{
	sat_span b = sat_col_blob(q, col);

	if (b.n != SAT_SUM_BYTES)
		return sat_fail(e, SAT_EINTEGRITY, "a stored sum has %zu bytes",
		    b.n);
	*sum = sat_sum_read(b.p);
	return SAT_OK;
}

static sat_rc
digest_get(sat_sum *sum, void *u, sat_scope_key key, uint16_t kind,
    uint32_t bucket, sat_err *e)
{
	sat_sqlite_store *s = u;
	sat_stmt *q;
	bool row;
	sat_rc rc;

	*sum = (sat_sum){ 0, 0 };
	if ((rc = store_stmt(&q, s->db, SQL_DIGEST_GET, e)) != SAT_OK)
		return rc;
	sat_bind_int(q, 1, (int64_t)key);
	sat_bind_int(q, 2, kind);
	sat_bind_int(q, 3, bucket);
	if ((rc = sat_step(&row, q, e)) == SAT_OK && row)
		rc = read_sum(sum, q, 0, e);
	sat_stmt_reset(q);
	return rc;
}

static sat_rc
digest_put(void *u, sat_scope_key key, uint16_t kind, uint32_t bucket,
    sat_sum sum, sat_err *e)
{
	sat_sqlite_store *s = u;
	uint8_t bytes[SAT_SUM_BYTES];
	sat_stmt *q;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, SQL_DIGEST_PUT, e)) != SAT_OK)
		return rc;
	sat_sum_write(bytes, sum);
	sat_bind_int(q, 1, (int64_t)key);
	sat_bind_int(q, 2, kind);
	sat_bind_int(q, 3, bucket);
	sat_bind_blob(q, 4, sat_span_of(bytes, sizeof bytes));
	return sat_run(q, e);
}

static sat_rc
digest_scan(void *u, sat_scope_key key, uint16_t kind, uint32_t bucket,
    bool (*cb)(void *cu, sat_scope_key key, const sat_bucket_sum *s), void *cu,
    sat_err *e)
{
	sat_sqlite_store *s = u;
	sat_bucket_sum b;
	sat_stmt *q;
	bool row;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, SQL_DIGEST_FROM, e)) != SAT_OK)
		return rc;
	sat_bind_int(q, 1, (int64_t)key);
	sat_bind_int(q, 2, kind);
	sat_bind_int(q, 3, bucket);
	while ((rc = sat_step(&row, q, e)) == SAT_OK && row) {
		b.kind = (uint16_t)sat_col_int(q, 1);
		b.bucket = (uint32_t)sat_col_int(q, 2);
		if ((rc = read_sum(&b.sum, q, 3, e)) != SAT_OK ||
		    !cb(cu, (sat_scope_key)sat_col_int(q, 0), &b))
			break;
	}
	sat_stmt_reset(q);
	return rc;
}

static sat_rc
diverged_put(void *u, uint32_t dev, uint16_t kind, uint32_t bucket,
    uint64_t lsn, int64_t now_ms, sat_err *e)
{
	sat_sqlite_store *s = u;
	sat_stmt *q;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, SQL_DIVERGED_PUT, e)) != SAT_OK)
		return rc;
	sat_bind_int(q, 1, dev);
	sat_bind_int(q, 2, kind);
	sat_bind_int(q, 3, bucket);
	sat_bind_int(q, 4, (int64_t)lsn);
	sat_bind_int(q, 5, now_ms);
	return sat_run(q, e);
}

sat_rc
sat_sqlite_diverged(sat_sqlite_store *s,
    bool (*cb)(void *cu, const sat_sqlite_diverged_row *d), void *cu,
    sat_err *e)
{
	sat_stmt *q;
	bool row;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, SQL_DIVERGED_ALL, e)) != SAT_OK)
		return rc;
	while ((rc = sat_step(&row, q, e)) == SAT_OK && row) {
		sat_sqlite_diverged_row d = {
			.dev = (uint32_t)sat_col_int(q, 0),
			.n = (uint64_t)sat_col_int(q, 1),
			.kind = (uint16_t)sat_col_int(q, 2),
			.bucket = (uint32_t)sat_col_int(q, 3),
			.lsn = (uint64_t)sat_col_int(q, 4),
			.at_ms = sat_col_int(q, 5) };

		if (!cb(cu, &d))
			break;
	}
	sat_stmt_reset(q);
	return rc;
}

void
store_digest_ops(sat_store *o)
{
	o->digest_get = digest_get;
	o->digest_put = digest_put;
	o->digest_scan = digest_scan;
	o->diverged_put = diverged_put;
}
