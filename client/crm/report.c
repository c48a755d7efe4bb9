/*
 * A report definition over the rows of this device (docs/templates.md,
 * "Reports"). The result is a pure function of the records, the period, the
 * as-of instant, the time zone and the document: the same operations give the
 * same bytes.
 */
#include "client/crm/report_int.h"

#include <stdio.h>
#include <string.h>

#define PARAMS_MAX 16

typedef struct param { /* owner=..., team=...: any of the values */
	sat_report_path path;
	sat_value values[PARAMS_MAX];
	size_t n;
} param;

typedef struct run {
	sat_crm *c;
	crm_actor who;
	sat_arena a;
	sat_report_def def;
	sat_period period;
	int64_t as_of_ms;
	param params[PARAMS_MAX];
	size_t nparams;
	sat_tally *tally;
	const rep_tap *tap; /* NULL = nobody listens */
	rep_source src;
} run;

/* ---- filters ------------------------------------------------------------------- */

static sat_rc
read_param(sat_value *v, run *r, const sat_field *f, sat_span text, sat_err *e)
{
	const char *code;
	crm_work w;
	sat_rc rc;

	crm_work_begin(&w, r->c, &r->who, &r->a, r->def.kind, NULL);
	if ((rc = crm_read(v, &code, &w, f, text, e)) != SAT_OK)
		return rc;
	if (code != NULL || v->type == SAT_V_NULL)
		return sat_fail_code(e, SAT_EUSAGE, "report.param", NULL,
		    "no such value of %s", f->key);
	return SAT_OK;
}

static sat_rc
param_path(sat_report_path *p, const run *r, const char *key, sat_err *e)
{
	const sat_kind *k = r->def.kind;

	*p = (sat_report_path){ NULL, sat_kind_field(k, key), false };
	if (p->field != NULL)
		return SAT_OK;
	if (strcmp(key, "team") == 0 && k->owner != NULL) {
		*p = (sat_report_path){ k->owner, NULL, true };
		return SAT_OK;
	}
	return sat_fail_code(e, SAT_EUSAGE, "report.param", NULL,
	    "%s cannot be filtered by '%.40s'", k->key, key);
}

static sat_rc
add_param(run *r, const char *text, sat_err *e)
{
	const char *eq = strchr(text, '=');
	sat_report_path path;
	sat_span value;
	size_t i = 0;
	param *p;
	sat_rc rc;

	if (eq == NULL)
		return sat_fail_code(e, SAT_EUSAGE, "report.param", NULL,
		    "a filter is key=value");
	value = sat_span_of(eq + 1, strlen(eq + 1));
	if ((rc = param_path(&path, r, sat_arena_str(&r->a, text,
	    (size_t)(eq - text)), e)) != SAT_OK)
		return rc;
	while (i < r->nparams && (r->params[i].path.field != path.field ||
	    r->params[i].path.team != path.team))
		i++;
	p = &r->params[i];
	if (i == PARAMS_MAX || p->n == PARAMS_MAX)
		return sat_fail_code(e, SAT_EUSAGE, "report.param", NULL,
		    "too many filters");
	p->path = path;
	if (i == r->nparams)
		r->nparams++;
	if (path.team) {
		p->values[p->n++] = sat_v_text(value);
		return SAT_OK;
	}
	return read_param(&p->values[p->n++], r, path.field, value, e);
}

static bool
passes_params(const run *r)
{
	for (size_t i = 0; i < r->nparams; i++) {
		const param *p = &r->params[i];
		sat_value v = rep_path(&r->src, p->path);
		bool any = false;

		for (size_t k = 0; k < p->n; k++)
			any = any || sat_value_eq(v, p->values[k]);
		if (!any)
			return false;
	}
	return true;
}

/* ---- the scan --------------------------------------------------------------------- */

static sat_rc
need_terms(rep_source *s, const sat_report_term *t, size_t n, sat_err *e)
{
	sat_rc rc = SAT_OK;

	for (size_t i = 0; i < n && rc == SAT_OK; i++)
		if ((rc = rep_need_where(s, t[i].where, t[i].nwhere, e)) ==
		    SAT_OK &&
		    (rc = rep_need_field(s, t[i].period, e)) == SAT_OK)
			rc = rep_need_field(s, t[i].sum, e);
	return rc;
}

static sat_rc
need_stage(run *r, sat_err *e)
{
	static const char *const keys[] = { "created_at", "started_on",
		"won_at", "lost_at" };
	sat_rc rc = SAT_OK;

	for (size_t i = 0; i < 4 && rc == SAT_OK; i++)
		rc = rep_need_field(&r->src,
		    sat_kind_field(r->def.kind, keys[i]), e);
	return rc;
}

static sat_rc
need_all(run *r, sat_err *e)
{
	const sat_report_def *d = &r->def;
	sat_rc rc = rep_need_where(&r->src, d->where, d->nwhere, e);

	for (size_t i = 0; i < d->nmeasures && rc == SAT_OK; i++) {
		const sat_report_measure *m = &d->measures[i];

		if ((rc = need_terms(&r->src, m->num, m->nnum, e)) == SAT_OK &&
		    (rc = need_terms(&r->src, m->den, m->nden, e)) == SAT_OK &&
		    m->agg == SAT_AGG_DISTINCT)
			rc = rep_need(&r->src, m->of, e);
	}
	for (size_t i = 0; i < d->ndims && rc == SAT_OK; i++) {
		if ((rc = rep_need(&r->src, d->dims[i].path, e)) == SAT_OK &&
		    d->dims[i].has_other)
			rc = rep_need(&r->src, d->dims[i].other, e);
		if (rc == SAT_OK && d->dims[i].as_of)
			rc = need_stage(r, e);
	}
	for (size_t i = 0; i < r->nparams && rc == SAT_OK; i++)
		rc = rep_need(&r->src, r->params[i].path, e);
	return rc;
}

static bool
term_counts(const run *r, const sat_report_term *t)
{
	sat_value at;

	if (t->period != NULL) {
		at = rep_field(&r->src, t->period);
		if (at.type != SAT_V_INT || !sat_period_has(&r->period, at.i))
			return false;
	}
	return rep_holds(&r->src, t->where, t->nwhere);
}

static int64_t
term_adds(const run *r, const sat_report_term *t)
{
	sat_value v;

	if (!term_counts(r, t))
		return 0;
	if (t->sum == NULL)
		return 1;
	v = rep_field(&r->src, t->sum);
	return v.type == SAT_V_INT ? v.i : 0;
}

static int64_t
terms_add(const run *r, const sat_report_term *t, size_t n)
{
	int64_t sum = 0;

	for (size_t i = 0; i < n; i++)
		if (__builtin_add_overflow(sum, term_adds(r, &t[i]), &sum))
			return INT64_MAX;
	return sum;
}

/* True when the row adds to it. */
static bool
measure_one(run *r, size_t group, size_t i, sat_buf *key)
{
	const sat_report_measure *m = &r->def.measures[i];
	int64_t n, den = 0;
	sat_value v;

	if (m->agg == SAT_AGG_DISTINCT) {
		if (!term_counts(r, &m->num[0]) ||
		    (v = rep_path(&r->src, m->of)).type == SAT_V_NULL)
			return false;
		sat_buf_reset(key);
		sat_value_write(key, v);
		sat_tally_distinct(r->tally, group, i, sat_buf_span(key));
		return true;
	}
	n = terms_add(r, m->num, m->nnum);
	if (m->agg == SAT_AGG_RATIO) {
		den = terms_add(r, m->den, m->nden);
		sat_tally_ratio(r->tally, group, i, n, den);
	} else {
		sat_tally_add(r->tally, group, i, n);
	}
	return n != 0 || den != 0;
}

static void
measure(run *r, size_t group)
{
	sat_buf key = { 0 };
	uint32_t mask = 0;
	sat_id id;

	for (size_t i = 0; i < r->def.nmeasures; i++)
		if (measure_one(r, group, i, &key))
			mask |= (uint32_t)1 << i;
	sat_buf_fini(&key);
	if (r->tap == NULL || mask == 0)
		return;
	id = rep_id(&r->src);
	r->tap->record(r->tap->u, group, r->def.kind, &id, mask);
}

static sat_rc
dims_of(sat_value *dims, bool *counts, run *r, sat_err *e)
{
	sat_rc rc;

	*counts = true;
	for (size_t i = 0; i < r->def.ndims; i++) {
		const sat_report_dim *d = &r->def.dims[i];

		if (d->as_of) {
			rc = rep_stage_at(&dims[i], counts, &r->src,
			    r->period.to_ms, e);
			if (rc != SAT_OK || !*counts)
				return rc;
			continue;
		}
		dims[i] = rep_path(&r->src, d->path);
		if (dims[i].type == SAT_V_NULL && d->has_other)
			dims[i] = rep_path(&r->src, d->other);
		if (d->top)
			dims[i] = sat_report_top(d->dict, dims[i]);
	}
	return SAT_OK;
}

static sat_rc
scan(run *r, sat_err *e)
{
	sat_value dims[SAT_REPORT_DIMS_MAX] = { { 0 } };
	bool more, counts;
	sat_rc rc;

	if (r->def.ndims == 0)
		(void)sat_tally_group(r->tally, dims);
	while ((rc = rep_next(&r->src, &more, e)) == SAT_OK && more) {
		if (!rep_holds(&r->src, r->def.where, r->def.nwhere) ||
		    !passes_params(r))
			continue;
		if ((rc = dims_of(dims, &counts, r, e)) != SAT_OK)
			return rc;
		if (counts)
			measure(r, sat_tally_group(r->tally, dims));
	}
	return rc;
}

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

static sat_rc
tally(run *r, sat_grant grant, sat_err *e)
{
	sat_agg aggs[SAT_REPORT_MEASURES_MAX] = { 0 };
	sat_rc rc;

	for (size_t i = 0; i < r->def.nmeasures; i++)
		aggs[i] = r->def.measures[i].agg;
	r->tally = sat_tally_new(r->def.ndims, r->def.nmeasures, aggs);
	for (size_t i = 0; i < r->def.ndims; i++)
		if (r->def.dims[i].dict != NULL) {
			union {
				const sat_dict *in;
				void *out;
			} dict = { .in = r->def.dims[i].dict };

			sat_tally_order(r->tally, i, by_option, dict.out);
		}
	rep_begin(&r->src, r->c, &r->who, &r->a, r->def.kind, r->as_of_ms,
	    grant);
	if ((rc = need_all(r, e)) == SAT_OK &&
	    (rc = rep_open(&r->src, e)) == SAT_OK)
		rc = scan(r, e);
	rep_close(&r->src);
	if (rc == SAT_OK)
		sat_tally_finish(r->tally, r->def.sort, r->def.rank);
	return rc;
}

/* ---- printing ---------------------------------------------------------------------- */

static const char *
unit_word(sat_report_unit u)
{
	static const char *const words[] = { "count", "money", "percent",
		"number" };

	return words[u];
}

static void
put_column(sat_json *columns, const char *key, const char *title,
    const char *unit)
{
	sat_json *o = sat_json_add_obj(columns);

	sat_json_put_str(o, "key", key);
	sat_json_put_str(o, "title", title);
	sat_json_put_str(o, "unit", unit);
}

static void
put_columns(sat_json *doc, const run *r)
{
	sat_json *columns = sat_json_put_arr(doc, "columns");

	if (r->def.rank)
		put_column(columns, "rank", crm_word(r->c, "名次", "Rank"),
		    "rank");
	for (size_t i = 0; i < r->def.ndims; i++) {
		const sat_report_dim *d = &r->def.dims[i];

		put_column(columns, d->key, crm_word(r->c, d->zh, d->en), "key");
	}
	for (size_t i = 0; i < r->def.nmeasures; i++) {
		const sat_report_measure *m = &r->def.measures[i];

		put_column(columns, m->key, crm_word(r->c, m->zh, m->en),
		    unit_word(m->unit));
	}
}

static void
dim_label(sat_buf *b, const run *r, const sat_report_dim *d, sat_value v)
{
	const sat_team *team;

	if (v.type == SAT_V_NULL) {
		sat_buf_str(b, crm_word(r->c, "（无）", "(none)"));
	} else if (!d->path.team) {
		crm_label(b, r->c, r->who.t, d->path.field, v);
	} else {
		team = sat_registry_team(r->who.reg, sat_arena_str(
		    r->src.a, v.s.p, v.s.n));
		if (team != NULL)
			sat_buf_str(b, team->name);
		else
			sat_buf_add(b, v.s.p, v.s.n);
	}
}

/* A dimension's value: its stable key and what a person reads. */
static void
put_dim(sat_json *row, const run *r, const sat_report_dim *d, sat_value v)
{
	sat_json *o = sat_json_add_obj(row);
	sat_buf b = { 0 };

	if (v.type == SAT_V_NULL)
		sat_json_put_null(o, "key");
	else if (d->path.team)
		sat_json_put_strn(o, "key", v.s);
	else
		crm_json_put(o, "key", r->c, r->who.t, d->path.field, v);
	dim_label(&b, r, d, v);
	sat_json_put_strn(o, "label", sat_buf_span(&b));
	sat_buf_fini(&b);
}

/* Ratios: the text as it is printed, and what it was made of. */
static void
put_measure(sat_json *row, const sat_report_measure *m, int64_t n, int64_t den)
{
	char text[32];
	sat_json *o;

	if (m->agg != SAT_AGG_RATIO) {
		sat_json_add_int(row, n);
		return;
	}
	o = sat_json_add_obj(row);
	sat_ratio_text(text, n, den, m->unit == SAT_UNIT_PERCENT);
	sat_json_put_str(o, "text", den == 0 ? NULL : text);
	sat_json_put_int(o, "num", n);
	sat_json_put_int(o, "den", den);
}

static void
put_measures(sat_json *row, const run *r, const sat_tally_row *t)
{
	for (size_t m = 0; m < r->def.nmeasures; m++)
		put_measure(row, &r->def.measures[m], t->n[m], t->den[m]);
}

static bool
is_empty(const run *r, const sat_tally_row *t)
{
	for (size_t m = 0; m < r->def.nmeasures; m++)
		if (t->n[m] != 0 || t->den[m] != 0)
			return false;
	return true;
}

static void
put_rows(sat_json *doc, const run *r)
{
	sat_json *rows = sat_json_put_arr(doc, "rows"), *row;
	uint32_t before = 0, rank = 0, kept = 0;

	for (size_t i = 0; i < sat_tally_rows(r->tally); i++) {
		sat_tally_row t = sat_tally_row_at(r->tally, i);

		if (r->def.drop_empty && is_empty(r, &t))
			continue;
		kept++;
		if (kept == 1 || t.rank != before)
			rank = kept; /* over the rows kept */
		before = t.rank;
		row = sat_json_add_arr(rows);
		if (r->def.rank)
			sat_json_add_int(row, rank);
		for (size_t d = 0; d < r->def.ndims; d++)
			put_dim(row, r, &r->def.dims[d], t.dims[d]);
		put_measures(row, r, &t);
		if (r->tap != NULL)
			r->tap->row(r->tap->u, t.group, row);
	}
}

/* Aligned with the measures only: a total has neither rank nor dimension. */
static void
put_totals(sat_json *doc, const run *r)
{
	sat_tally_row t = sat_tally_total(r->tally);

	put_measures(sat_json_put_arr(doc, "totals"), r, &t);
}

static void
put_time(sat_json *o, const char *key, int64_t ms)
{
	char text[32];

	sat_time_rfc3339(text, ms);
	sat_json_put_str(o, key, text);
}

static void
put_period(sat_json *doc, const run *r)
{
	sat_json *p = sat_json_put_obj(doc, "period");

	sat_json_put_str(p, "label", r->period.label);
	if (r->period.all) {
		sat_json_put_null(p, "from");
		sat_json_put_null(p, "to");
		return;
	}
	put_time(p, "from", r->period.from_ms);
	put_time(p, "to", r->period.to_ms);
}

static void
put_tz(sat_json *doc, int tz_min)
{
	char text[16];
	int abs = tz_min < 0 ? -tz_min : tz_min;

	(void)snprintf(text, sizeof text, "%c%02d:%02d",
	    tz_min < 0 ? '-' : '+', abs / 60 % 100, abs % 60);
	sat_json_put_str(doc, "tz", text);
}

static sat_rc
print(sat_json **out, run *r, sat_err *e)
{
	char oid[SAT_TEMPLATE_OID_BYTES * 2 + 1];
	sat_json *doc = sat_json_obj(), *o;
	sat_rc rc;

	sat_hex(oid, sat_replica_template_oid(r->c->replica),
	    SAT_TEMPLATE_OID_BYTES);
	sat_json_put_str(doc, "schema", "satchel/report/1");
	o = sat_json_put_obj(doc, "report");
	sat_json_put_str(o, "key", r->def.key);
	sat_json_put_str(o, "title", crm_word(r->c, r->def.zh, r->def.en));
	sat_json_put_str(doc, "template", oid);
	put_period(doc, r);
	put_time(doc, "as_of", r->as_of_ms);
	put_tz(doc, sat_template_tz_min(r->who.t));
	put_columns(doc, r);
	put_rows(doc, r);
	put_totals(doc, r);
	if ((rc = crm_coverage_put(doc, r->c, &r->who, r->src.grant,
	    &r->period, r->as_of_ms, e)) != SAT_OK) {
		sat_json_free(doc);
		return rc;
	}
	*out = doc;
	return SAT_OK;
}

/* ---- the door ------------------------------------------------------------------------- */

static sat_rc
may_run(sat_grant *grant, const run *r, sat_err *e)
{
	const char *role = r->who.me->role;
	bool listed = r->def.nroles == 0;

	for (size_t i = 0; i < r->def.nroles; i++)
		listed = listed || strcmp(r->def.roles[i], role) == 0;
	*grant = sat_acl(r->who.t, role, "report");
	if (listed && *grant != SAT_GRANT_NO)
		return SAT_OK;
	return sat_fail_code(e, SAT_EDENIED, "permission.denied", NULL,
	    "role %.20s may not run the report %.40s", role, r->def.key);
}

static sat_rc
set_up(run *r, const sat_report_opts *o, sat_err *e)
{
	sat_rc rc = sat_period_parse(&r->period,
	    o->period != NULL ? o->period : "all",
	    sat_template_tz_min(r->who.t), e);

	if (rc != SAT_OK)
		return rc;
	r->as_of_ms = o->as_of_ms != 0 ? o->as_of_ms :
	    r->period.all ? r->who.now_ms : r->period.to_ms;
	for (size_t i = 0; i < o->nparams && rc == SAT_OK; i++)
		rc = add_param(r, o->params[i], e);
	return rc;
}

sat_rc
rep_run(sat_json **out, sat_crm *c, const char *key, const sat_report_opts *o,
    const rep_tap *tap, sat_err *e)
{
	static const sat_report_opts none;
	run r = { .c = c, .tap = tap };
	sat_grant grant;
	sat_rc rc;

	*out = NULL;
	if ((rc = crm_actor_get(&r.who, c, e)) != SAT_OK ||
	    (rc = sat_report_def_load(r.who.t, key, &r.def, e)) != SAT_OK)
		return rc;
	if ((rc = may_run(&grant, &r, e)) == SAT_OK &&
	    (rc = set_up(&r, o != NULL ? o : &none, e)) == SAT_OK &&
	    (rc = tally(&r, grant, e)) == SAT_OK)
		rc = print(out, &r, e);
	sat_tally_free(r.tally);
	sat_report_def_fini(&r.def);
	sat_arena_fini(&r.a);
	return rc;
}

sat_rc
sat_crm_report(sat_json **out, sat_crm *c, const char *key,
    const sat_report_opts *o, sat_err *e)
{
	return rep_run(out, c, key, o, NULL, e);
}
