/*
 * rekey.c - the bytes of a statement by which a device changes its keys.
 */
#include "protocol/rekey.h"

#include <string.h>

static void
write_front(sat_buf *b, const sat_rekey *k)
{
	sat_write_be32(b, k->incarnation);
	sat_write_be64(b, k->cseq);
	sat_buf_add(b, k->head, sizeof k->head);
	sat_buf_add(b, k->sign_pk, sizeof k->sign_pk);
	sat_buf_add(b, k->channel_pk, sizeof k->channel_pk);
}

/* P-386: the device and the key it replaces are named too, so that no statement
 * fits another device, or is used a second time. */
void
sat_rekey_sign_bytes(sat_buf *b, const sat_rekey *k, const sat_id *org,
    uint32_t device, const uint8_t old_pk[SAT_SIGN_PK_BYTES])
{
	sat_buf_str(b, "satchel rekey 1\n");
	sat_buf_add(b, org->b, sizeof org->b);
	sat_write_be32(b, device);
	sat_buf_add(b, old_pk, SAT_SIGN_PK_BYTES);
	write_front(b, k);
}

void
sat_rekey_sign(sat_rekey *k, const sat_id *org, uint32_t device,
    const uint8_t old_pk[SAT_SIGN_PK_BYTES],
    const uint8_t old_sk[SAT_SIGN_SK_BYTES],
    const uint8_t new_sk[SAT_SIGN_SK_BYTES])
{
	sat_buf b = { 0 };

	sat_rekey_sign_bytes(&b, k, org, device, old_pk);
	sat_sign(k->sig, sat_buf_span(&b), old_sk);
	sat_sign(k->proof, sat_buf_span(&b), new_sk);
	sat_buf_fini(&b);
}

bool
sat_rekey_signed(const sat_rekey *k, const sat_id *org, uint32_t device,
    const uint8_t old_pk[SAT_SIGN_PK_BYTES])
{
	sat_buf b = { 0 };
	bool good;

	sat_rekey_sign_bytes(&b, k, org, device, old_pk);
	good = memcmp(k->sign_pk, old_pk, sizeof k->sign_pk) != 0 &&
	    sat_sign_ok(k->sig, sat_buf_span(&b), old_pk) &&
	    sat_sign_ok(k->proof, sat_buf_span(&b), k->sign_pk);
	sat_buf_fini(&b);
	return good;
}

void
sat_rekey_write(sat_buf *b, const sat_rekey *k)
{
	write_front(b, k);
	sat_buf_add(b, k->sig, sizeof k->sig);
	sat_buf_add(b, k->proof, sizeof k->proof);
}

void
sat_rekey_take(sat_rekey *k, sat_reader *r)
{
	memset(k, 0, sizeof *k);
	k->incarnation = sat_read_be32(r);
	k->cseq = sat_read_be64(r);
	if (k->cseq > INT64_MAX)
		sat_read_bad(r, "number of a commit");
	sat_read_copy(r, k->head, sizeof k->head);
	sat_read_copy(r, k->sign_pk, sizeof k->sign_pk);
	sat_read_copy(r, k->channel_pk, sizeof k->channel_pk);
	sat_read_copy(r, k->sig, sizeof k->sig);
	sat_read_copy(r, k->proof, sizeof k->proof);
}

sat_rc
sat_rekey_read(sat_rekey *k, sat_span in, sat_err *e)
{
	sat_reader r = sat_reader_of(in);

	sat_rekey_take(k, &r);
	return sat_read_end(&r, "change of keys", e);
}
