/*
 * sheet.h - a table in a file, whichever program made it: CSV (csv.h), XLSX, or
 * vCards (one card a row, columns id, name, account, title, dept, phone, email,
 * wechat, remark; photos and everything else dropped).
 *
 * Reading finds the format by the first bytes, never by the name. An XLSX is
 * read as a stream: rows as they come, texts from the shared table, numbers as
 * a person reads them (whole ones without a point), dates of date cells as
 * 2026-11-22, 2026-11-22T10:30 or 10:30, formulas by their stored result.
 * Refused: encrypted books, a DOCTYPE, parts that inflate to more than
 * SAT_XLSX_INFLATED_MAX, more texts than SAT_XLSX_TEXTS_MAX or
 * SAT_XLSX_TEXT_COUNT_MAX of them. An error value (#N/A) makes its row faulty,
 * not the file. Memory grows with the shared texts only.
 */
#ifndef SAT_SHEET_SHEET_H
#define SAT_SHEET_SHEET_H

#include "common/sheet/csv.h"

#define SAT_XLSX_INFLATED_MAX (400u * 1024 * 1024) /* one part of the book */
#define SAT_XLSX_TEXTS_MAX (64u * 1024 * 1024)     /* shared texts, bytes */
#define SAT_XLSX_TEXT_COUNT_MAX (8u * 1024 * 1024) /* and how many of them */

typedef sat_csv_row sat_sheet_row;

typedef struct sat_sheet_opts {
	const char *encoding; /* CSV: as sat_csv_opts */
	char delimiter;       /* CSV: 0 = find */
	unsigned header_row;  /* 1-based line of the header; 0 = first row */
	unsigned sheet;       /* XLSX: 1-based; 0 = the first one */
} sat_sheet_opts;

typedef struct sat_sheet sat_sheet;
/* As sat_csv_open; also SAT_EINVALID: not a book, no such sheet. */
SAT_CHECK sat_rc sat_sheet_open(sat_sheet **s, const char *path,
    const sat_sheet_opts *o, sat_err *e);
size_t sat_sheet_columns(const sat_sheet *s);
const char *sat_sheet_column(const sat_sheet *s, size_t i);
const char *sat_sheet_format(const sat_sheet *s); /* "utf-8", "gb18030", "xlsx", "vcard" */
/* Bytes read and in all, for progress. */
void sat_sheet_progress(const sat_sheet *s, uint64_t *done, uint64_t *total);
/* Next row; *row is NULL at the end. Valid until the next call. Line is the
 * row's number in the sheet. */
SAT_CHECK sat_rc sat_sheet_next(const sat_sheet_row **row, sat_sheet *s, sat_err *e);
void sat_sheet_close(sat_sheet *s); /* NULL is fine */

/* ---- writing ----------------------------------------------------------------- */

typedef struct sat_sheet_out sat_sheet_out;
typedef struct sat_sheet_out_opts {
	const char *format;   /* NULL/"csv", "xlsx" */
	const char *encoding; /* CSV: as sat_csv_out_opts */
	int fd;               /* CSV without a file: as sat_csv_out_opts */
	const char *title;    /* XLSX: name of the sheet, at most 31 characters */
	bool raw;             /* CSV: as sat_csv_out_opts; a book has no need */
} sat_sheet_out_opts;
/* A file appears whole or not at all, readable by its owner only. XLSX needs
 * one (SAT_EUSAGE for stdout) and a folder for temporary files: the file's. */
SAT_CHECK sat_rc sat_sheet_out_open(sat_sheet_out **s, const char *path,
    const sat_sheet_out_opts *o, sat_err *e);
/* The next cell. Text is never a formula. plain: our own words, and numbers
 * and dates in text form; XLSX keeps a plain decimal number as a number. */
void sat_sheet_out_text(sat_sheet_out *s, sat_span v);
void sat_sheet_out_plain(sat_sheet_out *s, sat_span v);
/* The first row is the header: bold and frozen in XLSX. */
SAT_CHECK sat_rc sat_sheet_out_endrow(sat_sheet_out *s, sat_err *e);
/* One line about the whole table: a book has them on a second sheet of this
 * title, made with the first one; a CSV is data only and drops them. */
void sat_sheet_out_about(sat_sheet_out *s, const char *title, const char *what,
    const char *is);
/* keep: finish and publish; else the new file is removed. Frees s always. */
SAT_CHECK sat_rc sat_sheet_out_close(sat_sheet_out *s, bool keep, sat_err *e);

/* An empty table to be filled in (import template): headings, drop-downs of the
 * options, and a second sheet that says what each column wants. */
typedef struct sat_form_column {
	const char *heading, *wants; /* "required; a phone number" */
	const char *const *options;  /* labels; NULL = any text */
	size_t noptions;
	bool required;
} sat_form_column;
SAT_CHECK sat_rc sat_sheet_form(const char *path, const char *title,
    const char *help_title, const sat_form_column *c, size_t n, sat_err *e);

#endif
