/* A showroom's scopes: kiosks hold nothing, desks what waits, crews the queue. */
#include "tests/unit/server/store/sqlite/device.h"

#define DAY 86400000ll
enum { K_VISIT = 14, V_VISITOR = 3, V_ARRIVED = 9, V_CONSULTANT = 11,
	K_TURN = 30, R_STATION = 1, R_CONSULTANT = 4, R_RECORDER = 10 };

static world *
showroom(uint64_t seed)
{
	return world_of(seed, "ann rep north, max manager north, "
	    "rec receptionist north, kio kiosk north, sue receptionist south, "
	    "hq hq");
}

static sat_id
visit(device *d, const char *name)
{
	sat_id id = device_id(d);
	sat_op ops[] = {
		op_set(&id, K_VISIT, SAT_OP_NEW, 0, sat_v_null()),
		op_set(&id, K_VISIT, SAT_OP_SET, V_VISITOR, txt(name)),
		op_set(&id, K_VISIT, SAT_OP_SET, V_ARRIVED,
		    sat_v_int(d->w->now_ms)),
		op_set(&id, K_VISIT, SAT_OP_REASSIGN, V_CONSULTANT,
		    txt(d->user_key)),
	};

	(void)device_commit(d, &id, ops, 4);
	return id;
}

static sat_verdict_code
said(const device *d)
{
	return d->out[d->nout - 1].code;
}

static void
what_a_kiosk_took_in_waits_at_its_own_desk(void **state) /* P-271, P-272 */
{
	world *w = showroom(1);
	device *kio = device_new(w, "kio"), *rec = device_new(w, "rec");
	device *sue = device_new(w, "sue"), *max = device_new(w, "max");
	device *ann = device_new(w, "ann"), *hq = device_new(w, "hq");
	device *all[] = { rec, sue, max, ann, hq };
	sat_id id;

	(void)state;
	for (size_t i = 0; i < 5; i++)
		device_sync(all[i]);
	id = visit(kio, "Gnu");
	device_sync(kio);
	assert_int_equal(SAT_VD_OK, said(kio));
	for (size_t i = 0; i < 5; i++)
		device_sync(all[i]);
	assert_non_null(device_find(rec, &id, 0));
	assert_non_null(device_find(max, &id, 0));
	assert_non_null(device_find(hq, &id, 0));
	assert_null(device_find(sue, &id, 0));
	assert_null(device_find(ann, &id, 0));
	/* given to ann: the desk lets go of it, ann gets it */
	(void)device_edit(rec, &id, &id, K_VISIT, SAT_OP_REASSIGN, V_CONSULTANT,
	    txt("ann"));
	device_sync(rec);
	assert_int_equal(SAT_VD_OK, said(rec));
	SYNC(rec, ann);
	assert_null(device_find(rec, &id, 0));
	assert_non_null(device_find(ann, &id, 0));
	/* and is no business of the desk's any more */
	(void)device_edit(rec, &id, &id, K_VISIT, SAT_OP_REASSIGN, V_CONSULTANT,
	    txt("rec"));
	device_sync(rec);
	assert_int_equal(SAT_VD_REJECTED, said(rec));
	for (size_t i = 0; i < 5; i++) {
		device_sync(all[i]);
		device_check(all[i]);
	}
	world_verify(w);
	world_free(w);
}

static void
what_the_desk_wrote_before_it_heard_is_late_and_not_lost(void **state)
{ /* P-086 */
	world *w = showroom(5);
	device *kio = device_new(w, "kio"), *rec = device_new(w, "rec");
	device *max = device_new(w, "max"), *sue = device_new(w, "sue");
	sat_id id;

	(void)state;
	id = visit(kio, "Gnu");
	SYNC(kio, rec, max, sue);
	(void)device_edit(max, &id, &id, K_VISIT, SAT_OP_REASSIGN, V_CONSULTANT,
	    txt("ann"));
	device_sync(max);
	(void)device_edit(rec, &id, &id, K_VISIT, SAT_OP_SET, 15,
	    txt("south side"));
	device_sync(rec);
	assert_int_equal(SAT_VD_OK_LATE, said(rec));
	/* whose desk it never was may not */
	(void)device_edit(sue, &id, &id, K_VISIT, SAT_OP_SET, 15, txt("x"));
	device_sync(sue);
	assert_int_equal(SAT_VD_REJECTED, said(sue));
	SYNC(rec, max);
	CHECK(rec, max);
	world_verify(w);
	world_free(w);
}

static void
a_kiosk_changes_nothing_that_is_there(void **state) /* P-271 */
{
	world *w = showroom(2);
	device *kio = device_new(w, "kio"), *ann = device_new(w, "ann");
	sat_id id, seen;

	(void)state;
	id = device_account(ann, "first", "ann");
	device_sync(ann);
	seen = visit(kio, "Gnu");
	device_sync(kio);
	(void)device_edit(kio, &id, &id, K_ACCOUNT, SAT_OP_SET, A_REMARK,
	    txt("x"));
	device_sync(kio);
	assert_int_equal(SAT_VD_REJECTED, said(kio));
	(void)device_edit(kio, &seen, &seen, K_VISIT, SAT_OP_SET, V_VISITOR,
	    txt("Okapi"));
	device_sync(kio);
	assert_int_equal(SAT_VD_REJECTED, said(kio));
	(void)device_account(kio, "second", "kio");
	device_sync(kio);
	assert_int_equal(SAT_VD_REJECTED, said(kio));
	world_verify(w);
	world_free(w);
}

static sat_id
turn(device *d, const char *who)
{
	sat_id id = device_id(d);
	sat_op ops[] = {
		op_set(&id, K_TURN, SAT_OP_NEW, 0, sat_v_null()),
		op_set(&id, K_TURN, SAT_OP_SET, R_STATION, txt("north")),
		op_set(&id, K_TURN, SAT_OP_SET, R_CONSULTANT, txt(who)),
		op_set(&id, K_TURN, SAT_OP_REASSIGN, R_RECORDER,
		    txt(d->user_key)),
	};

	(void)device_commit(d, &id, ops, 4);
	return id;
}

static void
the_queue_is_the_teams_whoever_wrote_it(void **state) /* P-273 */
{
	world *w = showroom(3);
	device *rec = device_new(w, "rec"), *sue = device_new(w, "sue");
	device *max = device_new(w, "max"), *ann = device_new(w, "ann");
	device *hq = device_new(w, "hq"), *late;
	device *all[] = { rec, sue, max, ann, hq };
	sat_id a, b;

	(void)state;
	a = turn(rec, "ann");
	b = turn(ann, "ann");
	for (int k = 0; k < 2; k++)
		for (size_t i = 0; i < 5; i++)
			device_sync(all[i]);
	assert_int_equal(SAT_VD_OK, said(rec));
	assert_int_equal(SAT_VD_OK, said(ann));
	late = device_new(w, "ann"); /* by snapshot */
	device_sync(late);
	assert_non_null(device_find(late, &a, 0));
	assert_non_null(device_find(rec, &b, 0));
	assert_non_null(device_find(max, &b, 0));
	assert_non_null(device_find(hq, &a, 0));
	assert_null(device_find(sue, &a, 0));
	device_check(late);
	device_free(late);
	for (size_t i = 0; i < 5; i++)
		device_check(all[i]);
	world_verify(w);
	world_free(w);
}

static void
tick(world *w)
{
	sat_err err = { 0 };

	assert_ok(sat_server_tick(w->server, w->now_ms, &err));
}

static void
what_nobody_took_care_of_is_the_managers_next_day(void **state) /* P-274 */
{
	world *w = showroom(4);
	device *kio = device_new(w, "kio"), *rec = device_new(w, "rec");
	device *max = device_new(w, "max"), *hq = device_new(w, "hq");
	sat_id id, fresh, far;
	device *sue = device_new(w, "sue");

	(void)state;
	id = visit(kio, "Gnu");
	far = visit(sue, "Yak"); /* her team has no manager */
	SYNC(kio, sue);
	tick(w); /* the same day: nothing happens */
	device_sync(rec);
	assert_non_null(device_find(rec, &id, 0));
	w->now_ms += DAY;
	fresh = visit(kio, "Okapi");
	device_sync(kio);
	tick(w);
	tick(w); /* once a day */
	SYNC(rec, sue, max, hq);
	assert_null(device_find(rec, &id, 0));
	assert_null(device_find(sue, &far, 0));
	assert_non_null(device_find(rec, &fresh, 0));
	assert_non_null(device_find(max, &id, 0));
	/* the manager may go on with it, as the owner he is now */
	(void)device_edit(max, &id, &id, K_VISIT, SAT_OP_REASSIGN, V_CONSULTANT,
	    txt("ann"));
	device_sync(max);
	assert_int_equal(SAT_VD_OK, said(max));
	CHECK(rec, sue);
	device_sync(hq);
	device_check(hq);
	world_verify(w);
	world_free(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_kiosk_took_in_waits_at_its_own_desk),
		cmocka_unit_test(
		    what_the_desk_wrote_before_it_heard_is_late_and_not_lost),
		cmocka_unit_test(a_kiosk_changes_nothing_that_is_there),
		cmocka_unit_test(the_queue_is_the_teams_whoever_wrote_it),
		cmocka_unit_test(
		    what_nobody_took_care_of_is_the_managers_next_day),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
