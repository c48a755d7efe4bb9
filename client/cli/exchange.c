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
	{ "dry-run", 0, NULL, "say what would be sent, ask nobody" },
	{ "full", 0, NULL, "compare everything that is held with the server" },
	{ "watch", 0, NULL, "stay connected: exchange as soon as there is news" },
	{ NULL, 0, NULL, NULL },
};

/* What went over, in words; zeros are not worth a line. */
static void
print_sync(cli *c, const sat_json *doc)
{
	static const struct {
		const char *key, *word;
	} parts[] = { { "pushed", N_("sent") }, { "late", N_("late") },
		{ "conflicts", N_("in conflict") }, { "rejected", N_("refused") },
		{ "handed_over", N_("handed over") },
		{ "commits", N_("commits received") },
		{ "records", N_("records received") },
		{ "rescopes", N_("customers came or went") },
		{ "refetched", N_("ranges fetched again") } };
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
			sat_buf_fmt(&c->out, "%s%lld %s", said++ > 0 ? _(", ") : "",
			    (long long)n, sat_text(parts[i].word));
	}
	if (sat_json_get_bool(doc, "dry_run", false)) {
		sat_buf_str(&c->out, said > 0 ? _(" waits to be sent\n") :
		    _("nothing waits to be sent\n"));
		return;
	}
	if (sat_json_get_bool(doc, "template_changed", false))
		sat_buf_fmt(&c->out, _("%sa new template"), said++ > 0 ? _(", ") : "");
	sat_buf_fmt(&c->out, _("%s (%lld ms)\n"), said > 0 ? "" : _("nothing new"),
	    (long long)sat_json_get_int(doc, "ms", 0));
	if (sat_json_get_int(doc, "conflicts", 0) > 0)
		cli_say(c, "see: satchel conflict list\n");
	if (sat_json_get_int(doc, "rejected", 0) > 0)
		cli_say(c, "see: satchel sync pending\n");
}

/* Until interrupted; each exchange is a line (cli_event). */
static sat_rc
run_watch(cli *c, sat_err *e)
{
	sat_json *doc = NULL;
	sat_rc rc = cli_ask(&doc, c, "POST", "/v1/sync/watch", NULL, NULL, e);

	cli_progress_end(c);
	sat_json_free(doc);
	return rc;
}

void
cli_synced(cli *c, const sat_json *line)
{
	cli_progress_end(c);
	if (c->quiet && !cli_is_json(c))
		return;
	if (cli_is_json(c)) {
		sat_json_write(&c->out, line, false);
		sat_buf_str(&c->out, "\n");
	} else {
		print_sync(c, line);
	}
	cli_flush(c);
}

static sat_rc
run_sync(cli *c, sat_err *e)
{
	const char *timeout = cli_choice(c, "timeout", NULL, "sync.timeout");
	bool push = sat_args_has(&c->args, "push-only");
	bool pull = sat_args_has(&c->args, "pull-only");
	sat_json *body, *doc = NULL;
	int64_t ms = 15000;
	sat_rc rc;

	if (timeout != NULL &&
	    (!sat_duration_parse(&ms, timeout) || ms < 1 || ms > 3600000))
		return sat_fail_code(e, SAT_EUSAGE, "usage.option",
		    "for example 10s, at most 1h", "--timeout is no duration");
	if (sat_args_has(&c->args, "watch") && (push || pull ||
	    sat_args_has(&c->args, "dry-run") || sat_args_has(&c->args, "full")))
		return sat_fail_code(e, SAT_EUSAGE, "usage.option", NULL,
		    "--watch exchanges both ways, and takes no other option");
	if (push && pull)
		return sat_fail_code(e, SAT_EUSAGE, "usage.option", NULL,
		    "--push-only and --pull-only leave nothing to do");
	c->lines = c->format == FMT_JSONL;
	if (sat_args_has(&c->args, "watch"))
		return run_watch(c, e);
	body = sat_json_obj();
	sat_json_put_int(body, "timeout_ms", ms);
	sat_json_put_int(body, "retries", 2);
	if (push || pull)
		sat_json_put_str(body, "only", push ? "push" : "pull");
	if (sat_args_has(&c->args, "dry-run"))
		sat_json_put_bool(body, "dry_run", true);
	if (sat_args_has(&c->args, "full"))
		sat_json_put_bool(body, "full", true);
	rc = cli_ask(&doc, c, "POST", "/v1/sync/run", NULL, body, e);
	cli_progress_end(c);
	if (doc != NULL)
		print_sync(c, doc);
	sat_json_free(body);
	sat_json_free(doc);
	return rc;
}

const cli_verb cli_exchange_verbs[] = {
	{ "sync", NULL, run_sync, sync_options, "sync [--push-only|--pull-only|--dry-run|--full|--watch]",
	    "exchange with the server", NULL, false },
};
const size_t cli_exchange_nverbs =
    sizeof cli_exchange_verbs / sizeof cli_exchange_verbs[0];
