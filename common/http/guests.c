/*
 * Who has come to the port, and who of them still owes a request. Anybody of the
 * machine can hold connections open and say nothing, or a byte a while; the
 * library has a place for 64 and turns everybody else away. So once the house is
 * three quarters full, whoever comes sends the one away that has owed its request
 * the longest. An honest one says it at once, so it is never the one; a drip that
 * is in nobody's way may go on until the library's own timeout.
 *
 *   Q1  who is being answered, or sends a body somebody takes, is never sent away
 */
#include "common/http/http_int.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "common/base/mem.h"

#define FULL (SAT_HTTP_CONNECTIONS_MAX * 3 / 4)

struct guest {
	int fd;
	bool owes;      /* a request, and nobody takes its body */
	uint64_t since; /* in the order of coming */
	struct guest *next;
};

struct guests {
	pthread_mutex_t mtx;
	guest *first; /* under mtx, all of it */
	size_t n;
	uint64_t last;
};

guests *
http_guests_new(void)
{
	guests *g = sat_xcalloc(1, sizeof *g);

	(void)pthread_mutex_init(&g->mtx, NULL);
	return g;
}

void
http_guests_free(guests *g)
{
	if (g == NULL)
		return;
	(void)pthread_mutex_destroy(&g->mtx);
	free(g);
}

/* mtx held. Its own thread sees the end and closes; the descriptor is its until
 * it has left. */
static void
make_room(guests *g)
{
	guest *oldest = NULL;

	for (guest *x = g->first; x != NULL; x = x->next)
		if (x->owes && (oldest == NULL || x->since < oldest->since))
			oldest = x;
	if (oldest == NULL)
		return;
	oldest->owes = false;
	(void)shutdown(oldest->fd, SHUT_RDWR);
}

guest *
http_guest_came(guests *g, int fd)
{
	guest *x = sat_xcalloc(1, sizeof *x);

	pthread_mutex_lock(&g->mtx);
	if (g->n >= FULL)
		make_room(g);
	*x = (guest){ fd, true, ++g->last, g->first };
	g->first = x;
	g->n++;
	pthread_mutex_unlock(&g->mtx);
	return x;
}

void
http_guest_owes(guests *g, guest *x, bool yes)
{
	pthread_mutex_lock(&g->mtx);
	x->owes = yes;
	x->since = ++g->last;
	pthread_mutex_unlock(&g->mtx);
}

void
http_guest_left(guests *g, guest *x)
{
	pthread_mutex_lock(&g->mtx);
	for (guest **p = &g->first; *p != NULL; p = &(*p)->next)
		if (*p == x) {
			*p = x->next;
			g->n--;
			break;
		}
	pthread_mutex_unlock(&g->mtx);
	free(x);
}
