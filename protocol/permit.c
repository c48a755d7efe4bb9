/*
 * permit.c - the bytes of a permit.
 */
#include "protocol/permit.h"

#include <string.h>

void
sat_server_key_bytes(sat_buf *b, const sat_id *org,
    const uint8_t server_pk[SAT_SIGN_PK_BYTES])
{
	sat_buf_str(b, "satchel server key 1\n");
	sat_buf_add(b, org->b, sizeof org->b);
	sat_buf_add(b, server_pk, SAT_SIGN_PK_BYTES);
}

static void
write_front(sat_buf *b, const sat_permit *p)
{
	sat_write_be32(b, p->device);
	sat_write_be64(b, (uint64_t)p->issued_ms);
	sat_write_be64(b, (uint64_t)p->until_ms);
	sat_write_be64(b, p->lsn);
	sat_buf_add(b, p->server_pk, sizeof p->server_pk);
	sat_buf_add(b, p->cert, sizeof p->cert);
}

void
sat_permit_sign_bytes(sat_buf *b, const sat_permit *p, const sat_id *org)
{
	sat_buf_str(b, "satchel permit 1\n");
	sat_buf_add(b, org->b, sizeof org->b);
	write_front(b, p);
}

void
sat_permit_write(sat_buf *b, const sat_permit *p)
{
	write_front(b, p);
	sat_buf_add(b, p->sig, sizeof p->sig);
}

sat_rc
sat_permit_read(sat_permit *p, sat_span in, sat_err *e)
{
	sat_reader r = sat_reader_of(in);
	uint64_t issued, until;

	memset(p, 0, sizeof *p);
	p->device = sat_read_be32(&r);
	issued = sat_read_be64(&r);
	until = sat_read_be64(&r);
	p->lsn = sat_read_be64(&r);
	sat_read_copy(&r, p->server_pk, sizeof p->server_pk);
	sat_read_copy(&r, p->cert, sizeof p->cert);
	sat_read_copy(&r, p->sig, sizeof p->sig);
	if (issued > INT64_MAX / 2 || until > INT64_MAX / 2 || until < issued ||
	    until - issued > SAT_PERMIT_MAX_MS)
		sat_read_bad(&r, "time");
	p->issued_ms = (int64_t)(issued & INT64_MAX);
	p->until_ms = (int64_t)(until & INT64_MAX);
	return sat_read_end(&r, "permit", e);
}

bool
sat_permit_ok(const sat_permit *p, const sat_id *org, uint32_t device,
    const uint8_t root_pk[SAT_SIGN_PK_BYTES])
{
	sat_buf b = { 0 };
	bool good;

	sat_server_key_bytes(&b, org, p->server_pk);
	good = p->device == device &&
	    sat_sign_ok(p->cert, sat_buf_span(&b), root_pk);
	sat_buf_reset(&b);
	sat_permit_sign_bytes(&b, p, org);
	good = good && sat_sign_ok(p->sig, sat_buf_span(&b), p->server_pk);
	sat_buf_fini(&b);
	return good;
}
