/* Who holds what: keys and relations. */
#include "tests/lib/unit.h"

#include "protocol/scope.h"

static sat_user users[] = {
	{ 1, "ann", "Ann", "rep", 1, false },
	{ 2, "bob", "Bob", "rep", 1, false },
	{ 3, "sue", "Sue", "rep", 2, false },
	{ 4, "max", "Max", "manager", 1, false },
	{ 5, "hq", "HQ", "hq", 0, false },
	{ 6, "root", "Root", "admin", 0, false },
	{ 7, "old", "Old", "manager", 1, true },
	{ 8, "kio", "Kiosk", "kiosk", 1, false },
	{ 9, "rec", "Reception", "receptionist", 1, false },
};
static sat_team teams[] = { { 1, "north", "North", "", false },
	{ 2, "south", "South", "", false } };
static const sat_registry reg = { .users = users, .nusers = 9, .teams = teams,
	.nteams = 2 };
static const sat_user *const ann = &users[0], *const max = &users[3],
	*const hq = &users[4], *const admin = &users[5], *const old = &users[6];

static sat_value
who(const char *key)
{
	return sat_v_text(sat_span_str(key));
}

static void
a_role_subscribes_to_its_keys(void **state) /* P-080 */
{
	sat_keys k = sat_scope_subscription(&reg, ann);

	(void)state;
	assert_int_equal(3, k.n);
	assert_true(sat_keys_has(&k, sat_key_user(1)));
	assert_true(sat_keys_has(&k, sat_key_crew(1)));
	assert_true(sat_keys_has(&k, SAT_KEY_SHARED));
	k = sat_scope_subscription(&reg, max);
	assert_int_equal(4, k.n);
	assert_true(sat_keys_has(&k, sat_key_user(4)));
	assert_true(sat_keys_has(&k, SAT_KEY_SHARED));
	assert_true(sat_keys_has(&k, sat_key_team(1)));
	k = sat_scope_subscription(&reg, hq);
	assert_int_equal(1, k.n);
	assert_true(sat_keys_has(&k, SAT_KEY_ALL));
	assert_int_equal(0, sat_scope_subscription(&reg, admin).n);
	assert_int_equal(0, sat_scope_subscription(&reg, old).n);
}

static void
whoever_looks_at_all_customers_holds_them_all(void **state) /* P-240 */
{
	static const char *const all[] = { "service", "marketing", "auditor" };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		sat_user u = { 20, "u", "U", all[i], 1, false };
		sat_keys k = sat_scope_subscription(&reg, &u);

		assert_int_equal(1, k.n);
		assert_true(sat_keys_has(&k, SAT_KEY_ALL));
		u.disabled = true;
		assert_int_equal(0, sat_scope_subscription(&reg, &u).n);
	}
}

static void
a_kiosk_subscribes_to_nothing_and_a_receptionist_to_the_desk(void **state)
{ /* P-271, P-272 */
	const sat_user *rec = sat_registry_user_ord(&reg, 9);
	sat_keys k = sat_scope_subscription(&reg,
	    sat_registry_user_ord(&reg, 8));

	(void)state;
	assert_int_equal(0, k.n);
	k = sat_scope_subscription(&reg, rec);
	assert_int_equal(4, k.n);
	assert_true(sat_keys_has(&k, sat_key_desk(1)));
	assert_false(sat_keys_has(&k, sat_key_team(1)));
	k = sat_scope_digest_keys(&reg, rec);
	assert_int_equal(3, k.n); /* what is his own is the desk's, too */
	assert_false(sat_keys_has(&k, sat_key_user(9)));
	k = sat_scope_owner_keys(&reg, who("kio"));
	assert_int_equal(3, k.n);
	assert_true(sat_keys_has(&k, sat_key_desk(1)));
	assert_false(sat_keys_has(&(sat_keys){ 0 }, sat_key_desk(1)));
	k = sat_scope_owner_keys(&reg, who("ann"));
	assert_false(sat_keys_has(&k, sat_key_desk(1)));
	/* the desk's people stand to each other's visitors as a team */
	assert_int_equal(SAT_REL_TEAM, sat_scope_relation(&reg, rec,
	    SAT_SCOPE_OWNED, sat_v_null(), who("kio"), true, false));
	assert_int_equal(SAT_REL_NONE, sat_scope_relation(&reg, rec,
	    SAT_SCOPE_OWNED, sat_v_null(), who("ann"), true, false));
}

static void
what_is_a_teams_is_held_by_all_of_it(void **state) /* P-273 */
{
	sat_keys k = sat_scope_record_keys(&reg, SAT_SCOPE_TEAM, who("ann"),
	    sat_v_null());

	(void)state;
	assert_int_equal(1, k.n);
	assert_true(sat_keys_has(&k, sat_key_crew(1)));
	assert_int_equal(SAT_REL_OWN, sat_scope_relation(&reg, ann,
	    SAT_SCOPE_TEAM, sat_v_null(), who("ann"), true, true));
	assert_int_equal(SAT_REL_TEAM, sat_scope_relation(&reg, &users[1],
	    SAT_SCOPE_TEAM, sat_v_null(), who("ann"), true, true));
	assert_int_equal(SAT_REL_NONE, sat_scope_relation(&reg, &users[2],
	    SAT_SCOPE_TEAM, sat_v_null(), who("ann"), true, true));
	assert_int_equal(0, sat_scope_record_keys(&reg, SAT_SCOPE_TEAM,
	    who("hq"), sat_v_null()).n);
}

static void
an_owner_gives_its_user_and_team(void **state)
{
	sat_keys k = sat_scope_owner_keys(&reg, who("sue"));

	(void)state;
	assert_int_equal(2, k.n);
	assert_true(sat_keys_has(&k, sat_key_user(3)));
	assert_true(sat_keys_has(&k, sat_key_team(2)));
	assert_int_equal(1, sat_scope_owner_keys(&reg, who("hq")).n);
	/* a disabled user's customers must still be seen by the manager */
	assert_int_equal(2, sat_scope_owner_keys(&reg, who("old")).n);
	assert_int_equal(0, sat_scope_owner_keys(&reg, who("nobody")).n);
	assert_int_equal(0, sat_scope_owner_keys(&reg, who("")).n);
	assert_int_equal(0, sat_scope_owner_keys(&reg, sat_v_null()).n);
	assert_int_equal(0, sat_scope_owner_keys(&reg, sat_v_int(1)).n);
}

static void
what_is_shared_is_everybodys_and_changed_by_who_may_change_all(void **state)
{
	sat_keys k = sat_scope_record_keys(&reg, SAT_SCOPE_SHARED,
	    sat_v_null(), sat_v_null());

	(void)state;
	assert_int_equal(1, k.n);
	assert_true(sat_keys_has(&k, SAT_KEY_SHARED));
	assert_int_equal(SAT_REL_ALL, sat_scope_relation(&reg, ann,
	    SAT_SCOPE_SHARED, sat_v_null(), sat_v_null(), true, true));
	assert_int_equal(SAT_REL_NONE, sat_scope_relation(&reg, old,
	    SAT_SCOPE_SHARED, sat_v_null(), sat_v_null(), true, true));
	k = sat_scope_record_keys(&reg, SAT_SCOPE_ROOT, who("ann"),
	    sat_v_null());
	assert_int_equal(2, k.n);
}

static void
user_team_and_all_keys_never_meet(void **state)
{
	(void)state;
	assert_true(sat_key_user(1) != sat_key_team(1));
	assert_true(sat_key_user(UINT32_MAX) < sat_key_team(0));
	assert_true(sat_key_team(UINT32_MAX) < SAT_KEY_SHARED);
	assert_true(SAT_KEY_SHARED < SAT_KEY_ALL);
}

static void
the_relation_follows_the_owners(void **state)
{
	static const struct {
		int actor;
		sat_scope_class cls;
		const char *root, *own;
		bool sees, is_new;
		sat_relation want;
	} t[] = {
		{ 0, SAT_SCOPE_ROOT, "ann", NULL, true, false, SAT_REL_OWN },
		{ 0, SAT_SCOPE_ROOT, "bob", NULL, true, false, SAT_REL_NONE },
		{ 3, SAT_SCOPE_ROOT, "bob", NULL, true, false, SAT_REL_TEAM },
		{ 3, SAT_SCOPE_ROOT, "max", NULL, true, false, SAT_REL_OWN },
		{ 3, SAT_SCOPE_ROOT, "sue", NULL, true, false, SAT_REL_NONE },
		{ 4, SAT_SCOPE_ROOT, "sue", NULL, true, false, SAT_REL_ALL },
		{ 4, SAT_SCOPE_ROOT, NULL, NULL, true, false, SAT_REL_ALL },
		{ 0, SAT_SCOPE_ROOT, NULL, NULL, true, true, SAT_REL_NONE },
		{ 5, SAT_SCOPE_ROOT, "ann", NULL, true, false, SAT_REL_NONE },
		{ 6, SAT_SCOPE_ROOT, "old", NULL, true, false, SAT_REL_NONE },
		/* a plain child goes by its root; a new one by who sees it */
		{ 0, SAT_SCOPE_CHILD, "ann", NULL, true, false, SAT_REL_OWN },
		{ 0, SAT_SCOPE_CHILD, "bob", NULL, true, false, SAT_REL_NONE },
		{ 0, SAT_SCOPE_CHILD, "bob", NULL, true, true, SAT_REL_OWN },
		{ 0, SAT_SCOPE_CHILD, "bob", NULL, false, true, SAT_REL_NONE },
		{ 3, SAT_SCOPE_CHILD, "bob", NULL, true, false, SAT_REL_TEAM },
		/* an owned child by its own owner or its root's */
		{ 0, SAT_SCOPE_OWNED, "bob", "ann", true, false, SAT_REL_OWN },
		{ 0, SAT_SCOPE_OWNED, "ann", "bob", true, false, SAT_REL_OWN },
		{ 0, SAT_SCOPE_OWNED, "bob", "bob", true, false, SAT_REL_NONE },
		{ 3, SAT_SCOPE_OWNED, "sue", "bob", true, false, SAT_REL_TEAM },
		{ 3, SAT_SCOPE_OWNED, "sue", "sue", true, true, SAT_REL_NONE },
		{ 4, SAT_SCOPE_OWNED, "sue", "sue", true, false, SAT_REL_ALL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
		sat_relation got = sat_scope_relation(&reg, &users[t[i].actor],
		    t[i].cls, t[i].root ? who(t[i].root) : sat_v_null(),
		    t[i].own ? who(t[i].own) : sat_v_null(), t[i].sees,
		    t[i].is_new);

		if (got != t[i].want)
			fail_msg("row %zu: %d, wanted %d", i, got, t[i].want);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_role_subscribes_to_its_keys),
		cmocka_unit_test(whoever_looks_at_all_customers_holds_them_all),
		cmocka_unit_test(
		    a_kiosk_subscribes_to_nothing_and_a_receptionist_to_the_desk),
		cmocka_unit_test(what_is_a_teams_is_held_by_all_of_it),
		cmocka_unit_test(an_owner_gives_its_user_and_team),
		cmocka_unit_test(what_is_shared_is_everybodys_and_changed_by_who_may_change_all),
		cmocka_unit_test(user_team_and_all_keys_never_meet),
		cmocka_unit_test(the_relation_follows_the_owners),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
