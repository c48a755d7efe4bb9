/* What an honest client and server have of a link. */
#include "tests/lib/unit.h"

#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/net/net_int.h"
#include "tests/unit/common/net/link.h"

static void
a_request_comes_back_and_the_server_knows_who_asked(void **state)
{
	static const size_t sizes[] = { 0, 1, 4096, 65536, 70000,
		SAT_NET_FRAME_MAX };
	echo *w = serve(&slow, 0, 0, 0);
	sat_net_client *c = dial(w);
	sat_net_stats st;
	uint64_t out, in;

	(void)state;
	for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++)
		echoes(c, sizes[i]);
	assert_memory_equal(device_keys.pk, w->peer, 32);
	sat_net_client_bytes(c, &out, &in);
	st = stats(w);
	assert_int_equal(1, st.links);
	assert_int_equal(0, st.links_unauth);
	assert_int_equal(7, st.frames_in); /* message 1 too */
	assert_int_equal(out, st.bytes_in);
	assert_int_equal(in, st.bytes_out);
	sat_net_hangup(c);
	links_come_to(w, 0);
	closes_come_to(w, 1);
}

static void
a_request_longer_than_a_frame_is_refused_and_the_link_lives(void **state)
{
	echo *w = serve(&slow, 0, 0, 0);
	sat_net_client *c = dial(w);
	sat_buf big = { 0 }, reply = { 0 };

	(void)state;
	memset(sat_buf_room(&big, SAT_NET_FRAME_MAX + 1), 1,
	    SAT_NET_FRAME_MAX + 1);
	big.n = SAT_NET_FRAME_MAX + 1;
	assert_rc(SAT_EINVALID, sat_net_request(c, &reply, sat_buf_span(&big),
	    &err));
	echoes(c, 10);
	sat_net_hangup(c);
	sat_buf_fini(&big);
	sat_buf_fini(&reply);
}

static void *
talk(void *arg)
{
	const echo *w = arg;

	for (int i = 0; i < 10; i++) {
		sat_net_client *c = dial(w);

		for (int k = 0; k < 20; k++)
			echoes(c, (size_t)(k * 997));
		sat_net_hangup(c);
	}
	return NULL;
}

static void
answers_may_come_from_another_thread(void **state)
{
	echo *w = serve(&slow, 0, 0, 0);
	unsigned before = fds_at_rest();
	pthread_t t[4], worker;

	(void)state;
	w->later = true;
	assert_int_equal(0, pthread_create(&worker, NULL, echo_worker, w));
	for (int i = 0; i < 4; i++)
		assert_int_equal(0, pthread_create(&t[i], NULL, talk, w));
	for (int i = 0; i < 4; i++)
		(void)pthread_join(t[i], NULL);
	assert_int_equal(800, atomic_load(&w->requests));
	closes_come_to(w, 40);
	fds_come_back_to(before);
}

static void
an_answer_goes_out_before_the_link_is_closed(void **state)
{
	echo *w = serve(&slow, 0, 0, 0);
	sat_noise x;
	int fd = raw_link(w, &x), small = 65536;
	sat_buf b = { 0 }, body = { 0 };

	(void)state;
	raw_known(fd, &x);
	w->then_close = true;
	/* More than both socket buffers hold, so that the close comes while the
	 * answer is on its way. */
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
	memset(sat_buf_room(&body, SAT_NET_FRAME_MAX), 7, SAT_NET_FRAME_MAX);
	body.n = SAT_NET_FRAME_MAX;
	sat_noise_seal(&x, &b, sat_buf_span(&body));
	raw_frame(fd, 0x80000002, sat_buf_span(&b));
	nap(100);
	assert_true(raw_reply(fd, 0x80000002, b.p, b.n));
	assert_true(raw_closed(fd));
	(void)close(fd);
	closes_come_to(w, 1);
	sat_buf_fini(&b);
	sat_buf_fini(&body);
}

static void
a_closed_link_says_so_at_the_next_request(void **state)
{
	echo *w = serve(&slow, 0, 0, 0);
	sat_net_client *c = dial(w);
	sat_buf reply = { 0 };

	(void)state;
	w->then_close = true;
	echoes(c, 10);
	closes_come_to(w, 1);
	for (int i = 0; i < 2; i++) {
		assert_rc(SAT_EUNREACHABLE, sat_net_request(c, &reply,
		    sat_span_str("x"), &err));
		assert_non_null(strstr(err.text, "closed the connection"));
	}
	sat_net_hangup(c);
	sat_buf_fini(&reply);
}

static void
pipelined_requests_are_answered_one_after_the_other(void **state) /* N2, P-126 */
{
	echo *w = serve(&slow, 0, 0, 0);
	sat_noise x;
	int fd = raw_link(w, &x);
	sat_buf b = { 0 }, plain = { 0 };
	uint8_t body[5 + SAT_NOISE_OVERHEAD];

	(void)state;
	for (uint32_t i = 0; i < 20; i++) {
		raw_seal(&b, &x, "hello");
		raw_frame(fd, 0x80000100 + i, sat_buf_span(&b));
	}
	for (uint32_t i = 0; i < 20; i++) {
		assert_true(raw_reply(fd, 0x80000100 + i, body, sizeof body));
		sat_buf_reset(&plain);
		assert_ok(sat_noise_unseal(&x, &plain,
		    sat_span_of(body, sizeof body), &err));
	}
	raw_close(fd, false);
	links_come_to(w, 0);
	sat_buf_fini(&b);
	sat_buf_fini(&plain);
}

static void
a_borrowed_frame_stays_until_the_callback_returns(void **state) /* N2 */
{
	echo *w = serve(&slow, 0, 0, 0);
	sat_noise x;
	int fd = raw_link(w, &x);
	sat_buf b = { 0 };
	uint8_t body[5 + SAT_NOISE_OVERHEAD];

	(void)state;
	w->dawdle = true;
	for (uint32_t i = 0; i < 10; i++) {
		raw_seal(&b, &x, i % 2 != 0 ? "hello" : "HELLO");
		raw_frame(fd, 0x80000100 + i, sat_buf_span(&b));
	}
	for (uint32_t i = 0; i < 10; i++)
		assert_true(raw_reply(fd, 0x80000100 + i, body, sizeof body));
	assert_int_equal(0, atomic_load(&w->changed));
	raw_close(fd, false);
	links_come_to(w, 0);
	sat_buf_fini(&b);
}

/* @return ms until both ends know. */
static int64_t
closed_by_its_owner(void)
{
	echo *w = serve(&slow, 0, 0, 0);
	sat_net_client *c = dial(w);
	sat_buf reply = { 0 };
	pthread_t worker;
	int64_t t0 = sat_net_now();

	w->later = w->only_close = true;
	assert_int_equal(0, pthread_create(&worker, NULL, echo_worker, w));
	assert_rc(SAT_EUNREACHABLE, sat_net_request(c, &reply,
	    sat_span_str("x"), &err));
	closes_come_to(w, 1);
	t0 = sat_net_now() - t0;
	sat_net_hangup(c);
	sat_buf_fini(&reply);
	return t0;
}

/* Kicked, so in less than a tick, whenever the machine lets it run. */
static void
a_link_closed_by_its_owner_is_gone_at_once(void **state) /* N4 */
{
	int64_t took = 800;

	(void)state;
	for (int i = 0; i < 5 && took >= 800; i++)
		took = closed_by_its_owner();
	assert_true(took < 800);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_request_comes_back_and_the_server_knows_who_asked),
		cmocka_unit_test(
		    a_request_longer_than_a_frame_is_refused_and_the_link_lives),
		cmocka_unit_test(answers_may_come_from_another_thread),
		cmocka_unit_test(an_answer_goes_out_before_the_link_is_closed),
		cmocka_unit_test(a_closed_link_says_so_at_the_next_request),
		cmocka_unit_test(
		    pipelined_requests_are_answered_one_after_the_other),
		cmocka_unit_test(
		    a_borrowed_frame_stays_until_the_callback_returns),
		cmocka_unit_test(a_link_closed_by_its_owner_is_gone_at_once),
	};

	net_begin();
	net_end(cmocka_run_group_tests(tests, NULL, NULL));
}
