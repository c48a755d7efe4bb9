/*
 * alike.c - records that share a match key: the table of keys read from the
 * other side, and carried over to another template; and the records the server
 * told more of than this device holds.
 */
#include "client/replica/replica_int.h"

#include <string.h>

typedef struct shared {
	int64_t key, rid;
} shared;

static sat_rc
read_shared(shared **list, size_t *n, sat_arena *a, sat_replica *r, size_t max,
    sat_err *e)
{
	size_t cap = 0;
	sat_stmt *s;
	bool row;
	sat_rc rc;

	*list = NULL;
	*n = 0;
	if ((rc = sat_db_stmt(&s, r->db, SQL_MATCH_SHARED, e)) != SAT_OK)
		return rc;
	sat_bind_int(s, 1, (int64_t)max);
	while ((rc = sat_step(&row, s, e)) == SAT_OK && row) {
		SAT_ARENA_GROW(*list, *n, cap, a);
		(*list)[(*n)++] = (shared){ sat_col_int(s, 0),
			sat_col_int(s, 1) };
	}
	return rc;
}

/* A record's number is its own among all kinds. */
static sat_rc
find_rid(const replica_kind **kind, sat_id *id, bool *found, sat_replica *r,
    int64_t rid, sat_err *e)
{
	replica_row *row;
	sat_rc rc;

	*found = false;
	for (size_t i = 0; i < r->kinds->n && !*found; i++) {
		const replica_kind *k = &r->kinds->k[i];

		if (k->sql[KQ_MATCH] == NULL)
			continue;
		if ((rc = replica_page_by_rid(&row, r, k, rid, e)) != SAT_OK)
			return rc;
		if (row == NULL)
			continue;
		*found = true;
		*kind = k;
		*id = row->view.id;
	}
	return SAT_OK;
}

static sat_rc
one_group(sat_replica *r, const shared *list, size_t n, sat_id *ids,
    sat_rc (*cb)(void *u, const sat_kind *kind, const sat_id *ids, size_t n,
    sat_err *e), void *u, sat_err *e)
{
	const replica_kind *kind = NULL, *k = NULL;
	size_t got = 0;
	bool found;
	sat_rc rc;

	replica_page_reset(r);
	for (size_t i = 0; i < n; i++) {
		if ((rc = find_rid(&k, &ids[got], &found, r, list[i].rid,
		    e)) != SAT_OK)
			return rc;
		if (!found || (kind != NULL && k != kind))
			continue; /* two kinds under one hash */
		kind = k;
		got++;
	}
	return got < 2 ? SAT_OK : cb(u, kind->kind, ids, got, e);
}

sat_rc
sat_replica_alike(sat_replica *r, size_t max, sat_rc (*cb)(void *u,
    const sat_kind *kind, const sat_id *ids, size_t n, sat_err *e), void *u,
    sat_err *e)
{
	sat_arena a = { 0 };
	shared *list;
	sat_id *ids = sat_arena_alloc(&a, (max + 1) * sizeof *ids);
	size_t n, from = 0;
	sat_rc rc = r->kinds == NULL ? SAT_OK : read_shared(&list, &n, &a, r,
	    max, e);

	while (rc == SAT_OK && r->kinds != NULL && from < n) {
		size_t to = from;

		while (to < n && list[to].key == list[from].key)
			to++;
		rc = one_group(r, list + from, to - from, ids, cb, u, e);
		from = to;
	}
	sat_arena_fini(&a);
	return rc;
}

/* ---- another template's duplicate keys ------------------------------------------------ */

static bool
is_key_in(const replica_kinds *ks, uint16_t kind, uint16_t field)
{
	const replica_kind *k = replica_kind_by(ks, kind);

	for (size_t i = 0; k != NULL && i < k->n; i++)
		if (k->fields[i]->id == field)
			return k->match[i];
	return false;
}

static bool
all_keys_in(const replica_kinds *ks, const replica_kind *k)
{
	for (size_t i = 0; i < k->n; i++)
		if (k->match[i] && !is_key_in(ks, k->kind->id,
		    k->fields[i]->id))
			return false;
	return true;
}

/* The statement reads the columns of the earlier kind's keys in their order. */
static sat_rc
drop_keys(sat_replica *r, const replica_kind *k, sat_err *e)
{
	int64_t key;
	sat_stmt *s, *del;
	bool row;
	sat_rc rc;

	if ((rc = replica_kind_stmt(&s, r, k, KQ_MATCH, e)) != SAT_OK ||
	    (rc = sat_db_stmt(&del, r->db, SQL_MATCH_DEL, e)) != SAT_OK)
		return rc;
	while ((rc = sat_step(&row, s, e)) == SAT_OK && row)
		for (size_t i = 0, col = 1; i < k->n; i++) {
			sat_value v;

			if (!k->match[i])
				continue;
			v = replica_col_value(s, (int)col++);
			if (is_key_in(r->kinds, k->kind->id,
			    k->fields[i]->id) || !sat_match_key(&key, &r->b4,
			    k->kind, k->fields[i], v))
				continue;
			sat_bind_int(del, 1, key);
			sat_bind_int(del, 2, sat_col_int(s, 0));
			if ((rc = sat_run(del, e)) != SAT_OK) {
				sat_stmt_reset(s);
				return rc;
			}
		}
	return rc;
}

/* Keys of numbers and their aliases stay: these are keys in every template. */
sat_rc
replica_match_adopt(sat_replica *r, const replica_kinds *was, sat_err *e)
{
	bool more = false;
	sat_rc rc;

	for (size_t i = 0; i < was->n; i++)
		if (!all_keys_in(r->kinds, &was->k[i]) &&
		    (rc = drop_keys(r, &was->k[i], e)) != SAT_OK)
			return rc;
	for (size_t i = 0; i < r->kinds->n; i++)
		more = more || !all_keys_in(was, &r->kinds->k[i]);
	return more ? replica_match_build(r, e) : SAT_OK;
}

/* ---- records the server told of ------------------------------------------------------ */

sat_rc
sat_replica_each_told(sat_replica *r, sat_rc (*cb)(void *u,
    const sat_view *v, sat_err *e), void *u, sat_err *e)
{
	sat_arena a = { 0 }, one = { 0 };
	sat_rc rc = SAT_OK;

	for (size_t i = 0; r->kinds != NULL && i < r->kinds->n && rc == SAT_OK;
	     i++) {
		const replica_kind *k = &r->kinds->k[i];
		replica_row *row;
		int64_t *rids;
		sat_view v;
		size_t n;

		rc = replica_kind_rids(&rids, &n, &a, r, k, KQ_TOLD_RIDS, NULL,
		    e);
		for (size_t j = 0; j < n && rc == SAT_OK; j++) {
			sat_arena_reset(&one);
			replica_page_reset(r);
			if ((rc = replica_page_by_rid(&row, r, k, rids[j],
			    e)) != SAT_OK || row == NULL)
				continue;
			replica_view_of(&v, &one, row, &row->view);
			rc = cb(u, &v, e);
		}
	}
	sat_arena_fini(&a);
	sat_arena_fini(&one);
	return rc;
}
