/*
 * calendar.h - when people work: days of the week, hours, holidays. Pure.
 *
 * Days are local dates of the organisation (days since 1970 at tz_min minutes
 * east of UTC, no daylight saving).
 */
#ifndef SAT_MODEL_CALENDAR_H
#define SAT_MODEL_CALENDAR_H

#include "common/base/err.h"

typedef struct sat_calendar {
	int tz_min;
	uint8_t weekdays;         /* bit 0 = Monday ... bit 6 = Sunday */
	int open_min, close_min;  /* minutes after local midnight, open < close */
	const int64_t *holidays;  /* days nobody works, ascending */
	size_t nholidays;
	const int64_t *extra;     /* days worked although the week says no, ascending */
	size_t nextra;
} sat_calendar;

/* Monday to Friday, 09:00 to 18:00, no holidays. */
sat_calendar sat_calendar_plain(int tz_min);
/* The local date an instant lies on. */
int64_t sat_calendar_day(const sat_calendar *c, int64_t ms);
bool sat_calendar_works(const sat_calendar *c, int64_t day);
/* Working days among [from, to). */
int64_t sat_calendar_workdays(const sat_calendar *c, int64_t from, int64_t to);
/* Working time between two instants, ms; negative when `to` is earlier. */
int64_t sat_calendar_work_ms(const sat_calendar *c, int64_t from_ms, int64_t to_ms);

#endif
