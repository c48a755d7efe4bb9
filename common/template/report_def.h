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

#define SAT_REPORT_CONDS_MAX 16   /* per where */
#define SAT_REPORT_TERMS_MAX 4    /* per measure side */
#define SAT_REPORT_SOURCES_MAX 6
#define SAT_REPORT_LETS_MAX 16    /* per source */
#define SAT_REPORT_LIST_MAX 8     /* columns of the list */

struct sat_report_let;

/*
 * Where a value comes from, starting at the scanned record:
 *   field            via NULL, field set
 *   ref.field        via = the REF field, field = of the kind it points to
 *   user.team        via = the USER field, team true, field NULL: the key of
 *                    the team of that user (of the user registry); with both
 *                    set, of the user that ref.field names
 *   let              a value computed for the record; the others unset
 * A missing link gives null.
 */
typedef struct sat_report_path {
	const sat_field *via, *field;
	bool team;
	const struct sat_report_let *let;
} sat_report_path;

/* An instant, or a number: where it starts, and what is added. No value when
 * any part has none. */
typedef enum sat_report_base {
	SAT_BASE_NUMBER, /* n */
	SAT_BASE_PATH,
	SAT_BASE_START,  /* of the period */
	SAT_BASE_END,
	SAT_BASE_AS_OF,
} sat_report_base;
typedef struct sat_report_at {
	sat_report_base base;
	sat_report_path path;
	int64_t n;     /* NUMBER */
	int64_t shift; /* ms, added */
	const struct sat_report_let *plus, *minus; /* ms, of the record */
} sat_report_at;

typedef enum sat_cond_op {
	SAT_COND_IN,     /* value is one of values[] */
	SAT_COND_NOT_IN, /* value is none of values[]; a null value passes */
	SAT_COND_SET,    /* value is not null */
	SAT_COND_UNSET,
	SAT_COND_LABEL,  /* text is the label of the run's period */
	SAT_COND_LT,     /* value and `at` are there, value < at */
	SAT_COND_LE,
	SAT_COND_GE,
	SAT_COND_HAS,    /* some live record of has_kind points here and passes has[] */
} sat_cond_op;

typedef struct sat_report_cond {
	sat_cond_op op;
	sat_report_path path;
	const sat_value *values;
	size_t nvalues;
	sat_report_at at;
	const sat_kind *has_kind;
	const sat_field *has_ref; /* field of has_kind that points to this record */
	const struct sat_report_cond *has; /* all must hold; never nested again */
	size_t nhas;
} sat_report_cond;

/*
 * A value computed for each record before anything is counted, in the order of
 * the document: later ones may use earlier ones. Times are ms UTC, spans ms.
 */
typedef enum sat_let_op {
	/* over the records of `child` that point here (by), pass where[], and
	 * whose `at` lies in [since, until): */
	SAT_LET_FIRST,   /* smallest, largest value of `of`; none = no value */
	SAT_LET_LAST,
	SAT_LET_COUNT,
	SAT_LET_SUM,
	SAT_LET_GAP,     /* the longest time between since, each `at` in
	                    [since, until) and until; without since no value */
	/* of the record: */
	SAT_LET_SPAN,    /* to - since (ms, whole days, or working ms) */
	SAT_LET_WEIGH,   /* weights[i] of the option, else `otherwise` */
	SAT_LET_FILLED,  /* sum of the weights of the fields that have a value */
	SAT_LET_UNFILLED, /* of those of `rest` that have none */
	SAT_LET_EARLIEST, /* of ats[] that have a value */
	SAT_LET_LATEST,
	/* by policy/sla.json, of the record's grade at the as-of instant; no value
	 * without rule, or for a status nobody follows up */
	SAT_LET_SLA_FOLLOW,
	SAT_LET_SLA_FIRST,
	/* of what the field held over time (history included): */
	SAT_LET_CHANGED, /* last change of any field written before until */
	SAT_LET_HELD,    /* 1: the time in `of` had come at `at0` and had not been
	                    cleared by then, else 0 */
	SAT_LET_EVER,    /* 1: `of` was ever given a time in [since, until) */
	SAT_LET_PASSED,  /* 1: the kind's stage went through steps[] in this order
	                    and left none out: up to the stage it was lost at, or
	                    all of them; else 0 */
} sat_let_op;

typedef enum sat_span_in { SAT_IN_TIME, SAT_IN_DAYS, SAT_IN_BUSINESS } sat_span_in;

typedef struct sat_report_let {
	const char *key;
	sat_let_op op;
	size_t index;             /* among the lets of its source */
	const sat_kind *child;
	const sat_field *by, *of, *at;
	sat_report_path on;       /* id that `by` must name; field NULL: the record */
	const sat_report_cond *where; /* of the child; no "has" */
	size_t nwhere;
	bool has_since, has_until;
	sat_report_at since, until; /* SPAN: from, to; HELD: since is the instant */
	sat_span_in in;
	sat_report_path path;     /* WEIGH */
	const sat_value *options; /* WEIGH */
	const sat_field *const *fields; /* FILLED */
	const int64_t *weights;
	int64_t otherwise;
	size_t n;                 /* options, fields, ats, steps */
	const sat_report_at *ats;
	const sat_value *steps;
	const struct sat_report_let *rest;
} sat_report_let;

/* Adds, for each record of its source that passes, `sum` (or 1) x times. */
typedef struct sat_report_term {
	size_t source;
	const sat_report_cond *where; /* all must hold */
	size_t nwhere;
	bool has_period, has_sum;
	sat_report_path period;       /* its time lies in the period */
	sat_report_path sum;          /* INT, MONEY, counter, let; null value = 0 */
	int64_t times;
} sat_report_term;

typedef enum sat_report_unit {
	SAT_UNIT_COUNT,
	SAT_UNIT_MONEY,   /* fen; a ratio of fen prints yuan, 2 decimals */
	SAT_UNIT_PERCENT, /* ratio x 100, 2 decimals, half-up */
	SAT_UNIT_NUMBER,  /* ratio, 2 decimals, half-up */
	SAT_UNIT_HOURS,   /* ratio of ms, printed in hours, 2 decimals, half-up */
	SAT_UNIT_DAYS,    /* as NUMBER */
} sat_report_unit;

/* A formula: a tree whose leaves are measures before it, numbers, and what the
 * period is. */
typedef enum sat_node_op {
	SAT_NODE_DO,       /* args[], from the left, by `op` */
	SAT_NODE_NUMBER,
	SAT_NODE_MEASURE,
	SAT_NODE_DAYS,     /* local days of the period; no value for "all" */
	SAT_NODE_WORKDAYS, /* working days of the period */
	SAT_NODE_WORKED,   /* those that ended at as-of or before */
	SAT_NODE_YEARS,    /* whole months / 12, else days / 365 */
} sat_node_op;
typedef struct sat_report_node {
	sat_node_op what;
	char op; /* of sat_fraction_do */
	int64_t n;
	size_t measure;
	const struct sat_report_node *args;
	size_t nargs;
} sat_report_node;

typedef struct sat_report_measure {
	const char *key, *zh, *en;
	sat_agg agg;
	sat_report_unit unit;
	bool hidden;      /* only for formulas */
	signed char good; /* 1: more is better, -1: less is; 0: neither */
	/* COUNT, SUM: num. DISTINCT, MEDIAN, MEAN: num[0] filters, `of` is what is
	 * counted once or averaged. RATIO: sum of num over sum of den. */
	const sat_report_term *num, *den;
	size_t nnum, nden;
	sat_report_path of;
	const sat_report_node *formula;
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

/* Records of one kind that are scanned. The first is the report's own; the dims
 * of the others give the same groups. */
typedef struct sat_report_source {
	const char *key; /* NULL: the first */
	const sat_kind *kind; /* of the template, or sat_report_virtual */
	const sat_report_cond *where; /* which records are looked at at all */
	size_t nwhere;
	sat_report_dim dims[SAT_REPORT_DIMS_MAX];
	sat_report_let *lets;
	size_t nlets;
} sat_report_source;

typedef enum sat_report_compare {
	SAT_COMPARE_NONE,
	SAT_COMPARE_PREV,
	SAT_COMPARE_YEAR,
} sat_report_compare;

typedef struct sat_report_def {
	const char *key, *zh, *en;
	const sat_kind *kind; /* of sources[0] */
	sat_report_source sources[SAT_REPORT_SOURCES_MAX];
	size_t nsources;
	sat_report_measure measures[SAT_REPORT_MEASURES_MAX];
	size_t nmeasures;
	sat_report_dim *dims; /* of sources[0] */
	size_t ndims;
	int sort;         /* measure to sort by, descending; -1 = by dims */
	bool rank;
	bool drop_empty;  /* leave out groups in which every measure is 0 */
	sat_report_compare compare; /* unless the run says otherwise */
	/* records of sources[0] to name one by one */
	bool has_list;
	const sat_report_cond *list_where;
	size_t nlist_where;
	sat_report_path list[SAT_REPORT_LIST_MAX];
	const char *list_keys[SAT_REPORT_LIST_MAX];
	size_t nlist;
	const char *const *roles; /* who may run it; none listed = everyone */
	size_t nroles;
	const char *const *schedule; /* periods after whose end it is made */
	size_t nschedule;
	sat_arena arena;
} sat_report_def;

/*
 * Kinds no document declares, filled by the reader's device (ids from
 * SAT_VIRTUAL_FIRST on), or NULL:
 *   @users   one row per user of the registry: owner, team, role, enabled,
 *            days_pct (days of the period he was there x his working time in
 *            percent: kind staff; without an entry all days, none when he is
 *            disabled)
 *   @writes  one row per change of a record: owner (who), kind, day, at
 *   @moves   one row per change of a customer's owner: account, owner (who has
 *            it after, or had it), before, after, at. Its first owner is none.
 *   @stages  one row per stage an opportunity came to: opportunity, account,
 *            owner (now), stage, at
 * In `a` what needs the template's options.
 */
#define SAT_VIRTUAL_FIRST 0xff00
enum { SAT_VIRTUAL_USERS = SAT_VIRTUAL_FIRST, SAT_VIRTUAL_WRITES,
	SAT_VIRTUAL_MOVES, SAT_VIRTUAL_STAGES };
const sat_kind *sat_report_virtual(const char *key, const sat_template *t,
    sat_arena *a);

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
