/*
 * Customers that left, what became of own work, and the inbox: with them the conflicts (conflicts.c) and
 * the refused commits (quarantine.c).
 */
#include "client/api/api_int.h"

#include <string.h>

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
	return api_answer(out, doc, rc);
}

/* Merged already: he only has to know. */
static sat_rc
late_put(sat_json *data, sat_api *api, sat_err *e)
{
	sat_arena a = { 0 };
	sat_late *l;
	size_t n;
	sat_rc rc = sat_replica_late(&l, &n, &a, api->crm.replica, e);

	for (size_t i = 0; rc == SAT_OK && i < n; i++) {
		sat_json *row = sat_json_add_obj(data);

		api_record_head_put(row, api, l[i].kind, &l[i].rec);
		api_device_put(row, api, l[i].dev);
		sat_json_put_time(row, "at", l[i].at_ms);
		sat_json_put_int(row, "changes", l[i].nops);
		sat_json_put_int(row, "lsn", (int64_t)l[i].lsn);
	}
	sat_arena_fini(&a);
	return rc;
}

/* What a record that left was called: the stub of its customer knows. */
static void
title_of_moved(sat_json *row, sat_api *api, const sat_id *rec)
{
	sat_arena a = { 0 };
	sat_moved *m;
	size_t n;

	if (sat_json_get(row, "title") == NULL && sat_replica_moved(&m, &n, &a,
	        api->crm.replica, NULL) == SAT_OK)
		for (size_t i = 0; i < n; i++)
			if (sat_id_eq(&m[i].root, rec) && m[i].title[0] != '\0')
				sat_json_put_str(row, "title", m[i].title);
	sat_arena_fini(&a);
}

/* What became of own work: nothing to do but to know. */
static sat_rc
news_put(sat_json *data, sat_api *api, sat_err *e)
{
	static const char *const words[] = { "", "renumbered", "accepted",
		"declined" };
	const sat_registry *reg = sat_replica_registry(api->crm.replica);
	sat_arena a = { 0 };
	sat_news *x;
	size_t n;
	sat_rc rc = sat_replica_news(&x, &n, &a, api->crm.replica, e);

	for (size_t i = 0; rc == SAT_OK && i < n; i++) {
		sat_json *row = sat_json_add_obj(data);
		const sat_user *by = reg == NULL || x[i].by == 0 ? NULL :
		    sat_registry_user_ord(reg, x[i].by);

		api_record_head_put(row, api, x[i].kind, &x[i].rec);
		title_of_moved(row, api, &x[i].rec);
		sat_json_put_str(row, "what", words[x[i].what]);
		sat_json_put_str(row, "by", by != NULL ? by->key : NULL);
		sat_json_put_time(row, "at", x[i].at_ms);
		sat_json_put_time(row, "made_at", sat_hlc_ms(x[i].hlc));
		if (x[i].what == SAT_NEWS_RENUMBERED) {
			sat_json_put_str(row, "was", x[i].was);
			sat_json_put_str(row, "number", x[i].is);
		}
		sat_json_put_int(row, "lsn", (int64_t)x[i].lsn);
	}
	sat_arena_fini(&a);
	return rc;
}

HANDLER(api_late_seen)
{
	int64_t upto = sat_json_get_int(req->body, "upto", INT64_MAX);
	sat_rc rc = sat_replica_late_seen(api->crm.replica,
	    upto < 0 ? 0 : (uint64_t)upto, e);

	if (rc == SAT_OK)
		rc = sat_replica_news_seen(api->crm.replica,
		    upto < 0 ? 0 : (uint64_t)upto, e);
	if (rc == SAT_OK)
		rc = api_mentions_seen(api, upto, e);
	return rc == SAT_OK ? api_inbox(out, api, req, args, e) : rc;
}

HANDLER(api_inbox)
{
	sat_json *doc = api_doc("inbox");
	size_t n;
	sat_rc rc;

	(void)req;
	(void)args;
	if ((rc = api_conflicts_put(sat_json_put_arr(doc, "conflicts"), api,
	         NULL, e)) != SAT_OK ||
	    (rc = api_quarantine_put(sat_json_put_arr(doc, "refused"), api,
	         e)) != SAT_OK ||
	    (rc = api_handovers_put(sat_json_put_arr(doc, "handovers"), api,
	         NULL, &n, e)) != SAT_OK ||
	    (rc = api_pairs_put(sat_json_put_arr(doc, "duplicates"), api,
	         false, API_PAIR_SCORE, e)) != SAT_OK ||
	    (rc = late_put(sat_json_put_arr(doc, "late"), api, e)) != SAT_OK ||
	    (rc = news_put(sat_json_put_arr(doc, "news"), api, e)) != SAT_OK ||
	    (rc = api_mentions_put(sat_json_put_arr(doc, "mentions"), api, e)) !=
	        SAT_OK ||
	    (rc = moved_put(sat_json_put_arr(doc, "moved"), api, e)) != SAT_OK) {
		sat_json_free(doc);
		return rc;
	}
	*out = doc;
	return SAT_OK;
}
