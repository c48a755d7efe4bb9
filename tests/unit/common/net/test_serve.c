/* The door: caps, the backlog, the end, stock sockets. */
#include "tests/lib/unit.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <nng/nng.h>
#include <nng/protocol/reqrep0/req.h>

#include "common/net/net_int.h"
#include "tests/unit/common/net/link.h"

/* ---- caps ---------------------------------------------------------------- */

static void
caps_hold_and_free_places_are_given_again(void **state)
{
	/* total, unauthenticated, per address */
	static const unsigned caps[3][3] = { { 5, 50, 50 }, { 50, 5, 50 },
		{ 50, 50, 5 } };
	int fd[5], more;

	(void)state;
	for (int k = 0; k < 3; k++) {
		echo *w = serve(&slow, caps[k][0], caps[k][1], caps[k][2]);

		for (int i = 0; i < 5; i++)
			fd[i] = raw_dial(sat_net_port(w->s));
		links_come_to(w, 5);
		more = raw_dial(sat_net_port(w->s));
		assert_true(raw_closed(more));
		(void)close(more);
		assert_int_equal(1, stats(w).refused);
		for (int i = 0; i < 5; i++)
			raw_close(fd[i], i % 2 != 0);
		links_come_to(w, 0);
		still_answers(w);
	}
}

/* ---- the end, and strangers ---------------------------------------------- */

static void
after_stop_accepting_links_go_on_and_new_ones_are_refused(void **state)
{
	echo *w = serve(&slow, 0, 0, 0);
	sat_net_client *c = dial(w);

	(void)state;
	sat_net_stop_accepting(w->s);
	sat_net_stop_accepting(w->s);
	echoes(c, 10);
	(void)dial_fails(sat_net_port(w->s), 500, SAT_EUNREACHABLE, "");
	echoes(c, 10);
	sat_net_hangup(c);
	closes_come_to(w, 1);
}

/* A burst of devices must not wait a second for its SYN to be sent again. */
static void
the_backlog_holds_a_burst_of_devices(void **state)
{
	echo *w = serve(&quick, 0, 0, 0);
	int found = 0;

	(void)state;
	for (int fd = 3; fd < 1024; fd++) {
		struct sockaddr_in sa = { 0 };
		struct tcp_info info;
		socklen_t n = sizeof sa, ni = sizeof info;

		if (getsockname(fd, (struct sockaddr *)&sa, &n) != 0 ||
		    ntohs(sa.sin_port) != sat_net_port(w->s) ||
		    getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &ni) != 0 ||
		    info.tcpi_state != TCP_LISTEN)
			continue;
		found++;
		assert_true(info.tcpi_sacked > 1000); /* of a listener: its length */
	}
	assert_int_equal(1, found);
}

static void
a_busy_port_is_said(void **state)
{
	echo *w = serve(&slow, 0, 0, 0);
	char url[64];
	sat_net_server_opts o = { .listen = url, .keys = server_keys,
		.on_request = on_request };
	sat_net_server *s;

	(void)state;
	(void)snprintf(url, sizeof url, "tcp://127.0.0.1:%u",
	    sat_net_port(w->s));
	assert_rc(SAT_EBUSY, sat_net_serve(&s, &o, &err));
	assert_non_null(strstr(err.text, url));
	o.listen = "nonsense";
	assert_rc(SAT_EUSAGE, sat_net_serve(&s, &o, &err));
}

static size_t
stock_ask(nng_socket s, sat_span msg, uint8_t *out, size_t max)
{
	size_t n = max;
	sat_buf b = { 0 };

	sat_buf_add(&b, msg.p, msg.n);
	assert_int_equal(0, nng_send(s, b.p, b.n, 0));
	assert_int_equal(0, nng_recv(s, out, &n, 0));
	sat_buf_fini(&b);
	return n;
}

static void
a_stock_req_socket_can_shake_hands_and_ask(void **state) /* P-121 */
{
	echo *w = serve(&slow, 0, 0, 0);
	nng_socket s;
	char url[64];
	uint8_t got[256];
	sat_noise x;
	sat_buf b = { 0 }, plain = { 0 };
	size_t n;

	(void)state;
	(void)client_opts(url, sat_net_port(w->s));
	noise_start(&x, &b);
	assert_int_equal(0, nng_req0_open(&s));
	assert_int_equal(0, nng_socket_set_ms(s, NNG_OPT_RECVTIMEO, 5000));
	assert_int_equal(0, nng_dial(s, url, NULL, 0));
	n = stock_ask(s, sat_buf_span(&b), got, sizeof got);
	assert_int_equal(SAT_NOISE_MSG2_BYTES, n);
	assert_ok(sat_noise_read2(&x, &plain, sat_span_of(got, n), &err));
	raw_seal(&b, &x, "hello");
	n = stock_ask(s, sat_buf_span(&b), got, sizeof got);
	assert_ok(sat_noise_unseal(&x, &plain, sat_span_of(got, n), &err));
	assert_string_equal("hello", sat_buf_cstr(&plain));
	sat_buf_fini(&b);
	sat_buf_fini(&plain);
	/* Like `nngcat --req --data hello`: one byte says no. */
	assert_int_equal(0, nng_req0_open(&s));
	assert_int_equal(0, nng_dial(s, url, NULL, 0));
	n = stock_ask(s, sat_span_str("hello"), got, sizeof got);
	assert_int_equal(1, n);
	assert_int_equal(SAT_NET_REFUSED, got[0]);
	/* Sockets of NNG are left open: closing them is what hangs (5.1). */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(caps_hold_and_free_places_are_given_again),
		cmocka_unit_test(
		    after_stop_accepting_links_go_on_and_new_ones_are_refused),
		cmocka_unit_test(the_backlog_holds_a_burst_of_devices),
		cmocka_unit_test(a_busy_port_is_said),
		cmocka_unit_test(a_stock_req_socket_can_shake_hands_and_ask),
	};

	net_begin();
	net_end(cmocka_run_group_tests(tests, NULL, NULL));
}
