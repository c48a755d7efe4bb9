/*
 * token: who may come through the daemon's port.
 */
#include "client/cli/cli_int.h"

#include <stdlib.h>

static const sat_opt create_options[] = {
	{ "scope", 0, "SCOPE", "read, write, read:KIND, write:KIND, all; with commas" },
	{ "ttl", 0, "TIME", "how long it is good for (30d)" },
	{ "name", 0, "TEXT", "what it is for" },
	{ NULL, 0, NULL, NULL },
};

static sat_rc
run_create(cli *c, sat_err *e)
{
	static const char *const members[] = { "scope", "ttl", "name" };
	sat_json *body = sat_json_obj(), *doc = NULL;
	sat_rc rc;

	for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
		if (sat_args_get(&c->args, members[i]) != NULL)
			sat_json_put_str(body, members[i],
			    sat_args_get(&c->args, members[i]));
	rc = cli_ask(&doc, c, "POST", "/v1/tokens", NULL, body, e);
	if (rc == SAT_OK && cli_is_json(c))
		cli_print_json(c, doc);
	else if (rc == SAT_OK)
		sat_buf_fmt(&c->out, "%s\n", sat_json_get_str(doc, "token", ""));
	sat_json_free(doc);
	sat_json_free(body);
	return rc;
}

static sat_rc
run_list(cli *c, sat_err *e)
{
	static const cli_column cols[] = { { "id", "id", CELL_WHOLE },
		{ "name", "name", CELL_PLAIN }, { "scope", "scope", CELL_PLAIN },
		{ "created_at", "made at", CELL_TIME },
		{ "expires_at", "ends", CELL_TIME } };

	return cli_ask_list(c, "/v1/tokens", cols, 5, NULL, e);
}

static sat_rc
run_revoke(cli *c, sat_err *e)
{
	sat_json *doc = NULL;
	char *path;
	sat_rc rc;

	if (c->args.nargs < 3)
		return sat_fail_code(e, SAT_EUSAGE, "usage",
		    "see: satchel token list", "usage: satchel token revoke ID");
	path = sat_xasprintf("/v1/tokens/%s", c->args.arg[2]);
	rc = cli_ask(&doc, c, "DELETE", path, NULL, NULL, e);
	if (rc == SAT_OK && cli_is_json(c))
		cli_print_json(c, doc);
	sat_json_free(doc);
	free(path);
	return rc;
}

const cli_verb cli_token_verbs[] = {
	{ "token", "create", run_create, create_options,
	    "token create --scope SCOPE [--ttl TIME]",
	    "let a program in by the daemon's port; shown once",
	    "  satchel daemon --listen 127.0.0.1:0 --port-file port\n"
	    "  satchel token create --scope read:account --ttl 30d\n", false },
	{ "token", "list", run_list, NULL, "token list",
	    "who may come in, for what and how long", NULL, false },
	{ "token", "revoke", run_revoke, NULL, "token revoke ID",
	    "it is worth nothing any more", NULL, false },
};
const size_t cli_token_nverbs =
    sizeof cli_token_verbs / sizeof cli_token_verbs[0];
