/*
 * What people ask of the server over their devices' links: erasures, verbs of
 * administrators, hidden values. Who may not is told so, and nothing is done.
 */
#include "tests/unit/server/store/sqlite/crew.h"

#define A_HOLD 41 /* account.legal_hold */

/* The code of the refusal, "" when there is none. */
static const char *
privacy(device *d, sat_privacy_verb verb, const sat_id *id, const char *reason,
    sat_privacy_row *last)
{
	static sat_err e;
	sat_msg m = { .type = SAT_MSG_PRIVACY };
	sat_arena a = { 0 };

	m.u.privacy = (sat_privacy){ verb, *id, sat_span_str(reason) };
	if (device_say(&m, &a, d, &e) == SAT_OK) {
		assert_int_equal(SAT_MSG_PRIVACY_IS, m.type);
		if (last != NULL) {
			assert_int_equal(1, m.u.privacy_is.n);
			*last = m.u.privacy_is.row[0];
		}
		sat_arena_fini(&a);
		return "";
	}
	sat_arena_fini(&a);
	return e.code;
}

#define REFUSED(code, ...) assert_string_equal(code, privacy(__VA_ARGS__))
#define DONE(...) assert_string_equal("", privacy(__VA_ARGS__))

static void
hold(device *d, const sat_id *id, const char *why)
{
	(void)device_edit(d, id, id, K_ACCOUNT, SAT_OP_SET, A_HOLD,
	    why != NULL ? txt(why) : sat_v_null());
	device_sync(d);
}

static void
two_people_who_may_decide_about_an_erasure(void **state) /* P-191, P-350 */
{
	crew c = crew_new(sat_test_seed(31));
	sat_id id = device_account(c.ann, "Okapi", "ann"), note, none;
	device *root = device_new(c.w, "root");
	sat_privacy_row row;
	char longer[SAT_ERASE_REASON_MAX + 2];

	(void)state;
	note = device_activity(c.ann, &id, "called");
	none = device_id(c.ann);
	memset(longer, 'x', sizeof longer - 1);
	longer[sizeof longer - 1] = '\0';
	all_sync(&c);
	device_sync(root);
	/* not these roles, not even to look */
	REFUSED("denied", c.ann, SAT_PRIVACY_ERASE, &id, "r", NULL);
	REFUSED("denied", c.max, SAT_PRIVACY_ERASE, &id, "r", NULL);
	REFUSED("denied", c.max, SAT_PRIVACY_LIST, &id, "", NULL);
	REFUSED("denied", c.max, SAT_PRIVACY_CONFIRM, &id, "", NULL);
	/* not so */
	REFUSED("privacy.reason", c.hq, SAT_PRIVACY_ERASE, &id, "", NULL);
	REFUSED("privacy.customer", c.hq, SAT_PRIVACY_ERASE, &note, "r", NULL);
	REFUSED("privacy.asked", c.hq, SAT_PRIVACY_CONFIRM, &id, "", NULL);
	assert_string_not_equal("", privacy(c.hq, SAT_PRIVACY_ERASE, &id,
	    longer, NULL));
	assert_string_not_equal("", privacy(c.hq, SAT_PRIVACY_ERASE, &none,
	    "r", NULL));
	/* while it is held nobody asks for it */
	hold(c.hq, &id, "a lawsuit");
	REFUSED("privacy.hold", c.hq, SAT_PRIVACY_ERASE, &id, "r", NULL);
	hold(c.hq, &id, NULL);
	DONE(c.hq, SAT_PRIVACY_ERASE, &id, "request 12", &row);
	assert_false(row.done);
	assert_int_equal(c.hq->user, row.by);
	assert_int_equal(0, row.second);
	/* not by the same, not while it is held: nothing was done so far */
	REFUSED("privacy.two", c.hq, SAT_PRIVACY_CONFIRM, &id, "", NULL);
	hold(c.hq, &id, "again");
	REFUSED("privacy.hold", root, SAT_PRIVACY_CONFIRM, &id, "", NULL);
	hold(c.hq, &id, NULL);
	all_sync(&c);
	assert_true(device_holds(c.ann, "Okapi"));
	DONE(root, SAT_PRIVACY_CONFIRM, &id, "", &row);
	assert_true(row.done);
	assert_int_equal(c.hq->user, row.by);
	assert_int_equal(root->user, row.second);
	REFUSED("erased", root, SAT_PRIVACY_CONFIRM, &id, "", NULL);
	REFUSED("erased", c.hq, SAT_PRIVACY_ERASE, &id, "r", NULL);
	crew_free(&c);
}

static void
who_decided_and_may_no_more_confirms_nothing(void **state) /* P-191 */
{
	crew c = crew_new(sat_test_seed(32));
	sat_id id = device_account(c.ann, "Okapi", "ann");
	device *root = device_new(c.w, "root");
	bool yes = true;
	sat_err err = { 0 };

	(void)state;
	all_sync(&c);
	device_sync(root);
	DONE(c.hq, SAT_PRIVACY_ERASE, &id, "request 12", NULL);
	assert_ok(sat_sqlite_user_edit(c.w->store, "root", NULL, NULL, &yes,
	    &err));
	assert_ok(sat_server_reload(c.w->server, &err));
	assert_string_not_equal("", privacy(root, SAT_PRIVACY_CONFIRM, &id, "",
	    NULL));
	assert_ok(sat_sqlite_user_edit(c.w->store, "root", NULL, "manager",
	    NULL, &err));
	yes = false;
	assert_ok(sat_sqlite_user_edit(c.w->store, "root", NULL, NULL, &yes,
	    &err));
	assert_ok(sat_server_reload(c.w->server, &err));
	REFUSED("denied", root, SAT_PRIVACY_CONFIRM, &id, "", NULL);
	device_sync(c.ann);
	assert_true(device_holds(c.ann, "Okapi"));
	crew_free(&c);
}

/* "user add li"; the code of the refusal, "" when there is none. */
static const char *
verb(device *d, sat_rc want)
{
	static sat_err e;
	sat_span words[] = { sat_span_str("user"), sat_span_str("add"),
		sat_span_str("li") };
	sat_msg m = { .type = SAT_MSG_ADMIN, .u.admin = { words, 3 } };
	sat_arena a = { 0 };

	assert_rc(want, device_say(&m, &a, d, &e));
	if (want == SAT_OK) {
		assert_int_equal(SAT_MSG_ADMIN_IS, m.type);
		assert_int_equal(d->w->verb_bytes, m.u.admin_is.n);
	}
	sat_arena_fini(&a);
	return e.code;
}

static void
only_an_administrators_device_is_answered(void **state) /* P-371 */
{
	crew c = crew_new(sat_test_seed(33));
	device *root = device_new(c.w, "root"), *new = device_new(c.w, "root");
	bool yes = true;
	sat_err err = { 0 };

	(void)state;
	all_sync(&c);
	(void)verb(root, SAT_EPROTO); /* nobody said hello on this link */
	SYNC(root, new);
	for (size_t i = 0; i < 6; i++) /* representatives, managers, headquarters */
		assert_string_equal("denied", verb(c.all[i], SAT_EDENIED));
	assert_int_equal(0, c.w->verbs);
	c.w->verb_bytes = 40;
	assert_string_equal("", verb(root, SAT_OK));
	assert_int_equal(1, c.w->verbs);
	assert_string_equal("root", c.w->verb_by);
	assert_string_equal("user add li ", c.w->verb);
	/* a refusal of the host comes as it is */
	c.w->verb_rc = SAT_ECONFLICT;
	assert_string_equal("verb", verb(root, SAT_ECONFLICT));
	c.w->verb_rc = SAT_OK;
	/* more than an answer may be */
	c.w->verb_bytes = SAT_ADMIN_ANSWER_MAX + 1;
	(void)verb(root, SAT_ENOSPACE);
	c.w->verb_bytes = 0;
	assert_int_equal(3, c.w->verbs);
	/* a revoked device, then a disabled person */
	assert_ok(sat_sqlite_device_revoke(c.w->store, new->ord, &err));
	assert_ok(sat_server_reload(c.w->server, &err));
	(void)verb(new, SAT_EREVOKED);
	assert_ok(sat_sqlite_user_edit(c.w->store, "root", NULL, NULL, &yes,
	    &err));
	assert_ok(sat_server_reload(c.w->server, &err));
	assert_string_equal("user.disabled", verb(root, SAT_EDENIED));
	assert_int_equal(3, c.w->verbs);
	crew_free(&c);
}

/* A verb whose change may not be on the disk is answered by nobody: the host
 * has to end. */
static void
a_verb_that_may_not_be_durable_is_not_answered(void **state) /* P-372 */
{
	crew c = crew_new(sat_test_seed(34));
	device *root = device_new(c.w, "root");
	sat_span words[] = { sat_span_str("team"), sat_span_str("list") };
	sat_msg m = { .type = SAT_MSG_ADMIN, .u.admin = { words, 2 } };
	sat_buf q = { 0 }, reply = { 0 };
	sat_err err = { 0 };

	(void)state;
	device_sync(root);
	c.w->verb_rc = SAT_EFSYNC;
	sat_msg_write(&q, &m);
	assert_rc(SAT_EFSYNC, sat_server_handle(c.w->server, &root->link,
	    &reply, sat_buf_span(&q), &err));
	assert_int_equal(0, reply.n);
	sat_buf_fini(&q);
	sat_buf_fini(&reply);
	crew_free(&c);
}

static sat_rc
reveal(device *d, const sat_id *id, uint16_t field, const char *reason,
    sat_err *e)
{
	sat_msg m = { .type = SAT_MSG_REVEAL };
	sat_arena a = { 0 };
	sat_rc rc;

	m.u.reveal.rec = *id;
	m.u.reveal.field = field;
	m.u.reveal.reason = sat_span_str(reason);
	rc = device_say(&m, &a, d, e);
	sat_arena_fini(&a);
	return rc;
}

static void
what_nobody_may_see_is_not_shown_and_not_noted(void **state) /* P-248 */
{
	world *w = world_of(sat_test_seed(35), "ann rep north, sue rep south, "
	    "mar marketing");
	device *ann = device_new(w, "ann"), *sue = device_new(w, "sue");
	device *mar = device_new(w, "mar");
	sat_id id = device_account(ann, "first", "ann"), none = device_id(ann);
	uint64_t head;
	sat_err e;

	(void)state;
	(void)device_edit(ann, &id, &id, K_ACCOUNT, SAT_OP_MVSET, A_PHONE,
	    txt("13812345678"));
	SYNC(ann, sue, mar);
	head = world_head(w);
	/* another team's, no record at all: the same answer */
	assert_rc(SAT_ENOTFOUND, reveal(sue, &id, A_PHONE, "why not", &e));
	assert_rc(SAT_ENOTFOUND, reveal(sue, &none, A_PHONE, "why not", &e));
	/* a role that is not shown it and may not ask */
	assert_rc(SAT_EDENIED, reveal(mar, &id, A_PHONE, "a campaign", &e));
	/* no reason, no field */
	assert_rc(SAT_EUSAGE, reveal(ann, &id, A_PHONE, "", &e));
	assert_rc(SAT_ENOTFOUND, reveal(ann, &id, 999, "call back", &e));
	assert_int_equal(head, world_head(w));
	world_free(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_people_who_may_decide_about_an_erasure),
		cmocka_unit_test(who_decided_and_may_no_more_confirms_nothing),
		cmocka_unit_test(only_an_administrators_device_is_answered),
		cmocka_unit_test(
		    a_verb_that_may_not_be_durable_is_not_answered),
		cmocka_unit_test(
		    what_nobody_may_see_is_not_shown_and_not_noted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
