/*
 * Which requests make something that can be looked at afterwards, and where: HTTP
 * answers those with 201 and Location.
 */
#include "client/api/api_int.h"

#include <stdio.h>
#include <string.h>

/* Is there a route for one of what this one adds to? */
static bool
has_items(const sat_route *r)
{
	size_t n, len = strlen(r->pattern);
	const sat_route *all = sat_api_routes(&n);

	for (size_t i = 0; i < n; i++)
		if (strncmp(all[i].pattern, r->pattern, len) == 0 &&
		    strncmp(all[i].pattern + len, "/{", 2) == 0 &&
		    strchr(all[i].pattern + len + 1, '/') == NULL)
			return true;
	return false;
}

static bool
is_create(const char *permission)
{
	size_t n = strlen(permission);

	return strcmp(permission, "create") == 0 ||
	    (n > 7 && strcmp(permission + n - 7, ".create") == 0);
}

bool
api_makes(const sat_route *r)
{
	static const char *const things[] = { "record", "admin", "token",
		"attachment" };
	bool thing = false;

	for (size_t i = 0; i < sizeof things / sizeof things[0]; i++)
		thing = thing || strcmp(r->schema, things[i]) == 0;
	return thing && strcmp(r->method, "POST") == 0 && (has_items(r) ||
	    (is_create(r->permission) && strcmp(r->schema, "record") == 0));
}

static const char *
name_of(const sat_json *out)
{
	static const char *const names[] = { "id", "hash", "key" };
	const sat_json *data = sat_json_get(out, "data");
	const char *s = NULL;

	if (sat_json_type(data) != SAT_J_OBJ)
		data = out;
	for (size_t i = 0; i < 3 && s == NULL; i++)
		s = sat_json_get_str(data, names[i], NULL);
	return s;
}

/* Of a record that was answered with; NULL: it is none. */
static const sat_kind *
kind_of(const sat_api *api, const sat_json *out)
{
	const sat_template *t = api->crm.replica != NULL ?
	    sat_replica_template(api->crm.replica) : NULL;
	const char *s = sat_json_get_str(out, "schema", "");
	char word[64];

	if (t == NULL || strncmp(s, "satchel/", 8) != 0)
		return NULL;
	(void)snprintf(word, sizeof word, "%.*s", (int)strcspn(s + 8, "/"),
	    s + 8);
	return sat_template_kind(t, word);
}

bool
sat_api_made(char *where, size_t max, const sat_api *api,
    const sat_request *req, const sat_json *out)
{
	const sat_route *r = api_route_of(req->method, req->path);
	const sat_kind *k = kind_of(api, out);
	const char *name = name_of(out);
	int n = 0;

	where[0] = '\0';
	if (r == NULL || !api_makes(r) || api_is_trial(req))
		return false;
	if (name != NULL && has_items(r))
		n = snprintf(where, max, "%s/%s", req->path, name);
	else if (name != NULL && k != NULL && api_may_view(api, k))
		n = snprintf(where, max, "/v1/%s/%s", k->plural, name);
	if (n < 0 || (size_t)n >= max)
		where[0] = '\0';
	return true;
}
