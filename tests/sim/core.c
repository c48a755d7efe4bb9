#include "tests/sim/core.h"

#include <malloc.h>
#include <string.h>

#include "common/base/log.h"
#include "common/crypto/crypto.h"

static const sat_template *
template_at(void *u, const uint8_t oid[SAT_TEMPLATE_OID_BYTES])
{
	int v = sim_template_version(oid);

	(void)u;
	return v < 0 ? NULL : sim_template(v);
}

static void
template_tip(void *u, uint8_t oid[SAT_TEMPLATE_OID_BYTES])
{
	const sim_core *c = u;

	memcpy(oid, sim_template_oid(*c->tip), SAT_TEMPLATE_OID_BYTES);
}

static sat_rc
template_bundle(void *u, sat_buf *out,
    uint8_t tip[SAT_TEMPLATE_OID_BYTES],
    const uint8_t have[SAT_TEMPLATE_OID_BYTES], sat_err *e)
{
	(void)u;
	(void)e;
	sim_template_bundle(out, sim_template_version(tip), have == NULL ? -1 :
	    sim_template_version(have));
	return SAT_OK;
}

sat_rc
sim_core_sign(void *u, uint8_t sig[SAT_SIG_BYTES], sat_span bytes, sat_err *e)
{
	const sim_core *c = u;

	(void)e;
	sat_sign(sig, bytes, c->server_sk);
	return SAT_OK;
}

void
sim_core_env(sat_server_env *env, sim_core *core)
{
	env->template_at = template_at;
	env->template_tip = template_tip;
	env->template_bundle = template_bundle;
	env->sign = sim_core_sign;
	env->u = core;
	memcpy(env->template_pk, sim_template_pk, sizeof env->template_pk);
}

static void
quiet(void *u, sat_level level, const char *line)
{
	(void)u;
	(void)level;
	(void)line;
}

void
sim_begin(void)
{
	(void)mallopt(M_MMAP_THRESHOLD, 1 << 28);
	(void)mallopt(M_TRIM_THRESHOLD, 1 << 30);
	sat_crypto_init();
	sat_log_sink(quiet, NULL);
	sim_template_init();
}
