/*
 * The words of a server's verb, sent from an administrator's device. Sent once:
 * a link that is lost leaves it open whether it was done (P-373).
 */
#include "client/sync/sync_int.h"

sat_rc
sat_sync_admin(sat_span *out, sat_arena *a, sat_replica *r,
    const sat_admin_words *words, const sat_sync_opts *o, sat_err *e)
{
	sat_msg m = { .type = SAT_MSG_ADMIN };
	sat_rc rc;

	*out = sat_span_of(NULL, 0);
	m.u.admin = *words;
	if ((rc = sat_sync_question(&m, a, r, SAT_MSG_ADMIN_IS, o, e)) == SAT_OK)
		*out = m.u.admin_is;
	return rc;
}
