/*
 * ask SOCKET SECONDS METHOD TARGET [HEADER...]: one raw request (its body from
 * standard input unless that is a terminal or empty), everything that comes back
 * within SECONDS on standard output. For checks of what a tool would see.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define BODY_MAX (128 * 1024 * 1024)

static double
now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int
connected(const char *path)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)snprintf(sa.sun_path, sizeof sa.sun_path, "%s", path);
	if (connect(fd, (struct sockaddr *)&sa, sizeof sa) == 0)
		return fd;
	perror(path);
	exit(1);
}

static void
send_all(int fd, const char *p, size_t n)
{
	while (n > 0) {
		ssize_t k = send(fd, p, n, MSG_NOSIGNAL);

		if (k <= 0)
			return; /* refused half way: the answer is there */
		p += k;
		n -= (size_t)k;
	}
}

int
main(int argc, char **argv)
{
	char *body = malloc(BODY_MAX), head[8192], buf[8192];
	double end;
	size_t n = 0;
	int fd, k;

	if (argc < 5 || body == NULL)
		return 2;
	if (!isatty(STDIN_FILENO))
		n = fread(body, 1, BODY_MAX, stdin);
	fd = connected(argv[1]);
	k = snprintf(head, sizeof head, "%s %s HTTP/1.1\r\nHost: localhost\r\n",
	    argv[3], argv[4]);
	for (int i = 5; i < argc; i++)
		k += snprintf(head + k, sizeof head - (size_t)k, "%s\r\n",
		    argv[i]);
	k += snprintf(head + k, sizeof head - (size_t)k,
	    "Connection: close\r\nContent-Length: %zu\r\n\r\n", n);
	send_all(fd, head, (size_t)k);
	send_all(fd, body, n);
	for (end = now() + atof(argv[2]); now() < end;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		ssize_t got;

		if (poll(&p, 1, 50) <= 0)
			continue;
		if ((got = recv(fd, buf, sizeof buf, 0)) <= 0)
			break;
		(void)fwrite(buf, 1, (size_t)got, stdout);
	}
	return 0;
}
