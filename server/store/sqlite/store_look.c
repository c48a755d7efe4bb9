/*
 * store_look.c - what an operator asks: counts and times of the log.
 */
#include "server/store/sqlite/store_int.h"

sat_rc
sat_sqlite_refusals(sat_sqlite_store *s,
    bool (*cb)(void *cu, sat_span slug, uint64_t n), void *cu, sat_err *e)
{
	bool row, more = true;
	sat_stmt *q;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, SQL_REFUSALS, e)) != SAT_OK)
		return rc;
	while (more && (rc = sat_step(&row, q, e)) == SAT_OK && row)
		more = cb(cu, sat_col_text(q, 0), (uint64_t)sat_col_int(q, 1));
	sat_stmt_reset(q);
	return rc;
}

sat_rc
sat_sqlite_verdicts(uint64_t *late, uint64_t *conflicts, sat_sqlite_store *s,
    sat_err *e)
{
	sat_stmt *q;
	sat_rc rc;

	*late = *conflicts = 0;
	if ((rc = store_stmt(&q, s->db, SQL_VERDICT_COUNTS, e)) != SAT_OK ||
	    (rc = store_step_one(q, "verdicts", e)) != SAT_OK)
		return rc;
	*late = (uint64_t)sat_col_int(q, 0);
	*conflicts = (uint64_t)sat_col_int(q, 1);
	sat_stmt_reset(q);
	return SAT_OK;
}

sat_rc
sat_sqlite_log_before(uint64_t *lsn, sat_sqlite_store *s, int64_t at_ms,
    sat_err *e)
{
	sat_stmt *q;
	bool row;
	sat_rc rc;

	*lsn = 0;
	/* rows that wait for others are not in the table yet */
	if ((rc = store_log_flush(s, e)) != SAT_OK ||
	    (rc = store_stmt(&q, s->db, SQL_LOG_BEFORE, e)) != SAT_OK)
		return rc;
	sat_bind_int(q, 1, at_ms);
	if ((rc = sat_step(&row, q, e)) == SAT_OK && row)
		*lsn = (uint64_t)sat_col_int(q, 0);
	sat_stmt_reset(q);
	return rc;
}
