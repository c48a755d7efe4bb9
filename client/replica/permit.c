/*
 * permit.c - how long this replica opens without its server (P-189).
 *
 * Why the clock is looked at too: whoever turns it back could use a lost laptop
 * for ever. The time the server told last is kept; a day below it is the most
 * the clock may show. Not the latest ever: a server whose clock was wrong for a
 * day would lock everybody out.
 */
#include "client/replica/replica_int.h"

sat_rc
replica_permit_take(sat_replica *r, sat_span in, sat_err *e)
{
	sat_permit p;
	sat_rc rc;

	if ((rc = sat_permit_read(&p, in, e)) != SAT_OK)
		return rc;
	if (!sat_permit_ok(&p, &r->id->org, r->id->device, r->id->root_pk))
		return sat_fail_code(e, SAT_EINTEGRITY, "permit.signature",
		    "tell the administrator", "the server's permit is not "
		    "signed by a key the organisation vouches for");
	if ((rc = replica_meta_blob(r, "permit", in, e)) != SAT_OK)
		return rc;
	r->permit_ms = p.until_ms;
	return SAT_OK;
}

/* What was taken when it came is not verified again at each opening: it lies in
 * the encrypted file. */
sat_rc
replica_permit_load(sat_replica *r, sat_span in, sat_err *e)
{
	sat_permit p;
	sat_rc rc = sat_permit_read(&p, in, e);

	if (rc == SAT_OK)
		r->permit_ms = p.until_ms;
	return rc;
}

sat_rc
replica_told_time(sat_replica *r, int64_t server_ms, sat_err *e)
{
	if (server_ms == r->told_ms)
		return SAT_OK;
	r->told_ms = server_ms;
	return replica_meta_int(r, "told", server_ms, e);
}

sat_rc
sat_replica_permitted(const sat_replica *r, sat_err *e)
{
	/* What the last sync learnt of this clock counts: one that is always
	 * wrong by the same time locks nobody out. */
	int64_t now = sat_wall_ms(&r->clock) + r->hlc.offset_ms;

	if (r->permit_ms == 0)
		return SAT_OK; /* this organisation gives none */
	if (now > r->permit_ms)
		return sat_fail_code(e, SAT_ELOCKED, "lease.over",
		    "connect and run: satchel sync", "this device has not met "
		    "its server for too long; what waits is kept and goes with "
		    "the next sync");
	if (now < r->told_ms - SAT_PERMIT_BACK_MS)
		return sat_fail_code(e, SAT_ELOCKED, "lease.clock",
		    "set the clock, or connect and run: satchel sync",
		    "the clock of this device was turned back");
	return SAT_OK;
}
