/*
 * device.h - a device in memory for tests of the server: it writes commits,
 * runs the real client session machine against a server core, and keeps the
 * server's states of what it holds. No view, no SQL, no files.
 *
 * Devices belong to their world and end with it (world_free).
 */
#ifndef SAT_TESTS_SERVER_STORE_SQLITE_DEVICE_H
#define SAT_TESTS_SERVER_STORE_SQLITE_DEVICE_H

#include "tests/lib/unit.h"

#include "common/template/gate.h"
#include "protocol/client.h"
#include "protocol/server.h"
#include "server/store/sqlite/store.h"

/* ids of the base template */
enum {
	K_ACCOUNT = 1, K_CONTACT = 2, K_ACTIVITY = 3, K_OPP = 4, K_PROPOSAL = 7,
	A_NUMBER = 1, A_NAME = 2, A_SECTOR = 6, A_PHONE = 9, A_STAGE = 17, A_TAGS = 21,
	A_REMARK = 22, A_VISITS = 25, A_OWNER = 28, A_AMOUNT = 26,
	C_ACCOUNT = 1, C_NAME = 2, C_TITLE = 3,
	T_ACCOUNT = 1, T_POINTS = 8,
	O_ACCOUNT = 1, O_NAME = 2, O_AMOUNT = 3, O_OWNER = 5, O_REMARK = 15,
};

/* ---- the world: one server over one file --------------------------------- */

typedef struct world {
	char *dir, *path;
	sat_sqlite_store *store;
	sat_server *server;
	uint8_t server_sk[SAT_SIGN_SK_BYTES], box_sk[SAT_BOX_SK_BYTES];
	sat_template *t;
	int64_t now_ms;
	int64_t slow_ms, slower_ms; /* whatever is done takes so long; so far */
	sat_id org;
	uint8_t oid[SAT_TEMPLATE_OID_BYTES];
	uint64_t rand;
	uint8_t next_token;
	size_t chunk_bytes; /* of snapshots, from the next start on; 0 = usual */
	/* a store that fails on purpose */
	sat_store real;
	sat_rc fail_commit;
	bool no_template; /* what is published cannot be loaded */
	unsigned template_fails; /* the next times it cannot */
	unsigned long gaps_asked; /* how often the store was asked for gaps */
	unsigned long commits_read; /* the same of single commits */
	/* verbs of administrators: how often, of whom, the last one's words; what
	 * the host says to them */
	unsigned verbs;
	char verb_by[65], verb[200];
	sat_rc verb_rc;
	size_t verb_bytes;
	unsigned long frames;
	struct device *devices; /* freed with it */
} world;

int64_t world_now(void *u);
sat_rc world_sign(void *u, uint8_t sig[SAT_SIG_BYTES], sat_span bytes,
    sat_err *e);
void world_start(world *w);
void world_stop(world *w);
world *world_new(uint64_t seed);
void world_user(world *w, const char *key, const char *role, const char *team);
void world_team(world *w, const char *key);

/* People as "key role" or "key role team", separated by commas. */
world *world_of(uint64_t seed, const char *people);

/* Two teams with a manager each, headquarters, an administrator. */
world *world_company(uint64_t seed);

/* With all its devices. */
void world_free(world *w);

/* ---- a device ------------------------------------------------------------ */

typedef struct held {
	sat_id id, root;
	uint32_t eid;
	sat_buf state;
	bool used;
	uint64_t mark; /* the commit that touches it now */
	bool skip;     /* the state came with that commit in it already */
} held;

typedef struct own {
	sat_commit c;
	int state;  /* 0 waits, 1 accepted, 2 refused, 3 done */
	uint64_t lsn;
	sat_hlc eff;
	sat_verdict_code code;
	char slug[40], hint[60];
	uint32_t hint_op; /* of an accepted one */
	uint64_t old; /* its LSN on a server that was lost */
	sat_was was;  /* the number it had; cseq 0: none */
} own;

typedef struct device {
	world *w;
	struct device *next; /* of w->devices */
	sat_server_session link;
	uint8_t sign_sk[SAT_SIGN_SK_BYTES], sign_pk[SAT_SIGN_PK_BYTES];
	char user_key[65];
	uint32_t ord, user, incarnation;
	sat_arena mem;
	own *out;
	size_t nout, cap;
	uint8_t head[SAT_HASH_BYTES]; /* after out[nout-1] */
	sat_hlc_state hlc;
	int64_t skew_ms;
	held *rec;
	size_t nrec, rec_cap;
	uint64_t cursor, registry_rev, first_lsn, epoch;
	bool complete, snapping;
	uint64_t after;
	uint64_t seen_eff;
	size_t batch_max; /* commits per push; 0 = all */
	uint32_t page_bytes; /* asked for in PULL; 0 = the usual */
	sat_eid_pair *eids; /* told by verdicts, for own commits that come back */
	size_t neids;
	bool seals;       /* pushes boxes, as a kiosk does (P-361) */
	uint64_t spoilt;  /* the cseq whose box arrives broken; 0 = none */
	uint64_t left;    /* rescopes that took a root away */
	uint64_t answered; /* what WELCOMEs said of suggestions (P-323) */
	sat_answer answers[8];
	size_t nanswers;
	sat_cs_stats stats;
} device;

held *device_find(device *d, const sat_id *id, uint32_t eid);
void device_put(device *d, const sat_record *r);
void device_fold(device *d, const sat_commit *c, uint64_t lsn, sat_hlc eff,
    uint32_t dev);

/* ---- life ---------------------------------------------------------------- */

device *device_new(world *w, const char *user);

/* Before its world ends; a copy of a device is never the world's. */
void device_free(device *d);

sat_id device_id(device *d);

/* Write one commit into the outbox; ops are copied. */
own *device_commit(device *d, const sat_id *subject, const sat_op *ops,
    size_t n);

/* What waits goes on under another incarnation: same payload and stamp, as the
 * replica moves it after a fork. */
void device_move(device *d, uint32_t incarnation);

/* Parked, the newest goes on under a number of its own (P-209). */
void device_go_on(device *d);

sat_op op_set(const sat_id *rec, uint16_t kind, sat_op_kind op, uint16_t field,
    sat_value v);
sat_value txt(const char *s);
sat_id device_account(device *d, const char *name, const char *owner);
sat_id device_opp(device *d, const sat_id *account, const char *name,
    const char *owner);
sat_id device_activity(device *d, const sat_id *account, const char *points);
own *device_edit(device *d, const sat_id *subject, const sat_id *rec,
    uint16_t kind, sat_op_kind op, uint16_t field, sat_value v);

/* What it wrote last. */
own *device_last(device *d);

/* ---- what the session asks ----------------------------------------------- */

sat_rc op_outbox(void *u, sat_arena *a, sat_push *push, sat_commit **c,
    size_t *n, uint64_t from, sat_err *e);

/* Where a record leads by the states the device holds. */
sat_id device_canon(device *d, sat_id id);

sat_client_ops device_ops(device *d);

/* ---- life ---------------------------------------------------------------- */

sat_rc device_enrol(device *d, const uint8_t token[16], sat_err *e);

/* One session, straight through. */
sat_rc device_sync_flags(device *d, unsigned flags, sat_err *e);

void device_sync(device *d);

/* The same of several, one after the other: SYNC(ann, hq), CHECK(ann, hq). */
void device_each(void (*what)(device *), device *const *d);

/* Synced and found right. */
void device_settle(device *d);

#define SYNC(...) device_each(device_sync, (device *[]){ __VA_ARGS__, NULL })
#define SETTLE(...) device_each(device_settle, (device *[]){ __VA_ARGS__, NULL })
#define CHECK(...) device_each(device_check, (device *[]){ __VA_ARGS__, NULL })

/* ---- single questions ---------------------------------------------------- */

/* Build the push of what waits, as bytes. */
void device_frame(device *d, sat_buf *out, unsigned spoil);

sat_rc device_ask(device *d, sat_span frame, sat_buf *reply, sat_msg *m, sat_arena *a,
    sat_err *e);
/* The question *m; then *m is the answer, and lies in a. */
sat_rc device_say(sat_msg *m, sat_arena *a, device *d, sat_err *e);
uint64_t world_head(world *w);

/* ---- comparison ---------------------------------------------------------- */

/* The device holds exactly what its user may see, byte for byte. */
void device_check(device *d);

bool device_holds(const device *d, const char *text);
void world_verify(world *w);

#endif
