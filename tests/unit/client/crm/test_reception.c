/* A visitor at the door, and the facts a device finds for a judgement. */
#include "tests/unit/client/crm/crm_fixture.h"

#include "client/crm/reception.h"

#define DAY ((int64_t)86400000)

static sat_id
visit(fixture *f, const char *phone, const char *consultant)
{
	char p[80], c[80];

	(void)snprintf(p, sizeof p, "phone=%s", phone);
	(void)snprintf(c, sizeof c, "consultant=%s", consultant);
	return made(f, kind(f, "visit"), LIST("visitor=Gnu", p, c));
}

static sat_judged
judged(fixture *f, sat_id id)
{
	sat_crm c = crm_of(f);
	sat_judged j;
	sat_err err;

	assert_ok(sat_crm_judge(&j, &f->a, &c, &id, &err));
	return j;
}

static void
is(fixture *f, sat_id id, const char *rule, const char *owner)
{
	sat_judged j = judged(f, id);

	assert_string_equal(rule, j.j.rule);
	if (!sat_span_eq(j.j.owner, sat_span_str(owner)))
		fail_msg("owner is '%.*s', not '%s'", (int)j.j.owner.n,
		    (const char *)j.j.owner.p, owner);
}

static void
a_phone_in_another_notation_is_the_same_visitor(void **state)
{
	fixture *f = *state;
	sat_id again;

	(void)visit(f, "13900010001", "u1");
	f->now_ms += DAY;
	again = visit(f, "+86 139-0001-0001", "me");
	is(f, again, "walk_in", "u1");
	f->now_ms += 7 * DAY;
	again = visit(f, "13900010001", "me");
	is(f, again, "new", "");
	is(f, visit(f, "13900010002", "me"), "new", "");
}

static void
what_headquarters_received_is_nobodys(void **state)
{
	fixture *f = *state;

	(void)visit(f, "13900010001", "me"); /* of the role hq */
	f->now_ms += DAY;
	is(f, visit(f, "13900010001", "u1"), "new", "");
}

static void
a_family_a_merged_customer_and_a_follow_up_are_found(void **state)
{
	fixture *f = *state;
	sat_crm c = crm_of(f);
	sat_id a, b, v;
	sat_judged j;
	sat_err err;

	a = customer(f, "Gnu One", "13900020001");
	b = customer(f, "Gnu Two", "13900020002");
	assert_ok(sat_crm_assign(&c, f->account, &a, "u1", &err));
	assert_ok(sat_crm_assign(&c, f->account, &b, "u2", &err));
	(void)child(f, "contact", b, LIST("name=Wife", "phone=13900020003"));
	f->now_ms += DAY;
	v = visit(f, "13900020003", "me");
	is(f, v, "walk_in", "u2"); /* through the contact */
	j = judged(f, v);
	assert_true(sat_id_eq(&b, &j.customer));
	assert_int_equal(1, j.customers);
	/* not reached, so no claim is kept by it; an effective one does */
	(void)child(f, "activity", b, LIST("method=phone", "points=x",
	    "effective=0", "author=u2"));
	is(f, v = visit(f, "13900020003", "me"), "walk_in", "u2");
	(void)child(f, "activity", b, LIST("method=phone", "points=x",
	    "effective=1", "author=u2"));
	is(f, v = visit(f, "13900020003", "me"), "tracked", "u2");
	/* the two customers are one: the older claim is u1's */
	assert_ok(sat_crm_merge(&c, f->account, &b, &a, NULL, 0, &err));
	is(f, v, "walk_in", "u1");
	j = judged(f, v);
	assert_true(sat_id_eq(&a, &j.customer));
	is(f, visit(f, "13900020001", "me"), "walk_in", "u1");
	is(f, visit(f, "13900020002", "me"), "walk_in", "u1"); /* the loser's */
}

static void
a_code_is_for_one_phone_and_one_report(void **state)
{
	fixture *f = *state;
	sat_crm c = crm_of(f);
	sat_id p, got, v;
	char code[SAT_REPORT_CODE], tag[SAT_REPORT_TAG];
	sat_input right[] = { in("visitor", "Gnu"), in("phone", "13900030001") };
	sat_input wrong[] = { in("visitor", "Gnu"), in("phone", "13900030002") };
	sat_checkin at = { .in = right, .n = 2, .code = code };
	sat_judged j;
	sat_err err;

	p = made(f, kind(f, "preregistration"), LIST("visitor=Gnu",
	    "phone=+8613900030001", "agent=lee"));
	assert_ok(sat_crm_report_code(code, &c, &p, &err));
	assert_true(sat_report_code_read(&got, tag, code));
	assert_true(sat_id_eq(&p, &got));
	assert_false(sat_report_code_read(&got, tag, "R1.x"));
	f->now_ms += 3600000;
	at.in = wrong;
	assert_rc(SAT_EINVALID, sat_crm_checkin(&v, &c, &at, &err));
	assert_string_equal("report.phone", err.code);
	at.in = right;
	assert_ok(sat_crm_checkin(&v, &c, &at, &err));
	j = judged(f, v);
	assert_string_equal("report", j.j.credit_rule);
	assert_string_equal("lee", j.credit);
	/* the same report, a visit that says so without the proof */
	v = made(f, kind(f, "visit"), LIST("visitor=Gnu",
	    "phone=13900030009"));
	j = judged(f, v);
	assert_string_equal("", j.j.credit_rule);
}

static void
a_confirmed_judgement_is_on_the_visit(void **state)
{
	fixture *f = *state;
	sat_crm c = crm_of(f);
	sat_id v;
	sat_judged j;
	sat_view view;
	sat_err err;

	(void)visit(f, "13900010001", "u1");
	f->now_ms += DAY;
	v = visit(f, "13900010001", "me");
	assert_rc(SAT_ECONFLICT, sat_crm_judge_confirm(&j, &f->a, &c, &v, "u2",
	    &err));
	assert_string_equal("judge.owner", err.code);
	assert_ok(sat_crm_judge_confirm(&j, &f->a, &c, &v, NULL, &err));
	view = view_of(f, v);
	assert_true(sat_value_eq(text("u1"), sat_record_value(&view.rec,
	    sat_kind_field(view.kind, "consultant")->id)));
	assert_true(sat_value_eq(text(j.inputs), sat_record_value(&view.rec,
	    sat_kind_field(view.kind, "judged_inputs")->id)));
}

/* A company that keeps no proof any more: the judgement is made all the same. */
static void
a_report_that_takes_no_arrival_does_not_hold_up_the_judgement(void **state)
{
	fixture *f = *state;
	sat_crm c = crm_of(f);
	char code[SAT_REPORT_CODE];
	sat_input in_[] = { in("visitor", "Gnu"), in("phone", "13900030001") };
	sat_checkin door = { .in = in_, .n = 2, .code = code };
	sat_judged j;
	sat_err err = { 0 };
	sat_id p, v;

	give_edited(f, "fields/preregistration.json", "\"key\": \"proof\", ",
	    "\"key\": \"proof\", \"retired\": true, ");
	p = made(f, kind(f, "preregistration"), LIST("visitor=Gnu",
	    "phone=+8613900030001", "agent=lee"));
	assert_ok(sat_crm_report_code(code, &c, &p, &err));
	f->now_ms += 3600000;
	assert_ok(sat_crm_checkin(&v, &c, &door, &err));
	if (sat_crm_judge_confirm(&j, &f->a, &c, &v, NULL, &err) != SAT_OK)
		fail_msg("%s: %s", err.code, err.text);
	assert_string_equal("lee", value_of(f, kind(f, "visit"), v,
	    "judged_credit"));
}

static void
a_back_filled_visit_is_late_by_its_birth(void **state)
{
	fixture *f = *state;
	const sat_template *t = sat_replica_template(f->r);
	char at[64] = "arrived_at=", old[32];
	int64_t minutes;
	bool late;
	sat_view v;
	sat_id id;

	sat_time_rfc3339(old, f->now_ms - 241 * 60000);
	(void)strncat(at, old, sizeof at - 12);
	/* what is typed as the time of entry does not help */
	id = made(f, kind(f, "visit"), LIST("visitor=Gnu", at));
	v = view_of(f, id);
	assert_true(sat_crm_late(&minutes, &late, t, &v));
	assert_true(late);
	assert_in_range(minutes, 241, 242);
	id = visit(f, "13900010001", "u1");
	v = view_of(f, id);
	assert_true(sat_crm_late(&minutes, &late, t, &v));
	assert_false(late);
	id = customer(f, "Acme", "13900010009");
	v = view_of(f, id);
	assert_false(sat_crm_late(&minutes, &late, t, &v));
}

static void
a_turn_is_for_whoever_receives_and_a_returning_customer_costs_none(void **state)
{
	fixture *f = *state;
	sat_crm c = crm_of(f);
	sat_turn_in t = { .station = "hall", .what = SAT_TURN_JOIN, .who = "u2" };
	sat_turned done;
	sat_turns now;
	sat_id v;
	sat_err err;

	assert_ok(sat_crm_turn(&done, &f->a, &c, &t, &err));
	t.who = "gone";
	assert_rc(SAT_EINVALID, sat_crm_turn(&done, &f->a, &c, &t, &err));
	t.who = "me";
	assert_rc(SAT_EINVALID, sat_crm_turn(&done, &f->a, &c, &t, &err));
	t.who = "u1";
	assert_ok(sat_crm_turn(&done, &f->a, &c, &t, &err));
	(void)visit(f, "13900010001", "u1");
	f->now_ms += 3600000;
	v = visit(f, "13900010001", "me");
	t = (sat_turn_in){ .station = "hall", .what = SAT_TURN_SERVE,
		.visit = &v };
	assert_ok(sat_crm_turn(&done, &f->a, &c, &t, &err));
	assert_string_equal("u1", done.who);
	assert_true(done.returning);
	t.visit = NULL;
	assert_ok(sat_crm_turn(&done, &f->a, &c, &t, &err));
	assert_string_equal("u2", done.who); /* his turn it still was */
	assert_ok(sat_crm_rotation(&now, &f->a, &c, "hall", NULL, &err));
	assert_int_equal(2, now.r.nhere);
	assert_true(sat_span_eq(now.r.place[0].who, sat_span_str("u1")));
	assert_ok(sat_crm_rotation(&now, &f->a, &c, "hall", "2020-01-01", &err));
	assert_int_equal(0, now.r.nlog);
	t.station = "elsewhere";
	assert_rc(SAT_ECONFLICT, sat_crm_turn(&done, &f->a, &c, &t, &err));
	assert_string_equal("rotation.empty", err.code);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		HQ(a_phone_in_another_notation_is_the_same_visitor),
		HQ(what_headquarters_received_is_nobodys),
		HQ(a_family_a_merged_customer_and_a_follow_up_are_found),
		HQ(a_code_is_for_one_phone_and_one_report),
		HQ(a_confirmed_judgement_is_on_the_visit),
		HQ(a_report_that_takes_no_arrival_does_not_hold_up_the_judgement),
		HQ(a_back_filled_visit_is_late_by_its_birth),
		HQ(a_turn_is_for_whoever_receives_and_a_returning_customer_costs_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
