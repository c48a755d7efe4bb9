/*
 * sync: what passes between this device and the others.
 */
#include "client/cli/cli_int.h"

#include <stdlib.h>
#include <string.h>

static const sat_opt sync_options[] = {
	{ "once", 0, NULL, "one exchange (default)" },
	{ "push-only", 0, NULL, "only send" },
	{ "pull-only", 0, NULL, "only receive" },
	{ NULL, 0, NULL, NULL },
};

/* What went over, in words; zeros are not worth a line. */
static void
print_sync(cli *c, const sat_json *doc)
{
	static const struct {
		const char *key, *word;
	} parts[] = { { "pushed", "sent" }, { "late", "late" },
		{ "conflicts", "in conflict" }, { "rejected", "refused" },
		{ "commits", "commits received" },
		{ "records", "records received" },
		{ "rescopes", "customers came or went" } };
	size_t said = 0;

	if (c->quiet && !cli_is_json(c))
		return;
	if (cli_format_of(c) != FMT_TABLE) {
		cli_print_object(c, doc);
		return;
	}
	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
		int64_t n = sat_json_get_int(doc, parts[i].key, 0);

		if (n > 0)
			sat_buf_fmt(&c->out, "%s%lld %s", said++ > 0 ? ", " : "",
			    (long long)n, parts[i].word);
	}
	if (sat_json_get_bool(doc, "template_changed", false))
		sat_buf_fmt(&c->out, "%sa new template", said++ > 0 ? ", " : "");
	sat_buf_fmt(&c->out, "%s (%lld ms)\n", said > 0 ? "" : "nothing new",
	    (long long)sat_json_get_int(doc, "ms", 0));
	if (sat_json_get_int(doc, "conflicts", 0) > 0)
		cli_say(c, "see: satchel conflict list\n");
	if (sat_json_get_int(doc, "rejected", 0) > 0)
		cli_say(c, "see: satchel sync pending\n");
}

static sat_rc
run_sync(cli *c, sat_err *e)
{
	const char *timeout = sat_args_get(&c->args, "timeout");
	bool push = sat_args_has(&c->args, "push-only");
	bool pull = sat_args_has(&c->args, "pull-only");
	sat_json *body, *doc = NULL;
	int64_t ms = 15000;
	sat_rc rc;

	if (timeout != NULL &&
	    (!sat_duration_parse(&ms, timeout) || ms < 1 || ms > 3600000))
		return sat_fail_code(e, SAT_EUSAGE, "usage.option",
		    "for example 10s, at most 1h", "--timeout is no duration");
	if (push && pull)
		return sat_fail_code(e, SAT_EUSAGE, "usage.option", NULL,
		    "--push-only and --pull-only leave nothing to do");
	c->api.sync.timeout_ms = (int)ms;
	c->api.sync.retries = 2;
	c->lines = c->format == FMT_JSONL;
	body = sat_json_obj();
	if (push || pull)
		sat_json_put_str(body, "only", push ? "push" : "pull");
	rc = cli_ask(&doc, c, "POST", "/v1/sync/run", NULL, body, e);
	cli_progress_end(c);
	if (doc != NULL)
		print_sync(c, doc);
	sat_json_free(body);
	sat_json_free(doc);
	return rc;
}

static const cli_column commit_cols[] = { { "commit", "commit", CELL_WHOLE },
	{ "made_at", "made at", CELL_TIME }, { "subject", "record", CELL_ID } };

static sat_rc
run_sync_pending(cli *c, sat_err *e)
{
	static const cli_column refused[] = { { "id", "refused", CELL_WHOLE },
		{ "commit", "commit", CELL_WHOLE }, { "code", "code", CELL_PLAIN },
		{ "hint", "hint", CELL_PLAIN } };
	sat_json *doc = NULL, *q = NULL;
	sat_rc rc = cli_ask(&doc, c, "GET", "/v1/sync/pending", NULL, NULL, e);

	if (rc == SAT_OK)
		rc = cli_ask(&q, c, "GET", "/v1/quarantine", NULL, NULL, e);
	if (rc == SAT_OK && (cli_is_json(c))) {
		sat_json_put(doc, "refused", sat_json_dup(sat_json_get(q, "data")));
		cli_print_object(c, doc);
	} else if (rc == SAT_OK) {
		cli_print_or_none(c, doc, commit_cols, 3, "nothing waits");
		if (sat_json_count(sat_json_get(q, "data")) > 0)
			cli_print_rows(c, q, refused, 4);
	}
	sat_json_free(doc);
	sat_json_free(q);
	return rc;
}

static const sat_opt discard_options[] = {
	{ "reason", 0, "TEXT", "why; kept in the audit log" },
	{ NULL, 0, NULL, NULL },
};

static sat_rc
run_sync_discard(cli *c, sat_err *e)
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

const cli_verb cli_exchange_verbs[] = {
	{ "sync", NULL, run_sync, sync_options, "sync [--push-only|--pull-only]",
	    "exchange with the server", NULL, false },
	{ "sync", "pending", run_sync_pending, NULL, "sync pending",
	    "what waits for the server, and what it refused", NULL, false },
	{ "sync", "discard", run_sync_discard, discard_options,
	    "sync discard ID --reason TEXT", "drop a refused commit", NULL, false },
};
const size_t cli_exchange_nverbs =
    sizeof cli_exchange_verbs / sizeof cli_exchange_verbs[0];
