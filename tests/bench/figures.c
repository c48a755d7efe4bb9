/*
 * figures.c - `make bench`: every figure beside its floor, in one run.
 *
 * What is compared with each other is measured in turns of a few hundred
 * operations, so that a neighbour on the machine slows both; the rest is done
 * in whole rounds, floor and engine one after the other. A row of the table
 * has one sample per round.
 */
#include "tests/bench/bench.h"

#include <errno.h>
#include <unistd.h>

#include <zstd.h>

#include "protocol/server.h"

typedef struct figures {
	bench_table_out t;
	bench_data data;
	bench_values values;
	bool quick;
	int rounds;
	size_t n, big, small;
} figures;

static void
add(figures *f, const char *name, const char *unit, double goal, bool at_most,
    double v, const char *note)
{
	bench_row *r = table_row(&f->t, name, unit, goal, at_most);

	(void)snprintf(r->note, sizeof r->note, "%s", note);
	samples_add(&r->s, v);
}
#define AT_MOST(f, name, unit, goal, v, note)                                 \
	add(f, name, unit, goal, true, v, note)
#define AT_LEAST(f, name, unit, goal, v, note)                                \
	add(f, name, unit, goal, false, v, note)

static void
step(const char *what)
{
	static double began;

	if (began == 0)
		began = bench_now();
	fprintf(stderr, "  %6.1f s  %s\n", bench_now() - began, what);
}

/* Values of the edits, read once for the floor. */
static sat_value *
edit_values(sat_arena *a, const device *d, const bench_edit *list, size_t n)
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

static void
group(device *d, bool begin)
{
	sat_err err = { 0 };

	if (begin)
		bench_must(sat_replica_group_begin(d->replica, &err));
	else
		bench_must(sat_replica_group_commit(d->replica, &err));
}

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
		group(&w->d[way], true);
		for (size_t i = from; i < f->data.n; i++)
			door_create(&w->d[way], &f->data, &f->values, i);
		group(&w->d[way], false);
		inproc_sync(&w->d[way], w->srv[way], NULL);
		inproc_durable(w->srv[way]);
		inproc_sync(&w->d[way], w->srv[way], NULL);
	}
}

static void
singles_round(figures *f)
{
	size_t n = f->data.n < BENCH_SINGLES ? f->data.n : BENCH_SINGLES;
	size_t m = f->quick ? 2000 : f->data.nedits;
	sat_arena a = { 0 };
	sat_value *v;
	char note[160];
	double floor;
	ways w;

	ways_open(&w);
	for (size_t i = 0; i < n; i += BLOCK)
		for (int way = 0; way < WAYS; way++)
			insert_block(&w, f, way, i, i + BLOCK);
	fill_rest(&w, f, n);
	v = edit_values(&a, &w.d[PLAIN], f->data.edits, f->data.nedits);
	for (size_t i = 0; i + BLOCK <= m; i += BLOCK)
		for (int way = 0; way < WAYS; way++)
			update_block(&w, f, way, v, i, i + BLOCK);
	floor = samples_at(&w.insert[FLOOR], 0.5);
	(void)snprintf(note, sizeof note, "bare insert p50 %.0f us",
	    floor * 1e6);
	AT_MOST(f, "durable insert p50, not encrypted", "x", 1.8,
	    samples_at(&w.insert[PLAIN], 0.5) / floor, note);
	AT_MOST(f, "durable insert p50, encrypted", "x", 2.2,
	    samples_at(&w.insert[SEALED], 0.5) / floor, note);
	floor = samples_at(&w.update[FLOOR], 0.5);
	(void)snprintf(note, sizeof note, "bare update p50 %.0f us",
	    floor * 1e6);
	AT_MOST(f, "durable update p50, not encrypted", "x", 1.7,
	    samples_at(&w.update[PLAIN], 0.5) / floor, note);
	AT_MOST(f, "durable update p50, encrypted", "x", 2.2,
	    samples_at(&w.update[SEALED], 0.5) / floor, note);
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
	free(v);
	sat_arena_fini(&a);
	ways_close(&w);
}

/* ---- merge --------------------------------------------------------------------- */

static size_t
edit_all(device *d, const bench_edit *list, size_t n)
{
	size_t ops = 0;

	group(d, true);
	for (size_t i = 0; i < n; i++)
		ops += door_edit(d, &list[i]);
	group(d, false);
	return ops;
}

static double
upsert_rate(floor_db *db, figures *f, const bench_edit *list,
    const sat_value *v, size_t n, size_t batch)
{
	double t = bench_cpu();

	for (size_t i = 0; i < n; i++) {
		if (i % batch == 0)
			floor_begin(db);
		floor_upsert(db, &f->data, &list[i], v[i]);
		if ((i + 1) % batch == 0 || i + 1 == n)
			floor_commit(db);
	}
	return (double)n / (bench_cpu() - t);
}

typedef struct merge_bed {
	inproc *srv;
	device d;
	floor_db *floor;
	sat_value *v[2];
	sat_arena mem;
} merge_bed;

static void
merge_open(merge_bed *m, figures *f, bool plain, inproc_cost made[INPROC_TYPES])
{
	*m = (merge_bed){ .floor = floor_open("floor.db") };
	m->srv = inproc_open("core1", plain, 1);
	inproc_device(&m->d, m->srv, "d1", false, 1, NULL);
	group(&m->d, true);
	floor_begin(m->floor);
	for (size_t i = 0; i < f->data.n; i++) {
		door_create(&m->d, &f->data, &f->values, i);
		floor_insert(m->floor, &f->data, &f->values, i);
	}
	group(&m->d, false);
	floor_commit(m->floor);
	inproc_sync(&m->d, m->srv, made);
	m->v[0] = edit_values(&m->mem, &m->d, f->data.edits, f->data.nedits);
	m->v[1] = edit_values(&m->mem, &m->d, f->data.edits2,
	    f->data.nedits2);
}

static void
merge_close(merge_bed *m)
{
	floor_close(m->floor);
	device_close(&m->d);
	inproc_close(m->srv);
	free(m->v[0]);
	free(m->v[1]);
	sat_arena_fini(&m->mem);
	bench_rmdir("core1");
	bench_rmdir("d1");
}

/* What a round cost, each part beside raw upserts. */
static void
merge_row(figures *f, const char *name, double goal, size_t ops, double cpu,
    double floor)
{
	char note[160];

	(void)snprintf(note, sizeof note, "CPU: raw upsert %.0f/s, ours %.0f/s",
	    floor, (double)ops / cpu);
	AT_LEAST(f, name, "x", goal, (double)ops / cpu / floor, note);
}

static void
fill_row(figures *f, const inproc_cost *snap)
{
	char note[160];

	(void)snprintf(note, sizeof note, "CPU: server %.0f rows/s, device "
	    "%.0f rows/s", (double)f->data.n / snap->server_cpu,
	    (double)f->data.n / snap->client_cpu);
	AT_MOST(f, "snapshot, CPU per row", " us", -1,
	    (snap->server_cpu + snap->client_cpu) / (double)f->data.n * 1e6,
	    note);
}

static void
merge_rounds(figures *f, bool plain)
{
	inproc_cost made[INPROC_TYPES] = { { 0 } }, fill[INPROC_TYPES] = { { 0 } };
	merge_bed m;
	double floor;
	device b;

	merge_open(&m, f, plain, made);
	inproc_device(&b, m.srv, "d2", false, 1, fill);
	for (int r = 0; r < f->rounds + 1; r++) {
		inproc_cost own[INPROC_TYPES] = { { 0 } };
		inproc_cost other[INPROC_TYPES] = { { 0 } };
		bool odd = r % 2 != 0;
		const bench_edit *list = odd ? f->data.edits2 : f->data.edits;
		size_t ops = edit_all(&m.d, list, odd ? f->data.nedits2 :
		    f->data.nedits);

		inproc_sync(&m.d, m.srv, own);
		inproc_sync(&b, m.srv, other);
		floor = upsert_rate(m.floor, f, list, m.v[odd], ops, 4096);
		if (r == 0)
			continue; /* warm */
		merge_row(f, plain ? "server merge, file not encrypted" :
		    "server merge, file encrypted", 0.6, ops,
		    own[SAT_MSG_PUSH].server_cpu, floor);
		if (plain)
			continue;
		merge_row(f, "device: pushes built, verdicts stored", -1, ops,
		    own[SAT_MSG_PUSH].client_cpu, floor);
		merge_row(f, "device: own commits settled", -1, ops,
		    own[SAT_MSG_PULL].client_cpu, floor);
		merge_row(f, "device: commits of others applied", -1, ops,
		    other[SAT_MSG_PULL].client_cpu, floor);
		merge_row(f, "server: commits handed out", -1, ops,
		    other[SAT_MSG_PULL].server_cpu, floor);
	}
	if (!plain)
		fill_row(f, &fill[SAT_MSG_SNAP]);
	device_close(&b);
	merge_close(&m);
	bench_rmdir("d2");
}

/* ---- bytes ----------------------------------------------------------------------- */

static size_t
zstd_bytes(const sat_buf *b)
{
	size_t room = ZSTD_compressBound(b->n), n;
	void *p = sat_xmalloc(room);

	n = ZSTD_compress(p, room, b->p, b->n, 3);
	free(p);
	if (ZSTD_isError(n) != 0)
		bench_die("zstd: %s", ZSTD_getErrorName(n));
	return n;
}

static void
json_cell(sat_buf *b, const char *key, const char *text)
{
	sat_buf_fmt(b, ",\"%s\":", key);
	sat_json_write_str(b, sat_span_str(text));
}

static size_t
json_rows(const bench_data *d)
{
	sat_buf b = { 0 };
	size_t n;

	for (size_t i = 0; i < d->n; i++) {
		sat_buf_fmt(&b, "{\"id\":\"%s\"", d->id_text[i]);
		for (size_t c = 0; c < BENCH_FIELDS; c++)
			json_cell(&b, bench_fields[c],
			    d->cells[i * BENCH_FIELDS + c]);
		sat_buf_str(&b, "}\n");
	}
	n = zstd_bytes(&b);
	sat_buf_fini(&b);
	return n;
}

static size_t
json_edits(const bench_data *d, const bench_edit *list, size_t n)
{
	sat_buf b = { 0 };
	size_t bytes;

	for (size_t i = 0; i < n; i++) {
		sat_buf_fmt(&b, "{\"id\":\"%s\"", d->id_text[list[i].row]);
		json_cell(&b, list[i].field, list[i].text);
		/* whoever merges needs to know when */
		sat_buf_fmt(&b, ",\"at\":%llu}\n",
		    1795190400000ull + i * 130);
	}
	bytes = zstd_bytes(&b);
	sat_buf_fini(&b);
	return bytes;
}

static void
wire(figures *f)
{
	inproc_cost made[INPROC_TYPES] = { { 0 } };
	inproc_cost push[INPROC_TYPES] = { { 0 } };
	inproc_cost pull[INPROC_TYPES] = { { 0 } };
	double rows = (double)json_rows(&f->data);
	double edits = (double)json_edits(&f->data, f->data.edits,
	    f->data.nedits);
	char note[160];
	merge_bed m;
	device b;
	size_t ops;

	merge_open(&m, f, false, made);
	inproc_device(&b, m.srv, "d2", false, 1, NULL); /* and its first filling */
	ops = edit_all(&m.d, f->data.edits, f->data.nedits);
	inproc_sync(&m.d, m.srv, push);
	inproc_sync(&b, m.srv, pull);
	(void)snprintf(note, sizeof note, "zstd-3 of the row JSON %.0f bytes "
	    "per row, ours %.0f", rows / (double)f->data.n,
	    (double)made[SAT_MSG_PUSH].out / (double)f->data.n);
	AT_MOST(f, "wire, creations pushed", "x", 0.7,
	    (double)made[SAT_MSG_PUSH].out / rows, note);
	(void)snprintf(note, sizeof note, "zstd-3 of the row JSON %.1f bytes "
	    "per edit, ours %.1f (16 of them salt)", edits / (double)ops,
	    (double)push[SAT_MSG_PUSH].out / (double)ops);
	AT_MOST(f, "wire, updates pushed", "x", 0.75,
	    (double)push[SAT_MSG_PUSH].out / edits, note);
	(void)snprintf(note, sizeof note, "%.1f bytes per edit",
	    (double)pull[SAT_MSG_PULL].in / (double)ops);
	AT_MOST(f, "wire, updates pulled", "x", 0.75,
	    (double)pull[SAT_MSG_PULL].in / edits, note);
	(void)snprintf(note, sizeof note, "%.1f bytes per commit",
	    (double)push[SAT_MSG_PUSH].in / (double)ops);
	AT_MOST(f, "wire, verdicts of the updates", "x", -1,
	    (double)push[SAT_MSG_PUSH].in / edits, note);
	device_close(&b);
	merge_close(&m);
	bench_rmdir("d2");
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
	AT_MOST(f, "file size after N rows, synced", "x", 1.5,
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
	one_size(&b, f, "data", f->big, P4);
	(void)snprintf(note, sizeof note, "%.0f at %zu customers, %.0f at %zu",
	    bench_value_of(&s, "P5", "wire"), f->small,
	    bench_value_of(&b, "P5", "wire"), f->big);
	AT_MOST(f, "one change: bytes received", "", 300,
	    bench_value_of(&b, "P5", "wire"), note);
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
	AT_MOST(f, "idle sync: bytes, handshake included", "", 200,
	    bench_value_of(&b, "P5", "idle_wire"), "");
	AT_MOST(f, "idle sync: round trips after the handshake", "", 1,
	    bench_value_of(&b, "P5", "idle_round_trips"), "");
	fill = bench_value_of(&b, "P4", "seconds");
	copy = bench_value_of(&b, "P4", "copy_seconds");
	(void)snprintf(note, sizeof note, "%zu customers in %.2f s; copying "
	    "the finished file %.3f s", f->big, fill, copy);
	AT_MOST(f, "bootstrap against a file copy", "x", -1, fill / copy,
	    note);
	AT_MOST(f, "bootstrap, memory over idle", " MB", 40,
	    bench_value_of(&b, "P4", "rss"), "");
	AT_MOST(f, "bootstrap, wire against zstd-3 of the rows", "x", 0.9,
	    bench_value_of(&b, "P4", "wire") / ((double)json_rows(&f->data) *
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

/* BENCH_ONLY=merge,... runs a part of it: for a profiler. */
static bool
wanted(const char *part)
{
	const char *only = getenv("BENCH_ONLY");

	return only == NULL || strstr(only, part) != NULL;
}

static void
engine_parts(figures *f)
{
	for (int i = 0; wanted("singles") && i < f->rounds; i++) {
		step("one durable insert, one durable update");
		singles_round(f);
	}
	if (wanted("merge")) {
		step("server merge, and its parts");
		merge_rounds(f, true);
		merge_rounds(f, false);
	}
	if (wanted("wire")) {
		step("bytes on the wire");
		wire(f);
	}
}

static void
peer_parts(figures *f)
{
	sat_arena a = { 0 };
	sat_value *edits;
	merge_bed m;

	merge_open(&m, f, true, NULL);
	edits = edit_values(&a, &m.d, f->data.edits2, f->data.nedits2);
	merge_close(&m);
	for (int i = 0; wanted("peer") && i < f->rounds; i++) {
		step("the peer workload");
		peer_round(f, edits);
	}
	if (wanted("sizes")) {
		step("sizes");
		sizes(f, edits);
	}
	if (wanted("change")) {
		step("one change, and bootstrap of many");
		one_change(f);
	}
	free(edits);
	sat_arena_fini(&a);
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
	device_close(&d);
	inproc_close(srv);
}

int
figures_main(int argc, char **argv)
{
	figures f = { .quick = argc > 3 && strcmp(argv[3], "quick") == 0 };

	if (argc < 3)
		bench_die("usage: satchel-bench figures WORK [quick]");
	f.rounds = f.quick ? 2 : 5;
	f.n = f.quick ? 4000 : 10000;
	f.big = f.quick ? 20000 : 100000;
	f.small = 1000;
	prepare(&f, argv[2]);
	read_values(&f);
	engine_parts(&f);
	if (wanted("peer") || wanted("sizes") || wanted("change"))
		peer_parts(&f);
	step("done");
	printf("N = %zu (and %zu, %zu), %d rounds\n\n", f.n, f.small, f.big,
	    f.rounds);
	table_print(&f.t, stdout);
	free(f.values.v);
	sat_arena_fini(&f.values.mem);
	bench_data_fini(&f.data);
	bench_rmdir("data");
	return 0;
}
