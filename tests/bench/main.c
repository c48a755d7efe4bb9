/*
 * satchel-bench: what the engine costs, beside what it is built on.
 *
 *   satchel-bench gen DATA N                      rows and edits
 *   satchel-bench peer DATA WORK N PHASES         the peer workload, JSON lines
 *   satchel-bench figures WORK [quick]            `make bench`
 *   satchel-bench reads WORK N DAYS [WORD]        lists, searches, reports
 *
 * serve, fill and follow are processes it starts itself.
 */
#include "tests/bench/bench.h"

#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "common/crypto/crypto.h"

static int
usage(void)
{
	(void)fputs("usage: satchel-bench gen DATA N\n"
	    "       satchel-bench peer DATA WORK N PHASES [--plain] [--run K]\n"
	    "         PHASES: all, or P1one,P1bulk,P2one,P2batch,P3,P4,P5,P6,"
	    "P7rows,P7x10\n"
	    "       satchel-bench figures WORK [quick]\n"
	    "       satchel-bench reads WORK N DAYS [WORD]\n", stderr);
	return 2;
}

int
main(int argc, char **argv)
{
	const char *verb = argc > 1 ? argv[1] : "";
	int rc;

	sat_crypto_init();
	(void)signal(SIGPIPE, SIG_IGN);
	if (strcmp(verb, "serve") == 0 && argc == 3) {
		(void)prctl(PR_SET_NAME, "bench-serve"); /* for a profiler */
		rc = world_child(argv[2]);
	} else if (strcmp(verb, "fill") == 0 && argc >= 3) {
		(void)prctl(PR_SET_NAME, "bench-fill");
		rc = peer_fill(argc, argv);
	} else if (strcmp(verb, "follow") == 0 && argc >= 3) {
		(void)prctl(PR_SET_NAME, "bench-follow");
		rc = follow_child(argc, argv);
	} else if (strcmp(verb, "gen") == 0 && argc == 4) {
		bench_gen(argv[2], strtoul(argv[3], NULL, 10));
		rc = 0;
	} else if (strcmp(verb, "peer") == 0) {
		rc = peer_main(argc, argv);
	} else if (strcmp(verb, "reads") == 0) {
		rc = reads_main(argc, argv);
	} else if (strcmp(verb, "figures") == 0) {
		rc = figures_main(argc, argv);
	} else {
		rc = usage();
	}
	(void)fflush(stdout);
	_exit(rc); /* NNG is never torn down */
}
