/*
 * sync pending, log, retry, discard: what waits, what was refused, and what a
 * person does about it.
 */
#include "client/cli/cli_int.h"

#include <stdlib.h>
#include <string.h>

static const cli_column commit_cols[] = { { "commit", "commit", CELL_WHOLE },
	{ "made_at", "made at", CELL_TIME }, { "subject", "record", CELL_ID } };

/* A column with every value beside the server's, for people. */
static void
changes_text(sat_buf *b, const cli *c, const sat_json *ops)
{
	for (const sat_json *o = sat_json_first(ops); o != NULL;
	     o = sat_json_next(o)) {
		const char *field = sat_json_get_str(o, "field", NULL);
		const cli_column yours = { "value", "", CELL_PLAIN };
		const cli_column theirs = { "server_value", "", CELL_PLAIN };
		sat_buf v = { 0 };

		if (b->n > 0)
			sat_buf_str(b, ", ");
		sat_buf_str(b, field != NULL ? field
		                             : sat_json_get_str(o, "op", ""));
		if (field != NULL) {
			cli_cell_text(&v, c, o, &yours, false);
			sat_buf_fmt(b, "=%s", sat_buf_cstr(&v));
			cli_cell_text(&v, c, o, &theirs, false);
			sat_buf_fmt(b, " (server: %s)",
			    v.n > 0 ? sat_buf_cstr(&v) : "-");
		}
		sat_buf_fini(&v);
	}
}

/* The rows with a member "changes", for tables. */
static sat_json *
with_changes(const cli *c, const sat_json *doc)
{
	sat_json *shown = sat_json_obj(), *data = sat_json_put_arr(shown, "data");

	for (const sat_json *r = sat_json_first(sat_json_get(doc, "data"));
	     r != NULL; r = sat_json_next(r)) {
		sat_json *row = sat_json_dup(r);
		sat_buf b = { 0 };

		changes_text(&b, c, sat_json_get(r, "ops"));
		sat_json_put_str(row, "changes", sat_buf_cstr(&b));
		sat_json_add(data, row);
		sat_buf_fini(&b);
	}
	return shown;
}

static const sat_opt pending_options[] = {
	{ "limit", 0, "N", "only the first N that wait (all)" },
	{ NULL, 0, NULL, NULL },
};

static sat_rc
run_pending(cli *c, sat_err *e)
{
	static const cli_column cols[] = { { "id", "refused", CELL_WHOLE },
		{ "code", "code", CELL_PLAIN }, { "hint", "hint", CELL_PLAIN },
		{ "changes", "yours (the server's)", CELL_PLAIN },
		{ "commit", "commit", CELL_WHOLE } };
	const char *limit = sat_args_get(&c->args, "limit");
	sat_json *doc = NULL, *q = NULL, *shown, *ask = sat_json_obj();
	sat_rc rc;

	if (limit != NULL)
		sat_json_put_str(ask, "limit", limit);
	rc = cli_ask(&doc, c, "GET", "/v1/sync/pending", ask, NULL, e);
	sat_json_free(ask);
	if (rc == SAT_OK)
		rc = cli_ask(&q, c, "GET", "/v1/quarantine", NULL, NULL, e);
	if (rc == SAT_OK && (cli_is_json(c))) {
		sat_json_put(doc, "refused", sat_json_dup(sat_json_get(q, "data")));
		cli_print_object(c, doc);
	} else if (rc == SAT_OK) {
		cli_print_or_none(c, doc, commit_cols, 3, "nothing waits");
		shown = with_changes(c, q);
		if (sat_json_count(sat_json_get(q, "data")) > 0)
			cli_print_rows(c, shown, cols, 5);
		sat_json_free(shown);
	}
	sat_json_free(doc);
	sat_json_free(q);
	return rc;
}

static const sat_opt log_options[] = {
	{ "limit", 0, "N", "at most so many (50)" },
	{ NULL, 0, NULL, NULL },
};

static sat_rc
run_sync_log(cli *c, sat_err *e)
{
	static const cli_column cols[] = { { "settled_at", "at", CELL_TIME },
		{ "fate", "what", CELL_PLAIN }, { "commit", "commit", CELL_WHOLE },
		{ "settled_by", "goes on as", CELL_WHOLE },
		{ "code", "code", CELL_PLAIN },
		{ "changes", "changes (the server's)", CELL_PLAIN } };
	const char *limit = sat_args_get(&c->args, "limit");
	sat_json *doc = NULL, *q = sat_json_obj(), *shown;
	sat_rc rc;

	if (limit != NULL)
		sat_json_put_str(q, "limit", limit);
	rc = cli_ask(&doc, c, "GET", "/v1/sync/log", q, NULL, e);
	if (rc == SAT_OK && cli_is_json(c)) {
		cli_print_json(c, doc);
	} else if (rc == SAT_OK) {
		shown = with_changes(c, doc);
		cli_print_or_none(c, shown, cols, 6, "nothing was settled");
		sat_json_free(shown);
	}
	sat_json_free(q);
	sat_json_free(doc);
	return rc;
}

static const sat_opt retry_options[] = {
	{ "set", 's', "K=V", "another value for a field of it" },
	{ "unset", 0, "K", "clear a field of it" },
	{ "dependants", 0, NULL, "also those that wait for what it creates" },
	{ NULL, 0, NULL, NULL },
};

static sat_rc
run_retry(cli *c, sat_err *e)
{
	sat_json *body, *set = NULL, *doc = NULL;
	size_t left;
	char *path;
	sat_rc rc;

	if (c->args.nargs < 3)
		return sat_fail_code(e, SAT_EUSAGE, "usage", NULL,
		    "usage: satchel sync retry ID [--set K=V]...");
	if ((rc = cli_body_of(&set, c, e)) != SAT_OK) {
		sat_json_free(set);
		return rc;
	}
	body = sat_json_obj();
	sat_json_put(body, "set", set);
	sat_json_put_bool(body, "dependants",
	    sat_args_has(&c->args, "dependants"));
	path = sat_xasprintf("/v1/quarantine/%s/retry", c->args.arg[2]);
	rc = cli_ask(&doc, c, "POST", path, NULL, body, e);
	if (doc != NULL && cli_is_json(c)) {
		cli_print_json(c, doc);
	} else if (doc != NULL) {
		left = sat_json_count(sat_json_get(doc, "dependants"));
		cli_say(c, "%zu saved again; it goes with the next sync\n",
		    sat_json_count(sat_json_get(doc, "data")));
		if (left > 0)
			cli_say(c, "%zu wait for it: satchel sync pending\n",
			    left);
	}
	sat_json_free(doc);
	sat_json_free(body);
	free(path);
	return rc;
}

static const sat_opt discard_options[] = {
	{ "reason", 0, "TEXT", "why; kept in the audit log" },
	{ "dependants", 0, NULL, "also those that wait for what it creates" },
	{ NULL, 0, NULL, NULL },
};

static sat_rc
run_discard(cli *c, sat_err *e)
{
	const char *reason = sat_args_get(&c->args, "reason");
	sat_json *body, *doc = NULL;
	char *path;
	sat_rc rc;

	if (c->args.nargs < 3)
		return sat_fail_code(e, SAT_EUSAGE, "usage", NULL,
		    "usage: satchel sync discard ID --reason TEXT");
	body = sat_json_obj();
	sat_json_put_str(body, "reason", reason);
	sat_json_put_bool(body, "dependants",
	    sat_args_has(&c->args, "dependants"));
	path = sat_xasprintf("/v1/quarantine/%s", c->args.arg[2]);
	rc = cli_ask(&doc, c, "DELETE", path, NULL, body, e);
	if (rc == SAT_OK && cli_is_json(c))
		cli_print_json(c, doc);
	else if (rc == SAT_OK)
		cli_say(c, "discarded; the audit log keeps the reason\n");
	sat_json_free(doc);
	sat_json_free(body);
	free(path);
	return rc;
}

const cli_verb cli_refused_verbs[] = {
	{ "sync", "pending", run_pending, pending_options,
	    "sync pending [--limit N]",
	    "what waits for the server, and what it refused", NULL, false },
	{ "sync", "log", run_sync_log, log_options, "sync log [--limit N]",
	    "what became of refused commits", NULL, false },
	{ "sync", "retry", run_retry, retry_options,
	    "sync retry ID [--set K=V]...",
	    "save a refused commit again, corrected",
	    "  satchel sync retry 3 --set phone_main=13812345678\n", false },
	{ "sync", "discard", run_discard, discard_options,
	    "sync discard ID --reason TEXT", "drop a refused commit", NULL, false },
};
const size_t cli_refused_nverbs =
    sizeof cli_refused_verbs / sizeof cli_refused_verbs[0];
