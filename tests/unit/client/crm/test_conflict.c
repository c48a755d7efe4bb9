/* Conflicts are settled by a person. */
#include "tests/lib/unit.h"

#include "tests/unit/client/crm/crm_fixture.h"

/* Two people give the phone at the same time. */
static sat_conflict
make_conflict(fixture *f, sat_id id, sat_arena *a)
{
	sat_conflict *all;
	uint64_t seen;
	size_t n, changed;
	sat_err err;

	srv_sync(f);
	seen = f->srv.n;
	srv_foreign_text(f, id, F_PHONE, "+8613900000002", seen);
	assert_ok(try_edit(&changed, f, f->account, id,
	    LIST("phone_main=13900000001"), &err));
	srv_sync(f);
	assert_ok(sat_replica_conflicts(&all, &n, a, f->r, &err));
	assert_int_equal(1, n);
	assert_int_equal(2, all[0].n);
	return all[0];
}

static void
resolve_with(fixture *f, const char *choice, const char *set, const char *want)
{
	sat_crm c = crm_of(f);
	sat_id id = customer(f, "Acme", "13812345678");
	sat_arena a = { 0 };
	sat_conflict cf = make_conflict(f, id, &a), *all;
	sat_err err;
	size_t n;

	assert_rc(SAT_ENOTFOUND, sat_crm_resolve(&c, "nonsense", choice,
	    sat_span_str(set), &err));
	assert_rc(SAT_EUSAGE, sat_crm_resolve(&c, cf.key, "whatever",
	    sat_span_str(set), &err));
	assert_ok(sat_crm_resolve(&c, cf.key, choice, sat_span_str(set), &err));
	assert_string_equal(want, value_of(f, f->account, id, "phone_main"));
	assert_ok(sat_replica_conflicts(&all, &n, &a, f->r, &err));
	assert_int_equal(0, n);
	srv_sync(f);
	assert_ok(sat_replica_conflicts(&all, &n, &a, f->r, &err));
	assert_int_equal(0, n);
	assert_string_equal(want, value_of(f, f->account, id, "phone_main"));
	assert_settled(f);
	sat_arena_fini(&a);
}

static void
a_conflict_is_settled_with_mine(void **state)
{
	resolve_with(*state, "mine", "", "+8613900000001");
}

static void
a_conflict_is_settled_with_theirs(void **state)
{
	resolve_with(*state, "theirs", "", "+8613900000002");
}

static void
a_conflict_is_settled_with_a_third_value(void **state)
{
	resolve_with(*state, "set", "139 0000 0003", "+8613900000003");
}

static void
what_was_deleted_while_edited_is_decided(void **state)
{
	fixture *f = *state;
	sat_crm c = crm_of(f);
	sat_id id = customer(f, "Acme", "13812345678");
	sat_conflict *all;
	uint64_t seen;
	size_t n;
	sat_err err;

	srv_sync(f);
	seen = f->srv.n;
	srv_foreign_text(f, id, F_REMARK, "important", seen);
	assert_ok(sat_crm_delete(&c, f->account, &id, false, &err));
	srv_sync(f);
	assert_ok(sat_replica_conflicts(&all, &n, &f->a, f->r, &err));
	assert_int_equal(1, n);
	assert_null(all[0].field);
	assert_rc(SAT_EUSAGE, sat_crm_resolve(&c, all[0].key, "mine",
	    sat_span_str(""), &err));
	assert_ok(sat_crm_resolve(&c, all[0].key, "restore", sat_span_str(""),
	    &err));
	srv_sync(f);
	assert_ok(sat_replica_conflicts(&all, &n, &f->a, f->r, &err));
	assert_int_equal(0, n);
	assert_int_equal(1, count_of(f, f->account));
	assert_same_as_server(f);
}

static void
a_settling_value_passes_the_gate_too(void **state)
{
	fixture *f = *state;
	sat_crm c = crm_of(f);
	sat_id id = customer(f, "Acme", "13812345678");
	sat_arena a = { 0 };
	sat_conflict cf = make_conflict(f, id, &a);
	sat_err err;

	assert_rc(SAT_EINVALID, sat_crm_resolve(&c, cf.key, "set",
	    sat_span_str("123"), &err));
	assert_true(finds(&err, "phone_main", "pattern"));
	sat_arena_fini(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		HQ(a_conflict_is_settled_with_mine),
		HQ(a_conflict_is_settled_with_theirs),
		HQ(a_conflict_is_settled_with_a_third_value),
		HQ(what_was_deleted_while_edited_is_decided),
		HQ(a_settling_value_passes_the_gate_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
