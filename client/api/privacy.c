/*
 * Erasures: asked for by one, confirmed by another, carried out by the server
 * and every device. The server decides who may, and says what became of them.
 */
#include "client/api/api_int.h"

#include <string.h>

static void
user_put(sat_json *row, const char *key, sat_api *api, uint32_t ord)
{
	const sat_registry *reg = sat_replica_registry(api->crm.replica);
	const sat_user *u = ord != 0 ? sat_registry_user_ord(reg, ord) : NULL;

	sat_json_put_str(row, key, u != NULL ? u->key : NULL);
}

static sat_json *
listing(sat_api *api, const sat_privacy_is *is)
{
	sat_json *doc = api_doc("privacy.list");
	sat_json *rows = sat_json_put_arr(doc, "data");

	for (size_t i = 0; i < is->n; i++) {
		const sat_privacy_row *x = &is->row[i];
		sat_json *row = sat_json_add_obj(rows);
		char id[SAT_ID_TEXT];
		sat_id with;

		sat_id_text(id, &x->subject);
		sat_json_put_str(row, "id", id);
		sat_json_put_str(row, "state", !x->done ? "asked" :
		    x->pending == 0 ? "done" : "pending");
		sat_json_put_time(row, "at", x->at_ms);
		user_put(row, "by", api, x->by);
		user_put(row, "second", api, x->second);
		sat_json_put_strn(row, "reason", x->reason);
		if (api_with_of(&with, x))
			api_id_put(row, "with", &with);
		sat_json_put_int(row, "confirmed", (int64_t)x->confirmed);
		sat_json_put_int(row, "pending", (int64_t)x->pending);
		sat_json_put_int(row, "expired", (int64_t)x->expired);
	}
	return doc;
}

/* The record's id. A device of the role admin holds no records: there only the
 * whole id names one. */
static sat_rc
find_subject(sat_id *id, sat_api *api, const char *text, sat_err *e)
{
	if (text == NULL)
		return sat_fail_code(e, SAT_EUSAGE, "usage", NULL,
		    "name the customer to erase");
	if (sat_id_parse(id, text))
		return SAT_OK;
	return sat_replica_resolve(id, api->crm.replica, NULL, text, e);
}

static sat_rc
list(sat_json **out, sat_api *api, sat_err *e)
{
	sat_privacy in = { .verb = SAT_PRIVACY_LIST };
	sat_privacy_is is;
	sat_arena a = { 0 };
	sat_rc rc = sat_sync_privacy(&is, &a, api->crm.replica, &in, &api->sync,
	    e);

	if (rc == SAT_OK)
		*out = listing(api, &is);
	sat_arena_fini(&a);
	return rc;
}

/* Erasures are the server's to say, to those it tells; requests are here. */
HANDLER(api_privacy)
{
	const sat_user *me = sat_replica_me(api->crm.replica);
	const sat_template *t = sat_replica_template(api->crm.replica);
	sat_rc rc = SAT_OK;

	(void)args;
	(void)req;
	if (me != NULL && t != NULL && strcmp(me->role, "hq") != 0 && sat_acl(t,
	    me->role, "rights_request.view") != SAT_GRANT_NO) {
		*out = api_doc("privacy.list");
		(void)sat_json_put_arr(*out, "data");
	} else {
		rc = list(out, api, e);
	}
	if (rc == SAT_OK && t != NULL)
		rc = api_requests_put(sat_json_put_arr(*out, "requests"), api,
		    e);
	if (rc != SAT_OK) {
		sat_json_free(*out);
		*out = NULL;
	}
	return rc;
}

/* ---- asking for one, and confirming it: beside the replica's thread ---- */

typedef struct erasing {
	sat_api *api;
	const sat_request *req;
	sat_privacy in;
	sat_privacy_is is;
	api_withs with;
	sat_arena a;
	sat_json *doc;
	sat_err err;
	sat_rc rc;
} erasing;

static void
begin(void *arg)
{
	erasing *x = arg;
	const char *reason = sat_json_get_str(x->req->body, "reason", "");

	x->rc = find_subject(&x->in.subject, x->api,
	    sat_json_get_str(x->req->body, "id", NULL), &x->err);
	if (x->rc == SAT_OK && x->in.verb == SAT_PRIVACY_ERASE)
		x->rc = api_with_find(&x->with, &x->a, x->api, &x->in.subject,
		    &x->err);
	if (x->rc == SAT_OK && strlen(reason) > (x->with.n > 0 ?
	    api_with_room() : SAT_ERASE_REASON_MAX))
		x->rc = sat_fail(&x->err, SAT_EUSAGE, "the reason is too long");
	x->in.reason = sat_span_str(reason);
}

static void
end(void *arg)
{
	erasing *x = arg;

	x->doc = listing(x->api, &x->is);
	api_with_put(x->doc, &x->with);
}

static sat_rc
decide(erasing *x, sat_err *e)
{
	bool ask = x->in.verb == SAT_PRIVACY_ERASE;
	sat_rc rc = ask ? SAT_OK : api_with_confirm(&x->with, &x->a, x->api,
	    &x->in.subject, e);

	if (rc == SAT_OK)
		rc = api_ask_privacy(&x->is, &x->a, x->api, &x->in, e);
	return rc == SAT_OK && ask ? api_with_ask(&x->with, &x->is, &x->a,
	    x->api, &x->in, e) : rc;
}

/* What is unsent goes first: to take a merger apart decides who is erased. */
static sat_rc
run(sat_json **out, sat_api *api, const sat_request *req,
    sat_privacy_verb verb, sat_err *e)
{
	erasing x = { .api = api, .req = req, .in = { .verb = verb } };
	sat_rc rc;

	api_on_replica(api, begin, &x);
	if ((rc = x.rc) != SAT_OK) {
		if (e != NULL)
			*e = x.err;
	} else if ((rc = api_send_first(api, e)) == SAT_OK &&
	    (rc = decide(&x, e)) == SAT_OK) {
		api_on_replica(api, end, &x);
		*out = x.doc;
	}
	sat_arena_fini(&x.a);
	return rc;
}

HANDLER(api_privacy_erase)
{
	(void)args;
	return run(out, api, req, SAT_PRIVACY_ERASE, e);
}

sat_rc
api_privacy_follow(sat_api *api, sat_err *e)
{
	sat_sync_opts o = api->sync;
	sat_sync_result r;
	sat_err why = { 0 };
	sat_rc rc;

	o.flags = SAT_CS_PULL_ONLY;
	o.interrupted = api_interrupted;
	o.u = api;
	rc = sat_sync_run(&r, api->crm.replica, &o, &why);
	return rc == SAT_OK || rc == SAT_EPARTLY ? SAT_OK : sat_fail_code(e, rc,
	    "privacy.unheard", "satchel sync",
	    "the server erased it, and this device could not follow yet: %s",
	    why.text);
}

HANDLER(api_privacy_confirm)
{
	sat_rc rc = run(out, api, req, SAT_PRIVACY_CONFIRM, e);

	(void)args;
	if (rc == SAT_OK && (rc = api_privacy_follow(api, e)) != SAT_OK) {
		sat_json_free(*out);
		*out = NULL;
	}
	return rc;
}
