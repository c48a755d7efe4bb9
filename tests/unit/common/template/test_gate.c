/* One change, one verdict: rules, rights, relations. */
#include "tests/lib/unit.h"

#include "common/base/clock.h"
#include "common/template/gate.h"
#include "common/template/template.h"
#include "tests/unit/common/template/base.h"
#include "tests/unit/common/template/judged.h"

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

/* 120 of them are a name, whatever bytes they take and wherever these stand. */
static void
a_length_counts_characters_not_bytes(void **state)
{
	(void)state;
	for (size_t i = 0; i < 3 * 8; i++) {
		size_t n = 119 + i % 3;
		sat_buf b = { 0 };
		record r;

		for (size_t k = 0; k < n; k++)
			sat_buf_str(&b, k % 8 == i / 3 ? "x" : k % 5 == 0 ?
			    "é" : "行");
		begin_customer(&r);
		r.in.role = "hq";
		change(&r, SAT_VERB_SET, "name", txt(sat_buf_cstr(&b)));
		assert_rc(n <= 120 ? SAT_OK : SAT_EINVALID, judge(&r));
		sat_buf_fini(&b);
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
	assert_false(r.out.incomplete); /* nothing of this change's */
	change(&r, SAT_VERB_SET, "name", sat_v_null());
	assert_rc(SAT_EINVALID, judge(&r));
	assert_true(r.out.incomplete);
	r.nchanges--;
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

#define FILE_REF "ab01020300000000000000000000000000000000000000000000000000000000" \
    " 12 text/plain a.txt"

static void
rows_that_never_change_refuse_changes(void **state)
{
	record r;

	(void)state;
	begin(&r, "activity", false);
	change(&r, SAT_VERB_SET, "points", txt("改过"));
	assert_rc(SAT_EINVALID, judge(&r));
	assert_string_equal("validation.append_only", r.err.code);
	/* a file may come later, and is not taken away */
	begin(&r, "activity", false);
	change(&r, SAT_VERB_ADD, "attachments", txt(FILE_REF));
	assert_rc(SAT_OK, judge(&r));
	begin(&r, "activity", false);
	change(&r, SAT_VERB_REMOVE, "attachments", txt(FILE_REF));
	assert_rc(SAT_EINVALID, judge(&r));
	assert_string_equal("validation.append_only", r.err.code);
	begin(&r, "activity", false);
	change(&r, SAT_VERB_ADD, "attachments", txt("/etc/passwd"));
	assert_rc(SAT_EINVALID, judge(&r));
	assert_string_equal("validation.pattern", r.err.code);
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_rule_refuses_with_its_code),
		cmocka_unit_test(a_length_counts_characters_not_bytes),
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
	};

	return cmocka_run_group_tests(tests, load_base, free_base);
}
