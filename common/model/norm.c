/*
 * Most "conflicts" and missed duplicates are one thing typed two ways: an input
 * method left in full width, +86 or not, 有限公司 or not. Folding happens here
 * and nowhere else, so that device and server agree byte for byte.
 */
#include "common/model/norm_int.h"

#include <stdlib.h>
#include <string.h>
#include <unicase.h>
#include <uninorm.h>
#include <unistr.h>

#include "common/base/mem.h"

/* Code point at p, its length in *n (>= 1; a bad byte is U+FFFD of length 1). */
static ucs4_t
rune_at(const uint8_t *p, size_t left, size_t *n)
{
	ucs4_t c;
	int len = u8_mbtouc(&c, p, left);

	*n = len > 0 ? (size_t)len : 1;
	return c;
}

static bool
is_space(ucs4_t c)
{
	return (c >= 9 && c <= 13) || c == ' ' || c == 0x85 || c == 0xA0 ||
	    c == 0x1680 || (c >= 0x2000 && c <= 0x200B) || c == 0x2028 ||
	    c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000 ||
	    c == 0xFEFF;
}

/* Tab and line feed are text; every other C0, DEL and C1 is not. */
static bool
is_control(ucs4_t c)
{
	return (c < 0x20 && c != '\t' && c != '\n') || (c >= 0x7F && c < 0xA0);
}

/* In these ranges nothing decomposes or composes: no table look-up needed. */
static bool
is_nfc_inert(ucs4_t c)
{
	return c < 0x300 || (c >= 0x4E00 && c <= 0x9FFF) ||
	    (c >= 0x3000 && c <= 0x3029) || (c >= 0xFF01 && c <= 0xFF60) ||
	    (c >= 0x2010 && c <= 0x2027);
}

/* Three bytes of UTF-8 at p as an inert, visible character; 0 = look closer. */
static ucs4_t
inert_of_three(const uint8_t *p)
{
	ucs4_t c = (ucs4_t)(p[0] & 0x0F) << 12 | (ucs4_t)(p[1] & 0x3F) << 6 |
	    (ucs4_t)(p[2] & 0x3F);

	if ((p[1] & 0xC0) != 0x80 || (p[2] & 0xC0) != 0x80 || c < 0x800)
		return 0;
	return is_nfc_inert(c) ? c : 0;
}

/* Three bytes of UTF-8 at p: U+4E00 to U+9FFF, which is inert and visible? */
static bool
is_han(const uint8_t *p)
{
	unsigned front = (unsigned)p[0] << 8 | p[1];

	return front - 0xE4B8 <= 0xE9BF - 0xE4B8 &&
	    (((p[1] ^ 0x80) | (p[2] ^ 0x80)) & 0xC0) == 0;
}

/* Eight bytes from 0x20 to 0x7E. */
static bool
is_ascii_eight(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof v);
	/* a borrow out of a byte below 0x20 sets its highest bit */
	return ((v | (v + 0x0101010101010101u) | (v - 0x2020202020202020u)) &
	    0x8080808080808080u) == 0;
}

/*
 * Is the trimmed text surely its own stored form? ASCII, Latin and what a
 * Chinese input method gives is decided here in one pass over the bytes; false
 * means nothing. The gate asks this of every text of every commit.
 */
static bool
is_plain(sat_span s)
{
	size_t i = 0;

	while (i < s.n) {
		uint8_t b = s.p[i];

		if (b < 0x80) {
			if (s.n - i >= 8 && is_ascii_eight(s.p + i)) {
				i += 8;
				continue;
			}
			if (b < 0x20 ? b != '\t' && b != '\n' : b == 0x7F)
				return false;
			i++;
		} else if (s.n - i >= 8 && sat_utf8_two_han(s.p + i)) {
			i += 6; /* nothing from U+4000 to U+4DFF composes */
		} else if (s.n - i >= 3 && is_han(s.p + i)) {
			i += 3;
		} else if (b >= 0xE0 && b <= 0xEF && s.n - i >= 3) {
			if (inert_of_three(s.p + i) == 0)
				return false;
			i += 3;
		} else if (b >= 0xC2 && b <= 0xCB && s.n - i >= 2 &&
		    (s.p[i + 1] & 0xC0) == 0x80) {
			if (b == 0xC2 && s.p[i + 1] < 0xA0)
				return false; /* C1 */
			i += 2;
		} else {
			return false;
		}
	}
	return true;
}

/* Are the first and the last character surely no spaces? Usually. */
static bool
is_trimmed(sat_span s)
{
	uint8_t last;

	if (s.n == 0 || ((s.p[0] <= ' ' || s.p[0] >= 0x7F) &&
	    (s.n < 3 || !is_han(s.p))))
		return false;
	last = s.p[s.n - 1];
	return (last > ' ' && last < 0x7F) ||
	    (s.n >= 3 && is_han(s.p + s.n - 3));
}

sat_span
sat_norm_trimmed(sat_span s)
{
	size_t n, at;

	if (is_trimmed(s))
		return s;
	while (s.n > 0 && is_space(rune_at(s.p, s.n, &n))) {
		s.p += n;
		s.n -= n;
	}
	while (s.n > 0) {
		for (at = s.n - 1; at > 0 && (s.p[at] & 0xC0) == 0x80; at--)
			;
		if (!is_space(rune_at(s.p + at, s.n - at, &n)))
			break;
		s.n = at;
	}
	return s;
}

/*
 * CR LF becomes LF: the same note typed on two systems must not differ. A lone
 * CR is a control character.
 */
bool
sat_norm_text(sat_buf *out, sat_span s)
{
	size_t n, start = out->n;
	bool inert = true;
	ucs4_t c;

	s = sat_norm_trimmed(s);
	if (s.n == 0)
		return true;
	if (is_plain(s)) {
		sat_buf_add(out, s.p, s.n);
		return true;
	}
	if (!sat_utf8_ok(s.p, s.n))
		return false;
	for (size_t i = 0; i < s.n; i += n) {
		c = rune_at(s.p + i, s.n - i, &n);
		if (c == '\r' && i + 1 < s.n && s.p[i + 1] == '\n')
			continue;
		if (is_control(c)) {
			out->n = start;
			return false;
		}
		inert = inert && is_nfc_inert(c);
		sat_buf_add(out, s.p + i, n);
	}
	if (!inert) {
		size_t len = 0;
		uint8_t *nfc = u8_normalize(UNINORM_NFC, out->p + start,
		    out->n - start, NULL, &len);

		if (nfc == NULL) {
			out->n = start;
			return false;
		}
		out->n = start;
		sat_buf_add(out, nfc, len);
		free(nfc);
	}
	return true;
}

bool
sat_norm_is_text(sat_span s)
{
	sat_span t = sat_norm_trimmed(s);
	sat_buf b = { 0 };
	bool ok;

	if (t.n != s.n)
		return false;
	if (is_plain(s))
		return true;
	ok = sat_norm_text(&b, s) && sat_span_eq(sat_buf_span(&b), s);
	sat_buf_fini(&b);
	return ok;
}

void
sat_norm_width(sat_buf *out, sat_span s)
{
	size_t n;

	for (size_t i = 0; i < s.n; i += n) {
		ucs4_t c;

		for (n = 0; i + n < s.n && s.p[i + n] < 0x80; n++)
			;
		if (n > 0) { /* a run of ASCII stays what it is */
			sat_buf_add(out, s.p + i, n);
			continue;
		}
		c = rune_at(s.p + i, s.n - i, &n);
		if (c == 0x3000)
			sat_write_u8(out, ' ');
		else if (c >= 0xFF01 && c <= 0xFF5E)
			sat_write_u8(out, (uint8_t)(c - 0xFEE0));
		else
			sat_buf_add(out, s.p + i, n);
	}
}

/* ---- names ----------------------------------------------------------------- */

/* What separates words or only decorates: brackets, commas, dots, dashes. */
static bool
is_separator(ucs4_t c)
{
	if (is_space(c))
		return true;
	if (c < 0x80)
		return c < '0' || (c > '9' && c < '@') ||
		    (c > 'Z' && c < 'a' && c != '_') || c > 'z';
	return c == 0xB7 || (c >= 0x2010 && c <= 0x2027) ||
	    (c >= 0x3001 && c <= 0x3003) || (c >= 0x3008 && c <= 0x301B) ||
	    c == 0x30FB;
}

static const struct suffix {
	const char *text;
	bool word; /* a word of its own: "Zinc" does not end with Inc. */
} suffixes[] = {
	{ "有限责任公司", false }, { "股份有限公司", false },
	{ "有限公司", false }, { "集团", false },
	{ "co", true }, { "ltd", true }, { "inc", true },
};

/* One pass: the length left when a suffix was found, else n. */
static size_t
without_suffix(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
		size_t len = strlen(suffixes[i].text);

		if (n <= len || memcmp(p + n - len, suffixes[i].text, len) != 0)
			continue;
		if (!suffixes[i].word || p[n - len - 1] == ' ' ||
		    p[n - len - 1] >= 0x80)
			return n - len;
	}
	return n;
}

/* ASCII and common ideographs: nothing to fold but A-Z. Most names are these,
 * and every name written is folded for its match key. */
static bool
fold_plain(sat_buf *out, sat_span s)
{
	size_t n;

	for (size_t i = 0; i < s.n; i += n) {
		ucs4_t c = rune_at(s.p + i, s.n - i, &n);

		if (c >= 0x80 && (c < 0x4E00 || c > 0x9FFF))
			return false;
	}
	for (size_t i = 0; i < s.n; i += n) {
		ucs4_t c = rune_at(s.p + i, s.n - i, &n);

		if (c >= 'A' && c <= 'Z')
			sat_write_u8(out, (uint8_t)(c + 32));
		else if (is_separator(c))
			sat_write_u8(out, ' ');
		else
			sat_buf_add(out, s.p + i, n);
	}
	return true;
}

/* Case and width folded, separators one space each; NUL never occurs. */
static void
fold_words(sat_buf *out, sat_span s)
{
	size_t len = 0, n;
	uint8_t *folded;
	const uint8_t *p;

	if (fold_plain(out, s))
		return;
	folded = s.n > 0 && sat_utf8_ok(s.p, s.n) ?
	    u8_casefold(s.p, s.n, NULL, UNINORM_NFKC, NULL, &len) : NULL;
	p = folded != NULL ? folded : s.p;
	if (folded == NULL)
		len = s.n;
	for (size_t i = 0; i < len; i += n) {
		if (is_separator(rune_at(p + i, len - i, &n)))
			sat_write_u8(out, ' ');
		else
			sat_buf_add(out, p + i, n);
	}
	free(folded);
}

void
sat_norm_name(sat_buf *out, sat_span s)
{
	sat_buf b = { 0 };
	size_t n, left, start = out->n;

	fold_words(&b, s);
	for (n = b.n; n > 0; n = left) {
		while (n > 0 && b.p[n - 1] == ' ')
			n--;
		left = n > 0 ? without_suffix(b.p, n) : 0;
		if (left == n)
			break;
	}
	/* A name made of suffixes alone ("集团有限公司") keeps itself. */
	for (int whole = 0; whole < 2 && out->n == start; whole++)
		for (size_t i = 0; i < (whole ? b.n : n); i++)
			if (b.p[i] != ' ')
				sat_write_u8(out, b.p[i]);
	sat_buf_fini(&b);
}

/* ---- keys ------------------------------------------------------------------ */

/* Width folded, runs of white space one space, outer white space off. */
static void
plain_key(sat_buf *out, sat_span s)
{
	sat_buf wide = { 0 };
	bool gap = false;
	sat_span t;
	size_t n;

	sat_norm_width(&wide, s);
	t = sat_norm_trimmed(sat_buf_span(&wide));
	for (size_t i = 0; i < t.n; i += n) {
		if (is_space(rune_at(t.p + i, t.n - i, &n))) {
			gap = true;
			continue;
		}
		if (gap)
			sat_write_u8(out, ' ');
		gap = false;
		sat_buf_add(out, t.p + i, n);
	}
	sat_buf_fini(&wide);
}

void
sat_norm_key(sat_buf *out, sat_norm_kind kind, sat_span s)
{
	if (kind == SAT_NORM_PHONE)
		sat_norm_phone(out, s);
	else if (kind == SAT_NORM_NAME)
		sat_norm_name(out, s);
	else
		plain_key(out, s);
}

bool
sat_norm_same(sat_norm_kind kind, sat_span a, sat_span b)
{
	sat_buf ka = { 0 }, kb = { 0 };
	bool same;

	if (sat_span_eq(a, b))
		return true;
	sat_norm_key(&ka, kind, a);
	sat_norm_key(&kb, kind, b);
	/* Two texts without a key are not the same thing. */
	same = ka.n > 0 && sat_span_eq(sat_buf_span(&ka), sat_buf_span(&kb));
	sat_buf_fini(&ka);
	sat_buf_fini(&kb);
	return same;
}

bool
sat_uscc_ok(sat_span s)
{
	static const char digit[] = "0123456789ABCDEFGHJKLMNPQRTUWXY";
	int weight = 1, sum = 0;

	if (s.n != 18)
		return false;
	for (int i = 0; i < 18; i++) {
		int c = s.p[i] >= 'a' && s.p[i] <= 'z' ? s.p[i] - 32 : s.p[i];
		const char *at = c != 0 ? strchr(digit, c) : NULL;
		int v;

		if (at == NULL)
			return false;
		v = (int)(at - digit);
		if (i == 17)
			return v == (31 - sum % 31) % 31;
		sum += v * weight;
		weight = weight * 3 % 31;
	}
	return false; /* not reached: the 18th character returned */
}
