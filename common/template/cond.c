/* Conditions of documents: read and asked. */
#include "common/template/cond.h"

#include <string.h>

#include "common/template/template_int.h"

static void
read_value(walk *w, const sat_field *f, const sat_json *m, sat_value *v)
{
	const char *s = sat_json_str(m, NULL);

	if (f->type == SAT_F_BOOL && sat_json_type(m) == SAT_J_BOOL) {
		*v = sat_v_int(sat_json_bool(m, false));
		return;
	}
	if (s == NULL || f->type == SAT_F_BOOL) {
		sat_walk_fault(w, "%s cannot have this value", f->key);
		return;
	}
	if (f->dict != NULL && sat_dict_option(f->dict, s, strlen(s)) == NULL)
		sat_walk_fault(w, "%s has no option '%.40s'", f->key, s);
	*v = sat_v_text(sat_span_str(s));
}

static void
read_values(walk *w, const sat_json *n, const char *key, sat_cond *c,
    sat_arena *a)
{
	const sat_json *list = sat_walk_array(w, n, key, 64, &c->n), *m;
	sat_value *v = sat_arena_alloc(a, (c->n + 1) * sizeof *v);
	size_t i = 0;

	if (w->rc == SAT_OK && c->n == 0)
		sat_walk_fault(w, "'%s' is empty", key);
	for (m = sat_json_first(list); m != NULL && w->rc == SAT_OK;
	    m = sat_json_next(m))
		read_value(w, c->field, m, &v[i++]);
	c->values = v;
}

static void
read_cond(walk *w, const sat_json *n, const sat_kind *k, sat_cond *c,
    sat_arena *a)
{
	const char *key;

	sat_walk_members(w, n, "field in not_in set");
	key = sat_walk_text(w, n, "field", true);
	c->field = w->rc == SAT_OK ? sat_kind_field(k, key) : NULL;
	if (w->rc == SAT_OK && c->field == NULL)
		sat_walk_fault(w, "%s has no field '%.40s'", k->key, key);
	if (w->rc != SAT_OK)
		return;
	if (sat_json_count(n) != 2) {
		sat_walk_fault(w, "one of in, not_in, set is needed");
	} else if (sat_json_get(n, "in") != NULL) {
		c->what = SAT_COND_ONE_OF;
		read_values(w, n, "in", c, a);
	} else if (sat_json_get(n, "not_in") != NULL) {
		c->what = SAT_COND_NONE_OF;
		read_values(w, n, "not_in", c, a);
	} else {
		c->what = SAT_COND_IS_SET;
		c->yes = sat_walk_bool(w, n, "set");
	}
}

sat_cond *
sat_walk_conds(walk *w, const sat_json *n, const char *key, const sat_kind *k,
    sat_arena *a, size_t *count)
{
	const sat_json *list = sat_walk_array(w, n, key, SAT_CONDS_MAX, count);
	const sat_json *m;
	sat_cond *c = sat_arena_alloc(a, (*count + 1) * sizeof *c);
	size_t i = 0, mark;

	memset(c, 0, (*count + 1) * sizeof *c);
	for (m = sat_json_first(list); m != NULL && w->rc == SAT_OK;
	    m = sat_json_next(m), i++) {
		mark = sat_walk_enter(w, key, i);
		read_cond(w, m, k, &c[i], a);
		sat_walk_leave(w, mark);
	}
	return c;
}

static bool
holds(const sat_cond *c, sat_value v)
{
	bool among = false;

	if (c->what == SAT_COND_IS_SET)
		return (v.type != SAT_V_NULL) == c->yes;
	for (size_t i = 0; i < c->n && !among; i++)
		among = sat_value_eq(v, c->values[i]);
	return among == (c->what == SAT_COND_ONE_OF);
}

bool
sat_conds_hold(const sat_cond *c, size_t n, sat_getter get, void *u)
{
	for (size_t i = 0; i < n; i++)
		if (!holds(&c[i], get(u, c[i].field)))
			return false;
	return true;
}
