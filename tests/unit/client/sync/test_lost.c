/*
 * Rows that were lost behind the replica's back, or cannot be read, and whose
 * records then leave: what is listed of them goes as well (P-183 to P-186).
 */
#include "tests/lib/unit.h"

#include "tests/unit/client/sync/company.h"

#define ACCOUNTS 6

static sat_id ids[ACCOUNTS];

static int
setup(void **state)
{
	company *c = company_new(12);

	company_staff(c, "li rep east, wang rep east, chen manager east, "
	    "hq hq, hq2 hq");
	(void)company_device(c, "li");
	(void)company_device(c, "chen");
	(void)company_device(c, "hq");
	company_firms(c, ids, ACCOUNTS);
	*state = c;
	return 0;
}

static int64_t
number(company *c, size_t i, const char *text)
{
	int64_t n;
	sat_stmt *s;
	bool row;
	sat_err err = { 0 };

	assert_ok(sat_db_stmt_text(&s, sat_replica_db(c->r[i]), text, &err));
	assert_ok(sat_step(&row, s, &err));
	assert_true(row);
	n = sat_col_int(s, 0);
	sat_stmt_reset(s);
	return n;
}

/* The fourth customer (number 4) has a conflict, a suggestion and a past at li's. */
static void
list_it(company *c)
{
	company_set(c, 0, ids[3], A_PHONE, "13900000001");
	company_set(c, 1, ids[3], A_PHONE, "13900000002");
	company_set(c, 1, ids[3], A_CITY, "Wuhu");
	for (size_t i = 0; i < 4; i++)
		company_sync(c, i % 2);
	assert_int_equal(1, company_status(c, 0).conflicts);
	sql(c, 0, "INSERT INTO handed SELECT rid, kind FROM conflict");
	assert_true(number(c, 0, "SELECT count(*) FROM history "
	    "WHERE rid = 4") > 0);
}

static void
lose(company *c, const char *text, bool check)
{
	sat_err err = { 0 };

	sql(c, 0, text);
	company_reopen(c, 0);
	if (check) /* counts the sums anew: nothing differs when it has left */
		assert_rc(SAT_EINTEGRITY, sat_replica_check(c->r[0], false,
		    &err));
}

#define LOST "DELETE FROM k_account WHERE _rid = 4"

#define KEYS "SELECT count(*) FROM match WHERE rid = 4"
/* either of list_it's */
#define SEARCHED "SELECT count(*) FROM search " \
	"WHERE instr(data, CAST('1390000000' AS BLOB)) > 0"

static void
assert_not_listed(company *c)
{
	assert_int_equal(0, company_status(c, 0).conflicts);
	assert_int_equal(0, company_status(c, 0).handed);
	assert_int_equal(0, number(c, 0, "SELECT count(*) FROM conflict"));
	assert_int_equal(0, number(c, 0, "SELECT count(*) FROM handed"));
}

static void
a_lost_row_whose_record_leaves_is_listed_nowhere(void **state)
{
	company *c = *state;

	list_it(c);
	lose(c, LOST, true);
	company_set(c, 1, ids[3], A_OWNER, "wang");
	company_sync(c, 1);
	company_sync(c, 0);
	assert_int_equal(0, c->stats.refetched);
	assert_not_listed(c);
	assert_same(c, 0);
	company_sound(c, 0);
}

/* Found by the weekly scrub instead of a check. */
static void
a_scrub_takes_what_no_row_has_out_of_the_lists(void **state)
{
	company *c = *state;

	list_it(c);
	lose(c, LOST, false);
	company_set(c, 1, ids[3], A_OWNER, "wang");
	company_sync(c, 1);
	company_pass(c, 8 * 24 * 3600 * (int64_t)1000);
	company_sync(c, 0);
	assert_int_equal(0, c->stats.refetched);
	assert_not_listed(c);
	assert_same(c, 0);
	company_sound(c, 0);
}

static void
a_lost_row_whose_record_is_erased_leaves_nothing(void **state) /* P-194 */
{
	company *c = *state;

	list_it(c);
	lose(c, LOST, true);
	company_erase(c, ids[3]);
	company_sync(c, 0);
	company_sync(c, 0);
	assert_not_listed(c);
	assert_int_equal(0, number(c, 0, "SELECT count(*) FROM history "
	    "WHERE rid = 4"));
	assert_same(c, 0);
	company_sound(c, 0);
}

/* Nobody has noticed the loss before the erasure is carried out. */
static void
an_unnoticed_loss_leaves_nothing_of_an_erased_one(void **state) /* P-194 */
{
	company *c = *state;
	sat_err err = { 0 };

	list_it(c);
	assert_ok(sat_replica_search_ready(c->r[0], &err));
	assert_true(number(c, 0, KEYS) > 0);
	assert_int_equal(1, number(c, 0, SEARCHED));
	lose(c, LOST, false);
	company_erase(c, ids[3]);
	c->stop_after = 4;
	company_sync(c, 0);
	c->stop_after = 0;
	assert_int_equal(0, number(c, 0, "SELECT count(*) FROM history "
	    "WHERE rid = 4"));
	assert_int_equal(0, number(c, 0, KEYS));
	assert_int_equal(0, number(c, 0, SEARCHED));
	assert_true(number(c, 0, "SELECT count(*) FROM match") > 0);
	assert_true(number(c, 0, "SELECT count(*) FROM search") > 0);
	company_sync(c, 0);
	company_sync(c, 0);
	assert_not_listed(c);
	assert_same(c, 0);
	company_sound(c, 0);
}

/* With the key of the value it had, another record would be found alike for
 * ever. */
static void
a_lost_row_that_comes_again_has_the_keys_of_its_values(void **state)
{
	company *c = *state;
	int64_t keys;

	company_set(c, 0, ids[3], A_PHONE, "13900000001");
	company_sync(c, 0);
	company_sync(c, 1);
	keys = number(c, 0, KEYS);
	assert_true(keys > 0);
	sql(c, 0, "CREATE TABLE kept AS SELECT key FROM match WHERE rid = 4");
	lose(c, LOST, true);
	company_set(c, 1, ids[3], A_PHONE, "13900000002");
	company_sync(c, 1);
	company_sync(c, 0);
	assert_int_equal(keys, number(c, 0, KEYS));
	assert_int_equal(keys - 1, number(c, 0, KEYS " AND key IN kept"));
	sql(c, 0, "DROP TABLE kept");
	assert_same(c, 0);
	company_sound(c, 0);
}

static void
a_lost_merged_row_leads_nowhere_when_it_leaves(void **state)
{
	company *c = *state;

	company_merge(c, 1, ids[3], ids[4]);
	company_sync(c, 1);
	company_sync(c, 0);
	assert_int_equal(1, number(c, 0, "SELECT count(*) FROM alias"));
	lose(c, LOST, true);
	company_set(c, 1, ids[4], A_OWNER, "wang");
	company_set(c, 1, ids[3], A_OWNER, "wang");
	company_sync(c, 1);
	company_sync(c, 0);
	assert_int_equal(0, c->stats.refetched);
	assert_int_equal(0, number(c, 0, "SELECT count(*) FROM alias"));
	assert_same(c, 0);
	company_sound(c, 0);
}

static void
a_lost_merged_row_leads_nowhere_when_it_is_erased(void **state)
{
	company *c = *state;

	company_merge(c, 1, ids[3], ids[4]);
	company_sync(c, 1);
	company_sync(c, 0);
	lose(c, LOST, true);
	company_erase(c, ids[3]);
	company_sync(c, 0);
	company_sync(c, 0);
	assert_int_equal(0, number(c, 0, "SELECT count(*) FROM alias"));
	assert_same(c, 0);
	company_sound(c, 0);
}

/* What leads somewhere is there as long as it has a row, whatever is in it. */
static void
a_merged_row_that_cannot_be_read_leads_where_it_did(void **state)
{
	company *c = *state;
	sat_err err = { 0 };
	sat_id to;

	company_merge(c, 1, ids[3], ids[4]);
	company_sync(c, 1);
	company_sync(c, 0);
	lose(c, "UPDATE k_account SET _clk = x'00' WHERE _rid = 4", true);
	assert_ok(sat_replica_canon(&to, c->r[0], &ids[3], &err));
	assert_true(sat_id_eq(&to, &ids[4]));
	company_sync(c, 0);
	assert_same(c, 0);
	company_sound(c, 0);
}

/* Also when no repair follows: the session breaks off, and the check counts the
 * sums as they are then. */
static void
an_unreadable_row_whose_record_leaves_is_listed_nowhere(void **state)
{
	company *c = *state;

	list_it(c);
	lose(c, "UPDATE k_account SET _clk = x'00' WHERE _rid = 4", false);
	company_set(c, 1, ids[3], A_OWNER, "wang");
	company_sync(c, 1);
	c->stop_after = 2; /* HELLO, PULL: before sums are compared */
	company_sync(c, 0);
	c->stop_after = 0;
	assert_int_equal(0, number(c, 0, "SELECT count(*) FROM k_account "
	    "WHERE _rid = 4"));
	assert_not_listed(c);
	company_sync(c, 0);
	assert_same(c, 0);
	company_sound(c, 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, company_end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_lost_row_whose_record_leaves_is_listed_nowhere),
		T(a_scrub_takes_what_no_row_has_out_of_the_lists),
		T(a_lost_row_whose_record_is_erased_leaves_nothing),
		T(an_unnoticed_loss_leaves_nothing_of_an_erased_one),
		T(a_lost_row_that_comes_again_has_the_keys_of_its_values),
		T(a_lost_merged_row_leads_nowhere_when_it_leaves),
		T(a_lost_merged_row_leads_nowhere_when_it_is_erased),
		T(a_merged_row_that_cannot_be_read_leads_where_it_did),
		T(an_unreadable_row_whose_record_leaves_is_listed_nowhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
