/*
 * relay.h - the server's pump: links in, one worker thread, replies out.
 *
 * NNG threads only copy and queue (bounded); the worker owns the core and the
 * store, drains the queue, groups waiting PUSH requests into one durable
 * commit, answers, and wakes the links whose WAIT it holds (park.h). Admin commands run on the same worker through
 * sat_relay_call, so there is one writer.
 */
#ifndef SAT_RELAY_RELAY_H
#define SAT_RELAY_RELAY_H

#include "common/net/net.h"
#include "protocol/server.h"

typedef struct sat_relay sat_relay;
typedef struct sat_relay_opts {
	const char *listen;       /* "tcp://127.0.0.1:7443"; port 0 = any */
	sat_noise_keys keys;
	sat_server *core;         /* owned by the caller, used on the worker only */
	unsigned links_max, links_per_address_max; /* 0 = common/net's own */
} sat_relay_opts;
SAT_CHECK sat_rc sat_relay_start(sat_relay **r, const sat_relay_opts *o, sat_err *e);
uint16_t sat_relay_port(const sat_relay *r);
/* Run fn on the worker, wait for it. */
void sat_relay_call(sat_relay *r, void (*fn)(void *u), void *u);
/* Stop accepting, finish what is queued, then return; the process should close
 * the store and _exit. A fatal store error ends the worker: *fatal tells. */
void sat_relay_drain(sat_relay *r, sat_err *fatal);
/* Blocks until the worker ended by a fatal error or a signal asked for it
 * (sat_relay_stop from a signal handler thread). */
void sat_relay_wait(sat_relay *r, sat_err *fatal);
void sat_relay_stop(sat_relay *r);
typedef struct sat_relay_stats {
	sat_net_stats net;
	uint64_t requests, groups, group_max, queue_max;
	uint64_t parked, woken; /* WAITs held now; answered with news so far */
} sat_relay_stats;
void sat_relay_stats_get(sat_relay_stats *out, sat_relay *r);

#endif
