/*
 * user, team, role, device: what every device knows of them, and what an
 * administrator changes at the server.
 */
#include "client/cli/cli_int.h"
#include "common/qr/qr.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const sat_opt list_options[] = {
	{ "server", 0, NULL, "ask the server (administrator)" },
	{ NULL, 0, NULL, NULL },
};
static const sat_opt user_options[] = {
	{ "name", 0, "NAME", "full name" },
	{ "role", 0, "ROLE", "see: satchel role list" },
	{ "team", 0, "KEY", "the team" },
	{ NULL, 0, NULL, NULL },
};
static const sat_opt team_options[] = {
	{ "name", 0, "NAME", "full name" },
	{ "parent", 0, "TEXT", "office or region it belongs to" },
	{ NULL, 0, NULL, NULL },
};
static const sat_opt devices_options[] = {
	{ "stale", 0, "TIME", "only those not heard of for so long: 14d" },
	{ NULL, 0, NULL, NULL },
};
static const sat_opt revoke_options[] = {
	{ "wipe", 0, NULL, "it destroys what it holds as soon as it hears of it" },
	{ "push-first", 0, NULL, "with --wipe: its unsent work comes first, and is kept apart" },
	{ NULL, 0, NULL, NULL },
};
static const sat_opt invite_options[] = {
	{ "user", 0, "KEY", "whom it is for" },
	{ "ttl", 0, "TIME", "how long it lives (15m)" },
	{ "approve", 0, NULL, "its device waits for device approve" },
	{ "qr", 0, NULL, "as a QR code on the terminal, too" },
	{ NULL, 0, NULL, NULL },
};

/* ---- answers of the server --------------------------------------------------------------- */

/* Rows of whatever the verb has, in its own order of members. */
static void
print_answer(cli *c, const sat_json *doc)
{
	const sat_json *first = sat_json_first(sat_json_get(doc, "data"));
	cli_column cols[24];
	size_t n = 0;

	if (cli_is_json(c) || first == NULL) {
		if (cli_is_json(c))
			cli_print_json(c, doc);
		return;
	}
	for (const sat_json *m = sat_json_first(first); m != NULL && n < 24;
	     m = sat_json_next(m))
		cols[n++] = (cli_column){ sat_json_key(m), sat_json_key(m),
			sat_json_type(m) == SAT_J_INT ? CELL_NUMBER : CELL_PLAIN };
	cli_print_rows(c, doc, cols, n);
}

static sat_rc
ask(cli *c, const char *method, const char *key, const char *verb,
    sat_json *body, sat_err *e)
{
	char *path = sat_xasprintf("/v1/admin/%ss%s%s%s%s", c->args.arg[0],
	    key != NULL ? "/" : "", key != NULL ? key : "",
	    verb != NULL ? "/" : "", verb != NULL ? verb : "");
	bool get = strcmp(method, "GET") == 0;
	sat_json *doc = NULL;
	sat_rc rc = cli_ask(&doc, c, method, path, get ? body : NULL,
	    get ? NULL : body, e);

	if (rc == SAT_OK && sat_json_get(doc, "data") != NULL)
		print_answer(c, doc);
	else if (rc == SAT_OK)
		cli_print_relayed(c, doc);
	sat_json_free(doc);
	free(path);
	return rc;
}

static void
put_option(sat_json *body, const sat_opt *o, const char *v)
{
	if (o->value == NULL)
		sat_json_put_bool(body, o->name, true);
	else
		sat_json_put_str(body, o->name, v);
}

static sat_json *
options_body(const cli *c, const sat_opt *o)
{
	sat_json *body = sat_json_obj();

	for (; o->name != NULL; o++)
		if (sat_args_has(&c->args, o->name))
			put_option(body, o, sat_args_get(&c->args, o->name));
	return body;
}

static const sat_opt *
options_of(const cli *c)
{
	return strcmp(c->args.arg[0], "team") == 0 ? team_options : user_options;
}

static sat_rc
need_key(const cli *c, sat_err *e)
{
	return c->args.nargs > 2 ? SAT_OK
	    : sat_fail_code(e, SAT_EUSAGE, "usage", NULL,
	          "name it: satchel %s %s KEY", c->args.arg[0], c->args.arg[1]);
}

static sat_rc
run_add(cli *c, sat_err *e)
{
	sat_rc rc = need_key(c, e);
	sat_json *body;

	if (rc != SAT_OK)
		return rc;
	body = options_body(c, options_of(c));
	sat_json_put_str(body, "key", c->args.arg[2]);
	rc = ask(c, "POST", NULL, NULL, body, e);
	sat_json_free(body);
	return rc;
}

static sat_rc
run_edit(cli *c, sat_err *e)
{
	sat_rc rc = need_key(c, e);
	sat_json *body;

	if (rc != SAT_OK)
		return rc;
	body = options_body(c, options_of(c));
	rc = ask(c, "PATCH", c->args.arg[2], NULL, body, e);
	sat_json_free(body);
	return rc;
}

/* What takes something away from a person or a device: its name is typed. */
static sat_rc
confirm_by_name(cli *c, const char *name, sat_err *e)
{
	char typed[128] = "";

	if (c->yes)
		return SAT_OK;
	if (c->no_input || !isatty(STDIN_FILENO))
		return sat_fail_code(e, SAT_EUSAGE, "usage.confirm",
		    "repeat with --yes", "this needs a confirmation");
	cli_flush(c);
	(void)fprintf(stderr, sat_text(N_("Type %s to go on: ")), name);
	(void)fflush(stderr);
	if (fgets(typed, sizeof typed, stdin) != NULL)
		typed[strcspn(typed, "\r\n")] = '\0';
	return strcmp(typed, name) == 0 ? SAT_OK
	    : sat_fail(e, SAT_EFAIL, "not confirmed; nothing is changed");
}

static sat_rc
run_do(cli *c, sat_err *e)
{
	const char *verb = c->args.arg[1];
	sat_rc rc = need_key(c, e);

	if (rc == SAT_OK && strcmp(verb, "disable") == 0)
		rc = confirm_by_name(c, c->args.arg[2], e);
	return rc == SAT_OK ? ask(c, "POST", c->args.arg[2], verb, NULL, e) : rc;
}

static sat_rc
run_revoke(cli *c, sat_err *e)
{
	sat_json *body = options_body(c, revoke_options);
	sat_rc rc = need_key(c, e);

	if (rc == SAT_OK)
		rc = confirm_by_name(c, c->args.arg[2], e);
	if (rc == SAT_OK)
		rc = ask(c, "POST", c->args.arg[2], "revoke", body, e);
	sat_json_free(body);
	return rc;
}

static sat_rc
run_invite(cli *c, sat_err *e)
{
	sat_json *body = options_body(c, invite_options), *doc = NULL;
	const char *text;
	sat_rc rc;

	sat_json_del(body, "qr"); /* drawn here; the server has no part in it */
	rc = cli_ask(&doc, c, "POST", "/v1/admin/devices", NULL, body, e);
	text = sat_json_get_str(doc, "invite", "");
	if (rc == SAT_OK && cli_is_json(c))
		cli_print_json(c, doc);
	else if (rc == SAT_OK)
		sat_buf_fmt(&c->out, "%s\n", text);
	if (rc == SAT_OK && !cli_is_json(c) && sat_args_has(&c->args, "qr"))
		rc = sat_qr_terminal(&c->out, text, e);
	sat_json_free(doc);
	sat_json_free(body);
	return rc;
}

static sat_rc
run_devices(cli *c, sat_err *e)
{
	sat_json *q = options_body(c, devices_options);
	sat_rc rc = ask(c, "GET", NULL, NULL, q, e);

	sat_json_free(q);
	return rc;
}

static sat_rc
run_rename(cli *c, sat_err *e)
{
	sat_json *body;
	sat_rc rc;

	if (c->args.nargs < 4)
		return sat_fail_code(e, SAT_EUSAGE, "usage",
		    "see: satchel device list",
		    "usage: satchel device rename NUMBER NAME");
	body = sat_json_obj();
	sat_json_put_str(body, "name", c->args.arg[3]);
	rc = ask(c, "POST", c->args.arg[2], "rename", body, e);
	sat_json_free(body);
	return rc;
}

/* ---- what is here ---------------------------------------------------------------------- */

static sat_rc
list(cli *c, const char *path, const cli_column *cols, size_t n, sat_err *e)
{
	sat_json *doc = NULL;
	sat_rc rc;

	if (sat_args_has(&c->args, "server"))
		return ask(c, "GET", NULL, NULL, NULL, e);
	rc = cli_ask(&doc, c, "GET", path, NULL, NULL, e);
	if (rc == SAT_OK)
		cli_print_rows(c, doc, cols, n);
	sat_json_free(doc);
	return rc;
}

static sat_rc
run_users(cli *c, sat_err *e)
{
	static const cli_column cols[] = { { "key", "user", CELL_WHOLE },
		{ "name", "name", CELL_PLAIN }, { "role", "role", CELL_PLAIN },
		{ "team", "team", CELL_PLAIN } };

	return list(c, "/v1/users", cols, 4, e);
}

static sat_rc
run_teams(cli *c, sat_err *e)
{
	static const cli_column cols[] = { { "key", "team", CELL_WHOLE },
		{ "name", "name", CELL_PLAIN }, { "parent", "in", CELL_PLAIN },
		{ "people", "people", CELL_NUMBER } };

	return list(c, "/v1/teams", cols, 4, e);
}

static sat_rc
run_roles(cli *c, sat_err *e)
{
	const cli_column cols[] = { { "key", "role", CELL_WHOLE },
		{ c->lang[0] == 'z' ? "zh" : "en", "title", CELL_PLAIN },
		{ "people", "people", CELL_NUMBER } };

	return list(c, "/v1/roles", cols, 3, e);
}

/* show: one row of the list. */
static sat_rc
run_show(cli *c, sat_err *e)
{
	const char *noun = c->args.arg[0];
	char *path = sat_xasprintf("/v1/%ss", noun);
	sat_json *doc = NULL, *one;
	const sat_json *r = NULL;
	sat_rc rc = need_key(c, e);

	if (rc == SAT_OK && (rc = cli_ask(&doc, c, "GET", path, NULL, NULL,
	    e)) == SAT_OK) {
		r = sat_json_first(sat_json_get(doc, "data"));
		while (r != NULL && strcmp(sat_json_get_str(r, "key", ""),
		    c->args.arg[2]) != 0)
			r = sat_json_next(r);
		if (r == NULL)
			rc = sat_fail_code(e, SAT_ENOTFOUND, "not_found", NULL,
			    "there is no %s %.60s", noun, c->args.arg[2]);
	}
	if (rc == SAT_OK) { /* a list of one, so that its schema holds */
		one = sat_json_obj();
		sat_json_put_str(one, "schema", sat_json_get_str(doc, "schema",
		    ""));
		sat_json_add(sat_json_put_arr(one, "data"), sat_json_dup(r));
		if (cli_is_json(c))
			cli_print_json(c, one);
		else
			cli_print_object(c, r);
		sat_json_free(one);
	}
	sat_json_free(doc);
	free(path);
	return rc;
}

static sat_rc
run_role(cli *c, sat_err *e)
{
	static const cli_column cols[] = { { "action", "action", CELL_WHOLE },
		{ "grant", "grant", CELL_PLAIN } };
	sat_json *doc = NULL;
	sat_rc rc = cli_ask_id(&doc, c, "/v1/roles/", "", e);

	if (rc == SAT_OK)
		cli_print_rows(c, doc, cols, 2);
	sat_json_free(doc);
	return rc;
}

/* Which roles there are is a document that is judged and published as a whole. */
static sat_rc
run_role_change(cli *c, sat_err *e)
{
	return sat_fail_code(e, SAT_EUSAGE, "usage.role",
	    "satchel user edit KEY --role ROLE gives somebody another role; "
	    "satchel template propose DIR suggests another matrix",
	    "roles are part of the template (acl/matrix.json): role %s changes "
	    "nothing by itself", c->args.arg[1]);
}

/* This one, or another by its number: that one the server knows. */
static sat_rc
run_device(cli *c, sat_err *e)
{
	sat_json *doc = NULL;
	sat_rc rc;

	if (c->args.nargs > 2)
		return ask(c, "GET", c->args.arg[2], NULL, NULL, e);
	rc = cli_ask(&doc, c, "GET", "/v1/device", NULL, NULL, e);

	if (rc == SAT_OK)
		cli_print_object(c, doc);
	sat_json_free(doc);
	return rc;
}

static sat_rc
run_rotate_key(cli *c, sat_err *e)
{
	sat_json *doc = NULL;
	sat_rc rc = cli_ask(&doc, c, "POST", "/v1/device/rotate-key", NULL, NULL,
	    e);

	if (rc == SAT_OK)
		cli_print_object(c, doc);
	sat_json_free(doc);
	return rc;
}

const cli_verb cli_admin_verbs[] = {
	{ "user", "list", run_users, list_options, "user list [--server]",
	    "people", NULL, false },
	{ "user", "show", run_show, NULL, "user show KEY", "one of them", NULL,
	    false },
	{ "user", "add", run_add, user_options,
	    "user add KEY --name NAME --role ROLE [--team KEY]",
	    "a new person, at the server (administrator)",
	    "  satchel user add li.na --name 李娜 --role rep --team east\n",
	    false },
	{ "user", "edit", run_edit, user_options,
	    "user edit KEY [--name NAME] [--role ROLE]",
	    "change a person, at the server (administrator)", NULL, false },
	{ "user", "disable", run_do, NULL, "user disable KEY",
	    "let somebody in no more (administrator)", NULL, false },
	{ "user", "enable", run_do, NULL, "user enable KEY",
	    "let him in again (administrator)", NULL, false },
	{ "team", "list", run_teams, list_options, "team list [--server]",
	    "teams", NULL, false },
	{ "team", "show", run_show, NULL, "team show KEY", "one of the teams",
	    NULL, false },
	{ "team", "add", run_add, team_options,
	    "team add KEY --name NAME [--parent TEXT]",
	    "a new team, at the server (administrator)", NULL, false },
	{ "team", "edit", run_edit, team_options, "team edit KEY [--name NAME]",
	    "change a team, at the server (administrator)", NULL, false },
	{ "role", "list", run_roles, NULL, "role list", "roles of the template",
	    NULL, false },
	{ "role", "show", run_role, NULL, "role show KEY", "what a role may do",
	    NULL, false },
	{ "role", "add", run_role_change, NULL, "role add KEY",
	    "says how the template gets another role", NULL, true },
	{ "role", "edit", run_role_change, NULL, "role edit KEY",
	    "says how a role is changed", NULL, true },
	{ "role", "disable", run_role_change, NULL, "role disable KEY",
	    "says how a role is taken away", NULL, true },
	{ "team", "disable", run_do, NULL, "team disable KEY",
	    "nobody joins it any more (administrator)", NULL,
	    false },
	{ "team", "enable", run_do, NULL, "team enable KEY",
	    "people may join it again (administrator)", NULL, false },
	{ "device", "show", run_device, NULL, "device show [NUMBER]",
	    "this device; another one (administrator)", NULL, false },
	{ "device", "approve", run_do, NULL, "device approve NUMBER",
	    "let in a device that waits (administrator)",
	    "  satchel device invite --user li.na --approve\n"
	    "  satchel device approve 7\n", false },
	{ "device", "rename", run_rename, NULL, "device rename NUMBER NAME",
	    "what a device is called (administrator)", NULL, false },
	{ "device", "rotate-key", run_rotate_key, NULL, "device rotate-key",
	    "new keys; a copy of the folder is then worthless",
	    "  satchel device rotate-key\n  satchel backup /media/usb/today\n",
	    false },
	{ "device", "enrol", cli_init, cli_init_options,
	    "device enrol --invite CODE", "the same as init", NULL, true },
	{ "device", "invite", run_invite, invite_options,
	    "device invite --user KEY [--ttl TIME] [--approve] [--qr]",
	    "an invitation for a new device (administrator)",
	    "  satchel device invite --user li.na --ttl 1d --qr\n", false },
	{ "device", "list", run_devices, devices_options,
	    "device list [--stale TIME]",
	    "every device and its last contact (administrator)", NULL,
	    false },
	{ "device", "revoke", run_revoke, revoke_options,
	    "device revoke NUMBER [--wipe [--push-first]]",
	    "let a device in no more, for good (administrator)",
	    "  satchel device revoke 7\n  satchel device revoke 7 --wipe\n",
	    false },
};
const size_t cli_admin_nverbs =
    sizeof cli_admin_verbs / sizeof cli_admin_verbs[0];
