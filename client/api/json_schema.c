/*
 * A kind as a JSON Schema 2020-12: what a record of it looks like in an answer,
 * and what may be written. Members beside it that JSON Schema does not know
 * ("data", "kind") are notes to it.
 */
#include "client/api/api_int.h"

#include <string.h>

static void
put_type(sat_json *p, const char *type)
{
	sat_json *a = sat_json_put_arr(p, "type");

	sat_json_add_str(a, type);
	sat_json_add_str(a, "null"); /* an empty field is null */
}

static void
put_options(sat_json *p, const sat_dict *d, bool null)
{
	sat_json *a = sat_json_put_arr(p, "enum");

	for (size_t i = 0; i < d->n; i++)
		sat_json_add_str(a, d->options[i].key);
	if (null)
		sat_json_add(a, NULL);
}

static void
put_property(sat_json *p, const sat_field *f, bool zh)
{
	sat_json *items;

	sat_json_put_str(p, "title", zh ? f->zh : f->en);
	switch (f->type) {
	case SAT_F_INT:
	case SAT_F_MONEY:
		put_type(p, "integer");
		if (f->has_range) {
			sat_json_put_int(p, "minimum", f->min);
			sat_json_put_int(p, "maximum", f->max);
		}
		break;
	case SAT_F_BOOL:
		put_type(p, "boolean");
		break;
	case SAT_F_TAGS:
		put_type(p, "array");
		items = sat_json_put_obj(p, "items");
		sat_json_put_str(items, "type", "string");
		if (f->dict != NULL)
			put_options(items, f->dict, false);
		break;
	default:
		put_type(p, "string");
		if (f->type == SAT_F_DATE || f->type == SAT_F_TIME)
			sat_json_put_str(p, "format", f->type == SAT_F_DATE ?
			    "date" : "date-time");
		if (f->max_len > 0)
			sat_json_put_int(p, "maxLength", (int64_t)f->max_len);
		break;
	}
	if (f->purpose != NULL)
		sat_json_put_str(p, "description", f->purpose);
}

/* What a page needs beside the type: nothing a validator looks at. */
static void
put_hints(sat_json *p, const sat_kind *k, const sat_field *f)
{
	sat_json *ui = sat_json_put_obj(p, "x-ui");

	sat_json_put_str(ui, "dict", f->dict != NULL ? f->dict->name : NULL);
	sat_json_put_str(ui, "ref", f->ref);
	sat_json_put_str(ui, "mask", f->mask);
	sat_json_put_str(ui, "required_when", f->required_when);
	sat_json_put_str(ui, "default", f->dflt);
	sat_json_put_bool(ui, "money", f->type == SAT_F_MONEY);
	sat_json_put_bool(ui, "personal", f->pii);
	sat_json_put_bool(ui, "stage", f == k->stage);
	sat_json_put_bool(ui, "owner", f == k->owner);
	sat_json_put_bool(ui, "name", f == k->title);
	sat_json_put_bool(ui, "retired", f->retired);
}

void
api_json_schema_put(sat_json *doc, const sat_kind *k, bool zh)
{
	sat_json *props, *required, *p;

	sat_json_put_str(doc, "$schema",
	    "https://json-schema.org/draft/2020-12/schema");
	sat_json_put_str(doc, "title", zh ? k->zh : k->en);
	sat_json_put_str(doc, "type", "object");
	props = sat_json_put_obj(doc, "properties");
	for (size_t i = 0; i < k->nfields; i++) {
		const sat_field *f = &k->fields[i];

		p = sat_json_put_obj(props, f->key);
		put_property(p, f, zh);
		if (f->type == SAT_F_ENUM && f->dict != NULL)
			put_options(p, f->dict, true);
		put_hints(p, k, f);
	}
	required = sat_json_put_arr(doc, "required");
	for (size_t i = 0; i < k->nfields; i++)
		if (k->fields[i].required)
			sat_json_add_str(required, k->fields[i].key);
}
