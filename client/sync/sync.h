/*
 * sync.h - the device's pump: dial, shake hands, run one session, hang up.
 *
 * Blocking, on the caller's thread. All rules of the session are in
 * protocol/client.h; here are only sockets, retries and deadlines.
 */
#ifndef SAT_SYNC_SYNC_H
#define SAT_SYNC_SYNC_H

#include "client/replica/replica.h"
#include "protocol/invite.h"

typedef struct sat_sync_opts {
	unsigned flags;    /* SAT_CS_PUSH_ONLY, SAT_CS_PULL_ONLY */
	int timeout_ms;    /* connect and each request; 0 = 15000 */
	int retries;       /* whole sessions tried again after a lost link; full jitter */
	void (*progress)(void *u, const sat_cs_stats *so_far);
	void *u;
	sat_clock clock;
	sat_rand rand;
} sat_sync_opts;

typedef struct sat_sync_result {
	sat_cs_stats stats;
	uint64_t bytes_out, bytes_in;
	int64_t ms;
} sat_sync_result;

/*
 * One sync. Whatever was exchanged before a failure stays.
 * @return SAT_EUNREACHABLE, SAT_EREVOKED, SAT_EDENIED, SAT_EVERSION,
 *         SAT_ECONFLICT (fork), SAT_EPARTLY when the server refused commits
 *         (they are in the quarantine), or a replica failure.
 */
SAT_CHECK sat_rc sat_sync_run(sat_sync_result *out, sat_replica *r,
    const sat_sync_opts *o, sat_err *e);
/* Enrol a replica whose identity has device 0; may be repeated after a lost
 * link with the same invitation. */
SAT_CHECK sat_rc sat_sync_enrol(sat_replica *r, const sat_invite *inv,
    const char *device_name, const sat_sync_opts *o, sat_err *e);
/* The Noise prologue both sides use: "satchel/1" | org. */
void sat_sync_prologue(sat_buf *out, const sat_id *org);

#endif
