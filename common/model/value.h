/*
 * value.h - one typed value, as it is stored, sent and compared.
 *
 * Types are SQLite's: null, 64-bit integer, text (UTF-8, NFC), bytes. Money is
 * integer fen, time is integer ms UTC, a boolean is 0/1, a reference is 16
 * bytes, an option or a user is its stable key as text.
 */
#ifndef SAT_MODEL_VALUE_H
#define SAT_MODEL_VALUE_H

#include "common/base/buf.h"
#include "common/base/mem.h"

#define SAT_VALUE_MAX 65536 /* bytes of text or blob */

typedef enum sat_vtype { SAT_V_NULL, SAT_V_INT, SAT_V_TEXT, SAT_V_BYTES } sat_vtype;

typedef struct sat_value {
	sat_vtype type;
	int64_t i;   /* SAT_V_INT */
	sat_span s;  /* SAT_V_TEXT, SAT_V_BYTES; borrowed */
} sat_value;

static inline sat_value
sat_v_null(void)
{
	return (sat_value){ SAT_V_NULL, 0, { NULL, 0 } };
}
static inline sat_value
sat_v_int(int64_t i)
{
	return (sat_value){ SAT_V_INT, i, { NULL, 0 } };
}
static inline sat_value
sat_v_text(sat_span s)
{
	return (sat_value){ SAT_V_TEXT, 0, s };
}
static inline sat_value
sat_v_bytes(sat_span s)
{
	return (sat_value){ SAT_V_BYTES, 0, s };
}

bool sat_value_eq(sat_value a, sat_value b);
/* Total order: null < int < text < bytes; text and bytes by memcmp. */
int sat_value_cmp(sat_value a, sat_value b);
sat_value sat_value_dup(sat_arena *a, sat_value v);
/* Canonical bytes: type u8, then int (zigzag varint) or span. */
void sat_value_write(sat_buf *b, sat_value v);
/* The same where there is room for it, 11 bytes and those of v.s. */
uint8_t *sat_value_put(uint8_t *p, sat_value v);
/* Borrowed from the input; goes bad on unknown type, size, invalid UTF-8. */
sat_value sat_value_read(sat_reader *r);

/* 16-byte record id: 48-bit ms, 16-bit device ordinal, 64 random bits. */
typedef struct sat_id {
	uint8_t b[16];
} sat_id;
sat_id sat_id_make(int64_t ms, uint32_t device, const uint8_t random[8]);
bool sat_id_eq(const sat_id *a, const sat_id *b);
bool sat_id_zero(const sat_id *a);
static inline sat_value
sat_v_id(const sat_id *id)
{
	return sat_v_bytes(sat_span_of(id->b, 16));
}
/* Text form: 26 characters, Crockford base32, lower case; sorts like the id. */
#define SAT_ID_TEXT 27
void sat_id_text(char out[SAT_ID_TEXT], const sat_id *id);
bool sat_id_parse(sat_id *id, const char *s);
/* A prefix of at least 6 characters -> the range of ids [lo, hi]. */
bool sat_id_prefix(sat_id *lo, sat_id *hi, const char *s);

#endif
