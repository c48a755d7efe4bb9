/*
 * http.h - the only door to libmicrohttpd: HTTP/1.1 for programs on this
 * machine, and a client for it.
 *
 * A server listens on a Unix socket of mode 0600 and answers its own user only
 * (SO_PEERCRED), and if asked to on a port of 127.0.0.1, which every user of the
 * machine and every page in a browser can reach: there a request must name this
 * door (Host, else 421), come from no other page (Origin, else 403), and the
 * handler must ask who it is. A server may instead listen on a port of the
 * network alone, for answers everybody who reaches it may have. One thread per connection, so a handler may block: it waits
 * for the one thread that may touch the replica, or for an event.
 *
 * What the server refuses by itself it says as application/problem+json, too.
 *
 * Limits (interfaces design §2.2): header 16 kB, body 1 MB, an upload 256 MB,
 * 64 connections, 30 s without a request on an open connection. At the port, when
 * 48 are open, whoever comes sends the one away that owes its request longest.
 */
#ifndef SAT_HTTP_HTTP_H
#define SAT_HTTP_HTTP_H

#include "common/base/buf.h"

#define SAT_HTTP_HEADER_MAX (16 * 1024)
#define SAT_HTTP_BODY_MAX (1024 * 1024)
#define SAT_HTTP_UPLOAD_MAX ((uint64_t)256 * 1024 * 1024)
#define SAT_HTTP_CONNECTIONS_MAX 64
#define SAT_HTTP_IDLE_S 30

/* ---- server ---- */
typedef struct sat_http_request {
	const char *method; /* "GET" */
	const char *path;   /* unescaped (but %00), without the query */
	sat_span body;
	bool tcp;           /* came through the port: anybody's */
	void *connection;   /* for the two calls below */
	void *upload;       /* what the sink below was opened with; NULL */
} sat_http_request;

/* A header's value, NULL when it is not there. */
const char *sat_http_header(const sat_http_request *r, const char *name);
/* Has whoever asked left? Of the connection of *r, while it is answered. */
bool sat_http_gone(const sat_http_request *r);
/* Every member of the query, unescaped, in order. */
void sat_http_query(const sat_http_request *r,
    void (*cb)(void *u, const char *key, const char *value), void *u);

/*
 * Where a body goes that is not kept in memory, as it comes. Of
 * multipart/form-data it is the content of the first part that is a file; the
 * other parts are fields, "" one without a name. A body of more than
 * SAT_HTTP_UPLOAD_MAX is answered with 413 here, a form that is not whole
 * with 400.
 */
typedef struct sat_http_sink {
	void *u;                 /* not NULL */
	void (*take)(void *u, sat_span piece);
	/* the file's name, as the peer calls it */
	void (*named)(void *u, const char *name);
	void (*field)(void *u, const char *key, sat_span piece);
	void (*end)(void *u);    /* once, after the answer or without one */
} sat_http_sink;

/*
 * What is sent back. Either `body`, or a stream: `next` is called until it
 * returns -1 (the end) or -2 (it broke off: the
 * peer shall see that it is not whole) and may block; it gives 1 to `max` bytes. `end` comes
 * once, also when the peer left: a stream may still be written to by others.
 */
typedef struct sat_http_response {
	const char *asked;       /* the path it answers; borrowed, not to be set */
	int status;              /* 200 */
	const char *type;        /* Content-Type; static */
	sat_buf body;            /* taken */
	char etag[80];           /* "" = none */
	char location[120];      /* where it can be looked at; "" = none */
	char allow[64];          /* the methods there are, of a 405; "" = none */
	char save_as[200];       /* name of the file it is, UTF-8 without quotes;
	                            "" = it is none */
	long (*next)(void *stream, uint8_t *out, size_t max);
	void (*end)(void *stream);
	void *stream;
	uint64_t length;         /* of the stream; 0 = not known */
} sat_http_response;

typedef struct sat_http sat_http;
typedef struct sat_http_opts {
	const char *socket_path; /* at most 107 bytes; NULL = none */
	bool tcp;                /* a port too */
	const char *tcp_host;    /* its address, numeric; NULL = 127.0.0.1. Who
	                            asks at an address of the network may call
	                            it by any name (no Host check) */
	unsigned tcp_port;       /* 0 = any that is free */
	/* On the connection's thread; everything is borrowed but *out. */
	void (*handle)(void *u, sat_http_response *out,
	    const sat_http_request *r);
	/* Asked with the headers, before the body: true fills *sink. NULL: every
	 * body is kept in memory. */
	bool (*upload)(void *u, sat_http_sink *sink, const sat_http_request *r);
	void *u;
} sat_http_opts;

/*
 * @return SAT_EBUSY when somebody answers at that socket already (a left-over
 *         file is replaced), SAT_EUSAGE (path too long, tcp_host is no
 *         address), SAT_EIO.
 */
SAT_CHECK sat_rc sat_http_serve(sat_http **h, const sat_http_opts *o, sat_err *e);
/* Listen at a port of 127.0.0.1 from now on (0: any that is free); nothing
 * changes when it does already. Not beside itself. */
SAT_CHECK sat_rc sat_http_listen(sat_http *h, unsigned port, sat_err *e);
/* The port it listens on; 0 without one. */
unsigned sat_http_port(const sat_http *h);
/* No more connections; waits for handlers that run (streams have to end) and
 * removes the socket. */
void sat_http_stop(sat_http *h);

/* ---- client ---- */
typedef struct sat_http_client sat_http_client;
typedef struct sat_http_ask {
	const char *method;
	const char *target;      /* "/v1/accounts?limit=5", escaped */
	const char *headers;     /* whole lines with "\r\n"; "" = none */
	sat_span body;           /* sent as application/json when not empty */
} sat_http_ask;

/* SAT_EUNREACHABLE: nobody listens there, or it is not our own user. */
SAT_CHECK sat_rc sat_http_dial(sat_http_client **c, const char *socket_path, sat_err *e);
/*
 * One request. The answer's body goes to `take` piece by piece as it comes.
 * interrupted (may be NULL) is asked a few times a second; true leaves.
 * @return SAT_EUNREACHABLE when the connection breaks or was left: *status is 0
 *         as long as nothing was answered.
 */
SAT_CHECK sat_rc sat_http_request_send(sat_http_client *c, int *status,
    const sat_http_ask *ask, void (*take)(void *u, sat_span piece),
    bool (*interrupted)(void *u), void *u, sat_err *e);
void sat_http_hangup(sat_http_client *c); /* NULL is fine */
/* Percent-escape everything but unreserved characters. */
void sat_http_escape(sat_buf *out, const char *text);

#endif
