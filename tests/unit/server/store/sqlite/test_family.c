/*
 * What stands below a customer is read once in a push, however often its commits
 * delete, restore, merge or take apart that customer: the one thread that writes
 * would be theirs for minutes. The store is asked through a wrapper that counts.
 */
#include "tests/unit/server/store/sqlite/crew.h"
#include "tests/unit/server/store/sqlite/device.h"

#include "protocol/server_int.h"

enum { CHILDREN = 200, TIMES = 40 };

static size_t walks;
static sat_store real;

static sat_rc
count_walks(void *u, uint32_t root, bool (*cb)(void *cu, const sat_rec_row *row),
    void *cu, sat_err *e)
{
	walks++;
	return real.rec_of_root(u, root, cb, cu, e);
}

/* Two customers, the first with many activities; everybody has them. */
static void
large(crew *c, sat_id *a, sat_id *b)
{
	*a = device_account(c->ann, "Acme", "ann");
	*b = device_account(c->ann, "ACME Ltd", "ann");
	for (int i = 0; i < CHILDREN; i++)
		(void)device_activity(c->ann, a, "called");
	all_sync(c);
	real = c->w->server->env.store;
	c->w->server->env.store.rec_of_root = count_walks;
	walks = 0;
}

static void
ends_well(crew *c)
{
	c->w->server->env.store.rec_of_root = real.rec_of_root;
	all_sync(c);
	all_agree(c);
	crew_free(c);
}

static size_t
below(device *d, sat_id id)
{
	size_t n = 0;

	for (size_t i = 0; i < d->nrec; i++)
		n += d->rec[i].used && sat_id_eq(&d->rec[i].root, &id) &&
		    !sat_id_eq(&d->rec[i].id, &id);
	return n;
}

static void
a_customer_deleted_and_restored_often_is_walked_through_once(void **state)
{
	crew c = crew_new(1);
	sat_op ops[TIMES + 1];
	sat_id a, b;

	(void)state;
	large(&c, &a, &b);
	for (int i = 0; i <= TIMES; i++) {
		ops[i] = op_set(&a, K_ACCOUNT, i % 2 ? SAT_OP_UNDEL :
		    SAT_OP_DEL, 0, sat_v_null());
		(void)device_commit(c.hq, &a, &ops[i], 1);
	}
	device_sync(c.hq);
	assert_int_equal(TIMES + 1, c.hq->stats.pushed);
	assert_in_range(walks, 1, 3); /* once more for the sums */
	assert_int_equal(SAT_VD_OK, device_last(c.hq)->code);
	walks = 0;
	(void)device_edit(c.hq, &a, &a, K_ACCOUNT, SAT_OP_UNDEL, 0,
	    sat_v_null());
	(void)device_commit(c.hq, &a, ops, TIMES + 1); /* all in one */
	device_sync(c.hq);
	assert_int_equal(2, c.hq->stats.pushed);
	assert_int_equal(SAT_VD_OK, device_last(c.hq)->code);
	assert_in_range(walks, 1, 3);
	ends_well(&c);
}

static void
a_customer_merged_and_taken_apart_often_is_walked_through_once(void **state)
{
	crew c = crew_new(2);
	sat_id a, b;

	(void)state;
	large(&c, &a, &b);
	for (int i = 0; i < TIMES; i++) {
		(void)merge(c.max, a, b);
		if (i < TIMES - 1)
			(void)unmerge(c.max, a);
	}
	device_sync(c.max);
	assert_int_equal(2 * TIMES - 1, c.max->stats.pushed);
	assert_int_equal(SAT_VD_OK, device_last(c.max)->code);
	assert_in_range(walks, 1, 5); /* either customer, and for the sums */
	assert_int_equal(CHILDREN, below(c.hq, a));
	ends_well(&c);
}

static void
many_redirects_of_a_commit_walk_through_their_customer_once(void **state)
{
	crew c = crew_new(3);
	sat_id a, b, lost[TIMES];
	sat_op ops[2 * TIMES];
	size_t n = 0;

	(void)state;
	for (int i = 0; i < TIMES; i++)
		lost[i] = device_account(c.ann, "ACME", "ann");
	large(&c, &a, &b);
	(void)merge(c.max, b, a);
	for (int i = 0; i < TIMES; i++)
		(void)merge(c.max, lost[i], a);
	device_sync(c.max);
	walks = 0;
	for (int i = 0; i < TIMES; i++) { /* from a to b, which leads to a */
		ops[n++] = op_set(&lost[i], K_ACCOUNT, SAT_OP_UNMERGE,
		    SAT_SYS_REDIRECT, sat_v_null());
		ops[n++] = op_set(&lost[i], K_ACCOUNT, SAT_OP_MERGE,
		    SAT_SYS_REDIRECT, sat_v_id(&b));
	}
	(void)device_commit(c.max, &a, ops, n);
	device_sync(c.max);
	assert_int_equal(SAT_VD_OK, device_last(c.max)->code);
	assert_in_range(walks, 1, 3);
	/* two families at once, and what stood below goes with its customer */
	walks = 0;
	n = 0;
	ops[n++] = op_set(&b, K_ACCOUNT, SAT_OP_UNMERGE, SAT_SYS_REDIRECT,
	    sat_v_null());
	ops[n++] = op_set(&a, K_ACCOUNT, SAT_OP_MERGE, SAT_SYS_REDIRECT,
	    sat_v_id(&b));
	(void)device_commit(c.max, &b, ops, n);
	device_sync(c.max);
	assert_int_equal(SAT_VD_OK, device_last(c.max)->code);
	assert_in_range(walks, 1, 5);
	ends_well(&c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_customer_deleted_and_restored_often_is_walked_through_once),
		cmocka_unit_test(a_customer_merged_and_taken_apart_often_is_walked_through_once),
		cmocka_unit_test(many_redirects_of_a_commit_walk_through_their_customer_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
