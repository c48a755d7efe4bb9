/*
 * file.c - contents of files: kept, read, checked, dropped (file.h).
 *
 * Why in the database and not in a folder beside it: the encrypted file has
 * already solved what a folder would have to solve again - durable together
 * with the edit, gone without a trace, copied by a backup, one key to destroy.
 */
#include "client/replica/file.h"
#include "client/replica/replica_int.h"

#include <string.h>

static sat_span
hash_span(const uint8_t hash[SAT_ATTACHMENT_HASH])
{
	return sat_span_of(hash, SAT_ATTACHMENT_HASH);
}

/* ---- keeping -------------------------------------------------------------------- */

static sat_rc
find(int64_t *id, int64_t *bytes, sat_replica *r, const uint8_t *hash,
    sat_err *e)
{
	sat_stmt *s;
	bool row;
	sat_rc rc;

	*id = *bytes = 0;
	if ((rc = sat_db_stmt(&s, r->db, SQL_FILE_FIND, e)) != SAT_OK)
		return rc;
	sat_bind_blob(s, 1, hash_span(hash));
	if ((rc = sat_step(&row, s, e)) == SAT_OK && row) {
		*id = sat_col_int(s, 0);
		*bytes = sat_col_int(s, 1);
	}
	sat_stmt_reset(s);
	return rc;
}

static sat_rc
put_content(sat_replica *r, const uint8_t *hash, sat_span content, sat_err *e)
{
	int64_t id, bytes;
	sat_stmt *s;
	size_t n;
	sat_rc rc;

	if ((rc = find(&id, &bytes, r, hash, e)) != SAT_OK || id != 0)
		return rc;
	if ((rc = sat_db_stmt(&s, r->db, SQL_FILE_PUT, e)) != SAT_OK)
		return rc;
	sat_bind_blob(s, 1, hash_span(hash));
	sat_bind_int(s, 2, (int64_t)content.n);
	if ((rc = sat_run(s, e)) != SAT_OK)
		return rc;
	id = sat_db_last_rowid(r->db);
	for (size_t at = 0; at < content.n && rc == SAT_OK; at += n) {
		n = content.n - at < SAT_FILE_PIECE ? content.n - at :
		    SAT_FILE_PIECE;
		if ((rc = sat_db_stmt(&s, r->db, SQL_FILE_PIECE_PUT, e)) !=
		    SAT_OK)
			break;
		sat_bind_int(s, 1, id);
		sat_bind_int(s, 2, (int64_t)at);
		sat_bind_blob(s, 3, sat_span_of(content.p + at, n));
		rc = sat_run(s, e);
	}
	return rc;
}

static sat_rc
put_ref(sat_replica *r, const sat_file_ref *ref, bool ours, sat_err *e)
{
	sat_stmt *s;
	sat_rc rc;

	if ((rc = sat_db_stmt(&s, r->db, SQL_FILE_OF_PUT, e)) != SAT_OK)
		return rc;
	sat_bind_blob(s, 1, hash_span(ref->hash));
	sat_bind_blob(s, 2, sat_span_of(ref->rec.b, sizeof ref->rec.b));
	sat_bind_int(s, 3, ref->kind->id);
	sat_bind_blob(s, 4, sat_span_of(ref->customer.b,
	    sizeof ref->customer.b));
	sat_bind_int(s, 5, ours ? REPLICA_FILE_WAITS : REPLICA_FILE_FREE);
	return sat_run(s, e);
}

sat_rc
sat_replica_file_keep(sat_replica *r, const sat_file_ref *ref,
    sat_span content, bool ours, sat_err *e)
{
	uint8_t hash[SAT_HASH_BYTES];
	bool began = false;
	sat_rc rc;

	if (replica_seals(r))
		return sat_fail(e, SAT_EDENIED, "a kiosk keeps no files");
	if (content.n == 0 || content.n > SAT_ATTACHMENT_BYTES_MAX)
		return sat_fail_code(e, SAT_EINVALID, "attachment.size",
		    "make it smaller, or keep it elsewhere and write down where",
		    "a file may have 1 to %llu bytes",
		    (unsigned long long)SAT_ATTACHMENT_BYTES_MAX);
	sat_hash(hash, content);
	if (memcmp(hash, ref->hash, sizeof hash) != 0)
		return sat_fail_code(e, SAT_EINVALID, "attachment.hash", NULL,
		    "the content is not the one the record names");
	if (!r->in_group && (rc = replica_begin(r, &began, e)) != SAT_OK)
		return rc;
	if ((rc = put_content(r, hash, content, e)) == SAT_OK)
		rc = put_ref(r, ref, ours, e);
	return r->in_group ? rc : replica_end(r, began, rc, e);
}

/* ---- reading -------------------------------------------------------------------- */

sat_rc
sat_replica_file_read(sat_buf *out, sat_replica *r,
    const uint8_t hash[SAT_ATTACHMENT_HASH], sat_err *e)
{
	uint8_t is[SAT_HASH_BYTES];
	int64_t id, bytes;
	size_t from = out->n;
	sat_stmt *s;
	bool row;
	sat_rc rc;

	if ((rc = find(&id, &bytes, r, hash, e)) != SAT_OK)
		return rc;
	if (id == 0)
		return sat_fail_code(e, SAT_ENOTFOUND, "attachment.away", NULL,
		    "the content of the file is not on this device");
	if ((rc = sat_db_stmt(&s, r->db, SQL_FILE_PIECES, e)) != SAT_OK)
		return rc;
	sat_bind_int(s, 1, id);
	while ((rc = sat_step(&row, s, e)) == SAT_OK && row)
		sat_buf_add(out, sat_col_blob(s, 0).p, sat_col_blob(s, 0).n);
	if (rc != SAT_OK)
		return rc;
	sat_hash(is, sat_span_of(out->p + from, out->n - from));
	return memcmp(is, hash, sizeof is) == 0 ? SAT_OK :
	    sat_fail_code(e, SAT_EINTEGRITY, "attachment.damaged",
	    "tell the administrator", "the content of a file is damaged");
}

sat_rc
sat_replica_file_look(bool *here, bool *waits, sat_replica *r,
    const sat_id *rec, const uint8_t hash[SAT_ATTACHMENT_HASH], sat_err *e)
{
	int64_t id, bytes;
	sat_stmt *s;
	bool row;
	sat_rc rc;

	*here = *waits = false;
	if ((rc = find(&id, &bytes, r, hash, e)) != SAT_OK)
		return rc;
	*here = id != 0;
	if ((rc = sat_db_stmt(&s, r->db, SQL_FILE_OF_STATE, e)) != SAT_OK)
		return rc;
	sat_bind_blob(s, 1, sat_span_of(rec->b, sizeof rec->b));
	sat_bind_blob(s, 2, hash_span(hash));
	if ((rc = sat_step(&row, s, e)) == SAT_OK && row)
		*waits = sat_col_int(s, 0) == REPLICA_FILE_WAITS;
	sat_stmt_reset(s);
	return rc;
}

sat_rc
sat_replica_files_waiting(sat_files_waiting *out, sat_replica *r, sat_err *e)
{
	sat_stmt *s;
	bool row;
	sat_rc rc;

	*out = (sat_files_waiting){ 0 };
	if ((rc = sat_db_stmt(&s, r->db, SQL_FILE_OF_WAITING, e)) != SAT_OK)
		return rc;
	if ((rc = sat_step(&row, s, e)) == SAT_OK && row)
		*out = (sat_files_waiting){ sat_col_int(s, 0),
			sat_col_int(s, 1), sat_col_int(s, 2) };
	sat_stmt_reset(s);
	return rc;
}

bool
sat_view_names(const sat_view *v, const uint8_t hash[SAT_ATTACHMENT_HASH],
    sat_span *name)
{
	sat_attachment a;

	for (size_t i = 0; i < v->kind->nfields; i++) {
		sat_value x = sat_record_value(&v->rec, v->kind->fields[i].id);
		sat_span rest = x.s;

		if (!v->kind->fields[i].files || x.type != SAT_V_TEXT)
			continue;
		while (sat_attachment_next(&a, &rest))
			if (memcmp(a.hash, hash, sizeof a.hash) == 0) {
				if (name != NULL)
					*name = a.name;
				return true;
			}
	}
	return false;
}

sat_rc
replica_files_check(sat_replica *r, sat_err *e)
{
	uint8_t hash[SAT_ATTACHMENT_HASH];
	sat_buf b = { 0 };
	sat_stmt *s;
	bool row;
	sat_rc rc;

	if ((rc = sat_db_stmt(&s, r->db, SQL_FILE_ALL, e)) != SAT_OK)
		return rc;
	while ((rc = sat_step(&row, s, e)) == SAT_OK && row) {
		if (sat_col_blob(s, 0).n != sizeof hash) {
			rc = sat_fail(e, SAT_EINTEGRITY, "a file has no hash");
			break;
		}
		memcpy(hash, sat_col_blob(s, 0).p, sizeof hash);
		sat_buf_reset(&b);
		if ((rc = sat_replica_file_read(&b, r, hash, e)) != SAT_OK)
			break;
	}
	sat_stmt_reset(s);
	sat_buf_fini(&b);
	return rc;
}

/* ---- dropping ------------------------------------------------------------------- */

static sat_rc
run_plain(sat_replica *r, int sql, sat_err *e)
{
	sat_stmt *s;
	sat_rc rc = sat_db_stmt(&s, r->db, sql, e);

	return rc == SAT_OK ? sat_run(s, e) : rc;
}

static sat_rc
drop_orphans(sat_replica *r, sat_err *e)
{
	sat_rc rc = run_plain(r, SQL_FILE_PIECE_ORPHANS, e);

	return rc == SAT_OK ? run_plain(r, SQL_FILE_ORPHANS, e) : rc;
}

sat_rc
replica_files_erase(sat_replica *r, const sat_id *rec, sat_err *e)
{
	sat_rc rc = replica_run_id(r, SQL_FILE_OF_ERASE, rec, e);

	return rc == SAT_OK && sat_db_changes(r->db) > 0 ? drop_orphans(r, e) :
	    rc;
}

typedef struct named { /* a row of file_of */
	int64_t id;
	uint8_t hash[SAT_ATTACHMENT_HASH];
	sat_id rec;
	uint16_t kind;
	bool free; /* the server does not need this copy (F1, F3) */
} named;

static sat_rc
load_names(named **out, size_t *n, sat_arena *a, sat_replica *r, sat_err *e)
{
	size_t cap = 0;
	sat_stmt *s;
	bool row;
	sat_rc rc;

	*out = NULL;
	*n = 0;
	if ((rc = sat_db_stmt(&s, r->db, SQL_FILE_OF_ALL, e)) != SAT_OK)
		return rc;
	while ((rc = sat_step(&row, s, e)) == SAT_OK && row) {
		named *x;

		SAT_ARENA_GROW(*out, *n, cap, a);
		x = &(*out)[(*n)++];
		memset(x, 0, sizeof *x);
		x->id = sat_col_int(s, 0);
		if (sat_col_blob(s, 1).n == sizeof x->hash)
			memcpy(x->hash, sat_col_blob(s, 1).p, sizeof x->hash);
		if (sat_col_blob(s, 2).n == sizeof x->rec.b)
			memcpy(x->rec.b, sat_col_blob(s, 2).p,
			    sizeof x->rec.b);
		x->kind = (uint16_t)sat_col_int(s, 3);
		x->free = sat_col_int(s, 4) == REPLICA_FILE_FREE;
	}
	return rc;
}

sat_rc
replica_work_open(bool *yes, sat_replica *r, sat_err *e)
{
	sat_replica_status st;
	sat_rc rc = sat_replica_status_get(&st, r, e);

	*yes = rc == SAT_OK && (st.pending_commits > 0 || st.quarantined > 0);
	return rc;
}

static sat_rc
is_named(bool *yes, sat_replica *r, const named *x, sat_err *e)
{
	const sat_kind *k = sat_template_kind_id(r->t, x->kind);
	sat_arena a = { 0 };
	sat_view v;
	sat_rc rc = SAT_ENOTFOUND;

	if (k != NULL)
		rc = sat_replica_get(&v, &a, r, k, &x->rec, NULL);
	*yes = rc == SAT_OK && sat_view_names(&v, x->hash, NULL);
	sat_arena_fini(&a);
	return rc == SAT_OK || rc == SAT_ENOTFOUND ? SAT_OK :
	    sat_fail(e, rc, "a record with files cannot be read");
}

/* F2, after a session that was whole: what is here is what the server has. */
static sat_rc
drop_unnamed(sat_replica *r, sat_arena *a, sat_err *e)
{
	named *list;
	size_t n, gone = 0;
	bool yes;
	sat_rc rc;

	if ((rc = load_names(&list, &n, a, r, e)) != SAT_OK)
		return rc;
	for (size_t i = 0; i < n && rc == SAT_OK; i++) {
		if (!list[i].free)
			continue;
		if ((rc = is_named(&yes, r, &list[i], e)) != SAT_OK || yes)
			continue;
		rc = replica_run_int(r, SQL_FILE_OF_DEL, list[i].id, e);
		gone++;
	}
	return rc == SAT_OK && gone > 0 ? drop_orphans(r, e) : rc;
}

sat_rc
replica_files_tidy(sat_replica *r, sat_err *e)
{
	sat_arena a = { 0 };
	sat_rc rc;

	if (r->in_group || r->t == NULL || !r->complete ||
	    r->files_at == r->cursor)
		return SAT_OK;
	if ((rc = replica_session_begin(r, e)) == SAT_OK)
		rc = replica_end(r, true, drop_unnamed(r, &a, e), e);
	sat_arena_fini(&a);
	if (rc == SAT_OK)
		r->files_at = r->cursor;
	return rc;
}
