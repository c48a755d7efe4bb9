/* Customers merged and taken apart; those that may be one. */
#include "tests/lib/unit.h"

#include "tests/unit/client/crm/crm_fixture.h"

static size_t
open_conflicts(fixture *f)
{
	sat_arena a = { 0 };
	sat_conflict *c;
	sat_err err;
	size_t n;

	assert_ok(sat_replica_conflicts(&c, &n, &a, f->r, &err));
	sat_arena_fini(&a);
	return n;
}

static sat_id
canon(fixture *f, sat_id id)
{
	sat_id to;
	sat_err err;

	assert_ok(sat_replica_canon(&to, f->r, &id, &err));
	return to;
}

static void
the_winner_gets_what_nobody_has_to_decide(void **state)
{
	fixture *f = *state;
	sat_id a = customer(f, "云帆科技有限公司", "13812345678"), b, got;
	sat_err err;

	b = second(f, LIST("name=云帆科技", "phone_main=13812345678",
	    "industry=C35", "contact_name=Zhang", "need_type=product",
	    "tags=vip,fair", "visit_count=2", "city=上海"));
	assert_int_equal(2, count_of(f, f->account));
	assert_ok(try_merge(f, b, a, NULL, NULL, &err));
	assert_int_equal(1, count_of(f, f->account));
	assert_string_equal("C34", value_of(f, f->account, a, "industry"));
	assert_string_equal("上海", value_of(f, f->account, a, "city"));
	assert_string_equal("2", value_of(f, f->account, a, "visit_count"));
	assert_non_null(strstr(value_of(f, f->account, a, "tags"), "vip"));
	srv_sync(f);
	assert_int_equal(0, open_conflicts(f)); /* the names read alike */
	got = canon(f, b);
	assert_true(sat_id_eq(&got, &a));
	/* its number and its id find the winner */
	assert_ok(sat_replica_resolve(&got, f->r, f->account,
	    "C202311-P7-0002", &err));
	assert_true(sat_id_eq(&got, &a));
	assert_ok(sat_replica_resolve_self(&got, f->r, f->account,
	    "C202311-P7-0002", &err));
	assert_true(sat_id_eq(&got, &b));
	assert_settled(f);
}

static void
values_that_differ_are_somebody_s_to_decide(void **state)
{
	fixture *f = *state;
	sat_id a = customer(f, "Acme", "13812345678");
	sat_id b = customer(f, "Acme Two", "13900000001");
	sat_err err;

	srv_sync(f);
	assert_ok(try_merge(f, b, a, "name", "loser", &err));
	srv_sync(f);
	assert_string_equal("Acme Two", value_of(f, f->account, a, "name"));
	assert_int_equal(1, open_conflicts(f)); /* the phone */
	assert_settled(f);
}

static void
apart_again_each_has_its_own(void **state)
{
	fixture *f = *state;
	sat_crm c = crm_of(f);
	sat_id a = customer(f, "Acme", "13812345678"), b = acme_two(f), got;
	int64_t kept;
	sat_err err;

	srv_sync(f);
	assert_ok(try_merge(f, b, a, "name", "loser", &err));
	srv_sync(f);
	f->now_ms += 10;
	assert_ok(sat_crm_unmerge(&kept, &c, f->account, &b, &err));
	srv_sync(f);
	got = canon(f, b);
	assert_true(sat_id_eq(&got, &b));
	assert_int_equal(2, count_of(f, f->account));
	assert_int_equal(0, kept);
	assert_string_equal("Acme", value_of(f, f->account, a, "name"));
	assert_string_equal("+8613812345678",
	    value_of(f, f->account, a, "phone_main"));
	assert_string_equal("", value_of(f, f->account, a, "city"));
	assert_string_equal("", value_of(f, f->account, a, "tags"));
	assert_string_equal("0", value_of(f, f->account, a, "visit_count"));
	assert_string_equal("vip", value_of(f, f->account, b, "tags"));
	assert_int_equal(0, open_conflicts(f));
	assert_rc(SAT_ECONFLICT, sat_crm_unmerge(&kept, &c, f->account, &b,
	    &err));
	assert_settled(f);
}

static void
a_merge_that_waits_is_taken_apart_as_well(void **state)
{
	fixture *f = *state;
	sat_crm c = crm_of(f);
	sat_id a = customer(f, "Acme", "13812345678");
	sat_id b = customer(f, "Acme Two", "13900000001");
	int64_t kept;
	sat_err err;

	srv_sync(f);
	assert_ok(try_merge(f, b, a, "name", "loser", &err));
	f->now_ms += 10;
	assert_ok(sat_crm_unmerge(&kept, &c, f->account, &b, &err));
	assert_string_equal("Acme", value_of(f, f->account, a, "name"));
	srv_sync(f);
	assert_string_equal("Acme", value_of(f, f->account, a, "name"));
	assert_settled(f);
}

static void
what_lies_below_either_lies_below_the_winner(void **state)
{
	fixture *f = *state;
	sat_id a = customer(f, "Acme", "13812345678"), row;
	sat_id b = customer(f, "Acme Two", "13900000001");
	uint16_t cols[2] = { SAT_Q_ID, 0 };
	const sat_value *v;
	sat_value ref = sat_v_id(&a);
	sat_filter by = { 0, SAT_CMP_EQ, &ref, 1 };
	sat_query q = { .columns = cols, .ncolumns = 2, .filters = &by,
		.nfilters = 1, .kind = f->contact };
	sat_rows *rows;
	size_t n = 0;
	sat_err err;

	(void)child(f, "contact", a, LIST("name=One"));
	(void)child(f, "contact", b, LIST("name=Two"));
	assert_ok(try_merge(f, b, a, NULL, NULL, &err));
	/* also one that is written afterwards under the old number */
	(void)made(f, f->contact, LIST("account=C202311-P7-0002",
	    "name=Three"));
	by.field = cols[1] = f->contact->parent->id;
	assert_ok(sat_replica_query(&rows, f->r, &q, &err));
	while (sat_rows_next(&v, rows, &err) == SAT_OK && v != NULL) {
		memcpy(row.b, v[1].s.p, 16);
		assert_true(sat_id_eq(&row, &a)); /* as everybody reads it */
		n++;
	}
	sat_rows_free(rows);
	assert_int_equal(3, n);
	assert_sound(f);
}

static void
words_of_the_loser_find_the_winner(void **state)
{
	fixture *f = *state;
	sat_id a = customer(f, "Acme", "13812345678"), row;
	sat_id b = customer(f, "Bluebird", "13900000001");
	sat_id d = customer(f, "Third", "13900000002");
	uint16_t cols[1] = { SAT_Q_ID };
	sat_value word = text("ebir");
	sat_filter by = { SAT_Q_TEXT, SAT_CMP_LIKE, &word, 1 };
	sat_query q = { .columns = cols, .ncolumns = 1, .filters = &by,
		.nfilters = 1, .kind = f->account };
	const sat_value *v;
	sat_rows *rows;
	sat_err err;

	assert_ok(try_merge(f, b, a, "name", "winner", &err));
	assert_ok(try_merge(f, a, d, "name", "winner", &err));
	assert_ok(sat_replica_query(&rows, f->r, &q, &err));
	assert_ok(sat_rows_next(&v, rows, &err));
	assert_non_null(v);
	memcpy(row.b, v[0].s.p, 16);
	assert_true(sat_id_eq(&row, &d));
	assert_ok(sat_rows_next(&v, rows, &err));
	assert_null(v);
	sat_rows_free(rows);
}

static void
circles_and_second_merges_are_refused(void **state)
{
	fixture *f = *state;
	sat_id a = customer(f, "Acme", "13812345678");
	sat_id b = customer(f, "Acme Two", "13900000001");
	sat_id d = customer(f, "Third", "13900000002"), to;
	sat_err err;

	assert_ok(try_merge(f, b, a, NULL, NULL, &err));
	assert_rc(SAT_ECONFLICT, try_merge(f, a, b, NULL, NULL, &err));
	assert_string_equal("merge.cycle", err.code);
	assert_rc(SAT_ECONFLICT, try_merge(f, b, d, NULL, NULL, &err));
	assert_string_equal("merge.stale", err.code);
	assert_rc(SAT_ECONFLICT, try_merge(f, a, a, NULL, NULL, &err));
	assert_rc(SAT_EUSAGE, try_merge(f, d, a, "tags", "loser", &err));
	assert_rc(SAT_EUSAGE, try_merge(f, d, a, "nmae", "loser", &err));
	assert_ok(try_merge(f, a, d, NULL, NULL, &err)); /* chains compose */
	to = canon(f, b);
	assert_true(sat_id_eq(&to, &d));
	assert_sound(f);
}

/* An own merge that waits, and the server's the other way round. */
static void
a_circle_on_the_device_ends_at_the_lowest_id(void **state)
{
	fixture *f = *state;
	sat_id a = customer(f, "Acme", "13812345678"), to;
	sat_id b = customer(f, "Acme Two", "13900000001");
	sat_op o;
	sat_err err;

	srv_sync(f);
	o = op(f->account, SAT_OP_MERGE, a, SAT_SYS_REDIRECT, sat_v_id(&b));
	(void)srv_foreign(f, b, &o, 1, f->srv.n);
	assert_ok(try_merge(f, b, a, NULL, NULL, &err));
	srv_pull(f);
	to = canon(f, b);
	assert_true(sat_id_eq(&to, memcmp(a.b, b.b, 16) < 0 ? &a : &b));
	to = canon(f, a);
	assert_true(sat_id_eq(&to, memcmp(a.b, b.b, 16) < 0 ? &a : &b));
}

static void
a_representative_merges_nothing(void **state)
{
	fixture *f = *state;
	sat_id a = customer(f, "Acme", "13812345678");
	sat_id b = customer(f, "Acme Two", "13900000001");
	sat_err err;

	assert_rc(SAT_EDENIED, try_merge(f, b, a, NULL, NULL, &err));
	assert_int_equal(2, count_of(f, f->account));
}

/* ---- those that may be one ------------------------------------------------------- */

static sat_pair *
pairs_of(fixture *f, bool weak, int min, size_t *n)
{
	sat_crm c = crm_of(f);
	sat_pair_opts o = { weak, min };
	sat_pair *p;
	sat_err err;

	assert_ok(sat_crm_pairs(&p, n, &f->a, &c, &o, &err));
	return p;
}

static void
keys_that_agree_make_a_pair_until_it_is_dismissed(void **state)
{
	fixture *f = *state;
	sat_crm c = crm_of(f);
	sat_id a = customer(f, "云帆科技有限公司", "13812345678"), b;
	sat_pair *p;
	sat_err err;
	size_t n;

	(void)customer(f, "Somebody Else", "13700000000");
	(void)pairs_of(f, false, 1, &n);
	assert_int_equal(0, n);
	b = second(f, LIST("name=云帆科技", "phone_main=138-1234-5678",
	    "industry=C35", "contact_name=Zhang", "need_type=product"));
	p = pairs_of(f, false, 1, &n);
	assert_int_equal(1, n);
	assert_true(sat_id_eq(&p->a, &a) && sat_id_eq(&p->b, &b));
	assert_int_equal(85, p->score); /* phone 80, and the name as well */
	assert_int_equal(2, p->nfields);
	(void)pairs_of(f, false, 86, &n);
	assert_int_equal(0, n);
	p = pairs_of(f, false, 1, &n);
	assert_ok(sat_crm_dismiss(&c, p, &err));
	(void)pairs_of(f, true, 1, &n);
	assert_int_equal(0, n);
	srv_sync(f);
	(void)pairs_of(f, true, 1, &n);
	assert_int_equal(0, n);
	assert_settled(f);
}

static void
merged_ones_are_no_pair(void **state)
{
	fixture *f = *state;
	sat_id a = customer(f, "Acme", "13812345678"), b;
	sat_err err;
	size_t n;

	b = second(f, LIST("name=Acme Two", "phone_main=13812345678",
	    "industry=C35", "contact_name=Zhang", "need_type=product"));
	(void)pairs_of(f, false, 1, &n);
	assert_int_equal(1, n);
	assert_ok(try_merge(f, b, a, NULL, NULL, &err));
	(void)pairs_of(f, false, 1, &n);
	assert_int_equal(0, n);
}

static void
names_that_look_alike_are_found_by_a_scan_only(void **state)
{
	fixture *f = *state;
	sat_pair *p;
	size_t n;

	(void)customer(f, "上海云帆信息科技有限公司", "13812345678");
	(void)customer(f, "上海云凡信息科技", "13812345679");
	(void)customer(f, "北京风", "13812345670");
	(void)customer(f, "北京云", "13812345671");
	(void)pairs_of(f, false, 1, &n);
	assert_int_equal(0, n);
	p = pairs_of(f, true, 1, &n);
	assert_int_equal(1, n); /* three characters are too few */
	assert_true(p->weak);
	assert_int_equal(40, p->score);
	(void)pairs_of(f, true, 41, &n);
	assert_int_equal(0, n);
}

static void
a_name_without_its_city_is_alike_in_that_city(void **state)
{
	fixture *f = *state;
	size_t n;

	(void)made(f, f->account, LIST("name=上海云帆", "phone_main=13812345678",
	    "industry=C34", "contact_name=Li", "need_type=product",
	    "city=上海市"));
	(void)made(f, f->account, LIST("name=云帆", "phone_main=13812345679",
	    "industry=C34", "contact_name=Li", "need_type=product",
	    "city=上海市"));
	(void)made(f, f->account, LIST("name=北京云帆",
	    "phone_main=13812345677", "industry=C34", "contact_name=Li",
	    "need_type=product", "city=北京市"));
	(void)pairs_of(f, true, 1, &n);
	assert_int_equal(1, n);
}

/* The server's word on a customer this device does not hold. */
static void
what_the_server_told_is_shown_with_the_owner_only(void **state)
{
	fixture *f = *state;
	sat_id a = customer(f, "Acme", "13812345678");
	sat_crm c = crm_of(f);
	sat_pair *p;
	sat_op o;
	sat_err err;
	size_t n;

	srv_sync(f);
	o = op(f->account, SAT_OP_SADD, a, SAT_SYS_CANDIDATES,
	    text("0123456789abcdef phone_main u2"));
	(void)srv_foreign(f, a, &o, 1, f->srv.n);
	srv_pull(f);
	p = pairs_of(f, false, 60, &n);
	assert_int_equal(1, n);
	assert_true(sat_id_zero(&p->b));
	assert_string_equal("u2", p->owner);
	assert_string_equal("phone_main", p->fields[0]);
	assert_int_equal(80, p->score);
	assert_ok(sat_crm_dismiss(&c, p, &err));
	(void)pairs_of(f, false, 1, &n);
	assert_int_equal(0, n);
	assert_sound(f);
}

/* Whoever is merged into a deleted customer would be gone from every list. */
static void
nobody_is_merged_into_a_deleted_customer(void **state)
{
	fixture *f = *state;
	sat_crm c = crm_of(f);
	sat_id a = customer(f, "Acme", "13812345678"), b;
	sat_err err;

	b = second(f, LIST("name=Acme", "phone_main=13812345678",
	    "industry=C34", "contact_name=Zhang", "need_type=product",
	    "source=fair"));
	f->now_ms += 10;
	assert_ok(sat_crm_delete(&c, f->account, &a, false, &err));
	assert_rc(SAT_ECONFLICT, try_merge(f, b, a, NULL, NULL, &err));
	assert_string_equal("merge.deleted", err.code);
	assert_int_equal(1, count_of(f, f->account));
	f->now_ms += 10;
	assert_ok(sat_crm_delete(&c, f->account, &a, true, &err));
	assert_ok(try_merge(f, b, a, NULL, NULL, &err));
	assert_int_equal(1, count_of(f, f->account));
	assert_sound(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		HQ(the_winner_gets_what_nobody_has_to_decide),
		HQ(values_that_differ_are_somebody_s_to_decide),
		HQ(apart_again_each_has_its_own),
		HQ(a_merge_that_waits_is_taken_apart_as_well),
		HQ(what_lies_below_either_lies_below_the_winner),
		HQ(words_of_the_loser_find_the_winner),
		HQ(circles_and_second_merges_are_refused),
		HQ(a_circle_on_the_device_ends_at_the_lowest_id),
		REP(a_representative_merges_nothing),
		HQ(nobody_is_merged_into_a_deleted_customer),
		HQ(keys_that_agree_make_a_pair_until_it_is_dismissed),
		HQ(merged_ones_are_no_pair),
		HQ(names_that_look_alike_are_found_by_a_scan_only),
		HQ(a_name_without_its_city_is_alike_in_that_city),
		REP(what_the_server_told_is_shown_with_the_owner_only),
	};

	sat_crypto_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
