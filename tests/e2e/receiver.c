/*
 * receiver FOLDER: what a webhook is posted to, for tests/e2e/check_webhook.sh.
 *
 * Listens on a port of 127.0.0.1 and writes it to FOLDER/port. Each request is
 * kept as FOLDER/N.head and FOLDER/N.body (N from 1), then answered as
 * FOLDER/answer says at that moment: a status and a body, as in
 *     200 {"errcode":0}
 * or the word "hang": kept, and never answered. One connection at a time, but
 * for those that hang.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define REQUEST_MAX (1024 * 1024)

static const char *folder;

/* Whole or not at all: who waits for the file reads all of it. */
static void
keep(const char *name, const char *bytes, size_t n)
{
	char path[512], tmp[520];
	FILE *f;

	(void)snprintf(path, sizeof path, "%s/%s", folder, name);
	(void)snprintf(tmp, sizeof tmp, "%s.tmp", path);
	if ((f = fopen(tmp, "wb")) == NULL ||
	    fwrite(bytes, 1, n, f) != n || fclose(f) != 0 ||
	    rename(tmp, path) != 0) {
		perror(path);
		exit(1);
	}
}

static size_t
body_bytes(const char *head)
{
	for (const char *p = head; (p = strchr(p, '\n')) != NULL;)
		if (strncasecmp(++p, "content-length:", 15) == 0)
			return strtoul(p + 15, NULL, 10);
	return 0;
}

/* @return false when the peer left before it had said all. */
static int
request_read(int fd, char *buf, size_t *head, size_t *body)
{
	size_t n = 0, want = 0;
	char *end = NULL;

	while (end == NULL || n < want) {
		ssize_t k = read(fd, buf + n, REQUEST_MAX - 1 - n);

		if (k <= 0)
			return 0;
		n += (size_t)k;
		buf[n] = '\0';
		if (end == NULL && (end = strstr(buf, "\r\n\r\n")) != NULL) {
			*head = (size_t)(end + 4 - buf);
			*end = '\0';
			*body = body_bytes(buf);
			*end = '\r';
			want = *head + *body;
			if (want >= REQUEST_MAX)
				return 0;
		}
	}
	return 1;
}

static void
answer(int fd)
{
	char path[512], line[512] = "200", out[1024];
	const char *body;
	FILE *f;
	int n;

	(void)snprintf(path, sizeof path, "%s/answer", folder);
	if ((f = fopen(path, "r")) != NULL) {
		if (fgets(line, sizeof line, f) == NULL)
			line[0] = '\0';
		(void)fclose(f);
	}
	line[strcspn(line, "\n")] = '\0';
	if (strcmp(line, "hang") == 0)
		return; /* the descriptor stays open */
	body = strchr(line, ' ') != NULL ? strchr(line, ' ') + 1 : "";
	n = snprintf(out, sizeof out, "HTTP/1.1 %d x\r\nLocation: /elsewhere\r\n"
	    "Content-Length: %zu\r\nConnection: close\r\n\r\n%s",
	    (int)strtol(line, NULL, 10), strlen(body), body);
	if (n > 0 && write(fd, out, (size_t)n) != n)
		perror("write");
	(void)close(fd);
}

int
main(int argc, char **argv)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof in;
	static char buf[REQUEST_MAX];
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	char name[32], port[16];

	if (argc != 2)
		return 2;
	folder = argv[1];
	if (fd < 0 || bind(fd, (struct sockaddr *)&in, sizeof in) != 0 ||
	    listen(fd, 16) != 0 ||
	    getsockname(fd, (struct sockaddr *)&in, &len) != 0) {
		perror("listen");
		return 1;
	}
	(void)snprintf(port, sizeof port, "%u\n", (unsigned)ntohs(in.sin_port));
	keep("port", port, strlen(port));
	for (int n = 1;;) {
		size_t head = 0, body = 0;
		int c = accept(fd, NULL, NULL);

		if (c < 0)
			continue;
		if (!request_read(c, buf, &head, &body)) {
			(void)close(c);
			continue;
		}
		(void)snprintf(name, sizeof name, "%d.body", n);
		keep(name, buf + head, body);
		(void)snprintf(name, sizeof name, "%d.head", n++);
		keep(name, buf, head);
		answer(c);
	}
}
