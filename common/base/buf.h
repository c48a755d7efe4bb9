/*
 * buf.h - bytes: a borrowed span, a growing buffer, and a reader that goes
 * bad once and stays bad.
 *
 * Integers on the wire: `uint` = LEB128 varint (1-10 bytes, shortest form
 * required on reading), `int` = zigzag of the same, u8/be32/be64 fixed width.
 * A span is a uint length followed by its bytes.
 */
#ifndef SAT_BASE_BUF_H
#define SAT_BASE_BUF_H

#include <string.h>

#include "common/base/err.h"

typedef struct sat_span {
	const uint8_t *p; /* borrowed; NULL only when n == 0 */
	size_t n;
} sat_span;

static inline sat_span
sat_span_of(const void *p, size_t n)
{
	return (sat_span){ (const uint8_t *)p, n };
}
sat_span sat_span_str(const char *s);
bool sat_span_eq(sat_span a, sat_span b);
/* memcmp order, shorter first on a tie. */
int sat_span_cmp(sat_span a, sat_span b);

/* A growing buffer. Zero-initialised is empty and valid. */
typedef struct sat_buf {
	uint8_t *p;
	size_t n, cap;
} sat_buf;

void sat_buf_fini(sat_buf *b);        /* frees; then empty and valid */
void sat_buf_reset(sat_buf *b);       /* n = 0, memory kept */
/* Room for n more bytes, behind which there is none. */
uint8_t *sat_buf_grow(sat_buf *b, size_t n) __attribute__((cold));
/* Room for n more bytes; returns where to write them (n not yet added). Here,
 * as are single bytes: a commit is written in hundreds of such steps. */
static inline uint8_t *
sat_buf_room(sat_buf *b, size_t n)
{
	return b->cap - b->n < n ? sat_buf_grow(b, n) : b->p + b->n;
}
void sat_buf_add(sat_buf *b, const void *p, size_t n);
void sat_buf_str(sat_buf *b, const char *s);  /* without the NUL */
void sat_buf_fmt(sat_buf *b, const char *fmt, ...) SAT_PRINTF(2, 3);
/* NUL after the content, not counted in n; pointer valid until next write. */
const char *sat_buf_cstr(sat_buf *b);

static inline void
sat_write_u8(sat_buf *b, uint8_t v)
{
	*sat_buf_room(b, 1) = v;
	b->n++;
}
void sat_write_be32(sat_buf *b, uint32_t v);
void sat_write_be64(sat_buf *b, uint64_t v);
void sat_write_uint_long(sat_buf *b, uint64_t v); /* of any length */
static inline void
sat_write_uint(sat_buf *b, uint64_t v)
{
	if (v < 0x80)
		sat_write_u8(b, (uint8_t)v);
	else
		sat_write_uint_long(b, v);
}
void sat_write_int(sat_buf *b, int64_t v);
void sat_write_span(sat_buf *b, sat_span s);
/* The same where room was made for all that follows (a uint takes 10 bytes at
 * most); they return where to go on. */
static inline uint8_t *
sat_put_uint(uint8_t *p, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		*p++ = (uint8_t)(v | 0x80);
	*p++ = (uint8_t)v;
	return p;
}
static inline uint8_t *
sat_put_int(uint8_t *p, int64_t v)
{
	return sat_put_uint(p, ((uint64_t)v << 1) ^ (v < 0 ? UINT64_MAX : 0));
}
static inline uint8_t *
sat_put_span(uint8_t *p, sat_span s)
{
	p = sat_put_uint(p, s.n);
	if (s.n > 0)
		memcpy(p, s.p, s.n);
	return p + s.n;
}
static inline sat_span
sat_buf_span(const sat_buf *b)
{
	return (sat_span){ b->p, b->n };
}

/* A reader over borrowed bytes. After the first fault every read gives 0. */
typedef struct sat_reader {
	const uint8_t *p;
	size_t left;
	const char *fault; /* static text, NULL while good */
} sat_reader;

sat_reader sat_reader_of(sat_span s);
/* The first fault is kept; nothing is left to read then. */
void sat_read_bad(sat_reader *r, const char *fault);
/* Here: a record is read in hundreds of such steps. */
static inline uint8_t
sat_read_u8(sat_reader *r)
{
	if (r->left == 0) {
		sat_read_bad(r, "cut short");
		return 0;
	}
	r->left--;
	return *r->p++;
}
uint32_t sat_read_be32(sat_reader *r);
uint64_t sat_read_be64(sat_reader *r);
uint64_t sat_read_uint_long(sat_reader *r); /* of any length */
static inline uint64_t
sat_read_uint(sat_reader *r)
{
	if (r->left > 0 && *r->p < 0x80) { /* nothing is left after a fault */
		r->left--;
		return *r->p++;
	}
	return sat_read_uint_long(r);
}
/* A uint that must not exceed max. */
static inline uint64_t
sat_read_uint_max(sat_reader *r, uint64_t max)
{
	uint64_t v = sat_read_uint(r);

	if (v > max) {
		sat_read_bad(r, "number above its limit");
		return 0;
	}
	return v;
}
static inline int64_t
sat_read_int(sat_reader *r)
{
	uint64_t v = sat_read_uint(r);

	return (int64_t)((v >> 1) ^ (~(v & 1) + 1));
}
/* n raw bytes, borrowed from the input. */
static inline sat_span
sat_read_raw(sat_reader *r, size_t n)
{
	sat_span s = { r->p, n };

	if (r->fault != NULL || r->left < n) {
		sat_read_bad(r, "cut short");
		return (sat_span){ NULL, 0 };
	}
	r->p += n;
	r->left -= n;
	return s;
}
/* n raw bytes into out; zeros when the reader is or goes bad. */
void sat_read_copy(sat_reader *r, void *out, size_t n);
/* A span of at most max bytes, borrowed from the input. */
sat_span sat_read_span(sat_reader *r, size_t max);
/*
 * End of the message.
 * @return SAT_EPROTO when the reader went bad or bytes are left over; `what`
 *         names the message in the text.
 */
SAT_CHECK sat_rc sat_read_end(sat_reader *r, const char *what, sat_err *e);

/* Lower-case hex; out has 2n+1 bytes. */
void sat_hex(char *out, const void *p, size_t n);
/* @return false unless `s` is exactly 2n hex digits. */
bool sat_unhex(void *out, size_t n, const char *s, size_t slen);

/* True when the bytes are valid UTF-8 (no surrogates, no overlongs, no NUL). */
bool sat_utf8_ok(const void *p, size_t n);
/*
 * Do the eight bytes at p begin with two characters from U+4000 to U+9FFF (three
 * bytes each)? What stands beside each other in Chinese text. False when the
 * bytes are anything else.
 */
static inline bool
sat_utf8_two_han(const uint8_t *p)
{
	static const uint8_t mask[8] = { 0xf0, 0xc0, 0xc0, 0xf0, 0xc0, 0xc0 };
	static const uint8_t form[8] = { 0xe0, 0x80, 0x80, 0xe0, 0x80, 0x80 };
	static const uint8_t low[8] = { 0x0f, 0, 0, 0x0f, 0, 0 };
	static const uint8_t one[8] = { 1, 0, 0, 1, 0, 0 };
	uint64_t v, m, f, x, k;

	memcpy(&v, p, sizeof v);
	memcpy(&m, mask, sizeof m);
	memcpy(&f, form, sizeof f);
	memcpy(&x, low, sizeof x);
	memcpy(&k, one, sizeof k);
	if ((v & m) != f)
		return false;
	x &= v; /* 4 to 9 of 0 to 15: neither sum nor difference leaves its byte */
	return (((x + 6 * k) | ~((x | 16 * k) - 4 * k)) & 16 * k) == 0;
}

#endif
