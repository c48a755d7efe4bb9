/*
 * The decoder of hello and frames, fed in pieces of any size. What it takes
 * must be written the same again; it never reads past a frame, never holds
 * much more than has come, and once bad stays bad.
 *
 * Input: how many bytes a piece has at most, whether a link is authenticated,
 * then the stream.
 */
#include <stdlib.h>
#include <string.h>

#include "common/net/net_int.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

typedef struct stream {
	const uint8_t *p;
	size_t n, at;    /* `at` bytes were given */
	size_t begin;    /* where the present part began */
	size_t body_max;
} stream;

static void
must(bool ok)
{
	if (!ok)
		abort();
}

static void
check_hello(stream *s)
{
	uint8_t want[SAT_SP_HELLO_BYTES];

	sat_sp_hello(want, SAT_SP_REQ0);
	must(s->begin == 0 && s->at == sizeof want);
	must(memcmp(s->p, want, sizeof want) == 0);
	s->begin = s->at;
}

static void
check_frame(stream *s, const sat_sp_in *in)
{
	uint8_t head[SAT_SP_HEAD_BYTES];

	sat_sp_head(head, in->id, in->body_n);
	must(s->at - s->begin == sizeof head + in->body_n);
	must(memcmp(s->p + s->begin, head, sizeof head) == 0);
	must(in->body_n == 0 || memcmp(s->p + s->begin + sizeof head,
	    in->body, in->body_n) == 0);
	must(in->body_n <= s->body_max && (in->id & SAT_SP_ID_TOP) != 0);
	s->begin = s->at;
}

static void
check_bad(sat_sp_in *in)
{
	size_t room;

	must(sat_sp_in_room(in, &room) == NULL && room == 0);
	must(sat_sp_in_got(in, 0) == SAT_SP_BAD);
	sat_sp_in_next(in);
	must(sat_sp_in_got(in, 0) == SAT_SP_BAD);
}

static void
run(stream *s, sat_sp_in *in, size_t piece)
{
	while (s->at < s->n) {
		size_t room, k;
		uint8_t *to = sat_sp_in_room(in, &room);

		must(to != NULL && room > 0);
		must(in->body_cap <= 2 * in->have + SAT_SP_PIECE_BYTES);
		k = room < piece ? room : piece;
		k = k < s->n - s->at ? k : s->n - s->at;
		memcpy(to, s->p + s->at, k);
		s->at += k;
		switch (sat_sp_in_got(in, k)) {
		case SAT_SP_MORE:
			must(sat_sp_in_midway(in));
			break;
		case SAT_SP_HELLO:
			check_hello(s);
			must(!sat_sp_in_midway(in));
			break;
		case SAT_SP_FRAME:
			check_frame(s, in);
			sat_sp_in_next(in);
			must(!sat_sp_in_midway(in));
			break;
		case SAT_SP_BAD:
			check_bad(in);
			return;
		}
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	stream s = { 0 };
	sat_sp_in in;

	if (n < 2)
		return 0;
	s.p = p + 2;
	s.n = n - 2;
	s.body_max = p[1] % 2 != 0 ? SAT_NET_SEALED_MAX :
	    SAT_NET_FRAME_MAX_UNAUTH - SAT_SP_ID_BYTES;
	sat_sp_in_init(&in, SAT_SP_REQ0, s.body_max);
	run(&s, &in, (size_t)p[0] + 1);
	sat_sp_in_fini(&in);
	return 0;
}
