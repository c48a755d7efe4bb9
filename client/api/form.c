/*
 * An empty book to be filled in for an import: the kind's fields as columns,
 * drop-downs of the options, and what each column wants in words.
 */
#include "client/api/api_int.h"

#include "common/sheet/sheet.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OPTIONS_MAX 512

typedef struct form {
	const sat_template *t;
	const sat_kind *kind;
	bool zh;
	sat_arena a;
	sat_form_column c[SAT_FIELDS_MAX];
	size_t n;
} form;

/* What the door or the system fills in is not asked for. */
static bool
is_asked(const sat_kind *k, const sat_field *f)
{
	return !f->retired && f->policy != SAT_P_DERIVED &&
	    f->policy != SAT_P_COUNTER &&
	    (f->dflt == NULL || f->dflt[0] != '@' || f == k->owner) &&
	    !(k->number_prefix != NULL && strcmp(f->key, "number") == 0);
}

static const char *
keep(form *x, sat_buf *b)
{
	const char *s = sat_arena_str(&x->a, sat_buf_cstr(b), b->n);

	sat_buf_fini(b);
	return s;
}

static const char *
words_of_type(const form *x, const sat_field *f)
{
	static const char *const zh[] = { "文字", "整数", "金额（元，可写 50万）",
		"是 / 否", "日期，如 2026-11-22", "时间，如 2026-11-22 10:30",
		"从列表选择", "多个，用逗号分开", "电话", "电子邮箱",
		"名称或编号", "用户名" };
	static const char *const en[] = { "text", "a whole number",
		"an amount in yuan", "yes or no", "a date like 2026-11-22",
		"a time like 2026-11-22 10:30", "one of the list",
		"several, separated by commas", "a phone number", "an e-mail",
		"name or number of the record", "a user's key" };

	return x->zh ? zh[f->type] : en[f->type];
}

static const char *
wants(form *x, const sat_field *f)
{
	sat_buf b = { 0 };

	if (f->required)
		sat_buf_str(&b, x->zh ? "必填；" : "required; ");
	sat_buf_str(&b, words_of_type(x, f));
	if (f->max_len > 0)
		sat_buf_fmt(&b, x->zh ? "；最多 %zu 字" : "; at most %zu "
		    "characters", f->max_len);
	if (f->min_len > 0)
		sat_buf_fmt(&b, x->zh ? "；至少 %zu 字" : "; at least %zu",
		    f->min_len);
	if (f->type == SAT_F_INT && f->has_range)
		sat_buf_fmt(&b, x->zh ? "；%lld 到 %lld" : "; %lld to %lld",
		    (long long)f->min, (long long)f->max);
	if (f->purpose != NULL)
		sat_buf_fmt(&b, x->zh ? "（%s）" : " (%s)", f->purpose);
	return keep(x, &b);
}

static void
add_options(form *x, sat_form_column *c, const sat_field *f)
{
	const char **o;

	if (f->dict == NULL || f->type != SAT_F_ENUM)
		return;
	o = sat_arena_alloc(&x->a, (f->dict->n + 1) * sizeof *o);
	for (size_t i = 0; i < f->dict->n && c->noptions < OPTIONS_MAX; i++)
		if (!f->dict->options[i].retired)
			o[c->noptions++] = x->zh ? f->dict->options[i].zh
			                         : f->dict->options[i].en;
	c->options = o;
}

/* Required ones first, as a person fills them in. */
static void
add_columns(form *x, bool required)
{
	for (size_t i = 0; i < x->kind->nfields; i++) {
		const sat_field *f = &x->kind->fields[i];
		sat_form_column *c = &x->c[x->n];

		if (!is_asked(x->kind, f) || f->required != required)
			continue;
		*c = (sat_form_column){ .heading = x->zh ? f->zh : f->en,
			.wants = wants(x, f), .required = f->required };
		add_options(x, c, f);
		x->n++;
	}
}

HANDLER(api_form)
{
	const char *to;
	form x = { .t = sat_replica_template(api->crm.replica),
		.zh = api->crm.lang != NULL && api->crm.lang[0] == 'z' };
	sat_rc rc = api_file_named(&to, req, "file", e);

	(void)args;
	if (rc == SAT_OK)
		rc = api_kind(&x.kind, api,
		    sat_json_get_str(req->body, "type", ""), e);
	if (rc == SAT_OK && to == NULL)
		rc = sat_fail_code(e, SAT_EUSAGE, "usage", NULL,
		    "name the file to write");
	if (rc != SAT_OK)
		return rc;
	add_columns(&x, true);
	add_columns(&x, false);
	rc = sat_sheet_form(to, x.zh ? x.kind->zh : x.kind->en,
	    x.zh ? "填写说明" : "How to fill in", x.c, x.n, e);
	sat_arena_fini(&x.a);
	if (rc != SAT_OK)
		return rc;
	*out = api_doc("import.form");
	sat_json_put_str(*out, "file", to);
	sat_json_put_int(*out, "columns", (int64_t)x.n);
	return SAT_OK;
}
