/* The gate before what is switched off, retired or slow. */
#include "tests/lib/unit.h"

#include "common/template/gate.h"
#include "common/template/template.h"
#include "tests/unit/common/template/base.h"
#include "tests/unit/common/template/judged.h"

static sat_template *
small_template(const char *fields, const char *patterns)
{
	static char rules[400], kind[2000];
	const sat_template_file files[] = {
		{ "template.json", sat_span_str("{\"id\":\"t\",\"name\":{\"zh\":"
		    "\"a\",\"en\":\"a\"},\"version\":\"1.0.0\",\"schema\":1,"
		    "\"tz\":\"UTC\",\"currency\":\"CNY\",\"modules\":{\"m\":"
		    "false}}") },
		{ "acl/matrix.json", sat_span_str("{\"roles\":[{\"key\":\"rep\","
		    "\"label\":{\"zh\":\"a\",\"en\":\"a\"}}],\"grants\":{\"rep\":"
		    "{\"*.edit\":\"all\",\"*.create\":\"all\"}}}") },
		{ "dict/d.json", sat_span_str("{\"name\":\"d\",\"options\":["
		    "{\"key\":\"old\",\"label\":{\"zh\":\"旧\",\"en\":\"old\"},"
		    "\"retired\":true},{\"key\":\"new\",\"label\":{\"zh\":\"新\","
		    "\"en\":\"new\"}}]}") },
		{ "rules/validation.json", sat_span_str(rules) },
		{ "fields/thing.json", sat_span_str(kind) },
	};
	sat_template *t = NULL;
	sat_template_file copy[5];
	sat_err err;

	(void)snprintf(rules, sizeof rules, "{\"patterns\":[%s]}", patterns);
	(void)snprintf(kind, sizeof kind, "{\"kind\":{\"id\":1,\"key\":\"thing\","
	    "\"plural\":\"things\",\"label\":{\"zh\":\"a\",\"en\":\"a\"},\"scope\":"
	    "\"root\",\"module\":\"m\",\"owner\":\"owner\",\"title\":\"x\"},\"fields\":[{\"id\":1,"
	    "\"key\":\"owner\",\"label\":{\"zh\":\"a\",\"en\":\"a\"},\"type\":"
	    "\"user\",\"policy\":\"owner\"},%s]}", fields);
	memcpy(copy, files, sizeof copy);
	copy[3].bytes = sat_span_str(rules);
	copy[4].bytes = sat_span_str(kind);
	assert_ok(sat_template_load(&t, copy, 5, &err));
	return t;
}

#define FIELD(id, key, more) "{\"id\":" id ",\"key\":\"" key \
	"\",\"label\":{\"zh\":\"a\",\"en\":\"a\"}," more "}"

static void
judge_in(sat_template *t, const char *key, sat_value was, const char *is,
    bool from_sync, const char *code)
{
	sat_template *kept = tmpl;
	record r;
	sat_rc rc;

	tmpl = t;
	begin(&r, "thing", false);
	if (was.type != SAT_V_NULL)
		has(&r, key, was);
	r.in.from_sync = from_sync;
	change(&r, SAT_VERB_SET, key, txt(is));
	rc = judge(&r);
	tmpl = kept;
	assert_rc(code != NULL ? SAT_EINVALID : SAT_OK, rc);
	if (code != NULL)
		assert_string_equal(code, r.err.code);
}

static void
a_module_that_is_off_takes_nothing_new_and_keeps_what_it_has(void **state)
{ /* */
	sat_template *t = small_template(FIELD("2", "x", "\"type\":\"text\""),
	    ""), *kept = tmpl;
	record r;

	(void)state;
	judge_in(t, "x", txt("was"), "is", false, NULL); /* it is there already */
	tmpl = t;
	begin(&r, "thing", true);
	change(&r, SAT_VERB_SET, "x", txt("is"));
	assert_rc(SAT_EINVALID, judge(&r));
	assert_string_equal("module.off", r.err.code);
	begin(&r, "thing", true);
	r.in.from_sync = true; /* written while it was on */
	change(&r, SAT_VERB_SET, "x", txt("is"));
	assert_int_equal(SAT_OK, judge(&r));
	tmpl = kept;
	sat_template_free(t);
}

static void
retired_fields_and_options_take_nothing_new(void **state)
{
	sat_template *t = small_template(
	    FIELD("2", "x", "\"type\":\"enum\",\"options\":\"d\"") ","
	    FIELD("3", "y", "\"type\":\"text\",\"retired\":true") ","
	    FIELD("4", "z", "\"type\":\"text\",\"policy\":\"derived\""), "");

	(void)state;
	judge_in(t, "x", sat_v_null(), "new", false, NULL);
	judge_in(t, "x", sat_v_null(), "old", false, "validation.retired");
	judge_in(t, "x", txt("old"), "old", false, NULL);
	judge_in(t, "x", sat_v_null(), "old", true, NULL);
	judge_in(t, "y", sat_v_null(), "a", false, "validation.retired");
	judge_in(t, "y", sat_v_null(), "a", true, NULL);
	judge_in(t, "z", sat_v_null(), "a", false, "validation.policy");
	sat_template_free(t);
}

static void
a_pattern_that_takes_too_many_steps_does_not_match(void **state)
{
	/* The first branch tries every way to cut the a's before the second
	 * one matches: some hundred thousand steps. */
	sat_template *t = small_template(
	    FIELD("2", "x", "\"type\":\"text\",\"validate\":\"slow\""),
	    "{\"key\":\"slow\",\"regex\":\"^(?:(?:a|aa)+b|a+c)$\"}");

	(void)state;
	judge_in(t, "x", sat_v_null(), "aaaac", false, NULL);
	judge_in(t, "x", sat_v_null(), "aaaaaaaaaaaaaaaaaaaaaaaaac", false,
	    "validation.pattern");
	sat_template_free(t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_module_that_is_off_takes_nothing_new_and_keeps_what_it_has),
		cmocka_unit_test(retired_fields_and_options_take_nothing_new),
		cmocka_unit_test(a_pattern_that_takes_too_many_steps_does_not_match),
	};

	return cmocka_run_group_tests(tests, load_base, free_base);
}
