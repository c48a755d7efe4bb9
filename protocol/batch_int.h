/*
 * batch_int.h - what both kinds of batches are made of. Stays in the room.
 *
 * A batch is: format u8 (0 plain, 1 zstd) | block span | loose bytes. The block
 * holds the columns: mask uint of the columns that are not empty, their
 * lengths, their bytes. Loose bytes are random ones (salts, halves of ids):
 * compressing them gains nothing and spoils the statistics of the rest.
 *
 * A frame's blocks end where the values of a field do: digits, names and dates
 * each get statistics of their own (a reader need not know).
 */
#ifndef SAT_PROTOCOL_BATCH_INT_H
#define SAT_PROTOCOL_BATCH_INT_H

#include "protocol/batch.h"

#define SAT_COLS_MAX 32

#define SAT_CUTS_MAX 512

typedef struct sat_cols_out {
	sat_buf col[SAT_COLS_MAX];
	sat_buf loose;
	struct { /* where something else begins, in order within a column */
		unsigned col;
		size_t at;
	} cut[SAT_CUTS_MAX];
	size_t ncuts;
} sat_cols_out;

typedef struct sat_cols_in {
	sat_reader col[SAT_COLS_MAX];
	sat_reader loose;
	unsigned n;
	const char *fault; /* one outside of a column */
} sat_cols_in;

/* level: of zstd. @return SAT_EINVALID when the block is above `max`. Frees the
 * columns. */
SAT_CHECK sat_rc sat_cols_pack(sat_buf *out, sat_cols_out *c, size_t max,
    int level, sat_err *e);
void sat_cols_fini(sat_cols_out *c);
/* Something else begins in the column. */
void sat_cols_cut(sat_cols_out *c, unsigned col);
SAT_CHECK sat_rc sat_cols_unpack(sat_cols_in *c, unsigned n, sat_arena *a,
    sat_span in, size_t max, sat_err *e);
/* Every column and the loose bytes are used up and good. */
SAT_CHECK sat_rc sat_cols_end(sat_cols_in *c, const char *what, sat_err *e);
bool sat_cols_good(const sat_cols_in *c);

/* Stamps: ms as a difference; the counter as a difference to what follows
 * naturally. `prev` starts at 0. */
void sat_col_hlc_write(sat_buf *ms, sat_buf *count, sat_hlc *prev, sat_hlc h);
sat_hlc sat_col_hlc_read(sat_reader *ms, sat_reader *count, sat_hlc *prev);
/* Differences to the member before; `prev` starts at 0. */
void sat_col_diff_write(sat_buf *b, uint64_t *prev, uint64_t v);
uint64_t sat_col_diff_read(sat_reader *r, uint64_t *prev, uint64_t max);
/* Ids: ms and device as differences, the random half loose. */
void sat_col_id_write(sat_buf *front, sat_buf *loose, sat_id *prev,
    const sat_id *id);
sat_id sat_col_id_read(sat_reader *front, sat_reader *loose, sat_id *prev);

/*
 * Shapes: what repeats from one operation (cell) to the next, as a number.
 * 0 stands for "what came after the one before the last time", which turns
 * records of one kind into runs of zeros. Shape 0 is the end of a record.
 */
typedef struct sat_shape {
	uint16_t a, b;
	uint8_t c, type; /* type: of the value */
} sat_shape;

typedef struct sat_shapes {
	sat_shape *s;
	uint32_t *next, *slots;
	size_t n, cap, mask;
	uint32_t prev;
} sat_shapes;

void sat_shapes_init(sat_shapes *s, sat_arena *a, size_t most, bool writing);
uint32_t sat_shape_write(sat_shapes *s, sat_buf *codes, sat_buf *table,
    const sat_shape *shape); /* NULL: the end */
uint32_t sat_shape_read(sat_shapes *s, sat_reader *codes, sat_reader *table);

/* Values, grouped by shape: those of one field lie side by side. */
typedef struct sat_value_at {
	uint32_t shape;
	sat_value *v;
} sat_value_at;
/* ints, lens, bytes: the numbers of their columns. */
void sat_values_write(sat_cols_out *c, unsigned ints, unsigned lens,
    unsigned bytes, sat_arena *a, const sat_shapes *s, sat_value_at *v,
    size_t n);
void sat_values_read(sat_reader *ints, sat_reader *lens, sat_reader *bytes,
    sat_arena *a, const sat_shapes *s, sat_value_at *v, size_t n);

/* A fault of one commit's operations (commit.c), NULL when there is none. */
const char *sat_commit_ops_fault(const sat_commit *c);

#endif
