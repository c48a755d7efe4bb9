/*
 * write.c - one user action becomes one commit: rows, what the server had, the
 * outbox and the chain, all in one transaction.
 *
 * Everything that can be refused is refused before the first statement
 * writes, so a refused commit inside a group leaves nothing behind and the
 * group goes on. There is no savepoint per commit: it would copy every page.
 * One refusal comes from a statement, the first: a commit that makes one record
 * does not look for its id, the index of ids refuses the row (is_fresh).
 *
 * Invariants, named in the tests:
 *   W1  what was reported as saved is in outbox, log or quarantine.
 *   W2  a write that failed left nothing: no row, no number, no link.
 *   W3  stamps and numbers of a device only rise, also over restarts.
 */
#include "client/replica/replica_int.h"

#include "protocol/bugs.h"
#include "protocol/derived.h"

#include <string.h>

#include "common/base/log.h"

sat_id
sat_replica_new_id(sat_replica *r)
{
	uint8_t random[8];

	r->rand.bytes(r->rand.u, random, sizeof random);
	return sat_id_make(sat_wall_ms(&r->clock), r->id->device, random);
}

static sat_rc
ready_to_write(const sat_replica *r, sat_err *e)
{
	if (r->id->device == 0 || r->t == NULL)
		return sat_fail_code(e, SAT_ENOREPLICA, "replica.not_synced",
		    "connect to the server once",
		    "this device has not been set up by its server yet");
	if (r->chain.cseq >= REPLICA_CSEQ_MAX)
		return sat_fail(e, SAT_EVERSION,
		    "this device has used all its commit numbers");
	if (sat_db_dead(r->db))
		return sat_fail_code(e, SAT_EFSYNC, "db.fsync",
		    "open the replica again",
		    "the disk failed to make a write durable");
	return SAT_OK;
}

static void
make_commit(sat_commit *c, sat_replica *r, const sat_draft *d)
{
	memset(c, 0, sizeof *c);
	c->device = r->id->device;
	c->incarnation = r->id->incarnation;
	c->cseq = r->chain.cseq + 1;
	c->hlc = sat_hlc_tick(&r->hlc, sat_wall_ms(&r->clock),
	    sat_boot_ms(&r->clock));
	c->seen = r->cursor;
	c->actor = r->id->user;
	c->subject = d->subject;
	memcpy(c->template_oid, r->toid, sizeof c->template_oid);
	c->flags = d->flags;
	if (r->hlc.suspect)
		c->flags |= SAT_CF_CLOCK_SUSPECT;
	memcpy(c->prev, r->chain.head, sizeof c->prev);
	if (replica_seals(r)) /* of a seed it could be guessed (P-360) */
		r->rand.bytes(r->rand.u, c->salt, sizeof c->salt);
	else
		replica_salt_draw(r, c);
	c->nops = d->nops;
	c->ops = d->ops;
}

/*
 * A record is made anew whose first creation was refused: what was done to it in
 * between may still wait for its verdict, unseen, and counts (R1). Only derived
 * ids and what is sent again from the quarantine come twice, so usually nothing
 * is looked at.
 */
static sat_rc
count_waiting(sat_replica *r, replica_row *row, sat_err *e)
{
	const pend_rec *p;
	sat_stmt *s;
	bool any;
	sat_rc rc;

	if (!sat_id_is_derived(&row->view.id)) {
		if (r->page.none_refused)
			return SAT_OK;
		if ((rc = sat_db_stmt(&s, r->db, SQL_QUARANTINE_ANY, e)) !=
		    SAT_OK || (rc = sat_step(&any, s, e)) != SAT_OK)
			return rc;
		sat_stmt_reset(s);
		r->page.none_refused = !any;
		if (!any)
			return SAT_OK;
	}
	if ((rc = replica_pend_load(r, e)) == SAT_OK &&
	    (p = replica_pend_of(r, &row->view.id)) != NULL)
		row->npend += p->n;
	return rc;
}

static bool
same_record(const sat_op *a, const sat_op *b)
{
	return a->rtype == b->rtype && sat_id_eq(&a->rec, &b->rec);
}

/*
 * It makes one record, under an id that was drawn: such a one is there only
 * when somebody gives it twice. A kiosk's rows are not written, so nothing
 * would find out.
 */
static bool
is_fresh(const sat_replica *r, const sat_commit *c)
{
	const sat_op *op = &c->ops[0];

	if (op->kind != SAT_OP_NEW || sat_id_is_derived(&op->rec) ||
	    replica_seals(r))
		return false;
	for (size_t i = 1; i < c->nops; i++)
		if (!same_record(op, &c->ops[i]))
			return false;
	return true;
}

static sat_rc
exists_already(const replica_kind *k, sat_err *e)
{
	return sat_fail(e, SAT_ECONFLICT, "this %s exists already",
	    k->kind->key);
}

/* The least that is looked at as a long value, in bytes. */
#define LONG_BYTES 1024

/*
 * What the row of an operation is read for, as replica_narrow_field says. With a
 * long value it is needed whole: a narrow one has no others to measure
 * (check_size), and what a short one adds seldom decides.
 */
static uint16_t
read_for(const sat_commit *c, const sat_op *op)
{
	return op->value.s.n > LONG_BYTES ? 0 :
	    replica_narrow_field(c->nops, op);
}

/* The row of an operation, NULL when there is none. */
static sat_rc
row_of(replica_row **row, sat_replica *r, const replica_kind *k,
    const sat_commit *c, const sat_op *op, sat_err *e)
{
	sat_rc rc;

	if (op->kind != SAT_OP_NEW)
		return replica_page_get_for(row, r, k, &op->rec, 0,
		    read_for(c, op), e);
	if (!is_fresh(r, c))
		return replica_page_need(row, r, k, &op->rec, 0, e);
	if ((rc = replica_page_new(row, r, k, &op->rec, e)) == SAT_OK)
		sat_record_room(&(*row)->view, &r->page.mem, c->nops);
	return rc;
}

/* What others do to it does not come here any more, so an edit would claim to
 * have seen what its author could not see. */
static sat_rc
handed_over(const replica_kind *k, sat_err *e)
{
	return sat_fail_code(e, SAT_EDENIED, "replica.leaving",
	    "ask whoever has it now", "this %s was handed over", k->kind->key);
}

/* Of an import the customers are not in the page, and are not read for this. */
static sat_rc
is_leaving(bool *yes, sat_replica *r, const replica_kind *k, const sat_id *id,
    sat_err *e)
{
	const replica_row *row = replica_page_peek(r, k, id);
	sat_stmt *s;
	bool there;
	sat_rc rc;

	*yes = row != NULL && row->leaving;
	if (row != NULL ||
	    (rc = replica_kind_stmt(&s, r, k, KQ_FLAGS_OF, e)) != SAT_OK)
		return row != NULL ? SAT_OK : rc;
	sat_bind_blob(s, 1, sat_span_of(id->b, sizeof id->b));
	if ((rc = sat_step(&there, s, e)) == SAT_OK && there)
		*yes = (sat_col_int(s, 0) & ROW_LEAVING) != 0;
	sat_stmt_reset(s);
	return rc;
}

/* What is put below one that leaves would go with it, without a word. What was
 * there before left with it (replica_row_leave). */
static sat_rc
check_parent(sat_replica *r, const replica_kind *k, const sat_op *op,
    sat_err *e)
{
	const sat_field *f = k->kind->parent;
	const sat_kind *of;
	bool leaves;
	sat_id id;
	sat_rc rc;

	if (f == NULL || op->field != f->id || !sat_op_names(&id, op) ||
	    (of = sat_template_kind(r->t, f->ref)) == NULL)
		return SAT_OK;
	k = replica_kind_by(r->kinds, of->id);
	if ((rc = is_leaving(&leaves, r, k, &id, e)) != SAT_OK)
		return rc;
	return leaves ? handed_over(k, e) : SAT_OK;
}

/*
 * *at: the row of the operation before it, which is its own too where the record
 * is the same; then the row of this one. last: the next operation is another
 * record's: no more cells come.
 */
static sat_rc
fold_op(replica_row **at, sat_replica *r, const sat_commit *c,
    const sat_op *op, bool last, sat_err *e)
{
	const replica_kind *k = replica_kind_by(r->kinds, op->rtype);
	sat_apply_ctx ctx = { { c->hlc, c->device, 0 }, sat_op_seen(c, op),
		(c->flags & SAT_CF_MOVED) != 0, &r->page.fold };
	replica_row *row = *at;
	sat_applied got;
	sat_rc rc;

	if (k == NULL)
		return sat_fail(e, SAT_EINVALID, "no kind has number %u",
		    (unsigned)op->rtype);
	if ((op == c->ops || !same_record(op, op - 1)) &&
	    (rc = row_of(&row, r, k, c, op, e)) != SAT_OK)
		return rc;
	*at = row;
	if (row == NULL)
		return sat_fail(e, SAT_ENOTFOUND, "no such %s", k->kind->key);
	if (op->kind == SAT_OP_NEW && row->view.born.hlc != 0)
		return exists_already(k, e);
	if (row->leaving)
		return handed_over(k, e);
	if ((rc = check_parent(r, k, op, e)) != SAT_OK)
		return rc;
	if (!row->dirty) { /* first operation of this commit on it */
		if (op->kind == SAT_OP_NEW && !row->pending) {
			replica_row_hold(row, &r->page.mem);
			if ((rc = count_waiting(r, row, e)) != SAT_OK)
				return rc;
		}
		replica_row_hold(row, &r->page.mem);
		row->npend++;
		row->dirty = true;
		row->bytes = sat_record_bytes(&row->view);
	}
	if (row->srv.born.hlc != 0)
		replica_row_touch(row, &r->page.mem, op);
	if ((rc = sat_record_apply(&got, &row->view, &r->page.mem, r->t, op,
	    &ctx, e)) != SAT_OK)
		return rc;
	if (last)
		row->view.room = 0;
	return SAT_OK;
}

/* When all of it is folded, as the server looks. What others suggested or merged
 * may have made it too large: it may be made smaller. */
static sat_rc
check_size(sat_replica *r, const sat_op *op, sat_err *e)
{
	const replica_kind *k = replica_kind_by(r->kinds, op->rtype);
	const replica_row *row = replica_page_peek(r, k, &op->rec);
	size_t n = sat_record_bytes(&row->view);

	return n > SAT_RECORD_BYTES_MAX && n > row->bytes ?
	    sat_fail_code(e, SAT_EINVALID, "record.too_large",
	    "shorten its texts", "this %s would be larger than can be "
	    "exchanged", k->kind->key) : SAT_OK;
}

/* What sat_commit_seal does, with the bytes kept: b1 header, b2 payload. They
 * belong to rows.c during the flush, which comes first. */
static void
seal(sat_replica *r, sat_commit *c, uint8_t head[SAT_HASH_BYTES])
{
	sat_buf_reset(&r->b1);
	sat_buf_reset(&r->b2);
	sat_commit_write_payload(&r->b2, c);
	sat_hash(c->payload_hash, sat_buf_span(&r->b2));
	sat_commit_write_header(&r->b1, c);
	sat_hash(head, sat_buf_span(&r->b1));
}

static sat_rc
put_outbox(sat_replica *r, const sat_commit *c, sat_err *e)
{
	int64_t seq = replica_seq(c->incarnation, c->cseq);
	sat_rc rc;

	if (replica_seals(r))
		return replica_kiosk_put(r, c, e);
	if ((rc = replica_outbox_put(r, seq, sat_buf_span(&r->b1),
	    sat_buf_span(&r->b2), e)) != SAT_OK)
		return rc;
	return replica_salt_keep(r, seq, e);
}

/* How far the author knew a record that he changes (P-027). */
static uint64_t
known_of(const sat_replica *r, const replica_row *row)
{
	uint64_t at = row->pending ? row->srv.rlsn : row->view.rlsn;

	/* Another device may have made it too (P-281): of that one nothing was
	 * seen, however far the cursor is. */
	if (row->pending && row->srv.born.hlc == 0 &&
	    sat_id_is_derived(&row->view.id))
		return 0;
	/* Usually the cursor; a row that came as a state (a snapshot chunk, a
	 * rescope) may be ahead of it, and its user has seen that state. */
	return at > r->cursor ? at : r->cursor;
}

static sat_rc
find_seen(sat_replica *r, sat_commit *c, sat_err *e)
{
	for (size_t i = 0; i < c->nops; i++) {
		sat_op *op = &c->ops[i];
		const replica_kind *k = replica_kind_by(r->kinds, op->rtype);
		replica_row *row;
		sat_rc rc;

		op->seen1 = 0;
		if (i > 0 && same_record(op, op - 1)) {
			op->seen1 = op[-1].seen1;
			continue;
		}
		if (k == NULL || op->kind == SAT_OP_NEW)
			continue;
		if ((rc = replica_page_get_for(&row, r, k, &op->rec, 0,
		    read_for(c, op), e)) != SAT_OK)
			return rc;
		if (row != NULL) /* else made by this commit, or refused below */
			sat_op_set_seen(c, op, known_of(r, row));
	}
	return SAT_OK;
}

/* Is the next operation another record's? */
static bool
is_last(const sat_commit *c, size_t i)
{
	return i + 1 == c->nops || !same_record(&c->ops[i], &c->ops[i + 1]);
}

/* Nothing is written here. */
static sat_rc
prepare(sat_replica *r, sat_commit *c, sat_err *e)
{
	replica_row *row = NULL;
	sat_rc rc;

	if ((rc = find_seen(r, c, e)) != SAT_OK ||
	    (rc = sat_commit_check(c, e)) != SAT_OK)
		return rc;
	sat_fold_room_turn(&r->page.fold);
	for (size_t i = 0; i < c->nops; i++)
		if ((rc = fold_op(&row, r, c, &c->ops[i], is_last(c, i), e)) !=
		    SAT_OK)
			return rc;
	for (size_t i = 0; i < c->nops; i++)
		if (is_last(c, i) && (rc = check_size(r, &c->ops[i], e)) !=
		    SAT_OK)
			return rc;
	return SAT_OK;
}

/* Is there another row with the id of the one that was to be written? */
static bool
is_taken(sat_replica *r, const sat_op *op)
{
	const replica_kind *k = replica_kind_by(r->kinds, op->rtype);
	const replica_row *row = replica_page_peek(r, k, &op->rec);
	bool there;
	sat_stmt *s;

	if (row == NULL || replica_kind_stmt(&s, r, k, KQ_RID_OF, NULL) !=
	    SAT_OK)
		return false;
	sat_bind_blob(s, 1, sat_span_of(op->rec.b, sizeof op->rec.b));
	if (sat_step(&there, s, NULL) != SAT_OK || !there)
		return false;
	there = sat_col_int(s, 0) != row->rid;
	sat_stmt_reset(s);
	return there;
}

/* *refused: it was the first statement, and nothing was written. */
static sat_rc
put_rows(sat_replica *r, const sat_commit *c, bool *refused, sat_err *e)
{
	sat_rc rc = replica_page_flush(r, e);

	*refused = rc == SAT_ECONFLICT && is_fresh(r, c) &&
	    is_taken(r, &c->ops[0]);
	return *refused ? exists_already(replica_kind_by(r->kinds,
	    c->ops[0].rtype), e) : rc;
}

static sat_rc
store(sat_replica *r, sat_commit *c, uint8_t head[SAT_HASH_BYTES], sat_err *e)
{
	bool began = false, refused = false;
	sat_rc rc = SAT_OK;

	if (!r->in_group) {
		if ((rc = sat_db_begin(r->db, e)) != SAT_OK)
			return rc;
		began = true;
	}
	if (!replica_seals(r))
		rc = put_rows(r, c, &refused, e);
	if (rc == SAT_OK) {
		seal(r, c, head);
		rc = put_outbox(r, c, e);
	}
	if (rc == SAT_OK && began)
		rc = sat_db_commit(r->db, e);
	if (rc == SAT_OK)
		return SAT_OK;
	if (began)
		sat_db_rollback(r->db);
	else if (!refused)
		r->group_rc = rc; /* half of it may stand: all of it goes */
	return rc;
}

/* Nothing of it was folded here, so there is nothing to undo but the chain. */
sat_rc
replica_write_aside(sat_replica *r, const sat_draft *d, uint64_t seen,
    uint64_t *cseq, sat_err *e)
{
	replica_chain before = r->chain;
	uint8_t head[SAT_HASH_BYTES];
	sat_commit c;
	sat_rc rc;

	*cseq = 0;
	if ((rc = ready_to_write(r, e)) != SAT_OK)
		return rc;
	make_commit(&c, r, d);
	c.seen = seen;
	if ((rc = sat_commit_check(&c, e)) == SAT_OK) {
		seal(r, &c, head);
		rc = put_outbox(r, &c, e);
	}
	if (rc != SAT_OK) {
		r->chain = before;
		return rc;
	}
	r->chain.cseq = c.cseq;
	r->chain.newest = replica_seq(c.incarnation, c.cseq);
	memcpy(r->chain.head, head, sizeof head);
	*cseq = c.cseq;
	return SAT_OK;
}

sat_rc
sat_replica_write(sat_replica *r, const sat_draft *d, uint64_t *cseq,
    sat_err *e)
{
	replica_chain before = r->chain;
	uint8_t head[SAT_HASH_BYTES];
	sat_commit c;
	sat_rc rc;

	*cseq = 0;
	if ((rc = ready_to_write(r, e)) != SAT_OK)
		return rc;
	if (r->in_group && r->group_rc != SAT_OK)
		return sat_fail(e, r->group_rc,
		    "an earlier write of this group failed; it is undone");
	replica_page_reuse_written(r);
	make_commit(&c, r, d);
	if ((rc = prepare(r, &c, e)) != SAT_OK ||
	    (rc = store(r, &c, head, e)) != SAT_OK) {
		r->chain = before; /* W2; the clock may go on */
		replica_page_reset(r);
		return rc;
	}
	r->chain.cseq = c.cseq;
	r->chain.newest = replica_seq(c.incarnation, c.cseq);
	memcpy(r->chain.head, head, sizeof head);
	if (replica_seals(r)) { /* P-360: it was only judged here */
		replica_page_reset(r);
		replica_kiosk_wipe(r);
	} else {
		replica_pend_add(r, r->chain.newest, c.ops, c.nops);
	}
	*cseq = c.cseq;
	if (SAT_BUG(SAT_BUG_SYNC_TWICE) && !r->in_group)
		return sat_db_exec(r->db, "CREATE TABLE b(a); DROP TABLE b", e);
	return SAT_OK;
}

/* ---- groups --------------------------------------------------------------------- */

sat_rc
sat_replica_group_begin(sat_replica *r, sat_err *e)
{
	sat_rc rc;

	if (r->in_group)
		return sat_fail(e, SAT_EBUSY, "a group of writes is open");
	if ((rc = sat_db_begin(r->db, e)) != SAT_OK)
		return rc;
	r->in_group = true;
	r->group_rc = SAT_OK;
	r->group_chain = r->chain;
	return SAT_OK;
}

bool
sat_replica_in_group(const sat_replica *r)
{
	return r->in_group;
}

uint64_t
sat_replica_newest_cseq(const sat_replica *r)
{
	return r->chain.cseq;
}

void
sat_replica_group_rollback(sat_replica *r)
{
	if (!r->in_group)
		return;
	sat_db_rollback(r->db);
	replica_outbox_forget(r);
	r->in_group = false;
	r->chain = r->group_chain;
	replica_pend_drop(r);
	replica_page_reset(r);
}

sat_rc
sat_replica_group_commit(sat_replica *r, sat_err *e)
{
	sat_rc rc;

	if (!r->in_group)
		return sat_fail(e, SAT_EFAIL, "no group of writes is open");
	rc = r->group_rc;
	if (rc != SAT_OK)
		(void)sat_fail(e, rc, "a write of this group failed; nothing "
		    "of it was kept");
	else if ((rc = replica_outbox_flush(r, e)) == SAT_OK)
		rc = sat_db_commit(r->db, e);
	if (rc != SAT_OK) {
		sat_replica_group_rollback(r);
		return rc;
	}
	r->in_group = false;
	return SAT_OK;
}
