/*
 * report_def.h - a report document, parsed and bound to the template's fields.
 *
 * What a document means is in docs/templates.md, "Reports"; the schema is
 * docs/schema/report-definition.json. The executor walks these structures and
 * never sees JSON. Everything belongs to the definition's arena and borrows
 * from the template, which must outlive it.
 */
#ifndef SAT_TEMPLATE_REPORT_DEF_H
#define SAT_TEMPLATE_REPORT_DEF_H

#include "common/model/report.h"
#include "common/template/template.h"

#define SAT_REPORT_CONDS_MAX 16 /* per where */
#define SAT_REPORT_TERMS_MAX 4  /* per measure side */

/*
 * Where a value comes from, starting at the scanned record:
 *   field            via NULL, field set
 *   ref.field        via = the REF field, field = of the kind it points to
 *   user.team        via = the USER field, team true, field NULL: the key of
 *                    the team of that user (of the user registry)
 * A missing link gives null.
 */
typedef struct sat_report_path {
	const sat_field *via, *field;
	bool team;
} sat_report_path;

typedef enum sat_cond_op {
	SAT_COND_IN,     /* value is one of values[] */
	SAT_COND_NOT_IN, /* value is none of values[]; a null value passes */
	SAT_COND_SET,    /* value is not null */
	SAT_COND_UNSET,
	SAT_COND_BEFORE, /* time value is set and < the run's as-of instant */
	SAT_COND_HAS,    /* some live record of has_kind points here and passes has[] */
} sat_cond_op;

typedef struct sat_report_cond {
	sat_cond_op op;
	sat_report_path path;
	const sat_value *values;
	size_t nvalues;
	const sat_kind *has_kind;
	const sat_field *has_ref; /* field of has_kind that points to this record */
	const struct sat_report_cond *has; /* all must hold; never nested again */
	size_t nhas;
} sat_report_cond;

/* Adds, for each record that passes, `sum` (or 1). */
typedef struct sat_report_term {
	const sat_report_cond *where; /* all must hold */
	size_t nwhere;
	const sat_field *period;      /* its time lies in the period; NULL = any */
	const sat_field *sum;         /* INT, MONEY or counter; NULL = 1; null value = 0 */
} sat_report_term;

typedef enum sat_report_unit {
	SAT_UNIT_COUNT,
	SAT_UNIT_MONEY,   /* fen */
	SAT_UNIT_PERCENT, /* ratio x 100, 2 decimals, half-up */
	SAT_UNIT_NUMBER,  /* ratio, 2 decimals, half-up */
} sat_report_unit;

typedef struct sat_report_measure {
	const char *key, *zh, *en;
	sat_agg agg;
	sat_report_unit unit;
	/* COUNT, SUM: num. DISTINCT: num[0] filters, `of` is what is counted.
	 * RATIO: sum of num over sum of den. */
	const sat_report_term *num, *den;
	size_t nnum, nden;
	sat_report_path of;
} sat_report_measure;

typedef struct sat_report_dim {
	const char *key, *zh, *en;
	sat_report_path path;
	bool has_other;
	sat_report_path other;  /* used when `path` gives null */
	const sat_dict *dict;   /* labels of the values, or NULL */
	bool top;               /* roll options up to their top-level parent */
	bool as_of;             /* stage as of the period's end (docs) */
} sat_report_dim;

typedef struct sat_report_def {
	const char *key, *zh, *en;
	const sat_kind *kind;
	const sat_report_cond *where; /* which records are looked at at all */
	size_t nwhere;
	sat_report_measure measures[SAT_REPORT_MEASURES_MAX];
	size_t nmeasures;
	sat_report_dim dims[SAT_REPORT_DIMS_MAX];
	size_t ndims;
	int sort;         /* measure to sort by, descending; -1 = by dims */
	bool rank;
	bool drop_empty;  /* leave out groups in which every measure is 0 */
	const char *const *roles; /* who may run it; none listed = everyone */
	size_t nroles;
	sat_arena arena;
} sat_report_def;

/*
 * The report reports/<key>.json. On failure *def is empty and needs no fini.
 * @return SAT_ENOTFOUND no such report; SAT_EINVALID with path and JSON place.
 */
SAT_CHECK sat_rc sat_report_def_load(const sat_template *t, const char *key,
    sat_report_def *def, sat_err *e);
void sat_report_def_fini(sat_report_def *def);
/* Keys of all reports, sorted; i-th or NULL. Valid as long as the template. */
const char *sat_report_key(const sat_template *t, size_t i);
/* The option a value is grouped under when `top` is set; itself otherwise. */
sat_value sat_report_top(const sat_dict *d, sat_value v);

#endif
