/* A peer that speaks to a server frame by frame. */
#include "tests/lib/unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "common/crypto/crypto.h"
#include "common/net/net_int.h"
#include "tests/unit/common/net/link.h"

int
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

void
raw_send(int fd, const void *p, size_t n)
{
	(void)!send(fd, p, n, MSG_NOSIGNAL);
}

bool
raw_recv(int fd, void *p, size_t n)
{
	return recv(fd, p, n, MSG_WAITALL) == (ssize_t)n;
}

bool
raw_closed(int fd)
{
	uint8_t b[4096];
	ssize_t n;

	while ((n = recv(fd, b, sizeof b, 0)) > 0)
		;
	return n == 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
}

void
raw_close(int fd, bool rst)
{
	struct linger lg = { 1, 0 };

	if (rst)
		(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &lg, sizeof lg);
	(void)close(fd);
}

void
raw_hello(int fd)
{
	uint8_t h[SAT_SP_HELLO_BYTES];

	sat_sp_hello(h, SAT_SP_REQ0);
	raw_send(fd, h, sizeof h);
}

void
raw_frame(int fd, uint32_t id, sat_span body)
{
	uint8_t head[SAT_SP_HEAD_BYTES];

	sat_sp_head(head, id, body.n);
	raw_send(fd, head, sizeof head);
	raw_send(fd, body.p, body.n);
}

bool
raw_reply(int fd, uint32_t id, void *body, size_t n)
{
	uint8_t head[SAT_SP_HEAD_BYTES], want[SAT_SP_HEAD_BYTES];

	sat_sp_head(want, id, n);
	return raw_recv(fd, head, sizeof head) &&
	    memcmp(head, want, sizeof want) == 0 && raw_recv(fd, body, n);
}

void
noise_start(sat_noise *x, sat_buf *msg1)
{
	uint8_t eph[32];

	sat_random(eph, sizeof eph);
	sat_noise_init(x, true, &device_keys, server_keys.pk, eph,
	    sat_span_str(prologue));
	assert_ok(sat_noise_write1(x, msg1, (sat_span){ NULL, 0 }, &err));
}

int
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

void
raw_seal(sat_buf *b, sat_noise *x, const char *text)
{
	sat_buf_reset(b);
	sat_noise_seal(x, b, sat_span_str(text));
}

void
raw_known(int fd, sat_noise *x)
{
	uint8_t reply[1 + SAT_NOISE_OVERHEAD];
	sat_buf b = { 0 }, got = { 0 };

	raw_seal(&b, x, "?");
	raw_frame(fd, 0x80000002, sat_buf_span(&b));
	assert_true(raw_reply(fd, 0x80000002, reply, sizeof reply));
	assert_ok(sat_noise_unseal(x, &got, sat_span_of(reply, sizeof reply),
	    &err));
	sat_buf_fini(&b);
	sat_buf_fini(&got);
}
