/* Documents that are malformed, missing or damaged. */
#include "tests/lib/unit.h"

#include "common/template/template.h"
#include "tests/unit/common/template/base.h"

static const bad_edit bad_edits[] = {
	{ "template.json", "\"1.0.0\"", "\"1.0\"", "version" },
	{ "template.json", "\"tz_min\": 480", "\"tz_min\": 4800", "tz_min" },
	{ "template.json", "\"id\"", "\"ids\"", "unknown member 'ids'" },
	{ "template.json", "{", "[", "" },
	{ "rules/validation.json", "^(?i)[0-9A", "^(?i[0-9A",
	    "patterns[3].regex" },
	{ "template.json", "\"schema\": 1", "\"schema\": 1, \"modules\": "
	    "{\"nosuch\": false}", "no kind is of 'nosuch'" },
	{ "template.json", "\"schema\": 1", "\"schema\": 1, \"modules\": "
	    "{\"showroom\": 0}", "showroom" },
	{ "rules/validation.json", "\"cn_phone\"", "\"phone\"", "twice" },
	{ "dict/stage.json", "\"next\": [\"after_sales\"]",
	    "\"next\": [\"after\"]", "unknown next" },
	{ "dict/stage.json", "\"key\": \"proposal\"", "\"key\": \"lost\"",
	    "twice" },
	{ "dict/stage.json", "\"name\": \"stage\"", "\"name\": \"stages\"",
	    "file's name" },
	{ "dict/industry.json", "\"parent\": \"A\"", "\"parent\": \"Z\"",
	    "parent" },
	{ "dict/industry.json", "\"parent\": \"A\"", "\"parent\": \"A01\"",
	    "parent" },
	{ "dict/size.json", "\"zh\": \"1-9人\"", "\"zh\": 7", "options[0].label" },
	{ "fields/account.json", "\"id\": 2,", "\"id\": 1,", "fields[1]" },
	{ "fields/account.json", "\"id\": 2,", "\"id\": 1024,", "fields[1]" },
	{ "fields/account.json", "\"key\": \"name\"", "\"key\": \"Name\"",
	    "fields[1]" },
	{ "fields/account.json", "\"key\": \"sector\"", "\"key\": \"deleted\"",
	    "fields[5]" },
	{ "fields/account.json", "\"type\": \"enum\"", "\"type\": \"enums\"",
	    "fields[2]" },
	{ "fields/account.json", "\"options\": \"industry\"",
	    "\"options\": \"industries\"", "unknown dictionary" },
	{ "fields/account.json", "\"validate\": \"phone\"",
	    "\"validate\": \"fone\"", "unknown pattern" },
	{ "fields/account.json", "\"min_len\": 2, \"max_len\": 120",
	    "\"min_len\": 121, \"max_len\": 120", "min_len" },
	{ "fields/account.json", "\"required_at\"", "\"requird_at\"",
	    "unknown member" },
	{ "fields/account.json", "status=lost", "status=gone",
	    "required_when" },
	{ "fields/account.json", "status=lost", "nothing", "required_when" },
	{ "fields/account.json", "\"policy\": \"set\"", "\"policy\": \"counter\"",
	    "do not fit" },
	{ "fields/account.json", "\"policy\": \"owner\"", "\"policy\": \"lww\"",
	    "owner" },
	{ "fields/account.json", "\"title\": \"name\"", "\"title\": \"nome\"",
	    "kind" },
	{ "fields/account.json", "\"list\": [\"number\"",
	    "\"list\": [\"numbers\"", "list" },
	{ "fields/account.json", "\"number_prefix\": \"C\"",
	    "\"number_prefix\": \"c\"", "number_prefix" },
	{ "fields/contact.json", "\"ref\": \"account\"", "\"ref\": \"acount\"",
	    "unknown kind" },
	{ "fields/contact.json", "\"scope\": \"child\"", "\"scope\": \"root\"",
	    "kind" },
	{ "fields/contact.json", "\"id\": 2, \"key\": \"contact\"",
	    "\"id\": 1, \"key\": \"contact\"", "kind: id" },
	{ "fields/activity.json", "\"ref\": \"account\"",
	    "\"ref\": \"contact\"", "root" },
	{ "acl/matrix.json", "\"own\"", "\"mine\"", "grants" },
	{ "acl/matrix.json", "\"key\": \"rep\"", "\"key\": \"reps\"", "'rep'" },
	{ "reports/won.json", "\"opportunity\"", "\"deal\"", "unknown kind" },
	{ "reports/won.json", "\"won_at\"", "\"won_on\"", "measures[0]" },
	{ "reports/won.json", "\"sum\": \"amount\"", "\"sum\": \"name\"",
	    "number" },
	{ "reports/won.json", "\"agg\": \"count\"", "\"agg\": \"total\"", "agg" },
	{ "reports/won.json", "\"of\": \"account\"", "\"of\": \"acc.x\"",
	    "measures[2]" },
	{ "reports/ranking-by-rep.json", "\"sort\": \"won_amount\"",
	    "\"sort\": \"amount\"", "sort" },
	{ "reports/open-opportunities.json", "\"after_sales\"",
	    "\"aftersales\"", "no option" },
	{ "reports/stage-distribution.json", "\"field\": \"stage\"",
	    "\"field\": \"lost_reason\"", "as_of" },
	{ "reports/source-conversion.json", "\"has\": \"opportunity\"",
	    "\"has\": \"account\"", "has" },
	{ "reports/source-conversion.json", "\"before\": \"@as_of\"",
	    "\"before\": \"now\"", "no field 'now'" },
	{ "reports/win-rate.json", "\"den\"", "\"denn\"", "measures[0]" },
	{ "reports/win-rate.json", "win-rate", "winrate", "file's name" },
	{ "reports/first-response.json", "\"first\": \"activity.occurred_at\"",
	    "\"first\": \"activity.points\"", "let[0]" },
	{ "reports/first-response.json", "\"first\": \"activity.occurred_at\"",
	    "\"first\": \"product.created_at\"", "does not point to account" },
	{ "reports/first-response.json", "\"since\": \"created_at\"",
	    "\"since\": \"waited\"", "no field 'waited'" }, /* comes later */
	{ "reports/first-response.json", "\"in\": \"business\"",
	    "\"in\": \"weeks\"", "time, days or business" },
	{ "reports/first-response.json", "\"of\": \"waited\"",
	    "\"of\": \"name\"", "must name a number" },
	{ "reports/first-response.json", "\"unit\": \"hours\"",
	    "\"unit\": \"count\"", "unit" },
	{ "reports/churn.json", "\"held\": \"churned_at\"",
	    "\"held\": \"name\"", "must name a time" },
	{ "reports/churn.json", "\"compare\": \"yoy\"",
	    "\"compare\": \"year\"", "compare" },
	{ "reports/follow-up-compliance.json", "\"sla\": \"follow\"",
	    "\"sla\": \"visit\"", "sla" },
	{ "reports/follow-up-compliance.json", "\"until\": \"until\"",
	    "\"note\": \"x\"", "a gap needs" },
	{ "reports/silent-churn.json", "\"days_before\": \"window_d\"",
	    "\"days_before\": \"window\"", "constant" },
	{ "reports/cac.json", "\"source\": \"customers\"",
	    "\"source\": \"customer\"", "no source" },
	{ "reports/cac.json", "[\"/\", \"cost\", \"won\"]",
	    "[\"/\", \"cost\", \"wins\"]", "no measure before" },
	{ "reports/cac.json", "[\"/\", \"cost\", \"won\"]",
	    "[\"%\", \"cost\", \"won\"]", "a formula is" },
	{ "reports/campaign-effect.json", "\"dims\": [{\"field\": \"campaign\"}]}",
	    "\"note\": \"x\"}", "as many dims" },
	{ "reports/adoption.json", "\"@users\"", "\"@people\"",
	    "unknown kind" },
	{ "reports/need-heat.json", "\"mid\": 2", "\"middle\": 2",
	    "no option" },
	{ "reports/data-freshness.json", "\"columns\": [\"number\"",
	    "\"columns\": [\"nummer\"", "list" },
	{ "reports/data-freshness.json", "\"columns\": [\"number\"",
	    "\"columns\": [\"phone_main\"", "masked" },
	{ "reports/new-customers.json", "\"kind\": \"account\"",
	    "\"dims\": [{\"field\": \"phone_main\"}], \"kind\": \"account\"",
	    "masked" },
	{ "policy/calendar.json", "\"from\": \"09:00\"", "\"from\": \"19:00\"",
	    "before 'to'" },
	{ "policy/calendar.json", "\"holidays\": []",
	    "\"holidays\": [\"2024-05-02\", \"2024-05-01\"]", "ascend" },
};

static void
a_malformed_document_is_refused_naming_its_place(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof bad_edits / sizeof bad_edits[0]; i++) {
		const bad_edit *b = &bad_edits[i];
		sat_template *t;
		sat_err err = { 0 };
		sat_rc rc = load_edited(&t, b->path, b->was, b->is, &err);

		if (rc != SAT_EINVALID)
			fail_msg("%s '%s' -> '%s': rc %d", b->path, b->was,
			    b->is, (int)rc);
		assert_null(t);
		if (strstr(err.text, b->path) == NULL ||
		    strstr(err.text, b->says) == NULL)
			fail_msg("'%s' should name %s and say '%s'", err.text,
			    b->path, b->says);
		assert_string_equal("template.invalid", err.code);
	}
}

static void
missing_and_unusable_documents_are_refused(void **state)
{
	static const struct {
		const char *path, *text;
		sat_rc rc;
	} rows[] = {
		{ "template.json", NULL, SAT_EINVALID },
		{ "acl/matrix.json", NULL, SAT_EINVALID },
		{ "dict/stage.json", NULL, SAT_EINVALID },
		{ "../x.json", "{}", SAT_EINVALID },
		{ "/x.json", "{}", SAT_EINVALID },
		{ "a/.git/x.json", "{}", SAT_EINVALID },
		{ "a//x.json", "{}", SAT_EINVALID },
		{ "fields/x.json", "", SAT_EINVALID },
		{ "fields/x.json", "{\"a\":1,\"a\":2}", SAT_EINVALID },
		{ "fields/x.json", "null", SAT_EINVALID },
		{ "docs/sop.md", "# any text", SAT_OK },
		{ "policy/extra.json", "{}", SAT_OK },
		{ "policy/limits.json", "{}", SAT_OK },
		{ "policy/limits.json", "{\"quota\":[]}", SAT_EINVALID },
		{ "policy/limits.json", "{\"device\":{\"lease_d\":0}}",
		    SAT_EINVALID },
		{ "policy/limits.json", "{\"device\":{\"lease_d\":367}}",
		    SAT_EINVALID },
		{ "policy/limits.json", "{\"device\":{\"history_d\":99}}",
		    SAT_EINVALID },
		{ "policy/limits.json", "{\"device\":{\"history_values\":4}}",
		    SAT_EINVALID },
		{ "policy/limits.json", "{\"device\":{\"leases\":4}}",
		    SAT_EINVALID },
		{ "policy/limits.json", "{\"quota\":{\"rep\":{\"ops\":1}}}",
		    SAT_EINVALID },
		/* less than one batch would never be sent */
		{ "policy/limits.json", "{\"quota\":{\"rep\":{\"ops_day\":"
		    "1000,\"days\":60}}}", SAT_EINVALID },
		{ "policy/limits.json", "{\"quota\":{\"rep\":{\"ops_day\":"
		    "1000,\"days\":70}}}", SAT_OK },
		{ "policy/limits.json", "{\"session\":{\"idle_min\":5}}", SAT_OK },
		{ "policy/limits.json", "{\"session\":{\"idle_min\":0}}",
		    SAT_EINVALID },
		{ "policy/limits.json", "{\"session\":{\"idle\":5}}",
		    SAT_EINVALID },
		{ "template.json", "{\"schema\":2}", SAT_EVERSION },
		{ "template.json", "{\"schema\":1,\"min_client\":\"0\"}",
		    SAT_EINVALID },
		/* whatever that release knows and this one does not */
		{ "template.json", "{\"schema\":1,\"min_client\":\"0.1.1\","
		    "\"novelty\":1}", SAT_EVERSION },
		{ "template.json", "{\"schema\":1,\"min_client\":\"0.1.0\","
		    "\"novelty\":1}", SAT_EINVALID },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		sat_template *t;
		sat_err err;
		sat_rc rc = load_with(&t, rows[i].path, rows[i].text, &err);

		if (rc != rows[i].rc)
			fail_msg("%s: rc %d %s", rows[i].path, (int)rc, err.text);
		sat_template_free(t);
	}
}

static void
a_template_says_when_a_session_ends(void **state)
{
	sat_template *t;
	sat_err err;

	(void)state;
	assert_int_equal(SAT_SESSION_IDLE_MIN,
	    sat_template_session_idle_min(NULL));
	assert_int_equal(SAT_OK, load_with(&t, "policy/limits.json",
	    "{\"session\":{\"idle_min\":5}}", &err));
	assert_int_equal(5, sat_template_session_idle_min(t));
	sat_template_free(t);
	assert_int_equal(SAT_OK, load_with(&t, "policy/limits.json",
	    "{\"note\":\"none\"}", &err));
	assert_int_equal(SAT_SESSION_IDLE_MIN,
	    sat_template_session_idle_min(t));
	sat_template_free(t);
}

/* Any cut or flipped byte is refused or gives a template; never a crash. */
static void
damaged_documents_never_crash_the_loader(void **state)
{
	static const char *const paths[] = { "fields/account.json",
		"dict/stage.json", "rules/validation.json", "acl/matrix.json",
		"reports/source-conversion.json", "template.json" };
	uint64_t seed = sat_test_seed(31);

	(void)state;
	for (int i = 0; i < 300; i++) {
		const char *path = paths[sat_test_rand(&seed) % 6];
		char *text = strdup(base_text(path));
		size_t n = strlen(text);
		sat_template *t;
		sat_err err;

		if (i % 3 == 0)
			text[sat_test_rand(&seed) % n] = '\0';
		else
			for (int k = 0; k < 1 + i % 4; k++)
				text[sat_test_rand(&seed) % n] =
				    "\"{}[],:0a"[sat_test_rand(&seed) % 9];
		if (load_with(&t, path, text, &err) == SAT_OK)
			(void)!sat_template_lint(t, NULL, NULL, &err);
		sat_template_free(t);
		free(text);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_malformed_document_is_refused_naming_its_place),
		cmocka_unit_test(missing_and_unusable_documents_are_refused),
		cmocka_unit_test(a_template_says_when_a_session_ends),
		cmocka_unit_test(damaged_documents_never_crash_the_loader),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
