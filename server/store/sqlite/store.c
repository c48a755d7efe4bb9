/*
 * store.c - open, transactions, counters, and proof over the whole file.
 *
 * Why the core's counters live in rows and not in max(): a restored or
 * truncated log must not give a position or a record number twice.
 */
#include "server/store/sqlite/store_int.h"

#include <stdlib.h>
#include <string.h>

sat_rc
store_step_one(sat_stmt *q, const char *what, sat_err *e)
{
	bool row;
	sat_rc rc = sat_step(&row, q, e);

	if (rc == SAT_OK && !row) {
		sat_stmt_reset(q);
		return sat_fail(e, SAT_ENOTFOUND, "no such %s", what);
	}
	return rc;
}

void
store_take_id(sat_id *id, sat_span s)
{
	memset(id, 0, sizeof *id);
	if (s.n == sizeof id->b)
		memcpy(id->b, s.p, s.n);
}

void
store_bind_id(sat_stmt *q, int i, const sat_id *id)
{
	sat_bind_blob(q, i, sat_span_of(id->b, sizeof id->b));
}

sat_span
store_copy(sat_arena *a, sat_span s)
{
	if (s.n == 0)
		return (sat_span){ NULL, 0 };
	return sat_span_of(sat_arena_dup(a, s.p, s.n), s.n);
}

const char *
store_text(sat_arena *a, sat_stmt *q, int i)
{
	sat_span s = sat_col_text(q, i);

	return sat_arena_str(a, s.p, s.n);
}

sat_rc
store_each(sat_stmt *q, bool (*cb)(void *cu, uint32_t n), void *cu, sat_err *e)
{
	bool row;
	sat_rc rc;

	while ((rc = sat_step(&row, q, e)) == SAT_OK && row)
		if (!cb(cu, (uint32_t)sat_col_int(q, 0)))
			break;
	sat_stmt_reset(q);
	return rc;
}

sat_rc
store_run_int(sat_sqlite_store *s, int sql, int64_t v, sat_err *e)
{
	sat_stmt *q;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, sql, e)) != SAT_OK)
		return rc;
	sat_bind_int(q, 1, v);
	return sat_run(q, e);
}

/* ---- transactions, counters -------------------------------------------------- */

sat_rc
store_end(sat_sqlite_store *s, sat_rc rc, sat_err *e)
{
	if (rc == SAT_OK)
		rc = sat_db_commit(s->db, e);
	if (rc != SAT_OK)
		sat_db_rollback(s->db);
	return rc;
}

static sat_rc
begin(void *u, sat_err *e)
{
	sat_sqlite_store *s = u;

	store_log_end_read(s);
	return sat_db_begin(s->db, e);
}

static void
rollback(void *u)
{
	sat_sqlite_store *s = u;

	s->eid_known = false;
	s->pack.n = 0;
	store_scope_forget(s);
	store_log_end_read(s);
	store_late_rollback(s);
	sat_db_rollback(s->db);
}

static sat_rc
commit(void *u, sat_err *e)
{
	sat_sqlite_store *s = u;
	sat_rc rc;

	store_log_end_read(s);
	if ((rc = store_log_flush(s, e)) == SAT_OK &&
	    (rc = store_scope_flush(s, e)) == SAT_OK &&
	    (rc = store_late_sweep(s, e)) == SAT_OK)
		rc = sat_db_commit(s->db, e);
	if (rc != SAT_OK)
		rollback(u);
	else
		store_late_commit(s);
	return rc;
}

static sat_rc
tidy(void *u, sat_err *e)
{
	return sat_db_tidy(((sat_sqlite_store *)u)->db, e);
}

sat_rc
store_settle(sat_sqlite_store *s, sat_err *e)
{
	sat_rc rc;

	if ((rc = begin(s, e)) != SAT_OK)
		return rc;
	if ((rc = store_late_settle(s, e)) == SAT_OK)
		return commit(s, e);
	rollback(s);
	return rc;
}

sat_rc
store_counter_get(uint64_t *v, void *u, sat_counter c, sat_err *e)
{
	sat_sqlite_store *s = u;
	sat_stmt *q;
	bool row;
	sat_rc rc;

	*v = 0;
	if ((rc = store_stmt(&q, s->db, SQL_COUNTER_GET, e)) != SAT_OK)
		return rc;
	sat_bind_int(q, 1, c);
	if ((rc = sat_step(&row, q, e)) == SAT_OK && row)
		*v = (uint64_t)sat_col_int(q, 0);
	sat_stmt_reset(q);
	return rc;
}

sat_rc
store_counter_put(void *u, sat_counter c, uint64_t v, sat_err *e)
{
	sat_sqlite_store *s = u;
	sat_stmt *q;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, SQL_COUNTER_PUT, e)) != SAT_OK)
		return rc;
	sat_bind_int(q, 1, c);
	sat_bind_int(q, 2, (int64_t)v);
	return sat_run(q, e);
}

/* ---- life ------------------------------------------------------------------------ */

static char *
folder_beside(const char *db, const char *name)
{
	const char *slash = strrchr(db, '/');
	int n = slash == NULL ? 0 : (int)(slash - db + 1);

	return sat_xasprintf("%.*s%s", n, db, name);
}

const char *
sat_sqlite_snapshots_folder(const sat_sqlite_store *s)
{
	return s->snapshots;
}

sat_rc
sat_sqlite_store_open(sat_sqlite_store **out, const sat_sqlite_store_opts *o,
    sat_err *e)
{
	sat_db_open_opts d = { .path = o->path, .keyring = o->keyring,
		.create = o->create, .vfs_below = o->vfs_below,
		.sql = server_store_sqlite_sql,
		.nsql = server_store_sqlite_sql_count,
		.cache_kib = o->cache_kib,
		.bug_sync_normal = o->bug_sync_normal };
	sat_sqlite_store *s = sat_xcalloc(1, sizeof *s);
	sat_rc rc;

	*out = NULL;
	s->clock = o->clock;
	s->keyring = o->keyring;
	if (o->segments != NULL)
		s->segments = sat_xstrdup(o->segments);
	else if (o->vfs_below == NULL)
		s->segments = folder_beside(o->path, "segments");
	if (o->vfs_below == NULL)
		s->snapshots = folder_beside(o->path, "snapshots");
	store_late_init(s, o->rec_window);
	store_scope_init(s);
	if ((rc = sat_db_open(&s->db, &d, e)) != SAT_OK ||
	    (rc = sat_db_migrate(s->db, server_store_sqlite_schema,
	    server_store_sqlite_schema_count, e)) != SAT_OK) {
		sat_sqlite_store_close(s);
		return rc;
	}
	*out = s;
	return SAT_OK;
}

static void
free_store(sat_sqlite_store *s)
{
	store_late_fini(s);
	store_scope_fini(s);
	sat_buf_fini(&s->pack.bytes);
	sat_buf_fini(&s->read.bytes);
	sat_arena_fini(&s->segment.mem);
	free(s->segments);
	free(s->snapshots);
	free(s);
}

void
sat_sqlite_store_close(sat_sqlite_store *s)
{
	if (s == NULL)
		return;
	/* When it fails the next core has more to do. */
	if (s->late.nlate > 0 && !sat_db_dead(s->db) && !sat_db_in_txn(s->db))
		(void)!store_settle(s, NULL);
	sat_db_close(s->db);
	free_store(s);
}

void
sat_sqlite_store_abandon(sat_sqlite_store *s)
{
	if (s == NULL)
		return;
	sat_db_abandon(s->db);
	free_store(s);
}

sat_db *
sat_sqlite_store_db(sat_sqlite_store *s)
{
	return s->db;
}

sat_store
sat_sqlite_store_ops(sat_sqlite_store *s)
{
	sat_store o = { .u = s, .begin = begin, .commit = commit,
		.rollback = rollback, .tidy = tidy,
		.counter_get = store_counter_get,
		.counter_put = store_counter_put };

	store_log_ops(&o);
	store_rec_ops(&o);
	store_late_ops(&o);
	store_scope_ops(&o);
	store_who_ops(&o);
	store_digest_ops(&o);
	store_number_ops(&o);
	store_loss_ops(&o);
	store_erase_ops(&o);
	store_pool_ops(&o);
	store_coverage_ops(&o);
	store_answer_ops(&o);
	store_wipe_ops(&o);
	store_keys_ops(&o);
	store_file_ops(&o);
	return o;
}

/* ---- the whole file ------------------------------------------------------------- */

static sat_rc
check_counts(sat_sqlite_store *s, sat_err *e)
{
	static const char *const what[] = { "the log has holes",
		"the log's head and its counter differ",
		"records and their counter differ",
		"a record's root is missing",
		"a chain counts a commit that is not stored" };
	sat_stmt *q;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, SQL_CHECK_COUNTS, e)) != SAT_OK ||
	    (rc = store_step_one(q, "count", e)) != SAT_OK)
		return rc;
	for (int i = 0; i < sat_col_count(q) && rc == SAT_OK; i++)
		if (sat_col_int(q, i) != 0)
			rc = sat_fail(e, SAT_EINTEGRITY, "%s", what[i]);
	sat_stmt_reset(q);
	return rc;
}

sat_rc
sat_sqlite_store_check(sat_sqlite_store *s, bool quick, sat_err *e)
{
	sat_rc rc = sat_db_check(s->db, quick, e);

	return rc != SAT_OK ? rc : check_counts(s, e);
}

sat_rc
sat_sqlite_store_backup(uint64_t *lsn, sat_sqlite_store *s,
    const char *to_path, sat_err *e)
{
	sat_rc rc;

	/* One thread: nothing is written between the count and the copy. */
	if ((rc = store_settle(s, e)) != SAT_OK ||
	    (rc = store_counter_get(lsn, s, SAT_N_LSN, e)) != SAT_OK)
		return rc;
	return sat_db_copy(s->db, to_path, e);
}

sat_rc
sat_sqlite_mark_durable(sat_sqlite_store *s, uint64_t lsn, sat_err *e)
{
	uint64_t was = 0;
	sat_rc rc;

	if ((rc = sat_db_begin(s->db, e)) != SAT_OK)
		return rc;
	if ((rc = store_counter_get(&was, s, SAT_N_DURABLE, e)) == SAT_OK &&
	    (lsn <= was || (rc = store_counter_put(s, SAT_N_DURABLE, lsn, e)) ==
	    SAT_OK) && (rc = sat_db_commit(s->db, e)) == SAT_OK)
		return SAT_OK;
	sat_db_rollback(s->db);
	return rc;
}
