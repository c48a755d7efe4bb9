/*
 * json_schema.c - the part of JSON Schema that our own output needs.
 *
 * An unknown keyword is refused, not passed over: a schema that says
 * "minimum" and is not obeyed would be a check that checks nothing.
 */
#include "common/json/json.h"

#include "common/json/json_int.h"

#include <stdio.h>
#include <string.h>

#include <cjson/cJSON.h>

#define PATH_MAX_BYTES 160

typedef struct path {
	char text[PATH_MAX_BYTES];
	size_t n;
} path;

static sat_rc validate(const sat_json *, const sat_json *, path *, sat_err *);

/* One step down; returns the length to go back to. A path that does not fit
 * is cut, which only makes the message shorter. */
static size_t
path_push(path *p, const char *key, size_t index)
{
	size_t was = p->n, left = sizeof p->text - p->n;
	int n = key != NULL ? snprintf(p->text + p->n, left, "/%s", key) :
	    snprintf(p->text + p->n, left, "/%zu", index);

	if (n > 0)
		p->n += (size_t)n < left ? (size_t)n : left - 1;
	return was;
}

static void
path_pop(path *p, size_t was)
{
	p->n = was;
	p->text[was] = '\0';
}

static sat_rc
broken(const path *p, const char *rule, sat_err *e)
{
	const char *at = p->n > 0 ? p->text : "/";
	sat_rc rc = sat_fail(e, SAT_EINVALID, "schema: %s breaks \"%s\"", at,
	    rule);

	sat_err_field_add(e, at, rule);
	return rc;
}

static bool
has_type(const sat_json *n, const char *type)
{
	switch (sat_json_type(n)) {
	case SAT_J_NULL:
		return strcmp(type, "null") == 0;
	case SAT_J_BOOL:
		return strcmp(type, "boolean") == 0;
	case SAT_J_INT:
		return strcmp(type, "integer") == 0 ||
		    strcmp(type, "number") == 0;
	case SAT_J_REAL:
		return strcmp(type, "number") == 0;
	case SAT_J_STR:
		return strcmp(type, "string") == 0;
	case SAT_J_ARR:
		return strcmp(type, "array") == 0;
	case SAT_J_OBJ:
		return strcmp(type, "object") == 0;
	}
	return false;
}

static bool
type_ok(const sat_json *n, const sat_json *rule)
{
	if (sat_json_type(rule) == SAT_J_STR)
		return has_type(n, sat_json_str(rule, ""));
	for (const sat_json *t = sat_json_first(rule); t != NULL;
	    t = sat_json_next(t))
		if (has_type(n, sat_json_str(t, "")))
			return true;
	return false;
}

static bool
enum_ok(const sat_json *n, const sat_json *rule)
{
	for (const sat_json *v = sat_json_first(rule); v != NULL;
	    v = sat_json_next(v))
		if (cJSON_Compare(n, v, true))
			return true;
	return false;
}

static sat_rc
required_ok(const sat_json *n, const sat_json *rule, path *p, sat_err *e)
{
	if (sat_json_type(n) != SAT_J_OBJ)
		return SAT_OK;
	for (const sat_json *r = sat_json_first(rule); r != NULL;
	    r = sat_json_next(r)) {
		const char *key = sat_json_str(r, "");

		if (sat_json_get(n, key) == NULL) {
			(void)path_push(p, key, 0);
			return broken(p, "required", e);
		}
	}
	return SAT_OK;
}

/* Members: by `properties`, the others by `additionalProperties`. */
static sat_rc
members_ok(const sat_json *n, const sat_json *schema, path *p, sat_err *e)
{
	const sat_json *props = sat_json_get(schema, "properties");
	const sat_json *more = sat_json_get(schema, "additionalProperties");

	if (sat_json_type(n) != SAT_J_OBJ)
		return SAT_OK;
	for (const sat_json *m = sat_json_first(n); m != NULL;
	    m = sat_json_next(m)) {
		const char *key = sat_json_key(m);
		size_t was = path_push(p, key, 0);
		const sat_json *rule = sat_json_get(props, key);
		sat_rc rc;

		if (rule == NULL)
			rule = more;
		if (rule != NULL && (rc = validate(m, rule, p, e)) != SAT_OK)
			return rc;
		path_pop(p, was);
	}
	return SAT_OK;
}

static sat_rc
items_ok(const sat_json *n, const sat_json *rule, path *p, sat_err *e)
{
	size_t i = 0;

	if (sat_json_type(n) != SAT_J_ARR)
		return SAT_OK;
	for (const sat_json *m = sat_json_first(n); m != NULL;
	    m = sat_json_next(m)) {
		size_t was = path_push(p, NULL, i++);
		sat_rc rc = validate(m, rule, p, e);

		if (rc != SAT_OK)
			return rc;
		path_pop(p, was);
	}
	return SAT_OK;
}

static bool
is_note(const char *key)
{
	static const char *const notes[] = { "$schema", "$id", "$comment",
		"title", "description", "default", "examples", "format",
		"additionalProperties" /* goes with properties */ };

	for (size_t i = 0; i < sizeof notes / sizeof notes[0]; i++)
		if (strcmp(key, notes[i]) == 0)
			return true;
	return false;
}

static sat_rc
keyword_ok(const sat_json *n, const sat_json *rule, path *p, sat_err *e)
{
	const char *key = sat_json_key(rule);

	if (strcmp(key, "type") == 0)
		return type_ok(n, rule) ? SAT_OK : broken(p, key, e);
	if (strcmp(key, "enum") == 0)
		return enum_ok(n, rule) ? SAT_OK : broken(p, key, e);
	if (strcmp(key, "const") == 0)
		return cJSON_Compare(n, rule, true) ? SAT_OK :
		    broken(p, key, e);
	if (strcmp(key, "required") == 0)
		return required_ok(n, rule, p, e);
	if (strcmp(key, "items") == 0)
		return items_ok(n, rule, p, e);
	if (strcmp(key, "properties") == 0 || is_note(key))
		return SAT_OK;
	return sat_fail(e, SAT_EINVALID,
	    "schema: keyword \"%s\" is not supported", key);
}

static sat_rc
validate(const sat_json *n, const sat_json *schema, path *p, sat_err *e)
{
	sat_rc rc;

	if (sat_json_type(schema) == SAT_J_BOOL)
		return sat_json_bool(schema, false) ? SAT_OK :
		    broken(p, "additionalProperties", e);
	if (sat_json_type(schema) != SAT_J_OBJ)
		return sat_fail(e, SAT_EINVALID,
		    "schema: neither an object nor a boolean");
	for (const sat_json *k = sat_json_first(schema); k != NULL;
	    k = sat_json_next(k))
		if ((rc = keyword_ok(n, k, p, e)) != SAT_OK)
			return rc;
	return members_ok(n, schema, p, e);
}

sat_rc
sat_json_validate(const sat_json *doc, const sat_json *schema, sat_err *e)
{
	path p = { .n = 0 };

	return validate(doc, schema, &p, e);
}
