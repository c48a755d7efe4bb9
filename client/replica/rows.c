/*
 * rows.c - a row of a kind's table, and the record it stands for.
 *
 * The columns and `_clk` hold the view: what the user sees; `_base` what the
 * server has beside it while own operations wait (base.c). `match`, `conflict`
 * and `alias` are derived here and nowhere else.
 */
#include "client/replica/replica_int.h"

#include <assert.h>
#include <string.h>

sat_value
replica_col_value(sat_stmt *s, int i)
{
	int64_t n;
	sat_span v;

	switch (sat_col_any(&n, &v, s, i)) {
	case 'i':
		return sat_v_int(n);
	case 't':
		return sat_v_text(v);
	case 'b':
		return sat_v_bytes(v);
	default:
		return sat_v_null();
	}
}

void
replica_bind_value(sat_stmt *s, int i, sat_value v)
{
	switch (v.type) {
	case SAT_V_INT:
		sat_bind_int(s, i, v.i);
		break;
	case SAT_V_TEXT:
		sat_bind_text(s, i, v.s);
		break;
	case SAT_V_BYTES:
		sat_bind_blob(s, i, v.s);
		break;
	case SAT_V_NULL:
		sat_bind_null(s, i);
		break;
	}
}

/* ---- reading --------------------------------------------------------------------- */

/* Columns and the cells of `_more` together, ascending. A field may be in both
 * when a newer template brought its column: then `_more` has the value. */
static sat_rc
join_more(const uint16_t **ids, const sat_value **values, size_t *n,
    sat_arena *a, const replica_kind *k, sat_span more, sat_err *e)
{
	sat_reader rd = sat_reader_of(more);
	const sat_value *cols = *values;
	size_t ncells, i = 0, j = 0, at = 0;
	sat_cell *cells = sat_cells_read(&ncells, a, &rd);
	uint16_t *out;
	sat_value *vals;
	sat_rc rc;

	if ((rc = sat_read_end(&rd, "cells of unknown fields", e)) != SAT_OK)
		return rc;
	out = sat_arena_alloc(a, (k->n + ncells + 1) * sizeof *out);
	vals = sat_arena_alloc(a, (k->n + ncells + 1) * sizeof *vals);
	while (i < k->n || j < ncells) {
		bool col = j == ncells ||
		    (i < k->n && k->ids[i] < cells[j].field);

		if (!col && i < k->n && k->ids[i] == cells[j].field)
			i++;
		out[at] = col ? k->ids[i] : cells[j].field;
		vals[at++] = col ? cols[i] : cells[j].value;
		if (col)
			i++;
		else
			j++;
	}
	*ids = out;
	*values = vals;
	*n = at;
	return SAT_OK;
}

static sat_span
copy_blob(sat_arena *a, sat_stmt *s, int i)
{
	sat_span v = sat_col_blob(s, i);

	return sat_span_of(sat_arena_dup(a, v.p, v.n), v.n);
}

static void
read_values(sat_value *cols, size_t n, sat_arena *a, sat_stmt *s)
{
	for (size_t i = 0; i < n; i++)
		cols[i] = sat_value_dup(a, replica_col_value(s,
		    KC_FIELDS + (int)i));
}

sat_rc
replica_row_read(replica_row *row, sat_arena *a, const replica_kind *k,
    size_t narrow, sat_stmt *s, sat_err *e)
{
	size_t n = narrow != 0 ? 1 : k->n;
	sat_value *cols = sat_arena_alloc(a, n * sizeof *cols);
	const sat_value *values = cols;
	const uint16_t *ids = k->ids;
	sat_span id = sat_col_blob(s, KC_ID);
	sat_rc rc;

	memset(row, 0, sizeof *row);
	row->k = k;
	row->rid = row->stored_rid = sat_col_int(s, KC_RID);
	row->flags = (uint32_t)sat_col_int(s, KC_FLAGS);
	row->created = sat_col_int(s, KC_CREATED);
	row->more = !sat_col_null(s, KC_MORE);
	row->leaving = (row->flags & ROW_LEAVING) != 0;
	if (id.n != sizeof row->view.id.b)
		return sat_fail(e, SAT_EINTEGRITY, "a row of %s has no id",
		    k->kind->key);
	read_values(cols, n, a, s);
	row->narrow = narrow;
	row->stored = cols;
	if (row->more && (rc = join_more(&ids, &values, &n, a,
	    k, copy_blob(a, s, KC_MORE), e)) != SAT_OK)
		return rc;
	rc = narrow != 0 ? sat_record_read_clocks_one(&row->view, a,
	    copy_blob(a, s, KC_CLK), ids[narrow - 1], cols[0], e) :
	    sat_record_read_clocks(&row->view, a, copy_blob(a, s, KC_CLK), ids,
	    values, n, e);
	if (rc != SAT_OK)
		return rc;
	memcpy(row->view.id.b, id.p, sizeof row->view.id.b);
	row->view.kind = k->kind->id;
	row->view.eid = row->rid < SAT_RID_LOCAL ? (uint32_t)row->rid : 0;
	if (!sat_col_null(s, KC_BASE) && (rc = replica_base_read(row, a,
	    copy_blob(a, s, KC_BASE), e)) != SAT_OK)
		return rc;
	row->counted = replica_row_counts(row);
	return SAT_OK;
}

void
replica_row_standing(replica_row *row, sat_arena *a, sat_stmt *s)
{
	sat_value *v = sat_arena_alloc(a, 2 * sizeof *v);

	for (int i = 0; i < 2; i++)
		v[i] = sat_value_dup(a, replica_col_value(s,
		    KC_FIELDS + 1 + i));
	row->standing = v;
}

/* All cells of `whole`, but this field's as the narrow row has it. */
static void
join_own(sat_record *to, const sat_record *whole, uint16_t field, sat_arena *a)
{
	const sat_cell *own = sat_record_cell(to, field);
	sat_cell *cells = sat_arena_alloc(a,
	    (whole->ncells + 1) * sizeof *cells);
	size_t n = 0, i = 0;

	for (; i < whole->ncells && whole->cells[i].field < field; i++)
		cells[n++] = whole->cells[i];
	if (own != NULL)
		cells[n++] = *own;
	if (i < whole->ncells && whole->cells[i].field == field)
		i++;
	for (; i < whole->ncells; i++)
		cells[n++] = whole->cells[i];
	to->cells = cells;
	to->ncells = n;
}

void
replica_row_widen(replica_row *row, sat_arena *a, const replica_row *whole)
{
	uint16_t own = row->k->ids[row->narrow - 1];

	join_own(&row->view, &whole->view, own, a);
	if (row->pending) /* else the server's state was the view */
		join_own(&row->srv, whole->pending ? &whole->srv :
		    &whole->view, own, a);
	row->stored = whole->stored;
	row->more = whole->more;
	row->narrow = 0;
	row->standing = NULL;
}

/* ---- what is derived --------------------------------------------------------------- */

size_t
replica_row_conflicts(row_conflict *out, size_t max, sat_arena *a,
    const replica_row *row)
{
	const sat_record *v = &row->view;
	uint64_t opened, top = v->del_at.lsn;
	sat_id into;
	size_t n = 0;

	if (sat_record_redirect(&into, v)) /* the winner's are asked about */
		return 0;
	for (size_t i = 0; i < v->ncells && n + 1 < max; i++) {
		const sat_cell *c = &v->cells[i];
		const sat_field *f;
		sat_candidate *cand;

		if (c->at.lsn > top)
			top = c->at.lsn;
		if (c->ext.n == 0)
			continue;
		f = sat_kind_field_id(row->k->kind, c->field);
		if (f == NULL || (f->policy != SAT_P_REVIEW &&
		    f->policy != SAT_P_STAGE))
			continue;
		/* opened by an own operation that waits: not the server's yet */
		if (sat_cell_candidates(&cand, &opened, a, f->policy, c) > 1 &&
		    opened != 0)
			out[n++] = (row_conflict){ c->field, opened };
	}
	if (v->deleted && v->with_edits && top != 0 && n < max)
		out[n++] = (row_conflict){ 0, top };
	return n;
}

/* What is hidden is not missing. */
static sat_value
view_value(void *u, const sat_field *f)
{
	return sat_record_hides(u, f->id) ? sat_v_int(1) :
	    sat_record_value(u, f->id);
}

static uint32_t
pool_flags(const replica_row *row)
{
	const sat_field *owner = row->k->kind->owner;
	const sat_record *v = &row->view;

	if (row->narrow != 0) /* no cell of these is there, nor was */
		return row->flags & (ROW_POOL | ROW_MASKED);
	if (owner == NULL ||
	    sat_record_value(v, owner->id).type != SAT_V_NULL ||
	    sat_record_value(v, SAT_SYS_POOL).type == SAT_V_NULL)
		return 0;
	return ROW_POOL | (sat_record_of_pool(v) ? ROW_MASKED : 0u);
}

uint32_t
replica_row_flags(const sat_template *t, sat_arena *a, replica_row *row)
{
	const char *missing[SAT_FIELDS_MAX];
	row_conflict one[2];
	sat_record *v = &row->view;
	sat_id into;
	size_t n;
	uint32_t flags = 0;

	if (v->deleted)
		flags |= ROW_DELETED;
	if (v->with_edits)
		flags |= ROW_EDITS;
	if (row->leaving)
		flags |= ROW_LEAVING;
	if (row->narrow != 0 ? (row->flags & ROW_MERGED) != 0 :
	    sat_record_redirect(&into, v))
		flags |= ROW_MERGED;
	if (row->narrow != 0 ? (row->flags & ROW_GIVEN) != 0 :
	    sat_record_redirect(&into, replica_row_server(row)))
		flags |= ROW_GIVEN;
	flags |= pool_flags(row);
	if (replica_row_conflicts(one, 2, a, row) > 0)
		flags |= ROW_CONFLICT;
	if (row->narrow != 0 ? (row->flags & ROW_HANDED) != 0 :
	    sat_record_value(v, SAT_SYS_HANDED).type != SAT_V_NULL)
		flags |= ROW_HANDED;
	if (row->narrow != 0 ? (row->flags & ROW_TOLD) != 0 :
	    sat_record_cell(v, SAT_SYS_CANDIDATES) != NULL)
		flags |= ROW_TOLD;
	if (row->narrow != 0)
		flags |= row->flags & ROW_INCOMPLETE;
	else if (!v->deleted && (flags & ROW_MASKED) == 0 &&
	    sat_gate_incomplete(t, row->k->kind, view_value, v,
	    missing, &n))
		flags |= ROW_INCOMPLETE;
	return flags;
}

/* ---- writing --------------------------------------------------------------------------- */

static sat_rc
run_two(sat_replica *r, int sql, int64_t x, int64_t y, bool two, sat_err *e)
{
	sat_stmt *s;
	sat_rc rc;

	if ((rc = sat_db_stmt(&s, r->db, sql, e)) != SAT_OK)
		return rc;
	sat_bind_int(s, 1, x);
	if (two)
		sat_bind_int(s, 2, y);
	return sat_run(s, e);
}

static void
page_add_match(replica_page *p, int64_t key, int64_t rid)
{
	if (p->nadds == p->cap_adds) {
		p->cap_adds = p->cap_adds * 2 + 64;
		p->adds = sat_xrealloc(p->adds, p->cap_adds * sizeof *p->adds);
	}
	p->adds[p->nadds++] = (match_add){ key, rid };
}

static sat_rc
collect_keys(sat_replica *r, const replica_kind *k, sat_err *e)
{
	int64_t key;
	sat_stmt *s;
	bool row;
	sat_rc rc;

	if (k->sql[KQ_MATCH] == NULL)
		return SAT_OK;
	if ((rc = replica_kind_stmt(&s, r, k, KQ_MATCH, e)) != SAT_OK)
		return rc;
	while ((rc = sat_step(&row, s, e)) == SAT_OK && row)
		for (size_t i = 0, col = 1; i < k->n; i++)
			if (k->match[i] && sat_match_key(&key, &r->b4,
			    k->kind, k->fields[i],
			    replica_col_value(s, (int)col++)))
				page_add_match(&r->page, key,
				    sat_col_int(s, 0));
	return rc;
}

sat_rc
replica_match_build(sat_replica *r, sat_err *e)
{
	sat_rc rc;

	for (size_t i = 0; i < r->kinds->n; i++)
		if ((rc = collect_keys(r, &r->kinds->k[i], e)) != SAT_OK)
			return rc;
	return replica_page_flush_match(r, e);
}

/* Earlier numbers find their record for ever (P-145). The set only grows, so
 * keys are added, and go with the row; one that is there stays one. */
static sat_rc
write_aliases(sat_replica *r, const replica_row *row, bool gone, sat_err *e)
{
	const sat_cell *c = sat_record_cell(&row->view, SAT_SYS_ALIASES);
	const sat_field *f = c != NULL ?
	    sat_kind_field(row->k->kind, "number") : NULL;
	bool moved = row->stored_rid != 0 && row->stored_rid != row->rid;
	sat_element *el;
	int64_t key;
	size_t n;
	sat_rc rc;

	if (f == NULL)
		return SAT_OK;
	n = sat_cell_elements(&el, &r->page.mem, c);
	for (size_t i = 0; i < n; i++) {
		if (!sat_match_key(&key, &r->b4, row->k->kind, f,
		    sat_v_text(el[i].text)))
			continue;
		if ((gone || moved) && (rc = run_two(r, SQL_MATCH_DEL, key,
		    row->stored_rid, true, e)) != SAT_OK)
			return rc;
		if (!gone)
			page_add_match(&r->page, key, row->rid);
	}
	return SAT_OK;
}

/* Old keys out, new ones to the page, only where something changed. values
 * NULL: the row goes. */
static sat_rc
write_match(sat_replica *r, const replica_row *row, const sat_value *values,
    sat_err *e)
{
	const replica_kind *k = row->k;
	int64_t was, now;
	bool had, has;
	sat_rc rc;

	for (size_t i = 0; i < k->n && !row->no_match; i++) {
		if (!k->match[i] || (row->narrow != 0 && row->narrow != i + 1))
			continue;
		if (row->stored != NULL && values != NULL && !row->relist &&
		    row->stored_rid == row->rid &&
		    sat_value_eq(replica_row_stored(row, i), values[i]))
			continue;
		had = row->stored != NULL && sat_match_key(&was, &r->b4,
		    k->kind, k->fields[i], replica_row_stored(row, i));
		has = values != NULL && sat_match_key(&now, &r->b4,
		    k->kind, k->fields[i], values[i]);
		if (had && (rc = run_two(r, SQL_MATCH_DEL, was,
		    row->stored_rid, true, e)) != SAT_OK)
			return rc;
		if (has)
			page_add_match(&r->page, now, row->rid);
	}
	/* also in a snapshot: what is built at its end knows columns only */
	return write_aliases(r, row, values == NULL, e);
}

/* Where it is in the lists. One that was lost behind our back has no row, and what
 * was listed of it may still be there under its number. */
static int64_t
listed_as(const replica_row *row)
{
	return row->stored_rid != 0 ? row->stored_rid : row->rid;
}

static sat_rc
write_conflicts(sat_replica *r, const replica_row *row, uint32_t flags,
    sat_err *e)
{
	row_conflict list[ROW_CONFLICTS_MAX];
	sat_stmt *s;
	size_t n;
	sat_rc rc;

	if (((row->flags | flags) & ROW_CONFLICT) == 0 && !row->relist)
		return SAT_OK;
	if ((rc = run_two(r, SQL_CONFLICT_DEL, listed_as(row), 0, false,
	    e)) != SAT_OK || (flags & ROW_CONFLICT) == 0)
		return rc;
	n = replica_row_conflicts(list, ROW_CONFLICTS_MAX, &r->page.mem, row);
	for (size_t i = 0; i < n; i++) {
		if ((rc = sat_db_stmt(&s, r->db, SQL_CONFLICT_PUT, e)) !=
		    SAT_OK)
			return rc;
		sat_bind_int(s, 1, row->rid);
		sat_bind_int(s, 2, list[i].field);
		sat_bind_int(s, 3, row->k->kind->id);
		sat_bind_int(s, 4, (int64_t)list[i].opened_lsn);
		if ((rc = sat_run(s, e)) != SAT_OK)
			return rc;
	}
	return SAT_OK;
}

static sat_rc
write_handed(sat_replica *r, const replica_row *row, uint32_t flags,
    sat_err *e)
{
	if (((row->flags ^ flags) & ROW_HANDED) == 0 && !row->relist)
		return SAT_OK;
	return (flags & ROW_HANDED) != 0 ?
	    run_two(r, SQL_HANDED_PUT, row->rid, row->k->kind->id, true, e) :
	    run_two(r, SQL_HANDED_DEL, listed_as(row), 0, false, e);
}

static sat_rc
delete_row(sat_replica *r, replica_row *row, sat_err *e)
{
	sat_stmt *s;
	sat_rc rc;

	if (row->stored_rid == 0)
		return SAT_OK;
	if ((rc = write_match(r, row, NULL, e)) != SAT_OK ||
	    (rc = write_conflicts(r, row, 0, e)) != SAT_OK ||
	    (rc = write_handed(r, row, 0, e)) != SAT_OK ||
	    (rc = replica_alias_write(r, row, 0, e)) != SAT_OK ||
	    (rc = replica_search_drop(r, row->k, row->stored_rid, e)) !=
	    SAT_OK ||
	    (rc = run_two(r, SQL_HISTORY_DEL, row->stored_rid, 0, false,
	    e)) != SAT_OK ||
	    (rc = replica_kind_stmt(&s, r, row->k, KQ_DELETE, e)) != SAT_OK)
		return rc;
	sat_bind_int(s, 1, row->stored_rid);
	if ((rc = sat_run(s, e)) != SAT_OK)
		return rc;
	row->stored_rid = 0;
	row->stored = NULL;
	row->flags = 0;
	return SAT_OK;
}

/* The first parent stays, but two devices may make one record, each below its
 * own customer (P-281). */
static bool
has_moved(const replica_row *row, const sat_value *values)
{
	size_t col = row->k->parent;

	return row->stored != NULL && row->narrow == 0 && col < row->k->n &&
	    !sat_value_eq(row->stored[col], values[col]);
}

/* What the table has now; in its place, where there is one: a page has thousands
 * of rows, and new memory costs more than what is written to it. */
static void
keep_stored(replica_row *row, sat_arena *a, const sat_value *values)
{
	size_t n = row->narrow != 0 ? 1 : row->k->n;

	if (row->stored == NULL)
		row->stored = sat_arena_alloc(a, n * sizeof *values);
	memcpy(row->stored, row->narrow != 0 ? &values[row->narrow - 1] :
	    values, n * sizeof *values);
}

sat_rc
replica_row_write(sat_replica *r, replica_row *row, sat_err *e)
{
	sat_value values[SAT_FIELDS_MAX + 1];
	uint32_t flags;
	sat_rc rc;

	assert(row->k->n <= SAT_FIELDS_MAX);
	assert(row->narrow == 0 || (!row->gone && !row->rebuild &&
	    row->rid == row->stored_rid));
	if (row->gone) {
		replica_page_sum(&r->page, row);
		return delete_row(r, row, e);
	}
	sat_buf_reset(&r->b1);
	sat_buf_reset(&r->b2);
	sat_buf_reset(&r->b3);
	sat_record_write_clocks(&r->b1, &row->view);
	if (row->pending)
		replica_base_write(&r->b2, row);
	replica_row_spread(values, &r->b3, row);
	flags = replica_row_flags(r->t, &r->page.mem, row);
	if ((rc = replica_row_put(r, row, flags, values, e)) != SAT_OK ||
	    (rc = write_match(r, row, values, e)) != SAT_OK ||
	    (rc = write_conflicts(r, row, flags, e)) != SAT_OK ||
	    (rc = write_handed(r, row, flags, e)) != SAT_OK ||
	    (rc = replica_alias_write(r, row, flags, e)) != SAT_OK ||
	    (rc = replica_search_row(r, row, flags, values, e)) != SAT_OK)
		return rc;
	if (has_moved(row, values) &&
	    (rc = replica_root_changed(r, &row->view.id, e)) != SAT_OK)
		return rc;
	keep_stored(row, &r->page.mem, values);
	row->stored_rid = row->rid;
	row->flags = flags;
	row->created = sat_hlc_ms(row->view.born.hlc);
	row->more = r->b3.n > 0;
	row->dirty = row->relist = false;
	replica_page_sum(&r->page, row);
	return SAT_OK;
}
