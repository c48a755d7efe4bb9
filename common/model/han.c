#include "common/model/han.h"

bool
sat_han_only(sat_span s)
{
	for (size_t i = 0; i < s.n; i += 3)
		if (sat_han_at(s, i) == SAT_HAN_COUNT ||
		    (s.p[i + 1] & 0xC0) != 0x80 || (s.p[i + 2] & 0xC0) != 0x80)
			return false;
	return s.n > 0;
}

void
sat_han_pack(sat_buf *out, sat_span s)
{
	for (size_t i = 0; i + 3 <= s.n; i += 3) {
		uint32_t han = sat_han_at(s, i);

		sat_write_u8(out, (uint8_t)(han >> 8));
		sat_write_u8(out, (uint8_t)han);
	}
}

size_t
sat_han_unpack(uint8_t *out, sat_span units)
{
	uint8_t *to = out;

	for (size_t i = 0; i + 2 <= units.n; i += 2) {
		uint32_t c = sat_han_unit(units.p + i) + SAT_HAN_FIRST;

		if (c >= SAT_HAN_FIRST + SAT_HAN_COUNT)
			continue;
		*to++ = (uint8_t)(0xE0 | c >> 12);
		*to++ = (uint8_t)(0x80 | (c >> 6 & 0x3F));
		*to++ = (uint8_t)(0x80 | (c & 0x3F));
	}
	return (size_t)(to - out);
}
