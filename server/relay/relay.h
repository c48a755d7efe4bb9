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

#include "common/base/metrics.h"
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
/* From any thread: nobody new comes in, whoever waits for news is hung up,
 * sessions that run go on until they end or timeout_ms is over; then the worker
 * ends. Asked again, the earlier end counts. */
void sat_relay_drain(sat_relay *r, int64_t timeout_ms);
/* From any thread: end now; what is queued is dropped unanswered. */
void sat_relay_stop(sat_relay *r);
/* Blocks until the worker ended: stopped, drained, or by a fatal store error
 * that *fatal tells. The process should then close the store and _exit. */
void sat_relay_wait(sat_relay *r, sat_err *fatal);
/* From any thread: the caps of links from now on; 0 = common/net's own. */
void sat_relay_caps(sat_relay *r, unsigned links, unsigned per_address);
typedef struct sat_relay_stats {
	sat_net_stats net;
	uint64_t requests, groups, group_max, queue_max;
	uint64_t parked, woken; /* WAITs held now; answered with news so far */
	bool draining;
	uint64_t cut; /* links that were still there when it ended */
	sat_hist merge; /* one durable commit of the pushes that waited */
	sat_hist ack;   /* a push from its arrival to its answer */
} sat_relay_stats;
void sat_relay_stats_get(sat_relay_stats *out, sat_relay *r);

#endif
