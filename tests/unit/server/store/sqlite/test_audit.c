/*
 * The chain of what administrators did: it comes back as it was written, and a
 * row that is changed or taken out is named.
 */
#include "tests/lib/unit.h"

#include "server/store/sqlite/audits.h"

static char *dir;
static sat_sqlite_store *s;
static sat_err err;

static int
start(void **state)
{
	static char path[300];
	sat_sqlite_store_opts o = { .clock = sat_clock_os(), .create = true,
		.path = path };

	(void)state;
	dir = sat_test_dir();
	(void)snprintf(path, sizeof path, "%s/server.db", dir);
	assert_ok(sat_sqlite_store_open(&s, &o, &err));
	for (int i = 0; i < 5; i++)
		assert_ok(sat_sqlite_audit_add(s, 1000 + i, i == 2 ? "li" :
		    "console", "user add bo --name", i == 3 ? SAT_ECONFLICT :
		    SAT_OK, &err));
	return 0;
}

static int
end(void **state)
{
	(void)state;
	sat_sqlite_store_close(s);
	sat_test_rmdir(dir);
	return 0;
}

typedef struct seen {
	uint64_t n, first;
	int rc;
	char actor[16];
} seen;

static bool
look(void *u, const sat_audit_row *r)
{
	seen *x = u;

	if (x->n++ == 0)
		x->first = r->seq;
	assert_string_equal("user add bo --name", r->what);
	assert_int_equal(999 + r->seq, r->at_ms);
	if (r->seq == 3)
		(void)snprintf(x->actor, sizeof x->actor, "%s", r->actor);
	x->rc += r->rc;
	return true;
}

static void
acts_come_back_as_they_were_written(void **state)
{
	seen x = { 0 };

	(void)state;
	assert_ok(sat_sqlite_audit_each(s, look, &x, &err));
	assert_int_equal(5, x.n);
	assert_int_equal(1, x.first);
	assert_string_equal("li", x.actor);
	assert_int_equal(SAT_ECONFLICT, x.rc);
}

static void
fault_at(const char *sql, const char *back, unsigned row)
{
	char want[40];
	seen x = { 0 };

	assert_ok(sat_db_exec(sat_sqlite_store_db(s), sql, &err));
	assert_rc(SAT_EINTEGRITY, sat_sqlite_audit_each(s, look, &x, &err));
	(void)snprintf(want, sizeof want, "row %u of", row);
	assert_non_null(strstr(err.text, want));
	assert_ok(sat_db_exec(sat_sqlite_store_db(s), back, &err));
	assert_ok(sat_sqlite_audit_each(s, look, &x, &err));
}

static void
a_row_that_was_changed_is_named(void **state)
{
	(void)state;
	fault_at("UPDATE admin_log SET actor = 'bo' WHERE seq = 3",
	    "UPDATE admin_log SET actor = 'li' WHERE seq = 3", 3);
	fault_at("UPDATE admin_log SET rc = 0 WHERE seq = 4",
	    "UPDATE admin_log SET rc = 6 WHERE seq = 4", 4);
	fault_at("UPDATE admin_log SET seq = 50 WHERE seq = 2",
	    "UPDATE admin_log SET seq = 2 WHERE seq = 50", 3);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(acts_come_back_as_they_were_written),
		cmocka_unit_test(a_row_that_was_changed_is_named),
	};

	return cmocka_run_group_tests(tests, start, end);
}
