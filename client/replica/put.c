/*
 * put.c - a row of a kind's table is written: what is new of it, no more.
 *
 * An UPDATE that names an indexed column takes its entry out of the index and
 * puts it back, even when the value stays: a page more to the log, and another
 * for each index. Most writes change one field, or none (what waited is
 * settled), so the statement is chosen by what differs from the table.
 */
#include "client/replica/replica_int.h"

/* The server gave the record its number. */
static sat_rc
move_row(sat_replica *r, const replica_row *row, sat_err *e)
{
	sat_stmt *s;
	sat_rc rc;

	if ((rc = replica_kind_stmt(&s, r, row->k, KQ_SET_RID, e)) != SAT_OK)
		return rc;
	sat_bind_int(s, 1, row->stored_rid);
	sat_bind_int(s, 2, row->rid);
	if ((rc = sat_run(s, e)) != SAT_OK ||
	    (rc = sat_db_stmt(&s, r->db, SQL_HISTORY_MOVE, e)) != SAT_OK)
		return rc;
	sat_bind_int(s, 1, row->stored_rid);
	sat_bind_int(s, 2, row->rid);
	return sat_run(s, e);
}

void
replica_row_spread(sat_value *values, sat_buf *more, const replica_row *row)
{
	const replica_kind *k = row->k;
	const sat_record *v = &row->view;
	sat_cell extra[SAT_FIELDS_MAX];
	size_t col = 0, n = 0;

	for (size_t i = 0; i < k->n; i++)
		values[i] = sat_v_null();
	for (size_t i = 0; i < v->ncells; i++) {
		const sat_cell *c = &v->cells[i];

		while (col < k->n && k->ids[col] < c->field)
			col++;
		if (col < k->n && k->ids[col] == c->field)
			values[col] = c->value;
		else if (n < SAT_FIELDS_MAX)
			extra[n++] = *c;
	}
	if (n > 0)
		sat_cells_write(more, extra, n);
}

/* What differs from the table. */
typedef struct changes {
	size_t n, col;  /* columns, the last of them */
	bool indexed;   /* one of them is in an index */
	bool derived;   /* _created or _flags */
	bool all;       /* not known, or to be written whatever is there */
} changes;

static changes
compare(const sat_replica *r, const replica_row *row, uint32_t flags,
    const sat_value *values)
{
	changes c = { .derived = flags != row->flags ||
	    row->created != sat_hlc_ms(row->view.born.hlc) };

	c.all = row->stored == NULL || row->relist ||
	    (row->narrow == 0 && (row->more || r->b3.n > 0));
	for (size_t i = 0; i < row->k->n && !c.all; i++) {
		if ((row->narrow != 0 && i + 1 != row->narrow) ||
		    sat_value_eq(replica_row_stored(row, i), values[i]))
			continue;
		c.n++;
		c.col = i;
		c.indexed |= row->k->indexed[i];
	}
	return c;
}

static void
bind_clocks(sat_stmt *s, sat_replica *r, const replica_row *row)
{
	sat_bind_int(s, KC_RID + 1, row->rid);
	sat_bind_blob(s, KC_CLK + 1, sat_buf_span(&r->b1));
	if (row->pending)
		sat_bind_blob(s, KC_BASE + 1, sat_buf_span(&r->b2));
	else
		sat_bind_null(s, KC_BASE + 1);
}

static void
bind_derived(sat_stmt *s, const replica_row *row, uint32_t flags)
{
	sat_bind_int(s, KC_CREATED + 1, sat_hlc_ms(row->view.born.hlc));
	sat_bind_int(s, KC_FLAGS + 1, flags);
}

/* KQ_INSERT, KQ_UPDATE and KQ_LEAN number their parameters alike. */
static sat_rc
put_whole(sat_replica *r, const replica_row *row, uint32_t flags,
    const sat_value *values, kind_sql q, sat_err *e)
{
	sat_stmt *s;
	sat_rc rc;

	if ((q == KQ_INSERT && (rc = replica_kind_use(r, row->k, e)) !=
	    SAT_OK) || (rc = replica_kind_stmt(&s, r, row->k, q, e)) != SAT_OK)
		return rc;
	bind_clocks(s, r, row);
	if (q == KQ_INSERT)
		sat_bind_blob(s, KC_ID + 1, sat_span_of(row->view.id.b, 16));
	if (q != KQ_LEAN)
		bind_derived(s, row, flags);
	if (r->b3.n > 0)
		sat_bind_blob(s, KC_MORE + 1, sat_buf_span(&r->b3));
	else
		sat_bind_null(s, KC_MORE + 1);
	for (size_t i = 0; i < row->k->n; i++)
		if (q != KQ_LEAN || !row->k->indexed[i])
			replica_bind_value(s, (int)(KC_FIELDS + i + 1),
			    values[i]);
	return sat_run(s, e);
}

/* One field, or none. */
static sat_rc
put_one(sat_replica *r, const replica_row *row, uint32_t flags,
    const sat_value *values, const changes *c, sat_err *e)
{
	sat_stmt *s;
	sat_rc rc;

	rc = c->n == 0 && !c->derived ?
	    replica_kind_stmt(&s, r, row->k, KQ_TOUCH, e) :
	    replica_kind_one(&s, r, row->k, c->col,
	    c->derived ? ONE_UPDATE_DERIVED : ONE_UPDATE, e);
	if (rc != SAT_OK)
		return rc;
	bind_clocks(s, r, row);
	if (c->derived)
		bind_derived(s, row, flags);
	if (c->n > 0 || c->derived)
		replica_bind_value(s, KC_FIELDS + 1, values[c->col]);
	return sat_run(s, e);
}

sat_rc
replica_row_put(sat_replica *r, const replica_row *row, uint32_t flags,
    const sat_value *values, sat_err *e)
{
	changes c;
	sat_rc rc;

	if (row->stored_rid == 0)
		return put_whole(r, row, flags, values, KQ_INSERT, e);
	if (row->rid != row->stored_rid && (rc = move_row(r, row, e)) != SAT_OK)
		return rc;
	c = compare(r, row, flags, values);
	if (row->narrow != 0) { /* the rest of the row is not here */
		c.col = row->narrow - 1;
		c.derived |= c.all;
		return put_one(r, row, flags, values, &c, e);
	}
	if (!c.all && c.n <= 1 && (c.n == 1 || !c.derived))
		return put_one(r, row, flags, values, &c, e);
	return put_whole(r, row, flags, values,
	    c.all || c.indexed || c.derived ? KQ_UPDATE : KQ_LEAN, e);
}
