/*
 * Layers of a template: sets of files laid over each other, merged three-way,
 * compared; and the packs that are built in. What happens inside one document:
 * layers_json.c.
 */
#include "common/template/layers_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- trees ----------------------------------------------------------------------------------- */

const sat_template_file *
layers_file(const sat_layer *l, const char *path)
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

static size_t
files_of(const sat_layer *const *l, size_t nl)
{
	size_t n = 0;

	for (size_t i = 0; i < nl; i++)
		n += l[i]->n;
	return n;
}

/* Every path of the layers once, sorted, in the arena; the bytes are of the
 * first that has it. */
static size_t
paths_of(sat_template_file **paths, sat_arena *a, const sat_layer *const *l,
    size_t nl)
{
	sat_template_file *out = sat_arena_alloc(a,
	    (files_of(l, nl) + 1) * sizeof *out);
	size_t n = 0, kept = 0;

	for (size_t i = 0; i < nl; i++)
		for (size_t k = 0; k < l[i]->n; k++)
			out[n++] = l[i]->files[k];
	qsort(out, n, sizeof *out, by_path);
	for (size_t i = 0; i < n; i++)
		if (kept == 0 || strcmp(out[kept - 1].path, out[i].path) != 0)
			out[kept++] = out[i];
	*paths = out;
	return kept;
}

/* *json NULL when there is no such file. A text is a document of one text. */
static sat_rc
parse(sat_json **json, const sat_layer *l, const char *path, sat_err *e)
{
	const sat_template_file *f = layers_file(l, path);
	sat_err why = { 0 };
	sat_json *wrap;

	*json = NULL;
	if (f == NULL)
		return SAT_OK;
	if (!sat_template_is_json(path)) {
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

	if (sat_template_is_json(path))
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
		if (as[i] != NULL && layers_same(as[i], json))
			f->bytes = layers_file(side[i], path)->bytes;
	if (f->bytes.p != NULL)
		f->bytes = sat_span_of(sat_arena_dup(r->a, f->bytes.p,
		    f->bytes.n), f->bytes.n);
	else
		f->bytes = bytes_of(r->a, path, json);
	r->n++;
}

/* Of each layer alone: they have most of their documents in common. */
static sat_rc
too_many(const sat_layer *const *l, size_t n, sat_err *e)
{
	for (size_t i = 0; i < n; i++)
		if (l[i]->n > SAT_LAYER_FILES_MAX)
			return sat_fail_code(e, SAT_EINVALID,
			    "template.invalid", NULL,
			    "a template has %zu documents, more than %d",
			    l[i]->n, SAT_LAYER_FILES_MAX);
	return SAT_OK;
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
	n = paths_of(&paths, a, l, 2);
	r.files = sat_arena_alloc(a, (n + 1) * sizeof *r.files);
	for (size_t i = 0; i < n && rc == SAT_OK; i++) {
		laying y = { .at.doc = paths[i].path, .e = e };
		sat_json *json[2] = { NULL, NULL }, *laid;

		if ((rc = parse(&json[0], base, paths[i].path, e)) == SAT_OK &&
		    (rc = parse(&json[1], over, paths[i].path, e)) == SAT_OK) {
			laid = json[1] == NULL ? layers_dup(json[0])
			    : json[0] == NULL ? layers_dup(json[1])
			                     : layers_lay(&y, json[0], json[1]);
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
		joined = layers_join(g, json[0], json[1], json[2]);
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
	n = paths_of(&paths, a, l, 3);
	r.files = sat_arena_alloc(a, (n + 1) * sizeof *r.files);
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
	n = paths_of(&paths, &mem, l, 2);
	for (size_t i = 0; i < n && rc == SAT_OK && !d.stop; i++) {
		sat_json *x = NULL, *y = NULL;

		d.at.doc = paths[i].path;
		d.at.at[0] = '\0';
		if ((rc = parse(&x, a, paths[i].path, e)) == SAT_OK &&
		    (rc = parse(&y, b, paths[i].path, e)) == SAT_OK)
			layers_differ(&d, x, y);
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
