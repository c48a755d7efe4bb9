/*
 * worklist: whom somebody has to be in touch with, by the company's standard.
 */
#include "client/cli/cli_int.h"

#include <stdlib.h>
#include <string.h>

static const sat_opt worklist_options[] = {
	{ "due", 0, "WHEN", "now (default), today, overdue, escalated, all" },
	{ "owner", 0, "USER", "only this owner's (me)" },
	{ "limit", 0, "N", "only the first N" },
	{ "stuck", 0, NULL, "what is too long in its stage instead" },
	{ "waiting", 0, NULL, "what waits for an approval instead" },
	{ "check", 0, NULL, "exit 20 when there is anything" },
	{ NULL, 0, NULL, NULL },
};

sat_rc
cli_worklist(cli *c, sat_err *e)
{
	static const cli_column cols[] = { { "number", "number", CELL_WHOLE },
		{ "title", "customer", CELL_PLAIN },
		{ "grade", "grade", CELL_LABEL },
		{ "owner", "owner", CELL_PLAIN },
		{ "last_follow_at", "last", CELL_TIME },
		{ "due", "due", CELL_TIME }, { "state", "state", CELL_LABEL },
		{ "days_late", "days late", CELL_NUMBER },
		{ "told", "told", CELL_PLAIN } };
	static const char *const flags[] = { "due", "owner", "as-of",
		"limit" };
	sat_json *doc = NULL, *q = sat_json_obj();
	size_t n;
	sat_rc rc;

	if (sat_args_has(&c->args, "stuck")) {
		sat_json_free(q);
		return cli_stuck(c, "opportunity", e);
	}
	if (sat_args_has(&c->args, "waiting")) {
		sat_json_free(q);
		return cli_approvals(c, e);
	}
	for (size_t i = 0; i < 4; i++) {
		const char *v = sat_args_get(&c->args, flags[i]);

		if (v != NULL)
			sat_json_put_str(q, i == 2 ? "as_of" : flags[i], v);
	}
	rc = cli_ask(&doc, c, "GET", "/v1/worklist", q, NULL, e);
	sat_json_free(q);
	n = sat_json_count(sat_json_get(doc, "data"));
	if (rc == SAT_OK)
		cli_print_or_none(c, doc, cols, sizeof cols / sizeof cols[0],
		    "nobody is waiting");
	if (rc == SAT_OK && n < (size_t)sat_json_get_int(doc, "total", 0))
		cli_say(c, "%zu of %lld\n", n,
		    (long long)sat_json_get_int(doc, "total", 0));
	if (rc == SAT_OK && n > 0 && sat_args_has(&c->args, "check"))
		rc = sat_fail_code(e, SAT_EFALSE, "worklist", NULL,
		    "%zu customers are waiting", n);
	sat_json_free(doc);
	return rc;
}

static sat_rc
run_standard(cli *c, sat_err *e)
{
	sat_json *doc = NULL;
	char *path;
	const char *id;
	sat_rc rc = cli_need_id(c, &id, e);

	if (rc != SAT_OK)
		return rc;
	path = sat_xasprintf("/v1/accounts/%s/standard", id);
	rc = cli_ask(&doc, c, "GET", path, NULL, NULL, e);
	free(path);
	if (rc == SAT_OK && cli_is_json(c))
		cli_print_json(c, doc);
	else if (rc == SAT_OK)
		cli_print_object(c, doc);
	sat_json_free(doc);
	return rc;
}

void
cli_recent_contact(cli *c, const char *account)
{
	char *path = sat_xasprintf("/v1/accounts/%s/standard", account);
	const sat_json *r;
	sat_json *doc = NULL;
	sat_buf when = { 0 };
	sat_err e = { 0 };

	if (cli_ask(&doc, c, "GET", path, NULL, NULL, &e) == SAT_OK) {
		r = sat_json_get(doc, "recent_contact");
		if (sat_json_get_str(r, "by", NULL) != NULL) {
			cli_time_text(&when, c, sat_json_get_str(r, "at", ""));
			cli_say(c, "%s was in touch with this customer at %s\n",
			    sat_json_get_str(r, "by", ""), sat_buf_cstr(&when));
		}
	}
	sat_buf_fini(&when);
	sat_json_free(doc);
	free(path);
}

const cli_verb cli_standard_verbs[] = {
	{ "worklist", NULL, cli_worklist, worklist_options,
	    "worklist [--due WHEN] [--owner USER]",
	    "customers somebody has to be in touch with",
	    "  satchel worklist --owner me\n"
	    "  satchel worklist --due escalated\n"
	    "  satchel worklist --stuck\n"
	    "  satchel worklist --waiting\n", false },
	{ "account", "standard", run_standard, NULL, "account standard ID",
	    "grade, due follow-up, services, last contact", NULL,
	    false },
};
const size_t cli_standard_nverbs =
    sizeof cli_standard_verbs / sizeof cli_standard_verbs[0];
