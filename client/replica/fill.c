/*
 * fill.c - rows of a snapshot that nobody has here, many by one statement.
 *
 * Only plain rows: what has a row in another table as well (conflicts,
 * suggestions, merges, earlier numbers) is written by replica_row_write, and so
 * is all of a kind whose index of searched texts stands.
 */
#include "client/replica/replica_int.h"

_Static_assert(KC_FIELDS + SAT_FIELDS_MAX <= SAT_DB_ROWS_COLUMNS_MAX,
    "columns of a row");

typedef struct fill {
	sat_replica *r;
	const replica_kind *k;
	const sat_record *recs;
	const sat_sum *sums; /* of recs; NULL: to be taken */
	size_t n, at;      /* at: the one being written, from 1 */
	replica_row row;   /* the same */
	sat_value fields[SAT_FIELDS_MAX + 1];
	sat_db_value values[KC_FIELDS + SAT_FIELDS_MAX];
} fill;

bool
replica_fill_fits(const replica_kind *k, const sat_record *rec)
{
	return k != NULL && k->kind->id == rec->kind && rec->eid != 0 &&
	    rec->born.hlc != 0 && !sat_id_zero(&rec->id);
}

static sat_db_value
value_of(sat_value v)
{
	switch (v.type) {
	case SAT_V_INT:
		return (sat_db_value){ 'i', v.i, { NULL, 0 } };
	case SAT_V_TEXT:
		return (sat_db_value){ 't', 0, v.s };
	case SAT_V_BYTES:
		return (sat_db_value){ 'b', 0, v.s };
	case SAT_V_NULL:
		break;
	}
	return (sat_db_value){ 0, 0, { NULL, 0 } };
}

static void
set_values(fill *f, uint32_t flags)
{
	const sat_record *v = &f->row.view;
	sat_replica *r = f->r;

	f->values[KC_RID] = value_of(sat_v_int(f->row.rid));
	f->values[KC_ID] = value_of(sat_v_bytes(sat_span_of(v->id.b, 16)));
	f->values[KC_CREATED] = value_of(sat_v_int(sat_hlc_ms(v->born.hlc)));
	f->values[KC_FLAGS] = value_of(sat_v_int(flags));
	f->values[KC_CLK] = value_of(sat_v_bytes(sat_buf_span(&r->b1)));
	f->values[KC_BASE] = value_of(sat_v_null());
	f->values[KC_MORE] = value_of(r->b3.n > 0 ?
	    sat_v_bytes(sat_buf_span(&r->b3)) : sat_v_null());
	for (size_t i = 0; i < f->k->n; i++)
		f->values[KC_FIELDS + i] = value_of(f->fields[i]);
}

/* It is in the table: the server's state counts. */
static void
count_in(fill *f)
{
	replica_sum_known(&f->row, f->sums != NULL ? &f->sums[f->at - 1] : NULL);
	replica_page_sum(&f->r->page, &f->row);
}

static bool
next_row(void *u)
{
	const uint32_t beside = ROW_CONFLICT | ROW_HANDED | ROW_MERGED |
	    ROW_GIVEN;
	fill *f = u;
	sat_replica *r = f->r;
	uint32_t flags;

	if (f->at > 0)
		count_in(f);
	if (f->at++ == f->n || !replica_fill_fits(f->k, &f->recs[f->at - 1]))
		return false;
	f->row = (replica_row){ .k = f->k, .rid = f->recs[f->at - 1].eid,
		.view = f->recs[f->at - 1] };
	flags = replica_row_flags(r->t, &r->page.mem, &f->row);
	if ((flags & beside) != 0 ||
	    sat_record_cell(&f->row.view, SAT_SYS_ALIASES) != NULL)
		return false;
	sat_buf_reset(&r->b1);
	sat_buf_reset(&r->b3);
	sat_record_write_clocks(&r->b1, &f->row.view);
	replica_row_spread(f->fields, &r->b3, &f->row);
	set_values(f, flags);
	return true;
}

static bool
is_searched(const replica_kind *k)
{
	for (int part = 0; part < REPLICA_SEARCH_PARTS; part++)
		if (k->search[part].built)
			return true;
	return false;
}

sat_rc
replica_fill(size_t *done, sat_replica *r, const replica_kind *k,
    const sat_record *recs, const sat_sum *sums, size_t n, sat_err *e)
{
	fill f = { .r = r, .k = k, .recs = recs, .sums = sums, .n = n };
	sat_db_rows rows = { next_row, f.values, &f };
	sat_err why = { 0 };
	sat_stmt *s;
	sat_rc rc;

	*done = 0;
	if (n == 0 || is_searched(k))
		return SAT_OK;
	if ((rc = replica_kind_stmt(&s, r, k, KQ_FILL, e)) != SAT_OK)
		return rc;
	rc = sat_db_feed(s, &rows, &why);
	*done = f.at - 1; /* before the one it stopped at */
	if (rc == SAT_ECONFLICT)
		return SAT_OK; /* known here: the caller looks at it */
	if (rc != SAT_OK && e != NULL)
		*e = why;
	return rc;
}
