/*
 * live.c - one link for as long as it holds: session, WAIT, session.
 *
 * Why something to send ends the wait by hanging up (P-212): a link has one
 * request under way (P-126), and the server reads the next one only after it
 * answered. A new link costs a handshake, which a person's edit is worth; the
 * server closes the link that was left when its device waits again (P-213).
 *
 * Invariants:
 *   V1  a nudge is never lost: `work` is cleared before the session that takes
 *       it along, and looked at again before each wait and during it
 *   V2  no loop without a pause: what fails, or brings nothing although the
 *       server said that there is news, waits longer each time
 */
#include "client/sync/sync_int.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define RETRY_CAP_MS 60000
/* The server holds a WAIT for 100 s, and its sweep is coarse. */
#define WAIT_TIMEOUT_MS 115000
#define SLICE_MS 250
/* A link's keys are as old as the link (P-215). */
#define LINK_AGE_MAX_MS 3600000

struct sat_live {
	sat_sync_opts o;     /* with our own hook */
	sat_sync_opts asked; /* as the owner gave them */
	void (*exchanged)(void *u, const sat_sync_result *r);
	void *u;
	atomic_bool stop, work;
	bool waiting;        /* of sat_live_run's thread */
	pthread_mutex_t mtx;
	pthread_cond_t cond;
	/* under mtx */
	sat_net_client *link;
	sat_live_state state;
	sat_err last;
};

/* ---- told from other threads ---------------------------------------------------- */

static bool
stopped(const sat_live *l)
{
	return atomic_load(&l->stop) || (l->asked.interrupted != NULL &&
	    l->asked.interrupted(l->asked.u));
}

static bool
hook(void *u)
{
	sat_live *l = u;

	return stopped(l) || (l->waiting && atomic_load(&l->work));
}

static void
forward(void *u, const sat_cs_stats *so_far)
{
	sat_live *l = u;

	if (l->asked.progress != NULL)
		l->asked.progress(l->asked.u, so_far);
}

sat_live *
sat_live_new(const sat_sync_opts *o,
    void (*exchanged)(void *u, const sat_sync_result *r), void *u)
{
	sat_live *l = sat_xcalloc(1, sizeof *l);
	pthread_condattr_t ca;

	l->o = l->asked = *o;
	l->o.flags = 0;
	l->o.interrupted = hook;
	l->o.progress = forward;
	l->o.u = l;
	l->exchanged = exchanged;
	l->u = u;
	(void)pthread_mutex_init(&l->mtx, NULL);
	(void)pthread_condattr_init(&ca);
	(void)pthread_condattr_setclock(&ca, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&l->cond, &ca);
	(void)pthread_condattr_destroy(&ca);
	return l;
}

void
sat_live_free(sat_live *l)
{
	if (l == NULL)
		return;
	(void)pthread_cond_destroy(&l->cond);
	(void)pthread_mutex_destroy(&l->mtx);
	free(l);
}

static void
nudge(sat_live *l)
{
	pthread_mutex_lock(&l->mtx);
	if (l->link != NULL)
		sat_net_nudge(l->link);
	pthread_cond_broadcast(&l->cond);
	pthread_mutex_unlock(&l->mtx);
}

void
sat_live_nudge(sat_live *l)
{
	atomic_store(&l->work, true);
	nudge(l);
}

void
sat_live_stop(sat_live *l)
{
	atomic_store(&l->stop, true);
	nudge(l);
}

sat_live_state
sat_live_state_get(sat_live *l, sat_err *last)
{
	sat_live_state s;

	pthread_mutex_lock(&l->mtx);
	s = l->state;
	if (last != NULL)
		*last = l->last;
	pthread_mutex_unlock(&l->mtx);
	return s;
}

static void
set_state(sat_live *l, sat_live_state s, const sat_err *why)
{
	pthread_mutex_lock(&l->mtx);
	l->state = s;
	if (why != NULL)
		l->last = *why;
	else
		memset(&l->last, 0, sizeof l->last);
	pthread_mutex_unlock(&l->mtx);
}

static void
set_link(sat_live *l, sat_net_client *link)
{
	pthread_mutex_lock(&l->mtx);
	l->link = link;
	pthread_mutex_unlock(&l->mtx);
}

/* ---- waiting ----------------------------------------------------------------------- */

/* until_work: a nudge ends it, too. */
static void
rest(sat_live *l, int64_t ms, bool until_work)
{
	sat_clock c = sat_clock_os();
	int64_t due = sat_boot_ms(&c) + ms;

	pthread_mutex_lock(&l->mtx);
	while (!stopped(l) && !(until_work && atomic_load(&l->work))) {
		int64_t left = due - sat_boot_ms(&c);
		struct timespec at;

		if (left <= 0)
			break;
		if (left > SLICE_MS)
			left = SLICE_MS;
		(void)clock_gettime(CLOCK_MONOTONIC, &at);
		at.tv_nsec += left * 1000000;
		at.tv_sec += at.tv_nsec / 1000000000;
		at.tv_nsec %= 1000000000;
		(void)pthread_cond_timedwait(&l->cond, &l->mtx, &at);
	}
	pthread_mutex_unlock(&l->mtx);
}

static int64_t
below(const sat_live *l, uint32_t ms)
{
	uint32_t x = 0;

	l->o.rand.bytes(l->o.rand.u, &x, sizeof x);
	return (int64_t)(x % (ms + 1));
}

static sat_rc
read_waited(sat_waited *out, const sat_buf *reply, sat_err *e)
{
	sat_arena a = { 0 };
	sat_msg m;
	sat_rc rc = sat_msg_read(&m, &a, sat_buf_span(reply), e);

	if (rc == SAT_OK && m.type == SAT_MSG_ERROR)
		rc = sat_msg_to_err(&m.u.error, e);
	else if (rc == SAT_OK && m.type != SAT_MSG_WAITED)
		rc = sat_fail(e, SAT_EPROTO, "reply %d does not fit a wait",
		    (int)m.type);
	else if (rc == SAT_OK)
		*out = m.u.waited;
	sat_arena_fini(&a);
	return rc;
}

/* One WAIT. SAT_EUNREACHABLE too when something is to be sent, or the end. */
static sat_rc
wait_for_news(sat_live *l, sat_waited *out, sat_net_client *link,
    const sat_client_ops *ops, sat_err *e)
{
	sat_msg m = { .type = SAT_MSG_WAIT };
	sat_buf request = { 0 }, reply = { 0 };
	sat_hello h;
	sat_rc rc;

	if ((rc = ops->hello(ops->u, &h, e)) != SAT_OK)
		return rc;
	m.u.wait.cursor = h.cursor;
	m.u.wait.registry_rev = h.registry_rev;
	memcpy(m.u.wait.template_oid, h.template_oid, sizeof h.template_oid);
	sat_msg_write(&request, &m);
	set_state(l, SAT_LIVE_WAITING, NULL);
	l->waiting = true;
	rc = sat_net_request_within(link, &reply, sat_buf_span(&request),
	    WAIT_TIMEOUT_MS, e);
	l->waiting = false;
	if (rc == SAT_OK)
		rc = read_waited(out, &reply, e);
	sat_buf_fini(&request);
	sat_buf_fini(&reply);
	return rc;
}

/* ---- one link ------------------------------------------------------------------------- */

static bool
brought_something(const sat_cs_stats *s)
{
	return s->pushed + s->pulled_commits + s->rescopes + s->records > 0 ||
	    s->template_changed || s->registry_changed;
}

static sat_rc
exchange(sat_live *l, sat_net_client *link, const sat_client_ops *ops,
    bool *new, sat_err *e)
{
	sat_sync_result r = { 0 };
	int64_t start = sat_boot_ms(&l->o.clock);
	sat_rc rc;

	set_state(l, SAT_LIVE_EXCHANGING, NULL);
	sat_sync_turn(&l->o, true);
	atomic_store(&l->work, false); /* V1 */
	rc = sat_sync_session(&r, link, ops, &l->o, e);
	sat_sync_turn(&l->o, false);
	r.ms = sat_boot_ms(&l->o.clock) - start;
	*new = brought_something(&r.stats);
	if (l->exchanged != NULL && (rc == SAT_OK || *new))
		l->exchanged(l->u, &r);
	return rc;
}

/*
 * *held: a wait was answered, so the link was a good one.
 * @return SAT_OK when it was stopped, or the link is old enough.
 */
static sat_rc
hold(sat_live *l, sat_net_client *link, const sat_client_ops *ops, bool *held,
    sat_err *e)
{
	int64_t born = sat_boot_ms(&l->o.clock);
	sat_waited w = { 0 };
	int in_vain = 0;
	bool new = false;
	sat_rc rc, greeted;

	while (!stopped(l) &&
	    sat_boot_ms(&l->o.clock) - born < LINK_AGE_MAX_MS) {
		if ((rc = exchange(l, link, ops, &new, e)) != SAT_OK)
			return rc;
		in_vain = new || w.what == 0 ? 0 : in_vain + 1;
		if (in_vain > 1)
			rest(l, sat_sync_jitter(in_vain, RETRY_CAP_MS, &l->o),
			    true);
		do {
			if (atomic_load(&l->work)) /* V1 */
				break;
			rc = wait_for_news(l, &w, link, ops, e);
			/* greeting tells whether there is an order, too */
			if (rc == SAT_EREVOKED && strcmp(e->code,
			    SAT_CODE_REKEYED) != 0 && (greeted = exchange(l, link,
			    ops, &new, e)) != SAT_OK)
				return greeted;
			if (rc != SAT_OK)
				return rc;
			*held = true;
		} while (w.what == 0 && sat_boot_ms(&l->o.clock) - born <
		    LINK_AGE_MAX_MS);
		if (w.spread_ms > 0)
			rest(l, below(l, w.spread_ms), true);
	}
	return SAT_OK;
}

static sat_rc
one_link(sat_live *l, sat_replica *r, bool *held, sat_err *e)
{
	uint8_t used[SAT_BOX_PK_BYTES];
	sat_net_client *link = NULL;
	sat_carry carry;
	sat_client_ops ops = sat_carry_ops(&carry, r, &l->o);
	sat_rc rc;

	*held = false;
	if ((rc = sat_sync_open(&link, used, r, &l->o, e)) == SAT_OK) {
		set_link(l, link);
		rc = hold(l, link, &ops, held, e);
		set_link(l, NULL);
	}
	sat_net_hangup(link);
	if (rc != SAT_OK && sat_sync_other_keys(r, used, rc, e, &l->o))
		return SAT_OK; /* the next link has them */
	return rc;
}

/* ---- all of them ------------------------------------------------------------------------- */

/* What neither a pause nor another link mends. A version does: the server gets
 * its update, and one who waits for his own sends what he writes (P-452). */
static bool
is_final(sat_rc rc)
{
	return rc == SAT_EREVOKED || rc == SAT_ECONFLICT ||
	    rc == SAT_EINTEGRITY || rc == SAT_EFSYNC || rc == SAT_ENOREPLICA;
}

sat_rc
sat_live_run(sat_live *l, sat_replica *r, sat_err *e)
{
	int attempt = 0;
	sat_rc has = sat_sync_has_server(sat_replica_identity_get(r), e);

	if (has != SAT_OK)
		return has;
	while (!stopped(l)) {
		sat_err why = { 0 };
		bool held = false, was_waiting;
		sat_rc rc = one_link(l, r, &held, &why);

		if (stopped(l))
			break;
		if (is_final(rc)) {
			set_state(l, SAT_LIVE_OFF, &why);
			if (e != NULL)
				*e = why;
			return rc;
		}
		was_waiting = sat_live_state_get(l, NULL) == SAT_LIVE_WAITING;
		if (held)
			attempt = 0;
		if (rc == SAT_OK)
			continue; /* old keys: the next link at once */
		if (was_waiting && atomic_load(&l->work))
			continue; /* hung up by ourselves, to send */
		set_state(l, SAT_LIVE_OFFLINE, &why);
		rest(l, sat_sync_jitter(attempt++, RETRY_CAP_MS, &l->o),
		    false); /* V2 */
	}
	set_state(l, SAT_LIVE_OFF, NULL);
	return SAT_OK;
}
