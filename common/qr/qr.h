/*
 * qr.h - the only door to libqrencode: a text as a QR code for a terminal.
 */
#ifndef SAT_QR_QR_H
#define SAT_QR_QR_H

#include "common/base/buf.h"

#define SAT_QR_TEXT_MAX 1000 /* longer ones are read badly from a screen */
#define SAT_QR_QUIET 4       /* light modules around it, as the standard asks */

/*
 * Lines of UTF-8, two rows of modules in each (U+2580 to U+2588): what is light
 * in the code is printed, so it stands as it should on a dark terminal; readers
 * take it reversed, too. Error correction M.
 * @return SAT_EINVALID when the text is empty or too long.
 */
SAT_CHECK sat_rc sat_qr_terminal(sat_buf *out, const char *text, sat_err *e);

#endif
