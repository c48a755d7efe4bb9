/*
 * batch_cols.c - the block of columns and what is written into it: numbers,
 * stamps, ids, shapes. The values are batch_values.c.
 */
#include "protocol/batch_int.h"

#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#define PIECE_MIN 1024 /* bytes: a shorter one is not worth its own table */
#define PLAIN 0
#define PACKED 1

/* ---- the block ----------------------------------------------------------- */

void
sat_cols_fini(sat_cols_out *c)
{
	for (size_t i = 0; i < SAT_COLS_MAX; i++)
		sat_buf_fini(&c->col[i]);
	sat_buf_fini(&c->loose);
}

void
sat_cols_cut(sat_cols_out *c, unsigned col)
{
	if (c->ncuts == SAT_CUTS_MAX)
		return;
	c->cut[c->ncuts].col = col;
	c->cut[c->ncuts++].at = c->col[col].n;
}

/* ends: where pieces of the block end, ascending, *nends of them. */
static void
write_block(sat_buf *b, size_t *ends, size_t *nends, const sat_cols_out *c)
{
	uint64_t mask = 0;

	*nends = 0;
	for (size_t i = 0; i < SAT_COLS_MAX; i++)
		if (c->col[i].n > 0)
			mask |= (uint64_t)1 << i;
	sat_write_uint(b, mask);
	for (size_t i = 0; i < SAT_COLS_MAX; i++)
		if (c->col[i].n > 0)
			sat_write_uint(b, c->col[i].n);
	for (size_t i = 0; i < SAT_COLS_MAX; i++) {
		for (size_t k = 0; k < c->ncuts; k++)
			if (c->cut[k].col == i)
				ends[(*nends)++] = b->n + c->cut[k].at;
		sat_buf_add(b, c->col[i].p, c->col[i].n);
		ends[(*nends)++] = b->n;
	}
}

/* Piece by piece, so that none of zstd's blocks spans two of them. */
static bool
compress_pieces(ZSTD_CCtx *z, ZSTD_outBuffer *out, const sat_buf *block,
    int level, const size_t *ends, size_t nends)
{
	ZSTD_inBuffer in = { block->p, 0, 0 };

	(void)ZSTD_CCtx_setParameter(z, ZSTD_c_compressionLevel, level);
	(void)ZSTD_CCtx_setPledgedSrcSize(z, block->n);
	for (size_t i = 0; i < nends; i++) {
		if (ends[i] - in.pos < PIECE_MIN ||
		    block->n - ends[i] < PIECE_MIN)
			continue;
		in.size = ends[i];
		if (ZSTD_compressStream2(z, out, &in, ZSTD_e_flush) != 0)
			return false;
	}
	in.size = block->n;
	return ZSTD_compressStream2(z, out, &in, ZSTD_e_end) == 0;
}

/* zstd of `block`, or nothing when that is no shorter. */
static void
compress(sat_buf *packed, const sat_buf *block, int level,
    const size_t *ends, size_t nends)
{
	ZSTD_CCtx *z = ZSTD_createCCtx();
	ZSTD_outBuffer out = { sat_buf_room(packed, block->n), block->n, 0 };

	if (z == NULL)
		abort(); /* as every allocation */
	if (compress_pieces(z, &out, block, level, ends, nends) && out.pos < block->n)
		packed->n = out.pos;
	(void)ZSTD_freeCCtx(z);
}

sat_rc
sat_cols_pack(sat_buf *out, sat_cols_out *c, size_t max, int level,
    sat_err *e)
{
	sat_buf block = { 0 }, packed = { 0 };
	size_t ends[SAT_CUTS_MAX + SAT_COLS_MAX], nends;
	sat_rc rc = SAT_OK;

	write_block(&block, ends, &nends, c);
	if (block.n > max) {
		rc = sat_fail(e, SAT_EINVALID, "batch above its limit");
	} else {
		compress(&packed, &block, level, ends, nends);
		sat_write_u8(out, packed.n > 0 ? PACKED : PLAIN);
		sat_write_span(out, sat_buf_span(packed.n > 0 ? &packed :
		    &block));
		sat_buf_add(out, c->loose.p, c->loose.n);
	}
	sat_buf_fini(&block);
	sat_buf_fini(&packed);
	sat_cols_fini(c);
	return rc;
}

/*
 * The size a frame claims is checked before memory is taken for it, and the
 * frame must be the whole span (P-031).
 */
static const char *
decompress(sat_span *block, sat_arena *a, sat_span packed, size_t max)
{
	unsigned long long size = ZSTD_getFrameContentSize(packed.p, packed.n);
	uint8_t *p;
	size_t n;

	if (size == ZSTD_CONTENTSIZE_ERROR || size == ZSTD_CONTENTSIZE_UNKNOWN)
		return "no compressed block";
	if (size > max)
		return "block above its limit";
	if (ZSTD_findFrameCompressedSize(packed.p, packed.n) != packed.n)
		return "more than one compressed block";
	p = sat_arena_alloc(a, (size_t)size);
	n = ZSTD_decompress(p, (size_t)size, packed.p, packed.n);
	if (ZSTD_isError(n) || n != size)
		return "damaged compressed block";
	*block = sat_span_of(p, n);
	return NULL;
}

static void
read_block(sat_cols_in *c, sat_reader *r, unsigned n)
{
	uint64_t mask = sat_read_uint_max(r, ((uint64_t)1 << n) - 1);
	size_t len[SAT_COLS_MAX] = { 0 };

	for (unsigned i = 0; i < n; i++) {
		if ((mask >> i & 1) == 0)
			continue;
		len[i] = (size_t)sat_read_uint(r);
		if (len[i] == 0)
			sat_read_bad(r, "empty column");
	}
	for (unsigned i = 0; i < n; i++)
		c->col[i] = sat_reader_of(sat_read_raw(r, len[i]));
}

sat_rc
sat_cols_unpack(sat_cols_in *c, unsigned n, sat_arena *a, sat_span in,
    size_t max, sat_err *e)
{
	sat_reader r = sat_reader_of(in);
	uint8_t format = sat_read_u8(&r);
	sat_span block = sat_read_span(&r, max);
	const char *fault;

	memset(c, 0, sizeof *c);
	c->n = n;
	c->loose = r;
	if (r.fault != NULL || format > PACKED)
		return sat_fail(e, SAT_EPROTO, "batch: bad front");
	if (format == PACKED &&
	    (fault = decompress(&block, a, block, max)) != NULL)
		return sat_fail(e, SAT_EPROTO, "batch: %s", fault);
	r = sat_reader_of(block);
	read_block(c, &r, n);
	return sat_read_end(&r, "batch", e);
}

bool
sat_cols_good(const sat_cols_in *c)
{
	for (unsigned i = 0; i < c->n; i++)
		if (c->col[i].fault != NULL)
			return false;
	return c->loose.fault == NULL && c->fault == NULL;
}

sat_rc
sat_cols_end(sat_cols_in *c, const char *what, sat_err *e)
{
	sat_rc rc;

	/* the fault before what it left unread */
	for (unsigned i = 0; i < c->n && c->fault == NULL; i++)
		c->fault = c->col[i].fault;
	if (c->fault != NULL)
		return sat_fail(e, SAT_EPROTO, "%s: %s", what, c->fault);
	for (unsigned i = 0; i < c->n; i++)
		if ((rc = sat_read_end(&c->col[i], what, e)) != SAT_OK)
			return rc;
	return sat_read_end(&c->loose, what, e);
}

/* ---- numbers ------------------------------------------------------------- */

void
sat_col_diff_write(sat_buf *b, uint64_t *prev, uint64_t v)
{
	sat_write_int(b, (int64_t)(v - *prev));
	*prev = v;
}

uint64_t
sat_col_diff_read(sat_reader *r, uint64_t *prev, uint64_t max)
{
	uint64_t v = *prev + (uint64_t)sat_read_int(r);

	if (v > max) {
		sat_read_bad(r, "number out of range");
		return 0;
	}
	*prev = v;
	return v;
}

/* Within one millisecond the counter goes up by one, else it starts at 0. */
static int64_t
expected_count(sat_hlc prev, uint64_t ms)
{
	return prev != 0 && prev >> 16 == ms ? (int64_t)(prev & 0xffff) + 1 : 0;
}

void
sat_col_hlc_write(sat_buf *ms, sat_buf *count, sat_hlc *prev, sat_hlc h)
{
	sat_write_int(ms, (int64_t)((h >> 16) - (*prev >> 16)));
	sat_write_int(count, (int64_t)(h & 0xffff) -
	    expected_count(*prev, h >> 16));
	*prev = h;
}

sat_hlc
sat_col_hlc_read(sat_reader *ms, sat_reader *count, sat_hlc *prev)
{
	uint64_t m = (*prev >> 16) + (uint64_t)sat_read_int(ms);
	uint64_t c = (uint64_t)expected_count(*prev, m) +
	    (uint64_t)sat_read_int(count);

	if (m > (uint64_t)INT64_MAX >> 16 || c > 0xffff) {
		sat_read_bad(ms, "stamp out of range");
		return 0;
	}
	*prev = m << 16 | c;
	return *prev;
}

static uint64_t
id_front(const sat_id *id)
{
	uint64_t v = 0;

	for (int i = 0; i < 8; i++)
		v = v << 8 | id->b[i];
	return v;
}

void
sat_col_id_write(sat_buf *front, sat_buf *loose, sat_id *prev, const sat_id *id)
{
	uint64_t v = id_front(id), p = id_front(prev);

	sat_write_int(front, (int64_t)((v >> 16) - (p >> 16)));
	sat_write_int(front, (int64_t)(v & 0xffff) - (int64_t)(p & 0xffff));
	sat_buf_add(loose, id->b + 8, 8);
	*prev = *id;
}

sat_id
sat_col_id_read(sat_reader *front, sat_reader *loose, sat_id *prev)
{
	uint64_t p = id_front(prev), v;
	uint64_t ms = (p >> 16) + (uint64_t)sat_read_int(front);
	uint64_t dev = (p & 0xffff) + (uint64_t)sat_read_int(front);
	sat_span random = sat_read_raw(loose, 8);
	sat_id id = { { 0 } };

	if (ms >> 48 != 0 || dev > 0xffff) {
		sat_read_bad(front, "id out of range");
		return id;
	}
	if (random.n != 8)
		return id;
	v = ms << 16 | dev;
	for (int i = 0; i < 8; i++)
		id.b[i] = (uint8_t)(v >> (56 - 8 * i));
	memcpy(id.b + 8, random.p, 8);
	*prev = id;
	return id;
}

/* ---- shapes -------------------------------------------------------------- */

void
sat_shapes_init(sat_shapes *s, sat_arena *a, size_t most, bool writing)
{
	size_t slots = 16;

	memset(s, 0, sizeof *s);
	s->cap = most + 1; /* and the end */
	s->s = sat_arena_alloc(a, s->cap * sizeof *s->s);
	s->next = sat_arena_alloc(a, s->cap * sizeof *s->next);
	s->s[0] = (sat_shape){ 0 };
	s->next[0] = 0;
	s->n = 1;
	if (!writing)
		return;
	while (slots < s->cap * 2)
		slots *= 2;
	s->mask = slots - 1;
	s->slots = sat_arena_alloc(a, slots * sizeof *s->slots);
	memset(s->slots, 0, slots * sizeof *s->slots);
}

static bool
shape_eq(const sat_shape *x, const sat_shape *y)
{
	return x->a == y->a && x->b == y->b && x->c == y->c &&
	    x->type == y->type;
}

/* Its number, or the place where it belongs (*slot) and 0. */
static uint32_t
shape_find(const sat_shapes *s, const sat_shape *sh, size_t *slot)
{
	uint64_t h = (uint64_t)sh->a << 32 | (uint64_t)sh->b << 16 |
	    (uint64_t)sh->c << 8 | sh->type;

	h *= 0x9e3779b97f4a7c15u;
	*slot = (size_t)(h >> 32) & s->mask;
	while (s->slots[*slot] != 0 &&
	    !shape_eq(&s->s[s->slots[*slot]], sh))
		*slot = (*slot + 1) & s->mask;
	return s->slots[*slot];
}

static void
shape_table_write(sat_buf *table, const sat_shape *sh)
{
	sat_write_uint(table, sh->a);
	sat_write_uint(table, sh->b);
	sat_write_u8(table, sh->c);
	sat_write_u8(table, sh->type);
}

uint32_t
sat_shape_write(sat_shapes *s, sat_buf *codes, sat_buf *table,
    const sat_shape *sh)
{
	uint32_t at = s->next[s->prev];
	size_t slot;

	if (sh == NULL ? at != 0 : at == 0 || !shape_eq(&s->s[at], sh)) {
		at = sh != NULL ? shape_find(s, sh, &slot) : 0;
		if (sh != NULL && at == 0) {
			at = (uint32_t)s->n++;
			s->s[at] = *sh;
			s->next[at] = 0;
			s->slots[slot] = at;
			shape_table_write(table, sh);
		}
		sat_write_uint(codes, (uint64_t)at + 1);
	} else {
		sat_write_uint(codes, 0);
	}
	s->next[s->prev] = at;
	s->prev = at;
	return at;
}

uint32_t
sat_shape_read(sat_shapes *s, sat_reader *codes, sat_reader *table)
{
	uint64_t code = sat_read_uint_max(codes, s->n + 1);
	uint32_t at = code == 0 ? s->next[s->prev] : (uint32_t)code - 1;
	sat_shape *sh;

	if (at == s->n) {
		if (s->n == s->cap) {
			sat_read_bad(codes, "too many shapes");
			return 0;
		}
		sh = &s->s[s->n];
		sh->a = (uint16_t)sat_read_uint_max(table, UINT16_MAX);
		sh->b = (uint16_t)sat_read_uint_max(table, UINT16_MAX);
		sh->c = sat_read_u8(table);
		sh->type = sat_read_u8(table);
		if (sh->type > SAT_V_BYTES)
			sat_read_bad(table, "unknown value type");
		s->next[s->n++] = 0;
	}
	s->next[s->prev] = at;
	s->prev = at;
	return at;
}
