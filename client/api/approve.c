/*
 * Submit, approve, reject: client/crm/approve.c asked over the route table.
 */
#include "client/api/api_int.h"

#include <string.h>

static sat_rc
put(sat_json **out, sat_api *api, const sat_kind *k, const sat_id *id,
    const sat_approval_is *is, sat_err *e)
{
	sat_json *doc, *arr;
	sat_rc rc = api_record_answer(&doc, api, k, id, false, e);
	bool zh = api->crm.lang != NULL && api->crm.lang[0] == 'z';

	if (rc != SAT_OK)
		return rc;
	*out = api_doc("approval");
	sat_json_put_str(*out, "kind", k->key);
	sat_json_put_str(*out, "state", k->stage != NULL ? sat_json_get_str(
	    sat_json_get(doc, "data"), k->stage->key, NULL) : NULL);
	sat_json_put_bool(*out, "complete", is->route == NULL);
	sat_json_put_str(*out, "route", is->route != NULL ? is->route->key :
	    NULL);
	sat_json_put_str(*out, "route_label", is->route == NULL ? NULL :
	    zh ? is->route->zh : is->route->en);
	arr = sat_json_put_arr(*out, "missing");
	for (size_t i = 0; i < is->nmissing; i++)
		sat_json_add_str(arr, is->missing[i]);
	arr = sat_json_put_arr(*out, "asked");
	for (size_t i = 0; i < is->nasked; i++) {
		sat_json *row = sat_json_add_obj(arr);

		sat_json_put_str(row, "role", is->asked[i].role);
		sat_json_put_str(row, "user", is->asked[i].user);
	}
	sat_json_put(*out, "data", sat_json_dup(sat_json_get(doc, "data")));
	sat_json_free(doc);
	return SAT_OK;
}

/* Ask, or agree: both say one thing and answer how far it is. */
static sat_rc
take_step(sat_json **out, sat_api *api, const char *const args[4],
    const char *said, sat_rc (*step)(sat_approval_is *is, sat_arena *a,
    sat_crm *c, const sat_kind *k, const sat_id *id, const char *said,
    sat_err *e), sat_err *e)
{
	sat_arena a = { 0 };
	sat_approval_is is;
	const sat_kind *k;
	sat_id id;
	sat_rc rc = api_find(&k, &id, api, args, e);

	if (rc == SAT_OK)
		rc = step(&is, &a, &api->crm, k, &id, said, e);
	if (rc == SAT_OK)
		rc = put(out, api, k, &id, &is, e);
	sat_arena_fini(&a);
	return rc;
}

/* ---- what waits ---- */

static void
put_waiting(sat_json *row, bool zh, const sat_waiting *w, int64_t now_ms)
{
	char id[SAT_ID_TEXT];

	sat_id_text(id, &w->id);
	sat_json_put_str(row, "kind", w->kind->key);
	sat_json_put_str(row, "id", id);
	sat_json_put_str(row, "title", w->title);
	sat_id_text(id, &w->account);
	sat_json_put_str(row, "account", sat_id_zero(&w->account) ? NULL : id);
	sat_json_put_str(row, "owner", w->owner);
	sat_json_put_str(row, "route", w->route->key);
	sat_json_put_str(row, "route_label", zh ? w->route->zh : w->route->en);
	sat_json_put_int(row, "step", (int64_t)w->step);
	sat_json_put_int(row, "steps", (int64_t)w->nsteps);
	sat_json_put_str(row, "role", w->role);
	sat_json_put_str(row, "approver", w->user);
	sat_json_put_time(row, "since", w->since_ms);
	sat_json_put_int(row, "waited_h", (now_ms - w->since_ms) / 3600000);
	if (w->limit_d > 0)
		sat_json_put_int(row, "limit_d", w->limit_d);
	else
		sat_json_put_null(row, "limit_d");
	sat_json_put_time(row, "due", w->due_ms);
	sat_json_put_bool(row, "overdue", w->overdue);
}

static bool
is_user(const char *want, const char *is, const sat_user *me)
{
	if (want == NULL)
		return true;
	if (strcmp(want, "me") == 0)
		want = me->key;
	return is != NULL && strcmp(want, is) == 0;
}

HANDLER(api_approvals)
{
	const char *approver = api_q(req, "approver");
	const char *owner = api_q(req, "owner"), *kind = api_q(req, "kind");
	const sat_user *me = sat_replica_me(api->crm.replica);
	bool overdue = api_q(req, "overdue") != NULL;
	const sat_kind *k = NULL;
	sat_arena a = { 0 };
	sat_waiting *v;
	int64_t now_ms;
	sat_json *data;
	size_t n;
	sat_rc rc;

	(void)args;
	if ((kind != NULL && (rc = api_kind(&k, api, kind, e)) != SAT_OK) ||
	    (rc = api_as_of(&now_ms, api, api_q(req, "as_of"), e)) != SAT_OK)
		return rc;
	rc = sat_crm_waiting(&v, &n, &a, &api->crm, k, now_ms, e);
	if (rc == SAT_OK) {
		*out = api_doc("approval.list");
		sat_json_put_time(*out, "as_of", now_ms);
		data = sat_json_put_arr(*out, "data");
		for (size_t i = 0; i < n; i++)
			if (is_user(approver, v[i].user, me) &&
			    is_user(owner, v[i].owner, me) &&
			    (!overdue || v[i].overdue))
				put_waiting(sat_json_add_obj(data),
				    api->crm.lang != NULL &&
				    api->crm.lang[0] == 'z', &v[i], now_ms);
	}
	sat_arena_fini(&a);
	return rc;
}

HANDLER(api_submit)
{
	return take_step(out, api, args,
	    sat_json_get_str(req->body, "expert", NULL), sat_crm_submit, e);
}

HANDLER(api_approve)
{
	return take_step(out, api, args,
	    sat_json_get_str(req->body, "note", NULL), sat_crm_approve, e);
}

HANDLER(api_reject)
{
	const char *reason = sat_json_get_str(req->body, "reason", NULL);
	sat_arena a = { 0 };
	sat_approval_is is;
	const sat_kind *k;
	sat_id id;
	sat_rc rc = api_find(&k, &id, api, args, e);

	if (rc == SAT_OK && (reason == NULL || reason[0] == '\0'))
		rc = sat_fail_code(e, SAT_EUSAGE, "usage.reason", NULL,
		    "say why: --reason TEXT");
	if (rc == SAT_OK)
		rc = sat_crm_reject(&api->crm, k, &id, reason, e);
	if (rc == SAT_OK)
		rc = sat_crm_approval(&is, &a, &api->crm, k, &id, e);
	if (rc == SAT_OK)
		rc = put(out, api, k, &id, &is, e);
	sat_arena_fini(&a);
	return rc;
}
