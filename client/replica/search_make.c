/*
 * search_make.c - a part of the search index made from the rows there are.
 */
#include "client/replica/search_int.h"

/* A lane's block is filled up to here: with it a page of the file is full. */
#define BLOCK_FILL 3900

sat_rc
search_clear_part(sat_replica *r, int64_t part, sat_err *e)
{
	sat_stmt *s;
	sat_rc rc;

	if ((rc = sat_db_stmt(&s, r->db, SQL_SEARCH_CLEAR, e)) != SAT_OK)
		return rc;
	sat_bind_int(s, 1, part << SEARCH_PART_SHIFT);
	sat_bind_int(s, 2, ((part + 1) << SEARCH_PART_SHIFT) - 1);
	if ((rc = sat_run(s, e)) != SAT_OK)
		return rc;
	return replica_run_int(r, SQL_SEARCH_PLAN_DEL, part, e);
}

/* Columns of the part's statement behind _rid, _flags, _more. */
enum { SC_RID, SC_FLAGS, SC_MORE, SC_FIELDS };

static sat_rc
rows_of_part(sat_stmt **s, sat_replica *r, const replica_kind *k, int part,
    sat_err *e)
{
	sat_buf b = { 0 };
	sat_rc rc;

	sat_buf_str(&b, "SELECT _rid, _flags, _more");
	for (size_t i = 0; i < k->search[part].n; i++)
		sat_buf_fmt(&b, ", \"%s\"",
		    k->fields[k->search[part].cols[i]]->column);
	sat_buf_fmt(&b, " FROM %s ORDER BY _rid", k->table);
	rc = sat_db_stmt_text(s, r->db, sat_buf_cstr(&b), e);
	sat_buf_fini(&b);
	return rc;
}

static const sat_cell *
find_aliases(sat_arena *a, sat_span more)
{
	sat_reader rd = sat_reader_of(more);
	size_t n = 0;
	sat_cell *c = more.n > 0 ? sat_cells_read(&n, a, &rd) : NULL;

	for (size_t i = 0; i < n && rd.fault == NULL; i++)
		if (c[i].field == SAT_SYS_ALIASES)
			return &c[i];
	return NULL;
}

/* A lane's block that is being filled. */
typedef struct filling {
	sat_buf data;
	int64_t key, last;
} filling;

static sat_rc
fill_in(sat_replica *r, filling *f, int64_t key, sat_span body, sat_err *e)
{
	int64_t rid = key & SEARCH_RID_MAX;
	sat_rc rc = SAT_OK;

	if (body.n == 0)
		return SAT_OK;
	if (f->data.n > 0 && f->data.n + body.n > BLOCK_FILL) {
		rc = search_put_block(r, f->key, sat_buf_span(&f->data), e);
		sat_buf_reset(&f->data);
	}
	if (f->data.n == 0) {
		f->key = key;
		f->last = rid;
	}
	search_put_entry(&f->data, &f->last, rid, body);
	return rc;
}

/* The last block of each lane, when all went well; then all is given back. */
static sat_rc
fill_end(sat_replica *r, filling f[SEARCH_LANES], sat_rc rc, sat_err *e)
{
	for (int lane = 0; lane < SEARCH_LANES; lane++) {
		if (rc == SAT_OK && f[lane].data.n > 0)
			rc = search_put_block(r, f[lane].key,
			    sat_buf_span(&f[lane].data), e);
		sat_buf_fini(&f[lane].data);
	}
	return rc;
}

/* One pass over the rows in their order, one write per block. */
static sat_rc
fill(sat_replica *r, const replica_kind *k, int part, sat_err *e)
{
	sat_value values[SAT_FIELDS_MAX + 1];
	const replica_search *p = &k->search[part];
	sat_buf body[SEARCH_LANES] = { 0 };
	filling f[SEARCH_LANES] = { 0 };
	sat_arena a = { 0 };
	sat_stmt *s;
	bool row;
	sat_rc rc = rows_of_part(&s, r, k, part, e);

	while (rc == SAT_OK && (rc = sat_step(&row, s, e)) == SAT_OK && row) {
		for (size_t i = 0; i < p->n; i++)
			values[p->cols[i]] = replica_col_value(s,
			    SC_FIELDS + (int)i);
		sat_arena_reset(&a);
		search_bodies(body, k, part, (uint32_t)sat_col_int(s,
		    SC_FLAGS), values, find_aliases(&a, sat_col_blob(s,
		    SC_MORE)));
		for (int lane = 0; lane < SEARCH_LANES && rc == SAT_OK; lane++)
			rc = fill_in(r, &f[lane], search_key(k, part, lane,
			    sat_col_int(s, SC_RID)), sat_buf_span(&body[lane]),
			    e);
		if (rc != SAT_OK)
			sat_stmt_reset(s);
	}
	for (int lane = 0; lane < SEARCH_LANES; lane++)
		sat_buf_fini(&body[lane]);
	sat_arena_fini(&a);
	return fill_end(r, f, rc, e);
}

static sat_rc
make_part(sat_replica *r, const replica_kind *k, int part, sat_err *e)
{
	sat_stmt *s;
	sat_rc rc;

	if ((rc = search_clear_part(r, search_part_of(k, part), e)) != SAT_OK ||
	    (rc = fill(r, k, part, e)) != SAT_OK ||
	    (rc = sat_db_stmt(&s, r->db, SQL_SEARCH_PLAN_PUT, e)) != SAT_OK)
		return rc;
	sat_bind_int(s, 1, search_part_of(k, part));
	sat_bind_int(s, 2, k->search[part].plan);
	return sat_run(s, e);
}

sat_rc
search_need(sat_replica *r, replica_kind *k, int part, sat_err *e)
{
	sat_rc rc;

	if (k->search[part].built || k->search[part].n == 0)
		return SAT_OK;
	if (r->in_group)
		return sat_fail(e, SAT_EBUSY, "a group of writes is open");
	if ((rc = sat_db_begin(r->db, e)) != SAT_OK ||
	    (rc = replica_end(r, true, make_part(r, k, part, e), e)) != SAT_OK)
		return rc;
	k->search[part].built = true;
	return SAT_OK;
}
