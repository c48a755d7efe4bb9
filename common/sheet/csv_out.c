/*
 * csv_out.c - CSV that Excel and WPS open without running anything.
 *
 * A cell that begins with = + - @ is a formula to a spreadsheet, whoever
 * typed it into the CRM. Text cells get a leading apostrophe, which our own
 * reader takes off again; a text that begins with an apostrophe gets one too,
 * else that reader would take the wrong one.
 *
 * A finished file replaces the old one at once or not at all.
 */
#include "common/sheet/csv_int.h"

#include "common/base/file.h"
#include "common/base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FLUSH_BYTES 65536

struct sat_csv_out {
	int fd;
	char *path, *tmp; /* NULL when written straight */
	bool own_fd, raw, lf;
	bool converts;
	iconv_t cd;
	size_t cells, row_at; /* the row being made: cells, where it begins */
	sat_buf rows, bytes;
	int broken; /* errno of the first failed write, 0 while good */
};

static sat_rc
write_failed(const sat_csv_out *c, sat_err *e)
{
	return sat_fail(e, c->broken == ENOSPC || c->broken == EDQUOT ?
	    SAT_ENOSPACE : SAT_EIO, "csv: write: %s", strerror(c->broken));
}

static bool
is_regular_or_new(const char *path)
{
	struct stat st;

	return stat(path, &st) != 0 || S_ISREG(st.st_mode);
}

/* Customer data: for the owner only. */
static sat_rc
open_file(sat_csv_out *c, const char *path, sat_err *e)
{
	const char *name = path;
	int flags = O_WRONLY | O_CLOEXEC | O_NOCTTY;

	c->own_fd = true;
	if (is_regular_or_new(path)) {
		c->path = sat_xstrdup(path);
		c->tmp = sat_xasprintf("%s.tmp", path);
		name = c->tmp;
		flags |= O_CREAT | O_EXCL | O_NOFOLLOW;
		(void)unlink(name); /* left by an export that was killed */
	}
	c->fd = open(name, flags, 0600);
	if (c->fd >= 0)
		return SAT_OK;
	free(c->tmp); /* not ours: another export may own it */
	c->tmp = NULL;
	return sat_fail(e, errno == ENOENT ? SAT_ENOTFOUND : errno == ENOSPC ?
	    SAT_ENOSPACE : SAT_EIO, "csv: create: %s", strerror(errno));
}

/* Whatever was not published is removed. */
static void
out_free(sat_csv_out *c)
{
	if (c->own_fd && c->fd >= 0)
		(void)close(c->fd);
	if (c->tmp != NULL)
		(void)unlink(c->tmp);
	if (c->converts)
		(void)iconv_close(c->cd);
	free(c->tmp);
	free(c->path);
	sat_buf_fini(&c->rows);
	sat_buf_fini(&c->bytes);
	free(c);
}

sat_rc
sat_csv_out_open(sat_csv_out **out, const char *path,
    const sat_csv_out_opts *o, sat_err *e)
{
	static const sat_csv_out_opts none = { 0 };
	const char *encoding;
	sat_csv_out *c;
	sat_rc rc = SAT_OK;

	*out = NULL;
	if (o == NULL)
		o = &none;
	encoding = o->encoding != NULL ? o->encoding : "utf-8";
	if (strcmp(encoding, "utf-8") != 0 && strcmp(encoding, "utf-8-bom") !=
	    0 && strcmp(encoding, "gb18030") != 0)
		return sat_fail_code(e, SAT_EUSAGE, "usage.option",
		    "utf-8, utf-8-bom or gb18030", "csv: unknown encoding");
	if (o->fd < 0 && (path == NULL || strcmp(path, "-") == 0))
		return sat_fail_code(e, SAT_EUSAGE, "usage.output",
		    "name a file", "there is no standard output to write to");
	c = sat_xcalloc(1, sizeof *c);
	c->fd = o->fd != 0 ? o->fd : STDOUT_FILENO;
	c->raw = o->raw;
	c->lf = o->lf;
	if (strcmp(encoding, "gb18030") == 0) {
		c->cd = iconv_open("GB18030", "UTF-8");
		c->converts = c->cd != (iconv_t)-1;
		if (!c->converts)
			rc = sat_fail(e, SAT_EIO, "csv: no converter");
	} else if (strcmp(encoding, "utf-8-bom") == 0) {
		sat_buf_str(&c->rows, "\xef\xbb\xbf");
	}
	if (rc == SAT_OK && path != NULL && strcmp(path, "-") != 0)
		rc = open_file(c, path, e);
	else if (rc == SAT_OK)
		(void)fflush(stdout); /* what was printed comes first */
	if (rc != SAT_OK) {
		out_free(c);
		return rc;
	}
	c->row_at = c->rows.n;
	*out = c;
	return SAT_OK;
}

static void
write_all(sat_csv_out *c, const uint8_t *p, size_t n)
{
	while (n > 0 && c->broken == 0) {
		ssize_t k = write(c->fd, p, n);

		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0) {
			c->broken = errno;
			return;
		}
		p += k;
		n -= (size_t)k;
	}
}

/* UTF-8 rows to GB18030, which has every character; a byte outside UTF-8
 * becomes its U+FFFD. */
static void
convert(sat_csv_out *c)
{
	char *in = (char *)c->rows.p;
	size_t left = c->rows.n;

	sat_buf_reset(&c->bytes);
	while (left > 0) {
		size_t room = left * 2 + 16, free_bytes = room;
		char *out = (char *)sat_buf_room(&c->bytes, room);
		size_t bad = iconv(c->cd, &in, &left, &out, &free_bytes);
		int why = errno;

		c->bytes.n += room - free_bytes;
		if (bad == (size_t)-1 && why != E2BIG) {
			sat_buf_str(&c->bytes, "\x84\x31\xa4\x37");
			in++;
			left--;
		}
	}
}

static void
flush(sat_csv_out *c)
{
	if (c->converts) {
		convert(c);
		write_all(c, c->bytes.p, c->bytes.n);
	} else {
		write_all(c, c->rows.p, c->rows.n);
	}
	sat_buf_reset(&c->rows);
}

static bool
is_phone(sat_span v)
{
	if (v.n < 7 || v.n > 16 || v.p[0] != '+')
		return false;
	for (size_t i = 1; i < v.n; i++)
		if (v.p[i] < '0' || v.p[i] > '9')
			return false;
	return true;
}

bool
sat_csv_is_formula(sat_span v)
{
	/* Full-width = + - @: U+FF1D, FF0B, FF0D, FF20. */
	static const char wide[][4] = { "\xef\xbc\x9d", "\xef\xbc\x8b",
		"\xef\xbc\x8d", "\xef\xbc\xa0" };

	if (v.n == 0 || is_phone(v))
		return false;
	if (v.p[0] != '\0' && strchr("=+-@\t\r\n'", v.p[0]) != NULL)
		return true;
	for (size_t i = 0; i < 4; i++)
		if (v.n >= 3 && memcmp(v.p, wide[i], 3) == 0)
			return true;
	return false;
}

static bool
needs_quotes(sat_span v)
{
	if (v.n == 0)
		return false;
	if (v.p[0] == ' ' || v.p[v.n - 1] == ' ')
		return true;
	for (size_t i = 0; i < v.n; i++)
		if (v.p[i] == ',' || v.p[i] == '"' || v.p[i] == '\r' ||
		    v.p[i] == '\n' || v.p[i] == ';' || v.p[i] == '\t')
			return true;
	return false;
}

static void
put_cell(sat_csv_out *c, sat_span v, bool guard)
{
	sat_buf *b = &c->rows;
	bool quotes = needs_quotes(v);

	if (c->cells++ > 0)
		sat_write_u8(b, ',');
	if (quotes)
		sat_write_u8(b, '"');
	if (guard)
		sat_write_u8(b, '\'');
	for (size_t i = 0; i < v.n; i++) {
		if (v.p[i] == '"')
			sat_write_u8(b, '"');
		sat_write_u8(b, v.p[i]);
	}
	if (quotes)
		sat_write_u8(b, '"');
}

void
sat_csv_out_text(sat_csv_out *c, sat_span v)
{
	put_cell(c, v, !c->raw && sat_csv_is_formula(v));
}

void
sat_csv_out_plain(sat_csv_out *c, sat_span v)
{
	put_cell(c, v, false);
}

sat_rc
sat_csv_out_endrow(sat_csv_out *c, sat_err *e)
{
	/* One empty cell alone would be a blank line, which is no row. */
	if (c->rows.n == c->row_at)
		sat_buf_str(&c->rows, "\"\"");
	sat_buf_str(&c->rows, c->lf ? "\n" : "\r\n");
	c->cells = 0;
	if (c->rows.n >= FLUSH_BYTES)
		flush(c);
	c->row_at = c->rows.n;
	return c->broken != 0 ? write_failed(c, e) : SAT_OK;
}

/* The new file takes the place of the old one. */
static sat_rc
publish(sat_csv_out *c, sat_err *e)
{
	if (c->tmp == NULL)
		return SAT_OK;
	if (fsync(c->fd) != 0)
		return sat_fail(e, SAT_EIO, "csv: fsync: %s", strerror(errno));
	if (rename(c->tmp, c->path) != 0)
		return sat_fail(e, SAT_EIO, "csv: rename: %s",
		    strerror(errno));
	free(c->tmp);
	c->tmp = NULL;
	return sat_folder_sync_of(c->path, e);
}

sat_rc
sat_csv_out_close(sat_csv_out *c, bool keep, sat_err *e)
{
	sat_rc rc = SAT_OK;

	if (c == NULL)
		return SAT_OK;
	if (keep) {
		flush(c);
		rc = c->broken != 0 ? write_failed(c, e) : publish(c, e);
	}
	out_free(c);
	return rc;
}
