/*
 * report_int.h - what the two halves of the report executor share.
 *
 * report_rows.c scans a kind and answers "what is the value of this path, does
 * this condition hold" for the row at hand; report.c groups, measures, prints.
 */
#ifndef SAT_CRM_REPORT_INT_H
#define SAT_CRM_REPORT_INT_H

#include "client/crm/crm_int.h"
#include "common/template/report_def.h"

/* A column that paths through one REF field need, by the target's id. */
typedef struct rep_link {
	const sat_field *via, *field;
	struct rep_map *map;
} rep_link;

/* Ids for which a "has" holds. */
typedef struct rep_has {
	const sat_report_cond *cond;
	struct rep_map *map;
} rep_has;

#define REP_LINKS_MAX 64
#define REP_HAS_MAX 32

typedef struct rep_source {
	sat_crm *c;
	const crm_actor *who;
	const sat_kind *kind;
	int64_t as_of_ms;
	sat_arena *a;
	uint16_t columns[SAT_FIELDS_MAX + 1]; /* [0] is the id */
	size_t ncolumns;
	rep_link links[REP_LINKS_MAX];
	size_t nlinks;
	rep_has has[REP_HAS_MAX];
	size_t nhas;
	sat_grant grant; /* rows beyond it are left out */
	sat_rows *rows;
	const sat_value *row; /* values of columns[] */
} rep_source;

/*
 * Which records are behind the numbers: told while a report runs. A record may
 * come several times, once per group. `mask` has bit i when it adds to measure
 * i. Rows come after all records, in the order of the answer.
 */
typedef struct rep_tap {
	void (*record)(void *u, size_t group, const sat_kind *k,
	    const sat_id *id, uint32_t mask);
	void (*row)(void *u, size_t group, const sat_json *row);
	void *u;
} rep_tap;

/* sat_crm_report with somebody who listens; tap NULL = nobody. */
SAT_CHECK sat_rc rep_run(sat_json **out, sat_crm *c, const char *key,
    const sat_report_opts *o, const rep_tap *tap, sat_err *e);

void rep_begin(rep_source *s, sat_crm *c, const crm_actor *who, sat_arena *a,
    const sat_kind *k, int64_t as_of_ms, sat_grant grant);
/* Name everything that will be asked for, before rep_open. */
SAT_CHECK sat_rc rep_need_field(rep_source *s, const sat_field *f, sat_err *e);
SAT_CHECK sat_rc rep_need(rep_source *s, sat_report_path p, sat_err *e);
SAT_CHECK sat_rc rep_need_where(rep_source *s, const sat_report_cond *c,
    size_t n, sat_err *e);
/* Load links and "has" sets, start the scan. */
SAT_CHECK sat_rc rep_open(rep_source *s, sat_err *e);
/* The next row the reader may see; *more false at the end. */
SAT_CHECK sat_rc rep_next(rep_source *s, bool *more, sat_err *e);
void rep_close(rep_source *s);

sat_value rep_field(const rep_source *s, const sat_field *f);
sat_value rep_path(const rep_source *s, sat_report_path p);
bool rep_holds(const rep_source *s, const sat_report_cond *c, size_t n);
sat_id rep_id(const rep_source *s);

/* Stage at T (docs/templates.md, "as_of"). *counts false: not yet born. */
SAT_CHECK sat_rc rep_stage_at(sat_value *stage, bool *counts, rep_source *s,
    int64_t t_ms, sat_err *e);

#endif
