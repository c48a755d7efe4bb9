/*
 * api_int.h - the handlers, shared inside the room. args[] are the captured
 * places of the pattern, in order.
 */
#ifndef SAT_API_INT_H
#define SAT_API_INT_H

#include "client/api/api.h"

#define HANDLER(name)                                                     \
	sat_rc name(sat_json **out, sat_api *api, const sat_request *req, \
	    const char *const args[4], sat_err *e)

/* list.c */
HANDLER(api_list);
HANDLER(api_query);
/* Which records, in what order, which of them: set q.kind first. */
typedef struct api_rows {
	sat_query q;
	sat_filter filters[32];
	sat_value extra[8];
	sat_arena a; /* of the filters; the caller's to free */
} api_rows;
sat_rc api_rows_read(api_rows *x, sat_api *api, const sat_json *query, sat_err *e);
/* A query's filters as one expression of --where; its sort. */
sat_rc api_where_of(sat_buf *w, sat_api *api, const sat_kind *k,
    const sat_json *query, sat_err *e);
sat_rc api_sort_of(sat_query *q, sat_api *api, const char *text, sat_err *e);
/* list_body.c: a member of a body's filter as a query has it. */
void api_filter_flat(sat_json *q, const sat_json *member);
/* views.c */
HANDLER(api_views);
HANDLER(api_view_add);
HANDLER(api_view_show);
HANDLER(api_view_edit);
HANDLER(api_view_delete);
HANDLER(api_view_restore);
/* view_apply.c: the query with what ?view= names in it, the caller's to free; what of
 * the view means nothing any more is left out and told of under "view" of doc. */
sat_rc api_view_apply(sat_json **out, sat_json *doc, sat_api *api,
    const sat_kind *k, const sat_json *query, sat_err *e);
/* The kind and id of the view that a path or option names, by id, or by name
 * among those that list records of the kind `of` (NULL: of any). */
sat_rc api_view_find(const sat_kind **k, sat_id *id, sat_api *api,
    const char *text, const char *of, sat_err *e);
/* ?fields=name,stage: of the kind, or of every record; NULL is fine. SAT_EUSAGE. */
SAT_CHECK sat_rc api_fields_known(const sat_kind *k, const char *fields,
    sat_err *e);
void api_keep_fields(sat_json *row, const sat_kind *k, const char *fields);
/* Rows of a kind that name the record in this field, newest first; limit 0 = all. */
sat_rc api_naming_put(sat_json *data, sat_api *api, const sat_kind *k,
    const sat_field *by, const sat_id *id, int64_t limit, bool labels, sat_err *e);
/* words "contacts,last_activity": what belongs to the record, by these. */
sat_rc api_include_put(sat_json *into, sat_api *api, const sat_kind *k,
    const sat_id *id, const char *words, bool labels, sat_err *e);
/* The answer to a list of the kind a path names. */
sat_rc api_list_answer(sat_json **out, sat_api *api, const char *segment,
    const sat_json *query, sat_err *e);
typedef struct api_look {      /* what is shown of a row */
	bool labels;
	const char *fields, *with;  /* NULL: all of them; nothing under it */
} api_look;
/* One more row of data; `a` is used for it. */
sat_rc api_row_put(sat_json *data, sat_arena *a, sat_api *api,
    const sat_kind *k, const sat_id *id, const api_look *how, sat_err *e);
typedef struct api_page {
	bool counted;               /* whoever asks wants to know the total */
	int64_t total;
	size_t n;
	bool before, after;         /* there are rows before its first, behind its last */
	sat_edge first, last;       /* set where there are; texts in mem */
	sat_arena mem;              /* the caller's to free */
} api_page;
/* list_then.c: the same list as it was then, into data; what the device cannot
 * tell of it, into doc. */
sat_rc api_list_then(sat_json *doc, sat_json *data, api_page *p, sat_api *api,
    const sat_query *q, const char *as_of, const api_look *how, sat_err *e);
/* cursor.c: of which list a cursor is: everything of a query that decides which
 * rows there are and in what order. */
void api_list_mark(uint8_t out[SAT_HASH_BYTES], const sat_kind *k,
    const sat_json *query);
/* The place as a member of the answer's page; back: the page before it. */
sat_rc api_cursor_put(sat_json *page, const char *member, const sat_api *api,
    const uint8_t mark[SAT_HASH_BYTES], const sat_query *q, const sat_edge *at,
    bool back, sat_err *e);
/* The page begins there: sets from and back of q, whose sort is set. SAT_EUSAGE
 * code "usage.cursor": forged, damaged, or of another list. */
sat_rc api_cursor_read(sat_query *q, sat_arena *a, const sat_api *api,
    const uint8_t mark[SAT_HASH_BYTES], const char *text, sat_err *e);
/* May the acting user's role see records of this kind? A route may have been
 * allowed for another kind, or for writing alone. */
bool api_may_view(const sat_api *api, const sat_kind *k);
/* records.c */
HANDLER(api_create);
HANDLER(api_show);
HANDLER(api_edit);
HANDLER(api_delete);
HANDLER(api_restore);
HANDLER(api_stage);
HANDLER(api_assign);
HANDLER(api_aggregate); /* aggregate.c */
HANDLER(api_batch); /* batch.c */
HANDLER(api_history);
HANDLER(api_timeline);
/* past.c: since when (0: ever), by which device (-1: any), of which field. */
typedef struct api_past {
	int64_t since_ms, device;
	const char *field;
} api_past;
sat_rc api_past_read(api_past *p, sat_api *api, const sat_request *req, sat_err *e);
bool api_past_has(const api_past *p, int64_t at_ms, uint32_t device);
/* The record as it was at a time, as far as this device kept its past;
 * "unknown" names the fields of which it did not. SAT_ENOTFOUND: made later. */
sat_rc api_record_then(sat_json **out, sat_api *api, const sat_kind *k,
    const sat_id *id, const char *as_of, bool labels, sat_err *e);
/* The same as a view, in `a`. *there false: not made yet, or deleted by then.
 * Fields nothing is known of for then are added to `unknown`, by key. */
sat_rc api_view_then(sat_view *v, bool *there, sat_json *unknown, sat_arena *a,
    sat_api *api, const sat_kind *k, const sat_id *id, int64_t at_ms, sat_err *e);
/* A time, or an age ("7d"). SAT_EUSAGE. */
sat_rc api_since(int64_t *ms, sat_api *api, const char *text, sat_err *e);
/* route.c: of this method and path; NULL. */
const sat_route *api_route_of(const char *method, const char *path);
/* made.c: does it make something, unless it only tries? */
bool api_makes(const sat_route *r);
/* file_named.c: a file or folder of this computer, named in the body, of a GET in
 * the query; "-" is what out_fd is. NULL: none is. Every handler takes such a name
 * from here. SAT_EDENIED "port.file": this request may bring none. SAT_EUSAGE: it is
 * no text. */
sat_rc api_file_named(const char **name, const sat_request *req,
    const char *member, sat_err *e);
/* attach.c */
HANDLER(api_attachments);
HANDLER(api_attach);
HANDLER(api_attachment);
HANDLER(api_detach);
/* search.c */
HANDLER(api_search);
/* conflicts.c */
HANDLER(api_conflicts);
HANDLER(api_conflict);
HANDLER(api_resolve);
HANDLER(api_conflict_log);
HANDLER(api_conflict_stats);
/* The open ones into an array; assignee NULL = everybody's. */
sat_rc api_conflicts_put(sat_json *data, sat_api *api, const char *assignee, sat_err *e);
/* pool.c */
HANDLER(api_pool);
HANDLER(api_pool_preview);
HANDLER(api_pool_lease);
HANDLER(api_claim);
HANDLER(api_release);
/* merge.c */
HANDLER(api_merge);
HANDLER(api_unmerge);
HANDLER(api_duplicates);
HANDLER(api_duplicate);
HANDLER(api_duplicates_of);
HANDLER(api_dismiss);
HANDLER(api_merge_pair);
HANDLER(api_pair_decide);
/* "merged" and "owners_differ" of a customer others were merged into. */
sat_rc api_merged_put(sat_json *doc, sat_api *api, const sat_kind *k, const sat_id *id, sat_err *e);
/* Open pairs that may be one customer, into an array; keys below this score are
 * not worth a question. */
#define API_PAIR_SCORE 60
sat_rc api_pairs_put(sat_json *data, sat_api *api, bool weak, int64_t min, sat_err *e);
/* inbox.c */
HANDLER(api_inbox);
HANDLER(api_moved);
HANDLER(api_late_seen);
HANDLER(api_tokens);
HANDLER(api_token);
HANDLER(api_token_create);
HANDLER(api_token_revoke);
/* assign.c */
HANDLER(api_assign_many);
/* handover.c */
HANDLER(api_handovers);
HANDLER(api_handover);
HANDLER(api_accept);
HANDLER(api_decline);
HANDLER(api_hand);
/* Those that wait into an array; key NULL = all. *found counts them. */
sat_rc api_handovers_put(sat_json *data, sat_api *api, const char *key,
    size_t *found, sat_err *e);
/* quarantine.c */
HANDLER(api_quarantine);
HANDLER(api_retry);
HANDLER(api_discard);
HANDLER(api_sync_log);
/* Number of a refused commit in a path; SAT_ENOTFOUND. */
sat_rc api_refused_id(int64_t *id, const char *text, sat_err *e);
/* What the server, or this replica, has in the field of an operation. */
void api_server_value_put(sat_json *o, sat_api *api, const char *key, const sat_op *op);
/* The open ones into an array. */
sat_rc api_quarantine_put(sat_json *data, sat_api *api, sat_err *e);
/* state.c */
HANDLER(api_health);
HANDLER(api_version);
HANDLER(api_openapi); /* openapi.c */
/* Described here, answered by the daemon's door (client/http): without one
 * there is nothing that could wait, tell or lock. */
HANDLER(api_of_daemon);
HANDLER(api_me);
HANDLER(api_status);
HANDLER(api_sync_run);
HANDLER(api_sync_watch);
HANDLER(api_pending);
HANDLER(api_people);
HANDLER(api_schema);
HANDLER(api_dict);
/* i18n.c */
HANDLER(api_i18n);
HANDLER(api_calendar);
HANDLER(api_metrics);
/* "etag": changes with the template; the door makes a header of it. */
void api_etag_put(sat_json *doc, const sat_api *api);
/* json_schema.c: "$schema", title, properties, required of records of a kind. */
void api_json_schema_put(sat_json *doc, const sat_kind *k, bool zh);
/* rules.c */
HANDLER(api_rules);
HANDLER(api_rule);
HANDLER(api_rules_run);
/* sop.c, dictionary.c */
HANDLER(api_sop);
HANDLER(api_sop_export);
HANDLER(api_sop_record);
HANDLER(api_sop_check);
HANDLER(api_sop_conformance);
HANDLER(api_schema_dump);
/* undo.c */
HANDLER(api_commit);
HANDLER(api_undo);
/* amend.c */
HANDLER(api_amend);
/* feed.c */
HANDLER(api_feed);
/* Comments that mention the acting user and that he has not seen. */
sat_rc api_mentions_put(sat_json *data, sat_api *api, sat_err *e);
/* He has seen those up to this LSN. */
sat_rc api_mentions_seen(sat_api *api, int64_t upto, sat_err *e);
/* selftest.c, doctor.c */
HANDLER(api_selftest);
HANDLER(api_bench);
HANDLER(api_doctor);
/* request.c: the handler; "commits" are those it made of this device's. */
sat_rc api_do(sat_json **out, sat_api *api, const sat_request *req,
    const sat_route *route, const char *const args[4], sat_err *e);
/* Is it a write, which under an id is done once? Others are answered anew. */
bool api_is_once(const sat_request *req, const sat_route *route);
/* The handler once per request id, then the same answer, or SAT_ECONFLICT
 * "request.done" where none was kept. */
sat_rc api_once(sat_json **out, sat_api *api, const sat_request *req,
    const char *id, const sat_route *route, const char *const args[4],
    sat_err *e);
/* token.c: does the token the request came with name this kind? */
bool api_scope_reads(const sat_api *api, const sat_kind *k);
/* seen.c: before a write is done or tried. SAT_ECONFLICT "version": the record is
 * not as if_version says; SAT_EUSAGE: nothing here has a version. */
sat_rc api_as_seen(sat_api *api, const sat_request *req, const sat_route *r,
    const char *const args[4], sat_err *e);
/* Is a path of this route about one record? t: NULL before the first sync. */
bool api_has_version(const sat_route *r, const sat_template *t);
/* trial.c: ?validate=only: judge it as the route would, and write nothing. */
bool api_is_trial(const sat_request *req);
sat_rc api_trial(sat_json **out, sat_api *api, const sat_request *req,
    const sat_route *r, const char *const args[4], sat_err *e);
/* admin.c: relayed to the server; and what every device knows. */
HANDLER(api_admin_list);
HANDLER(api_admin_show);
HANDLER(api_admin_add);
HANDLER(api_admin_edit);
HANDLER(api_admin_do);
/* One verb of the server (P-370); key and options may be NULL. */
sat_rc api_admin_ask(sat_json **out, sat_api *api, const char *noun,
    const char *verb, const char *key, const sat_json *options, sat_err *e);
/* webhook.c: relayed alike */
HANDLER(api_webhooks);
HANDLER(api_webhook_add);
HANDLER(api_webhook);
HANDLER(api_webhook_dead);
HANDLER(api_webhook_do);
HANDLER(api_webhook_remove);
HANDLER(api_teams);
HANDLER(api_roles);
HANDLER(api_role);
HANDLER(api_device);
HANDLER(api_rotate_key);
/* lead.c */
HANDLER(api_convert);
HANDLER(api_lead_discard);
/* approve.c */
HANDLER(api_submit);
HANDLER(api_approve);
HANDLER(api_reject);
/* subject.c: a record as every answer has it. "subject_kind" and "subject_title"
 * of a rule's task that hangs on no customer: whom it is about, while he is here
 * and may be seen. */
sat_json *api_record_json(sat_api *api, const sat_view *v, bool labels);
/* Those two alone; of any other record nothing. */
void api_subject_put(sat_json *row, sat_api *api, const sat_view *v);
/* The same, of a record that is the subject. */
void api_named_put(sat_json *row, sat_api *api, const sat_id *id);
/* task.c */
HANDLER(api_tasks);
HANDLER(api_task_done);
HANDLER(api_task_snooze);
HANDLER(api_stuck);
/* The instant a query or body names as as_of, else now. SAT_EUSAGE. */
sat_rc api_as_of(int64_t *ms, sat_api *api, const char *as_of, sat_err *e);
/* reception.c */
HANDLER(api_checkin);
HANDLER(api_visit_leave);
HANDLER(api_report_code);
HANDLER(api_consent);
HANDLER(api_judge);
HANDLER(api_rotation);
HANDLER(api_turn);
/* kiosk.c */
HANDLER(api_kiosk_checkin);
HANDLER(api_kiosk_lookup);
HANDLER(api_kiosk_pin);
HANDLER(api_kiosk_pin_set);
/* standard.c */
HANDLER(api_worklist);
HANDLER(api_approvals);
HANDLER(api_standard);
/* form.c */
HANDLER(api_form);
/* imports.c */
HANDLER(api_imports);
HANDLER(api_import_one);
HANDLER(api_import_undo);
HANDLER(api_import_sample);
HANDLER(api_import_verdict);
HANDLER(api_import_close);
HANDLER(api_import_open);
/* import_file.c */
HANDLER(api_import);
HANDLER(api_import_preview);
/* work.c */
HANDLER(api_export);
/* export_sqlite.c: a plain database at `to`; q->kind NULL = every kind this role
 * may view. *rows counts on. */
sat_rc api_export_sqlite(int64_t *rows, sat_api *api, sat_export_opts *o,
    sat_query *q, const char *to, sat_err *e);
/* "label", quoted as a name of SQL. */
void api_book_name(sat_buf *b, const char *label);
/* book_reports.c: the reports of this role as tables of numbers, and views. */
sat_rc api_book_reports(struct sat_db *db, sat_api *api, sat_err *e);
HANDLER(api_reports);
HANDLER(api_report);
/* assess.c */
HANDLER(api_assessment);
/* frozen.c */
/* Period, filters, as-of: of the query, or of a body. */
sat_rc api_report_opts(sat_report_opts *o, const char *params[16],
    const sat_api *api, const sat_json *from, sat_err *e);
HANDLER(api_report_run);
HANDLER(api_report_explain);
HANDLER(api_report_rows);
HANDLER(api_report_freeze);
HANDLER(api_frozen_list);
HANDLER(api_frozen);
HANDLER(api_frozen_sign);
HANDLER(api_reports_due);
HANDLER(api_reports_made);
HANDLER(api_report_made);
/* privacy.c */
HANDLER(api_privacy);
HANDLER(api_privacy_erase);
HANDLER(api_privacy_confirm);
/* rights.c */
HANDLER(api_privacy_requests);
HANDLER(api_privacy_correct);
HANDLER(api_privacy_answer);
HANDLER(api_privacy_access);
/* retention.c: policy/privacy.json; NULL: the template has none. */
const sat_json *api_privacy_policy(const sat_api *api);
HANDLER(api_privacy_due);
HANDLER(api_privacy_retention);
HANDLER(api_privacy_retention_run);
/* privacy.c: after this device's user confirmed an erasure: it is told to him only
 * when this device has it, signed, so that it outlives the server (P-392). */
sat_rc api_privacy_follow(sat_api *api, sat_err *e);
/* beside.c: for handlers of sat_api_uses_network. fn(arg), on the replica's
 * thread; it has returned then. */
void api_on_replica(sat_api *api, void (*fn)(void *arg), void *arg);
/* What this device has not sent yet, so that the server judges by it; what it
 * refuses is kept. With api->sync.asking nothing: the daemon sends at once. */
SAT_CHECK sat_rc api_send_first(sat_api *api, sat_err *e);
/* sat_sync_privacy, waiting for the network beside the replica's thread. */
SAT_CHECK sat_rc api_ask_privacy(sat_privacy_is *is, sat_arena *a, sat_api *api,
    const sat_privacy *in, sat_err *e);
/* with.c: what stands for itself and was found to be a customer's. */
typedef struct api_with {
	sat_id id;
	const char *kind;      /* NULL: not known here */
	const char *state;     /* "asked", "erased", "hold", "gone" */
} api_with;
typedef struct api_withs {
	api_with *v;
	size_t n, cap;
	bool unknown;          /* this device does not hold everybody's records */
} api_withs;
/* The field of a kind that says whose customer's its record was found to be; NULL. */
const sat_field *api_found_field(const sat_kind *k, const sat_kind *root);
/* On the replica's thread: the kind's records whose field `by` names id, or one who
 * was merged into it; in `a`. */
SAT_CHECK sat_rc api_naming(sat_id **ids, size_t *n, sat_arena *a, sat_api *api,
    const sat_kind *k, const sat_field *by, const sat_id *id, sat_err *e);
/* On the replica's thread: all of them, in `a`. */
SAT_CHECK sat_rc api_with_find(api_withs *w, sat_arena *a, sat_api *api,
    const sat_id *customer, sat_err *e);
/* Beside it: a request for each, behind that for the customer, `in`; its reason
 * has at most api_with_room() bytes. last: the newest answer, if any came. */
SAT_CHECK sat_rc api_with_ask(api_withs *w, sat_privacy_is *last, sat_arena *a,
    sat_api *api, const sat_privacy *in, sat_err *e);
size_t api_with_room(void);
/* Confirms what was asked for with the customer, before him. */
SAT_CHECK sat_rc api_with_confirm(api_withs *w, sat_arena *a, sat_api *api,
    const sat_id *customer, sat_err *e);
/* Was this asked for with a customer, and with whom? */
bool api_with_of(sat_id *customer, const sat_privacy_row *x);
/* "with" of an answer; null: it was not looked for here. */
void api_with_put(sat_json *doc, const api_withs *w);
/* u: the sat_api; for sat_sync_opts.interrupted. */
bool api_interrupted(void *u);
/* rights.c */
/* Requests by due date into an array. */
sat_rc api_requests_put(sat_json *rows, sat_api *api, sat_err *e);
/* reveal.c */
HANDLER(api_reveal);
/* proof.c */
HANDLER(api_log);
HANDLER(api_audit);
HANDLER(api_audit_verify);
HANDLER(api_check);
HANDLER(api_backup);
HANDLER(api_compact);
HANDLER(api_templates);
HANDLER(api_template_show);
HANDLER(api_template_files);
HANDLER(api_template_verify);
/* template_file.c */
HANDLER(api_template_pack);
HANDLER(api_template_apply);
/* revisions.c */
HANDLER(api_template_diff);
HANDLER(api_template_revision);
/* One revision of the template's history ("current", NULL: in force). */
struct sat_layer;
sat_rc api_template_layer(struct sat_layer *l, sat_arena *a, sat_api *api,
    const char *rev, sat_err *e);
/* propose.c */
HANDLER(api_template_propose);
HANDLER(api_template_proposals);
/* simulate.c */
/* {"files":{path: text}}; the texts are the body's. */
sat_rc api_template_files_of(struct sat_layer *l, sat_arena *a,
    const sat_json *body, sat_err *e);
HANDLER(api_template_simulate);

/* One record as the answer, schema record. Who may not view the kind
 * (a kiosk) is told its id and nothing else. */
sat_rc api_record_answer(sat_json **out, sat_api *api, const sat_kind *k,
    const sat_id *id, bool labels, sat_err *e);
/* The kind of a path segment ("accounts"); SAT_ENOTFOUND. */
sat_rc api_kind(const sat_kind **k, const sat_api *api, const char *segment, sat_err *e);
/* The record args[0] and args[1] of a path name: segment of its kind, and id,
 * beginning of it, number or name. */
sat_rc api_find(const sat_kind **k, sat_id *id, sat_api *api,
    const char *const args[4], sat_err *e);
/* SAT_ENOREPLICA before the first sync. */
sat_rc api_need_template(const sat_template **t, sat_api *api, sat_err *e);
/* Is it asked for: "all", "all=1"? Not by all=0, nor all=false. */
bool api_on(const sat_json *query, const char *key);
/* A member of the query, else NULL. */
const char *api_q(const sat_request *req, const char *key);
/* A whole number of the query, not negative; dflt when it is not there. */
sat_rc api_number(int64_t *v, const sat_request *req, const char *key, int64_t dflt, sat_err *e);
/* Inputs from a JSON body, texts in the arena (the caller's to free). */
typedef struct api_inputs {
	sat_input in[SAT_FIELDS_MAX];
	size_t n;
	sat_arena a;
} api_inputs;
sat_rc api_inputs_read(api_inputs *x, const sat_json *body, sat_err *e);
/* {"schema":"satchel/<name>/1"} */
sat_json *api_doc(const char *name);
/* The end of a handler: doc is the answer when rc is SAT_OK, else it goes
 * away. @return rc. */
sat_rc api_answer(sat_json **out, sat_json *doc, sat_rc rc);
/* Which of many keys does a text name? The whole of one, or the beginning of
 * one of them, of at least 6 characters. */
typedef struct api_named {
	const char *text;
	size_t hits;   /* 1: found */
	char key[64];  /* the one found last */
} api_named;
/* @return true: it is this one, no other need be asked. */
bool api_named_is(api_named *n, const char *key);
/* Commit as JSON: who, when, what was changed. */
void api_commit_json(sat_json *row, sat_api *api, const sat_commit *c);
/* Its parts: without the operations; one operation. */
void api_commit_head_json(sat_json *row, sat_api *api, const sat_commit *c);
void api_op_json(sat_json *o, sat_api *api, const sat_op *op);
void api_value_put(sat_json *obj, const char *key, const sat_api *api, const sat_field *f, sat_value v);
/* What this role may see of it: the value, or its mask (in b). Every way out of
 * a record's past goes through here; the present through sat_crm_json. */
sat_value api_shown(sat_buf *b, sat_api *api, const sat_kind *k, const sat_id *id,
    const sat_field *f, sat_value v);
/* "kind", "id", "title", "owner" of a record, as far as it is here. */
void api_record_head_put(sat_json *row, sat_api *api, const sat_kind *k, const sat_id *rec);
void api_id_put(sat_json *obj, const char *key, const sat_id *id); /* zero = null */
void api_copy_put(sat_json *obj, const char *key, const sat_json *v); /* NULL = null */
void api_device_put(sat_json *obj, const sat_api *api, uint32_t dev); /* "device", "user" */

#endif
