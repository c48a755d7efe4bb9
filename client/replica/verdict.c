/*
 * verdict.c - what the server said about pushed commits.
 *
 * Accepted: the commit keeps waiting until a pull brings it back in its place;
 * only then is it folded into the server's state. Refused: it moves to the
 * quarantine and its records show what the server has, with what still waits.
 * The answer of a repeated push is the same, so a known verdict is skipped.
 */
#include "client/replica/replica_int.h"

#include <string.h>

static sat_rc
known_answer(int *state, sat_replica *r, int64_t seq, sat_err *e)
{
	sat_stmt *s;
	bool row;
	sat_rc rc;

	*state = 0;
	if ((rc = sat_db_stmt(&s, r->db, SQL_ANSWER_GET, e)) != SAT_OK)
		return rc;
	sat_bind_int(s, 1, seq);
	if ((rc = sat_step(&row, s, e)) != SAT_OK || !row)
		return rc;
	*state = (int)sat_col_int(s, 0);
	sat_stmt_reset(s);
	return SAT_OK;
}

/* Is any of them? A repeated push aside, none is. */
static sat_rc
known_any(bool *any, sat_replica *r, uint32_t inc, const sat_verdicts *v,
    sat_err *e)
{
	sat_stmt *s;
	sat_rc rc;

	*any = false;
	for (size_t i = 1; i < v->n; i++) /* not a run: look at each */
		*any |= v->v[i].cseq <= v->v[i - 1].cseq;
	if (v->n == 0 || *any)
		return SAT_OK;
	if ((rc = sat_db_stmt(&s, r->db, SQL_ANSWER_ANY, e)) != SAT_OK)
		return rc;
	sat_bind_int(s, 1, replica_seq(inc, v->v[0].cseq));
	sat_bind_int(s, 2, replica_seq(inc, v->v[v->n - 1].cseq));
	rc = sat_step(any, s, e);
	sat_stmt_reset(s);
	return rc;
}

static sat_rc
put_answer(sat_replica *r, int64_t seq, int state, const sat_verdict *v,
    sat_err *e)
{
	sat_stmt *s;
	sat_rc rc;

	if ((rc = sat_db_stmt(&s, r->db, SQL_ANSWER_PUT, e)) != SAT_OK)
		return rc;
	sat_bind_int(s, 1, seq);
	sat_bind_int(s, 2, state);
	sat_bind_int(s, 3, (int64_t)v->lsn);
	sat_bind_int(s, 4, (int64_t)v->eff);
	return sat_run(s, e);
}

/* ---- refused ------------------------------------------------------------------ */

static sat_rc
quarantine(sat_replica *r, int64_t seq, const sat_commit *c,
    const sat_verdict *v, sat_err *e)
{
	bool erased;
	sat_stmt *s;
	sat_rc rc;

	/* Whatever it was refused for: what hung on it, or what was refused
	 * before and is heard of now, is about the same person. */
	if ((rc = replica_about_erased(&erased, r, c, e)) != SAT_OK)
		return rc;
	if (erased || sat_span_eq(v->slug, sat_span_str(SAT_SLUG_ERASED))) {
		rc = replica_erase_commit(r, seq, e);
		return rc != SAT_OK ? rc : put_answer(r, seq, 3, v, e);
	}

	if ((rc = sat_db_stmt(&s, r->db, SQL_QUARANTINE_PUT, e)) != SAT_OK)
		return rc;
	sat_bind_int(s, 1, seq);
	sat_bind_int(s, 2, sat_wall_ms(&r->clock));
	sat_bind_int(s, 3, v->code);
	sat_bind_int(s, 4, v->op);
	sat_bind_text(s, 5, v->slug);
	sat_bind_text(s, 6, v->hint);
	if ((rc = sat_run(s, e)) != SAT_OK)
		return rc;
	/* the newest row carries the chain's head: it stays, without payload */
	if ((rc = sat_db_stmt(&s, r->db, seq == r->chain.newest ?
	    SQL_OUTBOX_HOLLOW : SQL_OUTBOX_DEL, e)) != SAT_OK)
		return rc;
	sat_bind_int(s, 1, seq);
	if ((rc = sat_run(s, e)) != SAT_OK)
		return rc;
	return put_answer(r, seq, 3, v, e);
}

sat_rc
replica_withdraw(sat_replica *r, const own_commit *o, sat_err *e)
{
	replica_row *row;
	sat_rc rc;

	for (size_t i = 0; i < o->c.nops; i++) {
		const sat_op *op = &o->c.ops[i];
		const replica_kind *k = replica_kind_by(r->kinds, op->rtype);

		if (k == NULL || op->kind == SAT_OP_HAND)
			continue;
		if ((rc = replica_page_get(&row, r, k, &op->rec, 0, e)) !=
		    SAT_OK ||
		    (rc = replica_row_settle(r, row, o, op, e)) != SAT_OK)
			return rc;
	}
	return SAT_OK;
}

static sat_rc
refuse(sat_replica *r, int64_t seq, const sat_verdict *v, sat_err *e)
{
	own_commit o;
	sat_rc rc;

	rc = replica_own_commit(&o, &r->page.mem, r, seq, e);
	if (rc == SAT_ENOTFOUND)
		return SAT_OK; /* in quarantine since an earlier answer */
	if (rc != SAT_OK || (rc = quarantine(r, seq, &o.c, v,
	    e)) != SAT_OK)
		return rc;
	return replica_withdraw(r, &o, e);
}

/*
 * The answer to an earlier push was lost, and the log went on: a state that
 * came as a whole since may hold the commit, and must not show it twice.
 */
static sat_rc
already_there(sat_replica *r, int64_t seq, uint64_t lsn, sat_err *e)
{
	replica_row *row;
	own_commit o;
	sat_rc rc;

	rc = replica_own_commit(&o, &r->page.mem, r, seq, e);
	if (rc == SAT_ENOTFOUND)
		return SAT_OK;
	for (size_t i = 0; rc == SAT_OK && i < o.c.nops; i++) {
		const sat_op *op = &o.c.ops[i];
		const replica_kind *k = replica_kind_by(r->kinds, op->rtype);

		if (k == NULL)
			continue;
		rc = replica_page_get(&row, r, k, &op->rec, 0, e);
		if (rc == SAT_OK && row != NULL && row->pending &&
		    row->srv.rlsn >= lsn)
			row->rebuild = row->dirty = true;
	}
	return rc;
}

/* ---- the whole answer ------------------------------------------------------------- */

static sat_rc
one_verdict(sat_replica *r, uint32_t inc, const sat_verdict *v, bool known,
    sat_err *e)
{
	int64_t seq;
	int state = 0;
	sat_rc rc;

	if (v->cseq == 0 || v->cseq > REPLICA_CSEQ_MAX || v->lsn > INT64_MAX)
		return sat_fail(e, SAT_EPROTO, "verdict out of range");
	seq = replica_seq(inc, v->cseq);
	if (known && ((rc = known_answer(&state, r, seq, e)) != SAT_OK ||
	    state != 0))
		return rc;
	if (sat_vd_refused(v->code))
		return refuse(r, seq, v, e);
	if (v->lsn == 0)
		return sat_fail(e, SAT_EPROTO, "accepted without a position");
	sat_hlc_learn(&r->hlc, v->eff);
	/* No state can hold what lies above the log's head of then. (The
	 * scope's head is none: a shortened log may have forgotten it.) */
	if (sat_user_is_kiosk(r->me)) {
		if ((rc = replica_kiosk_forget(r, seq, e)) != SAT_OK)
			return rc;
		return put_answer(r, seq, 2, v, e);
	}
	if ((rc = replica_renumbered(r, seq, v, e)) != SAT_OK ||
	    (rc = put_answer(r, seq, 1, v, e)) != SAT_OK ||
	    (rc = replica_erase_accepted(r, seq, e)) != SAT_OK ||
	    (v->lsn > r->head && v->lsn > r->known))
		return rc;
	return already_there(r, seq, v->lsn, e);
}

/* Records made here get the server's number. */
static sat_rc
take_eid(sat_replica *r, const sat_eid_pair *p, sat_err *e)
{
	replica_row *row;
	sat_rc rc;

	if (p->eid == 0)
		return sat_fail(e, SAT_EPROTO, "a record got no number");
	if ((rc = replica_page_find(&row, r, &p->id, e)) != SAT_OK ||
	    row == NULL)
		return rc;
	replica_row_number(r, row, p->eid);
	return SAT_OK;
}

static sat_rc
keep_signature(sat_replica *r, uint32_t inc, const sat_verdicts *v, sat_err *e)
{
	const handed_batch *b = r->batch;
	sat_stmt *s;
	sat_rc rc;

	if (v->n == 0)
		return SAT_OK;
	if (b->first != replica_seq(inc, v->v[0].cseq))
		b++; /* the one behind was handed out already */
	if (b->first != replica_seq(inc, v->v[0].cseq))
		return SAT_OK;
	if ((rc = sat_db_stmt(&s, r->db, SQL_SIG_PUT, e)) != SAT_OK)
		return rc;
	sat_bind_int(s, 1, b->first);
	sat_bind_int(s, 2, b->last);
	sat_bind_blob(s, 3, sat_span_of(b->sig, sizeof b->sig));
	return sat_run(s, e);
}

static sat_rc
take_all(sat_replica *r, uint32_t inc, const sat_verdicts *v, sat_err *e)
{
	bool known;
	sat_rc rc;

	if ((rc = known_any(&known, r, inc, v, e)) != SAT_OK)
		return rc;
	for (size_t i = 0; i < v->n; i++)
		if ((rc = one_verdict(r, inc, &v->v[i], known, e)) != SAT_OK)
			return rc;
	for (size_t i = 0; i < v->neids; i++)
		if ((rc = take_eid(r, &v->eids[i], e)) != SAT_OK)
			return rc;
	if ((rc = replica_page_flush(r, e)) != SAT_OK ||
	    (rc = keep_signature(r, inc, v, e)) != SAT_OK)
		return rc;
	/* nothing waits any more: the seeds of the salts are done with */
	if (v->n > 0 && replica_seq(inc, v->v[v->n - 1].cseq) ==
	    r->chain.newest && r->chain.seed_first != 0 &&
	    (rc = replica_salt_forget(r, e)) != SAT_OK)
		return rc;
	return replica_meta_clock(r, e);
}

static bool
was_handed(const handed_batch *b, int64_t seq)
{
	return b->first != 0 && seq >= b->first && seq <= b->last;
}

/*
 * The server knows another commit under a number that waits here: this file
 * was copied, or restored by hand. What stands before the first such commit is
 * the same on both sides and must not be sent under another number; it and all
 * after it must, under a new incarnation (sat_replica_new_incarnation).
 */
static sat_rc
note_fork(sat_replica *r, uint32_t inc, const sat_verdicts *v, sat_err *e)
{
	int64_t fork = v->need_cseq > REPLICA_CSEQ_MAX ? 0 :
	    replica_seq(inc, v->need_cseq);
	sat_rc rc;

	if (!was_handed(&r->batch[0], fork) && !was_handed(&r->batch[1], fork))
		return sat_fail(e, SAT_EPROTO, "fork outside of what was sent");
	if ((rc = replica_session_begin(r, e)) != SAT_OK)
		return rc;
	rc = replica_end(r, true, replica_meta_int(r, "fork", fork, e), e);
	if (rc == SAT_OK)
		r->fork = fork;
	return rc;
}

sat_rc
replica_verdicts(void *u, uint32_t incarnation, const sat_verdicts *v,
    sat_err *e)
{
	sat_replica *r = u;
	sat_rc rc;

	if (v->fork)
		return note_fork(r, incarnation, v, e);
	if ((rc = replica_session_begin(r, e)) != SAT_OK)
		return rc;
	rc = replica_end(r, true, take_all(r, incarnation, v, e), e);
	if (rc == SAT_OK)
		rc = replica_raise_low(r, e);
	else
		replica_pend_drop(r);
	replica_page_reset(r);
	/* a page of the log may still hold what a kiosk let go */
	if (rc == SAT_OK && v->n > 0 && sat_user_is_kiosk(r->me))
		rc = sat_db_checkpoint(r->db, e);
	return rc;
}
