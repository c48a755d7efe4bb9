/*
 * One pass of a report: each source is scanned once, each record gives its
 * group and adds to the measures whose terms count it. Pure: the same records,
 * period, as-of instant, time zone and document give the same tally.
 */
#include "client/crm/report_int.h"

#include "common/model/fraction.h"

#include <stdlib.h>
#include <string.h>

/* ---- what a source is asked for ------------------------------------------------- */

static sat_rc
need_terms(rep_source *s, size_t source, const sat_report_term *t, size_t n,
    sat_err *e)
{
	sat_rc rc = SAT_OK;

	for (size_t i = 0; i < n && rc == SAT_OK; i++) {
		if (t[i].source != source)
			continue;
		if ((rc = rep_need_where(s, t[i].where, t[i].nwhere, e)) ==
		    SAT_OK && (rc = rep_need_period(s, t[i].period, e)) ==
		    SAT_OK)
			rc = rep_need(s, t[i].sum, e);
	}
	return rc;
}

static bool
of_source(const sat_report_measure *m, size_t source)
{
	return m->nnum > 0 && m->num[0].source == source;
}

static sat_rc
need_dims(rep_source *s, const sat_report_source *src, size_t n, sat_err *e)
{
	sat_rc rc = SAT_OK;

	for (size_t i = 0; i < n && rc == SAT_OK; i++) {
		const sat_report_dim *d = &src->dims[i];

		if ((rc = rep_need(s, d->path, e)) == SAT_OK && d->has_other)
			rc = rep_need(s, d->other, e);
		if (rc == SAT_OK && d->as_of)
			rc = rep_need_stage(s, e);
	}
	return rc;
}

static sat_rc
need_list(rep_source *s, const sat_report_def *d, sat_err *e)
{
	sat_rc rc = rep_need_where(s, d->list_where, d->nlist_where, e);

	s->singly = true;
	for (size_t i = 0; i < d->nlist && rc == SAT_OK; i++)
		rc = rep_need(s, d->list[i], e);
	return rc;
}

static sat_rc
need_all(rep_source *s, const rep_pass *p, size_t source, sat_err *e)
{
	const sat_report_def *d = p->def;
	const sat_report_source *src = &d->sources[source];
	sat_rc rc = rep_need_where(s, src->where, src->nwhere, e);

	for (size_t i = 0; i < d->nmeasures && rc == SAT_OK; i++) {
		const sat_report_measure *m = &d->measures[i];

		if ((rc = need_terms(s, source, m->num, m->nnum, e)) ==
		    SAT_OK && (rc = need_terms(s, source, m->den, m->nden,
		    e)) == SAT_OK && of_source(m, source))
			rc = rep_need(s, m->of, e);
	}
	if (rc == SAT_OK)
		rc = need_dims(s, src, d->ndims, e);
	for (size_t i = 0; i < p->nparams && rc == SAT_OK; i++)
		rc = rep_need(s, p->params[i].paths[source], e);
	if (rc == SAT_OK && source == 0 && d->has_list)
		rc = need_list(s, d, e);
	return rc;
}

/* ---- what a record adds ----------------------------------------------------------- */

static bool
passes_params(const rep_pass *p, const rep_source *s, size_t source)
{
	for (size_t i = 0; i < p->nparams; i++) {
		sat_value v = rep_path(s, p->params[i].paths[source]);
		bool any = false;

		for (size_t k = 0; k < p->params[i].n; k++)
			any = any || sat_value_eq(v, p->params[i].values[k]);
		if (!any)
			return false;
	}
	return true;
}

static bool
term_counts(const rep_pass *p, const rep_source *s, const sat_report_term *t)
{
	sat_value at;

	if (t->has_period) {
		at = rep_path(s, t->period);
		if (at.type != SAT_V_INT ||
		    !sat_period_has(&p->when.period, at.i) ||
		    at.i >= p->when.until_ms)
			return false;
	}
	return rep_holds(s, t->where, t->nwhere);
}

/* A row that stands for several adds what each of them does. */
static int64_t
terms_add(const rep_pass *p, const rep_source *s, size_t source,
    const sat_report_term *t, size_t n)
{
	int64_t sum = 0, one;
	sat_value v;

	for (size_t i = 0; i < n; i++) {
		if (t[i].source != source || !term_counts(p, s, &t[i]))
			continue;
		one = 1;
		if (t[i].has_sum) {
			v = rep_path(s, t[i].sum);
			one = v.type == SAT_V_INT ? v.i : 0;
		}
		if (__builtin_mul_overflow(one, t[i].times, &one) ||
		    __builtin_mul_overflow(one, s->times, &one) ||
		    __builtin_add_overflow(sum, one, &sum))
			return INT64_MAX;
	}
	return sum;
}

/* Distinct, mean, median: a value of the record, when it has one. True when it
 * adds. */
static bool
add_value(const rep_pass *p, const rep_source *s, size_t group, size_t i,
    sat_buf *key)
{
	const sat_report_measure *m = &p->def->measures[i];
	sat_value v;

	if (!term_counts(p, s, &m->num[0]) ||
	    (v = rep_path(s, m->of)).type == SAT_V_NULL)
		return false;
	if (m->agg == SAT_AGG_DISTINCT) {
		sat_buf_reset(key);
		sat_value_write(key, v);
		sat_tally_distinct(p->tally, group, i, sat_buf_span(key));
	} else if (v.type != SAT_V_INT) {
		return false;
	} else if (m->agg == SAT_AGG_MEAN) {
		for (int64_t k = 0; k < s->times; k++)
			sat_tally_ratio(p->tally, group, i, v.i, 1);
	} else {
		for (int64_t k = 0; k < s->times; k++)
			sat_tally_sample(p->tally, group, i, v.i);
	}
	return true;
}

static bool
measure(const rep_pass *p, const rep_source *s, size_t source, size_t group,
    size_t i, sat_buf *key)
{
	const sat_report_measure *m = &p->def->measures[i];
	int64_t num, den = 0;

	switch (m->agg) {
	case SAT_AGG_COUNT:
	case SAT_AGG_SUM:
		num = terms_add(p, s, source, m->num, m->nnum);
		sat_tally_add(p->tally, group, i, num);
		return num != 0;
	case SAT_AGG_RATIO:
		num = terms_add(p, s, source, m->num, m->nnum);
		den = terms_add(p, s, source, m->den, m->nden);
		sat_tally_ratio(p->tally, group, i, num, den);
		return num != 0 || den != 0;
	case SAT_AGG_DISTINCT:
	case SAT_AGG_MEAN:
	case SAT_AGG_MEDIAN:
		return of_source(m, source) &&
		    add_value(p, s, group, i, key);
	case SAT_AGG_FORMULA:
		break;
	}
	return false;
}

static void
measures(const rep_pass *p, const rep_source *s, size_t source,
    const sat_value *dims, sat_buf *key)
{
	size_t group = sat_tally_group(p->tally, dims);
	uint32_t mask = 0;
	sat_id id;

	for (size_t i = 0; i < p->def->nmeasures; i++)
		if (measure(p, s, source, group, i, key))
			mask |= (uint32_t)1 << i;
	if (p->tap == NULL || mask == 0 || s->kind->id >= SAT_VIRTUAL_FIRST)
		return;
	id = rep_id(s);
	p->tap->record(p->tap->u, group, s->kind, &id, mask);
}

static int64_t
stage_then(const rep_when *w)
{
	return w->until_ms < w->period.to_ms ? w->until_ms : w->period.to_ms;
}

static sat_rc
dims_of(sat_value *dims, bool *counts, const rep_pass *p, rep_source *s,
    const sat_report_source *src, sat_err *e)
{
	sat_rc rc;

	*counts = true;
	for (size_t i = 0; i < p->def->ndims; i++) {
		const sat_report_dim *d = &src->dims[i];

		if (d->as_of) {
			rc = rep_stage_at(&dims[i], counts, s,
			    stage_then(&p->when), e);
			if (rc != SAT_OK || !*counts)
				return rc;
			continue;
		}
		dims[i] = rep_path(s, d->path);
		if (dims[i].type == SAT_V_NULL && d->has_other)
			dims[i] = rep_path(s, d->other);
		if (d->top)
			dims[i] = sat_report_top(d->dict, dims[i]);
	}
	return SAT_OK;
}

static void
list_row(rep_pass *p, const rep_source *s)
{
	rep_listed *l;

	if (!p->def->has_list ||
	    !rep_holds(s, p->def->list_where, p->def->nlist_where))
		return;
	if (p->nlisted == p->listed_cap) {
		p->listed_cap = p->listed_cap > 0 ? p->listed_cap * 2 : 64;
		p->listed = sat_xrealloc(p->listed,
		    p->listed_cap * sizeof *p->listed);
	}
	l = &p->listed[p->nlisted++];
	memset(l, 0, sizeof *l);
	l->id = rep_id(s);
	for (size_t i = 0; i < p->def->nlist; i++)
		l->values[i] = sat_value_dup(p->a, rep_path(s, p->def->list[i]));
}

static sat_rc
scan(rep_pass *p, rep_source *s, size_t source, sat_err *e)
{
	const sat_report_source *src = &p->def->sources[source];
	sat_value dims[SAT_REPORT_DIMS_MAX] = { { 0 } };
	sat_buf key = { 0 };
	bool more, counts;
	sat_rc rc;

	while ((rc = rep_next(s, &more, e)) == SAT_OK && more) {
		if (!rep_holds(s, src->where, src->nwhere) ||
		    !passes_params(p, s, source))
			continue;
		if ((rc = dims_of(dims, &counts, p, s, src, e)) != SAT_OK)
			break;
		if (!counts)
			continue;
		measures(p, s, source, dims, &key);
		if (source == 0)
			list_row(p, s);
	}
	sat_buf_fini(&key);
	return rc;
}

/* ---- formulas ------------------------------------------------------------------------ */

/* A month is a twelfth of a year, whichever month. */
static sat_fraction
years(int64_t from, int64_t to)
{
	int y, m, d, y2, m2, d2;

	sat_date_of(&y, &m, &d, from);
	sat_date_of(&y2, &m2, &d2, to);
	if (d == 1 && d2 == 1)
		return sat_fraction_of((y2 - y) * 12 + m2 - m, 12);
	return sat_fraction_of(to - from, 365);
}

/* Days of the period, whole ones that were over at as-of. */
static sat_fraction
days_of(const rep_pass *p, sat_node_op what)
{
	const sat_calendar *c = &p->when.calendar;
	const sat_period *d = &p->when.period;
	int64_t end = d->to_ms;

	if (d->all)
		return sat_fraction_none();
	if (what == SAT_NODE_WORKED && p->when.as_of_ms < end)
		end = p->when.as_of_ms;
	if (what == SAT_NODE_YEARS)
		return years(sat_calendar_day(c, d->from_ms),
		    sat_calendar_day(c, end));
	if (what == SAT_NODE_DAYS)
		return sat_fraction_of(sat_calendar_day(c, end) -
		    sat_calendar_day(c, d->from_ms), 1);
	return sat_fraction_of(sat_calendar_workdays(c,
	    sat_calendar_day(c, d->from_ms), sat_calendar_day(c, end)), 1);
}

static sat_fraction
evaluate(const rep_pass *p, const sat_report_node *node, const int64_t *n,
    const int64_t *den)
{
	sat_fraction f;

	switch (node->what) {
	case SAT_NODE_NUMBER:
		return sat_fraction_of(node->n, 1);
	case SAT_NODE_MEASURE:
		return sat_fraction_of(n[node->measure], sat_agg_divides(
		    p->def->measures[node->measure].agg) ?
		    den[node->measure] : 1);
	case SAT_NODE_DO:
		f = evaluate(p, &node->args[0], n, den);
		for (size_t i = 1; i < node->nargs; i++)
			f = sat_fraction_do(node->op, f,
			    evaluate(p, &node->args[i], n, den));
		return f;
	default:
		return days_of(p, node->what);
	}
}

static void
formula(void *u, size_t measure_at, const int64_t *n, const int64_t *den,
    int64_t *num_out, int64_t *den_out)
{
	const rep_pass *p = u;

	sat_fraction_out(num_out, den_out, evaluate(p,
	    p->def->measures[measure_at].formula, n, den));
}

/* ---- the pass -------------------------------------------------------------------------- */

/* Options in the order the template gives them; no value first. */
static int
by_option(void *u, sat_value a, sat_value b)
{
	const sat_dict *d = u;
	const sat_option *x = a.type != SAT_V_TEXT ? NULL :
	    sat_dict_option(d, (const char *)a.s.p, a.s.n);
	const sat_option *y = b.type != SAT_V_TEXT ? NULL :
	    sat_dict_option(d, (const char *)b.s.p, b.s.n);

	if (x != NULL && y != NULL)
		return (x > y) - (x < y);
	if (a.type != b.type)
		return a.type < b.type ? -1 : 1;
	return (x == NULL) - (y == NULL); /* an unknown option comes last */
}

static bool
is_person(const sat_report_dim *d)
{
	const sat_field *f = d->path.field;

	return !d->path.team && f != NULL && f->type == SAT_F_USER;
}

static sat_rc
set_orders(rep_pass *p, sat_err *e)
{
	sat_rc rc = SAT_OK;

	for (size_t i = 0; i < p->def->ndims && rc == SAT_OK; i++) {
		const sat_report_dim *d = &p->def->dims[i];
		union {
			const sat_dict *in;
			void *out;
		} dict = { .in = d->dict };

		if (d->dict != NULL) {
			sat_tally_order(p->tally, i, by_option, dict.out);
		} else if (is_person(d)) {
			if (p->people == NULL)
				rc = rep_people_load(&p->people, p->c, p->who,
				    p->a, e);
			sat_tally_order(p->tally, i, rep_people_cmp, p->people);
		}
	}
	return rc;
}

sat_rc
rep_scan(rep_pass *p, sat_err *e)
{
	const sat_report_def *d = p->def;
	sat_value none[SAT_REPORT_DIMS_MAX] = { { 0 } };
	sat_agg aggs[SAT_REPORT_MEASURES_MAX] = { 0 };
	rep_source s;
	sat_rc rc;

	for (size_t i = 0; i < d->nmeasures; i++)
		aggs[i] = d->measures[i].agg;
	p->tally = sat_tally_new(d->ndims, d->nmeasures, aggs);
	sat_tally_formulas(p->tally, formula, p);
	if (d->ndims == 0)
		(void)sat_tally_group(p->tally, none);
	rc = set_orders(p, e);
	for (size_t i = 0; i < d->nsources && rc == SAT_OK; i++) {
		rep_begin(&s, p->c, p->who, p->a, d->sources[i].kind, &p->when,
		    p->grant);
		s.def = &d->sources[i];
		if ((rc = need_all(&s, p, i, e)) == SAT_OK &&
		    (rc = rep_open(&s, e)) == SAT_OK)
			rc = scan(p, &s, i, e);
		rep_close(&s);
	}
	return rc;
}

void
rep_adopt_groups(rep_pass *p, const rep_pass *other)
{
	for (size_t i = 0; i < sat_tally_rows(other->tally); i++)
		(void)sat_tally_group(p->tally,
		    sat_tally_row_at(other->tally, i).dims);
}

/* By the columns, from the left. */
static int
by_columns(const void *pa, const void *pb)
{
	const rep_listed *a = pa, *b = pb;
	int c = 0;

	for (size_t i = 0; c == 0 && i < SAT_REPORT_LIST_MAX; i++)
		c = sat_value_cmp(a->values[i], b->values[i]);
	return c != 0 ? c : memcmp(a->id.b, b->id.b, sizeof a->id.b);
}

void
rep_finish(rep_pass *p)
{
	if (p->nlisted > 1)
		qsort(p->listed, p->nlisted, sizeof *p->listed, by_columns);
	sat_tally_finish(p->tally, p->def->sort, p->def->rank);
}

void
rep_pass_fini(rep_pass *p)
{
	sat_tally_free(p->tally);
	rep_people_free(p->people);
	free(p->listed);
	p->tally = NULL;
	p->people = NULL;
	p->listed = NULL;
}
