/* An echo server, its record, and waiting for what it does. */
#include "tests/lib/unit.h"

#include <pthread.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/crypto/crypto.h"
#include "common/net/net_int.h"
#include "tests/unit/common/net/link.h"

sat_err err;

sat_noise_keys server_keys, device_keys;

const char prologue[] = "satchel/1 test";

void
nap(int ms)
{
	struct timespec t = { ms / 1000, (long)(ms % 1000) * 1000000 };

	(void)nanosleep(&t, NULL);
}

/* ---- an echo server and its record --------------------------------------- */

static void
echo_later(echo *w, sat_link *l, sat_span frame)
{
	pthread_mutex_lock(&w->mtx);
	assert_true(w->ntodo < 64);
	sat_link_ref(l);
	w->todo[w->ntodo].l = l;
	w->todo[w->ntodo].b = (sat_buf){ 0 };
	sat_buf_add(&w->todo[w->ntodo++].b, frame.p, frame.n);
	pthread_cond_signal(&w->cond);
	pthread_mutex_unlock(&w->mtx);
}

void *
echo_worker(void *arg)
{
	echo *w = arg;

	for (;;) {
		sat_link *l;
		sat_buf b;

		pthread_mutex_lock(&w->mtx);
		while (w->ntodo == 0)
			pthread_cond_wait(&w->cond, &w->mtx);
		l = w->todo[--w->ntodo].l;
		b = w->todo[w->ntodo].b;
		pthread_mutex_unlock(&w->mtx);
		if (w->only_close)
			sat_link_close(l);
		else
			sat_link_reply(l, sat_buf_span(&b));
		sat_link_unref(l);
		sat_buf_fini(&b);
	}
	return NULL;
}

void
on_request(void *u, sat_link *l, sat_span frame)
{
	echo *w = u;
	bool closes = atomic_load(&w->then_close); /* set behind an answer */
	sat_buf kept = { 0 };

	atomic_fetch_add(&w->requests, 1);
	pthread_mutex_lock(&w->mtx);
	memcpy(w->peer, sat_link_peer(l), 32);
	pthread_mutex_unlock(&w->mtx);
	if (w->silent)
		return;
	if (!w->strange)
		sat_link_trust(l);
	if (w->later) {
		echo_later(w, l, frame);
		return;
	}
	if (w->dawdle)
		sat_buf_add(&kept, frame.p, frame.n);
	sat_link_reply(l, frame);
	sat_link_reply(l, frame); /* a second answer is dropped */
	if (w->dawdle) {
		nap(20);
		if (!sat_span_eq(frame, sat_buf_span(&kept)))
			atomic_fetch_add(&w->changed, 1);
		sat_buf_fini(&kept);
	}
	if (closes)
		sat_link_close(l);
}

static void
on_close(void *u, sat_link *l)
{
	echo *w = u;

	(void)l;
	atomic_fetch_add(&w->closes, 1);
}

const sat_net_deadlines slow = { 10000, 120000, 60000 };

/* Quick for a test, slow enough for a machine with much else to do. */
const sat_net_deadlines quick = { 900, 1500, 900 };

echo *
serve(const sat_net_deadlines *d, unsigned total, unsigned unauth,
    unsigned address)
{
	echo *w = sat_xcalloc(1, sizeof *w);
	sat_net_server_opts o = {
		.listen = "tcp://127.0.0.1:0", .keys = server_keys,
		.prologue = sat_span_str(prologue), .links_max = total,
		.links_unauth_max = unauth, .links_per_address_max = address,
		.on_request = on_request, .on_close = on_close, .u = w,
	};

	(void)pthread_mutex_init(&w->mtx, NULL);
	(void)pthread_cond_init(&w->cond, NULL);
	assert_ok(sat_net_serve_with(&w->s, &o, d, &err));
	assert_true(sat_net_port(w->s) > 0);
	return w;
}

sat_net_client_opts
client_opts(char url[64], uint16_t port)
{
	sat_net_client_opts o = {
		.dial = url, .keys = device_keys,
		.prologue = sat_span_str(prologue), .timeout_ms = 10000,
	};

	(void)snprintf(url, 64, "tcp://127.0.0.1:%u", port);
	memcpy(o.server_pk, server_keys.pk, 32);
	return o;
}

sat_net_client *
dial(const echo *w)
{
	char url[64];
	sat_net_client_opts o = client_opts(url, sat_net_port(w->s));
	sat_net_client *c;

	assert_ok(sat_net_dial(&c, &o, &err));
	return c;
}

void
echoes(sat_net_client *c, size_t n)
{
	sat_buf out = { 0 }, in = { 0 };

	memset(sat_buf_room(&out, n + 1), 0x5a, n);
	out.n = n;
	assert_ok(sat_net_request(c, &in, sat_buf_span(&out), &err));
	assert_true(sat_span_eq(sat_buf_span(&out), sat_buf_span(&in)));
	sat_buf_fini(&out);
	sat_buf_fini(&in);
}

void
still_answers(const echo *w)
{
	sat_net_client *c = dial(w);

	echoes(c, 100);
	sat_net_hangup(c);
}

/* ---- waiting ------------------------------------------------------------- */

unsigned
fds_at_rest(void)
{
	unsigned now = sat_test_fds();

	for (int same = 0; same < 4; same++) {
		nap(20);
		if (sat_test_fds() != now)
			same = 0;
		now = sat_test_fds();
	}
	return now;
}

void
fds_come_back_to(unsigned want)
{
	for (int i = 0; i < 500 && sat_test_fds() > want; i++)
		nap(20);
	assert_in_range(sat_test_fds(), 0, want);
}

sat_net_stats
stats(const echo *w)
{
	sat_net_stats st;

	sat_net_stats_get(&st, w->s);
	return st;
}

void
links_come_to(const echo *w, unsigned want)
{
	for (int i = 0; i < 500 && stats(w).links != want; i++)
		nap(20);
	assert_int_equal(want, stats(w).links);
}

void
closes_come_to(echo *w, unsigned want)
{
	for (int i = 0; i < 500 && atomic_load(&w->closes) != want; i++)
		nap(20);
	assert_int_equal(want, atomic_load(&w->closes));
}

/* ---- the wrong peer ------------------------------------------------------ */

int64_t
dial_fails(uint16_t port, int timeout_ms, sat_rc want, const char *text)
{
	char url[64];
	sat_net_client_opts o = client_opts(url, port);
	sat_net_client *c;
	int64_t t0 = sat_net_now();

	o.timeout_ms = timeout_ms;
	assert_rc(want, sat_net_dial(&c, &o, &err));
	if (strstr(err.text, text) == NULL)
		fail_msg("text is: %s", err.text);
	return sat_net_now() - t0;
}

/* Present under a leak sanitizer only; _exit would skip its check. */
extern int __lsan_do_recoverable_leak_check(void) __attribute__((weak));

void
net_begin(void)
{
	sat_crypto_init();
	sat_log_level(SAT_ERROR);
	sat_random(server_keys.sk, 32);
	sat_box_keys(server_keys.pk, server_keys.sk);
	sat_random(device_keys.sk, 32);
	sat_box_keys(device_keys.pk, device_keys.sk);
}

_Noreturn void
net_end(int failed)
{
	int rc = failed;

	if (__lsan_do_recoverable_leak_check != NULL)
		rc |= __lsan_do_recoverable_leak_check();
	(void)fflush(NULL);
	_exit(rc == 0 ? 0 : 1);
}
