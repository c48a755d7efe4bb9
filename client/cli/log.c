/*
 * log: own commits; of one record every value it ever had. api: any route.
 */
#include "client/cli/cli_int.h"

#include <stdlib.h>
#include <string.h>


static const sat_opt log_options[] = {
	{ "limit", 0, "N", "commits (50)" },
	{ "field", 0, "F", "only of this field" },
	{ "device", 0, "D", "only by this device: its number" },
	{ "since", 0, "TIME", "only since then; or an age: 7d" },
	{ "oneline", 0, NULL, "a line each, and what it did" },
	{ NULL, 0, NULL, NULL },
};

/* "new account, set name phone_main": the same verb is said once. */
static void
put_deeds(sat_buf *b, const sat_json *ops)
{
	const char *before = "";

	for (const sat_json *o = sat_json_first(ops); o != NULL;
	     o = sat_json_next(o)) {
		const char *op = sat_json_get_str(o, "op", "");
		const char *what = sat_json_get_str(o, "field",
		    sat_json_get_str(o, "kind", ""));

		if (strcmp(op, before) != 0)
			sat_buf_fmt(b, "%s%s", before[0] != '\0' ? ", " : "", op);
		sat_buf_fmt(b, " %s", what);
		before = op;
	}
}

static void
put_when(sat_buf *b, const cli *c, const char *at)
{
	if (cli_format_of(c) == FMT_TABLE)
		cli_time_text(b, c, at);
	else
		sat_buf_str(b, at);
}

static void
print_lines(cli *c, const sat_json *doc)
{
	bool table = cli_format_of(c) == FMT_TABLE;
	const char *sep = table ? "  " : "\t";

	for (const sat_json *r = sat_json_first(sat_json_get(doc, "data"));
	     r != NULL; r = sat_json_next(r)) {
		const char *commit = sat_json_get_str(r, "commit", NULL);

		if (commit != NULL) {
			sat_buf_fmt(&c->out, "%s%s", commit, sep);
			put_when(&c->out, c, sat_json_get_str(r, "made_at", ""));
			sat_buf_fmt(&c->out, "%s%s%s", sep,
			    sat_json_get_str(r, "subject", ""), sep);
			put_deeds(&c->out, sat_json_get(r, "ops"));
		} else {
			const cli_column value = { "value", "", CELL_PLAIN };
			sat_buf text = { 0 };

			put_when(&c->out, c, sat_json_get_str(r, "at", ""));
			cli_cell_text(&text, c, r, &value, false);
			sat_buf_fmt(&c->out, "%s%s%s%s%s%s", sep,
			    sat_json_get_str(r, "user", "-"), sep,
			    sat_json_get_str(r, "field", ""),
			    table ? " = " : "\t", sat_buf_cstr(&text));
			sat_buf_fini(&text);
		}
		sat_buf_str(&c->out, "\n");
	}
}

static void
print_log(cli *c, const sat_json *doc, bool of_record)
{
	static const cli_column own[] = { { "commit", "commit", CELL_WHOLE },
		{ "made_at", "made at", CELL_TIME },
		{ "subject", "record", CELL_ID }, { "lsn", "lsn", CELL_NUMBER },
		{ "user", "by", CELL_PLAIN } };
	static const cli_column past[] = { { "at", "at", CELL_TIME },
		{ "field", "field", CELL_WHOLE }, { "value", "value", CELL_PLAIN },
		{ "user", "by", CELL_PLAIN }, { "device", "device", CELL_NUMBER },
		{ "lsn", "lsn", CELL_NUMBER },
		{ "current", "current", CELL_PLAIN } };

	if (sat_args_has(&c->args, "oneline") && !cli_is_json(c))
		print_lines(c, doc);
	else
		cli_print_rows(c, doc, of_record ? past : own, of_record ? 7 : 5);
}

/* Which kind the record is of is found by asking each. */
static sat_rc
ask_history(sat_json **doc, cli *c, const char *id, sat_json *q, sat_err *e)
{
	const sat_template *t = cli_template(c);
	sat_rc rc = SAT_ENOTFOUND;

	if (t == NULL)
		return sat_fail_code(e, SAT_ENOREPLICA, "not_synced",
		    "run: satchel sync", "this replica has not been synced yet");
	for (size_t i = 0; rc == SAT_ENOTFOUND && i < sat_template_kinds(t);
	     i++) {
		char *path = sat_xasprintf("/v1/%s/%s/history",
		    sat_template_kind_at(t, i)->plural, id);

		rc = cli_ask(doc, c, "GET", path, q, NULL, e);
		free(path);
	}
	return rc != SAT_ENOTFOUND ? rc : sat_fail_code(e, rc, "not_found",
	    "satchel search TEXT finds it by name, pinyin, phone or number",
	    "there is no record called \"%s\"", id);
}

static sat_rc
run_log(cli *c, sat_err *e)
{
	static const char *const asked[] = { "limit", "field", "device",
		"since" };
	const char *id = c->args.nargs > 1 ? c->args.arg[1] : NULL;
	sat_json *q = sat_json_obj(), *doc = NULL;
	sat_rc rc;

	for (size_t i = 0; i < sizeof asked / sizeof asked[0]; i++)
		if (sat_args_has(&c->args, asked[i]))
			sat_json_put_str(q, asked[i],
			    sat_args_get(&c->args, asked[i]));
	rc = id != NULL ? ask_history(&doc, c, id, q, e)
	                : cli_ask(&doc, c, "GET", "/v1/commits", q, NULL, e);
	if (rc == SAT_OK)
		print_log(c, doc, id != NULL);
	sat_json_free(doc);
	sat_json_free(q);
	return rc;
}

/* ---- api METHOD PATH ------------------------------------------------------------------ */

static const sat_opt api_options[] = {
	{ "field", 'f', "K=V", "member of the query (GET) or body" },
	{ "input", 0, "FILE", "the body: a JSON object (- = stdin)" },
	{ NULL, 0, NULL, NULL },
};

static sat_rc
run_api(cli *c, sat_err *e)
{
	const char *input = sat_args_get(&c->args, "input"), *method, *v;
	sat_json *fields = NULL, *doc = NULL;
	size_t i = 0;
	bool get;
	sat_rc rc = SAT_OK;

	if (c->args.nargs < 3)
		return sat_fail_code(e, SAT_EUSAGE, "usage", NULL,
		    "usage: satchel api METHOD PATH [-f k=v]");
	method = c->args.arg[1];
	get = strcmp(method, "GET") == 0;
	if (input != NULL)
		rc = cli_read_body(&fields, input, e);
	else
		fields = sat_json_obj();
	while (rc == SAT_OK &&
	    (v = sat_args_next(&c->args, "field", &i)) != NULL) {
		const char *eq = strchr(v, '=');
		char key[64];

		if (eq == NULL || eq == v) {
			rc = sat_fail_code(e, SAT_EUSAGE, "usage.pair", NULL,
			    "\"%.60s\" is not FIELD=VALUE", v);
			break;
		}
		(void)snprintf(key, sizeof key, "%.*s", (int)(eq - v), v);
		sat_json_put_str(fields, key, eq + 1);
	}
	if (rc == SAT_OK)
		rc = cli_ask(&doc, c, method, c->args.arg[2],
		    get ? fields : NULL, get ? NULL : fields, e);
	if (doc != NULL)
		sat_json_write(&c->out, doc, true);
	sat_json_free(fields);
	sat_json_free(doc);
	return rc;
}

const cli_verb cli_log_verbs[] = {
	{ "log", NULL, run_log, log_options,
	    "log [ID] [--field F] [--device D] [--since T]",
	    "own commits; with ID every value it ever had",
	    "  satchel log --since 7d --oneline\n"
	    "  satchel log C202611-P1-0003 --field phone_main\n", false },
	{ "api", NULL, run_api, api_options,
	    "api METHOD PATH [-f k=v] [--input FILE]",
	    "any route of the table",
	    "  satchel api GET /v1/accounts -f limit=1\n"
	    "  satchel api POST /v1/accounts --input new.json\n", false },
};
const size_t cli_log_nverbs = sizeof cli_log_verbs / sizeof cli_log_verbs[0];
