/*
 * subject.c - whom a rule's task is about, read from the record while it is there.
 * The title of a task that hangs on no customer does not hold the name: nobody
 * would find it there when the visit it came from is erased (X1).
 */
#include "client/api/api_int.h"

#include <string.h>

static sat_value
field_of(const sat_view *v, const char *key)
{
	const sat_field *f = sat_kind_field(v->kind, key);

	return f != NULL ? sat_record_value(&v->rec, f->id) : sat_v_null();
}

void
api_named_put(sat_json *row, sat_api *api, const sat_id *id)
{
	sat_arena a = { 0 };
	sat_buf mask = { 0 };
	sat_value title;
	sat_view v;

	if (sat_replica_get(&v, &a, api->crm.replica, NULL, id, NULL) ==
	    SAT_OK && !v.rec.deleted && v.kind->title != NULL &&
	    api_may_view(api, v.kind)) {
		title = api_shown(&mask, api, v.kind, id, v.kind->title,
		    sat_record_value(&v.rec, v.kind->title->id));
		sat_json_put_str(row, "subject_kind", v.kind->key);
		api_value_put(row, "subject_title", api, v.kind->title, title);
	}
	sat_buf_fini(&mask);
	sat_arena_fini(&a);
}

void
api_subject_put(sat_json *row, sat_api *api, const sat_view *v)
{
	sat_value subject;
	char text[SAT_ID_TEXT] = "";
	sat_id id;

	if (strcmp(v->kind->key, "task") != 0 || v->kind->parent == NULL ||
	    sat_record_value(&v->rec, v->kind->parent->id).type != SAT_V_NULL ||
	    field_of(v, "rule").type != SAT_V_TEXT)
		return;
	subject = field_of(v, "subject");
	if (subject.type != SAT_V_TEXT || subject.s.n >= sizeof text)
		return;
	memcpy(text, subject.s.p, subject.s.n);
	if (sat_id_parse(&id, text))
		api_named_put(row, api, &id);
}

sat_json *
api_record_json(sat_api *api, const sat_view *v, bool labels)
{
	sat_json *row = sat_crm_json(&api->crm, v, labels);

	api_subject_put(row, api, v);
	return row;
}
