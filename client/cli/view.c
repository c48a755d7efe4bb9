/*
 * view: lists that were given a name.
 */
#include "client/cli/cli_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const sat_opt list_options[] = {
	{ "kind", 0, "KIND", "only views of this kind" },
	{ "share", 0, "WITH", "private, team or company" },
	{ "owner", 0, "USER", "somebody's (me)" },
	{ NULL, 0, NULL, NULL },
};
static const sat_opt add_options[] = {
	{ "kind", 0, "KIND", "what it lists: account, opportunity, ..." },
	{ "where", 0, "EXPR", "for example: amount>=100000 and owner=me" },
	{ "sort", 0, "KEYS", "for example -amount,name" },
	{ "share", 0, "WITH", "private (default), team or company" },
	{ NULL, 0, NULL, NULL },
};
static const sat_opt edit_options[] = {
	{ "name", 0, "NAME", "another name" },
	{ "where", 0, "EXPR", "another filter; \"\": none" },
	{ "sort", 0, "KEYS", "another order; \"\": none" },
	{ "if-version", 0, "V", "only if it still has this version" },
	{ NULL, 0, NULL, NULL },
};

static sat_rc
run_list(cli *c, sat_err *e)
{
	static const cli_column cols[] = { { "id", "id", CELL_ID },
		{ "name", "name", CELL_PLAIN }, { "kind", "kind", CELL_KIND },
		{ "share", "shared with", CELL_PLAIN },
		{ "owner", "owner", CELL_PLAIN },
		{ "filter", "filter", CELL_PLAIN },
		{ "sort", "sort", CELL_PLAIN },
		{ "fields", "fields", CELL_PLAIN } };
	sat_json *q = sat_json_obj(), *doc = NULL;
	sat_rc rc;

	for (const sat_opt *o = list_options; o->name != NULL; o++)
		if (sat_args_get(&c->args, o->name) != NULL)
			sat_json_put_str(q, o->name,
			    sat_args_get(&c->args, o->name));
	rc = cli_ask(&doc, c, "GET", "/v1/views", q, NULL, e);
	if (rc == SAT_OK)
		cli_print_or_none(c, doc, cols, 8, "no views");
	sat_json_free(q);
	sat_json_free(doc);
	return rc;
}

static sat_rc
ask_view(sat_json **doc, cli *c, const char *method, sat_json *query,
    sat_json *body, sat_err *e)
{
	const char *id;
	char *path;
	sat_rc rc = cli_need_id(c, &id, e);

	if (rc != SAT_OK)
		return rc;
	path = sat_xasprintf("/v1/views/%s", id);
	rc = cli_ask(doc, c, method, path, query, body, e);
	free(path);
	return rc;
}

static sat_rc
run_show(cli *c, sat_err *e)
{
	sat_json *doc = NULL;
	sat_rc rc = ask_view(&doc, c, "GET", NULL, NULL, e);

	if (rc == SAT_OK)
		cli_print_object(c, doc);
	sat_json_free(doc);
	return rc;
}

/* The id, for scripts; or the document. */
static void
print_made(cli *c, const sat_json *doc)
{
	if (cli_is_json(c))
		cli_print_json(c, doc);
	else
		sat_buf_fmt(&c->out, "%s\n", sat_json_get_str(sat_json_get(doc,
		    "data"), "id", ""));
}

static void
put_option(sat_json *body, const cli *c, const char *option, const char *member)
{
	const char *v = sat_args_get(&c->args, option);

	if (v != NULL && v[0] == '\0')
		sat_json_put_null(body, member);
	else if (v != NULL)
		sat_json_put_str(body, member, v);
}

static void
put_said(sat_json *body, const cli *c)
{
	put_option(body, c, "where", "filter");
	put_option(body, c, "sort", "sort");
	put_option(body, c, "fields", "fields");
}

static sat_rc
run_add(cli *c, sat_err *e)
{
	sat_json *body, *doc = NULL;
	sat_rc rc;

	if (c->args.nargs < 3 || sat_args_get(&c->args, "kind") == NULL)
		return sat_fail_code(e, SAT_EUSAGE, "usage",
		    "for example: satchel view add late --kind account --where "
		    "'next_follow_at<2026-11-01'",
		    "a view has a name and a kind");
	body = sat_json_obj();
	sat_json_put_str(body, "name", c->args.arg[2]);
	put_option(body, c, "kind", "kind");
	put_option(body, c, "share", "share");
	put_said(body, c);
	rc = cli_ask(&doc, c, "POST", "/v1/views", NULL, body, e);
	if (rc == SAT_OK)
		print_made(c, doc);
	sat_json_free(body);
	sat_json_free(doc);
	return rc;
}

static sat_rc
run_edit(cli *c, sat_err *e)
{
	sat_json *body = sat_json_obj(), *q = sat_json_obj(), *doc = NULL;
	sat_rc rc;

	put_option(body, c, "name", "name");
	put_said(body, c);
	if (sat_args_get(&c->args, "if-version") != NULL)
		sat_json_put_str(q, "if_version",
		    sat_args_get(&c->args, "if-version"));
	rc = ask_view(&doc, c, "PATCH", q, body, e);
	if (rc == SAT_OK)
		print_made(c, doc);
	sat_json_free(q);
	sat_json_free(body);
	sat_json_free(doc);
	return rc;
}

static sat_rc
run_delete(cli *c, sat_err *e)
{
	sat_json *doc = NULL;
	sat_rc rc = ask_view(&doc, c, "DELETE", NULL, NULL, e);

	if (rc == SAT_OK && cli_is_json(c))
		cli_print_json(c, doc);
	sat_json_free(doc);
	return rc;
}

char *
cli_view_fields(cli *c, const sat_kind *k)
{
	char *path = sat_xasprintf("/v1/views/%s",
	    sat_args_get(&c->args, "view"));
	sat_json *q = sat_json_obj(), *doc = NULL;
	sat_buf known = { 0 };
	char *words = NULL;
	sat_err e = { 0 };

	sat_json_put_str(q, "kind", k->key);
	/* what is wrong with the view is said by the list itself */
	if (cli_ask(&doc, c, "GET", path, q, NULL, &e) == SAT_OK) {
		const char *p = sat_json_get_str(sat_json_get(doc, "data"),
		    "fields", "");

		for (; *p != '\0'; p += strcspn(p, ","), p += *p == ',') {
			char word[64];

			(void)snprintf(word, sizeof word, "%.*s",
			    (int)strcspn(p, ","), p);
			if (sat_kind_field(k, word) != NULL)
				sat_buf_fmt(&known, "%s%s", known.n > 0 ? "," :
				    "", word);
		}
		if (known.n > 0)
			words = sat_xstrdup(sat_buf_cstr(&known));
	}
	sat_buf_fini(&known);
	sat_json_free(doc);
	sat_json_free(q);
	free(path);
	return words;
}

void
cli_view_notes(cli *c, const sat_json *doc)
{
	const sat_json *n = sat_json_get(sat_json_get(doc, "view"), "notes");

	for (n = sat_json_first(n); n != NULL; n = sat_json_next(n)) {
		const char *field = sat_json_get_str(n, "field", "");

		if (strcmp(sat_json_get_str(n, "code", ""), "retired") == 0)
			cli_say(c, "the view names %s, which is retired\n", field);
		else
			cli_say(c, "the view's %s names %s, which means nothing "
			    "here any more: left out\n",
			    sat_json_get_str(n, "part", ""), field);
	}
}

const cli_verb cli_view_verbs[] = {
	{ "view", "list", run_list, list_options, "view list [--kind K]",
	    "saved views: yours, your team's, everybody's", NULL, false },
	{ "view", "show", run_show, NULL, "view show VIEW", "one of them", NULL,
	    false },
	{ "view", "add", run_add, add_options,
	    "view add NAME --kind K [--where E] [--sort S] [--share W]",
	    "keep a filter, an order and columns under a name",
	    "  satchel view add late --kind account --where 'status=active' "
	    "--sort next_follow_at\n"
	    "  satchel account list --view late\n", false },
	{ "view", "edit", run_edit, edit_options,
	    "view edit VIEW [--name N] [--where E] [--sort S] [--fields F]",
	    "change one of them", NULL, false },
	{ "view", "delete", run_delete, NULL, "view delete VIEW",
	    "delete one of them (restorable)", NULL, false },
};
const size_t cli_view_nverbs = sizeof cli_view_verbs / sizeof cli_view_verbs[0];
