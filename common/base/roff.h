/*
 * roff.h - manual pages from option tables, so that --help, completion and the
 * page of a program cannot disagree.
 *
 * Texts are plain UTF-8; everything that means something to roff is escaped.
 */
#ifndef SAT_BASE_ROFF_H
#define SAT_BASE_ROFF_H

#include "common/base/args.h"

/* "SATCHEL" "1" "Satchel 0.1.0"; name and one line what it is. No date: the same
 * tables give the same bytes. */
void sat_roff_head(sat_buf *out, const char *name, int section,
    const char *version, const char *what);
void sat_roff_section(sat_buf *out, const char *title);
void sat_roff_sub(sat_buf *out, const char *title);
/* A paragraph. */
void sat_roff_text(sat_buf *out, const char *text);
/* A bold tag and the text indented under it. */
void sat_roff_item(sat_buf *out, const char *tag, const char *text);
/* Lines as they are (examples). */
void sat_roff_lines(sat_buf *out, const char *lines);
void sat_roff_options(sat_buf *out, const sat_opt *table); /* NULL is fine */

#endif
