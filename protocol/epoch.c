/*
 * epoch.c - one certificate, one way to write it. Why fixed fields and no
 * JSON: what is signed is compared byte for byte by programs years apart.
 */
#include "protocol/epoch.h"

#include <string.h>

#define PREFIX "satchel epoch 1\n"

static void
write_signed(sat_buf *b, const sat_epoch *c)
{
	sat_buf_str(b, PREFIX);
	sat_buf_add(b, c->org.b, sizeof c->org.b);
	sat_write_uint(b, c->epoch);
	sat_write_uint(b, c->base_lsn);
	sat_write_uint(b, c->first_lsn);
	sat_write_uint(b, c->base_eid);
	sat_write_uint(b, c->seed_roles);
	sat_write_int(b, c->began_ms);
	sat_write_int(b, c->until_ms);
	sat_buf_add(b, c->server_pk, sizeof c->server_pk);
}

void
sat_epoch_write(sat_buf *b, const sat_epoch *c)
{
	write_signed(b, c);
	sat_buf_add(b, c->sig, sizeof c->sig);
}

sat_rc
sat_epoch_read(sat_epoch *c, sat_span in, sat_err *e)
{
	sat_reader r = sat_reader_of(in);
	char prefix[sizeof PREFIX - 1];

	memset(c, 0, sizeof *c);
	sat_read_copy(&r, prefix, sizeof prefix);
	if (memcmp(prefix, PREFIX, sizeof prefix) != 0)
		sat_read_bad(&r, "prefix");
	sat_read_copy(&r, c->org.b, sizeof c->org.b);
	c->epoch = sat_read_uint_max(&r, INT64_MAX);
	c->base_lsn = sat_read_uint_max(&r, INT64_MAX);
	c->first_lsn = sat_read_uint_max(&r, INT64_MAX);
	c->base_eid = (uint32_t)sat_read_uint_max(&r, UINT32_MAX);
	c->seed_roles = (uint32_t)sat_read_uint_max(&r, UINT32_MAX);
	c->began_ms = sat_read_int(&r);
	c->until_ms = sat_read_int(&r);
	sat_read_copy(&r, c->server_pk, sizeof c->server_pk);
	sat_read_copy(&r, c->sig, sizeof c->sig);
	return sat_read_end(&r, "epoch certificate", e);
}

void
sat_epoch_sign(sat_epoch *c, const uint8_t root_sk[SAT_SIGN_SK_BYTES])
{
	sat_buf b = { 0 };

	write_signed(&b, c);
	sat_sign(c->sig, sat_buf_span(&b), root_sk);
	sat_buf_fini(&b);
}

bool
sat_epoch_ok(const sat_epoch *c, const sat_id *org,
    const uint8_t root_pk[SAT_SIGN_PK_BYTES])
{
	sat_buf b = { 0 };
	bool ok = sat_id_eq(&c->org, org) && c->epoch > 0 &&
	    c->first_lsn > c->base_lsn;

	write_signed(&b, c);
	ok = ok && sat_sign_ok(c->sig, sat_buf_span(&b), root_pk);
	sat_buf_fini(&b);
	return ok;
}

uint32_t
sat_epoch_role(const char *role)
{
	static const struct {
		const char *key;
		uint32_t bit;
	} roles[] = { { "hq", SAT_SEED_HQ }, { "manager", SAT_SEED_MANAGER },
		{ "admin", SAT_SEED_ADMIN }, { "rep", SAT_SEED_REP } };

	for (size_t i = 0; i < sizeof roles / sizeof roles[0]; i++)
		if (strcmp(role, roles[i].key) == 0)
			return roles[i].bit;
	return 0;
}

const sat_epoch *
sat_epochs_lost(const sat_epoch *c, size_t n, uint64_t lsn)
{
	for (size_t i = 0; i < n; i++)
		if (sat_epoch_lost(&c[i], lsn))
			return &c[i];
	return NULL;
}

uint64_t
sat_epochs_order(const sat_epoch *c, size_t n, uint64_t lsn)
{
	uint64_t from = 0;

	for (size_t i = 0; i < n; i++)
		if (c[i].first_lsn - 1 <= lsn && c[i].first_lsn - 1 > from)
			from = c[i].first_lsn - 1;
	return from;
}
