#include "tests/lib/unit.h"

#include "common/base/clock.h"
#include "common/template/gate.h"

#define NOW 1800000000000LL

static sat_template *tmpl;

static int
load_base(void **state)
{
	const sat_template_file *files;
	sat_err err;
	size_t n;

	(void)state;
	files = sat_template_base(&n);
	return sat_template_load(&tmpl, files, n, &err) == SAT_OK ? 0 : -1;
}

static int
free_base(void **state)
{
	(void)state;
	sat_template_free(tmpl);
	return 0;
}

/* ---- a record under judgement -------------------------------------------------- */

#define MANY 16

typedef struct record {
	const char *kind;
	struct { const char *key; sat_value v; } now[MANY];
	size_t n;
	sat_change changes[MANY];
	size_t nchanges;
	sat_gate_in in;
	sat_gate_out out;
	sat_err err;
} record;

static sat_value
txt(const char *s)
{
	return sat_v_text(sat_span_str(s));
}

static sat_value
lookup(void *u, const sat_field *f)
{
	const record *r = u;

	for (size_t i = 0; i < r->n; i++)
		if (strcmp(r->now[i].key, f->key) == 0)
			return r->now[i].v;
	return sat_v_null();
}

static void
begin(record *r, const char *kind, bool is_new)
{
	memset(r, 0, sizeof *r);
	r->kind = kind;
	r->in = (sat_gate_in){ .t = tmpl, .kind = sat_template_kind(tmpl, kind),
		.role = "rep", .relation = SAT_REL_OWN, .is_new = is_new,
		.now_ms = NOW, .current = is_new ? NULL : lookup, .u = r };
}

static void
has(record *r, const char *key, sat_value v)
{
	r->now[r->n].key = key;
	r->now[r->n++].v = v;
}

static void
change(record *r, sat_verb verb, const char *key, sat_value v)
{
	const sat_field *f = key != NULL ? sat_kind_field(r->in.kind, key) : NULL;

	if (key != NULL && f == NULL)
		fail_msg("no field %s", key);
	r->changes[r->nchanges++] = (sat_change){ verb, f, v };
}

static sat_rc
judge(record *r)
{
	r->in.changes = r->changes;
	r->in.n = r->nchanges;
	memset(&r->err, 0, sizeof r->err);
	return sat_gate_judge(&r->out, &r->in, &r->err);
}

/* A complete customer as it is stored. */
static void
begin_customer(record *r)
{
	begin(r, "account", false);
	has(r, "name", txt("甲公司"));
	has(r, "industry", txt("I65"));
	has(r, "contact_name", txt("王芳"));
	has(r, "phone_main", txt("+8613812345678"));
	has(r, "need_type", txt("product"));
	has(r, "stage", txt("proposal"));
	has(r, "status", txt("interested"));
	has(r, "owner", txt("u1"));
	has(r, "external_id", txt("X1"));
}

static void
begin_new_customer(record *r)
{
	begin(r, "account", true);
	change(r, SAT_VERB_SET, "name", txt("甲公司"));
	change(r, SAT_VERB_SET, "industry", txt("I65"));
	change(r, SAT_VERB_SET, "contact_name", txt("王芳"));
	change(r, SAT_VERB_SET, "phone_main", txt("+8613812345678"));
	change(r, SAT_VERB_SET, "need_type", txt("product"));
	change(r, SAT_VERB_STAGE, "stage", txt("first_contact"));
	change(r, SAT_VERB_ASSIGN, "owner", txt("u1"));
}

/* ---- one change, one verdict --------------------------------------------------- */

static char long_name[500];

static const struct verdict {
	sat_verb verb;
	const char *key;
	sat_vtype type;
	const char *text;
	int64_t i;
	const char *code; /* NULL = accepted */
} verdicts[] = {
	/* type */
	{ SAT_VERB_SET, "name", SAT_V_TEXT, "乙公司", 0, NULL },
	{ SAT_VERB_SET, "name", SAT_V_INT, NULL, 7, "type" },
	{ SAT_VERB_SET, "name", SAT_V_TEXT, " 乙公司", 0, "type" },
	{ SAT_VERB_SET, "name", SAT_V_TEXT, "a\x1b[0m", 0, "type" },
	{ SAT_VERB_SET, "name", SAT_V_TEXT, "", 0, "type" },
	{ SAT_VERB_SET, "employees", SAT_V_TEXT, "12", 0, "type" },
	{ SAT_VERB_SET, "next_follow_at", SAT_V_TEXT, "soon", 0, "type" },
	{ SAT_VERB_ADD, "tags", SAT_V_TEXT, "两\n行", 0, "type" },
	{ SAT_VERB_ADD, "tags", SAT_V_TEXT, "制造业", 0, NULL },
	{ SAT_VERB_REMOVE, "tags", SAT_V_TEXT, "制造业", 0, NULL },
	{ SAT_VERB_ADD, "visit_count", SAT_V_INT, NULL, -3, NULL },
	{ SAT_VERB_ADD, "visit_count", SAT_V_TEXT, "1", 0, "type" },
	{ SAT_VERB_ADD, "tags", SAT_V_NULL, NULL, 0, "type" },
	/* length */
	{ SAT_VERB_SET, "name", SAT_V_TEXT, "甲", 0, "length" },
	{ SAT_VERB_SET, "name", SAT_V_TEXT, long_name, 0, "length" },
	/* range */
	{ SAT_VERB_SET, "annual_amount", SAT_V_INT, NULL, 0, NULL },
	{ SAT_VERB_SET, "annual_amount", SAT_V_INT, NULL, -1, "range" },
	{ SAT_VERB_SET, "annual_amount", SAT_V_INT, NULL, 10000000000000, NULL },
	{ SAT_VERB_SET, "annual_amount", SAT_V_INT, NULL, 10000000000001, "range" },
	{ SAT_VERB_SET, "next_follow_at", SAT_V_INT, NULL, INT64_MAX, "range" },
	/* option */
	{ SAT_VERB_SET, "industry", SAT_V_TEXT, "C34", 0, NULL },
	{ SAT_VERB_SET, "industry", SAT_V_TEXT, "C99", 0, "option" },
	{ SAT_VERB_SET, "industry", SAT_V_TEXT, "制造业", 0, "option" },
	{ SAT_VERB_STAGE, "stage", SAT_V_TEXT, "signed", 0, "option" },
	/* pattern */
	{ SAT_VERB_SET, "phone_main", SAT_V_TEXT, "010-62345678", 0, NULL },
	{ SAT_VERB_SET, "phone_main", SAT_V_TEXT, "12812345678", 0, "pattern" },
	{ SAT_VERB_SET, "phone_main", SAT_V_TEXT, "5678", 0, "pattern" },
	{ SAT_VERB_SET, "phone_main", SAT_V_TEXT, "13812345678\n", 0, "type" },
	{ SAT_VERB_SET, "email", SAT_V_TEXT, "a@b.cn", 0, NULL },
	{ SAT_VERB_SET, "email", SAT_V_TEXT, "a.b.cn", 0, "pattern" },
	{ SAT_VERB_SET, "email", SAT_V_TEXT, "a@b@c", 0, "pattern" },
	{ SAT_VERB_SET, "uscc", SAT_V_TEXT, "91350100M000100Y43", 0, NULL },
	{ SAT_VERB_SET, "uscc", SAT_V_TEXT, "91350100M000100Y44", 0, NULL },
	{ SAT_VERB_SET, "uscc", SAT_V_TEXT, "9135010OM000100Y43", 0, "pattern" },
	/* required */
	{ SAT_VERB_SET, "name", SAT_V_NULL, NULL, 0, "required" },
	{ SAT_VERB_SET, "sector", SAT_V_NULL, NULL, 0, NULL },
	{ SAT_VERB_SET, "status", SAT_V_TEXT, "lost", 0, "required" },
	/* stage */
	{ SAT_VERB_STAGE, "stage", SAT_V_TEXT, "negotiation", 0, NULL },
	{ SAT_VERB_STAGE, "stage", SAT_V_TEXT, "won", 0, NULL },
	{ SAT_VERB_STAGE, "stage", SAT_V_TEXT, "proposal", 0, NULL },
	{ SAT_VERB_STAGE, "stage", SAT_V_TEXT, "need_confirmed", 0, NULL },
	{ SAT_VERB_STAGE, "stage", SAT_V_TEXT, "first_contact", 0, "stage" },
	{ SAT_VERB_STAGE, "stage", SAT_V_TEXT, "after_sales", 0, "stage" },
	{ SAT_VERB_STAGE, "stage", SAT_V_NULL, NULL, 0, "type" },
	/* policy: the verb must fit the field */
	{ SAT_VERB_SET, "stage", SAT_V_TEXT, "won", 0, "policy" },
	{ SAT_VERB_SET, "owner", SAT_V_TEXT, "u2", 0, "policy" },
	{ SAT_VERB_SET, "tags", SAT_V_TEXT, "a", 0, "policy" },
	{ SAT_VERB_SET, "visit_count", SAT_V_INT, NULL, 5, "policy" },
	{ SAT_VERB_ADD, "name", SAT_V_TEXT, "乙公司", 0, "policy" },
	{ SAT_VERB_STAGE, "status", SAT_V_TEXT, "won", 0, "policy" },
	{ SAT_VERB_RESOLVE, "sector", SAT_V_TEXT, "a", 0, "policy" },
	{ SAT_VERB_RESOLVE, "name", SAT_V_TEXT, "乙公司", 0, NULL },
	{ SAT_VERB_RESOLVE, "stage", SAT_V_TEXT, "first_contact", 0, NULL },
	/* once: the first value stays */
	{ SAT_VERB_SET, "external_id", SAT_V_TEXT, "X1", 0, NULL },
	{ SAT_VERB_SET, "external_id", SAT_V_TEXT, "X2", 0, "policy" },
	{ SAT_VERB_SET, "created_by", SAT_V_TEXT, "u1", 0, NULL },
	/* not in the future, ten minutes of slack */
	{ SAT_VERB_SET, "created_at", SAT_V_INT, NULL, NOW + 600000, NULL },
	{ SAT_VERB_SET, "created_at", SAT_V_INT, NULL, NOW + 600001, "range" },
};

static sat_value
value_of(const struct verdict *v)
{
	if (v->type == SAT_V_INT)
		return sat_v_int(v->i);
	return v->type == SAT_V_TEXT ? txt(v->text) : sat_v_null();
}

static void
each_rule_refuses_with_its_code(void **state)
{
	(void)state;
	memset(long_name, 'x', 121);
	for (size_t i = 0; i < sizeof verdicts / sizeof verdicts[0]; i++) {
		const struct verdict *v = &verdicts[i];
		char slug[40];
		record r;
		sat_rc rc;

		begin_customer(&r);
		r.in.role = "hq";
		change(&r, v->verb, v->key, value_of(v));
		rc = judge(&r);
		if (v->code == NULL && rc != SAT_OK)
			fail_msg("%zu %s: %s", i, v->key, r.err.text);
		if (v->code == NULL)
			continue;
		(void)snprintf(slug, sizeof slug, "validation.%s", v->code);
		if (rc != SAT_EINVALID || strcmp(slug, r.err.code) != 0)
			fail_msg("%zu %s: rc %d '%s', want '%s'", i, v->key,
			    (int)rc, r.err.code, slug);
		assert_int_equal(1, r.err.nfields);
		assert_string_equal(v->code, r.err.fields[0].code);
	}
}

static void
a_new_customer_needs_all_six_fields(void **state)
{
	record r;

	(void)state;
	begin_new_customer(&r);
	assert_rc(SAT_OK, judge(&r));
	assert_false(r.out.incomplete);
	for (size_t i = 0; i < 6; i++) {
		begin_new_customer(&r);
		r.changes[i] = r.changes[--r.nchanges];
		assert_rc(SAT_EINVALID, judge(&r));
		assert_string_equal("validation.required", r.err.code);
		assert_int_equal(1, r.err.nfields);
		assert_true(r.out.incomplete);
		r.in.flag_missing = true;
		assert_rc(SAT_OK, judge(&r));
		assert_true(r.out.incomplete);
	}
}

static void
all_findings_are_listed_at_once(void **state)
{
	record r;

	(void)state;
	begin(&r, "account", true);
	change(&r, SAT_VERB_SET, "phone_main", txt("5678"));
	change(&r, SAT_VERB_SET, "industry", txt("nothing"));
	assert_rc(SAT_EINVALID, judge(&r));
	assert_int_equal(6, r.err.nfields);
	assert_string_equal("phone_main", r.err.fields[0].path);
	assert_string_equal("pattern", r.err.fields[0].code);
	assert_string_equal("name", r.err.fields[2].path);
	assert_string_equal("required", r.err.fields[2].code);
	assert_null(strstr(r.err.text, "5678")); /* no customer data in texts */
}

static void
an_incomplete_record_stays_editable(void **state)
{
	const char *missing[SAT_FIELDS_MAX];
	size_t n;
	record r;

	(void)state;
	begin(&r, "account", false);
	has(&r, "name", txt("甲公司"));
	has(&r, "stage", txt("won"));
	change(&r, SAT_VERB_SET, "remark", txt("来自旧系统"));
	assert_rc(SAT_OK, judge(&r));
	assert_true(r.out.incomplete);
	assert_true(sat_gate_incomplete(tmpl, r.in.kind, lookup, &r, missing, &n));
	assert_int_equal(4, n);
	assert_string_equal("industry", missing[0]);
	begin_customer(&r);
	assert_false(sat_gate_incomplete(tmpl, r.in.kind, lookup, &r, missing,
	    &n));
}

static void
a_lost_customer_needs_its_reason(void **state)
{
	record r;

	(void)state;
	begin_customer(&r);
	change(&r, SAT_VERB_SET, "status", txt("lost"));
	change(&r, SAT_VERB_SET, "lost_reason", txt("budget"));
	assert_rc(SAT_OK, judge(&r));
	/* taking the reason away again is refused too */
	begin_customer(&r);
	r.now[6].v = txt("lost");
	has(&r, "lost_reason", txt("budget"));
	change(&r, SAT_VERB_SET, "lost_reason", sat_v_null());
	assert_rc(SAT_EINVALID, judge(&r));
	assert_string_equal("lost_reason", r.err.fields[0].path);
}

static void
rows_that_never_change_refuse_changes(void **state)
{
	record r;

	(void)state;
	begin(&r, "activity", false);
	change(&r, SAT_VERB_SET, "points", txt("改过"));
	assert_rc(SAT_EINVALID, judge(&r));
	assert_string_equal("validation.append_only", r.err.code);
	begin(&r, "activity", false);
	r.in.role = "hq";
	change(&r, SAT_VERB_DELETE, NULL, sat_v_null());
	assert_rc(SAT_OK, judge(&r));
}

static void
rights_follow_role_and_relation(void **state)
{
	static const struct {
		const char *role;
		sat_relation relation;
		sat_verb verb;
		const char *key;
		bool ok;
	} rows[] = {
		{ "rep", SAT_REL_OWN, SAT_VERB_SET, "remark", true },
		{ "rep", SAT_REL_TEAM, SAT_VERB_SET, "remark", false },
		{ "rep", SAT_REL_NONE, SAT_VERB_SET, "remark", false },
		{ "rep", SAT_REL_OWN, SAT_VERB_ASSIGN, "owner", false },
		{ "rep", SAT_REL_OWN, SAT_VERB_DELETE, NULL, false },
		{ "rep", SAT_REL_OWN, SAT_VERB_RESOLVE, "name", true },
		{ "rep", SAT_REL_ALL, SAT_VERB_RESOLVE, "name", false },
		{ "manager", SAT_REL_OWN, SAT_VERB_SET, "remark", true },
		{ "manager", SAT_REL_TEAM, SAT_VERB_SET, "remark", true },
		{ "manager", SAT_REL_ALL, SAT_VERB_SET, "remark", false },
		{ "manager", SAT_REL_NONE, SAT_VERB_SET, "remark", false },
		{ "manager", SAT_REL_TEAM, SAT_VERB_ASSIGN, "owner", true },
		{ "manager", SAT_REL_TEAM, SAT_VERB_DELETE, NULL, true },
		{ "hq", SAT_REL_ALL, SAT_VERB_ASSIGN, "owner", true },
		{ "hq", SAT_REL_ALL, SAT_VERB_SET, "remark", true },
		{ "hq", SAT_REL_NONE, SAT_VERB_RESTORE, NULL, true },
		{ "admin", SAT_REL_ALL, SAT_VERB_SET, "remark", false },
		{ "nobody", SAT_REL_ALL, SAT_VERB_SET, "remark", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		record r;
		sat_rc rc;

		begin_customer(&r);
		r.in.role = rows[i].role;
		r.in.relation = rows[i].relation;
		change(&r, rows[i].verb, rows[i].key,
		    rows[i].key == NULL ? sat_v_null() : txt("文字"));
		rc = judge(&r);
		if (rc != (rows[i].ok ? SAT_OK : SAT_EDENIED))
			fail_msg("%zu %s: rc %d %s", i, rows[i].role, (int)rc,
			    r.err.text);
	}
}

static void
a_rep_may_not_create_for_somebody_else(void **state)
{
	record r;

	(void)state;
	begin_new_customer(&r);
	r.in.relation = SAT_REL_TEAM;
	assert_rc(SAT_EDENIED, judge(&r));
	r.in.role = "manager";
	assert_rc(SAT_OK, judge(&r));
}

static void
the_matrix_answers_by_role_and_action(void **state)
{
	(void)state;
	assert_int_equal(SAT_GRANT_OWN, sat_acl(tmpl, "rep", "account.view"));
	assert_int_equal(SAT_GRANT_TEAM, sat_acl(tmpl, "manager", "contact.view"));
	assert_int_equal(SAT_GRANT_ALL, sat_acl(tmpl, "hq", "import"));
	assert_int_equal(SAT_GRANT_NO, sat_acl(tmpl, "admin", "account.view"));
	assert_int_equal(SAT_GRANT_ALL, sat_acl(tmpl, "admin", "template.edit"));
	assert_int_equal(SAT_GRANT_NO, sat_acl(tmpl, "hq", "template.edit"));
	assert_int_equal(SAT_GRANT_NO, sat_acl(tmpl, "rep", "no.such"));
	assert_int_equal(SAT_GRANT_NO, sat_acl(tmpl, "", "import"));
}

static void
work_that_came_by_sync_is_left_to_the_merge(void **state)
{
	record r;

	(void)state;
	begin_customer(&r);
	r.in.from_sync = r.in.flag_missing = true;
	r.in.now_ms = 0;
	r.in.deleted = true;
	change(&r, SAT_VERB_STAGE, "stage", txt("first_contact"));
	change(&r, SAT_VERB_SET, "external_id", txt("X2"));
	change(&r, SAT_VERB_SET, "created_at", sat_v_int(NOW * 2));
	change(&r, SAT_VERB_SET, "name", sat_v_null());
	assert_rc(SAT_OK, judge(&r));
	assert_true(r.out.incomplete);
	/* but a value that is none is refused from everywhere */
	change(&r, SAT_VERB_SET, "industry", txt("C99"));
	assert_rc(SAT_EINVALID, judge(&r));
}

static void
a_deleted_record_must_be_restored_first(void **state)
{
	record r;

	(void)state;
	begin_customer(&r);
	r.in.role = "hq";
	r.in.deleted = true;
	change(&r, SAT_VERB_SET, "remark", txt("文字"));
	assert_rc(SAT_EINVALID, judge(&r));
	change(&r, SAT_VERB_RESTORE, NULL, sat_v_null());
	assert_rc(SAT_OK, judge(&r));
}

static void
a_field_of_another_kind_is_refused(void **state)
{
	record r;

	(void)state;
	begin_customer(&r);
	r.changes[r.nchanges++] = (sat_change){ SAT_VERB_SET,
		sat_kind_field(sat_template_kind(tmpl, "contact"), "name"),
		txt("王芳") };
	assert_rc(SAT_EINVALID, judge(&r));
	assert_string_equal("validation.type", r.err.code);
}

/* ---- retired things and slow patterns: a template of our own --------------------- */

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

/* ---- text typed by people ------------------------------------------------------------ */

static const struct typed {
	const char *kind, *field, *text, *want; /* want: text form, or "!code" */
} typed[] = {
	{ "opportunity", "amount", "50万", "500000.00" },
	{ "opportunity", "amount", "1.2亿", "120000000.00" },
	{ "opportunity", "amount", "3.5万元", "35000.00" },
	{ "opportunity", "amount", "1千万", "10000000.00" },
	{ "opportunity", "amount", "￥1,200.50", "1200.50" },
	{ "opportunity", "amount", "１２，０００元", "12000.00" },
	{ "opportunity", "amount", "50w", "500000.00" },
	{ "opportunity", "amount", "1054", "1054.00" },
	{ "opportunity", "amount", "0.1", "0.10" },
	{ "opportunity", "amount", "0.00001万", "0.10" },
	{ "opportunity", "amount", "0.001", "!type" },
	{ "opportunity", "amount", "-1", "!range" },
	{ "opportunity", "amount", "1001亿", "!range" },
	{ "opportunity", "amount", "99999999999999999999", "!type" },
	{ "opportunity", "amount", "五十万", "!type" },
	{ "opportunity", "amount", "1.2.3", "!type" },
	{ "opportunity", "amount", "万", "!type" },
	{ "account", "employees", "2,822", "2822" },
	{ "account", "employees", "１２", "12" },
	{ "account", "employees", "1.5", "!type" },
	{ "account", "employees", "1.5万", "15000" },
	{ "opportunity", "expected_close", "2026/11/21", "2026-11-21" },
	{ "opportunity", "expected_close", "2026-11-21", "2026-11-21" },
	{ "opportunity", "expected_close", "2026年11月21日", "2026-11-21" },
	{ "opportunity", "expected_close", "2026年1月5日", "2026-01-05" },
	{ "opportunity", "expected_close", "2026.11.21", "2026-11-21" },
	{ "opportunity", "expected_close", "20261121", "2026-11-21" },
	{ "opportunity", "expected_close", "２０２６／１１／２１", "2026-11-21" },
	{ "opportunity", "expected_close", "2026-11-21 00:00:00", "2026-11-21" },
	{ "opportunity", "expected_close", "2026-02-30", "!type" },
	{ "opportunity", "expected_close", "tomorrow", "!type" },
	{ "opportunity", "won_at", "2026-11-21 09:12", "2026-11-21T01:12:00Z" },
	{ "opportunity", "won_at", "2026年11月21日 09:12", "2026-11-21T01:12:00Z" },
	{ "opportunity", "won_at", "2017-03-01", "2017-02-28T16:00:00Z" },
	{ "opportunity", "won_at", "2026-11-21T01:12:03.250Z",
	    "2026-11-21T01:12:03.250Z" },
	{ "account", "stage", "商务谈判", "negotiation" },
	{ "account", "stage", "Engaging", "need_confirmed" },
	{ "account", "stage", "随便", "!option" },
	{ "account", "industry", "软件和信息技术服务业", "I65" },
	{ "account", "phone_main", "138 1234 5678", "+8613812345678" },
	{ "account", "phone_main", "010-62345678", "+861062345678" },
	{ "account", "phone_main", "0591-87654321", "+8659187654321" },
	{ "account", "phone_main", "021-6234567-801", "+86216234567-801" },
	{ "account", "phone_main", "400-820-8820", "+864008208820" },
	{ "account", "phone_main", "+1 415 555 2671", "+14155552671" },
	{ "account", "phone_main", "12812345678", "!pattern" },
	{ "account", "phone_main", "1381234567", "!pattern" },
	{ "account", "phone_main", "5678", "!pattern" },
	{ "account", "phone_main", "0123-4567890", "!pattern" },
	{ "account", "phone_main", "none", "!pattern" },
	{ "account", "email", "ａ＠ｂ．cn", "a@b.cn" },
	{ "account", "name", "　甲公司 ", "甲公司" },
	{ "account", "name", "a\x07" "b", "!type" },
	{ "account", "name", "   ", "" },
	{ "account", "owner", "u1", "u1" },
	{ "activity", "effective", "是", "true" },
	{ "activity", "effective", "No", "false" },
	{ "activity", "effective", "maybe", "!type" },
	{ "activity", "account", "01ARZ3NDEKTSV4RRFFQ69G5FAV",
	    "01arz3ndektsv4rrffq69g5fav" },
	{ "activity", "account", "01ARZ3", "!type" },
	{ "contact", "roles", "决策人", "decider" },
};

static void
typed_text_becomes_a_value_and_reads_back(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof typed / sizeof typed[0]; i++) {
		const struct typed *row = &typed[i];
		const sat_field *f = sat_kind_field(
		    sat_template_kind(tmpl, row->kind), row->field);
		sat_buf b = { 0 }, again = { 0 };
		sat_arena a = { 0 };
		sat_value v, v2;
		sat_err err = { 0 };
		sat_rc rc = sat_field_parse(&v, &a, tmpl, f,
		    sat_span_str(row->text), &err);

		if (row->want[0] == '!') {
			if (rc != SAT_EINVALID ||
			    strcmp(err.fields[0].code, row->want + 1) != 0)
				fail_msg("'%s': rc %d %s", row->text, (int)rc,
				    err.code);
			sat_arena_fini(&a);
			continue;
		}
		if (rc != SAT_OK)
			fail_msg("'%s': %s", row->text, err.text);
		sat_field_format(&b, tmpl, f, v, NULL);
		assert_string_equal(row->want, sat_buf_cstr(&b));
		/* an export read back changes nothing, in any language */
		assert_ok(sat_field_parse(&v2, &a, tmpl, f, sat_buf_span(&b),
		    &err));
		assert_true(sat_value_eq(v, v2));
		sat_field_format(&again, tmpl, f, v, "zh");
		assert_ok(sat_field_parse(&v2, &a, tmpl, f, sat_buf_span(&again),
		    &err));
		if (f->type != SAT_F_TIME)
			assert_true(sat_value_eq(v, v2));
		sat_buf_fini(&b);
		sat_buf_fini(&again);
		sat_arena_fini(&a);
	}
}

static void
values_are_shown_in_the_readers_language(void **state)
{
	static const struct {
		const char *kind, *field, *lang, *want;
		sat_vtype type;
		const char *text;
		int64_t i;
	} rows[] = {
		{ "account", "stage", "zh", "商务谈判", SAT_V_TEXT, "negotiation", 0 },
		{ "account", "stage", "en", "Negotiation", SAT_V_TEXT,
		    "negotiation", 0 },
		{ "account", "stage", "en", "gone", SAT_V_TEXT, "gone", 0 },
		{ "contact", "roles", "zh", "采购, 决策人", SAT_V_TEXT,
		    "buyer\ndecider", 0 },
		{ "opportunity", "won_at", "zh", "2024-06-01 00:00", SAT_V_INT,
		    NULL, 1717171200000 },
		{ "activity", "effective", "zh", "否", SAT_V_INT, NULL, 0 },
		{ "activity", "effective", "en", "yes", SAT_V_INT, NULL, 1 },
		{ "account", "name", "zh", "", SAT_V_NULL, NULL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		sat_value v = { rows[i].type, rows[i].i,
			sat_span_str(rows[i].text != NULL ? rows[i].text : "") };
		sat_buf b = { 0 };

		sat_field_format(&b, tmpl, sat_kind_field(sat_template_kind(tmpl,
		    rows[i].kind), rows[i].field), v, rows[i].lang);
		assert_string_equal(rows[i].want, sat_buf_cstr(&b));
		sat_buf_fini(&b);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_rule_refuses_with_its_code),
		cmocka_unit_test(a_new_customer_needs_all_six_fields),
		cmocka_unit_test(all_findings_are_listed_at_once),
		cmocka_unit_test(an_incomplete_record_stays_editable),
		cmocka_unit_test(a_lost_customer_needs_its_reason),
		cmocka_unit_test(rows_that_never_change_refuse_changes),
		cmocka_unit_test(rights_follow_role_and_relation),
		cmocka_unit_test(a_rep_may_not_create_for_somebody_else),
		cmocka_unit_test(the_matrix_answers_by_role_and_action),
		cmocka_unit_test(work_that_came_by_sync_is_left_to_the_merge),
		cmocka_unit_test(a_deleted_record_must_be_restored_first),
		cmocka_unit_test(a_field_of_another_kind_is_refused),
		cmocka_unit_test(
		    a_module_that_is_off_takes_nothing_new_and_keeps_what_it_has),
		cmocka_unit_test(retired_fields_and_options_take_nothing_new),
		cmocka_unit_test(a_pattern_that_takes_too_many_steps_does_not_match),
		cmocka_unit_test(typed_text_becomes_a_value_and_reads_back),
		cmocka_unit_test(values_are_shown_in_the_readers_language),
	};

	return cmocka_run_group_tests(tests, load_base, free_base);
}
