/*
 * server_ledger.c - erasures that a newer kit or backup knows of, carried out
 * again on a server that was restored from an older one (P-392).
 */
#include "protocol/server_int.h"

sat_rc
sat_server_take_ledger(sat_server *s, const sat_ledger *in, sat_err *e)
{
	sat_rc rc;

	if ((rc = sat_srv_begin(s, e)) != SAT_OK)
		return rc;
	rc = sat_srv_ledger_take(s, in, e);
	if (rc != SAT_OK)
		sat_srv_rollback(s);
	else
		sat_srv_end_read(s);
	return rc;
}
