/*
 * sim --seed N [--count K] [--steps N] [--trace] [--twin] [--bug NAME]
 *     [--counters FILE]
 *
 * Runs histories from one seed each. The first one that does not hold is
 * printed with the command that repeats it.
 */
#include "tests/sim/sim.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/args.h"

#define FAILURES_MAX 5

uint64_t sim_count[N_COUNTERS];

static const struct {
	const char *name, *text;
	int rare;
} counters[] = {
#define X(name, text, rare) { #name, text, rare },
	COUNTERS(X)
#undef X
};

static const struct {
	const char *name;
	unsigned bug;
} bugs[] = {
	{ "NO_TIE_BREAK", SAT_BUG_NO_TIE_BREAK },
	{ "HLC_NOT_PERSISTED", SAT_BUG_HLC_NOT_PERSISTED },
	{ "ACK_BEFORE_COMMIT", SAT_BUG_ACK_BEFORE_COMMIT },
	{ "CURSOR_OUTSIDE_TXN", SAT_BUG_CURSOR_OUTSIDE_TXN },
	{ "ACK_PAST_GAP", SAT_BUG_ACK_PAST_GAP },
	{ "SYNC_NORMAL", SAT_BUG_SYNC_NORMAL },
	{ "SREM_IGNORES_SEEN", SAT_BUG_SREM_IGNORES_SEEN },
	{ "VERDICT_LOST_ON_RETRY", SAT_BUG_VERDICT_LOST_ON_RETRY },
	{ "REVIEW_AS_LWW", SAT_BUG_REVIEW_AS_LWW },
	{ "SCOPE_LEAK", SAT_BUG_SCOPE_LEAK },
	{ "HOLD_IGNORED", SAT_BUG_HOLD_IGNORED },
	{ "CLAIM_UNLIMITED", SAT_BUG_CLAIM_UNLIMITED },
	{ "POOL_UNMASKED", SAT_BUG_POOL_UNMASKED },
	{ "ERASED_IN_LOG", SAT_BUG_ERASED_IN_LOG },
	{ "ERASED_KEPT", SAT_BUG_ERASED_KEPT },
	{ "NUMBER_TWICE", SAT_BUG_NUMBER_TWICE },
	{ "FORK_UNSEEN", SAT_BUG_FORK_UNSEEN },
	{ "HALF_COMMIT", SAT_BUG_HALF_COMMIT },
	{ "SYNC_TWICE", SAT_BUG_SYNC_TWICE },
	{ "KEYS_UNSAVED", SAT_BUG_KEYS_UNSAVED },
};

static const sat_opt options[] = {
	{ "seed", 's', "N", "first seed" },
	{ "count", 'n', "N", "how many histories" },
	{ "steps", 0, "N", "steps of a history, to make a failing one shorter" },
	{ "trace", 't', NULL, "print what happens" },
	{ "twin", 0, NULL, "run each history twice and compare" },
	{ "bug", 0, "NAME", "plant a bug (a build with BUGS=1), or list" },
	{ "counters", 0, "FILE", "write the counters, one a line" },
	{ "help", 'h', NULL, "this" },
	{ NULL, 0, NULL, NULL },
};

void
sim_fail(world *w, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(w->why, sizeof w->why, fmt, ap);
	va_end(ap);
	longjmp(w->on_fail, 1);
}

void
sim_trace(world *w, const char *fmt, ...)
{
	char line[500];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(line, sizeof line, fmt, ap);
	va_end(ap);
	if (n >= (int)sizeof line)
		n = (int)sizeof line - 1;
	sat_hasher_add(&w->hash, sat_span_of(line, (size_t)n));
	if (w->tracing)
		(void)printf("%5llu %13lld  %s\n", (unsigned long long)w->step,
		    (long long)(w->now_ms - 1780000000000), line);
}

void
sim_trace_bytes(world *w, sat_span b)
{
	sat_hasher_add(&w->hash, b);
}

static void
print_counters(FILE *f, bool names)
{
	for (size_t i = 0; i < N_COUNTERS; i++)
		if (names)
			(void)fprintf(f, "%s %llu %d\n", counters[i].name,
			    (unsigned long long)sim_count[i], counters[i].rare);
		else
			(void)fprintf(f, "%12llu  %s\n",
			    (unsigned long long)sim_count[i], counters[i].text);
}

static int
write_counters(const char *path)
{
	FILE *f = fopen(path, "w");

	if (f == NULL) {
		perror(path);
		return 2;
	}
	print_counters(f, true);
	return fclose(f) == 0 ? 0 : 2;
}

static int
choose_bug(const char *name)
{
	for (size_t i = 0; i < sizeof bugs / sizeof bugs[0]; i++) {
		if (strcmp(name, "list") == 0)
			(void)printf("%s\n", bugs[i].name);
		if (strcmp(name, bugs[i].name) != 0)
			continue;
#ifdef SAT_BUGS
		sat_bugs = bugs[i].bug;
		return 0;
#else
		(void)fprintf(stderr, "sim: build with BUGS=1 for --bug\n");
		return 2;
#endif
	}
	if (strcmp(name, "list") == 0)
		return -1;
	(void)fprintf(stderr, "sim: no such bug: %s\n", name);
	return 2;
}

static bool
one(run_opts *o, bool twin, const char *bug)
{
	uint8_t a[SAT_HASH_BYTES], b[SAT_HASH_BYTES];
	char why[600];
	bool good = sim_history(o, a, why);

	if (good && twin) {
		good = sim_history(o, b, why);
		if (good && memcmp(a, b, sizeof a) != 0) {
			good = false;
			(void)snprintf(why, sizeof why, "property 25: the same "
			    "seed gave two histories");
		}
	}
	if (!good) {
		(void)printf("FAIL seed %llu: %s\n  %s/tests/sim/sim --seed "
		    "%llu --trace%s%s\n", (unsigned long long)o->seed, why,
		    getenv("SAT_BUILD") != NULL ? getenv("SAT_BUILD") : "build",
		    (unsigned long long)o->seed, bug != NULL ? " --bug " : "",
		    bug != NULL ? bug : "");
		(void)fflush(stdout);
	}
	return good;
}

static int
run(const sat_args *args)
{
	run_opts o = { .trace = sat_args_has(args, "trace") };
	const char *bug = sat_args_get(args, "bug");
	int64_t seed, count, steps;
	uint64_t passed = 0, failed = 0;
	sat_err e = { 0 };
	int rc;

	if (sat_args_int(&seed, args, "seed", 1, &e) != SAT_OK ||
	    sat_args_int(&count, args, "count", 1, &e) != SAT_OK ||
	    sat_args_int(&steps, args, "steps", 0, &e) != SAT_OK) {
		(void)fprintf(stderr, "sim: %s\n", e.text);
		return 2;
	}
	if (bug != NULL && (rc = choose_bug(bug)) != 0)
		return rc < 0 ? 0 : rc;
	o.steps = (int)steps;
	for (int64_t i = 0; i < count && failed <
	    (bug != NULL ? 1 : FAILURES_MAX); i++) {
		o.seed = (uint64_t)(seed + i);
		if (one(&o, sat_args_has(args, "twin"), bug))
			passed++;
		else
			failed++;
	}
	print_counters(stdout, false);
	(void)printf("%llu passed, %llu failed\n", (unsigned long long)passed,
	    (unsigned long long)failed);
	if (sat_args_get(args, "counters") != NULL &&
	    (rc = write_counters(sat_args_get(args, "counters"))) != 0)
		return rc;
	return failed == 0 ? 0 : 1;
}

int
main(int argc, char **argv)
{
	sat_args args;
	sat_buf help = { 0 };
	sat_err e = { 0 };

	if (sat_args_parse(&args, argc - 1, argv + 1, options, NULL, &e) !=
	    SAT_OK) {
		(void)fprintf(stderr, "sim: %s\n", e.text);
		return 2;
	}
	if (sat_args_has(&args, "help")) {
		sat_args_help(&help, options, NULL);
		(void)fwrite(help.p, 1, help.n, stdout);
		sat_buf_fini(&help);
		return 0;
	}
	sim_template_pools = sim_pools;
	sim_begin();
	return run(&args);
}
