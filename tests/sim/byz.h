/*
 * byz.h - hostile devices among honest ones; the honest must not notice.
 *
 *   byz.c        command line, twin runs, counters
 *   byz_world.c  the server, honest devices and what they do
 *   byz_state.c  what an honest device holds, without positions
 *   byz_evil.c   a device that says what it likes: links, pushes, keys
 *   byz_moves.c  the catalogue; byz_chain.c, byz_rights.c, byz_load.c,
 *                byz_frames.c the moves
 *
 * A history is lived twice from one seed: with the hostile moves and without.
 * Honest people draw from a stream of their own and every slot of a hostile
 * device is followed by more time than a stamp may run ahead (P-013), so what
 * they do and write is the same; at the end every honest device must hold the
 * same values, conflicts and stamps. Only positions may differ (a hostile
 * device may add records of its own to the log): they are compared by rank
 * among the honest commits.
 */
#ifndef SAT_TESTS_BYZ_H
#define SAT_TESTS_BYZ_H

#include <stdio.h>

#include "tests/sim/sim.h"

#define BYZ_HONEST_MAX 8
#define BYZ_EVIL_MAX 2
#define BYZ_RECS_MAX 256
#define BYZ_PAST_MAX 8
/* Ids of records a hostile device makes have this in their random half. */
#define BYZ_MARK 0xe5e5e5e5u

typedef struct bworld bworld;

/* A disk, a clock and randomness of its own. */
typedef struct bnode {
	bworld *w;
	simfs *fs;
	uint64_t rand;
	int64_t skew_ms;
} bnode;

typedef struct honest {
	bnode n;
	int user;
	sat_keyring *ring;
	sat_replica_identity id;
	sat_replica *r;
	sat_client_ops ops;
	uint32_t ord;
	bool revoked;          /* the colleague who lost his laptop */
	sat_server_session x;
	sat_buf past[BYZ_PAST_MAX]; /* his pushes, for who finds them */
	size_t npast;
} honest;

typedef struct brec { /* made by an honest person */
	sat_id id;
	uint16_t kind;
	int parent;
} brec;

/* What became of a hostile request. */
typedef enum bfate { B_REFUSED, B_REJECTED, B_TAKEN, B_OTHER } bfate;

typedef struct evil {
	bworld *w;
	uint64_t rand;
	sat_server_session x;
	uint8_t sign_sk[SAT_SIGN_SK_BYTES], sign_pk[SAT_SIGN_PK_BYTES];
	uint8_t channel_pk[32], token[16];
	uint32_t ord, user, incarnation;
	uint64_t cseq;
	uint8_t head[SAT_HASH_BYTES];
	sat_hlc hlc;
	sat_id own[32];        /* records of its own */
	size_t nown;
	sat_buf past[BYZ_PAST_MAX];
	size_t npast;
	sat_arena tmp;         /* of one move */
	char slug[48];         /* of the last refusal */
} evil;

struct bworld {
	uint64_t seed, people; /* the honest stream */
	bool hostile;
	int64_t now_ms;
	sat_id org;
	bnode server_node;
	sat_keyring *server_ring;
	sat_sqlite_store *store;
	sat_server *server;
	sim_core core;
	uint8_t server_sk[SAT_SIGN_SK_BYTES];
	person users[USERS_MAX];
	int nusers;
	honest dev[BYZ_HONEST_MAX];
	int ndev;
	evil evil[BYZ_EVIL_MAX];
	int nevil;
	brec recs[BYZ_RECS_MAX];
	int nrecs;
	unsigned serial;
	sat_arena tmp;
	jmp_buf on_fail;
	char why[400];
	bool trace;
};

/* ---- byz.c --------------------------------------------------------------------- */

void byz_fail(bworld *w, const char *fmt, ...)
    __attribute__((noreturn, format(printf, 2, 3)));
uint64_t byz_below(uint64_t *stream, uint64_t n);

/* ---- byz_world.c --------------------------------------------------------------- */

void byz_world_open(bworld *w);
void byz_world_close(bworld *w);
void byz_honest_step(bworld *w);
void byz_honest_sync(honest *d);       /* to the end; may not fail */
void byz_revoke(bworld *w, honest *d); /* his laptop was stolen */
/* One request on a link. The reply lives until the next. */
void byz_serve(bworld *w, sat_server_session *x, sat_buf *reply,
    sat_span frame);
uint64_t byz_head(bworld *w);
void byz_invite(bworld *w, const uint8_t token[16], int user);

/* ---- byz_state.c --------------------------------------------------------------- */

/* What the device holds of honest records, as text. */
void byz_state(sat_buf *out, honest *d);
/* Every commit of a hostile device in the log is about its own records. */
void byz_check_log(bworld *w);
bool byz_marked(const sat_id *id);

/* ---- byz_evil.c ---------------------------------------------------------------- */

void byz_evil_open(evil *v, int index);
void byz_evil_close(evil *v);
sat_id byz_new_id(evil *v);
/* A commit of its own, as an honest device would write it; ops in v->tmp. */
sat_commit byz_commit(evil *v, const sat_id *subject, const sat_op *ops,
    size_t n);
/* Seal, sign and write a push frame. `c` gets cseq, prev and hash from the
 * evil's chain; nothing is remembered yet. */
void byz_frame(sat_buf *out, evil *v, sat_commit *c, size_t n);
/* Send a frame; when it was answered with verdicts for all of `n` commits the
 * chain goes on behind them. */
bfate byz_send(evil *v, sat_span frame, const sat_commit *c, size_t n);
/* byz_frame and byz_send. */
bfate byz_push(evil *v, sat_commit *c, size_t n);
void byz_greet(evil *v);

/* ---- byz_moves.c --------------------------------------------------------------- */

void byz_move(evil *v);                /* one of the catalogue */
void byz_moves_print(FILE *f);
/* @return how many kinds of moves were never made. */
unsigned byz_moves_missing(FILE *f);

#endif
