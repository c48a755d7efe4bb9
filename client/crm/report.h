/*
 * report.h - what surrounds a report: the records behind a number, numbers that
 * are frozen and signed, and reports that are made by themselves.
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
 * else, and for another as-of, comparison or split, sat_crm_report, which then names
 * what is frozen ("frozen_id"). */
SAT_CHECK sat_rc sat_crm_report_run(sat_json **out, sat_crm *c,
    const char *key, const sat_report_opts *o, sat_err *e);

/* May this person run it, and can it be filtered, split and compared so? Nothing
 * is read of the records. @return as a run of it. */
SAT_CHECK sat_rc sat_crm_report_judge(sat_crm *c, const char *key,
    const sat_report_opts *o, sat_err *e);

/* The definition in words of the reader's language: sources and their filters,
 * values computed per record, period, groups, measures (schema
 * report.explain). SAT_ENOTFOUND: no such report. */
SAT_CHECK sat_rc sat_crm_report_explain(sat_json **out, sat_crm *c,
    const char *key, sat_err *e);

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
/* Sign it: who, when, which hash; review: id of the review (kind review) it was
 * signed in, NULL = none. @return SAT_EINTEGRITY when the numbers do
 * not give the hash; SAT_ECONFLICT "report.signed"; SAT_EDENIED. */
SAT_CHECK sat_rc sat_crm_sign(sat_json **out, sat_crm *c, const char *id,
    const char *note, const char *review, sat_err *e);

/*
 * Reports with a "schedule" whose period has ended, which this user may run, and
 * which were not made here yet; run: make and keep them in the replica. Each is
 * made once per device and period. Schema report.due.
 */
SAT_CHECK sat_rc sat_crm_reports_due(sat_json **out, sat_crm *c, bool run,
    sat_err *e);
/* What was made here; report NULL = all (schema report.made). One of them as it
 * was made (schema report); SAT_ENOTFOUND. */
SAT_CHECK sat_rc sat_crm_reports_made(sat_json **out, sat_crm *c,
    const char *report, sat_err *e);
SAT_CHECK sat_rc sat_crm_report_made(sat_json **out, sat_crm *c,
    const char *report, const char *period, sat_err *e);

#endif
