/*
 * lead convert, lead discard.
 */
#include "client/cli/cli_int.h"

#include <stdlib.h>
#include <string.h>

static const sat_opt convert_options[] = {
	{ "set", 0, "K=V", "a field of the customer the lead does not know" },
	{ "into", 0, "ACCOUNT", "a customer that is there already" },
	{ "allow-duplicate", 0, "REASON", "make another one all the same" },
	{ NULL, 0, NULL, NULL },
};
static const sat_opt discard_options[] = {
	{ "reason", 0, "KEY", "option of lost_reason (other)" },
	{ NULL, 0, NULL, NULL },
};

static sat_rc
put_sets(sat_json *body, cli *c, sat_err *e)
{
	sat_json *set = sat_json_put_obj(body, "set");
	const char *v;
	size_t i = 0;

	while ((v = sat_args_next(&c->args, "set", &i)) != NULL) {
		const char *eq = strchr(v, '=');
		char *key;

		if (eq == NULL)
			return sat_fail_code(e, SAT_EUSAGE, "usage.option", NULL,
			    "--set needs KEY=VALUE");
		key = sat_xasprintf("%.*s", (int)(eq - v), v);
		sat_json_put_str(set, key, eq + 1);
		free(key);
	}
	return SAT_OK;
}

static sat_rc
run_convert(cli *c, sat_err *e)
{
	const char *into = sat_args_get(&c->args, "into");
	const char *dup = sat_args_get(&c->args, "allow-duplicate");
	sat_json *body = sat_json_obj(), *doc = NULL;
	sat_rc rc;

	if (into != NULL)
		sat_json_put_str(body, "into", into);
	if (dup != NULL)
		sat_json_put_str(body, "allow_duplicate", dup);
	if ((rc = put_sets(body, c, e)) == SAT_OK)
		rc = cli_post_id(&doc, c, "/v1/leads/", "/convert", body, e);
	if (rc == SAT_OK && cli_is_json(c))
		cli_print_json(c, doc);
	else if (rc == SAT_OK) /* what a script goes on with */
		sat_buf_fmt(&c->out, "%s\n", sat_json_get_str(doc, "account",
		    ""));
	sat_json_free(body);
	sat_json_free(doc);
	return rc;
}

static sat_rc
run_discard(cli *c, sat_err *e)
{
	const char *reason = sat_args_get(&c->args, "reason");
	sat_json *body = sat_json_obj(), *doc = NULL;
	sat_rc rc;

	if (reason != NULL)
		sat_json_put_str(body, "reason", reason);
	rc = cli_post_id(&doc, c, "/v1/leads/", "/discard", body, e);
	if (rc == SAT_OK && cli_is_json(c))
		cli_print_json(c, doc);
	else if (rc == SAT_OK)
		cli_say(c, "discarded\n");
	sat_json_free(body);
	sat_json_free(doc);
	return rc;
}

const cli_verb cli_lead_verbs[] = {
	{ "lead", "convert", run_convert, convert_options,
	    "lead convert ID [--set K=V]...",
	    "make customer, contact and opportunity of it, once",
	    "  satchel lead convert @last --set industry=I65\n", false },
	{ "lead", "discard", run_discard, discard_options,
	    "lead discard ID [--reason KEY]", "it leads to nothing", NULL,
	    false },
};
const size_t cli_lead_nverbs = sizeof cli_lead_verbs / sizeof cli_lead_verbs[0];
