/*
 * store_number.c - numbers: series, leases, and which are in use.
 */
#include "server/store/sqlite/store_int.h"

#include "common/model/number.h"

#include <stdio.h>
#include <string.h>

static sat_rc
series_get(uint64_t *last, void *u, const char *series, sat_err *e)
{
	sat_sqlite_store *s = u;
	sat_stmt *q;
	bool row;
	sat_rc rc;

	*last = 0;
	if ((rc = store_stmt(&q, s->db, SQL_SERIES_GET, e)) != SAT_OK)
		return rc;
	sat_bind_text(q, 1, sat_span_str(series));
	while ((rc = sat_step(&row, q, e)) == SAT_OK && row)
		if ((uint64_t)sat_col_int(q, 0) > *last)
			*last = (uint64_t)sat_col_int(q, 0);
	sat_stmt_reset(q);
	return rc;
}

static sat_rc
series_put(void *u, const char *series, uint64_t last, sat_err *e)
{
	sat_sqlite_store *s = u;
	sat_stmt *q;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, SQL_SERIES_PUT, e)) != SAT_OK)
		return rc;
	sat_bind_text(q, 1, sat_span_str(series));
	sat_bind_int(q, 2, (int64_t)last);
	return sat_run(q, e);
}

static sat_rc
lease_put(void *u, const sat_lease *l, sat_err *e)
{
	sat_sqlite_store *s = u;
	sat_stmt *q;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, SQL_LEASE_PUT, e)) != SAT_OK)
		return rc;
	sat_bind_text(q, 1, sat_span_str(l->series));
	sat_bind_int(q, 2, (int64_t)l->first);
	sat_bind_int(q, 3, (int64_t)l->last);
	sat_bind_int(q, 4, l->dev);
	sat_bind_int(q, 5, l->inc);
	sat_bind_int(q, 6, l->granted_ms);
	sat_bind_int(q, 7, l->voided);
	return sat_run(q, e);
}

static void
read_lease(sat_lease *l, sat_stmt *q)
{
	sat_span series = sat_col_text(q, 0);

	memset(l, 0, sizeof *l);
	(void)snprintf(l->series, sizeof l->series, "%.*s", (int)series.n,
	    (const char *)series.p);
	l->first = (uint64_t)sat_col_int(q, 1);
	l->last = (uint64_t)sat_col_int(q, 2);
	l->dev = (uint32_t)sat_col_int(q, 3);
	l->inc = (uint32_t)sat_col_int(q, 4);
	l->granted_ms = sat_col_int(q, 5);
	l->voided = sat_col_int(q, 6) != 0;
}

static sat_rc
leases(void *u, const char *series, uint32_t dev,
    bool (*cb)(void *cu, const sat_lease *l), void *cu, sat_err *e)
{
	sat_sqlite_store *s = u;
	sat_lease l;
	sat_stmt *q;
	bool row;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, SQL_LEASES_OF, e)) != SAT_OK)
		return rc;
	sat_bind_text(q, 1, sat_span_str(series));
	sat_bind_int(q, 2, dev);
	while ((rc = sat_step(&row, q, e)) == SAT_OK && row) {
		read_lease(&l, q);
		if (!cb(cu, &l))
			break;
	}
	sat_stmt_reset(q);
	return rc;
}

static sat_rc
lease_of(sat_lease *out, void *u, const char *series, uint64_t n, sat_err *e)
{
	sat_sqlite_store *s = u;
	sat_lease l = { .last = 0 };
	sat_stmt *q;
	bool row;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, SQL_LEASE_OF, e)) != SAT_OK)
		return rc;
	sat_bind_text(q, 1, sat_span_str(series));
	sat_bind_int(q, 2, (int64_t)n);
	if ((rc = sat_step(&row, q, e)) == SAT_OK && row)
		read_lease(&l, q);
	sat_stmt_reset(q);
	if (rc == SAT_OK && l.last < n)
		return SAT_ENOTFOUND;
	if (rc == SAT_OK)
		*out = l;
	return rc;
}

static sat_rc
number_put(void *u, sat_span text, const char *series, uint64_t n,
    const sat_id *rec, sat_err *e)
{
	sat_sqlite_store *s = u;
	sat_stmt *q;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, SQL_NUMBER_PUT, e)) != SAT_OK)
		return rc;
	sat_bind_text(q, 1, text);
	sat_bind_text(q, 2, sat_span_str(series));
	sat_bind_int(q, 3, (int64_t)n);
	sat_bind_blob(q, 4, sat_span_of(rec->b, sizeof rec->b));
	return sat_run(q, e);
}

static sat_rc
number_get(sat_id *rec, void *u, sat_span text, sat_err *e)
{
	sat_sqlite_store *s = u;
	sat_stmt *q;
	sat_span id;
	bool row;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, SQL_NUMBER_GET, e)) != SAT_OK)
		return rc;
	sat_bind_text(q, 1, text);
	if ((rc = sat_step(&row, q, e)) == SAT_OK && row) {
		id = sat_col_blob(q, 0);
		if (id.n == sizeof rec->b)
			memcpy(rec->b, id.p, id.n);
		else
			rc = sat_fail(e, SAT_EINTEGRITY,
			    "a stored id has %zu bytes", id.n);
	}
	sat_stmt_reset(q);
	return rc == SAT_OK && !row ? SAT_ENOTFOUND : rc;
}

static sat_rc
numbers_used(uint64_t *used, void *u, const char *series, uint64_t first,
    uint64_t last, sat_err *e)
{
	sat_sqlite_store *s = u;
	sat_stmt *q;
	bool row;
	sat_rc rc;

	*used = 0;
	if ((rc = store_stmt(&q, s->db, SQL_NUMBERS_USED, e)) != SAT_OK)
		return rc;
	sat_bind_text(q, 1, sat_span_str(series));
	sat_bind_int(q, 2, (int64_t)first);
	sat_bind_int(q, 3, (int64_t)last);
	if ((rc = sat_step(&row, q, e)) == SAT_OK && row)
		*used = (uint64_t)sat_col_int(q, 0);
	sat_stmt_reset(q);
	return rc;
}

/* ---- a new epoch --------------------------------------------------------------- */

/* Leases are given for this month, and for the next one in its last week
 * (P-141); a day more for the time zone. */
#define AHEAD_MS (9 * 86400000ll)

sat_rc
store_series_skip(sat_sqlite_store *s, int64_t began_ms, uint64_t skip,
    sat_err *e)
{
	static const int raise[] = { SQL_SERIES_SKIP, SQL_FLOOR_SKIP };
	char month[SAT_SERIES_TEXT];
	sat_stmt *q;
	sat_rc rc;

	for (size_t i = 0; i < 2; i++) {
		if ((rc = store_stmt(&q, s->db, raise[i], e)) != SAT_OK)
			return rc;
		sat_bind_int(q, 1, (int64_t)skip);
		sat_bind_int(q, 2, SAT_NUMBER_MAX);
		if ((rc = sat_run(q, e)) != SAT_OK)
			return rc;
	}
	if ((rc = store_stmt(&q, s->db, SQL_FLOOR_PUT, e)) != SAT_OK)
		return rc;
	sat_number_series(month, "", began_ms + AHEAD_MS, 0);
	sat_bind_text(q, 1, sat_span_str(month));
	sat_bind_int(q, 2, (int64_t)skip);
	return sat_run(q, e);
}

/* ---- for an administrator ---------------------------------------------------- */

static sat_rc
is_over(bool *over, sat_sqlite_store *s, const sat_lease *l, sat_err *e)
{
	sat_stmt *q;
	bool row;
	sat_rc rc;

	*over = false;
	if ((rc = store_stmt(&q, s->db, SQL_LEASE_OVER, e)) != SAT_OK)
		return rc;
	sat_bind_int(q, 1, l->dev);
	sat_bind_int(q, 2, l->inc);
	if ((rc = sat_step(&row, q, e)) == SAT_OK && row)
		*over = sat_col_int(q, 0) != 0;
	sat_stmt_reset(q);
	return rc;
}

sat_rc
sat_sqlite_leases(sat_sqlite_store *s,
    bool (*cb)(void *cu, const sat_sqlite_lease *l), void *cu, sat_err *e)
{
	sat_sqlite_lease l;
	sat_stmt *q;
	bool row;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, SQL_LEASE_ALL, e)) != SAT_OK)
		return rc;
	while ((rc = sat_step(&row, q, e)) == SAT_OK && row) {
		read_lease(&l.lease, q);
		l.used = (uint64_t)sat_col_int(q, 7);
		if ((rc = is_over(&l.over, s, &l.lease, e)) != SAT_OK ||
		    !cb(cu, &l))
			break;
	}
	sat_stmt_reset(q);
	return rc;
}

sat_rc
sat_sqlite_lease_void(size_t *n, sat_sqlite_store *s, const char *series,
    uint32_t dev, sat_err *e)
{
	sat_stmt *q;
	sat_rc rc;

	*n = 0;
	if ((rc = sat_db_begin(s->db, e)) != SAT_OK)
		return rc;
	if ((rc = store_stmt(&q, s->db, SQL_LEASE_VOID, e)) == SAT_OK) {
		sat_bind_int(q, 1, dev);
		sat_bind_text(q, 2, sat_span_str(series));
		if ((rc = sat_run(q, e)) == SAT_OK) {
			*n = (size_t)sat_db_changes(s->db);
			rc = sat_db_commit(s->db, e);
		}
	}
	if (rc != SAT_OK)
		sat_db_rollback(s->db);
	return rc;
}

static sat_rc
incarnation_of(uint32_t *inc, sat_sqlite_store *s, uint32_t dev, sat_err *e)
{
	sat_stmt *q;
	bool row;
	sat_rc rc;

	*inc = 1;
	if ((rc = store_stmt(&q, s->db, SQL_LEASE_INC, e)) != SAT_OK)
		return rc;
	sat_bind_int(q, 1, dev);
	if ((rc = sat_step(&row, q, e)) == SAT_OK && row)
		*inc = (uint32_t)sat_col_int(q, 0);
	sat_stmt_reset(q);
	return rc;
}

static sat_rc
grant(sat_lease *l, sat_sqlite_store *s, const char *series, uint32_t dev,
    uint64_t count, sat_err *e)
{
	uint64_t last = 0;
	sat_rc rc;

	*l = (sat_lease){ .dev = dev, .granted_ms = sat_wall_ms(&s->clock) };
	(void)snprintf(l->series, sizeof l->series, "%s", series);
	if ((rc = incarnation_of(&l->inc, s, dev, e)) != SAT_OK ||
	    (rc = series_get(&last, s, series, e)) != SAT_OK)
		return rc;
	if (count > SAT_NUMBER_MAX - last)
		return sat_fail(e, SAT_EINVALID,
		    "series %s has not so many numbers left", series);
	l->first = last + 1;
	l->last = last + count;
	if ((rc = series_put(s, series, l->last, e)) != SAT_OK)
		return rc;
	return lease_put(s, l, e);
}

sat_rc
sat_sqlite_lease_grant(sat_lease *l, sat_sqlite_store *s, const char *series,
    uint32_t dev, uint64_t count, sat_err *e)
{
	sat_rc rc;

	if ((rc = sat_db_begin(s->db, e)) != SAT_OK)
		return rc;
	return store_end(s, grant(l, s, series, dev, count, e), e);
}

void
store_number_ops(sat_store *o)
{
	o->series_get = series_get;
	o->series_put = series_put;
	o->lease_put = lease_put;
	o->leases = leases;
	o->lease_of = lease_of;
	o->number_put = number_put;
	o->number_get = number_get;
	o->numbers_used = numbers_used;
}
