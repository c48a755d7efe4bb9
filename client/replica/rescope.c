/*
 * rescope.c - what changed scope in a page: states that come as a whole, and
 * customers that leave with all that hangs on them, or in part (P-085).
 */
#include "client/replica/replica_int.h"

#include <stdlib.h>
#include <string.h>

typedef struct changes {
	sat_replica *r;
	const sat_record *recs; /* of the page */
	size_t nrecs;
	sat_id *fresh;     /* customers this device did not hold before, sorted */
	size_t nfresh;
} changes;

/* ---- states -------------------------------------------------------------------- */

static sat_rc
drop_history(sat_replica *r, replica_row *row, sat_err *e)
{
	row->npast = 0;
	return replica_run_int(r, SQL_HISTORY_DEL,
	    row->stored_rid != 0 ? row->stored_rid : row->rid, e);
}

static int64_t
parted_at(const sat_record *rec)
{
	sat_value v = sat_record_value(rec, SAT_SYS_PARTED);

	return v.type == SAT_V_INT ? v.i : 0;
}

/* Of a customer that is a pool's now nothing more is to be known; of one that
 * lost what it had of an erased one nobody can tell which of its earlier values
 * those were (P-398). */
sat_rc
replica_past_forget(sat_replica *r, replica_row *row, const sat_record *srv,
    const sat_record *rec, sat_err *e)
{
	bool parted = parted_at(rec) > parted_at(srv);
	sat_rc rc = SAT_OK;

	if (parted)
		rc = replica_run_id(r, SQL_CONFLICTS_PARTED, &rec->id, e);
	return rc != SAT_OK || (!parted && !sat_record_of_pool(rec)) ? rc :
	    drop_history(r, row, e);
}

sat_rc
replica_put_state(sat_replica *r, const sat_record *rec, sat_err *e)
{
	const replica_kind *k = replica_kind_by(r->kinds, rec->kind);
	replica_row *row;
	sat_record *srv;
	bool away;
	sat_rc rc;

	if (k == NULL)
		return sat_fail(e, SAT_EVERSION, "the server sent a kind of "
		    "record this template does not have");
	if (sat_id_zero(&rec->id) || rec->born.hlc == 0 || rec->eid == 0)
		return sat_fail(e, SAT_EPROTO, "a record's state has no id");
	if ((rc = replica_page_need(&row, r, k, &rec->id, rec->eid, e)) !=
	    SAT_OK)
		return rc;
	replica_sum_out(row);
	replica_row_number(r, row, rec->eid);
	/* Own work was settled on a state that no longer followed the server's. */
	away = row->leaving;
	row->leaving = false;
	row->dirty = true;
	/* of one that was lost what is derived may still be there */
	row->relist |= row->stored_rid == 0;
	if ((rc = replica_row_hold_waiting(r, row, e)) != SAT_OK)
		return rc;
	row->rebuild |= row->pending;
	srv = replica_row_server(row);
	if ((rc = replica_past_forget(r, row, srv, rec, e)) != SAT_OK)
		return rc;
	/* Also at the same position: what is seen of one state may change without
	 * it (P-155). A record made by two devices may be here as the last of them
	 * made it, when only that was shown; its birth is another one then. */
	if (away || srv->born.hlc == 0 || srv->rlsn <= rec->rlsn ||
	    replica_lost(r, srv->rlsn) || srv->born.hlc != rec->born.hlc ||
	    srv->born.dev != rec->born.dev)
		replica_record_copy(srv, rec, &r->page.mem);
	srv->eid = rec->eid;
	replica_sum_in(row);
	return SAT_OK;
}

/* ---- customers that leave, or come ------------------------------------------------- */

static int
by_id(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(sat_id));
}

static bool
is_held(const sat_rescope *s, const sat_id *id)
{
	return s->nheld > 0 && bsearch(id, s->held, s->nheld, sizeof *s->held,
	    by_id) != NULL;
}

void
replica_row_drop(replica_row *row)
{
	replica_sum_out(row);
	row->dirty = true;
	/* What waits keeps it until the last answer is there. No state comes
	 * for it any more, so what is shown is made anew while it can be. */
	if (row->pending)
		row->leaving = row->rebuild = true;
	else
		row->gone = true;
}

/* What lies below a customer: what the server has given us, what was made here and
 * it has not heard of; nothing that s holds (NULL: it holds nothing). */
static sat_rc
drop_below(sat_replica *r, const sat_id *root, const sat_rescope *s, bool given,
    bool made, sat_err *e)
{
	replica_row **rows;
	size_t n;
	sat_rc rc;

	if ((rc = replica_page_children(&rows, &n, r, root, e)) != SAT_OK)
		return rc;
	for (size_t i = 0; i < n; i++) {
		bool here = rows[i]->pending && rows[i]->srv.born.hlc == 0;

		if ((here ? made : given) && (s == NULL ||
		    !is_held(s, &rows[i]->view.id)))
			replica_row_drop(rows[i]);
	}
	return SAT_OK;
}

sat_rc
replica_row_leave(sat_replica *r, replica_row *row, sat_err *e)
{
	replica_row_drop(row);
	return row->k->parent == row->k->n && row->rid < SAT_RID_LOCAL ?
	    drop_below(r, &row->view.id, NULL, false, true, e) : SAT_OK;
}

/* A customer that leads to the root by the server's word. */
static sat_rc
drop_merged(sat_replica *r, const sat_rescope *s, const sat_id *loser,
    sat_err *e)
{
	replica_row *row;
	bool held = is_held(s, loser);
	sat_rc rc;

	if ((rc = replica_page_find(&row, r, loser, e)) != SAT_OK)
		return rc;
	if (row != NULL && !held)
		replica_row_drop(row);
	return drop_below(r, loser, s, true, !held, e);
}

/* Below a fresh customer there can be nothing, below one that leads to it
 * there may be: that one was held for a reason of its own. */
static sat_rc
drop_family(sat_replica *r, const sat_rescope *s, bool root_held, bool fresh,
    sat_err *e)
{
	sat_id *ids;
	size_t n;
	sat_rc rc;

	if ((!fresh && (rc = drop_below(r, &s->root, s, true, !root_held,
	    e)) != SAT_OK) ||
	    (rc = replica_alias_given(&ids, &n, &r->page.mem, r, &s->root,
	    e)) != SAT_OK)
		return rc;
	for (size_t i = 1; i < n; i++)
		if ((rc = drop_merged(r, s, &ids[i], e)) != SAT_OK)
			return rc;
	return SAT_OK;
}

static sat_rc
put_moved(sat_replica *r, const sat_rescope *s, const replica_row *root,
    sat_err *e)
{
	/* Before the receipt for an erasure the state here may be the one of
	 * before, with what he had of the erased one (P-398). */
	const sat_field *title = r->ledger_acked < r->ledger_rev ? NULL :
	    root->k->kind->title;
	sat_value v = title != NULL ?
	    sat_record_value(&root->view, title->id) : sat_v_null();
	sat_stmt *q;
	sat_rc rc;

	if ((rc = sat_db_stmt(&q, r->db, SQL_MOVED_PUT, e)) != SAT_OK)
		return rc;
	sat_bind_blob(q, 1, sat_span_of(s->root.b, sizeof s->root.b));
	sat_bind_text(q, 2, v.type == SAT_V_TEXT ? v.s : sat_span_str(""));
	sat_bind_text(q, 3, s->to);
	sat_bind_int(q, 4, (int64_t)s->lsn);
	return sat_run(q, e);
}

static sat_rc
del_moved(sat_replica *r, const sat_id *root, sat_err *e)
{
	sat_stmt *q;
	sat_rc rc;

	if ((rc = sat_db_stmt(&q, r->db, SQL_MOVED_DEL, e)) != SAT_OK)
		return rc;
	sat_bind_blob(q, 1, sat_span_of(root->b, sizeof root->b));
	return sat_run(q, e);
}

static sat_rc
one_rescope(changes *x, const sat_rescope *s, sat_err *e)
{
	sat_replica *r = x->r;
	replica_row *root;
	bool held = is_held(s, &s->root);
	sat_rc rc;

	if ((rc = replica_page_find(&root, r, &s->root, e)) != SAT_OK)
		return rc;
	if (held && s->lsn > r->gained)
		r->gained = s->lsn;
	if (held)
		rc = del_moved(r, &s->root, e);
	else if (root != NULL && (rc = put_moved(r, s, root, e)) == SAT_OK)
		replica_row_drop(root);
	return rc != SAT_OK ? rc : drop_family(r, s, held, held &&
	    x->nfresh > 0 && bsearch(&s->root, x->fresh, x->nfresh,
	    sizeof *x->fresh, by_id) != NULL, e);
}

/* A root may change scope twice in a page; `held` is the state at its end. */
static bool
is_last_of_root(const sat_delta *d, size_t i)
{
	for (size_t j = i + 1; j < d->nrescopes; j++)
		if (sat_id_eq(&d->rescopes[i].root, &d->rescopes[j].root))
			return false;
	return true;
}

static sat_rc
note_fresh(changes *x, const sat_record *rec, sat_err *e)
{
	const replica_kind *k = replica_kind_by(x->r->kinds, rec->kind);
	replica_row *row;
	sat_rc rc;

	if (k == NULL || k->parent != k->n)
		return SAT_OK;
	if ((rc = replica_page_get(&row, x->r, k, &rec->id, rec->eid, e)) !=
	    SAT_OK || row != NULL)
		return rc;
	x->fresh[x->nfresh++] = rec->id;
	return SAT_OK;
}

static sat_rc
rescopes_in_turn(changes *x, const sat_delta *d, bool leave, sat_err *e)
{
	sat_rc rc;

	for (size_t i = 0; i < d->nrescopes; i++)
		if ((d->rescopes[i].nheld == 0) == leave &&
		    is_last_of_root(d, i) &&
		    ((rc = one_rescope(x, &d->rescopes[i], e)) != SAT_OK ||
		    (rc = replica_page_bound(x->r, e)) != SAT_OK))
			return rc;
	return SAT_OK;
}

static sat_rc
rescopes(changes *x, sat_arena *mem, const sat_delta *d, sat_err *e)
{
	sat_rc rc;

	x->fresh = sat_arena_alloc(mem, (x->nrecs + 1) * sizeof *x->fresh);
	for (size_t i = 0; i < x->nrecs; i++)
		if ((rc = note_fresh(x, &x->recs[i], e)) != SAT_OK ||
		    (rc = replica_put_state(x->r, &x->recs[i], e)) != SAT_OK ||
		    (rc = replica_page_bound(x->r, e)) != SAT_OK)
			return rc;
	if (x->nfresh > 1)
		qsort(x->fresh, x->nfresh, sizeof *x->fresh, by_id);
	/* the parents are looked up in the tables; and of rows for which work
	 * waited the views are made before any of it is settled */
	if (x->nrecs + d->nrescopes > 0 &&
	    (rc = replica_page_flush(x->r, e)) != SAT_OK)
		return rc;
	for (size_t i = 0; i < d->nrescopes; i++)
		if (d->rescopes[i].nheld > 1)
			qsort(d->rescopes[i].held, d->rescopes[i].nheld,
			    sizeof *d->rescopes[i].held, by_id);
	/* What leaves by its own number goes first, with a stub: a customer it
	 * was merged into may drop it too, as one that is not held any more. */
	if ((rc = rescopes_in_turn(x, d, true, e)) != SAT_OK ||
	    (rc = rescopes_in_turn(x, d, false, e)) != SAT_OK)
		return rc;
	return d->nrescopes > 0 ? replica_page_flush(x->r, e) : SAT_OK;
}

sat_rc
replica_rescopes(sat_replica *r, sat_arena *mem, const sat_delta *d,
    const sat_record *recs, size_t nrecs, sat_err *e)
{
	changes x = { .r = r, .recs = recs, .nrecs = nrecs };

	return rescopes(&x, mem, d, e);
}
