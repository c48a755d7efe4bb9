#include "tests/lib/unit.h"

#include "common/base/buf.h"
#include "common/base/clock.h"

static void
integers_come_back_as_they_were_written(void **state)
{
	static const int64_t v[] = { 0, 1, -1, 127, 128, -64, INT64_MAX,
		INT64_MIN };
	sat_buf b = { 0 };
	sat_reader r;
	sat_err err;

	(void)state;
	for (size_t i = 0; i < sizeof v / sizeof v[0]; i++) {
		sat_write_int(&b, v[i]);
		sat_write_uint(&b, (uint64_t)v[i]);
		sat_write_be64(&b, (uint64_t)v[i]);
	}
	r = sat_reader_of(sat_buf_span(&b));
	for (size_t i = 0; i < sizeof v / sizeof v[0]; i++) {
		assert_true(v[i] == sat_read_int(&r));
		assert_true((uint64_t)v[i] == sat_read_uint(&r));
		assert_true((uint64_t)v[i] == sat_read_be64(&r));
	}
	assert_ok(sat_read_end(&r, "test", &err));
	sat_buf_fini(&b);
}

static void
a_reader_that_went_bad_stays_bad(void **state)
{
	static const uint8_t cut[] = { 5, 'a', 'b' };
	static const uint8_t longform[] = { 0x80, 0x00 };
	sat_reader r = sat_reader_of(sat_span_of(cut, sizeof cut));

	(void)state;
	assert_int_equal(0, sat_read_span(&r, 10).n);
	assert_int_equal(0, sat_read_u8(&r));
	assert_rc(SAT_EPROTO, sat_read_end(&r, "test", NULL));
	r = sat_reader_of(sat_span_of(longform, sizeof longform));
	(void)sat_read_uint(&r);
	assert_rc(SAT_EPROTO, sat_read_end(&r, "test", NULL));
}

static sat_rc
read_number(uint64_t *v, sat_span in)
{
	sat_reader r = sat_reader_of(in);

	*v = sat_read_uint(&r);
	return sat_read_end(&r, "test", NULL);
}

static void
a_number_is_read_whole_and_in_its_shortest_form_alone(void **state)
{
	static const uint8_t bad[][11] = {
		{ 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2 },
		{ 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x81 },
		{ 0x81, 0x80, 0 },
	};
	static const size_t bad_n[] = { 10, 11, 3 };
	sat_buf b = { 0 };
	uint64_t v;

	(void)state;
	for (unsigned bits = 0; bits < 64; bits++)
		for (uint64_t less = 0; less < 2; less++) {
			uint64_t want = ((uint64_t)1 << bits) - less;

			sat_buf_reset(&b);
			sat_write_uint(&b, want);
			assert_rc(SAT_OK, read_number(&v,
			    sat_buf_span(&b)));
			assert_true(v == want);
			for (size_t n = 0; n < b.n; n++) {
				assert_rc(SAT_EPROTO, read_number(&v,
				    sat_span_of(b.p, n)));
				assert_true(v == 0);
			}
		}
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		assert_rc(SAT_EPROTO, read_number(&v,
		    sat_span_of(bad[i], bad_n[i])));
		assert_true(v == 0);
	}
	sat_buf_fini(&b);
}

/* Of two to eight bytes it is read at once, when as many are left. */
static void
a_number_ends_where_it_says(void **state)
{
	static const uint8_t more[8] = { 0x80, 0xff, 1, 0xff, 0x80, 0, 0xff, 9 };
	sat_buf b = { 0 };
	sat_reader r;

	(void)state;
	for (unsigned bits = 0; bits < 64; bits++)
		for (uint64_t less = 0; less < 2; less++) {
			uint64_t want = ((uint64_t)0x5a5a5a5a5a5a5a5b >>
			    (63 - bits)) - less;

			sat_buf_reset(&b);
			sat_write_uint(&b, want);
			sat_buf_add(&b, more, sizeof more);
			r = sat_reader_of(sat_buf_span(&b));
			assert_true(sat_read_uint(&r) == want);
			assert_int_equal(sizeof more, r.left);
		}
	/* two to eight bytes, the last of them 0 */
	for (size_t n = 2; n <= 8; n++) {
		sat_buf_reset(&b);
		for (size_t i = 1; i < n; i++)
			sat_write_u8(&b, 0x81);
		sat_write_u8(&b, 0);
		sat_buf_add(&b, more, sizeof more);
		r = sat_reader_of(sat_buf_span(&b));
		assert_true(sat_read_uint(&r) == 0);
		assert_string_equal("bad varint", r.fault);
		assert_int_equal(0, sat_read_u8(&r));
	}
	sat_buf_fini(&b);
}

static void
what_is_cut_short_is_copied_as_zeros(void **state)
{
	static const uint8_t in[] = { 1, 2, 3 };
	uint8_t out[2] = { 9, 9 };
	sat_reader r = sat_reader_of(sat_span_of(in, sizeof in));

	(void)state;
	sat_read_copy(&r, out, sizeof out);
	assert_memory_equal("\1\2", out, sizeof out);
	sat_read_copy(&r, out, sizeof out);
	assert_memory_equal("\0\0", out, sizeof out);
	assert_rc(SAT_EPROTO, sat_read_end(&r, "test", NULL));
}

/* Whether or not the text fits the room that is left. */
static void
formatted_text_is_appended_whole(void **state)
{
	char want[300] = "", part[100];

	(void)state;
	for (size_t had = 0; had < 200; had++) {
		sat_buf b = { 0 };

		memset(want, 'x', had);
		for (size_t i = 0; i < had; i++)
			sat_buf_add(&b, "x", 1);
		for (int n = 0; n < 90; n += 11) {
			(void)snprintf(part, sizeof part, "%*d", n, 7);
			b.n = had;
			sat_buf_fmt(&b, "%*d", n, 7);
			memcpy(want + had, part, strlen(part) + 1);
			assert_int_equal(strlen(want), b.n);
			assert_memory_equal(want, b.p, b.n);
		}
		sat_buf_fmt(&b, "%s", "");
		assert_string_equal(want, sat_buf_cstr(&b));
		sat_buf_fini(&b);
	}
}

static void
utf8_is_checked_strictly(void **state)
{
	(void)state;
	assert_true(sat_utf8_ok("行囊 é 😀", strlen("行囊 é 😀")));
	assert_false(sat_utf8_ok("\xc0\x80", 2));
	assert_false(sat_utf8_ok("\xed\xa0\x80", 3));
	assert_false(sat_utf8_ok("a\0b", 3));
	/* eight at a time: a fault in any place of a long text */
	for (size_t i = 0; i < 40; i++) {
		static const char bad[] = { 0, (char)0x80, (char)0xff };
		char text[40];

		for (size_t k = 0; k < sizeof bad; k++) {
			memset(text, k == 0 ? 1 : 127, sizeof text);
			assert_true(sat_utf8_ok(text, sizeof text));
			text[i] = bad[k];
			assert_false(sat_utf8_ok(text, sizeof text));
		}
	}
	assert_false(sat_utf8_ok("\xe8\xa1", 2));
}

static void
a_fault_in_chinese_text_is_seen_in_every_byte(void **state)
{
	char text[15];

	(void)state;
	for (size_t i = 0; i < sizeof text; i++)
		for (int c = 0; c < 256; c++) {
			bool ok = i % 3 != 0 ? (c & 0xc0) == 0x80 :
			    c > 0xe0 && c < 0xf0 && c != 0xed;

			for (size_t k = 0; k < sizeof text; k += 3)
				memcpy(text + k, "行", 3);
			text[i] = (char)c;
			/* 0xe0 and 0xed have limits of their own */
			if (i % 3 == 0 && (c == 0xe0 || c == 0xed))
				continue;
			assert_int_equal(ok, sat_utf8_ok(text, sizeof text));
		}
}

/* A character of three bytes; form 0, or what is no such character's. */
static void
three_bytes(uint8_t *p, unsigned c, unsigned form)
{
	p[0] = (uint8_t)((form == 1 ? 0xf0 : 0xe0) | c >> 12);
	p[1] = (uint8_t)((form == 2 ? 0xc0 : 0x80) | (c >> 6 & 0x3f));
	p[2] = (uint8_t)((form == 3 ? 0x00 : 0x80) | (c & 0x3f));
}

static void
two_chinese_characters_are_known_by_their_range(void **state)
{
	(void)state;
	for (unsigned c = 0; c <= 0xffff; c++)
		for (unsigned k = 0; k < 8; k++) {
			bool want = c >= 0x4000 && c <= 0x9fff && k / 2 == 0;
			uint8_t text[8];

			memset(text, k % 3 == 0 ? 0xff : 0, sizeof text);
			three_bytes(text, k % 2 == 0 ? c : 0x884c, k % 2 == 0 ?
			    k / 2 : 0);
			three_bytes(text + 3, k % 2 == 0 ? 0x56ca : c,
			    k % 2 == 0 ? 0 : k / 2);
			assert_int_equal(want, sat_utf8_two_han(text));
		}
}

static void
times_are_read_and_written(void **state)
{
	char out[32];
	int64_t ms;

	(void)state;
	assert_true(sat_time_parse(&ms, "2026-11-21T01:12:03Z", 480));
	sat_time_rfc3339(out, ms);
	assert_string_equal("2026-11-21T01:12:03Z", out);
	assert_true(sat_time_parse(&ms, "2024-06-01", 480));
	sat_time_rfc3339(out, ms);
	assert_string_equal("2024-05-31T16:00:00Z", out);
	assert_false(sat_time_parse(&ms, "2023-02-29", 0));
	assert_false(sat_time_parse(&ms, "2023-02-28x", 0));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(integers_come_back_as_they_were_written),
		cmocka_unit_test(a_reader_that_went_bad_stays_bad),
		cmocka_unit_test(
		    a_number_is_read_whole_and_in_its_shortest_form_alone),
		cmocka_unit_test(a_number_ends_where_it_says),
		cmocka_unit_test(what_is_cut_short_is_copied_as_zeros),
		cmocka_unit_test(formatted_text_is_appended_whole),
		cmocka_unit_test(utf8_is_checked_strictly),
		cmocka_unit_test(
		    two_chinese_characters_are_known_by_their_range),
		cmocka_unit_test(a_fault_in_chinese_text_is_seen_in_every_byte),
		cmocka_unit_test(times_are_read_and_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
