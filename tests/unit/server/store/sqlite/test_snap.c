/* Chunks of a snapshot: what they say beside their states. */
#include "tests/unit/server/store/sqlite/device.h"

#define SMALL 700 /* bytes: a few records */

static world *
small_chunks(uint64_t seed)
{
	world *w = world_company(seed);

	world_stop(w);
	w->chunk_bytes = SMALL;
	world_start(w);
	return w;
}

static sat_chunk
chunk(device *d, uint64_t after, sat_arena *a)
{
	sat_msg m = { .type = SAT_MSG_SNAP, .u.snap = { .after = after } };
	sat_err err;

	assert_ok(device_say(&m, a, d, &err));
	assert_int_equal(SAT_MSG_CHUNK, m.type);
	return m.u.chunk;
}

static sat_hlc
larger(sat_hlc a, sat_hlc b)
{
	return a > b ? a : b;
}

/* The largest stamp of its states; *n records more. */
static sat_hlc
stamps_in(const sat_chunk *c, size_t *n, sat_arena *a)
{
	sat_record *r;
	sat_hlc max = 0;
	size_t more = 0;
	sat_err err = { 0 };

	if (c->records.n > 0)
		assert_ok(sat_records_read(&r, &more, a, c->records, &err));
	for (size_t i = 0; i < more; i++) {
		max = larger(max, larger(r[i].born.hlc, r[i].del_at.hlc));
		for (size_t k = 0; k < r[i].ncells; k++)
			max = larger(max, r[i].cells[k].at.hlc);
	}
	*n += more;
	return max;
}

static void
a_chunk_says_the_largest_stamp_of_its_states(void **state) /* P-095 */
{
	world *w = small_chunks(sat_test_seed(61));
	device *ann = device_new(w, "ann"), *hq = device_new(w, "hq"), *late;
	sat_id acc, gone;
	sat_arena a = { 0 };
	sat_chunk c = { 0 };
	size_t n = 0, chunks = 0;
	sat_hlc most = 0;

	(void)state;
	for (int i = 0; i < 30; i++)
		(void)device_account(ann, "early", "ann");
	acc = device_account(ann, "edited", "ann");
	gone = device_account(ann, "deleted", "ann");
	SYNC(ann, hq);
	/* one whose value is the latest thing, one whose deletion is */
	ann->skew_ms = 50000;
	(void)device_edit(ann, &acc, &acc, K_ACCOUNT, SAT_OP_SET, A_REMARK,
	    txt("x"));
	device_sync(ann);
	hq->skew_ms = 55000;
	(void)device_commit(hq, &gone, &(sat_op){ .kind = SAT_OP_DEL,
	    .rtype = K_ACCOUNT, .rec = gone }, 1);
	SYNC(hq, ann);
	late = device_new(w, "ann");
	late->link.greeted = true; /* as after a hello */
	late->link.device = late->ord;
	do {
		sat_hlc max;

		c = chunk(late, c.next, &a);
		max = stamps_in(&c, &n, &a);
		assert_true(c.max_eff == max);
		most = larger(most, max);
		chunks++;
	} while (!c.done);
	assert_true(chunks > 2);
	assert_int_equal(32, n);
	assert_true(most == hq->out[0].eff);
	sat_arena_fini(&a);
	/* who took it writes above all of it (P-016) */
	late = device_new(w, "ann");
	device_sync(late);
	(void)device_edit(late, &acc, &acc, K_ACCOUNT, SAT_OP_SET, A_REMARK,
	    txt("y"));
	assert_true(late->out[0].c.hlc > most);
	SYNC(late, ann);
	CHECK(late, ann);
	world_free(w);
}

/* An upper bound, so that a bar does not run over, counted once. */
static void
the_total_is_counted_once_and_never_too_small(void **state) /* P-094 */
{
	world *w = small_chunks(sat_test_seed(62));
	device *ann = device_new(w, "ann"), *sue = device_new(w, "sue");
	device *of[2];

	(void)state;
	device_sync(ann);
	for (int i = 0; i < 20; i++) {
		(void)device_account(ann, "north", "ann");
		(void)device_account(sue, "south", "sue");
	}
	SYNC(ann, sue);
	of[0] = device_new(w, "ann");
	of[1] = device_new(w, "hq");
	for (int i = 0; i < 2; i++) {
		device *d = of[i];
		sat_arena a = { 0 };
		sat_chunk c = { 0 };
		size_t n = 0;
		uint64_t total = 0;

		d->link.greeted = true;
		d->link.device = d->ord;
		do {
			c = chunk(d, c.next, &a);
			(void)stamps_in(&c, &n, &a);
			if (total == 0) {
				total = c.total;
				assert_int_equal(20 * (i + 1) + i, total);
				/* more of it meanwhile: not counted again */
				(void)device_account(ann, "more", "ann");
				device_sync(ann);
			}
			assert_int_equal(total, c.total);
		} while (!c.done);
		assert_true(n >= total && n <= total + 1);
		sat_arena_fini(&a);
	}
	world_free(w);
}

/* What stands for itself, or hangs on a customer, stays where it is. */
static void
only_a_merge_moves_a_record_and_nobody_changes_teams(void **state) /* P-089 */
{
	world *w = world_company(sat_test_seed(63));
	device *ann = device_new(w, "ann"), *hq = device_new(w, "hq");
	sat_id a = device_account(ann, "first", "ann");
	sat_id b = device_account(ann, "second", "ann");
	sat_id under = device_activity(ann, &a, "called"), alone, before;
	const sat_user *u;
	sat_err err = { 0 };

	(void)state;
	SYNC(ann, hq);
	before = device_find(hq, &under, 0)->root;
	assert_true(sat_id_eq(&a, &before));
	(void)device_edit(ann, &a, &under, K_ACTIVITY, SAT_OP_SET, T_ACCOUNT,
	    sat_v_id(&b));
	SYNC(ann, hq);
	before = device_find(hq, &under, 0)->root;
	assert_true(sat_id_eq(&a, &before));
	/* a follow-up of nobody's customer, then of one */
	alone = device_id(ann);
	(void)device_commit(ann, &alone, (sat_op[]){
	    { .kind = SAT_OP_NEW, .rtype = K_OPP, .rec = alone },
	    op_set(&alone, K_OPP, SAT_OP_SET, O_NAME, txt("alone")),
	    op_set(&alone, K_OPP, SAT_OP_REASSIGN, O_OWNER, txt("ann")) }, 3);
	device_sync(ann);
	assert_int_equal(SAT_VD_OK, device_last(ann)->code);
	(void)device_edit(ann, &alone, &alone, K_OPP, SAT_OP_SET, O_ACCOUNT,
	    sat_v_id(&b));
	SYNC(ann, hq);
	assert_string_equal("parent.late", device_last(ann)->slug);
	CHECK(ann, hq);
	/* a name and a role may change; there is no way to name a team */
	assert_ok(sat_sqlite_user_edit(w->store, "ann", "Ann", "manager", NULL,
	    &err));
	assert_ok(sat_server_reload(w->server, &err));
	u = sat_registry_user(sat_server_registry(w->server),
	    sat_span_str("ann"));
	assert_string_equal("manager", u->role);
	assert_string_equal("north", sat_registry_team_ord(sat_server_registry(
	    w->server), u->team)->key);
	SYNC(ann, hq);
	world_verify(w);
	world_free(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_chunk_says_the_largest_stamp_of_its_states),
		cmocka_unit_test(the_total_is_counted_once_and_never_too_small),
		cmocka_unit_test(
		    only_a_merge_moves_a_record_and_nobody_changes_teams),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
