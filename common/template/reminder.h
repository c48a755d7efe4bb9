/*
 * reminder.h - policy/reminders.json: rules that make tasks.
 *
 * They are run where the records are, on the device, without the network. What
 * a rule makes depends on the records, the template and the instant alone; its
 * task's id is made of rule, subject and period (protocol/derived.h), so it is
 * one task whichever devices made it. Pure.
 */
#ifndef SAT_TEMPLATE_REMINDER_H
#define SAT_TEMPLATE_REMINDER_H

#include "common/template/cond.h"

#define SAT_REMINDERS_MAX 64

typedef enum sat_when {
	SAT_WHEN_FIELD, /* offset_ms from a time of a record */
	SAT_WHEN_SLA,   /* policy/sla.json: word "due", "overdue", "escalated" */
	SAT_WHEN_POOL,  /* policy/pool.json: the pool would take it back soon */
	SAT_WHEN_STUCK, /* longer in its stage than `factor` times the median */
	SAT_WHEN_APPROVAL, /* policy/approval.json: word "waiting", "overdue" */
	SAT_WHEN_CRON,  /* by the calendar */
	SAT_WHEN_FACT,  /* for offset_ms: word "unsynced", this device; "import_open",
	                   the entry of data */
} sat_when;

typedef enum sat_to {
	SAT_TO_OWNER, SAT_TO_MANAGER, SAT_TO_ROLE,
	SAT_TO_APPROVER, /* of APPROVAL: whose agreement is missing */
} sat_to;

/* "0 9 LW * *": minute, hour, day of the month, month, day of the week (0 and 7
 * are Sunday); one number, "*", or LW for the last weekday of a month. -1 = any. */
#define SAT_CRON_LAST_WEEKDAY (-2)
typedef struct sat_cron {
	int minute, hour, day, month, weekday;
} sat_cron;

typedef struct sat_reminder {
	const char *key, *zh, *en;
	const char *text_zh, *text_en; /* title of the task; "{title}", "{date}" */
	sat_when when;
	const sat_kind *kind;   /* of the subject; NULL: CRON, FACT */
	const sat_field *field;
	const char *word;
	int64_t offset_ms;      /* may be negative */
	int factor;             /* STUCK, in percent */
	sat_cron cron;
	int at_min;             /* local minute of the day; -1: the instant itself */
	const sat_cond *where;
	size_t nwhere;
	sat_to to;
	const char *role;       /* TO_ROLE */
	int quiet_from, quiet_to; /* local minutes; what falls in there comes at its
	                           end; both -1: none */
	int within_d;           /* what was due longer ago is not made any more */
} sat_reminder;

size_t sat_reminders(const sat_template *t);
const sat_reminder *sat_reminder_at(const sat_template *t, size_t i);
const sat_reminder *sat_reminder_by_key(const sat_template *t, const char *key);

/* The instant a reminder shows for one that is due at `ms`: its minute of that
 * day, and not within its quiet hours. */
int64_t sat_reminder_shows(const sat_reminder *r, int64_t ms, int tz_min);
/* The latest instant not after `ms` that the cron names; false: none within
 * the last 400 days. */
bool sat_cron_last(int64_t *at, const sat_cron *c, int64_t ms, int tz_min);
/* "2026-11-22" of an instant in the organisation's zone; out has 16 bytes. */
void sat_local_date(char out[16], int64_t ms, int tz_min);

#endif
