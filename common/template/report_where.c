/* Paths, instants and conditions of a report document. */
#include "common/template/report_def_int.h"

#include <string.h>

#define HOUR_MS ((int64_t)3600000)

/* ---- paths ----------------------------------------------------------------- */

const sat_field *
sat_bind_field(bind *b, const sat_kind *k, const char *key, size_t n)
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

static const sat_report_let *
let_of(const bind *b, const char *key)
{
	for (size_t i = 0; b->source != NULL && i < b->source->nlets; i++)
		if (strcmp(b->source->lets[i].key, key) == 0)
			return &b->source->lets[i];
	return NULL;
}

sat_report_path
sat_bind_path(bind *b, const char *text)
{
	sat_report_path p = { NULL, NULL, false, NULL };
	const char *dot = text != NULL ? strchr(text, '.') : NULL;
	const sat_kind *to;

	if (text == NULL || b->w.rc != SAT_OK)
		return p;
	if (dot == NULL) {
		if ((p.let = let_of(b, text)) == NULL)
			p.field = sat_bind_field(b, b->kind, text,
			    strlen(text));
		return p;
	}
	p.via = sat_bind_field(b, b->kind, text, (size_t)(dot - text));
	if (p.via == NULL)
		return p;
	if (p.via->type == SAT_F_USER && strcmp(dot + 1, "team") == 0) {
		p.team = true;
	} else if (p.via->type == SAT_F_REF) {
		to = sat_template_kind(b->w.t, p.via->ref);
		p.field = sat_bind_field(b, to, dot + 1, strlen(dot + 1));
	} else {
		sat_walk_fault(&b->w, "'%.60s': only REF.field and USER.team",
		    text);
	}
	return p;
}

bool
sat_bind_is_time(sat_report_path p)
{
	if (p.let != NULL)
		return p.let->op == SAT_LET_FIRST || p.let->op == SAT_LET_LAST ||
		    p.let->op == SAT_LET_EARLIEST ||
		    p.let->op == SAT_LET_LATEST || p.let->op == SAT_LET_CHANGED;
	return p.field != NULL && (p.field->type == SAT_F_DATE ||
	    p.field->type == SAT_F_TIME);
}

bool
sat_bind_is_number(sat_report_path p)
{
	return p.let != NULL || (p.field != NULL &&
	    (p.field->type == SAT_F_INT || p.field->type == SAT_F_MONEY));
}

const sat_kind *
sat_bind_kind(bind *b, const char *key)
{
	const sat_kind *k = NULL;

	if (b->w.rc != SAT_OK)
		return NULL;
	k = key[0] == '@' ? sat_report_virtual(key, b->w.t, b->a) :
	    sat_template_kind(b->w.t, key);
	if (k == NULL)
		sat_walk_fault(&b->w, "unknown kind '%.40s'", key);
	return k;
}

/* ---- instants and numbers ---------------------------------------------------- */

int64_t
sat_bind_number(bind *b, const sat_json *n)
{
	const char *s = sat_json_str(n, NULL);
	const sat_json *c = s != NULL && b->constants != NULL ?
	    sat_json_get(b->constants, s) : n;

	if (sat_json_type(c) != SAT_J_INT) {
		sat_walk_fault(&b->w, "an integer or the name of a constant is "
		    "needed");
		return 0;
	}
	return sat_json_int(c, 0);
}

static sat_report_at
base_of(bind *b, const sat_json *n)
{
	sat_report_at at = { .base = SAT_BASE_NUMBER };
	const char *s = sat_json_str(n, NULL);

	if (sat_json_type(n) == SAT_J_INT) {
		at.n = sat_json_int(n, 0);
	} else if (s == NULL) {
		sat_walk_fault(&b->w, "an instant is a text, a number or an "
		    "object with 'at'");
	} else if (strcmp(s, "@start") == 0) {
		at.base = SAT_BASE_START;
	} else if (strcmp(s, "@end") == 0) {
		at.base = SAT_BASE_END;
	} else if (strcmp(s, "@as_of") == 0) {
		at.base = SAT_BASE_AS_OF;
	} else if (b->constants != NULL && sat_json_get(b->constants, s) !=
	    NULL) {
		at.n = sat_bind_number(b, n);
	} else {
		at.base = SAT_BASE_PATH;
		at.path = sat_bind_path(b, s);
	}
	return at;
}

static const sat_report_let *
shift_let(bind *b, const sat_json *n, const char *key)
{
	const char *s = sat_walk_text(&b->w, n, key, false);
	const sat_report_let *l = s != NULL ? let_of(b, s) : NULL;

	if (s != NULL && l == NULL)
		sat_walk_fault(&b->w, "'%s' names no value of 'let'", key);
	return l;
}

sat_report_at
sat_bind_at(bind *b, const sat_json *n)
{
	static const struct {
		const char *key;
		int64_t ms;
	} units[] = { { "days", 24 * HOUR_MS }, { "hours", HOUR_MS },
		{ "days_before", -24 * HOUR_MS }, { "hours_before", -HOUR_MS } };
	sat_report_at at;

	if (sat_json_type(n) != SAT_J_OBJ)
		return base_of(b, n);
	sat_walk_members(&b->w, n,
	    "at days hours days_before hours_before plus minus");
	at = base_of(b, sat_json_get(n, "at"));
	for (size_t i = 0; i < 4 && b->w.rc == SAT_OK; i++) {
		const sat_json *m = sat_json_get(n, units[i].key);
		int64_t by;

		if (m != NULL && (__builtin_mul_overflow(sat_bind_number(b, m),
		    units[i].ms, &by) ||
		    __builtin_add_overflow(at.shift, by, &at.shift)))
			sat_walk_fault(&b->w, "'%s' is too large", units[i].key);
	}
	at.plus = shift_let(b, n, "plus");
	at.minus = shift_let(b, n, "minus");
	return at;
}

/* ---- conditions ------------------------------------------------------------ */

static bool
is_list_of_ints(sat_report_path p)
{
	return p.let != NULL || (p.field != NULL &&
	    (p.field->type == SAT_F_INT || p.field->type == SAT_F_MONEY));
}

static void
load_value(bind *b, sat_report_path p, const sat_json *n, sat_value *v)
{
	const sat_field *f = p.field;
	const char *s = sat_json_str(n, NULL);

	*v = sat_v_null();
	if (is_list_of_ints(p)) {
		*v = sat_v_int(sat_bind_number(b, n));
	} else if (p.team) {
		if (s == NULL)
			sat_walk_fault(&b->w, "a team is a text");
		else
			*v = sat_v_text(sat_span_str(s));
	} else if (f->type == SAT_F_BOOL) {
		if (sat_json_type(n) != SAT_J_BOOL)
			sat_walk_fault(&b->w, "%s is true or false", f->key);
		*v = sat_v_int(sat_json_bool(n, false));
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
		load_value(b, c->path, m, &values[i++]);
	c->values = values;
}

/* {"has":"opportunity","where":[...]}: the kind's parent must be this kind. */
static void
load_has(bind *b, const sat_json *n, sat_report_cond *c)
{
	const sat_kind *outer = b->kind;
	const sat_report_source *source = b->source;
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
	b->source = NULL;
	b->nested = true;
	c->has = sat_bind_where(b, n, "where", &c->nhas);
	b->kind = outer;
	b->source = source;
	b->nested = false;
}

static bool
load_compare(bind *b, const sat_json *n, sat_report_cond *c)
{
	static const struct {
		const char *key;
		sat_cond_op op;
	} ops[] = { { "before", SAT_COND_LT }, { "since", SAT_COND_GE },
		{ "at_most", SAT_COND_LE }, { "at_least", SAT_COND_GE },
		{ "below", SAT_COND_LT } };
	const sat_json *m;

	for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++) {
		if ((m = sat_json_get(n, ops[i].key)) == NULL)
			continue;
		c->op = ops[i].op;
		c->at = sat_bind_at(b, m);
		if (b->w.rc == SAT_OK && (c->path.team ||
		    (!sat_bind_is_time(c->path) &&
		    !sat_bind_is_number(c->path))))
			sat_walk_fault(&b->w, "'%s' compares times and numbers",
			    ops[i].key);
		return true;
	}
	return false;
}

static void
load_cond(bind *b, const sat_json *n, sat_report_cond *c)
{
	if (sat_json_get(n, "has") != NULL) {
		load_has(b, n, c);
		return;
	}
	sat_walk_members(&b->w, n, "field in not_in set is before since at_most "
	    "at_least below");
	c->path = sat_bind_path(b, sat_walk_text(&b->w, n, "field", true));
	if (b->w.rc != SAT_OK)
		return;
	if (sat_json_count(n) != 2) {
		sat_walk_fault(&b->w, "one of in, not_in, set, is, before, since, "
		    "at_most, at_least, below is needed");
	} else if (sat_json_get(n, "in") != NULL) {
		c->op = SAT_COND_IN;
		load_values(b, n, "in", c);
	} else if (sat_json_get(n, "not_in") != NULL) {
		c->op = SAT_COND_NOT_IN;
		load_values(b, n, "not_in", c);
	} else if (sat_json_get(n, "set") != NULL) {
		c->op = sat_walk_bool(&b->w, n, "set") ? SAT_COND_SET :
		    SAT_COND_UNSET;
	} else if (sat_json_get(n, "is") != NULL) {
		c->op = SAT_COND_LABEL;
		if (strcmp(sat_json_get_str(n, "is", ""), "@period") != 0)
			sat_walk_fault(&b->w, "'is' knows \"@period\"");
	} else {
		(void)load_compare(b, n, c);
	}
}

const sat_report_cond *
sat_bind_where(bind *b, const sat_json *n, const char *key, size_t *count)
{
	const sat_json *list, *m;
	sat_report_cond *conds;
	size_t i = 0, mark;

	list = sat_walk_array(&b->w, n, key, SAT_REPORT_CONDS_MAX, count);
	conds = sat_arena_alloc(b->a, (*count + 1) * sizeof *conds);
	memset(conds, 0, (*count + 1) * sizeof *conds);
	for (m = sat_json_first(list); m != NULL && b->w.rc == SAT_OK;
	    m = sat_json_next(m)) {
		mark = sat_walk_enter(&b->w, key, i);
		load_cond(b, m, &conds[i++]);
		sat_walk_leave(&b->w, mark);
	}
	return conds;
}
