/*
 * args.h - option tables: parsing, help and completion come from one place.
 *
 * GNU rules: --name VALUE, --name=VALUE, -n VALUE, -nVALUE, "--" ends options,
 * "-" is an argument, options and arguments may mix.
 */
#ifndef SAT_BASE_ARGS_H
#define SAT_BASE_ARGS_H

#include "common/base/buf.h"

typedef struct sat_opt {
	const char *name;  /* long name; NULL ends a table */
	char letter;       /* 0 = none */
	const char *value; /* "FILE"; NULL = a flag */
	const char *help;  /* one line */
} sat_opt;

#define SAT_ARGS_MAX 256 /* options given, and arguments: the rest is refused */
typedef struct sat_args {
	struct {
		const sat_opt *opt;
		const char *value; /* "" for flags */
	} given[SAT_ARGS_MAX];
	size_t ngiven;
	const char *arg[SAT_ARGS_MAX];
	size_t nargs;
} sat_args;

/* Parse argv[0..argc) (no program name) by up to two tables (either may be
 * NULL). Strings are borrowed from argv. SAT_EUSAGE names the option, and the
 * nearest known one. */
SAT_CHECK sat_rc sat_args_parse(sat_args *a, int argc, char *const *argv,
    const sat_opt *t1, const sat_opt *t2, sat_err *e);
bool sat_args_has(const sat_args *a, const char *name);
/* Last value given, or NULL. */
const char *sat_args_get(const sat_args *a, const char *name);
/* Values of a repeatable option: *i starts at 0; NULL at the end. */
const char *sat_args_next(const sat_args *a, const char *name, size_t *i);
/* A whole number of an option; SAT_EUSAGE when it is none. */
SAT_CHECK sat_rc sat_args_int(int64_t *v, const sat_args *a, const char *name,
    int64_t dflt, sat_err *e);
/* "15m", "2h", "30d", "10s", "500ms" -> ms. */
bool sat_duration_parse(int64_t *ms, const char *s);
/* "  -n, --name FILE   help" lines, aligned; `words` translates the help (NULL:
 * it stays as it is). */
void sat_args_help(sat_buf *out, const sat_opt *table,
    const char *(*words)(const char *english));
/* The words, not options nor their values, that a usage text has places for:
 * "stage ID STAGE [--reason R]" three; SAT_ARGS_MAX when one of them is
 * followed by "..." or begins with "+". */
size_t sat_usage_words(const char *usage);
/* Nearest word within distance 2, or NULL (did you mean). */
const char *sat_nearest(const char *word, const char *const *words, size_t n);

#endif
