/* The public pool: release, claim, what its members see, taking back. */
#include "tests/unit/server/store/sqlite/device.h"

#include "protocol/server_int.h"

#define DAY 86400000ll

static own *
release(device *d, const sat_id *id, const char *value)
{
	return device_edit(d, id, id, K_ACCOUNT, SAT_OP_RELEASE, A_OWNER,
	    txt(value));
}

static own *
claim(device *d, const sat_id *id)
{
	return device_edit(d, id, id, K_ACCOUNT, SAT_OP_CLAIM, A_OWNER,
	    txt(d->user_key));
}

/* A customer of ann's with a phone and a contact, in the pool. */
static sat_id
pooled(device *ann)
{
	sat_id id = device_account(ann, "first", "ann");

	(void)device_edit(ann, &id, &id, K_ACCOUNT, SAT_OP_MVSET, A_PHONE,
	    txt("13812345678"));
	(void)device_activity(ann, &id, "secret talk");
	device_sync(ann);
	release(ann, &id, "public\nno budget");
	device_sync(ann);
	assert_int_equal(SAT_VD_OK, device_last(ann)->code);
	return id;
}

static sat_value
field_of(device *d, const sat_id *id, uint16_t field, sat_arena *a)
{
	held *h = device_find(d, id, 0);
	sat_record r;
	sat_err err = { 0 };

	assert_non_null(h);
	assert_ok(sat_record_read(&r, a, sat_buf_span(&h->state), &err));
	return sat_record_value(&r, field);
}

static void
assert_text(device *d, const sat_id *id, uint16_t field, const char *want)
{
	sat_arena a = { 0 };
	sat_value v = field_of(d, id, field, &a);

	if (want == NULL ? v.type != SAT_V_NULL : v.type != SAT_V_TEXT ||
	    !sat_span_eq(v.s, sat_span_str(want)))
		fail_msg("%s: field %u is '%.*s'", d->user_key, field,
		    v.type == SAT_V_TEXT ? (int)v.s.n : 0,
		    (const char *)v.s.p);
	sat_arena_fini(&a);
}

static void
members_hold_a_released_customer_without_what_is_hidden(void **state) /* P-155, P-151 */
{
	world *w = world_company(1);
	device *ann = device_new(w, "ann"), *sue = device_new(w, "sue");
	device *hq = device_new(w, "hq"), *late = device_new(w, "bob");
	sat_id id;

	(void)state;
	SYNC(sue, hq);
	id = pooled(ann);
	device_sync(sue);  /* by pull */
	device_sync(late); /* by snapshot */
	device_sync(hq);
	assert_text(sue, &id, A_PHONE, "***5678");
	assert_text(late, &id, A_PHONE, "***5678");
	assert_text(ann, &id, A_PHONE, "***5678");
	assert_text(hq, &id, A_PHONE, "13812345678");
	assert_text(sue, &id, SAT_SYS_POOL, "public\nno budget");
	assert_true(field_of(sue, &id, SAT_SYS_MASKED, &sue->mem).type ==
	    SAT_V_TEXT);
	assert_text(hq, &id, SAT_SYS_MASKED, NULL);
	assert_false(device_holds(sue, "13812345678"));
	assert_false(device_holds(late, "13812345678"));
	assert_false(device_holds(sue, "secret talk"));
	/* an edit in the pool comes as a state, without what is hidden */
	(void)device_edit(hq, &id, &id, K_ACCOUNT, SAT_OP_MVSET, A_PHONE,
	    txt("13900001111"));
	SYNC(hq, sue);
	assert_text(sue, &id, A_PHONE, "***1111");
	assert_false(device_holds(sue, "13900001111"));
	device_sync(ann);
	CHECK(ann, sue);
	device_sync(late);
	CHECK(late, hq);
	world_verify(w);
	world_free(w);
}

static void
the_first_claim_merged_gets_it_whole_the_other_is_told_who(void **state)
{
	world *w = world_company(2);
	device *ann = device_new(w, "ann"), *sue = device_new(w, "sue");
	device *bob = device_new(w, "bob"), *hq = device_new(w, "hq");
	sat_id id = pooled(ann), act;
	own *o;

	(void)state;
	SYNC(sue, bob);
	bob->skew_ms = -3600000; /* an earlier stamp is worth nothing */
	o = claim(bob, &id);
	act = device_activity(bob, &id, "called them");
	claim(sue, &id);
	device_sync(sue);
	assert_int_equal(SAT_VD_OK, device_last(sue)->code);
	assert_text(sue, &id, A_PHONE, "13812345678");
	assert_text(sue, &id, SAT_SYS_MASKED, NULL);
	assert_true(device_holds(sue, "secret talk"));
	device_sync(bob);
	o = &bob->out[0];
	assert_int_equal(SAT_VD_REJECTED, o->code);
	assert_string_equal("claim.lost", o->slug);
	assert_null(device_find(bob, &id, 0));
	/* what he wrote meanwhile is kept, for who has the customer */
	assert_true(bob->out[1].code <= SAT_VD_CONFLICT);
	SYNC(sue, hq);
	assert_non_null(device_find(sue, &act, 0));
	assert_non_null(device_find(hq, &act, 0));
	device_sync(ann);
	CHECK(ann, bob, sue, hq);
	world_verify(w);
	world_free(w);
}

static void
refused(device *d, const char *slug)
{
	assert_int_equal(SAT_VD_REJECTED, device_last(d)->code);
	assert_string_equal(slug, device_last(d)->slug);
}

static void
limits_are_counted_when_a_claim_is_merged(void **state) /* P-153 */
{
	world *w = world_company(3);
	device *ann = device_new(w, "ann"), *sue = device_new(w, "sue");
	sat_id id[22], first = pooled(ann);

	(void)state;
	/* who lost it waits a week */
	claim(ann, &first);
	device_sync(ann);
	refused(ann, "claim.cooldown");
	w->now_ms += 7 * DAY;
	claim(ann, &first);
	device_sync(ann);
	assert_int_equal(SAT_VD_OK, device_last(ann)->code);
	/* twenty a day */
	for (int i = 0; i < 22; i++)
		id[i] = pooled(ann);
	device_sync(sue);
	for (int i = 0; i < 21; i++)
		claim(sue, &id[i]);
	device_sync(sue);
	assert_int_equal(SAT_VD_OK, sue->out[19].code);
	refused(sue, "claim.daily");
	w->now_ms += DAY;
	claim(sue, &id[21]);
	device_sync(sue);
	assert_int_equal(SAT_VD_OK, device_last(sue)->code);
	device_check(sue);
	device_sync(ann);
	device_check(ann);
	world_verify(w);
	world_free(w);
}

/* Two hundred in all, and those count that came with the same push. */
static void
the_limit_counts_what_the_same_push_made(void **state) /* P-153 */
{
	world *w = world_company(21);
	device *ann = device_new(w, "ann"), *sue = device_new(w, "sue");
	sat_id id[2] = { pooled(ann), pooled(ann) };

	(void)state;
	device_sync(sue);
	for (int i = 0; i < 199; i++)
		(void)device_account(sue, "hers", "sue");
	claim(sue, &id[0]);
	claim(sue, &id[1]);
	device_sync(sue);
	assert_int_equal(SAT_VD_OK, sue->out[199].code);
	refused(sue, "claim.limit");
	world_verify(w);
	world_free(w);
}

static void
only_owner_manager_and_headquarters_release(void **state) /* P-152 */
{
	world *w = world_company(4);
	device *ann = device_new(w, "ann"), *sue = device_new(w, "sue");
	device *max = device_new(w, "max"), *bob = device_new(w, "bob");
	sat_id id = device_account(ann, "first", "ann");
	sat_op both[2];

	(void)state;
	SYNC(ann, max);
	release(sue, &id, "public");
	device_sync(sue);
	refused(sue, "denied");
	release(max, &id, "nosuch");
	device_sync(max);
	refused(max, "pool.unknown");
	/* nothing else with it, and nobody claims for another */
	both[0] = op_set(&id, K_ACCOUNT, SAT_OP_RELEASE, A_OWNER, txt("public"));
	both[1] = op_set(&id, K_ACCOUNT, SAT_OP_SET, A_REMARK, txt("x"));
	(void)device_commit(max, &id, both, 2);
	device_sync(max);
	refused(max, "invalid");
	release(max, &id, "public\nmoved away");
	device_sync(max);
	assert_int_equal(SAT_VD_OK, device_last(max)->code);
	device_sync(bob);
	(void)device_edit(bob, &id, &id, K_ACCOUNT, SAT_OP_CLAIM, A_OWNER,
	    txt("sue"));
	device_sync(bob);
	refused(bob, "denied");
	CHECK(max, bob);
	world_verify(w);
	world_free(w);
}

static void
a_masked_field_is_never_set_by_who_sees_it_masked(void **state) /* P-156 */
{
	world *w = world_company(5);
	device *ann = device_new(w, "ann"), *sue = device_new(w, "sue");
	sat_id id = pooled(ann);

	(void)state;
	device_sync(sue);
	(void)device_edit(sue, &id, &id, K_ACCOUNT, SAT_OP_MVSET, A_PHONE,
	    txt("***5678"));
	device_sync(sue);
	refused(sue, "denied"); /* not hers at all */
	claim(sue, &id);
	(void)device_edit(sue, &id, &id, K_ACCOUNT, SAT_OP_MVSET, A_PHONE,
	    txt("***5678"));
	(void)device_edit(sue, &id, &id, K_ACCOUNT, SAT_OP_SET, A_REMARK,
	    txt("mine now"));
	device_sync(sue);
	assert_int_equal(SAT_VD_OK, sue->out[1].code);
	assert_string_equal("masked", sue->out[2].slug);
	assert_int_equal(SAT_VD_OK, sue->out[3].code);
	assert_text(sue, &id, A_PHONE, "13812345678");
	/* now she sees it */
	(void)device_edit(sue, &id, &id, K_ACCOUNT, SAT_OP_MVSET, A_PHONE,
	    txt("13700000000"));
	device_sync(sue);
	assert_int_equal(SAT_VD_OK, device_last(sue)->code);
	device_check(sue);
	world_verify(w);
	world_free(w);
}

/* An opportunity of her own would be a reason to hold all of it (P-156). */
static void
nobody_looks_behind_the_mask_with_an_opportunity(void **state)
{
	world *w = world_company(9);
	device *ann = device_new(w, "ann"), *sue = device_new(w, "sue");
	sat_id id = pooled(ann);

	(void)state;
	device_sync(sue);
	(void)device_opp(sue, &id, "peep", "sue");
	device_sync(sue);
	refused(sue, "denied");
	assert_text(sue, &id, A_PHONE, "***5678");
	claim(sue, &id);
	(void)device_opp(sue, &id, "mine", "sue");
	device_sync(sue);
	assert_int_equal(SAT_VD_OK, device_last(sue)->code);
	assert_text(sue, &id, A_PHONE, "13812345678");
	device_check(sue);
	world_verify(w);
	world_free(w);
}

static size_t
hold(device *d, uint64_t count, sat_hold *out)
{
	sat_msg m = { .type = SAT_MSG_HOLD, .u.hold = count };
	sat_buf q = { 0 }, reply = { 0 };
	sat_arena a = { 0 };
	sat_err err = { 0 };
	size_t n;

	sat_msg_write(&q, &m);
	assert_ok(sat_server_handle(d->w->server, &d->link, &reply,
	    sat_buf_span(&q), &err));
	assert_ok(sat_msg_read(&m, &a, sat_buf_span(&reply), &err));
	assert_int_equal(SAT_MSG_HELD, m.type);
	n = m.u.held.n;
	memcpy(out, m.u.held.h, n * sizeof *out);
	sat_buf_fini(&q);
	sat_buf_fini(&reply);
	sat_arena_fini(&a);
	return n;
}

static void
what_is_kept_for_somebody_is_his_to_claim(void **state) /* P-154 */
{
	world *w = world_company(8);
	device *ann = device_new(w, "ann"), *sue = device_new(w, "sue");
	device *bob = device_new(w, "bob");
	sat_hold h[64], again[64];

	(void)state;
	for (int i = 0; i < 12; i++)
		(void)pooled(ann);
	SYNC(sue, bob);
	assert_int_equal(0, hold(ann, 5, h)); /* she has to wait a week */
	assert_int_equal(3, hold(sue, 3, h));
	assert_int_equal(3, hold(sue, 3, again)); /* the answer was lost */
	for (int i = 0; i < 3; i++)
		assert_true(sat_id_eq(&h[i].id, &again[i].id));
	assert_int_equal(10, hold(sue, 50, again)); /* lease_max */
	assert_int_equal(2, hold(bob, 50, again)); /* what is left */
	claim(bob, &h[0].id);
	device_sync(bob);
	refused(bob, "claim.held");
	claim(sue, &h[0].id);
	device_sync(sue);
	assert_int_equal(SAT_VD_OK, device_last(sue)->code);
	/* it ends */
	w->now_ms += 25 * 3600000ll;
	claim(bob, &h[1].id);
	device_sync(bob);
	assert_int_equal(SAT_VD_OK, device_last(bob)->code);
	device_sync(sue);
	CHECK(sue, bob);
	world_verify(w);
	world_free(w);
}

/* Once somebody has the customer, nothing of it is kept: released again, it is
 * anybody's, and its last owner waits like others. */
static void
what_was_kept_is_used_up_by_the_claim(void **state) /* P-154 */
{
	world *w = world_company(11);
	device *ann = device_new(w, "ann"), *sue = device_new(w, "sue");
	device *bob = device_new(w, "bob");
	sat_id id = pooled(ann);
	sat_hold h[64];

	(void)state;
	SYNC(sue, bob);
	assert_int_equal(1, hold(sue, 1, h));
	claim(sue, &id);
	device_sync(sue);
	assert_int_equal(SAT_VD_OK, device_last(sue)->code);
	release(sue, &id, "public");
	device_sync(sue);
	claim(sue, &id);
	device_sync(sue);
	refused(sue, "claim.cooldown");
	assert_int_equal(0, hold(sue, 1, h));
	device_sync(bob);
	claim(bob, &id);
	device_sync(bob);
	assert_int_equal(SAT_VD_OK, device_last(bob)->code);
	world_verify(w);
	world_free(w);
}

/* Twenty a day, ten of them kept: ten more are to be had. */
static void
what_is_kept_counts_as_claimed(void **state) /* P-153 */
{
	world *w = world_company(12);
	device *ann = device_new(w, "ann"), *sue = device_new(w, "sue");
	sat_hold h[64];
	sat_id id[24];
	int got = 0;

	(void)state;
	for (int i = 0; i < 24; i++)
		id[i] = pooled(ann);
	device_sync(sue);
	assert_int_equal(10, hold(sue, 50, h));
	for (int i = 0; i < 24; i++) {
		bool kept = false;

		for (int k = 0; k < 10; k++)
			kept = kept || sat_id_eq(&h[k].id, &id[i]);
		if (kept)
			continue;
		claim(sue, &id[i]);
		device_sync(sue);
		got += device_last(sue)->code == SAT_VD_OK;
	}
	assert_int_equal(10, got);
	refused(sue, "claim.daily");
	for (int k = 0; k < 10; k++) {
		claim(sue, &h[k].id);
		device_sync(sue);
		assert_int_equal(SAT_VD_OK, device_last(sue)->code);
	}
	world_verify(w);
	world_free(w);
}

/* The base template's pool, but taking back by itself. */
static void
with_auto_reclaim(world *w)
{
	const sat_template_file *base;
	sat_template_file files[200];
	static char pool[4096];
	sat_err err = { 0 };
	size_t n;

	base = sat_template_base(&n);
	assert_true(n <= 200);
	for (size_t i = 0; i < n; i++) {
		files[i] = base[i];
		if (strcmp(base[i].path, "policy/pool.json") == 0) {
			const char *text = (const char *)base[i].bytes.p;
			const char *at = memmem(text, base[i].bytes.n,
			    "\"auto_reclaim\": false", 21);
			int len;

			assert_non_null(at);
			len = snprintf(pool, sizeof pool,
			    "%.*s\"auto_reclaim\": true%.*s",
			    (int)(at - text), text,
			    (int)(base[i].bytes.n - (size_t)(at - text) - 21),
			    at + 21);
			files[i].bytes = sat_span_of(pool, (size_t)len);
		}
	}
	sat_template_free(w->t);
	assert_ok(sat_template_load(&w->t, files, n, &err));
	world_stop(w);
	world_start(w);
}

static void
tick(world *w)
{
	sat_err err = { 0 };

	assert_ok(sat_server_tick(w->server, w->now_ms, &err));
}

static void
what_nobody_followed_up_is_taken_back_when_its_owner_was_heard(void **state)
{
	world *w = world_company(6);
	device *ann, *hq;
	sat_id id, kept;

	(void)state;
	with_auto_reclaim(w);
	ann = device_new(w, "ann");
	hq = device_new(w, "hq");
	id = device_account(ann, "first", "ann");
	kept = device_account(ann, "second", "ann");
	device_sync(ann);
	w->now_ms += 59 * DAY;
	tick(w);
	device_sync(hq);
	assert_text(hq, &id, A_OWNER, "ann"); /* 60 days are not over */
	/* due, but ann's laptop was silent since: she may have been there */
	w->now_ms += 2 * DAY;
	tick(w);
	device_sync(hq);
	assert_text(hq, &id, A_OWNER, "ann");
	(void)device_edit(ann, &kept, &kept, K_ACCOUNT, SAT_OP_SET, 24,
	    sat_v_int(w->now_ms));
	device_sync(ann); /* she had been at one of them */
	w->now_ms += DAY;
	tick(w);
	device_sync(hq);
	assert_text(hq, &id, A_OWNER, NULL);
	assert_text(hq, &id, SAT_SYS_POOL,
	    "public\nnot followed up for 60 days");
	assert_text(hq, &kept, A_OWNER, "ann");
	SYNC(ann, ann);
	CHECK(ann, hq);
	world_verify(w);
	world_free(w);
}

static void
silence_ends_with_the_grace(void **state)
{
	world *w = world_company(7);
	device *ann, *hq;
	sat_id id;

	(void)state;
	with_auto_reclaim(w);
	ann = device_new(w, "ann");
	hq = device_new(w, "hq");
	id = device_account(ann, "first", "ann");
	device_sync(ann);
	w->now_ms += 66 * DAY;
	tick(w);
	device_sync(hq);
	assert_text(hq, &id, A_OWNER, "ann");
	w->now_ms += 2 * DAY; /* 60 and 7 */
	tick(w);
	device_sync(hq);
	assert_text(hq, &id, A_OWNER, NULL);
	world_free(w);
}

static void
a_clock_far_behind_takes_nothing_from_its_owner(void **state) /* P-157 */
{
	world *w = world_company(13);
	device *ann, *hq;
	sat_id id;

	(void)state;
	with_auto_reclaim(w);
	ann = device_new(w, "ann");
	hq = device_new(w, "hq");
	ann->skew_ms = -200 * DAY;
	id = device_account(ann, "first", "ann");
	device_sync(ann);
	w->now_ms += 2 * DAY;
	device_sync(ann);
	tick(w);
	device_sync(hq);
	assert_text(hq, &id, A_OWNER, "ann");
	w->now_ms += 66 * DAY;
	device_sync(ann);
	tick(w);
	device_sync(hq);
	assert_text(hq, &id, A_OWNER, NULL);
	world_free(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    members_hold_a_released_customer_without_what_is_hidden),
		cmocka_unit_test(
		    the_first_claim_merged_gets_it_whole_the_other_is_told_who),
		cmocka_unit_test(limits_are_counted_when_a_claim_is_merged),
		cmocka_unit_test(the_limit_counts_what_the_same_push_made),
		cmocka_unit_test(only_owner_manager_and_headquarters_release),
		cmocka_unit_test(
		    a_masked_field_is_never_set_by_who_sees_it_masked),
		cmocka_unit_test(
		    nobody_looks_behind_the_mask_with_an_opportunity),
		cmocka_unit_test(what_is_kept_for_somebody_is_his_to_claim),
		cmocka_unit_test(
		    what_nobody_followed_up_is_taken_back_when_its_owner_was_heard),
		cmocka_unit_test(silence_ends_with_the_grace),
		cmocka_unit_test(a_clock_far_behind_takes_nothing_from_its_owner),
		cmocka_unit_test(what_was_kept_is_used_up_by_the_claim),
		cmocka_unit_test(what_is_kept_counts_as_claimed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
