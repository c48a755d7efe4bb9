/* Text typed by people becomes values and reads back. */
#include "tests/lib/unit.h"

#include "common/base/clock.h"
#include "common/template/gate.h"
#include "common/template/template.h"
#include "tests/unit/common/template/base.h"
#include "tests/unit/common/template/judged.h"

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
		cmocka_unit_test(typed_text_becomes_a_value_and_reads_back),
		cmocka_unit_test(values_are_shown_in_the_readers_language),
	};

	return cmocka_run_group_tests(tests, load_base, free_base);
}
