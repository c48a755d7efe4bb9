/*
 * push.c - what waits in the outbox, handed out to be pushed: from where, how
 * much, with numbers instead of ids, signed.
 */
#include "client/replica/replica_int.h"

#include <string.h>

/* Where to start: the first commit without a verdict, or the one the server
 * asks for again, whatever was said about it before. */
static sat_rc
find_start(int64_t *start, sat_replica *r, uint64_t from_cseq, sat_err *e)
{
	int64_t after = r->low;
	sat_stmt *s;
	bool row, again = from_cseq != 0;
	sat_rc rc;

	*start = 0;
	if (again) {
		if (from_cseq > REPLICA_CSEQ_MAX)
			return sat_fail(e, SAT_EPROTO,
			    "commit number out of range");
		after = replica_seq(r->push_inc, from_cseq) - 1;
	}
	if ((rc = sat_db_stmt(&s, r->db, again ? SQL_OUTBOX_WHOLE :
	    SQL_OUTBOX_UNANSWERED, e)) != SAT_OK)
		return rc;
	sat_bind_int(s, 1, again ? after + 1 : after);
	if ((rc = sat_step(&row, s, e)) != SAT_OK || !row)
		return rc;
	*start = sat_col_int(s, 0);
	sat_stmt_reset(s);
	if (replica_seq_inc(*start) != replica_seq_inc(after + 1) && again)
		*start = 0;
	return SAT_OK;
}

/* The server asks for commits that are not here any more: why (P-203). */
static sat_rc
find_gap(sat_gap *gap, sat_replica *r, uint64_t from_cseq, int64_t start,
    sat_err *e)
{
	int64_t first = replica_seq(r->push_inc, from_cseq);
	sat_stmt *s;
	bool row;
	sat_rc rc;

	*gap = SAT_GAP_NONE;
	if (from_cseq == 0 || start == first)
		return SAT_OK;
	if ((rc = sat_db_stmt(&s, r->db, SQL_MISSING_REFUSED, e)) != SAT_OK)
		return rc;
	sat_bind_int(s, 1, first);
	sat_bind_int(s, 2, start - 1);
	if ((rc = sat_step(&row, s, e)) != SAT_OK)
		return rc;
	*gap = sat_col_int(s, 0) == start - first ? SAT_GAP_REFUSED :
	    SAT_GAP_GONE;
	sat_stmt_reset(s);
	return SAT_OK;
}

/* What lost servers may have made of them, when there is anything to say. */
static sat_rc
find_old(sat_push *push, sat_arena *a, sat_replica *r, int64_t start,
    size_t n, sat_err *e)
{
	bool any = false;
	own_commit o;
	sat_rc rc;

	if (!r->recovering)
		return SAT_OK;
	push->old = sat_arena_alloc(a, n * sizeof *push->old);
	for (size_t i = 0; i < n; i++) {
		if ((rc = replica_own_commit(&o, a, r, start + (int64_t)i,
		    e)) != SAT_OK)
			return rc;
		push->old[i] = o.old;
		push->old[i].n = 0;
		for (size_t k = 0; k < o.old.n; k++)
			if (replica_lost(r, o.old.at[k]))
				push->old[i].at[push->old[i].n++] =
				    o.old.at[k];
		any = any || push->old[i].n + push->old[i].nwas != 0;
	}
	push->nold = any ? n : 0;
	return SAT_OK;
}

typedef struct run { /* commits of one push */
	sat_commit *c;
	size_t n, max, cap, bytes, ops; /* max: of small commits */
	uint8_t head[SAT_HASH_BYTES]; /* of the last one's header */
} run;

/* Less than a batch may have: while the server is at one push the next one is
 * built, and who waits for news pulls what came with the one before. So the first
 * is small, for nobody has anything to do before it is merged. Commits of many
 * values, most of all new records, compress worse in smaller pushes (4 % of
 * their bytes) and take a batch: see docs/performance.md. */
#define PUSH_FIRST 1024
#define PUSH_BEHIND 2048
#define PUSH_SMALL_BYTES 320 /* a commit, on average: header and payload */

/* Columns of a batch take less than payload and header together. */
#define RUN_BYTES_MAX (SAT_BATCH_BYTES_MAX - SAT_BATCH_BYTES_MAX / 4)

static sat_rc
add_commit(run *x, bool *full, sat_arena *a, sat_span header, sat_span payload,
    sat_span box, sat_err *e)
{
	sat_commit c;
	size_t bytes = header.n + payload.n + box.n;
	sat_rc rc;

	*full = x->n == SAT_BATCH_COMMITS_MAX ||
	    (x->n >= x->max && x->bytes < x->n * PUSH_SMALL_BYTES) ||
	    (x->n > 0 && x->bytes + bytes > RUN_BYTES_MAX);
	/* a kiosk's own goes in a push of its kind (P-361) */
	*full = *full || (x->n > 0 && (x->c[0].box.n > 0) != (box.n > 0));
	if (*full)
		return SAT_OK;
	header.p = sat_arena_dup(a, header.p, header.n);
	payload.p = sat_arena_dup(a, payload.p, payload.n);
	if ((rc = sat_commit_read(&c, a, header, payload, e)) != SAT_OK)
		return rc;
	c.box = sat_span_of(sat_arena_dup(a, box.p, box.n), box.n);
	*full = x->n > 0 && x->ops + c.nops > SAT_BATCH_OPS_MAX;
	if (*full)
		return SAT_OK;
	SAT_ARENA_GROW(x->c, x->n, x->cap, a);
	x->c[x->n++] = c;
	x->bytes += bytes;
	x->ops += c.nops;
	sat_hash(x->head, header);
	return SAT_OK;
}

static sat_rc
collect(run *x, sat_replica *r, sat_arena *a, int64_t start, sat_err *e)
{
	int64_t want = start;
	sat_stmt *s;
	bool row, full = false;
	sat_rc rc;

	if ((rc = sat_db_stmt(&s, r->db, SQL_OUTBOX_FROM, e)) != SAT_OK)
		return rc;
	sat_bind_int(s, 1, start);
	while (!full && (rc = sat_step(&row, s, e)) == SAT_OK && row) {
		/* a gap, the next incarnation, or a refused one */
		if (sat_col_int(s, 0) != want ||
		    (sat_col_null(s, 2) && sat_col_null(s, 3)))
			break;
		if ((rc = add_commit(x, &full, a, sat_col_blob(s, 1),
		    sat_col_blob(s, 2), sat_col_blob(s, 3), e)) != SAT_OK)
			break;
		want++;
	}
	sat_stmt_reset(s);
	return rc;
}

/* The server's number of a record, 0 when it has none. */
static sat_rc
eid_of(uint32_t *eid, sat_replica *r, const replica_kind *k, const sat_id *id,
    sat_err *e)
{
	sat_stmt *s;
	bool row;
	sat_rc rc;

	*eid = 0;
	if ((rc = replica_kind_stmt(&s, r, k, KQ_RID_OF, e)) != SAT_OK)
		return rc;
	sat_bind_blob(s, 1, sat_span_of(id->b, sizeof id->b));
	if ((rc = sat_step(&row, s, e)) != SAT_OK || !row)
		return rc;
	if (sat_col_int(s, 0) < SAT_RID_LOCAL)
		*eid = (uint32_t)sat_col_int(s, 0);
	sat_stmt_reset(s);
	return SAT_OK;
}

static sat_rc
subject_eid(uint32_t *eid, sat_replica *r, const sat_commit *c, sat_err *e)
{
	sat_rc rc = SAT_OK;

	*eid = 0;
	for (size_t i = 0; i < c->nops; i++)
		if (sat_id_eq(&c->ops[i].rec, &c->subject)) {
			*eid = c->ops[i].eid; /* known or not: no other kind */
			return SAT_OK;
		}
	for (size_t i = 0; i < r->kinds->n && rc == SAT_OK && *eid == 0; i++)
		if (r->kinds->k[i].kind->parent == NULL)
			rc = eid_of(eid, r, &r->kinds->k[i], &c->subject, e);
	return rc;
}

/* Numbers instead of ids, where the server gave one. They are not part of the
 * signed bytes. A new record keeps its id. */
static sat_rc
fill_eids(sat_replica *r, sat_commit *c, sat_err *e)
{
	sat_rc rc;

	for (size_t i = 0; i < c->nops; i++) {
		sat_op *op = &c->ops[i];
		const replica_kind *k = replica_kind_by(r->kinds, op->rtype);

		if (i > 0 && sat_id_eq(&op->rec, &op[-1].rec) &&
		    op[-1].kind != SAT_OP_NEW)
			op->eid = op[-1].eid;
		else if (k != NULL && op->kind != SAT_OP_NEW &&
		    (rc = eid_of(&op->eid, r, k, &op->rec, e)) != SAT_OK)
			return rc;
	}
	return subject_eid(&c->subject_eid, r, c, e);
}

static void
sign_run(sat_replica *r, sat_push *push, const run *x, int64_t start)
{
	sat_buf b = { 0 };

	push->incarnation = replica_seq_inc(start);
	push->first_cseq = replica_seq_cseq(start);
	memcpy(push->prev, x->c[0].prev, sizeof push->prev);
	sat_batch_sign_bytes(&b, &r->id->org, r->id->device, push->incarnation,
	    push->first_cseq, push->first_cseq + x->n - 1, x->head);
	sat_sign(push->sig, sat_buf_span(&b), r->id->sign_sk);
	sat_buf_fini(&b);
	r->batch[1] = r->batch[0];
	r->batch[0].first = start;
	r->batch[0].last = start + (int64_t)x->n - 1;
	memcpy(r->batch[0].sig, push->sig, sizeof push->sig);
	r->push_inc = push->incarnation;
}

static sat_rc
hand_out(sat_replica *r, sat_arena *a, sat_push *push, sat_commit **c,
    size_t *n, int64_t start, uint64_t from_cseq, size_t max, sat_err *e)
{
	run x = { .max = max };
	sat_rc rc;

	if ((rc = collect(&x, r, a, start, e)) != SAT_OK || x.n == 0)
		return rc;
	push->sealed = x.c[0].box.n > 0;
	/* what is sent a second time may meet a server that lost its numbers */
	for (size_t i = 0; from_cseq == 0 && !push->sealed && i < x.n; i++)
		if ((rc = fill_eids(r, &x.c[i], e)) != SAT_OK)
			return rc;
	if ((rc = find_gap(&push->gap, r, from_cseq, start, e)) != SAT_OK ||
	    (rc = find_old(push, a, r, start, x.n, e)) != SAT_OK ||
	    (rc = push->sealed ? SAT_OK : replica_salt_name(x.c, x.n, a, r,
	    e)) != SAT_OK)
		return rc;
	sign_run(r, push, &x, start);
	*c = x.c;
	*n = x.n;
	return SAT_OK;
}

sat_rc
replica_outbox(void *u, sat_arena *a, sat_push *push, sat_commit **c, size_t *n,
    uint64_t from_cseq, sat_err *e)
{
	sat_replica *r = u;
	int64_t start;
	sat_rc rc;

	*c = NULL;
	*n = 0;
	if (r->in_group)
		return sat_fail(e, SAT_EBUSY,
		    "an import is being written; sync when it is done");
	if ((rc = find_start(&start, r, from_cseq, e)) != SAT_OK || start == 0)
		return rc;
	return hand_out(r, a, push, c, n, start, from_cseq, from_cseq == 0 ?
	    PUSH_FIRST : SAT_BATCH_COMMITS_MAX, e);
}

/* Records made by what has no verdict yet are named by their ids. */
sat_rc
replica_outbox_behind(void *u, sat_arena *a, sat_push *push, sat_commit **c,
    size_t *n, sat_err *e)
{
	sat_replica *r = u;

	*c = NULL;
	*n = 0;
	if (r->in_group || r->batch[0].first == 0)
		return SAT_OK;
	return hand_out(r, a, push, c, n, r->batch[0].last + 1, 0,
	    PUSH_BEHIND, e);
}
