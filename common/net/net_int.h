/*
 * net_int.h - what stays inside the network room.
 *
 *   sp.c       bytes <-> hello and frames; pure
 *   link.c     one connection: the only file that submits to a stream
 *   server.c   listener, caps, handshake as responder, requests
 *   sweeper.c  one thread per server that closes links past their deadline
 *   client.c   blocking dial and request
 *
 * Wire: docs/protocol.md, P-120 to P-129.
 */
#ifndef SAT_NET_NET_INT_H
#define SAT_NET_NET_INT_H

#include <pthread.h>
#include <stdatomic.h>

#include <nng/nng.h>

#include "common/net/net.h"

/* ---- sp.c ---- */
#define SAT_SP_REQ0 0x30
#define SAT_SP_REP0 0x31
#define SAT_SP_HEAD_BYTES 12         /* be64 length, be32 request id */
#define SAT_SP_ID_BYTES 4            /* counted in the length */
#define SAT_SP_ID_TOP 0x80000000u    /* marks the last word of an SP header */
#define SAT_SP_PIECE_BYTES (64 * 1024)

void sat_sp_head(uint8_t out[SAT_SP_HEAD_BYTES], uint32_t id, size_t body);

/* Takes a byte stream apart: one hello, then frames. */
typedef enum sat_sp_event {
	SAT_SP_MORE,  /* nothing whole yet */
	SAT_SP_HELLO, /* the peer's hello is good */
	SAT_SP_FRAME, /* `id` and `body` hold a whole frame */
	SAT_SP_BAD,   /* not our protocol, too long, or no memory: for good */
} sat_sp_event;

typedef struct sat_sp_in {
	uint16_t proto;  /* the peer's, expected in the hello */
	size_t body_max; /* a longer body is refused before allocation */
	enum { SAT_SP_AT_HELLO, SAT_SP_AT_HEAD, SAT_SP_AT_BODY,
		SAT_SP_AT_END, SAT_SP_AT_FAULT } at;
	uint8_t head[SAT_SP_HEAD_BYTES];
	size_t have;     /* bytes of the present part that came */
	uint32_t id;
	uint8_t *body;
	size_t body_n, body_cap;
} sat_sp_in;

void sat_sp_in_init(sat_sp_in *in, uint16_t proto, size_t body_max);
void sat_sp_in_fini(sat_sp_in *in);
/*
 * Where the next bytes go. Memory grows with what has come, never with what
 * was announced.
 * @return NULL when there is no memory, or nothing more is wanted.
 */
SAT_CHECK uint8_t *sat_sp_in_room(sat_sp_in *in, size_t *n);
/* n bytes were put there. */
SAT_CHECK sat_sp_event sat_sp_in_got(sat_sp_in *in, size_t n);
/* Done with the frame; large memory is given back. */
void sat_sp_in_next(sat_sp_in *in);
/* True while a hello or frame has begun and is not whole. */
bool sat_sp_in_midway(const sat_sp_in *in);

/* ---- link.c ---- */
/* Message 1 does not open: other key, other organisation, other version. */
#define SAT_NET_REFUSED 1
#define SAT_NET_SEALED_MAX (SAT_NET_FRAME_MAX + SAT_NOISE_OVERHEAD)
#define SAT_NET_STALL_MS 60000
#define SAT_NET_NEVER INT64_MAX

typedef struct sat_net_deadlines {
	int handshake_ms; /* from accept to message 2, whatever comes */
	int idle_ms;      /* between frames, and for the owner's answer */
	int stall_ms;     /* no byte moved within a frame */
} sat_net_deadlines;

typedef struct sat_net_count {
	atomic_uint_fast64_t frames_in, frames_out, bytes_in, bytes_out;
} sat_net_count;

/* Called on NNG's threads, never with a lock held; `gone` once, as the last. */
typedef struct sat_link_ops {
	void (*frame)(sat_link *l, uint32_t id, sat_span body);
	void (*sent)(sat_link *l);
	void (*gone)(sat_link *l);
	void (*orphan)(sat_link *l); /* shut with no I/O under way; may be NULL */
} sat_link_ops;

struct sat_link {
	const sat_link_ops *ops;
	atomic_uint refs;
	pthread_mutex_t mtx;
	pthread_cond_t cond;     /* client: `have` or `closed` changed */
	/* under mtx */
	nng_stream *stream;
	unsigned io;             /* submitted or with its callback running */
	bool closed, finished, sending, close_after, in_frame, next_wanted;
	int why;                 /* nng error that closed it; 0 = we did */
	sat_buf out;             /* being sent, from out_off on */
	size_t out_off;
	uint32_t owed_id;        /* 0 = no answer owed */
	bool have;               /* client: `got` holds a frame */
	uint32_t got_id;
	sat_buf got;
	/* touched by one side at a time: there is never a read and a write, or
	 * a read and an owner at work, on one link (N2) */
	nng_aio *rx, *tx;
	sat_sp_in in;
	sat_noise noise;
	sat_buf plain;
	/* constant, or atomic */
	atomic_bool ready;       /* the handshake is over */
	atomic_int_fast64_t deadline;
	_Atomic(void *) user;
	sat_net_deadlines limits;
	sat_net_count own, *count;
	char address[64];
	/* the server's, under its mutex */
	struct sat_net_server *server;
	sat_link *next, **prev;
	uint8_t akey[16];
	unsigned bucket;
};

int64_t sat_net_now(void); /* boot clock, ms */
/* Takes the stream, also on failure. The first reference is the link's own. */
SAT_CHECK sat_rc sat_link_new(sat_link **l, nng_stream *stream,
    const sat_link_ops *ops, uint16_t peer_proto, const sat_net_deadlines *d,
    sat_err *e);
/* Read on until a frame is whole. */
void sat_link_recv(sat_link *l);
/* The frame has been answered: read the next one. */
void sat_link_next(sat_link *l);
/* Takes the bytes. Dropped when closed. */
void sat_link_send(sat_link *l, sat_buf *bytes);
/* Close now; `why` is kept for texts. */
void sat_link_shut(sat_link *l, int why);
/* Give back the descriptor of a link that is shut and has no I/O under way.
 * Never from inside a call the owner made. */
void sat_link_reap(sat_link *l);
void sat_link_deadline(sat_link *l, int64_t ms_from_now);
/* Head, then room for a body to be appended. */
void sat_link_begin_frame(sat_buf *b);
void sat_link_end_frame(sat_buf *b, size_t at, uint32_t id);

/* ---- server.c, sweeper.c ---- */
#define SAT_NET_BUCKETS 256 /* power of two */
#define SAT_NET_ACCEPT_RETRY_MS 100

struct sat_net_server {
	sat_net_server_opts o;   /* prologue and keys point to our own copies */
	sat_noise_keys *keys;
	sat_buf prologue;
	sat_net_deadlines limits;
	nng_stream_listener *listener;
	nng_aio *accept;
	uint16_t port;
	uint8_t hash_key[16];
	sat_net_count count;
	pthread_mutex_t mtx;
	pthread_cond_t wake;
	/* under mtx */
	bool stopped, kicked;
	int64_t accept_at;       /* 0 = an accept is under way */
	sat_link *links[SAT_NET_BUCKETS];
	sat_net_stats stats;
};

/* The test hook: sat_net_serve with other deadlines. */
SAT_CHECK sat_rc sat_net_serve_with(sat_net_server **s,
    const sat_net_server_opts *o, const sat_net_deadlines *d, sat_err *e);
void sat_net_accept_next(sat_net_server *s);
SAT_CHECK sat_rc sat_net_sweep_start(sat_net_server *s, sat_err *e);
void sat_net_sweep_kick(sat_net_server *s);

#endif
