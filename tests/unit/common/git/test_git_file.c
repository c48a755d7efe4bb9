/* A history as a file, in parts. */
#include "tests/lib/unit.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/file.h"
#include "common/base/mem.h"
#include "common/git/git.h"
#include "tests/unit/common/git/repo.h"

enum { COMMITS = 30, PART = 2000, HEAD = 19 + 20, PART_HEAD = 24 };

static sat_err err;

/* ---- a file, and what is read of it ----------------------------------------- */

/* A history of n commits in a file, in parts of this size. */
static const char *
written(sat_oid *tip, int n, size_t part)
{
	const char *path = sat_test_at("history");
	sat_git *g = memory();

	for (int k = 0; k < n; k++)
		*tip = commit_n(g, BRANCH, k);
	assert_ok(sat_git_file_write(path, 0600, g, tip, part, &err));
	sat_git_close(g);
	return path;
}

typedef struct taken {
	sat_git *g;
	sat_oid upto;
	int parts, last;
	size_t largest;
} taken;

static sat_rc
store(void *u, int type, const sat_oid *oid, sat_span data, sat_err *e)
{
	return sat_git_put(u, type, oid, data, e);
}

/* As a replica takes it: whole, and going on from the part before. */
static sat_rc
take(void *u, const sat_oid *upto, sat_span bundle, bool last, sat_err *e)
{
	taken *t = u;
	bool on = true;

	assert_int_equal(0, t->last);
	assert_ok(sat_git_unbundle(bundle, store, t->g, e));
	assert_ok(sat_git_verify_closure(t->g, upto, e));
	if (t->parts++ > 0)
		assert_ok(sat_git_descends(&on, t->g, upto, &t->upto, e));
	assert_true(on);
	t->upto = *upto;
	t->last += last;
	if (bundle.n > t->largest)
		t->largest = bundle.n;
	return SAT_OK;
}

/* Bytes into the file that is tried; its answer, and what it gave out. */
static sat_rc
tried(taken *t, sat_span bytes)
{
	const char *path = sat_test_at("tried");
	taken none = { .g = memory() };
	sat_oid tip;
	sat_rc rc, looked;

	*t = none;
	sat_test_save(path, bytes.p, bytes.n);
	looked = sat_git_file_verify(&tip, path, &err);
	memset(&err, 0, sizeof err);
	rc = sat_git_file_read(&tip, path, take, t, &err);
	assert_rc(rc, looked);
	sat_git_close(t->g);
	return rc;
}

/* ---- tests -------------------------------------------------------------------- */

static void
a_history_goes_through_a_file_part_by_part(void **state)
{
	taken t = { .g = memory() };
	sat_oid tip, named;
	const char *path = written(&tip, COMMITS, PART);
	int n = 0;

	(void)state;
	assert_ok(sat_git_file_verify(&named, path, &err));
	assert_memory_equal(&tip, &named, sizeof tip);
	assert_ok(sat_git_file_read(&named, path, take, &t, &err));
	assert_memory_equal(&tip, &named, sizeof tip);
	assert_memory_equal(&tip, &t.upto, sizeof tip);
	assert_int_equal(1, t.last);
	assert_true(t.parts > 5 && t.parts < COMMITS);
	assert_true(t.largest <= PART);
	assert_ok(sat_git_log(t.g, &tip, count_commits, &n, &err));
	assert_int_equal(COMMITS, n);
	sat_git_close(t.g);
	/* and one that fits is one part */
	t = (taken){ .g = memory() };
	path = written(&tip, COMMITS, SAT_GIT_FILE_PART);
	assert_ok(sat_git_file_read(&named, path, take, &t, &err));
	assert_int_equal(1, t.parts);
	sat_git_close(t.g);
}

static void
a_commit_above_the_size_of_a_part_is_one_by_itself(void **state)
{
	taken t = { .g = memory() };
	sat_oid tip, named;

	(void)state;
	assert_ok(sat_git_file_read(&named, written(&tip, 3, 50), take, &t,
	    &err));
	assert_int_equal(3, t.parts);
	assert_memory_equal(&tip, &t.upto, sizeof tip);
	sat_git_close(t.g);
}

static sat_rc
take_one(void *u, const sat_oid *upto, sat_span bundle, bool last, sat_err *e)
{
	const taken *t = u;

	return t->parts == 1 ? sat_fail(e, SAT_EDENIED, "not this one") :
	    take(u, upto, bundle, last, e);
}

static void
a_part_that_is_not_taken_ends_the_reading(void **state)
{
	taken t = { .g = memory() };
	sat_oid tip, named;
	const char *path = written(&tip, 3, 50);

	(void)state;
	assert_rc(SAT_EDENIED, sat_git_file_read(&named, path, take_one, &t,
	    &err));
	assert_int_equal(1, t.parts);
	assert_int_equal(0, t.last);
	sat_git_close(t.g);
}

/* Cut off, altered, or with a byte too many anywhere; what was handed on before
 * was whole (take), and never the last. */
static void
a_file_that_is_not_whole_is_refused(void **state) /* G4 */
{
	sat_oid tip;
	sat_buf b = { 0 };
	taken t;

	(void)state;
	assert_ok(sat_file_read(&b, written(&tip, 2, 50), 1 << 20, &err));
	for (size_t i = 0; i < b.n; i++) {
		assert_rc(SAT_EPROTO, tried(&t, sat_span_of(b.p, i)));
		assert_string_equal("template.file", err.code);
		assert_int_equal(0, t.last);
		b.p[i] ^= 0x20;
		assert_true(tried(&t, sat_buf_span(&b)) ==
		    (i == 17 || i == 18 ? SAT_EVERSION : SAT_EPROTO));
		assert_int_equal(0, t.last);
		b.p[i] ^= 0x20;
	}
	assert_ok(tried(&t, sat_buf_span(&b)));
	assert_int_equal(2, t.parts);
	sat_write_u8(&b, 0);
	assert_rc(SAT_EPROTO, tried(&t, sat_buf_span(&b)));
	assert_non_null(strstr(err.text, "behind its last part"));
	assert_int_equal(1, t.parts);
	sat_buf_fini(&b);
}

static void
a_part_has_a_limit_and_holds_what_it_names(void **state) /* G4 */
{
	sat_oid tip;
	sat_buf b = { 0 }, x = { 0 };
	taken t;

	(void)state;
	assert_ok(sat_file_read(&b, written(&tip, 2, 50), 1 << 20, &err));
	/* no part at all */
	assert_rc(SAT_EPROTO, tried(&t, sat_span_of(b.p, HEAD)));
	assert_non_null(strstr(err.text, "cut off in part 1"));
	/* a length nobody is to make room for, the limit itself is allowed */
	sat_buf_add(&x, b.p, HEAD + 20);
	sat_write_be32(&x, SAT_GIT_BUNDLE_MAX + 1);
	assert_rc(SAT_EPROTO, tried(&t, sat_buf_span(&x)));
	assert_non_null(strstr(err.text, "above the limit"));
	x.n -= 4;
	sat_write_be32(&x, SAT_GIT_BUNDLE_MAX);
	assert_rc(SAT_EPROTO, tried(&t, sat_buf_span(&x)));
	assert_non_null(strstr(err.text, "cut off in part 1"));
	/* the first part said to be the last one's */
	sat_buf_reset(&x);
	sat_buf_add(&x, b.p, b.n);
	memcpy(x.p + HEAD, tip.b, sizeof tip.b);
	assert_rc(SAT_EPROTO, tried(&t, sat_buf_span(&x)));
	assert_non_null(strstr(err.text, "lacks the revision"));
	assert_int_equal(0, t.parts);
	/* another end than the one it names first */
	memcpy(x.p, b.p, b.n);
	x.p[HEAD - 1] ^= 1;
	assert_rc(SAT_EPROTO, tried(&t, sat_buf_span(&x)));
	assert_non_null(strstr(err.text, "cut off in part 3"));
	assert_int_equal(0, t.last);
	sat_buf_fini(&b);
	sat_buf_fini(&x);
}

/* Each part is good by itself. */
static void
a_file_without_one_of_its_parts_is_told_by_looking(void **state)
{
	const char *path = sat_test_at("gap");
	sat_oid tip, named;
	sat_buf b = { 0 };
	size_t second;
	sat_reader r;

	(void)state;
	assert_ok(sat_file_read(&b, written(&tip, 3, 50), 1 << 20, &err));
	r = sat_reader_of(sat_span_of(b.p + HEAD + 20, 4));
	second = HEAD + PART_HEAD + sat_read_be32(&r);
	memmove(b.p + HEAD, b.p + second, b.n - second);
	sat_test_save(path, b.p, b.n - (second - HEAD));
	assert_rc(SAT_EINTEGRITY, sat_git_file_verify(&named, path, &err));
	assert_non_null(strstr(err.text, "missing"));
	sat_buf_fini(&b);
}

static void
what_is_no_such_file_is_told_from_another_format(void **state)
{
	const char *path = sat_test_at("absent");
	sat_oid tip;
	taken t;

	(void)state;
	assert_rc(SAT_EVERSION, tried(&t, sat_span_str(
	    "satchel template 1\nand what that was")));
	assert_string_equal("template.format", err.code);
	assert_true(err.hint[0] != '\0');
	assert_rc(SAT_EVERSION, tried(&t, sat_span_str(
	    "satchel template 20\nand more")));
	assert_rc(SAT_EPROTO, tried(&t, sat_span_str("a letter, not a file")));
	assert_non_null(strstr(err.text, "is no packed template"));
	assert_rc(SAT_EPROTO, tried(&t, sat_span_str("")));
	assert_rc(SAT_ENOTFOUND, sat_git_file_verify(&tip, path, &err));
	assert_ok(sat_folder_make(path, &err));
	assert_rc(SAT_EUSAGE, sat_git_file_verify(&tip, path, &err));
}

static void
a_file_is_there_whole_or_not_at_all(void **state) /* G3 */
{
	sat_oid tip, absent = { { 9 } };
	char *path = sat_xstrdup(written(&tip, 3, 50));
	char *tmp = sat_xasprintf("%s.tmp", path);
	sat_buf was = { 0 }, is = { 0 };
	sat_git *g = memory();
	struct stat st;

	(void)state;
	assert_ok(sat_file_read(&was, path, 1 << 20, &err));
	tip = commit_n(g, BRANCH, 1);
	assert_rc(SAT_ENOTFOUND, sat_git_file_write(path, 0600, g, &absent, 50,
	    &err));
	assert_false(sat_file_there(tmp));
	assert_ok(sat_file_read(&is, path, 1 << 20, &err));
	assert_true(sat_span_eq(sat_buf_span(&was), sat_buf_span(&is)));
	/* what one that was killed left is in nobody's way */
	assert_ok(sat_file_write(tmp, sat_span_str("half"), 0600, &err));
	assert_ok(sat_git_file_write(path, 0640, g, &tip, 50, &err));
	assert_false(sat_file_there(tmp));
	assert_int_equal(0, stat(path, &st));
	assert_int_equal(0640, st.st_mode & 07777);
	assert_rc(SAT_ENOTFOUND, sat_git_file_write(sat_test_at("no/where"),
	    0600, g, &tip, 50, &err));
	assert_ok(sat_folder_make(sat_test_at("folder"), &err));
	assert_rc(SAT_EUSAGE, sat_git_file_write(sat_test_at("folder"), 0600,
	    g, &tip, 50, &err));
	assert_false(sat_file_there(sat_test_at("folder.tmp")));
	assert_rc(SAT_ENOSPACE, sat_git_file_write("/dev/full", 0600, g, &tip,
	    50, &err));
	sat_git_close(g);
	sat_buf_fini(&was);
	sat_buf_fini(&is);
	free(path);
	free(tmp);
}

static void
a_pipe_is_written_to_as_it_is(void **state)
{
	sat_oid tip;
	char *path = sat_xstrdup(sat_test_at("pipe"));
	sat_git *g = memory();
	uint8_t got[8192];
	struct stat st;
	ssize_t n;
	taken t;
	int fd;

	(void)state;
	tip = commit_n(g, BRANCH, 1);
	assert_int_equal(0, mkfifo(path, 0600));
	fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_ok(sat_git_file_write(path, 0600, g, &tip, PART, &err));
	n = read(fd, got, sizeof got);
	assert_true(n > HEAD + PART_HEAD);
	assert_ok(tried(&t, sat_span_of(got, (size_t)n)));
	assert_int_equal(1, t.last);
	assert_int_equal(0, stat(path, &st));
	assert_true(S_ISFIFO(st.st_mode));
	(void)close(fd);
	sat_git_close(g);
	free(path);
}

/* Nobody makes one; but it must not fill a disk. */
static void
two_lines_that_meet_are_no_history_of_parts(void **state)
{
	sat_git *g = memory();
	sat_oid a, b, tip;
	sat_buf text = { 0 };
	sat_git_info info;
	char hex[3][SAT_GIT_OID_HEX + 1];
	sat_oid tree = { { 0 } };
	const char *path = sat_test_at("lines");

	(void)state;
	for (int k = 0; k < 3; k++) {
		a = commit_n(g, "refs/heads/a", k);
		b = commit_n(g, "refs/heads/b", k + 10);
	}
	info = info_of(g, &a);
	assert_int_equal(1, info.nparents);
	put(g, 2, sat_span_of(tree.b, 0), &tree); /* with nothing in it */
	sat_oid_hex(hex[0], &tree);
	sat_oid_hex(hex[1], &a);
	sat_oid_hex(hex[2], &b);
	sat_buf_fmt(&text, "tree %s\nparent %s\nparent %s\n"
	    "author t <t@x> 1800000000 +0000\n"
	    "committer t <t@x> 1800000000 +0000\n\nboth\n", hex[0], hex[1],
	    hex[2]);
	put(g, 1, sat_buf_span(&text), &tip);
	(void)alarm(20); /* it went on for ever */
	assert_rc(SAT_EINVALID, sat_git_file_write(path, 0600, g, &tip, 50,
	    &err));
	(void)alarm(0);
	assert_non_null(strstr(err.text, "not on one line"));
	assert_false(sat_file_there(path));
	sat_git_close(g);
	sat_buf_fini(&text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_history_goes_through_a_file_part_by_part),
		cmocka_unit_test(
		    a_commit_above_the_size_of_a_part_is_one_by_itself),
		cmocka_unit_test(a_part_that_is_not_taken_ends_the_reading),
		cmocka_unit_test(a_file_that_is_not_whole_is_refused),
		cmocka_unit_test(a_part_has_a_limit_and_holds_what_it_names),
		cmocka_unit_test(
		    a_file_without_one_of_its_parts_is_told_by_looking),
		cmocka_unit_test(
		    what_is_no_such_file_is_told_from_another_format),
		cmocka_unit_test(a_file_is_there_whole_or_not_at_all),
		cmocka_unit_test(a_pipe_is_written_to_as_it_is),
		cmocka_unit_test(two_lines_that_meet_are_no_history_of_parts),
	};

	return cmocka_run_group_tests(tests, setup, sat_test_dir_teardown);
}
