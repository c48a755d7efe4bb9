/*
 * freeze_find.c - which question is frozen: report, period, filters as they are
 * understood, and how far the reader's reports reach.
 *
 * Why not the filters as typed: "owner=me" is another question of each person,
 * and the label and the key of an option are one.
 */
#include "client/crm/freeze_int.h"

#include <stdio.h>
#include <string.h>

/* ---- the question ---- */

static const char *
params_text(sat_arena *a, const char *const *list, size_t n)
{
	sat_json *arr = sat_json_arr();
	sat_buf b = { 0 };
	const char *text;

	for (size_t i = 0; i < n; i++)
		sat_json_add_str(arr, list[i]);
	sat_json_write(&b, arr, false);
	text = sat_arena_str(a, (const char *)b.p, b.n);
	sat_buf_fini(&b);
	sat_json_free(arr);
	return text;
}

/* A report that is gone from the template keeps the filters of its record. */
static sat_rc
read_params(crm_freezing *x, const sat_report_opts *o, sat_err *e)
{
	sat_err why = { 0 };
	sat_rc rc = rep_params(&x->list, &x->nlist, &x->a, x->c, x->report, o,
	    &why);

	if (crm_of_definition(rc)) {
		x->list = o->params;
		x->nlist = o->nparams;
		rc = SAT_OK;
	}
	if (rc != SAT_OK && e != NULL)
		*e = why;
	x->params = params_text(&x->a, x->list, x->nlist);
	return rc;
}

/* How far the reader's reports reach: two of other reach are other reports. */
static void
find_reach(crm_freezing *x)
{
	const sat_user *me = x->who.me;
	const sat_team *team = me->team == 0 ? NULL :
	    sat_registry_team_ord(x->who.reg, me->team);

	switch (sat_acl(x->who.t, me->role, "report")) {
	case SAT_GRANT_ALL:
		(void)snprintf(x->reach, sizeof x->reach, "all");
		return;
	case SAT_GRANT_TEAM:
		if (team != NULL) {
			(void)snprintf(x->reach, sizeof x->reach, "team:%s",
			    team->key);
			return;
		}
		break;
	default: break;
	}
	(void)snprintf(x->reach, sizeof x->reach, "user:%s", me->key);
}

sat_rc
crm_freezing_begin(crm_freezing *x, sat_crm *c, const char *report, const sat_report_opts *o,
    sat_err *e)
{
	sat_rc rc;

	memset(x, 0, sizeof *x);
	x->c = c;
	x->report = report;
	if ((rc = crm_actor_get(&x->who, c, e)) != SAT_OK ||
	    (rc = sat_period_parse(&x->period, o->period != NULL ? o->period :
	    "all", sat_template_tz_min(x->who.t), e)) != SAT_OK)
		return rc;
	x->kind = sat_template_kind(x->who.t, "frozen_report");
	find_reach(x);
	return read_params(x, o, e);
}

bool
crm_other_question(const crm_freezing *x, const sat_report_opts *o)
{
	return o->by != NULL ||
	    (o->as_of_ms != 0 && o->as_of_ms != x->period.to_ms) ||
	    (o->compare != NULL && strcmp(o->compare, "none") != 0);
}

/* ---- finding ---- */

/* Of a record from before filters were stored as understood: "me" is who made
 * it. */
static const char *
asked(sat_arena *a, const char *param, const char *by)
{
	const char *eq = strchr(param, '=');
	char *text;
	size_t n;

	if (by == NULL || eq == NULL || (strcmp(eq, "=me") != 0 &&
	    strcmp(eq, "=@me") != 0))
		return sat_arena_str(a, param, strlen(param));
	n = (size_t)(eq - param) + 1;
	text = sat_arena_alloc(a, n + strlen(by) + 1);
	memcpy(text, param, n);
	memcpy(text + n, by, strlen(by) + 1);
	return text;
}

sat_rc
crm_stored_params(sat_report_opts *o, sat_arena *a, const char *text, const char *by,
    sat_err *e)
{
	sat_json *list = NULL;
	const char **params;
	sat_rc rc = text == NULL ? SAT_OK :
	    sat_json_parse(&list, sat_span_str(text), 0, e);

	params = sat_arena_alloc(a, (sat_json_count(list) + 1) * sizeof *params);
	o->params = params;
	for (const sat_json *p = sat_json_first(list); p != NULL;
	     p = sat_json_next(p))
		params[o->nparams++] = asked(a, sat_json_str(p, ""), by);
	sat_json_free(list);
	return rc;
}

/* Are these filters of a record the ones that are asked for? */
static sat_rc
same_params(bool *same, crm_freezing *x, sat_value params, sat_value by, sat_err *e)
{
	const char *text = crm_keep_text(&x->a, params), *const *list;
	sat_report_opts o = { 0 };
	sat_err why = { 0 };
	size_t n;
	sat_rc rc;

	*same = strcmp(text != NULL ? text : "[]", x->params) == 0;
	if (*same || x->nlist == 0)
		return SAT_OK;
	if ((rc = crm_stored_params(&o, &x->a, text, crm_keep_text(&x->a, by), e)) !=
	    SAT_OK)
		return rc;
	rc = rep_params(&list, &n, &x->a, x->c, x->report, &o, &why);
	*same = rc == SAT_OK && strcmp(params_text(&x->a, list, n),
	    x->params) == 0;
	if (rc != SAT_OK && !crm_of_definition(rc) && e != NULL)
		*e = why;
	return crm_of_definition(rc) ? SAT_OK : rc;
}

sat_rc
crm_freezing_find(sat_id *out, crm_freezing *x, sat_err *e)
{
	static const char *const keys[] = { "report", "period", "reach",
		"params", "owner", "frozen_at" };
	const char *is[] = { x->report, x->period.label, x->reach };
	const sat_field *f[6];
	sat_filter by[3];
	sat_value want[3];
	uint16_t cols[4] = { SAT_Q_ID };
	sat_query q = { .kind = x->kind, .filters = by, .nfilters = 3,
		.columns = cols, .ncolumns = 4 };
	int64_t first = INT64_MAX;
	const sat_value *v;
	sat_rows *rows;
	bool same;
	sat_rc rc;

	if (x->kind == NULL)
		return SAT_ENOTFOUND;
	for (size_t i = 0; i < 6; i++)
		if ((f[i] = sat_kind_field(x->kind, keys[i])) == NULL)
			return SAT_ENOTFOUND;
	for (size_t i = 0; i < 3; i++) {
		want[i] = sat_v_text(sat_span_str(is[i]));
		by[i] = (sat_filter){ f[i]->id, SAT_CMP_EQ, &want[i], 1 };
		cols[i + 1] = f[i + 3]->id;
	}
	if ((rc = sat_replica_query(&rows, x->c->replica, &q, e)) != SAT_OK)
		return rc;
	while ((rc = sat_rows_next(&v, rows, e)) == SAT_OK && v != NULL) {
		int64_t at = v[3].type == SAT_V_INT ? v[3].i : INT64_MAX - 1;

		if ((rc = same_params(&same, x, v[1], v[2], e)) != SAT_OK)
			break;
		if (same && v[0].s.n == 16 && at < first) { /* ids ascend */
			first = at;
			memcpy(out->b, v[0].s.p, 16);
		}
	}
	sat_rows_free(rows);
	return rc == SAT_OK && first == INT64_MAX ? SAT_ENOTFOUND : rc;
}
