/* Frames of the wire as bytes, without a socket. */
#include "tests/lib/unit.h"

#include <nng/nng.h>
#include <nng/protocol/reqrep0/req.h>

#include "common/net/net_int.h"
#include "tests/unit/common/net/link.h"

static sat_sp_event
feed(sat_sp_in *in, const uint8_t *p, size_t n)
{
	sat_sp_event ev = SAT_SP_MORE;

	while (n > 0) {
		size_t room;
		uint8_t *at = sat_sp_in_room(in, &room);

		if (at == NULL)
			return SAT_SP_BAD;
		if (room > n)
			room = n;
		memcpy(at, p, room);
		p += room;
		n -= room;
		ev = sat_sp_in_got(in, room);
	}
	return ev;
}

static void
the_hello_is_that_of_stock_req_and_rep_sockets(void **state) /* P-120 */
{
	static const uint8_t req[] = { 0, 'S', 'P', 0, 0, 0x30, 0, 0 };
	static const uint8_t rep[] = { 0, 'S', 'P', 0, 0, 0x31, 0, 0 };
	uint8_t h[SAT_SP_HELLO_BYTES];

	(void)state;
	assert_int_equal(NNG_REQ0_SELF, SAT_SP_REQ0);
	assert_int_equal(NNG_REQ0_PEER, SAT_SP_REP0);
	sat_sp_hello(h, SAT_SP_REQ0);
	assert_memory_equal(req, h, sizeof h);
	assert_true(sat_sp_hello_ok(rep, SAT_SP_REP0));
	assert_false(sat_sp_hello_ok(rep, SAT_SP_REQ0));
	for (unsigned i = 0; i < 64; i++) {
		memcpy(h, rep, sizeof h);
		h[i / 8] = (uint8_t)(h[i / 8] ^ (1u << i % 8));
		assert_false(sat_sp_hello_ok(h, SAT_SP_REP0));
	}
}

static void
frames_are_put_together_from_any_pieces(void **state)
{
	uint64_t rnd = sat_test_seed(7);
	sat_buf b = { 0 };
	sat_sp_in in;
	unsigned frames = 0;

	(void)state;
	for (unsigned i = 0; i < 5; i++) {
		size_t at = b.n, n = i * 50000;

		sat_link_begin_frame(&b);
		memset(sat_buf_room(&b, n + 1), (int)i, n);
		b.n += n;
		sat_link_end_frame(&b, at, 0x80000000u + i);
	}
	sat_sp_in_init(&in, SAT_SP_REQ0, 200000);
	in.at = SAT_SP_AT_HEAD;
	for (size_t at = 0; at < b.n;) {
		size_t n, room;
		uint8_t *p = sat_sp_in_room(&in, &room);

		n = 1 + sat_test_rand(&rnd) % 9000;
		n = n < room ? n : room;
		assert_non_null(p);
		assert_true(n <= b.n - at); /* never reads past a frame */
		memcpy(p, b.p + at, n);
		at += n;
		if (sat_sp_in_got(&in, n) != SAT_SP_FRAME)
			continue;
		assert_int_equal(0x80000000u + frames, in.id);
		assert_int_equal(frames * 50000, in.body_n);
		for (size_t i = 0; i < in.body_n; i++)
			assert_int_equal(frames, in.body[i]);
		frames++;
		sat_sp_in_next(&in);
	}
	assert_int_equal(5, frames);
	sat_sp_in_fini(&in);
	sat_buf_fini(&b);
}

static void
a_long_frame_is_refused_before_allocation(void **state) /* S1, S2, S3 */
{
	static const uint64_t lens[] = { 0, 3, SAT_NET_FRAME_MAX_UNAUTH + 1,
		1ull << 32, 1ull << 62, UINT64_MAX };
	uint8_t head[SAT_SP_HEAD_BYTES];
	sat_sp_in in;
	size_t room;

	(void)state;
	for (unsigned i = 0; i < sizeof lens / sizeof *lens; i++) {
		sat_sp_in_init(&in, SAT_SP_REQ0,
		    SAT_NET_FRAME_MAX_UNAUTH - SAT_SP_ID_BYTES);
		in.at = SAT_SP_AT_HEAD;
		sat_sp_head(head, 0x80000000u, (size_t)(lens[i] - 4));
		assert_int_equal(SAT_SP_BAD, feed(&in, head, sizeof head));
		assert_null(in.body);
		assert_null(sat_sp_in_room(&in, &room));
		assert_int_equal(SAT_SP_BAD, sat_sp_in_got(&in, 0));
	}
	/* The limit itself is taken, and costs only what has come. */
	sat_sp_in_init(&in, SAT_SP_REQ0, SAT_NET_SEALED_MAX);
	in.at = SAT_SP_AT_HEAD;
	sat_sp_head(head, 0x80000000u, SAT_NET_SEALED_MAX);
	assert_int_equal(SAT_SP_MORE, feed(&in, head, sizeof head));
	assert_non_null(sat_sp_in_room(&in, &room));
	assert_true(in.body_cap <= SAT_SP_PIECE_BYTES);
	sat_sp_in_fini(&in);
	/* A request id that is no last word. */
	sat_sp_in_init(&in, SAT_SP_REQ0, 100);
	in.at = SAT_SP_AT_HEAD;
	sat_sp_head(head, 0x7fffffff, 10);
	assert_int_equal(SAT_SP_BAD, feed(&in, head, sizeof head));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_hello_is_that_of_stock_req_and_rep_sockets),
		cmocka_unit_test(frames_are_put_together_from_any_pieces),
		cmocka_unit_test(a_long_frame_is_refused_before_allocation),
	};

	net_begin();
	net_end(cmocka_run_group_tests(tests, NULL, NULL));
}
