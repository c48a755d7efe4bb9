/*
 * demo.h - a company that does not exist, for trying things out: people, five
 * industries, a history of follow-ups that thins out as real ones do, overdue
 * customers, conflicts and duplicates to settle.
 *
 * It lives in a replica of its own without a server: nothing of it can be sent
 * anywhere, and no real data can get in by a sync. Equal options make equal
 * data: ids, numbers, texts and times.
 */
#ifndef SAT_CRM_DEMO_H
#define SAT_CRM_DEMO_H

#include "client/replica/replica.h"

#define SAT_DEMO_ACCOUNTS_MAX 200000
#define SAT_DEMO_DAYS_MAX 3650
#define SAT_DEMO_CONFLICTS 3
#define SAT_DEMO_DUPLICATES 4

typedef struct sat_demo_opts {
	int64_t accounts, days; /* 1 to the maximum */
	uint64_t seed;
	bool english;           /* names and texts, else Chinese */
	int64_t as_of_ms;       /* nothing happened later; not in the future */
	void (*progress)(void *u, int64_t accounts, int64_t of); /* or NULL */
	void *u;
} sat_demo_opts;

typedef struct sat_demo_summary {
	int64_t accounts, activities, records; /* records: of all kinds */
} sat_demo_summary;

/* The identity of a replica that has no server; keys are drawn by the caller. */
void sat_demo_identity(sat_replica_identity *id);
/* Fill a replica just created with it. What was begun and failed is to be
 * thrown away. */
SAT_CHECK sat_rc sat_demo_seed(sat_demo_summary *out, sat_replica *r,
    const sat_demo_opts *o, sat_err *e);

#endif
