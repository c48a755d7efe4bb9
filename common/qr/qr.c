#include "common/qr/qr.h"

#include <qrencode.h>
#include <string.h>

/* Beyond the code all is light. */
static bool
is_light(const QRcode *q, int row, int col)
{
	row -= SAT_QR_QUIET;
	col -= SAT_QR_QUIET;
	return row < 0 || col < 0 || row >= q->width || col >= q->width ||
	    (q->data[row * q->width + col] & 1) == 0;
}

sat_rc
sat_qr_terminal(sat_buf *out, const char *text, sat_err *e)
{
	/* by upper and lower half: neither, lower, upper, both */
	static const char *const halves[] = { " ", "\u2584", "\u2580",
		"\u2588" };
	QRcode *q;
	int side;

	if (text[0] == '\0' || strlen(text) > SAT_QR_TEXT_MAX)
		return sat_fail(e, SAT_EINVALID,
		    "a QR code takes 1 to %d bytes", SAT_QR_TEXT_MAX);
	q = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_M);
	if (q == NULL)
		return sat_fail(e, SAT_EFAIL, "cannot make the QR code");
	side = q->width + 2 * SAT_QR_QUIET;
	for (int row = 0; row < side; row += 2) {
		for (int col = 0; col < side; col++)
			sat_buf_str(out, halves[(is_light(q, row, col) ? 2 : 0) +
			    (row + 1 < side && is_light(q, row + 1, col))]);
		sat_buf_str(out, "\n");
	}
	QRcode_free(q);
	return SAT_OK;
}
