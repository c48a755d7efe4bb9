/*
 * bench.h - what the files of the benchmark share.
 *
 * harness.c  samples, clocks, failure, the lines and the table that come out
 * gen.c      customers-N.tsv, edits-N.tsv, edits2-N.tsv
 * table.c    reading them, whatever their columns are called
 * floor.c    the same table in plain SQLite: what everything is divided by
 * world.c    a served folder in a process of its own, and replicas of it
 * inproc.c   a server core in this process, to see where CPU and bytes go
 * follow.c   a device that waits on its link, in a process of its own
 * door.c     rows and edits through the gate into a replica
 * peer.c     the phases of the peer workload
 * figures*.c `make bench`
 *
 * A benchmark that cannot go on ends: bench_must prints why and exits 1.
 */
#ifndef SAT_TESTS_BENCH_H
#define SAT_TESTS_BENCH_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/crm/crm.h"
#include "client/sync/sync.h"
#include "common/crypto/keyring.h"

#define BENCH_FIELDS 15
#define BENCH_KIND "customer"
#define BENCH_SINGLES 2000   /* durable single inserts of P1one */
#define BENCH_EDITS 10000    /* single-field updates of P2 and P3 */
#define BENCH_VERSION "0.1.0"

/* ---- harness.c ------------------------------------------------------------- */

typedef struct samples {
	double *v;
	size_t n, cap;
} samples;

void samples_add(samples *s, double v);
double samples_at(samples *s, double quantile); /* sorts; 0.5 = median */
void samples_fini(samples *s);

double bench_now(void);  /* wall, seconds */
double bench_cpu(void);  /* of this process, user and system, seconds */
double bench_cpu_of(int pid); /* the same of another one */
long bench_rss_kib(bool peak);

/* The steps of the benchmark either work or end it. */
void bench_must_(sat_rc rc, const sat_err *e, const char *what);
#define bench_must(call)                                                      \
	do {                                                                  \
		sat_rc rc_ = (call);                                          \
		bench_must_(rc_, &err, #call);                                \
	} while (0)
void bench_die(const char *fmt, ...) SAT_PRINTF(1, 2)
    __attribute__((noreturn));

/* Values of the peer workload: kept, and printed as lines of the protocol
 * when `print`. */
typedef struct bench_value {
	const char *phase, *metric;
	double v;
} bench_value;
typedef struct bench_out {
	const char *peer;
	bool print;
	int run;
	size_t n;
	bench_value *values;
	size_t nvalues, cap;
} bench_out;
void bench_line(bench_out *o, const char *phase, const char *metric,
    const char *unit, double value);
/* Ends the benchmark when the phase did not give it. */
double bench_value_of(const bench_out *o, const char *phase,
    const char *metric);
void bench_out_fini(bench_out *o);

/* A row of the table: samples of a figure, its goal, and what it stands beside.
 * at_most: smaller is better. goal < 0: none. */
typedef struct bench_row {
	const char *name;
	const char *unit;
	double goal;
	bool at_most;
	char note[160];
	samples s;
} bench_row;
typedef struct bench_table_out {
	bench_row *rows;
	size_t n, cap;
} bench_table_out;
bench_row *table_row(bench_table_out *t, const char *name, const char *unit,
    double goal, bool at_most);
void table_print(const bench_table_out *t, FILE *f);

/* ---- files ------------------------------------------------------------------ */

char *bench_path(const char *dir, const char *name); /* caller frees */
void bench_mkdir(const char *path);                  /* and its parents */
void bench_rmdir(const char *path);                  /* and what is in it */
int64_t bench_dir_bytes(const char *path);           /* regular files in it */

/* ---- gen.c, table.c ----------------------------------------------------------- */

void bench_gen(const char *dir, size_t n);

typedef struct bench_edit {
	sat_id id;
	size_t row;          /* of the customer */
	const char *field;   /* key of the template */
	const char *text;
} bench_edit;
typedef struct bench_data {
	size_t n;
	sat_id *id;
	char (*id_text)[SAT_ID_TEXT];
	const char **cells;  /* n x BENCH_FIELDS, template order */
	bench_edit *edits, *edits2;
	size_t nedits, nedits2;
	sat_arena mem;
} bench_data;
void bench_read(bench_data *d, const char *dir, size_t n);
void bench_data_fini(bench_data *d);
/* Keys of the 15 fields in template order; which are sums and dates. */
extern const char *const bench_fields[BENCH_FIELDS];
#define BENCH_AMOUNT 11 /* the money; texts before it, dates after it */

/* The same rows as values, read by the template once, outside any timing. */
typedef struct bench_values {
	sat_value *v; /* n x BENCH_FIELDS */
	sat_arena mem;
} bench_values;
void bench_values_of(bench_values *v, const bench_data *d,
    const sat_template *t);
static inline const sat_value *
bench_row_of(const bench_values *v, size_t row)
{
	return v->v + row * BENCH_FIELDS;
}

/* ---- floor.c -------------------------------------------------------------------- */

typedef struct floor_db floor_db;
floor_db *floor_open(const char *path); /* a fresh file */
void floor_close(floor_db *f);
void floor_begin(floor_db *f);
void floor_commit(floor_db *f);
void floor_insert(floor_db *f, const bench_data *d, const bench_values *v,
    size_t row);
/* UPDATE customer SET field = ? WHERE id = ? */
void floor_update(floor_db *f, const bench_data *d, const bench_edit *ed,
    sat_value v);
/* INSERT ... ON CONFLICT(id) DO UPDATE SET field = excluded.field */
void floor_upsert(floor_db *f, const bench_data *d, const bench_edit *ed,
    sat_value v);
/* Pages written to the log since it was opened. */
int64_t floor_pages(floor_db *f);
/* Sum of lengths of a column: reads every page of the table. */
int64_t floor_scan(floor_db *f);

/* ---- world.c -------------------------------------------------------------------- */

/* A server folder whose template is the base template and the kind `customer`;
 * users u1..u<n> are sales representatives. */
void world_folder(const char *dir, unsigned users);

typedef struct world {
	char *dir;       /* of the server */
	char *address;
	int pid;
} world;
void world_serve(world *w, const char *dir);  /* its own process */
int world_child(const char *dir);             /* what that process runs */
void world_stop(world *w);
/* Verified backup: moves the durable watermark, so that outboxes shrink. */
void world_backup(const world *w, const char *to);

typedef struct device {
	char *dir;
	sat_keyring *keyring; /* NULL: plain */
	sat_replica *replica;
	sat_crm crm;
	const sat_kind *kind; /* after the first sync */
	const sat_field *fields[BENCH_FIELDS];
} device;
/* A fresh folder with an identity of its own; not enrolled. */
void device_create(device *d, const char *dir, const sat_id *org,
    const uint8_t server_pk[32], const char *address, bool plain);
/* Enrol with an invitation of the served world, and sync once. */
void device_enrol(device *d, const world *w, const char *dir, bool plain);
void device_open(device *d, const char *dir, bool plain);
void device_close(device *d);
void device_ready(device *d); /* finds the kind; after a sync */
sat_sync_result device_sync(device *d);
sat_sync_result device_sync_flags(device *d, unsigned flags);
/* Bytes both ways until the link's keys are agreed, framing included. */
double device_handshake(device *d);

/* ---- inproc.c --------------------------------------------------------------------- */

enum { INPROC_TYPES = 16 };
typedef struct inproc_cost { /* by type of request */
	double server, client;  /* wall seconds */
	double server_cpu, client_cpu;
	uint64_t out, in, n;    /* bytes, round trips; no channel overhead */
} inproc_cost;
typedef struct inproc inproc;
/* The core over a store in dir; plain: the store's file is not encrypted. */
inproc *inproc_open(const char *dir, bool plain, unsigned users);
void inproc_close(inproc *p);
sat_db *inproc_db(inproc *p);
struct sat_server *inproc_core(inproc *p);
/* As after a verified backup of all that is there. */
void inproc_durable(inproc *p);
/* Enrol as user u1, u2, ... and sync once. */
void inproc_device(device *d, inproc *p, const char *dir, bool plain,
    unsigned user, inproc_cost cost[INPROC_TYPES]);
/* A whole session; adds to cost[type of request]. */
void inproc_sync(device *d, inproc *p, inproc_cost cost[INPROC_TYPES]);
/* Sessions side by side: up to the first PUSH, the pushes of all of them at
 * once, and each to its end. */
typedef struct inproc_session inproc_session;
inproc_session *inproc_begin(device *d, inproc *p);
void inproc_push_all(inproc *p, inproc_session **s, size_t n);
void inproc_end(inproc_session *s, inproc *p);

/* ---- follow.c --------------------------------------------------------------------- */

typedef struct follow_report { /* after an exchange, since it was started */
	double at;               /* as bench_now */
	unsigned long long commits, bytes;
} follow_report;
typedef struct follower {
	int pid, end;
	FILE *lines;
	follow_report begun;     /* its first exchange */
} follower;
/* A process opens the device of that folder, syncs, and waits on its link. */
void follow_start(follower *f, const char *dir, bool plain);
follow_report follow_next(follower *f); /* waits for it */
void follow_end(follower *f);
int follow_child(int argc, char **argv);

/* ---- door.c ----------------------------------------------------------------------- */

/* One customer: default owner, relation, gate, duplicates, commit. */
void door_create(device *d, const bench_data *data, const bench_values *v,
    size_t row);
/* One field; returns how many operations were written (0: it was so already). */
size_t door_edit(device *d, const bench_edit *ed);

/* ---- peer.c, figures.c --------------------------------------------------------------- */

enum {
	P1ONE = 1, P1BULK = 2, P2ONE = 4, P2BATCH = 8, P3 = 16, P4 = 32,
	P5 = 64, P6 = 128, P7ROWS = 256, P7X10 = 512, PHASES_ALL = 1023,
	READS = 1024, /* ours: lists, searches and an edit on B */
};
int peer_main(int argc, char **argv);
/* These phases over these rows, in the working folder. */
void peer_run(bench_out *out, bench_data *data, unsigned phases, bool plain);
/* The fresh process of P4. */
int peer_fill(int argc, char **argv);
int figures_main(int argc, char **argv);
int reads_main(int argc, char **argv);

#endif
