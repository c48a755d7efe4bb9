/*
 * A lead becomes a customer, or leads to nothing.
 */
#include "client/api/api_int.h"

#include <string.h>

static sat_rc
find(sat_id *id, sat_api *api, const char *kind, const char *text, sat_err *e)
{
	const sat_kind *k;
	sat_rc rc = api_kind(&k, api, kind, e);

	return rc == SAT_OK ? sat_replica_resolve(id, api->crm.replica, k, text,
	    e) : rc;
}

HANDLER(api_convert)
{
	const char *to = sat_json_get_str(req->body, "into", NULL);
	sat_write_opts o = { .duplicate_reason = sat_json_get_str(req->body,
		"allow_duplicate", NULL) };
	sat_duplicate dup[SAT_DUPLICATES_MAX];
	api_inputs x = { .n = 0 };
	sat_converted done;
	sat_id id, into;
	size_t ndup;
	sat_rc rc = find(&id, api, "leads", args[0], e);

	if (rc == SAT_OK && to != NULL)
		rc = find(&into, api, "accounts", to, e);
	if (rc == SAT_OK && sat_json_get(req->body, "set") != NULL)
		rc = api_inputs_read(&x, sat_json_get(req->body, "set"), e);
	if (rc == SAT_OK)
		rc = sat_crm_convert(&done, &api->crm, &id,
		    to != NULL ? &into : NULL, x.in, x.n, &o, dup, &ndup, e);
	sat_arena_fini(&x.a);
	if (rc != SAT_OK)
		return rc;
	*out = api_doc("lead.converted");
	api_id_put(*out, "lead", &id);
	api_id_put(*out, "account", &done.account);
	api_id_put(*out, "contact", &done.contact);
	api_id_put(*out, "opportunity", &done.opportunity);
	sat_json_put_bool(*out, "already", done.already);
	return SAT_OK;
}

HANDLER(api_lead_discard)
{
	const sat_kind *k;
	sat_id id;
	sat_rc rc = api_kind(&k, api, "leads", e);

	if (rc == SAT_OK)
		rc = sat_replica_resolve(&id, api->crm.replica, k, args[0], e);
	if (rc == SAT_OK)
		rc = sat_crm_discard(&api->crm, &id, sat_json_get_str(req->body,
		    "reason", NULL), e);
	return rc == SAT_OK ? api_record_answer(out, api, k, &id, false, e) : rc;
}
