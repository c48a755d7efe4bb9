/*
 * Folding and reading go character by character over fixed tables. Text that is
 * ASCII, Chinese and full-width forms - nearly all there is - needs no look
 * into the tables of the Unicode library.
 */
#include "common/model/pinyin.h"

#include "common/model/pinyin_int.h"

#include <stdlib.h>
#include <string.h>
#include <unicase.h>
#include <uninorm.h>
#include <unistr.h>

static bool
is_han(ucs4_t c)
{
	return c >= SAT_HAN_FIRST && c < SAT_HAN_FIRST + SAT_HAN_COUNT;
}

static ucs4_t
next_rune(sat_span s, size_t *i)
{
	ucs4_t c;
	int n = u8_mbtoucr(&c, s.p + *i, s.n - *i);

	*i += n > 0 ? (size_t)n : 1;
	return n > 0 ? c : 0xFFFD;
}

/* ---- folding ----------------------------------------------------------------- */

/* Needs no normalisation: see the cases of fold_rune. */
static bool
is_simple(ucs4_t c)
{
	return c < 0x80 || is_han(c) || (c >= 0x3000 && c <= 0x3029) ||
	    (c >= 0xFF01 && c <= 0xFF5E) || c == 0xFFFD;
}

static bool
is_blank(ucs4_t c)
{
	return c <= ' ' || c == 0x7F || c == 0x3000 || (c >= 0x80 && c <= 0xA0) ||
	    (c >= 0x2000 && c <= 0x200F) || c == 0x2028 || c == 0x2029 ||
	    c == 0xFEFF;
}

static ucs4_t
fold_rune(ucs4_t c)
{
	if (c >= 0xFF01 && c <= 0xFF5E)
		c -= 0xFEE0;
	if (c == 0x3010) /* the other brackets of a Chinese keyboard */
		c = '[';
	if (c == 0x3011)
		c = ']';
	if (c >= 'A' && c <= 'Z')
		return c + 'a' - 'A';
	if (is_han(c) && sat_han_simple[c - SAT_HAN_FIRST] != 0)
		return sat_han_simple[c - SAT_HAN_FIRST];
	return c;
}

static void
put_rune(sat_buf *out, ucs4_t c)
{
	uint8_t u[6];
	int n = u8_uctomb(u, c, sizeof u);

	if (n > 0)
		sat_buf_add(out, u, (size_t)n);
}

static void
fold_simple(sat_buf *out, sat_span s)
{
	size_t start = out->n, i = 0;
	bool blank = false;
	ucs4_t c, before = 0;

	while (i < s.n) {
		c = next_rune(s, &i);
		if (c == 0xFFFD)
			continue;
		if (is_blank(c)) {
			blank = true;
			continue;
		}
		c = fold_rune(c);
		if (blank && out->n > start && !is_han(c) && !is_han(before))
			sat_write_u8(out, ' ');
		blank = false;
		put_rune(out, c);
		before = c;
	}
}

void
sat_fold(sat_buf *out, sat_span s)
{
	size_t i = 0, n = 0;
	uint8_t *wide = NULL;
	bool simple = true;

	while (i < s.n && simple)
		simple = is_simple(next_rune(s, &i));
	/* Normalising takes valid text only; other text is folded as it is. */
	if (!simple && u8_check(s.p, s.n) == NULL)
		wide = u8_casefold(s.p, s.n, NULL, UNINORM_NFKC, NULL, &n);
	fold_simple(out, wide != NULL ? sat_span_of(wide, n) : s);
	free(wide);
}

/* ---- reading ------------------------------------------------------------------ */

static const sat_phrase *
phrase_at(sat_span s)
{
	for (size_t i = 0; i < sat_pinyin_nphrases; i++) {
		size_t n = strlen(sat_pinyin_phrases[i].text);

		if (n <= s.n && memcmp(sat_pinyin_phrases[i].text, s.p, n) == 0)
			return &sat_pinyin_phrases[i];
	}
	return NULL;
}

static uint16_t
surname(ucs4_t c)
{
	for (size_t i = 0; i < sat_pinyin_nsurname; i++)
		if (sat_pinyin_surname[i].han == c)
			return sat_pinyin_surname[i].syllable;
	return 0;
}

/* Says what stands at i: syllables of a phrase or a character, or 0 and the
 * character itself. */
static size_t
read_at(uint16_t *syl, ucs4_t *c, sat_span s, size_t *i, bool first)
{
	const sat_phrase *p = phrase_at(sat_span_of(s.p + *i, s.n - *i));
	size_t n = 0;

	if (p != NULL) {
		*i += strlen(p->text);
		while (n < SAT_PHRASE_MAX && p->syllable[n] != 0) {
			syl[n] = p->syllable[n];
			n++;
		}
		return n;
	}
	*c = next_rune(s, i);
	syl[0] = 0;
	if (is_han(*c)) {
		syl[0] = first ? surname(*c) : 0;
		if (syl[0] == 0)
			syl[0] = sat_pinyin_first[*c - SAT_HAN_FIRST];
	}
	return syl[0] != 0;
}

static void
read_all(sat_buf *out, sat_span text, bool person, bool initials)
{
	sat_buf folded = { 0 };
	uint16_t syl[SAT_PHRASE_MAX];
	size_t i = 0, n, start = out->n;
	bool spoken = false;
	ucs4_t c = 0;
	sat_span s;

	sat_fold(&folded, text);
	s = sat_buf_span(&folded);
	while (i < s.n) {
		n = read_at(syl, &c, s, &i, person && i == 0);
		if (!initials && out->n > start && (spoken || n > 0) &&
		    !(n == 0 && c == ' '))
			sat_write_u8(out, ' ');
		for (size_t k = 0; k < n; k++) {
			if (!initials && k > 0)
				sat_write_u8(out, ' ');
			sat_buf_add(out, sat_pinyin_text[syl[k]],
			    initials ? 1 : strlen(sat_pinyin_text[syl[k]]));
		}
		if (n == 0)
			put_rune(out, c);
		spoken = n > 0;
	}
	sat_buf_fini(&folded);
}

void
sat_pinyin(sat_buf *out, sat_span s, bool person)
{
	read_all(out, s, person, false);
}

void
sat_pinyin_initials(sat_buf *out, sat_span s, bool person)
{
	read_all(out, s, person, true);
}
