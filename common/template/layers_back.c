/*
 * layers_back.c - an earlier template as a successor of the present one.
 *
 * Fields and options have ids and keys that records use; they are never
 * removed, so going back retires them. Nor does it take away what
 * sat_template_keeps() asks for, or the way back would be closed: pools that
 * came since stay, without rules that bring customers into them, roles that
 * came since keep their rights, and so does the time zone dates were written
 * in. Rules, rights, reports and labels are otherwise simply those of then.
 */
#include "common/template/layers_int.h"
#include "common/template/pool.h"

#include <stdio.h>
#include <string.h>

#define POOLS "policy/pool.json"

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
	if (strcmp(path, POOLS) == 0)
		return "pools";
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
retired(const sat_json *element)
{
	static const char *const asked[] = { "required_at", "required_when",
		"retired" };
	sat_json *out = sat_json_dup(element);

	for (size_t i = 0; i < sizeof asked / sizeof asked[0]; i++)
		sat_json_del(out, asked[i]);
	sat_json_put_bool(out, "retired", true);
	return out;
}

/* Who is in it can be claimed; nobody comes in by a rule. */
static sat_json *
without_rules(const sat_json *pool)
{
	sat_json *out = sat_json_dup(pool);

	sat_json_del(out, "reclaim");
	sat_json_del(out, "auto_reclaim");
	return out;
}

/* An element of an array that came since, as it stays. */
static sat_json *
lasting_form(const sat_json *element, const char *array)
{
	if (strcmp(array, "patterns") == 0)
		return sat_json_dup(element);
	return strcmp(array, "pools") == 0 ? without_rules(element) :
	    retired(element);
}

/* More pools than a template may have would close the way back: one that has no
 * place is gone, and sat_template_keeps() asks about the customers in it. */
static bool
has_place(const sat_json *all, const char *array)
{
	return strcmp(array, "pools") != 0 ||
	    sat_json_count(all) < SAT_POOLS_MAX;
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
		if (with_key(was, sat_json_get_str(n, "key", "")) != NULL ||
		    !has_place(all, array))
			continue;
		if (out == NULL)
			out = sat_json_dup(then);
		sat_json_add(all, lasting_form(n, array));
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

/* The zone's name and its minutes; NULL: they are the same. */
static sat_json *
zone_kept(const sat_json *now, const sat_json *then, const char *unused)
{
	static const char *const zone[] = { "tz", "tz_min" };
	sat_json *out;

	(void)unused;
	if (sat_json_get_int(now, zone[1], 0) ==
	    sat_json_get_int(then, zone[1], 0))
		return NULL;
	out = sat_json_dup(then);
	for (size_t i = 0; i < 2; i++) {
		sat_json_del(out, zone[i]);
		if (sat_json_get(now, zone[i]) != NULL)
			sat_json_put(out, zone[i],
			    sat_json_dup(sat_json_get(now, zone[i])));
	}
	return out;
}

/* What `now` says of a role in this part, where then says nothing. */
static void
add_of_role(sat_json *part, const sat_json *now, const char *role)
{
	const sat_json *is = sat_json_get(now, role);

	if (is != NULL && sat_json_get(part, role) == NULL)
		sat_json_put(part, role, sat_json_dup(is));
}

static sat_json *
copy_or(const sat_json *n, sat_json *(*empty)(void))
{
	return n != NULL ? sat_json_dup(n) : empty();
}

/* Roles without rights then have those of now; NULL: there are none. */
static sat_json *
roles_kept(const sat_json *now, const sat_json *then, const char *unused)
{
	const sat_json *had = sat_json_get(then, "grants"), *named;
	const sat_json *of = sat_json_get(now, "grants"), *n;
	sat_json *roles = copy_or(sat_json_get(then, "roles"), sat_json_arr);
	sat_json *masks = copy_or(sat_json_get(then, "masks"), sat_json_obj);
	sat_json *grants = copy_or(had, sat_json_obj), *out = NULL;

	(void)unused;
	for (n = sat_json_first(of); n != NULL; n = sat_json_next(n)) {
		const char *role = sat_json_key(n);

		if (sat_json_get(had, role) != NULL)
			continue;
		if (out == NULL)
			out = sat_json_dup(then);
		named = with_key(sat_json_get(now, "roles"), role);
		if (named != NULL && with_key(roles, role) == NULL)
			sat_json_add(roles, sat_json_dup(named));
		add_of_role(grants, of, role);
		add_of_role(masks, sat_json_get(now, "masks"), role);
	}
	if (out == NULL) {
		sat_json_free(roles);
		sat_json_free(masks);
		sat_json_free(grants);
		return NULL;
	}
	sat_json_set(out, "roles", roles);
	sat_json_set(out, "masks", masks);
	sat_json_set(out, "grants", grants);
	return out;
}

typedef sat_json *(*join)(const sat_json *now, const sat_json *then,
    const char *array);

/* What joins a document of now to that of then; NULL: then's counts alone. */
static join
join_of(const char *path)
{
	if (strcmp(path, "template.json") == 0)
		return zone_kept;
	if (strcmp(path, "acl/matrix.json") == 0)
		return roles_kept;
	return lasting(path) != NULL ? kept : NULL;
}

static sat_rc
joined(sat_template_file *out, sat_arena *a, const sat_template_file *now,
    const sat_template_file *then, join how, sat_err *e)
{
	sat_json *n = NULL, *t = NULL, *both;
	sat_buf b = { 0 };
	sat_rc rc;

	if ((rc = parse(&n, now, e)) == SAT_OK &&
	    (rc = parse(&t, then, e)) == SAT_OK &&
	    (both = how(n, t, lasting(now->path))) != NULL) {
		sat_json_write(&b, both, true);
		out->bytes = sat_span_of(sat_arena_dup(a, b.p, b.n), b.n);
		sat_buf_fini(&b);
		sat_json_free(both);
	}
	sat_json_free(n);
	sat_json_free(t);
	return rc;
}

/* ---- fields that name another dictionary since ---- */

/* `own` with the options it lacks and `other` has, as retired. */
static sat_json *
with_options(const sat_json *other, const sat_json *own, const char *unused)
{
	const sat_json *had = sat_json_get(own, "options");
	const sat_json *n = sat_json_first(sat_json_get(other, "options"));
	sat_json *all = NULL, *out;

	(void)unused;
	for (; n != NULL; n = sat_json_next(n)) {
		if (with_key(had, sat_json_get_str(n, "key", "")) != NULL)
			continue;
		if (all == NULL)
			all = copy_or(had, sat_json_arr);
		sat_json_add(all, retired(n));
	}
	if (all == NULL)
		return NULL;
	out = sat_json_dup(own);
	sat_json_set(out, "options", all);
	return out;
}

static sat_template_file *
file_of(sat_template_file *files, size_t n, const char *name)
{
	char path[100];

	(void)snprintf(path, sizeof path, "dict/%.80s.json", name);
	for (size_t i = 0; i < n; i++)
		if (strcmp(files[i].path, path) == 0)
			return &files[i];
	return NULL;
}

/* What was chosen meanwhile from another dictionary is to be an option of the
 * one the field has again. */
static sat_rc
options_follow(sat_template_file *files, size_t n, sat_arena *a,
    const sat_json *now, const sat_json *then, sat_err *e)
{
	const sat_json *was = sat_json_first(sat_json_get(then, "fields"));
	sat_rc rc = SAT_OK;

	for (; was != NULL && rc == SAT_OK; was = sat_json_next(was)) {
		const sat_json *is = with_key(sat_json_get(now, "fields"),
		    sat_json_get_str(was, "key", ""));
		const char *old = sat_json_get_str(was, "options", NULL);
		const char *new_ = sat_json_get_str(is, "options", NULL);
		sat_template_file *to, *from;

		if (old == NULL || new_ == NULL || strcmp(old, new_) == 0 ||
		    (to = file_of(files, n, old)) == NULL ||
		    (from = file_of(files, n, new_)) == NULL)
			continue;
		rc = joined(to, a, from, to, with_options, e);
	}
	return rc;
}

static sat_rc
fields_follow(sat_template_file *files, size_t n, sat_arena *a,
    const sat_layer *now, const sat_layer *then, sat_err *e)
{
	sat_rc rc = SAT_OK;

	for (size_t i = 0; i < then->n && rc == SAT_OK; i++) {
		const sat_template_file *was = &then->files[i], *is;
		sat_json *x = NULL, *y = NULL;

		if (!in_folder(was->path, "fields/") ||
		    (is = layers_file(now, was->path)) == NULL)
			continue;
		if ((rc = parse(&x, is, e)) == SAT_OK &&
		    (rc = parse(&y, was, e)) == SAT_OK)
			rc = options_follow(files, n, a, x, y, e);
		sat_json_free(x);
		sat_json_free(y);
	}
	return rc;
}

/* ---- all of it ---- */

sat_rc
sat_layer_back(sat_layer *out, sat_arena *a, const sat_layer *now,
    const sat_layer *then, sat_err *e)
{
	static const sat_template_file no_pools = { POOLS, { (const uint8_t *)
	    "{}", 2 } };
	sat_template_file *files = sat_arena_alloc(a,
	    (now->n + then->n) * sizeof *files);
	const sat_template_file *f, *is;
	size_t n = 0;
	sat_rc rc = SAT_OK;

	*out = (sat_layer){ NULL, 0 };
	for (size_t i = 0; i < then->n && rc == SAT_OK; i++) {
		f = &then->files[i];
		is = layers_file(now, f->path);
		files[n] = *f;
		if (is != NULL && join_of(f->path) != NULL)
			rc = joined(&files[n], a, is, f, join_of(f->path), e);
		n++;
	}
	for (size_t i = 0; i < now->n && rc == SAT_OK; i++) {
		f = &now->files[i];
		if (layers_file(then, f->path) != NULL ||
		    lasting(f->path) == NULL)
			continue;
		files[n] = *f;
		if (strcmp(f->path, POOLS) == 0)
			rc = joined(&files[n], a, f, &no_pools, kept, e);
		n++;
	}
	if (rc == SAT_OK &&
	    (rc = fields_follow(files, n, a, now, then, e)) == SAT_OK)
		*out = (sat_layer){ files, n };
	return rc;
}
