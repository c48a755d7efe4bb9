/*
 * store_keys.c - keys that devices gave up for others (P-386).
 */
#include "server/store/sqlite/store_int.h"

#include <string.h>

static sat_rc
take_former(sat_former *f, sat_stmt *q, sat_err *e)
{
	sat_span pk = sat_col_blob(q, 1);

	memset(f, 0, sizeof *f);
	if (pk.n != sizeof f->sign_pk)
		return sat_fail(e, SAT_EINTEGRITY, "a stored key has %zu bytes",
		    pk.n);
	f->dev = (uint32_t)sat_col_int(q, 0);
	memcpy(f->sign_pk, pk.p, pk.n);
	f->lsn = (uint64_t)sat_col_int(q, 3);
	f->at_ms = sat_col_int(q, 4);
	f->heard_ms = sat_col_int(q, 5);
	return sat_rekey_read(&f->said, sat_col_blob(q, 2), e);
}

static sat_rc
device_pk_at(uint8_t sign_pk[SAT_SIGN_PK_BYTES], void *u, uint32_t ord,
    uint32_t inc, uint64_t cseq, sat_err *e)
{
	sat_sqlite_store *s = u;
	sat_span pk;
	sat_stmt *q;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, SQL_FORMER_AT, e)) != SAT_OK)
		return rc;
	sat_bind_int(q, 1, inc);
	sat_bind_int(q, 2, (int64_t)cseq);
	sat_bind_int(q, 3, ord);
	if ((rc = store_step_one(q, "device", e)) != SAT_OK)
		return rc;
	pk = sat_col_blob(q, 0);
	if (pk.n == SAT_SIGN_PK_BYTES)
		memcpy(sign_pk, pk.p, pk.n);
	else
		rc = sat_fail(e, SAT_EINTEGRITY, "a stored key has %zu bytes",
		    pk.n);
	sat_stmt_reset(q);
	return rc;
}

static sat_rc
device_by_former(sat_former *out, void *u, const uint8_t channel_pk[32],
    sat_err *e)
{
	sat_sqlite_store *s = u;
	sat_stmt *q;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, SQL_FORMER_GET, e)) != SAT_OK)
		return rc;
	sat_bind_blob(q, 1, sat_span_of(channel_pk, 32));
	if ((rc = store_step_one(q, "key", e)) != SAT_OK)
		return rc;
	rc = take_former(out, q, e);
	sat_stmt_reset(q);
	return rc;
}

static sat_rc
formers(void *u, uint32_t ord, bool (*cb)(void *cu, const sat_former *f),
    void *cu, sat_err *e)
{
	sat_sqlite_store *s = u;
	bool row, more = true;
	sat_former f;
	sat_stmt *q;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, SQL_FORMERS, e)) != SAT_OK)
		return rc;
	sat_bind_int(q, 1, ord);
	while (more && (rc = sat_step(&row, q, e)) == SAT_OK && row)
		if ((rc = take_former(&f, q, e)) != SAT_OK)
			more = false;
		else
			more = cb(cu, &f);
	sat_stmt_reset(q);
	return rc;
}

static sat_rc
former_heard(void *u, const uint8_t channel_pk[32], int64_t now_ms, sat_err *e)
{
	sat_sqlite_store *s = u;
	sat_stmt *q;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, SQL_FORMER_HEARD, e)) != SAT_OK)
		return rc;
	sat_bind_int(q, 1, now_ms);
	sat_bind_blob(q, 2, sat_span_of(channel_pk, 32));
	return sat_run(q, e);
}

/* A key that was given up comes back for nobody. */
static sat_rc
is_taken(bool *yes, sat_sqlite_store *s, const sat_rekey *k, sat_err *e)
{
	sat_stmt *q;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, SQL_KEY_TAKEN, e)) != SAT_OK)
		return rc;
	sat_bind_blob(q, 1, sat_span_of(k->channel_pk, sizeof k->channel_pk));
	sat_bind_blob(q, 2, sat_span_of(k->sign_pk, sizeof k->sign_pk));
	if ((rc = store_step_one(q, "key", e)) != SAT_OK)
		return rc;
	*yes = sat_col_int(q, 0) != 0;
	sat_stmt_reset(q);
	return SAT_OK;
}

static sat_rc
add_former(sat_sqlite_store *s, uint32_t ord, const sat_rekey *k, uint64_t lsn,
    int64_t now_ms, sat_err *e)
{
	sat_buf said = { 0 };
	sat_stmt *q;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, SQL_FORMER_ADD, e)) != SAT_OK)
		return rc;
	sat_rekey_write(&said, k);
	sat_bind_blob(q, 1, sat_buf_span(&said));
	sat_bind_int(q, 2, (int64_t)lsn);
	sat_bind_int(q, 3, now_ms);
	sat_bind_int(q, 4, ord);
	rc = sat_run(q, e);
	sat_buf_fini(&said);
	return rc;
}

static sat_rc
device_rekey(void *u, uint32_t ord, const sat_rekey *k, uint64_t lsn,
    int64_t now_ms, sat_err *e)
{
	sat_sqlite_store *s = u;
	bool taken;
	sat_stmt *q;
	sat_rc rc;

	if ((rc = is_taken(&taken, s, k, e)) != SAT_OK)
		return rc;
	if (taken)
		return sat_fail(e, SAT_ECONFLICT, "the key is taken");
	if ((rc = add_former(s, ord, k, lsn, now_ms, e)) != SAT_OK ||
	    (rc = store_run_int(s, SQL_FORMER_ENDS, ord, e)) != SAT_OK ||
	    (rc = store_stmt(&q, s->db, SQL_DEVICE_REKEY, e)) != SAT_OK)
		return rc;
	sat_bind_blob(q, 1, sat_span_of(k->sign_pk, sizeof k->sign_pk));
	sat_bind_blob(q, 2, sat_span_of(k->channel_pk, sizeof k->channel_pk));
	sat_bind_int(q, 3, ord);
	if ((rc = sat_run(q, e)) == SAT_OK && sat_db_changes(s->db) != 1)
		rc = sat_fail(e, SAT_ENOTFOUND, "no such device");
	return rc;
}

void
store_keys_ops(sat_store *o)
{
	o->device_pk_at = device_pk_at;
	o->device_by_former = device_by_former;
	o->device_rekey = device_rekey;
	o->former_heard = former_heard;
	o->formers = formers;
}
