#include "tests/lib/zip.h"

#include <stdlib.h>

#include <zlib.h>

static void
le(sat_buf *b, uint64_t v, int bytes)
{
	for (int i = 0; i < bytes; i++)
		sat_write_u8(b, (uint8_t)(i < 8 ? v >> (8 * i) : 0));
}

static void
add(test_zip *z, const char *name, sat_span packed, size_t size, uLong crc,
    unsigned method)
{
	size_t at = z->all.n;

	for (int central = 0; central < 2; central++) {
		sat_buf *b = central ? &z->central : &z->all;

		le(b, central ? 0x02014b50 : 0x04034b50, 4);
		le(b, 20, central ? 4 : 2);
		le(b, 0, 2);
		le(b, method, 2);
		le(b, 0, 2 + 2);
		le(b, crc, 4);
		le(b, packed.n, 4);
		le(b, size, 4);
		le(b, strlen(name), 2);
		le(b, 0, central ? 2 + 2 + 2 + 2 + 4 : 2);
		if (central)
			le(b, at, 4);
		sat_buf_str(b, name);
	}
	sat_buf_add(&z->all, packed.p, packed.n);
	z->n++;
}

void
test_zip_add(test_zip *z, const char *name, sat_span part)
{
	add(z, name, part, part.n, crc32(0, part.p, (uInt)part.n), 0);
}

typedef struct pack {
	z_stream s;
	sat_buf out;
	uLong crc;
	size_t size;
} pack;

static void
feed(pack *p, const char *text, int flush)
{
	size_t n = strlen(text);
	Bytef *in = (Bytef *)(uintptr_t)text;
	int rc;

	p->crc = crc32(p->crc, in, (uInt)n);
	p->size += n;
	p->s.next_in = in;
	p->s.avail_in = (uInt)n;
	do {
		p->s.next_out = sat_buf_room(&p->out, 4096);
		p->s.avail_out = 4096;
		if ((rc = deflate(&p->s, flush)) == Z_STREAM_ERROR)
			abort();
		p->out.n += 4096 - p->s.avail_out;
	} while (p->s.avail_out == 0);
}

void
test_zip_add_many(test_zip *z, const char *name, const char *head,
    const char *piece, unsigned times, const char *tail)
{
	pack p = { .crc = crc32(0, NULL, 0) };

	if (deflateInit2(&p.s, 1, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY) !=
	    Z_OK)
		abort();
	feed(&p, head, Z_NO_FLUSH);
	for (unsigned i = 0; i < times; i++)
		feed(&p, piece, Z_NO_FLUSH);
	feed(&p, tail, Z_FINISH);
	(void)deflateEnd(&p.s);
	add(z, name, sat_buf_span(&p.out), p.size, p.crc, Z_DEFLATED);
	sat_buf_fini(&p.out);
}

void
test_zip_end(test_zip *z)
{
	size_t at = z->all.n, n = z->central.n;

	sat_buf_add(&z->all, z->central.p, n);
	le(&z->all, 0x06054b50, 4);
	le(&z->all, 0, 4);
	le(&z->all, z->n, 2);
	le(&z->all, z->n, 2);
	le(&z->all, n, 4);
	le(&z->all, at, 4);
	le(&z->all, 0, 2);
	sat_buf_fini(&z->central);
}
