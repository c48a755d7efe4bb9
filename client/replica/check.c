/*
 * check.c - proof that the replica is what it says: the file, every row
 * against its derivation, the chain of own commits, the audit chain; the dump
 * that is compared with the server's; and the backup.
 */
#include "client/replica/replica_int.h"

#include <string.h>

/* ---- rows -------------------------------------------------------------------- */

static sat_rc
fail_row(const replica_row *row, const char *what, sat_err *e)
{
	char text[SAT_ID_TEXT];

	sat_id_text(text, &row->view.id);
	return sat_fail_code(e, SAT_EINTEGRITY, "replica.row", "sync: the data "
	    "is fetched again; unsent work is kept", "%s %s: %s",
	    row->k->kind->key, text, what);
}

static bool
same_record(const sat_record *x, const sat_record *y)
{
	sat_buf a = { 0 }, b = { 0 };
	bool same;

	sat_record_write(&a, x);
	sat_record_write(&b, y);
	same = sat_span_eq(sat_buf_span(&a), sat_buf_span(&b));
	sat_buf_fini(&a);
	sat_buf_fini(&b);
	return same;
}

static sat_rc
check_conflicts(sat_replica *r, const replica_row *row, sat_err *e)
{
	row_conflict want[ROW_CONFLICTS_MAX];
	size_t n = replica_row_conflicts(want, ROW_CONFLICTS_MAX,
	    &r->page.mem, row), i = 0;
	bool found, bad = false;
	sat_stmt *s;
	sat_rc rc;

	if (n > 0 && want[n - 1].field == 0) { /* first in the table */
		row_conflict zero = want[n - 1];

		memmove(want + 1, want, (n - 1) * sizeof *want);
		want[0] = zero;
	}
	if ((rc = sat_db_stmt(&s, r->db, SQL_CONFLICT_OF, e)) != SAT_OK)
		return rc;
	sat_bind_int(s, 1, row->rid);
	while ((rc = sat_step(&found, s, e)) == SAT_OK && found) {
		bad |= i >= n || sat_col_int(s, 0) != want[i].field ||
		    (uint64_t)sat_col_int(s, 1) != want[i].opened_lsn;
		i++;
	}
	if (rc == SAT_OK && (bad || i != n))
		return fail_row(row, "its conflicts are not listed", e);
	return rc;
}

static bool
leads_there(const sat_record *rec, sat_span listed)
{
	sat_id to;

	return sat_span_eq(listed, sat_record_redirect(&to, rec) ?
	    sat_span_of(to.b, sizeof to.b) : (sat_span){ NULL, 0 });
}

static sat_rc
check_alias(sat_replica *r, replica_row *row, sat_err *e)
{
	const sat_record *srv = replica_row_server(row);
	sat_id to;
	bool good, found;
	sat_stmt *s;
	sat_rc rc;

	/* rows of `alias` without one are counted: sat_replica_check */
	if (!sat_record_redirect(&to, &row->view) &&
	    !sat_record_redirect(&to, srv))
		return SAT_OK;
	if ((rc = sat_db_stmt(&s, r->db, SQL_ALIAS_ROW, e)) != SAT_OK)
		return rc;
	sat_bind_blob(s, 1, sat_span_of(row->view.id.b, sizeof row->view.id.b));
	if ((rc = sat_step(&found, s, e)) != SAT_OK)
		return rc;
	good = found && leads_there(&row->view, sat_col_blob(s, 0)) &&
	    leads_there(srv, sat_col_blob(s, 1));
	if (found)
		sat_stmt_reset(s);
	return good ? SAT_OK : fail_row(row, "it is merged, and not listed as "
	    "such", e);
}

static sat_rc
check_match(sat_replica *r, const replica_row *row, sat_err *e)
{
	const replica_kind *k = row->k;
	int64_t key;
	sat_stmt *s;
	bool found, hit;
	sat_rc rc;

	for (size_t i = 0; i < k->n && r->complete; i++) {
		if (!k->match[i] || !sat_match_key(&key, &r->b4, k->kind,
		    k->fields[i], row->stored[i]))
			continue;
		if ((rc = sat_db_stmt(&s, r->db, SQL_MATCH_FIND, e)) != SAT_OK)
			return rc;
		sat_bind_int(s, 1, key);
		hit = false;
		while ((rc = sat_step(&found, s, e)) == SAT_OK && found)
			hit |= sat_col_int(s, 0) == row->rid;
		if (rc != SAT_OK)
			return rc;
		if (!hit)
			return fail_row(row, "a match key is missing", e);
	}
	return SAT_OK;
}

/* R1: the view is the fold of the server's state and what waits. */
static sat_rc
check_row(sat_replica *r, replica_row *row, sat_err *e)
{
	sat_record view = row->view;
	uint32_t npend = row->npend;
	sat_rc rc;

	if ((row->flags & ~(uint32_t)ROW_LEAVING) != (replica_row_flags(r->t,
	    &r->page.mem, row) & ~(uint32_t)ROW_LEAVING))
		return fail_row(row, "its flags do not fit its values", e);
	if ((rc = check_conflicts(r, row, e)) != SAT_OK ||
	    (rc = check_alias(r, row, e)) != SAT_OK ||
	    (rc = check_match(r, row, e)) != SAT_OK)
		return rc;
	if (!row->pending) {
		if (replica_pend_of(r, &row->view.id) != NULL)
			return fail_row(row, "it forgot what waits", e);
		return SAT_OK;
	}
	if ((rc = replica_row_rebuild(r, row, e)) != SAT_OK)
		return rc;
	if (!row->pending || row->gone || row->npend != npend)
		return fail_row(row, "it counts what waits wrongly", e);
	if (!same_record(&view, &row->view))
		return fail_row(row, "what is shown is not the server's state "
		    "and the waiting work", e);
	return SAT_OK;
}

sat_rc
replica_row_sound(sat_replica *r, replica_row *row, sat_err *e)
{
	return check_row(r, row, e);
}

/* Every row is searched by what it says, and nothing else is. The index is made
 * of the rows alone: when it does not fit, it is made again. */
static sat_rc
check_search(sat_replica *r, sat_err *e)
{
	int64_t n;
	sat_rc rc = replica_search_entries(&n, r, e);

	if (rc != SAT_OK || (n == r->search_met && r->search_bad == 0))
		return rc;
	if ((rc = replica_search_forget(r, e)) != SAT_OK)
		return rc;
	return sat_fail_code(e, SAT_EINTEGRITY, "replica.search",
	    "the next search makes it again", "of %lld texts searched %lld do "
	    "not fit their rows, and the rows have %lld", (long long)n,
	    (long long)r->search_bad, (long long)r->search_met);
}

static sat_rc
check_kind(sat_replica *r, const replica_kind *k, int64_t *merged, sat_err *e)
{
	sat_arena a = { 0 };
	replica_row *row;
	sat_id to;
	int64_t *rids;
	size_t n;
	sat_rc rc;

	rc = replica_kind_rids(&rids, &n, &a, r, k, KQ_RIDS, NULL, e);
	for (size_t i = 0; i < n && rc == SAT_OK; i++) {
		replica_page_reset(r);
		rc = replica_page_by_rid(&row, r, k, rids[i], e);
		if (rc == SAT_EPROTO) /* its packed parts */
			rc = sat_fail_code(e, SAT_EINTEGRITY, "replica.row",
			    "sync: the data is fetched again; unsent work is "
			    "kept", "%s %lld cannot be read", k->kind->key,
			    (long long)rids[i]);
		if (rc != SAT_OK || row == NULL)
			continue;
		*merged += sat_record_redirect(&to, &row->view) +
		    sat_record_redirect(&to, replica_row_server(row));
		if ((rc = replica_search_check_row(r, row, e)) == SAT_OK)
			rc = check_row(r, row, e);
	}
	replica_page_reset(r);
	sat_arena_fini(&a);
	return rc;
}

/* First, so that what the others find is fetched again by the next sync. */
static sat_rc
check_sums(size_t *differ, size_t *strays, sat_replica *r, sat_err *e)
{
	sat_rc rc;

	if ((rc = sat_db_begin(r->db, e)) != SAT_OK)
		return rc;
	if ((rc = replica_recount(differ, r, e)) == SAT_OK)
		rc = replica_tidy(strays, r, e);
	rc = replica_end(r, true, rc, e);
	replica_page_reset(r);
	return rc;
}

/* What the check itself put right, or the next sync will. */
static sat_rc
what_was_found(size_t differ, size_t strays, sat_err *e)
{
	if (differ > 0)
		return sat_fail_code(e, SAT_EINTEGRITY, "replica.diverged",
		    "sync: the records are fetched again; unsent work is kept",
		    "%zu ranges of records are not what the server gave",
		    differ);
	return strays == 0 ? SAT_OK : sat_fail_code(e, SAT_EINTEGRITY,
	    "replica.strays", "they were taken off the lists",
	    "%zu entries of conflicts, suggestions and merged customers had "
	    "no record any more", strays);
}

sat_rc
sat_replica_check(sat_replica *r, bool quick, sat_err *e)
{
	size_t differ = 0, strays = 0;
	int64_t merged = 0, listed;
	uint64_t commits;
	sat_rc rc;

	if (r->in_group)
		return sat_fail(e, SAT_EBUSY, "a group of writes is open");
	if ((rc = sat_db_check(r->db, quick, e)) != SAT_OK ||
	    (rc = replica_pend_load(r, e)) != SAT_OK ||
	    (!quick && ((rc = check_sums(&differ, &strays, r, e)) !=
	    SAT_OK || (rc = replica_files_check(r, e)) != SAT_OK)))
		return rc;
	r->search_met = r->search_bad = 0;
	for (size_t i = 0; r->kinds != NULL && i < r->kinds->n; i++)
		if ((rc = check_kind(r, &r->kinds->k[i], &merged, e)) != SAT_OK)
			return rc;
	/* Of rows that are not right the search finds what is not right either:
	 * the rows are what is told, and fetched again. */
	rc = check_search(r, e);
	if (rc != SAT_OK && (rc != SAT_EINTEGRITY || differ == 0))
		return rc;
	if ((rc = replica_count(&listed, r, SQL_ALIAS_COUNT, e)) != SAT_OK)
		return rc;
	if (listed != merged)
		return sat_fail(e, SAT_EINTEGRITY, "%lld redirects are listed, "
		    "the records have %lld", (long long)listed,
		    (long long)merged);
	if ((rc = sat_replica_verify_chain(r, 0, &commits, e)) != SAT_OK)
		return rc;
	rc = sat_replica_audit_verify(&listed, r, 1, e);
	return rc != SAT_OK ? rc : what_was_found(differ, strays, e);
}

/* ---- the chain of own commits ---------------------------------------------------- */

typedef struct chain_walk {
	sat_replica *r;
	int64_t last_seq;
	uint8_t head[SAT_HASH_BYTES]; /* of the header at last_seq */
	uint64_t commits;
	/* headers' hashes at the ends of signed batches */
	struct {
		int64_t first, last;
		uint8_t sig[SAT_SIG_BYTES], head[SAT_HASH_BYTES];
		bool have;
	} *sigs;
	size_t nsigs, at;
} chain_walk;

static sat_rc
fail_chain(int64_t seq, const char *what, sat_err *e)
{
	return sat_fail_code(e, SAT_EINTEGRITY, "replica.chain", NULL,
	    "own commit %llu: %s",
	    (unsigned long long)replica_seq_cseq(seq), what);
}

static sat_rc
load_sigs(chain_walk *w, sat_arena *a, sat_err *e)
{
	size_t cap = 0;
	sat_stmt *s;
	bool row;
	sat_rc rc;

	if ((rc = sat_db_stmt(&s, w->r->db, SQL_SIG_ALL, e)) != SAT_OK)
		return rc;
	while ((rc = sat_step(&row, s, e)) == SAT_OK && row) {
		SAT_ARENA_GROW(w->sigs, w->nsigs, cap, a);
		memset(&w->sigs[w->nsigs], 0, sizeof *w->sigs);
		w->sigs[w->nsigs].first = sat_col_int(s, 0);
		w->sigs[w->nsigs].last = sat_col_int(s, 1);
		if (sat_col_blob(s, 2).n == SAT_SIG_BYTES)
			memcpy(w->sigs[w->nsigs].sig, sat_col_blob(s, 2).p,
			    SAT_SIG_BYTES);
		w->nsigs++;
	}
	return rc;
}

static sat_rc
walk_one(chain_walk *w, sat_arena *a, int64_t seq, sat_span header,
    sat_span payload, sat_err *e)
{
	static const uint8_t zero[SAT_HASH_BYTES];
	sat_commit c;
	sat_err why;

	if (sat_commit_read(&c, a, header, payload, &why) != SAT_OK)
		return fail_chain(seq, "header or payload was changed", e);
	if (replica_seq(c.incarnation, c.cseq) != seq ||
	    c.device != w->r->id->device)
		return fail_chain(seq, "it stands under another's number", e);
	if (c.cseq == 1 ? memcmp(c.prev, zero, sizeof zero) != 0 :
	    seq == w->last_seq + 1 &&
	    memcmp(c.prev, w->head, sizeof w->head) != 0)
		return fail_chain(seq, "it does not follow the one before", e);
	sat_hash(w->head, header);
	w->last_seq = seq;
	w->commits++;
	for (size_t i = 0; i < w->nsigs; i++)
		if (w->sigs[i].last == seq) {
			memcpy(w->sigs[i].head, w->head, sizeof w->head);
			w->sigs[i].have = true;
		}
	return SAT_OK;
}

static sat_rc
verify_sigs(chain_walk *w, sat_err *e)
{
	const sat_replica_identity *id = w->r->id;
	sat_buf b = { 0 };
	sat_rc rc = SAT_OK;

	for (size_t i = 0; i < w->nsigs && rc == SAT_OK; i++) {
		int64_t first = w->sigs[i].first, last = w->sigs[i].last;

		if (!w->sigs[i].have)
			continue; /* its last commit is not kept any more */
		sat_buf_reset(&b);
		sat_batch_sign_bytes(&b, &id->org, id->device,
		    replica_seq_inc(first), replica_seq_cseq(first),
		    replica_seq_cseq(last), w->sigs[i].head);
		if (!replica_own_sig(w->r, w->sigs[i].sig, sat_buf_span(&b)))
			rc = fail_chain(last, "the signature of its batch does "
			    "not fit", e);
	}
	sat_buf_fini(&b);
	return rc;
}

sat_rc
sat_replica_verify_chain(sat_replica *r, uint64_t from_lsn, uint64_t *commits,
    sat_err *e)
{
	chain_walk w = { .r = r, .last_seq = -2 };
	sat_arena keep = { 0 }, a = { 0 };
	sat_stmt *s = NULL;
	bool row;
	sat_rc rc;

	*commits = 0;
	if ((rc = load_sigs(&w, &keep, e)) != SAT_OK ||
	    (rc = replica_outbox_flush(r, e)) != SAT_OK ||
	    (rc = sat_db_stmt(&s, r->db, SQL_CHAIN_ALL, e)) != SAT_OK)
		goto out;
	sat_bind_int(s, 1, (int64_t)from_lsn);
	while ((rc = sat_step(&row, s, e)) == SAT_OK && row) {
		sat_arena_reset(&a);
		if ((rc = walk_one(&w, &a, sat_col_int(s, 0), sat_col_blob(s,
		    1), sat_col_blob(s, 2), e)) != SAT_OK)
			break;
	}
	sat_stmt_reset(s);
	if (rc == SAT_OK && (rc = verify_sigs(&w, e)) == SAT_OK)
		*commits = w.commits;
out:
	sat_arena_fini(&keep);
	sat_arena_fini(&a);
	return rc;
}

/* ---- dump ------------------------------------------------------------------------- */

/* One sorted list of ids per kind, merged: the dump is one ascending list. */
typedef struct id_list {
	sat_stmt *s;
	sat_id id;
	bool more;
} id_list;

static sat_rc
next_id(id_list *l, sat_err *e)
{
	bool row;
	sat_rc rc;

	if ((rc = sat_step(&row, l->s, e)) != SAT_OK)
		return rc;
	l->more = row;
	if (row && sat_col_blob(l->s, 0).n == sizeof l->id.b)
		memcpy(l->id.b, sat_col_blob(l->s, 0).p, sizeof l->id.b);
	return SAT_OK;
}

static sat_rc
dump_one(sat_replica *r, const replica_kind *k, const sat_id *id, sat_buf *b,
    void (*cb)(void *u, const sat_id *id, sat_span state), void *u, sat_err *e)
{
	const sat_record *rec;
	replica_row *row;
	sat_rc rc;

	replica_page_reset(r);
	if ((rc = replica_page_get(&row, r, k, id, 0, e)) != SAT_OK)
		return rc;
	if (row == NULL || row->leaving)
		return SAT_OK;
	rec = row->pending ? &row->srv : &row->view;
	if (rec->born.hlc == 0)
		return SAT_OK; /* the server has not heard of it */
	sat_buf_reset(b);
	sat_record_write(b, rec);
	cb(u, id, sat_buf_span(b));
	return SAT_OK;
}

sat_rc
sat_replica_dump(sat_replica *r,
    void (*cb)(void *u, const sat_id *id, sat_span state), void *u, sat_err *e)
{
	id_list lists[SAT_KINDS_MAX];
	size_t n = r->kinds != NULL ? r->kinds->n : 0, min;
	sat_buf b = { 0 };
	sat_rc rc = SAT_OK;

	for (size_t i = 0; i < n && rc == SAT_OK; i++)
		if ((rc = replica_kind_stmt(&lists[i].s, r, &r->kinds->k[i],
		    KQ_IDS, e)) == SAT_OK)
			rc = next_id(&lists[i], e);
	while (rc == SAT_OK) {
		min = n;
		for (size_t i = 0; i < n; i++)
			if (lists[i].more && (min == n || memcmp(lists[i].id.b,
			    lists[min].id.b, sizeof lists[i].id.b) < 0))
				min = i;
		if (min == n)
			break;
		if ((rc = dump_one(r, &r->kinds->k[min], &lists[min].id, &b,
		    cb, u, e)) == SAT_OK)
			rc = next_id(&lists[min], e);
	}
	replica_page_reset(r);
	sat_buf_fini(&b);
	return rc;
}

/* ---- backup ------------------------------------------------------------------------ */

/* The copy must not go on under our numbers: it says so itself. */
static sat_rc
mark_copy(sat_replica *r, const char *path, sat_err *e)
{
	sat_db_open_opts o = { .path = path, .keyring = r->keyring,
		.vfs_below = r->vfs_below, .sql = client_replica_sql,
		.nsql = client_replica_sql_count };
	sat_replica copy = { 0 };
	sat_rc rc;

	if ((rc = sat_db_open(&copy.db, &o, e)) != SAT_OK)
		return rc;
	rc = replica_meta_int(&copy, "restored", 1, e);
	sat_db_close(copy.db);
	return rc;
}

sat_rc
sat_replica_backup(sat_replica *r, const char *to_path, sat_err *e)
{
	sat_rc rc;

	if (r->in_group)
		return sat_fail(e, SAT_EBUSY, "a group of writes is open");
	if ((rc = sat_db_copy(r->db, to_path, e)) != SAT_OK)
		return rc;
	return mark_copy(r, to_path, e);
}

sat_rc
sat_replica_compact(int64_t *before, int64_t *after, sat_replica *r,
    sat_err *e)
{
	*before = *after = 0;
	if (r->in_group)
		return sat_fail(e, SAT_EBUSY, "a group of writes is open");
	return sat_db_compact(before, after, r->db, e);
}
