/*
 * report.h - the report engine's pure half: rows in, cells out.
 *
 * A report document names measures over one kind; the caller scans rows and
 * feeds them, the engine groups, sums, ranks. Definitions: requirements §5.
 * Half-open periods [from, to) in the organisation's time zone; integers until
 * printing; ratios as numerator/denominator, printed half-up to 2 decimals; a
 * zero denominator prints "—" (JSON null). Same rows, same output bytes.
 */
#ifndef SAT_MODEL_REPORT_H
#define SAT_MODEL_REPORT_H

#include "common/model/value.h"

/* Period of local dates: "2026-11", "2026-Q4", "2026", "2026-W18",
 * "2026-11-21", "2017-01-01..2017-06-30" (both ends included), "all". */
typedef struct sat_period {
	int64_t from_ms, to_ms; /* half-open, UTC */
	bool all;
	char label[40];
} sat_period;
/* SAT_EUSAGE when it is none of these. Years 1900-9999. */
SAT_CHECK sat_rc sat_period_parse(sat_period *p, const char *text, int tz_min, sat_err *e);
bool sat_period_has(const sat_period *p, int64_t ms);
/*
 * The period a report is compared with: the one just before (a month's is the
 * month before, a range's the same number of days before), or the same one a
 * year earlier (week 53 of a year without one: its week 52; 29 February: the
 * 28th). False: "all" has none, or the years run out.
 */
bool sat_period_prev(sat_period *out, const sat_period *p, int tz_min);
bool sat_period_year_ago(sat_period *out, const sat_period *p, int tz_min);

/*
 * MEAN is a ratio whose denominator is how many values went in; MEDIAN keeps
 * them (even count: half the sum of the middle two, as numerator and 2);
 * FORMULA is computed from the other measures of the same group.
 */
typedef enum sat_agg { SAT_AGG_COUNT, SAT_AGG_SUM, SAT_AGG_DISTINCT, SAT_AGG_RATIO,
	SAT_AGG_MEAN, SAT_AGG_MEDIAN, SAT_AGG_FORMULA } sat_agg;
/* Does the measure have a denominator? */
static inline bool
sat_agg_divides(sat_agg a)
{
	return a >= SAT_AGG_RATIO;
}
#define SAT_REPORT_MEASURES_MAX 20
#define SAT_REPORT_DIMS_MAX 3

/* A table being built: groups keyed by up to three dimension values. */
typedef struct sat_tally sat_tally;
sat_tally *sat_tally_new(size_t ndims, size_t nmeasures, const sat_agg *aggs);
void sat_tally_free(sat_tally *t);
/* Find or add the group. Values are copied. Index stays valid until free. */
size_t sat_tally_group(sat_tally *t, const sat_value *dims);
/* Feed one measure of one group: count += n, sum += n, distinct of id. For a
 * ratio feed numerator and denominator. */
void sat_tally_add(sat_tally *t, size_t group, size_t measure, int64_t n);
void sat_tally_distinct(sat_tally *t, size_t group, size_t measure, sat_span id);
void sat_tally_ratio(sat_tally *t, size_t group, size_t measure, int64_t num, int64_t den);
/* One value of a median. */
void sat_tally_sample(sat_tally *t, size_t group, size_t measure, int64_t v);
/* How FORMULA measures come about: called by sat_tally_finish for each group and
 * for the total, in the order of the measures, with what is known of the others.
 * Set before sat_tally_finish. */
void sat_tally_formulas(sat_tally *t, void (*f)(void *u, size_t measure,
    const int64_t *n, const int64_t *den, int64_t *num_out, int64_t *den_out),
    void *u);

typedef struct sat_tally_row {
	const sat_value *dims;
	const int64_t *n;   /* count, sum, distinct count, or numerator */
	const int64_t *den; /* denominator (sat_agg_divides), else 0 */
	uint32_t rank;      /* competition ranking 1-1-3 by the sort measure; 0 = unranked */
	size_t group;       /* as sat_tally_group gave it; of a total nothing */
} sat_tally_row;
/* Values of dimension `dim` order by `cmp` instead of sat_value_cmp (rank of an
 * option, number of an employee). Before sat_tally_finish. */
void sat_tally_order(sat_tally *t, size_t dim,
    int (*cmp)(void *u, sat_value a, sat_value b), void *u);
/* Sort: by measure (descending) then by dims (ascending), or by dims only
 * (measure < 0). Ratios sort by value, without a denominator last. Then rows
 * can be read. */
void sat_tally_finish(sat_tally *t, int sort_measure, bool rank);
size_t sat_tally_rows(const sat_tally *t);
sat_tally_row sat_tally_row_at(const sat_tally *t, size_t i);
/* Totals over all groups (distinct counted once). */
sat_tally_row sat_tally_total(sat_tally *t);

/* "63.15" from 4238/6711: half-up; writes "—" when den is 0. percent: x100. */
void sat_ratio_text(char out[32], int64_t num, int64_t den, bool percent);
/* Money: 100055340 fen -> "1000553.40". */
void sat_money_text(char out[32], int64_t fen);

#endif
