/*
 * Many records to another owner, or what that would move: how many, from whom,
 * and whose devices may have work on them that nobody has seen.
 */
#include "client/api/api_int.h"

#include <string.h>

#define IDS_MAX 10000

static sat_rc
ids_of(sat_id **ids, size_t *n, sat_arena *a, sat_api *api, const sat_kind *k,
    const sat_json *list, sat_err *e)
{
	size_t most = sat_json_count(list);
	sat_rc rc = SAT_OK;

	*n = 0;
	if (most > IDS_MAX)
		return sat_fail(e, SAT_EUSAGE, "too many ids: use a condition");
	*ids = sat_arena_alloc(a, (most + 1) * sizeof **ids);
	for (const sat_json *x = sat_json_first(list); x != NULL &&
	     rc == SAT_OK; x = sat_json_next(x))
		rc = sat_replica_resolve(&(*ids)[(*n)++], api->crm.replica, k,
		    sat_json_str(x, ""), e);
	return rc;
}

static bool
loses(const sat_move *m, const sat_user *u)
{
	for (size_t i = 0; u != NULL && i < m->nfrom; i++)
		if (strcmp(m->from[i].user, u->key) == 0)
			return true;
	return false;
}

static void
device_put(sat_json *rows, const sat_registry *reg, const sat_whereabouts *d)
{
	const sat_user *u = sat_registry_user_ord(reg, d->user);
	const sat_device *known = sat_registry_device(reg, d->device);
	sat_json *row = sat_json_add_obj(rows);

	sat_json_put_int(row, "device", d->device);
	sat_json_put_str(row, "user", u != NULL ? u->key : NULL);
	sat_json_put_str(row, "name", known != NULL ? known->name : NULL);
	sat_json_put_time(row, "last_sync", d->seen_ms);
	sat_json_put_bool(row, "behind", d->cursor < d->scope_head);
}

/* What the server knows of the devices that lose something; null offline. */
static void
devices_put(sat_json *doc, sat_api *api, const sat_move *m)
{
	const sat_registry *reg = sat_replica_registry(api->crm.replica);
	sat_arena a = { 0 };
	sat_directory d;
	sat_json *rows;

	if (sat_sync_directory(&d, &a, api->crm.replica, &api->sync, NULL) !=
	    SAT_OK) {
		sat_json_put_null(doc, "devices");
	} else {
		rows = sat_json_put_arr(doc, "devices");
		for (size_t i = 0; i < d.n; i++)
			if (loses(m, sat_registry_user_ord(reg, d.row[i].user)))
				device_put(rows, reg, &d.row[i]);
	}
	sat_arena_fini(&a);
}

static sat_json *
plan_doc(const sat_move *m, bool preview)
{
	sat_json *doc = api_doc("assigned"), *rows;

	sat_json_put_str(doc, "to", m->to->key);
	sat_json_put_bool(doc, "preview", preview);
	sat_json_put_int(doc, "count", (int64_t)m->n);
	sat_json_put_int(doc, "already", (int64_t)m->same);
	sat_json_put_int(doc, "records", m->records);
	rows = sat_json_put_arr(doc, "from");
	for (size_t i = 0; i < m->nfrom; i++) {
		sat_json *row = sat_json_add_obj(rows);

		sat_json_put_str(row, "user", m->from[i].user);
		sat_json_put_int(row, "count", m->from[i].n);
	}
	return doc;
}

HANDLER(api_assign_many)
{
	const sat_json *b = req->body;
	bool preview = sat_json_get_bool(b, "preview", false);
	sat_arena a = { 0 };
	const sat_kind *k;
	sat_id *ids = NULL;
	sat_move m;
	sat_json *doc;
	int64_t done = 0;
	size_t n = 0;
	sat_rc rc = api_kind(&k, api, args[0], e);

	if (rc == SAT_OK)
		rc = ids_of(&ids, &n, &a, api, k, sat_json_get(b, "ids"), e);
	if (rc == SAT_OK)
		rc = sat_crm_move_plan(&m, &a, &api->crm, k, ids, n,
		    sat_json_get_str(b, "where", NULL),
		    sat_json_get_str(b, "owner", NULL),
		    sat_json_get_str(b, "to", NULL), e);
	if (rc == SAT_OK && !preview)
		rc = sat_crm_move(&done, &api->crm, &m, e);
	if (rc == SAT_OK) {
		doc = plan_doc(&m, preview);
		sat_json_put_int(doc, "assigned", done);
		if (preview)
			devices_put(doc, api, &m);
		*out = doc;
	}
	sat_arena_fini(&a);
	return rc;
}
