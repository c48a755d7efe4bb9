/*
 * conflicts.c - open conflicts, and a list of what became of them.
 *
 * Open ones are derived from the rows. What opened, settled or dismissed one is
 * noted while the log is folded, so the list knows what this device folded: a
 * record that came as a state brings its open conflicts, not its past ones.
 */
#include "client/replica/replica_int.h"

#include <stdio.h>
#include <string.h>

/* ---- open ones --------------------------------------------------------------- */

typedef struct open_conflict {
	int64_t rid;
	uint16_t field, kind;
	uint64_t opened_lsn;
} open_conflict;

static sat_rc
list_open(open_conflict **list, size_t *n, sat_arena *a, sat_replica *r,
    sat_err *e)
{
	size_t cap = 0;
	sat_stmt *s;
	bool row;
	sat_rc rc;

	*n = 0;
	*list = NULL;
	if ((rc = sat_db_stmt(&s, r->db, SQL_CONFLICT_ALL, e)) != SAT_OK)
		return rc;
	while ((rc = sat_step(&row, s, e)) == SAT_OK && row) {
		SAT_ARENA_GROW(*list, *n, cap, a);
		(*list)[(*n)++] = (open_conflict){ sat_col_int(s, 0),
			(uint16_t)sat_col_int(s, 1),
			(uint16_t)sat_col_int(s, 2),
			(uint64_t)sat_col_int(s, 3) };
	}
	return rc;
}

static sat_rc
read_by_rid(replica_row *row, bool *found, sat_arena *a, sat_replica *r,
    const replica_kind *k, int64_t rid, sat_err *e)
{
	sat_stmt *s;
	sat_rc rc;

	if ((rc = replica_kind_stmt(&s, r, k, KQ_BY_RID, e)) != SAT_OK)
		return rc;
	sat_bind_int(s, 1, rid);
	if ((rc = sat_step(found, s, e)) != SAT_OK || !*found)
		return rc;
	rc = replica_row_read(row, a, k, 0, s, e);
	sat_stmt_reset(s);
	return rc;
}

/* The server's order has no time of day; the stamp of the operation that opened
 * the conflict has one, and while that value is a candidate it is here. Else
 * the second oldest: there was no conflict before it. */
static int64_t
opened_ms(const sat_conflict *c)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->candidates[i].at.lsn == c->opened_lsn)
			return sat_hlc_ms(c->candidates[i].at.hlc);
	return c->n == 0 ? 0 : sat_hlc_ms(
	    c->candidates[c->n > 1 ? c->n - 2 : 0].at.hlc);
}

static void
describe(sat_conflict *c, sat_arena *a, const replica_row *row,
    const open_conflict *o)
{
	char text[SAT_ID_TEXT];
	const sat_cell *cell = sat_record_cell(&row->view, o->field);
	uint64_t opened;

	memset(c, 0, sizeof *c);
	c->rec = row->view.id;
	sat_id_text(text, &c->rec);
	(void)snprintf(c->key, sizeof c->key, "%s-%u", text,
	    (unsigned)o->field);
	c->kind = row->k->kind;
	c->opened_lsn = o->opened_lsn;
	if (o->field == 0) {
		c->opened_ms = sat_hlc_ms(row->view.del_at.hlc);
		return;
	}
	c->field = sat_kind_field_id(c->kind, o->field);
	if (c->field != NULL && cell != NULL)
		c->n = sat_cell_candidates(&c->candidates, &opened, a,
		    c->field->policy, cell);
	c->opened_ms = opened_ms(c);
}

sat_rc
sat_replica_conflicts(sat_conflict **out, size_t *n, sat_arena *a,
    sat_replica *r, sat_err *e)
{
	open_conflict *open;
	replica_row row;
	bool found;
	size_t nopen;
	sat_rc rc;

	*out = NULL;
	*n = 0;
	if ((rc = list_open(&open, &nopen, a, r, e)) != SAT_OK)
		return rc;
	*out = sat_arena_alloc(a, (nopen + 1) * sizeof **out);
	for (size_t i = 0; i < nopen; i++) {
		const replica_kind *k = replica_kind_by(r->kinds, open[i].kind);

		if (k == NULL)
			continue;
		if ((rc = read_by_rid(&row, &found, a, r, k, open[i].rid,
		    e)) != SAT_OK)
			return rc;
		if (found)
			describe(&(*out)[(*n)++], a, &row, &open[i]);
	}
	return SAT_OK;
}

/* ---- what became of them ------------------------------------------------------- */

static sat_rc
note(sat_replica *r, const replica_row *row, uint16_t field,
    sat_conflict_what what, const sat_apply_ctx *ctx, sat_err *e)
{
	sat_id root;
	sat_stmt *s;
	sat_rc rc;

	if ((rc = replica_row_root(&root, r, row, e)) != SAT_OK ||
	    (rc = sat_db_stmt(&s, r->db, SQL_CONFLICT_LOG_PUT, e)) != SAT_OK)
		return rc;
	sat_bind_int(s, 1, (int64_t)ctx->at.lsn);
	sat_bind_blob(s, 2, sat_span_of(row->view.id.b, sizeof row->view.id.b));
	sat_bind_int(s, 3, field);
	sat_bind_int(s, 4, what);
	sat_bind_int(s, 5, row->k->kind->id);
	sat_bind_int(s, 6, ctx->at.dev);
	sat_bind_int(s, 7, sat_hlc_ms(ctx->at.hlc));
	sat_bind_blob(s, 8, sat_span_of(root.b, sizeof root.b));
	return sat_run(s, e);
}

sat_rc
replica_conflict_note(sat_replica *r, const replica_row *row, uint16_t field,
    const sat_applied *got, const sat_apply_ctx *ctx, sat_err *e)
{
	sat_rc rc = SAT_OK;

	if (got->conflict_opened)
		rc = note(r, row, field, SAT_CONFLICT_OPENED, ctx, e);
	if (rc == SAT_OK && got->conflict_closed)
		rc = note(r, row, field, SAT_CONFLICT_SETTLED, ctx, e);
	if (rc == SAT_OK && got->dismissed)
		rc = note(r, row, field, SAT_CONFLICT_DISMISSED, ctx, e);
	return rc;
}

sat_rc
sat_replica_conflict_log(sat_replica *r, void (*cb)(void *u,
    const sat_conflict_event *ev), void *u, sat_err *e)
{
	sat_conflict_event ev;
	sat_stmt *s;
	bool row;
	sat_rc rc;

	if ((rc = sat_db_stmt(&s, r->db, SQL_CONFLICT_LOG_ALL, e)) != SAT_OK)
		return rc;
	while ((rc = sat_step(&row, s, e)) == SAT_OK && row) {
		sat_span id = sat_col_blob(s, 1);

		memset(&ev, 0, sizeof ev);
		ev.lsn = (uint64_t)sat_col_int(s, 0);
		if (id.n == sizeof ev.rec.b)
			memcpy(ev.rec.b, id.p, id.n);
		ev.what = (sat_conflict_what)sat_col_int(s, 3);
		ev.kind = sat_template_kind_id(r->t,
		    (uint16_t)sat_col_int(s, 4));
		ev.field = ev.kind != NULL ? sat_kind_field_id(ev.kind,
		    (uint16_t)sat_col_int(s, 2)) : NULL;
		ev.device = (uint32_t)sat_col_int(s, 5);
		ev.at_ms = sat_col_int(s, 6);
		cb(u, &ev);
	}
	return rc;
}
