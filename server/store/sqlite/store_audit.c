/*
 * store_audit.c - the chain of what administrators did.
 */
#include "server/store/sqlite/audits.h"
#include "server/store/sqlite/store_int.h"

#include <string.h>

static void
hash_row(uint8_t out[SAT_HASH_BYTES], const uint8_t prev[SAT_HASH_BYTES],
    const sat_audit_row *r)
{
	sat_buf b = { 0 };

	sat_buf_str(&b, "satcheld audit v1");
	sat_buf_add(&b, prev, SAT_HASH_BYTES);
	sat_write_uint(&b, r->seq);
	sat_write_uint(&b, (uint64_t)r->at_ms);
	sat_write_span(&b, sat_span_str(r->actor));
	sat_write_span(&b, sat_span_str(r->what));
	sat_write_uint(&b, (uint64_t)r->rc);
	sat_hash(out, sat_buf_span(&b));
	sat_buf_fini(&b);
}

static sat_rc
last_of(uint64_t *seq, uint8_t hash[SAT_HASH_BYTES], sat_sqlite_store *s,
    sat_err *e)
{
	sat_span h;
	sat_stmt *q;
	bool row;
	sat_rc rc;

	*seq = 0;
	memset(hash, 0, SAT_HASH_BYTES);
	if ((rc = store_stmt(&q, s->db, SQL_ADMIN_LOG_LAST, e)) != SAT_OK)
		return rc;
	if ((rc = sat_step(&row, q, e)) == SAT_OK && row) {
		*seq = (uint64_t)sat_col_int(q, 0);
		h = sat_col_blob(q, 1);
		if (h.n == SAT_HASH_BYTES)
			memcpy(hash, h.p, SAT_HASH_BYTES);
	}
	sat_stmt_reset(q);
	return rc;
}

static sat_rc
add(sat_sqlite_store *s, sat_audit_row *r, sat_err *e)
{
	uint8_t prev[SAT_HASH_BYTES];
	sat_stmt *q;
	sat_rc rc;

	if ((rc = last_of(&r->seq, prev, s, e)) != SAT_OK ||
	    (rc = store_stmt(&q, s->db, SQL_ADMIN_LOG_ADD, e)) != SAT_OK)
		return rc;
	r->seq++;
	hash_row(r->hash, prev, r);
	sat_bind_int(q, 1, (int64_t)r->seq);
	sat_bind_int(q, 2, r->at_ms);
	sat_bind_text(q, 3, sat_span_str(r->actor));
	sat_bind_text(q, 4, sat_span_str(r->what));
	sat_bind_int(q, 5, r->rc);
	sat_bind_blob(q, 6, sat_span_of(r->hash, sizeof r->hash));
	return sat_run(q, e);
}

sat_rc
sat_sqlite_audit_add(sat_sqlite_store *s, int64_t at_ms, const char *actor,
    const char *what, int rc, sat_err *e)
{
	sat_audit_row r = { .at_ms = at_ms, .actor = actor, .what = what,
		.rc = rc };
	sat_rc bad;

	if ((bad = sat_db_begin(s->db, e)) != SAT_OK)
		return bad;
	return store_end(s, add(s, &r, e), e);
}

/* The row of q, and whether it is what was written. */
static bool
read_row(sat_audit_row *r, sat_arena *a, sat_stmt *q,
    const uint8_t prev[SAT_HASH_BYTES])
{
	sat_span actor = sat_col_text(q, 2), what = sat_col_text(q, 3);
	sat_span hash = sat_col_blob(q, 5);

	*r = (sat_audit_row){ .seq = (uint64_t)sat_col_int(q, 0),
		.at_ms = sat_col_int(q, 1),
		.actor = sat_arena_str(a, actor.p, actor.n),
		.what = sat_arena_str(a, what.p, what.n),
		.rc = (int)sat_col_int(q, 4) };
	hash_row(r->hash, prev, r);
	return hash.n == SAT_HASH_BYTES &&
	    memcmp(hash.p, r->hash, SAT_HASH_BYTES) == 0;
}

sat_rc
sat_sqlite_audit_each(sat_sqlite_store *s,
    bool (*cb)(void *cu, const sat_audit_row *r), void *cu, sat_err *e)
{
	uint8_t prev[SAT_HASH_BYTES] = { 0 };
	bool row, more = true;
	uint64_t want = 0;
	sat_arena a = { 0 };
	sat_audit_row r;
	sat_stmt *q;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, SQL_ADMIN_LOG_ALL, e)) != SAT_OK)
		return rc;
	while (more && (rc = sat_step(&row, q, e)) == SAT_OK && row) {
		if (!read_row(&r, &a, q, prev) || r.seq != ++want) {
			rc = sat_fail(e, SAT_EINTEGRITY,
			    "row %llu of the administrators' log is not what "
			    "was written", (unsigned long long)r.seq);
			break;
		}
		memcpy(prev, r.hash, sizeof prev);
		more = cb(cu, &r);
		sat_arena_reset(&a);
	}
	sat_stmt_reset(q);
	sat_arena_fini(&a);
	return rc;
}
