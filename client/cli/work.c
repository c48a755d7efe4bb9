/*
 * import, export, report: verbs that handle more than one record.
 */
#include "client/cli/cli_int.h"
#include "common/base/shm.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The flags of a table into a body object; flags without value become true. */
static sat_rc
body_flags(sat_json *body, const cli *c, const sat_opt *table, sat_err *e)
{
	for (const sat_opt *o = table; o->name != NULL; o++) {
		const char *v = sat_args_get(&c->args, o->name);
		int64_t n;
		char key[64];

		if (v == NULL)
			continue;
		(void)snprintf(key, sizeof key, "%s", o->name);
		for (char *p = key; *p != '\0'; p++)
			if (*p == '-')
				*p = '_';
		if (o->value == NULL) {
			sat_json_put_bool(body, key, true);
		} else if (strcmp(o->value, "N") == 0) {
			sat_rc rc = sat_args_int(&n, &c->args, o->name, 0, e);

			if (rc != SAT_OK)
				return rc;
			sat_json_put_int(body, key, n);
		} else {
			sat_json_put_str(body, key, v);
		}
	}
	return SAT_OK;
}

/* ---- import, export ---------------------------------------------------------------- */

static const sat_opt import_options[] = {
	{ "type", 0, "KIND", "account, contact, opportunity, activity" },
	{ "map", 0, "FILE", "mapping document, or the name of a kept one" },
	{ "save-map", 0, "NAME", "keep the mapping under this name" },
	{ "source", 0, "WORD", "its origin: crm, campaign, own, service" },
	{ "encoding", 0, "ENC", "auto, utf-8, gb18030, utf-16" },
	{ "delimiter", 0, "C", "found by itself" },
	{ "header", 0, "N", "line of the header (the first)" },
	{ "sheet", 0, "N", "sheet of a book (1)" },
	{ "on-duplicate", 0, "WHAT", "skip (default), update, new; ask: leave them to a person" },
	{ "incomplete", 0, "refuse|flag", "rows that lack a required field" },
	{ "dry-run", 0, NULL, "judge and show changes, write nothing" },
	{ "errors", 0, "FILE", "bad rows with line and reason" },
	{ "max-errors", 0, "N", "stop after so many" },
	{ NULL, 0, NULL, NULL },
};

/* The sum in words; a pipe and --json get the members. */
static void
print_summary(cli *c, const sat_json *doc)
{
	static const char *const keys[] = { "created", "updated", "unchanged",
		"skipped", "errors" };
	static const char *const words[] = { N_("created"), N_("updated"),
		N_("unchanged"), N_("skipped"), N_("refused") };
	int64_t incomplete = sat_json_get_int(doc, "incomplete", 0);
	const char *errors = sat_json_get_str(doc, "errors_file", NULL);
	bool first = true;

	if (cli_format_of(c) != FMT_TABLE) {
		if (c->format == FMT_JSON) /* the last of the lines */
			c->format = FMT_JSONL;
		cli_print_object(c, doc);
		return;
	}
	sat_buf_fmt(&c->out, _("%s%lld rows in %.2f s: "),
	    sat_json_get_bool(doc, "dry_run", false) ? _("dry run, ") : "",
	    (long long)sat_json_get_int(doc, "rows", 0),
	    sat_json_real(sat_json_get(doc, "seconds"), 0));
	for (size_t i = 0; i < 5; i++) {
		int64_t n = sat_json_get_int(doc, keys[i], 0);

		if (n == 0 && i > 0)
			continue;
		sat_buf_fmt(&c->out, "%s%lld %s", first ? "" : _(", "), (long long)n,
		    sat_text(words[i]));
		first = false;
	}
	sat_buf_str(&c->out, "\n");
	if (incomplete > 0)
		sat_buf_fmt(&c->out, _("%lld lack a required field: satchel %s "
		                     "list --incomplete\n"),
		    (long long)incomplete, sat_json_get_str(doc, "kind", ""));
	if (errors != NULL)
		sat_buf_fmt(&c->out, _("refused rows and why: %s\n"), errors);
	if (sat_json_get_str(doc, "undo", NULL) != NULL)
		sat_buf_fmt(&c->out, _("to take it back: %s\n"),
		    sat_json_get_str(doc, "undo", ""));
}

/*
 * A sheet is read twice (hash, rows) and perhaps by the daemon, so what comes
 * on standard input lies in a file meanwhile: in memory, for it is customers in
 * plain text, and where a wipe finds it. The caller removes and frees it.
 */
static sat_rc
spool_stdin(char **path, const cli *c, sat_err *e)
{
	char buf[65536];
	bool good = true;
	ssize_t n = 0;
	int fd;
	sat_rc rc;

	if ((rc = cli_need_replica(c, e)) != SAT_OK ||
	    (rc = sat_shm_file(&fd, path, c->home, "import", e)) != SAT_OK)
		return rc;
	while (good && (n = read(STDIN_FILENO, buf, sizeof buf)) > 0)
		for (ssize_t at = 0, k; good && at < n; at += k)
			good = (k = write(fd, buf + at, (size_t)(n - at))) > 0;
	(void)close(fd);
	if (good && n == 0)
		return SAT_OK;
	(void)unlink(*path);
	free(*path);
	*path = NULL;
	return sat_fail(e, SAT_EIO, "cannot keep what came on standard input");
}

static sat_rc
run_import(cli *c, sat_err *e)
{
	sat_json *body, *doc = NULL;
	char *spooled = NULL;
	sat_rc rc;

	if (c->args.nargs < 2)
		return sat_fail_code(e, SAT_EUSAGE, "usage", NULL,
		    "usage: satchel import FILE --type KIND [--map FILE]");
	if (strcmp(c->args.arg[1], "-") == 0 &&
	    (rc = spool_stdin(&spooled, c, e)) != SAT_OK)
		return rc;
	body = sat_json_obj();
	sat_json_put_str(body, "file", spooled != NULL ? spooled :
	    c->args.arg[1]);
	if (spooled != NULL)
		sat_json_put_str(body, "title", "-");
	c->lines = true;
	if ((rc = body_flags(body, c, import_options, e)) == SAT_OK)
		rc = cli_ask(&doc, c, "POST", "/v1/imports", NULL, body, e);
	cli_progress_end(c);
	if (spooled != NULL)
		(void)unlink(spooled);
	free(spooled);
	if (doc != NULL)
		print_summary(c, doc);
	sat_json_free(body);
	sat_json_free(doc);
	return rc;
}

static const sat_opt form_options[] = {
	{ "output", 'o', "FILE", "file (stdout when it is not a terminal)" },
	{ NULL, 0, NULL, NULL },
};

/* A book needs a file; standard output gets a copy of it. */
static sat_rc
copy_out(const char *path, sat_err *e)
{
	FILE *f = fopen(path, "rb");
	char buf[8192];
	size_t n;
	bool ok = f != NULL;

	while (ok && (n = fread(buf, 1, sizeof buf, f)) > 0)
		ok = fwrite(buf, 1, n, stdout) == n;
	if (f != NULL)
		(void)fclose(f);
	(void)remove(path);
	return ok && fflush(stdout) == 0 ? SAT_OK
	    : sat_fail(e, SAT_EIO, "cannot write the whole book");
}

static sat_rc
run_form(cli *c, sat_err *e)
{
	const char *to = sat_args_get(&c->args, "output");
	bool std = to == NULL || strcmp(to, "-") == 0;
	char *tmp = std ? sat_xasprintf("%s/form.xlsx", c->api.dir) : NULL;
	sat_json *body, *doc = NULL;
	sat_rc rc;

	if (c->args.nargs < 3 || (std && isatty(STDOUT_FILENO))) {
		free(tmp);
		return sat_fail_code(e, SAT_EUSAGE, "usage", NULL,
		    "usage: satchel import template KIND -o FILE.xlsx");
	}
	body = sat_json_obj();
	sat_json_put_str(body, "type", c->args.arg[2]);
	sat_json_put_str(body, "file", std ? tmp : to);
	rc = cli_ask(&doc, c, "POST", "/v1/imports/form", NULL, body, e);
	if (rc == SAT_OK && std)
		rc = copy_out(tmp, e);
	else if (rc == SAT_OK && cli_is_json(c))
		cli_print_json(c, doc);
	sat_json_free(body);
	sat_json_free(doc);
	free(tmp);
	return rc;
}

static const sat_opt export_options[] = {
	{ "where", 0, "EXPR", "only these rows" },
	{ "output", 'o', "FILE", "file (- = stdout)" },
	{ "encoding", 0, "ENC", "utf-8-bom (default), utf-8, gb18030" },
	{ "reason", 0, "TEXT", "why; kept in the audit log" },
	{ "mask", 0, NULL, "mask personal data" },
	{ "labels", 0, NULL, "labels instead of option keys" },
	{ "raw", 0, NULL, "csv: no ' before what a spreadsheet takes for a formula" },
	{ NULL, 0, NULL, NULL },
};

/* --format chooses what is written; --json asks for the summary beside a file,
 * and without a file means jsonl, for the rows have stdout to themselves. */
static sat_rc
run_export(cli *c, sat_err *e)
{
	const char *to = sat_args_get(&c->args, "output");
	const char *format = sat_args_get(&c->args, "format");
	bool file = to != NULL && strcmp(to, "-") != 0;
	bool json = sat_args_has(&c->args, "json"), sqlite;
	sat_json *body, *doc = NULL;
	sat_rc rc;

	if (c->args.nargs < 2)
		return sat_fail_code(e, SAT_EUSAGE, "usage", NULL,
		    "usage: satchel export KIND [--format csv|xlsx|jsonl|vcf|ics|sqlite] [-o FILE]");
	body = sat_json_obj();
	sqlite = strcmp(c->args.arg[1], "sqlite") == 0; /* everything */
	sat_json_put_str(body, "type", sqlite ? "all" : c->args.arg[1]);
	sat_json_put_str(body, "format", format != NULL ? format
	        : sqlite                             ? "sqlite"
	        : json && !file                         ? "jsonl"
	                                                : "csv");
	if (to != NULL)
		sat_json_put_str(body, "file", to);
	if (!sat_args_has(&c->args, "encoding") &&
	    cli_config(c, "export.encoding") != NULL)
		sat_json_put_str(body, "encoding",
		    cli_config(c, "export.encoding"));
	if ((rc = body_flags(body, c, export_options, e)) == SAT_OK)
		rc = cli_ask(&doc, c, "POST", "/v1/exports", NULL, body, e);
	if (rc == SAT_OK && json && file)
		cli_print_json(c, doc);
	else if (rc == SAT_OK)
		cli_say(c, "%lld rows exported\n",
		    (long long)sat_json_get_int(doc, "rows", 0));
	sat_json_free(body);
	sat_json_free(doc);
	return rc;
}

/* ---- reports -------------------------------------------------------------------------- */

static const sat_opt report_options[] = {
	{ "period", 0, "P", "2026-11, 2026-Q4, 2026-W18, 2026, A..B, all" },
	{ "month", 0, "P", "the same, for a month: 2026-11" },
	{ "param", 0, "K=V", "filter, for example owner=li.na" },
	{ "compare", 0, "P", "prev, yoy, none, or a period as baseline" },
	{ "by", 0, "F,F", "rows by these fields: grade, owner, team, industry ..." },
	{ "output", 'o', "FILE", "file (- = stdout)" },
	{ NULL, 0, NULL, NULL },
};

static const sat_opt report_show_options[] = {
	{ "param", 0, "K=V", "filter, for example owner=li.na" },
	{ NULL, 0, NULL, NULL },
};

static const sat_opt report_list_options[] = {
	{ "frozen", 0, NULL, "those whose numbers are frozen" },
	{ NULL, 0, NULL, NULL },
};

static sat_rc
run_report_list(cli *c, sat_err *e)
{
	const cli_column cols[] = { { "key", "key", CELL_WHOLE },
		{ c->lang[0] == 'z' ? "zh" : "en", "title", CELL_PLAIN },
		{ "kind", "kind", CELL_PLAIN } };
	sat_json *doc = NULL;
	sat_rc rc;

	if (sat_args_has(&c->args, "frozen"))
		return cli_frozen_list(c, e);
	rc = cli_ask(&doc, c, "GET", "/v1/reports", NULL, NULL, e);
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
	const char *format = sat_args_get(&c->args, "format");
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
	if (period == NULL)
		period = sat_args_get(&c->args, "month");
	if (period != NULL)
		sat_json_put_str(q, "period", period);
	if (as_of != NULL)
		sat_json_put_str(q, "as_of", as_of);
	if (sat_args_get(&c->args, "compare") != NULL)
		sat_json_put_str(q, "compare",
		    sat_args_get(&c->args, "compare"));
	if (sat_args_get(&c->args, "by") != NULL)
		sat_json_put_str(q, "by", sat_args_get(&c->args, "by"));
	params = sat_json_put_arr(q, "params");
	while ((v = sat_args_next(&c->args, "param", &i)) != NULL)
		sat_json_add_str(params, v);
	rc = cli_ask(&doc, c, "GET", path, q, NULL, e);
	if (rc == SAT_OK && show)
		cli_print_json(c, cli_is_json(c) ? doc
		                                 : sat_json_get(doc, "document"));
	else if (rc == SAT_OK && cli_report_is_file(format))
		rc = cli_report_file(c, doc, format,
		    sat_args_get(&c->args, "output"), e);
	else if (rc == SAT_OK)
		rc = cli_report_text(c, doc, e);
	sat_json_free(q);
	sat_json_free(doc);
	free(path);
	return rc;
}

/* On a terminal whole sentences: a table would cut them. */
static void
print_explained(cli *c, const sat_json *doc)
{
	const sat_json *r = sat_json_first(sat_json_get(doc, "data"));

	sat_buf_fmt(&c->out, "%s\n", sat_json_get_str(doc, "title", ""));
	for (; r != NULL; r = sat_json_next(r))
		sat_buf_fmt(&c->out, "\n%s%s%s\n    %s\n",
		    c->color ? "\033[1m" : "", sat_json_get_str(r, "name", ""),
		    c->color ? "\033[0m" : "", sat_json_get_str(r, "text", ""));
}

static sat_rc
run_explain(cli *c, sat_err *e)
{
	static const cli_column cols[] = { { "what", "", CELL_WHOLE },
		{ "name", "name", CELL_WHOLE }, { "text", "text", CELL_WHOLE } };
	sat_json *doc = NULL;
	sat_rc rc = cli_ask_id(&doc, c, "/v1/reports/", "/explain", e);

	if (rc == SAT_OK && cli_format_of(c) == FMT_TABLE)
		print_explained(c, doc);
	else if (rc == SAT_OK)
		cli_print_rows(c, doc, cols, 3);
	sat_json_free(doc);
	return rc;
}

const cli_verb cli_work_verbs[] = {
	{ "import", NULL, run_import, import_options,
	    "import FILE [--type KIND] [--map FILE]", "import a sheet (CSV, XLSX, vCards); - = stdin",
	    "  satchel import customers.csv --type account --on-duplicate update \\\n"
	    "    --incomplete flag --errors bad.csv\n",
	    false },
	{ "import", "template", run_form, form_options,
	    "import template KIND [-o FILE.xlsx]",
	    "an empty book with drop-downs, to be filled in",
	    "  satchel import template account -o customers.xlsx\n", false },
	{ "export", NULL, run_export, export_options,
	    "export KIND [--where EXPR] [-o FILE]",
	    "export records: csv, xlsx, jsonl, vcf, ics, sqlite",
	    "  satchel export account --where 'stage=won' -o won.csv --reason \"yearly audit\"\n"
	    "  satchel export all --format sqlite -o crm.db --reason \"board meeting\"\n",
	    false },
	{ "report", "list", run_report_list, report_list_options,
	    "report list [--frozen]", "reports of the template", NULL, false },
	{ "report", "show", run_report, report_show_options,
	    "report show KEY [--param K=V]...", "a report's definition; can it be filtered so",
	    "  satchel report show won --param owner=li.na --json\n", false },
	{ "report", "explain", run_explain, NULL, "report explain KEY",
	    "what its numbers count: formula, filter, period", NULL, false },
	{ "report", "run", run_report, report_options,
	    "report run KEY [--period P] [--param K=V] [--by F,F]",
	    "run a report on this replica, offline",
	    "  satchel report run won --period 2026-Q4\n"
	    "  satchel report run ranking-by-rep --param team=east --json\n"
	    "  satchel report run csat --by grade\n"
	    "  satchel report run won --format xlsx -o won.xlsx\n",
	    false },
};
const size_t cli_work_nverbs = sizeof cli_work_verbs / sizeof cli_work_verbs[0];
