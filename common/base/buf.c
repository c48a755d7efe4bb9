#include "common/base/buf.h"

#include "common/base/mem.h"

#include <endian.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

sat_span
sat_span_str(const char *s)
{
	return sat_span_of(s, strlen(s));
}

bool
sat_span_eq(sat_span a, sat_span b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

int
sat_span_cmp(sat_span a, sat_span b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int c = n > 0 ? memcmp(a.p, b.p, n) : 0;

	if (c != 0)
		return c;
	return a.n < b.n ? -1 : a.n > b.n;
}

void
sat_buf_fini(sat_buf *b)
{
	free(b->p);
	*b = (sat_buf){ 0 };
}

void
sat_buf_reset(sat_buf *b)
{
	b->n = 0;
}

uint8_t *
sat_buf_grow(sat_buf *b, size_t n)
{
	size_t cap = b->cap < 64 ? 64 : b->cap * 2;

	while (cap - b->n < n)
		cap *= 2;
	b->p = sat_xrealloc(b->p, cap);
	b->cap = cap;
	return b->p + b->n;
}

void
sat_buf_add(sat_buf *b, const void *p, size_t n)
{
	if (n == 0)
		return;
	memcpy(sat_buf_room(b, n), p, n);
	b->n += n;
}

void
sat_buf_str(sat_buf *b, const char *s)
{
	sat_buf_add(b, s, strlen(s));
}

void
sat_buf_fmt(sat_buf *b, const char *fmt, ...)
{
	size_t left = b->cap - b->n;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(left > 0 ? (char *)b->p + b->n : NULL, left, fmt, ap);
	va_end(ap);
	if (n <= 0)
		return;
	if ((size_t)n >= left) {
		(void)sat_buf_room(b, (size_t)n + 1);
		va_start(ap, fmt);
		(void)vsnprintf((char *)b->p + b->n, (size_t)n + 1, fmt, ap);
		va_end(ap);
	}
	b->n += (size_t)n;
}

const char *
sat_buf_cstr(sat_buf *b)
{
	*sat_buf_room(b, 1) = 0;
	return (const char *)b->p;
}

void
sat_write_be32(sat_buf *b, uint32_t v)
{
	uint8_t *p = sat_buf_room(b, 4);

	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> (24 - 8 * i));
	b->n += 4;
}

void
sat_write_be64(sat_buf *b, uint64_t v)
{
	uint64_t be = htobe64(v);

	memcpy(sat_buf_room(b, sizeof be), &be, sizeof be);
	b->n += sizeof be;
}

void
sat_write_uint_long(sat_buf *b, uint64_t v)
{
	uint8_t *p = sat_buf_room(b, 10);

	b->n += (size_t)(sat_put_uint(p, v) - p);
}

void
sat_write_int(sat_buf *b, int64_t v)
{
	sat_write_uint(b, ((uint64_t)v << 1) ^ (v < 0 ? UINT64_MAX : 0));
}

void
sat_write_span(sat_buf *b, sat_span s)
{
	sat_write_uint(b, s.n);
	sat_buf_add(b, s.p, s.n);
}

sat_reader
sat_reader_of(sat_span s)
{
	return (sat_reader){ s.p, s.n, NULL };
}

void
sat_read_bad(sat_reader *r, const char *fault)
{
	if (r->fault == NULL)
		r->fault = fault;
	r->left = 0;
}

void
sat_read_copy(sat_reader *r, void *out, size_t n)
{
	sat_span s = sat_read_raw(r, n);

	if (s.n == n)
		memcpy(out, s.p, n);
	else
		memset(out, 0, n);
}

uint32_t
sat_read_be32(sat_reader *r)
{
	sat_span s = sat_read_raw(r, 4);
	uint32_t v = 0;

	for (size_t i = 0; i < s.n; i++)
		v = v << 8 | s.p[i];
	return v;
}

uint64_t
sat_read_be64(sat_reader *r)
{
	sat_span s = sat_read_raw(r, 8);
	uint64_t v = 0;

	for (size_t i = 0; i < 8 && s.n == 8; i++)
		v = v << 8 | s.p[i];
	return v;
}

/* Eight groups of seven bits, the lowest first, put together by halves. */
static uint64_t
sevens(uint64_t v)
{
	v = (v & 0x007f007f007f007f) | (v & 0x7f007f007f007f00) >> 1;
	v = (v & 0x00003fff00003fff) | (v & 0x3fff00003fff0000) >> 2;
	return (v & 0x000000000fffffff) | (v & 0x0fffffff00000000) >> 4;
}

/* One of two to eight bytes that is not the last thing there is, as nearly all
 * that come here; else false, and nothing is read. */
static bool
read_eight(uint64_t *v, sat_reader *r)
{
	uint64_t eight, ends;
	unsigned bits;

	if (r->left < sizeof eight)
		return false;
	memcpy(&eight, r->p, sizeof eight);
	eight = le64toh(eight);
	if ((ends = ~eight & 0x8080808080808080) == 0)
		return false;
	bits = (unsigned)__builtin_ctzll(ends) + 1;
	if (eight << (64 - bits) >> 56 == 0)
		return false; /* not the shortest form */
	*v = sevens(eight << (64 - bits) >> (64 - bits));
	r->p += bits / 8;
	r->left -= bits / 8;
	return true;
}

uint64_t
sat_read_uint_long(sat_reader *r)
{
	uint64_t v = 0;

	if (read_eight(&v, r))
		return v;
	for (size_t i = 0; i < 10; i++) {
		uint8_t b;

		if (i == r->left) {
			sat_read_bad(r, "cut short");
			return 0;
		}
		b = r->p[i];
		if (i == 9 && b > 1)
			break;
		v |= (uint64_t)(b & 0x7f) << 7 * i;
		if (b < 0x80) {
			if (b == 0 && i > 0)
				break; /* not the shortest form */
			r->p += i + 1;
			r->left -= i + 1;
			return v;
		}
	}
	sat_read_bad(r, "bad varint");
	return 0;
}

sat_span
sat_read_span(sat_reader *r, size_t max)
{
	uint64_t n = sat_read_uint(r);

	if (n > max) {
		sat_read_bad(r, "length above its limit");
		return (sat_span){ NULL, 0 };
	}
	return sat_read_raw(r, (size_t)n);
}

sat_rc
sat_read_end(sat_reader *r, const char *what, sat_err *e)
{
	if (r->fault != NULL)
		return sat_fail(e, SAT_EPROTO, "%s: %s", what, r->fault);
	if (r->left != 0)
		return sat_fail(e, SAT_EPROTO, "%s: %zu bytes left over", what,
		    r->left);
	return SAT_OK;
}

void
sat_hex(char *out, const void *p, size_t n)
{
	static const char digit[] = "0123456789abcdef";
	const uint8_t *s = p;

	for (size_t i = 0; i < n; i++) {
		*out++ = digit[s[i] >> 4];
		*out++ = digit[s[i] & 15];
	}
	*out = '\0';
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool
sat_unhex(void *out, size_t n, const char *s, size_t slen)
{
	uint8_t *d = out;

	if (slen != 2 * n)
		return false;
	for (size_t i = 0; i < n; i++) {
		int hi = hex_digit(s[2 * i]), lo = hex_digit(s[2 * i + 1]);

		if (hi < 0 || lo < 0)
			return false;
		d[i] = (uint8_t)(hi << 4 | lo);
	}
	return true;
}

/* Eight bytes from 1 to 127. */
static bool
plain_eight(const uint8_t *s)
{
	uint64_t v;

	memcpy(&v, s, sizeof v);
	/* a borrow out of a byte of 0 sets its highest bit */
	return ((v | (v - 0x0101010101010101u)) & 0x8080808080808080u) == 0;
}

bool
sat_utf8_ok(const void *p, size_t n)
{
	const uint8_t *s = p;
	size_t i = 0;

	while (i < n) {
		uint8_t c = s[i];
		size_t need;
		uint32_t cp, min;

		if (c == 0)
			return false;
		if (c < 0x80) {
			i += n - i >= 8 && plain_eight(s + i) ? 8 : 1;
			continue;
		}
		if (n - i >= 8 && sat_utf8_two_han(s + i)) {
			i += 6;
			continue;
		}
		/* what most of our text is: U+1000 to U+CFFF */
		if (c > 0xe0 && c < 0xed && n - i >= 3 &&
		    (s[i + 1] & 0xc0) == 0x80 && (s[i + 2] & 0xc0) == 0x80) {
			i += 3;
			continue;
		}
		if (c >= 0xc2 && c <= 0xdf) {
			need = 1, cp = c & 0x1f, min = 0x80;
		} else if (c >= 0xe0 && c <= 0xef) {
			need = 2, cp = c & 0x0f, min = 0x800;
		} else if (c >= 0xf0 && c <= 0xf4) {
			need = 3, cp = c & 0x07, min = 0x10000;
		} else {
			return false;
		}
		if (n - i - 1 < need)
			return false;
		for (size_t k = 1; k <= need; k++) {
			if ((s[i + k] & 0xc0) != 0x80)
				return false;
			cp = cp << 6 | (s[i + k] & 0x3f);
		}
		if (cp < min || cp > 0x10ffff || (cp >= 0xd800 && cp <= 0xdfff))
			return false;
		i += need + 1;
	}
	return true;
}
