/*
 * import, export, report, sync, conflict: verbs that do more than one record.
 */
#include "client/cli/cli_int.h"

#include <stdlib.h>
#include <string.h>

/* The flags of a table into a body object; flags without value become true. */
static void
body_flags(sat_json *body, const cli *c, const sat_opt *table)
{
	for (const sat_opt *o = table; o->name != NULL; o++) {
		const char *v = sat_args_get(&c->args, o->name);
		char key[64];

		if (v == NULL)
			continue;
		(void)snprintf(key, sizeof key, "%s", o->name);
		for (char *p = key; *p != '\0'; p++)
			if (*p == '-')
				*p = '_';
		if (o->value == NULL)
			sat_json_put_bool(body, key, true);
		else if (strcmp(o->value, "N") == 0)
			sat_json_put_int(body, key, strtoll(v, NULL, 10));
		else
			sat_json_put_str(body, key, v);
	}
}

/* ---- import, export ---------------------------------------------------------------- */

static const sat_opt import_options[] = {
	{ "type", 0, "KIND", "account, contact, opportunity, activity" },
	{ "map", 0, "FILE", "mapping document (docs/import.md)" },
	{ "encoding", 0, "ENC", "auto, utf-8, gb18030, utf-16" },
	{ "delimiter", 0, "C", "found by itself" },
	{ "header", 0, "N", "line of the header (1)" },
	{ "on-duplicate", 0, "WHAT", "skip (default), update, new" },
	{ "incomplete", 0, "refuse|flag", "rows that lack a required field" },
	{ "dry-run", 0, NULL, "judge and show changes, write nothing" },
	{ "errors", 0, "FILE", "bad rows with line and reason" },
	{ "max-errors", 0, "N", "stop after so many" },
	{ NULL, 0, NULL, NULL },
};

static sat_rc
run_import(cli *c, sat_err *e)
{
	sat_json *body = sat_json_obj(), *doc = NULL;
	sat_rc rc = SAT_OK;

	if (c->args.nargs < 2)
		rc = sat_fail_code(e, SAT_EUSAGE, "usage", NULL,
		    "usage: satchel import FILE --type KIND [--map FILE]");
	if (rc == SAT_OK) {
		sat_json_put_str(body, "file", c->args.arg[1]);
		body_flags(body, c, import_options);
		rc = cli_ask(&doc, c, "POST", "/v1/imports", NULL, body, e);
	}
	if (c->tty_err && c->last_progress_ms > 0)
		(void)fputc('\n', stderr);
	if (doc != NULL && (c->format == FMT_JSON || c->format == FMT_JSONL)) {
		sat_json_write(&c->out, doc, false); /* last line: the summary */
		sat_buf_str(&c->out, "\n");
	} else if (doc != NULL) {
		cli_print_object(c, doc);
	}
	if (rc == SAT_EPARTLY)
		cli_say(c, "satchel: %lld rows were refused%s%s\n",
		    (long long)sat_json_get_int(doc, "errors", 0),
		    sat_json_get_str(doc, "errors_file", NULL) != NULL ? "; see "
		                                                       : "",
		    sat_json_get_str(doc, "errors_file", ""));
	sat_json_free(body);
	sat_json_free(doc);
	return rc;
}

static const sat_opt export_options[] = {
	{ "where", 0, "EXPR", "only these rows" },
	{ "output", 'o', "FILE", "file (- = stdout)" },
	{ "encoding", 0, "ENC", "utf-8-bom (default), utf-8, gb18030" },
	{ "reason", 0, "TEXT", "why; kept in the audit log" },
	{ "mask", 0, NULL, "mask personal data" },
	{ "labels", 0, NULL, "labels instead of option keys" },
	{ NULL, 0, NULL, NULL },
};

static sat_rc
run_export(cli *c, sat_err *e)
{
	const char *to = sat_args_get(&c->args, "output");
	sat_json *body = sat_json_obj(), *doc = NULL;
	sat_rc rc;

	if (c->args.nargs < 2) {
		sat_json_free(body);
		return sat_fail_code(e, SAT_EUSAGE, "usage", NULL,
		    "usage: satchel export KIND [--format csv|jsonl] [-o FILE]");
	}
	sat_json_put_str(body, "type", c->args.arg[1]);
	sat_json_put_str(body, "format", c->format == FMT_JSONL ||
	        c->format == FMT_JSON ? "jsonl" : "csv");
	body_flags(body, c, export_options);
	if (to != NULL)
		sat_json_put_str(body, "file", to);
	rc = cli_ask(&doc, c, "POST", "/v1/exports", NULL, body, e);
	if (rc == SAT_OK)
		cli_say(c, "%lld rows exported\n",
		    (long long)sat_json_get_int(doc, "rows", 0));
	sat_json_free(body);
	sat_json_free(doc);
	return rc;
}

/* ---- reports -------------------------------------------------------------------------- */

static const sat_opt report_options[] = {
	{ "period", 0, "P", "2026-11, 2026-Q4, 2026-W18, 2026, A..B, all" },
	{ "param", 0, "K=V", "filter, for example owner=li.na" },
	{ NULL, 0, NULL, NULL },
};

static sat_rc
run_report_list(cli *c, sat_err *e)
{
	const cli_column cols[] = { { "key", "key" },
		{ c->lang[0] == 'z' ? "zh" : "en", "title" }, { "kind", "kind" } };
	sat_json *doc = NULL;
	sat_rc rc = cli_ask(&doc, c, "GET", "/v1/reports", NULL, NULL, e);

	if (rc == SAT_OK)
		cli_print_rows(c, doc, cols, 3);
	sat_json_free(doc);
	return rc;
}

static sat_rc
run_report(cli *c, sat_err *e)
{
	bool show = strcmp(c->args.arg[1], "show") == 0;
	const char *period = sat_args_get(&c->args, "period"), *v;
	const char *as_of = sat_args_get(&c->args, "as-of");
	sat_json *q = sat_json_obj(), *params, *doc = NULL;
	char *path;
	size_t i = 0;
	sat_rc rc;

	if (c->args.nargs < 3) {
		sat_json_free(q);
		return sat_fail_code(e, SAT_EUSAGE, "usage",
		    "see: satchel report list",
		    "name the report: satchel report %s KEY", c->args.arg[1]);
	}
	path = sat_xasprintf("/v1/reports/%s%s", c->args.arg[2],
	    show ? "" : "/run");
	if (period != NULL)
		sat_json_put_str(q, "period", period);
	if (as_of != NULL)
		sat_json_put_str(q, "as_of", as_of);
	params = sat_json_put_arr(q, "params");
	while ((v = sat_args_next(&c->args, "param", &i)) != NULL)
		sat_json_add_str(params, v);
	rc = cli_ask(&doc, c, "GET", path, q, NULL, e);
	if (rc == SAT_OK && show)
		sat_json_write(&c->out, sat_json_get(doc, "document"), true);
	else if (rc == SAT_OK)
		cli_print_report(c, doc);
	sat_json_free(q);
	sat_json_free(doc);
	free(path);
	return rc;
}

/* ---- sync -------------------------------------------------------------------------------- */

static const sat_opt sync_options[] = {
	{ "once", 0, NULL, "one exchange (default)" },
	{ "push-only", 0, NULL, "only send" },
	{ "pull-only", 0, NULL, "only receive" },
	{ NULL, 0, NULL, NULL },
};

static sat_rc
run_sync(cli *c, sat_err *e)
{
	sat_json *body = sat_json_obj(), *doc = NULL;
	const char *timeout = sat_args_get(&c->args, "timeout");
	int64_t ms = 15000;
	sat_rc rc;

	if (timeout != NULL && !sat_duration_parse(&ms, timeout)) {
		sat_json_free(body);
		return sat_fail_code(e, SAT_EUSAGE, "usage.option",
		    "for example 10s", "--timeout is no duration");
	}
	c->api.sync.timeout_ms = (int)ms;
	c->api.sync.retries = 2;
	if (sat_args_has(&c->args, "push-only"))
		sat_json_put_str(body, "only", "push");
	else if (sat_args_has(&c->args, "pull-only"))
		sat_json_put_str(body, "only", "pull");
	rc = cli_ask(&doc, c, "POST", "/v1/sync/run", NULL, body, e);
	if (c->tty_err && c->last_progress_ms > 0)
		(void)fputc('\n', stderr);
	if (doc != NULL && !c->quiet)
		cli_print_object(c, doc);
	sat_json_free(body);
	sat_json_free(doc);
	return rc;
}

static const cli_column commit_cols[] = { { "commit", "commit" },
	{ "made_at", "made at" }, { "subject", "customer" }, { "lsn", "lsn" },
	{ "user", "by" } };

static sat_rc
run_sync_pending(cli *c, sat_err *e)
{
	static const cli_column refused[] = { { "id", "refused" },
		{ "commit", "commit" }, { "code", "code" }, { "hint", "hint" } };
	sat_json *doc = NULL, *q = NULL;
	sat_rc rc = cli_ask(&doc, c, "GET", "/v1/sync/pending", NULL, NULL, e);

	if (rc == SAT_OK)
		rc = cli_ask(&q, c, "GET", "/v1/quarantine", NULL, NULL, e);
	if (rc == SAT_OK && (c->format == FMT_JSON || c->format == FMT_JSONL)) {
		sat_json_put(doc, "refused", sat_json_dup(sat_json_get(q, "data")));
		cli_print_object(c, doc);
	} else if (rc == SAT_OK) {
		cli_print_rows(c, doc, commit_cols, 3);
		if (sat_json_count(sat_json_get(q, "data")) > 0)
			cli_print_rows(c, q, refused, 4);
	}
	sat_json_free(doc);
	sat_json_free(q);
	return rc;
}

static const sat_opt discard_options[] = {
	{ "reason", 0, "TEXT", "why; kept in the audit log" },
	{ NULL, 0, NULL, NULL },
};

static sat_rc
run_sync_discard(cli *c, sat_err *e)
{
	const char *reason = sat_args_get(&c->args, "reason");
	sat_json *body, *doc = NULL;
	char *path;
	sat_rc rc;

	if (c->args.nargs < 3)
		return sat_fail_code(e, SAT_EUSAGE, "usage", NULL,
		    "usage: satchel sync discard ID --reason TEXT");
	body = sat_json_obj();
	sat_json_put_str(body, "reason", reason);
	path = sat_xasprintf("/v1/quarantine/%s", c->args.arg[2]);
	rc = cli_ask(&doc, c, "DELETE", path, NULL, body, e);
	sat_json_free(doc);
	sat_json_free(body);
	free(path);
	return rc;
}

/* ---- conflicts ---------------------------------------------------------------------------- */

static const sat_opt conflict_options[] = {
	{ "check", 0, NULL, "exit 20 when there are any" },
	{ "mine", 0, NULL, "resolve: the value this device wrote" },
	{ "theirs", 0, NULL, "resolve: the other value" },
	{ "set", 's', "FIELD=V", "resolve: another value" },
	{ "restore", 0, NULL, "resolve: bring the deleted record back" },
	{ "confirm", 0, NULL, "resolve: it stays deleted" },
	{ "note", 0, "TEXT", "resolve: why" },
	{ NULL, 0, NULL, NULL },
};

static const cli_column conflict_cols[] = { { "key", "key" },
	{ "kind", "kind" }, { "title", "record" }, { "field", "field" },
	{ "owner", "owner" }, { "texts", "values" } };

/* A column with all values and who wrote them, for people. */
static void
values_text(sat_buf *b, const sat_json *values)
{
	for (const sat_json *v = sat_json_first(values); v != NULL;
	     v = sat_json_next(v)) {
		const sat_json *x = sat_json_get(v, "value");

		if (b->n > 0)
			sat_buf_str(b, " | ");
		if (sat_json_type(x) == SAT_J_INT)
			sat_buf_fmt(b, "%lld", (long long)sat_json_int(x, 0));
		else
			sat_buf_str(b, sat_json_str(x, "-"));
		sat_buf_fmt(b, " (%s)", sat_json_get_str(v, "user", "?"));
	}
}

static void
print_conflicts(cli *c, const sat_json *doc)
{
	sat_json *shown, *data;

	if (c->format == FMT_JSON || c->format == FMT_JSONL) {
		cli_print_rows(c, doc, conflict_cols, 0);
		return;
	}
	shown = sat_json_obj();
	data = sat_json_put_arr(shown, "data");
	for (const sat_json *r = sat_json_first(sat_json_get(doc, "data"));
	     r != NULL; r = sat_json_next(r)) {
		sat_json *row = sat_json_dup(r);
		sat_buf b = { 0 };

		values_text(&b, sat_json_get(r, "values"));
		sat_json_put_str(row, "texts", sat_buf_cstr(&b));
		sat_json_add(data, row);
		sat_buf_fini(&b);
	}
	cli_print_rows(c, shown, conflict_cols, 6);
	sat_json_free(shown);
}

static sat_rc
run_conflict_list(cli *c, sat_err *e)
{
	sat_json *doc = NULL;
	sat_rc rc = cli_ask(&doc, c, "GET", "/v1/conflicts", NULL, NULL, e);
	size_t n = sat_json_count(sat_json_get(doc, "data"));

	if (rc == SAT_OK)
		print_conflicts(c, doc);
	if (rc == SAT_OK && n > 0 && sat_args_has(&c->args, "check"))
		rc = sat_fail_code(e, SAT_EFALSE, "conflicts", NULL,
		    "%zu conflicts are open", n);
	sat_json_free(doc);
	return rc;
}

static sat_rc
run_conflict_show(cli *c, sat_err *e)
{
	static const cli_column cols[] = { { "value", "value" },
		{ "user", "by" }, { "device", "device" }, { "at", "at" },
		{ "mine", "mine" }, { "shown", "shown now" } };
	sat_json *doc = NULL, *rows;
	char *path;
	sat_rc rc;

	if (c->args.nargs < 3)
		return sat_fail_code(e, SAT_EUSAGE, "usage", NULL,
		    "usage: satchel conflict show KEY");
	path = sat_xasprintf("/v1/conflicts/%s", c->args.arg[2]);
	rc = cli_ask(&doc, c, "GET", path, NULL, NULL, e);
	if (rc == SAT_OK && c->format == FMT_JSON) {
		sat_json_write(&c->out, doc, true);
	} else if (rc == SAT_OK) {
		rows = sat_json_obj();
		sat_json_put(rows, "data",
		    sat_json_dup(sat_json_get(
		        sat_json_first(sat_json_get(doc, "data")), "values")));
		cli_print_rows(c, rows, cols, 6);
		sat_json_free(rows);
	}
	sat_json_free(doc);
	free(path);
	return rc;
}

static sat_rc
run_conflict_resolve(cli *c, sat_err *e)
{
	static const char *const plain[] = { "mine", "theirs", "restore",
		"confirm" };
	const char *set = sat_args_get(&c->args, "set");
	const char *note = sat_args_get(&c->args, "note"), *choice = NULL;
	sat_json *body, *doc = NULL;
	char *path;
	int n = set != NULL;
	sat_rc rc;

	for (size_t i = 0; i < 4; i++)
		if (sat_args_has(&c->args, plain[i])) {
			choice = plain[i];
			n++;
		}
	if (c->args.nargs < 3 || n != 1)
		return sat_fail_code(e, SAT_EUSAGE, "usage", NULL,
		    "usage: satchel conflict resolve KEY --mine | --theirs | "
		    "--set FIELD=VALUE | --restore | --confirm");
	body = sat_json_obj();
	sat_json_put_str(body, "choice", set != NULL ? "set" : choice);
	if (set != NULL)
		sat_json_put_str(body, "value",
		    strchr(set, '=') != NULL ? strchr(set, '=') + 1 : set);
	if (note != NULL)
		sat_json_put_str(body, "note", note);
	path = sat_xasprintf("/v1/conflicts/%s/resolve", c->args.arg[2]);
	rc = cli_ask(&doc, c, "POST", path, NULL, body, e);
	if (rc == SAT_OK)
		cli_say(c, "resolved\n");
	sat_json_free(body);
	sat_json_free(doc);
	free(path);
	return rc;
}

const cli_verb cli_work_verbs[] = {
	{ "sync", NULL, run_sync, sync_options, "sync [--push-only|--pull-only]",
	    "exchange with the server", NULL, false },
	{ "sync", "pending", run_sync_pending, NULL, "sync pending",
	    "what waits for the server, and what it refused", NULL, false },
	{ "sync", "discard", run_sync_discard, discard_options,
	    "sync discard ID --reason TEXT", "drop a refused commit", NULL, false },
	{ "conflict", "list", run_conflict_list, conflict_options,
	    "conflict list [--check]", "open conflicts", NULL, false },
	{ "conflict", "show", run_conflict_show, conflict_options,
	    "conflict show KEY", "all values of one conflict", NULL, false },
	{ "conflict", "resolve", run_conflict_resolve, conflict_options,
	    "conflict resolve KEY --mine|--theirs|--set F=V", "decide it", NULL,
	    false },
	{ "import", NULL, run_import, import_options,
	    "import FILE --type KIND [--map FILE]", "import a sheet",
	    "  satchel import customers.csv --type account --on-duplicate update \\\n"
	    "    --incomplete flag --errors bad.csv\n",
	    false },
	{ "export", NULL, run_export, export_options,
	    "export KIND [--where EXPR] [-o FILE]", "export records", NULL, false },
	{ "report", "list", run_report_list, NULL, "report list",
	    "reports of the template", NULL, false },
	{ "report", "show", run_report, NULL, "report show KEY",
	    "a report's definition", NULL, false },
	{ "report", "run", run_report, report_options,
	    "report run KEY [--period P] [--param K=V]",
	    "run a report on this replica, offline",
	    "  satchel report run won --period 2017-Q2\n", false },
};
const size_t cli_work_nverbs = sizeof cli_work_verbs / sizeof cli_work_verbs[0];
