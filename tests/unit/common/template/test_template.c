#include "tests/lib/unit.h"

#include "common/template/gate.h"
#include "common/template/report_def.h"

#define FILES_MAX 256

/* The base template with one document replaced, added or (NULL) removed. */
static sat_rc
load_with(sat_template **t, const char *path, const char *text, sat_err *e)
{
	sat_template_file files[FILES_MAX];
	const sat_template_file *base;
	size_t n, out = 0;

	base = sat_template_base(&n);
	assert_true(n < FILES_MAX - 1);
	for (size_t i = 0; i < n; i++)
		if (path == NULL || strcmp(base[i].path, path) != 0)
			files[out++] = base[i];
	if (text != NULL)
		files[out++] = (sat_template_file){ path, sat_span_str(text) };
	return sat_template_load(t, files, out, e);
}

static const char *
base_text(const char *path)
{
	const sat_template_file *base;
	size_t n;

	base = sat_template_base(&n);
	for (size_t i = 0; i < n; i++)
		if (strcmp(base[i].path, path) == 0)
			return (const char *)base[i].bytes.p;
	fail_msg("no %s", path);
	return NULL;
}

/* `text` with the first `was` replaced by `is`. The caller frees. */
static char *
edited(const char *text, const char *was, const char *is)
{
	const char *at = strstr(text, was);
	char *out = malloc(strlen(text) + strlen(is) + 1);
	size_t head;

	if (at == NULL)
		fail_msg("'%s' is not in the document", was);
	head = (size_t)(at - text);
	memcpy(out, text, head);
	memcpy(out + head, is, strlen(is));
	memcpy(out + head + strlen(is), at + strlen(was),
	    strlen(at + strlen(was)) + 1);
	return out;
}

static sat_rc
load_edited(sat_template **t, const char *path, const char *was,
    const char *is, sat_err *e)
{
	char *text = edited(base_text(path), was, is);
	sat_rc rc = load_with(t, path, text, e);

	free(text);
	return rc;
}

static void
print_finding(void *u, char severity, const char *path, const char *text)
{
	(void)u;
	print_message("%c %s: %s\n", severity, path, text);
}

static void
count_finding(void *u, char severity, const char *path, const char *text)
{
	unsigned *n = u;

	(void)path;
	(void)text;
	n[severity == 'e' ? 0 : 1]++;
}

static void
the_base_template_loads_and_lints_clean(void **state)
{
	sat_template *t;
	sat_err err;
	unsigned n[2] = { 0, 0 };

	(void)state;
	assert_ok(load_with(&t, NULL, NULL, &err));
	assert_ok(sat_template_lint(t, print_finding, NULL, &err));
	assert_ok(sat_template_lint(t, count_finding, n, &err));
	assert_int_equal(0, n[1]);
	assert_string_equal("base", sat_template_name(t));
	assert_string_equal("1.0.0", sat_template_version(t));
	assert_int_equal(480, sat_template_tz_min(t));
	assert_int_equal(36, sat_template_kinds(t));
	assert_ptr_equal(sat_template_kind(t, "account"),
	    sat_template_kind(t, "accounts"));
	assert_ptr_equal(sat_template_kind(t, "opportunity"),
	    sat_template_kind_id(t, 4));
	assert_null(sat_template_kind(t, "nosuch"));
	assert_null(sat_template_doc(t, "fields/nosuch.json"));
	assert_string_equal("acl/matrix.json", sat_template_path(t, "acl/", 0));
	assert_null(sat_template_path(t, "acl/", 1));
	sat_template_free(t);
}

static void
six_fields_are_required_of_a_customer(void **state)
{
	static const char *const want[] = { "name", "industry", "contact_name",
		"phone_main", "stage", "need_type" };
	sat_template *t;
	const sat_kind *k;
	sat_err err;
	size_t n = 0;

	(void)state;
	assert_ok(load_with(&t, NULL, NULL, &err));
	k = sat_template_kind(t, "account");
	for (size_t i = 0; i < k->nfields; i++)
		if (k->fields[i].required) {
			assert_true(n < 6);
			assert_string_equal(want[n++], k->fields[i].key);
		}
	assert_int_equal(6, n);
	sat_template_free(t);
}

static void
the_industry_has_20_sections_and_97_divisions(void **state)
{
	sat_template *t;
	const sat_dict *d;
	sat_err err;
	size_t sections = 0, divisions = 0;
	int number = 0;

	(void)state;
	assert_ok(load_with(&t, NULL, NULL, &err));
	d = sat_template_dict(t, "industry");
	for (size_t i = 0; i < d->n; i++) {
		const sat_option *o = &d->options[i];

		if (o->parent == NULL) {
			assert_int_equal('A' + (int)sections, o->key[0]);
			sections++;
			continue;
		}
		divisions++;
		assert_int_equal(o->parent[0], o->key[0]);
		assert_int_equal(++number, atoi(o->key + 1));
	}
	assert_int_equal(20, sections);
	assert_int_equal(97, divisions);
	sat_template_free(t);
}

static void
options_are_found_by_key_label_and_alias(void **state)
{
	static const char *const rows[][3] = {
		{ "industry", "I65", "I65" }, { "industry", "i65", "I65" },
		{ "industry", "65", "I65" },
		{ "industry", "软件和信息技术服务业", "I65" },
		{ "industry", "软件和信息技术服务", "I65" },
		{ "industry", "制造业", "C" },
		{ "industry", "房地产业", "K70" }, /* the deeper one */
		{ "industry", "Ｉ６５", "I65" },
		{ "stage", "初次接触", "first_contact" },
		{ "stage", "需求调研", "need_confirmed" },
		{ "stage", "方案制定", "proposal" },
		{ "stage", "成交", "won" }, { "stage", "售后", "after_sales" },
		{ "stage", "Prospecting", "first_contact" },
		{ "stage", "engaging", "need_confirmed" },
		{ "stage", "Won", "won" }, { "stage", "LOST", "lost" },
		{ "stage", " negotiation ", "negotiation" },
		{ "source", "行业展会", "fair" }, { "size", "50-100人", "50-100" },
		{ "stage", "won!", NULL }, { "stage", "", NULL },
	};
	sat_template *t;
	sat_err err;

	(void)state;
	assert_ok(load_with(&t, NULL, NULL, &err));
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const sat_option *o = sat_dict_match(
		    sat_template_dict(t, rows[i][0]), sat_span_str(rows[i][1]));

		if (rows[i][2] == NULL)
			assert_null(o);
		else if (o == NULL)
			fail_msg("%s not found", rows[i][1]);
		else
			assert_string_equal(rows[i][2], o->key);
	}
	sat_template_free(t);
}

static void
stages_go_forward_skip_and_step_back_once(void **state)
{
	static const struct {
		const char *from, *to;
		bool ok;
	} rows[] = {
		{ "first_contact", "need_confirmed", true },
		{ "first_contact", "won", true },
		{ "negotiation", "proposal", true },
		{ "negotiation", "need_confirmed", false },
		{ "won", "after_sales", true }, { "won", "lost", false },
		{ "won", "negotiation", false }, { "proposal", "lost", true },
		{ "lost", "first_contact", true }, { "lost", "won", false },
		{ "after_sales", "won", false },
	};
	sat_template *t;
	sat_err err;

	(void)state;
	assert_ok(load_with(&t, NULL, NULL, &err));
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const sat_option *o = sat_dict_option(sat_template_dict(t, "stage"),
		    rows[i].from, strlen(rows[i].from));
		bool found = false;

		for (size_t k = 0; k < o->nnext; k++)
			found = found || strcmp(o->next[k], rows[i].to) == 0;
		if (found != rows[i].ok)
			fail_msg("%s -> %s", rows[i].from, rows[i].to);
	}
	sat_template_free(t);
}

static void
every_report_binds_to_the_fields(void **state)
{
	static const char *const want[] = {
		"accuracy", "adoption-by-function", "adoption-by-user",
		"adoption", "amount-by-industry", "by-sector", "cac",
		"campaign-effect", "churn", "clv", "complaints",
		"completeness", "csat", "data-freshness", "employee-ratings", "exams",
		"first-response",
		"follow-up-compliance", "followed-customers",
		"grade-overrides",
		"improvements",
		"lead-conversion", "loss-by-stage", "loss-matrix",
		"lost-reasons", "need-heat", "need-response", "new-customers",
		"nps", "open-opportunities", "orders-per-rep", "pool-flow",
		"process-conformance", "ranking-by-conformance",
		"ranking-by-rep", "ranking-by-team",
		"renewal", "retention", "sales-cycle", "showroom",
		"silent-churn", "source-conversion", "stage-distribution",
		"system-roi", "target-attainment", "target-by-rep",
		"win-rate", "won" };
	sat_template *t;
	sat_report_def def;
	sat_err err;
	size_t n = 0;

	(void)state;
	assert_ok(load_with(&t, NULL, NULL, &err));
	for (const char *key; (key = sat_report_key(t, n)) != NULL; n++) {
		assert_string_equal(want[n], key);
		assert_ok(sat_report_def_load(t, key, &def, &err));
		assert_string_equal(key, def.key);
		assert_true(def.nroles > 0);
		sat_report_def_fini(&def);
	}
	assert_int_equal(sizeof want / sizeof want[0], n);
	assert_rc(SAT_ENOTFOUND, sat_report_def_load(t, "none", &def, &err));
	sat_template_free(t);
}

static void
every_report_fits_the_published_schema(void **state)
{
	FILE *f = fopen("docs/schema/report-definition.json", "rb");
	static char text[65536];
	sat_json *schema, *bad;
	sat_template *t;
	sat_err err;
	const char *path;
	size_t n;

	(void)state;
	assert_non_null(f);
	n = fread(text, 1, sizeof text, f);
	(void)fclose(f);
	assert_ok(sat_json_parse(&schema, sat_span_of(text, n), 0, &err));
	assert_ok(load_with(&t, NULL, NULL, &err));
	for (size_t i = 0; (path = sat_template_path(t, "reports/", i)) != NULL;
	    i++)
		assert_ok(sat_json_validate(sat_template_doc(t, path), schema,
		    &err));
	assert_ok(sat_json_parse(&bad, sat_span_str("{\"key\":\"x\"}"), 0,
	    &err));
	assert_rc(SAT_EINVALID, sat_json_validate(bad, schema, &err));
	sat_json_free(bad);
	sat_json_free(schema);
	sat_template_free(t);
}

static void
a_report_says_exactly_what_to_count(void **state)
{
	sat_template *t;
	sat_report_def def;
	sat_err err;
	const sat_report_measure *m;

	(void)state;
	assert_ok(load_with(&t, NULL, NULL, &err));
	assert_ok(sat_report_def_load(t, "source-conversion", &def, &err));
	assert_string_equal("account", def.kind->key);
	m = &def.measures[2];
	assert_int_equal(SAT_AGG_RATIO, m->agg);
	assert_int_equal(SAT_UNIT_PERCENT, m->unit);
	assert_int_equal(1, m->nnum);
	assert_int_equal(SAT_COND_HAS, m->num[0].where[0].op);
	assert_string_equal("opportunity", m->num[0].where[0].has_kind->key);
	assert_string_equal("account", m->num[0].where[0].has_ref->key);
	assert_int_equal(SAT_COND_LT, m->num[0].where[0].has[0].op);
	assert_int_equal(SAT_BASE_AS_OF, m->num[0].where[0].has[0].at.base);
	assert_string_equal("created_at", m->den[0].period.field->key);
	assert_int_equal(0, m->den[0].nwhere);
	sat_report_def_fini(&def);

	assert_ok(sat_report_def_load(t, "ranking-by-team", &def, &err));
	assert_true(def.dims[0].path.team && def.dims[0].other.team);
	assert_string_equal("credit_owner", def.dims[0].path.via->key);
	assert_string_equal("owner", def.dims[0].other.via->key);
	assert_int_equal(0, def.sort);
	assert_true(def.rank);
	sat_report_def_fini(&def);

	assert_ok(sat_report_def_load(t, "amount-by-industry", &def, &err));
	assert_true(def.dims[0].top);
	assert_false(def.dims[1].top);
	assert_string_equal("C", (const char *)sat_report_top(def.dims[0].dict,
	    sat_v_text(sat_span_str("C34"))).s.p);
	assert_int_equal(SAT_UNIT_MONEY, def.measures[0].unit);
	sat_report_def_fini(&def);

	assert_ok(sat_report_def_load(t, "open-opportunities", &def, &err));
	assert_int_equal(SAT_COND_NOT_IN, def.sources[0].where[0].op);
	assert_int_equal(3, def.sources[0].where[0].nvalues);
	assert_false(def.measures[0].num[0].has_period);
	sat_report_def_fini(&def);
	sat_template_free(t);
}

/* One edit of a good document each; the text must name document and place. */
static const struct bad_edit {
	const char *path, *was, *is, *says;
} bad_edits[] = {
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
		const struct bad_edit *b = &bad_edits[i];
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
		{ "policy/limits.json", "{\"quota\":{\"rep\":{\"ops\":1}}}",
		    SAT_EINVALID },
		/* less than one batch would never be sent */
		{ "policy/limits.json", "{\"quota\":{\"rep\":{\"ops_day\":"
		    "1000,\"days\":60}}}", SAT_EINVALID },
		{ "policy/limits.json", "{\"quota\":{\"rep\":{\"ops_day\":"
		    "1000,\"days\":70}}}", SAT_OK },
		{ "template.json", "{\"schema\":2}", SAT_EVERSION },
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
lint_refuses_what_loads_but_is_unwise(void **state)
{
	static const struct bad_edit rows[] = {
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
		cmocka_unit_test(the_base_template_loads_and_lints_clean),
		cmocka_unit_test(six_fields_are_required_of_a_customer),
		cmocka_unit_test(the_industry_has_20_sections_and_97_divisions),
		cmocka_unit_test(options_are_found_by_key_label_and_alias),
		cmocka_unit_test(stages_go_forward_skip_and_step_back_once),
		cmocka_unit_test(every_report_binds_to_the_fields),
		cmocka_unit_test(every_report_fits_the_published_schema),
		cmocka_unit_test(a_report_says_exactly_what_to_count),
		cmocka_unit_test(a_malformed_document_is_refused_naming_its_place),
		cmocka_unit_test(missing_and_unusable_documents_are_refused),
		cmocka_unit_test(lint_refuses_what_loads_but_is_unwise),
		cmocka_unit_test(a_waiver_allows_a_seventh_required_field),
		cmocka_unit_test(a_successor_may_add_but_not_change_or_remove),
		cmocka_unit_test(damaged_documents_never_crash_the_loader),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
