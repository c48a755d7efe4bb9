/*
 * moves.h - the world of moves.c: one server, its devices, and the canaries.
 */
#ifndef SAT_TESTS_MOVES_MOVES_H
#define SAT_TESTS_MOVES_MOVES_H

#include "tests/lib/unit.h"

#include "client/replica/replica.h"
#include "protocol/client.h"
#include "protocol/server.h"
#include "server/admin/admin_int.h"
#include "server/store/sqlite/store.h"

#define CANARY "KANARIENVOGEL"
#define HOUR_MS ((int64_t)3600 * 1000)
#define F_CONTACT_NAME 2
#define F_REMARK 22
#define F_OWNER 28

typedef struct world {
	char *dir;
	sat_admin *admin;        /* its folder has template and keys */
	sat_sqlite_store *store;
	sat_server *core;
	int64_t now_ms;
	int customers, children, edits;
	sat_id *id;              /* of the customers */
	int passed, failed;
} world;

extern world w;

typedef struct device {
	const char *user;
	char *path;
	sat_replica *r;
	bool outsider;
	uint64_t frames, canaries;
	double cpu;              /* spent on answers in the last session */
	sat_cs_stats stats;
} device;

void check(bool good, const char *fmt, ...);
void must(sat_rc rc, const sat_err *e);

/* ---- server -------------------------------------------------------------- */

void open_server(void);

/* ---- devices ------------------------------------------------------------- */

void sync_device(device *d);
device new_device(const char *user, const char *file, bool outsider);
int64_t count(const device *d, const char *kind);
void close_device(device *d);

#endif
