/*
 * stray.c - what is kept under the number of a row that is not there.
 *
 * A row that was lost behind our back leaves its entries in the lists and its
 * history. When its state comes again they are its own again; but it may never
 * come, for the record has left meanwhile and the sums agree without it. So the
 * lists are looked through where the sums are made to fit the rows, and the
 * history where a customer is erased, of whom nothing may stay.
 */
#include "client/replica/replica_int.h"

#include <string.h>

#include "common/base/log.h"

static sat_rc
has_row(bool *yes, sat_replica *r, const replica_kind *k, int64_t rid,
    sat_err *e)
{
	sat_stmt *s;
	sat_rc rc;

	if ((rc = replica_kind_stmt(&s, r, k, KQ_ID_OF, e)) != SAT_OK)
		return rc;
	sat_bind_int(s, 1, rid);
	rc = sat_step(yes, s, e);
	sat_stmt_reset(s);
	return rc;
}

/* ---- lists -------------------------------------------------------------------- */

static sat_rc
list_strays(int64_t **out, size_t *n, sat_arena *a, sat_replica *r, int sql,
    int64_t after, int64_t to, sat_err *e)
{
	int64_t *list = NULL, rid, last = 0;
	const replica_kind *k;
	size_t cap = 0;
	sat_stmt *s;
	bool row, there;
	sat_rc rc;

	*n = 0;
	if ((rc = sat_db_stmt(&s, r->db, sql, e)) != SAT_OK)
		return rc;
	sat_bind_int(s, 1, after);
	sat_bind_int(s, 2, to);
	while ((rc = sat_step(&row, s, e)) == SAT_OK && row) {
		rid = sat_col_int(s, 0);
		k = replica_kind_by(r->kinds, (uint16_t)sat_col_int(s, 1));
		if (k == NULL || rid == last) /* one may have several */
			continue;
		last = rid;
		if ((rc = has_row(&there, r, k, rid, e)) != SAT_OK)
			break;
		if (there)
			continue;
		REPLICA_GROW(list, *n, cap, a);
		list[(*n)++] = rid;
	}
	sat_stmt_reset(s);
	*out = list;
	return rc;
}

sat_rc
replica_lists_tidy(size_t *strays, sat_replica *r, int64_t after, int64_t to,
    sat_err *e)
{
	static const int list[] = { SQL_CONFLICT_RIDS, SQL_HANDED_RIDS };
	static const int del[] = { SQL_CONFLICT_DEL, SQL_HANDED_DEL };
	sat_arena a = { 0 };
	int64_t *rids;
	size_t n;
	sat_rc rc = SAT_OK;

	*strays = 0;
	for (int i = 0; i < 2 && rc == SAT_OK; i++) {
		rc = list_strays(&rids, &n, &a, r, list[i], after, to, e);
		for (size_t j = 0; j < n && rc == SAT_OK; j++)
			rc = replica_run_int(r, del[i], rids[j], e);
		*strays += n;
	}
	sat_arena_fini(&a);
	return rc;
}

sat_rc
replica_tidy(size_t *strays, sat_replica *r, sat_err *e)
{
	size_t listed, merged;
	sat_rc rc;

	*strays = 0;
	if (r->kinds == NULL)
		return SAT_OK;
	if ((rc = replica_lists_tidy(&listed, r, 0, INT64_MAX, e)) != SAT_OK ||
	    (rc = replica_alias_tidy(&merged, r, e)) != SAT_OK)
		return rc;
	if ((*strays = listed + merged) > 0)
		sat_log(SAT_WARN, "REPLICA-STRAYS", "listed=%zu merged=%zu",
		    listed, merged);
	return SAT_OK;
}

/* ---- history ------------------------------------------------------------------- */

/* Of which kind it was it does not say. *hint: the one that was met last, most
 * are of one. */
static sat_rc
any_has(bool *yes, size_t *hint, sat_replica *r, int64_t rid, sat_err *e)
{
	sat_rc rc;

	for (size_t i = 0; i < r->kinds->n; i++) {
		size_t at = (*hint + i) % r->kinds->n;

		rc = has_row(yes, r, &r->kinds->k[at], rid, e);
		if (rc != SAT_OK || *yes) {
			*hint = at;
			return rc;
		}
	}
	*yes = false;
	return SAT_OK;
}

sat_rc
replica_past_tidy(sat_replica *r, sat_err *e)
{
	int64_t rid = INT64_MIN;
	size_t hint = 0;
	sat_stmt *s;
	bool row, there;
	sat_rc rc;

	if (r->kinds == NULL)
		return SAT_OK;
	for (;;) {
		if ((rc = sat_db_stmt(&s, r->db, SQL_HISTORY_NEXT, e)) !=
		    SAT_OK)
			return rc;
		sat_bind_int(s, 1, rid);
		if ((rc = sat_step(&row, s, e)) != SAT_OK || !row)
			return rc;
		rid = sat_col_int(s, 0);
		sat_stmt_reset(s);
		if ((rc = any_has(&there, &hint, r, rid, e)) != SAT_OK ||
		    (!there && (rc = replica_run_int(r, SQL_HISTORY_DEL, rid,
		    e)) != SAT_OK))
			return rc;
	}
}
