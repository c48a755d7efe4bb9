/*
 * States and places in any number: whoever gives states back decides how much there
 * is to compare, and a server has one worker. Work is counted, not timed.
 */
#include "tests/unit/server/store/sqlite/device.h"
#include "tests/unit/server/store/sqlite/loss.h"

#include <stdlib.h>

#define STATES 40
#define CHAINS 30

typedef struct many {
	company c;
	sat_epoch first, second; /* of two losses */
	sat_record r[SAT_SEED_STATES_MAX + 1];
	sat_cell cells[SAT_SEED_STATES_MAX + 1];
} many;

/* Two servers are lost, so two states may each have what the other one lacks. */
static many *
many_new(void)
{
	many *m = sat_xcalloc(1, sizeof *m);

	m->c = company_new(sat_test_seed(21));
	some_work(&m->c, 8);
	take_backup(&m->c);
	m->first = lose(&m->c, 1000000, SAT_SEED_HQ);
	follow(m->c.bob, &m->first);
	(void)device_account(m->c.bob, "another", "bob");
	device_sync(m->c.bob);
	take_backup(&m->c);
	m->c.w->now_ms += 1000;
	m->second = lose(&m->c, 1000000, SAT_SEED_HQ);
	follow(m->c.hq, &m->first);
	follow(m->c.hq, &m->second);
	return m;
}

static void
many_free(many *m)
{
	free(m->c.places);
	company_free(&m->c);
	free(m);
}

/* n customers as the server that `e` came after had them, of who is not back. */
static sat_seeded
give_many(many *m, const sat_epoch *e, int n, sat_rc want)
{
	for (int i = 0; i < n; i++) {
		sat_record *r = &m->r[i];
		uint64_t lsn = e->base_lsn + 1000 + 10 * (uint64_t)i;

		*r = (sat_record){ .kind = K_ACCOUNT, .rlsn = lsn,
			.born = { sat_hlc_of_ms(m->c.w->now_ms), 900, lsn },
			.cells = &m->cells[i], .ncells = 1 };
		r->id.b[0] = 7;
		r->id.b[1] = (uint8_t)(i >> 8);
		r->id.b[2] = (uint8_t)i;
		m->cells[i] = (sat_cell){ .field = A_REMARK,
			.value = txt("remark"), .at = r->born };
	}
	return give(&m->c, m->c.hq, m->second.epoch, m->r, (size_t)n, want);
}

/* Commits number from.. of so many devices that nobody knows, each below another
 * position of both servers. */
static void
tell(many *m, size_t n, uint64_t from)
{
	sat_place *p = sat_xcalloc(n, sizeof *p);

	free(m->c.places);
	for (size_t i = 0; i < n; i++) {
		const sat_epoch *e = i % 2 == 0 ? &m->first : &m->second;

		p[i] = (sat_place){ e->base_lsn + 500 + i, 900 +
			(uint32_t)(i % CHAINS), 1, from + 4 * i, from + 4 * i };
	}
	m->c.places = p;
	m->c.nplaces = n;
}

static void
what_is_known_of_a_chain_is_asked_once_for_all_states(void **state) /* B2, P-394 */
{
	many *m = many_new();
	unsigned long before;
	sat_seeded out;

	(void)state;
	tell(m, 20 * CHAINS, 1);
	out = give_many(m, &m->second, STATES, SAT_OK);
	assert_int_equal(STATES, out.taken);
	before = m->c.w->gaps_asked;
	out = give_many(m, &m->first, STATES, SAT_OK);
	assert_int_equal(STATES, out.taken + out.known);
	assert_true(m->c.w->gaps_asked > before); /* they were compared */
	assert_true(m->c.w->gaps_asked <= before + CHAINS);
	world_verify(m->c.w);
	many_free(m);
}

static bool
on_place(void *u, const sat_place *p)
{
	(void)p;
	++*(size_t *)u;
	return true;
}

static size_t
kept(many *m)
{
	sat_store *st = &m->c.w->real;
	sat_err err = { 0 };
	size_t n = 0;

	assert_ok(st->places_all(st->u, on_place, &n, &err));
	return n;
}

static void
more_states_or_places_than_one_frame_may_have_are_refused(void **state) /* P-394 */
{
	many *m = many_new();

	(void)state;
	tell(m, 10, 1);
	(void)give_many(m, &m->first, SAT_SEED_STATES_MAX + 1, SAT_EPROTO);
	assert_int_equal(0, kept(m));
	assert_int_equal(SAT_SEED_STATES_MAX, give_many(m, &m->first,
	    SAT_SEED_STATES_MAX, SAT_OK).taken);
	assert_int_equal(10, kept(m));
	tell(m, SAT_SEED_PLACES_MAX + 1, 1);
	(void)give_many(m, &m->first, 1, SAT_EPROTO);
	assert_int_equal(10, kept(m));
	many_free(m);
}

static void
of_what_a_device_tells_in_an_epoch_so_much_is_kept(void **state) /* P-394 */
{
	many *m = many_new();

	(void)state;
	tell(m, SAT_SEED_PLACES_MAX - 1, 1);
	(void)give_many(m, &m->first, 1, SAT_OK);
	(void)give_many(m, &m->first, 1, SAT_OK); /* known: it does not count */
	assert_int_equal(SAT_SEED_PLACES_MAX - 1, kept(m));
	tell(m, 3, 3);
	(void)give_many(m, &m->first, 1, SAT_OK);
	assert_int_equal(SAT_SEED_PLACES_MAX, kept(m));
	/* a new epoch, a new share */
	take_backup(&m->c);
	m->c.w->now_ms += 1000;
	m->second = lose(&m->c, 1000000, SAT_SEED_HQ);
	follow(m->c.hq, &m->second);
	(void)give_many(m, &m->first, 1, SAT_OK);
	assert_int_equal(SAT_SEED_PLACES_MAX + 2, kept(m));
	many_free(m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    what_is_known_of_a_chain_is_asked_once_for_all_states),
		cmocka_unit_test(
		    more_states_or_places_than_one_frame_may_have_are_refused),
		cmocka_unit_test(
		    of_what_a_device_tells_in_an_epoch_so_much_is_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
