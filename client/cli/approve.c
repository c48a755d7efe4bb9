/*
 * proposal and contract: submit, approve, reject.
 */
#include "client/cli/cli_int.h"

#include <stdlib.h>
#include <string.h>

static const sat_opt submit_options[] = {
	{ "expert", 0, "USER", "whose expertise is asked for" },
	{ NULL, 0, NULL, NULL },
};
static const sat_opt approve_options[] = {
	{ "note", 0, "TEXT", "kept on the record" },
	{ NULL, 0, NULL, NULL },
};
static const sat_opt reject_options[] = {
	{ "reason", 0, "TEXT", "what has to change" },
	{ NULL, 0, NULL, NULL },
};

static void
print(cli *c, const sat_json *doc)
{
	const sat_json *m = sat_json_first(sat_json_get(doc, "missing"));

	cli_say(c, "%s: %s\n", sat_json_get_str(doc, "kind", ""),
	    sat_json_get_str(doc, "state", ""));
	if (m == NULL)
		return;
	cli_say(c, "has to agree:");
	for (; m != NULL; m = sat_json_next(m))
		cli_say(c, " %s", sat_json_str(m, ""));
	cli_say(c, "\n");
}

static sat_rc
run(cli *c, sat_err *e)
{
	static const char *const flags[] = { "expert", "note", "reason" };
	const char *id, *plural = strcmp(c->args.arg[0], "contract") == 0 ?
	    "contracts" : "proposals";
	sat_json *body, *doc = NULL;
	char *path;
	sat_rc rc = cli_need_id(c, &id, e);

	if (rc != SAT_OK)
		return rc;
	body = sat_json_obj();
	for (size_t i = 0; i < 3; i++)
		if (sat_args_get(&c->args, flags[i]) != NULL)
			sat_json_put_str(body, flags[i], sat_args_get(&c->args,
			    flags[i]));
	path = sat_xasprintf("/v1/%s/%s/%s", plural, id, c->args.arg[1]);
	rc = cli_ask(&doc, c, "POST", path, NULL, body, e);
	free(path);
	if (rc == SAT_OK && cli_is_json(c))
		cli_print_json(c, doc);
	else if (rc == SAT_OK)
		print(c, doc);
	sat_json_free(body);
	sat_json_free(doc);
	return rc;
}

/* ---- what waits ---- */

static const sat_opt list_options[] = {
	{ "approver", 0, "USER", "only what waits for this one (me)" },
	{ "owner", 0, "USER", "only this owner's (me)" },
	{ "overdue", 0, NULL, "only what waits longer than it should" },
	{ "check", 0, NULL, "exit 20 when there is anything" },
	{ NULL, 0, NULL, NULL },
};

sat_rc
cli_approvals(cli *c, sat_err *e)
{
	static const cli_column cols[] = { { "id", "id", CELL_ID },
		{ "title", "title", CELL_PLAIN }, { "owner", "owner", CELL_PLAIN },
		{ "step", "step", CELL_NUMBER }, { "steps", "of", CELL_NUMBER },
		{ "approver", "approver", CELL_PLAIN },
		{ "since", "since", CELL_TIME },
		{ "waited_h", "hours", CELL_NUMBER },
		{ "due", "due", CELL_TIME },
		{ "overdue", "overdue", CELL_PLAIN } };
	static const char *const flags[] = { "approver", "owner", "as-of" };
	sat_json *q = sat_json_obj(), *doc = NULL;
	size_t n;
	sat_rc rc;

	for (size_t i = 0; i < 3; i++) {
		const char *v = sat_args_get(&c->args, flags[i]);

		if (v != NULL)
			sat_json_put_str(q, i == 2 ? "as_of" : flags[i], v);
	}
	if (sat_args_has(&c->args, "overdue"))
		sat_json_put_str(q, "overdue", "1");
	rc = cli_ask(&doc, c, "GET", "/v1/approvals", q, NULL, e);
	sat_json_free(q);
	n = sat_json_count(sat_json_get(doc, "data"));
	if (rc == SAT_OK)
		cli_print_or_none(c, doc, cols, sizeof cols / sizeof cols[0],
		    "nothing waits for an approval");
	if (rc == SAT_OK && n > 0 && sat_args_has(&c->args, "check"))
		rc = sat_fail_code(e, SAT_EFALSE, "approval", NULL,
		    "%zu wait for an approval", n);
	sat_json_free(doc);
	return rc;
}

#define APPROVED(kind)                                                        \
	{ kind, "submit", run, submit_options, kind " submit ID",             \
	    "submit it; asks those who have to agree", NULL, false },         \
	    { kind, "approve", run, approve_options, kind " approve ID",      \
	        "agree to it", NULL, false },                                 \
	    { kind, "reject", run, reject_options,                            \
	        kind " reject ID --reason R", "send it back to be changed",   \
	        NULL, false }

const cli_verb cli_approve_verbs[] = { APPROVED("proposal"),
	APPROVED("contract"),
	{ "approval", "list", cli_approvals, list_options,
	    "approval list [--approver USER] [--overdue]",
	    "what waits for whose approval, since when",
	    "  satchel approval list --approver me\n"
	    "  satchel approval list --overdue --check\n", false } };
const size_t cli_approve_nverbs =
    sizeof cli_approve_verbs / sizeof cli_approve_verbs[0];
