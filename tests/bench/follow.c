/*
 * follow.c - a device that waits on its link, in a process of its own.
 *
 * As a daemon does it (client/sync/live.c): it is told of what others pushed,
 * pulls, and waits again. After each exchange it writes a line: when (the clock
 * of bench_now is the machine's), how many commits it has by now, and the bytes
 * of its sessions so far. It ends when its standard input does.
 */
#include "tests/bench/bench.h"

#include <errno.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct following {
	sat_live *live;
	uint64_t commits, bytes;
} following;

static void
exchanged(void *u, const sat_sync_result *r)
{
	following *f = u;

	f->commits += r->stats.pulled_commits;
	f->bytes += r->bytes_in + r->bytes_out;
	if (printf("%.9f %llu %llu\n", bench_now(),
	    (unsigned long long)f->commits, (unsigned long long)f->bytes) < 0 ||
	    fflush(stdout) != 0)
		sat_live_stop(f->live);
}

static void *
until_end(void *u)
{
	char c;

	while (read(STDIN_FILENO, &c, 1) > 0)
		;
	sat_live_stop(u);
	return NULL;
}

int
follow_child(int argc, char **argv)
{
	sat_sync_opts o = { .clock = sat_clock_os(), .rand = sat_rand_os() };
	following f = { 0 };
	sat_err err = { 0 };
	pthread_t end;
	device d;

	device_open(&d, argv[2], argc > 3 && strcmp(argv[3], "plain") == 0);
	f.live = sat_live_new(&o, exchanged, &f);
	if (pthread_create(&end, NULL, until_end, f.live) != 0)
		bench_die("no thread to wait for the end");
	bench_must(sat_live_run(f.live, d.replica, &err));
	device_close(&d);
	return 0;
}

/* ---- the other side ---------------------------------------------------------- */

follow_report
follow_next(follower *f)
{
	follow_report r;

	if (fscanf(f->lines, "%lf %llu %llu", &r.at, &r.commits, &r.bytes) != 3)
		bench_die("the device that follows has ended");
	return r;
}

void
follow_start(follower *f, const char *dir, bool plain)
{
	struct timespec settled = { 0, 100 * 1000000 };
	int in[2], out[2];

	(void)fflush(NULL);
	if (pipe(in) != 0 || pipe(out) != 0)
		bench_die("no pipe: %s", strerror(errno));
	f->pid = fork();
	if (f->pid == 0) {
		(void)dup2(in[0], STDIN_FILENO);
		(void)dup2(out[1], STDOUT_FILENO);
		for (int i = 0; i < 2; i++) {
			(void)close(in[i]);
			(void)close(out[i]);
		}
		(void)execl("/proc/self/exe", "satchel-bench", "follow", dir,
		    plain ? "plain" : "sealed", (char *)NULL);
		_exit(127);
	}
	(void)close(in[0]);
	(void)close(out[1]);
	f->end = in[1];
	f->lines = fdopen(out[0], "r");
	if (f->pid < 0 || f->lines == NULL)
		bench_die("no process that follows: %s", strerror(errno));
	f->begun = follow_next(f);
	(void)nanosleep(&settled, NULL); /* its WAIT is there */
}

void
follow_end(follower *f)
{
	int status = 0;

	(void)close(f->end);
	(void)fclose(f->lines);
	if (waitpid(f->pid, &status, 0) != f->pid || status != 0)
		bench_die("the device that follows failed");
}
