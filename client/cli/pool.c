/*
 * pool: customers nobody owns, for whoever asks first.
 */
#include "client/cli/cli_int.h"

#include <stdlib.h>
#include <string.h>

static const cli_column offered_cols[] = { { "number", "number", CELL_WHOLE },
	{ "title", "customer", CELL_PLAIN }, { "pool", "pool", CELL_PLAIN },
	{ "reason", "released because", CELL_PLAIN },
	{ "since", "since", CELL_TIME } };

static sat_rc
run_list(cli *c, sat_err *e)
{
	const char *limit = sat_args_get(&c->args, "limit");
	sat_json *q = sat_json_obj(), *doc = NULL;
	sat_rc rc;

	if (limit != NULL)
		sat_json_put_str(q, "limit", limit);
	rc = cli_ask(&doc, c, "GET", "/v1/pool", q, NULL, e);
	if (rc == SAT_OK)
		cli_print_or_none(c, doc, offered_cols, 5,
		    "no pool offers anything");
	sat_json_free(doc);
	sat_json_free(q);
	return rc;
}

static const sat_opt list_options[] = {
	{ "limit", 0, "N", "at most so many" },
	{ NULL, 0, NULL, NULL },
};

static sat_rc
ask_one(cli *c, const char *id, const char *verb, sat_json *body, sat_err *e)
{
	char *path = sat_xasprintf("/v1/accounts/%s/%s", id, verb);
	sat_json *doc = NULL;
	const sat_json *d;
	sat_rc rc = cli_ask(&doc, c, "POST", path, NULL, body, e);

	if (rc == SAT_OK && cli_is_json(c)) {
		cli_print_json(c, doc);
	} else if (rc == SAT_OK) {
		d = sat_json_get(doc, "data");
		cli_say(c, "%s %s: %s\n", verb,
		    sat_json_get_str(d, "number", id),
		    "waits for the server, which decides");
	}
	sat_json_free(doc);
	free(path);
	return rc;
}

static sat_rc
run_claim(cli *c, sat_err *e)
{
	cli_ids ids;
	sat_rc rc;

	if (c->args.nargs < 3)
		return sat_fail_code(e, SAT_EUSAGE, "usage",
		    "see: satchel pool list", "usage: satchel pool claim ID...");
	rc = cli_ids_get(&ids, c, 2, e);
	for (size_t i = 0; i < ids.n && rc == SAT_OK; i++)
		rc = ask_one(c, ids.id[i], "claim", NULL, e);
	cli_ids_fini(&ids);
	return rc;
}

static const sat_opt release_options[] = {
	{ "reason", 0, "TEXT", "why; whoever is offered the customer reads it" },
	{ "pool", 0, "KEY", "which pool (the first of its owner's team)" },
	{ NULL, 0, NULL, NULL },
};

static sat_rc
run_release(cli *c, sat_err *e)
{
	const char *reason = sat_args_get(&c->args, "reason");
	const char *pool = sat_args_get(&c->args, "pool");
	sat_json *body;
	sat_rc rc;

	if (c->args.nargs != 3 || reason == NULL)
		return sat_fail_code(e, SAT_EUSAGE, "usage", NULL,
		    "usage: satchel pool release ID --reason TEXT "
		    "[--pool KEY]");
	body = sat_json_obj();
	sat_json_put_str(body, "reason", reason);
	if (pool != NULL)
		sat_json_put_str(body, "pool", pool);
	rc = ask_one(c, c->args.arg[2], "release", body, e);
	sat_json_free(body);
	return rc;
}

static sat_rc
run_preview(cli *c, sat_err *e)
{
	static const cli_column cols[] = { { "number", "number", CELL_WHOLE },
		{ "title", "customer", CELL_PLAIN },
		{ "owner", "owner", CELL_PLAIN },
		{ "due", "taken back", CELL_TIME },
		{ "state", "state", CELL_PLAIN },
		{ "pool", "pool", CELL_PLAIN } };
	const char *as_of = sat_args_get(&c->args, "as-of");
	sat_json *q = sat_json_obj(), *doc = NULL;
	sat_rc rc;

	if (as_of != NULL)
		sat_json_put_str(q, "as_of", as_of);
	rc = cli_ask(&doc, c, "GET", "/v1/pool/preview", q, NULL, e);
	if (rc == SAT_OK)
		cli_print_or_none(c, doc, cols, 6,
		    "nothing would be taken back");
	sat_json_free(doc);
	sat_json_free(q);
	return rc;
}

static sat_rc
run_lease(cli *c, sat_err *e)
{
	static const cli_column cols[] = { { "number", "number", CELL_WHOLE },
		{ "title", "customer", CELL_PLAIN },
		{ "until", "kept until", CELL_TIME } };
	const char *text = c->args.nargs > 2 ? c->args.arg[2] : "";
	sat_json *body, *doc = NULL;
	char *end;
	long n = strtol(text, &end, 10);
	sat_rc rc;

	if (n < 1 || *end != '\0')
		return sat_fail_code(e, SAT_EUSAGE, "usage", NULL,
		    "usage: satchel pool lease N");
	body = sat_json_obj();
	sat_json_put_int(body, "count", n);
	rc = cli_ask(&doc, c, "POST", "/v1/pool/leases", NULL, body, e);
	if (rc == SAT_OK)
		cli_print_or_none(c, doc, cols, 3, "nothing could be kept");
	sat_json_free(doc);
	sat_json_free(body);
	return rc;
}

const cli_verb cli_pool_verbs[] = {
	{ "pool", "list", run_list, list_options, "pool list [--limit N]",
	    "customers that pools offer", NULL, false },
	{ "pool", "claim", run_claim, NULL, "pool claim ID...|-",
	    "ask for customers of a pool; the server decides",
	    "  satchel pool claim C202405001\n", false },
	{ "pool", "release", run_release, release_options,
	    "pool release ID --reason TEXT [--pool KEY]",
	    "give a customer to a pool",
	    "  satchel pool release C202405001 --reason \"no budget this year\"\n",
	    false },
	{ "pool", "lease", run_lease, NULL, "pool lease N",
	    "have N customers kept: claims of them offline hold",
	    "  satchel pool lease 5\n", false },
	{ "pool", "preview", run_preview, NULL, "pool preview [--as-of TIME]",
	    "what the rules would take back",
	    "  satchel pool preview --as-of 2026-12-31\n", false },
};
const size_t cli_pool_nverbs = sizeof cli_pool_verbs / sizeof cli_pool_verbs[0];
