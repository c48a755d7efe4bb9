/*
 * report_int.h - what the parts of the report executor share.
 *
 * report.c          the door: rights, filters, the run and what it is compared with
 * report_scan.c     one pass over the sources of a definition -> a tally
 * report_print.c    tallies -> the document satchel/report/1
 * report_rows.c     the records of a kind, and what can be asked of one
 * report_let.c      values computed per record
 * report_past.c     what needs the history of fields
 * report_virtual.c  @users, @moves, @stages; report_writes.c  @writes
 *
 * A report is one scan per kind it names, never a statement per record.
 */
#ifndef SAT_CRM_REPORT_INT_H
#define SAT_CRM_REPORT_INT_H

#include "client/crm/crm_int.h"
#include "common/template/report_def.h"

/* When: the same for everything a pass looks at. */
typedef struct rep_when {
	sat_period period;
	int64_t as_of_ms;
	int64_t until_ms; /* asked for as of then: what came later was not yet */
	sat_calendar calendar;
} rep_when;

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

/* What happened to records, sorted by id, at, n. */
typedef struct rep_event {
	sat_id id;
	int64_t at, n;
} rep_event;
typedef struct rep_events {
	rep_event *v;
	size_t n, cap;
} rep_events;
void rep_events_add(rep_events *l, const sat_id *id, int64_t at, int64_t n);
void rep_events_sort(rep_events *l);
/* Those of one id: [*from, return). */
size_t rep_events_of(size_t *from, const rep_events *l, const sat_id *id);
void rep_events_free(rep_events *l);

#define REP_LINKS_MAX 64
#define REP_HAS_MAX 32

typedef struct rep_source {
	sat_crm *c;
	const crm_actor *who;
	const sat_kind *kind;
	const rep_when *when;
	sat_arena *a;
	const sat_report_source *def; /* whose lets are computed; NULL: none */
	uint16_t columns[SAT_FIELDS_MAX + 1]; /* [0] is the id */
	size_t ncolumns;
	rep_link links[REP_LINKS_MAX];
	size_t nlinks;
	rep_has has[REP_HAS_MAX];
	size_t nhas;
	rep_events events[SAT_REPORT_LETS_MAX]; /* per let */
	sat_value lets[SAT_REPORT_LETS_MAX];    /* of the row */
	sat_grading *grading;                   /* when a let asks for the grade */
	rep_events stages;                      /* rep_stage_at; n = option */
	bool stages_loaded;
	sat_grant grant; /* rows beyond it are left out */
	crm_voided voided;      /* rows that were taken back are passed over */
	sat_rows *rows;
	struct rep_made *made; /* rows of a virtual kind */
	struct rep_writes *writes; /* those of @writes */
	const sat_value *row;  /* values of columns[] */
	int64_t times;         /* so many equal rows it stands for */
	uint32_t in_period;    /* by id: fields asked for by a period alone */
	bool singly;           /* rows are listed: none stands for others */
} rep_source;

/* report_rows.c */
void rep_begin(rep_source *s, sat_crm *c, const crm_actor *who, sat_arena *a,
    const sat_kind *k, const rep_when *when, sat_grant grant);
/* Name everything that will be asked for, before rep_open. */
SAT_CHECK sat_rc rep_need_field(rep_source *s, const sat_field *f, sat_err *e);
SAT_CHECK sat_rc rep_need(rep_source *s, sat_report_path p, sat_err *e);
/* Whether it lies in the period, and nothing else, is asked of it. */
SAT_CHECK sat_rc rep_need_period(rep_source *s, sat_report_path p, sat_err *e);
SAT_CHECK sat_rc rep_need_at(rep_source *s, const sat_report_at *at, sat_err *e);
SAT_CHECK sat_rc rep_need_where(rep_source *s, const sat_report_cond *c,
    size_t n, sat_err *e);
/* Load links, "has" sets and what the lets need, start the scan. */
SAT_CHECK sat_rc rep_open(rep_source *s, sat_err *e);
/* The next row the reader may see; *more false at the end. */
SAT_CHECK sat_rc rep_next(rep_source *s, bool *more, sat_err *e);
void rep_close(rep_source *s);

sat_value rep_field(const rep_source *s, const sat_field *f);
/* By key; null when the kind has no such field. */
sat_value rep_named(const rep_source *s, const char *key);
sat_value rep_path(const rep_source *s, sat_report_path p);
/* false: no value. */
bool rep_at(int64_t *out, const rep_source *s, const sat_report_at *at);
bool rep_holds(const rep_source *s, const sat_report_cond *c, size_t n);
sat_id rep_id(const rep_source *s);
bool rep_id_of(sat_value v, sat_id *id);

/* report_let.c: s->def is set. */
SAT_CHECK sat_rc rep_need_lets(rep_source *s, sat_err *e);
SAT_CHECK sat_rc rep_load_lets(rep_source *s, sat_err *e);
void rep_compute_lets(rep_source *s);

/* report_past.c */
/* HELD, EVER: spans in which a time field held a value: at = the value, n = when
 * it was taken away (INT64_MAX: it has not been). */
SAT_CHECK sat_rc rep_load_spans(rep_events *out, rep_source *s,
    const sat_field *f, sat_err *e);
/* Every change of any field: at. */
SAT_CHECK sat_rc rep_load_changes(rep_events *out, rep_source *s, sat_err *e);
/* Values of a field with options in the order they were written, the present
 * one last: at = when, n = index of the option. */
SAT_CHECK sat_rc rep_load_options(rep_events *out, rep_source *s,
    const sat_field *f, sat_err *e);
/* Stage at T (docs/templates.md, "as_of"). *counts false: not yet born. */
SAT_CHECK sat_rc rep_need_stage(rep_source *s, sat_err *e);
SAT_CHECK sat_rc rep_stage_at(sat_value *stage, bool *counts, rep_source *s,
    int64_t t_ms, sat_err *e);

/* report_virtual.c */
SAT_CHECK sat_rc rep_make_rows(rep_source *s, sat_err *e);
bool rep_made_next(rep_source *s);
void rep_made_free(struct rep_made *m);
/* report_writes.c: those of @writes */
typedef struct rep_writes rep_writes;
SAT_CHECK sat_rc rep_make_writes(rep_source *s, sat_err *e);
bool rep_writes_next(rep_source *s);
void rep_writes_free(rep_writes *w);
/* Number of an employee (kind staff), or NULL. Ordered by it: numbers by value,
 * people without one after them, by their place in the registry. */
typedef struct rep_people rep_people;
SAT_CHECK sat_rc rep_people_load(rep_people **out, sat_crm *c,
    const crm_actor *who, sat_arena *a, sat_err *e);
void rep_people_free(rep_people *p);
int rep_people_cmp(void *people, sat_value a, sat_value b);

/*
 * Which records are behind the numbers: told while a report runs. A record may
 * come several times, once per group. `mask` has bit i when it adds to measure
 * i (of the definition, hidden ones too). Rows come after all records, in the
 * order of the answer. Nothing is told of what a run is compared with, nor of
 * rows no document declares (@users).
 */
typedef struct rep_tap {
	void (*record)(void *u, size_t group, const sat_kind *k,
	    const sat_id *id, uint32_t mask);
	void (*row)(void *u, size_t group, const sat_json *row);
	void *u;
} rep_tap;

/* Whose reports reach how far: what another's run would have counted. */
typedef struct rep_reach {
	sat_user viewer;
	sat_grant grant;
} rep_reach;

/* sat_crm_report with somebody who listens (tap NULL = nobody), counted as far
 * as `reach` says (NULL: as the reader's own do). Who may run it is asked of
 * the reader; that he holds what the other sees, the caller has seen to. */
SAT_CHECK sat_rc rep_run(sat_json **out, sat_crm *c, const char *key,
    const sat_report_opts *o, const rep_reach *reach, const rep_tap *tap,
    sat_err *e);

/* ---- a pass ------------------------------------------------------------------- */

#define REP_PARAMS_MAX 16
typedef struct rep_param { /* owner=..., team=...: any of the values */
	char *key;
	sat_report_path paths[SAT_REPORT_SOURCES_MAX];
	sat_value values[REP_PARAMS_MAX];
	size_t n;
} rep_param;

typedef struct rep_listed { /* a row of the list */
	sat_id id;
	sat_value values[SAT_REPORT_LIST_MAX];
} rep_listed;

typedef struct rep_pass {
	sat_crm *c;
	const crm_actor *who;
	sat_arena *a;
	const sat_report_def *def;
	const rep_param *params;
	size_t nparams;
	sat_grant grant;
	const rep_tap *tap; /* NULL = nobody listens */
	rep_people *people;
	rep_when when;
	sat_tally *tally;
	rep_listed *listed;
	size_t nlisted, listed_cap;
} rep_pass;

/* report_scan.c */
/* Scan everything; the tally is filled and not yet finished. */
SAT_CHECK sat_rc rep_scan(rep_pass *p, sat_err *e);
void rep_finish(rep_pass *p);
/* Groups of `other` that p does not have, empty. Before rep_finish. */
void rep_adopt_groups(rep_pass *p, const rep_pass *other);
void rep_pass_fini(rep_pass *p);

/* report_print.c; before NULL: nothing to compare with. */
SAT_CHECK sat_rc rep_print(sat_json **out, rep_pass *now, rep_pass *before,
    const char *compared, sat_err *e);

/* The filters as they are understood: "owner=me" of two people are two. In `a`,
 * ascending, each once. @return as a run with them. */
SAT_CHECK sat_rc rep_params(const char *const **out, size_t *n, sat_arena *a,
    sat_crm *c, const char *key, const sat_report_opts *o, sat_err *e);

#endif
