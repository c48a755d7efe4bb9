/* Who agrees to a proposal, whatever became of the task that asked him. */
#include "tests/unit/client/crm/crm_fixture.h"

static const sat_kind *
kind(fixture *f, const char *key)
{
	return sat_template_kind(sat_replica_template(f->r), key);
}

/* me in one role, u1 in another; u2 is of headquarters, one team. */
static void
roles(fixture *f, const char *me, const char *u1)
{
	static uint64_t rev = 1000;
	sat_user users[3] = { { 1, "me", "Me Myself", me, 1, false },
		{ 2, "u1", "Ada One", u1, 1, false },
		{ 3, "u2", "Bob Two", "hq", 1, false } };
	sat_team team = { 1, "east", "East", "", false };
	sat_device dev = { DEV, 1, "d", false, false };
	sat_registry reg = { .rev = rev++, .users = users, .nusers = 3,
		.teams = &team, .nteams = 1, .devices = &dev, .ndevices = 1 };
	sat_buf b = { 0 };
	sat_err err;

	sat_registry_write(&b, &reg);
	assert_ok(f->ops.registry(f->ops.u, sat_buf_span(&b), &err));
	sat_buf_fini(&b);
}

static void
passes(fixture *f)
{
	f->now_ms += 1000;
	f->boot_ms += 1000;
}

/* A proposal of mine that waits for the manager, and his task. */
static sat_id
waiting(fixture *f, sat_id *task)
{
	sat_crm c = crm_of(f);
	char id[SAT_ID_TEXT], of[40];
	const sat_value *row;
	uint16_t column = SAT_Q_ID;
	sat_value whose = text("u1");
	sat_filter of_u1 = { kind(f, "task")->owner->id, SAT_CMP_EQ, &whose, 1 };
	sat_query q = { .kind = kind(f, "task"), .columns = &column,
		.ncolumns = 1, .filters = &of_u1, .nfilters = 1 };
	sat_approval_is is;
	sat_rows *rows;
	sat_err err;
	sat_id acc, p;

	roles(f, "rep", "manager");
	acc = customer(f, "River Works", "13812345678");
	sat_id_text(id, &acc);
	(void)snprintf(of, sizeof of, "account=%s", id);
	p = made(f, kind(f, "proposal"), LIST(of, "title=Bridge",
	    "proposal_kind=custom"));
	passes(f);
	assert_ok(sat_crm_submit(&is, &f->a, &c, kind(f, "proposal"), &p, NULL,
	    &err));
	assert_true(is.nasked > 0);
	assert_ok(sat_replica_query(&rows, f->r, &q, &err));
	assert_ok(sat_rows_next(&row, rows, &err));
	assert_non_null(row);
	memcpy(task->b, row[0].s.p, sizeof task->b);
	sat_rows_free(rows);
	roles(f, "manager", "rep");
	passes(f);
	return p;
}

static void
cancel(fixture *f, sat_id task)
{
	size_t changed;
	sat_err err;

	assert_ok(try_edit(&changed, f, kind(f, "task"), task,
	    LIST("state=cancelled"), &err));
}

static void
drop(fixture *f, sat_id task)
{
	sat_crm c = crm_of(f);
	sat_err err;

	passes(f);
	assert_ok(sat_crm_delete(&c, kind(f, "task"), &task, false, &err));
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
	sat_crm c = crm_of(f);
	sat_id task, p = waiting(f, &task);
	sat_err err = { 0 };

	cancel(f, task);
	if (sat_crm_reject(&c, kind(f, "proposal"), &p, "too dear", &err) !=
	    SAT_OK)
		fail_msg("%s: %s", err.code, err.text);
	assert_state(f, "proposal", p, "draft");
	assert_state(f, "task", task, "cancelled");
	assert_string_equal("2", value_of(f, kind(f, "proposal"), p,
	    "version"));
}

static void
whoever_deleted_his_task_sends_it_back_all_the_same(void **state)
{
	fixture *f = *state;
	sat_crm c = crm_of(f);
	sat_id task, p = waiting(f, &task);
	sat_err err;

	drop(f, task);
	assert_ok(sat_crm_reject(&c, kind(f, "proposal"), &p, "too dear",
	    &err));
	assert_state(f, "proposal", p, "draft");
}

static const char two_steps[] =
    "{\"note\": \"first the manager, then headquarters\", \"routes\": [{"
    "\"key\": \"both\", \"label\": {\"zh\": \"两级\", \"en\": \"Both\"},"
    "\"kind\": \"proposal\", \"states\": [\"submitted\"],"
    "\"ask\": \"approving\", \"steps\": [{\"roles\": [\"manager\"]},"
    "{\"roles\": [\"hq\"]}]}]}";

static const char together[] =
    "{\"note\": \"the manager and headquarters\", \"routes\": [{"
    "\"key\": \"both\", \"label\": {\"zh\": \"会签\", \"en\": \"Both\"},"
    "\"kind\": \"proposal\", \"states\": [\"submitted\"],"
    "\"ask\": \"approving\", \"steps\": [{\"roles\": [\"manager\", \"hq\"]}]"
    "}]}";

static void
without_its_task_an_approval_asks_the_next(void **state)
{
	fixture *f = *state;
	sat_crm c = crm_of(f);
	sat_approval_is is;
	sat_id task, p;
	sat_err err;

	give_base(f, "policy/approval.json", two_steps);
	p = waiting(f, &task);
	drop(f, task);
	assert_ok(sat_crm_approve(&is, &f->a, &c, kind(f, "proposal"), &p, NULL,
	    &err));
	assert_int_equal(1, is.nasked);
	assert_string_equal("u2", is.asked[0].user);
	assert_state(f, "proposal", p, "approving");
	assert_int_equal(1, count_as_typed(f, kind(f, "task"),
	    "assignee=u2 and state=open"));
}

/* What nobody can be asked for, for no task of it passes the gate. */
static void
a_submission_is_whole_or_not_there(void **state)
{
	fixture *f = *state;
	sat_crm c = crm_of(f);
	char id[SAT_ID_TEXT], of[40], *doc = NULL, *at;
	const sat_template_file *v;
	sat_approval_is is;
	sat_id acc, p;
	sat_err err;
	size_t n;

	v = sat_template_base(&n);
	for (size_t i = 0; i < n; i++)
		if (strcmp(v[i].path, "fields/task.json") == 0)
			doc = sat_xasprintf("%.*s", (int)v[i].bytes.n,
			    (const char *)v[i].bytes.p);
	assert_non_null(doc);
	assert_non_null(at = strstr(doc, "\"max_len\": 200"));
	memcpy(at, "\"min_len\": 99 ", 14);
	give_base(f, "fields/task.json", doc);
	find_kinds(f);
	free(doc);
	roles(f, "rep", "manager");
	acc = customer(f, "River Works", "13812345678");
	sat_id_text(id, &acc);
	(void)snprintf(of, sizeof of, "account=%s", id);
	p = made(f, kind(f, "proposal"), LIST(of, "title=Bridge",
	    "proposal_kind=custom"));
	passes(f);
	assert_rc(SAT_EINVALID, sat_crm_submit(&is, &f->a, &c,
	    kind(f, "proposal"), &p, NULL, &err));
	assert_true(finds(&err, "title", "length"));
	assert_state(f, "proposal", p, "draft");
	assert_sound(f);
}

static void
a_task_done_before_keeps_its_time(void **state)
{
	fixture *f = *state;
	sat_crm c = crm_of(f);
	sat_id task, p = waiting(f, &task);
	size_t changed;
	char was[60];
	sat_err err;

	assert_ok(try_edit(&changed, f, kind(f, "task"), task,
	    LIST("state=done", "done_at=2023-11-14T22:00:00Z"), &err));
	(void)snprintf(was, sizeof was, "%s", value_of(f, kind(f, "task"), task,
	    "done_at"));
	assert_ok(sat_crm_reject(&c, kind(f, "proposal"), &p, "too dear",
	    &err));
	assert_string_equal(was, value_of(f, kind(f, "task"), task, "done_at"));
}

/* Two are asked together: who sends it back leaves nothing open for the other. */
static void
what_goes_back_waits_for_nobody(void **state)
{
	fixture *f = *state;
	sat_crm c = crm_of(f);
	sat_approval_is is;
	sat_id task, p;
	sat_err err;

	give_base(f, "policy/approval.json", together);
	p = waiting(f, &task);
	assert_int_equal(2, count_as_typed(f, kind(f, "task"), "state=open"));
	assert_ok(sat_crm_reject(&c, kind(f, "proposal"), &p, "too dear",
	    &err));
	assert_int_equal(0, count_as_typed(f, kind(f, "task"), "state=open"));
	assert_int_equal(1, count_as_typed(f, kind(f, "task"),
	    "assignee=u2 and state=cancelled"));
	/* the next version asks both anew */
	roles(f, "rep", "manager");
	passes(f);
	assert_ok(sat_crm_submit(&is, &f->a, &c, kind(f, "proposal"), &p, NULL,
	    &err));
	assert_int_equal(2, is.nasked);
	assert_int_equal(2, count_as_typed(f, kind(f, "task"), "state=open"));
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
