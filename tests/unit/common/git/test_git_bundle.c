/* History travels in bundles and only forward. */
#include "tests/lib/unit.h"

#include "common/git/git.h"
#include "tests/unit/common/git/repo.h"

/* ---- history ------------------------------------------------------------- */

static void
a_commit_that_does_not_descend_is_detected(void **state)
{
	sat_git *g = bare("descend.git");
	sat_oid a = commit_n(g, BRANCH, 1), b = commit_n(g, BRANCH, 2);
	sat_oid other = commit_n(g, "refs/heads/local", 3), absent = a;
	int n = 0;
	bool yes;
	sat_err err;

	(void)state;
	absent.b[0] ^= 1;
	assert_ok(sat_git_descends(&yes, g, &b, &a, &err));
	assert_true(yes);
	assert_ok(sat_git_descends(&yes, g, &a, &a, &err));
	assert_true(yes);
	assert_ok(sat_git_descends(&yes, g, &a, &b, &err)); /* a rollback */
	assert_false(yes);
	assert_ok(sat_git_descends(&yes, g, &other, &b, &err));
	assert_false(yes);
	assert_ok(sat_git_descends(&yes, g, &b, &absent, &err));
	assert_false(yes);
	assert_rc(SAT_ENOTFOUND, sat_git_descends(&yes, g, &absent, &a, &err));
	assert_ok(sat_git_log(g, &b, count_commits, &n, &err));
	assert_int_equal(2, n);
	sat_git_close(g);
}

/* ---- bundles ------------------------------------------------------------- */

static sat_rc
store(void *u, int type, const sat_oid *oid, sat_span data, sat_err *e)
{
	return sat_git_put(u, type, oid, data, e);
}

static sat_rc
must_not_run(void *u, int type, const sat_oid *oid, sat_span data, sat_err *e)
{
	(void)type;
	(void)oid;
	(void)data;
	(void)e;
	++*(int *)u;
	return SAT_OK;
}

static void
a_bundle_carries_history_to_a_device(void **state)
{
	sat_git *server = bare("carry.git"), *device = memory();
	sat_oid first = commit_n(server, BRANCH, 1), tip, absent = { { 9 } };
	sat_buf all = { 0 }, more = { 0 }, a = { 0 }, b = { 0 };
	int n = 0;
	bool yes;
	sat_err err;

	(void)state;
	assert_ok(sat_git_bundle(&all, server, &first, NULL, &err));
	assert_ok(sat_git_unbundle(sat_buf_span(&all), store, device, &err));
	assert_ok(sat_git_verify_closure(device, &first, &err));
	for (int k = 2; k < 6; k++)
		tip = commit_n(server, BRANCH, k);
	assert_ok(sat_git_bundle(&more, server, &tip, &first, &err));
	assert_ok(sat_git_unbundle(sat_buf_span(&more), store, device, &err));
	assert_ok(sat_git_verify_closure(device, &tip, &err));
	assert_ok(sat_git_descends(&yes, device, &tip, &first, &err));
	assert_true(yes);
	assert_ok(sat_git_log(device, &tip, count_commits, &n, &err));
	assert_int_equal(5, n);
	assert_true(info_of(device, &tip).signature_ok);
	assert_ok(sat_git_walk(server, &tip, list, &a, &err));
	assert_ok(sat_git_walk(device, &tip, list, &b, &err));
	assert_string_equal(sat_buf_cstr(&a), sat_buf_cstr(&b));
	/* Only what is new: per commit a blob, two trees, a commit. */
	assert_int_equal(16, more.p[0]);
	sat_buf_reset(&more);
	assert_ok(sat_git_bundle(&more, server, &tip, &tip, &err));
	assert_int_equal(1, more.n);
	assert_rc(SAT_ENOTFOUND,
	    sat_git_bundle(&more, server, &tip, &absent, &err));
	sat_git_close(server);
	sat_git_close(device);
	sat_buf_fini(&all);
	sat_buf_fini(&more);
	sat_buf_fini(&a);
	sat_buf_fini(&b);
}

static void
a_history_above_the_limit_comes_in_parts(void **state)
{
	enum { COMMITS = 30, PART = 2000 };
	sat_git *server = bare("parts.git"), *device = memory();
	sat_oid tip, have, none = { { 0 } }, to;
	sat_buf part = { 0 };
	int parts = 0, n = 0;
	bool yes;
	sat_err err;

	(void)state;
	for (int k = 0; k < COMMITS; k++)
		tip = commit_n(server, BRANCH, k);
	for (have = none; memcmp(&have, &tip, sizeof tip) != 0; have = to) {
		const sat_oid *from = parts++ == 0 ? NULL : &have;

		to = tip;
		sat_buf_reset(&part);
		assert_ok(sat_git_bundle_part(&part, server, &to, from, PART,
		    &err));
		assert_true(part.n <= PART);
		assert_ok(sat_git_unbundle(sat_buf_span(&part), store, device,
		    &err));
		assert_ok(sat_git_verify_closure(device, &to, &err));
		if (from != NULL) {
			assert_ok(sat_git_descends(&yes, device, &to, from,
			    &err));
			assert_true(yes);
		}
		assert_true(parts <= COMMITS);
	}
	assert_true(parts > 1);
	assert_ok(sat_git_log(device, &tip, count_commits, &n, &err));
	assert_int_equal(COMMITS, n);
	sat_git_close(server);
	sat_git_close(device);
	sat_buf_fini(&part);
}

static void
a_part_that_holds_all_is_the_whole_and_one_that_holds_nothing_fails(void **state)
{
	sat_git *g = memory();
	sat_oid first = commit_n(g, BRANCH, 1), tip = commit_n(g, BRANCH, 2);
	sat_oid to = tip;
	sat_buf whole = { 0 }, part = { 0 };
	sat_err err;

	(void)state;
	assert_ok(sat_git_bundle(&whole, g, &tip, NULL, &err));
	assert_ok(sat_git_bundle_part(&part, g, &to, NULL, whole.n + 9, &err));
	assert_memory_equal(&tip, &to, sizeof to);
	assert_int_equal(whole.n, part.n);
	assert_memory_equal(whole.p, part.p, part.n);
	sat_buf_reset(&part);
	assert_rc(SAT_EINVALID, sat_git_bundle_part(&part, g, &to, &first, 100,
	    &err));
	assert_int_equal(0, part.n);
	assert_memory_equal(&tip, &to, sizeof to);
	sat_buf_fini(&whole);
	sat_buf_fini(&part);
	sat_git_close(g);
}

static void
a_flipped_byte_anywhere_in_a_bundle_is_refused(void **state) /* G1 */
{
	sat_git *g = memory();
	sat_oid tip = commit_n(g, BRANCH, 1);
	sat_buf b = { 0 };
	int calls = 0;
	sat_err err;

	(void)state;
	assert_ok(sat_git_bundle(&b, g, &tip, NULL, &err));
	for (size_t i = 0; i < b.n; i++) {
		b.p[i] ^= 0x01;
		if (sat_git_unbundle(sat_buf_span(&b), must_not_run, &calls,
		    &err) != SAT_EPROTO)
			fail_msg("byte %zu of %zu", i, b.n);
		b.p[i] ^= 0x01;
		/* Cut short, from an exact copy. */
		{
			uint8_t *cut = malloc(i + 1);

			memcpy(cut, b.p, i);
			assert_rc(SAT_EPROTO, sat_git_unbundle(sat_span_of(cut,
			    i), must_not_run, &calls, &err));
			free(cut);
		}
	}
	assert_int_equal(0, calls);
	assert_ok(sat_git_unbundle(sat_buf_span(&b), must_not_run, &calls,
	    &err));
	assert_int_equal(5, calls);
	sat_write_u8(&b, 0);
	assert_rc(SAT_EPROTO,
	    sat_git_unbundle(sat_buf_span(&b), must_not_run, &calls, &err));
	assert_int_equal(5, calls);
	sat_buf_fini(&b);
	sat_git_close(g);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_commit_that_does_not_descend_is_detected),
		cmocka_unit_test(a_bundle_carries_history_to_a_device),
		cmocka_unit_test(a_history_above_the_limit_comes_in_parts),
		cmocka_unit_test(
		    a_part_that_holds_all_is_the_whole_and_one_that_holds_nothing_fails),
		cmocka_unit_test(a_flipped_byte_anywhere_in_a_bundle_is_refused),
	};

	return cmocka_run_group_tests(tests, setup, sat_test_dir_teardown);
}
