/*
 * Commits the server did not merge: what it has instead, why, and what a
 * person may do about it (P-160..P-163).
 */
#include "client/api/api_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- showing them --------------------------------------------------------------- */

/* "CLAIMED_BY=li@..." -> code and argument (docs/protocol.md, hints). */
static void
hint_put(sat_json *row, const char *hint)
{
	size_t n = strcspn(hint, "=");

	sat_json_put_str(row, "hint", hint);
	if (n == 0)
		sat_json_put_null(row, "hint_code");
	else
		sat_json_put_strn(row, "hint_code", sat_span_of(hint, n));
	if (hint[n] == '=')
		sat_json_put_str(row, "hint_arg", hint + n + 1);
}

/* What the server has in the field now, beside what was refused. */
void
api_server_value_put(sat_json *o, sat_api *api, const char *key,
    const sat_op *op)
{
	const sat_template *t = sat_replica_template(api->crm.replica);
	const sat_kind *k = t != NULL ? sat_template_kind_id(t, op->rtype) : NULL;
	const sat_field *f = k != NULL ? sat_kind_field_id(k, op->field) : NULL;
	sat_arena a = { 0 };
	sat_buf mask = { 0 };
	sat_view v;

	if (f != NULL && sat_replica_get_server(&v, &a, api->crm.replica, k,
	        &op->rec, NULL) == SAT_OK)
		api_value_put(o, key, api, f,
		    api_shown(&mask, api, k, &op->rec, f,
		        sat_record_value(&v.rec, f->id)));
	sat_buf_fini(&mask);
	sat_arena_fini(&a);
}

static const char *
answer_word(sat_verdict_code code)
{
	return code == SAT_VD_HANDOVER ? "handover"
	    : code == SAT_VD_PARKED    ? "parked"
	                               : "rejected";
}

static void
quarantined_put(sat_json *row, sat_api *api, const sat_quarantined *q)
{
	sat_json *ops;

	sat_json_put_int(row, "id", q->id);
	sat_json_put_time(row, "at", q->at_ms);
	sat_json_put_str(row, "answer", answer_word(q->code));
	sat_json_put_str(row, "code", q->slug);
	hint_put(row, q->hint);
	sat_json_put_int(row, "decided_by_op", q->op);
	api_commit_head_json(row, api, &q->commit);
	ops = sat_json_put_arr(row, "ops");
	for (size_t i = 0; i < q->commit.nops; i++) {
		sat_json *o = sat_json_add_obj(ops);

		api_op_json(o, api, &q->commit.ops[i]);
		api_server_value_put(o, api, "server_value", &q->commit.ops[i]);
	}
}

sat_rc
api_quarantine_put(sat_json *data, sat_api *api, sat_err *e)
{
	sat_arena a = { 0 };
	sat_quarantined *q;
	size_t n, *waits;
	sat_rc rc = sat_replica_quarantine(&q, &n, &a, api->crm.replica, e);

	waits = sat_arena_alloc(&a, (rc == SAT_OK ? n + 1 : 1) * sizeof *waits);
	for (size_t i = 0; rc == SAT_OK && i < n; i++) {
		sat_json *row = sat_json_add_obj(data), *list;
		size_t nwaits;

		quarantined_put(row, api, &q[i]);
		list = sat_json_put_arr(row, "dependants");
		nwaits = sat_quarantine_dependants(waits, &a, q, n, i);
		for (size_t k = 0; k < nwaits; k++)
			sat_json_add_int(list, q[waits[k]].id);
	}
	sat_arena_fini(&a);
	return rc;
}

HANDLER(api_quarantine)
{
	sat_json *doc = api_doc("quarantine.list");
	sat_rc rc = api_quarantine_put(sat_json_put_arr(doc, "data"), api, e);

	(void)req;
	(void)args;
	return api_answer(out, doc, rc);
}

/* What became of the settled ones. */
HANDLER(api_sync_log)
{
	static const char *const fates[] = { "open", "retried", "handed_over" };
	sat_arena a = { 0 };
	sat_quarantined *q;
	int64_t most;
	sat_json *rows;
	char by[40];
	size_t n;
	sat_rc rc = api_number(&most, req, "limit", 50, e);

	(void)args;
	if (rc == SAT_OK)
		rc = sat_replica_set_aside(&q, &n, &a, api->crm.replica, most, e);
	if (rc == SAT_OK) {
		*out = api_doc("sync.log");
		rows = sat_json_put_arr(*out, "data");
		for (size_t i = 0; i < n; i++) {
			sat_json *row = sat_json_add_obj(rows);

			quarantined_put(row, api, &q[i]);
			sat_json_put_str(row, "fate", fates[q[i].fate]);
			sat_json_put_time(row, "settled_at", q[i].fate_ms);
			(void)snprintf(by, sizeof by, "%u-%u-%llu",
			    q[i].commit.device, q[i].heir_incarnation,
			    (unsigned long long)q[i].heir_cseq);
			sat_json_put_str(row, "settled_by",
			    q[i].heir_cseq != 0 ? by : NULL);
		}
	}
	sat_arena_fini(&a);
	return rc;
}

/* ---- what a person does ------------------------------------------------------------ */

sat_rc
api_refused_id(int64_t *id, const char *text, sat_err *e)
{
	char *end;

	*id = strtoll(text, &end, 10);
	return end == text || *end != '\0'
	    ? sat_fail(e, SAT_ENOTFOUND, "no refused commit %s", text)
	    : SAT_OK;
}

static void
retried_put(sat_json *list, const sat_api *api, const sat_retried *r)
{
	const sat_replica_identity *me =
	    sat_replica_identity_get(api->crm.replica);
	sat_json *row = sat_json_add_obj(list);
	char key[40];

	(void)snprintf(key, sizeof key, "%u-%u-%llu", me->device,
	    me->incarnation, (unsigned long long)r->cseq);
	sat_json_put_int(row, "id", r->id);
	sat_json_put_str(row, "commit", r->cseq != 0 ? key : NULL);
}

/* The one asked for, then, when asked, those that wait for it. One of them
 * that cannot go stays where it is, and says so by not being in the list. */
static sat_rc
retry(sat_json *doc, sat_api *api, int64_t id, const api_inputs *in, bool all,
    sat_err *e)
{
	sat_json *list = sat_json_put_arr(doc, "data"), *left;
	sat_arena a = { 0 };
	int64_t *ids, need;
	size_t n;
	sat_retried r;
	sat_rc rc = sat_replica_dependants(&ids, &n, &a, api->crm.replica, id, e);

	if (rc == SAT_OK)
		rc = sat_crm_retry(&r, &need, &api->crm, id, in->in, in->n, e);
	if (rc == SAT_OK) {
		retried_put(list, api, &r);
		left = sat_json_put_arr(doc, "dependants");
		for (size_t i = 0; i < n; i++) {
			sat_rc one = all ? sat_crm_retry(&r, &need, &api->crm,
			    ids[i], NULL, 0, e) : SAT_OK;

			if (all && one == SAT_OK)
				retried_put(list, api, &r);
			else
				sat_json_add_int(left, ids[i]);
			if (one != SAT_OK)
				rc = SAT_EPARTLY;
		}
	}
	sat_arena_fini(&a);
	return rc;
}

HANDLER(api_retry)
{
	api_inputs x = { .n = 0 };
	sat_json *doc;
	int64_t id;
	sat_rc rc = api_refused_id(&id, args[0], e);

	if (rc == SAT_OK)
		rc = api_inputs_read(&x, sat_json_get(req->body, "set"), e);
	if (rc == SAT_OK) {
		doc = api_doc("retried");
		rc = retry(doc, api, id, &x, sat_json_get_bool(req->body,
		    "dependants", false), e);
		if (rc == SAT_OK || rc == SAT_EPARTLY)
			*out = doc;
		else
			sat_json_free(doc);
	}
	sat_arena_fini(&x.a);
	return rc;
}

/* Those that wait for it go with it or hold it back: alone they could never
 * go anywhere. */
static sat_rc
discard(sat_api *api, int64_t id, const char *reason, bool all, sat_err *e)
{
	sat_arena a = { 0 };
	int64_t *ids;
	size_t n;
	sat_rc rc = sat_replica_dependants(&ids, &n, &a, api->crm.replica, id, e);

	if (rc == SAT_OK && n > 0 && !all)
		rc = sat_fail_code(e, SAT_ECONFLICT, "dependants",
		    "discard them too with --dependants, or retry it",
		    "%zu refused commits need what this one was to create", n);
	if (rc == SAT_OK)
		rc = sat_crm_drop_refused(&api->crm, id, reason, e);
	for (size_t i = 0; rc == SAT_OK && i < n; i++)
		rc = sat_crm_drop_refused(&api->crm, ids[i], reason, e);
	sat_arena_fini(&a);
	return rc;
}

HANDLER(api_discard)
{
	const char *reason = sat_json_get_str(req->body, "reason", NULL);
	int64_t id;
	sat_rc rc = api_refused_id(&id, args[0], e);

	if (rc != SAT_OK)
		return rc;
	if (reason == NULL || reason[0] == '\0')
		return sat_fail_code(e, SAT_EUSAGE, "usage.reason", NULL,
		    "discarding a refused commit needs a reason");
	rc = discard(api, id, reason, sat_json_get_bool(req->body, "dependants",
	    false), e);
	return rc == SAT_OK ? api_quarantine(out, api, req, args, e) : rc;
}
