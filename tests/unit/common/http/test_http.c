/*
 * The door on a real socket: what goes in comes out, limits hold, a stream
 * ends with its reader, a left-over socket is no obstacle.
 */
#include "tests/lib/unit.h"

#include "common/base/mem.h"
#include "common/crypto/crypto.h"
#include "common/http/http.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static char *dir, *path;
static sat_http *server;
static sat_err err;

/* ---- a server that says what it was asked ------------------------------------------ */

typedef struct counter { /* a stream of "tick\n", for ever or `left` times */
	int left;
} counter;
static atomic_int ended, running;

static long
tick(void *u, uint8_t *out, size_t max)
{
	counter *c = u;

	assert_true(max >= 5);
	if (c->left == 0)
		return -1;
	c->left--;
	(void)usleep(1000);
	memcpy(out, "tick\n", 5);
	return 5;
}

static void
stop_ticking(void *u)
{
	free(u);
	atomic_fetch_add(&ended, 1);
}

static void
on_pair(void *u, const char *key, const char *value)
{
	sat_buf_fmt(u, "%s=%s;", key, value);
}

typedef struct taken { /* a body that is not kept in memory */
	sat_buf file, fields;
	char name[40];
} taken;
static atomic_int sinks_ended;

static void
take(void *u, sat_span piece)
{
	sat_buf_add(&((taken *)u)->file, piece.p, piece.n);
}

static void
name_it(void *u, const char *name)
{
	(void)snprintf(((taken *)u)->name, 40, "%s", name);
}

static void
put_field(void *u, const char *key, sat_span piece)
{
	sat_buf_fmt(&((taken *)u)->fields, "%s=%.*s;", key, (int)piece.n,
	    (const char *)piece.p);
}

static void
end_sink(void *u)
{
	taken *t = u;

	sat_buf_fini(&t->fields);
	sat_buf_fini(&t->file);
	free(t);
	atomic_fetch_add(&sinks_ended, 1);
}

static bool
upload(void *u, sat_http_sink *sink, const sat_http_request *r)
{
	(void)u;
	if (strcmp(r->path, "/upload") != 0)
		return false;
	*sink = (sat_http_sink){ .u = sat_xcalloc(1, sizeof(taken)),
		.take = take, .named = name_it, .field = put_field,
		.end = end_sink };
	return true;
}

static void
handle(void *u, sat_http_response *out, const sat_http_request *r)
{
	taken *t = r->upload;
	const char *mark = sat_http_header(r, "X-Mark");
	counter *c;

	(void)u;
	atomic_fetch_add(&running, 1);
	if (strncmp(r->path, "/ticks/", 7) == 0) {
		c = sat_xcalloc(1, sizeof *c);
		c->left = atoi(r->path + 7);
		out->next = tick;
		out->end = stop_ticking;
		out->stream = c;
		out->type = "text/plain";
		return;
	}
	if (strcmp(r->path, "/slow") == 0)
		(void)usleep(300000);
	if (t != NULL) {
		sat_buf_fmt(&out->body, "%zu in memory, %zu taken", r->body.n,
		    t->file.n);
		if (t->name[0] != '\0')
			sat_buf_fmt(&out->body, " of %s, fields %s", t->name,
			    t->fields.n > 0 ? sat_buf_cstr(&t->fields) : "-");
		return;
	}
	out->status = strcmp(r->path, "/teapot") == 0 ? 418 : 200;
	(void)snprintf(out->etag, sizeof out->etag, "\"v1\"");
	sat_buf_fmt(&out->body, "%s %s [", r->method, r->path);
	sat_http_query(r, on_pair, &out->body);
	sat_buf_fmt(&out->body, "] %s %zu:", mark != NULL ? mark : "-",
	    r->body.n);
	sat_buf_add(&out->body, r->body.p, r->body.n < 64 ? r->body.n : 64);
}

static int
start(void **state)
{
	sat_http_opts o = { .handle = handle, .upload = upload };

	(void)state;
	dir = sat_test_dir();
	path = sat_xasprintf("%s/sock", dir);
	o.socket_path = path;
	assert_ok(sat_http_serve(&server, &o, &err));
	return 0;
}

static int
end(void **state)
{
	(void)state;
	sat_http_stop(server);
	assert_int_not_equal(0, access(path, F_OK)); /* it is taken away */
	sat_test_rmdir(dir);
	free(path);
	return 0;
}

/* ---- asking ------------------------------------------------------------------------- */

static void
keep(void *u, sat_span piece)
{
	sat_buf_add(u, piece.p, piece.n);
}

static int
ask(sat_buf *body, const char *method, const char *target, const char *headers,
    sat_span send)
{
	sat_http_ask a = { method, target, headers, send };
	sat_http_client *c;
	int status;

	sat_buf_reset(body);
	assert_ok(sat_http_dial(&c, path, &err));
	assert_ok(sat_http_request_send(c, &status, &a, keep, NULL, body,
	    &err));
	sat_http_hangup(c);
	return status;
}

static const sat_span nothing;

static void
a_request_comes_as_it_was_sent(void **state)
{
	sat_buf b = { 0 };

	(void)state;
	assert_int_equal(200, ask(&b, "PATCH",
	    "/a%20b/%E7%94%B2?x=1%262&y%5B%5D=%3D&z=", "X-Mark: here\r\n",
	    sat_span_str("body")));
	assert_string_equal("PATCH /a b/\xe7\x94\xb2 [x=1&2;y[]==;z=;] here 4:body",
	    sat_buf_cstr(&b));
	assert_int_equal(418, ask(&b, "GET", "/teapot", "", nothing));
	/* a NUL would end the text: what comes behind it is not lost */
	assert_int_equal(200, ask(&b, "GET", "/a%00b?k=1%002&l=%zz%2", "",
	    nothing));
	assert_string_equal("GET /a%00b [k=1%002;l=%zz%2;] - 0:",
	    sat_buf_cstr(&b));
	sat_buf_fini(&b);
}

static void
an_upload_goes_to_its_sink_and_not_into_memory(void **state)
{
	sat_buf b = { 0 }, big = { 0 };
	int before = atomic_load(&sinks_ended);

	(void)state;
	/* three times what a body in memory may have */
	memset(sat_buf_room(&big, 3 * SAT_HTTP_BODY_MAX), 'x',
	    3 * SAT_HTTP_BODY_MAX);
	big.n = 3 * SAT_HTTP_BODY_MAX;
	assert_int_equal(200, ask(&b, "POST", "/upload", "",
	    sat_buf_span(&big)));
	assert_string_equal("0 in memory, 3145728 taken",
	    sat_buf_cstr(&b));
	/* the same body elsewhere is too long */
	assert_int_equal(413, ask(&b, "POST", "/other", "",
	    sat_buf_span(&big)));
	assert_non_null(strstr(sat_buf_cstr(&b), "\"code\":\"usage.body\""));
	for (int i = 0; i < 200 && atomic_load(&sinks_ended) == before; i++)
		(void)usleep(10000);
	assert_int_equal(before + 1, atomic_load(&sinks_ended));
	sat_buf_fini(&big);
	sat_buf_fini(&b);
}

static void
what_is_escaped_comes_back_as_it_was(void **state)
{
	uint64_t seed = sat_test_seed(3);
	sat_buf b = { 0 }, target = { 0 }, want = { 0 };

	(void)state;
	for (int i = 0; i < 200; i++) {
		char text[40];
		size_t n = sat_test_rand(&seed) % 39;

		for (size_t k = 0; k < n; k++)
			text[k] = (char)(1 + sat_test_rand(&seed) % 127);
		text[n] = '\0';
		sat_buf_reset(&target);
		sat_buf_reset(&want);
		sat_buf_str(&target, "/q?k=");
		sat_http_escape(&target, text);
		sat_buf_fmt(&want, "GET /q [k=%s;] - 0:", text);
		assert_int_equal(200, ask(&b, "GET", sat_buf_cstr(&target), "",
		    nothing));
		assert_string_equal(sat_buf_cstr(&want), sat_buf_cstr(&b));
	}
	sat_buf_fini(&b);
	sat_buf_fini(&target);
	sat_buf_fini(&want);
}

static void
one_connection_serves_many_requests(void **state)
{
	sat_http_ask a = { "GET", "/x", "", nothing };
	sat_http_client *c;
	sat_buf b = { 0 };
	int status;

	(void)state;
	assert_ok(sat_http_dial(&c, path, &err));
	for (int i = 0; i < 50; i++) {
		a.target = i % 5 == 4 ? "/ticks/3" : "/x";
		sat_buf_reset(&b);
		assert_ok(sat_http_request_send(c, &status, &a, keep, NULL, &b,
		    &err));
		assert_int_equal(200, status);
		assert_string_equal(i % 5 == 4 ? "tick\ntick\ntick\n" :
		    "GET /x [] - 0:", sat_buf_cstr(&b));
	}
	sat_http_hangup(c);
	sat_buf_fini(&b);
}

static void
limits_are_those_of_the_design(void **state)
{
	uint8_t *big = sat_xcalloc(1, SAT_HTTP_BODY_MAX + 1);
	char *header = sat_xmalloc(40000);
	sat_buf b = { 0 };

	(void)state;
	memset(big, 'x', SAT_HTTP_BODY_MAX + 1);
	assert_int_equal(200, ask(&b, "POST", "/b", "",
	    sat_span_of(big, SAT_HTTP_BODY_MAX)));
	assert_int_equal(413, ask(&b, "POST", "/b", "",
	    sat_span_of(big, SAT_HTTP_BODY_MAX + 1)));
	memset(header, 'y', 40000);
	memcpy(header, "X-Long: ", 8);
	memcpy(header + 12000, "\r\n", 3);
	assert_int_equal(200, ask(&b, "GET", "/h", header, nothing));
	header[12000] = 'y';
	header[12001] = 'y';
	header[12002] = 'y';
	memcpy(header + 17000, "\r\n", 3);
	assert_int_equal(431, ask(&b, "GET", "/h", header, nothing));
	header[17000] = 'y';
	header[17001] = 'y';
	memcpy(header + 39990, "\r\n", 3);
	header[17002] = 'y';
	assert_int_equal(431, ask(&b, "GET", "/h", header, nothing));
	free(big);
	free(header);
	sat_buf_fini(&b);
}

static int
raw(const char *text)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	memcpy(sa.sun_path, path, strlen(path) + 1);
	if (connect(fd, (struct sockaddr *)&sa, sizeof sa) != 0) {
		(void)close(fd);
		return -1;
	}
	(void)send(fd, text, strlen(text), MSG_NOSIGNAL);
	return fd;
}

static void
comes_to(atomic_int *n, int want)
{
	for (int i = 0; i < 500 && atomic_load(n) != want; i++)
		(void)usleep(10000);
	assert_int_equal(want, atomic_load(n));
}

static void
a_stream_ends_when_its_reader_leaves(void **state)
{
	int before = atomic_load(&ended), fd[8];
	char byte[64];

	(void)state;
	for (int i = 0; i < 8; i++) {
		fd[i] = raw("GET /ticks/1000000 HTTP/1.1\r\nHost: x\r\n\r\n");
		assert_true(recv(fd[i], byte, sizeof byte, 0) > 0);
	}
	assert_int_equal(before, atomic_load(&ended));
	for (int i = 0; i < 8; i++)
		(void)close(fd[i]);
	comes_to(&ended, before + 8);
}

static void
garbage_is_refused_and_the_next_request_is_served(void **state)
{
	static const char *const bad[] = { "\x16\x03\x01\x02\x01\r\n\r\n",
		"GET\r\n\r\n", "GET / HTTP/9.9\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
		"zz\r\n" };
	int before = atomic_load(&running);
	sat_buf b = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct pollfd p = { .fd = raw(bad[i]), .events = POLLIN };
		char text[16] = "";

		assert_true(p.fd >= 0);
		if (poll(&p, 1, 5000) != 1)
			fail_msg("no answer to: %s", bad[i]);
		if (recv(p.fd, text, 12, 0) > 0)
			assert_true(strncmp(text, "HTTP/1.1 4", 10) == 0 ||
			    strncmp(text, "HTTP/1.1 5", 10) == 0 ||
			    strncmp(text, "HTTP/1.0 4", 10) == 0 ||
			    strncmp(text, "HTTP/1.0 5", 10) == 0);
		(void)close(p.fd);
		if (before != atomic_load(&running))
			fail_msg("handled: %s", bad[i]);
	}
	assert_int_equal(200, ask(&b, "GET", "/x", "", nothing));
	sat_buf_fini(&b);
}

/* Of what an upload's body says, the answer's status and body. */
static unsigned
post_form(char answer[200], const char *boundary, const char *form)
{
	char *text = sat_xasprintf("POST /upload HTTP/1.1\r\nHost: x\r\n"
	    "Connection: close\r\n"
	    "Content-Type: multipart/form-data%s\r\nContent-Length: %zu\r\n"
	    "\r\n%s", boundary, strlen(form), form), got[2000], *body;
	int fd = raw(text);
	size_t n = 0;
	ssize_t k;

	assert_true(fd >= 0);
	while (n < sizeof got - 1 && (k = recv(fd, got + n, sizeof got - 1 - n,
	    0)) > 0)
		n += (size_t)k;
	(void)close(fd);
	free(text);
	got[n] = '\0';
	body = strstr(got, "\r\n\r\n");
	assert_non_null(body);
	(void)snprintf(answer, 200, "%s", body + 4);
	return (unsigned)strtoul(got + strlen("HTTP/1.1 "), NULL, 10);
}

static void
a_form_that_is_not_whole_is_refused_and_no_part_needs_a_name(void **state)
{
	static const char whole[] =
	    "--BOUND\r\nContent-Disposition: form-data\r\n\r\nhello\r\n"
	    "--BOUND\r\nContent-Disposition: form-data; name=\"k\"\r\n\r\nv\r\n"
	    "--BOUND\r\nContent-Disposition: form-data; name=\"f\"; "
	    "filename=\"a.csv\"\r\n\r\nname\r\nx\r\n--BOUND--\r\n";
	char text[200], cut[sizeof whole];

	(void)state;
	assert_int_equal(200, post_form(text, "; boundary=BOUND", whole));
	assert_string_equal("0 in memory, 7 taken of a.csv, fields =hello;k=v;",
	    text);
	for (size_t n = 1; n < strlen(whole) - 4; n += 7) {
		(void)snprintf(cut, sizeof cut, "%.*s", (int)n, whole);
		if (post_form(text, "; boundary=BOUND", cut) != 400)
			fail_msg("%zu bytes: %s", n, text);
		assert_non_null(strstr(text, "\"usage.body\""));
	}
	assert_int_equal(400, post_form(text, "", whole));
	assert_int_equal(400, post_form(text, "; boundary=", whole));
	assert_int_equal(400, post_form(text, "; boundary=OTHER", whole));
}

static bool
at_once(void *u)
{
	(void)u;
	return true;
}

static void
a_wait_for_an_answer_can_be_left(void **state)
{
	sat_http_ask a = { "GET", "/slow", "", nothing };
	sat_http_client *c;
	sat_buf b = { 0 };
	int status;

	(void)state;
	assert_ok(sat_http_dial(&c, path, &err));
	assert_rc(SAT_EUNREACHABLE, sat_http_request_send(c, &status, &a, keep,
	    at_once, &b, &err));
	assert_int_equal(0, status);
	sat_http_hangup(c);
	sat_buf_fini(&b);
}

static void
the_socket_is_its_owners_alone(void **state)
{
	struct stat st;
	char byte[32] = "";
	int status, fd;
	pid_t pid;

	(void)state;
	assert_int_equal(0, stat(path, &st));
	assert_int_equal(0600, st.st_mode & 0777);
	if (getuid() != 0)
		skip(); /* nobody else to be */
	assert_int_equal(0, chmod(dir, 0755)); /* were the folder open ... */
	assert_int_equal(0, chmod(path, 0666));
	if ((pid = fork()) == 0) {
		if (setgid(65534) != 0 || setuid(65534) != 0)
			_exit(2);
		fd = raw("GET /x HTTP/1.1\r\nHost: x\r\n\r\n");
		if (fd < 0 || recv(fd, byte, 12, 0) != 12)
			_exit(3);
		_exit(strncmp(byte, "HTTP/1.1 403", 12) == 0 ? 0 : 4);
	}
	assert_int_equal(pid, waitpid(pid, &status, 0));
	assert_int_equal(0, status);
	assert_int_equal(0, chmod(path, 0600));
}

static void
a_second_server_is_refused_and_a_left_over_socket_replaced(void **state)
{
	char *other = sat_xasprintf("%s/other", dir);
	sat_http_opts o = { .socket_path = path, .handle = handle };
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	sat_http *h = NULL;
	char longer[200];
	int fd;

	(void)state;
	assert_rc(SAT_EBUSY, sat_http_serve(&h, &o, &err));
	assert_int_equal(0, access(path, F_OK));
	/* a socket file nobody listens on any more */
	memcpy(sa.sun_path, other, strlen(other) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(0, bind(fd, (struct sockaddr *)&sa, sizeof sa));
	(void)close(fd);
	o.socket_path = other;
	assert_ok(sat_http_serve(&h, &o, &err));
	sat_http_stop(h);
	memset(longer, 'z', sizeof longer);
	longer[0] = '/';
	longer[sizeof longer - 1] = '\0';
	o.socket_path = longer;
	assert_rc(SAT_EUSAGE, sat_http_serve(&h, &o, &err));
	free(other);
}

/* A port without a socket: status of one request with these headers. */
static int
ask_port(unsigned port, const char *headers)
{
	struct sockaddr_in sa = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	char text[400], line[13] = "";

	(void)snprintf(text, sizeof text, "GET /x HTTP/1.1\r\n%s\r\n", headers);
	assert_int_equal(0, connect(fd, (struct sockaddr *)&sa, sizeof sa));
	assert_int_equal(strlen(text), send(fd, text, strlen(text), 0));
	assert_int_equal(12, recv(fd, line, 12, MSG_WAITALL));
	(void)close(fd);
	return atoi(line + 9);
}

static void
a_port_of_the_network_has_no_name_but_serves_no_page(void **state)
{
	sat_http_opts o = { .tcp = true, .tcp_host = "0.0.0.0",
		.handle = handle };
	sat_http *h = NULL;
	char own[80];

	(void)state;
	assert_ok(sat_http_serve(&h, &o, &err));
	assert_int_equal(200, ask_port(sat_http_port(h), "Host: monitor.lan\r\n"));
	assert_int_equal(403, ask_port(sat_http_port(h),
	    "Host: monitor.lan\r\nOrigin: http://monitor.lan\r\n"));
	sat_http_stop(h);
	o.tcp_host = "127.0.0.1"; /* reached from a browser here: its own names */
	assert_ok(sat_http_serve(&h, &o, &err));
	assert_int_equal(421, ask_port(sat_http_port(h), "Host: monitor.lan\r\n"));
	(void)snprintf(own, sizeof own, "Host: localhost:%u\r\n",
	    sat_http_port(h));
	assert_int_equal(200, ask_port(sat_http_port(h), own));
	sat_http_stop(h);
	o.tcp_host = "monitor.lan"; /* nobody is asked for a name */
	assert_rc(SAT_EUSAGE, sat_http_serve(&h, &o, &err));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_comes_as_it_was_sent),
		cmocka_unit_test(an_upload_goes_to_its_sink_and_not_into_memory),
		cmocka_unit_test(what_is_escaped_comes_back_as_it_was),
		cmocka_unit_test(one_connection_serves_many_requests),
		cmocka_unit_test(limits_are_those_of_the_design),
		cmocka_unit_test(a_stream_ends_when_its_reader_leaves),
		cmocka_unit_test(garbage_is_refused_and_the_next_request_is_served),
		cmocka_unit_test(
		    a_form_that_is_not_whole_is_refused_and_no_part_needs_a_name),
		cmocka_unit_test(a_wait_for_an_answer_can_be_left),
		cmocka_unit_test(the_socket_is_its_owners_alone),
		cmocka_unit_test(
		    a_second_server_is_refused_and_a_left_over_socket_replaced),
		cmocka_unit_test(
		    a_port_of_the_network_has_no_name_but_serves_no_page),
	};

	sat_crypto_init();
	return cmocka_run_group_tests(tests, start, end);
}
