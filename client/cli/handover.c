/*
 * handover, sync handover, inbox seen: what others suggest or did late, and
 * handing over own refused work.
 */
#include "client/cli/cli_int.h"

#include <stdlib.h>
#include <string.h>

/* "remark=late (now: -)", one after the other. */
static void
suggested_text(sat_buf *b, const cli *c, const sat_json *ops)
{
	static const cli_column value = { "value", "", CELL_PLAIN };
	static const cli_column now = { "now", "", CELL_PLAIN };
	sat_buf v = { 0 };

	for (const sat_json *o = sat_json_first(ops); o != NULL;
	     o = sat_json_next(o)) {
		const char *field = sat_json_get_str(o, "field", NULL);

		if (b->n > 0)
			sat_buf_str(b, ", ");
		if (field == NULL) {
			sat_buf_fmt(b, "%s %s", sat_json_get_str(o, "op", ""),
			    sat_json_get_str(o, "kind", ""));
			continue;
		}
		cli_cell_text(&v, c, o, &value, false);
		sat_buf_fmt(b, "%s=%s", field, sat_buf_cstr(&v));
		cli_cell_text(&v, c, o, &now, false);
		if (v.n > 0)
			sat_buf_fmt(b, " (now: %s)", sat_buf_cstr(&v));
	}
	sat_buf_fini(&v);
}

static sat_json *
with_texts(const cli *c, const sat_json *rows)
{
	sat_json *shown = sat_json_obj(), *data = sat_json_put_arr(shown, "data");

	for (const sat_json *r = sat_json_first(rows); r != NULL;
	     r = sat_json_next(r)) {
		sat_json *row = sat_json_dup(r);
		sat_buf b = { 0 };

		suggested_text(&b, c, sat_json_get(r, "ops"));
		sat_json_put_str(row, "texts", sat_buf_cstr(&b));
		sat_json_add(data, row);
		sat_buf_fini(&b);
	}
	return shown;
}

static const cli_column handover_cols[] = { { "key", "key", CELL_WHOLE },
	{ "kind", "kind", CELL_PLAIN }, { "title", "record", CELL_PLAIN },
	{ "by", "by", CELL_PLAIN }, { "made_at", "made at", CELL_TIME },
	{ "why", "why", CELL_PLAIN }, { "texts", "suggests", CELL_PLAIN } };

static sat_rc
run_list(cli *c, sat_err *e)
{
	sat_json *doc = NULL, *shown;
	sat_rc rc = cli_ask(&doc, c, "GET", "/v1/handovers", NULL, NULL, e);

	if (rc == SAT_OK && cli_is_json(c)) {
		cli_print_rows(c, doc, handover_cols, 0);
	} else if (rc == SAT_OK) {
		shown = with_texts(c, sat_json_get(doc, "data"));
		cli_print_or_none(c, shown, handover_cols, 7,
		    "nobody suggests anything");
		sat_json_free(shown);
	}
	sat_json_free(doc);
	return rc;
}

static sat_rc
need_key(const cli *c, sat_err *e)
{
	return c->args.nargs >= 3 ? SAT_OK : sat_fail_code(e, SAT_EUSAGE,
	    "usage", "see: satchel handover list",
	    "usage: satchel handover %s KEY", c->args.arg[1]);
}

static sat_rc
run_show(cli *c, sat_err *e)
{
	static const cli_column cols[] = { { "op", "what", CELL_PLAIN },
		{ "kind", "kind", CELL_PLAIN }, { "field", "field", CELL_WHOLE },
		{ "value", "suggested", CELL_PLAIN },
		{ "now", "now", CELL_PLAIN } };
	sat_json *doc = NULL, *rows;
	char *path;
	sat_rc rc = need_key(c, e);

	if (rc != SAT_OK)
		return rc;
	path = sat_xasprintf("/v1/handovers/%s", c->args.arg[2]);
	rc = cli_ask(&doc, c, "GET", path, NULL, NULL, e);
	if (rc == SAT_OK && cli_is_json(c)) {
		cli_print_json(c, doc);
	} else if (rc == SAT_OK) {
		rows = sat_json_obj();
		sat_json_put(rows, "data", sat_json_dup(sat_json_get(
		    sat_json_first(sat_json_get(doc, "data")), "ops")));
		cli_print_rows(c, rows, cols, 5);
		sat_json_free(rows);
	}
	sat_json_free(doc);
	free(path);
	return rc;
}

static sat_rc
answer(cli *c, const char *word, sat_json *body, sat_err *e)
{
	char *path = sat_xasprintf("/v1/handovers/%s/%s", c->args.arg[2], word);
	sat_json *doc = NULL;
	sat_rc rc = cli_ask(&doc, c, "POST", path, NULL, body, e);

	if (rc == SAT_OK && cli_is_json(c))
		cli_print_json(c, doc);
	else if (rc == SAT_OK)
		cli_say(c, "%s\n", sat_json_get_str(doc, "answer", ""));
	sat_json_free(doc);
	sat_json_free(body);
	free(path);
	return rc;
}

static const sat_opt accept_options[] = {
	{ "field", 0, "F", "only this field of it (all); again for more" },
	{ NULL, 0, NULL, NULL },
};

static sat_rc
run_accept(cli *c, sat_err *e)
{
	sat_json *body, *fields;
	const char *v;
	size_t i = 0;
	sat_rc rc = need_key(c, e);

	if (rc != SAT_OK)
		return rc;
	body = sat_json_obj();
	fields = sat_json_put_arr(body, "fields");
	while ((v = sat_args_next(&c->args, "field", &i)) != NULL)
		sat_json_add_str(fields, v);
	return answer(c, "accept", body, e);
}

static const sat_opt decline_options[] = {
	{ "reason", 0, "TEXT", "why; kept in the audit log" },
	{ NULL, 0, NULL, NULL },
};

static sat_rc
run_decline(cli *c, sat_err *e)
{
	sat_json *body;
	sat_rc rc = need_key(c, e);

	if (rc != SAT_OK)
		return rc;
	body = sat_json_obj();
	sat_json_put_str(body, "reason", sat_args_get(&c->args, "reason"));
	return answer(c, "decline", body, e);
}

static const sat_opt hand_options[] = {
	{ "note", 0, "TEXT", "what whoever decides should know" },
	{ NULL, 0, NULL, NULL },
};

static sat_rc
run_hand(cli *c, sat_err *e)
{
	const char *note = sat_args_get(&c->args, "note");
	sat_json *body, *doc = NULL;
	char *path;
	sat_rc rc;

	if (c->args.nargs < 3)
		return sat_fail_code(e, SAT_EUSAGE, "usage", NULL,
		    "usage: satchel sync handover ID [--note TEXT]");
	body = sat_json_obj();
	if (note != NULL)
		sat_json_put_str(body, "note", note);
	path = sat_xasprintf("/v1/quarantine/%s/handover", c->args.arg[2]);
	rc = cli_ask(&doc, c, "POST", path, NULL, body, e);
	if (doc != NULL && cli_is_json(c))
		cli_print_json(c, doc);
	else if (doc != NULL)
		cli_say(c, "%zu handed over with the next sync\n",
		    sat_json_count(sat_json_get(doc, "data")));
	sat_json_free(doc);
	sat_json_free(body);
	free(path);
	return rc;
}

static sat_rc
run_seen(cli *c, sat_err *e)
{
	sat_json *body = sat_json_obj(), *doc = NULL;
	sat_rc rc = SAT_OK;
	char *end;
	long long upto;

	if (c->args.nargs > 2) {
		upto = strtoll(c->args.arg[2], &end, 10);
		if (*end != '\0' || upto <= 0)
			rc = sat_fail_code(e, SAT_EUSAGE, "usage", NULL,
			    "usage: satchel inbox seen [LSN]");
		else
			sat_json_put_int(body, "upto", upto);
	}
	if (rc == SAT_OK)
		rc = cli_ask(&doc, c, "POST", "/v1/inbox/late/seen", NULL, body,
		    e);
	if (rc == SAT_OK && cli_is_json(c))
		cli_print_json(c, doc);
	sat_json_free(body);
	sat_json_free(doc);
	return rc;
}

const cli_verb cli_handover_verbs[] = {
	{ "inbox", "seen", run_seen, NULL, "inbox seen [LSN]",
	    "others' late edits were looked at (up to LSN)", NULL, false },
	{ "handover", "list", run_list, NULL, "handover list",
	    "work suggested by those who lost a customer", NULL, false },
	{ "handover", "show", run_show, NULL, "handover show KEY",
	    "one suggestion, field by field", NULL, false },
	{ "handover", "accept", run_accept, accept_options,
	    "handover accept KEY [--field F]...", "take it over, or some of it",
	    "  satchel handover accept 01m806vxxp --field remark\n", false },
	{ "handover", "decline", run_decline, decline_options,
	    "handover decline KEY --reason TEXT", "settle it without", NULL,
	    false },
	{ "sync", "handover", run_hand, hand_options,
	    "sync handover ID [--note TEXT]",
	    "hand a refused commit to whoever is responsible", NULL, false },
};
const size_t cli_handover_nverbs =
    sizeof cli_handover_verbs / sizeof cli_handover_verbs[0];
