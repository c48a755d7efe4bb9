#include "common/base/clock.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static int64_t
clock_ms(clockid_t id)
{
	struct timespec ts;

	(void)clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static int64_t
os_wall_ms(void *u)
{
	(void)u;
	return clock_ms(CLOCK_REALTIME);
}

static int64_t
os_boot_ms(void *u)
{
	(void)u;
	return clock_ms(CLOCK_BOOTTIME);
}

sat_clock
sat_clock_os(void)
{
	return (sat_clock){ os_wall_ms, os_boot_ms, NULL };
}

int64_t
sat_days_of(int y, int m, int d)
{
	int64_t yy = m <= 2 ? (int64_t)y - 1 : y;
	int64_t era = (yy >= 0 ? yy : yy - 399) / 400;
	int64_t yoe = yy - era * 400;
	int64_t doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
	int64_t doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;

	return era * 146097 + doe - 719468;
}

void
sat_date_of(int *y, int *m, int *d, int64_t days)
{
	int64_t z = days + 719468;
	int64_t era = (z >= 0 ? z : z - 146096) / 146097;
	int64_t doe = z - era * 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	int64_t mp = (5 * doy + 2) / 153;

	*d = (int)(doy - (153 * mp + 2) / 5 + 1);
	*m = (int)(mp < 10 ? mp + 3 : mp - 9);
	*y = (int)(yoe + era * 400 + (*m <= 2));
}

void
sat_time_rfc3339(char out[32], int64_t ms)
{
	int64_t s = ms >= 0 ? ms / 1000 : -((-ms + 999) / 1000);
	int64_t days = s >= 0 ? s / 86400 : -((-s + 86399) / 86400);
	int64_t sod = s - days * 86400;
	int y, m, d;

	sat_date_of(&y, &m, &d, days);
	(void)snprintf(out, 32, "%04d-%02d-%02dT%02d:%02d:%02dZ", y % 10000,
	    m % 100, d % 100, (int)(sod / 3600) % 100,
	    (int)(sod / 60 % 60), (int)(sod % 60));
}

/* Reads exactly n digits; -1 when they are not there. */
static int
digits(const char **s, int n)
{
	int v = 0;

	for (int i = 0; i < n; i++) {
		if (**s < '0' || **s > '9')
			return -1;
		v = v * 10 + (*(*s)++ - '0');
	}
	return v;
}

static bool
date_ok(int y, int m, int d)
{
	static const int len[] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30,
		31 };

	if (y < 1900 || m < 1 || m > 12 || d < 1 || d > len[m - 1])
		return false;
	return !(m == 2 && d == 29 &&
	    (y % 4 != 0 || (y % 100 == 0 && y % 400 != 0)));
}

bool
sat_time_parse(int64_t *ms, const char *s, int tz_min)
{
	int y = digits(&s, 4), m, d, hh = 0, mm = 0, ss = 0, frac = 0, off;
	char sep = *s;

	if (y < 0 || (sep != '-' && sep != '/'))
		return false;
	s++;
	m = digits(&s, s[0] != '\0' && s[1] >= '0' && s[1] <= '9' ? 2 : 1);
	if (m < 0 || *s != sep)
		return false;
	s++;
	d = digits(&s, s[0] != '\0' && s[1] >= '0' && s[1] <= '9' ? 2 : 1);
	if (d < 0 || !date_ok(y, m, d))
		return false;
	off = tz_min;
	if (*s == 'T' || *s == ' ') {
		s++;
		hh = digits(&s, 2);
		if (hh < 0 || *s++ != ':')
			return false;
		mm = digits(&s, 2);
		if (mm < 0)
			return false;
		if (*s == ':') {
			s++;
			ss = digits(&s, 2);
			if (ss < 0)
				return false;
			if (*s == '.') {
				s++;
				for (int i = 0, w = 100;
				     *s >= '0' && *s <= '9'; i++, w /= 10)
					frac += (*s++ - '0') * w;
			}
		}
		if (*s == 'Z') {
			off = 0;
			s++;
		} else if (*s == '+' || *s == '-') {
			int sign = *s++ == '-' ? -1 : 1, oh, om;

			oh = digits(&s, 2);
			if (*s == ':')
				s++;
			om = digits(&s, 2);
			if (oh < 0 || om < 0 || oh > 18 || om > 59)
				return false;
			off = sign * (oh * 60 + om);
		}
	}
	if (*s != '\0' || hh > 23 || mm > 59 || ss > 60)
		return false;
	*ms = ((sat_days_of(y, m, d) * 24 + hh) * 60 + mm - off) * 60000 +
	    ss * 1000 + frac;
	return true;
}
