#include "common/base/args.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORD_MAX 40

static size_t
distance(const char *a, const char *b)
{
	size_t row[WORD_MAX + 1], la = strlen(a), lb = strlen(b);

	if (la > WORD_MAX || lb > WORD_MAX)
		return WORD_MAX;
	for (size_t j = 0; j <= lb; j++)
		row[j] = j;
	for (size_t i = 1; i <= la; i++) {
		size_t diag = row[0];

		row[0] = i;
		for (size_t j = 1; j <= lb; j++) {
			size_t up = row[j], best = diag + (a[i - 1] != b[j - 1]);

			if (up + 1 < best)
				best = up + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			diag = up;
			row[j] = best;
		}
	}
	return row[lb];
}

const char *
sat_nearest(const char *word, const char *const *words, size_t n)
{
	const char *best = NULL;
	size_t least = 3;

	for (size_t i = 0; i < n; i++) {
		size_t d = distance(word, words[i]);

		if (d < least && d < strlen(words[i])) {
			least = d;
			best = words[i];
		}
	}
	return best;
}

static const sat_opt *
find(const sat_opt *t, const char *name, size_t n, char letter)
{
	for (; t != NULL && t->name != NULL; t++)
		if (letter != 0 ? t->letter == letter
		                : strlen(t->name) == n &&
		            strncmp(t->name, name, n) == 0)
			return t;
	return NULL;
}

static sat_rc
unknown(const sat_opt *t1, const sat_opt *t2, const char *arg, sat_err *e)
{
	const char *words[2 * SAT_ARGS_MAX], *near;
	size_t n = 0;
	char hint[100] = "";

	for (; t1 != NULL && t1->name != NULL && n < SAT_ARGS_MAX; t1++)
		words[n++] = t1->name;
	for (; t2 != NULL && t2->name != NULL && n < 2 * SAT_ARGS_MAX; t2++)
		words[n++] = t2->name;
	near = arg[1] == '-' ? sat_nearest(arg + 2, words, n) : NULL;
	if (near != NULL)
		(void)snprintf(hint, sizeof hint, "did you mean --%s?", near);
	return sat_fail_code(e, SAT_EUSAGE, "usage.option", hint,
	    "unknown option %s", arg);
}

static sat_rc
give(sat_args *a, const sat_opt *o, const char *value, sat_err *e)
{
	if (a->ngiven >= SAT_ARGS_MAX)
		return sat_fail(e, SAT_EUSAGE, "too many options");
	a->given[a->ngiven].opt = o;
	a->given[a->ngiven++].value = value;
	return SAT_OK;
}

/* One word that begins with '-'; *i moves on when it takes the next one. */
static sat_rc
option(sat_args *a, int *i, int argc, char *const *argv, const sat_opt *t1,
    const sat_opt *t2, sat_err *e)
{
	const char *arg = argv[*i], *value = NULL;
	bool is_long = arg[1] == '-';
	size_t n = is_long ? strcspn(arg + 2, "=") : 1;
	const sat_opt *o;

	o = find(t1, arg + 2, n, is_long ? 0 : arg[1]);
	if (o == NULL)
		o = find(t2, arg + 2, n, is_long ? 0 : arg[1]);
	if (o == NULL)
		return unknown(t1, t2, arg, e);
	if (is_long && arg[2 + n] == '=')
		value = arg + 2 + n + 1;
	else if (!is_long && arg[2] != '\0')
		value = arg + 2;
	if (o->value == NULL) {
		if (value != NULL && is_long)
			return sat_fail_code(e, SAT_EUSAGE, "usage.option", NULL,
			    "option --%s takes no value", o->name);
		if (value != NULL) /* -qv: letters run together */
			for (const char *p = value; *p != '\0'; p++) {
				const sat_opt *more = find(t1, NULL, 0, *p);

				if (more == NULL)
					more = find(t2, NULL, 0, *p);
				if (more == NULL || more->value != NULL ||
				    give(a, more, "", e) != SAT_OK)
					return unknown(t1, t2, arg, e);
			}
		return give(a, o, "", e);
	}
	if (value == NULL) {
		if (*i + 1 >= argc)
			return sat_fail_code(e, SAT_EUSAGE, "usage.option", NULL,
			    "option --%s needs a value: %s", o->name, o->value);
		value = argv[++*i];
	}
	return give(a, o, value, e);
}

sat_rc
sat_args_parse(sat_args *a, int argc, char *const *argv, const sat_opt *t1,
    const sat_opt *t2, sat_err *e)
{
	bool only_args = false;
	sat_rc rc;

	a->ngiven = 0;
	a->nargs = 0;
	for (int i = 0; i < argc; i++) {
		if (!only_args && strcmp(argv[i], "--") == 0) {
			only_args = true;
			continue;
		}
		if (!only_args && argv[i][0] == '-' && argv[i][1] != '\0') {
			if ((rc = option(a, &i, argc, argv, t1, t2, e)) != SAT_OK)
				return rc;
			continue;
		}
		if (a->nargs >= SAT_ARGS_MAX)
			return sat_fail(e, SAT_EUSAGE, "too many arguments");
		a->arg[a->nargs++] = argv[i];
	}
	return SAT_OK;
}

const char *
sat_args_next(const sat_args *a, const char *name, size_t *i)
{
	while (*i < a->ngiven) {
		size_t k = (*i)++;

		if (strcmp(a->given[k].opt->name, name) == 0)
			return a->given[k].value;
	}
	return NULL;
}

const char *
sat_args_get(const sat_args *a, const char *name)
{
	const char *last = NULL, *v;
	size_t i = 0;

	while ((v = sat_args_next(a, name, &i)) != NULL)
		last = v;
	return last;
}

bool
sat_args_has(const sat_args *a, const char *name)
{
	return sat_args_get(a, name) != NULL;
}

sat_rc
sat_args_int(int64_t *v, const sat_args *a, const char *name, int64_t dflt,
    sat_err *e)
{
	const char *s = sat_args_get(a, name);
	char *end;

	*v = dflt;
	if (s == NULL)
		return SAT_OK;
	*v = strtoll(s, &end, 10);
	if (end == s || *end != '\0')
		return sat_fail_code(e, SAT_EUSAGE, "usage.option", NULL,
		    "option --%s needs a whole number", name);
	return SAT_OK;
}

bool
sat_duration_parse(int64_t *ms, const char *s)
{
	static const struct {
		const char *unit;
		int64_t ms;
	} units[] = { { "ms", 1 }, { "s", 1000 }, { "m", 60000 },
		{ "h", 3600000 }, { "d", 86400000 }, { "", 1000 } };
	char *end;
	long long n = strtoll(s, &end, 10);

	if (end == s || n < 0 || n > 1000000000)
		return false;
	for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
		if (strcmp(end, units[i].unit) == 0) {
			*ms = n * units[i].ms;
			return true;
		}
	return false;
}

void
sat_args_help(sat_buf *out, const sat_opt *table,
    const char *(*words)(const char *english))
{
	for (const sat_opt *o = table; o != NULL && o->name != NULL; o++) {
		char left[64];

		(void)snprintf(left, sizeof left, "%c%c%s--%s%s%s",
		    o->letter != 0 ? '-' : ' ', o->letter != 0 ? o->letter : ' ',
		    o->letter != 0 ? ", " : "  ", o->name,
		    o->value != NULL ? " " : "", o->value != NULL ? o->value : "");
		sat_buf_fmt(out, "  %-32s %s\n", left,
		    words != NULL ? words(o->help) : o->help);
	}
}
