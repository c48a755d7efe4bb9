/*
 * The server's end: accept within the caps, shake hands as Noise responder,
 * hand whole decrypted requests to the owner and send its answers.
 *
 *   V1  before the handshake is over a peer costs one link, at most 4 KiB and
 *       two key agreements, and counts against links_unauth_max
 *   V2  a link is in its bucket from before its first I/O until `gone`, so
 *       what the caps count are descriptors, not intentions
 *   V3  on_close comes once for each link that had authenticated, after its
 *       last on_request has returned, and from no call the owner made
 *
 * Nothing here is freed: a server lives as long as its process.
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/net/net_int.h"

#define LINKS_MAX 6000
#define LINKS_UNAUTH_MAX 512
#define LINKS_PER_ADDRESS_MAX 256
#define BACKLOG 4096

/* ---- who is calling ---- */

/*
 * The text for logs and the key the cap per address counts by: an IPv4
 * address, or the /64 of an IPv6 one, for that much is given to one customer.
 */
static bool
address_of(char text[64], uint8_t key[16], nng_stream *stream)
{
	nng_sockaddr sa;
	const char *p = NULL;

	memset(key, 0, 16);
	if (nng_stream_get_addr(stream, NNG_OPT_REMADDR, &sa) != 0)
		return false;
	if (sa.s_family == NNG_AF_INET) {
		key[15] = 4;
		memcpy(key, &sa.s_in.sa_addr, 4);
		p = inet_ntop(AF_INET, &sa.s_in.sa_addr, text, 64);
	} else if (sa.s_family == NNG_AF_INET6) {
		key[15] = 6;
		memcpy(key, sa.s_in6.sa_addr, 8);
		p = inet_ntop(AF_INET6, sa.s_in6.sa_addr, text, 64);
	}
	return p != NULL;
}

/* s->mtx held. @return NULL, or the cap that is reached. */
static const char *
cap_reached(const sat_net_server *s, const sat_link *l)
{
	unsigned same = 0;

	if (s->stats.links >= s->o.links_max)
		return "links";
	if (s->stats.links_unauth >= s->o.links_unauth_max)
		return "unauthenticated";
	for (const sat_link *i = s->links[l->bucket]; i != NULL; i = i->next)
		same += memcmp(i->akey, l->akey, sizeof l->akey) == 0;
	return same >= s->o.links_per_address_max ? "address" : NULL;
}

/* V2 */
static const char *
attach(sat_net_server *s, sat_link *l)
{
	const char *cap;

	pthread_mutex_lock(&s->mtx);
	if ((cap = cap_reached(s, l)) != NULL) {
		s->stats.refused++;
	} else {
		l->server = s;
		l->next = s->links[l->bucket];
		l->prev = &s->links[l->bucket];
		if (l->next != NULL)
			l->next->prev = &l->next;
		s->links[l->bucket] = l;
		s->stats.links++;
		s->stats.links_unauth++;
		s->stats.accepted++;
	}
	pthread_mutex_unlock(&s->mtx);
	return cap;
}

/* ---- link callbacks ---- */

static void
server_gone(sat_link *l)
{
	sat_net_server *s = l->server;

	if (s == NULL)
		return; /* refused by a cap */
	pthread_mutex_lock(&s->mtx);
	*l->prev = l->next;
	if (l->next != NULL)
		l->next->prev = l->prev;
	s->stats.links--;
	if (!atomic_load(&l->ready))
		s->stats.links_unauth--;
	s->stats.closed++;
	pthread_mutex_unlock(&s->mtx);
	if (atomic_load(&l->ready) && s->o.on_close != NULL)
		s->o.on_close(s->o.u, l); /* V3 */
}

static void
server_orphan(sat_link *l)
{
	if (l->server != NULL)
		sat_net_sweep_kick(l->server);
}

/* One byte instead of message 2, then close: the client can say why. */
static void
refuse(sat_link *l, uint32_t id)
{
	sat_buf b = { 0 };

	sat_log(SAT_INFO, "NET-HANDSHAKE-REFUSED", "address=%s", l->address);
	sat_link_begin_frame(&b);
	sat_write_u8(&b, SAT_NET_REFUSED);
	sat_link_end_frame(&b, 0, id);
	pthread_mutex_lock(&l->mtx);
	l->close_after = true;
	pthread_mutex_unlock(&l->mtx);
	sat_link_send(l, &b);
}

static void
server_handshake(sat_link *l, uint32_t id, sat_span msg)
{
	sat_net_server *s = l->server;
	static const sat_span nothing;
	sat_buf b = { 0 };

	sat_link_begin_frame(&b);
	if (msg.n != SAT_NOISE_MSG1_BYTES ||
	    sat_noise_read1(&l->noise, &l->plain, msg, NULL) != SAT_OK ||
	    sat_noise_write2(&l->noise, &b, nothing, NULL) != SAT_OK) {
		sat_buf_fini(&b);
		refuse(l, id);
		return;
	}
	sat_link_end_frame(&b, 0, id);
	l->in.body_max = SAT_NET_FRAME_MAX_STRANGER + SAT_NOISE_OVERHEAD;
	pthread_mutex_lock(&s->mtx);
	atomic_store(&l->ready, true);
	s->stats.links_unauth--;
	pthread_mutex_unlock(&s->mtx);
	sat_link_send(l, &b);
}

/* Nothing is read while a request waits for its answer, and the answer takes
 * the mutex too. */
void
sat_link_trust(sat_link *l)
{
	pthread_mutex_lock(&l->mtx);
	l->in.body_max = SAT_NET_SEALED_MAX;
	pthread_mutex_unlock(&l->mtx);
}

static void
server_frame(sat_link *l, uint32_t id, sat_span body)
{
	sat_net_server *s = l->server;

	if (!atomic_load(&l->ready)) {
		server_handshake(l, id, body);
		return;
	}
	sat_buf_reset(&l->plain);
	if (sat_noise_unseal(&l->noise, &l->plain, body, NULL) != SAT_OK) {
		sat_log(SAT_WARN, "NET-SEAL-BROKEN", "address=%s", l->address);
		sat_link_shut(l, NNG_ECRYPTO);
		return;
	}
	sat_link_deadline(l, l->limits.idle_ms);
	pthread_mutex_lock(&l->mtx);
	l->owed_id = id;
	pthread_mutex_unlock(&l->mtx);
	s->o.on_request(s->o.u, l, sat_buf_span(&l->plain));
}

static const sat_link_ops server_ops = {
	server_frame, sat_link_next, server_gone, server_orphan,
};

/* ---- accepting ---- */

static void
greet(sat_net_server *s, sat_link *l)
{
	uint8_t eph[32];
	sat_buf b = { 0 };

	sat_random(eph, sizeof eph);
	sat_noise_init(&l->noise, false, s->keys, NULL, eph,
	    sat_buf_span(&s->prologue));
	sat_wipe(eph, sizeof eph);
	l->count = &s->count;
	sat_sp_hello(sat_buf_room(&b, SAT_SP_HELLO_BYTES), SAT_SP_REP0);
	b.n += SAT_SP_HELLO_BYTES;
	sat_link_send(l, &b);
}

static void
admit(sat_net_server *s, nng_stream *stream)
{
	sat_link *l;
	const char *cap;

	if (sat_link_new(&l, stream, &server_ops, SAT_SP_REQ0, &s->limits,
	    NULL) != SAT_OK)
		return;
	if (!address_of(l->address, l->akey, stream)) {
		/* It left before we looked. */
		sat_link_shut(l, NNG_ECONNRESET);
		sat_link_reap(l);
		return;
	}
	l->bucket = (unsigned)(sat_siphash24(s->hash_key,
	    sat_span_of(l->akey, sizeof l->akey)) % SAT_NET_BUCKETS);
	if ((cap = attach(s, l)) != NULL) {
		sat_log(SAT_INFO, "NET-CAP", "cap=%s address=%s", cap,
		    l->address);
		sat_link_shut(l, NNG_ECONNREFUSED);
		sat_link_reap(l);
		return;
	}
	greet(s, l);
}

void
sat_net_accept_next(sat_net_server *s)
{
	pthread_mutex_lock(&s->mtx);
	if (!s->stopped) {
		s->accept_at = 0;
		nng_stream_listener_accept(s->listener, s->accept);
	}
	pthread_mutex_unlock(&s->mtx);
}

static void
accepted(void *arg)
{
	sat_net_server *s = arg;
	int rv = nng_aio_result(s->accept);
	bool stopped;

	if (rv == 0) {
		admit(s, nng_aio_get_output(s->accept, 0));
		sat_net_accept_next(s);
		return;
	}
	/* Out of descriptors or memory: trying at once again would spin. */
	pthread_mutex_lock(&s->mtx);
	s->accept_at = sat_net_now() + SAT_NET_ACCEPT_RETRY_MS;
	stopped = s->stopped;
	pthread_mutex_unlock(&s->mtx);
	if (!stopped)
		sat_log(SAT_WARN, "NET-ACCEPT", "error=%s", nng_strerror(rv));
}

void
sat_net_stop_accepting(sat_net_server *s)
{
	pthread_mutex_lock(&s->mtx);
	if (!s->stopped) {
		s->stopped = true;
		nng_stream_listener_close(s->listener);
	}
	pthread_mutex_unlock(&s->mtx);
}

void
sat_net_caps(sat_net_server *s, unsigned links, unsigned per_address)
{
	pthread_mutex_lock(&s->mtx);
	s->o.links_max = links != 0 ? links : LINKS_MAX;
	s->o.links_per_address_max =
	    per_address != 0 ? per_address : LINKS_PER_ADDRESS_MAX;
	pthread_mutex_unlock(&s->mtx);
}

/* ---- start ---- */

static bool
listens_at(int fd, uint16_t port)
{
	struct sockaddr_storage sa;
	socklen_t n = sizeof sa, one = sizeof(int);
	uint16_t is = 0;
	int yes = 0;

	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &yes, &one) != 0 ||
	    !yes || getsockname(fd, (struct sockaddr *)&sa, &n) != 0)
		return false;
	if (sa.ss_family == AF_INET)
		is = ((struct sockaddr_in *)&sa)->sin_port;
	else if (sa.ss_family == AF_INET6)
		is = ((struct sockaddr_in6 *)&sa)->sin6_port;
	return ntohs(is) == port;
}

/*
 * NNG listens with a backlog of 128 and does not show its descriptor. When 200
 * devices come back in one moment the rest of them wait a second for their SYN
 * to be sent again. Listening once more on the same descriptor widens it.
 */
static void
widen_backlog(uint16_t port)
{
	struct dirent *x;
	DIR *dir = opendir("/proc/self/fd");

	while (dir != NULL && (x = readdir(dir)) != NULL) {
		int fd = (int)strtol(x->d_name, NULL, 10);

		if (fd > 2 && listens_at(fd, port))
			(void)listen(fd, BACKLOG);
	}
	if (dir != NULL)
		(void)closedir(dir);
}

static sat_rc
listen_on(sat_net_server *s, const char *url, sat_err *e)
{
	int rv, port = 0;

	if ((rv = nng_stream_listener_alloc(&s->listener, url)) != 0)
		return sat_fail(e, SAT_EUSAGE, "cannot listen on %s: %s", url,
		    nng_strerror(rv));
	(void)nng_stream_listener_set_bool(s->listener, NNG_OPT_TCP_NODELAY,
	    true);
	(void)nng_stream_listener_set_bool(s->listener,
	    NNG_OPT_TCP_KEEPALIVE, true);
	if ((rv = nng_stream_listener_listen(s->listener)) != 0 ||
	    (rv = nng_stream_listener_get_int(s->listener,
	    NNG_OPT_TCP_BOUND_PORT, &port)) != 0 ||
	    (rv = nng_aio_alloc(&s->accept, accepted, s)) != 0) {
		nng_stream_listener_free(s->listener); /* nothing submitted */
		return sat_fail(e, rv == NNG_EADDRINUSE ? SAT_EBUSY : SAT_EIO,
		    "cannot listen on %s: %s", url, nng_strerror(rv));
	}
	s->port = (uint16_t)port;
	widen_backlog(s->port);
	return SAT_OK;
}

static sat_net_server *
server_new(const sat_net_server_opts *o, const sat_net_deadlines *d)
{
	sat_net_server *s = sat_xcalloc(1, sizeof *s);
	pthread_condattr_t ca;

	s->o = *o;
	s->o.listen = NULL; /* the caller's */
	s->o.prologue = (sat_span){ NULL, 0 };
	sat_wipe(&s->o.keys, sizeof s->o.keys);
	s->keys = sat_secret_new(sizeof *s->keys);
	*s->keys = o->keys;
	sat_buf_add(&s->prologue, o->prologue.p, o->prologue.n);
	if (s->o.links_max == 0)
		s->o.links_max = LINKS_MAX;
	if (s->o.links_unauth_max == 0)
		s->o.links_unauth_max = LINKS_UNAUTH_MAX;
	if (s->o.links_per_address_max == 0)
		s->o.links_per_address_max = LINKS_PER_ADDRESS_MAX;
	s->limits = *d;
	sat_random(s->hash_key, sizeof s->hash_key);
	(void)pthread_mutex_init(&s->mtx, NULL);
	(void)pthread_condattr_init(&ca);
	(void)pthread_condattr_setclock(&ca, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&s->wake, &ca);
	(void)pthread_condattr_destroy(&ca);
	return s;
}

sat_rc
sat_net_serve_with(sat_net_server **out, const sat_net_server_opts *o,
    const sat_net_deadlines *d, sat_err *e)
{
	sat_net_server *s = server_new(o, d);
	sat_rc rc;

	*out = NULL;
	if ((rc = listen_on(s, o->listen, e)) != SAT_OK ||
	    (rc = sat_net_sweep_start(s, e)) != SAT_OK) {
		if (s->accept != NULL) { /* nothing submitted yet */
			nng_stream_listener_free(s->listener);
			nng_aio_free(s->accept);
		}
		sat_secret_free(s->keys);
		sat_buf_fini(&s->prologue);
		free(s);
		return rc;
	}
	*out = s;
	sat_net_accept_next(s);
	return SAT_OK;
}

sat_rc
sat_net_serve(sat_net_server **s, const sat_net_server_opts *o, sat_err *e)
{
	static const sat_net_deadlines usual = { SAT_NET_HANDSHAKE_MS,
		SAT_NET_IDLE_MS, SAT_NET_STALL_MS };

	return sat_net_serve_with(s, o, &usual, e);
}

uint16_t
sat_net_port(const sat_net_server *s)
{
	return s->port;
}

void
sat_net_stats_get(sat_net_stats *out, sat_net_server *s)
{
	pthread_mutex_lock(&s->mtx);
	*out = s->stats;
	pthread_mutex_unlock(&s->mtx);
	out->frames_in = atomic_load(&s->count.frames_in);
	out->frames_out = atomic_load(&s->count.frames_out);
	out->bytes_in = atomic_load(&s->count.bytes_in);
	out->bytes_out = atomic_load(&s->count.bytes_out);
}
