/*
 * sop, schema dump: how the company works and what it keeps, to be read.
 */
#include "client/cli/cli_int.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const sat_opt export_options[] = {
	{ "output", 'o', "FILE", "file (- = stdout)" },
	{ NULL, 0, NULL, NULL },
};

static sat_rc
write_text(cli *c, const char *text, sat_err *e)
{
	const char *to = sat_args_get(&c->args, "output");
	size_t n = strlen(text);
	FILE *f;
	bool ok;

	if (to == NULL || strcmp(to, "-") == 0) {
		sat_buf_str(&c->out, text);
		return SAT_OK;
	}
	if ((f = fopen(to, "wbe")) == NULL)
		return sat_fail(e, SAT_EIO, "cannot write %s: %s", to,
		    strerror(errno));
	ok = fwrite(text, 1, n, f) == n;
	if (fclose(f) != 0 || !ok)
		return sat_fail(e, SAT_ENOSPACE, "cannot write the whole text");
	return SAT_OK;
}

/* The text of an answer; --json shows the answer. */
static sat_rc
text_answer(cli *c, const char *path, const char *format, sat_err *e)
{
	sat_json *q = sat_json_obj(), *doc = NULL;
	const char *text;
	sat_rc rc;

	if (format != NULL)
		sat_json_put_str(q, "format", format);
	sat_json_put_str(q, "lang", c->lang);
	rc = cli_ask(&doc, c, "GET", path, q, NULL, e);
	text = sat_json_get_str(doc, "text", NULL);
	if (rc == SAT_OK && (text == NULL || sat_args_has(&c->args, "json")))
		cli_print_json(c, doc);
	else if (rc == SAT_OK)
		rc = write_text(c, text, e);
	sat_json_free(q);
	sat_json_free(doc);
	return rc;
}

static sat_rc
run_export(cli *c, sat_err *e)
{
	return text_answer(c, "/v1/sop/export", sat_args_get(&c->args, "format"),
	    e);
}

static sat_rc
run_dump(cli *c, sat_err *e)
{
	const char *format = sat_args_get(&c->args, "format");

	if (format == NULL || strcmp(format, "json") == 0)
		c->format = FMT_JSON;
	return text_answer(c, "/v1/schema", format, e);
}

static sat_rc
run_list(cli *c, sat_err *e)
{
	const cli_column cols[] = { { "key", "procedure", CELL_WHOLE },
		{ c->lang[0] == 'z' ? "label.zh" : "label.en", "name",
		    CELL_PLAIN }, { "version", "version", CELL_PLAIN },
		{ "kind", "of", CELL_PLAIN } };

	return cli_ask_list(c, "/v1/sop", cols, 4, "the template has no procedures", e);
}

/* ---- one record ------------------------------------------------------------------------ */

static void
print_items(cli *c, const sat_json *doc)
{
	const cli_column cols[] = { { "done", "done", CELL_PLAIN },
		{ "item", "item", CELL_WHOLE },
		{ c->lang[0] == 'z' ? "label.zh" : "label.en", "what",
		    CELL_PLAIN }, { "required", "required", CELL_PLAIN } };

	cli_print_or_none(c, doc, cols, 4, "nothing to check");
}

static sat_rc
run_show(cli *c, sat_err *e)
{
	sat_json *doc = NULL;
	sat_rc rc = cli_ask_id(&doc, c, "/v1/sop/records/", "", e);

	if (rc == SAT_OK)
		print_items(c, doc);
	sat_json_free(doc);
	return rc;
}

static const sat_opt check_options[] = {
	{ "off", 0, NULL, "it is not done after all" },
	{ NULL, 0, NULL, NULL },
};

static sat_rc
run_check(cli *c, sat_err *e)
{
	sat_json *body = sat_json_obj(), *doc = NULL;
	sat_json *items = sat_json_put_arr(body, "items");
	sat_rc rc;

	for (size_t i = 3; i < c->args.nargs; i++)
		sat_json_add_str(items, c->args.arg[i]);
	sat_json_put_bool(body, "off", sat_args_has(&c->args, "off"));
	rc = cli_post_id(&doc, c, "/v1/sop/records/", "/check", body, e);
	if (rc == SAT_OK)
		print_items(c, doc);
	sat_json_free(body);
	sat_json_free(doc);
	return rc;
}

/* ---- conformance ----------------------------------------------------------------------- */

static const sat_opt conform_options[] = {
	{ "period", 0, "P", "records made in it: 2026-11, 2026-Q4, all" },
	{ "flow", 0, "KEY", "which procedure (sales)" },
	{ NULL, 0, NULL, NULL },
};

static sat_rc
run_conform(cli *c, sat_err *e)
{
	static const cli_column cols[] = { { "owner", "owner", CELL_PLAIN },
		{ "records", "records", CELL_NUMBER },
		{ "conform", "conform", CELL_NUMBER },
		{ "percent", "%", CELL_NUMBER } };
	static const char *const flags[] = { "period", "flow" };
	sat_json *q = sat_json_obj(), *doc = NULL;
	sat_rc rc;

	for (size_t i = 0; i < 2; i++)
		if (sat_args_get(&c->args, flags[i]) != NULL)
			sat_json_put_str(q, flags[i], sat_args_get(&c->args,
			    flags[i]));
	rc = cli_ask(&doc, c, "GET", "/v1/sop/conformance", q, NULL, e);
	if (rc == SAT_OK)
		cli_print_or_none(c, doc, cols, 4, "no records");
	sat_json_free(q);
	sat_json_free(doc);
	return rc;
}

const cli_verb cli_sop_verbs[] = {
	{ "sop", "list", run_list, NULL, "sop list", "procedures of the template",
	    NULL, false },
	{ "sop", "export", run_export, export_options,
	    "sop export [--format md|html] [-o FILE]",
	    "the procedures as a document",
	    "  satchel sop export --format html --lang zh -o sop.html\n", false },
	{ "sop", "show", run_show, NULL, "sop show ID",
	    "the checklist of a record", NULL, false },
	{ "sop", "check", run_check, check_options, "sop check ID STEP.ITEM...",
	    "items that are done", NULL, false },
	{ "sop", "conformance", run_conform, conform_options,
	    "sop conformance [--period P]",
	    "who went the way the procedure asks for", NULL, false },
	{ "schema", "dump", run_dump, export_options,
	    "schema dump [--format json|md] [-o FILE]", "the data dictionary",
	    NULL, false },
};
const size_t cli_sop_nverbs = sizeof cli_sop_verbs / sizeof cli_sop_verbs[0];
