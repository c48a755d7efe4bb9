#include "tests/lib/unit.h"

#include "common/model/norm.h"

typedef void (*folder)(sat_buf *, sat_span);

static void
assert_folds(folder fold, const char *in, const char *want)
{
	sat_buf b = { 0 };

	fold(&b, sat_span_str(in));
	assert_string_equal(want, sat_buf_cstr(&b));
	sat_buf_fini(&b);
}

static void
stored_text_is_nfc_and_trimmed(void **state)
{
	static const char *const rows[][2] = {
		{ "  a b  ", "a b" }, { "\xE3\x80\x80广州\xC2\xA0", "广州" },
		{ "e\xCC\x81", "\xC3\xA9" }, { "", "" }, { " \t ", "" },
		{ "a\r\nb", "a\nb" }, { "\xEF\xBB\xBFx", "x" },
		{ "ＡＢＣ", "ＡＢＣ" }, /* width is not touched in stored text */
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		sat_buf b = { 0 };

		assert_true(sat_norm_text(&b, sat_span_str(rows[i][0])));
		assert_string_equal(rows[i][1], sat_buf_cstr(&b));
		sat_buf_fini(&b);
	}
}

static void
control_characters_and_broken_utf8_are_refused(void **state)
{
	static const char *const bad[] = { "a\x01", "a\rb", "\x7F" "a",
		"\xC2\x9B" "a", "\xFF", "\xED\xA0\x80", "a\x1B[31m" };

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		sat_buf b = { 0 };

		sat_buf_str(&b, "kept");
		assert_false(sat_norm_text(&b, sat_span_str(bad[i])));
		assert_string_equal("kept", sat_buf_cstr(&b));
		sat_buf_fini(&b);
	}
}

/* UTF-8 of a code point of the basic plane. */
static void
add_rune(sat_buf *b, unsigned c)
{
	if (c < 0x80) {
		sat_write_u8(b, (uint8_t)c);
	} else if (c < 0x800) {
		sat_write_u8(b, (uint8_t)(0xC0 | c >> 6));
		sat_write_u8(b, (uint8_t)(0x80 | (c & 0x3F)));
	} else {
		sat_write_u8(b, (uint8_t)(0xE0 | c >> 12));
		sat_write_u8(b, (uint8_t)(0x80 | (c >> 6 & 0x3F)));
		sat_write_u8(b, (uint8_t)(0x80 | (c & 0x3F)));
	}
}

/* U+2163 is plain text of which the short way knows nothing. */
static void
the_short_way_through_a_text_gives_what_the_long_way_gives(void **state)
{
	sat_buf in = { 0 }, quick = { 0 }, slow = { 0 };

	(void)state;
	for (unsigned c = 1; c <= 0xFFFF; c++) {
		bool ok;

		sat_buf_reset(&in);
		sat_buf_reset(&quick);
		sat_buf_reset(&slow);
		sat_buf_str(&in, "e");
		add_rune(&in, c);
		sat_buf_str(&in, "o");
		ok = sat_norm_text(&quick, sat_buf_span(&in));
		assert_int_equal(ok && sat_span_eq(sat_buf_span(&quick),
		    sat_buf_span(&in)), sat_norm_is_text(sat_buf_span(&in)));
		add_rune(&in, 0x2163);
		assert_int_equal(ok, sat_norm_text(&slow, sat_buf_span(&in)));
		add_rune(&quick, 0x2163);
		if (ok)
			assert_true(sat_span_eq(sat_buf_span(&quick),
			    sat_buf_span(&slow)));
	}
	sat_buf_fini(&in);
	sat_buf_fini(&quick);
	sat_buf_fini(&slow);
}

/* Eight ASCII bytes or one Chinese character at a time: what is neither is seen
 * wherever it stands. */
static void
no_place_in_a_text_is_passed_over(void **state)
{
	static const unsigned odd[] = { 1, 9, 10, 0x1F, 0x7E, 0x7F, 0x80, 0x9F,
		0xA1, 0x3FFF, 0x4000, 0x4DFF, 0x4E00, 0x9FFF, 0xA000, 0xF900 };
	sat_buf in = { 0 }, quick = { 0 }, slow = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof odd / sizeof *odd * 48; i++) {
		size_t at = i % 24;
		bool ok;

		sat_buf_reset(&in);
		sat_buf_reset(&quick);
		sat_buf_reset(&slow);
		for (size_t k = 0; k < 24; k++)
			add_rune(&in, k == at && k > 0 && k < 23 ?
			    odd[i / 48] : i % 48 < 24 ? 'a' : 0x5E7F);
		ok = sat_norm_text(&quick, sat_buf_span(&in));
		assert_int_equal(ok && sat_span_eq(sat_buf_span(&quick),
		    sat_buf_span(&in)), sat_norm_is_text(sat_buf_span(&in)));
		add_rune(&in, 0x2163);
		add_rune(&quick, 0x2163);
		assert_int_equal(ok, sat_norm_text(&slow, sat_buf_span(&in)));
		assert_true(!ok || sat_span_eq(sat_buf_span(&quick),
		    sat_buf_span(&slow)));
	}
	sat_buf_fini(&in);
	sat_buf_fini(&quick);
	sat_buf_fini(&slow);
}

static bool
is_blank(unsigned c)
{
	return (c >= 9 && c <= 13) || c == ' ' || c == 0x85 || c == 0xA0 ||
	    c == 0x1680 || (c >= 0x2000 && c <= 0x200B) || c == 0x2028 ||
	    c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000 ||
	    c == 0xFEFF;
}

static void
blanks_go_from_both_ends_and_nothing_else_does(void **state)
{
	sat_buf in = { 0 }, out = { 0 };

	(void)state;
	for (unsigned i = 2; i <= 2 * 0xFFFF + 1; i++) {
		unsigned c = i / 2;

		sat_buf_reset(&in);
		sat_buf_reset(&out);
		if (i % 2 == 0)
			sat_buf_str(&in, "e");
		add_rune(&in, c);
		if (i % 2 != 0)
			sat_buf_str(&in, "e");
		assert_true(!is_blank(c) ||
		    !sat_norm_is_text(sat_buf_span(&in)));
		if (sat_norm_text(&out, sat_buf_span(&in)))
			assert_int_equal(is_blank(c), out.n == 1);
	}
	sat_buf_fini(&in);
	sat_buf_fini(&out);
}

static void
what_is_not_trimmed_is_no_stored_text(void **state)
{
	(void)state;
	assert_true(sat_norm_is_text(sat_span_str("广州“天河”—1")));
	assert_false(sat_norm_is_text(sat_span_str("广州 ")));
	assert_false(sat_norm_is_text(sat_span_str("\xE3\x80\x80广州")));
	assert_false(sat_norm_is_text(sat_span_str("a\xE5\xB9")));
	assert_false(sat_norm_is_text(sat_span_str("a\r\nb")));
}

static void
one_phone_written_many_ways_has_one_key(void **state)
{
	static const char *const rows[][2] = {
		{ "13812345678", "+8613812345678" },
		{ "138-1234-5678", "+8613812345678" },
		{ "138 1234 5678", "+8613812345678" },
		{ "+86 138 1234 5678", "+8613812345678" },
		{ "8613812345678", "+8613812345678" },
		{ "0086-13812345678", "+8613812345678" },
		{ "１３８１２３４５６７８", "+8613812345678" },
		{ "（+86）13812345678", "+8613812345678" },
		{ "+86 (0)138 1234 5678", "+8613812345678" },
		{ "010-62345678", "+861062345678" },
		{ "(010) 6234 5678", "+861062345678" },
		{ "01062345678", "+861062345678" },
		{ "+86 10 62345678", "+861062345678" },
		{ "86-10-62345678", "+861062345678" },
		{ "0591-87654321", "+8659187654321" },
		{ "021-6234567-801", "+86216234567-801" },
		{ "021-62345678转801", "+862162345678-801" },
		{ "021-62345678 ext. 801", "+862162345678-801" },
		{ "400-820-8820", "+864008208820" },
		{ "4008208820", "+864008208820" },
		{ "95588", "+8695588" },
		{ "+1 415 555 2671", "+14155552671" },
		{ "001 415 555 2671", "+14155552671" },
		{ "+44 20 7946 0958", "+442079460958" },
		{ "5678", "5678" }, { "no phone", "" }, { "", "" },
		{ "62345678", "62345678" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		assert_folds(sat_norm_phone, rows[i][0], rows[i][1]);
}

static void
the_key_of_a_phone_key_is_itself(void **state)
{
	uint64_t seed = sat_test_seed(21);
	static const char pool[] = "0123456789+- ()x转a";

	(void)state;
	for (int i = 0; i < 20000; i++) {
		sat_buf in = { 0 }, a = { 0 }, b = { 0 };
		size_t n = sat_test_rand(&seed) % 24;

		for (size_t k = 0; k < n; k++)
			sat_write_u8(&in, (uint8_t)pool[sat_test_rand(&seed) %
			    (sizeof pool - 1)]);
		sat_norm_phone(&a, sat_buf_span(&in));
		sat_norm_phone(&b, sat_buf_span(&a));
		if (!sat_span_eq(sat_buf_span(&a), sat_buf_span(&b)))
			fail_msg("'%s' -> '%s' -> '%s'", sat_buf_cstr(&in),
			    sat_buf_cstr(&a), sat_buf_cstr(&b));
		sat_buf_fini(&in);
		sat_buf_fini(&a);
		sat_buf_fini(&b);
	}
}

static void
company_names_fold_to_their_core(void **state)
{
	static const char *const rows[][2] = {
		{ "华为技术有限公司", "华为技术" },
		{ "华为 技术 有限公司", "华为技术" },
		{ "阿里巴巴（中国）有限公司", "阿里巴巴中国" },
		{ "阿里巴巴(中国)有限公司", "阿里巴巴中国" },
		{ "甲乙集团股份有限公司", "甲乙" },
		{ "甲乙有限责任公司（集团）", "甲乙" },
		{ "ＡＣＭＥ　Co., Ltd.", "acme" }, { "Acme Co.,Ltd", "acme" },
		{ "ACME, Inc.", "acme" }, { "Zinc", "zinc" },
		{ "Ltd", "ltd" }, { "集团有限公司", "集团" },
		{ "有限公司", "有限公司" }, { "Acme Corporation", "acmecorporation" },
		{ "J-Texon", "jtexon" }, { "···", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		assert_folds(sat_norm_name, rows[i][0], rows[i][1]);
}

static void
equal_after_folding_is_the_same(void **state)
{
	(void)state;
	assert_true(sat_norm_same(SAT_NORM_PLAIN, sat_span_str("Ａ  1"),
	    sat_span_str("A 1")));
	assert_false(sat_norm_same(SAT_NORM_PLAIN, sat_span_str("a"),
	    sat_span_str("A")));
	assert_true(sat_norm_same(SAT_NORM_PHONE, sat_span_str("+86 13812345678"),
	    sat_span_str("13812345678")));
	assert_false(sat_norm_same(SAT_NORM_PHONE, sat_span_str("none"),
	    sat_span_str("unknown")));
	assert_true(sat_norm_same(SAT_NORM_NAME, sat_span_str("A Ltd."),
	    sat_span_str("ａ")));
}

static void
the_uscc_check_character_must_fit(void **state)
{
	(void)state;
	assert_true(sat_uscc_ok(sat_span_str("91350100M000100Y43")));
	assert_true(sat_uscc_ok(sat_span_str("91350100m000100y43")));
	assert_false(sat_uscc_ok(sat_span_str("91350100M000100Y44")));
	assert_false(sat_uscc_ok(sat_span_str("91350100M000100Y4")));
	assert_false(sat_uscc_ok(sat_span_str("9135010OM000100Y43")));
	assert_false(sat_uscc_ok(sat_span_of("9135\0100M000100Y43", 18)));
}

static void
a_masked_phone_shows_four_digits(void **state)
{
	(void)state;
	assert_folds(sat_norm_mask_phone, "13812345678", "***5678");
	assert_folds(sat_norm_mask_phone, "021-6234567-801", "***4567");
	assert_folds(sat_norm_mask_phone, "5678", "***");
	assert_folds(sat_norm_mask_phone, "", "***");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stored_text_is_nfc_and_trimmed),
		cmocka_unit_test(control_characters_and_broken_utf8_are_refused),
		cmocka_unit_test(the_short_way_through_a_text_gives_what_the_long_way_gives),
		cmocka_unit_test(no_place_in_a_text_is_passed_over),
		cmocka_unit_test(
		    blanks_go_from_both_ends_and_nothing_else_does),
		cmocka_unit_test(what_is_not_trimmed_is_no_stored_text),
		cmocka_unit_test(one_phone_written_many_ways_has_one_key),
		cmocka_unit_test(the_key_of_a_phone_key_is_itself),
		cmocka_unit_test(company_names_fold_to_their_core),
		cmocka_unit_test(equal_after_folding_is_the_same),
		cmocka_unit_test(the_uscc_check_character_must_fit),
		cmocka_unit_test(a_masked_phone_shows_four_digits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
