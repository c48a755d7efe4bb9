/*
 * search: everything by what a person remembers of it.
 */
#include "client/cli/cli_int.h"

#include <stdlib.h>
#include <string.h>

static const sat_opt search_options[] = {
	{ "type", 0, "KIND", "only this kind, all its texts (repeatable)" },
	{ "limit", 0, "N", "rows (20)" },
	{ NULL, 0, NULL, NULL },
};

/* The words behind "search" are one text. */
static void
put_text(sat_json *q, const cli *c)
{
	sat_buf b = { 0 };

	for (size_t i = 1; i < c->args.nargs; i++)
		sat_buf_fmt(&b, "%s%s", i > 1 ? " " : "", c->args.arg[i]);
	sat_json_put_str(q, "q", sat_buf_cstr(&b));
	sat_buf_fini(&b);
}

static void
put_types(sat_json *q, const cli *c)
{
	sat_buf b = { 0 };
	const char *v;
	size_t i = 0;

	while ((v = sat_args_next(&c->args, "type", &i)) != NULL)
		sat_buf_fmt(&b, "%s%s", b.n > 0 ? "," : "", v);
	if (b.n > 0)
		sat_json_put_str(q, "type", sat_buf_cstr(&b));
	sat_buf_fini(&b);
}

static sat_rc
search(cli *c, sat_err *e)
{
	static const cli_column cols[] = { { "type", "type", CELL_KIND },
		{ "id", "id", CELL_ID }, { "number", "number", CELL_WHOLE },
		{ "title", "title", CELL_PLAIN },
		{ "field", "field", CELL_FIELD }, { "text", "text", CELL_PLAIN },
		{ "parent_title", "under", CELL_PLAIN } };
	const char *limit = sat_args_get(&c->args, "limit");
	sat_json *q = sat_json_obj(), *doc = NULL;
	int64_t total;
	size_t shown;
	sat_rc rc;

	put_text(q, c);
	put_types(q, c);
	if (limit != NULL)
		sat_json_put_str(q, "limit", limit);
	rc = cli_ask(&doc, c, "GET", "/v1/search", q, NULL, e);
	if (rc == SAT_OK) {
		cli_print_or_none(c, doc, cols, 7, "nothing found");
		total = sat_json_get_int(sat_json_get(doc, "page"), "total", 0);
		shown = sat_json_count(sat_json_get(doc, "data"));
		if (cli_format_of(c) == FMT_TABLE && total > (int64_t)shown)
			cli_say(c, "%zu of %lld; --limit N for more\n", shown,
			    (long long)total);
	}
	sat_json_free(q);
	sat_json_free(doc);
	return rc;
}

const cli_verb cli_search_verbs[] = {
	{ "search", NULL, search, search_options,
	    "search TEXT... [--type T]... [--limit N]",
	    "by characters, pinyin, initials, number, phone tail",
	    "  satchel search 华为\n  satchel search hwjs\n"
	    "  satchel search 5678 --type account --type contact\n", false },
};
const size_t cli_search_nverbs = sizeof cli_search_verbs /
    sizeof cli_search_verbs[0];
