/*
 * How wide text is on a terminal. Written here because wcwidth() depends on the
 * locale of the process, and a table of the same customers must line up under
 * LANG=C too. Ranges: Unicode 15, East Asian Width W and F; the ambiguous ones
 * (quotes, arrows, dashes) count one, as terminals outside CJK locales draw them.
 */
#include "client/cli/cli_int.h"

#include <string.h>

typedef struct range {
	uint32_t from, to;
} range;

static const range wide[] = { { 0x1100, 0x115f }, { 0x231a, 0x231b },
	{ 0x2329, 0x232a }, { 0x23e9, 0x23ec }, { 0x25fd, 0x25fe },
	{ 0x2614, 0x2615 }, { 0x2648, 0x2653 }, { 0x26a1, 0x26a1 },
	{ 0x2705, 0x2705 }, { 0x274c, 0x274c }, { 0x2753, 0x2757 },
	{ 0x2795, 0x2797 }, { 0x2b50, 0x2b55 }, { 0x2e80, 0x303e },
	{ 0x3041, 0x33ff }, { 0x3400, 0x4dbf }, { 0x4e00, 0xa4cf },
	{ 0xa960, 0xa97f }, { 0xac00, 0xd7a3 }, { 0xf900, 0xfaff },
	{ 0xfe10, 0xfe19 }, { 0xfe30, 0xfe6f }, { 0xff01, 0xff60 },
	{ 0xffe0, 0xffe6 }, { 0x16fe0, 0x18cff }, { 0x1aff0, 0x1b2ff },
	{ 0x1f004, 0x1f004 }, { 0x1f0cf, 0x1f0cf }, { 0x1f18e, 0x1f18e },
	{ 0x1f191, 0x1f19a }, { 0x1f200, 0x1f320 }, { 0x1f32d, 0x1f64f },
	{ 0x1f680, 0x1f6ff }, { 0x1f7e0, 0x1f7eb }, { 0x1f900, 0x1faff },
	{ 0x20000, 0x3fffd } };
static const range none[] = { { 0x0300, 0x036f }, { 0x0483, 0x0489 },
	{ 0x0591, 0x05bd }, { 0x064b, 0x065f }, { 0x0e31, 0x0e31 },
	{ 0x0e34, 0x0e3a }, { 0x0e47, 0x0e4e }, { 0x1ab0, 0x1aff },
	{ 0x1dc0, 0x1dff }, { 0x200b, 0x200f }, { 0x202a, 0x202e },
	{ 0x2060, 0x2064 }, { 0x20d0, 0x20ff }, { 0x302a, 0x302d },
	{ 0x3099, 0x309a }, { 0xfe00, 0xfe0f }, { 0xfe20, 0xfe2f },
	{ 0xfeff, 0xfeff }, { 0xe0100, 0xe01ef } };

static bool
within(const range *r, size_t n, uint32_t cp)
{
	for (size_t i = 0; i < n && r[i].from <= cp; i++)
		if (cp <= r[i].to)
			return true;
	return false;
}

/* Length of the character at s, and its columns. Never reads past the NUL: a
 * byte that starts nothing stands for itself. */
static size_t
one(const char *s, size_t *width)
{
	const unsigned char *p = (const unsigned char *)s;
	size_t n = *p < 0xc2 ? 1 : *p < 0xe0 ? 2 : *p < 0xf0 ? 3 : *p < 0xf5 ? 4 : 1;
	uint32_t cp = n == 1 ? *p : *p & (0xffu >> (n + 1));

	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80) {
			*width = 1;
			return 1;
		}
		cp = cp << 6 | (p[i] & 0x3f);
	}
	*width = within(wide, sizeof wide / sizeof wide[0], cp) ? 2
	    : within(none, sizeof none / sizeof none[0], cp)    ? 0
	                                                        : 1;
	return n;
}

size_t
cli_width(const char *s)
{
	size_t total = 0, w;

	while (*s != '\0') {
		s += one(s, &w);
		total += w;
	}
	return total;
}

void
cli_cut(sat_buf *out, const char *s, size_t width)
{
	size_t used = 0, w;

	if (cli_width(s) <= width) {
		sat_buf_str(out, s);
		return;
	}
	if (width == 0)
		return;
	for (;;) {
		size_t n = one(s, &w);

		if (used + w > width - 1) /* the last column is the dots' */
			break;
		sat_buf_add(out, s, n);
		used += w;
		s += n;
	}
	sat_buf_str(out, "…");
}

void
cli_pad(sat_buf *out, const char *s, size_t width, bool right)
{
	sat_buf b = { 0 };
	size_t w;

	cli_cut(&b, s, width);
	w = cli_width(sat_buf_cstr(&b));
	if (!right)
		sat_buf_add(out, b.p, b.n);
	for (; w < width; w++)
		sat_buf_str(out, " ");
	if (right)
		sat_buf_add(out, b.p, b.n);
	sat_buf_fini(&b);
}
