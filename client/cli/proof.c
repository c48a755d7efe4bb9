/*
 * status, log, audit, template, backup, check, schema: looking and proving.
 */
#include "client/cli/cli_int.h"

#include <stdlib.h>
#include <string.h>

/* GET or POST a fixed path and print it. */
static sat_rc
ask_object(cli *c, const char *method, const char *path, sat_json *query,
    sat_json *body, sat_err *e)
{
	sat_json *doc = NULL;
	sat_rc rc = cli_ask(&doc, c, method, path, query, body, e);

	if (rc == SAT_OK)
		cli_print_object(c, doc);
	sat_json_free(doc);
	sat_json_free(query);
	sat_json_free(body);
	return rc;
}

static sat_rc
ask_rows(cli *c, const char *method, const char *path, sat_json *query,
    const cli_column *cols, size_t n, sat_err *e)
{
	sat_json *doc = NULL;
	sat_rc rc = cli_ask(&doc, c, method, path, query, NULL, e);

	if (rc == SAT_OK)
		cli_print_rows(c, doc, cols, n);
	sat_json_free(doc);
	sat_json_free(query);
	return rc;
}

static const sat_opt status_options[] = {
	{ "check", 0, "WHAT", "exit 20 unless: synced, no-conflicts, no-pending" },
	{ NULL, 0, NULL, NULL },
};

static sat_rc
run_status(cli *c, sat_err *e)
{
	const char *check = sat_args_get(&c->args, "check");
	sat_json *doc = NULL;
	const sat_json *p;
	bool good = true;
	sat_rc rc = cli_ask(&doc, c, "GET", "/v1/status", NULL, NULL, e);

	if (rc != SAT_OK)
		return rc;
	cli_print_object(c, doc);
	p = sat_json_get(doc, "pending");
	if (check != NULL && strcmp(check, "no-conflicts") == 0)
		good = sat_json_get_int(sat_json_get(doc, "inbox"), "conflicts",
		           0) == 0;
	else if (check != NULL && strcmp(check, "no-pending") == 0)
		good = sat_json_get_int(p, "commits", 0) == 0;
	else if (check != NULL && strcmp(check, "synced") == 0)
		good = sat_json_get_int(p, "commits", 0) == 0 &&
		    sat_json_get_int(sat_json_get(doc, "cursor"), "applied", 0) >=
		        sat_json_get_int(sat_json_get(doc, "cursor"), "known", 0);
	else if (check != NULL)
		rc = sat_fail_code(e, SAT_EUSAGE, "usage.option",
		    "synced, no-conflicts or no-pending",
		    "--check %s is unknown", check);
	if (rc == SAT_OK && !good)
		rc = sat_fail(e, SAT_EFALSE, "not %s", check);
	sat_json_free(doc);
	return rc;
}

static const sat_opt log_options[] = {
	{ "limit", 0, "N", "commits (50)" },
	{ "since", 0, "TIME", "audit: only later entries" },
	{ "field", 0, "F", "log ID: only this field" },
	{ NULL, 0, NULL, NULL },
};

/* log: own commits. log ID: every value the record's fields ever had. */
static sat_rc
run_log(cli *c, sat_err *e)
{
	static const cli_column own[] = { { "commit", "commit" },
		{ "made_at", "made at" }, { "subject", "customer" },
		{ "lsn", "lsn" }, { "user", "by" } };
	static const cli_column past[] = { { "at", "at" }, { "field", "field" },
		{ "value", "value" }, { "user", "by" }, { "device", "device" },
		{ "lsn", "lsn" }, { "current", "current" } };
	const char *limit = sat_args_get(&c->args, "limit");
	const char *field = sat_args_get(&c->args, "field");
	const sat_template *t = sat_replica_template(c->api.crm.replica);
	sat_json *q = sat_json_obj();
	const char *id = c->args.nargs > 1 ? c->args.arg[1] : NULL;
	char *path = NULL;
	sat_rc rc = SAT_ENOTFOUND;

	if (id == NULL) {
		if (limit != NULL)
			sat_json_put_str(q, "limit", limit);
		return ask_rows(c, "GET", "/v1/commits", q, own, 5, e);
	}
	for (size_t i = 0; t != NULL && rc == SAT_ENOTFOUND &&
	     i < sat_template_kinds(t); i++) {
		const sat_kind *k = sat_template_kind_at(t, i);
		sat_json *again = sat_json_dup(q);

		if (field != NULL)
			sat_json_put_str(again, "field", field);
		free(path);
		path = sat_xasprintf("/v1/%s/%s/history", k->plural, id);
		rc = ask_rows(c, "GET", path, again, past, 7, e);
	}
	free(path);
	sat_json_free(q);
	return rc;
}

static sat_rc
run_audit(cli *c, sat_err *e)
{
	static const cli_column cols[] = { { "seq", "seq" }, { "at", "at" },
		{ "action", "action" }, { "detail", "detail" } };
	const char *since = sat_args_get(&c->args, "since");
	sat_json *q;

	if (strcmp(c->args.arg[1], "verify") == 0)
		return ask_object(c, "POST", "/v1/audit/verify", NULL, NULL, e);
	q = sat_json_obj();
	if (since != NULL)
		sat_json_put_str(q, "since", since);
	return ask_rows(c, "GET", "/v1/audit", q, cols, 4, e);
}

static const cli_column template_cols[] = { { "rev", "rev" }, { "at", "at" },
	{ "author", "author" }, { "signature", "signature" },
	{ "message", "message" } };

static sat_rc
run_template_show(cli *c, sat_err *e)
{
	static const cli_column cols[] = { { "path", "document" } };
	sat_json *q = sat_json_obj(), *doc = NULL;
	sat_rc rc;

	if (c->args.nargs < 3)
		return ask_rows(c, "GET", "/v1/templates/show", q, cols, 1, e);
	sat_json_put_str(q, "path", c->args.arg[2]);
	rc = cli_ask(&doc, c, "GET", "/v1/templates/show", q, NULL, e);
	if (rc == SAT_OK)
		sat_json_write(&c->out, sat_json_get(doc, "document"), true);
	sat_json_free(q);
	sat_json_free(doc);
	return rc;
}

static sat_rc
run_template_log(cli *c, sat_err *e)
{
	return ask_rows(c, "GET", "/v1/templates", NULL, template_cols, 5, e);
}

static sat_rc
run_template_verify(cli *c, sat_err *e)
{
	return ask_rows(c, "POST", "/v1/templates/verify", NULL, template_cols, 5,
	    e);
}

static sat_rc
run_backup(cli *c, sat_err *e)
{
	sat_json *body;

	if (c->args.nargs < 2)
		return sat_fail_code(e, SAT_EUSAGE, "usage", NULL,
		    "usage: satchel backup FOLDER");
	body = sat_json_obj();
	sat_json_put_str(body, "folder", c->args.arg[1]);
	return ask_object(c, "POST", "/v1/backups", NULL, body, e);
}

static const sat_opt check_options[] = {
	{ "quick", 0, NULL, "pages only" },
	{ "full", 0, NULL, "everything (default)" },
	{ NULL, 0, NULL, NULL },
};

static sat_rc
run_check(cli *c, sat_err *e)
{
	sat_json *body = sat_json_obj();

	sat_json_put_bool(body, "quick", sat_args_has(&c->args, "quick"));
	return ask_object(c, "POST", "/v1/check", NULL, body, e);
}

static sat_rc
run_schema(cli *c, sat_err *e)
{
	static const cli_column cols[] = { { "key", "field" }, { "zh", "中文" },
		{ "en", "English" }, { "type", "type" },
		{ "required", "required" }, { "dict", "options" } };
	char *path;
	sat_rc rc;

	if (c->args.nargs < 2)
		return sat_fail_code(e, SAT_EUSAGE, "usage", NULL,
		    "usage: satchel schema KIND");
	path = sat_xasprintf("/v1/schema/%s", c->args.arg[1]);
	rc = ask_rows(c, "GET", path, NULL, cols, 6, e);
	free(path);
	return rc;
}

static sat_rc
run_dict(cli *c, sat_err *e)
{
	static const cli_column cols[] = { { "key", "key" }, { "zh", "中文" },
		{ "en", "English" }, { "parent", "under" } };
	char *path;
	sat_rc rc;

	if (c->args.nargs < 2)
		return sat_fail_code(e, SAT_EUSAGE, "usage", NULL,
		    "usage: satchel dict NAME");
	path = sat_xasprintf("/v1/dict/%s", c->args.arg[1]);
	rc = ask_rows(c, "GET", path, NULL, cols, 4, e);
	free(path);
	return rc;
}

static sat_rc
run_user(cli *c, sat_err *e)
{
	static const cli_column cols[] = { { "key", "user" }, { "name", "name" },
		{ "role", "role" }, { "team", "team" } };

	return ask_rows(c, "GET", "/v1/users", NULL, cols, 4, e);
}

static sat_rc
run_inbox(cli *c, sat_err *e)
{
	return ask_object(c, "GET", "/v1/inbox", NULL, NULL, e);
}

/* api METHOD PATH [-f k=v]: any route as it is. */
static const sat_opt api_options[] = {
	{ "field", 'f', "K=V", "member of the query (GET) or body" },
	{ NULL, 0, NULL, NULL },
};

static sat_rc
run_api(cli *c, sat_err *e)
{
	sat_json *fields = sat_json_obj(), *doc = NULL;
	const char *method, *v;
	size_t i = 0;
	bool get;
	sat_rc rc;

	if (c->args.nargs < 3) {
		sat_json_free(fields);
		return sat_fail_code(e, SAT_EUSAGE, "usage", NULL,
		    "usage: satchel api METHOD PATH [-f k=v]");
	}
	method = c->args.arg[1];
	get = strcmp(method, "GET") == 0;
	while ((v = sat_args_next(&c->args, "field", &i)) != NULL) {
		const char *eq = strchr(v, '=');
		char key[64];

		if (eq == NULL)
			continue;
		(void)snprintf(key, sizeof key, "%.*s", (int)(eq - v), v);
		sat_json_put_str(fields, key, eq + 1);
	}
	rc = cli_ask(&doc, c, method, c->args.arg[2], get ? fields : NULL,
	    get ? NULL : fields, e);
	if (doc != NULL)
		sat_json_write(&c->out, doc, true);
	sat_json_free(fields);
	sat_json_free(doc);
	return rc;
}

static const sat_opt init_options[] = {
	{ "invite", 0, "CODE", "the invitation (- = stdin)" },
	{ "name", 0, "NAME", "what this device is called" },
	{ NULL, 0, NULL, NULL },
};
static const sat_opt passwd_options[] = {
	{ "new-passphrase-file", 0, "FILE", "the new passphrase" },
	{ NULL, 0, NULL, NULL },
};
static const sat_opt restore_options[] = {
	{ "verify-only", 0, NULL, "check the backup, change nothing" },
	{ NULL, 0, NULL, NULL },
};

const cli_verb cli_proof_verbs[] = {
	{ "init", NULL, cli_init, init_options, "init --invite CODE",
	    "enrol this device and take the first copy", NULL, true },
	{ "passwd", NULL, cli_passwd, passwd_options, "passwd",
	    "change the passphrase", NULL, false },
	{ "status", NULL, run_status, status_options, "status [--check WHAT]",
	    "state of this replica", NULL, false },
	{ "inbox", NULL, run_inbox, NULL, "inbox", "what needs a person", NULL,
	    false },
	{ "log", NULL, run_log, log_options, "log [ID] [--field F]",
	    "own commits; with ID every value it ever had", NULL, false },
	{ "audit", "log", run_audit, log_options, "audit log [--since T]",
	    "the local audit log", NULL, false },
	{ "audit", "verify", run_audit, NULL, "audit verify",
	    "chains and signatures", NULL, false },
	{ "template", "show", run_template_show, NULL, "template show [PATH]",
	    "documents of the template", NULL, false },
	{ "template", "log", run_template_log, NULL, "template log",
	    "history of the template", NULL, false },
	{ "template", "verify", run_template_verify, NULL, "template verify",
	    "signatures and objects", NULL, false },
	{ "schema", NULL, run_schema, NULL, "schema KIND", "fields of a kind",
	    NULL, false },
	{ "dict", NULL, run_dict, NULL, "dict NAME", "options of a dictionary",
	    NULL, false },
	{ "user", "list", run_user, NULL, "user list", "people", NULL, false },
	{ "backup", NULL, run_backup, NULL, "backup FOLDER",
	    "verified copy of the replica", NULL, false },
	{ "restore", NULL, cli_restore, restore_options,
	    "restore FOLDER [--verify-only]", "from a backup", NULL, true },
	{ "check", NULL, run_check, check_options, "check [--quick]",
	    "pages, rows, chains, signatures", NULL, false },
	{ "api", NULL, run_api, api_options, "api METHOD PATH [-f k=v]",
	    "any route of the table", NULL, false },
};
const size_t cli_proof_nverbs = sizeof cli_proof_verbs / sizeof cli_proof_verbs[0];
