/*
 * status: the state of this replica, once or as it changes.
 */
#include "client/cli/cli_int.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define WATCH_MS 1000

static const sat_opt status_options[] = {
	{ "check", 0, "WHAT", "exit 20 unless: synced, no-conflicts, no-pending" },
	{ "watch", 0, NULL, "again whenever it changes; with --check until it holds" },
	{ NULL, 0, NULL, NULL },
};

static void
put_ago(sat_buf *b, cli *c, const char *rfc3339)
{
	int64_t ms, s;

	if (rfc3339 == NULL || !sat_time_parse(&ms, rfc3339, 0)) {
		sat_buf_str(b, _("never"));
		return;
	}
	s = (sat_wall_ms(&c->api.crm.clock) - ms) / 1000;
	cli_time_text(b, c, rfc3339);
	if (s >= 0 && s < 120)
		sat_buf_fmt(b, _(" (%lld s ago)"), (long long)s);
	else if (s >= 0 && s < 7200)
		sat_buf_fmt(b, _(" (%lld min ago)"), (long long)(s / 60));
	else if (s >= 0 && s < 172800)
		sat_buf_fmt(b, _(" (%lld h ago)"), (long long)(s / 3600));
	else if (s >= 0)
		sat_buf_fmt(b, _(" (%lld days ago)"), (long long)(s / 86400));
}

/* Of the status document; a word this release does not know stays as it is. */
static const char *
state_word(const sat_json *d)
{
	static const char *const words[] = { N_("enrolling"), N_("incomplete"),
		N_("offline"), N_("live"), N_("syncing"), N_("revoked") };
	const char *state = sat_json_get_str(d, "state", "");

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (strcmp(state, words[i]) == 0)
			return sat_text(words[i]);
	return state;
}

/* On a terminal: what a person asks, zeros left out where they say nothing. */
static void
status_text(cli *c, const sat_json *d)
{
	const sat_json *p = sat_json_get(d, "pending");
	const sat_json *in = sat_json_get(d, "inbox");
	const sat_json *cur = sat_json_get(d, "cursor");
	const sat_json *t = sat_json_get(d, "template");
	sat_buf *b = &c->out;

	sat_buf_fmt(b, _("who           %s (%s), role %s\n"),
	    sat_json_get_str(d, "name", ""), sat_json_get_str(d, "user", ""),
	    sat_json_get_str(d, "role", ""));
	sat_buf_fmt(b, _("organisation  %s%s%s\n"),
	    sat_json_get_str(d, "organisation", ""),
	    sat_json_get_bool(d, "demo", false) ?
	    _(": demonstration data, nothing of it is real") : _(" at "),
	    sat_json_get_str(d, "server", ""));
	sat_buf_fmt(b, _("device        %lld, key %s, profile %s, %s\n"),
	    (long long)sat_json_get_int(d, "device_number", 0),
	    sat_json_get_str(d, "device", ""),
	    sat_json_get_str(d, "profile", ""), state_word(d));
	sat_buf_str(b, _("last sync     "));
	put_ago(b, c, sat_json_get_str(d, "last_sync", NULL));
	sat_buf_fmt(b, _("\nwaiting       %lld commits, %lld records\n"),
	    (long long)sat_json_get_int(p, "commits", 0),
	    (long long)sat_json_get_int(p, "records", 0));
	if (sat_json_get_int(p, "files", 0) > 0)
		sat_buf_fmt(b, _("files         %lld wait (%lld KiB), %lld of them "
		    "not wanted by the server, kept for a month\n"),
		    (long long)sat_json_get_int(p, "files", 0),
		    (long long)(sat_json_get_int(p, "file_bytes", 0) + 1023) /
		    1024, (long long)sat_json_get_int(p, "files_refused", 0));
	sat_buf_fmt(b, _("inbox         %lld conflicts, %lld refused, %lld suggested, %lld moved away\n"),
	    (long long)sat_json_get_int(in, "conflicts", 0),
	    (long long)sat_json_get_int(in, "rejected", 0),
	    (long long)sat_json_get_int(in, "handovers", 0),
	    (long long)sat_json_get_int(d, "moved", 0));
	sat_buf_fmt(b, _("log           %lld of %lld applied\n"),
	    (long long)sat_json_get_int(cur, "applied", 0),
	    (long long)sat_json_get_int(cur, "known", 0));
	sat_buf_fmt(b, _("template      %s (%.7s)\n"),
	    sat_json_get_str(t, "version", _("none yet")),
	    sat_json_get_str(t, "rev", ""));
	if (sat_json_get_int(d, "incomplete", 0) > 0)
		sat_buf_fmt(b, _("incomplete    %lld records lack a required field\n"),
		    (long long)sat_json_get_int(d, "incomplete", 0));
	if (sat_json_get_bool(d, "locked", false))
		sat_buf_str(b, _("locked        until the next sync; what waits is "
		    "kept\n"));
	if (sat_json_get_int(sat_json_get(d, "diverged"), "count", 0) > 0)
		sat_buf_fmt(b, _("diverged      %lld times, fetched again; if it goes "
		    "on, tell the administrator\n"), (long long)sat_json_get_int(
		    sat_json_get(d, "diverged"), "count", 0));
	if (sat_json_get_bool(d, "clock_suspect", false))
		sat_buf_str(b, _("clock         differs from the server's; check the time\n"));
}

/* Of a daemon that wiped its keys: nothing else is known. */
static bool
is_locked(const sat_json *doc)
{
	return !sat_json_get_bool(doc, "unlocked", true);
}

void
cli_print_status(cli *c, const sat_json *doc)
{
	if (cli_format_of(c) == FMT_TABLE && is_locked(doc))
		sat_buf_str(&c->out, _("locked        the daemon holds no key; "
		    "run: satchel unlock\n"));
	else if (cli_format_of(c) == FMT_TABLE)
		status_text(c, doc);
	else
		cli_print_object(c, doc);
}

/* SAT_EUSAGE: no such thing to check. */
static sat_rc
judge(bool *good, const sat_json *doc, const char *check, sat_err *e)
{
	const sat_json *p = sat_json_get(doc, "pending");
	const sat_json *cur = sat_json_get(doc, "cursor");
	bool sent = sat_json_get_int(p, "commits", 0) == 0;

	*good = true;
	if (check == NULL)
		return SAT_OK;
	if (strcmp(check, "no-conflicts") != 0 &&
	    strcmp(check, "no-pending") != 0 && strcmp(check, "synced") != 0)
		return sat_fail_code(e, SAT_EUSAGE, "usage.option",
		    "synced, no-conflicts or no-pending",
		    "--check %s is unknown", check);
	if (is_locked(doc))
		return sat_fail_code(e, SAT_ELOCKED, "daemon.locked",
		    "run: satchel unlock", "the daemon is locked");
	if (strcmp(check, "no-conflicts") == 0)
		*good = sat_json_get_int(sat_json_get(doc, "inbox"), "conflicts",
		            0) == 0;
	else if (strcmp(check, "no-pending") == 0)
		*good = sent;
	else
		*good = sent && sat_json_get_int(cur, "applied", 0) >=
		    sat_json_get_int(cur, "known", 0);
	return SAT_OK;
}

/* What is shown anew is what was shown differently. */
static void
show(cli *c, const sat_json *doc, sat_buf *last)
{
	sat_buf now = { 0 };

	sat_json_write(&now, doc, false);
	if (!sat_span_eq(sat_buf_span(&now), sat_buf_span(last))) {
		if (cli_format_of(c) == FMT_TABLE && c->tty_out)
			sat_buf_str(&c->out, "\033[H\033[J");
		if (c->format == FMT_JSON) /* one line each */
			c->format = FMT_JSONL;
		cli_print_status(c, doc);
		cli_flush(c);
	}
	sat_buf_reset(last);
	sat_buf_add(last, now.p, now.n);
	sat_buf_fini(&now);
}

/* Whoever keeps the replica open himself sees nobody else change it. */
static sat_rc
watch(cli *c, const char *check, sat_err *e)
{
	const struct timespec pause = { .tv_sec = WATCH_MS / 1000 };
	sat_buf last = { 0 };
	bool done = false;
	sat_rc rc = SAT_OK;

	if (c->socket == NULL)
		return sat_fail_code(e, SAT_EUSAGE, "usage.daemon",
		    "start it: satchel daemon",
		    "--watch needs the daemon: nobody else can change what "
		    "this process holds");
	while (rc == SAT_OK && !done && !cli_interrupted(c)) {
		sat_json *doc = NULL;

		if ((rc = cli_ask(&doc, c, "GET", "/v1/status", NULL, NULL,
		    e)) == SAT_OK &&
		    (rc = judge(&done, doc, check, e)) == SAT_OK) {
			show(c, doc, &last);
			done = done && check != NULL;
		}
		sat_json_free(doc);
		if (rc == SAT_OK && !done)
			(void)nanosleep(&pause, NULL);
	}
	sat_buf_fini(&last);
	return rc;
}

static sat_rc
run_status(cli *c, sat_err *e)
{
	const char *check = sat_args_get(&c->args, "check");
	sat_json *doc = NULL;
	bool good = true;
	sat_rc rc;

	if (sat_args_has(&c->args, "watch"))
		return watch(c, check, e);
	rc = cli_ask(&doc, c, "GET", "/v1/status", NULL, NULL, e);
	if (rc == SAT_OK) {
		cli_print_status(c, doc);
		rc = judge(&good, doc, check, e);
	}
	if (rc == SAT_OK && !good)
		rc = sat_fail(e, SAT_EFALSE, "the check %s is false", check);
	sat_json_free(doc);
	return rc;
}

const cli_verb cli_status_verbs[] = {
	{ "status", NULL, run_status, status_options,
	    "status [--check WHAT] [--watch]", "state of this replica",
	    "  satchel status --check synced --watch && satchel report run won\n",
	    false },
};
const size_t cli_status_nverbs =
    sizeof cli_status_verbs / sizeof cli_status_verbs[0];
