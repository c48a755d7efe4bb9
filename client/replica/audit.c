/*
 * audit.c - what was done on this device, as a hash chain, and settings.
 *
 * A row's hash covers the hash before it, so that no row can be changed, taken
 * out or put in between without the check finding the place.
 */
#include "client/replica/replica_int.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
row_hash(uint8_t out[SAT_HASH_BYTES], const uint8_t prev[SAT_HASH_BYTES],
    int64_t seq, int64_t at_ms, sat_span action, sat_span digest)
{
	sat_buf b = { 0 };

	sat_buf_add(&b, prev, SAT_HASH_BYTES);
	sat_write_uint(&b, (uint64_t)seq);
	sat_write_int(&b, at_ms);
	sat_write_span(&b, action);
	sat_write_span(&b, digest);
	sat_hash(out, sat_buf_span(&b));
	sat_buf_fini(&b);
}

static sat_rc
newest(int64_t *seq, uint8_t hash[SAT_HASH_BYTES], sat_replica *r, sat_err *e)
{
	sat_stmt *s;
	bool row;
	sat_rc rc;

	*seq = 0;
	memset(hash, 0, SAT_HASH_BYTES);
	if ((rc = sat_db_stmt(&s, r->db, SQL_AUDIT_NEWEST, e)) != SAT_OK ||
	    (rc = sat_step(&row, s, e)) != SAT_OK || !row)
		return rc;
	*seq = sat_col_int(s, 0);
	if (sat_col_blob(s, 1).n == SAT_HASH_BYTES)
		memcpy(hash, sat_col_blob(s, 1).p, SAT_HASH_BYTES);
	sat_stmt_reset(s);
	return SAT_OK;
}

static void
detail_hash(uint8_t out[SAT_HASH_BYTES], sat_span salt, sat_span detail)
{
	sat_hasher h;

	sat_hasher_init(&h, (sat_span){ NULL, 0 });
	sat_hasher_add(&h, salt);
	sat_hasher_add(&h, detail);
	sat_hasher_done(&h, out);
}

sat_rc
sat_replica_audit(sat_replica *r, const char *action, const char *detail,
    sat_err *e)
{
	return sat_replica_audit_about(r, NULL, action, detail, e);
}

sat_rc
replica_audit_redact(sat_replica *r, const sat_id *subject, sat_err *e)
{
	sat_stmt *s;
	sat_rc rc;

	if ((rc = sat_db_stmt(&s, r->db, SQL_AUDIT_REDACT, e)) != SAT_OK)
		return rc;
	sat_bind_blob(s, 1, sat_span_of(subject->b, sizeof subject->b));
	return sat_run(s, e);
}

static void
bind_ids(sat_stmt *s, int i, sat_span ids)
{
	if (ids.n > 0)
		sat_bind_blob(s, i, ids);
	else
		sat_bind_null(s, i);
}

/* about: ids of records, one behind the other; empty: of none. root: of each the
 * customer; empty: not known of all. */
static sat_rc
put_entry(sat_replica *r, sat_span about, sat_span root, const char *action,
    const char *detail, sat_err *e)
{
	uint8_t prev[SAT_HASH_BYTES], hash[SAT_HASH_BYTES];
	uint8_t digest[SAT_HASH_BYTES], salt[SAT_SALT_BYTES];
	int64_t seq, now = sat_wall_ms(&r->clock);
	sat_span a = sat_span_str(action), d = sat_span_str(detail);
	sat_stmt *s;
	sat_rc rc;

	/* outside a transaction the one statement is its own */
	if ((rc = newest(&seq, prev, r, e)) != SAT_OK ||
	    (rc = sat_db_stmt(&s, r->db, SQL_AUDIT_PUT, e)) != SAT_OK)
		return rc;
	r->rand.bytes(r->rand.u, salt, sizeof salt);
	detail_hash(digest, sat_span_of(salt, sizeof salt), d);
	row_hash(hash, prev, seq + 1, now, a, sat_span_of(digest,
	    sizeof digest));
	sat_bind_int(s, 1, seq + 1);
	sat_bind_int(s, 2, now);
	sat_bind_text(s, 3, a);
	sat_bind_text(s, 4, d);
	sat_bind_blob(s, 5, sat_span_of(hash, sizeof hash));
	bind_ids(s, 6, about);
	sat_bind_blob(s, 7, sat_span_of(salt, sizeof salt));
	sat_bind_blob(s, 8, sat_span_of(digest, sizeof digest));
	bind_ids(s, 9, root);
	return sat_run(s, e);
}

sat_rc
sat_replica_audit_about(sat_replica *r, const sat_id *subject,
    const char *action, const char *detail, sat_err *e)
{
	bool known = false;
	sat_id root;
	sat_rc rc = subject == NULL ? SAT_OK :
	    replica_root_of(&root, &known, r, subject, e);

	return rc != SAT_OK ? rc : put_entry(r, subject != NULL ?
	    sat_span_of(subject->b, sizeof subject->b) : sat_span_of(NULL, 0),
	    known ? sat_span_of(root.b, sizeof root.b) : sat_span_of(NULL, 0),
	    action, detail, e);
}

sat_rc
replica_audit_customer(sat_replica *r, const sat_id *customer,
    const char *action, const char *detail, sat_err *e)
{
	sat_span id = sat_span_of(customer->b, sizeof customer->b);

	return put_entry(r, id, id, action, detail, e);
}

sat_rc
sat_replica_audit_both(sat_replica *r, const sat_id *one,
    const sat_id *other, const char *action, const char *detail, sat_err *e)
{
	sat_id both[2] = { *one, *other }, root[2];
	bool known[2];
	sat_rc rc = SAT_OK;

	for (int i = 0; i < 2 && rc == SAT_OK; i++)
		rc = replica_root_of(&root[i], &known[i], r, &both[i], e);
	/* a customer that is not here, and a record of his that is */
	for (int i = 0; i < 2 && rc == SAT_OK; i++)
		if (!known[i] && known[1 - i] &&
		    sat_id_eq(&root[1 - i], &both[i])) {
			root[i] = both[i];
			known[i] = true;
		}
	return rc != SAT_OK ? rc : put_entry(r, sat_span_of(both[0].b,
	    sizeof both), known[0] && known[1] ? sat_span_of(root[0].b,
	    sizeof root) : sat_span_of(NULL, 0), action, detail, e);
}

sat_rc
sat_replica_audit_list(sat_replica *r, int64_t since_ms,
    void (*cb)(void *u, int64_t seq, int64_t at_ms, const char *action,
    const char *detail), void *u, sat_err *e)
{
	sat_arena a = { 0 };
	sat_stmt *s;
	bool row;
	sat_rc rc;

	if ((rc = sat_db_stmt(&s, r->db, SQL_AUDIT_SINCE, e)) != SAT_OK)
		return rc;
	sat_bind_int(s, 1, since_ms);
	while ((rc = sat_step(&row, s, e)) == SAT_OK && row) {
		sat_span action = sat_col_text(s, 2);
		sat_span detail = sat_col_text(s, 3);

		sat_arena_reset(&a);
		cb(u, sat_col_int(s, 0), sat_col_int(s, 1),
		    sat_arena_str(&a, action.p, action.n),
		    sat_arena_str(&a, detail.p, detail.n));
	}
	sat_arena_fini(&a);
	return rc;
}

sat_rc
sat_replica_audit_verify(int64_t *entries, sat_replica *r, int64_t from,
    sat_err *e)
{
	uint8_t hash[SAT_HASH_BYTES] = { 0 }, said[SAT_HASH_BYTES];
	int64_t next = 1;
	sat_stmt *s;
	bool row;
	sat_rc rc;

	*entries = 0;
	if ((rc = sat_db_stmt(&s, r->db, SQL_AUDIT_ALL, e)) != SAT_OK)
		return rc;
	for (; (rc = sat_step(&row, s, e)) == SAT_OK && row; next++) {
		sat_span is = sat_col_blob(s, 4);

		if (next < from && sat_col_int(s, 0) == next &&
		    is.n == sizeof hash) { /* what the first one follows */
			memcpy(hash, is.p, sizeof hash);
			continue;
		}
		row_hash(hash, hash, next, sat_col_int(s, 1),
		    sat_col_text(s, 2), sat_col_blob(s, 6));
		detail_hash(said, sat_col_blob(s, 5), sat_col_text(s, 3));
		if (sat_col_int(s, 0) != next || !sat_span_eq(is,
		    sat_span_of(hash, sizeof hash)) ||
		    (!sat_col_null(s, 5) && !sat_span_eq(sat_col_blob(s, 6),
		    sat_span_of(said, sizeof said)))) {
			sat_stmt_reset(s);
			return sat_fail_code(e, SAT_EINTEGRITY, "audit.chain",
			    NULL, "the audit log was changed at row %lld",
			    (long long)next);
		}
		++*entries;
	}
	return rc;
}

/* ---- settings ------------------------------------------------------------------- */

sat_rc
sat_replica_setting_get(sat_buf *out, sat_replica *r, const char *key,
    sat_err *e)
{
	sat_stmt *s;
	bool row;
	sat_rc rc;

	if ((rc = sat_db_stmt(&s, r->db, SQL_SETTING_GET, e)) != SAT_OK)
		return rc;
	sat_bind_text(s, 1, sat_span_str(key));
	if ((rc = sat_step(&row, s, e)) != SAT_OK)
		return rc;
	if (!row)
		return sat_fail(e, SAT_ENOTFOUND, "no setting %s", key);
	sat_buf_add(out, sat_col_blob(s, 0).p, sat_col_blob(s, 0).n);
	sat_stmt_reset(s);
	return SAT_OK;
}

sat_rc
sat_replica_setting_put(sat_replica *r, const char *key, sat_span v,
    sat_err *e)
{
	sat_stmt *s;
	sat_rc rc;

	if ((rc = sat_db_stmt(&s, r->db, SQL_SETTING_PUT, e)) != SAT_OK)
		return rc;
	sat_bind_text(s, 1, sat_span_str(key));
	sat_bind_blob(s, 2, v);
	return sat_run(s, e);
}

sat_rc
sat_replica_setting_del(sat_replica *r, const char *key, sat_err *e)
{
	sat_stmt *s;
	sat_rc rc = sat_db_stmt(&s, r->db, SQL_SETTING_DEL, e);

	if (rc != SAT_OK)
		return rc;
	sat_bind_text(s, 1, sat_span_str(key));
	return sat_run(s, e);
}

sat_rc
sat_replica_settings_purge(sat_replica *r, const char *prefix,
    int64_t before_ms, sat_err *e)
{
	char end[64], when[24];
	size_t n = strlen(prefix);
	sat_stmt *s;
	sat_rc rc;

	assert(n > 0 && n < sizeof end);
	(void)snprintf(end, sizeof end, "%s", prefix);
	end[n - 1]++;
	(void)snprintf(when, sizeof when, "%013lld", (long long)before_ms);
	if ((rc = sat_db_stmt(&s, r->db, SQL_SETTING_PURGE, e)) != SAT_OK)
		return rc;
	sat_bind_text(s, 1, sat_span_str(prefix));
	sat_bind_text(s, 2, sat_span_str(end));
	sat_bind_text(s, 3, sat_span_str(when));
	return sat_run(s, e);
}
