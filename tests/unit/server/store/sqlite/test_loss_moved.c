/* A parked commit that goes on under another number after servers were lost
 * (P-391). */
#include "tests/unit/server/store/sqlite/device.h"
#include "tests/unit/server/store/sqlite/loss.h"

/* The link broke before the answer: nobody told him its position. On the next
 * server it was parked, for what it needs came later. */
static void
accepted_unheard_and_parked(company *c, states_of *lost, sat_place *at,
    sat_epoch *e, sat_id *id)
{
	own *o;

	*id = device_account(c->ann, "watched", "ann");
	sync_all(c);
	take_backup(c);
	visit(c->ann, id);
	device_sync(c->ann);
	sync_all(c);
	*lost = all_states(c->w);
	o = device_last(c->ann);
	*at = (sat_place){ c->hq->cursor, c->ann->ord, 1, o->c.cseq,
		o->c.cseq };
	o->state = 0;
	o->lsn = o->eff = 0;
	*e = lose(c, 1000000, SAT_SEED_HQ);
	follow(c->ann, e);
	follow(c->hq, e);
	device_go_on(c->ann);
}

static void
what_goes_on_under_another_number_counts_once(void **state) /* P-252, P-391 */
{
	(void)state;
	for (int late = 0; late < 2; late++) {
		company c = company_new(sat_test_seed(31));
		states_of lost;
		sat_place at;
		sat_epoch e;
		sat_id id;

		accepted_unheard_and_parked(&c, &lost, &at, &e, &id);
		c.places = &at;
		c.nplaces = 1;
		if (late == 1)
			device_sync(c.ann);
		(void)give_state(&c, c.hq, &e, state_in(&lost, &id));
		SYNC(c.ann, c.hq, c.ann);
		assert_int_equal(SAT_VD_OK, device_last(c.ann)->code);
		assert_int_equal(visits_in(&lost, &id), visits_now(&c, &id));
		CHECK(c.ann, c.hq);
		world_verify(c.w);
		free_states(&lost);
		company_free(&c);
	}
}

static void
an_earlier_number_that_cannot_be_is_refused(void **state) /* P-391 */
{
	(void)state;
	for (int what = 0; what < 4; what++) {
		company c = company_new(sat_test_seed(32));
		states_of lost;
		sat_place at;
		sat_epoch e;
		sat_id id;
		own *o;
		sat_err err = { 0 };

		accepted_unheard_and_parked(&c, &lost, &at, &e, &id);
		o = device_last(c.ann);
		if (what == 0) { /* its own */
			o->was.cseq = o->c.cseq;
		} else if (what == 1) { /* of a time to come */
			o->was.incarnation++;
		} else if (what == 2) { /* of what never moved */
			o->c.flags &= (uint8_t)~SAT_CF_MOVED;
			sat_commit_seal(&o->c, c.ann->head);
		}
		assert_rc(what < 3 ? SAT_EPROTO : SAT_OK, device_sync_flags(
		    c.ann, 0, &err));
		assert_int_equal(what < 3 ? 0 : 1, visits_now(&c, &id));
		free_states(&lost);
		company_free(&c);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_goes_on_under_another_number_counts_once),
		cmocka_unit_test(an_earlier_number_that_cannot_be_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
