/*
 * The company's standard, read: whom somebody has to be in touch with, and what
 * it says of one customer. Definitions: client/crm/crm.h.
 */
#include "client/api/api_int.h"

#include <string.h>

static const char *const states[] = { "none", "later", "today", "overdue",
	"escalated" };
static const char *const states_zh[] = { "无", "未到期", "今天", "已超期",
	"已上报" };

/* "overdue" covers what was escalated; "all" whatever has a due time. */
static bool
wanted(sat_due_opts *o, const char *due)
{
	static const struct {
		const char *word;
		sat_sla_state from, to;
	} words[] = { { "today", SAT_SLA_TODAY, SAT_SLA_TODAY },
		{ "overdue", SAT_SLA_OVERDUE, SAT_SLA_ESCALATED },
		{ "escalated", SAT_SLA_ESCALATED, SAT_SLA_ESCALATED },
		{ "now", SAT_SLA_TODAY, SAT_SLA_ESCALATED },
		{ "all", SAT_SLA_LATER, SAT_SLA_ESCALATED } };

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (strcmp(words[i].word, due) == 0) {
			o->from = words[i].from;
			o->to = words[i].to;
			return true;
		}
	return false;
}

static void
put_grade(sat_json *row, sat_api *api, const char *grade)
{
	const sat_template *t = sat_replica_template(api->crm.replica);
	const sat_dict *d = sat_template_dict(t, "grade");
	const sat_option *o = d != NULL && grade != NULL
	    ? sat_dict_option(d, grade, strlen(grade)) : NULL;
	bool zh = api->crm.lang != NULL && api->crm.lang[0] == 'z';

	sat_json_put_str(row, "grade", grade);
	sat_json_put_str(row, "grade_label",
	    o == NULL ? NULL : zh ? o->zh : o->en);
}

static void
put_due(sat_json *row, sat_api *api, const sat_due *d, int64_t now_ms)
{
	const int64_t day = (int64_t)24 * 3600 * 1000;
	char id[SAT_ID_TEXT];

	sat_id_text(id, &d->id);
	sat_json_put_str(row, "id", id);
	sat_json_put_str(row, "number", d->number);
	sat_json_put_str(row, "title", d->title);
	sat_json_put_str(row, "owner", d->owner);
	put_grade(row, api, d->grade);
	sat_json_put_str(row, "grade_from", d->grade == NULL ? NULL
	        : d->typed                                   ? "typed"
	                                                     : "amount");
	sat_json_put_str(row, "grade_reason", d->reason);
	sat_json_put_time(row, "grade_until", d->until_ms);
	sat_json_put_int(row, "amount", d->amount);
	sat_json_put_time(row, "last_follow_at", d->last_ms);
	sat_json_put_time(row, "due", d->due_ms);
	sat_json_put_str(row, "state", states[d->state]);
	sat_json_put_str(row, "state_label", api->crm.lang != NULL &&
	    api->crm.lang[0] == 'z' ? states_zh[d->state] : states[d->state]);
	sat_json_put_int(row, "days_late", d->state >= SAT_SLA_OVERDUE
	        ? (now_ms - d->due_ms) / day : 0);
	sat_json_put_str(row, "told", d->told);
}

static sat_rc
read_opts(sat_due_opts *o, sat_api *api, const sat_request *req, sat_err *e)
{
	const sat_template *t = sat_replica_template(api->crm.replica);
	const char *due = api_q(req, "due"), *as_of = api_q(req, "as_of");
	const sat_user *me = sat_replica_me(api->crm.replica);

	o->now_ms = sat_wall_ms(&api->crm.clock);
	o->owner = api_q(req, "owner");
	if (o->owner != NULL && strcmp(o->owner, "me") == 0)
		o->owner = me->key;
	if (as_of != NULL &&
	    !sat_time_parse(&o->now_ms, as_of, sat_template_tz_min(t)))
		return sat_fail_code(e, SAT_EUSAGE, "usage.option",
		    "2026-11-22 or 2026-11-22T10:30", "--as-of is no time");
	if (!wanted(o, due != NULL ? due : "now"))
		return sat_fail_code(e, SAT_EUSAGE, "usage.option",
		    "today, overdue, escalated, now or all",
		    "--due %.20s is unknown", due);
	return SAT_OK;
}

HANDLER(api_worklist)
{
	sat_due_opts o = { 0 };
	sat_arena a = { 0 };
	sat_json *data;
	sat_due *d;
	int64_t limit = 0, total = 0;
	size_t n;
	sat_rc rc;

	(void)args;
	if ((rc = read_opts(&o, api, req, e)) == SAT_OK &&
	    (rc = api_number(&limit, req, "limit", 0, e)) == SAT_OK) {
		o.limit = (size_t)limit;
		o.total = &total;
		rc = sat_crm_due(&d, &n, &a, &api->crm, &o, e);
	}
	if (rc == SAT_OK) {
		*out = api_doc("worklist");
		sat_json_put_time(*out, "as_of", o.now_ms);
		sat_json_put_int(*out, "total", total);
		data = sat_json_put_arr(*out, "data");
		for (size_t i = 0; i < n; i++)
			put_due(sat_json_add_obj(data), api, &d[i], o.now_ms);
	}
	sat_arena_fini(&a);
	return rc;
}

static void
put_services(sat_json *doc, sat_api *api, const char *grade)
{
	const sat_json *m = sat_json_first(sat_json_get(sat_template_doc(
	    sat_replica_template(api->crm.replica),
	    "policy/service_by_grade.json"), "grades"));
	sat_json *arr = sat_json_put_arr(doc, "services");
	bool zh = api->crm.lang != NULL && api->crm.lang[0] == 'z';

	for (; m != NULL; m = sat_json_next(m)) {
		const sat_json *s = sat_json_first(sat_json_get(m, "services"));

		if (grade == NULL ||
		    strcmp(sat_json_get_str(m, "grade", ""), grade) != 0)
			continue;
		for (; s != NULL; s = sat_json_next(s)) {
			sat_json *row = sat_json_add_obj(arr);

			sat_json_put_str(row, "key",
			    sat_json_get_str(s, "key", ""));
			sat_json_put_str(row, "label", sat_json_get_str(
			    sat_json_get(s, "label"), zh ? "zh" : "en", ""));
		}
	}
}

/* What the standard says of one customer. */
HANDLER(api_standard)
{
	sat_id id;
	sat_due_opts o = { .from = SAT_SLA_NONE, .to = SAT_SLA_ESCALATED,
		.now_ms = sat_wall_ms(&api->crm.clock), .only = &id };
	const sat_kind *k = sat_template_kind(
	    sat_replica_template(api->crm.replica), "account");
	sat_recent recent = { 0 };
	sat_arena a = { 0 };
	sat_due *d = NULL;
	size_t n = 0;
	const char *life = NULL, *gaps[SAT_COMMITTEE_MAX];
	size_t ngaps = 0;
	bool yes = false;
	sat_json *r;
	sat_rc rc;

	(void)req;
	if (k == NULL)
		return sat_fail(e, SAT_ENOTFOUND, "there is no kind account");
	if ((rc = sat_replica_resolve(&id, api->crm.replica, k, args[0], e)) ==
	        SAT_OK &&
	    (rc = sat_crm_due(&d, &n, &a, &api->crm, &o, e)) == SAT_OK)
		rc = sat_crm_recent(&yes, &recent, &a, &api->crm, &id,
		    o.now_ms, e);
	if (rc == SAT_OK)
		rc = sat_crm_lifecycle(&life, &api->crm, &id, o.now_ms, e);
	if (rc == SAT_OK)
		rc = sat_crm_committee_gaps(gaps, &ngaps, &api->crm, &id, e);
	if (rc == SAT_OK && n == 0)
		rc = sat_fail(e, SAT_ENOTFOUND, "the customer is deleted");
	if (rc == SAT_OK) {
		*out = api_doc("standard");
		put_due(*out, api, &d[0], o.now_ms);
		sat_json_put_str(*out, "lifecycle", life);
		r = sat_json_put_arr(*out, "committee_missing");
		for (size_t g = 0; g < ngaps; g++)
			sat_json_add_str(r, gaps[g]);
		put_services(*out, api, d[0].grade);
		r = sat_json_put_obj(*out, "recent_contact");
		sat_json_put_str(r, "by", yes ? recent.by : NULL);
		sat_json_put_time(r, "at", yes ? recent.at_ms : 0);
	}
	sat_arena_fini(&a);
	return rc;
}
