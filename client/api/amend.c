/*
 * A follow-up never changes; what was wrong in it is said by a new one that
 * names the old (field `amends`) and repeats the rest.
 */
#include "client/api/api_int.h"

#include <string.h>

/* Of its own making, or written by the record itself. */
static bool
is_copied(const sat_field *f)
{
	return !f->retired && f->policy != SAT_P_DERIVED &&
	    strcmp(f->key, "amends") != 0 && strcmp(f->key, "author") != 0 &&
	    strcmp(f->key, "created_at") != 0 &&
	    strcmp(f->key, "external_id") != 0;
}

/* The old values as text, then what is told anew. */
static sat_rc
fill(api_inputs *x, sat_api *api, const sat_view *old, const sat_json *body,
    sat_err *e)
{
	const sat_template *t = sat_replica_template(api->crm.replica);
	char id[SAT_ID_TEXT];
	sat_buf b = { 0 };

	for (size_t i = 0; i < old->kind->nfields; i++) {
		const sat_field *f = &old->kind->fields[i];
		sat_value v = sat_record_value(&old->rec, f->id);

		if (v.type == SAT_V_NULL || !is_copied(f) ||
		    sat_json_get(body, f->key) != NULL || x->n == SAT_FIELDS_MAX)
			continue;
		sat_buf_reset(&b);
		sat_field_format(&b, t, f, v, NULL);
		x->in[x->n++] = (sat_input){ '=', f->key, sat_span_str(
		    sat_arena_str(&x->a, sat_buf_cstr(&b), b.n)) };
	}
	sat_buf_fini(&b);
	sat_id_text(id, &old->rec.id);
	if (x->n < SAT_FIELDS_MAX)
		x->in[x->n++] = (sat_input){ '=', "amends", sat_span_str(
		    sat_arena_str(&x->a, id, strlen(id))) };
	return api_inputs_read(x, body, e);
}

HANDLER(api_amend)
{
	sat_write_opts o = { .flag_missing = true };
	api_inputs x = { .n = 0 };
	sat_arena a = { 0 };
	const sat_kind *k;
	sat_view old;
	sat_id id;
	sat_rc rc;

	if ((rc = api_kind(&k, api, "activities", e)) != SAT_OK ||
	    (rc = sat_replica_resolve(&id, api->crm.replica, k, args[0], e)) !=
	        SAT_OK)
		return rc;
	if (sat_kind_field(k, "amends") == NULL)
		return sat_fail(e, SAT_EVERSION, "the template is older than amend");
	if (sat_json_count(req->body) == 0)
		return sat_fail_code(e, SAT_EUSAGE, "usage", "--points TEXT",
		    "say what is to be corrected");
	if ((rc = sat_replica_get(&old, &a, api->crm.replica, k, &id, e)) ==
	        SAT_OK && (rc = fill(&x, api, &old, req->body, e)) == SAT_OK)
		rc = sat_crm_create(&id, &api->crm, k, x.in, x.n, &o, NULL, NULL,
		    e);
	sat_arena_fini(&x.a);
	sat_arena_fini(&a);
	return rc == SAT_OK ? api_record_answer(out, api, k, &id, false, e) : rc;
}
