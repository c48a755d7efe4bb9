/*
 * figures.c - `make bench`: every figure beside its floor, in one run.
 *
 * A row of the table has one sample per round; floor and engine are measured
 * one after the other in each of them.
 */
#include "tests/bench/figures.h"

#include <errno.h>
#include <unistd.h>

void
figure(figures *f, const char *name, const char *unit, double goal,
    bool at_most, double v, const char *note)
{
	bench_row *r = table_row(&f->t, name, unit, goal, at_most);

	(void)snprintf(r->note, sizeof r->note, "%s", note);
	samples_add(&r->s, v);
}
static double began;

static void
step(const char *what)
{
	fprintf(stderr, "  %6.1f s  %s\n", bench_now() - began, what);
}

/* Another round? At least one; no more once the time until here is used, so
 * that a busy machine gives fewer samples and not a longer wait. */
static bool
more(const figures *f, int round, double until_s)
{
	return round < f->rounds && (round == 0 ||
	    bench_now() - began < (f->quick ? until_s / 7 : until_s));
}

/* Values of the edits, read once for the floor. */
sat_value *
figure_values(sat_arena *a, const device *d, const bench_edit *list, size_t n)
{
	sat_value *v = sat_xcalloc(n, sizeof *v);
	const sat_template *t = sat_replica_template(d->replica);
	sat_err err = { 0 };

	for (size_t i = 0; i < n; i++)
		bench_must(sat_field_parse(&v[i], a, t,
		    sat_kind_field(d->kind, list[i].field),
		    sat_span_str(list[i].text), &err));
	return v;
}

void
figure_group(device *d, bool begin)
{
	sat_err err = { 0 };

	if (begin)
		bench_must(sat_replica_group_begin(d->replica, &err));
	else
		bench_must(sat_replica_group_commit(d->replica, &err));
}

/* ---- the peer workload beside the floor --------------------------------------------- */

typedef struct floor_rates {
	double bulk, batch, bulk_cpu, batch_cpu, bytes_rows;
} floor_rates;

static double
file_bytes(floor_db **db, const char *path)
{
	FILE *f;
	long n;

	floor_close(*db);
	*db = NULL;
	f = fopen(path, "re");
	if (f == NULL || fseek(f, 0, SEEK_END) != 0)
		bench_die("no %s", path);
	n = ftell(f);
	(void)fclose(f);
	return (double)n;
}

static floor_rates
measure_floor(const bench_data *d, const bench_values *v,
    const sat_value *edits)
{
	floor_db *db = floor_open("floor.db");
	floor_rates r = { 0 };
	double t = bench_now(), c = bench_cpu();

	floor_begin(db);
	for (size_t i = 0; i < d->n; i++)
		floor_insert(db, d, v, i);
	floor_commit(db);
	r.bulk = (double)d->n / (bench_now() - t);
	r.bulk_cpu = (double)d->n / (bench_cpu() - c);
	t = bench_now();
	c = bench_cpu();
	floor_begin(db);
	for (size_t i = 0; i < d->nedits2; i++)
		floor_update(db, d, &d->edits2[i], edits[i]);
	floor_commit(db);
	r.batch = (double)d->nedits2 / (bench_now() - t);
	r.batch_cpu = (double)d->nedits2 / (bench_cpu() - c);
	r.bytes_rows = file_bytes(&db, "floor.db");
	return r;
}

/* The same ten rounds of P7 in plain SQLite. */
static double
floor_x10(const bench_data *d, const bench_values *v)
{
	static const size_t fields[] = { 2, 11, 13, 1, 3, 14, 6, 9, 8, 7 };
	floor_db *db = floor_open("floor.db");

	floor_begin(db);
	for (size_t i = 0; i < d->n; i++)
		floor_insert(db, d, v, i);
	floor_commit(db);
	for (size_t r = 0; r < 10; r++) {
		floor_begin(db);
		for (size_t i = 0; i < d->n; i++) {
			bench_edit ed = { d->id[i], i,
				bench_fields[fields[r]], NULL };

			floor_update(db, d, &ed, bench_row_of(v,
			    (i + r + 1) % d->n)[fields[r]]);
		}
		floor_commit(db);
	}
	return file_bytes(&db, "floor.db");
}

static void
peer_round(figures *f, const sat_value *edits)
{
	floor_rates fl = measure_floor(&f->data, &f->values, edits);
	bench_out o = { .peer = "satchel", .run = 1, .n = f->data.n };
	char note[160];
	double ops;

	peer_run(&o, &f->data, P1BULK | P2BATCH | P3 | P4 | P6, false);
	(void)snprintf(note, sizeof note, "bare %.0f rows/s", fl.bulk);
	AT_LEAST(f, "P1bulk, rows/s", "x", 0.30,
	    bench_value_of(&o, "P1bulk", "rate") / fl.bulk, note);
	(void)snprintf(note, sizeof note, "CPU: bare %.0f rows/s", fl.bulk_cpu);
	AT_LEAST(f, "P1bulk, rows per CPU second", "x", -1,
	    bench_value_of(&o, "P1bulk", "cpu_rate") / fl.bulk_cpu, note);
	(void)snprintf(note, sizeof note, "bare %.0f rows/s", fl.bulk);
	AT_LEAST(f, "P4, rows/s through the server", "x", 0.35,
	    bench_value_of(&o, "P4", "rate") / fl.bulk, note);
	(void)snprintf(note, sizeof note, "bare %.0f updates/s in a batch",
	    fl.batch);
	AT_LEAST(f, "P2batch, ops/s", "x", 0.30,
	    bench_value_of(&o, "P2batch", "rate") / fl.batch, note);
	(void)snprintf(note, sizeof note, "CPU: bare %.0f updates/s",
	    fl.batch_cpu);
	AT_LEAST(f, "P2batch, ops per CPU second", "x", -1,
	    bench_value_of(&o, "P2batch", "cpu_rate") / fl.batch_cpu, note);
	(void)snprintf(note, sizeof note, "bare %.0f updates/s in a batch",
	    fl.batch);
	AT_LEAST(f, "P3, ops/s through the server", "x", 0.40,
	    bench_value_of(&o, "P3", "rate") / fl.batch, note);
	AT_LEAST(f, "P3, ops/s, one after the other", "x", -1,
	    bench_value_of(&o, "P3", "rate_in_turns") / fl.batch, note);
	(void)snprintf(note, sizeof note, "author %.1f, server %.1f, receiver "
	    "%.1f", bench_value_of(&o, "P3", "cpu_author"),
	    bench_value_of(&o, "P3", "cpu_server"),
	    bench_value_of(&o, "P3", "cpu_receiver"));
	AT_MOST(f, "P3, CPU per edit", " us", -1,
	    bench_value_of(&o, "P3", "cpu_author") +
	    bench_value_of(&o, "P3", "cpu_server") +
	    bench_value_of(&o, "P3", "cpu_receiver"), note);
	ops = bench_value_of(&o, "P3", "ops");
	AT_MOST(f, "P3 wire, bytes per edit received", "", 24,
	    bench_value_of(&o, "P3", "wire") / ops, "with channel overhead");
	AT_MOST(f, "P3 wire, bytes per edit sent", "", -1,
	    bench_value_of(&o, "P3", "wire_push") / ops,
	    "with channel overhead");
	AT_MOST(f, "P4, memory over idle", " MB", 40,
	    bench_value_of(&o, "P4", "rss"), "");
	AT_LEAST(f, "P6 rows equal", "", 2000,
	    bench_value_of(&o, "P6", "rows_equal"), "of 2000");
	AT_LEAST(f, "P6 both fields kept", "", 1000,
	    bench_value_of(&o, "P6", "both_kept"), "of 1000");
	AT_LEAST(f, "P6 conflicts surfaced", "", 1000,
	    bench_value_of(&o, "P6", "conflicts_true"), "of 1000");
	AT_MOST(f, "P6 false conflicts", "", 0,
	    bench_value_of(&o, "P6", "conflicts_false"), "");
	bench_out_fini(&o);
}

static void
sizes(figures *f, const sat_value *edits)
{
	floor_rates fl = measure_floor(&f->data, &f->values, edits);
	double x10 = floor_x10(&f->data, &f->values);
	bench_out o = { .peer = "satchel", .run = 1, .n = f->data.n };
	char note[160];

	peer_run(&o, &f->data, P7ROWS | P7X10, false);
	(void)snprintf(note, sizeof note, "bare table %.0f bytes per row",
	    fl.bytes_rows / (double)f->data.n);
	AT_MOST(f, "file size after N rows, synced", "x", 1.35,
	    bench_value_of(&o, "P7rows", "bytes") / fl.bytes_rows, note);
	AT_MOST(f, "file size after N rows, nothing sent yet", "x", -1,
	    bench_value_of(&o, "P7rows", "bytes_unsent") / fl.bytes_rows,
	    note);
	(void)snprintf(note, sizeof note, "bare table %.0f bytes per row",
	    x10 / (double)f->data.n);
	AT_MOST(f, "file size after ten edits per row, synced", "x", 1.5,
	    bench_value_of(&o, "P7x10", "bytes") / x10, note);
	bench_out_fini(&o);
}

/* ---- cost follows the change ----------------------------------------------------------- */

static void
one_size(bench_out *o, figures *f, const char *dir, size_t n, unsigned extra)
{
	bench_data d;

	(void)f;
	bench_gen(dir, n);
	bench_read(&d, dir, n);
	*o = (bench_out){ .peer = "satchel", .run = 1, .n = n };
	peer_run(o, &d, P5 | extra, false);
	bench_data_fini(&d);
}

static void
one_change(figures *f)
{
	bench_out s, b;
	char note[160];
	double copy, fill;

	one_size(&s, f, "data", f->small, 0);
	one_size(&b, f, "data", f->big, P4 | READS);
	(void)snprintf(note, sizeof note, "%.0f at %zu customers, %.0f at %zu",
	    bench_value_of(&s, "P5", "wire"), f->small,
	    bench_value_of(&b, "P5", "wire"), f->big);
	AT_MOST(f, "one change: bytes, handshake included", "", -1,
	    bench_value_of(&b, "P5", "wire"), note);
	(void)snprintf(note, sizeof note, "%.0f at %zu customers, %.0f at %zu",
	    bench_value_of(&s, "P5", "wire_open_link"), f->small,
	    bench_value_of(&b, "P5", "wire_open_link"), f->big);
	AT_MOST(f, "one change: bytes on an open link", "", 300,
	    bench_value_of(&b, "P5", "wire_open_link"), note);
	(void)snprintf(note, sizeof note, "%.0f and %.0f",
	    bench_value_of(&s, "P5", "page_reads"),
	    bench_value_of(&b, "P5", "page_reads"));
	AT_MOST(f, "one change: page reads, difference", "", 2,
	    bench_value_of(&b, "P5", "page_reads") -
	    bench_value_of(&s, "P5", "page_reads"), note);
	(void)snprintf(note, sizeof note, "%.1f ms and %.1f ms, both syncs",
	    bench_value_of(&s, "P5", "latency") / 1e3,
	    bench_value_of(&b, "P5", "latency") / 1e3);
	AT_MOST(f, "one change: latency, large by small", "x", 1.3,
	    bench_value_of(&b, "P5", "latency") /
	    bench_value_of(&s, "P5", "latency"), note);
	(void)snprintf(note, sizeof note, "handshake %.0f more",
	    bench_value_of(&b, "P5", "handshake"));
	AT_MOST(f, "idle sync: bytes on an open link", "", 200,
	    bench_value_of(&b, "P5", "idle_open_link"), note);
	AT_MOST(f, "idle sync: round trips after the handshake", "", 1,
	    bench_value_of(&b, "P5", "idle_round_trips"), "");
	(void)snprintf(note, sizeof note, "%zu customers", f->big);
	AT_MOST(f, "list page, CPU", " ms", 50,
	    bench_value_of(&b, "reads", "list"), note);
	AT_MOST(f, "list page, sorted by creation, CPU", " ms", 50,
	    bench_value_of(&b, "reads", "sorted"), note);
	AT_MOST(f, "search in all texts, CPU", " ms", 30,
	    bench_value_of(&b, "reads", "search"), note);
	AT_MOST(f, "one edit", " ms", 10, bench_value_of(&b, "reads", "edit"),
	    note);
	fill = bench_value_of(&b, "P4", "seconds");
	copy = bench_value_of(&b, "P4", "copy_seconds");
	(void)snprintf(note, sizeof note, "%zu customers in %.2f s; copying "
	    "the finished file %.3f s", f->big, fill, copy);
	AT_MOST(f, "bootstrap against a file copy", "x", -1, fill / copy,
	    note);
	AT_MOST(f, "bootstrap, memory over idle", " MB", 40,
	    bench_value_of(&b, "P4", "rss"), "");
	AT_MOST(f, "bootstrap, wire against zstd-3 of the rows", "x", 0.9,
	    bench_value_of(&b, "P4", "wire") / ((double)figure_json_rows(&f->data) *
	    (double)f->big / (double)f->data.n), "rows as JSON");
	bench_out_fini(&s);
	bench_out_fini(&b);
}

/* ---- all ---------------------------------------------------------------------------------- */

static void
prepare(figures *f, const char *work)
{
	bench_mkdir(work);
	if (chdir(work) != 0)
		bench_die("cannot enter %s: %s", work, strerror(errno));
	bench_gen("data", f->n);
	bench_read(&f->data, "data", f->n);
}

/* BENCH_ONLY=merge,... runs a part of it, BENCH_ROUNDS so many rounds: for a
 * profiler. */
static bool
wanted(const char *part)
{
	const char *only = getenv("BENCH_ONLY");

	return only == NULL || strstr(only, part) != NULL;
}

static void
engine_parts(figures *f)
{
	for (int i = 0; wanted("singles") && more(f, i, 150); i++) {
		step("one durable insert, one durable update");
		figure_singles(f);
	}
	if (wanted("merge")) {
		step("server merge, and its parts");
		figure_merge(f, true);
		figure_merge(f, false);
	}
	if (wanted("reconnect")) {
		step("200 devices at once");
		figure_reconnect(f);
	}
	if (wanted("wire")) {
		step("bytes on the wire");
		figure_wire(f);
	}
}

static void
peer_parts(figures *f)
{
	for (int i = 0; wanted("peer") && more(f, i, 360); i++) {
		step("the peer workload");
		peer_round(f, f->edits2);
	}
	if (wanted("sizes")) {
		step("sizes");
		sizes(f, f->edits2);
	}
	if (wanted("change")) {
		step("one change, and bootstrap of many");
		one_change(f);
	}
}

/* What the floor stores, read by the template of a device. */
static void
read_values(figures *f)
{
	inproc *srv = inproc_open("core1", true, 1);
	device d;

	inproc_device(&d, srv, "d1", true, 1, NULL);
	bench_values_of(&f->values, &f->data,
	    sat_replica_template(d.replica));
	f->edits2 = figure_values(&f->mem, &d, f->data.edits2,
	    f->data.nedits2);
	device_close(&d);
	inproc_close(srv);
}

int
figures_main(int argc, char **argv)
{
	figures f = { .quick = argc > 3 && strcmp(argv[3], "quick") == 0 };
	const char *rounds = getenv("BENCH_ROUNDS");

	if (argc < 3)
		bench_die("usage: satchel-bench figures WORK [quick]");
	f.rounds = f.quick ? 2 : 5;
	if (rounds != NULL)
		f.rounds = atoi(rounds);
	f.n = f.quick ? 4000 : 10000;
	f.big = f.quick ? 20000 : 100000;
	f.small = 1000;
	began = bench_now();
	prepare(&f, argv[2]);
	read_values(&f);
	engine_parts(&f);
	peer_parts(&f);
	step("done");
	printf("N = %zu (and %zu, %zu), up to %d rounds\n\n", f.n, f.small,
	    f.big, f.rounds);
	table_print(&f.t, stdout);
	free(f.values.v);
	free(f.edits2);
	sat_arena_fini(&f.mem);
	sat_arena_fini(&f.values.mem);
	bench_data_fini(&f.data);
	bench_rmdir("data");
	return 0;
}
