/*
 * search.c - the search index and how it follows the rows.
 *
 * Why no inverted index: what is searched of a hundred thousand customers is
 * some ten megabytes, read and compared in the time an inverted index needs for
 * a frequent word; and a row costs one small block to change, leaves nothing
 * behind when it goes, and pinyin needs no copy of its own. A block holds the
 * texts of rows with neighbouring numbers, about a page of them, so that a scan
 * meets few rows of SQLite; one that grows too large is cut in two.
 *
 * Two parts per kind: what people look for records by (names, numbers, phones),
 * which every search looks through, and all other texts, which only the search
 * of a list does. A part is made when it is first asked for. Before that
 * nothing is kept, and a device on which nobody searches pays nothing.
 *
 * Invariants:
 *   S1  a part that is listed holds exactly what the rows say.
 *   S2  a part that is not listed has no block.
 *   S3  of a masked row no phone is here.
 */
#include "client/replica/search_int.h"

#include <string.h>

/* A block is cut when it grows beyond: with it a page of the file is full. */
#define BLOCK_MAX 3950
#define BLOCK_FILL 3900

/* ---- blocks ----------------------------------------------------------------------------- */

/* A block as it is read for a number. */
typedef struct block {
	int64_t key;   /* its own */
	bool there;
	sat_buf data;
	size_t at, n;  /* the number's entry, or where it would be: n 0 */
	sat_span body;
} block;

static void
find_entry(block *b, int64_t rid)
{
	sat_reader rd = sat_reader_of(sat_buf_span(&b->data));

	b->at = b->data.n;
	b->n = 0;
	b->body = sat_span_of("", 0);
	while (rd.left > 0 && rd.fault == NULL) {
		size_t from = b->data.n - rd.left;
		int64_t is = (int64_t)sat_read_uint(&rd);
		sat_span body = sat_read_span(&rd, rd.left);

		if (is < rid)
			continue;
		b->at = from;
		if (is == rid) {
			b->n = b->data.n - rd.left - from;
			b->body = body;
		}
		return;
	}
}

/* The last block that begins at the number or before it. */
static sat_rc
get_block(block *b, sat_replica *r, const replica_kind *k, int part,
    int64_t rid, sat_err *e)
{
	sat_stmt *s;
	sat_rc rc;

	memset(b, 0, sizeof *b);
	b->key = search_key(k, part, rid);
	if ((rc = sat_db_stmt(&s, r->db, SQL_SEARCH_GET, e)) != SAT_OK)
		return rc;
	sat_bind_int(s, 1, search_key(k, part, 0));
	sat_bind_int(s, 2, b->key);
	if ((rc = sat_step(&b->there, s, e)) != SAT_OK)
		return rc;
	if (b->there) {
		b->key = sat_col_int(s, 0);
		sat_buf_add(&b->data, sat_col_blob(s, 1).p,
		    sat_col_blob(s, 1).n);
		sat_stmt_reset(s);
	}
	find_entry(b, rid);
	return SAT_OK;
}

static sat_rc
put_block(sat_replica *r, int64_t key, sat_span data, sat_err *e)
{
	sat_stmt *s;
	sat_rc rc;

	if ((rc = sat_db_stmt(&s, r->db, data.n > 0 ? SQL_SEARCH_PUT :
	    SQL_SEARCH_DEL, e)) != SAT_OK)
		return rc;
	sat_bind_int(s, 1, key);
	if (data.n > 0)
		sat_bind_blob(s, 2, data);
	return sat_run(s, e);
}

static void
put_entry(sat_buf *out, int64_t rid, sat_span body)
{
	if (body.n == 0)
		return;
	sat_write_uint(out, (uint64_t)rid);
	sat_write_span(out, body);
}

/* Where to cut: at the entry nearest the middle, or before the last one, which
 * is where numbers grow. 0: it is one entry. *rid: the first behind it. */
static size_t
find_cut(int64_t *rid, sat_span data, bool at_end)
{
	sat_reader rd = sat_reader_of(data);
	size_t cut = 0;

	while (rd.left > 0 && rd.fault == NULL) {
		size_t from = data.n - rd.left;
		int64_t is = (int64_t)sat_read_uint(&rd);

		(void)sat_read_span(&rd, rd.left);
		if (from > 0 && (cut == 0 || at_end || from <= data.n / 2)) {
			cut = from;
			*rid = is;
		}
	}
	return cut;
}

/* In one block, or in two when it is too much. */
static sat_rc
store(sat_replica *r, const replica_kind *k, int part, int64_t key,
    sat_span data, bool at_end, sat_err *e)
{
	int64_t rid = 0;
	size_t cut = data.n > BLOCK_MAX ? find_cut(&rid, data, at_end) : 0;
	sat_rc rc;

	if (cut == 0)
		return put_block(r, key, data, e);
	if ((rc = put_block(r, key, sat_span_of(data.p, cut), e)) != SAT_OK)
		return rc;
	return put_block(r, search_key(k, part, rid), sat_span_of(data.p + cut,
	    data.n - cut), e);
}

/* What it is to be is told by `make`, from what it was. */
static sat_rc
change(sat_replica *r, const replica_kind *k, int part, int64_t rid,
    void (*make)(sat_buf *out, sat_span old, void *u), void *u, sat_err *e)
{
	sat_buf body = { 0 }, is = { 0 };
	block b;
	sat_rc rc;

	if ((rc = get_block(&b, r, k, part, rid, e)) != SAT_OK)
		goto out;
	if (make != NULL)
		make(&body, b.body, u);
	if (sat_span_eq(b.body, sat_buf_span(&body)))
		goto out;
	sat_buf_add(&is, b.data.p, b.at);
	put_entry(&is, rid, sat_buf_span(&body));
	sat_buf_add(&is, b.data.p + b.at + b.n, b.data.n - b.at - b.n);
	rc = store(r, k, part, b.key, sat_buf_span(&is),
	    b.at == b.data.n, e);
out:
	sat_buf_fini(&b.data);
	sat_buf_fini(&body);
	sat_buf_fini(&is);
	return rc;
}

/* ---- following the rows -------------------------------------------------------------------- */

typedef struct row_now {
	const replica_row *row;
	int part;
	uint32_t flags;
	const sat_value *values;
} row_now;

static void
make_of_row(sat_buf *out, sat_span old, void *u)
{
	const row_now *now = u;
	const replica_row *row = now->row;

	if (row->narrow != 0)
		search_body_patch(out, old, row, now->flags, now->values);
	else
		search_body(out, row->k, now->part, now->flags, now->values,
		    sat_record_cell(&row->view, SAT_SYS_ALIASES));
}

static bool
has_column(const replica_search *s, size_t col)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->cols[i] == col)
			return true;
	return false;
}

sat_rc
replica_search_row(sat_replica *r, const replica_row *row, uint32_t flags,
    const sat_value *values, sat_err *e)
{
	const replica_kind *k = row->k;
	sat_rc rc;

	for (int part = 0; part < REPLICA_SEARCH_PARTS; part++) {
		row_now now = { row, part, flags, values };

		if (!k->search[part].built || (row->narrow != 0 &&
		    !has_column(&k->search[part], row->narrow - 1)))
			continue;
		if (row->stored_rid != 0 && row->stored_rid != row->rid &&
		    (rc = change(r, k, part, row->stored_rid, NULL, NULL,
		    e)) != SAT_OK)
			return rc;
		if ((rc = change(r, k, part, row->rid, make_of_row, &now,
		    e)) != SAT_OK)
			return rc;
	}
	return SAT_OK;
}

sat_rc
replica_search_drop(sat_replica *r, const replica_kind *k, int64_t rid,
    sat_err *e)
{
	sat_rc rc = SAT_OK;

	for (int part = 0; part < REPLICA_SEARCH_PARTS && rc == SAT_OK; part++)
		if (k->search[part].built)
			rc = change(r, k, part, rid, NULL, NULL, e);
	return rc;
}

/* ---- making a part --------------------------------------------------------------------------- */

static sat_rc
clear_part(sat_replica *r, int64_t part, sat_err *e)
{
	sat_stmt *s;
	sat_rc rc;

	if ((rc = sat_db_stmt(&s, r->db, SQL_SEARCH_CLEAR, e)) != SAT_OK)
		return rc;
	sat_bind_int(s, 1, part << SEARCH_PART_SHIFT);
	sat_bind_int(s, 2, (part << SEARCH_PART_SHIFT) | SEARCH_RID_MAX);
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

/* One pass over the rows in their order, one write per block. */
static sat_rc
fill(sat_replica *r, const replica_kind *k, int part, sat_err *e)
{
	sat_value values[SAT_FIELDS_MAX + 1];
	const replica_search *p = &k->search[part];
	sat_buf data = { 0 }, body = { 0 };
	int64_t key = 0, rid;
	sat_arena a = { 0 };
	sat_stmt *s;
	bool row;
	sat_rc rc = rows_of_part(&s, r, k, part, e);

	while (rc == SAT_OK && (rc = sat_step(&row, s, e)) == SAT_OK && row) {
		rid = sat_col_int(s, SC_RID);
		for (size_t i = 0; i < p->n; i++)
			values[p->cols[i]] = replica_col_value(s,
			    SC_FIELDS + (int)i);
		sat_arena_reset(&a);
		sat_buf_reset(&body);
		search_body(&body, k, part, (uint32_t)sat_col_int(s, SC_FLAGS),
		    values, find_aliases(&a, sat_col_blob(s, SC_MORE)));
		if (data.n > 0 && data.n + body.n > BLOCK_FILL) {
			rc = put_block(r, key, sat_buf_span(&data), e);
			sat_buf_reset(&data);
		}
		if (data.n == 0)
			key = search_key(k, part, rid);
		put_entry(&data, rid, sat_buf_span(&body));
	}
	if (rc == SAT_OK && data.n > 0)
		rc = put_block(r, key, sat_buf_span(&data), e);
	else if (rc != SAT_OK)
		sat_stmt_reset(s);
	sat_arena_fini(&a);
	sat_buf_fini(&data);
	sat_buf_fini(&body);
	return rc;
}

static sat_rc
make_part(sat_replica *r, const replica_kind *k, int part, sat_err *e)
{
	sat_stmt *s;
	sat_rc rc;

	if ((rc = clear_part(r, search_part_of(k, part), e)) != SAT_OK ||
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

/* ---- what is there ----------------------------------------------------------------------------- */

static replica_search *
part_by(replica_kinds *ks, int64_t part)
{
	for (size_t i = 0; ks != NULL && i < ks->n; i++)
		for (int p = 0; p < REPLICA_SEARCH_PARTS; p++)
			if (search_part_of(&ks->k[i], p) == part)
				return &ks->k[i].search[p];
	return NULL;
}

/* Every listed part that does not fit the plan goes (S2: erasure would not find
 * what no row leads to). */
sat_rc
replica_search_adopt(sat_replica *r, replica_kinds *ks, bool *stale,
    sat_err *e)
{
	int64_t drop[2 * SAT_KINDS_MAX];
	size_t n = 0;
	sat_stmt *s;
	bool row;
	sat_rc rc;

	if ((rc = sat_db_stmt(&s, r->db, SQL_SEARCH_PLANS, e)) != SAT_OK)
		return rc;
	while ((rc = sat_step(&row, s, e)) == SAT_OK && row) {
		replica_search *p = part_by(ks, sat_col_int(s, 0));

		if (p != NULL)
			p->built = p->plan == sat_col_int(s, 1);
		if ((p == NULL || !p->built) && n < 2 * SAT_KINDS_MAX)
			drop[n++] = sat_col_int(s, 0);
	}
	if (stale != NULL) {
		*stale = n > 0;
		return rc;
	}
	for (size_t i = 0; i < n && rc == SAT_OK; i++)
		rc = clear_part(r, drop[i], e);
	return rc;
}

sat_rc
replica_search_open(sat_replica *r, sat_err *e)
{
	bool stale;
	sat_rc rc;

	if (r->kinds == NULL)
		return SAT_OK;
	if ((rc = replica_search_adopt(r, r->kinds, &stale, e)) != SAT_OK ||
	    !stale)
		return rc;
	if ((rc = sat_db_begin(r->db, e)) != SAT_OK)
		return rc;
	return replica_end(r, true, replica_search_adopt(r, r->kinds, NULL, e),
	    e);
}

/* ---- proof ------------------------------------------------------------------------------------- */

sat_rc
replica_search_check_row(sat_replica *r, const replica_row *row, sat_err *e)
{
	const replica_kind *k = row->k;
	sat_buf body = { 0 };
	block b;
	sat_rc rc = SAT_OK;

	for (int part = 0; part < REPLICA_SEARCH_PARTS; part++) {
		if (!k->search[part].built)
			continue;
		sat_buf_reset(&body);
		rc = get_block(&b, r, k, part, row->rid, e);
		search_body(&body, k, part, row->flags, row->stored,
		    sat_record_cell(&row->view, SAT_SYS_ALIASES));
		r->search_bad += !sat_span_eq(sat_buf_span(&body), b.body);
		sat_buf_fini(&b.data);
		if (rc != SAT_OK)
			break;
		r->search_met += body.n > 0;
	}
	sat_buf_fini(&body);
	return rc;
}

static sat_rc
clear_all(sat_replica *r, sat_err *e)
{
	sat_rc rc = SAT_OK;

	for (size_t i = 0; i < r->kinds->n && rc == SAT_OK; i++)
		for (int p = 0; p < REPLICA_SEARCH_PARTS && rc == SAT_OK; p++)
			rc = clear_part(r, search_part_of(&r->kinds->k[i], p),
			    e);
	return rc;
}

sat_rc
replica_search_forget(sat_replica *r, sat_err *e)
{
	sat_rc rc;

	if (r->kinds == NULL)
		return SAT_OK;
	if ((rc = sat_db_begin(r->db, e)) != SAT_OK)
		return rc;
	if ((rc = replica_end(r, true, clear_all(r, e), e)) != SAT_OK)
		return rc;
	for (size_t i = 0; i < r->kinds->n; i++)
		for (int p = 0; p < REPLICA_SEARCH_PARTS; p++)
			r->kinds->k[i].search[p].built = false;
	return SAT_OK;
}

sat_rc
replica_search_entries(int64_t *n, sat_replica *r, sat_err *e)
{
	sat_stmt *s;
	bool row;
	sat_rc rc;

	*n = 0;
	if ((rc = sat_db_stmt(&s, r->db, SQL_SEARCH_RANGE, e)) != SAT_OK)
		return rc;
	sat_bind_int(s, 1, 0);
	sat_bind_int(s, 2, INT64_MAX);
	while ((rc = sat_step(&row, s, e)) == SAT_OK && row) {
		sat_reader rd = sat_reader_of(sat_col_blob(s, 1));

		while (rd.left > 0 && rd.fault == NULL) {
			(void)sat_read_uint(&rd);
			(void)sat_read_span(&rd, rd.left);
			(*n)++;
		}
		*n += rd.fault != NULL; /* never the right number */
	}
	return rc;
}
