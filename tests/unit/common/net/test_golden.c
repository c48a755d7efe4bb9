/* The golden vectors of hello and frames, fed whole and byte by byte. */
#include "tests/lib/unit.h"

#include "common/net/net_int.h"
#include "tests/lib/golden.h"

/* @return false: the link is closed. */
static bool
feed(sat_buf *out, const golden_word *w, size_t piece)
{
	bool server = strncmp(w[0].text, "server", 6) == 0;
	bool open = strstr(w[0].text, "-open") != NULL;
	sat_span s = w[1].bytes;
	sat_sp_event ev = SAT_SP_MORE;
	sat_sp_in in;
	size_t at = 0;

	sat_sp_in_init(&in, server ? SAT_SP_REQ0 : SAT_SP_REP0, open ?
	    SAT_NET_SEALED_MAX : SAT_NET_FRAME_MAX_UNAUTH - SAT_SP_ID_BYTES);
	while (at < s.n && ev != SAT_SP_BAD) {
		size_t room, k;
		uint8_t *to = sat_sp_in_room(&in, &room);

		assert_non_null(to);
		assert_true(in.body_cap <= 2 * in.have + SAT_SP_PIECE_BYTES);
		k = room < s.n - at ? room : s.n - at;
		k = k < piece ? k : piece;
		memcpy(to, s.p + at, k);
		at += k;
		ev = sat_sp_in_got(&in, k);
		if (ev == SAT_SP_HELLO)
			sat_buf_str(out, "hello ");
		if (ev != SAT_SP_FRAME)
			continue;
		sat_buf_fmt(out, "frame %08x ", in.id);
		golden_hex(out, sat_span_of(in.body, in.body_n));
		sat_buf_str(out, in.body_n == 0 ? "- " : " ");
		sat_sp_in_next(&in);
	}
	if (sat_sp_in_midway(&in))
		sat_buf_str(out, "more");
	sat_sp_in_fini(&in);
	return ev != SAT_SP_BAD;
}

static sat_rc
say_frame(sat_buf *out, const golden_word *w, size_t n, sat_err *e)
{
	sat_buf slow = { 0 };
	bool ok;

	assert_int_equal(2, n);
	sat_buf_add(&slow, out->p, out->n);
	ok = feed(out, w, SIZE_MAX);
	assert_true(ok == feed(&slow, w, 1));
	assert_true(sat_span_eq(sat_buf_span(out), sat_buf_span(&slow)));
	sat_buf_fini(&slow);
	return ok ? SAT_OK : sat_fail(e, SAT_EPROTO, "closed");
}

static void
streams_are_cut_as_written_down(void **state) /* P-120 to P-123 */
{
	(void)state;
	golden_replay("frame", 25, say_frame);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(streams_are_cut_as_written_down),
	};

	golden_filling(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
