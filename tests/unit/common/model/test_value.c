#include "tests/lib/unit.h"

#include "common/model/value.h"

static void
a_value_comes_back_as_it_was_written(void **state)
{
	sat_value in[] = { sat_v_null(), sat_v_int(INT64_MIN), sat_v_int(0),
		sat_v_int(INT64_MAX), sat_v_text(sat_span_str("联系人")),
		sat_v_text(sat_span_str("")), sat_v_bytes(sat_span_of("\0\xff", 2)) };
	size_t n = sizeof in / sizeof in[0];
	sat_buf b = { 0 };
	sat_reader r;
	sat_err err;

	(void)state;
	for (size_t i = 0; i < n; i++)
		sat_value_write(&b, in[i]);
	r = sat_reader_of(sat_buf_span(&b));
	for (size_t i = 0; i < n; i++)
		assert_true(sat_value_eq(in[i], sat_value_read(&r)));
	assert_ok(sat_read_end(&r, "value", &err));
	sat_buf_fini(&b);
}

static void
malformed_values_turn_the_reader_bad(void **state)
{
	static const struct {
		const char *bytes;
		size_t n;
	} bad[] = {
		{ "\x04", 1 },             /* unknown type */
		{ "\x02\x03" "ab", 4 },    /* cut short */
		{ "\x02\x02\xc0\x80", 4 }, /* overlong NUL */
		{ "\x02\x01\x00", 3 },     /* NUL in text */
		{ "\x03\x81\x80\x04", 4 }, /* 65537 bytes */
		{ "", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		sat_reader r = sat_reader_of(sat_span_of(bad[i].bytes, bad[i].n));
		sat_value v = sat_value_read(&r);

		assert_non_null(r.fault);
		assert_int_equal(SAT_V_NULL, v.type);
	}
}

static void
types_order_before_values(void **state)
{
	sat_value up[] = { sat_v_null(), sat_v_int(-5), sat_v_int(7),
		sat_v_text(sat_span_str("")), sat_v_text(sat_span_str("a")),
		sat_v_text(sat_span_str("ab")), sat_v_text(sat_span_str("b")),
		sat_v_bytes(sat_span_str("")), sat_v_bytes(sat_span_str("a")) };
	int n = (int)(sizeof up / sizeof up[0]);

	(void)state;
	for (int i = 0; i < n; i++)
		for (int k = 0; k < n; k++) {
			int c = sat_value_cmp(up[i], up[k]);

			assert_int_equal((i > k) - (i < k), (c > 0) - (c < 0));
		}
}

static void
a_copied_value_outlives_its_source(void **state)
{
	char text[] = "old";
	sat_arena a = { 0 };
	sat_value v = sat_value_dup(&a, sat_v_text(sat_span_of(text, 3)));

	(void)state;
	text[0] = 'x';
	assert_true(sat_span_eq(v.s, sat_span_str("old")));
	sat_arena_fini(&a);
}

static sat_id
random_id(uint64_t *s)
{
	uint8_t r[8];
	uint64_t v = sat_test_rand(s);

	memcpy(r, &v, 8);
	return sat_id_make((int64_t)(sat_test_rand(s) >> 16),
	    (uint32_t)(sat_test_rand(s) & 0xFFFF), r);
}

static void
id_texts_sort_like_ids_and_read_back(void **state)
{
	uint64_t seed = sat_test_seed(11);

	(void)state;
	for (int i = 0; i < 2000; i++) {
		sat_id a = random_id(&seed), b = random_id(&seed), c;
		char ta[SAT_ID_TEXT], tb[SAT_ID_TEXT];
		int want = memcmp(a.b, b.b, 16), got;

		sat_id_text(ta, &a);
		sat_id_text(tb, &b);
		got = strcmp(ta, tb);
		assert_int_equal((want > 0) - (want < 0), (got > 0) - (got < 0));
		assert_true(sat_id_parse(&c, ta));
		assert_true(sat_id_eq(&a, &c));
	}
}

static void
an_id_is_time_then_device_then_chance(void **state)
{
	static const uint8_t r[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };
	static const uint8_t want[16] = { 0x01, 0x02, 0x03, 0x04, 0x05, 0x06,
		0xAB, 0xCD, 1, 2, 3, 4, 5, 6, 7, 8 };
	sat_id id = sat_id_make(0x010203040506, 0xABCD, r);
	char text[SAT_ID_TEXT];

	(void)state;
	assert_memory_equal(want, id.b, 16);
	memset(&id, 0xFF, sizeof id);
	sat_id_text(text, &id);
	assert_string_equal("7zzzzzzzzzzzzzzzzzzzzzzzzz", text);
	memset(&id, 0, sizeof id);
	assert_true(sat_id_zero(&id));
}

static void
a_prefix_names_the_ids_that_start_with_it(void **state)
{
	sat_id lo, hi, id;
	uint64_t seed = sat_test_seed(12);
	char text[SAT_ID_TEXT];

	(void)state;
	id = random_id(&seed);
	sat_id_text(text, &id);
	for (size_t n = 6; n <= 26; n++) {
		char p[SAT_ID_TEXT];

		memcpy(p, text, n);
		p[n] = '\0';
		assert_true(sat_id_prefix(&lo, &hi, p));
		assert_true(memcmp(lo.b, id.b, 16) <= 0);
		assert_true(memcmp(hi.b, id.b, 16) >= 0);
	}
	assert_true(sat_id_eq(&lo, &id) && sat_id_eq(&hi, &id));
	assert_false(sat_id_prefix(&lo, &hi, "01234"));
	assert_false(sat_id_prefix(&lo, &hi, "01234u"));
	assert_false(sat_id_prefix(&lo, &hi, "812345"));
	assert_false(sat_id_parse(&id, "0123"));
	/* what people confuse */
	assert_true(sat_id_parse(&id, "oIlABCDEFGHJKMNPQRSTVWXYZ0"));
	sat_id_text(text, &id);
	assert_string_equal("011abcdefghjkmnpqrstvwxyz0", text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_value_comes_back_as_it_was_written),
		cmocka_unit_test(malformed_values_turn_the_reader_bad),
		cmocka_unit_test(types_order_before_values),
		cmocka_unit_test(a_copied_value_outlives_its_source),
		cmocka_unit_test(id_texts_sort_like_ids_and_read_back),
		cmocka_unit_test(an_id_is_time_then_device_then_chance),
		cmocka_unit_test(a_prefix_names_the_ids_that_start_with_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
