/*
 * erase.c - a customer was erased: nothing of the person stays on this device
 * (P-190..P-197).
 *
 * What is here: rows with their history and keys, stubs of what left, commits
 * in outbox and quarantine, what is listed for a person to look at. All goes
 * in one transaction, and the log of the database with it, before the receipt
 * is signed. One thing has to wait: a commit the server has not answered is a
 * link of the chain and is pushed with its payload, which the server drops
 * unread; with its verdict it goes here too.
 */
#include "client/replica/replica_int.h"
#include "common/base/file.h"
#include "protocol/bugs.h"

#include <stdio.h>
#include <string.h>

/* After every instant a setting may begin with. */
#define ALL_TIMES_MS ((int64_t)9999999999999)

typedef struct victims {
	sat_replica *r;
	sat_arena mem;
	sat_id *id;
	size_t n, cap;
} victims;

static void
add_victim(victims *v, const sat_id *id)
{
	SAT_ARENA_GROW(v->id, v->n, v->cap, &v->mem);
	v->id[v->n++] = *id;
}

static bool
is_victim(const victims *v, const sat_id *id)
{
	for (size_t i = 0; i < v->n; i++)
		if (sat_id_eq(&v->id[i], id))
			return true;
	return false;
}

static bool
about(const victims *v, const sat_commit *c)
{
	bool hit = is_victim(v, &c->subject);
	sat_id named;

	for (size_t i = 0; i < c->nops && !hit; i++)
		hit = is_victim(v, &c->ops[i].rec) ||
		    (sat_op_names(&named, &c->ops[i]) && is_victim(v, &named));
	return hit;
}

/* ---- rows -------------------------------------------------------------------------- */

void
replica_row_purge(replica_row *row)
{
	replica_sum_out(row);
	row->pending = row->rebuild = row->leaving = false;
	row->dirty = row->gone = true;
}

static void
drop_row(victims *v, replica_row *row)
{
	add_victim(v, &row->view.id);
	replica_row_purge(row);
}

/* The customer and what hangs on it. What the server merged into it is the same
 * person, and is listed with it; what only an own waiting merge leads there is
 * not. */
static sat_rc
drop_rows(victims *v, const sat_id *subject, sat_err *e)
{
	replica_row *row, **rows;
	size_t n;
	sat_rc rc;

	if ((rc = replica_page_find(&row, v->r, subject, e)) != SAT_OK ||
	    (rc = replica_page_children(&rows, &n, v->r, subject, e)) !=
	    SAT_OK)
		return rc;
	if (row != NULL)
		drop_row(v, row);
	else
		add_victim(v, subject);
	for (size_t i = 0; i < n; i++)
		drop_row(v, rows[i]);
	if ((rc = replica_page_flush(v->r, e)) != SAT_OK)
		return rc;
	replica_page_reset(v->r);
	return SAT_OK;
}

sat_rc
replica_run_id(sat_replica *r, int sql, const sat_id *id, sat_err *e)
{
	sat_stmt *s;
	sat_rc rc;

	if ((rc = sat_db_stmt(&s, r->db, sql, e)) != SAT_OK)
		return rc;
	sat_bind_blob(s, 1, sat_span_of(id->b, sizeof id->b));
	return sat_run(s, e);
}

/* ---- commits ------------------------------------------------------------------------ */

/* Rows of a table of commits: number, header, payload. */
static sat_rc
hits(int64_t **out, size_t *n, victims *v, int sql, sat_err *e)
{
	sat_arena a = { 0 };
	int64_t *list = NULL;
	size_t cap = 0;
	sat_commit c;
	sat_stmt *s;
	bool row;
	sat_rc rc;

	*n = 0;
	if ((rc = sat_db_stmt(&s, v->r->db, sql, e)) != SAT_OK)
		return rc;
	while ((rc = sat_step(&row, s, e)) == SAT_OK && row) {
		sat_arena_reset(&a);
		if (sat_commit_read(&c, &a, sat_col_blob(s, 1),
		    sat_col_blob(s, 2), NULL) != SAT_OK || !about(v, &c))
			continue;
		SAT_ARENA_GROW(list, *n, cap, &v->mem);
		list[(*n)++] = sat_col_int(s, 0);
	}
	sat_arena_fini(&a);
	*out = list;
	return rc;
}

/* An accepted one whose place the cursor has not passed is still in views; what
 * it did to records that stay comes from the server. */
static sat_rc
hollow(sat_replica *r, int64_t seq, sat_err *e)
{
	own_commit o;
	sat_rc rc = replica_own_commit(&o, &r->page.mem, r, seq, e);

	if (rc == SAT_ENOTFOUND)
		return SAT_OK; /* gone already */
	if (rc != SAT_OK ||
	    (o.state < 2 && (rc = replica_withdraw(r, &o, e)) != SAT_OK) ||
	    (rc = replica_run_int(r, SQL_OUTBOX_HOLLOW, seq, e)) != SAT_OK)
		return rc;
	return replica_run_int(r, SQL_ERASE_SETTLE, seq, e);
}

static sat_rc
drop_commits(victims *v, sat_err *e)
{
	int64_t *list;
	size_t n;
	sat_rc rc;

	/* answered: nothing asks for the payload any more */
	if ((rc = hits(&list, &n, v, SQL_ERASE_ANSWERED, e)) != SAT_OK)
		return rc;
	for (size_t i = 0; i < n; i++)
		if ((rc = hollow(v->r, list[i], e)) != SAT_OK)
			return rc;
	if (n > 0 && (rc = replica_page_flush(v->r, e)) != SAT_OK)
		return rc;
	replica_page_reset(v->r);
	if ((rc = hits(&list, &n, v, SQL_ERASE_SET_ASIDE, e)) != SAT_OK)
		return rc;
	for (size_t i = 0; i < n && !SAT_BUG(SAT_BUG_ERASED_KEPT); i++)
		if ((rc = replica_run_int(v->r, SQL_QUARANTINE_DEL, list[i], e)) !=
		    SAT_OK)
			return rc;
	return SAT_OK;
}

static sat_rc
purge(sat_replica *r, const sat_id *subject, sat_err *e)
{
	victims v = { .r = r };
	sat_rc rc = SAT_OK;

	if (r->kinds != NULL && (rc = drop_rows(&v, subject, e)) == SAT_OK)
		rc = drop_commits(&v, e);
	for (size_t i = 0; i < v.n && rc == SAT_OK; i++)
		if ((rc = replica_run_id(r, SQL_MOVED_DEL, &v.id[i], e)) == SAT_OK &&
		    (rc = replica_run_id(r, SQL_ERASE_LATE, &v.id[i], e)) == SAT_OK &&
		    (rc = replica_run_id(r, SQL_ERASE_NEWS, &v.id[i], e)) == SAT_OK &&
		    (rc = replica_run_id(r, SQL_ERASE_CONFLICTS, &v.id[i], e)) ==
		    SAT_OK && (rc = replica_files_erase(r, &v.id[i], e)) ==
		    SAT_OK)
			rc = replica_audit_redact(r, &v.id[i], e);
	sat_arena_fini(&v.mem);
	/* from the seed the salt of what was dropped could be made again */
	return rc != SAT_OK ? rc : replica_salt_forget(r, e);
}

/* ---- the session's questions ------------------------------------------------------------ */

static sat_rc
own_ledger(sat_ledger *out, sat_arena *a, sat_replica *r, sat_err *e)
{
	size_t cap = 0;
	sat_stmt *s;
	bool row;
	sat_rc rc;

	if ((rc = sat_db_stmt(&s, r->db, SQL_LEDGER_ALL, e)) != SAT_OK)
		return rc;
	while ((rc = sat_step(&row, s, e)) == SAT_OK && row) {
		sat_erasure *x;
		sat_span reason = sat_col_text(s, 6);

		SAT_ARENA_GROW(out->e, out->n, cap, a);
		x = &out->e[out->n++];
		*x = (sat_erasure){ .rev = (uint64_t)sat_col_int(s, 0),
			.lsn = (uint64_t)sat_col_int(s, 2),
			.at_ms = sat_col_int(s, 3),
			.by = (uint32_t)sat_col_int(s, 4),
			.second = (uint32_t)sat_col_int(s, 5),
			.reason = sat_span_of(sat_arena_dup(a, reason.p,
			reason.n), reason.n) };
		if (sat_col_blob(s, 1).n == sizeof x->subject.b)
			memcpy(x->subject.b, sat_col_blob(s, 1).p,
			    sizeof x->subject.b);
		if (sat_col_blob(s, 7).n == sizeof x->sig)
			memcpy(x->sig, sat_col_blob(s, 7).p, sizeof x->sig);
	}
	return rc;
}

sat_rc
replica_ledger(void *u, sat_arena *a, sat_ledger *out, bool *wanted,
    sat_err *e)
{
	sat_replica *r = u;

	*wanted = r->ledger_back || r->server_ledger != r->ledger_rev;
	if (!r->ledger_back) {
		out->after = r->ledger_rev;
		return SAT_OK;
	}
	/* The server was restored: it may not know what was erased since. */
	return own_ledger(out, a, r, e);
}

static sat_rc
put_entry(sat_replica *r, const sat_erasure *x, sat_err *e)
{
	sat_stmt *s;
	sat_rc rc;

	if ((rc = sat_db_stmt(&s, r->db, SQL_LEDGER_PUT, e)) != SAT_OK)
		return rc;
	sat_bind_int(s, 1, (int64_t)x->rev);
	sat_bind_blob(s, 2, sat_span_of(x->subject.b, sizeof x->subject.b));
	sat_bind_int(s, 3, (int64_t)x->lsn);
	sat_bind_int(s, 4, x->at_ms);
	sat_bind_int(s, 5, x->by);
	sat_bind_int(s, 6, x->second);
	sat_bind_text(s, 7, x->reason);
	sat_bind_blob(s, 8, sat_span_of(x->sig, sizeof x->sig));
	return sat_run(s, e);
}

static sat_rc
take_ledger(sat_replica *r, const sat_ledger *in, sat_err *e)
{
	sat_rc rc;

	for (size_t i = 0; i < in->n; i++)
		if ((rc = purge(r, &in->e[i].subject, e)) != SAT_OK ||
		    (rc = put_entry(r, &in->e[i], e)) != SAT_OK)
			return rc;
	if ((in->n > 0 && ((rc = replica_forget_strays(r, e)) != SAT_OK ||
	    (rc = sat_replica_settings_purge(r, SAT_SETTING_ANSWER,
	    ALL_TIMES_MS, e)) != SAT_OK)) ||
	    (rc = replica_meta_int(r, "ledger_rev", (int64_t)in->rev, e)) !=
	    SAT_OK ||
	    (r->ledger_back && (rc = replica_meta_int(r, "ledger_acked", 0,
	    e)) != SAT_OK))
		return rc;
	return replica_meta_int(r, "ledger_back", 0, e);
}

sat_rc
replica_ledger_is(void *u, const sat_ledger *in, sat_err *e)
{
	sat_replica *r = u;
	sat_rc rc;

	if (in->rev > INT64_MAX)
		return sat_fail(e, SAT_EPROTO, "ledger out of range");
	if ((rc = replica_session_begin(r, e)) != SAT_OK)
		return rc;
	rc = replica_end(r, true, take_ledger(r, in, e), e);
	replica_page_reset(r);
	replica_pend_drop(r);
	if (rc != SAT_OK)
		return rc;
	if (r->ledger_back)
		r->ledger_acked = 0;
	r->ledger_back = false;
	r->ledger_rev = r->server_ledger = in->rev;
	return sat_db_checkpoint(r->db, e);
}

/* Nothing of it is left once every commit has its verdict, and what others had
 * of it came anew (P-398). */
static sat_rc
nothing_left(bool *yes, sat_replica *r, sat_err *e)
{
	uint64_t at;
	sat_stmt *s;
	bool row;
	sat_rc rc;

	*yes = false;
	if ((rc = sat_db_stmt(&s, r->db, SQL_LEDGER_AT, e)) != SAT_OK ||
	    (rc = sat_step(&row, s, e)) != SAT_OK)
		return rc;
	at = row ? (uint64_t)sat_col_int(s, 0) : 0;
	sat_stmt_reset(s);
	/* or nothing up to there was to come here */
	if (r->cursor < at && !replica_lost(r, at) &&
	    (r->head < at || r->cursor < r->known))
		return SAT_OK;
	if ((rc = replica_outbox_flush(r, e)) != SAT_OK ||
	    (rc = sat_db_stmt(&s, r->db, SQL_OUTBOX_UNANSWERED, e)) != SAT_OK)
		return rc;
	sat_bind_int(s, 1, r->low);
	if ((rc = sat_step(&row, s, e)) != SAT_OK)
		return rc;
	*yes = !row;
	sat_stmt_reset(s);
	return SAT_OK;
}

/* Nobody looks into what was sent or fetched for the erased one's values: all of
 * it goes (P-196). */
static sat_rc
empty_spool(const sat_replica *r, sat_err *e)
{
	sat_rc rc;

	if (r->spool == NULL || !sat_file_there(r->spool))
		return SAT_OK;
	rc = sat_folder_clear(r->spool, e);
	return rc == SAT_OK ? sat_folder_make(r->spool, e) : rc;
}

sat_rc
replica_erased(void *u, sat_erased *out, bool *wanted, sat_err *e)
{
	sat_replica *r = u;
	sat_buf b = { 0 };
	sat_rc rc;

	*wanted = false;
	if (r->ledger_acked >= r->ledger_rev)
		return SAT_OK;
	if ((rc = nothing_left(wanted, r, e)) != SAT_OK || !*wanted ||
	    (rc = empty_spool(r, e)) != SAT_OK ||
	    (rc = sat_db_checkpoint(r->db, e)) != SAT_OK)
		return rc;
	out->rev = r->ledger_rev;
	sat_erased_bytes(&b, &r->id->org, r->id->device, out->rev);
	sat_sign(out->sig, sat_buf_span(&b), r->id->sign_sk);
	sat_buf_fini(&b);
	return SAT_OK;
}

sat_rc
replica_erased_ok(void *u, sat_err *e)
{
	sat_replica *r = u;
	sat_rc rc;

	if ((rc = replica_session_begin(r, e)) == SAT_OK)
		rc = replica_end(r, true, replica_meta_int(r, "ledger_acked",
		    (int64_t)r->ledger_rev, e), e);
	if (rc == SAT_OK)
		r->ledger_acked = r->ledger_rev;
	return rc;
}

sat_rc
replica_is_erased(bool *yes, sat_replica *r, const sat_id *subject, sat_err *e)
{
	sat_stmt *s;
	sat_rc rc;

	*yes = false;
	if (r->ledger_rev == 0)
		return SAT_OK;
	if ((rc = sat_db_stmt(&s, r->db, SQL_LEDGER_HAS, e)) != SAT_OK)
		return rc;
	sat_bind_blob(s, 1, sat_span_of(subject->b, sizeof subject->b));
	rc = sat_step(yes, s, e);
	sat_stmt_reset(s);
	return rc;
}

sat_rc
replica_about_erased(bool *yes, sat_replica *r, const sat_commit *c,
    sat_err *e)
{
	sat_id named;
	sat_rc rc = replica_is_erased(yes, r, &c->subject, e);

	for (size_t i = 0; i < c->nops && rc == SAT_OK && !*yes; i++)
		if ((rc = replica_is_erased(yes, r, &c->ops[i].rec, e)) ==
		    SAT_OK && !*yes && sat_op_names(&named, &c->ops[i]))
			rc = replica_is_erased(yes, r, &named, e);
	return rc;
}

sat_rc
replica_erase_accepted(sat_replica *r, int64_t seq, sat_err *e)
{
	own_commit o;
	bool yes;
	sat_rc rc;

	if (r->ledger_rev == 0)
		return SAT_OK;
	rc = replica_own_commit(&o, &r->page.mem, r, seq, e);
	if (rc == SAT_ENOTFOUND)
		return SAT_OK; /* gone already */
	return rc != SAT_OK ||
	    (rc = replica_about_erased(&yes, r, &o.c, e)) != SAT_OK || !yes ?
	    rc : hollow(r, seq, e);
}

/* The server dropped the payload of a commit about an erased customer. */
sat_rc
replica_erase_commit(sat_replica *r, int64_t seq, sat_err *e)
{
	char text[64];
	sat_rc rc;

	/* The newest row carries the chain's head: it stays, hollow. */
	if ((rc = replica_run_int(r, seq == r->chain.newest ? SQL_OUTBOX_HOLLOW :
	    SQL_OUTBOX_DEL, seq, e)) != SAT_OK)
		return rc;
	(void)snprintf(text, sizeof text, "commit %llu was about an erased "
	    "customer", (unsigned long long)replica_seq_cseq(seq));
	return sat_replica_audit(r, "erased.late", text, e);
}
