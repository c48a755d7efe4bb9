#include "tests/lib/unit.h"

#include "common/base/file.h"
#include "common/base/mem.h"

#include <errno.h>
#include <sys/stat.h>
#include <fcntl.h>
#include <unistd.h>

static char *folder, *path, *tmp;

static int
make(void **state)
{
	sat_err err;

	(void)state;
	assert_ok(sat_folder_temp(&folder, "satchel-unit", &err));
	path = sat_xasprintf("%s/a", folder);
	tmp = sat_xasprintf("%s/a.tmp", folder);
	return 0;
}

static int
clean(void **state)
{
	(void)state;
	sat_file_remove(path);
	sat_file_remove(tmp);
	sat_folder_remove(folder);
	assert_false(sat_file_there(folder));
	free(path);
	free(tmp);
	free(folder);
	return 0;
}

static void
a_written_file_reads_back_and_leaves_nothing_beside_it(void **state)
{
	sat_file_facts facts;
	sat_buf b = { 0 };
	sat_err err;

	(void)state;
	assert_ok(sat_file_write(path, sat_span_str("first, longer"), 0600,
	    &err));
	assert_ok(sat_file_write(path, sat_span_str("second"), 0600, &err));
	sat_buf_str(&b, "> ");
	assert_ok(sat_file_read(&b, path, 1000, &err));
	assert_string_equal("> second", sat_buf_cstr(&b));
	assert_false(sat_file_there(tmp));
	assert_ok(sat_file_look(&facts, path, &err));
	assert_int_equal(0600, facts.mode);
	assert_true(facts.mine);
	sat_buf_fini(&b);
}

/* 180,000 bytes, no two pieces of them alike. */
static void
write_big(sat_buf *big)
{
	sat_err err;

	for (int i = 0; i < 20000; i++)
		sat_buf_fmt(big, "%08d,", i);
	assert_ok(sat_file_write(path, sat_buf_span(big), 0600, &err));
}

static void
no_more_is_read_than_asked_for(void **state)
{
	sat_buf b = { 0 }, big = { 0 };
	sat_err err;

	(void)state;
	write_big(&big);
	assert_ok(sat_file_read(&b, path, 70000, &err));
	assert_int_equal(70000, b.n);
	assert_memory_equal(big.p, b.p, b.n);
	sat_buf_reset(&b);
	assert_ok(sat_file_read(&b, path, SIZE_MAX, &err));
	assert_true(sat_span_eq(sat_buf_span(&big), sat_buf_span(&b)));
	sat_buf_fini(&b);
	sat_buf_fini(&big);
}

static void
piece_added(void *u, sat_span s)
{
	sat_buf_add(u, s.p, s.n);
}

static void
a_file_comes_in_pieces_in_its_order(void **state)
{
	sat_buf b = { 0 }, big = { 0 };
	sat_err err;

	(void)state;
	write_big(&big);
	assert_ok(sat_file_each(path, piece_added, &b, &err));
	assert_true(sat_span_eq(sat_buf_span(&big), sat_buf_span(&b)));
	sat_buf_fini(&b);
	sat_buf_fini(&big);
}

static void
what_cannot_be_opened_is_told_with_its_reason(void **state)
{
	char *deep = sat_xasprintf("%s/none/a", folder);
	sat_file_out *out;
	sat_buf b = { 0 };
	sat_err err;

	(void)state;
	assert_int_equal(SAT_ENOTFOUND, sat_file_read(&b, path, 10, &err));
	assert_int_equal(ENOENT, errno);
	assert_int_equal(0, b.n);
	assert_non_null(strstr(err.text, "cannot read"));
	assert_int_equal(SAT_ENOTFOUND,
	    sat_file_each(path, piece_added, &b, &err));
	assert_rc(SAT_EUSAGE, sat_file_read(&b, folder, 10, &err));
	assert_rc(SAT_ENOTFOUND, sat_file_write(deep, sat_span_str("x"), 0600,
	    &err));
	assert_rc(SAT_EUSAGE, sat_file_write(folder, sat_span_str("x"), 0600,
	    &err));
	assert_rc(SAT_ENOTFOUND, sat_file_out_open(&out, deep, 0600, 0, &err));
	assert_rc(SAT_EUSAGE, sat_file_out_open(&out, NULL, 0600, -1, &err));
	assert_string_equal("usage.output", err.code);
	assert_rc(SAT_ENOTFOUND, sat_folder_make(deep, &err));
	assert_rc(SAT_ECONFLICT, sat_folder_make(folder, &err));
	sat_buf_fini(&b);
	free(deep);
}

static void
lines_stand_under_their_name_only_when_kept(void **state)
{
	sat_file_out *o;
	sat_buf b = { 0 };
	sat_err err;

	(void)state;
	assert_ok(sat_file_out_open(&o, path, 0600, 0, &err));
	sat_file_out_line(o, sat_span_str("one"));
	assert_false(sat_file_there(path));
	assert_ok(sat_file_out_close(o, false, &err));
	assert_false(sat_file_there(path));
	assert_false(sat_file_there(tmp));

	assert_ok(sat_file_out_open(&o, path, 0600, 0, &err));
	sat_file_out_line(o, sat_span_str("one"));
	sat_file_out_line(o, sat_span_str("two"));
	assert_ok(sat_file_out_close(o, true, &err));
	assert_ok(sat_file_read(&b, path, 100, &err));
	assert_string_equal("one\ntwo\n", sat_buf_cstr(&b));
	assert_false(sat_file_there(tmp));
	sat_buf_fini(&b);
}

static void
a_full_disk_is_told_and_no_half_file_stays(void **state)
{
	sat_file_out *o;
	sat_err err;

	(void)state;
	if (symlink("/dev/full", tmp) != 0)
		skip();
	assert_ok(sat_file_out_open(&o, "/dev/full", 0600, 0, &err));
	sat_file_out_line(o, sat_span_str("one"));
	assert_int_equal(SAT_ENOSPACE, sat_file_out_close(o, true, &err));
	assert_int_equal(SAT_ENOSPACE, sat_file_write(path, sat_span_str("x"),
	    0600, &err));
	assert_false(sat_file_there(path));
	assert_false(sat_file_there(tmp));
}

/* "-o /dev/null" must not take its place, nor a pipe wait for a name. */
static void
a_pipe_or_a_device_is_written_as_it_is(void **state)
{
	sat_file_out *o;
	sat_err err;
	char got[8];
	int fd;

	(void)state;
	assert_int_equal(0, mkfifo(path, 0600));
	assert_true(sat_file_is_stream(path));
	assert_false(sat_file_is_stream(folder));
	assert_true((fd = open(path, O_RDWR)) >= 0);
	assert_ok(sat_file_out_open(&o, path, 0600, 0, &err));
	sat_file_out_line(o, sat_span_str("one"));
	assert_ok(sat_file_out_close(o, true, &err));
	assert_ok(sat_file_write(path, sat_span_str("two\n"), 0600, &err));
	assert_int_equal(8, read(fd, got, sizeof got));
	assert_memory_equal("one\ntwo\n", got, 8);
	assert_true(sat_file_is_stream(path));
	(void)close(fd);
	sat_file_remove(path);
}

static void
no_link_is_followed_that_waits_under_the_name(void **state)
{
	char *other = sat_xasprintf("%s.other", path);
	sat_file_out *o;
	struct stat st;
	sat_err err;

	(void)state;
	assert_int_equal(0, symlink(other, tmp));
	assert_ok(sat_file_out_open(&o, path, 0600, 0, &err));
	sat_file_out_line(o, sat_span_str("one"));
	assert_ok(sat_file_out_close(o, true, &err));
	assert_int_equal(0, lstat(path, &st));
	assert_true(S_ISREG(st.st_mode));
	assert_false(sat_file_there(other));
	sat_file_remove(path);
	free(other);
}

static void
a_folder_is_counted_listed_and_taken_away_with_what_links_point_at_left(
    void **state)
{
	char *inner = sat_xasprintf("%s.d/b/c", path);
	char *outside = sat_xasprintf("%s.kept", path), *top;
	sat_buf names = { 0 };
	sat_err err;

	(void)state;
	top = sat_xasprintf("%s.d", path);
	assert_ok(sat_folder_names(&names, top, &err)); /* it is not there */
	assert_int_equal(0, names.n);
	assert_int_equal(0, sat_folder_bytes(top));
	assert_ok(sat_folder_clear(top, &err));
	assert_ok(sat_file_write(outside, sat_span_str("stays"), 0600, &err));
	assert_ok(sat_folder_make(top, &err));
	inner[strlen(inner) - 2] = '\0';
	assert_ok(sat_folder_make(inner, &err));
	inner[strlen(inner)] = '/';
	assert_ok(sat_file_write(inner, sat_span_str("12345"), 0600, &err));
	free(inner);
	inner = sat_xasprintf("%s/a", top);
	assert_int_equal(0, symlink(outside, inner));
	assert_int_equal(5, sat_folder_bytes(top));
	assert_ok(sat_folder_names(&names, top, &err));
	assert_int_equal(4, names.n);
	assert_memory_equal("a\0b\0", names.p, 4);
	assert_ok(sat_folder_clear(top, &err));
	assert_false(sat_file_there(top));
	assert_true(sat_file_there(outside));
	sat_file_remove(outside);
	sat_buf_fini(&names);
	free(inner);
	free(outside);
	free(top);
}

/* 180,000 bytes are more than one piece. */
static void
a_copy_is_whole_private_and_never_over_what_is_there(void **state)
{
	sat_file_facts facts;
	sat_buf big = { 0 }, got = { 0 };
	char *to = sat_xasprintf("%s/b", folder);
	sat_err err;

	(void)state;
	write_big(&big);
	assert_rc(SAT_ENOTFOUND, sat_file_copy(tmp, to, &err));
	assert_false(sat_file_there(to));
	assert_ok(sat_file_copy(path, to, &err));
	assert_ok(sat_file_read(&got, to, 1000000, &err));
	assert_int_equal(big.n, got.n);
	assert_memory_equal(big.p, got.p, big.n);
	assert_ok(sat_file_look(&facts, to, &err));
	assert_int_equal(0600, facts.mode);
	assert_ok(sat_file_write(path, sat_span_str("other"), 0600, &err));
	assert_rc(SAT_ECONFLICT, sat_file_copy(path, to, &err));
	assert_ok(sat_file_look(&facts, to, &err));
	assert_int_equal(big.n, facts.bytes);
	assert_ok(sat_folder_sync_of(to, &err));
	sat_file_remove(to);
	assert_rc(SAT_ENOTFOUND, sat_file_copy(path, "/proc/none/b", &err));
	sat_buf_fini(&big);
	sat_buf_fini(&got);
	free(to);
}

#define T(name) cmocka_unit_test_setup_teardown(name, make, clean)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_written_file_reads_back_and_leaves_nothing_beside_it),
		T(no_more_is_read_than_asked_for),
		T(a_file_comes_in_pieces_in_its_order),
		T(what_cannot_be_opened_is_told_with_its_reason),
		T(lines_stand_under_their_name_only_when_kept),
		T(a_full_disk_is_told_and_no_half_file_stays),
		T(a_pipe_or_a_device_is_written_as_it_is),
		T(no_link_is_followed_that_waits_under_the_name),
		T(a_copy_is_whole_private_and_never_over_what_is_there),
		T(a_folder_is_counted_listed_and_taken_away_with_what_links_point_at_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
