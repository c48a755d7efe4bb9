/*
 * past.c - what the fields of many records held before, and when they were
 * written: one statement per kind, for reports that ask how it was.
 */
#include "client/replica/replica_int.h"

#include <stdlib.h>
#include <string.h>

typedef sat_rc (*past_cb)(void *u, const sat_id *id, const sat_past *p,
    sat_err *e);

static bool
take_id(sat_id *id, sat_stmt *s, int i)
{
	sat_span v = sat_col_blob(s, i);

	if (v.n == sizeof id->b)
		memcpy(id->b, v.p, sizeof id->b);
	return v.n == sizeof id->b;
}

/* The past of one record as it was read, by field. Few entries: sorted by
 * insertion, which keeps the order within a field. */
static sat_rc
tell_past(sat_past *list, size_t n, const sat_id *id, past_cb cb, void *u,
    sat_err *e)
{
	sat_rc rc = SAT_OK;

	for (size_t i = 1; i < n; i++) {
		sat_past p = list[i];
		size_t at = i;

		for (; at > 0 && list[at - 1].field > p.field; at--)
			list[at] = list[at - 1];
		list[at] = p;
	}
	for (size_t i = 0; i < n && rc == SAT_OK; i++)
		rc = cb(u, id, &list[i], e);
	return rc;
}

static sat_rc
stored_past(sat_replica *r, const replica_kind *k, int field, past_cb cb,
    void *u, sat_err *e)
{
	sat_buf text = { 0 };
	sat_arena a = { 0 };
	sat_past *list = NULL;
	size_t n = 0, cap = 0;
	int64_t rid = 0;
	sat_stmt *s;
	bool row;
	sat_id id = { 0 };
	sat_rc rc;

	sat_buf_fmt(&text, "SELECT k_._id, h_.rid, h_.data FROM history h_ "
	    "CROSS JOIN %s k_ ON k_._rid = h_.rid WHERE (k_._flags & %d) = 0 "
	    "ORDER BY h_.rid, h_.n", k->table, ROW_HIDDEN);
	rc = sat_db_stmt_text(&s, r->db, sat_buf_cstr(&text), e);
	sat_buf_fini(&text);
	if (rc != SAT_OK)
		return rc;
	while ((rc = sat_step(&row, s, e)) == SAT_OK && row) {
		if (sat_col_int(s, 1) != rid) {
			if ((rc = tell_past(list, n, &id, cb, u, e)) != SAT_OK)
				break;
			sat_arena_reset(&a);
			list = NULL;
			n = cap = 0;
			rid = sat_col_int(s, 1);
			if (!take_id(&id, s, 0))
				memset(&id, 0, sizeof id);
		}
		if (!sat_id_zero(&id) && (rc = replica_past_read(&list, &n,
		    &cap, &a, sat_col_blob(s, 2), field, e)) != SAT_OK)
			break;
	}
	if (rc == SAT_OK)
		rc = tell_past(list, n, &id, cb, u, e);
	else
		sat_stmt_reset(s);
	sat_arena_fini(&a);
	return rc;
}

static int
by_id(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(sat_id));
}

/* Ids of the rows with own waiting operations that can have displaced
 * something: a record made here by one commit has no past. Put in order here:
 * the table's order by id would be a seek for each of its rows. */
static sat_rc
waiting_ids(sat_id **ids, size_t *n, sat_arena *a, sat_replica *r,
    const replica_kind *k, sat_err *e)
{
	sat_buf text = { 0 };
	size_t cap = 0;
	sat_stmt *s;
	bool row;
	pend_rec *p;
	sat_id id;
	sat_rc rc;

	*ids = NULL;
	*n = 0;
	if ((rc = replica_pend_load(r, e)) != SAT_OK || r->pend->nrecs == 0)
		return rc;
	sat_buf_fmt(&text, "SELECT _id, _rid FROM %s WHERE _base IS NOT NULL "
	    "AND (_flags & %d) = 0", k->table, ROW_HIDDEN);
	rc = sat_db_stmt_text(&s, r->db, sat_buf_cstr(&text), e);
	sat_buf_fini(&text);
	while (rc == SAT_OK && (rc = sat_step(&row, s, e)) == SAT_OK && row) {
		if (!take_id(&id, s, 0) || (p = replica_pend_of(r, &id)) == NULL ||
		    (p->n == 1 && sat_col_int(s, 1) >= SAT_RID_LOCAL))
			continue;
		SAT_ARENA_GROW(*ids, *n, cap, a);
		(*ids)[(*n)++] = id;
	}
	if (*n > 1)
		qsort(*ids, *n, sizeof **ids, by_id);
	return rc;
}

sat_rc
sat_replica_each_past(sat_replica *r, const sat_kind *kind, int field,
    past_cb cb, void *u, sat_err *e)
{
	const replica_kind *k = replica_kind_by(r->kinds, kind->id);
	sat_arena a = { 0 }, one = { 0 };
	sat_id *ids;
	size_t n;
	sat_rc rc;

	if (k == NULL)
		return SAT_OK;
	if ((rc = stored_past(r, k, field, cb, u, e)) == SAT_OK)
		rc = waiting_ids(&ids, &n, &a, r, k, e);
	for (size_t i = 0; rc == SAT_OK && i < n; i++) {
		sat_past *list = NULL;
		size_t np = 0, cap = 0;

		sat_arena_reset(&one);
		rc = replica_waiting_past(&list, &np, &cap, &one, r, &ids[i],
		    field, e);
		for (size_t j = 0; rc == SAT_OK && j < np; j++)
			rc = cb(u, &ids[i], &list[j], e);
	}
	sat_arena_fini(&a);
	sat_arena_fini(&one);
	return rc;
}

/* Its birth, then what was read of it. The column that was read only because
 * one must be is not asked for. */
static sat_rc
tell(const replica_row *row, uint16_t field, sat_rc (*cb)(void *u,
    const sat_id *id, const sat_cell *c, sat_err *e), void *u, sat_err *e)
{
	const sat_record *rec = &row->view;
	sat_cell born = { .at = rec->born };
	sat_rc rc = cb(u, &rec->id, &born, e);

	for (size_t i = 0; rc == SAT_OK && i < rec->ncells; i++)
		if (rec->cells[i].field == field ||
		    !replica_same_stamp(&rec->cells[i].at, &rec->born))
			rc = cb(u, &rec->id, &rec->cells[i], e);
	return rc;
}

sat_rc
sat_replica_each_stamp(sat_replica *r, const sat_kind *kind, uint16_t field,
    sat_rc (*cb)(void *u, const sat_id *id, const sat_cell *c, sat_err *e),
    void *u, sat_err *e)
{
	const replica_kind *k = replica_kind_by(r->kinds, kind->id);
	size_t col = k == NULL || field == 0 ? 0 :
	    replica_kind_column(k, field);
	sat_arena a = { 0 };
	sat_buf text = { 0 };
	replica_row one;
	sat_stmt *s;
	bool row;
	sat_rc rc;

	if (k == NULL || col >= k->n)
		return SAT_OK;
	sat_buf_fmt(&text, "SELECT _rid, _id, _created, _flags, _clk, _base, "
	    "_more, \"%s\" FROM %s WHERE (_flags & %d) = 0",
	    k->fields[col]->column, k->table, ROW_HIDDEN);
	rc = sat_db_stmt_text(&s, r->db, sat_buf_cstr(&text), e);
	sat_buf_fini(&text);
	while (rc == SAT_OK && (rc = sat_step(&row, s, e)) == SAT_OK && row) {
		sat_arena_reset(&a);
		if ((rc = replica_row_read(&one, &a, k, col + 1, s, e)) ==
		    SAT_OK)
			rc = tell(&one, field, cb, u, e);
		if (rc != SAT_OK)
			sat_stmt_reset(s);
	}
	sat_arena_fini(&a);
	return rc;
}
