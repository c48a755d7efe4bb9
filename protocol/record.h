/*
 * record.h - the state of one record and how an operation changes it.
 *
 * A record's state is the fold of its operations in LSN order; device and
 * server run the same fold, so the same LSN means the same bytes (P-040..P-069).
 * A device folds its own pending operations on top (lsn 0) to get its view.
 */
#ifndef SAT_PROTOCOL_RECORD_H
#define SAT_PROTOCOL_RECORD_H

#include "common/template/template.h"
#include "protocol/commit.h"

/* When, by whom, where in the server's order. lsn 0 = own, not acknowledged. */
typedef struct sat_stamp {
	sat_hlc hlc;   /* clamped */
	uint32_t dev;
	uint64_t lsn;
} sat_stamp;

/* One field of one record. `ext` is the policy's own state, packed:
 *   review: {NULL,0} with one candidate; else opened_lsn uint (0 = no
 *           conflict), n uint, n x {value, hlc be64, dev uint, lsn uint}, in
 *           descending stamp order; then, when there are any, their twins
 *           (equal values of others) alike: n uint, n x ...
 *   set:    n uint, n x {element span, dev uint, lsn uint}, by element; several
 *           adds of one element are kept (each its own dot); `value` is the
 *           distinct elements joined by LF
 *   stage:  opened_lsn uint (0 = no conflict), n uint, n x {hlc be64, dev
 *           uint, lsn uint, nsteps uint, nsteps x {ndots uint, ndots x {dev,
 *           lsn}, stage span}}; {NULL,0} with one head of one step, one dot
 * others: {NULL,0}. An open conflict: ask sat_cell_candidates, not ext. */
typedef struct sat_cell {
	uint16_t field;
	sat_value value; /* the winner; null = cleared */
	sat_stamp at;
	sat_span ext;
} sat_cell;

/*
 * Cells of the record as such, beside the template's fields. No template may
 * declare a field from SAT_SYS_FIRST on (SAT_FIELD_USER_MAX), no SET reaches
 * them. They are part of the canonical state, so snapshots, rescopes and
 * digests carry them.
 *   REDIRECT  id of the record this one was merged into; null = none
 *   HANDED    number of suggestions that wait for an answer; ext: n uint, n x
 *             {lsn uint, dev uint, hlc be64, actor span, why span, ops
 *             span}, by lsn
 *   POOL      key of the pool that offers the record, and behind a line feed
 *             why it was released (sat_pool_key_of); null = none
 *   LATER     number of operations of a later release, kept unread; ext: n
 *             uint, n x {lsn uint, dev uint, hlc be64, seen uint, kind u8,
 *             field uint, value, ndots uint, ndots x {dev uint, lsn uint}}, by
 *             lsn, within a commit in its order
 *   ALIASES   earlier numbers, a set of texts (value and ext as a set field's)
 *   DISMISSED pairs a person said are no duplicates, a set of texts (P-175)
 *   CANDIDATES others that may be the same customer, as the server tells those
 *             who do not see them: a set of "TAG FIELD OWNER" (P-176)
 *   PARTED    what the record had of one that was erased went, at this position
 *             (P-395)
 *   ORIGIN    of a record that was given back after the loss of a server: the
 *             position, per lost order, up to which it holds everything; uint
 *             each, ascending (P-251)
 *   MASKED    never stored by the server: in a state it sends without what the
 *             pool hides, the ids of the fields, "9,12" (P-155); of what the
 *             holder's role does not see "@9,12" (P-241)
 */
enum sat_sys_field {
	SAT_SYS_FIRST = 1001,
	SAT_SYS_REDIRECT = 1001,
	SAT_SYS_HANDED = 1002,
	SAT_SYS_POOL = 1003,
	SAT_SYS_LATER = 1004,
	SAT_SYS_ALIASES = 1005,
	SAT_SYS_DISMISSED = 1006,
	SAT_SYS_CANDIDATES = 1007,
	SAT_SYS_PARTED = 1008,
	SAT_SYS_ORIGIN = 1011,
	SAT_SYS_MASKED = 1023,
};

/* A suggestion: operations of one who had lost the record (P-136). */
typedef struct sat_handed {
	uint64_t lsn;    /* of the HAND, its name in a SETTLE; not in the op */
	uint32_t dev;    /* who made it, and when */
	sat_hlc hlc;
	sat_span actor;  /* user key */
	sat_span why;    /* "late", or what the author says */
	sat_span ops;    /* canonical payload (sat_commit_write_payload), of the
	                    record that carries it as its subject, zero salt */
} sat_handed;
#define SAT_HANDED_MAX 64
#define SAT_HANDED_WHY_MAX 512
#define SAT_HANDED_BYTES_MAX (256 * 1024) /* of all `ops` of one record */

typedef struct sat_record {
	sat_id id;
	uint32_t eid;     /* 0 = not given yet; not part of the canonical state */
	uint16_t kind;
	sat_stamp born;
	uint64_t rlsn;    /* last LSN that changed it; 0 = only pending */
	bool deleted;
	bool with_edits;  /* deleted while somebody else edited: a person decides */
	sat_stamp del_at; /* last DEL or UNDEL */
	uint64_t del_seen;
	size_t ncells;
	sat_cell *cells;  /* ascending field id */
	size_t room;      /* cells there is memory for; 0 = as many as there are */
} sat_record;

/*
 * Room for folding operation after operation (record_room.c). A cell of a set,
 * of a review field, of suggestions is written anew with each operation, up to a
 * quarter of a megabyte: without room a thousand operations on one cell leave
 * that behind a thousand times in the arena. With it, what an operation needs
 * for itself goes when it is done, and a cell is written over what an earlier
 * operation of the same turn made of it.
 * A turn is a commit or less. What was copied from a record before the turn
 * stays as it is; nothing of a record that was folded into may be held on to
 * while the turn goes on (sat_applied.displaced may). Zero-initialised is empty
 * and valid; one thread.
 */
typedef struct sat_fold_room {
	sat_arena tmp, mem;
	struct sat_fold_slot *slots; /* large cells of this turn */
} sat_fold_room;
void sat_fold_room_turn(sat_fold_room *room); /* a turn begins */
void sat_fold_room_fini(sat_fold_room *room);

typedef struct sat_apply_ctx {
	sat_stamp at;
	uint64_t seen;
	bool moved;       /* SAT_CF_MOVED; never of an echo (P-325) */
	sat_fold_room *room; /* NULL: everything stays in the arena */
} sat_apply_ctx;

/* What a person meant for a customer and that follows it when it was merged
 * into another (P-171): values of the template's fields, but no owner. */
bool sat_op_is_content(const sat_op *op);
/* The name of a pair of records, in either order, that tells neither (P-175). */
void sat_pair_tag(char tag[17], const sat_id *a, const sat_id *b);
/* Is it a pool's view of the record (P-155)? */
bool sat_record_of_pool(const sat_record *r);
/* Is the field's value hidden from the holder, by a pool or for his role? */
bool sat_record_hides(const sat_record *r, uint16_t field);
/* The record this one was merged into; false: none. */
bool sat_record_redirect(sat_id *to, const sat_record *r);

typedef enum sat_outcome {
	SAT_APPLIED,  /* the state changed as asked */
	SAT_LOST,     /* a concurrent value won; ours is in the history */
	SAT_REVIEW,   /* applied, and a person must decide (conflict open) */
	SAT_NOTHING,  /* nothing to do (already so, stale REASSIGN, known NEW) */
} sat_outcome;

/* A value that was displaced by this operation: it belongs in the history. */
typedef struct sat_displaced {
	uint16_t field;
	sat_value value;
	sat_stamp at;
} sat_displaced;

typedef struct sat_applied {
	sat_outcome outcome;
	bool conflict_opened, conflict_closed;
	bool dismissed; /* concurrent with a value that reads the same (P-052) */
	size_t ndisplaced;
	sat_displaced *displaced; /* in the arena */
} sat_applied;

/* Memory for n cells, so that folding operations into a new record does not copy
 * all of them with each. A copy of the record must not be folded into before
 * its room is 0. */
void sat_record_room(sat_record *r, sat_arena *a, size_t n);

/*
 * Fold one operation into *r (memory from `a`; r->cells may be replaced, and
 * cells are changed in place: copy them first to be able to go back).
 * For NEW on an empty record (r->born.hlc == 0): sets id, kind, born. An op on
 * a record that was never NEW: SAT_ENOTFOUND. Unknown fields (newer template)
 * are folded as lww. Concurrency: cur.lsn > seen && cur.dev != at.dev (P-041).
 * Does not touch r->rlsn (a commit has several ops; see sat_record_applied).
 */
SAT_CHECK sat_rc sat_record_apply(sat_applied *out, sat_record *r, sat_arena *a,
    const sat_template *t, const sat_op *op, const sat_apply_ctx *ctx, sat_err *e);

/*
 * System operations (record_sys.c, P-131..P-138); `ctx` as above. On a deleted
 * record CLAIM and RELEASE do nothing; none of them restores one, and none is
 * an edit its deletion had not seen, but for HAND.
 *   CLAIM    owner := value when the owner is empty, whatever the author saw
 *            (order decides); POOL := null. Else SAT_NOTHING.
 *   RELEASE  owner := null, POOL := value; SAT_NOTHING when the author had not
 *            seen the present owner.
 *   NUMBER   field := value although its policy is once; the text it had goes
 *            into ALIASES.
 *   HAND     one more suggestion; SAT_NOTHING above SAT_HANDED_MAX or
 *            SAT_HANDED_BYTES_MAX (ask sat_handed_room first).
 *   SETTLE   one less; SAT_NOTHING when there is none of that lsn.
 *   MERGE    REDIRECT := value; SAT_NOTHING when it has one, or to itself.
 *            On a review or stage field: the value joins what is there as if
 *            nobody had seen anything (P-174); on others only history.
 *   UNMERGE  REDIRECT := null.
 *   ERASE    SAT_NOTHING here: server and device act on it.
 * A CLAIM or REASSIGN that applies clears POOL.
 */
size_t sat_cell_handed(sat_handed **out, sat_arena *a, const sat_cell *c);
/* The value of a HAND (h->lsn is not in it), and whether it finds room. */
void sat_handed_write(sat_buf *b, const sat_handed *h);
SAT_CHECK sat_rc sat_handed_read(sat_handed *h, sat_span in, sat_err *e);
bool sat_handed_room(const sat_record *r, sat_arena *a, size_t ops_bytes);

/*
 * Operations of kinds this release does not know (record_later.c, P-169).
 * Folding one keeps it; above SAT_LATER_MAX or SAT_LATER_BYTES_MAX it is
 * SAT_NOTHING (the server refuses it then). A release that learns a kind plays
 * it back once, when it begins to speak for it: `now` turns an operation into
 * one of this release's and says whether it could. Those it could are folded in
 * their order with their own stamps and leave the cell; *n counts them.
 */
#define SAT_LATER_MAX 256
#define SAT_LATER_BYTES_MAX (256 * 1024)
typedef struct sat_later {
	sat_stamp at;
	uint64_t seen;
	sat_op op;
} sat_later;
size_t sat_record_later(sat_later **out, sat_arena *a, const sat_record *r);
SAT_CHECK sat_rc sat_record_replay_later(size_t *n, sat_record *r, sat_arena *a,
    const sat_template *t, bool (*now)(sat_op *op), sat_err *e);

/* ORIGIN, ascending (record_origin.c). Setting gives the record cells of its
 * own. */
#define SAT_ORIGIN_MAX 64 /* SAT_EPOCHS_MAX */
size_t sat_record_origin(uint64_t out[SAT_ORIGIN_MAX], const sat_record *r);
void sat_record_set_origin(sat_record *r, sat_arena *a, const uint64_t *list,
    size_t n);
/* In place: the cells move up. Fine when it has none. */
void sat_record_drop_cell(sat_record *r, uint16_t field);

/* After each op of a commit: an op that was not SAT_NOTHING moves rlsn. Also
 * SAT_LOST may have changed the state (clocks): write whatever is not NOTHING. */
void sat_record_applied(sat_record *r, sat_outcome outcome, uint64_t lsn);

const sat_cell *sat_record_cell(const sat_record *r, uint16_t field);
sat_value sat_record_value(const sat_record *r, uint16_t field); /* null if none */

/* Open conflict of a cell: n candidates (0 = none). Candidates in `a`. */
typedef struct sat_candidate {
	sat_value value;
	sat_stamp at;
} sat_candidate;
size_t sat_cell_candidates(sat_candidate **out, uint64_t *opened_lsn,
    sat_arena *a, sat_policy policy, const sat_cell *c);
/* The newest stamp in a cell: its own, its candidates', their twins', those of
 * operations kept for a later release. What is read lies in `a`. */
sat_hlc sat_cell_newest(sat_arena *a, sat_policy policy, const sat_record *r,
    const sat_cell *c);
/* Elements of a set cell with their dots. */
typedef struct sat_element {
	sat_span text;
	uint32_t dev;
	uint64_t lsn;
} sat_element;
size_t sat_cell_elements(sat_element **out, sat_arena *a, const sat_cell *c);

/* At least what the canonical state takes; a commit that leaves it above
 * SAT_RECORD_BYTES_MAX and larger than before is refused by device and server
 * (P-001). */
size_t sat_record_bytes(const sat_record *r);

/* Canonical state, byte for byte the same everywhere at the same LSN. Cells
 * that share the birth stamp cost no clock (constant-size prefix). Reading
 * borrows values from the input; SAT_EPROTO. */
void sat_record_write(sat_buf *b, const sat_record *r);
SAT_CHECK sat_rc sat_record_read(sat_record *r, sat_arena *a, sat_span in, sat_err *e);
/* The same of a state from one's own store: its texts were checked when they
 * came, and are not looked at again. Nothing that came over a wire. */
SAT_CHECK sat_rc sat_record_read_kept(sat_record *r, sat_arena *a, sat_span in,
    sat_err *e);
/* The same without values, for a table that holds the values in columns:
 * everything but id, eid, kind and the cells' values. Reading needs the values
 * of every field id of the kind that the table has, ascending, null for an
 * empty column; a cell whose field is not among them is SAT_EPROTO (keep cells
 * of unknown fields with sat_cells_write and hand them in too). */
void sat_record_write_clocks(sat_buf *b, const sat_record *r);
SAT_CHECK sat_rc sat_record_read_clocks(sat_record *r, sat_arena *a, sat_span in,
    const uint16_t *fields, const sat_value *values, size_t n, sat_err *e);
/* Enough to fold an operation on one field and write the clocks again: this
 * field's cell has its value, the other cells that the clocks list have their
 * stamps and state and a value that stands for any, the rest is left out. */
SAT_CHECK sat_rc sat_record_read_clocks_one(sat_record *r, sat_arena *a,
    sat_span in, uint16_t field, sat_value value, sat_err *e);
/* Only when it was written: the birth, then the stamps of cells that were written
 * later, fields ascending. */
SAT_CHECK sat_rc sat_record_read_stamps(sat_stamp **out, size_t *n,
    sat_arena *a, sat_span clocks, sat_err *e);
/* A set of cells alone (the device's base values), canonical. */
void sat_cells_write(sat_buf *b, const sat_cell *cells, size_t n);
sat_cell *sat_cells_read(size_t *n, sat_arena *a, sat_reader *r);

#endif
