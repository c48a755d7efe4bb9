/*
 * store_int.h - what the files of the SQLite store share.
 */
#ifndef SAT_STORE_SQLITE_STORE_INT_H
#define SAT_STORE_SQLITE_STORE_INT_H

#include "server/store/sqlite/store.h"
#include "server_store_sqlite_sql.h"

/* A row of log_scope or scope_run that waits for its statement. */
typedef struct scope_row {
	sat_scope_key key;
	uint64_t lsn;
	uint64_t to;       /* the root; or the run's last position */
} scope_row;
#define SCOPE_WAITING_MAX 1024
#define SCOPE_OPEN_MAX 64 /* a power of two */
typedef struct scope_waiting {
	scope_row *v;
	size_t n;
} scope_waiting;

/* A row of the log: commits that follow one another there and in their chain,
 * were received in one millisecond and have the parts of the header in common
 * that nearly all have. A row ends behind the commit that fills it. */
#define LOG_PACK_MAX 32
#define LOG_PACK_BYTES 8192
typedef struct log_pack {   /* one that is written */
	uint64_t lsn, cseq; /* of the first */
	uint32_t dev, inc;
	size_t n;           /* 0: nothing else counts but the memory of bytes */
	sat_hlc eff, last_eff; /* of the first and the last */
	int64_t received_ms;
	size_t header_at, header_n; /* the first one's, in bytes */
	sat_buf bytes;
} log_pack;
typedef struct log_read_entry {
	sat_hlc eff;
	sat_span header;    /* but of the first without what that one has */
	sat_span payload;
} log_read_entry;
typedef struct log_read {   /* one that was read */
	uint64_t lsn, cseq; /* of the first */
	uint32_t dev, inc;
	size_t n;           /* 0: none */
	sat_hlc eff;
	int64_t received_ms;
	bool echoes;        /* one of them has some */
	log_read_entry at[LOG_PACK_MAX];
	sat_buf bytes;
} log_read;

/* The segment read last. first 0: none. */
typedef struct store_segment {
	uint64_t first;
	sat_arena mem;
	sat_segment_row *rows;
	size_t n;
} store_segment;

/* Records whose rows may be behind (store_late.c). */
typedef struct late_rec late_rec;
typedef struct store_sweep {
	uint32_t *eid;    /* ascending: what was late when it began */
	size_t n, cap, at;
	uint64_t upto;    /* the head of the log then */
	uint64_t credit;  /* records times commits, of a window */
	bool going;
} store_sweep;
typedef struct store_late {
	late_rec **bucket; /* by eid */
	late_rec **by_id;  /* as many */
	size_t mask, n, nlate, bytes, hand;
	late_rec *open;    /* put by this transaction */
	late_rec *dead;    /* put and replaced by it */
	uint32_t *swept;   /* written by this transaction */
	size_t nswept, swept_cap;
	store_sweep sweep;
	bool moved;        /* by this transaction */
	bool whole;        /* the core has folded what rows lacked at open */
	unsigned window;   /* commits */
	uint64_t logged;   /* commits of this transaction */
	uint64_t head, committed; /* of the log: with and without them */
} store_late;

struct sat_sqlite_store {
	sat_db *db;
	sat_clock clock;
	struct sat_keyring *keyring;
	char *segments;   /* folder; NULL: on a simulated disk */
	char *snapshots;  /* the same */
	store_segment segment;
	uint32_t eid_max; /* records up to it are updated, above inserted */
	bool eid_known;
	scope_waiting rescopes, runs;
	scope_row open[SCOPE_OPEN_MAX]; /* runs that may go on; to 0: none */
	log_pack pack;     /* waits for the next commit */
	log_read read;     /* the row read last, in this transaction */
	sat_stmt *ahead;   /* stands on it; NULL = none */
	store_late late;
};

/* Write what waits; before reading log_scope or scope_run and before COMMIT. */
SAT_CHECK sat_rc store_scope_flush(sat_sqlite_store *s, sat_err *e);
void store_scope_forget(sat_sqlite_store *s);
void store_scope_init(sat_sqlite_store *s);
void store_scope_fini(sat_sqlite_store *s);
/* The same for log. */
SAT_CHECK sat_rc store_log_flush(sat_sqlite_store *s, sat_err *e);
/* No row of the log is being read any more, none is remembered; with every
 * transaction's end. */
void store_log_end_read(sat_sqlite_store *s);

/* store_pack.c: one more commit; false: it does not go on with these. */
bool store_pack_add(log_pack *p, const sat_segment_row *r);
/* Into the log; the pack is empty then. SAT_ECONFLICT: the chain is logged up
 * to there already. */
SAT_CHECK sat_rc store_pack_put(sat_sqlite_store *s, log_pack *p, sat_err *e);
/* From the row a statement stands on: the columns of log in their order, and
 * whether one has echoes. */
SAT_CHECK sat_rc store_pack_read(log_read *p, sat_stmt *q, sat_err *e);
/* The row that has a position. SAT_ENOTFOUND: then *p is as it was. */
SAT_CHECK sat_rc store_pack_of(log_read *p, sat_sqlite_store *s, uint64_t lsn,
    sat_err *e);
/* The ith of it, without echoes and what is left of an erased one. */
void store_pack_row(sat_segment_row *out, sat_arena *a, const log_read *p,
    size_t i);
/* The same with them. */
SAT_CHECK sat_rc store_pack_whole(sat_segment_row *out, sat_arena *a,
    sat_sqlite_store *s, const log_read *p, size_t i, sat_err *e);
/* Every commit of the rows that begin in (after, upto], with echoes and rest;
 * after false no further row is read. */
SAT_CHECK sat_rc store_log_rows(sat_sqlite_store *s, uint64_t after,
    uint64_t upto, bool (*cb)(void *u, const sat_segment_row *row), void *u,
    sat_err *e);
/* In the open transaction: a payload goes; a row ends behind a position. */
SAT_CHECK sat_rc store_log_drop_payload(sat_sqlite_store *s, uint64_t lsn,
    sat_err *e);
SAT_CHECK sat_rc store_log_cut(sat_sqlite_store *s, uint64_t upto, sat_err *e);

/* What is kept of a record, NULL = nothing; until the transaction ends. */
const sat_rec_row *store_late_find(const sat_sqlite_store *s, uint32_t eid);
const sat_rec_row *store_late_find_id(const sat_sqlite_store *s, const sat_id *id);
/* A record as it is now; late: its row was not written. Not late, and nothing
 * is kept of it: nothing is done. */
void store_late_put(sat_sqlite_store *s, const sat_rec_row *row, bool late);
void store_late_move(sat_sqlite_store *s, uint32_t eid, uint32_t root);
void store_late_erase(sat_sqlite_store *s, uint32_t eid);
/* A commit was logged. */
void store_late_logged(sat_sqlite_store *s, uint64_t lsn);
/* Right before COMMIT; and when it is over. */
SAT_CHECK sat_rc store_late_sweep(sat_sqlite_store *s, sat_err *e);
void store_late_commit(sat_sqlite_store *s);
void store_late_rollback(sat_sqlite_store *s);
/* Write all rows that are behind, in the open transaction. */
SAT_CHECK sat_rc store_late_settle(sat_sqlite_store *s, sat_err *e);
/* The same in a transaction of its own. */
SAT_CHECK sat_rc store_settle(sat_sqlite_store *s, sat_err *e);
void store_late_init(sat_sqlite_store *s, unsigned window);
void store_late_fini(sat_sqlite_store *s); /* nothing is kept any more */
/* store_rec.c: the row of a record that is there. */
SAT_CHECK sat_rc store_rec_write(sat_sqlite_store *s, const sat_rec_row *row,
    sat_err *e);

/* A commit that moved into a segment; borrowed until the next call. */
SAT_CHECK sat_rc store_segment_by_lsn(const sat_segment_row **row,
    sat_sqlite_store *s, uint64_t lsn, sat_err *e);
SAT_CHECK sat_rc store_segment_by_cseq(const sat_segment_row **row,
    sat_sqlite_store *s, uint32_t dev, uint32_t inc, uint64_t cseq, sat_err *e);
/* Files of segments that none counts with go (T1: written, and not used). */
SAT_CHECK sat_rc store_segment_strays(sat_sqlite_store *s, sat_err *e);
/* Every row of every segment, as its file has it. */
SAT_CHECK sat_rc store_segment_rows(sat_sqlite_store *s, bool (*cb)(void *u,
    const sat_segment_row *row), void *u, sat_err *e);
/* What the database has beside a row of a segment; its payload goes when it was
 * erased. */
SAT_CHECK sat_rc store_log_aside(sat_log_row *out, sat_arena *a,
    sat_sqlite_store *s, uint64_t lsn, sat_err *e);
void store_segment_forget(sat_sqlite_store *s);
/* Write a segment's file; durable when it returns. `file` is scratch. */
SAT_CHECK sat_rc store_segment_put(sat_buf *file, sat_sqlite_store *s,
    uint64_t n, const sat_segment_row *rows, size_t nrows, sat_err *e);

/* One row by statement and nothing else: *row tells whether there is one. The
 * statement is borrowed; reset it when the columns are read. */
#define store_stmt sat_db_stmt
SAT_CHECK sat_rc store_step_one(sat_stmt *q, const char *what, sat_err *e);
/* The first column of each row, until the callback returns false; resets it. */
SAT_CHECK sat_rc store_each(sat_stmt *q, bool (*cb)(void *cu, uint32_t n),
    void *cu, sat_err *e);
/* A statement that takes one number and gives no row. */
SAT_CHECK sat_rc store_run_int(sat_sqlite_store *s, int sql, int64_t v, sat_err *e);
/* Commit what went well; roll back what did not. */
SAT_CHECK sat_rc store_end(sat_sqlite_store *s, sat_rc rc, sat_err *e);
sat_span store_copy(sat_arena *a, sat_span s);
const char *store_text(sat_arena *a, sat_stmt *q, int i); /* a column */
void store_take_id(sat_id *id, sat_span s); /* zero when it is none */
void store_bind_id(sat_stmt *q, int i, const sat_id *id);
SAT_CHECK sat_rc store_counter_get(uint64_t *v, void *u, sat_counter c, sat_err *e);
SAT_CHECK sat_rc store_counter_put(void *u, sat_counter c, uint64_t v, sat_err *e);
/* What a device may know of the others has changed; in that transaction. */
SAT_CHECK sat_rc store_registry_bump(sat_sqlite_store *s, sat_err *e);

/* Each fills its part of the table. */
void store_log_ops(sat_store *o);
void store_rec_ops(sat_store *o);
void store_late_ops(sat_store *o);
void store_scope_ops(sat_store *o);
void store_who_ops(sat_store *o);
void store_digest_ops(sat_store *o);
void store_number_ops(sat_store *o);
/* A new epoch began then: what the server that is gone may have numbered since
 * the backup is left out, so many numbers of each series (P-450). In an open
 * transaction. */
SAT_CHECK sat_rc store_series_skip(sat_sqlite_store *s, int64_t began_ms,
    uint64_t skip, sat_err *e);
void store_loss_ops(sat_store *o);
void store_erase_ops(sat_store *o);
void store_pool_ops(sat_store *o);
void store_coverage_ops(sat_store *o);
void store_answer_ops(sat_store *o);
void store_wipe_ops(sat_store *o);
void store_keys_ops(sat_store *o);
/* store_file.c; store_file_erase: what a record that is erased has, and what is
 * being sent for it. */
void store_file_ops(sat_store *o);
SAT_CHECK sat_rc store_file_erase(sat_sqlite_store *s, uint32_t eid, sat_err *e);
/* store_admin.c: within a transaction. SAT_ENOTFOUND. */
SAT_CHECK sat_rc store_revoke(sat_sqlite_store *s, uint32_t ord, sat_err *e);

#endif
