/*
 * figures_local.c - what one durable change costs on the device.
 *
 * Floor, plain replica and encrypted replica take turns of 200 operations, so
 * that a neighbour on the machine slows all three alike.
 */
#include "tests/bench/figures.h"

/* ---- one durable insert, one durable update --------------------------------- */

enum { FLOOR, PLAIN, SEALED, WAYS };

typedef struct ways {
	floor_db *floor;
	device d[WAYS];
	inproc *srv[WAYS];
	samples insert[WAYS], update[WAYS];
	double insert_cpu[WAYS], update_cpu[WAYS];
	double insert_pages[WAYS], update_pages[WAYS];
} ways;

static void
ways_open(ways *w)
{
	*w = (ways){ .floor = floor_open("floor.db") };
	for (int i = PLAIN; i < WAYS; i++) {
		w->srv[i] = inproc_open(i == PLAIN ? "core1" : "core2", false,
		    1);
		inproc_device(&w->d[i], w->srv[i], i == PLAIN ? "d1" : "d2",
		    i == PLAIN, 1, NULL);
	}
}

static void
ways_close(ways *w)
{
	floor_close(w->floor);
	for (int i = PLAIN; i < WAYS; i++) {
		device_close(&w->d[i]);
		inproc_close(w->srv[i]);
	}
	for (int i = 0; i < WAYS; i++) {
		samples_fini(&w->insert[i]);
		samples_fini(&w->update[i]);
	}
	bench_rmdir("core1");
	bench_rmdir("core2");
	bench_rmdir("d1");
	bench_rmdir("d2");
}

/* Pages that went to the log so far. */
static double
pages_of(const ways *w, int way)
{
	sat_db_counts c;

	if (way == FLOOR)
		return (double)floor_pages(w->floor);
	sat_db_counts_get(&c, sat_replica_db(w->d[way].replica));
	return (double)c.wal_frames;
}

#define BLOCK 200

static void
insert_block(ways *w, figures *f, int way, size_t from, size_t to)
{
	w->insert_cpu[way] -= bench_cpu();
	w->insert_pages[way] -= pages_of(w, way);
	for (size_t i = from; i < to; i++) {
		double t = bench_now();

		if (way == FLOOR)
			floor_insert(w->floor, &f->data, &f->values, i);
		else
			door_create(&w->d[way], &f->data, &f->values, i);
		samples_add(&w->insert[way], bench_now() - t);
	}
	w->insert_cpu[way] += bench_cpu();
	w->insert_pages[way] += pages_of(w, way);
}

static void
update_block(ways *w, figures *f, int way, const sat_value *v, size_t from,
    size_t to)
{
	w->update_cpu[way] -= bench_cpu();
	w->update_pages[way] -= pages_of(w, way);
	for (size_t i = from; i < to; i++) {
		double t = bench_now();

		if (way == FLOOR)
			floor_update(w->floor, &f->data, &f->data.edits[i],
			    v[i]);
		else if (door_edit(&w->d[way], &f->data.edits[i]) == 0)
			continue;
		samples_add(&w->update[way], bench_now() - t);
	}
	w->update_cpu[way] += bench_cpu();
	w->update_pages[way] += pages_of(w, way);
}

/* The other rows, and what an ordinary day looks like: synced, truncated. */
static void
fill_rest(ways *w, figures *f, size_t from)
{
	floor_begin(w->floor);
	for (size_t i = from; i < f->data.n; i++)
		floor_insert(w->floor, &f->data, &f->values, i);
	floor_commit(w->floor);
	for (int way = PLAIN; way < WAYS; way++) {
		figure_group(&w->d[way], true);
		for (size_t i = from; i < f->data.n; i++)
			door_create(&w->d[way], &f->data, &f->values, i);
		figure_group(&w->d[way], false);
		inproc_sync(&w->d[way], w->srv[way], NULL);
		inproc_durable(w->srv[way]);
		inproc_sync(&w->d[way], w->srv[way], NULL);
	}
}

/* Every page of the table once. */
static double
scan(device *d)
{
	double t = bench_cpu();
	sat_err err = { 0 };
	sat_stmt *s;
	bool row;

	bench_must(sat_db_stmt_text(&s, sat_replica_db(d->replica),
	    "SELECT sum(length(remark)) FROM k_customer", &err));
	bench_must(sat_step(&row, s, &err));
	sat_stmt_reset(s);
	return bench_cpu() - t;
}

static void
scans(figures *f, ways *w)
{
	double t[WAYS][2];
	char note[160];

	for (int way = PLAIN; way < WAYS; way++) {
		char *dir = sat_xstrdup(w->d[way].dir);

		device_close(&w->d[way]);
		device_open(&w->d[way], dir, way == PLAIN);
		free(dir);
		t[way][0] = scan(&w->d[way]); /* the system has the file */
		t[way][1] = scan(&w->d[way]); /* SQLite has the pages */
	}
	(void)snprintf(note, sizeof note, "CPU: %.2f ms and %.2f ms",
	    t[PLAIN][0] * 1e3, t[SEALED][0] * 1e3);
	AT_MOST(f, "page cipher, scan of a file just opened", "x", 2.5,
	    t[SEALED][0] / t[PLAIN][0], note);
	(void)snprintf(note, sizeof note, "CPU: %.2f ms and %.2f ms",
	    t[PLAIN][1] * 1e3, t[SEALED][1] * 1e3);
	AT_MOST(f, "page cipher, scan again", "x", 1.15,
	    t[SEALED][1] / t[PLAIN][1], note);
}

typedef struct latency_row {
	const char *name;
	double goal;
} latency_row;
static const latency_row insert_rows[WAYS] = { { NULL, 0 },
	{ "durable insert p50, not encrypted", 1.6 },
	{ "durable insert p50, encrypted", 1.6 } };
static const latency_row update_rows[WAYS] = { { NULL, 0 },
	{ "durable update p50, not encrypted", 1.6 },
	{ "durable update p50, encrypted", 1.6 } };
/* The quickest tenth is seldom interrupted, whatever else the machine does. */
static const latency_row insert_tenth[WAYS] = { { NULL, 0 },
	{ "durable insert p10, not encrypted", 1.6 },
	{ "durable insert p10, encrypted", 1.6 } };
static const latency_row update_tenth[WAYS] = { { NULL, 0 },
	{ "durable update p10, not encrypted", 1.6 },
	{ "durable update p10, encrypted", 1.6 } };

static void
latency(figures *f, samples s[WAYS], const latency_row rows[WAYS], double at)
{
	double floor = samples_at(&s[FLOOR], at);
	char note[160];

	for (int way = PLAIN; way < WAYS; way++) {
		(void)snprintf(note, sizeof note, "bare %.0f us, ours %.0f",
		    floor * 1e6, samples_at(&s[way], at) * 1e6);
		AT_MOST(f, rows[way].name, "x", rows[way].goal,
		    samples_at(&s[way], at) / floor, note);
	}
}

void
figure_singles(figures *f)
{
	size_t n = f->quick ? 600 : BENCH_SINGLES;
	size_t m = f->quick ? 1000 : 3000;
	sat_arena a = { 0 };
	sat_value *v;
	char note[160];
	ways w;

	ways_open(&w);
	for (size_t i = 0; i < n; i += BLOCK)
		for (int way = 0; way < WAYS; way++)
			insert_block(&w, f, way, i, i + BLOCK);
	fill_rest(&w, f, n);
	v = figure_values(&a, &w.d[PLAIN], f->data.edits, f->data.nedits);
	for (size_t i = 0; i + BLOCK <= m; i += BLOCK)
		for (int way = 0; way < WAYS; way++)
			update_block(&w, f, way, v, i, i + BLOCK);
	latency(f, w.insert, insert_rows, 0.5);
	latency(f, w.update, update_rows, 0.5);
	latency(f, w.insert, insert_tenth, 0.1);
	latency(f, w.update, update_tenth, 0.1);
	(void)snprintf(note, sizeof note, "CPU each: bare %.1f us, ours %.1f, "
	    "encrypted %.1f", w.insert_cpu[FLOOR] / (double)n * 1e6,
	    w.insert_cpu[PLAIN] / (double)n * 1e6,
	    w.insert_cpu[SEALED] / (double)n * 1e6);
	AT_MOST(f, "durable insert, CPU, encrypted", "x", -1,
	    w.insert_cpu[SEALED] / w.insert_cpu[FLOOR], note);
	(void)snprintf(note, sizeof note, "CPU each: bare %.1f us, ours %.1f, "
	    "encrypted %.1f", w.update_cpu[FLOOR] / (double)m * 1e6,
	    w.update_cpu[PLAIN] / (double)m * 1e6,
	    w.update_cpu[SEALED] / (double)m * 1e6);
	AT_MOST(f, "durable update, CPU, encrypted", "x", -1,
	    w.update_cpu[SEALED] / w.update_cpu[FLOOR], note);
	(void)snprintf(note, sizeof note, "bare %.2f, ours %.2f",
	    w.insert_pages[FLOOR] / (double)n,
	    w.insert_pages[SEALED] / (double)n);
	AT_MOST(f, "pages to the log per durable insert", "x", -1,
	    w.insert_pages[SEALED] / w.insert_pages[FLOOR], note);
	(void)snprintf(note, sizeof note, "bare %.2f, ours %.2f",
	    w.update_pages[FLOOR] / (double)m,
	    w.update_pages[SEALED] / (double)m);
	AT_MOST(f, "pages to the log per durable update", "x", -1,
	    w.update_pages[SEALED] / w.update_pages[FLOOR], note);
	scans(f, &w);
	free(v);
	sat_arena_fini(&a);
	ways_close(&w);
}
