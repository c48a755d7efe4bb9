/*
 * Pinyin is not stored beside the text: characters are read while a word is
 * compared. So every reading counts, and an index holds the text alone. What
 * makes this fast enough for a hundred thousand names are two bits per character:
 * may a reading of it begin the word, and may it stand behind the one that does?
 * (needle.c)
 */
#include "common/model/find.h"

#include "common/model/han.h"
#include "common/model/pinyin.h"
#include "common/model/pinyin_int.h"

#include <string.h>

/* Ways tried at one place; more than any real name needs. */
#define TRIES_MAX 400

static inline bool
in_set(const uint8_t *set, uint32_t i)
{
	return (set[i / 8] >> (i % 8) & 1) != 0;
}

/* May what stands from i on come behind the first character? */
static inline bool
follows(const sat_word *w, sat_span s, size_t i)
{
	uint32_t han;

	if (w->any_next)
		return true;
	if (i >= s.n)
		return false;
	if (s.p[i] < 0x80)
		return in_set(w->next_ascii, s.p[i]);
	han = sat_han_at(s, i);
	return han < SAT_HAN_COUNT && in_set(w->next, han);
}

/* May the word begin with the character that ends at i? */
static inline bool
leads(const sat_word *w, sat_span s, uint32_t han, size_t i)
{
	if (in_set(w->starts, han))
		return follows(w, s, i);
	return w->bare != '\0' && i < s.n && (s.p[i] == (uint8_t)w->bare ||
	    s.p[i] == '\'');
}

static size_t
rune_length(uint8_t b)
{
	return b < 0x80 ? 1 : b < 0xE0 ? 2 : b < 0xF0 ? 3 : 4;
}

/* ---- by pinyin ---------------------------------------------------------------------- */

typedef struct attempt {
	const sat_word *w;
	sat_span s;
	size_t tries;
	size_t end;     /* of what was met */
	bool initials;  /* some character by its first letter alone */
} attempt;

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
	size_t n;
	char c;

	if (j == t->w->n) {
		t->end = i;
		return true;
	}
	if (i >= t->s.n || ++t->tries > TRIES_MAX)
		return false;
	c = t->w->text[j];
	n = rune_length((uint8_t)c);
	if ((char)t->s.p[i] == c && t->s.n - i >= n && t->w->n - j >= n &&
	    memcmp(t->s.p + i, t->w->text + j, n) == 0)
		return met(t, j + n, i + n);
	if (t->s.p[i] == '\'') /* as add_word leaves it out */
		return met(t, j, i + 1);
	if (c < 'a' || c > 'z' || (han = sat_han_at(t->s, i)) == SAT_HAN_COUNT)
		return false;
	return met_han(t, j, i + 3, han);
}

static inline bool
starts(const sat_word *w, sat_span s, size_t i)
{
	uint32_t han;

	if (s.p[i] == (uint8_t)w->text[0] && s.p[i] < 0x80)
		return follows(w, s, i + 1);
	han = sat_han_at(s, i);
	if (han == SAT_HAN_COUNT) /* some other that begins with this byte */
		return s.p[i] == (uint8_t)w->text[0];
	return leads(w, s, han, i + 3);
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
		if (best != SAT_HIT_INITIALS_INSIDE || w->initial)
			break; /* no better one comes */
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
static const uint8_t *
letters_near(const sat_word *w, sat_span s)
{
	uint8_t first = (uint8_t)w->text[0];
	size_t i = 0;

	while (i < s.n) {
		const uint8_t *p = s.p + i;
		uint32_t han;

		if (*p < 0xE4) {
			if (*p == first && follows(w, s, i + 1) &&
			    met_at(w, s, i))
				return p;
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
		if (leads(w, s, han, i + 3) && met_at(w, s, i))
			return p;
		i += 3;
	}
	return NULL;
}

const uint8_t *
sat_word_near(const sat_word *w, sat_span bytes)
{
	char first = w->text[0];

	return w->letters && first >= 'a' && first <= 'z' ?
	    letters_near(w, bytes) :
	    memmem(bytes.p, bytes.n, w->text, w->letters ? 1 : w->n);
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

/* ---- in packed text ------------------------------------------------------------------- */

/* Where the word stands; units.n: nowhere. */
static size_t
packed_at(const sat_word *w, sat_span units)
{
	const uint8_t *p = units.p, *end = units.p + units.n;

	while (w->npacked > 0 && (p = memmem(p, (size_t)(end - p), w->packed,
	    w->npacked)) != NULL) {
		if ((p - units.p) % 2 == 0)
			return (size_t)(p - units.p);
		p++;
	}
	return units.n;
}

/* The first character that may begin the word, and what follows may too. */
static size_t
start_at(const sat_word *w, sat_span units)
{
	uint32_t han, next;

	if (units.n < 2)
		return units.n;
	han = sat_han_unit(units.p);
	for (size_t i = 2; i + 2 <= units.n; i += 2, han = next) {
		next = sat_han_unit(units.p + i);
		if (in_set(w->starts, han) && (w->any_next ||
		    in_set(w->next, next)))
			return i - 2;
	}
	return in_set(w->starts, han) && w->any_next ? units.n - 2 : units.n;
}

bool
sat_word_near_han(const sat_word *w, sat_span units)
{
	return (w->letters ? start_at(w, units) : packed_at(w, units)) <
	    units.n;
}

static sat_hit
unpacked_hit(const sat_word *w, sat_span units)
{
	uint8_t few[300];
	sat_buf many = { 0 };
	size_t at, len;
	sat_hit hit;

	if (units.n / 2 * 3 <= sizeof few)
		return pinyin_hit(w, sat_span_of(few, sat_han_unpack(few,
		    units)), &at, &len);
	many.n = sat_han_unpack(sat_buf_room(&many, units.n / 2 * 3), units);
	hit = pinyin_hit(w, sat_buf_span(&many), &at, &len);
	sat_buf_fini(&many);
	return hit;
}

sat_hit
sat_word_hit_han(const sat_word *w, sat_span units)
{
	size_t at = w->letters ? start_at(w, units) : packed_at(w, units);

	if (at >= units.n)
		return SAT_HIT_NONE;
	if (!w->letters)
		return at > 0 ? SAT_HIT_INSIDE : units.n == w->npacked ?
		    SAT_HIT_EXACT : SAT_HIT_PREFIX;
	if (w->initial)
		return at > 0 ? SAT_HIT_INITIALS_INSIDE : SAT_HIT_INITIALS;
	return unpacked_hit(w, units);
}

/* ---- back to the text that was folded ----------------------------------------------- */

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
