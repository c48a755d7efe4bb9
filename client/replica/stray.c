/*
 * stray.c - what is kept under the number or the id of a row that is not there.
 *
 * A row that was lost behind our back leaves its entries in the lists, its
 * history, its match keys and its texts in the search index. When its state comes
 * again they are its own again, but for keys of values it has no more; but it may
 * never come, for the record has left meanwhile and the sums agree without it. So
 * the lists are looked through where the sums are made to fit the rows, and all
 * else where a customer is erased, of whom nothing may stay.
 */
#include "client/replica/replica_int.h"

#include <stdlib.h>
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
		SAT_ARENA_GROW(list, *n, cap, a);
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

static sat_rc
past_tidy(sat_replica *r, sat_err *e)
{
	int64_t rid = INT64_MIN;
	size_t hint = 0;
	sat_stmt *s;
	bool row, there;
	sat_rc rc;

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

/* ---- match keys ---------------------------------------------------------------- */

typedef struct match_row {
	int64_t rid, key;
} match_row;

static sat_rc
match_del(sat_replica *r, const match_row *list, size_t n, sat_err *e)
{
	sat_stmt *s;
	sat_rc rc = SAT_OK;

	for (size_t i = 0; i < n && rc == SAT_OK; i++) {
		if ((rc = sat_db_stmt(&s, r->db, SQL_MATCH_DEL, e)) != SAT_OK)
			return rc;
		sat_bind_int(s, 1, list[i].key);
		sat_bind_int(s, 2, list[i].rid);
		rc = sat_run(s, e);
	}
	return rc;
}

/* Numbers of rows, ascending, and how far they were looked through. */
typedef struct numbers {
	int64_t *rid;
	size_t n, at;
} numbers;

/* Asked of ascending numbers. */
static bool
is_among(numbers *list, size_t n, int64_t rid)
{
	bool yes = false;

	for (size_t i = 0; i < n; i++) {
		numbers *x = &list[i];

		while (x->at < x->n && x->rid[x->at] < rid)
			x->at++;
		yes |= x->at < x->n && x->rid[x->at] == rid;
	}
	return yes;
}

/* Of the stepped statement's rows those whose number is (among: true) or is not
 * in the lists go. */
static sat_rc
match_sift(sat_replica *r, sat_stmt *s, numbers *lists, size_t n, bool among,
    sat_arena *a, sat_err *e)
{
	match_row *list = NULL;
	size_t got = 0, cap = 0;
	bool row;
	sat_rc rc;

	while ((rc = sat_step(&row, s, e)) == SAT_OK && row) {
		int64_t rid = sat_col_int(s, 0);

		if (is_among(lists, n, rid) != among)
			continue;
		SAT_ARENA_GROW(list, got, cap, a);
		list[got++] = (match_row){ rid, sat_col_int(s, 1) };
	}
	return rc != SAT_OK ? rc : match_del(r, list, got, e);
}

/* A seek for each key would cost more than the rows' numbers, read once. */
static sat_rc
match_tidy(sat_replica *r, sat_err *e)
{
	numbers lists[SAT_KINDS_MAX] = { 0 };
	sat_arena a = { 0 };
	size_t n = 0;
	sat_stmt *s;
	sat_rc rc = SAT_OK;

	for (size_t i = 0; i < r->kinds->n && rc == SAT_OK; i++)
		if (r->kinds->k[i].sql[KQ_MATCH] != NULL) {
			rc = replica_kind_rids(&lists[n].rid, &lists[n].n, &a,
			    r, &r->kinds->k[i], KQ_RIDS, NULL, e);
			n++;
		}
	if (rc == SAT_OK &&
	    (rc = sat_db_stmt(&s, r->db, SQL_MATCH_BY_RID, e)) == SAT_OK)
		rc = match_sift(r, s, lists, n, false, &a, e);
	sat_arena_fini(&a);
	return rc;
}

static int
by_rid(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

sat_rc
replica_match_renew(sat_replica *r, const replica_kind *k, int64_t after,
    int64_t to, sat_err *e)
{
	numbers came = { 0 };
	sat_arena a = { 0 };
	size_t cap = 0;
	sat_stmt *s;
	sat_rc rc = SAT_OK;

	for (const replica_row *row = r->page.rows; row != NULL;
	     row = row->next) {
		if (row->k != k || row->stored_rid != 0 || row->gone ||
		    row->rid <= after || row->rid > to)
			continue;
		SAT_ARENA_GROW(came.rid, came.n, cap, &a);
		came.rid[came.n++] = row->rid;
	}
	if (came.n > 0 && (rc = sat_db_stmt(&s, r->db, SQL_MATCH_WITHIN,
	    e)) == SAT_OK) {
		qsort(came.rid, came.n, sizeof *came.rid, by_rid);
		sat_bind_int(s, 1, after);
		sat_bind_int(s, 2, to);
		rc = match_sift(r, s, &came, 1, true, &a, e);
	}
	sat_arena_fini(&a);
	return rc;
}

/* ---- ids ------------------------------------------------------------------------- */

static sat_rc
id_has_row(bool *yes, size_t *hint, sat_replica *r, const sat_id *id,
    sat_err *e)
{
	sat_stmt *s;
	sat_rc rc;

	*yes = false;
	for (size_t i = 0; i < r->kinds->n && !*yes; i++) {
		size_t at = (*hint + i) % r->kinds->n;

		if ((rc = replica_kind_stmt(&s, r, &r->kinds->k[at], KQ_RID_OF,
		    e)) != SAT_OK)
			return rc;
		sat_bind_blob(s, 1, sat_span_of(id->b, sizeof id->b));
		if ((rc = sat_step(yes, s, e)) != SAT_OK)
			return rc;
		sat_stmt_reset(s);
		if (*yes)
			*hint = at;
	}
	return SAT_OK;
}

/* Of the ids a statement lists, one or two a row, those without a row here. */
static sat_rc
absent_of(sat_id **out, size_t *n, sat_arena *a, sat_replica *r, int sql,
    sat_err *e)
{
	size_t cap = 0, hint = 0;
	sat_stmt *s;
	bool row, there;
	sat_rc rc;

	*out = NULL;
	*n = 0;
	if ((rc = sat_db_stmt(&s, r->db, sql, e)) != SAT_OK)
		return rc;
	while ((rc = sat_step(&row, s, e)) == SAT_OK && row) {
		sat_span ids = sat_col_blob(s, 0);

		for (; ids.n >= sizeof(sat_id) && rc == SAT_OK;
		     ids.p += sizeof(sat_id), ids.n -= sizeof(sat_id)) {
			sat_id id;

			memcpy(id.b, ids.p, sizeof id.b);
			rc = id_has_row(&there, &hint, r, &id, e);
			if (rc != SAT_OK || there)
				continue;
			SAT_ARENA_GROW(*out, *n, cap, a);
			(*out)[(*n)++] = id;
		}
		if (rc != SAT_OK)
			break;
	}
	sat_stmt_reset(s);
	return rc;
}

/*
 * What says whose it was goes with him (erase.c). Where that is not known, the
 * record was not here when it was written, or got another customer since
 * (replica_root_changed), and is not here now: when somebody is erased, it may
 * have been his. What is listed of it helps nobody; of what was done with it here
 * the audit log keeps all but the free text.
 */
static sat_rc
absent_tidy(sat_replica *r, sat_err *e)
{
	static const int list[] = { SQL_LATE_RECS, SQL_CONFLICT_LOG_RECS,
		SQL_NEWS_RECS, SQL_AUDIT_RECS };
	static const int del[] = { SQL_LATE_FORGET, SQL_CONFLICT_LOG_FORGET,
		SQL_NEWS_FORGET, SQL_AUDIT_FORGET };
	sat_arena a = { 0 };
	sat_id *ids;
	size_t n;
	sat_rc rc = SAT_OK;

	for (size_t i = 0; i < sizeof list / sizeof list[0] && rc == SAT_OK;
	     i++) {
		rc = absent_of(&ids, &n, &a, r, list[i], e);
		for (size_t j = 0; j < n && rc == SAT_OK; j++)
			rc = replica_run_id(r, del[i], &ids[j], e);
	}
	sat_arena_fini(&a);
	return rc;
}

/* What one was called who is gone from here may be what somebody was called whom
 * he was one with: no state comes any more that says so. */
static sat_rc
forget_titles(sat_replica *r, sat_err *e)
{
	sat_stmt *s;
	sat_rc rc = sat_db_stmt(&s, r->db, SQL_MOVED_FORGET, e);

	return rc == SAT_OK ? sat_run(s, e) : rc;
}

/* ---- all of it ----------------------------------------------------------------- */

sat_rc
replica_forget_strays(sat_replica *r, sat_err *e)
{
	sat_rc rc;

	if (r->kinds == NULL)
		return SAT_OK;
	if ((rc = past_tidy(r, e)) != SAT_OK ||
	    (rc = match_tidy(r, e)) != SAT_OK ||
	    (rc = absent_tidy(r, e)) != SAT_OK ||
	    (rc = forget_titles(r, e)) != SAT_OK)
		return rc;
	return replica_search_tidy_all(r, e);
}
