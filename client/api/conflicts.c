/*
 * Conflicts: the open ones with who has to decide them, the decision, and what
 * became of earlier ones.
 */
#include "client/api/api_int.h"

#include <stdlib.h>
#include <stdio.h>
#include <string.h>

static void
conflict_put(sat_json *row, sat_api *api, const sat_conflict *c,
    const sat_duty *duty)
{
	const sat_replica_identity *me =
	    sat_replica_identity_get(api->crm.replica);
	char id[SAT_ID_TEXT];
	sat_arena a = { 0 };
	sat_buf mask = { 0 };
	sat_json *values;
	sat_view v;

	sat_id_text(id, &c->rec);
	sat_json_put_str(row, "key", c->key);
	sat_json_put_str(row, "kind", c->kind->key);
	sat_json_put_str(row, "id", id);
	if (sat_replica_get(&v, &a, api->crm.replica, c->kind, &c->rec, NULL) ==
	        SAT_OK &&
	    c->kind->title != NULL) {
		sat_value title = sat_record_value(&v.rec, c->kind->title->id);

		api_value_put(row, "title", api, c->kind->title, title);
		if (c->kind->owner != NULL)
			api_value_put(row, "owner", api, c->kind->owner,
			    sat_record_value(&v.rec, c->kind->owner->id));
	}
	sat_json_put_str(row, "field", c->field != NULL ? c->field->key : NULL);
	sat_json_put_int(row, "opened_lsn", (int64_t)c->opened_lsn);
	sat_json_put_time(row, "opened_at", c->opened_ms);
	sat_json_put_str(row, "assignee", duty->assignee);
	sat_json_put_time(row, "due", duty->due_ms);
	sat_json_put_bool(row, "overdue", duty->overdue);
	sat_json_put_bool(row, "escalated", duty->escalated);
	sat_json_put_str(row, "status", duty->overdue ? "overdue" : "open");
	values = sat_json_put_arr(row, "values");
	for (size_t i = 0; i < c->n; i++) {
		sat_json *x = sat_json_add_obj(values);

		api_value_put(x, "value", api, c->field,
		    api_shown(&mask, api, c->kind, &c->rec, c->field,
		        c->candidates[i].value));
		sat_json_put_bool(x, "shown", i == 0);
		sat_json_put_bool(x, "mine",
		    c->candidates[i].at.dev == me->device);
		sat_json_put_time(x, "at", sat_hlc_ms(c->candidates[i].at.hlc));
		api_device_put(x, api, c->candidates[i].at.dev);
		sat_json_put_int(x, "lsn", (int64_t)c->candidates[i].at.lsn);
	}
	sat_buf_fini(&mask);
	sat_arena_fini(&a);
}

/* Which of the open ones are asked for. */
typedef struct wanted {
	const char *key;      /* NULL = all */
	const char *assignee; /* user key, NULL = all */
	bool overdue;
} wanted;

static bool
is_wanted(const wanted *w, const sat_conflict *c, const sat_duty *d)
{
	if (w->key != NULL && strcmp(w->key, c->key) != 0)
		return false;
	if (w->assignee != NULL && (d->assignee == NULL ||
	    strcmp(w->assignee, d->assignee) != 0))
		return false;
	return d->overdue || !w->overdue;
}

static sat_rc
conflicts_put(sat_json *data, sat_api *api, const wanted *w, sat_err *e)
{
	sat_arena a = { 0 };
	sat_conflict *c;
	sat_duty d;
	size_t n;
	sat_rc rc = sat_replica_conflicts(&c, &n, &a, api->crm.replica, e);

	for (size_t i = 0; rc == SAT_OK && i < n; i++)
		if ((rc = sat_crm_duty(&d, &api->crm, &c[i], e)) == SAT_OK &&
		    is_wanted(w, &c[i], &d))
			conflict_put(sat_json_add_obj(data), api, &c[i], &d);
	sat_arena_fini(&a);
	return rc;
}

sat_rc
api_conflicts_put(sat_json *data, sat_api *api, const char *assignee,
    sat_err *e)
{
	return conflicts_put(data, api,
	    &(wanted){ .assignee = assignee }, e);
}

/* `assignee`: me, all, or a user's key; `overdue`: 1. */
HANDLER(api_conflicts)
{
	const sat_user *me = sat_replica_me(api->crm.replica);
	wanted w = { .assignee = api_q(req, "assignee"),
		.overdue = api_q(req, "overdue") != NULL };
	sat_json *doc;
	sat_rc rc;

	(void)args;
	if (w.assignee != NULL && strcmp(w.assignee, "all") == 0)
		w.assignee = NULL;
	else if (w.assignee != NULL && strcmp(w.assignee, "me") == 0 && me != NULL)
		w.assignee = me->key;
	doc = api_doc("conflict.list");
	rc = conflicts_put(sat_json_put_arr(doc, "data"), api, &w, e);
	return api_answer(out, doc, rc);
}

static sat_rc
full_key(char key[64], sat_api *api, const char *text, sat_err *e)
{
	sat_arena a = { 0 };
	api_named who = { .text = text };
	sat_conflict *c;
	size_t n;
	sat_rc rc = sat_replica_conflicts(&c, &n, &a, api->crm.replica, e);

	for (size_t i = 0; rc == SAT_OK && i < n; i++)
		if (api_named_is(&who, c[i].key))
			break;
	sat_arena_fini(&a);
	memcpy(key, who.key, sizeof who.key);
	if (rc != SAT_OK)
		return rc;
	if (who.hits == 0)
		return sat_fail_code(e, SAT_ENOTFOUND, "not_found",
		    "see: satchel conflict list", "no open conflict %s", text);
	return who.hits == 1 ? SAT_OK
	                 : sat_fail(e, SAT_ECONFLICT,
	                       "%s names %zu conflicts; give more of the key",
	                       text, who.hits);
}

HANDLER(api_conflict)
{
	sat_json *doc;
	char key[64];
	sat_rc rc = full_key(key, api, args[0], e);

	(void)req;
	if (rc != SAT_OK)
		return rc;
	doc = api_doc("conflict.list");
	rc = conflicts_put(sat_json_put_arr(doc, "data"), api,
	    &(wanted){ .key = key }, e);
	return api_answer(out, doc, rc);
}

/* Filed under the record, so that the note goes when that is erased; also when
 * its customer is and it has left before. */
static sat_rc
note_audit(sat_api *api, const char *key, const char *note, sat_err *e)
{
	char text[SAT_ID_TEXT];
	sat_id id;

	(void)snprintf(text, sizeof text, "%.*s", (int)strcspn(key, "-"), key);
	return sat_replica_audit_about(api->crm.replica,
	    sat_id_parse(&id, text) ? &id : NULL, "conflict.note", note, e);
}

HANDLER(api_resolve)
{
	const char *choice = sat_json_get_str(req->body, "choice", "");
	const char *text = sat_json_get_str(req->body, "value", "");
	const char *note = sat_json_get_str(req->body, "note", NULL);
	char key[64];
	sat_rc rc = full_key(key, api, args[0], e);

	if (rc == SAT_OK)
		rc = sat_crm_resolve(&api->crm, key, choice,
		    sat_span_str(text), e);
	if (rc == SAT_OK && note != NULL)
		rc = note_audit(api, key, note, e);
	if (rc != SAT_OK)
		return rc;
	*out = api_doc("conflict.resolved");
	sat_json_put_str(*out, "key", key);
	return SAT_OK;
}

/* ---- what became of them ---------------------------------------------------------- */

static const char *
what_word(sat_conflict_what w)
{
	switch (w) {
	case SAT_CONFLICT_OPENED: return "opened";
	case SAT_CONFLICT_SETTLED: return "settled";
	case SAT_CONFLICT_DISMISSED: return "dismissed";
	}
	return "?";
}

typedef struct logging {
	sat_api *api;
	sat_json *data;
} logging;

static void
event_put(void *u, const sat_conflict_event *ev)
{
	logging *l = u;
	sat_json *row = sat_json_add_obj(l->data);
	char id[SAT_ID_TEXT];

	sat_id_text(id, &ev->rec);
	sat_json_put_int(row, "lsn", (int64_t)ev->lsn);
	sat_json_put_time(row, "at", ev->at_ms);
	sat_json_put_str(row, "what", what_word(ev->what));
	sat_json_put_str(row, "kind", ev->kind != NULL ? ev->kind->key : NULL);
	sat_json_put_str(row, "id", id);
	sat_json_put_str(row, "field", ev->field != NULL ? ev->field->key :
	    NULL);
	api_device_put(row, l->api, ev->device);
}

HANDLER(api_conflict_log)
{
	sat_json *doc = api_doc("conflict.log");
	logging l = { api, sat_json_put_arr(doc, "data") };
	sat_rc rc = sat_replica_conflict_log(api->crm.replica, event_put, &l, e);

	(void)req;
	(void)args;
	return api_answer(out, doc, rc);
}

/* Counts by field and by device: a field that conflicts often has the wrong
 * policy, a device that does so is too long away. */
typedef struct count {
	const sat_kind *kind;
	const sat_field *field;
	uint32_t device;
	int64_t n[SAT_CONFLICT_DISMISSED + 1], open;
} count;

typedef struct counting {
	count *c;
	size_t n, cap;
	bool by_device;
} counting;

static count *
count_of(counting *x, const sat_kind *k, const sat_field *f, uint32_t dev)
{
	for (size_t i = 0; i < x->n; i++)
		if (x->by_device ? x->c[i].device == dev :
		    x->c[i].kind == k && x->c[i].field == f)
			return &x->c[i];
	if (x->n == x->cap) {
		x->cap = x->cap * 2 + 16;
		x->c = sat_xrealloc(x->c, x->cap * sizeof *x->c);
	}
	x->c[x->n] = (count){ .kind = k, .field = f, .device = dev };
	return &x->c[x->n++];
}

static void
count_event(void *u, const sat_conflict_event *ev)
{
	count_of(u, ev->kind, ev->field, ev->device)->n[ev->what]++;
}

static sat_rc
count_open(counting *x, sat_api *api, sat_err *e)
{
	sat_arena a = { 0 };
	sat_conflict *c;
	size_t n;
	sat_rc rc = sat_replica_conflicts(&c, &n, &a, api->crm.replica, e);

	for (size_t i = 0; rc == SAT_OK && i < n; i++) {
		if (!x->by_device)
			count_of(x, c[i].kind, c[i].field, 0)->open++;
		for (size_t k = 0; x->by_device && k < c[i].n; k++)
			count_of(x, NULL, NULL,
			    c[i].candidates[k].at.dev)->open++;
	}
	sat_arena_fini(&a);
	return rc;
}

static sat_rc
stats_put(sat_json *data, sat_api *api, bool by_device, sat_err *e)
{
	counting x = { .by_device = by_device };
	sat_rc rc = sat_replica_conflict_log(api->crm.replica, count_event, &x,
	    e);

	if (rc == SAT_OK)
		rc = count_open(&x, api, e);
	for (size_t i = 0; rc == SAT_OK && i < x.n; i++) {
		const count *c = &x.c[i];
		sat_json *row = sat_json_add_obj(data);

		if (by_device) {
			api_device_put(row, api, c->device);
		} else {
			sat_json_put_str(row, "kind", c->kind != NULL ?
			    c->kind->key : NULL);
			sat_json_put_str(row, "field", c->field != NULL ?
			    c->field->key : NULL);
		}
		sat_json_put_int(row, "opened", c->n[SAT_CONFLICT_OPENED]);
		sat_json_put_int(row, "settled", c->n[SAT_CONFLICT_SETTLED]);
		sat_json_put_int(row, "dismissed",
		    c->n[SAT_CONFLICT_DISMISSED]);
		sat_json_put_int(row, "open", c->open);
	}
	free(x.c);
	return rc;
}

HANDLER(api_conflict_stats)
{
	sat_json *doc = api_doc("conflict.stats");
	sat_rc rc;

	(void)req;
	(void)args;
	if ((rc = stats_put(sat_json_put_arr(doc, "fields"), api, false, e)) !=
	        SAT_OK ||
	    (rc = stats_put(sat_json_put_arr(doc, "devices"), api, true, e)) !=
	        SAT_OK) {
		sat_json_free(doc);
		return rc;
	}
	*out = doc;
	return SAT_OK;
}
