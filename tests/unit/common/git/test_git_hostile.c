/* Trees, commits and closures of hostile form are refused. */
#include "tests/lib/unit.h"

#include <git2.h>

#include "common/git/git.h"
#include "tests/unit/common/git/repo.h"

static void
add(sat_buf *tree, const char *mode_and_name, const sat_oid *oid)
{
	sat_buf_add(tree, mode_and_name, strlen(mode_and_name) + 1);
	sat_buf_add(tree, oid->b, sizeof oid->b);
}

static void
hostile_trees_are_refused_before_they_are_stored(void **state) /* T21 */
{
	static const char *const bad[] = { "120000 link.json", "160000 sub",
		"100755 run.json", "100664 a.json", "040000 dir", "40000 ..",
		"40000 .", "40000 .git", "40000 a.b", "40000 GIT", "40000 git~1x",
		"100644 ../x.json", "100644 a/b.json", "100644 ", "40000 ",
		"100644 .gitmodules", "100644 x.exe", "100644 \xe5\xae\xa2.json",
		"100644", "x" };
	sat_git *g = memory();
	sat_oid blob, oid;
	sat_buf t = { 0 };
	sat_err err;

	(void)state;
	put(g, 3, sat_span_str("1"), &blob);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		sat_buf_reset(&t);
		add(&t, bad[i], &blob);
		oid = id_of(2, sat_buf_span(&t));
		if (sat_git_put(g, 2, &oid, sat_buf_span(&t),
		    &err) != SAT_EPROTO)
			fail_msg("taken: %s", bad[i]);
	}
	sat_buf_reset(&t);
	add(&t, "100644 b.json", &blob);
	add(&t, "100644 a.json", &blob); /* out of order */
	oid = id_of(2, sat_buf_span(&t));
	assert_rc(SAT_EPROTO, sat_git_put(g, 2, &oid, sat_buf_span(&t), &err));
	memcpy(t.p + 7, "a", 1); /* twice the same */
	oid = id_of(2, sat_buf_span(&t));
	assert_rc(SAT_EPROTO, sat_git_put(g, 2, &oid, sat_buf_span(&t), &err));
	t.n -= 3; /* cut short */
	oid = id_of(2, sat_buf_span(&t));
	assert_rc(SAT_EPROTO, sat_git_put(g, 2, &oid, sat_buf_span(&t), &err));
	/* Other types, other ids. */
	oid = id_of(4, sat_span_str("tag"));
	assert_rc(SAT_EPROTO, sat_git_put(g, 4, &oid, sat_span_str("tag"),
	    &err));
	assert_rc(SAT_EPROTO, sat_git_put(g, 3, &oid, sat_span_str("1"), &err));
	sat_buf_fini(&t);
	sat_git_close(g);
}

/* A commit of this tree, unsigned. */
static void
wrap_on(sat_git *g, const sat_oid *tree, const sat_oid *const *parents,
    sat_oid *commit)
{
	char hex[SAT_GIT_OID_HEX + 1];
	sat_buf b = { 0 };

	sat_oid_hex(hex, tree);
	sat_buf_fmt(&b, "tree %s\n", hex);
	for (; *parents != NULL; parents++) {
		sat_oid_hex(hex, *parents);
		sat_buf_fmt(&b, "parent %s\n", hex);
	}
	sat_buf_str(&b, "author x <x@y> 1 +0000\n"
	    "committer x <x@y> 1 +0000\n\nm\n");
	put(g, 1, sat_buf_span(&b), commit);
	sat_buf_fini(&b);
}

static void
wrap(sat_git *g, const sat_oid *tree, sat_oid *commit)
{
	wrap_on(g, tree, (const sat_oid *const[]){ NULL }, commit);
}

/* The id was seen, and found good, in another role. */
static void
a_commit_of_the_history_is_no_file_of_it(void **state)
{
	sat_git *g = memory();
	sat_buf t = { 0 };
	sat_oid blob, good, bad, first, second, tip;
	sat_err err;

	(void)state;
	put(g, 3, sat_span_str("1"), &blob);
	add(&t, "100644 a.json", &blob);
	put(g, 2, sat_buf_span(&t), &good);
	wrap(g, &good, &first);
	sat_buf_reset(&t);
	add(&t, "100644 a.json", &first);
	put(g, 2, sat_buf_span(&t), &bad);
	wrap(g, &bad, &second);
	wrap_on(g, &good, (const sat_oid *const[]){ &second, &first, NULL },
	    &tip);
	assert_rc(SAT_EINTEGRITY, sat_git_verify_closure(g, &tip, &err));
	wrap_on(g, &good, (const sat_oid *const[]){ &first, &first, NULL },
	    &tip);
	assert_ok(sat_git_verify_closure(g, &tip, &err));
	sat_buf_fini(&t);
	sat_git_close(g);
}

static void
a_closure_that_is_too_deep_broken_or_of_wrong_types_is_refused(void **state)
{
	sat_git *g = memory();
	sat_buf t = { 0 };
	sat_oid blob, tree, commit, second, absent = { { 7 } };
	sat_err err;

	(void)state;
	put(g, 3, sat_span_str("1"), &blob);
	add(&t, "100644 a.json", &blob);
	for (int depth = 1; depth <= 5; depth++) {
		sat_buf seen = { 0 };

		put(g, 2, sat_buf_span(&t), &tree);
		wrap(g, &tree, &commit);
		assert_rc(depth <= 4 ? SAT_OK : SAT_EINTEGRITY,
		    sat_git_verify_closure(g, &commit, &err));
		assert_rc(depth <= 4 ? SAT_OK : SAT_EPROTO,
		    sat_git_walk(g, &commit, list, &seen, &err));
		sat_buf_fini(&seen);
		sat_buf_reset(&t);
		add(&t, "40000 d", &tree);
	}
	sat_buf_reset(&t);
	add(&t, "100644 a.json", &absent);
	put(g, 2, sat_buf_span(&t), &tree);
	wrap(g, &tree, &commit);
	assert_rc(SAT_EINTEGRITY, sat_git_verify_closure(g, &commit, &err));
	assert_rc(SAT_EINTEGRITY, sat_git_verify_closure(g, &absent, &err));
	/* A file that is a commit, a directory that is a file. */
	sat_buf_reset(&t);
	add(&t, "100644 a.json", &commit);
	put(g, 2, sat_buf_span(&t), &tree);
	wrap(g, &tree, &second);
	assert_rc(SAT_EINTEGRITY, sat_git_verify_closure(g, &second, &err));
	sat_buf_reset(&t);
	add(&t, "40000 a", &blob);
	put(g, 2, sat_buf_span(&t), &tree);
	wrap(g, &tree, &second);
	assert_rc(SAT_EINTEGRITY, sat_git_verify_closure(g, &second, &err));
	wrap(g, &blob, &second);
	assert_rc(SAT_EINTEGRITY, sat_git_verify_closure(g, &second, &err));
	sat_buf_fini(&t);
	sat_git_close(g);
}

static void
a_commit_of_another_form_is_refused(void **state)
{
#define T "tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\n"
#define P "parent 4b825dc642cb6eb9a060e54bf8d69288fbee4904\n"
#define A "author x <x@y> 1 +0000\n"
#define C "committer x <x@y> 1 +0800\n"
	static const char *const bad[] = { "", T, T A "\nm\n", T A "comgitter"
		" x <x@y> 1 +0000\n\nm\n", A C T "\nm\n", T P P P A C "\nm\n",
		T A P C "\nm\n", T T A C "\nm\n", T A C "m\n", T A C,
		T A C "gpgsig a\n b\ngpgsig c\n\nm\n", T A C "x y\n\nm\n",
		"tree 4b825dc6\n" A C "\nm\n", T "author <x@y> 1 +0000\n" C
		"\nm\n", T "author x <x@y> 1\n" C "\nm\n",
		T "author x <x@y> -1 +0000\n" C "\nm\n",
		T "author x <x@y> 123456789012 +0000\n" C "\nm\n",
		T "author x <x@<y> 1 +0000\n" C "\nm\n", T A C "\n\xff\n" };
	static const char *const good[] = { T A C "\nm\n", T A C "\n",
		T P P A C "gpgsig a\n b\n \n\nm\n" };
	sat_git *g = memory();
	sat_oid oid;
	sat_err err;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		oid = id_of(1, sat_span_str(bad[i]));
		if (sat_git_put(g, 1, &oid, sat_span_str(bad[i]), &err) !=
		    SAT_EPROTO)
			fail_msg("taken: %s", bad[i]);
	}
	oid = id_of(1, sat_span_of(T A C "\nm\0x\n", sizeof T A C + 5));
	assert_rc(SAT_EPROTO, sat_git_put(g, 1, &oid,
	    sat_span_of(T A C "\nm\0x\n", sizeof T A C + 5), &err));
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
		put(g, 1, sat_span_str(good[i]), &oid);
	sat_git_close(g);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hostile_trees_are_refused_before_they_are_stored),
		cmocka_unit_test(
		    a_closure_that_is_too_deep_broken_or_of_wrong_types_is_refused),
		cmocka_unit_test(a_commit_of_the_history_is_no_file_of_it),
		cmocka_unit_test(a_commit_of_another_form_is_refused),
	};

	return cmocka_run_group_tests(tests, setup, sat_test_dir_teardown);
}
