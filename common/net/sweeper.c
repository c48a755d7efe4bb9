/*
 * One thread per server closes links that are past their deadline, reaps
 * those that were closed while nothing was under way, and retries an accept
 * that failed. Deadlines are of the boot clock: a laptop that slept for an
 * hour finds its dead links swept within one tick of waking.
 *
 * It is coarse on purpose: a link may live a tick longer than its deadline.
 */
#include "common/base/log.h"
#include "common/net/net_int.h"

#define TICK_MIN_MS 20
#define TICK_MAX_MS 1000
#define BATCH 32

/* A quarter of the shortest deadline. */
static int
tick_ms(const sat_net_deadlines *d)
{
	int ms = d->handshake_ms;

	ms = d->idle_ms < ms ? d->idle_ms : ms;
	ms = (d->stall_ms < ms ? d->stall_ms : ms) / 4;
	if (ms < TICK_MIN_MS)
		return TICK_MIN_MS;
	return ms > TICK_MAX_MS ? TICK_MAX_MS : ms;
}

/* s->mtx held: sleep until kicked or a tick has passed. */
static void
doze(sat_net_server *s, int ms)
{
	struct timespec at;

	(void)clock_gettime(CLOCK_MONOTONIC, &at);
	at.tv_nsec += (long)ms * 1000000;
	at.tv_sec += at.tv_nsec / 1000000000;
	at.tv_nsec %= 1000000000;
	while (!s->kicked &&
	    pthread_cond_timedwait(&s->wake, &s->mtx, &at) == 0)
		;
	s->kicked = false;
}

/*
 * Being in the bucket means that the link still has its own reference, so one
 * more can be taken. Once shut, a link is expired only as an orphan, and is
 * gone when this has been round.
 */
static unsigned
expired(sat_link *out[BATCH], sat_net_server *s, unsigned bucket, int64_t now)
{
	unsigned n = 0;

	pthread_mutex_lock(&s->mtx);
	for (sat_link *l = s->links[bucket]; l != NULL && n < BATCH;
	     l = l->next) {
		if (atomic_load(&l->deadline) > now)
			continue;
		sat_link_ref(l);
		out[n++] = l;
	}
	pthread_mutex_unlock(&s->mtx);
	return n;
}

static void
sweep(sat_net_server *s)
{
	sat_link *l[BATCH];
	int64_t now = sat_net_now();

	for (unsigned b = 0; b < SAT_NET_BUCKETS; b++) {
		unsigned n;

		do {
			n = expired(l, s, b, now);
			for (unsigned i = 0; i < n; i++) {
				sat_link_shut(l[i], NNG_ETIMEDOUT);
				sat_link_reap(l[i]);
				sat_link_unref(l[i]);
			}
		} while (n == BATCH);
	}
}

static void *
sweeper(void *arg)
{
	sat_net_server *s = arg;
	const int ms = tick_ms(&s->limits);

	for (;;) {
		bool accept;

		pthread_mutex_lock(&s->mtx);
		doze(s, ms);
		accept = s->accept_at != 0 && s->accept_at <= sat_net_now();
		pthread_mutex_unlock(&s->mtx);
		if (accept)
			sat_net_accept_next(s);
		sweep(s);
	}
	return NULL;
}

void
sat_net_sweep_kick(sat_net_server *s)
{
	pthread_mutex_lock(&s->mtx);
	s->kicked = true;
	pthread_cond_signal(&s->wake);
	pthread_mutex_unlock(&s->mtx);
}

sat_rc
sat_net_sweep_start(sat_net_server *s, sat_err *e)
{
	pthread_attr_t a;
	pthread_t t;
	int rv;

	(void)pthread_attr_init(&a);
	(void)pthread_attr_setdetachstate(&a, PTHREAD_CREATE_DETACHED);
	rv = pthread_create(&t, &a, sweeper, s);
	(void)pthread_attr_destroy(&a);
	if (rv != 0)
		return sat_fail(e, SAT_EFAIL, "cannot start the sweeper");
	(void)pthread_setname_np(t, "sat:sweeper");
	return SAT_OK;
}
