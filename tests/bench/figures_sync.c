/*
 * figures_sync.c - what a sync costs, part by part, in CPU and in bytes.
 *
 * In one process and without a socket: wall time of a batch moves by a factor
 * of three on a shared machine, its CPU time by a tenth.
 */
#include "tests/bench/figures.h"

#include <zstd.h>

#include "protocol/server.h"

/* ---- what proves who wrote it ------------------------------------------------------ */

static void
proof(figures *f, double merge_us)
{
	uint8_t pk[SAT_SIGN_PK_BYTES], sk[SAT_SIGN_SK_BYTES], seed[32] = { 1 };
	uint8_t sig[SAT_SIG_BYTES], hash[SAT_HASH_BYTES], bytes[192] = { 2 };
	double t = bench_cpu(), verify, chain;
	char note[160];
	bool ok = true;

	sat_sign_keys(pk, sk, seed);
	sat_sign(sig, sat_span_of(bytes, 100), sk);
	for (int i = 0; i < 500; i++)
		ok = ok && sat_sign_ok(sig, sat_span_of(bytes, 100), pk);
	verify = (bench_cpu() - t) / 500 * 1e6;
	t = bench_cpu();
	for (int i = 0; ok && i < 20000; i++) {
		sat_hash(hash, sat_span_of(bytes, 190)); /* header */
		sat_hash(hash, sat_span_of(bytes, 50));  /* payload */
	}
	chain = (bench_cpu() - t) / 20000 * 1e6;
	(void)snprintf(note, sizeof note, "signature %.1f us a batch, chain "
	    "%.2f us a commit, merge %.1f us", verify, chain, merge_us);
	AT_MOST(f, "signature and chain, of the merge at batch 64", " %", 3,
	    (verify / 64 + chain) / merge_us * 100, note);
}

/* ---- merge --------------------------------------------------------------------- */

static size_t
edit_all(device *d, const bench_edit *list, size_t n)
{
	size_t ops = 0;

	figure_group(d, true);
	for (size_t i = 0; i < n; i++)
		ops += door_edit(d, &list[i]);
	figure_group(d, false);
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
	figure_group(&m->d, true);
	floor_begin(m->floor);
	for (size_t i = 0; i < f->data.n; i++) {
		door_create(&m->d, &f->data, &f->values, i);
		floor_insert(m->floor, &f->data, &f->values, i);
	}
	figure_group(&m->d, false);
	floor_commit(m->floor);
	inproc_sync(&m->d, m->srv, made);
	m->v[0] = figure_values(&m->mem, &m->d, f->data.edits, f->data.nedits);
	m->v[1] = figure_values(&m->mem, &m->d, f->data.edits2,
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

void
figure_merge(figures *f, bool plain)
{
	inproc_cost made[INPROC_TYPES] = { { 0 } }, fill[INPROC_TYPES] = { { 0 } };
	merge_bed m;
	double floor;
	device b;

	merge_open(&m, f, plain, made);
	inproc_device(&b, m.srv, "d2", false, 1, fill);
	for (int r = 0; r <= f->rounds; r++) {
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
		proof(f, own[SAT_MSG_PUSH].server_cpu / (double)ops * 1e6);
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

/* ---- 200 devices after a day without a network ------------------------------------ */

#define DEVICES 200
#define DAY 40 /* edits each */

static void
day_of(figures *f, device *d, size_t who, size_t day)
{
	char text[32];

	figure_group(d, true);
	for (size_t i = 0; i < DAY; i++) {
		size_t row = who * DAY + i;
		bench_edit ed = { f->data.id[row], row, "phone", text };

		if (day == 0) {
			door_create(d, &f->data, &f->values, row);
			continue;
		}
		(void)snprintf(text, sizeof text, "138%04zu%04zu", day, row);
		(void)door_edit(d, &ed);
	}
	figure_group(d, false);
}

void
figure_reconnect(figures *f)
{
	size_t n = f->data.n / DAY < DEVICES ? f->data.n / DAY : DEVICES;
	inproc *srv = inproc_open("core1", false, DEVICES);
	device *d = sat_xcalloc(n, sizeof *d);
	inproc_session **s = sat_xcalloc(n, sizeof *s);
	char dir[16], note[160];
	double t, at_once = 0, serial = 0;

	for (size_t i = 0; i < n; i++) {
		(void)snprintf(dir, sizeof dir, "dev%zu", i);
		inproc_device(&d[i], srv, dir, false, (unsigned)i + 1, NULL);
		day_of(f, &d[i], i, 0);
		inproc_sync(&d[i], srv, NULL);
	}
	for (size_t day = 1; day <= 2; day++) {
		for (size_t i = 0; i < n; i++) {
			day_of(f, &d[i], i, day);
			s[i] = inproc_begin(&d[i], srv);
		}
		t = bench_cpu();
		for (size_t i = 0; day == 1 && i < n; i++)
			inproc_push_all(srv, &s[i], 1);
		if (day == 2)
			inproc_push_all(srv, s, n);
		*(day == 1 ? &serial : &at_once) = bench_cpu() - t;
		for (size_t i = 0; i < n; i++)
			inproc_end(s[i], srv);
	}
	(void)snprintf(note, sizeof note, "%zu devices, %d commits each: %.0f "
	    "commits per CPU second one after the other, %.0f at once", n, DAY,
	    (double)(n * DAY) / serial, (double)(n * DAY) / at_once);
	AT_MOST(f, "all devices at once, CPU against one by one", "x", 2,
	    at_once / serial, note);
	for (size_t i = 0; i < n; i++) {
		bench_rmdir(d[i].dir);
		device_close(&d[i]);
	}
	free(d);
	free(s);
	inproc_close(srv);
	bench_rmdir("core1");
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

size_t
figure_json_rows(const bench_data *d)
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

/* Bytes of requests and replies of a type; the channel adds 28 to each. */
static void
wire_row(figures *f, const char *name, double goal, double ours, double theirs,
    size_t n)
{
	char note[160];

	(void)snprintf(note, sizeof note, "zstd-3 of JSON %.1f bytes each, "
	    "ours %.1f", theirs / (double)n, ours / (double)n);
	AT_MOST(f, name, "x", goal, ours / theirs, note);
}

void
figure_wire(figures *f)
{
	inproc_cost made[INPROC_TYPES] = { { 0 } }, got[INPROC_TYPES] = { { 0 } };
	inproc_cost push[INPROC_TYPES] = { { 0 } }, pull[INPROC_TYPES] = { { 0 } };
	double rows = (double)figure_json_rows(&f->data);
	double edits = (double)json_edits(&f->data, f->data.edits,
	    f->data.nedits);
	inproc *srv = inproc_open("core1", false, 1);
	device a, b;
	size_t ops;

	inproc_device(&a, srv, "d1", false, 1, NULL);
	inproc_device(&b, srv, "d2", false, 1, NULL);
	figure_group(&a, true);
	for (size_t i = 0; i < f->data.n; i++)
		door_create(&a, &f->data, &f->values, i);
	figure_group(&a, false);
	inproc_sync(&a, srv, made);
	inproc_sync(&b, srv, got);
	ops = edit_all(&a, f->data.edits, f->data.nedits);
	inproc_sync(&a, srv, push);
	inproc_sync(&b, srv, pull);
	wire_row(f, "wire, creations received", 0.65,
	    (double)got[SAT_MSG_PULL].in, rows, f->data.n);
	wire_row(f, "wire, creations sent", 0.65,
	    (double)made[SAT_MSG_PUSH].out, rows, f->data.n);
	wire_row(f, "wire, updates received", 0.45,
	    (double)pull[SAT_MSG_PULL].in, edits, ops);
	wire_row(f, "wire, updates sent", 0.45,
	    (double)push[SAT_MSG_PUSH].out, edits, ops);
	wire_row(f, "wire, verdicts of the updates", -1,
	    (double)push[SAT_MSG_PUSH].in, edits, ops);
	device_close(&a);
	device_close(&b);
	inproc_close(srv);
	bench_rmdir("core1");
	bench_rmdir("d1");
	bench_rmdir("d2");
}
