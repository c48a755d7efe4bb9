/*
 * The relay over real links: many strangers at once, calls on the worker, the
 * end without a lost answer. What a session does is tested below and above.
 */
#include "tests/lib/unit.h"

#include "server/relay/relay.h"
#include "server/store/sqlite/store.h"

#include <pthread.h>
#include <unistd.h>

typedef struct world {
	char *dir;
	sat_sqlite_store *store;
	sat_server *core;
	sat_relay *relay;
	sat_noise_keys keys;
	sat_id org;
} world;

static const sat_template *
no_template(void *u, const uint8_t oid[20])
{
	(void)u;
	(void)oid;
	return NULL;
}

static void
no_tip(void *u, uint8_t oid[20])
{
	(void)u;
	memset(oid, 0, 20);
}

static sat_rc
no_bundle(void *u, sat_buf *out, uint8_t tip[20],
    const uint8_t have[20], sat_err *e)
{
	(void)tip;
	(void)u;
	(void)out;
	(void)have;
	return sat_fail(e, SAT_ENOTFOUND, "no template");
}

static int
start(void **state)
{
	static world w;
	static char path[300];
	sat_sqlite_store_opts o = { .clock = sat_clock_os(), .create = true };
	sat_server_env env = { .clock = sat_clock_os(), .org_name = "test",
		.template_at = no_template, .template_tip = no_tip,
		.template_bundle = no_bundle };
	sat_relay_opts ro = { .listen = "tcp://127.0.0.1:0" };
	sat_err err = { 0 };

	sat_crypto_init();
	w.dir = sat_test_dir();
	(void)snprintf(path, sizeof path, "%s/server.db", w.dir);
	o.path = path;
	assert_ok(sat_sqlite_store_open(&w.store, &o, &err));
	sat_random(w.org.b, sizeof w.org.b);
	sat_random(w.keys.sk, sizeof w.keys.sk);
	sat_box_keys(w.keys.pk, w.keys.sk);
	env.store = sat_sqlite_store_ops(w.store);
	env.org = w.org;
	assert_ok(sat_server_new(&w.core, &env, &err));
	ro.core = w.core;
	ro.keys = w.keys;
	assert_ok(sat_relay_start(&w.relay, &ro, &err));
	*state = &w;
	return 0;
}

static sat_rc
dial(sat_net_client **c, const world *w, sat_err *e)
{
	sat_net_client_opts o = { .timeout_ms = 10000 };
	sat_buf prologue = { 0 };
	char at[64];
	sat_rc rc;

	(void)snprintf(at, sizeof at, "tcp://127.0.0.1:%u",
	    (unsigned)sat_relay_port(w->relay));
	o.dial = at;
	sat_random(o.keys.sk, sizeof o.keys.sk);
	sat_box_keys(o.keys.pk, o.keys.sk);
	memcpy(o.server_pk, w->keys.pk, sizeof o.server_pk);
	sat_buf_str(&prologue, "satchel/1");
	sat_buf_add(&prologue, w->org.b, sizeof w->org.b);
	o.prologue = sat_buf_span(&prologue);
	rc = sat_net_dial(c, &o, e);
	sat_buf_fini(&prologue);
	return rc;
}

static sat_rc
greet(const world *w, sat_err *e)
{
	sat_msg m = { .type = SAT_MSG_HELLO };
	sat_buf frame = { 0 }, reply = { 0 };
	sat_net_client *c = NULL;
	sat_arena a = { 0 };
	sat_rc rc;

	m.u.hello.proto_min = m.u.hello.proto_max = SAT_PROTO_VERSION;
	sat_msg_write(&frame, &m);
	if ((rc = dial(&c, w, e)) == SAT_OK &&
	    (rc = sat_net_request(c, &reply, sat_buf_span(&frame), e)) ==
	        SAT_OK &&
	    (rc = sat_msg_read(&m, &a, sat_buf_span(&reply), e)) == SAT_OK)
		rc = m.type == SAT_MSG_ERROR ? sat_msg_to_err(&m.u.error, e)
		                             : SAT_OK;
	sat_net_hangup(c);
	sat_arena_fini(&a);
	sat_buf_fini(&frame);
	sat_buf_fini(&reply);
	return rc;
}

static void
a_stranger_is_answered_that_it_is_not_enrolled(void **state)
{
	sat_err err = { 0 };
	sat_rc rc = greet(*state, &err);

	assert_int_not_equal(SAT_OK, rc);
	assert_int_not_equal(SAT_EUNREACHABLE, rc);
}

static void *
stranger(void *u)
{
	intptr_t answered = 0;

	for (int i = 0; i < 10; i++) {
		sat_err err = { 0 };
		sat_rc rc = greet(u, &err);

		answered += rc != SAT_OK && rc != SAT_EUNREACHABLE;
	}
	return (void *)answered;
}

static void
count_up(void *u)
{
	++*(int *)u; /* on the worker: no lock needed */
}

static void
strangers_and_calls_at_once_are_all_answered(void **state)
{
	pthread_t t[8];
	int calls = 0;
	intptr_t sum = 0;
	void *n;

	for (int i = 0; i < 8; i++)
		assert_int_equal(0, pthread_create(&t[i], NULL, stranger,
		    *state));
	for (int i = 0; i < 100; i++)
		sat_relay_call(((world *)*state)->relay, count_up, &calls);
	for (int i = 0; i < 8; i++) {
		assert_int_equal(0, pthread_join(t[i], &n));
		sum += (intptr_t)n;
	}
	assert_int_equal(100, calls);
	assert_int_equal(80, sum);
}

/* A link that is there and asks nothing more, as of a client that hangs. */
static sat_net_client *
linked(const world *w)
{
	sat_net_client *c = NULL;
	sat_err err = { 0 };

	assert_ok(dial(&c, w, &err));
	return c;
}

static void
a_drain_serves_who_is_there_and_nobody_new(void **state)
{
	world *w = *state;
	sat_msg m = { .type = SAT_MSG_HELLO };
	sat_buf frame = { 0 }, reply = { 0 };
	sat_relay_stats rs;
	sat_err err = { 0 };
	sat_net_client *c = linked(w);
	int calls = 0;

	m.u.hello.proto_min = m.u.hello.proto_max = SAT_PROTO_VERSION;
	sat_msg_write(&frame, &m);
	sat_relay_drain(w->relay, 60000);
	assert_rc(SAT_EUNREACHABLE, greet(w, &err));
	assert_ok(sat_net_request(c, &reply, sat_buf_span(&frame), &err));
	sat_relay_call(w->relay, count_up, &calls);
	assert_int_equal(1, calls); /* an administrator's verbs run too */
	sat_relay_stats_get(&rs, w->relay);
	assert_true(rs.draining);
	sat_net_hangup(c);
	sat_buf_fini(&frame);
	sat_buf_fini(&reply);
}

static void
after_the_end_calls_return_and_links_are_refused(void **state)
{
	world *w = *state;
	sat_err fatal = { 0 }, err = { 0 };
	sat_relay_stats rs;
	int calls = 0;

	sat_relay_wait(w->relay, &fatal);
	assert_rc(SAT_OK, fatal.rc);
	sat_relay_stats_get(&rs, w->relay);
	assert_int_equal(0, rs.cut);
	sat_relay_call(w->relay, count_up, &calls);
	assert_int_equal(0, calls);
	assert_int_not_equal(SAT_OK, greet(w, &err));
	sat_server_free(w->core);
	sat_sqlite_store_close(w->store);
	sat_test_rmdir(w->dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_stranger_is_answered_that_it_is_not_enrolled),
		cmocka_unit_test(strangers_and_calls_at_once_are_all_answered),
		cmocka_unit_test(a_drain_serves_who_is_there_and_nobody_new),
		cmocka_unit_test(after_the_end_calls_return_and_links_are_refused),
	};
	int rc = cmocka_run_group_tests(tests, start, NULL);

	(void)fflush(NULL);
	_exit(rc); /* NNG is never torn down */
}
