/*
 * report.h - what surrounds a report: the records behind a number, numbers that
 * are frozen and signed, two periods side by side, and reports that are due.
 *
 * What a definition gives over the records is sat_crm_report (crm.h). A report
 * is frozen by whoever may create a record of kind frozen_report; from then on a
 * run of the same report, period, filters and reach gives the frozen numbers,
 * and what came later is a list beside them ("frozen", "delta").
 */
#ifndef SAT_CRM_REPORT_H
#define SAT_CRM_REPORT_H

#include "client/crm/crm.h"

/* Records listed of one row of a delta; the rest is counted. */
#define SAT_DELTA_RECORDS_MAX 100

/* What a person is shown who runs a report: frozen numbers where there are some;
 * else, and for another as-of or a comparison, sat_crm_report, which then names
 * what is frozen ("frozen_id"). */
SAT_CHECK sat_rc sat_crm_report_run(sat_json **out, sat_crm *c,
    const char *key, const sat_report_opts *o, sat_err *e);

/*
 * The records behind a number, as the run counts them. `group`: the keys of the
 * row's dimensions, joined by ",", none = ""; NULL = all rows. `measure`: only
 * those that add to it; NULL = any. limit 0 = 500. Schema report.rows.
 * @return as sat_crm_report; SAT_ENOTFOUND (no such row), SAT_EUSAGE (measure).
 */
SAT_CHECK sat_rc sat_crm_report_rows(sat_json **out, sat_crm *c,
    const char *key, const sat_report_opts *o, const char *group,
    const char *measure, int64_t limit, sat_err *e);

/*
 * The same definition over two periods: absolute and relative difference, and
 * whether it is the better direction (schema report.compare). Frozen numbers
 * count where there are some.
 */
SAT_CHECK sat_rc sat_crm_report_compare(sat_json **out, sat_crm *c,
    const char *key, const char *baseline, const char *current,
    const sat_report_opts *o, sat_err *e);
/* The period before this one ("prev"), or a year earlier ("yoy"), as text.
 * SAT_EUSAGE for "all", and for a range or a week a year earlier that is none. */
SAT_CHECK sat_rc sat_crm_period_before(char out[40], const char *period,
    const char *how, int tz_min, sat_err *e);

/*
 * Store the report's numbers of a period that has ended as a record of its own,
 * with definition, template, as-of and hash; it syncs like any other. The
 * answer is the frozen report (schema report, with "frozen").
 * @return SAT_EDENIED; SAT_EUSAGE "report.open" (the period has not ended);
 *         SAT_ECONFLICT "report.frozen" (it is already), "report.incomplete"
 *         (first sync unfinished); SAT_ENOSPACE "report.too_large".
 */
SAT_CHECK sat_rc sat_crm_freeze(sat_json **out, sat_crm *c, const char *key,
    const sat_report_opts *o, sat_err *e);
/* Every frozen report of this device, newest first; key NULL = all. Schema
 * report.frozen.list. */
SAT_CHECK sat_rc sat_crm_frozen_list(sat_json **out, sat_crm *c,
    const char *key, sat_err *e);
/* One of them by id: its numbers and what came later. */
SAT_CHECK sat_rc sat_crm_frozen(sat_json **out, sat_crm *c, const char *id,
    sat_err *e);
/* Sign it: who, when, which hash. @return SAT_EINTEGRITY when the numbers do
 * not give the hash; SAT_ECONFLICT "report.signed"; SAT_EDENIED. */
SAT_CHECK sat_rc sat_crm_sign(sat_json **out, sat_crm *c, const char *id,
    const char *note, sat_err *e);

/*
 * Scheduled reports ("schedule": day, iso_week or month) whose last period has
 * ended, this device's user may run, and of which there is no record yet; run:
 * make them, as records of kind scheduled_report. Exactly one per report, period
 * and user. Schema report.due.
 */
SAT_CHECK sat_rc sat_crm_reports_due(sat_json **out, sat_crm *c, bool run,
    sat_err *e);

#endif
