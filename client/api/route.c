/*
 * The route table. Order matters only between patterns that both fit: fixed
 * words stand before places.
 */
#include "client/api/api_int.h"

#include <stdio.h>
#include <string.h>

static const sat_route routes[] = {
	{ "GET", "/v1/health", "open", "health", "is the program alive", api_health },
	{ "GET", "/v1/version", "open", "version", "version and protocol", api_version },
	{ "GET", "/v1/openapi.json", "open", "openapi", "this table as OpenAPI 3.1", api_openapi },
	{ "GET", "/v1/status", "open", "status", "state of this replica", api_status },
	{ "GET", "/v1/me", "", "me", "who this device belongs to", api_me },
	{ "GET", "/v1/users", "user.view", "user.list", "people of the organisation", api_people },
	{ "GET", "/v1/teams", "user.view", "team.list", "teams of the organisation", api_teams },
	{ "GET", "/v1/roles", "", "role.list", "roles of the template", api_roles },
	{ "GET", "/v1/roles/{key}", "", "role", "what a role may do", api_role },
	{ "GET", "/v1/device", "", "device", "this device", api_device },
	{ "POST", "/v1/device/rotate-key", "", "device", "other keys for this device", api_rotate_key },
	{ "GET", "/v1/admin/{noun}", "", "admin", "ask the server for people, teams, roles or devices", api_admin_list },
	{ "POST", "/v1/admin/{noun}", "", "admin", "add one at the server, or invite a device", api_admin_add },
	{ "GET", "/v1/admin/{noun}/{key}", "", "admin", "ask the server for one of them", api_admin_show },
	{ "PATCH", "/v1/admin/{noun}/{key}", "", "admin", "change one of them at the server", api_admin_edit },
	{ "POST", "/v1/admin/{noun}/{key}/{verb}", "", "admin", "disable, enable, revoke, ... at the server", api_admin_do },
	{ "GET", "/v1/webhooks", "", "admin", "services the server tells what happened", api_webhooks },
	{ "POST", "/v1/webhooks", "", "admin", "tell one more; its secret is shown once", api_webhook_add },
	{ "GET", "/v1/webhooks/{id}", "", "admin", "one of them, and how it is", api_webhook },
	{ "DELETE", "/v1/webhooks/{id}", "", "admin", "tell it nothing any more", api_webhook_remove },
	{ "GET", "/v1/webhooks/{id}/dead", "", "admin", "what it never took", api_webhook_dead },
	{ "POST", "/v1/webhooks/{id}/{verb}", "", "admin", "test, or retry what it did not take", api_webhook_do },
	{ "GET", "/v1/schema", "", "schema.dump", "the data dictionary", api_schema_dump },
	{ "GET", "/v1/schema/{kind}", "", "schema", "fields of a kind", api_schema },
	{ "GET", "/v1/dict/{name}", "", "dict", "options of a dictionary", api_dict },
	{ "GET", "/v1/i18n/{lang}", "", "i18n", "what things are called, in one language", api_i18n },
	{ "GET", "/v1/calendar.ics", "account.view", "calendar", "the acting user's follow-ups and tasks; text/calendar", api_calendar },
	{ "GET", "/metrics", "", "metrics", "counts for a monitor; text/plain", api_metrics },
	{ "GET", "/v1/sync", "open", "status", "state of this replica", api_status },
	{ "POST", "/v1/sync/run", "", "sync", "exchange with the server now", api_sync_run },
	{ "POST", "/v1/sync/watch", "", "sync.watch", "exchange until interrupted", api_sync_watch },
	{ "GET", "/v1/sync/pending", "", "pending", "what waits for the server", api_pending },
	{ "GET", "/v1/sync/log", "", "sync.log", "what became of refused commits", api_sync_log },
	{ "GET", "/v1/tokens", "", "token.list", "who may come through the daemon's port", api_tokens },
	{ "POST", "/v1/tokens", "", "token", "make a token; its text is shown once", api_token_create },
	{ "GET", "/v1/tokens/{id}", "", "token", "one of them, without its text", api_token },
	{ "DELETE", "/v1/tokens/{id}", "", "token", "a token is worth nothing any more", api_token_revoke },
	{ "GET", "/v1/inbox", "", "inbox", "what needs a person", api_inbox },
	{ "GET", "/v1/conflicts", "", "conflict.list", "open conflicts", api_conflicts },
	{ "GET", "/v1/conflicts/log", "", "conflict.log", "what opened, settled or dismissed conflicts", api_conflict_log },
	{ "GET", "/v1/conflicts/stats", "", "conflict.stats", "conflicts by field and by device", api_conflict_stats },
	{ "GET", "/v1/conflicts/{key}", "", "conflict.list", "one conflict with all values", api_conflict },
	{ "POST", "/v1/conflicts/{key}/resolve", "conflict.resolve", "conflict.resolved", "decide a conflict", api_resolve },
	{ "GET", "/v1/duplicates", "", "duplicate.list", "customers that may be one", api_duplicates },
	{ "GET", "/v1/duplicates/{key}", "", "duplicate.list", "one pair", api_duplicate },
	{ "POST", "/v1/duplicates/{key}", "", "duplicate.decided", "one or two: choice merge, or dismiss", api_pair_decide },
	{ "POST", "/v1/duplicates/{key}/dismiss", "", "duplicate.dismissed", "they are two: never ask again", api_dismiss },
	{ "POST", "/v1/duplicates/{key}/merge", "merge", "merged", "make one of the two", api_merge_pair },
	{ "GET", "/v1/quarantine", "", "quarantine.list", "commits the server refused", api_quarantine },
	{ "DELETE", "/v1/quarantine/{id}", "", "quarantine.list", "discard a refused commit", api_discard },
	{ "POST", "/v1/quarantine/{id}/retry", "", "retried", "send a refused commit again, changed", api_retry },
	{ "POST", "/v1/quarantine/{id}/handover", "", "handed", "hand a refused commit over", api_hand },
	{ "GET", "/v1/handovers", "", "handover.list", "work others suggest", api_handovers },
	{ "GET", "/v1/handovers/{key}", "", "handover.list", "one suggestion, field by field", api_handover },
	{ "POST", "/v1/handovers/{key}/accept", "", "handover.answered", "take a suggestion over", api_accept },
	{ "POST", "/v1/handovers/{key}/decline", "", "handover.answered", "settle a suggestion without it", api_decline },
	{ "POST", "/v1/inbox/late/seen", "", "inbox", "others' late edits were looked at", api_late_seen },
	{ "GET", "/v1/moved", "", "moved.list", "customers that left this device", api_moved },
	{ "POST", "/v1/imports", "import", "import", "import a sheet", api_import },
	{ "POST", "/v1/imports/preview", "import", "import.preview", "a sheet's columns, its first rows, and what an import would make of them", api_import_preview },
	{ "POST", "/v1/imports/form", "import", "import.form", "an empty book to fill in", api_form },
	{ "GET", "/v1/imports/form", "import", "import.form", "the same as a file that is fetched; ?type=", api_of_daemon },
	{ "GET", "/v1/imports", "import_batch.view", "import.list", "what was imported, when, by whom", api_imports },
	{ "POST", "/v1/imports/close", "import.close", "import.gate", "nobody imports any more", api_import_close },
	{ "POST", "/v1/imports/open", "import.close", "import.gate", "let people import again", api_import_open },
	{ "GET", "/v1/imports/{id}", "import_batch.view", "import.upload", "a file that was sent, or a batch", api_import_one },
	{ "PATCH", "/v1/imports/{id}", "import", "import.upload", "mapping and options of a file that was sent", api_of_daemon },
	{ "DELETE", "/v1/imports/{id}", "import", "import.upload", "take a file away that was sent", api_of_daemon },
	{ "GET", "/v1/imports/{id}/preview", "import", "import.preview", "columns, first rows, a check of them", api_of_daemon },
	{ "POST", "/v1/imports/{id}/run", "import", "job", "import it, as a job", api_of_daemon },
	{ "GET", "/v1/imports/{id}/errors.csv", "import", "import.upload", "what was refused, and why; text/csv", api_of_daemon },
	{ "POST", "/v1/imports/{id}/undo", "import", "import.undo", "take back what a batch did", api_import_undo },
	{ "GET", "/v1/imports/{id}/sample", "import_batch.view", "import.sample", "draw a sample of a batch", api_import_sample },
	{ "POST", "/v1/imports/{id}/sample", "sample.create", "import.sample", "what people found in a sample", api_import_verdict },
	{ "POST", "/v1/exports", "export", "export", "export records", api_export },
	{ "GET", "/v1/exports/{id}", "export", "job", "an export that was asked for", api_of_daemon },
	{ "GET", "/v1/exports/{id}/file", "export", "job", "what it made, as its format says", api_of_daemon },
	{ "GET", "/v1/jobs", "", "job.list", "work that goes on while nobody waits", api_of_daemon },
	{ "GET", "/v1/jobs/{id}", "", "job", "one of them; ?wait=S until it is over", api_of_daemon },
	{ "DELETE", "/v1/jobs/{id}", "", "session", "end it; or forget it", api_of_daemon },
	{ "GET", "/v1/events", "", "events", "what happened: text/event-stream, or ?wait=S", api_of_daemon },
	{ "POST", "/v1/session", "open", "session", "a session for what stands behind #t=", api_of_daemon },
	{ "DELETE", "/v1/session", "", "session", "the session ends", api_of_daemon },
	{ "POST", "/v1/session/links", "", "session.link", "a one-time link; at the socket", api_of_daemon },
	{ "POST", "/v1/session/lock", "", "session", "close the replica and wipe its keys", api_of_daemon },
	{ "POST", "/v1/session/unlock", "open", "session", "open it again", api_of_daemon },
	{ "POST", "/v1/session/passphrase", "", "session", "another passphrase", api_of_daemon },
	{ "GET", "/v1/reports", "report", "report.list", "report definitions", api_reports },
	{ "GET", "/v1/reports/due", "report", "report.due", "scheduled reports whose period has ended", api_reports_due },
	{ "POST", "/v1/reports/due", "report", "report.due", "make the scheduled reports that are due", api_reports_due },
	{ "GET", "/v1/reports/made", "report", "report.made", "scheduled reports that were made here", api_reports_made },
	{ "GET", "/v1/reports/made/{key}/{period}", "report", "report", "a scheduled report as it was made", api_report_made },
	{ "GET", "/v1/reports/frozen", "report", "report.frozen.list", "reports whose numbers are frozen", api_frozen_list },
	{ "GET", "/v1/reports/frozen/{id}", "report", "report", "frozen numbers, and what came later", api_frozen },
	{ "POST", "/v1/reports/frozen/{id}/sign", "report_signoff.create", "report", "sign frozen numbers", api_frozen_sign },
	{ "GET", "/v1/reports/assessment", "report", "report.assessment", "how the process stands: several reports", api_assessment },
	{ "GET", "/v1/reports/{key}", "report", "report.definition", "one report's definition", api_report },
	{ "GET", "/v1/reports/{key}/explain", "report", "report.explain", "formula, filter and period in words", api_report_explain },
	{ "GET", "/v1/reports/{key}/run", "report", "report", "run a report on this replica", api_report_run },
	{ "GET", "/v1/reports/{key}/rows", "report", "report.rows", "the records behind a report's numbers", api_report_rows },
	{ "POST", "/v1/reports/{key}/freeze", "frozen_report.create", "report", "freeze the numbers of a period", api_report_freeze },
	{ "GET", "/v1/templates", "template.view", "template.log", "history of the template", api_templates },
	{ "GET", "/v1/templates/show", "template.view", "template", "a document of the template", api_template_show },
	{ "GET", "/v1/templates/files", "", "template.files", "every document of the template", api_template_files },
	{ "GET", "/v1/templates/diff", "template.view", "template.diff", "places in which two revisions differ", api_template_diff },
	{ "GET", "/v1/templates/proposals", "template.view", "template.proposals", "changes of the template that people suggest", api_template_proposals },
	{ "GET", "/v1/templates/{rev}", "template.view", "template.revision", "the documents of one revision", api_template_revision },
	{ "POST", "/v1/templates/proposals", "template.view", "record", "suggest a change of the template", api_template_propose },
	{ "POST", "/v1/templates/simulate", "template.view", "template.simulate", "what a draft of the template would change here", api_template_simulate },
	{ "POST", "/v1/templates/pack", "template.view", "template.file", "the template in force as a file", api_template_pack },
	{ "POST", "/v1/templates/apply", "", "template.file", "take a newer template from a file", api_template_apply },
	{ "POST", "/v1/templates/verify", "template.view", "template.verify", "verify signatures and objects", api_template_verify },
	{ "GET", "/v1/commits", "", "log", "this device's own commits", api_log },
	{ "GET", "/v1/commits/{id}", "", "commit", "one of this device's own commits", api_commit },
	{ "POST", "/v1/commits/{id}/revert", "", "undone", "put back what a commit replaced", api_undo },
	{ "GET", "/v1/audit", "audit.view", "audit.log", "the local audit log", api_audit },
	{ "POST", "/v1/audit/verify", "audit.view", "audit.verify", "verify chains and signatures", api_audit_verify },
	{ "GET", "/v1/privacy", "", "privacy.list", "erasures, and how far devices are", api_privacy },
	{ "POST", "/v1/privacy/erase", "", "privacy.list", "ask for a customer's erasure", api_privacy_erase },
	{ "POST", "/v1/privacy/confirm", "", "privacy.list", "confirm it as a second person", api_privacy_confirm },
	{ "GET", "/v1/privacy/requests", "rights_request.view", "privacy.requests", "what people asked for, by due date", api_privacy_requests },
	{ "POST", "/v1/privacy/requests/{id}/answer", "rights_request.edit", "record", "a request is answered", api_privacy_answer },
	{ "POST", "/v1/privacy/access", "rights_request.create", "privacy.access", "a copy of everything about a customer; the daemon answers it itself when no file is named", api_privacy_access },
	{ "POST", "/v1/privacy/correct", "rights_request.create", "record", "a person asks for a correction", api_privacy_correct },
	{ "GET", "/v1/privacy/due", "account.view", "privacy.due", "what is kept longer than the policy says", api_privacy_due },
	{ "GET", "/v1/privacy/retention", "", "privacy.retention", "the same, and how far its erasure is", api_privacy_retention },
	{ "POST", "/v1/privacy/retention/{id}", "", "privacy.retained", "erase what is kept too long: ask, or confirm", api_privacy_retention_run },
	{ "POST", "/v1/check", "", "check", "check the replica", api_check },
	{ "POST", "/v1/compact", "", "compact", "write the replica anew, with full pages", api_compact },
	{ "POST", "/v1/backups", "", "backup", "verified copy of the replica", api_backup },
	{ "GET", "/v1/attachments", "", "attachment.list", "files of a record", api_attachments },
	{ "POST", "/v1/attachments", "", "attachment", "add a file to a record", api_attach },
	{ "GET", "/v1/attachments/{hash}", "", "attachment", "content of a file, as its type says", api_attachment },
	{ "DELETE", "/v1/attachments/{hash}", "", "attachment", "the record names it no more", api_detach },
	{ "GET", "/v1/search", "", "search", "find by characters, pinyin, number or the end of a phone", api_search },
	{ "GET", "/v1/rules", "", "rules.list", "rules that make tasks", api_rules },
	{ "POST", "/v1/rules/run", "", "rules.run", "run the rules on this replica", api_rules_run },
	{ "GET", "/v1/rules/{key}", "", "rules.rule", "one rule, or the rule behind a task", api_rule },
	{ "POST", "/v1/activities/{id}/amend", "activity.create", "record", "correct a follow-up by a new one", api_amend },
	{ "GET", "/v1/feed", "", "feed", "what happened lately, and by whom", api_feed },
	{ "POST", "/v1/selftest", "open", "selftest", "does the program work on this computer", api_selftest },
	{ "POST", "/v1/bench", "open", "bench", "how fast is it on this computer", api_bench },
	{ "GET", "/v1/doctor", "open", "doctor", "what to set right on this device", api_doctor },
	{ "POST", "/v1/leads/{id}/convert", "lead.edit", "lead.converted", "make a customer of a lead, once", api_convert },
	{ "POST", "/v1/leads/{id}/discard", "lead.edit", "record", "a lead leads to nothing", api_lead_discard },
	{ "GET", "/v1/sop", "", "sop.list", "procedures of the template", api_sop },
	{ "GET", "/v1/sop/export", "", "sop.export", "the procedures as a document", api_sop_export },
	{ "GET", "/v1/sop/conformance", "report", "sop.conformance", "who went the way a procedure asks for", api_sop_conformance },
	{ "GET", "/v1/sop/records/{id}", "", "sop.record", "the checklist of a record", api_sop_record },
	{ "POST", "/v1/sop/records/{id}/check", "", "sop.record", "items of a checklist that are done", api_sop_check },
	{ "GET", "/v1/stuck", "", "stuck", "records too long in their stage", api_stuck },
	{ "GET", "/v1/tasks", "task.view", "list", "tasks, by when they are due", api_tasks },
	{ "POST", "/v1/tasks/{id}/done", "task.edit", "record", "a task is done", api_task_done },
	{ "POST", "/v1/tasks/{id}/snooze", "task.edit", "record", "put a task off", api_task_snooze },
	{ "GET", "/v1/approvals", "", "approval.list", "what waits for whose approval, since when", api_approvals },
	{ "GET", "/v1/worklist", "account.view", "worklist", "customers somebody has to be in touch with", api_worklist },
	{ "GET", "/v1/accounts/{id}/standard", "account.view", "standard", "what the standard says of a customer", api_standard },
	{ "GET", "/v1/pool", "pool.view", "pool.list", "customers that pools offer", api_pool },
	{ "GET", "/v1/pool/preview", "pool.view", "pool.preview", "what the pools would take back", api_pool_preview },
	{ "POST", "/v1/pool/leases", "pool.claim", "pool.lease", "have customers of a pool kept for a claim offline", api_pool_lease },
	{ "POST", "/v1/accounts/{id}/claim", "pool.claim", "record", "ask for a customer of a pool", api_claim },
	{ "POST", "/v1/accounts/{id}/release", "pool.release", "record", "give a customer to a pool", api_release },
	{ "POST", "/v1/visits/checkin", "visit.create", "record", "take a visitor in", api_checkin },
	{ "POST", "/v1/visits/{id}/leave", "visit.edit", "record", "the visitor has left", api_visit_leave },
	{ "POST", "/v1/visits/{id}/judge", "visit.view", "judgement", "whose customer is it, by which rule; or write it down", api_judge },
	{ "GET", "/v1/preregistrations/{id}/code", "preregistration.view", "report.code", "what the agent shows at the door", api_report_code },
	{ "POST", "/v1/kiosk/checkin", "visit.create", "record", "a visitor takes himself in", api_kiosk_checkin },
	{ "POST", "/v1/kiosk/lookup", "visit.create", "kiosk.lookup", "is it a code, and of this phone", api_kiosk_lookup },
	{ "POST", "/v1/kiosk/pin", "visit.create", "kiosk.pin", "a member of staff at the machine", api_kiosk_pin },
	{ "PATCH", "/v1/kiosk/pin", "visit.create", "kiosk.pin", "set the PIN of staff", api_kiosk_pin_set },
	{ "GET", "/v1/consent", "", "consent.text", "the text a visitor agrees to", api_consent },
	{ "GET", "/v1/rotation", "rotation.view", "rotation", "whose turn it is", api_rotation },
	{ "POST", "/v1/rotation", "rotation.create", "rotation.turn", "join, leave, serve, skip or swap", api_turn },
	{ "GET", "/v1/views", "view.view", "list", "saved views: one's own, the team's, everybody's", api_views },
	{ "POST", "/v1/views", "view.create", "record", "keep a filter, an order and columns under a name", api_view_add },
	{ "GET", "/v1/views/{id}", "view.view", "record", "one of them, by its id or name", api_view_show },
	{ "PATCH", "/v1/views/{id}", "view.edit", "record", "change one of them", api_view_edit },
	{ "DELETE", "/v1/views/{id}", "view.delete", "record", "delete one of them (restorable)", api_view_delete },
	{ "POST", "/v1/views/{id}/restore", "view.delete", "record", "restore one of them", api_view_restore },
	{ "POST", "/v1/{kind}/assign", "assign", "assigned", "give many to another user, or say what that would move", api_assign_many },
	{ "POST", "/v1/{kind}/query", "view", "list", "list records, by a body", api_query },
	{ "POST", "/v1/{kind}/batch", "view", "batch", "create, change and delete many, all or each", api_batch },
	{ "GET", "/v1/{kind}/aggregate", "view", "aggregate", "count and add up, by group", api_aggregate },
	{ "GET", "/v1/{kind}", "view", "list", "list records", api_list },
	{ "POST", "/v1/{kind}", "create", "record", "create a record", api_create },
	{ "GET", "/v1/{kind}/{id}", "view", "record", "one record", api_show },
	{ "PATCH", "/v1/{kind}/{id}", "edit", "record", "change fields", api_edit },
	{ "DELETE", "/v1/{kind}/{id}", "delete", "record", "delete (restorable)", api_delete },
	{ "POST", "/v1/{kind}/{id}/restore", "delete", "record", "restore a deleted record", api_restore },
	{ "POST", "/v1/{kind}/{id}/stage", "edit", "record", "move along the stages", api_stage },
	{ "POST", "/v1/{kind}/{id}/assign", "assign", "record", "give to another user", api_assign },
	{ "POST", "/v1/{kind}/{id}/submit", "edit", "approval", "submit it, or ask those who have to agree", api_submit },
	{ "POST", "/v1/{kind}/{id}/approve", "edit", "approval", "agree to it in the acting user's role", api_approve },
	{ "POST", "/v1/{kind}/{id}/reject", "edit", "approval", "send it back as a new version", api_reject },
	{ "POST", "/v1/{kind}/{id}/merge", "merge", "merged", "merge into another record", api_merge },
	{ "POST", "/v1/{kind}/{id}/unmerge", "merge", "merged", "take a merge apart", api_unmerge },
	{ "POST", "/v1/{kind}/{id}/reveal", "", "reveal", "a masked value, with a reason; written down", api_reveal },
	{ "GET", "/v1/{kind}/{id}/duplicates", "view", "duplicate.list", "what it may be one with", api_duplicates_of },
	{ "GET", "/v1/{kind}/{id}/history", "view", "history", "past values, who and when", api_history },
	{ "GET", "/v1/{kind}/{id}/timeline", "view", "timeline", "everything under a customer", api_timeline },
};

#define NROUTES (sizeof routes / sizeof routes[0])

const sat_route *
sat_api_routes(size_t *n)
{
	*n = NROUTES;
	return routes;
}

/* One segment of a path: up to the next '/'. */
static const char *
segment(const char **p, size_t *n)
{
	const char *s = *p;

	*n = strcspn(s, "/");
	*p = s + *n + (s[*n] == '/');
	return s;
}

/*
 * Captures into the arena; false when the path does not fit. A path has one
 * spelling: whoever guards one by its text (token.c, session.c, what uses the
 * network) knows every path that reaches the route.
 */
static bool
fits(const sat_route *r, const char *path, sat_arena *mem, const char **args)
{
	const char *p = r->pattern + 1, *q = path + 1, *a, *b;
	size_t na, nb, k = 0, n = strlen(path);

	if (path[0] != '/' || path[n - 1] == '/')
		return false;
	while (*p != '\0' && *q != '\0') {
		a = segment(&p, &na);
		b = segment(&q, &nb);
		if (nb == 0)
			return false;
		if (a[0] == '{') {
			if (k == 4)
				return false;
			args[k++] = sat_arena_str(mem, b, nb);
		} else if (na != nb || strncmp(a, b, na) != 0) {
			return false;
		}
	}
	return *p == '\0' && *q == '\0';
}

/*
 * "" any enrolled user; "open" anybody; view, create, edit, delete, assign
 * belong to the kind ("account.edit", else "edit" of the matrix); others are
 * actions of their own.
 */
static sat_rc
permitted(const sat_route *r, const sat_api *api, const char *kind, sat_err *e)
{
	static const char *const of_kind[] = { "view", "create", "edit",
		"delete", "assign" };
	const sat_user *me;
	const sat_template *t;
	char action[96];
	sat_rc rc;

	if (strcmp(r->permission, "open") == 0)
		return SAT_OK;
	if (api->crm.replica == NULL)
		return sat_fail(e, SAT_ENOREPLICA, "there is no replica here");
	/* A sync ends the lock; it needs no right but the device's own. */
	if (strncmp(r->pattern, "/v1/sync/", 9) != 0 &&
	    (rc = sat_replica_permitted(api->crm.replica, e)) != SAT_OK)
		return rc;
	if (strcmp(r->permission, "") == 0)
		return SAT_OK;
	me = sat_replica_me(api->crm.replica);
	t = sat_replica_template(api->crm.replica);
	if (me == NULL || t == NULL)
		return sat_fail_code(e, SAT_ENOREPLICA, "not_synced",
		    "run: satchel sync",
		    "this replica has not been synced yet");
	(void)snprintf(action, sizeof action, "%s", r->permission);
	for (size_t i = 0; i < 5; i++)
		if (strcmp(r->permission, of_kind[i]) == 0) {
			const sat_kind *k = sat_template_kind(t, kind);

			if (k == NULL)
				return sat_fail(e, SAT_ENOTFOUND,
				    "there is no kind \"%s\"", kind);
			(void)snprintf(action, sizeof action, "%s.%s", k->key,
			    r->permission);
		}
	if (sat_acl(t, me->role, action) == SAT_GRANT_NO)
		return sat_fail_code(e, SAT_EDENIED, "denied", NULL,
		    "the role %s may not do %s", me->role, action);
	return SAT_OK;
}

/* The route, and what the path says in its places; NULL. */
static const sat_route *
route_of(const char *args[4], sat_arena *mem, const char *method,
    const char *path)
{
	for (size_t i = 0; i < NROUTES; i++)
		if (strcmp(routes[i].method, method) == 0 &&
		    fits(&routes[i], path, mem, args))
			return &routes[i];
	return NULL;
}

const sat_route *
api_route_of(const char *method, const char *path)
{
	const char *args[4];
	sat_arena mem = { 0 };
	const sat_route *r = route_of(args, &mem, method, path);

	sat_arena_fini(&mem);
	return r;
}

static bool
is_of_kinds(const sat_route *r)
{
	return strncmp(r->pattern, "/v1/{kind}", 10) == 0;
}

/* A route of all kinds fits any word: one that names no kind is not its. */
static bool
answers(const sat_route *r, const sat_api *api, const char *const args[4])
{
	const sat_template *t = api->crm.replica != NULL ?
	    sat_replica_template(api->crm.replica) : NULL;

	return r != NULL && (!is_of_kinds(r) ||
	    (t != NULL && sat_template_kind(t, args[0]) != NULL));
}

/* Is there nothing, or is it asked for otherwise? Then the hint names every
 * method the path has, as the header Allow does. */
static sat_rc
no_route(const sat_api *api, const sat_request *req, sat_arena *mem,
    sat_err *e)
{
	static const char *const methods[] = { "GET", "POST", "PATCH",
		"DELETE" };
	const char *args[4] = { NULL, NULL, NULL, NULL };
	const sat_route *r;
	char allow[64] = "";
	size_t n = 0;

	for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
		r = route_of(args, mem, methods[i], req->path);
		if (answers(r, api, args))
			n += (size_t)snprintf(allow + n, sizeof allow - n,
			    "%s%s%s", n > 0 ? ", " : "", methods[i],
			    i == 0 ? ", HEAD" : "");
	}
	if (n > 0)
		return sat_fail_code(e, SAT_EUSAGE, SAT_API_NO_METHOD, allow,
		    "%.20s is no method of %.200s", req->method, req->path);
	if ((r = route_of(args, mem, req->method, req->path)) != NULL &&
	    is_of_kinds(r)) {
		if (api->crm.replica == NULL)
			return sat_fail(e, SAT_ENOREPLICA,
			    "there is no replica here");
		return sat_fail(e, SAT_ENOTFOUND, "there is no kind \"%s\"",
		    args[0]);
	}
	return sat_fail(e, SAT_ENOTFOUND, "there is no %s %s",
	    req->method, req->path);
}

/* A text, a list or null is no set of members: it would be taken for none. Where
 * none was sent, or none is looked at, handlers have an empty one. */
static sat_rc
judge_body(sat_request *is, sat_json **none, const sat_request *req, sat_err *e)
{
	*is = *req;
	*none = NULL;
	if (sat_json_type(req->body) == SAT_J_OBJ)
		return SAT_OK;
	if (req->body != NULL && strcmp(req->method, "GET") != 0)
		return sat_fail_code(e, SAT_EUSAGE, "usage.body", NULL,
		    "the body is no JSON object");
	is->body = *none = sat_json_obj();
	return SAT_OK;
}

sat_rc
sat_api_allowed(sat_api *api, const char *method, const char *path, sat_err *e)
{
	const char *args[4] = { NULL, NULL, NULL, NULL };
	sat_arena mem = { 0 };
	const sat_route *r = route_of(args, &mem, method, path);
	sat_rc rc = r != NULL ? permitted(r, api, args[0], e) :
	    sat_fail(e, SAT_ENOTFOUND, "there is no %s %s", method, path);

	sat_arena_fini(&mem);
	return rc;
}

sat_rc
sat_api_handle(sat_json **out, sat_api *api, const sat_request *req,
    sat_err *e)
{
	const char *args[4] = { NULL, NULL, NULL, NULL }, *once;
	sat_arena mem = { 0 };
	sat_json *none = NULL;
	const sat_route *r;
	sat_request is;
	sat_rc rc;

	*out = NULL;
	r = route_of(args, &mem, req->method, req->path);
	if (!answers(r, api, args)) {
		rc = no_route(api, req, &mem, e);
	} else if ((rc = permitted(r, api, args[0], e)) == SAT_OK &&
	    (rc = judge_body(&is, &none, req, e)) == SAT_OK) {
		once = api_q(&is, "request_id");
		rc = api_is_trial(&is)
		    ? api_trial(out, api, &is, r, args, e)
		    : once != NULL && api->crm.replica != NULL &&
		        api_is_once(&is, r)
		    ? api_once(out, api, &is, once, r, args, e)
		    : api_do(out, api, &is, r, args, e);
	}
	sat_json_free(none);
	sat_arena_fini(&mem);
	return rc;
}

bool
sat_api_uses_network(const char *method, const char *path)
{
	return strcmp(method, "POST") == 0 &&
	    (strcmp(path, "/v1/sync/run") == 0 ||
	        strcmp(path, "/v1/sync/watch") == 0 ||
	        strcmp(path, "/v1/privacy/erase") == 0 ||
	        strcmp(path, "/v1/privacy/confirm") == 0 ||
	        strncmp(path, "/v1/privacy/retention/", 22) == 0);
}
