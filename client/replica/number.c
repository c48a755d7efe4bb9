/*
 * number.c - the numbers this device may give without asking (P-141 to P-143).
 *
 * A range belongs to one incarnation: a folder that was restored or copied
 * gives none of the numbers the other one may have given.
 */
#include "client/replica/replica_int.h"

#include <stdio.h>
#include <string.h>

#define NEXT_MONTH_FROM 25
#define DAY_MS 86400000

sat_rc
sat_replica_number_next(uint64_t *n, sat_replica *r, const char *series,
    uint64_t after, sat_err *e)
{
	sat_stmt *s;
	bool row;
	sat_rc rc;

	*n = 0;
	if ((rc = sat_db_stmt(&s, r->db, SQL_NUMBER_NEXT, e)) != SAT_OK)
		return rc;
	sat_bind_int(s, 1, (int64_t)after);
	sat_bind_text(s, 2, sat_span_str(series));
	sat_bind_int(s, 3, r->id->incarnation);
	if ((rc = sat_step(&row, s, e)) == SAT_OK && row)
		*n = (uint64_t)sat_col_int(s, 0);
	sat_stmt_reset(s);
	return rc;
}

sat_rc
sat_replica_number_used(sat_replica *r, const char *series, uint64_t upto,
    sat_err *e)
{
	bool began;
	sat_stmt *s;
	sat_rc rc;

	if ((rc = replica_begin(r, &began, e)) != SAT_OK)
		return rc;
	if ((rc = sat_db_stmt(&s, r->db, SQL_NUMBER_USED, e)) == SAT_OK) {
		sat_bind_int(s, 1, (int64_t)upto);
		sat_bind_text(s, 2, sat_span_str(series));
		sat_bind_int(s, 3, r->id->incarnation);
		rc = sat_run(s, e);
	}
	return replica_end(r, began, rc, e);
}

static sat_rc
stock(uint64_t *left, uint64_t *last, sat_replica *r, const char *series,
    sat_err *e)
{
	sat_stmt *s;
	bool row;
	sat_rc rc;

	*left = *last = 0;
	if ((rc = sat_db_stmt(&s, r->db, SQL_NUMBER_STOCK, e)) != SAT_OK)
		return rc;
	sat_bind_text(s, 1, sat_span_str(series));
	sat_bind_int(s, 2, r->id->incarnation);
	if ((rc = sat_step(&row, s, e)) == SAT_OK && row) {
		*left = (uint64_t)sat_col_int(s, 0);
		*last = (uint64_t)sat_col_int(s, 1);
	}
	sat_stmt_reset(s);
	return rc;
}

static sat_rc
want_one(sat_replica *r, sat_numbers *want, const char *series, sat_err *e)
{
	uint64_t left, last;
	sat_rc rc = stock(&left, &last, r, series, e);

	if (rc == SAT_OK && want->n < SAT_SERIES_WANTED_MAX &&
	    left < (uint64_t)sat_template_number_lease(r->t)) {
		sat_number_range *x = &want->r[want->n++];

		(void)snprintf(x->series, sizeof x->series, "%s", series);
		x->first = 0;
		x->last = last;
	}
	return rc;
}

/* This month's series, and the next one's from the 25th. */
static sat_rc
want_kind(sat_replica *r, sat_numbers *want, const sat_kind *k, sat_err *e)
{
	int64_t now = sat_wall_ms(&r->clock) + r->hlc.offset_ms;
	int tz = sat_template_tz_min(r->t), y, m, d;
	char series[SAT_SERIES_TEXT];
	sat_rc rc;

	sat_number_series(series, k->number_prefix, now, tz);
	if ((rc = want_one(r, want, series, e)) != SAT_OK)
		return rc;
	sat_date_of(&y, &m, &d, (now + (int64_t)tz * 60000) / DAY_MS);
	if (d < NEXT_MONTH_FROM)
		return SAT_OK;
	sat_number_series(series, k->number_prefix,
	    now + (int64_t)(32 - d) * DAY_MS, tz);
	return want_one(r, want, series, e);
}

sat_rc
replica_numbers_want(void *u, sat_arena *a, sat_numbers *want, sat_err *e)
{
	sat_replica *r = u;
	char action[64];
	sat_rc rc;

	want->n = 0;
	want->r = sat_arena_alloc(a, SAT_SERIES_WANTED_MAX * sizeof *want->r);
	if (r->t == NULL || r->me == NULL)
		return SAT_OK;
	for (size_t i = 0; i < sat_template_kinds(r->t); i++) {
		const sat_kind *k = sat_template_kind_at(r->t, i);

		(void)snprintf(action, sizeof action, "%s.create", k->key);
		if (k->number_prefix == NULL ||
		    sat_acl(r->t, r->me->role, action) == SAT_GRANT_NO)
			continue;
		if ((rc = want_kind(r, want, k, e)) != SAT_OK)
			return rc;
	}
	return SAT_OK;
}

sat_rc
replica_numbers(void *u, const sat_numbers *given, sat_err *e)
{
	sat_replica *r = u;
	sat_stmt *s;
	sat_rc rc;

	if ((rc = replica_session_begin(r, e)) != SAT_OK)
		return rc;
	if ((rc = sat_db_stmt(&s, r->db, SQL_NUMBER_DROP, e)) == SAT_OK) {
		sat_bind_int(s, 1, r->id->incarnation);
		rc = sat_run(s, e);
	}
	for (size_t i = 0; i < given->n && rc == SAT_OK; i++) {
		const sat_number_range *x = &given->r[i];

		if ((rc = sat_db_stmt(&s, r->db, SQL_NUMBER_PUT, e)) != SAT_OK)
			break;
		sat_bind_text(s, 1, sat_span_str(x->series));
		sat_bind_int(s, 2, (int64_t)x->first);
		sat_bind_int(s, 3, (int64_t)x->last);
		sat_bind_int(s, 4, r->id->incarnation);
		rc = sat_run(s, e);
	}
	return replica_end(r, true, rc, e);
}

sat_rc
sat_replica_numbers(sat_replica *r, bool (*cb)(void *cu, const char *series,
    uint64_t left), void *cu, sat_err *e)
{
	char series[SAT_SERIES_TEXT];
	sat_stmt *s;
	bool row;
	sat_rc rc;

	if ((rc = sat_db_stmt(&s, r->db, SQL_NUMBER_LIST, e)) != SAT_OK)
		return rc;
	sat_bind_int(s, 1, r->id->incarnation);
	while ((rc = sat_step(&row, s, e)) == SAT_OK && row) {
		sat_span v = sat_col_text(s, 0);

		(void)snprintf(series, sizeof series, "%.*s", (int)v.n,
		    (const char *)v.p);
		if (!cb(cu, series, (uint64_t)sat_col_int(s, 1)))
			break;
	}
	sat_stmt_reset(s);
	return rc;
}
