/*
 * What the law lets a person ask for, besides erasure: a copy of everything,
 * a correction, an answer in time. A request is an ordinary record under the customer, so it syncs, is
 * seen by whoever looks after him, and works without a network.
 */
#include "client/api/api_int.h"

#include "common/base/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY_MS ((int64_t)86400000)
/* ---- requests ---- */

static sat_rc
request_kind(const sat_kind **k, const sat_api *api, sat_err *e)
{
	return api_kind(k, api, "rights_request", e);
}

typedef struct asked {
	const char *right, *note, *outcome; /* outcome: answered at once */
} asked;

static sat_rc
make_request(sat_id *id, sat_api *api, const sat_id *subject, const asked *q,
    sat_err *e)
{
	int64_t now = sat_wall_ms(&api->crm.clock), days;
	char due[32], at[32], who[SAT_ID_TEXT];
	sat_write_opts o = { .flag_missing = false };
	const sat_kind *k;
	sat_input in[8];
	size_t n = 0;
	sat_rc rc = request_kind(&k, api, e);

	if (rc != SAT_OK)
		return rc;
	days = sat_json_get_int(api_privacy_policy(api),
	    "answer_d", 30);
	sat_time_rfc3339(due, now + (days > 0 && days < 3660 ? days : 30) *
	    DAY_MS);
	sat_time_rfc3339(at, now);
	sat_id_text(who, subject);
	in[n++] = (sat_input){ '=', "account", sat_span_str(who) };
	in[n++] = (sat_input){ '=', "asks_for", sat_span_str(q->right) };
	in[n++] = (sat_input){ '=', "due_at", sat_span_str(due) };
	in[n++] = (sat_input){ '=', "note", sat_span_str(q->note) };
	if (q->outcome != NULL) {
		in[n++] = (sat_input){ '=', "state", sat_span_str("done") };
		in[n++] = (sat_input){ '=', "outcome", sat_span_str(q->outcome) };
		in[n++] = (sat_input){ '=', "answered_at", sat_span_str(at) };
		in[n++] = (sat_input){ '=', "answered_by", sat_span_str("me") };
	}
	return sat_crm_create(id, &api->crm, k, in, n, &o, NULL, NULL, e);
}

static void
put_request(sat_json *rows, sat_api *api, const sat_view *v)
{
	sat_json *row = sat_crm_json(&api->crm, v, false);
	const sat_field *due = sat_kind_field(v->kind, "due_at");
	const sat_field *state = sat_kind_field(v->kind, "state");
	sat_value d = due != NULL ? sat_record_value(&v->rec, due->id) :
	    sat_v_null();
	sat_value s = state != NULL ? sat_record_value(&v->rec, state->id) :
	    sat_v_null();

	sat_json_put_bool(row, "overdue", d.type == SAT_V_INT &&
	    d.i < sat_wall_ms(&api->crm.clock) && s.type == SAT_V_TEXT &&
	    sat_span_eq(s.s, sat_span_str("open")));
	sat_json_add(rows, row);
}

sat_rc
api_requests_put(sat_json *rows, sat_api *api, sat_err *e)
{
	sat_arena mem = { 0 }, a = { 0 };
	const sat_kind *k;
	const sat_field *due;
	sat_id *ids = NULL;
	size_t n = 0;
	int64_t total;
	sat_query q = { .limit = 0 };
	sat_rc rc;

	k = sat_template_kind(sat_replica_template(api->crm.replica),
	    "rights_request");
	if (k == NULL) /* a template of before */
		return SAT_OK;
	q.kind = k;
	if ((due = sat_kind_field(k, "due_at")) != NULL)
		q.sort[q.nsort++].field = due->id;
	rc = sat_replica_list(&ids, &n, &total, &mem, api->crm.replica, &q, e);
	for (size_t i = 0; rc == SAT_OK && i < n; i++) {
		sat_view v;

		sat_arena_reset(&a);
		rc = sat_replica_get(&v, &a, api->crm.replica, k, &ids[i], e);
		if (rc == SAT_OK)
			put_request(rows, api, &v);
	}
	sat_arena_fini(&a);
	sat_arena_fini(&mem);
	return rc;
}

HANDLER(api_privacy_requests)
{
	sat_rc rc;

	(void)args;
	(void)req;
	*out = api_doc("privacy.requests");
	rc = api_requests_put(sat_json_put_arr(*out, "data"), api, e);
	if (rc != SAT_OK) {
		sat_json_free(*out);
		*out = NULL;
	}
	return rc;
}

static sat_rc
find_person(const sat_kind **k, sat_id *id, sat_api *api,
    const sat_request *req, sat_err *e)
{
	const char *text = sat_json_get_str(req->body, "id", NULL);
	sat_rc rc = api_kind(k, api, "account", e);

	if (rc == SAT_OK && text == NULL)
		rc = sat_fail(e, SAT_EUSAGE, "name the customer");
	return rc == SAT_OK ? sat_replica_resolve(id, api->crm.replica, *k, text,
	    e) : rc;
}

/* With "set" it is carried out at once, as an ordinary edit by who may edit. */
HANDLER(api_privacy_correct)
{
	const sat_json *set = sat_json_get(req->body, "set");
	asked q = { .right = "correct" };
	sat_write_opts o = { .flag_missing = true };
	api_inputs x = { .n = 0 };
	const sat_kind *k, *rk;
	size_t changed = 0;
	sat_id id, made;
	sat_rc rc = find_person(&k, &id, api, req, e);

	(void)args;
	q.note = sat_json_get_str(req->body, "note", NULL);
	if (rc == SAT_OK && q.note == NULL)
		rc = sat_fail_code(e, SAT_EUSAGE, "usage", NULL,
		    "say what was asked: --note TEXT");
	if (rc == SAT_OK && set != NULL &&
	    (rc = api_inputs_read(&x, set, e)) == SAT_OK && x.n > 0 &&
	    (rc = sat_crm_edit(&changed, &api->crm, k, &id, x.in, x.n, &o, e)) ==
	    SAT_OK)
		q.outcome = changed > 0 ? "corrected" : "was so already";
	if (rc == SAT_OK)
		rc = make_request(&made, api, &id, &q, e);
	if (rc == SAT_OK)
		rc = sat_replica_audit_about(api->crm.replica, &id,
		    "privacy.correct", q.outcome != NULL ? q.outcome : "open", e);
	sat_arena_fini(&x.a);
	if (rc == SAT_OK && (rc = request_kind(&rk, api, e)) == SAT_OK)
		rc = api_record_answer(out, api, rk, &made, false, e);
	return rc;
}

/* {"outcome", "refused"}: who answered, when, and what was said. */
HANDLER(api_privacy_answer)
{
	const char *outcome = sat_json_get_str(req->body, "outcome", NULL);
	bool refused = sat_json_get_bool(req->body, "refused", false);
	sat_write_opts o = { .flag_missing = true };
	const sat_kind *k;
	sat_input in[4];
	size_t changed;
	char at[32];
	sat_id id;
	sat_rc rc = request_kind(&k, api, e);

	if (rc == SAT_OK && outcome == NULL)
		rc = sat_fail(e, SAT_EUSAGE, "say what was done: --outcome TEXT");
	if (rc == SAT_OK)
		rc = sat_replica_resolve(&id, api->crm.replica, k, args[0], e);
	sat_time_rfc3339(at, sat_wall_ms(&api->crm.clock));
	in[0] = (sat_input){ '=', "outcome", sat_span_str(outcome != NULL ?
	    outcome : "") };
	in[1] = (sat_input){ '=', "answered_at", sat_span_str(at) };
	in[2] = (sat_input){ '=', "answered_by", sat_span_str("me") };
	in[3] = (sat_input){ '=', "state", sat_span_str(refused ? "refused" :
	    "done") };
	if (rc == SAT_OK)
		rc = sat_crm_edit(&changed, &api->crm, k, &id, in, 4, &o, e);
	return rc == SAT_OK ? api_record_answer(out, api, k, &id, false, e) : rc;
}

/* ---- a copy of everything ---- */

typedef struct bundle {
	sat_api *api;
	sat_json *records; /* in order */
	sat_buf text;
} bundle;

static const char *
word(const sat_api *api, const char *zh, const char *en)
{
	return api->crm.lang != NULL && api->crm.lang[0] == 'z' ? zh : en;
}

static void
add_text(bundle *b, const sat_kind *k, const sat_json *row)
{
	const sat_json *labels = sat_json_get(row, "label");

	sat_buf_fmt(&b->text, "\n%s  %s\n", word(b->api, k->zh, k->en),
	    sat_json_get_str(row, "id", ""));
	for (size_t i = 0; i < k->nfields; i++) {
		const sat_field *f = &k->fields[i];
		const sat_json *n = sat_json_get(labels, f->key);

		if (n == NULL)
			n = sat_json_get(row, f->key);
		if (n == NULL || sat_json_type(n) == SAT_J_NULL)
			continue;
		sat_buf_fmt(&b->text, "  %s: ", word(b->api, f->zh, f->en));
		if (sat_json_type(n) == SAT_J_STR)
			sat_buf_str(&b->text, sat_json_str(n, ""));
		else
			sat_json_write(&b->text, n, false);
		sat_buf_str(&b->text, "\n");
	}
}

static sat_rc
add_record(bundle *b, const sat_kind *k, const sat_id *id, sat_err *e)
{
	const char *args[4] = { k->plural, NULL, NULL, NULL };
	sat_request req = { .method = "GET", .path = "" };
	char text[SAT_ID_TEXT];
	sat_arena a = { 0 };
	sat_json *row, *record, *history = NULL;
	sat_view v;
	sat_rc rc = sat_replica_get(&v, &a, b->api->crm.replica, k, id, e);

	sat_id_text(text, id);
	args[1] = text;
	if (rc == SAT_OK)
		rc = api_history(&history, b->api, &req, args, e);
	if (rc == SAT_OK) {
		row = sat_json_add_obj(b->records);
		sat_json_put_str(row, "kind", k->key);
		record = sat_crm_json(&b->api->crm, &v, true);
		add_text(b, k, record);
		sat_json_put(row, "record", record);
		sat_json_put(row, "history", history);
	}
	sat_arena_fini(&a);
	return rc;
}

static sat_rc
add_under(bundle *b, const sat_kind *k, const sat_field *by, const sat_id *id,
    sat_err *e)
{
	sat_arena mem = { 0 };
	sat_id *ids;
	size_t n = 0;
	sat_rc rc = api_naming(&ids, &n, &mem, b->api, k, by, id, e);

	for (size_t i = 0; rc == SAT_OK && i < n; i++)
		rc = add_record(b, k, &ids[i], e);
	sat_arena_fini(&mem);
	return rc;
}

static sat_rc
gather(bundle *b, const sat_kind *root, const sat_id *id, sat_err *e)
{
	const sat_template *t = sat_replica_template(b->api->crm.replica);
	sat_rc rc = add_record(b, root, id, e);

	for (size_t i = 0; rc == SAT_OK && i < sat_template_kinds(t); i++) {
		const sat_kind *k = sat_template_kind_at(t, i);
		const sat_field *found = api_found_field(k, root);

		if (k->parent != NULL && strcmp(k->parent->ref, root->key) == 0)
			rc = add_under(b, k, k->parent, id, e);
		if (rc == SAT_OK && found != NULL && api_may_view(b->api, k))
			rc = add_under(b, k, found, id, e);
	}
	return rc;
}

/* For its owner's eyes alone: the one for programs, the one for people. "-": the
 * first as the answer's file. */
static sat_rc
write_copy(const bundle *b, const sat_json *doc, const char *file, sat_err *e)
{
	char *readable = sat_xasprintf("%s.txt", file);
	sat_buf json = { 0 };
	sat_file_out *o;
	sat_rc rc;

	sat_json_write(&json, doc, true);
	if (strcmp(file, "-") == 0) {
		rc = sat_file_out_open(&o, NULL, 0600, b->api->out_fd, e);
		if (rc == SAT_OK) {
			sat_file_out_add(o, sat_buf_span(&json));
			rc = sat_file_out_close(o, true, e);
		}
	} else if ((rc = sat_file_write(file, sat_buf_span(&json), 0600, e)) ==
	    SAT_OK) {
		rc = sat_file_write(readable, sat_buf_span(&b->text), 0600, e);
	}
	sat_buf_fini(&json);
	free(readable);
	return rc;
}

/* Half a copy is no copy: who is shown masks cannot hand one over. */
static sat_rc
may_copy(sat_api *api, const sat_kind *k, const sat_id *id, sat_err *e)
{
	for (size_t i = 0; i < k->nfields; i++)
		if (k->fields[i].mask != NULL && sat_crm_masked(&api->crm, k, id,
		    &k->fields[i]))
			return sat_fail_code(e, SAT_EDENIED, "denied",
			    "ask the customer's owner, a manager or headquarters",
			    "%s is masked for this role: the copy would not be "
			    "whole", k->fields[i].key);
	return SAT_OK;
}

HANDLER(api_privacy_access)
{
	const char *file;
	asked q = { "access", sat_json_get_str(req->body, "note",
	    "copy of the data"), "handed over" };
	bundle b = { .api = api };
	sat_json *doc = NULL;
	char id[SAT_ID_TEXT];
	const sat_kind *k;
	sat_id subject, made;
	sat_rc rc = api_file_named(&file, req, "file", e);

	(void)args;
	if (rc == SAT_OK)
		rc = find_person(&k, &subject, api, req, e);
	if (rc == SAT_OK && (file == NULL || file[0] == '\0'))
		rc = sat_fail(e, SAT_EUSAGE, "name the file: -o FILE");
	if (rc != SAT_OK || (rc = may_copy(api, k, &subject, e)) != SAT_OK ||
	    (rc = sat_replica_audit_about(api->crm.replica, &subject,
	    "privacy.access", q.note, e)) != SAT_OK)
		return rc;
	doc = api_doc("privacy.copy");
	sat_id_text(id, &subject);
	sat_json_put_str(doc, "id", id);
	sat_json_put_time(doc, "at", sat_wall_ms(&api->crm.clock));
	sat_json_put_str(doc, "by", sat_replica_me(api->crm.replica)->key);
	b.records = sat_json_put_arr(doc, "records");
	if ((rc = gather(&b, k, &subject, e)) == SAT_OK &&
	    (rc = write_copy(&b, doc, file, e)) == SAT_OK &&
	    (rc = make_request(&made, api, &subject, &q, e)) == SAT_OK) {
		*out = api_doc("privacy.access");
		sat_json_put_str(*out, "id", id);
		sat_json_put_str(*out, "file", file);
		sat_json_put_int(*out, "records",
		    (int64_t)sat_json_count(b.records));
	}
	sat_json_free(doc);
	sat_buf_fini(&b.text);
	return rc;
}
