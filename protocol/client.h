/*
 * client.h - the device's side of a session: a state machine. Sans I/O.
 *
 * hello -> [erasures] -> [registry] -> [what a restored server lacks] ->
 * [template] -> push until the outbox is answered -> [receipt of erasures] ->
 * [numbers in advance] ->
 * snapshot until complete (first time, new epoch) -> pull until the scope's
 * head -> [comparing sums] -> [contents of files] -> done.
 * Of a template that only a newer program can read (SAT_EVERSION) it goes on
 * with the old one: what waits is sent, nothing is taken, and then it fails so.
 * The pump sends what sat_cs_next gives, hands the reply to sat_cs_reply, and
 * may send the same request again after a timeout (the server is idempotent).
 */
#ifndef SAT_PROTOCOL_CLIENT_H
#define SAT_PROTOCOL_CLIENT_H

#include "protocol/message.h"

/* What the session asks of the replica. Each call is one transaction. */
typedef struct sat_client_ops {
	void *u;
	sat_rc (*hello)(void *u, sat_hello *out, sat_err *e);
	/* learn the clock offset, the durable watermark (outbox truncation), a
	 * new epoch (P-201) */
	sat_rc (*welcome)(void *u, const sat_welcome *w, int64_t sent_wall_ms, sat_err *e);
	sat_rc (*registry)(void *u, sat_span registry, sat_err *e);
	sat_rc (*template_)(void *u, const uint8_t tip[SAT_TEMPLATE_OID_BYTES], sat_span bundle, sat_err *e);
	/* the next commits without a verdict, oldest first, of one incarnation,
	 * from cseq >= from; fills push (not the batch) and signs. n = 0: none.
	 * All of them have a box, then push->sealed is set, or none has. */
	sat_rc (*outbox)(void *u, sat_arena *a, sat_push *push, sat_commit **c,
	    size_t *n, uint64_t from_cseq, sat_err *e);
	/* those behind what was handed out last, of the same incarnation, while
	 * its verdicts are awaited (P-310); n = 0: none. May be NULL. */
	sat_rc (*outbox_behind)(void *u, sat_arena *a, sat_push *push, sat_commit **c,
	    size_t *n, sat_err *e);
	sat_rc (*verdicts)(void *u, uint32_t incarnation, const sat_verdicts *v, sat_err *e);
	/* snapshot: *after where to go on, *wanted false when the replica is complete */
	sat_rc (*snap_state)(void *u, bool *wanted, uint64_t *after, sat_err *e);
	sat_rc (*chunk)(void *u, const sat_chunk *c, sat_err *e);
	/* cursor; and one page. SAT_ENOTFOUND from delta = an own commit is not in
	 * the outbox any more: ask again with SAT_PULL_FULL_OWN. */
	sat_rc (*cursor)(void *u, uint64_t *cursor, sat_err *e);
	sat_rc (*delta)(void *u, const sat_delta *d, sat_err *e);
	/* the largest LSN of an accepted own commit that no page has met yet; 0 =
	 * none. May be NULL. */
	sat_rc (*accepted)(void *u, uint64_t *lsn, sat_err *e);
	/* After a new epoch: the next piece of what the server may not have;
	 * wanted false when there is none. May be NULL, with `seeded`. */
	sat_rc (*seed)(void *u, sat_arena *a, sat_seed *out, bool *wanted, sat_err *e);
	sat_rc (*seeded)(void *u, const sat_seeded *in, sat_err *e);
	/* Erasures: what to ask when the server's ledger is another one; the
	 * answer; the receipt once nothing of them is left. May be NULL. */
	sat_rc (*ledger)(void *u, sat_arena *a, sat_ledger *out, bool *wanted, sat_err *e);
	sat_rc (*ledger_is)(void *u, const sat_ledger *in, sat_err *e);
	sat_rc (*erased)(void *u, sat_erased *out, bool *wanted, sat_err *e);
	sat_rc (*erased_ok)(void *u, sat_err *e);
	/* Parked commits whose records are there now go back into the outbox;
	 * *n how many. May be NULL. */
	sat_rc (*unpark)(void *u, uint64_t *n, sat_err *e);
	/* After the last page: is the sum the server told another one than ours
	 * (P-183)? All NULL: nothing is compared. digest: one answer about
	 * sums; SAT_EFALSE when the server has gone on since: pull first.
	 * refetch_next: a range to be sent again; to_eid 0 = none is left. */
	sat_rc (*differs)(void *u, bool *yes, sat_err *e);
	sat_rc (*digest)(void *u, const sat_digest *ask, const sat_digest_is *d, sat_err *e);
	sat_rc (*refetch_next)(void *u, sat_refetch *ask, sat_err *e);
	sat_rc (*refetch)(void *u, const sat_refetch *ask, const sat_refetch_is *d, sat_err *e);
	/* the series this device wants numbers of (n = 0: enough are there), and
	 * the ranges it was given. May be NULL, both. */
	sat_rc (*numbers_want)(void *u, sat_arena *a, sat_numbers *want, sat_err *e);
	sat_rc (*numbers)(void *u, const sat_numbers *given, sat_err *e);
	/* After the last page: what WELCOME told of other devices' reports,
	 * which holds from here on, and the registry it was told by. Not called
	 * when nothing was. May be NULL. */
	sat_rc (*coverage)(void *u, const sat_coverage *in, uint64_t registry_rev, sat_err *e);
	/* At the end: the next piece of a file the server has not got from here
	 * (P-440), wanted false when there is none; and what it said. May be
	 * NULL, both. */
	sat_rc (*file_next)(void *u, sat_arena *a, sat_file_put *out, bool *wanted, sat_err *e);
	sat_rc (*file_taken)(void *u, const sat_file_taken *in, sat_err *e);
	/* An order to destroy what is here (P-382): is it one for us? It is kept
	 * in mind. *push_first: what waits in the outbox goes to the server before;
	 * then order {NULL,0} says that it has. SAT_EINTEGRITY: it is no good
	 * order, and nothing was done. */
	sat_rc (*wipe)(void *u, sat_span order, bool *push_first, sat_err *e);
} sat_client_ops;

enum { SAT_CS_PUSH_ONLY = 1, SAT_CS_PULL_ONLY = 2 };

typedef struct sat_cs_stats {
	uint64_t pushed, accepted, late, conflicts, rejected, handed;
	uint64_t pulled_commits, rescopes, records, round_trips;
	uint64_t seeded, erased;
	uint64_t files;     /* contents the server has now */
	uint64_t refetched; /* ranges that differed and were sent again */
	uint64_t retry_after_s; /* the server takes the rest of the outbox then */
	bool template_changed, registry_changed, complete;
	bool new_epoch;       /* the server came back from a backup */
} sat_cs_stats;

typedef struct sat_cs sat_cs;
sat_cs *sat_cs_new(const sat_client_ops *ops, const sat_clock *clock, unsigned flags);
void sat_cs_free(sat_cs *s);
/* The next request (appended to out), or *done. Calling it again before a
 * reply gives the same request again. */
SAT_CHECK sat_rc sat_cs_next(sat_cs *s, sat_buf *out, bool *done, sat_err *e);
/* What a session ends with once an order to wipe was found good: SAT_EREVOKED
 * and this code. Carrying it out is the owner's. */
#define SAT_CODE_WIPE "device.wipe"
/*
 * An answer and what it says, which lies in `frame` and in `mem`. Reading it takes
 * no session, so that another thread may do it while the session takes in the
 * answer before; each answer has one owner at a time. Zeroed is empty and valid.
 */
typedef struct sat_cs_answer {
	sat_buf frame;
	sat_arena mem;
	sat_msg m;
	sat_rc rc;   /* of reading it, and why */
	sat_err why;
} sat_cs_answer;
/* From a->frame: the message, the records and commits in it, and whether these fit
 * their hash. Pure. What fails is noted, and said by sat_cs_take. */
void sat_cs_read(sat_cs_answer *a);
void sat_cs_answer_fini(sat_cs_answer *a);
/*
 * What is asked behind this page, whatever comes of it: the next chunk, the next
 * page of those that are known to be there. Appended to out; false: there is none
 * (or it is the session's to say, sat_cs_ahead). Needs no more of a than its frame.
 */
SAT_CHECK bool sat_cs_behind(sat_buf *out, sat_cs_answer *a);
/* One reply. An ERROR frame becomes its sat_rc (SAT_EREVOKED, SAT_EDENIED,
 * SAT_EVERSION...). A reply that does not fit the state is SAT_EPROTO. */
SAT_CHECK sat_rc sat_cs_reply(sat_cs *s, sat_span frame, sat_err *e);
/* The same with one that was read. */
SAT_CHECK sat_rc sat_cs_take(sat_cs *s, sat_cs_answer *a, sat_err *e);
/*
 * While the answer is awaited: build the push behind the one that is under way
 * (P-310). What fails here fails again when it is asked for.
 */
void sat_cs_prepare(sat_cs *s);
/*
 * What will most likely be asked once this reply is taken in (the page behind a
 * page, the push that was prepared, the first chunk behind the first template):
 * written to out, so that the server is at it meanwhile. false: nothing
 * can be said. A guess and no more: sat_cs_next decides, and when it asks for
 * something else the answer to the guess is thrown away, or kept (sat_cs_keeps).
 */
bool sat_cs_ahead(sat_cs *s, sat_span reply, sat_buf *out);
/*
 * Does the answer to a guess outlast what is asked now? Then, when the guess is
 * asked for after all, it is the answer; otherwise it is thrown away (P-290).
 */
bool sat_cs_keeps(const sat_cs *s);
const sat_cs_stats *sat_cs_stats_get(const sat_cs *s);

#endif
