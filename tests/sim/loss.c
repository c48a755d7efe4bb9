/*
 * loss --seed N [--count K] [--rough] [--trace]
 *
 * The server's disk is lost, at random times, up to three in a history; it
 * comes back from its last backup, or, when there is none, from the kit that
 * holds people and devices only, and the devices give back the rest.
 *
 * Every commit of a person adds a tag nobody else has and one to a counter.
 * So in the end each record says itself what is lost (a tag that is missing)
 * and what counts twice (a counter above the number of tags).
 *
 * Now and then a device dies with the server. What it had written is asked for
 * only when the backup or another device had it. Customers are erased, and stay
 * so when the backup is from before. Headquarters merges customers, and takes
 * them apart again.
 *
 * Rough histories: the server is lost up to five times, and half of all links
 * break, so that more is lost unheard of.
 */
#include <stdarg.h>
#include <stdio.h>

#include "common/base/args.h"
#include "tests/sim/loss.h"

uint64_t loss_counts[N_COUNTS];
static const char *const count_names[] = {
#define X(name) #name,
	COUNTS(X)
#undef X
};

uint64_t
loss_draw(history *h, uint64_t below)
{
	return sat_test_rand(&h->rand) % below;
}

void
loss_fail(history *h, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(h->why, sizeof h->why, fmt, ap);
	va_end(ap);
	longjmp(h->on_fail, 1);
}

void
loss_say(const history *h, const char *fmt, ...)
{
	va_list ap;

	if (!h->trace)
		return;
	va_start(ap, fmt);
	(void)vprintf(fmt, ap);
	va_end(ap);
	(void)putchar('\n');
}

/* ---- steps ------------------------------------------------------------------------------------ */

static void
restart_device(history *h, int dev)
{
	lab_dev *d = &h->L->dev[dev];
	sat_err e = { 0 };

	if (h->dead[dev])
		return;
	TICK(device_killed);
	sat_replica_abandon(d->r);
	d->r = NULL;
	if (loss_draw(h, 2) == 0)
		simfs_crash(d->m.fs);
	if (lab_open_device(h->L, d, &e) != SAT_OK)
		loss_fail(h, "%s does not open: %s", d->m.name, e.text);
}

/* Of 100 steps: up to which number each kind of step goes; then losses. */
static const struct odds {
	uint64_t write, merge, unmerge, erase, session, backup, kill, restart;
	uint64_t whole;     /* of so many sessions one breaks */
	int losses;
} usually = { 48, 51, 53, 55, 85, 89, 93, 97, 3, LOSSES_MAX },
  roughly = { 41, 44, 46, 48, 84, 87, 89, 92, 2, 5 };

static void
step(history *h)
{
	const struct odds *o = h->rough ? &roughly : &usually;
	lab *L = h->L;
	int dev = (int)loss_draw(h, RAW);
	uint64_t what = loss_draw(h, 100);

	sat_arena_reset(&L->a);
	L->now_ms += (int64_t)loss_draw(h, loss_draw(h, 20) == 0 ? 86400000 : 60000);
	if (h->dead[dev])
		return;
	if (what < o->write) {
		loss_write_something(h, dev);
	} else if (what < o->merge) {
		loss_merge(h);
	} else if (what < o->unmerge) {
		loss_unmerge(h);
	} else if (what < o->erase) {
		loss_erase_something(h);
	} else if (what < o->session) {
		loss_session(h, dev, loss_draw(h, o->whole) != 0);
	} else if (what < o->backup) {
		if (loss_draw(h, 3) == 0)
			loss_spoil_backup(h);
		else
			loss_back_up(h);
	} else if (what < o->kill) {
		TICK(server_killed);
		loss_close_server(L, false);
		if (loss_draw(h, 2) == 0)
			simfs_crash(L->srv.fs);
		loss_open_server(h);
	} else if (what < o->restart) {
		restart_device(h, dev);
	} else if (h->losses < o->losses) {
		loss_lose_server(h);
	}
}

static void
run(history *h)
{
	lab *L = h->L;
	int steps = 40 + (int)loss_draw(h, 120);
	sat_err e = { 0 };

	lab_restore(L);
	loss_open_server(h);
	for (int i = 0; i < NDEVS; i++)
		if (lab_open_device(L, &L->dev[i], &e) != SAT_OK)
			loss_fail(h, "does not open: %s", e.text);
	loss_add_admin(h);
	loss_make_kit(h);
	for (int i = 0; i < steps; i++)
		step(h);
	if (h->losses == 0)
		loss_lose_server(h);
	loss_check_end(h);
	TICK(histories);
}

/* The lab's own past must come back as well; a history that failed leaves its
 * handles behind. */
static bool
one(lab *L, uint64_t seed, bool rougher, bool trace)
{
	history *h = sat_xcalloc(1, sizeof *h);
	bool good;

	h->L = L;
	h->trace = trace;
	h->rough = rougher;
	h->rand = seed * 0x2545f4914f6cdd1dull + 99;
	good = setjmp(h->on_fail) == 0;
	if (good) {
		run(h);
		lab_close(L);
	} else {
		(void)printf("FAIL seed %llu: %s\n  %s/tests/sim/loss --seed "
		    "%llu%s --trace\n", (unsigned long long)seed, h->why,
		    getenv("SAT_BUILD") != NULL ? getenv("SAT_BUILD") :
		    "build", (unsigned long long)seed,
		    rougher ? " --rough" : "");
		lab_abandon(L);
	}
	sat_buf_fini(&h->backup);
	free(h);
	return good;
}

static const sat_opt options[] = {
	{ "seed", 's', "N", "first seed" },
	{ "count", 'n', "N", "how many histories" },
	{ "rough", 'r', NULL, "more losses, more broken links" },
	{ "trace", 't', NULL, "print what happens" },
	{ "counters", 0, "FILE", "write the counters, one a line" },
	{ NULL, 0, NULL, NULL },
};

static int
write_counts(const char *path)
{
	FILE *f = fopen(path, "w");

	if (f == NULL)
		return 2;
	for (size_t i = 0; i < N_COUNTS; i++) /* 1: at least one per 1,000 */
		(void)fprintf(f, "%s %llu 1\n", count_names[i],
		    (unsigned long long)loss_counts[i]);
	return fclose(f) == 0 ? 0 : 2;
}

int
main(int argc, char **argv)
{
	static lab L;
	uint64_t passed = 0, failed = 0;
	int64_t seed, count;
	sat_args args;
	sat_err e = { 0 };

	if (sat_args_parse(&args, argc - 1, argv + 1, options, NULL, &e) !=
	    SAT_OK || sat_args_int(&seed, &args, "seed", 1, &e) != SAT_OK ||
	    sat_args_int(&count, &args, "count", 1, &e) != SAT_OK) {
		(void)fprintf(stderr, "loss: %s\n", e.text);
		return 2;
	}
	sim_begin();
	lab_init(&L);
	for (int64_t i = 0; i < count && failed < 5; i++)
		if (one(&L, (uint64_t)(seed + i), sat_args_has(&args, "rough"),
		    sat_args_has(&args, "trace")))
			passed++;
		else
			failed++;
	for (size_t i = 0; i < N_COUNTS; i++)
		(void)printf("%12llu  %s\n", (unsigned long long)loss_counts[i],
		    count_names[i]);
	(void)printf("%llu passed, %llu failed\n", (unsigned long long)passed,
	    (unsigned long long)failed);
	if (sat_args_get(&args, "counters") != NULL &&
	    write_counts(sat_args_get(&args, "counters")) != 0)
		return 2;
	return failed == 0 ? 0 : 1;
}
