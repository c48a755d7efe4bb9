/*
 * policy/reminders.json: reminders[] {key, label, kind, when, where, to, text,
 * at, quiet_hours, within_d}; see docs/templates.md, "Reminders".
 */
#include "common/template/reminder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/template/template_int.h"

#define PATH "policy/reminders.json"
#define DAY_MS 86400000ll
#define MINUTE_MS 60000ll

/* ---- reading ---------------------------------------------------------------- */

/* "-60d", "12h", "30m" -> ms. */
static int64_t
read_offset(walk *w, const sat_json *n, const char *key)
{
	const char *s = sat_walk_text(w, n, key, true);
	char *end = NULL;
	long v;

	if (w->rc != SAT_OK)
		return 0;
	v = strtol(s, &end, 10);
	if (end == s || v < -4000 || v > 4000 || end[0] == '\0' ||
	    end[1] != '\0' || strchr("dhm", end[0]) == NULL) {
		sat_walk_fault(w, "'%s' must be like -60d, 12h or 30m", key);
		return 0;
	}
	return v * (end[0] == 'd' ? DAY_MS : end[0] == 'h' ? 60 * MINUTE_MS :
	    MINUTE_MS);
}

/* "09:00" -> minutes; -1 when the text is none. */
static int
clock_minutes(const char *s)
{
	int h, m, used = 0;

	if (sscanf(s, "%2d:%2d%n", &h, &m, &used) != 2 || s[used] != '\0' ||
	    h < 0 || h > 24 || m < 0 || m > 59 || h * 60 + m > 24 * 60)
		return -1;
	return h * 60 + m;
}

static int
read_clock(walk *w, const sat_json *n, const char *key)
{
	const char *s = sat_walk_text(w, n, key, false);
	int m = s != NULL ? clock_minutes(s) : -1;

	if (w->rc == SAT_OK && s != NULL && m < 0)
		sat_walk_fault(w, "'%s' must be like 09:00", key);
	return m;
}

static void
read_quiet(walk *w, const sat_json *n, sat_reminder *r)
{
	const char *s = sat_walk_text(w, n, "quiet_hours", false);
	char from[8], to[8];

	r->quiet_from = r->quiet_to = -1;
	if (s == NULL)
		return;
	if (sscanf(s, "%7[0-9:]-%7[0-9:]", from, to) != 2 ||
	    (r->quiet_from = clock_minutes(from)) < 0 ||
	    (r->quiet_to = clock_minutes(to)) < 0)
		sat_walk_fault(w, "'quiet_hours' must be like 21:00-08:00");
}

static bool
read_cron_part(int *out, const char *s, int min, int max)
{
	char *end;
	long v;

	*out = -1;
	if (strcmp(s, "*") == 0)
		return true;
	if (strcmp(s, "LW") == 0 && min == 1 && max == 31) {
		*out = SAT_CRON_LAST_WEEKDAY;
		return true;
	}
	v = strtol(s, &end, 10);
	*out = (int)v;
	return end != s && *end == '\0' && v >= min && v <= max;
}

static void
read_cron(walk *w, const sat_json *n, sat_reminder *r)
{
	const char *s = sat_walk_text(w, n, "cron", true);
	const char *tz = sat_walk_text(w, n, "tz", false);
	const char *ours = sat_json_get_str(sat_template_doc(w->t,
	    "template.json"), "tz", "");
	char p[5][8];
	int used = 0;

	if (w->rc != SAT_OK)
		return;
	if (sscanf(s, "%7s %7s %7s %7s %7s%n", p[0], p[1], p[2], p[3], p[4],
	    &used) != 5 || s[used] != '\0' ||
	    !read_cron_part(&r->cron.minute, p[0], 0, 59) ||
	    !read_cron_part(&r->cron.hour, p[1], 0, 23) ||
	    !read_cron_part(&r->cron.day, p[2], 1, 31) ||
	    !read_cron_part(&r->cron.month, p[3], 1, 12) ||
	    !read_cron_part(&r->cron.weekday, p[4], 0, 7) ||
	    r->cron.minute < 0 || r->cron.hour < 0)
		sat_walk_fault(w, "'cron' must be like 0 9 LW * *");
	else if (tz != NULL && strcmp(tz, ours) != 0)
		sat_walk_fault(w, "'tz' must be the organisation's (%s)", ours);
}

static bool
is_time(const sat_field *f)
{
	return f->type == SAT_F_TIME || f->type == SAT_F_DATE;
}

static void
read_word(walk *w, const sat_json *n, const char *key, const char *words,
    sat_reminder *r)
{
	size_t len;

	r->word = sat_walk_text(w, n, key, true);
	for (const char *p = words; w->rc == SAT_OK && *p != '\0';
	    p += len + (p[len] != '\0')) {
		len = strcspn(p, " ");
		if (strlen(r->word) == len && strncmp(p, r->word, len) == 0)
			return;
	}
	sat_walk_fault(w, "'%s' must be one of: %s", key, words);
}

static void
read_field(walk *w, const sat_json *n, sat_reminder *r)
{
	const char *key = sat_walk_text(w, n, "field", true);

	r->offset_ms = read_offset(w, n, "offset");
	if (w->rc != SAT_OK)
		return;
	if (r->kind == NULL) {
		sat_walk_fault(w, "'field' needs a 'kind'");
		return;
	}
	r->field = sat_kind_field(r->kind, key);
	if (r->field == NULL || !is_time(r->field))
		sat_walk_fault(w, "%s has no time '%.40s'", r->kind->key, key);
}

static void
read_when(walk *w, const sat_json *root, sat_reminder *r)
{
	const sat_json *n = sat_json_get(root, "when");
	size_t mark = sat_walk_enter(w, "when", SIZE_MAX);

	sat_walk_members(w, n, "field offset sla pool stuck approval cron tz fact");
	if (w->rc == SAT_OK && sat_json_get(n, "field") != NULL) {
		r->when = SAT_WHEN_FIELD;
		read_field(w, n, r);
	} else if (w->rc == SAT_OK && sat_json_get(n, "sla") != NULL) {
		r->when = SAT_WHEN_SLA;
		read_word(w, n, "sla", "due overdue escalated", r);
	} else if (w->rc == SAT_OK && sat_json_get(n, "pool") != NULL) {
		r->when = SAT_WHEN_POOL;
		read_word(w, n, "pool", "warn", r);
	} else if (w->rc == SAT_OK && sat_json_get(n, "stuck") != NULL) {
		r->when = SAT_WHEN_STUCK;
		r->factor = (int)sat_walk_int(w, n, "stuck", 200, 100, 1000);
		if (r->kind == NULL || r->kind->stage == NULL)
			sat_walk_fault(w, "'stuck' needs a 'kind' with stages");
	} else if (w->rc == SAT_OK && sat_json_get(n, "approval") != NULL) {
		r->when = SAT_WHEN_APPROVAL;
		read_word(w, n, "approval", "waiting overdue", r);
		if (w->rc == SAT_OK && (r->kind == NULL ||
		    sat_kind_field(r->kind, "approvals") == NULL))
			sat_walk_fault(w, "'approval' needs a 'kind' with "
			    "approvals");
	} else if (w->rc == SAT_OK && sat_json_get(n, "cron") != NULL) {
		r->when = SAT_WHEN_CRON;
		read_cron(w, n, r);
	} else if (w->rc == SAT_OK && sat_json_get(n, "fact") != NULL) {
		r->when = SAT_WHEN_FACT;
		read_word(w, n, "fact", "unsynced import_open", r);
		r->offset_ms = read_offset(w, n, "offset");
	} else if (w->rc == SAT_OK) {
		sat_walk_fault(w, "says nothing");
	}
	sat_walk_leave(w, mark);
}

static void
read_to(walk *w, const sat_json *n, sat_reminder *r)
{
	const sat_json *to = sat_json_get(n, "to");
	const char *s = sat_json_str(to, NULL);

	if (w->rc != SAT_OK)
		return;
	if (s != NULL && strcmp(s, "owner") == 0) {
		r->to = SAT_TO_OWNER;
	} else if (s != NULL && strcmp(s, "manager") == 0) {
		r->to = SAT_TO_MANAGER;
	} else if (s != NULL && strcmp(s, "approver") == 0) {
		r->to = SAT_TO_APPROVER;
		if (r->when != SAT_WHEN_APPROVAL)
			sat_walk_fault(w, "only an approval has an approver");
	} else {
		r->to = SAT_TO_ROLE;
		sat_walk_members(w, to, "role");
		r->role = sat_walk_text(w, to, "role", true);
		if (w->rc == SAT_OK && !sat_template_has_role(w->t, r->role))
			sat_walk_fault(w, "unknown role '%.40s'", r->role);
	}
}

static void
read_one(walk *w, sat_template *t, const sat_json *n, sat_reminder *r)
{
	const char *kind;

	sat_walk_members(w, n,
	    "key label kind when where to text at quiet_hours within_d note");
	r->key = sat_walk_text(w, n, "key", true);
	if (w->rc == SAT_OK && !sat_key_ok(r->key))
		sat_walk_fault(w, "'key' is no key");
	sat_walk_label(w, n, "label", &r->zh, &r->en);
	sat_walk_label(w, n, "text", &r->text_zh, &r->text_en);
	kind = sat_walk_text(w, n, "kind", false);
	r->kind = kind != NULL ? sat_template_kind(t, kind) : NULL;
	if (w->rc == SAT_OK && kind != NULL && r->kind == NULL)
		sat_walk_fault(w, "unknown kind '%.40s'", kind);
	read_when(w, n, r);
	if (w->rc == SAT_OK && r->when <= SAT_WHEN_POOL && r->kind == NULL)
		r->kind = sat_template_kind(t, "account");
	if (w->rc == SAT_OK && r->kind != NULL)
		r->where = sat_walk_conds(w, n, "where", r->kind, &t->arena,
		    &r->nwhere);
	else if (w->rc == SAT_OK && sat_json_get(n, "where") != NULL)
		sat_walk_fault(w, "'where' needs a 'kind'");
	read_to(w, n, r);
	r->at_min = read_clock(w, n, "at");
	read_quiet(w, n, r);
	r->within_d = (int)sat_walk_int(w, n, "within_d", 30, 1, 3650);
}

sat_rc
sat_template_load_reminders(sat_template *t, sat_err *e)
{
	walk w = { .t = t, .path = PATH, .e = e };
	const sat_json *root = sat_template_doc(t, PATH), *m;
	size_t n = 0, i = 0, mark;

	if (root == NULL)
		return SAT_OK;
	sat_walk_members(&w, root, "note reminders");
	m = sat_walk_array(&w, root, "reminders", SAT_REMINDERS_MAX, &n);
	t->reminders = sat_arena_alloc(&t->arena, (n + 1) *
	    sizeof *t->reminders);
	memset(t->reminders, 0, (n + 1) * sizeof *t->reminders);
	for (m = sat_json_first(m); m != NULL && w.rc == SAT_OK;
	    m = sat_json_next(m), i++) {
		mark = sat_walk_enter(&w, "reminders", i);
		read_one(&w, t, m, &t->reminders[i]);
		if (w.rc == SAT_OK && sat_reminder_by_key(t,
		    t->reminders[i].key) != NULL)
			sat_walk_fault(&w, "'%s' is there twice",
			    t->reminders[i].key);
		sat_walk_leave(&w, mark);
		t->nreminders = i + 1;
	}
	return w.rc;
}

size_t
sat_reminders(const sat_template *t)
{
	return t->nreminders;
}

const sat_reminder *
sat_reminder_at(const sat_template *t, size_t i)
{
	return i < t->nreminders ? &t->reminders[i] : NULL;
}

const sat_reminder *
sat_reminder_by_key(const sat_template *t, const char *key)
{
	for (size_t i = 0; i < t->nreminders; i++)
		if (strcmp(t->reminders[i].key, key) == 0)
			return &t->reminders[i];
	return NULL;
}

/* ---- the calendar ------------------------------------------------------------- */

static int64_t
day_of(int64_t ms, int tz_min)
{
	int64_t local = ms + tz_min * MINUTE_MS;

	return local >= 0 ? local / DAY_MS : (local + 1) / DAY_MS - 1;
}

static int64_t
instant(int64_t day, int minute, int tz_min)
{
	return day * DAY_MS + (minute - tz_min) * MINUTE_MS;
}

void
sat_local_date(char out[16], int64_t ms, int tz_min)
{
	int y, m, d;

	sat_date_of(&y, &m, &d, day_of(ms, tz_min));
	(void)snprintf(out, 16, "%04u-%02u-%02u", (unsigned)y % 10000,
	    (unsigned)m % 100, (unsigned)d % 100);
}

int64_t
sat_reminder_shows(const sat_reminder *r, int64_t ms, int tz_min)
{
	int64_t day = day_of(ms, tz_min);
	int minute;
	bool night = r->quiet_from > r->quiet_to; /* over midnight */

	if (r->at_min >= 0)
		ms = instant(day, r->at_min, tz_min);
	if (r->quiet_from < 0)
		return ms;
	minute = (int)((ms + tz_min * MINUTE_MS - day * DAY_MS) / MINUTE_MS);
	if (night ? minute >= r->quiet_from :
	    minute >= r->quiet_from && minute < r->quiet_to)
		return instant(day + night, r->quiet_to, tz_min);
	return night && minute < r->quiet_to ?
	    instant(day, r->quiet_to, tz_min) : ms;
}

/* 0 Sunday .. 6; 1970-01-01 was a Thursday. */
static int
weekday_of(int64_t day)
{
	return (int)(((day + 4) % 7 + 7) % 7);
}

static int64_t
last_weekday(int y, int m)
{
	int64_t day = sat_days_of(m == 12 ? y + 1 : y, m == 12 ? 1 : m + 1, 1) -
	    1;

	while (weekday_of(day) == 0 || weekday_of(day) == 6)
		day--;
	return day;
}

static bool
named(const sat_cron *c, int64_t day)
{
	int y, m, d;

	sat_date_of(&y, &m, &d, day);
	if (c->month > 0 && c->month != m)
		return false;
	if (c->weekday >= 0 && c->weekday % 7 != weekday_of(day))
		return false;
	return c->day == -1 || (c->day == SAT_CRON_LAST_WEEKDAY ?
	    last_weekday(y, m) == day : c->day == d);
}

bool
sat_cron_last(int64_t *at, const sat_cron *c, int64_t ms, int tz_min)
{
	int64_t day = day_of(ms, tz_min);

	for (int i = 0; i < 400; i++, day--) {
		*at = instant(day, c->hour * 60 + c->minute, tz_min);
		if (*at <= ms && named(c, day))
			return true;
	}
	return false;
}
