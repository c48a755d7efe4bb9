/* Who is let in: hello, invitations, incarnations. */
#include "tests/unit/server/store/sqlite/device.h"

static void
hello_refuses_whom_it_must(void **state)
{
	world *w = world_company(13);
	device *ann = device_new(w, "ann"), *bob = device_new(w, "bob");
	sat_id org = w->org, acc;
	bool yes = true;
	sat_err err = { 0 };

	(void)state;
	device_sync(ann);
	w->org.b[0] ^= 1; /* what the device says: P-104 */
	assert_rc(SAT_EDENIED, device_enrol(ann, ann->sign_pk, &err));
	assert_string_equal("org.other", err.code);
	w->org = org;
	ann->ord++;
	assert_rc(SAT_EDENIED, device_sync_flags(ann, 0, &err));
	ann->ord--;
	ann->link.channel_pk[0] ^= 1;
	assert_rc(SAT_ELOCKED, device_sync_flags(ann, 0, &err));
	ann->link.channel_pk[0] ^= 1;
	device_sync(ann);
	/* revoked: nothing is accepted any more, also not on the open link */
	acc = device_account(ann, "after", "ann");
	(void)acc;
	assert_ok(sat_sqlite_device_revoke(w->store, ann->ord, &err));
	assert_ok(sat_server_reload(w->server, &err));
	assert_rc(SAT_EREVOKED, device_sync_flags(ann, 0, &err));
	assert_int_equal(0, world_head(w));
	assert_ok(sat_sqlite_user_edit(w->store, "bob", NULL, NULL, &yes, &err));
	assert_ok(sat_server_reload(w->server, &err));
	assert_rc(SAT_EDENIED, device_sync_flags(bob, 0, &err));
	world_free(w);
}

static void
an_invitation_is_good_once_and_for_a_while(void **state)
{ /* P-102, P-103 */
	world *w = world_company(14);
	device *ann = device_new(w, "ann"), thief;
	uint8_t token[16] = { 0 };
	uint32_t ord = ann->ord;
	sat_err err = { 0 };

	(void)state;
	token[0] = w->next_token;
	/* the answer was lost: the same device asks again */
	assert_ok(device_enrol(ann, token, &err));
	assert_int_equal(ord, ann->ord);
	thief = *ann;
	thief.link.channel_pk[0] ^= 1;
	assert_rc(SAT_ELOCKED, device_enrol(&thief, token, &err));
	assert_string_equal("invite.used", err.code);
	token[5] = 1;
	assert_rc(SAT_ELOCKED, device_enrol(&thief, token, &err));
	assert_string_equal("invite.unknown", err.code);
	assert_ok(sat_sqlite_invite_add(w->store, token, "bob", w->now_ms + 1,
	    &err));
	w->now_ms += 2;
	assert_rc(SAT_ELOCKED, device_enrol(&thief, token, &err));
	assert_string_equal("invite.expired", err.code);
	world_free(w);
}

static void
a_device_that_waits_is_enrolled_and_gets_nothing(void **state) /* P-390 */
{
	world *w = world_company(16);
	device *ann = device_new(w, "ann"), *bob = device_new(w, "bob"), late;
	uint8_t token[16] = { 0x77 };
	sat_err err = { 0 };

	(void)state;
	assert_ok(sat_sqlite_invite_add(w->store, token, "bob",
	    w->now_ms + 1000, &err));
	assert_ok(sat_sqlite_invite_hold(w->store, token, &err));
	late = *bob;
	late.link.channel_pk[0] ^= 1;
	assert_ok(device_enrol(&late, token, &err));
	assert_rc(SAT_ELOCKED, device_sync_flags(&late, 0, &err));
	assert_string_equal("device.waiting", err.code);
	/* what it says again is answered again: the first answer may be lost */
	assert_ok(device_enrol(&late, token, &err));
	assert_rc(SAT_ECONFLICT, sat_sqlite_device_approve(w->store, ann->ord,
	    &err));
	assert_ok(sat_sqlite_device_approve(w->store, late.ord, &err));
	assert_ok(sat_server_reload(w->server, &err));
	assert_ok(device_sync_flags(&late, 0, &err));
	assert_rc(SAT_ENOTFOUND, sat_sqlite_invite_hold(w->store, token, &err));
	*bob = late; /* what it synced */
	world_free(w);
}

static void
a_new_incarnation_gets_the_old_ones_commits_in_full(void **state)
{
	world *w = world_company(15);
	device *ann = device_new(w, "ann");
	sat_id acc;

	(void)state;
	device_sync(ann);
	acc = device_account(ann, "first", "ann");
	(void)device_activity(ann, &acc, "called");
	device_sync(ann);
	/* restored from a backup made before: empty outbox, cursor 0 */
	for (size_t i = 0; i < ann->nrec; i++)
		ann->rec[i].used = false;
	ann->nout = 0;
	ann->cursor = 0;
	ann->incarnation = 2;
	memset(ann->head, 0, sizeof ann->head);
	device_sync(ann);
	device_check(ann);
	assert_int_equal(2, ann->stats.pulled_commits);
	/* the same incarnation without its outbox asks for all of it */
	(void)device_activity(ann, &acc, "again");
	device_sync(ann);
	for (size_t i = 0; i < ann->nrec; i++)
		ann->rec[i].used = false;
	ann->nout = 0;
	ann->cursor = 0;
	device_sync(ann);
	device_check(ann);
	world_free(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hello_refuses_whom_it_must),
		cmocka_unit_test(an_invitation_is_good_once_and_for_a_while),
		cmocka_unit_test(a_device_that_waits_is_enrolled_and_gets_nothing),
		cmocka_unit_test(a_new_incarnation_gets_the_old_ones_commits_in_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
