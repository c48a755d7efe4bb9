/*
 * inbox, audit, template, backup, check, schema: looking and proving.
 */
#include "client/cli/cli_int.h"

#include <stdlib.h>
#include <string.h>

/* GET or POST a fixed path and print it. */
static sat_rc
ask_object(cli *c, const char *method, const char *path, sat_json *query,
    sat_json *body, sat_err *e)
{
	sat_json *doc = NULL;
	sat_rc rc = cli_ask(&doc, c, method, path, query, body, e);

	if (rc == SAT_OK)
		cli_print_object(c, doc);
	sat_json_free(doc);
	sat_json_free(query);
	sat_json_free(body);
	return rc;
}

static sat_rc
ask_rows(cli *c, const char *method, const char *path, sat_json *query,
    const cli_column *cols, size_t n, sat_err *e)
{
	sat_json *doc = NULL;
	sat_rc rc = cli_ask(&doc, c, method, path, query, NULL, e);

	if (rc == SAT_OK)
		cli_print_rows(c, doc, cols, n);
	sat_json_free(doc);
	sat_json_free(query);
	return rc;
}

static const sat_opt audit_options[] = {
	{ "since", 0, "TIME", "only later entries" },
	{ NULL, 0, NULL, NULL },
};

static sat_rc
run_audit(cli *c, sat_err *e)
{
	static const cli_column cols[] = { { "seq", "seq", CELL_NUMBER },
		{ "at", "at", CELL_TIME }, { "action", "action", CELL_WHOLE },
		{ "detail", "detail", CELL_PLAIN } };
	const char *since = sat_args_get(&c->args, "since");
	sat_json *q = sat_json_obj();

	if (since != NULL)
		sat_json_put_str(q, "since", since);
	return ask_rows(c, "GET", "/v1/audit", q, cols, 4, e);
}

static const sat_opt verify_options[] = {
	{ "from", 0, "LSN", "own commits only from this log position on (0)" },
	{ "entry", 0, "N", "the audit log only from this entry on (1)" },
	{ NULL, 0, NULL, NULL },
};

static sat_rc
run_audit_verify(cli *c, sat_err *e)
{
	sat_json *body;
	int64_t from, entry;
	sat_rc rc;

	if ((rc = sat_args_int(&from, &c->args, "from", 0, e)) != SAT_OK ||
	    (rc = sat_args_int(&entry, &c->args, "entry", 1, e)) != SAT_OK)
		return rc;
	body = sat_json_obj();
	sat_json_put_int(body, "from", from);
	sat_json_put_int(body, "entry", entry);
	return ask_object(c, "POST", "/v1/audit/verify", NULL, body, e);
}

static const cli_column template_cols[] = { { "rev", "rev", CELL_ID },
	{ "at", "at", CELL_TIME }, { "author", "author", CELL_PLAIN },
	{ "signature", "signature", CELL_WHOLE },
	{ "message", "message", CELL_PLAIN } };

static sat_rc
run_template_show(cli *c, sat_err *e)
{
	static const cli_column cols[] = { { "path", "document", CELL_WHOLE } };
	sat_json *q = sat_json_obj(), *doc = NULL;
	sat_rc rc;

	if (c->args.nargs < 3)
		return ask_rows(c, "GET", "/v1/templates/show", q, cols, 1, e);
	sat_json_put_str(q, "path", c->args.arg[2]);
	rc = cli_ask(&doc, c, "GET", "/v1/templates/show", q, NULL, e);
	if (rc == SAT_OK)
		cli_print_json(c, cli_is_json(c) ? doc
		                                 : sat_json_get(doc, "document"));
	sat_json_free(q);
	sat_json_free(doc);
	return rc;
}

static sat_rc
run_template_log(cli *c, sat_err *e)
{
	return ask_rows(c, "GET", "/v1/templates", NULL, template_cols, 5, e);
}

static sat_rc
run_template_verify(cli *c, sat_err *e)
{
	return ask_rows(c, "POST", "/v1/templates/verify", NULL, template_cols, 5,
	    e);
}

static sat_rc
run_backup(cli *c, sat_err *e)
{
	sat_json *body;

	if (c->args.nargs < 2)
		return sat_fail_code(e, SAT_EUSAGE, "usage", NULL,
		    "usage: satchel backup FOLDER");
	body = sat_json_obj();
	sat_json_put_str(body, "folder", c->args.arg[1]);
	return ask_object(c, "POST", "/v1/backups", NULL, body, e);
}

static sat_rc
run_compact(cli *c, sat_err *e)
{
	sat_json *doc = NULL;
	sat_rc rc = cli_ask(&doc, c, "POST", "/v1/compact", NULL, NULL, e);

	if (rc == SAT_OK && cli_format_of(c) == FMT_TABLE)
		sat_buf_fmt(&c->out, _("%.1f MB, before %.1f MB\n"),
		    (double)sat_json_get_int(doc, "after", 0) / 1e6,
		    (double)sat_json_get_int(doc, "before", 0) / 1e6);
	else if (rc == SAT_OK)
		cli_print_object(c, doc);
	sat_json_free(doc);
	return rc;
}

static const sat_opt backup_options[] = {
	{ "verify", 0, NULL, "always so: the copy is opened and checked" },
	{ NULL, 0, NULL, NULL },
};
static const sat_opt check_options[] = {
	{ "quick", 0, NULL, "pages only" },
	{ "full", 0, NULL, "everything (default)" },
	{ NULL, 0, NULL, NULL },
};

static sat_rc
run_check(cli *c, sat_err *e)
{
	sat_json *body = sat_json_obj();

	sat_json_put_bool(body, "quick", sat_args_has(&c->args, "quick"));
	return ask_object(c, "POST", "/v1/check", NULL, body, e);
}

/* The rows of what the command line names: its word behind `before`. */
static sat_rc
ask_named(cli *c, const char *before, const char *usage, const cli_column *cols,
    size_t n, sat_err *e)
{
	char *path;
	sat_rc rc;

	if (c->args.nargs < 2)
		return sat_fail_code(e, SAT_EUSAGE, "usage", NULL,
		    "usage: satchel %s", usage);
	path = sat_xasprintf("%s%s", before, c->args.arg[1]);
	rc = ask_rows(c, "GET", path, NULL, cols, n, e);
	free(path);
	return rc;
}

static sat_rc
run_schema(cli *c, sat_err *e)
{
	static const cli_column cols[] = { { "key", "field", CELL_WHOLE },
		{ "zh", "中文", CELL_PLAIN }, { "en", "English", CELL_PLAIN },
		{ "type", "type", CELL_PLAIN },
		{ "required", "required", CELL_PLAIN },
		{ "dict", "options", CELL_PLAIN } };

	return ask_named(c, "/v1/schema/", "schema KIND", cols, 6, e);
}

static sat_rc
run_dict(cli *c, sat_err *e)
{
	static const cli_column cols[] = { { "key", "key", CELL_WHOLE },
		{ "zh", "中文", CELL_PLAIN }, { "en", "English", CELL_PLAIN },
		{ "parent", "under", CELL_PLAIN } };

	return ask_named(c, "/v1/dict/", "dict NAME", cols, 4, e);
}

static void
inbox_part(cli *c, const sat_json *rows, const char *title, const char *next,
    const cli_column *cols, size_t n)
{
	sat_json *doc;

	if (sat_json_count(rows) == 0)
		return;
	sat_buf_fmt(&c->out, "%s%s%s — %s\n", c->color ? "\033[1m" : "", sat_text(title),
	    c->color ? "\033[0m" : "", sat_text(next));
	doc = sat_json_obj();
	sat_json_put(doc, "data", sat_json_dup(rows));
	cli_print_rows(c, doc, cols, n);
	sat_buf_str(&c->out, "\n");
	sat_json_free(doc);
}

static void
inbox_lines(cli *c, const sat_json *rows, const char *what, const char *id,
    const char *text)
{
	for (const sat_json *r = sat_json_first(rows); r != NULL;
	     r = sat_json_next(r)) {
		const sat_json *v = sat_json_get(r, id);

		sat_buf_fmt(&c->out, "%s\t", what);
		if (sat_json_type(v) == SAT_J_INT)
			sat_buf_fmt(&c->out, "%lld",
			    (long long)sat_json_int(v, 0));
		else
			sat_buf_str(&c->out, sat_json_str(v, ""));
		sat_buf_fmt(&c->out, "\t%s\n", sat_json_get_str(r, text, ""));
	}
}

static sat_rc
run_inbox(cli *c, sat_err *e)
{
	static const cli_column conflict[] = { { "key", "key", CELL_WHOLE },
		{ "title", "record", CELL_PLAIN }, { "field", "field", CELL_WHOLE },
		{ "assignee", "assignee", CELL_PLAIN },
		{ "due", "due", CELL_TIME } };
	static const cli_column refused[] = { { "id", "refused", CELL_WHOLE },
		{ "at", "at", CELL_TIME }, { "code", "code", CELL_WHOLE },
		{ "hint", "hint", CELL_PLAIN } };
	static const cli_column handed[] = { { "key", "key", CELL_WHOLE },
		{ "title", "record", CELL_PLAIN }, { "by", "by", CELL_PLAIN },
		{ "made_at", "made at", CELL_TIME }, { "why", "why", CELL_PLAIN } };
	static const cli_column late[] = { { "lsn", "lsn", CELL_WHOLE },
		{ "title", "record", CELL_PLAIN }, { "user", "by", CELL_PLAIN },
		{ "at", "at", CELL_TIME }, { "changes", "changes", CELL_NUMBER } };
	static const cli_column said[] = { { "lsn", "lsn", CELL_WHOLE },
		{ "customer", "customer", CELL_PLAIN }, { "by", "by", CELL_PLAIN },
		{ "at", "at", CELL_TIME }, { "text", "text", CELL_PLAIN } };
	static const cli_column news[] = { { "lsn", "lsn", CELL_WHOLE },
		{ "title", "record", CELL_PLAIN }, { "what", "what", CELL_PLAIN },
		{ "number", "number", CELL_PLAIN }, { "by", "by", CELL_PLAIN },
		{ "at", "at", CELL_TIME } };
	static const cli_column moved[] = { { "id", "id", CELL_ID },
		{ "title", "customer", CELL_PLAIN }, { "to", "now with", CELL_PLAIN } };
	sat_json *doc = NULL;
	sat_rc rc = cli_ask(&doc, c, "GET", "/v1/inbox", NULL, NULL, e);
	const sat_json *k = sat_json_get(doc, "conflicts");
	const sat_json *r = sat_json_get(doc, "refused");
	const sat_json *h = sat_json_get(doc, "handovers");
	const sat_json *l = sat_json_get(doc, "late");
	const sat_json *m = sat_json_get(doc, "moved");
	const sat_json *s = sat_json_get(doc, "mentions");
	const sat_json *w = sat_json_get(doc, "news");

	if (rc == SAT_OK && cli_is_json(c)) {
		cli_print_json(c, doc);
	} else if (rc == SAT_OK && cli_format_of(c) == FMT_TABLE) {
		inbox_part(c, k, "Conflicts", "satchel conflict show KEY",
		    conflict, 5);
		inbox_part(c, r, "Refused by the server", "satchel sync pending",
		    refused, 4);
		inbox_part(c, h, "Suggested by who lost the customer",
		    "satchel handover show KEY", handed, 5);
		inbox_part(c, l, "Edited by others who did not know it is yours",
		    "satchel inbox seen", late, 5);
		inbox_part(c, w, "What became of your work",
		    "satchel inbox seen", news, 6);
		inbox_part(c, s, "Comments that mention you",
		    "satchel inbox seen", said, 5);
		inbox_part(c, m, "Customers that left this device",
		    N_("nothing to do"), moved, 3);
		if (c->out.n == 0)
			cli_say(c, "nothing needs you\n");
	} else if (rc == SAT_OK) {
		inbox_lines(c, k, "conflict", "key", "title");
		inbox_lines(c, r, "refused", "id", "code");
		inbox_lines(c, h, "handover", "key", "title");
		inbox_lines(c, l, "late", "lsn", "title");
		inbox_lines(c, w, "news", "id", "what");
		inbox_lines(c, s, "mention", "lsn", "text");
		inbox_lines(c, m, "moved", "id", "title");
	}
	sat_json_free(doc);
	return rc;
}

static const sat_opt passwd_options[] = {
	{ "new-passphrase-file", 0, "FILE", "the new passphrase" },
	{ NULL, 0, NULL, NULL },
};
static const sat_opt restore_options[] = {
	{ "verify-only", 0, NULL, "check the backup, change nothing" },
	{ NULL, 0, NULL, NULL },
};

const cli_verb cli_proof_verbs[] = {
	{ "init", NULL, cli_init, cli_init_options,
	    "init --invite CODE [--server URL] | --demo N",
	    "enrol this device and take the first copy",
	    "  satchel init --invite satchel1...\n"
	    "  satchel --profile demo init --demo 200\n", true },
	{ "passwd", NULL, cli_passwd, passwd_options, "passwd",
	    "change the passphrase", NULL, false },
	{ "inbox", NULL, run_inbox, NULL, "inbox", "what needs a person", NULL,
	    false },
	{ "audit", "log", run_audit, audit_options, "audit log [--since T]",
	    "the local audit log", NULL, false },
	{ "audit", "verify", run_audit_verify, verify_options,
	    "audit verify [--from LSN]", "chains and signatures", NULL, false },
	{ "template", "show", run_template_show, NULL, "template show [PATH]",
	    "documents of the template", NULL, false },
	{ "template", "list", run_template_log, NULL, "template list",
	    "revisions of the template, newest first", NULL, false },
	{ "template", "log", run_template_log, NULL, "template log",
	    "history of the template", NULL, false },
	{ "template", "verify", run_template_verify, NULL, "template verify",
	    "signatures and objects", NULL, false },
	{ "schema", NULL, run_schema, NULL, "schema KIND", "fields of a kind",
	    NULL, false },
	{ "dict", NULL, run_dict, NULL, "dict NAME", "options of a dictionary",
	    NULL, false },
	{ "compact", NULL, run_compact, NULL, "compact",
	    "write the replica's file anew; gives space back", NULL, false },
	{ "backup", NULL, run_backup, backup_options, "backup FOLDER [--verify]",
	    "verified copy of the replica", NULL, false },
	{ "restore", NULL, cli_restore, restore_options,
	    "restore FOLDER [--verify-only]", "from a backup", NULL, true },
	{ "check", NULL, run_check, check_options, "check [--quick]",
	    "pages, rows, chains, signatures", NULL, false },
	{ "completion", NULL, cli_completion, NULL, "completion bash|zsh|fish",
	    "completion for a shell, on stdout",
	    "  satchel completion bash > ~/.local/share/bash-completion/completions/satchel\n",
	    true },
	{ "__complete", NULL, cli_complete_run, NULL, "__complete NOUN VERB",
	    "records that may be named there, for completion", NULL, true },
	{ "__texts", NULL, cli_texts_run, NULL, "__texts",
	    "what the tables say, for the catalogue", NULL, true },
	{ "__man", NULL, cli_man_run, NULL, "__man PAGE",
	    "a manual page as roff: satchel.1, satchel-config.5", NULL, true },
};
const size_t cli_proof_nverbs = sizeof cli_proof_verbs / sizeof cli_proof_verbs[0];
