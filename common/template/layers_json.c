/*
 * layers_json.c - one document of two or three layers: laying over, merging,
 * difference, each a walk through the trees side by side. layers.c does the
 * same for whole sets of files.
 */
#include "common/template/layers_int.h"

#include <stdio.h>
#include <string.h>

/* ---- places --------------------------------------------------------------------- */

static size_t
enter(place *p, const char *name)
{
	size_t mark = strlen(p->at), n = mark;

	if (n > 0 && n + 1 < sizeof p->at)
		p->at[n++] = '.';
	for (; *name != '\0' && n + 1 < sizeof p->at; name++)
		p->at[n++] = *name;
	p->at[n] = '\0';
	return mark;
}

static void
leave(place *p, size_t mark)
{
	p->at[mark] = '\0';
}

/* ---- what a value is -------------------------------------------------------------- */

static const char *
key_of(const sat_json *el)
{
	return sat_json_type(el) == SAT_J_OBJ
	    ? sat_json_get_str(el, "key", NULL) : NULL;
}

static const sat_json *
element(const sat_json *arr, const char *key)
{
	const sat_json *el;
	const char *k;

	for (el = sat_json_first(arr); el != NULL; el = sat_json_next(el))
		if ((k = key_of(el)) != NULL && strcmp(k, key) == 0)
			return el;
	return NULL;
}

/* Objects that all have a key, each another one. Empty counts. */
static bool
is_keyed(const sat_json *n)
{
	if (sat_json_type(n) != SAT_J_ARR)
		return false;
	for (const sat_json *el = sat_json_first(n); el != NULL;
	     el = sat_json_next(el))
		if (key_of(el) == NULL || element(n, key_of(el)) != el)
			return false;
	return true;
}

static bool
has_text(const sat_json *arr, const char *text, const sat_json *upto)
{
	for (const sat_json *el = sat_json_first(arr); el != NULL && el != upto;
	     el = sat_json_next(el))
		if (strcmp(sat_json_str(el, ""), text) == 0)
			return true;
	return false;
}

/* Different texts. Empty counts. */
static bool
is_texts(const sat_json *n)
{
	if (sat_json_type(n) != SAT_J_ARR)
		return false;
	for (const sat_json *el = sat_json_first(n); el != NULL;
	     el = sat_json_next(el))
		if (sat_json_type(el) != SAT_J_STR ||
		    has_text(n, sat_json_str(el, ""), el))
			return false;
	return true;
}

static bool
same_members(const sat_json *a, const sat_json *b)
{
	const sat_json *m;

	if (sat_json_count(a) != sat_json_count(b))
		return false;
	for (m = sat_json_first(a); m != NULL; m = sat_json_next(m))
		if (sat_json_get(b, sat_json_key(m)) == NULL ||
		    !layers_same(m, sat_json_get(b, sat_json_key(m))))
			return false;
	return true;
}

static bool
same_elements(const sat_json *a, const sat_json *b)
{
	const sat_json *x = sat_json_first(a), *y = sat_json_first(b);

	for (; x != NULL && y != NULL;
	     x = sat_json_next(x), y = sat_json_next(y))
		if (!layers_same(x, y))
			return false;
	return x == NULL && y == NULL;
}

/* NULL = not there, which is another thing than null. */
bool
layers_same(const sat_json *a, const sat_json *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	if (sat_json_type(a) != sat_json_type(b))
		return false;
	switch (sat_json_type(a)) {
	case SAT_J_NULL:
		return true;
	case SAT_J_BOOL:
		return sat_json_bool(a, false) == sat_json_bool(b, false);
	case SAT_J_INT:
		return sat_json_int(a, 0) == sat_json_int(b, 0);
	case SAT_J_REAL:
		return !(sat_json_real(a, 0) < sat_json_real(b, 0)) &&
		    !(sat_json_real(a, 0) > sat_json_real(b, 0));
	case SAT_J_STR:
		return strcmp(sat_json_str(a, ""), sat_json_str(b, "")) == 0;
	case SAT_J_ARR:
		return same_elements(a, b);
	case SAT_J_OBJ:
		return same_members(a, b);
	}
	return false;
}

/* ---- laying over -------------------------------------------------------------------- */

static sat_json *
lay_members(laying *l, const sat_json *base, const sat_json *over)
{
	sat_json *out = sat_json_obj();
	const sat_json *m, *o;

	for (m = sat_json_first(base); m != NULL; m = sat_json_next(m)) {
		const char *name = sat_json_key(m);
		size_t mark = enter(&l->at, name);

		o = sat_json_get(over, name);
		if (o == NULL)
			sat_json_put(out, name, sat_json_dup(m));
		else if (sat_json_type(o) != SAT_J_NULL)
			sat_json_put(out, name, layers_lay(l, m, o));
		leave(&l->at, mark);
	}
	for (m = sat_json_first(over); m != NULL; m = sat_json_next(m))
		if (sat_json_get(base, sat_json_key(m)) == NULL &&
		    sat_json_type(m) != SAT_J_NULL)
			sat_json_put(out, sat_json_key(m), sat_json_dup(m));
	return out;
}

static bool
takes_away(const sat_json *el)
{
	return el != NULL && sat_json_get_bool(el, "remove", false);
}

static sat_json *
lay_elements(laying *l, const sat_json *base, const sat_json *over)
{
	sat_json *out = sat_json_arr();
	const sat_json *m, *o;

	for (m = sat_json_first(base); m != NULL; m = sat_json_next(m)) {
		size_t mark = enter(&l->at, key_of(m));

		o = element(over, key_of(m));
		if (o == NULL)
			sat_json_add(out, sat_json_dup(m));
		else if (!takes_away(o))
			sat_json_add(out, layers_lay(l, m, o));
		leave(&l->at, mark);
	}
	for (m = sat_json_first(over); m != NULL; m = sat_json_next(m)) {
		if (element(base, key_of(m)) != NULL)
			continue;
		if (!takes_away(m))
			sat_json_add(out, sat_json_dup(m));
		else if (l->rc == SAT_OK)
			l->rc = sat_fail_code(l->e, SAT_EINVALID,
			    "template.invalid", NULL, "%s: %s: nothing of the "
			    "key '%.40s' to take away", l->at.doc, l->at.at,
			    key_of(m));
	}
	return out;
}

sat_json *
layers_lay(laying *l, const sat_json *base, const sat_json *over)
{
	if (sat_json_type(base) == SAT_J_OBJ &&
	    sat_json_type(over) == SAT_J_OBJ)
		return lay_members(l, base, over);
	if (is_keyed(base) && is_keyed(over) && sat_json_count(over) > 0)
		return lay_elements(l, base, over);
	return sat_json_dup(over);
}

/* ---- merging ---------------------------------------------------------------------------- */

sat_json *
layers_dup(const sat_json *n)
{
	return n != NULL ? sat_json_dup(n) : NULL;
}

static sat_json *
conflict(merging *g, const sat_json *base, const sat_json *ours,
    const sat_json *theirs)
{
	sat_layer_conflict c = { g->at.doc, g->at.at, base, ours, theirs };
	sat_take take = g->decide(g->u, &c);

	if (take == SAT_TAKE_NEITHER && g->open++ == 0)
		(void)snprintf(g->first, sizeof g->first, "%.99s: %.90s",
		    g->at.doc, g->at.at);
	return layers_dup(take == SAT_TAKE_THEIRS ? theirs : ours);
}

static sat_json *
join_members(merging *g, const sat_json *base, const sat_json *ours,
    const sat_json *theirs)
{
	sat_json *out = sat_json_obj(), *v;
	const sat_json *side[2] = { ours, theirs }, *m;

	for (int i = 0; i < 2; i++)
		for (m = sat_json_first(side[i]); m != NULL;
		     m = sat_json_next(m)) {
			const char *name = sat_json_key(m);
			size_t mark;

			if (i == 1 && sat_json_get(ours, name) != NULL)
				continue;
			mark = enter(&g->at, name);
			v = layers_join(g, sat_json_get(base, name),
			    sat_json_get(ours, name),
			    sat_json_get(theirs, name));
			leave(&g->at, mark);
			if (v != NULL)
				sat_json_put(out, name, v);
		}
	return out;
}

/* Elements by key; by text where `texts`. */
static const sat_json *
find(const sat_json *arr, const sat_json *el, bool texts)
{
	if (!texts)
		return element(arr, key_of(el));
	for (const sat_json *x = sat_json_first(arr); x != NULL;
	     x = sat_json_next(x))
		if (strcmp(sat_json_str(x, ""), sat_json_str(el, "")) == 0)
			return x;
	return NULL;
}

static const char *
name_of(const sat_json *el, bool texts)
{
	return texts ? sat_json_str(el, "") : key_of(el);
}

static void
join_one(merging *g, sat_json *out, const sat_json *el, const sat_json *base,
    const sat_json *ours, const sat_json *theirs, bool texts)
{
	size_t mark = enter(&g->at, name_of(el, texts));
	sat_json *v = layers_join(g, find(base, el, texts), find(ours, el, texts),
	    find(theirs, el, texts));

	leave(&g->at, mark);
	if (v != NULL)
		sat_json_add(out, v);
}

/* New elements of theirs that stand behind `prev` there (NULL: in front). */
static void
join_new(merging *g, sat_json *out, const sat_json *prev, const sat_json *base,
    const sat_json *ours, const sat_json *theirs, bool texts)
{
	const sat_json *at = prev == NULL ? NULL : find(theirs, prev, texts);
	const sat_json *el;

	if (prev != NULL && at == NULL)
		return;
	for (el = at == NULL ? sat_json_first(theirs) : sat_json_next(at);
	     el != NULL && find(ours, el, texts) == NULL;
	     el = sat_json_next(el))
		join_one(g, out, el, base, ours, theirs, texts);
}

/*
 * The order is ours; what theirs has and ours has not comes behind the element
 * it stands behind there. An element both have and base has not, or one side
 * took away, is the business of layers_join().
 */
static sat_json *
join_elements(merging *g, const sat_json *base, const sat_json *ours,
    const sat_json *theirs, bool texts)
{
	sat_json *out = sat_json_arr();
	const sat_json *el;

	join_new(g, out, NULL, base, ours, theirs, texts);
	for (el = sat_json_first(ours); el != NULL; el = sat_json_next(el)) {
		join_one(g, out, el, base, ours, theirs, texts);
		join_new(g, out, el, base, ours, theirs, texts);
	}
	return out;
}

/* NULL: not there in the result. */
sat_json *
layers_join(merging *g, const sat_json *base, const sat_json *ours,
    const sat_json *theirs)
{
	if (layers_same(ours, theirs) || layers_same(base, theirs))
		return layers_dup(ours);
	if (layers_same(base, ours))
		return layers_dup(theirs);
	if (sat_json_type(ours) == SAT_J_OBJ &&
	    sat_json_type(theirs) == SAT_J_OBJ)
		return join_members(g, base, ours, theirs);
	if (ours != NULL && theirs != NULL && (base == NULL || is_keyed(base)) &&
	    is_keyed(ours) && is_keyed(theirs))
		return join_elements(g, base, ours, theirs, false);
	if (ours != NULL && theirs != NULL && (base == NULL || is_texts(base)) &&
	    is_texts(ours) && is_texts(theirs))
		return join_elements(g, base, ours, theirs, true);
	return conflict(g, base, ours, theirs);
}

/* ---- difference -------------------------------------------------------------------------- */

static void
differ_at(diffing *d, const char *name, const sat_json *a, const sat_json *b)
{
	size_t mark = enter(&d->at, name);

	layers_differ(d, a, b);
	leave(&d->at, mark);
}

void
layers_differ(diffing *d, const sat_json *a, const sat_json *b)
{
	bool obj = sat_json_type(a) == SAT_J_OBJ && sat_json_type(b) == SAT_J_OBJ;
	bool keyed = a != NULL && b != NULL && is_keyed(a) && is_keyed(b);
	sat_layer_conflict c = { d->at.doc, d->at.at, NULL, a, b };
	const sat_json *m;

	if (d->stop || layers_same(a, b))
		return;
	if (!obj && !keyed) {
		d->stop = !d->cb(d->u, &c);
		return;
	}
	for (m = sat_json_first(a); m != NULL; m = sat_json_next(m))
		differ_at(d, obj ? sat_json_key(m) : key_of(m), m,
		    obj ? sat_json_get(b, sat_json_key(m))
		        : element(b, key_of(m)));
	for (m = sat_json_first(b); m != NULL; m = sat_json_next(m)) {
		const char *name = obj ? sat_json_key(m) : key_of(m);

		if ((obj ? sat_json_get(a, name) : element(a, name)) == NULL)
			differ_at(d, name, NULL, m);
	}
}
