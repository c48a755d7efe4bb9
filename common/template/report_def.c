/*
 * reports/<key>.json -> sat_report_def: every field, option and role is looked
 * up here, so that the executor cannot meet an unknown name at month end.
 * The format: docs/templates.md, "Reports".
 */
#include "common/template/report_def.h"
#include "common/template/template_int.h"

#include <stdio.h>
#include <string.h>

typedef struct bind {
	walk w;
	sat_arena *a;
	const sat_kind *kind; /* whose fields paths start from */
	bool nested;          /* inside "has": no further "has" */
} bind;

/* ---- paths ----------------------------------------------------------------- */

static const sat_field *
field_of(bind *b, const sat_kind *k, const char *key, size_t n)
{
	char text[TEMPLATE_KEY_MAX + 1];
	const sat_field *f = NULL;

	if (n <= TEMPLATE_KEY_MAX) {
		memcpy(text, key, n);
		text[n] = '\0';
		f = sat_kind_field(k, text);
	}
	if (f == NULL)
		sat_walk_fault(&b->w, "%s has no field '%.*s'", k->key,
		    n > 40 ? 40 : (int)n, key);
	return f;
}

static sat_report_path
load_path(bind *b, const char *text)
{
	sat_report_path p = { NULL, NULL, false };
	const char *dot = text != NULL ? strchr(text, '.') : NULL;
	const sat_kind *to;

	if (text == NULL || b->w.rc != SAT_OK)
		return p;
	if (dot == NULL) {
		p.field = field_of(b, b->kind, text, strlen(text));
		return p;
	}
	p.via = field_of(b, b->kind, text, (size_t)(dot - text));
	if (p.via == NULL)
		return p;
	if (p.via->type == SAT_F_USER && strcmp(dot + 1, "team") == 0) {
		p.team = true;
	} else if (p.via->type == SAT_F_REF) {
		to = sat_template_kind(b->w.t, p.via->ref);
		p.field = field_of(b, to, dot + 1, strlen(dot + 1));
	} else {
		sat_walk_fault(&b->w, "'%.60s': only REF.field and USER.team",
		    text);
	}
	return p;
}

/* ---- conditions ------------------------------------------------------------ */

static void
load_value(bind *b, const sat_field *f, const sat_json *n, sat_value *v)
{
	const char *s = sat_json_str(n, NULL);

	*v = sat_v_null();
	if (f == NULL) { /* a team's key */
		if (s == NULL)
			sat_walk_fault(&b->w, "a team is a text");
		else
			*v = sat_v_text(sat_span_str(s));
	} else if (f->type == SAT_F_BOOL) {
		if (sat_json_type(n) != SAT_J_BOOL)
			sat_walk_fault(&b->w, "%s is true or false", f->key);
		*v = sat_v_int(sat_json_bool(n, false));
	} else if (f->type == SAT_F_INT || f->type == SAT_F_MONEY) {
		if (sat_json_type(n) != SAT_J_INT)
			sat_walk_fault(&b->w, "%s is an integer", f->key);
		*v = sat_v_int(sat_json_int(n, 0));
	} else if (s == NULL || f->type == SAT_F_DATE || f->type == SAT_F_TIME ||
	    f->type == SAT_F_REF || f->type == SAT_F_TAGS) {
		sat_walk_fault(&b->w, "%s cannot be compared with values", f->key);
	} else {
		if (f->dict != NULL &&
		    sat_dict_option(f->dict, s, strlen(s)) == NULL)
			sat_walk_fault(&b->w, "%s has no option '%.40s'", f->key, s);
		*v = sat_v_text(sat_span_str(s));
	}
}

static void
load_values(bind *b, const sat_json *n, const char *key, sat_report_cond *c)
{
	const sat_json *list, *m;
	sat_value *values;
	size_t i = 0;

	list = sat_walk_array(&b->w, n, key, 256, &c->nvalues);
	if (b->w.rc == SAT_OK && c->nvalues == 0)
		sat_walk_fault(&b->w, "'%s' is empty", key);
	values = sat_arena_alloc(b->a, (c->nvalues + 1) * sizeof *values);
	for (m = sat_json_first(list); m != NULL && b->w.rc == SAT_OK;
	    m = sat_json_next(m))
		load_value(b, c->path.field, m, &values[i++]);
	c->values = values;
}

static const sat_report_cond *load_where(bind *b, const sat_json *n,
    size_t *count);

/* {"has":"opportunity","where":[...]}: the kind's parent must be this kind. */
static void
load_has(bind *b, const sat_json *n, sat_report_cond *c)
{
	const sat_kind *outer = b->kind;
	const char *key = sat_walk_text(&b->w, n, "has", true);

	sat_walk_members(&b->w, n, "has where");
	c->op = SAT_COND_HAS;
	if (b->w.rc != SAT_OK)
		return;
	c->has_kind = sat_template_kind(b->w.t, key);
	if (b->nested || c->has_kind == NULL || c->has_kind->parent == NULL ||
	    sat_template_kind(b->w.t, c->has_kind->parent->ref) != outer) {
		sat_walk_fault(&b->w, "'has' must name a kind below this one, and "
		    "cannot be nested");
		return;
	}
	c->has_ref = c->has_kind->parent;
	b->kind = c->has_kind;
	b->nested = true;
	c->has = load_where(b, n, &c->nhas);
	b->kind = outer;
	b->nested = false;
}

static bool
is_time(const sat_field *f)
{
	return f != NULL && (f->type == SAT_F_DATE || f->type == SAT_F_TIME);
}

static void
load_cond(bind *b, const sat_json *n, sat_report_cond *c)
{
	const char *before;

	if (sat_json_get(n, "has") != NULL) {
		load_has(b, n, c);
		return;
	}
	sat_walk_members(&b->w, n, "field in not_in set before");
	c->path = load_path(b, sat_walk_text(&b->w, n, "field", true));
	if (b->w.rc != SAT_OK)
		return;
	if (sat_json_count(n) != 2) {
		sat_walk_fault(&b->w, "one of in, not_in, set, before is needed");
	} else if (sat_json_get(n, "in") != NULL) {
		c->op = SAT_COND_IN;
		load_values(b, n, "in", c);
	} else if (sat_json_get(n, "not_in") != NULL) {
		c->op = SAT_COND_NOT_IN;
		load_values(b, n, "not_in", c);
	} else if (sat_json_get(n, "set") != NULL) {
		c->op = sat_walk_bool(&b->w, n, "set") ? SAT_COND_SET :
		    SAT_COND_UNSET;
	} else {
		before = sat_walk_text(&b->w, n, "before", true);
		c->op = SAT_COND_BEFORE;
		if (before != NULL && (strcmp(before, "as_of") != 0 ||
		    !is_time(c->path.field)))
			sat_walk_fault(&b->w, "'before' knows \"as_of\" of a time");
	}
}

static const sat_report_cond *
load_where(bind *b, const sat_json *n, size_t *count)
{
	const sat_json *list, *m;
	sat_report_cond *conds;
	size_t i = 0, mark;

	list = sat_walk_array(&b->w, n, "where", SAT_REPORT_CONDS_MAX, count);
	conds = sat_arena_alloc(b->a, (*count + 1) * sizeof *conds);
	memset(conds, 0, (*count + 1) * sizeof *conds);
	for (m = sat_json_first(list); m != NULL && b->w.rc == SAT_OK;
	    m = sat_json_next(m)) {
		mark = sat_walk_enter(&b->w, "where", i);
		load_cond(b, m, &conds[i++]);
		sat_walk_leave(&b->w, mark);
	}
	return conds;
}

/* ---- measures -------------------------------------------------------------- */

static bool
is_number(const sat_field *f)
{
	return f != NULL && (f->type == SAT_F_INT || f->type == SAT_F_MONEY);
}

static void
load_term(bind *b, const sat_json *n, sat_report_term *t)
{
	const char *period = sat_walk_text(&b->w, n, "period", false);
	const char *sum = sat_walk_text(&b->w, n, "sum", false);

	t->where = load_where(b, n, &t->nwhere);
	if (b->w.rc != SAT_OK)
		return;
	if (period != NULL) {
		t->period = field_of(b, b->kind, period, strlen(period));
		if (b->w.rc == SAT_OK && !is_time(t->period))
			sat_walk_fault(&b->w, "'period' must name a time field");
	}
	if (sum != NULL) {
		t->sum = field_of(b, b->kind, sum, strlen(sum));
		if (b->w.rc == SAT_OK && !is_number(t->sum))
			sat_walk_fault(&b->w, "'sum' must name a number field");
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
		sat_walk_members(&b->w, m, "where period sum");
		load_term(b, m, &terms[i++]);
		sat_walk_leave(&b->w, mark);
	}
	return terms;
}

static void
load_ratio(bind *b, const sat_json *n, sat_report_measure *m)
{
	const char *unit = sat_walk_text(&b->w, n, "unit", false);

	sat_walk_members(&b->w, n, "key label agg num den unit note");
	m->agg = SAT_AGG_RATIO;
	m->num = load_terms(b, n, "num", &m->nnum);
	m->den = load_terms(b, n, "den", &m->nden);
	m->unit = SAT_UNIT_PERCENT;
	if (unit != NULL && strcmp(unit, "number") == 0)
		m->unit = SAT_UNIT_NUMBER;
	else if (unit != NULL && strcmp(unit, "percent") != 0)
		sat_walk_fault(&b->w, "'unit' is percent or number");
}

static void
load_plain(bind *b, const sat_json *n, sat_report_measure *m, const char *agg)
{
	sat_report_term *t = sat_arena_alloc(b->a, sizeof *t);

	memset(t, 0, sizeof *t);
	m->num = t;
	m->nnum = 1;
	m->unit = SAT_UNIT_COUNT;
	sat_walk_members(&b->w, n, "key label agg of where period sum note");
	load_term(b, n, t);
	if (strcmp(agg, "sum") == 0) {
		m->agg = SAT_AGG_SUM;
		if (t->sum == NULL)
			sat_walk_fault(&b->w, "'sum' is missing");
		else if (t->sum->type == SAT_F_MONEY)
			m->unit = SAT_UNIT_MONEY;
	} else if (strcmp(agg, "distinct") == 0) {
		m->agg = SAT_AGG_DISTINCT;
		m->of = load_path(b, sat_walk_text(&b->w, n, "of", true));
	} else if (strcmp(agg, "count") == 0) {
		m->agg = SAT_AGG_COUNT;
	} else {
		sat_walk_fault(&b->w, "'agg' is count, sum, distinct or ratio");
	}
	if (m->agg != SAT_AGG_SUM && t->sum != NULL)
		sat_walk_fault(&b->w, "'sum' goes with agg sum");
	if (m->agg != SAT_AGG_DISTINCT && sat_json_get(n, "of") != NULL)
		sat_walk_fault(&b->w, "'of' goes with agg distinct");
}

static void
load_measures(bind *b, const sat_json *root, sat_report_def *def)
{
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
		const char *agg = sat_walk_text(&b->w, n, "agg", true);

		m->key = sat_walk_text(&b->w, n, "key", true);
		sat_walk_label(&b->w, n, "label", &m->zh, &m->en);
		if (m->key != NULL && !sat_key_ok(m->key))
			sat_walk_fault(&b->w, "'key' is not lower case");
		for (size_t i = 0; m->key != NULL && i < def->nmeasures; i++)
			if (strcmp(def->measures[i].key, m->key) == 0)
				sat_walk_fault(&b->w, "key used twice");
		if (b->w.rc == SAT_OK && strcmp(agg, "ratio") == 0)
			load_ratio(b, n, m);
		else if (b->w.rc == SAT_OK)
			load_plain(b, n, m, agg);
		def->nmeasures++;
		sat_walk_leave(&b->w, mark);
	}
}

/* ---- dimensions ------------------------------------------------------------ */

static void
load_dim(bind *b, const sat_json *n, sat_report_dim *d)
{
	const char *other = sat_walk_text(&b->w, n, "else", false);

	sat_walk_members(&b->w, n, "field else label top as_of note");
	d->key = sat_walk_text(&b->w, n, "field", true);
	d->path = load_path(b, d->key);
	d->top = sat_walk_bool(&b->w, n, "top");
	d->as_of = sat_walk_bool(&b->w, n, "as_of");
	d->has_other = other != NULL;
	d->other = load_path(b, other);
	if (b->w.rc != SAT_OK)
		return;
	if (d->path.team) {
		d->zh = "团队";
		d->en = "Team";
	} else {
		d->zh = d->path.field->zh;
		d->en = d->path.field->en;
		d->dict = d->path.field->dict;
		if (d->path.field->type == SAT_F_TAGS)
			sat_walk_fault(&b->w, "a set cannot be a dimension");
	}
	if (sat_json_get(n, "label") != NULL)
		sat_walk_label(&b->w, n, "label", &d->zh, &d->en);
	if (d->top && d->dict == NULL)
		sat_walk_fault(&b->w, "'top' needs a field with options");
	if (d->as_of && (b->kind->stage == NULL ||
	    d->path.field != b->kind->stage || d->path.via != NULL))
		sat_walk_fault(&b->w, "'as_of' is for the kind's own stage");
}

static void
load_dims(bind *b, const sat_json *root, sat_report_def *def)
{
	const sat_json *list, *n;
	size_t count;

	list = sat_walk_array(&b->w, root, "dims", SAT_REPORT_DIMS_MAX, &count);
	for (n = sat_json_first(list); n != NULL && b->w.rc == SAT_OK;
	    n = sat_json_next(n)) {
		size_t mark = sat_walk_enter(&b->w, "dims", def->ndims);

		load_dim(b, n, &def->dims[def->ndims++]);
		sat_walk_leave(&b->w, mark);
	}
}

/* ---- the document ------------------------------------------------------------ */

static void
load_order(bind *b, const sat_json *root, sat_report_def *def)
{
	const char *sort = sat_walk_text(&b->w, root, "sort", false);
	const char *empty = sat_walk_text(&b->w, root, "empty", false);

	def->sort = -1;
	for (size_t i = 0; sort != NULL && i < def->nmeasures; i++)
		if (strcmp(def->measures[i].key, sort) == 0)
			def->sort = (int)i;
	if (sort != NULL && def->sort < 0)
		sat_walk_fault(&b->w, "'sort' names no measure");
	def->rank = sat_walk_bool(&b->w, root, "rank");
	if (def->rank && def->sort < 0)
		sat_walk_fault(&b->w, "'rank' needs 'sort'");
	if (empty != NULL && strcmp(empty, "drop") != 0 &&
	    strcmp(empty, "keep") != 0)
		sat_walk_fault(&b->w, "'empty' is keep or drop");
	def->drop_empty = empty != NULL && strcmp(empty, "drop") == 0;
	def->roles = sat_walk_texts(&b->w, root, "roles", b->a, &def->nroles);
}

static void
load_def(bind *b, const char *key, sat_report_def *def)
{
	const sat_json *root = sat_template_doc(b->w.t, b->w.path);
	const char *kind;

	sat_walk_members(&b->w, root, "key title kind where measures dims sort rank "
	    "empty roles note");
	def->key = sat_walk_text(&b->w, root, "key", true);
	sat_walk_label(&b->w, root, "title", &def->zh, &def->en);
	kind = sat_walk_text(&b->w, root, "kind", true);
	if (b->w.rc != SAT_OK)
		return;
	def->kind = b->kind = sat_template_kind(b->w.t, kind);
	if (strcmp(def->key, key) != 0)
		sat_walk_fault(&b->w, "'key' must be the file's name");
	if (def->kind == NULL)
		sat_walk_fault(&b->w, "unknown kind '%.40s'", kind);
	if (b->w.rc != SAT_OK)
		return;
	def->where = load_where(b, root, &def->nwhere);
	load_measures(b, root, def);
	load_dims(b, root, def);
	if (b->w.rc == SAT_OK)
		load_order(b, root, def);
}

sat_rc
sat_report_def_load(const sat_template *t, const char *key,
    sat_report_def *def, sat_err *e)
{
	bind b = { .w = { .t = t, .e = e }, .a = &def->arena };
	char path[128];
	int n = snprintf(path, sizeof path, "reports/%s.json", key);

	memset(def, 0, sizeof *def);
	if (n < 0 || (size_t)n >= sizeof path ||
	    sat_template_doc(t, path) == NULL)
		return sat_fail(e, SAT_ENOTFOUND, "no such report");
	b.w.path = path;
	load_def(&b, key, def);
	if (b.w.rc != SAT_OK)
		sat_report_def_fini(def);
	return b.w.rc;
}

void
sat_report_def_fini(sat_report_def *def)
{
	sat_arena_fini(&def->arena);
	memset(def, 0, sizeof *def);
}

const char *
sat_report_key(const sat_template *t, size_t i)
{
	return i < t->nreports ? t->report_keys[i] : NULL;
}

sat_value
sat_report_top(const sat_dict *d, sat_value v)
{
	const sat_option *o;

	if (d == NULL || v.type != SAT_V_TEXT)
		return v;
	o = sat_dict_option(d, (const char *)v.s.p, v.s.n);
	while (o != NULL && o->parent != NULL) {
		v = sat_v_text(sat_span_str(o->parent));
		o = sat_dict_option(d, o->parent, strlen(o->parent));
	}
	return v;
}
