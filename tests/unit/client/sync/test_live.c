/*
 * Live sync against a server that does as it is told: held, woken, cut off,
 * refused, lied to. Real links, a real replica with nothing in it.
 */
#include "tests/unit/client/replica/fixture.h"

#include "client/sync/sync.h"
#include "common/net/net.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

enum { HOLD, NUDGED, NEWS, CUT, REVOKE, OTHER_VERSION };

static atomic_int mode, hellos, waits, closed, sessions, nudges, verbs;
static atomic_llong ahead_ms; /* of our boot clock */
static sat_live *current;
static sat_net_server *net;
static sat_noise_keys keys;
static sat_link *held;
static pthread_mutex_t mtx = PTHREAD_MUTEX_INITIALIZER;
static sat_replica *replica;

/* ---- the server -------------------------------------------------------------------- */

static void
reply(sat_link *l, const sat_msg *m)
{
	sat_buf b = { 0 };

	sat_msg_write(&b, m);
	sat_link_reply(l, sat_buf_span(&b));
	sat_buf_fini(&b);
}

static void
hold_link(sat_link *l)
{
	pthread_mutex_lock(&mtx);
	if (held != NULL)
		sat_link_unref(held);
	sat_link_ref(l);
	held = l;
	pthread_mutex_unlock(&mtx);
}

static void
refuse(sat_link *l, sat_rc rc, const char *code)
{
	sat_err e = { .rc = rc };
	sat_buf b = { 0 };

	(void)snprintf(e.code, sizeof e.code, "%s", code);
	sat_msg_write_error(&b, &e);
	sat_link_reply(l, sat_buf_span(&b));
	sat_buf_fini(&b);
}

static void
on_wait(sat_link *l)
{
	sat_msg m = { .type = SAT_MSG_WAITED };

	switch (atomic_load(&mode)) {
	case HOLD:
	case NUDGED:
		hold_link(l);
		break;
	case NEWS:
		m.u.waited.what = SAT_WAITED_LOG;
		reply(l, &m);
		break;
	case CUT:
		sat_link_close(l);
		break;
	default:
		refuse(l, SAT_EREVOKED, "device.revoked");
	}
	atomic_fetch_add(&waits, 1);
}

static void
on_request(void *u, sat_link *l, sat_span frame)
{
	sat_msg m, out = { 0 };
	sat_arena a = { 0 };

	(void)u;
	if (sat_msg_read(&m, &a, frame, NULL) != SAT_OK)
		abort();
	switch (m.type) {
	case SAT_MSG_HELLO:
		out.type = SAT_MSG_WELCOME;
		out.u.welcome.proto = SAT_PROTO_VERSION;
		out.u.welcome.epoch = m.u.hello.epoch;
		out.u.welcome.registry_rev = m.u.hello.registry_rev;
		memcpy(out.u.welcome.template_oid, m.u.hello.template_oid,
		    SAT_TEMPLATE_OID_BYTES);
		out.u.welcome.wall_ms = m.u.hello.wall_ms;
		if (atomic_fetch_add(&hellos, 1) < atomic_load(&nudges))
			sat_live_nudge(current); /* while it exchanges */
		if (atomic_load(&mode) == OTHER_VERSION)
			refuse(l, SAT_EVERSION, "protocol");
		else
			reply(l, &out);
		break;
	case SAT_MSG_TEMPLATE:
		out.type = SAT_MSG_TEMPLATE_IS;
		memcpy(out.u.template_is.tip, m.u.template_have,
		    SAT_TEMPLATE_OID_BYTES);
		reply(l, &out);
		break;
	case SAT_MSG_NUMBERS: /* none are left */
		out.type = SAT_MSG_NUMBERS_IS;
		reply(l, &out);
		break;
	case SAT_MSG_SNAP:
		out.type = SAT_MSG_CHUNK;
		out.u.chunk.done = true;
		sat_hash(out.u.chunk.hash, out.u.chunk.records);
		reply(l, &out);
		break;
	case SAT_MSG_PULL:
		out.type = SAT_MSG_DELTA;
		out.u.delta.upto = m.u.pull.cursor;
		reply(l, &out);
		break;
	case SAT_MSG_WAIT:
		on_wait(l);
		break;
	case SAT_MSG_ADMIN:
		atomic_fetch_add(&verbs, 1);
		sat_link_close(l); /* done or not: nobody is told */
		break;
	default: /* a session that asks for more than this test knows of */
		(void)fprintf(stderr, "request %d is not served\n",
		    (int)m.type);
		sat_link_close(l);
	}
	sat_arena_fini(&a);
}

static void
on_close(void *u, sat_link *l)
{
	(void)u;
	(void)l;
	atomic_fetch_add(&closed, 1);
}

static void
wake(uint32_t what)
{
	sat_msg m = { .type = SAT_MSG_WAITED };

	m.u.waited.what = what;
	pthread_mutex_lock(&mtx);
	if (held != NULL)
		reply(held, &m);
	pthread_mutex_unlock(&mtx);
}

/* ---- the device --------------------------------------------------------------------- */

/* Keys of our own and the address of our server; the rest is the fixture's. */
static int
start(void **state)
{
	sat_net_server_opts o = { .listen = "tcp://127.0.0.1:0",
		.on_request = on_request, .on_close = on_close };
	sat_replica_identity *id;
	sat_buf prologue = { 0 };
	sat_err err = { 0 };

	if (setup(state) != 0)
		return -1;
	replica = ((fixture *)*state)->r;
	srv_snapshot(*state, 10);
	id = (sat_replica_identity *)(uintptr_t)sat_replica_identity_get(
	    replica);
	sat_random(keys.sk, sizeof keys.sk);
	sat_box_keys(keys.pk, keys.sk);
	sat_sync_prologue(&prologue, &id->org);
	o.keys = keys;
	o.prologue = sat_buf_span(&prologue);
	assert_ok(sat_net_serve(&net, &o, &err));
	sat_random(id->channel_sk, sizeof id->channel_sk);
	sat_box_keys(id->channel_pk, id->channel_sk);
	memcpy(id->server_pk, keys.pk, sizeof id->server_pk);
	(void)snprintf(id->server, sizeof id->server, "tcp://127.0.0.1:%u",
	    (unsigned)sat_net_port(net));
	sat_buf_fini(&prologue);
	return 0;
}


static void
comes_to(atomic_int *n, int want)
{
	sat_err last = { 0 };

	for (int i = 0; i < 2000 && atomic_load(n) < want; i++)
		(void)usleep(5000);
	if (atomic_load(n) < want) {
		(void)sat_live_state_get(current, &last);
		fail_msg("%d, not %d; %s", atomic_load(n), want, last.text);
	}
}

typedef struct runner {
	sat_live *live;
	pthread_t t;
	sat_rc rc;
	sat_err e;
} runner;

static void
exchanged(void *u, const sat_sync_result *r)
{
	(void)u;
	(void)r;
	atomic_fetch_add(&sessions, 1);
}

static void *
run(void *u)
{
	runner *r = u;

	r->rc = sat_live_run(r->live, replica, &r->e);
	return NULL;
}

static int64_t
boot_later(void *u)
{
	sat_clock os = sat_clock_os();

	(void)u;
	return sat_boot_ms(&os) + atomic_load(&ahead_ms);
}

static void
begin(runner *r, int how)
{
	sat_sync_opts o = { .timeout_ms = 5000, .clock = sat_clock_os(),
		.rand = sat_rand_os() };

	o.clock.boot_ms = boot_later;
	memset(r, 0, sizeof *r);
	atomic_store(&mode, how);
	atomic_store(&hellos, 0);
	atomic_store(&waits, 0);
	atomic_store(&closed, 0);
	atomic_store(&sessions, 0);
	atomic_store(&nudges, how == NUDGED ? 10 : 0);
	r->live = current = sat_live_new(&o, exchanged, NULL);
	assert_int_equal(0, pthread_create(&r->t, NULL, run, r));
}

static void
finish(runner *r, sat_rc want)
{
	time_t t0 = time(NULL);

	sat_live_stop(r->live);
	assert_int_equal(0, pthread_join(r->t, NULL));
	/* It waits for nobody: a held request lasts 100 s. */
	assert_true(time(NULL) - t0 < 20);
	assert_rc(want, r->rc);
	sat_live_free(r->live);
}

static void
it_waits_is_woken_and_waits_again(void **state) /* P-210 */
{
	runner r;

	(void)state;
	begin(&r, HOLD);
	for (int i = 1; i <= 5; i++) {
		comes_to(&waits, i);
		assert_int_equal(i, atomic_load(&hellos));
		assert_int_equal(SAT_LIVE_WAITING,
		    sat_live_state_get(r.live, NULL));
		wake(SAT_WAITED_LOG);
	}
	comes_to(&waits, 6);
	assert_int_equal(0, atomic_load(&closed)); /* all on one link */
	finish(&r, SAT_OK);
	assert_int_equal(SAT_OK, r.e.rc);
}

static void
when_nothing_came_it_asks_nothing_but_to_wait_on(void **state)
{
	runner r;

	(void)state;
	begin(&r, HOLD);
	for (int i = 1; i <= 5; i++) {
		comes_to(&waits, i);
		wake(0);
	}
	comes_to(&waits, 6);
	assert_int_equal(1, atomic_load(&hellos));
	finish(&r, SAT_OK);
}

static void
a_nudge_ends_the_wait_and_is_a_session_of_its_own(void **state) /* P-212 */
{
	runner r;

	(void)state;
	begin(&r, HOLD);
	for (int i = 1; i <= 5; i++) {
		comes_to(&waits, i);
		sat_live_nudge(r.live);
		comes_to(&hellos, i + 1);
	}
	comes_to(&waits, 6);
	finish(&r, SAT_OK);
}

/* Either of the two may get its update meanwhile. */
static void
a_server_of_another_version_is_asked_again(void **state) /* P-452 */
{
	runner r;

	(void)state;
	begin(&r, OTHER_VERSION);
	comes_to(&hellos, 2);
	atomic_store(&mode, HOLD);
	comes_to(&waits, 1);
	finish(&r, SAT_OK);
}

static void
a_link_is_an_hour_old_at_most(void **state) /* P-215 */
{
	runner r;

	(void)state;
	begin(&r, HOLD);
	comes_to(&waits, 1);
	/* shortly before, woken for something and for nothing: the same link */
	atomic_fetch_add(&ahead_ms, 59 * 60000);
	wake(SAT_WAITED_LOG);
	comes_to(&waits, 2);
	wake(0);
	comes_to(&waits, 3);
	assert_int_equal(2, atomic_load(&hellos));
	assert_int_equal(0, atomic_load(&closed));
	/* an hour: another one, by itself and at once */
	for (int i = 1; i <= 2; i++) {
		atomic_fetch_add(&ahead_ms, i == 1 ? 61000 : 3601000);
		wake(i == 1 ? 0 : SAT_WAITED_LOG);
		comes_to(&closed, i);
		comes_to(&waits, 3 + i);
		assert_int_equal(2 + i, atomic_load(&hellos));
	}
	finish(&r, SAT_OK);
	assert_int_equal(SAT_OK, r.e.rc);
}

static void
a_verb_is_sent_once_and_said_to_be_open_when_its_link_is_lost(void **state)
{ /* P-373 */
	sat_sync_opts o = { .timeout_ms = 5000, .clock = sat_clock_os(),
		.rand = sat_rand_os() };
	sat_span word[] = { sat_span_str("user"), sat_span_str("list") };
	sat_admin_words w = { word, 2 };
	sat_arena a = { 0 };
	sat_err err = { 0 };
	sat_span out;
	int before = atomic_load(&hellos);

	(void)state;
	assert_rc(SAT_EUNREACHABLE, sat_sync_admin(&out, &a, replica, &w, &o,
	    &err));
	assert_int_equal(1, atomic_load(&verbs));
	assert_int_equal(before + 1, atomic_load(&hellos));
	assert_non_null(strstr(err.text, "it may have been done"));
	/* nobody was asked: nothing is open */
	memset(&err, 0, sizeof err);
	o.server = "tcp://127.0.0.1:1";
	assert_rc(SAT_EUNREACHABLE, sat_sync_admin(&out, &a, replica, &w, &o,
	    &err));
	assert_null(strstr(err.text, "it may have been done"));
	assert_int_equal(1, atomic_load(&verbs));
	sat_arena_fini(&a);
}

static void
nudges_of_many_threads_are_never_lost(void **state) /* V1 */
{
	runner r;

	(void)state;
	begin(&r, HOLD);
	comes_to(&waits, 1);
	for (int i = 0; i < 40; i++) {
		int before = atomic_load(&sessions);

		sat_live_nudge(r.live); /* at whatever moment it meets */
		comes_to(&sessions, before + 1);
		(void)usleep((useconds_t)(i * 137 % 3000));
	}
	finish(&r, SAT_OK);
}

static void
a_nudge_during_an_exchange_is_an_exchange_of_its_own(void **state) /* V1 */
{
	runner r;

	(void)state;
	begin(&r, NUDGED);
	comes_to(&hellos, 11);
	comes_to(&waits, 1);
	(void)usleep(300000);
	assert_int_equal(11, atomic_load(&hellos));
	assert_int_equal(0, atomic_load(&closed)); /* it had not waited yet */
	finish(&r, SAT_OK);
}

static void
a_link_that_is_cut_is_dialled_again_later_each_time(void **state)
{
	runner r;
	int n;

	(void)state;
	begin(&r, CUT);
	comes_to(&hellos, 3);
	(void)usleep(700000);
	n = atomic_load(&hellos);
	assert_true(n < 40); /* without a pause it would be thousands */
	atomic_store(&mode, HOLD);
	n = atomic_load(&waits);
	for (int i = 0; i < 8000 && atomic_load(&waits) == n; i++)
		(void)usleep(5000); /* it may rest for a while by now */
	assert_true(atomic_load(&waits) > n);
	finish(&r, SAT_OK);
}

static void
news_that_bring_nothing_are_asked_for_more_and_more_slowly(void **state) /* V2 */
{
	runner r;

	(void)state;
	begin(&r, NEWS);
	(void)usleep(1500000);
	comes_to(&hellos, 2);
	assert_in_range(atomic_load(&hellos), 2, 60);
	finish(&r, SAT_OK);
}

static void
a_revoked_device_is_told_and_stays_away(void **state)
{
	sat_err last;
	runner r;
	int n;

	(void)state;
	begin(&r, REVOKE);
	assert_int_equal(0, pthread_join(r.t, NULL));
	assert_rc(SAT_EREVOKED, r.rc);
	assert_string_equal("device.revoked", r.e.code);
	assert_int_equal(SAT_LIVE_OFF, sat_live_state_get(r.live, &last));
	assert_rc(SAT_EREVOKED, last.rc);
	sat_live_free(r.live);
	/* It is told by its session or by its first WAIT, and one of the runner
	 * before may still be counted: what matters is that nobody asks again. */
	n = atomic_load(&waits);
	(void)usleep(300000);
	assert_in_range(atomic_load(&waits), n, n + 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_waits_is_woken_and_waits_again),
		cmocka_unit_test(
		    when_nothing_came_it_asks_nothing_but_to_wait_on),
		cmocka_unit_test(
		    a_nudge_ends_the_wait_and_is_a_session_of_its_own),
		cmocka_unit_test(a_server_of_another_version_is_asked_again),
		cmocka_unit_test(a_link_is_an_hour_old_at_most),
		cmocka_unit_test(
		    a_verb_is_sent_once_and_said_to_be_open_when_its_link_is_lost),
		cmocka_unit_test(nudges_of_many_threads_are_never_lost),
		cmocka_unit_test(
		    a_nudge_during_an_exchange_is_an_exchange_of_its_own),
		cmocka_unit_test(
		    a_link_that_is_cut_is_dialled_again_later_each_time),
		cmocka_unit_test(
		    news_that_bring_nothing_are_asked_for_more_and_more_slowly),
		cmocka_unit_test(a_revoked_device_is_told_and_stays_away),
	};
	int rc;

	sat_crypto_init();
	rc = cmocka_run_group_tests(tests, start, teardown);
	(void)fflush(NULL);
	_exit(rc); /* NNG is never torn down */
}
