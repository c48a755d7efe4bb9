/*
 * needle.c - what a person typed, made ready to be met: its words, and which
 * characters may stand at the first and second place where one of them is.
 */
#include "common/model/find.h"

#include "common/model/han.h"
#include "common/model/norm.h"
#include "common/model/pinyin.h"
#include "common/model/pinyin_int.h"

#include <string.h>

static int
digit_of(uint8_t c)
{
	return c >= '0' && c <= '9';
}

/* ---- the word -------------------------------------------------------------------- */

/* Letters no syllable begins with: before them none ends after its first, but
 * before a text's own letter (`bare`). */
static bool
begins_none(const sat_word *w, size_t j)
{
	return j < w->n && (w->text[j] == 'i' || w->text[j] == 'u' ||
	    w->text[j] == 'v');
}

static bool
may_begin(const sat_word *w, const char *r)
{
	size_t k = 0;

	while (r[k] != '\0' && k < w->n && r[k] == w->text[k])
		k++;
	if (k == 0)
		return false;
	return r[k] == '\0' || k == w->n || !begins_none(w, 1) ||
	    (k > 1 && r[1] == 'h' && !begins_none(w, 2));
}

/* ---- which characters may stand where ----------------------------------------------- */

/* Sets the bits of the characters that have one of the readings. */
static void
add_read_so(uint8_t *set, const bool *may)
{
	for (uint32_t i = 0; i < SAT_HAN_COUNT; i++)
		set[i / 8] |= (uint8_t)(may[sat_pinyin_first[i]] << (i % 8));
	for (size_t i = 0; i < sat_pinyin_nmore; i++) {
		uint32_t han = sat_pinyin_more[i].han - SAT_HAN_FIRST;

		set[han / 8] |= (uint8_t)
		    (may[sat_pinyin_more[i].syllable] << (han % 8));
	}
}

static void
find_more(sat_word *w)
{
	for (size_t i = 0; i < sat_pinyin_nmore; i++) {
		uint32_t han = sat_pinyin_more[i].han - SAT_HAN_FIRST;

		w->more[han / 8] |= (uint8_t)(1u << (han % 8));
	}
}

/* How far into the word a first character by this reading may lead. */
static void
find_reach(bool *reach, const sat_word *w, const char *r)
{
	size_t k = 0;

	while (r[k] != '\0' && k < w->n && r[k] == w->text[k])
		k++;
	if (k == 0)
		return;
	reach[1] = true;
	if (r[k] == '\0' || (k == w->n && k > 1))
		reach[k] = true;
	if (w->n > 1 && r[1] == 'h' && w->text[1] == 'h')
		reach[2] = true;
}

/* A superset: whatever may stand there is in it. */
static void
find_next(sat_word *w, const bool *reach)
{
	bool may[SAT_SYLLABLES_MAX] = { false };

	w->next_ascii['\'' / 8] |= (uint8_t)(1u << ('\'' % 8));
	for (size_t j = 1; j <= w->n; j++) {
		uint8_t c = j < w->n ? (uint8_t)w->text[j] : 0;
		uint32_t han;

		if (!reach[j])
			continue;
		han = j < w->n ? sat_han_at(sat_span_of(w->text, w->n), j) :
		    SAT_HAN_COUNT;
		if (j == w->n || (c >= 0x80 && han == SAT_HAN_COUNT))
			w->any_next = true;
		else if (c >= 0x80)
			w->next[han / 8] |= (uint8_t)(1u << (han % 8));
		else
			w->next_ascii[c / 8] |= (uint8_t)(1u << (c % 8));
		for (size_t i = 1; i <= sat_pinyin_nsyllables; i++)
			may[i] |= sat_pinyin_text[i][0] == (char)c;
	}
	if (!w->any_next)
		add_read_so(w->next, may);
}

static void
find_starts(sat_word *w)
{
	bool may[SAT_SYLLABLES_MAX] = { false };
	bool reach[SAT_NEEDLE_MAX + 1] = { false };
	uint32_t han = sat_han_at(sat_span_of(w->text, w->n), 0);

	w->initial = w->n == 1;
	w->bare = begins_none(w, 1) ? w->text[1] : '\0';
	for (size_t i = 1; i <= sat_pinyin_nsyllables; i++) {
		may[i] = may_begin(w, sat_pinyin_text[i]);
		w->initial &= !may[i] || sat_pinyin_text[i][1] != '\0';
		find_reach(reach, w, sat_pinyin_text[i]);
	}
	add_read_so(w->starts, may);
	find_more(w);
	if (han < SAT_HAN_COUNT)
		w->starts[han / 8] |= (uint8_t)(1u << (han % 8));
	else if ((uint8_t)w->text[0] >= 0x80)
		w->any_next = true;
	reach[han < SAT_HAN_COUNT ? 3 : 1] = true; /* as it stands */
	find_next(w, reach);
}

static void
pack(sat_word *w)
{
	sat_span text = sat_span_of(w->text, w->n);
	sat_buf b = { 0 };

	if (!sat_han_only(text))
		return;
	sat_han_pack(&b, text);
	w->npacked = b.n;
	memcpy(w->packed, b.p, b.n);
	sat_buf_fini(&b);
}

static void
add_word(sat_needle *q, sat_span s)
{
	sat_word *w = &q->word[q->n];

	memset(w, 0, sizeof *w);
	w->digits = true;
	for (size_t i = 0; i < s.n && w->n < sizeof w->text; i++) {
		bool letter = s.p[i] >= 'a' && s.p[i] <= 'z';

		/* xi'an: where a syllable ends is tried anyway; of O'Neil
		 * it is passed over in the text */
		if (s.p[i] == '\'' && w->letters)
			continue;
		w->letters |= letter;
		w->digits &= digit_of(s.p[i]) != 0;
		w->text[w->n++] = (char)s.p[i];
	}
	/* a character that was cut in the middle is met by none */
	while (s.n > sizeof w->text && w->n > 0 &&
	    (w->text[w->n - 1] & 0x80) != 0)
		w->n--;
	if (w->n == 0)
		return;
	if (w->letters)
		find_starts(w);
	pack(w);
	q->n++;
}

static void
take_phone(sat_needle *q, sat_span typed)
{
	sat_buf wide = { 0 }, digits = { 0 };
	bool only = true;

	sat_norm_width(&wide, typed);
	for (size_t i = 0; i < wide.n; i++)
		only &= digit_of(wide.p[i]) || strchr("+-() ", wide.p[i]) != NULL;
	if (only)
		sat_phone_digits(&digits, sat_buf_span(&wide));
	if (digits.n >= 4 && digits.n <= sizeof q->phone) {
		memcpy(q->phone, digits.p, digits.n);
		q->nphone = digits.n;
	}
	sat_buf_fini(&wide);
	sat_buf_fini(&digits);
}

static bool
is_gap(const uint8_t *p, size_t left, size_t *n)
{
	*n = left >= 3 && memcmp(p, "\xE3\x80\x80", 3) == 0 ? 3 : 1;
	return *n == 3 || *p <= ' ';
}

void
sat_needle_make(sat_needle *out, sat_span typed)
{
	sat_buf word = { 0 };
	size_t i = 0, from, n;

	out->n = 0;
	out->nphone = 0;
	take_phone(out, typed);
	while (i < typed.n && out->n < SAT_NEEDLE_WORDS) {
		if (is_gap(typed.p + i, typed.n - i, &n)) {
			i += n;
			continue;
		}
		from = i;
		while (i < typed.n && !is_gap(typed.p + i, typed.n - i, &n))
			i++;
		sat_buf_reset(&word);
		sat_fold(&word, sat_span_of(typed.p + from, i - from));
		add_word(out, sat_buf_span(&word));
	}
	sat_buf_fini(&word);
}

/* ---- phones ---------------------------------------------------------------------------- */

void
sat_phone_digits(sat_buf *out, sat_span phone)
{
	sat_buf key = { 0 };
	size_t from = 0;

	sat_norm_phone(&key, phone);
	if (key.n > 3 && memcmp(key.p, "+86", 3) == 0)
		from = 3;
	for (size_t i = from; i < key.n && key.p[i] != '-'; i++)
		if (digit_of(key.p[i]))
			sat_write_u8(out, key.p[i]);
	sat_buf_fini(&key);
}

sat_hit
sat_needle_phone(const sat_needle *q, sat_span digits, size_t *at, size_t *len)
{
	const uint8_t *p;
	size_t n = q->nphone;

	if (n < 4 || digits.n < n)
		return SAT_HIT_NONE;
	p = digits.p + digits.n - n;
	if (memcmp(p, q->phone, n) != 0)
		p = n >= 7 ? memmem(digits.p, digits.n, q->phone, n) : NULL;
	if (p == NULL)
		return SAT_HIT_NONE;
	if (at != NULL) {
		*at = (size_t)(p - digits.p);
		*len = n;
	}
	if (digits.n == n)
		return SAT_HIT_EXACT;
	return p == digits.p + digits.n - n ? SAT_HIT_TAIL :
	    p == digits.p ? SAT_HIT_PREFIX : SAT_HIT_INSIDE;
}
