/*
 * store_int.h - what the files of the SQLite store share.
 */
#ifndef SAT_STORE_SQLITE_STORE_INT_H
#define SAT_STORE_SQLITE_STORE_INT_H

#include "server/store/sqlite/store.h"
#include "server_store_sqlite_sql.h"

/* An entry of log_scope that waits for its statement. */
typedef struct scope_entry {
	sat_scope_key key;
	uint64_t lsn;
	uint32_t root;
} scope_entry;
#define SCOPE_WAITING_MAX 1024

/* A log row that waits for seven others; its bytes are in log_bytes. */
typedef struct log_entry {
	sat_log_row row; /* the spans have no pointer */
	uint32_t dev, inc;
	uint64_t cseq;
} log_entry;
#define LOG_WAITING_MAX 8

/* The segment read last. first 0: none. */
typedef struct store_segment {
	uint64_t first;
	sat_arena mem;
	sat_segment_row *rows;
	size_t n;
} store_segment;

struct sat_sqlite_store {
	sat_db *db;
	sat_clock clock;
	struct sat_keyring *keyring;
	char *segments;   /* folder; NULL: on a simulated disk */
	store_segment segment;
	uint32_t eid_max; /* records up to it are updated, above inserted */
	bool eid_known;
	scope_entry *waiting;
	size_t nwaiting;
	log_entry log[LOG_WAITING_MAX];
	size_t nlog;
	sat_buf log_bytes;
};

/* Write what waits; before reading log_scope and before COMMIT. */
SAT_CHECK sat_rc store_scope_flush(sat_sqlite_store *s, sat_err *e);
/* The same for log. */
SAT_CHECK sat_rc store_log_flush(sat_sqlite_store *s, sat_err *e);

/* A commit that moved into a segment; borrowed until the next call. */
SAT_CHECK sat_rc store_segment_by_lsn(const sat_segment_row **row,
    sat_sqlite_store *s, uint64_t lsn, sat_err *e);
SAT_CHECK sat_rc store_segment_by_cseq(const sat_segment_row **row,
    sat_sqlite_store *s, uint32_t dev, uint32_t inc, uint64_t cseq, sat_err *e);
void store_segment_forget(sat_sqlite_store *s);
/* Write a segment's file; durable when it returns. `file` is scratch. */
SAT_CHECK sat_rc store_segment_put(sat_buf *file, sat_sqlite_store *s,
    uint64_t n, const sat_segment_row *rows, size_t nrows, sat_err *e);

/* One row by statement and nothing else: *row tells whether there is one. The
 * statement is borrowed; reset it when the columns are read. */
#define store_stmt sat_db_stmt
SAT_CHECK sat_rc store_step_one(sat_stmt *q, const char *what, sat_err *e);
sat_span store_copy(sat_arena *a, sat_span s);
void store_take_id(sat_id *id, sat_span s); /* zero when it is none */
void store_bind_id(sat_stmt *q, int i, const sat_id *id);
SAT_CHECK sat_rc store_counter_get(uint64_t *v, void *u, sat_counter c, sat_err *e);
SAT_CHECK sat_rc store_counter_put(void *u, sat_counter c, uint64_t v, sat_err *e);

/* Each fills its part of the table. */
void store_log_ops(sat_store *o);
void store_rec_ops(sat_store *o);
void store_scope_ops(sat_store *o);
void store_who_ops(sat_store *o);
void store_digest_ops(sat_store *o);
void store_number_ops(sat_store *o);
void store_loss_ops(sat_store *o);
void store_erase_ops(sat_store *o);
void store_pool_ops(sat_store *o);
void store_coverage_ops(sat_store *o);

#endif
