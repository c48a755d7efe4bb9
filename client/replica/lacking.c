/*
 * lacking.c - which rows are incomplete, when another template demands other
 * fields of them.
 *
 * Only the flag of a row follows from what is demanded of it; its values,
 * clocks and what the server gave stay. So the columns that decide are read in
 * one pass over the kind, and of the rows whose flag is another one now the
 * flag alone is written.
 */
#include "client/replica/replica_int.h"

#include <string.h>

/* ---- does the template demand the same? -------------------------------------- */

static bool
same_text(const char *x, const char *y)
{
	return (x == NULL) == (y == NULL) && (x == NULL || strcmp(x, y) == 0);
}

/* NULL: a field the template did not have. */
static bool
demanded_alike(const sat_field *x, const sat_field *y)
{
	bool x_ever = x != NULL && !x->retired && x->required;
	bool y_ever = y != NULL && !y->retired && y->required;

	if (x_ever || y_ever)
		return x_ever == y_ever;
	return same_text(x == NULL || x->retired ? NULL : x->required_when,
	    y == NULL || y->retired ? NULL : y->required_when);
}

/* What a template has, the next one has too (sat_template_follows). */
static bool
demands_alike(const sat_kind *is, const sat_kind *was)
{
	for (size_t i = 0; i < is->nfields; i++)
		if (!demanded_alike(&is->fields[i],
		    sat_kind_field_id(was, is->fields[i].id)))
			return false;
	return true;
}

/* ---- the rows ---------------------------------------------------------------- */

/* Columns of the statement below; those that decide follow. */
enum { LC_RID, LC_FLAGS, LC_MORE, LC_FIELDS };

/* A row that is looked at: what decides of it, and what is hidden of it. */
typedef struct looked_at {
	const replica_kind *k;
	const sat_value *values; /* per column */
	sat_record more;         /* the cells without a column */
} looked_at;

static bool
decides(const replica_kind *k, size_t col)
{
	return !k->alone[col];
}

/* A deleted row lacks nothing, nor does one that a pool shows in part. */
static sat_rc
rows_of(sat_stmt **s, sat_replica *r, const replica_kind *k, sat_err *e)
{
	sat_buf b = { 0 };
	sat_rc rc;

	sat_buf_str(&b, "SELECT _rid, _flags, _more");
	for (size_t i = 0; i < k->n; i++)
		if (decides(k, i))
			sat_buf_fmt(&b, ", \"%s\"", k->fields[i]->column);
	sat_buf_fmt(&b, " FROM %s WHERE (_flags & %d) = 0", k->table,
	    ROW_DELETED | ROW_MASKED);
	rc = sat_db_stmt_text(s, r->db, sat_buf_cstr(&b), e);
	sat_buf_fini(&b);
	return rc;
}

static sat_value
value_of(void *u, const sat_field *f)
{
	const looked_at *l = u;
	size_t col = replica_kind_column(l->k, f->id);

	if (sat_record_hides(&l->more, f->id))
		return sat_v_int(1); /* hidden is not missing */
	return col < l->k->n ? l->values[col] : sat_v_null();
}

static bool
is_lacking(sat_replica *r, const replica_kind *k, sat_stmt *s, sat_arena *a)
{
	const char *missing[SAT_FIELDS_MAX];
	sat_value values[SAT_FIELDS_MAX + 1];
	looked_at l = { .k = k, .values = values };
	size_t n;
	int at = LC_FIELDS;

	for (size_t i = 0; i < k->n; i++)
		if (decides(k, i))
			values[i] = replica_col_value(s, at++);
	if (!sat_col_null(s, LC_MORE)) {
		sat_reader rd = sat_reader_of(sat_col_blob(s, LC_MORE));

		sat_arena_reset(a);
		l.more.cells = sat_cells_read(&l.more.ncells, a, &rd);
		if (rd.fault != NULL) /* the scrub's; no template waits for it */
			return (sat_col_int(s, LC_FLAGS) & ROW_INCOMPLETE) != 0;
	}
	return sat_gate_incomplete(r->t, k->kind, value_of, &l, missing, &n);
}

/* Collected first: a statement that reads a table does not stand on what is
 * written there meanwhile. */
static sat_rc
changed_rows(int64_t **rids, size_t *n, sat_arena *a, sat_replica *r,
    const replica_kind *k, sat_err *e)
{
	sat_arena one = { 0 };
	size_t cap = 0;
	sat_stmt *s;
	bool row;
	sat_rc rc = rows_of(&s, r, k, e);

	*rids = NULL;
	*n = 0;
	while (rc == SAT_OK && (rc = sat_step(&row, s, e)) == SAT_OK && row) {
		if (is_lacking(r, k, s, &one) ==
		    ((sat_col_int(s, LC_FLAGS) & ROW_INCOMPLETE) != 0))
			continue;
		SAT_ARENA_GROW(*rids, *n, cap, a);
		(*rids)[(*n)++] = sat_col_int(s, LC_RID);
	}
	sat_arena_fini(&one);
	return rc;
}

static sat_rc
look_again(sat_replica *r, const replica_kind *k, sat_err *e)
{
	sat_arena a = { 0 };
	int64_t *rids;
	size_t n;
	sat_stmt *s;
	sat_rc rc = changed_rows(&rids, &n, &a, r, k, e);

	for (size_t i = 0; i < n && rc == SAT_OK; i++) {
		if ((rc = replica_kind_stmt(&s, r, k, KQ_LACKING, e)) != SAT_OK)
			break;
		sat_bind_int(s, 1, rids[i]);
		rc = sat_run(s, e);
	}
	sat_arena_fini(&a);
	return rc;
}

sat_rc
replica_lacking_adopt(sat_replica *r, const replica_kinds *was, sat_err *e)
{
	sat_rc rc = SAT_OK;

	for (size_t i = 0; i < r->kinds->n && rc == SAT_OK; i++) {
		const replica_kind *k = &r->kinds->k[i];
		const replica_kind *old = replica_kind_by(was, k->kind->id);

		if (old != NULL && !demands_alike(k->kind, old->kind))
			rc = look_again(r, k, e);
	}
	return rc;
}
