/*
 * Sums and repair, device and server together (P-180 to P-186).
 */
#include "tests/lib/unit.h"

#include "common/base/log.h"
#include "tests/unit/client/sync/company.h"

#define ACCOUNTS 600 /* three buckets */

static void
quiet(void *u, sat_level level, const char *line)
{
	(void)level;
	if (strstr(line, "DIVERGED") != NULL)
		++*(size_t *)u;
}

static size_t logged;
static sat_id ids[ACCOUNTS];

static int
setup(void **state)
{
	company *c;

	company_limits = "{\"device\":{\"history_values\":7,"
	    "\"history_d\":200}}";
	c = company_new(11);

	logged = 0;
	sat_log_sink(quiet, &logged);
	company_staff(c, "li rep east, wang rep east, chen manager east, "
	    "hq hq");
	(void)company_device(c, "li");
	(void)company_device(c, "chen");
	(void)company_device(c, "hq");
	company_firms(c, ids, ACCOUNTS);
	*state = c;
	return 0;
}

static int
teardown(void **state)
{
	sat_log_sink(NULL, NULL);
	company_free(*state);
	return 0;
}

static void
assert_idle(company *c, size_t i)
{
	company_sync(c, i); /* that the others have reported is news, once */
	assert_int_equal(0, c->stats.refetched);
	company_sync(c, i);
	assert_int_equal(1, c->stats.round_trips);
	assert_int_equal(0, c->stats.refetched);
}

static void
an_idle_sync_compares_and_stays_one_round_trip(void **state)
{
	company *c = *state;

	for (size_t i = 0; i < 3; i++) {
		assert_same(c, i);
		assert_idle(c, i);
		assert_true(c->bytes <= 200);
		company_sound(c, i);
	}
	assert_int_equal(0, logged);
}

/* Each of these is found by the check, fetched by the next sync, and gone. */
static void
whatever_was_changed_in_a_row_is_found_and_fetched_again(void **state) /* P-184 */
{
	static const char *const spoil[] = {
		"UPDATE k_account SET city = 'Nowhere' WHERE _rid = 300",
		"UPDATE k_account SET city = NULL WHERE _rid = 300",
		"UPDATE k_account SET _flags = _flags | 1 WHERE _rid = 7",
		"UPDATE k_account SET _flags = _flags | 8 WHERE _rid = 7",
		"UPDATE k_account SET _clk = substr(_clk, 1, 4) || x'55' || "
		    "substr(_clk, 6) WHERE _rid = 599",
		"UPDATE k_account SET _clk = x'00' WHERE _rid = 599",
		"UPDATE k_account SET _more = x'01' WHERE _rid = 12",
		"DELETE FROM k_account WHERE _rid = 256",
		"DELETE FROM k_account",
		"UPDATE digest SET sum = zeroblob(16) WHERE kind = 0",
		"DELETE FROM digest",
	};
	company *c = *state;
	sat_err err = { 0 };

	for (size_t k = 0; k < sizeof spoil / sizeof spoil[0]; k++) {
		size_t device = k % 3;
		size_t was = (size_t)company_status(c, device).diverged.count;

		sql(c, device, spoil[k]);
		company_reopen(c, device);
		if (strstr(spoil[k], "digest") == NULL)
			assert_rc(SAT_EINTEGRITY, sat_replica_check(
			    c->r[device], false, &err));
		company_sync(c, device);
		if (company_status(c,
		    device).diverged.count != (int64_t)was + 1)
			fail_msg("nobody noticed: %s", spoil[k]);
		assert_same(c, device);
		company_sound(c, device);
		assert_idle(c, device);
	}
	assert_true(logged > 0);
}

static void
a_wrong_sum_is_put_right_by_the_check_without_the_server(void **state)
{
	company *c = *state;
	sat_err err = { 0 };

	sql(c, 2, "UPDATE digest SET sum = zeroblob(16) WHERE bucket = 1");
	company_reopen(c, 2);
	assert_rc(SAT_EINTEGRITY, sat_replica_check(c->r[2], false, &err));
	company_sound(c, 2);
	assert_idle(c, 2);
}

static void
a_changed_row_is_found_when_it_changes_the_next_time(void **state)
{
	company *c = *state;

	sql(c, 2, "UPDATE k_account SET city = 'Nowhere' WHERE _rid = 300");
	company_reopen(c, 2);
	company_set(c, 0, ids[299], A_CITY, "Wuhu");
	company_sync(c, 0);
	company_sync(c, 2); /* no check: the fold took the wrong value out */
	assert_int_equal(1, company_status(c, 2).diverged.count);
	assert_same(c, 2);
	assert_idle(c, 2);
}

static void
a_row_that_cannot_be_read_does_not_stop_a_sync(void **state)
{
	company *c = *state;

	sql(c, 2, "UPDATE k_account SET _clk = x'00' WHERE _rid = 300");
	company_reopen(c, 2);
	company_set(c, 0, ids[299], A_CITY, "Wuhu");
	company_sync(c, 0);
	company_sync(c, 2);
	assert_same(c, 2);
	company_sound(c, 2);
	company_shows(c, 2, ids[299], A_CITY, "Wuhu");
}

static void
only_the_ranges_that_differ_travel(void **state) /* P-184 */
{
	company *c = *state;
	sat_err err = { 0 };

	sql(c, 2, "UPDATE k_account SET city = 'Nowhere' WHERE _rid = 300");
	company_reopen(c, 2);
	assert_rc(SAT_EINTEGRITY, sat_replica_check(c->r[2], false, &err));
	company_sync(c, 2);
	assert_int_equal(1, c->types[SAT_MSG_DIGEST]);
	assert_int_equal(1, c->types[SAT_MSG_REFETCH]);
	assert_int_equal(256, c->stats.records);
}

static void
a_range_larger_than_a_frame_comes_in_pieces(void **state)
{
	company *c = *state;
	sat_err err = { 0 };

	sat_server_free(c->server);
	sat_sqlite_store_close(c->store);
	c->chunk_bytes = 4000;
	company_server(c);
	sql(c, 2, "DELETE FROM k_account WHERE _rid % 2 = 0");
	company_reopen(c, 2);
	assert_rc(SAT_EINTEGRITY, sat_replica_check(c->r[2], false, &err));
	company_sync(c, 2);
	assert_true(c->types[SAT_MSG_REFETCH] > 10);
	assert_same(c, 2);
	company_sound(c, 2);
	/* one that breaks off begins with the next session */
	sql(c, 2, "DELETE FROM k_account");
	company_reopen(c, 2);
	assert_rc(SAT_EINTEGRITY, sat_replica_check(c->r[2], false, &err));
	c->stop_after = 7;
	company_sync(c, 2);
	c->stop_after = 0;
	company_reopen(c, 2);
	company_sync(c, 2);
	assert_same(c, 2);
	company_sound(c, 2);
}

/* Nothing is pushed: the repair meets the waiting work. @return fetched again */
static uint64_t
pull_only(company *c, size_t i)
{
	sat_client_ops ops = sat_replica_session(c->r[i]);
	sat_server_session x = { .device = 0 };
	sat_clock clock = c_clock(c);
	sat_cs *cs = sat_cs_new(&ops, &clock, SAT_CS_PULL_ONLY);
	uint64_t refetched;
	sat_err err = { 0 };
	size_t n = 0;
	sat_rc rc = SAT_OK;

	memcpy(x.channel_pk, sat_replica_identity_get(c->r[i])->channel_pk,
	    sizeof x.channel_pk);
	while (company_exchange(c, cs, &x, &rc, &err) &&
	    (c->stop_after == 0 || ++n < c->stop_after))
		;
	assert_ok(rc);
	refetched = sat_cs_stats_get(cs)->refetched;
	sat_cs_free(cs);
	return refetched;
}

/* What waits stays where it is, and on top of what came again. */
static void
unsent_work_survives_a_repair(void **state) /* P-184 */
{
	company *c = *state;
	sat_id fresh;
	sat_err err = { 0 };

	company_set(c, 0, ids[3], A_CITY, "Lu'an");
	company_set(c, 0, ids[3], A_REMARK, "call back");
	fresh = company_account(c, 0, "Unsent", "li");
	sql(c, 0, "UPDATE k_account SET _base = NULL, city = 'x' "
	    "WHERE _rid = 4");
	sql(c, 0, "UPDATE k_account SET _clk = x'00' WHERE _rid = 5");
	company_set(c, 0, ids[5], A_CITY, "Bozhou");
	company_reopen(c, 0);
	assert_rc(SAT_EINTEGRITY, sat_replica_check(c->r[0], false, &err));
	c->stop_after = 0;
	assert_true(pull_only(c, 0) > 0);
	assert_int_equal(4, company_status(c, 0).pending_commits);
	assert_same(c, 0);
	company_sound(c, 0);
	company_shows(c, 0, ids[3], A_CITY, "Lu'an");
	company_shows(c, 0, ids[3], A_REMARK, "call back");
	company_shows(c, 0, ids[5], A_CITY, "Bozhou");
	company_shows(c, 0, fresh, A_NAME, "Unsent");
	company_sync(c, 0);
	assert_int_equal(0, company_status(c, 0).pending_commits);
	assert_same(c, 0);
	company_sync(c, 2);
	company_shows(c, 2, ids[3], A_CITY, "Lu'an");
	assert_same(c, 2);
}

static size_t
open_conflicts(company *c, size_t i)
{
	sat_conflict *list;
	size_t n;
	sat_err err = { 0 };

	assert_ok(sat_replica_conflicts(&list, &n, &c->a, c->r[i], &err));
	return n;
}

/* What was derived from a row that was taken away fits the row that comes. */
static void
what_was_derived_of_a_lost_row_goes_with_it(void **state)
{
	company *c = *state;
	const sat_kind *k = kind_of(c, 1, "account");
	sat_op o;

	company_set(c, 0, ids[3], A_PHONE, "13900000001");
	company_set(c, 1, ids[3], A_PHONE, "13900000002");
	company_set(c, 0, ids[4], A_PHONE, "13900000003");
	company_set(c, 1, ids[4], A_PHONE, "13900000004");
	o = c_op(k, SAT_OP_MERGE, ids[5], SAT_SYS_REDIRECT, sat_v_id(&ids[6]));
	company_write(c, 1, ids[6], &o, 1);
	for (size_t i = 0; i < 6; i++)
		company_sync(c, i % 3);
	assert_int_equal(2, open_conflicts(c, 2));
	sql(c, 2, "DELETE FROM k_account WHERE _rid BETWEEN 4 AND 6");
	company_reopen(c, 2);
	/* one is resolved meanwhile, the merged one stands for itself again */
	company_set(c, 1, ids[3], A_PHONE, "13900000005");
	o = c_op(k, SAT_OP_UNMERGE, ids[5], SAT_SYS_REDIRECT, sat_v_null());
	company_write(c, 1, ids[5], &o, 1);
	company_sync(c, 1);
	company_sync(c, 2);
	assert_int_equal(1, open_conflicts(c, 2));
	assert_same(c, 2);
	company_sound(c, 2);
}

/* One field of it was read before the rest was needed. */
static void
a_row_that_cannot_be_read_as_a_whole_does_not_stop_a_sync(void **state)
{
	company *c = *state;
	sat_op o = c_op(kind_of(c, 0, "account"), SAT_OP_MVSET, ids[3], A_NAME,
	    sat_v_null());
	sat_err err = { 0 };

	company_write(c, 0, ids[3], &o, 1);
	company_sync(c, 0);
	company_set(c, 0, ids[3], A_REMARK, "call");
	company_set(c, 0, ids[3], A_REMARK, "call back");
	/* a value where the clocks have none */
	sql(c, 0, "UPDATE k_account SET name = 'Nowhere' WHERE _rid = 4");
	company_reopen(c, 0);
	assert_rc(SAT_EINTEGRITY, sat_replica_check(c->r[0], false, &err));
	assert_non_null(strstr(err.text, "cannot be read"));
	company_sync(c, 0);
	assert_same(c, 0);
	company_sound(c, 0);
	company_shows(c, 0, ids[3], A_REMARK, "call back");
}

/* No state comes any more for what leaves: it is made anew while it can be. */
static void
a_damaged_row_that_leaves_shows_what_waits(void **state)
{
	company *c = *state;
	sat_err err = { 0 };

	company_set(c, 0, ids[3], A_CITY, "Wuhu");
	company_set(c, 1, ids[3], A_OWNER, "wang");
	company_sync(c, 1);
	sql(c, 0, "UPDATE k_account SET city = 'Nowhere' WHERE _rid = 4");
	company_reopen(c, 0);
	assert_rc(SAT_EINTEGRITY, sat_replica_check(c->r[0], false, &err));
	pull_only(c, 0);
	assert_int_equal(1, company_status(c, 0).pending_commits);
	company_sound(c, 0);
	company_shows(c, 0, ids[3], A_CITY, "Wuhu");
	company_sync(c, 0);
	assert_same(c, 0);
	company_sound(c, 0);
}

/* The same, of one that left and came back: the state that comes in place of the
 * damaged row has the waiting edit on top. */
static void
a_damaged_row_that_comes_as_a_state_keeps_what_waits(void **state)
{
	company *c = *state;
	sat_err err = { 0 };

	company_set(c, 0, ids[3], A_CITY, "Wuhu");
	company_set(c, 1, ids[3], A_OWNER, "wang");
	company_sync(c, 1);
	company_set(c, 1, ids[3], A_OWNER, "li");
	company_sync(c, 1);
	sql(c, 0, "UPDATE k_account SET _clk = x'00' WHERE _rid = 4");
	company_reopen(c, 0);
	assert_rc(SAT_EINTEGRITY, sat_replica_check(c->r[0], false, &err));
	company_reopen(c, 0); /* nothing was asked of what waits */
	c->stop_after = 2;    /* HELLO, PULL: before sums are compared */
	pull_only(c, 0);
	c->stop_after = 0;
	assert_int_equal(1, company_status(c, 0).pending_commits);
	company_shows(c, 0, ids[3], A_CITY, "Wuhu");
	company_sync(c, 0);
	assert_int_equal(0, company_status(c, 0).pending_commits);
	assert_same(c, 0);
	company_sound(c, 0);
}

/* Of one that was shown as merged when its row was lost, and is not: the list of
 * merged customers does not say so any more. */
static void
a_lost_row_that_comes_as_a_state_leads_nowhere_else(void **state)
{
	company *c = *state;
	sat_err err = { 0 };
	sat_id to;

	company_merge(c, 0, ids[3], ids[4]); /* waits, and will be refused */
	company_merge(c, 1, ids[4], ids[3]);
	company_sync(c, 1);
	sql(c, 0, "DELETE FROM k_account WHERE _rid = 4");
	company_reopen(c, 0);
	/* counts the sums anew, so that the state alone makes them right */
	assert_rc(SAT_EINTEGRITY, sat_replica_check(c->r[0], false, &err));
	company_set(c, 1, ids[3], A_OWNER, "wang");
	company_sync(c, 1);
	company_set(c, 1, ids[3], A_OWNER, "li");
	company_sync(c, 1);
	company_sync(c, 0);
	assert_ok(sat_replica_canon(&to, c->r[0], &ids[3], &err));
	assert_true(sat_id_eq(&to, &ids[3]));
	assert_same(c, 0);
	company_sound(c, 0);
}

/* Of one whose conflict was settled, and whose suggestion was taken, after its row
 * was lost: neither is listed any more. */
static void
a_lost_row_that_comes_as_a_state_is_listed_as_it_is(void **state)
{
	company *c = *state;
	sat_err err = { 0 };

	company_set(c, 0, ids[3], A_PHONE, "13900000001");
	company_set(c, 1, ids[3], A_PHONE, "13900000002");
	for (size_t i = 0; i < 4; i++)
		company_sync(c, i % 2);
	assert_int_equal(1, open_conflicts(c, 0));
	sql(c, 0, "INSERT INTO handed SELECT rid, kind FROM conflict");
	sql(c, 0, "DELETE FROM k_account WHERE _rid = 4");
	company_reopen(c, 0);
	assert_rc(SAT_EINTEGRITY, sat_replica_check(c->r[0], false, &err));
	company_set(c, 1, ids[3], A_PHONE, "13900000005");
	company_set(c, 1, ids[3], A_OWNER, "wang");
	company_sync(c, 1);
	company_set(c, 1, ids[3], A_OWNER, "li");
	company_sync(c, 1);
	company_sync(c, 0);
	assert_int_equal(0, c->stats.refetched); /* the state alone */
	assert_int_equal(0, open_conflicts(c, 0));
	assert_int_equal(0, company_status(c, 0).conflicts);
	assert_int_equal(0, company_status(c, 0).handed);
	assert_same(c, 0);
	company_sound(c, 0);
}

static void
a_device_whose_scope_moved_keeps_equal_sums(void **state) /* P-181 */
{
	company *c = *state;
	size_t wang = company_device(c, "wang");

	company_sync(c, wang);
	assert_same(c, wang);
	for (int i = 0; i < 300; i += 3)
		company_set(c, 1, ids[i], A_OWNER, "wang");
	for (int round = 0; round < 2; round++)
		for (size_t i = 0; i < c->n; i++)
			company_sync(c, (i + 1) % c->n);
	for (size_t i = 0; i < c->n; i++) {
		assert_same(c, i);
		assert_idle(c, i);
	}
	assert_int_equal(0, logged);
}

/* No edit, no check: only the time. */
static void
the_weekly_scrub_finds_what_nobody_touched(void **state)
{
	company *c = *state;

	sql(c, 2, "UPDATE k_account SET city = 'Nowhere' WHERE _rid = 300");
	company_reopen(c, 2);
	company_sync(c, 2);
	assert_int_equal(0, company_status(c, 2).diverged.count);
	company_pass(c, 8 * 24 * 3600 * (int64_t)1000);
	company_sync(c, 2);
	assert_int_equal(1, company_status(c, 2).diverged.count);
	assert_same(c, 2);
}

/* It ends with the history: as many past values of a field, and as old, as the
 * template says. */
static void
the_scrub_bounds_the_history(void **state)
{
	company *c = *state;
	sat_past *past;
	char text[16];
	size_t n;
	sat_err err = { 0 };

	for (int i = 0; i < 40; i++) {
		(void)snprintf(text, sizeof text, "city %d", i);
		company_set(c, 0, ids[0], A_CITY, text);
	}
	company_sync(c, 0);
	company_sync(c, 2);
	assert_ok(sat_replica_history(&past, &n, &c->a, c->r[2], &ids[0],
	    A_CITY, &err));
	assert_int_equal(40, n);
	company_pass(c, 8 * 24 * 3600 * (int64_t)1000);
	for (int i = 0; i < 16; i++) /* some buckets a session */
		company_sync(c, 2);
	assert_ok(sat_replica_history(&past, &n, &c->a, c->r[2], &ids[0],
	    A_CITY, &err));
	assert_int_equal(7, n);
	assert_true(sat_span_eq(past[0].value.s, sat_span_str("city 38")));
	company_pass(c, 180 * 24 * 3600 * (int64_t)1000);
	for (int i = 0; i < 16; i++)
		company_sync(c, 2);
	assert_ok(sat_replica_history(&past, &n, &c->a, c->r[2], &ids[0],
	    A_CITY, &err));
	assert_int_equal(7, n);
	company_pass(c, 21 * 24 * 3600 * (int64_t)1000);
	for (int i = 0; i < 16; i++)
		company_sync(c, 2);
	assert_ok(sat_replica_history(&past, &n, &c->a, c->r[2], &ids[0],
	    A_CITY, &err));
	assert_int_equal(0, n);
	company_sound(c, 2);
}

static bool
one_row(void *u, const sat_sqlite_diverged_row *d)
{
	*(sat_sqlite_diverged_row *)u = *d;
	return true;
}

static void
the_server_knows_who_was_repaired(void **state)
{
	company *c = *state;
	sat_sqlite_diverged_row row = { 0 };
	sat_err err = { 0 };

	sql(c, 2, "UPDATE k_account SET city = 'Nowhere' WHERE _rid = 300");
	company_reopen(c, 2);
	assert_rc(SAT_EINTEGRITY, sat_replica_check(c->r[2], false, &err));
	company_sync(c, 2);
	company_set(c, 0, ids[1], A_CITY, "Wuhu");
	company_sync(c, 0); /* written with the next commit */
	assert_ok(sat_sqlite_diverged(c->store, one_row, &row, &err));
	assert_int_equal(sat_replica_identity_get(c->r[2])->device, row.dev);
	assert_int_equal(1, row.n);
	assert_int_equal(1, row.bucket);
}

static void
the_server_proves_its_own_sums(void **state)
{
	company *c = *state;
	uint64_t commits, records;
	sat_err err = { 0 };

	assert_ok(sat_server_verify(c->server, &commits, &records, &err));
	assert_ok(sat_db_exec(sat_sqlite_store_db(c->store), "UPDATE digest "
	    "SET sum = zeroblob(16) WHERE bucket = 2", &err));
	assert_rc(SAT_EINTEGRITY, sat_server_verify(c->server, &commits,
	    &records, &err));
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(an_idle_sync_compares_and_stays_one_round_trip),
		T(whatever_was_changed_in_a_row_is_found_and_fetched_again),
		T(a_wrong_sum_is_put_right_by_the_check_without_the_server),
		T(a_changed_row_is_found_when_it_changes_the_next_time),
		T(a_row_that_cannot_be_read_does_not_stop_a_sync),
		T(only_the_ranges_that_differ_travel),
		T(a_range_larger_than_a_frame_comes_in_pieces),
		T(unsent_work_survives_a_repair),
		T(what_was_derived_of_a_lost_row_goes_with_it),
		T(a_row_that_cannot_be_read_as_a_whole_does_not_stop_a_sync),
		T(a_damaged_row_that_leaves_shows_what_waits),
		T(a_damaged_row_that_comes_as_a_state_keeps_what_waits),
		T(a_lost_row_that_comes_as_a_state_leads_nowhere_else),
		T(a_lost_row_that_comes_as_a_state_is_listed_as_it_is),
		T(a_device_whose_scope_moved_keeps_equal_sums),
		T(the_weekly_scrub_finds_what_nobody_touched),
		T(the_scrub_bounds_the_history),
		T(the_server_knows_who_was_repaired),
		T(the_server_proves_its_own_sums),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
