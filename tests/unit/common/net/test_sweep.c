/* Silent, slow and stalled peers: the sweeper. */
#include "tests/lib/unit.h"

#include <unistd.h>

#include "common/net/net_int.h"
#include "tests/unit/common/net/link.h"

static void
silent_peers_are_swept(void **state)
{
	echo *w = serve(&quick, 0, 0, 0);
	unsigned before = fds_at_rest();
	uint8_t head[SAT_SP_HEAD_BYTES];
	int fd[40];
	int64_t t0 = sat_net_now();

	(void)state;
	sat_sp_head(head, 0x80000001, 96);
	for (int i = 0; i < 40; i++) {
		fd[i] = raw_dial(sat_net_port(w->s));
		if (i % 4 == 1)
			raw_send(fd[i], "\0SP", 3);
		if (i % 4 >= 2)
			raw_hello(fd[i]);
		if (i % 4 == 3)
			raw_send(fd[i], head, sizeof head);
	}
	for (int i = 0; i < 40; i++) {
		assert_true(raw_closed(fd[i]));
		(void)close(fd[i]);
	}
	assert_in_range(sat_net_now() - t0, 900, 9000);
	links_come_to(w, 0);
	assert_int_equal(0, stats(w).links_unauth);
	fds_come_back_to(before);
}

static void
a_dripping_handshake_does_not_buy_time(void **state)
{
	echo *w = serve(&quick, 0, 0, 0);
	int fd = raw_dial(sat_net_port(w->s));
	uint8_t head[SAT_SP_HEAD_BYTES];
	int64_t t0 = sat_net_now();

	(void)state;
	links_come_to(w, 1);
	raw_hello(fd);
	sat_sp_head(head, 0x80000001, 4000);
	raw_send(fd, head, sizeof head);
	for (int i = 0; i < 300 && stats(w).links > 0; i++) {
		raw_send(fd, "x", 1);
		nap(30);
	}
	assert_int_equal(0, stats(w).links);
	assert_true(sat_net_now() - t0 >= 900);
	raw_close(fd, false);
}

static void
idle_and_stalled_links_are_swept_but_slow_ones_live(void **state)
{
	echo *w = serve(&quick, 0, 0, 0);
	sat_noise x;
	sat_buf b = { 0 };
	uint8_t head[SAT_SP_HEAD_BYTES], body[200 + SAT_NOISE_OVERHEAD];
	char text[201];
	int64_t t0;
	int fd;

	(void)state;
	memset(text, 'a', 200);
	text[200] = '\0';
	/* Slow, 216 bytes in 1.1 s with stall at 0.9 s: answered. */
	fd = raw_link(w, &x);
	raw_seal(&b, &x, text);
	sat_sp_head(head, 0x80000002, b.n);
	raw_send(fd, head, sizeof head);
	for (size_t i = 0; i < b.n; i += 20) {
		raw_send(fd, b.p + i, b.n - i < 20 ? b.n - i : 20);
		nap(100);
	}
	assert_true(raw_reply(fd, 0x80000002, body, sizeof body));
	/* Idle. */
	t0 = sat_net_now();
	assert_true(raw_closed(fd));
	assert_in_range(sat_net_now() - t0, 1300, 9000);
	(void)close(fd);
	/* Stalled within a frame. */
	fd = raw_link(w, &x);
	t0 = sat_net_now();
	raw_send(fd, head, sizeof head);
	raw_send(fd, "abc", 3);
	assert_true(raw_closed(fd));
	assert_in_range(sat_net_now() - t0, 800, 9000);
	(void)close(fd);
	closes_come_to(w, 2);
	sat_buf_fini(&b);
}

static void
a_peer_that_never_reads_is_swept(void **state)
{
	echo *w = serve(&quick, 0, 0, 0);
	sat_noise x;
	int fd = raw_link(w, &x);
	sat_buf b = { 0 }, big = { 0 };

	(void)state;
	raw_known(fd, &x);
	memset(sat_buf_room(&big, SAT_NET_FRAME_MAX), 3, SAT_NET_FRAME_MAX);
	big.n = SAT_NET_FRAME_MAX;
	sat_noise_seal(&x, &b, sat_buf_span(&big));
	for (int i = 0; i < 2; i++) /* a second one waits in our buffer */
		raw_frame(fd, 0x80000002, sat_buf_span(&b));
	closes_come_to(w, 1);
	assert_int_equal(2, atomic_load(&w->requests));
	(void)close(fd);
	sat_buf_fini(&b);
	sat_buf_fini(&big);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(silent_peers_are_swept),
		cmocka_unit_test(a_dripping_handshake_does_not_buy_time),
		cmocka_unit_test(
		    idle_and_stalled_links_are_swept_but_slow_ones_live),
		cmocka_unit_test(a_peer_that_never_reads_is_swept),
	};

	net_begin();
	net_end(cmocka_run_group_tests(tests, NULL, NULL));
}
