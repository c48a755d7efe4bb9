#include "common/model/value.h"

#include <assert.h>
#include <string.h>

bool
sat_value_eq(sat_value a, sat_value b)
{
	return sat_value_cmp(a, b) == 0;
}

int
sat_value_cmp(sat_value a, sat_value b)
{
	if (a.type != b.type)
		return a.type < b.type ? -1 : 1;
	if (a.type == SAT_V_NULL)
		return 0;
	if (a.type == SAT_V_INT)
		return (a.i > b.i) - (a.i < b.i);
	return sat_span_cmp(a.s, b.s);
}

sat_value
sat_value_dup(sat_arena *a, sat_value v)
{
	if (v.type == SAT_V_TEXT || v.type == SAT_V_BYTES)
		v.s.p = sat_arena_dup(a, v.s.p, v.s.n);
	return v;
}

uint8_t *
sat_value_put(uint8_t *p, sat_value v)
{
	assert(v.type <= SAT_V_BYTES);
	*p++ = (uint8_t)v.type;
	if (v.type == SAT_V_INT)
		return sat_put_int(p, v.i);
	return v.type == SAT_V_NULL ? p : sat_put_span(p, v.s);
}

void
sat_value_write(sat_buf *b, sat_value v)
{
	uint8_t *p = sat_buf_room(b, 11 + v.s.n);

	b->n += (size_t)(sat_value_put(p, v) - p);
}

sat_value
sat_value_read(sat_reader *r)
{
	uint8_t type = sat_read_u8(r);
	sat_span s;

	switch (type) {
	case SAT_V_NULL:
		return sat_v_null();
	case SAT_V_INT:
		return sat_v_int(sat_read_int(r));
	case SAT_V_TEXT:
		s = sat_read_span(r, SAT_VALUE_MAX);
		if (s.n > 0 && !sat_utf8_ok(s.p, s.n)) {
			sat_read_bad(r, "text is not UTF-8");
			return sat_v_null();
		}
		return r->fault != NULL ? sat_v_null() : sat_v_text(s);
	case SAT_V_BYTES:
		s = sat_read_span(r, SAT_VALUE_MAX);
		return r->fault != NULL ? sat_v_null() : sat_v_bytes(s);
	default:
		sat_read_bad(r, "unknown value type");
		return sat_v_null();
	}
}

sat_id
sat_id_make(int64_t ms, uint32_t device, const uint8_t random[8])
{
	uint64_t t = ms > 0 ? (uint64_t)ms : 0;
	sat_id id;

	for (int i = 0; i < 6; i++)
		id.b[i] = (uint8_t)(t >> (40 - 8 * i));
	id.b[6] = (uint8_t)(device >> 8);
	id.b[7] = (uint8_t)device;
	memcpy(id.b + 8, random, 8);
	return id;
}

bool
sat_id_eq(const sat_id *a, const sat_id *b)
{
	return memcmp(a->b, b->b, sizeof a->b) == 0;
}

bool
sat_id_zero(const sat_id *a)
{
	static const sat_id zero;

	return sat_id_eq(a, &zero);
}

/*
 * Crockford base32 of the 128 bits seen as one big-endian number with two zero
 * bits in front (26 x 5 = 130), so that texts sort like the bytes.
 */
static const char alphabet[] = "0123456789abcdefghjkmnpqrstvwxyz";

void
sat_id_text(char out[SAT_ID_TEXT], const sat_id *id)
{
	for (int i = 0; i < 26; i++) {
		unsigned v = 0;

		for (int bit = 5 * i - 2; bit < 5 * i + 3; bit++) {
			v <<= 1;
			if (bit >= 0)
				v |= ((unsigned)id->b[bit / 8] >> (7 - bit % 8)) & 1u;
		}
		out[i] = alphabet[v];
	}
	out[26] = '\0';
}

/* Value of one character; people read o as 0 and i, l as 1. -1 = none. */
static int
digit_of(char c)
{
	const char *at;

	if (c >= 'A' && c <= 'Z')
		c = (char)(c - 'A' + 'a');
	if (c == 'o')
		c = '0';
	else if (c == 'i' || c == 'l')
		c = '1';
	at = c != '\0' ? strchr(alphabet, c) : NULL;
	return at != NULL ? (int)(at - alphabet) : -1;
}

/* The first n characters of `s`, the rest filled with `fill` (0 or 31). */
static bool
parse_filled(sat_id *id, const char *s, size_t n, int fill)
{
	memset(id, 0, sizeof *id);
	for (int i = 0; i < 26; i++) {
		int v = (size_t)i < n ? digit_of(s[i]) : fill;

		if (v < 0 || (i == 0 && v > 7))
			return false;
		for (int k = 0; k < 5; k++) {
			int bit = 5 * i - 2 + k;

			if (bit >= 0 && ((v >> (4 - k)) & 1) != 0)
				id->b[bit / 8] |= (uint8_t)(0x80u >> (bit % 8));
		}
	}
	return true;
}

bool
sat_id_parse(sat_id *id, const char *s)
{
	return strlen(s) == 26 && parse_filled(id, s, 26, 0);
}

bool
sat_id_prefix(sat_id *lo, sat_id *hi, const char *s)
{
	size_t n = strlen(s);

	return n >= 6 && n <= 26 && parse_filled(lo, s, n, 0) &&
	    parse_filled(hi, s, n, 31);
}
