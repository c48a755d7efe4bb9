/*
 * What needs a person: conflicts, refused commits, customers that left.
 */
#include "client/api/api_int.h"

#include <stdlib.h>
#include <string.h>

static void
conflict_put(sat_json *row, sat_api *api, const sat_conflict *c)
{
	const sat_replica_identity *me =
	    sat_replica_identity_get(api->crm.replica);
	char id[SAT_ID_TEXT];
	sat_arena a = { 0 };
	sat_buf mask = { 0 };
	sat_json *values;
	sat_view v;

	sat_id_text(id, &c->rec);
	sat_json_put_str(row, "key", c->key);
	sat_json_put_str(row, "kind", c->kind->key);
	sat_json_put_str(row, "id", id);
	if (sat_replica_get(&v, &a, api->crm.replica, c->kind, &c->rec, NULL) ==
	        SAT_OK &&
	    c->kind->title != NULL) {
		sat_value title = sat_record_value(&v.rec, c->kind->title->id);

		api_value_put(row, "title", api, c->kind->title, title);
		if (c->kind->owner != NULL)
			api_value_put(row, "owner", api, c->kind->owner,
			    sat_record_value(&v.rec, c->kind->owner->id));
	}
	sat_json_put_str(row, "field", c->field != NULL ? c->field->key : NULL);
	sat_json_put_int(row, "opened_lsn", (int64_t)c->opened_lsn);
	values = sat_json_put_arr(row, "values");
	for (size_t i = 0; i < c->n; i++) {
		sat_json *x = sat_json_add_obj(values);

		api_value_put(x, "value", api, c->field,
		    api_shown(&mask, api, c->kind, &c->rec, c->field,
		        c->candidates[i].value));
		sat_json_put_bool(x, "shown", i == 0);
		sat_json_put_bool(x, "mine",
		    c->candidates[i].at.dev == me->device);
		api_time_put(x, "at", sat_hlc_ms(c->candidates[i].at.hlc));
		api_device_put(x, api, c->candidates[i].at.dev);
		sat_json_put_int(x, "lsn", (int64_t)c->candidates[i].at.lsn);
	}
	sat_buf_fini(&mask);
	sat_arena_fini(&a);
}

static sat_rc
conflicts_put(sat_json *data, sat_api *api, const char *key, size_t *found,
    sat_err *e)
{
	sat_arena a = { 0 };
	sat_conflict *c;
	size_t n;
	sat_rc rc = sat_replica_conflicts(&c, &n, &a, api->crm.replica, e);

	*found = 0;
	for (size_t i = 0; rc == SAT_OK && i < n; i++)
		if (key == NULL || strcmp(key, c[i].key) == 0) {
			conflict_put(sat_json_add_obj(data), api, &c[i]);
			++*found;
		}
	sat_arena_fini(&a);
	return rc;
}

HANDLER(api_conflicts)
{
	sat_json *doc = api_doc("conflict.list");
	size_t n;
	sat_rc rc = conflicts_put(sat_json_put_arr(doc, "data"), api, NULL, &n,
	    e);

	(void)req;
	(void)args;
	if (rc != SAT_OK) {
		sat_json_free(doc);
		return rc;
	}
	*out = doc;
	return SAT_OK;
}

/* The whole key, or a unique beginning of at least 6 characters. */
static sat_rc
full_key(char out[48], sat_api *api, const char *text, sat_err *e)
{
	sat_arena a = { 0 };
	size_t n, hits = 0, len = strlen(text);
	sat_conflict *c;
	sat_rc rc = sat_replica_conflicts(&c, &n, &a, api->crm.replica, e);

	for (size_t i = 0; rc == SAT_OK && i < n; i++) {
		bool exact = strcmp(c[i].key, text) == 0;

		if (exact || (len >= 6 && strncmp(c[i].key, text, len) == 0)) {
			memcpy(out, c[i].key, sizeof c[i].key);
			hits = exact ? 1 : hits + 1;
			if (exact)
				break;
		}
	}
	sat_arena_fini(&a);
	if (rc != SAT_OK)
		return rc;
	if (hits == 0)
		return sat_fail_code(e, SAT_ENOTFOUND, "not_found",
		    "see: satchel conflict list", "no open conflict %s", text);
	return hits == 1 ? SAT_OK
	                 : sat_fail(e, SAT_ECONFLICT,
	                       "%s names %zu conflicts; give more of the key",
	                       text, hits);
}

HANDLER(api_conflict)
{
	sat_json *doc;
	char key[48];
	size_t n;
	sat_rc rc = full_key(key, api, args[0], e);

	(void)req;
	if (rc != SAT_OK)
		return rc;
	doc = api_doc("conflict.list");
	rc = conflicts_put(sat_json_put_arr(doc, "data"), api, key, &n, e);
	if (rc != SAT_OK) {
		sat_json_free(doc);
		return rc;
	}
	*out = doc;
	return SAT_OK;
}

HANDLER(api_resolve)
{
	const char *choice = sat_json_get_str(req->body, "choice", "");
	const char *text = sat_json_get_str(req->body, "value", "");
	const char *note = sat_json_get_str(req->body, "note", NULL);
	char key[48];
	sat_rc rc = full_key(key, api, args[0], e);

	if (rc == SAT_OK)
		rc = sat_crm_resolve(&api->crm, key, choice,
		    sat_span_str(text), e);
	if (rc == SAT_OK && note != NULL)
		rc = sat_replica_audit(api->crm.replica, "conflict.note", note, e);
	if (rc != SAT_OK)
		return rc;
	*out = api_doc("conflict.resolved");
	sat_json_put_str(*out, "key", key);
	return SAT_OK;
}

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
	size_t n;
	sat_rc rc;

	(void)req;
	(void)args;
	if ((rc = conflicts_put(sat_json_put_arr(doc, "conflicts"), api, NULL,
	         &n, e)) != SAT_OK ||
	    (rc = quarantine_put(sat_json_put_arr(doc, "refused"), api, e)) !=
	        SAT_OK ||
	    (rc = moved_put(sat_json_put_arr(doc, "moved"), api, e)) != SAT_OK) {
		sat_json_free(doc);
		return rc;
	}
	*out = doc;
	return SAT_OK;
}
