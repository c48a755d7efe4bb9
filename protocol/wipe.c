/*
 * wipe.c - the bytes of the order and of its receipt.
 */
#include "protocol/wipe.h"

#include "protocol/permit.h"

#include <string.h>

static int64_t
take_time(sat_reader *r)
{
	uint64_t ms = sat_read_be64(r);

	if (ms > INT64_MAX / 2)
		sat_read_bad(r, "time");
	return (int64_t)(ms & INT64_MAX);
}

/* ---- the order ------------------------------------------------------------------ */

static void
write_front(sat_buf *b, const sat_wipe_order *w)
{
	sat_write_be32(b, w->device);
	sat_write_be32(b, w->incarnation);
	sat_buf_add(b, w->sign_pk, sizeof w->sign_pk);
	sat_buf_add(b, w->nonce, sizeof w->nonce);
	sat_write_be64(b, (uint64_t)w->at_ms);
	sat_write_u8(b, w->push_first);
	sat_buf_add(b, w->server_pk, sizeof w->server_pk);
	sat_buf_add(b, w->cert, sizeof w->cert);
}

void
sat_wipe_sign_bytes(sat_buf *b, const sat_wipe_order *w, const sat_id *org)
{
	sat_buf_str(b, "satchel wipe 1\n");
	sat_buf_add(b, org->b, sizeof org->b);
	write_front(b, w);
}

void
sat_wipe_write(sat_buf *b, const sat_wipe_order *w)
{
	write_front(b, w);
	sat_buf_add(b, w->sig, sizeof w->sig);
}

sat_rc
sat_wipe_read(sat_wipe_order *w, sat_span in, sat_err *e)
{
	sat_reader r = sat_reader_of(in);
	uint8_t flag;

	memset(w, 0, sizeof *w);
	w->device = sat_read_be32(&r);
	w->incarnation = sat_read_be32(&r);
	sat_read_copy(&r, w->sign_pk, sizeof w->sign_pk);
	sat_read_copy(&r, w->nonce, sizeof w->nonce);
	w->at_ms = take_time(&r);
	flag = sat_read_u8(&r);
	if (flag > 1)
		sat_read_bad(&r, "boolean");
	w->push_first = flag == 1;
	sat_read_copy(&r, w->server_pk, sizeof w->server_pk);
	sat_read_copy(&r, w->cert, sizeof w->cert);
	sat_read_copy(&r, w->sig, sizeof w->sig);
	return sat_read_end(&r, "wipe order", e);
}

bool
sat_wipe_signed(const sat_wipe_order *w, const sat_id *org,
    const uint8_t root_pk[SAT_SIGN_PK_BYTES])
{
	sat_buf b = { 0 };
	bool good;

	sat_server_key_bytes(&b, org, w->server_pk);
	good = sat_sign_ok(w->cert, sat_buf_span(&b), root_pk);
	sat_buf_reset(&b);
	sat_wipe_sign_bytes(&b, w, org);
	good = good && sat_sign_ok(w->sig, sat_buf_span(&b), w->server_pk);
	sat_buf_fini(&b);
	return good;
}

/* ---- the receipt ---------------------------------------------------------------- */

static void
write_receipt(sat_buf *b, const sat_wiped *w)
{
	sat_write_be32(b, w->device);
	sat_write_be32(b, w->incarnation);
	sat_buf_add(b, w->nonce, sizeof w->nonce);
	sat_write_be64(b, (uint64_t)w->at_ms);
	sat_write_be64(b, w->cseq);
	sat_buf_add(b, w->head, sizeof w->head);
}

void
sat_wiped_sign_bytes(sat_buf *b, const sat_wiped *w, const sat_id *org)
{
	sat_buf_str(b, "satchel wiped 1\n");
	sat_buf_add(b, org->b, sizeof org->b);
	write_receipt(b, w);
}

void
sat_wiped_write(sat_buf *b, const sat_wiped *w)
{
	write_receipt(b, w);
	sat_buf_add(b, w->sig, sizeof w->sig);
}

void
sat_wiped_take(sat_wiped *w, sat_reader *r)
{
	memset(w, 0, sizeof *w);
	w->device = sat_read_be32(r);
	w->incarnation = sat_read_be32(r);
	sat_read_copy(r, w->nonce, sizeof w->nonce);
	w->at_ms = take_time(r);
	w->cseq = sat_read_be64(r);
	if (w->cseq > INT64_MAX)
		sat_read_bad(r, "number of a commit");
	sat_read_copy(r, w->head, sizeof w->head);
	sat_read_copy(r, w->sig, sizeof w->sig);
}

bool
sat_wiped_signed(const sat_wiped *w, const sat_id *org,
    const uint8_t sign_pk[SAT_SIGN_PK_BYTES])
{
	sat_buf b = { 0 };
	bool good;

	sat_wiped_sign_bytes(&b, w, org);
	good = sat_sign_ok(w->sig, sat_buf_span(&b), sign_pk);
	sat_buf_fini(&b);
	return good;
}
