/*
 * relay_int.h - the relay's state and its queue, inside the room.
 */
#ifndef SAT_SERVER_RELAY_RELAY_INT_H
#define SAT_SERVER_RELAY_RELAY_INT_H

#include "server/relay/park.h"
#include "server/relay/relay.h"

#include <pthread.h>

enum job_type { JOB_REQUEST, JOB_CLOSED, JOB_CALL };

typedef struct job {
	struct job *next;
	enum job_type type;
	sat_link *link;
	void (*fn)(void *u);
	void *u;
	bool *done;
	int64_t came_us; /* monotonic */
	size_t n;
	uint8_t frame[];
} job;

struct sat_relay {
	sat_net_server *net;
	sat_server *core;
	pthread_t worker;
	pthread_mutex_t mutex;
	pthread_cond_t wake, finished;
	job *head, **tail;
	size_t njobs, nbytes;
	bool draining, ended, stop;
	int64_t tick_ms; /* monotonic, of the next tick */
	int64_t park_ms; /* the same, of the next WAIT's end */
	int64_t leave_ms; /* the same, of a drain's end */
	int64_t idle_ms; /* the same, when nothing came for a moment */
	sat_err fatal;
	sat_relay_stats stats;
	sat_park park; /* the worker's */
};

int64_t relay_now_ms(void); /* boot clock */
int64_t relay_us(void);     /* monotonic */

/* R3: from now on nothing is answered. */
void relay_end_fatally(sat_relay *r, const sat_err *e);

/* Of the worker: all that was queued, in order; frees the jobs. false: a fatal
 * failure of the store. */
bool relay_handle_all(sat_relay *r, job *list);

#endif
