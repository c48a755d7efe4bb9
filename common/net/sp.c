/*
 * The wire is SP over tcp as any REQ0 or REP0 socket speaks it, so that stock
 * tools can be used in tests: a hello of 8 bytes each way, then frames of an
 * 8-byte length, a 4-byte request id and a body (P-120 to P-122).
 *
 * This decoder is fed by whoever reads the socket: it says where the next
 * bytes go and how many, so nothing is copied twice and a header is never
 * read past. Its fuzz target is tests/fuzz/fuzz_frame.c.
 *
 *   S1  a length above body_max is refused before any allocation
 *   S2  memory held for a body is at most twice what has arrived, plus a piece
 *   S3  once bad, always bad
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/net/net_int.h"

void
sat_sp_hello(uint8_t out[SAT_SP_HELLO_BYTES], uint16_t proto)
{
	out[0] = 0;
	out[1] = 'S';
	out[2] = 'P';
	out[3] = 0;
	out[4] = (uint8_t)(proto >> 8);
	out[5] = (uint8_t)proto;
	out[6] = 0;
	out[7] = 0;
}

bool
sat_sp_hello_ok(const uint8_t in[SAT_SP_HELLO_BYTES], uint16_t proto)
{
	uint8_t want[SAT_SP_HELLO_BYTES];

	sat_sp_hello(want, proto);
	return memcmp(in, want, sizeof want) == 0;
}

void
sat_sp_head(uint8_t out[SAT_SP_HEAD_BYTES], uint32_t id, size_t body)
{
	uint64_t len = (uint64_t)body + SAT_SP_ID_BYTES;

	for (int i = 0; i < 8; i++)
		out[i] = (uint8_t)(len >> (56 - 8 * i));
	for (int i = 0; i < 4; i++)
		out[8 + i] = (uint8_t)(id >> (24 - 8 * i));
}

void
sat_sp_in_init(sat_sp_in *in, uint16_t proto, size_t body_max)
{
	memset(in, 0, sizeof *in);
	in->proto = proto;
	in->body_max = body_max;
}

void
sat_sp_in_fini(sat_sp_in *in)
{
	free(in->body);
	in->body = NULL;
	in->body_cap = 0;
	in->at = SAT_SP_AT_FAULT;
}

/* The size the buffer should have for the bytes that come next. S2 */
static size_t
body_want(const sat_sp_in *in)
{
	size_t want = in->body_cap < SAT_SP_PIECE_BYTES ? SAT_SP_PIECE_BYTES :
	    in->body_cap * 2;

	return want < in->body_n ? want : in->body_n;
}

static bool
body_grow(sat_sp_in *in)
{
	size_t want;
	uint8_t *p;

	if (in->have < in->body_cap)
		return true;
	want = body_want(in);
	if ((p = realloc(in->body, want)) == NULL)
		return false;
	in->body = p;
	in->body_cap = want;
	return true;
}

uint8_t *
sat_sp_in_room(sat_sp_in *in, size_t *n)
{
	size_t end;

	*n = 0;
	switch (in->at) {
	case SAT_SP_AT_HELLO:
		*n = SAT_SP_HELLO_BYTES - in->have;
		return in->head + in->have;
	case SAT_SP_AT_HEAD:
		*n = SAT_SP_HEAD_BYTES - in->have;
		return in->head + in->have;
	case SAT_SP_AT_BODY:
		if (!body_grow(in))
			return NULL;
		end = in->body_cap < in->body_n ? in->body_cap : in->body_n;
		*n = end - in->have;
		return in->body + in->have;
	case SAT_SP_AT_END:
	case SAT_SP_AT_FAULT:
		break;
	}
	return NULL;
}

static sat_sp_event
bad(sat_sp_in *in)
{
	in->at = SAT_SP_AT_FAULT; /* S3 */
	return SAT_SP_BAD;
}

/* The 12 bytes are there: length, then request id. */
static sat_sp_event
head_whole(sat_sp_in *in)
{
	sat_reader r = sat_reader_of(sat_span_of(in->head, sizeof in->head));
	uint64_t len = sat_read_be64(&r);

	in->id = sat_read_be32(&r);
	/* Compared as it came, before any arithmetic. S1 */
	if (len < SAT_SP_ID_BYTES || len - SAT_SP_ID_BYTES > in->body_max)
		return bad(in);
	/* Without the top bit it is a hop of a device we do not serve. */
	if ((in->id & SAT_SP_ID_TOP) == 0)
		return bad(in);
	in->body_n = (size_t)len - SAT_SP_ID_BYTES;
	in->have = 0;
	in->at = in->body_n > 0 ? SAT_SP_AT_BODY : SAT_SP_AT_END;
	return in->body_n > 0 ? SAT_SP_MORE : SAT_SP_FRAME;
}

sat_sp_event
sat_sp_in_got(sat_sp_in *in, size_t n)
{
	in->have += n;
	switch (in->at) {
	case SAT_SP_AT_HELLO:
		assert(in->have <= SAT_SP_HELLO_BYTES);
		if (in->have < SAT_SP_HELLO_BYTES)
			return SAT_SP_MORE;
		if (!sat_sp_hello_ok(in->head, in->proto))
			return bad(in);
		in->have = 0;
		in->at = SAT_SP_AT_HEAD;
		return SAT_SP_HELLO;
	case SAT_SP_AT_HEAD:
		assert(in->have <= SAT_SP_HEAD_BYTES);
		return in->have < SAT_SP_HEAD_BYTES ? SAT_SP_MORE :
		    head_whole(in);
	case SAT_SP_AT_BODY:
		assert(in->have <= in->body_n && in->have <= in->body_cap);
		if (in->have < in->body_n)
			return SAT_SP_MORE;
		in->at = SAT_SP_AT_END;
		return SAT_SP_FRAME;
	case SAT_SP_AT_END:
	case SAT_SP_AT_FAULT:
		break;
	}
	return bad(in);
}

void
sat_sp_in_next(sat_sp_in *in)
{
	if (in->at != SAT_SP_AT_END)
		return;
	/* Thousands of links are open and idle: none keeps its largest frame. */
	if (in->body_cap > SAT_SP_PIECE_BYTES) {
		free(in->body);
		in->body = NULL;
		in->body_cap = 0;
	}
	in->have = 0;
	in->body_n = 0;
	in->at = SAT_SP_AT_HEAD;
}

bool
sat_sp_in_midway(const sat_sp_in *in)
{
	return in->at == SAT_SP_AT_BODY || (in->have > 0 &&
	    (in->at == SAT_SP_AT_HEAD || in->at == SAT_SP_AT_HELLO));
}
