/*
 * han.h - the characters of U+4E00..U+9FFF, which nearly all Chinese text is made
 * of, as numbers from 0 on; and text of nothing else in two bytes each. Pure.
 */
#ifndef SAT_MODEL_HAN_H
#define SAT_MODEL_HAN_H

#include "common/base/buf.h"

#define SAT_HAN_FIRST 0x4E00u
#define SAT_HAN_COUNT 0x5200u

/* The character at i of UTF-8; SAT_HAN_COUNT: it is another. */
static inline uint32_t
sat_han_at(sat_span s, size_t i)
{
	uint32_t c;

	if (s.n - i < 3 || s.p[i] < 0xE4 || s.p[i] > 0xE9)
		return SAT_HAN_COUNT;
	c = (uint32_t)(s.p[i] & 0x0F) << 12 | (uint32_t)(s.p[i + 1] & 0x3F) << 6 |
	    (uint32_t)(s.p[i + 2] & 0x3F);
	return c >= SAT_HAN_FIRST && c < SAT_HAN_FIRST + SAT_HAN_COUNT ?
	    c - SAT_HAN_FIRST : SAT_HAN_COUNT;
}

/* Of the packed form: big endian, below SAT_HAN_COUNT. */
static inline uint32_t
sat_han_unit(const uint8_t *p)
{
	return (uint32_t)p[0] << 8 | p[1];
}

/* Is it UTF-8 of such characters alone, and not empty? */
bool sat_han_only(sat_span s);
/* Of a text that is; appended. */
void sat_han_pack(sat_buf *out, sat_span s);
/* Back, to three bytes for two; an odd byte at the end, or a number too high, is
 * left out. Returns how many it wrote. */
size_t sat_han_unpack(uint8_t *out, sat_span units);

#endif
