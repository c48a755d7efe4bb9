/*
 * reveal: a masked value, with a reason.
 */
#include "client/cli/cli_int.h"

#include <stdlib.h>

static const sat_opt options[] = {
	{ "field", 0, "FIELD", "which one; otherwise the kind's phone" },
	{ "reason", 0, "TEXT", "why; it is kept and syncs" },
	{ NULL, 0, NULL, NULL },
};

static sat_rc
run(cli *c, sat_err *e)
{
	const char *field = sat_args_get(&c->args, "field"), *id;
	const char *reason = sat_args_get(&c->args, "reason");
	sat_json *doc = NULL, *body;
	char *path;
	sat_rc rc = cli_need_id(c, &id, e);

	if (rc != SAT_OK)
		return rc;
	body = sat_json_obj();
	if (field != NULL)
		sat_json_put_str(body, "field", field);
	if (reason != NULL)
		sat_json_put_str(body, "reason", reason);
	path = cli_record_path(c, id, "reveal");
	rc = cli_ask(&doc, c, "POST", path, NULL, body, e);
	free(path);
	if (rc == SAT_OK && cli_is_json(c))
		cli_print_json(c, doc);
	else if (rc == SAT_OK)
		sat_buf_fmt(&c->out, "%s\n", sat_json_get_str(sat_json_get(doc, "data"),
		    "value", ""));
	sat_json_free(body);
	sat_json_free(doc);
	return rc;
}

#define REVEALED(kind)                                                        \
	{ kind, "reveal", run, options,                                       \
	    kind " reveal ID [--field F] --reason TEXT",                      \
	    "a masked phone in full; written down", NULL, false }

const cli_verb cli_reveal_verbs[] = { REVEALED("account"),
	REVEALED("contact"), REVEALED("lead"), REVEALED("visit") };
const size_t cli_reveal_nverbs =
    sizeof cli_reveal_verbs / sizeof cli_reveal_verbs[0];
