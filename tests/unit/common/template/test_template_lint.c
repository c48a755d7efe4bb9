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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lint_refuses_what_loads_but_is_unwise),
		cmocka_unit_test(a_waiver_allows_a_seventh_required_field),
		cmocka_unit_test(a_successor_may_add_but_not_change_or_remove),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
