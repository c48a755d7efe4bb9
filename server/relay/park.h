/*
 * park.h - links whose WAIT has no answer yet (P-211): from a scope key to who
 * waits for it. Of the relay's worker only. A parked link costs its bytes: no
 * timer, no thread, no row of the store.
 */
#ifndef SAT_RELAY_PARK_H
#define SAT_RELAY_PARK_H

#include "common/net/net.h"
#include "protocol/server.h"

/* How long a WAIT is held; below SAT_NET_IDLE_MS, above what NATs forget. */
#define SAT_WAIT_MS 100000
/* Woken together, this many may ask at once; more are spread over time. */
#define SAT_WAKE_AT_ONCE 64

typedef struct sat_parked sat_parked;
typedef struct sat_park_node { /* one key of one parked link */
	sat_scope_key key;
	sat_parked *of;
	struct sat_park_node *next, **prev;
} sat_park_node;

/* A link's session as the relay keeps it: the user pointer of the link. */
struct sat_parked {
	sat_server_session session;
	sat_link *link;         /* NULL = not parked; not a reference */
	int64_t due_ms;
	sat_parked *next, **prev; /* by due_ms: all wait equally long */
	sat_park_node node[SAT_KEYS_MAX + 1]; /* last: by device */
	bool woken;
	sat_parked *next_woken;
};

#define SAT_PARK_BUCKETS 4096 /* power of two */
typedef struct sat_park {
	sat_parked *first, **last;
	size_t n;
	sat_park_node *keys[SAT_PARK_BUCKETS];
	uint64_t woken, expired;
} sat_park;

void sat_park_init(sat_park *p);
/* The session is parked (session.parked, waits_for): wait on this link. Another
 * parked link of the same device is closed: its device has left it (P-213). */
void sat_park_add(sat_park *p, sat_parked *x, sat_link *link, int64_t now_ms);
/* Out of all lists; fine when it is not parked. */
void sat_park_remove(sat_park *p, sat_parked *x);
/* Answer all whom this concerns. */
void sat_park_wake(sat_park *p, const sat_heard *h);
/* Close the links of all: the server is leaving. */
void sat_park_hang_up(sat_park *p);
/* Answer those whose time is up. @return ms until the next one's is, -1 when
 * nobody waits. */
int64_t sat_park_sweep(sat_park *p, int64_t now_ms);

#endif
