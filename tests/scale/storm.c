/*
 * One of many short lives: connections in every state a peer can leave one in,
 * until this process is killed. argv: self "storm" port seed.
 */
#include "tests/scale/scale.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int
raw(int port)
{
	struct sockaddr_in sa = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (connect(fd, (struct sockaddr *)&sa, sizeof sa) != 0)
		_exit(0);
	return fd;
}

int
storm_main(char **argv)
{
	int port = atoi(argv[2]);
	uint64_t seed = strtoull(argv[3], NULL, 10) + 1;
	uint8_t bytes[200];

	for (;;) {
		int fd = raw(port);
		size_t n = sat_test_rand(&seed) % sizeof bytes;
		struct linger hard = { 1, 0 };

		for (size_t i = 0; i < sizeof bytes; i++)
			bytes[i] = (uint8_t)sat_test_rand(&seed);
		switch (sat_test_rand(&seed) % 5) {
		case 0: /* nothing */
			break;
		case 1: /* garbage */
			(void)send(fd, bytes, n, MSG_NOSIGNAL);
			break;
		case 2: /* hello, then half of a frame's head */
			(void)send(fd, "\0SP\0\0\x30\0\0\0\0\0", 11, MSG_NOSIGNAL);
			break;
		case 3: /* a handshake that opens nothing */
			(void)send(fd, "\0SP\0\0\x30\0\0", 8, MSG_NOSIGNAL);
			(void)send(fd, "\0\0\0\0\0\0\0\x64\x80\0\0\1", 12,
			    MSG_NOSIGNAL);
			(void)send(fd, bytes, 96, MSG_NOSIGNAL);
			break;
		default: /* reset */
			(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard,
			    sizeof hard);
			(void)close(fd);
			continue;
		}
		if (sat_test_rand(&seed) % 2 == 0)
			(void)close(fd); /* the others die with the process */
		(void)usleep((useconds_t)(sat_test_rand(&seed) % 2000));
	}
}
