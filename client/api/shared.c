/*
 * shared.c - what handlers have in common: what a path names, what a query says,
 * and how values stand in an answer.
 */
#include "client/api/api_int.h"

#include "common/model/norm.h"

#include <stdio.h>
#include <string.h>

sat_rc
api_kind(const sat_kind **k, const sat_api *api, const char *seg, sat_err *e)
{
	const sat_template *t = sat_replica_template(api->crm.replica);

	*k = t != NULL ? sat_template_kind(t, seg) : NULL;
	return *k != NULL ? SAT_OK
	                  : sat_fail(e, SAT_ENOTFOUND,
	                        "there is no kind \"%s\"", seg);
}

sat_rc
api_find(const sat_kind **k, sat_id *id, sat_api *api,
    const char *const args[4], sat_err *e)
{
	sat_rc rc = api_kind(k, api, args[0], e);

	return rc == SAT_OK ? sat_replica_resolve(id, api->crm.replica, *k,
	    args[1], e) : rc;
}

sat_rc
api_need_template(const sat_template **t, sat_api *api, sat_err *e)
{
	*t = sat_replica_template(api->crm.replica);
	return *t != NULL ? SAT_OK : sat_fail_code(e, SAT_ENOREPLICA,
	    "not_synced", "run: satchel sync",
	    "this replica has not been synced yet");
}

const char *
api_q(const sat_request *req, const char *key)
{
	return sat_json_get_str(req->query, key, NULL);
}

sat_json *
api_doc(const char *name)
{
	sat_json *d = sat_json_obj();
	char schema[80];

	(void)snprintf(schema, sizeof schema, "satchel/%s/1", name);
	sat_json_put_str(d, "schema", schema);
	return d;
}

sat_rc
api_answer(sat_json **out, sat_json *doc, sat_rc rc)
{
	if (rc == SAT_OK)
		*out = doc;
	else
		sat_json_free(doc);
	return rc;
}

bool
api_named_is(api_named *n, const char *key)
{
	size_t len = strlen(n->text);
	bool exact = strcmp(key, n->text) == 0;

	if (!exact && (len < 6 || strncmp(key, n->text, len) != 0))
		return false;
	(void)snprintf(n->key, sizeof n->key, "%s", key);
	n->hits = exact ? 1 : n->hits + 1;
	return exact;
}

void
api_id_put(sat_json *obj, const char *key, const sat_id *id)
{
	char text[SAT_ID_TEXT];

	sat_id_text(text, id);
	sat_json_put_str(obj, key, sat_id_zero(id) ? NULL : text);
}

void
api_copy_put(sat_json *obj, const char *key, const sat_json *v)
{
	if (v != NULL)
		sat_json_put(obj, key, sat_json_dup(v));
	else
		sat_json_put_null(obj, key);
}

void
api_device_put(sat_json *obj, const sat_api *api, uint32_t dev)
{
	const sat_registry *r = sat_replica_registry(api->crm.replica);
	const sat_device *d = r != NULL ? sat_registry_device(r, dev) : NULL;
	const sat_user *u = d != NULL ? sat_registry_user_ord(r, d->user) : NULL;

	sat_json_put_int(obj, "device", dev);
	/* What the server decides itself has no person behind it (P-130). */
	sat_json_put_str(obj, "user", dev == SAT_DEV_SERVER ? "server" :
	    u != NULL ? u->key : NULL);
}

sat_value
api_shown(sat_buf *b, sat_api *api, const sat_kind *k, const sat_id *id,
    const sat_field *f, sat_value v)
{
	if (f == NULL || k == NULL || v.type != SAT_V_TEXT ||
	    !sat_crm_masked(&api->crm, k, id, f))
		return v;
	sat_buf_reset(b);
	sat_norm_mask_phone(b, v.s);
	return sat_v_text(sat_buf_span(b));
}

void
api_value_put(sat_json *obj, const char *key, const sat_api *api,
    const sat_field *f, sat_value v)
{
	const sat_template *t = sat_replica_template(api->crm.replica);
	sat_buf b = { 0 };

	if (v.type == SAT_V_NULL) {
		sat_json_put_null(obj, key);
	} else if (v.type == SAT_V_INT &&
	    (f == NULL || f->type == SAT_F_INT || f->type == SAT_F_MONEY)) {
		sat_json_put_int(obj, key, v.i);
	} else if (f != NULL) {
		sat_field_format(&b, t, f, v, NULL);
		sat_json_put_strn(obj, key, sat_buf_span(&b));
	} else {
		sat_json_put_strn(obj, key, v.s);
	}
	sat_buf_fini(&b);
}

sat_json *
sat_api_problem(const sat_err *e)
{
	const char *code = e->code[0] != '\0' ? e->code : sat_rc_slug(e->rc);
	sat_json *p = sat_json_obj(), *fields;
	char type[80];

	(void)snprintf(type, sizeof type, "urn:satchel:error:%s", code);
	sat_json_put_str(p, "type", type);
	sat_json_put_str(p, "title", sat_rc_title(e->rc, false));
	sat_json_put_int(p, "status", sat_rc_http(e->rc));
	sat_json_put_str(p, "detail", e->text);
	sat_json_put_str(p, "code", code);
	sat_json_put_int(p, "exit", sat_rc_exit(e->rc));
	fields = sat_json_put_arr(p, "fields");
	for (unsigned i = 0; i < e->nfields; i++) {
		sat_json *f = sat_json_add_obj(fields);

		sat_json_put_str(f, "path", e->fields[i].path);
		sat_json_put_str(f, "code", e->fields[i].code);
	}
	sat_json_put_str(p, "hint", e->hint);
	return p;
}
