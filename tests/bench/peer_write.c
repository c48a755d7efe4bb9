/* P1 to P3: rows made and edited, alone and in one transaction, and sent. */
#include "tests/bench/bench.h"
#include "tests/bench/peer.h"

/* ---- P1 ------------------------------------------------------------------ */

void
p1_one(peer *p)
{
	samples s = { 0 };
	device x;

	device_enrol(&x, &p->w, "one", p->plain);
	(void)device_sync(&x);
	for (size_t i = 0; i < BENCH_SINGLES && i < p->data->n; i++) {
		double t = bench_now();

		door_create(&x, p->data, &p->values, i);
		samples_add(&s, bench_now() - t);
	}
	say_latency(p, "P1one", &s);
	device_close(&x);
	bench_rmdir("one");
}

void
p1_bulk(peer *p)
{
	double t = bench_now(), c = bench_cpu();

	begin(&p->a);
	for (size_t i = 0; i < p->data->n; i++)
		door_create(&p->a, p->data, &p->values, i);
	commit(&p->a);
	t = bench_now() - t;
	c = bench_cpu() - c;
	if ((p->want & P1BULK) == 0)
		return;
	say(p, "P1bulk", "rate", "rows/s", (double)p->data->n / t);
	say(p, "P1bulk", "cpu_rate", "rows/s", (double)p->data->n / c);
}

/* ---- P2, P3 -------------------------------------------------------------- */

void
p2_one(peer *p)
{
	samples s = { 0 };
	double t, all = 0;

	for (size_t i = 0; i < p->data->nedits; i++) {
		t = bench_now();
		if (door_edit(&p->a, &p->data->edits[i]) == 0)
			continue; /* it held that value: nothing was written */
		t = bench_now() - t;
		all += t;
		samples_add(&s, t);
	}
	say(p, "P2one", "rate", "ops/s", (double)s.n / all);
	say_latency(p, "P2one", &s);
}

static size_t
edit_batch(peer *p, const bench_edit *list, size_t n)
{
	size_t ops = 0;

	begin(&p->a);
	for (size_t i = 0; i < n; i++)
		ops += door_edit(&p->a, &list[i]);
	commit(&p->a);
	return ops;
}

/* P3 one after the other: the author pushes, and when that is over the receiver
 * asks. */
static void
p3_in_turns(peer *p)
{
	double t0 = bench_now(), t1, t2;
	sat_sync_result a = device_sync_flags(&p->a, SAT_CS_PUSH_ONLY);

	t1 = bench_now();
	(void)device_sync(&p->b);
	t2 = bench_now();
	(void)device_sync(&p->a);
	if ((p->want & P3) == 0 || a.stats.pushed == 0)
		return;
	say(p, "P3", "rate_in_turns", "ops/s", (double)a.stats.pushed /
	    (t2 - t0));
	say(p, "P3", "push_alone", "s", t1 - t0);
	say(p, "P3", "pull_alone", "s", t2 - t1);
}

void
p2_batch(peer *p)
{
	bool second = p->data->nedits2 > 0;
	double t = bench_now(), c = bench_cpu();
	size_t ops = edit_batch(p, second ? p->data->edits2 : p->data->edits,
	    second ? p->data->nedits2 : p->data->nedits);

	t = bench_now() - t;
	c = bench_cpu() - c;
	say(p, "P2batch", "rate", "ops/s", (double)ops / t);
	say(p, "P2batch", "cpu_rate", "ops/s", (double)ops / c);
	p3_in_turns(p);
}

/*
 * B waits on its link, as a daemon's device does: it pulls what A's first push
 * brought while A is at the next. The end is when B has all of it durably.
 * A's own bookkeeping, the pull that tells it where its commits went, is not
 * on the way to B: it is timed beside.
 */
void
p3(peer *p)
{
	sat_sync_result a;
	follow_report r;
	follower b;
	double t0, t1, t2, t3, author, server, receiver;

	if ((p->want & P2ONE) == 0)
		(void)edit_batch(p, p->data->edits, p->data->nedits);
	device_close(&p->b);
	follow_start(&b, "b", p->plain);
	r = b.begun;
	author = bench_cpu();
	server = bench_cpu_of(p->w.pid);
	receiver = bench_cpu_of(b.pid);
	t0 = bench_now();
	a = device_sync_flags(&p->a, SAT_CS_PUSH_ONLY);
	t1 = bench_now();
	author = bench_cpu() - author;
	while (r.commits - b.begun.commits < a.stats.pushed)
		r = follow_next(&b);
	receiver = bench_cpu_of(b.pid) - receiver;
	server = bench_cpu_of(p->w.pid) - server;
	follow_end(&b);
	t2 = bench_now();
	(void)device_sync(&p->a);
	t3 = bench_now();
	device_open(&p->b, "b", p->plain);
	if ((p->want & P3) == 0)
		return;
	say(p, "P3", "rate", "ops/s", (double)a.stats.pushed / (r.at - t0));
	/* what crossed the receiver's link, both directions */
	say(p, "P3", "wire", "bytes", (double)(r.bytes - b.begun.bytes));
	say(p, "P3", "wire_push", "bytes", (double)a.bytes_out);
	say(p, "P3", "wire_verdicts", "bytes", (double)a.bytes_in);
	say(p, "P3", "push", "s", t1 - t0);
	say(p, "P3", "behind", "s", r.at - t1);
	say(p, "P3", "settle", "s", t3 - t2);
	say(p, "P3", "cpu_author", "us", author / (double)a.stats.pushed * 1e6);
	say(p, "P3", "cpu_server", "us", server / (double)a.stats.pushed * 1e6);
	say(p, "P3", "cpu_receiver", "us", receiver /
	    (double)a.stats.pushed * 1e6);
	say(p, "P3", "ops", "ops", (double)a.stats.pushed);
}
