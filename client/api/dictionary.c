/*
 * The data dictionary: what this company keeps, field by field, out of the
 * template that everybody has.
 */
#include "client/api/api_int.h"
#include "client/api/text_int.h"

#include <stdio.h>
#include <string.h>

static const char *const types[] = { "text", "int", "money", "bool", "date",
	"time", "enum", "tags", "phone", "email", "ref", "user" };
static const char *const policies[] = { "lww", "review", "set", "counter", "max",
	"min", "stage", "owner", "once", "derived" };
static const char *const scopes[] = { "root", "child", "owned", "shared",
	"team" };
#define COUNT(a) (sizeof(a) / sizeof(a)[0])
_Static_assert(COUNT(types) == SAT_F_USER + 1, "a type has no word");
_Static_assert(COUNT(policies) == SAT_P_DERIVED + 1, "a policy has no word");
_Static_assert(COUNT(scopes) == SAT_SCOPE_TEAM + 1, "a scope has no word");

/* ---- JSON ------------------------------------------------------------------------ */

static void
put_label(sat_json *o, const char *zh, const char *en)
{
	sat_json *l = sat_json_put_obj(o, "label");

	sat_json_put_str(l, "zh", zh);
	sat_json_put_str(l, "en", en);
}

static void
put_field(sat_json *row, const sat_field *f)
{
	sat_json_put_int(row, "id", f->id);
	sat_json_put_str(row, "key", f->key);
	put_label(row, f->zh, f->en);
	sat_json_put_str(row, "type", f->files ? "files" : types[f->type]);
	sat_json_put_str(row, "merge", policies[f->policy]);
	sat_json_put_bool(row, "required", f->required);
	sat_json_put_str(row, "required_when", f->required_when);
	sat_json_put_str(row, "options", f->dict != NULL ? f->dict->name : NULL);
	sat_json_put_str(row, "ref", f->ref);
	sat_json_put_str(row, "validate", f->pattern);
	sat_json_put_int(row, "max_len", (int64_t)f->max_len);
	sat_json_put_bool(row, "pii", f->pii);
	sat_json_put_str(row, "mask", f->mask);
	sat_json_put_str(row, "purpose", f->purpose);
	sat_json_put_str(row, "default", f->dflt);
	sat_json_put_bool(row, "retired", f->retired);
}

static void
put_kind(sat_json *row, const sat_kind *k)
{
	sat_json *fields;

	sat_json_put_int(row, "id", k->id);
	sat_json_put_str(row, "key", k->key);
	sat_json_put_str(row, "plural", k->plural);
	put_label(row, k->zh, k->en);
	sat_json_put_str(row, "scope", scopes[k->scope]);
	sat_json_put_str(row, "parent", k->parent != NULL ? k->parent->ref :
	    NULL);
	sat_json_put_bool(row, "append_only", k->append_only);
	fields = sat_json_put_arr(row, "fields");
	for (size_t i = 0; i < k->nfields; i++)
		put_field(sat_json_add_obj(fields), &k->fields[i]);
}

static void
put_dict(sat_json *row, const sat_dict *d)
{
	sat_json *options;

	sat_json_put_str(row, "name", d->name);
	options = sat_json_put_arr(row, "options");
	for (size_t i = 0; i < d->n; i++) {
		sat_json *o = sat_json_add_obj(options);

		sat_json_put_str(o, "key", d->options[i].key);
		put_label(o, d->options[i].zh, d->options[i].en);
		sat_json_put_str(o, "parent", d->options[i].parent);
		sat_json_put_bool(o, "retired", d->options[i].retired);
	}
}

static const sat_dict *
dict_at(const sat_template *t, size_t i)
{
	const char *path = sat_template_path(t, "dict/", i);
	char name[64];
	size_t n;

	if (path == NULL)
		return NULL;
	n = strlen(path) - (sizeof "dict/" - 1) - (sizeof ".json" - 1);
	if (n >= sizeof name)
		return NULL;
	memcpy(name, path + sizeof "dict/" - 1, n);
	name[n] = '\0';
	return sat_template_dict(t, name);
}

/* ---- Markdown ---------------------------------------------------------------------- */

static void
write_kind(text_doc *d, const sat_kind *k)
{
	const char *row[6] = { text_of(d, "字段", "Field"),
		text_of(d, "名称", "Name"), text_of(d, "类型", "Type"),
		text_of(d, "必填", "Required"), text_of(d, "合并", "Merge"),
		text_of(d, "用途", "Purpose") };
	char type[96];
	sat_buf b = { 0 };

	sat_buf_fmt(&b, "%s (%s)", text_of(d, k->zh, k->en), k->key);
	text_heading(d, 2, sat_buf_cstr(&b));
	sat_buf_fini(&b);
	text_heads(d, row, 6);
	for (size_t i = 0; i < k->nfields; i++) {
		const sat_field *f = &k->fields[i];

		(void)snprintf(type, sizeof type, "%s%s%.60s",
		    f->files ? "files" : types[f->type],
		    f->dict != NULL || f->ref != NULL ? " " : "",
		    f->dict != NULL ? f->dict->name : f->ref != NULL ? f->ref :
		    "");
		row[0] = f->key;
		row[1] = text_of(d, f->zh, f->en);
		row[2] = type;
		row[3] = f->required ? text_of(d, "是", "yes") :
		    f->required_when != NULL ? f->required_when : "";
		row[4] = policies[f->policy];
		row[5] = f->purpose != NULL ? f->purpose : "";
		text_row(d, row, 6);
	}
	text_table_end(d);
}

static void
write_dict(text_doc *d, const sat_dict *dict)
{
	const char *row[3] = { text_of(d, "键", "Key"), "中文", "English" };

	text_heading(d, 3, dict->name);
	text_heads(d, row, 3);
	for (size_t i = 0; i < dict->n; i++) {
		row[0] = dict->options[i].key;
		row[1] = dict->options[i].zh;
		row[2] = dict->options[i].en;
		text_row(d, row, 3);
	}
	text_table_end(d);
}

static void
write_all(text_doc *d, const sat_template *t)
{
	const sat_dict *dict;

	text_begin(d, text_of(d, "数据字典", "Data dictionary"));
	for (size_t i = 0; i < sat_template_kinds(t); i++)
		write_kind(d, sat_template_kind_at(t, i));
	text_heading(d, 2, text_of(d, "选项", "Options"));
	for (size_t i = 0; (dict = dict_at(t, i)) != NULL; i++)
		write_dict(d, dict);
	text_end(d);
}

HANDLER(api_schema_dump)
{
	const sat_template *t = sat_replica_template(api->crm.replica);
	const char *format = api_q(req, "format");
	bool md = format != NULL && strcmp(format, "md") == 0;
	const char *lang = api_q(req, "lang");
	text_doc d = { .zh = (lang != NULL ? lang : api->crm.lang != NULL ?
		api->crm.lang : "zh")[0] == 'z' };
	const sat_dict *dict;
	sat_json *arr;

	(void)args;
	if (t == NULL)
		return sat_fail_code(e, SAT_ENOREPLICA, "not_synced",
		    "run: satchel sync",
		    "this replica has not been synced yet");
	if (format != NULL && !md && strcmp(format, "json") != 0)
		return sat_fail_code(e, SAT_EUSAGE, "usage.option", "json or md",
		    "--format %.20s is unknown", format);
	*out = api_doc("schema.dump");
	sat_json_put_str(*out, "template", sat_template_name(t));
	sat_json_put_str(*out, "version", sat_template_version(t));
	if (md) {
		write_all(&d, t);
		sat_json_put_strn(*out, "text", sat_buf_span(&d.b));
		sat_buf_fini(&d.b);
		return SAT_OK;
	}
	api_etag_put(*out, api);
	arr = sat_json_put_arr(*out, "kinds");
	for (size_t i = 0; i < sat_template_kinds(t); i++)
		put_kind(sat_json_add_obj(arr), sat_template_kind_at(t, i));
	arr = sat_json_put_arr(*out, "dicts");
	for (size_t i = 0; (dict = dict_at(t, i)) != NULL; i++)
		put_dict(sat_json_add_obj(arr), dict);
	return SAT_OK;
}
