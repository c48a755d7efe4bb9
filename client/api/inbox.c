/*
 * What needs a person: refused commits, customers that left, and the inbox with
 * the conflicts (conflicts.c) beside them.
 */
#include "client/api/api_int.h"

#include <stdlib.h>
#include <string.h>

static void
quarantined_put(sat_json *row, sat_api *api, const sat_quarantined *q)
{
	sat_json_put_int(row, "id", q->id);
	api_time_put(row, "at", q->at_ms);
	sat_json_put_str(row, "code", q->slug);
	sat_json_put_str(row, "hint", q->hint);
	api_commit_json(row, api, &q->commit);
}

static sat_rc
quarantine_put(sat_json *data, sat_api *api, sat_err *e)
{
	sat_arena a = { 0 };
	sat_quarantined *q;
	size_t n;
	sat_rc rc = sat_replica_quarantine(&q, &n, &a, api->crm.replica, e);

	for (size_t i = 0; rc == SAT_OK && i < n; i++)
		quarantined_put(sat_json_add_obj(data), api, &q[i]);
	sat_arena_fini(&a);
	return rc;
}

HANDLER(api_quarantine)
{
	sat_json *doc = api_doc("quarantine.list");
	sat_rc rc = quarantine_put(sat_json_put_arr(doc, "data"), api, e);

	(void)req;
	(void)args;
	if (rc != SAT_OK) {
		sat_json_free(doc);
		return rc;
	}
	*out = doc;
	return SAT_OK;
}

HANDLER(api_discard)
{
	const char *reason = sat_json_get_str(req->body, "reason", NULL);
	char *end;
	long long id = strtoll(args[0], &end, 10);
	sat_rc rc;

	if (end == args[0] || *end != '\0')
		return sat_fail(e, SAT_ENOTFOUND, "no refused commit %s", args[0]);
	if (reason == NULL || reason[0] == '\0')
		return sat_fail_code(e, SAT_EUSAGE, "usage.reason", NULL,
		    "discarding a refused commit needs a reason");
	rc = sat_replica_discard(api->crm.replica, id, reason, e);
	return rc == SAT_OK ? api_quarantine(out, api, req, args, e) : rc;
}

static sat_rc
moved_put(sat_json *data, sat_api *api, sat_err *e)
{
	sat_arena a = { 0 };
	sat_moved *m;
	size_t n;
	sat_rc rc = sat_replica_moved(&m, &n, &a, api->crm.replica, e);

	for (size_t i = 0; rc == SAT_OK && i < n; i++) {
		sat_json *row = sat_json_add_obj(data);
		char id[SAT_ID_TEXT];

		sat_id_text(id, &m[i].root);
		sat_json_put_str(row, "id", id);
		sat_json_put_str(row, "title", m[i].title);
		sat_json_put_str(row, "to", m[i].to);
		sat_json_put_int(row, "lsn", (int64_t)m[i].lsn);
	}
	sat_arena_fini(&a);
	return rc;
}

HANDLER(api_moved)
{
	sat_json *doc = api_doc("moved.list");
	sat_rc rc = moved_put(sat_json_put_arr(doc, "data"), api, e);

	(void)req;
	(void)args;
	if (rc != SAT_OK) {
		sat_json_free(doc);
		return rc;
	}
	*out = doc;
	return SAT_OK;
}

HANDLER(api_inbox)
{
	sat_json *doc = api_doc("inbox");
	sat_rc rc;

	(void)req;
	(void)args;
	if ((rc = api_conflicts_put(sat_json_put_arr(doc, "conflicts"), api,
	         NULL, e)) != SAT_OK ||
	    (rc = quarantine_put(sat_json_put_arr(doc, "refused"), api, e)) !=
	        SAT_OK ||
	    (rc = moved_put(sat_json_put_arr(doc, "moved"), api, e)) != SAT_OK) {
		sat_json_free(doc);
		return rc;
	}
	*out = doc;
	return SAT_OK;
}
