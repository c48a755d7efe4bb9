/*
 * company [--devices N] [--days N] [--seed N] [--count K] [--quarter] [--check]
 *
 * One company per seed, one page of figures over all of them; exit code 1 when
 * a promise did not hold.
 */
#include "tests/company/month.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base/args.h"

static const char *const texts[] = {
#define X(name, text) text,
	FIGURES(X)
#undef X
};

static uint64_t running; /* the seed, for the last words */

void
month_bad(month *m, const char *fmt, ...)
{
	char line[400];
	va_list ap;

	if (m->bad++ >= BAD_PRINTED)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(line, sizeof line, fmt, ap);
	va_end(ap);
	(void)printf("BAD seed %" PRIu64 " day %d: %s\n", m->seed, m->day,
	    line);
}

void
month_must(sat_rc rc, const sat_err *e, const char *what)
{
	if (rc == SAT_OK)
		return;
	(void)fflush(stdout);
	(void)fprintf(stderr, "company: seed %" PRIu64 ": %s: %s\n", running,
	    what, e->text);
	exit(2);
}

uint64_t
month_draw(month *m, uint64_t below)
{
	return sat_test_rand(&m->rand) % below;
}

void
month_pass(month *m, int64_t ms)
{
	m->now_ms += ms;
}

/* ---- running -------------------------------------------------------------------------- */

typedef struct order {
	int64_t devices, days, seed, count;
	bool quarter, check, trace;
} order;

static uint64_t
run_one(const order *o, uint64_t seed, uint64_t sum[N_FIGURES])
{
	month *m = sat_xcalloc(1, sizeof *m);
	uint64_t bad;

	m->days = (int)o->days;
	m->quarter = o->quarter;
	m->permits = o->quarter;
	m->seed = running = seed;
	m->rand = seed * 0x2545f4914f6cdd1dull + 17;
	m->trace = o->trace;
	month_live(m, (int)o->devices);
	month_check(m);
	for (int i = 0; i < N_FIGURES; i++)
		sum[i] += m->figure[i];
	bad = m->bad;
	month_end(m);
	free(m);
	return bad;
}

static const sat_opt options[] = {
	{ "devices", 'd', "N", "people with a device each, 6 to 1200" },
	{ "days", 'n', "N", "virtual days" },
	{ "seed", 's', "N", "first seed" },
	{ "count", 'k', "N", "how many companies, one after another" },
	{ "quarter", 'q', NULL, "permits, three templates, long absences" },
	{ "check", 'c', NULL, "end with \"N passed, N failed\"" },
	{ "trace", 't', NULL, "print the days" },
	{ NULL, 0, NULL, NULL },
};

static bool
read_order(order *o, int argc, char **argv)
{
	sat_args args;
	sat_err e = { 0 };

	if (sat_args_parse(&args, argc - 1, argv + 1, options, NULL, &e) !=
	    SAT_OK ||
	    sat_args_int(&o->devices, &args, "devices", 200, &e) != SAT_OK ||
	    sat_args_int(&o->days, &args, "days", 30, &e) != SAT_OK ||
	    sat_args_int(&o->seed, &args, "seed", 1, &e) != SAT_OK ||
	    sat_args_int(&o->count, &args, "count", 1, &e) != SAT_OK) {
		(void)fprintf(stderr, "company: %s\n", e.text);
		return false;
	}
	if (o->devices < 6 || o->devices > 1200 || o->days < 1 ||
	    o->days > 3650 || o->count < 1) {
		(void)fprintf(stderr, "company: out of range\n");
		return false;
	}
	o->quarter = sat_args_has(&args, "quarter");
	o->check = sat_args_has(&args, "check");
	o->trace = sat_args_has(&args, "trace");
	return true;
}

int
main(int argc, char **argv)
{
	uint64_t sum[N_FIGURES] = { 0 }, bad = 0, failed = 0;
	order o;

	if (!read_order(&o, argc, argv))
		return 2;
	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	sim_begin();
	for (int64_t i = 0; i < o.count; i++) {
		uint64_t n = run_one(&o, (uint64_t)(o.seed + i), sum);

		bad += n;
		failed += n != 0;
	}
	for (int i = 0; i < N_FIGURES; i++)
		(void)printf("%14" PRIu64 "  %s\n", sum[i], texts[i]);
	(void)printf("%14.1f  CPU seconds\n", (double)clock() /
	    CLOCKS_PER_SEC);
	(void)printf("%14" PRIu64 "  bad\n", bad);
	if (o.check)
		(void)printf("%" PRIu64 " passed, %" PRIu64 " failed\n",
		    (uint64_t)o.count - failed, failed);
	return bad == 0 ? 0 : 1;
}
