/*
 * month.h - a whole company for a month, or a small one for a quarter, in one
 * process and in virtual time.
 *
 *   main.c     command line, the page of figures
 *   world.c    the calendar: what happens on which day
 *   server.c   the server's life: backup, compaction, loss of its disk
 *   device.c   a device's life: sessions, copies, theft, wrong clocks
 *   people.c   what people write, and storms of new owners
 *   check.c    what must hold at the end
 *
 * The replicas, the session machine, the core and the store are the programs'.
 * Devices live on disks in memory; the server on a folder, for its log moves
 * into files.
 */
#ifndef SAT_TESTS_MONTH_H
#define SAT_TESTS_MONTH_H

#include "tests/sim/sim.h"

#define HOUR_MS ((int64_t)3600 * 1000)
#define DAY_MS (24 * HOUR_MS)
#define BAD_PRINTED 20
#define TEAM_NONE 63 /* headquarters; teams are bits of a word */

#define FIGURES(X)                                                            \
	X(virtual_days, "virtual days")                                       \
	X(people, "people")                                                   \
	X(devices, "devices, with replacements")                              \
	X(customers, "customers made")                                        \
	X(saves, "saves reported to a person")                                \
	X(operations, "operations in them")                                   \
	X(sessions, "sessions")                                               \
	X(broken, "... broken off")                                           \
	X(bytes_up, "bytes of requests")                                      \
	X(bytes_down, "bytes of replies")                                     \
	X(offline, "times a device stayed away for days")                     \
	X(storms, "territories that changed hands")                           \
	X(moved, "... customers in them")                                     \
	X(stolen, "stolen laptops, revoked")                                  \
	X(refused_thief, "... their sessions refused")                        \
	X(device_backups, "device backups")                                   \
	X(restored, "devices restored from one")                              \
	X(clocks, "clocks set wrong")                                         \
	X(templates, "new templates")                                         \
	X(backups, "server backups")                                          \
	X(compactions, "times the log was shortened")                         \
	X(segments, "... files it went to")                                   \
	X(losses, "server disks lost")                                        \
	X(locked, "visits that found the permit over")                        \
	X(unlocked, "... and a sync renewed it")                              \
	X(conflicts, "conflicts open at the end")                             \
	X(in_log, "saves in the server's log")                                \
	X(in_quarantine, "saves in a quarantine")                             \
	X(own, "commits the server made itself")                              \
	X(disk_lost, "saves lost with a disk, unsynced")                      \
	X(diverged, "ranges of records sent again, after a loss")              \
	X(fresh, "new devices filled at the end")                              \
	X(compared, "replicas compared with the server")                      \
	X(canaries, "canaries read in replicas")                              \
	X(log_commits, "commits in the server's log")                         \
	X(log_records, "records")

enum {
#define X(name, text) F_##name,
	FIGURES(X)
#undef X
	N_FIGURES
};

typedef struct save { /* one that was reported to a person */
	uint8_t hash[SAT_HASH_BYTES]; /* of the payload, which is salted */
	int dev;
	bool excused;                 /* its disk was lost before it was sent */
	uint16_t in_log, waiting, quarantine;
} save;

typedef struct customer {
	sat_id id;
	int owner;      /* user, as he last was asked for */
	uint64_t teams; /* bits of all that may have held it */
	int64_t follow; /* numbers of what was said */
} customer;

typedef struct staff { /* of the company */
	char key[16];
	role role;
	int team;
	int dev;        /* the device he uses */
} staff;

typedef struct laptop {
	struct month *m;
	int index, user;
	simfs *fs;
	sat_keyring *ring;
	sat_replica_identity id;
	uint8_t token[16];
	sat_replica *r;
	sat_client_ops ops;
	uint64_t rand;
	int64_t skew_ms, made_ms;
	int away;        /* working days without a sync to come */
	bool gone;       /* stolen */
	bool has_backup;
	uint64_t epoch_heard; /* how many losses it has heard of */
} laptop;

typedef struct month {
	int days, day;
	int64_t now_ms, began_ms;
	bool permits;
	uint64_t rand, seed;
	bool quarter;    /* the long run of a small company */
	bool trace;
	char *dir;       /* of the server */
	sat_keyring *ring;
	sat_sqlite_store *store;
	sat_server *server;
	sat_id org;
	uint8_t root_sk[SAT_SIGN_SK_BYTES], root_pk[SAT_SIGN_PK_BYTES];
	uint8_t server_sk[SAT_SIGN_SK_BYTES], server_pk[SAT_SIGN_PK_BYTES];
	sim_core core;
	int tip;
	uint64_t losses;
	staff *user;
	int nusers, nteams;
	laptop **dev;
	int ndev;
	customer *cust;
	int ncust, cust_cap;
	save *saves;
	size_t nsaves, saves_cap;
	size_t *slot;    /* hash table over saves; 0 = free, else index + 1 */
	size_t slots;
	sat_arena a;
	uint64_t figure[N_FIGURES];
	uint64_t bad;
} month;

#define COUNT(m, name, n) ((m)->figure[F_##name] += (uint64_t)(n))

/* A promise that does not hold; the run goes on. */
void month_bad(month *m, const char *fmt, ...) SAT_PRINTF(2, 3);
/* The harness itself cannot go on. */
void month_must(sat_rc rc, const sat_err *e, const char *what);
uint64_t month_draw(month *m, uint64_t below);
void month_pass(month *m, int64_t ms);

/* ---- world.c ----------------------------------------------------------------- */
void month_live(month *m, int devices);
void month_end(month *m);

/* ---- server.c ---------------------------------------------------------------- */
void month_server_open(month *m, bool first);
void month_server_close(month *m);
void month_server_tick(month *m);
void month_server_backup(month *m);
void month_server_compact(month *m);
void month_server_lose(month *m);
sat_rand month_server_rand(month *m);

/* ---- device.c ---------------------------------------------------------------- */
laptop *month_device_new(month *m, int user);
void month_device_free(laptop *d);
/* @return false: a session that should have gone through did not. */
bool month_device_sync(laptop *d, bool whole);
void month_device_backup(laptop *d);
void month_device_restore(laptop *d);
void month_device_steal(laptop *d);
/* Each commit the device keeps: from its outbox (waiting: without an answer)
 * or its quarantine. */
typedef void month_kept(void *u, const sat_commit *c, bool waiting,
    bool quarantine);
void month_device_kept(laptop *d, month_kept *cb, void *u);

/* ---- people.c ---------------------------------------------------------------- */
void month_people_write(laptop *d);
void month_people_storm(month *m);
void month_save_add(laptop *d, uint64_t cseq);
save *month_save_find(month *m, const uint8_t hash[SAT_HASH_BYTES]);

/* ---- check.c ----------------------------------------------------------------- */
void month_check(month *m);

#endif
