/*
 * A usage text, "account stage ID STAGE [--reason R]", read for how many words
 * it has places for.
 */
#include "common/base/args.h"

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
sat_usage_words(const char *usage)
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
