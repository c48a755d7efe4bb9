/* Working time, in whole weeks where it can be, so that ten years cost as
 * little as ten days. */
#include "common/model/calendar.h"

#define MIN_MS ((int64_t)60000)
#define DAY_MS (1440 * MIN_MS)

sat_calendar
sat_calendar_plain(int tz_min)
{
	return (sat_calendar){ .tz_min = tz_min, .weekdays = 0x1f,
		.open_min = 9 * 60, .close_min = 18 * 60 };
}

static int64_t
floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

int64_t
sat_calendar_day(const sat_calendar *c, int64_t ms)
{
	return floor_div(ms + c->tz_min * MIN_MS, DAY_MS);
}

/* Of the days in `list`, how many lie in [from, to) and whose week says so. */
static int64_t
listed(const sat_calendar *c, const int64_t *list, size_t n, int64_t from,
    int64_t to, bool working)
{
	int64_t found = 0;

	for (size_t i = 0; i < n; i++) {
		int64_t wd = list[i] + 3 - floor_div(list[i] + 3, 7) * 7;

		if (list[i] >= from && list[i] < to &&
		    (c->weekdays >> wd & 1) == (working ? 1 : 0))
			found++;
	}
	return found;
}

bool
sat_calendar_works(const sat_calendar *c, int64_t day)
{
	return sat_calendar_workdays(c, day, day + 1) > 0;
}

int64_t
sat_calendar_workdays(const sat_calendar *c, int64_t from, int64_t to)
{
	int64_t n, per_week = 0, weeks;

	if (to <= from)
		return 0;
	for (int i = 0; i < 7; i++)
		per_week += c->weekdays >> i & 1;
	weeks = (to - from) / 7;
	n = weeks * per_week;
	for (int64_t d = from + weeks * 7; d < to; d++) /* 1970-01-01: Thursday */
		n += c->weekdays >> (d + 3 - floor_div(d + 3, 7) * 7) & 1;
	return n - listed(c, c->holidays, c->nholidays, from, to, true) +
	    listed(c, c->extra, c->nextra, from, to, false);
}

/* How much of the working hours of its day lies before this instant. */
static int64_t
part_of_day(const sat_calendar *c, int64_t day, int64_t ms)
{
	int64_t at = ms + c->tz_min * MIN_MS - day * DAY_MS;
	int64_t open = c->open_min * MIN_MS, close = c->close_min * MIN_MS;

	if (!sat_calendar_works(c, day) || at <= open)
		return 0;
	return (at < close ? at : close) - open;
}

int64_t
sat_calendar_work_ms(const sat_calendar *c, int64_t from_ms, int64_t to_ms)
{
	int64_t a, b, hours = (c->close_min - c->open_min) * MIN_MS;

	if (to_ms < from_ms)
		return -sat_calendar_work_ms(c, to_ms, from_ms);
	a = sat_calendar_day(c, from_ms);
	b = sat_calendar_day(c, to_ms);
	return sat_calendar_workdays(c, a, b) * hours -
	    part_of_day(c, a, from_ms) + part_of_day(c, b, to_ms);
}
