/*
 * feed: what a team did.
 */
#include "client/cli/cli_int.h"

#include <stdlib.h>

static const sat_opt feed_options[] = {
	{ "user", 0, "USER", "only this person's (me)" },
	{ "day", 0, "DAY", "2026-11-22, today, yesterday" },
	{ "limit", 0, "N", "so many (50)" },
	{ NULL, 0, NULL, NULL },
};

static sat_rc
run_feed(cli *c, sat_err *e)
{
	static const cli_column cols[] = { { "at", "at", CELL_TIME },
		{ "user", "who", CELL_PLAIN }, { "what", "what", CELL_SAID },
		{ "kind", "kind", CELL_KIND }, { "title", "title", CELL_PLAIN },
		{ "customer", "customer", CELL_PLAIN },
		{ "stage", "stage", CELL_STAGE } };
	sat_json *q = sat_json_obj(), *doc = NULL;
	sat_rc rc;

	for (const sat_opt *o = feed_options; o->name != NULL; o++)
		if (sat_args_get(&c->args, o->name) != NULL)
			sat_json_put_str(q, o->name,
			    sat_args_get(&c->args, o->name));
	rc = cli_ask(&doc, c, "GET", "/v1/feed", q, NULL, e);
	if (rc == SAT_OK)
		cli_print_or_none(c, doc, cols, 7, "nothing happened");
	sat_json_free(q);
	sat_json_free(doc);
	return rc;
}

const cli_verb cli_feed_verbs[] = {
	{ "feed", NULL, run_feed, feed_options, "feed [--user U] [--day D]",
	    "what happened lately, and by whom", "  satchel feed --day today\n"
	    "  satchel feed --user li.na --limit 20\n", false },
};
const size_t cli_feed_nverbs = sizeof cli_feed_verbs / sizeof cli_feed_verbs[0];
