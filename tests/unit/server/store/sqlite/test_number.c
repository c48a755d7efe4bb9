/* Customer numbers: leased, final, replaced; never given twice (P-140..). */
#include "tests/unit/server/store/sqlite/number.h"

static world *
small_world(uint64_t seed)
{
	return world_of(seed, "ann rep north, sue rep, hq hq, root admin");
}

static void
a_leased_number_is_final_at_once(void **state)
{
	world *w = small_world(1);
	device *ann = device_new(w, "ann"), *hq = device_new(w, "hq");
	sat_number_range r[8], again[8];
	sat_id id;

	(void)state;
	device_sync(ann);
	assert_int_equal(1, lease(ann, MONTH, 0, r));
	assert_int_equal(1, r[0].first);
	assert_int_equal(20, r[0].last);
	/* the answer that was lost comes again, nothing more */
	assert_int_equal(1, lease(ann, MONTH, 0, again));
	assert_int_equal(1, again[0].first);
	assert_int_equal(20, again[0].last);
	assert_int_equal(0, lease(ann, MONTH, 20, again));
	id = numbered(ann, MONTH "001", 0);
	SYNC(ann, hq);
	assert_number(hq, &id, MONTH "001", NULL);
	/* one was used: the next block, behind the first */
	assert_int_equal(1, lease(ann, MONTH, 20, r));
	assert_int_equal(21, r[0].first);
	assert_int_equal(40, r[0].last);
	SETTLE(ann, hq);
	world_verify(w);
	world_free(w);
}

static void
a_provisional_number_is_replaced_right_behind(void **state) /* P-145 */
{
	world *w = small_world(2);
	device *ann = device_new(w, "ann");
	sat_number_range r[8];
	sat_id a, b;

	(void)state;
	device_sync(ann);
	(void)lease(ann, MONTH, 0, r);
	a = numbered(ann, MONTH "-P1-0001", 0);
	b = numbered(ann, "C202612-P1-0009", 0); /* made in December */
	device_sync(ann);
	assert_number(ann, &a, MONTH "021", MONTH "-P1-0001");
	assert_number(ann, &b, "C202612001", "C202612-P1-0009");
	device_sync(ann);
	device_check(ann);
	world_verify(w);
	world_free(w);
}

/* Restored backup, copied folder, invention: each gets a number of its own. */
static void
the_author_is_told_the_new_number_with_the_verdict(void **state) /* P-322, W1 */
{
	world *w = small_world(9);
	device *ann = device_new(w, "ann");
	sat_number_range r[8];
	own *o;

	(void)state;
	device_sync(ann);
	assert_int_equal(1, lease(ann, MONTH, 0, r));
	(void)numbered(ann, MONTH "-P1-0001", 0);
	(void)numbered(ann, MONTH "001", 0);
	(void)device_account(ann, "none yet", "ann");
	device_sync(ann);
	o = &ann->out[ann->nout - 3];
	assert_string_equal("RENUMBERED=" MONTH "021", o[0].hint);
	assert_int_equal(3, o[0].hint_op);
	assert_string_equal("", o[1].hint); /* leased: it stays */
	assert_string_equal("", o[2].hint);
	/* the answer was lost: it is the same one */
	for (size_t i = 0; i < 3; i++) {
		o[i].state = 0;
		o[i].lsn = 0;
		o[i].hint[0] = '\0';
	}
	device_sync(ann);
	assert_string_equal("RENUMBERED=" MONTH "021", o[0].hint);
	assert_string_equal("", o[1].hint);
	device_check(ann);
	world_free(w);
}

static void
a_number_in_use_or_not_leased_is_replaced(void **state)
{
	world *w = small_world(3);
	device *ann = device_new(w, "ann"), *sue = device_new(w, "sue");
	sat_number_range r[8];
	sat_id id[5];

	(void)state;
	SYNC(ann, sue);
	(void)lease(ann, MONTH, 0, r);
	id[0] = numbered(ann, MONTH "001", 0);
	id[1] = numbered(ann, MONTH "001", 0);   /* twice */
	device_sync(ann);
	id[2] = numbered(sue, MONTH "002", 0);   /* ann's */
	id[3] = numbered(sue, MONTH "500", 0);   /* nobody's */
	device_sync(sue);
	device_move(ann, 2);
	id[4] = numbered(ann, MONTH "003", 0);   /* of incarnation 1 */
	device_sync(ann);
	assert_number(ann, &id[0], MONTH "001", NULL);
	assert_number(ann, &id[1], MONTH "021", MONTH "001");
	assert_number(sue, &id[2], MONTH "022", MONTH "002");
	assert_number(sue, &id[3], MONTH "023", MONTH "500");
	assert_number(ann, &id[4], MONTH "024", MONTH "003");
	SETTLE(ann, sue);
	world_verify(w);
	world_free(w);
}

/* A new incarnation gets new ranges; the old ones are never given again. */
static void
a_new_incarnation_gets_new_numbers(void **state) /* P-143 */
{
	world *w = small_world(4);
	device *ann = device_new(w, "ann");
	sat_number_range r[8];

	(void)state;
	device_sync(ann);
	(void)lease(ann, MONTH, 0, r);
	device_move(ann, 2);
	device_sync(ann);
	assert_int_equal(1, lease(ann, MONTH, 0, r));
	assert_int_equal(21, r[0].first);
	world_free(w);
}

/* A device says itself which incarnation it is in. */
static void
incarnations_do_not_use_a_series_up(void **state) /* P-143 */
{
	world *w = small_world(10);
	device *ann = device_new(w, "ann"), *sue = device_new(w, "sue");
	sat_number_range r[8];
	uint32_t inc = 1;

	(void)state;
	SYNC(ann, sue);
	for (; inc <= 16; inc++) {
		device_move(ann, inc);
		device_sync(ann);
		assert_int_equal(1, lease(ann, MONTH, 0, r));
		assert_int_equal(20 * inc - 19, r[0].first);
	}
	/* the one that has some is told of them, and may use them up */
	assert_int_equal(1, lease(ann, MONTH, 0, r));
	(void)numbered(ann, MONTH "301", 0);
	device_sync(ann);
	assert_int_equal(1, lease(ann, MONTH, 320, r));
	assert_int_equal(321, r[0].first);
	device_move(ann, inc);
	device_sync(ann);
	assert_int_equal(0, lease(ann, MONTH, 0, r));
	assert_int_equal(1, lease(sue, MONTH, 0, r));
	assert_int_equal(341, r[0].first);
	w->now_ms += 86400000ll;
	device_sync(ann);
	assert_int_equal(1, lease(ann, MONTH, 0, r));
	assert_int_equal(361, r[0].first);
	world_free(w);
}

/* What an import brings stays, unless somebody has it; and is not given again. */
static void
an_imported_number_stays_and_is_not_given_again(void **state)
{
	world *w = small_world(5);
	device *ann = device_new(w, "ann");
	sat_number_range r[8];
	sat_id a, b, c, d;

	(void)state;
	device_sync(ann);
	a = numbered(ann, MONTH "007", SAT_CF_IMPORT);
	b = numbered(ann, "KH-0099", SAT_CF_IMPORT);
	c = numbered(ann, "KH-0099", SAT_CF_IMPORT);
	device_sync(ann);
	assert_number(ann, &a, MONTH "007", NULL);
	assert_number(ann, &b, "KH-0099", NULL);
	assert_number(ann, &c, MONTH "008", "KH-0099");
	(void)lease(ann, MONTH, 0, r);
	assert_int_equal(9, r[0].first);
	d = numbered(ann, MONTH "010", SAT_CF_IMPORT); /* leased to ann: hers */
	device_sync(ann);
	assert_number(ann, &d, MONTH "010", NULL);
	world_verify(w);
	world_free(w);
}

static void
past_999_the_digits_grow(void **state)
{
	world *w = small_world(6);
	device *ann = device_new(w, "ann");
	sat_id a, b;

	(void)state;
	a = numbered(ann, MONTH "999", SAT_CF_IMPORT);
	b = numbered(ann, MONTH "-P1-0001", 0);
	device_sync(ann);
	assert_number(ann, &a, MONTH "999", NULL);
	assert_number(ann, &b, MONTH "1000", MONTH "-P1-0001");
	world_free(w);
}

/* Who may create nothing, or asks for another month, gets none. */
static void
numbers_are_leased_for_what_the_user_may_create_now(void **state) /* P-141 */
{
	world *w = small_world(7);
	device *ann = device_new(w, "ann"), *root = device_new(w, "root");
	sat_number_range r[8];

	(void)state;
	SYNC(ann, root);
	assert_int_equal(0, lease(root, MONTH, 0, r));
	assert_int_equal(0, lease(ann, "C202702", 0, r));
	assert_int_equal(0, lease(ann, "X202701", 0, r));
	w->now_ms += 12 * 86400000ll; /* the 27th */
	assert_int_equal(1, lease(ann, "C202702", 0, r));
	world_free(w);
}

static void
a_voided_lease_is_worth_nothing(void **state)
{
	world *w = small_world(8);
	device *ann = device_new(w, "ann");
	sat_number_range r[8];
	sat_err err = { 0 };
	sat_id id;
	size_t n;

	(void)state;
	device_sync(ann);
	(void)lease(ann, MONTH, 0, r);
	assert_ok(sat_sqlite_lease_void(&n, w->store, "", ann->ord, &err));
	assert_int_equal(1, n);
	id = numbered(ann, MONTH "001", 0);
	device_sync(ann);
	assert_number(ann, &id, MONTH "021", MONTH "001");
	world_free(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_leased_number_is_final_at_once),
		cmocka_unit_test(a_provisional_number_is_replaced_right_behind),
		cmocka_unit_test(the_author_is_told_the_new_number_with_the_verdict),
		cmocka_unit_test(a_number_in_use_or_not_leased_is_replaced),
		cmocka_unit_test(a_new_incarnation_gets_new_numbers),
		cmocka_unit_test(incarnations_do_not_use_a_series_up),
		cmocka_unit_test(an_imported_number_stays_and_is_not_given_again),
		cmocka_unit_test(past_999_the_digits_grow),
		cmocka_unit_test(
		    numbers_are_leased_for_what_the_user_may_create_now),
		cmocka_unit_test(a_voided_lease_is_worth_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
