/*
 * Match keys of a device when the template names other fields as duplicate
 * keys.
 */
#include "tests/unit/client/replica/fixture.h"
#include "tests/unit/common/template/base.h"

#include <string.h>

#define F_SECTOR 6

/* The base template with another text in the customer's fields. */
static void
give_changed(fixture *f, const char *was, const char *is)
{
	char *doc = edited(base_text("fields/account.json"), was, is);

	give_base(f, "fields/account.json", doc);
	free(doc);
}

static bool
count_one(void *u, const sat_id *id)
{
	(void)id;
	++*(size_t *)u;
	return true;
}

static size_t
matches(fixture *f, uint16_t field, const char *v)
{
	const sat_field *fd = sat_kind_field_id(f->account, field);
	size_t n = 0;
	sat_err err;

	assert_ok(sat_replica_match(f->r, f->account, fd, text(v), count_one,
	    &n, &err));
	return n;
}

#define SECTOR "\"key\": \"sector\", \"label\": {\"zh\": \"行业细分\", " \
	"\"en\": \"Sector\"}, \"type\": \"text\","
#define SECTOR_KEY SECTOR " \"dup_weight\": 50,"
#define NAME_KEY "\"dup_weight\": 60,"

static void
a_field_that_becomes_a_duplicate_key_finds_what_was_there(void **state)
{
	fixture *f = *state;
	sat_id a = new_account(f, "Anhui Mill", "13800000001");
	sat_id b = new_account(f, "Bengbu Mill", "13800000002");

	set_text(f, a, F_SECTOR, "paper");
	set_text(f, b, F_SECTOR, "paper");
	give_changed(f, SECTOR, SECTOR_KEY);
	assert_int_equal(2, matches(f, F_SECTOR, "paper"));
	assert_int_equal(1, matches(f, F_NAME, "Anhui Mill"));
	assert_sound(f);
}

typedef struct groups {
	size_t n;
} groups;

static sat_rc
on_group(void *u, const sat_kind *kind, const sat_id *ids, size_t n, sat_err *e)
{
	(void)kind;
	(void)ids;
	(void)e;
	assert_true(n >= 2);
	((groups *)u)->n++;
	return SAT_OK;
}

static size_t
shared(fixture *f)
{
	groups g = { 0 };
	sat_err err;

	assert_ok(sat_replica_alike(f->r, 16, on_group, &g, &err));
	return g.n;
}

static void
a_field_that_is_no_duplicate_key_any_more_leaves_no_key_behind(void **state)
{
	fixture *f = *state;
	sat_id a = new_account(f, "Anhui Mill", "13800000001");

	(void)new_account(f, "Anhui Mill", "13800000002");
	assert_int_equal(1, shared(f));
	give_changed(f, NAME_KEY, "");
	assert_int_equal(0, shared(f));
	set_text(f, a, F_NAME, "Wuhu Mill");
	give_changed(f, NAME_KEY, NAME_KEY);
	assert_int_equal(0, shared(f));
	assert_int_equal(1, matches(f, F_NAME, "Wuhu Mill"));
	assert_int_equal(1, matches(f, F_NAME, "Anhui Mill"));
	assert_sound(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    a_field_that_becomes_a_duplicate_key_finds_what_was_there,
		    setup, teardown),
		cmocka_unit_test_setup_teardown(
		    a_field_that_is_no_duplicate_key_any_more_leaves_no_key_behind,
		    setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
