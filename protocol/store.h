/*
 * store.h - what the server's core asks of its storage. server/store/sqlite
 * implements it; any other must give a byte-identical log for the same seed.
 *
 * Every call runs inside begin/commit, on the core's one thread. Spans given
 * to callbacks, and spans returned, are copied into the arena handed in; those
 * of a record may instead be the store's own until the transaction ends.
 */
#ifndef SAT_PROTOCOL_STORE_H
#define SAT_PROTOCOL_STORE_H

#include "protocol/message.h"
#include "protocol/scope.h"

/* Named counters: 64-bit, 0 when never put. */
typedef enum sat_counter {
	SAT_N_LSN = 1,       /* last LSN given */
	SAT_N_EID,           /* last eid given */
	SAT_N_CLAMP_NOW,     /* sat_hlc_clamp.now_ms */
	SAT_N_CLAMP_LAST,    /* sat_hlc_clamp.last_clamped */
	SAT_N_REGISTRY_REV,
	SAT_N_DURABLE,       /* highest LSN inside a verified backup */
	SAT_N_EPOCH,
	SAT_N_LEDGER_REV = 8, /* newest entry of the erasure ledger */
	SAT_N_FIRST_LSN = 10, /* of the epoch; 0 = the first server */
	SAT_N_TRUNCATED = 9, /* positions up to it are in segments: no pull from
	                        below it */
	SAT_N_POOL_DAY = 12, /* last day (local, since 1970) pools took back */
	SAT_N_DESK_DAY = 13, /* the same of the desks that were cleared */
	SAT_N_MATCH = 14,    /* the duplicate keys the match keys were made for */
	SAT_N_FOLDED = 15,   /* the store's own: see rec_behind */
	SAT_N_TOLD = 40,     /* the store's own: what services were told of */
	SAT_N_MASK_SUMS = 16, /* which masks the sums of P-243 are of; 0 = none */
	SAT_N_SCRUB = 17,    /* 1: files may hold what was erased (server_scrub.c) */
} sat_counter;

typedef struct sat_chain { /* of one (device, incarnation) */
	uint64_t last_cseq;
	uint8_t head[SAT_HASH_BYTES];
	sat_hlc prev_eff;
	uint64_t lsn;        /* of the last accepted one */
} sat_chain;

typedef struct sat_seed_row {
	uint64_t lsn;
	sat_id id;
	uint64_t upto;   /* lost position up to which it holds everything */
	uint32_t device; /* who gave it */
	sat_span state;  /* as the record was after; {NULL,0} once erased */
	sat_span given;  /* as it came, when it lacked something that was logged; else {NULL,0} */
	sat_span since;  /* what it lacked (server_given.c) */
} sat_seed_row;

typedef struct sat_log_row {
	uint64_t lsn;
	sat_hlc eff;
	int64_t received_ms;
	sat_span header, payload; /* canonical; payload {NULL,0} when erased */
	sat_span echoes;          /* log_get only: what echo_put was given */
	sat_span rest;            /* log_get only: what an erasure left of the payload
	                             (P-397), as a payload; {NULL,0} = nothing */
} sat_log_row;

typedef struct sat_rec_row {
	uint32_t eid;
	sat_id id;
	uint16_t kind;
	uint32_t root;       /* eid of the root record; own eid for a root or orphan */
	sat_span owner;      /* user key of the owner field, {NULL,0} = none */
	sat_span state;      /* sat_record_write */
	bool late;           /* rec_put: nothing but the state is new, and the log
	                        tells how it came about: see rec_behind */
} sat_rec_row;

typedef struct sat_member {
	int64_t n;           /* live reasons */
	uint64_t left_lsn;   /* when n last became 0; 0 = never */
} sat_member;

/* Numbers leased to a device in advance (P-141). A lease of an incarnation
 * that is over, or that was voided, is never used and never given again. */
typedef struct sat_lease {
	char series[SAT_SERIES_TEXT];
	uint64_t first, last;
	uint32_t dev, inc;
	int64_t granted_ms;
	bool voided;
} sat_lease;
/* A record that was erased: its numbers are all that is left. */
typedef struct sat_erased_row {
	uint32_t eid, root;
	sat_id id;
	uint64_t rev; /* of the ledger */
} sat_erased_row;

/* A commit that a server which is gone had accepted. */
typedef struct sat_recovered {
	sat_old old;         /* where it stood there; none: its author never knew;
	                        and numbers it had (P-391) */
	sat_span held;       /* its operations that were in states given back
	                        already and not folded again: uint each */
} sat_recovered;

/* P-096: drains with time. */
typedef struct sat_used {
	int64_t at_ms;           /* when it was counted; 0 = never */
	uint64_t ops, bytes;
} sat_used;

typedef struct sat_wipe_row {
	uint8_t nonce[SAT_WIPE_NONCE_BYTES];
	int64_t at_ms;           /* when it was ordered, or ordered otherwise */
	bool push_first;
	int64_t told_ms, done_ms; /* 0 = not yet */
} sat_wipe_row;

/* Keys a device gave up, and the statement by which it did. */
typedef struct sat_former {
	uint32_t dev;
	uint8_t sign_pk[SAT_SIGN_PK_BYTES];
	sat_rekey said;
	uint64_t lsn;            /* of the log then */
	int64_t at_ms;
	int64_t heard_ms;        /* somebody came with them since; 0 = nobody */
} sat_former;

typedef struct sat_store {
	void *u;
	sat_rc (*begin)(void *u, sat_err *e);
	sat_rc (*commit)(void *u, sat_err *e); /* durable when it returns */
	void (*rollback)(void *u);
	/* Nobody waits: what COMMIT would have to do some day, if it is much.
	 * Outside a transaction; nothing that is read changes. */
	sat_rc (*tidy)(void *u, sat_err *e);

	sat_rc (*counter_get)(uint64_t *v, void *u, sat_counter c, sat_err *e);
	sat_rc (*counter_put)(void *u, sat_counter c, uint64_t v, sat_err *e);

	/* devices: SAT_ENOTFOUND when the key is not enrolled */
	sat_rc (*device_by_key)(uint32_t *ord, uint8_t sign_pk[SAT_SIGN_PK_BYTES],
	    void *u, const uint8_t channel_pk[32], sat_err *e);
	sat_rc (*device_sign_pk)(uint8_t sign_pk[SAT_SIGN_PK_BYTES], void *u,
	    uint32_t ord, sat_err *e); /* SAT_ENOTFOUND */
	/* keys that were given up (P-386): which one proves the commit (inc, cseq)
	 * of a device, its present one included; the device that had a channel
	 * key before, SAT_ENOTFOUND: none did */
	sat_rc (*device_pk_at)(uint8_t sign_pk[SAT_SIGN_PK_BYTES], void *u,
	    uint32_t ord, uint32_t inc, uint64_t cseq, sat_err *e);
	sat_rc (*device_by_former)(sat_former *out, void *u,
	    const uint8_t channel_pk[32], sat_err *e);
	/* the present keys end with what is stored of the device's chains, those
	 * of the statement begin. SAT_ECONFLICT: somebody has or had one of them */
	sat_rc (*device_rekey)(void *u, uint32_t ord, const sat_rekey *k,
	    uint64_t lsn, int64_t now_ms, sat_err *e);
	/* somebody came with the keys a device gave up */
	sat_rc (*former_heard)(void *u, const uint8_t channel_pk[32], int64_t now_ms,
	    sat_err *e);
	/* all of a device, the first ones first; cb returns false to stop */
	sat_rc (*formers)(void *u, uint32_t ord, bool (*cb)(void *cu,
	    const sat_former *f), void *cu, sat_err *e);
	/* one use: SAT_ENOTFOUND unknown, SAT_ECONFLICT used, SAT_ELOCKED expired;
	 * else adds the device, bumps the registry revision */
	sat_rc (*device_enrol)(uint32_t *ord, uint32_t *user, void *u,
	    const sat_enrol *in, const uint8_t channel_pk[32], int64_t now_ms, sat_err *e);
	/* every device that is not revoked, by ordinal; cb returns false to stop */
	sat_rc (*devices)(void *u, bool (*cb)(void *cu, uint32_t ord, uint32_t user,
	    int64_t seen_ms, uint64_t cursor), void *cu, sat_err *e);
	/* days a permit of this device lasts: 0 = as all, -1 = no more are given */
	sat_rc (*device_permit)(int32_t *days, void *u, uint32_t ord, sat_err *e);
	/* an order to wipe this device (P-380); SAT_ENOTFOUND: none was given.
	 * told: it was handed to the device; done: its receipt, kept */
	sat_rc (*wipe_get)(sat_wipe_row *w, void *u, uint32_t ord, sat_err *e);
	sat_rc (*wipe_told)(void *u, uint32_t ord, int64_t now_ms, sat_err *e);
	sat_rc (*wipe_done)(void *u, const sat_wiped *w, int64_t now_ms, sat_err *e);
	sat_rc (*device_seen)(void *u, uint32_t ord, uint64_t cursor,
	    const uint8_t *template_oid, int64_t now_ms, sat_err *e);
	/* how far devices have reported (P-220), and the revision of that; those
	 * that ever did. cb returns false to stop */
	sat_rc (*reported_put)(void *u, uint32_t ord, int64_t at_ms, uint64_t rev, sat_err *e);
	sat_rc (*reported)(void *u, bool (*cb)(void *cu, uint32_t ord,
	    int64_t at_ms, uint64_t rev), void *cu, sat_err *e);
	/* what became of suggestions of a device (P-323), those at a position
	 * above `after`, ascending; cb returns false to stop */
	sat_rc (*answer_put)(void *u, uint32_t dev, const sat_answer *x, sat_err *e);
	sat_rc (*answers)(void *u, uint32_t dev, uint64_t after,
	    bool (*cb)(void *cu, const sat_answer *x), void *cu, sat_err *e);
	/* what a device has sent, as its quota counts it; zero when never put */
	sat_rc (*device_used_get)(sat_used *v, void *u, uint32_t ord, sat_err *e);
	sat_rc (*device_used_put)(void *u, uint32_t ord, const sat_used *v, sat_err *e);
	sat_rc (*registry)(sat_registry *r, void *u, sat_err *e); /* whole */

	sat_rc (*chain_get)(sat_chain *c, void *u, uint32_t dev, uint32_t inc, sat_err *e); /* zero when new */
	sat_rc (*chain_put)(void *u, uint32_t dev, uint32_t inc, const sat_chain *c, sat_err *e);
	sat_rc (*batch_sig_put)(void *u, uint32_t dev, uint32_t inc, uint64_t first,
	    uint64_t last, const uint8_t sig[SAT_SIG_BYTES], sat_err *e);

	/* for verification: every chain; the signatures of one, ascending last */
	sat_rc (*chains)(void *u, bool (*cb)(void *cu, uint32_t dev, uint32_t inc, const sat_chain *c), void *cu, sat_err *e);
	sat_rc (*batch_sigs)(void *u, uint32_t dev, uint32_t inc, bool (*cb)(void *cu,
	    uint64_t first, uint64_t last, const uint8_t sig[SAT_SIG_BYTES]), void *cu, sat_err *e);

	sat_rc (*log_put)(void *u, const sat_log_row *row, uint32_t dev, uint32_t inc,
	    uint64_t cseq, sat_err *e);
	sat_rc (*log_get)(sat_log_row *row, sat_arena *a, void *u, uint64_t lsn, sat_err *e);
	/* operations of a logged commit that were folded into other records too
	 * (P-171), as bytes of ours; few commits have any */
	sat_rc (*echo_put)(void *u, uint64_t lsn, sat_span echoes, sat_err *e);
	/* a commit's place: lsn 0 + SAT_ENOTFOUND when it is not in the log */
	sat_rc (*log_find)(uint64_t *lsn, sat_hlc *eff, void *u, uint32_t dev,
	    uint32_t inc, uint64_t cseq, sat_err *e);
	/* commits that did not get a position of their own: refused, or merged
	 * before under another number (then the verdict has that one's lsn and
	 * eff). Header and payload are kept too (evidence; retry gives the same
	 * verdict) */
	sat_rc (*refused_put)(void *u, uint32_t dev, uint32_t inc, const sat_verdict *v,
	    sat_span header, sat_span payload, sat_err *e);
	sat_rc (*refused_get)(sat_verdict *v, sat_arena *a, void *u, uint32_t dev,
	    uint32_t inc, uint64_t cseq, sat_err *e);
	/* commits of later incarnations, and those that were parked, by payload:
	 * work a copied or restored folder moves once more is merged once.
	 * lsn 0 = none */
	sat_rc (*moved_put)(void *u, uint32_t dev,
	    const uint8_t payload_hash[SAT_HASH_BYTES], uint64_t lsn, sat_err *e);
	sat_rc (*moved_get)(uint64_t *lsn, void *u, uint32_t dev,
	    const uint8_t payload_hash[SAT_HASH_BYTES], sat_err *e);
	/* header and payload of a commit, logged or refused; SAT_ENOTFOUND */
	sat_rc (*commit_get)(sat_span *header, sat_span *payload, sat_arena *a,
	    void *u, uint32_t dev, uint32_t inc, uint64_t cseq, sat_err *e);
	/* whether the verdict of a logged commit was late/conflict, for retries */
	sat_rc (*verdict_put)(void *u, uint64_t lsn, sat_verdict_code code, sat_err *e);
	sat_rc (*verdict_get)(sat_verdict_code *code, void *u, uint64_t lsn, sat_err *e); /* OK when none */

	sat_rc (*rec_by_id)(sat_rec_row *row, sat_arena *a, void *u, const sat_id *id, sat_err *e);
	sat_rc (*rec_by_eid)(sat_rec_row *row, sat_arena *a, void *u, uint32_t eid, sat_err *e);
	/* nothing but a hint: `later` and then `soon` are read or put in a
	 * moment, one after the other; what is in memory of them may be fetched */
	void (*rec_soon)(void *u, uint32_t later, uint32_t soon);
	/* insert or replace by eid; the root of one that is there stays */
	sat_rc (*rec_put)(void *u, const sat_rec_row *row, sat_err *e);
	/*
	 * A store may keep the state of a late row in memory and hand it out
	 * from there, for as long as it is open: then what is on disk is
	 * behind. *yes after opening: records may lack what was logged above
	 * *after. A core folds that into them before it does anything else, and
	 * says so with rec_whole.
	 */
	sat_rc (*rec_behind)(bool *yes, uint64_t *after, void *u, sat_err *e);
	void (*rec_whole)(void *u);
	/* the root of one that is there */
	sat_rc (*rec_move)(void *u, uint32_t eid, uint32_t root, sat_err *e);
	/* records with eid > after, ascending; cb returns false to stop */
	sat_rc (*rec_scan)(void *u, uint32_t after, bool (*cb)(void *cu, const sat_rec_row *row), void *cu, sat_err *e);
	/* all records of a root (itself included), ascending eid */
	sat_rc (*rec_of_root)(void *u, uint32_t root, bool (*cb)(void *cu, const sat_rec_row *row), void *cu, sat_err *e);
	/* roots (and orphans) a key is live for, eid > after, ascending */
	sat_rc (*roots_of_key)(void *u, sat_scope_key key, uint32_t after, bool (*cb)(void *cu, uint32_t root), void *cu, sat_err *e);

	/* how many records the live roots of these keys have, for progress bars;
	 * an upper bound of what is visible */
	sat_rc (*rec_count)(uint64_t *n, void *u, const sat_keys *keys, sat_err *e);

	/* keys under which customers may meet (P-176), ascending eid */
	sat_rc (*match_put)(void *u, int64_t key, uint32_t eid, sat_err *e);
	sat_rc (*match_del)(void *u, int64_t key, uint32_t eid, sat_err *e);
	sat_rc (*match_clear)(void *u, sat_err *e); /* all of them */
	sat_rc (*match_find)(void *u, int64_t key, bool (*cb)(void *cu, uint32_t eid), void *cu, sat_err *e);

	sat_rc (*member_get)(sat_member *m, void *u, sat_scope_key key, uint32_t root, sat_err *e); /* zero when none */
	sat_rc (*member_put)(void *u, sat_scope_key key, uint32_t root, const sat_member *m, sat_err *e);
	/* live keys of a root */
	sat_rc (*member_keys)(void *u, uint32_t root, bool (*cb)(void *cu, sat_scope_key key), void *cu, sat_err *e);
	/* past owners of a record: the owner until `lsn` */
	sat_rc (*owner_left)(void *u, uint32_t eid, sat_span owner, uint64_t lsn, sat_err *e);
	sat_rc (*owner_left_lsn)(uint64_t *lsn, void *u, uint32_t eid, sat_span owner, sat_err *e); /* last; 0 none */

	/* sums of what a key sees, by kind and bucket; (0, 0) is the sum of all.
	 * Zero when never put. The scan is ascending from there on, through
	 * all keys. */
	sat_rc (*digest_get)(sat_sum *sum, void *u, sat_scope_key key, uint16_t kind, uint32_t bucket, sat_err *e);
	sat_rc (*digest_put)(void *u, sat_scope_key key, uint16_t kind, uint32_t bucket, sat_sum sum, sat_err *e);
	sat_rc (*digest_scan)(void *u, sat_scope_key key, uint16_t kind, uint32_t bucket,
	    bool (*cb)(void *cu, sat_scope_key key, const sat_bucket_sum *s), void *cu, sat_err *e);
	/* a device had to be sent a range anew: counted, the last is kept */
	sat_rc (*diverged_put)(void *u, uint32_t dev, uint16_t kind, uint32_t bucket, uint64_t lsn, int64_t now_ms, sat_err *e);
	/* claims of a user (P-153): one more; those at or after since_ms */
	sat_rc (*claim_put)(void *u, uint32_t user, uint32_t eid, uint64_t lsn, int64_t at_ms, sat_err *e);
	sat_rc (*claims_since)(uint64_t *n, void *u, uint32_t user, int64_t since_ms, sat_err *e);
	/* reservations of pool customers (P-154), one per record; user 0 = none */
	sat_rc (*hold_put)(void *u, uint32_t eid, uint32_t user, int64_t until_ms, sat_err *e);
	sat_rc (*hold_get)(uint32_t *user, int64_t *until_ms, void *u, uint32_t eid, sat_err *e);
	/* a user's that have not ended; cb returns false to stop */
	sat_rc (*holds_of)(void *u, uint32_t user, int64_t now_ms,
	    bool (*cb)(void *cu, uint32_t eid, int64_t until_ms), void *cu, sat_err *e);
	/* how many roots a key is live for */
	sat_rc (*roots_count)(uint64_t *n, void *u, sat_scope_key key, sat_err *e);
	/* when a device was last heard of, ms; 0 = never */
	sat_rc (*device_heard)(int64_t *ms, void *u, uint32_t ord, sat_err *e);

	/* the last number given in a series, or that a server which is gone may
	 * have given (P-450); 0 = none */
	sat_rc (*series_get)(uint64_t *last, void *u, const char *series, sat_err *e);
	sat_rc (*series_put)(void *u, const char *series, uint64_t last, sat_err *e);
	/* insert or replace by (series, first) */
	sat_rc (*lease_put)(void *u, const sat_lease *l, sat_err *e);
	/* of a series and a device in all its incarnations, ascending; cb returns
	 * false to stop */
	sat_rc (*leases)(void *u, const char *series, uint32_t dev,
	    bool (*cb)(void *cu, const sat_lease *l), void *cu, sat_err *e);
	/* the lease that holds n; SAT_ENOTFOUND, then *l is as it was */
	sat_rc (*lease_of)(sat_lease *l, void *u, const char *series, uint64_t n, sat_err *e);
	/* a number in use, by its text; n and series when it has them, else "" */
	sat_rc (*number_put)(void *u, sat_span text, const char *series, uint64_t n,
	    const sat_id *rec, sat_err *e);
	sat_rc (*number_get)(sat_id *rec, void *u, sat_span text, sat_err *e); /* SAT_ENOTFOUND */
	/* how many of first..last are in use */
	sat_rc (*numbers_used)(uint64_t *used, void *u, const char *series,
	    uint64_t first, uint64_t last, sat_err *e);

	/* what concerns a key: root 0 = a commit, else a rescope of that root */
	sat_rc (*scope_put)(void *u, sat_scope_key key, uint64_t lsn, uint32_t root, sat_err *e);
	/* merged over keys, ascending (lsn, root), lsn > after, duplicates allowed;
	 * SAT_KEY_ALL gives every lsn of the log */
	sat_rc (*scope_scan)(void *u, const sat_keys *keys, uint64_t after,
	    bool (*cb)(void *cu, uint64_t lsn, uint32_t root), void *cu, sat_err *e);
	sat_rc (*scope_head)(uint64_t *lsn, void *u, const sat_keys *keys, sat_err *e);

	/* ---- after the loss of a server (P-200..P-209) ---- */

	/* certificates of the epochs above `after`, ascending */
	sat_rc (*epochs)(void *u, uint64_t after, bool (*cb)(void *cu, sat_span cert), void *cu, sat_err *e);
	/* a state that was given back, at a position without a commit */
	sat_rc (*seed_put)(void *u, const sat_seed_row *row, sat_err *e);
	/* another state at that position: something of it was erased */
	sat_rc (*seed_set)(void *u, uint64_t lsn, sat_span state, sat_err *e);
	/* what devices say where commits stood on servers that are gone; those
	 * put at a position above `lsn`, and all of `dev` */
	sat_rc (*place_put)(bool *anew, void *u, const sat_place *p, uint64_t lsn, sat_err *e);
	/* how many of them a device told in this epoch that were new; put only of
	 * one of which let_go_put was told */
	sat_rc (*told_get)(uint64_t *n, void *u, uint32_t dev, sat_err *e);
	sat_rc (*told_put)(void *u, uint32_t dev, uint64_t n, sat_err *e);
	sat_rc (*places)(void *u, uint64_t lsn, uint32_t dev, bool (*cb)(void *cu, const sat_place *p), void *cu, sat_err *e);
	/* all there are, ascending (device, incarnation, first) */
	sat_rc (*places_all)(void *u, bool (*cb)(void *cu, const sat_place *p), void *cu, sat_err *e);
	/* did commit cseq stand somewhere in from..upto? */
	sat_rc (*place_has)(bool *yes, void *u, uint32_t dev, uint32_t inc,
	    uint64_t cseq, uint64_t from, uint64_t upto, sat_err *e);
	/* devices' chains with a commit accepted above `lsn`; runs of one
	 * that have no position, refused or left out (P-203), ascending */
	sat_rc (*heads)(void *u, uint64_t lsn, bool (*cb)(void *cu, uint32_t dev,
	    uint32_t inc, uint64_t last), void *cu, sat_err *e);
	sat_rc (*absent)(void *u, uint32_t dev, uint32_t inc, uint64_t first,
	    uint64_t last, bool (*cb)(void *cu, uint64_t from, uint64_t to),
	    void *cu, sat_err *e);
	/* the one at a position; SAT_ENOTFOUND. upto and device are not read. */
	sat_rc (*seed_get)(sat_seed_row *row, sat_arena *a, void *u,
	    uint64_t lsn, sat_err *e);
	/* records merged into one that did not come back yet, by its id */
	sat_rc (*astray_put)(void *u, const sat_id *winner, uint32_t eid, sat_err *e);
	sat_rc (*astray)(void *u, const sat_id *winner, bool (*cb)(void *cu, uint32_t eid), void *cu, sat_err *e);
	sat_rc (*astray_del)(void *u, const sat_id *winner, sat_err *e);
	/* of a commit of the log; nothing when none was put */
	sat_rc (*recovered_put)(void *u, uint64_t lsn, const sat_recovered *r, sat_err *e);
	sat_rc (*recovered_get)(sat_recovered *r, sat_arena *a, void *u, uint64_t lsn, sat_err *e);
	/* commits nobody has any more */
	sat_rc (*gap_put)(void *u, uint32_t dev, uint32_t inc, uint64_t first,
	    uint64_t last, sat_gap why, sat_err *e);
	sat_rc (*gaps)(void *u, uint32_t dev, uint32_t inc, bool (*cb)(void *cu,
	    uint64_t first, uint64_t last, sat_gap why), void *cu, sat_err *e);
	/* device `by` saw commit cseq of dev */
	sat_rc (*known_put)(void *u, uint32_t dev, uint64_t cseq, uint32_t by, sat_err *e);
	/* up to which commit the device says it let its own go; 0 = none */
	sat_rc (*let_go_put)(void *u, uint32_t dev, uint64_t cseq, sat_err *e);
	sat_rc (*let_go)(uint64_t *cseq, void *u, uint32_t dev, sat_err *e);

	/* ---- contents of files (P-440..P-447) ---- */

	/* How many bytes of it this device has sent so far, for this or another
	 * record; 0 when none. */
	sat_rc (*file_part_have)(uint64_t *have, void *u, uint32_t dev,
	    const uint8_t hash[SAT_HASH_BYTES], sat_err *e);
	/* One more piece, at what it has. at 0: what else this device had begun
	 * goes. */
	sat_rc (*file_part_put)(void *u, uint32_t dev, uint32_t eid,
	    const sat_file_put *p, int64_t now_ms, sat_err *e);
	/* Its pieces in order; cb returns false to stop */
	sat_rc (*file_part_read)(void *u, uint32_t dev,
	    const uint8_t hash[SAT_HASH_BYTES], bool (*cb)(void *cu,
	    sat_span piece), void *cu, sat_err *e);
	sat_rc (*file_part_drop)(void *u, uint32_t dev,
	    const uint8_t hash[SAT_HASH_BYTES], sat_err *e);
	/* What the device sent is the content, and this record's; one that is
	 * there already stays. dev 0: it is there, for another record. */
	sat_rc (*file_keep)(void *u, uint32_t dev,
	    const uint8_t hash[SAT_HASH_BYTES], uint32_t eid, sat_err *e);
	/* Is the content here for this record? */
	sat_rc (*file_has)(bool *yes, void *u, uint32_t eid,
	    const uint8_t hash[SAT_HASH_BYTES], sat_err *e);
	/* SAT_ENOTFOUND: it has no such piece */
	sat_rc (*file_piece)(sat_file_is *out, sat_arena *a, void *u,
	    const uint8_t hash[SAT_HASH_BYTES], uint64_t at, sat_err *e);
	/* Which record has which, id > after, ascending, and since when its record
	 * does not name it (0: it does); cb returns false to stop */
	sat_rc (*files)(void *u, int64_t after, bool (*cb)(void *cu, int64_t id,
	    const uint8_t hash[SAT_HASH_BYTES], uint32_t eid,
	    int64_t unnamed_ms), void *cu, sat_err *e);
	sat_rc (*file_unnamed)(void *u, int64_t id, int64_t unnamed_ms, sat_err *e);
	/* The record has it no more; a content without any goes. */
	sat_rc (*file_drop)(void *u, int64_t id, sat_err *e);
	/* Parts nobody has gone on with since. */
	sat_rc (*file_parts_old)(void *u, int64_t before_ms, sat_err *e);

	/* ---- erasure (P-190..P-197) ---- */

	sat_rc (*ledger_put)(void *u, const sat_erasure *x, sat_err *e);
	sat_rc (*ledger_after)(void *u, uint64_t after, bool (*cb)(void *cu, const sat_erasure *x), void *cu, sat_err *e);
	/* 0 = not erased */
	sat_rc (*ledger_of)(uint64_t *rev, void *u, const sat_id *subject, sat_err *e);
	/* an erasure that waits for a second person; SAT_ENOTFOUND */
	sat_rc (*ask_put)(void *u, const sat_erasure *x, sat_err *e);
	sat_rc (*ask_get)(sat_erasure *x, sat_arena *a, void *u, const sat_id *subject, sat_err *e);
	sat_rc (*ask_del)(void *u, const sat_id *subject, sat_err *e);
	sat_rc (*asks)(void *u, bool (*cb)(void *cu, const sat_erasure *x), void *cu, sat_err *e);
	/* a record that was erased, by id or (id NULL) by number; SAT_ENOTFOUND */
	sat_rc (*erased_get)(sat_erased_row *row, void *u, const sat_id *id, uint32_t eid, sat_err *e);
	/* Take a record away with all that hangs on it; its numbers stay. */
	sat_rc (*rec_erase)(void *u, const sat_erased_row *row, sat_err *e);
	/* cb is shown every payload of the log, or what is left of one (then
	 * payload is {NULL,0}), with its echoes, and of refused commits (lsn 0).
	 * Those for which it says so are gone, and what it appended to `rest` is
	 * left instead. In a segment they are until `scrub`, but log_get shows
	 * them no more. *n how many. */
	sat_rc (*payloads_erase)(uint64_t *n, void *u, bool (*cb)(void *cu,
	    const sat_log_row *row, sat_buf *rest), void *cu, sat_err *e);
	sat_rc (*receipt_put)(void *u, uint32_t dev, uint64_t rev,
	    const uint8_t sig[SAT_SIG_BYTES], int64_t now_ms, sat_err *e);
	/* live devices: last seen, and how far their receipts go */
	sat_rc (*receipts)(void *u, bool (*cb)(void *cu, uint32_t dev,
	    int64_t seen_ms, uint64_t rev), void *cu, sat_err *e);
	/* Outside a transaction: what was deleted is in no file any more, also of
	 * what moved out of the log; when that is certain SAT_N_SCRUB is 0. Done
	 * again it does no harm. */
	sat_rc (*scrub)(void *u, sat_err *e);
} sat_store;

#endif
