/*
 * The route table as OpenAPI 3.1: what dispatches is what is described. The
 * members of an answer are docs/schema/<schema>.json.
 */
#include "client/api/api_int.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static void
put_parameter(sat_json *arr, const char *name, const char *in)
{
	sat_json *p = sat_json_add_obj(arr);

	sat_json_put_str(p, "name", name);
	sat_json_put_str(p, "in", in);
	sat_json_put_bool(p, "required", strcmp(in, "path") == 0);
	sat_json_put_str(sat_json_put_obj(p, "schema"), "type", "string");
}

/* What a list, a record, a write and a wait may say beside the path. */
static const struct {
	const char *method, *pattern, *names[16];
} says[] = {
	{ "GET", "/v1/{kind}", { "limit", "cursor", "offset", "sort", "fields",
		"q", "filter[FIELD]", "filter[FIELD][OP]", "include", "count",
		"where", "view", "as_of", "labels" } },
	{ "GET", "/v1/views", { "kind", "share", "owner", "labels" } },
	{ "GET", "/v1/{kind}/{id}", { "include", "fields", "as_of", "labels" } },
	{ "GET", "/v1/{kind}/aggregate", { "group_by", "sum", "avg", "min",
		"max", "filter[FIELD]", "where", "view" } },
	{ "GET", "/v1/{kind}/{id}/history", { "field", "since" } },
	{ "POST", "/v1/{kind}", { "validate", "duplicate", "reason" } },
	{ "GET", "/v1/search", { "q", "type", "limit" } },
	{ "GET", "/v1/attachments", { "record" } },
	{ "POST", "/v1/attachments", { "record", "name" } },
	{ "GET", "/v1/attachments/{hash}", { "record", "file" } },
	{ "DELETE", "/v1/attachments/{hash}", { "record" } },
	{ "GET", "/v1/events", { "since", "types", "wait" } },
	{ "GET", "/v1/jobs/{id}", { "wait" } },
	{ "POST", "/v1/sync/run", { "wait" } },
	{ "POST", "/v1/exports", { "wait" } },
	{ "POST", "/v1/imports", { "file", "type", "on_duplicate", "encoding",
		"delimiter", "sheet", "header" } },
	{ "POST", "/v1/imports/{id}/run", { "wait" } },
	{ "GET", "/v1/imports/{id}/preview", { "rows" } },
	{ "GET", "/v1/imports/form", { "type" } },
	{ "GET", "/v1/templates/diff", { "from", "to" } },
	{ "GET", "/v1/templates/{rev}", { "path" } },
	{ "GET", "/v1/calendar.ics", { "token" } },
	{ "PATCH", "/v1/{kind}/{id}", { "validate" } },
	{ "DELETE", "/v1/{kind}/{id}", { "validate" } },
	{ "POST", "/v1/{kind}/{id}/restore", { "validate" } },
	{ "POST", "/v1/{kind}/{id}/stage", { "validate" } },
	{ "POST", "/v1/{kind}/{id}/assign", { "validate" } },
	{ "POST", "/v1/{kind}/batch", { "validate" } },
};

/* What answers with one record, or with what only the template or its content
 * decides: the door makes a tag of it, which who asks again may name. */
static bool
has_tag(const sat_route *r)
{
	static const char *const tagged[] = { "/v1/{kind}/{id}",
		"/v1/{kind}/{id}/timeline", "/v1/views/{id}", "/v1/schema",
		"/v1/schema/{kind}", "/v1/dict/{name}", "/v1/i18n/{lang}",
		"/v1/attachments/{hash}" };

	for (size_t i = 0; i < sizeof tagged / sizeof tagged[0]; i++)
		if (strcmp(tagged[i], r->pattern) == 0)
			return true;
	return false;
}

static void
put_said(sat_json *arr, const sat_route *r, const sat_template *t)
{
	bool get = strcmp(r->method, "GET") == 0;

	for (size_t i = 0; i < sizeof says / sizeof says[0]; i++)
		if (strcmp(says[i].method, r->method) == 0 &&
		    strcmp(says[i].pattern, r->pattern) == 0)
			for (size_t k = 0; says[i].names[k] != NULL; k++)
				put_parameter(arr, says[i].names[k], "query");
	if (!get && api_has_version(r, t)) {
		put_parameter(arr, "if_version", "query");
		put_parameter(arr, "If-Match", "header");
	}
	if (!get)
		put_parameter(arr, "Idempotency-Key", "header");
	if (get && has_tag(r))
		put_parameter(arr, "If-None-Match", "header");
	put_parameter(arr, "Accept-Language", "header");
}

/* A JSON object; what it may hold is in docs. */
static void
put_body(sat_json *op, const sat_route *r)
{
	sat_json *c;

	if (strcmp(r->method, "GET") == 0 || strcmp(r->method, "DELETE") == 0)
		return;
	c = sat_json_put_obj(sat_json_put_obj(op, "requestBody"), "content");
	sat_json_put_str(sat_json_put_obj(sat_json_put_obj(c,
	    "application/json"), "schema"), "type", "object");
	if (strcmp(r->pattern, "/v1/imports") != 0)
		return;
	sat_json_put_obj(c, "text/csv");
	sat_json_put_obj(c, "application/octet-stream");
	sat_json_put_obj(c, "multipart/form-data");
}

/* "{kind}" and so on of a pattern, then what may be said beside it. */
static void
put_parameters(sat_json *op, const sat_route *r, const sat_template *t)
{
	sat_json *arr = sat_json_put_arr(op, "parameters");
	const char *pattern = r->pattern, *open, *close;
	char name[40];

	for (; (open = strchr(pattern, '{')) != NULL; pattern = close) {
		close = strchr(open, '}');
		(void)snprintf(name, sizeof name, "%.*s",
		    (int)(close - open - 1), open + 1);
		put_parameter(arr, name, "path");
	}
	put_said(arr, r, t);
}

/* What answers otherwise than 200 with the document of its schema alone. */
static const struct {
	const char *method, *pattern, *status, *type;
	bool json; /* beside the document */
} others[] = {
	{ "POST", "/v1/sync/run", "202", "application/json", true },
	{ "POST", "/v1/exports", "202", "application/json", true },
	{ "POST", "/v1/imports/{id}/run", "202", "application/json", true },
	{ "POST", "/v1/imports", "201", "application/json", true },
	{ "GET", "/v1/events", "200", "text/event-stream", true },
	{ "GET", "/v1/calendar.ics", "200", "text/calendar", false },
	{ "GET", "/metrics", "200", "text/plain", false },
	{ "GET", "/v1/imports/{id}/errors.csv", "200", "text/csv", false },
	{ "GET", "/v1/imports/form", "200", "application/vnd.openxmlformats-"
	    "officedocument.spreadsheetml.sheet", false },
	{ "GET", "/v1/exports/{id}/file", "200", "application/octet-stream",
	    false },
};

static sat_json *
content_of(sat_json *all, const char *status, const sat_route *r)
{
	sat_json *is = sat_json_put_obj(all, status);

	sat_json_put_str(is, "description", r->help);
	return sat_json_put_obj(is, "content");
}

static void
put_document(sat_json *content, const char *schema)
{
	sat_json *is = sat_json_put_obj(sat_json_put_obj(content,
	    "application/json"), "schema");
	char name[80];

	sat_json_put_str(is, "type", "object");
	(void)snprintf(name, sizeof name, "docs/schema/%s.json", schema);
	sat_json_put_str(is, "description", name);
	(void)snprintf(name, sizeof name, "satchel/%s/1", schema);
	sat_json_put_str(is, "title", name);
}

static void
put_answer(sat_json *op, const sat_route *r)
{
	sat_json *all = sat_json_put_obj(op, "responses"), *is, *content;
	size_t i, n = sizeof others / sizeof others[0];

	for (i = 0; i < n && (strcmp(others[i].method, r->method) != 0 ||
	     strcmp(others[i].pattern, r->pattern) != 0); i++)
		;
	content = content_of(all, "200", r);
	if (i == n || others[i].json)
		put_document(content, r->schema);
	if (i < n && strcmp(others[i].type, "application/json") != 0)
		sat_json_put_obj(content, others[i].type);
	if (i < n && strcmp(others[i].status, "200") != 0)
		put_document(content_of(all, others[i].status, r),
		    strcmp(r->pattern, "/v1/imports") == 0 ? "import.upload" :
		    "job");
	if (api_makes(r))
		put_document(content_of(all, "201", r), r->schema);
	is = sat_json_put_obj(all, "default");
	sat_json_put_str(is, "$ref", "#/components/responses/problem");
}

static void
put_operation(sat_json *path, const sat_route *r, const sat_template *t)
{
	char method[8];
	sat_json *op;
	size_t i;

	for (i = 0; r->method[i] != '\0' && i + 1 < sizeof method; i++)
		method[i] = (char)tolower((unsigned char)r->method[i]);
	method[i] = '\0';
	op = sat_json_put_obj(path, method);
	sat_json_put_str(op, "summary", r->help);
	sat_json_put_str(op, "x-permission", r->permission);
	put_parameters(op, r, t);
	put_body(op, r);
	put_answer(op, r);
}

static void
put_problem(sat_json *doc)
{
	sat_json *is = sat_json_put_obj(sat_json_put_obj(sat_json_put_obj(doc,
	    "components"), "responses"), "problem"), *m;
	static const struct { const char *key, *type; } members[] = {
		{ "type", "string" }, { "title", "string" },
		{ "status", "integer" }, { "detail", "string" },
		{ "code", "string" }, { "exit", "integer" },
		{ "fields", "array" }, { "hint", "string" } };

	sat_json_put_str(is, "description", "RFC 9457");
	is = sat_json_put_obj(sat_json_put_obj(sat_json_put_obj(is, "content"),
	    "application/problem+json"), "schema");
	sat_json_put_str(is, "type", "object");
	m = sat_json_put_obj(is, "properties");
	for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
		sat_json_put_str(sat_json_put_obj(m, members[i].key), "type",
		    members[i].type);
}

HANDLER(api_openapi)
{
	const sat_template *t = api->crm.replica != NULL ?
	    sat_replica_template(api->crm.replica) : NULL;
	sat_json *info, *paths;
	const sat_route *r;
	size_t n;

	(void)req;
	(void)args;
	(void)e;
	*out = sat_json_obj(); /* OpenAPI allows no member of ours here */
	sat_json_put_str(*out, "openapi", "3.1.0");
	info = sat_json_put_obj(*out, "info");
	sat_json_put_str(info, "title", "Satchel");
	sat_json_put_str(info, "version", "1");
	paths = sat_json_put_obj(*out, "paths");
	r = sat_api_routes(&n);
	for (size_t i = 0; i < n; i++) {
		sat_json *path;
		size_t k = 0;

		while (strcmp(r[k].pattern, r[i].pattern) != 0)
			k++;
		if (k < i)
			continue; /* its methods are there already */
		path = sat_json_put_obj(paths, r[i].pattern);
		for (k = i; k < n; k++)
			if (strcmp(r[k].pattern, r[i].pattern) == 0)
				put_operation(path, &r[k], t);
	}
	put_problem(*out);
	return SAT_OK;
}

HANDLER(api_of_daemon)
{
	(void)out;
	(void)api;
	(void)args;
	return sat_fail_code(e, SAT_ENOTFOUND, "not_found",
	    "a running daemon keeps such things: satchel daemon",
	    "there is no %s %s", req->method, req->path);
}
