/* Dials that fail, answers that do not come. */
#include "tests/lib/unit.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/crypto/crypto.h"
#include "common/net/net_int.h"
#include "tests/unit/common/net/link.h"

static void
another_server_key_is_refused(void **state)
{
	echo *w = serve(&slow, 0, 0, 0);
	char url[64];
	sat_net_client_opts o = client_opts(url, sat_net_port(w->s));
	sat_net_client *c;

	(void)state;
	sat_random(o.keys.sk, 32);
	sat_box_keys(o.server_pk, o.keys.sk); /* some other server's key */
	o.keys = device_keys;
	assert_rc(SAT_EPROTO, sat_net_dial(&c, &o, &err));
	assert_null(c);
	assert_non_null(strstr(err.text,
	    "is not the server this device was enrolled with"));
	o = client_opts(url, sat_net_port(w->s));
	o.prologue = sat_span_str("satchel/1 another organisation");
	assert_rc(SAT_EPROTO, sat_net_dial(&c, &o, &err));
	assert_non_null(strstr(err.text, "enrolled with"));
	links_come_to(w, 0);
	assert_int_equal(0, stats(w).links_unauth);
	assert_int_equal(0, atomic_load(&w->closes)); /* never were links */
	still_answers(w);
}

/* A listener that takes connections, sends `say` and then nothing. */
typedef struct mute {
	int fd;
	uint16_t port;
	const void *say;
	size_t n;
} mute;

static void *
mute_run(void *arg)
{
	mute *m = arg;
	int fd = accept(m->fd, NULL, NULL);

	if (fd >= 0 && m->n > 0)
		raw_send(fd, m->say, m->n);
	nap(500);
	if (fd >= 0)
		(void)close(fd);
	return NULL;
}

static void
mute_listen(mute *m, int backlog)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof a;

	m->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(0, bind(m->fd, (struct sockaddr *)&a, sizeof a));
	assert_int_equal(0, listen(m->fd, backlog));
	assert_int_equal(0, getsockname(m->fd, (struct sockaddr *)&a, &n));
	m->port = ntohs(a.sin_port);
}

static void
a_port_nobody_listens_on_says_refused(void **state)
{
	mute m;

	(void)state;
	mute_listen(&m, 1);
	(void)close(m.fd);
	assert_true(dial_fails(m.port, 5000, SAT_EUNREACHABLE,
	    "connection refused") < 2000);
}

static void
a_black_hole_ends_at_the_deadline(void **state)
{
	mute m = { 0 };
	int filler[8];
	int64_t took;
	unsigned before = fds_at_rest();

	(void)state;
	/* Connects, never answers. */
	mute_listen(&m, 8);
	took = dial_fails(m.port, 400, SAT_EUNREACHABLE, "timed out");
	assert_in_range(took, 400, 9000);
	(void)close(m.fd);
	/* Does not even connect: the backlog is full. */
	mute_listen(&m, 0);
	for (int i = 0; i < 8; i++) {
		struct sockaddr_in a = { .sin_family = AF_INET,
			.sin_port = htons(m.port),
			.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

		filler[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		(void)connect(filler[i], (struct sockaddr *)&a, sizeof a);
	}
	nap(50);
	took = dial_fails(m.port, 400, SAT_EUNREACHABLE, "timed out");
	assert_in_range(took, 400, 9000);
	for (int i = 0; i < 8; i++)
		(void)close(filler[i]);
	(void)close(m.fd);
	fds_come_back_to(before);
}

static void
a_peer_of_another_protocol_is_named(void **state)
{
	static const char http[] = "HTTP/1.1 400 Bad Request\r\n\r\n";
	mute m = { .say = http, .n = sizeof http - 1 };
	pthread_t t;

	(void)state;
	mute_listen(&m, 8);
	assert_int_equal(0, pthread_create(&t, NULL, mute_run, &m));
	(void)dial_fails(m.port, 2000, SAT_EPROTO,
	    "does not speak this protocol");
	(void)pthread_join(t, NULL);
	(void)close(m.fd);
}

/* A server of one link that answers each request, but under another id than its
 * own from the nth on (the handshake is the first). */
typedef struct liar {
	mute m;
	int nth;
} liar;

static void
liar_answers(int fd, int nth)
{
	uint8_t hello[SAT_SP_HELLO_BYTES], head[SAT_SP_HEAD_BYTES];
	uint8_t msg1[SAT_NOISE_MSG1_BYTES], eph[32], asked[1 +
	    SAT_NOISE_OVERHEAD];
	sat_buf b = { 0 };
	sat_noise x;

	sat_random(eph, sizeof eph);
	sat_noise_init(&x, false, &server_keys, NULL, eph,
	    sat_span_str(prologue));
	sat_sp_hello(hello, SAT_SP_REP0);
	raw_send(fd, hello, sizeof hello);
	assert_true(raw_recv(fd, hello, sizeof hello));
	for (int i = 1; raw_recv(fd, head, sizeof head) && raw_recv(fd, i == 1 ?
	    msg1 : asked, i == 1 ? sizeof msg1 : sizeof asked); i++) {
		uint32_t id;

		id = (uint32_t)head[8] << 24 | (uint32_t)head[9] << 16 |
		    (uint32_t)head[10] << 8 | head[11];
		sat_buf_reset(&b);
		if (i == 1 && (sat_noise_read1(&x, &b, sat_span_of(msg1,
		    sizeof msg1), NULL) != SAT_OK || sat_noise_write2(&x, &b,
		    (sat_span){ NULL, 0 }, NULL) != SAT_OK))
			break;
		if (i > 1)
			sat_noise_seal(&x, &b, sat_span_str("y"));
		raw_frame(fd, i >= nth ? id + 1 : id, sat_buf_span(&b));
	}
	sat_buf_fini(&b);
	sat_noise_fini(&x);
}

static void *
liar_run(void *arg)
{
	liar *l = arg;
	int fd = accept(l->m.fd, NULL, NULL);

	if (fd < 0)
		return NULL;
	liar_answers(fd, l->nth);
	(void)close(fd);
	return NULL;
}

static void
an_answer_under_another_id_ends_the_link(void **state) /* P-122 */
{
	(void)state;
	for (int nth = 1; nth <= 3; nth++) {
		liar l = { .nth = nth };
		sat_net_client_opts o;
		sat_net_client *c = NULL;
		sat_buf reply = { 0 };
		char url[64];
		pthread_t t;
		sat_rc rc;

		mute_listen(&l.m, 8);
		o = client_opts(url, l.m.port);
		assert_int_equal(0, pthread_create(&t, NULL, liar_run, &l));
		rc = sat_net_dial(&c, &o, &err);
		assert_rc(nth == 1 ? SAT_EPROTO : SAT_OK, rc);
		if (nth == 3) { /* the first is its own */
			assert_ok(sat_net_request(c, &reply, sat_span_str("x"),
			    &err));
			assert_int_equal(1, reply.n);
			sat_buf_reset(&reply);
		}
		if (nth > 1) {
			assert_rc(SAT_EPROTO, sat_net_request(c, &reply,
			    sat_span_str("x"), &err));
			assert_int_equal(0, reply.n);
			/* and what comes then is no answer to the next one */
			assert_int_not_equal(SAT_OK, sat_net_request(c, &reply,
			    sat_span_str("x"), &err));
		}
		sat_net_hangup(c);
		(void)pthread_join(t, NULL);
		(void)close(l.m.fd);
		sat_buf_fini(&reply);
	}
}

static void
a_request_that_gets_no_answer_times_out_and_the_link_is_dead(void **state)
{
	echo *w = serve(&slow, 0, 0, 0);
	char url[64];
	sat_net_client_opts o = client_opts(url, sat_net_port(w->s));
	sat_net_client *c;
	sat_buf reply = { 0 };
	int64_t t0, took = 0;

	(void)state;
	w->silent = true;
	o.timeout_ms = 300;
	assert_ok(sat_net_dial(&c, &o, &err));
	t0 = sat_net_now();
	assert_rc(SAT_EUNREACHABLE, sat_net_request(c, &reply,
	    sat_span_str("x"), &err));
	assert_non_null(strstr(err.text, "timed out"));
	assert_in_range(sat_net_now() - t0, 300, 9000);
	/* At once: one of five tries, the machine may have others to serve. */
	for (int i = 0; i < 5; i++) {
		t0 = sat_net_now();
		assert_rc(SAT_EUNREACHABLE, sat_net_request(c, &reply,
		    sat_span_str("x"), &err));
		if ((took = sat_net_now() - t0) < 200)
			break;
	}
	assert_true(took < 200);
	sat_net_hangup(c);
	sat_buf_fini(&reply);
}

typedef struct patience {
	atomic_int asked;
	atomic_bool enough;
	sat_net_client *c;
} patience;

static bool
has_enough(void *u)
{
	patience *p = u;

	atomic_fetch_add(&p->asked, 1);
	return atomic_load(&p->enough);
}

static void *
ends_it_soon(void *u)
{
	patience *p = u;

	(void)usleep(300000);
	atomic_store(&p->enough, true);
	sat_net_nudge(p->c);
	return NULL;
}

static void
a_nudge_ends_a_long_wait_when_the_hook_says_so(void **state)
{
	echo *w = serve(&slow, 0, 0, 0);
	char url[64];
	sat_net_client_opts o = client_opts(url, sat_net_port(w->s));
	patience p = { 0 };
	sat_buf reply = { 0 };
	pthread_t t;
	int64_t t0;

	(void)state;
	w->silent = true;
	o.interrupted = has_enough;
	o.u = &p;
	assert_ok(sat_net_dial(&p.c, &o, &err));
	t0 = sat_net_now();
	assert_int_equal(0, pthread_create(&t, NULL, ends_it_soon, &p));
	assert_rc(SAT_EUNREACHABLE, sat_net_request_within(p.c, &reply,
	    sat_span_str("x"), 60000, &err));
	assert_string_equal("net.interrupted", err.code);
	assert_in_range(sat_net_now() - t0, 250, 5000);
	assert_true(atomic_load(&p.asked) < 30); /* it sleeps in between */
	(void)pthread_join(t, NULL);
	sat_net_hangup(p.c);
	sat_buf_fini(&reply);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_under_another_id_ends_the_link),
		cmocka_unit_test(another_server_key_is_refused),
		cmocka_unit_test(a_port_nobody_listens_on_says_refused),
		cmocka_unit_test(a_black_hole_ends_at_the_deadline),
		cmocka_unit_test(a_peer_of_another_protocol_is_named),
		cmocka_unit_test(
		    a_request_that_gets_no_answer_times_out_and_the_link_is_dead),
		cmocka_unit_test(a_nudge_ends_a_long_wait_when_the_hook_says_so),
	};

	net_begin();
	net_end(cmocka_run_group_tests(tests, NULL, NULL));
}
