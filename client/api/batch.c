/*
 * Many writes of one kind at once: all of them or none, or each for itself.
 * Every item goes through the route it would be sent to alone, so its right,
 * its gate and its answer are the same; what differs is that they are durable
 * together, with one wait for the disk.
 */
#include <stdlib.h>
#include <string.h>

#include "client/api/api_int.h"

#define ITEMS_MAX 500

/* POST /v1/{kind}, PATCH and DELETE /v1/{kind}/{id}, POST .../restore. */
static sat_rc
send(sat_json **answer, sat_api *api, const sat_kind *k, const sat_json *item,
    sat_err *e)
{
	static const struct {
		const char *op, *method, *tail;
		bool id;
	} ops[] = { { "create", "POST", "", false },
		{ "edit", "PATCH", "", true }, { "delete", "DELETE", "", true },
		{ "restore", "POST", "/restore", true } };
	static const char *const members[] = { "if_version", "duplicate",
		"reason", "incomplete", "validate" };
	const char *op = sat_json_get_str(item, "op", "");
	const char *id = sat_json_get_str(item, "id", NULL);
	sat_request r = { .body = sat_json_get(item, "data") };
	const sat_json *said;
	sat_json *q;
	char *path;
	size_t i = 0;
	sat_rc rc;

	while (i < 4 && strcmp(op, ops[i].op) != 0)
		i++;
	if (i == 4)
		return sat_fail_code(e, SAT_EUSAGE, "usage.batch",
		    "create, edit, delete or restore",
		    "\"%.20s\" is nothing an item may do", op);
	if (ops[i].id && (id == NULL || strchr(id, '/') != NULL))
		return sat_fail_code(e, SAT_EUSAGE, "usage.batch", NULL,
		    "an item to %s needs an id", op);
	if (!ops[i].id && id != NULL)
		return sat_fail_code(e, SAT_EUSAGE, "usage.batch", NULL,
		    "what an item makes has no id yet");
	path = sat_xasprintf("/v1/%s%s%s%s", k->plural, id != NULL ? "/" : "",
	    id != NULL ? id : "", ops[i].tail);
	q = sat_json_obj();
	for (size_t m = 0; m < sizeof members / sizeof members[0]; m++)
		if ((said = sat_json_get(item, members[m])) != NULL &&
		    sat_json_type(said) != SAT_J_NULL)
			sat_json_put(q, members[m], sat_json_dup(said));
	r.method = ops[i].method;
	r.path = path;
	r.query = q;
	rc = sat_api_handle(answer, api, &r, e);
	sat_json_free(q);
	free(path);
	return rc;
}

static void
put_result(sat_json *row, int64_t at, const sat_json *answer, const sat_err *e)
{ /* answer NULL: nothing stays of it that could be named */
	const sat_json *data = sat_json_get(answer, "data");

	sat_json_put_int(row, "index", at);
	sat_json_put_bool(row, "ok", e == NULL);
	sat_json_put_str(row, "id", sat_json_get_str(data, "id", NULL));
	sat_json_put_str(row, "version", sat_json_get_str(data, "version",
	    NULL));
	if (e != NULL)
		sat_json_put(row, "problem", sat_api_problem(e));
}

/* The item before what it met; its fields stay named. */
static void
say_which(sat_err *e, const sat_err *why, int64_t at)
{
	(void)sat_fail_code(e, why->rc, why->code, why->hint, "item %lld: %s",
	    (long long)at, why->text);
	for (unsigned i = 0; i < why->nfields; i++)
		sat_err_field_add(e, why->fields[i].path, why->fields[i].code);
}

static sat_rc
run(sat_json *rows, int64_t *failed, sat_api *api, const sat_kind *k,
    const sat_json *items, bool each, bool trial, sat_err *e)
{
	int64_t at = 0;
	sat_rc rc = SAT_OK;

	for (const sat_json *x = sat_json_first(items); x != NULL && rc == SAT_OK;
	     x = sat_json_next(x), at++) {
		sat_json *answer = NULL;
		sat_err why = { 0 };

		why.rc = rc = send(&answer, api, k, x, &why);
		if (rc != SAT_OK && !each)
			say_which(e, &why, at);
		if (rc == SAT_OK || each)
			put_result(sat_json_add_obj(rows), at, trial ? NULL :
			    answer, rc != SAT_OK ? &why : NULL);
		*failed += rc != SAT_OK;
		sat_json_free(answer);
		if (each)
			rc = SAT_OK;
	}
	return rc;
}

HANDLER(api_batch)
{
	const sat_json *items = sat_json_get(req->body, "items");
	const char *mode = sat_json_get_str(req->body, "mode", "all");
	bool each = strcmp(mode, "each") == 0, trial = api_is_trial(req);
	const sat_kind *k;
	sat_json *doc;
	int64_t failed = 0, n = (int64_t)sat_json_count(items);
	sat_rc rc = api_kind(&k, api, args[0], e);

	if (rc != SAT_OK)
		return rc;
	if (sat_json_type(items) != SAT_J_ARR || n < 1 || n > ITEMS_MAX ||
	    (!each && strcmp(mode, "all") != 0))
		return sat_fail_code(e, SAT_EUSAGE, "usage.batch",
		    "{\"mode\":\"all\",\"items\":[{\"op\":\"edit\",\"id\":...,"
		    "\"data\":{}}]}", "a batch has a mode, all or each, and 1 to "
		    "%d items", ITEMS_MAX);
	if ((rc = sat_replica_group_begin(api->crm.replica, e)) != SAT_OK)
		return rc;
	doc = api_doc("batch");
	sat_json_put_str(doc, "mode", mode);
	rc = run(sat_json_put_arr(doc, "data"), &failed, api, k, items, each,
	    trial, e);
	sat_json_put_int(doc, "done", n - failed);
	sat_json_put_int(doc, "failed", failed);
	if (rc == SAT_OK && !trial)
		rc = sat_replica_group_commit(api->crm.replica, e);
	else
		sat_replica_group_rollback(api->crm.replica);
	if (rc != SAT_OK || failed == 0)
		return api_answer(out, doc, rc);
	*out = doc; /* also of a part */
	return sat_fail_code(e, SAT_EPARTLY, "batch.partly", NULL,
	    "%lld of %lld items were refused", (long long)failed,
	    (long long)n);
}
