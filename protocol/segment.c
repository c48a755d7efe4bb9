/*
 * segment.c - log rows to bytes and back.
 *
 * size be32 | zstd( n uint | n x { lsn uint (from the one before) | eff be64 |
 * received int (from the one before) | header span | payload span } )
 */
#include "protocol/segment.h"

#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#define LEVEL 9 /* written once, read seldom */

void
sat_segment_write(sat_buf *out, const sat_segment_row *rows, size_t n)
{
	sat_buf b = { 0 };
	uint64_t lsn = 0;
	int64_t ms = 0;
	size_t bound, got;

	sat_write_uint(&b, n);
	for (size_t i = 0; i < n; i++) {
		const sat_log_row *r = &rows[i].row;

		sat_write_uint(&b, r->lsn - lsn);
		sat_write_be64(&b, r->eff);
		sat_write_int(&b, r->received_ms - ms);
		sat_write_span(&b, r->header);
		sat_write_span(&b, r->payload);
		lsn = r->lsn;
		ms = r->received_ms;
	}
	bound = ZSTD_compressBound(b.n);
	sat_write_be32(out, (uint32_t)b.n);
	got = ZSTD_compress(sat_buf_room(out, bound), bound, b.p, b.n, LEVEL);
	if (ZSTD_isError(got)) /* only without memory, like sat_xmalloc */
		abort();
	out->n += got;
	sat_buf_fini(&b);
}

static sat_rc
read_row(sat_segment_row *x, sat_arena *a, sat_reader *rd, uint64_t *lsn,
    int64_t *ms, sat_err *e)
{
	sat_log_row *r = &x->row;
	sat_commit c;
	sat_rc rc;

	r->lsn = *lsn += sat_read_uint(rd);
	r->eff = sat_read_be64(rd);
	r->received_ms = *ms += sat_read_int(rd);
	r->header = sat_read_span(rd, SAT_SEGMENT_BYTES_MAX);
	r->payload = sat_read_span(rd, SAT_SEGMENT_BYTES_MAX);
	if (rd->fault != NULL)
		return SAT_OK;
	if (r->payload.n == 0)
		r->payload = (sat_span){ NULL, 0 };
	/* Header alone: the payload is compared when it is wanted. */
	if ((rc = sat_commit_read(&c, a, r->header, (sat_span){ NULL, 0 },
	    e)) != SAT_OK)
		return rc;
	x->dev = c.device;
	x->inc = c.incarnation;
	x->cseq = c.cseq;
	return SAT_OK;
}

sat_rc
sat_segment_read(sat_segment_row **rows, size_t *n, sat_arena *a, sat_span in,
    sat_err *e)
{
	sat_reader rd = sat_reader_of(in);
	uint32_t size = sat_read_be32(&rd);
	uint64_t lsn = 0;
	int64_t ms = 0;
	uint8_t *p;
	sat_rc rc;

	*rows = NULL;
	*n = 0;
	if (rd.fault != NULL || size > SAT_SEGMENT_BYTES_MAX + SAT_FRAME_MAX)
		return sat_fail(e, SAT_EPROTO, "segment: size");
	p = sat_arena_alloc(a, size + 1);
	if (ZSTD_decompress(p, size, rd.p, rd.left) != size)
		return sat_fail(e, SAT_EPROTO, "segment: cannot be unpacked");
	rd = sat_reader_of(sat_span_of(p, size));
	*n = (size_t)sat_read_uint_max(&rd, SAT_SEGMENT_ROWS_MAX);
	*rows = sat_arena_alloc(a, (*n + 1) * sizeof **rows);
	memset(*rows, 0, (*n + 1) * sizeof **rows);
	for (size_t i = 0; i < *n && rd.fault == NULL; i++)
		if ((rc = read_row(&(*rows)[i], a, &rd, &lsn, &ms, e)) !=
		    SAT_OK)
			return rc;
	return sat_read_end(&rd, "segment", e);
}

void
sat_segment_hash(uint8_t out[SAT_HASH_BYTES],
    const uint8_t prev[SAT_HASH_BYTES], const sat_segment_row *rows, size_t n)
{
	static const char label[] = "satchel segment 1\n";
	sat_hasher h;
	sat_buf b = { 0 };

	sat_hasher_init(&h, (sat_span){ NULL, 0 });
	sat_hasher_add(&h, sat_span_of(label, sizeof label - 1));
	sat_hasher_add(&h, sat_span_of(prev, SAT_HASH_BYTES));
	for (size_t i = 0; i < n; i++) {
		sat_buf_reset(&b);
		sat_write_be64(&b, rows[i].row.lsn);
		sat_write_be64(&b, rows[i].row.eff);
		sat_write_be64(&b, (uint64_t)rows[i].row.received_ms);
		sat_write_span(&b, rows[i].row.header);
		sat_hasher_add(&h, sat_buf_span(&b));
	}
	sat_hasher_done(&h, out);
	sat_buf_fini(&b);
}

void
sat_segment_sign_bytes(sat_buf *b, const sat_id *org, uint64_t number,
    const uint8_t hash[SAT_HASH_BYTES])
{
	sat_buf_str(b, "satchel segment 1\n");
	sat_buf_add(b, org->b, sizeof org->b);
	sat_write_be64(b, number);
	sat_buf_add(b, hash, SAT_HASH_BYTES);
}
