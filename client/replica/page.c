/*
 * page.c - the rows one transaction touches.
 *
 * A page of a pull brings thousands of operations on the same few records;
 * each row is read once, folded in memory, and written once at the flush. The
 * rows live in an arena that is reset before the next transaction.
 */
#include "client/replica/replica_int.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"

static size_t
id_bucket(const sat_id *id)
{
	uint64_t a, b;

	memcpy(&a, id->b, 8);
	memcpy(&b, id->b + 8, 8);
	return (size_t)(((a ^ b) * 0x9e3779b97f4a7c15ull) >> 54) % PAGE_BUCKETS;
}

static size_t
rid_bucket(int64_t rid)
{
	return (size_t)(((uint64_t)rid * 0x9e3779b97f4a7c15ull) >> 54) %
	    PAGE_BUCKETS;
}

void
replica_page_reset(sat_replica *r)
{
	replica_page *p = &r->page;

	/* only the buckets in use: most transactions touch one row */
	for (replica_row *row = p->rows; row != NULL; row = row->next) {
		p->by_id[id_bucket(&row->view.id)] = NULL;
		p->by_rid[rid_bucket(row->listed_rid)] = NULL;
	}
	p->rows = NULL;
	p->last = &p->rows;
	p->nrows = p->nadds = p->nsums = p->uses = 0;
	p->none_refused = false;
	sat_arena_reset(&p->mem);
}

#define PAGE_USES_MAX 16

void
replica_page_reuse(sat_replica *r)
{
	if (++r->page.uses > PAGE_USES_MAX)
		replica_page_reset(r);
}

/* What is written was read just now: it is let go with the next one. */
void
replica_page_reuse_written(sat_replica *r)
{
	if (++r->page.uses > 2 * PAGE_USES_MAX)
		replica_page_reset(r);
}

void
replica_page_fini(sat_replica *r)
{
	sat_arena_fini(&r->page.mem);
	sat_fold_room_fini(&r->page.fold);
	sat_arena_fini(&r->page.past);
	free(r->page.adds);
	free(r->page.sums);
	memset(&r->page, 0, sizeof r->page);
}

static void
add_row(replica_page *p, replica_row *row)
{
	size_t i = id_bucket(&row->view.id), j = rid_bucket(row->rid);

	row->next_id = p->by_id[i];
	p->by_id[i] = row;
	row->next_rid = p->by_rid[j];
	p->by_rid[j] = row;
	row->listed_rid = row->rid;
	row->next = NULL;
	*p->last = row;
	p->last = &row->next;
	p->nrows++;
}

static replica_row *
find_row(const replica_page *p, const replica_kind *k, const sat_id *id,
    uint32_t eid)
{
	replica_row *row = NULL;

	if (eid != 0)
		for (row = p->by_rid[rid_bucket(eid)]; row != NULL &&
		    (row->rid != eid || row->k != k); row = row->next_rid)
			;
	if (row == NULL && !sat_id_zero(id))
		for (row = p->by_id[id_bucket(id)]; row != NULL &&
		    (row->k != k || !sat_id_eq(&row->view.id, id));
		    row = row->next_id)
			;
	return row;
}

replica_row *
replica_page_peek(const sat_replica *r, const replica_kind *k,
    const sat_id *id)
{
	return find_row(&r->page, k, id, 0);
}

sat_rc
replica_row_remove(sat_replica *r, const replica_kind *k, int64_t rid,
    sat_err *e)
{
	sat_stmt *s;
	sat_rc rc;

	sat_log(SAT_WARN, "REPLICA-ROW", "kind=%u rid=%lld", k->kind->id,
	    (long long)rid);
	if ((rc = replica_run_int(r, SQL_CONFLICT_DEL, rid, e)) != SAT_OK ||
	    (rc = replica_run_int(r, SQL_HANDED_DEL, rid, e)) != SAT_OK ||
	    (rc = replica_search_drop(r, k, rid, e)) != SAT_OK ||
	    (rc = replica_kind_stmt(&s, r, k, KQ_DELETE, e)) != SAT_OK)
		return rc;
	sat_bind_int(s, 1, rid);
	return sat_run(s, e);
}

/* Which row, and how much of it. */
typedef struct which {
	const sat_id *id;  /* when rid is 0 */
	int64_t rid;
	size_t col;        /* k->n: all columns */
	bool standing;     /* by id, with one column: ONE_FOR_EDIT */
} which;

static sat_rc
read_into(replica_row *row, bool *found, sat_replica *r, const replica_kind *k,
    const which *w, sat_err *e)
{
	bool one = w->col < k->n;
	int64_t rid = w->rid;
	sat_stmt *s;
	sat_rc rc;

	rc = one ? replica_kind_one(&s, r, k, w->col, rid != 0 ? ONE_BY_RID :
	    w->standing ? ONE_FOR_EDIT : ONE_BY_ID, e) :
	    replica_kind_stmt(&s, r, k, rid != 0 ? KQ_BY_RID : KQ_BY_ID, e);
	if (rc != SAT_OK)
		return rc;
	if (rid != 0)
		sat_bind_int(s, 1, rid);
	else
		sat_bind_blob(s, 1, sat_span_of(w->id->b, sizeof w->id->b));
	if ((rc = sat_step(found, s, e)) != SAT_OK || !*found)
		return rc;
	/* cells without a column: only a whole row takes them along */
	if (one && !sat_col_null(s, KC_MORE)) {
		sat_stmt_reset(s);
		return read_into(row, found, r, k, &(which){ w->id, rid, k->n,
		    false }, e);
	}
	rid = sat_col_int(s, KC_RID);
	rc = replica_row_read(row, &r->page.mem, k, one ? w->col + 1 : 0,
	    s, e);
	if (rc == SAT_OK && one && w->standing)
		replica_row_standing(row, &r->page.mem, s);
	sat_stmt_reset(s);
	if (r->mend && (rc == SAT_EPROTO || rc == SAT_EINTEGRITY)) {
		*found = false;
		rc = replica_row_remove(r, k, rid, e);
	}
	return rc;
}

static sat_rc
read_one(replica_row **out, sat_replica *r, const replica_kind *k,
    which w, sat_err *e)
{
	replica_row *row = sat_arena_alloc(&r->page.mem, sizeof *row);
	bool found;
	sat_rc rc;

	if ((rc = read_into(row, &found, r, k, &w, e)) != SAT_OK || !found)
		return rc;
	add_row(&r->page, row);
	*out = row;
	return SAT_OK;
}

/* What could be read of it in part and not as a whole was removed. */
static void
lose(replica_row *row)
{
	row->narrow = 0;
	row->gone = true;
	row->dirty = row->counted = false;
	row->sum = (sat_sum){ 0, 0 };
	row->stored_rid = 0;
	row->stored = NULL;
	row->flags = 0;
}

sat_rc
replica_page_widen(replica_row **at, sat_replica *r, sat_err *e)
{
	replica_row whole, *row = *at;
	bool found;
	sat_rc rc;

	if (row->narrow == 0)
		return SAT_OK;
	if ((rc = read_into(&whole, &found, r, row->k, &(which){ NULL,
	    row->stored_rid, row->k->n, false }, e)) != SAT_OK)
		return rc;
	if (found) {
		replica_row_widen(row, &r->page.mem, &whole);
		return SAT_OK;
	}
	lose(row);
	*at = NULL;
	return SAT_OK;
}

/* The column that is read alone for this field; k->n: all are. */
static size_t
alone(const replica_kind *k, uint16_t field)
{
	size_t col = field != 0 ? replica_kind_column(k, field) : k->n;

	return col < k->n && !k->alone[col] ? k->n : col;
}

/* A row that is in the page already. */
static sat_rc
met_row(replica_row **row, sat_replica *r, size_t col, sat_err *e)
{
	if ((*row)->gone)
		*row = NULL;
	else if ((*row)->narrow != 0 && (*row)->narrow != col + 1)
		return replica_page_widen(row, r, e);
	return SAT_OK;
}

sat_rc
replica_page_get_for(replica_row **row, sat_replica *r, const replica_kind *k,
    const sat_id *id, uint32_t eid, uint16_t field, sat_err *e)
{
	size_t col = alone(k, field);
	sat_rc rc = SAT_OK;

	if ((*row = find_row(&r->page, k, id, eid)) != NULL)
		return met_row(row, r, col, e);
	if (eid != 0)
		rc = read_one(row, r, k, (which){ id, eid, col, false }, e);
	/* an own record may still stand under its local number */
	if (rc == SAT_OK && *row == NULL && !sat_id_zero(id))
		rc = read_one(row, r, k, (which){ id, 0, col, false }, e);
	return rc;
}

sat_rc
replica_page_get_edit(replica_row **row, sat_replica *r, const replica_kind *k,
    const sat_id *id, uint16_t field, sat_err *e)
{
	size_t col = alone(k, field);

	if ((*row = find_row(&r->page, k, id, 0)) != NULL)
		return met_row(row, r, col, e);
	return read_one(row, r, k, (which){ id, 0, col, true }, e);
}

sat_rc
replica_page_get(replica_row **row, sat_replica *r, const replica_kind *k,
    const sat_id *id, uint32_t eid, sat_err *e)
{
	return replica_page_get_for(row, r, k, id, eid, 0, e);
}

sat_rc
replica_page_by_rid(replica_row **row, sat_replica *r, const replica_kind *k,
    int64_t rid, sat_err *e)
{
	replica_row *p = r->page.by_rid[rid_bucket(rid)];

	while (p != NULL && (p->rid != rid || p->k != k))
		p = p->next_rid;
	*row = p != NULL && p->gone ? NULL : p;
	if (p == NULL)
		return read_one(row, r, k, (which){ NULL, rid, k->n, false },
		    e);
	return *row != NULL ? replica_page_widen(row, r, e) : SAT_OK;
}

/* A row that went away in this transaction and comes back keeps its place in
 * the lists; what it was is forgotten. */
static void
blank_again(replica_row *row)
{
	row->gone = row->leaving = row->pending = row->rebuild = false;
	row->npend = 0;
	row->ntouched = 0;
	row->fold_lsn = 0;
	memset(&row->srv, 0, sizeof row->srv);
	row->view = (sat_record){ .id = row->view.id, .kind = row->view.kind,
		.eid = row->view.eid };
}

sat_rc
replica_page_children(replica_row ***rows, size_t *n, sat_replica *r,
    const sat_id *of, sat_err *e)
{
	replica_row *row;
	size_t cap = 0, m;
	int64_t *rids;
	sat_rc rc;

	*rows = NULL;
	*n = 0;
	for (size_t i = 0; i < r->kinds->n; i++) {
		const replica_kind *k = &r->kinds->k[i];

		if (k->parent == k->n)
			continue;
		if ((rc = replica_kind_rids(&rids, &m, &r->page.mem, r, k,
		    KQ_OF_PARENT, of, e)) != SAT_OK)
			return rc;
		for (size_t j = 0; j < m; j++) {
			if ((rc = replica_page_by_rid(&row, r, k, rids[j],
			    e)) != SAT_OK)
				return rc;
			if (row == NULL)
				continue;
			SAT_ARENA_GROW(*rows, *n, cap, &r->page.mem);
			(*rows)[(*n)++] = row;
		}
	}
	return SAT_OK;
}

static replica_row *
blank_row(sat_replica *r, const replica_kind *k, const sat_id *id,
    uint32_t eid)
{
	replica_row *row = sat_arena_alloc(&r->page.mem, sizeof *row);

	memset(row, 0, sizeof *row);
	row->k = k;
	row->rid = eid != 0 ? (int64_t)eid : r->chain.next_rid++;
	row->view.id = *id;
	row->view.kind = k->kind->id;
	row->view.eid = eid;
	add_row(&r->page, row);
	return row;
}

sat_rc
replica_page_new(replica_row **out, sat_replica *r, const replica_kind *k,
    const sat_id *id, sat_err *e)
{
	if (find_row(&r->page, k, id, 0) != NULL)
		return replica_page_need(out, r, k, id, 0, e);
	*out = blank_row(r, k, id, 0);
	return SAT_OK;
}

sat_rc
replica_page_need(replica_row **out, sat_replica *r, const replica_kind *k,
    const sat_id *id, uint32_t eid, sat_err *e)
{
	replica_row *row = find_row(&r->page, k, id, eid);
	sat_rc rc;

	*out = row;
	if (row != NULL && !row->gone && ((rc = replica_page_widen(out, r,
	    e)) != SAT_OK || *out != NULL))
		return rc;
	if (row != NULL) {
		blank_again(row);
		*out = row;
		return SAT_OK;
	}
	if ((rc = replica_page_get(out, r, k, id, eid, e)) != SAT_OK ||
	    *out != NULL)
		return rc;
	*out = blank_row(r, k, id, eid);
	return SAT_OK;
}

sat_rc
replica_page_find(replica_row **row, sat_replica *r, const sat_id *id,
    sat_err *e)
{
	sat_rc rc = SAT_OK;

	*row = NULL;
	for (size_t i = 0; r->kinds != NULL && i < r->kinds->n &&
	    rc == SAT_OK && *row == NULL; i++)
		rc = replica_page_get(row, r, &r->kinds->k[i], id, 0, e);
	return rc;
}

static void
renumber(sat_replica *r, replica_row *row, int64_t rid)
{
	replica_page *p = &r->page;
	replica_row **at = &p->by_rid[rid_bucket(row->listed_rid)];

	row->rid = rid;
	row->dirty = true;
	/* later operations of the same page name it by number alone */
	while (*at != row)
		at = &(*at)->next_rid;
	*at = row->next_rid;
	row->listed_rid = rid;
	at = &p->by_rid[rid_bucket(rid)];
	row->next_rid = *at;
	*at = row;
}

void
replica_row_number(sat_replica *r, replica_row *row, uint32_t eid)
{
	if (row->rid == eid)
		return;
	row->view.eid = row->srv.eid = eid;
	renumber(r, row, eid);
}

void
replica_row_unnumber(sat_replica *r, replica_row *row)
{
	replica_sum_out(row);
	replica_page_sum(&r->page, row); /* of the bucket it was in */
	row->view.eid = row->srv.eid = 0;
	renumber(r, row, r->chain.next_rid++);
}

static int
by_key(const void *a, const void *b)
{
	const match_add *x = a, *y = b;

	return (x->key > y->key) - (x->key < y->key);
}

/* Sorted: the keys are hashes, and neighbours share pages of the table. */
sat_rc
replica_page_flush_match(sat_replica *r, sat_err *e)
{
	replica_page *p = &r->page;
	sat_stmt *s;
	sat_rc rc;

	if (p->nadds > 1)
		qsort(p->adds, p->nadds, sizeof *p->adds, by_key);
	for (size_t i = 0; i < p->nadds; i++) {
		if ((rc = sat_db_stmt(&s, r->db, SQL_MATCH_PUT, e)) != SAT_OK)
			return rc;
		sat_bind_int(s, 1, p->adds[i].key);
		sat_bind_int(s, 2, p->adds[i].rid);
		if ((rc = sat_run(s, e)) != SAT_OK)
			return rc;
	}
	p->nadds = 0;
	return SAT_OK;
}

sat_rc
replica_page_flush(sat_replica *r, sat_err *e)
{
	replica_row *row;
	bool gone = false;
	sat_rc rc;

	for (row = r->page.rows; row != NULL; row = row->next) {
		if (row->rebuild && (rc = replica_row_rebuild(r, row, e)) !=
		    SAT_OK)
			return rc;
		gone |= row->gone;
	}
	/* what goes first: a number or a key may pass to another row */
	for (row = gone ? r->page.rows : NULL; row != NULL; row = row->next)
		if (row->dirty && row->gone) {
			if ((rc = replica_row_write(r, row, e)) != SAT_OK)
				return rc;
			row->dirty = false;
		}
	for (row = r->page.rows; row != NULL; row = row->next)
		if (row->dirty && ((rc = replica_row_write(r, row, e)) !=
		    SAT_OK || (rc = replica_past_put(r, row, e)) != SAT_OK))
			return rc;
	if ((rc = replica_page_flush_match(r, e)) != SAT_OK)
		return rc;
	return replica_page_flush_sums(r, e);
}

sat_rc
replica_page_bound(sat_replica *r, sat_err *e)
{
	sat_rc rc;

	if (!replica_page_full(r))
		return SAT_OK;
	if ((rc = replica_page_flush(r, e)) == SAT_OK)
		replica_page_reset(r);
	return rc;
}

sat_rc
replica_page_fold(sat_replica *r, replica_row *row, const sat_op *op,
    const sat_apply_ctx *ctx, sat_err *e)
{
	sat_record *rec = replica_row_server(row);
	bool edits = rec->with_edits;
	sat_applied got;
	sat_rc rc;

	/* State that came as a whole (snapshot, change of scope) holds all up
	 * to its own LSN; several operations of one commit share theirs. */
	if (row->fold_lsn != ctx->at.lsn) {
		if (ctx->at.lsn <= rec->rlsn)
			return SAT_OK;
		row->fold_lsn = ctx->at.lsn;
	}
	if (row->counted)
		sat_sum_sub(&row->sum, sat_sum_part(rec, op->field));
	if ((rc = sat_record_apply(&got, rec, &r->page.mem, r->t, op, ctx,
	    e)) != SAT_OK)
		return rc;
	sat_record_applied(rec, got.outcome, ctx->at.lsn);
	if (row->counted)
		sat_sum_add(&row->sum, sat_sum_part(rec, op->field));
	else
		replica_sum_in(row);
	for (size_t i = 0; i < got.ndisplaced; i++)
		if (got.displaced[i].value.type != SAT_V_NULL)
			replica_past_note(row, &r->page.mem, &got.displaced[i],
			    ctx->at.lsn);
	if ((got.conflict_opened || got.conflict_closed || got.dismissed) &&
	    (rc = replica_conflict_note(r, row, rec->with_edits != edits ? 0 :
	    op->field, &got, ctx, e)) != SAT_OK)
		return rc;
	row->dirty = true;
	row->rebuild |= row->pending;
	return SAT_OK;
}
