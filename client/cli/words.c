/*
 * How many words a verb takes: its usage says so, and nothing else has to.
 *
 * A word too many is refused, not left aside: `account delete A B` that deletes
 * A alone, or `account list won` that lists everything, is worse than an error.
 */
#include "client/cli/cli_int.h"

#include <string.h>

/* The next token of a usage text; "" at the end. */
static sat_span
token(const char **p)
{
	const char *s = *p + strspn(*p, " ");
	size_t n = strcspn(s, " ");

	*p = s + n;
	return (sat_span){ (const uint8_t *)s, n };
}

static bool
has(sat_span s, const char *what)
{
	return memmem(s.p, s.n, what, strlen(what)) != NULL;
}

/* "--set", "[--set", "-o", "[-f": behind it stands its value, if anything. */
static bool
is_option(sat_span s)
{
	return s.p[0] == '-' || (s.n > 1 && s.p[0] == '[' && s.p[1] == '-');
}

size_t
cli_words_max(const char *usage)
{
	bool value = false;
	const char *p = usage;
	size_t n = 0;

	for (;;) {
		sat_span s = token(&p);

		if (s.n == 0)
			return n;
		if (is_option(s)) {
			value = s.p[s.n - 1] != ']';
		} else if (s.p[0] == '|' || value || has(s, "[OPTIONS]")) {
			value = has(s, "|-"); /* "--pass ROW|--fail ROW" */
		} else if (has(s, "...") || s.p[0] == '+') {
			return SAT_ARGS_MAX;
		} else {
			n++;
		}
	}
}

sat_rc
cli_words_fit(const cli *c, const cli_verb *v, sat_err *e)
{
	size_t named = v->verb != NULL ? 2 : 1;

	if (v->noun[0] == '_') /* of the program's own, for shells */
		return SAT_OK;
	if (c->args.nargs > cli_words_max(v->usage)) {
		char hint[200];

		(void)snprintf(hint, sizeof hint, N_("usage: satchel %s"),
		    v->usage);
		return sat_fail_code(e, SAT_EUSAGE, "usage", hint,
		    "there is a word too many");
	}
	for (size_t i = named; i < c->args.nargs; i++)
		if (c->args.arg[i][0] == '\0' && strcmp(v->noun, "config") != 0)
			return sat_fail_code(e, SAT_EUSAGE, "usage",
			    "an id, a unique beginning of it, or a number",
			    "an empty word names nothing");
	return SAT_OK;
}
