/*
 * peer.c - the phases of the peer workload over the real engine.
 *
 * One server process, one world of N rows, and two devices of one seller, A
 * and B. The phases that are asked for run in this order, because each leaves
 * the world as the next one wants it; what a phase needs and was not asked for
 * happens without being timed:
 *
 *   P1one   a device of its own, thrown away
 *   P1bulk  A gets its N rows; then it syncs
 *   P4      B, in a process of its own, gets them from the server
 *   P2one   A edits, every edit durable; P3 takes these to B
 *   P3      A pushes, B waits on its link and pulls
 *   P2batch A edits in one transaction; both sync, one after the other
 *   P5, P6  between A and B
 *   P7      a server and a device of their own
 */
#include <errno.h>
#include <limits.h>
#include <unistd.h>

#include "client/replica/replica.h"
#include "tests/bench/bench.h"
#include "tests/bench/peer.h"

static const char *const phase_names[] = { "P1one", "P1bulk", "P2one",
	"P2batch", "P3", "P4", "P5", "P6", "P7rows", "P7x10" };

void
say(const peer *p, const char *phase, const char *metric, const char *unit,
    double v)
{
	bench_line(p->out, phase, metric, unit, v);
}

void
say_latency(const peer *p, const char *phase, samples *s)
{
	say(p, phase, "p50", "us", samples_at(s, 0.5) * 1e6);
	say(p, phase, "p99", "us", samples_at(s, 0.99) * 1e6);
	samples_fini(s);
}

void
begin(device *d)
{
	sat_err err = { 0 };

	bench_must(sat_replica_group_begin(d->replica, &err));
}

void
commit(device *d)
{
	sat_err err = { 0 };

	bench_must(sat_replica_group_commit(d->replica, &err));
}

static void
start_world(peer *p, const char *dir)
{
	bench_rmdir(dir);
	world_folder(dir, 1);
	world_serve(&p->w, dir);
}

static void
read_values(peer *p)
{
	device x;

	device_enrol(&x, &p->w, "first", p->plain);
	(void)device_sync(&x);
	bench_values_of(&p->values, p->data,
	    sat_replica_template(x.replica));
	device_close(&x);
	bench_rmdir("first");
}

static void
main_phases(peer *p)
{
	if ((p->want & ~(unsigned)P1ONE) == 0)
		return;
	device_enrol(&p->a, &p->w, "a", p->plain);
	(void)device_sync(&p->a);
	p1_bulk(p);
	if ((p->want & ~(unsigned)(P1ONE | P1BULK)) != 0) {
		(void)device_sync(&p->a);
		p4(p);
	}
	if ((p->want & P2ONE) != 0)
		p2_one(p);
	if ((p->want & (P2ONE | P3)) != 0)
		p3(p);
	if ((p->want & P2BATCH) != 0)
		p2_batch(p);
	if ((p->want & P5) != 0)
		p5(p);
	if ((p->want & P6) != 0)
		p6(p);
	if ((p->want & READS) != 0)
		reads(p);
	device_close(&p->a);
	if (p->b.replica != NULL)
		device_close(&p->b);
	bench_rmdir("a");
	bench_rmdir("b");
}

static unsigned
phases_of(const char *list)
{
	unsigned want = 0;

	if (strcmp(list, "all") == 0)
		return PHASES_ALL;
	while (*list != '\0') {
		size_t n = strcspn(list, ", ");
		unsigned bit = 0;

		for (unsigned i = 0; i < 10; i++)
			if (strlen(phase_names[i]) == n &&
			    strncmp(list, phase_names[i], n) == 0)
				bit = 1u << i;
		if (bit == 0 && n > 0)
			bench_die("unknown phase %.*s", (int)n, list);
		want |= bit;
		list += n + strspn(list + n, ", ");
	}
	return want;
}

void
peer_run(bench_out *out, bench_data *data, unsigned phases, bool plain)
{
	peer p = { .out = out, .data = data, .want = phases, .plain = plain };

	start_world(&p, "srv");
	read_values(&p);
	if ((p.want & P1ONE) != 0)
		p1_one(&p);
	main_phases(&p);
	world_stop(&p.w);
	bench_rmdir("srv");
	if ((p.want & (P7ROWS | P7X10)) != 0) {
		start_world(&p, "srv7");
		p7(&p);
		world_stop(&p.w);
		bench_rmdir("srv7");
	}
	free(p.values.v);
	sat_arena_fini(&p.values.mem);
}

int
peer_main(int argc, char **argv)
{
	bench_out out = { .print = true, .run = 1 };
	char folder[PATH_MAX];
	bench_data data;
	unsigned phases = 0;
	bool plain = false;

	if (argc < 5)
		bench_die("usage: satchel-bench peer DATA WORK N PHASES "
		    "[--plain] [--run K]");
	if (realpath(argv[2], folder) == NULL)
		bench_die("no folder %s", argv[2]);
	out.n = strtoul(argv[4], NULL, 10);
	for (int i = 5; i < argc; i++) {
		if (strcmp(argv[i], "--plain") == 0)
			plain = true;
		else if (strcmp(argv[i], "--run") == 0 && i + 1 < argc)
			out.run = (int)strtol(argv[++i], NULL, 10);
		else
			phases |= phases_of(argv[i]);
	}
	out.peer = plain ? "satchel-plain" : "satchel";
	bench_mkdir(argv[3]);
	/* short names: a socket's path may have 100 bytes */
	if (chdir(argv[3]) != 0)
		bench_die("cannot enter %s: %s", argv[3], strerror(errno));
	bench_read(&data, folder, out.n);
	peer_run(&out, &data, phases != 0 ? phases : PHASES_ALL, plain);
	bench_data_fini(&data);
	bench_out_fini(&out);
	return 0;
}
