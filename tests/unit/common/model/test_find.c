/*
 * What a person types into a search box, and what it finds.
 */
#include "tests/lib/unit.h"

#include "common/model/find.h"
#include "common/model/han.h"
#include "common/model/pinyin.h"

static void
folds_to(const char *text, const char *want)
{
	sat_buf b = { 0 };

	sat_fold(&b, sat_span_str(text));
	assert_string_equal(sat_buf_cstr(&b), want);
	sat_buf_fini(&b);
}

static void
reads(const char *text, bool person, const char *full, const char *initials)
{
	sat_buf b = { 0 };

	sat_pinyin(&b, sat_span_str(text), person);
	assert_string_equal(sat_buf_cstr(&b), full);
	sat_buf_reset(&b);
	sat_pinyin_initials(&b, sat_span_str(text), person);
	assert_string_equal(sat_buf_cstr(&b), initials);
	sat_buf_fini(&b);
}

/* Every word of the query in the text: the worst of them. */
static sat_hit
hit(const char *query, const char *text)
{
	static sat_needle q;
	sat_buf b = { 0 };
	sat_hit worst = SAT_HIT_EXACT, h;

	sat_needle_make(&q, sat_span_str(query));
	sat_fold(&b, sat_span_str(text));
	if (q.n == 0)
		worst = SAT_HIT_NONE;
	for (size_t i = 0; i < q.n; i++) {
		h = sat_word_hit(&q.word[i], sat_buf_span(&b), NULL, NULL);
		if (h > worst)
			worst = h;
	}
	sat_buf_fini(&b);
	return worst;
}

static sat_hit
phone(const char *query, const char *text)
{
	static sat_needle q;
	sat_buf b = { 0 };
	sat_hit h;

	sat_needle_make(&q, sat_span_str(query));
	sat_phone_digits(&b, sat_span_str(text));
	h = sat_needle_phone(&q, sat_buf_span(&b), NULL, NULL);
	sat_buf_fini(&b);
	return h;
}

static void
width_case_and_variants_are_folded(void **state)
{
	(void)state;
	folds_to("Ａｃｍｅ　（北京）", "acme (北京)");
	folds_to("華為技術", "华为技术");
	folds_to("臺灣後臺", "台湾后台");
	folds_to("  Hello   World ", "hello world");
	folds_to("张 三", "张三");
	folds_to("ﬁne Ⅳ ㈱", "fine iv (株)");
	folds_to("乾隆", "乾隆"); /* simplified as it stands */
	folds_to("", "");
	folds_to("a\xff" "b", "ab");
	folds_to("Ｅ\xcc\x81", "é"); /* composed */
}

static void
a_fold_of_a_fold_is_the_same(void **state)
{
	uint64_t seed = sat_test_seed(11);
	sat_buf a = { 0 }, b = { 0 }, c = { 0 };

	(void)state;
	for (int i = 0; i < 3000; i++) {
		size_t n = sat_test_rand(&seed) % 12;

		sat_buf_reset(&a);
		for (size_t k = 0; k < n; k++) {
			uint32_t u = (uint32_t)sat_test_rand(&seed) % 0x3000;

			u += sat_test_rand(&seed) % 2 ? 0x4E00 : 0x20;
			sat_write_u8(&a, (uint8_t)(0xE0 | u >> 12));
			if (u < 0x800)
				a.p[a.n - 1] = (uint8_t)(u & 0x7F) | 0x20;
			else {
				sat_write_u8(&a, (uint8_t)(0x80 | (u >> 6 & 63)));
				sat_write_u8(&a, (uint8_t)(0x80 | (u & 63)));
			}
		}
		sat_buf_reset(&b);
		sat_buf_reset(&c);
		sat_fold(&b, sat_buf_span(&a));
		sat_fold(&c, sat_buf_span(&b));
		if (!sat_span_eq(sat_buf_span(&b), sat_buf_span(&c)))
			fail_msg("'%s' folds to '%s' and that to '%s'",
			    sat_buf_cstr(&a), sat_buf_cstr(&b),
			    sat_buf_cstr(&c));
	}
	sat_buf_fini(&a);
	sat_buf_fini(&b);
	sat_buf_fini(&c);
}

static void
names_and_words_are_read_as_people_read_them(void **state)
{
	(void)state;
	reads("华为技术", false, "hua wei ji shu", "hwjs");
	reads("曾国藩", true, "zeng guo fan", "zgf");
	reads("曾经", false, "ceng jing", "cj");
	reads("单雄信", true, "shan xiong xin", "sxx");
	reads("仇英", true, "qiu ying", "qy");
	reads("解缙", true, "xie jin", "xj");
	reads("尉迟恭", true, "yu chi gong", "ycg");
	reads("万俟卨", true, "mo qi xie", "mqx");
	reads("重庆银行", false, "chong qing yin hang", "cqyh");
	reads("长沙重工", false, "chang sha zhong gong", "cszg");
	reads("重慶銀行", false, "chong qing yin hang", "cqyh");
	reads("绿源", false, "lv yuan", "ly");
	reads("ABC科技2号", false, "abc ke ji 2 hao", "abckj2h");
	reads("", false, "", "");
}

static void
a_word_is_found_as_it_stands(void **state)
{
	(void)state;
	assert_int_equal(hit("华为技术有限公司", "华为技术有限公司"), SAT_HIT_EXACT);
	assert_int_equal(hit("华为", "华为技术有限公司"), SAT_HIT_PREFIX);
	assert_int_equal(hit("技术", "华为技术有限公司"), SAT_HIT_INSIDE);
	assert_int_equal(hit("華為", "华为技术有限公司"), SAT_HIT_PREFIX);
	assert_int_equal(hit("华为", "華為技術"), SAT_HIT_PREFIX);
	assert_int_equal(hit("ＡＣＭＥ", "acme ltd"), SAT_HIT_PREFIX);
	assert_int_equal(hit("acme 有限", "Acme 上海有限公司"), SAT_HIT_INSIDE);
	assert_int_equal(hit("中兴", "华为技术有限公司"), SAT_HIT_NONE);
	assert_int_equal(hit("华为 中兴", "华为技术有限公司"), SAT_HIT_NONE);
	assert_int_equal(hit("  ", "华为"), SAT_HIT_NONE);
}

static void
a_word_is_found_by_its_pinyin(void **state)
{
	(void)state;
	assert_int_equal(hit("huawei", "华为技术有限公司"), SAT_HIT_PINYIN);
	assert_int_equal(hit("HuaW", "华为技术有限公司"), SAT_HIT_INITIALS);
	assert_int_equal(hit("huawe", "华为技术有限公司"), SAT_HIT_PINYIN);
	assert_int_equal(hit("hwjs", "华为技术有限公司"), SAT_HIT_INITIALS);
	assert_int_equal(hit("jishu", "华为技术有限公司"), SAT_HIT_PINYIN_INSIDE);
	assert_int_equal(hit("yxgs", "华为技术有限公司"), SAT_HIT_INITIALS_INSIDE);
	assert_int_equal(hit("华wei", "华为技术有限公司"), SAT_HIT_PINYIN);
	assert_int_equal(hit("xi'an", "西安电子"), SAT_HIT_PINYIN);
	assert_int_equal(hit("xian", "西安电子"), SAT_HIT_PINYIN);
	assert_int_equal(hit("zhsh", "中石化"), SAT_HIT_INITIALS);
	assert_int_equal(hit("xiphone", "星iPhone"), SAT_HIT_INITIALS);
	assert_int_equal(hit("zusb", "大张USB"), SAT_HIT_INITIALS_INSIDE);
	assert_int_equal(hit("zusb", "大张卡USB"), SAT_HIT_NONE);
	assert_int_equal(hit("hwtech", "华为Tech"), SAT_HIT_INITIALS);
	assert_int_equal(hit("hwzz", "华为技术有限公司"), SAT_HIT_NONE);
	assert_int_equal(hit("huaweijishuyouxiangongsi", "华为技术有限公司"),
	    SAT_HIT_PINYIN);
	assert_int_equal(hit("huaweijishuyouxiangongsia", "华为技术有限公司"),
	    SAT_HIT_NONE);
}

/* It is left out of what is typed, for xi'an may mean 西安. */
static void
a_name_with_an_apostrophe_is_found_with_it_and_without(void **state)
{
	(void)state;
	assert_true(hit("O'Neil", "O'Neil Trading") < SAT_HIT_INSIDE);
	assert_true(hit("oneil", "O'Neil Trading") < SAT_HIT_INSIDE);
	assert_true(hit("neil'", "O'Neil Trading") < SAT_HIT_NONE);
	assert_true(hit("xi'an", "The Xi'an Works") < SAT_HIT_NONE);
	assert_true(hit("dianzi'a", "西安电子A") < SAT_HIT_NONE);
	assert_int_equal(hit("oneill", "O'Neil Trading"), SAT_HIT_NONE);
	assert_int_equal(hit("on", "O-Neil Trading"), SAT_HIT_NONE);
}

static void
every_reading_of_a_character_finds_it(void **state)
{
	(void)state;
	assert_int_equal(hit("shan", "单雄信"), SAT_HIT_PINYIN);
	assert_int_equal(hit("zeng", "曾国藩"), SAT_HIT_PINYIN);
	assert_int_equal(hit("qiuying", "仇英"), SAT_HIT_PINYIN);
	assert_int_equal(hit("xiejin", "解缙"), SAT_HIT_PINYIN);
	assert_int_equal(hit("ouyang", "区阳"), SAT_HIT_PINYIN);
	assert_int_equal(hit("piao", "朴树"), SAT_HIT_PINYIN);
	assert_int_equal(hit("moqi", "万俟卨"), SAT_HIT_PINYIN);
	assert_int_equal(hit("chongqing", "重庆啤酒"), SAT_HIT_PINYIN);
	assert_int_equal(hit("zhonggong", "重工"), SAT_HIT_PINYIN);
	assert_int_equal(hit("yinhang", "招商银行"), SAT_HIT_PINYIN_INSIDE);
	assert_int_equal(hit("changsha", "长沙银行"), SAT_HIT_PINYIN);
	assert_int_equal(hit("zhangsun", "长孙无忌"), SAT_HIT_PINYIN);
	assert_int_equal(hit("lvyuan", "绿源"), SAT_HIT_PINYIN);
	assert_int_equal(hit("luyuan", "绿源"), SAT_HIT_PINYIN);
}

static void
a_phone_is_found_by_its_tail_or_as_a_whole(void **state)
{
	(void)state;
	assert_int_equal(phone("5678", "+86 138 1234 5678"), SAT_HIT_TAIL);
	assert_int_equal(phone("１３８１２３４５６７８", "13812345678"), SAT_HIT_EXACT);
	assert_int_equal(phone("+86 138-1234-5678", "13812345678"), SAT_HIT_EXACT);
	assert_int_equal(phone("1381234", "13812345678"), SAT_HIT_PREFIX);
	assert_int_equal(phone("8123456", "13812345678"), SAT_HIT_INSIDE);
	assert_int_equal(phone("1234", "13812345678"), SAT_HIT_NONE);
	assert_int_equal(phone("678", "13812345678"), SAT_HIT_NONE);
	assert_int_equal(phone("56789", "13812345678"), SAT_HIT_NONE);
	assert_int_equal(phone("a5678", "13812345678"), SAT_HIT_NONE);
}

static void
what_was_met_is_shown_in_the_text(void **state)
{
	static sat_needle q;
	size_t at, len;
	sat_buf b = { 0 };
	const char *text = "（上海） 華為Ｔech";

	(void)state;
	sat_fold(&b, sat_span_str(text));
	sat_needle_make(&q, sat_span_str("hwtech"));
	assert_int_not_equal(sat_word_hit(&q.word[0], sat_buf_span(&b), &at,
	    &len), SAT_HIT_NONE);
	assert_true(sat_fold_place(&at, &len, sat_span_str(text), at, len));
	assert_int_equal(at, strlen("（上海） "));
	assert_int_equal(len, strlen("華為Ｔech"));
	sat_buf_fini(&b);
}

/* Much of the same: it ends, and soon. */
static void
a_hostile_word_is_given_up(void **state)
{
	static sat_needle q;
	sat_buf text = { 0 }, word = { 0 };

	(void)state;
	for (int i = 0; i < 500; i++) {
		sat_buf_str(&text, "阿恶");
		sat_buf_str(&word, "ae");
	}
	sat_buf_str(&word, "x");
	sat_needle_make(&q, sat_buf_span(&word));
	for (int i = 0; i < 20; i++)
		(void)sat_word_hit(&q.word[0], sat_buf_span(&text), NULL, NULL);
	assert_true(q.word[0].n <= SAT_NEEDLE_MAX);
	sat_buf_fini(&text);
	sat_buf_fini(&word);
}

static const char *const pieces[] = { "上", "海", "云", "帆", "单", "重", "长", "行",
	"乐", "安", "西", "阿", "嗯", "吕", "a", "c", "ux", "yun", "2025", "-", "\xC2\xB7",
	"\xF0\xA0\x80\x80", "sh", "'", " " };
static const char *const typed[] = { "上", "海", "云", "帆", "单", "长", "行", "s", "h",
	"y", "yun", "fan", "sh", "z", "a", "n", "an", "lv", "x", "u", "2025", "c", "g",
	"\xC2\xB7", "\xF0\xA0\x80\x80", "'" };

static void
some(sat_buf *out, const char *const *from, size_t n, size_t max, uint64_t *seed)
{
	size_t k = 1 + sat_test_rand(seed) % max;
	sat_buf b = { 0 };

	for (size_t i = 0; i < k; i++)
		sat_buf_str(&b, from[sat_test_rand(seed) % n]);
	sat_buf_reset(out);
	sat_fold(out, sat_buf_span(&b));
	sat_buf_fini(&b);
}

/* The same word without what passes places over. */
static sat_word
slow(const sat_word *w)
{
	sat_word all = *w;

	all.any_next = true;
	all.initial = false;
	memset(all.starts, 0xFF, sizeof all.starts);
	return all;
}

/* What is passed over, in either form of a text, would not have been met. */
static void
nothing_that_is_met_is_passed_over(void **state)
{
	static sat_needle q;
	uint64_t seed = sat_test_seed(11);
	sat_buf word = { 0 }, text = { 0 }, units = { 0 };
	size_t met = 0, packed = 0;

	(void)state;
	for (int i = 0; i < 3000; i++) {
		some(&word, typed, sizeof typed / sizeof *typed, 3, &seed);
		sat_needle_make(&q, sat_buf_span(&word));
		for (int j = 0; j < 40 && q.n == 1; j++) {
			const sat_word *w = &q.word[0];
			sat_word all = slow(w);
			sat_hit want;

			some(&text, pieces, j % 2 == 0 ? 14 :
			    sizeof pieces / sizeof *pieces, 6, &seed);
			want = sat_word_hit(&all, sat_buf_span(&text), NULL,
			    NULL);
			if (want != sat_word_hit(w, sat_buf_span(&text), NULL,
			    NULL))
				fail_msg("%.*s in %s", (int)w->n, w->text,
				    sat_buf_cstr(&text));
			met += want < SAT_HIT_NONE;
			if (want < SAT_HIT_NONE && sat_word_near(w,
			    sat_buf_span(&text)) == NULL)
				fail_msg("%.*s in %s", (int)w->n, w->text,
				    sat_buf_cstr(&text));
			if (!sat_han_only(sat_buf_span(&text)))
				continue;
			sat_buf_reset(&units);
			sat_han_pack(&units, sat_buf_span(&text));
			assert_int_equal(want, sat_word_hit_han(w,
			    sat_buf_span(&units)));
			if (want < SAT_HIT_NONE)
				assert_true(sat_word_near_han(w,
				    sat_buf_span(&units)));
			packed += want < SAT_HIT_NONE;
		}
	}
	assert_true(packed > 500 && met > packed + 500);
	sat_buf_fini(&word);
	sat_buf_fini(&text);
	sat_buf_fini(&units);
}

static void
a_packed_text_is_two_thirds_and_comes_back(void **state)
{
	const char *text = "一上海云帆\xE9\xBF\xBF"; /* U+4E00, U+9FFF */
	sat_buf units = { 0 };
	uint8_t back[64];

	(void)state;
	assert_true(sat_han_only(sat_span_str(text)));
	assert_false(sat_han_only(sat_span_str("")));
	assert_false(sat_han_only(sat_span_str("上海a")));
	assert_false(sat_han_only(sat_span_str("上·")));
	assert_false(sat_han_only(sat_span_str("\xE3\x90\x80"))); /* U+3400 */
	assert_false(sat_han_only(sat_span_str("\xEA\x80\x80"))); /* U+A000 */
	assert_false(sat_han_only(sat_span_of("上", 2)));
	sat_han_pack(&units, sat_span_str(text));
	assert_int_equal(units.n, 12);
	assert_int_equal(0, sat_han_unit(units.p));
	assert_int_equal(strlen(text), sat_han_unpack(back,
	    sat_buf_span(&units)));
	assert_memory_equal(text, back, strlen(text));
	assert_int_equal(0, sat_han_unpack(back, sat_span_of("\xFF\xFF\x01", 3)));
	sat_buf_fini(&units);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(width_case_and_variants_are_folded),
		cmocka_unit_test(a_fold_of_a_fold_is_the_same),
		cmocka_unit_test(names_and_words_are_read_as_people_read_them),
		cmocka_unit_test(a_word_is_found_as_it_stands),
		cmocka_unit_test(a_word_is_found_by_its_pinyin),
		cmocka_unit_test(a_name_with_an_apostrophe_is_found_with_it_and_without),
		cmocka_unit_test(every_reading_of_a_character_finds_it),
		cmocka_unit_test(a_phone_is_found_by_its_tail_or_as_a_whole),
		cmocka_unit_test(what_was_met_is_shown_in_the_text),
		cmocka_unit_test(a_hostile_word_is_given_up),
		cmocka_unit_test(nothing_that_is_met_is_passed_over),
		cmocka_unit_test(a_packed_text_is_two_thirds_and_comes_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
