/*
 * client_int.h - what the files of a device's session share: client.c (what a
 * caller sees), client_ask.c (questions), client_read.c (what an answer says),
 * client_answer.c (what is done with it).
 */
#ifndef SAT_PROTOCOL_CLIENT_INT_H
#define SAT_PROTOCOL_CLIENT_INT_H

#include <string.h>

#include "protocol/client.h"

typedef enum cs_state {
	S_HELLO, S_LEDGER, S_REGISTRY, S_SEED, S_TEMPLATE, S_PUSH, S_ERASED,
	S_NUMBERS, S_SNAP, S_PULL, S_DIGEST, S_REFETCH,
	S_FILES, S_DONE,
} cs_state;

/* What a PUSH took along. */
typedef struct cs_pushed {
	uint32_t inc;
	uint64_t first, last;    /* cseq */
	sat_hlc *sent;           /* stamps */
} cs_pushed;

struct sat_cs {
	sat_client_ops ops;
	sat_clock clock;
	unsigned flags;
	cs_state state;
	bool asked;              /* request holds the question of `state` */
	bool registry_wanted;
	bool regreeted;          /* revoked meanwhile: is there an order? */
	bool is_empty;           /* no template, nothing unsent, when it greeted */
	bool leaving;            /* the outbox is pushed, then this device is wiped */
	sat_buf request;
	sat_arena mem;           /* of the answer or the outbox being handled */
	int64_t sent_ms;
	sat_welcome welcome;
	uint8_t template_oid[SAT_TEMPLATE_OID_BYTES]; /* what the device has */
	uint8_t tip[SAT_TEMPLATE_OID_BYTES]; /* what WELCOME named */
	uint32_t device;
	/* push */
	uint64_t from_cseq;      /* 0 = wherever the outbox starts */
	cs_pushed pushed;
	bool resent;             /* from_cseq was asked for by the server */
	/* the one behind it; tried: looked for since the last question */
	cs_pushed behind;
	sat_buf behind_request;  /* empty: there is none */
	bool behind_tried;
	/* pull */
	bool pull_once;          /* something was merged: the cursor must pass it */
	bool asked_accepted;     /* by an earlier session, too: asked once */
	bool full_own;
	bool unparked;           /* asked once */
	bool template_wanted;    /* records came that need a newer one */
	bool template_again;     /* asked for again, once a session */
	bool outdated;           /* this program cannot read it, */
	sat_err outdated_why;    /* and says so once all that waits is sent */
	uint64_t scope_head, cursor;
	uint64_t after;
	sat_coverage told;       /* by WELCOME, until the pull has caught up */
	/* repair */
	sat_digest digest;       /* sums asked for: those after it */
	sat_refetch range;
	unsigned overtaken;      /* times the server went on meanwhile */
	sat_cs_stats stats;
};

static inline void
cs_go(sat_cs *s, cs_state next)
{
	s->state = next;
	s->asked = false;
}

static inline bool
cs_oid_zero(const uint8_t oid[SAT_TEMPLATE_OID_BYTES])
{
	static const uint8_t zero[SAT_TEMPLATE_OID_BYTES];

	return memcmp(oid, zero, sizeof zero) == 0;
}

/* The template WELCOME named, or a SEED since. */
static inline bool
cs_is_due(const sat_cs *s, const uint8_t oid[SAT_TEMPLATE_OID_BYTES])
{
	return memcmp(oid, s->welcome.template_oid,
	    SAT_TEMPLATE_OID_BYTES) == 0;
}

/* Who sent as much as this is likely sending still. While the page is taken in
 * the server fetches what came since, and no session has to begin for it. */
#define CS_AGAIN_BYTES 4096

static inline bool
cs_asks_again(const sat_delta *d)
{
	return d->batch.n >= CS_AGAIN_BYTES;
}

/* Build the question of the current state; a state that has none moves on. */
SAT_CHECK sat_rc sat_cs_build(sat_cs *s, sat_err *e);
/* What is in a frame, in `a` (client_read.c). */
SAT_CHECK sat_rc sat_cs_read_frame(sat_msg *m, sat_arena *a, sat_span frame,
    sat_err *e);
/* The question behind a chunk, or a page before the scope's head; false: none. */
SAT_CHECK bool sat_cs_behind_page(sat_msg *next, const sat_msg *in);
/* Take the answer to the question of the current state, of the type that
 * belongs to it. */
SAT_CHECK sat_rc sat_cs_answered(sat_cs *s, sat_msg *m, sat_err *e);

#endif
