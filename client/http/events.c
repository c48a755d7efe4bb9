/*
 * What happened, in a ring. An event names what to look at again; it carries
 * no personal data. And GET /v1/events, which tells of it as a stream, or once
 * to who waits.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "client/http/daemon_int.h"

#define HEARTBEAT ": still here\n\n"
#define HEARTBEAT_MS 15000
#define LOOK_EVERY_MS 1000 /* whether the one who waits is still there */
#define WAIT_MAX_S 60

typedef struct event {
	const char *type;
	char data[EVENT_BYTES_MAX];
} event;

struct events {
	pthread_mutex_t mtx;
	pthread_cond_t cond;
	event ring[EVENTS_KEPT];
	uint64_t last; /* number of the newest; the first is 1 */
	bool stop;
};

events *
events_new(void)
{
	events *ev = sat_xcalloc(1, sizeof *ev);
	pthread_condattr_t ca;

	(void)pthread_mutex_init(&ev->mtx, NULL);
	(void)pthread_condattr_init(&ca);
	(void)pthread_condattr_setclock(&ca, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&ev->cond, &ca);
	(void)pthread_condattr_destroy(&ca);
	return ev;
}

void
events_add(events *ev, const char *type, sat_json *data)
{
	sat_buf b = { 0 };

	sat_json_put_str(data, "type", type);
	sat_json_write(&b, data, false);
	sat_json_free(data);
	pthread_mutex_lock(&ev->mtx);
	if (b.n < EVENT_BYTES_MAX) { /* ours are far below */
		event *x = &ev->ring[++ev->last % EVENTS_KEPT];

		x->type = type;
		memcpy(x->data, sat_buf_cstr(&b), b.n + 1);
		pthread_cond_broadcast(&ev->cond);
	}
	pthread_mutex_unlock(&ev->mtx);
	sat_buf_fini(&b);
}

void
events_stop(events *ev)
{
	pthread_mutex_lock(&ev->mtx);
	ev->stop = true;
	pthread_cond_broadcast(&ev->cond);
	pthread_mutex_unlock(&ev->mtx);
}

uint64_t
events_last(events *ev)
{
	uint64_t n;

	pthread_mutex_lock(&ev->mtx);
	n = ev->last;
	pthread_mutex_unlock(&ev->mtx);
	return n;
}

/* "record,sync" names type; NULL names all. */
static bool
wanted(const char *types, const char *type)
{
	size_t n = strlen(type);

	if (types == NULL || types[0] == '\0')
		return true;
	for (const char *p = types; *p != '\0';) {
		size_t k = strcspn(p, ",");

		if (k == n && strncmp(p, type, n) == 0)
			return true;
		p += k + (p[k] == ',');
	}
	return false;
}

static void
put(sat_buf *out, uint64_t id, const char *type, const char *data, bool sse)
{
	if (sse)
		sat_buf_fmt(out, "id: %llu\nevent: %s\ndata: %s\n\n",
		    (unsigned long long)id, type, data);
	else
		sat_buf_fmt(out, "%s{\"id\":%llu,\"event\":%s}",
		    out->n > 0 ? "," : "", (unsigned long long)id, data);
}

/* mtx held. Everything after *since that is wanted. */
static void
collect(sat_buf *out, uint64_t *since, const events *ev, const char *types,
    bool sse)
{
	if (*since > ev->last || ev->last - *since >= EVENTS_KEPT) {
		*since = ev->last;
		put(out, ev->last, "reset", "{\"type\":\"reset\"}", sse);
		return;
	}
	while (*since < ev->last) {
		const event *x = &ev->ring[++*since % EVENTS_KEPT];

		if (wanted(types, x->type))
			put(out, *since, x->type, x->data, sse);
	}
}

/* mtx held. Until something happens, or for this long at most; false: for that
 * long. */
static bool
wait_for(events *ev, int ms)
{
	struct timespec at;

	(void)clock_gettime(CLOCK_MONOTONIC, &at);
	at.tv_sec += ms / 1000;
	at.tv_nsec += (long)(ms % 1000) * 1000000;
	at.tv_sec += at.tv_nsec / 1000000000;
	at.tv_nsec %= 1000000000;
	return pthread_cond_timedwait(&ev->cond, &ev->mtx, &at) == 0;
}

static int64_t
boot_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

bool
events_wait(sat_buf *out, uint64_t *next, events *ev, uint64_t since,
    const char *types, int wait_ms, bool sse, const sat_http_request *r)
{
	int64_t end = boot_ms() + wait_ms, left;
	bool go_on, gone = false;

	pthread_mutex_lock(&ev->mtx);
	for (;;) {
		collect(out, &since, ev, types, sse);
		left = end - boot_ms();
		if (out->n > 0 || ev->stop || gone || left <= 0)
			break;
		if (!wait_for(ev, left < LOOK_EVERY_MS ? (int)left :
		    LOOK_EVERY_MS))
			gone = r != NULL && sat_http_gone(r);
	}
	go_on = !ev->stop && !gone;
	pthread_mutex_unlock(&ev->mtx);
	if (out->n == 0 && sse && go_on)
		sat_buf_str(out, HEARTBEAT);
	*next = since;
	return go_on;
}

/* ---- GET /v1/events ------------------------------------------------------------- */

typedef struct listener {
	events *ev;
	sat_http_request r; /* of its connection alone */
	uint64_t since;
	char types[120];
	sat_buf b;
	size_t at;
} listener;

static long
next_events(void *u, uint8_t *out, size_t max)
{
	listener *l = u;
	size_t n;

	if (l->at == l->b.n) {
		sat_buf_reset(&l->b);
		l->at = 0;
		if (!events_wait(&l->b, &l->since, l->ev, l->since, l->types,
		    HEARTBEAT_MS, true, &l->r) && l->b.n == 0)
			return -1;
	}
	n = l->b.n - l->at < max ? l->b.n - l->at : max;
	memcpy(out, l->b.p + l->at, n);
	l->at += n;
	return (long)n;
}

static void
end_events(void *u)
{
	listener *l = u;

	sat_buf_fini(&l->b);
	free(l);
}

static void
stream_events(daemon_ *d, sat_http_response *out, const sat_http_request *r,
    uint64_t since, const char *types)
{
	listener *l = sat_xcalloc(1, sizeof *l);

	l->ev = d->ev;
	l->r.connection = r->connection;
	l->since = since;
	(void)snprintf(l->types, sizeof l->types, "%s", types);
	sat_buf_str(&l->b, ": satchel\n\n"); /* headers leave at once */
	out->type = "text/event-stream";
	out->next = next_events;
	out->end = end_events;
	out->stream = l;
}

static sat_rc
number_of(uint64_t *out, const char *name, const char *s, sat_err *e)
{
	size_t n = strspn(s, "0123456789");

	if (n == 0 || n > 18 || s[n] != '\0')
		return sat_fail_code(e, SAT_EUSAGE, "usage.option", NULL,
		    "%s needs a whole number", name);
	*out = strtoull(s, NULL, 10);
	return SAT_OK;
}

/* Where to go on: Last-Event-ID, ?since=, else from now on. */
static sat_rc
since_of(uint64_t *out, daemon_ *d, const sat_http_request *r,
    const sat_json *q, sat_err *e)
{
	const char *s = sat_http_header(r, "Last-Event-ID");

	if (s == NULL || s[0] == '\0')
		s = sat_json_get_str(q, "since", NULL);
	*out = events_last(d->ev);
	return s != NULL ? number_of(out, "since", s, e) : SAT_OK;
}

void
events_answer(daemon_ *d, sat_http_response *out, const sat_http_request *r)
{
	sat_json *q = query_of(r);
	const char *wait = sat_json_get_str(q, "wait", NULL);
	const char *types = sat_json_get_str(q, "types", "");
	uint64_t since, next, seconds = 0;
	sat_buf b = { 0 };
	sat_err e = { 0 };

	if (since_of(&since, d, r, q, &e) != SAT_OK ||
	    (wait != NULL && number_of(&seconds, "wait", wait, &e) != SAT_OK)) {
		put_problem(out, &e);
	} else if (wait == NULL) {
		stream_events(d, out, r, since, types);
	} else {
		seconds = seconds > WAIT_MAX_S ? WAIT_MAX_S : seconds;
		(void)events_wait(&b, &next, d->ev, since, types,
		    (int)seconds * 1000, false, r);
		sat_buf_fmt(&out->body, "{\"schema\":\"satchel/events/1\","
		    "\"events\":[%s],\"next\":%llu}\n",
		    b.n > 0 ? sat_buf_cstr(&b) : "", (unsigned long long)next);
		sat_buf_fini(&b);
	}
	sat_json_free(q);
}
