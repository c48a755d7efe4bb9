/*
 * byz --seed N [--count K] [--trace] [--must]
 *
 * Each history is lived with and without the hostile moves; the honest
 * devices must end alike. --must: every move of the catalogue was made.
 */
#include "tests/sim/byz.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/args.h"

#define FAILURES_MAX 5

static const sat_opt options[] = {
	{ "seed", 's', "N", "first seed" },
	{ "count", 'n', "N", "how many histories" },
	{ "trace", 't', NULL, "print the hostile moves" },
	{ "must", 0, NULL, "fail when a kind of move was never made" },
	{ "help", 'h', NULL, "this" },
	{ NULL, 0, NULL, NULL },
};

uint64_t
byz_below(uint64_t *s, uint64_t n)
{
	return sat_test_rand(s) % n;
}

void
byz_fail(bworld *w, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(w->why, sizeof w->why, fmt, ap);
	va_end(ap);
	longjmp(w->on_fail, 1);
}

/* ---- one life ------------------------------------------------------------------ */

static void
live(bworld *w)
{
	int steps, revoke_at;

	byz_world_open(w);
	steps = 20 + (int)byz_below(&w->people, 40);
	revoke_at = steps / 3;
	for (int i = 0; i < steps; i++) {
		for (int k = 0; w->hostile && k < w->nevil; k++)
			byz_move(&w->evil[k]);
		/* more than a stamp may run ahead */
		w->now_ms += SAT_CLAMP_MS + 5000 +
		    (int64_t)byz_below(&w->people, 900000);
		if (i == revoke_at)
			byz_revoke(w, &w->dev[w->ndev - 1]);
		byz_honest_step(w);
	}
	for (int round = 0; round < 2; round++)
		for (int i = 0; i < w->ndev; i++) {
			w->now_ms += SAT_CLAMP_MS * 2;
			if (!w->dev[i].revoked)
				byz_honest_sync(&w->dev[i]);
		}
}

/* What all honest devices hold; checks what the server holds. */
static void
judge(bworld *w, sat_buf *out)
{
	uint64_t commits, records;
	sat_err e = { 0 };

	for (int i = 0; i < w->ndev; i++)
		byz_state(out, &w->dev[i]);
	byz_check_log(w);
	if (sat_server_verify(w->server, &commits, &records, &e) != SAT_OK)
		byz_fail(w, "the log does not give the records: %s", e.text);
	if (sat_sqlite_store_check(w->store, false, &e) != SAT_OK)
		byz_fail(w, "the server's file: %s", e.text);
}

/* @return false: w->why says what failed; the world is left as it is. */
static bool
history(bworld *w, uint64_t seed, bool hostile, bool trace, sat_buf *out)
{
	memset(w, 0, sizeof *w);
	w->seed = seed;
	w->people = seed * 0x2545f4914f6cdd1dull + 77;
	w->hostile = hostile;
	w->trace = trace;
	if (setjmp(w->on_fail) != 0)
		return false;
	live(w);
	judge(w, out);
	byz_world_close(w);
	return true;
}

/* The first line that differs. */
static void
print_difference(sat_buf *a, sat_buf *b)
{
	char *x = (char *)(uintptr_t)sat_buf_cstr(a), *y = (char *)(uintptr_t)
	    sat_buf_cstr(b), *sx = NULL, *sy = NULL;

	for (x = strtok_r(x, "\n", &sx), y = strtok_r(y, "\n", &sy);
	    x != NULL && y != NULL && strcmp(x, y) == 0;
	    x = strtok_r(NULL, "\n", &sx), y = strtok_r(NULL, "\n", &sy))
		;
	(void)printf("  without: %s\n     with: %s\n", x != NULL ? x : "(end)",
	    y != NULL ? y : "(end)");
}

static bool
one(uint64_t seed, bool trace)
{
	static bworld w;
	sat_buf calm = { 0 }, hostile = { 0 };
	bool good = history(&w, seed, false, trace, &calm) &&
	    history(&w, seed, true, trace, &hostile);

	if (!good)
		(void)printf("FAIL seed %llu: %s\n", (unsigned long long)seed,
		    w.why);
	else if (!sat_span_eq(sat_buf_span(&calm), sat_buf_span(&hostile))) {
		good = false;
		(void)printf("FAIL seed %llu: the honest devices noticed\n",
		    (unsigned long long)seed);
		print_difference(&calm, &hostile);
	}
	if (!good)
		(void)printf("  %s/tests/sim/byz --seed %llu --trace\n",
		    getenv("SAT_BUILD") != NULL ? getenv("SAT_BUILD") : "build",
		    (unsigned long long)seed);
	(void)fflush(stdout);
	sat_buf_fini(&calm);
	sat_buf_fini(&hostile);
	return good;
}

int
main(int argc, char **argv)
{
	int64_t seed = 1, count = 1;
	unsigned long passed = 0, failed = 0;
	sat_args args;
	sat_err e = { 0 };

	if (sat_args_parse(&args, argc - 1, argv + 1, options, NULL, &e) !=
	    SAT_OK || sat_args_int(&seed, &args, "seed", 1, &e) != SAT_OK ||
	    sat_args_int(&count, &args, "count", 1, &e) != SAT_OK) {
		(void)fprintf(stderr, "byz: %s\n", e.text);
		return 2;
	}
	sim_begin();
	for (int64_t i = 0; i < count && failed < FAILURES_MAX; i++)
		if (one((uint64_t)(seed + i), sat_args_has(&args, "trace")))
			passed++;
		else
			failed++;
	byz_moves_print(stdout);
	if (sat_args_has(&args, "must") && byz_moves_missing(stdout) > 0)
		failed++;
	(void)printf("%lu passed, %lu failed\n", passed, failed);
	return failed == 0 ? 0 : 1;
}
