/* What people see: widths, cuts, tables, reports; no replica, no terminal. */
#include "tests/lib/unit.h"

#include "client/cli/cli_int.h"

static void
assert_cut(const char *want, const char *s, size_t width)
{
	sat_buf b = { 0 };

	cli_cut(&b, s, width);
	assert_string_equal(want, sat_buf_cstr(&b));
	assert_true(cli_width(sat_buf_cstr(&b)) <= width);
	sat_buf_fini(&b);
}

static void
chinese_and_full_width_forms_count_two(void **state)
{
	(void)state;
	assert_int_equal(0, cli_width(""));
	assert_int_equal(5, cli_width("hello"));
	assert_int_equal(20, cli_width("福州远洋科技有限公司"));
	assert_int_equal(8, cli_width("（无）ab"));
	assert_int_equal(4, cli_width("、。"));
	assert_int_equal(6, cli_width("ＡＢ１"));
	assert_int_equal(2, cli_width("𠀀"));
	assert_int_equal(2, cli_width("한"));
	assert_int_equal(2, cli_width("あ"));
}

static void
latin_marks_and_half_width_forms_count_one(void **state)
{
	(void)state;
	assert_int_equal(4, cli_width("café"));
	assert_int_equal(4, cli_width("cafe\xcc\x81")); /* combining acute */
	assert_int_equal(1, cli_width("—"));
	assert_int_equal(1, cli_width("…"));
	assert_int_equal(2, cli_width("ｱｲ")); /* half-width katakana */
	assert_int_equal(6, cli_width("Привет"));
}

static void
broken_bytes_count_one_each_and_are_not_read_past(void **state)
{
	(void)state;
	assert_int_equal(1, cli_width("\xe7"));
	assert_int_equal(2, cli_width("\xe7\xa6"));
	assert_int_equal(3, cli_width("a\xff" "b"));
	assert_int_equal(2, cli_width("\x80\x80"));
}

static void
a_cut_keeps_whole_characters_and_says_so(void **state)
{
	(void)state;
	assert_cut("hello", "hello", 5);
	assert_cut("hel…", "hello", 4);
	assert_cut("福州…", "福州远洋", 5);
	assert_cut("福…", "福州远洋", 4); /* half a character is none */
	assert_cut("福州远洋", "福州远洋", 8);
	assert_cut("…", "福州", 1);
	assert_cut("", "福州", 0);
	assert_cut("cafe\xcc\x81", "cafe\xcc\x81", 4);
}

static void
any_cut_of_any_text_fits(void **state)
{
	static const char *const parts[] = { "a", "福", "é", "e\xcc\x81", "𠀀",
		"\xe7", "（", " " };
	uint64_t seed = sat_test_seed(7);

	(void)state;
	for (int i = 0; i < 2000; i++) {
		sat_buf s = { 0 }, b = { 0 };
		size_t width = (size_t)(sat_test_rand(&seed) % 20);

		for (uint64_t n = sat_test_rand(&seed) % 24; n > 0; n--)
			sat_buf_str(&s, parts[sat_test_rand(&seed) % 8]);
		cli_pad(&b, sat_buf_cstr(&s), width, (i & 1) != 0);
		assert_int_equal(width, cli_width(sat_buf_cstr(&b)));
		sat_buf_fini(&s);
		sat_buf_fini(&b);
	}
}

/* ---- tables --------------------------------------------------------------------- */

static sat_json *
doc_of(const char *text)
{
	sat_json *doc = NULL;
	sat_err err;

	assert_ok(sat_json_parse(&doc, sat_span_str(text), 0, &err));
	return doc;
}

static void
assert_printed(const char *want, cli *c)
{
	const char *got = sat_buf_cstr(&c->out);

	if (strcmp(want, got) != 0)
		fail_msg("printed:\n%s\nwanted:\n%s", got, want);
	sat_buf_reset(&c->out);
}

#define ROWS "{\"data\":[" \
	"{\"id\":\"01m806vxxp000wf8mbwrmksv28\",\"name\":\"福州远洋\",\"stage\":\"won\"," \
	"\"label\":{\"stage\":\"成交\"},\"amount\":186752800,\"n\":5,\"none\":null," \
	"\"at\":\"2026-11-21T23:26:02Z\",\"tags\":[\"a\",\"b\"]}," \
	"{\"id\":\"01m806vxxp000wf8mbwrmksv29\",\"name\":\"Acme\\tLtd\\n\",\"stage\":\"lost\"," \
	"\"amount\":-5,\"n\":12,\"none\":null,\"at\":null,\"tags\":[]}]}"

static const cli_column cols[] = { { "id", "id", CELL_ID },
	{ "name", "客户", CELL_PLAIN }, { "stage", "stage", CELL_LABEL },
	{ "amount", "amount", CELL_MONEY }, { "n", "n", CELL_NUMBER },
	{ "at", "at", CELL_TIME }, { "tags", "tags", CELL_PLAIN } };

static void
a_table_shows_labels_yuan_and_time_in_aligned_columns(void **state)
{
	cli c = { .format = FMT_TABLE, .quiet = true };
	sat_json *doc = doc_of(ROWS);

	(void)state;
	cli_print_rows(&c, doc, cols, 7);
	assert_printed(
	    "id                  客户       stage        amount   n  at                tags\n"
	    "01m806vxxp000wf8mb  福州远洋   成交   1,867,528.00   5  2026-11-21 23:26  a, b\n"
	    "01m806vxxp000wf8mb  Acme Ltd   lost          -0.05  12\n", &c);
	sat_json_free(doc);
	sat_buf_fini(&c.out);
}

static void
a_pipe_gets_keys_fen_and_utc_tab_separated(void **state)
{
	cli c = { .format = FMT_TSV };
	sat_json *doc = doc_of(ROWS);

	(void)state;
	cli_print_rows(&c, doc, cols, 7);
	assert_printed("01m806vxxp000wf8mbwrmksv28\t福州远洋\twon\t186752800\t5\t"
	               "2026-11-21T23:26:02Z\ta, b\n"
	               "01m806vxxp000wf8mbwrmksv29\tAcme Ltd \tlost\t-5\t12\t\t\n",
	    &c);
	c.format = FMT_CSV;
	cli_print_rows(&c, doc, cols + 1, 2);
	assert_printed("name,stage\n福州远洋,won\nAcme Ltd ,lost\n", &c);
	sat_json_free(doc);
	sat_buf_fini(&c.out);
}

static void
a_csv_holds_no_formula_and_keeps_numbers(void **state) /* T20 */
{
	cli c = { .format = FMT_CSV };
	sat_json *doc = doc_of("{\"data\":[{\"name\":\"=HYPERLINK(\\\"x\\\",1)\","
	    "\"stage\":\"@x\",\"amount\":-5},{\"name\":\"-1+1\",\"stage\":"
	    "\"＝1\",\"amount\":5},{\"name\":\"+8613800138000\",\"stage\":\"-\","
	    "\"amount\":0}]}"), *one;

	(void)state;
	cli_print_rows(&c, doc, cols + 1, 3);
	assert_printed("name,stage,amount\n\"'=HYPERLINK(\"\"x\"\",1)\",'@x,-5\n"
	    "'-1+1,'＝1,5\n+8613800138000,'-,0\n", &c);
	one = doc_of("{\"name\":\"=1\",\"amount\":-5}");
	cli_print_object(&c, one);
	assert_printed("key,value\nname,'=1\namount,-5\n", &c);
	sat_json_free(one);
	sat_json_free(doc);
	sat_buf_fini(&c.out);
}

static void
a_narrow_terminal_cuts_texts_then_leaves_columns_out_but_never_numbers(void **state)
{
	static const cli_column some[] = { { "name", "name", CELL_PLAIN },
		{ "none", "none", CELL_PLAIN }, { "city", "city", CELL_PLAIN },
		{ "amount", "amount", CELL_MONEY } };
	cli c = { .format = FMT_TABLE, .quiet = true, .term_width = 44 };
	sat_json *doc = doc_of("{\"data\":[{\"name\":\"A company with a long name\","
	    "\"none\":null,\"city\":\"Stratford-upon-Avon\",\"amount\":12345600}]}");

	(void)state;
	cli_print_rows(&c, doc, some, 4);
	assert_printed("name                city              amount\n"
	               "A company with a …  Stratford-u…  123,456.00\n", &c);
	c.term_width = 30;
	cli_print_rows(&c, doc, some, 4);
	assert_printed("name                city\n"
	               "A company with a …  Stratford…\n", &c);
	c.term_width = 0; /* no terminal: nothing is cut or left out */
	cli_print_rows(&c, doc, some, 4);
	assert_printed("name                        none  city                     amount\n"
	               "A company with a long name        Stratford-upon-Avon  123,456.00\n",
	    &c);
	sat_json_free(doc);
	sat_buf_fini(&c.out);
}

static void
money_is_grouped_by_thousands(void **state)
{
	static const struct {
		int64_t fen;
		const char *text;
	} m[] = { { 0, "0.00" }, { -5, "-0.05" }, { 99999, "999.99" },
		{ 100000, "1,000.00" }, { -123456789, "-1,234,567.89" },
		{ INT64_MIN, "-92,233,720,368,547,758.08" } };
	sat_buf b = { 0 };

	(void)state;
	for (size_t i = 0; i < 6; i++) {
		sat_buf_reset(&b);
		cli_money_text(&b, m[i].fen);
		assert_string_equal(m[i].text, sat_buf_cstr(&b));
	}
	sat_buf_fini(&b);
}

static void
control_characters_of_a_value_do_not_reach_the_terminal(void **state)
{
	static const cli_column one[] = { { "name", "name", CELL_PLAIN } };
	cli c = { .format = FMT_TABLE, .quiet = true };
	sat_json *doc = doc_of("{\"data\":[{\"name\":\"a\\u001b[2Jb\\u0007\\u007f\"}]}");

	(void)state;
	cli_print_rows(&c, doc, one, 1);
	assert_printed("name\na [2Jb\n", &c);
	sat_json_free(doc);
	sat_buf_fini(&c.out);
}

/* ---- reports --------------------------------------------------------------------- */

#define REPORT "{\"schema\":\"satchel/report/1\"," \
	"\"report\":{\"key\":\"r\",\"title\":\"Ranking\"},\"template\":\"f5b3dab\"," \
	"\"period\":{\"label\":\"all\",\"from\":null,\"to\":null}," \
	"\"as_of\":\"2026-11-21T00:00:00Z\",\"tz\":\"+08:00\",\"columns\":[" \
	"{\"key\":\"rank\",\"title\":\"Rank\",\"unit\":\"rank\"}," \
	"{\"key\":\"account.sector\",\"title\":\"Sector\",\"unit\":\"key\"}," \
	"{\"key\":\"won\",\"title\":\"Won\",\"unit\":\"money\"}," \
	"{\"key\":\"n\",\"title\":\"N\",\"unit\":\"count\"}," \
	"{\"key\":\"rate\",\"title\":\"Rate\",\"unit\":\"percent\"}," \
	"{\"key\":\"avg\",\"title\":\"Average\",\"unit\":\"number\"}],\"rows\":[" \
	"[1,{\"key\":\"retail\",\"label\":\"零售\"},186752800,799," \
	"{\"text\":\"63.06\",\"num\":799,\"den\":1267},{\"text\":\"1.50\",\"num\":3,\"den\":2}]," \
	"[2,{\"key\":\"b2b\",\"label\":\"\"},100,1,{\"text\":null,\"num\":0,\"den\":0}," \
	"{\"text\":null,\"num\":0,\"den\":0}]," \
	"[3,{\"key\":null,\"label\":\"\"},0,0,{\"text\":\"0.00\",\"num\":0,\"den\":3}," \
	"{\"text\":\"0.00\",\"num\":0,\"den\":3}]]," \
	"\"totals\":[186752900,800,{\"text\":\"62.99\",\"num\":800,\"den\":1270}," \
	"{\"text\":\"0.60\",\"num\":3,\"den\":5}],\"coverage\":null," \
	"\"data\":{\"cursor\":1,\"pending_commits\":0,\"complete\":true,\"active_devices\":1}}"

static void
a_total_stands_under_the_measures_and_its_word_under_the_dimension(void **state)
{
	cli c = { .format = FMT_TABLE, .quiet = true, .lang = "en" };
	sat_json *doc = doc_of(REPORT);

	(void)state;
	cli_print_report(&c, doc);
	assert_printed("Rank  Sector           Won    N    Rate  Average\n"
	               "   1  零售    1,867,528.00  799  63.06%     1.50\n"
	               "   2  b2b             1.00    1       —        —\n"
	               "   3  —               0.00    0   0.00%     0.00\n"
	               "      total   1,867,529.00  800  62.99%     0.60\n", &c);
	(void)snprintf(c.lang, sizeof c.lang, "zh");
	cli_print_report(&c, doc);
	assert_non_null(strstr(sat_buf_cstr(&c.out), "      合计    1,867,529.00"));
	sat_json_free(doc);
	sat_buf_fini(&c.out);
}

static void
a_name_cannot_move_the_cursor_or_turn_the_line_around(void **state)
{
	static const cli_column a = { "a", "a", CELL_PLAIN };
	static const struct { const char *json, *shows; } names[] = {
		{ "a\\tb\\u001b[2Jc", "a b [2Jc" },
		{ "evil\xe2\x80\xaegpj", "evil gpj" },       /* U+202E */
		{ "x\xe2\x81\xa6y\xe2\x81\xa9z", "x y z" }, /* U+2066, U+2069 */
		{ "x\xc2\x9b" "31my\xc2\xa0z", "x 31my\xc2\xa0z" }, /* CSI */
		{ "l\xe2\x80\xa8m", "l m" },               /* U+2028 */
		{ "שלום 😀 محمد", "שלום 😀 محمد" } };
	cli c = { .format = FMT_TABLE, .lang = "en" };
	sat_buf b = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		char *text = sat_xasprintf("{\"a\":\"%s\"}", names[i].json);
		sat_json *row = doc_of(text);

		cli_cell_text(&b, &c, row, &a, true);
		assert_string_equal(names[i].shows, sat_buf_cstr(&b));
		cli_cell_text(&b, &c, row, &a, false);
		assert_string_equal(names[i].shows, sat_buf_cstr(&b));
		sat_json_free(row);
		free(text);
	}
	sat_buf_fini(&b);
}

static void
a_pipe_gets_a_reports_rows_without_their_sum(void **state)
{
	cli c = { .format = FMT_TSV, .lang = "en" };
	sat_json *doc = doc_of(REPORT);

	(void)state;
	cli_print_report(&c, doc);
	assert_printed("1\t零售\t1867528.00\t799\t63.06%\t1.50\n"
	               "2\tb2b\t1.00\t1\t—\t—\n"
	               "3\t—\t0.00\t0\t0.00%\t0.00\n", &c);
	c.format = FMT_JSONL;
	cli_print_report(&c, doc);
	assert_int_equal(0, strncmp(sat_buf_cstr(&c.out),
	    "{\"rank\":1,\"account.sector\":{\"key\":\"retail\",", 40));
	sat_json_free(doc);
	sat_buf_fini(&c.out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chinese_and_full_width_forms_count_two),
		cmocka_unit_test(latin_marks_and_half_width_forms_count_one),
		cmocka_unit_test(broken_bytes_count_one_each_and_are_not_read_past),
		cmocka_unit_test(a_cut_keeps_whole_characters_and_says_so),
		cmocka_unit_test(any_cut_of_any_text_fits),
		cmocka_unit_test(a_table_shows_labels_yuan_and_time_in_aligned_columns),
		cmocka_unit_test(a_pipe_gets_keys_fen_and_utc_tab_separated),
		cmocka_unit_test(a_csv_holds_no_formula_and_keeps_numbers),
		cmocka_unit_test(a_narrow_terminal_cuts_texts_then_leaves_columns_out_but_never_numbers),
		cmocka_unit_test(money_is_grouped_by_thousands),
		cmocka_unit_test(control_characters_of_a_value_do_not_reach_the_terminal),
		cmocka_unit_test(a_total_stands_under_the_measures_and_its_word_under_the_dimension),
		cmocka_unit_test(
		    a_name_cannot_move_the_cursor_or_turn_the_line_around),
		cmocka_unit_test(a_pipe_gets_a_reports_rows_without_their_sum),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
