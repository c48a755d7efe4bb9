/*
 * privacy: what the law lets a person ask for.
 */
#include "client/cli/cli_int.h"

#include <stdlib.h>
#include <string.h>

static const cli_column columns[] = {
	{ "id", "ID", CELL_WHOLE }, { "state", "STATE", CELL_PLAIN },
	{ "at", "AT", CELL_TIME }, { "by", "ASKED", CELL_PLAIN },
	{ "second", "CONFIRMED BY", CELL_PLAIN },
	{ "confirmed", "DONE", CELL_NUMBER }, { "pending", "PENDING", CELL_NUMBER },
	{ "expired", "EXPIRED", CELL_NUMBER }, { "reason", "REASON", CELL_PLAIN },
};

static sat_rc
run_list(cli *c, sat_err *e)
{
	sat_json *doc = NULL;
	sat_rc rc = cli_ask(&doc, c, "GET", "/v1/privacy", NULL, NULL, e);

	if (rc == SAT_OK)
		cli_print_rows(c, doc, columns,
		    sizeof columns / sizeof columns[0]);
	sat_json_free(doc);
	return rc;
}

static sat_rc
run_change(cli *c, sat_err *e)
{
	bool confirm = strcmp(c->args.arg[1], "confirm") == 0;
	const char *reason = sat_args_get(&c->args, "reason"), *id;
	sat_json *doc = NULL, *body;
	sat_rc rc = cli_need_id(c, &id, e);

	if (rc != SAT_OK)
		return rc;
	if (!confirm && reason == NULL)
		return sat_fail_code(e, SAT_EUSAGE, "usage.reason",
		    "name the request, not the person: it is kept for ever",
		    "an erasure needs --reason TEXT");
	if (confirm && (rc = cli_confirm(c, "Erase this customer everywhere, "
	    "for good?", e)) != SAT_OK)
		return rc;
	body = sat_json_obj();
	sat_json_put_str(body, "id", id);
	if (reason != NULL)
		sat_json_put_str(body, "reason", reason);
	rc = cli_ask(&doc, c, "POST", confirm ? "/v1/privacy/confirm" :
	    "/v1/privacy/erase", NULL, body, e);
	if (rc == SAT_OK && cli_is_json(c))
		cli_print_json(c, doc);
	else if (rc == SAT_OK)
		cli_say(c, confirm ? "erased on the server; every device "
		    "follows with its next sync\n" : "asked; a second person "
		    "has to confirm: satchel privacy confirm %s\n", id);
	sat_json_free(doc);
	sat_json_free(body);
	return rc;
}

static const sat_opt erase_options[] = {
	{ "reason", 0, "TEXT", "the request this follows; no personal data" },
	{ NULL, 0, NULL, NULL },
};

const cli_verb cli_privacy_verbs[] = {
	{ "privacy", "list", run_list, NULL, "privacy list",
	    "erasures, and how far devices are", NULL, false },
	{ "privacy", "erase", run_change, erase_options,
	    "privacy erase ID --reason TEXT",
	    "ask for a customer's erasure (roles hq, admin)", NULL, false },
	{ "privacy", "confirm", run_change, NULL, "privacy confirm ID",
	    "confirm it as a second person; then it is done", NULL, false },
};
const size_t cli_privacy_nverbs =
    sizeof cli_privacy_verbs / sizeof cli_privacy_verbs[0];
