/*
 * sim.h - many devices and one server in one process, from one seed.
 *
 *   main.c      command line, counters, twin runs
 *   world.c     one history: setting up, the steps, healing, the end
 *   template.c  the template of the simulation, in four versions
 *   core.c      what every simulated server asks for
 *   server.c    the server's life: frames, crashes, what it promised
 *   device.c    a device's life: power, files, clock, what it promised
 *   damage.c    rows changed behind the replica's back
 *   net.c       links, packets, sessions: loss, doubling, disorder
 *   probe.c     what should not come: altered, cut, replayed, foreign
 *   act.c       what a person does on a device; act_boss.c what managers do
 *   act_group.c imports, and several people at once
 *   ledger.c    every save a person was told of, and what he had seen then
 *   act_pool.c  the public pool: claims, releases, reservations; and what the
 *               log says of them
 *   erase.c     customers are erased, and every page is searched for them
 *   whole.c     commits are whole everywhere; what a save may cost
 *   mirror.c    the log read a second time
 *   model.c     scope and values by that log, naively
 *   rotate.c    devices change their keys
 *   mask.c      a role that does not see every field
 *   check.c     what must hold, during a history and at its end
 *
 * Nothing here knows the time or draws a number but from the world. The
 * cipher's nonces are really random; nothing depends on them.
 */
#ifndef SAT_TESTS_SIM_H
#define SAT_TESTS_SIM_H

#include <setjmp.h>

#include "client/replica/replica.h"
#include "common/base/log.h"
#include "common/crypto/keyring.h"
#include "protocol/bugs.h"
#include "protocol/server.h"
#include "server/store/sqlite/store.h"
#include "tests/lib/simfs.h"
#include "tests/sim/core.h"
#include "tests/sim/counters.h"

#define DEVS_MAX 12
#define USERS_MAX 10
#define TEAMS_MAX 2
#define RECS_MAX 512
#define LSN_MAX 2048
#define LSN_WORDS (LSN_MAX / 64)
#define CAPTURES_MAX 6
#define EXPECT_MAX 64

/* Kinds and fields of the template (template.c). */
enum {
	K_ACCOUNT = 1, K_CONTACT = 2, K_ACTIVITY = 3, K_OPP = 4,
	A_NUMBER = 1, A_NAME = 2, A_SECTOR = 6, A_CONTACT = 8, A_CITY = 11,
	A_ADDRESS = 13, A_STAGE = 17, A_TAGS = 21, A_REMARK = 22, A_NEXT = 23,
	A_LAST = 24, A_VISITS = 25, A_AMOUNT = 26, A_OWNER = 28,
	A_EXTERNAL = 29, A_CANARY = 13, A_QUOTE_MIN = 60, A_NOTE2 = 61,
	A_NOTE3 = 62,
	C_ACCOUNT = 1, C_NAME = 2, C_TITLE = 3, C_ROLES = 8, C_PRIMARY = 9,
	C_REMARK = 11, C_EXTERNAL = 12, C_CANARY = 7,
	T_ACCOUNT = 1, T_METHOD = 4, T_POINTS = 8, T_CANARY = 13,
	O_ACCOUNT = 1, O_NAME = 2, O_AMOUNT = 3, O_STAGE = 4, O_OWNER = 5,
	O_PRODUCT = 12, O_RIVALS = 13, O_REMARK = 15, O_EXTERNAL = 16,
	O_CANARY = 14,
};

/* The public pool of the template (template.c). */
#define POOL_DAILY 3
#define POOL_HOLD 8
#define POOL_LEASE 2
#define POOL_LEASE_MS (24 * 3600000ll)
#define POOL_COOL_MS 86400000ll
#define POOL_RECLAIM_MS (20 * 86400000ll)
#define POOL_TZ_MS (8 * 3600000ll)

/* ---- who and what ------------------------------------------------------------------ */

struct world;

/* A machine: a disk, a clock, randomness. */
typedef struct node {
	struct world *w;
	char name[16];
	simfs *fs;
	uint64_t rand;
	int64_t skew_ms; /* wall clock minus true time */
	int64_t boot_at; /* true time of the last boot */
} node;

typedef enum role { REP, MANAGER, HQ, MASKED } role;
typedef struct person {
	char key[16];
	role role;
	int team; /* 1..; 0 = none */
	bool disabled;
} person;

/* A record: known to the harness from the moment somebody made it. */
typedef struct mrec {
	sat_id id;
	uint16_t kind;
	int parent;      /* as made; -1 none */
	int maker;       /* device */
	/* from the log */
	uint32_t eid;    /* 0: not in the log */
	int root;
	int owner;       /* user, -1 none */
	bool pooled;     /* nobody's, and offered by the pool */
	int held_by;     /* user the server told it keeps it for; -1 none */
	int64_t held_ms; /* until then, by the server's clock */
	bool deleted, with_edits;
	int redirect;    /* merged into; -1 none */
	bool erased, going;
	int led_to;      /* the last one it was merged into; -1 none */
	bool tangled;    /* was one with another customer, and is not any more */
	uint64_t erased_rev; /* of the ledger */
	bool mixed;      /* others were merged into it: their values came too */
	sat_value number; /* the last one the server gave; null = none */
	int *ops;        /* into world.lops, in the order of the log */
	int nops, cap;
	uint64_t shown[DEVS_MAX]; /* largest rlsn a device has shown */
	bool named[DEVS_MAX]; /* by the snapshot the device takes in now */
	bool parting[DEVS_MAX]; /* its customer left the device before the log
	                         * had it: it goes with its last answer */
} mrec;

typedef struct lop { /* an operation of the log */
	uint64_t lsn;
	const sat_op *op;
	int rec;
} lop;

typedef struct lcommit {
	sat_commit c;
	int entry;           /* -1: the server's own */
	int64_t received_ms;
} lcommit;

typedef enum fate {
	FATE_LIMBO,     /* the write failed: it may be there or not */
	FATE_SAVED,     /* a person was told so */
	FATE_NEVER,     /* was in limbo, is not there */
	FATE_DISCARDED, /* by a person, from the quarantine */
	FATE_DISK_LOST, /* its disk was lost before it was sent */
} fate;

/* One commit a person made. */
typedef struct entry {
	int dev, index;
	uint32_t inc;
	uint64_t cseq;
	fate fate;
	int group;           /* commits of one import live or die together */
	uint8_t hash[SAT_HASH_BYTES]; /* of the payload: what it is known by */
	bool hashed;
	sat_hlc hlc;         /* its stamp; with the hash */
	size_t nops;
	sat_op *ops;
	int *rec;            /* per op */
	uint64_t **saw;      /* per op: bitmap of what of the record was seen */
	uint64_t lsn;        /* in the log; 0 = not */
	bool spans;          /* several records; of each op: did it move them */
	bool *moved;
	bool leased;         /* gave a number of its device's leases */
	size_t handed;       /* operations of suggestions put down to it */
	bool answered;       /* the server gave a verdict: it stays so */
	bool waited;         /* ... but under the number before this one */
	bool heard;          /* and its device took it in */
	sat_verdict verdict;
} entry;

typedef struct expect { /* what a device must show */
	int rec;
	uint16_t field;
	sat_op_kind kind;
	sat_value v;
} expect;

typedef struct sim_link {
	int dev;
	uint32_t boot;       /* the server's life it belongs to */
	bool open;
	sat_server_session x;
	struct sim_link *next;   /* all of them, freed at the end */
} sim_link;

typedef struct packet {
	sim_link *l;
	bool up;
	uint64_t req;
	sat_span frame;      /* malloc'd */
} packet;

typedef struct device {
	node n;
	int index, user;
	sat_keyring *ring;
	char file[24];
	sat_replica *r;      /* NULL: switched off */
	sat_client_ops ops;
	sat_replica_identity id;
	uint8_t token[16];
	uint8_t next_pk[SAT_BOX_PK_BYTES]; /* channel key of the pair beside it */
	bool enrolled, created, lost, forked, revoked;
	bool outdated;       /* a copy from before its keys were changed */
	int outdated_at;     /* the entry after those that may still arrive */
	uint32_t ord;        /* the server's number */
	/* session */
	sat_cs *cs;
	sim_link *link;
	bool enrolling, waiting, pull_only;
	uint64_t req;
	uint32_t page_bytes; /* asked for in pulls */
	int skip;            /* steps until it may try again */
	bool chunked;        /* this boot began within a snapshot */
	sat_span capture[CAPTURES_MAX];
	size_t ncaptures;
	sat_span hello;
	sat_span unsure;     /* a reply taken in, or not: the call failed */
	bool unsure_first;   /* a chunk that began a filling */
	/* what was promised */
	int *own;            /* entries, in the order they were made */
	size_t nown, own_cap;
	uint64_t cursor;
	uint64_t ledger;     /* the revision it has carried out */
	int64_t diverged;    /* syncs that had to fetch rows again */
	uint32_t spoiled;    /* eid of the row damaged now; 0 = none */
	uint32_t serial;     /* numbers values */
	expect expect[EXPECT_MAX];
	size_t nexpect;
	/* a backup, and a copy of the folder made by hand: one at a time */
	int waits_twice;     /* saves in a row that waited twice for the disk */
	bool has_backup, by_hand, was_restored;
	uint64_t backup_cursor, backup_ledger;
	int64_t backup_diverged;
	uint64_t (*backup_shadow)[LSN_WORDS];
} device;

/* How rough this history is: chances per mille, drawn per seed. */
typedef struct rough {
	unsigned lose, dup, delay, brk;
	unsigned dev_power, dev_mid, dev_kill, dev_fsync, dev_full, dev_ioerr;
	unsigned srv_power, srv_mid, srv_kill, srv_fsync, srv_full;
	unsigned clock, years, poison, replay, probe;
	unsigned write, burst, online, still; /* still: time stands */
	unsigned hot;        /* edits that go to the same few records */
	unsigned group, restore, by_hand;
	int64_t pause_ms;    /* longest pause between steps */
	unsigned damage, churn, merge, pool, erase, rotate;
	bool chunk_small;
} rough;

typedef struct world {
	uint64_t seed, rand;
	rough rough;
	bool healing;
	int64_t now_ms;
	uint64_t step;
	jmp_buf on_fail;
	char why[600];
	sat_hasher hash;
	bool tracing;
	sat_arena mem, tmp;  /* tmp: reset with each step */
	sat_id org;
	/* server */
	node server_node;
	sat_keyring *server_ring;
	sat_sqlite_store *store;
	sat_store ops;
	sat_server *server;
	sim_core core;
	uint8_t server_sk[SAT_SIGN_SK_BYTES];
	uint32_t boot;
	char *segments;      /* folder for segment files; real ones */
	int tip;             /* template 0 to SIM_TIP */
	uint64_t ledger;     /* revision of the erasures */
	uint32_t admin[2];   /* two who may decide about an erasure */
	bool ring;           /* some devices try template 1 before it is the tip */
	uint64_t promised;   /* largest LSN any device was told of */
	/* people */
	person users[USERS_MAX];
	int nusers, nteams;
	device dev[DEVS_MAX];
	int ndev;
	/* network */
	packet *net;
	size_t nnet, net_cap;
	sim_link *links;
	uint64_t next_req;
	/* ledger */
	entry *entries;
	int nentries, entries_cap, group;
	/* the log, read again */
	lcommit log[LSN_MAX];
	uint64_t head;
	lop *lops;
	int nlops, lops_cap;
	uint32_t next_eid;
	mrec recs[RECS_MAX];
	int nrecs;
	bool merges;         /* somebody merged customers in this history */
	struct { int user; int64_t at_ms; } claims[LSN_MAX];
	int nclaims;
	struct { int rec; sat_value text; } numbers[LSN_MAX];
	int nnumbers;        /* final ones, as they became so */
	bool mirror_many;    /* several commits are taken in at once */
	int64_t server_ms;   /* the latest the server's clock has shown */
	uint64_t shadow[DEVS_MAX][RECS_MAX][LSN_WORDS];
} world;

/* ---- main.c ------------------------------------------------------------------------- */

/* A property does not hold: the history ends. */
void sim_fail(world *w, const char *fmt, ...)
    __attribute__((noreturn, format(printf, 2, 3)));
/* Part of the history's hash; printed with --trace. */
void sim_trace(world *w, const char *fmt, ...) SAT_PRINTF(2, 3);
void sim_trace_bytes(world *w, sat_span b);

/* ---- world.c ------------------------------------------------------------------------ */

typedef struct run_opts {
	uint64_t seed;
	int steps;           /* 0 = as drawn */
	bool trace;
} run_opts;
/* @return true when all held; hash of the history. */
bool sim_history(const run_opts *o, uint8_t hash[SAT_HASH_BYTES],
    char why[600]);
uint64_t sim_rand(world *w);
uint64_t sim_below(world *w, uint64_t n);
bool sim_chance(world *w, unsigned per_mille);
void sim_node_init(node *n, world *w, const char *name);
void sim_node_fini(node *n);
sat_clock sim_clock(node *n);
sat_rand sim_node_rand(node *n);
void sim_node_bytes(void *node, void *out, size_t n);
uint64_t sim_disk_used(const node *n);
int sim_find_user(const world *w, sat_value owner);

/* ---- server.c ----------------------------------------------------------------------- */

void sim_server_start(world *w, bool first);
void sim_server_stop(world *w, bool power);
/* Requests of several links; replies appended. Handles the server's death.
 * @return false: it died, there are no replies. */
bool sim_server_serve(world *w, sat_server_job *jobs, size_t n);
void sim_server_tick(world *w);
void sim_server_plan(world *w);  /* what its disk will do to the next call */
/* After it: did the server die of that? Then it is up again. */
bool sim_server_died(world *w, sat_rc rc, const sat_err *e);
void sim_server_admin(world *w); /* something an administrator does */
void sim_server_churn(world *w); /* people and devices go, people come back */
bool sim_shut_out(const device *d); /* revoked, outdated, or its user is disabled */
void sim_server_invite(world *w, const uint8_t token[16], int user_index);

/* ---- device.c ----------------------------------------------------------------------- */

device *sim_device_new(world *w, int user_index);
void sim_device_free(device *d);
void sim_device_create(device *d);      /* file and identity */
void sim_device_enrol(device *d, const sat_enrolled *in);
/* Open it again; sorts out what was in limbo. */
void sim_device_start(device *d);
void sim_device_stop(device *d, bool power);
/* After every call into the replica: dies or restarts when it must.
 * @return true: still running. */
bool sim_device_after(device *d, sat_rc rc);
void sim_device_plan_faults(device *d);
void sim_device_calm(device *d);        /* no faults any more */
void sim_device_backup(device *d, bool by_hand);
void sim_device_restore(device *d);
/* The server knows other commits under its numbers. */
void sim_device_forked(device *d);
/* Own commits as they lie in the replica's tables. */
typedef enum where { IN_OUTBOX, IN_QUARANTINE } where;
typedef void (*sim_kept)(device *d, where at, int64_t seq, int state,
    const sat_commit *c, bool whole, void *u);
void sim_device_kept(device *d, sim_kept cb, void *u);
/* The number a query of its file gives; 0 when no row does. */
int64_t sim_device_int(device *d, const char *sql);

/* ---- rotate.c ------------------------------------------------------------------------ */

/* Draw other keys; mostly also say so. */
void sim_act_rotate(device *d);
/* Bring a change that waits to its end, as far as it goes. @return false: the
 * device went off. */
bool sim_rotate_settle(device *d);
/* After a start: which keys it has, and whether they are still good. */
void sim_rotate_look(device *d);
/* Is this channel key one in force at the server? */
bool sim_rotate_known(const world *w, const uint8_t pk[SAT_BOX_PK_BYTES]);

/* ---- damage.c ------------------------------------------------------------------------ */

/* Change a row, check, sync: all must be as before. */
void sim_device_damage(device *d);

/* ---- net.c -------------------------------------------------------------------------- */

void sim_session_begin(device *d);
void sim_session_end(device *d);
void sim_session_pump(device *d);       /* send the next request */
void sim_session_again(device *d);      /* no answer: send it again */
void sim_net_deliver(world *w);         /* one packet, any of them */
void sim_net_drop(world *w);            /* the net forgets everything */
sat_span sim_span_copy(sat_span s);     /* malloc'd */
void sim_span_drop(sat_span *s);
void sim_cursor_read(device *d);        /* it never goes back */
void sim_session_recover(device *d);    /* after a restart */
/* A whole session without faults. */
void sim_session_whole(device *d);

/* A greeted session of the device, and one frame served on it; nobody gets the
 * reply. */
bool sim_greet(device *d, sat_server_session *x);
sat_msg sim_serve_alone(device *d, const sat_server_session *x, sat_span frame,
    bool *answered);

/* ---- probe.c ------------------------------------------------------------------------ */

void sim_net_probe(world *w);           /* poison, replay, gap, foreign push */

/* ---- act.c -------------------------------------------------------------------------- */

void sim_act(device *d);                /* one thing a person does */
void sim_act_burst(world *w);           /* several at the same moment */
void sim_act_group(device *d);          /* an import */
void sim_act_numbered(device *d);       /* a customer with its number */
void sim_act_read(device *d);           /* look at what was written */

/* ---- ledger.c ----------------------------------------------------------------------- */

int sim_rec_find(const world *w, const sat_id *id);       /* -1 */
int sim_rec_by_eid(const world *w, uint32_t eid);         /* -1 */
int sim_rec_new(world *w, const sat_id *id, uint16_t kind, int parent, int dev);
entry *sim_entry_add(device *d, const sat_draft *draft, uint64_t cseq, fate f);
void sim_entry_known(device *d, entry *e);
entry *sim_entry_find(const world *w, const uint8_t hash[SAT_HASH_BYTES]);
/* What a reply the device has taken in showed it. */
void sim_shadow_learn(device *d, sat_span frame);
void sim_expect_add(device *d, int rec, const sat_op *op, sat_value v);
void sim_expect_forget(device *d, int rec); /* -1: all */
void sim_expect_check(device *d, size_t most);

/* ---- mirror.c ----------------------------------------------------------------------- */

/* Read what is new in the log. */
void sim_mirror(world *w);
/* How many operations of a commit the log suggests, word for word. */
size_t sim_suggested(world *w, const entry *en);
/* Had the author of the operation seen the other, by what his commit says? */
bool sim_author_saw(const world *w, const lop *later, const lop *earlier);

/* ---- act_pool.c --------------------------------------------------------------------- */

/* By the log so far: the owner (user, -1 none), whether the pool offers it, and
 * where `user` lost it last (0 = never had it and lost it). */
typedef struct holding {
	int owner;
	bool pooled;
	int64_t since_ms; /* received; 0 = nobody ever did */
	uint64_t lost_lsn;
} holding;
holding sim_holding(const world *w, const mrec *r, int user);
/* A claim is in the log, at l; judged before it is added to the record's. */
void sim_pool_claimed(world *w, const lcommit *l, const sat_op *op, int rec);
/* The server itself released the record. */
void sim_pool_reclaimed(world *w, const lcommit *l, const sat_op *op, int rec);
void sim_pool_refused(world *w, const entry *e, sat_span slug);
extern const char sim_pools[];          /* policy/pool.json */
void sim_pool_hold(device *d);          /* a reservation */
void sim_pool_burst(world *w);          /* many claim one */

/* ---- erase.c ------------------------------------------------------------------------ */

/* Of an erased customer: in the log, or made below it and never sent. */
bool sim_rec_erased(const world *w, int rec);
bool sim_about_erased(const world *w, const entry *e);
/* The server's ERASE is in the log. */
void sim_erased(world *w, const sat_op *op);
void sim_server_erase(world *w);        /* somebody asks for it, another confirms */
void sim_erase_receipt(device *d, sat_span frame); /* a request of the device */
void sim_erase_check(world *w);         /* at the end */

/* ---- whole.c ------------------------------------------------------------------------ */

void sim_check_whole(device *d);        /* a device that took a page in */
void sim_whole_note(world *w, uint64_t lsn); /* the newest commit of the log */
typedef struct cost {
	sat_db_counts was;
	bool empty; /* the log */
} cost;
void sim_cost_begin(cost *c, device *d);
void sim_cost_save(const cost *c, device *d);

/* ---- model.c ------------------------------------------------------------------------ */

/* What the record's customer leads to now. */
int sim_top(const world *w, int rec);
bool sim_visible(const world *w, int user, int rec);
/* Visible through the pool alone: without what it hides. */
bool sim_masked(const world *w, int user, int rec);
/* Customers and what stands for itself that the user is a reason to hold. */
int sim_owned_roots(const world *w, int user);
/* Numbers that became final with the commit; each is looked up among all that
 * ever were (property 14). */
void sim_numbers_of(world *w, uint64_t lsn, uint64_t head);
void sim_number_final(world *w, int rec, sat_value text);
void sim_model_check(world *w);         /* values, by the log alone */
void sim_shadow_check(world *w);        /* properties 4 and 5 */

/* ---- check.c ------------------------------------------------------------------------ */

void sim_check_frame(world *w, int dev, sat_span frame); /* to a device */
/* Whose cursor is there has all: what was shortened is not to be told any more. */
uint64_t sim_scope_head(world *w, int user);
/* mask.c */
sat_span sim_mask_matrix(sat_arena *a, sat_span doc, int version);
void sim_mask_value(world *w, int dev, sat_span s, const char *what);
void sim_mask_state(world *w, int dev, const sat_record *r);
void sim_mask_disk(device *d);
void sim_check_dump(device *d);         /* property 1, at the head */
void sim_check_replica(device *d, bool quick);
void sim_check_kept(device *d);         /* property 6, after a restart */
void sim_check_end(world *w);

#endif
