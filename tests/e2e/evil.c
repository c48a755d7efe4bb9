/*
 * evil INVITATION [SECONDS] - a client that keeps no promise, against a real
 * server: garbage, lengths nobody has memory for, silence, drops by the
 * second, hundreds of links, requests whose answers are never read, bombs.
 *
 * It checks what it can see from outside (who is closed, how soon, how much is
 * taken from it) and prints "N passed, N failed"; the script beside it watches
 * the server's memory and an honest device meanwhile.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client/sync/sync_int.h"
#include "common/net/net_int.h"
#include "protocol/invite.h"
#include "protocol/message.h"

#define LINKS 600
#define SOON_MS 3000
#define HANDSHAKE_MS (SAT_NET_HANDSHAKE_MS + 4000)
#define BLOCKED_AT ((size_t)48 * 1024 * 1024)

static sat_invite invite;
static struct sockaddr_in server;
static sat_noise_keys keys;
static int passed, failed;

static void
verdict(const char *what, bool good, const char *unit, long v)
{
	(void)printf("%s %s (%ld %s)\n", good ? "ok  " : "FAIL", what, v, unit);
	(void)fflush(stdout);
	if (good)
		passed++;
	else
		failed++;
}

/* ---- raw links -------------------------------------------------------------------- */

static int
dial(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;
	struct sockaddr_in from = { .sin_family = AF_INET };

	if (fd < 0)
		return -1;
	/* an address of its own: links are counted by address (P-129) */
	if (ntohl(server.sin_addr.s_addr) == INADDR_LOOPBACK) {
		from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1);
		(void)bind(fd, (struct sockaddr *)&from, sizeof from);
	}
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	if (connect(fd, (struct sockaddr *)&server, sizeof server) != 0) {
		(void)close(fd);
		return -1;
	}
	(void)fcntl(fd, F_SETFL, O_NONBLOCK);
	return fd;
}

static bool
put(int fd, const void *p, size_t n)
{
	return fd >= 0 && send(fd, p, n, MSG_NOSIGNAL) == (ssize_t)n;
}

/* Reads and drops until the peer closes. @return ms it took, -1: it did not. */
static long
closed_within(int fd, int64_t ms)
{
	int64_t from = sat_net_now(), until = from + ms;
	char drop[4096];

	while (sat_net_now() < until) {
		struct pollfd p = { fd, POLLIN, 0 };
		ssize_t n;

		(void)poll(&p, 1, (int)(until - sat_net_now()));
		n = recv(fd, drop, sizeof drop, 0);
		if (n == 0 || (n < 0 && errno != EAGAIN))
			return (long)(sat_net_now() - from);
	}
	return -1;
}

/* What a stranger sends, and that he is closed soon. */
static void
closed_for(const char *what, const void *p, size_t n)
{
	int fd = dial();
	long ms = -1;

	if (put(fd, p, n))
		ms = closed_within(fd, SOON_MS);
	verdict(what, ms >= 0, "ms later", ms);
	if (fd >= 0)
		(void)close(fd);
}

static void
framed(sat_buf *b, uint64_t length, uint32_t id, const void *body, size_t n)
{
	uint8_t hello[SAT_SP_HELLO_BYTES];

	sat_buf_reset(b);
	sat_sp_hello(hello, SAT_SP_REQ0);
	sat_buf_add(b, hello, sizeof hello);
	sat_write_be64(b, length);
	sat_write_be32(b, id);
	sat_buf_add(b, body, n);
}

static void
strangers(void)
{
	uint8_t junk[4096];
	sat_buf b = { 0 };

	sat_random(junk, sizeof junk);
	junk[0] = 9;
	closed_for("random bytes", junk, sizeof junk);
	closed_for("http", "GET / HTTP/1.1\r\nHost: x\r\n\r\n", 27);
	framed(&b, (uint64_t)1 << 62, SAT_SP_ID_TOP | 1, junk, 64);
	closed_for("2^62 bytes announced", b.p, b.n);
	framed(&b, UINT64_MAX, SAT_SP_ID_TOP | 1, junk, 64);
	closed_for("2^64 - 1 bytes announced", b.p, b.n);
	framed(&b, 4097, SAT_SP_ID_TOP | 1, junk, 64);
	closed_for("4,097 bytes before the handshake", b.p, b.n);
	framed(&b, 3, SAT_SP_ID_TOP | 1, junk, 3);
	closed_for("a length of 3", b.p, b.n);
	framed(&b, 100, 1, junk, 96);
	closed_for("an id without its top bit", b.p, b.n);
	framed(&b, 100, SAT_SP_ID_TOP | 1, junk, 96);
	closed_for("a message 1 of random bytes", b.p, b.n);
	sat_buf_fini(&b);
}

/* At most 256 links of one address stay. */
static void
many_links(void)
{
	int *fd = sat_xcalloc(LINKS, sizeof *fd);
	long open = 0;

	for (int i = 0; i < LINKS; i++)
		fd[i] = dial();
	(void)usleep(1500 * 1000);
	for (int i = 0; i < LINKS; i++) {
		char c;
		ssize_t n = fd[i] < 0 ? 0 : recv(fd[i], &c, 1, 0);

		/* the server's hello, or nothing yet; not its end */
		while (n > 0)
			n = recv(fd[i], &c, 1, 0);
		open += fd[i] >= 0 && n < 0 && errno == EAGAIN;
	}
	verdict("600 links at once", open > 0 && open <= 256, "stay", open);
	for (int i = 0; i < LINKS; i++)
		if (fd[i] >= 0)
			(void)close(fd[i]);
	free(fd);
}

/* ---- links that shook hands --------------------------------------------------------- */

typedef struct chan {
	int fd;
	sat_noise noise;
	uint32_t id;
	sat_sp_in in;
} chan;

/* The next body; false when closed or late. */
static bool
get(chan *c, int64_t ms)
{
	int64_t until = sat_net_now() + ms;

	while (sat_net_now() < until) {
		struct pollfd p = { c->fd, POLLIN, 0 };
		size_t room;
		uint8_t *to = sat_sp_in_room(&c->in, &room);
		ssize_t n;

		if (to == NULL)
			return false;
		(void)poll(&p, 1, 100);
		n = recv(c->fd, to, room, 0);
		if (n < 0 && errno == EAGAIN)
			continue;
		if (n <= 0)
			return false;
		switch (sat_sp_in_got(&c->in, (size_t)n)) {
		case SAT_SP_FRAME: return true;
		case SAT_SP_BAD: return false;
		case SAT_SP_MORE:
		case SAT_SP_HELLO: break;
		}
	}
	return false;
}

static void
hang_up(chan *c)
{
	if (c->fd >= 0)
		(void)close(c->fd);
	sat_sp_in_fini(&c->in);
	sat_noise_fini(&c->noise);
	c->fd = -1;
}

static bool
shake_hands(chan *c)
{
	sat_buf prologue = { 0 }, m1 = { 0 }, b = { 0 }, got = { 0 };
	uint8_t eph[32];
	sat_err e = { 0 };
	bool ok;

	*c = (chan){ .fd = dial(), .id = SAT_SP_ID_TOP | 1 };
	sat_sp_in_init(&c->in, SAT_SP_REP0, SAT_NET_SEALED_MAX);
	sat_sync_prologue(&prologue, &invite.org);
	sat_random(eph, sizeof eph);
	sat_noise_init(&c->noise, true, &keys, invite.server_pk, eph,
	    sat_buf_span(&prologue));
	ok = sat_noise_write1(&c->noise, &m1, (sat_span){ NULL, 0 }, &e) ==
	    SAT_OK;
	framed(&b, m1.n + SAT_SP_ID_BYTES, c->id, m1.p, m1.n);
	ok = ok && put(c->fd, b.p, b.n) && get(c, 10000) &&
	    sat_noise_read2(&c->noise, &got, sat_span_of(c->in.body,
	    c->in.body_n), &e) == SAT_OK;
	sat_sp_in_next(&c->in);
	sat_buf_fini(&prologue);
	sat_buf_fini(&m1);
	sat_buf_fini(&b);
	sat_buf_fini(&got);
	if (!ok)
		hang_up(c);
	return ok;
}

/* A sealed request as bytes. */
static void
sealed(sat_buf *out, chan *c, sat_span frame)
{
	uint8_t head[SAT_SP_HEAD_BYTES];

	sat_buf_reset(out);
	sat_sp_head(head, SAT_SP_ID_TOP | ++c->id, frame.n + SAT_NOISE_OVERHEAD);
	sat_buf_add(out, head, sizeof head);
	sat_noise_seal(&c->noise, out, frame);
}

/* @return the type of the answer, -1: closed. */
static int
ask(chan *c, sat_span frame)
{
	sat_buf b = { 0 }, got = { 0 };
	sat_err e = { 0 };
	size_t at = 0;
	int type = -1;

	sealed(&b, c, frame);
	while (at < b.n) {
		struct pollfd p = { c->fd, POLLOUT, 0 };
		ssize_t n = send(c->fd, b.p + at, b.n - at, MSG_NOSIGNAL);

		if (n < 0 && errno != EAGAIN)
			break;
		at += n > 0 ? (size_t)n : 0;
		if (n < 0)
			(void)poll(&p, 1, 100);
	}
	if (at == b.n && get(c, 15000) && sat_noise_unseal(&c->noise, &got,
	    sat_span_of(c->in.body, c->in.body_n), &e) == SAT_OK && got.n > 0)
		type = got.p[0];
	sat_sp_in_next(&c->in);
	sat_buf_fini(&b);
	sat_buf_fini(&got);
	return type;
}

static void
say_hello(sat_buf *out, uint32_t device)
{
	sat_msg m = { .type = SAT_MSG_HELLO };

	m.u.hello = (sat_hello){ .proto_min = SAT_PROTO_MIN,
		.proto_max = SAT_PROTO_VERSION,
		.device = device, .incarnation = 1 };
	sat_buf_reset(out);
	sat_msg_write(out, &m);
}

/* Everybody may shake hands; nobody learns anything by it. */
static void
unknown_key(void)
{
	sat_buf b = { 0 };
	long refused = 0;
	chan c;

	for (int i = 0; i < 100; i++) {
		if (!shake_hands(&c))
			break;
		say_hello(&b, 1);
		refused += ask(&c, sat_buf_span(&b)) == SAT_MSG_ERROR;
		hang_up(&c);
	}
	verdict("100 hellos with an unknown key", refused == 100,
	    "refused", refused);
	sat_buf_fini(&b);
}

static bool
enrol(chan *c)
{
	uint8_t pk[SAT_SIGN_PK_BYTES], sk[SAT_SIGN_SK_BYTES], seed[32];
	sat_msg m = { .type = SAT_MSG_ENROL };
	sat_buf b = { 0 };
	bool ok;

	sat_random(seed, sizeof seed);
	sat_sign_keys(pk, sk, seed);
	m.u.enrol = (sat_enrol){ .proto_min = SAT_PROTO_MIN,
		.proto_max = SAT_PROTO_VERSION, .org = invite.org,
		.name = sat_span_str("evil") };
	memcpy(m.u.enrol.token, invite.token, sizeof invite.token);
	memcpy(m.u.enrol.sign_pk, pk, sizeof pk);
	sat_msg_write(&b, &m);
	ok = ask(c, sat_buf_span(&b)) == SAT_MSG_ENROLLED;
	sat_buf_fini(&b);
	return ok;
}

/* The device's number is not known to us: one of the first will do. */
static bool
greeted(chan *c)
{
	sat_buf b = { 0 };
	bool ok = false;

	for (uint32_t dev = 1; dev < 20 && !ok; dev++) {
		say_hello(&b, dev);
		ok = ask(c, sat_buf_span(&b)) == SAT_MSG_WELCOME;
	}
	sat_buf_fini(&b);
	return ok;
}

/* 3 MiB that claim to be a batch; a bomb of 1.5 GiB in 48 KiB. */
static void
bombs(void)
{
	size_t n = (size_t)3 << 20;
	uint8_t *junk = sat_xmalloc(n);
	sat_buf z = { 0 }, batch = { 0 }, b = { 0 };
	sat_msg m = { .type = SAT_MSG_PUSH };
	long errors = 0;
	chan c;

	sat_random(junk, n);
	junk[0] = SAT_MSG_PUSH;
	sat_buf_add(&z, "\x28\xb5\x2f\xfd\xe0", 5);
	for (int i = 0; i < 8; i++)
		sat_write_u8(&z, (uint8_t)((uint64_t)(i == 3) * 0x60));
	for (int i = 0; i < 12288; i++)
		sat_buf_add(&z, i == 12287 ? "\x03\0\x10\0" : "\x02\0\x10\0", 4);
	sat_write_u8(&batch, 1);
	sat_write_span(&batch, sat_buf_span(&z));
	m.u.push.incarnation = 1;
	m.u.push.first_cseq = 1;
	m.u.push.batch = sat_buf_span(&batch);
	sat_msg_write(&b, &m);
	if (shake_hands(&c) && greeted(&c))
		for (int i = 0; i < 40; i++)
			errors += ask(&c, i % 2 == 0 ? sat_span_of(junk, n) :
			    sat_buf_span(&b)) == SAT_MSG_ERROR;
	verdict("20 frames of 3 MiB and 20 bombs", errors == 40, "refused",
	    errors);
	hang_up(&c);
	free(junk);
	sat_buf_fini(&z);
	sat_buf_fini(&batch);
	sat_buf_fini(&b);
}

/* Requests without end, no answer read: the server stops taking them. */
static void
never_reads(chan *c, int64_t ms)
{
	int64_t until = sat_net_now() + ms;
	uint8_t ask_all = SAT_MSG_REGISTRY;
	size_t sent = 0, at = 0;
	bool blocked = false;
	sat_buf b = { 0 };

	while (sat_net_now() < until && sent < BLOCKED_AT && !blocked) {
		struct pollfd p = { c->fd, POLLOUT, 0 };
		ssize_t n;

		if (at == b.n) {
			sealed(&b, c, sat_span_of(&ask_all, 1));
			at = 0;
		}
		n = send(c->fd, b.p + at, b.n - at, MSG_NOSIGNAL);
		if (n < 0 && errno != EAGAIN)
			break; /* closed: good as well */
		at += n > 0 ? (size_t)n : 0;
		sent += n > 0 ? (size_t)n : 0;
		blocked = n < 0 && poll(&p, 1, 1000) == 0;
	}
	verdict("answers never read", sent < BLOCKED_AT, "bytes were taken",
	    (long)sent);
	sat_buf_fini(&b);
}

/* ---- slow ones, judged at the end ------------------------------------------------------ */

typedef struct slow {
	const char *what;
	int fd;
	int64_t from;
	sat_span drip; /* a byte a second */
	size_t at;
} slow;

static void
drip(slow *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (s[i].at < s[i].drip.n)
			(void)put(s[i].fd, s[i].drip.p + s[i].at++, 1);
}

static void
judge_slow(slow *s)
{
	long ms = closed_within(s->fd, HANDSHAKE_MS - (sat_net_now() - s->from));

	verdict(s->what, ms >= 0, "ms later", ms);
	(void)close(s->fd);
}

static void
flood(int64_t until, slow *s, size_t n)
{
	sat_buf b = { 0 };
	int64_t next = 0;
	long asked = 0;
	chan c;

	while (sat_net_now() < until) {
		if (!shake_hands(&c))
			continue;
		say_hello(&b, 1);
		for (int i = 0; i < 200 && sat_net_now() < until; i++) {
			asked += ask(&c, sat_buf_span(&b)) >= 0;
			if (sat_net_now() < next)
				continue;
			next = sat_net_now() + 1000;
			drip(s, n);
		}
		hang_up(&c);
	}
	verdict("hellos without end", asked > 100, "answered", asked);
	sat_buf_fini(&b);
}

static bool
read_address(void)
{
	unsigned port;
	char host[200];

	if (sscanf(invite.address, "tcp://%199[^:]:%u", host, &port) != 2)
		return false;
	server.sin_family = AF_INET;
	server.sin_port = htons((uint16_t)port);
	return inet_pton(AF_INET, host, &server.sin_addr) == 1;
}

int
main(int argc, char **argv)
{
	int64_t seconds = argc > 2 ? atol(argv[2]) : 8;
	uint8_t hello[SAT_SP_HELLO_BYTES];
	slow s[3] = { { .what = "a silent link" },
		{ .what = "half a hello" }, { .what = "a byte a second" } };
	sat_buf b = { 0 };
	sat_err e = { 0 };
	chan stalls, mute;

	sat_crypto_init();
	if (argc < 2 || sat_invite_read(&invite, argv[1], &e) != SAT_OK ||
	    !read_address()) {
		(void)fprintf(stderr, "evil: INVITATION [SECONDS]: %s\n", e.text);
		return 2;
	}
	sat_random(keys.sk, sizeof keys.sk);
	sat_box_keys(keys.pk, keys.sk);
	sat_sp_hello(hello, SAT_SP_REQ0);
	for (int i = 0; i < 3; i++) {
		s[i].fd = dial();
		s[i].from = sat_net_now();
	}
	(void)put(s[1].fd, hello, 4);
	framed(&b, 100, SAT_SP_ID_TOP | 1, hello, 8);
	s[2].drip = sat_buf_span(&b);
	strangers();
	unknown_key();
	if (!shake_hands(&stalls) || !enrol(&stalls))
		verdict("enrolled", false, "links", 0);
	bombs();
	/* 4 MiB announced, a little sent, then silence: held until the end */
	{
		uint8_t head[SAT_SP_HEAD_BYTES];

		sat_sp_head(head, SAT_SP_ID_TOP | 77, SAT_NET_SEALED_MAX);
		(void)put(stalls.fd, head, sizeof head);
		(void)put(stalls.fd, hello, sizeof hello);
	}
	if (shake_hands(&mute) && greeted(&mute))
		never_reads(&mute, 8000);
	else
		verdict("answers never read", false, "links", 0);
	many_links();
	flood(sat_net_now() + seconds * 1000, s, 3);
	for (int i = 0; i < 3; i++)
		judge_slow(&s[i]);
	(void)printf("%d passed, %d failed\n", passed, failed);
	(void)fflush(NULL);
	_exit(failed == 0 ? 0 : 1);
}
