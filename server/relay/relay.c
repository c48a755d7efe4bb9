/*
 * Why one worker: the store has one writer by rule (SQLite's WAL-reset bug),
 * and one thread through the core means no lock in it. Concurrency is gained
 * where it pays: all PUSH requests that wait are made durable by one fsync.
 *
 * Invariants:
 *   R1  a session belongs to its link and is touched by the worker only.
 *   R2  the queue is bounded in jobs and bytes; who overflows it is hung up.
 *   R3  after a fatal store error nothing is answered any more.
 *   R4  the core's rules run every TICK_MS, idle or busy, between requests.
 *   R5  who is parked is told after the commit is durable, never before.
 *   R6  what the store can do beforehand is done while nobody waits.
 */
#include "server/relay/relay_int.h"

#include "common/base/log.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TICK_MS 30000
#define IDLE_MS 100 /* without a request: the store is tidied */
#define QUEUE_JOBS_MAX 16384
#define QUEUE_BYTES_MAX (64u * 1024 * 1024)
#define SWEEP_MS 1000 /* a WAIT may be held this much longer than its time */
#define LEAVE_LOOK_MS 50 /* while it drains: are all gone? */

/* Boot clock: a server that slept finds its parked links due at once. */
int64_t
relay_now_ms(void)
{
	sat_clock c = sat_clock_os();

	return sat_boot_ms(&c);
}

int64_t
relay_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static int64_t
monotonic_ms(void)
{
	return relay_us() / 1000;
}

/* Under the mutex. */
static void
queue_add(sat_relay *r, job *j)
{
	j->next = NULL;
	*r->tail = j;
	r->tail = &j->next;
	r->njobs++;
	r->nbytes += j->n;
	if (r->njobs > r->stats.queue_max)
		r->stats.queue_max = r->njobs;
	pthread_cond_signal(&r->wake);
}

static void
on_request(void *u, sat_link *link, sat_span frame)
{
	sat_relay *r = u;
	job *j = malloc(sizeof *j + frame.n);
	bool full;

	if (j == NULL) {
		sat_link_close(link);
		return;
	}
	memset(j, 0, sizeof *j);
	j->type = JOB_REQUEST;
	j->link = link;
	j->came_us = relay_us();
	j->n = frame.n;
	if (frame.n > 0)
		memcpy(j->frame, frame.p, frame.n);
	pthread_mutex_lock(&r->mutex);
	full = r->ended || r->njobs >= QUEUE_JOBS_MAX ||
	    r->nbytes + frame.n > QUEUE_BYTES_MAX;
	if (!full) {
		sat_link_ref(link);
		queue_add(r, j);
	}
	pthread_mutex_unlock(&r->mutex);
	if (full) { /* R2 */
		free(j);
		sat_link_close(link);
	}
}

static void
on_close(void *u, sat_link *link)
{
	sat_relay *r = u;
	job *j = sat_xcalloc(1, sizeof *j);

	j->type = JOB_CLOSED;
	j->link = link;
	pthread_mutex_lock(&r->mutex);
	if (r->ended) {
		free(j); /* the process is about to end: nobody frees sessions */
	} else {
		sat_link_ref(link);
		queue_add(r, j);
	}
	pthread_mutex_unlock(&r->mutex);
}

/* R4. Under the mutex, which is let go meanwhile. */
static bool
tick(sat_relay *r)
{
	const sat_server_env *env = sat_server_env_get(r->core);
	sat_err e = { 0 };
	sat_rc rc;

	pthread_mutex_unlock(&r->mutex);
	rc = sat_server_tick(r->core, sat_wall_ms(&env->clock), &e);
	if (rc == SAT_EFSYNC)
		relay_end_fatally(r, &e); /* R3 */
	else if (rc != SAT_OK)
		sat_log(SAT_ERROR, "RELAY-TICK", "rc=%d text=%s", (int)rc,
		    e.text);
	pthread_mutex_lock(&r->mutex);
	r->tick_ms = monotonic_ms() + TICK_MS;
	return rc != SAT_EFSYNC;
}

/* R6. Under the mutex, which is let go meanwhile. */
static bool
tidy(sat_relay *r)
{
	sat_err e = { 0 };
	sat_rc rc;

	pthread_mutex_unlock(&r->mutex);
	rc = sat_server_tidy(r->core, &e);
	if (rc == SAT_EFSYNC)
		relay_end_fatally(r, &e); /* R3 */
	else if (rc != SAT_OK)
		sat_log(SAT_WARN, "RELAY-TIDY", "rc=%d text=%s", (int)rc,
		    e.text);
	pthread_mutex_lock(&r->mutex);
	r->idle_ms = INT64_MAX;
	return rc != SAT_EFSYNC;
}

static int64_t
next_due(const sat_relay *r)
{
	int64_t due = r->tick_ms < r->park_ms ? r->tick_ms : r->park_ms;

	return due < r->idle_ms ? due : r->idle_ms;
}

/* Until there is work, the next tick or the end of a WAIT is due, or the end of
 * all. Under the mutex. */
static void
wait_for_work(sat_relay *r)
{
	int64_t due, now;
	struct timespec t;

	while (r->head == NULL && !r->stop) {
		now = monotonic_ms();
		due = next_due(r);
		if (r->draining && due > now + LEAVE_LOOK_MS)
			due = now + LEAVE_LOOK_MS;
		if (now >= due)
			break;
		t = (struct timespec){ .tv_sec = (time_t)(due / 1000),
			.tv_nsec = (long)(due % 1000) * 1000000 };
		if (pthread_cond_timedwait(&r->wake, &r->mutex, &t) != 0 &&
		    r->draining)
			break;
	}
}

/* Everybody left, or had his time. Under the mutex. */
static bool
is_drained(sat_relay *r)
{
	sat_net_stats net;

	if (!r->draining || r->head != NULL)
		return false;
	sat_net_stats_get(&net, r->net);
	r->stats.cut = net.links;
	return net.links == 0 || monotonic_ms() >= r->leave_ms;
}

/* Who waits is told what came (R5), or that its time is up. What the core did
 * lies behind us, on this thread. */
static void
tell_parked(sat_relay *r, bool leaving)
{
	/* Asked also when nobody waits: what is older than a WAIT is no news. */
	sat_heard h = sat_server_heard(r->core);
	int64_t left;

	if (leaving)
		sat_park_hang_up(&r->park);
	if (r->park.n > 0)
		sat_park_wake(&r->park, &h);
	left = sat_park_sweep(&r->park, relay_now_ms());
	pthread_mutex_lock(&r->mutex);
	r->park_ms = left < 0 ? INT64_MAX : monotonic_ms() + left + SWEEP_MS;
	r->stats.parked = r->park.n;
	r->stats.woken = r->park.woken;
	pthread_mutex_unlock(&r->mutex);
}

static void *
worker_main(void *u)
{
	sat_relay *r = u;
	job *list;
	bool good = true, leaving;

	pthread_mutex_lock(&r->mutex);
	for (;;) {
		wait_for_work(r);
		if (!good || r->stop || is_drained(r))
			break;
		leaving = r->draining;
		if (monotonic_ms() >= r->tick_ms && !(good = tick(r)))
			continue;
		if (r->head == NULL && monotonic_ms() >= r->idle_ms &&
		    !(good = tidy(r)))
			continue;
		if (r->head != NULL)
			r->idle_ms = monotonic_ms() + IDLE_MS;
		list = r->head;
		r->head = NULL;
		r->tail = &r->head;
		r->njobs = 0;
		r->nbytes = 0;
		pthread_mutex_unlock(&r->mutex);
		good = relay_handle_all(r, list);
		if (good)
			tell_parked(r, leaving);
		pthread_mutex_lock(&r->mutex);
	}
	r->ended = true;
	for (job *j = r->head; j != NULL; j = j->next)
		if (j->type == JOB_CALL)
			*j->done = true;
	pthread_cond_broadcast(&r->finished);
	pthread_mutex_unlock(&r->mutex);
	return NULL;
}

sat_rc
sat_relay_start(sat_relay **out, const sat_relay_opts *o, sat_err *e)
{
	const sat_server_env *env = sat_server_env_get(o->core);
	sat_net_server_opts n = { .listen = o->listen, .keys = o->keys };
	sat_relay *r = sat_xcalloc(1, sizeof *r);
	sat_buf prologue = { 0 };
	pthread_condattr_t monotonic;
	sat_rc rc;

	*out = NULL;
	n.links_max = o->links_max;
	n.links_per_address_max = o->links_per_address_max;
	r->core = o->core;
	r->tick_ms = monotonic_ms() + TICK_MS;
	r->park_ms = r->idle_ms = INT64_MAX;
	sat_park_init(&r->park);
	r->tail = &r->head;
	pthread_mutex_init(&r->mutex, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&r->wake, &monotonic);
	pthread_condattr_destroy(&monotonic);
	pthread_cond_init(&r->finished, NULL);
	sat_buf_str(&prologue, "satchel/1");
	sat_buf_add(&prologue, env->org.b, sizeof env->org.b);
	n.prologue = sat_buf_span(&prologue);
	n.on_request = on_request;
	n.on_close = on_close;
	n.u = r;
	if (pthread_create(&r->worker, NULL, worker_main, r) != 0) {
		rc = sat_fail(e, SAT_EFAIL, "cannot start the worker thread");
		goto fail;
	}
	if ((rc = sat_net_serve(&r->net, &n, e)) != SAT_OK) {
		sat_relay_stop(r);
		pthread_join(r->worker, NULL);
		goto fail;
	}
	sat_buf_fini(&prologue);
	*out = r;
	return SAT_OK;
fail:
	sat_buf_fini(&prologue);
	free(r);
	return rc;
}

uint16_t
sat_relay_port(const sat_relay *r)
{
	return sat_net_port(r->net);
}

void
sat_relay_call(sat_relay *r, void (*fn)(void *u), void *u)
{
	job *j = sat_xcalloc(1, sizeof *j);
	bool done = false;

	j->type = JOB_CALL;
	j->fn = fn;
	j->u = u;
	j->done = &done;
	pthread_mutex_lock(&r->mutex);
	if (r->ended)
		free(j);
	else {
		queue_add(r, j);
		while (!done)
			pthread_cond_wait(&r->finished, &r->mutex);
	}
	pthread_mutex_unlock(&r->mutex);
}

void
sat_relay_stop(sat_relay *r)
{
	pthread_mutex_lock(&r->mutex);
	r->stop = true;
	pthread_cond_broadcast(&r->wake);
	pthread_mutex_unlock(&r->mutex);
}

void
sat_relay_wait(sat_relay *r, sat_err *fatal)
{
	pthread_join(r->worker, NULL);
	sat_net_stop_accepting(r->net);
	*fatal = r->fatal;
}

void
sat_relay_drain(sat_relay *r, int64_t timeout_ms)
{
	int64_t end = monotonic_ms() + timeout_ms;

	sat_net_stop_accepting(r->net);
	pthread_mutex_lock(&r->mutex);
	if (!r->draining || end < r->leave_ms)
		r->leave_ms = end;
	r->draining = r->stats.draining = true;
	pthread_cond_broadcast(&r->wake);
	pthread_mutex_unlock(&r->mutex);
}

void
sat_relay_caps(sat_relay *r, unsigned links, unsigned per_address)
{
	sat_net_caps(r->net, links, per_address);
}

void
sat_relay_stats_get(sat_relay_stats *out, sat_relay *r)
{
	pthread_mutex_lock(&r->mutex);
	*out = r->stats;
	pthread_mutex_unlock(&r->mutex);
	sat_net_stats_get(&out->net, r->net);
}
