/*
 * passphrase.h - where a passphrase may come from: a file, a descriptor, a
 * terminal; never a flag's or an environment variable's value.
 *
 * Each appends the first line, without its line end, to `out`; the caller
 * wipes and frees it. SAT_ELOCKED, nothing appended: an empty line is
 * "passphrase.empty", one of more than 1,024 bytes "passphrase.long", one with
 * a byte 0 "passphrase.bytes".
 */
#ifndef SAT_CRYPTO_PASSPHRASE_H
#define SAT_CRYPTO_PASSPHRASE_H

#include "common/base/buf.h"

/* "-" is standard input. SAT_ELOCKED "passphrase.file" when unreadable. */
SAT_CHECK sat_rc sat_passphrase_file(sat_buf *out, const char *path, sat_err *e);
/* The descriptor's number as text; it is not closed. */
SAT_CHECK sat_rc sat_passphrase_fd(sat_buf *out, const char *number, sat_err *e);
/* Ask on the terminal of standard input, echo off; prompt goes to stderr.
 * SAT_ELOCKED "passphrase.missing" when standard input is no terminal. */
SAT_CHECK sat_rc sat_passphrase_ask(sat_buf *out, const char *prompt, sat_err *e);

#endif
