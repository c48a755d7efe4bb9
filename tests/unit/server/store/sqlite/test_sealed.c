/* What a kiosk could not read, the server opens, judges and hands out; what it
 * cannot open is refused, and the chain goes on. */
#include "tests/unit/server/store/sqlite/device.h"

#include "protocol/sealed.h"

enum { K_VISIT = 14, V_VISITOR = 3, V_ARRIVED = 9, V_CONSULTANT = 11 };

static world *
showroom(void)
{
	return world_of(1, "rec receptionist north, kio kiosk north");
}

static device *
kiosk(world *w)
{
	device *d = device_new(w, "kio");

	d->seals = true;
	return d;
}

static sat_id
visit(device *d, const char *name, const char *consultant)
{
	sat_id id = device_id(d);
	sat_op ops[] = {
		op_set(&id, K_VISIT, SAT_OP_NEW, 0, sat_v_null()),
		op_set(&id, K_VISIT, SAT_OP_SET, V_VISITOR, txt(name)),
		op_set(&id, K_VISIT, SAT_OP_SET, V_ARRIVED,
		    sat_v_int(d->w->now_ms)),
		op_set(&id, K_VISIT, SAT_OP_REASSIGN, V_CONSULTANT,
		    txt(consultant)),
	};

	(void)device_commit(d, &id, ops, 4);
	return id;
}

static void
ended(world *w, device *kio, device *rec)
{
	device_sync(rec);
	device_check(rec);
	world_verify(w);
	device_free(kio);
	device_free(rec);
	world_free(w);
}

static void
what_was_sealed_reaches_the_desk(void **state) /* P-361, P-362 */
{
	world *w = showroom();
	device *kio = kiosk(w), *rec = device_new(w, "rec");
	sat_id a = visit(kio, "Gnu", "kio"), b = visit(kio, "Yak", "kio");

	(void)state;
	device_sync(kio);
	assert_int_equal(SAT_VD_OK, kio->out[0].code);
	assert_int_equal(SAT_VD_OK, kio->out[1].code);
	device_sync(rec);
	assert_non_null(device_find(rec, &a, 0));
	assert_non_null(device_find(rec, &b, 0));
	ended(w, kio, rec);
}

static void
a_box_nobody_opens_is_refused_and_the_next_is_not(void **state) /* P-363 */
{
	world *w = showroom();
	device *kio = kiosk(w), *rec = device_new(w, "rec");
	sat_id a = visit(kio, "Gnu", "kio"), b = visit(kio, "Yak", "kio");

	(void)state;
	kio->spoilt = kio->out[0].c.cseq;
	device_sync(kio);
	assert_int_equal(SAT_VD_REJECTED, kio->out[0].code);
	assert_string_equal(SAT_SLUG_SEALED, kio->out[0].slug);
	assert_int_equal(SAT_VD_OK, kio->out[1].code);
	device_sync(rec);
	assert_null(device_find(rec, &a, 0));
	assert_non_null(device_find(rec, &b, 0));
	/* A good box later changes nothing: each commit has one verdict. */
	kio->spoilt = 0;
	kio->out[0].state = 0;
	device_sync(kio);
	assert_int_equal(SAT_VD_REJECTED, kio->out[0].code);
	ended(w, kio, rec);
}

static void
what_was_sealed_is_judged_like_anything_else(void **state)
{
	world *w = showroom();
	device *kio = kiosk(w), *rec = device_new(w, "rec");
	sat_id a;

	(void)state;
	a = visit(kio, "Gnu", "nobody");
	device_sync(kio);
	assert_int_equal(SAT_VD_REJECTED, kio->out[0].code);
	assert_string_equal("owner.unknown", kio->out[0].slug);
	device_sync(rec);
	assert_null(device_find(rec, &a, 0));
	ended(w, kio, rec);
}

/* The device's key signs headers; they name the payload. So a box that was
 * made for another header is as good as none, and a header that was changed
 * breaks the signature. */
static void
a_box_of_another_commit_is_none(void **state)
{
	world *w = showroom();
	device *kio = kiosk(w), *rec = device_new(w, "rec");
	sat_server_session link = { 0 };
	sat_arena a = { 0 };
	sat_msg m = { .type = SAT_MSG_PUSH };
	sat_buf batch = { 0 }, frame = { 0 }, reply = { 0 };
	sat_client_ops ops;
	sat_commit *c;
	sat_span box;
	size_t n;
	sat_err err;

	(void)state;
	device_sync(kio);
	(void)visit(kio, "Gnu", "kio");
	(void)visit(kio, "Yak", "kio");
	ops = device_ops(kio);
	assert_ok(ops.outbox(ops.u, &a, &m.u.push, &c, &n, 0, &err));
	assert_int_equal(2, n);
	box = c[0].box;
	c[0].box = c[1].box;
	c[1].box = box;
	sat_sealed_write(&batch, c, n);
	m.u.push.batch = sat_buf_span(&batch);
	sat_msg_write(&frame, &m);
	link = kio->link;
	assert_ok(sat_server_handle(w->server, &link, &reply,
	    sat_buf_span(&frame), &err));
	assert_ok(sat_msg_read(&m, &a, sat_buf_span(&reply), &err));
	assert_int_equal(SAT_MSG_VERDICTS, m.type);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(SAT_VD_REJECTED, m.u.verdicts.v[i].code);
		assert_true(sat_span_eq(m.u.verdicts.v[i].slug,
		    sat_span_str(SAT_SLUG_SEALED)));
	}
	sat_buf_fini(&batch);
	sat_buf_fini(&frame);
	sat_buf_fini(&reply);
	sat_arena_fini(&a);
	ended(w, kio, rec);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_sealed_reaches_the_desk),
		cmocka_unit_test(a_box_nobody_opens_is_refused_and_the_next_is_not),
		cmocka_unit_test(what_was_sealed_is_judged_like_anything_else),
		cmocka_unit_test(a_box_of_another_commit_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
