/*
 * session.c - what the session asks of the replica, except the heavy parts
 * (verdict.c, delta.c, snapshot.c, template.c). Each call is one transaction.
 */
#include "client/replica/replica_int.h"

#include <stdlib.h>
#include <string.h>

static sat_rc
on_hello(void *u, sat_hello *out, sat_err *e)
{
	sat_replica *r = u;

	if (r->id->device == 0)
		return sat_fail(e, SAT_ENOREPLICA,
		    "this device is not enrolled yet");
	r->file = (file_sending){ 0 };
	memset(out, 0, sizeof *out);
	out->proto_min = SAT_PROTO_MIN;
	out->proto_max = SAT_PROTO_VERSION;
	out->device = r->id->device;
	out->incarnation = r->id->incarnation;
	out->cursor = r->cursor;
	out->epoch = r->epoch;
	out->ledger_rev = r->ledger_rev;
	out->registry_rev = r->reg.rev;
	memcpy(out->template_oid, r->toid, sizeof out->template_oid);
	out->wall_ms = sat_wall_ms(&r->clock);
	out->permit_ms = r->permit_ms;
	out->features = SAT_FEATURES;
	out->coverage_rev = replica_coverage_known(r);
	out->answered = r->answered;
	return replica_unsent(&out->unsent_inc, &out->unsent_cseq, r, e);
}

/* ---- welcome ------------------------------------------------------------------ */

static sat_rc
run_truncate(sat_replica *r, int sql, uint64_t durable, sat_err *e)
{
	sat_stmt *s;
	sat_rc rc;

	if ((rc = sat_db_stmt(&s, r->db, sql, e)) != SAT_OK)
		return rc;
	sat_bind_int(s, 1, (int64_t)durable);
	sat_bind_int(s, 2, r->chain.newest);
	return sat_run(s, e);
}

/* What a verified backup of the server holds is safe without us. */
static sat_rc
truncate_outbox(sat_replica *r, uint64_t durable, sat_err *e)
{
	sat_stmt *s;
	int64_t oldest = r->chain.newest;
	bool row;
	sat_rc rc;

	if ((rc = replica_place_let_go(r, durable, e)) != SAT_OK ||
	    (rc = run_truncate(r, SQL_OUTBOX_TRUNCATE, durable, e)) != SAT_OK ||
	    (rc = run_truncate(r, SQL_ANSWER_TRUNCATE, durable, e)) != SAT_OK ||
	    (rc = replica_place_truncate(r, durable, e)) != SAT_OK ||
	    (rc = sat_db_stmt(&s, r->db, SQL_OUTBOX_FROM, e)) != SAT_OK)
		return rc;
	sat_bind_int(s, 1, 0);
	if ((rc = sat_step(&row, s, e)) != SAT_OK)
		return rc;
	if (row)
		oldest = sat_col_int(s, 0);
	sat_stmt_reset(s);
	return replica_run_int(r, SQL_SIG_TRUNCATE, oldest, e);
}

static sat_rc on_accepted(void *u, uint64_t *lsn, sat_err *e);

/*
 * Where the cursor stands after a welcome (P-187). Nothing behind it concerns
 * this device: it may pass to the log's head, so that a quiet device does not
 * keep the server from shortening its log. Own commits that were accepted are
 * met by a pull first.
 */
static sat_rc
find_cursor(uint64_t *cursor, sat_replica *r, const sat_welcome *w, sat_err *e)
{
	uint64_t waits = 0;
	sat_rc rc;

	*cursor = r->cursor;
	if (!r->complete || r->cursor == 0 || r->cursor < w->scope_head ||
	    r->cursor < w->truncated || r->cursor >= w->head)
		return SAT_OK;
	if ((rc = on_accepted(r, &waits, e)) == SAT_OK && waits == 0)
		*cursor = w->head;
	return rc;
}

/* The log begins behind our cursor: a snapshot over what is here. What waits
 * is pushed before it, for it carries what it had seen. */
sat_rc
replica_start_over(sat_replica *r, sat_err *e)
{
	static const char *const zero[] = { "complete", "snap_after",
		"snap_lsn" };
	sat_rc rc;

	for (size_t i = 0; i < sizeof zero / sizeof zero[0]; i++)
		if ((rc = replica_meta_int(r, zero[i], 0, e)) != SAT_OK)
			return rc;
	return replica_meta_int(r, "resnap", 1, e);
}

void
replica_started_over(sat_replica *r)
{
	r->complete = false;
	r->snap_after = r->snap_lsn = 0;
	r->resnap = true;
	replica_epoch_forget(r);
}

/* Also one that was filled from an empty log, and a filling that broke off:
 * the pull after it would begin where the log does not any more. */
static bool
is_behind(const sat_replica *r, const sat_welcome *w)
{
	if (r->complete)
		return r->cursor < w->truncated;
	return r->snap_after != 0 && r->snap_lsn < w->truncated;
}

static sat_rc
write_welcome(sat_replica *r, const sat_welcome *w, int64_t last_sync,
    uint64_t cursor, sat_err *e)
{
	sat_rc rc;

	if ((rc = replica_answered(r, w, e)) != SAT_OK ||
	    (is_behind(r, w) && (rc = replica_start_over(r, e)) != SAT_OK))
		return rc;
	if ((w->permit.n != 0 && (rc = replica_permit_take(r, w->permit,
	    e)) != SAT_OK) || (rc = replica_told_time(r, w->wall_ms, e)) !=
	    SAT_OK)
		return rc;
	if (cursor != r->cursor && (rc = replica_meta_int(r, "cursor",
	    (int64_t)cursor, e)) != SAT_OK)
		return rc;

	if (w->durable > r->durable &&
	    ((rc = truncate_outbox(r, w->durable, e)) != SAT_OK ||
	    (rc = replica_meta_int(r, "durable", (int64_t)w->durable, e)) !=
	    SAT_OK))
		return rc;
	if (r->cursor >= w->scope_head && !is_behind(r, w) &&
	    (rc = replica_compare(r, w->has_sum &&
	    w->ledger_rev == r->ledger_rev, w->sum, e)) != SAT_OK)
		return rc;
	if ((rc = replica_meta_int(r, "known", (int64_t)w->scope_head, e)) !=
	    SAT_OK ||
	    (rc = replica_meta_int(r, "last_sync", last_sync, e)) != SAT_OK)
		return rc;
	return replica_meta_clock(r, e);
}

/* Their pages are most of the file after a large import. A full disk is no
 * reason not to sync: the space is used again as it is. */
static sat_rc
give_back(sat_replica *r, sat_err *e)
{
	sat_rc rc = sat_db_shrink(r->db, e);

	return rc == SAT_ENOSPACE ? SAT_OK : rc;
}

/* The server came back from a backup: one transaction. */
static sat_rc
follow(sat_replica *r, const next_epoch *next, sat_err *e)
{
	int64_t low = r->low;
	sat_rc rc = replica_session_begin(r, e);
	size_t had = r->ncerts;

	if (rc != SAT_OK)
		return rc;
	/* Which states were lost must be known while views are built. */
	free(r->certs);
	r->certs = next->certs;
	r->ncerts = next->ncerts;
	rc = replica_end(r, true, replica_epoch_switch(r, next, e), e);
	replica_page_reset(r);
	replica_pend_drop(r);
	if (rc != SAT_OK) {
		r->ncerts = had;
		r->low = low;
		return rc;
	}
	replica_epoch_done(r, next);
	return SAT_OK;
}

static sat_rc
on_welcome(void *u, const sat_welcome *w, int64_t sent_wall_ms, sat_err *e)
{
	sat_replica *r = u;
	int64_t now = sat_wall_ms(&r->clock), last = r->last_sync_ms;
	next_epoch next;
	uint64_t cursor;
	sat_rc rc;

	if (w->durable > INT64_MAX || w->scope_head > INT64_MAX ||
	    w->epoch > INT64_MAX || w->head > INT64_MAX)
		return sat_fail(e, SAT_EPROTO, "welcome: position out of range");
	if ((rc = replica_epoch_check(r, &next, w, e)) != SAT_OK)
		return rc;
	memcpy(r->server_toid, w->template_oid, sizeof r->server_toid);
	r->server_ledger = w->ledger_rev;
	if (next.changed && (rc = follow(r, &next, e)) != SAT_OK)
		return rc;
	if ((rc = replica_scrub(r, e)) != SAT_OK ||
	    (rc = replica_session_begin(r, e)) != SAT_OK)
		return rc;
	sat_hlc_sample(&r->hlc, &r->offset, sent_wall_ms, now, w->wall_ms);
	if (r->complete && r->cursor >= w->scope_head && !is_behind(r, w))
		last = now; /* nothing new: this was a whole sync */
	if ((rc = find_cursor(&cursor, r, w, e)) == SAT_OK)
		rc = write_welcome(r, w, last, cursor, e);
	if ((rc = replica_end(r, true, rc, e)) != SAT_OK)
		return rc;
	if (is_behind(r, w))
		replica_started_over(r);
	r->cursor = cursor;
	r->known = w->scope_head;
	r->head = w->head;
	for (size_t i = 0; i < w->nanswers; i++)
		if (w->answers[i].lsn > r->answered)
			r->answered = w->answers[i].lsn;
	r->last_sync_ms = last;
	if ((rc = replica_rekey_settle(r, w, e)) != SAT_OK)
		return rc;
	if (w->durable <= r->durable)
		return SAT_OK;
	r->durable = w->durable;
	return give_back(r, e);
}

/* ---- registry ------------------------------------------------------------------ */

static sat_rc
put_registry(sat_replica *r, sat_span registry, sat_err *e)
{
	sat_stmt *s;
	sat_rc rc;

	if ((rc = sat_db_stmt(&s, r->db, SQL_DOC_PUT, e)) != SAT_OK)
		return rc;
	sat_bind_text(s, 1, sat_span_str("registry"));
	sat_bind_blob(s, 2, registry);
	return sat_run(s, e);
}

static sat_rc
on_registry(void *u, sat_span registry, sat_err *e)
{
	sat_replica *r = u;
	sat_registry next = { 0 }, had = r->reg;
	const sat_user *me = r->me;
	const sat_mask *mask = sat_replica_mask(r);
	bool over = false;
	sat_rc rc;

	if ((rc = sat_registry_read(&next, registry, e)) != SAT_OK)
		return rc;
	if ((rc = replica_session_begin(r, e)) != SAT_OK) {
		sat_registry_fini(&next);
		return rc;
	}
	r->reg = next;
	r->me = sat_registry_user_ord(&r->reg, r->id->user);
	rc = put_registry(r, registry, e);
	if (rc == SAT_OK && me != NULL) /* another role holds other things */
		rc = replica_veil_changed(r, &over, me->role, mask, e);
	if ((rc = replica_end(r, true, rc, e)) != SAT_OK) {
		r->reg = had;
		r->me = me;
		sat_registry_fini(&next);
		return rc;
	}
	sat_registry_fini(&had);
	if (over)
		replica_started_over(r);
	return SAT_OK;
}

/* ---- outbox --------------------------------------------------------------------- */

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
	size_t n, max, cap, bytes, ops;
	uint8_t head[SAT_HASH_BYTES]; /* of the last one's header */
} run;

/* Less than a batch may have: while the server is at one push the next one is
 * built, and who waits for news pulls what came with the one before. So the first
 * is small, for nobody has anything to do before it is merged. Smaller ones
 * compress worse: see docs/performance.md. */
#define PUSH_FIRST 1024
#define PUSH_BEHIND 2048

/* Columns of a batch take less than payload and header together. */
#define RUN_BYTES_MAX (SAT_BATCH_BYTES_MAX - SAT_BATCH_BYTES_MAX / 4)

static sat_rc
add_commit(run *x, bool *full, sat_arena *a, sat_span header, sat_span payload,
    sat_span box, sat_err *e)
{
	sat_commit c;
	size_t bytes = header.n + payload.n + box.n;
	sat_rc rc;

	*full = x->n == x->max ||
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
	if (x->n == x->cap) {
		size_t cap = x->cap * 2 + 16;
		sat_commit *more = sat_arena_alloc(a, cap * sizeof *more);

		if (x->n > 0)
			memcpy(more, x->c, x->n * sizeof *more);
		x->c = more;
		x->cap = cap;
	}
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

static sat_rc
on_outbox(void *u, sat_arena *a, sat_push *push, sat_commit **c, size_t *n,
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
static sat_rc
on_outbox_behind(void *u, sat_arena *a, sat_push *push, sat_commit **c,
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

/* ---- positions -------------------------------------------------------------------- */

static sat_rc
on_snap_state(void *u, bool *wanted, uint64_t *after, sat_err *e)
{
	sat_replica *r = u;

	(void)e;
	/* Which records a snapshot over what is here has met is in memory. */
	if (r->resnap && r->met == NULL)
		r->snap_after = 0;
	*wanted = !r->complete;
	*after = r->snap_after;
	return SAT_OK;
}

static sat_rc
on_cursor(void *u, uint64_t *cursor, sat_err *e)
{
	(void)e;
	*cursor = ((sat_replica *)u)->cursor;
	return SAT_OK;
}

static sat_rc
on_accepted(void *u, uint64_t *lsn, sat_err *e)
{
	sat_replica *r = u;
	sat_stmt *s;
	bool row;
	sat_rc rc;

	*lsn = 0;
	if ((rc = sat_db_stmt(&s, r->db, SQL_ANSWER_ACCEPTED, e)) != SAT_OK)
		return rc;
	sat_bind_int(s, 1, r->low);
	if ((rc = sat_step(&row, s, e)) != SAT_OK)
		return rc;
	if (row)
		*lsn = (uint64_t)sat_col_int(s, 0);
	sat_stmt_reset(s);
	return SAT_OK;
}

sat_client_ops
sat_replica_session(sat_replica *r)
{
	return (sat_client_ops){ .u = r, .hello = on_hello,
		.welcome = on_welcome, .registry = on_registry,
		.template_ = replica_template_in, .outbox = on_outbox,
		.outbox_behind = on_outbox_behind,
		.verdicts = replica_verdicts, .snap_state = on_snap_state,
		.chunk = replica_chunk, .cursor = on_cursor,
		.accepted = on_accepted,
		.numbers_want = replica_numbers_want,
		.numbers = replica_numbers,
		.coverage = replica_coverage,
		.seed = replica_seed, .seeded = replica_seeded,
		.unpark = replica_unpark,
		.ledger = replica_ledger, .ledger_is = replica_ledger_is,
		.erased = replica_erased, .erased_ok = replica_erased_ok,
		.delta = replica_delta, .differs = replica_differs,
		.digest = replica_digest, .refetch_next = replica_refetch_next,
		.refetch = replica_refetch,
		.file_next = replica_file_next,
		.file_taken = replica_file_taken, .wipe = replica_wipe };
}
