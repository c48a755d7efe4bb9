/*
 * sweep.h - every operation with every single failure.
 *
 *   main.c     command line; for each operation and kind of failure: fail the
 *              1st call, the 2nd, ... until the operation no longer reaches it
 *   point.c    one point: prepare, arm, run, come back, look
 *   lab.c      three machines with a little history, restored for each point;
 *              lab_look.c: what they hold
 *   talk.c     a session between two of them, one exchange at a time
 *   ops.c      the operations: devices; ops_server.c: the server;
 *              ops_keyring.c: the keyring, on a real file system
 *   seen.c     disks that were found good, so that they are looked at once
 *   heap.c     malloc that fails at the n-th call, and counts what is live
 *
 * What must hold at every point: what was reported as done is there, what was
 * reported as failed is there in whole or not at all, the file opens, all that
 * can be derived fits (sat_replica_check, sat_server_verify), and nothing is
 * leaked.
 */
#ifndef SAT_TESTS_SWEEP_H
#define SAT_TESTS_SWEEP_H

#include "tests/sim/sim.h"

typedef struct saved_file {
	char name[24];
	uint8_t *p;
	size_t n;
} saved_file;

#define SAVED_MAX 6

typedef struct machine {
	struct lab *lab;
	char name[8];
	simfs *fs;
	sat_keyring *ring;
	uint64_t rand, rand_saved;
	saved_file saved[SAVED_MAX];
	size_t nsaved;
	uint64_t restored; /* how often the disk was touched until then */
} machine;

typedef struct lab_dev {
	machine m;
	char file[16];
	sat_replica_identity id;
	uint8_t token[16];
	sat_replica *r;
	sat_client_ops ops;
} lab_dev;

enum { ANN, BOB, NEW, RAW, NDEVS };

/* A session, one exchange at a time. */
typedef struct talk {
	lab_dev *d;
	sat_cs *cs;
	sat_server_session x;
	sat_buf request, reply;
	bool done;
} talk;

typedef struct lab {
	int64_t now_ms, now_saved;
	machine srv;
	sat_sqlite_store *store;
	sat_server *server;
	sim_core core;
	int tip;            /* template the server publishes */
	lab_dev dev[NDEVS];
	sat_id org;
	uint8_t root_sk[SAT_SIGN_SK_BYTES], root_pk[SAT_SIGN_PK_BYTES];
	uint8_t server_sk[SAT_SIGN_SK_BYTES], server_pk[SAT_SIGN_PK_BYTES];
	sat_id acc[5];      /* customers of the story */
	talk t;
	sat_arena a;
	void *held;         /* of one operation */
} lab;

/* ---- lab.c ------------------------------------------------------------------- */

/* Stops the program with a text: the harness itself is wrong. */
void lab_must(sat_rc rc, const sat_err *e, const char *what);
void lab_init(lab *L);       /* plays the story, saves the disks */
void lab_restore(lab *L);    /* as after the story; everything is closed */
sat_rc lab_open_device(lab *L, lab_dev *d, sat_err *e);
sat_rc lab_open_server(lab *L, bool create, sat_err *e);
void lab_close(lab *L);      /* whatever is open, in order */
void lab_abandon(lab *L);    /* as if the processes died */
void lab_forget(lab *L);     /* what a process that died in a call held */
sat_clock lab_clock(machine *m);
sat_rand lab_rand(machine *m);
sat_replica_env lab_env(lab_dev *d);

/* ---- lab_look.c ---------------------------------------------------------------- */

/* All rows of all tables but one (NULL: none). */
void lab_digest(uint8_t out[SAT_HASH_BYTES], lab *L, sat_db *db, const char *but);
/* Everybody syncs until nothing moves; true when all agree with the server. */
bool lab_settle(lab *L, sat_err *e);
/* After it: every record on the server and the devices, what is quarantined. */
void lab_settled_digest(lab *L, uint8_t out[SAT_HASH_BYTES]);

/* ---- talk.c ------------------------------------------------------------------ */

void talk_begin(lab *L, lab_dev *d);
void talk_end(lab *L);
/* The next request, its reply, the device taking it in: each step alone. */
sat_rc talk_request(lab *L, sat_err *e);
sat_rc talk_serve(lab *L, sat_err *e);
sat_rc talk_reply(lab *L, sat_err *e);
/* n whole exchanges; false when the session is over before. */
bool talk_go(lab *L, int n);
sat_rc talk_whole(lab *L, lab_dev *d, sat_err *e);
/* ENROL, served. */
sat_rc talk_enrol(lab *L, lab_dev *d, sat_enrolled *out, sat_err *e);

/* ---- operations ---------------------------------------------------------------- */

enum {
	OP_SERVER = 1,  /* it is the server's disk that fails */
	OP_STEPS = 2,   /* several transactions: looked at when all is settled */
	OP_MAKES = 4,   /* makes the file: it may not be there afterwards */
	OP_AGAIN = 8,   /* may be tried again on the same handle */
	OP_CLOSED = 16, /* opens the file itself */
	OP_FILES = 32,  /* on a real file system */
	/* When a device was last seen is noted in passing, and may be missing. */
	OP_SEEN = 64,
	OP_PARTS = 128, /* of two pushes one may be refused */
	OP_GIT = 256,   /* libgit2 keeps what it could not finish */
};

typedef struct sweep_op {
	const char *name;
	int who;        /* device */
	unsigned flags;
	/* Without faults: what must be open. NULL: only its side. */
	bool (*before)(lab *L, int arg);
	sat_rc (*run)(lab *L, int arg, sat_err *e);
	int arg;
	/* After it, everything opened again; NULL: nothing more. */
	const char *(*after)(lab *L, int arg, sat_rc rc);
} sweep_op;

extern const sweep_op sweep_device_ops[], sweep_server_ops[],
    sweep_keyring_ops[]; /* ended by a NULL name */

/* ---- heap.c ----------------------------------------------------------------------- */

/* Fail the nth allocation from now, and with `persistent` all later. 0: none. */
void heap_fail(uint64_t nth, bool persistent);
bool heap_fired(void);
int64_t heap_live(void); /* blocks */
bool heap_works(void);   /* false under a sanitizer */

/* ---- ops_keyring.c: the system calls of the keyring ------------------------------- */

void files_fail(uint64_t nth, int error, bool persistent); /* 0: none */
bool files_fired(void);

/* ---- seen.c ----------------------------------------------------------------------- */

bool seen_begin(void);  /* once, before the first point; false: no memory */
void seen_rewind(void); /* every point draws the same randomness */
/* Of all disks, everything closed; `expected` is what else decides what is right.
 * Never 0. */
uint64_t seen_disks(const lab *L, const sweep_op *op, unsigned expected);
bool seen_good(uint64_t disks);
void seen_add(uint64_t disks);

/* ---- point.c ---------------------------------------------------------------------- */

typedef struct fault {
	const char *name;
	enum { ON_DISK, ON_POWER, ON_HEAP, ON_FILES } on;
	simfs_op op;
	simfs_how how;
	int error; /* ON_FILES */
	bool persistent;
} fault;

typedef struct tally {
	uint64_t points, ops, died, failed, passed, bad, looked;
} tally;

typedef struct expectation { /* of one operation */
	uint8_t before[SAT_HASH_BYTES], after[SAT_HASH_BYTES];
	int64_t live;
} expectation;

/* Without a failure: what it makes of the file. @return false: the operation
 * does not apply (a step behind the end of a session). */
bool point_expect(lab *L, const sweep_op *op, expectation *x);
/* @return false: the operation passed without reaching the nth call. */
bool point_run(lab *L, const sweep_op *op, const expectation *x,
    const fault *f, uint64_t n, tally *t);

#endif
