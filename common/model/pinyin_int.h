/*
 * pinyin_int.h - the tables that pinyin.awk makes of Unihan and
 * pinyin_words.txt: the common range U+4E00..U+9FFF.
 */
#ifndef SAT_MODEL_PINYIN_INT_H
#define SAT_MODEL_PINYIN_INT_H

#include "common/model/han.h"

typedef struct sat_reading {
	uint16_t han, syllable; /* index into sat_pinyin_text */
} sat_reading;

#define SAT_PHRASE_MAX 4 /* characters */
typedef struct sat_phrase {
	const char *text;
	uint16_t syllable[SAT_PHRASE_MAX];
} sat_phrase;

extern const char *const sat_pinyin_text[];         /* [0] is "" */
extern const size_t sat_pinyin_nsyllables; /* the last index */
#define SAT_SYLLABLES_MAX 512
extern const uint16_t sat_pinyin_first[SAT_HAN_COUNT]; /* 0 = none known */
extern const uint16_t sat_han_simple[SAT_HAN_COUNT];   /* 0 = itself */
extern const sat_reading sat_pinyin_more[];            /* ascending */
extern const size_t sat_pinyin_nmore;
extern const sat_reading sat_pinyin_surname[];         /* ascending */
extern const size_t sat_pinyin_nsurname;
extern const sat_phrase sat_pinyin_phrases[];
extern const size_t sat_pinyin_nphrases;

#endif
