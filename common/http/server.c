/*
 * libmicrohttpd with one thread per connection, on a socket we made.
 *
 * Why its own timeout is taken off while a request is answered: it counts from
 * the last byte that moved, and an answer may be waited for longer than that.
 */
#include <ctype.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <microhttpd.h>

#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/crypto/crypto.h"
#include "common/http/http_int.h"

/* The library reads headers into half of its pool. */
#define POOL_BYTES (3 * SAT_HTTP_HEADER_MAX)
#define PIECE_BYTES (32 * 1024)

typedef struct doorway { /* what a connection came through */
	sat_http *h;
	bool tcp;
} doorway;

struct sat_http {
	struct MHD_Daemon *daemon, *tcp; /* tcp NULL = no port */
	guests *guests;                  /* of the port */
	doorway local, port_;
	unsigned port;
	bool loopback; /* the port is reached from this machine only */
	sat_http_opts o;
	char *path; /* NULL = no socket */
};

typedef struct incoming { /* of one request */
	sat_buf body;
	bool too_long;
	sat_http_sink sink;           /* u NULL: the body is in memory */
	struct MHD_PostProcessor *form; /* of multipart/form-data */
	uint64_t taken;
	bool in_file, had_file;       /* of a form */
	bool had_part;
	bool no_form;                 /* it says to be one, and is none */
} incoming;

const char *
sat_http_header(const sat_http_request *r, const char *name)
{
	return MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND,
	    name);
}

bool
sat_http_gone(const sat_http_request *r)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(
	    r->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct pollfd p = { .events = POLLRDHUP };

	if (info == NULL)
		return true;
	p.fd = info->connect_fd;
	return poll(&p, 1, 0) > 0 &&
	    (p.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

/* At the port: does this connection owe us a request from now on? */
static void
owes(const doorway *w, struct MHD_Connection *c, bool yes)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(c,
	    MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	if (w->tcp && info != NULL && info->socket_context != NULL)
		http_guest_owes(w->h->guests, info->socket_context, yes);
}

typedef struct each {
	void (*cb)(void *u, const char *key, const char *value);
	void *u;
} each;

static enum MHD_Result
on_pair(void *u, enum MHD_ValueKind kind, const char *key, const char *value)
{
	each *x = u;

	(void)kind;
	x->cb(x->u, key, value != NULL ? value : "");
	return MHD_YES;
}

void
sat_http_query(const sat_http_request *r,
    void (*cb)(void *u, const char *key, const char *value), void *u)
{
	each x = { cb, u };

	(void)MHD_get_connection_values(r->connection, MHD_GET_ARGUMENT_KIND,
	    on_pair, &x);
}

/* ---- who asks --------------------------------------------------------------------- */

static bool
is_own_user(struct MHD_Connection *c)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(c,
	    MHD_CONNECTION_INFO_CONNECTION_FD);
	struct ucred peer;
	socklen_t n = sizeof peer;

	return info != NULL && getsockopt(info->connect_fd, SOL_SOCKET,
	    SO_PEERCRED, &peer, &n) == 0 && peer.uid == getuid();
}

/* "127.0.0.1:PORT" and its other names, behind what the header begins with. */
static bool
is_ours(const sat_http *h, const char *value, const char *begin)
{
	static const char *const names[] = { "127.0.0.1", "localhost", "[::1]" };
	char want[64];

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		(void)snprintf(want, sizeof want, "%s%s:%u", begin, names[i],
		    h->port);
		if (strcmp(value, want) == 0)
			return true;
	}
	return false;
}

/* A name that leads here by somebody else's DNS, or a page of somebody else's:
 * the status to refuse it with, 0 for neither. */
static unsigned
foreign(const sat_http *h, struct MHD_Connection *c)
{
	const char *host = MHD_lookup_connection_value(c, MHD_HEADER_KIND,
	    MHD_HTTP_HEADER_HOST);
	const char *origin = MHD_lookup_connection_value(c, MHD_HEADER_KIND,
	    MHD_HTTP_HEADER_ORIGIN);

	if (!h->loopback) /* anybody's: no page of his may ask all the same */
		return origin != NULL ? MHD_HTTP_FORBIDDEN : 0;
	if (host == NULL || !is_ours(h, host, ""))
		return MHD_HTTP_MISDIRECTED_REQUEST;
	return origin != NULL && !is_ours(h, origin, "http://") ?
	    MHD_HTTP_FORBIDDEN : 0;
}

static enum MHD_Result
on_size(void *u, enum MHD_ValueKind kind, const char *key, const char *value)
{
	size_t *n = u;

	(void)kind;
	*n += strlen(key) + (value != NULL ? strlen(value) : 0) + 4;
	return MHD_YES;
}

static bool
head_too_long(struct MHD_Connection *c, const char *path)
{
	size_t n = strlen(path);

	(void)MHD_get_connection_values(c, MHD_HEADER_KIND, on_size, &n);
	(void)MHD_get_connection_values(c, MHD_GET_ARGUMENT_KIND, on_size, &n);
	return n > SAT_HTTP_HEADER_MAX;
}

/* ---- a body that is not kept in memory -------------------------------------------- */

/* A part of a form, piece by piece; `off` 0 begins it. One without a name has
 * no key. */
static enum MHD_Result
on_part(void *u, enum MHD_ValueKind kind, const char *key,
    const char *filename, const char *type, const char *encoding,
    const char *data, uint64_t off, size_t n)
{
	incoming *in = u;
	sat_span piece = sat_span_of(data, n);

	(void)kind;
	(void)type;
	(void)encoding;
	in->had_part = true;
	if (off == 0) {
		in->in_file = filename != NULL && !in->had_file;
		in->had_file = in->had_file || in->in_file;
		if (in->in_file)
			in->sink.named(in->sink.u, filename);
	}
	if (filename == NULL)
		in->sink.field(in->sink.u, key != NULL ? key : "", piece);
	else if (in->in_file && n > 0)
		in->sink.take(in->sink.u, piece);
	return MHD_YES;
}

static void
open_sink(incoming *in, const doorway *w, struct MHD_Connection *c,
    const char *method, const char *path)
{
	static const char form[] = "multipart/form-data";
	sat_http_request q = { .method = method, .path = path, .tcp = w->tcp,
		.connection = c };
	const char *type = sat_http_header(&q, MHD_HTTP_HEADER_CONTENT_TYPE);

	if (w->h->o.upload == NULL ||
	    !w->h->o.upload(w->h->o.u, &in->sink, &q)) {
		in->sink.u = NULL;
		return;
	}
	if (type != NULL && strncmp(type, form, sizeof form - 1) == 0) {
		in->form = MHD_create_post_processor(c, PIECE_BYTES, on_part,
		    in);
		in->no_form = in->form == NULL;
	}
}

static void
take_piece(incoming *in, const char *data, size_t n)
{
	if (in->sink.u != NULL) {
		in->taken += n;
		in->too_long = in->too_long || in->taken > SAT_HTTP_UPLOAD_MAX;
		if (in->too_long || in->no_form)
			return;
		if (in->form != NULL)
			in->no_form = MHD_post_process(in->form, data, n) !=
			    MHD_YES;
		else
			in->sink.take(in->sink.u, sat_span_of(data, n));
		return;
	}
	in->too_long = in->too_long || in->body.n + n > SAT_HTTP_BODY_MAX;
	if (!in->too_long)
		sat_buf_add(&in->body, data, n);
}

/* ---- one answer -------------------------------------------------------------------- */

typedef struct flow { /* a streamed answer */
	long (*next)(void *stream, uint8_t *out, size_t max);
	void (*end)(void *stream);
	void *stream;
} flow;

static ssize_t
on_more(void *u, uint64_t pos, char *buf, size_t max)
{
	flow *f = u;
	long n = f->next(f->stream, (uint8_t *)buf, max);

	(void)pos;
	return n == -2 ? MHD_CONTENT_READER_END_WITH_ERROR :
	    n < 0 ? MHD_CONTENT_READER_END_OF_STREAM : n;
}

static void
on_end(void *u)
{
	flow *f = u;

	if (f->end != NULL)
		f->end(f->stream);
	free(f);
}

static struct MHD_Response *
response_of(sat_http_response *x)
{
	struct MHD_Response *r;
	flow *f;

	if (x->next != NULL) {
		f = sat_xcalloc(1, sizeof *f);
		*f = (flow){ x->next, x->end, x->stream };
		return MHD_create_response_from_callback(x->length > 0 ?
		    x->length : MHD_SIZE_UNKNOWN, PIECE_BYTES, on_more, f, on_end);
	}
	r = MHD_create_response_from_buffer(x->body.n, x->body.p,
	    MHD_RESPMEM_MUST_COPY);
	return r;
}

/* A name that is no ASCII is said as RFC 6266 has it. */
static void
put_disposition(struct MHD_Response *r, const char *name)
{
	bool plain = true;
	sat_buf b = { 0 };

	for (const char *p = name; *p != '\0'; p++)
		plain = plain && *p >= 0x20 && *p < 0x7f && *p != '"' &&
		    *p != '\\';
	sat_buf_str(&b, "attachment; filename");
	if (plain) {
		sat_buf_fmt(&b, "=\"%s\"", name);
	} else {
		sat_buf_str(&b, "*=UTF-8''");
		sat_http_escape(&b, name);
	}
	if (name[0] != '\0')
		(void)MHD_add_response_header(r,
		    MHD_HTTP_HEADER_CONTENT_DISPOSITION, sat_buf_cstr(&b));
	sat_buf_fini(&b);
}

static enum MHD_Result
answer(const doorway *w, struct MHD_Connection *c, const char *method,
    const char *path, incoming *in)
{
	sat_http *h = w->h;
	sat_http_request q = { method, path, sat_buf_span(&in->body), w->tcp,
		c, in->sink.u };
	sat_http_response x = { .asked = path, .status = 200,
		.type = "application/json" };
	struct MHD_Response *r;
	enum MHD_Result rv;

	(void)MHD_set_connection_option(c, MHD_CONNECTION_OPTION_TIMEOUT, 0u);
	owes(w, c, false);
	h->o.handle(h->o.u, &x, &q);
	r = response_of(&x);
	(void)MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, x.type);
	http_add_always(r);
	if (x.allow[0] != '\0')
		(void)MHD_add_response_header(r, MHD_HTTP_HEADER_ALLOW, x.allow);
	if (x.status == MHD_HTTP_UNAUTHORIZED)
		(void)MHD_add_response_header(r,
		    MHD_HTTP_HEADER_WWW_AUTHENTICATE, "Bearer");
	if (x.etag[0] != '\0')
		(void)MHD_add_response_header(r, MHD_HTTP_HEADER_ETAG, x.etag);
	if (x.location[0] != '\0')
		(void)MHD_add_response_header(r, MHD_HTTP_HEADER_LOCATION,
		    x.location);
	put_disposition(r, x.save_as);
	rv = MHD_queue_response(c, (unsigned)x.status, r);
	MHD_destroy_response(r);
	sat_buf_fini(&x.body);
	return rv;
}

/* Called with the headers, then per piece of the body, then for the answer. */
static enum MHD_Result
on_access(void *u, struct MHD_Connection *c, const char *path,
    const char *method, const char *version, const char *data, size_t *n,
    void **state)
{
	const doorway *w = u;
	incoming *in = *state;
	unsigned no;

	(void)version;
	if (in == NULL) {
		if ((no = w->tcp ? foreign(w->h, c) : is_own_user(c) ? 0 :
		    MHD_HTTP_FORBIDDEN) != 0)
			return http_refuse(c, no);
		if (head_too_long(c, path))
			return http_refuse(c,
			    MHD_HTTP_REQUEST_HEADER_FIELDS_TOO_LARGE);
		*state = in = sat_xcalloc(1, sizeof *in);
		open_sink(in, w, c, method, path);
		if (in->sink.u != NULL)
			owes(w, c, false);
		return MHD_YES;
	}
	if (*n > 0) {
		take_piece(in, data, *n);
		*n = 0;
		return MHD_YES;
	}
	if (in->too_long)
		return http_refuse(c, MHD_HTTP_CONTENT_TOO_LARGE);
	if (in->form != NULL) /* the end of its last part */
		in->no_form = MHD_destroy_post_processor(in->form) !=
		    MHD_YES || in->no_form || !in->had_part;
	in->form = NULL;
	if (in->no_form)
		return http_refuse(c, MHD_HTTP_BAD_REQUEST);
	return answer(w, c, method, path, in);
}

static void
on_completed(void *u, struct MHD_Connection *c, void **state,
    enum MHD_RequestTerminationCode why)
{
	incoming *in = *state;

	(void)why;
	if (in == NULL)
		return;
	owes(u, c, true); /* the next one */
	(void)MHD_set_connection_option(c, MHD_CONNECTION_OPTION_TIMEOUT,
	    (unsigned)SAT_HTTP_IDLE_S);
	if (in->form != NULL)
		(void)MHD_destroy_post_processor(in->form);
	if (in->sink.u != NULL)
		in->sink.end(in->sink.u);
	sat_wipe(in->body.p, in->body.n); /* it may hold a passphrase */
	sat_buf_fini(&in->body);
	free(in);
	*state = NULL;
}

static void
on_guest(void *u, struct MHD_Connection *c, void **socket_context,
    enum MHD_ConnectionNotificationCode what)
{
	const doorway *w = u;
	const union MHD_ConnectionInfo *info;

	if (!w->tcp)
		return;
	if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
		if (*socket_context != NULL)
			http_guest_left(w->h->guests, *socket_context);
		*socket_context = NULL;
	} else if ((info = MHD_get_connection_info(c,
	    MHD_CONNECTION_INFO_CONNECTION_FD)) != NULL) {
		*socket_context = http_guest_came(w->h->guests,
		    info->connect_fd);
	}
}

/* ---- life ---------------------------------------------------------------------------- */

/* The library's own words, for the log; they carry no data of a request. */
static void
on_log(void *u, const char *fmt, va_list ap)
{
	char text[200];

	(void)u;
	(void)vsnprintf(text, sizeof text, fmt, ap);
	text[strcspn(text, "\r\n")] = '\0';
	sat_log(SAT_INFO, "HTTP", "text=%s", text);
}

/* %00 stays as it is written: unescaped it would end the text, and the rest of
 * what was asked for would not be seen. */
static size_t
on_unescape(void *u, struct MHD_Connection *c, char *s)
{
	char *to = s, *from = s, hex[3] = "";
	unsigned byte;

	(void)u;
	(void)c;
	for (; *from != '\0'; from++) {
		byte = 0;
		if (*from == '%' && isxdigit((unsigned char)from[1]) &&
		    isxdigit((unsigned char)from[2])) {
			memcpy(hex, from + 1, 2);
			byte = (unsigned)strtoul(hex, NULL, 16);
		}
		if (byte != 0)
			from += 2;
		*to++ = byte != 0 ? (char)(unsigned char)byte : *from;
	}
	*to = '\0';
	return (size_t)(to - s);
}

/* Takes the descriptor. */
static struct MHD_Daemon *
start(doorway *w, int fd)
{
	struct MHD_Daemon *d = MHD_start_daemon(
	    MHD_USE_INTERNAL_POLLING_THREAD |
	    MHD_USE_THREAD_PER_CONNECTION | MHD_USE_POLL | MHD_USE_ITC |
	    MHD_USE_ERROR_LOG, 0, NULL, NULL, on_access, w,
	    MHD_OPTION_EXTERNAL_LOGGER, on_log, NULL,
	    MHD_OPTION_UNESCAPE_CALLBACK, on_unescape, NULL,
	    MHD_OPTION_LISTEN_SOCKET, fd,
	    MHD_OPTION_CONNECTION_LIMIT, (unsigned)SAT_HTTP_CONNECTIONS_MAX,
	    MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)SAT_HTTP_IDLE_S,
	    MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)POOL_BYTES,
	    MHD_OPTION_NOTIFY_COMPLETED, on_completed, w,
	    MHD_OPTION_NOTIFY_CONNECTION, on_guest, w,
	    MHD_OPTION_END);

	if (d == NULL)
		(void)close(fd);
	return d;
}

static sat_rc
start_all(sat_http *h, sat_err *e)
{
	int fd = -1;
	sat_rc rc;

	h->local = (doorway){ h, false };
	h->port_ = (doorway){ h, true };
	if (h->o.socket_path != NULL) {
		if ((rc = http_listen_at(&fd, h->o.socket_path, e)) != SAT_OK)
			return rc;
		h->path = sat_xstrdup(h->o.socket_path); /* ours from now on */
		if ((h->daemon = start(&h->local, fd)) == NULL)
			return sat_fail(e, SAT_EFAIL,
			    "cannot start the http server");
	}
	return h->o.tcp ? sat_http_listen(h, h->o.tcp_port, e) : SAT_OK;
}

sat_rc
sat_http_listen(sat_http *h, unsigned port, sat_err *e)
{
	int fd;
	sat_rc rc;

	if (h->tcp != NULL)
		return SAT_OK;
	h->o.tcp_port = port;
	if ((rc = http_listen_port(&fd, &h->port, &h->loopback, h->o.tcp_host,
	    port, e)) != SAT_OK)
		return rc;
	h->guests = http_guests_new();
	h->tcp = start(&h->port_, fd);
	return h->tcp != NULL ? SAT_OK :
	    sat_fail(e, SAT_EFAIL, "cannot start the http server");
}

sat_rc
sat_http_serve(sat_http **out, const sat_http_opts *o, sat_err *e)
{
	sat_http *h = sat_xcalloc(1, sizeof *h);
	sat_rc rc;

	*out = NULL;
	h->o = *o;
	if ((rc = start_all(h, e)) != SAT_OK) {
		sat_http_stop(h);
		return rc;
	}
	h->o.socket_path = h->path;
	h->o.tcp_host = NULL; /* the caller's; said its part */
	*out = h;
	return SAT_OK;
}

unsigned
sat_http_port(const sat_http *h)
{
	return h->tcp != NULL ? h->port : 0;
}

void
sat_http_stop(sat_http *h)
{
	if (h == NULL)
		return;
	if (h->path != NULL)
		(void)unlink(h->path);
	if (h->daemon != NULL) /* first: it may be opening the port */
		MHD_stop_daemon(h->daemon);
	if (h->tcp != NULL)
		MHD_stop_daemon(h->tcp);
	http_guests_free(h->guests);
	free(h->path);
	free(h);
}
