/*
 * A child and the deletion of its customer that did not know of each other:
 * both are accepted, and a person is asked (P-255).
 */
#include "tests/unit/server/store/sqlite/device.h"

typedef struct pair {
	world *w;
	device *ann, *hq;
	sat_id acc;
} pair;

static pair
pair_new(uint64_t seed)
{
	pair p = { .w = world_of(seed, "ann rep north, hq hq") };

	p.ann = device_new(p.w, "ann");
	p.hq = device_new(p.w, "hq");
	p.acc = device_account(p.ann, "first", "ann");
	SYNC(p.ann, p.hq);
	return p;
}

static void
delete(pair *p)
{
	(void)device_edit(p->hq, &p->acc, &p->acc, K_ACCOUNT, SAT_OP_DEL, 0,
	    sat_v_null());
}

static const sat_record *
as_held(device *d, const sat_id *id)
{
	static sat_record r;
	held *h = device_find(d, id, 0);
	sat_err err = { 0 };

	assert_non_null(h);
	assert_ok(sat_record_read(&r, &d->mem, sat_buf_span(&h->state), &err));
	return &r;
}

static void
done(pair *p)
{
	for (int i = 0; i < 2; i++) {
		SYNC(p->ann, p->hq);
	}
	CHECK(p->ann, p->hq);
	world_verify(p->w);
	device_free(p->ann);
	device_free(p->hq);
	world_free(p->w);
}

static void
a_child_under_a_customer_that_was_deleted_meanwhile_asks_a_person(void **state)
{
	(void)state;
	for (int child_first = 0; child_first < 2; child_first++) {
		pair p = pair_new(sat_test_seed(1));
		sat_id visit = device_activity(p.ann, &p.acc, "was there");

		delete(&p);
		device_sync(child_first ? p.ann : p.hq);
		device_sync(child_first ? p.hq : p.ann);
		assert_false(sat_vd_refused(p.ann->out[p.ann->nout - 1].code));
		assert_false(sat_vd_refused(p.hq->out[p.hq->nout - 1].code));
		SYNC(p.ann, p.hq);
		assert_true(as_held(p.hq, &p.acc)->deleted);
		assert_true(as_held(p.hq, &p.acc)->with_edits);
		assert_true(as_held(p.ann, &p.acc)->with_edits);
		assert_false(as_held(p.hq, &visit)->deleted);
		/* who saw both confirms */
		delete(&p);
		device_sync(p.hq);
		assert_true(as_held(p.hq, &p.acc)->deleted);
		assert_false(as_held(p.hq, &p.acc)->with_edits);
		done(&p);
	}
}

static void
who_had_seen_the_child_deletes_without_a_question(void **state)
{
	pair p = pair_new(sat_test_seed(2));

	(void)state;
	(void)device_activity(p.ann, &p.acc, "was there");
	SYNC(p.ann, p.hq);
	delete(&p);
	SYNC(p.hq, p.hq);
	assert_true(as_held(p.hq, &p.acc)->deleted);
	assert_false(as_held(p.hq, &p.acc)->with_edits);
	done(&p);
}

static void
a_child_that_is_gone_itself_holds_nothing_up(void **state)
{
	pair p = pair_new(sat_test_seed(3));
	device *other = device_new(p.w, "hq");
	sat_id visit;

	(void)state;
	visit = device_activity(p.ann, &p.acc, "by mistake");
	SYNC(p.ann, other);
	(void)device_edit(other, &p.acc, &visit, K_ACTIVITY, SAT_OP_DEL, 0,
	    sat_v_null());
	device_sync(other);
	assert_false(sat_vd_refused(other->out[other->nout - 1].code));
	delete(&p);
	device_sync(p.hq);
	assert_true(as_held(p.hq, &p.acc)->deleted);
	assert_false(as_held(p.hq, &p.acc)->with_edits);
	device_free(other);
	done(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_child_under_a_customer_that_was_deleted_meanwhile_asks_a_person),
		cmocka_unit_test(
		    who_had_seen_the_child_deletes_without_a_question),
		cmocka_unit_test(a_child_that_is_gone_itself_holds_nothing_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
