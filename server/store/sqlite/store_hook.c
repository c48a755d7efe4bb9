/*
 * store_hook.c - who is told, and what is still to be told (hooks.h).
 */
#include "server/store/sqlite/hooks.h"
#include "server/store/sqlite/store_int.h"

#include <string.h>

static void
hook_take(sat_hook *h, sat_arena *a, sat_stmt *q)
{
	h->id = sat_col_int(q, 0);
	h->url = store_text(a, q, 1);
	h->format = store_text(a, q, 2);
	h->events = store_text(a, q, 3);
	h->secret = store_text(a, q, 4);
	h->plain = sat_col_int(q, 5) != 0;
	h->since = (uint64_t)sat_col_int(q, 6);
	h->made_ms = sat_col_int(q, 7);
	h->fails = sat_col_int(q, 8);
	h->rest_ms = sat_col_int(q, 9);
	h->sent = sat_col_int(q, 10);
	h->sent_ms = sat_col_int(q, 11);
	h->error_ms = sat_col_int(q, 12);
	h->error = store_text(a, q, 13);
	h->waiting = sat_col_int(q, 14);
	h->dead = sat_col_int(q, 15);
}

sat_rc
sat_sqlite_hooks(sat_hook **out, size_t *n, sat_arena *a, sat_sqlite_store *s,
    sat_err *e)
{
	sat_stmt *q;
	bool row;
	sat_rc rc;

	*n = 0;
	*out = sat_arena_alloc(a, SAT_HOOKS_MAX * sizeof **out);
	if ((rc = store_stmt(&q, s->db, SQL_HOOK_ALL, e)) != SAT_OK)
		return rc;
	while ((rc = sat_step(&row, q, e)) == SAT_OK && row &&
	    *n < SAT_HOOKS_MAX)
		hook_take(&(*out)[(*n)++], a, q);
	sat_stmt_reset(q);
	return rc;
}

sat_rc
sat_sqlite_hook_get(sat_hook *out, sat_arena *a, sat_sqlite_store *s, int64_t id,
    sat_err *e)
{
	sat_hook *list;
	size_t n;
	sat_rc rc = sat_sqlite_hooks(&list, &n, a, s, e);

	for (size_t i = 0; i < n && rc == SAT_OK; i++)
		if (list[i].id == id) {
			*out = list[i];
			return SAT_OK;
		}
	return rc != SAT_OK ? rc : sat_fail_code(e, SAT_ENOTFOUND, "not_found",
	    "see: webhook list", "there is no webhook %lld", (long long)id);
}

static sat_rc
hook_put(int64_t *id, sat_sqlite_store *s, const sat_hook *h, sat_err *e)
{
	sat_stmt *q;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, SQL_HOOK_PUT, e)) != SAT_OK)
		return rc;
	sat_bind_text(q, 1, sat_span_str(h->url));
	sat_bind_text(q, 2, sat_span_str(h->format));
	sat_bind_text(q, 3, sat_span_str(h->events));
	sat_bind_text(q, 4, sat_span_str(h->secret));
	sat_bind_int(q, 5, h->plain);
	sat_bind_int(q, 6, (int64_t)h->since);
	sat_bind_int(q, 7, h->made_ms);
	rc = sat_run(q, e);
	*id = sat_db_last_rowid(s->db);
	return rc;
}

sat_rc
sat_sqlite_hook_add(int64_t *id, sat_sqlite_store *s, const sat_hook *h, sat_err *e)
{
	sat_arena a = { 0 };
	sat_hook *list;
	size_t n;
	sat_rc rc = sat_sqlite_hooks(&list, &n, &a, s, e);

	for (size_t i = 0; i < n && rc == SAT_OK; i++)
		if (strcmp(list[i].url, h->url) == 0)
			rc = sat_fail_code(e, SAT_ECONFLICT, "duplicate",
			    "see: webhook list", "webhook %lld has this address",
			    (long long)list[i].id);
	if (rc == SAT_OK && n == SAT_HOOKS_MAX)
		rc = sat_fail_code(e, SAT_ENOSPACE, "webhook.many",
		    "remove one of them", "there are %d webhooks already",
		    SAT_HOOKS_MAX);
	if (rc == SAT_OK && (rc = sat_db_begin(s->db, e)) == SAT_OK) {
		rc = hook_put(id, s, h, e);
		if (rc == SAT_OK && n == 0) /* nobody was told anything so far */
			rc = store_counter_put(s, SAT_N_TOLD, h->since, e);
		rc = store_end(s, rc, e);
	}
	sat_arena_fini(&a);
	return rc;
}

sat_rc
sat_sqlite_hook_remove(sat_sqlite_store *s, int64_t id, sat_err *e)
{
	sat_arena a = { 0 };
	sat_hook h;
	sat_rc rc = sat_sqlite_hook_get(&h, &a, s, id, e);

	sat_arena_fini(&a);
	if (rc != SAT_OK || (rc = sat_db_begin(s->db, e)) != SAT_OK)
		return rc;
	if ((rc = store_run_int(s, SQL_HOOK_EVENTS_DEL, id, e)) == SAT_OK)
		rc = store_run_int(s, SQL_HOOK_DEL, id, e);
	return store_end(s, rc, e);
}

/* ---- the queue ----------------------------------------------------------------------------- */

sat_rc
sat_sqlite_hook_told(uint64_t *lsn, sat_sqlite_store *s, sat_err *e)
{
	return store_counter_get(lsn, s, SAT_N_TOLD, e);
}

static sat_rc
event_put(sat_sqlite_store *s, const sat_hook_event *x, sat_err *e)
{
	sat_stmt *q;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, SQL_HOOK_EVENT_PUT, e)) != SAT_OK)
		return rc;
	sat_bind_int(q, 1, x->hook);
	store_bind_id(q, 2, &x->subject);
	sat_bind_blob(q, 3, x->body);
	sat_bind_text(q, 4, sat_span_str(x->line));
	sat_bind_int(q, 5, x->made_ms);
	return sat_run(q, e);
}

/* Nothing grows without a limit while a receiver is away. */
static sat_rc
keep_within(sat_sqlite_store *s, int64_t hook, int64_t now_ms, sat_err *e)
{
	sat_stmt *q;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, SQL_HOOK_OLD, e)) != SAT_OK)
		return rc;
	sat_bind_int(q, 1, hook);
	sat_bind_int(q, 2, SAT_HOOK_WAITING_MAX);
	if ((rc = sat_run(q, e)) != SAT_OK ||
	    (rc = store_stmt(&q, s->db, SQL_HOOK_BURIED, e)) != SAT_OK)
		return rc;
	sat_bind_int(q, 1, hook);
	sat_bind_int(q, 2, SAT_HOOK_DEAD_MAX);
	sat_bind_int(q, 3, now_ms - SAT_HOOK_DEAD_MS);
	return sat_run(q, e);
}

sat_rc
sat_sqlite_hook_queue(sat_sqlite_store *s, uint64_t lsn, const sat_hook_event *list,
    size_t n, sat_err *e)
{
	sat_rc rc = sat_db_begin(s->db, e);

	if (rc != SAT_OK)
		return rc;
	for (size_t i = 0; i < n && rc == SAT_OK; i++)
		rc = event_put(s, &list[i], e);
	if (rc == SAT_OK)
		rc = store_counter_put(s, SAT_N_TOLD, lsn, e);
	return store_end(s, rc, e);
}

static sat_rc
events_take(sat_hook_event **out, size_t *n, sat_arena *a, sat_stmt *q,
    int64_t hook, size_t limit, sat_err *e)
{
	bool row;
	sat_rc rc;

	*n = 0;
	*out = sat_arena_alloc(a, (limit + 1) * sizeof **out);
	while ((rc = sat_step(&row, q, e)) == SAT_OK && row && *n < limit) {
		sat_hook_event *x = &(*out)[(*n)++];
		sat_span body = sat_col_blob(q, 1);

		memset(x, 0, sizeof *x);
		x->seq = sat_col_int(q, 0);
		x->hook = hook;
		x->body = store_copy(a, body);
		x->line = store_text(a, q, 2);
		x->made_ms = sat_col_int(q, 3);
		x->tries = sat_col_int(q, 4);
		x->error = sat_col_count(q) > 5 ? store_text(a, q, 5) : "";
	}
	sat_stmt_reset(q);
	return rc;
}

sat_rc
sat_sqlite_hook_due(sat_hook_event **out, size_t *n, sat_arena *a,
    sat_sqlite_store *s, int64_t hook, int64_t now_ms, size_t limit, sat_err *e)
{
	sat_stmt *q;
	sat_rc rc;

	*n = 0;
	if ((rc = store_stmt(&q, s->db, SQL_HOOK_DUE, e)) != SAT_OK)
		return rc;
	sat_bind_int(q, 1, hook);
	sat_bind_int(q, 2, now_ms);
	sat_bind_int(q, 3, (int64_t)limit);
	return events_take(out, n, a, q, hook, limit, e);
}

sat_rc
sat_sqlite_hook_dead(sat_hook_event **out, size_t *n, sat_arena *a,
    sat_sqlite_store *s, int64_t hook, size_t limit, sat_err *e)
{
	sat_stmt *q;
	sat_rc rc;

	*n = 0;
	if ((rc = store_stmt(&q, s->db, SQL_HOOK_DEAD, e)) != SAT_OK)
		return rc;
	sat_bind_int(q, 1, hook);
	sat_bind_int(q, 2, (int64_t)limit);
	return events_take(out, n, a, q, hook, limit, e);
}

sat_rc
sat_sqlite_hook_sent(sat_sqlite_store *s, int64_t hook, const int64_t *seq, size_t n,
    int64_t now_ms, int64_t rest_ms, sat_err *e)
{
	sat_rc rc = sat_db_begin(s->db, e);
	sat_stmt *q;

	if (rc != SAT_OK)
		return rc;
	for (size_t i = 0; i < n && rc == SAT_OK; i++)
		rc = store_run_int(s, SQL_HOOK_EVENT_DEL, seq[i], e);
	if (rc == SAT_OK &&
	    (rc = store_stmt(&q, s->db, SQL_HOOK_SENT, e)) == SAT_OK) {
		sat_bind_int(q, 1, (int64_t)n);
		sat_bind_int(q, 2, now_ms);
		sat_bind_int(q, 3, rest_ms);
		sat_bind_int(q, 4, hook);
		rc = sat_run(q, e);
	}
	return store_end(s, rc, e);
}

/* The error of a hook; rest_ms < 0: it is still up. */
static sat_rc
error_put(sat_sqlite_store *s, int64_t hook, const char *why, int64_t now_ms,
    int64_t rest_ms, sat_err *e)
{
	bool down = rest_ms >= 0;
	int i = 1;
	sat_stmt *q;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, down ? SQL_HOOK_DOWN : SQL_HOOK_ERROR,
	    e)) != SAT_OK)
		return rc;
	if (down)
		sat_bind_int(q, i++, rest_ms);
	sat_bind_int(q, i++, now_ms);
	sat_bind_text(q, i++, sat_span_str(why));
	sat_bind_int(q, i, hook);
	return sat_run(q, e);
}

sat_rc
sat_sqlite_hook_down(sat_sqlite_store *s, int64_t hook, const char *why,
    int64_t now_ms, int64_t rest_ms, int64_t before_ms, sat_err *e)
{
	sat_rc rc = sat_db_begin(s->db, e);
	sat_stmt *q;

	if (rc != SAT_OK)
		return rc;
	if ((rc = store_stmt(&q, s->db, SQL_HOOK_EXPIRE, e)) == SAT_OK) {
		sat_bind_text(q, 1, sat_span_str(why));
		sat_bind_int(q, 2, hook);
		sat_bind_int(q, 3, before_ms);
		rc = sat_run(q, e);
	}
	if (rc == SAT_OK)
		rc = keep_within(s, hook, now_ms, e);
	if (rc == SAT_OK)
		rc = error_put(s, hook, why, now_ms, rest_ms, e);
	return store_end(s, rc, e);
}

sat_rc
sat_sqlite_hook_refused(sat_sqlite_store *s, int64_t hook, int64_t seq,
    const char *why, int64_t now_ms, int64_t due_ms, bool dead, sat_err *e)
{
	sat_rc rc = sat_db_begin(s->db, e);
	sat_stmt *q;

	if (rc != SAT_OK)
		return rc;
	if ((rc = store_stmt(&q, s->db, SQL_HOOK_EVENT_REFUSED, e)) == SAT_OK) {
		sat_bind_int(q, 1, due_ms);
		sat_bind_int(q, 2, dead);
		sat_bind_text(q, 3, sat_span_str(why));
		sat_bind_int(q, 4, seq);
		rc = sat_run(q, e);
	}
	if (rc == SAT_OK)
		rc = keep_within(s, hook, now_ms, e);
	if (rc == SAT_OK)
		rc = error_put(s, hook, why, now_ms, -1, e);
	return store_end(s, rc, e);
}

sat_rc
sat_sqlite_hook_wake(sat_sqlite_store *s, int64_t id, sat_err *e)
{
	sat_rc rc = sat_db_begin(s->db, e);

	return rc != SAT_OK ? rc : store_end(s, store_run_int(s, SQL_HOOK_WAKE, id, e), e);
}

sat_rc
sat_sqlite_hook_again(int64_t *n, sat_sqlite_store *s, int64_t id, int64_t now_ms,
    sat_err *e)
{
	sat_arena a = { 0 };
	sat_stmt *q;
	sat_hook h;
	sat_rc rc = sat_sqlite_hook_get(&h, &a, s, id, e);

	*n = rc == SAT_OK ? h.waiting + h.dead : 0;
	sat_arena_fini(&a);
	if (rc != SAT_OK || (rc = sat_db_begin(s->db, e)) != SAT_OK)
		return rc;
	if ((rc = store_stmt(&q, s->db, SQL_HOOK_AGAIN, e)) == SAT_OK) {
		sat_bind_int(q, 1, now_ms);
		sat_bind_int(q, 2, id);
		rc = sat_run(q, e);
	}
	if (rc == SAT_OK)
		rc = store_run_int(s, SQL_HOOK_WAKE, id, e);
	return store_end(s, rc, e);
}
