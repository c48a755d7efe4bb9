/*
 * core.h - what every simulated server and every simulating program needs:
 * the simulator, the hostile devices, the lost servers, the sweep, the company.
 */
#ifndef SAT_TESTS_SIM_CORE_H
#define SAT_TESTS_SIM_CORE_H

#include "protocol/server.h"
#include "tests/lib/rand.h"
#include "tests/sim/template.h"

typedef struct sim_core {
	const int *tip;           /* version of the template it publishes */
	const uint8_t *server_sk; /* of its signing pair */
	void *u;                  /* whose server it is */
} sim_core;

/* Templates and signatures, with `core` as what the callbacks are handed: it
 * stays until the server is freed. */
void sim_core_env(sat_server_env *env, sim_core *core);
/* For whoever signs in the server's name besides it; u is a sim_core. */
sat_rc sim_core_sign(void *u, uint8_t sig[SAT_SIG_BYTES], sat_span bytes,
    sat_err *e);

/* First thing in a program: memory that goes from history to history without
 * the kernel, no log lines, the templates. */
void sim_begin(void);

#endif
