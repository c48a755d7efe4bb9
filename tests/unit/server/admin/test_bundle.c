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

/* The base template with documents of `kib` KiB each beside it, all of one letter. */
static sat_rc
publish_large(sat_oid *oid, char letter, size_t kib, size_t documents)
{
	static const char *const path[] = { "a.md", "b.md", "c.md", "d.md" };
	size_t n, bytes = kib * 1024;
	const sat_template_file *base = sat_template_base(&n);
	sat_template_file *files = sat_xcalloc(n + documents, sizeof *files);
	char *text = sat_xmalloc(documents * bytes);
	sat_rc rc;

	memcpy(files, base, n * sizeof *files);
	memset(text, letter, documents * bytes);
	for (size_t i = 0; i < documents; i++) {
		text[i * bytes] = (char)('0' + i);
		files[n + i] = (sat_template_file){ path[i],
			sat_span_of((uint8_t *)text + i * bytes, bytes) };
	}
	rc = admin_publish(admin, &(sat_layer){ files, n + documents },
	    "test", "large", oid, &err);
	free(files);
	free(text);
	return rc;
}

/* A place that may be written to. */
static uint8_t *
asked(const sat_oid *tip)
{
	static sat_oid to;

	to = *tip;
	return to.b;
}

/* As it is asked for, and as git makes it. */
static void
assert_bundle(const uint8_t have[SAT_TEMPLATE_OID_BYTES], const sat_oid *tip)
{
	sat_buf got = { 0 }, made = { 0 };
	sat_oid from;

	memcpy(from.b, have, sizeof from.b);
	assert_ok(admin_template_bundle(admin, &got, asked(tip), have, &err));
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

/* A device that has nothing, as it goes on from part to part. */
static void
a_history_above_a_frame_is_given_in_parts(void **state)
{
	uint8_t have[SAT_TEMPLATE_OID_BYTES] = { 0 };
	uint8_t to[SAT_TEMPLATE_OID_BYTES];
	sat_buf out = { 0 };
	int parts = 0;
	sat_oid tip;

	(void)state;
	for (char c = 'a'; c < 'g'; c++)
		assert_ok(publish_large(&tip, c, 700, 1));
	while (memcmp(have, tip.b, sizeof have) != 0) {
		assert_true(++parts <= 3);
		memcpy(to, tip.b, sizeof to);
		sat_buf_reset(&out);
		assert_ok(admin_template_bundle(admin, &out, to, have, &err));
		assert_true(out.n < SAT_FRAME_MAX - 1024);
		memcpy(have, to, sizeof have);
	}
	assert_int_equal(2, parts);
	sat_buf_fini(&out);
}

/* Nobody could be sent what comes behind it. */
static void
what_no_answer_can_carry_is_not_published(void **state)
{
	sat_oid before = publish("first"), tip = before, oid;
	sat_buf out = { 0 };

	(void)state;
	assert_rc(SAT_EINVALID, publish_large(&oid, 'a', 900, 3));
	assert_string_equal("template.too_large", err.code);
	assert_non_null(strstr(err.hint, ".md"));
	assert_memory_equal(&before, &admin->tip, sizeof before);
	/* in two steps, and nothing is counted that stays as it is */
	assert_ok(publish_large(&tip, 'a', 900, 2));
	assert_ok(publish_large(&tip, 'a', 900, 4));
	assert_ok(admin_template_bundle(admin, &out, asked(&tip), before.b,
	    &err));
	sat_buf_fini(&out);
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
		    asked(&c), missing.b, &err));
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

/* Published when the lint had no word against it. */
static sat_oid
publish_old(void)
{
	size_t n;
	const sat_template_file *base = sat_template_base(&n);
	sat_template_file *files = sat_xcalloc(n, sizeof *files);
	sat_oid oid;

	memcpy(files, base, n * sizeof *files);
	for (size_t i = 0; i < n; i++)
		if (strcmp(files[i].path, "policy/privacy.json") == 0)
			files[i].bytes = sat_span_str("{\"answer_d\": \"30\"}");
	assert_rc(SAT_EINVALID, admin_publish(admin, &(sat_layer){ files, n },
	    "test", "refused now", &oid, &err));
	assert_ok(admin_commit(admin, SAT_ADMIN_BRANCH,
	    &(sat_layer){ files, n }, "test", "of another time", &oid, &err));
	admin->tip = admin->canary = oid;
	free(files);
	return oid;
}

static void
the_way_back_is_open_although_the_lint_became_stricter(void **state)
{
	char hex[SAT_GIT_OID_HEX + 1];
	char verb[] = "template", what[] = "rollback", form[] = "--json";
	char *const argv[] = { verb, what, hex, form, NULL };
	sat_oid old = publish_old(), now = publish("newer");
	sat_buf out = { 0 };
	sat_json *doc;

	(void)state;
	sat_oid_hex(hex, &old);
	assert_ok(sat_admin_run(admin, 4, argv, &out, &err));
	assert_memory_not_equal(&now, &admin->tip, sizeof now);
	assert_string_equal("30", sat_json_get_str(sat_template_doc(
	    admin_template_at(admin, admin->tip.b), "policy/privacy.json"),
	    "answer_d", ""));
	assert_ok(sat_json_parse(&doc, sat_buf_span(&out), 0, &err));
	assert_string_equal("policy/privacy.json: 'answer_d' must be a number "
	    "of days", sat_json_str(sat_json_first(sat_json_get(doc,
	    "warnings")), ""));
	sat_json_free(doc);
	sat_buf_fini(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    a_bundle_that_was_made_is_given_again_without_reading_the_history,
		    start, end),
		cmocka_unit_test_setup_teardown(
		    a_history_above_a_frame_is_given_in_parts, start, end),
		cmocka_unit_test_setup_teardown(
		    what_no_answer_can_carry_is_not_published, start, end),
		cmocka_unit_test_setup_teardown(
		    each_pair_of_templates_has_a_bundle_of_its_own, start, end),
		cmocka_unit_test_setup_teardown(
		    every_revision_is_there_however_many_there_are, start, end),
		cmocka_unit_test_setup_teardown(
		    the_published_one_stays_when_many_others_are_asked_for,
		    start, end),
		cmocka_unit_test_setup_teardown(
		    the_way_back_is_open_although_the_lint_became_stricter,
		    start, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
