/* What devices get of the template's history; the last bundles are kept. */
#include "tests/unit/server/admin/folder.h"

static const uint8_t none[SAT_TEMPLATE_OID_BYTES];

/* The base template, with a name of its own. */
static sat_oid
publish(const char *name)
{
	size_t n;
	const sat_template_file *base = sat_template_base(&n);
	sat_template_file *files = sat_xcalloc(n + 1, sizeof *files);
	char *text = sat_xasprintf("# %s\n", name);
	sat_oid oid;

	memcpy(files, base, n * sizeof *files);
	files[n] = (sat_template_file){ "readme.md", sat_span_str(text) };
	assert_ok(admin_publish(admin, &(sat_layer){ files, n + 1 }, "test",
	    name, &oid, &err));
	free(files);
	free(text);
	return oid;
}

/* As it is asked for, and as git makes it. */
static void
assert_bundle(const uint8_t have[SAT_TEMPLATE_OID_BYTES], const sat_oid *tip)
{
	sat_buf got = { 0 }, made = { 0 };
	sat_oid from;

	memcpy(from.b, have, sizeof from.b);
	assert_ok(admin_template_bundle(admin, &got, tip->b, have, &err));
	assert_ok(sat_git_bundle(&made, admin->git, tip,
	    memcmp(have, none, sizeof none) == 0 ? NULL : &from, &err));
	assert_int_equal(made.n, got.n);
	assert_memory_equal(made.p, got.p, made.n);
	sat_buf_fini(&got);
	sat_buf_fini(&made);
}

static void
a_bundle_that_was_made_is_given_again_without_reading_the_history(void **state)
{
	sat_git *git = admin->git;
	sat_buf first = { 0 }, again = { 0 };
	sat_oid tip = publish("first");

	(void)state;
	assert_ok(admin_template_bundle(admin, &first, tip.b, none, &err));
	admin->git = NULL; /* whoever reads it now ends here */
	assert_ok(admin_template_bundle(admin, &again, tip.b, none, &err));
	admin->git = git;
	assert_int_equal(first.n, again.n);
	assert_memory_equal(first.p, again.p, first.n);
	sat_buf_fini(&first);
	sat_buf_fini(&again);
}

static void
each_pair_of_templates_has_a_bundle_of_its_own(void **state)
{
	sat_oid a = publish("first"), b = publish("second"),
	    c = publish("third"), missing = { { 7 } };
	sat_buf out = { 0 };

	(void)state;
	for (int round = 0; round < 2; round++) {
		assert_bundle(none, &a);
		assert_bundle(none, &b);
		assert_bundle(a.b, &b);
		assert_bundle(a.b, &c);
		assert_bundle(b.b, &c);
		assert_rc(SAT_ENOTFOUND, admin_template_bundle(admin, &out,
		    c.b, missing.b, &err));
		assert_int_equal(0, out.n);
		assert_bundle(none, &c);
	}
	sat_buf_fini(&out);
}

/* As many as a company makes in years, and any of them is asked for again. */
static void
every_revision_is_there_however_many_there_are(void **state)
{
	enum { REVISIONS = 70 };
	sat_oid rev[REVISIONS];
	char name[16];

	(void)state;
	for (size_t i = 0; i < REVISIONS; i++) {
		(void)snprintf(name, sizeof name, "revision %zu", i);
		rev[i] = publish(name);
		assert_non_null(admin_template_at(admin, rev[i].b));
	}
	for (size_t i = 0; i < REVISIONS; i++) {
		const sat_template *tip = admin_template_at(admin,
		    admin->tip.b);
		const sat_template *t = admin_template_at(admin, rev[i].b);

		assert_non_null(t);
		assert_ptr_equal(t, admin_template_at(admin, rev[i].b));
		assert_ptr_equal(tip, admin_template_at(admin, admin->tip.b));
	}
}

/* What is published is asked for once and used for long. */
static void
the_published_one_stays_when_many_others_are_asked_for(void **state)
{
	enum { REVISIONS = 70 };
	sat_oid rev[REVISIONS];
	const sat_template *tip;
	char name[16];

	(void)state;
	for (size_t i = 0; i < REVISIONS; i++) {
		(void)snprintf(name, sizeof name, "revision %zu", i);
		rev[i] = publish(name);
	}
	tip = admin_template_at(admin, admin->tip.b);
	assert_non_null(tip);
	for (size_t i = 0; i < REVISIONS; i++)
		assert_non_null(admin_template_at(admin, rev[i].b));
	assert_int_equal(sat_template_kinds(tip), sat_template_kinds(
	    admin_template_at(admin, rev[0].b)));
	assert_ptr_equal(tip, admin_template_at(admin, admin->tip.b));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    a_bundle_that_was_made_is_given_again_without_reading_the_history,
		    start, end),
		cmocka_unit_test_setup_teardown(
		    each_pair_of_templates_has_a_bundle_of_its_own, start, end),
		cmocka_unit_test_setup_teardown(
		    every_revision_is_there_however_many_there_are, start, end),
		cmocka_unit_test_setup_teardown(
		    the_published_one_stays_when_many_others_are_asked_for,
		    start, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
