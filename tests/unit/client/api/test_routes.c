/*
 * The route table walked: no route without permission, schema and help, every
 * route called on a real replica, every answer held against the schema it names.
 */
#include "tests/lib/unit.h"

#include "client/api/api.h"
#include "tests/unit/client/api/asked.h"
#include "tests/unit/client/crm/crm_fixture.h"

/* Routes no call above reaches, each with the reason and who does. */
static const struct {
	const char *method, *pattern, *why;
} elsewhere[] = {
	{ "GET", "/v1/tokens", "tests/e2e/check_port.sh" },
	{ "GET", "/v1/imports/form", "the daemon's: tests/e2e/check_port.sh" },
	{ "POST", "/v1/tokens", "tests/e2e/check_port.sh" },
	{ "GET", "/v1/tokens/{id}", "test_made.c" },
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
	for (size_t i = 0; i < ncalls; i++)
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

/* Who guards a path looks at its text: tokens, sessions, what uses the network. */
static void
a_path_is_a_routes_in_one_spelling_only(void **state)
{
	static const call odd[] = {
		{ "GET", "", "*v1/health", NULL, NULL, NULL },
		{ "GET", "", "/v1/health/", NULL, NULL, NULL },
		{ "GET", "", "//v1/health", NULL, NULL, NULL },
		{ "GET", "", "*v1/tokens", NULL, NULL, NULL },
		{ "POST", "", "/v1/sync/run/", NULL, NULL, NULL },
		{ "POST", "", "/v1/exports/", NULL, NULL, NULL },
		{ "GET", "", "/v1/accounts/", NULL, NULL, NULL },
		{ "GET", "", "/v1/accounts/$A/", NULL, NULL, NULL },
		{ "GET", "", "", NULL, NULL, NULL },
		{ "GET", "", "/", NULL, NULL, NULL },
	};
	world *w = world_of(*state);

	for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
		sat_json *doc = NULL;
		sat_err e;
		sat_rc rc = ask(&doc, w, &odd[i], &e);

		if (rc != SAT_ENOTFOUND)
			fail_msg("%s: rc %d", odd[i].path, (int)rc);
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
	for (size_t i = 0; i < ncalls; i++) {
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
	for (size_t i = 0; i < ncalls; i++) {
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
		HQ(a_path_is_a_routes_in_one_spelling_only),
		HQ(a_failure_is_a_problem_document),
		HQ(a_role_without_rights_gets_no_record_by_any_route),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
