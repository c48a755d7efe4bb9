/*
 * peer.h - what the phases of the peer workload share (peer*.c).
 */
#ifndef SAT_TESTS_BENCH_PEER_H
#define SAT_TESTS_BENCH_PEER_H

#include "tests/bench/bench.h"

typedef struct peer {
	bench_out *out;
	bench_data *data;
	bench_values values;
	unsigned want;
	bool plain;
	world w;
	device a, b;
} peer;

void say(const peer *p, const char *phase, const char *metric,
    const char *unit, double v);
void say_latency(const peer *p, const char *phase, samples *s);
void begin(device *d);
void commit(device *d);

/* The phases, as peer.c tells of them. */
void p1_one(peer *p);
void p1_bulk(peer *p);
void p2_one(peer *p);
void p2_batch(peer *p);
void p3(peer *p);
void p4(peer *p);
void p5(peer *p);
void p6(peer *p);
void p7(peer *p);
/* Lists, searches and reports of A: no phase of the protocol. */
void reads(peer *p);

#endif
