/*
 * kiosk.c - what a kiosk took in is not readable on it (P-271, P-360).
 *
 * The machine stands where anybody can reach it. It holds nobody's customers;
 * what it writes itself it seals to the server's channel key in the transaction
 * that saves it: no row, no history, no index, no clear payload in any file. A
 * commit's header stays, it is a link of the chain; the box goes with the
 * server's answer. A refused one stays in quarantine as it is (P-161): the
 * server keeps what it refused.
 *
 * Rows and payloads that are in the clear are of a time when the device was
 * another role's; they go with the answer, too.
 */
#include "client/replica/replica_int.h"

bool
replica_seals(const sat_replica *r)
{
	return sat_user_is_kiosk(r->me);
}

sat_rc
replica_kiosk_put(sat_replica *r, const sat_commit *c, sat_err *e)
{
	sat_buf box = { 0 };
	sat_stmt *s;
	sat_rc rc;

	if (!sat_box_seal(&box, sat_buf_span(&r->b2), r->id->server_pk)) {
		sat_buf_fini(&box);
		return sat_fail_code(e, SAT_EFAIL, "kiosk.key",
		    "enrol the device again",
		    "this device has no key of its server to seal with");
	}
	if ((rc = sat_db_stmt(&s, r->db, SQL_OUTBOX_PUT, e)) == SAT_OK) {
		sat_bind_int(s, 1, replica_seq(c->incarnation, c->cseq));
		sat_bind_int(s, 2, r->hlc.wall_ms);
		sat_bind_blob(s, 3, sat_buf_span(&r->b1));
		sat_bind_null(s, 4);
		sat_bind_blob(s, 5, sat_buf_span(&box));
		rc = sat_run(s, e);
	}
	sat_buf_fini(&box);
	return rc;
}

void
replica_kiosk_wipe(sat_replica *r)
{
	if (r->b2.p != NULL)
		sat_wipe(r->b2.p, r->b2.cap);
}

sat_rc
replica_kiosk_forget(sat_replica *r, int64_t seq, sat_err *e)
{
	replica_row *row;
	own_commit o;
	sat_rc rc = replica_own_commit(&o, &r->page.mem, r, seq, e);

	if (rc != SAT_OK)
		return rc == SAT_ENOTFOUND ? SAT_OK : rc;
	for (size_t i = 0; i < o.c.nops; i++) {
		const sat_op *op = &o.c.ops[i];
		const replica_kind *k = replica_kind_by(r->kinds, op->rtype);

		replica_pend_remove(r, seq, &op->rec);
		if (k == NULL)
			continue;
		if ((rc = replica_page_get(&row, r, k, &op->rec, 0, e)) !=
		    SAT_OK)
			return rc;
		if (row != NULL)
			replica_row_purge(row);
		if ((rc = replica_audit_redact(r, &op->rec, e)) != SAT_OK)
			return rc;
	}
	return replica_run_int(r, SQL_OUTBOX_HOLLOW, seq, e);
}
