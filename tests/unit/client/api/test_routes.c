/*
 * The route table walked: no route without permission, schema and help, every
 * route called on a real replica, every answer held against the schema it names.
 */
#include "tests/lib/unit.h"

#include "client/api/api.h"
#include "tests/unit/client/api/asked.h"
#include "tests/unit/client/crm/crm_fixture.h"

/* ---- calls --------------------------------------------------------------- */

static const call calls[] = {
	{ "GET", "/v1/health", "/v1/health", NULL, NULL, NULL },
	{ "GET", "/v1/version", "/v1/version", NULL, NULL, NULL },
	{ "GET", "/v1/openapi.json", "/v1/openapi.json", NULL, NULL, NULL },
	{ "GET", "/v1/status", "/v1/status", NULL, NULL, NULL },
	{ "GET", "/v1/me", "/v1/me", NULL, NULL, NULL },
	{ "GET", "/v1/users", "/v1/users", NULL, NULL, NULL },
	{ "GET", "/v1/schema/{kind}", "/v1/schema/account", NULL, NULL, NULL },
	{ "GET", "/v1/dict/{name}", "/v1/dict/stage", NULL, NULL, NULL },
	{ "GET", "/v1/sync", "/v1/sync", NULL, NULL, NULL },
	{ "GET", "/v1/i18n/{lang}", "/v1/i18n/zh", NULL, NULL, NULL },
	{ "GET", "/v1/calendar.ics", "/v1/calendar.ics", NULL, NULL, NULL },
	{ "GET", "/metrics", "/metrics", NULL, NULL, NULL },
	{ "GET", "/v1/sync/pending", "/v1/sync/pending", NULL, NULL, NULL },
	{ "GET", "/v1/inbox", "/v1/inbox", NULL, NULL, NULL },
	{ "GET", "/v1/rules", "/v1/rules", NULL, NULL, NULL },
	{ "GET", "/v1/rules/{key}", "/v1/rules/follow_due", NULL, NULL, NULL },
	{ "POST", "/v1/rules/run", "/v1/rules/run", NULL,
	    "{\"as_of\":\"2030-01-01\",\"dry_run\":true}", NULL },
	{ "GET", "/v1/sop", "/v1/sop", NULL, NULL, NULL },
	{ "GET", "/v1/sop/export", "/v1/sop/export", "{\"format\":\"html\"}",
	    NULL, NULL },
	{ "GET", "/v1/sop/conformance", "/v1/sop/conformance", NULL, NULL, NULL },
	{ "GET", "/v1/sop/records/{id}", "/v1/sop/records/$O", NULL, NULL, NULL },
	{ "POST", "/v1/sop/records/{id}/check", "/v1/sop/records/$O/check", NULL,
	    "{\"items\":[\"first_contact.who\"]}", NULL },
	{ "POST", "/v1/views", "/v1/views", NULL,
	    "{\"name\":\"mine\",\"kind\":\"accounts\",\"filter\":{\"name\":"
	    "{\"like\":\"Works\"}},\"sort\":\"-name\",\"fields\":\"name\"}", NULL },
	{ "GET", "/v1/views", "/v1/views", "{\"kind\":\"account\"}", NULL, NULL },
	{ "GET", "/v1/views/{id}", "/v1/views/mine", NULL, NULL, NULL },
	{ "PATCH", "/v1/views/{id}", "/v1/views/mine", NULL,
	    "{\"sort\":null}", NULL },
	{ "GET", "/v1/{kind}", "/v1/accounts", "{\"view\":\"mine\"}", NULL, NULL },
	{ "DELETE", "/v1/views/{id}", "/v1/views/mine", NULL, NULL, NULL },
	{ "GET", "/v1/schema", "/v1/schema", NULL, NULL, NULL },
	{ "GET", "/v1/stuck", "/v1/stuck", "{\"all\":\"1\"}", NULL, NULL },
	{ "GET", "/v1/approvals", "/v1/approvals", "{\"kind\":\"proposal\"}", NULL, NULL },
	{ "GET", "/v1/tasks", "/v1/tasks", "{\"due\":\"all\"}", NULL, NULL },
	{ "GET", "/v1/pool", "/v1/pool", "{\"limit\":\"5\"}", NULL, NULL },
	{ "GET", "/v1/pool/preview", "/v1/pool/preview",
	    "{\"as_of\":\"2030-01-01\"}", NULL, NULL },
	{ "GET", "/v1/conflicts", "/v1/conflicts", NULL, NULL, NULL },
	{ "GET", "/v1/conflicts", "/v1/conflicts",
	    "{\"assignee\":\"me\",\"overdue\":\"1\"}", NULL, NULL },
	{ "GET", "/v1/conflicts/log", "/v1/conflicts/log", NULL, NULL, NULL },
	{ "GET", "/v1/conflicts/stats", "/v1/conflicts/stats", NULL, NULL, NULL },
	{ "GET", "/v1/conflicts/{key}", "/v1/conflicts/$K", NULL, NULL, NULL },
	{ "POST", "/v1/conflicts/{key}/resolve", "/v1/conflicts/$K/resolve", NULL,
	    "{\"choice\":\"set\",\"value\":\"13812345678\",\"note\":\"asked\"}",
	    NULL },
	{ "GET", "/v1/quarantine", "/v1/quarantine", NULL, NULL, NULL },
	{ "POST", "/v1/quarantine/{id}/retry", "/v1/quarantine/$R/retry", NULL,
	    "{\"set\":{\"remark\":\"another\"}}", NULL },
	{ "POST", "/v1/quarantine/{id}/handover", "/v1/quarantine/$S/handover",
	    NULL, "{\"note\":\"as agreed\"}", NULL },
	{ "GET", "/v1/sync/log", "/v1/sync/log", NULL, NULL, NULL },
	{ "GET", "/v1/handovers", "/v1/handovers", NULL, NULL, NULL },
	{ "GET", "/v1/handovers/{key}", "/v1/handovers/$T", NULL, NULL, NULL },
	{ "POST", "/v1/handovers/{key}/accept", "/v1/handovers/$T/accept", NULL,
	    "{\"fields\":[\"remark\"]}", NULL },
	{ "POST", "/v1/handovers/{key}/decline", "/v1/handovers/$L/decline", NULL,
	    "{\"reason\":\"known\"}", NULL },
	{ "POST", "/v1/inbox/late/seen", "/v1/inbox/late/seen", NULL, "{}", NULL },
	{ "DELETE", "/v1/quarantine/{id}", "/v1/quarantine/$Q", NULL,
	    "{\"reason\":\"typed twice\"}", NULL },
	{ "GET", "/v1/moved", "/v1/moved", NULL, NULL, NULL },
	{ "GET", "/v1/search", "/v1/search", "{\"q\":\"acme\"}", NULL, NULL },
	{ "GET", "/v1/search", "/v1/search",
	    "{\"q\":\"a\",\"type\":\"account,activity\",\"limit\":\"3\"}", NULL,
	    NULL },
	{ "POST", "/v1/imports", "/v1/imports", NULL,
	    "{\"file\":\"$D/in.csv\",\"type\":\"account\",\"dry_run\":true}", NULL },
	{ "POST", "/v1/imports", "/v1/imports", NULL,
	    "{\"file\":\"$D/in.csv\",\"type\":\"account\","
	    "\"errors\":\"$D/bad.csv\"}", NULL },
	{ "POST", "/v1/imports/preview", "/v1/imports/preview", NULL,
	    "{\"file\":\"$D/in.csv\",\"type\":\"account\",\"rows\":2}", NULL },
	{ "GET", "/v1/imports", "/v1/imports", NULL, NULL, NULL },
	{ "POST", "/v1/exports", "/v1/exports", NULL,
	    "{\"type\":\"account\",\"file\":\"$D/out.csv\",\"reason\":\"audit\"}",
	    NULL },
	{ "POST", "/v1/exports", "/v1/exports", NULL,
	    "{\"type\":\"account\",\"file\":\"$D/out.jsonl\",\"format\":\"jsonl\","
	    "\"reason\":\"audit\",\"mask\":true}", NULL },
	{ "GET", "/v1/reports", "/v1/reports", NULL, NULL, NULL },
	{ "GET", "/v1/reports/{key}", "/v1/reports/won", NULL, NULL, NULL },
	{ "GET", "/v1/reports/{key}/explain", "/v1/reports/win-rate/explain", NULL,
	    NULL, NULL },
	{ "GET", "/v1/reports/{key}/run", "/v1/reports/ranking-by-rep/run", NULL,
	    NULL, NULL },
	{ "GET", "/v1/reports/{key}/rows", "/v1/reports/ranking-by-rep/rows",
	    "{\"limit\":\"3\"}", NULL, NULL },
	{ "GET", "/v1/reports/frozen", "/v1/reports/frozen", NULL, NULL, NULL },
	{ "GET", "/v1/reports/due", "/v1/reports/due", NULL, NULL, NULL },
	{ "POST", "/v1/reports/due", "/v1/reports/due", NULL, "{}", NULL },
	{ "GET", "/v1/reports/made", "/v1/reports/made", NULL, NULL, NULL },
	{ "GET", "/v1/reports/frozen", "/v1/reports/frozen",
	    "{\"report\":\"won\"}", NULL, NULL },
	{ "GET", "/v1/reports/{key}/run", "/v1/reports/won/run",
	    "{\"period\":\"2020-05\"}", NULL, NULL },
	{ "GET", "/v1/templates", "/v1/templates", NULL, NULL, NULL },
	{ "GET", "/v1/templates/proposals", "/v1/templates/proposals", NULL, NULL,
	    NULL },
	{ "GET", "/v1/templates/files", "/v1/templates/files", NULL, NULL, NULL },
	{ "GET", "/v1/templates/show", "/v1/templates/show", NULL, NULL, NULL },
	{ "GET", "/v1/templates/show", "/v1/templates/show",
	    "{\"path\":\"dict/stage\"}", NULL, NULL },
	{ "POST", "/v1/templates/verify", "/v1/templates/verify", NULL, NULL, NULL },
	{ "GET", "/v1/templates/diff", "/v1/templates/diff",
	    "{\"from\":\"current\",\"to\":\"current\"}", NULL, NULL },
	{ "GET", "/v1/templates/{rev}", "/v1/templates/current", NULL, NULL,
	    NULL },
	{ "GET", "/v1/templates/{rev}", "/v1/templates/current",
	    "{\"path\":\"dict/stage.json\"}", NULL, NULL },
	{ "GET", "/v1/commits", "/v1/commits", NULL, NULL, NULL },
	{ "GET", "/v1/commits/{id}", "/v1/commits/last", NULL, NULL, NULL },
	{ "GET", "/v1/feed", "/v1/feed", NULL, NULL, NULL },
	{ "GET", "/v1/feed", "/v1/feed", "{\"user\":\"me\",\"day\":\"today\"}",
	    NULL, NULL },
	{ "GET", "/v1/doctor", "/v1/doctor", "{\"security\":\"1\"}", NULL, NULL },
	{ "GET", "/v1/audit", "/v1/audit", NULL, NULL, NULL },
	{ "POST", "/v1/audit/verify", "/v1/audit/verify", NULL, NULL, NULL },
	{ "POST", "/v1/check", "/v1/check", NULL, NULL, NULL },
	{ "POST", "/v1/backups", "/v1/backups", NULL,
	    "{\"folder\":\"$D/backup\"}", NULL },
	{ "POST", "/v1/{kind}/assign", "/v1/accounts/assign", NULL,
	    "{\"to\":\"u1\",\"ids\":[\"$A\"],\"preview\":true}", NULL },
	{ "POST", "/v1/{kind}/assign", "/v1/accounts/assign", NULL,
	    "{\"to\":\"me\",\"where\":\"name~Acme\"}", NULL },
	{ "POST", "/v1/visits/checkin", "/v1/visits/checkin", NULL,
	    "{\"visitor\":\"Gnu\",\"phone\":\"13800000009\","
	    "\"consent\":true}", NULL },
	{ "POST", "/v1/visits/{id}/leave", "/v1/visits/$V/leave", NULL, "{}",
	    NULL },
	{ "POST", "/v1/visits/{id}/judge", "/v1/visits/$V/judge", NULL, "{}",
	    NULL },
	{ "POST", "/v1/visits/{id}/judge", "/v1/visits/$V/judge", NULL,
	    "{\"confirm\":true}", NULL },
	{ "GET", "/v1/preregistrations/{id}/code",
	    "/v1/preregistrations/$W/code", NULL, NULL, NULL },
	{ "GET", "/v1/consent", "/v1/consent", NULL, NULL, NULL },
	{ "POST", "/v1/rotation", "/v1/rotation", NULL,
	    "{\"turn\":\"join\",\"user\":\"u1\"}", NULL },
	{ "POST", "/v1/rotation", "/v1/rotation", NULL,
	    "{\"turn\":\"serve\",\"visit\":\"$V\"}", NULL },
	{ "GET", "/v1/rotation", "/v1/rotation", NULL, NULL, NULL },
	{ "GET", "/v1/{kind}", "/v1/visits", "{\"date\":\"today\"}", NULL,
	    NULL },
	{ "GET", "/v1/{kind}", "/v1/accounts", NULL, NULL, NULL },
	{ "GET", "/v1/{kind}", "/v1/opportunities",
	    "{\"labels\":\"1\",\"limit\":\"1\",\"sort\":\"-amount\"}", NULL, NULL },
	{ "GET", "/v1/{kind}", "/v1/accounts",
	    "{\"filter[name][like]\":\"acme\",\"include\":"
	    "\"contacts,last_activity\",\"count\":\"none\"}", NULL, NULL },
	{ "GET", "/v1/{kind}", "/v1/accounts",
	    "{\"as_of\":\"2030-01-01\",\"sort\":\"-name\"}", NULL, NULL },
	{ "POST", "/v1/{kind}/query", "/v1/accounts/query", NULL,
	    "{\"filter\":{\"name\":[\"Acme Works\"]},\"limit\":3}", NULL },
	{ "GET", "/v1/{kind}/aggregate", "/v1/opportunities/aggregate",
	    "{\"group_by\":\"stage,owner\",\"sum\":\"amount\","
	    "\"avg\":\"amount\"}", NULL, NULL },
	{ "POST", "/v1/{kind}/batch", "/v1/contacts/batch", NULL,
	    "{\"items\":[{\"op\":\"create\",\"data\":{\"account\":\"$A\","
	    "\"name\":\"Wei\"}}]}", NULL },
	{ "POST", "/v1/{kind}", "/v1/contacts", NULL,
	    "{\"account\":\"$A\",\"name\":\"Wang\"}", NULL },
	{ "POST", "/v1/{kind}", "/v1/contacts", "{\"validate\":\"only\"}",
	    "{\"account\":\"$A\",\"name\":\"Wu\"}", "valid" },
	{ "GET", "/v1/{kind}/{id}", "/v1/accounts/$A",
	    "{\"labels\":\"1\",\"include\":\"opportunities\"}", NULL, NULL },
	{ "PATCH", "/v1/{kind}/{id}", "/v1/accounts/$A", NULL,
	    "{\"remark\":\"r\",\"tags\":{\"$add\":[\"vip\"]}}", NULL },
	{ "POST", "/v1/commits/{id}/revert", "/v1/commits/last/revert", NULL, NULL,
	    NULL },
	{ "POST", "/v1/{kind}/{id}/stage", "/v1/opportunities/$O/stage", NULL,
	    "{\"stage\":\"need_confirmed\"}", NULL },
	{ "POST", "/v1/{kind}/{id}/assign", "/v1/accounts/$A/assign", NULL,
	    "{\"to\":\"u1\"}", NULL },
	{ "GET", "/v1/{kind}/{id}/history", "/v1/accounts/$A/history", NULL, NULL,
	    NULL },
	{ "GET", "/v1/{kind}/{id}/history", "/v1/accounts/$A/history",
	    "{\"field\":\"phone_main\"}", NULL, NULL },
	{ "GET", "/v1/{kind}/{id}/timeline", "/v1/accounts/$A/timeline", NULL, NULL,
	    NULL },
	{ "POST", "/v1/privacy/correct", "/v1/privacy/correct", NULL,
	    "{\"id\":\"$A\",\"note\":\"other address\","
	    "\"set\":{\"address\":\"1 Road\"}}", NULL },
	{ "POST", "/v1/privacy/access", "/v1/privacy/access", NULL,
	    "{\"id\":\"$A\",\"file\":\"$D/copy.json\"}", NULL },
	{ "GET", "/v1/privacy/requests", "/v1/privacy/requests", NULL, NULL,
	    NULL },
	{ "GET", "/v1/privacy/due", "/v1/privacy/due", NULL, NULL, NULL },
	{ "POST", "/v1/{kind}/{id}/reveal", "/v1/accounts/$A/reveal", NULL,
	    "{\"reason\":\"asked to call back\"}", NULL },
	{ "GET", "/v1/duplicates", "/v1/duplicates", "{\"scan\":\"1\"}", NULL,
	    NULL },
	{ "GET", "/v1/duplicates/{key}", "/v1/duplicates/$P", NULL, NULL, NULL },
	{ "GET", "/v1/{kind}/{id}/duplicates", "/v1/accounts/$B/duplicates", NULL,
	    NULL, NULL },
	{ "POST", "/v1/duplicates/{key}/merge", "/v1/duplicates/$P/merge", NULL,
	    "{\"winner\":\"$B\",\"choose\":{\"name\":\"loser\"}}", NULL },
	{ "GET", "/v1/{kind}/{id}", "/v1/accounts/$B", NULL, NULL, NULL },
	{ "POST", "/v1/{kind}/{id}/unmerge", "/v1/accounts/$C/unmerge", NULL,
	    NULL, NULL },
	{ "POST", "/v1/duplicates/{key}", "/v1/duplicates/$P", NULL,
	    "{\"choice\":\"merge\",\"winner\":\"$B\"}", "merged" },
	{ "POST", "/v1/{kind}/{id}/unmerge", "/v1/accounts/$C/unmerge", NULL,
	    NULL, NULL },
	{ "POST", "/v1/duplicates/{key}", "/v1/duplicates/$P", NULL,
	    "{\"choice\":\"dismiss\",\"reason\":\"two branches\"}",
	    "duplicate.dismissed" },
	{ "POST", "/v1/{kind}/{id}/merge", "/v1/accounts/$C/merge", NULL,
	    "{\"into\":\"$B\"}", NULL },
	{ "GET", "/v1/{kind}", "/v1/accounts", "{\"merged\":\"1\"}", NULL, NULL },
	{ "DELETE", "/v1/{kind}/{id}", "/v1/opportunities/$O", NULL, NULL, NULL },
	{ "POST", "/v1/{kind}/{id}/restore", "/v1/opportunities/$O/restore", NULL,
	    NULL, NULL },
};

#define NCALLS (sizeof calls / sizeof calls[0])

/* Routes no call above reaches, each with the reason and who does. */
static const struct {
	const char *method, *pattern, *why;
} elsewhere[] = {
	{ "GET", "/v1/tokens", "tests/e2e/check_port.sh" },
	{ "GET", "/v1/imports/form", "the daemon's: tests/e2e/check_port.sh" },
	{ "POST", "/v1/tokens", "tests/e2e/check_port.sh" },
	{ "DELETE", "/v1/tokens/{id}", "tests/e2e/check_port.sh" },
	{ "GET", "/v1/reports/assessment", "tests/e2e/check_feedback.sh" },
	{ "POST", "/v1/kiosk/checkin", "tests/e2e/check_kiosk.sh" },
	{ "POST", "/v1/kiosk/lookup", "tests/e2e/check_kiosk.sh" },
	{ "POST", "/v1/kiosk/pin", "tests/e2e/check_kiosk.sh" },
	{ "PATCH", "/v1/kiosk/pin", "tests/e2e/check_kiosk.sh" },
	{ "POST", "/v1/device/rotate-key", "asks a server: tests/e2e/check_rotate.sh" },
	{ "POST", "/v1/compact", "of a file, not of memory: tests/e2e/check_exit.sh" },
	{ "POST", "/v1/templates/pack", "writes a file: tests/e2e/check_template_file.sh" },
	{ "POST", "/v1/templates/apply",
	    "needs a newer one: tests/e2e/check_template_file.sh" },
	{ "GET", "/v1/admin/{noun}", "needs a server: tests/e2e/check_admin.sh" },
	{ "POST", "/v1/admin/{noun}", "the same" },
	{ "GET", "/v1/admin/{noun}/{key}", "the same" },
	{ "PATCH", "/v1/admin/{noun}/{key}", "the same" },
	{ "POST", "/v1/admin/{noun}/{key}/{verb}", "the same" },
	{ "GET", "/v1/webhooks", "needs a server: tests/e2e/check_webhook.sh" },
	{ "POST", "/v1/webhooks", "the same" },
	{ "GET", "/v1/webhooks/{id}", "the same" },
	{ "DELETE", "/v1/webhooks/{id}", "the same" },
	{ "GET", "/v1/webhooks/{id}/dead", "the same" },
	{ "POST", "/v1/webhooks/{id}/{verb}", "the same" },
	{ "GET", "/v1/teams", "tests/e2e/check_admin.sh" },
	{ "GET", "/v1/roles", "tests/e2e/check_admin.sh" },
	{ "GET", "/v1/roles/{key}", "tests/e2e/check_admin.sh" },
	{ "GET", "/v1/device", "tests/e2e/check_admin.sh" },
	{ "POST", "/v1/bench", "the same: tests/e2e/check_verbs.sh" },
	{ "POST", "/v1/selftest", "has a replica of its own, on the real clock: "
	    "tests/e2e/check_verbs.sh" },
	{ "POST", "/v1/templates/proposals",
	    "needs a folder of documents: tests/e2e/check_propose.sh" },
	{ "POST", "/v1/templates/simulate",
	    "needs a folder of documents: tests/e2e/check_business.sh" },
	{ "GET", "/v1/attachments", "of a file: tests/e2e/check_attachments.sh" },
	{ "POST", "/v1/attachments", "the same" },
	{ "GET", "/v1/attachments/{hash}", "the same" },
	{ "DELETE", "/v1/attachments/{hash}", "the same" },
	{ "POST", "/v1/activities/{id}/amend",
	    "its id is not known before: tests/e2e/check_verbs.sh" },
	{ "POST", "/v1/reports/{key}/freeze",
	    "needs a finished sync: tests/e2e/check_freeze.sh" },
	{ "GET", "/v1/reports/made/{key}/{period}",
	    "needs a finished sync: tests/e2e/check_freeze.sh" },
	{ "GET", "/v1/reports/frozen/{id}",
	    "its id is not known before: tests/e2e/check_freeze.sh" },
	{ "POST", "/v1/reports/frozen/{id}/sign",
	    "the same: tests/e2e/check_freeze.sh" },
	{ "POST", "/v1/{kind}/{id}/submit",
	    "needs three people: tests/e2e/check_flows.sh" },
	{ "POST", "/v1/{kind}/{id}/approve",
	    "needs three people: tests/e2e/check_flows.sh" },
	{ "POST", "/v1/{kind}/{id}/reject",
	    "needs three people: tests/e2e/check_flows.sh" },
	{ "POST", "/v1/leads/{id}/convert",
	    "on two devices: tests/e2e/check_flows.sh" },
	{ "POST", "/v1/leads/{id}/discard", "tests/e2e/check_flows.sh" },
	{ "POST", "/v1/tasks/{id}/done",
	    "needs a task: tests/e2e/check_rules.sh" },
	{ "POST", "/v1/tasks/{id}/snooze",
	    "needs a task: tests/e2e/check_rules.sh" },
	{ "POST", "/v1/duplicates/{key}/dismiss",
	    "a pair is dismissed once: tests/e2e/check_merge.sh" },
	{ "POST", "/v1/views/{id}/restore",
	    "its id is not known before: tests/unit/client/api/test_views.c" },
	{ "GET", "/v1/worklist",
	    "needs time to pass: tests/e2e/check_standard.sh" },
	{ "GET", "/v1/accounts/{id}/standard",
	    "the same: tests/e2e/check_standard.sh" },
	{ "POST", "/v1/pool/leases",
	    "needs a server: tests/e2e/check_pool.sh" },
	{ "POST", "/v1/accounts/{id}/claim",
	    "needs a server's pool: tests/e2e/check_pool.sh" },
	{ "POST", "/v1/accounts/{id}/release",
	    "the same: tests/e2e/check_pool.sh" },
	{ "POST", "/v1/imports/close",
	    "an administrator's: tests/e2e/check_import_batch.sh" },
	{ "POST", "/v1/imports/open",
	    "an administrator's: tests/e2e/check_import_batch.sh" },
	{ "POST", "/v1/imports/{id}/undo",
	    "its id is not known before: tests/e2e/check_import_batch.sh" },
	{ "GET", "/v1/imports/{id}/sample",
	    "the same: tests/e2e/check_import_batch.sh" },
	{ "POST", "/v1/imports/{id}/sample",
	    "the same: tests/e2e/check_import_batch.sh" },
	{ "GET", "/v1/imports/{id}",
	    "its id is not known before: tests/e2e/check_jobs.sh" },
	{ "PATCH", "/v1/imports/{id}", "a daemon's: tests/e2e/check_jobs.sh" },
	{ "DELETE", "/v1/imports/{id}", "a daemon's: tests/e2e/check_jobs.sh" },
	{ "GET", "/v1/imports/{id}/preview", "a daemon's: tests/e2e/check_jobs.sh" },
	{ "POST", "/v1/imports/{id}/run", "a daemon's: tests/e2e/check_jobs.sh" },
	{ "GET", "/v1/imports/{id}/errors.csv", "a daemon's: tests/e2e/check_jobs.sh" },
	{ "GET", "/v1/exports/{id}", "a daemon's: tests/e2e/check_jobs.sh" },
	{ "GET", "/v1/exports/{id}/file", "a daemon's: tests/e2e/check_jobs.sh" },
	{ "GET", "/v1/jobs", "a daemon's: tests/e2e/check_jobs.sh" },
	{ "GET", "/v1/jobs/{id}", "a daemon's: tests/e2e/check_jobs.sh" },
	{ "DELETE", "/v1/jobs/{id}", "a daemon's: tests/e2e/check_jobs.sh" },
	{ "GET", "/v1/events", "a daemon's: tests/e2e/check_http.sh" },
	{ "POST", "/v1/session", "a daemon's: tests/e2e/check_open.sh" },
	{ "DELETE", "/v1/session", "a daemon's: tests/e2e/check_open.sh" },
	{ "POST", "/v1/session/links", "a daemon's: tests/e2e/check_open.sh" },
	{ "POST", "/v1/session/lock", "a daemon's: tests/e2e/check_http.sh" },
	{ "POST", "/v1/session/unlock", "a daemon's: tests/e2e/check_http.sh" },
	{ "POST", "/v1/session/passphrase", "a daemon's: tests/e2e/check_daemon.sh" },
	{ "POST", "/v1/imports/form",
	    "writes a book: tests/e2e/check_sheets.sh reads it back" },
	{ "GET", "/v1/privacy",
	    "needs a server: tests/e2e/check_erase.sh" },
	{ "POST", "/v1/privacy/requests/{id}/answer",
	    "its id is not known before: tests/e2e/check_roles.sh" },
	{ "GET", "/v1/privacy/retention",
	    "needs a server: tests/e2e/check_retention.sh" },
	{ "POST", "/v1/privacy/retention/{id}",
	    "needs a server: tests/e2e/check_retention.sh" },
	{ "POST", "/v1/privacy/erase",
	    "needs a server: tests/e2e/check_erase.sh" },
	{ "POST", "/v1/privacy/confirm",
	    "needs a server: tests/e2e/check_erase.sh" },
	{ "POST", "/v1/sync/run",
	    "needs a server: tests/e2e/check_schema.sh looks at its answer" },
	{ "POST", "/v1/sync/watch",
	    "needs a server and an end: tests/e2e/check_live.sh watches" },
};

static const sat_route *
route_of(const call *k)
{
	size_t n;
	const sat_route *r = sat_api_routes(&n);

	for (size_t i = 0; i < n; i++)
		if (strcmp(r[i].method, k->method) == 0 &&
		    strcmp(r[i].pattern, k->pattern) == 0)
			return &r[i];
	fail_msg("there is no route %s %s", k->method, k->pattern);
	return NULL;
}

static const call *
call_of(const sat_route *r)
{
	for (size_t i = 0; i < NCALLS; i++)
		if (strcmp(r->method, calls[i].method) == 0 &&
		    strcmp(r->pattern, calls[i].pattern) == 0)
			return &calls[i];
	return NULL;
}

/* ---- tests --------------------------------------------------------------- */

static void
every_route_has_permission_schema_help_and_a_handler(void **state)
{
	size_t n;
	const sat_route *r = sat_api_routes(&n);

	(void)state;
	assert_true(n > 30);
	for (size_t i = 0; i < n; i++) {
		assert_non_null(r[i].permission);
		assert_non_null(r[i].handle);
		assert_true(strlen(r[i].help) > 3);
		assert_null(strchr(r[i].help, '\n'));
		/* a monitor asks for its own path */
		assert_true(strncmp(r[i].pattern, "/v1/", 4) == 0 ||
		    strcmp(r[i].pattern, "/metrics") == 0);
		sat_json_free(schema_of(r[i].schema));
		for (size_t k = 0; k < i; k++)
			assert_true(strcmp(r[i].method, r[k].method) != 0 ||
			    strcmp(r[i].pattern, r[k].pattern) != 0);
	}
}

static void
every_route_is_called_here_or_says_where(void **state)
{
	size_t n, m = sizeof elsewhere / sizeof elsewhere[0];
	const sat_route *r = sat_api_routes(&n);

	(void)state;
	for (size_t i = 0; i < n; i++) {
		bool known = call_of(&r[i]) != NULL;

		for (size_t k = 0; k < m; k++)
			known = known ||
			    (strcmp(r[i].method, elsewhere[k].method) == 0 &&
			        strcmp(r[i].pattern, elsewhere[k].pattern) == 0);
		if (!known)
			fail_msg("%s %s is called by no test", r[i].method,
			    r[i].pattern);
	}
}

static int
count_char(const char *text, char c)
{
	int n = 0;

	for (; *text != '\0'; text++)
		n += *text == c;
	return n;
}

static void
every_route_is_in_the_openapi_document(void **state)
{
	static const struct { const char *method, *member; } words[] = {
		{ "GET", "get" }, { "POST", "post" }, { "PATCH", "patch" },
		{ "DELETE", "delete" } };
	static const call c = { "GET", "/v1/openapi.json", "/v1/openapi.json",
		NULL, NULL, NULL };
	const sat_json *paths, *op;
	size_t n, held = 0;
	const sat_route *r = sat_api_routes(&n);
	int places = 0;
	sat_json *doc = NULL;
	sat_err e;

	assert_int_equal(ask(&doc, world_of(*state), &c, &e), SAT_OK);
	paths = sat_json_get(doc, "paths");
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < 4; k++) {
			if (strcmp(r[i].method, words[k].method) != 0)
				continue;
			op = sat_json_get(sat_json_get(paths, r[i].pattern),
			    words[k].member);
			assert_string_equal(sat_json_get_str(op, "summary", ""),
			    r[i].help);
			assert_int_equal(sat_json_get(op, "requestBody") != NULL,
			    k == 1 || k == 2);
			places += count_char(r[i].pattern, '{');
			for (const sat_json *p = sat_json_first(sat_json_get(op,
			     "parameters")); p != NULL; p = sat_json_next(p))
				places -= strcmp(sat_json_get_str(p, "in", ""),
				    "path") == 0;
			assert_int_equal(places, 0);
			held++;
		}
	assert_int_equal(held, n);
	sat_json_free(doc);
}

static void
every_answer_fits_the_schema_of_its_route(void **state)
{
	world *w = world_of(*state);

	touch(w->f->dir, "in.csv", "name,industry,contact_name,phone_main,"
	    "need_type,stage\nRed Works,C34,Li, 138-1234-0000,product,"
	    "first_contact\nBad,C34,Li,12,product,first_contact\n");
	for (size_t i = 0; i < NCALLS; i++) {
		const sat_route *r = route_of(&calls[i]);
		char *what = sat_xasprintf("%s %s", r->method, calls[i].path);
		sat_json *doc = NULL;
		sat_err e;
		sat_rc rc = ask(&doc, w, &calls[i], &e);

		if (rc != SAT_OK && rc != SAT_EPARTLY)
			fail_msg("%s: rc %d: %s", what, (int)rc, e.text);
		assert_fits(doc, calls[i].schema != NULL ? calls[i].schema
		                                         : r->schema, what);
		sat_json_free(doc);
		free(what);
	}
	assert_true(w->events > 0); /* of the dry run */
}

static void
a_failure_is_a_problem_document(void **state)
{
	static const call bad[] = {
		{ "GET", "", "/v1/nosuch", NULL, NULL, NULL },
		{ "GET", "", "/v1/accounts/00000000000000000000000000", NULL, NULL,
		    NULL },
		{ "POST", "", "/v1/accounts", NULL, "{\"name\":\"x\"}", NULL },
		{ "GET", "", "/v1/accounts", "{\"sort\":\"nosuch\"}", NULL, NULL },
		{ "GET", "", "/v1/commits", "{\"limit\":\"many\"}", NULL, NULL },
		{ "POST", "", "/v1/duplicates/$P", NULL, "{\"choice\":\"both\"}",
		    NULL },
	};
	static const sat_rc want[] = { SAT_ENOTFOUND, SAT_ENOTFOUND,
		SAT_EINVALID, SAT_EUSAGE, SAT_EUSAGE, SAT_EUSAGE };
	world *w = world_of(*state);

	for (size_t i = 0; i < 6; i++) {
		sat_json *doc = NULL, *problem;
		sat_err e;

		assert_rc(want[i], ask(&doc, w, &bad[i], &e));
		assert_null(doc);
		problem = sat_api_problem(&e);
		assert_fits(problem, "problem", bad[i].path);
		sat_json_free(problem);
	}
}

static void
a_role_without_rights_gets_no_record_by_any_route(void **state)
{
	world *w = world_of(*state);
	size_t denied = 0;

	people(w->f, "admin");
	for (size_t i = 0; i < NCALLS; i++) {
		const char *p = route_of(&calls[i])->permission;
		sat_json *doc = NULL;
		sat_err e;
		sat_rc rc;

		if (strcmp(p, "") == 0 || strcmp(p, "open") == 0 ||
		    strcmp(p, "template.view") == 0 ||
		    strcmp(p, "user.view") == 0 || strcmp(p, "audit.view") == 0)
			continue; /* what an administrator may */
		rc = ask(&doc, w, &calls[i], &e);
		if (rc != SAT_EDENIED)
			fail_msg("%s %s: rc %d", calls[i].method, calls[i].path,
			    (int)rc);
		sat_json_free(doc);
		denied++;
	}
	assert_true(denied > 15);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_route_has_permission_schema_help_and_a_handler),
		cmocka_unit_test(every_route_is_called_here_or_says_where),
		HQ(every_route_is_in_the_openapi_document),
		HQ(every_answer_fits_the_schema_of_its_route),
		HQ(a_failure_is_a_problem_document),
		HQ(a_role_without_rights_gets_no_record_by_any_route),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
