/*
 * Layers of a template: laying over, three-way merge, difference. All three
 * walk two or three JSON trees side by side.
 */
#include "common/template/layers.h"

#include "common/template/template_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- places --------------------------------------------------------------------- */

typedef struct place {
	const char *doc;
	char at[400];
} place;

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

static bool same(const sat_json *a, const sat_json *b);

static bool
same_members(const sat_json *a, const sat_json *b)
{
	const sat_json *m;

	if (sat_json_count(a) != sat_json_count(b))
		return false;
	for (m = sat_json_first(a); m != NULL; m = sat_json_next(m))
		if (sat_json_get(b, sat_json_key(m)) == NULL ||
		    !same(m, sat_json_get(b, sat_json_key(m))))
			return false;
	return true;
}

static bool
same_elements(const sat_json *a, const sat_json *b)
{
	const sat_json *x = sat_json_first(a), *y = sat_json_first(b);

	for (; x != NULL && y != NULL;
	     x = sat_json_next(x), y = sat_json_next(y))
		if (!same(x, y))
			return false;
	return x == NULL && y == NULL;
}

/* NULL = not there, which is another thing than null. */
static bool
same(const sat_json *a, const sat_json *b)
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

typedef struct laying {
	place at;
	sat_rc rc;
	sat_err *e;
} laying;

static sat_json *lay(laying *l, const sat_json *base, const sat_json *over);

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
			sat_json_put(out, name, lay(l, m, o));
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
			sat_json_add(out, lay(l, m, o));
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

static sat_json *
lay(laying *l, const sat_json *base, const sat_json *over)
{
	if (sat_json_type(base) == SAT_J_OBJ &&
	    sat_json_type(over) == SAT_J_OBJ)
		return lay_members(l, base, over);
	if (is_keyed(base) && is_keyed(over) && sat_json_count(over) > 0)
		return lay_elements(l, base, over);
	return sat_json_dup(over);
}

/* ---- merging ---------------------------------------------------------------------------- */

typedef struct merging {
	place at;
	sat_take (*decide)(void *u, const sat_layer_conflict *c);
	void *u;
	size_t open;
	char first[200]; /* place of the first one left open */
} merging;

static sat_json *join(merging *g, const sat_json *base, const sat_json *ours,
    const sat_json *theirs);

static sat_json *
dup(const sat_json *n)
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
	return dup(take == SAT_TAKE_THEIRS ? theirs : ours);
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
			v = join(g, sat_json_get(base, name),
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
	sat_json *v = join(g, find(base, el, texts), find(ours, el, texts),
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
 * took away, is the business of join().
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
static sat_json *
join(merging *g, const sat_json *base, const sat_json *ours,
    const sat_json *theirs)
{
	if (same(ours, theirs) || same(base, theirs))
		return dup(ours);
	if (same(base, ours))
		return dup(theirs);
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

typedef struct diffing {
	place at;
	bool (*cb)(void *u, const sat_layer_conflict *c);
	void *u;
	bool stop;
} diffing;

static void differ(diffing *d, const sat_json *a, const sat_json *b);

static void
differ_at(diffing *d, const char *name, const sat_json *a, const sat_json *b)
{
	size_t mark = enter(&d->at, name);

	differ(d, a, b);
	leave(&d->at, mark);
}

static void
differ(diffing *d, const sat_json *a, const sat_json *b)
{
	bool obj = sat_json_type(a) == SAT_J_OBJ && sat_json_type(b) == SAT_J_OBJ;
	bool keyed = a != NULL && b != NULL && is_keyed(a) && is_keyed(b);
	sat_layer_conflict c = { d->at.doc, d->at.at, NULL, a, b };
	const sat_json *m;

	if (d->stop || same(a, b))
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

/* ---- trees ----------------------------------------------------------------------------------- */

static const sat_template_file *
file_of(const sat_layer *l, const char *path)
{
	for (size_t i = 0; i < l->n; i++)
		if (strcmp(l->files[i].path, path) == 0)
			return &l->files[i];
	return NULL;
}

static int
by_path(const void *a, const void *b)
{
	return strcmp(((const sat_template_file *)a)->path,
	    ((const sat_template_file *)b)->path);
}

/* Every path of the layers once, sorted; the bytes are of the first that has
 * it. */
static size_t
paths_of(sat_template_file *out, const sat_layer *const *l, size_t nl)
{
	size_t n = 0, kept = 0;

	for (size_t i = 0; i < nl; i++)
		for (size_t k = 0; k < l[i]->n; k++)
			if (n < SAT_LAYER_FILES_MAX)
				out[n++] = l[i]->files[k];
	qsort(out, n, sizeof *out, by_path);
	for (size_t i = 0; i < n; i++)
		if (kept == 0 || strcmp(out[kept - 1].path, out[i].path) != 0)
			out[kept++] = out[i];
	return kept;
}

static bool
is_json(const char *path)
{
	size_t n = strlen(path);

	return n > 5 && strcmp(path + n - 5, ".json") == 0;
}

/* *json NULL when there is no such file. A text is a document of one text. */
static sat_rc
parse(sat_json **json, const sat_layer *l, const char *path, sat_err *e)
{
	const sat_template_file *f = file_of(l, path);
	sat_err why = { 0 };
	sat_json *wrap;

	*json = NULL;
	if (f == NULL)
		return SAT_OK;
	if (!is_json(path)) {
		wrap = sat_json_obj();
		sat_json_put_strn(wrap, "text", f->bytes);
		*json = wrap;
		return SAT_OK;
	}
	if (sat_json_parse(json, f->bytes, TEMPLATE_DOC_BYTES_MAX, &why) !=
	    SAT_OK)
		return sat_fail_code(e, SAT_EINVALID, "template.invalid", NULL,
		    "%s: %s", path, why.text);
	if (sat_json_type(*json) == SAT_J_OBJ)
		return SAT_OK;
	sat_json_free(*json);
	*json = NULL;
	return sat_fail_code(e, SAT_EINVALID, "template.invalid", NULL,
	    "%s: must be an object", path);
}

static sat_span
bytes_of(sat_arena *a, const char *path, const sat_json *json)
{
	sat_buf b = { 0 };
	sat_span s;

	if (is_json(path))
		sat_json_write(&b, json, true);
	else
		sat_buf_str(&b, sat_json_get_str(json, "text", ""));
	s = sat_span_of(sat_arena_dup(a, b.p, b.n), b.n);
	sat_buf_fini(&b);
	return s;
}

typedef struct result {
	sat_template_file *files;
	size_t n;
	sat_arena *a;
} result;

/* `json` as `path`; with the bytes of the side that says the same. */
static void
put(result *r, const char *path, const sat_json *json,
    const sat_layer *const *side, sat_json *const *as, size_t n)
{
	sat_template_file *f = &r->files[r->n];

	if (json == NULL)
		return;
	f->path = sat_arena_str(r->a, path, strlen(path));
	f->bytes = (sat_span){ NULL, 0 };
	for (size_t i = 0; i < n && f->bytes.p == NULL; i++)
		if (as[i] != NULL && same(as[i], json))
			f->bytes = file_of(side[i], path)->bytes;
	if (f->bytes.p != NULL)
		f->bytes = sat_span_of(sat_arena_dup(r->a, f->bytes.p,
		    f->bytes.n), f->bytes.n);
	else
		f->bytes = bytes_of(r->a, path, json);
	r->n++;
}

static sat_rc
too_many(const sat_layer *const *l, size_t n, sat_err *e)
{
	size_t all = 0;

	for (size_t i = 0; i < n; i++)
		all += l[i]->n;
	return all <= SAT_LAYER_FILES_MAX ? SAT_OK
	    : sat_fail_code(e, SAT_EINVALID, "template.invalid", NULL,
	          "more than %d documents in all layers", SAT_LAYER_FILES_MAX);
}

sat_rc
sat_layer_overlay(sat_layer *out, sat_arena *a, const sat_layer *base,
    const sat_layer *over, sat_err *e)
{
	const sat_layer *l[2] = { base, over };
	sat_template_file *paths;
	result r = { .a = a };
	sat_rc rc = too_many(l, 2, e);
	size_t n;

	*out = (sat_layer){ NULL, 0 };
	if (rc != SAT_OK)
		return rc;
	paths = sat_arena_alloc(a, SAT_LAYER_FILES_MAX * sizeof *paths);
	r.files = sat_arena_alloc(a, SAT_LAYER_FILES_MAX * sizeof *r.files);
	n = paths_of(paths, l, 2);
	for (size_t i = 0; i < n && rc == SAT_OK; i++) {
		laying y = { .at.doc = paths[i].path, .e = e };
		sat_json *json[2] = { NULL, NULL }, *laid;

		if ((rc = parse(&json[0], base, paths[i].path, e)) == SAT_OK &&
		    (rc = parse(&json[1], over, paths[i].path, e)) == SAT_OK) {
			laid = json[1] == NULL ? dup(json[0])
			    : json[0] == NULL ? dup(json[1])
			                     : lay(&y, json[0], json[1]);
			put(&r, paths[i].path, laid, l, json, 2);
			sat_json_free(laid);
			rc = y.rc;
		}
		sat_json_free(json[0]);
		sat_json_free(json[1]);
	}
	if (rc == SAT_OK)
		*out = (sat_layer){ r.files, r.n };
	return rc;
}

static sat_rc
merge_file(result *r, merging *g, const char *path, const sat_layer *const *l,
    sat_err *e)
{
	sat_json *json[3] = { NULL, NULL, NULL }, *joined;
	const sat_layer *side[2] = { l[1], l[2] };
	sat_rc rc = SAT_OK;

	g->at.doc = path;
	g->at.at[0] = '\0';
	for (int i = 0; i < 3 && rc == SAT_OK; i++)
		rc = parse(&json[i], l[i], path, e);
	if (rc == SAT_OK) {
		joined = join(g, json[0], json[1], json[2]);
		put(r, path, joined, side, &json[1], 2);
		sat_json_free(joined);
	}
	for (int i = 0; i < 3; i++)
		sat_json_free(json[i]);
	return rc;
}

sat_rc
sat_layer_merge(sat_layer *out, sat_arena *a, const sat_layer *base,
    const sat_layer *ours, const sat_layer *theirs,
    sat_take (*decide)(void *u, const sat_layer_conflict *c), void *u,
    sat_err *e)
{
	const sat_layer *l[3] = { base, ours, theirs };
	merging g = { .decide = decide, .u = u };
	sat_template_file *paths;
	result r = { .a = a };
	sat_rc rc = too_many(l, 3, e);
	size_t n;

	*out = (sat_layer){ NULL, 0 };
	if (rc != SAT_OK)
		return rc;
	paths = sat_arena_alloc(a, SAT_LAYER_FILES_MAX * sizeof *paths);
	r.files = sat_arena_alloc(a, SAT_LAYER_FILES_MAX * sizeof *r.files);
	n = paths_of(paths, l, 3);
	for (size_t i = 0; i < n && rc == SAT_OK; i++)
		rc = merge_file(&r, &g, paths[i].path, l, e);
	if (rc == SAT_OK && g.open > 0)
		rc = sat_fail_code(e, SAT_ECONFLICT, "template.conflict",
		    "take one side of each: --take ours:DOC:PLACE or "
		    "theirs:DOC:PLACE", "%zu places were changed on both "
		    "sides, the first %s", g.open, g.first);
	if (rc == SAT_OK)
		*out = (sat_layer){ r.files, r.n };
	return rc;
}

sat_rc
sat_layer_diff(const sat_layer *a, const sat_layer *b,
    bool (*cb)(void *u, const sat_layer_conflict *c), void *u, sat_err *e)
{
	const sat_layer *l[2] = { a, b };
	sat_template_file *paths;
	diffing d = { .cb = cb, .u = u };
	sat_arena mem = { 0 };
	sat_rc rc = too_many(l, 2, e);
	size_t n;

	if (rc != SAT_OK)
		return rc;
	paths = sat_arena_alloc(&mem, SAT_LAYER_FILES_MAX * sizeof *paths);
	n = paths_of(paths, l, 2);
	for (size_t i = 0; i < n && rc == SAT_OK && !d.stop; i++) {
		sat_json *x = NULL, *y = NULL;

		d.at.doc = paths[i].path;
		d.at.at[0] = '\0';
		if ((rc = parse(&x, a, paths[i].path, e)) == SAT_OK &&
		    (rc = parse(&y, b, paths[i].path, e)) == SAT_OK)
			differ(&d, x, y);
		sat_json_free(x);
		sat_json_free(y);
	}
	sat_arena_fini(&mem);
	return rc;
}

/* ---- packs -------------------------------------------------------------------------------------- */

const sat_pack *
sat_template_pack(const char *id)
{
	const sat_pack *p;

	for (size_t i = 0; (p = sat_template_pack_at(i)) != NULL; i++)
		if (strcmp(p->id, id) == 0)
			return p;
	return NULL;
}

sat_rc
sat_template_of_pack(sat_layer *out, sat_arena *a, const char *id, sat_err *e)
{
	sat_buf all = { 0 };
	const sat_pack *p;
	sat_layer base;
	sat_rc rc;

	base.files = sat_template_base(&base.n);
	if (id == NULL || strcmp(id, "base") == 0) {
		*out = base;
		return SAT_OK;
	}
	if ((p = sat_template_pack(id)) != NULL)
		return sat_layer_overlay(out, a, &base, &p->over, e);
	for (size_t i = 0; (p = sat_template_pack_at(i)) != NULL; i++)
		sat_buf_fmt(&all, " %s", p->id);
	rc = sat_fail_code(e, SAT_ENOTFOUND, "pack.unknown", NULL,
	    "no pack '%.40s'; there are: base%s", id, sat_buf_cstr(&all));
	sat_buf_fini(&all);
	return rc;
}
