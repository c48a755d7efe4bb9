/* Hostile bytes and abrupt ends leave nothing behind. */
#include "tests/lib/unit.h"

#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/net/net_int.h"
#include "tests/unit/common/net/link.h"

/* ---- hostile bytes ------------------------------------------------------- */

static void
garbage_and_oversized_lengths_close_the_connection(void **state)
{
	echo *w = serve(&slow, 0, 0, 0);
	unsigned before = fds_at_rest();
	uint64_t rnd = sat_test_seed(11);
	static const uint64_t lens[] = { 0, 3, 4097, 1u << 22, 1ull << 62,
		UINT64_MAX };
	uint8_t b[600];
	int fd;

	(void)state;
	for (int i = 0; i < 200; i++) {
		size_t n = 8 + sat_test_rand(&rnd) % 500;

		for (size_t k = 0; k < n; k++)
			b[k] = (uint8_t)sat_test_rand(&rnd);
		b[0] |= 1; /* no hello begins so */
		fd = raw_dial(sat_net_port(w->s));
		if (i % 2 != 0) {
			raw_hello(fd);
			b[0] = 0xff; /* a length no frame has */
			n = n < 12 ? 12 : n;
		}
		raw_send(fd, b, n);
		assert_true(raw_closed(fd));
		(void)close(fd);
	}
	for (unsigned i = 0; i < sizeof lens / sizeof *lens; i++) {
		sat_sp_head(b, 0x80000001, (size_t)(lens[i] - 4));
		fd = raw_dial(sat_net_port(w->s));
		raw_hello(fd);
		raw_send(fd, b, SAT_SP_HEAD_BYTES);
		assert_true(raw_closed(fd));
		(void)close(fd);
	}
	still_answers(w);
	fds_come_back_to(before);
}

/* Whoever made himself a key gets through the handshake; only whom the owner knows
 * may make the server hold much. */
static void
a_key_alone_is_not_trusted_with_large_frames(void **state) /* P-123 */
{
	const size_t most = SAT_NET_FRAME_MAX_STRANGER;
	echo *w = serve(&slow, 0, 0, 0);
	uint8_t head[SAT_SP_HEAD_BYTES];
	sat_net_client *c = dial(w);
	sat_noise x;
	int fd;

	(void)state;
	w->strange = true;
	echoes(c, most);
	sat_net_hangup(c);
	fd = raw_link(w, &x);
	sat_sp_head(head, 0x80000002, most + SAT_NOISE_OVERHEAD + 1);
	raw_send(fd, head, sizeof head);
	assert_true(raw_closed(fd));
	(void)close(fd);
	w->strange = false;
	c = dial(w);
	echoes(c, 1);
	echoes(c, most + 1);
	sat_net_hangup(c);
}

static void
an_authenticated_peer_cannot_announce_more_than_a_frame(void **state)
{
	echo *w = serve(&slow, 0, 0, 0);
	sat_noise x;
	int fd = raw_link(w, &x);
	uint8_t head[SAT_SP_HEAD_BYTES];

	(void)state;
	sat_sp_head(head, 0x80000002, SAT_NET_SEALED_MAX + 1);
	raw_send(fd, head, sizeof head);
	assert_true(raw_closed(fd));
	(void)close(fd);
	closes_come_to(w, 1);
}

static void
a_flipped_or_replayed_frame_closes_the_link(void **state)
{
	echo *w = serve(&slow, 0, 0, 0);
	sat_noise x;
	sat_buf b = { 0 };
	uint8_t body[5 + SAT_NOISE_OVERHEAD];
	int fd;

	(void)state;
	for (size_t i = 0; i < 5 + SAT_NOISE_OVERHEAD; i += 4) {
		fd = raw_link(w, &x);
		raw_seal(&b, &x, "hello");
		b.p[i] ^= 0x10;
		raw_frame(fd, 0x80000002, sat_buf_span(&b));
		assert_true(raw_closed(fd));
		(void)close(fd);
	}
	assert_int_equal(0, atomic_load(&w->requests));
	fd = raw_link(w, &x);
	raw_seal(&b, &x, "hello");
	raw_frame(fd, 0x80000002, sat_buf_span(&b));
	assert_true(raw_reply(fd, 0x80000002, body, sizeof body));
	raw_frame(fd, 0x80000003, sat_buf_span(&b)); /* the same again */
	assert_true(raw_closed(fd));
	(void)close(fd);
	assert_int_equal(1, atomic_load(&w->requests));
	/* Too short for a seal. */
	fd = raw_link(w, &x);
	raw_frame(fd, 0x80000002, sat_span_str("short"));
	assert_true(raw_closed(fd));
	(void)close(fd);
	sat_buf_fini(&b);
}

/* ---- abrupt ends --------------------------------------------------------- */

/* One of the ways in which a device vanishes. */
static void
vanish(const echo *w, unsigned how, sat_span msg1)
{
	uint8_t b[128];
	sat_noise x;
	sat_buf sealed = { 0 };
	int fd;

	if (how % 10 >= 8) {
		fd = raw_link(w, &x);
		raw_seal(&sealed, &x, "gone before the answer");
		sat_sp_head(b, 0x80000002, sealed.n);
		raw_send(fd, b, SAT_SP_HEAD_BYTES);
		raw_send(fd, sealed.p, how % 20 < 10 ? sealed.n : sealed.n / 2);
		sat_buf_fini(&sealed);
		raw_close(fd, how % 10 == 9);
		return;
	}
	fd = raw_dial(sat_net_port(w->s));
	if (how % 10 >= 2)
		raw_send(fd, "\0SP", 3);
	if (how % 10 >= 3)
		raw_send(fd, "\0\0\x30\0\0", 5);
	if (how % 10 >= 5)
		raw_frame(fd, 0x80000001, msg1);
	if (how % 10 == 6)
		(void)shutdown(fd, SHUT_WR);
	if (how % 10 == 7)
		(void)!recv(fd, b, 4, 0); /* leaves bytes unread */
	raw_close(fd, how % 2 != 0);
}

static void
two_thousand_abrupt_connections_leave_nothing_behind(void **state)
{
	echo *w = serve(&slow, 0, 0, 0);
	sat_buf msg1 = { 0 };
	unsigned before = fds_at_rest();
	sat_noise x;

	(void)state;
	noise_start(&x, &msg1);
	for (unsigned i = 0; i < 2000; i++) {
		vanish(w, i + i / 10, sat_buf_span(&msg1));
		if (i % 500 == 499)
			still_answers(w);
	}
	links_come_to(w, 0);
	assert_int_equal(0, stats(w).links_unauth);
	assert_int_equal(stats(w).accepted, stats(w).closed);
	fds_come_back_to(before);
	still_answers(w);
	sat_buf_fini(&msg1);
}

static void *
hang_up_early(void *arg)
{
	const echo *w = arg;
	char url[64];
	sat_net_client_opts o = client_opts(url, sat_net_port(w->s));
	sat_buf reply = { 0 };

	for (int i = 0; i < 60; i++) {
		sat_net_client *c;

		o.timeout_ms = 1 + i % 6;
		if (sat_net_dial(&c, &o, NULL) != SAT_OK)
			continue;
		for (int k = 0; k < 5; k++)
			(void)!sat_net_request(c, &reply,
			    sat_span_of(server_keys.pk, 32), NULL);
		sat_net_hangup(c);
	}
	sat_buf_fini(&reply);
	return NULL;
}

static void
clients_with_deadlines_of_milliseconds_leave_nothing_behind(void **state)
{
	echo *w = serve(&slow, 0, 0, 0);
	unsigned before = fds_at_rest();
	pthread_t t[6];

	(void)state;
	for (int i = 0; i < 6; i++)
		assert_int_equal(0,
		    pthread_create(&t[i], NULL, hang_up_early, w));
	for (int i = 0; i < 6; i++)
		(void)pthread_join(t[i], NULL);
	links_come_to(w, 0);
	fds_come_back_to(before);
	still_answers(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    garbage_and_oversized_lengths_close_the_connection),
		cmocka_unit_test(a_key_alone_is_not_trusted_with_large_frames),
		cmocka_unit_test(
		    an_authenticated_peer_cannot_announce_more_than_a_frame),
		cmocka_unit_test(a_flipped_or_replayed_frame_closes_the_link),
		cmocka_unit_test(
		    two_thousand_abrupt_connections_leave_nothing_behind),
		cmocka_unit_test(
		    clients_with_deadlines_of_milliseconds_leave_nothing_behind),
	};

	net_begin();
	net_end(cmocka_run_group_tests(tests, NULL, NULL));
}
