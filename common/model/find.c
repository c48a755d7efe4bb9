/*
 * Pinyin is not stored beside the text: characters are read while a word is
 * compared. So every reading counts, and an index holds the text alone. What
 * makes this fast enough for a hundred thousand names is one bit per character:
 * may a reading of it begin the word?
 */
#include "common/model/find.h"

#include "common/model/norm.h"
#include "common/model/pinyin.h"
#include "common/model/pinyin_int.h"

#include <string.h>

/* Ways tried at one place; more than any real name needs. */
#define TRIES_MAX 400

static int
digit_of(uint8_t c)
{
	return c >= '0' && c <= '9';
}

/* ---- the word -------------------------------------------------------------------- */

/* Letters no syllable begins with: before them none ends after its first. */
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

static void
find_starts(sat_word *w)
{
	bool may[SAT_SYLLABLES_MAX];

	for (size_t i = 0; i <= sat_pinyin_nsyllables; i++)
		may[i] = i > 0 && may_begin(w, sat_pinyin_text[i]);
	for (uint32_t i = 0; i < SAT_HAN_COUNT; i++)
		w->starts[i / 8] |= (uint8_t)(may[sat_pinyin_first[i]] <<
		    (i % 8));
	for (size_t i = 0; i < sat_pinyin_nmore; i++) {
		uint32_t han = sat_pinyin_more[i].han - SAT_HAN_FIRST;

		w->starts[han / 8] |= (uint8_t)
		    (may[sat_pinyin_more[i].syllable] << (han % 8));
		w->more[han / 8] |= (uint8_t)(1u << (han % 8));
	}
}

static void
add_word(sat_needle *q, sat_span s)
{
	sat_word *w = &q->word[q->n];

	memset(w, 0, sizeof *w);
	w->digits = true;
	for (size_t i = 0; i < s.n && w->n < sizeof w->text; i++) {
		bool letter = s.p[i] >= 'a' && s.p[i] <= 'z';

		/* xi'an: where a syllable ends is tried anyway */
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

/* ---- by pinyin ---------------------------------------------------------------------- */

typedef struct attempt {
	const sat_word *w;
	sat_span s;
	size_t tries;
	size_t end;     /* of what was met */
	bool initials;  /* some character by its first letter alone */
} attempt;

/* The character of U+4E00..U+9FFF at i, less U+4E00; SAT_HAN_COUNT = none. */
static uint32_t
han_at(sat_span s, size_t i)
{
	uint32_t c;

	if (s.n - i < 3 || s.p[i] < 0xE4 || s.p[i] > 0xE9)
		return SAT_HAN_COUNT;
	c = (uint32_t)(s.p[i] & 0x0F) << 12 | (uint32_t)(s.p[i + 1] & 0x3F) << 6 |
	    (uint32_t)(s.p[i + 2] & 0x3F);
	return c >= SAT_HAN_FIRST && c < SAT_HAN_FIRST + SAT_HAN_COUNT ?
	    c - SAT_HAN_FIRST : SAT_HAN_COUNT;
}

/* The further readings of a character; most have none. */
static const sat_reading *
more_of(const sat_word *w, uint32_t han)
{
	size_t lo = 0, hi = sat_pinyin_nmore;

	if ((w->more[han / 8] >> (han % 8) & 1) == 0)
		return sat_pinyin_more + hi;
	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (sat_pinyin_more[mid].han < han + SAT_HAN_FIRST)
			lo = mid + 1;
		else
			hi = mid;
	}
	return &sat_pinyin_more[lo];
}

static bool met(attempt *t, size_t j, size_t i);

/* The character, ending at i, read so, stands for the word from j on. */
static bool
met_reading(attempt *t, size_t j, size_t i, uint16_t syllable)
{
	const char *r = sat_pinyin_text[syllable];
	size_t left = t->w->n - j, k = 0;

	while (k < left && r[k] != '\0' && r[k] == t->w->text[j + k])
		k++;
	if (k == 0)
		return false;
	if (r[k] == '\0' && met(t, j + k, i))
		return true;
	if (k == left && k > 1) { /* cut short by who types */
		t->end = i;
		return true;
	}
	return false;
}

static bool
met_initial(attempt *t, size_t j, size_t i, uint16_t syllable)
{
	const char *r = sat_pinyin_text[syllable];

	if (r[0] != t->w->text[j])
		return false;
	t->initials = true;
	/* zh, ch, sh are one sound */
	if (r[1] == 'h' && j + 1 < t->w->n && t->w->text[j + 1] == 'h' &&
	    met(t, j + 2, i))
		return true;
	return met(t, j + 1, i);
}

static bool
met_han(attempt *t, size_t j, size_t i, uint32_t han)
{
	uint16_t first = sat_pinyin_first[han];
	const sat_reading *end = sat_pinyin_more + sat_pinyin_nmore, *more;
	bool was = t->initials;

	if (first == 0)
		return false;
	more = more_of(t->w, han);
	if (met_reading(t, j, i, first))
		return true;
	for (const sat_reading *m = more; m < end &&
	    m->han == han + SAT_HAN_FIRST; m++)
		if (met_reading(t, j, i, m->syllable))
			return true;
	if (met_initial(t, j, i, first))
		return true;
	for (const sat_reading *m = more; m < end &&
	    m->han == han + SAT_HAN_FIRST; m++)
		if (met_initial(t, j, i, m->syllable))
			return true;
	t->initials = was;
	return false;
}

/* Is the word from j on what stands from i on? */
static bool
met(attempt *t, size_t j, size_t i)
{
	uint32_t han;
	char c;

	if (j == t->w->n) {
		t->end = i;
		return true;
	}
	if (i >= t->s.n || ++t->tries > TRIES_MAX)
		return false;
	c = t->w->text[j];
	if ((char)t->s.p[i] == c && ((uint8_t)c < 0x80 ||
	    (t->s.n - i >= 3 && t->w->n - j >= 3 &&
	    memcmp(t->s.p + i, t->w->text + j, 3) == 0))) {
		size_t n = (uint8_t)c < 0x80 ? 1 : 3;

		return met(t, j + n, i + n);
	}
	if (c < 'a' || c > 'z' || (han = han_at(t->s, i)) == SAT_HAN_COUNT)
		return false;
	return met_han(t, j, i + 3, han);
}

static size_t
rune_length(uint8_t b)
{
	return b < 0x80 ? 1 : b < 0xE0 ? 2 : b < 0xF0 ? 3 : 4;
}

static inline bool
starts(const sat_word *w, sat_span s, size_t i)
{
	uint32_t han;

	if (s.p[i] == (uint8_t)w->text[0])
		return true;
	han = han_at(s, i);
	return han < SAT_HAN_COUNT && (w->starts[han / 8] >> (han % 8) & 1) != 0;
}

static sat_hit
pinyin_hit(const sat_word *w, sat_span s, size_t *at, size_t *len)
{
	sat_hit best = SAT_HIT_NONE, hit;

	for (size_t i = 0; i < s.n; i += rune_length(s.p[i])) {
		attempt t;

		if (!starts(w, s, i))
			continue;
		t = (attempt){ .w = w, .s = s };
		if (!met(&t, 0, i))
			continue;
		hit = i == 0 ?
		    (t.initials ? SAT_HIT_INITIALS : SAT_HIT_PINYIN) :
		    t.initials ? SAT_HIT_INITIALS_INSIDE :
		    SAT_HIT_PINYIN_INSIDE;
		if (hit < best) {
			best = hit;
			*at = i;
			*len = t.end - i;
		}
		if (best != SAT_HIT_INITIALS_INSIDE)
			break;
	}
	return best;
}

static bool
met_at(const sat_word *w, sat_span s, size_t i)
{
	attempt t = { .w = w, .s = s };

	return met(&t, 0, i);
}

/*
 * Every search looks at every character through this loop, so it knows its bytes
 * by itself. Other bytes may lie between texts: only three that make a character
 * are one.
 */
static bool
letters_near(const sat_word *w, sat_span s)
{
	uint8_t first = (uint8_t)w->text[0];
	size_t i = 0;

	while (i < s.n) {
		const uint8_t *p = s.p + i;
		uint32_t han;

		if (*p < 0xE4) {
			if (*p == first && met_at(w, s, i))
				return true;
			i++;
			continue;
		}
		if (s.n - i < 3 || *p > 0xE9 || (p[1] & 0xC0) != 0x80 ||
		    (p[2] & 0xC0) != 0x80) {
			i++;
			continue;
		}
		han = ((uint32_t)(p[0] & 0x0F) << 12 |
		    (uint32_t)(p[1] & 0x3F) << 6 | (uint32_t)(p[2] & 0x3F)) -
		    SAT_HAN_FIRST;
		if (han >= SAT_HAN_COUNT) { /* below the first it wraps */
			i++;
			continue;
		}
		if ((w->starts[han / 8] >> (han % 8) & 1) != 0 &&
		    met_at(w, s, i))
			return true;
		i += 3;
	}
	return false;
}

bool
sat_word_near(const sat_word *w, sat_span bytes)
{
	char first = w->text[0];

	return w->letters && first >= 'a' && first <= 'z' ?
	    letters_near(w, bytes) :
	    memmem(bytes.p, bytes.n, w->text, w->letters ? 1 : w->n) != NULL;
}

/* ---- what stands there ---------------------------------------------------------------- */

sat_hit
sat_word_hit_plain(const sat_word *w, sat_span s, size_t *at, size_t *len)
{
	const uint8_t *p = s.n >= w->n && w->n > 0 ?
	    memmem(s.p, s.n, w->text, w->n) : NULL;

	if (p == NULL)
		return SAT_HIT_NONE;
	if (at != NULL) {
		*at = (size_t)(p - s.p);
		*len = w->n;
	}
	if (p > s.p)
		return SAT_HIT_INSIDE;
	return s.n == w->n ? SAT_HIT_EXACT : SAT_HIT_PREFIX;
}

sat_hit
sat_word_hit(const sat_word *w, sat_span s, size_t *at, size_t *len)
{
	size_t pat = 0, plen = 0;
	sat_hit hit = sat_word_hit_plain(w, s, at, len), py;

	if (!w->letters || hit <= SAT_HIT_INSIDE)
		return hit;
	py = pinyin_hit(w, s, &pat, &plen);
	if (py < hit && at != NULL) {
		*at = pat;
		*len = plen;
	}
	return py < hit ? py : hit;
}

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

bool
sat_fold_place(size_t *at, size_t *len, sat_span text, size_t fold_at,
    size_t fold_len)
{
	sat_buf b = { 0 };
	size_t from = text.n, to = text.n;

	for (size_t i = 0, next; i < text.n; i = next) {
		next = i + rune_length(text.p[i]);
		if (next > text.n)
			next = text.n;
		sat_buf_reset(&b);
		sat_fold(&b, sat_span_of(text.p, next));
		if (b.n > fold_at && from == text.n)
			from = i;
		if (b.n >= fold_at + fold_len) {
			to = next;
			break;
		}
	}
	sat_buf_fini(&b);
	*at = from;
	*len = to > from ? to - from : 0;
	return from < text.n;
}
