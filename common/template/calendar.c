/* policy/calendar.json: {"weekdays": [1..7], "from": "09:00", "to": "18:00",
 * "holidays": ["2024-05-01"], "extra_workdays": [...]}. */
#include "common/template/template_int.h"

#include "common/base/clock.h"

#include <string.h>

#define PATH "policy/calendar.json"
#define DAYS_MAX 2000
#define DAY_MS ((int64_t)86400000)

static int
minutes(walk *w, const sat_json *n, const char *key, int dflt)
{
	const char *s = sat_walk_text(w, n, key, false);
	int h, m;

	if (s == NULL)
		return dflt;
	h = strlen(s) == 5 ? (s[0] - '0') * 10 + s[1] - '0' : -1;
	m = strlen(s) == 5 ? (s[3] - '0') * 10 + s[4] - '0' : -1;
	if (h < 0 || h > 24 || m < 0 || m > 59 || s[2] != ':' ||
	    strspn(s, "0123456789:") != 5 || h * 60 + m > 1440)
		sat_walk_fault(w, "'%s' is a time like 09:00", key);
	return h * 60 + m;
}

static const int64_t *
days(walk *w, sat_arena *a, const sat_json *n, const char *key, size_t *count)
{
	const sat_json *m = sat_walk_array(w, n, key, DAYS_MAX, count);
	int64_t *list = sat_arena_alloc(a, (*count + 1) * sizeof *list), ms;
	size_t i = 0;

	for (m = sat_json_first(m); m != NULL && w->rc == SAT_OK;
	     m = sat_json_next(m), i++) {
		const char *s = sat_json_str(m, "");

		if (strlen(s) != 10 || !sat_time_parse(&ms, s, 0)) {
			sat_walk_fault(w, "'%s' lists days like 2024-05-01", key);
			break;
		}
		list[i] = ms / DAY_MS;
		if (i > 0 && list[i] <= list[i - 1])
			sat_walk_fault(w, "'%s' must ascend", key);
	}
	return list;
}

sat_rc
sat_template_load_calendar(sat_template *t, sat_err *e)
{
	walk w = { .t = t, .path = PATH, .e = e };
	const sat_json *root = sat_template_doc(t, PATH), *m;
	sat_calendar *c = &t->calendar;
	size_t n;

	*c = sat_calendar_plain(t->tz_min);
	if (root == NULL)
		return SAT_OK;
	sat_walk_members(&w, root, "note weekdays from to holidays "
	    "extra_workdays");
	if ((m = sat_walk_array(&w, root, "weekdays", 7, &n)) != NULL)
		c->weekdays = 0;
	for (m = sat_json_first(m); m != NULL; m = sat_json_next(m)) {
		int64_t day = sat_json_int(m, 0);

		if (day < 1 || day > 7)
			sat_walk_fault(&w, "'weekdays' are 1 (Monday) to 7");
		else
			c->weekdays |= (uint8_t)(1u << (day - 1));
	}
	c->open_min = minutes(&w, root, "from", c->open_min);
	c->close_min = minutes(&w, root, "to", c->close_min);
	if (w.rc == SAT_OK && c->open_min >= c->close_min)
		sat_walk_fault(&w, "'from' must be before 'to'");
	c->holidays = days(&w, &t->arena, root, "holidays", &c->nholidays);
	c->extra = days(&w, &t->arena, root, "extra_workdays", &c->nextra);
	return w.rc;
}

const sat_calendar *
sat_template_calendar(const sat_template *t)
{
	return &t->calendar;
}
