/*
 * store_scope.c - which keys hold which roots, and what concerns a key.
 */
#include "server/store/sqlite/store_int.h"

#include <stdlib.h>
#include <string.h>

static sat_rc
roots_of_key(void *u, sat_scope_key key, uint32_t after,
    bool (*cb)(void *cu, uint32_t root), void *cu, sat_err *e)
{
	sat_sqlite_store *s = u;
	sat_stmt *q;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, SQL_ROOTS_OF_KEY, e)) != SAT_OK)
		return rc;
	sat_bind_int(q, 1, (int64_t)key);
	sat_bind_int(q, 2, after);
	return store_each(q, cb, cu, e);
}

static sat_rc
rec_count(uint64_t *n, void *u, const sat_keys *keys, sat_err *e)
{
	sat_sqlite_store *s = u;
	sat_stmt *q;
	sat_rc rc;

	*n = 0;
	if (sat_keys_has(keys, SAT_KEY_ALL))
		return store_counter_get(n, u, SAT_N_EID, e);
	for (size_t i = 0; i < keys->n; i++) {
		if ((rc = store_stmt(&q, s->db, SQL_REC_COUNT, e)) != SAT_OK)
			return rc;
		sat_bind_int(q, 1, (int64_t)keys->k[i]);
		if ((rc = store_step_one(q, "count", e)) != SAT_OK)
			return rc;
		*n += (uint64_t)sat_col_int(q, 0);
		sat_stmt_reset(q);
	}
	return SAT_OK;
}

static sat_rc
member_get(sat_member *m, void *u, sat_scope_key key, uint32_t root, sat_err *e)
{
	sat_sqlite_store *s = u;
	sat_stmt *q;
	bool row;
	sat_rc rc;

	*m = (sat_member){ 0, 0 };
	if ((rc = store_stmt(&q, s->db, SQL_MEMBER_GET, e)) != SAT_OK)
		return rc;
	sat_bind_int(q, 1, (int64_t)key);
	sat_bind_int(q, 2, root);
	if ((rc = sat_step(&row, q, e)) == SAT_OK && row)
		*m = (sat_member){ sat_col_int(q, 0),
			(uint64_t)sat_col_int(q, 1) };
	sat_stmt_reset(q);
	return rc;
}

static sat_rc
member_put(void *u, sat_scope_key key, uint32_t root, const sat_member *m,
    sat_err *e)
{
	sat_sqlite_store *s = u;
	sat_stmt *q;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, SQL_MEMBER_PUT, e)) != SAT_OK)
		return rc;
	sat_bind_int(q, 1, (int64_t)key);
	sat_bind_int(q, 2, root);
	sat_bind_int(q, 3, m->n);
	sat_bind_int(q, 4, (int64_t)m->left_lsn);
	return sat_run(q, e);
}

static sat_rc
member_keys(void *u, uint32_t root, bool (*cb)(void *cu, sat_scope_key key),
    void *cu, sat_err *e)
{
	sat_sqlite_store *s = u;
	sat_stmt *q;
	bool row;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, SQL_MEMBER_KEYS, e)) != SAT_OK)
		return rc;
	sat_bind_int(q, 1, root);
	while ((rc = sat_step(&row, q, e)) == SAT_OK && row)
		if (!cb(cu, (sat_scope_key)sat_col_int(q, 0)))
			break;
	sat_stmt_reset(q);
	return rc;
}

/* ---- what concerns a key ------------------------------------------------------ */

static int
row_cmp(const void *a, const void *b)
{
	const scope_row *x = a, *y = b;

	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	if (x->lsn != y->lsn)
		return x->lsn < y->lsn ? -1 : 1;
	return x->to < y->to ? -1 : x->to > y->to;
}

static sat_rc
put_rows(sat_sqlite_store *s, int sql, const scope_row *v, int n, sat_err *e)
{
	sat_stmt *q;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, sql, e)) != SAT_OK)
		return rc;
	for (int i = 0; i < n; i++) {
		sat_bind_int(q, 3 * i + 1, (int64_t)v[i].key);
		sat_bind_int(q, 3 * i + 2, (int64_t)v[i].lsn);
		sat_bind_int(q, 3 * i + 3, (int64_t)v[i].to);
	}
	return sat_run(q, e);
}

/* Rows of one key lie side by side in the table: sorted, eight to a
 * statement, they cost half of what they cost one by one. */
static sat_rc
flush(sat_sqlite_store *s, scope_waiting *w, sat_err *e)
{
	bool runs = w == &s->runs;
	int one = runs ? SQL_SCOPE_RUN_PUT : SQL_SCOPE_PUT;
	int eight = runs ? SQL_SCOPE_RUN_PUT_8 : SQL_SCOPE_PUT_8;
	size_t i = 0, n = w->n;
	sat_rc rc = SAT_OK;

	w->n = 0;
	if (n > 1)
		qsort(w->v, n, sizeof *w->v, row_cmp);
	for (; i + 8 <= n && rc == SAT_OK; i += 8)
		rc = put_rows(s, eight, w->v + i, 8, e);
	for (; i < n && rc == SAT_OK; i++)
		rc = put_rows(s, one, w->v + i, 1, e);
	return rc;
}

static sat_rc
add_row(sat_sqlite_store *s, scope_waiting *w, scope_row row, sat_err *e)
{
	sat_rc rc;

	if (w->n == SCOPE_WAITING_MAX && (rc = flush(s, w, e)) != SAT_OK)
		return rc;
	w->v[w->n++] = row;
	return SAT_OK;
}

sat_rc
store_scope_flush(sat_sqlite_store *s, sat_err *e)
{
	sat_rc rc;

	for (size_t i = 0; i < SCOPE_OPEN_MAX; i++) {
		if (s->open[i].to != 0 && (rc = add_row(s, &s->runs, s->open[i],
		    e)) != SAT_OK)
			return rc;
		s->open[i].to = 0;
	}
	if ((rc = flush(s, &s->runs, e)) != SAT_OK)
		return rc;
	return flush(s, &s->rescopes, e);
}

void
store_scope_forget(sat_sqlite_store *s)
{
	s->runs.n = s->rescopes.n = 0;
	memset(s->open, 0, sizeof s->open);
}

void
store_scope_init(sat_sqlite_store *s)
{
	s->runs.v = sat_xmalloc(SCOPE_WAITING_MAX * sizeof *s->runs.v);
	s->rescopes.v = sat_xmalloc(SCOPE_WAITING_MAX * sizeof *s->rescopes.v);
}

void
store_scope_fini(sat_sqlite_store *s)
{
	free(s->runs.v);
	free(s->rescopes.v);
}

/* Most commits of a push concern the same keys: each key's run goes on. */
static sat_rc
put_commit(sat_sqlite_store *s, sat_scope_key key, uint64_t lsn, sat_err *e)
{
	scope_row *r = &s->open[key * 0x9e3779b97f4a7c15u >> 32 &
	    (SCOPE_OPEN_MAX - 1)];
	bool same = r->to != 0 && r->key == key;
	sat_rc rc;

	if (same && lsn >= r->lsn && lsn <= r->to)
		return SAT_OK;
	if (same && lsn == r->to + 1) {
		r->to = lsn;
		return SAT_OK;
	}
	if (r->to != 0 && (rc = add_row(s, &s->runs, *r, e)) != SAT_OK)
		return rc;
	*r = (scope_row){ key, lsn, lsn };
	return SAT_OK;
}

static sat_rc
scope_put(void *u, sat_scope_key key, uint64_t lsn, uint32_t root, sat_err *e)
{
	sat_sqlite_store *s = u;

	if (root == 0)
		return put_commit(s, key, lsn, e);
	return add_row(s, &s->rescopes, (scope_row){ key, lsn, root }, e);
}

/* The statement that lists the entries of these keys after a position. */
static sat_rc
entries(sat_stmt **q, sat_sqlite_store *s, const sat_keys *keys,
    uint64_t after, sat_err *e)
{
	bool all = sat_keys_has(keys, SAT_KEY_ALL);
	int sql = all ? SQL_LOG_AFTER : keys->n == 1 ? SQL_SCOPE_ONE :
	    SQL_SCOPE_MANY;
	const char *const name[SAT_KEYS_MAX] = { "@k1", "@k2", "@k3", "@k4",
		"@k5", "@k6", "@k7", "@k8", "@k9" };
	sat_rc rc;

	_Static_assert(SAT_KEYS_MAX == 9, "as many as scope_many has");

	if ((rc = store_stmt(q, s->db, sql, e)) != SAT_OK)
		return rc;
	sat_bind_int(*q, sat_bind_index(*q, "@after"), (int64_t)after);
	if (sql == SQL_SCOPE_ONE)
		sat_bind_int(*q, sat_bind_index(*q, "@key"),
		    (int64_t)keys->k[0]);
	for (size_t i = 0; sql == SQL_SCOPE_MANY && i < SAT_KEYS_MAX; i++)
		sat_bind_int(*q, sat_bind_index(*q, name[i]),
		    i < keys->n ? (int64_t)keys->k[i] : -1);
	return SAT_OK;
}

/* Runs begin in the order of their first position, and overlap where several
 * keys have the same commits: next..upto is what is begun and not told yet. */
typedef struct walk {
	bool (*cb)(void *cu, uint64_t lsn, uint32_t root);
	void *cu;
	uint64_t next, upto;
} walk;

static bool
tell_commits(walk *w, uint64_t before)
{
	while (w->next <= w->upto && w->next < before)
		if (!w->cb(w->cu, w->next++, 0))
			return false;
	return true;
}

static bool
tell(walk *w, uint64_t lsn, uint32_t root, uint64_t last)
{
	if (!tell_commits(w, root != 0 ? lsn + 1 : lsn))
		return false;
	if (root != 0)
		return w->cb(w->cu, lsn, root);
	if (w->next < lsn)
		w->next = lsn;
	if (w->upto < last)
		w->upto = last;
	return true;
}

static sat_rc
scope_scan(void *u, const sat_keys *keys, uint64_t after,
    bool (*cb)(void *cu, uint64_t lsn, uint32_t root), void *cu, sat_err *e)
{
	walk w = { cb, cu, after + 1, after };
	bool row, on = true;
	sat_stmt *q;
	sat_rc rc;

	if ((rc = store_scope_flush(u, e)) != SAT_OK ||
	    (rc = store_log_flush(u, e)) != SAT_OK ||
	    (rc = entries(&q, u, keys, after, e)) != SAT_OK)
		return rc;
	while (on && (rc = sat_step(&row, q, e)) == SAT_OK && row)
		on = tell(&w, (uint64_t)sat_col_int(q, 0),
		    (uint32_t)sat_col_int(q, 1), (uint64_t)sat_col_int(q, 2));
	sat_stmt_reset(q);
	if (rc == SAT_OK && on)
		(void)tell_commits(&w, UINT64_MAX);
	return rc;
}

static sat_rc
scope_head(uint64_t *lsn, void *u, const sat_keys *keys, sat_err *e)
{
	sat_sqlite_store *s = u;
	bool all = sat_keys_has(keys, SAT_KEY_ALL);
	uint64_t head;
	sat_stmt *q;
	sat_rc rc;

	*lsn = 0;
	if ((rc = store_scope_flush(s, e)) != SAT_OK ||
	    (rc = store_log_flush(s, e)) != SAT_OK)
		return rc;
	for (size_t i = 0; i < keys->n; i++) {
		if ((rc = store_stmt(&q, s->db, all ? SQL_LOG_HEAD :
		    SQL_SCOPE_HEAD, e)) != SAT_OK)
			return rc;
		if (!all)
			sat_bind_int(q, 1, (int64_t)keys->k[i]);
		if ((rc = store_step_one(q, "head", e)) != SAT_OK)
			return rc;
		head = (uint64_t)sat_col_int(q, 0);
		sat_stmt_reset(q);
		if (head > *lsn)
			*lsn = head;
	}
	return SAT_OK;
}

void
store_scope_ops(sat_store *o)
{
	o->roots_of_key = roots_of_key;
	o->rec_count = rec_count;
	o->member_get = member_get;
	o->member_put = member_put;
	o->member_keys = member_keys;
	o->scope_put = scope_put;
	o->scope_scan = scope_scan;
	o->scope_head = scope_head;
}
