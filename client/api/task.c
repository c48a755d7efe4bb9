/*
 * Tasks by when they are due, and what a person does with one. A task that was
 * put off is due when that time comes.
 */
#include "client/api/api_int.h"

#include <stdlib.h>
#include <string.h>

#define DAY_MS ((int64_t)86400000)

/* ---- due ----------------------------------------------------------------------- */

typedef struct due_task {
	sat_id id;
	int64_t at_ms;
} due_task;

static int
by_due(const void *a, const void *b)
{
	const due_task *x = a, *y = b;

	if (x->at_ms != y->at_ms)
		return x->at_ms < y->at_ms ? -1 : 1;
	return memcmp(x->id.b, y->id.b, sizeof x->id.b);
}

/* [from, to) of what is asked for. */
static bool
window(int64_t *from, int64_t *to, const char *due, int64_t now_ms, int tz_min)
{
	int64_t zone = tz_min * (int64_t)60000;
	int64_t end = ((now_ms + zone) / DAY_MS + 1) * DAY_MS - zone;

	*from = 1;
	*to = end;
	if (strcmp(due, "today") == 0)
		*from = end - DAY_MS;
	else if (strcmp(due, "overdue") == 0)
		*to = now_ms;
	else if (strcmp(due, "all") == 0)
		*to = INT64_MAX;
	else
		return strcmp(due, "now") == 0;
	return true;
}

static int64_t
due_of(const sat_value *row)
{
	int64_t at = row[1].type == SAT_V_INT ? row[1].i : 0;

	return row[2].type == SAT_V_INT && row[2].i > at ? row[2].i : at;
}

static sat_rc
read_due(due_task **out, size_t *n, sat_api *api, const sat_kind *k,
    const char *owner, int64_t from, int64_t to, sat_err *e)
{
	const sat_field *due = sat_kind_field(k, "due_at");
	const sat_field *off = sat_kind_field(k, "snoozed_until");
	sat_value open = sat_v_text(sat_span_str("open")), who;
	sat_filter f[2] = { { k->stage->id, SAT_CMP_EQ, &open, 1 },
		{ k->owner->id, SAT_CMP_EQ, &who, 1 } };
	uint16_t columns[3] = { SAT_Q_ID, due != NULL ? due->id : SAT_Q_CREATED,
		off != NULL ? off->id : due != NULL ? due->id : SAT_Q_CREATED };
	sat_query q = { .kind = k, .filters = f, .nfilters = 1 + (owner !=
		NULL), .columns = columns, .ncolumns = 3 };
	const sat_value *row;
	sat_rows *rows;
	size_t cap = 0;
	sat_rc rc;

	who = sat_v_text(sat_span_str(owner != NULL ? owner : ""));
	if ((rc = sat_replica_query(&rows, api->crm.replica, &q, e)) != SAT_OK)
		return rc;
	while ((rc = sat_rows_next(&row, rows, e)) == SAT_OK && row != NULL) {
		int64_t at = due_of(row);

		if (at < from || at >= to)
			continue;
		if (*n == cap) {
			cap = cap == 0 ? 64 : cap * 2;
			*out = sat_xrealloc(*out, cap * sizeof **out);
		}
		memcpy((*out)[*n].id.b, row[0].s.p, 16);
		(*out)[(*n)++].at_ms = at;
	}
	sat_rows_free(rows);
	return rc;
}

static sat_rc
put_due(sat_json *data, sat_api *api, const sat_kind *k, const due_task *v,
    size_t n, bool labels, sat_err *e)
{
	sat_arena a = { 0 };
	sat_view view;
	sat_rc rc = SAT_OK;

	for (size_t i = 0; rc == SAT_OK && i < n; i++) {
		sat_json *row;

		sat_arena_reset(&a);
		rc = sat_replica_get(&view, &a, api->crm.replica, k, &v[i].id,
		    e);
		if (rc != SAT_OK)
			break;
		row = api_record_json(api, &view, labels);
		sat_json_put_time(row, "due", v[i].at_ms);
		sat_json_add(data, row);
	}
	sat_arena_fini(&a);
	return rc;
}

HANDLER(api_tasks)
{
	static const char *const tasks[4] = { "tasks" };
	const char *due = api_q(req, "due"), *owner = api_q(req, "owner");
	const sat_kind *k;
	int64_t now, from, to;
	due_task *v = NULL;
	sat_json *page;
	size_t n = 0;
	sat_rc rc;

	if (due == NULL)
		return api_list(out, api, req, tasks, e);
	(void)args;
	if ((rc = api_kind(&k, api, "tasks", e)) != SAT_OK ||
	    (rc = api_as_of(&now, api, api_q(req, "as_of"), e)) != SAT_OK)
		return rc;
	if (owner != NULL && strcmp(owner, "me") == 0)
		owner = sat_replica_me(api->crm.replica)->key;
	if (k->stage == NULL || k->owner == NULL ||
	    !window(&from, &to, due, now, sat_template_tz_min(
	    sat_replica_template(api->crm.replica))))
		return sat_fail_code(e, SAT_EUSAGE, "usage.option",
		    "today, overdue, now or all", "--due %.20s is unknown", due);
	rc = read_due(&v, &n, api, k, owner, from, to, e);
	if (rc == SAT_OK) {
		if (n > 0)
			qsort(v, n, sizeof *v, by_due);
		*out = api_doc("task.list");
		sat_json_put_time(*out, "as_of", now);
		rc = put_due(sat_json_put_arr(*out, "data"), api, k, v, n,
		    api_on(req->query, "labels"), e);
		page = sat_json_put_obj(*out, "page");
		sat_json_put_null(page, "next");
		sat_json_put_int(page, "total", (int64_t)n);
		sat_json_put_bool(page, "total_exact", true);
	}
	free(v);
	return rc;
}

/* ---- done, put off ------------------------------------------------------------------ */

static sat_rc
find(const sat_kind **k, sat_id *id, sat_api *api, const char *text, sat_err *e)
{
	sat_rc rc = api_kind(k, api, "tasks", e);

	return rc == SAT_OK ? sat_replica_resolve(id, api->crm.replica, *k,
	    text, e) : rc;
}

HANDLER(api_task_done)
{
	sat_input in[2] = { { '=', "state", { NULL, 0 } },
		{ '=', "done_at", { NULL, 0 } } };
	const sat_kind *k;
	char now[32];
	sat_id id;
	sat_rc rc = find(&k, &id, api, args[0], e);

	(void)req;
	sat_time_rfc3339(now, sat_wall_ms(&api->crm.clock));
	in[0].text = sat_span_str("done");
	in[1].text = sat_span_str(now);
	if (rc == SAT_OK)
		rc = sat_crm_edit(NULL, &api->crm, k, &id, in, 2, NULL, e);
	return rc == SAT_OK ? api_record_answer(out, api, k, &id, false, e) : rc;
}

/* "30m", "2h", "3d", "1w" -> ms; 0 when the text is none. */
static int64_t
duration(const char *s)
{
	char *end;
	long v = strtol(s, &end, 10);

	if (end == s || v <= 0 || v > 3650 || end[0] == '\0' || end[1] != '\0')
		return 0;
	switch (end[0]) {
	case 'm': return v * 60000;
	case 'h': return v * 3600000;
	case 'd': return v * DAY_MS;
	case 'w': return v * 7 * DAY_MS;
	default: return 0;
	}
}

HANDLER(api_task_snooze)
{
	const char *dur = sat_json_get_str(req->body, "for", "");
	int64_t ms = duration(dur);
	sat_input in = { '=', "snoozed_until", { NULL, 0 } };
	const sat_kind *k;
	char until[32];
	sat_id id;
	sat_rc rc = find(&k, &id, api, args[0], e);

	if (rc == SAT_OK && ms == 0)
		return sat_fail_code(e, SAT_EUSAGE, "usage.duration",
		    "30m, 2h, 3d, 1w", "\"%.20s\" is no duration", dur);
	sat_time_rfc3339(until, sat_wall_ms(&api->crm.clock) + ms);
	in.text = sat_span_str(until);
	if (rc == SAT_OK)
		rc = sat_crm_edit(NULL, &api->crm, k, &id, &in, 1, NULL, e);
	return rc == SAT_OK ? api_record_answer(out, api, k, &id, false, e) : rc;
}

/* ---- too long in a stage --------------------------------------------------------------- */

static void
put_stuck(sat_json *row, sat_api *api, const sat_stuck *s)
{
	bool zh = api->crm.lang != NULL && api->crm.lang[0] == 'z';
	char id[SAT_ID_TEXT];

	sat_id_text(id, &s->id);
	sat_json_put_str(row, "kind", s->kind->key);
	sat_json_put_str(row, "id", id);
	sat_json_put_str(row, "title", s->title);
	sat_json_put_str(row, "owner", s->owner);
	sat_json_put_str(row, "stage", s->stage->key);
	sat_json_put_str(row, "stage_label", zh ? s->stage->zh : s->stage->en);
	sat_json_put_time(row, "since", s->since_ms);
	sat_json_put_int(row, "age_d", s->age_ms / DAY_MS);
	if (s->median_ms > 0)
		sat_json_put_real(row, "median_d",
		    (double)(s->median_ms / (DAY_MS / 10)) / 10.0);
	else
		sat_json_put_null(row, "median_d");
	if (s->limit_ms > 0)
		sat_json_put_int(row, "limit_d", s->limit_ms / DAY_MS);
	else
		sat_json_put_null(row, "limit_d");
	sat_json_put_bool(row, "stuck", s->stuck);
}

HANDLER(api_stuck)
{
	const char *kind = api_q(req, "kind"), *owner = api_q(req, "owner");
	sat_stuck_opts o = { .owner = owner, .all = api_on(req->query, "all") };
	sat_arena a = { 0 };
	const sat_kind *k;
	int64_t factor;
	sat_json *data;
	sat_stuck *v;
	size_t n;
	sat_rc rc;

	(void)args;
	if ((rc = api_kind(&k, api, kind != NULL ? kind : "opportunity", e)) !=
	        SAT_OK ||
	    (rc = api_number(&factor, req, "factor", 200, e)) != SAT_OK ||
	    (rc = api_as_of(&o.now_ms, api, api_q(req, "as_of"), e)) != SAT_OK)
		return rc;
	o.factor = factor > 10000 ? 10000 : (int)factor;
	if (owner != NULL && strcmp(owner, "me") == 0)
		o.owner = sat_replica_me(api->crm.replica)->key;
	if ((rc = sat_crm_stuck(&v, &n, &a, &api->crm, k, &o, e)) == SAT_OK) {
		*out = api_doc("stuck");
		sat_json_put_time(*out, "as_of", o.now_ms);
		data = sat_json_put_arr(*out, "data");
		for (size_t i = 0; i < n; i++)
			put_stuck(sat_json_add_obj(data), api, &v[i]);
	}
	sat_arena_fini(&a);
	return rc;
}
