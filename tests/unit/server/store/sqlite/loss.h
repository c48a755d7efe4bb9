/*
 * loss.h - a company whose server is lost: work, backups, and what its devices
 * hand back.
 */
#ifndef SAT_TESTS_SERVER_STORE_SQLITE_LOSS_H
#define SAT_TESTS_SERVER_STORE_SQLITE_LOSS_H

#include "tests/unit/server/store/sqlite/device.h"

/* ---- losing a server ----------------------------------------------------- */

typedef struct state_of { /* of a record on the server that is lost */
	sat_id id;
	sat_buf bytes;
} state_of;

typedef struct states_of {
	state_of *v;
	size_t n;
} states_of;

states_of all_states(world *w);
void free_states(states_of *s);

typedef struct company {
	world *w;
	device *ann, *bob, *hq;
	sat_id acc[24];
	size_t nacc;
	uint8_t root_sk[SAT_SIGN_SK_BYTES], root_pk[SAT_SIGN_PK_BYTES];
	char *backup;
	sat_place *places; /* told with the states that are given */
	size_t nplaces;
	sat_chain_known gone; /* told with them, of the giver's own chain */
} company;

company company_new(uint64_t seed);
void company_free(company *c);
void sync_all(company *c);
void some_work(company *c, int n);
void take_backup(company *c);

/* The server is gone; the backup, in a new epoch, takes its place. */
sat_epoch lose(company *c, int64_t window_ms, uint32_t roles);

/* What client/replica does on a new epoch, for the device of these tests. */
void follow(device *d, const sat_epoch *e);

sat_seeded give(company *c, device *d, uint64_t epoch, const sat_record *r,
    size_t n, sat_rc want);
sat_seeded give_state(company *c, device *d, const sat_epoch *e,
    const state_of *s);
void same_values(world *w, const states_of *want);

/* The state of one record. */
state_of *state_in(const states_of *s, const sat_id *id);

int64_t visits_in(const states_of *s, const sat_id *id);
int64_t visits_now(company *c, const sat_id *id);
bool is_tagged(company *c, const sat_id *id, const char *tag);
void visit(device *d, const sat_id *id);
bool has_place(const sat_place *p, size_t n, uint32_t dev, uint64_t cseq);

/* What the server says with a snapshot's chunk: the places of chains. */
sat_place *told_with_states(size_t *n, company *c, sat_arena *a);

#endif
