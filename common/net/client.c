/*
 * The device's end: dial, shake hands as Noise initiator, then one request
 * and one reply at a time, each within a deadline of our own.
 *
 * The caller's thread waits on the link's condition; NNG's threads only move
 * bytes and signal. When time is up the link is shut and abandoned: whatever
 * NNG still has under way finishes with an error later and frees the link by
 * its last reference, so the caller never waits for it.
 *
 * Deadlines are of the boot clock. The condition can only wait by the
 * monotonic clock, which stands still while a laptop sleeps, so it waits in
 * slices and looks at the boot clock after each.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/net/net_int.h"

#define TIMEOUT_MS 15000
#define SLICE_MS 250

struct sat_net_client {
	sat_link *link;
	char host[128]; /* for texts: the url without its scheme */
	int timeout_ms;
	bool (*interrupted)(void *u);
	void *u;
	uint32_t id;
};

/* ---- texts ---- */

static sat_rc
fail_refused(sat_err *e, const char *host)
{
	return sat_fail_code(e, SAT_EUNREACHABLE, "net.refused",
	    "check that the server is running and that the port is right",
	    "connection refused by %s", host);
}

static sat_rc
fail_timeout(sat_err *e, const char *host, int ms)
{
	return sat_fail_code(e, SAT_EUNREACHABLE, "net.timeout",
	    "nothing is lost; it is tried again when the network is back",
	    "timed out after %d ms waiting for %s", ms, host);
}

static sat_rc
fail_closed(sat_err *e, const char *host, const char *when)
{
	return sat_fail_code(e, SAT_EUNREACHABLE, "net.closed", NULL,
	    "%s closed the connection %s", host, when);
}

static sat_rc
fail_interrupted(sat_err *e)
{
	return sat_fail_code(e, SAT_EUNREACHABLE, "net.interrupted", NULL,
	    "interrupted while waiting for the network");
}

static sat_rc
fail_wrong_server(sat_err *e, const char *host)
{
	return sat_fail_code(e, SAT_EPROTO, "net.wrong_server",
	    "its key, its organisation or its protocol version differs",
	    "the peer at %s is not the server this device was enrolled with",
	    host);
}

static sat_rc
fail_language(sat_err *e, const char *host)
{
	return sat_fail_code(e, SAT_EPROTO, "net.protocol", NULL,
	    "the peer at %s does not speak this protocol", host);
}

static sat_rc
fail_nng(sat_err *e, const char *host, int rv, int ms)
{
	switch (rv) {
	case NNG_ECONNREFUSED:
		return fail_refused(e, host);
	case NNG_ETIMEDOUT:
		return fail_timeout(e, host, ms);
	case NNG_ECANCELED:
		return fail_interrupted(e);
	case NNG_EADDRINVAL:
	case NNG_EAGAIN: /* the resolver has no answer now */
		return sat_fail_code(e, SAT_EUNREACHABLE, "net.unknown_host",
		    NULL, "cannot find the address of %s", host);
	default:
		return sat_fail_code(e, SAT_EUNREACHABLE, "net.unreachable",
		    NULL, "cannot reach %s: %s", host, nng_strerror(rv));
	}
}

/* ---- waiting ---- */

/* mtx held. @return false when `due` (boot clock) has passed. */
static bool
wait_slice(pthread_cond_t *cond, pthread_mutex_t *mtx, int64_t due)
{
	int64_t left = due - sat_net_now();
	struct timespec at;

	if (left <= 0)
		return false;
	if (left > SLICE_MS)
		left = SLICE_MS;
	(void)clock_gettime(CLOCK_MONOTONIC, &at);
	at.tv_nsec += (long)left * 1000000;
	at.tv_sec += at.tv_nsec / 1000000000;
	at.tv_nsec %= 1000000000;
	(void)pthread_cond_timedwait(cond, mtx, &at);
	return true;
}

static bool
wants_stop(const sat_net_client *c)
{
	return c->interrupted != NULL && c->interrupted(c->u);
}

typedef struct dialing {
	pthread_mutex_t mtx;
	pthread_cond_t cond;
	bool done;
} dialing;

static void
dialed(void *arg)
{
	dialing *d = arg;

	pthread_mutex_lock(&d->mtx);
	d->done = true;
	pthread_cond_signal(&d->cond);
	pthread_mutex_unlock(&d->mtx);
}

/*
 * Waits for the dial, cancelling it when time is up. This is the one cancel
 * there is: dialer and aio stay ours until it has finished, which it does at
 * once, also while a name is still being looked up.
 */
static int
dial_wait(nng_stream **stream, nng_stream_dialer *dialer, nng_aio *aio,
    dialing *d, const sat_net_client *c, int64_t due)
{
	bool done, stop = false;
	int rv;

	nng_stream_dialer_dial(dialer, aio);
	pthread_mutex_lock(&d->mtx);
	while (!d->done && !(stop = wants_stop(c)) &&
	    wait_slice(&d->cond, &d->mtx, due))
		;
	done = d->done;
	pthread_mutex_unlock(&d->mtx);
	if (!done)
		nng_aio_cancel(aio);
	nng_aio_wait(aio);
	if ((rv = nng_aio_result(aio)) != 0)
		return done ? rv : stop ? NNG_ECANCELED : NNG_ETIMEDOUT;
	*stream = nng_aio_get_output(aio, 0);
	return 0;
}

/*
 * The dialer is freed here, on the caller's thread. Freeing it in a callback
 * waits for callbacks of NNG's own, and with every task thread doing so no
 * thread is left to run them.
 */
static int
dial_stream(nng_stream **stream, const char *url, const sat_net_client *c,
    int64_t due)
{
	nng_stream_dialer *dialer;
	nng_aio *aio;
	dialing d = { .mtx = PTHREAD_MUTEX_INITIALIZER };
	pthread_condattr_t ca;
	int rv;

	if ((rv = nng_stream_dialer_alloc(&dialer, url)) != 0)
		return rv;
	if ((rv = nng_aio_alloc(&aio, dialed, &d)) != 0) {
		nng_stream_dialer_free(dialer);
		return rv;
	}
	(void)pthread_condattr_init(&ca);
	(void)pthread_condattr_setclock(&ca, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&d.cond, &ca);
	(void)pthread_condattr_destroy(&ca);
	(void)nng_stream_dialer_set_bool(dialer, NNG_OPT_TCP_NODELAY, true);
	(void)nng_stream_dialer_set_bool(dialer, NNG_OPT_TCP_KEEPALIVE, true);
	rv = dial_wait(stream, dialer, aio, &d, c, due);
	nng_stream_dialer_free(dialer);
	nng_aio_free(aio);
	(void)pthread_cond_destroy(&d.cond);
	(void)pthread_mutex_destroy(&d.mtx);
	return rv;
}

/* ---- link callbacks, on NNG's threads ---- */

static void
client_frame(sat_link *l, uint32_t id, sat_span body)
{
	pthread_mutex_lock(&l->mtx);
	sat_buf_reset(&l->got);
	sat_buf_add(&l->got, body.p, body.n);
	l->got_id = id;
	l->have = true;
	pthread_cond_broadcast(&l->cond);
	pthread_mutex_unlock(&l->mtx);
}

static void
client_gone(sat_link *l)
{
	(void)l; /* the waiting caller looks at `closed` */
}

/* No orphan: who shuts a client's link reaps it. */
static const sat_link_ops client_ops = {
	client_frame, sat_link_next, client_gone, NULL,
};

/* ---- one exchange ---- */

static void
abandon(sat_net_client *c, int why)
{
	sat_link_shut(c->link, why);
	sat_link_reap(c->link);
}

/*
 * Wait for one frame. Afterwards `got` is the caller's: nothing is under way
 * until the next send.
 */
static sat_rc
await(sat_net_client *c, int timeout_ms, const char *when, sat_err *e)
{
	sat_link *l = c->link;
	int64_t due = sat_net_now() + timeout_ms;
	bool have, closed, stop = false, in_time = true;
	int why;

	pthread_mutex_lock(&l->mtx);
	while (!l->have && !l->closed && in_time && !(stop = wants_stop(c)))
		in_time = wait_slice(&l->cond, &l->mtx, due);
	have = l->have;
	closed = l->closed;
	why = l->why;
	l->have = false;
	pthread_mutex_unlock(&l->mtx);
	if (!have) {
		abandon(c, NNG_ETIMEDOUT);
		if (!closed)
			return stop ? fail_interrupted(e) :
			    fail_timeout(e, c->host, timeout_ms);
		return why == NNG_EPROTO ? fail_language(e, c->host) :
		    fail_closed(e, c->host, when);
	}
	if (l->got_id != c->id) {
		abandon(c, NNG_EPROTO);
		return fail_language(e, c->host);
	}
	return SAT_OK;
}

static sat_rc
exchange(sat_net_client *c, sat_buf *bytes, int timeout_ms, const char *when,
    sat_err *e)
{
	sat_link_send(c->link, bytes);
	return await(c, timeout_ms, when, e);
}

static void
next_id(sat_net_client *c)
{
	c->id = (c->id + 1) | SAT_SP_ID_TOP;
}

/* Hello and message 1 leave together, so that a connection costs one round
 * trip before the first request. */
static sat_rc
shake_hands(sat_net_client *c, const sat_net_client_opts *o, int left_ms,
    sat_err *e)
{
	static const sat_span nothing;
	sat_link *l = c->link;
	sat_buf b = { 0 };
	uint8_t eph[32];
	sat_rc rc;

	sat_random(eph, sizeof eph);
	sat_noise_init(&l->noise, true, &o->keys, o->server_pk, eph,
	    o->prologue);
	sat_wipe(eph, sizeof eph);
	sat_sp_hello(sat_buf_room(&b, SAT_SP_HELLO_BYTES), SAT_SP_REQ0);
	b.n += SAT_SP_HELLO_BYTES;
	sat_link_begin_frame(&b);
	if ((rc = sat_noise_write1(&l->noise, &b, nothing, e)) != SAT_OK) {
		sat_buf_fini(&b);
		return rc;
	}
	next_id(c);
	sat_link_end_frame(&b, SAT_SP_HELLO_BYTES, c->id);
	if ((rc = exchange(c, &b, left_ms, "during the handshake", e)) != SAT_OK)
		return rc;
	if (l->got.n != SAT_NOISE_MSG2_BYTES ||
	    sat_noise_read2(&l->noise, &l->plain, sat_buf_span(&l->got),
	    NULL) != SAT_OK)
		return fail_wrong_server(e, c->host);
	l->in.body_max = SAT_NET_SEALED_MAX;
	atomic_store(&l->ready, true);
	return SAT_OK;
}

static void
host_of(char out[128], const char *url)
{
	const char *p = strstr(url, "://");
	size_t n;

	p = p != NULL ? p + 3 : url;
	n = strnlen(p, 127);
	memcpy(out, p, n);
	out[n] = '\0';
}

static int
left_of(int64_t due)
{
	int64_t left = due - sat_net_now();

	return left > 1 ? (int)left : 1;
}

sat_rc
sat_net_dial(sat_net_client **out, const sat_net_client_opts *o, sat_err *e)
{
	static const sat_net_deadlines none = { TIMEOUT_MS, TIMEOUT_MS,
		TIMEOUT_MS }; /* nobody sweeps here */
	sat_net_client *c = sat_xcalloc(1, sizeof *c);
	nng_stream *stream = NULL;
	int64_t due;
	sat_rc rc;
	int rv;

	*out = NULL;
	host_of(c->host, o->dial);
	c->interrupted = o->interrupted;
	c->u = o->u;
	c->timeout_ms = o->timeout_ms > 0 ? o->timeout_ms : TIMEOUT_MS;
	due = sat_net_now() + c->timeout_ms;
	if ((rv = dial_stream(&stream, o->dial, c, due)) != 0)
		rc = fail_nng(e, c->host, rv, c->timeout_ms);
	else if ((rc = sat_link_new(&c->link, stream, &client_ops,
	    SAT_SP_REP0, &none, e)) == SAT_OK) {
		sat_link_ref(c->link); /* ours beside its own */
		rc = shake_hands(c, o, left_of(due), e);
	}
	if (rc != SAT_OK) {
		sat_net_hangup(c);
		return rc;
	}
	*out = c;
	return SAT_OK;
}

sat_rc
sat_net_send(sat_net_client *c, sat_span frame, sat_err *e)
{
	sat_link *l = c->link;
	sat_buf b = { 0 };
	bool closed;

	if (frame.n > SAT_NET_FRAME_MAX)
		return sat_fail(e, SAT_EINVALID, "a request of %zu bytes is "
		    "longer than a frame may be", frame.n);
	pthread_mutex_lock(&l->mtx);
	closed = l->closed;
	pthread_mutex_unlock(&l->mtx);
	if (closed)
		return fail_closed(e, c->host, "before this request");
	next_id(c);
	sat_link_begin_frame(&b);
	sat_noise_seal(&l->noise, &b, frame);
	sat_link_end_frame(&b, 0, c->id);
	atomic_fetch_add(&l->own.frames_out, 1);
	sat_link_send(l, &b);
	return SAT_OK;
}

sat_rc
sat_net_receive(sat_net_client *c, sat_buf *reply, int timeout_ms, sat_err *e)
{
	sat_link *l = c->link;
	sat_rc rc = await(c, timeout_ms > 0 ? timeout_ms : c->timeout_ms,
	    "before it answered", e);

	sat_buf_reset(reply);
	if (rc != SAT_OK)
		return rc;
	rc = sat_noise_unseal(&l->noise, reply, sat_buf_span(&l->got), e);
	if (l->got.cap > SAT_SP_PIECE_BYTES)
		sat_buf_fini(&l->got);
	if (rc != SAT_OK)
		abandon(c, NNG_ECRYPTO);
	return rc;
}

sat_rc
sat_net_request_within(sat_net_client *c, sat_buf *reply, sat_span frame,
    int timeout_ms, sat_err *e)
{
	sat_rc rc = sat_net_send(c, frame, e);

	sat_buf_reset(reply);
	return rc == SAT_OK ? sat_net_receive(c, reply, timeout_ms, e) : rc;
}

sat_rc
sat_net_request(sat_net_client *c, sat_buf *reply, sat_span frame, sat_err *e)
{
	return sat_net_request_within(c, reply, frame, c->timeout_ms, e);
}

void
sat_net_nudge(sat_net_client *c)
{
	pthread_mutex_lock(&c->link->mtx);
	pthread_cond_broadcast(&c->link->cond);
	pthread_mutex_unlock(&c->link->mtx);
}

void
sat_net_cut(sat_net_client *c)
{
	abandon(c, NNG_ECLOSED);
}

void
sat_net_client_bytes(const sat_net_client *c, uint64_t *out, uint64_t *in)
{
	*out = atomic_load(&c->link->own.bytes_out);
	*in = atomic_load(&c->link->own.bytes_in);
}

void
sat_net_hangup(sat_net_client *c)
{
	if (c == NULL)
		return;
	if (c->link != NULL) {
		abandon(c, 0);
		sat_link_unref(c->link);
	}
	free(c);
}
