/*
 * rows.h - one file of comma-separated text, read row by row as a line.
 */
#ifndef SAT_TESTS_COMMON_SHEET_ROWS_H
#define SAT_TESTS_COMMON_SHEET_ROWS_H

#include "tests/lib/unit.h"

#include "common/sheet/csv.h"

extern char path[300];

int setup(void **state);

/* Open a text; every later check works on the one open file. */
sat_csv *reader_n(const void *p, size_t n, const sat_csv_opts *o);

sat_csv *reader(const char *text);
sat_rc opened(const char *text, sat_err *e);

/* The next row as "line|cell|cell"; "!" before the line marks a fault; "end". */
const char *next(sat_csv *c);

#define ZH "\xe5\xae\xa2\xe6\x88\xb7"       /* two characters */

#endif
