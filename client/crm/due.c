/*
 * due.c - reports that are made by themselves when a period has ended, on the
 * device, without the network.
 *
 * What was made stays in the encrypted replica under report and period; it is
 * written in the same transaction as the list of what was made, so a report is
 * made exactly once, whether the daemon or a person comes first. A device that
 * was off for a while makes what it missed, of each at most the last twelve.
 *
 * Only numbers and keys are kept: names are those of now, so that of an erased
 * customer nothing stays here.
 */
#include "client/crm/freeze_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MISSED_MAX 12
#define DAY_MS ((int64_t)86400000)
#define INDEX "report.made"

typedef struct due {
	sat_crm *c;
	crm_actor who;
	sat_json *made;  /* {"won": {"2026-10": "2026-11-01T..."}} */
	sat_json *list;  /* of the answer */
	bool run;
} due;

/* ---- which period has ended ---- */

/* The one that goes on now, as text. */
static void
current(char out[40], const char *schedule, int64_t now_ms, int tz_min)
{
	int64_t days = (now_ms + tz_min * (int64_t)60000) / DAY_MS, thursday;
	int y, m, d, year;

	sat_date_of(&y, &m, &d, days);
	if (strcmp(schedule, "iso_week") == 0) {
		/* 1970-01-01 was a Thursday; a week belongs to its year */
		thursday = days - (days + 3) % 7 + 3;
		sat_date_of(&year, &m, &d, thursday);
		(void)snprintf(out, 40, "%04d-W%02d", year,
		    (int)((thursday - sat_days_of(year, 1, 1)) / 7) + 1);
	} else if (strcmp(schedule, "month") == 0) {
		(void)snprintf(out, 40, "%04d-%02d", y, m);
	} else if (strcmp(schedule, "quarter") == 0) {
		(void)snprintf(out, 40, "%04d-Q%d", y, (m - 1) / 3 + 1);
	} else if (strcmp(schedule, "year") == 0) {
		(void)snprintf(out, 40, "%04d", y);
	} else {
		(void)snprintf(out, 40, "%04d-%02d-%02d", y, m, d);
	}
}

static const char *
when_made(const due *x, const char *report, const char *period)
{
	return sat_json_get_str(sat_json_get(x->made, report), period, NULL);
}

/* The prefix of labels tells schedules apart only by their shape. */
static bool
same_shape(const char *a, const char *b)
{
	size_t n = strlen(a);

	return n == strlen(b) && (n < 6 || (a[5] == 'W') == (b[5] == 'W')) &&
	    (n < 6 || (a[5] == 'Q') == (b[5] == 'Q'));
}

static bool
ever_made(const due *x, const char *report, const char *like)
{
	const sat_json *p = sat_json_first(sat_json_get(x->made, report));

	while (p != NULL && !same_shape(sat_json_key(p), like))
		p = sat_json_next(p);
	return p != NULL;
}

/* ---- making ---- */

static const char *const about[] = { "coverage", "coverage_reason",
	"watermarks", "provisional", "data" };
#define NABOUT (sizeof about / sizeof about[0])

static sat_json *
kept(const due *x, const char *report, const char *period, const sat_json *doc)
{
	const sat_report_opts o = { .period = period };
	char *path = sat_xasprintf("reports/%s.json", report);
	sat_json *k = sat_json_obj();

	sat_json_put(k, "body", crm_body_of(doc, sat_template_doc(x->who.t,
	    path), &o, ""));
	for (size_t i = 0; i < NABOUT; i++)
		if (sat_json_get(doc, about[i]) != NULL)
			sat_json_put(k, about[i], sat_json_dup(sat_json_get(doc,
			    about[i])));
	free(path);
	return k;
}

static sat_rc
store(due *x, const char *report, const char *period, const sat_json *doc,
    sat_err *e)
{
	sat_replica *r = x->c->replica;
	char *key = sat_xasprintf(INDEX "/%s/%s", report, period), when[32];
	sat_buf body = { 0 }, index = { 0 };
	sat_json *of, *k = kept(x, report, period, doc);
	sat_rc rc;

	sat_time_rfc3339(when, x->who.now_ms);
	if (sat_json_get(x->made, report) == NULL)
		sat_json_put(x->made, report, sat_json_obj());
	of = sat_json_dup(sat_json_get(x->made, report));
	sat_json_put_str(of, period, when);
	sat_json_set(x->made, report, of);
	sat_json_write(&body, k, false);
	sat_json_free(k);
	sat_json_write(&index, x->made, false);
	if ((rc = sat_replica_group_begin(r, e)) == SAT_OK) {
		if ((rc = sat_replica_setting_put(r, key, sat_buf_span(&body),
		    e)) == SAT_OK && (rc = sat_replica_setting_put(r, INDEX,
		    sat_buf_span(&index), e)) == SAT_OK)
			rc = sat_replica_group_commit(r, e);
		else
			sat_replica_group_rollback(r);
	}
	sat_buf_fini(&body);
	sat_buf_fini(&index);
	free(key);
	return rc;
}

static sat_rc
make(due *x, const char *report, const char *title, const char *schedule,
    const char *period, sat_err *e)
{
	const sat_report_opts o = { .period = period };
	sat_json *row, *doc;
	sat_rc rc = SAT_OK;

	if (x->run) {
		rc = sat_crm_report_run(&doc, x->c, report, &o, e);
		if (rc == SAT_EDENIED) /* not this user's report */
			return SAT_OK;
		if (rc == SAT_OK)
			rc = store(x, report, period, doc, e);
		sat_json_free(doc);
		if (rc != SAT_OK)
			return rc;
	}
	row = sat_json_add_obj(x->list);
	sat_json_put_str(row, "report", report);
	sat_json_put_str(row, "title", title);
	sat_json_put_str(row, "schedule", schedule);
	sat_json_put_str(row, "period", period);
	sat_json_put_str(row, "made_at", when_made(x, report, period));
	return SAT_OK;
}

/* Oldest first: from the last one that was made to the last that has ended. */
static sat_rc
one_schedule(due *x, const char *report, const char *title,
    const char *schedule, sat_err *e)
{
	int tz = sat_template_tz_min(x->who.t);
	char text[40], missed[MISSED_MAX][40];
	sat_period p, before;
	size_t n = 0, most;
	sat_rc rc;

	current(text, schedule, x->who.now_ms, tz);
	if ((rc = sat_period_parse(&p, text, tz, e)) != SAT_OK)
		return rc;
	most = ever_made(x, report, p.label) ? MISSED_MAX : 1;
	while (n < most && sat_period_prev(&before, &p, tz) &&
	    when_made(x, report, before.label) == NULL) {
		(void)snprintf(missed[n++], sizeof missed[0], "%s",
		    before.label);
		p = before;
	}
	while (n > 0 && rc == SAT_OK)
		rc = make(x, report, title, schedule, missed[--n], e);
	return rc;
}

static bool
listed(const sat_report_def *d, const char *role)
{
	for (size_t i = 0; i < d->nroles; i++)
		if (strcmp(d->roles[i], role) == 0)
			return true;
	return d->nroles == 0;
}

static sat_rc
one_report(due *x, const char *key, sat_err *e)
{
	sat_report_def def;
	sat_rc rc = sat_report_def_load(x->who.t, key, &def, e);

	if (rc != SAT_OK)
		return rc;
	for (size_t i = 0; i < def.nschedule && rc == SAT_OK &&
	     !def.kind->off && listed(&def, x->who.me->role); i++)
		rc = one_schedule(x, key, crm_word(x->c, def.zh, def.en),
		    def.schedule[i], e);
	sat_report_def_fini(&def);
	return rc;
}

static sat_rc
load(due *x, sat_crm *c, sat_err *e)
{
	sat_buf text = { 0 };
	sat_rc rc;

	memset(x, 0, sizeof *x);
	x->c = c;
	if ((rc = crm_actor_get(&x->who, c, e)) != SAT_OK)
		return rc;
	rc = sat_replica_setting_get(&text, c->replica, INDEX, e);
	if (rc == SAT_OK)
		rc = sat_json_parse(&x->made, sat_buf_span(&text), 0, e);
	else if (rc == SAT_ENOTFOUND)
		x->made = sat_json_obj();
	sat_buf_fini(&text);
	return rc == SAT_ENOTFOUND ? SAT_OK : rc;
}

sat_rc
sat_crm_reports_due(sat_json **out, sat_crm *c, bool run, sat_err *e)
{
	sat_json *doc = sat_json_obj();
	sat_replica_status st;
	const char *key;
	due x;
	sat_rc rc = load(&x, c, e);

	*out = NULL;
	sat_json_put_str(doc, "schema", "satchel/report.due/1");
	x.list = sat_json_put_arr(doc, "data");
	x.run = run;
	if (rc == SAT_OK)
		rc = sat_replica_status_get(&st, c->replica, e);
	/* half a customer list makes no report, and no person's report is
	 * everybody's */
	if (rc == SAT_OK && st.complete && sat_acl(x.who.t, x.who.me->role,
	    "report") != SAT_GRANT_NO)
		for (size_t i = 0; rc == SAT_OK && (key = sat_report_key(
		     x.who.t, i)) != NULL; i++)
			rc = one_report(&x, key, e);
	sat_json_free(x.made);
	if (rc == SAT_OK)
		*out = doc;
	else
		sat_json_free(doc);
	return rc;
}

/* ---- what was made ---- */

sat_rc
sat_crm_reports_made(sat_json **out, sat_crm *c, const char *report,
    sat_err *e)
{
	sat_json *doc = sat_json_obj(), *data, *row;
	due x;
	sat_rc rc = load(&x, c, e);

	*out = NULL;
	sat_json_put_str(doc, "schema", "satchel/report.made/1");
	data = sat_json_put_arr(doc, "data");
	for (const sat_json *r = sat_json_first(x.made); r != NULL && rc ==
	     SAT_OK; r = sat_json_next(r)) {
		if (report != NULL && strcmp(report, sat_json_key(r)) != 0)
			continue;
		for (const sat_json *p = sat_json_first(r); p != NULL;
		     p = sat_json_next(p)) {
			row = sat_json_add_obj(data);
			sat_json_put_str(row, "report", sat_json_key(r));
			sat_json_put_str(row, "period", sat_json_key(p));
			sat_json_put_str(row, "made_at", sat_json_str(p, NULL));
		}
	}
	sat_json_free(x.made);
	if (rc == SAT_OK)
		*out = doc;
	else
		sat_json_free(doc);
	return rc;
}

/* The present answer in the numbers that were made. */
static sat_rc
wear(sat_json **out, sat_crm *c, const char *report, const char *period,
    const sat_json *k, sat_err *e)
{
	const sat_report_opts o = { .period = period };
	sat_err why = { 0 };
	sat_json *doc;
	sat_rc rc = sat_crm_report(&doc, c, report, &o, &why);

	/* gone from the template, or another one by now: as it was made */
	if (rc == SAT_ENOTFOUND || rc == SAT_EUSAGE) {
		doc = crm_body_bare(c, sat_json_get(k, "body"));
	} else if (rc != SAT_OK) {
		if (e != NULL)
			*e = why;
		return rc;
	}
	crm_body_dress(doc, c, sat_json_get(k, "body"));
	for (size_t i = 0; i < NABOUT; i++) {
		sat_json_del(doc, about[i]);
		if (sat_json_get(k, about[i]) != NULL)
			sat_json_put(doc, about[i], sat_json_dup(sat_json_get(k,
			    about[i])));
	}
	*out = doc;
	return SAT_OK;
}

sat_rc
sat_crm_report_made(sat_json **out, sat_crm *c, const char *report,
    const char *period, sat_err *e)
{
	char *key = sat_xasprintf(INDEX "/%s/%s", report, period);
	sat_buf text = { 0 };
	sat_json *k = NULL;
	sat_rc rc = sat_replica_setting_get(&text, c->replica, key, e);

	*out = NULL;
	if (rc == SAT_ENOTFOUND)
		rc = sat_fail_code(e, SAT_ENOTFOUND, "report.made",
		    "see: satchel report made",
		    "no report of that period was made here");
	else if (rc == SAT_OK && (rc = sat_json_parse(&k, sat_buf_span(&text),
	    0, e)) == SAT_OK)
		rc = wear(out, c, report, period, k, e);
	sat_json_free(k);
	sat_buf_fini(&text);
	free(key);
	return rc;
}
