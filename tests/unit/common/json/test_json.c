#include "tests/lib/unit.h"

#include "common/json/json.h"

#include <math.h>

static sat_rc
parse_n(const char *text, size_t n, sat_err *e)
{
	sat_json *doc = NULL;
	/* An exact heap copy: a reader that looks past the end is caught. */
	char *copy = malloc(n > 0 ? n : 1);
	sat_rc rc;

	assert_non_null(copy);
	memcpy(copy, text, n);
	rc = sat_json_parse(&doc, sat_span_of(copy, n), 0, e);
	assert_true((rc == SAT_OK) == (doc != NULL));
	sat_json_free(doc);
	free(copy);
	return rc;
}

static void
refused(const char *text)
{
	sat_err err = { 0 };

	if (parse_n(text, strlen(text), &err) != SAT_EPROTO)
		fail_msg("taken: %s", text);
	assert_non_null(strstr(err.text, "line "));
	assert_non_null(strstr(err.text, "column "));
}

static void
taken(const char *text)
{
	sat_err err = { 0 };

	if (parse_n(text, strlen(text), &err) != SAT_OK)
		fail_msg("refused: %s: %s", text, err.text);
}

static char *
nested(size_t depth)
{
	char *s = malloc(2 * depth + 1);

	assert_non_null(s);
	memset(s, '[', depth);
	memset(s + depth, ']', depth);
	s[2 * depth] = '\0';
	return s;
}

static void
depth_32_is_taken_and_33_refused(void **state)
{
	char *ok = nested(32), *deep = nested(33);

	(void)state;
	taken(ok);
	refused(deep);
	free(ok);
	free(deep);
	refused("[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[");
}

static void
integers_end_at_two_to_the_53(void **state)
{
	(void)state;
	taken("9007199254740992");
	taken("-9007199254740992");
	refused("9007199254740993");
	refused("-9007199254740993");
	refused("117964800000000001");
	refused("[1, 123456789012345678901234567890]");
}

static void
numbers_out_of_form_are_refused(void **state)
{
	static const char *const faults[] = { "01", "-01", "00", "1.", ".5",
		"+1", "-", "1e", "1e+", "0x10", "1e999", "-1e999", "NaN",
		"Infinity", "- 1", "1.2.3",
		"0.00000000000000000000000000000000000000000000000000000001" };

	(void)state;
	for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++)
		refused(faults[i]);
	taken("0");
	taken("-0");
	taken("0.5");
	taken("-1.25E-2");
	taken("1e300");
}

static void
duplicate_keys_are_refused_however_they_are_spelled(void **state)
{
	(void)state;
	refused("{\"a\":1,\"a\":2}");
	refused("{\"a\":1,\"b\":2,\"\\u0061\":3}");
	refused("[{\"x\":{\"k\":1,\"z\":0,\"k\":2}}]");
	refused("{\"\":1,\"\":2}");
	taken("{\"a\":1,\"A\":2}");
	taken("{\"a\":{\"a\":{\"a\":1}},\"b\":{\"a\":1}}");
	taken("{\"a\":1,\"ab\":2,\"\":3}");
}

static void
text_that_is_not_clean_utf8_is_refused(void **state)
{
	sat_err err;

	(void)state;
	refused("\"x\\u0000y\"");
	refused("\"\xff\"");
	refused("\"\xc0\xaf\"");         /* overlong */
	refused("\"\xed\xa0\x80\"");     /* surrogate */
	refused("\"\xe4\xb8\"");         /* cut short */
	refused("{\"\xff\":1}");
	refused("\"\\ud800\"");
	refused("\"\\ud800x\"");
	refused("\"\\ud800\\u0041\"");
	refused("\"\\udc00\"");
	refused("\"a\nb\"");
	refused("\"a\tb\"");
	refused("\"\\x41\"");
	refused("\"\\u12g4\"");
	refused("\"\\u12");
	refused("\"\\");
	refused("\"open");
	refused("\xef\xbb\xbf{}");
	assert_rc(SAT_EPROTO, parse_n("\"a\0b\"", 5, &err));
	assert_rc(SAT_EPROTO, parse_n("{}\0", 3, &err));
	taken("\"\\ud83d\\ude00 \xe5\xae\xa2\xe6\x88\xb7 \\u0001\"");
}

static void
nothing_may_follow_or_be_missing(void **state)
{
	static const char *const faults[] = { "", " ", "{}x", "{} {}", "[1,]",
		"{\"a\":1,}", "[1 2]", "{\"a\" 1}", "{a:1}", "{'a':1}", "[",
		"{", "{\"a\"", "{\"a\":", "tru", "True", "nul", "// x\n1",
		"[1]/* */", "]", ",", "{1:2}", "[,1]" };

	(void)state;
	for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++)
		refused(faults[i]);
	taken(" \t\r\n{ \"a\" : [ 1 , 2 ] } \n");
	taken("null");
}

static void
size_and_value_count_are_limited(void **state)
{
	sat_json *doc;
	sat_buf b = { 0 };
	sat_err err;

	(void)state;
	assert_rc(SAT_EINVALID,
	    sat_json_parse(&doc, sat_span_str("[1,2]"), 4, &err));
	assert_null(doc);
	assert_ok(sat_json_parse(&doc, sat_span_str("[1,2]"), 5, &err));
	sat_json_free(doc);
	sat_write_u8(&b, '[');
	for (unsigned i = 0; i < SAT_JSON_NODES_MAX; i++)
		sat_buf_str(&b, "0,");
	sat_buf_str(&b, "0]");
	assert_rc(SAT_EPROTO, sat_json_parse(&doc, sat_buf_span(&b), 0, &err));
	sat_buf_fini(&b);
}

static void
a_fault_says_where_it_is(void **state)
{
	sat_err err = { 0 };

	(void)state;
	assert_rc(SAT_EPROTO, parse_n("{\n  \"\xe5\xae\xa2\": 01\n}", 15, &err));
	assert_non_null(strstr(err.text, "line 2 column 8"));
	assert_rc(SAT_EPROTO, parse_n("{\"a\":1,\n\"a\":2}", 14, &err));
	assert_non_null(strstr(err.text, "line 2 column 1"));
}

static void
members_are_found_by_their_exact_name(void **state)
{
	sat_json *doc;
	sat_err err;

	(void)state;
	assert_ok(sat_json_parse(&doc, sat_span_str("{\"x\":4503599627370497,"
	    "\"s\":\"t\",\"b\":true,\"r\":1.5,\"n\":null,\"a\":[7,8]}"), 0,
	    &err));
	assert_null(sat_json_get(doc, "X"));
	assert_int_equal(4503599627370497, sat_json_get_int(doc, "x", 0));
	assert_string_equal("t", sat_json_get_str(doc, "s", ""));
	assert_string_equal("d", sat_json_get_str(doc, "x", "d"));
	assert_true(sat_json_get_bool(doc, "b", false));
	assert_true(sat_json_get_bool(doc, "s", true));
	assert_int_equal(-1, sat_json_get_int(doc, "r", -1));
	assert_true(sat_json_real(sat_json_get(doc, "r"), 0) == 1.5);
	assert_int_equal(SAT_J_NULL, sat_json_type(sat_json_get(doc, "n")));
	assert_int_equal(SAT_J_REAL, sat_json_type(sat_json_get(doc, "r")));
	assert_int_equal(SAT_J_ARR, sat_json_type(sat_json_get(doc, "a")));
	assert_int_equal(SAT_J_NULL, sat_json_type(NULL));
	assert_int_equal(6, sat_json_count(doc));
	assert_string_equal("x", sat_json_key(sat_json_first(doc)));
	assert_int_equal(8, sat_json_int(sat_json_get(
	    sat_json_get(doc, "a"), "1"), 0));
	assert_null(sat_json_get(sat_json_get(doc, "a"), "2"));
	assert_null(sat_json_get(sat_json_get(doc, "s"), "x"));
	assert_null(sat_json_first(sat_json_get(doc, "s")));
	sat_json_free(doc);
}

static void
a_moment_is_written_in_utc_and_none_as_null(void **state)
{
	sat_json *doc = sat_json_obj();
	sat_buf out = { 0 };

	(void)state;
	sat_json_put_time(doc, "at", 1700000000000);
	sat_json_put_time(doc, "never", 0);
	sat_json_write(&out, doc, false);
	assert_string_equal("{\"at\":\"2023-11-14T22:13:20Z\",\"never\":null}",
	    sat_buf_cstr(&out));
	sat_buf_fini(&out);
	sat_json_free(doc);
}

static void
writing_is_canonical(void **state)
{
	sat_json *doc = sat_json_obj(), *arr;
	sat_buf out = { 0 };

	(void)state;
	sat_json_put_str(doc, "b", "\xe5\xae\xa2\"\\\n\x01");
	sat_json_put_int(doc, "a", 100000000000000);
	arr = sat_json_put_arr(doc, "list");
	sat_json_add_int(arr, 1);
	sat_json_add_str(arr, NULL);
	(void)sat_json_add_obj(arr);
	(void)sat_json_add_arr(arr);
	sat_json_put_bool(doc, "t", true);
	sat_json_set(doc, "a", sat_json_arr());
	sat_json_set(doc, "new", NULL);
	sat_json_del(doc, "t");
	sat_json_del(doc, "absent");
	sat_json_write(&out, doc, true);
	assert_string_equal("{\n  \"b\": \"\xe5\xae\xa2\\\"\\\\\\n\\u0001\",\n"
	    "  \"a\": [],\n  \"list\": [\n    1,\n    null,\n    {},\n"
	    "    []\n  ],\n  \"new\": null\n}\n", sat_buf_cstr(&out));
	sat_buf_reset(&out);
	sat_json_write(&out, doc, false);
	assert_string_equal("{\"b\":\"\xe5\xae\xa2\\\"\\\\\\n\\u0001\",\"a\":[],"
	    "\"list\":[1,null,{},[]],\"new\":null}", sat_buf_cstr(&out));
	sat_buf_fini(&out);
	sat_json_free(doc);
}

/* Write one number and read it back. */
static double
through(double v, char text[64])
{
	sat_json *doc = sat_json_obj(), *back;
	sat_buf out = { 0 };
	sat_err err;
	double got;

	sat_json_put_real(doc, "v", v);
	sat_json_write(&out, doc, false);
	(void)snprintf(text, 64, "%s", sat_buf_cstr(&out));
	assert_ok(sat_json_parse(&back, sat_buf_span(&out), 0, &err));
	got = sat_json_real(sat_json_get(back, "v"), NAN);
	sat_json_free(back);
	sat_json_free(doc);
	sat_buf_fini(&out);
	return got;
}

static void
every_number_comes_back_as_it_was(void **state)
{
	static const double edge[] = { 0.1 + 0.2, 9007199254740992.0,
		9007199254740994.0, 1e16, 1e17, 123456789012345680000.0, 5e-324,
		1.7976931348623157e308, -0.0, 1.0 / 3 };
	uint64_t seed = sat_test_seed(7);
	char text[64];

	(void)state;
	for (size_t i = 0; i < sizeof edge / sizeof edge[0]; i++)
		assert_true(through(edge[i], text) == edge[i]);
	for (int i = 0; i < 20000; i++) {
		uint64_t bits = sat_test_rand(&seed);
		double v;

		memcpy(&v, &bits, sizeof v);
		if (isfinite(v) && through(v, text) != v)
			fail_msg("%a became %s", v, text);
	}
	assert_true(isnan(through(NAN, text)));
	assert_string_equal("{\"v\":null}", text);
	assert_true(through(1e15, text) == 1e15);
	assert_string_equal("{\"v\":1000000000000000}", text);
}

static void
an_integer_beyond_two_to_the_53_travels_as_a_string(void **state)
{
	sat_json *doc = sat_json_obj();
	sat_buf out = { 0 };

	(void)state;
	sat_json_put_int(doc, "a", INT64_MIN);
	sat_json_put_int(doc, "b", 1ll << 53);
	sat_json_write(&out, doc, false);
	assert_string_equal("{\"a\":\"-9223372036854775808\","
	    "\"b\":9007199254740992}", sat_buf_cstr(&out));
	sat_buf_fini(&out);
	sat_json_free(doc);
}

static void
any_bytes_written_as_a_string_are_readable(void **state)
{
	uint64_t seed = sat_test_seed(11);
	sat_err err;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		uint8_t raw[24];
		size_t n = sat_test_rand(&seed) % sizeof raw;
		sat_buf out = { 0 };
		sat_json *doc;

		for (size_t k = 0; k < n; k++)
			raw[k] = (uint8_t)sat_test_rand(&seed);
		sat_json_write_str(&out, sat_span_of(raw, n));
		assert_ok(sat_json_parse(&doc, sat_buf_span(&out), 0, &err));
		if (sat_utf8_ok(raw, n))
			assert_true(sat_span_eq(sat_span_of(raw, n),
			    sat_span_str(sat_json_str(doc, ""))));
		sat_json_free(doc);
		sat_buf_fini(&out);
	}
}

static sat_rc
check(const char *schema, const char *text, sat_err *e)
{
	sat_json *s, *doc;
	sat_err err;
	sat_rc rc;

	assert_ok(sat_json_parse(&s, sat_span_str(schema), 0, &err));
	assert_ok(sat_json_parse(&doc, sat_span_str(text), 0, &err));
	rc = sat_json_validate(doc, s, e);
	sat_json_free(s);
	sat_json_free(doc);
	return rc;
}

static void
a_schema_names_the_path_that_breaks_it(void **state)
{
	static const char schema[] = "{\"title\":\"t\",\"type\":\"object\","
	    "\"required\":[\"id\"],\"additionalProperties\":false,"
	    "\"properties\":{\"id\":{\"type\":\"string\"},\"n\":{\"type\":"
	    "[\"integer\",\"null\"]},\"rows\":{\"type\":\"array\",\"items\":"
	    "{\"enum\":[\"a\",\"b\"]}},\"v\":{\"const\":1}}}";
	sat_err e = { 0 };

	(void)state;
	assert_rc(SAT_OK, check(schema,
	    "{\"id\":\"x\",\"n\":null,\"rows\":[\"a\",\"b\"],\"v\":1}", &e));
	assert_rc(SAT_EINVALID, check(schema, "{}", &e));
	assert_non_null(strstr(e.text, "/id"));
	assert_string_equal("required", e.fields[0].code);
	assert_rc(SAT_EINVALID, check(schema,
	    "{\"id\":\"x\",\"rows\":[\"a\",\"c\"]}", &e));
	assert_non_null(strstr(e.text, "/rows/1"));
	assert_rc(SAT_EINVALID, check(schema, "{\"id\":\"x\",\"n\":1.5}", &e));
	assert_non_null(strstr(e.text, "/n"));
	assert_rc(SAT_EINVALID, check(schema, "{\"id\":\"x\",\"z\":1}", &e));
	assert_non_null(strstr(e.text, "/z"));
	assert_rc(SAT_EINVALID, check(schema, "{\"id\":\"x\",\"v\":2}", &e));
	assert_rc(SAT_EINVALID, check(schema, "[]", &e));
	/* A keyword nobody obeys is not silently passed over. */
	assert_rc(SAT_EINVALID, check("{\"minimum\":3}", "4", &e));
	assert_rc(SAT_OK, check("{\"items\":{\"type\":\"number\"}}", "[1]", &e));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(depth_32_is_taken_and_33_refused),
		cmocka_unit_test(integers_end_at_two_to_the_53),
		cmocka_unit_test(numbers_out_of_form_are_refused),
		cmocka_unit_test(
		    duplicate_keys_are_refused_however_they_are_spelled),
		cmocka_unit_test(text_that_is_not_clean_utf8_is_refused),
		cmocka_unit_test(nothing_may_follow_or_be_missing),
		cmocka_unit_test(size_and_value_count_are_limited),
		cmocka_unit_test(a_fault_says_where_it_is),
		cmocka_unit_test(members_are_found_by_their_exact_name),
		cmocka_unit_test(a_moment_is_written_in_utc_and_none_as_null),
		cmocka_unit_test(writing_is_canonical),
		cmocka_unit_test(every_number_comes_back_as_it_was),
		cmocka_unit_test(
		    an_integer_beyond_two_to_the_53_travels_as_a_string),
		cmocka_unit_test(any_bytes_written_as_a_string_are_readable),
		cmocka_unit_test(a_schema_names_the_path_that_breaks_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
