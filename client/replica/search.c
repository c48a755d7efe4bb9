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
 * of a list does. The first has three lanes, by what can be met there, so that
 * who types digits does not wait for the names to be decrypted, nor the other
 * way round. A part is made when it is first asked for. Before that nothing is
 * kept, and a device on which nobody searches pays nothing.
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

/* ---- blocks ----------------------------------------------------------------------------- */

/* A block as it is read for a number. */
typedef struct block {
	int64_t key;   /* its own */
	bool there;
	sat_buf data;
	size_t at;     /* the number's entry, or where it would be */
	int64_t last;  /* the number before it; of the first: the block's */
	sat_span body; /* of the entry; empty: there is none */
	int64_t next;  /* the number behind it; -1: none */
	size_t rest;   /* where the next entry goes on behind its number */
} block;

static size_t
place_in(const block *b, const uint8_t *p)
{
	return (size_t)(p - b->data.p);
}

static void
find_entry(block *b, int64_t rid)
{
	search_walk w = search_walk_of(b->key, sat_buf_span(&b->data));
	uint64_t step;

	b->next = -1;
	b->body = sat_span_of("", 0);
	do {
		b->at = b->rest = place_in(b, w.p);
		b->last = w.rid;
		if (!search_next(&w))
			return;
	} while (w.rid < rid);
	if (w.rid == rid) {
		b->body = w.body;
		b->rest = place_in(b, w.p);
		if (!search_next(&w))
			return;
	}
	b->next = w.rid;
	w.p = b->data.p + b->rest;
	(void)search_uint(&step, &w.p, w.end);
	b->rest = place_in(b, w.p);
}

/* The last block of the lane that begins at the number or before it. */
static sat_rc
get_block(block *b, sat_replica *r, const replica_kind *k, int part, int lane,
    int64_t rid, sat_err *e)
{
	sat_stmt *s;
	sat_rc rc;

	memset(b, 0, sizeof *b);
	b->key = search_key(k, part, lane, rid);
	if ((rc = sat_db_stmt(&s, r->db, SQL_SEARCH_GET, e)) != SAT_OK)
		return rc;
	sat_bind_int(s, 1, search_key(k, part, lane, 0));
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

sat_rc
search_put_block(sat_replica *r, int64_t key, sat_span data, sat_err *e)
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

void
search_put_entry(sat_buf *out, int64_t *last, int64_t rid, sat_span body)
{
	if (body.n == 0)
		return;
	sat_write_uint(out, (uint64_t)(rid - *last));
	sat_write_span(out, body);
	*last = rid;
}

/* The block's data with the entry's body in place of what was there. */
static void
with_entry(sat_buf *out, const block *b, int64_t rid, sat_span body)
{
	int64_t last = b->last;

	sat_buf_add(out, b->data.p, b->at);
	search_put_entry(out, &last, rid, body);
	if (b->next >= 0)
		sat_write_uint(out, (uint64_t)(b->next - last));
	sat_buf_add(out, b->data.p + b->rest, b->data.n - b->rest);
}

/* Where to cut: at the entry nearest the middle, or before the last one, which
 * is where numbers grow. NULL: it is one entry. *w: read up to behind it. */
static const uint8_t *
find_cut(search_walk *cut, int64_t key, sat_span data, bool at_end)
{
	search_walk w = search_walk_of(key, data);
	const uint8_t *from, *at = NULL;

	while (from = w.p, search_next(&w))
		if (from > data.p && (at == NULL || at_end ||
		    from <= data.p + data.n / 2)) {
			at = from;
			*cut = w;
		}
	return at;
}

/* In one block, or in two when it is too much. */
static sat_rc
store(sat_replica *r, int64_t key, sat_span data, bool at_end, sat_err *e)
{
	search_walk w;
	const uint8_t *cut = data.n > BLOCK_MAX ?
	    find_cut(&w, key, data, at_end) : NULL;
	sat_buf rest = { 0 };
	int64_t last;
	sat_rc rc;

	if (cut == NULL)
		return search_put_block(r, key, data, e);
	last = w.rid;
	search_put_entry(&rest, &last, w.rid, w.body);
	sat_buf_add(&rest, w.p, (size_t)(w.end - w.p));
	if ((rc = search_put_block(r, key, sat_span_of(data.p,
	    (size_t)(cut - data.p)), e)) == SAT_OK)
		rc = search_put_block(r, (key & ~SEARCH_RID_MAX) | w.rid,
		    sat_buf_span(&rest), e);
	sat_buf_fini(&rest);
	return rc;
}

/* What a row is to say in a part. */
typedef struct row_now {
	const replica_row *row;
	uint32_t flags;
	const sat_value *values;
	sat_buf body[SEARCH_LANES]; /* of a narrow row: made from what it was */
} row_now;

/* now NULL: it goes. */
static sat_rc
change(sat_replica *r, const replica_kind *k, int part, int lane, int64_t rid,
    row_now *now, sat_err *e)
{
	sat_span body = sat_span_of("", 0);
	sat_buf is = { 0 };
	block b;
	sat_rc rc;

	if ((rc = get_block(&b, r, k, part, lane, rid, e)) != SAT_OK)
		goto out;
	if (now != NULL) {
		if (now->row->narrow != 0)
			search_body_patch(now->body, b.body, part, lane,
			    now->row, now->flags, now->values);
		body = sat_buf_span(&now->body[lane]);
	}
	if (sat_span_eq(b.body, body))
		goto out;
	with_entry(&is, &b, rid, body);
	rc = store(r, b.key, sat_buf_span(&is), b.next < 0, e);
out:
	sat_buf_fini(&b.data);
	sat_buf_fini(&is);
	return rc;
}

/* ---- following the rows -------------------------------------------------------------------- */

static bool
has_column(const replica_search *s, size_t col)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->cols[i] == col)
			return true;
	return false;
}

/* Does the part say already what the row says? Most edits are of other fields. */
static bool
stands(const replica_row *row, int part, uint32_t flags,
    const sat_value *values)
{
	const replica_search *s = &row->k->search[part];

	if (row->narrow != 0)
		return !has_column(s, row->narrow - 1);
	if (row->stored == NULL || row->relist || row->more ||
	    row->stored_rid != row->rid ||
	    ((row->flags ^ flags) & SEARCH_FLAGS) != 0 ||
	    sat_record_cell(&row->view, SAT_SYS_ALIASES) != NULL)
		return false;
	for (size_t i = 0; i < s->n; i++)
		if (!sat_value_eq(row->stored[s->cols[i]],
		    values[s->cols[i]]))
			return false;
	return true;
}

static sat_rc
drop_part(sat_replica *r, const replica_kind *k, int part, int64_t rid,
    sat_err *e)
{
	sat_rc rc = SAT_OK;

	for (int lane = 0; lane < SEARCH_LANES && rc == SAT_OK; lane++)
		if ((k->search[part].lanes >> lane & 1) != 0)
			rc = change(r, k, part, lane, rid, NULL, e);
	return rc;
}

static sat_rc
write_part(sat_replica *r, row_now *now, int part, sat_err *e)
{
	const replica_row *row = now->row;
	const replica_kind *k = row->k;
	sat_rc rc = SAT_OK;

	if (row->stored_rid != 0 && row->stored_rid != row->rid &&
	    (rc = drop_part(r, k, part, row->stored_rid, e)) != SAT_OK)
		return rc;
	if (row->narrow == 0)
		search_bodies(now->body, k, part, now->flags, now->values,
		    sat_record_cell(&row->view, SAT_SYS_ALIASES));
	for (int lane = 0; lane < SEARCH_LANES && rc == SAT_OK; lane++)
		if ((k->search[part].lanes >> lane & 1) != 0 &&
		    (row->narrow == 0 || search_in_lane(
		    k->fields[row->narrow - 1], part, lane)))
			rc = change(r, k, part, lane, row->rid, now, e);
	return rc;
}

sat_rc
replica_search_row(sat_replica *r, const replica_row *row, uint32_t flags,
    const sat_value *values, sat_err *e)
{
	row_now now = { .row = row, .flags = flags, .values = values };
	sat_rc rc = SAT_OK;

	for (int part = 0; part < REPLICA_SEARCH_PARTS && rc == SAT_OK; part++)
		if (row->k->search[part].built &&
		    !stands(row, part, flags, values))
			rc = write_part(r, &now, part, e);
	for (int lane = 0; lane < SEARCH_LANES; lane++)
		sat_buf_fini(&now.body[lane]);
	return rc;
}

sat_rc
replica_search_drop(sat_replica *r, const replica_kind *k, int64_t rid,
    sat_err *e)
{
	sat_rc rc = SAT_OK;

	for (int part = 0; part < REPLICA_SEARCH_PARTS && rc == SAT_OK; part++)
		if (k->search[part].built)
			rc = drop_part(r, k, part, rid, e);
	return rc;
}

/* ---- rows that are not there any more ------------------------------------------------------ */

typedef struct strays { /* of one kind, in after < rid <= to */
	int64_t after, to;
	const int64_t *rows; /* that are there, ascending */
	size_t nrows;
	int64_t *list;
	size_t n, cap;
} strays;

static void
add_strays(strays *x, sat_arena *a, search_walk w)
{
	size_t i = 0;

	while (search_next(&w) && w.rid <= x->to) {
		while (i < x->nrows && x->rows[i] < w.rid)
			i++;
		if (w.rid <= x->after ||
		    (i < x->nrows && x->rows[i] == w.rid))
			continue;
		SAT_ARENA_GROW(x->list, x->n, x->cap, a);
		x->list[x->n++] = w.rid;
	}
}

static sat_rc
strays_of(strays *x, sat_arena *a, sat_replica *r, const replica_kind *k,
    int part, int lane, sat_err *e)
{
	block first;
	sat_stmt *s;
	bool row;
	sat_rc rc;

	x->n = 0;
	if ((rc = get_block(&first, r, k, part, lane, x->after + 1, e)) !=
	    SAT_OK)
		return rc;
	sat_buf_fini(&first.data);
	if ((rc = sat_db_stmt(&s, r->db, SQL_SEARCH_RANGE, e)) != SAT_OK)
		return rc;
	sat_bind_int(s, 1, first.key);
	sat_bind_int(s, 2, search_key(k, part, lane, x->to));
	while ((rc = sat_step(&row, s, e)) == SAT_OK && row)
		add_strays(x, a, search_walk_of(sat_col_int(s, 0),
		    sat_col_blob(s, 1)));
	return rc;
}

sat_rc
replica_search_tidy(sat_replica *r, const replica_kind *k, int64_t after,
    int64_t to, sat_err *e)
{
	strays x = { .after = after, .to = to };
	sat_arena a = { 0 };
	int64_t *rows;
	sat_rc rc = replica_kind_range(&rows, &x.nrows, &a, r, k, after, to, e);

	x.rows = rows;
	for (int i = 0; i < REPLICA_SEARCH_PARTS * SEARCH_LANES &&
	    rc == SAT_OK; i++) {
		int part = i / SEARCH_LANES, lane = i % SEARCH_LANES;

		if (!k->search[part].built ||
		    (k->search[part].lanes >> lane & 1) == 0)
			continue;
		rc = strays_of(&x, &a, r, k, part, lane, e);
		for (size_t j = 0; j < x.n && rc == SAT_OK; j++)
			rc = change(r, k, part, lane, x.list[j], NULL, e);
	}
	sat_arena_fini(&a);
	return rc;
}

sat_rc
replica_search_tidy_all(sat_replica *r, sat_err *e)
{
	sat_rc rc = SAT_OK;

	for (size_t i = 0; i < r->kinds->n && rc == SAT_OK; i++) {
		const replica_kind *k = &r->kinds->k[i];

		for (int part = 0; part < REPLICA_SEARCH_PARTS; part++)
			if (k->search[part].built) {
				rc = replica_search_tidy(r, k, 0,
				    SEARCH_RID_MAX, e);
				break; /* of all its parts */
			}
	}
	return rc;
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
		rc = search_clear_part(r, drop[i], e);
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

static sat_rc
check_part(sat_replica *r, const replica_row *row, int part, sat_err *e)
{
	const replica_kind *k = row->k;
	sat_buf body[SEARCH_LANES] = { 0 };
	block b;
	sat_rc rc = SAT_OK;

	search_bodies(body, k, part, row->flags, row->stored,
	    sat_record_cell(&row->view, SAT_SYS_ALIASES));
	for (int lane = 0; lane < SEARCH_LANES; lane++) {
		if (rc == SAT_OK)
			rc = get_block(&b, r, k, part, lane, row->rid, e);
		if (rc == SAT_OK) {
			r->search_bad += !sat_span_eq(sat_buf_span(
			    &body[lane]), b.body);
			r->search_met += body[lane].n > 0;
			sat_buf_fini(&b.data);
		}
		sat_buf_fini(&body[lane]);
	}
	return rc;
}

sat_rc
replica_search_check_row(sat_replica *r, const replica_row *row, sat_err *e)
{
	sat_rc rc = SAT_OK;

	for (int part = 0; part < REPLICA_SEARCH_PARTS && rc == SAT_OK; part++)
		if (row->k->search[part].built)
			rc = check_part(r, row, part, e);
	return rc;
}

static sat_rc
clear_all(sat_replica *r, sat_err *e)
{
	sat_rc rc = SAT_OK;

	for (size_t i = 0; i < r->kinds->n && rc == SAT_OK; i++)
		for (int p = 0; p < REPLICA_SEARCH_PARTS && rc == SAT_OK; p++)
			rc = search_clear_part(r, search_part_of(&r->kinds->k[i], p),
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
		search_walk w = search_walk_of(sat_col_int(s, 0),
		    sat_col_blob(s, 1));

		while (search_next(&w))
			(*n)++;
		*n += w.p != w.end; /* never the right number */
	}
	return rc;
}
