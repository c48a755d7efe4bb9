/*
 * text.h - what people read, in their language.
 *
 * The source texts are English; the Chinese ones are a GNU gettext catalogue
 * (client/cli/po/zh_CN.po), compiled by msgfmt and held inside the program: it
 * is found wherever the binary lies and needs no locale on the machine. JSON,
 * tab-separated keys, manual pages and exit codes are never translated.
 *
 * The language is the process's, set once before anything is printed.
 */
#ifndef SAT_CLI_TEXT_H
#define SAT_CLI_TEXT_H

#include "common/base/buf.h"

#define SAT_FORMAT_ARG(n) __attribute__((format_arg(n)))
/* A text that is translated where it is printed: marks it for xgettext. */
#define N_(text) text
#define _(text) cli_text(text)

/* "zh": the Chinese catalogue; anything else: English as it is. */
void cli_text_use(const char *lang);
/* "zh" or "en": --lang, SATCHEL_LANG, what is configured (NULL: nothing), then
 * what the locale says for messages (LC_ALL, LC_MESSAGES, LANG); the first that
 * is set decides. */
const char *cli_text_lang(int argc, char *const *argv, const char *configured);
/* The text itself when the catalogue does not have it. Never NULL. */
const char *cli_text(const char *english) SAT_FORMAT_ARG(1);
/*
 * A message whose format is filled in already, as errors are (the room that
 * fails, or the daemon, wrote it): the catalogue's formats are tried against
 * it, the one with most text of its own wins, and what stood for its
 * conversions is put into the translation, itself translated when it is a text of
 * the catalogue with more than one word. Appended to out; unknown ones as
 * they are.
 */
void cli_text_message(sat_buf *out, const char *english);

#endif
