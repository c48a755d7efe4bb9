/*
 * server.c - sessions, and the requests that are not PUSH, PULL or SNAP.
 */
#include "protocol/server_file.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Reports of cursors wait for the next push, at most this long. */
#define SEEN_FLUSH_MS 30000

/* ---- who asks --------------------------------------------------------------------- */

/* waits: may it still have to be let in? */
static sat_rc
device_user(const sat_user **user, const sat_server *s, uint32_t ord,
    bool waits, sat_err *e)
{
	const sat_device *d = sat_registry_device(&s->reg, ord);

	if (d == NULL)
		return sat_fail_code(e, SAT_ELOCKED, "device.unknown", NULL,
		    "device is not enrolled here");
	if (d->revoked)
		return sat_fail_code(e, SAT_EREVOKED, "device.revoked", NULL,
		    "device %u was revoked", ord);
	if (d->waiting && !waits) /* P-390 */
		return sat_fail_code(e, SAT_ELOCKED, "device.waiting",
		    "an administrator has to: satcheld device approve",
		    "device %u is enrolled and not let in yet", ord);
	*user = sat_registry_user_ord(&s->reg, d->user);
	if (*user == NULL || (*user)->disabled)
		return sat_fail_code(e, SAT_EDENIED, "user.disabled",
		    "ask your manager", "the device's user is disabled");
	return SAT_OK;
}

sat_rc
sat_srv_session_user(const sat_user **user, sat_server *s,
    const sat_server_session *x, sat_err *e)
{
	sat_rc rc;

	if (!x->greeted)
		return sat_fail(e, SAT_EPROTO, "no hello on this link yet");
	if ((rc = sat_srv_keys_stand(s, x, e)) != SAT_OK ||
	    (rc = sat_srv_template_stands(s->tip, s->tip_oid, e)) != SAT_OK)
		return rc;
	return device_user(user, s, x->device, false, e);
}

static sat_rc
check_version(uint32_t min, uint32_t max, sat_err *e)
{
	if (min > SAT_PROTO_VERSION || max < SAT_PROTO_MIN)
		return sat_fail_code(e, SAT_EVERSION, "protocol", NULL,
		    "this server speaks protocol %u to %u, the device %u to %u",
		    SAT_PROTO_MIN, SAT_PROTO_VERSION, min, max);
	return SAT_OK;
}

/* ---- requests ----------------------------------------------------------------------- */

/* Nothing behind the device's cursor concerns it; entries below the truncation
 * point cannot tell any more. */
static bool
has_all(const sat_hello *h, const sat_welcome *w)
{
	return h->cursor != 0 && h->cursor >= w->scope_head &&
	    h->cursor >= w->truncated;
}

static sat_rc
welcome(sat_server *s, sat_welcome *w, const sat_hello *h, uint32_t dev,
    const sat_user *user, sat_err *e)
{
	const sat_store *st = &s->env.store;
	sat_keys keys = sat_srv_keys(s, user);
	chain_slot *chain;
	sat_rc rc;

	if ((rc = st->scope_head(&w->scope_head, st->u, &keys, e)) != SAT_OK ||
	    (rc = st->counter_get(&w->durable, st->u, SAT_N_DURABLE, e)) !=
	    SAT_OK || (rc = st->counter_get(&w->epoch, st->u, SAT_N_EPOCH,
	    e)) != SAT_OK ||
	    (rc = sat_srv_chain(&chain, s, dev, h->incarnation, e)) != SAT_OK)
		return rc;
	if ((rc = st->counter_get(&w->truncated, st->u, SAT_N_TRUNCATED, e)) !=
	    SAT_OK)
		return rc;
	sat_srv_due(w->template_oid, s, dev, user, h->template_oid);
	w->template_same = memcmp(h->template_oid, w->template_oid,
	    sizeof w->template_oid) == 0;
	/* of what it holds, which was masked by the template it has */
	keys.mask = sat_srv_mask_by(s, w->template_oid, user);
	if (has_all(h, w) && sat_mask_same(keys.mask, sat_srv_mask_by(s,
	    h->template_oid, user)) && (rc = sat_srv_digest_total(&w->has_sum,
	    &w->sum, s, &keys, user, e)) != SAT_OK)
		return rc;
	w->proto = h->proto_max < SAT_PROTO_VERSION ? h->proto_max :
	    SAT_PROTO_VERSION;
	w->wall_ms = sat_wall_ms(&s->env.clock);
	sat_srv_coverage(s, &w->coverage, h, dev, user);
	w->features = SAT_FEATURES;
	w->head = s->lsn;
	w->last_cseq = chain->c.last_cseq;
	w->registry_rev = s->reg.rev;
	w->ledger_rev = s->ledger_rev;
	return sat_srv_certs(s, w, h->epoch, e);
}

/* Not with every sync: half a day older is new enough. */
#define PERMIT_RENEW_MS (12 * 3600 * (int64_t)1000)
#define DAY_MS (24 * 3600 * (int64_t)1000)

static sat_rc
give_permit(sat_server *s, sat_welcome *w, const sat_hello *h, uint32_t dev,
    sat_err *e)
{
	const sat_store *st = &s->env.store;
	sat_permit p = { .device = dev, .issued_ms = w->wall_ms, .lsn = s->lsn };
	int64_t lasts;
	sat_buf b = { 0 };
	int32_t days;
	sat_rc rc;

	if (!s->env.permits || s->env.sign == NULL)
		return SAT_OK;
	if ((rc = st->device_permit(&days, st->u, dev, e)) != SAT_OK ||
	    days < 0)
		return rc;
	lasts = (days > 0 ? days : sat_template_device(s->tip).lease_d) * DAY_MS;
	p.until_ms = p.issued_ms + lasts;
	if (h->permit_ms <= p.until_ms &&
	    p.until_ms - h->permit_ms < PERMIT_RENEW_MS)
		return SAT_OK;
	memcpy(p.server_pk, s->env.server_pk, sizeof p.server_pk);
	memcpy(p.cert, s->env.server_cert, sizeof p.cert);
	sat_permit_sign_bytes(&b, &p, &s->env.org);
	rc = s->env.sign(s->env.u, p.sig, sat_buf_span(&b), e);
	sat_buf_reset(&b);
	sat_permit_write(&b, &p);
	w->permit = sat_span_of(sat_arena_dup(&s->txn, b.p, b.n), b.n);
	sat_buf_fini(&b);
	return rc;
}

static sat_rc
hello(sat_server *s, sat_server_session *x, sat_buf *reply, const sat_hello *h,
    sat_err *e)
{
	const sat_store *st = &s->env.store;
	sat_msg m = { .type = SAT_MSG_WELCOME };
	const sat_user *user;
	uint32_t ord;
	sat_rc rc;

	x->greeted = x->leaving = false;
	x->parked = false;
	if ((rc = check_version(h->proto_min, h->proto_max, e)) != SAT_OK)
		return rc;
	rc = st->device_by_key(&ord, x->sign_pk, st->u, x->channel_pk, e);
	if (rc == SAT_ENOTFOUND && (rc = sat_srv_former(s, x, e)) == SAT_OK)
		return sat_fail_code(e, SAT_ELOCKED, "device.unknown",
		    "enrol it with an invitation",
		    "no device is enrolled with this key");
	if (rc == SAT_OK && h->device != ord)
		return sat_fail_code(e, SAT_EDENIED, "device.other", NULL,
		    "the key is device %u's", ord);
	if (rc == SAT_OK && (rc = device_user(&user, s, ord, false, e)) ==
	    SAT_EREVOKED) {
		bool ordered;
		sat_rc got = sat_srv_wipe(&ordered, s, x, ord, h->incarnation,
		    reply, e);

		return got != SAT_OK || ordered ? got : rc;
	}
	if (rc != SAT_OK)
		return rc;
	if ((rc = welcome(s, &m.u.welcome, h, ord, user, e)) != SAT_OK ||
	    (rc = give_permit(s, &m.u.welcome, h, ord, e)) != SAT_OK ||
	    (rc = sat_srv_answers(s, &m.u.welcome, ord, h->answered, e)) !=
	    SAT_OK)
		return rc;
	x->device = ord;
	x->incarnation = h->incarnation;
	x->rekeys = s->rekeys;
	x->epoch = h->epoch;
	x->ledger = h->ledger_rev;
	memcpy(x->tip, m.u.welcome.template_oid, sizeof x->tip);
	x->snap_total = 0;
	if ((rc = sat_srv_greeted(s, x, h, e)) != SAT_OK)
		return rc;
	x->greeted = true;
	sat_srv_seen(s, ord, has_all(h, &m.u.welcome) ? s->lsn : h->cursor,
	    h->template_oid);
	sat_msg_write(reply, &m);
	return SAT_OK;
}

static sat_rc
reload(sat_server *s, sat_err *e)
{
	const sat_store *st = &s->env.store;
	sat_registry fresh = { 0 };
	sat_rc rc;

	if ((rc = st->registry(&fresh, st->u, e)) != SAT_OK) {
		sat_registry_fini(&fresh);
		return rc;
	}
	sat_registry_fini(&s->reg);
	s->reg = fresh;
	return SAT_OK;
}

static sat_rc /* P-102, P-103 */
enrol_failed(sat_rc rc, sat_err *e)
{
	switch (rc) {
	case SAT_ENOTFOUND:
		return sat_fail_code(e, SAT_ELOCKED, "invite.unknown",
		    "ask for a new invitation", "the invitation is not known");
	case SAT_ECONFLICT:
		return sat_fail_code(e, SAT_ELOCKED, "invite.used",
		    "ask for a new invitation",
		    "the invitation was used by another device");
	case SAT_ELOCKED:
		return sat_fail_code(e, SAT_ELOCKED, "invite.expired",
		    "ask for a new invitation", "the invitation has expired");
	default:
		return rc;
	}
}

/* What has to fit is compared before the token is looked at (P-104). */
static sat_rc
enrol(sat_server *s, sat_server_session *x, sat_buf *reply,
    const sat_enrol *in, sat_err *e)
{
	const sat_store *st = &s->env.store;
	sat_msg m = { .type = SAT_MSG_ENROLLED };
	sat_enrolled *out = &m.u.enrolled;
	const sat_user *user;
	sat_rc rc;

	if ((rc = check_version(in->proto_min, in->proto_max, e)) != SAT_OK)
		return rc;
	if (!sat_id_eq(&in->org, &s->env.org))
		return sat_fail_code(e, SAT_EDENIED, "org.other", NULL,
		    "the invitation is of another organisation");
	rc = st->device_enrol(&out->device, &out->user, st->u, in,
	    x->channel_pk, sat_wall_ms(&s->env.clock), e);
	if (rc != SAT_OK)
		return enrol_failed(rc, e);
	/* First durable, then known here (P-105). A repeated enrolment of a
	 * device that was revoked since must not look like a fresh one. */
	if ((rc = sat_srv_commit(s, e)) != SAT_OK ||
	    (rc = sat_srv_begin(s, e)) != SAT_OK ||
	    (rc = reload(s, e)) != SAT_OK ||
	    (rc = device_user(&user, s, out->device, true, e)) != SAT_OK)
		return rc;
	out->user_key = sat_span_str(user->key);
	out->role = sat_span_str(user->role);
	out->org_name = sat_span_str(s->env.org_name);
	memcpy(out->root_pk, s->env.root_pk, sizeof out->root_pk);
	memcpy(out->template_pk, s->env.template_pk, sizeof out->template_pk);
	out->wall_ms = sat_wall_ms(&s->env.clock);
	sat_msg_write(reply, &m);
	return SAT_OK;
}

static sat_rc
send_registry(sat_server *s, sat_buf *reply)
{
	sat_msg m = { .type = SAT_MSG_REGISTRY_IS };

	sat_buf_reset(&s->scratch);
	sat_registry_write(&s->scratch, &s->reg);
	m.u.registry = sat_buf_span(&s->scratch);
	sat_msg_write(reply, &m);
	return SAT_OK;
}

static sat_rc
send_template(sat_server *s, const sat_server_session *x, const sat_user *user,
    sat_buf *reply, const uint8_t *have, sat_err *e)
{
	sat_msg m = { .type = SAT_MSG_TEMPLATE_IS };
	uint8_t *tip = m.u.template_is.tip;
	sat_rc rc;

	sat_srv_due(tip, s, x->device, user, have);
	sat_buf_reset(&s->scratch);
	if (!sat_srv_oid_zero(tip) && memcmp(have, tip, SAT_TEMPLATE_OID_BYTES) != 0) {
		if ((rc = s->env.template_bundle(s->env.u, &s->scratch, tip, have,
		    e)) != SAT_OK)
			return rc;
		m.u.template_is.bundle = sat_buf_span(&s->scratch);
	}
	sat_msg_write(reply, &m);
	return SAT_OK;
}

static sat_rc
answer(sat_server *s, sat_server_session *x, sat_buf *reply, const sat_msg *m,
    sat_err *e)
{
	const sat_user *user;
	sat_rc rc;

	if (m->type == SAT_MSG_HELLO)
		return hello(s, x, reply, &m->u.hello, e);
	if (m->type == SAT_MSG_ENROL)
		return enrol(s, x, reply, &m->u.enrol, e);
	if (m->type == SAT_MSG_WIPED)
		return sat_srv_wiped(s, &m->u.wiped, reply, e);
	if (m->type == SAT_MSG_REKEY)
		return sat_srv_rekey(s, x, &m->u.rekey, reply, e);
	if ((rc = sat_srv_session_user(&user, s, x, e)) != SAT_OK)
		return rc;
	switch (m->type) {
	case SAT_MSG_PULL:
		return sat_srv_pull(s, x, &m->u.pull, reply, e);
	case SAT_MSG_SNAP:
		return sat_srv_snap(s, x, &m->u.snap, reply, e);
	case SAT_MSG_DIGEST:
		return sat_srv_digest(s, x, &m->u.digest, reply, e);
	case SAT_MSG_REFETCH:
		return sat_srv_refetch(s, x, &m->u.refetch, reply, e);
	case SAT_MSG_NUMBERS:
		return sat_srv_numbers(s, x, user, &m->u.numbers, reply, e);
	case SAT_MSG_REGISTRY:
		return send_registry(s, reply);
	case SAT_MSG_TEMPLATE:
		return send_template(s, x, user, reply, m->u.template_have, e);
	case SAT_MSG_DIRECTORY:
		return sat_srv_directory(s, user, reply, e);
	case SAT_MSG_WAIT:
		return sat_srv_wait(s, x, &m->u.wait, reply, e);
	case SAT_MSG_LEDGER:
		return sat_srv_ledger(s, x, &m->u.ledger, reply, e);
	case SAT_MSG_ERASED:
		return sat_srv_erased(s, x, &m->u.erased, reply, e);
	case SAT_MSG_HOLD:
		return sat_srv_hold(s, user, m->u.hold, reply, e);
	case SAT_MSG_REVEAL:
		return sat_srv_reveal(s, x, user, &m->u.reveal, reply, e);
	case SAT_MSG_FILE_PUT:
		return sat_srv_file_put(s, x, user, &m->u.file_put, reply, e);
	case SAT_MSG_FILE_GET:
		return sat_srv_file_get(s, x, user, &m->u.file_get, reply, e);
	case SAT_MSG_PRIVACY:
		return sat_srv_privacy(s, x, &m->u.privacy, reply, e);
	case SAT_MSG_SEED:
		return sat_srv_seed(s, x, &m->u.seed, reply, e);
	default:
		return sat_fail(e, SAT_EPROTO, "frame %d is no request",
		    (int)m->type);
	}
}

sat_rc
sat_server_settle(sat_server *s, sat_err *e)
{
	sat_rc rc;

	if (s->unacked)
		return SAT_OK;
	if ((rc = sat_srv_begin(s, e)) == SAT_OK &&
	    (rc = sat_srv_commit(s, e)) != SAT_OK)
		sat_srv_rollback(s);
	return rc;
}

/* Cursors that no push has taken along for a while. */
static sat_rc
flush_seen(sat_server *s, sat_err *e)
{
	sat_rc rc;

	if ((s->nseen == 0 && !s->reported_dirty) || s->unacked || sat_boot_ms(&s->env.clock) -
	    s->seen_flushed_ms < SEEN_FLUSH_MS)
		return SAT_OK;
	rc = sat_server_settle(s, e);
	/* A status column is no reason to refuse an answer. */
	return rc == SAT_EFSYNC ? rc : SAT_OK;
}

/* Requests besides PUSH that change something; they commit by themselves. */
static bool
writes(sat_span frame)
{
	return frame.n > 0 && (frame.p[0] == SAT_MSG_ENROL ||
	    frame.p[0] == SAT_MSG_NUMBERS || frame.p[0] == SAT_MSG_HOLD ||
	    frame.p[0] == SAT_MSG_SEED || frame.p[0] == SAT_MSG_LEDGER ||
	    frame.p[0] == SAT_MSG_ERASED || frame.p[0] == SAT_MSG_PRIVACY ||
	    frame.p[0] == SAT_MSG_REVEAL || frame.p[0] == SAT_MSG_WIPED ||
	    frame.p[0] == SAT_MSG_REKEY || frame.p[0] == SAT_MSG_FILE_PUT);
}

sat_rc
sat_server_handle(sat_server *s, sat_server_session *x, sat_buf *reply,
    sat_span frame, sat_err *e)
{
	sat_server_job job = { x, frame, reply };
	sat_err why = { 0 };
	size_t n0 = reply->n;
	sat_msg m;
	sat_rc rc;

	if (frame.n > 0 && frame.p[0] == SAT_MSG_PUSH)
		return sat_srv_push(s, &job, 1, e);
	if (frame.n > 0 && frame.p[0] == SAT_MSG_ADMIN)
		return sat_srv_admin(s, x, reply, frame, e);
	if ((rc = sat_srv_begin(s, &why)) == SAT_OK &&
	    (rc = sat_msg_read(&m, &s->txn, frame, &why)) == SAT_OK)
		rc = answer(s, x, reply, &m, &why);
	if (rc == SAT_OK && reply->n - n0 > SAT_FRAME_MAX)
		rc = sat_fail(&why, SAT_ENOSPACE, "answer of %zu bytes",
		    reply->n - n0);
	if (rc != SAT_OK && writes(frame))
		sat_srv_rollback(s);
	else
		sat_srv_end_read(s);
	if (rc == SAT_EFSYNC) {
		if (e != NULL)
			*e = why;
		return rc;
	}
	if (rc != SAT_OK) {
		reply->n = n0;
		why.rc = rc;
		sat_msg_write_error(reply, &why);
	}
	return flush_seen(s, e);
}

sat_rc
sat_server_handle_group(sat_server *s, sat_server_job *jobs, size_t n,
    sat_err *e)
{
	size_t i = 0, k;
	sat_rc rc;

	while (i < n) {
		for (k = i; k < n && jobs[k].frame.n > 0 &&
		    jobs[k].frame.p[0] == SAT_MSG_PUSH; k++)
			;
		if (k > i) {
			rc = sat_srv_push(s, jobs + i, k - i, e);
		} else {
			rc = sat_server_handle(s, jobs[i].session,
			    jobs[i].reply, jobs[i].frame, e);
			k = i + 1;
		}
		if (rc != SAT_OK)
			return rc;
		i = k;
	}
	return SAT_OK;
}

/* ---- life ------------------------------------------------------------------------------- */

sat_rc
sat_server_new(sat_server **out, const sat_server_env *env, sat_err *e)
{
	sat_server *s = sat_xcalloc(1, sizeof *s);
	sat_err why = { 0 };
	sat_rc rc;

	*out = NULL;
	s->env = *env;
	if ((rc = sat_srv_begin(s, e)) == SAT_OK &&
	    (rc = sat_srv_reported_load(s, e)) == SAT_OK)
		rc = reload(s, e);
	sat_srv_end_read(s);
	/* What cannot be written anew is to be seen, and mended, all the same. */
	if (rc == SAT_OK && sat_server_scrub(s, &why) == SAT_EFSYNC) {
		rc = SAT_EFSYNC;
		if (e != NULL)
			*e = why;
	}
	if (rc != SAT_OK) {
		sat_server_free(s);
		return rc;
	}
	(void)sat_server_heard(s); /* nobody waits yet */
	*out = s;
	return SAT_OK;
}

void
sat_server_free(sat_server *s)
{
	if (s == NULL)
		return;
	if (s->in_txn || s->unacked)
		s->env.store.rollback(s->env.store.u);
	sat_registry_fini(&s->reg);
	sat_buf_fini(&s->scratch);
	sat_arena_fini(&s->txn);
	sat_arena_fini(&s->push);
	sat_fold_room_fini(&s->fold);
	free(s->chains);
	free(s->past.v);
	free(s->epochs);
	free(s->seen);
	free(s->reported);
	free(s->roots);
	free(s->heard.keys);
	free(s);
}

sat_rc
sat_server_reload(sat_server *s, sat_err *e)
{
	sat_rc rc;

	if ((rc = sat_srv_begin(s, e)) == SAT_OK)
		rc = reload(s, e);
	sat_srv_end_read(s);
	return rc;
}

const sat_registry *
sat_server_registry(const sat_server *s)
{
	return &s->reg;
}

const sat_server_env *
sat_server_env_get(const sat_server *s)
{
	return &s->env;
}
