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

static int
entry_cmp(const void *a, const void *b)
{
	const scope_entry *x = a, *y = b;

	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	if (x->lsn != y->lsn)
		return x->lsn < y->lsn ? -1 : 1;
	return x->root < y->root ? -1 : x->root > y->root;
}

static sat_rc
put_entries(sat_sqlite_store *s, int sql, const scope_entry *v, int n,
    sat_err *e)
{
	sat_stmt *q;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, sql, e)) != SAT_OK)
		return rc;
	for (int i = 0; i < n; i++) {
		sat_bind_int(q, 3 * i + 1, (int64_t)v[i].key);
		sat_bind_int(q, 3 * i + 2, (int64_t)v[i].lsn);
		sat_bind_int(q, 3 * i + 3, v[i].root);
	}
	return sat_run(q, e);
}

/* Entries of one key lie side by side in the table: sorted, eight to a
 * statement, they cost half of what they cost one by one. */
sat_rc
store_scope_flush(sat_sqlite_store *s, sat_err *e)
{
	size_t i = 0, n = s->nwaiting;
	sat_rc rc = SAT_OK;

	s->nwaiting = 0;
	if (n > 1)
		qsort(s->waiting, n, sizeof *s->waiting, entry_cmp);
	for (; i + 8 <= n && rc == SAT_OK; i += 8)
		rc = put_entries(s, SQL_SCOPE_PUT_8, s->waiting + i, 8, e);
	for (; i < n && rc == SAT_OK; i++)
		rc = put_entries(s, SQL_SCOPE_PUT, s->waiting + i, 1, e);
	return rc;
}

static sat_rc
scope_put(void *u, sat_scope_key key, uint64_t lsn, uint32_t root, sat_err *e)
{
	sat_sqlite_store *s = u;
	sat_rc rc;

	if (s->nwaiting == SCOPE_WAITING_MAX &&
	    (rc = store_scope_flush(s, e)) != SAT_OK)
		return rc;
	s->waiting[s->nwaiting++] = (scope_entry){ key, lsn, root };
	return SAT_OK;
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

static sat_rc
scope_scan(void *u, const sat_keys *keys, uint64_t after,
    bool (*cb)(void *cu, uint64_t lsn, uint32_t root), void *cu, sat_err *e)
{
	sat_stmt *q;
	bool row;
	sat_rc rc;

	if ((rc = store_scope_flush(u, e)) != SAT_OK ||
	    (rc = store_log_flush(u, e)) != SAT_OK ||
	    (rc = entries(&q, u, keys, after, e)) != SAT_OK)
		return rc;
	while ((rc = sat_step(&row, q, e)) == SAT_OK && row)
		if (!cb(cu, (uint64_t)sat_col_int(q, 0),
		    (uint32_t)sat_col_int(q, 1)))
			break;
	sat_stmt_reset(q);
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
