/*
 * What is printed is read back into modules: the three finders stand where a
 * reader looks for them, around them it is light, and the modules are those of
 * the code.
 */
#include "tests/lib/unit.h"

#include "common/qr/qr.h"

#include <qrencode.h>

#define SIDE_MAX 200

/* dark[row][col]; side. */
static int
read_back(bool dark[SIDE_MAX][SIDE_MAX], const char *s)
{
	int row = 0, col = 0, side = 0;

	while (*s != '\0') {
		bool upper = true, lower = true; /* dark: nothing is printed */

		assert_in_range(row, 0, SIDE_MAX - 2);
		assert_in_range(col, 0, SIDE_MAX - 1);
		if (*s == '\n') {
			side = side == 0 ? col : side;
			assert_int_equal(side, col); /* every line as long */
			row += 2;
			col = 0;
			s++;
			continue;
		}
		if (*s == ' ') {
			s++;
		} else {
			assert_memory_equal("\xe2\x96", s, 2);
			upper = (uint8_t)s[2] == 0x84; /* only the lower half */
			lower = (uint8_t)s[2] == 0x80;
			s += 3;
		}
		dark[row][col] = upper;
		dark[row + 1][col] = lower;
		col++;
	}
	return side;
}

static void
finder_at(bool dark[SIDE_MAX][SIDE_MAX], int top, int left)
{
	for (int r = 0; r < 7; r++)
		for (int c = 0; c < 7; c++) {
			bool ring = r == 0 || r == 6 || c == 0 || c == 6;
			bool core = r >= 2 && r <= 4 && c >= 2 && c <= 4;

			assert_int_equal(ring || core, dark[top + r][left + c]);
		}
}

static void
a_code_is_printed_module_by_module(void **state)
{
	static bool dark[SIDE_MAX][SIDE_MAX];
	static const char text[] = "satchel1.an-invitation-is-about-this-long."
	    "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
	QRcode *q = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_M);
	sat_buf b = { 0 };
	sat_err err;
	int side, end;

	(void)state;
	assert_non_null(q);
	assert_ok(sat_qr_terminal(&b, text, &err));
	side = read_back(dark, sat_buf_cstr(&b));
	assert_int_equal(q->width + 2 * SAT_QR_QUIET, side);
	end = side - SAT_QR_QUIET;
	finder_at(dark, SAT_QR_QUIET, SAT_QR_QUIET);
	finder_at(dark, SAT_QR_QUIET, end - 7);
	finder_at(dark, end - 7, SAT_QR_QUIET);
	for (int r = 0; r < side; r++)
		for (int c = 0; c < side; c++) {
			bool inside = r >= SAT_QR_QUIET && r < end &&
			    c >= SAT_QR_QUIET && c < end;

			assert_int_equal(inside && (q->data[(r - SAT_QR_QUIET) *
			    q->width + c - SAT_QR_QUIET] & 1), dark[r][c]);
		}
	QRcode_free(q);
	sat_buf_fini(&b);
}

static void
what_no_screen_shows_is_refused(void **state)
{
	char text[SAT_QR_TEXT_MAX + 2];
	sat_buf b = { 0 };
	sat_err err;

	(void)state;
	memset(text, 'x', sizeof text);
	text[sizeof text - 1] = '\0';
	assert_rc(SAT_EINVALID, sat_qr_terminal(&b, text, &err));
	assert_rc(SAT_EINVALID, sat_qr_terminal(&b, "", &err));
	text[SAT_QR_TEXT_MAX] = '\0';
	assert_ok(sat_qr_terminal(&b, text, &err));
	sat_buf_fini(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_code_is_printed_module_by_module),
		cmocka_unit_test(what_no_screen_shows_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
