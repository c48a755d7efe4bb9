/*
 * ?if_version=V, over HTTP If-Match: what is asked for is done only if the record
 * still is as whoever asks has read it; he may be agreeing to it. That holds for
 * every write to one record by its path. A write to anything else refuses the
 * word: a caller who asked for a condition must not find it ignored.
 */
#include "client/api/api_int.h"

#include <stdio.h>
#include <string.h>

#define KIND_MAX 40

/* args of the record the path is about, as of /v1/{kind}/{id}. */
static bool
is_about(const char *at[4], char kind[KIND_MAX], const sat_route *r,
    const sat_api *api, const char *const args[4])
{
	static const char of_any[] = "/v1/{kind}/{id}";
	const char *word = r->pattern + strlen("/v1/");
	size_t n = strcspn(word, "/");
	const sat_template *t;

	if (strncmp(r->pattern, of_any, sizeof of_any - 1) == 0) {
		at[0] = args[0];
		at[1] = args[1];
		return true;
	}
	if (n >= KIND_MAX || strncmp(word + n, "/{id}", 5) != 0)
		return false;
	(void)snprintf(kind, KIND_MAX, "%.*s", (int)n, word);
	at[0] = kind;
	at[1] = args[0];
	t = sat_replica_template(api->crm.replica);
	return t != NULL && sat_template_kind(t, kind) != NULL;
}

sat_rc
api_as_seen(sat_api *api, const sat_request *req, const sat_route *r,
    const char *const args[4], sat_err *e)
{
	const char *version = api_q(req, "if_version");
	const char *at[4] = { NULL, NULL, NULL, NULL };
	char word[KIND_MAX];
	const sat_kind *k;
	sat_id id;
	sat_rc rc;

	if (version == NULL || strcmp(req->method, "GET") == 0 ||
	    strncmp(r->pattern, "/v1/views/", 10) == 0) /* also by name: they look */
		return SAT_OK;
	if (!is_about(at, word, r, api, args))
		return sat_fail_code(e, SAT_EUSAGE, "usage.option", NULL,
		    "this request is about no record that has a version");
	rc = api_find(&k, &id, api, at, e);
	return rc != SAT_OK ? rc : sat_crm_unchanged(&api->crm, k, &id, version,
	    e);
}
