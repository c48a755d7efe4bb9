/*
 * GET /metrics of the daemon: how this device is, as a monitor reads it.
 * Numbers, nobody's name. Through the port it needs a token like everything
 * else (scope read).
 */
#include <sys/stat.h>
#include <time.h>

#include "client/http/daemon_int.h"
#include "common/base/metrics.h"

static int64_t
now_us(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

typedef struct timed {
	void (*fn)(void *arg);
	void *arg;
	int64_t us;
} timed;

/* The time on the worker, not the wait for it. */
static void
run_timed(void *u)
{
	timed *t = u;
	int64_t began = now_us();

	t->fn(t->arg);
	t->us = now_us() - began;
}

void
metrics_call(daemon_ *d, void (*fn)(void *arg), void *arg)
{
	timed t = { fn, arg, -1 };

	(void)worker_call(d->w, run_timed, &t);
	if (t.us < 0)
		return; /* the daemon is ending: it did not run */
	pthread_mutex_lock(&d->mtx);
	sat_hist_add(&d->merge, (uint64_t)t.us);
	pthread_mutex_unlock(&d->mtx);
}

typedef struct look {
	daemon_ *d;
	sat_buf *out;
	bool unlocked;
} look;

static void
put_replica(void *u)
{
	look *l = u;
	sat_replica *r = l->d->api.crm.replica;
	sat_replica_status s;
	struct stat st;
	int64_t bytes;

	if (r == NULL || sat_replica_status_get(&s, r, NULL) != SAT_OK)
		return;
	l->unlocked = true;
	bytes = stat(sat_db_path(sat_replica_db(r)), &st) == 0 ?
	    (int64_t)st.st_size : 0;
	sat_metric_one(l->out, "satchel_pending_commits", "gauge",
	    "own commits the server has not answered", s.pending_commits);
	sat_metric_one(l->out, "satchel_rejected_commits", "gauge",
	    "own commits the server refused, to look at", s.quarantined);
	sat_metric_one(l->out, "satchel_conflicts_open", "gauge",
	    "values a person has to decide between", s.conflicts);
	sat_metric_time(l->out, "satchel_last_sync_timestamp_seconds",
	    "the last whole sync; 0 = never", s.last_sync_ms);
	sat_metric_time(l->out, "satchel_lease_end_timestamp_seconds",
	    "until then it may be used without a sync; 0 = no end",
	    s.permit_ms);
	sat_metric_one(l->out, "satchel_cursor", "gauge",
	    "position of the server's log that was applied",
	    (int64_t)s.cursor);
	sat_metric_one(l->out, "satchel_replica_bytes", "gauge",
	    "size of the encrypted database", bytes);
}

void
metrics_answer(daemon_ *d, sat_http_response *out)
{
	look l = { .d = d, .out = &out->body };
	bool linked = false;
	sat_hist merge;

	out->type = SAT_METRICS_TYPE;
	sat_metric_build(&out->body, "satchel_build_info", SAT_PROTO_VERSION);
	(void)worker_call(d->w, put_replica, &l);
	pthread_mutex_lock(&d->mtx);
	merge = d->merge;
	if (d->live != NULL)
		linked = sat_live_state_get(d->live, NULL) >
		    SAT_LIVE_OFFLINE;
	pthread_mutex_unlock(&d->mtx);
	sat_metric_one(&out->body, "satchel_unlocked", "gauge",
	    "1: the replica is open; 0: it is locked, its figures are missing",
	    l.unlocked);
	sat_metric_one(&out->body, "satchel_linked", "gauge",
	    "1: live sync has a link to the server", linked);
	sat_metric_hist(&out->body, "satchel_merge_seconds",
	    "one transaction of a sync on the replica", &merge);
}
