/*
 * store.h - the server's store in one SQLite file, encrypted by common/db.
 *
 * Two doors. sat_sqlite_store_ops is what the core asks for (protocol/store.h).
 * The admin calls below are each one durable transaction of their own; they
 * must not run between the core's begin and commit, and a core that runs at
 * the same time has to sat_server_reload afterwards. One thread.
 */
#ifndef SAT_STORE_SQLITE_STORE_H
#define SAT_STORE_SQLITE_STORE_H

#include "common/db/db.h"
#include "protocol/segment.h"

typedef struct sat_sqlite_store sat_sqlite_store;

typedef struct sat_sqlite_store_opts {
	const char *path;
	struct sat_keyring *keyring; /* NULL: plain file (bench, tests) */
	const char *vfs_below;       /* NULL = the machine's file layer */
	const char *segments;        /* folder of the segment files; NULL =
	                                "segments" beside the database, none
	                                when vfs_below is set */
	sat_clock clock;
	bool create;                 /* make it when missing */
	int cache_kib;               /* 0 = 64 MiB */
	unsigned rec_window;         /* commits until changed records are in
	                                their rows; 0 = 65,536 */
	bool bug_sync_normal;        /* planted bug, `make sim-mutants` only */
} sat_sqlite_store_opts;

/* SAT_EVERSION newer file; SAT_EINTEGRITY, SAT_EIO, ... of sat_db_open. */
SAT_CHECK sat_rc sat_sqlite_store_open(sat_sqlite_store **s,
    const sat_sqlite_store_opts *o, sat_err *e);
void sat_sqlite_store_close(sat_sqlite_store *s);   /* NULL is fine */
void sat_sqlite_store_abandon(sat_sqlite_store *s); /* simulated death */
/* Lives as long as s. */
sat_store sat_sqlite_store_ops(sat_sqlite_store *s);
sat_db *sat_sqlite_store_db(sat_sqlite_store *s);   /* counters, bench */

/* ---- who is who ----------------------------------------------------------- */

/* Keys match [a-z0-9._-]{1,64} and are never given to somebody else.
 * SAT_ECONFLICT when the key exists; SAT_EINVALID when it is malformed. */
SAT_CHECK sat_rc sat_sqlite_team_add(uint32_t *ord, sat_sqlite_store *s,
    const char *key, const char *name, const char *parent, sat_err *e);
/* NULL keeps a member; name is the shown one. A team is disabled when nobody in
 * it may sync (SAT_ECONFLICT), and nobody is added to it from then on.
 * SAT_ENOTFOUND. */
SAT_CHECK sat_rc sat_sqlite_team_edit(sat_sqlite_store *s, const char *key,
    const char *name, const char *parent, const bool *disabled, sat_err *e);
/* role: "rep", "manager", "hq", "admin", "expert", "service", "marketing", "auditor",
 * "kiosk", "receptionist"; team: key or NULL. SAT_ENOTFOUND when
 * the team is unknown. */
SAT_CHECK sat_rc sat_sqlite_user_add(uint32_t *ord, sat_sqlite_store *s,
    const char *key, const char *name, const char *role, const char *team,
    sat_err *e);
/* NULL keeps a member. The team cannot change (membership is counted by it):
 * add a new user and reassign. SAT_ENOTFOUND. */
SAT_CHECK sat_rc sat_sqlite_user_edit(sat_sqlite_store *s, const char *key,
    const char *name, const char *role, const bool *disabled, sat_err *e);

typedef struct sat_sqlite_device {
	uint32_t ord, user;
	const char *name;
	bool revoked;
	int64_t enrolled_ms, last_seen_ms; /* 0 = never */
	uint64_t cursor;                   /* as it last reported */
	int32_t permit_days; /* 0 = as all, -1 = none any more */
	uint64_t diverged; /* ranges of records it had to be sent again */
	sat_span template_oid; /* as it last reported; empty = never */
	sat_span sign_pk;
	bool waiting; /* enrolled; not let in yet (P-390) */
	sat_wipe_row wipe; /* at_ms 0 = no order to wipe it; without the nonce */
	uint64_t wipe_lost; /* commits it wrote that never came */
	int64_t rekeyed_ms;      /* it changed its keys last; 0 = never (P-386) */
	int64_t former_heard_ms; /* somebody came with ones it gave up */
} sat_sqlite_device;
/* Ascending ordinal; cb returns false to stop. */
SAT_CHECK sat_rc sat_sqlite_devices(sat_sqlite_store *s,
    bool (*cb)(void *cu, const sat_sqlite_device *d), void *cu, sat_err *e);
/* How long it may be used without the server (P-189). SAT_ENOTFOUND. */
SAT_CHECK sat_rc sat_sqlite_device_permit(sat_sqlite_store *s, uint32_t ord,
    int32_t days, sat_err *e);
/* What people call it. SAT_ENOTFOUND; SAT_EINVALID: empty, too long, or a
 * control character. */
#define SAT_DEVICE_NAME_MAX 64
SAT_CHECK sat_rc sat_sqlite_device_rename(sat_sqlite_store *s, uint32_t ord,
    const char *name, sat_err *e);
/* Let it in. SAT_ECONFLICT: it does not wait. */
SAT_CHECK sat_rc sat_sqlite_device_approve(sat_sqlite_store *s, uint32_t ord,
    sat_err *e);
SAT_CHECK sat_rc sat_sqlite_device_revoke(sat_sqlite_store *s, uint32_t ord,
    sat_err *e);
/* The same, and it shall destroy what it holds (P-380). Again: an order that let
 * it push first can be made one that does not. */
SAT_CHECK sat_rc sat_sqlite_device_wipe(sat_sqlite_store *s, uint32_t ord,
    const uint8_t nonce[SAT_WIPE_NONCE_BYTES], int64_t at_ms, bool push_first,
    sat_err *e);

/* Devices that had to be sent records again because their sums differed. */
typedef struct sat_sqlite_diverged_row {
	uint32_t dev, bucket; /* the last one */
	uint16_t kind;
	uint64_t n, lsn;
	int64_t at_ms;
} sat_sqlite_diverged_row;
SAT_CHECK sat_rc sat_sqlite_diverged(sat_sqlite_store *s,
    bool (*cb)(void *cu, const sat_sqlite_diverged_row *d), void *cu,
    sat_err *e);

/* The token is drawn by the caller and printed once; only its BLAKE2b-256
 * stays here. SAT_ENOTFOUND: no such user; SAT_EDENIED: the user is disabled. */
SAT_CHECK sat_rc sat_sqlite_invite_add(sat_sqlite_store *s,
    const uint8_t token[16], const char *user, int64_t expires_ms, sat_err *e);

/* Invitations that may still be used. The id tells them apart and opens
 * nothing. */
#define SAT_INVITE_ID_BYTES 8
typedef struct sat_sqlite_invite {
	uint8_t id[SAT_INVITE_ID_BYTES];
	const char *user; /* key; until the callback returns */
	int64_t expires_ms;
	bool waits;       /* its device will wait for an administrator */
} sat_sqlite_invite;
SAT_CHECK sat_rc sat_sqlite_invites(sat_sqlite_store *s, int64_t now_ms,
    bool (*cb)(void *cu, const sat_sqlite_invite *i), void *cu, sat_err *e);
/* Nobody can use it any more. SAT_ENOTFOUND: unknown or used. */
SAT_CHECK sat_rc sat_sqlite_invite_drop(sat_sqlite_store *s,
    const uint8_t id[SAT_INVITE_ID_BYTES], sat_err *e);

/* Whoever uses this invitation waits until an administrator lets the device in.
 * SAT_ENOTFOUND: unknown or used. */
SAT_CHECK sat_rc sat_sqlite_invite_hold(sat_sqlite_store *s,
    const uint8_t token[16], sat_err *e);

/* ---- numbers ------------------------------------------------------------------ */

typedef struct sat_sqlite_lease {
	sat_lease lease;
	uint64_t used;
	bool over; /* the device has a later incarnation */
} sat_sqlite_lease;
/* Ascending series and number; cb returns false to stop. */
SAT_CHECK sat_rc sat_sqlite_leases(sat_sqlite_store *s,
    bool (*cb)(void *cu, const sat_sqlite_lease *l), void *cu, sat_err *e);
/* `count` more numbers for the device's present incarnation; it hears of them
 * at its next sync in which it asks. */
SAT_CHECK sat_rc sat_sqlite_lease_grant(sat_lease *l, sat_sqlite_store *s,
    const char *series, uint32_t dev, uint64_t count, sat_err *e);
/* Take back what a device has not used; series "" = all. *n leases. The
 * numbers are never given again. */
SAT_CHECK sat_rc sat_sqlite_lease_void(size_t *n, sat_sqlite_store *s,
    const char *series, uint32_t dev, sat_err *e);

/* ---- settings, proof, backup ------------------------------------------------ */

/* Organisation identity, sealed keys, ... SAT_ENOTFOUND when never put. */
SAT_CHECK sat_rc sat_sqlite_setting_get(sat_buf *out, sat_sqlite_store *s,
    const char *key, sat_err *e);
SAT_CHECK sat_rc sat_sqlite_setting_put(sat_sqlite_store *s, const char *key,
    sat_span value, sat_err *e);

typedef struct sat_sqlite_status {
	uint64_t lsn, records, refused, durable, epoch, registry_rev;
	uint64_t users, teams, devices, invites; /* devices live, invites open */
} sat_sqlite_status;
SAT_CHECK sat_rc sat_sqlite_status_get(sat_sqlite_status *out,
    sat_sqlite_store *s, sat_err *e);
/* Commits that were refused, by reason, in their order; slug is borrowed
 * for the call. cb returns false to stop. */
SAT_CHECK sat_rc sat_sqlite_refusals(sat_sqlite_store *s,
    bool (*cb)(void *cu, sat_span slug, uint64_t n), void *cu, sat_err *e);
/* Logged commits whose author had lost the record, and that opened a conflict. */
SAT_CHECK sat_rc sat_sqlite_verdicts(uint64_t *late, uint64_t *conflicts,
    sat_sqlite_store *s, sat_err *e);
/* The newest position taken before a time (ms) that is still in the database; 0
 * when there is none. */
SAT_CHECK sat_rc sat_sqlite_log_before(uint64_t *lsn, sat_sqlite_store *s,
    int64_t at_ms, sat_err *e);
/*
 * Online copy, opened and checked before it counts; *lsn is the last position
 * inside it. The copy does not move the durable watermark: call mark_durable
 * once it lies where it survives the loss of this machine.
 */
SAT_CHECK sat_rc sat_sqlite_store_backup(uint64_t *lsn, sat_sqlite_store *s,
    const char *to_path, sat_err *e);
/* Never moves back. */
SAT_CHECK sat_rc sat_sqlite_mark_durable(sat_sqlite_store *s, uint64_t lsn,
    sat_err *e);
/* ---- the loss of a server (P-200..P-209) -------------------------------------- */

/* Where a new epoch has to begin: the last position and record number in here,
 * a position no lost server is known to have reached, the epoch so far. */
SAT_CHECK sat_rc sat_sqlite_epoch_base(uint64_t *lsn, uint64_t *above,
    uint32_t *eid, uint64_t *epoch, sat_sqlite_store *s, sat_err *e);
/* No core may be running on it. */
SAT_CHECK sat_rc sat_sqlite_epoch_begin(sat_sqlite_store *s, const sat_epoch *c,
    sat_err *e);
/* Drop the log and all that follows from it; people, devices, keys and the
 * erasure ledger stay. For a kit (a copy), never for a server in use. */
SAT_CHECK sat_rc sat_sqlite_registry_only(sat_sqlite_store *s, sat_err *e);
typedef struct sat_sqlite_chain {
	uint32_t dev, user, inc; /* inc 0: nothing of the device is here */
	const char *name;
	bool revoked, last_of_device;
	int64_t last_seen_ms;
	uint64_t last_cseq;      /* here */
	uint64_t known;          /* another device saw up to this one; 0 = none */
	uint32_t by;             /* which */
} sat_sqlite_chain;
/* Ascending device and incarnation; cb returns false to stop. */
SAT_CHECK sat_rc sat_sqlite_completeness(sat_sqlite_store *s,
    bool (*cb)(void *cu, const sat_sqlite_chain *c), void *cu, sat_err *e);

/*
 * Log rows that nobody needs any more move into segment files beside the
 * database ("segments"; protocol/segment.h). `limit` says how far: a verified
 * backup has them, every device heard of within `lease_ms` has pulled them,
 * and they are older than `keep_ms`. Whoever is behind takes a snapshot.
 */
SAT_CHECK sat_rc sat_sqlite_compact_limit(uint64_t *upto, sat_sqlite_store *s,
    int64_t lease_ms, int64_t keep_ms, sat_err *e);
typedef struct sat_sqlite_signing {
	sat_id org;
	sat_rc (*sign)(void *u, uint8_t sig[SAT_SIG_BYTES], sat_span bytes, sat_err *e);
	void *u;
} sat_sqlite_signing;
typedef struct sat_sqlite_compacted {
	uint64_t upto, segments, commits, bytes; /* bytes of the new files */
} sat_sqlite_compacted;
/* Each segment is one durable step; what is done stays when a later one
 * fails. Not between the core's begin and commit. */
SAT_CHECK sat_rc sat_sqlite_compact(sat_sqlite_compacted *out,
    sat_sqlite_store *s, uint64_t upto, const sat_sqlite_signing *sign,
    sat_err *e);
typedef struct sat_sqlite_segment {
	uint64_t number, first, last, commits, bytes; /* first, last LSN */
	uint8_t hash[SAT_HASH_BYTES], sig[SAT_SIG_BYTES];
} sat_sqlite_segment;
/* Of its file in the folder of segments. A file that no segment counts with is
 * half of one: nothing reads it, and an erasure takes it away. */
#define SAT_SEGMENT_NAME_MAX 32
void sat_sqlite_segment_name(char name[SAT_SEGMENT_NAME_MAX], uint64_t number);
SAT_CHECK sat_rc sat_sqlite_segments(sat_sqlite_store *s,
    bool (*cb)(void *cu, const sat_sqlite_segment *g), void *cu, sat_err *e);
/* Every file is there, whole, and chained to the one before; pk NULL: the
 * signatures are left out. */
SAT_CHECK sat_rc sat_sqlite_segments_verify(sat_sqlite_store *s,
    const sat_id *org, const uint8_t pk[SAT_SIGN_PK_BYTES], sat_err *e);
/* Erasure: the payloads of commits `drop` says yes to leave the files. Hashes
 * and signatures stay valid. */
SAT_CHECK sat_rc sat_sqlite_segments_erase(uint64_t *dropped,
    sat_sqlite_store *s, bool (*drop)(void *u, const sat_segment_row *row),
    void *u, sat_err *e);
/* Copies of the store on this machine (server/admin `snapshot`), each a folder
 * below this one, "snapshots" beside the database; NULL on a simulated disk. An
 * erasure takes all of them away: they hold what it erased. */
const char *sat_sqlite_snapshots_folder(const sat_sqlite_store *s);
/* SQLite's own check, then the counts that must agree with each other. */
SAT_CHECK sat_rc sat_sqlite_store_check(sat_sqlite_store *s, bool quick,
    sat_err *e);

#endif
