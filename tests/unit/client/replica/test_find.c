/* Finding by id, number and value; lists, filtered and sorted. */
#include "tests/unit/client/replica/fixture.h"

/* ---- finding ------------------------------------------------------------- */

static void
ids_prefixes_and_match_values_are_resolved(void **state)
{
	fixture *f = *state;
	sat_id a = new_account(f, "Anhui Stars Co., Ltd.", "138 1234 5678");
	sat_id b = new_account(f, "Bengbu Glass", "13900000000"), got;
	char t[SAT_ID_TEXT], prefix[8];
	sat_err err;

	sat_id_text(t, &a);
	assert_ok(sat_replica_resolve(&got, f->r, f->account, t, &err));
	assert_true(sat_id_eq(&a, &got));
	memcpy(prefix, t, 6);
	prefix[6] = '\0'; /* the same second: both */
	assert_rc(SAT_ECONFLICT,
	    sat_replica_resolve(&got, f->r, NULL, prefix, &err));
	t[22] = '\0';
	assert_ok(sat_replica_resolve(&got, f->r, NULL, t, &err));
	assert_true(sat_id_eq(&a, &got));
	assert_ok(sat_replica_resolve(&got, f->r, NULL, "+8613900000000",
	    &err));
	assert_true(sat_id_eq(&b, &got));
	assert_ok(sat_replica_resolve(&got, f->r, NULL, "anhui stars", &err));
	assert_true(sat_id_eq(&a, &got));
	assert_rc(SAT_ENOTFOUND,
	    sat_replica_resolve(&got, f->r, NULL, "nobody", &err));
	set_text(f, b, F_PHONE, "13900000001");
	assert_rc(SAT_ENOTFOUND,
	    sat_replica_resolve(&got, f->r, NULL, "13900000000", &err));
	assert_sound(f);
}

static bool
count_match(void *u, const sat_id *id)
{
	(void)id;
	++*(int *)u;
	return true;
}

static void
duplicates_are_found_by_their_normal_form(void **state)
{
	fixture *f = *state;
	const sat_field *phone = sat_kind_field(f->account, "phone_main");
	sat_id a = new_account(f, "A", "13812345678");
	sat_op del = op(f->account, SAT_OP_DEL, a, 0, sat_v_null());
	int n = 0;
	sat_err err;

	new_account(f, "B", "0086-138-1234-5678");
	assert_ok(sat_replica_match(f->r, f->account, phone,
	    text("138 1234 5678"), count_match, &n, &err));
	assert_int_equal(2, n);
	write_ops(f, a, &del, 1); /* a deleted one is no duplicate */
	n = 0;
	assert_ok(sat_replica_match(f->r, f->account, phone,
	    text("138 1234 5678"), count_match, &n, &err));
	assert_int_equal(1, n);
	assert_rc(SAT_EINVALID, sat_replica_match(f->r, f->account,
	    sat_kind_field(f->account, "city"), text("x"), count_match, &n,
	    &err));
}

/* ---- lists --------------------------------------------------------------- */

static void
filters_say_what_they_mean(void **state)
{
	fixture *f = *state;
	sat_id a = new_account(f, "Alpha Glass", "1");
	sat_id b = new_account(f, "beta glass", "2");
	sat_id c = new_account(f, "Gamma", "3");
	sat_op num[] = {
		op(f->account, SAT_OP_MVSET, a, F_AMOUNT, sat_v_int(500)),
		op(f->account, SAT_OP_SADD, a, F_TAGS, text("vip2")),
	};
	sat_op del = op(f->account, SAT_OP_DEL, c, 0, sat_v_null());
	sat_op clear = op(f->account, SAT_OP_SET, b, F_CITY, sat_v_null());
	sat_value v[3], one = sat_v_int(1);

	write_ops(f, a, num, 2);
	write_ops(f, b, &clear, 1);
	v[0] = text("glass");
	assert_int_equal(2, count_where(f, (sat_filter){ F_NAME, SAT_CMP_LIKE, v, 1 }));
	assert_int_equal(2, count_where(f, (sat_filter){ SAT_Q_TEXT, SAT_CMP_LIKE, v, 1 }));
	v[0] = text("%");
	assert_int_equal(0, count_where(f, (sat_filter){ F_NAME, SAT_CMP_LIKE, v, 1 }));
	v[0] = text("vip");
	assert_int_equal(3, count_where(f, (sat_filter){ F_TAGS, SAT_CMP_HAS, v, 1 }));
	v[0] = text("vi");
	assert_int_equal(0, count_where(f, (sat_filter){ F_TAGS, SAT_CMP_HAS, v, 1 }));
	v[0] = text("vip2");
	assert_int_equal(1, count_where(f, (sat_filter){ F_TAGS, SAT_CMP_HAS, v, 1 }));
	v[0] = text("Hefei");
	assert_int_equal(2, count_where(f, (sat_filter){ F_CITY, SAT_CMP_EQ, v, 1 }));
	assert_int_equal(1, count_where(f, (sat_filter){ F_CITY, SAT_CMP_NE, v, 1 }));
	assert_int_equal(1, count_where(f, (sat_filter){ F_CITY, SAT_CMP_NULL, NULL, 0 }));
	v[0] = sat_v_int(499);
	assert_int_equal(1, count_where(f, (sat_filter){ F_AMOUNT, SAT_CMP_GT, v, 1 }));
	assert_int_equal(0, count_where(f, (sat_filter){ F_AMOUNT, SAT_CMP_LE, v, 1 }));
	v[0] = sat_v_id(&a);
	v[1] = sat_v_id(&c);
	assert_int_equal(2, count_where(f, (sat_filter){ SAT_Q_ID, SAT_CMP_IN, v, 2 }));
	write_ops(f, c, &del, 1);
	assert_int_equal(1, count_where(f, (sat_filter){ SAT_Q_ID, SAT_CMP_IN, v, 2 }));
	assert_int_equal(1, count_where(f, (sat_filter){ SAT_Q_DELETED, SAT_CMP_EQ, &one, 1 }));
	assert_int_equal(2, count_where(f, (sat_filter){ SAT_Q_PENDING, SAT_CMP_EQ, &one, 1 }));
	assert_sound(f);
}

static void
rows_come_sorted_and_limited_with_the_columns_asked_for(void **state)
{
	fixture *f = *state;
	uint16_t cols[] = { F_NAME, SAT_Q_PENDING, SAT_Q_ID, SAT_Q_CREATED };
	sat_query q = { .kind = f->account, .columns = cols, .ncolumns = 4,
		.sort = { { F_NAME, true } }, .nsort = 1, .limit = 2,
		.offset = 1 };
	sat_rows *rows, *inner;
	const sat_value *v;
	sat_err err;

	new_account(f, "A", "1");
	new_account(f, "B", "2");
	new_account(f, "C", "3");
	assert_ok(sat_replica_query(&rows, f->r, &q, &err));
	assert_ok(sat_rows_next(&v, rows, &err));
	assert_true(sat_value_eq(text("B"), v[0]));
	assert_int_equal(1, v[1].i);
	assert_int_equal(16, v[2].s.n);
	assert_true(v[3].i > 1700000000000);
	/* the same query inside: neither disturbs the other */
	assert_ok(sat_replica_query(&inner, f->r, &q, &err));
	assert_ok(sat_rows_next(&v, inner, &err));
	assert_true(sat_value_eq(text("B"), v[0]));
	assert_ok(sat_rows_next(&v, rows, &err));
	assert_true(sat_value_eq(text("A"), v[0]));
	assert_ok(sat_rows_next(&v, rows, &err));
	assert_null(v);
	assert_ok(sat_rows_next(&v, inner, &err));
	assert_true(sat_value_eq(text("A"), v[0]));
	sat_rows_free(rows);
	sat_rows_free(inner);
}

static void
a_parent_given_later_is_found_by_it(void **state)
{
	fixture *f = *state;
	sat_id root = new_account(f, "A", "1");
	sat_id opp = sat_replica_new_id(f->r);
	sat_op make[] = {
		op(f->opportunity, SAT_OP_NEW, opp, 0, sat_v_null()),
		op(f->opportunity, SAT_OP_SET, opp, 2, text("deal")),
	};
	sat_op join = op(f->opportunity, SAT_OP_SET, opp, 1, sat_v_id(&root));
	sat_value v = sat_v_id(&root);
	sat_filter filter = { 1, SAT_CMP_EQ, &v, 1 };
	sat_query q = { .kind = f->opportunity, .filters = &filter,
		.nfilters = 1 };
	int64_t n;
	sat_err err;

	write_ops(f, opp, make, 2);
	reopen(f);
	write_ops(f, opp, &join, 1);
	q.kind = f->opportunity;
	assert_ok(sat_replica_count(&n, f->r, &q, &err));
	assert_int_equal(1, n);
	reopen(f);
	assert_sound(f);
}

static void
a_filter_on_what_is_not_stored_is_refused(void **state)
{
	fixture *f = *state;
	sat_value v = text("x");
	sat_filter bad = { 999, SAT_CMP_EQ, &v, 1 };
	sat_query q = { .kind = f->account, .filters = &bad, .nfilters = 1 };
	int64_t n;
	sat_err err;

	assert_rc(SAT_EINVALID, sat_replica_count(&n, f->r, &q, &err));
	bad = (sat_filter){ F_CITY, SAT_CMP_EQ, NULL, 0 };
	assert_rc(SAT_EINVALID, sat_replica_count(&n, f->r, &q, &err));
}

static void
owner_and_parent_tell_how_the_actor_stands(void **state)
{
	fixture *f = *state;
	sat_id mine = new_account(f, "A", "1"), child, opp;
	sat_op give = op(f->account, SAT_OP_REASSIGN, mine, F_OWNER,
	    text("wang"));
	sat_op c[2], o[3];
	sat_relation rel;
	sat_err err;

	child = sat_replica_new_id(f->r);
	c[0] = op(f->contact, SAT_OP_NEW, child, 0, sat_v_null());
	c[1] = op(f->contact, SAT_OP_SET, child, 1, sat_v_id(&mine));
	write_ops(f, mine, c, 2);
	opp = sat_replica_new_id(f->r);
	o[0] = op(f->opportunity, SAT_OP_NEW, opp, 0, sat_v_null());
	o[1] = op(f->opportunity, SAT_OP_SET, opp, 1, sat_v_id(&mine));
	o[2] = op(f->opportunity, SAT_OP_REASSIGN, opp, 5, text("li"));
	write_ops(f, mine, o, 3);
	assert_ok(sat_replica_relation(&rel, f->r, f->account, &mine, &err));
	assert_int_equal(SAT_REL_OWN, rel);
	assert_ok(sat_replica_relation(&rel, f->r, f->contact, &child, &err));
	assert_int_equal(SAT_REL_OWN, rel);
	write_ops(f, mine, &give, 1);
	assert_ok(sat_replica_relation(&rel, f->r, f->account, &mine, &err));
	assert_int_not_equal(SAT_REL_OWN, rel);
	assert_ok(sat_replica_relation(&rel, f->r, f->opportunity, &opp, &err));
	assert_int_equal(SAT_REL_OWN, rel);
	assert_sound(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		EMPTY(ids_prefixes_and_match_values_are_resolved),
		EMPTY(duplicates_are_found_by_their_normal_form),
		EMPTY(filters_say_what_they_mean),
		EMPTY(rows_come_sorted_and_limited_with_the_columns_asked_for),
		EMPTY(a_parent_given_later_is_found_by_it),
		EMPTY(a_filter_on_what_is_not_stored_is_refused),
		EMPTY(owner_and_parent_tell_how_the_actor_stands),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
