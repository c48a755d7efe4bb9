/*
 * store_rec.c - records, and who owned them.
 *
 * Why insert and update are two statements: an upsert touches the unique index
 * of `id` with every write, an update of owner and state touches the row alone.
 */
#include "server/store/sqlite/store_int.h"

#include <string.h>

static sat_rc
read_row(sat_rec_row *row, sat_stmt *q, sat_err *e)
{
	sat_span id = sat_col_blob(q, 1);

	memset(row, 0, sizeof *row);
	if (id.n != sizeof row->id.b)
		return sat_fail(e, SAT_EINTEGRITY, "a stored id has %zu bytes",
		    id.n);
	row->eid = (uint32_t)sat_col_int(q, 0);
	memcpy(row->id.b, id.p, id.n);
	row->kind = (uint16_t)sat_col_int(q, 2);
	row->root = (uint32_t)sat_col_int(q, 3);
	if (!sat_col_null(q, 4))
		row->owner = sat_col_text(q, 4);
	row->state = sat_col_blob(q, 5);
	return SAT_OK;
}

/* What is kept of it is newer than its row, or the same. */
static void
newest(sat_rec_row *row, const sat_sqlite_store *s)
{
	const sat_rec_row *kept = store_late_find(s, row->eid);

	if (kept != NULL)
		*row = *kept;
}

static sat_rc
one(sat_rec_row *row, sat_arena *a, const sat_sqlite_store *s, sat_stmt *q,
    sat_err *e)
{
	sat_rc rc;

	if ((rc = store_step_one(q, "record", e)) != SAT_OK)
		return rc;
	if ((rc = read_row(row, q, e)) == SAT_OK) {
		newest(row, s);
		row->owner = store_copy(a, row->owner);
		row->state = store_copy(a, row->state);
	}
	sat_stmt_reset(q);
	return rc;
}

static sat_rc
rec_by_id(sat_rec_row *row, sat_arena *a, void *u, const sat_id *id, sat_err *e)
{
	sat_sqlite_store *s = u;
	const sat_rec_row *kept = store_late_find_id(s, id);
	sat_stmt *q;
	sat_rc rc;

	if (kept != NULL) {
		*row = *kept;
		return SAT_OK;
	}
	if ((rc = store_stmt(&q, s->db, SQL_REC_BY_ID, e)) != SAT_OK)
		return rc;
	sat_bind_blob(q, 1, sat_span_of(id->b, sizeof id->b));
	return one(row, a, s, q, e);
}

static sat_rc
rec_by_eid(sat_rec_row *row, sat_arena *a, void *u, uint32_t eid, sat_err *e)
{
	sat_sqlite_store *s = u;
	const sat_rec_row *kept = store_late_find(s, eid);
	sat_stmt *q;
	sat_rc rc;

	if (kept != NULL) {
		*row = *kept;
		return SAT_OK;
	}
	if ((rc = store_stmt(&q, s->db, SQL_REC_BY_EID, e)) != SAT_OK)
		return rc;
	sat_bind_int(q, 1, eid);
	return one(row, a, s, q, e);
}

static sat_rc
know_max(sat_sqlite_store *s, sat_err *e)
{
	sat_stmt *q;
	sat_rc rc;

	if (s->eid_known)
		return SAT_OK;
	if ((rc = store_stmt(&q, s->db, SQL_REC_MAX, e)) != SAT_OK ||
	    (rc = store_step_one(q, "record", e)) != SAT_OK)
		return rc;
	s->eid_max = (uint32_t)sat_col_int(q, 0);
	s->eid_known = true;
	sat_stmt_reset(q);
	return SAT_OK;
}

static void
bind_owner(sat_stmt *q, int i, sat_span owner)
{
	if (owner.n == 0)
		sat_bind_null(q, i);
	else
		sat_bind_text(q, i, owner);
}

static sat_rc
update(bool *done, sat_sqlite_store *s, const sat_rec_row *row, sat_err *e)
{
	sat_stmt *q;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, SQL_REC_UPDATE, e)) != SAT_OK)
		return rc;
	bind_owner(q, 1, row->owner);
	sat_bind_blob(q, 2, row->state);
	sat_bind_int(q, 3, row->eid);
	if ((rc = sat_run(q, e)) == SAT_OK)
		*done = sat_db_changes(s->db) == 1;
	return rc;
}

sat_rc
store_rec_write(sat_sqlite_store *s, const sat_rec_row *row, sat_err *e)
{
	bool done = false;
	sat_rc rc = update(&done, s, row, e);

	return rc != SAT_OK || done ? rc : sat_fail(e, SAT_EINTEGRITY,
	    "the row of record %u is gone", row->eid);
}

static sat_rc
insert(sat_sqlite_store *s, const sat_rec_row *row, sat_err *e)
{
	sat_stmt *q;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, SQL_REC_INSERT, e)) != SAT_OK)
		return rc;
	sat_bind_int(q, 1, row->eid);
	sat_bind_blob(q, 2, sat_span_of(row->id.b, sizeof row->id.b));
	sat_bind_int(q, 3, row->kind);
	sat_bind_int(q, 4, row->root);
	bind_owner(q, 5, row->owner);
	sat_bind_blob(q, 6, row->state);
	if ((rc = sat_run(q, e)) == SAT_OK && row->eid > s->eid_max)
		s->eid_max = row->eid;
	return rc;
}

static sat_rc
rec_put(void *u, const sat_rec_row *row, sat_err *e)
{
	sat_sqlite_store *s = u;
	bool done = row->late;
	sat_rc rc;

	if ((rc = know_max(s, e)) != SAT_OK ||
	    (!done && row->eid <= s->eid_max &&
	    (rc = update(&done, s, row, e)) != SAT_OK) ||
	    (!done && (rc = insert(s, row, e)) != SAT_OK))
		return rc;
	store_late_put(s, row, row->late);
	return SAT_OK;
}

static sat_rc
rec_move(void *u, uint32_t eid, uint32_t root, sat_err *e)
{
	sat_sqlite_store *s = u;
	sat_stmt *q;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, SQL_REC_MOVE, e)) != SAT_OK)
		return rc;
	sat_bind_int(q, 1, root);
	sat_bind_int(q, 2, eid);
	store_late_move(s, eid, root);
	return sat_run(q, e);
}

static sat_rc
match_run(sat_sqlite_store *s, int sql, int64_t key, uint32_t eid, sat_err *e)
{
	sat_stmt *q;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, sql, e)) != SAT_OK)
		return rc;
	sat_bind_int(q, 1, key);
	sat_bind_int(q, 2, eid);
	return sat_run(q, e);
}

static sat_rc
match_put(void *u, int64_t key, uint32_t eid, sat_err *e)
{
	return match_run(u, SQL_MATCH_PUT, key, eid, e);
}

static sat_rc
match_del(void *u, int64_t key, uint32_t eid, sat_err *e)
{
	return match_run(u, SQL_MATCH_DEL, key, eid, e);
}

static sat_rc
match_clear(void *u, sat_err *e)
{
	sat_sqlite_store *s = u;
	sat_stmt *q;
	sat_rc rc = store_stmt(&q, s->db, SQL_DROP_MATCH, e);

	return rc != SAT_OK ? rc : sat_run(q, e);
}

static sat_rc
match_find(void *u, int64_t key, bool (*cb)(void *cu, uint32_t eid), void *cu,
    sat_err *e)
{
	sat_sqlite_store *s = u;
	sat_stmt *q;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, SQL_MATCH_FIND, e)) != SAT_OK)
		return rc;
	sat_bind_int(q, 1, key);
	return store_each(q, cb, cu, e);
}

static sat_rc
each(const sat_sqlite_store *s, sat_stmt *q, bool (*cb)(void *cu, const sat_rec_row *row), void *cu,
    sat_err *e)
{
	sat_rec_row r;
	bool row;
	sat_rc rc;

	while ((rc = sat_step(&row, q, e)) == SAT_OK && row) {
		if ((rc = read_row(&r, q, e)) != SAT_OK)
			break;
		newest(&r, s);
		if (!cb(cu, &r))
			break;
	}
	sat_stmt_reset(q);
	return rc;
}

static sat_rc
rec_scan(void *u, uint32_t after, bool (*cb)(void *cu, const sat_rec_row *row),
    void *cu, sat_err *e)
{
	sat_sqlite_store *s = u;
	sat_stmt *q;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, SQL_REC_SCAN, e)) != SAT_OK)
		return rc;
	sat_bind_int(q, 1, after);
	return each(s, q, cb, cu, e);
}

static sat_rc
rec_of_root(void *u, uint32_t root,
    bool (*cb)(void *cu, const sat_rec_row *row), void *cu, sat_err *e)
{
	sat_sqlite_store *s = u;
	sat_stmt *q;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, SQL_REC_OF_ROOT, e)) != SAT_OK)
		return rc;
	sat_bind_int(q, 1, root);
	return each(s, q, cb, cu, e);
}

static sat_rc
owner_left(void *u, uint32_t eid, sat_span owner, uint64_t lsn, sat_err *e)
{
	sat_sqlite_store *s = u;
	sat_stmt *q;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, SQL_OWNER_LEFT_PUT, e)) != SAT_OK)
		return rc;
	sat_bind_int(q, 1, eid);
	sat_bind_text(q, 2, owner);
	sat_bind_int(q, 3, (int64_t)lsn);
	return sat_run(q, e);
}

static sat_rc
owner_left_lsn(uint64_t *lsn, void *u, uint32_t eid, sat_span owner, sat_err *e)
{
	sat_sqlite_store *s = u;
	sat_stmt *q;
	bool row;
	sat_rc rc;

	*lsn = 0;
	if ((rc = store_stmt(&q, s->db, SQL_OWNER_LEFT_GET, e)) != SAT_OK)
		return rc;
	sat_bind_int(q, 1, eid);
	sat_bind_text(q, 2, owner);
	if ((rc = sat_step(&row, q, e)) == SAT_OK && row)
		*lsn = (uint64_t)sat_col_int(q, 0);
	sat_stmt_reset(q);
	return rc;
}

void
store_rec_ops(sat_store *o)
{
	o->rec_by_id = rec_by_id;
	o->rec_by_eid = rec_by_eid;
	o->rec_put = rec_put;
	o->rec_move = rec_move;
	o->match_put = match_put;
	o->match_del = match_del;
	o->match_clear = match_clear;
	o->match_find = match_find;
	o->rec_scan = rec_scan;
	o->rec_of_root = rec_of_root;
	o->owner_left = owner_left;
	o->owner_left_lsn = owner_left_lsn;
}
