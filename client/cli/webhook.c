/*
 * webhook: other services that the server tells what happened. An administrator
 * decides; the server sends, for devices are often offline.
 */
#include "client/cli/cli_int.h"

#include "common/base/file.h"

#include <stdlib.h>
#include <string.h>

#define URL_MAX 500

/* --format is a global one: json (signed), or the robot of a group, wecom,
 * dingtalk, feishu or slack. */
static const sat_opt add_options[] = {
	{ "events", 0, "E,E", "account.created, opportunity.stage, account.*, conflict.opened, ..." },
	{ "url-file", 0, "FILE", "the address is its first line, so that nobody sees its key" },
	{ NULL, 0, NULL, NULL },
};

static const cli_column columns[] = { { "id", "id", CELL_NUMBER },
	{ "format", "format", CELL_PLAIN }, { "url", "address", CELL_PLAIN },
	{ "events", "events", CELL_PLAIN }, { "sent", "sent", CELL_NUMBER },
	{ "last_sent", "last", CELL_TIME }, { "waiting", "waiting", CELL_NUMBER },
	{ "dead", "given up", CELL_NUMBER }, { "error", "error", CELL_PLAIN } };

static sat_rc
run_list(cli *c, sat_err *e)
{
	return cli_ask_list(c, "/v1/webhooks", columns,
	    sizeof columns / sizeof columns[0], NULL, e);
}

/* METHOD /v1/webhooks/ID[/verb] */
static sat_rc
ask(sat_json **doc, cli *c, const char *method, const char *verb, sat_err *e)
{
	char *path;
	sat_rc rc;

	if (c->args.nargs < 3)
		return sat_fail_code(e, SAT_EUSAGE, "usage",
		    "see: satchel webhook list", "usage: satchel webhook %s ID",
		    c->args.arg[1]);
	path = sat_xasprintf("/v1/webhooks/%s%s%s", c->args.arg[2],
	    verb != NULL ? "/" : "", verb != NULL ? verb : "");
	rc = cli_ask(doc, c, method, path, NULL, NULL, e);
	free(path);
	return rc;
}

static sat_rc
run_show(cli *c, sat_err *e)
{
	sat_json *doc = NULL;
	sat_rc rc = ask(&doc, c, "GET", NULL, e);

	if (rc == SAT_OK)
		cli_print_relayed(c, doc);
	sat_json_free(doc);
	return rc;
}

static sat_rc
run_do(cli *c, sat_err *e)
{
	sat_json *doc = NULL;
	sat_rc rc = ask(&doc, c, "POST", c->args.arg[1], e);

	if (rc == SAT_OK)
		cli_print_relayed(c, doc);
	sat_json_free(doc);
	return rc;
}

static sat_rc
run_dead(cli *c, sat_err *e)
{
	static const cli_column cols[] = { { "made", "made at", CELL_TIME },
		{ "event", "event", CELL_PLAIN }, { "of", "of", CELL_PLAIN },
		{ "error", "error", CELL_PLAIN } };
	sat_json *doc = NULL;
	sat_rc rc = ask(&doc, c, "GET", "dead", e);

	if (rc == SAT_OK)
		cli_print_rows(c, doc, cols, 4);
	sat_json_free(doc);
	return rc;
}

static sat_rc
run_remove(cli *c, sat_err *e)
{
	sat_json *doc = NULL;
	sat_rc rc = cli_confirm(c,
	    N_("What still waits for it is not sent. Go on?"), e);

	if (rc == SAT_OK && (rc = ask(&doc, c, "DELETE", NULL, e)) == SAT_OK)
		cli_print_relayed(c, doc);
	sat_json_free(doc);
	return rc;
}

static sat_rc
url_put(sat_json *body, const cli *c, sat_err *e)
{
	const char *file = sat_args_get(&c->args, "url-file");
	sat_buf b = { 0 };
	sat_rc rc = SAT_OK;
	char *line;

	if (file == NULL && c->args.nargs < 3)
		return sat_fail_code(e, SAT_EUSAGE, "usage",
		    "for example https://hooks.example.com/satchel",
		    "the address is missing");
	if (file != NULL)
		rc = sat_file_read(&b, file, URL_MAX + 2, e);
	else
		sat_buf_str(&b, c->args.arg[2]);
	if (rc == SAT_OK) {
		line = sat_xstrdup(sat_buf_cstr(&b));
		line[strcspn(line, "\r\n")] = '\0';
		sat_json_put_str(body, "url", line);
		free(line);
	}
	sat_buf_fini(&b);
	return rc;
}

static sat_rc
run_add(cli *c, sat_err *e)
{
	static const char *const members[] = { "events", "format" };
	sat_json *body = sat_json_obj(), *doc = NULL;
	sat_rc rc = url_put(body, c, e);

	for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
		if (sat_args_get(&c->args, members[i]) != NULL)
			sat_json_put_str(body, members[i],
			    sat_args_get(&c->args, members[i]));
	if (rc == SAT_OK && (rc = cli_ask(&doc, c, "POST", "/v1/webhooks", NULL,
	    body, e)) == SAT_OK)
		cli_print_relayed(c, doc);
	sat_json_free(doc);
	sat_json_free(body);
	return rc;
}

const cli_verb cli_webhook_verbs[] = {
	{ "webhook", "list", run_list, NULL, "webhook list",
	    "services that are told what happened (administrator)", NULL,
	    false },
	{ "webhook", "show", run_show, NULL, "webhook show ID",
	    "one of them, and how it is (administrator)", NULL, false },
	{ "webhook", "add", run_add, add_options,
	    "webhook add URL --events E [--format json|wecom|...]",
	    "tell one more, its secret shown once (administrator)",
	    "  satchel webhook add https://hooks.example.com/in --events account.created,opportunity.stage\n"
	    "  satchel webhook add --url-file robot.url --events 'visit.*' --format wecom\n"
	    "  satchel webhook add --url-file r2.url --events '*' --format dingtalk\n"
	    "  (--format feishu, slack; json is signed, and what is meant without one)\n",
	    false },
	{ "webhook", "test", run_do, NULL, "webhook test ID",
	    "send it a test; see then webhook show (administrator)",
	    NULL, false },
	{ "webhook", "dead", run_dead, NULL, "webhook dead ID",
	    "what it never took (administrator)", NULL, false },
	{ "webhook", "retry", run_do, NULL, "webhook retry ID",
	    "send what waits or was given up now (administrator)", NULL,
	    false },
	{ "webhook", "remove", run_remove, NULL, "webhook remove ID",
	    "tell it nothing any more (administrator)", NULL, false },
};
const size_t cli_webhook_nverbs =
    sizeof cli_webhook_verbs / sizeof cli_webhook_verbs[0];
