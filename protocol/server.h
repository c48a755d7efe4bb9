/*
 * server.h - the server's core: admission, order, merge, hand-out. Sans I/O.
 *
 * A session is one link of one device. Frames in, frames out; the store is
 * durable before a VERDICTS frame is returned (P-072). One thread.
 */
#ifndef SAT_PROTOCOL_SERVER_H
#define SAT_PROTOCOL_SERVER_H

#include "protocol/store.h"

typedef struct sat_server sat_server;

typedef struct sat_server_env {
	sat_store store;
	sat_clock clock;
	sat_id org;
	const char *org_name;
	uint8_t root_pk[SAT_SIGN_PK_BYTES], template_pk[SAT_SIGN_PK_BYTES];
	/* Template by commit id; NULL when unknown. It lives until 30 others were
	 * asked for since it was, what template_tip gives as long as it is that. */
	const sat_template *(*template_at)(void *u, const uint8_t oid[SAT_TEMPLATE_OID_BYTES]);
	/* What is published; zero: nothing yet. */
	void (*template_tip)(void *u, uint8_t oid[SAT_TEMPLATE_OID_BYTES]);
	/* From what a device has (zero: nothing) towards `tip`, which becomes how
	 * far it goes in SAT_TEMPLATE_PART_MAX (P-451). */
	sat_rc (*template_bundle)(void *u, sat_buf *out,
	    uint8_t tip[SAT_TEMPLATE_OID_BYTES],
	    const uint8_t have[SAT_TEMPLATE_OID_BYTES], sat_err *e);
	/* What a device is due (P-230): the published tip, or a descendant of it
	 * that some try first. `have` is what it has, team its user's ordinal.
	 * NULL: everybody is due the published one. */
	void (*template_due)(void *u, uint8_t oid[SAT_TEMPLATE_OID_BYTES],
	    uint32_t device, uint32_t team,
	    const uint8_t have[SAT_TEMPLATE_OID_BYTES]);
	/* Another number once template_due may answer otherwise; NULL: never. */
	uint64_t (*template_rev)(void *u);
	/* A newer template from a device, after a loss: taken when the template
	 * key signed it and it descends from the published one. May be NULL. */
	sat_rc (*template_take)(void *u, const uint8_t tip[SAT_TEMPLATE_OID_BYTES],
	    sat_span bundle, sat_err *e);
	/* The server's own key (P-130): signs the commits it makes itself, one
	 * signature per transaction. `rand` salts them. */
	uint8_t server_pk[SAT_SIGN_PK_BYTES];
	/* Permits (P-189), for as long as the published template says (false =
	 * none are given); and the root key's signature over
	 * sat_server_key_bytes. */
	bool permits;
	uint8_t server_cert[SAT_SIG_BYTES];
	sat_rc (*sign)(void *u, uint8_t sig[SAT_SIG_BYTES], sat_span bytes,
	    sat_err *e);
	sat_rand rand;
	/* Open what a kiosk sealed to the server's channel key (P-362); false:
	 * it cannot be opened. NULL: nobody seals anything for this server. */
	bool (*unseal)(void *u, sat_buf *out, sat_span box);
	/* A verb of the server from the device of this administrator (P-372);
	 * JSON, or nothing, is appended to out. Not inside a transaction. NULL:
	 * none is taken. */
	sat_rc (*admin)(void *u, const char *user, const sat_admin_words *words,
	    sat_buf *out, sat_err *e);
	void *u;
	size_t chunk_bytes; /* of a snapshot; 0 = SAT_CHUNK_BYTES */
	unsigned bugs; /* planted bugs, SAT_BUGS builds only (protocol/bugs.h) */
} sat_server_env;

SAT_CHECK sat_rc sat_server_new(sat_server **s, const sat_server_env *env, sat_err *e);
void sat_server_free(sat_server *s);
/* The registry changed behind our back (admin command): read it again. */
SAT_CHECK sat_rc sat_server_reload(sat_server *s, sat_err *e);
/* What devices reported is written with the next push, at the latest after half
 * a minute: write it now. */
SAT_CHECK sat_rc sat_server_settle(sat_server *s, sat_err *e);
const sat_registry *sat_server_registry(const sat_server *s);
/* What it was made with (organisation, keys). */
const sat_server_env *sat_server_env_get(const sat_server *s);

typedef struct sat_server_session {
	uint8_t channel_pk[32]; /* authenticated by the channel */
	uint32_t device;        /* after HELLO; 0 before */
	uint8_t sign_pk[SAT_SIGN_PK_BYTES];
	bool greeted;
	bool leaving;           /* revoked: may push, and is refused all of it (P-385) */
	uint32_t incarnation;   /* of the HELLO */
	uint64_t rekeys;        /* of the server, at the HELLO (P-388) */
	uint64_t epoch;         /* of the HELLO */
	uint64_t ledger;        /* the revision its device says it carried out */
	uint8_t tip[SAT_TEMPLATE_OID_BYTES]; /* what WELCOME named */
	uint64_t snap_total;    /* counted once per session */
	/* the last commit HELLO named as not yet sent, and when; 0 = none is
	 * outstanding (P-220) */
	uint32_t claim_inc;
	uint64_t claim_cseq;
	int64_t claim_ms;
	bool parked;            /* a WAIT is unanswered; `waits_for` says for what */
	sat_keys waits_for;
} sat_server_session;

/*
 * Handle one request; *reply gets exactly one frame (an ERROR frame on
 * failure), or none for a WAIT with nothing new: then x->parked is true, and
 * the owner answers it once sat_server_heard tells, or when its patience ends.
 * @return SAT_OK, or the fatal error after which the process must
 * not go on with this store handle (SAT_EFSYNC): nothing was acknowledged.
 */
SAT_CHECK sat_rc sat_server_handle(sat_server *s, sat_server_session *x,
    sat_buf *reply, sat_span frame, sat_err *e);

/*
 * Several PUSH requests in one store transaction (group commit): all replies
 * are written after one durable commit.
 */
typedef struct sat_server_job {
	sat_server_session *session;
	sat_span frame;
	sat_buf *reply;
} sat_server_job;
SAT_CHECK sat_rc sat_server_handle_group(sat_server *s, sat_server_job *jobs,
    size_t n, sat_err *e);

/*
 * Rules that run by time (the pool takes back, ...): the server decides and
 * logs commits of its own. Call it every half minute or so, idle or busy, on
 * the core's thread. @return SAT_EFSYNC as above is fatal; any other failure
 * was undone, is worth a log line, and the rule runs again next time.
 */
SAT_CHECK sat_rc sat_server_tick(sat_server *s, int64_t now_ms, sat_err *e);

/* Call it when no request came for a moment: what the store would otherwise do
 * while somebody waits. On the core's thread; failures as above, but nothing
 * was undone: nothing is lost by leaving it. */
SAT_CHECK sat_rc sat_server_tidy(sat_server *s, sat_err *e);

/* Where each device is that `as` may know of, NULL = all; by ordinal. */
SAT_CHECK sat_rc sat_server_directory(sat_server *s, const sat_user *as,
    void (*cb)(void *cu, const sat_whereabouts *d), void *cu, sat_err *e);

/*
 * What became newer since this was asked last, for sessions that are parked:
 * the keys that commits touched (SAT_KEY_ALL among them after any commit), or
 * everybody when the registry or the template moved. Asked after the requests
 * that may have done it were answered; the list lives until the next request.
 */
typedef struct sat_heard {
	const sat_scope_key *keys;
	size_t n;
	bool everybody;
} sat_heard;
sat_heard sat_server_heard(sat_server *s);
/* Answer a parked session's WAIT; it is not parked any more. */
void sat_server_unpark(sat_server_session *x, sat_buf *reply, sat_waited w);

/*
 * Erase a customer and all below it (P-190): two different users of the roles
 * hq or admin. When it returns, no file of the store holds its values.
 * @return SAT_EDENIED, SAT_EUSAGE (reason), SAT_ECONFLICT (erased already),
 *         SAT_ENOTFOUND.
 */
SAT_CHECK sat_rc sat_server_erase(sat_server *s, const sat_id *subject,
    uint32_t by, uint32_t second, sat_span reason, sat_err *e);
/* Before the store's files are copied: when an erasure was cut off behind its
 * COMMIT, what it left in them goes. Done at every start too, where a failure
 * is passed over, and by the tick, which tells of it. */
SAT_CHECK sat_rc sat_server_scrub(sat_server *s, sat_err *e);
/* Carry out again what another ledger of this organisation has and this one
 * lacks (P-392); after and rev are not read. The entries that came before a
 * failure stay.
 * @return SAT_EINTEGRITY when one is not signed by the organisation's server. */
SAT_CHECK sat_rc sat_server_take_ledger(sat_server *s, const sat_ledger *in,
    sat_err *e);
/* Erasures and requests, and how far devices are. Lives until the next call. */
SAT_CHECK sat_rc sat_server_privacy(sat_server *s, sat_privacy_is *out, sat_err *e);

/* Canonical dump of every record visible to a user (or all, user NULL):
 * id, canonical state, ascending id. For tests and `check`. */
SAT_CHECK sat_rc sat_server_dump(sat_server *s, const sat_user *user,
    void (*cb)(void *cu, const sat_id *id, sat_span state), void *cu, sat_err *e);
/* The same as a device of the user is shown it that has this template. */
SAT_CHECK sat_rc sat_server_dump_by(sat_server *s, const sat_user *user,
    const uint8_t template_oid[SAT_TEMPLATE_OID_BYTES],
    void (*cb)(void *cu, const sat_id *id, sat_span state), void *cu, sat_err *e);
/* Replay the log from nothing and compare with the stored records, verify
 * every chain and batch signature: SAT_EINTEGRITY names the first fault. */
SAT_CHECK sat_rc sat_server_verify(sat_server *s, uint64_t *commits, uint64_t *records, sat_err *e);

#endif
