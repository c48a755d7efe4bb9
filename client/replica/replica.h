/*
 * replica.h - the device's store: what the user sees, what waits, what others
 * did. The only SQL of the client.
 *
 * One encrypted SQLite file, one owner connection, one thread. Per kind of the
 * template one table `k_<kind>` with typed columns (the view: server state plus
 * own pending operations), the packed clocks `clk`, and, while operations of
 * the row wait for the server, the server's own cells in `base`. rid = eid once
 * known, above SAT_RID_LOCAL before.
 *
 * Where an operation that was reported as saved can be: outbox, server log,
 * quarantine, handover - exactly one of them, at every moment.
 */
#ifndef SAT_REPLICA_REPLICA_H
#define SAT_REPLICA_REPLICA_H

#include "common/db/db.h"
#include "common/model/find.h"
#include "protocol/client.h"
#include "protocol/permit.h"
#include "protocol/scope.h"

#define SAT_RID_LOCAL ((int64_t)1 << 40)

typedef struct sat_replica sat_replica;

typedef struct sat_replica_env {
	const char *path;            /* the database file */
	struct sat_keyring *keyring; /* NULL only in bench "satchel-plain" */
	sat_clock clock;
	sat_rand rand;
	const char *vfs_below;       /* NULL = the machine's */
	const char *spool;           /* folder of others' files that may speak of
	                                customers: emptied before this device says
	                                that one is erased here; NULL = none */
} sat_replica_env;

/* What enrolment needs before the server answers: keys made on the device. */
typedef struct sat_replica_identity {
	uint8_t sign_sk[SAT_SIGN_SK_BYTES], sign_pk[SAT_SIGN_PK_BYTES];
	uint8_t channel_sk[32], channel_pk[32];
	sat_id org;
	uint8_t server_pk[32];
	char server[256];            /* "tcp://host:port"; "": demonstration */
	uint32_t device, user;       /* 0 until enrolled */
	uint32_t incarnation;
	char user_key[65], role[33], org_name[128];
	uint8_t root_pk[SAT_SIGN_PK_BYTES], template_pk[SAT_SIGN_PK_BYTES];
} sat_replica_identity;

/* Create the file and store the identity (device 0 = enrolment under way). */
SAT_CHECK sat_rc sat_replica_create(sat_replica **r, const sat_replica_env *env,
    const sat_replica_identity *id, sat_err *e);
/* @return SAT_ENOREPLICA, SAT_EBUSY, SAT_EINTEGRITY, SAT_EVERSION, ... A
 * replica that never finished enrolment opens too (identity->device == 0). */
SAT_CHECK sat_rc sat_replica_open(sat_replica **r, const sat_replica_env *env, sat_err *e);
void sat_replica_close(sat_replica *r);   /* NULL is fine */
void sat_replica_abandon(sat_replica *r); /* simulated process death */
SAT_CHECK sat_rc sat_replica_enrolled(sat_replica *r, const sat_enrolled *in, sat_err *e);
const sat_replica_identity *sat_replica_identity_get(const sat_replica *r);
/* Demonstration data: enrolled nowhere, and never to be. */
bool sat_replica_is_demo(const sat_replica *r);

/* ---- other keys (P-386) ---- */
typedef struct sat_key_pairs {
	uint8_t sign_sk[SAT_SIGN_SK_BYTES], sign_pk[SAT_SIGN_PK_BYTES];
	uint8_t channel_sk[SAT_BOX_SK_BYTES], channel_pk[SAT_BOX_PK_BYTES];
} sat_key_pairs;
typedef enum sat_rekey_state {
	SAT_REKEY_NONE = 0,
	SAT_REKEY_NEXT = 1,   /* others are drawn; whether the server has them is
	                         its to say */
	SAT_REKEY_BEFORE = 2, /* the ones given up are kept, for a server that comes
	                         back from a backup without the change */
} sat_rekey_state;
/* What lies beside the keys in force. other: guarded memory, or NULL; unsaid
 * (NULL is fine): the server cannot have been told of them. */
sat_rekey_state sat_replica_rekey_state(sat_key_pairs *other, bool *unsaid,
    const sat_replica *r);
void sat_replica_rekey_unsaid(sat_replica *r, bool unsaid);
/* Draw others, durably, unless some wait already. SAT_ENOREPLICA: not enrolled. */
SAT_CHECK sat_rc sat_replica_rekey_begin(sat_replica *r, sat_err *e);
/* The statement about those that wait. SAT_ENOTFOUND: none do. */
SAT_CHECK sat_rc sat_replica_rekey_say(sat_rekey *out, sat_replica *r, sat_err *e);
/* The server has them: go on with them. lsn: of its log then, 0 = not known.
 * Nothing when none wait. */
SAT_CHECK sat_rc sat_replica_rekeyed(sat_replica *r, uint64_t lsn, sat_err *e);
/* The server does not know the keys in force: it came back from before, so those
 * before are, and the others wait again. Nothing when none are kept. */
SAT_CHECK sat_rc sat_replica_rekey_back(sat_replica *r, sat_err *e);

/* The effective template; NULL before the first sync. Stable until a session
 * brings another one. */
const sat_template *sat_replica_template(const sat_replica *r);
const uint8_t *sat_replica_template_oid(const sat_replica *r); /* zero = none */
const sat_registry *sat_replica_registry(const sat_replica *r);
const sat_user *sat_replica_me(const sat_replica *r);          /* NULL before the first sync */
sat_db *sat_replica_db(sat_replica *r); /* counters, backup, check */

/* ---- writing -------------------------------------------------------------- */

/* One user action. Ops: rec, rtype, kind, field, value; NEW first for a new
 * record. Everything else (hlc, cseq, seen, salt, chain) is drawn inside. */
typedef struct sat_draft {
	sat_id subject;
	uint8_t flags;     /* SAT_CF_IMPORT */
	sat_op *ops;
	size_t nops;
} sat_draft;

sat_id sat_replica_new_id(sat_replica *r);
/*
 * Write one commit: rows, base, match keys, outbox, chain, in one transaction;
 * durable when it returns (unless inside a group). The gate has judged it.
 * @return SAT_ENOSPACE, SAT_EIO, SAT_EFSYNC (reopen), SAT_EINVALID (limits),
 *         SAT_ENOTFOUND, SAT_ECONFLICT (NEW of a known record), SAT_EDENIED
 *         (the record, or what it is put below, is leaving this device);
 *         nothing is written on failure.
 */
SAT_CHECK sat_rc sat_replica_write(sat_replica *r, const sat_draft *d, uint64_t *cseq, sat_err *e);
/* Many commits in one transaction (import). Nothing is durable, and nothing
 * may be reported as saved, before group_commit. A refused write inside a group
 * (SAT_EINVALID, SAT_ENOTFOUND, SAT_ECONFLICT, SAT_EDENIED) leaves the group usable; after a
 * failure of the disk group_commit fails too and nothing of it is kept. */
SAT_CHECK sat_rc sat_replica_group_begin(sat_replica *r, sat_err *e);
SAT_CHECK sat_rc sat_replica_group_commit(sat_replica *r, sat_err *e);
void sat_replica_group_rollback(sat_replica *r);
bool sat_replica_in_group(const sat_replica *r);
/* Number of this device's newest commit, also inside a group; 0 = none yet. */
uint64_t sat_replica_newest_cseq(const sat_replica *r);

/* ---- reading -------------------------------------------------------------- */

/* The view of one record (own pending operations included); everything in `a`. */
typedef struct sat_view {
	sat_record rec;
	const sat_kind *kind;
	bool pending;      /* own operations wait for the server */
	bool incomplete;   /* a required field is missing */
	bool conflict;     /* a review or stage field has an open conflict */
	bool leaving;      /* handed over: shown until own work is answered, and
	                      no more written */
	int64_t created_ms;
} sat_view;
/* kind NULL: every kind is tried. SAT_ENOTFOUND. */
SAT_CHECK sat_rc sat_replica_get(sat_view *v, sat_arena *a, sat_replica *r,
    const sat_kind *kind, const sat_id *id, sat_err *e);
/* The same for who is about to edit this one field: when *part, `rec` has this
 * field, owner and parent, and no other that may be set. */
SAT_CHECK sat_rc sat_replica_get_part(sat_view *v, bool *part, sat_arena *a,
    sat_replica *r, const sat_kind *kind, const sat_id *id,
    const sat_field *field, sat_err *e);
/* The same as the server has it, without own pending operations;
 * SAT_ENOTFOUND also when the server has not heard of it. */
SAT_CHECK sat_rc sat_replica_get_server(sat_view *v, sat_arena *a, sat_replica *r,
    const sat_kind *kind, const sat_id *id, sat_err *e);
/* "@last" (the newest this device wrote), full id text or unique prefix >= 6, or value of a match field (number,
 * external_id); the canonical record of what is found. SAT_ENOTFOUND;
 * SAT_ECONFLICT when ambiguous. */
SAT_CHECK sat_rc sat_replica_resolve(sat_id *id, sat_replica *r,
    const sat_kind *kind, const char *text, sat_err *e);
/* The same, but the record itself and not what it was merged into: to take a
 * merge apart. */
SAT_CHECK sat_rc sat_replica_resolve_self(sat_id *id, sat_replica *r,
    const sat_kind *kind, const char *text, sat_err *e);

/*
 * Customers that were merged. A merged record keeps its own row, is left out of
 * lists, and is found under its winner: sat_replica_resolve and
 * sat_replica_match give the canonical id, sat_replica_get the row of exactly
 * the id it is given.
 */
/* The record this one leads to; itself when it was not merged or is not here.
 * Total, whatever the rows say. */
SAT_CHECK sat_rc sat_replica_canon(sat_id *out, sat_replica *r, const sat_id *id, sat_err *e);
/* The record and all that lead to it; itself first. */
SAT_CHECK sat_rc sat_replica_merged(sat_id **ids, size_t *n, sat_arena *a,
    sat_replica *r, const sat_id *id, sat_err *e);

typedef enum sat_cmp {
	SAT_CMP_EQ, SAT_CMP_NE, SAT_CMP_LT, SAT_CMP_LE, SAT_CMP_GT, SAT_CMP_GE,
	SAT_CMP_IN,      /* any of `values` */
	SAT_CMP_LIKE,    /* substring, case-folded ASCII; text */
	SAT_CMP_HAS,     /* set contains */
	SAT_CMP_NULL, SAT_CMP_NOT_NULL,
} sat_cmp;
/* Pseudo fields besides the kind's own: */
#define SAT_Q_ID 0xfff0
#define SAT_Q_CREATED 0xfff1    /* ms */
#define SAT_Q_PENDING 0xfff2    /* 0/1 */
#define SAT_Q_INCOMPLETE 0xfff3 /* 0/1 */
#define SAT_Q_CONFLICT 0xfff4   /* 0/1 */
#define SAT_Q_DELETED 0xfff5    /* 0/1; rows with 1 are left out unless asked for */
#define SAT_Q_MERGED 0xfff7     /* 0/1; rows with 1 are left out unless asked for */
#define SAT_Q_POOL 0xfff8       /* 0/1: offered by a pool; rows of which only what a
                                 * pool shows is held are left out unless asked for */
#define SAT_Q_TEXT 0xfff6       /* what sat_replica_search finds, long texts too */

typedef struct sat_filter {
	uint16_t field;
	sat_cmp cmp;
	const sat_value *values;
	size_t n;
} sat_filter;
typedef struct sat_query {
	const sat_kind *kind;
	const sat_filter *filters; /* all must hold */
	size_t nfilters;
	const uint16_t *columns;   /* fields or pseudo fields to return */
	size_t ncolumns;
	struct { uint16_t field; bool desc; } sort[4];
	size_t nsort;              /* id is always the last key */
	int64_t limit, offset;     /* limit 0 = all */
	bool unordered;            /* in any order, all of them: no sort, limit or offset */
	bool raw;                  /* references as they are stored, also to what was merged */
	/* sat_replica_list alone: rows behind this place; NULL = from the start */
	const struct sat_edge *from;
	bool back;                 /* those before it, the nearest `limit`; from
	                              NULL = from the end */
} sat_query;
/* A place in a list: the values of its sort, and the id. Both are what they were
 * when a row was there; it need not be there any more. */
typedef struct sat_edge {
	sat_value key[4];
	sat_id id;
} sat_edge;
typedef struct sat_rows sat_rows;
SAT_CHECK sat_rc sat_replica_query(sat_rows **rows, sat_replica *r, const sat_query *q, sat_err *e);
/* *values: ncolumns values, valid until the next call; NULL at the end. */
SAT_CHECK sat_rc sat_rows_next(const sat_value **values, sat_rows *rows, sat_err *e);
void sat_rows_free(sat_rows *rows);
SAT_CHECK sat_rc sat_replica_count(int64_t *n, sat_replica *r, const sat_query *q, sat_err *e);
/*
 * Search (common/model/find.h): characters, pinyin, numbers, the tail of a
 * phone, in what people look for records by. The index is
 * made by the first search of a kind and kept with the rows from then on.
 * A phone that this user is shown masked finds nothing; nor do deleted rows
 * and rows of which only what a pool shows is held.
 */
#define SAT_SEARCH_MAX 500
typedef struct sat_search {
	sat_span text;
	const sat_kind *const *kinds;
	size_t nkinds;
	bool all_texts;         /* look through remarks and the like, too */
	size_t limit;
} sat_search;
typedef struct sat_found {
	sat_id id;              /* canonical */
	sat_id self;            /* the record the text is in */
	const sat_kind *kind;
	const sat_field *field; /* NULL: an earlier number */
	sat_hit hit;
} sat_found;
/* The best `limit` in order; *total: how many there are (of merged records
 * each, when there are more than `limit`). SAT_EBUSY inside a group when the
 * index has to be made. */
SAT_CHECK sat_rc sat_replica_search(sat_found **out, size_t *n, int64_t *total,
    sat_arena *a, sat_replica *r, const sat_search *q, sat_err *e);
/* Is the title of such records a name? A search of everything looks there. */
bool sat_replica_searched(const sat_kind *k);
/* Make now what a search of those needs: after a sync, an import. */
SAT_CHECK sat_rc sat_replica_search_ready(sat_replica *r, sat_err *e);
/* Is the field shown masked to this user, in a record he has this relation to? */
bool sat_replica_masks(const sat_replica *r, const sat_field *f, sat_relation rel);
/* What the user's role does not see of any record: it is not here (P-241).
 * NULL: nothing. */
const sat_mask *sat_replica_mask(const sat_replica *r);
/* One page of a list in its order, ids alone (columns are not looked at), and
 * how many there are in all, wherever the page begins; total NULL: not counted.
 * Of from and offset one. */
SAT_CHECK sat_rc sat_replica_list(sat_id **ids, size_t *n, int64_t *total,
    sat_arena *a, sat_replica *r, const sat_query *q, sat_err *e);
/* The place of a row of the list, for the next page; texts in the arena.
 * SAT_ENOTFOUND. */
SAT_CHECK sat_rc sat_replica_edge(sat_edge *out, sat_arena *a, sat_replica *r,
    const sat_query *q, const sat_id *id, sat_err *e);
/* Records of a kind whose match key of this field equals the value's normal
 * form (duplicate check, import upsert), canonical: one may come twice. cb
 * returns false to stop. */
SAT_CHECK sat_rc sat_replica_match(sat_replica *r, const sat_kind *kind,
    const sat_field *f, sat_value v, bool (*cb)(void *u, const sat_id *id), void *u, sat_err *e);
/* Records that share a match key with another one, in groups of 2 to `max`:
 * cb per group. Hashes may meet, values may have changed kind: compare. */
SAT_CHECK sat_rc sat_replica_alike(sat_replica *r, size_t max,
    sat_rc (*cb)(void *u, const sat_kind *kind, const sat_id *ids, size_t n, sat_err *e),
    void *u, sat_err *e);
/* Every record of which the server told that another one is like it
 * (SAT_SYS_CANDIDATES): few are. */
SAT_CHECK sat_rc sat_replica_each_told(sat_replica *r,
    sat_rc (*cb)(void *u, const sat_view *v, sat_err *e), void *u, sat_err *e);
/* Does this device hold the root through a live key other than ownership? On
 * a device every held root is visible. */
SAT_CHECK sat_rc sat_replica_relation(sat_relation *rel, sat_replica *r,
    const sat_kind *kind, const sat_id *id, sat_err *e);

/* A past value of a field, newest first; the current value is not repeated. */
typedef struct sat_past {
	uint16_t field;
	sat_value value;
	sat_stamp at;
	uint64_t by; /* LSN of the commit that displaced it; 0 = one that waits */
} sat_past;
SAT_CHECK sat_rc sat_replica_history(sat_past **out, size_t *n, sat_arena *a,
    sat_replica *r, const sat_id *id, int field /* 0 = all */, sat_err *e);
/*
 * The same of all live records of a kind, for reports: one pass, however many
 * records there are. What the server's log displaced comes first, oldest first
 * within a record; then, per record with own waiting operations, what those
 * displaced, newest first.
 */
SAT_CHECK sat_rc sat_replica_each_past(sat_replica *r, const sat_kind *kind,
    int field /* 0 = all */, sat_rc (*cb)(void *u, const sat_id *id,
    const sat_past *p, sat_err *e), void *u, sat_err *e);
/*
 * When and by which device the live records of a kind were written, as the view
 * has it: per record its birth (field 0), this field with its value if it was
 * ever written, and every other field that was written later than the birth;
 * of those the value is only null or not.
 */
SAT_CHECK sat_rc sat_replica_each_stamp(sat_replica *r, const sat_kind *kind,
    uint16_t field /* 0 = none */, sat_rc (*cb)(void *u, const sat_id *id, const sat_cell *c, sat_err *e),
    void *u, sat_err *e);
/*
 * Every change of every live record once, in one pass over all kinds: the
 * distinct stamps of its birth, of the fields it has and of the values these
 * displaced, that lie in [from_ms, to_ms). Kind by kind, of one record the
 * oldest first.
 */
SAT_CHECK sat_rc sat_replica_each_write(sat_replica *r, int64_t from_ms,
    int64_t to_ms, void (*cb)(void *u, const sat_kind *kind, sat_hlc at,
    uint32_t dev), void *u, sat_err *e);

typedef struct sat_conflict {
	char key[48];      /* stable: record id text + "-" + field id */
	sat_id rec;
	const sat_kind *kind;
	const sat_field *field; /* NULL: deleted while edited */
	uint64_t opened_lsn;
	int64_t opened_ms; /* stamp of the edit that opened it; 0 = not known */
	sat_candidate *candidates;
	size_t n;
} sat_conflict;
SAT_CHECK sat_rc sat_replica_conflicts(sat_conflict **out, size_t *n, sat_arena *a, sat_replica *r, sat_err *e);
/* What this device saw happen to conflicts while it folded the log, oldest
 * first. Dismissed: two people wrote the same in different spellings, and
 * nobody was asked. */
typedef enum sat_conflict_what {
	SAT_CONFLICT_OPENED = 1,
	SAT_CONFLICT_SETTLED,
	SAT_CONFLICT_DISMISSED,
} sat_conflict_what;
typedef struct sat_conflict_event {
	uint64_t lsn;
	sat_id rec;              /* may have left this device since */
	const sat_kind *kind;    /* NULL: not in this template */
	const sat_field *field;  /* NULL: deleted while edited */
	sat_conflict_what what;
	uint32_t device;         /* whose operation did it */
	int64_t at_ms;
} sat_conflict_event;
SAT_CHECK sat_rc sat_replica_conflict_log(sat_replica *r, void (*cb)(void *u,
    const sat_conflict_event *ev), void *u, sat_err *e);

/* What became of a commit the server did not merge. */
typedef enum sat_fate {
	SAT_FATE_OPEN = 0,   /* a person has to decide */
	SAT_FATE_RETRIED,    /* sent again, changed perhaps, as another commit */
	SAT_FATE_HANDED,     /* a suggestion to whoever is responsible now */
} sat_fate;
typedef struct sat_quarantined {
	int64_t id, at_ms;
	uint32_t incarnation;
	uint64_t cseq;
	sat_verdict_code code;  /* SAT_VD_REJECTED, _PARKED, _HANDOVER */
	uint32_t op;            /* index of the operation that decided */
	const char *slug, *hint;
	sat_fate fate;
	int64_t fate_ms;
	uint32_t heir_incarnation;
	uint64_t heir_cseq;     /* the commit that took its place; 0 = none */
	sat_commit commit;      /* with a box: a kiosk's, nobody reads it here */
} sat_quarantined;
/* The open ones, oldest first: each is a person's to retry, hand over or
 * discard. They outlive templates, snapshots, incarnations and backups. */
SAT_CHECK sat_rc sat_replica_quarantine(sat_quarantined **out, size_t *n, sat_arena *a, sat_replica *r, sat_err *e);
/* The settled ones, newest first; limit 0 = all. */
SAT_CHECK sat_rc sat_replica_set_aside(sat_quarantined **out, size_t *n,
    sat_arena *a, sat_replica *r, int64_t limit, sat_err *e);
/* An open one; SAT_ENOTFOUND. */
SAT_CHECK sat_rc sat_replica_quarantined(sat_quarantined *q, sat_arena *a, sat_replica *r, int64_t id, sat_err *e);
/* Its work goes on as own commit `cseq` of this incarnation (0: nothing was
 * left to write). In the group that writes that commit, so that at no moment
 * it is in two places or none. SAT_ENOTFOUND. */
SAT_CHECK sat_rc sat_replica_settle(sat_replica *r, int64_t id, sat_fate fate,
    uint64_t cseq, sat_err *e);
/* Open commits that need a record the open commit `id` would have made, and
 * those that need theirs; what makes a record before what needs it, else the
 * oldest first. They wait together and move together. */
SAT_CHECK sat_rc sat_replica_dependants(int64_t **ids, size_t *n, sat_arena *a,
    sat_replica *r, int64_t id, sat_err *e);
/* Hand an open one over: a commit that suggests its operations on the records
 * they concern to whoever is responsible (P-166); settles it. `why` is at most
 * SAT_HANDED_WHY_MAX bytes. SAT_ENOTFOUND; SAT_EINVALID code
 * "handover.nowhere": the customer itself was to be made by it; without a code:
 * refused suggestions became one, and that does not fit into a commit. */
SAT_CHECK sat_rc sat_replica_hand(sat_replica *r, int64_t id, const char *why,
    uint64_t *cseq, sat_err *e);
/* The same within a list of the open ones: indexes into q; out has room for n. */
size_t sat_quarantine_dependants(size_t *out, sat_arena *a,
    const sat_quarantined *q, size_t n, size_t of);
/* Discard with a reason (kept in the audit log). */
SAT_CHECK sat_rc sat_replica_discard(sat_replica *r, int64_t id, const char *reason, sat_err *e);

/* What another suggests on a record of this device, and waits for an answer. */
typedef struct sat_handover {
	char key[64];        /* stable: record id text + "-" + lsn */
	sat_id rec, root;
	const sat_kind *kind;
	sat_handed by;       /* who, when, why */
	sat_commit what;     /* its operations; subject = rec */
} sat_handover;
SAT_CHECK sat_rc sat_replica_handovers(sat_handover **out, size_t *n, sat_arena *a, sat_replica *r, sat_err *e);

/* An edit by somebody who did not know that the customer is this user's now;
 * it is merged, and he should look at it once. Newest first. */
typedef struct sat_late {
	uint64_t lsn;
	sat_id rec;
	const sat_kind *kind; /* NULL: not in the template */
	uint32_t dev;
	int64_t at_ms, nops;
} sat_late;
SAT_CHECK sat_rc sat_replica_late(sat_late **out, size_t *n, sat_arena *a, sat_replica *r, sat_err *e);
/* He has looked at those up to this LSN. */
SAT_CHECK sat_rc sat_replica_late_seen(sat_replica *r, uint64_t upto, sat_err *e);

/* What became of own work besides its verdict, newest first. */
typedef enum sat_news_what {
	SAT_NEWS_RENUMBERED = 1, /* its number was taken: it has another one */
	SAT_NEWS_ACCEPTED,       /* what was handed over was taken, or some of it */
	SAT_NEWS_DECLINED,
} sat_news_what;
typedef struct sat_news {
	uint64_t lsn;            /* of the commit that did it */
	sat_news_what what;
	sat_id rec;              /* may have left this device */
	const sat_kind *kind;    /* NULL: not in the template */
	sat_hlc hlc;             /* stamp of the own commit it is about */
	uint32_t by;             /* user ordinal; 0 = the server */
	int64_t at_ms;
	const char *was, *is;    /* numbers; "" otherwise */
} sat_news;
SAT_CHECK sat_rc sat_replica_news(sat_news **out, size_t *n, sat_arena *a, sat_replica *r, sat_err *e);
/* He has looked at those up to this LSN. */
SAT_CHECK sat_rc sat_replica_news_seen(sat_replica *r, uint64_t upto, sat_err *e);

typedef struct sat_moved { /* a customer that left this device */
	sat_id root;
	const char *title; /* "" once somebody was erased (P-194) */
	const char *to;
	uint64_t lsn;
} sat_moved;
SAT_CHECK sat_rc sat_replica_moved(sat_moved **out, size_t *n, sat_arena *a, sat_replica *r, sat_err *e);

/* Commits this device knows in full (its outbox, then kept own ones), newest
 * first; limit 0 = all. */
SAT_CHECK sat_rc sat_replica_log(sat_commit **out, size_t *n, sat_arena *a, sat_replica *r, int64_t limit, sat_err *e);

/* Times a sync found that this device did not hold what the server has, and
 * the last of them. */
typedef struct sat_replica_diverged {
	int64_t count, at_ms;
	uint16_t kind;
	uint32_t bucket; /* record numbers / 256 */
	uint64_t lsn;
} sat_replica_diverged;

typedef struct sat_replica_status {
	uint64_t cursor, known;          /* applied, and the scope's head when last heard */
	int64_t pending_commits, pending_records, quarantined, conflicts, incomplete, moved;
	int64_t handed; /* records that carry suggestions */
	int64_t late;   /* others' edits to look at */
	int64_t last_sync_ms;            /* 0 = never */
	bool complete;                   /* first snapshot finished */
	bool clock_suspect;              /* set back, or 5 min off the server's */
	sat_replica_diverged diverged;
	int64_t permit_ms;               /* end of the permit; 0 = none */
	int schema_version;
} sat_replica_status;
SAT_CHECK sat_rc sat_replica_status_get(sat_replica_status *s, sat_replica *r, sat_err *e);

/*
 * How far the active devices have reported whose work a report of viewer's of
 * this reach (ALL, TEAM, else his own) counts, as the last whole sync told
 * (last_sync_ms): all a device had at at_ms is on this one. 0 = not known. This
 * device is there itself, with the present instant.
 */
SAT_CHECK sat_rc sat_replica_coverage(sat_reported **out, size_t *n,
    sat_arena *a, sat_replica *r, const sat_user *viewer, sat_grant grant,
    sat_err *e);

/* Whether this replica may be used now (P-189): SAT_ELOCKED when its permit is
 * over or the clock was turned back; then only a sync may run. */
SAT_CHECK sat_rc sat_replica_permitted(const sat_replica *r, sat_err *e);

/* The server ordered this replica wiped, and the order is a good one: nothing may
 * be done but to carry it out (client/sync/wipe.h). */
bool sat_replica_wipe_due(const sat_replica *r);
/* What to tell the server once the keys are dead: signed now, while they live. */
void sat_replica_wiped(sat_wiped *out, const sat_replica *r);

/* ---- local audit chain, settings ------------------------------------------- */
SAT_CHECK sat_rc sat_replica_audit(sat_replica *r, const char *action, const char *detail, sat_err *e);
/* The same of a record: the detail goes when it or its customer is erased, also
 * when neither is here then. Of a record that is not here now, or gets another
 * customer later, nobody knows whose it was: then it goes with whoever is erased
 * while it is not here. */
SAT_CHECK sat_rc sat_replica_audit_about(sat_replica *r, const sat_id *subject,
    const char *action, const char *detail, sat_err *e);
/* Of two: the detail goes when either is erased, or the customer of either. */
SAT_CHECK sat_rc sat_replica_audit_both(sat_replica *r, const sat_id *one,
    const sat_id *other, const char *action, const char *detail, sat_err *e);
SAT_CHECK sat_rc sat_replica_audit_list(sat_replica *r, int64_t since_ms,
    void (*cb)(void *u, int64_t seq, int64_t at_ms, const char *action, const char *detail), void *u, sat_err *e);
/*
 * Numbers leased in advance (P-141). next: the smallest one above `after` that
 * is still free, 0 = none left; nothing is taken. used: all up to `upto` are
 * given; in the group of the commit that gives them.
 */
SAT_CHECK sat_rc sat_replica_number_next(uint64_t *n, sat_replica *r,
    const char *series, uint64_t after, sat_err *e);
SAT_CHECK sat_rc sat_replica_number_used(sat_replica *r, const char *series,
    uint64_t upto, sat_err *e);
/* Every series with numbers left; cb returns false to stop. */
SAT_CHECK sat_rc sat_replica_numbers(sat_replica *r, bool (*cb)(void *cu,
    const char *series, uint64_t left), void *cu, sat_err *e);
SAT_CHECK sat_rc sat_replica_setting_get(sat_buf *out, sat_replica *r, const char *key, sat_err *e); /* SAT_ENOTFOUND */
SAT_CHECK sat_rc sat_replica_setting_put(sat_replica *r, const char *key, sat_span v, sat_err *e);
SAT_CHECK sat_rc sat_replica_setting_del(sat_replica *r, const char *key, sat_err *e);
/* Of the keys of settings that tell what was answered: all of them go when a
 * customer is erased, whoever that was (P-194). */
#define SAT_SETTING_ANSWER "answer."
/* Away with those of a prefix whose value begins with an older instant (13
 * digits of ms). */
SAT_CHECK sat_rc sat_replica_settings_purge(sat_replica *r, const char *prefix,
    int64_t before_ms, sat_err *e);

/* ---- sync, proof ------------------------------------------------------------ */
/* The replica as the session sees it. Lives as long as r. */
sat_client_ops sat_replica_session(sat_replica *r);
/* Template history on the device (client/api "template show|log|verify"):
 * a memory repository holding the stored objects; the caller closes it. */
struct sat_git;
SAT_CHECK sat_rc sat_replica_git(struct sat_git **g, sat_replica *r, sat_err *e);
/* SQLite check, every row's clocks, view == fold(base, pending), own chain and
 * batch signatures, audit chain. SAT_EINTEGRITY names the first fault. */
SAT_CHECK sat_rc sat_replica_check(sat_replica *r, bool quick, sat_err *e);
/* The sums over all rows counted anew, now (a sync does a few each time), so
 * that the next sync compares everything with the server and fetches again what
 * differs. *differ: sums that were not what the rows say. */
SAT_CHECK sat_rc sat_replica_recount(size_t *differ, sat_replica *r, sat_err *e);
/* Own commits this device keeps, from this position of the server's order on
 * (0 = all of them; what waits or was refused has none and is always among
 * them): headers, chain, signatures. */
SAT_CHECK sat_rc sat_replica_verify_chain(sat_replica *r, uint64_t from_lsn,
    uint64_t *commits, sat_err *e);
/* The audit log's chain from this entry on (1 = all of it); *entries: how many
 * were looked at. SAT_EINTEGRITY names the first that was changed. */
SAT_CHECK sat_rc sat_replica_audit_verify(int64_t *entries, sat_replica *r,
    int64_t from, sat_err *e);
/* Canonical server state (without pending) of every record, ascending id. */
SAT_CHECK sat_rc sat_replica_dump(sat_replica *r,
    void (*cb)(void *u, const sat_id *id, sat_span state), void *u, sat_err *e);
/* Online backup of the database into a file, through this replica's keyring
 * (which the caller copies beside it), verified before it counts. A restored
 * copy starts a new incarnation at its first open. */
SAT_CHECK sat_rc sat_replica_backup(sat_replica *r, const char *to_path, sat_err *e);
/* Write the file anew, with full pages (sat_db_compact); *before and *after are
 * its bytes. SAT_EBUSY in a group or while rows are being read. */
SAT_CHECK sat_rc sat_replica_compact(int64_t *before, int64_t *after,
    sat_replica *r, sat_err *e);
/* After a session that ended with "fork" (this file was copied): the commits
 * the server knows differently go on under the new incarnation. */
SAT_CHECK sat_rc sat_replica_new_incarnation(sat_replica *r, sat_err *e);

#endif
