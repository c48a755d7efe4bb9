/*
 * store_coverage.c - how far devices have reported.
 */
#include "server/store/sqlite/store_int.h"

static sat_rc
reported_put(void *u, uint32_t ord, int64_t at_ms, uint64_t rev, sat_err *e)
{
	sat_sqlite_store *s = u;
	sat_stmt *q;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, SQL_REPORTED_PUT, e)) != SAT_OK)
		return rc;
	sat_bind_int(q, 1, ord);
	sat_bind_int(q, 2, at_ms);
	sat_bind_int(q, 3, (int64_t)rev);
	return sat_run(q, e);
}

static sat_rc
reported(void *u, bool (*cb)(void *cu, uint32_t ord, int64_t at_ms,
    uint64_t rev), void *cu, sat_err *e)
{
	sat_sqlite_store *s = u;
	bool row, more = true;
	sat_stmt *q;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, SQL_REPORTED_ALL, e)) != SAT_OK)
		return rc;
	while (more && (rc = sat_step(&row, q, e)) == SAT_OK && row)
		more = cb(cu, (uint32_t)sat_col_int(q, 0), sat_col_int(q, 1),
		    (uint64_t)sat_col_int(q, 2));
	sat_stmt_reset(q);
	return rc;
}

void
store_coverage_ops(sat_store *o)
{
	o->reported_put = reported_put;
	o->reported = reported;
}
