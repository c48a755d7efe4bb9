/*
 * What a page costs does not grow with the number of users, nor with how often a
 * commit names a record (L3). The registry is asked through a wrapper that counts
 * (tests/tests.mk).
 */
#include "tests/unit/server/store/sqlite/device.h"

#include "protocol/server_int.h"

enum { USERS = 200, OPS = 100 };

static size_t lookups, losses;
static sat_store real;

const sat_user *__real_sat_registry_user(const sat_registry *r, sat_span key);
const sat_user *__wrap_sat_registry_user(const sat_registry *r, sat_span key);

const sat_user *
__wrap_sat_registry_user(const sat_registry *r, sat_span key)
{
	lookups++;
	return __real_sat_registry_user(r, key);
}

static sat_rc
count_losses(uint64_t *lsn, void *u, uint32_t eid, sat_span owner, sat_err *e)
{
	losses++;
	return real.owner_left_lsn(lsn, u, eid, owner, e);
}

static void
many_users(world *w)
{
	sat_err err = { 0 };
	char key[20];
	uint32_t ord;

	for (int i = 0; i < USERS; i++) {
		(void)snprintf(key, sizeof key, "user%d", i);
		assert_ok(sat_sqlite_user_add(&ord, w->store, key, key, "rep",
		    NULL, &err));
	}
	assert_ok(sat_server_reload(w->server, &err));
}

static void
an_operation_left_out_costs_no_walk_through_the_users(void **state) /* L3 */
{
	world *w = world_of(1, "ann rep north, bob rep south, "
	    "max manager south");
	device *ann = device_new(w, "ann"), *bob = device_new(w, "bob");
	device *max = device_new(w, "max");
	sat_op ops[OPS];
	sat_id acc, his, hers;

	(void)state;
	many_users(w);
	acc = device_account(bob, "first", "bob");
	his = device_opp(bob, &acc, "his", "bob");
	hers = device_opp(bob, &acc, "hers", "ann");
	(void)device_opp(bob, &acc, "stays hers", "ann");
	SYNC(bob, ann);
	assert_non_null(device_find(ann, &hers, 0));
	assert_null(device_find(ann, &his, 0));
	for (size_t i = 0; i < OPS; i++)
		ops[i] = op_set(&his, K_OPP, SAT_OP_SET, O_REMARK, txt("x"));
	ops[0] = op_set(&acc, K_ACCOUNT, SAT_OP_SET, A_REMARK, txt("hers too"));
	(void)device_commit(bob, &acc, ops, OPS);
	device_sync(bob);
	real = w->server->env.store;
	w->server->env.store.owner_left_lsn = count_losses;
	lookups = losses = 0;
	device_sync(ann);
	assert_true(device_holds(ann, "hers too"));
	assert_in_range(lookups, 1, 50);
	assert_in_range(losses, 1, 2); /* she alone; the deal, the customer */
	/* what left her since is still told with the same page */
	(void)device_edit(bob, &acc, &hers, K_OPP, SAT_OP_SET, O_REMARK,
	    txt("was hers"));
	SYNC(bob, max);
	(void)device_edit(max, &acc, &hers, K_OPP, SAT_OP_REASSIGN, O_OWNER,
	    txt("bob"));
	SYNC(max, ann);
	assert_int_equal(SAT_VD_OK, device_last(max)->code);
	assert_false(device_holds(ann, "was hers"));
	assert_null(device_find(ann, &hers, 0));
	assert_non_null(device_find(ann, &acc, 0));
	SETTLE(ann, bob, max);
	world_verify(w);
	world_free(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_operation_left_out_costs_no_walk_through_the_users),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
