/*
 * delta.c - one page of a pull, applied in one transaction with its cursor.
 *
 * First what changed scope, as states (rescope.c); then commits in the order of
 * the log.
 * Others' operations are folded into the server's state of a record; own ones
 * come as markers, their operations are taken from the outbox, folded at the
 * stamp and place the server gave, and stop waiting. A record's state that
 * came as a whole holds everything up to its LSN, so older operations are
 * skipped (the fold's own rule, see page.c).
 *
 * Invariant R2: after a page, server's state == the server's fold up to `upto`,
 * and every own commit up to `upto` is done.
 */
#include "client/replica/replica_int.h"

#include <stdlib.h>
#include <string.h>

#include "protocol/bugs.h"

sat_rc
replica_raise_low(sat_replica *r, sat_err *e)
{
	int64_t low = r->chain.newest;
	sat_stmt *s;
	bool row;
	sat_rc rc;

	if ((rc = sat_db_stmt(&s, r->db, SQL_OUTBOX_LOW, e)) != SAT_OK)
		return rc;
	sat_bind_int(s, 1, r->low);
	if ((rc = sat_step(&row, s, e)) != SAT_OK)
		return rc;
	if (row)
		low = sat_col_int(s, 0) - 1;
	sat_stmt_reset(s);
	if (low > r->low) /* a hint: written with the next page */
		r->low = low;
	return SAT_OK;
}

/* ---- own commits ------------------------------------------------------------- */

static sat_rc
put_done(sat_replica *r, const own_commit *o, sat_err *e)
{
	sat_stmt *s;
	sat_rc rc;

	if (o->state == 2)
		return SAT_OK;
	if ((rc = sat_db_stmt(&s, r->db, SQL_ANSWER_PUT, e)) != SAT_OK)
		return rc;
	sat_bind_int(s, 1, o->seq);
	sat_bind_int(s, 2, 2);
	sat_bind_int(s, 3, (int64_t)o->lsn);
	sat_bind_int(s, 4, (int64_t)o->eff);
	if ((rc = sat_run(s, e)) != SAT_OK)
		return rc;
	return replica_veil_commit(r, o, e);
}

/*
 * The row of an operation that is settled, NULL when it left this device: a
 * record made here has its row until its commit is settled, and one that left
 * must not come back. Most often the one waiting edit of one field is settled;
 * then the rest of the row need not be looked at.
 */
static sat_rc
settled_row(replica_row **row, sat_replica *r, const own_commit *o,
    const sat_op *op, sat_err *e)
{
	const replica_kind *k = replica_kind_by(r->kinds, op->rtype);
	sat_rc rc;

	*row = NULL;
	if (k == NULL)
		return SAT_OK;
	if ((rc = replica_page_get_for(row, r, k, &op->rec, op->eid,
	    replica_narrow_field(o->c.nops, op), e)) != SAT_OK || *row == NULL)
		return rc;
	if ((*row)->npend == 1 && (*row)->ntouched == 1 &&
	    (*row)->touched[0] == op->field && !(*row)->leaving)
		return SAT_OK;
	return replica_page_widen(row, r, e);
}

static sat_rc
settle_op(sat_replica *r, const own_commit *o, const sat_op *op, sat_err *e)
{
	sat_apply_ctx ctx = { { o->eff, o->c.device, o->lsn },
		sat_op_seen(&o->c, op), (o->c.flags & SAT_CF_MOVED) != 0,
		&r->page.fold };
	replica_row *row;
	sat_rc rc;

	if ((rc = settled_row(&row, r, o, op, e)) != SAT_OK || row == NULL)
		return rc;
	if (replica_row_server(row)->born.hlc == 0) {
		if (op->kind != SAT_OP_NEW)
			return SAT_OK;
		/* Not shown to us: it is not ours any more, and goes when
		 * nothing waits for it. Shown: it is, also when its customer
		 * was gone for a while. */
		row->leaving = o->passed;
	}
	/* The server's state is here, or this one left. Folded into what the role
	 * is shown, a deletion might miss an edit it had not seen (P-242). */
	if (!row->leaving && sat_op_veiled(sat_replica_mask(r), op))
		return SAT_OK;
	return replica_page_fold(r, row, op, &ctx, e);
}

sat_rc
replica_settle_own(sat_replica *r, const own_commit *o, sat_err *e)
{
	replica_row *row;
	sat_rc rc;

	if ((rc = put_done(r, o, e)) != SAT_OK)
		return rc;
	sat_fold_room_turn(&r->page.fold);
	for (size_t i = 0; i < o->c.nops; i++)
		if ((rc = settle_op(r, o, &o->c.ops[i], e)) != SAT_OK)
			return rc;
	for (size_t i = 0; o->state < 2 && i < o->c.nops; i++) {
		const sat_op *op = &o->c.ops[i];

		if (op->kind == SAT_OP_HAND) /* nothing waited for it */
			continue;
		if ((rc = settled_row(&row, r, o, op, e)) != SAT_OK ||
		    (rc = replica_row_settle(r, row, o, op, e)) != SAT_OK)
			return rc;
	}
	return SAT_OK;
}

/* Accepted commits the cursor passed without meeting them: the state that came
 * as a whole holds them, or they concern what left this device. */
sat_rc
replica_settle_reached(sat_replica *r, uint64_t upto, sat_err *e)
{
	own_commit o;
	sat_stmt *s;
	bool row;
	int64_t seq;
	sat_rc rc;

	for (;;) {
		if ((rc = sat_db_stmt(&s, r->db, SQL_ANSWER_REACHED, e)) !=
		    SAT_OK)
			return rc;
		sat_bind_int(s, 1, r->low);
		sat_bind_int(s, 2, (int64_t)upto);
		if ((rc = sat_step(&row, s, e)) != SAT_OK || !row)
			return rc;
		seq = sat_col_int(s, 0);
		sat_stmt_reset(s);
		if ((rc = replica_own_commit(&o, &r->page.mem, r, seq, e)) !=
		    SAT_OK)
			return rc;
		o.passed = true;
		if ((rc = replica_settle_own(r, &o, e)) != SAT_OK)
			return rc;
	}
}

/* ---- commits of a page ------------------------------------------------------------ */

#define SEEN_MAX 256
typedef struct seen_chain { /* a run of one chain */
	sat_place run;
	uint64_t lsn;
} seen_chain;

typedef struct apply {
	sat_replica *r;
	seen_chain seen[SEEN_MAX];
	size_t nseen;
	const sat_delta *d;
	sat_arena mem;     /* of the decoded page */
	sat_arena own;     /* of own commits; reset with the rows */
	sat_record *recs;
	size_t nrecs;
	sat_commit *commits;
	size_t ncommits;
} apply;

static sat_rc
seq_of_lsn(int64_t *seq, sat_replica *r, uint64_t lsn, sat_err *e)
{
	sat_stmt *s;
	bool row;
	sat_rc rc;

	*seq = 0;
	if ((rc = sat_db_stmt(&s, r->db, SQL_ANSWER_BY_LSN, e)) != SAT_OK)
		return rc;
	sat_bind_int(s, 1, (int64_t)lsn);
	sat_bind_int(s, 2, r->low);
	if ((rc = sat_step(&row, s, e)) != SAT_OK || !row)
		return rc;
	*seq = sat_col_int(s, 0);
	sat_stmt_reset(s);
	return SAT_OK;
}

/* x is of a page. */
static bool
same_ops(const sat_commit *x, const sat_commit *y)
{
	if (x->nops - x->nechoes != y->nops || x->seen != y->seen)
		return false;
	for (size_t i = 0; i < y->nops; i++)
		if (x->ops[i].kind != y->ops[i].kind ||
		    x->ops[i].rtype != y->ops[i].rtype ||
		    x->ops[i].field != y->ops[i].field ||
		    x->ops[i].seen1 != y->ops[i].seen1 ||
		    !sat_value_eq(x->ops[i].value, y->ops[i].value))
			return false;
	return true;
}

/*
 * The outbox row of a commit of this device. The page names its number but not
 * its incarnation: a verdict's LSN tells for sure. Without a verdict (pulled
 * before it was pushed) only what it says tells, so a marker is not enough and
 * the page is asked for in full: a copy of this file may have used the number
 * for something else, even with the same stamp, where its clock stood still.
 * A record that such a commit made gets its number from that page, too.
 * *found false: not in the outbox.
 */
static sat_rc
find_own(own_commit *o, bool *found, apply *x, const sat_commit *c, sat_err *e)
{
	sat_replica *r = x->r;
	int64_t seq = replica_seq(r->id->incarnation, c->cseq);
	sat_rc rc;

	*found = false;
	if (c->cseq > REPLICA_CSEQ_MAX)
		return sat_fail(e, SAT_EPROTO, "commit number out of range");
	rc = replica_own_commit(o, &x->own, r, seq, e);
	if (rc != SAT_OK && rc != SAT_ENOTFOUND)
		return rc;
	if (rc == SAT_OK && o->c.hlc == c->hlc && (o->state == 0 ?
	    !c->own && same_ops(c, &o->c) : o->lsn == c->lsn)) {
		*found = true;
	} else if ((rc = seq_of_lsn(&seq, r, c->lsn, e)) != SAT_OK) {
		return rc;
	} else if (seq != 0) {
		rc = replica_own_commit(o, &x->own, r, seq, e);
		if (rc != SAT_OK && rc != SAT_ENOTFOUND)
			return rc;
		*found = rc == SAT_OK;
	}
	if (*found && o->state == 0) {
		o->lsn = c->lsn;
		o->eff = c->eff;
	}
	return SAT_OK;
}

/*
 * Records made by a commit that has no verdict yet get their numbers with the
 * verdict or here; others' operations name them by number only.
 */
static sat_rc
learn_numbers(sat_replica *r, const own_commit *o, const sat_commit *c,
    sat_err *e)
{
	replica_row *row;
	sat_rc rc;

	if (o->state != 0)
		return SAT_OK;
	for (size_t i = 0; i < c->nops; i++) {
		const sat_op *op = &c->ops[i];
		const replica_kind *k = replica_kind_by(r->kinds, op->rtype);

		if (op->kind != SAT_OP_NEW || op->eid == 0 || k == NULL)
			continue;
		if ((rc = replica_page_get(&row, r, k, &op->rec, 0, e)) !=
		    SAT_OK)
			return rc;
		if (row != NULL)
			replica_row_number(r, row, op->eid);
	}
	return SAT_OK;
}

/* Did anything come to this user that its author had not seen there? */
static bool
may_be_late(const sat_replica *r, const sat_commit *c)
{
	bool yes = c->seen < r->gained;

	for (size_t i = 0; i < c->nops && !yes; i++)
		yes = sat_op_seen(c, &c->ops[i]) < r->gained;
	return yes;
}

/* Operations of the page from `from` on. An echo meets a record its author did
 * not write to, as if he had seen nothing there (P-171). */
static sat_rc
fold_foreign(sat_replica *r, const sat_commit *c, size_t from, sat_err *e)
{
	replica_row *row;
	sat_rc rc;

	for (size_t i = from; i < c->nops - (c->nops > 1 &&
	    SAT_BUG(SAT_BUG_HALF_COMMIT)); i++) {
		const sat_op *op = &c->ops[i];
		sat_apply_ctx ctx = { { c->eff, c->device, c->lsn },
			i < c->nops - c->nechoes ? sat_op_seen(c, op) : 0,
			i < c->nops - c->nechoes &&
			(c->flags & SAT_CF_MOVED) != 0, &r->page.fold };
		const replica_kind *k = replica_kind_by(r->kinds, op->rtype);

		if (k == NULL)
			return sat_fail(e, SAT_EVERSION, "the server sent a "
			    "kind of record this template does not have");
		if (op->kind == SAT_OP_NEW && sat_id_zero(&op->rec))
			return sat_fail(e, SAT_EPROTO, "a new record has no id");
		rc = op->kind == SAT_OP_NEW ?
		    replica_page_need(&row, r, k, &op->rec, op->eid, e) :
		    replica_page_get_for(&row, r, k, &op->rec, op->eid,
		    replica_narrow_field(c->nops, op), e);
		if (rc != SAT_OK)
			return rc;
		if (row == NULL || (op->kind != SAT_OP_NEW &&
		    replica_row_server(row)->born.hlc == 0))
			continue; /* not ours to see */
		if (row->pending) { /* its view is built again */
			if ((rc = replica_page_widen(&row, r, e)) != SAT_OK)
				return rc;
			if (row == NULL)
				continue; /* damaged: it comes again */
		}
		if (op->kind == SAT_OP_NEW && op->eid != 0)
			replica_row_number(r, row, op->eid);
		if ((op->kind == SAT_OP_NEW && (rc =
		    replica_row_hold_waiting(r, row, e)) != SAT_OK) ||
		    (rc = replica_page_fold(r, row, op, &ctx, e)) != SAT_OK)
			return rc;
	}
	return may_be_late(r, c) && c->device != SAT_DEV_SERVER ?
	    replica_note_late(r, c, e) : SAT_OK;
}

static sat_rc
put_seen(apply *x, sat_err *e)
{
	sat_stmt *s;
	sat_rc rc;

	for (size_t i = 0; i < x->nseen; i++) {
		const seen_chain *c = &x->seen[i];

		if ((rc = sat_db_stmt(&s, x->r->db, SQL_CHAIN_SEEN_PUT, e)) !=
		    SAT_OK)
			return rc;
		sat_bind_int(s, 1, c->run.device);
		sat_bind_int(s, 2, (int64_t)c->run.last);
		sat_bind_int(s, 3, (int64_t)c->lsn);
		if ((rc = sat_run(s, e)) != SAT_OK ||
		    (rc = replica_place_met(x->r, &c->run, c->lsn, e)) !=
		    SAT_OK)
			return rc;
	}
	x->nseen = 0;
	return SAT_OK;
}

/* How far the chains of others were seen: after the loss of a server it tells
 * what nobody has any more (P-206), and what the states here hold (P-250). */
static sat_rc
note_seen(apply *x, const sat_commit *c, sat_err *e)
{
	sat_rc rc;

	for (size_t i = 0; i < x->nseen; i++)
		if (x->seen[i].run.device == c->device &&
		    x->seen[i].run.incarnation == c->incarnation &&
		    x->seen[i].run.last + 1 == c->cseq) {
			x->seen[i].run.last = c->cseq;
			x->seen[i].lsn = c->lsn;
			return SAT_OK;
		}
	if (x->nseen == SEEN_MAX && (rc = put_seen(x, e)) != SAT_OK)
		return rc;
	x->seen[x->nseen++] = (seen_chain){ { 0, c->device, c->incarnation,
		c->cseq, c->cseq }, c->lsn };
	return SAT_OK;
}

/* The marker names the subject by number: its row need not be looked for in
 * the index of ids. */
static void
number_subject(own_commit *o, const sat_commit *c)
{
	for (size_t i = 0; i < o->c.nops; i++)
		if (sat_id_eq(&o->c.ops[i].rec, &o->c.subject))
			o->c.ops[i].eid = c->subject_eid;
}

static sat_rc
one_commit(apply *x, const sat_commit *c, sat_err *e)
{
	sat_replica *r = x->r;
	own_commit o;
	bool found = false;
	sat_rc rc;

	if (c->lsn == 0 || c->lsn > INT64_MAX)
		return sat_fail(e, SAT_EPROTO, "commit without a position");
	sat_fold_room_turn(&r->page.fold);
	if (c->device != r->id->device && c->device != SAT_DEV_SERVER &&
	    (rc = note_seen(x, c, e)) != SAT_OK)
		return rc;
	if (c->device == r->id->device) {
		if ((rc = find_own(&o, &found, x, c, e)) != SAT_OK)
			return rc;
		if (found && (rc = learn_numbers(r, &o, c, e)) != SAT_OK)
			return rc;
		/* In part: another record it wrote to is not shown to us. What
		 * this device wrote to that one before comes in no page, and
		 * counts before it. */
		if (found && !c->own && c->nops - c->nechoes < o.c.nops &&
		    (rc = replica_settle_reached(r, c->lsn - 1, e)) != SAT_OK)
			return rc;
		if (found) {
			number_subject(&o, c);
			rc = replica_settle_own(r, &o, e);
			return rc != SAT_OK ? rc : fold_foreign(r, c,
			    c->nops - c->nechoes, e);
		}
		if (c->own)
			return sat_fail(e, SAT_ENOTFOUND, "an own commit came "
			    "back before its verdict, or is not in the outbox "
			    "any more");
	}
	return fold_foreign(r, c, 0, e);
}

/* Between commits, so that a record's fold is never cut in two. */
static sat_rc
bound_memory(apply *x, sat_err *e)
{
	sat_rc rc;

	if (!replica_page_full(x->r))
		return SAT_OK;
	if ((rc = replica_page_bound(x->r, e)) == SAT_OK)
		sat_arena_reset(&x->own);
	return rc;
}

/* ---- the page -------------------------------------------------------------------------- */

static sat_rc
decode(apply *x, sat_err *e)
{
	const sat_delta *d = x->d;
	sat_rc rc = SAT_OK;

	if (x->r->kinds == NULL)
		return sat_fail(e, SAT_EVERSION, "no template yet");
	if (d->upto < x->r->cursor || d->upto > INT64_MAX ||
	    d->scope_head > INT64_MAX)
		return sat_fail(e, SAT_EPROTO, "page goes back");
	if (d->decoded) {
		x->recs = d->recs;
		x->nrecs = d->nrecs;
		x->commits = d->commits;
		x->ncommits = d->ncommits;
		return SAT_OK;
	}
	if (d->records.n > 0)
		rc = sat_records_read(&x->recs, &x->nrecs, &x->mem, d->records,
		    e);
	if (rc == SAT_OK && d->batch.n > 0)
		rc = sat_batch_read(&x->commits, &x->ncommits, &x->mem,
		    SAT_BATCH_PULL, d->batch, e);
	return rc;
}

static sat_rc
put_position(sat_replica *r, const sat_delta *d, int64_t last_sync, sat_err *e)
{
	sat_rc rc;

	if ((rc = replica_meta_int(r, "cursor", (int64_t)d->upto, e)) !=
	    SAT_OK ||
	    (rc = replica_meta_int(r, "known", (int64_t)d->scope_head, e)) !=
	    SAT_OK ||
	    (rc = replica_meta_int(r, "last_sync", last_sync, e)) != SAT_OK ||
	    (rc = replica_meta_int(r, "gained", (int64_t)r->gained, e)) !=
	    SAT_OK ||
	    (rc = replica_meta_int(r, "low", r->low, e)) != SAT_OK)
		return rc;
	return replica_meta_clock(r, e);
}

static sat_rc
apply_page(apply *x, int64_t last_sync, sat_err *e)
{
	sat_replica *r = x->r;
	sat_rc rc;

	if ((rc = replica_rescopes(r, &x->mem, x->d, x->recs, x->nrecs, e)) !=
	    SAT_OK)
		return rc;
	for (size_t i = 0; i < x->ncommits; i++)
		if ((rc = one_commit(x, &x->commits[i], e)) != SAT_OK ||
		    (rc = bound_memory(x, e)) != SAT_OK)
			return rc;
	if ((rc = replica_settle_reached(r, x->d->upto, e)) != SAT_OK ||
	    (rc = replica_page_flush(r, e)) != SAT_OK ||
	    (rc = put_seen(x, e)) != SAT_OK ||
	    (rc = replica_place_told(r, x->d->heads, x->d->nheads,
	    x->d->head, e)) !=
	    SAT_OK || (rc = replica_place_pass(r, x->d->upto, e)) != SAT_OK)
		return rc;
	if ((rc = replica_compare(r, x->d->has_sum, x->d->sum, e)) != SAT_OK)
		return rc;
	sat_hlc_learn(&r->hlc, x->d->max_eff);
	return put_position(r, x->d, last_sync, e);
}

#ifdef SAT_BUGS
static sat_rc
cursor_first(sat_replica *r, const sat_delta *d, sat_err *e)
{
	sat_rc rc;

	if (!SAT_BUG(SAT_BUG_CURSOR_OUTSIDE_TXN))
		return SAT_OK;
	if ((rc = sat_db_begin(r->db, e)) != SAT_OK)
		return rc;
	return replica_end(r, true, replica_meta_int(r, "cursor",
	    (int64_t)d->upto, e), e);
}
#endif

sat_rc
replica_delta(void *u, const sat_delta *d, sat_err *e)
{
	sat_replica *r = u;
	apply x = { .r = r, .d = d };
	int64_t last = r->last_sync_ms;
	sat_rc rc;

	if (r->complete && d->upto >= d->scope_head)
		last = sat_wall_ms(&r->clock);
	if ((rc = decode(&x, e)) != SAT_OK)
		goto out;
#ifdef SAT_BUGS
	if ((rc = cursor_first(r, d, e)) != SAT_OK)
		goto out;
#endif
	if ((rc = replica_session_begin(r, e)) != SAT_OK)
		goto out;
	if ((rc = replica_end(r, true, apply_page(&x, last, e), e)) != SAT_OK) {
		replica_pend_drop(r);
		goto out;
	}
	r->cursor = d->upto;
	r->known = d->scope_head;
	r->last_sync_ms = last;
	rc = replica_raise_low(r, e);
out:
	replica_page_reset(r);
	sat_arena_fini(&x.mem);
	sat_arena_fini(&x.own);
	return rc;
}
