/*
 * "let" of a report document: values computed for each record. The member that
 * names the operation says which of the others may be there.
 */
#include "common/template/report_def_int.h"

#include <string.h>

typedef struct form {
	const char *member;
	sat_let_op op;
	const char *members; /* besides "key" and "note" */
	void (*load)(bind *b, const sat_json *n, const char *member,
	    sat_report_let *l);
} form;

static void
load_bound(bind *b, const sat_json *n, const char *key, bool *has,
    sat_report_at *at)
{
	const sat_json *m = sat_json_get(n, key);
	size_t mark;

	if (m == NULL || b->w.rc != SAT_OK)
		return;
	mark = sat_walk_enter(&b->w, key, SIZE_MAX);
	*has = true;
	*at = sat_bind_at(b, m);
	sat_walk_leave(&b->w, mark);
}

/* ---- over other records -------------------------------------------------------- */

/* The field of the child that points here. */
static const sat_field *
back_reference(bind *b, const sat_json *n, const sat_kind *child,
    const char *target)
{
	const char *by = sat_walk_text(&b->w, n, "by", false);
	const sat_field *f = NULL;

	if (by != NULL)
		return sat_bind_field(b, child, by, strlen(by));
	if (child->parent != NULL && strcmp(child->parent->ref, target) == 0)
		return child->parent;
	for (size_t i = 0; i < child->nfields; i++)
		if (child->fields[i].type == SAT_F_REF &&
		    strcmp(child->fields[i].ref, target) == 0) {
			if (f != NULL)
				sat_walk_fault(&b->w, "'by' must say which field "
				    "of %s points here", child->key);
			f = &child->fields[i];
		}
	if (f == NULL)
		sat_walk_fault(&b->w, "%s does not point to %s", child->key,
		    target);
	return f;
}

static void
load_child_kind(bind *b, const sat_json *n, const char *member,
    sat_report_let *l)
{
	const char *text = sat_walk_text(&b->w, n, member, true), *dot, *at;

	if (b->w.rc != SAT_OK)
		return;
	dot = strchr(text, '.');
	l->child = sat_bind_kind(b, sat_arena_str(b->a, text,
	    dot != NULL ? (size_t)(dot - text) : strlen(text)));
	if (l->child == NULL)
		return;
	if (dot != NULL)
		l->of = sat_bind_field(b, l->child, dot + 1, strlen(dot + 1));
	else if (l->op != SAT_LET_COUNT)
		sat_walk_fault(&b->w, "'%s' needs KIND.FIELD", member);
	at = sat_walk_text(&b->w, n, "at", false);
	if (at != NULL)
		l->at = sat_bind_field(b, l->child, at, strlen(at));
	else if (l->of != NULL && (l->of->type == SAT_F_TIME ||
	    l->of->type == SAT_F_DATE))
		l->at = l->of;
	if (b->w.rc == SAT_OK && l->at != NULL && l->at->type != SAT_F_TIME &&
	    l->at->type != SAT_F_DATE)
		sat_walk_fault(&b->w, "'at' must name a time");
	if (b->w.rc == SAT_OK && l->of != NULL && l->of->type != SAT_F_TIME &&
	    l->of->type != SAT_F_DATE && l->of->type != SAT_F_INT &&
	    l->of->type != SAT_F_MONEY)
		sat_walk_fault(&b->w, "'%s' must name a time or a number",
		    member);
}

static void
load_child(bind *b, const sat_json *n, const char *member, sat_report_let *l)
{
	const sat_kind *outer = b->kind;
	const sat_report_source *source = b->source;
	const char *target = outer->key;
	bool nested = b->nested;

	load_child_kind(b, n, member, l);
	if (sat_json_get(n, "on") != NULL) {
		l->on = sat_bind_path(b, sat_walk_text(&b->w, n, "on", true));
		if (b->w.rc == SAT_OK && (l->on.field == NULL ||
		    l->on.field->type != SAT_F_REF))
			sat_walk_fault(&b->w, "'on' must name a reference");
		else if (b->w.rc == SAT_OK)
			target = l->on.field->ref;
	}
	if (b->w.rc == SAT_OK)
		l->by = back_reference(b, n, l->child, target);
	if (b->w.rc != SAT_OK)
		return;
	b->kind = l->child;
	b->source = NULL;
	b->nested = true;
	l->where = sat_bind_where(b, n, "where", &l->nwhere);
	b->kind = outer;
	b->source = source;
	b->nested = nested;
	load_bound(b, n, "since", &l->has_since, &l->since);
	load_bound(b, n, "until", &l->has_until, &l->until);
	if (b->w.rc == SAT_OK && l->at == NULL && (l->has_since ||
	    l->has_until || l->op == SAT_LET_GAP))
		sat_walk_fault(&b->w, "'at' must say which time counts");
	if (b->w.rc == SAT_OK && l->op == SAT_LET_GAP && (!l->has_since ||
	    !l->has_until))
		sat_walk_fault(&b->w, "a gap needs 'since' and 'until'");
}

/* ---- of the record --------------------------------------------------------------- */

static void
load_span(bind *b, const sat_json *n, const char *member, sat_report_let *l)
{
	const char *in = sat_walk_text(&b->w, n, "in", false);

	load_bound(b, n, member, &l->has_since, &l->since);
	load_bound(b, n, "to", &l->has_until, &l->until);
	if (b->w.rc == SAT_OK && !l->has_until)
		sat_walk_fault(&b->w, "'to' is missing");
	if (in == NULL || strcmp(in, "time") == 0)
		l->in = SAT_IN_TIME;
	else if (strcmp(in, "days") == 0)
		l->in = SAT_IN_DAYS;
	else if (strcmp(in, "business") == 0)
		l->in = SAT_IN_BUSINESS;
	else
		sat_walk_fault(&b->w, "'in' is time, days or business");
}

static const sat_json *
weights_of(bind *b, const sat_json *n, const char *key, sat_report_let *l,
    int64_t **weights)
{
	const sat_json *m = sat_json_get(n, key);

	if (sat_json_type(m) != SAT_J_OBJ || sat_json_count(m) == 0 ||
	    sat_json_count(m) > 64) {
		sat_walk_fault(&b->w, "'%s' holds 1 to 64 weights", key);
		return NULL;
	}
	*weights = sat_arena_alloc(b->a, sat_json_count(m) * sizeof **weights);
	l->weights = *weights;
	return sat_json_first(m);
}

static void
load_weigh(bind *b, const sat_json *n, const char *member, sat_report_let *l)
{
	int64_t *weights;
	sat_value *options;
	const sat_json *m;

	l->path = sat_bind_path(b, sat_walk_text(&b->w, n, member, true));
	l->otherwise = sat_json_get_int(n, "else", 0);
	if (b->w.rc == SAT_OK && (l->path.field == NULL ||
	    l->path.field->dict == NULL))
		sat_walk_fault(&b->w, "'weigh' needs a field with options");
	if (b->w.rc != SAT_OK ||
	    (m = weights_of(b, n, "weights", l, &weights)) == NULL)
		return;
	options = sat_arena_alloc(b->a, 64 * sizeof *options);
	for (; m != NULL && b->w.rc == SAT_OK; m = sat_json_next(m)) {
		const char *key = sat_json_key(m);

		if (sat_dict_option(l->path.field->dict, key, strlen(key)) ==
		    NULL)
			sat_walk_fault(&b->w, "%s has no option '%.40s'",
			    l->path.field->key, key);
		options[l->n] = sat_v_text(sat_span_str(key));
		weights[l->n++] = sat_bind_number(b, m);
	}
	l->options = options;
}

static void
load_filled(bind *b, const sat_json *n, const char *member, sat_report_let *l)
{
	const sat_field **fields;
	int64_t *weights;
	const sat_json *m = weights_of(b, n, member, l, &weights);

	fields = sat_arena_alloc(b->a, 64 * sizeof *fields);
	for (; m != NULL && b->w.rc == SAT_OK; m = sat_json_next(m)) {
		const char *key = sat_json_key(m);

		fields[l->n] = sat_bind_field(b, b->kind, key, strlen(key));
		weights[l->n++] = sat_bind_number(b, m);
	}
	l->fields = fields;
}

static void
load_unfilled(bind *b, const sat_json *n, const char *member, sat_report_let *l)
{
	sat_report_path p = sat_bind_path(b,
	    sat_walk_text(&b->w, n, member, true));

	l->rest = p.let;
	if (b->w.rc == SAT_OK && (p.let == NULL || p.let->op != SAT_LET_FILLED))
		sat_walk_fault(&b->w, "'unfilled' names a value with 'filled'");
}

static void
load_ats(bind *b, const sat_json *n, const char *member, sat_report_let *l)
{
	const sat_json *m = sat_walk_array(&b->w, n, member, 8, &l->n);
	sat_report_at *ats = sat_arena_alloc(b->a, (l->n + 1) * sizeof *ats);
	size_t i = 0;

	for (m = sat_json_first(m); m != NULL && b->w.rc == SAT_OK;
	    m = sat_json_next(m))
		ats[i++] = sat_bind_at(b, m);
	l->ats = ats;
}

static void
load_sla(bind *b, const sat_json *n, const char *member, sat_report_let *l)
{
	const char *what = sat_walk_text(&b->w, n, member, true);

	if (b->w.rc != SAT_OK)
		return;
	if (strcmp(what, "first_response") == 0)
		l->op = SAT_LET_SLA_FIRST;
	else if (strcmp(what, "follow") != 0)
		sat_walk_fault(&b->w, "'sla' is follow or first_response");
	if (strcmp(b->kind->key, "account") != 0)
		sat_walk_fault(&b->w, "only customers have an sla");
}

/* ---- of what was ------------------------------------------------------------------ */

static void
load_changed(bind *b, const sat_json *n, const char *member, sat_report_let *l)
{
	load_bound(b, n, member, &l->has_until, &l->until);
}

static void
load_time_field(bind *b, const sat_json *n, const char *member,
    sat_report_let *l)
{
	const char *key = sat_walk_text(&b->w, n, member, true);

	l->of = key != NULL ? sat_bind_field(b, b->kind, key, strlen(key)) :
	    NULL;
	if (b->w.rc == SAT_OK && l->of->type != SAT_F_TIME &&
	    l->of->type != SAT_F_DATE)
		sat_walk_fault(&b->w, "'%s' must name a time", member);
	load_bound(b, n, l->op == SAT_LET_HELD ? "at" : "since", &l->has_since,
	    &l->since);
	load_bound(b, n, "until", &l->has_until, &l->until);
	if (b->w.rc == SAT_OK && !l->has_since)
		sat_walk_fault(&b->w, "it needs an instant");
}

/* "all": every stage that is not the end, in the dictionary's order. */
static void
all_steps(bind *b, sat_report_let *l)
{
	const sat_dict *d = b->kind->stage->dict;
	sat_value *steps = sat_arena_alloc(b->a, (d->n + 1) * sizeof *steps);

	for (size_t i = 0; i < d->n; i++)
		if (!d->options[i].terminal && !d->options[i].retired)
			steps[l->n++] = sat_v_text(
			    sat_span_str(d->options[i].key));
	l->steps = steps;
}

static void
load_passed(bind *b, const sat_json *n, const char *member, sat_report_let *l)
{
	const sat_json *m;
	sat_value *steps;
	size_t i = 0;

	if (b->kind->stage == NULL) {
		sat_walk_fault(&b->w, "'passed' is for a kind with a stage");
		return;
	}
	if (strcmp(sat_json_get_str(n, member, ""), "all") == 0) {
		all_steps(b, l);
		return;
	}
	m = sat_walk_array(&b->w, n, member, 32, &l->n);
	steps = sat_arena_alloc(b->a, (l->n + 1) * sizeof *steps);
	if (l->n == 0)
		sat_walk_fault(&b->w, "'passed' is \"all\" or a list of stages");
	for (m = sat_json_first(m); m != NULL && b->w.rc == SAT_OK;
	    m = sat_json_next(m)) {
		const char *s = sat_json_str(m, "");

		if (sat_dict_option(b->kind->stage->dict, s, strlen(s)) == NULL)
			sat_walk_fault(&b->w, "no stage '%.40s'", s);
		steps[i++] = sat_v_text(sat_span_str(s));
	}
	l->steps = steps;
}

#define OVER "where at by on since until "

static const form forms[] = {
	{ "first", SAT_LET_FIRST, OVER "first", load_child },
	{ "last", SAT_LET_LAST, OVER "last", load_child },
	{ "count", SAT_LET_COUNT, OVER "count", load_child },
	{ "sum", SAT_LET_SUM, OVER "sum", load_child },
	{ "gap", SAT_LET_GAP, OVER "gap", load_child },
	{ "from", SAT_LET_SPAN, "from to in", load_span },
	{ "weigh", SAT_LET_WEIGH, "weigh weights else", load_weigh },
	{ "filled", SAT_LET_FILLED, "filled", load_filled },
	{ "unfilled", SAT_LET_UNFILLED, "unfilled", load_unfilled },
	{ "earliest", SAT_LET_EARLIEST, "earliest", load_ats },
	{ "latest", SAT_LET_LATEST, "latest", load_ats },
	{ "sla", SAT_LET_SLA_FOLLOW, "sla", load_sla },
	{ "changed_before", SAT_LET_CHANGED, "changed_before", load_changed },
	{ "held", SAT_LET_HELD, "held at", load_time_field },
	{ "ever", SAT_LET_EVER, "ever since until", load_time_field },
	{ "passed", SAT_LET_PASSED, "passed", load_passed },
};

static void
load_let(bind *b, const sat_json *n, sat_report_source *s)
{
	sat_report_let *l = &s->lets[s->nlets];
	char members[120] = "key note ";

	memset(l, 0, sizeof *l);
	l->index = s->nlets;
	l->key = sat_walk_text(&b->w, n, "key", true);
	if (l->key != NULL && !sat_key_ok(l->key))
		sat_walk_fault(&b->w, "'key' is not lower case");
	for (size_t i = 0; l->key != NULL && i < s->nlets; i++)
		if (strcmp(s->lets[i].key, l->key) == 0)
			sat_walk_fault(&b->w, "key used twice");
	for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
		if (b->w.rc != SAT_OK || sat_json_get(n, forms[i].member) == NULL)
			continue;
		l->op = forms[i].op;
		(void)strncat(members, forms[i].members,
		    sizeof members - sizeof "key note ");
		sat_walk_members(&b->w, n, members);
		if (b->w.rc == SAT_OK)
			forms[i].load(b, n, forms[i].member, l);
		s->nlets++;
		return;
	}
	sat_walk_fault(&b->w, "it says nothing to compute");
}

void
sat_bind_lets(bind *b, const sat_json *n, sat_report_source *s)
{
	size_t count, i = 0, mark;
	const sat_json *m = sat_walk_array(&b->w, n, "let", SAT_REPORT_LETS_MAX,
	    &count);

	s->lets = sat_arena_alloc(b->a, (count + 1) * sizeof *s->lets);
	for (m = sat_json_first(m); m != NULL && b->w.rc == SAT_OK;
	    m = sat_json_next(m)) {
		mark = sat_walk_enter(&b->w, "let", i++);
		load_let(b, m, s);
		sat_walk_leave(&b->w, mark);
	}
}
