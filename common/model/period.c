/*
 * Periods of local dates, and the ones a report compares them with. A label is
 * the period's whole identity: the one before is made by writing its label and
 * reading that again.
 */
#include "common/model/report.h"

#include <stdio.h>
#include <string.h>

#include "common/base/clock.h"

#define DAY_MS ((int64_t)86400000)

/* n digits at *s, or -1; moves on. */
static int
take_digits(const char **s, int n)
{
	int v = 0;

	for (int i = 0; i < n; i++) {
		if (**s < '0' || **s > '9')
			return -1;
		v = v * 10 + (*(*s)++ - '0');
	}
	return v;
}

static int
days_in_month(int y, int m)
{
	return (int)(sat_days_of(m == 12 ? y + 1 : y, m == 12 ? 1 : m + 1, 1) -
	    sat_days_of(y, m, 1));
}

/* Monday is 0; 1970-01-01 was a Thursday. */
static int
weekday(int64_t days)
{
	int64_t w = (days + 3) % 7;

	return (int)(w < 0 ? w + 7 : w);
}

/* Monday of ISO week 1: the week that holds 4 January. */
static int64_t
week_one(int y)
{
	int64_t jan4 = sat_days_of(y, 1, 4);

	return jan4 - weekday(jan4);
}

static bool
take_date(const char **s, int64_t *day)
{
	int y = take_digits(s, 4), m, d;

	if (y < 1900 || *(*s)++ != '-')
		return false;
	m = take_digits(s, 2);
	if (m < 1 || m > 12 || *(*s)++ != '-')
		return false;
	d = take_digits(s, 2);
	if (d < 1 || d > days_in_month(y, m))
		return false;
	*day = sat_days_of(y, m, d);
	return true;
}

/* What follows the year: a quarter, a week, a month, a month and a day. */
static bool
take_rest(const char *s, int y, int64_t *from, int64_t *to, char label[40])
{
	int v;

	if (*s == '\0') {
		*from = sat_days_of(y, 1, 1);
		*to = sat_days_of(y + 1, 1, 1);
		(void)snprintf(label, 40, "%04d", y);
		return true;
	}
	if (*s++ != '-')
		return false;
	if (*s == 'Q' || *s == 'q') {
		s++;
		v = take_digits(&s, 1);
		*from = sat_days_of(y, 3 * v - 2, 1);
		*to = v == 4 ? sat_days_of(y + 1, 1, 1) :
		    sat_days_of(y, 3 * v + 1, 1);
		(void)snprintf(label, 40, "%04d-Q%d", y, v);
		return v >= 1 && v <= 4 && *s == '\0';
	}
	if (*s == 'W' || *s == 'w') {
		s++;
		v = take_digits(&s, 2);
		*from = week_one(y) + 7 * (v - 1);
		*to = *from + 7;
		(void)snprintf(label, 40, "%04d-W%02d", y, v);
		return v >= 1 && *from < week_one(y + 1) && *s == '\0';
	}
	v = take_digits(&s, 2);
	if (v < 1 || v > 12 || *s != '\0')
		return false;
	*from = sat_days_of(y, v, 1);
	*to = *from + days_in_month(y, v);
	(void)snprintf(label, 40, "%04d-%02d", y, v);
	return true;
}

static bool
parse_days(const char *text, int64_t *from, int64_t *to, char label[40])
{
	const char *s = text;
	int64_t last;
	int y;

	if (take_date(&s, from)) {
		last = *from;
		if (s[0] == '.' && s[1] == '.') {
			s += 2;
			if (!take_date(&s, &last))
				return false;
		}
		(void)snprintf(label, 40, "%.30s", text);
		*to = last + 1;
		return *s == '\0' && last >= *from;
	}
	s = text;
	y = take_digits(&s, 4);
	return y >= 1900 && take_rest(s, y, from, to, label);
}

sat_rc
sat_period_parse(sat_period *p, const char *text, int tz_min, sat_err *e)
{
	int64_t from, to, zone = (int64_t)tz_min * 60000;

	memset(p, 0, sizeof *p);
	if (strcmp(text, "all") == 0) {
		p->from_ms = INT64_MIN;
		p->to_ms = INT64_MAX;
		p->all = true;
		(void)snprintf(p->label, sizeof p->label, "all");
		return SAT_OK;
	}
	if (!parse_days(text, &from, &to, p->label)) {
		memset(p, 0, sizeof *p);
		return sat_fail_code(e, SAT_EUSAGE, "report.period",
		    "2026-11, 2026-Q4, 2026, 2026-W18, 2026-11-21, "
		    "2026-01-01..2026-06-30 or all", "not a period");
	}
	p->from_ms = from * DAY_MS - zone;
	p->to_ms = to * DAY_MS - zone;
	return SAT_OK;
}

bool
sat_period_has(const sat_period *p, int64_t ms)
{
	return p->all || (ms >= p->from_ms && ms < p->to_ms);
}

/* ---- what it is compared with ---------------------------------------------- */

static bool
parsed(sat_period *out, const char *label, int tz_min)
{
	return sat_period_parse(out, label, tz_min, NULL) == SAT_OK;
}

/* "2024-05-06": days as they stand in a label. */
static void
date_text(char out[16], int64_t day)
{
	int y, m, d;

	sat_date_of(&y, &m, &d, day);
	(void)snprintf(out, 16, "%04d-%02d-%02d", y % 10000, m % 100, d % 100);
}

static bool
days_label(sat_period *out, int64_t from, int64_t last, bool range, int tz_min)
{
	char a[16], b[16], label[40];

	date_text(a, from);
	date_text(b, last);
	(void)snprintf(label, sizeof label, range ? "%s..%s" : "%s", a, b);
	return parsed(out, label, tz_min);
}

typedef struct shape { /* of a label */
	char sort; /* y, Q, W, m, d (day or range) */
	int y, n;  /* quarter, week, month */
	int64_t from, to;
	bool range;
} shape;

static shape
shape_of(const sat_period *p, int tz_min)
{
	const char *s = p->label;
	size_t n = strlen(s);
	shape h = { 'y', 0, 0, p->from_ms / DAY_MS, 0, n > 10 };
	int64_t zone = (int64_t)tz_min * 60000;

	h.from = (p->from_ms + zone) / DAY_MS;
	h.to = (p->to_ms + zone) / DAY_MS;
	h.y = take_digits(&s, 4);
	if (n >= 10) {
		h.sort = 'd';
	} else if (n > 5) {
		s++;
		h.sort = *s == 'Q' || *s == 'W' ? *s++ : 'm';
		h.n = take_digits(&s, h.sort == 'Q' ? 1 : 2);
	}
	return h;
}

static int
weeks_in(int y)
{
	return (int)((week_one(y + 1) - week_one(y)) / 7);
}

static bool
shape_label(sat_period *out, const shape *h, int tz_min)
{
	char label[40];
	int y = h->y % 10000, n = h->n % 100;

	if (h->sort == 'Q')
		(void)snprintf(label, sizeof label, "%04d-Q%d", y, n);
	else if (h->sort == 'W')
		(void)snprintf(label, sizeof label, "%04d-W%02d", y, n);
	else if (h->sort == 'm')
		(void)snprintf(label, sizeof label, "%04d-%02d", y, n);
	else
		(void)snprintf(label, sizeof label, "%04d", y);
	return parsed(out, label, tz_min);
}

bool
sat_period_prev(sat_period *out, const sat_period *p, int tz_min)
{
	shape h;

	if (p->all)
		return false;
	h = shape_of(p, tz_min);
	if (h.sort == 'd')
		return days_label(out, h.from - (h.to - h.from), h.from - 1,
		    h.range, tz_min);
	if (h.sort == 'y' || --h.n == 0) {
		h.y--;
		h.n = h.sort == 'Q' ? 4 : h.sort == 'W' ? weeks_in(h.y) : 12;
	}
	return shape_label(out, &h, tz_min);
}

static int64_t
day_year_ago(int64_t day)
{
	int y, m, d;

	sat_date_of(&y, &m, &d, day);
	y--;
	if (d > days_in_month(y, m))
		d = days_in_month(y, m);
	return sat_days_of(y, m, d);
}

bool
sat_period_year_ago(sat_period *out, const sat_period *p, int tz_min)
{
	shape h;

	if (p->all)
		return false;
	h = shape_of(p, tz_min);
	if (h.sort == 'd')
		return days_label(out, day_year_ago(h.from),
		    day_year_ago(h.to - 1), h.range, tz_min);
	h.y--;
	if (h.sort == 'W' && h.n > weeks_in(h.y))
		h.n = weeks_in(h.y);
	return shape_label(out, &h, tz_min);
}
