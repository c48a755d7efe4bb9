/*
 * template pack, apply: the template as a file. list, update: the same as log,
 * and as a sync that only receives.
 */
#include "client/cli/cli_int.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The daemon has another working directory. */
static char *
whole_path(const char *name)
{
	char *cwd = name[0] != '/' ? getcwd(NULL, 0) : NULL, *path;

	path = cwd != NULL ? sat_xasprintf("%s/%s", cwd, name)
	                   : sat_xstrdup(name);
	free(cwd);
	return path;
}

static sat_rc
run_file(cli *c, sat_err *e)
{
	const char *verb = c->args.arg[1];
	char *path, *route;
	sat_json *body, *doc = NULL;
	sat_rc rc;

	if (c->args.nargs < 3)
		return sat_fail_code(e, SAT_EUSAGE, "usage", NULL,
		    "usage: satchel template %s FILE", verb);
	path = whole_path(c->args.arg[2]);
	route = sat_xasprintf("/v1/templates/%s", verb);
	body = sat_json_obj();
	sat_json_put_str(body, "file", path);
	rc = cli_ask(&doc, c, "POST", route, NULL, body, e);
	if (rc == SAT_OK && cli_is_json(c))
		cli_print_json(c, doc);
	else if (rc == SAT_OK && !sat_json_get_bool(doc, "changed", true))
		cli_say(c, "this template is in force already\n");
	else if (rc == SAT_OK)
		cli_say(c, "template %s (%.7s)\n",
		    sat_json_get_str(doc, "version", ""),
		    sat_json_get_str(doc, "rev", ""));
	sat_json_free(doc);
	sat_json_free(body);
	free(route);
	free(path);
	return rc;
}

/* Which revision counts the server decides; whoever names one wants to know that
 * it is that. */
static sat_rc
must_be(cli *c, const char *rev, sat_err *e)
{
	sat_json *doc = NULL;
	const sat_json *r;
	size_t n = strlen(rev);
	bool first = true, found = false;
	sat_rc rc = cli_ask(&doc, c, "GET", "/v1/templates", NULL, NULL, e);

	for (r = sat_json_first(sat_json_get(doc, "data")); rc == SAT_OK &&
	     r != NULL && !found; r = sat_json_next(r), first = false)
		if ((found = n >= 7 && strncmp(sat_json_get_str(r, "rev", ""),
		    rev, n) == 0) && !first)
			rc = sat_fail_code(e, SAT_ECONFLICT, "template.revision",
			    "see: satchel template log",
			    "a later template than %.40s is in force", rev);
	if (rc == SAT_OK && !found)
		rc = sat_fail_code(e, SAT_ENOTFOUND, "template.revision",
		    "see: satchel template log",
		    "'%.40s' is not one revision of the template", rev);
	sat_json_free(doc);
	return rc;
}

static const sat_opt update_options[] = {
	{ "to", 0, "REV", "fail unless this revision is in force then" },
	{ NULL, 0, NULL, NULL },
};

static sat_rc
run_update(cli *c, sat_err *e)
{
	sat_json *body = sat_json_obj(), *doc = NULL;
	sat_rc rc;

	sat_json_put_str(body, "only", "pull");
	rc = cli_ask(&doc, c, "POST", "/v1/sync/run", NULL, body, e);
	cli_progress_end(c);
	if (rc == SAT_OK && sat_args_has(&c->args, "to"))
		rc = must_be(c, sat_args_get(&c->args, "to"), e);
	if (rc == SAT_OK && cli_is_json(c))
		cli_print_json(c, doc);
	else if (rc == SAT_OK)
		cli_say(c, sat_json_get_bool(doc, "template_changed", false) ?
		    N_("there is a new template\n") :
		    N_("this template is in force already\n"));
	sat_json_free(doc);
	sat_json_free(body);
	return rc;
}

const cli_verb cli_template_verbs[] = {
	{ "template", "pack", run_file, NULL, "template pack FILE",
	    "the template in force as a signed file, to be carried",
	    "  satchel template pack /media/usb/template.sat\n", false },
	{ "template", "apply", run_file, NULL, "template apply FILE",
	    "take a newer template from such a file", NULL, false },
	{ "template", "update", run_update, update_options,
	    "template update [--to REV]",
	    "fetch what the server published", NULL, false },
};
const size_t cli_template_nverbs =
    sizeof cli_template_verbs / sizeof cli_template_verbs[0];
