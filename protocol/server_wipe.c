/*
 * server_wipe.c - a revoked device that was ordered to destroy what it holds: the
 * order instead of a greeting, its last work, and the receipt (P-380..P-385).
 *
 * The store keeps what was ordered, not a signed paper: what is signed names the
 * incarnation that asks, so that a copy of the folder obeys as well and nothing
 * that was recorded fits another one.
 */
#include "protocol/server_int.h"

#include <string.h>

static sat_rc
sign(sat_buf *out, sat_server *s, sat_wipe_order *w, sat_err *e)
{
	sat_rc rc;

	if (s->env.sign == NULL)
		return sat_fail(e, SAT_EVERSION, "this server signs nothing");
	memcpy(w->server_pk, s->env.server_pk, sizeof w->server_pk);
	memcpy(w->cert, s->env.server_cert, sizeof w->cert);
	sat_buf_reset(&s->scratch);
	sat_wipe_sign_bytes(&s->scratch, w, &s->env.org);
	rc = s->env.sign(s->env.u, w->sig, sat_buf_span(&s->scratch), e);
	if (rc == SAT_OK)
		sat_wipe_write(out, w);
	return rc;
}

/* That it was told is what an administrator sees; a disk that does not take it
 * keeps no order back. */
static sat_rc
note_told(sat_server *s, uint32_t ord, sat_err *e)
{
	const sat_store *st = &s->env.store;
	sat_rc rc = st->wipe_told(st->u, ord, sat_wall_ms(&s->env.clock), e);

	if (rc == SAT_OK)
		rc = sat_srv_commit(s, e);
	if (rc != SAT_OK)
		sat_srv_rollback(s);
	return rc == SAT_EFSYNC ? rc : SAT_OK;
}

sat_rc
sat_srv_wipe(bool *ordered, sat_server *s, sat_server_session *x, uint32_t ord,
    uint32_t incarnation, sat_buf *reply, sat_err *e)
{
	const sat_store *st = &s->env.store;
	sat_msg m = { .type = SAT_MSG_WIPE };
	sat_wipe_order w = { .device = ord, .incarnation = incarnation };
	sat_wipe_row row;
	sat_buf order = { 0 };
	sat_err why = { 0 }; /* e tells already that it is revoked */
	sat_rc rc = st->wipe_get(&row, st->u, ord, &why);

	*ordered = false;
	if (rc != SAT_OK && rc != SAT_ENOTFOUND && e != NULL)
		*e = why;
	if (rc != SAT_OK)
		return rc == SAT_ENOTFOUND ? SAT_OK : rc;
	memcpy(w.sign_pk, x->sign_pk, sizeof w.sign_pk);
	memcpy(w.nonce, row.nonce, sizeof w.nonce);
	w.at_ms = row.at_ms;
	w.push_first = row.push_first;
	if ((rc = sign(&order, s, &w, e)) == SAT_OK &&
	    (row.told_ms != 0 || (rc = note_told(s, ord, e)) == SAT_OK)) {
		m.u.wipe = sat_buf_span(&order);
		sat_msg_write(reply, &m);
		x->device = ord;
		x->leaving = row.push_first;
		*ordered = true;
	}
	sat_buf_fini(&order);
	return rc;
}

/* P-385. The registry may have changed since it greeted. */
sat_rc
sat_srv_leaver(const sat_user **user, const sat_server *s,
    const sat_server_session *x, sat_err *e)
{
	const sat_device *d = sat_registry_device(&s->reg, x->device);

	*user = d != NULL ? sat_registry_user_ord(&s->reg, d->user) : NULL;
	return *user != NULL ? SAT_OK : sat_fail_code(e, SAT_EREVOKED,
	    "device.revoked", NULL, "device %u was revoked", x->device);
}

/* Whoever brings it: the device that signed it has no keys left to come with. */
sat_rc
sat_srv_wiped(sat_server *s, const sat_wiped *in, sat_buf *reply, sat_err *e)
{
	const sat_store *st = &s->env.store;
	sat_msg m = { .type = SAT_MSG_WIPED };
	uint8_t pk[SAT_SIGN_PK_BYTES];
	sat_wipe_row row;
	bool good;

	good = st->wipe_get(&row, st->u, in->device, NULL) == SAT_OK &&
	    memcmp(row.nonce, in->nonce, sizeof row.nonce) == 0 &&
	    st->device_sign_pk(pk, st->u, in->device, NULL) == SAT_OK &&
	    sat_wiped_signed(in, &s->env.org, pk);
	if (!good) /* one answer for all of it: it tells nobody what there is */
		return sat_fail_code(e, SAT_EINTEGRITY, "wipe.receipt", NULL,
		    "a receipt fits no order to wipe a device");
	if (row.done_ms == 0) {
		sat_rc rc = st->wipe_done(st->u, in, sat_wall_ms(
		    &s->env.clock), e);

		if (rc != SAT_OK || (rc = sat_srv_commit(s, e)) != SAT_OK)
			return rc;
	}
	m.u.wiped = *in;
	sat_msg_write(reply, &m);
	return SAT_OK;
}
