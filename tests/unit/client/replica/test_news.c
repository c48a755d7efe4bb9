/* What a device is told of its own work besides verdicts (P-322, P-323). */
#include "tests/unit/client/replica/fixture.h"

#include <string.h>

static sat_news *
news(fixture *f, size_t *n)
{
	sat_news *list;
	sat_err err;

	assert_ok(sat_replica_news(&list, n, &f->a, f->r, &err));
	return list;
}

static void
verdict_with(fixture *f, uint64_t cseq, const char *hint, uint32_t op)
{
	sat_verdict v = { .cseq = cseq, .code = SAT_VD_OK, .lsn = 5,
		.eff = sat_hlc_of_ms(f->now_ms), .op = op,
		.hint = sat_span_str(hint) };
	sat_verdicts vs = { .v = &v, .n = 1 };
	sat_err err;

	assert_ok(f->ops.verdicts(f->ops.u, 1, &vs, &err));
}

static void
a_replaced_number_is_news_until_it_was_read(void **state)
{
	fixture *f = *state;
	const sat_kind *k = f->account;
	sat_id id = sat_replica_new_id(f->r);
	sat_op ops[] = {
		op(k, SAT_OP_NEW, id, 0, sat_v_null()),
		op(k, SAT_OP_MVSET, id, F_NAME, text("Mill")),
		op(k, SAT_OP_SET, id, F_NUMBER, text("C202311-P7-0001")),
	};
	uint64_t cseq = write_ops(f, id, ops, 3);
	sat_news *x;
	sat_stmt *s;
	size_t n;
	bool row;
	sat_err err;

	verdict_with(f, cseq, "RENUMBERED=C202311021", 2);
	verdict_with(f, cseq, "RENUMBERED=C202311021", 2); /* told again */
	reopen(f);
	x = news(f, &n);
	assert_int_equal(1, n);
	assert_int_equal(SAT_NEWS_RENUMBERED, x->what);
	assert_true(sat_id_eq(&id, &x->rec));
	assert_string_equal("C202311-P7-0001", x->was);
	assert_string_equal("C202311021", x->is);
	assert_ptr_equal(f->account, x->kind);
	assert_ok(sat_db_stmt_text(&s, sat_replica_db(f->r),
	    "SELECT 1 FROM news WHERE root = rec", &err));
	assert_ok(sat_step(&row, s, &err)); /* whose it was (P-194) */
	assert_true(row);
	sat_stmt_reset(s);
	assert_ok(sat_replica_news_seen(f->r, 4, &err));
	(void)news(f, &n);
	assert_int_equal(1, n);
	assert_ok(sat_replica_news_seen(f->r, 5, &err));
	(void)news(f, &n);
	assert_int_equal(0, n);
}

static void
a_hint_of_a_later_release_or_beside_the_commit_is_passed_over(void **state)
{
	fixture *f = *state;
	sat_id id = new_account(f, "Mill", "13800000001");
	size_t n;

	(void)id;
	verdict_with(f, 1, "SOMETHING=else", 2);
	(void)set_text(f, id, F_CITY, "Wuhu");
	verdict_with(f, 2, "RENUMBERED=C202311021", 9);
	(void)set_text(f, id, F_CITY, "Hefei");
	verdict_with(f, 3, "RENUMBERED", 0);
	(void)news(f, &n);
	assert_int_equal(0, n);
}

static void
answers_to_what_was_handed_over_are_news_once(void **state)
{
	fixture *f = *state;
	sat_answer told[] = {
		{ .lsn = 7, .hlc = 1000, .rec = { { 1 } }, .kind = 1,
		    .accepted = true, .by = 2, .at_ms = 5 },
		{ .lsn = 9, .hlc = 1001, .rec = { { 1 } }, .kind = 1, .by = 2,
		    .at_ms = 6 },
	};
	sat_welcome w = { .proto = 1, .wall_ms = f->now_ms, .answers = told,
		.nanswers = 2 };
	sat_hello h;
	sat_news *x;
	size_t n;
	sat_err err;

	assert_ok(f->ops.hello(f->ops.u, &h, &err));
	assert_int_equal(0, h.answered);
	assert_ok(f->ops.welcome(f->ops.u, &w, f->now_ms, &err));
	assert_ok(f->ops.hello(f->ops.u, &h, &err));
	assert_int_equal(9, h.answered);
	reopen(f);
	assert_ok(f->ops.hello(f->ops.u, &h, &err));
	assert_int_equal(9, h.answered);
	x = news(f, &n);
	assert_int_equal(2, n);
	assert_int_equal(SAT_NEWS_DECLINED, x[0].what); /* newest first */
	assert_int_equal(SAT_NEWS_ACCEPTED, x[1].what);
	assert_int_equal(2, x[1].by);
	assert_int_equal(1000, x[1].hlc);
	/* a restored server says it under another position */
	told[0].lsn = 70001;
	w.nanswers = 1;
	assert_ok(f->ops.welcome(f->ops.u, &w, f->now_ms, &err));
	(void)news(f, &n);
	assert_int_equal(2, n);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    a_replaced_number_is_news_until_it_was_read, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(
		    a_hint_of_a_later_release_or_beside_the_commit_is_passed_over,
		    setup, teardown),
		cmocka_unit_test_setup_teardown(
		    answers_to_what_was_handed_over_are_news_once, setup,
		    teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
