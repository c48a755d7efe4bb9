/*
 * How many words a verb takes: its usage says so, and nothing else has to.
 *
 * A word too many is refused, not left aside: `account delete A B` that deletes
 * A alone, or `account list won` that lists everything, is worse than an error.
 */
#include "client/cli/cli_int.h"

#include <string.h>

sat_rc
cli_words_fit(const cli *c, const cli_verb *v, sat_err *e)
{
	size_t named = v->verb != NULL ? 2 : 1;

	if (v->noun[0] == '_') /* of the program's own, for shells */
		return SAT_OK;
	if (c->args.nargs > sat_usage_words(v->usage)) {
		char hint[200];

		(void)snprintf(hint, sizeof hint, N_("usage: satchel %s"),
		    v->usage);
		return sat_fail_code(e, SAT_EUSAGE, "usage", hint,
		    "there is a word too many");
	}
	/* what stands behind it may be a value, and no value a value */
	if (c->args.nargs > named && c->args.arg[named][0] == '\0')
		return sat_fail_code(e, SAT_EUSAGE, "usage",
		    "an id, a unique beginning of it, or a number",
		    "an empty word names nothing");
	return SAT_OK;
}
