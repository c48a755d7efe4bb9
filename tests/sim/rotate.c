/*
 * Devices change their keys (P-386 to P-389): requests and answers are lost,
 * either side dies in the middle, and a folder from before comes back. What a
 * program does around a session is done here (client/sync/rekey.c), a request at
 * a time.
 */
#include "tests/sim/sim.h"

#include <string.h>

typedef struct asking {
	device *d;
	sat_server_session x;
	sat_buf reply;
} asking;

static void
keys_read(device *d)
{
	const sat_replica_identity *id = sat_replica_identity_get(d->r);
	sat_key_pairs next;

	memcpy(d->id.sign_sk, id->sign_sk, sizeof d->id.sign_sk);
	memcpy(d->id.sign_pk, id->sign_pk, sizeof d->id.sign_pk);
	memcpy(d->id.channel_sk, id->channel_sk, sizeof d->id.channel_sk);
	memcpy(d->id.channel_pk, id->channel_pk, sizeof d->id.channel_pk);
	(void)sat_replica_rekey_state(&next, NULL, d->r);
	memcpy(d->next_pk, next.channel_pk, sizeof d->next_pk);
}

bool
sim_rotate_known(const world *w, const uint8_t pk[SAT_BOX_PK_BYTES])
{
	uint8_t sign_pk[SAT_SIGN_PK_BYTES];
	uint32_t ord;

	return w->ops.device_by_key(&ord, sign_pk, w->ops.u, pk, NULL) == SAT_OK;
}

void
sim_rotate_look(device *d)
{
	bool was = d->outdated;

	keys_read(d);
	if (!d->enrolled || d->n.w->rough.rotate == 0)
		return;
	d->outdated = !sim_rotate_known(d->n.w, d->id.channel_pk) &&
	    (sat_replica_rekey_state(NULL, NULL, d->r) != SAT_REKEY_NEXT ||
	    !sim_rotate_known(d->n.w, d->next_pk));
	if (d->outdated && !was && !d->was_restored)
		sim_fail(d->n.w, "P-388: %s has forgotten its keys", d->n.name);
	if (d->outdated && !was) {
		d->outdated_at = d->n.w->nentries;
		HIT(outdated);
	}
}

/* @return false: nobody knows whether it arrived, and what came of it. */
static bool
ask(sat_msg *m, asking *q)
{
	world *w = q->d->n.w;
	sat_buf frame = { 0 };
	sat_server_job job;
	bool ok;
	sat_err e;

	if (!w->healing && sim_chance(w, 150))
		return false; /* it did not arrive */
	sat_msg_write(&frame, m);
	sat_buf_reset(&q->reply);
	job = (sat_server_job){ &q->x, sat_buf_span(&frame), &q->reply };
	ok = sim_server_serve(w, &job, 1);
	sat_buf_fini(&frame);
	if (!ok)
		return false;
	if (!w->healing && sim_chance(w, 250)) {
		if (m->type == SAT_MSG_REKEY)
			HIT(rotated_unheard);
		return false;
	}
	if (sat_msg_read(m, &w->tmp, sat_buf_span(&q->reply), &e) != SAT_OK)
		sim_fail(w, "a reply cannot be read: %s", e.text);
	return true;
}

static bool
greet(sat_msg *m, asking *q, const uint8_t pk[SAT_BOX_PK_BYTES])
{
	device *d = q->d;
	sat_err e = { 0 };

	memset(&q->x, 0, sizeof q->x);
	memcpy(q->x.channel_pk, pk, sizeof q->x.channel_pk);
	*m = (sat_msg){ .type = SAT_MSG_HELLO };
	return d->ops.hello(d->ops.u, &m->u.hello, &e) == SAT_OK && ask(m, q);
}

static bool
says(const sat_msg *m, const char *code)
{
	return m->type == SAT_MSG_ERROR && sat_span_eq(m->u.error.code,
	    sat_span_str(code));
}

/* K1: whatever happened, one of the two is the device's. */
static bool
find_out(uint64_t *lsn, asking *q)
{
	device *d = q->d;
	world *w = d->n.w;
	sat_msg m;
	sat_err e = { 0 };

	*lsn = 0;
	if (!greet(&m, q, d->next_pk))
		return false;
	if (m.type != SAT_MSG_ERROR) {
		HIT(rotated_found);
		return true;
	}
	if (!says(&m, "device.unknown") || !greet(&m, q, d->id.channel_pk))
		return false;
	if (says(&m, SAT_CODE_REKEYED) && !sim_shut_out(d))
		sim_fail(w, "P-388: %s has neither of its keys", d->n.name);
	if (m.type == SAT_MSG_ERROR)
		return false;
	m = (sat_msg){ .type = SAT_MSG_REKEY };
	if (sat_replica_rekey_say(&m.u.rekey, d->r, &e) != SAT_OK ||
	    !ask(&m, q) || m.type != SAT_MSG_REKEYED)
		return false;
	*lsn = m.u.rekeyed.lsn;
	return true;
}

bool
sim_rotate_settle(device *d)
{
	asking q = { .d = d };
	uint64_t lsn;
	sat_err e = { 0 };
	sat_rc rc;

	if (!d->enrolled || sat_replica_rekey_state(NULL, NULL, d->r) !=
	    SAT_REKEY_NEXT)
		return true;
	keys_read(d);
	sim_device_plan_faults(d);
	if (find_out(&lsn, &q)) {
		rc = sat_replica_rekeyed(d->r, lsn, &e);
		if (rc == SAT_OK) {
			HIT(rotated);
			keys_read(d);
			sim_trace(d->n.w, "%s has other keys", d->n.name);
		}
	} else {
		rc = SAT_OK;
	}
	sat_buf_fini(&q.reply);
	if (!sim_device_after(d, rc))
		return false;
	if (d->n.w->healing || sat_replica_rekey_state(NULL, NULL, d->r) !=
	    SAT_REKEY_NEXT || !sim_chance(d->n.w, 300))
		return true;
	HIT(device_kill);
	sim_trace(d->n.w, "kill %s, which does not know its keys", d->n.name);
	sim_device_stop(d, false);
	return false;
}

void
sim_act_rotate(device *d)
{
	world *w = d->n.w;
	sat_err e = { 0 };
	sat_rc rc;

	if (!d->enrolled || sim_shut_out(d))
		return;
	sim_device_plan_faults(d);
	rc = sat_replica_rekey_begin(d->r, &e);
	sim_trace(w, "%s draws other keys: %d", d->n.name, (int)rc);
	if (!sim_device_after(d, rc) || rc != SAT_OK)
		return;
	keys_read(d);
	if (sim_chance(w, 700))
		(void)sim_rotate_settle(d);
}
