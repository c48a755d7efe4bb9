/*
 * csv.h - CSV in and out, streaming (libcsv behind it).
 *
 * Reading: BOM, else strict UTF-8 of the whole file (a file that is UTF-8 but
 * for a few damaged bytes stays UTF-8), else GB18030 (iconv); UTF-16 with BOM.
 * Delimiter , ; or tab found from the header line outside quotes, or from
 * Excel's "sep=;" line. CR, LF, CRLF. Blank lines are no rows, nor are those
 * whose cells hold nothing but spaces. Excel's ="00123" and a leading ' are
 * undone. A quote that never closes, a cell or a row that is too long, more
 * fields than the header, an invalid byte: each is a row fault with its line
 * number, never the end of the file; reading goes on behind the row, or, when
 * a quote never closes, with the line after the one where it began. Memory
 * does not grow with the file.
 */
#ifndef SAT_SHEET_CSV_H
#define SAT_SHEET_CSV_H

#include "common/base/buf.h"

#define SAT_CSV_FIELD_MAX 65536
#define SAT_CSV_COLUMNS_MAX 512
/* A row, line ends inside its quotes included; bounds the memory. */
#define SAT_CSV_ROW_MAX (1024 * 1024)

typedef struct sat_csv_opts {
	const char *encoding; /* NULL/"auto", "utf-8", "gb18030", "utf-16" */
	char delimiter;       /* 0 = find */
	unsigned header_row;  /* 1-based line of the header; 0 = first row */
} sat_csv_opts;

typedef struct sat_csv_row {
	uint64_t line;          /* physical line where it began, 1-based */
	uint64_t number;        /* data row, 1-based (header not counted) */
	size_t n;               /* may be less than the header has columns */
	const sat_span *fields; /* UTF-8, trimmed of the Excel wrappers only */
	/* NULL, or why this row is bad (static text). A row that could not be
	 * taken apart has n = 0; invalid bytes are shown as U+FFFD. */
	const char *fault;
} sat_csv_row;

typedef struct sat_csv sat_csv;
/* Opens, detects, reads the header. SAT_ENOTFOUND, SAT_EIO (also: not a
 * regular file), SAT_EINVALID (empty file, no header, too many columns,
 * duplicate column names; empty names may repeat, at the end of the header
 * they are no columns). */
SAT_CHECK sat_rc sat_csv_open(sat_csv **c, const char *path, const sat_csv_opts *o, sat_err *e);
size_t sat_csv_columns(const sat_csv *c);
const char *sat_csv_column(const sat_csv *c, size_t i);
const char *sat_csv_encoding(const sat_csv *c); /* what was found */
char sat_csv_delimiter(const sat_csv *c);
/* Bytes read and in all, for progress. */
void sat_csv_progress(const sat_csv *c, uint64_t *done, uint64_t *total);
/* Next row; *row is NULL at the end. Valid until the next call. */
SAT_CHECK sat_rc sat_csv_next(const sat_csv_row **row, sat_csv *c, sat_err *e);
void sat_csv_close(sat_csv *c); /* NULL is fine */

typedef struct sat_csv_out sat_csv_out;
typedef struct sat_csv_out_opts {
	const char *encoding; /* NULL/"utf-8", "utf-8-bom", "gb18030" */
	bool raw;             /* no formula guard */
	bool lf;              /* LF instead of CRLF */
	int fd;               /* instead of stdout, stays open; 0 = stdout,
	                       * -1 = there is none: SAT_EUSAGE without a file */
} sat_csv_out_opts;
/* path NULL or "-" = stdout. Written beside as path.tmp (mode 0600) and
 * renamed by sat_csv_out_close, so a failed export leaves the old file. */
SAT_CHECK sat_rc sat_csv_out_open(sat_csv_out **c, const char *path, const sat_csv_out_opts *o, sat_err *e);
/* Whether a text cell needs the formula guard, a leading ': it begins with
 * = + - @ ' TAB CR LF or the full-width form of one, and is not + and 6 to 15
 * digits. */
bool sat_csv_is_formula(sat_span v);
/* Text cells get the guard; plain ones (numbers, dates, our own headings) do
 * not. A write that fails is reported by the next
 * endrow or close. */
void sat_csv_out_text(sat_csv_out *c, sat_span v);
void sat_csv_out_plain(sat_csv_out *c, sat_span v);
SAT_CHECK sat_rc sat_csv_out_endrow(sat_csv_out *c, sat_err *e);
/* keep: flush, fsync, rename; else the new file is removed. Frees c always. */
SAT_CHECK sat_rc sat_csv_out_close(sat_csv_out *c, bool keep, sat_err *e);

#endif
