/*
 * session.c - what the session asks of the replica, except the heavy parts
 * (push.c, verdict.c, delta.c, snapshot.c, template.c). Each call is one transaction.
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
	replica_files_begin(r);
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
	if ((rc = replica_files_backed(r, w->durable, w->head, e)) != SAT_OK)
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
	memcpy(r->given_toid, w->template_oid, sizeof r->given_toid);
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
		.template_ = replica_template_in, .outbox = replica_outbox,
		.outbox_behind = replica_outbox_behind,
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
