/* Terms, measures and formulas of a report document. */
#include "common/template/report_def_int.h"

#include <stdio.h>
#include <string.h>

#define FORMULA_DEPTH_MAX 8
#define FORMULA_ARGS_MAX 8

/* ---- terms ------------------------------------------------------------------ */

static size_t
source_of(bind *b, const sat_json *n)
{
	const char *key = sat_walk_text(&b->w, n, "source", false);

	for (size_t i = 1; key != NULL && i < b->def->nsources; i++)
		if (strcmp(b->def->sources[i].key, key) == 0)
			return i;
	if (key != NULL)
		sat_walk_fault(&b->w, "there is no source '%.40s'", key);
	return 0;
}

/* Paths of the term start from its source. */
static void
load_term(bind *b, const sat_json *n, sat_report_term *t)
{
	const char *period = sat_walk_text(&b->w, n, "period", false);
	const char *sum = sat_walk_text(&b->w, n, "sum", false);
	const sat_json *times = sat_json_get(n, "times");

	t->source = source_of(b, n);
	b->source = &b->def->sources[t->source];
	b->kind = b->source->kind;
	t->where = sat_bind_where(b, n, "where", &t->nwhere);
	t->times = times != NULL ? sat_bind_number(b, times) : 1;
	if (b->w.rc == SAT_OK && period != NULL) {
		t->has_period = true;
		t->period = sat_bind_path(b, period);
		if (b->w.rc == SAT_OK && !sat_bind_is_time(t->period))
			sat_walk_fault(&b->w, "'period' must name a time");
	}
	if (b->w.rc == SAT_OK && sum != NULL) {
		t->has_sum = true;
		t->sum = sat_bind_path(b, sum);
		if (b->w.rc == SAT_OK && !sat_bind_is_number(t->sum))
			sat_walk_fault(&b->w, "'sum' must name a number");
	}
}

static const sat_report_term *
load_terms(bind *b, const sat_json *n, const char *key, size_t *count)
{
	const sat_json *list, *m;
	sat_report_term *terms;
	size_t i = 0, mark;

	list = sat_walk_array(&b->w, n, key, SAT_REPORT_TERMS_MAX, count);
	terms = sat_arena_alloc(b->a, (*count + 1) * sizeof *terms);
	memset(terms, 0, (*count + 1) * sizeof *terms);
	if (*count == 0)
		sat_walk_fault(&b->w, "'%s' is missing or empty", key);
	for (m = sat_json_first(list); m != NULL && b->w.rc == SAT_OK;
	    m = sat_json_next(m)) {
		mark = sat_walk_enter(&b->w, key, i);
		sat_walk_members(&b->w, m, "where period sum source times");
		load_term(b, m, &terms[i++]);
		sat_walk_leave(&b->w, mark);
	}
	return terms;
}

/* ---- formulas ---------------------------------------------------------------- */

static bool
load_leaf(bind *b, const sat_json *n, sat_report_node *node)
{
	static const char *const days[] = { "@days", "@workdays", "@worked",
		"@years" };
	const char *s = sat_json_str(n, NULL);

	node->what = SAT_NODE_NUMBER;
	if (s == NULL || (b->constants != NULL &&
	    sat_json_get(b->constants, s) != NULL)) {
		node->n = sat_bind_number(b, n);
		return true;
	}
	for (size_t i = 0; i < 4; i++)
		if (strcmp(s, days[i]) == 0) {
			node->what = SAT_NODE_DAYS + i;
			return true;
		}
	node->what = SAT_NODE_MEASURE;
	for (size_t i = 0; i < b->def->nmeasures; i++)
		if (strcmp(b->def->measures[i].key, s) == 0) {
			node->measure = i;
			return true;
		}
	sat_walk_fault(&b->w, "'%.40s' is no measure before this one", s);
	return false;
}

static void
load_node(bind *b, const sat_json *n, sat_report_node *node, int depth)
{
	static const char *const words[] = { "+", "-", "*", "/", "min", "max" };
	const sat_json *m = sat_json_first(n);
	const char *op = sat_json_str(m, "");
	sat_report_node *args;

	memset(node, 0, sizeof *node);
	if (sat_json_type(n) != SAT_J_ARR) {
		(void)load_leaf(b, n, node);
		return;
	}
	node->what = SAT_NODE_DO;
	for (size_t i = 0; i < 6; i++)
		if (strcmp(op, words[i]) == 0)
			node->op = "+-*/<>"[i];
	if (node->op == '\0' || sat_json_count(n) < 3 || depth == 0 ||
	    sat_json_count(n) > FORMULA_ARGS_MAX + 1) {
		sat_walk_fault(&b->w, "a formula is [\"+ - * / min max\", two to "
		    "%d parts], at most %d deep", FORMULA_ARGS_MAX,
		    FORMULA_DEPTH_MAX);
		return;
	}
	args = sat_arena_alloc(b->a, sat_json_count(n) * sizeof *args);
	while ((m = sat_json_next(m)) != NULL && b->w.rc == SAT_OK)
		load_node(b, m, &args[node->nargs++], depth - 1);
	node->args = args;
}

/* ---- measures ---------------------------------------------------------------- */

static void
load_unit(bind *b, const sat_json *n, sat_report_measure *m)
{
	static const char *const units[] = { "count", "money", "percent",
		"number", "hours", "days" };
	const char *unit = sat_walk_text(&b->w, n, "unit", false);

	for (size_t i = 0; unit != NULL && i < 6; i++)
		if (strcmp(unit, units[i]) == 0 && (sat_agg_divides(m->agg) ?
		    i > 0 : i < 2)) {
			m->unit = (sat_report_unit)i;
			return;
		}
	if (unit != NULL)
		sat_walk_fault(&b->w, "'unit' is money, percent, number, hours or "
		    "days of what is divided, count or money of what is not");
}

static void
load_ratio(bind *b, const sat_json *n, sat_report_measure *m)
{
	sat_walk_members(&b->w, n,
	    "key label agg num den unit note hidden good");
	m->num = load_terms(b, n, "num", &m->nnum);
	m->den = load_terms(b, n, "den", &m->nden);
	m->unit = SAT_UNIT_PERCENT;
}

static void
load_formula(bind *b, const sat_json *n, sat_report_measure *m)
{
	sat_report_node *node = sat_arena_alloc(b->a, sizeof *node);

	sat_walk_members(&b->w, n, "key label agg formula unit note hidden good");
	load_node(b, sat_json_get(n, "formula"), node, FORMULA_DEPTH_MAX);
	m->formula = node;
	m->unit = SAT_UNIT_PERCENT;
}

static void
load_of(bind *b, const sat_json *n, sat_report_measure *m)
{
	m->of = sat_bind_path(b, sat_walk_text(&b->w, n, "of", true));
	if (b->w.rc == SAT_OK && m->agg != SAT_AGG_DISTINCT &&
	    !sat_bind_is_number(m->of))
		sat_walk_fault(&b->w, "'of' must name a number");
	if (m->agg == SAT_AGG_DISTINCT)
		return;
	m->unit = m->of.field != NULL && m->of.field->type == SAT_F_MONEY ?
	    SAT_UNIT_MONEY : SAT_UNIT_NUMBER;
}

static void
load_plain(bind *b, const sat_json *n, sat_report_measure *m)
{
	sat_report_term *t = sat_arena_alloc(b->a, sizeof *t);

	memset(t, 0, sizeof *t);
	m->num = t;
	m->nnum = 1;
	m->unit = SAT_UNIT_COUNT;
	sat_walk_members(&b->w, n, "key label agg of where period sum source "
	    "times unit note hidden good");
	load_term(b, n, t);
	if (b->w.rc != SAT_OK)
		return;
	if (m->agg == SAT_AGG_SUM && !t->has_sum)
		sat_walk_fault(&b->w, "'sum' is missing");
	else if (m->agg != SAT_AGG_SUM && t->has_sum)
		sat_walk_fault(&b->w, "'sum' goes with agg sum");
	else if (m->agg == SAT_AGG_SUM && t->sum.field != NULL &&
	    t->sum.field->type == SAT_F_MONEY)
		m->unit = SAT_UNIT_MONEY;
	if (m->agg == SAT_AGG_DISTINCT || m->agg == SAT_AGG_MEAN ||
	    m->agg == SAT_AGG_MEDIAN)
		load_of(b, n, m);
	else if (sat_json_get(n, "of") != NULL)
		sat_walk_fault(&b->w, "'of' goes with distinct, mean, median");
}

static void
load_agg(bind *b, const sat_json *n, sat_report_measure *m)
{
	static const char *const words[] = { "count", "sum", "distinct",
		"ratio", "mean", "median", "formula" };
	const char *agg = sat_walk_text(&b->w, n, "agg", true);
	const char *good = sat_walk_text(&b->w, n, "good", false);
	size_t i = 0;

	while (agg != NULL && i < 7 && strcmp(agg, words[i]) != 0)
		i++;
	if (agg != NULL && i == 7)
		sat_walk_fault(&b->w, "'agg' is count, sum, distinct, ratio, mean, "
		    "median or formula");
	m->agg = (sat_agg)i;
	m->hidden = sat_walk_bool(&b->w, n, "hidden");
	if (good != NULL && strcmp(good, "up") != 0 && strcmp(good, "down") != 0)
		sat_walk_fault(&b->w, "'good' is up or down");
	m->good = good == NULL ? 0 : good[0] == 'u' ? 1 : -1;
	if (b->w.rc != SAT_OK)
		return;
	if (m->agg == SAT_AGG_RATIO)
		load_ratio(b, n, m);
	else if (m->agg == SAT_AGG_FORMULA)
		load_formula(b, n, m);
	else
		load_plain(b, n, m);
	load_unit(b, n, m);
}

void
sat_bind_measures(bind *b, const sat_json *root)
{
	sat_report_def *def = b->def;
	const sat_json *list, *n;
	size_t count;

	list = sat_walk_array(&b->w, root, "measures", SAT_REPORT_MEASURES_MAX,
	    &count);
	if (count == 0)
		sat_walk_fault(&b->w, "'measures' is missing or empty");
	for (n = sat_json_first(list); n != NULL && b->w.rc == SAT_OK;
	    n = sat_json_next(n)) {
		size_t mark = sat_walk_enter(&b->w, "measures", def->nmeasures);
		sat_report_measure *m = &def->measures[def->nmeasures];

		m->key = sat_walk_text(&b->w, n, "key", true);
		sat_walk_label(&b->w, n, "label", &m->zh, &m->en);
		if (m->key != NULL && !sat_key_ok(m->key))
			sat_walk_fault(&b->w, "'key' is not lower case");
		for (size_t i = 0; m->key != NULL && i < def->nmeasures; i++)
			if (strcmp(def->measures[i].key, m->key) == 0)
				sat_walk_fault(&b->w, "key used twice");
		if (b->w.rc == SAT_OK)
			load_agg(b, n, m);
		def->nmeasures++;
		sat_walk_leave(&b->w, mark);
	}
}
