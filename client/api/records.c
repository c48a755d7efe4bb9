/*
 * One record of any kind: show, create, change, what lies under it.
 */
#include "client/api/api_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- one record ------------------------------------------------------------------ */

bool
api_may_view(const sat_api *api, const sat_kind *k)
{
	char action[96];

	(void)snprintf(action, sizeof action, "%s.view", k->key);
	return api_scope_reads(api, k) && sat_acl(sat_replica_template(api->crm.replica),
	           sat_replica_me(api->crm.replica)->role, action) !=
	    SAT_GRANT_NO;
}

static void
put_id_alone(sat_json *doc, const sat_id *id)
{
	sat_json *data = sat_json_put_obj(doc, "data");
	char text[SAT_ID_TEXT];

	sat_id_text(text, id);
	sat_json_put_str(data, "id", text);
	sat_json_put_str(data, "version", "");
	sat_json_put_bool(data, "pending", true);
	sat_json_put_bool(data, "incomplete", false);
	sat_json_put_bool(data, "conflict", false);
}

sat_rc
api_record_answer(sat_json **out, sat_api *api, const sat_kind *k,
    const sat_id *id, bool labels, sat_err *e)
{
	sat_arena a = { 0 };
	sat_json *doc;
	sat_view v;
	sat_rc rc;

	if (!api_may_view(api, k)) { /* nor has it on its device (P-360) */
		*out = api_doc(k->key);
		put_id_alone(*out, id);
		return SAT_OK;
	}
	if ((rc = sat_replica_get(&v, &a, api->crm.replica, k, id, e)) ==
	    SAT_OK) {
		doc = api_doc(k->key);
		sat_json_put(doc, "data",
		    api_record_json(api, &v, labels));
		*out = doc;
	}
	sat_arena_fini(&a);
	return rc;
}

static sat_rc
show_included(sat_json *doc, sat_api *api, const sat_kind *k, const sat_id *id,
    const sat_request *req, sat_err *e)
{
	return api_include_put(sat_json_put_obj(doc, "include"), api, k, id,
	    api_q(req, "include"), api_on(req->query, "labels"), e);
}

/* The record and what belongs to it, whole. */
static sat_rc
show_all(sat_json **out, sat_api *api, const sat_kind *k, const sat_id *id,
    const sat_request *req, sat_err *e)
{
	sat_rc rc;

	if (api_q(req, "as_of") != NULL)
		return api_record_then(out, api, k, id, api_q(req, "as_of"),
		    api_on(req->query, "labels"), e);
	if ((rc = api_record_answer(out, api, k, id,
	    api_on(req->query, "labels"), e)) == SAT_OK &&
	    k->scope == SAT_SCOPE_ROOT)
		rc = api_merged_put(*out, api, k, id, e);
	if (rc == SAT_OK && api_q(req, "include") != NULL)
		rc = show_included(*out, api, k, id, req, e);
	return rc;
}

HANDLER(api_show)
{
	const char *fields = api_q(req, "fields");
	const sat_kind *k;
	sat_id id;
	sat_rc rc = api_find(&k, &id, api, args, e);

	if (rc == SAT_OK && (rc = api_fields_known(k, fields, e)) == SAT_OK &&
	    (rc = show_all(out, api, k, &id, req, e)) == SAT_OK &&
	    fields != NULL) {
		sat_json *data = sat_json_dup(sat_json_get(*out, "data"));

		api_keep_fields(data, k, fields);
		sat_json_set(*out, "data", data);
	}
	if (rc != SAT_OK) {
		sat_json_free(*out);
		*out = NULL;
	}
	return rc;
}


static sat_write_opts
write_opts(const sat_request *req)
{
	const char *dup = api_q(req, "duplicate"), *v = api_q(req, "validate");
	sat_write_opts o = { .validate_only = v != NULL &&
	    strcmp(v, "only") == 0 };

	if (dup != NULL && strcmp(dup, "allow") == 0) {
		o.duplicate_reason = api_q(req, "reason");
		if (o.duplicate_reason == NULL)
			o.duplicate_reason = "";
	}
	o.flag_missing = api_q(req, "incomplete") != NULL &&
	    strcmp(api_q(req, "incomplete"), "flag") == 0;
	return o;
}

/* What it may be already, beside the refusal. */
static sat_json *
candidates(const sat_duplicate *dup, size_t n)
{
	sat_json *doc = sat_json_obj(), *list = sat_json_put_arr(doc,
	    "candidates");

	for (size_t i = 0; i < n; i++) {
		sat_json *row = sat_json_add_obj(list);
		char text[SAT_ID_TEXT];

		sat_id_text(text, &dup[i].id);
		sat_json_put_str(row, "id", text);
		sat_json_put_str(row, "field", dup[i].field);
	}
	return doc;
}

HANDLER(api_create)
{
	sat_duplicate dup[SAT_DUPLICATES_MAX];
	sat_write_opts o = write_opts(req);
	const sat_kind *k;
	api_inputs x = { .n = 0 };
	size_t ndup = 0;
	sat_id id;
	sat_rc rc;

	if ((rc = api_kind(&k, api, args[0], e)) == SAT_OK &&
	    (rc = api_inputs_read(&x, req->body, e)) == SAT_OK)
		rc = sat_crm_create(&id, &api->crm, k, x.in, x.n, &o, dup, &ndup,
		    e);
	if (rc == SAT_ECONFLICT && ndup > 0 && e != NULL) {
		char text[SAT_ID_TEXT];

		sat_id_text(text, &dup[0].id);
		sat_err_hint(e,
		    "same %s as %s; repeat with --allow-duplicate REASON",
		    dup[0].field, text);
		*out = candidates(dup, ndup);
	}
	sat_arena_fini(&x.a);
	if (rc != SAT_OK)
		return rc;
	if (o.validate_only) {
		*out = api_doc("valid");
		return SAT_OK;
	}
	return api_record_answer(out, api, k, &id, false, e);
}

HANDLER(api_edit)
{
	sat_write_opts o = write_opts(req);
	const sat_kind *k;
	api_inputs x = { .n = 0 };
	size_t changed = 0;
	sat_id id;
	sat_rc rc;

	if ((rc = api_find(&k, &id, api, args, e)) == SAT_OK &&
	    (rc = api_inputs_read(&x, req->body, e)) == SAT_OK)
		rc = sat_crm_edit(&changed, &api->crm, k, &id, x.in, x.n, &o, e);
	sat_arena_fini(&x.a);
	if (rc == SAT_OK && (rc = api_record_answer(out, api, k, &id, false, e)) == SAT_OK)
		sat_json_put_int(*out, "changed", (int64_t)changed);
	return rc;
}

static sat_rc
delete_or_restore(sat_json **out, sat_api *api, const char *const args[4],
    bool restore, sat_err *e)
{
	const sat_kind *k;
	sat_id id;
	sat_rc rc = api_find(&k, &id, api, args, e);

	if (rc == SAT_OK)
		rc = sat_crm_delete(&api->crm, k, &id, restore, e);
	return rc == SAT_OK ? api_record_answer(out, api, k, &id, false, e) : rc;
}

HANDLER(api_delete)
{
	(void)req;
	return delete_or_restore(out, api, args, false, e);
}

HANDLER(api_restore)
{
	(void)req;
	return delete_or_restore(out, api, args, true, e);
}

/* What the flow missed at the last change of stage ("entry.follow"), as `path` of
 * the record has it: "STAGE TIME !CODE". */
static void
put_flag(sat_json *doc)
{
	const sat_json *m = sat_json_first(sat_json_get(sat_json_get(doc,
	    "data"), "path"));
	const char *last = "", *flag = NULL;

	for (; m != NULL; m = sat_json_next(m)) {
		const char *when = strchr(sat_json_str(m, ""), ' ');

		if (when != NULL && strcmp(when, last) > 0) {
			last = when;
			flag = strchr(when, '!');
		}
	}
	if (flag != NULL)
		sat_json_put_str(doc, "flag", flag + 1);
}

HANDLER(api_stage)
{
	const char *stage = sat_json_get_str(req->body, "stage", NULL);
	const sat_kind *k;
	sat_id id;
	sat_rc rc = api_find(&k, &id, api, args, e);

	if (rc == SAT_OK && stage == NULL)
		rc = sat_fail(e, SAT_EUSAGE, "name the stage");
	if (rc == SAT_OK)
		rc = sat_crm_stage(&api->crm, k, &id, stage,
		    sat_json_get_str(req->body, "reason", NULL), e);
	if (rc == SAT_OK && (rc = api_record_answer(out, api, k, &id, false,
	    e)) == SAT_OK)
		put_flag(*out);
	return rc;
}

HANDLER(api_assign)
{
	const char *user = sat_json_get_str(req->body, "to", NULL);
	const sat_kind *k;
	sat_id id;
	sat_rc rc = api_find(&k, &id, api, args, e);

	if (rc == SAT_OK && user == NULL)
		rc = sat_fail(e, SAT_EUSAGE, "name the new owner");
	if (rc == SAT_OK)
		rc = sat_crm_assign(&api->crm, k, &id, user, e);
	return rc == SAT_OK ? api_record_answer(out, api, k, &id, false, e) : rc;
}

/* The customer and, by kind, what lies under it, newest first; then what stands
 * for itself and was found to belong to it (a visit). */
HANDLER(api_timeline)
{
	const sat_template *t = sat_replica_template(api->crm.replica);
	bool labels = api_on(req->query, "labels");
	const sat_kind *k;
	sat_json *under, *data;
	sat_id id;
	sat_rc rc = api_find(&k, &id, api, args, e);

	if (rc == SAT_OK)
		rc = api_record_answer(out, api, k, &id, labels, e);
	if (rc != SAT_OK)
		return rc;
	under = sat_json_put_obj(*out, "under");
	for (size_t i = 0; rc == SAT_OK && i < sat_template_kinds(t); i++) {
		const sat_kind *c = sat_template_kind_at(t, i);
		const sat_field *found = sat_kind_field(c, "customer");

		if (c->parent == NULL || strcmp(c->parent->ref, k->key) != 0 ||
		    !api_may_view(api, c))
			continue;
		data = sat_json_put_arr(under, c->plural);
		rc = api_naming_put(data, api, c, c->parent, &id, 0, labels,
		    e);
		if (rc == SAT_OK && found != NULL &&
		    found->type == SAT_F_REF && strcmp(found->ref, k->key) == 0)
			rc = api_naming_put(data, api, c, found, &id, 0, labels,
			    e);
	}
	return rc;
}
