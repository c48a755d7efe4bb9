/*
 * attachment add, list, get, remove.
 */
#include "client/cli/cli_int.h"
#include "common/base/file.h"

#include <stdlib.h>
#include <string.h>

static const sat_opt add_options[] = {
	{ "name", 0, "N", "what it is called; otherwise as the file" },
	{ NULL, 0, NULL, NULL },
};
static const sat_opt get_options[] = {
	{ "output", 'o', "FILE", "where it is written; -: standard output" },
	{ "record", 0, "ID", "of this record, when several have such a file" },
	{ NULL, 0, NULL, NULL },
};

static sat_rc
need_words(const cli *c, size_t n, sat_err *e)
{
	return c->args.nargs >= n ? SAT_OK : sat_fail_code(e, SAT_EUSAGE,
	    "usage", "see: satchel help attachment",
	    "not all of it was named: satchel attachment %s", c->args.arg[1]);
}

static sat_rc
run_add(cli *c, sat_err *e)
{
	const char *name = sat_args_get(&c->args, "name");
	sat_json *body, *doc = NULL;
	char *whole;
	sat_rc rc = need_words(c, 4, e);

	if (rc != SAT_OK)
		return rc;
	body = sat_json_obj();
	whole = sat_file_absolute(c->args.arg[3]);
	sat_json_put_str(body, "record", c->args.arg[2]);
	sat_json_put_str(body, "file", whole);
	if (name != NULL)
		sat_json_put_str(body, "name", name);
	free(whole);
	rc = cli_ask(&doc, c, "POST", "/v1/attachments", NULL, body, e);
	if (rc == SAT_OK && cli_is_json(c))
		cli_print_json(c, doc);
	else if (rc == SAT_OK)
		sat_buf_fmt(&c->out, "%s\n", sat_json_get_str(sat_json_get(doc,
		    "data"), "hash", ""));
	sat_json_free(body);
	sat_json_free(doc);
	return rc;
}

static sat_rc
run_list(cli *c, sat_err *e)
{
	static const cli_column cols[] = { { "hash", "hash", CELL_WHOLE },
		{ "name", "name", CELL_PLAIN }, { "type", "type", CELL_PLAIN },
		{ "bytes", "bytes", CELL_NUMBER },
		{ "here", "here", CELL_PLAIN },
		{ "waits", "waits", CELL_PLAIN } };
	sat_json *query, *doc = NULL;
	sat_rc rc = need_words(c, 3, e);

	if (rc != SAT_OK)
		return rc;
	query = sat_json_obj();
	sat_json_put_str(query, "record", c->args.arg[2]);
	rc = cli_ask(&doc, c, "GET", "/v1/attachments", query, NULL, e);
	if (rc == SAT_OK)
		cli_print_or_none(c, doc, cols, sizeof cols / sizeof cols[0],
		    "the record has no files\n");
	sat_json_free(query);
	sat_json_free(doc);
	return rc;
}

static sat_rc
run_get(cli *c, sat_err *e)
{
	const char *to = sat_args_get(&c->args, "output");
	const char *record = sat_args_get(&c->args, "record");
	sat_json *query, *doc = NULL;
	char *path, *whole;
	bool out;
	sat_rc rc = need_words(c, 3, e);

	if (rc == SAT_OK && to == NULL)
		rc = sat_fail_code(e, SAT_EUSAGE, "usage", "-o FILE",
		    "say where it is to be written");
	if (rc != SAT_OK)
		return rc;
	query = sat_json_obj();
	out = strcmp(to, "-") == 0;
	whole = out ? sat_xstrdup(to) : sat_file_absolute(to);
	sat_json_put_str(query, "file", whole);
	if (record != NULL)
		sat_json_put_str(query, "record", record);
	path = sat_xasprintf("/v1/attachments/%s", c->args.arg[2]);
	rc = cli_ask(&doc, c, "GET", path, query, NULL, e);
	if (rc == SAT_OK && cli_is_json(c) && !out) /* that is the content's */
		cli_print_json(c, doc);
	free(whole);
	free(path);
	sat_json_free(query);
	sat_json_free(doc);
	return rc;
}

static sat_rc
run_remove(cli *c, sat_err *e)
{
	sat_json *query, *doc = NULL;
	char *path;
	sat_rc rc = need_words(c, 4, e);

	if (rc != SAT_OK)
		return rc;
	query = sat_json_obj();
	sat_json_put_str(query, "record", c->args.arg[2]);
	path = sat_xasprintf("/v1/attachments/%s", c->args.arg[3]);
	rc = cli_ask(&doc, c, "DELETE", path, query, NULL, e);
	if (rc == SAT_OK && cli_is_json(c))
		cli_print_json(c, doc);
	else if (rc == SAT_OK)
		cli_say(c, "removed\n");
	free(path);
	sat_json_free(query);
	sat_json_free(doc);
	return rc;
}

const cli_verb cli_attach_verbs[] = {
	{ "attachment", "add", run_add, add_options,
	    "attachment add RECORD FILE [--name N]",
	    "a file of a follow-up or a contract",
	    "  satchel attachment add @last quotation.pdf\n", false },
	{ "attachment", "list", run_list, NULL, "attachment list RECORD",
	    "the files of a record", NULL, false },
	{ "attachment", "get", run_get, get_options,
	    "attachment get HASH|NAME -o FILE [--record ID]",
	    "its content; written down in the audit log", NULL, false },
	{ "attachment", "remove", run_remove, NULL,
	    "attachment remove RECORD HASH|NAME",
	    "the record names it no more", NULL, false },
};
const size_t cli_attach_nverbs =
    sizeof cli_attach_verbs / sizeof cli_attach_verbs[0];
