#include "tests/lib/unit.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <nng/nng.h>
#include <nng/protocol/reqrep0/req.h>

#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/crypto/crypto.h"
#include "common/net/net_int.h"

static sat_err err;
static sat_noise_keys server_keys, device_keys;
static const char prologue[] = "satchel/1 test";

static void
nap(int ms)
{
	struct timespec t = { ms / 1000, (long)(ms % 1000) * 1000000 };

	(void)nanosleep(&t, NULL);
}

/* ---- an echo server and its record ---------------------------------------- */

typedef struct echo {
	sat_net_server *s;
	atomic_uint requests, closes;
	bool later;              /* answer from another thread */
	bool silent;             /* never answer */
	bool then_close;         /* answer and close at once */
	bool only_close;         /* close instead of answering */
	bool dawdle;             /* answer, then look at the frame again */
	atomic_uint changed;     /* frames that were not the same then */
	pthread_mutex_t mtx;
	pthread_cond_t cond;
	struct { sat_link *l; sat_buf b; } todo[64];
	unsigned ntodo;
	uint8_t peer[32];
} echo;

static void
echo_later(echo *w, sat_link *l, sat_span frame)
{
	pthread_mutex_lock(&w->mtx);
	assert_true(w->ntodo < 64);
	sat_link_ref(l);
	w->todo[w->ntodo].l = l;
	w->todo[w->ntodo].b = (sat_buf){ 0 };
	sat_buf_add(&w->todo[w->ntodo++].b, frame.p, frame.n);
	pthread_cond_signal(&w->cond);
	pthread_mutex_unlock(&w->mtx);
}

static void *
echo_worker(void *arg)
{
	echo *w = arg;

	for (;;) {
		sat_link *l;
		sat_buf b;

		pthread_mutex_lock(&w->mtx);
		while (w->ntodo == 0)
			pthread_cond_wait(&w->cond, &w->mtx);
		l = w->todo[--w->ntodo].l;
		b = w->todo[w->ntodo].b;
		pthread_mutex_unlock(&w->mtx);
		if (w->only_close)
			sat_link_close(l);
		else
			sat_link_reply(l, sat_buf_span(&b));
		sat_link_unref(l);
		sat_buf_fini(&b);
	}
	return NULL;
}

static void
on_request(void *u, sat_link *l, sat_span frame)
{
	echo *w = u;
	sat_buf kept = { 0 };

	atomic_fetch_add(&w->requests, 1);
	pthread_mutex_lock(&w->mtx);
	memcpy(w->peer, sat_link_peer(l), 32);
	pthread_mutex_unlock(&w->mtx);
	if (w->silent)
		return;
	if (w->later) {
		echo_later(w, l, frame);
		return;
	}
	if (w->dawdle)
		sat_buf_add(&kept, frame.p, frame.n);
	sat_link_reply(l, frame);
	sat_link_reply(l, frame); /* a second answer is dropped */
	if (w->dawdle) {
		nap(20);
		if (!sat_span_eq(frame, sat_buf_span(&kept)))
			atomic_fetch_add(&w->changed, 1);
		sat_buf_fini(&kept);
	}
	if (w->then_close)
		sat_link_close(l);
}

static void
on_close(void *u, sat_link *l)
{
	echo *w = u;

	(void)l;
	atomic_fetch_add(&w->closes, 1);
}

static const sat_net_deadlines slow = { 10000, 120000, 60000 };
static const sat_net_deadlines quick = { 300, 600, 300 };

/* Servers are never freed, as in the programs. */
static echo *
serve(const sat_net_deadlines *d, unsigned total, unsigned unauth,
    unsigned address)
{
	echo *w = sat_xcalloc(1, sizeof *w);
	sat_net_server_opts o = {
		.listen = "tcp://127.0.0.1:0", .keys = server_keys,
		.prologue = sat_span_str(prologue), .links_max = total,
		.links_unauth_max = unauth, .links_per_address_max = address,
		.on_request = on_request, .on_close = on_close, .u = w,
	};

	(void)pthread_mutex_init(&w->mtx, NULL);
	(void)pthread_cond_init(&w->cond, NULL);
	assert_ok(sat_net_serve_with(&w->s, &o, d, &err));
	assert_true(sat_net_port(w->s) > 0);
	return w;
}

static sat_net_client_opts
client_opts(char url[64], uint16_t port)
{
	sat_net_client_opts o = {
		.dial = url, .keys = device_keys,
		.prologue = sat_span_str(prologue), .timeout_ms = 10000,
	};

	(void)snprintf(url, 64, "tcp://127.0.0.1:%u", port);
	memcpy(o.server_pk, server_keys.pk, 32);
	return o;
}

static sat_net_client *
dial(const echo *w)
{
	char url[64];
	sat_net_client_opts o = client_opts(url, sat_net_port(w->s));
	sat_net_client *c;

	assert_ok(sat_net_dial(&c, &o, &err));
	return c;
}

static void
echoes(sat_net_client *c, size_t n)
{
	sat_buf out = { 0 }, in = { 0 };

	memset(sat_buf_room(&out, n + 1), 0x5a, n);
	out.n = n;
	assert_ok(sat_net_request(c, &in, sat_buf_span(&out), &err));
	assert_true(sat_span_eq(sat_buf_span(&out), sat_buf_span(&in)));
	sat_buf_fini(&out);
	sat_buf_fini(&in);
}

static void
still_answers(const echo *w)
{
	sat_net_client *c = dial(w);

	echoes(c, 100);
	sat_net_hangup(c);
}

/* ---- raw sockets ------------------------------------------------------------- */

static int
raw_dial(uint16_t port)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct timeval tv = { .tv_sec = 8 };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv);
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof tv);
	assert_int_equal(0, connect(fd, (struct sockaddr *)&a, sizeof a));
	return fd;
}

static void
raw_send(int fd, const void *p, size_t n)
{
	(void)!send(fd, p, n, MSG_NOSIGNAL);
}

static bool
raw_recv(int fd, void *p, size_t n)
{
	return recv(fd, p, n, MSG_WAITALL) == (ssize_t)n;
}

/* Reads until the peer closes. @return false when it does not within 8 s. */
static bool
raw_closed(int fd)
{
	uint8_t b[4096];
	ssize_t n;

	while ((n = recv(fd, b, sizeof b, 0)) > 0)
		;
	return n == 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
}

static void
raw_close(int fd, bool rst)
{
	struct linger lg = { 1, 0 };

	if (rst)
		(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &lg, sizeof lg);
	(void)close(fd);
}

static void
raw_hello(int fd)
{
	uint8_t h[SAT_SP_HELLO_BYTES];

	sat_sp_hello(h, SAT_SP_REQ0);
	raw_send(fd, h, sizeof h);
}

static void
raw_frame(int fd, uint32_t id, sat_span body)
{
	uint8_t head[SAT_SP_HEAD_BYTES];

	sat_sp_head(head, id, body.n);
	raw_send(fd, head, sizeof head);
	raw_send(fd, body.p, body.n);
}

static bool
raw_reply(int fd, uint32_t id, void *body, size_t n)
{
	uint8_t head[SAT_SP_HEAD_BYTES], want[SAT_SP_HEAD_BYTES];

	sat_sp_head(want, id, n);
	return raw_recv(fd, head, sizeof head) &&
	    memcmp(head, want, sizeof want) == 0 && raw_recv(fd, body, n);
}

static void
noise_start(sat_noise *x, sat_buf *msg1)
{
	uint8_t eph[32];

	sat_random(eph, sizeof eph);
	sat_noise_init(x, true, &device_keys, server_keys.pk, eph,
	    sat_span_str(prologue));
	assert_ok(sat_noise_write1(x, msg1, (sat_span){ NULL, 0 }, &err));
}

/* A whole handshake over a raw socket. */
static int
raw_link(const echo *w, sat_noise *x)
{
	int fd = raw_dial(sat_net_port(w->s));
	uint8_t h[SAT_SP_HELLO_BYTES], msg2[SAT_NOISE_MSG2_BYTES];
	sat_buf b = { 0 };

	raw_hello(fd);
	noise_start(x, &b);
	raw_frame(fd, 0x80000001, sat_buf_span(&b));
	assert_true(raw_recv(fd, h, sizeof h));
	assert_true(sat_sp_hello_ok(h, SAT_SP_REP0));
	assert_true(raw_reply(fd, 0x80000001, msg2, sizeof msg2));
	sat_buf_reset(&b);
	assert_ok(sat_noise_read2(x, &b, sat_span_of(msg2, sizeof msg2), &err));
	sat_buf_fini(&b);
	return fd;
}

static void
raw_seal(sat_buf *b, sat_noise *x, const char *text)
{
	sat_buf_reset(b);
	sat_noise_seal(x, b, sat_span_str(text));
}

/* ---- waiting ------------------------------------------------------------------- */

static unsigned
fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	unsigned n = 0;

	assert_non_null(d);
	while (readdir(d) != NULL)
		n++;
	(void)closedir(d);
	return n;
}

/* NNG closes descriptors on a thread of its own: wait for the last test's. */
static unsigned
fds_at_rest(void)
{
	unsigned now = fds();

	for (int same = 0; same < 4; same++) {
		nap(20);
		if (fds() != now)
			same = 0;
		now = fds();
	}
	return now;
}

static void
fds_come_back_to(unsigned want)
{
	for (int i = 0; i < 500 && fds() > want; i++)
		nap(20);
	assert_in_range(fds(), 0, want);
}

static sat_net_stats
stats(const echo *w)
{
	sat_net_stats st;

	sat_net_stats_get(&st, w->s);
	return st;
}

static void
links_come_to(const echo *w, unsigned want)
{
	for (int i = 0; i < 500 && stats(w).links != want; i++)
		nap(20);
	assert_int_equal(want, stats(w).links);
}

static void
closes_come_to(echo *w, unsigned want)
{
	for (int i = 0; i < 500 && atomic_load(&w->closes) != want; i++)
		nap(20);
	assert_int_equal(want, atomic_load(&w->closes));
}

/* ---- the decoder ------------------------------------------------------------------ */

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

/* ---- the good path ------------------------------------------------------------------ */

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
pipelined_requests_are_answered_one_after_the_other(void **state) /* N2 */
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

static void
a_link_closed_by_its_owner_is_gone_at_once(void **state) /* N4 */
{
	echo *w = serve(&slow, 0, 0, 0);
	sat_net_client *c = dial(w);
	sat_buf reply = { 0 };
	pthread_t worker;
	int64_t t0 = sat_net_now();

	(void)state;
	w->later = w->only_close = true;
	assert_int_equal(0, pthread_create(&worker, NULL, echo_worker, w));
	assert_rc(SAT_EUNREACHABLE, sat_net_request(c, &reply,
	    sat_span_str("x"), &err));
	closes_come_to(w, 1);
	assert_true(sat_net_now() - t0 < 800); /* kicked: less than a tick */
	sat_net_hangup(c);
	sat_buf_fini(&reply);
}

/* ---- the wrong peer -------------------------------------------------------------------- */

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

/* @return how long the dial took. */
static int64_t
dial_fails(uint16_t port, int timeout_ms, sat_rc want, const char *text)
{
	char url[64];
	sat_net_client_opts o = client_opts(url, port);
	sat_net_client *c;
	int64_t t0 = sat_net_now();

	o.timeout_ms = timeout_ms;
	assert_rc(want, sat_net_dial(&c, &o, &err));
	if (strstr(err.text, text) == NULL)
		fail_msg("text is: %s", err.text);
	return sat_net_now() - t0;
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
	assert_in_range(took, 400, 1500);
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
	assert_in_range(took, 400, 1500);
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

static void
a_request_that_gets_no_answer_times_out_and_the_link_is_dead(void **state)
{
	echo *w = serve(&slow, 0, 0, 0);
	char url[64];
	sat_net_client_opts o = client_opts(url, sat_net_port(w->s));
	sat_net_client *c;
	sat_buf reply = { 0 };
	int64_t t0;

	(void)state;
	w->silent = true;
	o.timeout_ms = 300;
	assert_ok(sat_net_dial(&c, &o, &err));
	t0 = sat_net_now();
	assert_rc(SAT_EUNREACHABLE, sat_net_request(c, &reply,
	    sat_span_str("x"), &err));
	assert_non_null(strstr(err.text, "timed out"));
	assert_in_range(sat_net_now() - t0, 300, 1500);
	t0 = sat_net_now();
	assert_rc(SAT_EUNREACHABLE, sat_net_request(c, &reply,
	    sat_span_str("x"), &err));
	assert_true(sat_net_now() - t0 < 200);
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

/* ---- the sweeper -------------------------------------------------------------------------- */

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
	assert_in_range(sat_net_now() - t0, 300, 3000);
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
	for (int i = 0; i < 100 && stats(w).links > 0; i++) {
		raw_send(fd, "x", 1);
		nap(30);
	}
	assert_in_range(sat_net_now() - t0, 300, 2000);
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
	/* Slow, 216 bytes in 1.1 s with stall at 0.3 s: answered. */
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
	assert_in_range(sat_net_now() - t0, 400, 3000);
	(void)close(fd);
	/* Stalled within a frame. */
	fd = raw_link(w, &x);
	t0 = sat_net_now();
	raw_send(fd, head, sizeof head);
	raw_send(fd, "abc", 3);
	assert_true(raw_closed(fd));
	assert_in_range(sat_net_now() - t0, 200, 2000);
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
	memset(sat_buf_room(&big, SAT_NET_FRAME_MAX), 3, SAT_NET_FRAME_MAX);
	big.n = SAT_NET_FRAME_MAX;
	sat_noise_seal(&x, &b, sat_buf_span(&big));
	for (int i = 0; i < 2; i++) /* a second one waits in our buffer */
		raw_frame(fd, 0x80000002, sat_buf_span(&b));
	closes_come_to(w, 1);
	assert_int_equal(1, atomic_load(&w->requests));
	(void)close(fd);
	sat_buf_fini(&b);
	sat_buf_fini(&big);
}

/* ---- hostile bytes ---------------------------------------------------------------------------- */

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

/* ---- caps --------------------------------------------------------------------------------------- */

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

/* ---- abrupt ends ----------------------------------------------------------------------------------- */

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

/* ---- the end, and strangers ----------------------------------------------------------------------- */

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

/* ---- */

/* Present under a leak sanitizer only; _exit would skip its check. */
extern int __lsan_do_recoverable_leak_check(void) __attribute__((weak));

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_hello_is_that_of_stock_req_and_rep_sockets),
		cmocka_unit_test(frames_are_put_together_from_any_pieces),
		cmocka_unit_test(a_long_frame_is_refused_before_allocation),
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
		cmocka_unit_test(another_server_key_is_refused),
		cmocka_unit_test(a_port_nobody_listens_on_says_refused),
		cmocka_unit_test(a_black_hole_ends_at_the_deadline),
		cmocka_unit_test(a_peer_of_another_protocol_is_named),
		cmocka_unit_test(
		    a_request_that_gets_no_answer_times_out_and_the_link_is_dead),
		cmocka_unit_test(a_nudge_ends_a_long_wait_when_the_hook_says_so),
		cmocka_unit_test(silent_peers_are_swept),
		cmocka_unit_test(a_dripping_handshake_does_not_buy_time),
		cmocka_unit_test(
		    idle_and_stalled_links_are_swept_but_slow_ones_live),
		cmocka_unit_test(a_peer_that_never_reads_is_swept),
		cmocka_unit_test(
		    garbage_and_oversized_lengths_close_the_connection),
		cmocka_unit_test(
		    an_authenticated_peer_cannot_announce_more_than_a_frame),
		cmocka_unit_test(a_flipped_or_replayed_frame_closes_the_link),
		cmocka_unit_test(caps_hold_and_free_places_are_given_again),
		cmocka_unit_test(
		    two_thousand_abrupt_connections_leave_nothing_behind),
		cmocka_unit_test(
		    clients_with_deadlines_of_milliseconds_leave_nothing_behind),
		cmocka_unit_test(
		    after_stop_accepting_links_go_on_and_new_ones_are_refused),
		cmocka_unit_test(the_backlog_holds_a_burst_of_devices),
		cmocka_unit_test(a_busy_port_is_said),
		cmocka_unit_test(a_stock_req_socket_can_shake_hands_and_ask),
	};
	int rc;

	sat_crypto_init();
	sat_log_level(SAT_ERROR); /* hostile peers are warned of, and expected */
	sat_random(server_keys.sk, 32);
	sat_box_keys(server_keys.pk, server_keys.sk);
	sat_random(device_keys.sk, 32);
	sat_box_keys(device_keys.pk, device_keys.sk);
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	if (__lsan_do_recoverable_leak_check != NULL)
		rc |= __lsan_do_recoverable_leak_check();
	(void)fflush(NULL);
	_exit(rc == 0 ? 0 : 1); /* NNG is never torn down */
}
