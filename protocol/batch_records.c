/*
 * Record states as columns (P-037..P-039), for snapshots and changed scopes.
 * The same means as in batch.c; a cell's shape is its field, whether it has a
 * clock and a packed state of its own, and the type of its value.
 */
#include "protocol/batch_int.h"
#include "protocol/record_int.h"

#include <string.h>

enum {
	C_FLAGS, /* u8 per record */
	C_KIND,
	C_EID,
	C_ID,    /* front half; the other is loose */
	C_MS, C_COUNT, C_DEV, C_LSN, /* born */
	C_RLSN,  /* from born's lsn */
	C_DEL,   /* del_at and del_seen, where FLAG_DEL_AT */
	C_SHAPE, /* code per cell, and the end of each record */
	C_SHAPES,
	C_CLOCK_MS, C_CLOCK_COUNT, C_CLOCK_DEV, C_CLOCK_LSN, /* from born */
	C_EXT_LENS, C_EXT,
	C_INTS, C_LENS, C_BYTES,
	C_N
};

/* Of zstd: a server hands out whole scopes, and its CPU is what others wait
 * for. */
#define LEVEL 2

#define FLAG_DELETED 1
#define FLAG_WITH_EDITS 2
#define FLAG_DEL_AT 4
#define FLAGS_ALL 7

#define CELL_CLOCK 1
#define CELL_EXT 2

/* What one chunk may hold at most; memory follows the number of cells. */
#define RECORDS_MAX 65536
#define CELLS_MAX 262144

/* ---- writing ------------------------------------------------------------- */

typedef struct writer {
	sat_cols_out c;
	sat_arena mem;
	sat_shapes shapes;
	sat_value_at *values;
	size_t nvalues;
	uint64_t kind, eid, dev, lsn;
	sat_hlc hlc;
	sat_id id;
} writer;

static bool
stamp_eq(sat_stamp a, sat_stamp b)
{
	return a.hlc == b.hlc && a.dev == b.dev && a.lsn == b.lsn;
}

static void
write_head(writer *w, const sat_record *r)
{
	sat_buf *col = w->c.col;

	sat_write_u8(&col[C_FLAGS], (uint8_t)((r->deleted ? FLAG_DELETED : 0) |
	    (r->with_edits ? FLAG_WITH_EDITS : 0) |
	    (r->del_at.hlc != 0 ? FLAG_DEL_AT : 0)));
	sat_col_diff_write(&col[C_KIND], &w->kind, r->kind);
	w->eid++;
	sat_col_diff_write(&col[C_EID], &w->eid, r->eid);
	sat_col_id_write(&col[C_ID], &w->c.loose, &w->id, &r->id);
	sat_col_hlc_write(&col[C_MS], &col[C_COUNT], &w->hlc, r->born.hlc);
	sat_col_diff_write(&col[C_DEV], &w->dev, r->born.dev);
	sat_col_diff_write(&col[C_LSN], &w->lsn, r->born.lsn);
	sat_write_int(&col[C_RLSN], (int64_t)(r->rlsn - r->born.lsn));
	if (r->del_at.hlc != 0) {
		sat_stamp_write(&col[C_DEL], r->del_at);
		sat_write_uint(&col[C_DEL], r->del_seen);
	}
}

static void
write_cell(writer *w, const sat_record *r, const sat_cell *c)
{
	sat_buf *col = w->c.col;
	bool clock = !stamp_eq(c->at, r->born);
	sat_shape sh = { r->kind, c->field, (uint8_t)((clock ? CELL_CLOCK : 0) |
	    (c->ext.n > 0 ? CELL_EXT : 0)), (uint8_t)c->value.type };
	sat_value_at *v = &w->values[w->nvalues++];
	sat_hlc from = r->born.hlc;
	uint64_t dev = r->born.dev, lsn = r->born.lsn;

	v->shape = sat_shape_write(&w->shapes, &col[C_SHAPE], &col[C_SHAPES],
	    &sh);
	v->v = sat_arena_dup(&w->mem, &c->value, sizeof c->value);
	if (clock) {
		sat_col_hlc_write(&col[C_CLOCK_MS], &col[C_CLOCK_COUNT], &from,
		    c->at.hlc);
		sat_col_diff_write(&col[C_CLOCK_DEV], &dev, c->at.dev);
		sat_col_diff_write(&col[C_CLOCK_LSN], &lsn, c->at.lsn);
	}
	if (c->ext.n > 0) {
		sat_write_uint(&col[C_EXT_LENS], c->ext.n);
		sat_buf_add(&col[C_EXT], c->ext.p, c->ext.n);
	}
}

static size_t
cells_of(const sat_record *recs, size_t n)
{
	size_t cells = 0;

	for (size_t i = 0; i < n; i++)
		cells += recs[i].ncells;
	return cells;
}

sat_rc
sat_records_write(sat_buf *out, const sat_record *recs, size_t n, sat_err *e)
{
	writer w = { .nvalues = 0 };
	size_t cells = cells_of(recs, n);
	sat_rc rc;

	if (n > RECORDS_MAX || cells > CELLS_MAX)
		return sat_fail(e, SAT_EINVALID, "records: too many");
	sat_shapes_init(&w.shapes, &w.mem, cells, true);
	w.values = sat_arena_alloc(&w.mem, (cells + 1) * sizeof *w.values);
	for (const sat_record *r = recs; r < recs + n; r++) {
		write_head(&w, r);
		for (size_t i = 0; i < r->ncells; i++)
			write_cell(&w, r, &r->cells[i]);
		(void)sat_shape_write(&w.shapes, &w.c.col[C_SHAPE],
		    &w.c.col[C_SHAPES], NULL);
	}
	sat_values_write(&w.c, C_INTS, C_LENS, C_BYTES, &w.mem, &w.shapes,
	    w.values, w.nvalues);
	rc = sat_cols_pack(out, &w.c, SAT_CHUNK_BYTES_MAX, LEVEL, e);
	sat_arena_fini(&w.mem);
	return rc;
}

/* ---- reading ------------------------------------------------------------- */

typedef struct reader {
	sat_cols_in c;
	sat_arena *a;
	sat_record *recs;
	sat_cell *cells;
	size_t n, ncells, used;
	sat_shapes shapes;
	sat_value_at *values;
	uint64_t kind, eid, dev, lsn;
	sat_hlc hlc;
	sat_id id;
} reader;

static void
read_del(sat_record *rec, sat_reader *in)
{
	rec->del_at = sat_stamp_read(in);
	rec->del_seen = sat_read_uint_max(in, INT64_MAX);
	if (rec->del_at.hlc == 0)
		sat_read_bad(in, "deletion without a stamp");
}

static void
read_head(reader *r, sat_record *rec)
{
	sat_reader *col = r->c.col;
	uint8_t flags = sat_read_u8(&col[C_FLAGS]);

	rec->deleted = (flags & FLAG_DELETED) != 0;
	rec->with_edits = (flags & FLAG_WITH_EDITS) != 0;
	if (flags > FLAGS_ALL || (rec->with_edits && !rec->deleted) ||
	    (rec->deleted && (flags & FLAG_DEL_AT) == 0))
		sat_read_bad(&col[C_FLAGS], "bad flags");
	rec->kind = (uint16_t)sat_col_diff_read(&col[C_KIND], &r->kind,
	    UINT16_MAX);
	r->eid++;
	rec->eid = (uint32_t)sat_col_diff_read(&col[C_EID], &r->eid, UINT32_MAX);
	rec->id = sat_col_id_read(&col[C_ID], &r->c.loose, &r->id);
	rec->born.hlc = sat_col_hlc_read(&col[C_MS], &col[C_COUNT], &r->hlc);
	rec->born.dev = (uint32_t)sat_col_diff_read(&col[C_DEV], &r->dev,
	    UINT32_MAX);
	rec->born.lsn = sat_col_diff_read(&col[C_LSN], &r->lsn, INT64_MAX);
	rec->rlsn = rec->born.lsn + (uint64_t)sat_read_int(&col[C_RLSN]);
	if (rec->kind == 0 || rec->born.hlc == 0 || rec->rlsn > INT64_MAX)
		sat_read_bad(&col[C_RLSN], "bad birth");
	if ((flags & FLAG_DEL_AT) != 0)
		read_del(rec, &col[C_DEL]);
}

static void
read_clock(reader *r, sat_cell *c, const sat_record *rec)
{
	sat_reader *col = r->c.col;
	sat_hlc from = rec->born.hlc;
	uint64_t dev = rec->born.dev, lsn = rec->born.lsn;

	c->at.hlc = sat_col_hlc_read(&col[C_CLOCK_MS], &col[C_CLOCK_COUNT],
	    &from);
	c->at.dev = (uint32_t)sat_col_diff_read(&col[C_CLOCK_DEV], &dev,
	    UINT32_MAX);
	c->at.lsn = sat_col_diff_read(&col[C_CLOCK_LSN], &lsn, INT64_MAX);
	if (stamp_eq(c->at, rec->born))
		sat_read_bad(&col[C_CLOCK_LSN], "clock of birth written");
}

static void
read_cell(reader *r, sat_record *rec, const sat_shape *sh, uint32_t shape)
{
	sat_reader *col = r->c.col;
	sat_cell *c = &r->cells[r->used];

	if (sh->a != rec->kind || sh->b == 0 || sh->b > SAT_FIELD_ID_MAX ||
	    (rec->ncells > 0 && c[-1].field >= sh->b) ||
	    sh->c > (CELL_CLOCK | CELL_EXT))
		sat_read_bad(&col[C_SHAPE], "bad field");
	memset(c, 0, sizeof *c);
	c->field = sh->b;
	c->at = rec->born;
	if ((sh->c & CELL_CLOCK) != 0)
		read_clock(r, c, rec);
	if ((sh->c & CELL_EXT) != 0) {
		c->ext = sat_read_raw(&col[C_EXT], (size_t)sat_read_uint_max(
		    &col[C_EXT_LENS], SAT_EXT_MAX));
		if (c->ext.n == 0)
			sat_read_bad(&col[C_EXT], "empty state of a field");
	}
	r->values[r->used++] = (sat_value_at){ shape, &c->value };
	rec->ncells++;
}

static void
read_record(reader *r, sat_record *rec)
{
	sat_reader *codes = &r->c.col[C_SHAPE];
	uint32_t shape;

	read_head(r, rec);
	rec->cells = r->cells + r->used;
	for (;;) {
		shape = sat_shape_read(&r->shapes, codes, &r->c.col[C_SHAPES]);
		if (shape == 0 || codes->fault != NULL)
			return;
		if (r->used == r->ncells) {
			sat_read_bad(codes, "more fields than announced");
			return;
		}
		read_cell(r, rec, &r->shapes.s[shape], shape);
	}
}

/* Codes are at least a byte each, and one of every record is its end: so the
 * columns' lengths bound the memory before any is taken (P-031). */
static sat_rc
read_sizes(reader *r, sat_err *e)
{
	size_t codes = r->c.col[C_SHAPE].left;

	r->n = r->c.col[C_FLAGS].left;
	if (r->n > RECORDS_MAX || codes < r->n)
		return sat_fail(e, SAT_EPROTO, "records: bad number");
	r->ncells = codes - r->n;
	if (r->ncells > 3 * (size_t)CELLS_MAX)
		return sat_fail(e, SAT_EPROTO, "records: too many fields");
	if (r->ncells > CELLS_MAX)
		r->ncells = CELLS_MAX; /* codes of several bytes */
	return SAT_OK;
}

sat_rc
sat_records_read(sat_record **recs, size_t *n, sat_arena *a, sat_span in,
    sat_err *e)
{
	reader r = { .a = a };
	size_t most;
	sat_rc rc;

	if ((rc = sat_cols_unpack(&r.c, C_N, a, in, SAT_CHUNK_BYTES_MAX,
	    e)) != SAT_OK || (rc = read_sizes(&r, e)) != SAT_OK)
		return rc;
	most = r.c.col[C_SHAPES].left / 4;
	sat_shapes_init(&r.shapes, a, most < r.ncells ? most : r.ncells, false);
	r.recs = sat_arena_alloc(a, (r.n + 1) * sizeof *r.recs);
	memset(r.recs, 0, (r.n + 1) * sizeof *r.recs);
	r.cells = sat_arena_alloc(a, (r.ncells + 1) * sizeof *r.cells);
	r.values = sat_arena_alloc(a, (r.ncells + 1) * sizeof *r.values);
	for (size_t i = 0; i < r.n && sat_cols_good(&r.c); i++)
		read_record(&r, &r.recs[i]);
	if (sat_cols_good(&r.c))
		sat_values_read(&r.c.col[C_INTS], &r.c.col[C_LENS],
		    &r.c.col[C_BYTES], a, &r.shapes, r.values, r.used);
	if ((rc = sat_cols_end(&r.c, "records", e)) != SAT_OK)
		return rc;
	*recs = r.recs;
	*n = r.n;
	return SAT_OK;
}
