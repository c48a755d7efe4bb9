/* A push again, spoilt, forked, with a gap, in a group: what is stored of it. */
#include "tests/unit/server/store/sqlite/device.h"

/* A customer, and an edit of one nobody has. */
static sat_id
one_good_one_parked(device *d)
{
	sat_id acc = device_account(d, "first", "ann"), ghost = device_id(d);

	(void)device_edit(d, &acc, &ghost, K_ACCOUNT, SAT_OP_SET, A_SECTOR,
	    txt("x"));
	return acc;
}

static void
a_push_sent_again_gets_the_same_bytes_and_changes_nothing(void **state) /* U2 */
{
	world *w = world_company(3);
	device *ann = device_new(w, "ann");
	sat_buf frame = { 0 }, r1 = { 0 }, r2 = { 0 };
	sat_arena a = { 0 };
	sat_msg m;
	sat_err err = { 0 };
	sat_id acc;

	(void)state;
	device_sync(ann);
	acc = one_good_one_parked(ann);
	(void)device_activity(ann, &acc, "called");
	device_frame(ann, &frame, 0);
	assert_ok(device_ask(ann, sat_buf_span(&frame), &r1, &m, &a, &err));
	assert_int_equal(3, m.u.verdicts.n);
	assert_int_equal(2, m.u.verdicts.neids);
	assert_int_equal(SAT_VD_PARKED, m.u.verdicts.v[1].code);
	assert_int_equal(2, world_head(w));
	w->now_ms += 100000;
	assert_ok(device_ask(ann, sat_buf_span(&frame), &r2, &m, &a, &err));
	assert_true(sat_span_eq(sat_buf_span(&r1), sat_buf_span(&r2)));
	assert_int_equal(2, world_head(w));
	/* also after a restart, from the file alone */
	world_stop(w);
	world_start(w);
	assert_ok(device_ask(ann, sat_buf_span(&frame), &r2, &m, &a, &err));
	assert_true(sat_span_eq(sat_buf_span(&r1), sat_buf_span(&r2)));
	world_verify(w);
	sat_arena_fini(&a);
	sat_buf_fini(&frame);
	sat_buf_fini(&r1);
	sat_buf_fini(&r2);
	world_free(w);
}

/* As a device does that was restored from a backup: its past is shorter than
 * what we have, and ends in a commit that was refused. */
static void
a_shorter_past_ending_in_a_refusal_gets_its_verdicts(void **state) /* U2 */
{
	world *w = world_company(3);
	device *ann = device_new(w, "ann");
	sat_buf frame = { 0 }, r = { 0 };
	sat_arena a = { 0 };
	sat_msg m;
	sat_err err = { 0 };
	sat_id acc;

	(void)state;
	device_sync(ann);
	acc = one_good_one_parked(ann);
	device_frame(ann, &frame, 0);
	(void)device_activity(ann, &acc, "called");
	device_sync(ann);
	assert_ok(device_ask(ann, sat_buf_span(&frame), &r, &m, &a, &err));
	assert_int_equal(SAT_MSG_VERDICTS, m.type);
	assert_int_equal(2, m.u.verdicts.n);
	assert_int_equal(SAT_VD_PARKED, m.u.verdicts.v[1].code);
	assert_int_equal(2, world_head(w));
	sat_arena_fini(&a);
	sat_buf_fini(&frame);
	sat_buf_fini(&r);
	world_free(w);
}

static void
a_spoilt_push_stores_nothing(void **state) /* U1 */
{
	world *w = world_company(4);
	device *ann = device_new(w, "ann"), *bob = device_new(w, "bob");
	sat_buf frame = { 0 }, r = { 0 };
	sat_arena a = { 0 };
	sat_msg m;
	sat_err err = { 0 };

	(void)state;
	SYNC(ann, bob);
	(void)device_account(ann, "first", "ann");
	for (unsigned spoil = 1; spoil <= 3; spoil++) {
		sat_buf_reset(&frame);
		device_frame(ann, &frame, spoil);
		assert_rc(SAT_EINTEGRITY, device_ask(ann, sat_buf_span(&frame),
		    &r, &m,
		    &a, &err));
		assert_string_equal("signature", err.code);
		assert_int_equal(0, world_head(w));
	}
	/* another device's signature */
	sat_buf_reset(&frame);
	device_frame(ann, &frame, 0);
	assert_rc(SAT_EINTEGRITY, device_ask(bob, sat_buf_span(&frame), &r, &m,
	    &a,
	    &err));
	/* before hello */
	ann->link.greeted = false;
	assert_rc(SAT_EPROTO, device_ask(ann, sat_buf_span(&frame), &r, &m, &a,
	    &err));
	assert_int_equal(0, world_head(w));
	world_verify(w);
	sat_arena_fini(&a);
	sat_buf_fini(&frame);
	sat_buf_fini(&r);
	world_free(w);
}

static void
a_gap_is_named_and_filled(void **state) /* U3 */
{
	world *w = world_company(5);
	device *ann = device_new(w, "ann");
	sat_err err = { 0 };
	sat_id acc;

	(void)state;
	acc = device_account(ann, "first", "ann");
	for (int i = 0; i < 5; i++)
		(void)device_activity(ann, &acc, "called");
	/* as after a server's restore: the device thinks two are there */
	ann->out[0].state = ann->out[1].state = 3;
	assert_ok(device_sync_flags(ann, SAT_CS_PUSH_ONLY, &err));
	assert_int_equal(6, world_head(w));
	for (size_t i = 2; i < ann->nout; i++)
		assert_int_equal(1, ann->out[i].state);
	world_verify(w);
	world_free(w);
}

static void
a_copied_folder_is_a_fork(void **state) /* U3 */
{
	world *w = world_company(6);
	device *ann = device_new(w, "ann"), *copy;
	sat_err err = { 0 };
	sat_id acc;

	(void)state;
	acc = device_account(ann, "first", "ann");
	device_sync(ann);
	/* the copy goes on from the same place */
	copy = sat_xcalloc(1, sizeof *copy);
	*copy = *ann;
	copy->rec = NULL;
	copy->eids = NULL;
	copy->neids = 0;
	copy->nrec = copy->rec_cap = 0;
	copy->mem = (sat_arena){ 0 };
	copy->out = sat_xmalloc(ann->cap * sizeof *copy->out);
	memcpy(copy->out, ann->out, ann->nout * sizeof *copy->out);
	(void)device_activity(ann, &acc, "from the original");
	(void)device_activity(copy, &acc, "from the copy");
	device_sync(ann);
	assert_rc(SAT_ECONFLICT, device_sync_flags(copy, 0, &err));
	assert_string_equal("fork", err.code);
	/* the copy is one behind: its whole batch is old, and another */
	(void)device_activity(ann, &acc, "on");
	device_sync(ann);
	assert_rc(SAT_ECONFLICT, device_sync_flags(copy, 0, &err));
	assert_string_equal("fork", err.code);
	assert_int_equal(3, world_head(w));
	/* it believes in a past the server does not know */
	copy->out[1].state = 3;
	(void)device_activity(copy, &acc, "more");
	(void)device_activity(copy, &acc, "and more");
	copy->out[2].state = 3;
	assert_int_equal(4, copy->out[3].c.cseq);
	assert_rc(SAT_ECONFLICT, device_sync_flags(copy, 0, &err));
	assert_string_equal("fork", err.code);
	/* as a new incarnation it goes on */
	copy->nout = 1;
	copy->incarnation = 2;
	copy->complete = false;
	copy->after = 0;
	copy->snapping = false;
	memset(copy->head, 0, sizeof copy->head);
	(void)device_activity(copy, &acc, "from the copy");
	SETTLE(copy, ann);
	assert_int_equal(4, world_head(w));
	world_verify(w);
	device_free(copy);
	world_free(w);
}

static void
work_moved_twice_counts_once(void **state) /* P-074 */
{
	world *w = world_company(24);
	device *ann = device_new(w, "ann"), *hq = device_new(w, "hq");
	sat_id acc, made;
	sat_hlc eff;

	(void)state;
	acc = device_account(ann, "first", "ann");
	device_sync(ann);
	(void)device_edit(ann, &acc, &acc, K_ACCOUNT, SAT_OP_ADD, A_VISITS,
	    sat_v_int(3));
	made = device_account(ann, "second", "ann");
	(void)device_activity(ann, &device_find(ann, &acc, 0)->id, "refused?");
	device_move(ann, 7);
	device_sync(ann);
	assert_int_equal(4, world_head(w));
	eff = ann->out[1].eff;
	/* the folder as it was before, once more */
	for (size_t i = 1; i < ann->nout; i++) {
		ann->out[i].state = 0;
		ann->out[i].lsn = 0;
		ann->out[i].eff = 0;
	}
	ann->neids = 0;
	device_move(ann, 8);
	(void)device_edit(ann, &acc, &acc, K_ACCOUNT, SAT_OP_ADD, A_VISITS,
	    sat_v_int(1));
	device_sync(ann);
	assert_int_equal(5, world_head(w));
	assert_int_equal(2, ann->out[1].lsn);
	assert_true(eff == ann->out[1].eff);
	assert_int_equal(2, ann->neids);
	assert_true(sat_id_eq(&made, &ann->eids[0].id));
	SYNC(ann, hq);
	CHECK(ann, hq);
	{
		held *h = device_find(hq, &acc, 0);
		sat_arena a = { 0 };
		sat_record r;

		assert_rc(SAT_OK, sat_record_read(&r, &a,
		    sat_buf_span(&h->state), NULL));
		assert_int_equal(4, sat_record_value(&r, A_VISITS).i);
		sat_arena_fini(&a);
	}
	world_verify(w);
	world_free(w);
}

static void
late_and_conflict_verdicts_are_the_same_when_asked_again(void **state) /* A3 */
{
	world *w = world_company(20);
	device *ann = device_new(w, "ann"), *hq = device_new(w, "hq");
	device *d[2] = { ann, hq };
	sat_buf frame = { 0 }, r1 = { 0 }, r2 = { 0 };
	sat_arena a = { 0 };
	sat_msg m;
	sat_err err = { 0 };
	sat_id acc, gone;

	(void)state;
	acc = device_account(ann, "first", "ann");
	gone = device_account(ann, "second", "ann");
	SYNC(ann, hq);
	(void)device_edit(hq, &gone, &gone, K_ACCOUNT, SAT_OP_REASSIGN, A_OWNER,
	    txt("bob"));
	(void)device_edit(hq, &acc, &acc, K_ACCOUNT, SAT_OP_MVSET, A_NAME,
	    txt("one name"));
	device_sync(hq);
	(void)device_activity(ann, &gone, "late");
	(void)device_edit(ann, &acc, &acc, K_ACCOUNT, SAT_OP_MVSET, A_NAME,
	    txt("other name"));
	device_frame(ann, &frame, 0);
	assert_ok(device_ask(ann, sat_buf_span(&frame), &r1, &m, &a, &err));
	assert_int_equal(4, m.u.verdicts.n);
	assert_int_equal(SAT_VD_OK_LATE, m.u.verdicts.v[2].code);
	assert_int_equal(SAT_VD_CONFLICT, m.u.verdicts.v[3].code);
	world_stop(w);
	world_start(w);
	assert_ok(device_ask(ann, sat_buf_span(&frame), &r2, &m, &a, &err));
	assert_true(sat_span_eq(sat_buf_span(&r1), sat_buf_span(&r2)));
	for (int i = 0; i < 2; i++) {
		device_sync(d[i]);
		device_check(d[i]);
	}
	world_verify(w);
	sat_arena_fini(&a);
	sat_buf_fini(&frame);
	sat_buf_fini(&r1);
	sat_buf_fini(&r2);
	world_free(w);
}

static void
a_failed_commit_tells_nobody_it_was_saved(void **state) /* P-072 */
{
	world *w = world_company(11);
	device *ann = device_new(w, "ann");
	sat_buf frame = { 0 }, r = { 0 };
	sat_arena a = { 0 };
	sat_msg m;
	sat_err err = { 0 };

	(void)state;
	device_sync(ann);
	(void)device_account(ann, "first", "ann");
	device_frame(ann, &frame, 0);
	w->fail_commit = SAT_ENOSPACE;
	assert_rc(SAT_ENOSPACE, device_ask(ann, sat_buf_span(&frame), &r, &m,
	    &a,
	    &err));
	w->fail_commit = SAT_EFSYNC;
	sat_buf_reset(&r);
	assert_rc(SAT_EFSYNC, sat_server_handle(w->server, &ann->link, &r,
	    sat_buf_span(&frame), &err));
	assert_int_equal(0, r.n);
	w->fail_commit = SAT_OK;
	assert_int_equal(0, world_head(w));
	device_sync(ann);
	assert_int_equal(1, world_head(w));
	assert_int_equal(1, ann->out[0].lsn);
	device_check(ann);
	world_verify(w);
	sat_arena_fini(&a);
	sat_buf_fini(&frame);
	sat_buf_fini(&r);
	world_free(w);
}

static void
one_bad_push_of_a_group_is_refused_alone(void **state) /* P-072 */
{
	world *w = world_company(12);
	device *d[4];
	sat_server_job jobs[6];
	sat_buf frame[6] = { { 0 } }, reply[6] = { { 0 } };
	sat_arena a = { 0 };
	sat_err err = { 0 };
	static const char *const who[] = { "ann", "bob", "sue", "max" };

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		d[i] = device_new(w, who[i]);
		device_sync(d[i]);
		(void)device_account(d[i], who[i], who[i]);
		device_frame(d[i], &frame[i], i == 1);
	}
	device_frame(d[0], &frame[4], 0); /* the same again in the same group */
	sat_buf_str(&frame[5], "\x03garbage");
	for (size_t i = 0; i < 6; i++)
		jobs[i] = (sat_server_job){ &d[i % 4]->link,
			sat_buf_span(&frame[i]), &reply[i] };
	assert_ok(sat_server_handle_group(w->server, jobs, 6, &err));
	for (size_t i = 0; i < 6; i++) {
		sat_msg m;

		assert_ok(sat_msg_read(&m, &a, sat_buf_span(&reply[i]), &err));
		assert_int_equal(i == 1 || i == 5 ? SAT_MSG_ERROR :
		    SAT_MSG_VERDICTS, m.type);
		if (i == 4)
			assert_true(sat_span_eq(sat_buf_span(&reply[0]),
			    sat_buf_span(&reply[4])));
	}
	assert_int_equal(3, world_head(w));
	world_verify(w);
	for (size_t i = 0; i < 6; i++) {
		sat_buf_fini(&frame[i]);
		sat_buf_fini(&reply[i]);
	}
	sat_arena_fini(&a);
	world_free(w);
}

/* More chains than the server had room for when the group began. */
static void
a_group_may_be_of_many_chains(void **state)
{
	world *w = world_company(13);
	device *ann = device_new(w, "ann");
	sat_server_job jobs[70];
	sat_buf frame[70] = { { 0 } }, reply[70] = { { 0 } };
	sat_arena a = { 0 };
	sat_err err = { 0 };

	(void)state;
	device_sync(ann);
	(void)device_account(ann, "first", "ann");
	for (uint32_t i = 0; i < 70; i++) {
		device_move(ann, i + 2);
		device_frame(ann, &frame[i], 0);
		jobs[i] = (sat_server_job){ &ann->link,
			sat_buf_span(&frame[i]), &reply[i] };
	}
	assert_ok(sat_server_handle_group(w->server, jobs, 70, &err));
	for (size_t i = 0; i < 70; i++) {
		sat_msg m;

		assert_ok(sat_msg_read(&m, &a, sat_buf_span(&reply[i]), &err));
		assert_int_equal(SAT_MSG_VERDICTS, m.type);
		sat_buf_fini(&frame[i]);
		sat_buf_fini(&reply[i]);
	}
	assert_int_equal(1, world_head(w)); /* the same commit all the time */
	world_verify(w);
	sat_arena_fini(&a);
	world_free(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_push_sent_again_gets_the_same_bytes_and_changes_nothing),
		cmocka_unit_test(a_shorter_past_ending_in_a_refusal_gets_its_verdicts),
		cmocka_unit_test(a_spoilt_push_stores_nothing),
		cmocka_unit_test(a_gap_is_named_and_filled),
		cmocka_unit_test(a_copied_folder_is_a_fork),
		cmocka_unit_test(work_moved_twice_counts_once),
		cmocka_unit_test(late_and_conflict_verdicts_are_the_same_when_asked_again),
		cmocka_unit_test(a_failed_commit_tells_nobody_it_was_saved),
		cmocka_unit_test(one_bad_push_of_a_group_is_refused_alone),
		cmocka_unit_test(a_group_may_be_of_many_chains),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
