/* Numbers of a report as they are printed. */
#include "common/model/report.h"

#include <stdio.h>
#include <string.h>

/* Hundredths -> "-12.34". 128 bits: num x 10000 must not wrap. */
static void
hundredths_text(char out[32], bool minus, unsigned __int128 v)
{
	char digits[32];
	size_t n = 0;

	do {
		digits[n++] = (char)('0' + (int)(v % 10));
		v /= 10;
	} while (v > 0 || n < 3);
	if (minus)
		*out++ = '-';
	while (n > 0) {
		if (n == 2)
			*out++ = '.';
		*out++ = digits[--n];
	}
	*out = '\0';
}

static unsigned __int128
magnitude(int64_t v)
{
	return v < 0 ? (unsigned __int128)0 - (unsigned __int128)(__int128)v :
	    (unsigned __int128)v;
}

void
sat_ratio_text(char out[32], int64_t num, int64_t den, bool percent)
{
	unsigned __int128 scaled, d = magnitude(den);

	if (den == 0) {
		(void)snprintf(out, 32, "—");
		return;
	}
	scaled = magnitude(num) * (percent ? 10000u : 100u);
	scaled = (2 * scaled + d) / (2 * d); /* half-up, away from zero */
	hundredths_text(out, scaled > 0 && (num < 0) != (den < 0), scaled);
}

void
sat_money_text(char out[32], int64_t fen)
{
	hundredths_text(out, fen < 0, magnitude(fen));
}
