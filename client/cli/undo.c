/*
 * show COMMIT, undo [COMMIT].
 */
#include "client/cli/cli_int.h"

#include <stdlib.h>
#include <string.h>

static sat_rc
run_show(cli *c, sat_err *e)
{
	static const cli_column cols[] = { { "op", "did", CELL_WHOLE },
		{ "kind", "kind", CELL_PLAIN }, { "id", "id", CELL_ID },
		{ "field", "field", CELL_WHOLE }, { "value", "value", CELL_PLAIN } };
	sat_json *doc = NULL, *rows;
	char *path;
	sat_rc rc;

	if (c->args.nargs < 2)
		return sat_fail_code(e, SAT_EUSAGE, "usage", "see: satchel log",
		    "name the commit: satchel show COMMIT");
	path = sat_xasprintf("/v1/commits/%s", c->args.arg[1]);
	rc = cli_ask(&doc, c, "GET", path, NULL, NULL, e);
	free(path);
	if (rc == SAT_OK && cli_is_json(c)) {
		cli_print_json(c, doc);
	} else if (rc == SAT_OK) {
		if (cli_format_of(c) == FMT_TABLE) {
			sat_buf_fmt(&c->out, "commit  %s%s\nby      %s\nmade    ",
			    sat_json_get_str(doc, "commit", ""),
			    sat_json_get_bool(doc, "pending", false)
			        ? _(" (waits for the server)") : "",
			    sat_json_get_str(doc, "user", ""));
			cli_time_text(&c->out, c,
			    sat_json_get_str(doc, "made_at", ""));
			sat_buf_str(&c->out, "\n\n");
		}
		rows = sat_json_obj();
		sat_json_put(rows, "data", sat_json_dup(sat_json_get(doc, "ops")));
		cli_print_rows(c, rows, cols, 5);
		sat_json_free(rows);
	}
	sat_json_free(doc);
	return rc;
}

static void
say_list(cli *c, const sat_json *rows, const char *what, const char *member)
{
	for (const sat_json *r = sat_json_first(rows); r != NULL;
	     r = sat_json_next(r)) {
		const sat_json *v = sat_json_get(r, member);

		sat_buf_fmt(&c->out, "%s\t%s\t%s", what,
		    sat_json_get_str(r, "kind", ""),
		    sat_json_get_str(r, "field", sat_json_get_str(r, "op", "")));
		if (sat_json_type(v) == SAT_J_INT)
			sat_buf_fmt(&c->out, "\t%lld\n",
			    (long long)sat_json_int(v, 0));
		else
			sat_buf_fmt(&c->out, "\t%s\n", sat_json_str(v, ""));
	}
}

static sat_rc
run_undo(cli *c, sat_err *e)
{
	char *path = sat_xasprintf("/v1/commits/%s/revert",
	    c->args.nargs > 1 ? c->args.arg[1] : "last");
	sat_json *doc = NULL;
	sat_rc rc = cli_ask(&doc, c, "POST", path, NULL, NULL, e);

	free(path);
	if (doc != NULL && cli_is_json(c)) {
		cli_print_json(c, doc);
	} else if (doc != NULL) {
		say_list(c, sat_json_get(doc, "data"), "put back", "now");
		say_list(c, sat_json_get(doc, "left"), "left", "reason");
	}
	sat_json_free(doc);
	return rc;
}

const cli_verb cli_undo_verbs[] = {
	{ "show", NULL, run_show, NULL, "show COMMIT",
	    "what one of your own commits did", "  satchel log\n"
	    "  satchel show 7-1-42\n", false },
	{ "undo", NULL, run_undo, NULL, "undo [COMMIT]",
	    "put back what a commit replaced; exit 3: some stays",
	    "  satchel undo\n  satchel undo 7-1-42\n", false },
};
const size_t cli_undo_nverbs = sizeof cli_undo_verbs / sizeof cli_undo_verbs[0];
