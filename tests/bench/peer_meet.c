/* P4 to P7: a device filled, pages, conflicts, a server and a device alone. */
#include <sys/wait.h>
#include <unistd.h>

#include "client/replica/replica.h"
#include "tests/bench/bench.h"
#include "tests/bench/peer.h"

/* ---- P4 ------------------------------------------------------------------ */

int
peer_fill(int argc, char **argv)
{
	bool plain = argc > 3 && strcmp(argv[3], "plain") == 0;
	char *path = bench_path(argv[2], "fill.result");
	sat_sync_result got;
	long idle, peak;
	device d;
	double t;
	FILE *f;

	device_open(&d, argv[2], plain);
	idle = bench_rss_kib(false);
	t = bench_now();
	got = device_sync(&d);
	t = bench_now() - t;
	peak = bench_rss_kib(true);
	f = fopen(path, "we");
	if (f == NULL || fprintf(f, "%.9f %llu %llu %ld\n", t,
	    (unsigned long long)got.stats.records,
	    (unsigned long long)(got.bytes_in + got.bytes_out),
	    peak - idle) < 0 || fclose(f) != 0)
		bench_die("cannot write %s", path);
	free(path);
	device_close(&d);
	return 0;
}

static void
run_fill(const peer *p, const char *dir)
{
	int status = 0;
	pid_t pid;

	(void)fflush(NULL);
	pid = fork();
	if (pid == 0) {
		(void)execl("/proc/self/exe", "satchel-bench", "fill", dir,
		    p->plain ? "plain" : "sealed", (char *)NULL);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0)
		bench_die("P4: the process that fills a replica failed");
}

/* The file itself, durable under another name: no bootstrap is faster. */
static double
copy_time(const char *from, const char *to)
{
	FILE *in = fopen(from, "re"), *out = fopen(to, "we");
	double t = bench_now();
	uint8_t *buf = sat_xmalloc(1 << 20);
	size_t n;

	if (in == NULL || out == NULL)
		bench_die("cannot copy %s", from);
	while ((n = fread(buf, 1, 1 << 20, in)) > 0)
		if (fwrite(buf, 1, n, out) != n)
			bench_die("cannot write %s", to);
	if (fflush(out) != 0 || fsync(fileno(out)) != 0)
		bench_die("cannot write %s", to);
	t = bench_now() - t;
	(void)fclose(in);
	(void)fclose(out);
	(void)unlink(to);
	free(buf);
	return t;
}

void
p4(peer *p)
{
	unsigned long long records, bytes;
	long kib;
	double t, t_copy;
	FILE *f;

	device_enrol(&p->b, &p->w, "b", p->plain);
	device_close(&p->b);
	run_fill(p, "b");
	f = fopen("b/fill.result", "re");
	if (f == NULL ||
	    fscanf(f, "%lf %llu %llu %ld", &t, &records, &bytes, &kib) != 4)
		bench_die("P4: no result");
	(void)fclose(f);
	(void)unlink("b/fill.result");
	if (records != p->data->n)
		bench_die("P4: %llu of %zu rows came", records, p->data->n);
	t_copy = copy_time("b/replica.db", "copy.db");
	device_open(&p->b, "b", p->plain);
	if ((p->want & P4) == 0)
		return;
	say(p, "P4", "rate", "rows/s", (double)records / t);
	say(p, "P4", "wire", "bytes", (double)bytes);
	say(p, "P4", "rss", "MB", (double)kib / 1024);
	say(p, "P4", "seconds", "s", t);
	say(p, "P4", "copy_seconds", "s", t_copy);
}

/* ---- P5 ------------------------------------------------------------------ */

#define P5_ROUNDS 21

static uint64_t
page_reads(device *d)
{
	sat_db_counts c;

	sat_db_counts_get(&c, sat_replica_db(d->replica));
	return c.page_reads;
}

static bench_edit
one_edit(const bench_data *d, size_t row, const char *field, const char *text)
{
	return (bench_edit){ d->id[row], row, field, text };
}

void
p5(peer *p)
{
	samples t = { 0 }, wire = { 0 }, push = { 0 }, reads = { 0 };
	sat_sync_result got;
	char text[32];
	double shake;

	for (int i = -2; i < P5_ROUNDS; i++) {
		size_t row = (size_t)(i + 2) * 397 % p->data->n;
		bench_edit ed = one_edit(p->data, row, "phone", text);
		uint64_t before = page_reads(&p->b);
		sat_sync_result sent;
		double at;

		(void)snprintf(text, sizeof text, "1390000%04d", i + 2);
		at = bench_now();
		(void)door_edit(&p->a, &ed);
		sent = device_sync(&p->a);
		got = device_sync(&p->b);
		if (i < 0)
			continue; /* warm */
		samples_add(&t, bench_now() - at);
		samples_add(&wire, (double)(got.bytes_in + got.bytes_out));
		samples_add(&push, (double)(sent.bytes_in + sent.bytes_out));
		samples_add(&reads, (double)(page_reads(&p->b) - before));
	}
	say(p, "P5", "latency", "us", samples_at(&t, 0.5) * 1e6);
	/* a sync counts what it exchanged behind the handshake */
	shake = device_handshake(&p->b);
	say(p, "P5", "wire", "bytes", samples_at(&wire, 0.5) + shake);
	say(p, "P5", "wire_push", "bytes", samples_at(&push, 0.5));
	say(p, "P5", "page_reads", "pages", samples_at(&reads, 0.5));
	say(p, "P5", "handshake", "bytes", shake);
	say(p, "P5", "wire_open_link", "bytes", samples_at(&wire, 0.5));
	got = device_sync(&p->b);
	say(p, "P5", "idle_wire", "bytes",
	    (double)(got.bytes_in + got.bytes_out) + shake);
	say(p, "P5", "idle_open_link", "bytes",
	    (double)(got.bytes_in + got.bytes_out));
	say(p, "P5", "idle_round_trips", "trips",
	    (double)got.stats.round_trips);
	samples_fini(&t);
	samples_fini(&wire);
	samples_fini(&push);
	samples_fini(&reads);
}

/* ---- P6 ------------------------------------------------------------------ */

#define P6_HALF 1000 /* rows edited in different fields, and in the same one */

static void
p6_edits(peer *p, device *d, const char *own, unsigned who)
{
	char text[32];

	begin(d);
	for (size_t i = 0; i < 2 * P6_HALF; i++) {
		bench_edit ed = one_edit(p->data, i, i < P6_HALF ? own :
		    "phone", text);

		(void)snprintf(text, sizeof text, "13%u00%06zu", who, i);
		(void)door_edit(d, &ed);
	}
	commit(d);
}

static bool
same_values(const sat_record *x, const sat_record *y)
{
	if (x->ncells != y->ncells)
		return false;
	for (size_t i = 0; i < x->ncells; i++)
		if (x->cells[i].field != y->cells[i].field ||
		    !sat_value_eq(x->cells[i].value, y->cells[i].value))
			return false;
	return true;
}

static bool
holds(const device *d, const sat_view *v, const char *field, unsigned who,
    size_t i)
{
	char text[32];

	(void)snprintf(text, sizeof text, "13%u00%06zu", who, i);
	return sat_value_eq(sat_record_value(&v->rec,
	    sat_kind_field(d->kind, field)->id),
	    sat_v_text(sat_span_str(text)));
}

/* Conflicts of a device: of the rows and the field both edited, and others. */
static void
p6_conflicts(peer *p, device *d, size_t *right, size_t *wrong)
{
	bool *seen = sat_xcalloc(2 * P6_HALF, sizeof *seen);
	sat_conflict *c;
	sat_arena a = { 0 };
	sat_err err = { 0 };
	size_t n;

	*right = *wrong = 0;
	bench_must(sat_replica_conflicts(&c, &n, &a, d->replica, &err));
	for (size_t i = 0; i < n; i++) {
		size_t row = P6_HALF;

		while (row < 2 * P6_HALF &&
		    !sat_id_eq(&p->data->id[row], &c[i].rec))
			row++;
		if (row < 2 * P6_HALF && !seen[row] && c[i].field != NULL &&
		    strcmp(c[i].field->key, "phone") == 0) {
			seen[row] = true;
			++*right;
		} else {
			++*wrong;
		}
	}
	free(seen);
	sat_arena_fini(&a);
}

static void
p6_compare(peer *p, size_t *equal, size_t *both)
{
	sat_arena a = { 0 };
	sat_err err = { 0 };
	sat_view x, y;

	*equal = *both = 0;
	for (size_t i = 0; i < 2 * P6_HALF; i++) {
		sat_arena_reset(&a);
		bench_must(sat_replica_get(&x, &a, p->a.replica, p->a.kind,
		    &p->data->id[i], &err));
		bench_must(sat_replica_get(&y, &a, p->b.replica, p->b.kind,
		    &p->data->id[i], &err));
		*equal += same_values(&x.rec, &y.rec);
		*both += i < P6_HALF && holds(&p->a, &x, "city", 1, i) &&
		    holds(&p->a, &x, "industry", 2, i) &&
		    holds(&p->b, &y, "city", 1, i) &&
		    holds(&p->b, &y, "industry", 2, i);
	}
	sat_arena_fini(&a);
}

void
p6(peer *p)
{
	size_t equal, both, right[2], wrong[2];

	if (p->data->n < 2 * P6_HALF)
		bench_die("P6 needs %d rows", 2 * P6_HALF);
	p6_edits(p, &p->a, "city", 1);
	p6_edits(p, &p->b, "industry", 2);
	for (int i = 0; i < 2; i++) {
		(void)device_sync(&p->a);
		(void)device_sync(&p->b);
	}
	p6_compare(p, &equal, &both);
	p6_conflicts(p, &p->a, &right[0], &wrong[0]);
	p6_conflicts(p, &p->b, &right[1], &wrong[1]);
	say(p, "P6", "rows_equal", "rows", (double)equal);
	say(p, "P6", "both_kept", "rows", (double)both);
	/* the worse of the two replicas */
	say(p, "P6", "conflicts_true", "rows",
	    (double)(right[0] < right[1] ? right[0] : right[1]));
	say(p, "P6", "conflicts_false", "rows",
	    (double)(wrong[0] > wrong[1] ? wrong[0] : wrong[1]));
}

/* ---- reads, not of the protocol ------------------------------------------ */

#define READ_ROUNDS 7

static double
one_query(device *d, const sat_query *q)
{
	double t = bench_cpu(); /* one thread, no waiting */
	const sat_value *v;
	sat_rows *rows;
	sat_err err = { 0 };

	bench_must(sat_replica_query(&rows, d->replica, q, &err));
	do
		bench_must(sat_rows_next(&v, rows, &err));
	while (v != NULL);
	sat_rows_free(rows);
	return bench_cpu() - t;
}

void
reads(peer *p)
{
	uint16_t columns[5] = { SAT_Q_ID, SAT_Q_CREATED };
	sat_value word = sat_v_text(sat_span_str("恒信"));
	sat_filter has = { SAT_Q_TEXT, SAT_CMP_LIKE, &word, 1 };
	sat_query list = { .kind = p->b.kind, .columns = columns,
		.ncolumns = 5, .limit = 50 }, search, sorted;
	samples t[4] = { { 0 } };
	char text[32];

	for (size_t i = 0; i < 3; i++)
		columns[2 + i] = sat_kind_field(p->b.kind,
		    bench_fields[i])->id;
	sorted = search = list;
	sorted.nsort = 1;
	sorted.sort[0].field = SAT_Q_CREATED;
	sorted.sort[0].desc = true;
	search.filters = &has;
	search.nfilters = 1;
	for (int i = 0; i < READ_ROUNDS; i++) {
		bench_edit ed = one_edit(p->data, (size_t)i * 97, "grade",
		    text);
		double at;

		samples_add(&t[0], one_query(&p->b, &list));
		samples_add(&t[1], one_query(&p->b, &search));
		samples_add(&t[3], one_query(&p->b, &sorted));
		(void)snprintf(text, sizeof text, "E%d", i);
		at = bench_now();
		(void)door_edit(&p->b, &ed);
		samples_add(&t[2], bench_now() - at);
	}
	say(p, "reads", "list", "ms", samples_at(&t[0], 0.5) * 1e3);
	say(p, "reads", "sorted", "ms", samples_at(&t[3], 0.5) * 1e3);
	say(p, "reads", "search", "ms", samples_at(&t[1], 0.5) * 1e3);
	say(p, "reads", "edit", "ms", samples_at(&t[2], 0.5) * 1e3);
	for (int i = 0; i < 4; i++)
		samples_fini(&t[i]);
}

/* ---- P7 ------------------------------------------------------------------ */

/* On disk as it lies there: closed, checkpointed, keyring included. */
static double
bytes_of(device *d, bool plain)
{
	char *dir = sat_xstrdup(d->dir);
	int64_t n;

	device_close(d);
	n = bench_dir_bytes(dir);
	device_open(d, dir, plain);
	free(dir);
	return (double)n;
}

/* What a verified backup of the server holds leaves the outbox. */
static void
truncate_outbox(peer *p, device *d, const char *backup)
{
	(void)device_sync(d);
	world_backup(&p->w, backup);
	(void)device_sync(d);
}

/* One edit per row: a field of ours from the next row, another each round. */
static void
p7_round(peer *p, device *d, size_t round)
{
	static const size_t fields[] = { 2, 11, 13, 1, 3, 14, 6, 9, 8, 7 };
	size_t f = fields[round % 10];

	begin(d);
	for (size_t i = 0; i < p->data->n; i++) {
		size_t from = (i + round + 1) % p->data->n;
		bench_edit ed = one_edit(p->data, i, bench_fields[f],
		    p->data->cells[from * BENCH_FIELDS + f]);

		(void)door_edit(d, &ed);
	}
	commit(d);
	(void)device_sync(d);
}

void
p7(peer *p)
{
	device d;

	device_enrol(&d, &p->w, "seven", p->plain);
	(void)device_sync(&d);
	begin(&d);
	for (size_t i = 0; i < p->data->n; i++)
		door_create(&d, p->data, &p->values, i);
	commit(&d);
	say(p, "P7rows", "bytes_unsent", "bytes", bytes_of(&d, p->plain));
	truncate_outbox(p, &d, "backup1");
	say(p, "P7rows", "bytes", "bytes", bytes_of(&d, p->plain));
	for (size_t r = 0; (p->want & P7X10) != 0 && r < 10; r++)
		p7_round(p, &d, r);
	if ((p->want & P7X10) != 0) {
		say(p, "P7x10", "bytes_untruncated", "bytes",
		    bytes_of(&d, p->plain));
		truncate_outbox(p, &d, "backup2");
		say(p, "P7x10", "bytes", "bytes", bytes_of(&d, p->plain));
		say(p, "P7x10", "bytes_server", "bytes",
		    (double)bench_dir_bytes("srv7"));
	}
	device_close(&d);
	bench_rmdir("seven");
	bench_rmdir("backup1");
	bench_rmdir("backup2");
}
