/*
 * ahead.c - the answer behind the one being taken in, received and read on a
 * thread of its own.
 *
 * Why a thread: of the time a chunk of a first filling takes, a third is unpacking
 * it and hashing what is in it, and all of that can be done on another core while
 * the chunk before is written. The server is done with the next one by then.
 *
 * Invariants:
 *   A1  one owner: link, slot, next, asked_on, early and what receiving gave are
 *       the thread's while `busy`, else the session's; `busy` changes under the
 *       mutex
 *   A2  at most one answer that was read, and one that was not
 *   A3  no answer is kept from the session or handed to it twice, and a failure
 *       comes out where the answer would have; so what is stored, and in which
 *       order, is what it was without this
 */
#include "client/sync/sync_int.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

struct sat_ahead {
	pthread_t thread;
	pthread_mutex_t mtx;
	pthread_cond_t cond;
	bool busy, stop, dropped; /* under mtx */
	/* the session's */
	bool started;
	bool has;            /* a guess whose answer was not taken */
	sat_buf request;     /* it */
	/* A1 */
	sat_net_client *link;
	sat_cs_answer slot;
	sat_buf next;        /* what is asked behind it; empty: nothing */
	bool asked_on;       /* and it was sent */
	bool is_early;       /* and its answer is here, not in the link: */
	sat_buf early;
	sat_rc rc;           /* of receiving, and why */
	sat_err why;
};

/* ---- the thread ---------------------------------------------------------------- */

static bool
goes_on(sat_ahead *a)
{
	bool on;

	pthread_mutex_lock(&a->mtx);
	on = !a->dropped && !a->stop;
	pthread_mutex_unlock(&a->mtx);
	return on;
}

static sat_rc
receive(sat_ahead *a)
{
	sat_buf was = a->slot.frame;

	if (!a->is_early)
		return sat_net_receive(a->link, &a->slot.frame, 0, &a->why);
	a->is_early = false;
	a->slot.frame = a->early;
	a->early = was;
	return SAT_OK;
}

/* The server is asked on before this answer is unpacked. When that cannot be sent
 * the session asks it once more, and is told why. */
static void
one_answer(sat_ahead *a)
{
	a->asked_on = false;
	sat_buf_reset(&a->next);
	memset(&a->why, 0, sizeof a->why);
	if ((a->rc = receive(a)) != SAT_OK)
		return;
	if (sat_cs_behind(&a->next, &a->slot) && goes_on(a))
		a->asked_on = sat_net_send(a->link, sat_buf_span(&a->next),
		    NULL) == SAT_OK;
	sat_cs_read(&a->slot);
}

static void *
run(void *arg)
{
	sat_ahead *a = arg;

	pthread_mutex_lock(&a->mtx);
	for (;;) {
		while (!a->busy && !a->stop)
			pthread_cond_wait(&a->cond, &a->mtx);
		if (!a->busy)
			break;
		pthread_mutex_unlock(&a->mtx);
		one_answer(a);
		pthread_mutex_lock(&a->mtx);
		a->busy = false;
		pthread_cond_broadcast(&a->cond);
	}
	pthread_mutex_unlock(&a->mtx);
	return NULL;
}

/* Signals are for who waits for them, not for this thread. */
static bool
start(sat_ahead *a)
{
	sigset_t all, was;

	if (a->started)
		return true;
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &was);
	a->started = pthread_create(&a->thread, NULL, run, a) == 0;
	(void)pthread_sigmask(SIG_SETMASK, &was, NULL);
	if (a->started)
		(void)pthread_setname_np(a->thread, "sat:ahead");
	return a->started;
}

/* ---- the session ---------------------------------------------------------------- */

sat_ahead *
sat_ahead_new(sat_net_client *link)
{
	sat_ahead *a = sat_xcalloc(1, sizeof *a);

	a->link = link;
	(void)pthread_mutex_init(&a->mtx, NULL);
	(void)pthread_cond_init(&a->cond, NULL);
	return a;
}

void
sat_ahead_free(sat_ahead *a)
{
	bool busy;

	if (a == NULL)
		return;
	pthread_mutex_lock(&a->mtx);
	a->stop = true;
	busy = a->busy;
	pthread_cond_broadcast(&a->cond);
	pthread_mutex_unlock(&a->mtx);
	if (busy)
		sat_net_cut(a->link);
	if (a->started)
		(void)pthread_join(a->thread, NULL);
	sat_cs_answer_fini(&a->slot);
	sat_buf_fini(&a->request);
	sat_buf_fini(&a->next);
	sat_buf_fini(&a->early);
	(void)pthread_cond_destroy(&a->cond);
	(void)pthread_mutex_destroy(&a->mtx);
	free(a);
}

/* What was sent is awaited by the thread. */
static void
set_busy(sat_ahead *a)
{
	pthread_mutex_lock(&a->mtx);
	a->busy = true;
	a->dropped = false;
	pthread_cond_broadcast(&a->cond);
	pthread_mutex_unlock(&a->mtx);
	a->has = true;
}

static void
await(sat_ahead *a)
{
	pthread_mutex_lock(&a->mtx);
	while (a->busy)
		pthread_cond_wait(&a->cond, &a->mtx);
	pthread_mutex_unlock(&a->mtx);
}

void
sat_ahead_go(sat_ahead *a, sat_span request)
{
	if (!start(a) || sat_net_send(a->link, request, NULL) != SAT_OK)
		return;
	sat_buf_reset(&a->request);
	sat_buf_add(&a->request, request.p, request.n);
	set_busy(a);
}

bool
sat_ahead_has(const sat_ahead *a)
{
	return a->has;
}

bool
sat_ahead_is(const sat_ahead *a, sat_span request)
{
	return a->has && sat_span_eq(sat_buf_span(&a->request), request);
}

/* Its answer could not be received: it is none. */
static sat_rc
failed(sat_ahead *a, sat_err *e)
{
	a->has = false;
	if (e != NULL)
		*e = a->why;
	return a->rc;
}

/* `next` becomes what is awaited. */
static void
go_on(sat_ahead *a)
{
	sat_buf was = a->request;

	if (!a->asked_on)
		return;
	a->request = a->next;
	a->next = was;
	set_busy(a);
}

sat_rc
sat_ahead_take(sat_cs_answer *out, sat_ahead *a, sat_err *e)
{
	sat_cs_answer was = *out;

	await(a);
	if (a->rc != SAT_OK)
		return failed(a, e);
	*out = a->slot;
	a->slot = was;
	a->has = false;
	go_on(a);
	return SAT_OK;
}

sat_rc
sat_ahead_rest(sat_ahead *a, sat_err *e)
{
	sat_rc rc;

	if (!a->has)
		return SAT_OK;
	await(a);
	if (a->rc != SAT_OK)
		return failed(a, e);
	if (!a->asked_on || a->is_early)
		return SAT_OK;
	rc = sat_net_receive(a->link, &a->early, 0, e);
	a->is_early = rc == SAT_OK;
	return rc;
}

sat_rc
sat_ahead_drop(sat_ahead *a, sat_err *e)
{
	sat_rc rc;

	if (!a->has)
		return SAT_OK;
	pthread_mutex_lock(&a->mtx);
	a->dropped = true;
	pthread_mutex_unlock(&a->mtx);
	rc = sat_ahead_rest(a, e);
	a->has = a->asked_on = a->is_early = false;
	return rc;
}
