/*
 * csv_int.h - inside common/sheet only: a file as physical lines of UTF-8.
 */
#ifndef SAT_SHEET_CSV_INT_H
#define SAT_SHEET_CSV_INT_H

#include "common/sheet/csv.h"

#include <iconv.h>

#define CSV_CHUNK 65536

typedef struct csv_source {
	int fd;
	uint64_t done, total; /* bytes of the file */
	const char *encoding; /* static */
	bool converts;        /* cd is open */
	iconv_t cd;
	size_t unit;          /* bytes to step over what cannot be decoded */
	uint8_t raw[CSV_CHUNK];
	size_t nraw;
	bool raw_end;
	/*
	 * Decoded text. Everything from `keep` on stays, so that the reader can
	 * come back to the line after `keep`; what cannot be decoded is 0xff,
	 * which no check of UTF-8 lets pass.
	 */
	sat_buf text;
	size_t keep, at, seen; /* seen: no line end in [at, seen) */
	uint64_t line;         /* number of the line at `at` */
} csv_source;

SAT_CHECK sat_rc sat_csv_source_open(csv_source *s, const char *path,
    const char *encoding, sat_err *e);
void sat_csv_source_close(csv_source *s);
/*
 * The next physical line with its line end, borrowed until the next call;
 * n == 0 at the end of the file. A line without an end in SAT_CSV_ROW_MAX
 * bytes after `keep` is cut: *cut, and nothing was consumed.
 */
SAT_CHECK sat_rc sat_csv_source_line(
    sat_span *line, bool *cut, csv_source *s, sat_err *e);
/* Read and forget up to the end of the line at `at`. */
SAT_CHECK sat_rc sat_csv_source_skip(csv_source *s, sat_err *e);

/* Nothing but spaces: a row that was emptied in a spreadsheet is none. */
bool sat_sheet_no_row(const sat_span *fields, size_t n);
/* Without the spaces around it: a heading is that, and a cell beyond the last
 * heading that has nothing else is a ghost of one that was emptied. */
sat_span sat_sheet_trimmed(sat_span v);

/* Append `in`, each byte outside valid UTF-8 (and NUL) as U+FFFD. */
void sat_csv_repair(sat_buf *out, sat_span in);

#endif
