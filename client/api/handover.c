/*
 * Work that is suggested: by those who lost a customer and came late, and by
 * those whose commits were refused (P-164..P-168).
 */
#include "client/api/api_int.h"

#include <string.h>

void
api_record_head_put(sat_json *row, sat_api *api, const sat_kind *k,
    const sat_id *rec)
{
	char id[SAT_ID_TEXT];
	sat_arena a = { 0 };
	sat_view v;

	sat_id_text(id, rec);
	sat_json_put_str(row, "kind", k != NULL ? k->key : NULL);
	sat_json_put_str(row, "id", id);
	if (k != NULL && sat_replica_get(&v, &a, api->crm.replica, k, rec,
	        NULL) == SAT_OK) {
		if (k->title != NULL)
			api_value_put(row, "title", api, k->title,
			    sat_record_value(&v.rec, k->title->id));
		if (k->owner != NULL)
			api_value_put(row, "owner", api, k->owner,
			    sat_record_value(&v.rec, k->owner->id));
		api_subject_put(row, api, &v);
	}
	sat_arena_fini(&a);
}

static void
handover_put(sat_json *row, sat_api *api, const sat_handover *h)
{
	sat_json *ops;

	sat_json_put_str(row, "key", h->key);
	api_record_head_put(row, api, h->kind, &h->rec);
	sat_json_put_strn(row, "by", h->by.actor);
	sat_json_put_int(row, "device", h->by.dev);
	sat_json_put_time(row, "made_at", sat_hlc_ms(h->by.hlc));
	sat_json_put_strn(row, "why", h->by.why);
	sat_json_put_int(row, "lsn", (int64_t)h->by.lsn);
	ops = sat_json_put_arr(row, "ops");
	for (size_t i = 0; i < h->what.nops; i++) {
		sat_json *o = sat_json_add_obj(ops);

		api_op_json(o, api, &h->what.ops[i]);
		api_server_value_put(o, api, "now", &h->what.ops[i]);
	}
}

sat_rc
api_handovers_put(sat_json *data, sat_api *api, const char *key, size_t *found,
    sat_err *e)
{
	sat_arena a = { 0 };
	sat_handover *h;
	size_t n;
	sat_rc rc = sat_replica_handovers(&h, &n, &a, api->crm.replica, e);

	*found = 0;
	for (size_t i = 0; rc == SAT_OK && i < n; i++)
		if (key == NULL || strcmp(key, h[i].key) == 0) {
			handover_put(sat_json_add_obj(data), api, &h[i]);
			++*found;
		}
	sat_arena_fini(&a);
	return rc;
}

static sat_rc
listed(sat_json **out, sat_api *api, const char *key, sat_err *e)
{
	sat_json *doc = api_doc("handover.list");
	size_t n;
	sat_rc rc = api_handovers_put(sat_json_put_arr(doc, "data"), api, key,
	    &n, e);

	if (rc == SAT_OK && key != NULL && n == 0)
		rc = sat_fail_code(e, SAT_ENOTFOUND, "not_found",
		    "see: satchel handover list",
		    "no suggestion waits under this key");
	return api_answer(out, doc, rc);
}

HANDLER(api_handovers)
{
	(void)req;
	(void)args;
	return listed(out, api, NULL, e);
}

static sat_rc
full_key(char key[64], sat_api *api, const char *text, sat_err *e)
{
	sat_arena a = { 0 };
	api_named who = { .text = text };
	sat_handover *h;
	size_t n;
	sat_rc rc = sat_replica_handovers(&h, &n, &a, api->crm.replica, e);

	for (size_t i = 0; rc == SAT_OK && i < n; i++)
		if (api_named_is(&who, h[i].key))
			break;
	sat_arena_fini(&a);
	memcpy(key, who.key, sizeof who.key);
	if (rc != SAT_OK)
		return rc;
	if (who.hits == 0)
		return sat_fail_code(e, SAT_ENOTFOUND, "not_found",
		    "see: satchel handover list",
		    "no suggestion waits under this key");
	return who.hits == 1 ? SAT_OK : sat_fail(e, SAT_ECONFLICT,
	    "%s names %zu suggestions; give more of the key", text, who.hits);
}

HANDLER(api_handover)
{
	char key[64];
	sat_rc rc = full_key(key, api, args[0], e);

	(void)req;
	return rc == SAT_OK ? listed(out, api, key, e) : rc;
}

static void
answered(sat_json **out, const char *key, const char *word)
{
	*out = api_doc("handover.answered");
	sat_json_put_str(*out, "key", key);
	sat_json_put_str(*out, "answer", word);
}

HANDLER(api_accept)
{
	const sat_json *f = sat_json_get(req->body, "fields");
	const char *fields[SAT_FIELDS_MAX];
	char key[64];
	size_t n = 0;
	sat_rc rc = full_key(key, api, args[0], e);

	for (f = sat_json_first(f); f != NULL && n < SAT_FIELDS_MAX;
	     f = sat_json_next(f))
		fields[n++] = sat_json_str(f, "");
	if (rc == SAT_OK)
		rc = sat_crm_accept(&api->crm, key, fields, n, e);
	if (rc == SAT_OK)
		answered(out, key, "accepted");
	return rc;
}

HANDLER(api_decline)
{
	const char *reason = sat_json_get_str(req->body, "reason", NULL);
	char key[64];
	sat_rc rc;

	if (reason == NULL || reason[0] == '\0')
		return sat_fail_code(e, SAT_EUSAGE, "usage.reason", NULL,
		    "declining a suggestion needs a reason");
	if ((rc = full_key(key, api, args[0], e)) == SAT_OK &&
	    (rc = sat_crm_decline(&api->crm, key, reason, e)) == SAT_OK)
		answered(out, key, "declined");
	return rc;
}

/* ---- own refused work ------------------------------------------------------------ */

/* The one asked for, and those that need what it would have created. */
HANDLER(api_hand)
{
	const char *note = sat_json_get_str(req->body, "note", "");
	sat_arena a = { 0 };
	sat_json *list;
	int64_t id, *ids;
	uint64_t cseq;
	size_t n;
	sat_rc rc = api_refused_id(&id, args[0], e);

	if (rc == SAT_OK)
		rc = sat_replica_dependants(&ids, &n, &a, api->crm.replica, id,
		    e);
	if (rc == SAT_OK)
		rc = sat_replica_hand(api->crm.replica, id, note, &cseq, e);
	if (rc == SAT_OK) {
		*out = api_doc("handed");
		list = sat_json_put_arr(*out, "data");
		sat_json_add_int(list, id);
		for (size_t i = 0; i < n && rc == SAT_OK; i++)
			if ((rc = sat_replica_hand(api->crm.replica, ids[i],
			         note, &cseq, e)) == SAT_OK)
				sat_json_add_int(list, ids[i]);
	}
	sat_arena_fini(&a);
	return rc == SAT_OK || *out == NULL ? rc : SAT_EPARTLY;
}
