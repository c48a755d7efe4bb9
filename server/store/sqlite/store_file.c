/*
 * store_file.c - contents of files, by hash (P-440..P-447).
 *
 * In the database, as on the device: a backup, a restore, `check` and an
 * erasure's scrub then reach them without a word more.
 */
#include "server/store/sqlite/store_int.h"

#include <stdlib.h>
#include <string.h>

static sat_span
hash_span(const uint8_t hash[SAT_HASH_BYTES])
{
	return sat_span_of(hash, SAT_HASH_BYTES);
}

typedef struct found {
	int64_t id; /* 0 = there is none */
	uint64_t bytes, have;
} found;

/* dev 0: the whole content. */
static sat_rc
find(found *f, sat_sqlite_store *s, const uint8_t *hash, uint32_t dev,
    sat_err *e)
{
	sat_stmt *q;
	bool row;
	sat_rc rc;

	*f = (found){ 0 };
	if ((rc = store_stmt(&q, s->db, SQL_FILE_FIND, e)) != SAT_OK)
		return rc;
	sat_bind_blob(q, 1, hash_span(hash));
	sat_bind_int(q, 2, dev);
	if ((rc = sat_step(&row, q, e)) == SAT_OK && row)
		*f = (found){ sat_col_int(q, 0), (uint64_t)sat_col_int(q, 1),
			(uint64_t)sat_col_int(q, 2) };
	sat_stmt_reset(q);
	return rc;
}

/* ---- going ---------------------------------------------------------------------- */

static sat_rc
drop(sat_sqlite_store *s, int64_t id, sat_err *e)
{
	sat_rc rc = store_run_int(s, SQL_FILE_DEL_PIECES, id, e);

	return rc == SAT_OK ? store_run_int(s, SQL_FILE_DEL, id, e) : rc;
}

/* All that a query names by id; its first word is `arg` when it has one. */
static sat_rc
drop_those(sat_sqlite_store *s, int sql, const int64_t *arg, sat_err *e)
{
	int64_t *ids = NULL;
	size_t n = 0, cap = 0;
	sat_stmt *q;
	bool row;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, sql, e)) != SAT_OK)
		return rc;
	if (arg != NULL)
		sat_bind_int(q, 1, *arg);
	while ((rc = sat_step(&row, q, e)) == SAT_OK && row) {
		if (n == cap) {
			cap = cap * 2 + 16;
			ids = sat_xrealloc(ids, cap * sizeof *ids);
		}
		ids[n++] = sat_col_int(q, 0);
	}
	for (size_t i = 0; i < n && rc == SAT_OK; i++)
		rc = drop(s, ids[i], e);
	free(ids);
	return rc;
}

sat_rc
store_file_erase(sat_sqlite_store *s, uint32_t eid, sat_err *e)
{
	int64_t of = eid;
	sat_rc rc;

	if ((rc = drop_those(s, SQL_FILE_PARTS_OF, &of, e)) != SAT_OK ||
	    (rc = store_run_int(s, SQL_FILE_OF_ERASE, of, e)) != SAT_OK ||
	    sat_db_changes(s->db) == 0)
		return rc;
	return drop_those(s, SQL_FILE_ORPHANS, NULL, e);
}

static sat_rc
file_drop(void *u, int64_t id, sat_err *e)
{
	sat_rc rc = store_run_int(u, SQL_FILE_OF_DEL, id, e);

	return rc == SAT_OK ? drop_those(u, SQL_FILE_ORPHANS, NULL, e) : rc;
}

static sat_rc
file_parts_old(void *u, int64_t before_ms, sat_err *e)
{
	return drop_those(u, SQL_FILE_PARTS_OLD, &before_ms, e);
}

/* ---- coming --------------------------------------------------------------------- */

static sat_rc
file_part_have(uint64_t *have, void *u, uint32_t dev, const uint8_t *hash,
    sat_err *e)
{
	found f;
	sat_rc rc = find(&f, u, hash, dev, e);

	*have = f.have;
	return rc;
}

static sat_rc
begin(found *f, sat_sqlite_store *s, uint32_t dev, uint32_t eid,
    const sat_file_put *p, int64_t now_ms, sat_err *e)
{
	sat_stmt *q;
	sat_rc rc;

	if ((rc = store_run_int(s, SQL_FILE_OTHERS_PIECES, dev, e)) !=
	    SAT_OK || (rc = store_run_int(s, SQL_FILE_OTHERS, dev, e)) !=
	    SAT_OK || (rc = store_stmt(&q, s->db, SQL_FILE_BEGIN, e)) !=
	    SAT_OK)
		return rc;
	sat_bind_blob(q, 1, hash_span(p->hash));
	sat_bind_int(q, 2, dev);
	sat_bind_int(q, 3, eid);
	sat_bind_int(q, 4, (int64_t)p->bytes);
	sat_bind_int(q, 5, now_ms);
	if ((rc = sat_run(q, e)) == SAT_OK)
		*f = (found){ sat_db_last_rowid(s->db), p->bytes, 0 };
	return rc;
}

static sat_rc
file_part_put(void *u, uint32_t dev, uint32_t eid, const sat_file_put *p,
    int64_t now_ms, sat_err *e)
{
	sat_sqlite_store *s = u;
	sat_stmt *q;
	found f;
	sat_rc rc;

	if ((rc = find(&f, s, p->hash, dev, e)) != SAT_OK ||
	    (f.id == 0 && (rc = begin(&f, s, dev, eid, p, now_ms, e)) !=
	    SAT_OK) || (rc = store_stmt(&q, s->db, SQL_FILE_PIECE_PUT, e)) !=
	    SAT_OK)
		return rc;
	sat_bind_int(q, 1, f.id);
	sat_bind_int(q, 2, (int64_t)p->at);
	sat_bind_blob(q, 3, p->data);
	if ((rc = sat_run(q, e)) != SAT_OK ||
	    (rc = store_stmt(&q, s->db, SQL_FILE_GROWN, e)) != SAT_OK)
		return rc;
	sat_bind_int(q, 1, (int64_t)(p->at + p->data.n));
	sat_bind_int(q, 2, now_ms);
	sat_bind_int(q, 3, f.id);
	return sat_run(q, e);
}

static sat_rc
file_part_read(void *u, uint32_t dev, const uint8_t *hash,
    bool (*cb)(void *cu, sat_span piece), void *cu, sat_err *e)
{
	sat_sqlite_store *s = u;
	sat_stmt *q;
	found f;
	bool row;
	sat_rc rc;

	if ((rc = find(&f, s, hash, dev, e)) != SAT_OK ||
	    (rc = store_stmt(&q, s->db, SQL_FILE_PIECES, e)) != SAT_OK)
		return rc;
	sat_bind_int(q, 1, f.id);
	while ((rc = sat_step(&row, q, e)) == SAT_OK && row)
		if (!cb(cu, sat_col_blob(q, 0)))
			break;
	sat_stmt_reset(q);
	return rc;
}

static sat_rc
file_part_drop(void *u, uint32_t dev, const uint8_t *hash, sat_err *e)
{
	found f;
	sat_rc rc = find(&f, u, hash, dev, e);

	return rc != SAT_OK || f.id == 0 ? rc : drop(u, f.id, e);
}

static sat_rc
file_keep(void *u, uint32_t dev, const uint8_t *hash, uint32_t eid, sat_err *e)
{
	sat_sqlite_store *s = u;
	found part, whole;
	sat_stmt *q;
	sat_rc rc;

	if ((rc = find(&part, s, hash, dev, e)) != SAT_OK ||
	    (rc = find(&whole, s, hash, 0, e)) != SAT_OK)
		return rc;
	if (dev != 0)
		rc = whole.id != 0 ? drop(s, part.id, e) :
		    store_run_int(s, SQL_FILE_WHOLE, part.id, e);
	if (rc != SAT_OK ||
	    (rc = store_stmt(&q, s->db, SQL_FILE_OF_PUT, e)) != SAT_OK)
		return rc;
	sat_bind_blob(q, 1, hash_span(hash));
	sat_bind_int(q, 2, eid);
	return sat_run(q, e);
}

/* ---- being there ---------------------------------------------------------------- */

static sat_rc
file_has(bool *yes, void *u, uint32_t eid, const uint8_t *hash, sat_err *e)
{
	sat_sqlite_store *s = u;
	sat_stmt *q;
	sat_rc rc;

	*yes = false;
	if ((rc = store_stmt(&q, s->db, SQL_FILE_OF_HAS, e)) != SAT_OK)
		return rc;
	sat_bind_int(q, 1, eid);
	sat_bind_blob(q, 2, hash_span(hash));
	rc = sat_step(yes, q, e);
	sat_stmt_reset(q);
	return rc;
}

static sat_rc
file_piece(sat_file_is *out, sat_arena *a, void *u, const uint8_t *hash,
    uint64_t at, sat_err *e)
{
	sat_sqlite_store *s = u;
	sat_stmt *q;
	sat_rc rc;

	*out = (sat_file_is){ .at = at };
	if ((rc = store_stmt(&q, s->db, SQL_FILE_PIECE, e)) != SAT_OK)
		return rc;
	sat_bind_blob(q, 1, hash_span(hash));
	sat_bind_int(q, 2, (int64_t)at);
	if ((rc = store_step_one(q, "piece of a file", e)) != SAT_OK)
		return rc;
	out->bytes = (uint64_t)sat_col_int(q, 0);
	out->data = store_copy(a, sat_col_blob(q, 1));
	sat_stmt_reset(q);
	return SAT_OK;
}

static sat_rc
files(void *u, int64_t after, bool (*cb)(void *cu, int64_t id,
    const uint8_t hash[SAT_HASH_BYTES], uint32_t eid, int64_t unnamed_ms),
    void *cu, sat_err *e)
{
	sat_sqlite_store *s = u;
	sat_stmt *q;
	bool row;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, SQL_FILE_OF_ALL, e)) != SAT_OK)
		return rc;
	sat_bind_int(q, 1, after);
	while ((rc = sat_step(&row, q, e)) == SAT_OK && row) {
		if (sat_col_blob(q, 1).n != SAT_HASH_BYTES) {
			rc = sat_fail(e, SAT_EINTEGRITY, "a file has no hash");
			break;
		}
		if (!cb(cu, sat_col_int(q, 0), sat_col_blob(q, 1).p,
		    (uint32_t)sat_col_int(q, 2), sat_col_int(q, 3)))
			break;
	}
	sat_stmt_reset(q);
	return rc;
}

static sat_rc
file_unnamed(void *u, int64_t id, int64_t unnamed_ms, sat_err *e)
{
	sat_sqlite_store *s = u;
	sat_stmt *q;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, SQL_FILE_OF_UNNAMED, e)) != SAT_OK)
		return rc;
	sat_bind_int(q, 1, unnamed_ms);
	sat_bind_int(q, 2, id);
	return sat_run(q, e);
}

void
store_file_ops(sat_store *o)
{
	o->file_part_have = file_part_have;
	o->file_part_put = file_part_put;
	o->file_part_read = file_part_read;
	o->file_part_drop = file_part_drop;
	o->file_keep = file_keep;
	o->file_has = file_has;
	o->file_piece = file_piece;
	o->files = files;
	o->file_unnamed = file_unnamed;
	o->file_drop = file_drop;
	o->file_parts_old = file_parts_old;
}
