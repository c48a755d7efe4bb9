/*
 * The port when others hold connections and say nothing: whoever says his request
 * is answered, and nobody who is being answered is sent away.
 */
#include "tests/lib/unit.h"

#include "common/base/mem.h"
#include "common/http/http.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

#define SLOW 150 /* more than there are places */

static sat_http *server;
static atomic_int waited, left;

static long
tick(void *u, uint8_t *out, size_t max)
{
	(void)u;
	assert_true(max >= 1);
	(void)usleep(2000);
	out[0] = '.';
	return 1;
}

static void
handle(void *u, sat_http_response *out, const sat_http_request *r)
{
	(void)u;
	if (strcmp(r->path, "/ticks") == 0) {
		out->next = tick;
		return;
	}
	if (strcmp(r->path, "/wait") == 0) {
		assert_false(sat_http_gone(r));
		atomic_fetch_add(&waited, 1);
		for (int i = 0; i < 1000 && !sat_http_gone(r); i++)
			(void)usleep(10000);
		if (sat_http_gone(r))
			atomic_fetch_add(&left, 1);
	}
	sat_buf_str(&out->body, "{}\n");
}

/* Who is turned away at once may be so before he has spoken. */
static int
dial(const char *text)
{
	struct sockaddr_in sa = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)sat_http_port(server)) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(0, connect(fd, (struct sockaddr *)&sa, sizeof sa));
	(void)!send(fd, text, strlen(text), MSG_NOSIGNAL);
	return fd;
}

static char *
whole(const char *path)
{
	return sat_xasprintf("GET %s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\n\r\n",
	    path, sat_http_port(server));
}

/* Does something come within five seconds? */
static bool
comes(int fd, const char *begin)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char got[64] = "";

	return poll(&p, 1, 5000) == 1 && recv(fd, got, sizeof got - 1, 0) > 0 &&
	    strncmp(got, begin, strlen(begin)) == 0;
}

/* -1: nobody answered. */
static int
ask(const char *path)
{
	char *text = whole(path);
	int fd = dial(text);
	bool yes = comes(fd, "HTTP/1.1 200");

	free(text);
	if (!yes)
		(void)close(fd);
	return yes ? fd : -1;
}

/* A connection with an answer on it. Who is sent away leaves on a thread of his own,
 * and who closed is noticed a moment later: until then all places may be taken, and
 * whoever comes is turned away at once and tries again. */
static int
answered(const char *path)
{
	int fd = ask(path);

	for (int i = 0; i < 100 && fd < 0; i++) {
		(void)usleep(50000);
		fd = ask(path);
	}
	return fd;
}

static bool
is_answered(const char *path)
{
	int fd = answered(path);

	if (fd >= 0)
		(void)close(fd);
	return fd >= 0;
}

static void
who_says_nothing_keeps_nobody_out(void **state)
{
	static const char *const slow[] = { "GET /x HT",
		"POST /x HTTP/1.1\r\nContent-Length: 90000\r\n" };
	int fd[SLOW];

	(void)state;
	for (int i = 0; i < SLOW; i++) {
		fd[i] = dial(slow[i % 2]);
		if (i > 30 && i % 8 == 0)
			assert_true(is_answered("/x"));
	}
	assert_true(is_answered("/x"));
	for (int i = 0; i < SLOW; i++)
		(void)close(fd[i]);
}

/* Its body is another way to say nothing. */
static void
nor_does_who_sends_a_body_and_does_not_end_it(void **state)
{
	char *text = sat_xasprintf("POST /x HTTP/1.1\r\nHost: 127.0.0.1:%u\r\n"
	    "Content-Length: 90000\r\n\r\n{", sat_http_port(server));
	int fd[SLOW];

	(void)state;
	for (int i = 0; i < SLOW; i++)
		fd[i] = dial(text);
	assert_true(is_answered("/x"));
	for (int i = 0; i < SLOW; i++)
		(void)close(fd[i]);
	free(text);
}

static void
who_is_being_answered_stays(void **state) /* Q1 */
{
	int busy = answered("/ticks"), fd[SLOW];
	char got[4096];

	(void)state;
	assert_true(busy >= 0);
	for (int i = 0; i < SLOW; i++)
		fd[i] = dial("GET /x HT");
	assert_true(is_answered("/x"));
	for (int i = 0; i < 200; i++)
		assert_true(recv(busy, got, sizeof got, 0) > 0);
	(void)close(busy);
	for (int i = 0; i < SLOW; i++)
		(void)close(fd[i]);
}

static void
a_handler_sees_that_whoever_asked_has_left(void **state)
{
	char *text = whole("/wait");
	int fd = -1;

	(void)state;
	for (int i = 0; i < 500 && atomic_load(&waited) == 0; i++) {
		struct pollfd away = { .fd = fd, .events = POLLIN };

		if (fd >= 0 && poll(&away, 1, 0) == 1) {
			(void)close(fd);
			fd = -1;
		}
		if (fd < 0)
			fd = dial(text);
		(void)usleep(10000);
	}
	free(text);
	(void)usleep(50000);
	assert_int_equal(0, atomic_load(&left));
	(void)close(fd);
	for (int i = 0; i < 300 && atomic_load(&left) == 0; i++)
		(void)usleep(10000);
	assert_int_equal(1, atomic_load(&left));
}

static int
begin(void **state)
{
	sat_http_opts o = { .tcp = true, .handle = handle };

	(void)state;
	return sat_http_serve(&server, &o, NULL) == SAT_OK ? 0 : -1;
}

static int
end(void **state)
{
	(void)state;
	sat_http_stop(server);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_says_nothing_keeps_nobody_out),
		cmocka_unit_test(nor_does_who_sends_a_body_and_does_not_end_it),
		cmocka_unit_test(who_is_being_answered_stays),
		cmocka_unit_test(a_handler_sees_that_whoever_asked_has_left),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
