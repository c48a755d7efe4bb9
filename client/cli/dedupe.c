/*
 * Customers that may be one, and making one of two.
 */
#include "client/cli/cli_int.h"

#include <stdlib.h>
#include <string.h>

/* ---- merge ------------------------------------------------------------------------- */

const sat_opt cli_merge_options[] = {
	{ "choose", 0, "F=WHO", "whose value a field keeps: loser or winner" },
	{ NULL, 0, NULL, NULL },
};

/* --choose F=WHO ... into the body. */
static sat_rc
put_choices(sat_json *body, cli *c, sat_err *e)
{
	sat_json *choose = sat_json_put_obj(body, "choose");
	const char *v, *eq;
	size_t i = 0;

	while ((v = sat_args_next(&c->args, "choose", &i)) != NULL) {
		char key[64];

		eq = strchr(v, '=');
		if (eq == NULL || eq == v || (size_t)(eq - v) >= sizeof key)
			return sat_fail_code(e, SAT_EUSAGE, "usage.option", NULL,
			    "--choose FIELD=loser or FIELD=winner");
		(void)snprintf(key, sizeof key, "%.*s", (int)(eq - v), v);
		sat_json_put_str(choose, key, eq + 1);
	}
	return SAT_OK;
}

static void
say_merged(cli *c, const sat_json *doc)
{
	const sat_json *r = sat_json_get(doc, "data");

	if (cli_is_json(c)) {
		cli_print_json(c, doc);
		return;
	}
	cli_say(c, "%s %s\n", sat_json_get_str(r, "number", ""),
	    sat_json_get_str(r, "name", ""));
	if (sat_json_get_bool(r, "conflict", false))
		cli_say(c, "values differ: satchel conflict list\n");
	if (sat_json_get_bool(doc, "owners_differ", false))
		cli_say(c, "both owners keep it until one is named: "
		    "satchel account assign %s --to USER\n",
		    sat_json_get_str(r, "number", "ID"));
	if (sat_json_get_int(doc, "kept", 0) > 0)
		cli_say(c, "%lld fields of the other one stay as they are\n",
		    (long long)sat_json_get_int(doc, "kept", 0));
}

static sat_rc
ask_merge(cli *c, const char *path, sat_json *body, sat_err *e)
{
	sat_json *doc = NULL;
	sat_rc rc = cli_ask(&doc, c, "POST", path, NULL, body, e);

	if (rc == SAT_OK)
		say_merged(c, doc);
	sat_json_free(doc);
	return rc;
}

sat_rc
cli_merge(cli *c, sat_err *e)
{
	sat_json *body;
	char *path;
	sat_rc rc;

	if (c->args.nargs != 4)
		return sat_fail_code(e, SAT_EUSAGE, "usage", NULL,
		    "usage: satchel account merge LOSER WINNER");
	body = sat_json_obj();
	path = cli_record_path(c, c->args.arg[2], "merge");
	sat_json_put_str(body, "into", c->args.arg[3]);
	if ((rc = put_choices(body, c, e)) == SAT_OK)
		rc = ask_merge(c, path, body, e);
	sat_json_free(body);
	free(path);
	return rc;
}

sat_rc
cli_unmerge(cli *c, sat_err *e)
{
	const char *id;
	char *path;
	sat_rc rc = cli_need_id(c, &id, e);

	if (rc != SAT_OK)
		return rc;
	path = cli_record_path(c, id, "unmerge");
	rc = ask_merge(c, path, NULL, e);
	free(path);
	return rc;
}

/* ---- dedupe ------------------------------------------------------------------------ */

static const cli_column pair_cols[] = { { "key", "pair", CELL_WHOLE },
	{ "score", "score", CELL_NUMBER }, { "strength", "how", CELL_SAID },
	{ "same", "same", CELL_PLAIN }, { "a.number", "number", CELL_WHOLE },
	{ "a.title", "customer", CELL_PLAIN },
	{ "other", "and", CELL_PLAIN }, { "owner", "owned by", CELL_PLAIN } };

/* What a table needs beside the members of a pair. */
static sat_json *
table_row(const cli *c, const sat_json *r)
{
	static const cli_column by = { "by", "", CELL_FIELD };
	sat_json *row = sat_json_dup(r);
	const sat_json *b = sat_json_get(r, "b");
	sat_buf same = { 0 }, other = { 0 };

	for (const sat_json *f = sat_json_first(sat_json_get(r, "by")); f != NULL;
	     f = sat_json_next(f)) {
		sat_json *one = sat_json_obj();
		sat_buf name = { 0 };

		sat_json_put_str(one, "kind", "account");
		sat_json_put_str(one, "by", sat_json_str(f, ""));
		cli_cell_text(&name, c, one, &by,
		    cli_format_of(c) == FMT_TABLE);
		sat_buf_fmt(&same, "%s%s", same.n > 0 ? ", " : "",
		    sat_buf_cstr(&name));
		sat_buf_fini(&name);
		sat_json_free(one);
	}
	if (sat_json_type(b) == SAT_J_OBJ)
		sat_buf_fmt(&other, "%s %s", sat_json_get_str(b, "number", ""),
		    sat_json_get_str(b, "title", ""));
	else
		sat_buf_str(&other, _("one that is not on this device"));
	sat_json_put_str(row, "same", sat_buf_cstr(&same));
	sat_json_put_str(row, "other", sat_buf_cstr(&other));
	sat_json_put_str(row, "owner", sat_json_type(b) == SAT_J_OBJ ?
	    sat_json_get_str(b, "owner", "") :
	    sat_json_get_str(r, "owned_by", ""));
	sat_buf_fini(&same);
	sat_buf_fini(&other);
	return row;
}

static void
print_pairs(cli *c, const sat_json *doc)
{
	sat_json *shown, *data;

	if (cli_is_json(c)) {
		cli_print_rows(c, doc, pair_cols, 0);
		return;
	}
	shown = sat_json_obj();
	data = sat_json_put_arr(shown, "data");
	for (const sat_json *r = sat_json_first(sat_json_get(doc, "data"));
	     r != NULL; r = sat_json_next(r))
		sat_json_add(data, table_row(c, r));
	cli_print_or_none(c, shown, pair_cols,
	    sizeof pair_cols / sizeof pair_cols[0], "no duplicates known");
	sat_json_free(shown);
}

static const sat_opt list_options[] = {
	{ "min-score", 0, "N", "only pairs of at least this score, 1 to 100" },
	{ "check", 0, NULL, "exit 20 when there are any" },
	{ NULL, 0, NULL, NULL },
};

static sat_rc
run_dedupe(cli *c, sat_err *e)
{
	const char *min = sat_args_get(&c->args, "min-score");
	sat_json *doc = NULL, *q = sat_json_obj();
	size_t n;
	sat_rc rc;

	if (strcmp(c->args.arg[1], "scan") == 0)
		sat_json_put_str(q, "scan", "1");
	if (min != NULL)
		sat_json_put_str(q, "min_score", min);
	rc = cli_ask(&doc, c, "GET", "/v1/duplicates", q, NULL, e);
	n = sat_json_count(sat_json_get(doc, "data"));
	if (rc == SAT_OK)
		print_pairs(c, doc);
	if (rc == SAT_OK && n > 0 && sat_args_has(&c->args, "check"))
		rc = sat_fail_code(e, SAT_EFALSE, "duplicates", NULL,
		    "%zu pairs may be one customer", n);
	sat_json_free(doc);
	sat_json_free(q);
	return rc;
}

static const sat_opt dismiss_options[] = {
	{ "reason", 0, "TEXT", "why; kept in the audit log" },
	{ NULL, 0, NULL, NULL },
};

static sat_rc
run_dismiss(cli *c, sat_err *e)
{
	const char *reason = sat_args_get(&c->args, "reason");
	sat_json *body, *doc = NULL;
	char *path;
	sat_rc rc;

	if (c->args.nargs != 3)
		return sat_fail_code(e, SAT_EUSAGE, "usage", NULL,
		    "usage: satchel dedupe dismiss PAIR");
	body = sat_json_obj();
	if (reason != NULL)
		sat_json_put_str(body, "reason", reason);
	path = sat_xasprintf("/v1/duplicates/%s/dismiss", c->args.arg[2]);
	rc = cli_ask(&doc, c, "POST", path, NULL, body, e);
	if (rc == SAT_OK && cli_is_json(c))
		cli_print_json(c, doc);
	else if (rc == SAT_OK)
		cli_say(c, "they are two; nobody is asked again\n");
	sat_json_free(body);
	sat_json_free(doc);
	free(path);
	return rc;
}

static const sat_opt pair_options[] = {
	{ "winner", 0, "ID", "the one to keep (the older)" },
	{ "choose", 0, "F=WHO", "whose value a field keeps: loser or winner" },
	{ NULL, 0, NULL, NULL },
};

static sat_rc
run_merge_pair(cli *c, sat_err *e)
{
	const char *winner = sat_args_get(&c->args, "winner");
	sat_json *body;
	char *path;
	sat_rc rc;

	if (c->args.nargs != 3)
		return sat_fail_code(e, SAT_EUSAGE, "usage", NULL,
		    "usage: satchel dedupe merge PAIR [--winner ID]");
	body = sat_json_obj();
	if (winner != NULL)
		sat_json_put_str(body, "winner", winner);
	path = sat_xasprintf("/v1/duplicates/%s/merge", c->args.arg[2]);
	if ((rc = put_choices(body, c, e)) == SAT_OK)
		rc = ask_merge(c, path, body, e);
	sat_json_free(body);
	free(path);
	return rc;
}

const cli_verb cli_dedupe_verbs[] = {
	{ "dedupe", "scan", run_dedupe, list_options,
	    "dedupe scan [--min-score N]",
	    "look for customers that may be one, by names too", NULL, false },
	{ "dedupe", "list", run_dedupe, list_options,
	    "dedupe list [--min-score N] [--check]",
	    "customers with the same code, phone or name", NULL, false },
	{ "dedupe", "dismiss", run_dismiss, dismiss_options,
	    "dedupe dismiss PAIR [--reason TEXT]", "they are two", NULL, false },
	{ "dedupe", "merge", run_merge_pair, pair_options,
	    "dedupe merge PAIR [--winner ID] [--choose F=loser]...",
	    "make one customer of the two", NULL, false },
};
const size_t cli_dedupe_nverbs =
    sizeof cli_dedupe_verbs / sizeof cli_dedupe_verbs[0];
