/*
 * conflict: what two people wrote without knowing of each other.
 */
#include "client/cli/cli_int.h"

#include <stdlib.h>
#include <string.h>

static const sat_opt conflict_options[] = {
	{ "assignee", 0, "WHO", "me, all (default) or a user: who has to decide" },
	{ "overdue", 0, NULL, "only those past their date" },
	{ "check", 0, NULL, "exit 20 when there are any" },
	{ NULL, 0, NULL, NULL },
};
static const sat_opt resolve_options[] = {
	{ "mine", 0, NULL, "the value this device wrote" },
	{ "theirs", 0, NULL, "the other value" },
	{ "set", 's', "FIELD=V", "another value" },
	{ "restore", 0, NULL, "bring the deleted record back" },
	{ "confirm", 0, NULL, "it stays deleted" },
	{ "note", 0, "TEXT", "why; kept in the audit log" },
	{ NULL, 0, NULL, NULL },
};

static const cli_column conflict_cols[] = { { "key", "key", CELL_WHOLE },
	{ "kind", "kind", CELL_KIND }, { "title", "record", CELL_PLAIN },
	{ "field", "field", CELL_FIELD }, { "assignee", "assignee", CELL_PLAIN },
	{ "due", "due", CELL_TIME }, { "status", "status", CELL_SAID },
	{ "texts", "values", CELL_PLAIN } };

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

	if (cli_is_json(c)) {
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
	cli_print_or_none(c, shown, conflict_cols, 8, "no open conflicts");
	sat_json_free(shown);
}

static sat_rc
run_conflict_list(cli *c, sat_err *e)
{
	const char *who = sat_args_get(&c->args, "assignee");
	sat_json *doc = NULL, *q = sat_json_obj();
	size_t n;
	sat_rc rc;

	if (who != NULL)
		sat_json_put_str(q, "assignee", who);
	if (sat_args_has(&c->args, "overdue"))
		sat_json_put_str(q, "overdue", "1");
	rc = cli_ask(&doc, c, "GET", "/v1/conflicts", q, NULL, e);
	n = sat_json_count(sat_json_get(doc, "data"));
	sat_json_free(q);
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
	static const cli_column cols[] = { { "value", "value", CELL_PLAIN },
		{ "user", "by", CELL_PLAIN }, { "device", "device", CELL_NUMBER },
		{ "at", "at", CELL_TIME }, { "mine", "mine", CELL_PLAIN },
		{ "shown", "shown now", CELL_PLAIN } };
	sat_json *doc = NULL, *rows;
	char *path;
	sat_rc rc;

	if (c->args.nargs < 3)
		return sat_fail_code(e, SAT_EUSAGE, "usage", NULL,
		    "usage: satchel conflict show KEY");
	path = sat_xasprintf("/v1/conflicts/%s", c->args.arg[2]);
	rc = cli_ask(&doc, c, "GET", path, NULL, NULL, e);
	if (rc == SAT_OK && cli_is_json(c)) {
		cli_print_json(c, doc);
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

/* --set FIELD=VALUE must name the field the conflict is about: a value for
 * another one would be written into this one. */
static sat_rc
is_its_field(cli *c, const char *set, sat_err *e)
{
	char *path = sat_xasprintf("/v1/conflicts/%s", c->args.arg[2]);
	const char *field;
	sat_json *doc = NULL;
	sat_rc rc = cli_ask(&doc, c, "GET", path, NULL, NULL, e);

	field = sat_json_get_str(sat_json_first(sat_json_get(doc, "data")),
	    "field", "");
	if (rc == SAT_OK && (strncmp(set, field, strlen(field)) != 0 ||
	    set[strlen(field)] != '='))
		rc = sat_fail_code(e, SAT_EUSAGE, "usage.field", NULL,
		    "the conflict is about %s: --set %s=VALUE", field, field);
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
	if (c->args.nargs < 3 || n != 1 || (set != NULL &&
	    (strchr(set, '=') == NULL || set[0] == '=')))
		return sat_fail_code(e, SAT_EUSAGE, "usage", NULL,
		    "usage: satchel conflict resolve KEY --mine | --theirs | "
		    "--set FIELD=VALUE | --restore | --confirm");
	if (set != NULL && (rc = is_its_field(c, set, e)) != SAT_OK)
		return rc;
	body = sat_json_obj();
	sat_json_put_str(body, "choice", set != NULL ? "set" : choice);
	if (set != NULL)
		sat_json_put_str(body, "value",
		    strchr(set, '=') != NULL ? strchr(set, '=') + 1 : set);
	if (note != NULL)
		sat_json_put_str(body, "note", note);
	path = sat_xasprintf("/v1/conflicts/%s/resolve", c->args.arg[2]);
	rc = cli_ask(&doc, c, "POST", path, NULL, body, e);
	if (rc == SAT_OK && cli_is_json(c))
		cli_print_json(c, doc);
	else if (rc == SAT_OK)
		cli_say(c, "resolved\n");
	sat_json_free(body);
	sat_json_free(doc);
	free(path);
	return rc;
}

static sat_rc
run_conflict_log(cli *c, sat_err *e)
{
	static const cli_column cols[] = { { "at", "at", CELL_TIME },
		{ "what", "what", CELL_PLAIN }, { "kind", "kind", CELL_PLAIN },
		{ "id", "record", CELL_ID }, { "field", "field", CELL_WHOLE },
		{ "user", "by", CELL_PLAIN },
		{ "device", "device", CELL_NUMBER },
		{ "lsn", "lsn", CELL_NUMBER } };

	return cli_ask_list(c, "/v1/conflicts/log", cols,
	    sizeof cols / sizeof cols[0], "no conflict was ever met here", e);
}

/* One of the two lists of the answer, as a table of its own. */
static void
stats_part(cli *c, const sat_json *doc, const char *list,
    const cli_column *cols, size_t n)
{
	sat_json *part = sat_json_obj();

	sat_json_put(part, "data", sat_json_dup(sat_json_get(doc, list)));
	cli_print_or_none(c, part, cols, n, "no conflict was ever met here");
	sat_json_free(part);
}

static const sat_opt stats_options[] = {
	{ "by", 0, "WHAT", "field (default) or device" },
	{ NULL, 0, NULL, NULL },
};

static sat_rc
run_conflict_stats(cli *c, sat_err *e)
{
	static const cli_column cols[] = { { "kind", "kind", CELL_PLAIN },
		{ "field", "field", CELL_WHOLE },
		{ "device", "device", CELL_NUMBER }, { "user", "user", CELL_PLAIN },
		{ "opened", "opened", CELL_NUMBER },
		{ "settled", "settled", CELL_NUMBER },
		{ "dismissed", "read alike", CELL_NUMBER },
		{ "open", "open now", CELL_NUMBER } };
	const char *by = sat_args_get(&c->args, "by");
	bool device = by != NULL && strcmp(by, "device") == 0;
	cli_column shown[6];
	sat_json *doc = NULL;
	sat_rc rc;

	if (by != NULL && !device && strcmp(by, "field") != 0)
		return sat_fail_code(e, SAT_EUSAGE, "usage.option", NULL,
		    "--by is field or device");
	memcpy(shown, cols + (device ? 2 : 0), 2 * sizeof *cols);
	memcpy(shown + 2, cols + 4, 4 * sizeof *cols);
	rc = cli_ask(&doc, c, "GET", "/v1/conflicts/stats", NULL, NULL, e);
	if (rc == SAT_OK && cli_is_json(c))
		cli_print_json(c, doc);
	else if (rc == SAT_OK)
		stats_part(c, doc, device ? "devices" : "fields", shown, 6);
	sat_json_free(doc);
	return rc;
}

const cli_verb cli_conflict_verbs[] = {
	{ "conflict", "list", run_conflict_list, conflict_options,
	    "conflict list [--assignee WHO] [--overdue] [--check]",
	    "open conflicts, who has to decide and until when", NULL, false },
	{ "conflict", "show", run_conflict_show, NULL, "conflict show KEY",
	    "all values of one conflict", NULL, false },
	{ "conflict", "resolve", run_conflict_resolve, resolve_options,
	    "conflict resolve KEY --mine|--theirs|--set F=V", "decide it",
	    "  satchel conflict resolve 01m806vxxp --set phone_main=13812345678 \\\n"
	    "    --note \"asked the customer\"\n",
	    false },
	{ "conflict", "log", run_conflict_log, NULL, "conflict log",
	    "what opened, settled or dismissed conflicts",
	    NULL, false },
	{ "conflict", "stats", run_conflict_stats, stats_options,
	    "conflict stats [--by field|device]",
	    "how often conflicts open, by field or by device", NULL, false },
};
const size_t cli_conflict_nverbs =
    sizeof cli_conflict_verbs / sizeof cli_conflict_verbs[0];
