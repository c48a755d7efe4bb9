/*
 * xlsx_out.c - books for Excel, WPS and LibreOffice; libxlsxwriter makes them,
 * row by row in constant memory. Text is always a string cell: nothing that a
 * person typed into the CRM can become a formula.
 */
#include "common/sheet/csv_int.h"
#include "common/sheet/sheet_int.h"

#include "common/base/file.h"
#include "common/base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <xlsxwriter.h>

#define ROWS_MAX 1048576
#define CELL_CHARS_MAX 32767 /* of the format; longer texts are cut */

struct xlsx_out {
	lxw_workbook *book;
	lxw_worksheet *sheet, *about;
	lxw_row_t about_row;
	lxw_format *bold;
	char *path, *tmp;
	lxw_row_t row;
	lxw_col_t col;
	int broken; /* lxw_error of the first failed cell */
	sat_buf text;
};

static sat_rc
failed(int err, sat_err *e)
{
	if (err == LXW_ERROR_WORKSHEET_INDEX_OUT_OF_RANGE)
		return sat_fail_code(e, SAT_EINVALID, "sheet.full",
		    "export fewer rows, or as csv",
		    "xlsx: a sheet holds %d rows", ROWS_MAX);
	return sat_fail(e, errno == ENOSPC ? SAT_ENOSPACE : SAT_EIO,
	    "xlsx: write: %s", lxw_strerror((lxw_error)err));
}

/* The folder of the target: temporary files hold customer data too. */
static char *
folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash == NULL ? sat_xstrdup(".")
	                     : sat_xasprintf("%.*s", (int)(slash - path + 1), path);
}

/* Sheet names: 31 characters, none of []:*?/\ . */
static void
sheet_name(char out[100], const char *title)
{
	size_t n = 0, chars = 0;

	for (const char *p = title != NULL ? title : ""; *p != '\0' && n < 96;
	     p++) {
		chars += ((unsigned char)*p & 0xc0) != 0x80;
		if (chars > 31)
			break;
		out[n++] = strchr("[]:*?/\\'", *p) != NULL ? '_' : *p;
	}
	out[n] = '\0';
	if (n == 0)
		(void)snprintf(out, 100, "Satchel");
}

static sat_rc
book_new(lxw_workbook **book, const char *tmp, char *folder, sat_err *e)
{
	lxw_workbook_options o = { .constant_memory = LXW_TRUE };
	int fd;

	o.tmpdir = folder;
	(void)unlink(tmp); /* left by an export that was killed */
	fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
	    0600);
	if (fd < 0)
		return sat_fail(e, errno == ENOENT ? SAT_ENOTFOUND : SAT_EIO,
		    "xlsx: create: %s", strerror(errno));
	(void)close(fd);
	*book = workbook_new_opt(tmp, &o);
	return *book != NULL ? SAT_OK
	                     : sat_fail(e, SAT_EIO, "xlsx: cannot begin");
}

sat_rc
sat_xlsx_out_open(xlsx_out **out, const char *path, const char *title,
    sat_err *e)
{
	xlsx_out *x;
	char *folder, name[100];
	sat_rc rc;

	if (sat_file_is_stream(path))
		return sat_fail_code(e, SAT_EUSAGE, "usage.option",
		    "name a file: -o FILE.xlsx",
		    "a book cannot be written to a pipe or a device");
	x = sat_xcalloc(1, sizeof *x);
	folder = folder_of(path);
	x->path = sat_xstrdup(path);
	x->tmp = sat_xasprintf("%s.tmp", path);
	rc = book_new(&x->book, x->tmp, folder, e);
	free(folder);
	if (rc != SAT_OK) {
		free(x->path);
		free(x->tmp);
		free(x);
		*out = NULL;
		return rc;
	}
	sheet_name(name, title);
	x->sheet = workbook_add_worksheet(x->book, name);
	x->bold = workbook_add_format(x->book);
	format_set_bold(x->bold);
	worksheet_freeze_panes(x->sheet, 1, 0);
	*out = x;
	return SAT_OK;
}

/* A decimal number a spreadsheet can keep exactly: an optional minus, at most
 * 15 digits, no leading zero, at most one point. */
static bool
is_number(const char *s, size_t n)
{
	size_t digits = 0, points = 0, i = n > 0 && s[0] == '-' ? 1 : 0;

	if (i < n && s[i] == '0' && i + 1 < n && s[i + 1] != '.')
		return false;
	for (; i < n; i++) {
		if (s[i] == '.')
			points++;
		else if (s[i] >= '0' && s[i] <= '9')
			digits++;
		else
			return false;
	}
	return digits > 0 && digits <= 15 && points <= 1 && s[n - 1] != '.';
}

void
sat_xlsx_out_cell(xlsx_out *x, sat_span v, bool plain)
{
	lxw_format *f = x->row == 0 ? x->bold : NULL;
	const char *s;
	lxw_error err = LXW_NO_ERROR;
	size_t chars = 0;

	sat_buf_reset(&x->text);
	for (size_t i = 0; i < v.n; i++) {
		bool escape = sat_xlsx_escape(v.p + i, v.n - i) >= 0;

		chars += (escape ? 6u : 0u) + ((v.p[i] & 0xc0) != 0x80);
		if (chars > CELL_CHARS_MAX)
			break;
		if (escape) /* what looks like one is none of ours */
			sat_buf_str(&x->text, "_x005F");
		/* XML knows no other control characters */
		sat_write_u8(&x->text, v.p[i] < 32 && v.p[i] != '\t' &&
		    v.p[i] != '\n' && v.p[i] != '\r' ? ' ' : v.p[i]);
	}
	s = sat_buf_cstr(&x->text);
	if (x->row > 0 && plain && is_number(s, x->text.n))
		err = worksheet_write_number(x->sheet, x->row, x->col,
		    strtod(s, NULL), f);
	else if (x->text.n > 0)
		err = worksheet_write_string(x->sheet, x->row, x->col, s, f);
	if (err != LXW_NO_ERROR && x->broken == 0)
		x->broken = (int)err;
	x->col++;
}

void
sat_xlsx_out_endrow(xlsx_out *x)
{
	x->row++;
	x->col = 0;
}

static sat_rc
publish(const char *tmp, const char *path, sat_err *e)
{
	int fd = open(tmp, O_RDONLY | O_CLOEXEC);
	bool ok = fd >= 0 && fchmod(fd, 0600) == 0 && fsync(fd) == 0;

	if (fd >= 0)
		(void)close(fd);
	if (ok && rename(tmp, path) == 0)
		return SAT_OK;
	return sat_fail(e, errno == ENOSPC ? SAT_ENOSPACE : SAT_EIO,
	    "xlsx: publish: %s", strerror(errno));
}

void
sat_xlsx_out_about(xlsx_out *x, const char *title, const char *what,
    const char *is)
{
	const char *const cells[] = { what, is };
	char name[100];

	if (x->about == NULL) {
		sheet_name(name, title);
		x->about = workbook_add_worksheet(x->book, name);
		worksheet_set_column(x->about, 0, 1, 30, NULL);
	}
	for (lxw_col_t i = 0; i < 2 && x->broken == 0; i++) {
		sat_buf_reset(&x->text);
		sat_csv_repair(&x->text, sat_span_str(cells[i]));
		x->broken = (int)worksheet_write_string(x->about, x->about_row,
		    i, sat_buf_cstr(&x->text), i == 0 ? x->bold : NULL);
	}
	x->about_row++;
}

sat_rc
sat_xlsx_out_close(xlsx_out *x, bool keep, sat_err *e)
{
	int err;
	sat_rc rc = SAT_OK;

	errno = 0;
	err = (int)workbook_close(x->book);
	if (keep && (x->broken != 0 || err != 0))
		rc = failed(x->broken != 0 ? x->broken : err, e);
	else if (keep)
		rc = publish(x->tmp, x->path, e);
	if (!keep || rc != SAT_OK)
		(void)unlink(x->tmp);
	sat_buf_fini(&x->text);
	free(x->path);
	free(x->tmp);
	free(x);
	return rc;
}

/* ---- forms --------------------------------------------------------------------------- */

/* The options as a rule of the column; long lists stand on a hidden sheet. */
static void
drop_down(lxw_worksheet *sheet, lxw_worksheet *lists, lxw_col_t col,
    const sat_form_column *c)
{
	lxw_data_validation v = { .validate = LXW_VALIDATION_TYPE_LIST_FORMULA,
		.show_error = LXW_VALIDATION_ON,
		.show_input = LXW_VALIDATION_ON,
		.dropdown = LXW_VALIDATION_ON,
		.ignore_blank = LXW_VALIDATION_ON };
	char formula[80], name[16];

	lxw_col_to_name(name, col, LXW_FALSE);
	for (size_t i = 0; i < c->noptions; i++)
		(void)worksheet_write_string(lists, (lxw_row_t)i, col,
		    c->options[i], NULL);
	(void)snprintf(formula, sizeof formula, "=_lists!$%s$1:$%s$%zu", name,
	    name, c->noptions);
	v.value_formula = formula;
	(void)worksheet_data_validation_range(sheet, 1, col, 9999, col, &v);
}

static void
form_fill(lxw_workbook *book, const char *title, const char *help_title,
    const sat_form_column *c, size_t n)
{
	lxw_worksheet *sheet, *help, *lists;
	lxw_format *bold = workbook_add_format(book);
	lxw_format *text = workbook_add_format(book);
	char name[100];

	format_set_bold(bold);
	format_set_num_format(text, "@"); /* 00123 and +86... stay as typed */
	sheet_name(name, title);
	sheet = workbook_add_worksheet(book, name);
	sheet_name(name, help_title);
	help = workbook_add_worksheet(book, name);
	lists = workbook_add_worksheet(book, "_lists");
	worksheet_hide(lists);
	worksheet_freeze_panes(sheet, 1, 0);
	(void)worksheet_set_column(help, 0, 0, 24, NULL);
	(void)worksheet_set_column(help, 1, 1, 90, NULL);
	for (size_t i = 0; i < n; i++) {
		lxw_col_t col = (lxw_col_t)i;

		(void)worksheet_set_column(sheet, col, col, 18,
		    c[i].options == NULL ? text : NULL);
		(void)worksheet_write_string(sheet, 0, col, c[i].heading, bold);
		(void)worksheet_write_string(help, (lxw_row_t)i, 0,
		    c[i].heading, c[i].required ? bold : NULL);
		(void)worksheet_write_string(help, (lxw_row_t)i, 1, c[i].wants,
		    NULL);
		if (c[i].noptions > 0)
			drop_down(sheet, lists, col, &c[i]);
	}
}

sat_rc
sat_sheet_form(const char *path, const char *title, const char *help_title,
    const sat_form_column *c, size_t n, sat_err *e)
{
	char *tmp = sat_xasprintf("%s.tmp", path);
	lxw_workbook *book;
	lxw_error err;
	int fd;
	sat_rc rc = SAT_OK;

	(void)unlink(tmp);
	fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		rc = sat_fail(e, errno == ENOENT ? SAT_ENOTFOUND : SAT_EIO,
		    "xlsx: create: %s", strerror(errno));
	if (rc == SAT_OK) {
		(void)close(fd);
		book = workbook_new(tmp);
		form_fill(book, title, help_title, c, n);
		errno = 0;
		err = workbook_close(book);
		rc = err != LXW_NO_ERROR ? failed((int)err, e)
		                         : publish(tmp, path, e);
		if (rc != SAT_OK)
			(void)unlink(tmp);
	}
	free(tmp);
	return rc;
}
