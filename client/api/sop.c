/*
 * How the company works, out of the template: a document for people, the
 * checklist of one record, and who went the way it asks for.
 */
#include "client/api/api_int.h"
#include "client/api/text_int.h"
#include "common/model/report.h"

#include <stdio.h>
#include <string.h>

static bool
speaks_zh(const sat_api *api, const sat_request *req)
{
	const char *lang = api_q(req, "lang");

	if (lang == NULL)
		lang = api->crm.lang;
	return lang == NULL || lang[0] == 'z';
}

static const sat_flow *
flow_by_key(const sat_template *t, const char *key)
{
	for (size_t i = 0; i < sat_flows(t); i++)
		if (key == NULL || strcmp(sat_flow_at(t, i)->key, key) == 0)
			return sat_flow_at(t, i);
	return NULL;
}

/* ---- list -------------------------------------------------------------------------- */

static void
put_label(sat_json *o, const char *key, const char *zh, const char *en)
{
	sat_json *l;

	if (zh == NULL) {
		sat_json_put_null(o, key);
		return;
	}
	l = sat_json_put_obj(o, key);
	sat_json_put_str(l, "zh", zh);
	sat_json_put_str(l, "en", en);
}

static void
put_items(sat_json *row, const sat_flow_step *s)
{
	sat_json *arr = sat_json_put_arr(row, "checklist");

	for (size_t i = 0; i < s->nitems; i++) {
		sat_json *o = sat_json_add_obj(arr);

		sat_json_put_str(o, "key", s->items[i].key);
		put_label(o, "label", s->items[i].zh, s->items[i].en);
		sat_json_put_bool(o, "required", s->items[i].required);
	}
}

static void
put_step(sat_json *row, const sat_flow_step *s)
{
	sat_json *arr, *entry;

	sat_json_put_str(row, "key", s->key);
	put_label(row, "label", s->zh, s->en);
	put_label(row, "text", s->text_zh, s->text_en);
	sat_json_put_str(row, "role", s->role);
	sat_json_put_str(row, "stage", s->stage);
	sat_json_put_bool(row, "required", s->required);
	entry = sat_json_put_obj(row, "entry");
	arr = sat_json_put_arr(entry, "fields");
	for (size_t i = 0; i < s->nneeds; i++)
		sat_json_add_str(arr, s->needs[i]->key);
	sat_json_put_int(entry, "follow_within_d", s->follow_within_d);
	sat_json_put_bool(entry, "checklist", s->checklist_before);
	sat_json_put_str(entry, "enforce", s->refuse ? "refuse" : "flag");
	put_items(row, s);
	sat_json_put_str(row, "approval", s->approval);
	put_label(row, "kpi", s->kpi_zh, s->kpi_en);
	sat_json_put_int(row, "limit_d", s->limit_d);
}

HANDLER(api_sop)
{
	const sat_template *t;
	sat_json *data;
	sat_rc rc = api_need_template(&t, api, e);

	(void)req;
	(void)args;
	if (rc != SAT_OK)
		return rc;
	*out = api_doc("sop.list");
	data = sat_json_put_arr(*out, "data");
	for (size_t i = 0; i < sat_flows(t); i++) {
		const sat_flow *f = sat_flow_at(t, i);
		sat_json *row = sat_json_add_obj(data), *steps;

		sat_json_put_str(row, "key", f->key);
		sat_json_put_str(row, "version", f->version);
		sat_json_put_str(row, "kind", f->kind->key);
		put_label(row, "label", f->zh, f->en);
		steps = sat_json_put_arr(row, "steps");
		for (size_t k = 0; k < f->nsteps; k++)
			put_step(sat_json_add_obj(steps), &f->steps[k]);
	}
	return SAT_OK;
}

/* ---- a document ------------------------------------------------------------------------ */

static const char *
role_label(const text_doc *d, const sat_template *t, const char *key)
{
	const sat_json *m = sat_json_first(sat_json_get(sat_template_doc(t,
	    "acl/matrix.json"), "roles"));

	for (; m != NULL && key != NULL; m = sat_json_next(m))
		if (strcmp(sat_json_get_str(m, "key", ""), key) == 0)
			return sat_json_get_str(sat_json_get(m, "label"),
			    d->zh ? "zh" : "en", key);
	return key;
}

static void
entry_text(sat_buf *b, const text_doc *d, const sat_flow_step *s)
{
	const char *sep = text_of(d, "；", "; ");

	for (size_t i = 0; i < s->nneeds; i++)
		sat_buf_fmt(b, "%s%s", i > 0 ? text_of(d, "、", ", ") :
		    text_of(d, "已填写 ", "filled in: "), text_of(d,
		    s->needs[i]->zh, s->needs[i]->en));
	if (s->follow_within_d > 0)
		sat_buf_fmt(b, "%s%s%d%s", b->n > 0 ? sep : "", text_of(d, "",
		    "a follow-up within "), s->follow_within_d, text_of(d,
		    " 天内有跟进记录", " days"));
	if (s->checklist_before)
		sat_buf_fmt(b, "%s%s", b->n > 0 ? sep : "", text_of(d,
		    "上一步清单完成", "the checklist of the step before is done"));
	if (b->n > 0)
		sat_buf_str(b, s->refuse ? text_of(d, "（否则拒绝）",
		    " (else refused)") : text_of(d, "（否则标记）",
		    " (else flagged)"));
}

static void
step_text(text_doc *d, const sat_template *t, const sat_flow_step *s, size_t n)
{
	const char *row[2];
	sat_buf b = { 0 };

	sat_buf_fmt(&b, "%zu. %s", n, text_of(d, s->zh, s->en));
	text_heading(d, 3, sat_buf_cstr(&b));
	text_para(d, text_of(d, s->text_zh, s->text_en));
	row[0] = text_of(d, "项目", "What");
	row[1] = text_of(d, "要求", "Asked for");
	text_heads(d, row, 2);
	if (s->role != NULL) {
		row[0] = text_of(d, "责任人", "Who");
		row[1] = role_label(d, t, s->role);
		text_row(d, row, 2);
	}
	sat_buf_reset(&b);
	entry_text(&b, d, s);
	if (b.n > 0) {
		row[0] = text_of(d, "进入条件", "Before it begins");
		row[1] = sat_buf_cstr(&b);
		text_row(d, row, 2);
	}
	sat_buf_reset(&b);
	if (s->limit_d > 0) {
		sat_buf_fmt(&b, "%d %s", s->limit_d, text_of(d, "天", "days"));
		row[0] = text_of(d, "时限", "Time limit");
		row[1] = sat_buf_cstr(&b);
		text_row(d, row, 2);
	}
	if (s->kpi_zh != NULL) {
		row[0] = text_of(d, "指标", "Measure");
		row[1] = text_of(d, s->kpi_zh, s->kpi_en);
		text_row(d, row, 2);
	}
	row[0] = text_of(d, "必经步骤", "Required");
	row[1] = s->required ? text_of(d, "是", "yes") : text_of(d, "否", "no");
	text_row(d, row, 2);
	text_table_end(d);
	for (size_t i = 0; i < s->nitems; i++) {
		sat_buf_reset(&b);
		sat_buf_fmt(&b, "%s%s", text_of(d, s->items[i].zh,
		    s->items[i].en), s->items[i].required ? text_of(d,
		    "（必做）", " (required)") : "");
		text_item(d, sat_buf_cstr(&b));
	}
	text_items_end(d);
	sat_buf_fini(&b);
}

static void
approvals_text(text_doc *d, const sat_template *t)
{
	const char *row[2] = { text_of(d, "情形", "When"),
		text_of(d, "审批", "Who agrees") };
	sat_buf b = { 0 };

	if (sat_approval_routes(t) == 0)
		return;
	text_heading(d, 2, text_of(d, "审批", "Approvals"));
	text_heads(d, row, 2);
	for (size_t i = 0; i < sat_approval_routes(t); i++) {
		const sat_approval_route *r = sat_approval_route_at(t, i);

		sat_buf_reset(&b);
		for (size_t s = 0; s < r->nsteps; s++)
			for (size_t k = 0; k < r->steps[s].n; k++)
				sat_buf_fmt(&b, "%s%s", b.n == 0 ? "" : k == 0 ?
				    " → " : " + ", role_label(d, t,
				    r->steps[s].roles[k]));
		row[0] = text_of(d, r->zh, r->en);
		row[1] = b.n > 0 ? sat_buf_cstr(&b) : text_of(d, "无需审批",
		    "nobody");
		text_row(d, row, 2);
	}
	text_table_end(d);
	sat_buf_fini(&b);
}

static void
sla_text(text_doc *d, const sat_template *t)
{
	const sat_standard *st = sat_template_standard(t);
	const sat_dict *dict = sat_template_dict(t, "grade");
	const char *row[4] = { text_of(d, "客户等级", "Grade"),
		text_of(d, "首次响应（小时）", "First response (hours)"),
		text_of(d, "跟进间隔（天）", "Follow-up every (days)"),
		text_of(d, "超期上报（天）", "Manager told after (days)") };
	char n[3][16];

	if (st->nrules == 0)
		return;
	text_heading(d, 2, text_of(d, "跟进频率", "Follow-up"));
	text_heads(d, row, 4);
	for (size_t i = 0; i < st->nrules; i++) {
		const sat_sla *r = &st->rules[i];
		const sat_option *o = r->grade == NULL || dict == NULL ? NULL :
		    sat_dict_option(dict, r->grade, strlen(r->grade));

		(void)snprintf(n[0], sizeof n[0], "%d", r->first_response_h);
		(void)snprintf(n[1], sizeof n[1], "%d", r->follow_d);
		(void)snprintf(n[2], sizeof n[2], "%d", r->escalate_d);
		row[0] = o != NULL ? text_of(d, o->zh, o->en) :
		    text_of(d, "尚无等级", "none yet");
		for (size_t k = 0; k < 3; k++)
			row[k + 1] = n[k];
		text_row(d, row, 4);
	}
	text_table_end(d);
}

static void
reminders_text(text_doc *d, const sat_template *t)
{
	if (sat_reminders(t) == 0)
		return;
	text_heading(d, 2, text_of(d, "自动提醒", "Reminders"));
	for (size_t i = 0; i < sat_reminders(t); i++) {
		const sat_reminder *r = sat_reminder_at(t, i);

		text_item(d, text_of(d, r->zh, r->en));
	}
	text_items_end(d);
}

HANDLER(api_sop_export)
{
	const char *format = api_q(req, "format");
	const sat_template *t;
	text_doc d = { .html = format != NULL && strcmp(format, "html") == 0,
		.zh = speaks_zh(api, req) };
	sat_buf b = { 0 };
	sat_rc rc = api_need_template(&t, api, e);

	(void)args;
	if (rc == SAT_OK && format != NULL && !d.html &&
	    strcmp(format, "md") != 0)
		rc = sat_fail_code(e, SAT_EUSAGE, "usage.option", "md or html",
		    "--format %.20s is unknown", format);
	if (rc != SAT_OK)
		return rc;
	text_begin(&d, text_of(&d, "标准作业流程", "Standard procedures"));
	sat_buf_fmt(&b, "%s %s %s", text_of(&d, "模板", "Template"),
	    sat_template_name(t), sat_template_version(t));
	text_para(&d, sat_buf_cstr(&b));
	for (size_t i = 0; i < sat_flows(t); i++) {
		const sat_flow *f = sat_flow_at(t, i);

		sat_buf_reset(&b);
		sat_buf_fmt(&b, "%s (%s %s)", text_of(&d, f->zh, f->en), f->key,
		    f->version);
		text_heading(&d, 2, sat_buf_cstr(&b));
		text_para(&d, text_of(&d, f->purpose_zh, f->purpose_en));
		for (size_t k = 0; k < f->nsteps; k++)
			step_text(&d, t, &f->steps[k], k + 1);
	}
	approvals_text(&d, t);
	sla_text(&d, t);
	reminders_text(&d, t);
	text_end(&d);
	*out = api_doc("sop.export");
	sat_json_put_str(*out, "format", d.html ? "html" : "md");
	sat_json_put_str(*out, "lang", d.zh ? "zh" : "en");
	sat_json_put_str(*out, "template", sat_template_version(t));
	sat_json_put_strn(*out, "text", sat_buf_span(&d.b));
	sat_buf_fini(&b);
	sat_buf_fini(&d.b);
	return SAT_OK;
}

/* ---- one record's checklist ------------------------------------------------------------- */

/* The record, by id, of any kind that has a flow. */
static sat_rc
find(const sat_flow **f, sat_id *id, sat_api *api, const sat_template *t,
    const char *text, sat_err *e)
{
	sat_rc rc = SAT_ENOTFOUND;

	for (size_t i = 0; i < sat_flows(t) && rc == SAT_ENOTFOUND; i++) {
		*f = sat_flow_at(t, i);
		rc = sat_replica_resolve(id, api->crm.replica, (*f)->kind, text,
		    e);
	}
	return rc != SAT_ENOTFOUND ? rc : sat_fail_code(e, rc, "not_found",
	    NULL, "no record %.60s that a procedure is for", text);
}

static sat_rc
put_record(sat_json **out, sat_api *api, const sat_flow *f, const sat_id *id,
    sat_err *e)
{
	const sat_field *list = sat_kind_field(f->kind, "checklist");
	const sat_field *sop = sat_kind_field(f->kind, "sop");
	sat_value v = sat_v_null();
	sat_arena a = { 0 };
	sat_json *steps;
	sat_view view;
	sat_rc rc = sat_replica_get(&view, &a, api->crm.replica, f->kind, id, e);

	if (rc == SAT_OK) {
		char text[SAT_ID_TEXT];

		if (list != NULL)
			v = sat_record_value(&view.rec, list->id);
		*out = api_doc("sop.record");
		sat_id_text(text, id);
		sat_json_put_str(*out, "id", text);
		sat_json_put_str(*out, "kind", f->kind->key);
		api_value_put(*out, "sop", api, sop, sop != NULL ?
		    sat_record_value(&view.rec, sop->id) : sat_v_null());
		api_value_put(*out, "stage", api, f->kind->stage,
		    f->kind->stage != NULL ? sat_record_value(&view.rec,
		    f->kind->stage->id) : sat_v_null());
		steps = sat_json_put_arr(*out, "data");
		for (size_t i = 0; i < f->nsteps; i++)
			for (size_t k = 0; k < f->steps[i].nitems; k++) {
				const sat_flow_step *s = &f->steps[i];
				sat_json *row = sat_json_add_obj(steps);
				char item[96];

				(void)snprintf(item, sizeof item, "%.40s.%.40s",
				    s->key, s->items[k].key);
				sat_json_put_str(row, "item", item);
				put_label(row, "step", s->zh, s->en);
				put_label(row, "label", s->items[k].zh,
				    s->items[k].en);
				sat_json_put_bool(row, "required",
				    s->items[k].required);
				sat_json_put_bool(row, "done",
				    sat_set_text_has(v, s->key,
				    s->items[k].key));
			}
	}
	sat_arena_fini(&a);
	return rc;
}

HANDLER(api_sop_record)
{
	const sat_template *t;
	const sat_flow *f;
	sat_id id;
	sat_rc rc = api_need_template(&t, api, e);

	(void)req;
	if (rc == SAT_OK)
		rc = find(&f, &id, api, t, args[0], e);
	return rc == SAT_OK ? put_record(out, api, f, &id, e) : rc;
}

static bool
known_item(const sat_flow *f, const char *text)
{
	for (size_t i = 0; i < f->nsteps; i++)
		for (size_t k = 0; k < f->steps[i].nitems; k++) {
			char item[96];

			(void)snprintf(item, sizeof item, "%.40s.%.40s",
			    f->steps[i].key, f->steps[i].items[k].key);
			if (strcmp(item, text) == 0)
				return true;
		}
	return false;
}

HANDLER(api_sop_check)
{
	const sat_json *m = sat_json_first(sat_json_get(req->body, "items"));
	bool off = sat_json_get_bool(req->body, "off", false);
	sat_input in[32];
	const sat_template *t;
	const sat_flow *f;
	size_t n = 0;
	sat_id id;
	sat_rc rc = api_need_template(&t, api, e);

	if (rc == SAT_OK)
		rc = find(&f, &id, api, t, args[0], e);
	for (; rc == SAT_OK && m != NULL && n < 32; m = sat_json_next(m)) {
		const char *item = sat_json_str(m, "");

		if (!known_item(f, item))
			rc = sat_fail_code(e, SAT_ENOTFOUND, "not_found",
			    "see: satchel sop show ID",
			    "the procedure has no item %.80s", item);
		in[n++] = (sat_input){ off ? '-' : '+', "checklist",
			sat_span_str(item) };
	}
	if (rc == SAT_OK && n == 0)
		rc = sat_fail_code(e, SAT_EUSAGE, "usage", NULL,
		    "name the items: STEP.ITEM");
	if (rc == SAT_OK)
		rc = sat_crm_edit(NULL, &api->crm, f->kind, &id, in, n, NULL, e);
	return rc == SAT_OK ? put_record(out, api, f, &id, e) : rc;
}

/* ---- conformance -------------------------------------------------------------------------- */

static void
put_off(sat_json *row, const char *key, const sat_flow_step *s)
{
	sat_json_put_str(row, key, s != NULL ? s->key : NULL);
}

static void
put_sums(sat_json *arr, const sat_conform *v, size_t n)
{
	for (size_t i = 0; i < n;) {
		const char *owner = v[i].owner != NULL ? v[i].owner : "";
		int64_t all = 0, good = 0;
		sat_json *row = sat_json_add_obj(arr);

		for (; i < n && strcmp(owner, v[i].owner != NULL ?
		    v[i].owner : "") == 0; i++) {
			all++;
			good += v[i].conform;
		}
		sat_json_put_str(row, "owner", owner);
		sat_json_put_int(row, "records", all);
		sat_json_put_int(row, "conform", good);
		sat_json_put_real(row, "percent", (double)(good * 10000 / all) /
		    100.0);
	}
}

HANDLER(api_sop_conformance)
{
	const char *period = api_q(req, "period"), *key = api_q(req, "flow");
	sat_period p = { 0 };
	sat_arena a = { 0 };
	const sat_template *t;
	const sat_flow *f;
	int64_t good = 0;
	sat_conform *v;
	sat_json *arr;
	size_t n;
	sat_rc rc = api_need_template(&t, api, e);

	(void)args;
	if (rc != SAT_OK || (rc = sat_period_parse(&p, period != NULL ? period :
	    "all", sat_template_tz_min(t), e)) != SAT_OK)
		return rc;
	if ((f = flow_by_key(t, key)) == NULL)
		return sat_fail_code(e, SAT_ENOTFOUND, "not_found",
		    "see: satchel sop list", "there is no procedure %.60s",
		    key != NULL ? key : "");
	if (key == NULL && flow_by_key(t, "sales") != NULL)
		f = flow_by_key(t, "sales");
	if (p.all) {
		p.from_ms = 0;
		p.to_ms = INT64_MAX;
	}
	rc = sat_crm_conform(&v, &n, &a, &api->crm, f, p.from_ms, p.to_ms, e);
	if (rc == SAT_OK) {
		*out = api_doc("sop.conformance");
		sat_json_put_str(*out, "flow", f->key);
		sat_json_put_str(*out, "version", f->version);
		sat_json_put_str(*out, "period", period != NULL ? period :
		    "all");
		for (size_t i = 0; i < n; i++)
			good += v[i].conform;
		sat_json_put_int(*out, "records", (int64_t)n);
		sat_json_put_int(*out, "conform", good);
		if (n > 0)
			sat_json_put_real(*out, "percent", (double)(good *
			    10000 / (int64_t)n) / 100.0);
		else
			sat_json_put_null(*out, "percent");
		put_sums(sat_json_put_arr(*out, "data"), v, n);
		arr = sat_json_put_arr(*out, "off");
		for (size_t i = 0; i < n; i++) {
			char id[SAT_ID_TEXT];
			sat_json *row;

			if (v[i].conform)
				continue;
			row = sat_json_add_obj(arr);
			sat_id_text(id, &v[i].id);
			sat_json_put_str(row, "id", id);
			sat_json_put_str(row, "title", v[i].title);
			sat_json_put_str(row, "owner", v[i].owner);
			sat_json_put_str(row, "stage", v[i].stage);
			sat_json_put_str(row, "sop", v[i].sop);
			put_off(row, "skipped", v[i].skipped);
			put_off(row, "flagged", v[i].flagged);
			put_off(row, "unchecked", v[i].unchecked);
		}
	}
	sat_arena_fini(&a);
	return rc;
}
