/*
 * The rules that make tasks: listed, explained, run (client/crm/crm.h).
 */
#include "client/api/api_int.h"

#include <string.h>

sat_rc
api_as_of(int64_t *ms, sat_api *api, const char *as_of, sat_err *e)
{
	const sat_template *t = sat_replica_template(api->crm.replica);

	*ms = sat_wall_ms(&api->crm.clock);
	if (as_of == NULL || t == NULL ||
	    sat_time_parse(ms, as_of, sat_template_tz_min(t)))
		return SAT_OK;
	return sat_fail_code(e, SAT_EUSAGE, "usage.option",
	    "2026-11-22 or 2026-11-22T10:30", "--as-of is no time");
}

/* The rule's own document, so that nothing of it is retold in other words. */
static const sat_json *
document_of(const sat_template *t, const char *key)
{
	const sat_json *m = sat_json_first(sat_json_get(sat_template_doc(t,
	    "policy/reminders.json"), "reminders"));

	while (m != NULL && strcmp(sat_json_get_str(m, "key", ""), key) != 0)
		m = sat_json_next(m);
	return m;
}

static void
copy(sat_json *row, const sat_json *doc, const char *key)
{
	const sat_json *m = sat_json_get(doc, key);

	if (m != NULL)
		sat_json_put(row, key, sat_json_dup(m));
	else
		sat_json_put_null(row, key);
}

static void
put_rule(sat_json *row, const sat_template *t, const sat_reminder *r)
{
	static const char *const keys[] = { "label", "when", "where", "to",
		"text", "at", "quiet_hours" };
	const sat_json *doc = document_of(t, r->key);

	sat_json_put_str(row, "key", r->key);
	sat_json_put_str(row, "kind", r->kind != NULL ? r->kind->key : NULL);
	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
		copy(row, doc, keys[i]);
	sat_json_put_int(row, "within_d", r->within_d);
}

/* Tasks of the rule on this device, by state. */
static sat_rc
put_counts(sat_json *row, sat_api *api, const sat_template *t,
    const char *rule, sat_err *e)
{
	const sat_kind *k = sat_template_kind(t, "task");
	const sat_field *by = k != NULL ? sat_kind_field(k, "rule") : NULL;
	sat_value v = sat_v_text(sat_span_str(rule)), open;
	sat_filter f[2] = { { 0, SAT_CMP_EQ, &v, 1 }, { 0, SAT_CMP_EQ, &open,
		1 } };
	sat_query q = { .kind = k, .filters = f, .nfilters = 1 };
	int64_t all = 0, left = 0;
	sat_rc rc = SAT_OK;

	open = sat_v_text(sat_span_str("open"));
	if (by != NULL && k->stage != NULL) {
		f[0].field = by->id;
		f[1].field = k->stage->id;
		if ((rc = sat_replica_count(&all, api->crm.replica, &q, e)) ==
		    SAT_OK) {
			q.nfilters = 2;
			rc = sat_replica_count(&left, api->crm.replica, &q, e);
		}
	}
	sat_json_put_int(row, "tasks", all);
	sat_json_put_int(row, "open", left);
	return rc;
}

HANDLER(api_rules)
{
	const sat_template *t;
	sat_json *data;
	sat_rc rc = api_need_template(&t, api, e);

	(void)req;
	(void)args;
	if (rc != SAT_OK)
		return rc;
	*out = api_doc("rules.list");
	data = sat_json_put_arr(*out, "data");
	for (size_t i = 0; rc == SAT_OK && i < sat_reminders(t); i++) {
		const sat_reminder *r = sat_reminder_at(t, i);
		sat_json *row = sat_json_add_obj(data);

		put_rule(row, t, r);
		rc = put_counts(row, api, t, r->key, e);
	}
	return rc;
}

/* ---- one rule, or the one behind a task ------------------------------------------ */

static void
put_field(sat_json *o, const char *key, sat_api *api, const sat_view *v,
    const char *field)
{
	const sat_field *f = sat_kind_field(v->kind, field);

	api_value_put(o, key, api, f, f != NULL ?
	    sat_record_value(&v->rec, f->id) : sat_v_null());
}

static sat_rc
put_task(sat_json *doc, const sat_reminder **r, sat_api *api,
    const sat_template *t, const char *text, sat_err *e)
{
	const sat_kind *k = sat_template_kind(t, "task");
	const sat_field *by = k != NULL ? sat_kind_field(k, "rule") : NULL;
	sat_arena a = { 0 };
	char key[64] = "";
	sat_value rule;
	sat_view v;
	sat_id id;
	sat_rc rc;

	if (by == NULL)
		return sat_fail(e, SAT_ENOTFOUND, "there is no rule %.60s",
		    text);
	if ((rc = sat_replica_resolve(&id, api->crm.replica, k, text, e)) ==
	    SAT_OK)
		rc = sat_replica_get(&v, &a, api->crm.replica, k, &id, e);
	if (rc != SAT_OK) {
		sat_arena_fini(&a);
		return rc == SAT_ENOTFOUND ? sat_fail_code(e, rc, "not_found",
		    "see: satchel rules list", "there is no rule or task %.60s",
		    text) : rc;
	}
	rule = sat_record_value(&v.rec, by->id);
	if (rule.type == SAT_V_TEXT && rule.s.n < sizeof key) {
		sat_json *o = sat_json_put_obj(doc, "task");
		char idtext[SAT_ID_TEXT];

		memcpy(key, rule.s.p, rule.s.n);
		sat_id_text(idtext, &id);
		sat_json_put_str(o, "id", idtext);
		put_field(o, "title", api, &v, "title");
		put_field(o, "subject", api, &v, "subject");
		put_field(o, "period", api, &v, "period");
		put_field(o, "due_at", api, &v, "due_at");
		put_field(o, "state", api, &v, "state");
	}
	sat_arena_fini(&a);
	*r = sat_reminder_by_key(t, key);
	if (key[0] == '\0')
		return sat_fail_code(e, SAT_ENOTFOUND, "task.by_hand", NULL,
		    "a person made this task, no rule");
	return *r != NULL ? SAT_OK : sat_fail_code(e, SAT_ENOTFOUND,
	    "rule.retired", NULL, "the rule %s is not in the template any more",
	    key);
}

HANDLER(api_rule)
{
	const sat_template *t;
	const sat_reminder *r;
	sat_rc rc = api_need_template(&t, api, e);

	(void)req;
	if (rc != SAT_OK)
		return rc;
	*out = api_doc("rules.rule");
	r = sat_reminder_by_key(t, args[0]);
	if (r == NULL)
		rc = put_task(*out, &r, api, t, args[0], e);
	if (rc == SAT_OK) {
		sat_json *row = sat_json_put_obj(*out, "data");

		put_rule(row, t, r);
		sat_json_put_str(row, "template", sat_template_version(t));
		sat_json_put_str(row, "task_id",
		    "hash of rule, subject and period");
		rc = put_counts(row, api, t, r->key, e);
	}
	if (rc != SAT_OK) {
		sat_json_free(*out);
		*out = NULL;
	}
	return rc;
}

/* ---- run ----------------------------------------------------------------------------- */

static void
put_item(sat_json *row, sat_api *api, const sat_rule_item *i)
{
	static const char *const what[] = { "make", "close", "cancel", "fail" };
	char id[SAT_ID_TEXT];

	sat_json_put_str(row, "what", what[i->what]);
	sat_json_put_str(row, "rule", i->rule);
	sat_id_text(id, &i->task);
	sat_json_put_str(row, "task", id);
	sat_id_text(id, &i->subject);
	sat_json_put_str(row, "subject", id);
	sat_json_put_str(row, "kind", i->kind);
	sat_json_put_str(row, "period", i->period);
	sat_json_put_str(row, "title", i->title);
	if (i->nameless)
		api_named_put(row, api, &i->subject);
	sat_json_put_str(row, "to", i->to);
	sat_json_put_time(row, "due_at", i->due_ms);
	if (i->why != NULL)
		sat_json_put_str(row, "why", i->why);
}

HANDLER(api_rules_run)
{
	sat_rules_opts o = { .dry_run = sat_json_get_bool(req->body, "dry_run",
		false), .only = sat_json_get_str(req->body, "rule", NULL) };
	sat_arena a = { 0 };
	sat_rule_item *v;
	int64_t of[SAT_RULE_FAILS + 1] = { 0 };
	sat_json *data;
	size_t n;
	sat_rc rc = api_as_of(&o.as_of_ms, api, sat_json_get_str(req->body,
	    "as_of", NULL), e);

	(void)args;
	if (rc == SAT_OK)
		rc = sat_crm_rules(&v, &n, &a, &api->crm, &o, e);
	if (rc == SAT_OK) {
		*out = api_doc("rules.run");
		sat_json_put_time(*out, "as_of", o.as_of_ms);
		sat_json_put_bool(*out, "dry_run", o.dry_run);
		for (size_t i = 0; i < n; i++)
			of[v[i].what]++;
		sat_json_put_int(*out, "made", of[SAT_RULE_MAKES]);
		sat_json_put_int(*out, "closed", of[SAT_RULE_CLOSES] +
		    of[SAT_RULE_CANCELS]);
		sat_json_put_int(*out, "failed", of[SAT_RULE_FAILS]);
		data = sat_json_put_arr(*out, "data");
		for (size_t i = 0; i < n; i++)
			put_item(sat_json_add_obj(data), api, &v[i]);
	}
	sat_arena_fini(&a);
	return rc;
}
