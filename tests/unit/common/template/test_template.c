/* What the base template holds, and how it is asked. */
#include "tests/lib/unit.h"

#include "common/template/report_def.h"
#include "common/template/template.h"
#include "tests/unit/common/template/base.h"

static void
print_finding(void *u, char severity, const char *path, const char *text)
{
	(void)u;
	print_message("%c %s: %s\n", severity, path, text);
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
	assert_int_equal(39, sat_template_kinds(t));
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
		"adoption", "amount-by-industry", "approval-time", "by-sector", "cac",
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
