#include <stdlib.h>

#include "client/http/daemon_int.h"

typedef struct task { /* on the stack of who waits for it */
	void (*fn)(void *arg);
	void *arg;
	bool done;
	struct task *next;
} task;

struct worker {
	pthread_t thread;
	pthread_mutex_t mtx;
	pthread_cond_t wake, finished;
	task *head, **tail;
	bool stop;
};

static void *
work_off(void *u)
{
	worker *w = u;

	pthread_mutex_lock(&w->mtx);
	for (;;) {
		task *t;

		while (w->head == NULL && !w->stop)
			pthread_cond_wait(&w->wake, &w->mtx);
		if ((t = w->head) == NULL)
			break;
		if ((w->head = t->next) == NULL)
			w->tail = &w->head;
		pthread_mutex_unlock(&w->mtx);
		t->fn(t->arg);
		pthread_mutex_lock(&w->mtx);
		t->done = true;
		pthread_cond_broadcast(&w->finished);
	}
	pthread_mutex_unlock(&w->mtx);
	return NULL;
}

worker *
worker_start(void)
{
	worker *w = sat_xcalloc(1, sizeof *w);

	w->tail = &w->head;
	(void)pthread_mutex_init(&w->mtx, NULL);
	(void)pthread_cond_init(&w->wake, NULL);
	(void)pthread_cond_init(&w->finished, NULL);
	if (pthread_create(&w->thread, NULL, work_off, w) != 0) {
		free(w);
		return NULL;
	}
	(void)pthread_setname_np(w->thread, "sat:worker");
	return w;
}

bool
worker_call(worker *w, void (*fn)(void *arg), void *arg)
{
	task t = { fn, arg, false, NULL };
	bool stopped;

	/* A request that is there already must not wait for itself. */
	if (pthread_equal(pthread_self(), w->thread)) {
		fn(arg);
		return true;
	}
	pthread_mutex_lock(&w->mtx);
	if (!(stopped = w->stop)) {
		*w->tail = &t;
		w->tail = &t.next;
		pthread_cond_signal(&w->wake);
		while (!t.done)
			pthread_cond_wait(&w->finished, &w->mtx);
	}
	pthread_mutex_unlock(&w->mtx);
	return !stopped;
}

void
worker_stop(worker *w)
{
	pthread_mutex_lock(&w->mtx);
	w->stop = true;
	pthread_cond_broadcast(&w->wake);
	pthread_mutex_unlock(&w->mtx);
	(void)pthread_join(w->thread, NULL);
	/* Not freed: somebody may still ask, and is told that it is over. */
}
