/*
 * history.c - values that others displaced, packed: the past of a record is a
 * few rows, each a chunk of entries in the order they were folded.
 *
 * Why: an entry as a row of its own is 41 bytes, mostly key and stamps. In a
 * chunk it is about half: a stamp is told apart from its neighbour's, and the
 * position of a value is that of the entry before it of the same field, whose
 * commit wrote it.
 *
 * Why chunks, not one row: what is appended rewrites its row, and a field that
 * changes all day must not make each change dearer than the one before.
 *
 * An entry: uint field << 3 | marks; int lsn less the entry's before it; unless
 * MARK_FIRST (stamp as in the chunk's first entry) the stamp: int hlc less the
 * one before it, uint dev unless MARK_DEV (as before it), int lsn less the
 * stamp's unless MARK_CHAIN (the lsn of the field's entry before it); value.
 */
#include "client/replica/replica_int.h"

#include <stdlib.h>
#include <string.h>

#define CHUNK_BYTES 1024u /* a chunk of at least that is not added to */
enum { MARK_FIRST = 1, MARK_DEV = 2, MARK_CHAIN = 4, MARK_BITS = 3 };

/* The position of the newest of the first n entries of this field; 0 = none. */
static uint64_t
chained(const sat_past *past, size_t n, uint16_t field)
{
	while (n > 0)
		if (past[--n].field == field)
			return past[n].by;
	return 0;
}

/* Entry n, behind the ones before it. */
static void
write_entry(sat_buf *b, const sat_past *past, size_t n)
{
	const sat_past *p = &past[n];
	sat_past before = n > 0 ? past[n - 1] : (sat_past){ 0 };
	unsigned marks = 0;

	if (n > 0 && replica_same_stamp(&p->at, &past[0].at))
		marks = MARK_FIRST;
	else
		marks = (n > 0 && p->at.dev == before.at.dev ? MARK_DEV : 0u) |
		    (n > 0 && p->at.lsn == chained(past, n, p->field) ?
		    MARK_CHAIN : 0u);
	sat_write_uint(b, (uint64_t)p->field << MARK_BITS | marks);
	sat_write_int(b, (int64_t)(p->by - before.by));
	if ((marks & MARK_FIRST) == 0) {
		sat_write_int(b, (int64_t)(p->at.hlc - before.at.hlc));
		if ((marks & MARK_DEV) == 0)
			sat_write_uint(b, p->at.dev);
		if ((marks & MARK_CHAIN) == 0)
			sat_write_int(b, (int64_t)(p->by - p->at.lsn));
	}
	sat_value_write(b, p->value);
}

static void
read_entry(sat_past *past, size_t n, sat_reader *r)
{
	sat_past *p = &past[n], before = n > 0 ? past[n - 1] : (sat_past){ 0 };
	uint64_t head = sat_read_uint_max(r, UINT16_MAX << MARK_BITS |
	    ((1u << MARK_BITS) - 1));

	*p = (sat_past){ .field = (uint16_t)(head >> MARK_BITS) };
	p->by = before.by + (uint64_t)sat_read_int(r);
	if (n == 0 && (head & ((1u << MARK_BITS) - 1)) != 0)
		sat_read_bad(r, "first entry");
	if (n > 0 && (head & MARK_FIRST) != 0) {
		p->at = past[0].at;
	} else {
		p->at.hlc = before.at.hlc + (uint64_t)sat_read_int(r);
		p->at.dev = (head & MARK_DEV) != 0 ? before.at.dev :
		    (uint32_t)sat_read_uint_max(r, UINT32_MAX);
		p->at.lsn = (head & MARK_CHAIN) != 0 ?
		    chained(past, n, p->field) :
		    p->by - (uint64_t)sat_read_int(r);
	}
	p->value = sat_value_read(r);
}

/* Entries of a chunk, oldest first, appended to an arena's list; the values
 * are borrowed from `data`. */
static sat_rc
read_chunk(sat_past **list, size_t *n, size_t *cap, sat_arena *a,
    sat_span data, sat_err *e)
{
	sat_reader r = sat_reader_of(data);
	size_t first = *n;

	while (r.left > 0 && r.fault == NULL) {
		SAT_ARENA_GROW(*list, *n, *cap, a);
		read_entry(*list + first, *n - first, &r);
		(*n)++;
	}
	if (r.fault == NULL)
		return SAT_OK;
	*n = first;
	return sat_fail(e, SAT_EINTEGRITY, "past values: %s", r.fault);
}

/* ---- writing ------------------------------------------------------------------ */

void
replica_past_note(replica_row *row, sat_arena *a, const sat_displaced *d,
    uint64_t lsn)
{
	sat_past *more;

	if (row->npast == row->cap_past) { /* mostly one, and many rows */
		row->cap_past = row->cap_past * 2 + 1;
		more = sat_arena_alloc(a, row->cap_past * sizeof *more);
		if (row->npast > 0)
			memcpy(more, row->past, row->npast * sizeof *more);
		row->past = more;
	}
	row->past[row->npast++] = (sat_past){ d->field, d->value, d->at, lsn };
}

static sat_rc
put_chunk(sat_replica *r, int64_t rid, int64_t n, sat_span data, sat_err *e)
{
	sat_stmt *s;
	sat_rc rc;

	if ((rc = sat_db_stmt(&s, r->db, SQL_HISTORY_PUT, e)) != SAT_OK)
		return rc;
	sat_bind_int(s, 1, rid);
	sat_bind_int(s, 2, n);
	sat_bind_blob(s, 3, data);
	return sat_run(s, e);
}

/* Entries of `list` from `from` on, of which those below `old` stand in b as
 * chunk `no` already: in chunks, the last one open. */
static sat_rc
put_entries(sat_replica *r, int64_t rid, int64_t no, sat_buf *b,
    const sat_past *list, size_t n, size_t old, sat_err *e)
{
	size_t from = 0;
	sat_rc rc;

	for (size_t i = old; i < n; i++) {
		if (b->n >= CHUNK_BYTES) {
			if ((rc = put_chunk(r, rid, no++, sat_buf_span(b),
			    e)) != SAT_OK)
				return rc;
			sat_buf_reset(b);
			from = i;
		}
		write_entry(b, list + from, i - from);
	}
	return b->n == 0 ? SAT_OK :
	    put_chunk(r, rid, no, sat_buf_span(b), e);
}

/* The last chunk, when there is room: what is noted goes behind it. One that
 * cannot be read is left alone. */
static sat_rc
open_chunk(sat_past **list, size_t *n, size_t *cap, int64_t *no, sat_buf *b,
    sat_replica *r, int64_t rid, sat_err *e)
{
	sat_stmt *s;
	sat_span data;
	bool row;
	sat_rc rc;

	*no = 0;
	if ((rc = sat_db_stmt(&s, r->db, SQL_HISTORY_LAST, e)) != SAT_OK)
		return rc;
	sat_bind_int(s, 1, rid);
	if ((rc = sat_step(&row, s, e)) != SAT_OK || !row)
		return rc;
	*no = sat_col_int(s, 0);
	data = sat_col_blob(s, 1);
	if (data.n < CHUNK_BYTES)
		sat_buf_add(b, data.p, data.n);
	sat_stmt_reset(s);
	if (b->n == 0 || read_chunk(list, n, cap, &r->page.past,
	    sat_buf_span(b), NULL) != SAT_OK) {
		sat_buf_reset(b);
		(*no)++;
	}
	return SAT_OK;
}

sat_rc
replica_past_put(sat_replica *r, replica_row *row, sat_err *e)
{
	sat_past *list = NULL;
	size_t n = 0, cap = 0, old;
	sat_buf b = { 0 };
	int64_t no;
	sat_rc rc;

	if (row->npast == 0)
		return SAT_OK;
	sat_arena_reset(&r->page.past);
	if ((rc = open_chunk(&list, &n, &cap, &no, &b, r, row->rid, e)) ==
	    SAT_OK) {
		old = n;
		for (size_t i = 0; i < row->npast; i++) {
			SAT_ARENA_GROW(list, n, cap, &r->page.past);
			list[n++] = row->past[i];
		}
		rc = put_entries(r, row->rid, no, &b, list, n, old, e);
	}
	sat_buf_fini(&b);
	row->npast = 0;
	return rc;
}

/* ---- reading ------------------------------------------------------------------ */

sat_rc
replica_past_read(sat_past **list, size_t *n, size_t *cap, sat_arena *a,
    sat_span data, int field, sat_err *e)
{
	size_t from = *n, to = *n;
	sat_rc rc;

	data.p = sat_arena_dup(a, data.p, data.n);
	if ((rc = read_chunk(list, n, cap, a, data, e)) != SAT_OK)
		return rc;
	for (size_t i = from; i < *n; i++)
		if (field == 0 || (*list)[i].field == field)
			(*list)[to++] = (*list)[i];
	*n = to;
	return SAT_OK;
}

sat_rc
replica_past_of(sat_past **list, size_t *n, size_t *cap, sat_arena *a,
    sat_replica *r, int64_t rid, int field, sat_err *e)
{
	sat_stmt *s;
	bool row;
	sat_rc rc;

	if ((rc = sat_db_stmt(&s, r->db, SQL_HISTORY_OF, e)) != SAT_OK)
		return rc;
	sat_bind_int(s, 1, rid);
	while ((rc = sat_step(&row, s, e)) == SAT_OK && row)
		if ((rc = replica_past_read(list, n, cap, a,
		    sat_col_blob(s, 0), field, e)) != SAT_OK) {
			sat_stmt_reset(s);
			break;
		}
	return rc;
}

/* ---- what nobody looks back to -------------------------------------------------- */

/* The newest `keep` of each field that are not older than `oldest`. */
static size_t
kept_of(sat_past *list, size_t n, sat_hlc oldest, size_t keep)
{
	size_t to = n, left = 0;

	for (size_t i = n; i-- > 0;) {
		size_t newer = 0;

		for (size_t j = to; j < n && newer < keep; j++)
			newer += list[j].field == list[i].field;
		if (list[i].at.hlc >= oldest && newer < keep)
			list[--to] = list[i];
	}
	left = n - to;
	memmove(list, list + to, left * sizeof *list);
	return left;
}

/* In place of all that is there. */
static sat_rc
put_anew(sat_replica *r, int64_t rid, const sat_past *list, size_t n,
    sat_err *e)
{
	sat_buf b = { 0 };
	sat_stmt *s;
	sat_rc rc;

	if ((rc = sat_db_stmt(&s, r->db, SQL_HISTORY_DEL, e)) != SAT_OK)
		return rc;
	sat_bind_int(s, 1, rid);
	if ((rc = sat_run(s, e)) == SAT_OK)
		rc = put_entries(r, rid, 0, &b, list, n, 0, e);
	sat_buf_fini(&b);
	return rc;
}

static sat_rc
trim_one(sat_replica *r, sat_arena *a, int64_t rid, sat_hlc oldest,
    size_t keep, sat_err *e)
{
	sat_past *list = NULL;
	size_t n = 0, cap = 0, left;
	sat_rc rc;

	if ((rc = replica_past_of(&list, &n, &cap, a, r, rid, 0, e)) != SAT_OK)
		return rc == SAT_EINTEGRITY ? SAT_OK : rc; /* check tells */
	if ((left = kept_of(list, n, oldest, keep)) == n)
		return SAT_OK;
	return put_anew(r, rid, list, left, e);
}

/* Of one that cannot be read nothing is kept. */
static sat_rc
veil_one(sat_replica *r, sat_arena *a, const replica_kind *k, int64_t rid,
    const sat_mask *m, sat_err *e)
{
	sat_past *list = NULL;
	size_t n = 0, cap = 0, left = 0;
	sat_rc rc = replica_past_of(&list, &n, &cap, a, r, rid, 0, e);

	if (rc == SAT_EINTEGRITY)
		return put_anew(r, rid, NULL, 0, e);
	if (rc != SAT_OK)
		return rc;
	for (size_t i = 0; i < n; i++)
		if (sat_mask_field(m, k->kind->id, list[i].field) == NULL)
			list[left++] = list[i];
	return left == n ? SAT_OK : put_anew(r, rid, list, left, e);
}

sat_rc
replica_past_veil(sat_replica *r, const replica_kind *k, const sat_mask *m,
    sat_err *e)
{
	sat_arena rows = { 0 }, a = { 0 };
	int64_t *rids;
	size_t n;
	sat_rc rc;

	if (!sat_mask_kind(m, k->kind->id))
		return SAT_OK;
	rc = replica_kind_rids(&rids, &n, &rows, r, k, KQ_RIDS, NULL, e);
	for (size_t i = 0; i < n && rc == SAT_OK; i++) {
		sat_arena_reset(&a);
		rc = veil_one(r, &a, k, rids[i], m, e);
	}
	sat_arena_fini(&a);
	sat_arena_fini(&rows);
	return rc;
}

sat_rc
replica_past_trim(sat_replica *r, sat_hlc oldest, size_t keep, sat_err *e)
{
	int64_t rid = INT64_MIN;
	sat_arena a = { 0 };
	sat_stmt *s;
	bool row;
	sat_rc rc;

	for (;;) {
		if ((rc = sat_db_stmt(&s, r->db, SQL_HISTORY_NEXT, e)) !=
		    SAT_OK)
			break;
		sat_bind_int(s, 1, rid);
		if ((rc = sat_step(&row, s, e)) != SAT_OK || !row)
			break;
		rid = sat_col_int(s, 0);
		sat_stmt_reset(s);
		sat_arena_reset(&a);
		if ((rc = trim_one(r, &a, rid, oldest, keep, e)) != SAT_OK)
			break;
	}
	sat_arena_fini(&a);
	return rc;
}
