/*
 * ?if_version=V, over HTTP If-Match: what is asked for is done only if the record
 * still is as whoever asks has read it; he may be agreeing to it. That holds for
 * every write to one record by its path. A write to anything else refuses the
 * word: a caller who asked for a condition must not find it ignored.
 *
 * Asked once, before the handler: a request has the replica to itself from here
 * to its end (the worker of a daemon; else the process), so nobody writes between
 * the two.
 */
#include "client/api/api_int.h"

#include <stdio.h>
#include <string.h>

#define KIND_MAX 40
#define OF_ANY "/v1/{kind}/{id}"
#define OF_VIEWS "/v1/views/{id}"

static bool
begins(const sat_route *r, const char *pattern)
{
	return strncmp(r->pattern, pattern, strlen(pattern)) == 0;
}

/* The word of a pattern that has a kind of the template before its {id}; NULL. */
static const char *
kind_in(char word[KIND_MAX], const sat_route *r, const sat_template *t)
{
	const char *from = r->pattern + strlen("/v1/");
	size_t n = strcspn(from, "/");

	if (n >= KIND_MAX || strncmp(from + n, "/{id}", 5) != 0)
		return NULL;
	(void)snprintf(word, KIND_MAX, "%.*s", (int)n, from);
	return t != NULL && sat_template_kind(t, word) != NULL ? word : NULL;
}

bool
api_has_version(const sat_route *r, const sat_template *t)
{
	char word[KIND_MAX];

	return begins(r, OF_ANY) || begins(r, OF_VIEWS) ||
	    kind_in(word, r, t) != NULL;
}

/* The record the path is about. */
static sat_rc
find_about(const sat_kind **k, sat_id *id, sat_api *api, const sat_route *r,
    const char *const args[4], sat_err *e)
{
	char word[KIND_MAX];
	const char *at[4] = { args[0], args[1], NULL, NULL };

	if (begins(r, OF_VIEWS)) /* of several kinds, and by name as well */
		return api_view_find(k, id, api, args[0], NULL, e);
	if (!begins(r, OF_ANY)) {
		at[0] = kind_in(word, r, sat_replica_template(api->crm.replica));
		at[1] = args[0];
	}
	return api_find(k, id, api, at, e);
}

sat_rc
api_as_seen(sat_api *api, const sat_request *req, const sat_route *r,
    const char *const args[4], sat_err *e)
{
	const sat_json *said = sat_json_get(req->query, "if_version");
	const sat_template *t = api->crm.replica != NULL ?
	    sat_replica_template(api->crm.replica) : NULL;
	const sat_kind *k;
	sat_id id;
	sat_rc rc;

	if (said == NULL || strcmp(req->method, "GET") == 0)
		return SAT_OK;
	if (!api_has_version(r, t))
		return sat_fail_code(e, SAT_EUSAGE, "usage.option", NULL,
		    "this request is about no record that has a version");
	rc = find_about(&k, &id, api, r, args, e);
	/* a list of versions is none that a record is at */
	return rc != SAT_OK ? rc : sat_crm_unchanged(&api->crm, k, &id,
	    sat_json_str(said, ""), e);
}
