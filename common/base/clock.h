/*
 * clock.h - time and randomness are handed in, never taken.
 *
 * Two clocks that are never mixed: wall time orders what people did, boot time
 * (monotonic, counts sleep) measures deadlines. A simulation hands in its own.
 */
#ifndef SAT_BASE_CLOCK_H
#define SAT_BASE_CLOCK_H

#include "common/base/err.h"

typedef struct sat_clock {
	int64_t (*wall_ms)(void *u); /* UTC, ms since 1970 */
	int64_t (*boot_ms)(void *u); /* CLOCK_BOOTTIME, ms */
	void *u;
} sat_clock;

typedef struct sat_rand {
	void (*bytes)(void *u, void *out, size_t n);
	void *u;
} sat_rand;

/* The machine's clocks. */
sat_clock sat_clock_os(void);

static inline int64_t
sat_wall_ms(const sat_clock *c)
{
	return c->wall_ms(c->u);
}
static inline int64_t
sat_boot_ms(const sat_clock *c)
{
	return c->boot_ms(c->u);
}

/* RFC 3339 UTC "2026-11-21T01:12:03Z"; out has 32 bytes. Years 1970-9999. */
void sat_time_rfc3339(char out[32], int64_t ms);
/*
 * Reads RFC 3339 ("2026-11-21T01:12:03Z", "+08:00" offsets, "T" or space,
 * optional seconds and fraction) and plain dates ("2026-11-21", also with "/"),
 * which mean midnight at tz_min minutes east of UTC.
 * @return false when `s` is none of these.
 */
bool sat_time_parse(int64_t *ms, const char *s, int tz_min);
/* Days since 1970 of a proleptic Gregorian date, and back. */
int64_t sat_days_of(int y, int m, int d);
void sat_date_of(int *y, int *m, int *d, int64_t days);

#endif
