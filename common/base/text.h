/*
 * text.h - what people read, in their language.
 *
 * The source texts are English; those of another language are a GNU gettext
 * catalogue, compiled by msgfmt and held inside the program (client/cli/po,
 * server/admin/po): it is found wherever the binary lies and needs no locale on
 * the machine. JSON, tab-separated keys, manual pages and exit codes are never
 * translated.
 *
 * The language is the process's, set once before anything is printed.
 */
#ifndef SAT_BASE_TEXT_H
#define SAT_BASE_TEXT_H

#include "common/base/args.h"

#define SAT_FORMAT_ARG(n) __attribute__((format_arg(n)))
/* A text that is translated where it is printed: marks it for xgettext. */
#define N_(text) text
#define _(text) sat_text(text)

/* The catalogue, a little-endian .mo file that stays where it is; NULL: English
 * as it is. */
void sat_text_use(const unsigned char *mo, size_t n);
/* "zh" or "en": --lang, SATCHEL_LANG, what is configured (NULL: nothing), then
 * what the locale says for messages (LC_ALL, LC_MESSAGES, LANG); the first that
 * is set decides. */
const char *sat_text_lang(int argc, char *const *argv, const char *configured);
/* The text itself when the catalogue does not have it. Never NULL. */
const char *sat_text(const char *english) SAT_FORMAT_ARG(1);
/*
 * A message whose format is filled in already, as errors are (the room that
 * fails, or the daemon, wrote it): the catalogue's formats are tried against
 * it, the one with most text of its own wins, and what stood for its
 * conversions is put into the translation, itself translated when it is a text of
 * the catalogue with more than one word. Appended to out; unknown ones as
 * they are.
 */
void sat_text_message(sat_buf *out, const char *english);

/* ---- for xgettext: what tables say, which macros may build ------------------- */

/* A line of C with the text, and what it is of as a comment. */
void sat_text_mark(sat_buf *out, const char *what, const char *english);
void sat_text_mark_options(sat_buf *out, const char *of, const sat_opt *table);
/* What the system says inside of errors: files, disks, connections. */
void sat_text_mark_system(sat_buf *out);

#endif
