/*
 * csv_source.c - from the bytes of a file to lines of UTF-8.
 *
 * The encoding is decided by the bytes alone: a byte order mark, else UTF-8
 * when the whole file is, else GB18030, which is what Excel in China writes.
 * A large UTF-8 file with a damaged byte must not turn into GB18030 nonsense
 * from end to end, so a file that is UTF-8 almost everywhere is UTF-8 and the
 * damaged lines are faults. By chance GB18030 text holds a three-byte UTF-8
 * character now and then, never twenty for one violation. Nor is a first line
 * of it UTF-8 by chance: a head of more than one such character, all of it
 * good, says UTF-8 whatever people pasted below it.
 */
#include "common/sheet/csv_int.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DAMAGED_UTF8_RATIO 20

typedef struct utf8_count {
	unsigned need, len;  /* bytes to come, length of this character */
	uint8_t lo, hi;      /* what the next byte may be */
	uint64_t wide, bad;  /* characters of 3 bytes and more; violations */
} utf8_count;

/* A byte that begins a character; sets what must follow. */
static void
count_first(utf8_count *u, uint8_t c)
{
	if (c < 0x80)
		return;
	u->lo = 0x80;
	u->hi = 0xbf;
	if (c >= 0xc2 && c <= 0xdf) {
		u->need = 1;
	} else if (c >= 0xe0 && c <= 0xef) {
		u->need = 2;
		if (c == 0xe0)
			u->lo = 0xa0; /* overlong below */
		if (c == 0xed)
			u->hi = 0x9f; /* surrogates above */
	} else if (c >= 0xf0 && c <= 0xf4) {
		u->need = 3;
		if (c == 0xf0)
			u->lo = 0x90;
		if (c == 0xf4)
			u->hi = 0x8f;
	} else {
		u->bad++;
	}
	u->len = u->need + 1;
}

/* The state lives in *u, so a character may cross the border of two chunks. */
static void
count_chunk(utf8_count *u, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint8_t c = p[i];

		if (u->need == 0) {
			count_first(u, c);
		} else if (c >= u->lo && c <= u->hi) {
			u->lo = 0x80;
			u->hi = 0xbf;
			if (--u->need == 0 && u->len >= 3)
				u->wide++;
		} else {
			u->need = 0;
			u->bad++;
			count_first(u, c);
		}
	}
}

/* Is the first line with text in it wide, and good? */
static bool
head_is_utf8(const uint8_t *p, size_t n)
{
	utf8_count u = { 0 };
	size_t at = 0, end;

	for (; at < n && u.wide == 0 && u.bad == 0; at = end + 1) {
		const uint8_t *stop = memchr(p + at, '\n', n - at);

		end = stop != NULL ? (size_t)(stop - p) : n;
		count_chunk(&u, p + at, end - at);
	}
	return u.wide > 1 && u.bad == 0 && u.need == 0;
}

static sat_rc
read_raw(size_t *got, csv_source *s, sat_err *e)
{
	ssize_t n;

	do
		n = read(s->fd, s->raw + s->nraw, sizeof s->raw - s->nraw);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return sat_fail(e, SAT_EIO, "csv: read: %s", strerror(errno));
	*got = (size_t)n;
	return SAT_OK;
}

static sat_rc
seek_to(csv_source *s, off_t to, sat_err *e)
{
	if (lseek(s->fd, to, SEEK_SET) != to)
		return sat_fail(e, SAT_EIO, "csv: seek: %s", strerror(errno));
	s->nraw = 0;
	s->done = (uint64_t)to;
	return SAT_OK;
}

/* One pass over the file, whose first chunk is in raw. */
static sat_rc
guess(csv_source *s, size_t first, sat_err *e)
{
	bool head = head_is_utf8(s->raw, first);
	utf8_count u = { 0 };
	size_t got = first;
	sat_rc rc;

	while (got > 0) {
		count_chunk(&u, s->raw, got);
		if ((rc = read_raw(&got, s, e)) != SAT_OK)
			return rc;
	}
	u.bad += u.need > 0;
	s->encoding = head || u.bad == 0 || u.wide / DAMAGED_UTF8_RATIO >= u.bad ?
	    "utf-8" : "gb18030";
	return SAT_OK;
}

static bool
starts(const uint8_t *p, size_t n, const char *mark, size_t len)
{
	return n >= len && memcmp(p, mark, len) == 0;
}

/* Encoding and where the text begins. A byte order mark is certain, so it
 * wins even over the caller's word. */
static sat_rc
detect(csv_source *s, const char *asked, const char **iconv_name, sat_err *e)
{
	const uint8_t *p = s->raw;
	size_t got;
	off_t skip = 0;
	sat_rc rc;

	if ((rc = read_raw(&got, s, e)) != SAT_OK)
		return rc;
	if (starts(p, got, "\xef\xbb\xbf", 3)) {
		s->encoding = "utf-8";
		skip = 3;
	} else if (starts(p, got, "\xff\xfe", 2)) {
		s->encoding = "utf-16";
		*iconv_name = "UTF-16LE";
		skip = 2;
	} else if (starts(p, got, "\xfe\xff", 2)) {
		s->encoding = "utf-16";
		*iconv_name = "UTF-16BE";
		skip = 2;
	} else if (starts(p, got, "\x84\x31\x95\x33", 4)) {
		s->encoding = "gb18030";
		skip = 4;
	} else if (asked == NULL || strcmp(asked, "auto") == 0) {
		if ((rc = guess(s, got, e)) != SAT_OK)
			return rc;
	} else if (strcmp(asked, "utf-8") == 0) {
		s->encoding = "utf-8";
	} else if (strcmp(asked, "gb18030") == 0) {
		s->encoding = "gb18030";
	} else if (strcmp(asked, "utf-16") == 0) {
		s->encoding = "utf-16";
		*iconv_name = "UTF-16LE";
	} else {
		return sat_fail_code(e, SAT_EUSAGE, "usage.option",
		    "auto, utf-8, gb18030 or utf-16", "csv: unknown encoding");
	}
	if (strcmp(s->encoding, "gb18030") == 0)
		*iconv_name = "GB18030";
	return seek_to(s, skip, e);
}

sat_rc
sat_csv_source_open(csv_source *s, const char *path, const char *encoding,
    sat_err *e)
{
	const char *iconv_name = NULL;
	struct stat st;
	sat_rc rc;

	s->line = 1;
	s->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (s->fd < 0)
		return sat_fail(e, errno == ENOENT ? SAT_ENOTFOUND : SAT_EIO,
		    "csv: open: %s", strerror(errno));
	if (fstat(s->fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		rc = sat_fail(e, SAT_EIO, "csv: not a regular file");
		goto fail;
	}
	s->total = (uint64_t)st.st_size;
	if ((rc = detect(s, encoding, &iconv_name, e)) != SAT_OK)
		goto fail;
	if (iconv_name == NULL)
		return SAT_OK;
	s->cd = iconv_open("UTF-8", iconv_name);
	if (s->cd == (iconv_t)-1) {
		rc = sat_fail(e, SAT_EIO, "csv: no converter from %s",
		    iconv_name);
		goto fail;
	}
	s->converts = true;
	s->unit = strcmp(s->encoding, "utf-16") == 0 ? 2 : 1;
	return SAT_OK;
fail:
	(void)close(s->fd);
	s->fd = -1;
	return rc;
}

void
sat_csv_source_close(csv_source *s)
{
	if (s->converts)
		(void)iconv_close(s->cd);
	s->converts = false;
	if (s->fd >= 0)
		(void)close(s->fd);
	s->fd = -1;
	sat_buf_fini(&s->text);
}

/* Move raw to text; a character cut by the border of the chunk stays in raw. */
static void
decode(csv_source *s)
{
	char *in = (char *)s->raw;
	size_t left = s->nraw;

	if (!s->converts) {
		sat_buf_add(&s->text, s->raw, s->nraw);
		s->nraw = 0;
		return;
	}
	while (left > 0) {
		size_t room = left * 2 + 16, free_bytes = room, step;
		char *out = (char *)sat_buf_room(&s->text, room);
		size_t bad = iconv(s->cd, &in, &left, &out, &free_bytes);
		int why = errno;

		s->text.n += room - free_bytes;
		if (bad != (size_t)-1 || why == E2BIG)
			continue;
		if (why == EINVAL && !s->raw_end)
			break;
		sat_write_u8(&s->text, 0xff);
		step = why == EINVAL ? left : s->unit;
		if (step > left)
			step = left;
		in += step;
		left -= step;
	}
	memmove(s->raw, in, left);
	s->nraw = left;
}

static sat_rc
refill(csv_source *s, sat_err *e)
{
	size_t got;
	sat_rc rc;

	if (s->keep > 0) {
		memmove(s->text.p, s->text.p + s->keep, s->text.n - s->keep);
		s->text.n -= s->keep;
		s->at -= s->keep;
		s->seen -= s->keep;
		s->keep = 0;
	}
	if ((rc = read_raw(&got, s, e)) != SAT_OK)
		return rc;
	s->done += got;
	s->nraw += got;
	s->raw_end = got == 0;
	decode(s);
	return SAT_OK;
}

/* The end of the line at `at` in what is decoded, 0 when it is not there. */
static size_t
line_end(csv_source *s)
{
	const uint8_t *p = s->text.p;

	for (size_t i = s->seen; i < s->text.n; i++) {
		if (p[i] == '\n')
			return i + 1;
		if (p[i] != '\r')
			continue;
		if (i + 1 < s->text.n)
			return p[i + 1] == '\n' ? i + 2 : i + 1;
		s->seen = i; /* is it CR or CR LF? */
		return s->raw_end ? i + 1 : 0;
	}
	s->seen = s->text.n;
	return s->raw_end ? s->text.n : 0;
}

sat_rc
sat_csv_source_line(sat_span *line, bool *cut, csv_source *s, sat_err *e)
{
	size_t end;
	sat_rc rc;

	*cut = false;
	*line = (sat_span){ NULL, 0 };
	if (s->seen < s->at)
		s->seen = s->at;
	while ((end = line_end(s)) == 0 && !s->raw_end) {
		if (s->text.n - s->keep > SAT_CSV_ROW_MAX) {
			*cut = true;
			return SAT_OK;
		}
		if ((rc = refill(s, e)) != SAT_OK)
			return rc;
	}
	if (end <= s->at)
		return SAT_OK;
	*line = sat_span_of(s->text.p + s->at, end - s->at);
	s->at = s->seen = end;
	s->line++;
	return SAT_OK;
}

sat_rc
sat_csv_source_skip(csv_source *s, sat_err *e)
{
	sat_span line;
	bool cut;
	sat_rc rc;

	do {
		s->keep = s->at;
		if ((rc = sat_csv_source_line(&line, &cut, s, e)) != SAT_OK)
			return rc;
		if (cut)
			s->at = s->seen; /* no line end up to here */
	} while (cut);
	return SAT_OK;
}

void
sat_csv_repair(sat_buf *out, sat_span in)
{
	size_t i = 0;

	while (i < in.n) {
		uint8_t c = in.p[i];
		size_t n = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;

		if (n <= in.n - i && sat_utf8_ok(in.p + i, n)) {
			sat_buf_add(out, in.p + i, n);
			i += n;
		} else {
			sat_buf_str(out, "\xef\xbf\xbd");
			i++;
		}
	}
}
