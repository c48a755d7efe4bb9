/*
 * link.h - servers that echo, and peers that speak to them frame by frame.
 *
 * Servers are never freed, as in the programs. Every test program begins with
 * net_begin and ends with net_end.
 */
#ifndef SAT_TESTS_COMMON_NET_LINK_H
#define SAT_TESTS_COMMON_NET_LINK_H

#include "tests/lib/unit.h"

#include <pthread.h>

#include "common/net/net_int.h"

extern sat_err err;
extern sat_noise_keys server_keys, device_keys;
extern const char prologue[];

void nap(int ms);

/* ---- an echo server and its record --------------------------------------- */

typedef struct echo {
	sat_net_server *s;
	atomic_uint requests, closes;
	bool later;              /* answer from another thread */
	bool silent;             /* never answer */
	bool strange;            /* never learn who it is */
	atomic_bool then_close;  /* answer and close at once */
	bool only_close;         /* close instead of answering */
	bool dawdle;             /* answer, then look at the frame again */
	atomic_uint changed;     /* frames that were not the same then */
	pthread_mutex_t mtx;
	pthread_cond_t cond;
	struct { sat_link *l; sat_buf b; } todo[64];
	unsigned ntodo;
	uint8_t peer[32];
} echo;

void *echo_worker(void *arg);
void on_request(void *u, sat_link *l, sat_span frame);

extern const sat_net_deadlines slow;
extern const sat_net_deadlines quick;

/* Servers are never freed, as in the programs. */
echo *serve(const sat_net_deadlines *d, unsigned total, unsigned unauth,
    unsigned address);

sat_net_client_opts client_opts(char url[64], uint16_t port);
sat_net_client *dial(const echo *w);
void echoes(sat_net_client *c, size_t n);
void still_answers(const echo *w);

/* ---- waiting ------------------------------------------------------------- */

/* NNG closes descriptors on a thread of its own: wait for the last test's. */
unsigned fds_at_rest(void);

void fds_come_back_to(unsigned want);
sat_net_stats stats(const echo *w);
void links_come_to(const echo *w, unsigned want);
void closes_come_to(echo *w, unsigned want);

/* ---- the wrong peer ------------------------------------------------------ */

/* @return how long the dial took. */
int64_t dial_fails(uint16_t port, int timeout_ms, sat_rc want,
    const char *text);

/* ---- raw sockets --------------------------------------------------------- */

int raw_dial(uint16_t port);
void raw_send(int fd, const void *p, size_t n);

/* @return false when that many do not come. */
bool raw_recv(int fd, void *p, size_t n);

/* Reads until the peer closes. @return false when it does not within 8 s. */
bool raw_closed(int fd);

void raw_close(int fd, bool rst);
void raw_hello(int fd);
void raw_frame(int fd, uint32_t id, sat_span body);
bool raw_reply(int fd, uint32_t id, void *body, size_t n);
void noise_start(sat_noise *x, sat_buf *msg1);

/* A whole handshake over a raw socket. */
int raw_link(const echo *w, sat_noise *x);
/* One small request and its answer: the server trusts it from then on. */
void raw_known(int fd, sat_noise *x);

void raw_seal(sat_buf *b, sat_noise *x, const char *text);

/* Keys of the server and of the device, and the log level of tests in which
 * hostile peers are warned of, and expected. */
void net_begin(void);
/* Ends the program without tearing NNG down. `failed`: tests that failed. */
_Noreturn void net_end(int failed);

#endif
