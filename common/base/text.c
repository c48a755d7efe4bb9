/*
 * A reader of .mo files over bytes in memory. libintl's own needs a file and a
 * locale that is installed; neither can be counted on where one binary is
 * copied to a laptop. Format: the manual of GNU gettext, "The Format of GNU MO
 * Files"; the originals are sorted, so a binary search finds one.
 */
#include "common/base/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MO_MAGIC 0x950412deu
#define CONVERSIONS_MAX 9
#define PIECE_MAX 120
#define OWN_TEXT_MIN 8 /* a format with less of its own fits anything */

typedef struct catalogue {
	const unsigned char *p;
	size_t n;
	uint32_t count, originals, translations; /* entries; offsets of tables */
} catalogue;

static catalogue now; /* p NULL: English */

static uint32_t
u32_at(const unsigned char *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
	    (uint32_t)p[3] << 24;
}

void
sat_text_use(const unsigned char *mo, size_t n)
{
	memset(&now, 0, sizeof now);
	if (mo == NULL || n < 28 || u32_at(mo) != MO_MAGIC)
		return;
	now = (catalogue){ mo, n, u32_at(mo + 8), u32_at(mo + 12),
		u32_at(mo + 16) };
}

const char *
sat_text_lang(int argc, char *const *argv, const char *configured)
{
	static const char *const names[] = { "SATCHEL_LANG", "LC_ALL",
		"LC_MESSAGES", "LANG" };
	const char *lang = NULL;

	for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (strncmp(argv[i], "--lang=", 7) == 0)
			lang = argv[i] + 7;
		else if (strcmp(argv[i], "--lang") == 0 && i + 1 < argc)
			lang = argv[i + 1];
	for (size_t i = 0; lang == NULL && i < sizeof names / sizeof names[0]; i++) {
		lang = getenv(names[i]);
		if (lang != NULL && lang[0] == '\0')
			lang = NULL;
		if (lang == NULL && i == 0)
			lang = configured;
	}
	return lang != NULL && strncmp(lang, "zh", 2) == 0 ? "zh" : "en";
}

/* String i of a table; they end with NUL in the file. */
static const char *
string_at(uint32_t table, uint32_t i)
{
	return (const char *)now.p + u32_at(now.p + table + 8u * i + 4);
}

const char *
sat_text(const char *english)
{
	uint32_t low = 0, high = now.p != NULL ? now.count : 0;

	if (english[0] == '\0') /* that entry is the catalogue's header */
		return english;
	while (low < high) {
		uint32_t mid = low + (high - low) / 2;
		int order = strcmp(english, string_at(now.originals, mid));

		if (order == 0)
			return string_at(now.translations, mid);
		if (order < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return english;
}

/* ---- formats, read backwards ---------------------------------------------------- */

typedef struct piece {
	const char *p;
	size_t n;
} piece;

/* Length of the conversion at s ("%s", "%5.1f", "%.*s", "%2$lld"); 0: none.
 * "%%" is none: it is text. *which: the n of "%n$", else 0. */
static size_t
conversion(const char *s, unsigned *which)
{
	size_t n = 1, digits;

	*which = 0;
	if (s[0] != '%' || s[1] == '%' || s[1] == '\0')
		return 0;
	digits = strspn(s + 1, "0123456789");
	if (digits == 1 && s[2] == '$') {
		*which = (unsigned)(s[1] - '0');
		n += 2;
	}
	n += strspn(s + n, "-+ #0123456789.*hljztL");
	return s[n] != '\0' ? n + 1 : 0;
}

/* Length of the text up to the next conversion. */
static size_t
literal(const char *s)
{
	size_t n = 0;
	unsigned which;

	while (s[n] != '\0' && conversion(s + n, &which) == 0)
		n += s[n] == '%' && s[n + 1] == '%' ? 2 : 1;
	return n;
}

/* What the conversions of a format stand for in a text. Each takes as little as
 * it can, the last as much as is left. Returns the bytes the format has of its
 * own, 0 when it does not fit. */
static size_t
unformat(piece *got, size_t *ngot, const char *format, const char *text)
{
	size_t own = literal(format), n;
	unsigned which;

	*ngot = 0;
	if (strncmp(text, format, own) != 0)
		return 0;
	format += own;
	text += own;
	while ((n = conversion(format, &which)) > 0) {
		size_t after = literal(format + n), rest = strlen(text);
		const char *end;

		format += n;
		if (*ngot == CONVERSIONS_MAX)
			return 0;
		if (format[after] == '\0') /* the last: the end must be the same */
			end = rest >= after &&
			        strcmp(text + rest - after, format) == 0
			    ? text + rest - after
			    : NULL;
		else /* of two side by side the second gets all */
			end = memmem(text, rest, format, after);
		if (end == NULL)
			return 0;
		got[(*ngot)++] = (piece){ text, (size_t)(end - text) };
		text = end + after;
		format += after;
		own += after;
	}
	return text[0] == '\0' && format[0] == '\0' ? own : 0;
}

/* "%3$.0s": msgfmt wants each conversion used; Chinese has no plural's "s". */
static bool
is_mute(const char *s, size_t n)
{
	return n >= 4 && strncmp(s + n - 3, ".0s", 3) == 0;
}

/* What stands for a conversion. A text of its own, as strerror's or a parser's,
 * is translated too; one word is not: it may be a key that people type. */
static void
put_piece(sat_buf *out, const piece *x)
{
	char english[PIECE_MAX + 1];

	if (x->n > PIECE_MAX || memchr(x->p, ' ', x->n) == NULL) {
		sat_buf_add(out, x->p, x->n);
		return;
	}
	memcpy(english, x->p, x->n);
	english[x->n] = '\0';
	sat_buf_str(out, sat_text(english));
}

static void
fill(sat_buf *out, const char *format, const piece *got, size_t ngot)
{
	unsigned next = 1, which;

	while (*format != '\0') {
		size_t n = conversion(format, &which);

		if (n == 0) {
			n = literal(format);
			sat_buf_add(out, format, n);
		} else {
			which = which != 0 ? which : next++;
			if (which <= ngot && !is_mute(format, n))
				put_piece(out, &got[which - 1]);
		}
		format += n;
	}
}

void
sat_text_message(sat_buf *out, const char *english)
{
	const char *exact = sat_text(english);
	piece got[CONVERSIONS_MAX];
	size_t ngot, best = OWN_TEXT_MIN;
	uint32_t at = 0;

	for (uint32_t i = 0; exact == english && now.p != NULL && i < now.count;
	     i++) {
		size_t own = unformat(got, &ngot, string_at(now.originals, i),
		    english);

		if (own > best && ngot > 0) {
			best = own;
			at = i;
		}
	}
	if (exact != english || best == OWN_TEXT_MIN) {
		sat_buf_str(out, exact);
		return;
	}
	(void)unformat(got, &ngot, string_at(now.originals, at), english);
	fill(out, string_at(now.translations, at), got, ngot);
}

/* ---- for xgettext ------------------------------------------------------------------- */

void
sat_text_mark(sat_buf *out, const char *what, const char *english)
{
	sat_buf_fmt(out, "/* %s */ _(\"", what);
	for (; *english != '\0'; english++) {
		if (*english == '"' || *english == '\\')
			sat_buf_str(out, "\\");
		if (*english == '\n')
			sat_buf_str(out, "\\n");
		else
			sat_write_u8(out, (uint8_t)*english);
	}
	sat_buf_str(out, "\");\n");
}

void
sat_text_mark_options(sat_buf *out, const char *of, const sat_opt *o)
{
	char what[120];

	for (; o != NULL && o->name != NULL; o++) {
		(void)snprintf(what, sizeof what, "%s --%s", of, o->name);
		sat_text_mark(out, what, o->help);
	}
}

void
sat_text_mark_system(sat_buf *out)
{
	static const int faults[] = { EPERM, ENOENT, EIO, EBADF, ENOMEM, EACCES,
		EBUSY, EEXIST, ENOTDIR, EISDIR, EINVAL, EMFILE, EFBIG, ENOSPC,
		EROFS, EPIPE, ENAMETOOLONG, ENOTEMPTY, ELOOP, EADDRINUSE,
		EADDRNOTAVAIL, ECONNREFUSED, ECONNRESET, ETIMEDOUT, EHOSTUNREACH,
		ENETUNREACH, EDQUOT };

	for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++)
		sat_text_mark(out, "strerror", strerror(faults[i]));
}
