/*
 * audits.h - what administrators did, chained row to row: a row that is changed
 * or taken out breaks every hash behind it. Who can write the file can make the
 * chain anew; a hash that was noted elsewhere (a backup) tells.
 */
#ifndef SAT_STORE_SQLITE_AUDITS_H
#define SAT_STORE_SQLITE_AUDITS_H

#include "server/store/sqlite/store.h"

typedef struct sat_audit_row {
	uint64_t seq;          /* from 1, no gaps */
	int64_t at_ms;
	const char *actor;     /* user's key, or "console" */
	const char *what;      /* the verb, without values that name people */
	int rc;                /* sat_rc it ended with */
	uint8_t hash[SAT_HASH_BYTES];
} sat_audit_row;

/* Durable when it returns; seq and hash are made here. */
SAT_CHECK sat_rc sat_sqlite_audit_add(sat_sqlite_store *s, int64_t at_ms,
    const char *actor, const char *what, int rc, sat_err *e);
/* All of them, ascending; what cb gets is borrowed for the call; it returns false
 * to stop. Every hash is made again on the way: SAT_EINTEGRITY names the first
 * row that is not what was written. */
SAT_CHECK sat_rc sat_sqlite_audit_each(sat_sqlite_store *s,
    bool (*cb)(void *cu, const sat_audit_row *r), void *cu, sat_err *e);

#endif
