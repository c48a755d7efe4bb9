/*
 * rules, task, account stuck: what is due, and the rules that say so.
 */
#include "client/cli/cli_int.h"

#include <stdlib.h>
#include <string.h>

/* ---- rules ----------------------------------------------------------------------- */

static sat_rc
run_list(cli *c, sat_err *e)
{
	const cli_column cols[] = { { "key", "rule", CELL_WHOLE },
		{ c->lang[0] == 'z' ? "label.zh" : "label.en", "what",
		    CELL_PLAIN }, { "kind", "about", CELL_KIND },
		{ "open", "open", CELL_NUMBER },
		{ "tasks", "tasks", CELL_NUMBER } };

	return cli_ask_list(c, "/v1/rules", cols, 5, "the template has no rules", e);
}

static sat_rc
run_explain(cli *c, sat_err *e)
{
	sat_json *doc = NULL;
	sat_rc rc = cli_ask_id(&doc, c, "/v1/rules/", "", e);

	if (rc == SAT_OK)
		cli_print_json(c, doc);
	sat_json_free(doc);
	return rc;
}

static const sat_opt run_options[] = {
	{ "dry-run", 0, NULL, "say what it would do, write nothing" },
	{ "rule", 0, "KEY", "only this rule" },
	{ NULL, 0, NULL, NULL },
};

static void
say_failed(cli *c, const sat_json *doc)
{
	const sat_json *i = sat_json_first(sat_json_get(doc, "data"));

	for (; i != NULL; i = sat_json_next(i))
		if (sat_json_get(i, "why") != NULL)
			cli_say(c, "%s failed: %s\n", sat_json_get_str(i,
			    "rule", ""), sat_json_get_str(i, "why", ""));
}

static sat_rc
run_run(cli *c, sat_err *e)
{
	static const cli_column cols[] = { { "what", "", CELL_PLAIN },
		{ "rule", "rule", CELL_WHOLE }, { "due_at", "due", CELL_TIME },
		{ "title", "task", CELL_PLAIN }, { "task", "id", CELL_ID } };
	const char *as_of = sat_args_get(&c->args, "as-of");
	const char *rule = sat_args_get(&c->args, "rule");
	sat_json *body = sat_json_obj(), *doc = NULL;
	sat_rc rc;

	if (as_of != NULL)
		sat_json_put_str(body, "as_of", as_of);
	if (rule != NULL)
		sat_json_put_str(body, "rule", rule);
	sat_json_put_bool(body, "dry_run", sat_args_has(&c->args, "dry-run"));
	rc = cli_ask(&doc, c, "POST", "/v1/rules/run", NULL, body, e);
	if (rc == SAT_OK)
		cli_print_or_none(c, doc, cols, 5, "nothing to do");
	if (rc == SAT_OK && cli_format_of(c) == FMT_TABLE)
		cli_say(c, "%lld made, %lld closed\n",
		    (long long)sat_json_get_int(doc, "made", 0),
		    (long long)sat_json_get_int(doc, "closed", 0));
	if (rc == SAT_OK && cli_format_of(c) == FMT_TABLE)
		say_failed(c, doc);
	sat_json_free(body);
	sat_json_free(doc);
	return rc;
}

/* ---- tasks ----------------------------------------------------------------------- */

sat_rc
cli_task_due(cli *c, sat_err *e)
{
	static const cli_column cols[] = { { "id", "id", CELL_ID },
		{ "due", "due", CELL_TIME }, { "title", "task", CELL_PLAIN },
		{ "assignee", "assignee", CELL_PLAIN },
		{ "rule", "rule", CELL_PLAIN } };
	static const char *const flags[] = { "due", "owner", "as-of" };
	sat_json *q = sat_json_obj(), *doc = NULL;
	sat_rc rc;

	for (size_t i = 0; i < 3; i++) {
		const char *v = sat_args_get(&c->args, flags[i]);

		if (v != NULL)
			sat_json_put_str(q, i == 2 ? "as_of" : flags[i], v);
	}
	rc = cli_ask(&doc, c, "GET", "/v1/tasks", q, NULL, e);
	if (rc == SAT_OK)
		cli_print_or_none(c, doc, cols, 5, "nothing is due");
	sat_json_free(q);
	sat_json_free(doc);
	return rc;
}

static sat_rc
task_verb(cli *c, const char *verb, sat_json *body, sat_err *e)
{
	sat_json *doc = NULL;
	const char *id;
	char *path;
	sat_rc rc = cli_need_id(c, &id, e);

	if (rc != SAT_OK)
		return rc;
	path = sat_xasprintf("/v1/tasks/%s/%s", id, verb);
	rc = cli_ask(&doc, c, "POST", path, NULL, body, e);
	free(path);
	if (rc == SAT_OK && cli_is_json(c))
		cli_print_json(c, doc);
	else if (rc == SAT_OK)
		cli_say(c, "%s: %s\n", verb, sat_json_get_str(
		    sat_json_get(doc, "data"), "title", id));
	sat_json_free(doc);
	return rc;
}

static sat_rc
run_done(cli *c, sat_err *e)
{
	return task_verb(c, "done", NULL, e);
}

static sat_rc
run_snooze(cli *c, sat_err *e)
{
	sat_json *body;
	sat_rc rc;

	if (c->args.nargs < 4)
		return sat_fail_code(e, SAT_EUSAGE, "usage", "30m, 2h, 3d, 1w",
		    "usage: satchel task snooze ID DUR");
	body = sat_json_obj();
	sat_json_put_str(body, "for", c->args.arg[3]);
	rc = task_verb(c, "snooze", body, e);
	sat_json_free(body);
	return rc;
}

/* ---- too long in a stage ----------------------------------------------------------- */

static const sat_opt stuck_options[] = {
	{ "owner", 0, "USER", "only this owner's (me)" },
	{ "factor", 0, "N", "percent of the median (200)" },
	{ "all", 0, NULL, "every open one with its age" },
	{ "check", 0, NULL, "exit 20 when there is anything" },
	{ NULL, 0, NULL, NULL },
};

sat_rc
cli_stuck(cli *c, const char *kind, sat_err *e)
{
	static const cli_column cols[] = { { "id", "id", CELL_ID },
		{ "title", "title", CELL_PLAIN },
		{ "stage", "stage", CELL_LABEL },
		{ "since", "since", CELL_TIME },
		{ "age_d", "days", CELL_NUMBER },
		{ "median_d", "median", CELL_NUMBER },
		{ "limit_d", "limit", CELL_NUMBER },
		{ "owner", "owner", CELL_PLAIN } };
	static const char *const flags[] = { "owner", "factor", "as-of" };
	sat_json *q = sat_json_obj(), *doc = NULL;
	size_t n;
	sat_rc rc;

	sat_json_put_str(q, "kind", kind);
	for (size_t i = 0; i < 3; i++) {
		const char *v = sat_args_get(&c->args, flags[i]);

		if (v != NULL)
			sat_json_put_str(q, i == 2 ? "as_of" : flags[i], v);
	}
	if (sat_args_has(&c->args, "all"))
		sat_json_put_str(q, "all", "1");
	rc = cli_ask(&doc, c, "GET", "/v1/stuck", q, NULL, e);
	sat_json_free(q);
	n = sat_json_count(sat_json_get(doc, "data"));
	if (rc == SAT_OK)
		cli_print_or_none(c, doc, cols, 8, "nothing is stuck");
	if (rc == SAT_OK && n > 0 && sat_args_has(&c->args, "check"))
		rc = sat_fail_code(e, SAT_EFALSE, "stuck", NULL,
		    "%zu are too long in their stage", n);
	sat_json_free(doc);
	return rc;
}

static sat_rc
run_stuck(cli *c, sat_err *e)
{
	return cli_stuck(c, c->args.arg[0], e);
}

const cli_verb cli_rule_verbs[] = {
	{ "rules", "list", run_list, NULL, "rules list",
	    "rules that make tasks on this device", NULL, false },
	{ "rules", "explain", run_explain, NULL, "rules explain KEY|TASK",
	    "what a rule asks for; which rule made a task", NULL, false },
	{ "rules", "run", run_run, run_options, "rules run [--dry-run]",
	    "make the tasks that are due, close the rest",
	    "  satchel rules run --as-of 2026-11-30 --dry-run\n", false },
	{ "task", "done", run_done, NULL, "task done ID", "it is done", NULL,
	    false },
	{ "task", "snooze", run_snooze, NULL, "task snooze ID DUR",
	    "put it off", "  satchel task snooze @last 2h\n", false },
	{ "account", "stuck", run_stuck, stuck_options,
	    "account stuck [OPTIONS]", "customers too long in their stage",
	    NULL, false },
	{ "opportunity", "stuck", run_stuck, stuck_options,
	    "opportunity stuck [OPTIONS]",
	    "opportunities too long in their stage", NULL, false },
};
const size_t cli_rule_nverbs = sizeof cli_rule_verbs / sizeof cli_rule_verbs[0];
