/*
 * http_int.h - shared inside the room.
 *
 *   server.c   libmicrohttpd: requests in, answers out
 *   listen.c   the sockets it answers on
 *   client.c   requests of ours
 */
#ifndef SAT_HTTP_HTTP_INT_H
#define SAT_HTTP_HTTP_INT_H

#include "common/http/http.h"

/* Both listen; *fd is the caller's. At a file, made for its user alone: what
 * nobody answers at is replaced. @return SAT_EUSAGE too long, SAT_EBUSY somebody
 * answers there. */
SAT_CHECK sat_rc http_listen_at(int *fd, const char *path, sat_err *e);
/* At an address as it is written (NULL: 127.0.0.1); want 0: any port that is
 * free. *port: the one it got; *loopback: reached from this machine only. */
SAT_CHECK sat_rc http_listen_port(int *fd, unsigned *port, bool *loopback,
    const char *host, unsigned want, sat_err *e);

#endif
