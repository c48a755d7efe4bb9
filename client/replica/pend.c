/*
 * pend.c - own commits that are not folded into the server's state yet.
 *
 * The view of a record is the server's state plus its waiting operations, in
 * the order they were made. Only a record that has more than one waiting
 * commit, or that others changed meanwhile, must be folded again; which
 * commits those are is kept in memory, read from the outbox when it is first
 * asked for. An index on disk would cost a page write per edit.
 *
 * Invariant R1: view == fold(server's state, waiting operations), always.
 */
#include "client/replica/replica_int.h"

#include <stdlib.h>
#include <string.h>

static size_t
bucket_of(const pend_index *x, const sat_id *id)
{
	uint64_t a, b;

	memcpy(&a, id->b, 8);
	memcpy(&b, id->b + 8, 8);
	return (size_t)(((a ^ b) * 0x9e3779b97f4a7c15ull) >> 20) % x->nbuckets;
}

void
replica_pend_drop(sat_replica *r)
{
	pend_index *x = r->pend;

	if (x == NULL)
		return;
	for (size_t i = 0; i < x->nbuckets; i++)
		for (pend_rec *p = x->buckets[i], *next; p != NULL; p = next) {
			next = p->next;
			free(p->seqs);
			free(p);
		}
	free(x->buckets);
	free(x);
	r->pend = NULL;
}

static pend_rec *
find(const pend_index *x, const sat_id *id)
{
	pend_rec *p = x->buckets[bucket_of(x, id)];

	while (p != NULL && !sat_id_eq(&p->id, id))
		p = p->next;
	return p;
}

static void
grow(pend_index *x)
{
	size_t had = x->nbuckets;
	pend_rec **old = x->buckets;

	x->nbuckets = had * 4;
	x->buckets = sat_xcalloc(x->nbuckets, sizeof *x->buckets);
	for (size_t i = 0; i < had; i++)
		for (pend_rec *p = old[i], *next; p != NULL; p = next) {
			size_t b = bucket_of(x, &p->id);

			next = p->next;
			p->next = x->buckets[b];
			x->buckets[b] = p;
		}
	free(old);
}

static pend_rec *
need(pend_index *x, const sat_id *id, uint16_t kind)
{
	pend_rec *p = find(x, id);
	size_t b;

	if (p != NULL)
		return p;
	if (x->nall >= x->nbuckets)
		grow(x);
	b = bucket_of(x, id);
	p = sat_xcalloc(1, sizeof *p);
	p->id = *id;
	p->kind = kind;
	p->next = x->buckets[b];
	x->buckets[b] = p;
	x->nall++;
	return p;
}

void
replica_pend_add(sat_replica *r, int64_t seq, const sat_op *ops, size_t nops)
{
	pend_index *x = r->pend;

	for (size_t i = 0; x != NULL && i < nops; i++) {
		pend_rec *p;

		if (ops[i].kind == SAT_OP_HAND) /* changes nothing here */
			continue;
		p = need(x, &ops[i].rec, ops[i].rtype);
		if (p->n > 0 && p->seqs[p->n - 1] == seq)
			continue;
		if (p->n == p->cap) {
			p->cap = p->cap * 2 + 1;
			p->seqs = sat_xrealloc(p->seqs,
			    p->cap * sizeof *p->seqs);
		}
		if (p->n == 0)
			x->nrecs++;
		p->seqs[p->n++] = seq;
	}
}

void
replica_pend_remove(sat_replica *r, int64_t seq, const sat_id *id)
{
	pend_rec *p = r->pend != NULL ? find(r->pend, id) : NULL;

	for (uint32_t i = 0; p != NULL && i < p->n; i++) {
		if (p->seqs[i] != seq)
			continue;
		memmove(p->seqs + i, p->seqs + i + 1,
		    (p->n - i - 1) * sizeof *p->seqs);
		if (--p->n == 0)
			r->pend->nrecs--;
		return;
	}
}

pend_rec *
replica_pend_of(sat_replica *r, const sat_id *id)
{
	pend_rec *p = r->pend != NULL ? find(r->pend, id) : NULL;

	return p != NULL && p->n > 0 ? p : NULL;
}

static sat_rc
load_rows(sat_replica *r, sat_arena *a, sat_stmt *s, sat_err *e)
{
	sat_commit c;
	bool row;
	sat_rc rc;

	while ((rc = sat_step(&row, s, e)) == SAT_OK && row) {
		sat_arena_reset(a);
		if ((rc = sat_commit_read(&c, a, sat_col_blob(s, 1),
		    sat_col_blob(s, 2), e)) != SAT_OK)
			break;
		replica_pend_add(r, sat_col_int(s, 0), c.ops, c.nops);
	}
	sat_stmt_reset(s);
	return rc;
}

sat_rc
replica_pend_load(sat_replica *r, sat_err *e)
{
	sat_arena a = { 0 };
	sat_stmt *s;
	sat_rc rc;

	if (r->pend != NULL)
		return SAT_OK;
	if ((rc = replica_outbox_flush(r, e)) != SAT_OK ||
	    (rc = sat_db_stmt(&s, r->db, SQL_OUTBOX_PENDING, e)) != SAT_OK)
		return rc;
	sat_bind_int(s, 1, r->low);
	r->pend = sat_xcalloc(1, sizeof *r->pend);
	r->pend->nbuckets = 256;
	r->pend->buckets = sat_xcalloc(256, sizeof *r->pend->buckets);
	rc = load_rows(r, &a, s, e);
	sat_arena_fini(&a);
	if (rc != SAT_OK)
		replica_pend_drop(r);
	return rc;
}

static sat_rc
lost_place(own_commit *o, sat_replica *r, sat_err *e)
{
	sat_old *old = &o->old;
	sat_stmt *s;
	bool row;
	sat_rc rc;

	if ((rc = sat_db_stmt(&s, r->db, SQL_RECOVERED_GET, e)) != SAT_OK)
		return rc;
	sat_bind_int(s, 1, o->seq);
	while (old->n < SAT_OLD_MAX && (rc = sat_step(&row, s, e)) ==
	    SAT_OK && row)
		old->at[old->n++] = (uint64_t)sat_col_int(s, 0);
	sat_stmt_reset(s);
	if (rc != SAT_OK ||
	    (rc = sat_db_stmt(&s, r->db, SQL_FORMER_GET, e)) != SAT_OK)
		return rc;
	sat_bind_int(s, 1, o->seq);
	while (old->nwas < SAT_WAS_MAX && (rc = sat_step(&row, s, e)) ==
	    SAT_OK && row)
		old->was[old->nwas++] = (sat_was){
			replica_seq_inc(sat_col_int(s, 0)),
			replica_seq_cseq(sat_col_int(s, 0)) };
	sat_stmt_reset(s);
	return rc;
}

sat_rc
replica_own_commit(own_commit *o, sat_arena *a, sat_replica *r, int64_t seq,
    sat_err *e)
{
	sat_span header, payload;
	sat_stmt *s;
	bool row;
	sat_rc rc;

	memset(o, 0, sizeof *o);
	o->seq = seq;
	if ((rc = replica_outbox_flush(r, e)) != SAT_OK ||
	    (rc = sat_db_stmt(&s, r->db, SQL_OUTBOX_GET, e)) != SAT_OK)
		return rc;
	sat_bind_int(s, 1, seq);
	if ((rc = sat_step(&row, s, e)) != SAT_OK)
		return rc;
	if (!row || (sat_col_null(s, 1) && sat_col_null(s, 5))) {
		sat_stmt_reset(s);
		return sat_fail(e, SAT_ENOTFOUND, "commit %llu of this device "
		    "is not in the outbox any more",
		    (unsigned long long)replica_seq_cseq(seq));
	}
	header = sat_col_blob(s, 0);
	payload = sat_col_blob(s, 1);
	header.p = sat_arena_dup(a, header.p, header.n);
	payload.p = sat_arena_dup(a, payload.p, payload.n);
	o->state = (int)sat_col_int(s, 2);
	o->lsn = (uint64_t)sat_col_int(s, 3);
	o->eff = (sat_hlc)sat_col_int(s, 4);
	sat_stmt_reset(s);
	if (r->recovering && (rc = lost_place(o, r, e)) != SAT_OK)
		return rc;
	rc = sat_commit_read(&o->c, a, header, payload, e);
	o->c.lsn = o->lsn;
	o->c.eff = o->eff;
	return rc;
}

/* ---- rows ------------------------------------------------------------------------ */

void
replica_record_copy(sat_record *to, const sat_record *from, sat_arena *a)
{
	*to = *from;
	to->room = 0;
	if (from->ncells > 0) /* the fold changes cells in place */
		to->cells = sat_arena_dup(a, from->cells,
		    from->ncells * sizeof *from->cells);
}

void
replica_row_hold(replica_row *row, sat_arena *a)
{
	if (row->pending)
		return;
	row->pending = true;
	row->npend = 0;
	row->ntouched = 0;
	replica_record_copy(&row->srv, &row->view, a);
}

sat_rc
replica_row_hold_waiting(sat_replica *r, replica_row *row, sat_err *e)
{
	const pend_rec *p;
	sat_rc rc = replica_pend_load(r, e);

	if (rc != SAT_OK || row->pending ||
	    (p = replica_pend_of(r, &row->view.id)) == NULL)
		return rc;
	replica_row_hold(row, &r->page.mem);
	row->npend = p->n;
	row->rebuild = row->relist = true;
	return SAT_OK;
}

static void
touch(replica_row *row, sat_arena *a, uint16_t field)
{
	size_t i = row->ntouched;
	uint16_t *list;

	if (field == 0)
		return;
	while (i > 0 && row->touched[i - 1] > field)
		i--;
	if (i > 0 && row->touched[i - 1] == field)
		return;
	list = sat_arena_alloc(a, (row->ntouched + 1) * sizeof *list);
	if (i > 0)
		memcpy(list, row->touched, i * sizeof *list);
	list[i] = field;
	if (i < row->ntouched)
		memcpy(list + i + 1, row->touched + i,
		    (row->ntouched - i) * sizeof *list);
	row->touched = list;
	row->ntouched++;
}

/* Who gets an owner leaves the pool (P-132); what this release does not know is
 * kept in a cell of its own (P-169). */
void
replica_row_touch(replica_row *row, sat_arena *a, const sat_op *op)
{
	touch(row, a, sat_op_kind_is_later(op->kind) ? SAT_SYS_LATER :
	    op->field);
	if (op->kind == SAT_OP_CLAIM || op->kind == SAT_OP_RELEASE ||
	    (op->kind == SAT_OP_REASSIGN &&
	    sat_record_cell(&row->view, SAT_SYS_POOL) != NULL))
		touch(row, a, SAT_SYS_POOL);
}

/* Nothing waits any more: what the server has is what the user sees. */
static void
release(replica_row *row)
{
	row->pending = row->rebuild = false;
	row->npend = 0;
	row->ntouched = 0;
	row->view = row->srv;
	if (row->view.born.hlc == 0 || row->leaving)
		row->gone = true;
}

/* The waiting operations of one commit on top of the view. What cannot be
 * folded (its record was refused) waits for its own verdict. */
static sat_rc
fold_waiting(sat_replica *r, replica_row *row, int64_t seq, sat_err *e)
{
	sat_apply_ctx ctx;
	sat_applied got;
	own_commit o;
	sat_rc rc;

	if ((rc = replica_own_commit(&o, &r->page.mem, r, seq, e)) != SAT_OK)
		return rc;
	/* A state that came as a whole, ahead of the cursor, holds it. */
	if (o.lsn != 0 && o.lsn <= row->srv.rlsn)
		return SAT_OK;
	/* So does a state of the lost server that knew it (N2). */
	if (replica_held(r, &row->srv, &o.old))
		return SAT_OK;
	ctx = (sat_apply_ctx){ .at = { o.c.hlc, o.c.device, 0 },
		.moved = (o.c.flags & SAT_CF_MOVED) != 0,
		.room = &r->page.fold };
	sat_fold_room_turn(&r->page.fold);
	for (size_t i = 0; i < o.c.nops; i++) {
		const sat_op *op = &o.c.ops[i];

		if (!sat_id_eq(&op->rec, &row->view.id) ||
		    op->rtype != row->k->kind->id ||
		    (row->view.born.hlc == 0 && op->kind != SAT_OP_NEW))
			continue;
		replica_row_touch(row, &r->page.mem, op);
		ctx.seen = sat_op_seen(&o.c, op);
		if ((rc = sat_record_apply(&got, &row->view, &r->page.mem,
		    r->t, op, &ctx, e)) != SAT_OK)
			return rc;
	}
	return SAT_OK;
}

sat_rc
replica_row_rebuild(sat_replica *r, replica_row *row, sat_err *e)
{
	sat_id id = row->view.id;
	pend_rec *p;
	sat_rc rc;

	if ((rc = replica_pend_load(r, e)) != SAT_OK)
		return rc;
	row->rebuild = false;
	row->dirty = true;
	if ((p = replica_pend_of(r, &id)) == NULL) {
		release(row);
		return SAT_OK;
	}
	replica_record_copy(&row->view, &row->srv, &r->page.mem);
	row->view.id = id;
	row->view.kind = row->k->kind->id;
	row->view.eid = row->rid < SAT_RID_LOCAL ? (uint32_t)row->rid : 0;
	row->ntouched = 0;
	row->npend = p->n;
	for (uint32_t i = 0; i < p->n; i++)
		if ((rc = fold_waiting(r, row, p->seqs[i], e)) != SAT_OK)
			return rc;
	/* Its creation was refused: what else was done to it has nowhere to be
	 * shown until the server answers. */
	row->gone = row->view.born.hlc == 0;
	return SAT_OK;
}

sat_rc
replica_row_settle(sat_replica *r, replica_row *row, const own_commit *o,
    const sat_op *op, sat_err *e)
{
	if (row == NULL) {
		replica_pend_remove(r, o->seq, &op->rec);
		return SAT_OK;
	}
	if (row->settled == o->seq)
		return SAT_OK;
	row->settled = o->seq;
	replica_pend_remove(r, o->seq, &row->view.id);
	row->dirty = true;
	if (!row->pending)
		return SAT_OK;
	if (row->npend > 1) {
		row->npend--;
		row->rebuild = true;
		return SAT_OK;
	}
	if (row->npend == 0)
		return sat_fail(e, SAT_EINTEGRITY,
		    "a record counts fewer waiting commits than it has");
	release(row);
	return SAT_OK;
}
