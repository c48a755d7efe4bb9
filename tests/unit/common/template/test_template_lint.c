/* Templates that load but are unwise, or do not follow their forerunner. */
#include "tests/lib/unit.h"

#include "common/template/template.h"
#include "tests/unit/common/template/base.h"

static void
lint_refuses_what_loads_but_is_unwise(void **state)
{
	static const bad_edit rows[] = {
		{ "fields/account.json", "\"key\": \"sector\",",
		    "\"key\": \"sector\", \"required_at\": [\"create\"], "
		    "\"purpose\": \"x\",", "more than 6" },
		{ "fields/account.json", "\"purpose\": \"match the offer to the "
		    "need\"", "\"note\": \"\"", "purpose" },
		{ "fields/contact.json", "\"sensitivity\": \"pii\"",
		    "\"sensitivity\": \"sensitive\"", "consent" },
		{ "fields/account.json", "\"default\": \"potential\"",
		    "\"default\": \"unknown\"", "default" },
		{ "acl/matrix.json", "\"export\": \"all\"",
		    "\"export\": \"all\", \"audit.clear\": \"own\"", "clear" },
		{ "dict/stage.json", "\"aliases\": [\"售后\"]",
		    "\"aliases\": [\"成交\"]", "alias" },
		{ "policy/grading.json", "\"method\": \"threshold\"",
		    "\"method\": \"ABC\"", "not 'ABC'" },
		{ "policy/privacy.json", "\"kind\": \"lead\"",
		    "\"kind\": \"leed\"", "no kind 'leed'" },
		{ "policy/privacy.json", "\"from\": \"churned_at\"",
		    "\"from\": \"name\"", "no time of account" },
		{ "policy/privacy.json", "\"retention_d\": 730",
		    "\"retention_d\": \"730\"", "customer_lost" },
		{ "policy/privacy.json", "\"where\": \"state=invalid\"",
		    "\"wehre\": \"state=invalid\"", "lead_invalid: unknown "
		    "member 'wehre'" },
		{ "policy/privacy.json", "\"where\": \"state=invalid\"",
		    "\"where\": [{\"field\": \"state\"}]",
		    "lead_invalid: 'where' must be a text" },
		{ "policy/privacy.json", "\"retention\": [", "\"retension\": [",
		    "unknown member 'retension'" },
		{ "policy/privacy.json", "\"roles\": [\"marketing\"]",
		    "\"roles\": [\"market\"]", "no role 'market'" },
		{ "policy/privacy.json", "\"purposes\": [\"marketing\"]",
		    "\"purposes\": [\"market\"]", "no purpose 'market'" },
		{ "policy/privacy.json", "\"roles\": [\"marketing\"]",
		    "\"roles\": \"marketing\"", "'roles' must be an array" },
		{ "policy/privacy.json", "\"roles\": [\"marketing\"]",
		    "\"roles\": []", "'roles' must name one" },
		{ "policy/privacy.json", "\"purposes\": [",
		    "\"purpose\": [", "unknown member 'purpose'" },
		{ "policy/privacy.json", ", \"purposes\": [\"marketing\"]", "",
		    "'purposes' must name one" },
		{ "policy/privacy.json", "\"answer_d\": 30",
		    "\"answer_d\": \"30\"", "answer_d" },
		{ "policy/conflict.json", "\"days\": 3", "\"dyas\": 9",
		    "policy/conflict.json: unknown member 'dyas'" },
		{ "policy/conflict.json", "\"days\": 3", "\"days\": \"9\"",
		    "'days' must be an integer from 0 to 365" },
		{ "policy/handover.json", "\"grace_h\": 72", "\"grace\": 72",
		    "unknown member 'grace'" },
		{ "dict/stage.json", "\"terminal\": true, \"aliases\": [\"售后\"]",
		    "\"aliases\": [\"售后\"]", "open stage" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		sat_template *t;
		sat_err err;

		assert_ok(load_edited(&t, rows[i].path, rows[i].was, rows[i].is,
		    &err));
		assert_rc(SAT_EINVALID, sat_template_lint(t, NULL, NULL, &err));
		if (strstr(err.text, rows[i].says) == NULL)
			fail_msg("'%s' should say '%s'", err.text, rows[i].says);
		sat_template_free(t);
	}
}

static void
grades_by_abc_need_the_grades_of_a_b_and_c(void **state)
{
	sat_template *t;
	sat_err err;

	(void)state;
	assert_ok(load_with(&t, "policy/grading.json", "{\"method\":\"abc\","
	    "\"basis\":{\"kind\":\"order\",\"sum\":\"amount\","
	    "\"time\":\"ordered_at\"}}", &err));
	assert_rc(SAT_EINVALID, sat_template_lint(t, NULL, NULL, &err));
	assert_non_null(strstr(err.text, "no 'abc'"));
	sat_template_free(t);
}

static void
a_waiver_allows_a_seventh_required_field(void **state)
{
	sat_template_file files[FILES_MAX];
	const sat_template_file *base;
	sat_template *t;
	sat_err err;
	unsigned n[2] = { 0, 0 };
	size_t count;
	char *head, *fields;

	(void)state;
	base = sat_template_base(&count);
	head = edited(base_text("template.json"), "\"schema\": 1",
	    "\"schema\": 1, \"waivers\": [{\"rule\": \"required-max\", "
	    "\"reason\": \"law\"}]");
	fields = edited(base_text("fields/account.json"), "\"key\": \"sector\",",
	    "\"key\": \"sector\", \"required_at\": [\"create\"], \"purpose\": "
	    "\"x\",");
	for (size_t i = 0; i < count; i++) {
		files[i] = base[i];
		if (strcmp(base[i].path, "template.json") == 0)
			files[i].bytes = sat_span_str(head);
		if (strcmp(base[i].path, "fields/account.json") == 0)
			files[i].bytes = sat_span_str(fields);
	}
	assert_ok(sat_template_load(&t, files, count, &err));
	assert_ok(sat_template_lint(t, count_finding, n, &err));
	assert_int_equal(1, n[1]);
	sat_template_free(t);
	free(head);
	free(fields);
}

static void
a_successor_may_add_but_not_change_or_remove(void **state)
{
	static const struct {
		const char *path, *was, *is;
		sat_rc rc;
		const char *says;
	} rows[] = {
		{ "fields/account.json", "\"fields\": [",
		    "\"fields\": [{\"id\": 500, \"key\": \"extra\", \"label\": "
		    "{\"zh\": \"a\", \"en\": \"b\"}, \"type\": \"text\"},",
		    SAT_OK, "" },
		{ "dict/need_type.json", "\"options\": [",
		    "\"options\": [{\"key\": \"x\", \"label\": {\"zh\": \"a\", "
		    "\"en\": \"b\"}},", SAT_OK, "" },
		{ "fields/account.json", "\"zh\": \"备注\"", "\"zh\": \"说明\"",
		    SAT_OK, "" },
		{ "fields/account.json", "\"min_len\": 2, ", "", SAT_OK, "" },
		{ "fields/account.json", "\"key\": \"remark\", \"label\"",
		    "\"key\": \"remark\", \"retired\": true, \"label\"", SAT_OK,
		    "" },
		{ "fields/account.json", "\"key\": \"remark\", \"label\"",
		    "\"key\": \"remark2\", \"label\"", SAT_EINVALID, "remark" },
		{ "fields/account.json", "\"id\": 22,", "\"id\": 222,",
		    SAT_EINVALID, "remark" },
		{ "fields/account.json", "\"type\": \"email\"",
		    "\"type\": \"text\"", SAT_EINVALID, "type" },
		{ "fields/account.json", "\"type\": \"int\", \"policy\": "
		    "\"counter\"", "\"type\": \"int\"", SAT_EINVALID, "policy" },
		{ "fields/opportunity.json", "\"type\": \"money\", \"policy\": "
		    "\"review\"", "\"type\": \"money\", \"policy\": \"lww\"",
		    SAT_EINVALID, "policy" },
		{ "fields/account.json", "\"norm\": \"phone\"",
		    "\"norm\": \"plain\"", SAT_EINVALID, "policy" },
		{ "dict/need_type.json", "\"key\": \"service\"",
		    "\"key\": \"services\"", SAT_EINVALID, "service" },
		{ "template.json", "\"id\": \"base\"", "\"id\": \"other\"",
		    SAT_EINVALID, "id" },
		{ "fields/activity.json", "\"append_only\": true, ", "",
		    SAT_EINVALID, "activity" },
	};
	sat_template *prev;
	sat_err err;

	(void)state;
	assert_ok(load_with(&prev, NULL, NULL, &err));
	assert_ok(sat_template_follows(prev, prev, &err));
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		sat_template *next;
		sat_rc rc;

		assert_ok(load_edited(&next, rows[i].path, rows[i].was,
		    rows[i].is, &err));
		memset(&err, 0, sizeof err);
		rc = sat_template_follows(next, prev, &err);
		if (rc != rows[i].rc || strstr(err.text, rows[i].says) == NULL)
			fail_msg("%zu: rc %d '%s'", i, (int)rc, err.text);
		sat_template_free(next);
	}
	sat_template_free(prev);
}

/* ---- what a successor leaves in somebody's hands ---- */

typedef struct holding {
	uint64_t in_pool, records;
	const char *who;
} holding;

static sat_rc
in_pool(uint64_t *n, void *u, const char *pool, sat_err *e)
{
	(void)e;
	assert_string_equal("public", pool);
	*n = ((const holding *)u)->in_pool;
	return SAT_OK;
}

static sat_rc
of_role(char *who, size_t room, void *u, const char *role, sat_err *e)
{
	(void)e;
	assert_string_equal("auditor", role);
	(void)snprintf(who, room, "%s", ((const holding *)u)->who);
	return SAT_OK;
}

static sat_rc
records(uint64_t *n, void *u, sat_err *e)
{
	(void)e;
	*n = ((const holding *)u)->records;
	return SAT_OK;
}

static sat_rc
kept(const char *path, const char *was, const char *is, holding h,
    sat_err *e)
{
	sat_template_held held = { &h, in_pool, of_role, records };
	sat_template *prev, *next;
	sat_err err;
	sat_rc rc;

	assert_ok(load_with(&prev, NULL, NULL, &err));
	assert_ok(load_edited(&next, path, was, is, &err));
	assert_ok(sat_template_follows(next, prev, &err));
	memset(e, 0, sizeof *e);
	rc = sat_template_keeps(next, prev, &held, e);
	sat_template_free(prev);
	sat_template_free(next);
	return rc;
}

static void
refused(sat_rc rc, const sat_err *e, const char *file, const char *key,
    const char *why, const char *way)
{
	assert_int_equal(SAT_EINVALID, rc);
	if (strstr(e->text, file) == NULL || strstr(e->text, key) == NULL ||
	    strstr(e->text, why) == NULL || strstr(e->hint, way) == NULL)
		fail_msg("'%s' (%s)", e->text, e->hint);
}

static void
a_pool_goes_when_nobody_is_in_it(void **state)
{
	static const char was[] = "\"key\": \"public\"";
	static const char is[] = "\"key\": \"gonghai\"";
	sat_err err;
	sat_rc rc = kept("policy/pool.json", was, is,
	    (holding){ 1200, 0, "" }, &err);

	(void)state;
	refused(rc, &err, "policy/pool.json", "public", "1200", "label");
	assert_ok(kept("policy/pool.json", was, is, (holding){ 0, 9, "li" },
	    &err));
}

static void
a_role_goes_when_nobody_has_it(void **state)
{
	static const char was[] = "\"auditor\": {", is[] = "\"boss\": {";
	static const char path[] = "acl/matrix.json";
	sat_template *prev, *next;
	sat_template_held held = { NULL, in_pool, of_role, records };
	holding h = { 0, 0, "li, wu" };
	char *one = edited(base_text(path), "\"key\": \"auditor\"",
	    "\"key\": \"boss\"");
	char *two = edited(one, "\"auditor\": [", "\"boss\": [");
	char *three = edited(two, was, is);
	sat_err err;

	(void)state;
	held.u = &h;
	assert_ok(load_with(&prev, NULL, NULL, &err));
	assert_ok(load_with(&next, path, three, &err));
	assert_ok(sat_template_follows(next, prev, &err));
	refused(sat_template_keeps(next, prev, &held, &err), &err, path, "auditor",
	    "li, wu", "satcheld user edit");
	h.who = "";
	assert_ok(sat_template_keeps(next, prev, &held, &err));
	sat_template_free(prev);
	sat_template_free(next);
	free(one);
	free(two);
	free(three);
}

static void
the_time_zone_changes_before_there_are_dates_or_with_a_word(void **state)
{
	static const char path[] = "template.json", was[] = "\"tz_min\": 480";
	static const char moved[] = "\"tz_min\": 420";
	static const char why[] = "\"tz_min\": 420, \"waivers\": [{\"rule\": "
	    "\"tz-min\", \"reason\": \"we moved\"}]";
	static const char back[] = "\"tz_min\": 480, \"waivers\": [{\"rule\": "
	    "\"tz-min\", \"reason\": \"we moved\"}]";
	holding h = { 0, 7, "" };
	sat_template_held held = { &h, in_pool, of_role, records };
	sat_template *prev, *next;
	sat_err err;

	(void)state;
	refused(kept(path, was, moved, h, &err), &err, path, "tz_min", "420",
	    "waivers");
	assert_ok(kept(path, was, moved, (holding){ 0, 0, "" }, &err));
	assert_ok(kept(path, was, why, h, &err));
	/* what was taken on once stands there still, and is no word for more */
	assert_ok(load_edited(&prev, path, was, why, &err));
	assert_ok(load_edited(&next, path, was, back, &err));
	refused(sat_template_keeps(next, prev, &held, &err), &err, path, "tz_min",
	    "480", "reason of its own");
	sat_template_free(prev);
	sat_template_free(next);
}

static void
a_fields_other_dictionary_has_what_the_former_had(void **state)
{
	static const char path[] = "fields/account.json";
	static const char was[] = "\"options\": \"source\"";
	static const char is[] = "\"options\": \"visit_channel\"";
	sat_template_file files[FILES_MAX];
	sat_template *prev, *next;
	char *fields = edited(base_text(path), was, is);
	char *other = edited(base_text("dict/source.json"),
	    "\"name\": \"source\"", "\"name\": \"channels\"");
	char *to_other = edited(base_text(path), was,
	    "\"options\": \"channels\"");
	size_t n;
	sat_err err;

	(void)state;
	assert_ok(load_with(&prev, NULL, NULL, &err));
	assert_ok(load_with(&next, path, fields, &err));
	refused(sat_template_keeps(next, prev, NULL, &err), &err, path,
	    "account.source", "dict/visit_channel.json", "retire the field");
	sat_template_free(next);
	n = base_with(files, "dict/channels.json", other);
	for (size_t i = 0; i < n; i++)
		if (strcmp(files[i].path, path) == 0)
			files[i].bytes = sat_span_str(to_other);
	assert_ok(sat_template_load(&next, files, n, &err));
	assert_ok(sat_template_keeps(next, prev, NULL, &err));
	sat_template_free(next);
	sat_template_free(prev);
	free(fields);
	free(other);
	free(to_other);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lint_refuses_what_loads_but_is_unwise),
		cmocka_unit_test(grades_by_abc_need_the_grades_of_a_b_and_c),
		cmocka_unit_test(a_waiver_allows_a_seventh_required_field),
		cmocka_unit_test(a_successor_may_add_but_not_change_or_remove),
		cmocka_unit_test(a_pool_goes_when_nobody_is_in_it),
		cmocka_unit_test(a_role_goes_when_nobody_has_it),
		cmocka_unit_test(
		    the_time_zone_changes_before_there_are_dates_or_with_a_word),
		cmocka_unit_test(
		    a_fields_other_dictionary_has_what_the_former_had),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
