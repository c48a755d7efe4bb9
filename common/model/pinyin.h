/*
 * pinyin.h - how Chinese text is read, and the form in which text is searched.
 *
 * Readings without tones, ü as v: Unihan's, with what it gets wrong in names
 * and common words put right (pinyin_words.txt). Pure; UTF-8 in and out.
 */
#ifndef SAT_MODEL_PINYIN_H
#define SAT_MODEL_PINYIN_H

#include "common/base/buf.h"

/* Changes when the form does: what was stored in it is then made again. */
#define SAT_FOLD_VERSION 1

/*
 * The form in which text is searched: NFKC, lower case, half width, traditional
 * characters as simplified ones, control characters and runs of white space as
 * one blank, none at the ends nor beside a Chinese character. Bytes that are no
 * UTF-8 are dropped. Appended.
 */
void sat_fold(sat_buf *out, sat_span s);

/* "zeng guo fan" of 曾国藩: every character by the reading it has there;
 * what is not Chinese is copied as sat_fold gives it. `person`: the first
 * character may be a surname. Appended. */
void sat_pinyin(sat_buf *out, sat_span s, bool person);
/* The letters those begin with: "zgf". */
void sat_pinyin_initials(sat_buf *out, sat_span s, bool person);

#endif
