/*
 * json_scan.c - the strict front of the reader.
 *
 * Why not cJSON alone: it keeps duplicate keys, cuts "x\u0000y" to "x", takes
 * invalid UTF-8, raw control characters, leading zeros and 1e999, turns
 * 2^53+1 into 2^53 and recurses 1,000 deep. Two programs that read the same
 * text differently are a hole, so the text is refused before cJSON sees it.
 *
 * Numbers are looked at with strtod: the programs never set LC_NUMERIC.
 */
#include "common/json/json_int.h"

#include "common/base/mem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* cJSON copies a number into 64 bytes; ours are shorter (17 digits, sign,
 * point and exponent need 25). */
#define NUMBER_MAX 40

typedef struct name {
	size_t off, n;     /* decoded, in scan.bytes */
	const uint8_t *at; /* where it stands in the text */
} name;

typedef struct scan {
	const uint8_t *begin, *at, *end;
	unsigned depth;
	size_t nodes;
	const char *fault; /* static text; NULL while good */
	const uint8_t *fault_at;
	/* Member names of the objects that are open, innermost last. */
	sat_buf bytes;
	name *names;
	size_t nnames, cap;
} scan;

static bool scan_value(scan *s);

static bool
bad(scan *s, const uint8_t *at, const char *fault)
{
	if (s->fault == NULL) {
		s->fault = fault;
		s->fault_at = at;
	}
	return false;
}

static void
skip_space(scan *s)
{
	while (s->at < s->end && (*s->at == ' ' || *s->at == '\t' ||
	    *s->at == '\n' || *s->at == '\r'))
		s->at++;
}

/* The next byte, 0 at the end (a NUL in the text is never welcome either). */
static uint8_t
peek(const scan *s)
{
	return s->at < s->end ? *s->at : 0;
}

static bool
take(scan *s, uint8_t c)
{
	if (s->at >= s->end || *s->at != c)
		return false;
	s->at++;
	return true;
}

static void
add_utf8(sat_buf *b, uint32_t cp)
{
	if (cp < 0x80) {
		sat_write_u8(b, (uint8_t)cp);
		return;
	}
	if (cp < 0x800) {
		sat_write_u8(b, (uint8_t)(0xc0 | cp >> 6));
	} else {
		if (cp < 0x10000) {
			sat_write_u8(b, (uint8_t)(0xe0 | cp >> 12));
		} else {
			sat_write_u8(b, (uint8_t)(0xf0 | cp >> 18));
			sat_write_u8(b, (uint8_t)(0x80 | (cp >> 12 & 0x3f)));
		}
		sat_write_u8(b, (uint8_t)(0x80 | (cp >> 6 & 0x3f)));
	}
	sat_write_u8(b, (uint8_t)(0x80 | (cp & 0x3f)));
}

/* The four digits after a backslash and u. */
static bool
scan_hex4(scan *s, uint32_t *v)
{
	uint8_t b[2];

	if (s->end - s->at < 4 ||
	    !sat_unhex(b, 2, (const char *)s->at, 4))
		return bad(s, s->at, "bad \\u escape");
	*v = (uint32_t)b[0] << 8 | b[1];
	s->at += 4;
	return true;
}

static bool
scan_unicode(scan *s, sat_buf *out)
{
	const uint8_t *at = s->at - 2;
	uint32_t cp, low;

	if (!scan_hex4(s, &cp))
		return false;
	if (cp == 0)
		return bad(s, at, "u+0000 in a string");
	if (cp >= 0xdc00 && cp <= 0xdfff)
		return bad(s, at, "lone surrogate");
	if (cp >= 0xd800 && cp <= 0xdbff) {
		if (!take(s, '\\') || !take(s, 'u'))
			return bad(s, at, "lone surrogate");
		if (!scan_hex4(s, &low))
			return false;
		if (low < 0xdc00 || low > 0xdfff)
			return bad(s, at, "lone surrogate");
		cp = 0x10000 + ((cp - 0xd800) << 10) + (low - 0xdc00);
	}
	if (out != NULL)
		add_utf8(out, cp);
	return true;
}

static bool
scan_escape(scan *s, sat_buf *out)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	const char *hit;
	uint8_t c = peek(s);

	s->at++;
	if (c == 'u')
		return scan_unicode(s, out);
	hit = c != 0 ? strchr(from, c) : NULL;
	if (hit == NULL)
		return bad(s, s->at - 2, "unknown escape");
	if (out != NULL)
		sat_write_u8(out, (uint8_t)to[hit - from]);
	return true;
}

/* A string whose opening quote is next; its content is appended to `out`
 * (may be NULL: only the form is checked). */
static bool
scan_string(scan *s, sat_buf *out)
{
	s->at++;
	for (;;) {
		const uint8_t *run = s->at;

		while (s->at < s->end && *s->at >= 0x20 && *s->at != '"' &&
		    *s->at != '\\')
			s->at++;
		/* A run ends at an ASCII byte, so it never cuts a character. */
		if (!sat_utf8_ok(run, (size_t)(s->at - run)))
			return bad(s, run, "invalid utf-8 in a string");
		if (out != NULL)
			sat_buf_add(out, run, (size_t)(s->at - run));
		if (s->at >= s->end)
			return bad(s, s->at, "string without an end");
		if (take(s, '"'))
			return true;
		if (!take(s, '\\'))
			return bad(s, s->at, "control character in a string");
		if (!scan_escape(s, out))
			return false;
	}
}

static size_t
scan_digits(scan *s)
{
	const uint8_t *from = s->at;

	while (peek(s) >= '0' && peek(s) <= '9')
		s->at++;
	return (size_t)(s->at - from);
}

static bool
scan_number(scan *s)
{
	const uint8_t *from = s->at;
	char copy[NUMBER_MAX + 1];
	bool whole = true, zero;
	size_t n;
	double v;

	(void)take(s, '-');
	zero = peek(s) == '0';
	n = scan_digits(s);
	if (n == 0)
		return bad(s, from, "unexpected character");
	if (zero && n > 1)
		return bad(s, from, "number with a leading zero");
	if (take(s, '.')) {
		whole = false;
		if (scan_digits(s) == 0)
			return bad(s, s->at, "number ends at its point");
	}
	if (take(s, 'e') || take(s, 'E')) {
		whole = false;
		if (!take(s, '+'))
			(void)take(s, '-');
		if (scan_digits(s) == 0)
			return bad(s, s->at, "number without an exponent");
	}
	n = (size_t)(s->at - from);
	if (n > NUMBER_MAX)
		return bad(s, from, "number is too long");
	memcpy(copy, from, n);
	copy[n] = '\0';
	v = strtod(copy, NULL);
	if (!isfinite(v))
		return bad(s, from, "number is not finite");
	/* 2^53+1 itself rounds down to 2^53: compare the digits there. */
	if (whole && (fabs(v) > JSON_INT_MAX || (fabs(v) == JSON_INT_MAX &&
	    strcmp(copy + (copy[0] == '-'), "9007199254740992") != 0)))
		return bad(s, from, "integer beyond 2^53, send it as a string");
	return true;
}

static bool
scan_word(scan *s, const char *word)
{
	size_t n = strlen(word);

	if ((size_t)(s->end - s->at) < n || memcmp(s->at, word, n) != 0)
		return bad(s, s->at, "unexpected character");
	s->at += n;
	return true;
}

static void
push_name(scan *s, const uint8_t *at, size_t off)
{
	if (s->nnames == s->cap) {
		s->cap = s->cap > 0 ? s->cap * 2 : 32;
		s->names = sat_xrealloc(s->names, s->cap * sizeof *s->names);
	}
	s->names[s->nnames++] = (name){ off, s->bytes.n - off, at };
}

static int
name_cmp(const void *a, const void *b, void *bytes)
{
	const name *x = a, *y = b;
	const uint8_t *p = bytes;

	return sat_span_cmp(sat_span_of(p + x->off, x->n),
	    sat_span_of(p + y->off, y->n));
}

/* Sorted, not compared pairwise: a million names must not take an hour. */
static bool
no_duplicates(scan *s, size_t first)
{
	size_t n = s->nnames - first;
	name *v;

	if (n < 2)
		return true;
	v = s->names + first;
	qsort_r(v, n, sizeof *v, name_cmp, s->bytes.p);
	for (size_t i = 1; i < n; i++)
		if (name_cmp(&v[i - 1], &v[i], s->bytes.p) == 0)
			return bad(s, v[i].at > v[i - 1].at ? v[i].at :
			    v[i - 1].at, "duplicate key");
	return true;
}

static bool
scan_member(scan *s)
{
	const uint8_t *at;
	size_t off = s->bytes.n;

	skip_space(s);
	at = s->at;
	if (peek(s) != '"')
		return bad(s, at, "expected a key in quotes");
	if (!scan_string(s, &s->bytes))
		return false;
	push_name(s, at, off);
	skip_space(s);
	if (!take(s, ':'))
		return bad(s, s->at, "expected a colon");
	return scan_value(s);
}

static bool
scan_object(scan *s)
{
	size_t first = s->nnames, off = s->bytes.n;

	s->at++;
	skip_space(s);
	if (take(s, '}'))
		return true;
	do {
		if (!scan_member(s))
			return false;
		skip_space(s);
	} while (take(s, ','));
	if (!take(s, '}'))
		return bad(s, s->at, "expected a comma or a closing brace");
	if (!no_duplicates(s, first))
		return false;
	s->nnames = first;
	s->bytes.n = off;
	return true;
}

static bool
scan_array(scan *s)
{
	s->at++;
	skip_space(s);
	if (take(s, ']'))
		return true;
	do {
		if (!scan_value(s))
			return false;
		skip_space(s);
	} while (take(s, ','));
	if (!take(s, ']'))
		return bad(s, s->at, "expected a comma or a closing bracket");
	return true;
}

/* Recursion is bounded by SAT_JSON_DEPTH_MAX. */
static bool
scan_value(scan *s)
{
	uint8_t c;
	bool good;

	skip_space(s);
	if (s->at >= s->end)
		return bad(s, s->at, "unexpected end");
	if (++s->nodes > SAT_JSON_NODES_MAX)
		return bad(s, s->at, "too many values");
	c = *s->at;
	if (c == '{' || c == '[') {
		if (++s->depth > SAT_JSON_DEPTH_MAX)
			return bad(s, s->at, "nested too deeply");
		good = c == '{' ? scan_object(s) : scan_array(s);
		s->depth--;
		return good;
	}
	if (c == '"')
		return scan_string(s, NULL);
	if (c == 't')
		return scan_word(s, "true");
	if (c == 'f')
		return scan_word(s, "false");
	if (c == 'n')
		return scan_word(s, "null");
	return scan_number(s);
}

static sat_rc
report(const scan *s, sat_err *e)
{
	size_t line = 1, column = 1;

	for (const uint8_t *p = s->begin; p < s->fault_at; p++) {
		if (*p == '\n') {
			line++;
			column = 1;
		} else if ((*p & 0xc0) != 0x80) {
			column++; /* characters, not bytes */
		}
	}
	return sat_fail(e, SAT_EPROTO, "json: %s at line %zu column %zu",
	    s->fault, line, column);
}

sat_rc
sat_json_scan(sat_span text, sat_err *e)
{
	scan s = { .begin = text.p, .at = text.p };
	sat_rc rc = SAT_OK;

	if (text.n == 0)
		return sat_fail(e, SAT_EPROTO,
		    "json: unexpected end at line 1 column 1");
	s.end = text.p + text.n;
	(void)sat_buf_room(&s.bytes, 1); /* names may all be empty */
	if (text.n >= 3 && memcmp(text.p, "\xef\xbb\xbf", 3) == 0) {
		(void)bad(&s, s.at, "byte order mark");
	} else if (scan_value(&s)) {
		skip_space(&s);
		if (s.at < s.end)
			(void)bad(&s, s.at, "bytes after the end");
	}
	if (s.fault != NULL)
		rc = report(&s, e);
	sat_buf_fini(&s.bytes);
	free(s.names);
	return rc;
}
