/* The template carried by hand: histories of any length, and files that are not
 * whole or not ours from some part on. */
#include "tests/lib/unit.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/file.h"
#include "common/git/git.h"
#include "tests/unit/client/crm/crm_fixture.h"
#include "tests/unit/common/template/base.h"

#include "client/api/api.h"

#define BRANCH "refs/heads/published"
enum { KIB = 600, PART = 700 * 1024 }; /* each revision is a part */

static sat_err err;

/* ---- revisions of the organisation --------------------------------------------- */

/* The base template with documents of `kib` KiB each, all of one letter. */
static sat_oid
revision(fixture *f, const char *branch, char letter, size_t kib,
    size_t documents, const uint8_t *sk)
{
	static const char *const path[] = { "a.md", "b.md", "c.md" };
	sat_git_author who = { "t", "t@x", f->now_ms += 1000, sk, f->tmpl_pk };
	sat_template_file files[FILES_MAX];
	sat_git_file list[FILES_MAX + 3];
	size_t n = base_with(files, NULL, NULL), bytes = kib * 1024;
	char *text = sat_xmalloc(documents * bytes);
	sat_oid oid;

	for (size_t i = 0; i < n; i++)
		list[i] = (sat_git_file){ files[i].path, files[i].bytes };
	memset(text, letter, documents * bytes);
	for (size_t i = 0; i < documents; i++) {
		text[i * bytes] = (char)('0' + i);
		list[n++] = (sat_git_file){ path[i],
			sat_span_of((uint8_t *)text + i * bytes, bytes) };
	}
	assert_ok(sat_git_commit(&oid, f->git, branch, list, n, &who, "another",
	    &err));
	free(text);
	return oid;
}

static const char *
packed(fixture *f, const sat_oid *tip, size_t part)
{
	static char path[400];

	(void)snprintf(path, sizeof path, "%s/packed", f->dir);
	assert_ok(sat_git_file_write(path, 0600, f->git, tip, part, &err));
	return path;
}

/* ---- what the device does ----------------------------------------------------- */

static sat_rc
asked_for(sat_json **out, fixture *f, const char *what, const char *file)
{
	sat_api api = { .crm = crm_of(f), .profile = "default",
		.keyring = f->keyring, .dir = f->dir };
	sat_json *body = sat_json_obj();
	sat_request req = { .method = "POST", .path = what, .body = body,
		.files = true };
	sat_rc rc;

	sat_json_put_str(body, "file", file);
	memset(&err, 0, sizeof err);
	*out = NULL;
	rc = sat_api_handle(out, &api, &req, &err);
	sat_json_free(body);
	return rc;
}

static sat_rc
applied(fixture *f, const char *file, bool *changed)
{
	sat_json *out;
	sat_rc rc = asked_for(&out, f, "/v1/templates/apply", file);
	char hex[SAT_GIT_OID_HEX + 1];

	if (rc == SAT_OK) {
		*changed = sat_json_get_bool(out, "changed", !*changed);
		sat_hex(hex, sat_replica_template_oid(f->r),
		    SAT_GIT_OID_BYTES);
		assert_string_equal(hex, sat_json_get_str(out, "rev", ""));
	}
	sat_json_free(out);
	return rc;
}

static bool
at(fixture *f, const sat_oid *oid)
{
	return memcmp(sat_replica_template_oid(f->r), oid, sizeof *oid) == 0;
}

static sat_oid
now(fixture *f)
{
	sat_oid oid;

	memcpy(oid.b, sat_replica_template_oid(f->r), sizeof oid.b);
	return oid;
}

/* ---- tests ---------------------------------------------------------------------- */

/* Longer than one bundle can be: to a device that is behind by all of it, and from
 * there on. */
static void
a_long_history_is_carried(void **state)
{
	fixture *f = *state;
	char *again = sat_xasprintf("%s/again", f->dir);
	bool changed = false;
	sat_buf b = { 0 };
	sat_oid tip, named;
	sat_json *out;

	for (char letter = 'a'; letter < 'g'; letter++)
		tip = revision(f, BRANCH, letter, 1000, 3, f->tmpl_sk);
	assert_rc(SAT_EINVALID, sat_git_bundle(&b, f->git, &tip, NULL, &err));
	assert_ok(applied(f, packed(f, &tip, SAT_GIT_FILE_PART), &changed));
	assert_true(changed && at(f, &tip));
	assert_ok(asked_for(&out, f, "/v1/templates/pack", again));
	sat_json_free(out);
	assert_ok(sat_git_file_verify(&named, again, &err));
	assert_memory_equal(&tip, &named, sizeof tip);
	assert_ok(applied(f, again, &changed));
	assert_false(changed);
	reopen(f);
	assert_true(at(f, &tip));
	free(again);
}

/* What it holds already begins the file; and nothing older is taken. */
static void
a_device_in_the_middle_goes_on_from_there(void **state)
{
	fixture *f = *state;
	sat_oid base = now(f), r[4];
	bool changed = false;

	for (size_t i = 0; i < 4; i++)
		r[i] = revision(f, BRANCH, (char)('a' + i), KIB, 1, f->tmpl_sk);
	assert_ok(applied(f, packed(f, &r[1], PART), &changed));
	assert_true(changed && at(f, &r[1]));
	assert_ok(applied(f, packed(f, &r[3], PART), &changed));
	assert_true(changed && at(f, &r[3]));
	assert_ok(applied(f, packed(f, &r[3], PART), &changed));
	assert_false(changed);
	assert_rc(SAT_EINTEGRITY, applied(f, packed(f, &r[2], PART),
	    &changed));
	assert_string_equal("template.not_newer", err.code);
	assert_rc(SAT_EINTEGRITY, applied(f, packed(f, &base, PART),
	    &changed));
	assert_true(at(f, &r[3]));
}

/* From where they part, nothing of the other line is taken. */
static void
another_line_is_refused(void **state)
{
	fixture *f = *state;
	sat_oid base = now(f), ours, other;
	bool changed = false;

	assert_ok(sat_git_branch_set(f->git, "refs/heads/other", &base, &err));
	ours = revision(f, BRANCH, 'a', KIB, 1, f->tmpl_sk);
	(void)revision(f, "refs/heads/other", 'b', KIB, 1, f->tmpl_sk);
	other = revision(f, "refs/heads/other", 'c', KIB, 1, f->tmpl_sk);
	assert_ok(applied(f, packed(f, &ours, PART), &changed));
	assert_rc(SAT_EINTEGRITY, applied(f, packed(f, &other, PART),
	    &changed));
	assert_true(at(f, &ours));
}

/* Altered anywhere, cut off behind a part that is good: all of it is looked at
 * before the first is taken. */
static void
a_file_that_is_bad_at_a_later_part_changes_nothing(void **state)
{
	fixture *f = *state;
	const char *file;
	bool changed = false;
	sat_oid base = now(f), tip;
	sat_buf b = { 0 };

	for (char letter = 'a'; letter < 'd'; letter++)
		tip = revision(f, BRANCH, letter, KIB, 1, f->tmpl_sk);
	file = packed(f, &tip, PART);
	assert_ok(sat_file_read(&b, file, 1 << 24, &err));
	sat_test_save(file, b.p, b.n - 1);
	assert_rc(SAT_EINVALID, applied(f, file, &changed));
	assert_non_null(strstr(err.text, "cut off in part 4"));
	assert_non_null(strstr(err.hint, "satchel template pack"));
	b.p[b.n - 30] ^= 1;
	sat_test_save(file, b.p, b.n);
	assert_rc(SAT_EINVALID, applied(f, file, &changed));
	b.p[b.n - 30] ^= 1;
	sat_write_u8(&b, 0);
	sat_test_save(file, b.p, b.n);
	assert_rc(SAT_EINVALID, applied(f, file, &changed));
	assert_true(at(f, &base));
	b.p[17] = '1'; /* of an earlier version */
	sat_test_save(file, b.p, b.n);
	assert_rc(SAT_EVERSION, applied(f, file, &changed));
	assert_true(at(f, &base));
	sat_buf_fini(&b);
}

static void
on_entry(void *u, int64_t seq, int64_t at_ms, const char *action,
    const char *detail)
{
	(void)seq;
	(void)at_ms;
	(void)detail;
	*(int *)u += strcmp(action, "template.apply") == 0;
}

/* That is known only when it is taken in: it ends at one that is signed and newer,
 * and says that it moved. */
static void
a_file_that_is_not_ours_from_some_part_on_ends_before_it(void **state)
{
	fixture *f = *state;
	uint8_t seed[32] = { 77 }, pk[SAT_SIGN_PK_BYTES];
	uint8_t foreign[SAT_SIGN_SK_BYTES];
	sat_oid good, bad;
	bool changed = false;
	int told = 0;

	sat_sign_keys(pk, foreign, seed);
	good = revision(f, BRANCH, 'a', KIB, 1, f->tmpl_sk);
	bad = revision(f, BRANCH, 'b', KIB, 1, foreign);
	bad = revision(f, BRANCH, 'c', KIB, 1, foreign);
	assert_rc(SAT_EINTEGRITY, applied(f, packed(f, &bad, PART),
	    &changed));
	assert_string_equal("template.unsigned", err.code);
	assert_true(at(f, &good));
	assert_ok(sat_replica_audit_list(f->r, 0, on_entry, &told, &err));
	assert_int_equal(1, told);
	reopen(f);
	assert_true(at(f, &good));
	assert_sound(f);
}

/* It is read only once, and each part taken as it comes. */
static void
a_pipe_is_taken_too(void **state)
{
	fixture *f = *state;
	char *pipe_ = sat_xasprintf("%s/pipe", f->dir);
	bool changed = false;
	sat_buf b = { 0 };
	sat_oid tip;
	pid_t child;

	for (char letter = 'a'; letter < 'd'; letter++)
		tip = revision(f, BRANCH, letter, KIB, 1, f->tmpl_sk);
	assert_ok(sat_file_read(&b, packed(f, &tip, PART), 1 << 24, &err));
	assert_int_equal(0, mkfifo(pipe_, 0600));
	for (int i = 0; i < 2; i++) {
		if ((child = fork()) == 0)
			_exit(sat_file_write(pipe_, sat_buf_span(&b), 0600,
			    NULL) == SAT_OK ? 0 : 1);
		assert_ok(applied(f, pipe_, &changed));
		assert_true(changed == (i == 0) && at(f, &tip));
		assert_int_equal(child, waitpid(child, NULL, 0));
	}
	sat_buf_fini(&b);
	free(pipe_);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		HQ(a_long_history_is_carried),
		HQ(a_device_in_the_middle_goes_on_from_there),
		HQ(another_line_is_refused),
		HQ(a_file_that_is_bad_at_a_later_part_changes_nothing),
		HQ(a_file_that_is_not_ours_from_some_part_on_ends_before_it),
		HQ(a_pipe_is_taken_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
