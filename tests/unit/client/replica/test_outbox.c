/* Commits of a group reach the outbox in runs, unnoticed. */
#include "client/replica/replica_int.h"
#include "tests/unit/client/replica/fixture.h"

/* Commits first..n of this incarnation, the newest first, each with its text. */
static void
assert_log(fixture *f, uint64_t n)
{
	sat_commit *log;
	size_t have;
	sat_err err;

	assert_ok(sat_replica_log(&log, &have, &f->a, f->r, (int64_t)n, &err));
	assert_int_equal(n, have);
	for (uint64_t i = 0; i < n; i++) {
		char want[32];

		assert_int_equal(n - i, log[i].cseq);
		if (n - i == 1)
			continue;
		(void)snprintf(want, sizeof want, "city %d", (int)(n - i));
		assert_true(sat_value_eq(text(want), log[i].ops[0].value));
	}
}

/* Up to commit n; the first makes the account. */
static void
write_up_to(fixture *f, sat_id *id, uint64_t *at, uint64_t n)
{
	while (*at < n) {
		char city[32];

		(void)snprintf(city, sizeof city, "city %d", (int)(*at + 1));
		if (*at == 0)
			*id = new_account(f, "A", "1");
		else
			assert_int_equal(*at + 1,
			    set_text(f, *id, F_CITY, city));
		++*at;
	}
}

static void
groups_of_any_size_reach_the_outbox_in_order(void **state)
{
	static const uint64_t sizes[] = { 1, 15, 16, 17, 31, 48 };
	fixture *f = *state;
	uint64_t at = 0, to = 0;
	sat_id id;
	sat_err err;

	for (size_t i = 0; i < 6; i++) {
		assert_ok(sat_replica_group_begin(f->r, &err));
		write_up_to(f, &id, &at, to += sizes[i]);
		assert_ok(sat_replica_group_commit(f->r, &err));
		assert_log(f, to);
		reopen(f);
		assert_log(f, to);
		write_up_to(f, &id, &at, ++to); /* alone */
		assert_sound(f);
	}
}

static void
the_first_group_of_all_numbers_its_commits_itself(void **state)
{
	fixture *f = *state;
	uint64_t at = 0;
	sat_id id;
	sat_err err;

	assert_ok(sat_replica_group_begin(f->r, &err));
	write_up_to(f, &id, &at, 40);
	assert_ok(sat_replica_group_commit(f->r, &err));
	assert_log(f, 40);
	assert_sound(f);
}

static void
what_a_group_wrote_is_there_within_the_group(void **state)
{
	fixture *f = *state;
	uint64_t at = 0;
	sat_id id;
	sat_err err;

	assert_ok(sat_replica_group_begin(f->r, &err));
	write_up_to(f, &id, &at, 5);
	assert_log(f, 5);
	write_up_to(f, &id, &at, 7);
	assert_int_equal(7, status_of(f).pending_commits);
	write_up_to(f, &id, &at, 30);
	assert_ok(sat_replica_group_commit(f->r, &err));
	assert_log(f, 30);
	assert_sound(f);
}

static void
a_group_that_is_undone_leaves_no_commit_behind(void **state)
{
	fixture *f = *state;
	uint64_t at = 0, again;
	sat_id id;
	sat_err err;

	write_up_to(f, &id, &at, 3);
	again = at;
	assert_ok(sat_replica_group_begin(f->r, &err));
	write_up_to(f, &id, &at, 12);
	sat_replica_group_rollback(f->r);
	assert_log(f, 3);
	assert_ok(sat_replica_group_begin(f->r, &err));
	write_up_to(f, &id, &again, 20);
	assert_ok(sat_replica_group_commit(f->r, &err));
	assert_log(f, 20);
	assert_sound(f);
}

/* Of the statement that puts a run there eight rows stand when it fails: they
 * go with the group. */
static void
a_run_that_fails_halfway_takes_its_group_along(void **state)
{
	fixture *f = *state;
	uint64_t at = 0, again, cseq;
	sat_draft d = { .nops = 1 };
	sat_id id;
	sat_op o;
	sat_err err;

	write_up_to(f, &id, &at, 11);
	again = at;
	o = op(f->account, SAT_OP_SET, id, F_CITY, text("city 27"));
	d.ops = &o;
	d.subject = id;
	assert_ok(sat_db_exec(f->r->db, "CREATE TEMP TRIGGER full AFTER INSERT "
	    "ON outbox WHEN (new.seq & 2147483647) = 20 BEGIN SELECT "
	    "RAISE(FAIL, 'full'); END", &err));
	assert_ok(sat_replica_group_begin(f->r, &err));
	write_up_to(f, &id, &at, 26);
	assert_int_not_equal(SAT_OK, sat_replica_write(f->r, &d, &cseq, &err));
	assert_int_not_equal(SAT_OK, sat_replica_write(f->r, &d, &cseq, &err));
	assert_int_not_equal(SAT_OK, sat_replica_group_commit(f->r, &err));
	assert_log(f, 11);
	assert_ok(sat_db_exec(f->r->db, "DROP TRIGGER full", &err));
	write_up_to(f, &id, &again, 30);
	assert_log(f, 30);
	assert_sound(f);
}

/* The numbers of a run jump where another incarnation begins. */
static void
a_new_incarnation_begins_a_run_of_its_own(void **state)
{
	fixture *f = *state;
	uint64_t at = 0, first = 0;
	sat_id id, other;
	sat_commit *log;
	size_t n;
	sat_err err;

	write_up_to(f, &id, &at, 3);
	assert_ok(sat_replica_new_incarnation(f->r, &err));
	assert_ok(sat_replica_group_begin(f->r, &err));
	write_up_to(f, &other, &first, 20);
	assert_ok(sat_replica_group_commit(f->r, &err));
	assert_ok(sat_replica_log(&log, &n, &f->a, f->r, 0, &err));
	assert_int_equal(23, n);
	assert_true(log[0].incarnation > log[20].incarnation);
	assert_int_equal(20, log[0].cseq);
	assert_int_equal(1, log[19].cseq);
	assert_int_equal(1, log[20].incarnation);
	assert_int_equal(3, log[20].cseq);
	assert_sound(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		EMPTY(groups_of_any_size_reach_the_outbox_in_order),
		EMPTY(the_first_group_of_all_numbers_its_commits_itself),
		EMPTY(what_a_group_wrote_is_there_within_the_group),
		EMPTY(a_group_that_is_undone_leaves_no_commit_behind),
		EMPTY(a_run_that_fails_halfway_takes_its_group_along),
		EMPTY(a_new_incarnation_begins_a_run_of_its_own),
	};

	sat_crypto_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
