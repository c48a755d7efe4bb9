/* People, teams, invitations and devices in the file. */
#include "tests/lib/unit.h"

#include "server/store/sqlite/store.h"
#include "server_store_sqlite_sql.h"
#include "tests/unit/server/store/sqlite/bare.h"

static void
a_team_is_disabled_when_nobody_in_it_may_sync(void **state)
{
	fixture *f = *state;
	bool on = true, off = false;
	uint32_t ord;
	sat_err err = { 0 };

	assert_ok(sat_sqlite_team_add(&ord, f->s, "west", "West", "cn", &err));
	assert_ok(sat_sqlite_user_add(&ord, f->s, "wu", "Wu", "rep", "west",
	    &err));
	assert_rc(SAT_ECONFLICT, sat_sqlite_team_edit(f->s, "west", NULL, NULL,
	    &on, &err));
	assert_string_equal("team.people", err.code);
	assert_ok(sat_sqlite_user_edit(f->s, "wu", NULL, NULL, &on, &err));
	assert_ok(sat_sqlite_team_edit(f->s, "west", "W", NULL, &on, &err));
	assert_rc(SAT_EDENIED, sat_sqlite_user_add(&ord, f->s, "xu", "Xu",
	    "rep", "west", &err));
	assert_ok(sat_sqlite_team_edit(f->s, "west", NULL, "", &off, &err));
	assert_ok(sat_sqlite_user_add(&ord, f->s, "xu", "Xu", "rep", "west",
	    &err));
	assert_rc(SAT_ENOTFOUND, sat_sqlite_team_edit(f->s, "none", "N", NULL,
	    NULL, &err));
}

static void
people_and_teams_are_checked_and_numbered(void **state)
{
	fixture *f = *state;
	sat_registry r = { 0 };
	uint32_t ord;
	bool yes = true;
	sat_err err = { 0 };

	assert_ok(sat_sqlite_team_add(&ord, f->s, "north", "North", "cn", &err));
	assert_int_equal(1, ord);
	assert_ok(sat_sqlite_user_add(&ord, f->s, "ann", "Ann", "rep", "north",
	    &err));
	assert_ok(sat_sqlite_user_add(&ord, f->s, "hq", "HQ", "hq", NULL, &err));
	assert_int_equal(2, ord);
	assert_rc(SAT_ECONFLICT, sat_sqlite_user_add(&ord, f->s, "ann", "A",
	    "rep", NULL, &err));
	assert_rc(SAT_ECONFLICT, sat_sqlite_team_add(&ord, f->s, "north", "N",
	    NULL, &err));
	assert_rc(SAT_ENOTFOUND, sat_sqlite_user_add(&ord, f->s, "bob", "Bob",
	    "rep", "south", &err));
	assert_rc(SAT_EINVALID, sat_sqlite_user_add(&ord, f->s, "Bob", "Bob",
	    "rep", NULL, &err));
	assert_rc(SAT_EINVALID, sat_sqlite_user_add(&ord, f->s, "bob", "Bob",
	    "king", NULL, &err));
	assert_rc(SAT_ENOTFOUND, sat_sqlite_user_edit(f->s, "bob", "B", NULL,
	    NULL, &err));
	/* its records gave other keys than a receptionist's would (P-270) */
	assert_rc(SAT_EINVALID, sat_sqlite_user_edit(f->s, "ann", NULL,
	    "receptionist", NULL, &err));
	assert_ok(sat_sqlite_user_edit(f->s, "ann", NULL, "manager", &yes,
	    &err));
	assert_ok(f->o.begin(f->o.u, &err));
	assert_ok(f->o.registry(&r, f->o.u, &err));
	f->o.rollback(f->o.u);
	assert_int_equal(4, r.rev); /* failures do not count */
	assert_int_equal(2, r.nusers);
	assert_string_equal("Ann", r.users[0].name);
	assert_string_equal("manager", r.users[0].role);
	assert_true(r.users[0].disabled);
	assert_int_equal(1, r.users[0].team);
	assert_int_equal(0, r.users[1].team);
	assert_string_equal("cn", r.teams[0].parent);
	sat_registry_fini(&r);
}

static bool
on_device(void *u, const sat_sqlite_device *d)
{
	*(sat_sqlite_device *)u = *d;
	((sat_sqlite_device *)u)->name = NULL;
	return true;
}

static void
an_invitation_makes_one_device(void **state)
{
	fixture *f = *state;
	sat_enrol in = { .token = { 7 }, .sign_pk = { 1 },
		.name = sat_span_str("laptop") };
	uint8_t channel[32] = { 2 }, pk[32];
	uint32_t ord, user;
	sat_sqlite_device d = { 0 };
	sat_sqlite_status st;
	sat_err err = { 0 };

	assert_ok(sat_sqlite_user_add(&user, f->s, "ann", "Ann", "rep", NULL,
	    &err));
	assert_rc(SAT_ENOTFOUND, sat_sqlite_invite_add(f->s, in.token, "bob",
	    9000, &err));
	assert_ok(sat_sqlite_invite_add(f->s, in.token, "ann", 9000, &err));
	assert_ok(sat_sqlite_status_get(&st, f->s, &err));
	assert_int_equal(1, st.invites);
	assert_ok(f->o.begin(f->o.u, &err));
	assert_rc(SAT_ELOCKED, f->o.device_enrol(&ord, &user, f->o.u, &in,
	    channel, 9001, &err));
	assert_ok(f->o.device_enrol(&ord, &user, f->o.u, &in, channel, 9000,
	    &err));
	assert_int_equal(1, ord);
	/* again, also after it has expired */
	assert_ok(f->o.device_enrol(&ord, &user, f->o.u, &in, channel, 99999,
	    &err));
	assert_int_equal(1, ord);
	channel[0]++;
	assert_rc(SAT_ECONFLICT, f->o.device_enrol(&ord, &user, f->o.u, &in,
	    channel, 9000, &err));
	channel[0]--;
	in.token[0]++;
	assert_rc(SAT_ENOTFOUND, f->o.device_enrol(&ord, &user, f->o.u, &in,
	    channel, 9000, &err));
	assert_ok(f->o.device_by_key(&ord, pk, f->o.u, channel, &err));
	assert_memory_equal(in.sign_pk, pk, 32);
	assert_ok(f->o.device_sign_pk(pk, f->o.u, 1, &err));
	assert_rc(SAT_ENOTFOUND, f->o.device_sign_pk(pk, f->o.u, 2, &err));
	assert_ok(f->o.device_seen(f->o.u, 1, 50, NULL, 60, &err));
	assert_ok(f->o.device_seen(f->o.u, 1, 40, NULL, 70, &err));
	assert_ok(f->o.commit(f->o.u, &err));
	assert_ok(sat_sqlite_device_revoke(f->s, 1, &err));
	assert_rc(SAT_ENOTFOUND, sat_sqlite_device_revoke(f->s, 2, &err));
	assert_ok(sat_sqlite_devices(f->s, on_device, &d, &err));
	assert_true(d.revoked);
	assert_int_equal(50, d.cursor);
	assert_int_equal(70, d.last_seen_ms);
	assert_int_equal(9000, d.enrolled_ms);
}

static void
a_token_is_nowhere_in_the_file(void **state)
{
	fixture *f = *state;
	uint8_t token[16];
	uint32_t ord;
	sat_stmt *q;
	bool row;
	sat_err err = { 0 };

	memset(token, 0xab, sizeof token);
	assert_ok(sat_sqlite_user_add(&ord, f->s, "ann", "Ann", "rep", NULL,
	    &err));
	assert_ok(sat_sqlite_invite_add(f->s, token, "ann", 9000, &err));
	assert_ok(sat_db_stmt_text(&q, sat_sqlite_store_db(f->s),
	    "SELECT count(*) FROM invite WHERE instr(hash, ?1)", &err));
	sat_bind_blob(q, 1, sat_span_of(token, 8));
	assert_ok(sat_step(&row, q, &err));
	assert_int_equal(0, sat_col_int(q, 0));
	sat_stmt_reset(q);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(a_team_is_disabled_when_nobody_in_it_may_sync),
		T(people_and_teams_are_checked_and_numbered),
		T(an_invitation_makes_one_device),
		T(a_token_is_nowhere_in_the_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
