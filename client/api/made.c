/*
 * Which requests make something that can be looked at afterwards, and where: HTTP
 * answers those with 201 and Location.
 */
#include "client/api/api_int.h"

#include <stdio.h>
#include <string.h>

/* Under which path it is found: the request's own, or as the record it is. */
typedef enum place { UNDER_PATH, AS_RECORD } place;

/* By their patterns: POST alone makes. */
static const struct {
	const char *pattern;
	place where;
} makes[] = {
	{ "/v1/admin/{noun}", UNDER_PATH },
	{ "/v1/webhooks", UNDER_PATH },
	{ "/v1/tokens", UNDER_PATH },
	{ "/v1/attachments", UNDER_PATH },
	{ "/v1/views", UNDER_PATH },
	{ "/v1/{kind}", UNDER_PATH },
	{ "/v1/templates/proposals", AS_RECORD },
	{ "/v1/privacy/correct", AS_RECORD },
	{ "/v1/activities/{id}/amend", AS_RECORD },
	{ "/v1/visits/checkin", AS_RECORD },
	{ "/v1/kiosk/checkin", AS_RECORD },
};
#define NMAKES (sizeof makes / sizeof makes[0])

/* NMAKES: it makes nothing. */
static size_t
making(const sat_route *r)
{
	size_t i = 0;

	while (i < NMAKES && strcmp(makes[i].pattern, r->pattern) != 0)
		i++;
	return strcmp(r->method, "POST") == 0 ? i : NMAKES;
}

bool
api_makes(const sat_route *r)
{
	return making(r) < NMAKES;
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
	if (name != NULL && makes[making(r)].where == UNDER_PATH)
		n = snprintf(where, max, "%s/%s", req->path, name);
	else if (name != NULL && k != NULL && api_may_view(api, k))
		n = snprintf(where, max, "/v1/%s/%s", k->plural, name);
	if (n < 0 || (size_t)n >= max)
		where[0] = '\0';
	return true;
}
