/*
 * wipe.c - is an order to destroy this replica one for us (P-382), and the
 * receipt for it (P-384). Carrying it out is not done here: the keyring's owner
 * does it.
 *
 * What was refused is in the audit log and fails the session: whoever can put such
 * an order into a link has the server's channel key.
 */
#include "client/replica/replica_int.h"

#include <string.h>

/* A full disk makes no order a good one. */
static sat_rc
note(sat_replica *r, const char *what, sat_rc rc)
{
	(void)(sat_replica_audit(r, "wipe.refused", what, NULL) == SAT_OK);
	return rc;
}

static bool
is_ours(const sat_wipe_order *w, const sat_replica_identity *id)
{
	return w->device == id->device && w->incarnation == id->incarnation &&
	    sat_mem_eq(w->sign_pk, id->sign_pk, sizeof w->sign_pk);
}

/* Kept over a crash, so that an older order does not come after it. A disk that
 * does not take it keeps no device from obeying. */
static void
remember(sat_replica *r, const sat_wipe_order *w)
{
	bool again = r->wipe_ms == w->at_ms;

	r->wipe = *w;
	r->wipe_ms = w->at_ms;
	if (again || sat_db_in_txn(r->db))
		return;
	if (replica_meta_int(r, "wipe", w->at_ms, NULL) == SAT_OK)
		(void)(sat_replica_audit(r, "wipe.ordered",
		    w->push_first ? "push first" : "", NULL) == SAT_OK);
}

sat_rc
replica_wipe(void *u, sat_span order, bool *push_first, sat_err *e)
{
	sat_replica *r = u;
	sat_wipe_order w;
	sat_rc rc;

	if (order.n == 0) { /* pushed, what there was */
		r->wipe_due = r->wipe.device != 0;
		return SAT_OK;
	}
	if ((rc = sat_wipe_read(&w, order, e)) != SAT_OK)
		return rc;
	if (!sat_wipe_signed(&w, &r->id->org, r->id->root_pk))
		return note(r, "signature", sat_fail_code(e, SAT_EINTEGRITY,
		    "wipe.signature",
		    "tell the administrator; nothing was destroyed",
		    "an order to wipe this device is not signed by a key the "
		    "organisation vouches for"));
	if (!is_ours(&w, r->id))
		return note(r, "other", sat_fail_code(e, SAT_EINTEGRITY,
		    "wipe.other",
		    "tell the administrator; nothing was destroyed",
		    "an order to wipe another device was given to this one"));
	if (w.at_ms < r->wipe_ms)
		return note(r, "old", sat_fail_code(e, SAT_EINTEGRITY,
		    "wipe.old",
		    "tell the administrator; nothing was destroyed",
		    "an order to wipe this device is older than the one it "
		    "had"));
	remember(r, &w);
	*push_first = w.push_first;
	r->wipe_due = !w.push_first;
	return SAT_OK;
}

bool
sat_replica_wipe_due(const sat_replica *r)
{
	return r->wipe_due;
}

void
sat_replica_wiped(sat_wiped *out, const sat_replica *r)
{
	sat_buf b = { 0 };

	*out = (sat_wiped){ .device = r->id->device,
		.incarnation = r->id->incarnation,
		.at_ms = sat_wall_ms(&r->clock), .cseq = r->chain.cseq };
	memcpy(out->nonce, r->wipe.nonce, sizeof out->nonce);
	if (r->chain.cseq != 0)
		memcpy(out->head, r->chain.head, sizeof out->head);
	sat_wiped_sign_bytes(&b, out, &r->id->org);
	sat_sign(out->sig, sat_buf_span(&b), r->id->sign_sk);
	sat_buf_fini(&b);
}
