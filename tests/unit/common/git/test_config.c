#include "tests/lib/unit.h"

#include "common/git/config.h"

#include "common/crypto/crypto.h"

#include <sys/stat.h>

static void
put_text(const char *path, const char *text)
{
	sat_test_save(path, text, strlen(text));
}

static void
into_text(void *u, const char *key, const char *value)
{
	sat_buf_fmt(u, "%s=%s;", key, value);
}

static void
assert_holds(const char *path, const char *want)
{
	sat_buf b = { 0 };
	sat_err err;

	assert_ok(sat_config_each(path, into_text, &b, &err));
	assert_string_equal(want, sat_buf_cstr(&b));
	sat_buf_fini(&b);
}

static void
a_file_that_is_not_there_has_no_settings_and_is_made_by_the_first(void **state)
{
	sat_err err;

	(void)state;
	assert_holds(sat_test_at("new"), "");
	assert_rc(SAT_ENOTFOUND, sat_config_put(sat_test_at("new"), "core.lang",
	    NULL,
	    &err));
	assert_ok(sat_config_put(sat_test_at("new"), "core.lang", "zh", &err));
	assert_ok(sat_config_put(sat_test_at("new"), "sync.server",
	    "tcp://a b:1", &err));
	assert_holds(sat_test_at("new"),
	    "core.lang=zh;sync.server=tcp://a b:1;");
	assert_ok(sat_config_put(sat_test_at("new"), "core.lang", NULL, &err));
	assert_holds(sat_test_at("new"), "sync.server=tcp://a b:1;");
}

static void
what_a_person_wrote_keeps_its_comments_and_order(void **state)
{
	char text[200] = "";
	sat_err err;
	FILE *f;

	(void)state;
	put_text(sat_test_at("hand"),
	    "; mine\n[b]\n\tx = 1\n[a]\n\tflag\n\ty = \"a;b\"\n");
	assert_holds(sat_test_at("hand"), "b.x=1;a.flag=true;a.y=a;b;");
	assert_ok(sat_config_put(sat_test_at("hand"), "b.x", "2", &err));
	assert_holds(sat_test_at("hand"), "b.x=2;a.flag=true;a.y=a;b;");
	f = fopen(sat_test_at("hand"), "r");
	assert_non_null(f);
	assert_true(fread(text, 1, sizeof text - 1, f) > 0);
	(void)fclose(f);
	assert_non_null(strstr(text, "; mine\n[b]\n"));
}

static void
what_is_malformed_is_refused_and_left_alone(void **state)
{
	struct stat before, after;
	sat_buf b = { 0 };
	sat_err err;

	(void)state;
	put_text(sat_test_at("bad"), "[core\nlang = zh\n");
	assert_int_equal(0, stat(sat_test_at("bad"), &before));
	assert_rc(SAT_EINVALID, sat_config_each(sat_test_at("bad"), into_text,
	    &b, &err));
	assert_non_null(strstr(err.text, "bad"));
	assert_rc(SAT_EINVALID, sat_config_put(sat_test_at("bad"), "a.b", "c",
	    &err));
	assert_int_equal(0, stat(sat_test_at("bad"), &after));
	assert_int_equal(before.st_size, after.st_size);
	assert_rc(SAT_EUSAGE, sat_config_put(sat_test_at("ok"), "nosection",
	    "c", &err));
	assert_rc(SAT_EUSAGE, sat_config_put(sat_test_at("ok"), "a.b c", "c",
	    &err));
	assert_rc(SAT_EINVALID, sat_config_each(sat_test_here, into_text, &b,
	    &err));
	sat_buf_fini(&b);
}

static void
a_file_above_the_limit_is_refused(void **state)
{
	char *big = malloc(SAT_CONFIG_BYTES_MAX + 2);
	sat_buf b = { 0 };
	sat_err err;

	(void)state;
	assert_non_null(big);
	memset(big, '#', SAT_CONFIG_BYTES_MAX + 1);
	big[SAT_CONFIG_BYTES_MAX + 1] = '\0';
	put_text(sat_test_at("big"), big);
	assert_rc(SAT_EINVALID, sat_config_each(sat_test_at("big"), into_text,
	    &b, &err));
	big[SAT_CONFIG_BYTES_MAX] = '\0'; /* the limit itself is allowed */
	put_text(sat_test_at("big"), big);
	assert_ok(sat_config_each(sat_test_at("big"), into_text, &b, &err));
	free(big);
	sat_buf_fini(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_file_that_is_not_there_has_no_settings_and_is_made_by_the_first),
		cmocka_unit_test(what_a_person_wrote_keeps_its_comments_and_order),
		cmocka_unit_test(what_is_malformed_is_refused_and_left_alone),
		cmocka_unit_test(a_file_above_the_limit_is_refused),
	};

	sat_crypto_init();
	return cmocka_run_group_tests(tests, sat_test_dir_setup,
	    sat_test_dir_teardown);
}
