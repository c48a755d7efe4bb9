/*
 * net.h - the only door to NNG: authenticated, encrypted links.
 *
 * A link is an nng_stream (tcp) with SP framing (8-byte header, 8-byte
 * big-endian length, REQ/REP request id) carrying Noise IK transport messages.
 * The rules that survived 178,000 abrupt connections (reliability design §5.2)
 * are kept inside: every send/recv is submitted under the link's mutex and only
 * while open; close under the same mutex; no aio timeout, no cancel except on
 * dial; one sweeper thread closes links past their deadline, by the boot clock.
 */
#ifndef SAT_NET_NET_H
#define SAT_NET_NET_H

#include "common/crypto/noise.h"

#define SAT_NET_FRAME_MAX_UNAUTH 4096
#define SAT_NET_FRAME_MAX_STRANGER (16 * 1024) /* until sat_link_trust */
#define SAT_NET_FRAME_MAX (4 * 1024 * 1024)
#define SAT_NET_HANDSHAKE_MS 10000
#define SAT_NET_IDLE_MS 120000

/* ---- server ---- */
typedef struct sat_net_server sat_net_server;
typedef struct sat_link sat_link;

typedef struct sat_net_server_opts {
	const char *listen;  /* "tcp://0.0.0.0:7443"; port 0 = any free */
	sat_noise_keys keys;
	sat_span prologue;   /* protocol version + organisation */
	unsigned links_max, links_unauth_max, links_per_address_max; /* 0 = default 6000/512/256 */
	/*
	 * Called on NNG threads: copy, queue, return. `frame` is one whole
	 * decrypted request, borrowed. `link` may be kept (sat_link_ref) and is
	 * answered by sat_link_reply from any thread, once per request. The
	 * next request of a link is read after the answer to this one was sent
	 * (P-126). on_close (NULL is fine) comes once for each authenticated
	 * link, after its last on_request has returned, on another thread's
	 * turn: never from inside a sat_link_* call. Its own reference is
	 * dropped afterwards. No callback may block: NNG has few threads.
	 */
	void (*on_request)(void *u, sat_link *link, sat_span frame);
	void (*on_close)(void *u, sat_link *link);
	void *u;
} sat_net_server_opts;

SAT_CHECK sat_rc sat_net_serve(
    sat_net_server **s, const sat_net_server_opts *o, sat_err *e);
uint16_t sat_net_port(const sat_net_server *s); /* the bound port */
/* Stop accepting. Links and NNG are never torn down: the process ends with
 * _exit after the database is closed (reliability design §5.2 rule 5). */
void sat_net_stop_accepting(sat_net_server *s);
/* Other caps from now on; 0 = the default. Links that are there stay. */
void sat_net_caps(sat_net_server *s, unsigned links, unsigned per_address);
typedef struct sat_net_stats {
	unsigned links, links_unauth;
	uint64_t accepted, refused, closed, frames_in, frames_out, bytes_in, bytes_out;
} sat_net_stats;
void sat_net_stats_get(sat_net_stats *out, sat_net_server *s);

const uint8_t *sat_link_peer(const sat_link *l); /* 32-byte static key */
const char *sat_link_address(const sat_link *l); /* for logs: "127.0.0.1" */
void sat_link_ref(sat_link *l);
void sat_link_unref(sat_link *l);
/* The owner knows whose key this is: requests of up to SAT_NET_FRAME_MAX from now
 * on. Only between a request and its answer; from any thread. */
void sat_link_trust(sat_link *l);
/* Seal and send; dropped silently when the link is closed. */
void sat_link_reply(sat_link *l, sat_span frame);
/* An answer that is on its way goes out first. */
void sat_link_close(sat_link *l);
void *sat_link_user(sat_link *l);            /* owner's pointer, NULL at first */
void sat_link_user_set(sat_link *l, void *u);

/* ---- client ---- */
typedef struct sat_net_client sat_net_client;
typedef struct sat_net_client_opts {
	const char *dial;      /* "tcp://host:port" */
	sat_noise_keys keys;
	uint8_t server_pk[32]; /* pinned */
	sat_span prologue;
	int timeout_ms;        /* connect + handshake, and each request; 0 = 15000 */
	/* Asked a few times a second while something is awaited, and after each
	 * sat_net_nudge; true ends the waiting. May be NULL. */
	bool (*interrupted)(void *u);
	void *u;
} sat_net_client_opts;

/* Connect and shake hands; blocking.
 * @return SAT_EUNREACHABLE (refused, timed out, closed; code
 *         "net.interrupted" when the hook ended it), SAT_EPROTO (the peer is not the pinned server or speaks something else). */
SAT_CHECK sat_rc sat_net_dial(
    sat_net_client **c, const sat_net_client_opts *o, sat_err *e);
/* One request, one reply (appended to `reply`, which is reset first).
 * One thread at a time; another one may not use `c` meanwhile.
 * @return SAT_EUNREACHABLE on loss or timeout, SAT_EPROTO when the reply does
 *         not authenticate: the link is then dead, hang up and dial again (a
 *         link idle for SAT_NET_IDLE_MS is closed by the server);
 *         SAT_EINVALID when longer than SAT_NET_FRAME_MAX, the link lives. */
SAT_CHECK sat_rc sat_net_request(sat_net_client *c, sat_buf *reply,
    sat_span frame, sat_err *e);
/* The same with a deadline of its own, for an answer that may take long. */
SAT_CHECK sat_rc sat_net_request_within(sat_net_client *c, sat_buf *reply,
    sat_span frame, int timeout_ms, sat_err *e);
/* Its two halves, for one thread with many links: each send is followed by
 * one receive, other links are served in between. timeout_ms 0 = the client's
 * own. */
SAT_CHECK sat_rc sat_net_send(sat_net_client *c, sat_span frame, sat_err *e);
SAT_CHECK sat_rc sat_net_receive(sat_net_client *c, sat_buf *reply,
    int timeout_ms, sat_err *e);
/* From any thread while `c` is sure to live: a request that is under way asks
 * its hook now. */
void sat_net_nudge(sat_net_client *c);
/* From any thread while `c` is sure to live: the link is dead, and who waits for
 * an answer of it is told so at once. */
void sat_net_cut(sat_net_client *c);
/* Payload bytes as they went over the socket, framing and tags included. */
void sat_net_client_bytes(const sat_net_client *c, uint64_t *out, uint64_t *in);
void sat_net_hangup(sat_net_client *c); /* NULL is fine */

/* SP frame header helpers (pure; fuzzed). */
#define SAT_SP_HELLO_BYTES 8
void sat_sp_hello(uint8_t out[SAT_SP_HELLO_BYTES], uint16_t proto);
SAT_CHECK bool sat_sp_hello_ok(const uint8_t in[SAT_SP_HELLO_BYTES], uint16_t proto);

#endif
