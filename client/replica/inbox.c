/*
 * inbox.c - what a person must look at: customers that left; and what happened
 * before: history, log, status. Conflicts: conflicts.c; refused: quarantine.c.
 */
#include "client/replica/replica_int.h"

#include <stdio.h>
#include <string.h>

/* So far from the server's time a person is told. */
#define CLOCK_OFF_MS ((int64_t)5 * 60 * 1000)

/* ---- history ----------------------------------------------------------------- */

static sat_rc
rid_of(int64_t *rid, sat_replica *r, const sat_id *id, sat_err *e)
{
	sat_stmt *s;
	bool row;
	sat_rc rc;

	for (size_t i = 0; r->kinds != NULL && i < r->kinds->n; i++) {
		if ((rc = replica_kind_stmt(&s, r, &r->kinds->k[i], KQ_RID_OF,
		    e)) != SAT_OK)
			return rc;
		sat_bind_blob(s, 1, sat_span_of(id->b, sizeof id->b));
		if ((rc = sat_step(&row, s, e)) != SAT_OK)
			return rc;
		if (!row)
			continue;
		*rid = sat_col_int(s, 0);
		sat_stmt_reset(s);
		return SAT_OK;
	}
	return sat_fail(e, SAT_ENOTFOUND, "no such record on this device");
}

/* Fold one waiting commit and keep what it displaced, oldest first. */
static sat_rc
replay(sat_past **list, size_t *n, size_t *cap, sat_arena *a, sat_replica *r,
    sat_record *rec, const sat_commit *c, int field, sat_err *e)
{
	sat_apply_ctx ctx = { .at = { c->hlc, c->device, 0 },
		.moved = (c->flags & SAT_CF_MOVED) != 0,
		.room = &r->page.fold };
	sat_applied got;
	sat_rc rc;

	sat_fold_room_turn(&r->page.fold);
	for (size_t i = 0; i < c->nops; i++) {
		const sat_op *op = &c->ops[i];

		if (!sat_id_eq(&op->rec, &rec->id) || op->rtype != rec->kind ||
		    (rec->born.hlc == 0 && op->kind != SAT_OP_NEW))
			continue;
		ctx.seen = sat_op_seen(c, op);
		if ((rc = sat_record_apply(&got, rec, a, r->t, op, &ctx, e)) !=
		    SAT_OK)
			return rc;
		for (size_t d = 0; d < got.ndisplaced; d++) {
			const sat_displaced *was = &got.displaced[d];

			if (field != 0 && was->field != field)
				continue;
			SAT_ARENA_GROW(*list, *n, *cap, a);
			(*list)[(*n)++] = (sat_past){ was->field, was->value,
				was->at, 0 };
		}
	}
	return SAT_OK;
}

static void
newest_first(sat_past *list, size_t n)
{
	for (size_t i = 0; i < n / 2; i++) {
		sat_past last = list[n - 1 - i];

		list[n - 1 - i] = list[i];
		list[i] = last;
	}
}

/*
 * What own waiting operations displaced stands in no table, because the server
 * has not ordered it yet; but a person offline looks at his history too.
 */
sat_rc
replica_waiting_past(sat_past **list, size_t *n, size_t *cap, sat_arena *a,
    sat_replica *r, const sat_id *id, int field, sat_err *e)
{
	replica_row *row;
	sat_record rec;
	own_commit o;
	pend_rec *p;
	sat_rc rc;

	replica_page_reset(r);
	if ((rc = replica_page_find(&row, r, id, e)) != SAT_OK || row == NULL ||
	    !row->pending || (rc = replica_pend_load(r, e)) != SAT_OK ||
	    (p = replica_pend_of(r, id)) == NULL)
		return rc;
	rec = row->srv;
	if (rec.ncells > 0) /* the fold changes cells in place */
		rec.cells = sat_arena_dup(a, rec.cells,
		    rec.ncells * sizeof *rec.cells);
	rec.id = *id;
	rec.kind = row->k->kind->id;
	for (uint32_t i = 0; i < p->n && rc == SAT_OK; i++)
		if ((rc = replica_own_commit(&o, a, r, p->seqs[i], e)) ==
		    SAT_OK)
			rc = replay(list, n, cap, a, r, &rec, &o.c, field, e);
	newest_first(*list, *n);
	return rc;
}

sat_rc
sat_replica_history(sat_past **out, size_t *n, sat_arena *a, sat_replica *r,
    const sat_id *id, int field, sat_err *e)
{
	sat_past *list = NULL;
	size_t cap = 0, waiting;
	int64_t rid = 0;
	sat_rc rc;

	*out = NULL;
	*n = 0;
	if ((rc = rid_of(&rid, r, id, e)) != SAT_OK ||
	    (rc = replica_waiting_past(&list, n, &cap, a, r, id, field, e)) !=
	    SAT_OK)
		return rc;
	waiting = *n;
	if ((rc = replica_past_of(&list, n, &cap, a, r, rid, field, e)) !=
	    SAT_OK)
		return rc;
	newest_first(list + waiting, *n - waiting);
	*out = list;
	return rc;
}

/* ---- moved, log ------------------------------------------------------------------------ */

sat_rc
sat_replica_moved(sat_moved **out, size_t *n, sat_arena *a, sat_replica *r,
    sat_err *e)
{
	sat_moved *list = NULL;
	size_t cap = 0;
	sat_stmt *s;
	bool row;
	sat_rc rc;

	*out = NULL;
	*n = 0;
	if ((rc = sat_db_stmt(&s, r->db, SQL_MOVED_ALL, e)) != SAT_OK)
		return rc;
	while ((rc = sat_step(&row, s, e)) == SAT_OK && row) {
		sat_span id = sat_col_blob(s, 0);

		SAT_ARENA_GROW(list, *n, cap, a);
		memset(&list[*n], 0, sizeof list[*n]);
		if (id.n == sizeof list[*n].root.b)
			memcpy(list[*n].root.b, id.p, id.n);
		list[*n].title = replica_col_str(a, s, 1);
		list[*n].to = replica_col_str(a, s, 2);
		list[*n].lsn = (uint64_t)sat_col_int(s, 3);
		(*n)++;
	}
	*out = list;
	return rc;
}

sat_rc
sat_replica_log(sat_commit **out, size_t *n, sat_arena *a, sat_replica *r,
    int64_t limit, sat_err *e)
{
	sat_commit *list = NULL;
	size_t cap = 0;
	sat_stmt *s;
	bool row;
	sat_rc rc;

	*out = NULL;
	*n = 0;
	if ((rc = replica_outbox_flush(r, e)) != SAT_OK ||
	    (rc = sat_db_stmt(&s, r->db, SQL_LOG_ALL, e)) != SAT_OK)
		return rc;
	sat_bind_int(s, 1, limit > 0 ? limit : -1);
	while ((rc = sat_step(&row, s, e)) == SAT_OK && row) {
		SAT_ARENA_GROW(list, *n, cap, a);
		if ((rc = sat_commit_read(&list[*n], a, replica_col_copy(a, s, 1),
		    replica_col_copy(a, s, 2), e)) != SAT_OK)
			break;
		list[*n].lsn = (uint64_t)sat_col_int(s, 3);
		list[*n].eff = (sat_hlc)sat_col_int(s, 4);
		(*n)++;
	}
	sat_stmt_reset(s);
	*out = list;
	return rc;
}

/* ---- status ------------------------------------------------------------------------------ */

static sat_rc
count_incomplete(int64_t *n, sat_replica *r, sat_err *e)
{
	sat_stmt *s;
	bool row;
	sat_rc rc;

	*n = 0;
	for (size_t i = 0; r->kinds != NULL && i < r->kinds->n; i++) {
		if ((rc = replica_kind_stmt(&s, r, &r->kinds->k[i],
		    KQ_INCOMPLETE, e)) != SAT_OK ||
		    (rc = sat_step(&row, s, e)) != SAT_OK)
			return rc;
		*n += row ? sat_col_int(s, 0) : 0;
		sat_stmt_reset(s);
	}
	return SAT_OK;
}

static sat_rc
count_pending(sat_replica_status *st, sat_replica *r, sat_err *e)
{
	sat_stmt *s;
	bool row;
	sat_rc rc;

	if ((rc = replica_outbox_flush(r, e)) != SAT_OK ||
	    (rc = sat_db_stmt(&s, r->db, SQL_OUTBOX_PENDING_COUNT, e)) !=
	    SAT_OK)
		return rc;
	sat_bind_int(s, 1, r->low);
	if ((rc = sat_step(&row, s, e)) != SAT_OK)
		return rc;
	st->pending_commits = row ? sat_col_int(s, 0) : 0;
	sat_stmt_reset(s);
	if ((rc = replica_pend_load(r, e)) != SAT_OK)
		return rc;
	st->pending_records = (int64_t)r->pend->nrecs;
	return SAT_OK;
}

/* Nothing is refused for it; the person should know. Asked without a write: who
 * only looks has made no stamp that could have noticed. */
static bool
clock_is_wrong(const sat_replica *r)
{
	int64_t off = r->hlc.offset_ms;

	return sat_hlc_set_back(&r->hlc, sat_wall_ms(&r->clock)) ||
	    off > CLOCK_OFF_MS || off < -CLOCK_OFF_MS;
}

sat_rc
sat_replica_status_get(sat_replica_status *st, sat_replica *r, sat_err *e)
{
	sat_rc rc;

	memset(st, 0, sizeof *st);
	st->cursor = r->cursor;
	st->known = r->known > r->cursor ? r->known : r->cursor;
	st->last_sync_ms = r->last_sync_ms;
	st->complete = r->complete || r->resnap; /* the old data is whole */
	st->diverged = r->diverged;
	st->permit_ms = r->permit_ms;
	st->clock_suspect = clock_is_wrong(r);
	st->schema_version = client_replica_schema_count;
	if ((rc = count_pending(st, r, e)) != SAT_OK ||
	    (rc = count_incomplete(&st->incomplete, r, e)) != SAT_OK ||
	    (rc = replica_count(&st->conflicts, r, SQL_CONFLICT_COUNT, e)) !=
	    SAT_OK ||
	    (rc = replica_count(&st->handed, r, SQL_HANDED_COUNT, e)) !=
	    SAT_OK ||
	    (rc = replica_count(&st->late, r, SQL_LATE_COUNT, e)) != SAT_OK ||
	    (rc = replica_count(&st->moved, r, SQL_MOVED_COUNT, e)) != SAT_OK)
		return rc;
	return replica_count(&st->quarantined, r, SQL_QUARANTINE_COUNT, e);
}
