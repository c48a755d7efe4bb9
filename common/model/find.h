/*
 * find.h - does a text answer to what a person typed into a search box?
 *
 * A word is found as it stands, or by its pinyin: in full ("huawei"), by
 * initials ("hw"), both mixed ("hwei"), the last syllable cut short ("huaw"),
 * and mixed with characters ("华wei"). Every reading of a character counts.
 * Pure.
 */
#ifndef SAT_MODEL_FIND_H
#define SAT_MODEL_FIND_H

#include "common/base/buf.h"

#define SAT_NEEDLE_MAX 128 /* bytes of the folded word; more is cut */
#define SAT_NEEDLE_WORDS 8 /* all must be found; more are ignored */

/* How well; a lower number is better. */
typedef enum sat_hit {
	SAT_HIT_EXACT,     /* the whole text */
	SAT_HIT_PREFIX,    /* its beginning */
	SAT_HIT_TAIL,      /* the last digits of a phone */
	SAT_HIT_PINYIN,    /* pinyin of its beginning */
	SAT_HIT_INITIALS,  /* initials of its beginning */
	SAT_HIT_INSIDE,
	SAT_HIT_PINYIN_INSIDE,
	SAT_HIT_INITIALS_INSIDE,
	SAT_HIT_NONE,
} sat_hit;

typedef struct sat_word {
	char text[SAT_NEEDLE_MAX];
	size_t n;
	bool letters;            /* a-z: pinyin is tried */
	bool digits;             /* nothing else */
	bool initial;            /* one letter that is no syllable by itself */
	uint8_t starts[0x5200 / 8]; /* characters that may begin it */
	uint8_t more[0x5200 / 8];   /* characters of several readings */
	/* What may stand behind the first; any_next: anything, or nothing. */
	bool any_next;
	uint8_t next[0x5200 / 8];
	uint8_t next_ascii[0x80 / 8];
	/* The second letter, when no syllable begins with it: then it stands
	 * itself behind a first character that is not in `starts`. Else 0. */
	char bare;
	/* As sat_han_pack has it; empty: it is not of such characters alone. */
	uint8_t packed[SAT_NEEDLE_MAX];
	size_t npacked;
} sat_word;

typedef struct sat_needle {
	sat_word word[SAT_NEEDLE_WORDS];
	size_t n; /* 0: nothing is found by it */
	/* what was typed as a phone: its digits; 0 = it is none */
	char phone[32];
	size_t nphone;
} sat_needle;

void sat_needle_make(sat_needle *out, sat_span typed);
/* In a folded text. *at, *len: bytes of it that were met; may be NULL. */
sat_hit sat_word_hit(const sat_word *w, sat_span folded, size_t *at,
    size_t *len);
/* The same as a plain substring: numbers, addresses of mail. */
sat_hit sat_word_hit_plain(const sat_word *w, sat_span folded, size_t *at,
    size_t *len);
/* Where the first of the texts among these bytes may be met by the word; NULL is
 * certain. Between the texts may lie other bytes, as lengths do. */
const uint8_t *sat_word_near(const sat_word *w, sat_span bytes);
/* Both of one text in the form of sat_han_pack. */
sat_hit sat_word_hit_han(const sat_word *w, sat_span units);
bool sat_word_near_han(const sat_word *w, sat_span units);
/* In the digits of a phone: its last four or more, all of it, or seven in a
 * row. */
sat_hit sat_needle_phone(const sat_needle *q, sat_span digits, size_t *at,
    size_t *len);
/* The digits of a phone as they are compared, without the country's. */
void sat_phone_digits(sat_buf *out, sat_span phone);

/* Where a folded match lies in the text it was folded from: bytes. false: it
 * cannot be told. */
bool sat_fold_place(size_t *at, size_t *len, sat_span text, size_t fold_at,
    size_t fold_len);

#endif
