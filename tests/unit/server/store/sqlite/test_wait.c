/*
 * WAIT at the server's core: answered at once or not at all, and what is told
 * afterwards is exactly what the scope index got (P-210, P-211).
 */
#include "tests/unit/server/store/sqlite/device.h"

/* @return what the answer says; -1 = none, the session is parked. */
static int
wait_of(device *d)
{
	sat_msg m = { .type = SAT_MSG_WAIT };
	sat_buf frame = { 0 }, reply = { 0 };
	sat_arena a = { 0 };
	sat_err err = { 0 };
	int what = -1;

	m.u.wait.cursor = d->cursor;
	m.u.wait.registry_rev = d->registry_rev;
	memcpy(m.u.wait.template_oid, d->w->oid, sizeof d->w->oid);
	sat_msg_write(&frame, &m);
	assert_ok(sat_server_handle(d->w->server, &d->link, &reply,
	    sat_buf_span(&frame), &err));
	assert_int_equal(d->link.parked, reply.n == 0);
	if (reply.n > 0) {
		assert_ok(sat_msg_read(&m, &a, sat_buf_span(&reply), &err));
		assert_int_equal(SAT_MSG_WAITED, m.type);
		what = (int)m.u.waited.what;
	}
	sat_arena_fini(&a);
	sat_buf_fini(&frame);
	sat_buf_fini(&reply);
	return what;
}

static bool
concerns(const device *d, const sat_heard *h)
{
	bool yes = h->everybody;

	for (size_t i = 0; i < h->n; i++)
		yes = yes || sat_keys_has(&d->link.waits_for, h->keys[i]);
	return yes;
}

static void
a_wait_is_parked_until_a_commit_touches_its_keys(void **state)
{
	world *w = world_company(31);
	device *ann = device_new(w, "ann"), *sue = device_new(w, "sue"),
	    *hq = device_new(w, "hq"), *max = device_new(w, "max");
	sat_heard h;

	(void)state;
	SYNC(sue, hq, max, ann);
	(void)sat_server_heard(w->server);
	assert_int_equal(-1, wait_of(sue));
	assert_int_equal(-1, wait_of(hq));
	assert_int_equal(-1, wait_of(max));
	assert_int_equal(-1, wait_of(ann));
	h = sat_server_heard(w->server);
	assert_false(concerns(sue, &h) || concerns(hq, &h));
	(void)device_account(ann, "first", "ann");
	device_sync(ann);
	h = sat_server_heard(w->server);
	assert_true(concerns(hq, &h));
	assert_true(concerns(max, &h)); /* by the team's key */
	assert_false(concerns(sue, &h));
	assert_int_equal(SAT_WAITED_LOG, wait_of(hq));
	assert_int_equal(-1, wait_of(sue));
	h = sat_server_heard(w->server); /* told once */
	assert_int_equal(0, h.n);
	device_sync(hq);
	assert_int_equal(-1, wait_of(hq));
	world_free(w);
}

static void
a_registry_that_moved_concerns_everybody(void **state)
{
	world *w = world_company(32);
	device *sue = device_new(w, "sue");
	sat_heard h;

	(void)state;
	device_sync(sue);
	(void)sat_server_heard(w->server);
	assert_int_equal(-1, wait_of(sue));
	world_user(w, "new", "rep", "north");
	h = sat_server_heard(w->server);
	assert_true(h.everybody);
	assert_int_equal(SAT_WAITED_SETTINGS, wait_of(sue));
	world_free(w);
}

static void
whoever_has_not_greeted_is_refused_not_parked(void **state)
{
	world *w = world_company(33);
	sat_msg m = { .type = SAT_MSG_WAIT };
	sat_buf frame = { 0 }, reply = { 0 };
	sat_server_session x = { 0 };
	sat_err err = { 0 };

	(void)state;
	sat_msg_write(&frame, &m);
	assert_ok(sat_server_handle(w->server, &x, &reply, sat_buf_span(&frame),
	    &err));
	assert_false(x.parked);
	assert_int_equal(SAT_MSG_ERROR, reply.p[0]);
	sat_buf_fini(&frame);
	sat_buf_fini(&reply);
	world_free(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_wait_is_parked_until_a_commit_touches_its_keys),
		cmocka_unit_test(a_registry_that_moved_concerns_everybody),
		cmocka_unit_test(whoever_has_not_greeted_is_refused_not_parked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
