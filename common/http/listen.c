/*
 * listen.c - the sockets a server answers on: a file of its user's, or a port.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/http/http_int.h"

static bool
somebody_answers(const struct sockaddr_un *sa)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool yes = fd >= 0 && connect(fd, (const struct sockaddr *)sa,
	    sizeof *sa) == 0;

	if (fd >= 0)
		(void)close(fd);
	return yes;
}

sat_rc
http_listen_at(int *fd, const char *path, sat_err *e)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	mode_t mask;
	int rv;

	if (strlen(path) >= sizeof sa.sun_path)
		return sat_fail_code(e, SAT_EUSAGE, "socket.path",
		    "choose a shorter one: --socket FILE",
		    "the socket's path is longer than %zu bytes",
		    sizeof sa.sun_path - 1);
	memcpy(sa.sun_path, path, strlen(path) + 1);
	if (somebody_answers(&sa))
		return sat_fail_code(e, SAT_EBUSY, "socket.busy", NULL,
		    "another daemon answers at %s", path);
	(void)unlink(path); /* of one that was killed */
	*fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	mask = umask(0177); /* never, not even for a moment, for others */
	rv = *fd < 0 ? -1 : bind(*fd, (struct sockaddr *)&sa, sizeof sa);
	(void)umask(mask);
	if (rv == 0 && (rv = listen(*fd, SAT_HTTP_CONNECTIONS_MAX)) == 0)
		return SAT_OK;
	sat_fail(e, SAT_EIO, "cannot listen at %s: %s", path, strerror(errno));
	if (*fd >= 0)
		(void)close(*fd);
	return SAT_EIO;
}

/* An address as it is written, no name: nobody is asked. */
static sat_rc
tcp_address(struct sockaddr_storage *sa, socklen_t *n, const char *host,
    unsigned port, sat_err *e)
{
	struct addrinfo want = { .ai_socktype = SOCK_STREAM,
		.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE };
	struct addrinfo *found;
	char service[16];

	(void)snprintf(service, sizeof service, "%u", port);
	if (getaddrinfo(host, service, &want, &found) != 0)
		return sat_fail_code(e, SAT_EUSAGE, "listen.address",
		    "for example 127.0.0.1 or ::1",
		    "%.60s is no address to listen at", host);
	*n = found->ai_addrlen;
	memcpy(sa, found->ai_addr, *n);
	freeaddrinfo(found);
	return SAT_OK;
}

static bool
is_loopback(const struct sockaddr_storage *sa)
{
	const struct sockaddr_in *v4 = (const void *)sa;
	const struct sockaddr_in6 *v6 = (const void *)sa;

	return sa->ss_family == AF_INET
	    ? ntohl(v4->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET
	    : IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
}

static unsigned
port_of(const struct sockaddr_storage *sa)
{
	return ntohs(sa->ss_family == AF_INET
	    ? ((const struct sockaddr_in *)(const void *)sa)->sin_port
	    : ((const struct sockaddr_in6 *)(const void *)sa)->sin6_port);
}

sat_rc
http_listen_port(int *fd, unsigned *port, bool *loopback, const char *host,
    unsigned want, sat_err *e)
{
	struct sockaddr_storage sa;
	socklen_t n;
	int on = 1;
	sat_rc rc;

	*fd = -1;
	host = host != NULL ? host : "127.0.0.1";
	if ((rc = tcp_address(&sa, &n, host, want, e)) != SAT_OK)
		return rc;
	*loopback = is_loopback(&sa);
	*fd = socket(sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
	    0);
	if (*fd >= 0 && setsockopt(*fd, SOL_SOCKET, SO_REUSEADDR, &on,
	    sizeof on) == 0 && bind(*fd, (struct sockaddr *)&sa, n) == 0 &&
	    listen(*fd, SAT_HTTP_CONNECTIONS_MAX) == 0 &&
	    getsockname(*fd, (struct sockaddr *)&sa, &n) == 0) {
		*port = port_of(&sa);
		return SAT_OK;
	}
	sat_fail_code(e, SAT_EIO, "listen", "port 0 takes any that is free",
	    "cannot listen at %s:%u: %s", host, want, strerror(errno));
	if (*fd >= 0)
		(void)close(*fd);
	return SAT_EIO;
}
