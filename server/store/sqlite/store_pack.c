/*
 * store_pack.c - commits that follow one another, as one row of the log.
 *
 * pack: n x { of the first: header span; of each other: stamp int (from the
 * one before), header without what it shares with the first span |
 * payload span, empty once erased }.
 *
 * Shared are the version and the template with the flags (protocol/commit.h has
 * the header): where they are not the same a row ends.
 *
 * Invariants, named in the tests:
 *   K1  what is read is what was put, whatever it was put with.
 *   K2  no commit of a chain is in the log twice.
 *   K3  a payload that was erased is in no row any more, its neighbours stay.
 */
#include "server/store/sqlite/store_int.h"

#include <assert.h>
#include <string.h>

/* Of a header: shared | own | subject | shared | hashes. */
#define SHARED_FIRST 1
#define SHARED_LAST (SAT_TEMPLATE_OID_BYTES + 1)
#define HASHES (2 * SAT_HASH_BYTES)
#define SHARED (SHARED_FIRST + SHARED_LAST)

/* ---- writing ------------------------------------------------------------------- */

static const uint8_t *
shared_last(sat_span header)
{
	return header.p + header.n - HASHES - SHARED_LAST;
}

static bool
shares(sat_span a, sat_span b)
{
	return a.n >= SHARED + HASHES && b.n >= SHARED + HASHES &&
	    memcmp(a.p, b.p, SHARED_FIRST) == 0 &&
	    memcmp(shared_last(a), shared_last(b), SHARED_LAST) == 0;
}

static sat_span
first_header(const log_pack *p)
{
	return sat_span_of(p->bytes.p + p->header_at, p->header_n);
}

static bool
joins(const log_pack *p, const sat_segment_row *r)
{
	return p->n < LOG_PACK_MAX && p->bytes.n < LOG_PACK_BYTES &&
	    r->row.lsn == p->lsn + p->n && r->cseq == p->cseq + p->n &&
	    r->dev == p->dev && r->inc == p->inc &&
	    r->row.received_ms == p->received_ms &&
	    shares(first_header(p), r->row.header);
}

static void
begin_pack(log_pack *p, const sat_segment_row *r)
{
	sat_buf b = p->bytes;

	sat_buf_reset(&b);
	*p = (log_pack){ .lsn = r->row.lsn, .dev = r->dev, .inc = r->inc,
		.cseq = r->cseq, .eff = r->row.eff,
		.received_ms = r->row.received_ms,
		.header_n = r->row.header.n };
	sat_write_uint(&b, r->row.header.n);
	p->header_at = b.n;
	sat_buf_add(&b, r->row.header.p, r->row.header.n);
	p->bytes = b;
}

static void
go_on(log_pack *p, const sat_segment_row *r)
{
	sat_span h = r->row.header;

	sat_write_int(&p->bytes, (int64_t)(r->row.eff - p->last_eff));
	sat_write_uint(&p->bytes, h.n - SHARED);
	sat_buf_add(&p->bytes, h.p + SHARED_FIRST, h.n - SHARED - HASHES);
	sat_buf_add(&p->bytes, h.p + h.n - HASHES, HASHES);
}

bool
store_pack_add(log_pack *p, const sat_segment_row *r)
{
	if (p->n == 0)
		begin_pack(p, r);
	else if (joins(p, r))
		go_on(p, r);
	else
		return false;
	sat_write_span(&p->bytes, r->row.payload);
	p->last_eff = r->row.eff;
	p->n++;
	return true;
}

static sat_rc
check_new(const log_pack *p, sat_sqlite_store *s, sat_err *e) /* K2 */
{
	sat_stmt *q;
	bool row;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, SQL_LOG_CHAIN, e)) != SAT_OK)
		return rc;
	sat_bind_int(q, 1, p->dev);
	sat_bind_int(q, 2, p->inc);
	sat_bind_int(q, 3, (int64_t)(p->cseq + p->n));
	if ((rc = sat_step(&row, q, e)) == SAT_OK && row &&
	    (uint64_t)sat_col_int(q, 0) >= p->cseq)
		rc = sat_fail(e, SAT_ECONFLICT, "commit %llu of a chain is in "
		    "the log already", (unsigned long long)p->cseq);
	sat_stmt_reset(q);
	return rc;
}

static sat_rc
insert(const log_pack *p, sat_sqlite_store *s, sat_err *e)
{
	sat_stmt *q;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, SQL_LOG_PUT, e)) != SAT_OK)
		return rc;
	sat_bind_int(q, 1, (int64_t)p->lsn);
	sat_bind_int(q, 2, (int64_t)p->n);
	sat_bind_int(q, 3, p->dev);
	sat_bind_int(q, 4, p->inc);
	sat_bind_int(q, 5, (int64_t)p->cseq);
	sat_bind_int(q, 6, (int64_t)p->eff);
	sat_bind_int(q, 7, p->received_ms);
	sat_bind_blob(q, 8, sat_buf_span(&p->bytes));
	return sat_run(q, e);
}

sat_rc
store_pack_put(sat_sqlite_store *s, log_pack *p, sat_err *e)
{
	sat_rc rc;

	if (p->n == 0)
		return SAT_OK;
	store_log_end_read(s);
	if ((rc = check_new(p, s, e)) == SAT_OK)
		rc = insert(p, s, e);
	p->n = 0;
	return rc;
}

/* What came from one row, or the first of it, in the place of that row: with
 * no more bytes than it had it fits. */
static sat_rc
replace(sat_sqlite_store *s, const sat_segment_row *rows, size_t n, sat_err *e)
{
	log_pack p = { 0 };
	sat_stmt *q;
	sat_rc rc;

	for (size_t i = 0; i < n; i++)
		if (!store_pack_add(&p, &rows[i]))
			assert(!"a row is as long as it was");
	if ((rc = store_stmt(&q, s->db, SQL_LOG_REPLACE, e)) == SAT_OK) {
		sat_bind_int(q, 1, (int64_t)p.n);
		sat_bind_blob(q, 2, sat_buf_span(&p.bytes));
		sat_bind_int(q, 3, (int64_t)p.lsn);
		rc = sat_run(q, e);
	}
	if (rc == SAT_OK && sat_db_changes(s->db) != 1)
		rc = sat_fail(e, SAT_EINTEGRITY, "the log has no row at %llu",
		    (unsigned long long)p.lsn);
	sat_buf_fini(&p.bytes);
	return rc;
}

/* ---- reading ------------------------------------------------------------------- */

static void
read_entry(log_read *p, size_t i, sat_reader *r)
{
	log_read_entry *x = &p->at[i];

	x->eff = i == 0 ? p->eff : p->at[i - 1].eff + (sat_hlc)sat_read_int(r);
	x->header = sat_read_span(r, r->left);
	if (i > 0 && x->header.n < HASHES)
		sat_read_bad(r, "a header is too short");
	x->payload = sat_read_span(r, r->left);
	if (x->payload.n == 0)
		x->payload.p = NULL;
}

sat_rc
store_pack_read(log_read *p, sat_stmt *q, sat_err *e)
{
	sat_span pack = sat_col_blob(q, 7);
	sat_reader r;
	int64_t n = sat_col_int(q, 1);

	p->n = 0;
	p->lsn = (uint64_t)sat_col_int(q, 0);
	p->dev = (uint32_t)sat_col_int(q, 2);
	p->inc = (uint32_t)sat_col_int(q, 3);
	p->cseq = (uint64_t)sat_col_int(q, 4);
	p->eff = (sat_hlc)sat_col_int(q, 5);
	p->received_ms = sat_col_int(q, 6);
	p->echoes = sat_col_int(q, 8) != 0;
	sat_buf_reset(&p->bytes);
	sat_buf_add(&p->bytes, pack.p, pack.n);
	r = sat_reader_of(sat_buf_span(&p->bytes));
	if (n < 1 || n > LOG_PACK_MAX)
		sat_read_bad(&r, "so many are in no row");
	for (size_t i = 0; r.fault == NULL && i < (size_t)n; i++)
		read_entry(p, i, &r);
	if (n > 1 && r.fault == NULL && p->at[0].header.n < SHARED + HASHES)
		sat_read_bad(&r, "a header is too short");
	if (r.fault != NULL || r.left != 0)
		return sat_fail(e, SAT_EINTEGRITY, "the log is damaged at %llu",
		    (unsigned long long)p->lsn);
	p->n = (size_t)n;
	return SAT_OK;
}

static sat_span
whole_header(sat_arena *a, const log_read *p, size_t i)
{
	sat_span first = p->at[0].header, own = p->at[i].header;
	uint8_t *h, *to;

	if (i == 0)
		return store_copy(a, first);
	to = h = sat_arena_alloc(a, own.n + SHARED);
	memcpy(to, first.p, SHARED_FIRST);
	to += SHARED_FIRST;
	memcpy(to, own.p, own.n - HASHES);
	to += own.n - HASHES;
	memcpy(to, shared_last(first), SHARED_LAST);
	memcpy(to + SHARED_LAST, own.p + own.n - HASHES, HASHES);
	return sat_span_of(h, own.n + SHARED);
}

void
store_pack_row(sat_segment_row *out, sat_arena *a, const log_read *p, size_t i)
{
	*out = (sat_segment_row){ .dev = p->dev, .inc = p->inc,
		.cseq = p->cseq + i };
	out->row.lsn = p->lsn + i;
	out->row.eff = p->at[i].eff;
	out->row.received_ms = p->received_ms;
	out->row.header = whole_header(a, p, i);
	out->row.payload = store_copy(a, p->at[i].payload);
}

sat_rc
store_pack_of(log_read *p, sat_sqlite_store *s, uint64_t lsn, sat_err *e)
{
	sat_stmt *q;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, SQL_LOG_GET, e)) != SAT_OK)
		return rc;
	sat_bind_int(q, 1, (int64_t)lsn);
	if ((rc = store_step_one(q, "commit", e)) != SAT_OK)
		return rc;
	if ((uint64_t)(sat_col_int(q, 0) + sat_col_int(q, 1)) <= lsn)
		rc = sat_fail(e, SAT_ENOTFOUND, "no such commit");
	else
		rc = store_pack_read(p, q, e);
	sat_stmt_reset(q);
	return rc;
}

/* ---- all of them, erasing, cutting ------------------------------------------------ */

/* Echoes, and what is left of what was erased. */
sat_rc
store_pack_whole(sat_segment_row *r, sat_arena *a, sat_sqlite_store *s,
    const log_read *p, size_t i, sat_err *e)
{
	store_pack_row(r, a, p, i);
	return p->echoes || r->row.payload.n == 0 ?
	    store_log_aside(&r->row, a, s, r->row.lsn, e) : SAT_OK;
}

sat_rc
store_log_rows(sat_sqlite_store *s, uint64_t after, uint64_t upto,
    bool (*cb)(void *u, const sat_segment_row *row), void *u, sat_err *e)
{
	sat_segment_row r;
	log_read p = { 0 };
	sat_arena a = { 0 };
	bool row, more = true;
	sat_stmt *q;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, SQL_LOG_PACKS, e)) != SAT_OK)
		return rc;
	sat_bind_int(q, 1, (int64_t)after);
	sat_bind_int(q, 2, (int64_t)upto);
	while (more && (rc = sat_step(&row, q, e)) == SAT_OK && row &&
	    (rc = store_pack_read(&p, q, e)) == SAT_OK) {
		sat_arena_reset(&a);
		for (size_t i = 0; i < p.n && rc == SAT_OK; i++)
			if ((rc = store_pack_whole(&r, &a, s, &p, i, e)) == SAT_OK)
				more = cb(u, &r) && more;
		if (rc != SAT_OK)
			break;
	}
	sat_stmt_reset(q);
	sat_arena_fini(&a);
	sat_buf_fini(&p.bytes);
	return rc;
}

/* The row that has a position, and where in it: for what writes it anew. */
static sat_rc
open_row(sat_segment_row rows[LOG_PACK_MAX], size_t *n, sat_arena *a,
    sat_sqlite_store *s, uint64_t lsn, sat_err *e)
{
	log_read p = { 0 };
	sat_rc rc;

	store_log_end_read(s);
	if ((rc = store_pack_of(&p, s, lsn, e)) == SAT_OK)
		for (*n = 0; *n < p.n; ++*n)
			store_pack_row(&rows[*n], a, &p, *n);
	sat_buf_fini(&p.bytes);
	return rc;
}

sat_rc
store_log_drop_payload(sat_sqlite_store *s, uint64_t lsn, sat_err *e) /* K3 */
{
	sat_segment_row rows[LOG_PACK_MAX];
	sat_arena a = { 0 };
	size_t n = 0;
	sat_rc rc = open_row(rows, &n, &a, s, lsn, e);

	if (rc == SAT_OK) {
		rows[lsn - rows[0].row.lsn].row.payload = (sat_span){ NULL, 0 };
		rc = replace(s, rows, n, e);
	}
	sat_arena_fini(&a);
	return rc;
}

sat_rc
store_log_cut(sat_sqlite_store *s, uint64_t upto, sat_err *e)
{
	sat_segment_row rows[LOG_PACK_MAX];
	sat_arena a = { 0 };
	log_pack rest = { 0 };
	size_t n = 0, keep;
	sat_rc rc = open_row(rows, &n, &a, s, upto, e);

	if (rc == SAT_OK && rows[n - 1].row.lsn > upto) {
		keep = (size_t)(upto - rows[0].row.lsn) + 1;
		rc = replace(s, rows, keep, e);
		for (size_t i = keep; i < n && rc == SAT_OK; i++)
			if (!store_pack_add(&rest, &rows[i]) &&
			    (rc = store_pack_put(s, &rest, e)) == SAT_OK)
				(void)store_pack_add(&rest, &rows[i]);
		if (rc == SAT_OK)
			rc = store_pack_put(s, &rest, e);
	}
	sat_buf_fini(&rest.bytes);
	sat_arena_fini(&a);
	return rc == SAT_ENOTFOUND ? SAT_OK : rc;
}
