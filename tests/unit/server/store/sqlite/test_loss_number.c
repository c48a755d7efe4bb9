/* Customer numbers after the loss of a server: none is given twice (P-450). */
#include "tests/unit/server/store/sqlite/loss.h"
#include "tests/unit/server/store/sqlite/number.h"

#include <stdio.h>

/* Where the series goes on after a restore, at least. */
#define BEYOND SAT_EPOCH_SKIP

/* ann had a lease from before the backup; another one, and a customer with its
 * first number, are lost with the server. */
typedef struct lost_lease {
	company c;
	sat_number_range before, after;
	sat_id id;         /* numbered MONTH "021" */
	states_of states;  /* of the server that is lost */
	sat_epoch e;
} lost_lease;

static void
use_up(device *d, int first, int last)
{
	for (int i = first; i <= last; i++) {
		char text[SAT_NUMBER_TEXT];

		(void)snprintf(text, sizeof text, MONTH "%03d", i);
		(void)numbered(d, text, 0);
	}
	device_sync(d);
}

static void
lose_a_lease(lost_lease *x, uint64_t seed)
{
	x->c = company_new(sat_test_seed(seed));
	sync_all(&x->c);
	assert_int_equal(1, lease(x->c.ann, MONTH, 0, &x->before));
	assert_int_equal(20, x->before.last);
	use_up(x->c.ann, 1, 2);
	take_backup(&x->c);
	use_up(x->c.ann, 3, 20);
	assert_int_equal(1, lease(x->c.ann, MONTH, 20, &x->after));
	assert_int_equal(21, x->after.first);
	x->id = numbered(x->c.ann, MONTH "021", 0);
	sync_all(&x->c);
	x->states = all_states(x->c.w);
	x->e = lose(&x->c, 1000000, SAT_SEED_HQ);
	follow(x->c.ann, &x->e);
	follow(x->c.bob, &x->e);
	follow(x->c.hq, &x->e);
}

static void
lost_lease_free(lost_lease *x)
{
	world_verify(x->c.w);
	free_states(&x->states);
	company_free(&x->c);
}

/* Nobody is given what ann was, nor is it his if he takes it. */
static void
a_number_given_after_the_backup_is_given_to_nobody_else(void **state) /* N2 */
{
	(void)state;
	for (int way = 0; way < 3; way++) {
		lost_lease x;
		company *c = &x.c;
		sat_number_range r[8];
		char text[SAT_NUMBER_TEXT];
		sat_id hers, taken;

		lose_a_lease(&x, 40);
		if (way < 2) /* or what her own device brings is all */
			assert_int_equal(1, give_state(c, c->hq, &x.e,
			    state_in(&x.states, &x.id)).taken);
		if (way > 0)
			device_sync(c->ann);
		assert_int_equal(1, lease(c->bob, MONTH, 0, r));
		assert_true(r[0].first > BEYOND);
		sat_number_text(text, MONTH, r[0].first);
		hers = numbered(c->bob, text, 0);
		taken = numbered(c->bob, MONTH "021", 0);
		SYNC(c->bob, c->ann, c->hq, c->bob);
		assert_number(c->hq, &x.id, MONTH "021", NULL);
		assert_number(c->hq, &hers, text, NULL);
		sat_number_text(text, MONTH, r[0].last + 1);
		assert_number(c->hq, &taken, text, MONTH "021");
		SETTLE(c->hq, c->ann, c->bob);
		lost_lease_free(&x);
	}
}

/* A customer of hers got its card while the server was away. */
static void
a_number_of_a_lost_lease_stays_with_who_was_given_it(void **state) /* P-450 */
{
	lost_lease x;
	device *ann, *hq;
	sat_number_range r[8];
	sat_id id, twice, beyond;
	char text[SAT_NUMBER_TEXT], fresh[SAT_NUMBER_TEXT];

	(void)state;
	lose_a_lease(&x, 41);
	ann = x.c.ann;
	hq = x.c.hq;
	id = numbered(ann, MONTH "022", 0);
	twice = numbered(ann, MONTH "022", 0);
	sat_number_text(text, MONTH, 5 * BEYOND);
	beyond = numbered(ann, text, 0);
	SYNC(ann, hq);
	assert_number(hq, &x.id, MONTH "021", NULL);
	assert_number(hq, &id, MONTH "022", NULL);
	sat_number_text(fresh, MONTH, BEYOND + 21);
	assert_number(hq, &twice, fresh, MONTH "022");
	sat_number_text(fresh, MONTH, BEYOND + 22);
	assert_number(hq, &beyond, fresh, text);
	/* what she asks for next lies behind */
	assert_int_equal(1, lease(ann, MONTH, x.after.last, r));
	assert_int_equal(BEYOND + 23, r[0].first);
	lost_lease_free(&x);
}

/* Of the backup: people and devices only. */
static void
make_kit(company *c)
{
	sat_sqlite_store_opts o = { .path = c->backup,
		.clock = { world_now, world_now, c->w } };
	sat_sqlite_store *s;
	sat_err err = { 0 };

	assert_ok(sat_sqlite_store_open(&s, &o, &err));
	assert_ok(sat_sqlite_registry_only(s, &err));
	sat_sqlite_store_close(s);
}

/* What the kit or the backup knows nothing of may have been given as well: the
 * month that began since. The next one begins at 1. */
static void
a_month_that_began_after_the_backup_begins_above(void **state) /* N2 */
{
	(void)state;
	for (int kit = 0; kit < 2; kit++) {
		company c = company_new(sat_test_seed(42));
		sat_number_range r[8];
		sat_epoch e;

		sync_all(&c);
		take_backup(&c);
		if (kit)
			make_kit(&c);
		assert_int_equal(1, lease(c.ann, MONTH, 0, r));
		assert_int_equal(1, r[0].first);
		c.w->now_ms += 40 * 86400000ll; /* the 24th of February */
		assert_int_equal(1, lease(c.ann, "C202702", 0, r));
		assert_int_equal(1, r[0].first);
		assert_int_equal(1, lease(c.ann, "C202703", 0, r));
		assert_int_equal(1, r[0].first);
		e = lose(&c, 1000000, SAT_SEED_HQ);
		follow(c.bob, &e);
		device_sync(c.bob);
		assert_int_equal(1, lease(c.bob, "C202702", 0, r));
		assert_int_equal(BEYOND + 1, r[0].first);
		assert_int_equal(1, lease(c.bob, "C202703", 0, r));
		assert_int_equal(BEYOND + 1, r[0].first);
		c.w->now_ms += 31 * 86400000ll;
		assert_int_equal(1, lease(c.bob, "C202704", 0, r));
		assert_int_equal(1, r[0].first);
		company_free(&c);
	}
}

/* Imported meanwhile for another customer: the one that comes back gets a fresh
 * one, as anybody who is second. */
static void
of_two_that_show_one_number_the_second_gets_another(void **state) /* N1 */
{
	lost_lease x;
	device *hq;
	sat_id other;
	char fresh[SAT_NUMBER_TEXT];

	(void)state;
	lose_a_lease(&x, 43);
	hq = x.c.hq;
	other = numbered(x.c.bob, MONTH "021", SAT_CF_IMPORT);
	device_sync(x.c.bob);
	assert_int_equal(1, give_state(&x.c, hq, &x.e, state_in(&x.states,
	    &x.id)).taken);
	SYNC(hq, x.c.ann, x.c.bob, hq);
	sat_number_text(fresh, MONTH, BEYOND + 21);
	assert_number(hq, &other, MONTH "021", NULL);
	assert_number(hq, &x.id, fresh, MONTH "021");
	SETTLE(hq, x.c.ann, x.c.bob);
	lost_lease_free(&x);
}

/* Two servers are lost one behind the other. */
static void
each_new_epoch_leaves_its_own_numbers_out(void **state) /* N2 */
{
	lost_lease x;
	company *c = &x.c;
	sat_number_range r[8];
	sat_id first;
	char text[SAT_NUMBER_TEXT];

	(void)state;
	lose_a_lease(&x, 44);
	take_backup(c);
	device_sync(c->bob);
	assert_int_equal(1, lease(c->bob, MONTH, 0, r));
	assert_int_equal(BEYOND + 21, r[0].first);
	sat_number_text(text, MONTH, r[0].first);
	first = numbered(c->bob, text, 0);
	device_sync(c->bob);
	c->w->now_ms += 1000;
	x.e = lose(c, 1000000, SAT_SEED_HQ);
	follow(c->bob, &x.e);
	follow(c->ann, &x.e);
	follow(c->hq, &x.e);
	SYNC(c->ann, c->bob, c->hq);
	assert_number(c->hq, &first, text, NULL);
	assert_number(c->hq, &x.id, MONTH "021", NULL);
	assert_int_equal(1, lease(c->ann, MONTH, x.after.last, r));
	assert_int_equal(2 * BEYOND + 21, r[0].first);
	SETTLE(c->ann, c->bob);
	lost_lease_free(&x);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_number_given_after_the_backup_is_given_to_nobody_else),
		cmocka_unit_test(
		    a_number_of_a_lost_lease_stays_with_who_was_given_it),
		cmocka_unit_test(
		    a_month_that_began_after_the_backup_begins_above),
		cmocka_unit_test(
		    of_two_that_show_one_number_the_second_gets_another),
		cmocka_unit_test(each_new_epoch_leaves_its_own_numbers_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
