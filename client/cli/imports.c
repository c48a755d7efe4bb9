/*
 * What surrounds an import: list, undo, audit, close, open.
 */
#include "client/cli/cli_int.h"

#include <stdlib.h>
#include <string.h>

static const sat_opt audit_options[] = {
	{ "sample", 0, "N", "how many records (20)" },
	{ "seed", 0, "S", "the same seed draws the same records (1)" },
	{ "pass", 0, "ROW", "this row of the sample is right" },
	{ "fail", 0, "ROW", "this one is wrong" },
	{ "wrong", 0, "KEYS", "what is wrong in the rows that failed" },
	{ NULL, 0, NULL, NULL },
};
static const sat_opt gate_options[] = {
	{ "reason", 0, "TEXT", "why; kept with it" },
	{ NULL, 0, NULL, NULL },
};

static sat_rc
run_list(cli *c, sat_err *e)
{
	static const cli_column cols[] = { { "id", "batch", CELL_ID },
		{ "at", "at", CELL_TIME }, { "kind", "kind", CELL_WHOLE },
		{ "file", "file", CELL_PLAIN }, { "source", "source", CELL_PLAIN },
		{ "rows", "rows", CELL_NUMBER },
		{ "created", "created", CELL_NUMBER },
		{ "updated", "updated", CELL_NUMBER },
		{ "errors", "refused", CELL_NUMBER },
		{ "by", "by", CELL_PLAIN },
		{ "undone_at", "undone", CELL_TIME } };
	sat_json *doc = NULL;
	sat_rc rc = cli_ask(&doc, c, "GET", "/v1/imports", NULL, NULL, e);

	if (rc == SAT_OK) {
		cli_print_or_none(c, doc, cols, sizeof cols / sizeof cols[0],
		    "nothing was imported\n");
		if (!sat_json_get_bool(doc, "open", true))
			cli_say(c, "the import of data is closed\n");
	}
	sat_json_free(doc);
	return rc;
}

static sat_rc
need_batch(const cli *c, sat_err *e)
{
	if (c->args.nargs >= 3)
		return SAT_OK;
	return sat_fail_code(e, SAT_EUSAGE, "usage", "see: satchel import list",
	    "name the batch: satchel import %s ID", c->args.arg[1]);
}

static sat_rc
run_undo(cli *c, sat_err *e)
{
	static const cli_column cols[] = { { "id", "left", CELL_ID },
		{ "kind", "kind", CELL_WHOLE }, { "title", "title", CELL_PLAIN },
		{ "why", "why", CELL_PLAIN } };
	sat_json *doc = NULL;
	char *path;
	sat_rc rc = need_batch(c, e);

	if (rc != SAT_OK)
		return rc;
	path = sat_xasprintf("/v1/imports/%s/undo", c->args.arg[2]);
	rc = cli_ask(&doc, c, "POST", path, NULL, NULL, e);
	free(path);
	if (doc != NULL && cli_format_of(c) != FMT_TABLE) {
		cli_print_json(c, doc);
	} else if (doc != NULL) {
		sat_buf_fmt(&c->out, "%lld deleted, %lld changed back, %lld left\n",
		    (long long)sat_json_get_int(doc, "deleted", 0),
		    (long long)sat_json_get_int(doc, "restored", 0),
		    (long long)sat_json_get_int(doc, "left", 0));
		if (sat_json_get_int(doc, "left", 0) > 0)
			cli_print_rows(c, doc, cols, 4);
	}
	sat_json_free(doc);
	return rc;
}

/* The rows an option names, each time it is given. SAT_EUSAGE. */
static sat_rc
put_rows(sat_json *body, const cli *c, const char *option, size_t *some,
    sat_err *e)
{
	sat_json *list = sat_json_put_arr(body, option);
	const char *v;
	size_t i = 0;

	while ((v = sat_args_next(&c->args, option, &i)) != NULL) {
		char *end;
		long n = strtol(v, &end, 10);

		if (end == v || *end != '\0' || n < 1)
			return sat_fail_code(e, SAT_EUSAGE, "usage.option",
			    "as the first column of the sample numbers them",
			    "--%s %.20s is no row", option, v);
		sat_json_add_int(list, n);
		(*some)++;
	}
	return SAT_OK;
}

static sat_rc
ask_sample(sat_json **doc, cli *c, sat_err *e)
{
	const char *fields = sat_args_get(&c->args, "wrong");
	sat_json *body = sat_json_obj();
	int64_t n, seed;
	size_t some = 0;
	char *path = NULL;
	sat_rc rc;

	if ((rc = sat_args_int(&n, &c->args, "sample", 20, e)) == SAT_OK &&
	    (rc = sat_args_int(&seed, &c->args, "seed", 1, e)) == SAT_OK &&
	    (rc = put_rows(body, c, "pass", &some, e)) == SAT_OK &&
	    (rc = put_rows(body, c, "fail", &some, e)) == SAT_OK) {
		sat_json_put_int(body, "n", n);
		sat_json_put_int(body, "seed", seed);
		if (fields != NULL)
			sat_json_put_str(body, "fields", fields);
		path = sat_xasprintf("/v1/imports/%s/sample", c->args.arg[2]);
		if (some > 0) {
			rc = cli_ask(doc, c, "POST", path, NULL, body, e);
		} else {
			sat_json *q = sat_json_obj();
			char text[24];

			(void)snprintf(text, sizeof text, "%lld", (long long)n);
			sat_json_put_str(q, "n", text);
			(void)snprintf(text, sizeof text, "%lld",
			    (long long)seed);
			sat_json_put_str(q, "seed", text);
			rc = cli_ask(doc, c, "GET", path, q, NULL, e);
			sat_json_free(q);
		}
	}
	free(path);
	sat_json_free(body);
	return rc;
}

static sat_rc
run_audit(cli *c, sat_err *e)
{
	static const cli_column cols[] = { { "row", "row", CELL_NUMBER },
		{ "id", "id", CELL_ID }, { "number", "number", CELL_WHOLE },
		{ "name", "name", CELL_PLAIN },
		{ "contact", "contact", CELL_PLAIN },
		{ "phone", "phone", CELL_WHOLE },
		{ "verdict", "verdict", CELL_PLAIN } };
	sat_json *doc = NULL;
	sat_rc rc = need_batch(c, e);

	if (rc == SAT_OK && (rc = ask_sample(&doc, c, e)) == SAT_OK) {
		cli_print_rows(c, doc, cols, sizeof cols / sizeof cols[0]);
		cli_say(c, "of %lld records; say what you found with --pass ROW, "
		    "--fail ROW\n",
		    (long long)sat_json_get_int(doc, "population", 0));
	}
	sat_json_free(doc);
	return rc;
}

static sat_rc
run_gate(cli *c, sat_err *e)
{
	const char *reason = sat_args_get(&c->args, "reason");
	bool close = strcmp(c->args.arg[1], "close") == 0;
	sat_json *body = sat_json_obj(), *doc = NULL;
	sat_rc rc;

	if (reason != NULL)
		sat_json_put_str(body, "reason", reason);
	rc = cli_ask(&doc, c, "POST", close ? "/v1/imports/close" :
	    "/v1/imports/open", NULL, body, e);
	if (rc == SAT_OK && cli_is_json(c))
		cli_print_json(c, doc);
	else if (rc == SAT_OK)
		cli_say(c, close ?
		    N_("the import is closed for everybody from the next sync on\n") :
		    N_("the import is open for everybody from the next sync on\n"));
	sat_json_free(body);
	sat_json_free(doc);
	return rc;
}

const cli_verb cli_import_verbs[] = {
	{ "import", "list", run_list, NULL, "import list",
	    "what was imported, when, by whom", NULL, false },
	{ "import", "undo", run_undo, NULL, "import undo ID",
	    "take back what a batch did, where nobody wrote since", NULL, false },
	{ "import", "audit", run_audit, audit_options,
	    "import audit ID [--sample N] [--seed S] [--pass ROW|--fail ROW]...",
	    "draw a sample of a batch and record what people found",
	    "  satchel import audit 06a1b2 --sample 50 --seed 7\n"
	    "  satchel import audit 06a1b2 --sample 50 --seed 7 --pass 1 --fail 2 "
	    "--wrong phone_main\n",
	    false },
	{ "import", "close", run_gate, gate_options,
	    "import close [--reason TEXT]",
	    "nobody imports any more (administrator)", NULL, false },
	{ "import", "open", run_gate, gate_options,
	    "import open [--reason TEXT]", "let people import again", NULL,
	    false },
};
const size_t cli_import_nverbs = sizeof cli_import_verbs /
    sizeof cli_import_verbs[0];
