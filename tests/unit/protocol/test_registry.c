/* The registry: what is written is read, and nothing else (P-001). */
#include "tests/lib/unit.h"

#include "protocol/registry.h"

static sat_registry
sample(void)
{
	static sat_user users[] = {
		{ 1, "ann.lee", "Ann", "hq", 0, false },
		{ 2, "bob", "\xe9\xb2\x8d\xe5\x8b\x83", "rep", 1, true },
	};
	static sat_team teams[] = { { 1, "east", "East", "", false } };
	static sat_device devices[] = { { 1, 2, "laptop", false, false },
		{ 2, 2, "", true, false } };

	return (sat_registry){ .rev = 9, .users = users, .teams = teams,
		.devices = devices, .nusers = 2, .nteams = 1, .ndevices = 2 };
}

static void
what_is_written_is_read_and_found(void **state)
{
	sat_registry r = sample(), got = { 0 };
	sat_buf b = { 0 }, again = { 0 };
	sat_err err;

	(void)state;
	sat_registry_write(&b, &r);
	assert_ok(sat_registry_read(&got, sat_buf_span(&b), &err));
	sat_registry_write(&again, &got);
	assert_true(sat_span_eq(sat_buf_span(&b), sat_buf_span(&again)));
	assert_int_equal(9, got.rev);
	assert_int_equal(2, sat_registry_user(&got, sat_span_str("bob"))->ord);
	assert_null(sat_registry_user(&got, sat_span_str("bo")));
	assert_null(sat_registry_user(&got, sat_span_str("")));
	assert_string_equal("ann.lee", sat_registry_user_ord(&got, 1)->key);
	assert_null(sat_registry_user_ord(&got, 0));
	assert_null(sat_registry_user_ord(&got, 3));
	assert_int_equal(1, sat_registry_team(&got, "east")->ord);
	assert_null(sat_registry_team(&got, "west"));
	assert_string_equal("East", sat_registry_team_ord(&got, 1)->name);
	assert_true(sat_registry_device(&got, 2)->revoked);
	/* tables that are not sorted are searched */
	{
		sat_user u = got.users[0];

		got.users[0] = got.users[1];
		got.users[1] = u;
	}
	assert_string_equal("ann.lee", sat_registry_user_ord(&got, 1)->key);
	sat_registry_fini(&got);
	assert_int_equal(0, got.nusers);
	sat_buf_fini(&b);
	sat_buf_fini(&again);
}

static void
damage_is_refused_or_written_back_as_it_is(void **state)
{
	uint64_t seed = sat_test_seed(51);
	sat_registry r = sample(), got = { 0 };
	sat_buf b = { 0 }, again = { 0 };

	(void)state;
	sat_registry_write(&b, &r);
	for (size_t i = 0; i < b.n; i++)
		assert_rc(SAT_EPROTO, sat_registry_read(&got,
		    sat_span_of(b.p, i), NULL));
	for (int round = 0; round < 5000; round++) {
		size_t i = sat_test_rand(&seed) % b.n;
		uint8_t old = b.p[i];

		b.p[i] = (uint8_t)sat_test_rand(&seed);
		if (sat_registry_read(&got, sat_buf_span(&b), NULL) == SAT_OK) {
			sat_buf_reset(&again);
			sat_registry_write(&again, &got);
			assert_true(sat_span_eq(sat_buf_span(&b),
			    sat_buf_span(&again)));
			sat_registry_fini(&got);
		}
		b.p[i] = old;
	}
	sat_buf_fini(&b);
	sat_buf_fini(&again);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read_and_found),
		cmocka_unit_test(damage_is_refused_or_written_back_as_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
