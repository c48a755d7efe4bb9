/*
 * sync_int.h - what one-shot and live sync share.
 *
 *   sync.c   dial, one session, retries, enrolment
 *   live.c   sessions and waits on one link, for as long as it lives
 *   ask.c    one question that is not part of a session
 *   rekey.c  the keys a link is opened with; other ones
 *   carry.c  session operations that run on the replica's own thread
 *   ahead.c  the answer behind the one being taken in, on a thread of its own
 */
#ifndef SAT_SYNC_INT_H
#define SAT_SYNC_INT_H

#include "client/sync/sync.h"
#include "common/net/net.h"

/* SAT_ENOREPLICA: not enrolled; SAT_EDENIED: demonstration data. */
SAT_CHECK sat_rc sat_sync_has_server(const sat_replica_identity *id, sat_err *e);
SAT_CHECK sat_rc sat_sync_dial(sat_net_client **c, const char *address,
    const uint8_t server_pk[32], const sat_replica_identity *id,
    const sat_sync_opts *o, sat_err *e);
/* Where the server is: what was set, else what the invitation said. */
static inline const char *
sat_sync_address(const sat_replica_identity *id, const sat_sync_opts *o)
{
	return o->server != NULL ? o->server : id->server;
}
/* rekey.c: a link with the keys in force, which *channel_pk tells; a change that
 * broke off is brought to its end first. */
SAT_CHECK sat_rc sat_sync_open(sat_net_client **link,
    uint8_t channel_pk[SAT_BOX_PK_BYTES], sat_replica *r,
    const sat_sync_opts *o, sat_err *e);
/* A session over a link with these keys failed: are others in force now, so that
 * a new link is worth while? */
bool sat_sync_other_keys(sat_replica *r, const uint8_t used[SAT_BOX_PK_BYTES],
    sat_rc rc, const sat_err *why, const sat_sync_opts *o);
/* id, which lies in guarded memory, with other keys. */
void sat_sync_wear(sat_replica_identity *id, const sat_key_pairs *p);
/* As sat_sync_question, with other keys than those in force. */
SAT_CHECK sat_rc sat_sync_question_as(sat_msg *m, sat_arena *a, sat_replica *r,
    sat_msg_type want, const sat_key_pairs *as, const sat_sync_opts *o,
    sat_err *e);
/* *m is the question and becomes the answer, in `a` (ask.c). */
SAT_CHECK sat_rc sat_sync_question(sat_msg *m, sat_arena *a, sat_replica *r,
    sat_msg_type want, const sat_sync_opts *o, sat_err *e);
/* One session over this link; what it exchanged is added to *out. */
SAT_CHECK sat_rc sat_sync_session(sat_sync_result *out, sat_net_client *link,
    const sat_client_ops *ops, const sat_sync_opts *o, sat_err *e);
static inline void
sat_sync_turn(const sat_sync_opts *o, bool begin)
{
	if (o->turn != NULL)
		o->turn(o->cu, begin);
}
/* Full jitter: a moment between nothing and base doubled `attempt` times. */
int64_t sat_sync_jitter(int attempt, int64_t cap_ms, const sat_sync_opts *o);

/*
 * ahead.c: receives and reads the answer to a guess while the one before it is
 * taken in (P-290), and asks on behind a page that has another behind it. Holds one
 * answer that was read and one that was not. While it has a guess the link belongs
 * to it; other requests go out after sat_ahead_rest or sat_ahead_drop.
 * All of these: the session's thread.
 */
typedef struct sat_ahead sat_ahead;
sat_ahead *sat_ahead_new(sat_net_client *link); /* no thread before the first go */
/* Waits for the thread. When that is awaiting an answer the link is cut. NULL is
 * fine. */
void sat_ahead_free(sat_ahead *a);
/* Nothing is under way: sends a guess. When it cannot be sent, or there can be no
 * thread, there is none. */
void sat_ahead_go(sat_ahead *a, sat_span request);
/* Is there a guess, and is it this? */
bool sat_ahead_has(const sat_ahead *a);
bool sat_ahead_is(const sat_ahead *a, sat_span request);
/* Its answer; what *out held before is used again. What reading it gave is in it.
 * @return SAT_EUNREACHABLE and others: it could not be received. */
SAT_CHECK sat_rc sat_ahead_take(sat_cs_answer *out, sat_ahead *a, sat_err *e);
/* It is kept, and the link is free for another request. */
SAT_CHECK sat_rc sat_ahead_rest(sat_ahead *a, sat_err *e);
/* It is thrown away, and what was asked behind it: nothing is under way any more. */
SAT_CHECK sat_rc sat_ahead_drop(sat_ahead *a, sat_err *e);

/* The replica's operations; with o->call set they run through it. */
typedef struct sat_carry {
	sat_client_ops under;
	void (*call)(void *cu, void (*fn)(void *arg), void *arg);
	void *cu;
} sat_carry;
sat_client_ops sat_carry_ops(sat_carry *c, sat_replica *r,
    const sat_sync_opts *o);

#endif
