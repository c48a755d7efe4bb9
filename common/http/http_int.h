/*
 * http_int.h - shared inside the room.
 *
 *   server.c   libmicrohttpd: requests in, answers out
 *   listen.c   the sockets it answers on
 *   refuse.c   the head of every answer; those of no handler
 *   guests.c   who came to the port and says nothing makes room for others
 *   client.c   requests of ours
 */
#ifndef SAT_HTTP_HTTP_INT_H
#define SAT_HTTP_HTTP_INT_H

#include <microhttpd.h>

#include "common/http/http.h"

/* Both listen; *fd is the caller's. At a file, made for its user alone: what
 * nobody answers at is replaced. @return SAT_EUSAGE too long, SAT_EBUSY somebody
 * answers there. */
SAT_CHECK sat_rc http_listen_at(int *fd, const char *path, sat_err *e);
/* At an address as it is written (NULL: 127.0.0.1); want 0: any port that is
 * free. *port: the one it got; *loopback: reached from this machine only. */
SAT_CHECK sat_rc http_listen_port(int *fd, unsigned *port, bool *loopback,
    const char *host, unsigned want, sat_err *e);

/* The headers of every answer. */
void http_add_always(struct MHD_Response *r);
/* 403, 413, 421, 431 */
enum MHD_Result http_refuse(struct MHD_Connection *c, unsigned status);

typedef struct guests guests; /* of one port; any thread */
typedef struct guest guest;   /* one connection, from came to left */
guests *http_guests_new(void);
void http_guests_free(guests *g); /* all have left; NULL is fine */
/* Sends somebody else away when there is little room. fd is open until left. */
guest *http_guest_came(guests *g, int fd);
/* Does it owe a request? From now on, that is: as one that has just come. */
void http_guest_owes(guests *g, guest *x, bool yes);
void http_guest_left(guests *g, guest *x);

#endif
