/* What a role does not see never leaves the server for it (P-241 to P-248). */
#include "tests/unit/server/store/sqlite/device.h"

static world *
small_world(uint64_t seed)
{
	return world_of(seed, "ann rep north, hq hq, ser service, "
	    "mar marketing, aud auditor");
}

static void
set_phone(device *d, const sat_id *id, const char *phone)
{
	(void)device_edit(d, id, id, K_ACCOUNT, SAT_OP_MVSET, A_PHONE,
	    txt(phone));
}

static void
hidden_values_stay_on_the_server_and_the_rest_follows(void **state)
{ /* P-241, P-242 */
	world *w = small_world(1);
	device *ann = device_new(w, "ann"), *ser = device_new(w, "ser");
	device *aud = device_new(w, "aud"), *hq = device_new(w, "hq");
	sat_id id;

	(void)state;
	device_sync(ser);
	id = device_account(ann, "first", "ann");
	set_phone(ann, &id, "13812345678");
	device_sync(ann);
	device_sync(ser); /* by pull */
	device_sync(aud); /* by snapshot */
	device_sync(hq);
	assert_true(device_holds(ser, "***5678"));
	assert_false(device_holds(ser, "13812345678"));
	assert_false(device_holds(aud, "13812345678"));
	assert_true(device_holds(hq, "13812345678"));
	/* another field, the hidden one, and both in turn */
	(void)device_edit(ann, &id, &id, K_ACCOUNT, SAT_OP_SET, A_REMARK,
	    txt("a remark"));
	SYNC(ann, ser);
	assert_true(device_holds(ser, "a remark"));
	set_phone(ann, &id, "13900001111");
	(void)device_edit(ann, &id, &id, K_ACCOUNT, SAT_OP_SET, A_REMARK,
	    txt("another"));
	SYNC(ann, ser, aud, hq);
	assert_true(device_holds(ser, "***1111"));
	assert_true(device_holds(ser, "another"));
	assert_false(device_holds(ser, "13900001111"));
	CHECK(ser, aud, hq);
	world_verify(w);
	world_free(w);
}

/* Cleared, it is not among the hidden ones any more; in conflict, it has more than
 * its value to hide. */
static void
the_sum_of_a_mask_moves_as_a_hidden_field_does(void **state) /* G3 */
{
	world *w = small_world(7);
	device *ann = device_new(w, "ann"), *two = device_new(w, "ann");
	device *ser = device_new(w, "ser"), *aud = device_new(w, "aud");
	static const char *const phones[] = { "13812345678", "13900001111",
		"", "13700002222", "13600003333" };
	sat_id id;

	(void)state;
	id = device_account(ann, "first", "ann");
	for (size_t i = 0; i < sizeof phones / sizeof phones[0]; i++) {
		(void)device_edit(ann, &id, &id, K_ACCOUNT, SAT_OP_MVSET,
		    A_PHONE, phones[i][0] == '\0' ? sat_v_null() :
		    txt(phones[i]));
		if (i % 2 == 0)
			(void)device_edit(ann, &id, &id, K_ACCOUNT, SAT_OP_SET,
			    A_REMARK, txt(phones[i]));
		device_sync(ann);
		world_verify(w);
	}
	SYNC(two, ser, aud);
	set_phone(ann, &id, "13511112222");
	set_phone(two, &id, "13533334444");
	SYNC(ann, two);
	world_verify(w);
	set_phone(ann, &id, "13555556666"); /* the other one still stands */
	device_sync(ann);
	world_verify(w);
	SYNC(two, ser, aud);
	CHECK(two, ser, aud);
	world_free(w);
}

static void
a_hidden_field_is_set_only_by_who_makes_the_record(void **state) /* P-246 */
{
	world *w = small_world(2);
	device *ann = device_new(w, "ann"), *mar = device_new(w, "mar");
	sat_id id;

	(void)state;
	id = device_account(ann, "first", "ann");
	set_phone(ann, &id, "13812345678");
	SYNC(ann, mar);
	set_phone(mar, &id, "***5678");
	device_sync(mar);
	assert_int_equal(SAT_VD_REJECTED, device_last(mar)->code);
	assert_string_equal("masked", device_last(mar)->slug);
	device_sync(ann);
	assert_true(device_holds(ann, "13812345678"));
	assert_false(device_holds(ann, "***"));
	world_free(w);
}

/* The error with which a request is answered, SAT_OK for none. */
static sat_rc
asked(device *d, const sat_msg *m)
{
	sat_buf in = { 0 }, out = { 0 };
	sat_arena a = { 0 };
	sat_err err = { 0 };
	sat_msg answer;
	sat_rc rc;

	sat_msg_write(&in, m);
	rc = device_ask(d, sat_buf_span(&in), &out, &answer, &a, &err);
	sat_buf_fini(&in);
	sat_buf_fini(&out);
	sat_arena_fini(&a);
	return rc;
}

/* Nobody knows then what is hidden, nor who may do what. */
static void
nothing_is_sent_while_the_published_template_cannot_be_loaded(void **state)
{ /* P-241 */
	world *w = small_world(4);
	device *ann = device_new(w, "ann"), *ser = device_new(w, "ser");
	sat_msg all[] = {
		{ .type = SAT_MSG_PULL, .u.pull.max_bytes = 1 << 20 },
		{ .type = SAT_MSG_SNAP },
		{ .type = SAT_MSG_DIGEST },
		{ .type = SAT_MSG_REVEAL, .u.reveal = { .field = A_PHONE,
		    .reason = { (const uint8_t *)"complaint", 9 } } },
	};
	sat_buf push = { 0 }, out = { 0 };
	sat_arena a = { 0 };
	sat_err err = { 0 };
	sat_msg m;
	sat_id id;

	(void)state;
	id = device_account(ann, "first", "ann");
	device_sync(ser);
	set_phone(ann, &id, "13812345678");
	device_sync(ann);
	all[3].u.reveal.rec = id;
	w->no_template = true;
	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
		assert_int_equal(SAT_EINTEGRITY, asked(ser, &all[i]));
	set_phone(ann, &id, "13900001111");
	device_frame(ann, &push, 0);
	assert_int_equal(SAT_EINTEGRITY, device_ask(ann, sat_buf_span(&push),
	    &out, &m, &a, &err));
	w->no_template = false;
	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
		assert_int_not_equal(SAT_EINTEGRITY, asked(ser, &all[i]));
	SYNC(ann, ser);
	assert_true(device_holds(ser, "***1111"));
	w->template_fails = 1; /* asked again, it would load */
	assert_int_equal(SAT_EINTEGRITY, asked(ser, &all[0]));
	/* what some try first is no better known */
	ser->link.tip[0] ^= 1;
	assert_int_equal(SAT_EINTEGRITY, asked(ser, &all[0]));
	sat_buf_fini(&push);
	sat_buf_fini(&out);
	sat_arena_fini(&a);
	world_free(w);
}

/* It is refused whatever it says, and comes once. */
static void
the_last_work_of_a_device_is_kept_without_a_template(void **state) /* P-385 */
{
	world *w = small_world(8);
	device *ann = device_new(w, "ann");
	sat_buf push = { 0 }, out = { 0 };
	sat_arena a = { 0 };
	sat_err err = { 0 };
	sat_msg m;

	(void)state;
	device_sync(ann);
	(void)device_account(ann, "first", "ann");
	device_frame(ann, &push, 0);
	w->no_template = true;
	ann->link.leaving = true;
	assert_ok(device_ask(ann, sat_buf_span(&push), &out, &m, &a, &err));
	assert_int_equal(SAT_MSG_VERDICTS, m.type);
	assert_int_equal(SAT_VD_REJECTED, m.u.verdicts.v[0].code);
	assert_true(sat_span_eq(m.u.verdicts.v[0].slug,
	    sat_span_str("device.revoked")));
	sat_buf_fini(&push);
	sat_buf_fini(&out);
	sat_arena_fini(&a);
	world_free(w);
}

static void
ask(world *w, device *d, const sat_id *id, uint16_t field, const char *why,
    sat_msg *answer, sat_arena *a)
{
	sat_msg m = { .type = SAT_MSG_REVEAL,
		.u.reveal = { *id, field, sat_span_str(why) } };
	sat_buf in = { 0 }, out = { 0 };
	sat_err err = { 0 };

	sat_msg_write(&in, &m);
	assert_ok(sat_server_handle(w->server, &d->link, &out,
	    sat_buf_span(&in), &err));
	assert_ok(sat_msg_read(answer, a, sat_span_of(sat_arena_dup(a, out.p,
	    out.n), out.n), &err));
	sat_buf_fini(&in);
	sat_buf_fini(&out);
}

static void
a_value_is_shown_to_who_may_and_noted_before(void **state) /* P-248 */
{
	world *w = small_world(3);
	device *ann = device_new(w, "ann"), *aud = device_new(w, "aud");
	device *ser = device_new(w, "ser"), *hq = device_new(w, "hq");
	sat_arena a = { 0 };
	sat_msg m;
	sat_id id;

	(void)state;
	id = device_account(ann, "first", "ann");
	set_phone(ann, &id, "13812345678");
	SYNC(ann, aud, ser);
	ask(w, aud, &id, A_PHONE, "complaint 17", &m, &a);
	assert_int_equal(SAT_MSG_REVEALED, m.type);
	assert_true(sat_span_eq(m.u.revealed.value.s,
	    sat_span_str("13812345678")));
	device_sync(hq);
	assert_non_null(device_find(hq, &m.u.revealed.disclosure, 0));
	assert_true(device_holds(hq, "complaint 17"));
	ask(w, aud, &id, A_PHONE, "", &m, &a); /* no reason */
	assert_int_equal(SAT_MSG_ERROR, m.type);
	ask(w, aud, &id, A_NAME, "complaint 17", &m, &a); /* seen anyway */
	assert_int_equal(SAT_MSG_ERROR, m.type);
	ask(w, ser, &id, A_PHONE, "no ticket", &m, &a);
	assert_int_equal(SAT_MSG_ERROR, m.type);
	assert_int_equal(SAT_EDENIED, (int)m.u.error.rc);
	device_sync(hq);
	assert_false(device_holds(hq, "no ticket"));
	device_check(hq);
	device_sync(ann);
	device_check(ann);
	world_verify(w);
	sat_arena_fini(&a);
	world_free(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    hidden_values_stay_on_the_server_and_the_rest_follows),
		cmocka_unit_test(
		    the_sum_of_a_mask_moves_as_a_hidden_field_does),
		cmocka_unit_test(
		    a_hidden_field_is_set_only_by_who_makes_the_record),
		cmocka_unit_test(
		    nothing_is_sent_while_the_published_template_cannot_be_loaded),
		cmocka_unit_test(
		    the_last_work_of_a_device_is_kept_without_a_template),
		cmocka_unit_test(a_value_is_shown_to_who_may_and_noted_before),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
