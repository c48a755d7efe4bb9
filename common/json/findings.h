/*
 * findings.h - what a doctor found: one row per check, each with what to do.
 * Both programs answer in this form (docs/schema/doctor.json).
 */
#ifndef SAT_JSON_FINDINGS_H
#define SAT_JSON_FINDINGS_H

#include "common/json/json.h"

typedef enum sat_finding { SAT_GOOD, SAT_WARNING, SAT_FAILURE } sat_finding;

typedef struct sat_findings {
	sat_json *rows; /* a list of the document that is being made */
	int warnings, failures;
} sat_findings;

/* next: what to do about it; left out of a good row. */
void sat_finding_add(sat_findings *f, const char *check, sat_finding s,
    const char *detail, const char *next);
/* "N what": good when N is 0, else `bad`. */
void sat_finding_count(sat_findings *f, const char *check, sat_finding bad,
    uint64_t n, const char *what, const char *next);
/* ok, warnings and failures as members. */
void sat_findings_put(sat_json *doc, const sat_findings *f);

#endif
