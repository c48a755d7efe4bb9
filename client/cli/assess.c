/*
 * report assess: how the process stands, several reports in one document.
 */
#include "client/cli/cli_int.h"

#include <string.h>

static const sat_opt assess_options[] = {
	{ "period", 0, "P", "2026-Q4, 2026, A..B (the quarter before this one)" },
	{ "param", 0, "K=V", "filter, for example team=east" },
	{ "output", 'o', "FILE", "the page goes there" },
	{ NULL, 0, NULL, NULL },
};

static sat_rc
run_assess(cli *c, sat_err *e)
{
	sat_json *q = sat_json_obj(), *keys = sat_json_put_arr(q, "reports"),
		 *params = sat_json_put_arr(q, "params"), *doc = NULL;
	const char *v;
	size_t i = 0;
	sat_rc rc;

	for (size_t k = 2; k < c->args.nargs; k++)
		sat_json_add_str(keys, c->args.arg[k]);
	while ((v = sat_args_next(&c->args, "param", &i)) != NULL)
		sat_json_add_str(params, v);
	if ((v = sat_args_get(&c->args, "period")) != NULL)
		sat_json_put_str(q, "period", v);
	if ((v = sat_args_get(&c->args, "as-of")) != NULL)
		sat_json_put_str(q, "as_of", v);
	rc = cli_ask(&doc, c, "GET", "/v1/reports/assessment", q, NULL, e);
	if (rc == SAT_OK && cli_is_json(c))
		cli_print_json(c, doc);
	else if (rc == SAT_OK)
		rc = cli_assessment_file(c, doc, _("Assessment of the process"),
		    sat_args_get(&c->args, "output"), e);
	sat_json_free(q);
	sat_json_free(doc);
	return rc;
}

const cli_verb cli_assess_verbs[] = {
	{ "report", "assess", run_assess, assess_options,
	    "report assess [KEY...] [--period P] [-o FILE]",
	    "how the process stands: several reports in one page",
	    "  satchel report assess --period 2026-Q3 -o assessment.html\n"
	    "  satchel report assess won csat complaints --period 2026\n", false },
};
const size_t cli_assess_nverbs = sizeof cli_assess_verbs /
    sizeof cli_assess_verbs[0];
