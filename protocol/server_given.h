/*
 * server_given.h - what server_epoch.c (states that devices give back after the
 * loss of a server) and server_given.c (what was logged before they came) share.
 */
#ifndef SAT_PROTOCOL_SERVER_GIVEN_H
#define SAT_PROTOCOL_SERVER_GIVEN_H

#include "protocol/server_int.h"

struct given {
	wrec *w;
	sat_record r;
	uint64_t upto;
	uint64_t origin[SAT_ORIGIN_MAX];
	size_t norigin;
	uint64_t from; /* what was logged since is folded again; 0 = nothing */
	bool fresh;
	bool joined; /* to the record here, which has all that was logged */
	sat_span raw;  /* as it came; {NULL,0} as long as nothing was folded again */
	sat_buf since; /* what was: position, operation * 2 + echoed */
};

typedef struct seeding { /* of one SEED */
	sat_server *s;
	const sat_user *user;
	sat_keys keys;
	uint32_t dev;
	srv_told *told;
	struct given *g;
	size_t n;
	sat_seeded out;
} seeding;

/* What was logged since on top of each of them that does not hold it (E1). */
SAT_CHECK sat_rc sat_srv_given_refold(seeding *x, sat_err *e);

#endif
