/* A tally, and the one it is compared with, as satchel/report/1. */
#include "client/crm/report_int.h"

#include "common/model/fraction.h"

#include <stdio.h>
#include <string.h>

#define HOUR_MS 3600000

/* ---- columns ---------------------------------------------------------------------- */

static const char *
unit_word(sat_report_unit u)
{
	static const char *const words[] = { "count", "money", "percent",
		"number", "hours", "days" };

	return words[u];
}

static sat_json *
put_column(sat_json *columns, const char *key, const char *title,
    const char *unit)
{
	sat_json *o = sat_json_add_obj(columns);

	sat_json_put_str(o, "key", key);
	sat_json_put_str(o, "title", title);
	sat_json_put_str(o, "unit", unit);
	return o;
}

static void
put_columns(sat_json *doc, const rep_pass *p)
{
	sat_json *columns = sat_json_put_arr(doc, "columns"), *o;

	if (p->def->rank)
		(void)put_column(columns, "rank", crm_word(p->c, "名次",
		    "Rank"), "rank");
	for (size_t i = 0; i < p->def->ndims; i++) {
		const sat_report_dim *d = &p->def->dims[i];

		(void)put_column(columns, d->key,
		    crm_word(p->c, d->zh, d->en), "key");
	}
	for (size_t i = 0; i < p->def->nmeasures; i++) {
		const sat_report_measure *m = &p->def->measures[i];

		if (m->hidden)
			continue;
		o = put_column(columns, m->key, crm_word(p->c, m->zh, m->en),
		    unit_word(m->unit));
		if (m->good != 0)
			sat_json_put_str(o, "good", m->good > 0 ? "up" : "down");
	}
}

/* ---- dimensions ------------------------------------------------------------------- */

static void
value_label(sat_buf *b, const rep_pass *p, sat_report_path path, sat_value v)
{
	const sat_team *team;

	if (v.type == SAT_V_NULL) {
		sat_buf_str(b, crm_word(p->c, "（无）", "(none)"));
	} else if (path.let != NULL) {
		sat_buf_fmt(b, "%lld", (long long)v.i);
	} else if (!path.team) {
		crm_label(b, p->c, p->who->t, path.field, v);
	} else {
		team = sat_registry_team(p->who->reg, sat_arena_str(p->a,
		    v.s.p, v.s.n));
		if (team != NULL)
			sat_buf_str(b, team->name);
		else
			sat_buf_add(b, v.s.p, v.s.n);
	}
}

/* A value: its stable key and what a person reads. */
static void
put_value(sat_json *row, const rep_pass *p, sat_report_path path, sat_value v)
{
	sat_json *o = sat_json_add_obj(row);
	sat_buf b = { 0 };

	if (v.type == SAT_V_NULL)
		sat_json_put_null(o, "key");
	else if (path.team)
		sat_json_put_strn(o, "key", v.s);
	else if (path.let != NULL)
		sat_json_put_int(o, "key", v.i);
	else
		crm_json_put(o, "key", p->c, p->who->t, path.field, v);
	value_label(&b, p, path, v);
	sat_json_put_strn(o, "label", sat_buf_span(&b));
	sat_buf_fini(&b);
}

/* ---- measures ----------------------------------------------------------------------- */

/* A fraction in its unit, two decimals. */
static const char *
fraction_text(char text[32], const sat_report_measure *m, int64_t n,
    int64_t den)
{
	int64_t per = m->unit == SAT_UNIT_HOURS ? HOUR_MS :
	    m->unit == SAT_UNIT_MONEY ? 100 : 1;

	if (den == 0 || __builtin_mul_overflow(den, per, &den))
		return NULL;
	sat_ratio_text(text, n, den, m->unit == SAT_UNIT_PERCENT);
	return text;
}

/* What is divided: the text as it is printed, and what it was made of. */
static void
put_measure(sat_json *row, const sat_report_measure *m, int64_t n, int64_t den)
{
	char text[32];
	sat_json *o;

	if (!sat_agg_divides(m->agg)) {
		sat_json_add_int(row, n);
		return;
	}
	o = sat_json_add_obj(row);
	sat_json_put_str(o, "text", fraction_text(text, m, n, den));
	sat_json_put_int(o, "num", n);
	sat_json_put_int(o, "den", den);
}

static void
put_measures(sat_json *row, const rep_pass *p, const sat_tally_row *t)
{
	for (size_t m = 0; m < p->def->nmeasures; m++)
		if (!p->def->measures[m].hidden)
			put_measure(row, &p->def->measures[m], t->n[m],
			    t->den[m]);
}

/* ---- then and now --------------------------------------------------------------------- */

static sat_fraction
fraction_of(const sat_report_measure *m, const sat_tally_row *t, size_t i)
{
	if (t == NULL)
		return sat_agg_divides(m->agg) ? sat_fraction_none() :
		    sat_fraction_of(0, 1);
	return sat_fraction_of(t->n[i], sat_agg_divides(m->agg) ? t->den[i] :
	    1);
}

static const char *
difference_text(char text[32], const sat_report_measure *m, sat_fraction d)
{
	int64_t n, den;

	sat_fraction_out(&n, &den, d);
	if (sat_agg_divides(m->agg) || den == 0)
		return fraction_text(text, m, n, den);
	if (m->unit == SAT_UNIT_MONEY)
		sat_money_text(text, n);
	else
		(void)snprintf(text, 32, "%lld", (long long)n);
	return text;
}

/* {"before", "absolute", "relative", "good"}; relative in percent of before. */
static void
put_change(sat_json *row, const sat_report_measure *m, size_t i,
    const sat_tally_row *now, const sat_tally_row *was)
{
	sat_json *o = sat_json_add_obj(row), *b = sat_json_arr();
	sat_fraction x = fraction_of(m, now, i), y = fraction_of(m, was, i);
	sat_fraction d = sat_fraction_do('-', x, y), rel;
	int64_t n, den;
	char text[32];

	put_measure(b, m, was != NULL ? was->n[i] : 0,
	    was != NULL ? was->den[i] : 0);
	sat_json_put(o, "before", sat_json_dup(sat_json_first(b)));
	sat_json_free(b);
	sat_json_put_str(o, "absolute", difference_text(text, m, d));
	rel = sat_fraction_do('/', d, sat_fraction_do('>', y,
	    sat_fraction_do('-', sat_fraction_of(0, 1), y))); /* |before| */
	sat_fraction_out(&n, &den, rel);
	if (den != 0)
		sat_ratio_text(text, n, den, true);
	sat_json_put_str(o, "relative", den != 0 ? text : NULL);
	if (m->good == 0 || d.den == 0 || d.num == 0)
		sat_json_put_null(o, "good");
	else
		sat_json_put_bool(o, "good", (d.num > 0) == (m->good > 0));
}

static void
put_changes(sat_json *row, const rep_pass *p, const sat_tally_row *now,
    const sat_tally_row *was)
{
	for (size_t m = 0; m < p->def->nmeasures; m++)
		if (!p->def->measures[m].hidden)
			put_change(row, &p->def->measures[m], m, now, was);
}

static bool
row_of(sat_tally_row *out, const rep_pass *p, const sat_value *dims)
{
	for (size_t i = 0; i < sat_tally_rows(p->tally); i++) {
		bool same = true;

		*out = sat_tally_row_at(p->tally, i);
		for (size_t d = 0; d < p->def->ndims; d++)
			same = same && sat_value_eq(out->dims[d], dims[d]);
		if (same)
			return true;
	}
	return false;
}

/* ---- rows ------------------------------------------------------------------------------ */

static bool
is_empty(const rep_pass *p, const sat_tally_row *t)
{
	for (size_t m = 0; m < p->def->nmeasures; m++)
		if (t->n[m] != 0 || t->den[m] != 0)
			return false;
	return true;
}

static void
put_rows(sat_json *doc, const rep_pass *p, const rep_pass *before,
    sat_json *changes)
{
	sat_json *rows = sat_json_put_arr(doc, "rows"), *row;
	uint32_t last = 0, rank = 0, kept = 0;
	sat_tally_row was;
	bool found;

	for (size_t i = 0; i < sat_tally_rows(p->tally); i++) {
		sat_tally_row t = sat_tally_row_at(p->tally, i);

		found = before != NULL && row_of(&was, before, t.dims);
		if (p->def->drop_empty && is_empty(p, &t) &&
		    (!found || is_empty(before, &was)))
			continue;
		kept++;
		if (kept == 1 || t.rank != last)
			rank = kept; /* over the rows kept */
		last = t.rank;
		row = sat_json_add_arr(rows);
		if (p->def->rank)
			sat_json_add_int(row, rank);
		for (size_t d = 0; d < p->def->ndims; d++)
			put_value(row, p, p->def->dims[d].path, t.dims[d]);
		put_measures(row, p, &t);
		if (p->tap != NULL)
			p->tap->row(p->tap->u, t.group, row);
		if (before != NULL)
			put_changes(sat_json_add_arr(changes), p, &t,
			    found ? &was : NULL);
	}
}

static void
put_list(sat_json *doc, const rep_pass *p)
{
	sat_json *list, *columns, *rows, *o;
	char id[SAT_ID_TEXT];

	if (!p->def->has_list)
		return;
	list = sat_json_put_obj(doc, "list");
	columns = sat_json_put_arr(list, "columns");
	for (size_t i = 0; i < p->def->nlist; i++) {
		const sat_field *f = p->def->list[i].field;

		o = sat_json_add_obj(columns);
		sat_json_put_str(o, "key", p->def->list_keys[i]);
		sat_json_put_str(o, "title", f == NULL ? p->def->list_keys[i] :
		    crm_word(p->c, f->zh, f->en));
	}
	rows = sat_json_put_arr(list, "rows");
	for (size_t i = 0; i < p->nlisted; i++) {
		o = sat_json_add_obj(rows);
		sat_id_text(id, &p->listed[i].id);
		sat_json_put_str(o, "id", id);
		columns = sat_json_put_arr(o, "values");
		for (size_t k = 0; k < p->def->nlist; k++)
			put_value(columns, p, p->def->list[k],
			    p->listed[i].values[k]);
	}
}

/* ---- head ------------------------------------------------------------------------------- */

static void
put_time(sat_json *o, const char *key, int64_t ms)
{
	char text[32];

	sat_time_rfc3339(text, ms);
	sat_json_put_str(o, key, text);
}

static void
put_period(sat_json *doc, const sat_period *period)
{
	sat_json *p = sat_json_put_obj(doc, "period");

	sat_json_put_str(p, "label", period->label);
	if (period->all) {
		sat_json_put_null(p, "from");
		sat_json_put_null(p, "to");
		return;
	}
	put_time(p, "from", period->from_ms);
	put_time(p, "to", period->to_ms);
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

/* ---- the document ----------------------------------------------------------------- */

/* Rows of "changes" stand beside those of "rows". */
static void
put_comparison(sat_json *doc, rep_pass *now, rep_pass *before,
    const char *compared, sat_json *changes)
{
	sat_tally_row a = sat_tally_total(now->tally);
	sat_tally_row b = sat_tally_total(before->tally);
	sat_json *o = sat_json_put_obj(doc, "compare");

	sat_json_put_str(o, "with", compared);
	put_period(o, &before->when.period);
	put_time(o, "as_of", before->when.as_of_ms);
	sat_json_put(o, "rows", changes);
	put_changes(sat_json_put_arr(o, "totals"), now, &a, &b);
}

sat_rc
rep_print(sat_json **out, rep_pass *p, rep_pass *before, const char *compared,
    sat_err *e)
{
	char oid[SAT_TEMPLATE_OID_BYTES * 2 + 1];
	sat_json *doc = sat_json_obj(), *o, *changes;
	sat_tally_row total;
	sat_rc rc;

	sat_hex(oid, sat_replica_template_oid(p->c->replica),
	    SAT_TEMPLATE_OID_BYTES);
	sat_json_put_str(doc, "schema", "satchel/report/1");
	o = sat_json_put_obj(doc, "report");
	sat_json_put_str(o, "key", p->def->key);
	sat_json_put_str(o, "title", crm_word(p->c, p->def->zh, p->def->en));
	sat_json_put_str(doc, "template", oid);
	put_period(doc, &p->when.period);
	put_time(doc, "as_of", p->when.as_of_ms);
	put_tz(doc, sat_template_tz_min(p->who->t));
	put_columns(doc, p);
	changes = before != NULL ? sat_json_arr() : NULL;
	put_rows(doc, p, before, changes);
	/* Aligned with the measures only: a total has neither rank nor
	 * dimension. */
	total = sat_tally_total(p->tally);
	put_measures(sat_json_put_arr(doc, "totals"), p, &total);
	if (before != NULL)
		put_comparison(doc, p, before, compared, changes);
	put_list(doc, p);
	if ((rc = crm_coverage_put(doc, p->c, p->who, p->grant,
	    &p->when.period, p->when.as_of_ms, e)) != SAT_OK) {
		sat_json_free(doc);
		return rc;
	}
	*out = doc;
	return SAT_OK;
}
