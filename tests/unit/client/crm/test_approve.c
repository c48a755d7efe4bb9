/* Who agrees to a proposal, whatever became of the task that asked him. */
#include "tests/unit/client/crm/crm_fixture.h"

/* me in one role, u1 in another; u2 is of headquarters; one team. */
static void
roles(fixture *f, const char *me, const char *u1)
{
	sat_user users[3] = { { 1, "me", "Me Myself", me, 1, false },
		{ 2, "u1", "Ada One", u1, 1, false },
		{ 3, "u2", "Bob Two", "hq", 1, false } };

	staff(f, users, 3);
}

/* A proposal of mine, whose manager is u1. */
static sat_id
proposal(fixture *f)
{
	sat_id p;

	roles(f, "rep", "manager");
	p = child(f, "proposal", customer(f, "River Works", "13812345678"),
	    LIST("title=Bridge", "proposal_kind=custom"));
	passes(f, 1000);
	return p;
}

static sat_rc
try_submit(sat_approval_is *is, fixture *f, sat_id p, sat_err *e)
{
	sat_crm c = crm_of(f);

	return sat_crm_submit(is, &f->a, &c, kind(f, "proposal"), &p, NULL, e);
}

/* A proposal of mine that waits for the manager, and his task. */
static sat_id
waiting(fixture *f, sat_id *task)
{
	sat_approval_is is;
	sat_err err;
	sat_id p = proposal(f);

	assert_ok(try_submit(&is, f, p, &err));
	assert_true(is.nasked > 0);
	*task = the_one(f, kind(f, "task"), "assignee=u1");
	roles(f, "manager", "rep");
	passes(f, 1000);
	return p;
}

static void
drop(fixture *f, sat_id task)
{
	sat_crm c = crm_of(f);
	sat_err err;

	passes(f, 1000);
	assert_ok(sat_crm_delete(&c, kind(f, "task"), &task, false, &err));
}

static void
reject(fixture *f, sat_id p)
{
	sat_crm c = crm_of(f);
	sat_err err = { 0 };

	if (sat_crm_reject(&c, kind(f, "proposal"), &p, "too dear", &err) !=
	    SAT_OK)
		fail_msg("%s: %s", err.code, err.text);
}

static int64_t
tasks(fixture *f, const char *where)
{
	return count_as_typed(f, kind(f, "task"), where);
}

static void
assert_state(fixture *f, const char *key, sat_id id, const char *want)
{
	assert_string_equal(want, value_of(f, kind(f, key), id, "state"));
}

static void
whoever_cancelled_his_task_sends_it_back_all_the_same(void **state)
{
	fixture *f = *state;
	sat_id task, p = waiting(f, &task);

	change(f, kind(f, "task"), task, LIST("state=cancelled"));
	reject(f, p);
	assert_state(f, "proposal", p, "draft");
	assert_state(f, "task", task, "cancelled");
	assert_string_equal("2", value_of(f, kind(f, "proposal"), p,
	    "version"));
}

static void
whoever_deleted_his_task_sends_it_back_all_the_same(void **state)
{
	fixture *f = *state;
	sat_id task, p = waiting(f, &task);

	drop(f, task);
	reject(f, p);
	assert_state(f, "proposal", p, "draft");
}

/* Proposals are agreed to in these steps. */
static void
give_steps(fixture *f, const char *steps)
{
	char *doc = sat_xasprintf("{\"note\": \"who agrees\", \"routes\": [{"
	    "\"key\": \"both\", \"label\": {\"zh\": \"两级\", "
	    "\"en\": \"Both\"}, \"kind\": \"proposal\", "
	    "\"states\": [\"submitted\"], \"ask\": \"approving\", "
	    "\"steps\": [%s]}]}", steps);

	give_base(f, "policy/approval.json", doc);
	free(doc);
}

static void
without_its_task_an_approval_asks_the_next(void **state)
{
	fixture *f = *state;
	sat_crm c = crm_of(f);
	sat_approval_is is;
	sat_id task, p;
	sat_err err;

	give_steps(f, "{\"roles\": [\"manager\"]}, {\"roles\": [\"hq\"]}");
	p = waiting(f, &task);
	drop(f, task);
	assert_ok(sat_crm_approve(&is, &f->a, &c, kind(f, "proposal"), &p, NULL,
	    &err));
	assert_int_equal(1, is.nasked);
	assert_string_equal("u2", is.asked[0].user);
	assert_state(f, "proposal", p, "approving");
	assert_int_equal(1, tasks(f, "assignee=u2 and state=open"));
}

/* What nobody can be asked for, for no task of it passes the gate. */
static void
a_submission_is_whole_or_not_there(void **state)
{
	fixture *f = *state;
	sat_approval_is is;
	sat_id p;
	sat_err err;

	give_edited(f, "fields/task.json", "\"max_len\": 200",
	    "\"min_len\": 99");
	p = proposal(f);
	assert_rc(SAT_EINVALID, try_submit(&is, f, p, &err));
	assert_true(finds(&err, "title", "length"));
	assert_state(f, "proposal", p, "draft");
	assert_sound(f);
}

static void
a_task_done_before_keeps_its_time(void **state)
{
	fixture *f = *state;
	sat_id task, p = waiting(f, &task);
	char was[60];

	change(f, kind(f, "task"), task, LIST("state=done",
	    "done_at=2023-11-14T22:00:00Z"));
	(void)snprintf(was, sizeof was, "%s", value_of(f, kind(f, "task"), task,
	    "done_at"));
	reject(f, p);
	assert_string_equal(was, value_of(f, kind(f, "task"), task, "done_at"));
}

/* Two are asked together: who sends it back leaves nothing open for the other. */
static void
what_goes_back_waits_for_nobody(void **state)
{
	fixture *f = *state;
	sat_approval_is is;
	sat_id task, p;
	sat_err err;

	give_steps(f, "{\"roles\": [\"manager\", \"hq\"]}");
	p = waiting(f, &task);
	assert_int_equal(2, tasks(f, "state=open"));
	reject(f, p);
	assert_int_equal(0, tasks(f, "state=open"));
	assert_int_equal(1, tasks(f, "assignee=u2 and state=cancelled"));
	/* the next version asks both anew */
	roles(f, "rep", "manager");
	passes(f, 1000);
	assert_ok(try_submit(&is, f, p, &err));
	assert_int_equal(2, is.nasked);
	assert_int_equal(2, tasks(f, "state=open"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		REP(whoever_cancelled_his_task_sends_it_back_all_the_same),
		REP(whoever_deleted_his_task_sends_it_back_all_the_same),
		REP(without_its_task_an_approval_asks_the_next),
		REP(a_submission_is_whole_or_not_there),
		REP(a_task_done_before_keeps_its_time),
		REP(what_goes_back_waits_for_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
