/*
 * template.h - the template of the simulation, in four versions.
 */
#ifndef SAT_TESTS_SIM_TEMPLATE_H
#define SAT_TESTS_SIM_TEMPLATE_H

#include "common/crypto/crypto.h"
#include "common/template/template.h"
#include "protocol/commit.h"

/* Versions 0 to SIM_TEMPLATES - 1; histories of the simulator use those up to
 * SIM_TIP. */
#define SIM_TEMPLATES 4
#define SIM_TIP 2
void sim_template_init(void); /* once per process */
/* Before that: another policy/pool.json than the base template's. */
extern const char *sim_template_pools;
const sat_template *sim_template(int version);
const uint8_t *sim_template_oid(int version);
int sim_template_version(const uint8_t oid[SAT_TEMPLATE_OID_BYTES]); /* -1 */
void sim_template_bundle(sat_buf *out, int tip, int have);
extern uint8_t sim_template_pk[SAT_SIGN_PK_BYTES];

#endif
