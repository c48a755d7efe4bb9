/*
 * attachment.c - references to files, read strictly and written in one way.
 *
 * Why the name is cleaned: it comes from the disk of somebody else and ends on
 * a disk, in a terminal and in a header of HTTP. A name is shown, never opened.
 */
#include "common/model/attachment.h"

#include <string.h>

#define ENDING_MAX 12 /* bytes of an ending that survives shortening */

static const struct {
	const char *ending, *type;
} types[] = { { "pdf", "application/pdf" }, { "txt", "text/plain" },
	{ "csv", "text/csv" }, { "jpg", "image/jpeg" },
	{ "jpeg", "image/jpeg" }, { "png", "image/png" },
	{ "gif", "image/gif" }, { "webp", "image/webp" },
	{ "heic", "image/heic" }, { "mp3", "audio/mpeg" },
	{ "m4a", "audio/mp4" }, { "amr", "audio/amr" },
	{ "mp4", "video/mp4" }, { "zip", "application/zip" },
	{ "doc", "application/msword" }, { "xls", "application/vnd.ms-excel" },
	{ "ppt", "application/vnd.ms-powerpoint" },
	{ "docx", "application/vnd.openxmlformats-officedocument."
	    "wordprocessingml.document" },
	{ "xlsx", "application/vnd.openxmlformats-officedocument."
	    "spreadsheetml.sheet" },
	{ "pptx", "application/vnd.openxmlformats-officedocument."
	    "presentationml.presentation" },
	{ "ofd", "application/ofd" }, { "eml", "message/rfc822" } };

/* ---- one character ---------------------------------------------------------- */

/* Bytes of the character at p (n > 0), as its first byte says. */
static size_t
width(const uint8_t *p, size_t n)
{
	size_t w = p[0] < 0x80 ? 1 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;

	return w < n ? w : n;
}

/* Steers a terminal, a path or the direction of writing. */
static bool
is_foul(const uint8_t *p, size_t w)
{
	if (w == 1)
		return p[0] < 0x20 || p[0] == 0x7f || p[0] == '/' ||
		    p[0] == '\\' || p[0] == '"' || p[0] == ':' ||
		    p[0] == '<' || p[0] == '>' || p[0] == '|' ||
		    p[0] == '*' || p[0] == '?';
	if (w == 2)
		return p[0] == 0xc2 && p[1] < 0xa0; /* C1 */
	if (w == 3 && p[0] == 0xe2 && p[1] == 0x80)
		return p[2] >= 0x8b && (p[2] <= 0x8f || p[2] >= 0xa8) &&
		    p[2] <= 0xae; /* zero width, marks, separators, overrides */
	if (w == 3 && p[0] == 0xe2 && p[1] == 0x81)
		return p[2] >= 0xa0 && p[2] <= 0xaf; /* isolates */
	return w == 3 && p[0] == 0xef && p[1] == 0xbb && p[2] == 0xbf;
}

static bool
name_ok(sat_span s)
{
	if (s.n == 0 || s.p[0] == '.' || s.p[0] == ' ' || s.p[s.n - 1] == ' ' ||
	    s.p[s.n - 1] == '.' || !sat_utf8_ok(s.p, s.n))
		return false;
	for (size_t i = 0, w; i < s.n; i += w) {
		w = width(s.p + i, s.n - i);
		if (is_foul(s.p + i, w))
			return false;
	}
	return true;
}

/* One '/', between lower-case words. */
static bool
type_ok(sat_span s)
{
	size_t slashes = 0;

	for (size_t i = 0; i < s.n; i++) {
		uint8_t c = s.p[i];

		slashes += c == '/';
		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
		    c == '/' || c == '.' || c == '+' || c == '-'))
			return false;
	}
	return slashes == 1 && s.p[0] != '/' && s.p[s.n - 1] != '/';
}

/* ---- reading ------------------------------------------------------------------ */

/* Up to the next blank, which is taken too; n == 0: there is none. */
static sat_span
word(sat_span *rest)
{
	const uint8_t *blank = rest->n == 0 ? NULL :
	    memchr(rest->p, ' ', rest->n);
	sat_span w = { rest->p, 0 };

	if (blank == NULL)
		return w;
	w.n = (size_t)(blank - rest->p);
	rest->n -= w.n + 1;
	rest->p += w.n + 1;
	return w;
}

static bool
number(uint64_t *out, sat_span s)
{
	*out = 0;
	if (s.n == 0 || s.n > 9 || s.p[0] == '0')
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
		*out = *out * 10 + (uint64_t)(s.p[i] - '0');
	}
	return *out <= SAT_ATTACHMENT_BYTES_MAX;
}

static bool
is_lower(sat_span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] >= 'A' && s.p[i] <= 'F')
			return false;
	return true;
}

bool
sat_attachment_read(sat_attachment *out, sat_span text)
{
	sat_span rest = text, hex;

	memset(out, 0, sizeof *out);
	if (text.n > SAT_ATTACHMENT_TEXT_MAX)
		return false;
	hex = word(&rest);
	if (hex.n != SAT_ATTACHMENT_HEX || !is_lower(hex) || !sat_unhex(out->hash,
	    sizeof out->hash, (const char *)hex.p, hex.n) ||
	    !number(&out->bytes, word(&rest)))
		return false;
	out->type = word(&rest);
	out->name = rest;
	return out->type.n > 0 && type_ok(out->type) && name_ok(out->name);
}

bool
sat_attachment_next(sat_attachment *out, sat_span *rest)
{
	while (rest->n > 0) {
		const uint8_t *lf = memchr(rest->p, '\n', rest->n);
		sat_span line = { rest->p, lf != NULL ?
		    (size_t)(lf - rest->p) : rest->n };

		rest->p += line.n + (lf != NULL);
		rest->n -= line.n + (lf != NULL);
		if (sat_attachment_read(out, line))
			return true;
	}
	return false;
}

/* ---- writing ------------------------------------------------------------------ */

static sat_span
ending_of(sat_span name)
{
	for (size_t i = name.n; i > 1; i--)
		if (name.p[i - 1] == '.')
			return sat_span_of(name.p + i, name.n - i);
	return sat_span_of(NULL, 0);
}

const char *
sat_attachment_type(sat_span name)
{
	sat_span end = ending_of(name);
	char low[ENDING_MAX + 1];

	if (end.n == 0 || end.n > ENDING_MAX)
		return "application/octet-stream";
	for (size_t i = 0; i < end.n; i++)
		low[i] = (char)(end.p[i] >= 'A' && end.p[i] <= 'Z' ?
		    end.p[i] + ('a' - 'A') : end.p[i]);
	low[end.n] = '\0';
	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
		if (strcmp(types[i].ending, low) == 0)
			return types[i].type;
	return "application/octet-stream";
}

/* What of it may stay, behind its folders. */
static void
clean(sat_buf *out, sat_span s)
{
	for (size_t i = s.n; i > 0; i--)
		if (s.p[i - 1] == '/' || s.p[i - 1] == '\\') {
			s.p += i;
			s.n -= i;
			break;
		}
	if (!sat_utf8_ok(s.p, s.n))
		s.n = 0;
	for (size_t i = 0, w; i < s.n; i += w) {
		w = width(s.p + i, s.n - i);
		if (!is_foul(s.p + i, w) && (out->n > 0 ||
		    (s.p[i] != '.' && s.p[i] != ' ')))
			sat_buf_add(out, s.p + i, w);
	}
	while (out->n > 0 && (out->p[out->n - 1] == ' ' ||
	    out->p[out->n - 1] == '.'))
		out->n--;
	if (out->n == 0)
		sat_buf_str(out, "file");
}

/* As many whole characters as fit. */
static size_t
whole(sat_span s, size_t max)
{
	size_t n = 0, w;

	while (n < s.n && n + (w = width(s.p + n, s.n - n)) <= max)
		n += w;
	return n;
}

void
sat_attachment_name(sat_buf *out, sat_span name, size_t max)
{
	sat_buf b = { 0 };
	sat_span all, end;
	size_t keep;

	clean(&b, name);
	all = sat_buf_span(&b);
	if (all.n <= max) {
		sat_buf_add(out, all.p, all.n);
	} else {
		end = ending_of(all);
		if (end.n > ENDING_MAX || end.n + 2 > max)
			end.n = 0;
		keep = whole(all, max - end.n - (end.n > 0));
		while (keep > 1 && (all.p[keep - 1] == ' ' ||
		    all.p[keep - 1] == '.'))
			keep--;
		sat_buf_add(out, all.p, keep);
		if (end.n > 0) {
			sat_buf_str(out, ".");
			sat_buf_add(out, end.p, end.n);
		}
	}
	sat_buf_fini(&b);
}

void
sat_attachment_write(sat_buf *out, const uint8_t hash[SAT_ATTACHMENT_HASH],
    uint64_t bytes, sat_span name)
{
	char hex[SAT_ATTACHMENT_HEX + 1];
	size_t from = out->n;

	sat_hex(hex, hash, SAT_ATTACHMENT_HASH);
	sat_buf_fmt(out, "%s %llu %s ", hex, (unsigned long long)bytes,
	    sat_attachment_type(name));
	sat_attachment_name(out, name, SAT_ATTACHMENT_TEXT_MAX -
	    (out->n - from));
}
