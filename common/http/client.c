/*
 * The asking end: one connection, one request at a time. It speaks to our own
 * daemon only, so it knows the two forms of an answer there are: a length, or
 * chunks.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/crypto/crypto.h"
#include "common/http/http.h"

#define SLICE_MS 100
#define HEAD_MAX (64 * 1024)

struct sat_http_client {
	int fd;
	uint8_t buf[64 * 1024];
	size_t at, n; /* what was read and not yet used */
	bool (*interrupted)(void *u);
	void *u;
};

void
sat_http_escape(sat_buf *out, const char *text)
{
	static const char hex[] = "0123456789ABCDEF";

	for (const unsigned char *p = (const unsigned char *)text; *p != 0;
	     p++) {
		bool plain = (*p >= 'a' && *p <= 'z') ||
		    (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9') ||
		    strchr("-._~", *p) != NULL;
		char three[3] = { '%', hex[*p >> 4], hex[*p & 15] };

		if (plain)
			sat_write_u8(out, *p);
		else
			sat_buf_add(out, three, 3);
	}
}

sat_rc
sat_http_dial(sat_http_client **out, const char *path, sat_err *e)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	socklen_t len = sizeof(struct ucred);
	struct ucred peer;
	int fd;

	*out = NULL;
	if (strlen(path) >= sizeof sa.sun_path)
		return sat_fail(e, SAT_EUNREACHABLE, "no socket has that path");
	memcpy(sa.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&sa, sizeof sa) != 0 ||
	    getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) != 0 ||
	    peer.uid != getuid()) {
		if (fd >= 0)
			(void)close(fd);
		return sat_fail(e, SAT_EUNREACHABLE, "nobody listens at %s",
		    path);
	}
	*out = sat_xcalloc(1, sizeof **out);
	(*out)->fd = fd;
	return SAT_OK;
}

void
sat_http_hangup(sat_http_client *c)
{
	if (c == NULL)
		return;
	(void)close(c->fd);
	sat_wipe(c->buf, sizeof c->buf);
	free(c);
}

/* ---- bytes ----------------------------------------------------------------------- */

static sat_rc
broken(sat_err *e)
{
	return sat_fail_code(e, SAT_EUNREACHABLE, "daemon.gone",
	    "look whether it still runs: satchel status",
	    "the daemon closed the connection");
}

static sat_rc
send_all(sat_http_client *c, const void *p, size_t n, sat_err *e)
{
	const uint8_t *b = p;

	while (n > 0) {
		ssize_t k = send(c->fd, b, n, MSG_NOSIGNAL);

		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			return broken(e);
		b += k;
		n -= (size_t)k;
	}
	return SAT_OK;
}

/* More bytes into the buffer, which is empty. */
static sat_rc
fill(sat_http_client *c, sat_err *e)
{
	struct pollfd p = { .fd = c->fd, .events = POLLIN };
	ssize_t k;

	for (;;) {
		if (c->interrupted != NULL && c->interrupted(c->u))
			return sat_fail_code(e, SAT_EUNREACHABLE,
			    "interrupted", NULL, "interrupted");
		if (poll(&p, 1, SLICE_MS) > 0)
			break;
	}
	k = recv(c->fd, c->buf, sizeof c->buf, 0);
	if (k <= 0)
		return broken(e);
	c->at = 0;
	c->n = (size_t)k;
	return SAT_OK;
}

static sat_rc
read_line(sat_buf *line, sat_http_client *c, sat_err *e)
{
	sat_buf_reset(line);
	for (;;) {
		uint8_t b;
		sat_rc rc;

		if (c->at == c->n && (rc = fill(c, e)) != SAT_OK)
			return rc;
		b = c->buf[c->at++];
		if (b == '\n')
			break;
		if (line->n > HEAD_MAX)
			return broken(e);
		if (b != '\r')
			sat_write_u8(line, b);
	}
	return SAT_OK;
}

static sat_rc
pass_on(sat_http_client *c, uint64_t n, void (*take)(void *u, sat_span piece),
    sat_err *e)
{
	while (n > 0) {
		size_t k;
		sat_rc rc;

		if (c->at == c->n && (rc = fill(c, e)) != SAT_OK)
			return rc;
		k = c->n - c->at < n ? c->n - c->at : (size_t)n;
		take(c->u, sat_span_of(c->buf + c->at, k));
		c->at += k;
		n -= k;
	}
	return SAT_OK;
}

/* ---- one exchange ---------------------------------------------------------------------- */

static sat_rc
send_request(sat_http_client *c, const sat_http_ask *a, sat_err *e)
{
	sat_buf b = { 0 };
	sat_rc rc;

	sat_buf_fmt(&b, "%s %s HTTP/1.1\r\nHost: localhost\r\n%s", a->method,
	    a->target, a->headers);
	if (a->body.n > 0)
		sat_buf_str(&b, "Content-Type: application/json\r\n");
	sat_buf_fmt(&b, "Content-Length: %zu\r\n\r\n", a->body.n);
	if ((rc = send_all(c, b.p, b.n, e)) == SAT_OK)
		rc = send_all(c, a->body.p, a->body.n, e);
	sat_buf_fini(&b);
	return rc;
}

typedef struct head {
	int status;
	bool chunked;
	uint64_t length;
} head;

static sat_rc
read_head(head *h, sat_http_client *c, sat_err *e)
{
	sat_buf line = { 0 };
	sat_rc rc;

	memset(h, 0, sizeof *h);
	if ((rc = read_line(&line, c, e)) == SAT_OK &&
	    sscanf(sat_buf_cstr(&line), "HTTP/1.1 %d", &h->status) != 1)
		rc = broken(e);
	while (rc == SAT_OK && (rc = read_line(&line, c, e)) == SAT_OK &&
	    line.n > 0) {
		const char *s = sat_buf_cstr(&line);

		if (strncasecmp(s, "Content-Length:", 15) == 0)
			h->length = strtoull(s + 15, NULL, 10);
		else if (strncasecmp(s, "Transfer-Encoding: chunked", 26) == 0)
			h->chunked = true;
	}
	sat_buf_fini(&line);
	return rc;
}

static sat_rc
read_chunks(sat_http_client *c, void (*take)(void *u, sat_span piece),
    sat_err *e)
{
	sat_buf line = { 0 };
	uint64_t n = 1;
	sat_rc rc = SAT_OK;

	while (rc == SAT_OK && n > 0) {
		if ((rc = read_line(&line, c, e)) != SAT_OK)
			break;
		n = strtoull(sat_buf_cstr(&line), NULL, 16);
		if ((rc = pass_on(c, n, take, e)) == SAT_OK)
			rc = read_line(&line, c, e); /* behind the data */
	}
	sat_buf_fini(&line);
	return rc;
}

sat_rc
sat_http_request_send(sat_http_client *c, int *status, const sat_http_ask *ask,
    void (*take)(void *u, sat_span piece), bool (*interrupted)(void *u),
    void *u, sat_err *e)
{
	head h;
	sat_rc rc;

	*status = 0;
	c->interrupted = interrupted;
	c->u = u;
	if ((rc = send_request(c, ask, e)) != SAT_OK ||
	    (rc = read_head(&h, c, e)) != SAT_OK)
		return rc;
	*status = h.status;
	return h.chunked ? read_chunks(c, take, e) :
	    pass_on(c, h.length, take, e);
}
