/*
 * alias.c - customers that were merged into others.
 *
 * A merged record stays as it is and names the winner in its system field
 * REDIRECT; `alias` is that field of every row, so that both directions are an
 * index lookup. Readers ask for the canonical id wherever one is given (P-170).
 * What belongs together by the server's word decides what leaves with it: an own
 * merge that waits, or its undoing, says nothing about that.
 *
 * The server never has a cycle. A device may, between an own merge that still
 * waits and another one the other way round that was faster; until the server's
 * answer takes one away, the lowest id of the cycle stands for all of it.
 */
#include "client/replica/replica_int.h"

#include <string.h>

/* to: where the bytes lie until the statement has run. */
static void
bind_redirect(sat_stmt *s, int i, sat_id *to, const sat_record *rec)
{
	if (sat_record_redirect(to, rec))
		sat_bind_blob(s, i, sat_span_of(to->b, sizeof to->b));
	else
		sat_bind_null(s, i);
}

sat_rc
replica_alias_write(sat_replica *r, const replica_row *row, uint32_t flags,
    sat_err *e)
{
	const uint32_t any = ROW_MERGED | ROW_GIVEN;
	bool is = (flags & any) != 0;
	sat_id shown, given;
	sat_stmt *s;
	sat_rc rc;

	if ((((row->flags | flags) & any) == 0 && !row->relist) ||
	    row->narrow != 0)
		return SAT_OK;
	if ((rc = sat_db_stmt(&s, r->db, is ? SQL_ALIAS_PUT : SQL_ALIAS_DEL,
	    e)) != SAT_OK)
		return rc;
	sat_bind_blob(s, 1, sat_span_of(row->view.id.b, sizeof row->view.id.b));
	if (is) {
		bind_redirect(s, 2, &shown, &row->view);
		bind_redirect(s, 3, &given, row->pending ? &row->srv : &row->view);
	}
	return sat_run(s, e);
}

/* One step; *found false: it stands for itself. */
static sat_rc
step(sat_id *to, bool *found, sat_replica *r, const sat_id *id, sat_err *e)
{
	sat_stmt *s;
	sat_rc rc;

	if ((rc = sat_db_stmt(&s, r->db, SQL_ALIAS_OF, e)) != SAT_OK)
		return rc;
	sat_bind_blob(s, 1, sat_span_of(id->b, sizeof id->b));
	if ((rc = sat_step(found, s, e)) != SAT_OK || !*found)
		return rc;
	if (sat_col_blob(s, 0).n == sizeof to->b)
		memcpy(to->b, sat_col_blob(s, 0).p, sizeof to->b);
	else
		*found = false;
	sat_stmt_reset(s);
	return SAT_OK;
}

/* `at` is on a cycle: its lowest id. */
static sat_rc
lowest(sat_id *out, sat_replica *r, sat_id at, sat_err *e)
{
	sat_id first = at;
	bool found;
	sat_rc rc;

	*out = at;
	do {
		if ((rc = step(&at, &found, r, &at, e)) != SAT_OK || !found)
			return rc;
		if (memcmp(at.b, out->b, sizeof at.b) < 0)
			*out = at;
	} while (!sat_id_eq(&at, &first));
	return SAT_OK;
}

/* Two walkers, one twice as fast: they meet if and only if there is a cycle. */
sat_rc
sat_replica_canon(sat_id *out, sat_replica *r, const sat_id *id, sat_err *e)
{
	sat_id slow = *id, fast = *id;
	bool found, odd = false;
	sat_rc rc;

	for (;;) {
		if ((rc = step(&fast, &found, r, &fast, e)) != SAT_OK)
			return rc;
		if (!found) {
			*out = fast;
			return SAT_OK;
		}
		if (odd && (rc = step(&slow, &found, r, &slow, e)) != SAT_OK)
			return rc;
		odd = !odd;
		if (sat_id_eq(&slow, &fast))
			return lowest(out, r, slow, e);
	}
}

/* ---- the other direction --------------------------------------------------------- */

static bool
among(const sat_id *ids, size_t n, const sat_id *id)
{
	for (size_t i = 0; i < n; i++)
		if (sat_id_eq(&ids[i], id))
			return true;
	return false;
}

static sat_rc
add_losers(sat_id **ids, size_t *n, size_t *cap, sat_arena *a, sat_replica *r,
    int sql, sat_id winner, sat_err *e)
{
	sat_stmt *s;
	sat_id id;
	bool row;
	sat_rc rc;

	if ((rc = sat_db_stmt(&s, r->db, sql, e)) != SAT_OK)
		return rc;
	sat_bind_blob(s, 1, sat_span_of(winner.b, sizeof winner.b));
	while ((rc = sat_step(&row, s, e)) == SAT_OK && row) {
		if (sat_col_blob(s, 0).n != sizeof id.b)
			continue;
		memcpy(id.b, sat_col_blob(s, 0).p, sizeof id.b);
		if (among(*ids, *n, &id))
			continue;
		SAT_ARENA_GROW(*ids, *n, *cap, a);
		(*ids)[(*n)++] = id;
	}
	return rc;
}

static sat_rc
family(sat_id **ids, size_t *n, sat_arena *a, sat_replica *r, int sql,
    const sat_id *id, sat_err *e)
{
	size_t cap = 0, done = 0;
	sat_rc rc;

	*ids = NULL;
	*n = 0;
	SAT_ARENA_GROW(*ids, *n, cap, a);
	(*ids)[(*n)++] = *id;
	for (; done < *n; done++)
		if ((rc = add_losers(ids, n, &cap, a, r, sql, (*ids)[done],
		    e)) != SAT_OK)
			return rc;
	return SAT_OK;
}

sat_rc
sat_replica_merged(sat_id **ids, size_t *n, sat_arena *a, sat_replica *r,
    const sat_id *id, sat_err *e)
{
	return family(ids, n, a, r, SQL_ALIAS_LOSERS, id, e);
}

sat_rc
replica_alias_given(sat_id **ids, size_t *n, sat_arena *a, sat_replica *r,
    const sat_id *id, sat_err *e)
{
	return family(ids, n, a, r, SQL_ALIAS_GIVEN, id, e);
}

/* ---- redirects that have no row any more ------------------------------------------- */

static sat_rc
losers(sat_id **ids, size_t *n, sat_arena *a, sat_replica *r, sat_err *e)
{
	size_t cap = 0;
	sat_stmt *s;
	bool row;
	sat_rc rc;

	*ids = NULL;
	*n = 0;
	if ((rc = sat_db_stmt(&s, r->db, SQL_ALIAS_ALL, e)) != SAT_OK)
		return rc;
	while ((rc = sat_step(&row, s, e)) == SAT_OK && row) {
		SAT_ARENA_GROW(*ids, *n, cap, a);
		memset(&(*ids)[*n], 0, sizeof **ids);
		if (sat_col_blob(s, 0).n == sizeof **ids)
			memcpy((*ids)[*n].b, sat_col_blob(s, 0).p,
			    sizeof **ids);
		++*n;
	}
	return rc;
}

/* Also one that cannot be read. */
static sat_rc
has_row(bool *yes, sat_replica *r, const sat_id *id, sat_err *e)
{
	sat_stmt *s;
	sat_rc rc;

	*yes = false;
	for (size_t i = 0; r->kinds != NULL && i < r->kinds->n && !*yes; i++) {
		if ((rc = replica_kind_stmt(&s, r, &r->kinds->k[i], KQ_RID_OF,
		    e)) != SAT_OK)
			return rc;
		sat_bind_blob(s, 1, sat_span_of(id->b, sizeof id->b));
		if ((rc = sat_step(yes, s, e)) != SAT_OK)
			return rc;
		sat_stmt_reset(s);
	}
	return SAT_OK;
}

sat_rc
replica_alias_tidy(size_t *strays, sat_replica *r, sat_err *e)
{
	sat_arena a = { 0 };
	sat_id *ids;
	bool there;
	size_t n;
	sat_rc rc = losers(&ids, &n, &a, r, e);

	*strays = 0;
	for (size_t i = 0; i < n && rc == SAT_OK; i++) {
		if ((rc = has_row(&there, r, &ids[i], e)) != SAT_OK || there)
			continue;
		rc = replica_run_id(r, SQL_ALIAS_DEL, &ids[i], e);
		++*strays;
	}
	sat_arena_fini(&a);
	return rc;
}
