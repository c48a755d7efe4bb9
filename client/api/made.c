/*
 * Which requests make something that can be looked at afterwards, and where: HTTP
 * answers those with 201 and Location.
 *
 * What is only written down beside the answer is not what was asked for: the trace
 * of a copy that was handed over (POST /v1/privacy/access), a signature (part of
 * the frozen report), a turn, a verdict on a sample. Those are answered with 200.
 */
#include "client/api/api_int.h"

#include <stdio.h>
#include <string.h>

/* Under which path it is found: the request's own, as the record it is, or as
 * the answer says in a way of its own. */
typedef enum place { UNDER_PATH, AS_RECORD, AS_FROZEN, AS_CONVERTED } place;

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
	{ "/v1/reports/{key}/freeze", AS_FROZEN },
	{ "/v1/leads/{id}/convert", AS_CONVERTED },
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

/* NULL: there is none, or not for this reader. */
static const sat_kind *
kind_seen(const sat_api *api, const char *word)
{
	const sat_template *t = api->crm.replica != NULL ?
	    sat_replica_template(api->crm.replica) : NULL;
	const sat_kind *k = t != NULL ? sat_template_kind(t, word) : NULL;

	return k != NULL && api_may_view(api, k) ? k : NULL;
}

/* Of a record that was answered with: the answer's schema names it. */
static const sat_kind *
kind_of(const sat_api *api, const sat_json *out)
{
	const char *s = sat_json_get_str(out, "schema", "");
	char word[64];

	if (strncmp(s, "satchel/", 8) != 0)
		return NULL;
	(void)snprintf(word, sizeof word, "%.*s", (int)strcspn(s + 8, "/"),
	    s + 8);
	return kind_seen(api, word);
}

/* Of what a lead became the record that matters most and was not there before;
 * NULL: nothing was made, it had been a customer's already. */
static const char *
converted(const sat_request *req, const sat_json *out)
{
	static const char *const kinds[] = { "account", "opportunity",
		"contact" };
	bool into = sat_json_get_str(req->body, "into", NULL) != NULL;

	if (sat_json_get_bool(out, "already", false))
		return NULL;
	for (size_t i = into ? 1 : 0; i < 3; i++)
		if (sat_json_get_str(out, kinds[i], NULL) != NULL)
			return kinds[i];
	return NULL;
}

bool
sat_api_made(char *where, size_t max, const sat_api *api,
    const sat_request *req, const sat_json *out)
{
	const sat_route *r = api_route_of(req->method, req->path);
	size_t i = r != NULL ? making(r) : NMAKES;
	const char *name = name_of(out), *is;
	const sat_kind *k = NULL;
	int n = 0;

	where[0] = '\0';
	if (i == NMAKES || api_is_trial(req))
		return false;
	switch (makes[i].where) {
	case UNDER_PATH:
		if (name != NULL)
			n = snprintf(where, max, "%s/%s", req->path, name);
		break;
	case AS_FROZEN:
		name = sat_json_get_str(sat_json_get(out, "frozen"), "id", "");
		n = snprintf(where, max, "/v1/reports/frozen/%s", name);
		break;
	case AS_CONVERTED:
		if ((is = converted(req, out)) == NULL)
			return false;
		name = sat_json_get_str(out, is, NULL);
		k = kind_seen(api, is);
		break;
	case AS_RECORD:
		k = kind_of(api, out);
		break;
	}
	if (name != NULL && k != NULL)
		n = snprintf(where, max, "/v1/%s/%s", k->plural, name);
	if (n < 0 || (size_t)n >= max)
		where[0] = '\0';
	return true;
}
