/*
 * ?validate=only: what a write would be told, while nothing is written. Creating
 * and changing judge by themselves; what moves, assigns, deletes and restores is
 * done inside a group that is taken back. Every other route refuses the word: a
 * caller who asked for a trial must not find it done.
 */
#include <string.h>

#include "client/api/api_int.h"

static bool
is_one_of(const sat_route *r, sat_rc (*const *list)(sat_json **, sat_api *,
    const sat_request *, const char *const [4], sat_err *), size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (r->handle == list[i])
			return true;
	return false;
}

bool
api_is_trial(const sat_request *req)
{
	return strcmp(req->method, "GET") != 0 &&
	    sat_json_get(req->query, "validate") != NULL;
}

static sat_rc
and_back(sat_json **out, sat_api *api, const sat_request *req,
    const sat_route *r, const char *const args[4], sat_err *e)
{
	sat_rc rc = sat_replica_group_begin(api->crm.replica, e);

	if (rc != SAT_OK)
		return rc;
	rc = r->handle(out, api, req, args, e);
	sat_replica_group_rollback(api->crm.replica);
	if (rc == SAT_OK) { /* not the record: it is as it was */
		sat_json_free(*out);
		*out = api_doc("valid");
	}
	return rc;
}

sat_rc
api_trial(sat_json **out, sat_api *api, const sat_request *req,
    const sat_route *r, const char *const args[4], sat_err *e)
{
	static sat_rc (*const own[])(sat_json **, sat_api *,
	    const sat_request *, const char *const [4], sat_err *) = {
		api_create, api_edit, api_batch };
	static sat_rc (*const undone[])(sat_json **, sat_api *,
	    const sat_request *, const char *const [4], sat_err *) = {
		api_delete, api_restore, api_stage, api_assign };

	const char *how = sat_json_get_str(req->query, "validate", "");
	sat_rc rc = api_as_seen(api, req, r, args, e);

	if (rc != SAT_OK)
		return rc;
	if (strcmp(how, "only") != 0)
		return sat_fail_code(e, SAT_EUSAGE, "usage.option",
		    "validate=only", "\"%.20s\" is no way to validate", how);
	if (is_one_of(r, own, sizeof own / sizeof own[0]))
		return r->handle(out, api, req, args, e);
	if (is_one_of(r, undone, sizeof undone / sizeof undone[0]))
		return and_back(out, api, req, r, args, e);
	return sat_fail_code(e, SAT_EUSAGE, "usage.option",
	    "leave validate away to have it done",
	    "this request cannot be judged without being done");
}
