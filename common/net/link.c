/*
 * One connection around an nng_stream, for both ends.
 *
 * The packaged NNG 1.5.2 never finishes an operation submitted after
 * nng_stream_close, frees streams under its own expiry thread when an
 * operation has a timeout, and then leaks every later connection. So:
 *
 *   N1  an operation is submitted under the link's mutex and only while open;
 *       the stream is closed under the same mutex
 *   N2  at most one operation is under way on a link: read a request, answer
 *       it, read the next. A peer that pipelines waits in its own socket
 *       buffer, so the queue is bounded by the kernel and never grows here
 *   N3  no operation has a timeout and none is cancelled; whoever is past its
 *       deadline is closed, and closing finishes the operation
 *   N4  the stream is freed once, when the link is closed and neither an
 *       operation nor its callback is under way; `gone` is called just before
 *   N5  the link itself is freed by the last reference; its aios go through
 *       nng_aio_reap, for that may happen inside their own callback
 *
 * Callbacks of NNG come on its task threads and never inside a submitting
 * call, so submitting under the mutex cannot deadlock.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/net/net_int.h"

int64_t
sat_net_now(void)
{
	sat_clock c = sat_clock_os();

	return sat_boot_ms(&c);
}

void
sat_link_deadline(sat_link *l, int64_t ms_from_now)
{
	atomic_store(&l->deadline, sat_net_now() + ms_from_now);
}

/* During the handshake only its own deadline counts, whatever moves. */
static void
progress(sat_link *l, int ms)
{
	if (atomic_load(&l->ready))
		sat_link_deadline(l, ms);
}

void
sat_link_begin_frame(sat_buf *b)
{
	static const uint8_t none[SAT_SP_HEAD_BYTES];

	sat_buf_add(b, none, sizeof none);
}

void
sat_link_end_frame(sat_buf *b, size_t at, uint32_t id)
{
	assert(b->n >= at + SAT_SP_HEAD_BYTES);
	sat_sp_head(b->p + at, id, b->n - at - SAT_SP_HEAD_BYTES);
}

void
sat_link_ref(sat_link *l)
{
	unsigned was = atomic_fetch_add(&l->refs, 1);

	assert(was > 0);
	(void)was;
}

static void
link_free(sat_link *l)
{
	assert(l->stream == NULL);
	nng_aio_reap(l->rx); /* N5 */
	nng_aio_reap(l->tx);
	sat_sp_in_fini(&l->in);
	sat_noise_fini(&l->noise);
	sat_buf_fini(&l->plain);
	sat_buf_fini(&l->out);
	sat_buf_fini(&l->got);
	(void)pthread_cond_destroy(&l->cond);
	(void)pthread_mutex_destroy(&l->mtx);
	free(l);
}

void
sat_link_unref(sat_link *l)
{
	if (l != NULL && atomic_fetch_sub(&l->refs, 1) == 1)
		link_free(l);
}

void
sat_link_reap(sat_link *l)
{
	nng_stream *stream;

	pthread_mutex_lock(&l->mtx);
	if (!l->closed || l->io > 0 || l->finished) {
		pthread_mutex_unlock(&l->mtx);
		return;
	}
	l->finished = true; /* N4 */
	stream = l->stream;
	l->stream = NULL;
	pthread_mutex_unlock(&l->mtx);
	l->ops->gone(l);
	nng_stream_free(stream);
	sat_link_unref(l);
}

/* mtx held. @return true when nobody will come by to reap it. */
static bool
shut_locked(sat_link *l, int why)
{
	if (l->closed)
		return false;
	l->closed = true; /* N1 */
	l->why = why;
	nng_stream_close(l->stream);
	/* With I/O under way its completion reaps, else the sweeper. */
	atomic_store(&l->deadline, l->io > 0 ? SAT_NET_NEVER : 0);
	pthread_cond_broadcast(&l->cond);
	return l->io == 0;
}

void
sat_link_shut(sat_link *l, int why)
{
	bool orphan;

	pthread_mutex_lock(&l->mtx);
	orphan = shut_locked(l, why);
	pthread_mutex_unlock(&l->mtx);
	if (orphan && l->ops->orphan != NULL)
		l->ops->orphan(l);
}

/* A completion callback is over. */
static void
leave(sat_link *l)
{
	bool last;

	pthread_mutex_lock(&l->mtx);
	assert(l->io > 0);
	l->io--;
	last = l->closed && l->io == 0;
	pthread_mutex_unlock(&l->mtx);
	if (last)
		sat_link_reap(l);
	sat_link_unref(l);
}

/* mtx held, link open. The callback holds a reference of its own. */
static void
submit(sat_link *l, nng_aio *aio, void *p, size_t n)
{
	nng_iov iov = { .iov_buf = p, .iov_len = n };

	(void)nng_aio_set_iov(aio, 1, &iov); /* fails above 8 only */
	l->io++;
	sat_link_ref(l);
	if (aio == l->rx)
		nng_stream_recv(l->stream, aio);
	else
		nng_stream_send(l->stream, aio);
}

void
sat_link_recv(sat_link *l)
{
	uint8_t *p;
	size_t n;

	progress(l, sat_sp_in_midway(&l->in) ? l->limits.stall_ms :
	    l->limits.idle_ms);
	if ((p = sat_sp_in_room(&l->in, &n)) == NULL) {
		sat_link_shut(l, NNG_ENOMEM);
		return;
	}
	pthread_mutex_lock(&l->mtx);
	if (!l->closed)
		submit(l, l->rx, p, n);
	pthread_mutex_unlock(&l->mtx);
}

/* mtx held. */
static void
send_rest(sat_link *l)
{
	progress(l, l->limits.stall_ms);
	submit(l, l->tx, l->out.p + l->out_off, l->out.n - l->out_off);
}

/* mtx held. */
static void
send_locked(sat_link *l, sat_buf *bytes)
{
	if (l->closed) {
		sat_buf_fini(bytes);
		return;
	}
	assert(!l->sending && bytes->n > 0); /* N2 */
	sat_buf_fini(&l->out);
	l->out = *bytes;
	*bytes = (sat_buf){ 0 };
	l->out_off = 0;
	l->sending = true;
	send_rest(l);
}

void
sat_link_send(sat_link *l, sat_buf *bytes)
{
	pthread_mutex_lock(&l->mtx);
	send_locked(l, bytes);
	pthread_mutex_unlock(&l->mtx);
}

static void
read_next(sat_link *l)
{
	/* Thousands of links are open and idle: none keeps its largest frame. */
	if (l->plain.cap > SAT_SP_PIECE_BYTES)
		sat_buf_fini(&l->plain);
	sat_sp_in_next(&l->in);
	sat_link_recv(l);
}

void
sat_link_next(sat_link *l)
{
	bool later;

	pthread_mutex_lock(&l->mtx);
	later = l->in_frame;
	l->next_wanted = later;
	pthread_mutex_unlock(&l->mtx);
	if (!later)
		read_next(l);
}

/*
 * The owner may answer inside its callback, and the answer may be sent before
 * the callback returns: the frame it borrows stays until it has (N2).
 */
static void
give_frame(sat_link *l)
{
	bool now;

	pthread_mutex_lock(&l->mtx);
	l->in_frame = true;
	pthread_mutex_unlock(&l->mtx);
	l->ops->frame(l, l->in.id, sat_span_of(l->in.body, l->in.body_n));
	pthread_mutex_lock(&l->mtx);
	l->in_frame = false;
	now = l->next_wanted;
	l->next_wanted = false;
	pthread_mutex_unlock(&l->mtx);
	if (now)
		read_next(l);
}

static void
rx_done(void *arg)
{
	sat_link *l = arg;
	int rv = nng_aio_result(l->rx);
	size_t n = nng_aio_count(l->rx);

	if (rv != 0) {
		sat_link_shut(l, rv);
		leave(l);
		return;
	}
	atomic_fetch_add(&l->count->bytes_in, n);
	switch (sat_sp_in_got(&l->in, n)) {
	case SAT_SP_MORE:
	case SAT_SP_HELLO:
		sat_link_recv(l);
		break;
	case SAT_SP_FRAME:
		atomic_fetch_add(&l->count->frames_in, 1);
		give_frame(l);
		break;
	case SAT_SP_BAD:
		sat_link_shut(l, NNG_EPROTO);
		break;
	}
	leave(l);
}

/* @return true when the whole frame has gone out. */
static bool
sent_some(sat_link *l, size_t n)
{
	bool whole = false;

	pthread_mutex_lock(&l->mtx);
	l->out_off += n;
	if (l->out_off >= l->out.n) {
		whole = true;
		l->sending = false;
		sat_buf_fini(&l->out);
		if (l->close_after)
			(void)shut_locked(l, 0);
	} else if (!l->closed) {
		send_rest(l);
	}
	pthread_mutex_unlock(&l->mtx);
	return whole;
}

static void
tx_done(void *arg)
{
	sat_link *l = arg;
	int rv = nng_aio_result(l->tx);
	size_t n = nng_aio_count(l->tx);

	if (rv != 0) {
		sat_link_shut(l, rv);
	} else {
		atomic_fetch_add(&l->count->bytes_out, n);
		if (sent_some(l, n))
			l->ops->sent(l);
	}
	leave(l);
}

sat_rc
sat_link_new(sat_link **out, nng_stream *stream, const sat_link_ops *ops,
    uint16_t peer_proto, const sat_net_deadlines *d, sat_err *e)
{
	sat_link *l = sat_xcalloc(1, sizeof *l);
	pthread_condattr_t ca;

	*out = NULL;
	l->ops = ops;
	l->stream = stream;
	l->limits = *d;
	l->count = &l->own;
	atomic_init(&l->refs, 1);
	atomic_init(&l->deadline, sat_net_now() + d->handshake_ms);
	sat_sp_in_init(&l->in, peer_proto,
	    SAT_NET_FRAME_MAX_UNAUTH - SAT_SP_ID_BYTES);
	(void)pthread_mutex_init(&l->mtx, NULL);
	(void)pthread_condattr_init(&ca);
	(void)pthread_condattr_setclock(&ca, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&l->cond, &ca);
	(void)pthread_condattr_destroy(&ca);
	if (nng_aio_alloc(&l->rx, rx_done, l) != 0 ||
	    nng_aio_alloc(&l->tx, tx_done, l) != 0) {
		nng_stream_close(stream);
		nng_stream_free(stream);
		l->stream = NULL;
		link_free(l); /* reaping NULL is fine */
		return sat_fail(e, SAT_ENOMEM, "no memory for a connection");
	}
	*out = l;
	return SAT_OK;
}

/* ---- what the server's owner may call, from any thread ---- */

void
sat_link_reply(sat_link *l, sat_span frame)
{
	sat_buf b = { 0 };

	if (frame.n > SAT_NET_FRAME_MAX) { /* ours to prevent; never sent */
		sat_log(SAT_ERROR, "NET-REPLY-TOO-LONG", "bytes=%zu", frame.n);
		sat_link_shut(l, NNG_EMSGSIZE);
		return;
	}
	pthread_mutex_lock(&l->mtx);
	if (!l->closed && l->owed_id != 0) {
		sat_link_begin_frame(&b);
		sat_noise_seal(&l->noise, &b, frame);
		sat_link_end_frame(&b, 0, l->owed_id);
		l->owed_id = 0;
		atomic_fetch_add(&l->count->frames_out, 1);
		send_locked(l, &b);
	}
	pthread_mutex_unlock(&l->mtx);
}

void
sat_link_close(sat_link *l)
{
	bool orphan = false;

	pthread_mutex_lock(&l->mtx);
	if (l->sending)
		l->close_after = true; /* the sweeper bounds it */
	else
		orphan = shut_locked(l, 0);
	pthread_mutex_unlock(&l->mtx);
	if (orphan && l->ops->orphan != NULL)
		l->ops->orphan(l);
}

const uint8_t *
sat_link_peer(const sat_link *l)
{
	return l->noise.rs;
}

const char *
sat_link_address(const sat_link *l)
{
	return l->address;
}

void *
sat_link_user(sat_link *l)
{
	return atomic_load(&l->user);
}

void
sat_link_user_set(sat_link *l, void *u)
{
	atomic_store(&l->user, u);
}
