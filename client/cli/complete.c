/*
 * __complete NOUN VERB: what may be typed where a record is named. Only through
 * the daemon: a key on the keyboard must not ask for a passphrase. Nothing is
 * said when nothing is known.
 */
#include "client/cli/cli_int.h"

#include <stdlib.h>
#include <string.h>

#define OFFERED "200"

static bool
names_a_record(const char *verb)
{
	static const char *const verbs[] = { "show", "edit", "delete", "restore",
		"merge", "assign", "stage", "tag", "close", "done", "snooze",
		"reveal", "standard", "convert", "discard", "claim", "release",
		"leave", "judge", "submit", "approve", "reject", "amend" };

	for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
		if (strcmp(verbs[i], verb) == 0)
			return true;
	return false;
}

/* The number where the kind has one, else the id. */
static void
offer(cli *c, const sat_kind *k, const sat_json *doc)
{
	const sat_json *r = sat_json_first(sat_json_get(doc, "data"));

	for (; r != NULL; r = sat_json_next(r)) {
		const char *number = k->number_prefix != NULL ?
		    sat_json_get_str(r, "number", NULL) : NULL;

		sat_buf_fmt(&c->out, "%s\n", number != NULL ? number :
		    sat_json_get_str(r, "id", ""));
	}
}

static const char *
kind_named(const cli *c)
{
	const char *noun = c->args.arg[1], *verb = c->args.nargs > 2 ?
	    c->args.arg[2] : "";

	if (strcmp(noun, "follow") == 0)
		return "activity";
	if (strcmp(noun, "survey") == 0)
		return "response";
	if (strcmp(noun, "pool") == 0 || (strcmp(noun, "log") == 0 &&
	    verb[0] == '\0'))
		return "account";
	return names_a_record(verb) ? noun : NULL;
}

sat_rc
cli_complete_run(cli *c, sat_err *e)
{
	const char *noun = c->args.nargs > 1 ? kind_named(c) : NULL;
	sat_json *q, *doc = NULL;
	const sat_kind *k;
	char *path;

	if (noun == NULL || !cli_reach(c) || cli_remote_begin(c, e) != SAT_OK ||
	    cli_template(c) == NULL ||
	    (k = sat_template_kind(cli_template(c), noun)) == NULL)
		return SAT_OK;
	path = sat_xasprintf("/v1/%s", k->plural);
	q = sat_json_obj();
	sat_json_put_str(q, "limit", OFFERED);
	sat_json_put_str(q, "fields", k->number_prefix != NULL ? "number" : "id");
	if (cli_ask(&doc, c, "GET", path, q, NULL, e) == SAT_OK)
		offer(c, k, doc);
	sat_json_free(doc);
	sat_json_free(q);
	free(path);
	return SAT_OK;
}
