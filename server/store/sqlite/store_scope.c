/*
 * store_scope.c - which keys hold which roots, and what concerns a key.
 */
#include "server/store/sqlite/store_int.h"

#include <string.h>

static sat_rc
roots_of_key(void *u, sat_scope_key key, uint32_t after,
    bool (*cb)(void *cu, uint32_t root), void *cu, sat_err *e)
{
	sat_sqlite_store *s = u;
	sat_stmt *q;
	bool row;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, SQL_ROOTS_OF_KEY, e)) != SAT_OK)
		return rc;
	sat_bind_int(q, 1, (int64_t)key);
	sat_bind_int(q, 2, after);
	while ((rc = sat_step(&row, q, e)) == SAT_OK && row)
		if (!cb(cu, (uint32_t)sat_col_int(q, 0)))
			break;
	sat_stmt_reset(q);
	return rc;
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

static sat_rc
scope_put(void *u, sat_scope_key key, uint64_t lsn, uint32_t root, sat_err *e)
{
	sat_sqlite_store *s = u;
	sat_stmt *q;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, SQL_SCOPE_PUT, e)) != SAT_OK)
		return rc;
	sat_bind_int(q, 1, (int64_t)key);
	sat_bind_int(q, 2, (int64_t)lsn);
	sat_bind_int(q, 3, root);
	return sat_run(q, e);
}

/* The statement that lists the entries of these keys after a position. */
static sat_rc
entries(sat_stmt **q, sat_sqlite_store *s, const sat_keys *keys,
    uint64_t after, sat_err *e)
{
	bool all = sat_keys_has(keys, SAT_KEY_ALL);
	int sql = all ? SQL_LOG_AFTER : keys->n == 1 ? SQL_SCOPE_ONE :
	    SQL_SCOPE_MANY;
	const char *const name[] = { "@k1", "@k2", "@k3", "@k4" };
	sat_rc rc;

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

	if ((rc = entries(&q, u, keys, after, e)) != SAT_OK)
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
