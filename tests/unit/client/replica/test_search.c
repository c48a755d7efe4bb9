/*
 * The search index: found by what it says now, by nothing it said before, and
 * in the same transaction.
 */
#include "tests/unit/client/replica/fixture.h"

#include "common/model/find.h"
#include "common/model/pinyin.h"

#include <stdio.h>

static sat_found *
find(fixture *f, size_t *n, const char *text)
{
	const sat_kind *kinds[] = { f->account, f->contact };
	sat_search q = { .text = sat_span_str(text), .kinds = kinds,
		.nkinds = 2, .limit = 50 };
	sat_found *out;
	int64_t total;
	sat_err err;

	assert_ok(sat_replica_search(&out, n, &total, &f->a, f->r, &q, &err));
	assert_true(total >= (int64_t)*n);
	return out;
}

static bool
finds(fixture *f, const char *text, sat_id id)
{
	size_t n;
	sat_found *out = find(f, &n, text);

	for (size_t i = 0; i < n; i++)
		if (sat_id_eq(&out[i].id, &id))
			return true;
	return false;
}

static size_t
count(fixture *f, const char *text)
{
	size_t n;

	(void)find(f, &n, text);
	return n;
}

static int64_t
listed(fixture *f, const char *word)
{
	sat_value v = text(word);
	sat_filter by = { SAT_Q_TEXT, SAT_CMP_LIKE, &v, 1 };
	sat_query q = { .kind = f->account, .filters = &by, .nfilters = 1 };
	int64_t n;
	sat_err err;

	assert_ok(sat_replica_count(&n, f->r, &q, &err));
	return n;
}

static int64_t
one_number(fixture *f, const char *sql)
{
	sat_stmt *s;
	int64_t n;
	bool row;
	sat_err err;

	assert_ok(sat_db_stmt_text(&s, sat_replica_db(f->r), sql, &err));
	assert_ok(sat_step(&row, s, &err));
	n = row ? sat_col_int(s, 0) : -1;
	sat_stmt_reset(s);
	return n;
}

static void
a_customer_is_found_by_name_pinyin_phone_and_number(void **state)
{
	fixture *f = *state;
	sat_id a = new_account(f, "重庆华为技术有限公司", "13812345678");
	sat_id b = new_account(f, "长沙单氏银行", "13912340000");

	(void)set_text(f, a, F_NUMBER, "C202405001");
	assert_true(finds(f, "华为", a));
	assert_true(finds(f, "華為", a));
	assert_true(finds(f, "chongqing", a));
	assert_true(finds(f, "cqhw", a));
	assert_true(finds(f, "5678", a));
	assert_true(finds(f, "138 1234 5678", a));
	assert_true(finds(f, "c202405001", a));
	assert_false(finds(f, "hefei", a)); /* no name, but in its list */
	assert_int_equal(2, listed(f, "hefei"));
	assert_false(finds(f, "华为", b));
	assert_true(finds(f, "shanshi", b));
	assert_true(finds(f, "csss", b) || finds(f, "cssshi", b));
	assert_true(finds(f, "yinhang", b));
	assert_int_equal(0, count(f, "1234"));
	assert_int_equal(0, count(f, "  "));
	assert_sound(f);
}

static void
the_better_fit_comes_first(void **state)
{
	fixture *f = *state;
	sat_id inside = new_account(f, "上海云帆", "13800000001");
	sat_id prefix = new_account(f, "云帆科技", "13800000002");
	sat_id exact = new_account(f, "云帆", "13800000003");
	sat_id sound = new_account(f, "运返", "13800000004");
	sat_found *out;
	size_t n;

	out = find(f, &n, "云帆");
	assert_int_equal(3, n);
	assert_memory_equal(&exact, &out[0].id, sizeof exact);
	assert_memory_equal(&prefix, &out[1].id, sizeof prefix);
	assert_memory_equal(&inside, &out[2].id, sizeof inside);
	assert_int_equal(SAT_HIT_EXACT, out[0].hit);
	assert_int_equal(F_NAME, out[0].field->id);
	assert_true(finds(f, "yunfan", sound));
}

/* Whichever way a value changes, with the index there. */
static void
what_it_said_before_finds_it_no_more(void **state)
{
	fixture *f = *state;
	sat_id a = new_account(f, "旧名称公司", "13812345678"), b;
	sat_op both[2], del;

	assert_true(finds(f, "旧名称", a));
	(void)set_text(f, a, F_NAME, "新名称公司");
	assert_false(finds(f, "旧名称", a));
	assert_true(finds(f, "新名称", a));
	both[0] = op(f->account, SAT_OP_MVSET, a, F_NAME, text("第三公司"));
	both[1] = op(f->account, SAT_OP_MVSET, a, F_PHONE, text("13900009999"));
	write_ops(f, a, both, 2);
	assert_false(finds(f, "新名称", a));
	assert_false(finds(f, "5678", a));
	assert_true(finds(f, "9999", a));
	(void)set_text(f, a, F_CITY, "苏州");
	assert_int_equal(1, listed(f, "suzhou"));
	del = op(f->account, SAT_OP_SET, a, F_CITY, sat_v_null());
	write_ops(f, a, &del, 1);
	assert_int_equal(0, listed(f, "suzhou"));
	assert_true(finds(f, "第三", a));
	b = new_account(f, "后来者", "13711112222");
	assert_true(finds(f, "houlaizhe", b));
	del = op(f->account, SAT_OP_DEL, b, 0, sat_v_null());
	write_ops(f, b, &del, 1);
	assert_false(finds(f, "houlaizhe", b));
	assert_sound(f);
}

static void
numbers_refusals_and_other_peoples_work_are_followed(void **state)
{
	fixture *f = *state;
	sat_id a = new_account(f, "本机客户", "13812345678");
	sat_op o;
	sat_id other = { { 9, 9, 9 } };

	assert_true(finds(f, "本机", a));
	srv_sync(f); /* it gets the server's number */
	assert_true(finds(f, "本机", a));
	o = op(f->account, SAT_OP_NEW, other, 0, sat_v_null());
	(void)srv_foreign(f, other, &o, 1, f->srv.n);
	(void)srv_foreign_text(f, other, F_NAME, "别人的客户", f->srv.n);
	srv_sync(f);
	assert_true(finds(f, "bierendekehu", other));
	(void)srv_foreign_text(f, a, F_NAME, "改过的客户", f->srv.n);
	srv_sync(f);
	assert_false(finds(f, "本机", a));
	assert_true(finds(f, "改过", a));
	assert_settled(f);
}

static void
long_texts_are_found_by_the_list_alone(void **state)
{
	fixture *f = *state;
	sat_id a = new_account(f, "张三", "13812345678");

	(void)set_text(f, a, F_REMARK, "喜欢喝绿茶");
	assert_int_equal(0, count(f, "绿茶"));
	assert_int_equal(1, listed(f, "绿茶"));
	assert_int_equal(1, listed(f, "zhangsan"));
	assert_int_equal(0, listed(f, "红茶"));
	(void)set_text(f, a, F_REMARK, "改喝红茶");
	assert_int_equal(0, listed(f, "绿茶"));
	assert_int_equal(1, listed(f, "红茶"));
	assert_sound(f);
}

static void
the_index_is_there_after_opening_and_only_when_asked_for(void **state)
{
	fixture *f = *state;
	sat_id a = new_account(f, "先有客户", "13812345678");
	sat_err err;

	assert_int_equal(0, one_number(f, "SELECT count(*) FROM search"));
	assert_ok(sat_replica_search_ready(f->r, &err));
	/* the name, the phone */
	assert_int_equal(2, one_number(f, "SELECT count(*) FROM search"));
	reopen(f);
	(void)set_text(f, a, F_NAME, "后改名字");
	assert_int_equal(2, one_number(f, "SELECT count(*) FROM search"));
	assert_true(finds(f, "houga", a));
	assert_sound(f);
}

/* S2: a part that does not fit is not left lying about. */
static void
another_plan_makes_the_index_again(void **state)
{
	fixture *f = *state;
	sat_id a = new_account(f, "先有客户", "13812345678");
	sat_err err;

	assert_true(finds(f, "先有", a));
	assert_ok(sat_db_exec(sat_replica_db(f->r),
	    "UPDATE search_part SET plan = plan + 1", &err));
	reopen(f);
	assert_int_equal(0, one_number(f, "SELECT count(*) FROM search"));
	assert_int_equal(0, one_number(f, "SELECT count(*) FROM search_part"));
	assert_true(finds(f, "先有", a));
	assert_sound(f);
}

static void
an_index_that_does_not_fit_is_told_and_made_again(void **state)
{
	static const char *const spoil[] = {
		"UPDATE search SET data = CAST(data || 'x' AS BLOB)",
		"DELETE FROM search",
		"INSERT INTO search SELECT block + 7, data FROM search",
	};
	fixture *f = *state;
	sat_id a = new_account(f, "先有客户", "13812345678");
	sat_err err;

	for (size_t i = 0; i < 3; i++) {
		assert_true(finds(f, "先有", a));
		assert_sound(f);
		assert_ok(sat_db_exec(sat_replica_db(f->r), spoil[i], &err));
		assert_rc(SAT_EINTEGRITY, sat_replica_check(f->r, false, &err));
		assert_string_equal("replica.search", err.code);
		assert_sound(f);
	}
}

/* A snapshot over what is here, and a refused write inside a transaction. */
static void
a_write_that_failed_leaves_the_index_as_it_was(void **state)
{
	fixture *f = *state;
	sat_id a = new_account(f, "先有客户", "13812345678"), b;
	sat_err err;

	assert_true(finds(f, "先有", a));
	assert_ok(sat_replica_group_begin(f->r, &err));
	(void)set_text(f, a, F_NAME, "不会留下");
	b = new_account(f, "也不会留下", "13812345679");
	assert_true(finds(f, "不会", a));
	sat_replica_group_rollback(f->r);
	assert_true(finds(f, "先有", a));
	assert_false(finds(f, "不会", a));
	assert_false(finds(f, "不会", b));
	assert_sound(f);
}

/* Many random changes, some from elsewhere: check compares each with the rows. */
static void
the_index_follows_a_long_random_history(void **state)
{
	static const char *const names[] = { "华为技术", "中兴通讯", "单氏集团",
		"Acme Ltd", "重庆银行", "长沙重工", "台湾後臺" };
	fixture *f = *state;
	sat_id ids[60];
	size_t n = 0;
	uint64_t seed = sat_test_seed(5);
	char name[64];

	for (int step = 0; step < 600; step++) {
		uint64_t x = sat_test_rand(&seed);
		sat_id id = n > 0 ? ids[x % n] : ids[0];

		(void)snprintf(name, sizeof name, "%s%llu", names[x % 7],
		    (unsigned long long)(x >> 20) % 50);
		if (n == 0 || (n < 60 && x % 10 == 0))
			ids[n++] = new_account(f, name, "13812345678");
		else if (x % 10 < 4)
			(void)set_text(f, id, x % 3 ? F_NAME : F_CITY, name);
		else if (x % 10 == 4)
			(void)set_text(f, id, F_REMARK, name);
		else if (x % 10 == 5)
			srv_sync(f);
		else if (x % 10 == 6 && srv_find(&f->srv, &id) != NULL)
			(void)srv_foreign_text(f, id, F_NAME, name, f->srv.n);
		else if (x % 10 == 7)
			(void)count(f, "h");
		else if (x % 10 == 8)
			(void)listed(f, "h");
		else if (x % 50 == 9)
			reopen(f);
	}
	(void)count(f, "h");
	(void)listed(f, "h");
	srv_sync(f);
	assert_settled(f);
}

/* ---- the same as looking at every record --------------------------------------------- */

#define SOME 40

static sat_hit
hit_of(const sat_word *w, sat_value v)
{
	sat_buf b = { 0 };
	sat_hit hit;

	if (v.type != SAT_V_TEXT)
		return SAT_HIT_NONE;
	sat_fold(&b, v.s);
	hit = sat_word_hit(w, sat_buf_span(&b), NULL, NULL);
	sat_buf_fini(&b);
	return hit;
}

/* What search.h says a search is, without an index. */
static bool
answers(fixture *f, const sat_needle *q, sat_id id)
{
	sat_view v = view_of(f, id);
	sat_value phone = sat_record_value(&v.rec, F_PHONE);
	sat_buf digits = { 0 };
	bool all = q->n > 0, called = false;

	for (size_t i = 0; i < q->n; i++)
		all &= hit_of(&q->word[i], sat_record_value(&v.rec, F_NAME)) <
		    SAT_HIT_NONE || hit_of(&q->word[i], sat_record_value(
		    &v.rec, F_NUMBER)) < SAT_HIT_NONE;
	if (q->nphone > 0 && phone.type == SAT_V_TEXT) {
		sat_phone_digits(&digits, phone.s);
		called = sat_needle_phone(q, sat_buf_span(&digits), NULL,
		    NULL) < SAT_HIT_NONE;
	}
	sat_buf_fini(&digits);
	return all || called;
}

static size_t
assert_all_found(fixture *f, const sat_id *ids, size_t n, const char *query)
{
	static sat_needle q;
	size_t found, want = 0, met = 0;
	sat_found *out = find(f, &found, query);

	sat_needle_make(&q, sat_span_str(query));
	for (size_t i = 0; i < n; i++) {
		bool is = false;

		for (size_t j = 0; j < found; j++)
			is |= sat_id_eq(&out[j].id, &ids[i]);
		if (is != answers(f, &q, ids[i]))
			fail_msg("%s: record %zu", query, i);
		met += is;
		want += is;
	}
	assert_int_equal(want, found);
	return met;
}

/* Whatever lies in one lane, in another, in several, and moves between them. */
static void
a_search_finds_what_looking_at_every_record_finds(void **state)
{
	static const char *const names[] = { "上海云帆", "云帆ABC", "Acme 2025",
		"长沙重工", "C2025科技", "单氏·集团", "运返", "360安全", "汉光 4321" };
	static const char *const numbers[] = { "C202501007", "云4321", "上海" };
	static const char *const phones[] = { "13800004321", "13920250001",
		"021-54320252" };
	static const char *const queries[] = { "云", "云帆", "yunfan", "yf", "y",
		"s", "c", "2025", "4321", "c2025", "shyf", "云 4321", "yun c",
		"abc", "20250001", "138 0000 4321", "·", "2025 长", "a", "0",
		"长沙 gong", "云帆a", "yunfana", "集团", "ji2" };
	fixture *f = *state;
	uint64_t seed = sat_test_seed(17);
	sat_id ids[SOME];
	size_t n = 0, met = 0;

	for (int step = 0; step < 240; step++) {
		uint64_t x = sat_test_rand(&seed);

		if (n == 0 || (n < SOME && x % 3 == 0))
			ids[n++] = new_account(f, names[(x >> 8) % 9],
			    phones[(x >> 16) % 3]);
		else if (x % 8 == 1)
			(void)set_text(f, ids[x % n], F_NUMBER,
			    numbers[(x >> 8) % 3]);
		else if (x % 8 == 2)
			(void)set_text(f, ids[x % n], F_PHONE,
			    phones[(x >> 8) % 3]);
		else if (x % 8 == 4)
			srv_sync(f);
		else
			(void)set_text(f, ids[x % n], F_NAME,
			    names[(x >> 8) % 9]);
		met += assert_all_found(f, ids, n, queries[(x >> 24) % 25]);
	}
	for (size_t i = 0; i < 25; i++)
		met += assert_all_found(f, ids, n, queries[i]);
	assert_true(met > 1000);
	assert_sound(f);
}

/* Blocks grow, are cut, shrink and vanish; what is in them stays findable. */
static void
many_customers_lie_in_many_blocks(void **state)
{
	fixture *f = *state;
	sat_id ids[400];
	char name[64];
	sat_op del;
	sat_err err;

	assert_ok(sat_replica_search_ready(f->r, &err));
	for (int i = 0; i < 400; i++) {
		(void)snprintf(name, sizeof name, "第%d号客户有限公司", i);
		ids[i] = new_account(f, name, "13812345678");
	}
	assert_in_range(one_number(f, "SELECT count(*) FROM search"), 5, 40);
	assert_true(one_number(f, "SELECT max(length(data)) FROM search") <
	    4000);
	for (int i = 0; i < 400; i += 2) {
		(void)snprintf(name, sizeof name, "改名以后的第%d号客户，名字长了许多有限公司", i);
		(void)set_text(f, ids[i], F_NAME, name);
	}
	assert_true(one_number(f, "SELECT max(length(data)) FROM search") <
	    4000);
	srv_sync(f);
	assert_sound(f);
	assert_true(finds(f, "第388号", ids[388]));
	assert_true(finds(f, "第389号", ids[389]));
	for (int i = 0; i < 400; i++) {
		del = op(f->account, SAT_OP_DEL, ids[i], 0, sat_v_null());
		write_ops(f, ids[i], &del, 1);
	}
	assert_int_equal(0, count(f, "第"));
	assert_sound(f);
}

/* Many more are found than are shown: which of them are, is as if all had been
 * put in order. */
static void
of_many_the_best_and_newest_are_shown(void **state)
{
	static const char *const names[] = { "zinc", "big zinc", "zinc works" };
	fixture *f = *state;
	uint64_t seed = sat_test_seed(6);
	sat_id of[3][400];
	size_t n[3] = { 0 }, found, at = 0;
	sat_found *out;

	for (int i = 0; i < 400; i++) {
		size_t k = sat_test_rand(&seed) % 40;

		k = k < 2 ? 0 : k % 2 + 1;
		of[k][n[k]++] = new_account(f, names[k], "13812345678");
	}
	srv_sync(f);
	out = find(f, &found, "zinc");
	assert_int_equal(50, found);
	/* exactly so, then beginning so, then inside; the newest first */
	for (size_t i = n[0]; i-- > 0 && at < 50;)
		assert_memory_equal(&of[0][i], &out[at++].id, 16);
	for (size_t i = n[2]; i-- > 0 && at < 50;)
		assert_memory_equal(&of[2][i], &out[at++].id, 16);
	assert_true(n[0] > 0 && at == 50);
}

#define P(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		P(of_many_the_best_and_newest_are_shown),
		P(a_customer_is_found_by_name_pinyin_phone_and_number),
		P(the_better_fit_comes_first),
		P(what_it_said_before_finds_it_no_more),
		P(numbers_refusals_and_other_peoples_work_are_followed),
		P(long_texts_are_found_by_the_list_alone),
		P(the_index_is_there_after_opening_and_only_when_asked_for),
		P(another_plan_makes_the_index_again),
		P(an_index_that_does_not_fit_is_told_and_made_again),
		P(a_write_that_failed_leaves_the_index_as_it_was),
		P(the_index_follows_a_long_random_history),
		P(many_customers_lie_in_many_blocks),
		P(a_search_finds_what_looking_at_every_record_finds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
