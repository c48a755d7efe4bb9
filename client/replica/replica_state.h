/*
 * replica_state.h - what a replica holds in memory: kinds and their statements,
 * waiting commits, the rows of a transaction, the replica itself.
 */
#ifndef SAT_REPLICA_REPLICA_STATE_H
#define SAT_REPLICA_REPLICA_STATE_H

#include "client/replica/replica.h"
#include "common/template/match.h"

/* ---- kinds ------------------------------------------------------------------ */

enum replica_flag {
	ROW_DELETED = 1,
	ROW_EDITS = 2,      /* deleted while somebody else edited */
	ROW_INCOMPLETE = 4,
	ROW_CONFLICT = 8,   /* has rows in `conflict` */
	ROW_LEAVING = 16,   /* left this device's scope; goes when nothing waits */
	ROW_HANDED = 32,    /* carries suggestions; has a row in `handed` */
	ROW_MERGED = 64,    /* shown as merged into another; has a row in `alias` */
	ROW_POOL = 128,     /* nobody's, and offered by a pool */
	ROW_MASKED = 256,   /* held through that pool alone: not whole (P-155) */
	ROW_GIVEN = 512,    /* merged in the server's state; a row in `alias` too */
	ROW_TOLD = 1024,    /* the server told of another like it (P-176) */
};
/* What lists leave out unless asked. */
#define ROW_HIDDEN (ROW_DELETED | ROW_MERGED | ROW_MASKED)
/* What few rows are, and an index finds. */
#define ROW_MARKED (ROW_HIDDEN | ROW_INCOMPLETE | ROW_TOLD)

typedef enum kind_sql {
	KQ_BY_ID, KQ_BY_RID, KQ_INSERT, KQ_UPDATE, KQ_LEAN, KQ_TOUCH, KQ_DELETE,
	KQ_SET_RID, KQ_RID_OF, KQ_OF_PARENT, KQ_RANGE, KQ_RIDS, KQ_MORE_RIDS,
	KQ_TOLD_RIDS, KQ_PARENT_OF,
	KQ_INCOMPLETE, KQ_LOCAL_MAX, KQ_EID_RANGE, KQ_EID_MAX, KQ_IDS, KQ_MATCH,
	KQ_ID_OF, KQ_FLAGS_OF, KQ_ALL, KQ_HIDDEN, KQ_FILL, KQ_LACKING,
	KQ_COUNT,
} kind_sql;

/* Columns of a row in KQ_BY_* and KQ_INSERT; the fields follow (in KQ_ONE_*:
 * the one field). */
enum { KC_RID, KC_ID, KC_CREATED, KC_FLAGS, KC_CLK, KC_BASE, KC_MORE, KC_FIELDS };

/* What is searched of a kind (search.c): short texts, long ones. */
#define REPLICA_SEARCH_PARTS 2
typedef struct replica_search {
	size_t *cols, n;  /* columns, ascending */
	unsigned lanes;   /* which of them it has, a bit each (search_int.h) */
	int64_t plan;     /* which, and how: another one is made again */
	bool built;
} replica_search;

/* Statements on one field of a row: most edits change one. */
typedef enum one_sql { ONE_BY_ID, ONE_BY_RID, ONE_FOR_EDIT, ONE_UPDATE,
	ONE_UPDATE_DERIVED, ONE_COUNT } one_sql;

typedef struct replica_kind {
	const sat_kind *kind;
	size_t n;                   /* stored fields, ascending id */
	const sat_field **fields;
	uint16_t *ids;
	bool *match;                /* is this column a match key? */
	bool *alone;                /* nothing derived depends on it and others */
	bool *indexed;              /* in an index: named only when it changes */
	char *(*one)[ONE_COUNT];    /* per column; ONE_BY_* of those alone */
	size_t parent;              /* column of the parent; n = none */
	replica_search search[REPLICA_SEARCH_PARTS];
	char *table;                /* quoted */
	char *sql[KQ_COUNT];
} replica_kind;

typedef struct replica_kinds {
	sat_arena mem;
	replica_kind *k;
	size_t n;
	uint64_t *used;       /* replica_kind_use; of each in k */
	replica_kind **by_id; /* nids of them; NULL = no such kind */
	size_t nids;
} replica_kinds;

/* ---- pending work ------------------------------------------------------------ */

typedef struct pend_rec { /* ascending seqs of the commits that touch it */
	sat_id id;
	uint16_t kind;
	uint32_t n, cap;
	int64_t *seqs;
	struct pend_rec *next;
} pend_rec;

typedef struct pend_index {
	pend_rec **buckets;
	size_t nbuckets, nrecs; /* nrecs: with n > 0 */
	size_t nall;
} pend_index;

/* ---- rows ----------------------------------------------------------------------- */

typedef struct replica_row {
	const replica_kind *k;
	int64_t rid;
	int64_t stored_rid;      /* 0: not in the table */
	int64_t listed_rid;      /* under which the page lists it */
	uint32_t flags;          /* as stored */
	int64_t created;         /* as stored */
	bool more;               /* cells without a column are stored */
	bool leaving;
	sat_record view;
	/* while own operations wait: the server's state, else unused */
	bool pending;
	uint32_t npend;          /* commits */
	size_t bytes;            /* of the view before the commit that is written */
	sat_record srv;          /* born.hlc 0: the server does not know it */
	uint16_t *touched;       /* fields of waiting operations, ascending */
	size_t ntouched;
	/* 0: the whole row is here. Else column + 1: the view has this field and
	 * what the clocks list (sat_record_read_clocks_one), enough to fold one
	 * operation and write it. */
	size_t narrow;
	/* of a narrow row that was read to be edited: owner and parent, which it
	 * cannot change unless they are its field */
	const sat_value *standing;
	/* per column as in the table, of a narrow row its column alone
	 * (replica_row_stored); NULL when new */
	sat_value *stored;
	uint64_t fold_lsn;       /* commit being folded into the server's state */
	int64_t settled;         /* last own commit that was settled for it */
	bool dirty, rebuild, gone;
	bool relist;             /* what is derived is written even if equal */
	/* digest.c: the server's state is in the sums; what they must move by */
	bool counted;
	sat_sum sum;
	bool no_match;           /* its match keys are made later, all at once */
	sat_past *past;          /* displaced since it was read, oldest first */
	size_t npast, cap_past;
	struct replica_row *next_id, *next_rid, *next;
} replica_row;

/* Of a narrow row `col` is its column: nothing else was read. */
static inline sat_value
replica_row_stored(const replica_row *row, size_t col)
{
	return row->stored[row->narrow != 0 ? 0 : col];
}

#define PAGE_BUCKETS 1024
/* Guarded memory (rekey.c). */
#define REPLICA_FORMERS_MAX 64
typedef struct replica_keys {
	sat_rekey_state state;
	uint64_t lsn;         /* BEFORE: of the server's log then; 0 = not known */
	bool unsaid;          /* of this process */
	sat_key_pairs other;  /* NEXT, BEFORE */
	size_t nformer;       /* public keys that signed, the oldest first */
	uint8_t former[REPLICA_FORMERS_MAX][SAT_SIGN_PK_BYTES];
} replica_keys;

typedef struct match_add {
	int64_t key, rid;
} match_add;

typedef struct sum_add {
	uint16_t kind;
	uint32_t bucket;
	sat_sum sum;
} sum_add;

/*
 * The rows a transaction touches, and between local writes the last rows read:
 * the gate looks at a record before it is written, and need not cost a second
 * read. Rows that stay are as in the tables; whatever fails resets the page.
 */
typedef struct replica_page {
	sat_arena mem;
	sat_fold_room fold;      /* a turn is a commit */
	sat_arena past;          /* history.c: the chunk that is added to */
	replica_row *by_id[PAGE_BUCKETS], *by_rid[PAGE_BUCKETS];
	replica_row *rows, **last; /* in the order they came */
	size_t nrows, uses;
	bool none_refused;       /* the quarantine is empty: verdicts reset it */
	match_add *adds;
	size_t nadds, cap_adds;
	sum_add *sums;
	size_t nsums, cap_sums;
} replica_page;

typedef struct replica_chain { /* what a rolled back transaction gives back */
	uint64_t cseq;
	uint8_t head[SAT_HASH_BYTES];
	int64_t next_rid, newest;
	int64_t seed_first;      /* seq of the seed's first commit; 0 = none */
	uint8_t seed[SAT_SALT_BYTES];
} replica_chain;

/* Commits of a group that are not in the outbox yet (outbox.c). */
#define OUTBOX_RUN 16
typedef struct outbox_held {
	size_t at, header, payload; /* in bytes: the header, then the payload */
	int64_t wall_ms;
} outbox_held;
typedef struct outbox_run {
	int64_t first;              /* seq; they follow one another */
	size_t n;
	outbox_held c[OUTBOX_RUN];
	sat_buf bytes;
} outbox_run;

typedef struct handed_batch {
	int64_t first, last; /* seqs; 0 = none */
	uint8_t sig[SAT_SIG_BYTES];
} handed_batch;

typedef struct next_epoch {
	bool changed;
	sat_epoch *certs;        /* those followed so far and the new ones */
	size_t ncerts;
	uint64_t base_lsn;       /* the least of all new certificates */
	uint32_t base_eid;
} next_epoch;

typedef struct file_sending { /* of this session */
	int64_t ref;               /* file_of that is being sent; 0 = none */
	int64_t done;              /* those up to it had their turn */
	bool asked;                /* the server said how far it is */
	bool up;                   /* offered for its customer, P-449 */
	bool old;                  /* also what was refused before has its turn */
	int64_t since_ms;          /* it was refused first; 0 = never */
	sat_id rec, root;
	uint64_t have, bytes;
} file_sending;

struct sat_replica {
	sat_db *db;
	sat_clock clock;
	sat_rand rand;
	struct sat_keyring *keyring;
	char *vfs_below;
	char *spool; /* NULL = none */
	sat_replica_identity *id;  /* guarded memory */
	replica_keys *keys;
	sat_template *t;
	uint8_t toid[SAT_TEMPLATE_OID_BYTES];
	replica_kinds *kinds;      /* NULL before the first template */
	sat_registry reg;
	const sat_user *me;
	sat_hlc_state hlc;
	sat_hlc_offset offset;
	uint64_t cursor, known, durable, epoch;
	uint64_t head;           /* of the log, as the session's WELCOME said */
	uint64_t gained;           /* the last time a customer came here */
	int64_t last_sync_ms;
	uint64_t coverage_rev, coverage_reg; /* coverage.c: what is known */
	/* after the loss of a server (epoch.c) */
	sat_epoch cert;            /* the newest; epoch 0 = none */
	sat_epoch *certs;          /* all this device followed, ascending */
	size_t ncerts;
	bool told_ahead;           /* places above the cursor may be there */
	bool resnap;               /* the snapshot goes over what is here */
	bool seeding, seed_told;
	bool ledger_back;          /* the server has not our erasures yet */
	/* erasures: carried out here, receipt given, the server's */
	uint64_t ledger_rev, ledger_acked, server_ledger;
	bool recovering;           /* rows in `recovered` or `former` */
	size_t seed_kind;
	int64_t seed_rid;
	uint8_t server_toid[SAT_TEMPLATE_OID_BYTES];
	/* what it has with what this session's SEEDs gave it */
	uint8_t given_toid[SAT_TEMPLATE_OID_BYTES];
	uint8_t *met;              /* bits: numbers in this snapshot */
	size_t nmet;
	bool complete;
	uint64_t snap_after;
	uint64_t snap_lsn;         /* of the first chunk; 0 = none yet */
	int64_t low;               /* outbox: all up to this seq are done */
	int64_t fork;              /* seq the server knows differently; 0 = none */
	replica_chain chain;
	pend_index *pend;          /* NULL = not loaded */
	replica_page page;
	sat_buf b1, b2, b3, b4;    /* scratch of rows.c and write.c */
	uint64_t answered;         /* answers to suggestions up to this LSN are here */
	int64_t permit_ms;         /* end of the permit; 0 = none was given */
	int64_t told_ms;           /* by the server, at the last sync */
	int64_t wipe_ms;           /* of the newest order to wipe; 0 = none came */
	sat_wipe_order wipe;       /* that order, in this process */
	bool wipe_due;             /* it is to be carried out now */
	/* sums: those of the server differ; ranges to fetch again, the last
	 * first; repairs in vain in a row, is the one under way counted among
	 * them; the scrub's place */
	bool differs;
	sat_sum theirs;
	sat_refetch *ranges;
	size_t nranges, cap_ranges;
	sat_replica_diverged diverged;
	int64_t streak;
	bool in_vain;
	int64_t scrubbed_ms;
	uint16_t scrub_kind;
	uint32_t scrub_bucket;
	bool mend;                 /* rows that cannot be read are removed */
	/* group */
	bool in_group;
	sat_rc group_rc;           /* a write failed half way: the group is lost */
	replica_chain group_chain;
	outbox_run run;
	/* the batches handed to the session last, the newest first: signatures
	 * are kept with their verdicts */
	handed_batch batch[2];
	uint32_t push_inc;
	file_sending file;
	int64_t files_told;        /* file_of up to it were answered since the
	                            * opening */
	uint64_t files_at;         /* the cursor when files were tidied last */
	int64_t files_old_ms;      /* when refused ones had their turn last */
	int64_t search_met, search_bad; /* what a check has come by */
	uint64_t rows_open;        /* running queries, a bit each */
};

static inline int64_t
replica_seq(uint32_t incarnation, uint64_t cseq)
{
	return (int64_t)(((uint64_t)incarnation << 31) | cseq);
}
static inline uint32_t
replica_seq_inc(int64_t seq)
{
	return (uint32_t)(seq >> 31);
}
static inline uint64_t
replica_seq_cseq(int64_t seq)
{
	return (uint64_t)seq & 0x7fffffff;
}
#define REPLICA_CSEQ_MAX 0x7ffffffeu

#endif
