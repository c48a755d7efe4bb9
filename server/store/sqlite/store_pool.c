/*
 * store_pool.c - the public pool: claims and reservations.
 */
#include "server/store/sqlite/store_int.h"

/* One number of one row; 0 when there is none. */
static sat_rc
one(int64_t *v, sat_stmt *q, sat_err *e)
{
	bool row;
	sat_rc rc;

	*v = 0;
	if ((rc = sat_step(&row, q, e)) == SAT_OK && row)
		*v = sat_col_int(q, 0);
	sat_stmt_reset(q);
	return rc;
}

static sat_rc
claim_put(void *u, uint32_t user, uint32_t eid, uint64_t lsn, int64_t at_ms,
    sat_err *e)
{
	sat_sqlite_store *s = u;
	sat_stmt *q;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, SQL_CLAIM_PUT, e)) != SAT_OK)
		return rc;
	sat_bind_int(q, 1, (int64_t)lsn);
	sat_bind_int(q, 2, user);
	sat_bind_int(q, 3, eid);
	sat_bind_int(q, 4, at_ms);
	return sat_run(q, e);
}

static sat_rc
claims_since(uint64_t *n, void *u, uint32_t user, int64_t since_ms, sat_err *e)
{
	sat_sqlite_store *s = u;
	int64_t v = 0;
	sat_stmt *q;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, SQL_CLAIMS_SINCE, e)) == SAT_OK) {
		sat_bind_int(q, 1, user);
		sat_bind_int(q, 2, since_ms);
		rc = one(&v, q, e);
	}
	*n = (uint64_t)v;
	return rc;
}

static sat_rc
hold_put(void *u, uint32_t eid, uint32_t user, int64_t until_ms, sat_err *e)
{
	sat_sqlite_store *s = u;
	sat_stmt *q;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, SQL_HOLD_PUT, e)) != SAT_OK)
		return rc;
	sat_bind_int(q, 1, eid);
	sat_bind_int(q, 2, user);
	sat_bind_int(q, 3, until_ms);
	return sat_run(q, e);
}

static sat_rc
hold_get(uint32_t *user, int64_t *until_ms, void *u, uint32_t eid, sat_err *e)
{
	sat_sqlite_store *s = u;
	sat_stmt *q;
	bool row;
	sat_rc rc;

	*user = 0;
	*until_ms = 0;
	if ((rc = store_stmt(&q, s->db, SQL_HOLD_GET, e)) != SAT_OK)
		return rc;
	sat_bind_int(q, 1, eid);
	if ((rc = sat_step(&row, q, e)) == SAT_OK && row) {
		*user = (uint32_t)sat_col_int(q, 0);
		*until_ms = sat_col_int(q, 1);
	}
	sat_stmt_reset(q);
	return rc;
}

static sat_rc
holds_of(void *u, uint32_t user, int64_t now_ms,
    bool (*cb)(void *cu, uint32_t eid, int64_t until_ms), void *cu, sat_err *e)
{
	sat_sqlite_store *s = u;
	sat_stmt *q;
	bool row;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, SQL_HOLDS_OF, e)) != SAT_OK)
		return rc;
	sat_bind_int(q, 1, user);
	sat_bind_int(q, 2, now_ms);
	while ((rc = sat_step(&row, q, e)) == SAT_OK && row)
		if (!cb(cu, (uint32_t)sat_col_int(q, 0), sat_col_int(q, 1)))
			break;
	sat_stmt_reset(q);
	return rc;
}

static sat_rc
roots_count(uint64_t *n, void *u, sat_scope_key key, sat_err *e)
{
	sat_sqlite_store *s = u;
	int64_t v = 0;
	sat_stmt *q;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, SQL_ROOTS_COUNT, e)) == SAT_OK) {
		sat_bind_int(q, 1, (int64_t)key);
		rc = one(&v, q, e);
	}
	*n = (uint64_t)v;
	return rc;
}

static sat_rc
device_heard(int64_t *ms, void *u, uint32_t ord, sat_err *e)
{
	sat_sqlite_store *s = u;
	sat_stmt *q;
	sat_rc rc;

	*ms = 0;
	if ((rc = store_stmt(&q, s->db, SQL_DEVICE_HEARD, e)) == SAT_OK) {
		sat_bind_int(q, 1, ord);
		rc = one(ms, q, e);
	}
	return rc;
}

void
store_pool_ops(sat_store *o)
{
	o->claim_put = claim_put;
	o->claims_since = claims_since;
	o->hold_put = hold_put;
	o->hold_get = hold_get;
	o->holds_of = holds_of;
	o->roots_count = roots_count;
	o->device_heard = device_heard;
}
