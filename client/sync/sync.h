/*
 * sync.h - the device's pump: dial, shake hands, run one session, hang up.
 *
 * Blocking, on the caller's thread; only an answer that was asked for ahead is
 * received and read on another one, which ends with the session. All rules of the
 * session are in protocol/client.h; here are only sockets, retries and deadlines.
 *
 * The replica is touched only through its session operations. With `call` set
 * they run where the owner wants them (the daemon's worker), one at a time,
 * while the network is waited for here: no request waits for a slow network.
 */
#ifndef SAT_SYNC_SYNC_H
#define SAT_SYNC_SYNC_H

#include "client/replica/file.h"
#include "protocol/invite.h"

/*
 * A question to the server (privacy, hold, directory, reveal, admin) for an owner
 * whose thread must not wait for the network. With `asking` set the first call puts the
 * question there and fails (SAT_EBUSY "asking"); the owner lets it be asked on
 * another thread and does what it did once more: the same call finds the answer.
 * What is done before the question therefore is done twice, and must be reading.
 */
typedef struct sat_asking sat_asking;

typedef struct sat_sync_opts {
	unsigned flags;    /* SAT_CS_PUSH_ONLY, SAT_CS_PULL_ONLY */
	const char *server; /* address instead of the invitation's; NULL = that;
	                      its key stays the one the invitation named */
	int timeout_ms;    /* connect and each request; 0 = 15000 */
	int retries;       /* whole sessions tried again after a lost link; full jitter */
	void (*progress)(void *u, const sat_cs_stats *so_far);
	/* Asked a few times a second, by one thread at a time but not always the
	 * same; true ends it with SAT_EUNREACHABLE, code "net.interrupted". What
	 * was exchanged stays. May be NULL. */
	bool (*interrupted)(void *u);
	void *u;
	/* Runs fn(arg) on the replica's thread and waits for it; NULL = here. */
	void (*call)(void *cu, void (*fn)(void *arg), void *arg);
	/* Before and after each session, so that only one runs; may be NULL. */
	void (*turn)(void *cu, bool begin);
	void *cu;
	sat_asking *asking; /* may be NULL: questions wait here */
	sat_clock clock;
	sat_rand rand;
} sat_sync_opts;

typedef struct sat_sync_result {
	sat_cs_stats stats;
	uint64_t bytes_out, bytes_in;
	int64_t ms;
} sat_sync_result;

/*
 * One sync. Whatever was exchanged before a failure stays.
 * @return SAT_EUNREACHABLE, SAT_EREVOKED, SAT_EDENIED, SAT_EVERSION,
 *         SAT_ECONFLICT (fork), SAT_EPARTLY when the server refused commits
 *         (they are in the quarantine), or a replica failure.
 */
SAT_CHECK sat_rc sat_sync_run(sat_sync_result *out, sat_replica *r,
    const sat_sync_opts *o, sat_err *e);
/*
 * Live sync (P-210..): sync, wait on the same link until something is newer,
 * sync again; connect anew after a loss, with full jitter. Until sat_live_stop,
 * or a failure that waiting cannot mend.
 */
typedef struct sat_live sat_live;
typedef enum sat_live_state {
	SAT_LIVE_OFF,        /* not running */
	SAT_LIVE_OFFLINE,    /* no server; it is tried again */
	SAT_LIVE_EXCHANGING,
	SAT_LIVE_WAITING,    /* everything is exchanged, the link is held */
} sat_live_state;
/* o->flags and o->retries are not used. exchanged (NULL is fine) comes after
 * each session, on the thread of sat_live_run. */
sat_live *sat_live_new(const sat_sync_opts *o,
    void (*exchanged)(void *u, const sat_sync_result *r), void *u);
void sat_live_free(sat_live *l); /* after sat_live_run has returned */
/* @return SAT_OK when it was stopped, SAT_EREVOKED, SAT_ECONFLICT (fork),
 *         SAT_EINTEGRITY, SAT_EFSYNC, SAT_ENOREPLICA. */
SAT_CHECK sat_rc sat_live_run(sat_live *l, sat_replica *r, sat_err *e);
/* From any thread: there is something to send; stop. */
void sat_live_nudge(sat_live *l);
void sat_live_stop(sat_live *l);
/* *last (may be NULL): why there is no link; rc SAT_OK when there is. */
sat_live_state sat_live_state_get(sat_live *l, sat_err *last);

/* How far the devices are that this user may give customers to or take them
 * from, in `a`. Not a sync: one greeting and one question. */
SAT_CHECK sat_rc sat_sync_directory(sat_directory *out, sat_arena *a,
    sat_replica *r, const sat_sync_opts *o, sat_err *e);

/* Enrol a replica whose identity has device 0; may be repeated after a lost
 * link with the same invitation. */
SAT_CHECK sat_rc sat_sync_enrol(sat_replica *r, const sat_invite *inv,
    const char *device_name, const sat_sync_opts *o, sat_err *e);
/* Other keys for this device (P-386): draws them and tells the server; again
 * after a failure it goes on where it was, and so does every sync.
 * @return SAT_ECONFLICT "key.behind" (a sync ends it), SAT_EREVOKED,
 *         SAT_EUNREACHABLE, ... */
SAT_CHECK sat_rc sat_sync_rekey(sat_replica *r, const sat_sync_opts *o,
    sat_err *e);
/* The Noise prologue both sides use: "satchel/1" | org. */
void sat_sync_prologue(sat_buf *out, const sat_id *org);

/* Ask about erasures, or for one (P-191); answers lie in `a`. What is decided
 * reaches this device with its next sync.
 * @return SAT_EDENIED (role, the same person twice), SAT_ENOTFOUND,
 *         SAT_ECONFLICT (erased already), SAT_EUNREACHABLE, ... */
SAT_CHECK sat_rc sat_sync_privacy(sat_privacy_is *out, sat_arena *a,
    sat_replica *r, const sat_privacy *in, const sat_sync_opts *o, sat_err *e);
/* A value this device does not hold (P-248); it lies in `a` and nowhere else.
 * What the server notes of it reaches this device with its next sync.
 * @return SAT_EDENIED, SAT_ENOTFOUND, SAT_EUNREACHABLE, ... */
SAT_CHECK sat_rc sat_sync_reveal(sat_revealed *out, sat_arena *a,
    sat_replica *r, const sat_reveal *in, const sat_sync_opts *o, sat_err *e);
/* The content of a file that a record here names, appended; goes on where a link
 * was lost. It is not kept (sat_replica_file_keep).
 * @return SAT_ENOTFOUND (not at the server, or not yet), SAT_EUNREACHABLE, ... */
SAT_CHECK sat_rc sat_sync_file(sat_buf *content, sat_replica *r,
    const sat_file_ref *ref, const sat_sync_opts *o, sat_err *e);
sat_asking *sat_asking_new(void);
void sat_asking_free(sat_asking *x); /* NULL is fine */
/* Is a question there that was not asked yet? */
bool sat_asking_waits(const sat_asking *x);
/* Ask it, from any thread; waits for the network. How it went is found by the
 * call that is made again. */
void sat_asking_go(sat_asking *x, const sat_sync_opts *o);
/* A verb of the server, for who has the role admin (P-371): its words; the
 * answer is JSON or nothing, in `a`. Sent once. @return what the verb gave. */
SAT_CHECK sat_rc sat_sync_admin(sat_span *out, sat_arena *a, sat_replica *r,
    const sat_admin_words *words, const sat_sync_opts *o, sat_err *e);
/* Have so many customers of pools kept for this user (P-154), counting what is
 * kept already; the answer is all of them, in `a`. Errors as above. */
SAT_CHECK sat_rc sat_sync_hold(sat_held *out, sat_arena *a, sat_replica *r,
    uint64_t count, const sat_sync_opts *o, sat_err *e);

#endif
