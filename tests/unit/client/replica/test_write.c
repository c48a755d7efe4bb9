/* Writing, alone and in groups. */
#include "tests/unit/client/replica/fixture.h"

/* ---- writing ------------------------------------------------------------- */

static void
what_is_written_is_read_back_also_after_reopening(void **state)
{
	fixture *f = *state;
	sat_id id = new_account(f, "Anhui Stars", "13812345678");
	sat_view v;

	reopen(f);
	v = view_of(f, id);
	assert_true(v.pending);
	assert_false(v.conflict);
	assert_ptr_equal(f->account, v.kind);
	assert_int_equal(0, v.rec.rlsn);
	assert_text(f, id, F_NAME, "Anhui Stars");
	assert_text(f, id, F_CITY, "Hefei");
	assert_text(f, id, F_TAGS, "vip");
	set_text(f, id, F_CITY, "Wuhu");
	assert_text(f, id, F_CITY, "Wuhu");
	assert_sound(f);
}

static void
a_missing_required_field_flags_the_record(void **state)
{
	fixture *f = *state;
	sat_id id = new_account(f, "Anhui Stars", "13812345678");
	sat_replica_status st;
	sat_op more[] = {
		op(f->account, SAT_OP_SET, id, F_INDUSTRY, text("C")),
		op(f->account, SAT_OP_MVSET, id, 8, text("Wang")),
		op(f->account, SAT_OP_SET, id, 18, text("product")),
	};
	sat_err err;

	assert_true(view_of(f, id).incomplete);
	assert_ok(sat_replica_status_get(&st, f->r, &err));
	assert_int_equal(1, st.incomplete);
	write_ops(f, id, more + 1, 2);
	assert_true(view_of(f, id).incomplete);
	reopen(f);
	write_ops(f, id, more, 1); /* alone */
	assert_false(view_of(f, id).incomplete);
	assert_ok(sat_replica_status_get(&st, f->r, &err));
	assert_int_equal(0, st.incomplete);
	assert_int_equal(3, st.pending_commits);
	assert_int_equal(1, st.pending_records);
	reopen(f);
	more[0] = op(f->account, SAT_OP_SET, id, 14, text("lost"));
	write_ops(f, id, more, 1); /* makes another one required */
	assert_true(view_of(f, id).incomplete);
	assert_sound(f);
}

static void
a_refused_write_leaves_nothing_and_takes_no_number(void **state) /* W2 */
{
	fixture *f = *state;
	sat_id id = new_account(f, "A", "1"), ghost = sat_replica_new_id(f->r);
	sat_op ops[] = {
		op(f->account, SAT_OP_SET, id, F_CITY, text("Nowhere")),
		op(f->account, SAT_OP_SET, ghost, F_CITY, text("x")),
	};
	sat_op again = op(f->account, SAT_OP_NEW, id, 0, sat_v_null());
	uint64_t cseq;
	sat_err err;

	assert_rc(SAT_ENOTFOUND, try_write(f, id, ops, 2, &cseq, &err));
	assert_text(f, id, F_CITY, "Hefei");
	assert_rc(SAT_ECONFLICT, try_write(f, id, &again, 1, &cseq, &err));
	assert_rc(SAT_EINVALID, try_write(f, id, ops, 0, &cseq, &err));
	assert_int_equal(2, set_text(f, id, F_CITY, "Wuhu"));
	assert_sound(f);
}

static void
stamps_and_numbers_rise_over_restarts_and_clocks_set_back(void **state) /* W3 */
{
	fixture *f = *state;
	sat_id id = new_account(f, "A", "1");
	sat_commit *log;
	size_t n;
	sat_err err;

	f->now_ms -= 86400000;
	reopen(f);
	assert_int_equal(2, set_text(f, id, F_CITY, "Wuhu"));
	assert_ok(sat_replica_log(&log, &n, &f->a, f->r, 0, &err));
	assert_int_equal(2, n);
	assert_true(log[0].hlc > log[1].hlc);
	assert_true(log[0].flags & SAT_CF_CLOCK_SUSPECT);
	assert_false(log[1].flags & SAT_CF_CLOCK_SUSPECT);
	assert_sound(f);
}

static void
the_log_gives_whole_commits_newest_first(void **state)
{
	fixture *f = *state;
	sat_id id = new_account(f, "A", "1");
	sat_commit *log;
	size_t n;
	sat_err err;

	set_text(f, id, F_CITY, "Wuhu");
	assert_ok(sat_replica_log(&log, &n, &f->a, f->r, 1, &err));
	assert_int_equal(1, n);
	assert_int_equal(2, log[0].cseq);
	assert_int_equal(1, log[0].nops);
	assert_true(sat_value_eq(text("Wuhu"), log[0].ops[0].value));
}

/* ---- groups -------------------------------------------------------------- */

static void
a_group_is_kept_whole_or_not_at_all(void **state)
{
	fixture *f = *state;
	sat_id a, b, c;
	sat_err err;

	assert_ok(sat_replica_group_begin(f->r, &err));
	a = new_account(f, "A", "1");
	sat_replica_group_rollback(f->r);
	assert_gone(f, a);
	assert_ok(sat_replica_group_begin(f->r, &err));
	b = new_account(f, "B", "2");
	set_text(f, b, F_CITY, "Wuhu");
	c = new_account(f, "C", "3");
	assert_ok(sat_replica_group_commit(f->r, &err));
	reopen(f);
	assert_text(f, b, F_CITY, "Wuhu");
	assert_text(f, c, F_NAME, "C");
	assert_int_equal(4, set_text(f, c, F_CITY, "x"));
	assert_sound(f);
}

static void
a_refused_write_in_a_group_leaves_the_group_usable(void **state)
{
	fixture *f = *state;
	sat_id ghost = sat_replica_new_id(f->r), a, b;
	sat_op bad = op(f->account, SAT_OP_SET, ghost, F_CITY, text("x"));
	uint64_t cseq;
	sat_err err;

	assert_ok(sat_replica_group_begin(f->r, &err));
	a = new_account(f, "A", "1");
	assert_rc(SAT_ENOTFOUND, try_write(f, ghost, &bad, 1, &cseq, &err));
	b = new_account(f, "B", "2");
	assert_ok(sat_replica_group_commit(f->r, &err));
	assert_text(f, a, F_NAME, "A");
	assert_text(f, b, F_NAME, "B");
	assert_sound(f);
}

/* Its id is not looked for before it is written. */
static void
an_id_given_twice_is_refused_and_nothing_of_it_stays(void **state) /* W2 */
{
	fixture *f = *state;
	sat_id id = new_account(f, "A", "1"), b, c;
	sat_op again[] = {
		op(f->account, SAT_OP_NEW, id, 0, sat_v_null()),
		op(f->account, SAT_OP_SET, id, F_CITY, text("Wuhu")),
		op(f->account, SAT_OP_MVSET, id, F_PHONE, text("3")),
	};
	uint64_t cseq;
	sat_err err;

	reopen(f); /* no row is in memory */
	assert_rc(SAT_ECONFLICT, try_write(f, id, again, 3, &cseq, &err));
	assert_text(f, id, F_CITY, "Hefei");
	reopen(f);
	assert_ok(sat_replica_group_begin(f->r, &err));
	b = new_account(f, "B", "2");
	for (int i = 0; i < 40; i++) /* nor now */
		(void)set_text(f, b, F_CITY, i % 2 == 0 ? "x" : "y");
	assert_rc(SAT_ECONFLICT, try_write(f, id, again, 3, &cseq, &err));
	assert_non_null(strstr(err.text, "exists already"));
	c = new_account(f, "C", "3");
	assert_ok(sat_replica_group_commit(f->r, &err));
	assert_text(f, id, F_CITY, "Hefei");
	assert_text(f, b, F_CITY, "y");
	assert_text(f, c, F_NAME, "C");
	assert_int_equal(44, set_text(f, c, F_CITY, "z")); /* took no number */
	assert_sound(f);
}

static void
an_abandoned_group_is_not_there_after_restart(void **state)
{
	fixture *f = *state;
	sat_replica_env env = env_of(f, f->path);
	sat_id a = new_account(f, "A", "1"), b;
	sat_err err;

	assert_ok(sat_replica_group_begin(f->r, &err));
	b = new_account(f, "B", "2");
	sat_replica_abandon(f->r);
	f->r = NULL;
	assert_ok(sat_replica_open(&f->r, &env, &err));
	find_kinds(f);
	assert_gone(f, b);
	assert_int_equal(2, set_text(f, a, F_CITY, "x"));
	assert_sound(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		EMPTY(what_is_written_is_read_back_also_after_reopening),
		EMPTY(a_missing_required_field_flags_the_record),
		EMPTY(a_refused_write_leaves_nothing_and_takes_no_number),
		EMPTY(stamps_and_numbers_rise_over_restarts_and_clocks_set_back),
		EMPTY(the_log_gives_whole_commits_newest_first),
		EMPTY(a_group_is_kept_whole_or_not_at_all),
		EMPTY(a_refused_write_in_a_group_leaves_the_group_usable),
		EMPTY(an_id_given_twice_is_refused_and_nothing_of_it_stays),
		EMPTY(an_abandoned_group_is_not_there_after_restart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
