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
	if (rc == SAT_OK && !cli_is_json(c) &&
	    sat_json_count(sat_json_get(doc, "requests")) > 0)
		cli_say(c, "and %zu requests: satchel privacy requests\n",
		    sat_json_count(sat_json_get(doc, "requests")));
	sat_json_free(doc);
	return rc;
}

static const cli_column request_columns[] = {
	{ "id", "ID", CELL_WHOLE }, { "asks_for", "ASKS FOR", CELL_PLAIN },
	{ "state", "STATE", CELL_PLAIN }, { "due_at", "DUE", CELL_TIME },
	{ "account", "CUSTOMER", CELL_ID }, { "note", "NOTE", CELL_PLAIN },
	{ "outcome", "OUTCOME", CELL_PLAIN },
	{ "answered_by", "BY", CELL_PLAIN },
};
static const cli_column due_columns[] = {
	{ "class", "CLASS", CELL_PLAIN }, { "retention_d", "DAYS", CELL_NUMBER },
	{ "kind", "KIND", CELL_PLAIN }, { "id", "ID", CELL_WHOLE },
	{ "title", "TITLE", CELL_PLAIN }, { "owner", "OWNER", CELL_PLAIN },
	{ "hold", "HELD", CELL_PLAIN },
};
static const cli_column retention_columns[] = {
	{ "class", "CLASS", CELL_PLAIN }, { "retention_d", "DAYS", CELL_NUMBER },
	{ "state", "STATE", CELL_PLAIN }, { "kind", "KIND", CELL_PLAIN },
	{ "id", "ID", CELL_WHOLE }, { "title", "TITLE", CELL_PLAIN },
};

/* Rules of the policy that cannot be read. */
static void
say_failed(cli *c, const sat_json *doc)
{
	const sat_json *n = sat_json_first(sat_json_get(doc, "failed"));

	for (; n != NULL && cli_format_of(c) == FMT_TABLE; n = sat_json_next(n))
		cli_say(c, "%s failed: %s\n", sat_json_get_str(n, "class", ""),
		    sat_json_get_str(n, "why", ""));
}

static sat_rc
run_table(cli *c, sat_err *e)
{
	bool due = strcmp(c->args.arg[1], "due") == 0;
	sat_json *doc = NULL;
	sat_rc rc = cli_ask(&doc, c, "GET", due ? "/v1/privacy/due" :
	    "/v1/privacy/requests", NULL, NULL, e);

	if (rc == SAT_OK)
		cli_print_rows(c, doc, due ? due_columns : request_columns,
		    due ? sizeof due_columns / sizeof due_columns[0] :
		    sizeof request_columns / sizeof request_columns[0]);
	if (rc == SAT_OK)
		say_failed(c, doc);
	sat_json_free(doc);
	return rc;
}

static sat_rc
post(cli *c, const char *path, sat_json *body, sat_err *e)
{
	sat_json *doc = NULL;
	sat_rc rc = cli_ask(&doc, c, "POST", path, NULL, body, e);

	if (rc == SAT_OK && cli_is_json(c))
		cli_print_json(c, doc);
	else if (rc == SAT_OK && sat_json_get(doc, "file") != NULL)
		cli_say(c, "%lld records: %s and %s.txt\n",
		    (long long)sat_json_get_int(doc, "records", 0),
		    sat_json_get_str(doc, "file", ""),
		    sat_json_get_str(doc, "file", ""));
	else if (rc == SAT_OK)
		sat_buf_fmt(&c->out, "%s\n", sat_json_get_str(sat_json_get(doc,
		    "data"), "id", ""));
	sat_json_free(doc);
	return rc;
}

static bool
is_state(const sat_json *row, const char *state)
{
	return strcmp(sat_json_get_str(row, "state", ""), state) == 0;
}

/* Row by row: what was decided stays decided when the link breaks. */
static sat_rc
carry_out(cli *c, const sat_json *rows, sat_json *done, sat_err *e)
{
	const sat_json *n = sat_json_first(rows);
	sat_rc rc = SAT_OK;

	for (; n != NULL && rc == SAT_OK; n = sat_json_next(n)) {
		bool confirm = is_state(n, "confirm");
		sat_json *body, *doc = NULL;
		char *path;

		if (!confirm && !is_state(n, "due"))
			continue;
		body = sat_json_obj();
		sat_json_put_bool(body, "confirm", confirm);
		path = sat_xasprintf("/v1/privacy/retention/%s",
		    sat_json_get_str(n, "id", ""));
		rc = cli_ask(&doc, c, "POST", path, NULL, body, e);
		if (rc == SAT_OK) {
			sat_json *row = sat_json_add_obj(done);

			sat_json_put_str(row, "id",
			    sat_json_get_str(doc, "id", ""));
			sat_json_put_str(row, "state",
			    sat_json_get_str(doc, "state", ""));
		}
		sat_json_free(doc);
		sat_json_free(body);
		free(path);
	}
	return rc;
}

static size_t
count_state(const sat_json *rows, const char *state)
{
	const sat_json *n = sat_json_first(rows);
	size_t count = 0;

	for (; n != NULL; n = sat_json_next(n))
		count += is_state(n, state) ? 1 : 0;
	return count;
}

static sat_rc
run_it(cli *c, const sat_json *list, sat_err *e)
{
	const sat_json *rows = sat_json_get(list, "data");
	size_t ask = count_state(rows, "due"), second = count_state(rows,
	    "confirm");
	sat_json *doc, *done;
	char *question;
	sat_rc rc = SAT_OK;

	question = sat_xasprintf(_("Ask for the erasure of %zu, and "
	    "erase %zu others asked for everywhere, for good?"), ask,
	    second);
	if (ask + second > 0)
		rc = cli_confirm(c, question, e);
	free(question);
	if (rc != SAT_OK)
		return rc;
	doc = sat_json_obj();
	sat_json_put_str(doc, "schema", "satchel/privacy.retention.run/1");
	sat_json_put(doc, "failed", sat_json_dup(sat_json_get(list,
	    "failed")));
	done = sat_json_put_arr(doc, "data");
	rc = carry_out(c, rows, done, e);
	if (cli_is_json(c) && rc == SAT_OK)
		cli_print_json(c, doc);
	else if (!cli_is_json(c))
		cli_say(c, "%zu asked for, %zu erased, %zu held\n",
		    count_state(done, "asked"), count_state(done, "erased"),
		    count_state(rows, "hold"));
	sat_json_free(doc);
	return rc;
}

/* privacy retention [run] */
static sat_rc
run_retention(cli *c, sat_err *e)
{
	bool run = c->args.nargs > 2;
	sat_json *doc = NULL;
	sat_rc rc;

	if (run && strcmp(c->args.arg[2], "run") != 0)
		return sat_fail(e, SAT_EUSAGE, "privacy retention, or privacy "
		    "retention run");
	rc = cli_ask(&doc, c, "GET", "/v1/privacy/retention", NULL, NULL, e);
	if (rc == SAT_OK && !(run && cli_is_json(c)))
		cli_print_rows(c, doc, retention_columns,
		    sizeof retention_columns / sizeof retention_columns[0]);
	if (rc == SAT_OK)
		say_failed(c, doc);
	if (rc == SAT_OK && run)
		rc = run_it(c, doc, e);
	sat_json_free(doc);
	return rc;
}

static void
put_flag(sat_json *body, const cli *c, const char *flag, const char *key)
{
	if (sat_args_get(&c->args, flag) != NULL)
		sat_json_put_str(body, key, sat_args_get(&c->args, flag));
}

static sat_rc
run_access(cli *c, sat_err *e)
{
	const char *to = sat_args_get(&c->args, "output"), *id;
	sat_json *body;
	sat_rc rc = cli_need_id(c, &id, e);

	if (rc == SAT_OK && (to == NULL || strcmp(to, "-") == 0))
		rc = sat_fail_code(e, SAT_EUSAGE, "usage", "-o FILE",
		    "say where it is to be written");
	if (rc != SAT_OK)
		return rc;
	body = sat_json_obj();
	sat_json_put_str(body, "id", id);
	put_flag(body, c, "output", "file");
	put_flag(body, c, "note", "note");
	rc = post(c, "/v1/privacy/access", body, e);
	sat_json_free(body);
	return rc;
}

static sat_rc
run_correct(cli *c, sat_err *e)
{
	sat_json *body, *set = NULL;
	const char *id;
	sat_rc rc = cli_need_id(c, &id, e);

	if (rc == SAT_OK)
		rc = cli_body_of(&set, c, e);
	if (rc == SAT_OK) {
		body = sat_json_obj();
		sat_json_put_str(body, "id", id);
		put_flag(body, c, "note", "note");
		sat_json_put(body, "set", set);
		set = NULL;
		rc = post(c, "/v1/privacy/correct", body, e);
		sat_json_free(body);
	}
	sat_json_free(set);
	return rc;
}

static sat_rc
run_answer(cli *c, sat_err *e)
{
	const char *id;
	sat_json *body;
	char *path;
	sat_rc rc = cli_need_id(c, &id, e);

	if (rc != SAT_OK)
		return rc;
	body = sat_json_obj();
	put_flag(body, c, "outcome", "outcome");
	if (sat_args_has(&c->args, "refuse"))
		sat_json_put_bool(body, "refused", true);
	path = sat_xasprintf("/v1/privacy/requests/%s/answer", id);
	rc = post(c, path, body, e);
	free(path);
	sat_json_free(body);
	return rc;
}

/* How many go with this customer, when his whole id is given. */
static size_t
count_with(const sat_json *doc, const char *id)
{
	const sat_json *n = sat_json_first(sat_json_get(doc, "data"));
	size_t count = 0;

	for (; n != NULL; n = sat_json_next(n))
		count += is_state(n, "asked") && strcmp(sat_json_get_str(n,
		    "with", ""), id) == 0;
	return count;
}

static sat_rc
sure(cli *c, const char *id, sat_err *e)
{
	sat_json *doc = NULL;
	char *question;
	size_t n;
	sat_rc rc = cli_ask(&doc, c, "GET", "/v1/privacy", NULL, NULL, e);

	n = rc == SAT_OK ? count_with(doc, id) : 0;
	sat_json_free(doc);
	if (rc != SAT_OK)
		return rc;
	if (n == 0)
		return cli_confirm(c, "Erase this customer everywhere, "
		    "for good?", e);
	question = sat_xasprintf(_("Erase this customer, and %zu visits or "
	    "leads that were found to be his, everywhere, for good?"), n);
	rc = cli_confirm(c, question, e);
	free(question);
	return rc;
}

/* What stands for itself and was found to be his. */
static void
say_with(cli *c, const sat_json *doc)
{
	const sat_json *with = sat_json_get(doc, "with");
	const sat_json *n = sat_json_first(with);

	if (sat_json_type(with) == SAT_J_NULL)
		cli_say(c, "visits and leads found to be his were not looked "
		    "for: headquarters' device has them; ask there\n");
	for (; n != NULL; n = sat_json_next(n))
		cli_say(c, "with it: %s %s: %s\n",
		    sat_json_get_str(n, "kind", "record"),
		    sat_json_get_str(n, "id", ""),
		    sat_json_get_str(n, "state", ""));
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
	if (confirm && (rc = sure(c, id, e)) != SAT_OK)
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
	if (rc == SAT_OK && !cli_is_json(c))
		say_with(c, doc);
	sat_json_free(doc);
	sat_json_free(body);
	return rc;
}

static const sat_opt erase_options[] = {
	{ "reason", 0, "TEXT", "the request this follows; no personal data" },
	{ NULL, 0, NULL, NULL },
};

static const sat_opt access_options[] = {
	{ "output", 'o', "FILE", "JSON; FILE.txt is for people" },
	{ "note", 0, "TEXT", "who asked, how he proved who he is" },
	{ NULL, 0, NULL, NULL },
};
static const sat_opt correct_options[] = {
	{ "note", 0, "TEXT", "what was asked" },
	{ "set", 0, "K=V", "correct it now; may be repeated" },
	{ NULL, 0, NULL, NULL },
};
static const sat_opt answer_options[] = {
	{ "outcome", 0, "TEXT", "what was done, or why not" },
	{ "refuse", 0, NULL, "it was refused" },
	{ NULL, 0, NULL, NULL },
};

const cli_verb cli_privacy_verbs[] = {
	{ "privacy", "access", run_access, access_options,
	    "privacy access ID -o FILE [--note T]",
	    "a copy of everything about a customer", NULL, false },
	{ "privacy", "correct", run_correct, correct_options,
	    "privacy correct ID --note T [--set K=V...]",
	    "a person asks for a correction; due in time", NULL, false },
	{ "privacy", "requests", run_table, NULL, "privacy requests",
	    "what people asked for, by due date", NULL, false },
	{ "privacy", "answer", run_answer, answer_options,
	    "privacy answer REQUEST --outcome T [--refuse]",
	    "a request is answered", NULL, false },
	{ "privacy", "due", run_table, NULL, "privacy due",
	    "what is kept longer than the policy says", NULL, false },
	{ "privacy", "retention", run_retention, NULL, "privacy retention [run]",
	    "the same, and how far it is; run: erase (hq, admin)",
	    NULL, false },
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
