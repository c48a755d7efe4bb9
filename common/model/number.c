#include "common/model/number.h"

#include "common/base/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define DAY_MS 86400000
#define MONTH_DIGITS 6

void
sat_number_series(char out[SAT_SERIES_TEXT], const char *prefix, int64_t ms,
    int tz_min)
{
	int64_t local = ms + (int64_t)tz_min * 60000, days = local / DAY_MS;
	int y, m, d;

	if (local < 0 && local % DAY_MS != 0)
		days--;
	sat_date_of(&y, &m, &d, days);
	(void)snprintf(out, SAT_SERIES_TEXT, "%.4s%06u", prefix,
	    (unsigned)(y * 100 + m) % 1000000u);
}

size_t
sat_number_text(char out[SAT_NUMBER_TEXT], const char *series, uint64_t n)
{
	int len = snprintf(out, SAT_NUMBER_TEXT, "%.10s%03" PRIu64, series, n);

	return (size_t)len;
}

size_t
sat_number_provisional(char out[SAT_NUMBER_TEXT], const char *series,
    uint32_t device, uint64_t n)
{
	int len = snprintf(out, SAT_NUMBER_TEXT, "%.10s-P%u-%04" PRIu64,
	    series, device, n);

	return (size_t)len;
}

/* 1-4 capital letters and a month; how many bytes, 0 = it is none. */
static size_t
series_of(char series[SAT_SERIES_TEXT], sat_span text)
{
	size_t n = 0, i;

	while (n < text.n && n < 5 && text.p[n] >= 'A' && text.p[n] <= 'Z')
		n++;
	if (n == 0 || n > 4 || text.n < n + MONTH_DIGITS)
		return 0;
	for (i = n; i < n + MONTH_DIGITS; i++)
		if (text.p[i] < '0' || text.p[i] > '9')
			return 0;
	if (series != NULL) {
		memcpy(series, text.p, i);
		series[i] = '\0';
	}
	return i;
}

bool
sat_number_read(char series[SAT_SERIES_TEXT], uint64_t *n, sat_span text)
{
	size_t at = series_of(series, text), len;
	char again[SAT_NUMBER_TEXT];

	*n = 0;
	if (at == 0 || text.n < at + 3 || text.n > at + 9)
		return false;
	for (size_t i = at; i < text.n; i++) {
		if (text.p[i] < '0' || text.p[i] > '9')
			return false;
		*n = *n * 10 + (uint64_t)(text.p[i] - '0');
	}
	len = sat_number_text(again, series, *n);
	return *n > 0 && len == text.n && memcmp(again, text.p, len) == 0;
}

bool
sat_number_is_provisional(char series[SAT_SERIES_TEXT], sat_span text)
{
	size_t at = series_of(series, text);

	return at != 0 && text.n > at + 2 && text.p[at] == '-' &&
	    text.p[at + 1] == 'P';
}
