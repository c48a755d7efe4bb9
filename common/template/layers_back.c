/*
 * layers_back.c - an earlier template as a successor of the present one.
 *
 * Fields and options have ids and keys that records use; they are never
 * removed, so going back retires them. Rules, rights, reports and labels are
 * simply those of then.
 */
#include "common/template/layers_int.h"

#include <stdio.h>
#include <string.h>

static bool
in_folder(const char *path, const char *folder)
{
	return strncmp(path, folder, strlen(folder)) == 0;
}

/* The array of a document whose elements stay for ever; NULL: has none. */
static const char *
lasting(const char *path)
{
	if (in_folder(path, "fields/"))
		return "fields";
	if (in_folder(path, "dict/"))
		return "options";
	return strcmp(path, "rules/validation.json") == 0 ? "patterns" : NULL;
}

static const sat_json *
with_key(const sat_json *arr, const char *key)
{
	for (const sat_json *n = sat_json_first(arr); n != NULL;
	     n = sat_json_next(n))
		if (strcmp(sat_json_get_str(n, "key", ""), key) == 0)
			return n;
	return NULL;
}

static sat_json *
retired(const sat_json *element, bool whole)
{
	static const char *const asked[] = { "required_at", "required_when" };
	sat_json *out = sat_json_dup(element);

	if (whole)
		return out;
	for (size_t i = 0; i < sizeof asked / sizeof asked[0]; i++)
		sat_json_del(out, asked[i]);
	sat_json_del(out, "retired");
	sat_json_put_bool(out, "retired", true);
	return out;
}

/* `then` with what `now` has beyond it; NULL when that is nothing. */
static sat_json *
kept(const sat_json *now, const sat_json *then, const char *array)
{
	const sat_json *is = sat_json_get(now, array);
	const sat_json *was = sat_json_get(then, array);
	sat_json *out = NULL, *all = sat_json_arr();

	for (const sat_json *n = sat_json_first(was); n != NULL;
	     n = sat_json_next(n))
		sat_json_add(all, sat_json_dup(n));
	for (const sat_json *n = sat_json_first(is); n != NULL;
	     n = sat_json_next(n)) {
		if (with_key(was, sat_json_get_str(n, "key", "")) != NULL)
			continue;
		if (out == NULL)
			out = sat_json_dup(then);
		sat_json_add(all, retired(n, strcmp(array, "patterns") == 0));
	}
	if (out != NULL)
		sat_json_set(out, array, all);
	else
		sat_json_free(all);
	return out;
}

static sat_rc
parse(sat_json **out, const sat_template_file *f, sat_err *e)
{
	sat_err why = { 0 };

	if (sat_json_parse(out, f->bytes, TEMPLATE_DOC_BYTES_MAX, &why) == SAT_OK)
		return SAT_OK;
	return sat_fail_code(e, SAT_EINVALID, "template.invalid", NULL,
	    "%s: %s", f->path, why.text);
}

static sat_rc
joined(sat_template_file *out, sat_arena *a, const sat_template_file *now,
    const sat_template_file *then, const char *array, sat_err *e)
{
	sat_json *n = NULL, *t = NULL, *both;
	sat_buf b = { 0 };
	sat_rc rc;

	if ((rc = parse(&n, now, e)) == SAT_OK &&
	    (rc = parse(&t, then, e)) == SAT_OK &&
	    (both = kept(n, t, array)) != NULL) {
		sat_json_write(&b, both, true);
		out->bytes = sat_span_of(sat_arena_dup(a, b.p, b.n), b.n);
		sat_buf_fini(&b);
		sat_json_free(both);
	}
	sat_json_free(n);
	sat_json_free(t);
	return rc;
}

sat_rc
sat_layer_back(sat_layer *out, sat_arena *a, const sat_layer *now,
    const sat_layer *then, sat_err *e)
{
	sat_template_file *files = sat_arena_alloc(a,
	    (now->n + then->n) * sizeof *files);
	size_t n = 0;
	sat_rc rc = SAT_OK;

	*out = (sat_layer){ NULL, 0 };
	for (size_t i = 0; i < then->n && rc == SAT_OK; i++) {
		const char *array = lasting(then->files[i].path);
		const sat_template_file *is = layers_file(now, then->files[i].path);

		files[n] = then->files[i];
		if (array != NULL && is != NULL)
			rc = joined(&files[n], a, is, &then->files[i], array, e);
		n++;
	}
	for (size_t i = 0; i < now->n; i++)
		if (layers_file(then, now->files[i].path) == NULL &&
		    lasting(now->files[i].path) != NULL)
			files[n++] = now->files[i];
	if (rc == SAT_OK)
		*out = (sat_layer){ files, n };
	return rc;
}
