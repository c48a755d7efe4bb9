/*
 * sweep io|oom [--op NAME] [--stride N] [--call N] [--list]
 *
 * Prints the number of points and "N bad"; exit code 1 when something is.
 * --stride 7 looks at every seventh point only, another seventh per operation
 * and failure: the reduced run of `make check`.
 */
#include "tests/sweep/sweep.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/args.h"

#define POINTS_PER_PROCESS 400 /* what processes that died held piles up */

static const fault io_faults[] = {
	{ "read fails", ON_DISK, SIMFS_READ, SIMFS_IOERR, 0, false },
	{ "read fails", ON_DISK, SIMFS_READ, SIMFS_IOERR, 0, true },
	{ "a bit is wrong", ON_DISK, SIMFS_READ, SIMFS_FLIP, 0, false },
	{ "write fails in the middle", ON_DISK, SIMFS_WRITE, SIMFS_IOERR, 0,
	    false },
	{ "write fails in the middle", ON_DISK, SIMFS_WRITE, SIMFS_IOERR, 0,
	    true },
	{ "disk full", ON_DISK, SIMFS_WRITE, SIMFS_FULL, 0, false },
	{ "disk full", ON_DISK, SIMFS_WRITE, SIMFS_FULL, 0, true },
	{ "sync fails and drops", ON_DISK, SIMFS_SYNC, SIMFS_DROP, 0, false },
	{ "sync fails", ON_DISK, SIMFS_SYNC, SIMFS_IOERR, 0, true },
	{ "cannot open", ON_DISK, SIMFS_OPEN, SIMFS_IOERR, 0, false },
	{ "cannot open", ON_DISK, SIMFS_OPEN, SIMFS_IOERR, 0, true },
	{ "truncate fails", ON_DISK, SIMFS_TRUNCATE, SIMFS_IOERR, 0, false },
	{ "delete fails", ON_DISK, SIMFS_DELETE, SIMFS_IOERR, 0, false },
	{ "power cut", ON_POWER, SIMFS_READ, SIMFS_NEVER, 0, false },
	{ .name = NULL },
};
static const fault file_faults[] = {
	{ "call fails", ON_FILES, SIMFS_READ, SIMFS_NEVER, EIO, false },
	{ "calls fail", ON_FILES, SIMFS_READ, SIMFS_NEVER, EIO, true },
	{ "disk full", ON_FILES, SIMFS_READ, SIMFS_NEVER, ENOSPC, false },
	{ "disk full", ON_FILES, SIMFS_READ, SIMFS_NEVER, ENOSPC, true },
	{ .name = NULL },
};
static const fault heap_faults[] = {
	{ "no memory", ON_HEAP, SIMFS_READ, SIMFS_NEVER, 0, false },
	{ "no memory", ON_HEAP, SIMFS_READ, SIMFS_NEVER, 0, true },
	{ .name = NULL },
};

static const sat_opt options[] = {
	{ "op", 0, "NAME", "this operation only" },
	{ "stride", 0, "N", "every N-th point" },
	{ "call", 0, "N", "this point only, in this process" },
	{ "part", 0, "I", "the I-th of --parts shares of the operations" },
	{ "parts", 0, "N", "see --part" },
	{ "list", 0, NULL, "print the operations" },
	{ "verbose", 'v', NULL, "points per operation" },
	{ "help", 'h', NULL, "this" },
	{ NULL, 0, NULL, NULL },
};

static lab L;
static const char *only;
static bool verbose;
static uint64_t stride = 1;
static int64_t call; /* 0: all */
static int64_t part, parts = 1;

typedef struct shared { /* with the processes that do the points */
	tally t;
	uint64_t next;
	bool done;
} shared;

static shared *box;

/* Points from box->next on, in this process. */
static void
some_points(const sweep_op *op, const expectation *x, const fault *f)
{
	for (int i = 0; i < POINTS_PER_PROCESS; i++, box->next += stride)
		if (!point_run(&L, op, x, f, box->next, &box->t)) {
			box->done = true;
			return;
		}
}

/* Where processes may die, they are others. */
static void
in_a_child(const sweep_op *op, const expectation *x, const fault *f)
{
	int status = 0;
	pid_t child;

	(void)fflush(stdout);
	if ((child = fork()) == 0) {
		(void)!freopen("/dev/null", "w", stderr);
		some_points(op, x, f);
		(void)fflush(stdout);
		_exit(0);
	}
	if (child < 0 || waitpid(child, &status, 0) != child || status != 0) {
		(void)printf("BAD %s %d, %s, call %llu: the process ends with "
		    "status %d\n", op->name, op->arg, f->name,
		    (unsigned long long)box->next, status);
		box->t.bad++;
		box->next += stride;
	}
}

static void
every_point(const sweep_op *op, const expectation *x, const fault *f,
    uint64_t offset)
{
	if (call != 0) {
		(void)point_run(&L, op, x, f, (uint64_t)call, &box->t);
		return;
	}
	box->next = 1 + offset % stride;
	box->done = false;
	while (!box->done)
		if (f->on == ON_HEAP)
			in_a_child(op, x, f);
		else
			some_points(op, x, f);
}

static void
every_failure(const sweep_op *op, const fault *faults, uint64_t offset)
{
	uint64_t had = box->t.points, bad = box->t.bad;
	expectation x;

	if (!point_expect(&L, op, &x)) {
		(void)printf("BAD %s %d: the session is over before\n",
		    op->name, op->arg);
		box->t.bad++;
		return;
	}
	for (const fault *f = faults; f->name != NULL; f++) {
		/* A log that is read for the first time ends at its first
		 * wrong byte: SQLite cannot know that more was there. */
		if (f->how == SIMFS_FLIP && (op->flags & OP_CLOSED) != 0)
			continue;
		every_point(op, &x, f, offset++);
	}
	box->t.ops++;
	if (verbose)
		(void)printf("%8llu  %s %d%s\n",
		    (unsigned long long)(box->t.points - had), op->name,
		    op->arg, box->t.bad != bad ? "  BAD" : "");
	(void)fflush(stdout);
}

static uint64_t
every_operation(const sweep_op *ops, const fault *faults, uint64_t at)
{
	for (; ops->name != NULL; ops++, at++)
		if ((only == NULL || strcmp(only, ops->name) == 0) &&
		    (int64_t)(at % (uint64_t)parts) == part)
			every_failure(ops, faults, at);
	return at;
}

static int
list(void)
{
	static const sweep_op *const all[] = { sweep_device_ops,
		sweep_server_ops, sweep_keyring_ops };

	for (size_t i = 0; i < 3; i++)
		for (const sweep_op *op = all[i]; op->name != NULL; op++)
			(void)printf("%s\n", op->name);
	return 0;
}

static int
sweep(bool oom)
{
	const tally *t = &box->t;
	uint64_t at = 0;

	if (oom && !heap_works()) {
		(void)printf("0 points: the sanitizer has its own memory\n"
		    "0 bad\n");
		return 0;
	}
	at = every_operation(sweep_device_ops, oom ? heap_faults : io_faults,
	    at);
	at = every_operation(sweep_server_ops, oom ? heap_faults : io_faults,
	    at);
	(void)every_operation(sweep_keyring_ops, oom ? heap_faults :
	    file_faults, at);
	(void)printf("%llu operations, %llu points: %llu done all the same, "
	    "%llu reported, %llu stopped the process; %llu disks looked at\n"
	    "%llu bad\n",
	    (unsigned long long)t->ops, (unsigned long long)t->points,
	    (unsigned long long)t->passed, (unsigned long long)t->failed,
	    (unsigned long long)t->died, (unsigned long long)t->looked,
	    (unsigned long long)t->bad);
	return t->bad == 0 ? 0 : 1;
}

int
main(int argc, char **argv)
{
	int64_t n = 1;
	sat_args args;
	sat_err e = { 0 };

	if (argc < 2 || sat_args_parse(&args, argc - 2, argv + 2, options,
	    NULL, &e) != SAT_OK || sat_args_int(&n, &args, "stride", 1, &e) !=
	    SAT_OK || sat_args_int(&call, &args, "call", 0, &e) != SAT_OK ||
	    sat_args_int(&part, &args, "part", 0, &e) != SAT_OK ||
	    sat_args_int(&parts, &args, "parts", 1, &e) != SAT_OK || n < 1 ||
	    parts < 1) {
		(void)fprintf(stderr, "sweep io|oom [options]: %s\n", e.text);
		return 2;
	}
	if (sat_args_has(&args, "list"))
		return list();
	stride = (uint64_t)n;
	only = sat_args_get(&args, "op");
	verbose = sat_args_has(&args, "verbose");
	box = mmap(NULL, sizeof *box, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (box == MAP_FAILED || !seen_begin())
		return 2;
	sim_begin();
	lab_init(&L);
	return sweep(strcmp(argv[1], "oom") == 0);
}
