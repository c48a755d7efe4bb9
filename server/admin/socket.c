/*
 * admin.sock: the words of one verb in, its answer out. One request per
 * connection: be32 length, then the words as spans; the answer is be32 length,
 * then rc uint, error spans, output span. Only the same user may connect
 * (SO_PEERCRED). The verb runs on the relay's worker: one writer.
 */
#include "server/admin/admin_int.h"

#include "common/base/log.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define WORDS_MAX 64
#define REQUEST_MAX (1024 * 1024)
#define ANSWER_MAX (64 * 1024 * 1024)

static bool
read_all(int fd, void *out, size_t n)
{
	uint8_t *p = out;

	while (n > 0) {
		ssize_t k = read(fd, p, n);

		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			return false;
		p += k;
		n -= (size_t)k;
	}
	return true;
}

static bool
write_all(int fd, sat_span s)
{
	while (s.n > 0) {
		ssize_t k = send(fd, s.p, s.n, MSG_NOSIGNAL);

		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			return false;
		s.p += k;
		s.n -= (size_t)k;
	}
	return true;
}

/* A frame: be32 length and body. */
static bool
frame_read(int fd, sat_buf *b, uint32_t max)
{
	uint8_t head[4];
	sat_reader r;
	uint32_t n;

	if (!read_all(fd, head, sizeof head))
		return false;
	r = sat_reader_of(sat_span_of(head, sizeof head));
	n = sat_read_be32(&r);
	if (n > max)
		return false;
	sat_buf_reset(b);
	(void)sat_buf_room(b, n > 0 ? n : 1);
	if (!read_all(fd, b->p, n))
		return false;
	b->n = n;
	return true;
}

static bool
frame_write(int fd, const sat_buf *b)
{
	sat_buf head = { 0 };
	bool ok;

	sat_write_be32(&head, (uint32_t)b->n);
	ok = write_all(fd, sat_buf_span(&head)) &&
	    write_all(fd, sat_buf_span(b));
	sat_buf_fini(&head);
	return ok;
}

typedef struct call {
	sat_admin *a;
	int argc;
	char *argv[WORDS_MAX + 1];
	sat_buf out;
	sat_err e;
	sat_rc rc;
} call;

static void
run_on_worker(void *u)
{
	call *c = u;

	c->rc = sat_admin_run(c->a, c->argc, c->argv, &c->out, &c->e);
}

static bool
words_read(call *c, sat_arena *mem, sat_span in)
{
	sat_reader r = sat_reader_of(in);
	uint64_t n = sat_read_uint_max(&r, WORDS_MAX);

	for (uint64_t i = 0; i < n; i++) {
		sat_span s = sat_read_span(&r, 65536);

		c->argv[c->argc++] = sat_arena_str(mem, s.p, s.n);
	}
	return sat_read_end(&r, "admin request", NULL) == SAT_OK;
}

static void
answer_write(sat_buf *b, const call *c)
{
	sat_write_uint(b, (uint64_t)c->rc);
	sat_write_span(b, sat_span_str(c->e.code));
	sat_write_span(b, sat_span_str(c->e.text));
	sat_write_span(b, sat_span_str(c->e.hint));
	sat_write_span(b, sat_buf_span(&c->out));
}

static void
answer_send(int fd, const call *c)
{
	sat_buf b = { 0 };

	answer_write(&b, c);
	(void)frame_write(fd, &b);
	sat_buf_fini(&b);
}

void
admin_socket_drained(sat_admin *a, sat_rc rc, const sat_err *why,
    const sat_buf *out)
{
	call c = { .rc = rc, .out = *out, .e = *why };
	int fd = atomic_exchange(&a->drain_fd, 0);

	if (fd != 0)
		answer_send(fd, &c); /* left open: closed by our end */
}

/* @return false: the descriptor is kept, its answer comes later. */
static bool
serve_one(sat_admin *a, int fd)
{
	struct ucred who;
	socklen_t n = sizeof who;
	call c = { .a = a };
	sat_arena mem = { 0 };
	sat_buf b = { 0 };
	bool waits = false;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &n) != 0 ||
	    who.uid != geteuid()) {
		sat_log(SAT_WARN, "ADMIN-FOREIGN", "uid=%u", (unsigned)who.uid);
		return true;
	}
	if (frame_read(fd, &b, REQUEST_MAX) &&
	    words_read(&c, &mem, sat_buf_span(&b))) {
		c.rc = sat_fail(&c.e, SAT_EUNREACHABLE, "the server is ending");
		a->asker_fd = fd;
		sat_relay_call(a->relay, run_on_worker, &c);
		waits = a->asker_fd != fd;
		if (!waits)
			answer_send(fd, &c);
	}
	sat_buf_fini(&c.out);
	sat_buf_fini(&b);
	sat_arena_fini(&mem);
	return !waits;
}

typedef struct listener {
	sat_admin *a;
	int fd;
} listener;

static void *
accept_loop(void *u)
{
	listener l = *(listener *)u;
	int fd;

	free(u);
	while ((fd = accept4(l.fd, NULL, NULL, SOCK_CLOEXEC)) >= 0 ||
	    errno == EINTR || errno == ECONNABORTED || errno == EMFILE) {
		struct timeval tv = { .tv_sec = 10 };

		if (fd < 0)
			continue;
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv);
		if (serve_one(l.a, fd))
			(void)close(fd);
	}
	return NULL;
}

/* path NULL: in the folder. */
static sat_rc
address_of(struct sockaddr_un *un, const char *dir, const char *path,
    sat_err *e)
{
	int n;

	memset(un, 0, sizeof *un);
	un->sun_family = AF_UNIX;
	n = path != NULL
	    ? snprintf(un->sun_path, sizeof un->sun_path, "%s", path)
	    : snprintf(un->sun_path, sizeof un->sun_path, "%s/admin.sock", dir);
	return (size_t)n < sizeof un->sun_path ? SAT_OK :
	    sat_fail_code(e, SAT_EUSAGE, "socket.path",
	        "give a shorter one: --admin-socket FILE",
	        "the path of the admin socket is longer than %zu bytes",
	        sizeof un->sun_path - 1);
}

sat_rc
admin_socket_start(sat_admin *a, int *out, sat_err *e)
{
	struct sockaddr_un un;
	listener *l;
	pthread_t t;
	sat_rc rc;
	int fd;

	*out = -1;
	if ((rc = address_of(&un, a->dir, a->socket, e)) != SAT_OK)
		return rc;
	(void)unlink(un.sun_path); /* we hold the keyring's lock: it is stale */
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&un, sizeof un) != 0 ||
	    chmod(un.sun_path, 0600) != 0 || listen(fd, 16) != 0) {
		if (fd >= 0)
			(void)close(fd);
		return sat_fail(e, SAT_EIO, "cannot open %s: %s", un.sun_path,
		    strerror(errno));
	}
	l = sat_xmalloc(sizeof *l);
	l->a = a;
	l->fd = fd;
	if (pthread_create(&t, NULL, accept_loop, l) != 0) {
		free(l);
		(void)close(fd);
		return sat_fail(e, SAT_EFAIL, "cannot start a thread");
	}
	(void)pthread_detach(t);
	*out = fd;
	return SAT_OK;
}

void
admin_socket_stop(sat_admin *a, int fd)
{
	struct sockaddr_un un;

	if (fd >= 0)
		(void)shutdown(fd, SHUT_RDWR);
	if (address_of(&un, a->dir, a->socket, NULL) == SAT_OK)
		(void)unlink(un.sun_path);
}

static sat_rc
answer_read(sat_buf *out, sat_span in, sat_err *e)
{
	sat_reader r = sat_reader_of(in);
	uint64_t rc = sat_read_uint(&r);
	sat_span code = sat_read_span(&r, 256), text = sat_read_span(&r, 1024);
	sat_span hint = sat_read_span(&r, 1024), said;
	sat_rc bad;

	said = sat_read_span(&r, ANSWER_MAX);
	if ((bad = sat_read_end(&r, "admin answer", e)) != SAT_OK)
		return bad;
	sat_buf_add(out, said.p, said.n);
	if (rc == 0)
		return SAT_OK;
	sat_fail(e, (sat_rc)rc, "%.*s", (int)text.n, (const char *)text.p);
	if (e != NULL) {
		(void)snprintf(e->code, sizeof e->code, "%.*s", (int)code.n,
		    (const char *)code.p);
		(void)snprintf(e->hint, sizeof e->hint, "%.*s", (int)hint.n,
		    (const char *)hint.p);
	}
	return (sat_rc)rc;
}

/* The other end closes: after `drain` that is the end of the process, and the
 * folder is free when we return. */
static void
wait_for_end(int fd)
{
	uint8_t byte;

	while (read_all(fd, &byte, 1))
		;
}

sat_rc
sat_admin_ask(const char *dir, const char *socket_path, int argc, char *const *argv, sat_buf *out,
    sat_err *e)
{
	struct sockaddr_un un;
	sat_buf b = { 0 };
	sat_rc rc;
	int fd;

	if ((rc = address_of(&un, dir, socket_path, e)) != SAT_OK)
		return rc;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&un, sizeof un) != 0) {
		if (fd >= 0)
			(void)close(fd);
		return sat_fail(e, SAT_EUNREACHABLE,
		    "no server is running on this folder");
	}
	sat_write_uint(&b, (uint64_t)argc);
	for (int i = 0; i < argc; i++)
		sat_write_span(&b, sat_span_str(argv[i]));
	if (!frame_write(fd, &b) || !frame_read(fd, &b, ANSWER_MAX))
		rc = sat_fail(e, SAT_EUNREACHABLE,
		    "the server ended before it answered");
	else
		rc = answer_read(out, sat_buf_span(&b), e);
	wait_for_end(fd);
	(void)close(fd);
	sat_buf_fini(&b);
	return rc;
}
