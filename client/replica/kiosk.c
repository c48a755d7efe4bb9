/*
 * kiosk.c - what a kiosk took in leaves it with the server's answer (P-271).
 *
 * The machine stands where anybody can reach it. It holds nobody's customers;
 * what it wrote itself it holds until the server has it, and no longer: rows,
 * history, keys, the commit's payload, details of the audit log. The header
 * stays, it is a link of the chain. A refused commit stays in quarantine, for a
 * person decides about it (P-161).
 */
#include "client/replica/replica_int.h"

static sat_rc
hollow(sat_replica *r, int64_t seq, sat_err *e)
{
	sat_stmt *s;
	sat_rc rc;

	if ((rc = sat_db_stmt(&s, r->db, SQL_OUTBOX_HOLLOW, e)) != SAT_OK)
		return rc;
	sat_bind_int(s, 1, seq);
	return sat_run(s, e);
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
	return hollow(r, seq, e);
}
