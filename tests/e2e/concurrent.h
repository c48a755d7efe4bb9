/*
 * concurrent.h - what the two halves of the test share: the book of what was
 * written (concurrent.c), the server and the devices (concurrent_world.c).
 */
#ifndef SAT_TESTS_CONCURRENT_H
#define SAT_TESTS_CONCURRENT_H

#include "tests/lib/unit.h"

#include "client/crm/crm.h"
#include "client/sync/sync.h"

#define DEVICES 4
#define TEXT 96
#define TAGS 4
#define STEPS 6

enum { F_NAME, F_CONTACT, F_PHONE, F_AMOUNT, F_REMARK, F_CITY, FIELDS };

/* One field of one customer: numbers of values, per device. */
typedef struct cell {
	int base, now[2];
	uint32_t wrote[2]; /* bit per value */
} cell;

typedef struct cust {
	sat_id id;
	int number;
	cell cell[FIELDS];
	int tag_base, tag_gone[2], tag_own[2];
	int64_t visits;
	int path[2][STEPS], steps[2];
	int seen[FIELDS + 1];
} cust;

typedef struct device {
	const char *name;
	sat_replica *replica;
	struct sat_keyring *keyring;
	sat_clock clock;
	int64_t skew_ms;
} device;

typedef struct server {
	char *dir, *folder, *port_file, *phrase_file;
	int pid;
} server;

void conc_check(bool good, const char *fmt, ...) SAT_PRINTF(2, 3);
/* Prints the text and ends the test. */
void conc_must(sat_rc rc, const sat_err *e);
void conc_serve(server *s, const char *satcheld, const char *const *users, int n);
void conc_stop(server *s);
void conc_remove(server *s);
void conc_enrol(device *d, const server *s, const char *user);
void conc_device_close(device *d);
sat_sync_result conc_sync(device *d);
void conc_same_dump(const device *a, const device *b);
void conc_same_as_server(const device *a, const server *s);

#endif
