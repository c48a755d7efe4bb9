/*
 * replica_int.h - what the files of this room share.
 *
 * replica.c   open, create, identity, small state
 * kindsql.c   statements on the tables of the kinds, generated
 * kindtable.c those tables and their indexes (SQL is generated here, there and in
 *             query.c alone)
 * rows.c      a row of a kind <-> a record; flags, match keys, conflicts
 * put.c       how much of a row is written
 * base.c      the server's state of a row, beside the view
 * history.c   values that were displaced, packed; past.c reads those of all,
 *             touch.c when everything was written
 * page.c      the rows one transaction touches: read once, written once
 * pend.c      which commits still wait, per record; the view from the base
 * write.c     local commits and groups
 * fill.c      rows of a snapshot, many by one statement
 * outbox.c    into the outbox, in runs
 * digest.c    sums over the server's states; repair.c: what differs again
 * session.c, push.c, verdict.c, delta.c, snapshot.c, template.c   what the
 *             session asks
 * rescope.c   what changed scope in a page of delta.c
 * handover.c  suggestions of others, own ones, edits that came late
 * quarantine.c  commits the server did not merge, and what becomes of them
 * place.c     where commits of others stand, for the loss of a server
 * alias.c     records merged into others: canonical ids
 * stray.c     what is kept of rows that are not there
 * root.c      whose a record is, for what is kept beside its row
 * search.c    what is searched, beside the rows (search_text.c: what that is,
 *             search_make.c: from nothing); seek.c searches it, lane by lane
 *             (seek_lane.c)
 * get.c, query.c, inbox.c, conflicts.c, audit.c, check.c   reading and proof
 * file.c      contents of files; file_send.c: on their way to the server
 * lacking.c   rows that are incomplete by another template
 * number.c    numbers leased in advance
 * identity.c  who the device is; incarnations
 * rekey.c     other keys, beside those in force
 */
#ifndef SAT_REPLICA_REPLICA_INT_H
#define SAT_REPLICA_REPLICA_INT_H

#include "client/replica/replica_state.h"
#include "client_replica_sql.h"

/* replica.c */
/* A statement that takes one number and gives no row. */
SAT_CHECK sat_rc replica_run_int(sat_replica *r, int sql, int64_t v, sat_err *e);
/* One that takes an id (erase.c). */
SAT_CHECK sat_rc replica_run_id(sat_replica *r, int sql, const sat_id *id,
    sat_err *e);
/* A column as the arena's own. */
const char *replica_col_str(sat_arena *a, sat_stmt *s, int i);
sat_span replica_col_copy(sat_arena *a, sat_stmt *s, int i);
SAT_CHECK sat_rc replica_meta_int(sat_replica *r, const char *key, int64_t v, sat_err *e);
SAT_CHECK sat_rc replica_meta_blob(sat_replica *r, const char *key, sat_span v, sat_err *e);
SAT_CHECK sat_rc replica_meta_del(sat_replica *r, const char *key, sat_err *e);
/* The clock, in the transaction that learnt something for it. */
SAT_CHECK sat_rc replica_meta_clock(sat_replica *r, sat_err *e);
SAT_CHECK sat_rc replica_identity_put(sat_replica *r, sat_err *e);
void replica_identity_write(sat_buf *b, const sat_replica_identity *id);
SAT_CHECK sat_rc replica_identity_read(sat_replica_identity *id, sat_span in, sat_err *e);
/* rekey.c */
SAT_CHECK sat_rc replica_keys_load(sat_replica *r, sat_span in, sat_err *e);
/* With a WELCOME: does a backup of the server have the change by now? */
SAT_CHECK sat_rc replica_rekey_settle(sat_replica *r, const sat_welcome *w, sat_err *e);
/* By the key in force, or one there was. */
bool replica_own_sig(const sat_replica *r, const uint8_t sig[SAT_SIG_BYTES],
    sat_span bytes);
/* A transaction unless one is open (a group). */
SAT_CHECK sat_rc replica_begin(sat_replica *r, bool *began, sat_err *e);
/* rc of the work -> rc of the whole; rolls back when it failed. */
SAT_CHECK sat_rc replica_end(sat_replica *r, bool began, sat_rc rc, sat_err *e);
/* Session calls must not run inside a group. */
SAT_CHECK sat_rc replica_session_begin(sat_replica *r, sat_err *e);
SAT_CHECK sat_rc replica_load_registry(sat_replica *r, sat_err *e);
SAT_CHECK sat_rc replica_count(int64_t *n, sat_replica *r, int sql, sat_err *e);

/* inbox.c: what own waiting operations displaced, newest first, appended to an
 * arena's list. */
SAT_CHECK sat_rc replica_waiting_past(sat_past **list, size_t *n, size_t *cap,
    sat_arena *a, sat_replica *r, const sat_id *id, int field, sat_err *e);

/* kindsql.c */
SAT_CHECK sat_rc replica_kinds_make(replica_kinds **ks, const sat_template *t, sat_err *e);
void replica_kinds_free(replica_kinds *ks);
/* ", " and the name of each column of a field. */
void replica_kind_columns(sat_buf *b, const replica_kind *k);
/* kindtable.c. Make tables and columns that are missing; *grew: some existing table did. */
SAT_CHECK sat_rc replica_kinds_migrate(sat_replica *r, const replica_kinds *ks, bool *grew, sat_err *e);
/* At the opening of a file: indexes with names of an earlier version. */
SAT_CHECK sat_rc replica_kinds_rename(sat_replica *r, sat_err *e);
/* Before the first row of a kind is written: its indexes. */
SAT_CHECK sat_rc replica_kind_use(sat_replica *r, const replica_kind *k, sat_err *e);
const replica_kind *replica_kind_by(const replica_kinds *ks, uint16_t id);
size_t replica_kind_column(const replica_kind *k, uint16_t field); /* k->n = none */
/* Has the index i_<kind>_created. */
static inline bool
replica_kind_by_age(const replica_kind *k)
{
	return k->kind->scope == SAT_SCOPE_ROOT;
}
SAT_CHECK sat_rc replica_kind_one(sat_stmt **s, sat_replica *r, const replica_kind *k,
    size_t col, one_sql q, sat_err *e);
SAT_CHECK sat_rc replica_kind_stmt(sat_stmt **s, sat_replica *r, const replica_kind *k, kind_sql q, sat_err *e);
/* rids of a statement of a kind with one or no argument, in the arena. */
SAT_CHECK sat_rc replica_kind_rids(int64_t **rids, size_t *n, sat_arena *a,
    sat_replica *r, const replica_kind *k, kind_sql q, const sat_id *arg, sat_err *e);

/* Those with after < rid <= to. */
SAT_CHECK sat_rc replica_kind_range(int64_t **rids, size_t *n, sat_arena *a,
    sat_replica *r, const replica_kind *k, int64_t after, int64_t to, sat_err *e);

/* coverage.c: what the session asks and is told (client.h). */
SAT_CHECK sat_rc replica_unsent(uint32_t *inc, uint64_t *cseq, sat_replica *r, sat_err *e);
uint64_t replica_coverage_known(const sat_replica *r);
SAT_CHECK sat_rc replica_coverage(void *u, const sat_coverage *in, uint64_t registry_rev, sat_err *e);

/* base.c */
void replica_base_write(sat_buf *b, const replica_row *row);
/* row->view is read already. */
SAT_CHECK sat_rc replica_base_read(replica_row *row, sat_arena *a, sat_span in, sat_err *e);

/* rows.c */
sat_value replica_col_value(sat_stmt *s, int i);
void replica_bind_value(sat_stmt *s, int i, sat_value v);
/* The row of a stepped KQ_BY_* (narrow 0) or ONE_BY_* statement (column + 1),
 * copied into a. */
SAT_CHECK sat_rc replica_row_read(replica_row *row, sat_arena *a,
    const replica_kind *k, size_t narrow, sat_stmt *s, sat_err *e);
/* After replica_row_read of a ONE_FOR_EDIT. */
void replica_row_standing(replica_row *row, sat_arena *a, sat_stmt *s);
/* Take the values a narrow row lacks from a whole reading of the same row. */
void replica_row_widen(replica_row *row, sat_arena *a, const replica_row *whole);
/* Insert, update or delete the row and what hangs on it. New match keys go to
 * the page. */
SAT_CHECK sat_rc replica_row_write(sat_replica *r, replica_row *row, sat_err *e);
/* put.c: values per column; cells of fields this template lacks go to *more. */
void replica_row_spread(sat_value *values, sat_buf *more, const replica_row *row);
/* The row in its table; the page's buffers hold clocks (b1), base (b2), more (b3). */
SAT_CHECK sat_rc replica_row_put(sat_replica *r, const replica_row *row,
    uint32_t flags, const sat_value *values, sat_err *e);
/* fill.c: states of one kind, in the order of their numbers, that are likely not
 * here: written until one that is here, or is no plain row; *done of them. sums:
 * theirs, NULL when they are not known. */
bool replica_fill_fits(const replica_kind *k, const sat_record *rec);
SAT_CHECK sat_rc replica_fill(size_t *done, sat_replica *r,
    const replica_kind *k, const sat_record *recs, const sat_sum *sums, size_t n,
    sat_err *e);
/* The keys of every row, once, in their order (end of a snapshot). */
SAT_CHECK sat_rc replica_match_build(sat_replica *r, sat_err *e);
/* The template in force has other duplicate keys than the one before it: keys
 * of fields that are none any more go, those of new ones come (alike.c). */
SAT_CHECK sat_rc replica_match_adopt(sat_replica *r, const replica_kinds *was,
    sat_err *e);
/* It demands other fields than the one before it: the flag of rows that lack
 * one of these, and of those that do not any more (lacking.c). */
SAT_CHECK sat_rc replica_lacking_adopt(sat_replica *r,
    const replica_kinds *was, sat_err *e);
/* Open conflicts of the view: fields and LSNs, field 0 = deleted with edits. */
typedef struct row_conflict {
	uint16_t field;
	uint64_t opened_lsn;
} row_conflict;
size_t replica_row_conflicts(row_conflict *out, size_t max, sat_arena *a, const replica_row *row);
uint32_t replica_row_flags(const sat_template *t, sat_arena *a, replica_row *row);
#define ROW_CONFLICTS_MAX (SAT_FIELDS_MAX + 1)

/* get.c: a row as others see it, copied into a. */
void replica_view_of(sat_view *v, sat_arena *a, const replica_row *row,
    const sat_record *rec);

/* search.c: the index of what is searched */
void replica_search_plan(replica_kinds *ks, replica_kind *k);
/* Which parts stand; in the transaction that brings another template, those
 * that do not fit go. stale not NULL: only says whether any does. */
SAT_CHECK sat_rc replica_search_adopt(sat_replica *r, replica_kinds *ks,
    bool *stale, sat_err *e);
SAT_CHECK sat_rc replica_search_open(sat_replica *r, sat_err *e);
/* After the row was written: `values` per column as they are now. */
SAT_CHECK sat_rc replica_search_row(sat_replica *r, const replica_row *row,
    uint32_t flags, const sat_value *values, sat_err *e);
SAT_CHECK sat_rc replica_search_drop(sat_replica *r, const replica_kind *k,
    int64_t rid, sat_err *e);
/* What is searched of numbers in after < rid <= to that have no row goes. */
SAT_CHECK sat_rc replica_search_tidy(sat_replica *r, const replica_kind *k,
    int64_t after, int64_t to, sat_err *e);
SAT_CHECK sat_rc replica_search_tidy_all(sat_replica *r, sat_err *e);
/* Proof: counts what the row has to r->search_met, and to r->search_bad what
 * the index has otherwise. */
SAT_CHECK sat_rc replica_search_check_row(sat_replica *r,
    const replica_row *row, sat_err *e);
SAT_CHECK sat_rc replica_search_forget(sat_replica *r, sat_err *e);
SAT_CHECK sat_rc replica_search_entries(int64_t *n, sat_replica *r, sat_err *e);
/* seek.c: numbers of the rows that are found, as a JSON list. */
SAT_CHECK sat_rc replica_search_rids(sat_buf *json, sat_replica *r,
    const sat_kind *kind, sat_span text, sat_err *e);

/* history.c */
/* A value was displaced by the commit at lsn: kept with the row. */
void replica_past_note(replica_row *row, sat_arena *a, const sat_displaced *d, uint64_t lsn);
/* What was noted goes to the table, under row->rid. */
SAT_CHECK sat_rc replica_past_put(sat_replica *r, replica_row *row, sat_err *e);
/* Oldest first, appended to an arena's list: of one chunk, of a record. field
 * 0 = all. SAT_EINTEGRITY when a chunk cannot be read. */
SAT_CHECK sat_rc replica_past_read(sat_past **list, size_t *n, size_t *cap,
    sat_arena *a, sat_span data, int field, sat_err *e);
SAT_CHECK sat_rc replica_past_of(sat_past **list, size_t *n, size_t *cap,
    sat_arena *a, sat_replica *r, int64_t rid, int field, sat_err *e);
/* Of every record: what is older goes, and what is not among the newest `keep`
 * of its field. */
SAT_CHECK sat_rc replica_past_trim(sat_replica *r, sat_hlc oldest, size_t keep, sat_err *e);
/* What the mask hides goes from the past of a kind's records. */
SAT_CHECK sat_rc replica_past_veil(sat_replica *r, const replica_kind *k,
    const sat_mask *m, sat_err *e);

/* alias.c */
/* `alias` as the row is now; flags are the new ones. */
SAT_CHECK sat_rc replica_alias_write(sat_replica *r, const replica_row *row,
    uint32_t flags, sat_err *e);
/* The record and all that leads to it by the server's word. Needs the tables. */
SAT_CHECK sat_rc replica_alias_given(sat_id **ids, size_t *n, sat_arena *a,
    sat_replica *r, const sat_id *id, sat_err *e);

/* Redirects whose record has no row go; *strays: as many. */
SAT_CHECK sat_rc replica_alias_tidy(size_t *strays, sat_replica *r, sat_err *e);

/* stray.c */
/* What is listed of numbers in after < rid <= to that have no row goes: open
 * conflicts, suggestions. */
SAT_CHECK sat_rc replica_lists_tidy(size_t *strays, sat_replica *r,
    int64_t after, int64_t to, sat_err *e);
/* Of all numbers, and redirects. */
SAT_CHECK sat_rc replica_tidy(size_t *strays, sat_replica *r, sat_err *e);
/* History, match keys, searched texts, lists and audit details of what has no
 * row go. Looks at all there are of them. */
SAT_CHECK sat_rc replica_forget_strays(sat_replica *r, sat_err *e);
/* Before a range that was fetched again is flushed: keys of rows in it that were
 * not here go, the flush writes those they have now. */
SAT_CHECK sat_rc replica_match_renew(sat_replica *r, const replica_kind *k,
    int64_t after, int64_t to, sat_err *e);

/* root.c */
/* The customer the record belongs to, its own id without one. */
SAT_CHECK sat_rc replica_row_root(sat_id *root, sat_replica *r,
    const replica_row *row, sat_err *e);
/* *known false: the record is not here. Reads no more than its parent: a row that
 * is damaged has one, too. */
SAT_CHECK sat_rc replica_root_of(sat_id *root, bool *known, sat_replica *r,
    const sat_id *rec, sat_err *e);
/* The record has another customer now: what is kept of it says no more whose it
 * was, and goes with whoever is erased when it is not here then. */
SAT_CHECK sat_rc replica_root_changed(sat_replica *r, const sat_id *rec, sat_err *e);

/* conflicts.c: what an operation of the log did about conflicts; kept. */
SAT_CHECK sat_rc replica_conflict_note(sat_replica *r, const replica_row *row,
    uint16_t field, const sat_applied *got, const sat_apply_ctx *ctx, sat_err *e);

/* digest.c. A row is taken out before its server's state is replaced or it
 * leaves, and put in afterwards; a fold moves `sum` by the part it touches. */
bool replica_row_counts(const replica_row *row);
void replica_sum_out(replica_row *row);
void replica_sum_in(replica_row *row);
/* The same with the sum of its state; NULL: it is taken here. */
void replica_sum_known(replica_row *row, const sat_sum *sum);
void replica_page_sum(replica_page *p, replica_row *row);
SAT_CHECK sat_rc replica_page_flush_sums(sat_replica *r, sat_err *e);
/* In the transaction that reached the position of `theirs`. */
SAT_CHECK sat_rc replica_compare(sat_replica *r, bool has, sat_sum theirs, sat_err *e);
/* Every sum from the rows; what differed is stored as the rows are, so that
 * the next sync fetches them again. */
SAT_CHECK sat_rc replica_recount(size_t *differ, sat_replica *r, sat_err *e);
SAT_CHECK sat_rc replica_recount_range(size_t *differ, sat_replica *r,
    const replica_kind *k, uint32_t first, uint32_t last, sat_err *e);
/* The sum of all from those of the buckets. */
SAT_CHECK sat_rc replica_sum_up(sat_replica *r, sat_err *e);
SAT_CHECK sat_rc replica_scrub(sat_replica *r, sat_err *e);
SAT_CHECK sat_rc replica_differs(void *u, bool *yes, sat_err *e);
SAT_CHECK sat_rc replica_digest(void *u, const sat_digest *ask, const sat_digest_is *d, sat_err *e);
SAT_CHECK sat_rc replica_refetch_next(void *u, sat_refetch *ask, sat_err *e);
SAT_CHECK sat_rc replica_refetch(void *u, const sat_refetch *ask, const sat_refetch_is *d, sat_err *e);
/* Everything derived of the row fits it (check.c); SAT_EINTEGRITY when not, any
 * other failure says nothing about it. */
SAT_CHECK sat_rc replica_row_sound(sat_replica *r, replica_row *row, sat_err *e);

/* page.c */
/* A row that cannot be read: out of the table. What waits is in the outbox. */
SAT_CHECK sat_rc replica_row_remove(sat_replica *r, const replica_kind *k, int64_t rid, sat_err *e);
void replica_page_reset(sat_replica *r);
void replica_page_fini(sat_replica *r);
/* Before a local read or write: keeps what is there unless it grew. */
void replica_page_reuse(sat_replica *r);
void replica_page_reuse_written(sat_replica *r);
/* *row NULL when there is none. eid 0 = not known, id then needed. */
SAT_CHECK sat_rc replica_page_get(replica_row **row, sat_replica *r,
    const replica_kind *k, const sat_id *id, uint32_t eid, sat_err *e);
/* The same for an operation that is alone in its commit: the row may be
 * narrow. field 0: whole. A row whose view is built again, moved or removed
 * must be whole. *row NULL after widening: the rest of it could not be read,
 * and it was removed (in a session, which fetches it again). */
SAT_CHECK sat_rc replica_page_widen(replica_row **row, sat_replica *r, sat_err *e);
SAT_CHECK sat_rc replica_page_get_for(replica_row **row, sat_replica *r,
    const replica_kind *k, const sat_id *id, uint32_t eid, uint16_t field, sat_err *e);
/* What the page has of it already, be it narrow or gone; NULL: nothing. */
replica_row *replica_page_peek(const sat_replica *r, const replica_kind *k,
    const sat_id *id);
/* The same for somebody about to edit this one field: a narrow row that is read
 * here has its owner and its parent too (row->standing). */
SAT_CHECK sat_rc replica_page_get_edit(replica_row **row, sat_replica *r,
    const replica_kind *k, const sat_id *id, uint16_t field, sat_err *e);
SAT_CHECK sat_rc replica_page_by_rid(replica_row **row, sat_replica *r,
    const replica_kind *k, int64_t rid, sat_err *e);
/* What names the record as its parent, as the tables have it. */
SAT_CHECK sat_rc replica_page_children(replica_row ***rows, size_t *n,
    sat_replica *r, const sat_id *of, sat_err *e);
/* The same, or a blank row (view.born.hlc 0). */
SAT_CHECK sat_rc replica_page_need(replica_row **row, sat_replica *r,
    const replica_kind *k, const sat_id *id, uint32_t eid, sat_err *e);
/* The same of an id that is most likely new: the table is not asked, writing
 * the row is SAT_ECONFLICT when the id is there. */
SAT_CHECK sat_rc replica_page_new(replica_row **row, sat_replica *r,
    const replica_kind *k, const sat_id *id, sat_err *e);
/* Keys collected in the page, into the table. */
SAT_CHECK sat_rc replica_page_flush_match(sat_replica *r, sat_err *e);
/* The server's number of a record that was made here. */
void replica_row_number(sat_replica *r, replica_row *row, uint32_t eid);
/* Its number means nothing any more: it gets one of this device. */
void replica_row_unnumber(sat_replica *r, replica_row *row);
/* Rebuild what needs it, write what is dirty. The rows stay. */
SAT_CHECK sat_rc replica_page_flush(sat_replica *r, sat_err *e);
/* Between records' folds: a page with this many rows, or of this size, is
 * written and let go. */
#define REPLICA_PAGE_ROWS_MAX 2048
#define REPLICA_PAGE_BYTES_MAX (32u << 20)
static inline bool
replica_page_full(const sat_replica *r)
{
	return r->page.nrows >= REPLICA_PAGE_ROWS_MAX ||
	    sat_arena_bytes(&r->page.mem) >= REPLICA_PAGE_BYTES_MAX;
}
SAT_CHECK sat_rc replica_page_bound(sat_replica *r, sat_err *e);
/* The server's state of a row: what foreign operations are folded into. */
static inline sat_record *
replica_row_server(replica_row *row)
{
	return row->pending ? &row->srv : &row->view;
}
/* Fold into the server's state; displaced values go to the history. */
SAT_CHECK sat_rc replica_page_fold(sat_replica *r, replica_row *row,
    const sat_op *op, const sat_apply_ctx *ctx, sat_err *e);
/* Find the row of a kind-less id; *row NULL when there is none. */
SAT_CHECK sat_rc replica_page_find(replica_row **row, sat_replica *r, const sat_id *id, sat_err *e);

/* pend.c */
SAT_CHECK sat_rc replica_pend_load(sat_replica *r, sat_err *e);
void replica_pend_drop(sat_replica *r);
void replica_pend_add(sat_replica *r, int64_t seq, const sat_op *ops, size_t nops);
void replica_pend_remove(sat_replica *r, int64_t seq, const sat_id *id);
pend_rec *replica_pend_of(sat_replica *r, const sat_id *id); /* NULL = none */
/* An outbox row decoded, a sealed one without operations; SAT_ENOTFOUND when it
 * is gone or hollow. */
typedef struct own_commit {
	int64_t seq;
	int state;      /* 0..3 as in `answer` */
	uint64_t lsn;
	sat_hlc eff;
	sat_old old;    /* what lost servers may have made of it, the newest first */
	bool passed;    /* the cursor went past it without meeting it */
	sat_commit c;
} own_commit;
SAT_CHECK sat_rc replica_own_commit(own_commit *o, sat_arena *a, sat_replica *r, int64_t seq, sat_err *e);
/* A copy whose cells can be folded into; values stay borrowed. */
void replica_record_copy(sat_record *to, const sat_record *from, sat_arena *a);
/* Start keeping the server's state of a row that gets its first own op. */
void replica_row_hold(replica_row *row, sat_arena *a);
/* Of a row that is made again, after damage or a change of scope: what waits
 * for it was not lost with it. */
SAT_CHECK sat_rc replica_row_hold_waiting(sat_replica *r, replica_row *row,
    sat_err *e);
/* The fields an operation may change, before it is folded into the view. */
void replica_row_touch(replica_row *row, sat_arena *a, const sat_op *op);
/* The one field an operation that is alone in its commit changes; 0: the row
 * is needed whole (system operations change cells that have no column). */
static inline uint16_t
replica_narrow_field(size_t nops, const sat_op *op)
{
	return nops == 1 && op->kind < SAT_OP_CLAIM ? op->field : 0;
}
static inline bool
replica_same_stamp(const sat_stamp *a, const sat_stamp *b)
{
	return a->hlc == b->hlc && a->dev == b->dev && a->lsn == b->lsn;
}
/* view = server state + what still waits; needs the index. */
SAT_CHECK sat_rc replica_row_rebuild(sat_replica *r, replica_row *row, sat_err *e);
/* A commit is settled, folded or refused, for the record of one of its
 * operations; once, however many it has for it. row NULL: the record is not
 * there, as when it was refused with the commit that made it. */
SAT_CHECK sat_rc replica_row_settle(sat_replica *r, replica_row *row,
    const own_commit *o, const sat_op *op, sat_err *e);

/* outbox.c: canonical bytes under this number; within a group perhaps later. A
 * failure within a group is the group's. */
SAT_CHECK sat_rc replica_outbox_put(sat_replica *r, int64_t seq,
    sat_span header, sat_span payload, sat_err *e);
/* Before the outbox is read where a group may be open, and before its COMMIT. */
SAT_CHECK sat_rc replica_outbox_flush(sat_replica *r, sat_err *e);
/* With the group's transaction. */
void replica_outbox_forget(sat_replica *r);

/* write.c: a commit that changes nothing here, for the server alone to act on
 * (HAND): no row, no pending work. In the caller's transaction or group. */
SAT_CHECK sat_rc replica_write_aside(sat_replica *r, const sat_draft *d,
    uint64_t seen, uint64_t *cseq, sat_err *e);
/* What the server did not merge, for several questions: the settled ones are read
 * with the first that needs them. */
typedef struct refused_work {
	const sat_quarantined *open;
	sat_quarantined *aside;
	size_t nopen, naside;
	bool known; /* aside was read */
} refused_work;
/* handover.c: a parked suggestion on a record whose birth was handed over goes with
 * it, on the customer. *went false: it stays as it is, because none was, or one
 * suggestion cannot hold what several did. In the session's transaction; nothing of
 * the page waits. `w` lives in `a`; that a suggestion of it went changes nothing
 * that is asked of it. */
SAT_CHECK sat_rc replica_hand_follow(bool *went, sat_arena *a, sat_replica *r,
    const sat_quarantined *q, refused_work *w, sat_err *e);
/* quarantine.c: in the caller's transaction. */
SAT_CHECK sat_rc replica_quarantine_settle(sat_replica *r, int64_t id,
    sat_fate fate, uint64_t cseq, sat_err *e);
/* handover.c: notes an edit of somebody who did not know whose it is now. */
SAT_CHECK sat_rc replica_note_late(sat_replica *r, const sat_commit *c, sat_err *e);

/* rescope.c */
/* Not held any more: goes, or leaves when the last answer is there. */
void replica_row_drop(replica_row *row);
/* The same of one the server does not name any more; what was made here below a
 * customer, and the server has not heard of, leaves with him (P-085). */
SAT_CHECK sat_rc replica_row_leave(sat_replica *r, replica_row *row, sat_err *e);
/* Out of the views: every record the commit touched is settled without it
 * (verdict.c). */
SAT_CHECK sat_rc replica_withdraw(sat_replica *r, const own_commit *o, sat_err *e);
/* A state as a whole replaces the server's state; what waits stays on top. */
SAT_CHECK sat_rc replica_put_state(sat_replica *r, const sat_record *rec, sat_err *e);
/* What is kept of a row's past, when the state that takes the place of `srv`
 * says that it must not be. */
SAT_CHECK sat_rc replica_past_forget(sat_replica *r, replica_row *row,
    const sat_record *srv, const sat_record *rec, sat_err *e);
/* The states and rescopes of a page; `mem` lasts as long as the page does. */
SAT_CHECK sat_rc replica_rescopes(sat_replica *r, sat_arena *mem,
    const sat_delta *d, const sat_record *recs, size_t nrecs, sat_err *e);

/* delta.c */
/* Fold an own commit (known lsn and eff) and settle it. */
SAT_CHECK sat_rc replica_settle_own(sat_replica *r, const own_commit *o, sat_err *e);
SAT_CHECK sat_rc replica_settle_reached(sat_replica *r, uint64_t upto, sat_err *e);
SAT_CHECK sat_rc replica_delta(void *u, const sat_delta *d, sat_err *e);
/* The low mark after rows became done. */
SAT_CHECK sat_rc replica_raise_low(sat_replica *r, sat_err *e);

/* push.c: as client.h has them */
SAT_CHECK sat_rc replica_outbox(void *u, sat_arena *a, sat_push *push,
    sat_commit **c, size_t *n, uint64_t from_cseq, sat_err *e);
SAT_CHECK sat_rc replica_outbox_behind(void *u, sat_arena *a, sat_push *push,
    sat_commit **c, size_t *n, sat_err *e);

/* session.c: a snapshot over what is here; the second when the first stands. */
SAT_CHECK sat_rc replica_start_over(sat_replica *r, sat_err *e);
void replica_started_over(sat_replica *r);

/* number.c */
SAT_CHECK sat_rc replica_numbers_want(void *u, sat_arena *a, sat_numbers *want, sat_err *e);
SAT_CHECK sat_rc replica_numbers(void *u, const sat_numbers *given, sat_err *e);
/* permit.c: in the open transaction */
SAT_CHECK sat_rc replica_permit_take(sat_replica *r, sat_span in, sat_err *e);
/* wipe.c: client.h says what it does. */
SAT_CHECK sat_rc replica_wipe(void *u, sat_span order, bool *push_first, sat_err *e);
SAT_CHECK sat_rc replica_permit_load(sat_replica *r, sat_span in, sat_err *e);
SAT_CHECK sat_rc replica_told_time(sat_replica *r, int64_t server_ms, sat_err *e);

/* place.c: in the open transaction. What a page brought one by one (upto 0);
 * what was told with states; the cursor moved; a backup holds; the server was
 * lost; the states were given back; what is said of the lost ones. */
SAT_CHECK sat_rc replica_place_met(sat_replica *r, const sat_place *p, uint64_t lsn, sat_err *e);
SAT_CHECK sat_rc replica_place_told(sat_replica *r, const sat_place *list, size_t n,
    uint64_t at, sat_err *e);
SAT_CHECK sat_rc replica_place_pass(sat_replica *r, uint64_t cursor, sat_err *e);
SAT_CHECK sat_rc replica_place_let_go(sat_replica *r, uint64_t durable, sat_err *e);
SAT_CHECK sat_rc replica_place_truncate(sat_replica *r, uint64_t durable, sat_err *e);
SAT_CHECK sat_rc replica_place_lost(sat_replica *r, sat_err *e);
SAT_CHECK sat_rc replica_place_kept(sat_replica *r, uint64_t lsn, sat_err *e);
/* A commit goes on under another number: what lost servers may have made of it is
 * its heir's, the number it had as well when it was parked (P-391). */
SAT_CHECK sat_rc replica_place_hand_on(sat_replica *r, int64_t seq, int64_t heir,
    bool parked, sat_err *e);
SAT_CHECK sat_rc replica_place_all(sat_seed *out, sat_arena *a, sat_replica *r, sat_err *e);

/* epoch.c */
/* Does the server's state hold a commit that a lost server had at one of these
 * positions? */
bool replica_held(const sat_replica *r, const sat_record *srv,
    const sat_old *old);
SAT_CHECK sat_rc replica_certs_read(sat_replica *r, sat_span in, sat_err *e);
/* Was it given by a server that is gone, and lost with it? */
bool replica_lost(const sat_replica *r, uint64_t lsn);
SAT_CHECK sat_rc replica_epoch_check(sat_replica *r, next_epoch *n, const sat_welcome *w, sat_err *e);
SAT_CHECK sat_rc replica_epoch_switch(sat_replica *r, const next_epoch *n, sat_err *e);
void replica_epoch_done(sat_replica *r, const next_epoch *n);
void replica_epoch_forget(sat_replica *r);
void replica_met(sat_replica *r, uint32_t eid);
SAT_CHECK sat_rc replica_sweep(sat_replica *r, uint64_t lsn, sat_err *e);
void replica_swept(sat_replica *r);
/* seed.c */
SAT_CHECK sat_rc replica_seed(void *u, sat_arena *a, sat_seed *out, bool *wanted, sat_err *e);
SAT_CHECK sat_rc replica_seeded(void *u, const sat_seeded *in, sat_err *e);
/* salt.c: salts that come from a seed (P-068) */
typedef struct salt_seed {
	int64_t first; /* seq of the first commit */
	uint8_t seed[SAT_SALT_BYTES];
} salt_seed;
/* The salt of a commit about to be written; its stamp is set. */
void replica_salt_draw(sat_replica *r, sat_commit *c);
/* In the transaction that puts that commit into the outbox. */
SAT_CHECK sat_rc replica_salt_keep(sat_replica *r, int64_t seq, sat_err *e);
/* All seeds; the salts of what still waits will be sent themselves. */
SAT_CHECK sat_rc replica_salt_forget(sat_replica *r, sat_err *e);
SAT_CHECK sat_rc replica_salt_open(sat_replica *r, sat_err *e);
/* Names the seeds of commits about to be pushed. */
SAT_CHECK sat_rc replica_salt_name(sat_commit *c, size_t n, sat_arena *a,
    sat_replica *r, sat_err *e);

/* unpark.c */
SAT_CHECK sat_rc replica_unpark(void *u, uint64_t *n, sat_err *e);

/* erase.c */
SAT_CHECK sat_rc replica_ledger(void *u, sat_arena *a, sat_ledger *out, bool *wanted, sat_err *e);
SAT_CHECK sat_rc replica_ledger_is(void *u, const sat_ledger *in, sat_err *e);
SAT_CHECK sat_rc replica_erased(void *u, sat_erased *out, bool *wanted, sat_err *e);
SAT_CHECK sat_rc replica_erased_ok(void *u, sat_err *e);
/* The row goes with the next flush, whatever waits for it. */
void replica_row_purge(replica_row *row);
/* kiosk.c: does this device keep nothing it wrote (P-360)? Then its commit goes
 * into the outbox sealed (header in b1, payload in b2), and the buffers that
 * held it are wiped. */
bool replica_seals(const sat_replica *r);
SAT_CHECK sat_rc replica_kiosk_put(sat_replica *r, const sat_commit *c, sat_err *e);
void replica_kiosk_wipe(sat_replica *r);
/* An accepted commit, its rows and what was noted of them go. */
SAT_CHECK sat_rc replica_kiosk_forget(sat_replica *r, int64_t seq, sat_err *e);
/* veil.c: what is left of fields this role does not see; nothing when it sees
 * all. A commit of our own that is settled: its payload goes when it names one. */
SAT_CHECK sat_rc replica_veil_commit(sat_replica *r, const own_commit *o, sat_err *e);
/* r->me and r->t are the new ones: does a snapshot have to go over what is
 * here? In the transaction that changes them. */
SAT_CHECK sat_rc replica_veil_changed(sat_replica *r, bool *over, const char *was_role,
    const sat_mask *was, sat_err *e);
/* In the transaction of its verdict. */
/* Is the customer in the ledger? */
SAT_CHECK sat_rc replica_is_erased(bool *yes, sat_replica *r,
    const sat_id *subject, sat_err *e);
/* The same of any record a commit names: as its subject, in an operation, or as
 * the other one of a merge. */
SAT_CHECK sat_rc replica_about_erased(bool *yes, sat_replica *r,
    const sat_commit *c, sat_err *e);
/* A commit was accepted before its customer was erased, and its device hears of
 * both now: its payload goes, and no page has to meet it. */
SAT_CHECK sat_rc replica_erase_accepted(sat_replica *r, int64_t seq, sat_err *e);
SAT_CHECK sat_rc replica_erase_commit(sat_replica *r, int64_t seq, sat_err *e);

/* file.c: the erased record's, and those below it, as a customer's */
SAT_CHECK sat_rc replica_files_erase(sat_replica *r, const sat_id *rec, sat_err *e);
/* What no record names any more goes (F2). */
SAT_CHECK sat_rc replica_files_tidy(sat_replica *r, sat_err *e);
SAT_CHECK sat_rc replica_files_check(sat_replica *r, sat_err *e);
/* file_send.c: what the session asks; `state` of a row of file_of. */
enum { REPLICA_FILE_WAITS, REPLICA_FILE_GIVEN, REPLICA_FILE_FREE };
void replica_files_begin(sat_replica *r);
SAT_CHECK sat_rc replica_file_next(void *u, sat_arena *a, sat_file_put *out,
    bool *wanted, sat_err *e);
SAT_CHECK sat_rc replica_file_taken(void *u, const sat_file_taken *in,
    sat_err *e);
/* In the transaction of a WELCOME: what backups hold, how far the log is. */
SAT_CHECK sat_rc replica_files_backed(sat_replica *r, uint64_t durable,
    uint64_t head, sat_err *e);
/* In the transaction that follows another server: it may have none of them. */
SAT_CHECK sat_rc replica_files_again(sat_replica *r, sat_err *e);
/* Is there own work of which nobody knows yet what becomes of it? It may be what
 * names a file. */
SAT_CHECK sat_rc replica_work_open(bool *yes, sat_replica *r, sat_err *e);

/* audit.c */
SAT_CHECK sat_rc replica_audit_redact(sat_replica *r, const sat_id *subject, sat_err *e);
/* Of a customer, who need not be here. */
SAT_CHECK sat_rc replica_audit_customer(sat_replica *r, const sat_id *customer,
    const char *action, const char *detail, sat_err *e);

/* snapshot.c, verdict.c, template.c */
SAT_CHECK sat_rc replica_chunk(void *u, const sat_chunk *c, sat_err *e);
SAT_CHECK sat_rc replica_verdicts(void *u, uint32_t incarnation, const sat_verdicts *v, sat_err *e);
SAT_CHECK sat_rc replica_template_in(void *u, const uint8_t tip[SAT_TEMPLATE_OID_BYTES], sat_span bundle, sat_err *e);
SAT_CHECK sat_rc replica_template_open(sat_replica *r, sat_err *e);

/* news.c: the hint of an accepted commit (P-322); what WELCOME says of
 * suggestions (P-323), in its transaction. */
SAT_CHECK sat_rc replica_renumbered(sat_replica *r, int64_t seq,
    const sat_verdict *v, sat_err *e);
SAT_CHECK sat_rc replica_answered(sat_replica *r, const sat_welcome *w,
    sat_err *e);

#endif
