/*
 * A sync runs beside the thread of the replica, which works for others meanwhile.
 * Whatever it does to the replica itself it hands to that thread. The network and
 * what reaches the replica are this file's (--wrap).
 */
#include "tests/lib/unit.h"

#include "tests/unit/client/api/asked.h"

static bool on_thread;
static size_t there, beside;

static void
note(void)
{
	there += on_thread;
	beside += !on_thread;
}

sat_rc __wrap_sat_sync_run(sat_sync_result *out, sat_replica *r,
    const sat_sync_opts *o, sat_err *e);
sat_rc __wrap_sat_replica_search_ready(sat_replica *r, sat_err *e);
sat_rc __wrap_sat_replica_recount(size_t *differ, sat_replica *r, sat_err *e);
sat_rc __wrap_sat_replica_status_get(sat_replica_status *s, sat_replica *r,
    sat_err *e);

sat_rc
__wrap_sat_sync_run(sat_sync_result *out, sat_replica *r,
    const sat_sync_opts *o, sat_err *e)
{
	(void)r;
	(void)o;
	(void)e;
	*out = (sat_sync_result){ .ms = 1 };
	return SAT_OK;
}

sat_rc
__wrap_sat_replica_search_ready(sat_replica *r, sat_err *e)
{
	(void)r;
	(void)e;
	note();
	return SAT_OK;
}

sat_rc
__wrap_sat_replica_recount(size_t *differ, sat_replica *r, sat_err *e)
{
	(void)r;
	(void)e;
	*differ = 0;
	note();
	return SAT_OK;
}

sat_rc
__wrap_sat_replica_status_get(sat_replica_status *s, sat_replica *r, sat_err *e)
{
	(void)r;
	(void)e;
	*s = (sat_replica_status){ .pending_commits = 0 };
	note();
	return SAT_OK;
}

static void
on_call(void *cu, void (*fn)(void *arg), void *arg)
{
	(void)cu;
	on_thread = true;
	fn(arg);
	on_thread = false;
}

static void
a_sync_touches_the_replica_on_its_thread_alone(void **state)
{
	static const call runs[] = {
		{ "POST", "", "/v1/sync/run", NULL, NULL, NULL },
		{ "POST", "", "/v1/sync/run", NULL, "{\"full\":true}", NULL },
		{ "POST", "", "/v1/sync/run", NULL, "{\"dry_run\":true}", NULL },
	};
	static const size_t touches[] = { 1, 2, 1 };
	world *w = world_of(*state);
	sat_json *doc;
	sat_err err;

	w->api.sync.call = on_call;
	for (size_t i = 0; i < 3; i++) {
		there = beside = 0;
		assert_ok(ask(&doc, w, &runs[i], &err));
		sat_json_free(doc);
		assert_int_equal(0, beside);
		assert_int_equal(touches[i], there);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		HQ(a_sync_touches_the_replica_on_its_thread_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
