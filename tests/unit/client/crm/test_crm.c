/* Create, edit, assign, delete, and how each is refused. */
#include "tests/lib/unit.h"

#include "tests/unit/client/crm/crm_fixture.h"

static void
a_new_customer_gets_owner_defaults_and_a_number(void **state)
{
	fixture *f = *state;
	sat_id id = customer(f, "上海云帆科技有限公司", "138 1234 5678");

	assert_string_equal("me", value_of(f, f->account, id, "owner"));
	assert_string_equal("first_contact",
	    value_of(f, f->account, id, "stage"));
	assert_string_equal("potential", value_of(f, f->account, id, "status"));
	assert_string_equal("+8613812345678",
	    value_of(f, f->account, id, "phone_main"));
	assert_string_equal("me", value_of(f, f->account, id, "created_by"));
	assert_string_equal("C202311-P7-0001",
	    value_of(f, f->account, id, "number"));
	id = customer(f, "Second", "13912345678");
	assert_string_equal("C202311-P7-0002",
	    value_of(f, f->account, id, "number"));
	assert_sound(f);
}

static void
every_fault_of_a_form_is_listed_at_once(void **state)
{
	fixture *f = *state;
	sat_err err;
	sat_id id;

	assert_rc(SAT_EINVALID, try_create(&id, f, f->account,
	    LIST("name=A", "phone_main=12812345678", "industry=XX",
	    "grade=gold"), &err));
	assert_true(finds(&err, "name", "length"));
	assert_true(finds(&err, "phone_main", "pattern"));
	assert_true(finds(&err, "industry", "option"));
	assert_true(finds(&err, "grade", "option"));
	assert_true(finds(&err, "contact_name", "required"));
	assert_true(finds(&err, "need_type", "required"));
	assert_int_equal(6, err.nfields);
	assert_int_equal(0, count_of(f, f->account));
}

static void
an_unknown_field_is_named(void **state)
{
	fixture *f = *state;
	sat_err err;
	sat_id id;

	assert_rc(SAT_EINVALID, try_create(&id, f, f->account,
	    LIST("nmae=Acme"), &err));
	assert_int_equal(1, err.nfields);
	assert_string_equal("nmae", err.fields[0].path);
}

static void
a_possible_duplicate_is_named_and_passes_with_a_reason(void **state)
{
	fixture *f = *state;
	sat_crm c = crm_of(f);
	sat_id first = customer(f, "云帆科技", "13812345678"), id;
	sat_duplicate dup[SAT_DUPLICATES_MAX];
	sat_write_opts why = { .duplicate_reason = "two branches" };
	sat_err err;
	size_t n;
	pairs p;

	read_pairs(&p, LIST("name=别的名字", "phone_main=+86 138-1234-5678",
	    "industry=C34", "contact_name=Li", "need_type=product"));
	assert_rc(SAT_ECONFLICT, sat_crm_create(&id, &c, f->account, p.in, p.n,
	    NULL, dup, &n, &err));
	assert_string_equal("duplicate", err.code);
	assert_int_equal(1, n);
	assert_true(sat_id_eq(&first, &dup[0].id));
	assert_string_equal("phone_main", dup[0].field);
	assert_int_equal(1, count_of(f, f->account));
	assert_ok(sat_crm_create(&id, &c, f->account, p.in, p.n, &why, dup, &n,
	    &err));
	assert_int_equal(2, count_of(f, f->account));
}

static void
a_deleted_record_is_no_duplicate(void **state)
{
	fixture *f = *state;
	sat_crm c = crm_of(f);
	sat_id id = customer(f, "云帆科技", "13812345678");
	sat_err err;

	assert_ok(sat_crm_delete(&c, f->account, &id, false, &err));
	(void)customer(f, "云帆科技有限公司", "13812345678");
}

static void
validating_only_writes_nothing(void **state)
{
	fixture *f = *state;
	sat_crm c = crm_of(f);
	sat_write_opts o = { .validate_only = true };
	sat_replica_status st;
	sat_err err;
	sat_id id;
	pairs p;

	read_pairs(&p, LIST("name=Acme", "phone_main=13812345678",
	    "industry=C34", "contact_name=Li", "need_type=product"));
	assert_ok(sat_crm_create(&id, &c, f->account, p.in, p.n, &o, NULL, NULL,
	    &err));
	assert_ok(sat_replica_status_get(&st, f->r, &err));
	assert_int_equal(0, st.pending_commits);
}

static void
editing_to_the_value_it_has_writes_nothing(void **state)
{
	fixture *f = *state;
	sat_id id = customer(f, "Acme", "13812345678");
	sat_replica_status before, after;
	size_t changed;
	sat_err err;

	assert_ok(sat_replica_status_get(&before, f->r, &err));
	assert_ok(try_edit(&changed, f, f->account, id, LIST("name= Acme ",
	    "phone_main=138-1234-5678", "industry=C34"), &err));
	assert_int_equal(0, changed);
	assert_ok(sat_replica_status_get(&after, f->r, &err));
	assert_int_equal(before.pending_commits, after.pending_commits);
	assert_ok(try_edit(&changed, f, f->account, id, LIST("name=Acme 2",
	    "industry=C34"), &err));
	assert_int_equal(1, changed);
	assert_string_equal("Acme 2", value_of(f, f->account, id, "name"));
}

static void
a_stale_version_is_refused(void **state)
{
	fixture *f = *state;
	sat_crm c = crm_of(f);
	sat_id id = customer(f, "Acme", "13812345678");
	sat_write_opts o = { 0 };
	sat_input x = in("remark", "first");
	char version[40], later[40];
	sat_view v = view_of(f, id);
	size_t changed;
	sat_err err;

	sat_crm_version(version, &v);
	o.if_version = version;
	assert_ok(sat_crm_edit(&changed, &c, f->account, &id, &x, 1, &o, &err));
	x = in("remark", "second");
	assert_rc(SAT_ECONFLICT, sat_crm_edit(&changed, &c, f->account, &id, &x,
	    1, &o, &err));
	assert_string_equal("version", err.code);
	assert_string_equal("first", value_of(f, f->account, id, "remark"));
	v = view_of(f, id);
	sat_crm_version(later, &v);
	assert_string_not_equal(version, later);
}

static void
what_it_was_before_is_known_offline_too(void **state)
{
	fixture *f = *state;
	sat_id id = customer(f, "Acme", "13812345678");
	int city = field_of(f->account, "city")->id;
	sat_past *p;
	size_t changed, n;
	sat_err err;

	for (int i = 0; i < 3; i++) {
		char v[24];

		(void)snprintf(v, sizeof v, "city=City %d", i);
		assert_ok(try_edit(&changed, f, f->account, id, LIST(v), &err));
		if (i == 0)
			srv_sync(f);
	}
	assert_ok(sat_replica_history(&p, &n, &f->a, f->r, &id, city, &err));
	assert_int_equal(2, n);
	assert_true(sat_span_eq(p[0].value.s, sat_span_str("City 1")));
	assert_true(sat_span_eq(p[1].value.s, sat_span_str("City 0")));
	srv_sync(f);
	assert_ok(sat_replica_history(&p, &n, &f->a, f->r, &id, city, &err));
	assert_int_equal(2, n);
	assert_true(sat_span_eq(p[1].value.s, sat_span_str("City 0")));
}

static void
a_required_field_cannot_be_cleared(void **state)
{
	fixture *f = *state;
	sat_id id = customer(f, "Acme", "13812345678");
	size_t changed;
	sat_err err;

	assert_rc(SAT_EINVALID, try_edit(&changed, f, f->account, id,
	    LIST("industry="), &err));
	assert_true(finds(&err, "industry", "required"));
}

static void
tags_and_counters_have_their_own_verbs(void **state)
{
	fixture *f = *state;
	sat_crm c = crm_of(f);
	sat_id id = customer(f, "Acme", "13812345678");
	sat_input x[] = { { '+', "tags", sat_span_str("vip，老客户") },
		{ '+', "visit_count", sat_span_str("3") } };
	sat_input y[] = { { '-', "tags", sat_span_str("vip") },
		{ '-', "visit_count", sat_span_str("1") } };
	sat_input z[] = { { '=', "tags", sat_span_str("a, b, 老客户") } };
	size_t changed;
	sat_err err;

	assert_ok(sat_crm_edit(&changed, &c, f->account, &id, x, 2, NULL, &err));
	assert_int_equal(3, changed);
	assert_ok(sat_crm_edit(&changed, &c, f->account, &id, x, 1, NULL, &err));
	assert_int_equal(0, changed);
	assert_ok(sat_crm_edit(&changed, &c, f->account, &id, y, 2, NULL, &err));
	assert_string_equal("老客户", value_of(f, f->account, id, "tags"));
	assert_string_equal("2", value_of(f, f->account, id, "visit_count"));
	assert_ok(sat_crm_edit(&changed, &c, f->account, &id, z, 1, NULL, &err));
	assert_int_equal(2, changed);
	assert_ok(sat_crm_edit(&changed, &c, f->account, &id, z, 1, NULL, &err));
	assert_int_equal(0, changed);
	assert_sound(f);
}

static void
an_owner_must_exist_and_be_there(void **state)
{
	fixture *f = *state;
	sat_crm c = crm_of(f);
	sat_id id = customer(f, "Acme", "13812345678");
	sat_err err;

	assert_rc(SAT_EINVALID, sat_crm_assign(&c, f->account, &id, "nobody",
	    &err));
	assert_true(finds(&err, "owner", "option"));
	assert_rc(SAT_EINVALID, sat_crm_assign(&c, f->account, &id, "gone",
	    &err));
	assert_true(finds(&err, "owner", "retired"));
	assert_ok(sat_crm_assign(&c, f->account, &id, "u1", &err));
	assert_string_equal("u1", value_of(f, f->account, id, "owner"));
}

static void
a_rep_writes_his_own_and_nothing_of_others(void **state)
{
	fixture *f = *state;
	sat_crm c = crm_of(f);
	sat_id id = customer(f, "Acme", "13812345678"), other;
	char a[SAT_ID_TEXT], acc[64];
	size_t changed;
	sat_err err;

	assert_rc(SAT_EDENIED, sat_crm_assign(&c, f->account, &id, "u1", &err));
	assert_rc(SAT_EDENIED, sat_crm_delete(&c, f->account, &id, false, &err));
	assert_rc(SAT_EDENIED, try_create(&other, f, f->account,
	    LIST("name=Theirs", "phone_main=13912345678", "industry=C34",
	    "contact_name=X", "need_type=product", "owner=u2"), &err));
	/* an account of somebody else, of which he sees an opportunity */
	people(f, "hq");
	other = made(f, f->account, LIST("name=Theirs",
	    "phone_main=13912345678", "industry=C34", "contact_name=X",
	    "need_type=product", "owner=u2"));
	people(f, "rep");
	assert_rc(SAT_EDENIED, try_edit(&changed, f, f->account, other,
	    LIST("remark=mine now"), &err));
	sat_id_text(a, &other);
	(void)snprintf(acc, sizeof acc, "account=%s", a);
	/* but he may write down that he was there */
	(void)made(f, f->activity, LIST(acc, "method=visit", "points=was there"));
	assert_string_equal("", value_of(f, f->account, other,
	    "last_follow_at"));
	assert_sound(f);
}

static void
a_child_needs_a_customer_that_is_there(void **state)
{
	fixture *f = *state;
	sat_err err;
	sat_id id;

	assert_rc(SAT_EINVALID, try_create(&id, f, f->contact,
	    LIST("name=Li"), &err));
	assert_true(finds(&err, "account", "required"));
	assert_rc(SAT_EINVALID, try_create(&id, f, f->contact,
	    LIST("name=Li", "account=zzzzzzzz"), &err));
	assert_true(finds(&err, "account", "option"));
}

static void
a_customer_is_named_by_number_name_or_id(void **state)
{
	fixture *f = *state;
	sat_id acc = customer(f, "Acme 有限公司", "13812345678"), id;
	sat_view v;

	id = made(f, f->contact, LIST("name=Li", "account=C202311-P7-0001"));
	v = view_of(f, id);
	assert_memory_equal(acc.b, sat_record_value(&v.rec,
	    field_of(f->contact, "account")->id).s.p, 16);
	(void)made(f, f->contact, LIST("name=Wang", "account=acme"));
}

static void
what_is_deleted_is_not_edited_until_restored(void **state)
{
	fixture *f = *state;
	sat_crm c = crm_of(f);
	sat_id id = customer(f, "Acme", "13812345678");
	size_t changed;
	sat_err err;

	assert_ok(sat_crm_delete(&c, f->account, &id, false, &err));
	assert_ok(sat_crm_delete(&c, f->account, &id, false, &err));
	assert_int_equal(0, count_of(f, f->account));
	assert_rc(SAT_EINVALID, try_edit(&changed, f, f->account, id,
	    LIST("remark=x"), &err));
	assert_ok(sat_crm_delete(&c, f->account, &id, true, &err));
	assert_ok(try_edit(&changed, f, f->account, id, LIST("remark=x"), &err));
	assert_int_equal(1, changed);
}

static void
an_activity_is_never_changed(void **state)
{
	fixture *f = *state;
	sat_id id;
	size_t changed;
	sat_err err;

	(void)customer(f, "Acme", "13812345678");
	id = made(f, f->activity, LIST("account=acme", "method=phone",
	    "points=said hello"));
	assert_string_equal("me", value_of(f, f->activity, id, "author"));
	assert_string_equal("true", value_of(f, f->activity, id, "effective"));
	assert_rc(SAT_EINVALID, try_edit(&changed, f, f->activity, id,
	    LIST("points=said goodbye"), &err));
	assert_true(finds(&err, "points", "append_only"));
}

static void
a_follow_up_moves_its_customers_dates_in_the_same_commit(void **state)
{
	fixture *f = *state;
	sat_id acc = customer(f, "Acme", "13812345678");
	sat_replica_status before, after;
	sat_err err;

	assert_ok(sat_replica_status_get(&before, f->r, &err));
	(void)made(f, f->activity, LIST("account=acme", "method=phone",
	    "points=x", "occurred_at=2023-11-10 10:00",
	    "next_at=2023-12-01 09:00"));
	assert_ok(sat_replica_status_get(&after, f->r, &err));
	assert_int_equal(before.pending_commits + 1, after.pending_commits);
	assert_string_equal("2023-11-10T02:00:00Z",
	    value_of(f, f->account, acc, "last_follow_at"));
	assert_string_equal("2023-12-01T01:00:00Z",
	    value_of(f, f->account, acc, "next_follow_at"));
	/* an earlier one noted later, and one that reached nobody */
	(void)made(f, f->activity, LIST("account=acme", "method=phone",
	    "points=x", "occurred_at=2023-11-09"));
	(void)made(f, f->activity, LIST("account=acme", "method=phone",
	    "points=x", "occurred_at=2023-11-12", "effective=false"));
	assert_string_equal("2023-11-10T02:00:00Z",
	    value_of(f, f->account, acc, "last_follow_at"));
	srv_sync(f);
	assert_settled(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		HQ(a_new_customer_gets_owner_defaults_and_a_number),
		HQ(every_fault_of_a_form_is_listed_at_once),
		HQ(an_unknown_field_is_named),
		HQ(a_possible_duplicate_is_named_and_passes_with_a_reason),
		HQ(a_deleted_record_is_no_duplicate),
		HQ(validating_only_writes_nothing),
		HQ(editing_to_the_value_it_has_writes_nothing),
		HQ(a_stale_version_is_refused),
		HQ(what_it_was_before_is_known_offline_too),
		HQ(a_required_field_cannot_be_cleared),
		HQ(tags_and_counters_have_their_own_verbs),
		HQ(an_owner_must_exist_and_be_there),
		REP(a_rep_writes_his_own_and_nothing_of_others),
		HQ(a_child_needs_a_customer_that_is_there),
		HQ(a_customer_is_named_by_number_name_or_id),
		HQ(what_is_deleted_is_not_edited_until_restored),
		HQ(an_activity_is_never_changed),
		HQ(a_follow_up_moves_its_customers_dates_in_the_same_commit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
